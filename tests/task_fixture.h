/* task_fixture.h - what tests of tasks share beyond chunk_fixture.h: a task in, its end out. All end the process (parent, child, any thread) when that fails. */
#ifndef ADIT_TASK_FIXTURE_H
#define ADIT_TASK_FIXTURE_H

#include "tests/chunk_fixture.h"

/* So many threads for the queue. */
struct adit_pool *task_pool(struct adit_queue *queue, uint32_t workers);
/* Submits; returns the handle. */
uint64_t task_submit(struct adit_queue *queue, struct adit_task_spec spec);
/* Waits for its end, half a minute at most, and takes its result. */
struct adit_task_result task_take(struct adit_queue *queue, uint64_t task);
/* How far it is; 0: it is not there. */
enum adit_task_stage task_stage(const struct adit_queue *queue, uint64_t task);

/* A kind that does nothing, for struct adit_kind_params. */
int task_run_nothing(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes);

/* The path of an object of kinds of the tests' (tests/NAME.c), which lies beside this program. */
#define TASK_OBJECT_BYTES 4200u
void task_object(const char *name, char path[TASK_OBJECT_BYTES]);
/* Passes the test over where there are no pidfds (ADIT_DISABLE=pidfd). */
void task_skip_without_pidfds(void);
/* The parent of a process, 0 when there is none. */
uint32_t task_parent_of(uint32_t pid);

#endif
