// vertex_pull.glsl - from a vertex number to a corner of a quad: for vertex shaders that read meshes where they lie, with no vertex buffer.
//
// A shader defines, before it includes this, how word i of the buffer is read:
//
//     layout(std430, set = 0, binding = 0) readonly buffer Meshes { uint words[]; };
//     #define ADIT_WORD(i) words[i]
//     #include "vertex_pull.glsl"
//
//     AditQuad quad = adit_quad_at(base, range, number);       the 8-byte quads of kernels/quad.h, from word `base` on
//     AditQuad quad = adit_compact_at(base, range, number);    the compact form of kernels/compact.h, from word `base` on
//     uint corner = adit_corner_of_six(quad, gl_VertexIndex % 6);  number = gl_VertexIndex / 6, without index buffer
//     uint corner = adit_corner_of_four(quad, gl_VertexIndex % 4); number = gl_VertexIndex / 4, with adit_meshlet_indices
//     vec3 position = vec3(adit_corner_at(quad, corner));      in voxels from the chunk's corner, 0..64
//     vec2 texel = adit_patch_at(quad, place, corner);         in the atlas of kernels/patch.h; place: of quad `number`
//
// range is face * 3 + class - 1: with commands of kernels/meshlet.h it is gl_InstanceIndex & 31. Triangles are counter-clockwise seen
// from outside (right-handed axes), on every face. AO splits a quad along its brighter diagonal, so a dark corner darkens one
// triangle, and a quad looks the same however it is turned.
//
// It is also C: tests/test_vertex_pull.c runs these very lines against quad.h, compact.c and the meshlets. Hence AditQuad's members are scalars,
// there is no out parameter, and no vector is indexed or added.

#ifndef ADIT_VERTEX_PULL_GLSL
#define ADIT_VERTEX_PULL_GLSL

struct AditQuad {
    uint x, y, z;   // the first voxel
    uint w, h;      // 1..64 along U and V
    uint face;      // 0..5: -X +X -Y +Y -Z +Z
    uint material;  // 0..65535
    uint ao;        // 2 bits a corner, 0 dark .. 3 open, corners in the order below
    uint light;     // 0..1023
};

// Corners, as in quad.h: bit 0 is the far end of U, bit 1 that of V.
#define ADIT_CORNER_U 1u
#define ADIT_CORNER_V 2u

// Words of a compact form's head.
#define ADIT_HEAD_FLAGS 1u // in its upper half
#define ADIT_HEAD_PALETTE 5u
#define ADIT_HEAD_QUADS 6u
#define ADIT_HEAD_INDEX_HIGH 7u
#define ADIT_HEAD_AO 8u
#define ADIT_HEAD_LIGHT 9u
#define ADIT_HEAD_START 12u
#define ADIT_HEAD_SLICES 31u
#define ADIT_HEAD_WORDS 49u

uint adit_face_of(uint range) { return range / 3u; }
uint adit_class_of(uint range) { return range % 3u + 1u; } // 1 opaque, 2 translucent, 3 cutout

// Byte i and 16-bit number i of what begins at word `at`.
uint adit_byte_at(uint at, uint i) { return ADIT_WORD(at + i / 4u) >> (i % 4u * 8u) & 255u; }
uint adit_half_at(uint at, uint i) { return ADIT_WORD(at + i / 2u) >> (i % 2u * 16u) & 65535u; }

// Quad number `number` of a mesh of 8-byte quads.
AditQuad adit_quad_at(uint base, uint range, uint number)
{
    uint low = ADIT_WORD(base + number * 2u);
    uint high = ADIT_WORD(base + number * 2u + 1u);
    AditQuad quad;
    quad.x = low & 63u;
    quad.y = low >> 6u & 63u;
    quad.z = low >> 12u & 63u;
    quad.w = (low >> 18u & 63u) + 1u;
    quad.h = (low >> 24u & 63u) + 1u;
    quad.face = adit_face_of(range);
    quad.material = low >> 30u | (high & 0x3fffu) << 2u;
    quad.ao = high >> 14u & 255u;
    quad.light = high >> 22u;
    return quad;
}

// The layer of quad `number`: of the slices that begin at or before it the last one, found in six steps.
uint adit_layer_of(uint base, uint range, uint number)
{
    uint slices = ADIT_WORD(base + ADIT_HEAD_SLICES + range); // lowest layer 8, layers 8, first entry 16
    uint layers = slices >> 8u & 255u;
    uint entry = slices >> 16u;
    uint k = 0u;
    bool is_wide = (ADIT_WORD(base + ADIT_HEAD_FLAGS) >> 16u & 1u) != 0u;
    number -= ADIT_WORD(base + ADIT_HEAD_START + range);
    for (uint width = 32u; width > 0u; width >>= 1u) {
        if (k + width < layers) {
            uint i = entry + k + width;
            uint begin = is_wide ? ADIT_WORD(base + ADIT_HEAD_WORDS + i) : adit_half_at(base + ADIT_HEAD_WORDS, i);
            k += begin <= number ? width : 0u;
        }
    }
    return (slices & 255u) + k;
}

