#include "kernels/voxels.h"

#include <string.h>

enum { BRICK = 16 };

/* One row of a brick, of which d is the descriptor: number row of its 256. */
static void brick_row(const struct adit_voxels *v, uint32_t d, uint32_t row, uint16_t *to)
{
    uint32_t code = adit_brick_code(d);
    if (!code) {
        uint16_t material = v->palette[adit_brick_place(d) & 0xff];
        for (uint32_t x = 0; x < BRICK; x++)
            to[x] = material;
        return;
    }
    const uint8_t *at = v->packed + adit_brick_place(d) * 16;
    if (code == 4) {
        for (uint32_t x = 0; x < BRICK; x++)
            to[x] = v->palette[at[row * BRICK + x]];
        return;
    }
    uint32_t bits = 1u << (code - 1), mask = (1u << bits) - 1;
    uint64_t packed = 0; /* 16 values of 1, 2 or 4 bits, the first one lowest */
    for (uint32_t i = 0; i < 2 * bits; i++)
        packed |= (uint64_t)at[ADIT_BRICK_LOCAL_BYTES + row * 2 * bits + i] << 8 * i;
    for (uint32_t x = 0; x < BRICK; x++, packed >>= bits)
        to[x] = v->palette[at[packed & mask]];
}

void adit_voxels_row(const struct adit_voxels *v, uint32_t y, uint32_t z, uint16_t row[ADIT_CHUNK_DIM])
{
    if (v->form == ADIT_VOXELS_DENSE) {
        memcpy(row, v->packed + (z * 64 + y) * 64 * sizeof *row, 64 * sizeof *row);
    } else if (v->form == ADIT_VOXELS_UNIFORM) {
        for (uint32_t x = 0; x < ADIT_CHUNK_DIM; x++)
            row[x] = v->uniform;
    } else {
        const uint32_t *bricks = v->bricks + z / BRICK * 16 + y / BRICK * 4;
        for (uint32_t b = 0; b < 4; b++)
            brick_row(v, bricks[b], z % BRICK * BRICK + y % BRICK, row + b * BRICK);
    }
}

uint64_t adit_voxels_match(const uint16_t row[ADIT_CHUNK_DIM], uint16_t material)
{
    uint8_t same[ADIT_CHUNK_DIM]; /* 0 or 1 */
    uint64_t equal = 0, eight;
    for (uint32_t x = 0; x < ADIT_CHUNK_DIM; x++)
        same[x] = row[x] == material;
    for (uint32_t i = 0; i < ADIT_CHUNK_DIM / 8; i++) {
        memcpy(&eight, same + i * 8, sizeof eight);
        equal |= (eight * 0x0102040810204080u >> 56) << i * 8; /* byte k of eight to bit k */
    }
    return material ? equal : ~equal;
}
