/* scene_mesh.c - meshing a chunk of 64^3 with all neighbours, by kernel, input and form, one thread: the version as it is published, which is what
 * dispatchers mesh, and plain voxels of 16 bits. Finding out which voxels are solid counts. The raw limit is one read of 256 KiB from the
 * cache, a byte a voxel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perf/raw.h"
#include "perf/scenes.h"
#include "perf/lab_voxels.h"

struct meshing {
    struct voxels_source *source;
    const struct adit_mesh_source *form;
    adit_mesh_kernel *kernel;
    struct adit_mesh_result result;
};

static double mesh_block(void *context, uint64_t rounds)
{
    struct meshing *meshing = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        error |= meshing->kernel(meshing->form, &meshing->result);
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double read_block(void *context, uint64_t rounds)
{
    struct meshing *meshing = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        raw_read(meshing->source->voxels, ADIT_CHUNK_VOXELS);
    return (clock_now_ns() - from) / (double)rounds;
}

/* What is aimed at, for versions as they are published, of reading 256 KiB: that took 1.6 us in the hour of which the goals in microseconds are. */
static const struct goal_of {
    const char *kernel, *input;
    double us;
} goals[] = {
    {"scalar", "hills", 60}, {"avx2", "hills", 27}, {"avx512", "hills", 15}, {"avx512", "noise50", 400}, {"avx512", "checker", 650},
    {"avx512", "empty", 0.3}, {"avx512", "full", 0.3},
};

static struct goal goal_of(const char *kernel, const char *input)
{
    for (size_t i = 0; i < sizeof goals / sizeof goals[0]; i++)
        if (!strcmp(goals[i].kernel, kernel) && !strcmp(goals[i].input, input))
            return (struct goal){GOAL_RATIO, goals[i].us / 1.6};
    return (struct goal){GOAL_NONE, 0};
}

static int measure_form(struct bench *bench, struct meshing *meshing, const char *kernel, const char *input, bool is_published)
{
    char name[64], note[96];
    meshing->form = is_published ? &meshing->source->published : &meshing->source->mesh;
    int error = meshing->kernel(meshing->form, &meshing->result);
    snprintf(name, sizeof name, "%s, %s%s", kernel, input, is_published ? "" : ", plain");
    if (error) {
        bench_fail(bench, name, "meshing", error);
        return error;
    }
    snprintf(note, sizeof note, "%u faces in %u quads", meshing->result.faces, meshing->result.start[ADIT_MESH_RANGES]);
    return bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .note = note,
                                                     .goal = is_published ? goal_of(kernel, input) : (struct goal){GOAL_NONE, 0},
                                                     .ours = {kernel, mesh_block, meshing},
                                                     .raw = {"reading 256 KiB", read_block, meshing}});
}

static int measure(struct bench *bench, struct meshing *meshing, const char *kernel)
{
    int error = 0;
    for (uint32_t i = 0; i < voxels_inputs_n && !error; i++) {
        error = voxels_source_fill(meshing->source, &voxels_inputs[i]);
        if (error) {
            bench_fail(bench, voxels_inputs[i].name, "its voxels", error);
            return error;
        }
        error = measure_form(bench, meshing, kernel, voxels_inputs[i].name, true);
        if (!error)
            error = measure_form(bench, meshing, kernel, voxels_inputs[i].name, false);
    }
    return error;
}

static int run(struct bench *bench)
{
    static const char *const kernels[] = {"scalar", "avx2", "avx512"};
    struct meshing meshing = {.source = aligned_alloc(64, sizeof *meshing.source),
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
    .goal = "terrain of some 1,800 quads in the time of 9 reads of 256 KiB, 17 with AVX2, 38 without; noise, checker, empty and full as in scene_mesh.c",
    .cpus = 1,
    .run = run,
};
