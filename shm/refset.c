#include "shm/refset.h"

#include <errno.h>
#include <stdlib.h>

#define REFS_FIRST 256u

int adit_refset_add(struct adit_refset *set, uint64_t ref)
{
    if (set->n == set->max) {
        size_t more = set->max ? set->max * 2 : REFS_FIRST;
        uint64_t *grown = realloc(set->refs, more * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        set->refs = grown;
        set->max = more;
    }
    set->refs[set->n++] = ref;
    return 0;
}

static int compare_refs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void adit_refset_sort(struct adit_refset *set)
{
    if (set->n)
        qsort(set->refs, set->n, sizeof *set->refs, compare_refs);
}

bool adit_refset_has(const struct adit_refset *set, uint64_t ref)
{
    return set->n && bsearch(&ref, set->refs, set->n, sizeof *set->refs, compare_refs);
}

void adit_refset_fini(struct adit_refset *set)
{
    free(set->refs);
    *set = (struct adit_refset){0};
}
