/* path_task.c - instructions of a task that does nothing: submitted, claimed, run, committed and waited for by one thread, 32 at once. */
#include <errno.h>

#include "perf/count.h"
#include "runtime/kind_cost.h"
#include "runtime/worker.h"

#define BATCH 32u

static struct adit_arena *arena;
static struct adit_queue *queue;
static struct adit_worker worker;
static struct adit_kind_tally tally;
static uint32_t kind;

static int run_nothing(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run, (void)args, (void)result, (void)result_bytes;
    return 0;
}

static int open_task(uint64_t order)
{
    static const uint32_t never;
    static uint64_t no_wake;
    const struct adit_kind_params nothing = {.size = sizeof nothing, .name = "nothing", .run = run_nothing};
    const struct adit_queue_params q = {.size = sizeof q, .order = (uint32_t)order, .capacity = 1024};
    int error = count_arena_open(&arena);
    if (!error)
        error = adit_kind_register(arena, &nothing, &kind);
    if (!error)
        error = adit_queue_open(arena, "tasks", &q, &queue);
    if (!error)
        worker = (struct adit_worker){.queue = queue, .stop = &never, .wake_ns = &no_wake, .name = adit_worker_name(queue, 1), .tally = &tally, .times_next = true};
    return error;
}

static void close_task(void)
{
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static int run_batches(uint64_t n)
{
    struct adit_task_spec specs[BATCH];
    struct adit_task_result result = {.size = sizeof result};
    uint64_t tasks[BATCH];
    int error = 0;
    for (uint32_t i = 0; i < BATCH; i++)
        specs[i] = (struct adit_task_spec){.size = sizeof *specs, .kind = kind};
    for (uint64_t done = 0; done < n && !error; done += BATCH) {
        error = adit_submit_n(queue, specs, BATCH, tasks) == (int)BATCH ? 0 : -EAGAIN;
        for (uint32_t i = 0; i < BATCH && !error; i++)
            error = adit_worker_help(&worker) ? 0 : -ENOENT;
        for (uint32_t i = 0; i < BATCH && !error; i++)
            error = adit_wait(queue, tasks[i], 0, &result);
    }
    return error;
}

const struct count_path count_task[] = {
    {"task: submitted, run and taken, first in first out", 3200, ADIT_ORDER_FIFO, open_task, run_batches, close_task},
    {0},
};
