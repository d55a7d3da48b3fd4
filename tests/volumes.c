/* volumes.c - the formulas of volumes.h. Coordinates may be negative, so cells are found by floor division. */
#include "tests/volumes.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "kernels/quad.h"

struct place { /* a voxel, seen from the interior */
    int64_t x, y, z;
    const int64_t *size; /* of the interior */
    uint64_t seed;
    bool is_inside;
};

static uint64_t scramble(uint64_t a)
{
    a += 0x9e3779b97f4a7c15u;
    a = (a ^ (a >> 30)) * 0xbf58476d1ce4e5b9u;
    a = (a ^ (a >> 27)) * 0x94d049bb133111ebu;
    return a ^ (a >> 31);
}

static uint64_t hash(int64_t x, int64_t y, int64_t z, uint64_t seed)
{
    uint64_t h = scramble(seed ^ (uint64_t)x * 0x8da6b343u);
    h = scramble(h + (uint64_t)y * 0xd8163841u);
    return scramble(h + (uint64_t)z * 0xcb1ab31fu);
}

static uint64_t hash_at(const struct place *p)
{
    return hash(p->x, p->y, p->z, p->seed);
}

static int64_t cell_of(int64_t a, int64_t size)
{
    return a >= 0 ? a / size : -((size - 1 - a) / size);
}

/* -- terrain: value noise of 16 bits, smoothed between lattice points by 3t^2 - 2t^3 ------------------------------- */

static int64_t smooth(int64_t a, int64_t cell, int64_t size)
{
    int64_t t = (a - cell * size) * 65536 / size;
    return (((t * t) >> 16) * (196608 - 2 * t)) >> 16;
}

static int64_t between(int64_t a, int64_t b, int64_t t)
{
    return a + (((b - a) * t) >> 16);
}

/* Noise in the plane of lattice height y. */
static int64_t noise_level(int64_t x, int64_t y, int64_t z, int64_t size, uint64_t seed)
{
    int64_t cx = cell_of(x, size), cz = cell_of(z, size), tx = smooth(x, cx, size);
    int64_t at[2];
    for (int i = 0; i < 2; i++)
        at[i] = between((int64_t)(hash(cx, y, cz + i, seed) & 0xffff),
                        (int64_t)(hash(cx + 1, y, cz + i, seed) & 0xffff), tx);
    return between(at[0], at[1], smooth(z, cz, size));
}

static int64_t noise_volume(int64_t x, int64_t y, int64_t z, int64_t size, uint64_t seed)
{
    int64_t cx = cell_of(x, size), cy = cell_of(y, size), cz = cell_of(z, size);
    int64_t tx = smooth(x, cx, size), ty = smooth(y, cy, size), tz = smooth(z, cz, size), side[2];
    for (int k = 0; k < 2; k++) {
        int64_t line[2];
        for (int j = 0; j < 2; j++)
            line[j] = between((int64_t)(hash(cx, cy + j, cz + k, seed) & 0xffff),
                              (int64_t)(hash(cx + 1, cy + j, cz + k, seed) & 0xffff), tx);
        side[k] = between(line[0], line[1], ty);
    }
    return between(side[0], side[1], tz);
}

static int64_t ground_at(int64_t x, int64_t z, uint64_t seed) /* 8..53 */
{
    int64_t sum = noise_level(x, 0, z, 64, seed) * 28 + noise_level(x, 0, z, 24, seed + 1) * 12;
    return 8 + (sum + noise_level(x, 0, z, 9, seed + 2) * 5) / 65536;
}

/* Log 6 or leaves 7 of the tree of this cell of 11x11, if any stands there; else 0. */
static uint8_t tree_at(const struct place *p)
{
    int64_t cx = cell_of(p->x, 11), cz = cell_of(p->z, 11);
    uint64_t t = hash(cx, 1, cz, p->seed + 9);
    if (!(t & 1))
        return 0;
    int64_t x = cx * 11 + 3 + (int64_t)((t >> 8) & 3), z = cz * 11 + 3 + (int64_t)((t >> 16) & 3);
    int64_t ground = ground_at(x, z, p->seed);
    if (ground < 24)
        return 0;
    int64_t dx = p->x - x, dy = p->y - ground - 5, dz = p->z - z;
    if (!dx && !dz && dy < 0)
        return 6;
    return dx * dx + dy * dy + dz * dz <= 6 ? 7 : 0;
}

static uint8_t terrain(const struct place *p) /* 1 stone, 2 dirt, 3 grass, 4 water, 5 sand, 6 log, 7 leaves */
{
    int64_t ground = ground_at(p->x, p->z, p->seed);
    if (p->y > ground) {
        uint8_t tree = tree_at(p);
        return tree ? tree : p->y <= 22 ? 4 : 0;
    }
    if (p->y > 1) {
        int64_t cave = noise_volume(p->x, p->y, p->z, 12, p->seed + 5) + noise_volume(p->x, p->y, p->z, 6, p->seed + 6) / 2;
        if (cave > 71000)
            return 0;
    }
    if (p->y < ground - 3)
        return 1;
    return ground <= 23 ? 5 : p->y == ground ? 3 : 2;
}

/* -- the other kinds ----------------------------------------------------------------------------------------------- */

static uint8_t empty(const struct place *p)
{
    (void)p;
    return 0;
}

static uint8_t solid(const struct place *p)
{
    (void)p;
    return 1;
}

static uint8_t box(const struct place *p)
{
    return p->is_inside;
}

