/* The shared bit set (shm/bitset.h): what is in it is found, what is added is never lost, and "empty" is never said of a set
 * that an add has returned for. What racing threads do to each other is done at every instruction, too (stepped.h). */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/shm_fixture.h"
#include "tests/stepped.h"

#define N 9000u
#define ADDERS 3u

static struct adit_bitset new_set(uint32_t n)
{
    struct adit_bitset set = {calloc(adit_bitset_words(n), 8), n}; /* just as large, for AddressSanitizer */
    assert_non_null(set.words);
    return set;
}

/* The first member at or after cursor, once around; n: none. */
static uint32_t expected(const bool *in, uint32_t n, uint32_t cursor)
{
    for (uint32_t i = 0; i < n; i++)
        if (in[(cursor + i) % n])
            return (cursor + i) % n;
    return n;
}

static void a_set_of_any_size_agrees_with_a_model(void **state)
{
    static const uint32_t sizes[] = {1, 2, 63, 64, 65, 128, 4095, 4096, 4097, N};
    uint64_t seed = 5;
    (void)state;
    for (uint32_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint32_t n = sizes[s], count = 0, i = 0;
        struct adit_bitset set = new_set(n);
        bool *in = calloc(n, sizeof *in);
        for (uint32_t round = 0; round < 6000; round++) {
            uint32_t at = (uint32_t)(shm_fixture_random(&seed) % n), dense = round / 2000; /* first few, last many */
            bool adds = shm_fixture_random(&seed) % 5 <= dense + 1;
            assert_int_equal(adds ? adit_bitset_add(&set, at) : adit_bitset_remove(&set, at), in[at] != adds);
            count += adds - (uint32_t)in[at];
            in[at] = adds;
            assert_int_equal(adit_bitset_has(&set, at), adds);
            if (round % 16)
                continue;
            uint32_t cursor = (uint32_t)(shm_fixture_random(&seed) % n), wanted = expected(in, n, cursor);
            assert_int_equal(adit_bitset_find(&set, &cursor, &i), wanted < n);
            if (wanted < n) {
                assert_int_equal(i, wanted);
                assert_int_equal(cursor, wanted + 1);
            }
            assert_int_equal(adit_bitset_count(&set), count);
        }
        free(in);
        free(set.words);
    }
}

static void a_cursor_past_the_end_begins_anew(void **state)
{
    struct adit_bitset set = new_set(N);
    uint32_t cursor = N, i;
    (void)state;
    adit_bitset_add(&set, 3);
    assert_true(adit_bitset_find(&set, &cursor, &i));
    assert_int_equal(i, 3);
    cursor = UINT32_MAX;
    assert_true(adit_bitset_find(&set, &cursor, &i));
    assert_int_equal(i, 3);
    free(set.words);
}

/* What a hostile peer wrote past the end is no member. */
static void bits_past_the_end_are_never_found(void **state)
{
    static const uint32_t sizes[] = {1, 70, 4096, 4100};
    (void)state;
    for (uint32_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct adit_bitset set = new_set(sizes[s]);
        memset(set.words, 0xff, adit_bitset_words(sizes[s]) * 8);
        for (uint32_t k = 0, cursor = 0, i; k < 3 * sizes[s]; k++) {
            assert_true(adit_bitset_find(&set, &cursor, &i));
            assert_true(i < sizes[s]);
        }
        for (uint32_t i = 0; i < sizes[s]; i++)
            assert_true(adit_bitset_remove(&set, i));
        uint32_t cursor = 0, i;
        assert_false(adit_bitset_find(&set, &cursor, &i));
        free(set.words);
    }
}

/* Of a tidier that was stopped, or died, right after it took the summary bit away. */
static void a_stopped_tidier_hides_nothing(void **state)
{
    struct adit_bitset set = new_set(N);
    uint64_t *summary = set.words + (N + 63) / 64, *tidying = set.words + adit_bitset_words(N) - 1;
    (void)state;
    for (uint32_t k = 0; k < N; k += 61) {
        uint32_t cursor = 0, i = N;
        adit_bitset_add(&set, k);
        *tidying += (1ull << 48) + 1;
        summary[k / 4096] = 0;
        assert_true(adit_bitset_find(&set, &cursor, &i));
        assert_int_equal(i, k);
        assert_true(adit_bitset_remove(&set, k));
        assert_false(adit_bitset_find(&set, &cursor, &i));
        *tidying &= (1ull << 48) - 1; /* its work is undone by recovery */
    }
    free(set.words);
}

