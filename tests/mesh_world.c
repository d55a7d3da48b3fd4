#include "tests/mesh_world.h"

#include <signal.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "kernels/kernels.h"
#include "runtime/dirty.h"

#define SETTLE_NS 60000000000u

struct adit_key mesh_world_key(uint32_t i)
{
    return (struct adit_key){.x = (int32_t)(i % MESH_WORLD_SIDE) - 2, .y = (int32_t)(i / MESH_WORLD_SIDE % 2),
                             .z = (int32_t)(i / MESH_WORLD_SIDE / 2) - 2};
}

/* Chunk i as it is at first: made once, as many worlds begin with it. */
static const uint16_t *first_voxels(uint32_t i)
{
    static uint16_t voxels[MESH_WORLD_CHUNKS][ADIT_CHUNK_VOXELS];
    static bool is_made[MESH_WORLD_CHUNKS];
    struct adit_key k = mesh_world_key(i);
    if (is_made[i])
        return voxels[i];
    if (i == 9)
        adit_generate(adit_generator_named("noise50"), 1, k.x, k.y, k.z, voxels[i]);
    else if (i == 22)
        fixture_paint(2, voxels[i]);
    else
        adit_generate_terrain(1, 0, k.x, k.y, k.z, voxels[i]);
    is_made[i] = true;
    return voxels[i];
}

struct adit_arena *mesh_world_create(uint32_t flags) { return mesh_world_create_of(flags, 96u << 20); }

struct adit_arena *mesh_world_create_of(uint32_t flags, uint64_t data_bytes)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = data_bytes, .flags = flags};
    struct adit_arena *a = fixture_create(&params);
    for (uint16_t m = 1; m < ADIT_GENERATE_TERRAIN_MATERIALS; m++) {
        struct adit_material_info info = {.material_class = adit_generate_terrain_materials[m].material_class};
        snprintf(info.name, sizeof info.name, "%s", adit_generate_terrain_materials[m].name);
        REQUIRE(!adit_material_register(a, &info, &m));
    }
    for (uint32_t i = 0; i < MESH_WORLD_CHUNKS; i++) {
        struct adit_key key = mesh_world_key(i);
        REQUIRE(!adit_chunk_put(a, &key, first_voxels(i), NULL));
    }
    return a;
}

void mesh_world_edit(struct adit_arena *arena, uint32_t i, uint32_t round)
{
    struct adit_key key = mesh_world_key(i);
    const struct adit_voxel_edit edits[] = {{63, (uint8_t)(round % 64), (uint8_t)(i % 64), 0, (uint16_t)(1 + round % 5)},
                                            {(uint8_t)(round * 7 % 64), 0, 31, 0, (uint16_t)(round % 3)}};
    REQUIRE(!adit_chunk_edit(arena, &key, edits, 2, NULL));
}

void mesh_world_digest(struct adit_arena *arena, uint64_t digest[MESH_WORLD_CHUNKS])
{
    struct adit_reader *reader;
    REQUIRE(!adit_reader_open(arena, &reader));
    for (uint32_t i = 0; i < MESH_WORLD_CHUNKS; i++) {
        struct adit_key key = mesh_world_key(i);
        struct adit_mesh_view m;
        uint64_t version;
        REQUIRE(!adit_chunk_version(arena, &key, &version));
        adit_enter(reader);
        REQUIRE(!adit_mesh_acquire(reader, &key, &m));
        REQUIRE(adit_mesh_is_intact(&m) && m.source[0] == version);
        digest[i] = XXH3_64bits_withSeed(m.quads, (size_t)m.quads_n * 8, XXH3_64bits(m.start, sizeof m.start) + m.faces) +
                    XXH3_64bits(m.bounds_lo, 3) + 3 * XXH3_64bits(m.bounds_hi, 3);
        adit_exit(reader);
    }
    adit_reader_close(&reader);
}

