/* generate_terrain.c - hills, mountains, rivers, caves, ores and woods: what stands at every voxel, and how it is made.
 *
 * The formulas, with H_k, L, W, N2 and N3 of generate_noise.h (k by the enum below), clamp(a,lo,hi), and x,y,z world
 * coordinates, of which x and z are first brought into -2^29..2^29-1. Heights are in 1/256 voxel until the last line.
 *     o(k,b,n)   = (N2_k,b - 32768) * n*256 >> 16
 *     hills      = 49*256 + o(LAND,8,36) + o(HILLS,6,20) + o(KNOLLS,5,9) + o(BUMPS,4,4)
 *     crest      = (65535 - |2*N2_RIDGE,7 - 65535|) >> 4         where = clamp((N2_ROUGH,7 - 26000) >> 3, 0, 4096)
 *     mountains  = hills + (((crest*crest >> 12) * where >> 12) * 64*256 >> 12)
 *     valleys    = mountains > 35*256 ? L(35*256, mountains, W(clamp(|N2_RIVER,7 - 32768|, 0, 4095))) : mountains
 *     h          = clamp((valleys + o(GRAIN,3,2)) >> 8, 4, 116)                  the highest voxel of ground
 *     slope      = the largest |h - h'| to the four columns beside; fuzz = N2_BUMPS,3 >> 12
 *     wet        = clamp((N2_MOIST,7 + (N2_BUMPS,3 >> 3) - 4096) >> 8, 0, 255)
 *     top, under   what lies at h and in the three voxels below: the first that fits in make_surface()
 * Ground, y <= h: bedrock at 0; top at h; under above h - 4; else dark stone below 12 + (wet >> 4), else stone. Above h:
 * water up to 40, the sea; air. Then, in this order, each looking at its own voxel and not at what its neighbours became:
 *     caves  3 <= y <= h, |N3_CAVE_A - 32768| and |N3_CAVE_B - 32768| < 2600 + 24*clamp(h - y, 0, 60), and h > 41 or
 *            y < h - 5: lava below y = 7, else air
 *     ores   v = H_VEIN(x>>3, y>>3, z>>3), of the cell of 8^3 whose lowest y is c, lot = v & 31: coal below 8; iron below
 *            13 if c < 64; gold below 15 if c < 32; crystal below 16 if c < 16. In stone and dark stone, where the square
 *            of the distance to the cell's corner + 2 + (v>>5 & 3, v>>7 & 3, v>>9 & 3) is at most 1 + (v>>11 & 3)
 *     trees  in air; t = H_TREE(X,0,Z) for each cell of 8x8 columns, at column (8X + (t & 7), 8Z + (t>>3 & 7)), if top
 *            there is grass or dry grass and (t>>6 & 255) <= (wet - 70)*3/2 + 4. First all trunks, then the leaves of
 *            one tree after the other, by Z and then by X: find_tree() and leaves_at()
 *
 * A chunk is made in these steps, too: the columns, the ground row by row, ores, trees. Columns are made for some voxels
 * more than the chunk has, because slopes look at the next column and trees reach over the border.
 */
#include "kernels/generate.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/generate_noise.h"

enum { DIM = ADIT_CHUNK_DIM, SEA = 40, MARGIN = 5, GRID = DIM + 2 * MARGIN, HEIGHT_MAX = 116 };

enum {
    AIR, STONE, DIRT, GRASS, WATER, SAND, LOG, LEAVES, BEDROCK, SNOW, DARK_STONE, GRAVEL, CLAY, DRY_GRASS, SANDSTONE,
    BIRCH_LOG, BIRCH_LEAVES, PINE_LOG, PINE_NEEDLES, COAL_ORE, IRON_ORE, GOLD_ORE, CRYSTAL, LAVA,
};

