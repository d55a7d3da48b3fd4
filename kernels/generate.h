/* generate.h - worlds made from a seed: terrain, noise50 and checker, a chunk at a time.
 *
 * Pure and integer only. A voxel is a function of seed and world coordinates alone, so chunks meet without seams,
 * whatever the order, thread or machine they are made on. The formulas are part of the interface: another
 * implementation (a GPU's) has to give the same voxels. World coordinates are X = 64*x + i and so on, y is up.
 *
 *     const struct adit_generator *world = adit_generator_named("terrain");
 *     if (!adit_generate_is_air(world, y))
 *         adit_generate(world, seed, x, y, z, voxels);
 *
 * noise50 (half of all voxels, at random) and checker (every second voxel, 4 materials): everywhere, with 64-bit X, Y, Z
 *     mix(a): a += 9E3779B97F4A7C15; a = (a ^ a>>30) * BF58476D1CE4E5B9; a = (a ^ a>>27) * 94D049BB133111EB; a ^ a>>31
 *     h3 = mix(mix(mix(seed ^ X*8DA6B343) + Y*D8163841) + Z*CB1AB31F)                          all modulo 2^64
 *     noise50 = h3 & 1               checker = (X+Y+Z) & 1 ? 0 : 1 + (X & 1) + 2*(Y & 1)
 *
 * Of level of detail lod: each 2^lod-th voxel along each axis, the middle ones: voxel (i,j,k) of chunk (x,y,z) is that of level 0 at
 * world coordinates ((64x + i) << lod) + (1 << lod >> 1), and so on. (So checker is all air at level 1 and has none beyond.) A chunk of any level takes about
 * as long as one of level 0; terrain up to some times as long.
 *
 * terrain: the formulas stand at the head of generate_terrain.c. Bedrock is at Y = 0, the sea at 40, everything at 127 or
 * below; beneath and above is air. So its levels to 6 show ground. At 7 the lowest voxel is at Y = 64 already, so there is one layer
 * of voxels, where mountains are higher; from 8 on the lowest is at 128, and all is air and costs nothing to make. Along x and z it goes on for 2^24 chunks and then repeats.
 */
#ifndef ADIT_GENERATE_H
#define ADIT_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/quad.h"

/* What a generator puts into voxels. Its id is its index in the table of the generator; index 0 is air. */
struct adit_generate_material {
    const char *name;
    uint32_t rgba; /* 0xRRGGBBAA */
    enum adit_class material_class;
};

struct adit_generator {
    const char *name;
    const char *summary; /* one line for people */
    const struct adit_generate_material *materials;
    uint32_t materials_n;
    int32_t y_min, y_max; /* chunks of other y are air */
    void (*fill)(uint64_t seed, uint32_t lod, int32_t x, int32_t y, int32_t z, uint16_t *voxels);
};

/* The generator called name, or NULL. */
const struct adit_generator *adit_generator_named(const char *name);

/* Generator number i, or NULL when there are no more: for lists. */
const struct adit_generator *adit_generator_at(uint32_t i);

/* Fills voxels, ADIT_CHUNK_VOXELS materials in the order of kernels/mesh.h, with the chunk (x,y,z). Any thread, no
 * allocation; at most 192 KiB of stack. */
void adit_generate(const struct adit_generator *generator, uint64_t seed, int32_t x, int32_t y, int32_t z,
                   uint16_t *voxels);

/* Whether all chunks at height y are air, whatever the seed. */
bool adit_generate_is_air(const struct adit_generator *generator, int32_t y);

/* The same of a level of detail, up to ADIT_GENERATE_LOD_MAX: that every voxel of the level is above or beneath the world. */
#define ADIT_GENERATE_LOD_MAX 15u
void adit_generate_level(const struct adit_generator *generator, uint64_t seed, uint32_t lod, int32_t x, int32_t y, int32_t z,
                         uint16_t *voxels);
bool adit_generate_level_is_air(const struct adit_generator *generator, uint32_t lod, int32_t y);

/* The fill of the generator "terrain" (generate_terrain.c), and its table. */
void adit_generate_terrain(uint64_t seed, uint32_t lod, int32_t x, int32_t y, int32_t z, uint16_t *voxels);
enum { ADIT_GENERATE_TERRAIN_MATERIALS = 24 };
extern const struct adit_generate_material adit_generate_terrain_materials[ADIT_GENERATE_TERRAIN_MATERIALS];

#endif
