// mesh_shade.glsl - ambient occlusion ("Merge keys" in kernels/mesh.h) for a layer of faces, a row of 64 at once, by the formulas of kernels/mesh_shade.h.
// A workgroup of 64 takes a layer, an invocation a row. The opaque cells of the layer before the faces are put together in shared memory: inside
// the chunk they are words of bits there already, beyond it they lie in the planes or, beyond two or three sides, in the rim.
#define RIM_CORNERS 12u // after the edges

shared uvec2 cells[66]; // rows v = -1 .. 64, bits along u
shared uint ends[66];   // of the same: bit 0 is the cell at u = -1, bit 1 that at u = 64
shared uint turned[4];  // before -X and +X: rows v = -1 and 64, two words each, as they are put together

struct Shade { // of a row: how many of the three cells around each corner count, as two bits; AO is 3 less that
    uvec2 low[4], high[4];
};

uint rim_word(uint chunk, uint edge, uint word) { return source[(job[chunk].rim_at >> 2) + edge * 2u + word]; }
uint rim_bit(uint chunk, uint edge, uint k) { return rim_word(chunk, edge, k >> 5) >> (k & 31u) & 1u; }

uint opaque_at_border(uint chunk, uint face, uint u, uint v) { return class_of(border_at(chunk, face, u, v)) == 1u ? 1u : 0u; }

// A cell beyond one, two or three sides, by one: 1 if it is opaque.
uint opaque_beyond(uint chunk, ivec3 p)
{
    uint side = 0u, n = 0u, across = 0u, along = 0u; // side: a bit for each axis that p is beyond, in their order
    for (uint a = 0u; a < 3u; a++) {
        if (p[a] >= 0 && p[a] < int(DIM)) {
            along = a;
        } else {
            side |= (p[a] < 0 ? 0u : 1u) << n++;
            across = a;
        }
    }
    if (n == 3u)
        return rim_bit(chunk, RIM_CORNERS, side);
    if (n == 2u)
        return rim_bit(chunk, along * 4u + side, uint(p[along]));
    return opaque_at_border(chunk, across * 2u + side, uint(across == 0u ? p.y : p.x), uint(across == 2u ? p.y : p.z));
}

// The cells of row v; not of the rows beyond -Z and +Z before an inner layer of -X or +X, which turned_rows makes.
uvec2 opaque_row(uint chunk, uint axis, int layer, int v)
{
    bool is_border = layer < 0 || layer >= int(DIM), is_past = v < 0 || v >= int(DIM);
    uint layer_side = layer < 0 ? 0u : 1u, v_side = v < 0 ? 0u : 1u;
    if (!is_border && !is_past)
        return class_bits_at(chunk, axis, row_of(axis, uint(v), uint(layer)), 0u);
    if (is_border && is_past) {
        uint edge = axis == 0u ? 4u + layer_side + 2u * v_side : axis == 1u ? layer_side + 2u * v_side : v_side + 2u * layer_side;
        return uvec2(rim_word(chunk, edge, 0u), rim_word(chunk, edge, 1u));
    }
    if (axis != 0u) { // rows of -Y +Y -Z +Z are there as bits along x
        uint face = is_border ? axis * 2u + layer_side : (3u - axis) * 2u + v_side;
        return bits[bits_at(chunk, BITS_OPAQUE, PLANE_ROWS + (face - 2u) * DIM + uint(is_border ? v : layer))];
    }
    uvec2 row = uvec2(0u);
    for (uint u = 0u; u < 32u; u++)
        row |= uvec2(opaque_at_border(chunk, layer_side, u, uint(v)) << u, opaque_at_border(chunk, layer_side, u + 32u, uint(v)) << u);
    return row;
}

// Before an inner layer of -X or +X the rows beyond -Z and +Z are columns of their planes: an invocation finds bit y of both.
void turned_rows(uint chunk, uint layer, uint y)
{
    if (y < 4u)
        turned[y] = 0u;
    barrier();
    for (uint end = 0u; end < 2u; end++) {
        uvec2 row = bits[bits_at(chunk, BITS_OPAQUE, PLANE_ROWS + (2u + end) * DIM + y)];
        atomicOr(turned[end * 2u + (y >> 5)], bit_of(row, layer) << (y & 31u));
    }
    barrier();
}

void load_row(uint chunk, uint axis, int layer, uint i)
{
    int v = int(i) - 1;
    bool is_turned = axis == 0u && layer >= 0 && layer < int(DIM) && (i == 0u || i == 65u);
    uint t = i == 0u ? 0u : 2u;
    cells[i] = is_turned ? uvec2(turned[t], turned[t + 1u]) : opaque_row(chunk, axis, layer, v);
    uint both = 0u;
    for (uint end = 0u; end < 2u; end++) {
        int u = end == 0u ? -1 : int(DIM);
        both |= opaque_beyond(chunk, axis == 0u ? ivec3(layer, u, v) : axis == 1u ? ivec3(u, layer, v) : ivec3(u, v, layer)) << end;
    }
    ends[i] = both;
}

// Puts the cells together; all invocations of the workgroup call it, with one v each.
void cells_load(uint chunk, uint face, uint layer, uint v)
{
    uint axis = face >> 1;
    int before = int(layer) + ((face & 1u) != 0u ? 1 : -1);
    if (axis == 0u && before >= 0 && before < int(DIM))
        turned_rows(chunk, uint(before), v);
    load_row(chunk, axis, before, v + 1u);
    if (v == 0u || v == DIM - 1u)
        load_row(chunk, axis, before, v == 0u ? 0u : 65u);
    barrier();
}

// Of row v, after cells_load.
Shade shade_of(uint v)
{
    Shade s;
    uvec2 left[3], mid[3], right[3];
    for (uint i = 0u; i < 3u; i++) {
        mid[i] = cells[v + i];
        left[i] = up(mid[i]) | uvec2(ends[v + i] & 1u, 0u);
        right[i] = down(mid[i]) | uvec2(0u, ends[v + i] >> 1 << 31);
    }
    for (uint i = 0u; i < 4u; i++) { // corners in the order of kernels/quad.h
        uint r = i & 2u;
        bool is_right = (i & 1u) != 0u;
        uvec2 a = is_right ? right[1] : left[1], b = mid[r], d = is_right ? right[r] : left[r];
        s.low[i] = (a ^ b ^ d) | (a & b);
        s.high[i] = (a & b) | (d & (a | b));
    }
    return s;
}

// Faces whose AO changes along u (xy), along v (zw). Of two visible faces next to each other the corners that they share have one AO, since neither cell
// before them is opaque: so faces that are both even along u have equal AO, and may merge if nothing else parts them; along v likewise.
uvec4 uneven_of(Shade s)
{
    uvec2 along_u = (s.low[0] ^ s.low[1]) | (s.high[0] ^ s.high[1]) | (s.low[2] ^ s.low[3]) | (s.high[2] ^ s.high[3]);
    uvec2 along_v = (s.low[0] ^ s.low[2]) | (s.high[0] ^ s.high[2]) | (s.low[1] ^ s.low[3]) | (s.high[1] ^ s.high[3]);
    return uvec4(along_u, along_v);
}

// The AO of cell u as a quad has it.
uint ao_at(Shade s, uint u)
{
    uint shade = 0u;
    for (uint i = 0u; i < 4u; i++)
        shade |= (bit_of(s.low[i], u) | bit_of(s.high[i], u) << 1) << (2u * i);
    return shade ^ 0xffu;
}
