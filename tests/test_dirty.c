/* The set of dirty chunks (runtime/dirty.h): each is in one pair of hands, none is forgotten, and settled means settled. */
#include "tests/chunk_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "runtime/dirty.h"

#define FOREIGN 0x00630001u /* an owner that nobody here is */
#define LONG_NS 20000000000u

static struct adit_arena *arena;

static uint32_t dirty_count(void)
{
    struct adit_bitset set = adit_dirty_set(arena);
    return adit_bitset_count(&set);
}

static uint32_t working_count(void)
{
    struct adit_bitset set = adit_working_set(arena);
    return adit_bitset_count(&set);
}

static void a_chunk_is_dirty_once_however_often_it_is_marked(void **state)
{
    uint32_t cursor = 0, i = 0;
    (void)state;
    for (uint32_t k = 0; k < 1000; k++)
        adit_dirty_mark(arena, 7);
    assert_int_equal(dirty_count(), 1);
    assert_true(adit_dirty_claim(arena, &cursor, &i));
    assert_int_equal(i, 7);
    assert_int_equal(dirty_count(), 0);
    assert_int_equal(working_count(), 1);
    assert_int_equal(arena->entries[7].work, arena->owner);
    assert_false(adit_dirty_claim(arena, &cursor, &i));
    adit_dirty_finish(arena, 7, false);
    assert_int_equal(working_count(), 0);
    assert_int_equal(arena->entries[7].work, 0);
    assert_false(adit_dirty_claim(arena, &cursor, &i));
}

static void a_chunk_marked_while_it_is_in_work_waits_for_its_holder(void **state)
{
    uint32_t cursor = 0, i = 0;
    (void)state;
    adit_dirty_mark(arena, 3);
    assert_true(adit_dirty_claim(arena, &cursor, &i));
    adit_dirty_mark(arena, 3);
    assert_false(adit_dirty_claim(arena, &cursor, &i)); /* one pair of hands */
    adit_dirty_mark(arena, 40);
    assert_true(adit_dirty_claim(arena, &cursor, &i)); /* and no obstacle to the others */
    assert_int_equal(i, 40);
    adit_dirty_finish(arena, 40, false);
    adit_dirty_finish(arena, 3, false);
    assert_int_equal(dirty_count(), 1);
    assert_true(adit_dirty_claim(arena, &cursor, &i));
    assert_int_equal(i, 3);
    adit_dirty_finish(arena, 3, true); /* it could not be done */
    assert_int_equal(dirty_count(), 1);
    assert_true(adit_dirty_claim(arena, &cursor, &i));
    adit_dirty_finish(arena, 3, false);
    assert_int_equal(dirty_count() + working_count(), 0);
}

/* ---- claims beside others' claims */

struct vanishing {
    uint32_t cursor, over;
};

/* Takes chunk 5 out as soon as the claimer has passed it. Looks at the claimer's cursor, which is no shared word. */
__attribute__((no_sanitize("thread"))) static void *take_five(void *user)
{
    struct vanishing *v = user;
    struct adit_bitset set = adit_dirty_set(arena);
    while (!__atomic_load_n(&v->over, __ATOMIC_ACQUIRE)) {
        if (*(volatile uint32_t *)&v->cursor > 5)
            adit_bitset_remove(&set, 5);
        else
            sched_yield();
    }
    return NULL;
}

/* The first one seen goes away while the rest stays with holders that do not let go: a dead dispatcher's, say. */
static void a_claim_ends_when_all_is_in_other_hands(void **state)
{
    struct adit_bitset set = adit_dirty_set(arena);
    struct vanishing v = {0};
    pthread_t taker;
    uint32_t i;
    (void)state;
    for (uint32_t k = 5; k < arena->chunks_max; k++) {
        arena->entries[k].work = FOREIGN;
        adit_bitset_add(&set, k);
    }
    assert_int_equal(pthread_create(&taker, NULL, take_five, &v), 0);
    for (uint32_t k = 0; k < 300; k++) {
        v.cursor = 0;
        adit_bitset_add(&set, 5);
        assert_false(adit_dirty_claim(arena, &v.cursor, &i));
    }
    __atomic_store_n(&v.over, 1, __ATOMIC_RELEASE);
    pthread_join(taker, NULL);
    for (uint32_t k = 5; k < arena->chunks_max; k++) {
        arena->entries[k].work = 0;
        adit_bitset_remove(&set, k);
    }
}

