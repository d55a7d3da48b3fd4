/* The index from key to entry: against a model, under racing insertions, and the arithmetic of keys and version numbers. */
#include "tests/chunk_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/store.h"

#define KEYS 3000u

/* A key of a small region, so that many repeat and neighbours are near in every field. */
static struct adit_key some_key(uint64_t seed)
{
    uint64_t h = fixture_mix(seed);
    return (struct adit_key){.x = (int32_t)(h & 31) - 16, .y = (int32_t)(h >> 8 & 7) - 4, .z = (int32_t)(h >> 16 & 31) - 16,
                             .lod = (uint8_t)(h >> 24 & 1), .world = (uint8_t)(h >> 32 & 1 ? 62 : 0)};
}

static uint64_t packed_of(struct adit_key key)
{
    uint64_t packed = 0;
    assert_int_equal(adit_key_pack(&key, &packed), 0);
    assert_true(packed);
    return packed;
}

static struct adit_arena *new_arena(uint32_t chunks_max)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = 2u << 20, .chunks_max = chunks_max};
    return fixture_create(&params);
}

static void the_store_agrees_with_a_model(void **state)
{
    struct adit_arena *a = new_arena(KEYS);
    static uint64_t keys[KEYS];
    static uint32_t places[KEYS];
    uint32_t n = 0;
    (void)state;
    for (uint32_t i = 0; i < KEYS; i++) {
        uint64_t packed = packed_of(some_key(i));
        uint32_t known = 0, index = UINT32_MAX;
        while (known < n && keys[known] != packed)
            known++;
        assert_int_equal(adit_store_find(a, packed, &index), known < n);
        assert_true(known == n || index == places[known]);
        assert_int_equal(adit_store_enter(a, packed, &index), 0);
        assert_true(known == n || index == places[known]);
        assert_true(index < a->chunks_max);
        assert_int_equal(a->keys[index], packed);
        if (known == n) {
            keys[n] = packed;
            places[n++] = index;
        }
    }
    assert_in_range(n, KEYS / 2, KEYS - 1); /* some repeat */
    for (uint32_t i = 0; i < n; i++) {
        uint32_t index = 0;
        assert_true(adit_store_find(a, keys[i], &index));
        assert_int_equal(index, places[i]);
    }
    adit_detach(&a);
}

static void a_store_filled_to_the_last_place_still_answers(void **state)
{
    struct adit_arena *a = new_arena(40);
    uint32_t index, n = 0;
    (void)state;
    while (n < 1000 && !adit_store_enter(a, packed_of((struct adit_key){.x = (int32_t)n}), &index))
        n++;
    assert_int_equal(n, a->chunks_max);
    assert_int_equal(adit_store_enter(a, packed_of((struct adit_key){.y = 1}), &index), -ENOSPC);
    assert_false(adit_store_find(a, packed_of((struct adit_key){.y = 1}), &index));
    for (uint32_t i = 0; i < n; i++)
        assert_true(adit_store_find(a, packed_of((struct adit_key){.x = (int32_t)i}), &index));
    adit_detach(&a);
}

#define THREADS 4

struct inserter {
    struct adit_arena *arena;
    uint32_t first, *places, *gate;
};

static void *insert_all(void *user)
{
    struct inserter *t = user;
    __atomic_add_fetch(t->gate, 1, __ATOMIC_SEQ_CST);
    shm_fixture_until(t->gate, THREADS);
    for (uint32_t n = 0; n < KEYS; n++) {
        uint32_t i = (t->first + n) % KEYS;
        uint64_t packed = 0;
        struct adit_key key = some_key(i);
        REQUIRE(!adit_key_pack(&key, &packed) && !adit_store_enter(t->arena, packed, &t->places[i]));
    }
    return NULL;
}

