/* mesh_uniform.h - the mesh of a chunk of one opaque material, for all kernels: its faces are those of its border. Compiled once for each kernel.
 */
#ifndef ADIT_MESH_UNIFORM_H
#define ADIT_MESH_UNIFORM_H

#include "kernels/mesh.h"

/* Meshes a valid source of 64^3 into result, which is empty, if all of it is air, or one opaque material without AO and light. Returns
 * whether it is, with the kernel's answer in *status. A published chunk says so itself; plain voxels are looked at until one differs. Pure. */
bool adit_mesh_uniform_scalar(const struct adit_mesh_source *source, struct adit_mesh_result *result, int *status);
bool adit_mesh_uniform_avx2(const struct adit_mesh_source *source, struct adit_mesh_result *result, int *status);
bool adit_mesh_uniform_avx512(const struct adit_mesh_source *source, struct adit_mesh_result *result, int *status);

#endif
