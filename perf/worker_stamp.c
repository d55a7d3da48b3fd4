/* worker_stamp.c - the kinds that worker processes of scenes load, each with 8 bytes of arguments. "stay" touches as much of the arena's first data segment as its argument
 * says, tells so (progress), and stays until it is killed; run again it says when its first instruction ran (CLOCK_MONOTONIC). "deaf" tells when that was as its
 * progress, and never returns. "toil" multiplies as often as it is told. "die" kills its process. */
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/adit.h"
#include "shm/arena.h"

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int run_stay(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t now = now_ns(), bytes, sum = 0;
    *result_bytes = sizeof now;
    memcpy(result, &now, sizeof now);
    memcpy(&bytes, args, sizeof bytes);
    if (run->attempt > 1)
        return 0;
    for (uint64_t at = 0; at < bytes && at < run->arena->segments[1].bytes; at += 4096)
        sum += *(volatile const uint8_t *)(run->arena->segments[1].base + at);
    adit_task_progress(run, 1 + (sum & 0));
    while (!adit_task_should_stop(run))
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    return 0;
}

static int run_deaf(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    adit_task_progress(run, now_ns());
    for (volatile uint64_t turns = 0;; turns++) { /* until it is killed */
    }
    return 0;
}

static int run_toil(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t steps, x = run->task;
    memcpy(&steps, args, sizeof steps);
    while (steps--)
        x = x * 6364136223846793005u + 1442695040888963407u;
    memcpy(result, &x, sizeof x);
    *result_bytes = sizeof x;
    return 0;
}

static int run_die(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run;
    (void)args;
    (void)result;
    (void)result_bytes;
    kill(getpid(), SIGKILL);
    return 0;
}

ADIT_API int adit_kinds_load(struct adit_arena *arena)
{
    static const struct {
        const char *name;
        adit_kind_run *run;
    } kinds[] = {{"stay", run_stay}, {"deaf", run_deaf}, {"toil", run_toil}, {"die", run_die}};
    struct adit_kind_params p = {.size = sizeof p, .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 8};
    uint32_t kind;
    int error = 0;
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds && !error; i++) {
        p.name = kinds[i].name;
        p.run = kinds[i].run;
        error = adit_kind_register(arena, &p, &kind);
    }
    return error;
}
