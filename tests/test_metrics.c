/* Counting in the arena (shm/metrics.h): buckets, shards and who has them, events, and that nothing which was counted is lost. What is counted where: test_metering.c. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/chunk_fixture.h"

#define MANY 1000000u
#define SOME 20000u
#ifdef __SANITIZE_THREAD__
#define ROUNDS 10000u
#define SHARED SOME
#else
#define ROUNDS 300000u /* looks at a ring that is being written */
#define SHARED MANY
#endif

static uint64_t counted(const struct adit_arena *a, uint32_t word) { return adit_metrics_sum(a, word, 0); }

static uint64_t recorded(const struct adit_arena *a, uint32_t series, uint32_t who)
{
    uint64_t bucket[ADIT_METRIC_BUCKETS], n = 0;
    adit_metrics_sum_series(a, series, who, bucket);
    for (uint32_t i = 0; i < ADIT_METRIC_BUCKETS; i++)
        n += bucket[i];
    return n;
}

/* ---- buckets */

/* tried: octaves begun one too late; the last bucket's bound */
static void a_bucket_holds_what_it_says(void **state)
{
    uint64_t seed = 1, from, to;
    (void)state;
    for (uint32_t i = 0; i < ADIT_METRIC_BUCKETS; i++) {
        adit_histogram_bounds(i, &from, &to);
        assert_true(from < to);
        assert_int_equal(adit_histogram_bucket(from), i);
        assert_int_equal(adit_histogram_bucket(to - 1), i);
        assert_true(i < 8 ? to - from == 1 : (to - from) * 8 <= from);
        assert_int_equal(to, adit_histogram_least(i + 1));
    }
    assert_int_equal(to, 1ull << 37);
    for (uint32_t i = 0; i < 100000; i++) {
        uint64_t v = shm_fixture_random(&seed) >> (27 + shm_fixture_random(&seed) % 37);
        adit_histogram_bounds(adit_histogram_bucket(v), &from, &to);
        assert_true(from <= v && v < to);
    }
    assert_int_equal(adit_histogram_bucket(1ull << 37), ADIT_METRIC_BUCKETS - 1);
    assert_int_equal(adit_histogram_bucket(UINT64_MAX), ADIT_METRIC_BUCKETS - 1);
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *p = a, *q = b;
    return (*p > *q) - (*p < *q);
}

/* tried: quantiles of the lower bound instead of the middle */
static void quantiles_are_within_a_sixteenth(void **state)
{
    static uint64_t values[SOME];
    struct adit_histogram h = {.size = sizeof h}, between, none = {.size = sizeof none};
    uint64_t seed = 7;
    double sum = 0;
    (void)state;
    for (uint32_t i = 0; i < SOME; i++) {
        values[i] = shm_fixture_random(&seed) >> (28 + shm_fixture_random(&seed) % 30);
        h.bucket[adit_histogram_bucket(values[i])]++;
        h.count++;
        sum += (double)values[i];
    }
    qsort(values, SOME, sizeof *values, by_value);
    for (uint32_t i = 1; i <= 1000; i++) {
        double exact = (double)values[(uint32_t)(i / 1000.0 * SOME + 0.5) - 1], told = (double)adit_histogram_quantile(&h, i / 1000.0);
        assert_true(told >= exact * (1 - 0.0625) - 1 && told <= exact * (1 + 0.0625) + 1);
    }
    assert_true(adit_histogram_sum(&h) > sum * 0.9375 && adit_histogram_sum(&h) < sum * 1.0625);
    assert_int_equal(adit_histogram_quantile(&none, 0.5), 0);
    assert_int_equal(adit_histogram_between(&none, &h, &between), 0);
    assert_int_equal(between.count, SOME);
    assert_int_equal(adit_histogram_between(&h, &h, &between), 0);
    assert_int_equal(between.count, 0);
    none.size--;
    assert_int_equal(adit_histogram_between(&none, &h, &between), -EMSGSIZE);
}

/* ---- shards */

struct counting {
    struct adit_arena *arena;
    uint64_t n;
    uint32_t *ready, *go; /* NULL: at once */
};

