/* scene_worker.c - worker processes: how soon a pool of eight is ready, confined ones, too, how soon the task of a killed one runs again, and what one costs in memory.
 *
 * The raw limit of a death is what the kernel needs to tell of it: a process that holds a robust word is killed, until who waits for that word runs.
 * Neither side is pinned: who is woken where is part of the figure. A median is of blocks of one kill, a 99th percentile
 * the median of those of blocks of 32. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "perf/lab_arena.h"
#include "perf/lab_stats.h"
#include "perf/lab_workers.h"
#include "perf/partner.h"
#include "perf/scenes.h"
#include "shm/shm.h"

#define KILLS 32u /* of a block whose percentile is a figure: else one */
#define PROCESSES 8u
#define WAIT_NS 5000000000u
#define TOUCHED (1ull << 30)
#define TOUCHED_SHORT (64ull << 20)

struct death {
    struct adit_arena *arena;
    struct adit_queue *queue;
    struct adit_pool *pool;
    struct adit_robust *raw; /* shared with the children of the raw side */
    uint32_t kind;
    uint64_t touched;
    double percentile;
    enum adit_confine confine; /* TO_NEEDS: as far as this kernel can */
};

/* Of the raw side of a pool's start: the program beside this one, and what has it say nothing. */
static char worker_path[4200];
static posix_spawn_file_actions_t quiet;

static int find_worker(void)
{
    ssize_t n = readlink("/proc/self/exe", worker_path, sizeof worker_path - 32);
    char *name = n > 0 ? strrchr(worker_path, '/') : NULL;
    if (!name)
        return -ENOENT;
    strcpy(name + 1, "adit-worker"); /* NOLINT: it fits */
    if (posix_spawn_file_actions_init(&quiet) || posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0) || posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0))
        return -ENOMEM;
    return 0;
}

static int open_pool(struct death *d, uint32_t processes)
{
    const struct adit_pool_params p = {.size = sizeof p, .processes = processes, .objects = lab_workers_objects(), .confine = d->confine};
    return adit_pool_open(d->queue, &p, &d->pool);
}

/* Nanoseconds from a kill to the task's first instruction elsewhere. */
static double kill_one(const struct death *d)
{
    struct adit_task_spec spec = {.size = sizeof spec, .kind = d->kind, .args = &d->touched, .args_bytes = 8};
    struct adit_task_result result = {.size = sizeof result};
    uint64_t task, ran;
    int error = adit_submit(d->queue, &spec, &task), victim = error ? error : lab_workers_wait(d->queue, d->pool, task);
    if (victim < 0)
        return victim;
    lab_nap_ms(3); /* for the standby to have parked, as one has in earnest */
    uint64_t from = adit_clock_ns();
    kill(victim, SIGKILL);
    lab_nap_ms(5); /* out of the way */
    error = adit_wait(d->queue, task, WAIT_NS, &result);
    memcpy(&ran, result.data, sizeof ran);
    return error ? error : result.attempts != 2 ? -EPROTO : (double)(ran - from);
}

/* The same kill's notice. */
static double kill_raw(const struct death *d) { return lab_notice_of_kill(d->raw); }

static double kills(const struct death *d, double (*one)(const struct death *d))
{
    double sample[KILLS];
    size_t count = d->percentile > 0.5 ? KILLS : 1;
    for (size_t i = 0; i < count; i++) {
        sample[i] = one(d);
        if (sample[i] < 0)
            return sample[i];
    }
    stats_sort(sample, count);
    return stats_percentile(sample, count, d->percentile);
}

static double again_block(void *context, uint64_t rounds)
{
    (void)rounds;
    return kills(context, kill_one);
}
static double notice_block(void *context, uint64_t rounds)
{
    (void)rounds;
    return kills(context, kill_raw);
}

/* Opening a pool of eight; closing it is not counted. */
static double cold_block(void *context, uint64_t rounds)
{
    struct death *d = context;
    double all = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        double from = clock_now_ns();
        int error = open_pool(d, PROCESSES);
        all += clock_now_ns() - from;
        if (error)
            return error;
        adit_pool_close(&d->pool);
    }
    return all / (double)rounds;
}

/* What the kernel takes for it at least: to start the program, and to fork as many processes, which end at once, a standby among them. */
static double processes_block(void *context, uint64_t rounds)
{
    double all = 0;
    (void)context;
    for (uint64_t i = 0; i < rounds; i++) {
        pid_t pids[PROCESSES + 2];
        double from = clock_now_ns();
        char *const arguments[] = {"adit-worker", "--help", NULL};
        if (posix_spawn(&pids[0], worker_path, &quiet, NULL, arguments, environ) || waitpid(pids[0], NULL, 0) < 0)
            return -ENOENT;
        for (uint32_t k = 1; k < PROCESSES + 2; k++)
            if (!(pids[k] = fork()))
                _exit(0);
        all += clock_now_ns() - from;
        for (uint32_t k = 1; k < PROCESSES + 2; k++)
            if (pids[k] < 0 || waitpid(pids[k], NULL, 0) < 0)
                return -ECHILD;
    }
    return all / (double)rounds;
}

