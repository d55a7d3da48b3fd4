/* supervisor.h - the thread of an application's process that keeps a pool's worker processes: so many at work, so many standing by, whoever dies.
 *
 *      zygote --fork--> WARMING --> READY (standby, parked) --go--> at work --ask--> TERMINATING --> TERMINATED --> seat empty
 *                                        ^                            |
 *                                        +--- a worker has died: ------+ its task is QUEUED again, a standby goes to work (by itself, if it is ready:
 *                                        +--- more shall be at work: --+ worker_life.c), another is forked
 *                                        +--- a worker is worn: -------+ it ends after its task
 *
 * How many shall be at work is asked from outside (resize), and answered when they are there: the pool's opening is the first such question. What is known of each
 * stands in seats.h, which says how deaths are known. Where the kernel cannot wait for many words (futex_waitv, Linux 5.16), they are known by the zygote's waitpid: as
 * late as by the pidfd.
 */
#ifndef ADIT_SUPERVISOR_H
#define ADIT_SUPERVISOR_H

#include "runtime/task_queue.h"

struct adit_supervisor;

/* Starts the supervisor of a pool on queue and blocks until so many processes are at work. *queue stays until close. Errors as adit_pool_open. */
int adit_supervisor_open(const struct adit_queue *queue, const struct adit_pool_params *params, uint32_t processes, struct adit_supervisor **out);
/* Asks all to end, blocks until they have. NULL is fine. */
void adit_supervisor_close(struct adit_supervisor **supervisor);

/* Has n processes at work; returns how many. More: blocks until they are, 2 s at most; those that are there by then stay, if more are than before, else -ETIMEDOUT or why one could not
 * begin (adit_detail), and as many as before shall be there. Less: those that wait for tasks, else any, end after the task that each is at; does not block. By one thread at a time. */
int adit_supervisor_resize(struct adit_supervisor *supervisor, uint32_t n);
/* How many shall be at work, and how many of them run tasks; how many tasks all have run. Any thread. */
void adit_supervisor_load(const struct adit_supervisor *supervisor, uint32_t *processes, uint32_t *busy);
uint64_t adit_supervisor_tasks(const struct adit_supervisor *supervisor);
/* The kinds that they run, a bit each. Any thread. */
uint64_t adit_supervisor_kinds(const struct adit_supervisor *supervisor);

/* Adds what it knows. */
void adit_supervisor_look(struct adit_supervisor *supervisor, struct adit_pool_stats *stats);
int adit_supervisor_look_at(const struct adit_supervisor *supervisor, uint32_t index, struct adit_worker_info *info);

#endif