static void *count_many(void *user)
{
    const struct counting *c = user;
    if (c->ready) {
        adit_count(c->arena, ADIT_COUNT_LOCKS_TAKEN, 0); /* it has a seat, beside the others */
        __atomic_add_fetch(c->ready, 1, __ATOMIC_SEQ_CST);
        shm_fixture_until(c->go, 1);
    }
    for (uint64_t i = 0; i < c->n; i++) {
        adit_count(c->arena, ADIT_COUNT_LOCKS_TAKEN, 1);
        adit_record(c->arena, ADIT_HISTOGRAM_LOCK_WAIT_NS, i, 1);
        adit_count(c->arena, ADIT_COUNT_LIMBO_BYTES, i % 2 ? (uint64_t)-3 : 5); /* a gauge */
    }
    return NULL;
}

/* So many threads at once, each as much. */
static void count_by_threads(struct adit_arena *a, uint32_t threads, uint64_t n)
{
    uint32_t ready = 0, go = 0;
    struct counting c = {a, n, &ready, &go};
    pthread_t thread[32];
    for (uint32_t i = 0; i < threads; i++)
        REQUIRE(!pthread_create(&thread[i], NULL, count_many, &c));
    shm_fixture_until(&ready, threads);
    __atomic_store_n(&go, 1, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < threads; i++)
        REQUIRE(!pthread_join(thread[i], NULL));
}

static void be_two_threads(void *user)
{
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    (void)user;
    count_by_threads(a, 2, MANY);
    adit_detach(&a);
}

/* tried: the sum of those attached alone; two threads in one shard without read-modify-writes */
static void threads_and_processes_count_exactly(void **state)
{
    pid_t child[2];
    (void)state;
    for (uint32_t i = 0; i < 2; i++)
        child[i] = fixture_fork(be_two_threads, NULL);
    struct adit_arena *a = fixture_create(NULL);
    fixture_start();
    count_by_threads(a, 2, MANY);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(shm_fixture_wait(child[i]), 0);
    assert_int_equal(counted(a, ADIT_COUNT_LOCKS_TAKEN), 6 * MANY);
    assert_int_equal(recorded(a, ADIT_HISTOGRAM_LOCK_WAIT_NS, 0), 6 * MANY);
    assert_int_equal(adit_metrics_sum(a, ADIT_COUNT_LOCKS_TAKEN, a->owner), 2 * MANY);
    assert_int_equal(recorded(a, ADIT_HISTOGRAM_LOCK_WAIT_NS, a->owner), 2 * MANY);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
}

/* tried: a shard for everybody who asks, no read-modify-writes in the one that is left */
static void threads_that_find_no_shard_count_exactly(void **state)
{
    const struct adit_create_params few = {.size = sizeof few, .data_bytes = 4u << 20, .participants_max = 2};
    struct adit_arena *a = fixture_create(&few), *b;
    (void)state;
    assert_int_equal(a->metric_shards_n, 5);
    int64_t before = adit_metrics_level(a, ADIT_COUNT_LIMBO_BYTES, 0);
    count_by_threads(a, 20, SHARED);
    assert_int_equal(adit_metrics_level(a, ADIT_COUNT_LIMBO_BYTES, 0) - before, 20 * SHARED); /* (tried: of those with a shard alone) */
    assert_int_equal(counted(a, ADIT_COUNT_LOCKS_TAKEN), 20 * SHARED);
    assert_int_equal(recorded(a, ADIT_HISTOGRAM_LOCK_WAIT_NS, 0), 20 * SHARED);
    assert_true(a->metric_shards[0].value[ADIT_COUNT_LOCKS_TAKEN] > 0);
    b = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER); /* who comes later has one all the same */
    adit_count(b, ADIT_COUNT_LOCKS_TAKEN, 5);
    assert_int_equal(adit_metrics_sum(a, ADIT_COUNT_LOCKS_TAKEN, b->owner), 5);
    adit_detach(&b);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
}

static uint32_t owned(const struct adit_arena *a)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->metric_shards_n; i++)
        n += a->metric_shards[i].owner != 0;
    return n;
}

/* tried: seats that stay their threads' when these have ended */
static void a_thread_takes_the_seat_of_one_that_has_ended(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct counting c = {.arena = a, .n = 10};
    (void)state;
    for (uint32_t i = 0; i < 100; i++) { /* none has the place of the one before: each needs a larger stack */
        pthread_t thread;
        pthread_attr_t attr;
        pthread_attr_init(&attr);
        assert_int_equal(pthread_attr_setstacksize(&attr, (256u + 64 * i) << 10), 0);
        assert_int_equal(pthread_create(&thread, &attr, count_many, &c), 0);
        pthread_join(thread, NULL);
        pthread_attr_destroy(&attr);
    }
    assert_int_equal(counted(a, ADIT_COUNT_LOCKS_TAKEN), 1000);
    assert_true(owned(a) <= 4); /* of the keeper, the reclaimer, this thread, and those */
    adit_detach(&a);
}

