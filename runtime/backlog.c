/* backlog.c - how far meshing is behind, for producers (adit_backlog in adit.h). */
#include <errno.h>

#include "runtime/adit.h"
#include "runtime/dirty.h"
#include "runtime/params.h"

#define OLDEST_OF 256u        /* dirty chunks that are asked how long they have waited */
#define INTERVAL_NS 5000000u  /* of which a rate is made, or more */
#define STALLED_NS 2000000000u /* that something waits and nothing is meshed: then what a mesh took before says nothing of now */

static uint64_t meshed_by_all(const struct adit_arena *arena)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < arena->participants_max; i++)
        if (adit_part_state(adit_load_relaxed(&arena->participants[i].word)) != ADIT_PART_FREE)
            sum += adit_load_relaxed(&arena->participants[i].meshed); /* relaxed: figures */
    return sum;
}

static uint64_t oldest(const struct adit_arena *arena, uint64_t now)
{
    struct adit_bitset dirty = adit_dirty_set(arena);
    uint64_t most = 0;
    uint32_t cursor = 0, index, first = 0;
    for (uint32_t i = 0; i < OLDEST_OF && adit_bitset_find(&dirty, &cursor, &index); i++) {
        if (i && index <= first)
            break; /* once around */
        first = i ? first : index;
        uint64_t since = adit_dirty_since(arena, index);
        most = now > since && now - since > most ? now - since : most;
    }
    return most;
}

/* What one mesh took, of all who mesh, while something waited: from looks of this process that found something waiting, two in a row. */
static uint64_t each_ns(struct adit_arena *arena, uint64_t now, uint32_t dirty)
{
    struct adit_rate *r = &arena->meshing;
    pthread_mutex_lock(&r->lock);
    if (now - r->at_ns >= INTERVAL_NS) {
        uint64_t meshed = meshed_by_all(arena), n = meshed - r->count;
        if (r->has_waited && dirty && meshed > r->count) /* less than before: somebody who had meshed has left, or died */
            r->each_ns = (now - r->at_ns) / n;
        r->stalled_ns = r->has_waited && dirty && meshed <= r->count ? r->stalled_ns + (now - r->at_ns) : 0;
        if (r->stalled_ns > STALLED_NS)
            r->each_ns = 0;
        r->at_ns = now;
        r->count = meshed;
        r->has_waited = dirty;
    }
    uint64_t each = r->each_ns;
    pthread_mutex_unlock(&r->lock);
    return each;
}

int adit_backlog(struct adit_arena *arena, struct adit_backlog *out)
{
    int error = adit_params_check("adit_backlog", out->size, sizeof *out);
    if (error)
        return error;
    if (!arena->dirty)
        return adit_fault(-EROFS, "arena %s: a guest does not see what is to be meshed", arena->name);
    struct adit_bitset working = adit_working_set(arena);
    uint64_t now = adit_clock_ns();
    *out = (struct adit_backlog){.size = sizeof *out, .dirty = adit_dirty_count(arena), .in_work = adit_bitset_count(&working)};
    out->oldest_ns = out->dirty ? oldest(arena, now) : 0;
    out->each_ns = each_ns(arena, now, out->dirty);
    uint64_t by_rate = out->each_ns < UINT64_MAX / (out->dirty + 1) ? out->each_ns * out->dirty : UINT64_MAX;
    out->clear_ns = by_rate > out->oldest_ns ? by_rate : out->oldest_ns;
    return 0;
}
