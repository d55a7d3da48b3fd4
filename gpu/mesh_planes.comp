// mesh_planes.comp - the border planes that the neighbours turn towards a chunk, to 16 bits a voxel; a workgroup a plane.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "mesh_common.glsl"
layout(local_size_x = 256) in;

uint voxel_of(Plane p, uint i)
{
    if (p.bits == 16u)
        return source_half(p.at + i * 2u);
    uint bit = i * p.bits;
    uint value = source_byte(p.at + (bit >> 3)) >> (bit & 7u) & ((1u << p.bits) - 1u);
    return source_half(p.table + value * 2u);
}

void main()
{
    uint chunk = gl_WorkGroupID.y, face = gl_WorkGroupID.x;
    Plane p = job[chunk].plane[face];
    for (uint k = gl_LocalInvocationID.x; k < PLANE_WORDS; k += 256u)
        planes[(chunk * 6u + face) * PLANE_WORDS + k] =
            p.bits == 0u ? p.value | p.value << 16 : voxel_of(p, k * 2u) | voxel_of(p, k * 2u + 1u) << 16;
}
