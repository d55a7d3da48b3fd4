// mesh_scan.comp - counts of quads to places: within a chunk by side, class and layer, and a run of quads for the chunk. A workgroup a chunk.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "mesh_common.glsl"
layout(local_size_x = 64) in;

#define EACH 18u // counts an invocation adds up

shared uint sums[64];

void main()
{
    uint chunk = gl_WorkGroupID.y, t = gl_LocalInvocationID.x, first = chunk * COUNTS + t * EACH, sum = 0u;
    for (uint i = 0u; i < EACH; i++)
        sum += counts[first + i];
    sums[t] = sum;
    barrier();
    for (uint step = 1u; step < 64u; step *= 2u) { // Hillis and Steele, 1986
        uint left = t >= step ? sums[t - step] : 0u;
        barrier();
        sums[t] += left;
        barrier();
    }
    uint place = sums[t] - sum;
    for (uint i = 0u; i < EACH; i++) {
        uint n = counts[first + i], at = t * EACH + i;
        counts[first + i] = place;
        if (at % DIM == 0u)
            result[chunk].start[at / DIM] = place;
        place += n;
    }
    if (t == 63u) {
        uint base = atomicAdd(cursor, place);
        result[chunk].start[18] = place;
        result[chunk].base = base;
        result[chunk].is_short = base > batch.quads_max || place > batch.quads_max - base ? 1u : 0u;
        result[chunk].faces = 0u;
        for (uint i = 0u; i < 3u; i++) {
            result[chunk].bounds_lo[i] = 63u;
            result[chunk].bounds_hi[i] = 0u;
        }
    }
}
