/* Hostile bytes in data segments (invariant I9): versions, meshes and commit words that a producer gone mad has overwritten give
 * errors or worthless voxels to those who read them, never a fault, a hang, or a byte from outside the block. */
#include "tests/chunk_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/key.h"
#include "runtime/store.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROUNDS 100u
#else
#define ROUNDS 1000u
#endif
#define CHUNKS 4u /* uniform, bricks, dense, removed */

static struct adit_arena *arena;
static struct adit_reader *reader;
static uint16_t voxels[ADIT_CHUNK_VOXELS];
static uint64_t quads_seen;

static struct adit_key key_of(uint32_t i) { return (struct adit_key){.x = (int32_t)i}; }

static struct adit_entry *entry_of(uint32_t i)
{
    struct adit_key key = key_of(i);
    uint64_t packed;
    uint32_t index;
    assert_int_equal(adit_key_pack(&key, &packed), 0);
    assert_true(adit_store_find(arena, packed, &index));
    return &arena->entries[index];
}

static uint32_t sum(const uint16_t *v, uint32_t n)
{
    uint32_t s = 0;
    for (uint32_t i = 0; i < n; i++)
        s += v[i];
    return s;
}

/* All that a consumer can ask of chunk i; true when it could be acquired and its hash holds. */
static bool read_all(uint32_t i, uint64_t *seed)
{
    struct adit_key key = key_of(i);
    struct adit_chunk_view view;
    struct adit_mesh_view mesh;
    bool intact = false;
    adit_enter(reader);
    int error = adit_chunk_acquire(reader, &key, &view);
    assert_true(!error || error == -EBADMSG || error == -ENOENT);
    if (!error) {
        intact = adit_chunk_is_intact(&view);
        for (uint32_t k = 0; k < 64; k++) {
            uint32_t h = (uint32_t)shm_fixture_random(seed);
            (void)adit_chunk_voxel(&view, h, h >> 6, h >> 12);
        }
        adit_chunk_decode(&view, voxels);
        (void)sum(voxels, ADIT_CHUNK_VOXELS);
    }
    error = adit_mesh_acquire(reader, &key, &mesh);
    assert_true(!error || error == -EBADMSG || error == -ENOENT);
    if (!error) {
        for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
            for (uint32_t q = mesh.start[r]; q < mesh.start[r + 1]; q++)
                quads_seen += adit_quad_material(mesh.quads[q]);
        (void)adit_mesh_is_intact(&mesh);
    }
    adit_exit(reader);
    return intact;
}

/* What others do with what lies there: count it, edit it, mesh it. */
static void work_on_all(uint32_t i)
{
    struct adit_stats stats = {.size = sizeof stats};
    struct adit_dispatcher *d;
    struct adit_dispatcher_params params = {.size = sizeof params, .workers = 1};
    struct adit_voxel_edit edit = {1, 2, 3, 0, 77};
    struct adit_key key = key_of(i), next = key_of(i + 1);
    assert_int_equal(adit_stats(arena, &stats), 0);
    int error = adit_chunk_edit(arena, &next, &edit, 1, NULL); /* its border is not ours to trust */
    assert_true(!error || error == -EBADMSG);
    error = adit_chunk_edit(arena, &key, &edit, 1, NULL);
    assert_true(!error || error == -EBADMSG);
    assert_int_equal(adit_dispatcher_open(arena, &params, &d), 0);
    assert_int_equal(adit_settle(arena, 20000000000u), 0);
    adit_dispatcher_close(&d);
}

/* Publishes chunk i anew, and has it meshed. */
static void make_chunk(uint32_t i)
{
    struct adit_key key = key_of(i);
    struct adit_dispatcher *d;
    struct adit_loan loan;
    fixture_paint(i == 1 ? 7 : 0, voxels);
    if (i == 0)
        for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
            voxels[v] = 9;
    if (i == 2) { /* dense */
        fixture_paint(6, voxels);
        assert_int_equal(adit_chunk_loan(arena, &key, &loan), 0);
        memcpy(loan.voxels, voxels, sizeof voxels);
        assert_int_equal(adit_chunk_publish(arena, &loan, NULL), 0);
    } else {
        assert_int_equal(adit_chunk_put(arena, &key, voxels, NULL), 0);
    }
    if (i == 3)
        assert_int_equal(adit_chunk_remove(arena, &key, NULL), 0);
    assert_int_equal(adit_dispatcher_open(arena, NULL, &d), 0);
    assert_int_equal(adit_settle(arena, 20000000000u), 0);
    adit_dispatcher_close(&d);
}

