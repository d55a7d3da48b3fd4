/* Damaged and foreign control segments (shm/control.h): adopting one is an error, or gives tables that lie inside, which may hold
 * anything and still lead nowhere. Segments are copies in private memory, each just as long as it says, so that
 * AddressSanitizer sees the first byte beyond. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/dirty.h"
#include "runtime/store.h"
#include "shm/control.h"
#include "tests/shm_fixture.h"

#define HEAD_WORDS (sizeof(struct adit_control) / 4)
#ifdef __SANITIZE_THREAD__
#define WORD_STRIDE 29u /* one thread: nothing for ThreadSanitizer that the other variants do not see */
#define PAIRS 300u
#else
#define WORD_STRIDE 1u
#define PAIRS 3000u
#endif

static uint8_t *original, *data; /* what a sound arena looks like, and its data segment */
static uint64_t original_bytes, data_bytes;
static uint8_t *damaged;

/* An arena as attach has it before adopting, on the copies. */
static struct adit_arena *new_arena(uint64_t control_bytes)
{
    struct adit_arena *a = calloc(1, sizeof *a);
    strcpy(a->name, "damaged");
    a->segments_n = 2;
    a->role = ADIT_ROLE_PRODUCER;
    a->maps[0] = (struct adit_mapping){.base = damaged, .bytes = control_bytes, .fd = -1, .writable = true};
    a->maps[1] = (struct adit_mapping){.base = data, .bytes = data_bytes, .fd = -1, .writable = true};
    return a;
}

static void restore(void) { memcpy(damaged, original, original_bytes); }

static bool is_inside(const void *table, uint64_t n, uint64_t each_bytes)
{
    const uint8_t *p = table;
    return p >= damaged + sizeof(struct adit_control) && p <= damaged + original_bytes &&
           n <= (uint64_t)(damaged + original_bytes - p) / each_bytes;
}

static void check_tables(const struct adit_arena *a)
{
    assert_true(is_inside(a->participants, a->participants_max, sizeof *a->participants));
    assert_true(is_inside(a->readers, a->readers_max, sizeof *a->readers));
    assert_true(is_inside(a->pins, (uint64_t)a->participants_max * a->pins_each, 8));
    assert_true(is_inside(a->keys, a->chunks_max, 8));
    assert_true(is_inside(a->entries, a->chunks_max, sizeof *a->entries));
    assert_true(is_inside(a->dirty, (uint64_t)a->bits_words * 2, 8));
    assert_true(is_inside(a->watches, a->watches_max, sizeof *a->watches));
    assert_true(is_inside(a->watch_bits, (uint64_t)a->bits_words * 2 * a->watches_max, 8));
    assert_true(is_inside(a->materials, a->materials_max, sizeof *a->materials));
    assert_true(is_inside(a->rings, a->rings_max, sizeof *a->rings));
    assert_true(a->bits_words >= adit_bitset_words(a->chunks_max));
    for (uint32_t s = 0; s < a->segments_n; s++) {
        const struct adit_base *b = &a->segments[s];
        assert_true(is_inside(b->words, b->granules, 8));
        assert_true(is_inside(b->hints, b->extents, sizeof *b->hints));
        assert_true(((uint64_t)b->first + b->granules) * ADIT_GRANULE_BYTES <= b->bytes);
    }
}

/* What participants do all day, on whatever the tables hold now. */
static void use(struct adit_arena *a)
{
    struct adit_participant_info info;
    struct adit_material_info material;
    struct adit_stats stats = {.size = sizeof stats};
    struct adit_reader *reader;
    struct adit_ring *ring;
    uint32_t index = 0, cursor = 0, pin;
    uint64_t ref = 0;
    a->self = &a->participants[0];
    a->owner = adit_owner_make(0, 1);
    assert_int_equal(adit_stats(a, &stats), 0);
    (void)adit_participant_get(a, 0, &info);
    (void)adit_participant_get(a, a->participants_max - 1, &info);
    (void)adit_material_get(a, (uint16_t)(a->materials_max - 1), &material);
    if (!adit_block_alloc(a, 3000, ADIT_BLOCK_HERE, &ref)) {
        assert_non_null(adit_arena_at(a, ref, 3000));
        adit_block_publish(a, ref);
        if (adit_block_retire(a, ref))
            adit_block_free(a, ref);
    }
    if (!adit_store_enter(a, 0x0123456789abcdefull, &index)) {
        assert_true(index < a->chunks_max);
        adit_dirty_mark(a, index);
        if (adit_dirty_claim(a, &cursor, &index))
            adit_dirty_finish(a, index, false);
    }
    if (!adit_rcu_reader_open(a, &reader)) {
        if (!adit_pin_set(a, ref, &pin))
            (void)adit_pin_clear(a, pin);
        adit_rcu_reader_close(&reader);
    }
    a->waits->naming.word = 0; /* who holds it is waited for, for 5 s */
    if (!adit_shm_ring_open(a, "ring", ADIT_RING_KIND_MPMC, 64, 16, &ring)) {
        uint8_t element[64] = {0};
        (void)adit_ring_push(ring, element, 1);
        (void)adit_ring_pop(ring, element, 1);
        adit_ring_close(&ring);
        (void)adit_ring_destroy(a, "ring");
    }
}

/* Adopts what lies in damaged; true when that went well, and was sound. */
static bool adopt_and_use(uint64_t control_bytes)
{
    struct adit_arena *a = new_arena(control_bytes);
    int error = adit_control_adopt(a);
    if (error) {
        assert_int_equal(error, -EPROTO);
        assert_non_null(strstr(adit_detail(), "arena damaged: "));
        assert_null(strchr(adit_detail(), '\n'));
    } else {
        check_tables(a);
        use(a);
    }
    free(a);
    return !error;
}

