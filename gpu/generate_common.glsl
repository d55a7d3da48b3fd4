// generate_common.glsl - what the stages of a generate batch share: the buffers, and the materials of terrain. A batch makes `chunks` chunks; every stage
// is dispatched with gl_WorkGroupID.y = the chunk, and passes over chunks of worlds that are not its own.
#define DIM 64u
#define CHUNK_WORDS 131072u // of voxels, two to a word, since 16-bit storage is an optional feature
#define SEA 40
#define REACH 3  // columns that trees reach over a border
#define SIDE 70  // columns of a chunk with those beyond its borders

#define WORLD_AIR 0u // as in generate_batch.c
#define WORLD_TERRAIN 1u
#define WORLD_NOISE50 2u
#define WORLD_CHECKER 3u

struct Job {
    uint world;
    int x, y, z; // the chunk; of terrain, x and z within its 2^24 chunks
    uint seed_low, seed_high;
    uint key[14]; // of terrain, by the number of the noise or hash; the first is not used
};

// The numbers of noises and hashes, and the materials: as in kernels/generate_terrain.c.
#define LAND 1
#define RIDGE 2
#define ROUGH 3
#define HILLS 4
#define KNOLLS 5
#define BUMPS 6
#define GRAIN 7
#define RIVER 8
#define MOIST 9
#define CAVE_A 10
#define CAVE_B 11
#define VEIN 12
#define TREE 13

#define AIR 0u
#define STONE 1u
#define DIRT 2u
#define GRASS 3u
#define WATER 4u
#define SAND 5u
#define LOG 6u
#define LEAVES 7u
#define BEDROCK 8u
#define SNOW 9u
#define DARK_STONE 10u
#define GRAVEL 11u
#define CLAY 12u
#define DRY_GRASS 13u
#define SANDSTONE 14u
#define BIRCH_LOG 15u
#define BIRCH_LEAVES 16u
#define PINE_LOG 17u
#define PINE_NEEDLES 18u
#define COAL_ORE 19u
#define IRON_ORE 20u
#define GOLD_ORE 21u
#define CRYSTAL 22u
#define LAVA 23u

layout(std430, set = 0, binding = 0) readonly buffer Jobs { Job job[]; };
layout(std430, set = 0, binding = 1) buffer Columns { uint columns[]; }; // height, wetness, top, under: 8 bits each
layout(std430, set = 0, binding = 2) writeonly buffer Voxels { uint voxels[]; };

// The column x, z of the chunk, -REACH to 63 + REACH.
uint column_at(uint chunk, int x, int z) { return (chunk * uint(SIDE) + uint(z + REACH)) * uint(SIDE) + uint(x + REACH); }

// The word that holds voxels 2 * pair and the next of a row.
uint word_at(uint chunk, uint pair, uint y, uint z) { return chunk * CHUNK_WORDS + (z * DIM + y) * (DIM / 2u) + pair; }