static uint32_t strange(uint64_t *seed, uint32_t was)
{
    static const uint32_t values[] = {0, 1, 16, 4096, 1u << 20, 1u << 31, INT32_MAX, UINT32_MAX, UINT32_MAX - 15};
    uint64_t h = shm_fixture_random(seed);
    return h % 4 == 0 ? (uint32_t)(h >> 32) : h % 4 == 1 ? was + (uint32_t)(h >> 8) % 64 - 32 : values[(h >> 8) % 9];
}

/* Overwrites words of the block at ref, the first words_n of it, a few at a time; puts them back. */
static void damage_and_read(uint64_t ref, uint32_t words_n, uint32_t rounds, uint32_t i, uint64_t *seed)
{
    uint32_t *block = adit_arena_at(arena, ref, words_n * 4u), kept = 0;
    uint32_t *copy = malloc(words_n * 4u);
    memcpy(copy, block, words_n * 4u);
    for (uint32_t k = 0; k < rounds; k++) {
        for (uint32_t n = 1 + k % 3; n > 0; n--) {
            uint32_t w = (uint32_t)(shm_fixture_random(seed) % words_n);
            block[w] = strange(seed, block[w]);
        }
        kept += read_all(i, seed);
        memcpy(block, copy, words_n * 4u);
    }
    free(copy);
    assert_true(kept < rounds); /* damage is told, mostly */
    (void)read_all(i, seed);
}

static void a_damaged_version_is_an_error_or_other_voxels(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (uint32_t i = 0; i < CHUNKS; i++) {
        uint64_t ref = adit_commit_ref(entry_of(i)->current);
        const struct adit_version *v = adit_arena_at(arena, ref, sizeof *v);
        uint32_t words = v->bytes / 4 < 600 ? v->bytes / 4 : 600; /* head, palette, descriptors, masks */
        damage_and_read(ref, sizeof *v / 4, ROUNDS, i, &seed);
        damage_and_read(ref, words, ROUNDS, i, &seed);
    }
}

static void a_damaged_mesh_is_an_error_or_other_quads(void **state)
{
    uint64_t seed = 2;
    (void)state;
    for (uint32_t i = 0; i < CHUNKS; i++) {
        uint64_t ref = adit_commit_ref(entry_of(i)->mesh);
        uint32_t *block = adit_arena_at(arena, ref, sizeof(struct adit_mesh)), copy[sizeof(struct adit_mesh) / 4];
        memcpy(copy, block, sizeof copy);
        for (uint32_t k = 0; k < 2 * ROUNDS; k++) {
            uint32_t w = (uint32_t)(shm_fixture_random(&seed) % (sizeof copy / 4));
            block[w] = strange(&seed, block[w]);
            (void)read_all(i, &seed);
            memcpy(block, copy, sizeof copy);
        }
    }
}

static void a_damaged_commit_word_is_an_error(void **state)
{
    uint64_t seed = 3;
    (void)state;
    for (uint32_t k = 0; k < 6 * ROUNDS; k++) {
        struct adit_entry *entry = entry_of(k % CHUNKS);
        uint64_t *word = k & 4 ? &entry->mesh : &entry->current, was = *word, h = shm_fixture_random(&seed);
        *word = k & 8 ? h : k & 16 ? was ^ 1ull << (h & 63) : was + (h & 0xffff) - 0x8000;
        (void)read_all(k % CHUNKS, &seed);
        *word = was;
    }
}

/* Editing, counting and meshing go on beside a damaged chunk, and stop at it. */
static void work_goes_on_beside_damage(void **state)
{
    uint64_t seed = 4;
    (void)state;
    for (uint32_t k = 0; k < ROUNDS / 20; k++) {
        uint32_t i = k % 3;
        uint64_t ref = adit_commit_ref(entry_of(i)->current);
        uint32_t *block = adit_arena_at(arena, ref, sizeof(struct adit_version));
        uint32_t w = 6 + (uint32_t)(shm_fixture_random(&seed) % (sizeof(struct adit_version) / 4 - 6)), was = block[w];
        block[w] = strange(&seed, was);
        work_on_all(i);
        if (adit_commit_ref(entry_of(i)->current) == ref)
            block[w] = was;
        make_chunk(i);
        assert_true(read_all(i, &seed));
    }
}

