/* scene_batch.c - many tasks that last: how evenly workers share durations that differ by orders of magnitude, and how soon a batch of 10^6 is cancelled.
 *
 * Durations are Pareto(1.5) from 10 us on, of a fixed seed; a task spins by the clock, and how long it was at it is counted, so a worker without a CPU does not fall behind
 * in its tasks: what is measured is how they are dealt out. Each run gives two figures: its makespan beside max(sum / workers, longest) of what the tasks took, which no
 * schedule can beat, and how much longer than the mean the busiest worker was in tasks. A worker on each CPU of the pair. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perf/lab_arena.h"
#include "perf/scenes.h"

#define WORKERS 2u
#define TASKS 8000u
#define TASKS_SHORT 2000u
#define RUNS 24u
#define RUNS_SHORT 6u
#define SHORTEST_NS 10000.0
#define SHAPE 1.5
#define MANY 1000000u /* of a batch that is cancelled */
#define BEFORE_NS 3000000 /* until it is */
#define FAILS_AT 1000u

static struct busy {
    double ns, longest; /* w: its thread */
    uint64_t pad[14];
} busy[4 * WORKERS]; /* threads of pools that were closed have places, too */
static uint32_t busy_n;
static _Thread_local struct busy *my_busy;
static double stopped_at_ns; /* when a batch that is to end was told so */
static uint32_t stop;

struct batches {
    struct adit_arena *arena;
    struct adit_queue *queue;
    struct adit_pool *pool[WORKERS];
    uint32_t lasting, failing, n;
    double *ns; /* of the tasks */
    uint64_t *task;
};

static int run_lasting(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    double ns, from = clock_now_ns(), now = from;
    (void)run;
    (void)result;
    (void)result_bytes;
    if (!my_busy)
        my_busy = &busy[__atomic_fetch_add(&busy_n, 1, __ATOMIC_RELAXED) % (sizeof busy / sizeof *busy)];
    memcpy(&ns, args, sizeof ns);
    while (now - from < ns)
        now = clock_now_ns();
    my_busy->ns += now - from;
    my_busy->longest = now - from > my_busy->longest ? now - from : my_busy->longest;
    return 0;
}

/* The one that is told to fails, and says when. */
static int run_failing(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    double until = clock_now_ns() + SHORTEST_NS, fails;
    (void)run;
    (void)result;
    (void)result_bytes;
    memcpy(&fails, args, sizeof fails);
    while (clock_now_ns() < until) {
    }
    if (fails > 0)
        stopped_at_ns = clock_now_ns();
    return fails > 0 ? -EIO : 0;
}

/* ---- Pareto ---- */

static void draw(struct batches *b)
{
    uint64_t seed = 0x9e3779b97f4a7c15u;
    for (uint32_t i = 0; i < b->n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        b->ns[i] = SHORTEST_NS * pow(((double)(seed >> 11) + 0.5) * 0x1p-53, -1 / SHAPE);
    }
}

static int map_all(struct batches *b)
{
    const struct adit_batch_params p = {.size = sizeof p, .kind = b->lasting};
    return adit_map(b->queue, &p, &(struct adit_map_items){.n = b->n, .args = b->ns, .args_stride = sizeof *b->ns, .args_bytes = sizeof *b->ns}, NULL);
}

/* Each submitted by itself, all before the first is waited for. */
static int submit_all(struct batches *b)
{
    struct adit_task_spec spec = {.size = sizeof spec, .kind = b->lasting, .args_bytes = sizeof *b->ns};
    struct adit_task_result result = {.size = sizeof result};
    int error = 0;
    for (uint32_t i = 0; i < b->n && !error; i++) {
        spec.args = &b->ns[i];
        error = adit_submit(b->queue, &spec, &b->task[i]);
    }
    for (uint32_t i = b->n; i > 0 && !error; i--) /* who waits for each in turn takes a worker's CPU each time */
        error = adit_wait(b->queue, b->task[i - 1], ADIT_FOR_EVER, &result);
    return error;
}

/* What a run came to, and forgets it: the busiest worker's time over the mean; what no schedule could beat. */
static void sum_up(double *uneven, double *bound)
{
    double most = 0, sum = 0, longest = 0;
    for (uint32_t i = 0; i < sizeof busy / sizeof *busy; i++) {
        sum += busy[i].ns;
        most = busy[i].ns > most ? busy[i].ns : most;
        longest = busy[i].longest > longest ? busy[i].longest : longest;
        busy[i].ns = busy[i].longest = 0;
    }
    *uneven = most * WORKERS / sum;
    *bound = sum / WORKERS > longest ? sum / WORKERS : longest;
}

static void close_workers(struct batches *b)
{
    for (uint32_t i = 0; i < WORKERS; i++)
        adit_pool_close(&b->pool[i]);
}

/* On the CPUs from first on. */
static int open_workers(struct bench *bench, struct batches *b, uint32_t first)
{
    int error = 0;
    for (uint32_t i = first; i < WORKERS && !error; i++)
        error = lab_arena_open_worker(bench, b->queue, i, &b->pool[i]);
    return error;
}

