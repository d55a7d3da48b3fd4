/* refset.h - a private set of refs that is filled, sorted once, and then asked: which blocks are pinned, or named by the store.
 *
 *     struct adit_refset set = {0};
 *     adit_refset_add(&set, ref) ...;  adit_refset_sort(&set);  adit_refset_has(&set, ref);  adit_refset_fini(&set);
 */
#ifndef ADIT_REFSET_H
#define ADIT_REFSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct adit_refset {
    uint64_t *refs;
    size_t n, max;
};

/* 0 or -ENOMEM; refs may be added twice. */
int adit_refset_add(struct adit_refset *set, uint64_t ref);
/* Wanted between the last add and the first has. */
void adit_refset_sort(struct adit_refset *set);
bool adit_refset_has(const struct adit_refset *set, uint64_t ref);
void adit_refset_fini(struct adit_refset *set);

#endif