/* ---- every instruction */

#define LOOKS 60u

struct race {
    struct adit_bitset set;
    uint32_t number, acts_at; /* step */
    bool added, has_missed;
};

static bool is_found(const struct race *r)
{
    uint32_t cursor = 0, i = N;
    return adit_bitset_find(&r->set, &cursor, &i) && i == r->number;
}

static void find_once(void *user)
{
    (void)is_found(user);
}

/* Another thread adds at one step; from then on a third looks. */
static bool add_then_look(uint32_t n, void *user)
{
    struct race *r = user;
    if (n == r->acts_at) {
        adit_bitset_add(&r->set, r->number);
        r->added = true;
    }
    r->has_missed |= r->added && !is_found(r);
    return n < r->acts_at + LOOKS * STEPPED_STRIDE;
}

/* A set in which a number was taken: the word is empty, its summary still says something. */
static void leave_a_trace(struct race *r)
{
    memset(r->set.words, 0, adit_bitset_words(r->set.n) * 8);
    adit_bitset_add(&r->set, r->number ^ 1);
    adit_bitset_remove(&r->set, r->number ^ 1);
    r->added = r->has_missed = false;
}

static void an_add_at_any_instruction_of_a_look_is_seen_and_stays(void **state)
{
    struct race r = {.set = new_set(200), .number = 70};
    (void)state;
    for (r.acts_at = 1, r.added = true; r.added; r.acts_at += STEPPED_STRIDE) { /* until the look is over before */
        leave_a_trace(&r);
        (void)stepped_run(find_once, add_then_look, &r);
        assert_false(r.has_missed);
        assert_true(!r.added || is_found(&r));
    }
    free(r.set.words);
}

/* Another thread adds the same number; it has returned, so it must be found, whatever became of the first adder. */
static bool add_the_same(uint32_t n, void *user)
{
    struct race *r = user;
    if (n == r->acts_at) {
        adit_bitset_add(&r->set, r->number);
        r->has_missed |= !is_found(r);
        r->added = true;
    }
    return n < r->acts_at;
}

static void add_once(void *user)
{
    struct race *r = user;
    adit_bitset_add(&r->set, r->number);
}

static void a_second_add_at_any_instruction_of_the_first_is_seen(void **state)
{
    struct race r = {.set = new_set(200), .number = 70};
    (void)state;
    for (r.acts_at = 1, r.added = true; r.added; r.acts_at++) {
        memset(r.set.words, 0, adit_bitset_words(200) * 8);
        r.added = false;
        (void)stepped_run(add_once, add_the_same, &r);
        assert_false(r.has_missed);
        assert_true(is_found(&r));
    }
    free(r.set.words);
}

/* A whole tidying of another thread, begun at one step and ended a few later; the bit was there all the time. */
static bool tidy_in_two_steps(uint32_t n, void *user)
{
    struct race *r = user;
    uint64_t *summary = r->set.words + (r->set.n + 63) / 64, *tidying = r->set.words + adit_bitset_words(r->set.n) - 1;
    if (n == r->acts_at) {
        *tidying += (1ull << 48) + 1;
        *summary = 0;
    }
    if (n == r->acts_at + 5 * STEPPED_STRIDE) {
        *summary = 1ull << r->number / 64;
        *tidying -= 1ull << 48;
        r->added = true; /* here: it came to its end */
    }
    return !r->added;
}

static void look_for_it(void *user)
{
    struct race *r = user;
    r->has_missed = !is_found(r);
}

static void a_tidying_that_comes_and_goes_within_a_look_hides_nothing(void **state)
{
    struct race r = {.set = new_set(200), .number = 70};
    (void)state;
    for (r.acts_at = 1, r.added = true; r.added; r.acts_at += STEPPED_STRIDE) {
        leave_a_trace(&r);
        adit_bitset_add(&r.set, r.number);
        (void)stepped_run(look_for_it, tidy_in_two_steps, &r);
        assert_false(r.has_missed);
    }
    free(r.set.words);
}

/* Another thread looks, and so tidies. */
static bool look_once(uint32_t n, void *user)
{
    struct race *r = user;
    if (n == r->acts_at)
        (void)is_found(r);
    return n < r->acts_at;
}

