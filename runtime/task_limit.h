/* task_limit.h - how long a task may run: asked to stop at limit_ns, which its kind sees by adit_task_should_stop; its process killed at kill_ns, by a timer of the kernel's that sends
 * SIGKILL (timer_create(2)), so it need not be looked for, and a kind that loops with all signals blocked ends in time. Only a worker process is killed: it has one thread, and its
 * death takes nobody along. Recovery, which finds the task overdue, has it EXPIRED instead of trying it again. The time between the kernel's kill and the end is that of any worker's
 * death.
 */
#ifndef ADIT_TASK_LIMIT_H
#define ADIT_TASK_LIMIT_H

#include "runtime/worker.h"

/* The task of this worker, RUNNING by word, begins; returns when it is to stop, by its limits or the worker's ends_ns; 0: whenever it likes. A system call where it may be killed. */
uint64_t adit_task_limit_begin(struct adit_worker *w, struct adit_task_slot *t, uint64_t word);
/* Whether what begin was told can be kept: not where the kernel has no timer left for this worker process (RLIMIT_SIGPENDING, of a user's processes together). Such a task is not run. */
static inline bool adit_task_limit_holds(const struct adit_worker *w) { return !w->is_timed || w->has_killer; }
/* Its kind has returned status. Returns what that comes to: -ETIMEDOUT if it stopped because its time was over. */
int adit_task_limit_end(struct adit_worker *w, const struct adit_task_run *run, int status);
/* Whether the attempt of word, whose worker is dead, had begun and would have run for longer than it may by now. When a worker died is not known: one that died of something else before, and is
 * recovered only after the limit, is taken for one that reached it. A supervisor comes within milliseconds; a keeper, where the supervisor is gone, too, by the pidfd. */
bool adit_task_limit_is_over(const struct adit_task_slot *t, uint64_t word);

#endif
