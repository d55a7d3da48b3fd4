/* rim.h - the cells diagonal to a chunk, which ambient occlusion needs beside the six border planes: where they lie, what is in them.
 *
 * Twenty chunks touch one along an edge or at a corner; of each the cells nearest to it count, 64 or one. Places 0..11 are the edges and 12..19 the
 * corners, in the order of struct adit_mesh_rim (kernels/mesh.h):
 *
 *            12 + i + 2 j + 4 k             place axis * 4 + i + 2 * j: along axis, beyond the low (0) or high (1) side of
 *                 \   2 * 4 ..              the two other axes, in the order x, y, z
 *                  o------------o
 *                 /|           /            If the cells that a chunk shows to the one at place p have changed, then all of
 *         1 * 4 ../ | 0 * 4 .. /             its sides adit_rim_sides(p) have: a cell of an edge lies in two border planes,
 *                o------------o              one of a corner in three. So the hashes of borders tell publishers whom to mark.
 *
 * Materials are read, not the masks of versions: a mask was made with the classes known when its version was published, and a material
 * may be named afterwards, though it should not (adit.h). With classes as they are when the mesh is made, a rim agrees with the planes and voxels
 * that the kernel judges by the same table. The hash is one of materials, too, so whoever verifies needs no classes.
 *
 *     struct adit_rim_cells cells;
 *     adit_rim_read(arena, packed, &cells, &newest_ns);          inside a section
 *     adit_rim_opacity(&cells, classes, &rim);                   for a kernel
 */
#ifndef ADIT_RIM_H
#define ADIT_RIM_H

#include "kernels/kernels.h"
#include "shm/shm.h"

#define ADIT_RIM_EDGES 12u
#define ADIT_RIM_PLACES 20u

/* Materials, by place; 0 where no chunk is. */
struct adit_rim_cells {
    uint16_t edge[ADIT_RIM_EDGES][ADIT_CHUNK_DIM];
    uint16_t corner[ADIT_RIM_PLACES - ADIT_RIM_EDGES];
};

/* Which way the chunk at place lies: -1, 0 or 1 along each axis. */
static inline void adit_rim_step(uint32_t place, int32_t step[3])
{
    uint32_t axis = place / 4, side = place < ADIT_RIM_EDGES ? place % 4 : place - ADIT_RIM_EDGES;
    for (uint32_t a = 0; a < 3; a++) {
        bool is_along = place < ADIT_RIM_EDGES && a == axis;
        step[a] = is_along ? 0 : side & 1 ? 1 : -1;
        side >>= !is_along;
    }
}

/* The sides of a chunk that meet where it touches the one at place: a bit a face, two or three. */
static inline uint32_t adit_rim_sides(uint32_t place)
{
    int32_t step[3];
    uint32_t sides = 0;
    adit_rim_step(place, step);
    for (uint32_t a = 0; a < 3; a++)
        sides |= (uint32_t)(step[a] != 0) << (2 * a + (step[a] > 0));
    return sides;
}

/* The cells around the chunk of the packed key, as the current versions there have them, missing and damaged ones air. *newest_ns is raised to
 * when the latest of them was published. Inside a section, or where nobody publishes. Bounded, whatever lies in memory; lock-free, no system call.
 * Some 2 us where all twenty are there and in the cache, ten times that where none is. */
void adit_rim_read(const struct adit_arena *arena, uint64_t packed, struct adit_rim_cells *cells, uint64_t *newest_ns);

/* What a mesh keeps of the cells it was made with; never 0. */
uint32_t adit_rim_hash(const struct adit_rim_cells *cells);

/* Which of them are opaque. classes: as in struct adit_mesh_source. */
void adit_rim_opacity(const struct adit_rim_cells *cells, const uint8_t *classes, struct adit_mesh_rim *rim);

#endif