const struct adit_generate_material adit_generate_terrain_materials[ADIT_GENERATE_TERRAIN_MATERIALS] = {
    [AIR] = { "air", 0, ADIT_CLASS_AIR },
    [STONE] = { "stone", 0x8b8d90ff, ADIT_CLASS_OPAQUE },
    [DIRT] = { "dirt", 0x7b5b3eff, ADIT_CLASS_OPAQUE },
    [GRASS] = { "grass", 0x639b41ff, ADIT_CLASS_OPAQUE },
    [WATER] = { "water", 0x3a78b8b0, ADIT_CLASS_TRANSLUCENT },
    [SAND] = { "sand", 0xddcd94ff, ADIT_CLASS_OPAQUE },
    [LOG] = { "log", 0x6a4e30ff, ADIT_CLASS_OPAQUE },
    [LEAVES] = { "leaves", 0x3f7d2fff, ADIT_CLASS_CUTOUT },
    [BEDROCK] = { "bedrock", 0x3a3a40ff, ADIT_CLASS_OPAQUE },
    [SNOW] = { "snow", 0xf3f6faff, ADIT_CLASS_OPAQUE },
    [DARK_STONE] = { "dark stone", 0x585b63ff, ADIT_CLASS_OPAQUE },
    [GRAVEL] = { "gravel", 0x958c86ff, ADIT_CLASS_OPAQUE },
    [CLAY] = { "clay", 0xa5abb8ff, ADIT_CLASS_OPAQUE },
    [DRY_GRASS] = { "dry grass", 0xa9a552ff, ADIT_CLASS_OPAQUE },
    [SANDSTONE] = { "sandstone", 0xc7ae74ff, ADIT_CLASS_OPAQUE },
    [BIRCH_LOG] = { "birch log", 0xd9d5c8ff, ADIT_CLASS_OPAQUE },
    [BIRCH_LEAVES] = { "birch leaves", 0x86ab3eff, ADIT_CLASS_CUTOUT },
    [PINE_LOG] = { "pine log", 0x4c3727ff, ADIT_CLASS_OPAQUE },
    [PINE_NEEDLES] = { "pine needles", 0x275640ff, ADIT_CLASS_CUTOUT },
    [COAL_ORE] = { "coal ore", 0x2e3033ff, ADIT_CLASS_OPAQUE },
    [IRON_ORE] = { "iron ore", 0xb48a6aff, ADIT_CLASS_OPAQUE },
    [GOLD_ORE] = { "gold ore", 0xe5b93cff, ADIT_CLASS_OPAQUE },
    [CRYSTAL] = { "crystal", 0x49d0d4ff, ADIT_CLASS_OPAQUE },
    [LAVA] = { "lava", 0xf0701eff, ADIT_CLASS_OPAQUE },
};

enum { /* the noises and hashes, by k */
    LAND = 1, RIDGE, ROUGH, HILLS, KNOLLS, BUMPS, GRAIN, RIVER, MOIST, CAVE_A, CAVE_B, VEIN, TREE,
    KEYS,
};

/* What is known of the ground before any voxel: by z and x of the grid, whose corner is MARGIN before the chunk's. */
struct columns {
    int32_t x, z; /* world coordinates of the corner */
    uint32_t key[KEYS];
    uint8_t height[GRID][GRID]; /* y of the highest voxel of ground, 4..HEIGHT_MAX */
    uint8_t moist[GRID][GRID];
    uint8_t top[GRID][GRID], under[GRID][GRID]; /* materials of the highest voxel and the three below it */
};

/* N2_k,bits along x at lattice row z. */
static void noise_line(uint32_t key, uint32_t bits, int32_t x, int32_t z, int32_t line[GRID])
{
    int32_t cell = x >> bits, left = adit_noise_point(key, cell, 0, z), right = adit_noise_point(key, cell + 1, 0, z);
    for (int32_t i = 0; i < GRID; i++) {
        if ((x + i) >> bits != cell) {
            cell = (x + i) >> bits;
            left = right;
            right = adit_noise_point(key, cell + 1, 0, z);
        }
        line[i] = adit_noise_lerp(left, right, adit_noise_weight(x + i, bits));
    }
}

/* N2_k,bits in the whole grid. */
static void noise_plane(const struct columns *c, uint32_t k, uint32_t bits, int32_t plane[GRID][GRID])
{
    int32_t cell = c->z >> bits, line[2][GRID], near = 0;
    noise_line(c->key[k], bits, c->x, cell, line[0]);
    noise_line(c->key[k], bits, c->x, cell + 1, line[1]);
    for (int32_t j = 0; j < GRID; j++) {
        if ((c->z + j) >> bits != cell) {
            cell = (c->z + j) >> bits;
            noise_line(c->key[k], bits, c->x, cell + 1, line[near]);
            near ^= 1;
        }
        int32_t weight = adit_noise_weight(c->z + j, bits);
        for (int32_t i = 0; i < GRID; i++)
            plane[j][i] = adit_noise_lerp(line[near][i], line[near ^ 1][i], weight);
    }
}

static int32_t clamp(int32_t a, int32_t lo, int32_t hi)
{
    return a < lo ? lo : a > hi ? hi : a;
}

/* Adds o(k,bits,voxels) to sum. */
static void add_octave(const struct columns *c, uint32_t k, uint32_t bits, int32_t voxels, int32_t sum[GRID][GRID])
{
    int32_t plane[GRID][GRID];
    noise_plane(c, k, bits, plane);
    for (int32_t j = 0; j < GRID; j++)
        for (int32_t i = 0; i < GRID; i++)
            sum[j][i] += (plane[j][i] - 32768) * (voxels << 8) >> 16;
}