/* What edits cannot start from is said at once, not after as many tries as others may get in between. */
static void an_edit_of_a_damaged_version_is_one_error(void **state)
{
    struct adit_voxel_edit edit = {1, 2, 3, 0, 78};
    struct adit_key key = key_of(1);
    struct adit_entry *entry = entry_of(1);
    struct adit_version *v = adit_arena_at(arena, adit_commit_ref(entry->current), sizeof *v);
    uint64_t was = v->version, commit = entry->current;
    (void)state;
    v->version += 5;
    assert_int_equal(adit_chunk_edit(arena, &key, &edit, 1, NULL), -EBADMSG);
    v->version = was;
    entry->current = commit ^ 0xff0000; /* a granule that is none */
    assert_int_equal(adit_chunk_edit(arena, &key, &edit, 1, NULL), -EBADMSG);
    entry->current = commit;
    assert_int_equal(adit_chunk_edit(arena, &key, &edit, 1, NULL), 0);
}

static uint64_t *keep_words(const struct adit_base *b)
{
    uint64_t *copy = malloc(b->granules * 8u);
    for (uint32_t w = 0; w < b->granules; w++)
        copy[w] = adit_load_relaxed(&b->words[w]);
    return copy;
}

static void put_back(const struct adit_base *b, uint64_t *copy)
{
    for (uint32_t w = 0; w < b->granules; w++)
        adit_store_relaxed(&b->words[w], copy[w]);
    free(copy);
}

/* In a full segment the last granules say they begin free runs that go on far beyond the end. */
static void a_run_that_lies_of_its_length_is_not_taken(void **state)
{
    struct adit_base *b = &arena->segments[1];
    uint64_t *copy = keep_words(b), ref;
    (void)state;
    for (uint32_t bytes = 16u << 20; bytes >= 512; bytes /= 2)
        while (!adit_block_alloc(arena, bytes, ADIT_BLOCK_HERE, &ref)) {
        }
    for (uint32_t lie = 2; lie < 1u << 24; lie = lie * 2 + 1) {
        uint32_t first = b->granules - 2 - lie % 7, outside = 0;
        for (uint32_t bytes = 512; bytes <= 1u << 20; bytes *= 2) {
            for (uint32_t w = first; w < b->granules; w++)
                adit_store_relaxed(&b->words[w], adit_word_make(0, ADIT_BLOCK_FREE, b->granules - w + lie, 0));
            if (!adit_block_alloc(arena, bytes, ADIT_BLOCK_HERE, &ref))
                outside += !adit_arena_at(arena, ref, bytes);
        }
        assert_int_equal(outside, 0);
    }
    put_back(b, copy);
}

/* Free runs, words inside blocks and owners, as a mad peer may leave them; others allocate and look, and get out again. */
static void damaged_block_words_lead_nowhere(void **state)
{
    const struct adit_base *b = &arena->segments[1];
    uint64_t seed = 5, ref;
    (void)state;
    for (uint32_t k = 0; k < ROUNDS / 5; k++) {
        uint64_t *copy = keep_words(b);
        for (uint32_t n = 1u << k % 12; n > 0; n--) {
            uint64_t h = shm_fixture_random(&seed);
            enum adit_block_state s = (enum adit_block_state)(h >> 20 & 7);
            uint64_t word = adit_word_make(h, s, (uint32_t)(h >> 24 & 0xffffff), h >> 63 ? arena->owner : 0);
            adit_store_relaxed(&b->words[h % b->granules], h & 1ull << 40 ? h : word);
        }
        struct adit_stats stats = {.size = sizeof stats};
        assert_int_equal(adit_stats(arena, &stats), 0);
        for (uint32_t n = 0; n < 20; n++) {
            uint64_t bytes = 1 + shm_fixture_random(&seed) % 70000;
            if (!adit_block_alloc(arena, bytes, ADIT_BLOCK_HERE, &ref)) {
                assert_non_null(adit_arena_at(arena, ref, bytes));
                adit_block_publish(arena, ref);
                adit_retire(arena, ref);
            }
        }
        (void)adit_reclaim(arena, true);
        put_back(b, copy);
    }
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 6u << 20};
    arena = fixture_create(&p);
    for (uint32_t i = 0; i < CHUNKS; i++)
        make_chunk(i);
    return adit_reader_open(arena, &reader);
}

static int tear_down(void **state)
{
    adit_reader_close(&reader);
    adit_detach(&arena);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_version_is_an_error_or_other_voxels),
        cmocka_unit_test(a_damaged_mesh_is_an_error_or_other_quads),
        cmocka_unit_test(a_damaged_commit_word_is_an_error),
        cmocka_unit_test(work_goes_on_beside_damage),
        cmocka_unit_test(an_edit_of_a_damaged_version_is_one_error),
        cmocka_unit_test(a_run_that_lies_of_its_length_is_not_taken),
        cmocka_unit_test(damaged_block_words_lead_nowhere), /* last: it may keep memory */
    };
    return cmocka_run_group_tests_name("hostile", tests, set_up, tear_down);
}