// Quad number `number` of a compact form.
AditQuad adit_compact_at(uint base, uint range, uint number)
{
    uint packed = ADIT_WORD(base + ADIT_WORD(base + ADIT_HEAD_QUADS) + number);
    uint high_at = ADIT_WORD(base + ADIT_HEAD_INDEX_HIGH);
    uint ao_at = ADIT_WORD(base + ADIT_HEAD_AO);
    uint light_at = ADIT_WORD(base + ADIT_HEAD_LIGHT);
    uint layer = adit_layer_of(base, range, number);
    uint u = packed & 63u;
    uint v = packed >> 6u & 63u;
    uint index = packed >> 24u;
    uint axis = range / 6u;
    AditQuad quad;
    if (high_at != 0u)
        index |= adit_byte_at(base + high_at, number) << 8u;
    quad.x = axis == 0u ? layer : u;
    quad.y = axis == 0u ? u : axis == 1u ? layer : v;
    quad.z = axis == 2u ? layer : v;
    quad.w = (packed >> 12u & 63u) + 1u;
    quad.h = (packed >> 18u & 63u) + 1u;
    quad.face = adit_face_of(range);
    quad.material = adit_half_at(base + ADIT_WORD(base + ADIT_HEAD_PALETTE), index);
    quad.ao = ao_at != 0u ? adit_byte_at(base + ao_at, number) : 255u;
    quad.light = light_at != 0u ? adit_half_at(base + light_at, number) : 0u;
    return quad;
}

// AO of a corner, 0 dark .. 3 open.
uint adit_ao_of(AditQuad quad, uint corner) { return quad.ao >> (corner * 2u) & 3u; }

// The corner of vertex 0..3, whose triangles are (0,1,2) and (2,1,3). Corners in their own order turn like U x V, which is the outside
// of +X, -Y and +Z: elsewhere 1 and 2 change places. The diagonal is that from vertex 1 to vertex 2; turning the order by a
// quarter takes the other one.
uint adit_corner_of_four(AditQuad quad, uint vertex)
{
    bool is_turned = adit_ao_of(quad, 0u) + adit_ao_of(quad, 3u) > adit_ao_of(quad, 1u) + adit_ao_of(quad, 2u);
    bool is_mirrored = (0x26u >> quad.face & 1u) == 0u;
    uint corner = is_turned ? (0x2031u >> (vertex * 4u) & 3u) : vertex;
    return is_mirrored ? (corner >> 1u | (corner & 1u) << 1u) : corner;
}

// The corner of vertex 0..5 of two triangles.
uint adit_corner_of_six(AditQuad quad, uint vertex) { return adit_corner_of_four(quad, 0x312210u >> (vertex * 4u) & 3u); }

// How far a corner is from corner 0, along U and V in voxels: texture coordinates that repeat with each voxel.
uvec2 adit_uv_of(AditQuad quad, uint corner)
{
    return uvec2((corner & ADIT_CORNER_U) != 0u ? quad.w : 0u, (corner & ADIT_CORNER_V) != 0u ? quad.h : 0u);
}

// Where a corner is, in voxels from the chunk's corner.
uvec3 adit_corner_at(AditQuad quad, uint corner)
{
    uvec2 uv = adit_uv_of(quad, corner);
    uint axis = quad.face >> 1u;
    uint plane = quad.face & 1u; // faces towards + lie beyond their voxel
    uint x = quad.x + (axis == 0u ? plane : uv.x);
    uint y = quad.y + (axis == 0u ? uv.x : axis == 1u ? plane : uv.y);
    uint z = quad.z + (axis == 2u ? plane : uv.y);
    return uvec3(x, y, z);
}

// Where a corner is in the atlas of kernels/patch.h, in texels: the middle of the one texel of a flat quad. A value interpolated from the four
// corners may fall short of the patch or beyond it by rounding, so a fragment looks up, by texelFetch and without a filter, the texel
//     clamp(ivec2(floor(texel)), ivec2(adit_patch_first(place)), ivec2(adit_patch_last(quad, place)))     the two passed flat
vec2 adit_patch_at(AditQuad quad, uint place, uint corner)
{
    uvec2 uv = adit_uv_of(quad, corner);
    uint x = place & 0x3fffu;
    uint y = place >> 16u;
    bool is_flat = (place & 0x8000u) != 0u;
    return is_flat ? vec2(x + 0.5, y + 0.5) : vec2(x + uv.x, y + uv.y);
}

// The first and the last texel of a quad along U and V.
uvec2 adit_patch_first(uint place) { return uvec2(place & 0x3fffu, place >> 16u); }
uvec2 adit_patch_last(AditQuad quad, uint place)
{
    bool is_flat = (place & 0x8000u) != 0u;
    return uvec2((place & 0x3fffu) + (is_flat ? 0u : quad.w - 1u), (place >> 16u) + (is_flat ? 0u : quad.h - 1u));
}

// The direction that a face looks to.
ivec3 adit_normal_of(uint face)
{
    int side = (face & 1u) != 0u ? 1 : -1;
    uint axis = face >> 1u;
    return ivec3(axis == 0u ? side : 0, axis == 1u ? side : 0, axis == 2u ? side : 0);
}

#endif
