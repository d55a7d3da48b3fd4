/* generate.c - the list of generators, and the two of which every voxel is a formula: noise50 and checker. */
#include "kernels/generate.h"

#include <stddef.h>
#include <string.h>

enum { DIM = ADIT_CHUNK_DIM };

static uint64_t mix(uint64_t a)
{
    a += 0x9e3779b97f4a7c15u;
    a = (a ^ (a >> 30)) * 0xbf58476d1ce4e5b9u;
    a = (a ^ (a >> 27)) * 0x94d049bb133111ebu;
    return a ^ (a >> 31);
}

static uint64_t world(uint32_t lod, int32_t chunk, uint32_t i) /* a world coordinate, modulo 2^64 */
{
    return ((uint64_t)((int64_t)chunk * DIM + i) << lod) + (1u << lod >> 1);
}

static void fill_noise50(uint64_t seed, uint32_t lod, int32_t x, int32_t y, int32_t z, uint16_t *voxels)
{
    uint64_t along_x[DIM];
    for (uint32_t i = 0; i < DIM; i++)
        along_x[i] = mix(seed ^ world(lod, x, i) * 0x8da6b343u);
    for (uint32_t j = 0; j < DIM; j++) {
        for (uint32_t i = 0; i < DIM; i++) {
            uint64_t along_xy = mix(along_x[i] + world(lod, y, j) * 0xd8163841u);
            for (uint32_t k = 0; k < DIM; k++)
                voxels[(k * DIM + j) * DIM + i] = mix(along_xy + world(lod, z, k) * 0xcb1ab31fu) & 1;
        }
    }
}

static void fill_checker(uint64_t seed, uint32_t lod, int32_t x, int32_t y, int32_t z, uint16_t *voxels)
{
    (void)seed;
    for (uint32_t k = 0; k < DIM; k++) {
        for (uint32_t j = 0; j < DIM; j++) {
            for (uint32_t i = 0; i < DIM; i++) {
                uint64_t wx = world(lod, x, i), wy = world(lod, y, j), wz = world(lod, z, k);
                uint16_t material = (uint16_t)(1 + (wx & 1) + 2 * (wy & 1));
                voxels[(k * DIM + j) * DIM + i] = (wx + wy + wz) & 1 ? 0 : material;
            }
        }
    }
}

static const struct adit_generate_material noise50_materials[] = {
    { "air", 0, ADIT_CLASS_AIR },
    { "noise", 0x9aa5b1ff, ADIT_CLASS_OPAQUE },
};

static const struct adit_generate_material checker_materials[] = {
    { "air", 0, ADIT_CLASS_AIR },
    { "checker 1", 0xd1495bff, ADIT_CLASS_OPAQUE },
    { "checker 2", 0xedae49ff, ADIT_CLASS_OPAQUE },
    { "checker 3", 0x00798cff, ADIT_CLASS_OPAQUE },
    { "checker 4", 0x30638eff, ADIT_CLASS_OPAQUE },
};

enum {
    NOISE50_MATERIALS = sizeof noise50_materials / sizeof *noise50_materials,
    CHECKER_MATERIALS = sizeof checker_materials / sizeof *checker_materials,
};

static const struct adit_generator generators[] = {
    { "terrain", "hills, mountains, rivers, caves, ores and woods", adit_generate_terrain_materials,
      ADIT_GENERATE_TERRAIN_MATERIALS, 0, 1, adit_generate_terrain },
    { "noise50", "half of all voxels at random: much work for a mesher", noise50_materials, NOISE50_MATERIALS, INT32_MIN,
      INT32_MAX, fill_noise50 },
    { "checker", "every second voxel: the most work for a mesher", checker_materials, CHECKER_MATERIALS, INT32_MIN,
      INT32_MAX, fill_checker },
};
enum { GENERATORS = sizeof generators / sizeof *generators };

const struct adit_generator *adit_generator_at(uint32_t i)
{
    return i < GENERATORS ? &generators[i] : NULL;
}

const struct adit_generator *adit_generator_named(const char *name)
{
    for (int i = 0; i < GENERATORS; i++)
        if (!strcmp(generators[i].name, name))
            return &generators[i];
    return NULL;
}

/* By the voxels that are made, not by all that lie between them. */
bool adit_generate_level_is_air(const struct adit_generator *generator, uint32_t lod, int32_t y)
{
    int64_t lowest = (int64_t)y * DIM * (1 << lod) + (1 << lod >> 1), highest = lowest + (DIM - 1) * ((int64_t)1 << lod);
    return highest < (int64_t)generator->y_min * DIM || lowest >= ((int64_t)generator->y_max + 1) * DIM;
}

bool adit_generate_is_air(const struct adit_generator *generator, int32_t y) { return adit_generate_level_is_air(generator, 0, y); }

void adit_generate_level(const struct adit_generator *generator, uint64_t seed, uint32_t lod, int32_t x, int32_t y, int32_t z,
                         uint16_t *voxels)
{
    if (adit_generate_level_is_air(generator, lod, y))
        memset(voxels, 0, ADIT_CHUNK_VOXELS * sizeof *voxels);
    else
        generator->fill(seed, lod, x, y, z, voxels);
}

void adit_generate(const struct adit_generator *generator, uint64_t seed, int32_t x, int32_t y, int32_t z,
                   uint16_t *voxels)
{
    adit_generate_level(generator, seed, 0, x, y, z, voxels);
}
