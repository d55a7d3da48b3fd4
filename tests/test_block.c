/* The block allocator (shm/block.h): sizes, accounting, exhaustion, merging, threads and processes.
 *
 * The invariants A1 and A2 of shm/block.c are checked at rest after every test: words tile each extent without a gap, and
 * inside a block every word is 0. Blocks on loan carry a pattern of their holder in every granule: two that overlapped
 * would destroy each other's. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/recover.h"
#include "tests/shm_fixture.h"

#define DATA_BYTES (40u << 20) /* an extent of 32 MiB and one of 8 */
#define LIVE_MAX 48u

struct census {
    uint64_t free_bytes, used_bytes, next_ref;
    uint32_t blocks, runs;
};

struct live {
    uint64_t ref, bytes, stamp;
};

struct hammer {
    struct adit_arena *arena;
    uint64_t seed;
    uint32_t rounds;
};

static struct adit_arena *arena;

static void count_one(uint64_t ref, uint64_t word, void *user)
{
    struct census *c = user;
    uint64_t bytes = (uint64_t)adit_word_granules(word) << ADIT_GRANULE_SHIFT;
    REQUIRE(!c->next_ref || ref == c->next_ref); /* no gap, no overlap */
    c->next_ref = ref + bytes;
    if (adit_word_state(word) == ADIT_BLOCK_FREE) {
        c->free_bytes += bytes;
        c->runs++;
    } else {
        c->used_bytes += bytes;
        c->blocks++;
    }
}

static struct census take_census(const struct adit_arena *a, uint32_t segment)
{
    struct census c = {0};
    adit_block_each(a, segment, count_one, &c);
    return c;
}

/* A1, A2 and the accounting of a segment while nobody changes it. */
static void check_words(const struct adit_arena *a, uint32_t segment)
{
    const struct adit_base *g = &a->segments[segment];
    for (uint32_t i = 0; i < g->granules;) {
        uint64_t word = g->words[i];
        uint32_t n = adit_word_granules(word), extent = i >> ADIT_EXTENT_SHIFT;
        REQUIRE(word && n && (uint64_t)i + n <= g->granules && (i + n - 1) >> ADIT_EXTENT_SHIFT == extent);
        for (uint32_t k = 1; k < n; k++)
            REQUIRE(!g->words[i + k]);
        i += n;
    }
    struct census c = take_census(a, segment);
    REQUIRE(c.free_bytes + c.used_bytes == (uint64_t)g->granules << ADIT_GRANULE_SHIFT);
}

static void fill(const struct adit_arena *a, const struct live *l)
{
    uint8_t *p = adit_arena_at(a, l->ref, l->bytes);
    REQUIRE(p);
    for (uint64_t at = 0; at + 8 <= l->bytes; at += ADIT_GRANULE_BYTES)
        memcpy(p + at, &l->stamp, 8);
    p[l->bytes - 1] = (uint8_t)(l->stamp & 0xff);
}

static void check_fill(const struct adit_arena *a, const struct live *l)
{
    const uint8_t *p = adit_arena_at(a, l->ref, l->bytes);
    REQUIRE(p && p[l->bytes - 1] == (uint8_t)(l->stamp & 0xff));
    for (uint64_t at = 0; at + 16 <= l->bytes; at += ADIT_GRANULE_BYTES)
        REQUIRE(!memcmp(p + at, &l->stamp, 8));
}

static uint64_t random_size(uint64_t *seed)
{
    uint64_t h = shm_fixture_random(seed);
    uint32_t bits = (uint32_t)(h % 64 ? h % 21 : 24); /* mostly 1 B to 2 MiB, seldom up to 16 MiB */
    uint64_t bytes = 1 + (h >> 16) % (1ull << bits);
    return bytes;
}

static void give_back(struct adit_arena *a, struct live *l)
{
    check_fill(a, l);
    adit_block_free(a, l->ref);
    l->ref = 0;
}

/* Takes and gives back at random, never leaves anything. */
static void *hammer_main(void *user)
{
    const struct hammer *h = user;
    uint64_t seed = h->seed;
    struct live live[LIVE_MAX] = {0};
    for (uint32_t i = 0; i < h->rounds; i++) {
        struct live *l = &live[shm_fixture_random(&seed) % LIVE_MAX];
        if (l->ref) {
            give_back(h->arena, l);
            continue;
        }
        l->bytes = random_size(&seed);
        l->stamp = shm_fixture_random(&seed);
        uint32_t place = l->bytes < 4096 && l->stamp & 1 ? ADIT_BLOCK_HEAP : ADIT_BLOCK_HERE;
        int error = adit_block_alloc(h->arena, l->bytes, place, &l->ref);
        REQUIRE(!error || error == -ENOMEM);
        if (error)
            l->ref = 0;
        else
            fill(h->arena, l);
    }
    for (uint32_t i = 0; i < LIVE_MAX; i++)
        if (live[i].ref)
            give_back(h->arena, &live[i]);
    return NULL;
}

