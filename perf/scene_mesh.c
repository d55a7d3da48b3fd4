/* scene_mesh.c - meshing a chunk of 64^3 with all neighbours, by kernel and input, one thread. The raw limit is one read
 * of the voxels from the cache: no mesher can look at them for less. */
#include <errno.h>
#include <stdlib.h>

#include "perf/raw.h"
#include "perf/scenes.h"
#include "perf/voxels.h"

struct meshing {
    struct voxels_source *source;
    adit_mesh_kernel *kernel;
    struct adit_mesh_result result;
};

static double mesh_block(void *context, uint64_t rounds)
{
    struct meshing *meshing = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        error |= meshing->kernel(&meshing->source->mesh, &meshing->result);
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double read_block(void *context, uint64_t rounds)
{
    struct meshing *meshing = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        raw_read(meshing->source->voxels, sizeof meshing->source->voxels);
    return (clock_now_ns() - from) / (double)rounds;
}

static int measure(struct bench *bench, struct meshing *meshing, const char *kernel)
{
    int error = 0;
    for (uint32_t i = 0; i < voxels_inputs_n && !error; i++) {
        char name[64], note[96];
        error = voxels_source_fill(meshing->source, &voxels_inputs[i]);
        if (!error)
            error = meshing->kernel(&meshing->source->mesh, &meshing->result);
        snprintf(name, sizeof name, "%s, %s", kernel, voxels_inputs[i].name);
        if (error) {
            bench_fail(bench, name, "meshing", error);
            return error;
        }
        snprintf(note, sizeof note, "%u faces in %u quads", meshing->result.faces, meshing->result.start[ADIT_MESH_RANGES]);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .note = note,
                                                          .ours = {kernel, mesh_block, meshing},
                                                          .raw = {"reading the voxels", read_block, meshing}});
    }
    return error;
}

static int run(struct bench *bench)
{
    static const char *const kernels[] = {"scalar", "avx512"};
    struct meshing meshing = {.source = malloc(sizeof *meshing.source),
                              .result = {.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t)),
                                         .quads_max = ADIT_MESH_QUADS_MAX}};
    int error = 0;

    if (!meshing.source || !meshing.result.quads)
        return -ENOMEM;
    for (size_t k = 0; k < sizeof kernels / sizeof kernels[0] && !error; k++) {
        meshing.kernel = adit_mesh_kernel_named(kernels[k]);
        if (meshing.kernel)
            error = measure(bench, &meshing, kernels[k]);
        else
            bench_skip(bench, kernels[k], "this processor or this build has no such kernel");
    }
    return error;
}

const struct scene scene_mesh = {
    .name = "mesh",
    .what = "meshing a chunk with all neighbours, by kernel and input, one thread",
    .unit = "us",
    .goal = "",
    .cpus = 1,
    .run = run,
};