static uint8_t sphere(const struct place *p)
{
    int64_t a = 2 * p->x + 1 - p->size[0], b = 2 * p->y + 1 - p->size[1], c = 2 * p->z + 1 - p->size[2];
    int64_t radius = p->size[0] - 2;
    return p->is_inside && a * a + b * b + c * c <= radius * radius ? 8 : 0;
}

static uint8_t checker(const struct place *p)
{
    return (p->x + p->y + p->z) & 1 ? 0 : (uint8_t)(1 + (p->x & 1) + 2 * (p->y & 1));
}

static uint8_t noise50(const struct place *p)
{
    return hash_at(p) & 1;
}

static uint8_t noise50m3(const struct place *p)
{
    uint64_t h = hash_at(p);
    return h & 1 ? (uint8_t)(1 + (h >> 8) % 3) : 0;
}

static uint8_t noise25(const struct place *p)
{
    return (hash_at(p) & 3) == 0;
}

static uint8_t mats(const struct place *p)
{
    return p->is_inside ? (uint8_t)(1 + (hash_at(p) >> 8) % 255) : 0;
}

static uint8_t flat(const struct place *p)
{
    return p->y < p->size[1] / 2;
}

static uint8_t stripes(const struct place *p)
{
    return flat(p) ? (uint8_t)(1 + (p->x & 1)) : 0;
}

static uint8_t glass(const struct place *p)
{
    static const uint8_t material[4] = { 1, 4, 7, 0 };
    return material[hash_at(p) & 3];
}

static uint8_t menger(const struct place *p) /* a hole where two of the three base-3 digits of one place are 1 */
{
    int64_t x = p->x, y = p->y, z = p->z;
    if (!p->is_inside)
        return 0;
    for (; x | y | z; x /= 3, y /= 3, z /= 3)
        if ((x % 3 == 1) + (y % 3 == 1) + (z % 3 == 1) > 1)
            return 0;
    return 1;
}

static const struct {
    const char *name;
    uint8_t (*at)(const struct place *p);
} kinds[] = {
    { "empty", empty },       { "solid", solid },     { "box", box },   { "sphere", sphere },   { "checker", checker },
    { "noise50", noise50 },   { "noise50m3", noise50m3 }, { "noise25", noise25 }, { "mats", mats }, { "terrain", terrain },
    { "flat", flat },         { "stripes", stripes }, { "glass", glass }, { "menger", menger },
};

int volume_fill(const char *kind, const uint32_t full[3], uint32_t border, uint64_t seed, uint8_t *volume)
{
    size_t k = 0;
    while (k < sizeof kinds / sizeof *kinds && strcmp(kinds[k].name, kind) != 0)
        k++;
    if (k == sizeof kinds / sizeof *kinds)
        return -EINVAL;
    int64_t b = border, size[3] = { full[0] - 2 * b, full[1] - 2 * b, full[2] - 2 * b };
    struct place p = { .size = size, .seed = seed };
    for (p.z = -b; p.z < size[2] + b; p.z++) {
        for (p.y = -b; p.y < size[1] + b; p.y++) {
            for (p.x = -b; p.x < size[0] + b; p.x++) {
                p.is_inside = p.x >= 0 && p.x < size[0] && p.y >= 0 && p.y < size[1] && p.z >= 0 && p.z < size[2];
                *volume++ = kinds[k].at(&p);
            }
        }
    }
    return 0;
}

void volume_split(const uint8_t *volume, const uint32_t full[3], uint32_t border, uint16_t *voxels, uint16_t *plane[6])
{
    uint32_t size[3] = { full[0] - 2 * border, full[1] - 2 * border, full[2] - 2 * border };
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = 60000;
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
            plane[f][i] = border ? 60000 : 0;
    for (uint32_t z = 0; z < full[2]; z++) {
        for (uint32_t y = 0; y < full[1]; y++) {
            for (uint32_t x = 0; x < full[0]; x++) {
                uint8_t material = *volume++;
                uint32_t at[3] = { x - border, y - border, z - border }; /* huge on the low side of the shell */
                uint32_t beyond = 0, side = 0;
                for (uint32_t axis = 0; axis < 3; axis++) {
                    if (at[axis] >= size[axis]) {
                        beyond++;
                        side = axis * 2 + (at[axis] == size[axis]);
                    }
                }
                if (!beyond)
                    voxels[(at[2] * 64 + at[1]) * 64 + at[0]] = material;
                else if (beyond == 1)
                    plane[side][at[adit_face_v(side)] * 64 + at[adit_face_u(side)]] = material;
            }
        }
    }
}

void volume_rim(const uint8_t *volume, const uint32_t full[3], uint32_t border, const uint8_t *classes, struct adit_mesh_rim *rim)
{
    memset(rim, 0, sizeof *rim);
    for (uint32_t z = 0; border && z < full[2]; z++) {
        for (uint32_t y = 0; y < full[1]; y++) {
            for (uint32_t x = 0; x < full[0]; x++) {
                const uint32_t at[3] = { x, y, z };
                uint32_t side = 0, beyond = 0, shift = 0, along = 0;
                bool is_opaque = (classes[*volume++] & 3) == ADIT_CLASS_OPAQUE;
                for (uint32_t axis = 0; axis < 3; axis++) {
                    if (at[axis] == 0 || at[axis] == full[axis] - 1) {
                        side |= (uint32_t)(at[axis] > 0) << shift++; /* of the axes beyond, in their order */
                        beyond++;
                    } else {
                        along = axis;
                    }
                }
                if (beyond == 2)
                    rim->edge[along * 4 + side] |= (uint64_t)is_opaque << (at[along] - 1);
                else if (beyond == 3)
                    rim->corner |= (uint8_t)(is_opaque << side);
            }
        }
    }
}
