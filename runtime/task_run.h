/* task_run.h - a task run now, by whoever has it done sooner: this thread, or a worker (adit_run of adit_tasks.h).
 *
 *     here   FILLING -> RUNNING by this thread, kind, commit: a task like any other from its first word to its last, so a death finds it RUNNING by the dead, and a worker runs it
 *     there  FILLING -> QUEUED, a worker, DONE; this thread waits
 *
 *     expected here  = in_place[class of the work]                             what is not measured: as the other side says, or the kind's guess
 *     expected there = by_worker[class] + handover[how workers stand now]
 *
 * Each is a median of what was measured (kind_cost.h), so which is less is soon known, and no outlier changes it. The way that is not taken would never be measured again: so it is
 * taken once what was spent in the class since it was last tried is 64 times what it is expected to cost more. That is a sixty-fourth of the time at most, however dear it is, and where
 * both cost the same each is measured often. A figure that is far beyond what this process has seen counts as 16 times the other at most, and one that was twice the truth is tried
 * again at once: so damaged ones are learned away.
 *
 * Who has handed a task over and sees it QUEUED still after so long as a hand-over might take, and after so long as running it there was expected to save, claims it itself, by
 * the compare-and-swap of any worker: so a pool that is busy, stopped or gone costs twice the better choice at most (as with spinning, see worker.c), and without any pool adit_run works.
 */
#ifndef ADIT_TASK_RUN_H
#define ADIT_TASK_RUN_H

#include "runtime/task_queue.h"

enum adit_way { ADIT_WAY_BEST, ADIT_WAY_HERE, ADIT_WAY_HERE_NOW /* -EAGAIN instead of waiting for room */, ADIT_WAY_THERE };

/* Whether HERE would be here: this process runs its kind, and nothing says that it must not begin on this thread now. */
bool adit_run_can_be_here(const struct adit_arena *arena, const struct adit_task_spec *spec);

/* adit_run, by one way if it can be: HERE is THERE for what this thread cannot run, or must not before others end. HERE and THERE are for who compares. */
int adit_run_by(struct adit_queue *queue, const struct adit_task_spec *spec, uint64_t timeout_ns, enum adit_way way, struct adit_task_result *result);

#endif