void mesh_world_assert_right(struct adit_arena *arena)
{
    uint64_t got[MESH_WORLD_CHUNKS];
    mesh_world_digest(arena, got);
#ifndef __SANITIZE_THREAD__
    uint64_t want[MESH_WORLD_CHUNKS];
    struct adit_dispatcher *d;
    for (uint32_t i = 0; i < arena->chunks_max; i++)
        if (adit_load_acquire(&arena->entries[i].current))
            adit_dirty_mark(arena, i);
    REQUIRE(!adit_dispatcher_open(arena, NULL, &d));
    REQUIRE(!adit_settle(arena, SETTLE_NS));
    adit_dispatcher_close(&d);
    mesh_world_digest(arena, want);
    for (uint32_t i = 0; i < MESH_WORLD_CHUNKS; i++)
        if (got[i] != want[i])
            fail_msg("chunk %u has another mesh than threads make", i);
#endif
    shm_fixture_verify(arena, 0);
}

/* ---- death */

struct claims {
    struct adit_arena *arena;
    uint32_t n;
};

static bool has_claimed(void *user)
{
    const struct claims *c = user;
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->arena->chunks_max; i++)
        n += adit_load_acquire(&c->arena->entries[i].work) != 0;
    return n > c->n;
}

void mesh_world_survives_death(void (*work)(void *name), uint32_t flags, uint32_t claims, uint32_t nap_ms_max, uint64_t *seed)
{
    pid_t child = fixture_fork(work, (void *)(uintptr_t)FIXTURE_NAME);
    struct claims wanted = {mesh_world_create(flags), claims};
    struct adit_dispatcher *d;
    fixture_start();
    REQUIRE(fixture_eventually(has_claimed, &wanted));
    shm_fixture_nap((uint32_t)(shm_fixture_random(seed) % (nap_ms_max + 1)));
    REQUIRE(!kill(child, SIGKILL));
    REQUIRE(shm_fixture_wait(child) == -SIGKILL);
    REQUIRE(!adit_dispatcher_open(wanted.arena, NULL, &d));
    REQUIRE(!adit_settle(wanted.arena, SETTLE_NS));
    adit_dispatcher_close(&d);
    mesh_world_assert_right(wanted.arena);
    adit_detach(&wanted.arena);
}

static int64_t counted(const struct adit_arena *a, const char *name)
{
    int64_t n = -1;
    uint32_t metric;
    REQUIRE(!adit_metric_find(a, name, &metric) && !adit_metric_value(a, metric, ADIT_METRIC_ALL, 0, &n));
    return n;
}

/* What its devices have done is what the arena tells of them. */
static void devices_are_told_of(const struct adit_arena *arena, const struct adit_dispatcher *d, uint32_t lost)
{
    struct adit_tier_info info;
    uint64_t meshed = 0, devices = 0;
    for (uint32_t i = 1; !adit_dispatcher_tier(d, i, &info); i++) {
        bool is_device = strcmp(info.name, "processes") != 0;
        devices += is_device;
        meshed += is_device ? info.meshed : 0;
    }
    REQUIRE(counted(arena, "device_tiers") == (int64_t)devices && counted(arena, "device_off") == lost);
    REQUIRE(counted(arena, "device_meshes") == (int64_t)meshed);
    REQUIRE(!meshed || counted(arena, "device_busy_ns") > 0);
}

/* (tried: not counted; not taken back; meshes of a device not told of; the price not taken back.) */
void mesh_world_close(struct adit_arena *arena, struct adit_dispatcher **dispatcher, uint32_t lost)
{
    static const char *const gauges[] = {"tiers_off", "device_tiers", "device_off", "device_fixed_ns", "device_each_ns", "device_chunks"};
    REQUIRE(counted(arena, "tiers_off") == lost);
    devices_are_told_of(arena, *dispatcher, lost);
    adit_dispatcher_close(dispatcher);
    for (uint32_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
        REQUIRE(counted(arena, gauges[i]) == 0);
}
