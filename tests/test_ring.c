/* Rings (shm/ring.h): order, exactly once, wrapping, waiting, shapes, and heads that a hostile peer has written. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/shm_fixture.h"

#define WAIT_NS 20000000000ull
#define SENT 20000u
#define SENDERS 2u

static struct adit_arena *arena;

static struct adit_ring *open_in(struct adit_arena *a, const char *name, enum adit_ring_kind kind, uint32_t element_bytes,
                                 uint32_t capacity)
{
    struct adit_ring_params p = {.size = sizeof p, .kind = kind, .element_bytes = element_bytes, .capacity = capacity};
    struct adit_ring *r;
    REQUIRE(!adit_ring_open(a, name, &p, &r));
    return r;
}

/* The head of the ring of that name, as a peer could reach it. */
static struct adit_ring_head *head_of(const char *name)
{
    for (uint32_t i = 0; i < arena->rings_max; i++)
        if (arena->rings[i].state == 2 && !strcmp(arena->rings[i].name, name))
            return adit_arena_at(arena, arena->rings[i].ref, sizeof(struct adit_ring_head));
    REQUIRE(!"such a ring");
    return NULL;
}

static void every_element_size_wraps_whole(void **state)
{
    static const uint32_t sizes[] = {1, 2, 3, 7, 8, 9, 16, 63, 64, 100, 1000, 4095, 4096};
    static uint8_t in[7 * 4096], out[8 * 4096];
    (void)state;
    for (uint32_t k = 0; k < 2 * sizeof sizes / sizeof *sizes; k++) {
        uint32_t bytes = sizes[k / 2], next_in = 0, next_out = 0;
        struct adit_ring *r = open_in(arena, "sizes", k % 2 ? ADIT_RING_MPMC : ADIT_RING_SPSC, bytes, 8);
        for (uint32_t round = 0; round < 60; round++) {
            uint32_t n = 1 + round % 7;
            for (uint32_t i = 0; i < n * bytes; i++)
                in[i] = (uint8_t)((next_in + i / bytes) * 31 + i % bytes);
            next_in += adit_ring_push(r, in, n);
            memset(out, 0xee, sizeof out);
            n = adit_ring_pop(r, out, 1 + round % 5);
            for (uint32_t i = 0; i < n * bytes; i++)
                assert_int_equal(out[i], (uint8_t)((next_out + i / bytes) * 31 + i % bytes));
            assert_int_equal(out[n * bytes], 0xee); /* and not a byte more */
            next_out += n;
            assert_in_range(next_in - next_out, 0, 8);
        }
        assert_true(next_out > 100);
        adit_ring_close(&r);
        assert_int_equal(adit_ring_destroy(arena, "sizes"), 0);
    }
}

static void full_and_empty_are_told_and_do_not_block(void **state)
{
    uint64_t v[16] = {0};
    (void)state;
    for (uint32_t kind = ADIT_RING_SPSC; kind <= ADIT_RING_MPMC; kind++) {
        struct adit_ring *r = open_in(arena, "full", (enum adit_ring_kind)kind, 8, 4);
        assert_int_equal(adit_ring_pop(r, v, 1), 0);
        assert_int_equal(adit_ring_wait_item(r, 0), -ETIMEDOUT);
        assert_int_equal(adit_ring_wait_item(r, 2000000), -ETIMEDOUT);
        assert_int_equal(adit_ring_wait_room(r, 0), 0);
        for (uint64_t i = 0; i < 16; i++)
            v[i] = i;
        assert_int_equal(adit_ring_push(r, v, 0), 0);
        assert_int_equal(adit_ring_push(r, v, 16), 4);
        assert_int_equal(adit_ring_push(r, v, 1), 0);
        assert_int_equal(adit_ring_wait_room(r, 2000000), -ETIMEDOUT);
        assert_int_equal(adit_ring_wait_item(r, 0), 0);
        assert_int_equal(adit_ring_pop(r, v + 8, 3), 3);
        assert_int_equal(adit_ring_push(r, v + 4, 16), 3);
        assert_int_equal(adit_ring_pop(r, v + 8, 8), 4);
        for (uint64_t i = 0; i < 4; i++)
            assert_int_equal(v[8 + i], 3 + i);
        adit_ring_close(&r);
        assert_int_equal(adit_ring_destroy(arena, "full"), 0);
    }
}

