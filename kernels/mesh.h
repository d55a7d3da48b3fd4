/* mesh.h - from the voxels of a chunk to its quads: the definition of a mesh, and who makes one.
 *
 * Visibility. The unit face of voxel a (a not air) towards its neighbour b is visible iff
 *     b is air                                -> yes
 *     b is opaque                             -> no
 *     b translucent or cutout, a opaque       -> yes
 *     b and a both translucent or cutout      -> a != b: yes (no under ADIT_MESH_TT_NONE); a == b: only if cutout
 * A neighbour beyond the volume is read from the border plane of that side; a missing plane is air. What lies in voxels
 * or planes beyond dim[] takes no part. Air is every material of class air, opaque and so on likewise.
 *
 * Order. Quads are emitted range by range (face -X +X -Y +Y -Z +Z, within it class opaque, translucent, cutout), within
 * a range by layer along the face's axis ascending, then by v ascending, then by u ascending of the quad's first voxel.
 * Greedy: the first uncovered visible face in (v,u) order is widened along u while the same material of the same
 * visibility and layer goes on uncovered, then heightened along v while whole rows do. Culled: one quad a visible unit
 * face. The result is a function of the source alone: every kernel gives the same bytes.
 *
 * Merge keys. What faces must share to lie in one quad, besides class and layer:
 *     neither flag nor light   the material; AO is ADIT_QUAD_AO_OPEN, light 0
 *     ADIT_MESH_AO             and the ambient occlusion, such that interpolating a quad's corners gives each face its own: two faces next to each
 *                              other along u merge if their AO is equal and does not change along u (u0v0 = u1v0, u0v1 = u1v1), along v likewise
 *     light                    and the light
 *     ADIT_MESH_ANY_OPAQUE     not the material, among opaque faces: kernels/patch.h gives such quads their materials as textures. The quad has the
 *                              material of its first face
 * The AO of a corner of a face counts the opaque cells among the three around that corner in the layer before the face, a and b beside it and d
 * diagonal to it: 0 if a and b are, else 3 - a - b - d. (Lysenko, "Ambient occlusion for Minecraft-like worlds", 0fps.net, 2013.) Cells beyond the volume
 * are looked up in the planes, those beyond two or three of its sides in the rim. The light of a face is that of the cell before it.
 *
 * Example:
 *     adit_mesh_kernel *mesh = adit_mesh_kernel_best(NULL);
 *     struct adit_mesh_source source = { .voxels = voxels, .classes = classes, .dim = { 64, 64, 64 } };
 *     struct adit_mesh_result result = { .quads = quads, .quads_max = 65536 };
 *     if (mesh(&source, &result) == -ENOSPC)
 *         ... grow quads to result.start[ADIT_MESH_RANGES] and mesh again
 */
#ifndef ADIT_MESH_H
#define ADIT_MESH_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/voxels.h"

enum { ADIT_MESH_CULLED = 1u, ADIT_MESH_TT_NONE = 2u, ADIT_MESH_AO = 4u, ADIT_MESH_ANY_OPAQUE = 8u }; /* flags of a source */

/* No volume has more quads than this: every face of every voxel, which see-through materials can show. */
#define ADIT_MESH_QUADS_MAX (ADIT_CHUNK_VOXELS * ADIT_FACES)

/* Which cells diagonal to a volume are opaque, for AO. edge[axis * 4 + i + 2 * j]: bit k is the cell at k along axis, beyond the low (0) or high (1)
 * side of the first other axis (i) and of the second (j), in the order x, y, z. corner: bit i + 2 * j + 4 * k for the sides of x, y, z. */
struct adit_mesh_rim {
    uint64_t edge[12];
    uint8_t corner;
};

