/* cull.h - `adit run --kills N`: members of the crew are killed at random moments while they publish and read, and started again.
 *
 *     struct adit_cull cull = {.crew = &crew, .arena = observer, .producers = 2, .consumers = 2, .left = 300, .seed = 1};
 *     while (!adit_cull_is_over(&cull)) {
 *         adit_crew_pump(&crew, ADIT_CULL_TICK_MS);
 *         adit_cull_step(&cull);       before anybody asks the crew for its failures
 *     }
 *
 * Every third time it is the keeper, who serves the arena's name and recovers the dead. One member that is attached always stays, as an arena
 * that nobody is attached to is gone; this process only observes and keeps nothing alive.
 *
 * What a producer had published is in the arena whoever dies; the one that takes its place publishes its share anew, the same
 * voxels under higher numbers, so that the world is the same in the end.
 */
#ifndef ADIT_CULL_H
#define ADIT_CULL_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/crew.h"

#define ADIT_CULL_TICK_MS 1

struct adit_cull {
    struct adit_crew *crew;
    struct adit_arena *arena;      /* as an observer */
    uint32_t producers, consumers; /* the first members, told to go again; the next; then workers */
    uint64_t left;      /* kills to come */
    uint64_t seed;
    uint32_t lost;      /* members that were killed before they were done */
    uint32_t of_role[3], keepers; /* kills of producers, consumers, workers; of whoever was the keeper, among these */
    uint64_t next_ns;   /* when the next one is due */
    bool struck[ADIT_CREW_MAX]; /* killed, and not started again yet */
};

/* Starts again who has been killed, and kills the next one when it is time. 0, or a negative errno when one cannot be started. */
int adit_cull_step(struct adit_cull *cull);
/* All kills are done, and everybody is there again or done. */
bool adit_cull_is_over(const struct adit_cull *cull);

#endif
