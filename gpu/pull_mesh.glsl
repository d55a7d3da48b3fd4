// pull_mesh.glsl - a whole vertex shader by vertex pulling, for either form of a mesh: PULL_QUAD says which. An example for renderers,
// and the proof that vertex_pull.glsl compiles. Drawn by commands of kernels/meshlet.h, not indexed (PULL_INDEXED 0) or indexed. With PULL_PATCHES materials
// come from the atlas of kernels/patch.h.
layout(std430, set = 0, binding = 0) readonly buffer Meshes { uint words[]; };
#define ADIT_WORD(i) words[i]
#include "../kernels/vertex_pull.glsl"

struct Chunk {
    ivec3 corner; // of the chunk, in voxels of the world, from the viewer's own chunk
    uint base;    // word of the buffer at which its mesh begins
};
layout(std430, set = 0, binding = 1) readonly buffer Chunks { Chunk chunks[]; };
#if PULL_PATCHES
layout(std430, set = 0, binding = 2) readonly buffer Places { uint places[]; }; // a word a quad, where Meshes has two
layout(location = 4) out vec2 texel;
layout(location = 5) flat out uvec4 texel_bounds; // first, last
#endif
layout(push_constant) uniform View { mat4 clip_from_world; } view;

layout(location = 0) out vec3 normal;
layout(location = 1) out vec2 uv;
layout(location = 2) out float openness;
layout(location = 3) flat out uint material;

void main()
{
    uint instance = uint(gl_InstanceIndex), range = instance & 31u, vertex = uint(gl_VertexIndex);
    Chunk chunk = chunks[instance >> 5u];
#if PULL_INDEXED
    AditQuad quad = PULL_QUAD(chunk.base, range, vertex / 4u);
    uint corner = adit_corner_of_four(quad, vertex % 4u);
#else
    AditQuad quad = PULL_QUAD(chunk.base, range, vertex / 6u);
    uint corner = adit_corner_of_six(quad, vertex % 6u);
#endif
    normal = vec3(adit_normal_of(quad.face));
    uv = vec2(adit_uv_of(quad, corner));
    openness = float(adit_ao_of(quad, corner)) / 3.0;
    material = quad.material;
#if PULL_PATCHES
    uint place = places[chunk.base / 2u + vertex / 6u];
    texel = adit_patch_at(quad, place, corner);
    texel_bounds = uvec4(adit_patch_first(place), adit_patch_last(quad, place));
#endif
    gl_Position = view.clip_from_world * vec4(vec3(chunk.corner + ivec3(adit_corner_at(quad, corner))), 1.0);
}
