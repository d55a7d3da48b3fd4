/* lod.h - levels of detail: a volume halved, and how meshes of neighbouring levels meet without a hole.
 *
 * Halving. A voxel of the halved volume stands for a cell of 2x2x2 voxels. Fewer than four of the eight not air: it is air
 * (0). Else it is the material, air left out, that most of the eight have; of several that as many have, the lowest id.
 * Classes take no part, and air is id 0 alone: water counts like stone. Where the volume ends in the middle of a cell,
 * what is missing is air. Level n + 1 is level n halved, so all levels follow from level 0. The same as `voxoracle lod`.
 *
 *     level 0, a chunk of 64^3            level 1 of it, 32^3              a chunk of level 1, 64^3
 *     +----+----+----+----+               +----+----+                      +--------+--------+
 *     | 1  | 1  |    | 2  |               | 1  | 2  |                      | of     | of     |  each octant is one of the
 *     +----+----+----+----+   halved      +----+----+       put beside     | (0,0)  | (1,0)  |  eight chunks of level 0
 *     | 1  |    | 2  | 2  |  -------->    | ...| ...|      ----------->    +--------+--------+  halved; its voxels are
 *     +----+----+----+----+  (and in z)   +----+----+      seven others    | (0,1)  | (1,1)  |  twice as long
 *     | ...| ...| ...| ...|                                                +--------+--------+
 *
 * The steps of a halving say where rows lie, so that one call serves all uses:
 *
 *     adit_lod_kernel *halve = adit_lod_kernel_best(NULL);
 *     ... level 1 of a chunk as a volume that kernels/mesh.h takes, dim 32; and level 2 from that
 *     halve(&(struct adit_lod_halving){ .from = chunk, .to = one, .dim = { 64, 64, 64 } });
 *     halve(&(struct adit_lod_halving){ .from = one, .to = two, .dim = { 32, 32, 32 } });
 *     ... a chunk of level 1 from the eight that lie in it, i = x + 2y + 4z
 *     halve(&(struct adit_lod_halving){ .from = child[i], .to = parent + adit_lod_octant(i), .dim = { 64, 64, 64 } });
 *
 * Seams. Two chunks that touch at a side may be of levels n (finer) and n + 1 (coarser), never further apart. Each is
 * meshed with a border plane (kernels/mesh.h) that says what the other one, as it is drawn, leaves open:
 *
 *     the finer     each voxel of the plane is the coarser voxel that it stands before     adit_lod_plane_from_coarser
 *     the coarser   each voxel of the plane stands for the four finer ones before it:      adit_lod_plane_from_finer
 *                   opaque only if all four are
 *
 *      coarser | finer           The coarser voxel A is solid, and one of those before it is not: its whole face (#) is
 *     +--------#----+            drawn, and the part that a solid one hides costs nothing more.
 *     |   A    #    |            B is air, so the faces of the finer voxels before it are drawn (by the finer side).
 *     |        #----+
 *     |        # a  |
 *     +--------#----+
 *     |   B    # b  |
 *     |  (air) #----+
 *     |        # c  |
 *     +--------#----+
 *
 * Then, area by area of the finer side: where a voxel's face is visible (kernels/mesh.h) towards the voxel across the
 * border, a quad of its own side covers it. The finer side draws these faces and no others; the coarser draws a face of
 * its own when one of its four areas is visible. So the two meshes together hide the solid voxels of both as one mesh
 * hides its own, from every direction, and no skirts are needed: voxels of all levels end on the planes of one grid. The
 * neighbour's halved volume must not be taken for the plane: a cell with four solid voxels halves to solid, and would
 * hide a face that can be seen through the other four.
 * A plane of air (NULL) towards any neighbour is right, too, whatever its level; it only draws more. A chunk that is not
 * yet meshed with what it now touches has to be drawn so, and so has what touches it.
 */
#ifndef ADIT_LOD_H
#define ADIT_LOD_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/quad.h"

#define ADIT_LOD_LEVELS 6 /* times that a chunk can be halved: 32^3 to one voxel */

