#include "tests/crashscene.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/dirty.h"
#include "runtime/mesher.h"
#include "runtime/scratch.h"
#include "runtime/store.h"
#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

#define DATA_BYTES (2u << 20)

const struct adit_key crash_key_a = {.x = 0}, crash_key_b = {.x = 1}, crash_key_c = {.x = 0, .y = 1},
                      crash_key_d = {.x = -1, .y = -1, .z = -1};
static const struct adit_key round_key = {.x = 5, .y = 5, .z = 5};
static struct adit_watch *judged_watch;

/* Filled before any child is forked: nothing of it is stepped. */
static uint16_t voxels_of[CRASH_MATERIAL_NEW + 1][ADIT_CHUNK_VOXELS];

const uint16_t *crash_voxels(uint16_t material) { return voxels_of[material]; }

static void fill_voxels(void)
{
    for (uint32_t m = CRASH_MATERIAL_OLD; m <= CRASH_MATERIAL_NEW; m++)
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            voxels_of[m][i] = (uint16_t)m;
}

int crash_mesh_all(struct adit_arena *arena)
{
    uint32_t cursor = 0, index;
    int error = 0;
    while (!error && adit_dirty_claim(arena, &cursor, &index)) {
        struct adit_scratch *s;
        error = adit_scratch_borrow(arena, &s);
        if (!error) {
            error = adit_mesher_run(arena, s, adit_mesh_kernel_best(NULL), 0, index);
            adit_scratch_give_back(arena, s);
        }
        adit_dirty_finish(arena, index, error != 0);
    }
    return error;
}

struct adit_arena *crash_scene_create(const char *name, struct adit_watch **watch)
{
    const struct adit_create_params small = {.size = sizeof small, .chunks_max = 32, .participants_max = 4, .readers_max = 16,
                                             .watches_max = 2, .pins_max = 8, .materials_max = 64, .heap_bytes = 64u << 10,
                                             .tasks_max = 64, .buffers_max = 4, .flags = ADIT_CREATE_AO};
    struct adit_material_info m = {.material_class = ADIT_CLASS_OPAQUE};
    struct adit_watch_event event;
    fill_voxels();
    struct adit_arena *a = shm_fixture_create(name, &small, DATA_BYTES);
    for (uint32_t i = 1; i <= CRASH_MATERIAL_NEW; i++) {
        uint16_t id = 0;
        snprintf(m.name, sizeof m.name, "stone %u", i);
        REQUIRE(!adit_material_register(a, &m, &id) && id == i);
    }
    REQUIRE(!adit_chunk_put(a, &crash_key_a, crash_voxels(CRASH_MATERIAL_OLD), NULL));
    REQUIRE(!adit_chunk_put(a, &crash_key_b, crash_voxels(CRASH_MATERIAL_OLD), NULL));
    REQUIRE(!adit_chunk_put(a, &crash_key_d, crash_voxels(CRASH_MATERIAL_OLD), NULL));
    REQUIRE(!crash_mesh_all(a));
    REQUIRE(!adit_watch_open(a, NULL, watch));
    while (!adit_watch_next(*watch, &event, 0)) {
    }
    REQUIRE(adit_reclaim(a, true) != -EAGAIN);
    return a;
}

void crash_scene_use(struct adit_watch *watch) { judged_watch = watch; }

/* Of which material all of a sound version is; UINT16_MAX: of several. */
static uint16_t material_of(const struct adit_chunk_view *view)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    if (view->uniform)
        return view->material;
    adit_chunk_decode(view, voxels);
    return memcmp(voxels, voxels + 1, sizeof voxels - sizeof *voxels) ? UINT16_MAX : voxels[0];
}

uint64_t crash_version(struct adit_arena *arena, const struct adit_key *key, uint16_t *material)
{
    struct adit_reader *reader;
    struct adit_chunk_view view;
    uint64_t number = 0;
    uint16_t is = UINT16_MAX;
    REQUIRE(!adit_chunk_version(arena, key, &number));
    REQUIRE(!adit_reader_open(arena, &reader));
    adit_enter(reader);
    int error = adit_chunk_acquire(reader, key, &view);
    if (error == -ENOENT)
        is = 0;
    else if (!error && adit_chunk_is_intact(&view) && view.version == number)
        is = material_of(&view);
    adit_exit(reader);
    adit_reader_close(&reader);
    if (material)
        *material = is;
    return number;
}

bool crash_is_dirty(struct adit_arena *arena, const struct adit_key *key)
{
    uint64_t packed;
    uint32_t index;
    struct adit_bitset dirty = adit_dirty_set(arena);
    return !adit_key_pack(key, &packed) && adit_store_find(arena, packed, &index) && adit_bitset_has(&dirty, index);
}

bool crash_is_reported(const struct adit_key *key)
{
    struct adit_watch_event event;
    bool is_seen = false;
    while (!adit_watch_next(judged_watch, &event, 0))
        is_seen |= event.what == ADIT_WATCH_LAPSED || !memcmp(&event.key, key, sizeof *key); /* lapsed: then it is looked at, too */
    return is_seen;
}