/* What is meshed. voxels: 64^3 materials, index (z*64 + y)*64 + x; only the first dim[] (1..64) a side take part. encoded, unless NULL: the
 * voxels in the form of a published version instead, dim[] 64 each.
 * plane[f]: the 64x64 materials next to side f, index v*64 + u with the (U,V) of quad.h, or NULL for air; on a + side
 * it adjoins voxel dim-1. classes: enum adit_class of every material, ADIT_MATERIALS entries, of which the two low bits
 * count; classes[0] is air. rim: what lies diagonal to the volume, or NULL for air. light: 64^3 values whose low 10 bits count, in the order of voxels,
 * or NULL; light_plane[f]: those next to side f, as plane[f], or NULL for 0; without light they do not count.
 * All arrays, and what encoded->packed leads to, may be memory that a hostile peer writes meanwhile: the quads are then worthless, but nothing beyond
 * the arrays named here is read or written, and the call ends. This structure itself and *encoded are the caller's, and so are quads. */
struct adit_mesh_source {
    const uint16_t *voxels;
    const struct adit_voxels *encoded;
    const uint16_t *plane[ADIT_FACES];
    const uint8_t *classes;
    const struct adit_mesh_rim *rim;
    const uint16_t *light, *light_plane[ADIT_FACES];
    uint8_t dim[3];
    uint8_t flags;
};

/* What comes out. start[r]..start[r+1] is range r in quads[]; start[ADIT_MESH_RANGES] is the count. bounds: smallest and
 * largest voxel that carries a quad, per axis (lo > hi when the mesh is empty: lo 63, hi 0). faces: unit faces covered. */
struct adit_mesh_result {
    uint64_t *quads;
    uint32_t quads_max;
    uint32_t start[ADIT_MESH_RANGES + 1];
    uint8_t bounds_lo[3], bounds_hi[3];
    uint32_t faces;
};

/* Meshes source into result (quads and quads_max set by the caller). Pure: no system call, no allocation, any thread.
 * Returns 0; or -ENOSPC when quads_max is too small: all of result is then as it would be with room enough
 * (start[ADIT_MESH_RANGES] is the number needed), quads[] holds the first quads_max quads, and nothing beyond them was
 * written; or -EINVAL when the source is not valid, with result an empty mesh. Scratch memory is on the stack, at most ADIT_MESH_STACK_BYTES (twelve
 * fields of a bit a voxel, 32 KiB each, are half of it; what a chunk does not need of them is not touched). */
#define ADIT_MESH_STACK_BYTES (832u << 10)
typedef int adit_mesh_kernel(const struct adit_mesh_source *source, struct adit_mesh_result *result);

adit_mesh_kernel adit_mesh_scalar; /* portable: it runs on every processor */
adit_mesh_kernel adit_mesh_avx2;   /* an illegal instruction on lesser processors: ask adit_mesh_kernel_named first */
adit_mesh_kernel adit_mesh_avx512; /* likewise */

/* The kernel called name ("scalar", "avx2", "avx512"), or NULL when this build or this processor has none of that name, or the
 * environment variable ADIT_DISABLE (a comma list, for instance "hugepages,avx512") takes it away. scalar always stays. */
adit_mesh_kernel *adit_mesh_kernel_named(const char *name);

/* The fastest kernel of this processor, never NULL; *name (may be NULL) says which. Reads ADIT_DISABLE: ask once. */
adit_mesh_kernel *adit_mesh_kernel_best(const char **name);

/* For kernels. Whether source has voxels, classes and every dim in 1..64, and result has room for what it claims. */
bool adit_mesh_is_valid(const struct adit_mesh_source *source, const struct adit_mesh_result *result);

/* For kernels. Makes result the empty mesh, its quads and quads_max left as they are. */
void adit_mesh_result_init(struct adit_mesh_result *result);

/* For kernels. Ends a mesh of count quads: bounds from extent, by axis a bit for each layer with quads, and the kernel's answer, 0 or -ENOSPC. */
int adit_mesh_result_finish(struct adit_mesh_result *result, const uint64_t extent[3], uint32_t count);

#endif