static void check_all_free(void)
{
    for (uint32_t s = 0; s < 2; s++) {
        check_words(arena, s);
        struct census c = take_census(arena, s);
        assert_int_equal(c.blocks, 0);
        assert_int_equal(c.used_bytes, 0);
    }
}

static void shuffle(struct live *live, uint32_t n, uint64_t seed)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t k = (uint32_t)(shm_fixture_random(&seed) % i);
        struct live t = live[i - 1];
        live[i - 1] = live[k];
        live[k] = t;
    }
}

static void a_block_of_any_size_is_aligned_large_enough_and_inside(void **state)
{
    static const uint64_t sizes[] = {1, 8, 511, 512, 513, 1024, 4095, 30000, 1u << 20, (1u << 24) - 1, 1u << 24};
    (void)state;
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct live l = {.bytes = sizes[i], .stamp = 0x1122334455667788ull + i};
        assert_int_equal(adit_block_alloc(arena, l.bytes, ADIT_BLOCK_HERE, &l.ref), 0);
        assert_int_equal(adit_ref_segment(l.ref), 1);
        assert_int_equal(l.ref % ADIT_GRANULE_BYTES, 0);
        assert_int_equal(adit_block_bytes(arena, l.ref), (sizes[i] + 511) / 512 * 512);
        fill(arena, &l);
        check_words(arena, 1);
        give_back(arena, &l);
        check_all_free();
    }
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    static const uint64_t sizes[] = {0, ADIT_BLOCK_BYTES_MAX + 1ull, 1ull << 40, UINT64_MAX};
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        uint64_t ref = 7;
        assert_int_equal(adit_block_alloc(arena, sizes[i], ADIT_BLOCK_HERE, &ref), -EINVAL);
        assert_non_null(strstr(adit_detail(), "block of"));
    }
    check_all_free();
}

static void free_and_used_bytes_are_the_whole_after_every_step(void **state)
{
    uint64_t seed = 11;
    struct live live[LIVE_MAX] = {0};
    uint64_t used = 0;
    (void)state;
    for (uint32_t i = 0; i < 400; i++) {
        struct live *l = &live[shm_fixture_random(&seed) % LIVE_MAX];
        if (l->ref) {
            used -= adit_block_bytes(arena, l->ref);
            give_back(arena, l);
        } else {
            l->bytes = random_size(&seed);
            l->stamp = i;
            int error = adit_block_alloc(arena, l->bytes, ADIT_BLOCK_HERE, &l->ref);
            assert_true(!error || error == -ENOMEM);
            if (error) {
                l->ref = 0;
                continue;
            }
            used += adit_block_bytes(arena, l->ref);
            fill(arena, l);
        }
        struct census c = take_census(arena, 1);
        assert_int_equal(c.used_bytes, used);
        assert_int_equal(c.free_bytes + c.used_bytes, DATA_BYTES);
    }
    check_words(arena, 1);
    for (uint32_t i = 0; i < LIVE_MAX; i++)
        if (live[i].ref)
            give_back(arena, &live[i]);
    check_all_free();
}

/* Fills the data segment with blocks of bytes, the last must fail; frees them in random order. */
static void exhaust(uint64_t bytes, uint64_t seed)
{
    uint32_t wanted = (uint32_t)(DATA_BYTES / bytes), n = 0;
    struct live *live = calloc(wanted + 1, sizeof *live);
    for (; n <= wanted; n++) {
        live[n] = (struct live){.bytes = bytes, .stamp = n};
        int error = adit_block_alloc(arena, bytes, ADIT_BLOCK_HERE, &live[n].ref);
        if (error) {
            assert_int_equal(error, -ENOMEM);
            assert_non_null(strstr(adit_detail(), "--size"));
            break;
        }
        fill(arena, &live[n]);
    }
    assert_in_range(n, bytes == 512 ? wanted : wanted - 2, wanted); /* next-fit may begin an extent at an odd place */
    shuffle(live, n, seed);
    for (uint32_t i = 0; i < n; i++)
        give_back(arena, &live[i]);
    free(live);
    check_all_free();
}

