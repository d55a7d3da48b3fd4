/* scene_raw_line.c - what it costs to hand a cache line from one CPU to another: the floor under every ring and every
 * publish. */
#include "perf/raw.h"
#include "perf/scenes.h"

static int run(struct bench *bench)
{
    struct raw line, lines, message, one_way;
    struct partner partner;
    int error = raw_begin(&line, bench, &partner, 4,
                          (raw_duty *[]){raw_line_duty, raw_lines_duty, raw_message_duty, raw_one_way_duty});

    if (error)
        return error;
    lines = raw_with_duty(&line, 2);
    message = raw_with_duty(&line, 3);
    one_way = raw_with_duty(&line, 4);
    error = bench_measure(bench, &(struct bench_spec){.figure = "one line, there and back", .unit = "ns",
                                                      .ours = {"line", raw_line_block, &line}});
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "a line each way, there and back", .unit = "ns",
                                                          .ours = {"lines", raw_lines_block, &lines}});
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "64 B and a flag, there and back", .unit = "ns",
                                                          .ours = {"message", raw_message_block, &message}});
    if (error)
        return error;
    if (!bench->machine->tsc_invariant) {
        bench_skip(bench, "one line, one way", "the processor's counter is not the same on all CPUs");
        return 0;
    }
    error = bench_measure(bench, &(struct bench_spec){.figure = "one line, one way", .unit = "ns",
                                                      .ours = {"there", raw_one_way_block, &one_way},
                                                      .rounds_max = RAW_ONE_WAY_SAMPLES,
                                                      .note = "includes reading the counter twice"});
    if (error)
        return error;
    return bench_measure(bench, &(struct bench_spec){.figure = "one line, the way back", .unit = "ns",
                                                     .ours = {"back", raw_one_way_back_block, &one_way},
                                                     .rounds_max = RAW_ONE_WAY_SAMPLES,
                                                     .note = "apart from the way there by the skew of the counters and what lies between"});
}

const struct scene scene_raw_line = {
    .name = "raw-line",
    .what = "a cache line handed between two processes on two CPUs, both spinning",
    .unit = "ns",
    .goal = "",
    .cpus = 2,
    .run = run,
};