static void a_sound_copy_is_adopted(void **state)
{
    (void)state;
    restore();
    assert_true(adopt_and_use(original_bytes));
}

static void any_word_of_the_head_may_be_anything(void **state)
{
    uint64_t seed = 9;
    uint32_t refused = 0;
    (void)state;
    for (uint32_t w = 0; w < HEAD_WORDS; w += WORD_STRIDE) {
        uint32_t was;
        memcpy(&was, original + w * 4, 4);
        const uint32_t values[] = {0, 1, was + 1, was - 1, was * 2, ~was, was ^ 1u << 31, INT32_MAX, UINT32_MAX,
                                   (uint32_t)shm_fixture_random(&seed)};
        for (uint32_t i = 0; i < sizeof values / sizeof *values; i++) {
            restore();
            memcpy(damaged + w * 4, &values[i], 4);
            refused += !adopt_and_use(original_bytes);
        }
    }
    assert_in_range(refused, HEAD_WORDS / WORD_STRIDE / 10, HEAD_WORDS / WORD_STRIDE * 10); /* a good part of the head is checked */
}

static void pairs_of_words_may_be_anything(void **state)
{
    uint64_t seed = 10;
    (void)state;
    for (uint32_t i = 0; i < PAIRS; i++) {
        restore();
        for (uint32_t k = 0; k < 2 + i % 3; k++) { /* where tables and segments are described */
            uint32_t at = 200 + (uint32_t)(shm_fixture_random(&seed) % 145) * 4;
            uint64_t value = shm_fixture_random(&seed) >> (shm_fixture_random(&seed) % 64);
            memcpy(damaged + at, &value, 4);
        }
        (void)adopt_and_use(original_bytes);
    }
}

/* A later release, another program's memory: named as what it is. */
static void a_foreign_magic_version_or_signature_is_refused(void **state)
{
    struct adit_control *head = (struct adit_control *)(void *)damaged;
    (void)state;
    restore();
    head->magic = 0;
    assert_false(adopt_and_use(original_bytes));
    assert_non_null(strstr(adit_detail(), "no magic"));
    restore();
    head->layout_version++;
    assert_false(adopt_and_use(original_bytes));
    char layout[32];
    snprintf(layout, sizeof layout, "layout %u/", ADIT_LAYOUT_VERSION + 1);
    assert_non_null(strstr(adit_detail(), layout));
    restore();
    head->signature ^= 1;
    assert_false(adopt_and_use(original_bytes));
    assert_non_null(strstr(adit_detail(), "use the same adit on both sides"));
}

/* Entries are read by vectors and lie on lines of their own. (tried: taken, copying a lock's bytes faults) */
static void a_table_off_its_lines_is_refused(void **state)
{
    struct adit_control *head = (struct adit_control *)(void *)damaged;
    struct adit_table *tables[] = {&head->participants, &head->readers, &head->entries, &head->rings, &head->locks};
    (void)state;
    for (uint32_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        restore();
        tables[i]->at += 8;
        assert_false(adopt_and_use(original_bytes));
        assert_non_null(strstr(adit_detail(), "not on its lines"));
    }
}

static void a_short_segment_is_refused(void **state)
{
    (void)state;
    uint8_t *whole = damaged;
    for (uint64_t bytes = original_bytes; bytes > 16;) {
        bytes = bytes > 8192 ? bytes - 4096 : bytes / 2;
        damaged = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
        memcpy(damaged, original, bytes);
        assert_false(adopt_and_use(bytes));
        free(damaged);
    }
    damaged = whole;
}

/* Every table and every block word at random: what peers with write access could do. */
static void tables_may_hold_anything(void **state)
{
    uint64_t seed = 11;
    (void)state;
    for (uint32_t i = 0; i < 400; i++) {
        restore();
        uint64_t density = 1 + shm_fixture_random(&seed) % 64;
        for (uint64_t at = sizeof(struct adit_control); at + 8 <= original_bytes; at += 8)
            if (!(shm_fixture_random(&seed) % density)) {
                uint64_t value = shm_fixture_random(&seed) >> (shm_fixture_random(&seed) % 64);
                memcpy(damaged + at, &value, 8);
            }
        assert_true(adopt_and_use(original_bytes));
    }
}

static int set_up(void **state)
{
    struct adit_create_params p = {.size = sizeof p, .chunks_max = 32, .participants_max = 2, .readers_max = 2,
                                   .watches_max = 1, .pins_max = 2, .materials_max = 16, .heap_bytes = 16384};
    if (shm_fixture_set_up(state))
        return -1;
    struct adit_arena *a = shm_fixture_create("control", &p, 2u << 20);
    original_bytes = a->maps[0].bytes;
    data_bytes = a->maps[1].bytes;
    original = malloc(original_bytes);
    damaged = aligned_alloc(4096, original_bytes);
    data = aligned_alloc(4096, data_bytes);
    memcpy(original, a->maps[0].base, original_bytes);
    memset(data, 0xa5, data_bytes);
    adit_detach(&a);
    return 0;
}

static int tear_down(void **state)
{
    free(original);
    free(damaged);
    free(data);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_copy_is_adopted),
        cmocka_unit_test(any_word_of_the_head_may_be_anything),
        cmocka_unit_test(pairs_of_words_may_be_anything),
        cmocka_unit_test(a_foreign_magic_version_or_signature_is_refused),
        cmocka_unit_test(a_table_off_its_lines_is_refused),
        cmocka_unit_test(a_short_segment_is_refused),
        cmocka_unit_test(tables_may_hold_anything),
    };
    return cmocka_run_group_tests_name("control", tests, set_up, tear_down);
}
