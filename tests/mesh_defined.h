/* mesh_defined.h - the definition of a mesh once more, voxel by voxel and with no thought of speed, to judge kernels by.
 */
#ifndef ADIT_TESTS_MESH_DEFINED_H
#define ADIT_TESTS_MESH_DEFINED_H

#include "kernels/mesh.h"
#include "runtime/encoding.h"

/* A unit face within a layer of its side. */
struct mesh_cell {
    uint32_t layer, u, v;
};

/* Where the voxel of such a face lies in the 64^3 of a source. */
uint32_t mesh_cell_index(uint32_t face, struct mesh_cell cell);

/* Wants every quad of result to be the one that the definition wants next, none to be missing and none to be left over. source: with plain voxels.
 * One thread at a time. */
void mesh_judge(const struct adit_mesh_source *source, const struct adit_mesh_result *result);

/* The chunk of these voxels in its published form, at the end of block, of ADIT_ENCODED_BYTES_MAX, and what a kernel is given of it. */
void mesh_encode(const uint16_t *voxels, const uint8_t *classes, struct adit_encode_plan *plan, uint8_t *block, struct adit_voxels *view);

/* Wants the same numbers, and the same quads as far as got has room. */
void mesh_assert_same(const struct adit_mesh_result *got, const struct adit_mesh_result *want);

/* Leaves bytes behind where a kernel will have its scratch memory: what it reads before it wrote there depends on them. */
void mesh_soil_stack(int with);

#endif
