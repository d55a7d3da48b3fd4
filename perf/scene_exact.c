/* scene_exact.c - the fewest quads, made of the greedy mesh of a chunk: for exports. The work is done in place, so each
 * round begins with a copy of the greedy quads; that copy alone is the raw limit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perf/scenes.h"
#include "perf/lab_voxels.h"

struct remeshing {
    struct voxels_source *source;
    struct adit_mesh_result greedy, exact;
};

static void quads_copy(struct remeshing *r)
{
    uint64_t *quads = r->exact.quads;
    memcpy(quads, r->greedy.quads, r->greedy.start[ADIT_MESH_RANGES] * sizeof *quads);
    r->exact = r->greedy;
    r->exact.quads = quads;
}

static double exact_block(void *context, uint64_t rounds)
{
    struct remeshing *r = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        quads_copy(r);
        error |= adit_mesh_exact(&r->exact);
    }
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double copy_block(void *context, uint64_t rounds)
{
    struct remeshing *r = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        quads_copy(r);
        __asm__ volatile("" ::"r"(r->exact.quads) : "memory"); /* somebody reads each copy */
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static int run(struct bench *bench)
{
    struct remeshing r = {.source = malloc(sizeof *r.source), .greedy.quads_max = ADIT_MESH_QUADS_MAX};
    r.greedy.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t));
    r.exact.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t));
    if (!r.source || !r.greedy.quads || !r.exact.quads)
        return -ENOMEM;
    for (uint32_t i = 0; i < voxels_inputs_n; i++) {
        const char *name = voxels_inputs[i].name;
        char note[96];
        int error = voxels_source_fill(r.source, &voxels_inputs[i]);
        if (!error)
            error = adit_mesh_kernel_best(NULL)(&r.source->mesh, &r.greedy);
        if (!error) {
            quads_copy(&r);
            error = adit_mesh_exact(&r.exact);
        }
        if (error) {
            bench_fail(bench, name, "meshing", error);
            return error;
        }
        snprintf(note, sizeof note, "%u quads of %u", r.exact.start[ADIT_MESH_RANGES], r.greedy.start[ADIT_MESH_RANGES]);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .note = note,
                                                          .ours = {"exact", exact_block, &r},
                                                          .raw = {"copying the quads", copy_block, &r}});
        if (error)
            return error;
    }
    return 0;
}

const struct scene scene_exact = {
    .name = "exact",
    .what = "making a chunk's greedy mesh the one of fewest quads, by input, one thread",
    .unit = "us",
    .goal = "",
    .cpus = 1,
    .run = run,
};
