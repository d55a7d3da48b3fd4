/* storm_script.c - a chunk is painted anew at least every eighth version, so what edits made of it is found in a few steps. */
#include "tests/storm_script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define EDITS 8u
#define EDIT_MATERIAL 500u /* ids that nothing else paints */
#define LAST_STAMP (1ull << 40) /* of the last state; numbers of versions stay far below */

uint64_t storm_mix(uint64_t seed, uint64_t a, uint64_t b)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15ull + a * 0xd1342543de82ef95ull + b * 0x2545f4914f6cdd1dull + 1;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull; /* the finalizer of SplitMix64: G. Steele et al., OOPSLA 2014 */
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

struct adit_key storm_key(uint32_t chunk)
{
    return (struct adit_key){.x = (int32_t)(chunk & 3) - 2, .y = (int32_t)(chunk >> 2 & 1), .z = (int32_t)(chunk >> 3)};
}

uint32_t storm_chunk_of(const struct adit_key *key)
{
    for (uint32_t i = 0; i < STORM_CHUNKS; i++) {
        struct adit_key k = storm_key(i);
        if (k.x == key->x && k.y == key->y && k.z == key->z && key->lod == k.lod && key->world == k.world)
            return i;
    }
    return STORM_CHUNKS;
}

enum storm_op storm_op_of(uint64_t seed, uint32_t chunk, uint64_t version)
{
    uint32_t h = (uint32_t)(storm_mix(seed, chunk, version) >> 40) & 3;
    if (version % 8 == 5)
        return STORM_REMOVE;
    if (version % 8 == 1)
        return h ? STORM_PUT : STORM_LOAN;
    return h == 0 ? STORM_LOAN : h == 1 ? STORM_PUT : STORM_EDIT;
}

/* One of five shapes in several layers of a few materials, or of very many, so that every encoding and many borders occur. */
static void paint(uint64_t h, uint16_t *v)
{
    uint16_t row[8][64];
    uint32_t shape = (uint32_t)(h % 5), level = 2 + (uint32_t)(h >> 8 & 0xff) % 61, kinds = 1 + (uint32_t)(h >> 16 & 0xff) % STORM_NAMED;
    memset(v, 0, ADIT_CHUNK_VOXELS * sizeof *v);
    for (uint32_t r = 0; r < 8; r++)
        for (uint32_t x = 0; x < 64; x++) {
            uint32_t m = 10 + (shape == 1 ? (uint32_t)(h >> 24) : x / 5 + r * 3 + (uint32_t)(h >> 32 & 15)) % kinds;
            row[r][x] = (uint16_t)(shape == 3 && ((x ^ r) & 3) == 1 ? 0 : m);
        }
    for (uint32_t z = 0; z < 64 && shape; z++)
        for (uint32_t y = 0; y < (shape == 1 ? 64 : shape == 4 ? 6 : level); y++) {
            uint16_t *at = v + (z * 64 + y) * 64;
            memcpy(at, row[shape == 1 ? 0 : (z + y / 4) & 7], sizeof row[0]);
            for (uint32_t x = 0; x < 64 && shape == 4; x++)
                at[x] = (uint16_t)(100 + (x / 2 + z * 7 + y * 11 + (uint32_t)(h >> 40 & 31)) % 300);
        }
}

/* The first one always changes something: no version before it has this material there. */
static void edits_of(uint64_t seed, uint32_t chunk, uint64_t version, struct adit_voxel_edit *edits)
{
    for (uint32_t i = 0; i < EDITS; i++) {
        uint64_t h = storm_mix(seed + i, chunk, version);
        edits[i] = (struct adit_voxel_edit){.x = h & 63, .y = h >> 8 & 63, .z = h >> 16 & 63,
                                            .material = (uint16_t)(h >> 24 & 3 ? 10 + (h >> 32) % STORM_NAMED : 0)};
    }
    edits[0] = (struct adit_voxel_edit){.x = 7, .y = 9, .z = 11, .material = (uint16_t)(EDIT_MATERIAL + (version & 255))};
    for (uint32_t i = 1; i < EDITS; i++) /* and no later one undoes it */
        if (edits[i].x == 7 && edits[i].y == 9 && edits[i].z == 11)
            edits[i].x = 8;
}