struct shop {
    uint32_t wanted[64], done[64], stop;
};

/* Works off what is dirty: done catches up with wanted. */
static void *work(void *user)
{
    struct shop *s = user;
    uint32_t cursor = 0, i;
    while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
        if (!adit_dirty_claim(arena, &cursor, &i)) {
            (void)adit_dirty_wait(arena, &s->stop, 10000000);
            continue;
        }
        uint32_t wanted = __atomic_load_n(&s->wanted[i], __ATOMIC_RELAXED), before = s->done[i]; /* plain: ours by the claim */
        s->done[i] = wanted > before ? wanted : before;
        adit_dirty_finish(arena, i, false);
    }
    return NULL;
}

static void *look_on(void *user)
{
    struct shop *s = user;
    while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE))
        (void)adit_settle(arena, 0);
    return NULL;
}

static void settled_means_that_all_marked_before_is_done(void **state)
{
    struct shop *s = calloc(1, sizeof *s);
    pthread_t threads[3];
    uint64_t seed = 3;
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? work : look_on, s), 0);
    for (uint32_t round = 0; round < 4000; round++) {
        uint32_t marked[4];
        for (uint32_t k = 0; k < 4; k++) {
            marked[k] = (uint32_t)(shm_fixture_random(&seed) % 64);
            __atomic_add_fetch(&s->wanted[marked[k]], 1, __ATOMIC_RELAXED);
            adit_dirty_mark(arena, marked[k]);
        }
        assert_int_equal(adit_settle(arena, LONG_NS), 0);
        for (uint32_t k = 0; k < 4; k++)
            assert_int_equal(__atomic_load_n(&s->done[marked[k]], __ATOMIC_RELAXED), s->wanted[marked[k]]);
    }
    __atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
    adit_event_post(&arena->waits->dirty_event);
    for (uint32_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    free(s);
}

static void settling_and_waiting_end_in_time(void **state)
{
    uint32_t stop = 0;
    (void)state;
    assert_int_equal(adit_settle(arena, 0), 0);
    assert_int_equal(adit_dirty_wait(arena, &stop, 1000000), -ETIMEDOUT);
    adit_dirty_mark(arena, 9);
    assert_int_equal(adit_dirty_wait(arena, &stop, LONG_NS), 0);
    assert_int_equal(adit_settle(arena, 0), -ETIMEDOUT);
    assert_int_equal(adit_settle(arena, 30000000), -ETIMEDOUT);
    uint32_t cursor = 0, i;
    assert_true(adit_dirty_claim(arena, &cursor, &i));
    assert_int_equal(adit_settle(arena, 1000000), -ETIMEDOUT); /* in work is not settled */
    adit_dirty_finish(arena, i, false);
    assert_int_equal(adit_settle(arena, 0), 0);
    stop = 1;
    assert_int_equal(adit_dirty_wait(arena, &stop, LONG_NS), 0);
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 2u << 20, .chunks_max = 3000};
    arena = fixture_create(&p);
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
        cmocka_unit_test(a_chunk_is_dirty_once_however_often_it_is_marked),
        cmocka_unit_test(a_chunk_marked_while_it_is_in_work_waits_for_its_holder),
        cmocka_unit_test(a_claim_ends_when_all_is_in_other_hands),
        cmocka_unit_test(settled_means_that_all_marked_before_is_done),
        cmocka_unit_test(settling_and_waiting_end_in_time),
    };
    return cmocka_run_group_tests_name("dirty", tests, set_up, tear_down);
}
