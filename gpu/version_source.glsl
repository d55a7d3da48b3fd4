// version_source.glsl - versions as gpu/mesh_source.c uploads them: a job a chunk, and the bytes that it leads to. All places are multiples of 16.
struct Plane {
    uint bits;  // 0 (value throughout), 1, 2, 4, 8, 16 a voxel
    uint value;
    uint at;    // byte in source of the packed voxels
    uint table; // byte in source of the 16-bit materials that their values index; bits below 16
};

struct Job {
    uint encoding; // 0 uniform, 1 bricks, 2 dense; as in mesh_source.c
    uint value;    // uniform: the material
    uint palette_at, bricks_at, voxels_at; // bytes in source; a palette has 256 places
    uint flags; // of a mesh: as in mesh_common.glsl
    uint rim_at; // byte in source, of a mesh with AO: twelve edges of two words, and the corners
    uint pad;
    Plane plane[6];
};

layout(std430, set = 0, binding = 0) readonly buffer Jobs { Job job[]; };
layout(std430, set = 0, binding = 1) readonly buffer Source { uint source[]; };

uint source_byte(uint at) { return source[at >> 2] >> ((at & 3u) * 8u) & 0xffu; }
uint source_half(uint at) { return source[at >> 2] >> ((at & 2u) * 8u) & 0xffffu; }
