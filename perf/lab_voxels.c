/* lab_voxels.c - see lab_voxels.h. The sizes follow from runtime/encoding.h: a brick of two materials takes half a KiB and half a
 * KiB of mask, one of more than 16 materials 4 KiB. */
#include "perf/lab_voxels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/generate_noise.h"

#define SEED 1

const struct voxels_input voxels_inputs[] = {
    {"hills", "hills", 0, 0},     {"terrain", "terrain", 0, 0}, {"hills and sky", "terrain", 1, 0}, {"noise50", "noise50", 0, 0},
    {"checker", "checker", 0, 0}, {"empty", NULL, 0, 0},              {"full", NULL, 0, 1},
};
const uint32_t voxels_inputs_n = sizeof voxels_inputs / sizeof voxels_inputs[0];

/* Position-dependent noise in 0..n-1. */
static uint16_t noise(uint32_t index, uint32_t n)
{
    uint32_t h = index * 2654435761u;
    h = (h ^ h >> 15) * 2246822519u;
    h ^= h >> 13;
    return (uint16_t)(h % n);
}

void voxels_fill_sized(uint16_t *voxels, uint32_t size)
{
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
        uint32_t brick = (i >> 4 & 3) | (i >> 10 & 3) << 2 | (i >> 16 & 3) << 4;
        if (size == 0)
            voxels[i] = 1;
        else if (size == 1)
            voxels[i] = brick < 4 ? noise(i, 2) : 1;
        else if (size == 2)
            voxels[i] = brick < 60 ? noise(i, 2) : 1;
        else
            voxels[i] = (uint16_t)(1 + noise(i, 200));
    }
}

/* The layer of a neighbour that adjoins side `face`, in the order v*64 + u of kernels/quad.h. */
static void take_plane(uint16_t *plane, const uint16_t *neighbour, uint32_t face)
{
    uint32_t at[3];
    at[adit_face_axis(face)] = face & 1 ? 0 : ADIT_CHUNK_DIM - 1;
    for (uint32_t v = 0; v < ADIT_CHUNK_DIM; v++)
        for (uint32_t u = 0; u < ADIT_CHUNK_DIM; u++) {
            at[adit_face_u(face)] = u;
            at[adit_face_v(face)] = v;
            plane[v * ADIT_CHUNK_DIM + u] = neighbour[(at[2] * ADIT_CHUNK_DIM + at[1]) * ADIT_CHUNK_DIM + at[0]];
        }
}

/* Smooth noise of cells of 2^bits a side, 0..65535: N2 of kernels/generate_noise.h. */
static int32_t noise_at(uint32_t k, uint32_t bits, int32_t x, int32_t z)
{
    uint32_t key = adit_noise_key(SEED, k);
    int32_t cx = x >> bits, cz = z >> bits, wx = adit_noise_weight(x, bits), wz = adit_noise_weight(z, bits);
    int32_t near = adit_noise_lerp(adit_noise_point(key, cx, 0, cz), adit_noise_point(key, cx + 1, 0, cz), wx);
    int32_t far = adit_noise_lerp(adit_noise_point(key, cx, 0, cz + 1), adit_noise_point(key, cx + 1, 0, cz + 1), wx);
    return adit_noise_lerp(near, far, wz);
}

/* Rolling ground of grass on earth on stone: about 1,900 quads, as in the demonstrations of other meshers. heights: of the columns -1..64 a side. */
static uint16_t hill_at(int32_t heights[66][66], int32_t x, int32_t y, int32_t z)
{
    int32_t height = heights[z + 1][x + 1];
    return y > height ? 0 : y == height ? 3 : y > height - 4 ? 2 : 1;
}

static void fill_hills(struct voxels_source *source, int32_t x0, int32_t z0)
{
    int32_t heights[66][66];
    for (int32_t z = -1; z < 65; z++)
        for (int32_t x = -1; x < 65; x++)
            heights[z + 1][x + 1] = 16 + (noise_at(0, 5, x0 + x, z0 + z) * 22 >> 16) + (noise_at(1, 4, x0 + x, z0 + z) * 4 >> 16);
    for (int32_t z = 0; z < 64; z++)
        for (int32_t y = 0; y < 64; y++)
            for (int32_t x = 0; x < 64; x++)
                source->voxels[(z * 64 + y) * 64 + x] = hill_at(heights, x, y, z);
    for (int32_t v = 0; v < 64; v++)
        for (int32_t u = 0; u < 64; u++)
            for (int32_t side = 0; side < 2; side++) {
                int32_t beyond = side ? 64 : -1;
                source->planes[ADIT_FACE_NX + side][v * 64 + u] = hill_at(heights, beyond, u, v);
                source->planes[ADIT_FACE_NY + side][v * 64 + u] = hill_at(heights, u, beyond, v);
                source->planes[ADIT_FACE_NZ + side][v * 64 + u] = hill_at(heights, u, v, beyond);
            }
    for (uint32_t face = 0; face < ADIT_FACES; face++)
        source->mesh.plane[face] = source->planes[face];
}

static int fill_planes(struct voxels_source *source, const struct adit_generator *generator, int32_t x, int32_t y, int32_t z)
{
    uint16_t *neighbour = malloc(sizeof source->voxels);
    if (!neighbour)
        return -ENOMEM;
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        int32_t at[3] = {x, y, z};
        at[adit_face_axis(face)] += face & 1 ? 1 : -1;
        adit_generate(generator, SEED, at[0], at[1], at[2], neighbour);
        take_plane(source->planes[face], neighbour, face);
        source->mesh.plane[face] = source->planes[face];
    }
    free(neighbour);
    return 0;
}

static int fill(struct voxels_source *source, const struct voxels_input *input, int32_t x, int32_t z)
{
    memset(source, 0, sizeof *source);
    memset(source->classes + 1, ADIT_CLASS_OPAQUE, sizeof source->classes - 1);
    source->mesh = (struct adit_mesh_source){.voxels = source->voxels, .classes = source->classes, .dim = {64, 64, 64}};
    if (!input->generator) {
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            source->voxels[i] = input->material;
        return 0;
    }
    if (!strcmp(input->generator, "hills")) {
        fill_hills(source, x * 64, z * 64);
        return 0;
    }
    const struct adit_generator *generator = adit_generator_named(input->generator);
    if (!generator)
        return -ENOENT;
    for (uint32_t i = 0; i < generator->materials_n; i++)
        source->classes[i] = (uint8_t)generator->materials[i].material_class;
    adit_generate(generator, SEED, x, input->y, z, source->voxels);
    return fill_planes(source, generator, x, input->y, z);
}

int voxels_source_fill(struct voxels_source *source, const struct voxels_input *input)
{
    return voxels_source_fill_at(source, input, 0, 0);
}

int voxels_source_encode(struct voxels_source *source)
{
    struct adit_encode_plan *plan = malloc(adit_encode_plan_bytes());
    size_t bytes;
    if (!plan)
        return -ENOMEM;
    int error = adit_encode_plan(plan, source->voxels, source->classes, &bytes);
    adit_encode_write(plan, source->block);
    if (!adit_voxels_view_within((const void *)source->block, bytes, &source->encoded))
        error = -EBADMSG;
    source->published = source->mesh;
    source->published.voxels = NULL;
    source->published.encoded = &source->encoded;
    free(plan);
    return error;
}

int voxels_source_fill_at(struct voxels_source *source, const struct voxels_input *input, int32_t x, int32_t z)
{
    int error = fill(source, input, x, z);
    return error ? error : voxels_source_encode(source);
}
