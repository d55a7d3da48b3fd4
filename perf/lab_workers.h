/* lab_workers.h - what scenes with worker processes share: the kinds that these load (worker_stamp.c), a moment when one is at a task and another stands by, and what the
 * kernel needs to tell of a death. */
#ifndef PERF_LAB_WORKERS_H
#define PERF_LAB_WORKERS_H

#include <stdint.h>

#include "runtime/adit.h"

struct adit_robust;

void lab_nap_ms(uint32_t ms); /* below 1,000 */

/* For adit_pool_params: the object of worker_stamp.c beside this program. Not for two threads at once. */
const char *const *lab_workers_objects(void);

/* Waits until a worker process is at the task and has told of some progress, and a standby is there. Its pid; or -ETIMEDOUT after some 20 s. */
int lab_workers_wait(const struct adit_queue *queue, const struct adit_pool *pool, uint64_t task);

/* Nanoseconds from the kill of a process that holds the robust word, in memory shared with children, until a thread that waits for the word runs: like a supervisor,
 * it is not the killer. A negative errno when that could not be tried. */
double lab_notice_of_kill(struct adit_robust *word);

#endif
