// generate_noise.glsl - hashes and value noise in 32-bit integers: kernels/generate_noise.h once more, which is where the formulas stand. Products and
// sums of both languages are modulo 2^32, and both shift signed numbers right with their sign.

uint noise_mix(uint a)
{
    a = (a ^ a >> 16) * 0x7feb352du;
    a = (a ^ a >> 15) * 0x846ca68bu;
    return a ^ a >> 16;
}

uint noise_hash(uint key, int x, int y, int z)
{
    uint a = noise_mix(key ^ uint(x) * 0x9e3779b1u);
    a = noise_mix(a + uint(y) * 0x85ebca77u);
    return noise_mix(a + uint(z) * 0xc2b2ae3du);
}

int noise_point(uint key, int x, int y, int z) { return int(noise_hash(key, x, y, z) & 0xffffu); }

int noise_lerp(int a, int b, int w) { return a + ((b - a) * w >> 12); }

// The weight of coordinate a in its cell of 2^bits.
int noise_weight(int a, int bits)
{
    int t = (a & ((1 << bits) - 1)) << (12 - bits);
    return ((t * t >> 12) * (12288 - 2 * t)) >> 12;
}
