/* reach.h - which dirty chunks a foreman (foreman.h) takes, of a dispatcher that has one for each node: those at home with it, and of others' what they do not get to.
 *
 *     adit_reaches_init(reaches, arena, nodes, workers, n)       of all foremen together
 *     while walking over what is dirty:
 *         adit_reach_is_own(reach, arena, index) ? list : adit_reach_pass(&passed, ...)
 *     nothing listed: n = adit_reach_steal(reach, arena, &passed, may_take, user, list, n_max)
 *
 * A chunk is at home with the foremen nearest to the memory of its current version; without a version in data segments, with everybody. Stolen is what lies on one node, of those that have work left over the nearest
 * to the thief; half of what is left over where:
 *
 *     more wait than 4 a worker there, and have waited for 200 us: so nobody steals while its own foreman wakes
 *     or they have waited for 100 ms: its foreman is stopped, or has no processor
 *
 * What is stolen is meshed as before, over the link; its mesh goes where meshes of that chunk go (placement.h). All of it is advice: that a chunk is meshed once is the claim's to see (dirty.h).
 */
#ifndef ADIT_REACH_H
#define ADIT_REACH_H

#include "runtime/placement.h"

#define ADIT_REACH_LOOK_NS 500000u /* who has passed others' chunks looks again after so long */

struct adit_reach {
    uint32_t segment;                    /* from which near and far are told */
    uint32_t homes;                      /* bits, by segment: at home here; 0: all are, as there is one foreman */
    uint16_t workers[ADIT_SEGMENTS_MAX]; /* by segment: of all foremen of this dispatcher with whom its chunks are at home */
};

/* Others' chunks that a walk came past, at which nobody was. */
struct adit_reach_passed {
    uint32_t n[ADIT_SEGMENTS_MAX]; /* by segment */
    bool is_any;
};

/* For foremen on nodes[0..n-1], each with so many workers. One of them reaches everything. */
void adit_reaches_init(struct adit_reach *reaches, const struct adit_arena *arena, const int32_t *nodes, const uint32_t *workers, uint32_t n);

static inline bool adit_reach_is_own(const struct adit_reach *reach, const struct adit_arena *arena, uint32_t index)
{
    uint32_t segment = reach->homes ? adit_placement_segment(arena, adit_load_relaxed(&arena->entries[index].current)) : 0; /* relaxed: advice */
    return !segment || reach->homes >> segment & 1;
}

/* Counts one that is not. */
static inline void adit_reach_pass(struct adit_reach_passed *passed, const struct adit_arena *arena, uint32_t index)
{
    passed->n[adit_placement_segment(arena, adit_load_relaxed(&arena->entries[index].current))]++; /* relaxed: advice */
    passed->is_any = true;
}

/* Lists what may be stolen now, n_max at most (and ADIT_OFFERS_MAX), of those for which may_take (nobody has offered them) holds, what viewers see first to begin with (survey.h); returns how many. */
uint32_t adit_reach_steal(const struct adit_reach *reach, struct adit_arena *arena, const struct adit_reach_passed *passed, bool (*may_take)(void *user, uint32_t index), void *user, uint32_t *list, uint32_t n_max);

#endif