static void a_look_at_any_instruction_of_an_add_loses_nothing(void **state)
{
    struct race r = {.set = new_set(200), .number = 70};
    uint32_t steps;
    (void)state;
    r.acts_at = 0;
    do {
        r.acts_at++;
        leave_a_trace(&r);
        steps = stepped_run(add_once, look_once, &r);
        assert_true(is_found(&r));
    } while (steps == r.acts_at);
    free(r.set.words);
}

/* ---- threads */

struct traffic {
    struct adit_bitset set;
    uint64_t wanted[N], seen[N]; /* how often a number was added; what the taker knew of it last */
    uint32_t adders, stop, missed;
    uint64_t seed;
};

static void *add_many(void *user)
{
    struct traffic *t = user;
    uint64_t seed = __atomic_add_fetch(&t->seed, 1, __ATOMIC_RELAXED);
    for (uint32_t k = 0; k < 60000; k++) {
        uint32_t i = (uint32_t)(shm_fixture_random(&seed) % (k % 3 ? 200 : N)); /* many meet at some words */
        __atomic_fetch_add(&t->wanted[i], 1, __ATOMIC_RELAXED);
        adit_bitset_add(&t->set, i);
    }
    __atomic_sub_fetch(&t->adders, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* Takes until the adders have ended and nothing is left. */
static void *take_all(void *user)
{
    struct traffic *t = user;
    uint32_t cursor = 0, i;
    for (;;) {
        bool last = !__atomic_load_n(&t->adders, __ATOMIC_ACQUIRE);
        if (!adit_bitset_find(&t->set, &cursor, &i)) {
            if (last)
                return NULL;
            sched_yield();
        } else if (adit_bitset_remove(&t->set, i)) {
            uint64_t wanted = __atomic_load_n(&t->wanted[i], __ATOMIC_RELAXED), seen = __atomic_load_n(&t->seen[i], __ATOMIC_RELAXED);
            while (seen < wanted && !__atomic_compare_exchange_n(&t->seen[i], &seen, wanted, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            }
        }
    }
}

static void nothing_added_is_lost_beside_takers(void **state)
{
    struct traffic *t = calloc(1, sizeof *t);
    pthread_t threads[ADDERS + 2];
    (void)state;
    t->set = new_set(N);
    t->adders = ADDERS;
    for (uint32_t i = 0; i < ADDERS + 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i < ADDERS ? add_many : take_all, t), 0);
    for (uint32_t i = 0; i < ADDERS + 2; i++)
        pthread_join(threads[i], NULL);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(t->seen[i], t->wanted[i]);
    assert_int_equal(adit_bitset_count(&t->set), 0);
    free(t->set.words);
    free(t);
}

static void *find_and_find(void *user)
{
    struct traffic *t = user;
    while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
        uint32_t cursor = 0, i;
        adit_bitset_find(&t->set, &cursor, &i); /* and so tidies what the adder has just left */
    }
    return NULL;
}

static void what_was_added_is_found_beside_others_that_look(void **state)
{
    struct traffic *t = calloc(1, sizeof *t);
    pthread_t looker;
    (void)state;
    t->set = new_set(N);
    assert_int_equal(pthread_create(&looker, NULL, find_and_find, t), 0);
    for (uint32_t k = 0; k < 300000; k++) {
        uint32_t cursor = 0, i = N, number = k % 3 * 70;
        adit_bitset_add(&t->set, number);
        t->missed += !adit_bitset_find(&t->set, &cursor, &i) || i != number;
        adit_bitset_remove(&t->set, number);
    }
    __atomic_store_n(&t->stop, 1, __ATOMIC_RELAXED);
    pthread_join(looker, NULL);
    assert_int_equal(t->missed, 0);
    free(t->set.words);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_of_any_size_agrees_with_a_model),
        cmocka_unit_test(a_cursor_past_the_end_begins_anew),
        cmocka_unit_test(bits_past_the_end_are_never_found),
        cmocka_unit_test(a_stopped_tidier_hides_nothing),
        cmocka_unit_test(an_add_at_any_instruction_of_a_look_is_seen_and_stays),
        cmocka_unit_test(a_tidying_that_comes_and_goes_within_a_look_hides_nothing),
        cmocka_unit_test(a_second_add_at_any_instruction_of_the_first_is_seen),
        cmocka_unit_test(a_look_at_any_instruction_of_an_add_loses_nothing),
        cmocka_unit_test(nothing_added_is_lost_beside_takers),
        cmocka_unit_test(what_was_added_is_found_beside_others_that_look),
    };
    return cmocka_run_group_tests_name("bitset", tests, NULL, NULL);
}