static void shapes_must_agree_and_names_be_names(void **state)
{
    struct adit_ring *r = open_in(arena, "shape", ADIT_RING_SPSC, 8, 16), *other = open_in(arena, "shape", ADIT_RING_SPSC, 8, 16);
    (void)state;
    const struct adit_ring_params bad[] = {{sizeof *bad, ADIT_RING_MPMC, 8, 16}, {sizeof *bad, ADIT_RING_SPSC, 16, 16},
                                           {sizeof *bad, ADIT_RING_SPSC, 8, 32}};
    const struct adit_ring_params absurd[] = {{sizeof *bad, (enum adit_ring_kind)3, 8, 16}, {sizeof *bad, ADIT_RING_SPSC, 4097, 16},
                                              {sizeof *bad, ADIT_RING_SPSC, 8, 1u << 21}, {sizeof *bad, ADIT_RING_SPSC, 8, UINT32_MAX}};
    adit_ring_close(&other);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(adit_ring_open(arena, "shape", &bad[i], &other), -EEXIST);
        assert_null(other);
    }
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(adit_ring_open(arena, "absurd", &absurd[i], &other), -EINVAL);
    assert_int_equal(adit_ring_open(arena, "", NULL, &other), -EINVAL);
    assert_int_equal(adit_ring_open(arena, NULL, NULL, &other), -EINVAL);
    assert_int_equal(adit_ring_open(arena, "012345678901234567890123456789012345678901234567", NULL, &other), -EINVAL);
    assert_int_equal(adit_ring_destroy(arena, "none"), -ENOENT);
    assert_int_equal(adit_ring_destroy(arena, NULL), -ENOENT);
    adit_ring_close(&r);
    assert_int_equal(adit_ring_destroy(arena, "shape"), 0);
    assert_int_equal(adit_ring_destroy(arena, "shape"), -ENOENT);
    r = open_in(arena, "shape", ADIT_RING_MPMC, 16, 32); /* the name is free for any shape, and the ring empty */
    assert_int_equal(adit_ring_wait_item(r, 0), -ETIMEDOUT);
    adit_ring_close(&r);
    assert_int_equal(adit_ring_destroy(arena, "shape"), 0);
}

static void rings_and_their_memory_come_back(void **state)
{
    struct adit_ring *r[65];
    char name[16];
    uint32_t n = 0;
    (void)state;
    for (uint32_t round = 0; round < 3; round++) {
        for (n = 0; n < 65; n++) {
            struct adit_ring_params p = {sizeof p, ADIT_RING_SPSC, 64, 64};
            snprintf(name, sizeof name, "many%u", n);
            int error = adit_ring_open(arena, name, &p, &r[n]);
            assert_int_equal(error, n < arena->rings_max ? 0 : -ENOSPC);
            if (error)
                break;
        }
        assert_int_equal(n, arena->rings_max);
        while (n-- > 0) {
            snprintf(name, sizeof name, "many%u", n);
            adit_ring_close(&r[n]);
            assert_int_equal(adit_ring_destroy(arena, name), 0);
        }
    }
    struct adit_ring_params p = {sizeof p, ADIT_RING_SPSC, 4096, 1u << 20}; /* 4 GiB */
    assert_int_not_equal(adit_ring_open(arena, "huge", &p, &r[0]), 0);
    assert_null(r[0]);
    struct adit_stats s = {.size = sizeof s};
    assert_int_equal(adit_stats(arena, &s), 0);
    assert_int_equal(s.segments[0].published_bytes + s.segments[0].loaned_bytes + s.segments[0].retired_bytes, 0);
}

/* ---- hints and indices */

/* Empties the ring of that name and sets it to go on at index. */
static void set_index(const char *name, uint64_t index)
{
    struct adit_ring_head *h = head_of(name);
    h->tail = h->head = index;
    for (uint64_t i = index; i < index + h->capacity; i++) {
        uint64_t word = adit_ring_word(i, ADIT_RING_FREE, 0);
        memcpy((uint8_t *)(h + 1) + i % h->capacity * h->stride, &word, 8);
    }
}

