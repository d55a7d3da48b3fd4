#include "runtime/scratch.h"

#include <errno.h>
#include <stdlib.h>

int adit_scratch_borrow(struct adit_arena *arena, struct adit_scratch **out)
{
    struct adit_reader *reader;
    int error = adit_rcu_borrow(arena, &reader);
    if (error)
        return error;
    struct adit_scratch *s = arena->scratch[reader->pool_index]; /* ours while the reader is borrowed */
    if (!s) {
        s = aligned_alloc(64, sizeof *s);
        struct adit_encode_plan *plan = aligned_alloc(64, (adit_encode_plan_bytes() + 63) / 64 * 64);
        if (!s || !plan) {
            free(s);
            free(plan);
            adit_rcu_give_back(arena, reader);
            return adit_fault(-ENOMEM, "arena %s: no memory to encode a chunk", arena->name);
        }
        s->plan = plan;
        s->quads = NULL;
        s->quads_max = 0;
        arena->scratch[reader->pool_index] = s;
    }
    s->reader = reader;
    *out = s;
    return 0;
}

void adit_scratch_give_back(struct adit_arena *arena, struct adit_scratch *scratch)
{
    adit_rcu_give_back(arena, scratch->reader);
}

int adit_scratch_grow_quads(struct adit_scratch *scratch, uint32_t quads_max)
{
    if (scratch->quads_max >= quads_max)
        return 0;
    free(scratch->quads);
    scratch->quads = malloc((size_t)quads_max * sizeof *scratch->quads);
    scratch->quads_max = scratch->quads ? quads_max : 0;
    return scratch->quads ? 0 : adit_fault(-ENOMEM, "no memory for a mesh of %u quads", quads_max);
}

void adit_scratch_fini(struct adit_arena *arena)
{
    for (uint32_t i = 0; i < ADIT_POOL_MAX; i++) {
        if (!arena->scratch[i])
            continue;
        free(arena->scratch[i]->plan);
        free(arena->scratch[i]->quads);
        free(arena->scratch[i]);
        arena->scratch[i] = NULL;
    }
}
