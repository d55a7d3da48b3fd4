/* scene_raw_futex.c - what sleeping and waking costs: the reason to spin, to batch wakes, and to do small work inline. */
#include "perf/raw.h"
#include "perf/scenes.h"

static int run(struct bench *bench)
{
    struct raw wake, round;
    struct partner partner;
    int error = raw_begin(&wake, bench, &partner, 2, (raw_duty *[]){raw_wake_duty, raw_sleep_round_duty});

    if (error)
        return error;
    round = raw_with_duty(&wake, 2);
    error = bench_measure(bench, &(struct bench_spec){.figure = "wake of nobody", .unit = "ns",
                                                      .ours = {"wake", raw_wake_nobody_block, &wake}});
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "wake to running on the other CPU", .unit = "us",
                                                          .ours = {"wake", raw_wake_block, &wake}, .scale = 1e-3,
                                                          .rounds_max = 64});
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "there and back, both asleep", .unit = "us",
                                                          .ours = {"round", raw_sleep_round_block, &round}, .scale = 1e-3,
                                                          .rounds_max = 64});
    return error;
}

const struct scene scene_raw_futex = {
    .name = "raw-futex",
    .what = "futex wakes between two processes on two CPUs",
    .unit = "us",
    .goal = "",
    .cpus = 2,
    .run = run,
};
