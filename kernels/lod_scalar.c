/* lod_scalar.c - halving as kernels/lod.h defines it, in portable code: the specification for all other kernels.
 *
 * Most cells of a world hold one material, so that is asked first, two voxels (a pair along x) at a time; what follows is
 * the definition as it stands. Each voxel is read once, so a peer that writes them cannot lead a cell astray.
 */
#include "kernels/lod.h"

#include <errno.h>
#include <string.h>

/* The voxel of a cell with more than one value in it. */
static uint16_t cell_vote(const uint32_t pair[4])
{
    uint16_t voxel[8];
    uint32_t solid = 0, most = 0;
    memcpy(voxel, pair, sizeof voxel);
    uint16_t winner = 0;
    for (int i = 0; i < 8; i++)
        solid += voxel[i] != 0;
    if (solid < 4)
        return 0;
    for (int i = 0; i < 8; i++) {
        uint32_t n = 0;
        for (int k = 0; k < 8; k++)
            n += voxel[k] == voxel[i];
        if (voxel[i] && (n > most || (n == most && voxel[i] < winner))) {
            most = n;
            winner = voxel[i];
        }
    }
    return winner;
}

static inline uint32_t pair_at(const uint16_t *voxel)
{
    uint32_t pair;
    memcpy(&pair, voxel, sizeof pair);
    return pair;
}

/* One row of halved voxels from four rows of width voxels. */
static void row_halve(const uint16_t *const row[4], uint32_t width, uint16_t *to)
{
    for (uint32_t x = 0; x + 1 < width; x += 2) {
        const uint32_t pair[4] = { pair_at(row[0] + x), pair_at(row[1] + x), pair_at(row[2] + x), pair_at(row[3] + x) };
        uint16_t first = (uint16_t)pair[0];
        uint32_t differ = (pair[0] ^ first * 0x10001u) | (pair[0] ^ pair[1]) | (pair[0] ^ pair[2]) | (pair[0] ^ pair[3]);
        to[x / 2] = differ ? cell_vote(pair) : first;
    }
    if (width & 1) { /* the last cell is half air */
        uint16_t last[8] = { 0 };
        uint32_t pair[4];
        for (uint32_t i = 0; i < 4; i++)
            last[2 * i] = row[i][width - 1];
        memcpy(pair, last, sizeof pair);
        to[width / 2] = cell_vote(pair);
    }
}

int adit_lod_scalar(const struct adit_lod_halving *halving)
{
    static const uint16_t air[ADIT_CHUNK_DIM];
    struct adit_lod_halving h;
    if (!adit_lod_halving_complete(halving, &h))
        return -EINVAL;
    for (uint32_t z = 0; z < h.dim[2]; z += 2) {
        for (uint32_t y = 0; y < h.dim[1]; y += 2) {
            const uint16_t *row[4];
            for (uint32_t i = 0; i < 4; i++) {
                uint32_t at_y = y + (i & 1), at_z = z + (i >> 1);
                bool is_there = at_y < h.dim[1] && at_z < h.dim[2];
                row[i] = is_there ? h.from + (size_t)at_z * h.from_layer + (size_t)at_y * h.from_row : air;
            }
            row_halve(row, h.dim[0], h.to + (size_t)(z / 2) * h.to_layer + (size_t)(y / 2) * h.to_row);
        }
    }
    return 0;
}
