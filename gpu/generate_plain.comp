// generate_plain.comp - voxels that are a formula each (kernels/generate.h): noise50, checker, air. A workgroup takes one z of a chunk, an invocation two
// voxels of a row. 64 bits are uvec2 (x low), since 64-bit integers are an optional feature.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "generate_common.glsl"
layout(local_size_x = 256) in;

uvec2 add(uvec2 a, uvec2 b)
{
    uint carry, low = uaddCarry(a.x, b.x, carry);
    return uvec2(low, a.y + b.y + carry);
}

// a * b modulo 2^64.
uvec2 times(uvec2 a, uvec2 b)
{
    uint high, low;
    umulExtended(a.x, b.x, high, low);
    return uvec2(low, high + a.x * b.y + a.y * b.x);
}

// a ^ a >> n, n below 32.
uvec2 fold(uvec2 a, uint n) { return uvec2(a.x ^ (a.x >> n | a.y << (32u - n)), a.y ^ a.y >> n); }

uvec2 mix64(uvec2 a)
{
    a = add(a, uvec2(0x7f4a7c15u, 0x9e3779b9u));
    a = times(fold(a, 30u), uvec2(0x1ce4e5b9u, 0xbf58476du));
    a = times(fold(a, 27u), uvec2(0x133111ebu, 0x94d049bbu));
    return fold(a, 31u);
}

// 64 * chunk + i, modulo 2^64.
uvec2 world(int chunk, uint i) { return uvec2(uint(chunk) << 6 | i, uint(chunk >> 26)); }

uvec2 along_x(uint chunk, uint x)
{
    return mix64(uvec2(job[chunk].seed_low, job[chunk].seed_high) ^ times(world(job[chunk].x, x), uvec2(0x8da6b343u, 0u)));
}

uint noise50(uvec2 along, uvec2 y, uvec2 z) { return mix64(add(mix64(add(along, y)), z)).x & 1u; }

// World coordinates are even where a chunk begins.
uint checker(uint x, uint y, uint z) { return ((x + y + z) & 1u) != 0u ? 0u : 1u + (x & 1u) + 2u * (y & 1u); }

void main()
{
    uint chunk = gl_WorkGroupID.y, z = gl_WorkGroupID.x, t = gl_LocalInvocationID.x, kind = job[chunk].world;
    if (kind == WORLD_TERRAIN)
        return;
    uint x = 2u * (t & 31u);
    uvec2 left = along_x(chunk, x), right = along_x(chunk, x + 1u), by_z = times(world(job[chunk].z, z), uvec2(0xcb1ab31fu, 0u));
    for (uint y = t >> 5; y < DIM; y += 8u) {
        uint pair = 0u;
        if (kind == WORLD_NOISE50) {
            uvec2 by_y = times(world(job[chunk].y, y), uvec2(0xd8163841u, 0u));
            pair = noise50(left, by_y, by_z) | noise50(right, by_y, by_z) << 16;
        } else if (kind == WORLD_CHECKER)
            pair = checker(x, y, z) | checker(x + 1u, y, z) << 16;
        voxels[word_at(chunk, x >> 1, y, z)] = pair;
    }
}
