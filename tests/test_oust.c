/* Readers that stay in a section (shm/rcu.h, ousting): stopped is not dead, and holds back hold_max_bytes at most.
 *
 *     test_oust [SECONDS]        how long they are stopped; the soak: 60 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "runtime/publish.h"
#include "tests/shm_fixture.h"

#define HOLD_MAX (2u << 20)

static struct adit_arena *arena;
static uint32_t stopped_ms = 5000; /* hundreds of times what a grace period waits */
static bool is_soak;
static uint16_t voxels[ADIT_CHUNK_VOXELS];
static const struct adit_key read_key = {.x = 1}, busy_key = {.x = 2};

struct post {
    uint32_t inside, go_on, failed;
    int32_t acquired, pinned, left, after;
    bool is_intact;
};

/* Reads, stays in its section (stopped by the parent meanwhile), and says what it is told when it goes on. */
static void read_and_stay(void *user)
{
    struct post *p = user;
    struct adit_arena *a = shm_fixture_attach("oust", ADIT_CONSUMER);
    struct adit_reader *r;
    struct adit_chunk_view first, again;
    uint32_t pin;
    REQUIRE(!adit_reader_open(a, &r));
    adit_enter(r);
    REQUIRE(!adit_chunk_acquire(r, &read_key, &first));
    __atomic_store_n(&p->inside, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&p->go_on, __ATOMIC_ACQUIRE))
        shm_fixture_nap(1);
    p->is_intact = adit_chunk_is_intact(&first);
    p->acquired = adit_chunk_acquire(r, &read_key, &again);
    p->pinned = adit_pin(r, first.ref, &pin);
    if (!p->pinned)
        REQUIRE(!adit_unpin(a, pin));
    p->left = adit_exit(r);
    adit_enter(r);
    p->after = adit_chunk_acquire(r, &read_key, &again);
    REQUIRE(adit_chunk_is_intact(&again) && !adit_exit(r));
    adit_reader_close(&r);
    adit_detach(&a);
}

/* Publishes dense versions until bytes of them have been replaced. */
static void churn(const struct adit_key *key, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes; done += sizeof voxels) {
        struct adit_loan loan;
        assert_int_equal(adit_chunk_loan(arena, key, &loan), 0);
        memset(loan.voxels, (int)(done >> 19) & 63, sizeof voxels);
        assert_int_equal(adit_chunk_publish(arena, &loan, NULL), 0);
    }
}

static uint64_t used_bytes(void)
{
    struct adit_stats s = {.size = sizeof s};
    assert_int_equal(adit_stats(arena, &s), 0);
    return s.segments[1].bytes - s.segments[1].free_bytes;
}

/* What earlier tests have retired is gone first: it would count, too. */
static pid_t start_reader(struct post *p)
{
    churn(&read_key, 1);
    for (uint32_t i = 0; i < 2000 && used_bytes() > 2 * 700000; i++) { /* the current versions of two keys */
        (void)adit_reclaim(arena, true);
        shm_fixture_nap(5);
    }
    assert_in_range(used_bytes(), 1, 2 * 700000);
    pid_t child = shm_fixture_fork(read_and_stay, p);
    shm_fixture_until(&p->inside, 1);
    return child;
}

static void go_on(pid_t child, struct post *p)
{
    kill(child, SIGCONT);
    __atomic_store_n(&p->go_on, 1, __ATOMIC_RELEASE);
    assert_int_equal(shm_fixture_wait(child), 0);
}

static void a_stopped_reader_holds_back_its_quota_and_is_told(void **state)
{
    struct post *p = shm_fixture_shared(sizeof *p);
    (void)state;
    pid_t child = start_reader(p);
    kill(child, SIGSTOP);
    for (uint32_t i = 0; i < 40; i++) /* five times the arena goes through: not one publish fails */
        churn(&read_key, 2u << 20);
    uint64_t used = used_bytes();
    for (uint32_t i = 0; i < 2000 && used > HOLD_MAX; i++) { /* the reclaimer's rounds */
        shm_fixture_nap(5);
        used = used_bytes();
    }
    assert_in_range(used, 1, HOLD_MAX);
    struct adit_stats s = {.size = sizeof s};
    assert_int_equal(adit_stats(arena, &s), 0);
    assert_int_equal(s.participants, 2); /* it is not taken for dead */
    for (uint32_t ms = 0; is_soak && ms < stopped_ms; ms += 100) { /* nor later, and memory stays so */
        churn(&read_key, 1u << 20);
        shm_fixture_nap(100);
        assert_int_equal(adit_stats(arena, &s), 0);
        assert_int_equal(s.participants, 2);
        assert_in_range(s.segments[1].bytes - s.segments[1].free_bytes, 1, 3 * HOLD_MAX); /* what is on its way to being reclaimed, too */
    }
    go_on(child, p);
    assert_int_equal(p->acquired, -ESTALE);
    assert_int_equal(p->pinned, -ESTALE);
    assert_int_equal(p->left, -ESTALE);
    assert_int_equal(p->after, 0);
}

static void below_the_quota_what_was_acquired_stays(void **state)
{
    struct post *p = shm_fixture_shared(sizeof *p);
    (void)state;
    pid_t child = start_reader(p);
    kill(child, SIGSTOP);
    churn(&read_key, 1u << 20);
    shm_fixture_nap(stopped_ms);
    go_on(child, p);
    assert_true(p->is_intact);
    assert_int_equal(p->acquired, 0);
    assert_int_equal(p->pinned, 0);
    assert_int_equal(p->left, 0);
    assert_int_equal(p->after, 0);
}

