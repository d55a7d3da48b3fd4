// mesh_decode.comp - a version's encoding (runtime/encoding.h) to 16-bit voxels; a workgroup a brick of 16^3.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "mesh_common.glsl"
layout(local_size_x = 256) in;

shared uint material[256]; // of each value that this brick's voxels can have

uint value_of(Job j, uint at, uint bits, uint i)
{
    uint bit = i * bits;
    return source_byte(at + (bit >> 3)) >> (bit & 7u) & ((1u << bits) - 1u);
}

uint palette(Job j, uint index) { return source_half(j.palette_at + index * 2u); }

void main()
{
    uint chunk = gl_WorkGroupID.y, brick = gl_WorkGroupID.x, t = gl_LocalInvocationID.x;
    Job j = job[chunk];
    uint d = j.encoding == 1u ? source[(j.bricks_at >> 2) + brick] : 0u, code = d & 7u;
    uint at = j.voxels_at + (d >> 5 & 0x7fffu) * 16u;
    uint bits = code == 0u ? 0u : 1u << (code - 1u);
    if (j.encoding == 1u) {
        if (code == 0u)
            material[t] = palette(j, d >> 5 & 0xffu);
        else if (code == 4u)
            material[t] = palette(j, t);
        else if (t < 16u)
            material[t] = palette(j, source_byte(at + t));
    }
    if (code != 0u && code != 4u)
        at += 16u;
    barrier();
    uvec3 origin = uvec3(brick & 3u, brick >> 2 & 3u, brick >> 4) * 16u;
    for (uint k = t; k < 2048u; k += 256u) { // a pair of voxels each
        uint i = k * 2u;
        uvec3 p = origin + uvec3(i & 15u, i >> 4 & 15u, i >> 8);
        uint word = ((p.z * DIM + p.y) * DIM + p.x) >> 1, pair;
        if (j.encoding == 2u)
            pair = source[(j.voxels_at >> 2) + word];
        else if (j.encoding == 0u)
            pair = j.value | j.value << 16;
        else if (code == 0u)
            pair = material[0] | material[0] << 16;
        else
            pair = material[value_of(j, at, bits, i)] | material[value_of(j, at, bits, i + 1u)] << 16;
        voxels[chunk * CHUNK_WORDS + word] = pair;
    }
}
