/* crashbench.h - what crash points of tasks share: a kind, a queue of the case's shape, tasks of the host, a child that is a worker and a submitter, judges that run what is left.
 *
 * A task's value is its argument, and its square, twice, its result. Values 1 to hosts_n are the host's; those of the child begin at CRASH_FIRST. */
#ifndef ADIT_CRASHBENCH_H
#define ADIT_CRASHBENCH_H

#include "runtime/worker.h"
#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

#define CRASH_FIRST 20u
#define CRASH_FAILS 40u /* from here on the first attempt of a value fails */
#define CRASH_FILLER 60u
#define CRASH_VALUES 64u
#define CRASH_WORDS 200u /* of a buffer: a kind adds its value to each */

extern const struct adit_queue_params crash_fifo, crash_levels; /* of 32, and of five levels of 4 */

extern struct crash_bench {
    const struct adit_queue_params *shape; /* this, hosts_n and steps_n are of the case: set before anything is forked for it */
    uint32_t hosts_n, steps_n;             /* tasks of the host; how often the child runs one */
    uint32_t *done;                        /* shared: operations of the child that have returned */
    uint32_t kind;
    struct adit_queue *queue;   /* the child's */
    struct adit_worker worker;  /* this process as one */
    struct adit_task_spec specs[CRASH_VALUES]; /* the child's */
    uint32_t ran[CRASH_VALUES]; /* how often this process ran each value */
} bench;

/* 0: live, 1: copy. */
uint32_t crash_bench_which(const struct adit_arena *arena);
struct adit_task_spec crash_bench_spec(uint32_t value);
uint64_t crash_bench_submit(struct adit_queue *q, struct adit_task_spec spec);
/* Makes this process know kind and queue, and a worker. */
void crash_bench_know(struct adit_arena *arena, struct adit_queue **q);

/* For prepare: a queue of that shape, to be closed; the same with values 1 to n submitted, which the child runs. */
struct adit_queue *crash_bench_begin(struct adit_arena *arena, const struct adit_queue_params *shape, uint32_t hosts_n, uint32_t steps_n);
void crash_bench_prepare(struct adit_arena *arena, const struct adit_queue_params *shape, uint32_t n);
void crash_bench_two_wait(struct adit_arena *arena);

/* For the child: set_up; what it does. */
void crash_bench_attach(void *user);
void crash_bench_attach_and_know(void *user);
void crash_bench_work(void *user);
/* At the end of an operation that is judged by *done: deaths after it, too. */
void crash_bench_outlive(void);

/* For judges. The verdict is NULL or what is wrong. */
struct adit_queue *crash_bench_judge(struct adit_arena *arena);
/* Runs all there is to run. */
void crash_bench_drain(const struct adit_queue *q);
/* Submits as many as go into a level; UINT32_MAX: another error. */
uint32_t crash_bench_fill_up(struct adit_queue *q, enum adit_priority priority);
/* When all results have been taken: all slots are free, and later tasks come through the whole capacity. Closes the queue. */
const char *crash_bench_flows(struct adit_queue *q);
/* Whether the task of value at a position of level NORMAL, or of the only one, has ended as wanted; takes it. The second: all of the host's. */
const char *crash_bench_took(struct adit_queue *q, uint64_t position, uint64_t value, enum adit_task_end end);
const char *crash_bench_took_hosts(struct adit_queue *q);
/* What the child had committed runs no more, and all of the host's are done. */
const char *crash_bench_all_committed_once(struct adit_arena *arena);

#define CRASH_TASK_CASE(what, begin, do_it, met, before, after) \
    {.op = {.name = what, .set_up = begin, .run = do_it, .functions = met}, .prepare = before, .judge = after}

#endif