/* What is halved. from: materials of dim[] (1..64 a side) voxels, voxel (x,y,z) at z*from_layer + y*from_row + x; to: gets
 * (dim + 1) / 2 a side, likewise. Steps are in voxels; 0 stands for those of a chunk, 64 a row and 64*64 a layer. Rows
 * and layers must not overlap, nor may to and from. from may be memory that a hostile peer writes meanwhile: to is then
 * worthless, but nothing else is written, nothing beyond from is read, and the call ends. */
struct adit_lod_halving {
    const uint16_t *from;
    uint16_t *to;
    uint32_t from_row, from_layer, to_row, to_layer;
    uint8_t dim[3];
};

/* Halves. Pure: no system call, no allocation, any thread; nothing between the rows of to is written. Scratch memory is
 * on the stack, at most 32 KiB. Returns 0; or -EINVAL, with nothing written, when a pointer is NULL, a dim is not in
 * 1..64, or a row or layer is longer than its step. */
typedef int adit_lod_kernel(const struct adit_lod_halving *halving);

adit_lod_kernel adit_lod_scalar; /* the portable reference: the definition above, as code */
adit_lod_kernel adit_lod_avx2;   /* an illegal instruction on lesser processors: ask adit_lod_kernel_named first */
adit_lod_kernel adit_lod_avx512; /* likewise */

/* The kernel called name ("scalar", "avx2", "avx512"), or NULL when this build or this processor has none of that name, or the
 * environment variable ADIT_DISABLE takes it away (kernels/processor.h). scalar always stays. */
adit_lod_kernel *adit_lod_kernel_named(const char *name);

/* The fastest kernel of this processor, never NULL; *name (may be NULL) says which. Reads ADIT_DISABLE: ask once. */
adit_lod_kernel *adit_lod_kernel_best(const char **name);

/* Where octant i (bit 0: upper half of x, bit 1: of y, bit 2: of z) begins in the 64^3 voxels of a chunk. */
static inline uint32_t adit_lod_octant(uint32_t i)
{
    uint32_t half = ADIT_CHUNK_DIM / 2;
    return (i & 1) * half + (i >> 1 & 1) * half * ADIT_CHUNK_DIM + (i >> 2 & 1) * half * ADIT_CHUNK_DIM * ADIT_CHUNK_DIM;
}

/* For kernels. The halving with its zero steps filled in, into *full; false when it is not valid. */
bool adit_lod_halving_complete(const struct adit_lod_halving *halving, struct adit_lod_halving *full);

/* A border between two levels, as large as the finer volume's side. from, to: planes of 64x64 materials in the order of
 * kernels/mesh.h, v*64 + u; from is the outermost layer of the neighbour, or NULL for air. width, height: the finer
 * side's voxels along U and V, 1..64. u, v: where in the coarser side's plane this border begins, in the coarser side's
 * voxels: 0 or 32 for a chunk beside one of twice its length, 0 for two volumes of one length. */
struct adit_lod_border {
    const uint16_t *from;
    uint16_t *to;
    uint8_t width, height, u, v;
};

/* The plane that the finer volume is meshed with; from is of the coarser. Writes to[v*64 + u] for all u < width, v < height,
 * and nothing else. Pure. Returns 0, or -EINVAL, with nothing written, when to is NULL or a number does not fit. */
int adit_lod_plane_from_coarser(const struct adit_lod_border *border);

/* The plane that the coarser volume is meshed with, as far as this border goes: of one finer neighbour, so four calls fill the
 * plane of a chunk. from is of the finer; classes are those of kernels/mesh.h. Of four finer voxels: air if one is of
 * class air or beyond width or height; else an opaque one if all are; else the see-through one if it is the only one
 * there is; else air. Under ADIT_MESH_TT_NONE the last may show faces between see-through materials that could stay
 * hidden. Writes to[] for the (width + 1) / 2 by (height + 1) / 2 voxels from u, v, and nothing else. Pure. Returns as
 * above, and -EINVAL for classes NULL. */
int adit_lod_plane_from_finer(const struct adit_lod_border *border, const uint8_t *classes);

#endif
