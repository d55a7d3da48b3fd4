/* scene_raw_slot.c - the stores of a reader's section, alone: the floor under enter and exit. */
#include "perf/raw.h"
#include "perf/scenes.h"

static int run(struct bench *bench)
{
    struct raw raw;
    int error = raw_begin(&raw, bench, NULL, 0, NULL);
    if (error)
        return error;
    return bench_measure(bench, &(struct bench_spec){.figure = "store, compiler barrier, release store", .unit = "ns",
                                                     .ours = {"slot", raw_slot_block, &raw}});
}

const struct scene scene_raw_slot = {
    .name = "raw-slot",
    .what = "the two stores to a slot that a read section cannot do without",
    .unit = "ns",
    .goal = "",
    .cpus = 1,
    .run = run,
};