static void an_exhausted_arena_says_so_and_everything_comes_back(void **state)
{
    (void)state;
    exhaust(64u << 10, 3);
    exhaust(4u << 10, 4);
    exhaust(8u << 20, 5);
    exhaust(512, 6);
}

static uint64_t free_bytes(uint64_t least_bytes)
{
    uint64_t free = 0;
    for (uint32_t e = 0; e < arena->segments[1].extents; e++)
        free += adit_block_free_bytes(arena, 1, e, least_bytes);
    return free;
}

/* (tried: runs beside each other taken one by one; of a run that becomes long enough only what made it so) */
static void free_bytes_are_told_of_runs_that_are_long_enough(void **state)
{
    uint64_t ref[8], all = free_bytes(0);
    (void)state;
    assert_int_equal(all, (uint64_t)arena->segments[1].granules << ADIT_GRANULE_SHIFT);
    assert_int_equal(free_bytes(64u << 20), 0); /* no run is as long */
    for (uint32_t i = 0; i < 8; i++) /* all beside each other: nothing else is there */
        assert_int_equal(adit_block_alloc(arena, 4096, 1, &ref[i]), 0);
    assert_int_equal(free_bytes(0), all - 8 * 4096);
    uint64_t others = free_bytes(65536);
    const uint32_t order[] = {2, 1, 4, 5}; /* each freed before the one in front of it, so that words stay apart, or not: 1 and 2, 4 and 5 are a run each */
    for (uint32_t i = 0; i < 4; i++)
        adit_block_free(arena, ref[order[i]]);
    assert_int_equal(free_bytes(0), all - 4 * 4096);
    assert_int_equal(free_bytes(8192), others + 4 * 4096);
    assert_int_equal(free_bytes(8193), others);
    for (uint32_t i = 0; i < 8; i++)
        if (i == 0 || i == 3 || i > 5)
            adit_block_free(arena, ref[i]);
    check_all_free();
}

static void merging_makes_the_largest_run_whole_again(void **state)
{
    uint64_t a, b, c, more;
    (void)state;
    for (uint64_t seed = 1; seed < 4; seed++) {
        exhaust(512u << (3 * seed - 3), seed); /* many runs, none merged with the one before it */
        assert_int_equal(adit_block_alloc(arena, 16u << 20, ADIT_BLOCK_HERE, &a), 0);
        adit_block_free(arena, a);
        for (uint32_t e = 0; e < 2; e++) /* cursors are advice; from the beginning everything must fit */
            __atomic_store_n(&arena->segments[1].hints[e].cursor, 0, __ATOMIC_RELAXED);
        assert_int_equal(adit_block_alloc(arena, 16u << 20, ADIT_BLOCK_HERE, &a), 0);
        assert_int_equal(adit_block_alloc(arena, 16u << 20, ADIT_BLOCK_HERE, &b), 0);
        assert_int_equal(adit_block_alloc(arena, 8u << 20, ADIT_BLOCK_HERE, &c), 0);
        assert_int_equal(adit_block_alloc(arena, 1, ADIT_BLOCK_HERE, &more), -ENOMEM);
        adit_block_free(arena, a > b ? a : b);
        adit_block_free(arena, a > b ? b : a);
        adit_block_free(arena, c);
        assert_int_equal(take_census(arena, 1).runs, 2); /* one an extent */
        check_all_free();
    }
}

