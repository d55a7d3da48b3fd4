// mesh_common.glsl - what the stages of a mesh batch share: the buffers, and 64 bits as uvec2 (x low), since 64-bit integers are an
// optional feature. A batch meshes `chunks` chunks; every stage is dispatched with gl_WorkGroupID.y = the chunk.
#include "version_source.glsl"
#define DIM 64u
#define CHUNK_WORDS 131072u // of voxels, two to a word
#define PLANE_WORDS 2048u
#define PLANE_ROWS 4096u // rows of the volume, z * 64 + y; then those of the planes -Y +Y -Z +Z
#define BITS_ROWS 4352u
#define BITS_OPAQUE 0u
#define BITS_TRANSLUCENT 1u
#define BITS_CUTOUT 2u
#define BITS_ALONG_X 3u // equal to the next along x
#define BITS_ALONG_Y 4u // of a plane's row: to the chunk's voxel that it faces
#define BITS_ALONG_Z 5u
#define BITS 6u
#define ROWS 10u // visible faces of six sides (-X +X: bit y, row z * 64 + x; else bit x, row z * 64 + y); then turned like -X:
#define ROWS_ALONG_Y 6u
#define ROWS_ALONG_Z 7u
#define ROWS_OPAQUE 8u
#define ROWS_TRANSLUCENT 9u
#define COUNTS (18u * DIM)
#define FLAG_CULLED 1u // of kernels/mesh.h
#define FLAG_TT_NONE 2u
#define FLAG_AO 4u

// Of the pipeline: whether chunks may ask for AO. Without it nothing of AO is left of a stage.
layout(constant_id = 0) const bool IS_SHADED = false;

struct Result {
    uint start[19];
    uint base; // where in quads it begins
    uint faces;
    uint bounds_lo[3], bounds_hi[3];
    uint is_short; // 1: there was no room, nothing was emitted
    uint pad[2];
};

layout(std430, set = 0, binding = 2) readonly buffer Classes { uint classes[]; }; // two bits a material
layout(std430, set = 0, binding = 3) buffer Voxels { uint voxels[]; };
layout(std430, set = 0, binding = 4) buffer Planes { uint planes[]; };
layout(std430, set = 0, binding = 5) buffer Rows { uvec2 rows[]; };
layout(std430, set = 0, binding = 9) buffer Bits { uvec2 bits[]; };
// xy: where quads begin; zw: bits of quads from the row before. Before that, with AO: faces that are uneven along u, along v.
layout(std430, set = 0, binding = 10) buffer Starts { uvec4 starts_of[]; };
layout(std430, set = 0, binding = 6) buffer Counts { uint counts[]; };
layout(std430, set = 0, binding = 7) buffer Results { uint cursor; uint results_pad[31]; Result result[]; };
layout(std430, set = 0, binding = 8) writeonly buffer Quads { uvec2 quads[]; };

layout(push_constant) uniform Batch { uint chunks; uint quads_max; } batch;

uint class_of(uint material) { return classes[material >> 4] >> ((material & 15u) * 2u) & 3u; }

uint material_at(uint chunk, uint x, uint y, uint z)
{
    uint i = (z * DIM + y) * DIM + x;
    return voxels[chunk * CHUNK_WORDS + (i >> 1)] >> ((i & 1u) * 16u) & 0xffffu;
}

// The material next to side face, with the (U,V) of kernels/quad.h.
uint border_at(uint chunk, uint face, uint u, uint v)
{
    uint i = v * DIM + u;
    return planes[(chunk * 6u + face) * PLANE_WORDS + (i >> 1)] >> ((i & 1u) * 16u) & 0xffffu;
}

uint rows_at(uint chunk, uint kind, uint row) { return (chunk * ROWS + kind) * PLANE_ROWS + row; }
uint bits_at(uint chunk, uint kind, uint row) { return (chunk * BITS + kind) * BITS_ROWS + row; }

uint quad_row(uint chunk, uint face, uint row) { return (chunk * 6u + face) * PLANE_ROWS + row; }

// The row that holds v of a layer.
uint row_of(uint axis, uint v, uint layer) { return axis == 2u ? layer * DIM + v : v * DIM + layer; }

// Of such a row: equality with the next along U and along V; the class, 0 opaque, 1 translucent.
uvec2 along_u_at(uint chunk, uint axis, uint row)
{
    return axis == 0u ? rows[rows_at(chunk, ROWS_ALONG_Y, row)] : bits[bits_at(chunk, BITS_ALONG_X, row)];
}
uvec2 along_v_at(uint chunk, uint axis, uint row)
{
    return axis == 0u ? rows[rows_at(chunk, ROWS_ALONG_Z, row)] : bits[bits_at(chunk, axis == 1u ? BITS_ALONG_Z : BITS_ALONG_Y, row)];
}
uvec2 class_bits_at(uint chunk, uint axis, uint row, uint see)
{
    return axis == 0u ? rows[rows_at(chunk, ROWS_OPAQUE + see, row)] : bits[bits_at(chunk, BITS_OPAQUE + see, row)];
}

uvec2 shift_left(uvec2 a, uint n)
{
    if (n >= 32u)
        return uvec2(0u, n >= 64u ? 0u : a.x << (n - 32u));
    return n == 0u ? a : uvec2(a.x << n, a.y << n | a.x >> (32u - n));
}
uvec2 shift_right(uvec2 a, uint n)
{
    if (n >= 32u)
        return uvec2(n >= 64u ? 0u : a.y >> (n - 32u), 0u);
    return n == 0u ? a : uvec2(a.x >> n | a.y << (32u - n), a.y >> n);
}
uvec2 up(uvec2 a) { return uvec2(a.x << 1, a.y << 1 | a.x >> 31); }
uvec2 down(uvec2 a) { return uvec2(a.x >> 1 | a.y << 31, a.y >> 1); }
uint bit_of(uvec2 a, uint n) { return (n < 32u ? a.x : a.y) >> (n & 31u) & 1u; }
// The lowest bit's number; a is not 0.
uint lowest_bit(uvec2 a) { return a.x != 0u ? uint(findLSB(a.x)) : 32u + uint(findLSB(a.y)); }
bool is_zero(uvec2 a) { return (a.x | a.y) == 0u; }
