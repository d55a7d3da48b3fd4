/* tier_chunks.c - draws come from one hash of a number, so the same chunks come out everywhere, in whatever order they are made. */
#include "tools/tier_chunks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ACROSS 6   /* chunks of terrain along x and z */
#define LAYERS 2   /* along y */
#define STONE_DIM 2
#define BOXED_MATERIALS 12u
#define BLOCK_MOST_BYTES (ADIT_CHUNK_VOXELS * 2u + (64u << 10)) /* of a version, in no encoding more; what no block takes is never touched */

const char *const adit_tier_inputs[ADIT_SIZE_CLASSES] = {
    [ADIT_SIZE_UNIFORM] = "one material (chunks of stone; generated: of air)",
    [ADIT_SIZE_SPARSE] = "terrain near the sky, up to 16 KiB",
    [ADIT_SIZE_DENSE] = "hills of terrain, up to 96 KiB",
    [ADIT_SIZE_NOISE] = "terrain with its caves and ores, some 150 KiB",
};

/* mix of kernels/generate.h. */
static uint64_t mix(uint64_t a)
{
    a += 0x9e3779b97f4a7c15u;
    a = (a ^ a >> 30) * 0xbf58476d1ce4e5b9u;
    a = (a ^ a >> 27) * 0x94d049bb133111ebu;
    return a ^ a >> 31;
}

void adit_tier_chunks_free(struct adit_tier_chunks **chunks)
{
    struct adit_tier_chunks *c = *chunks;
    if (!c)
        return;
    if (c->blocks != MAP_FAILED)
        munmap(c->blocks, c->blocks_bytes);
    free(c->chunk);
    free(c);
    *chunks = NULL;
}

static struct adit_tier_chunks *chunks_new(uint32_t n)
{
    struct adit_tier_chunks *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->n = n;
    c->blocks_bytes = (size_t)n * BLOCK_MOST_BYTES;
    c->chunk = calloc(n, sizeof *c->chunk);
    c->blocks = mmap(NULL, c->blocks_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (c->chunk && c->blocks != MAP_FAILED)
        return c;
    adit_tier_chunks_free(&c);
    return NULL;
}

/* Encodes voxels into chunk i. False: no room. */
static bool chunk_encode(struct adit_tier_chunks *c, uint32_t i, struct adit_encode_plan *plan, const uint16_t *voxels)
{
    size_t bytes;
    (void)adit_encode_plan(plan, voxels, c->classes, &bytes);
    size_t room = (bytes + 63) & ~(size_t)63;
    if (room > c->blocks_bytes - c->used)
        return false;
    struct adit_version *v = (struct adit_version *)(void *)((uint8_t *)c->blocks + c->used); /* zeroes */
    c->used += room;
    adit_encode_write(plan, v);
    c->chunk[i].version = v;
    c->chunk[i].bytes = bytes;
    return true;
}

static void beside_set(struct adit_tier_chunks *c, uint32_t i, uint32_t face, uint32_t other)
{
    c->chunk[i].beside[face] = c->chunk[other].version;
    c->chunk[i].beside_bytes[face] = c->chunk[other].bytes;
}

/* ---- the self-test */

/* Boxes of materials, more of them the larger `boxes` is. */
static void boxes_draw(uint64_t seed, uint32_t boxes, uint32_t materials, uint16_t *voxels)
{
    memset(voxels, 0, ADIT_CHUNK_VOXELS * sizeof *voxels);
    for (uint32_t b = 0; b < boxes; b++) {
        uint64_t r = mix(seed + b);
        uint32_t lo[3], hi[3];
        for (uint32_t a = 0; a < 3; a++) {
            lo[a] = r >> (12 * a) & 63;
            hi[a] = lo[a] + 1 + (r >> (12 * a + 6) & 31);
            hi[a] = hi[a] < 64 ? hi[a] : 64;
        }
        uint16_t material = (uint16_t)((r >> 40) % materials);
        for (uint32_t z = lo[2]; z < hi[2]; z++)
            for (uint32_t y = lo[1]; y < hi[1]; y++)
                for (uint32_t x = lo[0]; x < hi[0]; x++)
                    voxels[(z * 64 + y) * 64 + x] = material;
    }
}

/* Each voxel by itself, where three of four are air in `thin` of eight slabs. */
static void voxels_draw(uint64_t seed, uint32_t materials, uint32_t thin, uint16_t *voxels)
{
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
        uint64_t r = mix(seed ^ (uint64_t)i << 20);
        bool is_air = (i >> 15) < thin && (r & 3);
        uint32_t material = is_air ? 0 : (uint32_t)((r >> 8) % materials);
        voxels[i] = (uint16_t)material;
    }
}

