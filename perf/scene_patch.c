/* scene_patch.c - an atlas for a chunk's quads of any material: finding places and writing texels. The raw limit is a copy of as much as must be read and
 * written: the quads, their places, and a material for each face. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perf/lab_voxels.h"
#include "perf/scenes.h"

enum { QUADS_MAX = 1 << 20, WIDTH = 64, ROWS_MAX = 1 << 14 };

struct patching {
    struct voxels_source *source;
    struct adit_mesh_result mesh;
    struct adit_patch_atlas atlas;
    uint64_t *quads;
    uint32_t *places;
    uint16_t *texels; /* these three are copied to */
};

static double make(struct patching *p, const struct adit_mesh_source *source, uint64_t rounds)
{
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        error |= adit_patch_make(source, &p->mesh, &p->atlas);
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double plain_block(void *context, uint64_t rounds)
{
    struct patching *p = context;
    return make(p, &p->source->mesh, rounds);
}

static double published_block(void *context, uint64_t rounds)
{
    struct patching *p = context;
    return make(p, &p->source->published, rounds);
}

static double copy_block(void *context, uint64_t rounds)
{
    struct patching *p = context;
    uint32_t n = p->mesh.start[ADIT_MESH_RANGES];
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        memcpy(p->quads, p->mesh.quads, n * sizeof *p->quads);
        memcpy(p->places, p->atlas.places, n * sizeof *p->places);
        memcpy(p->texels, p->atlas.materials, p->mesh.faces * sizeof *p->texels);
        bench_compiler_barrier();
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static int measure(struct bench *bench, struct patching *p, const struct voxels_input *input)
{
    p->source->mesh.flags = p->source->published.flags = ADIT_MESH_ANY_OPAQUE;
    int error = adit_mesh_kernel_best(NULL)(&p->source->mesh, &p->mesh);
    if (!error)
        error = adit_patch_make(&p->source->mesh, &p->mesh, &p->atlas);
    if (error) {
        bench_fail(bench, input->name, "its atlas", error);
        return error;
    }
    uint32_t n = p->mesh.start[ADIT_MESH_RANGES];
    char note[96], published[64];
    snprintf(note, sizeof note, "%u faces, %u quads: %u texels in %u rows of %d", p->mesh.faces, n, p->atlas.texels, p->atlas.height, WIDTH);
    snprintf(published, sizeof published, "%s, published", input->name);
    const struct bench_side raw = {"copying quads, places, faces", copy_block, p};
    error = bench_measure(bench, &(struct bench_spec){.figure = input->name, .unit = "us", .scale = 1e-3, .note = note,
                                                      .ours = {"plain", plain_block, p}, .raw = raw});
    return error ? error : bench_measure(bench, &(struct bench_spec){.figure = published, .unit = "us", .scale = 1e-3, .note = note,
                                                                     .ours = {"published", published_block, p}, .raw = raw});
}

/* Hills of which every voxel has one of four materials by its place: nearly all faces end in patches. */
static int measure_motley(struct bench *bench, struct patching *p)
{
    const struct voxels_input motley = {"hills of four materials", NULL, 0, 0};
    int error = voxels_source_fill(p->source, &voxels_inputs[0]);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS && !error; i++)
        if (p->source->voxels[i])
            p->source->voxels[i] = (uint16_t)(1 + (i * 2654435761u >> 20) % 4);
    if (!error)
        error = voxels_source_encode(p->source);
    return error ? error : measure(bench, p, &motley);
}

static int run(struct bench *bench)
{
    struct patching p = {.source = malloc(sizeof *p.source),
                         .mesh = {.quads = malloc(QUADS_MAX * sizeof(uint64_t)), .quads_max = QUADS_MAX},
                         .atlas = {.width = WIDTH, .height_max = ROWS_MAX, .places = malloc(QUADS_MAX * sizeof(uint32_t)),
                                   .materials = malloc((size_t)WIDTH * ROWS_MAX * sizeof(uint16_t))},
                         .quads = malloc(QUADS_MAX * sizeof(uint64_t)),
                         .places = malloc(QUADS_MAX * sizeof(uint32_t)),
                         .texels = malloc((size_t)WIDTH * ROWS_MAX * sizeof(uint16_t))};
    int error = 0;
    if (!p.source || !p.mesh.quads || !p.atlas.places || !p.atlas.materials || !p.quads || !p.places || !p.texels)
        return -ENOMEM;
    for (uint32_t i = 0; i < voxels_inputs_n && !error; i++) {
        error = voxels_source_fill(p.source, &voxels_inputs[i]);
        if (error)
            bench_fail(bench, voxels_inputs[i].name, "filling the chunk", error);
        else if (voxels_inputs[i].generator || voxels_inputs[i].material)
            error = measure(bench, &p, &voxels_inputs[i]);
    }
    return error ? error : measure_motley(bench, &p);
}

const struct scene scene_patch = {
    .name = "patch",
    .what = "an atlas for a chunk's quads of any material: places and texels, by input",
    .unit = "us",
    .goal = "",
    .cpus = 1,
    .run = run,
};
