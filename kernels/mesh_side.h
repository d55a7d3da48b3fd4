/* mesh_side.h - the geometry of a face, for mesh kernels: how large its layers are, where their voxels lie, and what they are. */
#ifndef ADIT_MESH_SIDE_H
#define ADIT_MESH_SIDE_H

#include "kernels/mesh.h"

struct adit_mesh_side {
    uint32_t face, axis, u_axis, v_axis;
    uint32_t layers, width, height;         /* dim along axis, U, V */
    uint32_t voxel_layer, voxel_u, voxel_v; /* steps in source.voxels */
};

static inline struct adit_mesh_side adit_mesh_side_of(const struct adit_mesh_source *source, uint32_t face)
{
    static const uint32_t voxel_step[3] = { 1, ADIT_CHUNK_DIM, ADIT_CHUNK_DIM * ADIT_CHUNK_DIM };
    uint32_t axis = adit_face_axis(face), u = adit_face_u(face), v = adit_face_v(face);
    return (struct adit_mesh_side){
        .face = face, .axis = axis, .u_axis = u, .v_axis = v,
        .layers = source->dim[axis], .width = source->dim[u], .height = source->dim[v],
        .voxel_layer = voxel_step[axis], .voxel_u = voxel_step[u], .voxel_v = voxel_step[v],
    };
}

static inline uint64_t adit_low_bits(uint32_t n) /* n in 1..64 */
{
    return ~0ull >> (ADIT_CHUNK_DIM - n);
}

/* The material at index (z*64 + y)*64 + x. */
static inline uint16_t adit_mesh_material(const struct adit_mesh_source *source, uint32_t index)
{
    const uint32_t dim = ADIT_CHUNK_DIM;
    return source->encoded ? adit_voxels_at(source->encoded, index % dim, index / dim % dim, index / dim / dim) : source->voxels[index];
}

#endif
