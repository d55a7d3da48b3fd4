/* scene_scale.c - a pool whose number of threads follows its load (runtime/scaler.h), with its defaults: how soon a step of load has a second worker at a task, how long tasks wait at
 * 80 % of what the most workers can do, and how often the number changes while the load comes and goes once a second.
 *
 * Tasks sleep, so workers and not CPUs are short. Arrivals are of a fixed seed, at exponential distances (a Poisson process), submitted when their time has come; a wait is from
 * there to the task's first instruction. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perf/lab_arena.h"
#include "perf/lab_stats.h"
#include "perf/scenes.h"

#define WORKERS_MAX 8u
#define BURST 8u         /* tasks of a step */
#define BURST_NS 40000000.0
#define TASK_NS 1000000.0
#define WAITS_MAX 40000u /* of one run of arrivals */

struct scale {
    struct adit_arena *arena;
    struct adit_queue *queue;
    struct adit_pool *pool;
    uint32_t nap;
    double start_ns[WAITS_MAX]; /* first instruction of each task; w: its worker */
    double sent_ns[WAITS_MAX], wait_ns[WAITS_MAX];
    bool is_resting;            /* nothing ran before the step, and the scaler looks seldom */
    uint64_t seed;
};

struct nap_args {
    uint32_t index;
    double ns;
};

static void sleep_until(double ns)
{
    const struct timespec at = {.tv_sec = (time_t)(ns * 1e-9), .tv_nsec = (long)(ns - floor(ns * 1e-9) * 1e9)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
    }
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int run_nap(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct scale *s = run->user;
    struct nap_args a;
    (void)result;
    (void)result_bytes;
    memcpy(&a, args, sizeof a);
    s->start_ns[a.index] = now_ns();
    sleep_until(s->start_ns[a.index] + a.ns);
    return 0;
}

static int submit(struct scale *s, uint32_t index, double ns, uint64_t *task)
{
    struct nap_args a = {.index = index, .ns = ns};
    const struct adit_task_spec spec = {.size = sizeof spec, .kind = s->nap, .args = &a, .args_bytes = sizeof a};
    return adit_submit(s->queue, &spec, task);
}

static int open_pool(struct scale *s)
{
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1, .workers_max = WORKERS_MAX};
    return adit_pool_open(s->queue, &p, &s->pool);
}

/* ---- a step ---- */

/* From a burst until its second task begins, one worker having the first. */
static double step_block(void *context, uint64_t rounds)
{
    struct scale *s = context;
    struct adit_task_result r = {.size = sizeof r};
    uint64_t task[BURST + 1];
    uint32_t n = 0;
    (void)rounds;
    int error = open_pool(s);
    if (!error && !s->is_resting)
        error = submit(s, n, BURST_NS, &task[n]);
    n += !s->is_resting;
    sleep_until(now_ns() + (s->is_resting ? 50e6 + (double)(s->seed++ % 20) * 1e6 : 5e6 + (double)(s->seed++ % 16) * 6e4));
    double from = now_ns(), first[BURST + 1];
    for (uint32_t i = 0; i < BURST && !error; i++, n++)
        error = submit(s, n, BURST_NS, &task[n]);
    for (uint32_t i = 0; i < n && !error; i++) {
        error = adit_wait(s->queue, task[i], ADIT_FOR_EVER, &r);
        first[i] = s->start_ns[i];
    }
    adit_pool_close(&s->pool);
    if (error)
        return error;
    stats_sort(first, n);
    return first[1] - from;
}

static void *stamp(void *user)
{
    *(double *)user = now_ns();
    return NULL;
}

static double thread_block(void *context, uint64_t rounds)
{
    pthread_t thread;
    double at = 0;
    (void)context;
    (void)rounds;
    sleep_until(now_ns() + 1e6);
    double from = now_ns();
    int error = pthread_create(&thread, NULL, stamp, &at);
    if (error)
        return -error;
    pthread_join(thread, NULL);
    return at - from;
}

/* ---- arrivals ---- */

static double distance(struct scale *s, double mean_ns)
{
    s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
    return -log(((double)(s->seed >> 11) + 0.5) * 0x1p-53) * mean_ns;
}

/* Submits tasks for so long, so many workers' worth of them in each half second in turn, and waits for all. */
static int arrive(struct scale *s, double span_ns, const double workers[2], uint32_t *n)
{
    static uint64_t task[WAITS_MAX];
    struct adit_task_result r = {.size = sizeof r};
    double begin = now_ns(), at = begin;
    uint32_t taken = 0;
    int error = 0;
    for (*n = 0; at - begin < span_ns && *n < WAITS_MAX && !error; ++*n) {
        double mean = TASK_NS / workers[(uint64_t)((at - begin) / 5e8) % 2];
        at += distance(s, mean);
        sleep_until(at);
        s->sent_ns[*n] = now_ns();
        error = submit(s, *n, TASK_NS, &task[*n]);
        for (; taken < *n && !error && !adit_wait(s->queue, task[taken], 0, &r); taken++) {
        }
    }
    for (; taken < *n && !error; taken++)
        error = adit_wait(s->queue, task[taken], ADIT_FOR_EVER, &r);
    for (uint32_t i = 0; i < *n; i++)
        s->wait_ns[i] = s->start_ns[i] - s->sent_ns[i];
    return error;
}

