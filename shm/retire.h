/* retire.h - giving blocks up, and freeing them once no section and no pin can see them.
 *
 *   adit_retire     PUBLISHED -> RETIRED(me), into this process's limbo          wait-free, no system call
 *   reclaimer       a thread of each producer (of a worker process once it has retired something): every few ms limbo -> batch, one grace period for the batch, then
 *                   pinned?  stays in the batch  :  RETIRED -> FREE
 *   detach          what is still pinned or watched becomes RETIRED(nobody), control.orphanings grows: any reclaimer adopts it
 *
 * Limbo and batch are private memory: they say only what the block words say too. If this process dies, its blocks are
 * RETIRED with an owner that is gone, and recovery adopts them as orphans.
 */
#ifndef ADIT_RETIRE_H
#define ADIT_RETIRE_H

#include "shm/arena.h"

/* Gives up a block that this process has just unlinked (its commit word names another now, or nothing). No-op when somebody
 * else retired it. Any thread, inside sections, too. */
void adit_retire(struct adit_arena *arena, uint64_t ref);
/* To be called outside sections after retiring: with much in limbo the caller reclaims, as the reclaimer cannot keep up. */
void adit_retire_help(struct adit_arena *arena);

/* One round by the caller: waits for a grace period (at most 20 ms) and frees what it covers. The caller is outside
 * sections. wait: also for another thread's round (at most 50 ms). 0; -EAGAIN: another thread is at it; -ETIMEDOUT: a reader
 * stays in its section, nothing was freed. */
int adit_reclaim(struct adit_arena *arena, bool wait);

/* The same for a producer that needs memory now: guests that are in the way get ADIT_GUEST_PATIENCE_NS, then they are ousted,
 * also by another thread's round that is under way. */
int adit_reclaim_now(struct adit_arena *arena, bool wait);

/* The reclaimer's making, its thread's start and its end, at attach and detach of producers. fini frees what it can and orphans the rest. */
int adit_reclaimer_init(struct adit_arena *arena);
int adit_reclaimer_start(struct adit_arena *arena);
/* For a process that attached bare: starts the thread when something waits in limbo. True: it has. */
bool adit_reclaimer_mind(struct adit_arena *arena);
/* In a child of fork(): what the parent has retired stays the parent's. */
int adit_reclaimer_forget(struct adit_arena *arena);
void adit_reclaimer_fini(struct adit_arena *arena);

#endif
