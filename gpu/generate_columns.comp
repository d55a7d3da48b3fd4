// generate_columns.comp - what is known of terrain before any voxel ("The formulas" of kernels/generate_terrain.c, to make_surface()). A workgroup takes
// STRIP rows of columns of one chunk: first the points of all its noises, one an invocation; then heights, of one more row and column on each
// side, because slopes look there; then surfaces.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "generate_common.glsl"
#include "generate_noise.glsl"
layout(local_size_x = 256) in;

#define STRIP 10 // SIDE is 7 of these
#define WIDE 72  // heights along x
#define DEEP 12  // along z
#define POINTS 181

// A noise of two dimensions: its number, cells of 2^bits columns, and where its points lie. Cells that WIDE or DEEP columns can touch, wherever they begin,
// have so many corners along x and z.
struct Noise {
    int k, bits, at, along_x, along_z;
};
#define NOISES 10
#define N_LAND 0
#define N_HILLS 1
#define N_KNOLLS 2
#define N_BUMPS 3
#define N_RIDGE 4
#define N_ROUGH 5
#define N_RIVER 6
#define N_GRAIN 7
#define N_MOIST 8
#define N_FUZZ 9
const Noise noises[NOISES] = Noise[NOISES](
    Noise(LAND, 8, 0, 3, 3), Noise(HILLS, 6, 9, 4, 3), Noise(KNOLLS, 5, 21, 5, 3), Noise(BUMPS, 4, 36, 7, 3), Noise(RIDGE, 7, 57, 3, 3),
    Noise(ROUGH, 7, 66, 3, 3), Noise(RIVER, 7, 75, 3, 3), Noise(GRAIN, 3, 84, 11, 4), Noise(MOIST, 7, 128, 3, 3), Noise(BUMPS, 3, 137, 11, 4));

shared int point[POINTS];
shared int height[DEEP][WIDE];

// Corner of the strip's heights, in columns of the world.
int x0, z0;

void make_point(uint chunk, int i)
{
    int n = NOISES - 1;
    while (noises[n].at > i)
        n--; // the first lies at 0
    int bits = noises[n].bits, in_noise = i - noises[n].at;
    int x = (x0 >> bits) + in_noise % noises[n].along_x, z = (z0 >> bits) + in_noise / noises[n].along_x;
    point[i] = noise_point(job[chunk].key[noises[n].k], x, 0, z);
}

// N2 of the world's column x, z.
int noise_at(int n, int x, int z)
{
    int bits = noises[n].bits, along = noises[n].along_x;
    int at = noises[n].at + ((z >> bits) - (z0 >> bits)) * along + (x >> bits) - (x0 >> bits);
    int wx = noise_weight(x, bits);
    int near = noise_lerp(point[at], point[at + 1], wx), far = noise_lerp(point[at + along], point[at + along + 1], wx);
    return noise_lerp(near, far, noise_weight(z, bits));
}

int octave(int n, int size, int x, int z) { return (noise_at(n, x, z) - 32768) * (size << 8) >> 16; }

int height_at(int x, int z)
{
    int h = (49 << 8) + octave(N_LAND, 36, x, z) + octave(N_HILLS, 20, x, z) + octave(N_KNOLLS, 9, x, z) + octave(N_BUMPS, 4, x, z);
    int crest = (65535 - abs(2 * noise_at(N_RIDGE, x, z) - 65535)) >> 4;
    int where = clamp((noise_at(N_ROUGH, x, z) - 26000) >> 3, 0, 4096);
    h += ((crest * crest >> 12) * where >> 12) * (64 << 8) >> 12;
    int away = clamp(abs(noise_at(N_RIVER, x, z) - 32768), 0, 4095), bed = (SEA - 5) << 8;
    if (h > bed)
        h = noise_lerp(bed, h, noise_weight(away, 12));
    return clamp((h + octave(N_GRAIN, 2, x, z)) >> 8, 4, 116);
}

// The column j, i of the strip's heights: the words of generate_common.glsl.
uint surface_at(int j, int i)
{
    int h = height[j][i], grain = noise_at(N_FUZZ, x0 + i, z0 + j), fuzz = grain >> 12;
    int along_x = max(abs(height[j][i - 1] - h), abs(height[j][i + 1] - h));
    int slope = max(along_x, max(abs(height[j - 1][i] - h), abs(height[j + 1][i] - h)));
    int wet = clamp((noise_at(N_MOIST, x0 + i, z0 + j) + (grain >> 3) - 4096) >> 8, 0, 255);
    uint top = GRASS, under = DIRT;
    if (h <= SEA + 1) {
        top = h < SEA - 7 ? CLAY : fuzz > 11 ? GRAVEL : SAND;
        under = h < SEA - 7 ? CLAY : SAND;
    } else if (slope > 3 || (slope > 2 && h > 60)) {
        top = under = fuzz > 10 ? DARK_STONE : STONE;
    } else if (h > 84 + fuzz) {
        top = SNOW;
        under = STONE;
    } else if (h > 74 + fuzz) {
        top = under = fuzz > 8 ? GRAVEL : STONE;
    } else if (wet < 56) {
        top = SAND;
        under = SANDSTONE;
    } else if (wet < 92) {
        top = DRY_GRASS;
    }
    return uint(h) | uint(wet) << 8 | top << 16 | under << 24;
}

void main()
{
    uint chunk = gl_WorkGroupID.y;
    int t = int(gl_LocalInvocationID.x), strip = int(gl_WorkGroupID.x);
    if (job[chunk].world != WORLD_TERRAIN)
        return; // all of the workgroup
    x0 = job[chunk].x * int(DIM) - REACH - 1;
    z0 = job[chunk].z * int(DIM) - REACH - 1 + strip * STRIP;
    if (t < POINTS)
        make_point(chunk, t);
    barrier();
    for (int i = t; i < DEEP * WIDE; i += 256)
        height[i / WIDE][i % WIDE] = height_at(x0 + i % WIDE, z0 + i / WIDE);
    barrier();
    for (int i = t; i < STRIP * SIDE; i += 256)
        columns[column_at(chunk, i % SIDE - REACH, strip * STRIP + i / SIDE - REACH)] = surface_at(i / SIDE + 1, i % SIDE + 1);
}
