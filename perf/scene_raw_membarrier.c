/* scene_raw_membarrier.c - the fast barrier over all processes, with nobody to interrupt and with one busy reader: what a
 * grace period would cost if that barrier held. adit does not rely on it (shm/membarrier.h says why). */
#include "perf/raw.h"
#include "perf/scenes.h"

static int run(struct bench *bench)
{
    struct raw alone, busy;
    struct partner partner;
    int error = raw_membarrier_register();

    if (error) {
        bench_skip(bench, "all", "this kernel has no membarrier GLOBAL_EXPEDITED");
        return 0;
    }
    error = raw_begin(&busy, bench, &partner, 1, (raw_duty *[]){raw_busy_duty});
    if (error)
        return error;
    alone = raw_with_duty(&busy, PARTNER_SLEEPS);
    error = bench_measure(bench, &(struct bench_spec){.figure = "nobody else runs", .unit = "us", .scale = 1e-3,
                                                      .ours = {"membarrier", raw_membarrier_block, &alone}});
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "one registered process busy", .unit = "us",
                                                          .scale = 1e-3,
                                                          .ours = {"membarrier", raw_membarrier_block, &busy}});
    return error;
}

const struct scene scene_raw_membarrier = {
    .name = "raw-membarrier",
    .what = "membarrier GLOBAL_EXPEDITED, a fast barrier that adit does not rely on",
    .unit = "us",
    .goal = "",
    .cpus = 2,
    .run = run,
};