static void make_heights(struct columns *c)
{
    int32_t h[GRID][GRID], ridge[GRID][GRID], rough[GRID][GRID], river[GRID][GRID];
    for (int32_t j = 0; j < GRID; j++)
        for (int32_t i = 0; i < GRID; i++)
            h[j][i] = 49 << 8;
    add_octave(c, LAND, 8, 36, h);
    add_octave(c, HILLS, 6, 20, h);
    add_octave(c, KNOLLS, 5, 9, h);
    add_octave(c, BUMPS, 4, 4, h);
    noise_plane(c, RIDGE, 7, ridge);
    noise_plane(c, ROUGH, 7, rough);
    for (int32_t j = 0; j < GRID; j++) {
        for (int32_t i = 0; i < GRID; i++) { /* mountains: sharp crests where it is rough */
            int32_t crest = (65535 - abs(2 * ridge[j][i] - 65535)) >> 4, where = clamp((rough[j][i] - 26000) >> 3, 0, 4096);
            h[j][i] += ((crest * crest >> 12) * where >> 12) * (64 << 8) >> 12;
        }
    }
    noise_plane(c, RIVER, 7, river);
    for (int32_t j = 0; j < GRID; j++) {
        for (int32_t i = 0; i < GRID; i++) { /* rivers: along a level line of a noise the land sinks to the bed */
            int32_t away = clamp(abs(river[j][i] - 32768), 0, 4095), bed = (SEA - 5) << 8;
            if (h[j][i] > bed)
                h[j][i] = adit_noise_lerp(bed, h[j][i], adit_noise_weight(away, 12));
        }
    }
    add_octave(c, GRAIN, 3, 2, h);
    for (int32_t j = 0; j < GRID; j++)
        for (int32_t i = 0; i < GRID; i++)
            c->height[j][i] = (uint8_t)clamp(h[j][i] >> 8, 4, HEIGHT_MAX);
}

/* How far the ground falls or rises to the next columns at most. */
static int32_t slope_at(const struct columns *c, int32_t j, int32_t i)
{
    int32_t h = c->height[j][i], slope = 0;
    int32_t next[4] = { c->height[j - 1][i], c->height[j + 1][i], c->height[j][i - 1], c->height[j][i + 1] };
    for (int k = 0; k < 4; k++)
        slope = abs(next[k] - h) > slope ? abs(next[k] - h) : slope;
    return slope;
}

static void make_surface(struct columns *c)
{
    int32_t moist[GRID][GRID], grain[GRID][GRID];
    noise_plane(c, MOIST, 7, moist);
    noise_plane(c, BUMPS, 3, grain);
    for (int32_t j = 1; j < GRID - 1; j++) {
        for (int32_t i = 1; i < GRID - 1; i++) {
            int32_t h = c->height[j][i], slope = slope_at(c, j, i), fuzz = grain[j][i] >> 12; /* 0..15 */
            int32_t wet = clamp((moist[j][i] + (grain[j][i] >> 3) - 4096) >> 8, 0, 255);
            uint8_t top = GRASS, under = DIRT;
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
            c->moist[j][i] = (uint8_t)wet;
            c->top[j][i] = top;
            c->under[j][i] = under;
        }
    }
}

/* -- ground -------------------------------------------------------------------------------------------------------- */

enum { LATTICE_X = 5, LATTICE_Y = 9, LATTICE_Z = 5 }; /* points of N3 in a chunk: cells of 16x8x16 */

struct cave_noise {
    int32_t point[LATTICE_Z][LATTICE_Y][LATTICE_X];
};

static void make_lattice(uint32_t key, int32_t x, int32_t y, int32_t z, struct cave_noise *n)
{
    for (int32_t k = 0; k < LATTICE_Z; k++)
        for (int32_t j = 0; j < LATTICE_Y; j++)
            for (int32_t i = 0; i < LATTICE_X; i++)
                n->point[k][j][i] = adit_noise_point(key, (x >> 4) + i, (y >> 3) + j, (z >> 4) + k);
}

