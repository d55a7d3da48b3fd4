// generate_terrain.comp - the voxels of terrain, each gathered from all that can stand there: ground, caves, ore, trees (the formulas: the head of
// kernels/generate_terrain.c). A workgroup takes one z of a chunk, an invocation two voxels of a row, so that they are one word. What many voxels
// ask for is worked out once, and shared: points of the caves' noises, interpolated along y and z; veins; trees near enough.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "generate_common.glsl"
#include "generate_noise.glsl"
layout(local_size_x = 256) in;

#define POINTS_X 5 // corners of the caves' cells of 16x8x16
#define POINTS_Y 9
#define POINTS 90  // of two z
#define CELLS 10   // of 8 columns, in which trees can reach the chunk, along x
#define NO_TREE 0
#define ROUND 1
#define BIRCH 2
#define PINE 3

shared int point[2 * POINTS];      // noise, z, y, x
shared int along[2][64][POINTS_X]; // noise, y, x
shared uint veins[64];             // of the cells of 8^3, y and x: the ore, and above 8 bits centre and size as the hash has them
shared ivec4 trees[2 * CELLS];     // in the order in which they grow, by Z and then by X: x, lowest y, z of the chunk; trunk << 2 | shape

void make_point(uint chunk, int i, int z)
{
    int in_noise = i % POINTS, x = in_noise % POINTS_X, y = in_noise / POINTS_X % POINTS_Y;
    int cell_z = (job[chunk].z * int(DIM) + z >> 4) + in_noise / (POINTS_X * POINTS_Y);
    uint key = job[chunk].key[i < POINTS ? CAVE_A : CAVE_B];
    point[i] = noise_point(key, job[chunk].x * 4 + x, job[chunk].y * 8 + y, cell_z);
}

void make_along(int i, int z)
{
    int noise = i / (64 * POINTS_X), y = i / POINTS_X % 64, x = i % POINTS_X;
    int at = noise * POINTS + (y >> 3) * POINTS_X + x, wy = noise_weight(y, 3);
    int near = noise_lerp(point[at], point[at + POINTS_X], wy);
    at += POINTS_X * POINTS_Y;
    along[noise][y][x] = noise_lerp(near, noise_lerp(point[at], point[at + POINTS_X], wy), noise_weight(z, 4));
}

void make_vein(uint chunk, int i, int z)
{
    int low = job[chunk].y * int(DIM) + (i >> 3) * 8;
    uint h = noise_hash(job[chunk].key[VEIN], job[chunk].x * 8 + (i & 7), low >> 3, job[chunk].z * 8 + (z >> 3)), lot = h & 31u;
    uint ore = lot < 8u                ? COAL_ORE
               : lot < 13u && low < 64 ? IRON_ORE
               : lot < 15u && low < 32 ? GOLD_ORE
               : lot < 16u && low < 16 ? CRYSTAL
                                       : AIR;
    veins[i] = ore | (h >> 5 & 0xffu) << 8;
}

// Tree i of those that can reach z: two rows of cells from the one three columns before.
void make_tree(uint chunk, int i, int z)
{
    int cell_x = i % CELLS - 1, cell_z = (z - REACH >> 3) + i / CELLS;
    uint h = noise_hash(job[chunk].key[TREE], job[chunk].x * 8 + cell_x, 0, job[chunk].z * 8 + cell_z);
    int x = cell_x * 8 + int(h & 7u), at_z = cell_z * 8 + int(h >> 3 & 7u);
    trees[i] = ivec4(0, 0, 0, NO_TREE);
    if (x < -REACH || x >= int(DIM) + REACH || at_z < -REACH || at_z >= int(DIM) + REACH)
        return;
    uint column = columns[column_at(chunk, x, at_z)], top = column >> 16 & 0xffu;
    int height = int(column & 0xffu), wet = int(column >> 8 & 0xffu), lot = int(h >> 6 & 255u);
    if ((top != GRASS && top != DRY_GRASS) || lot > (wet - 70) * 3 / 2 + 4)
        return;
    bool is_pine = height > 58 + int(h >> 14 & 7u);
    int tall = (is_pine ? 6 : 4) + int(h >> 20 & 1u) + int(h >> 21 & 1u);
    int shape = is_pine ? PINE : (wet & 31) < 10 ? BIRCH : ROUND;
    trees[i] = ivec4(x, height + 1 - job[chunk].y * int(DIM), at_z, tall << 2 | shape);
}

