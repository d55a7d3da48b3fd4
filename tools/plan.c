/* plan.c - the estimate of a version follows the encoding (runtime/encoding.h): by brick of 16^3, the bits its number of
 * materials needs, half a KiB of mask, and border planes; dense when a chunk has more than 256 materials. */
#include "tools/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/mesh.h"
#include "tools/interrupt.h"

#define SAMPLE_CHUNKS 40u
#define DATA_BYTES_MIN ((uint64_t)64 << 20)
#define DATA_BYTES_SPARE ((uint64_t)32 << 20)
#define CHUNK_BYTES_LEAST 2048u /* two heads, rounded */

struct sample {
    uint16_t voxels[ADIT_CHUNK_VOXELS];
    uint16_t marks[ADIT_MATERIALS]; /* the brick that saw a material last, plus one */
    uint8_t classes[ADIT_MATERIALS];
    uint64_t quads[ADIT_MESH_QUADS_MAX];
};

/* Different materials in the box of the given side, marked under number mark. */
static uint32_t materials_count(struct sample *s, uint32_t x0, uint32_t y0, uint32_t z0, uint32_t side, uint16_t mark)
{
    uint32_t n = 0;
    for (uint32_t z = z0; z < z0 + side; z++)
        for (uint32_t y = y0; y < y0 + side; y++)
            for (uint32_t x = x0; x < x0 + side; x++) {
                uint16_t m = s->voxels[(z * 64 + y) * 64 + x];
                n += s->marks[m] != mark;
                s->marks[m] = mark;
            }
    return n;
}

static uint64_t version_bytes(struct sample *s)
{
    memset(s->marks, 0, sizeof s->marks);
    if (materials_count(s, 0, 0, 0, 64, 1) > 256)
        return 640u << 10;
    uint64_t bytes = CHUNK_BYTES_LEAST;
    for (uint32_t b = 0; b < 64; b++) {
        uint32_t n = materials_count(s, b % 4 * 16, b / 4 % 4 * 16, b / 16 * 16, 16, (uint16_t)(b + 2));
        uint32_t bits = n <= 1 ? 0 : n <= 2 ? 1 : n <= 4 ? 2 : n <= 16 ? 4 : 8;
        bytes += bits * 512u + (bits ? 512 + 16 + 512 : 0); /* voxels; mask, palette, its share of the planes */
    }
    return bytes;
}

/* The bytes of the chunk in s->voxels: version and mesh. */
static uint64_t chunk_bytes(struct sample *s)
{
    struct adit_mesh_source source = {.voxels = s->voxels, .classes = s->classes, .dim = {64, 64, 64}};
    struct adit_mesh_result result = {.quads = s->quads, .quads_max = ADIT_MESH_QUADS_MAX};
    adit_mesh_kernel_best(NULL)(&source, &result);
    return version_bytes(s) + (uint64_t)result.start[ADIT_MESH_RANGES] * 8;
}

/* Walks the box: counts chunks that may hold voxels, and with sample looks at every `each`th of them. */
static int box_walk(struct adit_plan_world *pw, struct sample *s, uint64_t each, uint64_t *looked, uint64_t *bytes)
{
    const struct adit_world *w = pw->world;
    uint64_t turn = 0;
    for (int32_t x = w->chunk_min[0]; x < w->chunk_max[0]; x++)
        for (int32_t z = w->chunk_min[2]; z < w->chunk_max[2]; z++)
            for (int32_t y = w->chunk_min[1]; y < w->chunk_max[1]; y++) {
                if (!adit_world_has_chunk(w, x, y, z) || turn++ % each || !s)
                    continue;
                if (adit_interrupt_is_set())
                    return -EINTR;
                int got = adit_world_chunk(w, x, y, z, s->voxels);
                if (got < 0)
                    return got;
                ++*looked;
                *bytes += got ? chunk_bytes(s) : 0;
            }
    pw->chunks_may = turn;
    return 0;
}

static int world_look(struct adit_plan_world *pw, struct sample *s, struct adit_plan *plan)
{
    const struct adit_world *w = pw->world;
    snprintf(pw->kind, sizeof pw->kind, "%s", w->kind);
    memcpy(pw->voxel_min, w->voxel_min, sizeof pw->voxel_min);
    memcpy(pw->voxel_max, w->voxel_max, sizeof pw->voxel_max);
    pw->box_chunks = adit_feeder_box(w);
    pw->materials = w->material_count;
    pw->warnings = w->warning_count + w->warnings_dropped;
    for (uint32_t m = 1; m < ADIT_MATERIALS; m++)
        s->classes[m] = m <= w->material_count ? w->materials[m].class : ADIT_CLASS_OPAQUE;
    uint64_t looked = 0, bytes = 0;
    int status = box_walk(pw, NULL, 1, &looked, &bytes);
    if (!status)
        status = box_walk(pw, s, 1 + pw->chunks_may / SAMPLE_CHUNKS, &looked, &bytes);
    if (status && status != -EINTR)
        snprintf(plan->error, sizeof plan->error, "%s: can no longer be read: %s", pw->spec, strerror(-status));
    if (looked)
        plan->data_bytes += (uint64_t)((double)bytes / (double)looked * (double)pw->chunks_may);
    plan->chunks_may += pw->chunks_may;
    plan->materials += pw->materials;
    return status;
}

int adit_plan_make(char *const *specs, uint32_t count, struct adit_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    plan->worlds = calloc(count, sizeof *plan->worlds);
    struct sample *s = malloc(sizeof *s);
    int status = plan->worlds && s ? 0 : -ENOMEM;
    if (s)
        s->classes[0] = ADIT_CLASS_AIR;
    for (uint32_t i = 0; !status && i < count; i++) {
        struct adit_plan_world *pw = &plan->worlds[i];
        plan->count = i + 1;
        pw->spec = specs[i];
        status = adit_interrupt_is_set() ? -EINTR
                                         : adit_world_open(specs[i], &pw->world, plan->error, sizeof plan->error);
        if (!status)
            status = adit_feeder_world_check(pw->world, plan->error, sizeof plan->error);
        if (!status)
            status = world_look(pw, s, plan);
    }
    if (status == -ENOMEM && !*plan->error)
        snprintf(plan->error, sizeof plan->error, "not enough memory to look at the worlds");
    plan->data_bytes = 2 * plan->data_bytes + DATA_BYTES_SPARE;
    if (plan->data_bytes < DATA_BYTES_MIN)
        plan->data_bytes = DATA_BYTES_MIN;
    free(s);
    return status;
}

void adit_plan_close_worlds(struct adit_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        adit_world_close(plan->worlds[i].world);
        plan->worlds[i].world = NULL;
    }
}

void adit_plan_close(struct adit_plan *plan)
{
    adit_plan_close_worlds(plan);
    free(plan->worlds);
    plan->worlds = NULL;
    plan->count = 0;
}
