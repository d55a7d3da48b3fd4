/* scene_lod.c - levels of detail of a chunk, by kernel and input, one thread: one level (64^3 to 32^3), and all six. The raw
 * limit is one read of the voxels from the cache: nobody can halve them for less. */
#include <errno.h>
#include <stdlib.h>

#include "perf/raw.h"
#include "perf/scenes.h"
#include "perf/lab_voxels.h"

struct halving {
    struct voxels_source *source;
    uint16_t (*level)[ADIT_CHUNK_VOXELS / 8]; /* one of each size, rows and layers side by side */
    uint32_t levels;
    adit_lod_kernel *kernel;
};

/* Makes the first of levels, each from the one before. */
static int levels_make(const struct halving *h)
{
    const uint16_t *from = h->source->voxels;
    uint32_t dim = ADIT_CHUNK_DIM;
    int error = 0;
    for (uint32_t n = 0; n < h->levels; n++, dim /= 2) {
        uint32_t half = dim / 2;
        error |= h->kernel(&(struct adit_lod_halving){.from = from, .to = h->level[n], .from_row = dim, .from_layer = dim * dim,
                                                      .to_row = half, .to_layer = half * half,
                                                      .dim = {(uint8_t)dim, (uint8_t)dim, (uint8_t)dim}});
        from = h->level[n];
    }
    return error;
}

static double halve_block(void *context, uint64_t rounds)
{
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        error |= levels_make(context);
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double read_block(void *context, uint64_t rounds)
{
    struct halving *h = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        raw_read(h->source->voxels, sizeof h->source->voxels);
    return (clock_now_ns() - from) / (double)rounds;
}

/* How many of the 32^3 cells hold more than one value: what the vector kernels vote on. */
static uint32_t mixed_count(const uint16_t *voxels)
{
    const uint32_t d = ADIT_CHUNK_DIM;
    uint32_t mixed = 0;
    for (uint32_t z = 0; z < d; z += 2)
        for (uint32_t y = 0; y < d; y += 2)
            for (uint32_t x = 0; x < d; x += 2) {
                const uint16_t *cell = voxels + (z * d + y) * d + x;
                bool is_mixed = false;
                for (uint32_t i = 1; i < 8; i++)
                    is_mixed |= cell[(i >> 2) * d * d + (i >> 1 & 1) * d + (i & 1)] != cell[0];
                mixed += is_mixed;
            }
    return mixed;
}

/* One level of each input, then all six of the first. goal_us: of one level; 0 for none. */
static int measure(struct bench *bench, struct halving *h, const char *kernel, double goal_us)
{
    int error = 0;
    for (uint32_t i = 0; i <= voxels_inputs_n && !error; i++) {
        const struct voxels_input *input = &voxels_inputs[i % voxels_inputs_n];
        char name[64], note[96];
        h->levels = i < voxels_inputs_n ? 1 : ADIT_LOD_LEVELS;
        snprintf(name, sizeof name, "%s, %s%s", kernel, input->name, h->levels > 1 ? ", six levels" : "");
        error = voxels_source_fill(h->source, input);
        if (error) {
            bench_fail(bench, name, "making the voxels", error);
            return error;
        }
        snprintf(note, sizeof note, "%.1f %% of the cells hold more than one value",
                 mixed_count(h->source->voxels) * 100.0 / (ADIT_CHUNK_VOXELS / 8));
        struct goal goal = {goal_us > 0 && h->levels == 1 ? GOAL_MEDIAN : GOAL_NONE, goal_us};
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .note = note, .goal = goal,
                                                          .ours = {kernel, halve_block, h},
                                                          .raw = {"reading the voxels", read_block, h}});
    }
    return error;
}

static int run(struct bench *bench)
{
    static const char *const kernels[] = {"scalar", "avx2", "avx512"};
    struct halving h = {.source = aligned_alloc(64, sizeof *h.source), /* as in an arena; else every wide load meets two lines */
                        .level = aligned_alloc(64, ADIT_LOD_LEVELS * sizeof *h.level)};
    adit_lod_kernel *best = adit_lod_kernel_best(NULL);
    int error = 0;

    if (!h.source || !h.level)
        return -ENOMEM;
    for (size_t k = 0; k < sizeof kernels / sizeof kernels[0] && !error; k++) {
        h.kernel = adit_lod_kernel_named(kernels[k]);
        if (h.kernel)
            error = measure(bench, &h, kernels[k], h.kernel == best ? 5.0 : 0);
        else
            bench_skip(bench, kernels[k], "this processor or this build has no such kernel");
    }
    return error;
}

const struct scene scene_lod = {
    .name = "lod",
    .what = "halving a chunk, one level and six, by kernel and input, one thread",
    .unit = "us",
    .goal = "5 us a level at most, by the best kernel",
    .cpus = 1,
    .run = run,
};