void storm_voxels(uint64_t seed, uint32_t chunk, uint64_t version, uint16_t *voxels)
{
    uint64_t base = version;
    while (storm_op_of(seed, chunk, base) == STORM_EDIT) /* version 1 of 8 is no edit */
        base--;
    if (storm_op_of(seed, chunk, base) == STORM_REMOVE)
        memset(voxels, 0, ADIT_CHUNK_VOXELS * sizeof *voxels);
    else
        paint(storm_mix(seed, chunk, base), voxels);
    while (base++ < version) {
        struct adit_voxel_edit e[EDITS];
        edits_of(seed, chunk, base, e);
        for (uint32_t i = 0; i < EDITS; i++)
            voxels[((uint32_t)e[i].z * 64 + e[i].y) * 64 + e[i].x] = e[i].material;
    }
}

static int loan_and_publish(struct adit_arena *arena, const struct adit_key *key, const uint16_t *voxels, const struct adit_put_params *p,
                            bool prepares)
{
    struct adit_loan loan;
    int error = adit_chunk_loan(arena, key, &loan);
    if (error)
        return error;
    memcpy(loan.voxels, voxels, ADIT_CHUNK_VOXELS * sizeof *voxels);
    error = prepares ? adit_chunk_prepare(arena, &loan) : 0;
    if (!error)
        error = adit_chunk_publish(arena, &loan, p);
    adit_chunk_discard(arena, &loan);
    return error;
}

int storm_publish(struct adit_arena *arena, uint64_t seed, uint32_t chunk, uint64_t version, uint16_t *voxels)
{
    struct adit_key key = storm_key(chunk);
    uint64_t made = 0;
    const struct adit_put_params p = {.size = sizeof p, .version = &made, .if_version = version - 1};
    struct adit_voxel_edit edits[EDITS];
    int error = 0;
    enum storm_op op = storm_op_of(seed, chunk, version);
    if (op == STORM_PUT || op == STORM_LOAN)
        storm_voxels(seed, chunk, version, voxels);
    switch (op) {
    case STORM_PUT:
        error = adit_chunk_put(arena, &key, voxels, &p);
        break;
    case STORM_LOAN:
        error = loan_and_publish(arena, &key, voxels, &p, version & 1);
        break;
    case STORM_EDIT:
        edits_of(seed, chunk, version, edits);
        error = adit_chunk_edit(arena, &key, edits, EDITS, &p);
        break;
    case STORM_REMOVE:
        error = adit_chunk_remove(arena, &key, &p);
        break;
    }
    return error ? error : made == version ? 0 : -EPROTO;
}

int storm_finish(struct adit_arena *arena, uint64_t seed, uint32_t chunk, uint64_t version, uint16_t *voxels)
{
    struct adit_key key = storm_key(chunk);
    struct adit_voxel_edit edits[EDITS];
    uint64_t made = 0;
    const struct adit_put_params p = {.size = sizeof p, .version = &made, .if_version = version};
    int error;
    paint(storm_mix(seed, chunk, LAST_STAMP), voxels);
    if (chunk % 4 == 1)
        error = loan_and_publish(arena, &key, voxels, &p, true);
    else
        error = adit_chunk_put(arena, &key, voxels, &p);
    if (error || chunk % 4 < 2)
        return error;
    if (chunk % 4 == 3)
        return adit_chunk_remove(arena, &key, NULL);
    edits_of(seed, chunk, LAST_STAMP, edits);
    return adit_chunk_edit(arena, &key, edits, EDITS, NULL);
}

int storm_materials(struct adit_arena *arena)
{
    int error = 0;
    for (uint32_t i = 0; i < STORM_NAMED && !error; i++) {
        uint16_t id = (uint16_t)(10 + i);
        struct adit_material_info info = {.rgba = 0x808080ff + (i << 12),
                                          .material_class = i % 7 == 3 ? ADIT_CLASS_TRANSLUCENT : i % 7 == 5 ? ADIT_CLASS_CUTOUT : ADIT_CLASS_OPAQUE};
        snprintf(info.name, sizeof info.name, "layer %u", i);
        error = adit_material_register(arena, &info, &id);
    }
    return error;
}
