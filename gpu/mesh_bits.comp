// mesh_bits.comp - voxels to bits, a row of 64 along x at once: of which class each is, and whether it equals the next one along x, y and z.
// An invocation takes one row; a workgroup those of one z, or one of the four border planes whose rows run along x.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "mesh_common.glsl"
layout(local_size_x = 64) in;

layout(std430, set = 0, binding = 3) readonly buffer VoxelRows { uvec4 voxel_rows[]; }; // eight voxels each
layout(std430, set = 0, binding = 4) readonly buffer PlaneRows { uvec4 plane_rows[]; };

uint voxel_row(uint chunk, uint y, uint z) { return chunk * (CHUNK_WORDS / 4u) + (z * DIM + y) * 8u; }
uint plane_row(uint chunk, uint face, uint v) { return (chunk * 6u + face) * (PLANE_WORDS / 4u) + v * 8u; }

// Of two words with two voxels each: bit 0 and 1 for those that are equal.
uint equal_halves(uint a, uint b)
{
    uint d = a ^ b;
    return ((d & 0xffffu) == 0u ? 1u : 0u) | (d < 0x10000u ? 2u : 0u);
}

uint equal_eight(uvec4 a, uvec4 b)
{
    return equal_halves(a.x, b.x) | equal_halves(a.y, b.y) << 2 | equal_halves(a.z, b.z) << 4 | equal_halves(a.w, b.w) << 6;
}

void add(inout uvec2 bits, uint at, uint eight) // at: a multiple of 8
{
    if (at < 32u)
        bits.x |= eight << at;
    else
        bits.y |= eight << (at - 32u);
}

// Bits 0..7 opaque, 8..15 translucent, 16..23 cutout. Neighbours are mostly alike: two at a time when they are.
uint classes_of_eight(uvec4 a)
{
    uint all = 0u, before = ~0u, of_before = 0u;
    for (uint k = 0u; k < 8u; k++) {
        uint m = a[k >> 1] >> ((k & 1u) * 16u) & 0xffffu;
        if (m != before) {
            uint c = class_of(m);
            of_before = c == 0u ? 0u : 1u << ((c - 1u) * 8u);
            before = m;
        }
        all |= of_before << k;
    }
    return all;
}

void main()
{
    uint chunk = gl_WorkGroupID.y, group = gl_WorkGroupID.x, t = gl_LocalInvocationID.x;
    bool is_plane = group >= DIM;
    uint face = 2u + (group - DIM); // -Y +Y -Z +Z
    uint y = t, z = group;
    uint own = is_plane ? plane_row(chunk, face, t) : voxel_row(chunk, y, z);
    uint beside_y, beside_z; // rows to compare with; of a plane: the chunk's own row behind it
    if (is_plane) {
        uint layer = (face & 1u) != 0u ? 63u : 0u;
        beside_y = face < 4u ? voxel_row(chunk, layer, t) : voxel_row(chunk, t, layer);
        beside_z = beside_y;
    } else {
        beside_y = y < 63u ? voxel_row(chunk, y + 1u, z) : own;
        beside_z = z < 63u ? voxel_row(chunk, y, z + 1u) : own;
    }
    uvec2 of[3] = uvec2[3](uvec2(0u), uvec2(0u), uvec2(0u)), along_x = uvec2(0u), along_y = uvec2(0u), along_z = uvec2(0u);
    uint last = 0u;
    for (uint k = 0u; k < 8u; k++) {
        uvec4 a = is_plane ? plane_rows[own + k] : voxel_rows[own + k];
        uint c = classes_of_eight(a), x = k * 8u;
        add(of[0], x, c & 0xffu);
        add(of[1], x, c >> 8 & 0xffu);
        add(of[2], x, c >> 16);
        add(along_y, x, equal_eight(a, voxel_rows[beside_y + k]));
        if (!is_plane) {
            add(along_z, x, equal_eight(a, voxel_rows[beside_z + k]));
            uvec4 next = uvec4(a.x >> 16 | a.y << 16, a.y >> 16 | a.z << 16, a.z >> 16 | a.w << 16, a.w >> 16); // the last is not known yet
            uint same = equal_eight(a, next) & 0x7fu;
            add(along_x, x, same);
            if (k > 0u && last == (a.x & 0xffffu))
                along_x |= x - 1u < 32u ? uvec2(1u << (x - 1u), 0u) : uvec2(0u, 1u << (x - 33u));
            last = a.w >> 16;
        }
    }
    uint row = is_plane ? PLANE_ROWS + (face - 2u) * DIM + t : z * DIM + y;
    bits[bits_at(chunk, BITS_OPAQUE, row)] = of[0];
    bits[bits_at(chunk, BITS_TRANSLUCENT, row)] = of[1];
    bits[bits_at(chunk, BITS_CUTOUT, row)] = of[2];
    bits[bits_at(chunk, BITS_ALONG_X, row)] = along_x;
    bits[bits_at(chunk, BITS_ALONG_Y, row)] = along_y;
    bits[bits_at(chunk, BITS_ALONG_Z, row)] = along_z;
}
