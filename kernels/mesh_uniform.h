/* mesh_uniform.h - the mesh of a chunk of one opaque material, for all kernels: its faces are those of its border. */
#ifndef ADIT_MESH_UNIFORM_H
#define ADIT_MESH_UNIFORM_H

#include "kernels/mesh.h"

/* Meshes a valid source into result, which is empty, if it is a published chunk of air, or one of one opaque material without AO and light. Returns
 * whether it is, with the kernel's answer in *status. Pure. */
bool adit_mesh_uniform(const struct adit_mesh_source *source, struct adit_mesh_result *result, int *status);

#endif