static void racing_insertions_of_a_key_give_one_entry(void **state)
{
    struct adit_arena *a = new_arena(KEYS);
    static uint32_t places[THREADS][KEYS];
    struct inserter inserters[THREADS];
    pthread_t threads[THREADS];
    uint32_t gate = 0;
    (void)state;
    for (uint32_t t = 0; t < THREADS; t++) {
        inserters[t] = (struct inserter){a, t / 2 * 500, places[t], &gate}; /* pairs go the same way, side by side */
        assert_int_equal(pthread_create(&threads[t], NULL, insert_all, &inserters[t]), 0);
    }
    for (uint32_t t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (uint32_t t = 0; t < THREADS; t++)
        assert_memory_equal(places[t], places[0], sizeof places[0]);
    for (uint32_t i = 0; i < KEYS; i++)
        assert_int_equal(a->keys[places[0][i]], packed_of(some_key(i)));
    adit_detach(&a);
}

/* ---- keys */

static void a_key_survives_its_word_at_every_limit(void **state)
{
    static const int32_t xz[] = {-524288, -524287, -1, 0, 1, 524286, 524287}, ys[] = {-2048, -1, 0, 1, 2047};
    static const uint8_t lods[] = {0, 1, 15}, worlds[] = {0, 1, 62};
    uint64_t packed;
    (void)state;
    for (uint32_t i = 0; i < 7 * 7 * 5 * 3 * 3; i++) {
        struct adit_key k = {.x = xz[i % 7], .z = xz[i / 7 % 7], .y = ys[i / 49 % 5], .lod = lods[i / 245 % 3],
                             .world = worlds[i / 735]};
        struct adit_key back = adit_key_unpack(packed_of(k));
        assert_true(k.x == back.x && k.y == back.y && k.z == back.z && k.lod == back.lod && k.world == back.world);
        for (uint32_t f = 0; f < ADIT_FACES; f++) {
            struct adit_key n = k;
            *(f < 2 ? &n.x : f < 4 ? &n.y : &n.z) += f & 1 ? 1 : -1;
            uint64_t wanted = adit_key_try(&n, &wanted) ? wanted : 0;
            assert_true(adit_key_neighbour(packed_of(k), (enum adit_face)f) == wanted);
        }
    }
    assert_false(adit_key_try(&(struct adit_key){.x = 524288}, &packed));
    assert_false(adit_key_try(&(struct adit_key){.y = -2049}, &packed));
    assert_false(adit_key_try(&(struct adit_key){.world = 63}, &packed));
}

/* ---- numbers: entry.number lags behind by as much as publishers let it, and by more */

static void version_numbers_go_on_past_what_a_commit_word_holds(void **state)
{
    static const uint64_t around[] = {1, 1u << 20, 1u << 23, 1u << 24, 5ull << 20, 3ull << 24, 1ull << 40};
    struct adit_entry entry = {0};
    (void)state;
    assert_true(adit_store_number(&entry, 0) == 0);
    for (uint32_t i = 0; i < sizeof around / sizeof *around; i++)
        for (int64_t step = -3; step <= 3; step++) {
            uint64_t number = around[i] + (uint64_t)step;
            if ((int64_t)number < 1)
                continue;
            uint64_t commit = adit_commit_make(number, ADIT_REF(1, 512 * 77));
            for (int64_t lag = -(1 << 23) + 1; lag < 1 << 23; lag += (1 << 21) - 1) { /* a publisher may be ahead, too */
                if ((int64_t)number - lag < 0)
                    continue;
                entry.number = number - (uint64_t)lag;
                assert_true(adit_store_number(&entry, commit) == number);
            }
            entry.number = number & ~((1ull << 20) - 1); /* as publish.c leaves it */
            assert_true(adit_store_number(&entry, commit) == number);
        }
}

static void publishing_goes_on_across_the_steps(void **state)
{
    static const uint64_t steps[] = {1u << 20, 1u << 24, 1ull << 32};
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    struct adit_arena *a = new_arena(64);
    struct adit_reader *r;
    struct adit_chunk_view view;
    (void)state;
    assert_int_equal(adit_reader_open(a, &r), 0);
    for (uint32_t i = 0; i < 3; i++) {
        struct adit_key key = {.x = (int32_t)i};
        uint32_t index;
        assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
        assert_true(adit_store_find(a, packed_of(key), &index));
        /* as if all but a few of the versions before the step had been published */
        struct adit_entry *entry = &a->entries[index];
        entry->number = steps[i] - (1u << 20);
        entry->current = adit_commit_make(steps[i] - 4, adit_commit_ref(entry->current));
        for (uint64_t n = steps[i] - 3; n < steps[i] + 4; n++) {
            uint64_t version = 0;
            struct adit_put_params params = {.size = sizeof params, .version = &version, .if_version = n - 1};
            assert_int_equal(adit_chunk_put(a, &key, voxels, &params), 0);
            assert_true(version == n);
            adit_enter(r);
            assert_int_equal(adit_chunk_acquire(r, &key, &view), 0);
            assert_true(view.version == n);
            adit_exit(r);
        }
        assert_true(entry->number == steps[i]);
    }
    adit_reader_close(&r);
    adit_detach(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_agrees_with_a_model),
        cmocka_unit_test(a_store_filled_to_the_last_place_still_answers),
        cmocka_unit_test(racing_insertions_of_a_key_give_one_entry),
        cmocka_unit_test(a_key_survives_its_word_at_every_limit),
        cmocka_unit_test(version_numbers_go_on_past_what_a_commit_word_holds),
        cmocka_unit_test(publishing_goes_on_across_the_steps),
    };
    return cmocka_run_group_tests_name("store", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