static void noise_row(const struct cave_noise *n, int32_t j, int32_t k, int32_t row[DIM])
{
    int32_t at[LATTICE_X], wy = adit_noise_weight(j, 3), wz = adit_noise_weight(k, 4);
    for (int32_t i = 0; i < LATTICE_X; i++) {
        const int32_t(*near)[LATTICE_X] = &n->point[k >> 4][j >> 3], (*far)[LATTICE_X] = &n->point[(k >> 4) + 1][j >> 3];
        at[i] = adit_noise_lerp(adit_noise_lerp(near[0][i], near[1][i], wy), adit_noise_lerp(far[0][i], far[1][i], wy), wz);
    }
    for (int32_t cell = 0; cell < DIM / 16; cell++)
        for (int32_t i = 0; i < 16; i++)
            row[cell * 16 + i] = adit_noise_lerp(at[cell], at[cell + 1], adit_noise_weight(i, 4));
}

static void make_ground(const struct columns *c, int32_t y0, uint16_t *voxels)
{
    struct cave_noise a, b;
    make_lattice(c->key[CAVE_A], c->x + MARGIN, y0, c->z + MARGIN, &a);
    make_lattice(c->key[CAVE_B], c->x + MARGIN, y0, c->z + MARGIN, &b);
    for (int32_t k = 0; k < DIM; k++) {
        const uint8_t *height = &c->height[k + MARGIN][MARGIN], *top = &c->top[k + MARGIN][MARGIN];
        const uint8_t *under = &c->under[k + MARGIN][MARGIN], *moist = &c->moist[k + MARGIN][MARGIN];
        int32_t highest = 0;
        for (int32_t i = 0; i < DIM; i++)
            highest = height[i] > highest ? height[i] : highest;
        for (int32_t j = 0; j < DIM; j++) {
            int32_t y = y0 + j, row_a[DIM], row_b[DIM];
            uint16_t *row = voxels + (k * DIM + j) * DIM;
            for (int32_t i = 0; i < DIM; i++) {
                int32_t h = height[i], rock = y < 12 + (moist[i] >> 4) ? DARK_STONE : STONE;
                int32_t ground = y == h ? top[i] : y > h - 4 ? under[i] : rock;
                row[i] = (uint16_t)(y > h ? (y <= SEA ? WATER : AIR) : y == 0 ? BEDROCK : ground);
            }
            if (y > highest || y < 3)
                continue;
            noise_row(&a, j, k, row_a);
            noise_row(&b, j, k, row_b);
            for (int32_t i = 0; i < DIM; i++) {
                int32_t h = height[i], width = 2600 + 24 * clamp(h - y, 0, 60);
                bool is_tunnel = (abs(row_a[i] - 32768) < width) & (abs(row_b[i] - 32768) < width);
                bool is_dry = (h > SEA + 1) | (y < h - 5); /* no hole in the bed of a river */
                row[i] = (uint16_t)((is_tunnel & is_dry & (y <= h)) ? (y < 7 ? LAVA : AIR) : row[i]);
            }
        }
    }
}

/* -- ores ---------------------------------------------------------------------------------------------------------- */

/* In every second cell of 8^3, on average, a vein of one ore that does not leave its cell. */
static void make_ores(const struct columns *c, int32_t y0, uint16_t *voxels)
{
    for (int32_t cell = 0; cell < 512; cell++) {
        int32_t x = (cell & 7) * 8, y = (cell >> 3 & 7) * 8, z = (cell >> 6) * 8;
        uint32_t h = adit_noise_hash(c->key[VEIN], (c->x + MARGIN + x) >> 3, (y0 + y) >> 3, (c->z + MARGIN + z) >> 3);
        uint32_t lot = h & 31;
        int32_t high = y0 + y;
        uint16_t ore = lot < 8 ? COAL_ORE : lot < 13 && high < 64 ? IRON_ORE : lot < 15 && high < 32 ? GOLD_ORE
                     : lot < 16 && high < 16 ? CRYSTAL : AIR;
        if (!ore)
            continue;
        int32_t at[3] = { x + 2 + (int32_t)(h >> 5 & 3), y + 2 + (int32_t)(h >> 7 & 3), z + 2 + (int32_t)(h >> 9 & 3) };
        int32_t size = 1 + (int32_t)(h >> 11 & 3); /* squared radius 1..4 */
        for (int32_t n = 0; n < 125; n++) {
            int32_t dx = n % 5 - 2, dy = n / 5 % 5 - 2, dz = n / 25 - 2;
            uint16_t *voxel = &voxels[((at[2] + dz) * DIM + at[1] + dy) * DIM + at[0] + dx];
            if (dx * dx + dy * dy + dz * dz <= size && (*voxel == STONE || *voxel == DARK_STONE))
                *voxel = ore;
        }
    }
}

/* -- trees --------------------------------------------------------------------------------------------------------- */

struct tree {
    int32_t x, y, z; /* the lowest voxel of its trunk, seen from the chunk */
    int32_t tall;    /* voxels of trunk */
    uint16_t log, leaves;
};

