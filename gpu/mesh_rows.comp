// mesh_rows.comp - voxels to bits, 64 of a row at once: which unit faces of both sides are visible ("Visibility" in kernels/mesh.h), and
// which voxels equal the next one along U and along V. A workgroup takes one v of one axis, an invocation one layer.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "mesh_common.glsl"
layout(local_size_x = 64) in;

uint at_layer(uint chunk, uint axis, uint layer, uint u, uint v)
{
    return axis == 0u ? material_at(chunk, layer, u, v) : axis == 1u ? material_at(chunk, u, layer, v) : material_at(chunk, u, v, layer);
}

uint of_plane(uint chunk, uint face, uint u, uint v)
{
    uint i = v * DIM + u;
    return planes[(chunk * 6u + face) * PLANE_WORDS + (i >> 1)] >> ((i & 1u) * 16u) & 0xffffu;
}

// a has class ca, and is not air.
bool is_visible(uint a, uint ca, uint b, bool tt_none)
{
    uint cb = class_of(b);
    if (cb == 0u || cb == 1u)
        return cb == 0u;
    if (ca == 1u)
        return true;
    return a != b ? !tt_none : ca == 3u;
}

void main()
{
    uint chunk = gl_WorkGroupID.y, axis = gl_WorkGroupID.x / DIM, v = gl_WorkGroupID.x % DIM, layer = gl_LocalInvocationID.x;
    bool tt_none = (job[chunk].flags & 2u) != 0u;
    uvec2 minus = uvec2(0u), plus = uvec2(0u), along_u = uvec2(0u), along_v = uvec2(0u);
    uint before = 0u;
    for (uint u = 0u; u < DIM; u++) {
        uint a = at_layer(chunk, axis, layer, u, v), ca = class_of(a);
        uvec2 bit = u < 32u ? uvec2(1u << u, 0u) : uvec2(0u, 1u << (u - 32u));
        if (ca != 0u) {
            uint low = layer > 0u ? at_layer(chunk, axis, layer - 1u, u, v) : of_plane(chunk, axis * 2u, u, v);
            uint high = layer < 63u ? at_layer(chunk, axis, layer + 1u, u, v) : of_plane(chunk, axis * 2u + 1u, u, v);
            if (is_visible(a, ca, low, tt_none))
                minus |= bit;
            if (is_visible(a, ca, high, tt_none))
                plus |= bit;
            if (v < 63u && at_layer(chunk, axis, layer, u, v + 1u) == a)
                along_v |= bit;
        }
        if (u > 0u && a == before)
            along_u |= u <= 32u ? uvec2(1u << (u - 1u), 0u) : uvec2(0u, 1u << (u - 33u));
        before = a;
    }
    rows[rows_at(chunk, axis * 2u, v, layer)] = minus;
    rows[rows_at(chunk, axis * 2u + 1u, v, layer)] = plus;
    rows[rows_at(chunk, 6u + axis, v, layer)] = along_u;
    rows[rows_at(chunk, 9u + axis, v, layer)] = along_v;
}
