// brick_decode.glsl - the voxels of a brick of 16^3 out of a version's encoding (kernels/voxels.h), four at a time. A workgroup of 256 takes a brick.
shared uint material[256]; // of each value that its voxels can have

struct Brick {
    uint encoding, bits; // bits a voxel: 1, 2, 4, 8; 0 one material
    uint at;             // byte in source of its values; of a dense chunk, of all voxels
    uint both;           // bits 0: the material, twice
    uvec3 origin;        // in the chunk
};

// All invocations call it, t being theirs: it fills material.
Brick brick_begin(uint chunk, uint brick, uint t)
{
    Job j = job[chunk];
    uint d = j.encoding == 1u ? source[(j.bricks_at >> 2) + brick] : 0u, code = d & 7u, place = d >> 5 & 0x7fffu;
    Brick b;
    b.encoding = j.encoding;
    b.bits = code == 0u ? 0u : 1u << (code - 1u);
    b.at = j.voxels_at + place * 16u;
    b.origin = uvec3(brick & 3u, brick >> 2 & 3u, brick >> 4) * 16u;
    if (j.encoding == 1u && code == 4u)
        material[t] = source_half(j.palette_at + t * 2u);
    else if (j.encoding == 1u && code != 0u && t < 16u)
        material[t] = source_half(j.palette_at + source_byte(b.at + t) * 2u);
    if (code != 0u && code != 4u)
        b.at += 16u;
    uint one = j.encoding == 1u ? source_half(j.palette_at + (place & 0xffu) * 2u) : j.value;
    b.both = one | one << 16;
    barrier();
    return b;
}

// Voxels i to i + 3 of the brick, along x, two to a word. i: a multiple of 4.
uvec2 brick_four(Brick b, uint i)
{
    if (b.encoding == 2u) {
        uvec3 p = b.origin + uvec3(i & 15u, i >> 4 & 15u, i >> 8);
        uint word = (b.at >> 2) + (((p.z * 64u + p.y) * 64u + p.x) >> 1);
        return uvec2(source[word], source[word + 1u]);
    }
    if (b.bits == 0u)
        return uvec2(b.both);
    uint bit = i * b.bits, values = source[(b.at >> 2) + (bit >> 5)] >> (bit & 31u), mask = (1u << b.bits) - 1u; // four never lie in two words
    return uvec2(material[values & mask] | material[values >> b.bits & mask] << 16,
                 material[values >> 2u * b.bits & mask] | material[values >> 3u * b.bits & mask] << 16);
}