/* An index has 34 bits in a slot, and hints may be any number of rounds late. */
static void mpmc_goes_on_where_indices_wrap_and_hints_are_late(void **state)
{
    static const uint64_t begins[] = {0, (1ull << 34) - 11, (1ull << 63) - 11, UINT64_MAX - 10};
    (void)state;
    for (uint32_t b = 0; b < 4; b++) {
        struct adit_ring *r = open_in(arena, "wrap", ADIT_RING_MPMC, 8, 8);
        struct adit_ring_head *h = head_of("wrap");
        set_index("wrap", begins[b]);
        for (uint64_t i = 0; i < 200; i++) {
            uint64_t in[3] = {3 * i, 3 * i + 1, 3 * i + 2}, out[3] = {0}, was[2] = {h->tail, h->head};
            assert_int_equal(adit_ring_push(r, in, 3), 3);
            if (i % 3 == 1)
                h->tail = was[0] - (i % 4 < i * 3 / 8 ? i % 4 * 8 : 0); /* as if a store had come late */
            assert_int_equal(adit_ring_pop(r, out, 3), 3);
            if (i % 5 == 1)
                h->head = was[1];
            assert_memory_equal(in, out, sizeof in);
            assert_int_equal(adit_ring_wait_item(r, 0), -ETIMEDOUT);
            assert_int_equal(adit_ring_wait_room(r, 0), 0);
        }
        adit_ring_close(&r);
        assert_int_equal(adit_ring_destroy(arena, "wrap"), 0);
    }
}

/* ---- between threads and processes */

struct traffic {
    struct adit_arena *arena; /* NULL: attach as a consumer */
    enum adit_ring_kind kind;
    uint32_t sender, senders;
    uint32_t *seen; /* shared: how often each element came out */
};

static void *send_all(void *user)
{
    const struct traffic *t = user;
    struct adit_arena *a = t->arena ? t->arena : shm_fixture_attach("rings", ADIT_CONSUMER);
    struct adit_ring *r = open_in(a, "traffic", t->kind, 24, 64);
    for (uint64_t i = 0; i < SENT;) {
        uint64_t v[3][3];
        for (uint64_t k = 0; k < 3; k++)
            v[k][0] = t->sender, v[k][1] = i + k, v[k][2] = ~(i + k);
        REQUIRE(!adit_ring_wait_room(r, WAIT_NS));
        i += adit_ring_push(r, v, SENT - i < 3 ? (uint32_t)(SENT - i) : 1 + (uint32_t)i % 3);
    }
    adit_ring_close(&r);
    if (!t->arena)
        adit_detach(&a);
    return NULL;
}

static void *receive_all(void *user)
{
    const struct traffic *t = user;
    struct adit_arena *a = t->arena ? t->arena : shm_fixture_attach("rings", ADIT_CONSUMER);
    struct adit_ring *r = open_in(a, "traffic", t->kind, 24, 64);
    uint64_t next[SENDERS] = {0};
    for (bool over = false; !over;) {
        uint64_t v[5][3];
        REQUIRE(!adit_ring_wait_item(r, WAIT_NS));
        uint32_t n = adit_ring_pop(r, v, t->kind == ADIT_RING_MPMC ? 1 : 5);
        for (uint32_t i = 0; i < n; i++) {
            if (v[i][0] == UINT64_MAX) {
                over = true;
                continue;
            }
            REQUIRE(v[i][0] < t->senders && v[i][1] < SENT && v[i][2] == ~v[i][1]); /* whole */
            REQUIRE(v[i][1] >= next[v[i][0]]);                                     /* in each sender's order */
            next[v[i][0]] = v[i][1] + 1;
            __atomic_fetch_add(&t->seen[v[i][0] * SENT + v[i][1]], 1, __ATOMIC_RELAXED);
        }
    }
    adit_ring_close(&r);
    if (!t->arena)
        adit_detach(&a);
    return NULL;
}

static void send_in_child(void *user) { (void)send_all(user); }
static void receive_in_child(void *user) { (void)receive_all(user); }

