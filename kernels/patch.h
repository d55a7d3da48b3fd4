/* patch.h - materials as textures: for meshes of ADIT_MESH_ANY_OPAQUE, whose quads run across materials, an atlas with a patch a quad.
 *
 * A *texel* is the material of one unit face. The patch of a quad of w x h is w x h texels: texel (i, j) is that of the voxel (x,y,z) + i*U + j*V of
 * quad.h. A quad of a single material, see-through ones always, needs no patch of its own: it is *flat*, and all flat quads of one material share one texel.
 *
 *     atlas, width x height     0 1 2 3 . .  . .         flat texels first: a texel a material, in the order of the first quad that has it
 *                               +---+-----+ +-+
 *                               |   |  b  | |c|          then patches, the tallest first, beside each other; upon one that is
 *                               | a +--+--+ +-+          lower than its shelf, others
 *                               |   | d|e |
 *                               +---+--+--+
 *
 * A place says where a quad's texels are:      bit  0        14     15      16       32
 *                                                   |   x    |  0   | flat |    y    |
 *
 * A renderer draws all quads alike: kernels/vertex_pull.glsl turns quad, place and corner into texel coordinates, which are the middle of the one texel for flat
 * quads, and the patch's corners for others. Texels are looked up, never filtered: patches have no margin.
 *
 *     struct adit_patch_atlas atlas = { .width = 256, .height_max = rows, .places = places, .materials = texels };
 *     if (adit_patch_make(&source, &mesh, &atlas) == -ENOSPC)
 *         ... grow texels to atlas.width * atlas.height, and make it again
 *
 * With height_max 0 it finds places alone: what a renderer asks that then writes straight into memory of its device.
 */
#ifndef ADIT_PATCH_H
#define ADIT_PATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/mesh.h"

#define ADIT_PATCH_WIDTH_MIN 64u
#define ADIT_PATCH_WIDTH_MAX 16384u
#define ADIT_PATCH_HEIGHT_MAX 65536u

#define ADIT_PATCH_FLAT 0x8000u /* of a place: one texel for the whole quad */
static inline uint32_t adit_patch_x(uint32_t place) { return place & 0x3fff; }
static inline uint32_t adit_patch_y(uint32_t place) { return place >> 16; }
static inline bool adit_patch_is_flat(uint32_t place) { return place & ADIT_PATCH_FLAT; }

/* Set by the caller. width: texels a row, a multiple of 64, ADIT_PATCH_WIDTH_MIN to _MAX: a patch is up to 64 wide, and what is beside the last ones of a
 * shelf is lost, so a narrow atlas (128 to 512) suits one chunk. height_max: rows there is room for, 0 to ADIT_PATCH_HEIGHT_MAX. places: one a quad of the mesh.
 * materials: width * height_max texels, or NULL. colours: likewise, or NULL; texels are then palette[material], which has ADIT_MATERIALS entries.
 * Comes out. height: rows needed. texels: those that belong to a patch or are flat; the others of these rows are left as they are. */
struct adit_patch_atlas {
    uint32_t width, height_max;
    uint32_t *places;
    uint16_t *materials;
    uint32_t *colours;
    const uint32_t *palette;
    uint32_t height, texels;
};

/* Finds a place for each quad of mesh, and writes the texels, from the source that it was made of (voxels or encoded, and dim, of it count). Meshes of any
 * flags will do; without ADIT_MESH_ANY_OPAQUE all quads are flat. Pure, any thread: no allocation, no system call; the same arguments give the same bytes.
 * Returns 0; or -ENOSPC when height_max rows are too few: height is what is needed (above ADIT_PATCH_HEIGHT_MAX only a wider atlas helps), places are those of
 * the whole atlas as far as they have 16 bits, and of the texels those are written whose patch ends within height_max; or -EINVAL when
 * the source is not valid, the mesh is no whole one or reaches beyond dim, or what the caller sets is not as said above: places are then worthless.
 * Voxels and quads may be memory that a hostile peer writes meanwhile (mesh itself and its start[] are the caller's own): texels are then worthless, but nothing
 * beyond the arrays named here is read or written, and the call ends. Stack: at most 176 KiB. */
int adit_patch_make(const struct adit_mesh_source *source, const struct adit_mesh_result *mesh, struct adit_patch_atlas *atlas);

#endif
