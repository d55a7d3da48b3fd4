/* remesh.h - after an edit: the mesh of a chunk from the mesh it had before, at the cost of what has changed.
 *
 * A voxel takes part in the visibility of its own six faces and of the six that look at it. So an edit within a box can change, of each axis,
 * faces of the layers lo-1 .. hi+1 alone, and in those only cells within the box:
 *
 *     face -A   layers lo   .. hi+1        the slices of one voxel: two of each face, twelve in all
 *     face +A   layers lo-1 .. hi
 *
 * The light of a face is that of the voxel before it, so the same holds; the AO of a face depends on all around that, so with ADIT_MESH_AO it is cells
 * up to one beside the box.
 *
 * In such a slice the cells outside are what the old quads cover; those within are found anew from the source, by the definition in mesh.h.
 * Cells of different merge keys (mesh.h) never merge, so the greedy of one key is made again where it has gained or lost cells, from the first such
 * row until it runs into the old one again (remesh_slice.h). All else is copied. The result is the whole mesh byte for byte:
 * quads, start, bounds, faces.
 *
 * Example:
 *     struct adit_mesh_box edit = { .lo = { 12, 40, 7 }, .hi = { 12, 40, 7 } };        one voxel
 *     if (adit_mesh_update(kernel, &source, &edit, &old, &result) == -ENOSPC)
 *         ... grow quads to result.start[ADIT_MESH_RANGES] and update again, from old
 */
#ifndef ADIT_REMESH_H
#define ADIT_REMESH_H

#include "kernels/mesh.h"

/* The voxels lo .. hi of a chunk, both included, and their light. -1 and dim stand for the border planes, and in two or three coordinates for the rim:
 * { -1, 3, 5 } .. { -1, 3, 5 } is what changed when the neighbour beyond -X changed its voxel (63, 3, 5); a box may hold voxels and parts of planes. */
struct adit_mesh_box {
    int32_t lo[3], hi[3];
};

/* A box longer than this along any axis, or of more voxels, is meshed whole: that is quicker. */
enum { ADIT_REMESH_SIDE_MAX = 16, ADIT_REMESH_VOXELS_MAX = 512 };

/* Meshes source into result as whole(source, result) does, the same bytes and the same return values, given the mesh that the chunk had before:
 * old, whole and made with the same flags, dim and classes, is true but for voxels, light, planes and rim within edit. result->quads and quads_max are set by
 * the caller and must not overlap old->quads. whole is any kernel of mesh.h; it is called where that is quicker or the only way: for large
 * boxes, edits of very many merge keys, too little room, and an old that cannot be a mesh inside.
 * Returns as whole does; or -EINVAL, with result an empty mesh, also when edit is no box within -1 .. dim, or when ranges of old do not
 * ascend, quads of it are missing, or its bounds lie outside the chunk. old->quads, not old itself, may be memory that a hostile peer writes meanwhile: quads are
 * then worthless, but nothing outside the arrays is read or written, and the call ends. Pure, any thread. Stack: 192 KiB, or what whole
 * takes, whichever is more. */
int adit_mesh_update(adit_mesh_kernel *whole, const struct adit_mesh_source *source, const struct adit_mesh_box *edit,
                     const struct adit_mesh_result *old, struct adit_mesh_result *result);

#endif