/* With threads from the first CPU's on; the caller is a worker, too, where it maps. */
static int measure_shares(struct bench *bench, struct batches *b, const char *how, int (*all)(struct batches *b), uint32_t first)
{
    double ns[RUNS], uneven[RUNS], bound[RUNS];
    char name[64];
    uint32_t runs = bench->is_short ? RUNS_SHORT : RUNS;
    int error = open_workers(bench, b, first);
    for (uint32_t i = 0; i < runs && !error; i++) {
        double from = clock_now_ns();
        error = all(b);
        ns[i] = clock_now_ns() - from;
        sum_up(&uneven[i], &bound[i]);
    }
    close_workers(b);
    if (error)
        return error;
    snprintf(name, sizeof name, "Pareto, %s, makespan", how);
    error = bench_record(bench, &(struct bench_spec){.figure = name, .unit = "ms", .scale = 1e-6, .goal = {GOAL_RATIO, 1.05}, .raw = {.name = "sum / workers or longest"}}, ns, bound,
                         runs);
    snprintf(name, sizeof name, "Pareto, %s, most busy of mean", how);
    return error ? error : bench_record(bench, &(struct bench_spec){.figure = name, .unit = "x", .goal = {GOAL_MEDIAN, 1 / 0.98}}, uneven, NULL, runs);
}

/* ---- cancelling ---- */

static void *stop_soon(void *user)
{
    (void)user;
    nanosleep(&(struct timespec){.tv_nsec = BEFORE_NS}, NULL);
    stopped_at_ns = clock_now_ns();
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* From *cancel set until the call returns, everything ended. */
static double cancel_block(void *context, uint64_t rounds)
{
    const struct batches *b = context;
    const struct adit_batch_params p = {.size = sizeof p, .kind = b->lasting, .cancel = &stop};
    static const double ns = SHORTEST_NS;
    pthread_t thread;
    (void)rounds;
    __atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
    int error = pthread_create(&thread, NULL, stop_soon, NULL);
    if (error)
        return -error;
    error = adit_map(b->queue, &p, &(struct adit_map_items){.n = MANY, .args = &ns, .args_bytes = sizeof ns}, NULL);
    double now = clock_now_ns();
    pthread_join(thread, NULL);
    return error == -ECANCELED ? now - stopped_at_ns : -EPROTO;
}

/* The same from a failure, with fail_fast. */
static double failure_block(void *context, uint64_t rounds)
{
    const struct batches *b = context;
    const struct adit_batch_params p = {.size = sizeof p, .kind = b->failing, .fail_fast = true};
    static double fails[MANY]; /* 0: it does not */
    (void)rounds;
    fails[FAILS_AT] = 1;
    int error = adit_map(b->queue, &p, &(struct adit_map_items){.n = MANY, .args = fails, .args_stride = sizeof *fails, .args_bytes = sizeof *fails}, NULL);
    return error == -EIO ? clock_now_ns() - stopped_at_ns : -EPROTO;
}

static int measure_ends(struct bench *bench, struct batches *b)
{
    int error = open_workers(bench, b, 1);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "map of 10^6 cancelled until it returns", .unit = "us", .scale = 1e-3, .rounds_max = 1,
                                                          .goal = {GOAL_MEDIAN, 10000}, .ours = {"adit_map", cancel_block, b}});
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "map of 10^6 fails until it returns", .unit = "us", .scale = 1e-3, .rounds_max = 1,
                                                          .goal = {GOAL_MEDIAN, 10000}, .ours = {"adit_map", failure_block, b}});
    close_workers(b);
    return error;
}

static int open_all(struct bench *bench, struct batches *b)
{
    char name[LAB_ARENA_NAME_BYTES];
    const struct adit_create_params arena = {.size = sizeof arena, .tasks_max = 2 * TASKS};
    const struct adit_queue_params queue = {.size = sizeof queue, .order = ADIT_ORDER_FIFO, .capacity = TASKS};
    struct adit_kind_params kind = {.size = sizeof kind, .name = "lasting", .run = run_lasting, .args_bytes_min = 8, .args_bytes_max = 8};
    b->n = bench->is_short ? TASKS_SHORT : TASKS;
    b->ns = calloc(b->n, sizeof *b->ns);
    b->task = calloc(b->n, sizeof *b->task);
    int error = b->ns && b->task ? 0 : -ENOMEM;
    lab_arena_name(name);
    if (!error)
        error = lab_arena_create(bench, name, &arena, &b->arena);
    if (!error)
        error = adit_kind_register(b->arena, &kind, &b->lasting);
    kind.name = "failing";
    kind.run = run_failing;
    if (!error)
        error = adit_kind_register(b->arena, &kind, &b->failing);
    return error ? error : adit_queue_open(b->arena, "batches", &queue, &b->queue);
}

static int run(struct bench *bench)
{
    static struct batches b;
    int error = open_all(bench, &b);
    if (error)
        return error;
    draw(&b);
    error = measure_shares(bench, &b, "mapped", map_all, 1);
    if (!error)
        error = measure_shares(bench, &b, "submitted", submit_all, 0);
    return error ? error : measure_ends(bench, &b);
}

const struct scene scene_batch = {
    .name = "batch",
    .what = "tasks of Pareto(1.5) durations dealt out to two workers; a map of 10^6 tasks that is cancelled, or fails",
    .unit = "ms",
    .goal = "makespan 1.05 of the bound, mean over most busy 0.98; ended in 10 ms",
    .cpus = 2,
    .run = run,
};