static void one_that_is_ousted_is_the_only_one(void **state)
{
    struct post *p = shm_fixture_shared(2 * sizeof *p);
    struct adit_reader *r;
    struct adit_chunk_view view;
    uint32_t slow = 0;
    (void)state;
    pid_t stopped = start_reader(&p[0]);
    kill(stopped, SIGSTOP);
    assert_int_equal(adit_reader_open(arena, &r), 0);
    for (uint32_t i = 0; i < 30; i++) {
        churn(&busy_key, 1u << 20);
        adit_enter(r);
        bool is_good = !adit_chunk_acquire(r, &busy_key, &view) && adit_chunk_is_intact(&view);
        int left = adit_exit(r);
        assert_true(is_good || left == -ESTALE);
        slow += left != 0; /* a machine that does not run this thread for 20 ms inside its section */
    }
    assert_in_range(slow, 0, 10);
    adit_reader_close(&r);
    go_on(stopped, &p[0]);
    assert_int_equal(p[0].left, -ESTALE);
}

static void an_intent_is_not_ousted(void **state)
{
    struct adit_reader *r;
    (void)state;
    assert_int_equal(adit_rcu_borrow(arena, &r), 0);
    adit_rcu_enter(r);
    assert_true(adit_intent_set(arena, r, ADIT_INTENT_VERSION, 0, 0));
    uint64_t began = adit_load_relaxed(&arena->control->epoch), epoch;
    assert_int_equal(adit_grace_period_of(arena, 1000000, &epoch), -ETIMEDOUT);
    assert_int_equal(adit_rcu_oust(arena, began), 0); /* it has kept nobody waiting who began then */
    assert_int_equal(adit_rcu_oust(arena, epoch), 0);
    assert_false(adit_rcu_is_ousted(r));
    adit_intent_clear(arena, r);
    assert_int_equal(adit_rcu_oust(arena, epoch), 1);
    assert_true(adit_rcu_is_ousted(r));
    assert_false(adit_intent_set(arena, r, ADIT_INTENT_VERSION, 0, 0)); /* nothing is committed in such a section */
    adit_intent_clear(arena, r);
    assert_int_equal(adit_grace_period(arena, 1000000000u), 0);
    assert_false(adit_rcu_exit(r));
    adit_rcu_enter(r); /* the mark is gone with its section */
    assert_false(adit_rcu_is_ousted(r));
    assert_true(adit_rcu_exit(r));
    adit_rcu_give_back(arena, r);
}

/* One reclaimer has set its pending mark and is stopped there, or dead: nobody passes the section by it, nobody commits in it, the next reclaimer
 * goes on from it, and the first one's mark does not count any more. (models/ousting.pml has the order of it.) */
static void a_pending_mark_is_no_mark(void **state)
{
    struct adit_reader *r;
    uint64_t epoch, pending = ADIT_MARK_PENDING | 7, first = pending;
    (void)state;
    assert_int_equal(adit_rcu_borrow(arena, &r), 0);
    adit_rcu_enter(r);
    adit_store_release(&r->slot[1], pending);
    assert_int_equal(adit_grace_period_of(arena, 1000000, &epoch), -ETIMEDOUT);
    assert_false(adit_rcu_is_ousted(r)); /* what was read counts */
    assert_false(adit_intent_set(arena, r, ADIT_INTENT_VERSION, 0, 0));
    adit_intent_clear(arena, r);
    assert_int_equal(adit_grace_period(arena, 1000000), -ETIMEDOUT);
    assert_int_equal(adit_rcu_oust(arena, epoch), 1);
    assert_false(adit_cas_acq_rel(&r->slot[1], &first, *r->slot)); /* the first one, too late */
    assert_true(adit_rcu_is_ousted(r));
    assert_int_equal(adit_grace_period(arena, 1000000000u), 0);
    adit_store_release(&r->slot[1], pending);
    assert_true(adit_rcu_exit(r));
    assert_int_equal(r->slot[1], adit_mark_none(arena)); /* gone with its section */
    adit_rcu_give_back(arena, r);
}

static int set_up(void **state)
{
    struct adit_create_params params = {.size = sizeof params, .hold_max_bytes = HOLD_MAX};
    if (shm_fixture_set_up(state))
        return -1;
    arena = shm_fixture_create("oust", &params, 16u << 20);
    return 0;
}

static int tear_down(void **state)
{
    adit_detach(&arena);
    return shm_fixture_tear_down(state);
}

int main(int argc, char **argv)
{
    is_soak = argc > 1 && atoi(argv[1]) > 0;
    stopped_ms = is_soak ? (uint32_t)atoi(argv[1]) * 1000 : stopped_ms;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stopped_reader_holds_back_its_quota_and_is_told),
        cmocka_unit_test(below_the_quota_what_was_acquired_stays),
        cmocka_unit_test(one_that_is_ousted_is_the_only_one),
        cmocka_unit_test(an_intent_is_not_ousted),
        cmocka_unit_test(a_pending_mark_is_no_mark),
    };
    return cmocka_run_group_tests_name("oust", tests, set_up, tear_down);
}
