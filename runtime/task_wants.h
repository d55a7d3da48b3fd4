/* task_wants.h - where a task had better run, and how much memory it takes: what a worker looks at before it claims one that says so.
 *
 *     near a node      for who runs on one of that node's processors at that moment; of a node without any it says nothing
 *     near a worker    for the participant in that slot, while it has workers on this queue (at_work); else for anybody. Each process counts its own, of all its pools
 *     else             for anybody, once the task has waited its patience
 *
 *     memory           reserved[own] += bytes ; sum of all <= what this machine, or its cgroup, has ; what all reserved in the last second <= what is available now
 *                      yes: CAS to RUNNING ... committed ; reserved[own] -= bytes         no, or the CAS fails: reserved[own] -= bytes
 *
 * Two processes that reserve at once may both see too much, and leave it: they come again. A process that dies has its words zeroed by recovery, after which its tasks are others'. What is
 * reserved and not used yet cannot be told from what is: so what a process has reserved counts as not used for a second after its last reservation, then as used; that makes the second condition
 * more than a look at a moment. A worker that may not read /proc (a confined one, adit_pool_params.confine) goes by reservations alone, against what there was when it was confined. Processes of
 * different cgroups count one another's reservations.
 *
 * What was refused is not looked at again by this process for 10 ms, then for twice as long each time to 160 ms, unless a reservation ends.
 *
 * A task that waits for memory longer than ADIT_TASK_MEMORY_TURN_NS goes before others that want some and were submitted later, if it would fit once all reservations have ended: who sees it claims
 * none of those on the same round, so memory comes free for it.
 *
 * Whoever makes such a task QUEUED wakes all sleepers, whether one spins or not: each knows only what it can have itself. So no worker has to pass it on.
 */
#ifndef ADIT_TASK_WANTS_H
#define ADIT_TASK_WANTS_H

#include "runtime/task_queue.h"

#define ADIT_TASK_PATIENCE_NS 1000000u         /* default */
#define ADIT_TASK_MEMORY_LOOK_NS 10000000u     /* until what was refused is looked at again, */
#define ADIT_TASK_MEMORY_LOOK_MAX_NS 160000000u /* to that */
#define ADIT_TASK_MEMORY_TURN_NS 100000000u

/* -EINVAL, -ENOMEM: it wants what cannot be had. */
int adit_task_wants_check(const struct adit_queue *q, const char *kind, const struct adit_task_spec *spec);
/* Whether it wants anything. */
static inline bool adit_task_wants_any(const struct adit_task_spec *spec) { return spec->affinity || spec->memory_bytes; }
static inline bool adit_task_has_wants(const struct adit_task_slot *t)
{
    return __atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_HAS_WANTS; /* relaxed: advice, or the claim's CAS says whether it was that task's */
}
/* Stores them, before the task is visible. */
void adit_task_wants_set(const struct adit_queue *q, const struct adit_task_slot *t, const struct adit_task_spec *spec);

/* Whether this thread may claim the QUEUED task that says HAS_WANTS; then *reserved bytes are, until adit_task_wants_release. Else the cursor knows when to look again. */
bool adit_task_wants_suit(const struct adit_queue *q, struct adit_task_cursor *c, const struct adit_task_slot *t, uint64_t *reserved);
void adit_task_wants_release(const struct adit_queue *q, uint64_t reserved);

/* One more of this participant's workers is on the queue, or one of them no more. From the first on what is near it waits for it; after the last that is anybody's, and all who sleep are woken. Any
 * thread; waits for others that do the same, or reserve. */
void adit_task_at_work(const struct adit_queue *q, bool is_so);
/* The participant in slot is gone from all queues, and all that it had reserved, and who slept because of it is woken; or begins. */
void adit_task_wants_forget(struct adit_arena *arena, uint32_t slot);

#endif
