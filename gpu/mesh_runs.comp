// mesh_runs.comp - visible faces to the quads of kernels/mesh.h, as bits: where each begins and which rows it goes on into. A workgroup takes
// a side of a chunk, an invocation a layer, a row of 64 faces is one step, however many quads it has.
//
// In a row every visible face belongs to one quad; the quads are segments of bits, known by their first ones (`begin`). In the next row a
// segment goes on if all of its bits are visible there and equal to the ones above. Which are whole is found by addition: a segment's bits but
// the last, as far as they go on, plus its first one, carry into the last bit just when all of them do. From the last bits of the
// whole ones another addition, on reversed words, leads back to their first bits, and the difference of both is the segments. What is
// left of the row begins new quads, as wide as materials are equal. With AO faces that mesh_shade.comp found uneven are equal to none. The reference heightens a quad before the next begins; that is the same,
// as what is below a segment is covered by that segment or by a quad that begins there.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "mesh_common.glsl"
layout(local_size_x = 64) in;

uvec2 sum(uvec2 a, uvec2 b)
{
    uint carry;
    uint low = uaddCarry(a.x, b.x, carry);
    return uvec2(low, a.y + b.y + carry);
}
uvec2 difference(uvec2 a, uvec2 b)
{
    uint borrow;
    uint low = usubBorrow(a.x, b.x, borrow);
    return uvec2(low, a.y - b.y - borrow);
}
uvec2 reversed(uvec2 a) { return uvec2(bitfieldReverse(a.y), bitfieldReverse(a.x)); }
uint ones(uvec2 a) { return bitCount(a.x) + bitCount(a.y); }

void main()
{
    uint chunk = gl_WorkGroupID.y, face = gl_WorkGroupID.x, axis = face >> 1, layer = gl_LocalInvocationID.x;
    bool culled = (job[chunk].flags & FLAG_CULLED) != 0u, has_ao = IS_SHADED && (job[chunk].flags & FLAG_AO) != 0u;
    uvec2 above = uvec2(0u), begin = uvec2(0u), along_v = uvec2(0u), uneven_v = uvec2(0u); // of the row before
    uvec3 count = uvec3(0u);
    for (uint v = 0u; v < DIM; v++) {
        uint row = row_of(axis, v, layer);
        uvec2 faces = rows[rows_at(chunk, face, row)], on = uvec2(0u), on_begin = uvec2(0u), starts = faces;
        if (!culled) {
            uvec2 along_u = along_u_at(chunk, axis, row);
            if (has_ao) {
                uvec4 uneven = starts_of[quad_row(chunk, face, row)];
                along_u &= ~(uneven.xy | down(uneven.xy));
                along_v &= ~(uneven.zw | uneven_v);
                uneven_v = uneven.zw;
            }
            uvec2 last = above & (down(begin) | ~down(above)), goes = faces & along_v & above;
            uvec2 carried = sum(goes & ~last, begin & ~last);
            uvec2 whole = last & goes & (carried | begin); // carried: longer segments; begin: those of one bit
            on_begin = reversed(sum(reversed(above & ~begin), reversed(whole & ~begin))) & begin | (whole & begin);
            on_begin &= goes;
            on = difference(whole, on_begin) | whole;
            uvec2 left = faces & ~on;
            starts = left & ~up(left & along_u);
            along_v = along_v_at(chunk, axis, row);
        }
        above = faces;
        begin = on_begin | starts;
        starts_of[quad_row(chunk, face, row)] = uvec4(starts, on);
        uvec2 opaque = class_bits_at(chunk, axis, row, 0u) & starts, translucent = class_bits_at(chunk, axis, row, 1u) & starts;
        count += uvec3(ones(opaque), ones(translucent), ones(starts & ~opaque & ~translucent));
    }
    for (uint c = 0u; c < 3u; c++)
        counts[chunk * COUNTS + (face * 3u + c) * DIM + layer] = count[c];
}
