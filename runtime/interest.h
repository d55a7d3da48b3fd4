/* interest.h - what is seen first is meshed first: viewers (adit_viewer_open), and how soon a chunk is needed because of them.
 *
 *     struct adit_interest seen;
 *     adit_interest_look(arena, &seen);                     a copy of all viewers, some 20 ns each
 *     rank = adit_interest_rank(&seen, packed, waited_ns)   less is sooner
 *
 * Rank is a distance in chunks of the chunk's level of detail, so a chunk of level 3 that is eight times as far ranks alike. Of several viewers the nearest counts.
 *
 *     within the radius       distance, to 255; behind the viewer twice of it and 2
 *     beyond it               256 more: after all that is within
 *     in no viewer's world    511
 *     having waited           (since it was due) less by one a 4 ms, below 0 as well: so after 2 s it goes before whatever is near and has come just now, and of what has waited for long the nearest is still the first. What changes on and on near a
 *                             viewer is meshed and begins anew: nothing waits longer than the backlog takes and 2 s
 *
 * How often: the mesh of a chunk that only viewers with frames see is due again a quarter of a frame before the next frame of one of them begins,
 *
 *     frame        |             |             |
 *     edits        x x x x x x x x x x x x x x x x
 *     meshes       m         m             m           the first at once; then the last state before each frame
 *
 * or, where it is not known when frames begin, a frame after the last one; what none of them sees a tenth of a second after. Where somebody who is no viewer watches meshes, each change is meshed at once. Who has made a mesh writes that into the chunk's entry (due_ns), and no
 * walk over what is dirty (dirty.h) comes to it before, unless who looks now would see it sooner; who waits for something to do waits until then. What is not due does not wait: neither ranks, nor what is taken from others, nor the backlog of producers count that time.
 *
 * A viewer's place is written by its thread word by word while others read it: a mixture of two places is between them, or for a moment somewhere else, which costs an order and nothing more.
 *
 * A slot:  FREE -> SETTING (owner: CAS) -> ACTIVE -> FREE (then owner: 0). If the process dies in between, recovery frees it. What others find in it is advice: whatever lies there, ranks are numbers.
 */
#ifndef ADIT_INTEREST_H
#define ADIT_INTEREST_H

#include "runtime/adit.h"
#include "shm/shm.h"

#define ADIT_RANK_BEYOND 256u /* chunks */
#define ADIT_RANK_PARTS 16u   /* of a chunk: what ranks are counted in */
#define ADIT_RANK_MAX (2 * (int32_t)ADIT_RANK_BEYOND * (int32_t)ADIT_RANK_PARTS)
#define ADIT_RANK_AGED (1 << 30) /* three days; what has waited longer ranks as that */

/* A viewer as it was at a look; in voxels. */
struct adit_interest_viewer {
    float at[3], toward[3]; /* toward: of length 1, or 0 */
    float radius;           /* voxels */
    uint8_t world;
    uint64_t frame_ns, frame_at_ns; /* as struct adit_viewer_place; frame_ns to ADIT_FRAME_LONGEST */
};
struct adit_interest {
    uint32_t n;
    struct adit_interest_viewer viewer[ADIT_VIEWERS_MAX];
};

/* Copies the viewers there are. Any thread, wait-free. */
void adit_interest_look(const struct adit_arena *arena, struct adit_interest *seen);
/* How many there may be: 0, nobody has ever opened one. One load. */
static inline uint64_t adit_interest_high(const struct adit_arena *arena) { return adit_load_relaxed(&arena->control->viewers_high); }

/* Whether that owner has a viewer. Some ns a viewer there is. */
bool adit_interest_has(const struct adit_arena *arena, uint32_t owner);

/* See above; in ADIT_RANK_PARTS of a chunk, below ADIT_RANK_MAX. Pure. */
int32_t adit_interest_rank(const struct adit_interest *seen, uint64_t packed, uint64_t waited_ns);

/* When a chunk meshed at now_ns is to be meshed again at the soonest: after now_ns, and by ADIT_FRAME_LONGEST at most; 0: as soon as it changes, as somebody sees it who looks all the time, or nobody is in its world. Pure. */
uint64_t adit_interest_due(const struct adit_interest *seen, uint64_t packed, uint64_t now_ns);

/* By how many voxels the chunk lies beyond the radius of a viewer: of the one to which it is least; up to 0: within. Of its level, as rank. Infinite where nobody is in its world. Pure. */
float adit_interest_beyond(const struct adit_interest *seen, uint64_t packed);

/* How far the chunk is from the nearest viewer, wherever it looks: in chunks of its level, below ADIT_RANK_BEYOND; as much more where it lies beyond the radius. Of several viewers the least. Infinite where nobody is in its world. Pure. */
float adit_interest_distance(const struct adit_interest *seen, uint64_t packed);

/* Frees the slots of an owner: one that has died, or that leaves. */
void adit_viewers_recover(struct adit_arena *arena, uint32_t owner);

#endif