static void varied_draw(uint32_t i, struct adit_tier_chunk *chunk, uint16_t *voxels)
{
    static const char *const worlds[] = {"terrain", "terrain", "terrain", "checker", "noise50"};
    static const uint32_t materials[] = {2, 3, 16, 200, 3000, ADIT_MATERIALS};
    uint64_t seed = mix(1000 + i);
    uint32_t many = materials[seed % 6];
    switch (i % 6) {
    case 0:
    case 1: {
        const struct adit_generator *g = adit_generator_named(worlds[i / 6 % 5]);
        int32_t x = (int32_t)(seed & 15), y = (int32_t)(i & 1), z = (int32_t)(seed >> 4 & 15);
        adit_generate(g, seed, x, y, z, voxels);
        snprintf(chunk->what, sizeof chunk->what, "%s %d,%d,%d", g->name, x, y, z);
        return;
    }
    case 2:
        boxes_draw(seed, 20, many, voxels);
        snprintf(chunk->what, sizeof chunk->what, "20 boxes of %u materials", many);
        return;
    case 3:
        boxes_draw(seed, 300, BOXED_MATERIALS, voxels);
        snprintf(chunk->what, sizeof chunk->what, "300 boxes of %u materials", BOXED_MATERIALS);
        return;
    case 4:
        voxels_draw(seed, many, (uint32_t)(seed >> 20 & 7), voxels);
        snprintf(chunk->what, sizeof chunk->what, "voxels of %u materials", many);
        return;
    default: /* all one, or all but a corner */
        for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
            voxels[v] = (uint16_t)(i / 6);
        voxels[i / 6 & 1 ? 0 : ADIT_CHUNK_VOXELS - 1] = (uint16_t)(i / 12);
        snprintf(chunk->what, sizeof chunk->what, "material %u throughout", i / 6);
    }
}

/* Of every sixteen materials two translucent, two cutout, one air, the rest opaque; not in one order. */
static void classes_draw(uint8_t *classes)
{
    for (uint32_t m = 0; m < ADIT_MATERIALS; m++) {
        uint32_t r = mix(m) & 15;
        classes[m] = m == 0 || r == 0 ? ADIT_CLASS_AIR : r < 3 ? ADIT_CLASS_TRANSLUCENT : r < 5 ? ADIT_CLASS_CUTOUT : ADIT_CLASS_OPAQUE;
    }
}

int adit_tier_chunks_varied(struct adit_tier_chunks **out)
{
    static const uint32_t flags[] = {0, ADIT_MESH_CULLED, 0, ADIT_MESH_AO, ADIT_MESH_TT_NONE, 0, ADIT_MESH_AO | ADIT_MESH_TT_NONE};
    struct adit_tier_chunks *c = chunks_new(ADIT_TIER_VARIED);
    struct adit_encode_plan *plan = malloc(adit_encode_plan_bytes());
    uint16_t *voxels = malloc(ADIT_CHUNK_VOXELS * sizeof *voxels);
    bool well = c && plan && voxels;
    if (well)
        classes_draw(c->classes);
    for (uint32_t i = 0; well && i < c->n; i++) {
        varied_draw(i, &c->chunk[i], voxels);
        c->chunk[i].flags = flags[i % 7];
        well = chunk_encode(c, i, plan, voxels);
    }
    for (uint32_t i = 0; well && i < 4 * 12; i++)
        c->rims[i / 12].edge[i % 12] = mix(2000 + i) & mix(3000 + i);
    for (uint32_t i = 0; well && i < c->n; i++) {
        uint64_t r = mix(4000 + i);
        for (uint32_t f = 0; f < ADIT_FACES; f++)
            if (r >> f & 1)
                beside_set(c, i, f, (uint32_t)((r >> (8 + 8 * f)) % c->n));
        if ((c->chunk[i].flags & ADIT_MESH_AO) && i % 2) {
            c->rims[i % 4].corner = (uint8_t)(r >> 6);
            c->chunk[i].rim = &c->rims[i % 4];
        }
    }
    free(voxels);
    free(plan);
    if (!well)
        adit_tier_chunks_free(&c);
    *out = c;
    return c ? 0 : -ENOMEM;
}

/* ---- what is measured */

/* The chunk of that world at that place, or n. */
static uint32_t world_find(const struct adit_tier_chunks *c, enum adit_tier_world world, const int32_t at[3])
{
    const int32_t dim = world == ADIT_TIER_STONE ? STONE_DIM : ACROSS, layers = world == ADIT_TIER_STONE ? STONE_DIM : LAYERS;
    const uint32_t before = world == ADIT_TIER_STONE ? 0 : STONE_DIM * STONE_DIM * STONE_DIM;
    if (at[0] < 0 || at[0] >= dim || at[1] < 0 || at[1] >= layers || at[2] < 0 || at[2] >= dim)
        return c->n;
    return before + (uint32_t)((at[2] * layers + at[1]) * dim + at[0]);
}

