/* scene_idle.c - the CPU time that a pool without work takes: eight threads and eight worker processes with their standby, zygote and supervisor, and this process's keeper, in a
 * second. Every clock of theirs is read before and after. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "perf/lab_arena.h"
#include "perf/lab_workers.h"
#include "perf/scenes.h"

#define EACH 8u
#define SECONDS 8u
#define SECONDS_SHORT 3u
#define SETTLE_MS 900u

/* CPU nanoseconds that a process has used, all its threads. */
static double cpu_of(int pid)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
        return 0;
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* 0: unknown. */
static int parent_of(int pid)
{
    char path[64], line[256];
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "PPid: %d", &parent) != 1) {
    }
    if (f)
        fclose(f);
    return parent;
}

/* Of this process, the worker processes and their parent. */
static double cpu_of_all(const struct adit_pool *pool, uint32_t *processes)
{
    double ns = cpu_of(0);
    int zygote = 0;
    *processes = 0;
    for (uint32_t i = 0; i < ADIT_POOL_SEATS; i++) {
        struct adit_worker_info info = {.size = sizeof info};
        if (adit_worker_look(pool, i, &info) || !info.pid)
            continue;
        ns += cpu_of((int)info.pid);
        zygote = zygote ? zygote : parent_of((int)info.pid);
        ++*processes;
    }
    return ns + (zygote ? cpu_of(zygote) : 0);
}

static int measure(struct bench *bench, const struct adit_pool *pool)
{
    double used[SECONDS];
    uint32_t n = bench->is_short ? SECONDS_SHORT : SECONDS, before, after;
    lab_nap_ms(SETTLE_MS);
    for (uint32_t i = 0; i < n; i++) {
        double own = cpu_of(0), from = cpu_of_all(pool, &before), looking = cpu_of(0) - own;
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        used[i] = cpu_of_all(pool, &after) - from - looking; /* looking at all costs this process as much the second time */
        if (before != after || before <= EACH)
            return -ESRCH;
    }
    return bench_record(bench, &(struct bench_spec){.figure = "8 threads, 8 processes parked, a second", .unit = "us", .scale = 1e-3, .goal = {GOAL_MEDIAN, 0}}, used, NULL, n);
}

static int run(struct bench *bench)
{
    char name[LAB_ARENA_NAME_BYTES];
    struct adit_arena *arena = NULL;
    struct adit_queue *queue = NULL;
    struct adit_pool *pool = NULL;
    const struct adit_pool_params params = {.size = sizeof params, .workers = EACH, .processes = EACH, .objects = lab_workers_objects()};
    int error = bench_unpin(bench->machine);
    lab_arena_name(name);
    if (!error)
        error = lab_arena_create(bench, name, NULL, &arena);
    if (!error)
        error = adit_queue_open(arena, "nothing", NULL, &queue);
    if (!error)
        error = adit_pool_open(queue, &params, &pool);
    if (!error)
        error = measure(bench, pool);
    if (error)
        bench_fail(bench, "all", adit_detail(), error);
    adit_pool_close(&pool);
    adit_queue_close(&queue);
    adit_detach(&arena);
    return error;
}

const struct scene scene_idle = {
    .name = "idle",
    .what = "a pool of eight threads and eight processes that has no work: its CPU time in a second",
    .unit = "us",
    .goal = "0",
    .cpus = 2,
    .run = run,
};