/* tried: was not taken anew; shards given back without the count of who had them */
static void a_shard_goes_from_owner_to_owner_and_loses_nothing(void **state)
{
    const struct adit_create_params few = {.size = sizeof few, .data_bytes = 4u << 20, .participants_max = 2};
    struct adit_arena *a = fixture_create(&few);
    uint64_t sum = 0;
    (void)state;
    for (uint32_t i = 1; i < 30; i++) {
        struct adit_arena *b = shm_fixture_attach(FIXTURE_NAME, i % 2 ? ADIT_PRODUCER : ADIT_CONSUMER);
        uint32_t who = b->owner;
        adit_count(b, ADIT_COUNT_LOCKS_TAKEN, i);
        adit_record(b, ADIT_HISTOGRAM_LOCK_WAIT_NS, 100, i);
        sum += i;
        assert_int_equal(adit_metrics_sum(a, ADIT_COUNT_LOCKS_TAKEN, who), i);
        assert_int_equal(recorded(a, ADIT_HISTOGRAM_LOCK_WAIT_NS, who), i);
        adit_detach(&b);
        assert_int_equal(adit_metrics_sum(a, ADIT_COUNT_LOCKS_TAKEN, who), i); /* it has left, and is told of still */
        assert_int_equal(counted(a, ADIT_COUNT_LOCKS_TAKEN), sum);
        assert_int_equal(recorded(a, ADIT_HISTOGRAM_LOCK_WAIT_NS, 0), sum);
        shm_fixture_verify(a, 0);
    }
    adit_detach(&a);
}

/* tried: gauges summed over all shards */
static void a_gauge_is_of_who_is_there(void **state)
{
    struct adit_arena *a = fixture_create(NULL), *b = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    (void)state;
    int64_t before = adit_metrics_level(a, ADIT_COUNT_LIMBO_BLOCKS, 0);
    adit_count(b, ADIT_COUNT_LIMBO_BLOCKS, 50);
    adit_count(b, ADIT_COUNT_LIMBO_BLOCKS, (uint64_t)-8);
    assert_int_equal(adit_metrics_level(a, ADIT_COUNT_LIMBO_BLOCKS, 0), before + 42);
    assert_int_equal(adit_metrics_level(a, ADIT_COUNT_LIMBO_BLOCKS, b->owner), 42);
    adit_detach(&b);
    assert_int_equal(adit_metrics_level(a, ADIT_COUNT_LIMBO_BLOCKS, 0), before);
    adit_detach(&a);
}

/* tried: seats found by the arena's address */
static void one_thread_counts_in_several_arenas_by_turns(void **state)
{
    struct adit_arena *a[3];
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        a[i] = shm_fixture_create(i == 0 ? "one" : i == 1 ? "two" : "three", NULL, 2u << 20);
    for (uint32_t n = 0; n < 1000; n++)
        for (uint32_t i = 0; i < 3; i++)
            adit_count(a[i], ADIT_COUNT_LOCKS_TAKEN, i + 1);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(counted(a[i], ADIT_COUNT_LOCKS_TAKEN), 1000 * (i + 1));
        assert_true(owned(a[i]) <= 3);
        adit_detach(&a[i]);
        a[i] = shm_fixture_create("one", NULL, 2u << 20); /* another one, perhaps at the same address */
        assert_int_equal(counted(a[i], ADIT_COUNT_LOCKS_TAKEN), 0);
        adit_count(a[i], ADIT_COUNT_LOCKS_TAKEN, 1);
        assert_int_equal(counted(a[i], ADIT_COUNT_LOCKS_TAKEN), 1);
        adit_detach(&a[i]);
    }
}

/* ---- deaths */

static void count_and_die(void *user)
{
    uint32_t *who = user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    adit_count(a, ADIT_COUNT_LOCKS_TAKEN, 17);
    adit_record(a, ADIT_HISTOGRAM_LOCK_WAIT_NS, 1000, 3);
    for (uint64_t i = 0; i < 300; i++)
        adit_event(a, ADIT_EVENT_EVICT, i, i, ~i);
    __atomic_store_n(who, a->owner, __ATOMIC_SEQ_CST);
    raise(SIGKILL);
}