static void only_the_owner_frees_and_only_by_the_head(void **state)
{
    uint64_t ref;
    struct adit_arena *other = shm_fixture_attach("blocks", ADIT_PRODUCER);
    (void)state;
    assert_int_equal(adit_block_alloc(arena, 5000, ADIT_BLOCK_HERE, &ref), 0);
    adit_block_free(other, ref);                       /* another's */
    adit_block_free(arena, ref + ADIT_GRANULE_BYTES);  /* inside */
    adit_block_free(arena, ref + 1);                   /* not aligned */
    adit_block_free(arena, ADIT_REF(9, 0));            /* no such segment */
    adit_block_free(arena, ADIT_REF(1, DATA_BYTES));   /* past the end */
    adit_block_free(arena, UINT64_MAX);
    assert_int_equal(adit_block_bytes(arena, ref), 5120);
    assert_int_equal(adit_block_bytes(arena, ref + ADIT_GRANULE_BYTES), 0);
    assert_int_equal(adit_block_bytes(arena, UINT64_MAX), 0);
    adit_block_publish(other, ref); /* not its own: nothing */
    adit_block_publish(arena, ref);
    adit_block_free(arena, ref); /* published: not without a grace period */
    assert_int_equal(adit_block_bytes(arena, ref), 5120);
    assert_int_equal(take_census(arena, 1).used_bytes, 5120);
    assert_true(adit_block_retire(other, ref)); /* anybody may unlink it, once */
    assert_false(adit_block_retire(arena, ref));
    adit_block_free(arena, ref);
    assert_int_equal(take_census(arena, 1).used_bytes, 5120);
    assert_false(adit_block_hand_over(arena, ref, arena->owner, 0));
    assert_true(adit_block_hand_over(arena, ref, other->owner, arena->owner));
    adit_block_free(arena, ref);
    adit_block_free(arena, ref); /* twice: nothing */
    check_all_free();
    adit_detach(&other);
}

static void threads_never_share_a_granule(void **state)
{
    pthread_t threads[4];
    struct hammer hammers[4];
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        hammers[i] = (struct hammer){arena, 1000 + i, 1500};
        assert_int_equal(pthread_create(&threads[i], NULL, hammer_main, &hammers[i]), 0);
    }
    for (uint32_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    check_all_free();
}

static void hammer_attached(void *user)
{
    struct hammer h = {shm_fixture_attach("blocks", ADIT_PRODUCER), *(uint64_t *)user, 1500};
    hammer_main(&h);
    adit_detach(&h.arena);
}

static void take_and_give_back(void *user)
{
    struct adit_arena *a = shm_fixture_attach("room", ADIT_PRODUCER);
    (void)user;
    for (uint32_t i = 0; i < 100000; i++) {
        uint64_t ref;
        REQUIRE(!adit_block_alloc(a, 550000, ADIT_BLOCK_HERE, &ref));
        adit_block_free(a, ref);
    }
    adit_detach(&a);
}

/* One run of 30 MiB, which each of six processes holds for a moment while it cuts its piece off: the others wait for it instead of
 * calling the arena full (tried: without that 2 % of the calls fail). */
static void an_arena_with_room_is_never_full(void **state)
{
    struct adit_arena *room = shm_fixture_create("room", NULL, 30u << 20);
    pid_t children[6];
    (void)state;
    for (uint32_t i = 0; i < 6; i++)
        children[i] = shm_fixture_fork(take_and_give_back, NULL);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(shm_fixture_wait(children[i]), 0);
    adit_detach(&room);
}

static void processes_never_share_a_granule(void **state)
{
    uint64_t seeds[2] = {77, 78};
    (void)state;
    pid_t a = shm_fixture_fork(hammer_attached, &seeds[0]), b = shm_fixture_fork(hammer_attached, &seeds[1]);
    assert_int_equal(shm_fixture_wait(a), 0);
    assert_int_equal(shm_fixture_wait(b), 0);
    check_all_free();
}

/* ---- a full arena: whose memory is waited for */

#define FULL_BYTES (8u << 20)
#define DEAD_SLOT 60u

struct mourner {
    struct adit_arena *arena;
    uint32_t is_up;
};

/* What another participant has done that is dead by now: it has all on loan. No keeper is there to recover it. */
static void leave_all_on_loan(struct adit_arena *full)
{
    struct adit_arena mortal = *full;
    uint64_t ref;
    mortal.owner = adit_owner_make(DEAD_SLOT, 1);
    REQUIRE(!adit_block_alloc(&mortal, FULL_BYTES, ADIT_BLOCK_HERE, &ref));
    __atomic_store_n(&full->participants[DEAD_SLOT].word, adit_part_make(ADIT_PART_DEAD, ADIT_ROLE_PRODUCER, 1, 0, 0), __ATOMIC_RELEASE);
}

static void *recover_later(void *user)
{
    struct mourner *m = user;
    __atomic_store_n(&m->is_up, 1, __ATOMIC_RELEASE);
    shm_fixture_nap(40);
    REQUIRE(!adit_recover_participant(m->arena, DEAD_SLOT));
    return NULL;
}