/* The first second is for the pool to grow. */
static int measure_waits(struct bench *bench, struct scale *s)
{
    static const double steady[2] = {0.8 * WORKERS_MAX, 0.8 * WORKERS_MAX};
    double p99[8];
    uint32_t runs = bench->is_short ? 2 : 8, n;
    int error = open_pool(s);
    if (!error)
        error = arrive(s, 1e9, steady, &n);
    for (uint32_t i = 0; i < runs && !error; i++) {
        error = arrive(s, 1e9, steady, &n);
        stats_sort(s->wait_ns, n);
        p99[i] = stats_percentile(s->wait_ns, n, 0.99);
    }
    adit_pool_close(&s->pool);
    return error ? error : bench_record(bench, &(struct bench_spec){.figure = "wait at 80 % of 8 workers, p99", .unit = "ms", .scale = 1e-6, .goal = {GOAL_MEDIAN, 5}}, p99, NULL, runs);
}

static int measure_wave(struct bench *bench, struct scale *s)
{
    static const double wave[2] = {3, 0.2};
    struct adit_pool_stats stats = {.size = sizeof stats};
    double changes[2], p99[2];
    uint32_t runs = bench->is_short ? 1 : 2, n;
    int error = 0;
    for (uint32_t i = 0; i < runs && !error; i++) {
        error = open_pool(s);
        if (!error)
            error = arrive(s, 10e9, wave, &n);
        if (!error)
            error = adit_pool_look(s->pool, &stats);
        changes[i] = (double)stats.changes;
        stats_sort(s->wait_ns, n);
        p99[i] = stats_percentile(s->wait_ns, n, 0.99);
        adit_pool_close(&s->pool);
    }
    if (!error)
        error = bench_record(bench, &(struct bench_spec){.figure = "changes in 10 s, load of 3 and 0.2 at 1 Hz", .unit = "", .goal = {GOAL_MEDIAN, 2}}, changes, NULL, runs);
    return error ? error : bench_record(bench, &(struct bench_spec){.figure = "wait in those 10 s, p99", .unit = "ms", .scale = 1e-6, .goal = {GOAL_MEDIAN, 5}}, p99, NULL, runs);
}

static int measure_steps(struct bench *bench, struct scale *s)
{
    int error = 0;
    for (uint32_t i = 0; i < 2 && !error; i++) {
        s->is_resting = i;
        error = bench_measure(bench, &(struct bench_spec){.figure = i ? "step to second worker, from rest" : "step to second worker, one busy", .unit = "ms", .scale = 1e-6,
                                                          .rounds_max = 1, .goal = {GOAL_MEDIAN, 2}, .ours = {"step", step_block, s}, .raw = {"a thread begins", thread_block, s}});
    }
    return error;
}

static int open_all(struct bench *bench, struct scale *s)
{
    char name[LAB_ARENA_NAME_BYTES];
    const struct adit_queue_params queue = {.size = sizeof queue, .order = ADIT_ORDER_FIFO, .capacity = 4096};
    const struct adit_kind_params kind = {.size = sizeof kind, .name = "nap", .run = run_nap, .user = s, .args_bytes_min = 16, .args_bytes_max = 16};
    int error = bench_unpin(bench->machine);
    lab_arena_name(name);
    if (!error)
        error = lab_arena_create(bench, name, NULL, &s->arena);
    if (!error)
        error = adit_kind_register(s->arena, &kind, &s->nap);
    return error ? error : adit_queue_open(s->arena, "scaled", &queue, &s->queue);
}

static int run(struct bench *bench)
{
    static struct scale s = {.seed = 7};
    int error = open_all(bench, &s);
    if (!error)
        error = measure_steps(bench, &s);
    if (!error)
        error = measure_waits(bench, &s);
    if (!error)
        error = measure_wave(bench, &s);
    if (error)
        bench_fail(bench, "all", adit_detail(), error);
    adit_queue_close(&s.queue);
    adit_detach(&s.arena);
    return error;
}

const struct scene scene_scale = {
    .name = "scale",
    .what = "a pool of 1 to 8 threads: a step of load until a second one works, waits at 80 %, changes under a square wave",
    .unit = "ms",
    .goal = "2 ms; p99 5 ms; 2 changes in 10 s",
    .cpus = 2,
    .run = run,
};
