// mesh_merge.comp - visible faces to quads in the order of kernels/mesh.h; a workgroup a side of a chunk, an invocation a layer. Run twice: the
// first time it counts the quads of each layer and class, the second time, when mesh_scan.comp has placed them, it emits them.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "mesh_common.glsl"
layout(local_size_x = 64) in;
layout(constant_id = 0) const bool EMITS = false;

// Which row holds v of a layer.
uint row_of(uint axis, uint v, uint layer) { return axis == 2u ? layer * DIM + v : v * DIM + layer; }
// Equality with the next along U and along V.
uvec2 along_u_at(uint chunk, uint axis, uint row)
{
    return axis == 0u ? rows[rows_at(chunk, 6u, row)] : bits[bits_at(chunk, BITS_ALONG_X, row)];
}
uvec2 along_v_at(uint chunk, uint axis, uint row)
{
    return axis == 0u ? rows[rows_at(chunk, 7u, row)] : bits[bits_at(chunk, axis == 1u ? BITS_ALONG_Z : BITS_ALONG_Y, row)];
}

shared uint faces_of_side, lo_of_side[3], hi_of_side[3];

void main()
{
    uint chunk = gl_WorkGroupID.y, face = gl_WorkGroupID.x, axis = face >> 1, layer = gl_LocalInvocationID.x;
    bool culled = (job[chunk].flags & 1u) != 0u;
    uint at[3], base = 0u, faces = 0u;
    uvec3 lo = uvec3(63u), hi = uvec3(0u);
    if (EMITS) {
        if (result[chunk].is_short != 0u)
            return;
        base = result[chunk].base;
        if (layer == 0u) {
            faces_of_side = 0u;
            for (uint i = 0u; i < 3u; i++) {
                lo_of_side[i] = 63u;
                hi_of_side[i] = 0u;
            }
        }
        barrier();
    }
    for (uint c = 0u; c < 3u; c++)
        at[c] = EMITS ? base + counts[chunk * COUNTS + (face * 3u + c) * DIM + layer] : 0u;

    uvec2 rest[64];
    for (uint v = 0u; v < DIM; v++)
        rest[v] = rows[rows_at(chunk, face, row_of(axis, v, layer))];
    for (uint v = 0u; v < DIM; v++) {
        uvec2 row = rest[v];
        if (is_zero(row))
            continue;
        uvec2 along_u = along_u_at(chunk, axis, row_of(axis, v, layer));
        while (!is_zero(row)) { // at most 64 times: each round clears a bit
            uint u = lowest_bit(row), w = 1u, h = 1u;
            if (!culled) {
                uvec2 ends = ~(shift_right(row, u + 1u) & shift_right(along_u, u)); // its top bit is set
                w += lowest_bit(ends);
            }
            uvec2 mask = shift_left(w == 64u ? uvec2(~0u) : ~shift_left(uvec2(~0u), w), u);
            while (!culled && v + h < DIM) {
                uvec2 below = rest[v + h], same = along_v_at(chunk, axis, row_of(axis, v + h - 1u, layer));
                if ((below & same & mask) != mask)
                    break;
                rest[v + h] = below & ~mask;
                h++;
            }
            row &= ~mask;
            uvec3 p = axis == 0u ? uvec3(layer, u, v) : axis == 1u ? uvec3(u, layer, v) : uvec3(u, v, layer);
            uint material = material_at(chunk, p.x, p.y, p.z), c = class_of(material) - 1u;
            uint i = c == 0u ? at[0]++ : c == 1u ? at[1]++ : at[2]++;
            if (EMITS) {
                quads[i] = uvec2(p.x | p.y << 6 | p.z << 12 | (w - 1u) << 18 | (h - 1u) << 24 | material << 30,
                                 material >> 2 | 0xffu << 14);
                uvec3 end = p + (axis == 0u ? uvec3(0u, w - 1u, h - 1u) : axis == 1u ? uvec3(w - 1u, 0u, h - 1u) : uvec3(w - 1u, h - 1u, 0u));
                lo = min(lo, p);
                hi = max(hi, end);
                faces += w * h;
            }
        }
    }
    if (!EMITS) {
        for (uint c = 0u; c < 3u; c++)
            counts[chunk * COUNTS + (face * 3u + c) * DIM + layer] = at[c];
        return;
    }
    if (faces != 0u) {
        atomicAdd(faces_of_side, faces);
        for (uint i = 0u; i < 3u; i++) {
            atomicMin(lo_of_side[i], lo[i]);
            atomicMax(hi_of_side[i], hi[i]);
        }
    }
    barrier();
    if (layer == 0u && faces_of_side != 0u) {
        atomicAdd(result[chunk].faces, faces_of_side);
        for (uint i = 0u; i < 3u; i++) {
            atomicMin(result[chunk].bounds_lo[i], lo_of_side[i]);
            atomicMax(result[chunk].bounds_hi[i], hi_of_side[i]);
        }
    }
}
