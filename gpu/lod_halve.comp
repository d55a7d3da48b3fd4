// lod_halve.comp - a version halved as kernels/lod.h defines it, straight from its encoding: 64^3 voxels to 32^3. A workgroup takes a brick of 16^3, an
// invocation two cells of 2x2x2 beside each other along x.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "version_source.glsl"
#include "brick_decode.glsl"
layout(local_size_x = 256) in;

#define HALVED_WORDS 16384u // of a chunk: 32^3 voxels, two to a word

layout(std430, set = 0, binding = 2) writeonly buffer Halved { uint halved[]; };

// Of a cell, two voxels to a word.
uint halved_of(uint a, uint b, uint c, uint d)
{
    uint first = a & 0xffffu;
    if (((a ^ first * 0x10001u) | (a ^ b) | (a ^ c) | (a ^ d)) == 0u)
        return first; // most cells hold one material
    uint voxel[8] = uint[8](first, a >> 16, b & 0xffffu, b >> 16, c & 0xffffu, c >> 16, d & 0xffffu, d >> 16);
    uint solid = 0u, most = 0u, winner = 0u;
    for (uint i = 0u; i < 8u; i++) {
        uint n = 0u;
        for (uint k = 0u; k < 8u; k++)
            n += voxel[k] == voxel[i] ? 1u : 0u;
        if (voxel[i] == 0u)
            continue;
        solid++;
        if (n > most || (n == most && voxel[i] < winner)) {
            most = n;
            winner = voxel[i];
        }
    }
    return solid < 4u ? 0u : winner;
}

void main()
{
    uint chunk = gl_WorkGroupID.y, t = gl_LocalInvocationID.x;
    Brick b = brick_begin(chunk, gl_WorkGroupID.x, t);
    uvec3 p = uvec3(t & 3u, t >> 2 & 7u, t >> 5); // of the two, in halved voxels but along x
    uint i = (p.z * 2u * 16u + p.y * 2u) * 16u + p.x * 4u;
    uvec2 r = brick_four(b, i), up_y = brick_four(b, i + 16u), up_z = brick_four(b, i + 256u), up_yz = brick_four(b, i + 272u);
    uvec3 at = b.origin / 2u + p * uvec3(2u, 1u, 1u);
    halved[chunk * HALVED_WORDS + (((at.z * 32u + at.y) * 32u + at.x) >> 1)] =
        halved_of(r.x, up_y.x, up_z.x, up_yz.x) | halved_of(r.y, up_y.y, up_z.y, up_yz.y) << 16;
}
