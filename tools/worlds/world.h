/* world.h - one interface over every source of voxels: generators, MagicaVoxel, Minecraft Anvil, raw volumes.
 *
 *     struct adit_world *world;
 *     char error[ADIT_WORLD_LINE_BYTES];
 *     if (adit_world_open("castle.vox", &world, error, sizeof(error)))
 *         return fprintf(stderr, "%s\n", error), 2;
 *     for each key (x, y, z) of [chunk_min, chunk_max):
 *         if (adit_world_chunk(world, x, y, z, voxels) > 0)
 *             put it;
 *     adit_world_close(world);
 *
 * A world is a box of chunks of 64^3 voxels. y is up; the key of voxel v is floor(v / 64) on each axis. Voxels are
 * materials 1..material_count, 0 is air; the ids depend on the source alone, so every process that opens one source
 * sees the same ids.
 *
 * Specs
 *     terrain[:SEED][:XxYxZ]     hills, caves, water, ores; sizes in chunks, 8x2x8 unless given
 *     noise50[:SEED][:XxYxZ]     every voxel solid with probability one half; 2x2x2
 *     checker[:SEED][:XxYxZ]     every second voxel solid; 2x2x2
 *     FILE.vox                   MagicaVoxel, versions 150 and 200; its z axis becomes y
 *     FILE.mca                   Minecraft Anvil region, 1.2 to 1.21, at its absolute coordinates
 *     FILE.raw:X,Y,Z[:u16]       bytes (or little-endian 16 bit) with x running fastest, then y, then z; a value is its
 *                                own material id
 *
 * Files are hostile until read: memory is bounded by the limits of each reader (README.md), what is damaged is left
 * out and named in a warning, and a file of which nothing is sound is an error.
 *
 * A world does not change once open: any number of threads may call adit_world_chunk on one world at once.
 */
#ifndef ADIT_WORLD_H
#define ADIT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/generate.h"

#define ADIT_WORLD_LINE_BYTES 512 /* no error line and no warning is longer, its end included */

/* What a material is called and how it looks. */
struct adit_world_material {
    const char *name;
    uint32_t rgba; /* 0xRRGGBBAA */
    uint8_t class; /* enum adit_class */
};

struct adit_world {
    const char *spec; /* as given to adit_world_open */
    const char *kind; /* "terrain", "noise50", "checker", "vox", "mca", "raw" */
    /* The box of keys that may hold voxels and the box of voxels themselves (of whole 16^3 cubes in a region file);
     * min inclusive, max exclusive; min == max when the world holds no voxel. */
    int32_t chunk_min[3], chunk_max[3];
    int32_t voxel_min[3], voxel_max[3];
    /* materials[0] is air, materials[1..material_count] are the others. */
    const struct adit_world_material *materials;
    uint32_t material_count;
    /* Region files: chunk columns read, those left out because they are damaged, and those that are beyond the limits: sound as
     * far as one knows, but too large. 0 for other sources. */
    uint32_t columns_read, columns_skipped, columns_large;
    /* .vox: references of the scene that lead nowhere and models that lost voxels, all left out because they are damaged; and
     * models left out because they stand too far from the origin. */
    uint32_t parts_skipped, models_far;
    /* One line for each thing left out or mended, with its place. Lines beyond the limit are only counted. */
    const char *const *warnings;
    uint32_t warning_count, warnings_dropped;
    /* Of a built-in world what makes its chunks, and from what, so that another maker of the same voxels (gpu/generate_batch.h) can; NULL: it is read from a file. */
    const struct adit_generator *generator;
    uint64_t seed;
    struct adit_world_source *source; /* the reader's own, world_source.h */
};

/* Opens the world that spec names. Reads and decodes the source, so it may take a second for a large file; later calls
 * touch memory only (raw volumes: the file). Returns 0 and *out, to be closed with adit_world_close; or a negative
 * errno, *out = NULL and one line in error (when error_bytes > 0) that names the file, the place and the cure:
 * -EINVAL a spec or a file that is not understood, -EFBIG one beyond the limits, -EBADMSG a file with nothing sound
 * in it, -ENOMEM, and what open(2) and read(2) return. */
int adit_world_open(const char *spec, struct adit_world **out, char *error, size_t error_bytes);

/* Frees world; NULL is accepted. */
void adit_world_close(struct adit_world *world);

/* Fills voxels, index (z * 64 + y) * 64 + x, with the chunk at a key, all of it, wherever the key lies. Returns 1 when
 * it holds any voxel, 0 when it is all air, or a negative errno when the file can no longer be read (raw volumes). */
int adit_world_chunk(const struct adit_world *world, int32_t x, int32_t y, int32_t z,
                     uint16_t voxels[ADIT_CHUNK_VOXELS]);

/* Whether the chunk at a key may hold a voxel: false is certain and costs some nanoseconds, true is a maybe. */
bool adit_world_has_chunk(const struct adit_world *world, int32_t x, int32_t y, int32_t z);

#endif
