/* scene_alloc.c - taking a block on loan and giving it back, by size, beside the two compare-and-swaps on a shared word
 * that no allocator between processes can do without. */
#include <errno.h>

#include "perf/lab_arena.h"
#include "perf/raw.h"
#include "perf/scenes.h"
#include "shm/shm.h"

#define HELD 64

struct alloc {
    struct adit_arena *arena;
    uint64_t bytes;
    uint64_t held[HELD];
};

/* One block taken and given back: the quickest path. */
static double pair_block(void *context, uint64_t rounds)
{
    struct alloc *alloc = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t ref;
        int error = adit_block_alloc(alloc->arena, alloc->bytes, ADIT_BLOCK_HERE, &ref);
        if (error)
            return error;
        adit_block_free(alloc->arena, ref);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

/* Always the oldest of HELD blocks is given back and another taken: as versions come and go. */
static double turnover_block(void *context, uint64_t rounds)
{
    struct alloc *alloc = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t *held = &alloc->held[i % HELD];
        if (*held)
            adit_block_free(alloc->arena, *held);
        int error = adit_block_alloc(alloc->arena, alloc->bytes, ADIT_BLOCK_HERE, held);
        if (error)
            return error;
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static int run(struct bench *bench)
{
    static const struct {
        const char *name;
        uint64_t bytes;
    } sizes[] = {{"512 B", 512}, {"4 KiB", 4 << 10}, {"64 KiB", 64 << 10}, {"256 KiB", 256 << 10}};
    struct raw raw;
    char name[LAB_ARENA_NAME_BYTES];
    struct alloc alloc = {0};
    int error = raw_begin(&raw, bench, NULL, 0, NULL);

    lab_arena_name(name);
    if (!error)
        error = lab_arena_create(bench, name, NULL, &alloc.arena);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0] && !error; i++) {
        char figure[64];
        alloc = (struct alloc){.arena = alloc.arena, .bytes = sizes[i].bytes};
        snprintf(figure, sizeof figure, "%s, loan and free", sizes[i].name);
        error = bench_measure(bench, &(struct bench_spec){.figure = figure, .unit = "ns",
                                                          .ours = {"pair", pair_block, &alloc},
                                                          .raw = {"two compare-and-swaps", raw_swap_block, &raw}});
        snprintf(figure, sizeof figure, "%s, oldest of %d for a new one", sizes[i].name, HELD);
        if (!error)
            error = bench_measure(bench, &(struct bench_spec){.figure = figure, .unit = "ns",
                                                              .ours = {"turnover", turnover_block, &alloc},
                                                              .raw = {"two compare-and-swaps", raw_swap_block, &raw}});
        for (int h = 0; h < HELD; h++)
            if (alloc.held[h])
                adit_block_free(alloc.arena, alloc.held[h]);
    }
    return error;
}

const struct scene scene_alloc = {
    .name = "alloc",
    .what = "a block taken on loan and freed, by size",
    .unit = "ns",
    .goal = "",
    .cpus = 1,
    .run = run,
};