/* Its loan comes back without anyone's decision, so nobody is told meanwhile that the arena is full. */
static void a_loan_of_the_dead_is_waited_for(void **state)
{
    struct mourner m = {shm_fixture_create("dead", NULL, FULL_BYTES), 0};
    pthread_t thread;
    uint64_t ref;
    (void)state;
    adit_keeper_close(m.arena);
    leave_all_on_loan(m.arena);
    assert_int_equal(pthread_create(&thread, NULL, recover_later, &m), 0);
    shm_fixture_until(&m.is_up, 1);
    int error = adit_block_alloc(m.arena, 1000, ADIT_BLOCK_HERE, &ref);
    pthread_join(thread, NULL);
    assert_int_equal(error, 0);
    adit_block_free(m.arena, ref);
    shm_fixture_verify_quiet(m.arena);
    adit_detach(&m.arena);
}

static uint64_t time_of_refusal(struct adit_arena *full)
{
    uint64_t ref, begin = adit_clock_ns();
    assert_int_equal(adit_block_alloc(full, 1000, ADIT_BLOCK_HERE, &ref), -ENOMEM);
    return adit_clock_ns() - begin;
}

/* A loan of the living is not waited for, one that nobody recovers not for ever. */
static void other_loans_are_not(void **state)
{
    struct adit_arena *full = shm_fixture_create("loans", NULL, FULL_BYTES);
    uint64_t ref, least = UINT64_MAX;
    (void)state;
    adit_keeper_close(full);
    assert_int_equal(adit_block_alloc(full, FULL_BYTES, ADIT_BLOCK_HERE, &ref), 0);
    for (uint32_t i = 0; i < 10; i++) {
        uint64_t ns = time_of_refusal(full);
        least = ns < least ? ns : least;
    }
    assert_true(least < 50000000u); /* what this takes is some 16 walks; a wait is one of 200 ms */
    adit_block_free(full, ref);
    leave_all_on_loan(full);
    assert_true(time_of_refusal(full) > 100000000u);
    assert_int_equal(adit_recover_participant(full, DEAD_SLOT), 0);
    shm_fixture_verify_quiet(full);
    adit_detach(&full);
}

static void take_all(void *user)
{
    struct mourner *m = user;
    struct adit_arena *a = shm_fixture_attach("killed", ADIT_PRODUCER);
    uint64_t ref;
    REQUIRE(!adit_block_alloc(a, FULL_BYTES, ADIT_BLOCK_HERE, &ref));
    __atomic_store_n(&m->is_up, 1, __ATOMIC_RELEASE);
    for (;;)
        shm_fixture_nap(1000);
}

/* The same with processes, and the keeper's own recovery. */
static void what_the_killed_had_is_there_for_the_next(void **state)
{
    struct mourner *m = shm_fixture_shared(sizeof *m);
    uint64_t ref;
    (void)state;
    m->arena = shm_fixture_create("killed", NULL, FULL_BYTES);
    for (uint32_t round = 0; round < 50; round++) {
        m->is_up = 0;
        pid_t child = shm_fixture_fork(take_all, m);
        shm_fixture_until(&m->is_up, 1);
        kill(child, SIGKILL);
        assert_int_equal(shm_fixture_wait(child), -SIGKILL);
        assert_int_equal(adit_block_alloc(m->arena, 1000, ADIT_BLOCK_HERE, &ref), 0);
        adit_block_free(m->arena, ref);
    }
    adit_detach(&m->arena);
}

static int set_up(void **state)
{
    struct adit_create_params p = {.size = sizeof p, .heap_bytes = 1u << 20};
    if (shm_fixture_set_up(state))
        return -1;
    arena = shm_fixture_create("blocks", &p, DATA_BYTES);
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
        cmocka_unit_test(a_block_of_any_size_is_aligned_large_enough_and_inside),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(free_and_used_bytes_are_the_whole_after_every_step),
        cmocka_unit_test(an_exhausted_arena_says_so_and_everything_comes_back),
        cmocka_unit_test(free_bytes_are_told_of_runs_that_are_long_enough),
        cmocka_unit_test(merging_makes_the_largest_run_whole_again),
        cmocka_unit_test(only_the_owner_frees_and_only_by_the_head),
        cmocka_unit_test(threads_never_share_a_granule),
        cmocka_unit_test(processes_never_share_a_granule),
        cmocka_unit_test(an_arena_with_room_is_never_full),
        cmocka_unit_test(a_loan_of_the_dead_is_waited_for),
        cmocka_unit_test(other_loans_are_not),
        cmocka_unit_test(what_the_killed_had_is_there_for_the_next),
    };
    return cmocka_run_group_tests_name("blocks", tests, set_up, tear_down);
}
