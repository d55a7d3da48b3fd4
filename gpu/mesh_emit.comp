// mesh_emit.comp - the quads that mesh_runs.comp has found, written where mesh_scan.comp has placed them. A workgroup takes a layer of a side, an
// invocation a row.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "mesh_common.glsl"
#include "mesh_shade.glsl"
layout(local_size_x = 64) in;

shared uvec2 goes_on[64];
shared uvec2 places[64]; // of each row's first quads: x opaque and translucent, 16 bits each; y cutout
shared uint faces_of_layer, lo_of_layer[3], hi_of_layer[3];

void main()
{
    uint chunk = gl_WorkGroupID.y, face = gl_WorkGroupID.x / DIM, layer = gl_WorkGroupID.x % DIM, axis = face >> 1;
    uint v = gl_LocalInvocationID.x, row = row_of(axis, v, layer);
    if (result[chunk].is_short != 0u)
        return;
    uvec4 quad = starts_of[quad_row(chunk, face, row)];
    uvec2 starts = quad.xy;
    uvec2 opaque = class_bits_at(chunk, axis, row, 0u) & starts, translucent = class_bits_at(chunk, axis, row, 1u) & starts;
    uvec2 cutout = starts & ~opaque & ~translucent;
    uvec2 own = uvec2(bitCount(opaque.x) + bitCount(opaque.y) | (bitCount(translucent.x) + bitCount(translucent.y)) << 16,
                      bitCount(cutout.x) + bitCount(cutout.y));
    goes_on[v] = quad.zw;
    places[v] = own;
    if (v == 0u) {
        faces_of_layer = 0u;
        for (uint i = 0u; i < 3u; i++) {
            lo_of_layer[i] = 63u;
            hi_of_layer[i] = 0u;
        }
    }
    barrier();
    for (uint step = 1u; step < 64u; step *= 2u) { // Hillis and Steele, 1986; sums stay below 4097
        uvec2 left = v >= step ? places[v - step] : uvec2(0u);
        barrier();
        places[v] += left;
        barrier();
    }
    if (places[63] == uvec2(0u))
        return; // all of the workgroup do
    uvec2 before = places[v] - own;
    uint base = result[chunk].base, first = chunk * COUNTS + face * 3u * DIM + layer;
    uint at_opaque = base + counts[first] + (before.x & 0xffffu), at_translucent = base + counts[first + DIM] + (before.x >> 16);
    uint at_cutout = base + counts[first + 2u * DIM] + before.y;

    bool culled = (job[chunk].flags & FLAG_CULLED) != 0u, has_ao = IS_SHADED && (job[chunk].flags & FLAG_AO) != 0u;
    Shade shade;
    if (has_ao) {
        cells_load(chunk, face, layer, v);
        shade = shade_of(v);
    }
    uvec2 inner = rows[rows_at(chunk, face, row)] & ~quad.zw & ~starts; // new quads' bits but their first
    uvec3 lo = uvec3(63u), hi = uvec3(0u);
    uint faces = 0u;
    for (uvec2 rest = starts; !is_zero(rest);) { // at most 64 rounds: each clears a bit
        uint u = lowest_bit(rest), w = 1u, h = 1u;
        uvec2 bit = u < 32u ? uvec2(1u << u, 0u) : uvec2(0u, 1u << (u - 32u));
        rest &= ~bit;
        if (!culled) {
            w += lowest_bit(~shift_right(inner, u + 1u)); // of 64 bits the top one is not set
            while (v + h < DIM && !is_zero(goes_on[v + h] & bit))
                h++;
        }
        uvec3 p = axis == 0u ? uvec3(layer, u, v) : axis == 1u ? uvec3(u, layer, v) : uvec3(u, v, layer);
        uint material = material_at(chunk, p.x, p.y, p.z);
        uint i = !is_zero(opaque & bit) ? at_opaque++ : !is_zero(translucent & bit) ? at_translucent++ : at_cutout++;
        uint ao = has_ao ? ao_at(shade, u) : 0xffu;
        quads[i] = uvec2(p.x | p.y << 6 | p.z << 12 | (w - 1u) << 18 | (h - 1u) << 24 | material << 30, material >> 2 | ao << 14);
        lo = min(lo, p);
        hi = max(hi, p + (axis == 0u ? uvec3(0u, w - 1u, h - 1u) : axis == 1u ? uvec3(w - 1u, 0u, h - 1u) : uvec3(w - 1u, h - 1u, 0u)));
        faces += w * h;
    }
    if (faces != 0u) {
        atomicAdd(faces_of_layer, faces);
        for (uint i = 0u; i < 3u; i++) {
            atomicMin(lo_of_layer[i], lo[i]);
            atomicMax(hi_of_layer[i], hi[i]);
        }
    }
    barrier();
    if (v == 0u) {
        atomicAdd(result[chunk].faces, faces_of_layer);
        for (uint i = 0u; i < 3u; i++) {
            if (lo_of_layer[i] < result[chunk].bounds_lo[i]) // it only sinks: what is read late costs an atomic, no more
                atomicMin(result[chunk].bounds_lo[i], lo_of_layer[i]);
            if (hi_of_layer[i] > result[chunk].bounds_hi[i])
                atomicMax(result[chunk].bounds_hi[i], hi_of_layer[i]);
        }
    }
}