static void pool_add(struct adit_tier_chunks *c, enum adit_cost_kind kind, uint32_t i)
{
    enum adit_size_class size = adit_size_class_of(c->chunk[i].bytes);
    if (c->pool_n[kind][size] < ADIT_TIER_POOL)
        c->pool[kind][size][c->pool_n[kind][size]++] = i;
}

static void world_connect(struct adit_tier_chunks *c, uint32_t i)
{
    struct adit_tier_chunk *chunk = &c->chunk[i];
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        int32_t at[3] = {chunk->at[0], chunk->at[1], chunk->at[2]};
        at[adit_face_axis(f)] += f & 1 ? 1 : -1;
        uint32_t other = world_find(c, (enum adit_tier_world)chunk->world, at);
        if (other < c->n && !(c->chunk[other].version->summary & ADIT_SUM_EMPTY)) /* empty ones are not published */
            beside_set(c, i, f, other);
    }
    if (chunk->world == ADIT_TIER_TERRAIN)
        pool_add(c, ADIT_COST_GENERATE, i);
    if (!(chunk->version->summary & ADIT_SUM_EMPTY))
        pool_add(c, ADIT_COST_MESH, i);
}

int adit_tier_chunks_world(struct adit_tier_chunks **out)
{
    const struct adit_generator *g = adit_generator_named("terrain");
    const uint32_t stones = STONE_DIM * STONE_DIM * STONE_DIM;
    struct adit_tier_chunks *c = chunks_new(stones + ACROSS * ACROSS * LAYERS);
    struct adit_encode_plan *plan = malloc(adit_encode_plan_bytes());
    uint16_t *voxels = malloc(ADIT_CHUNK_VOXELS * sizeof *voxels);
    bool well = c && plan && voxels;
    if (well) {
        memset(c->classes, ADIT_CLASS_OPAQUE, sizeof c->classes);
        for (uint32_t m = 0; m < g->materials_n; m++)
            c->classes[m] = m ? (uint8_t)g->materials[m].material_class : ADIT_CLASS_AIR;
        for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
            voxels[v] = 1;
    }
    for (uint32_t i = 0; well && i < c->n; i++) {
        struct adit_tier_chunk *chunk = &c->chunk[i];
        uint32_t k = i < stones ? i : i - stones, dim = i < stones ? STONE_DIM : ACROSS, layers = i < stones ? STONE_DIM : LAYERS;
        chunk->world = i < stones ? ADIT_TIER_STONE : ADIT_TIER_TERRAIN;
        chunk->at[0] = (int32_t)(k % dim);
        chunk->at[1] = (int32_t)(k / dim % layers);
        chunk->at[2] = (int32_t)(k / dim / layers);
        if (i >= stones)
            adit_generate(g, ADIT_TIER_SEED, chunk->at[0], chunk->at[1], chunk->at[2], voxels);
        snprintf(chunk->what, sizeof chunk->what, "%s %d,%d,%d", i < stones ? "stone" : g->name, chunk->at[0], chunk->at[1], chunk->at[2]);
        well = chunk_encode(c, i, plan, voxels);
    }
    for (uint32_t i = 0; well && i < c->n; i++)
        world_connect(c, i);
    free(voxels);
    free(plan);
    if (!well)
        adit_tier_chunks_free(&c);
    *out = c;
    return c ? 0 : -ENOMEM;
}

/* ---- meshing */

int adit_tier_chunk_mesh(const struct adit_tier_chunks *chunks, uint32_t i, adit_mesh_kernel *kernel, struct adit_tier_scratch *scratch,
                         struct adit_mesh_result *result)
{
    const struct adit_tier_chunk *c = &chunks->chunk[i];
    struct adit_mesh_source source = {.encoded = &scratch->voxels, .classes = chunks->classes, .rim = c->rim, .dim = {64, 64, 64},
                                      .flags = (uint8_t)c->flags};
    if (!adit_voxels_view_within(c->version, c->bytes, &scratch->voxels))
        return -EBADMSG;
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        if (c->beside[f] && adit_decode_plane_within(c->beside[f], c->beside_bytes[f], (enum adit_face)(f ^ 1), scratch->plane[f]))
            source.plane[f] = scratch->plane[f];
    *result = (struct adit_mesh_result){.quads = scratch->quads, .quads_max = ADIT_MESH_QUADS_MAX};
    return kernel(&source, result);
}
