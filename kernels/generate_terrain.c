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
 *
 * Of level lod only each 2^lod-th voxel is made along each axis, the same as at level 0 (generate.h). There slopes look at columns
 * that are not in the grid, so heights are made five times, caves interpolate noise that is fetched as it is needed, and each tree
 * that reaches a voxel of the chunk has a grid of its own.
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

/* What is known of the ground before any voxel: by z and x of a grid of n by n columns, 2^lod apart. */
struct columns {
    int32_t x, z;   /* world coordinates of its first */
    uint32_t lod;
    int32_t n, margin; /* columns, and how many of them lie before the chunk's first */
    uint32_t key[KEYS];
    uint8_t height[GRID][GRID]; /* y of the highest voxel of ground, 4..HEIGHT_MAX */
    uint8_t slope[GRID][GRID];  /* not of the outermost ones at level 0 */
    uint8_t moist[GRID][GRID];
    uint8_t top[GRID][GRID], under[GRID][GRID]; /* materials of the highest voxel and the three below it */
};

/* N2_k,bits along x at lattice row z. */
static void noise_line(const struct columns *c, uint32_t key, uint32_t bits, int32_t z, int32_t line[GRID])
{
    int32_t cell = c->x >> bits, left = adit_noise_point(key, cell, 0, z), right = adit_noise_point(key, cell + 1, 0, z);
    for (int32_t i = 0; i < c->n; i++) {
        int32_t x = c->x + (i << c->lod);
        if (x >> bits != cell) {
            left = x >> bits == cell + 1 ? right : adit_noise_point(key, x >> bits, 0, z);
            cell = x >> bits;
            right = adit_noise_point(key, cell + 1, 0, z);
        }
        line[i] = adit_noise_lerp(left, right, adit_noise_weight(x, bits));
    }
}