/* The tree of a cell of 8x8 columns, if one grows there and near enough to matter. */
static bool find_tree(const struct columns *c, int32_t y0, int32_t cell_x, int32_t cell_z, struct tree *tree)
{
    uint32_t h = adit_noise_hash(c->key[TREE], cell_x, 0, cell_z);
    int32_t i = cell_x * 8 + (int32_t)(h & 7) - c->x, j = cell_z * 8 + (int32_t)(h >> 3 & 7) - c->z;
    if (i < 2 || i >= GRID - 2 || j < 2 || j >= GRID - 2) /* three columns from the chunk are as far as leaves reach */
        return false;
    int32_t height = c->height[j][i], wet = c->moist[j][i], lot = (int32_t)(h >> 6 & 255);
    bool is_pine = height > 58 + (int32_t)(h >> 14 & 7);
    if ((c->top[j][i] != GRASS && c->top[j][i] != DRY_GRASS) || lot > (wet - 70) * 3 / 2 + 4)
        return false;
    bool is_birch = !is_pine && (wet & 31) < 10;
    *tree = (struct tree){ .x = i - MARGIN, .y = height + 1 - y0, .z = j - MARGIN };
    tree->tall = (is_pine ? 6 : 4) + (int32_t)(h >> 20 & 1) + (int32_t)(h >> 21 & 1);
    tree->log = is_pine ? PINE_LOG : is_birch ? BIRCH_LOG : LOG;
    tree->leaves = is_pine ? PINE_NEEDLES : is_birch ? BIRCH_LEAVES : LEAVES;
    return true;
}

/* Puts material where there is air, as far as it is in the chunk. */
static void grow(uint16_t *voxels, int32_t x, int32_t y, int32_t z, uint16_t material)
{
    if (((x | y | z) & ~(DIM - 1)) == 0 && voxels[(z * DIM + y) * DIM + x] == AIR)
        voxels[(z * DIM + y) * DIM + x] = material;
}

/* How far leaves reach at dy above the lowest voxel of the trunk, squared; -1 where there are none. */
static int32_t leaves_at(const struct tree *tree, int32_t dy)
{
    int32_t below = tree->tall - dy; /* voxels below the first one above the trunk */
    if (tree->leaves == PINE_NEEDLES) /* skirts: 0, 1, 2, 5, 1, 4, 9 from the top down */
        return below < -1 || below > 5 ? -1 : (const int8_t[]){ 0, 0, 1, 5, 2, 5, 9 }[below + 1];
    return below < -1 || below > 3 ? -1 : (const int8_t[]){ 1, 4, 6, 6, 4 }[below + 1];
}

static void make_trees(const struct columns *c, int32_t y0, uint16_t *voxels)
{
    struct tree trees[11 * 11];
    uint32_t n = 0;
    for (int32_t cz = c->z >> 3; cz <= (c->z + GRID - 1) >> 3; cz++)
        for (int32_t cx = c->x >> 3; cx <= (c->x + GRID - 1) >> 3; cx++)
            n += find_tree(c, y0, cx, cz, &trees[n]);
    for (uint32_t t = 0; t < n; t++) /* all trunks before all leaves, so that the order of trees does not matter to them */
        for (int32_t dy = 0; dy < trees[t].tall; dy++)
            grow(voxels, trees[t].x, trees[t].y + dy, trees[t].z, trees[t].log);
    for (uint32_t t = 0; t < n; t++) {
        for (int32_t dy = 0; dy <= trees[t].tall + 1; dy++) {
            int32_t reach = leaves_at(&trees[t], dy);
            for (int32_t d = 0; d < 49 && reach >= 0; d++) {
                int32_t dx = d % 7 - 3, dz = d / 7 - 3;
                if (dx * dx + dz * dz <= reach)
                    grow(voxels, trees[t].x + dx, trees[t].y + dy, trees[t].z + dz, trees[t].leaves);
            }
        }
    }
}

void adit_generate_terrain(uint64_t seed, int32_t x, int32_t y, int32_t z, uint16_t *voxels)
{
    struct columns c;
    c.x = ((int32_t)((uint32_t)x << 8) >> 8) * DIM - MARGIN; /* 2^24 chunks, so that no sum below overflows */
    c.z = ((int32_t)((uint32_t)z << 8) >> 8) * DIM - MARGIN;
    for (uint32_t k = 0; k < KEYS; k++)
        c.key[k] = adit_noise_key(seed, k);
    make_heights(&c);
    make_surface(&c);
    make_ground(&c, y * DIM, voxels);
    make_ores(&c, y * DIM, voxels);
    make_trees(&c, y * DIM, voxels);
}
