// mesh_shade.comp - which faces ambient occlusion parts from their neighbours, for chunks that have it and are not culled. It is written where
// mesh_runs.comp, which reads it just before, will put the quads of the same row. A workgroup takes a layer of a side, an invocation a row.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "mesh_common.glsl"
#include "mesh_shade.glsl"
layout(local_size_x = 64) in;

shared uint has_faces;

void main()
{
    uint chunk = gl_WorkGroupID.y, face = gl_WorkGroupID.x / DIM, layer = gl_WorkGroupID.x % DIM, axis = face >> 1;
    uint v = gl_LocalInvocationID.x, row = row_of(axis, v, layer), flags = job[chunk].flags;
    if ((flags & FLAG_AO) == 0u || (flags & FLAG_CULLED) != 0u)
        return;
    if (v == 0u)
        has_faces = 0u;
    barrier();
    if (!is_zero(rows[rows_at(chunk, face, row)]))
        atomicOr(has_faces, 1u);
    barrier();
    if (has_faces == 0u)
        return; // all of the workgroup do; of a row without faces it does not matter what stands there
    cells_load(chunk, face, layer, v);
    starts_of[quad_row(chunk, face, row)] = uneven_of(shade_of(v));
}