static void check_traffic(enum adit_ring_kind kind, bool as_threads)
{
    uint32_t sides = kind == ADIT_RING_MPMC ? SENDERS : 1;
    uint32_t *seen = shm_fixture_shared(SENDERS * SENT * sizeof *seen);
    struct adit_ring *r = open_in(arena, "traffic", kind, 24, 64);
    struct traffic t[2 * SENDERS];
    pthread_t threads[2 * SENDERS];
    pid_t children[2 * SENDERS];
    for (uint32_t i = 0; i < 2 * sides; i++) {
        t[i] = (struct traffic){as_threads ? arena : NULL, kind, i / 2, sides, seen};
        if (as_threads)
            REQUIRE(!pthread_create(&threads[i], NULL, i % 2 ? send_all : receive_all, &t[i]));
        else
            children[i] = shm_fixture_fork(i % 2 ? send_in_child : receive_in_child, &t[i]);
    }
    for (uint32_t i = 1; i < 2 * sides; i += 2)
        assert_int_equal(as_threads ? pthread_join(threads[i], NULL) : shm_fixture_wait(children[i]), 0);
    for (uint32_t i = 0; i < sides; i++) { /* all is sent: one end for each receiver */
        uint64_t end[3] = {UINT64_MAX};
        assert_int_equal(adit_ring_wait_room(r, WAIT_NS), 0);
        assert_int_equal(adit_ring_push(r, end, 1), 1);
    }
    for (uint32_t i = 0; i < 2 * sides; i += 2)
        assert_int_equal(as_threads ? pthread_join(threads[i], NULL) : shm_fixture_wait(children[i]), 0);
    for (uint32_t i = 0; i < sides * SENT; i++)
        assert_int_equal(seen[i], 1);
    adit_ring_close(&r);
    assert_int_equal(adit_ring_destroy(arena, "traffic"), 0);
}

static void spsc_keeps_order_and_loses_nothing_between_threads(void **state) { (void)state; check_traffic(ADIT_RING_SPSC, true); }
static void spsc_keeps_order_and_loses_nothing_between_processes(void **state) { (void)state; check_traffic(ADIT_RING_SPSC, false); }
static void mpmc_gives_each_element_once_between_threads(void **state) { (void)state; check_traffic(ADIT_RING_MPMC, true); }
static void mpmc_gives_each_element_once_between_processes(void **state) { (void)state; check_traffic(ADIT_RING_MPMC, false); }

/* ---- hostile heads */

/* Says the same in all 16 slots: an index near its turn or far from it, any phase, any owner. */
static void write_words(struct adit_ring_head *h, uint32_t stride, uint64_t index, uint32_t phase)
{
    uint64_t word = adit_ring_word(index, (enum adit_ring_phase)(phase % 4), phase % 5 ? 0 : arena->owner);
    for (uint64_t s = 0; s < 16 && h->kind == ADIT_RING_MPMC; s++)
        memcpy((uint8_t *)(h + 1) + s * stride, &word, 8);
}

static void hostile_indices_never_lead_outside(void **state)
{
    static const uint64_t odd[] = {0, 1, 15, 16, 17, 4096, UINT32_MAX, 1ull << 63, UINT64_MAX - 4095, UINT64_MAX - 15, UINT64_MAX};
    const uint32_t n_odd = sizeof odd / sizeof *odd;
    const size_t bytes = 4096 * 64;
    (void)state;
    for (uint32_t kind = ADIT_RING_SPSC; kind <= ADIT_RING_MPMC; kind++) {
        struct adit_ring *r = open_in(arena, "hostile", (enum adit_ring_kind)kind, 64, 16);
        struct adit_ring_head *h = head_of("hostile");
        uint64_t end = adit_block_bytes(arena, ADIT_REF(0, (uint8_t *)h - arena->segments[0].base));
        uint64_t guard_ref;
        uint32_t stride = h->stride;
        assert_int_equal(adit_block_alloc(arena, bytes, ADIT_BLOCK_HEAP, &guard_ref), 0); /* what lies behind the ring */
        uint8_t *guard = adit_arena_at(arena, guard_ref, bytes);
        assert_ptr_equal(guard, (uint8_t *)h + end);
        memset(guard, 0x5a, bytes);
        uint8_t *buffer = malloc(bytes); /* exactly: a sanitizer sees a byte more */
        memset(buffer, 0xc3, bytes);
        for (uint32_t i = 0; i < n_odd * n_odd * n_odd; i++) {
            h->tail = odd[i % n_odd];
            h->head = odd[i / n_odd % n_odd];
            h->head_seen = odd[i / n_odd / n_odd % n_odd];
            h->capacity = h->element_bytes = h->stride = UINT32_MAX; /* nobody looks there again */
            uint32_t wish = i % 3 == 0 ? 1 : i % 3 == 1 ? 16 : 4096;
            write_words(h, stride, h->tail - (i % 2 ? odd[i % 7] : 0), i % 3 ? 0 : i);
            assert_true(adit_ring_push(r, buffer, wish) <= wish);
            (void)adit_ring_wait_room(r, 0);
            write_words(h, stride, h->head - (i % 2 ? odd[i % 5] : 0), i % 3 ? ADIT_RING_FILLED : i);
            assert_true(adit_ring_pop(r, buffer, wish) <= wish);
            (void)adit_ring_wait_item(r, 0);
            if (i % 64 == 0)
                assert_int_equal(adit_ring_recover(arena, arena->owner), 0);
        }
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(guard[i], 0x5a);
        free(buffer);
        adit_block_free(arena, guard_ref);
        adit_ring_close(&r);
        assert_int_equal(adit_ring_destroy(arena, "hostile"), 0);
    }
}

