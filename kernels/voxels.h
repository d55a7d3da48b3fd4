/* voxels.h - the voxels of a chunk as a published version keeps them, for kernels that work on that form directly.
 *
 * A chunk is 64^3 materials, index (z*64 + y)*64 + x: one material throughout, or 64 bricks of 16^3, or 64^3 words of 16 bits. A brick is number
 * (bz*4 + by)*4 + bx, voxel (z*16 + y)*16 + x inside it. Its descriptor:
 *
 *   bit  0      3      5                       20          26       32
 *        | bits | mask | value or place        | mask place |   0   |
 *
 *   bits code 0 uniform: value is the palette index. 1, 2, 3, 4 = 1, 2, 4, 8 bits a voxel, little endian in bytes, lowest
 *   bits first: place is in units of 16 bytes from packed on. There lies for 1, 2 and 4 bits a local palette of 16 bytes
 *   (palette indices of the 2, 4 or 16 values), then the indices; for 8 bits the palette indices themselves.
 *   mask 0: no voxel is opaque, 1: all are, 2: mixed (runtime/encoding.h says where the bits lie).
 *
 *     struct adit_voxels view;
 *     if (adit_voxels_view_within(version, bytes, &view))     runtime/encoding.h: judged, so nothing leads outside
 *         material = adit_voxels_at(&view, x, y, z);
 */
#ifndef ADIT_VOXELS_H
#define ADIT_VOXELS_H

#include <stdint.h>

#include "kernels/quad.h"

#define ADIT_BRICKS 64u
#define ADIT_BRICK_VOXELS 4096u
#define ADIT_BRICK_LOCAL_BYTES 16u /* the local palette of a brick of 1, 2 or 4 bits */
#define ADIT_PALETTE_MAX 256u

/* The parts of a brick's descriptor. */
enum adit_brick_mask { ADIT_BRICK_CLEAR, ADIT_BRICK_OPAQUE, ADIT_BRICK_MIXED };
static inline uint32_t adit_brick_make(uint32_t code, enum adit_brick_mask mask, uint32_t place, uint32_t mask_place)
{
    return code | (uint32_t)mask << 3 | place << 5 | mask_place << 20;
}
static inline uint32_t adit_brick_code(uint32_t d) { return d & 7; }
static inline uint32_t adit_brick_mask(uint32_t d) { return d >> 3 & 3; }
static inline uint32_t adit_brick_place(uint32_t d) { return d >> 5 & 0x7fff; }
static inline uint32_t adit_brick_mask_place(uint32_t d) { return d >> 20 & 63; }

enum adit_voxels_form { ADIT_VOXELS_UNIFORM, ADIT_VOXELS_BRICKS, ADIT_VOXELS_DENSE };

/* uniform: the material (0 for a removed chunk). palette, bricks: of BRICKS; entries beyond the palette are 0. packed: what bricks' places lead
 * to, `bytes` of it and all places inside; of DENSE the voxels, u16[64^3], on 2 bytes. What packed leads to may be memory that a hostile peer writes
 * meanwhile; the rest is private. */
struct adit_voxels {
    enum adit_voxels_form form;
    uint16_t uniform;
    uint32_t bytes;
    const uint8_t *packed;
    uint16_t palette[ADIT_PALETTE_MAX];
    uint32_t bricks[ADIT_BRICKS];
};

/* The material of one voxel, coordinates 0..63. Any thread. */
static inline uint16_t adit_voxels_at(const struct adit_voxels *v, uint32_t x, uint32_t y, uint32_t z)
{
    if (v->form == ADIT_VOXELS_UNIFORM)
        return v->uniform;
    if (v->form == ADIT_VOXELS_DENSE)
        return ((const uint16_t *)(const void *)v->packed)[(z * 64 + y) * 64 + x];
    uint32_t d = v->bricks[z / 16 * 16 + y / 16 * 4 + x / 16], code = adit_brick_code(d), i = (z % 16 * 16 + y % 16) * 16 + x % 16;
    if (!code)
        return v->palette[adit_brick_place(d) & 0xff];
    const uint8_t *at = v->packed + adit_brick_place(d) * 16;
    if (code == 4)
        return v->palette[at[i]];
    uint32_t bits = 1u << (code - 1), bit = i * bits;
    return v->palette[at[(uint32_t)at[ADIT_BRICK_LOCAL_BYTES + bit / 8] >> bit % 8 & ((1u << bits) - 1)]];
}

/* The 64 materials of the row along x at (y, z), 0..63: what adit_voxels_at says of each, in a fraction of the time. Any thread. */
void adit_voxels_row(const struct adit_voxels *v, uint32_t y, uint32_t z, uint16_t row[ADIT_CHUNK_DIM]);
/* Bit x is set where row[x] is material, or, for material 0, is not air. Any thread. */
uint64_t adit_voxels_match(const uint16_t row[ADIT_CHUNK_DIM], uint16_t material);

#endif