// How far leaves reach, squared, below voxels below the first one above the trunk; -1 where there are none. Four bits each, from the top down.
int leaves_at(int shape, int below)
{
    if (shape == PINE)
        return below < -1 || below > 5 ? -1 : 0x9525100 >> 4 * (below + 1) & 15;
    return below < -1 || below > 3 ? -1 : 0x46641 >> 4 * (below + 1) & 15;
}

// What trees put at a voxel of air: any trunk, else the leaves of the first that reaches it.
uint tree_at(int x, int y, int z)
{
    uint found = AIR;
    for (int row = 0; row <= (z + REACH >> 3) - (z - REACH >> 3); row++)
        for (int cell = x - REACH >> 3; cell <= x + REACH >> 3; cell++) {
            ivec4 tree = trees[row * CELLS + cell + 1];
            int shape = tree.w & 3, tall = tree.w >> 2, dx = x - tree.x, dy = y - tree.y, dz = z - tree.z;
            if (shape == NO_TREE || dy < 0)
                continue;
            if (dx == 0 && dz == 0 && dy < tall)
                return shape == PINE ? PINE_LOG : shape == BIRCH ? BIRCH_LOG : LOG;
            if (found == AIR && dx * dx + dz * dz <= leaves_at(shape, tall - dy))
                found = shape == PINE ? PINE_NEEDLES : shape == BIRCH ? BIRCH_LEAVES : LEAVES;
        }
    return found;
}

// A cave's noise in the row y.
int cave_at(int noise, int x, int y)
{
    return noise_lerp(along[noise][y][x >> 4], along[noise][y][(x >> 4) + 1], noise_weight(x, 4));
}

bool is_cave(int x, int y, int h, int world_y)
{
    int width = 2600 + 24 * clamp(h - world_y, 0, 60);
    bool is_dry = h > SEA + 1 || world_y < h - 5; // no hole in the bed of a river
    return world_y >= 3 && is_dry && abs(cave_at(0, x, y) - 32768) < width && abs(cave_at(1, x, y) - 32768) < width;
}

// The ore at a voxel of stone, or that stone.
uint ore_at(int x, int y, int z, uint stone)
{
    uint vein = veins[(y >> 3) * 8 + (x >> 3)], ore = vein & 0xffu;
    ivec3 d = (ivec3(x, y, z) & 7) - 2 - ivec3(vein >> 8 & 3u, vein >> 10 & 3u, vein >> 12 & 3u);
    return ore != AIR && d.x * d.x + d.y * d.y + d.z * d.z <= 1 + int(vein >> 14 & 3u) ? ore : stone;
}

uint voxel_at(int x, int y, int z, uint column, int world_y)
{
    int h = int(column & 0xffu), wet = int(column >> 8 & 0xffu);
    uint material;
    if (world_y > h)
        material = world_y <= SEA ? WATER : AIR;
    else if (is_cave(x, y, h, world_y))
        material = world_y < 7 ? LAVA : AIR;
    else if (world_y == 0)
        material = BEDROCK;
    else
        material = world_y == h ? column >> 16 & 0xffu : world_y > h - 4 ? column >> 24 : world_y < 12 + (wet >> 4) ? DARK_STONE : STONE;
    if (material == STONE || material == DARK_STONE)
        return ore_at(x, y, z, material);
    return material == AIR ? tree_at(x, y, z) : material;
}

void main()
{
    uint chunk = gl_WorkGroupID.y;
    int z = int(gl_WorkGroupID.x), t = int(gl_LocalInvocationID.x);
    if (job[chunk].world != WORLD_TERRAIN)
        return; // all of the workgroup
    if (t < 2 * POINTS)
        make_point(chunk, t, z);
    else if (t < 2 * POINTS + 64)
        make_vein(chunk, t - 2 * POINTS, z);
    if (t < 2 * CELLS)
        make_tree(chunk, t, z);
    barrier();
    for (int i = t; i < 2 * 64 * POINTS_X; i += 256)
        make_along(i, z);
    barrier();
    int pair = t & 31, y0 = job[chunk].y * int(DIM);
    uint left = columns[column_at(chunk, 2 * pair, z)], right = columns[column_at(chunk, 2 * pair + 1, z)];
    for (int y = t >> 5; y < 64; y += 8)
        voxels[word_at(chunk, uint(pair), uint(y), uint(z))] =
            voxel_at(2 * pair, y, z, left, y0 + y) | voxel_at(2 * pair + 1, y, z, right, y0 + y) << 16;
}