const char *crash_is_old_or_new(struct adit_arena *arena, const struct adit_key *key, uint16_t old, uint16_t new)
{
    const struct adit_key *neighbour = key == &crash_key_a ? &crash_key_b : &crash_key_a;
    uint16_t material;
    uint64_t number = crash_version(arena, key, &material), first = old ? 1 : 0;
    if (number == first)
        return material == old ? NULL : "the old version is not what it was";
    if (number != first + 1 || material != new)
        return "neither the old version nor the new one";
    if (!crash_is_dirty(arena, key))
        return "the new version is not marked dirty";
    if (!crash_is_dirty(arena, neighbour))
        return "the neighbour is not marked dirty";
    if (key == &crash_key_a && !crash_is_dirty(arena, &crash_key_d))
        return "the chunk at its corner is not marked dirty";
    return crash_is_reported(key) ? NULL : "the watch does not hear of the new version";
}

static struct adit_stats stats_of(struct adit_arena *arena)
{
    struct adit_stats s = {.size = sizeof s};
    REQUIRE(!adit_stats(arena, &s));
    return s;
}

static char breach_text[200];

static void note_breach(const struct adit_breach *breach, void *user)
{
    (void)user;
    if (!*breach_text)
        snprintf(breach_text, sizeof breach_text, "%s, %s: %s", breach->invariant, breach->place, breach->what);
}

/* The verifier; nobody else is at work on what is judged, so one look will do. */
static const char *verify(const struct adit_arena *arena, uint32_t flags)
{
    const struct adit_verify_params params = {.size = sizeof params, .flags = flags | ADIT_VERIFY_DEEP, .looks = 1};
    int breaches = adit_verify(arena, &params, note_breach, NULL);
    return !breaches ? NULL : *breach_text ? breach_text : "the verifier has failed";
}

static void count_loan_of_others(uint64_t ref, uint64_t word, void *user)
{
    uint32_t *counted = user; /* ours, then how many */
    (void)ref;
    counted[1] += adit_word_state(word) == ADIT_BLOCK_LOANED && adit_word_owner(word) != counted[0];
}

const char *crash_scene_is_recovered(struct adit_arena *arena)
{
    struct adit_stats s = stats_of(arena);
    if (s.participants != 1)
        return "the dead participant's slot is not free";
    if (s.watches != 1)
        return "the dead participant's watch is not free";
    if (s.viewers)
        return "the dead participant's viewer is not free";
    for (uint32_t i = 0; i < arena->readers_max; i++)
        if (arena->readers[i].owner && arena->readers[i].owner != arena->owner)
            return "the dead participant's reader slot is not free";
    for (uint32_t i = 0; i < arena->pins_each; i++)
        for (uint32_t slot = 1; slot < arena->participants_max; slot++)
            if (arena->pins[slot * arena->pins_each + i])
                return "a pin of the dead is left";
    uint32_t loans[2] = {arena->owner, 0};
    for (uint32_t i = 0; i < arena->segments_n; i++)
        adit_block_each(arena, i, count_loan_of_others, loans);
    if (loans[1])
        return "a loan of the dead is left";
    return s.in_work ? "work of the dead is left" : verify(arena, ADIT_VERIFY_LIVING);
}

/* Nothing stands inside a block: what a split or a merge leaves there is cleared by whoever recovers it (block.c, A2). */
static bool has_stale_words(const struct adit_base *g)
{
    for (uint32_t i = 0; i < g->granules;) {
        uint32_t n = adit_word_granules(g->words[i]);
        if (!n || n > g->granules - i)
            return true;
        for (uint32_t k = 1; k < n; k++)
            if (g->words[i + k])
                return true;
        i += n;
    }
    return false;
}

/* Every block is free or named, every mesh is of the current version. */
static const char *is_tidy(struct adit_arena *arena)
{
    static const char *const what[] = {"a block stays on loan", "a block stays retired", "a published block is named by nothing",
                                       "bytes are in no block"};
    struct adit_stats s = stats_of(arena);
    const struct adit_segment_stats *g = &s.segments[1];
    if (g->loaned_bytes || g->retired_bytes)
        return what[!g->loaned_bytes];
    if (g->published_bytes != s.version_bytes + s.mesh_bytes)
        return what[2];
    if (g->free_bytes + g->published_bytes != g->bytes)
        return what[3];
    if (has_stale_words(&arena->segments[1]))
        return "a stale word stands inside a block";
    for (uint32_t i = 0; i < arena->chunks_max; i++) {
        const struct adit_entry *e = &arena->entries[i];
        const struct adit_version *v = adit_store_version(arena, adit_load_acquire(&e->current));
        const struct adit_mesh *m = adit_store_mesh(arena, adit_load_acquire(&e->mesh));
        if (v && v->encoding != ADIT_ENC_REMOVED && (!m || m->source[0] != v->version))
            return "a mesh is not of the current version";
    }
    return s.dirty || s.in_work ? "a chunk stays dirty or in work" : verify(arena, ADIT_VERIFY_QUIET);
}

const char *crash_scene_round(struct adit_arena *arena)
{
    uint16_t material;
    if (crash_mesh_all(arena))
        return "a dirty chunk cannot be meshed";
    uint64_t before = crash_version(arena, &round_key, NULL);
    if (adit_chunk_put(arena, &round_key, crash_voxels(CRASH_MATERIAL_NEW), NULL))
        return "a chunk cannot be put";
    if (crash_version(arena, &round_key, &material) <= before || material != CRASH_MATERIAL_NEW)
        return "what was put is not what is read";
    if (!crash_is_dirty(arena, &round_key) || !crash_is_reported(&round_key))
        return "nobody hears of what was put";
    if (adit_chunk_remove(arena, &round_key, NULL) || crash_mesh_all(arena))
        return "a chunk cannot be removed";
    if (adit_reclaim(arena, true))
        return "memory cannot be reclaimed";
    return is_tidy(arena);
}
