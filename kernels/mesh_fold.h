/* mesh_fold.h - chunks of water alone, meshed as if it were stone, for all kernels.
 *
 * Where nothing but air and translucent materials is in a chunk, and faces between these are not shown, because there is but one or by
 * ADIT_MESH_TT_NONE, a face is visible under the same conditions as an opaque one, but for what counts as opaque beyond the border: so the chunk
 * is meshed with other classes, and its quads are put into the ranges of translucent ones. With AO that does not hold: it counts opaque cells.
 */
#ifndef ADIT_MESH_FOLD_H
#define ADIT_MESH_FOLD_H

#include "kernels/mesh.h"

/* Meshes a valid source into result, which is empty, by kernel, if it is such a chunk in its published form. Returns whether it is, with the
 * kernel's answer in *status. 64 KiB of stack besides the kernel's. Pure. */
bool adit_mesh_fold(const struct adit_mesh_source *source, adit_mesh_kernel *kernel, struct adit_mesh_result *result, int *status);

#endif
