/* scene_limit.c - a task that heeds nothing is ended: by its kill_ns, and by adit_cancel_now. From when it should have ended until who waits for it has its result; beside what
 * the kernel needs to tell of any kill. A worker process with a standby; a median is of blocks of one task, a 99th percentile the median of those of blocks of 32. */
#include <errno.h>
#include <stdio.h>

#include "perf/lab_arena.h"
#include "perf/lab_stats.h"
#include "perf/lab_workers.h"
#include "perf/partner.h"
#include "perf/scenes.h"
#include "shm/shm.h"

#define MANY 32u
#define KILL_NS 8000000u /* so long that it is seen to run before it ends */
#define WAIT_NS 5000000000u

struct ends {
    struct adit_arena *arena;
    struct adit_queue *queue;
    struct adit_pool *pool;
    struct adit_robust *raw; /* shared with the children of the raw side */
    uint32_t deaf;
    double percentile;
};

static int submit(const struct ends *e, uint64_t kill_ns, uint64_t *task)
{
    static const uint64_t nothing;
    return adit_submit(e->queue, &(struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = e->deaf, .args = &nothing, .args_bytes = 8, .kill_ns = kill_ns}, task);
}

static bool has_standby(const struct ends *e)
{
    struct adit_pool_stats stats = {.size = sizeof stats};
    return !adit_pool_look(e->pool, &stats) && stats.standbys && stats.processes;
}

static double over_limit(const struct ends *e)
{
    struct adit_task_result result = {.size = sizeof result};
    struct adit_task_info info = {.size = sizeof info};
    uint64_t task;
    for (uint32_t i = 0; i < 5000 && !has_standby(e); i++)
        lab_nap_ms(1);
    lab_nap_ms(3); /* for it to have parked */
    uint64_t from = adit_clock_ns();
    int error = submit(e, KILL_NS, &task);
    for (uint32_t i = 0; i < 5000 && !error && info.progress < from; i++) { /* what is there before it runs is another task's */
        lab_nap_ms(1);
        error = adit_task_look(e->queue, task, &info);
    }
    if (!error)
        error = adit_wait(e->queue, task, WAIT_NS, &result);
    uint64_t now = adit_clock_ns();
    double over = (double)(now - info.progress) - KILL_NS; /* the limit counts from a moment before its first instruction */
    return error ? error : result.end != ADIT_ENDED_EXPIRED ? -EPROTO : over > 1 ? over : 1;
}

static double over_call(const struct ends *e)
{
    struct adit_task_result result = {.size = sizeof result};
    uint64_t task;
    int error = submit(e, 0, &task), victim = error ? error : lab_workers_wait(e->queue, e->pool, task);
    if (victim < 0)
        return victim;
    lab_nap_ms(3);
    uint64_t from = adit_clock_ns();
    error = adit_cancel_now(e->queue, task);
    if (!error)
        error = adit_wait(e->queue, task, WAIT_NS, &result);
    return error ? error : result.end != ADIT_ENDED_CANCELLED ? -EPROTO : (double)(adit_clock_ns() - from);
}

static double over_notice(const struct ends *e) { return lab_notice_of_kill(e->raw); }

static double percentile_of(const struct ends *e, double (*one)(const struct ends *e))
{
    double sample[MANY];
    size_t count = e->percentile > 0.5 ? MANY : 1;
    for (size_t i = 0; i < count; i++) {
        sample[i] = one(e);
        if (sample[i] < 0)
            return sample[i];
    }
    stats_sort(sample, count);
    return stats_percentile(sample, count, e->percentile);
}

static double limit_block(void *context, uint64_t rounds)
{
    (void)rounds;
    return percentile_of(context, over_limit);
}
static double call_block(void *context, uint64_t rounds)
{
    (void)rounds;
    return percentile_of(context, over_call);
}
static double notice_block(void *context, uint64_t rounds)
{
    (void)rounds;
    return percentile_of(context, over_notice);
}

static int measure(struct bench *bench, struct ends *e, const char *what, bench_block *block)
{
    static const double percentiles[] = {0.5, 0.99};
    int error = 0;
    for (uint32_t i = 0; i < 2 && !error; i++) {
        char name[64];
        e->percentile = percentiles[i];
        snprintf(name, sizeof name, "%s, p%.0f", what, percentiles[i] * 100);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .rounds_max = 1, .goal = {GOAL_MEDIAN, 1000}, .ours = {what, block, e},
                                                          .raw = {"robust notice", notice_block, e}});
    }
    return error;
}

static int open_all(struct bench *bench, struct ends *e)
{
    char name[LAB_ARENA_NAME_BYTES];
    const struct adit_kind_params deaf = {.size = sizeof deaf, .name = "deaf", .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 8};
    const struct adit_pool_params pool = {.size = sizeof pool, .processes = 1, .objects = lab_workers_objects()};
    e->raw = partner_memory_create(sizeof *e->raw);
    int error = e->raw ? bench_unpin(bench->machine) : -ENOMEM;
    lab_arena_name(name);
    if (!error)
        error = lab_arena_create(bench, name, NULL, &e->arena);
    if (!error)
        error = adit_kind_register(e->arena, &deaf, &e->deaf);
    if (!error)
        error = adit_queue_open(e->arena, "limits", NULL, &e->queue);
    return error ? error : adit_pool_open(e->queue, &pool, &e->pool);
}

static int run(struct bench *bench)
{
    static struct ends e;
    int error = open_all(bench, &e);
    if (!error)
        error = measure(bench, &e, "beyond kill_ns until it has EXPIRED", limit_block);
    if (!error)
        error = measure(bench, &e, "adit_cancel_now until it has ended", call_block);
    if (error)
        fprintf(stderr, "perf-lab: limit: %s\n", adit_detail());
    adit_pool_close(&e.pool);
    adit_queue_close(&e.queue);
    adit_detach(&e.arena);
    return error;
}

const struct scene scene_limit = {
    .name = "limit",
    .what = "a task that heeds nothing, ended by kill_ns and by adit_cancel_now: until who waits has its result",
    .unit = "us",
    .goal = "p99 1 ms",
    .cpus = 2,
    .run = run,
};
