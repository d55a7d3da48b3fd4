/* anvil_column.h - the NBT of one chunk column, of any version from 1.2 to 1.21, to cubes of materials.
 *
 * A cube is 16^3 voxels (Anvil calls it a section), index (y * 16 + z) * 16 + x. It is kept small: the materials that
 * occur in it, each once, and 0, 4, 8 or 16 bits a voxel that say which. Materials here are *numbers*: 0 is air, n is
 * name n - 1 of the decoder's table; who reads a whole region makes dense ids of them.
 *
 *   1.2 .. 1.12     Level.Sections[]: Blocks, Data, Add            numeric ids (anvil_numeric.h)
 *   1.13 .. 1.15    Level.Sections[]: Palette, BlockStates         an index may span two longs
 *   1.16 .. 1.17    Level.Sections[]: Palette, BlockStates         no index spans two longs
 *   1.18 ..         sections[]: block_states { palette, data }     the same; a palette of one needs no data
 *
 * The length of the longs tells the two packings apart, so the version number is not asked.
 * Source: minecraft.wiki, "Chunk format" and "Chunk format/Anvil".
 */
#ifndef ADIT_ANVIL_COLUMN_H
#define ADIT_ANVIL_COLUMN_H

#include <stddef.h>
#include <stdint.h>

#include "tools/worlds/name_table.h"

#define ADIT_CUBE_DIM 16
#define ADIT_CUBE_VOXELS 4096
#define ADIT_CUBE_LEVELS 256 /* section Y is a signed byte: -128 .. 127 */
#define ADIT_CUBE_LEVEL_MIN (-128)
#define ADIT_CUBES_BYTES_MAX (512ull << 20) /* of all cubes of a region */
#define ADIT_COLUMN_POSITION_MAX (1 << 26)  /* beyond any world border; times 16 it fits an int */
#define ADIT_COLUMN_WHY_BYTES 160

struct adit_anvil_cube {
    uint16_t palette_count;
    uint8_t bits;     /* of an index: 0, 4, 8, 16 */
    uint16_t words[]; /* the palette, then the indices */
};

/* What all columns of a region share, and scratch memory. Zero-initialised before first use (a third of a MiB). */
struct adit_anvil_decoder {
    struct adit_name_table names;
    uint64_t cube_bytes;     /* of ADIT_CUBES_BYTES_MAX */
    uint16_t numeric[65536]; /* number of (id << 4 | data), 0 not yet known */
    uint16_t place[65536];   /* place of a number in the palette being made, + 1 */
    uint16_t numbers[ADIT_CUBE_VOXELS];
    uint16_t palette[ADIT_CUBE_VOXELS];
    uint64_t longs[1024];
};

struct adit_anvil_column {
    int32_t x, z;                                    /* as the column itself says */
    uint32_t level_begin, level_end;                 /* of the cubes there are; equal when there are none */
    struct adit_anvil_cube *cubes[ADIT_CUBE_LEVELS]; /* by level: section Y + 128; NULL is all air */
    uint32_t sections_count;                         /* that hold voxels, be they all air; 0: not generated */
    uint32_t cubes_damaged;                          /* left out; why says of the first */
};

void adit_anvil_decoder_fini(struct adit_anvil_decoder *decoder);

/* Decodes a column. Returns 0 with *column, to be freed with _free, also when some cubes are damaged; or -EOPNOTSUPP
 * (from before 1.2), -ENOMSG (entities or places, no voxels), -EBADMSG, -EFBIG, -ENOMEM. why, a few words, is written when something is wrong. */
int adit_anvil_column_decode(struct adit_anvil_decoder *decoder, const uint8_t *nbt, size_t bytes,
                             struct adit_anvil_column **column, char why[ADIT_COLUMN_WHY_BYTES]);

void adit_anvil_column_free(struct adit_anvil_column *column);

/* The palette index of voxel i. */
static inline uint32_t adit_anvil_cube_index(const struct adit_anvil_cube *cube, uint32_t i)
{
    const uint16_t *indices = cube->words + cube->palette_count;
    switch (cube->bits) {
    case 4:
        return (uint32_t)indices[i >> 2] >> (i & 3) * 4 & 15;
    case 8:
        return (uint32_t)indices[i >> 1] >> (i & 1) * 8 & 255;
    case 16:
        return indices[i];
    default:
        return 0;
    }
}

#endif