/* KiB that are one process's alone; 0: unknown. */
static double private_kib(uint32_t pid)
{
    char path[64], line[256];
    unsigned long long one, all = 0;
    snprintf(path, sizeof path, "/proc/%u/smaps_rollup", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Private_Clean: %llu", &one) == 1 || sscanf(line, "Private_Dirty: %llu", &one) == 1)
            all += one;
    if (f)
        fclose(f);
    return (double)all;
}

/* The mean of the pool's workers. */
static double memory_block(void *context, uint64_t rounds)
{
    const struct death *d = context;
    double all = 0, n = 0;
    (void)rounds;
    for (uint32_t i = 0; i < ADIT_POOL_SEATS; i++) {
        struct adit_worker_info info = {.size = sizeof info};
        double kib = !adit_worker_look(d->pool, i, &info) && info.pid ? private_kib(info.pid) : 0;
        all += kib;
        n += kib > 0;
    }
    return n > 0 ? all / n : -ENODATA;
}

static int measure_deaths(struct bench *bench, struct death *d)
{
    static const double percentiles[] = {0.5, 0.99};
    uint64_t most = bench->is_short ? TOUCHED_SHORT : TOUCHED;
    int error = open_pool(d, 1);
    for (uint32_t i = 0; i < (bench->is_short ? 3 : 4) && !error; i++) { /* the last one takes a minute */
        char name[64];
        d->touched = i & 2 ? most : 0;
        d->percentile = percentiles[i & 1];
        snprintf(name, sizeof name, "killed to running, %llu MiB touched, p%.0f", (unsigned long long)(d->touched >> 20), d->percentile * 100);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .rounds_max = 1,
                                                          .goal = {i & 1 ? GOAL_MEDIAN : GOAL_RATIO, i & 1 ? 1000 : 2},
                                                          .ours = {"its task runs again", again_block, d}, .raw = {"robust notice", notice_block, d}});
    }
    adit_pool_close(&d->pool);
    return error;
}

static int measure_pool(struct bench *bench, struct death *d)
{
    const char *ready = d->confine ? "8 confined processes ready from cold" : "8 processes ready from cold";
    const char *memory = d->confine ? "private memory of a confined process" : "private memory of a process";
    int error = bench_measure(bench, &(struct bench_spec){.figure = ready, .unit = "ms", .scale = 1e-6, .rounds_max = 1, .goal = {GOAL_MEDIAN, 5},
                                                          .ours = {"open", cold_block, d}, .raw = {"exec, 9 forks", processes_block, d}});
    if (!error)
        error = open_pool(d, PROCESSES);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = memory, .unit = "KiB", .rounds_max = 1, .goal = {GOAL_MEDIAN, 256},
                                                          .ours = {"smaps_rollup", memory_block, d}});
    adit_pool_close(&d->pool);
    return error;
}

static int open_all(struct bench *bench, struct death *d)
{
    char name[LAB_ARENA_NAME_BYTES];
    const struct adit_create_params params = {.size = sizeof params, .data_bytes = bench->is_short ? TOUCHED_SHORT : TOUCHED, .flags = ADIT_CREATE_SMALL_PAGES};
    const struct adit_kind_params stay = {.size = sizeof stay, .name = "stay", .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 8};
    d->raw = partner_memory_create(sizeof *d->raw);
    int error = d->raw ? bench_unpin(bench->machine) : -ENOMEM;
    lab_arena_name(name);
    if (!error)
        error = lab_arena_create(bench, name, &params, &d->arena);
    if (!error)
        error = adit_kind_register(d->arena, &stay, &d->kind);
    return error ? error : adit_queue_open(d->arena, "workers", NULL, &d->queue);
}

static int run(struct bench *bench)
{
    static struct death d;
    if (adit_memory_available_bytes() < 2 * TOUCHED) {
        bench_skip(bench, "all", "less memory than the scene's arena twice");
        return 0;
    }
    int error = find_worker();
    if (!error)
        error = open_all(bench, &d);
    for (d.confine = ADIT_CONFINE_OFF; !error && d.confine <= ADIT_CONFINE_TO_NEEDS; d.confine++)
        error = measure_pool(bench, &d);
    d.confine = ADIT_CONFINE_OFF;
    if (!error)
        error = measure_deaths(bench, &d);
    if (error)
        fprintf(stderr, "perf-lab: worker: %s\n", adit_detail());
    adit_queue_close(&d.queue);
    adit_detach(&d.arena);
    return error;
}

const struct scene scene_worker = {
    .name = "worker",
    .what = "worker processes: eight from cold, a killed one's task until it runs again, memory of one",
    .unit = "us",
    .goal = "5 ms; p50 2 x a raw robust notice, p99 1 ms, with 0 and 1 GiB touched; 256 KiB",
    .cpus = 2,
    .run = run,
};
