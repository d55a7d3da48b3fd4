/* recover.h - taking over what a dead participant left: the order of things. The parts stand where their protocols stand.
 *
 *   step                                                       why then
 *   1 participant word -> DEAD                                 from here on every keeper goes on with it
 *   2 intents: told again, the replaced block retired          its sections still hold the grace periods up (publish.h)
 *   3 reader slots                  (shm/salvage.h)            reclaiming goes on from here
 *   4 work claims, watches, materials, rings                   5 frees what they let go of
 *   5 block words                   (shm/salvage.h)            after 2, which may have left some to nobody
 *   6 pins                          (shm/salvage.h)
 *     and what it counted in        (shm/metrics.h)            what it has counted stays
 *   7 participant word -> FREE                                 nothing names the dead any more
 *
 * Every step may be cut off and made again, by this process or the next keeper, from 1 on: what is done leaves nothing to do. Not
 * one of them waits for another process. A participant is recovered by the holder of the keeper's lock only (keeper.h).
 */
#ifndef ADIT_RECOVER_H
#define ADIT_RECOVER_H

#include "shm/shm.h"

/* Recovers the participant in slot, whose process is known to run no more. 0, also when the slot is free; -ENOMEM, or
 * -ETIMEDOUT (a stopped process holds the lock of rings' names): nothing is lost, call again. Blocks for a walk over the store and over the block words of the arena: some ms for each GiB. */
int adit_recover_participant(struct adit_arena *arena, uint32_t slot);

/* Recovers every participant that /proc says is gone. *recovered: how many. As above. */
int adit_recover_all(struct adit_arena *arena, uint32_t *recovered);

#endif