static void damaged_shapes_are_refused(void **state)
{
    struct adit_ring *r = open_in(arena, "damaged", ADIT_RING_SPSC, 64, 16), *other;
    struct adit_ring_params p = {sizeof p, ADIT_RING_SPSC, 64, 16};
    struct adit_ring_head *h = head_of("damaged");
    uint32_t *words[] = {&h->kind, &h->element_bytes, &h->capacity};
    static const uint32_t odd[] = {0, 3, 4097, 1u << 20, 1u << 31, UINT32_MAX};
    (void)state;
    adit_ring_close(&r);
    for (uint32_t w = 0; w < 3; w++)
        for (uint32_t i = 0; i < 6; i++) {
            uint32_t was = *words[w];
            *words[w] = odd[i];
            int error = adit_ring_open(arena, "damaged", &p, &other);
            assert_true(error == -EPROTO || error == -EEXIST); /* -EEXIST: another shape that fits the block */
            assert_null(other);
            *words[w] = was;
        }
    struct adit_ring_slot *slot = NULL;
    for (uint32_t i = 0; i < arena->rings_max; i++)
        if (!strcmp(arena->rings[i].name, "damaged"))
            slot = &arena->rings[i];
    assert_non_null(slot);
    uint64_t ref = slot->ref;
    static const uint64_t refs[] = {0, 512, UINT64_MAX, ADIT_REF(1, 0), ADIT_REF(0, 4096), ADIT_REF(0, 1ull << 39), ADIT_REF(200, 0)};
    for (uint32_t i = 0; i < 7; i++) {
        slot->ref = refs[i];
        assert_int_equal(adit_ring_open(arena, "damaged", &p, &other), -EPROTO);
    }
    slot->ref = ref;
    r = open_in(arena, "damaged", ADIT_RING_SPSC, 64, 16);
    adit_ring_close(&r);
    assert_int_equal(adit_ring_destroy(arena, "damaged"), 0);
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    arena = shm_fixture_create("rings", NULL, 2u << 20);
    return 0;
}

static int tear_down(void **state)
{
    adit_detach(&arena);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_element_size_wraps_whole),
        cmocka_unit_test(full_and_empty_are_told_and_do_not_block),
        cmocka_unit_test(shapes_must_agree_and_names_be_names),
        cmocka_unit_test(rings_and_their_memory_come_back),
        cmocka_unit_test(mpmc_goes_on_where_indices_wrap_and_hints_are_late),
        cmocka_unit_test(spsc_keeps_order_and_loses_nothing_between_threads),
        cmocka_unit_test(spsc_keeps_order_and_loses_nothing_between_processes),
        cmocka_unit_test(mpmc_gives_each_element_once_between_threads),
        cmocka_unit_test(mpmc_gives_each_element_once_between_processes),
        cmocka_unit_test(hostile_indices_never_lead_outside),
        cmocka_unit_test(damaged_shapes_are_refused),
    };
    return cmocka_run_group_tests_name("rings", tests, set_up, tear_down);
}
