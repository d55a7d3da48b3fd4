/* path_lock.c - instructions of changing and of reading a small object under a lock that nobody else wants. */
#include <errno.h>

#include "perf/bench.h"
#include "perf/count.h"

static struct adit_arena *arena;
static struct adit_lock *lock;

static int open_lock(uint64_t bytes)
{
    const struct adit_lock_params params = {.size = sizeof params, .bytes = (uint32_t)bytes};
    int error = count_arena_open(&arena);
    return error ? error : adit_lock_open(arena, "object", &params, &lock);
}

static void close_lock(void)
{
    adit_lock_close(&lock);
    adit_detach(&arena);
}

static int run_strict(uint64_t n)
{
    int error = 0;
    for (uint64_t i = 0; i < n && error >= 0; i++) {
        void *bytes;
        error = adit_lock_lock(lock, UINT64_MAX, &bytes);
        if (error < 0)
            break;
        ++*(uint64_t *)bytes;
        error = adit_lock_unlock(lock);
    }
    return error < 0 ? error : 0;
}

static int run_optimistic(uint64_t n)
{
    uint8_t copy[64];
    int error = 0;
    for (uint64_t i = 0; i < n && !error; i++) {
        error = adit_lock_read(lock, copy, sizeof copy, NULL);
        bench_consume(copy[0]);
    }
    return error;
}

const struct count_path count_lock[] = {
    {"lock: lock, change, unlock", 4000, 64, open_lock, run_strict, close_lock},
    {"lock: read without", 4000, 64, open_lock, run_optimistic, close_lock},
    {0},
};
