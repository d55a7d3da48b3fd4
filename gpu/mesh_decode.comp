// mesh_decode.comp - a version's encoding to 16-bit voxels; a workgroup a brick of 16^3.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "mesh_common.glsl"
#include "brick_decode.glsl"
layout(local_size_x = 256) in;

layout(std430, set = 0, binding = 3) writeonly buffer VoxelFours { uvec2 voxel_fours[]; };

void main()
{
    uint chunk = gl_WorkGroupID.y, t = gl_LocalInvocationID.x;
    Brick b = brick_begin(chunk, gl_WorkGroupID.x, t);
    for (uint k = t; k < 1024u; k += 256u) {
        uint i = k * 4u;
        uvec3 p = b.origin + uvec3(i & 15u, i >> 4 & 15u, i >> 8);
        voxel_fours[chunk * (CHUNK_WORDS / 2u) + (((p.z * DIM + p.y) * DIM + p.x) >> 2)] = brick_four(b, i);
    }
}