/* tried: recovery that leaves shards, then cells; one that clears of */
static void what_the_dead_have_counted_and_said_stays(void **state)
{
    uint32_t *who = shm_fixture_shared(sizeof *who), at = 0;
    pid_t child = fixture_fork(count_and_die, who);
    struct adit_arena *a = fixture_create(NULL);
    struct adit_flight_event events[ADIT_METRIC_EVENTS + 1];
    struct adit_metric_info m = {.size = sizeof m};
    (void)state;
    fixture_start();
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    assert_true(fixture_eventually(fixture_is_alone, a));
    assert_int_equal(counted(a, ADIT_COUNT_LOCKS_TAKEN), 17);
    assert_int_equal(adit_metrics_sum(a, ADIT_COUNT_LOCKS_TAKEN, *who), 17);
    assert_int_equal(recorded(a, ADIT_HISTOGRAM_LOCK_WAIT_NS, *who), 3);
    int n = adit_metric_events(a, *who, events, ADIT_METRIC_EVENTS + 1);
    assert_int_equal(n, ADIT_METRIC_EVENTS);
    assert_int_equal(adit_metric_find(a, "evict", &at), 0);
    for (int i = 0; i < n; i++) {
        uint64_t wanted = 300 - ADIT_METRIC_EVENTS + (uint64_t)i;
        assert_true(events[i].metric == at && events[i].a == wanted && events[i].b == ~wanted && events[i].who == *who && events[i].tid == (uint32_t)child);
        assert_int_equal(adit_metric_get(a, events[i].metric, &m), 0);
        assert_int_equal(m.type, ADIT_METRIC_EVENT);
    }
    assert_int_equal(adit_metric_events(a, *who, events, 3), 3); /* the newest */
    assert_int_equal(events[2].a, 299);
    for (uint32_t i = 0; i < a->metric_cells_n; i++)
        assert_true(a->metric_cells[i].owner != *who && (i >= a->metric_shards_n || a->metric_shards[i].owner != *who));
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
}

/* ---- events */

static void *write_events(void *user)
{
    struct counting *c = user;
    for (uint64_t i = 0; !__atomic_load_n(c->go, __ATOMIC_RELAXED); i++) {
        adit_event(c->arena, ADIT_EVENT_OUST, i * 3, i, ~i);
        __atomic_store_n(&c->n, i, __ATOMIC_RELEASE);
    }
    return NULL;
}

/* The ring that the writer has begun. */
static uint32_t ring_of_writer(const struct adit_arena *a)
{
    struct adit_metric_event events[ADIT_METRIC_EVENTS];
    for (uint32_t i = 1; i < a->metric_shards_n; i++) {
        uint32_t n = adit_metrics_read_events(a, i, events);
        if (n && adit_metric_event_type(events[n - 1].mark) == ADIT_EVENT_OUST)
            return i;
    }
    return 0;
}

/* tried: no look at the mark after the copy; no 0 before */
static void an_event_is_whole_or_left_out(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    uint32_t go = 0, seen = 0, ring = 0;
    struct counting c = {.arena = a, .go = &go};
    struct adit_metric_event events[ADIT_METRIC_EVENTS];
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, write_events, &c), 0);
    while (!ring)
        ring = ring_of_writer(a);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t n = adit_metrics_read_events(a, ring, events);
        uint64_t last = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (adit_metric_event_type(events[i].mark) != ADIT_EVENT_OUST)
                continue; /* of who has come */
            REQUIRE(events[i].b == ~events[i].a && events[i].at_ns == events[i].a * 3 && (!last || events[i].a > last));
            last = events[i].a;
            seen++;
        }
    }
    __atomic_store_n(&go, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    assert_true(seen > 0); /* a writer as fast as can be overwrites most before they are read */
    adit_detach(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_what_it_says),
        cmocka_unit_test(quantiles_are_within_a_sixteenth),
        cmocka_unit_test(threads_and_processes_count_exactly),
        cmocka_unit_test(threads_that_find_no_shard_count_exactly),
        cmocka_unit_test(a_thread_takes_the_seat_of_one_that_has_ended),
        cmocka_unit_test(a_shard_goes_from_owner_to_owner_and_loses_nothing),
        cmocka_unit_test(a_gauge_is_of_who_is_there),
        cmocka_unit_test(one_thread_counts_in_several_arenas_by_turns),
        cmocka_unit_test(what_the_dead_have_counted_and_said_stays),
        cmocka_unit_test(an_event_is_whole_or_left_out),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
