// mesh_rows.comp - which unit faces are visible ("Visibility" in kernels/mesh.h), 64 of a row at once, from the bits of mesh_bits.comp. A
// workgroup takes one z, an invocation first one row along x, then, for the faces -X and +X whose rows run along y, one x.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "mesh_common.glsl"
layout(local_size_x = 64) in;

struct Row {
    uvec2 opaque, translucent, cutout;
};

shared uvec2 turned[6][64]; // what has to be turned from rows along x to rows along y

Row row_at(uint chunk, uint row)
{
    return Row(bits[bits_at(chunk, BITS_OPAQUE, row)], bits[bits_at(chunk, BITS_TRANSLUCENT, row)], bits[bits_at(chunk, BITS_CUTOUT, row)]);
}

// The faces of a towards next; same: those whose voxels are of one material.
uvec2 visible(Row a, Row next, uvec2 same, bool tt_none)
{
    uvec2 sees = a.translucent | a.cutout, beside = next.translucent | next.cutout;
    uvec2 open = ~next.opaque;
    uvec2 touching = sees & beside;
    uvec2 shown = (tt_none ? uvec2(0u) : touching & ~same) | (a.cutout & beside & same);
    return (a.opaque & open) | (sees & open & ~beside) | shown;
}

// A row moved by one voxel, with the voxel of class c coming in at bit.
Row moved(Row a, bool up, uint c)
{
    uvec2 bit = up ? uvec2(1u, 0u) : uvec2(0u, 1u << 31);
    Row b;
    b.opaque = (up ? shift_left(a.opaque, 1u) : shift_right(a.opaque, 1u)) | (c == 1u ? bit : uvec2(0u));
    b.translucent = (up ? shift_left(a.translucent, 1u) : shift_right(a.translucent, 1u)) | (c == 2u ? bit : uvec2(0u));
    b.cutout = (up ? shift_left(a.cutout, 1u) : shift_right(a.cutout, 1u)) | (c == 3u ? bit : uvec2(0u));
    return b;
}

void main()
{
    uint chunk = gl_WorkGroupID.y, z = gl_WorkGroupID.x, y = gl_LocalInvocationID.x, row = z * DIM + y;
    bool tt_none = (job[chunk].flags & FLAG_TT_NONE) != 0u;
    Row own = row_at(chunk, row);
    uvec2 along_y = bits[bits_at(chunk, BITS_ALONG_Y, row)], along_z = bits[bits_at(chunk, BITS_ALONG_Z, row)];
    uvec2 along_x = bits[bits_at(chunk, BITS_ALONG_X, row)];

    uint below = y > 0u ? row - 1u : PLANE_ROWS + z, above = y < 63u ? row + 1u : PLANE_ROWS + DIM + z;
    uvec2 same_below = bits[bits_at(chunk, BITS_ALONG_Y, below)], same_above = y < 63u ? along_y : bits[bits_at(chunk, BITS_ALONG_Y, above)];
    rows[rows_at(chunk, 2u, row)] = visible(own, row_at(chunk, below), same_below, tt_none);
    rows[rows_at(chunk, 3u, row)] = visible(own, row_at(chunk, above), same_above, tt_none);

    uint behind = z > 0u ? row - DIM : PLANE_ROWS + 2u * DIM + y, before = z < 63u ? row + DIM : PLANE_ROWS + 3u * DIM + y;
    uvec2 same_behind = bits[bits_at(chunk, z > 0u ? BITS_ALONG_Z : BITS_ALONG_Y, behind)];
    uvec2 same_before = z < 63u ? along_z : bits[bits_at(chunk, BITS_ALONG_Y, before)];
    rows[rows_at(chunk, 4u, row)] = visible(own, row_at(chunk, behind), same_behind, tt_none);
    rows[rows_at(chunk, 5u, row)] = visible(own, row_at(chunk, before), same_before, tt_none);

    uint left = border_at(chunk, 0u, y, z), right = border_at(chunk, 1u, y, z);
    uvec2 same_left = shift_left(along_x, 1u) | uvec2(left == material_at(chunk, 0u, y, z) ? 1u : 0u, 0u);
    uvec2 same_right = along_x | uvec2(0u, right == material_at(chunk, 63u, y, z) ? 1u << 31 : 0u);
    turned[0][y] = visible(own, moved(own, true, class_of(left)), same_left, tt_none);
    turned[1][y] = visible(own, moved(own, false, class_of(right)), same_right, tt_none);
    turned[2][y] = along_y;
    turned[3][y] = along_z;
    turned[4][y] = own.opaque;
    turned[5][y] = own.translucent;
    barrier();
    uint x = y, shift = x & 31u;
    bool is_high = x >= 32u;
    for (uint k = 0u; k < 6u; k++) {
        uvec2 column = uvec2(0u);
        for (uint i = 0u; i < 32u; i++) {
            uvec2 low = turned[k][i], high = turned[k][i + 32u];
            column |= uvec2(((is_high ? low.y : low.x) >> shift & 1u) << i, ((is_high ? high.y : high.x) >> shift & 1u) << i);
        }
        rows[rows_at(chunk, k < 2u ? k : k + 4u, z * DIM + x)] = column; // 0, 1: faces; 6..9: the rest
    }
}
