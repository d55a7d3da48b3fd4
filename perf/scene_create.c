/* scene_create.c - how long creating an arena takes after another process was killed while it made one of that name, at a random
 * moment: half of a name, of a socket, of segments may lie about. Beside it, the same under a name that nobody has touched. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "perf/lab_arena.h"
#include "perf/scenes.h"

#define DATA_BYTES (4ull << 20)

struct creating {
    char name[2][LAB_ARENA_NAME_BYTES]; /* of the dead; untouched */
    uint64_t seed;
    double life_ns; /* a creator's, from fork until its arena is there */
};

static const struct adit_create_params params = {.size = sizeof params, .data_bytes = DATA_BYTES, .chunks_max = 1024};

static double create_once(const char *name)
{
    struct adit_arena *arena;
    double from = clock_now_ns();
    int error = adit_create(name, &params, &arena);
    double ns = clock_now_ns() - from;
    adit_detach(&arena);
    return error ? error : ns;
}

/* A child that is killed somewhere in its create, or just before or after. */
static int kill_a_creator(struct creating *c)
{
    pid_t child = fork();
    if (!child) {
        struct adit_arena *arena;
        (void)adit_create(c->name[0], &params, &arena);
        for (;;)
            pause();
    }
    if (child < 0)
        return -errno;
    c->seed = c->seed * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
    double wait_ns = c->life_ns * 1.2 * (double)(c->seed >> 40) / (double)(1u << 24);
    struct timespec nap = {.tv_nsec = (long)wait_ns};
    nanosleep(&nap, NULL);
    kill(child, SIGKILL);
    return waitpid(child, NULL, 0) == child ? 0 : -errno;
}

static double after_death_block(void *context, uint64_t rounds)
{
    struct creating *c = context;
    double all = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        int error = kill_a_creator(c);
        double ns = error ? error : create_once(c->name[0]);
        if (ns < 0)
            return ns;
        all += ns;
    }
    return all / (double)rounds;
}

static double fresh_block(void *context, uint64_t rounds)
{
    struct creating *c = context;
    double all = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        double ns = create_once(c->name[1]);
        if (ns < 0)
            return ns;
        all += ns;
    }
    return all / (double)rounds;
}

static int run(struct bench *bench)
{
    struct creating c = {.seed = 7};
    for (int i = 0; i < 2; i++)
        lab_arena_name(c.name[i]);
    double first = create_once(c.name[1]);
    if (first < 0) {
        bench_fail(bench, "all", "adit_create", (int)first);
        return (int)first;
    }
    c.life_ns = first + 1e6; /* a fork and what a process does before */
    return bench_measure(bench, &(struct bench_spec){.figure = "4 MiB, after a creator's death", .unit = "ms", .scale = 1e-6, .rounds_max = 1,
                                                     .ours = {"create", after_death_block, &c},
                                                     .raw = {"a name nobody touched", fresh_block, &c},
                                                     .goal = {GOAL_MEDIAN, 10.0}});
}

const struct scene scene_create = {
    .name = "create",
    .what = "creating an arena whose last creator was killed at a random moment of it, against a fresh name",
    .unit = "ms",
    .goal = "10 ms or less",
    .cpus = 1,
    .run = run,
};
