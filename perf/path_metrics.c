/* path_metrics.c - instructions of a count, of a value recorded and of an event. */
#include <errno.h>

#include "perf/bench.h"
#include "perf/count.h"
#include "shm/shm.h"

static struct adit_arena *arena;

static int open_metrics(uint64_t argument)
{
    (void)argument;
    int error = count_arena_open(&arena);
    return error ? error : arena->metrics_serial ? 0 : -ENOTSUP;
}

static void close_metrics(void) { adit_detach(&arena); }

static int run_count(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        adit_count(arena, ADIT_COUNT_LOCKS_TAKEN, 1);
        bench_compiler_barrier();
    }
    return 0;
}

static int run_record(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        adit_record(arena, ADIT_HISTOGRAM_LOCK_WAIT_NS, 77, 1);
        bench_compiler_barrier();
    }
    return 0;
}

static int run_event(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        adit_event(arena, ADIT_EVENT_OUST, i, i, i);
    return 0;
}

const struct count_path count_metrics[] = {
    {"metrics: a count", 10000, 0, open_metrics, run_count, close_metrics},
    {"metrics: a record", 10000, 0, open_metrics, run_record, close_metrics},
    {"metrics: an event", 10000, 0, open_metrics, run_event, close_metrics},
    {0},
};
