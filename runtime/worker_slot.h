/* worker_slot.h - the table of worker processes in the arena: whose each is, what it is at, and which moves from state to state are legal.
 *
 *      COLD --> WARMING --> READY <--> BUSY           README.md has the table of who makes which move
 *        ^         |          ^ \        |
 *        |         v          |  \       v
 *      TERMINATED <-- any     +---\-- CLEANING
 *                 \________________\      |
 *                  TERMINATING <----+-----+
 */
#ifndef ADIT_WORKER_SLOT_H
#define ADIT_WORKER_SLOT_H

#include "runtime/adit.h"
#include "shm/shm.h"

#define ADIT_WORKER_LABEL "worker of " /* a worker process is known by, as a participant; its zygote's pid follows */

/* Whether a worker may go from one state to the other: the table. */
bool adit_worker_may_move(enum adit_worker_life from, enum adit_worker_life to);
/* Makes the move, if it is legal from the state that slot is in; false: it is not, and nothing has changed. By whoever the table names. Lock-free. */
bool adit_worker_move(struct adit_worker_slot *slot, enum adit_worker_life to);
/* The same from word alone; false also when the slot says something else by now. */
bool adit_worker_move_from(struct adit_worker_slot *slot, uint64_t word, enum adit_worker_life to);

/* Takes a slot that is COLD, or whose pool, worker and zygote are all gone, for a worker of this participant's that zygote will fork (0: it is a zygote
 * itself): WARMING. NULL: none is left. */
struct adit_worker_slot *adit_worker_slot_claim(struct adit_arena *arena, uint32_t zygote);

/* Whether the thread of a worker that has begun holds its slot still. */
bool adit_worker_is_held(const struct adit_worker_slot *slot);
/* Whether it has ended without leaving in order, and what of it is needed to take its place. */
struct adit_worker_dead {
    uint32_t generation, owner, pid;
    uint64_t task; /* that it ran last */
};
bool adit_worker_has_died(const struct adit_worker_slot *slot, struct adit_worker_dead *dead);
/* Makes a look for adit_futex_wait_any that the kernel ends when that thread does. False: it has ended already. */
bool adit_worker_watch(struct adit_worker_slot *slot, struct adit_futex_look *look);
/* Whoever is the first to say so gives back what the dead worker ran, and sees to it that somebody takes its place: a standby itself, or the supervisor. */
bool adit_worker_inherit(struct adit_worker_slot *slot, const struct adit_worker_dead *dead, uint32_t heir);

/* Whether the process of a participant's word, which the caller holds by a descriptor by now, is the worker that slot and participant tell of. What stands in the arena anybody there may have written; the start
 * time is compared with the kernel's, so a number that has become another process's is not taken for it. */
bool adit_worker_is(const struct adit_worker_slot *slot, const struct adit_participant *p, uint64_t word);
/* Ends the process of a worker that has begun, or has threads left: by SIGKILL, once it is held by a descriptor and is what its slot, its participant and the kernel name alike, so no other process is meant.
 * -ESRCH: there is none, or it cannot be made sure of; where there are no pidfds it never can. */
int adit_worker_kill(const struct adit_arena *arena, const struct adit_worker_slot *slot);

/* Has the supervisor that waits at bell look. A system call. */
void adit_worker_ring(uint32_t *bell);

#endif