/* N2_k,bits in the whole grid. */
static void noise_plane(const struct columns *c, uint32_t k, uint32_t bits, int32_t plane[GRID][GRID])
{
    int32_t cell = c->z >> bits, line[2][GRID], near = 0;
    noise_line(c, c->key[k], bits, cell, line[0]);
    noise_line(c, c->key[k], bits, cell + 1, line[1]);
    for (int32_t j = 0; j < c->n; j++) {
        int32_t z = c->z + (j << c->lod);
        if (z >> bits != cell) {
            if (z >> bits != cell + 1)
                noise_line(c, c->key[k], bits, z >> bits, line[near ^ 1]);
            cell = z >> bits;
            noise_line(c, c->key[k], bits, cell + 1, line[near]);
            near ^= 1;
        }
        int32_t weight = adit_noise_weight(z, bits);
        for (int32_t i = 0; i < c->n; i++)
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
    for (int32_t j = 0; j < c->n; j++)
        for (int32_t i = 0; i < c->n; i++)
            sum[j][i] += (plane[j][i] - 32768) * (voxels << 8) >> 16;
}

static void make_heights(const struct columns *c, uint8_t height[GRID][GRID])
{
    int32_t h[GRID][GRID], ridge[GRID][GRID], rough[GRID][GRID], river[GRID][GRID];
    for (int32_t j = 0; j < c->n; j++)
        for (int32_t i = 0; i < c->n; i++)
            h[j][i] = 49 << 8;
    add_octave(c, LAND, 8, 36, h);
    add_octave(c, HILLS, 6, 20, h);
    add_octave(c, KNOLLS, 5, 9, h);
    add_octave(c, BUMPS, 4, 4, h);
    noise_plane(c, RIDGE, 7, ridge);
    noise_plane(c, ROUGH, 7, rough);
    for (int32_t j = 0; j < c->n; j++) {
        for (int32_t i = 0; i < c->n; i++) { /* mountains: sharp crests where it is rough */
            int32_t crest = (65535 - abs(2 * ridge[j][i] - 65535)) >> 4, where = clamp((rough[j][i] - 26000) >> 3, 0, 4096);
            h[j][i] += ((crest * crest >> 12) * where >> 12) * (64 << 8) >> 12;
        }
    }
    noise_plane(c, RIVER, 7, river);
    for (int32_t j = 0; j < c->n; j++) {
        for (int32_t i = 0; i < c->n; i++) { /* rivers: along a level line of a noise the land sinks to the bed */
            int32_t away = clamp(abs(river[j][i] - 32768), 0, 4095), bed = (SEA - 5) << 8;
            if (h[j][i] > bed)
                h[j][i] = adit_noise_lerp(bed, h[j][i], adit_noise_weight(away, 12));
        }
    }
    add_octave(c, GRAIN, 3, 2, h);
    for (int32_t j = 0; j < c->n; j++)
        for (int32_t i = 0; i < c->n; i++)
            height[j][i] = (uint8_t)clamp(h[j][i] >> 8, 4, HEIGHT_MAX);
}

static void steepen(struct columns *c, int32_t j, int32_t i, int32_t next)
{
    int32_t slope = abs(next - c->height[j][i]);
    c->slope[j][i] = (uint8_t)(slope > c->slope[j][i] ? slope : c->slope[j][i]);
}

static const int8_t next_columns[4][2] = { { 0, -1 }, { 0, 1 }, { -1, 0 }, { 1, 0 } };

/* Where the next columns are not in the grid. */
static void make_slopes_far(struct columns *c)
{
    for (int k = 0; k < 4; k++) {
        struct columns next = { .x = c->x + next_columns[k][0], .z = c->z + next_columns[k][1], .lod = c->lod, .n = c->n };
        memcpy(next.key, c->key, sizeof next.key);
        make_heights(&next, next.height);
        for (int32_t j = 0; j < c->n; j++)
            for (int32_t i = 0; i < c->n; i++)
                steepen(c, j, i, next.height[j][i]);
    }
}

/* How far the ground falls or rises to the next columns at most. */
static void make_slopes(struct columns *c)
{
    for (int32_t j = 0; j < c->n; j++)
        memset(c->slope[j], 0, (size_t)c->n);
    if (c->lod) {
        make_slopes_far(c);
        return;
    }
    for (int k = 0; k < 4; k++)
        for (int32_t j = 1; j < c->n - 1; j++)
            for (int32_t i = 1; i < c->n - 1; i++)
                steepen(c, j, i, c->height[j + next_columns[k][1]][i + next_columns[k][0]]);
}

static void make_surface(struct columns *c)
{
    int32_t moist[GRID][GRID], grain[GRID][GRID];
    noise_plane(c, MOIST, 7, moist);
    noise_plane(c, BUMPS, 3, grain);
    for (int32_t j = 0; j < c->n; j++) { /* at level 0 nobody asks for the outermost */
        for (int32_t i = 0; i < c->n; i++) {
            int32_t h = c->height[j][i], slope = c->slope[j][i], fuzz = grain[j][i] >> 12; /* 0..15 */
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

/* N3 between the eight points around it; near, far: by z. */
static int32_t between(const int32_t near[2], const int32_t far[2], int32_t wy, int32_t wz)
{
    return adit_noise_lerp(adit_noise_lerp(near[0], near[1], wy), adit_noise_lerp(far[0], far[1], wy), wz);
}

static void noise_row(const struct cave_noise *n, int32_t j, int32_t k, int32_t row[DIM])
{
    int32_t at[LATTICE_X], wy = adit_noise_weight(j, 3), wz = adit_noise_weight(k, 4);
    for (int32_t i = 0; i < LATTICE_X; i++) {
        const int32_t(*near)[LATTICE_X] = &n->point[k >> 4][j >> 3], (*far)[LATTICE_X] = &n->point[(k >> 4) + 1][j >> 3];
        at[i] = between((int32_t[]){ near[0][i], near[1][i] }, (int32_t[]){ far[0][i], far[1][i] }, wy, wz);
    }
    for (int32_t cell = 0; cell < DIM / 16; cell++)
        for (int32_t i = 0; i < 16; i++)
            row[cell * 16 + i] = adit_noise_lerp(at[cell], at[cell + 1], adit_noise_weight(i, 4));
}

/* N3 where x is that of a lattice point. */
static int32_t noise_at(uint32_t key, int32_t cell, int32_t y, int32_t z)
{
    int32_t cy = y >> 3, cz = z >> 4;
    return between((int32_t[]){ adit_noise_point(key, cell, cy, cz), adit_noise_point(key, cell, cy + 1, cz) },
                   (int32_t[]){ adit_noise_point(key, cell, cy, cz + 1), adit_noise_point(key, cell, cy + 1, cz + 1) }, adit_noise_weight(y, 3), adit_noise_weight(z, 4));
}

/* The same as noise_row, of voxels that are 2^lod apart. */
static void noise_row_far(const struct columns *c, uint32_t key, int32_t y, int32_t z, int32_t row[DIM])
{
    int32_t cell = (c->x >> 4) - 2, left = 0, right = 0;
    for (int32_t i = 0; i < DIM; i++) {
        int32_t x = c->x + (i << c->lod);
        if (x >> 4 != cell) {
            left = x >> 4 == cell + 1 ? right : noise_at(key, x >> 4, y, z);
            cell = x >> 4;
            right = noise_at(key, cell + 1, y, z);
        }
        row[i] = adit_noise_lerp(left, right, adit_noise_weight(x, 4));
    }
}

static void make_ground(const struct columns *c, int32_t y0, uint16_t *voxels)
{
    struct cave_noise a, b;
    const int32_t m = c->margin;
    if (!c->lod) {
        make_lattice(c->key[CAVE_A], c->x + m, y0, c->z + m, &a);
        make_lattice(c->key[CAVE_B], c->x + m, y0, c->z + m, &b);
    }
    for (int32_t k = 0; k < DIM; k++) {
        const uint8_t *height = &c->height[k + m][m], *top = &c->top[k + m][m];
        const uint8_t *under = &c->under[k + m][m], *moist = &c->moist[k + m][m];
        int32_t highest = 0;
        for (int32_t i = 0; i < DIM; i++)
            highest = height[i] > highest ? height[i] : highest;
        for (int32_t j = 0; j < DIM; j++) {
            int32_t y = y0 + (j << c->lod), row_a[DIM], row_b[DIM];
            uint16_t *row = voxels + (k * DIM + j) * DIM;
            for (int32_t i = 0; i < DIM; i++) {
                int32_t h = height[i], rock = y < 12 + (moist[i] >> 4) ? DARK_STONE : STONE;
                int32_t ground = y == h ? top[i] : y > h - 4 ? under[i] : rock;
                row[i] = (uint16_t)(y > h ? (y <= SEA ? WATER : AIR) : y == 0 ? BEDROCK : ground);
            }
            if (y > highest || y < 3)
                continue;
            if (c->lod) {
                noise_row_far(c, c->key[CAVE_A], y, c->z + (k << c->lod), row_a);
                noise_row_far(c, c->key[CAVE_B], y, c->z + (k << c->lod), row_b);
            } else {
                noise_row(&a, j, k, row_a);
                noise_row(&b, j, k, row_b);
            }
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
struct vein {
    uint16_t ore; /* AIR: there is none */
    int32_t at[3]; /* its middle, in the cell */
    int32_t size; /* squared radius 1..4 */
};

/* cell: world coordinates by 8. */
static struct vein find_vein(uint32_t key, int32_t cell_x, int32_t cell_y, int32_t cell_z)
{
    uint32_t h = adit_noise_hash(key, cell_x, cell_y, cell_z), lot = h & 31;
    int32_t high = cell_y * 8;
    return (struct vein){ .ore = lot < 8 ? COAL_ORE : lot < 13 && high < 64 ? IRON_ORE : lot < 15 && high < 32 ? GOLD_ORE : lot < 16 && high < 16 ? CRYSTAL : AIR,
                          .at = { 2 + (int32_t)(h >> 5 & 3), 2 + (int32_t)(h >> 7 & 3), 2 + (int32_t)(h >> 9 & 3) },
                          .size = 1 + (int32_t)(h >> 11 & 3) };
}

/* Of level 0: a cell after the other. */
static void make_ores(const struct columns *c, int32_t y0, uint16_t *voxels)
{
    for (int32_t cell = 0; cell < 512; cell++) {
        int32_t x = cell & 7, y = cell >> 3 & 7, z = cell >> 6;
        struct vein v = find_vein(c->key[VEIN], ((c->x + c->margin) >> 3) + x, (y0 >> 3) + y, ((c->z + c->margin) >> 3) + z);
        for (int32_t n = 0; n < 125 && v.ore; n++) {
            int32_t dx = n % 5 - 2, dy = n / 5 % 5 - 2, dz = n / 25 - 2;
            uint16_t *voxel = &voxels[((z * 8 + v.at[2] + dz) * DIM + y * 8 + v.at[1] + dy) * DIM + x * 8 + v.at[0] + dx];
            if (dx * dx + dy * dy + dz * dz <= v.size && (*voxel == STONE || *voxel == DARK_STONE))
                *voxel = v.ore;
        }
    }
}

/* Of other levels: a voxel after the other. */
static void make_ores_far(const struct columns *c, int32_t y0, uint16_t *voxels)
{
    for (int32_t n = 0; n < DIM * DIM; n++) {
        int32_t y = y0 + ((n & (DIM - 1)) << c->lod), z = c->z + ((n / DIM) << c->lod), cell = (c->x >> 3) - 1;
        struct vein v = { AIR, { 0 }, 0 };
        for (int32_t i = 0; i < DIM && y <= HEIGHT_MAX; i++) {
            uint16_t *voxel = &voxels[n * DIM + i];
            int32_t x = c->x + (i << c->lod);
            if (*voxel != STONE && *voxel != DARK_STONE)
                continue;
            if (x >> 3 != cell)
                v = find_vein(c->key[VEIN], cell = x >> 3, y >> 3, z >> 3);
            int32_t dx = (x & 7) - v.at[0], dy = (y & 7) - v.at[1], dz = (z & 7) - v.at[2];
            if (v.ore && dx * dx + dy * dy + dz * dz <= v.size)
                *voxel = v.ore;
        }
    }
}

/* -- trees --------------------------------------------------------------------------------------------------------- */

enum { REACH = 3 }; /* of leaves, in columns */

struct tree {
    int32_t x, y, z; /* the lowest voxel of its trunk, in the world */
    int32_t tall;    /* voxels of trunk */
    uint16_t log, leaves;
};

/* Whether a column of the chunk is within reach of this coordinate; first: that of the chunk's first column. */
static bool is_near(const struct columns *c, int32_t first, int32_t at)
{
    int32_t mask = (int32_t)(1u << c->lod) - 1, past = (at + REACH - first) & mask; /* since the last column at or before the farthest leaf */
    return at + REACH >= first && at - REACH <= first + ((DIM - 1) << c->lod) && past <= 2 * REACH;
}

/* A grid of three by three columns around one. */
static void look_around(const struct columns *c, int32_t x, int32_t z, struct columns *around)
{
    around->x = x - 1;
    around->z = z - 1;
    around->lod = 0;
    around->n = 3;
    memcpy(around->key, c->key, sizeof around->key);
    make_heights(around, around->height);
    make_slopes(around);
    make_surface(around);
}

/* The tree of a cell of 8x8 columns, if one grows there and reaches the chunk. */
static bool find_tree(const struct columns *c, int32_t cell_x, int32_t cell_z, struct tree *tree)
{
    uint32_t h = adit_noise_hash(c->key[TREE], cell_x, 0, cell_z);
    int32_t x = cell_x * 8 + (int32_t)(h & 7), z = cell_z * 8 + (int32_t)(h >> 3 & 7), i = x - c->x, j = z - c->z;
    struct columns around;
    const struct columns *g = c;
    if (!is_near(c, c->x + (c->margin << c->lod), x) || !is_near(c, c->z + (c->margin << c->lod), z))
        return false;
    if (c->lod) {
        look_around(c, x, z, &around);
        g = &around;
        i = j = 1;
    }
    int32_t height = g->height[j][i], wet = g->moist[j][i], lot = (int32_t)(h >> 6 & 255);
    bool is_pine = height > 58 + (int32_t)(h >> 14 & 7);
    if ((g->top[j][i] != GRASS && g->top[j][i] != DRY_GRASS) || lot > (wet - 70) * 3 / 2 + 4)
        return false;
    bool is_birch = !is_pine && (wet & 31) < 10;
    *tree = (struct tree){ .x = x, .y = height + 1, .z = z };
    tree->tall = (is_pine ? 6 : 4) + (int32_t)(h >> 20 & 1) + (int32_t)(h >> 21 & 1);
    tree->log = is_pine ? PINE_LOG : is_birch ? BIRCH_LOG : LOG;
    tree->leaves = is_pine ? PINE_NEEDLES : is_birch ? BIRCH_LEAVES : LEAVES;
    return true;
}

/* The chunk's voxel at a place of the world; NULL: it has none. */
static uint16_t *voxel_at(const struct columns *c, int32_t y0, uint16_t *voxels, int32_t x, int32_t y, int32_t z)
{
    int32_t i = x - c->x - (c->margin << c->lod), j = y - y0, k = z - c->z - (c->margin << c->lod);
    if (((i | j | k) & ((int32_t)(1u << c->lod) - 1)) || i < 0 || j < 0 || k < 0)
        return NULL;
    i >>= c->lod;
    j >>= c->lod;
    k >>= c->lod;
    return i < DIM && j < DIM && k < DIM ? &voxels[(k * DIM + j) * DIM + i] : NULL;
}

/* How far leaves reach at dy above the lowest voxel of the trunk, squared; -1 where there are none. */
static int32_t leaves_at(const struct tree *tree, int32_t dy)
{
    int32_t below = tree->tall - dy; /* voxels below the first one above the trunk */
    if (tree->leaves == PINE_NEEDLES) /* skirts: 0, 1, 2, 5, 1, 4, 9 from the top down */
        return below < -1 || below > 5 ? -1 : (const int8_t[]){ 0, 0, 1, 5, 2, 5, 9 }[below + 1];
    return below < -1 || below > 3 ? -1 : (const int8_t[]){ 1, 4, 6, 6, 4 }[below + 1];
}

static bool is_leaves(uint16_t material) { return material == LEAVES || material == BIRCH_LEAVES || material == PINE_NEEDLES; }

/* Leaves where there is air; a trunk where there is air, or another tree's leaves: as if all trunks had been there before all leaves. */
static void grow(const struct columns *c, int32_t y0, const struct tree *t, uint16_t *voxels)
{
    for (int32_t dy = 0; dy < t->tall; dy++) {
        uint16_t *v = voxel_at(c, y0, voxels, t->x, t->y + dy, t->z);
        if (v && (*v == AIR || is_leaves(*v)))
            *v = t->log;
    }
    for (int32_t dy = 0; dy <= t->tall + 1; dy++) {
        int32_t reach = leaves_at(t, dy);
        for (int32_t d = 0; d < 49 && reach >= 0; d++) {
            int32_t dx = d % 7 - 3, dz = d / 7 - 3;
            uint16_t *v = dx * dx + dz * dz <= reach ? voxel_at(c, y0, voxels, t->x + dx, t->y + dy, t->z + dz) : NULL;
            if (v && *v == AIR)
                *v = t->leaves;
        }
    }
}

/* The cells of 8 with a column within reach of one of the chunk's, along one axis, in order; how many. */
static uint32_t cells_near(const struct columns *c, int32_t first, int32_t cells[2 * DIM])
{
    uint32_t n = 0;
    for (int32_t i = 0; i < DIM; i++) {
        int32_t at = first + (i << c->lod);
        for (int32_t cell = (at - REACH) >> 3; cell <= (at + REACH) >> 3; cell++)
            if (!n || cell > cells[n - 1])
                cells[n++] = cell;
    }
    return n;
}

static void make_trees(const struct columns *c, int32_t y0, uint16_t *voxels)
{
    int32_t across[2 * DIM], along[2 * DIM];
    uint32_t nx = cells_near(c, c->x + (c->margin << c->lod), across), nz = cells_near(c, c->z + (c->margin << c->lod), along);
    struct tree tree;
    for (uint32_t k = 0; k < nz; k++)
        for (uint32_t i = 0; i < nx; i++)
            if (find_tree(c, across[i], along[k], &tree))
                grow(c, y0, &tree, voxels);
}

/* The world coordinate of the first voxel of a chunk, brought into -2^29..2^29-1, so that no sum above overflows. */
static int32_t first_voxel(int32_t chunk, uint32_t lod)
{
    return ((int32_t)((uint32_t)chunk << (6 + lod) << 2) >> 2) + (int32_t)(1u << lod >> 1);
}

void adit_generate_terrain(uint64_t seed, uint32_t lod, int32_t x, int32_t y, int32_t z, uint16_t *voxels)
{
    struct columns c;
    int32_t y0 = y * (int32_t)(DIM << lod) + (int32_t)(1u << lod >> 1); /* y is a height that is not all air */
    c.lod = lod;
    c.margin = lod ? 0 : MARGIN;
    c.n = DIM + 2 * c.margin;
    c.x = first_voxel(x, lod) - c.margin;
    c.z = first_voxel(z, lod) - c.margin;
    for (uint32_t k = 0; k < KEYS; k++)
        c.key[k] = adit_noise_key(seed, k);
    make_heights(&c, c.height);
    make_slopes(&c);
    make_surface(&c);
    make_ground(&c, y0, voxels);
    if (lod)
        make_ores_far(&c, y0, voxels);
    else
        make_ores(&c, y0, voxels);
    make_trees(&c, y0, voxels);
}
