/* Sleeping and waking (shm/event.h): what is posted is seen, however thin the moment; without waiters a post changes nothing.
 * A lost wake-up shows as a wait that lasts to its deadline, which is far beyond any delay of a busy machine. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/shm_fixture.h"

#define LOST_NS 20000000000u
#define ROUNDS 100000u
#define PROCESS_ROUNDS 20000u

/* Two events and the number of the round, in memory that processes share. */
struct post {
    struct adit_event ping __attribute__((aligned(128))), pong __attribute__((aligned(128)));
    uint64_t sent __attribute__((aligned(128))), answered __attribute__((aligned(128))); /* lines apart: a store may linger */
    uint64_t lost __attribute__((aligned(128)));
    uint32_t ready, rounds;
};

/* What a waiter waits for: *word to reach value. */
struct wish {
    const uint64_t *word;
    uint64_t value;
};

static bool is_reached(void *context)
{
    const struct wish *w = context;
    return adit_load_relaxed(w->word) >= w->value;
}

static void wait_for(struct post *p, struct adit_event *event, const uint64_t *word, uint64_t value)
{
    struct wish wish = {word, value};
    uint64_t begin = adit_clock_ns();
    int error = adit_event_wait(event, is_reached, &wish, LOST_NS);
    if (error || adit_clock_ns() - begin >= LOST_NS) /* its last look finds what no wake told it of */
        adit_add_relaxed(&p->lost, 1);
}

/* Now early, now late, now just as the other goes to sleep. */
static void dawdle(uint64_t *seed)
{
    uint32_t n = (uint32_t)(shm_fixture_random(seed) % 700);
    for (uint32_t i = 0; i < n; i++)
        adit_spin_pause();
    if (n % 8 == 0)
        sched_yield();
}

/* Stores n where the other looks, behind stores into cold lines: it stays in this processor's buffer long enough for a later load
 * to overtake it (tried: when the waiter's first sleep is no nap, each run of 100,000 rounds loses a wake-up). */
static void store_slowly(uint64_t *word, uint64_t n)
{
#if defined(__x86_64__)
    static _Thread_local struct { uint64_t word __attribute__((aligned(64))); } cold[8];
    for (int i = 0; i < 8; i++)
        __builtin_ia32_clflush(&cold[i]);
    for (int i = 0; i < 8; i++)
        adit_store_relaxed(&cold[i].word, n);
#endif
    adit_store_relaxed(word, n);
}

static void answer_all(struct post *p)
{
    uint64_t seed = 2;
    for (uint64_t n = 1; n <= p->rounds && !adit_load_relaxed(&p->lost); n++) {
        wait_for(p, &p->ping, &p->sent, n);
        dawdle(&seed);
        store_slowly(&p->answered, n);
        adit_event_post(&p->pong);
    }
}

static void ask_all(struct post *p)
{
    uint64_t seed = 1;
    for (uint64_t n = 1; n <= p->rounds && !adit_load_relaxed(&p->lost); n++) {
        dawdle(&seed);
        store_slowly(&p->sent, n);
        adit_event_post(&p->ping);
        wait_for(p, &p->pong, &p->answered, n);
    }
}

static void *answer_thread(void *user)
{
    answer_all(user);
    return NULL;
}

static void no_wake_up_is_lost_between_threads(void **state)
{
    struct post *p = shm_fixture_shared(sizeof *p);
    pthread_t answerer;
    (void)state;
    p->rounds = ROUNDS;
    assert_int_equal(pthread_create(&answerer, NULL, answer_thread, p), 0);
    ask_all(p);
    pthread_join(answerer, NULL);
    assert_int_equal(p->lost, 0);
    assert_int_equal(p->answered, ROUNDS);
    assert_int_equal(p->ping.waiters + p->pong.waiters, 0);
}

static void answer_in_child(void *user)
{
    struct post *p = user;
    __atomic_store_n(&p->ready, 1, __ATOMIC_RELEASE);
    answer_all(p);
}

static void no_wake_up_is_lost_between_processes(void **state)
{
    struct post *p = shm_fixture_shared(sizeof *p);
    (void)state;
    p->rounds = PROCESS_ROUNDS;
    pid_t child = shm_fixture_fork(answer_in_child, p);
    shm_fixture_until(&p->ready, 1);
    ask_all(p);
    assert_int_equal(shm_fixture_wait(child), 0);
    assert_int_equal(p->lost, 0);
    assert_int_equal(p->answered, PROCESS_ROUNDS);
}

struct crowd {
    struct adit_event event;
    uint64_t word, slowest_ns, posted_ns;
    uint32_t failed;
};

static void *wait_in_crowd(void *user)
{
    struct crowd *c = user;
    struct wish wish = {&c->word, 1};
    if (adit_event_wait(&c->event, is_reached, &wish, LOST_NS))
        __atomic_store_n(&c->failed, 1, __ATOMIC_RELAXED);
    adit_raise_acq_rel(&c->slowest_ns, adit_clock_ns() - adit_load_acquire(&c->posted_ns));
    return NULL;
}

/* How long the slowest of a crowd that sleeps took to be back. */
static uint64_t wake_crowd(void)
{
    struct crowd c = {0};
    pthread_t threads[8];
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_in_crowd, &c), 0);
    for (uint32_t i = 0; i < 2000 && adit_load32_relaxed(&c.event.waiters) < 8; i++)
        shm_fixture_nap(1);
    shm_fixture_nap(20); /* most of them sleep now, and would look again by themselves 80 ms later */
    adit_store_release(&c.posted_ns, adit_clock_ns());
    adit_store_release(&c.word, 1);
    adit_event_post(&c.event);
    for (uint32_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(c.failed, 0);
    assert_int_equal(c.event.waiters, 0);
    return c.slowest_ns;
}

/* A busy machine may be slow time and again; sleepers that no wake reaches are slow always (tried: without it 20 of 20). */
static void a_post_wakes_all_who_wait(void **state)
{
    uint32_t tries = 0;
    (void)state;
    while (wake_crowd() >= 50000000u)
        assert_true(++tries < 20);
}

static void a_wait_ends_in_time_and_looks_first(void **state)
{
    struct adit_event e = {0};
    uint64_t word = 3;
    struct wish there = {&word, 3}, never = {&word, 4};
    (void)state;
    assert_int_equal(adit_event_wait(&e, is_reached, &there, 0), 0);
    assert_int_equal(adit_event_wait(&e, is_reached, &there, ADIT_FOREVER), 0);
    assert_int_equal(adit_event_wait(&e, is_reached, &never, 0), -ETIMEDOUT);
    uint64_t begin = adit_clock_ns();
    assert_int_equal(adit_event_wait(&e, is_reached, &never, 30000000), -ETIMEDOUT);
    assert_true(adit_clock_ns() - begin >= 30000000);
    assert_int_equal(e.waiters, 0);
    adit_event_post(&e); /* nobody waits: nothing is stored */
    assert_int_equal(e.seq, 0);
    e.waiters = 1; /* one that died: posts go on, waits too */
    adit_event_post(&e);
    assert_int_equal(e.seq, 1);
    assert_int_equal(adit_event_wait(&e, is_reached, &never, 1000000), -ETIMEDOUT);
    assert_int_equal(adit_event_wait(&e, is_reached, &there, 1000000), 0);
}

/* ---- the thin moment: a change right after a look that did not see it */

struct moment {
    struct adit_event event;
    uint64_t word;
    uint32_t looks, acts_at;
};

static bool look_then_change(void *context)
{
    struct moment *m = context;
    bool is_there = adit_load_relaxed(&m->word);
    if (++m->looks == m->acts_at) { /* another thread, just now */
        adit_store_relaxed(&m->word, 1);
        adit_event_post(&m->event);
    }
    return is_there;
}

static void a_change_right_after_any_look_is_seen(void **state)
{
    struct moment m = {0};
    uint32_t counted_in = 0;
    (void)state;
    for (m.acts_at = 1; m.acts_at < 300 && !counted_in; m.acts_at++) { /* while it spins, and the one look before it sleeps */
        m.event = (struct adit_event){0};
        m.word = m.looks = 0;
        uint64_t begin = adit_clock_ns();
        assert_int_equal(adit_event_wait(&m.event, look_then_change, &m, LOST_NS), 0);
        assert_true(adit_clock_ns() - begin < LOST_NS);
        assert_int_equal(m.looks, m.acts_at + 1);
        counted_in += m.event.seq != 0; /* posted to a waiter that had counted itself in */
    }
    assert_int_equal(counted_in, 1);
}

/* One that sleeps by bits. */
struct sleeper {
    struct adit_event *event;
    uint32_t bits, woken;
    pid_t tid;
};

static void *sleep_by_bits(void *user)
{
    struct sleeper *s = user;
    uint32_t seq = adit_load32_acquire(&s->event->seq);
    adit_store32_release((uint32_t *)&s->tid, (uint32_t)gettid());
    int error = adit_futex_wait_bits(&s->event->seq, seq, s->bits, LOST_NS);
    adit_store32_release(&s->woken, error ? 2 : 1);
    return NULL;
}

/* Starts one, and waits until the kernel says that it sleeps. */
static void start_sleeper(struct sleeper *s, pthread_t *thread)
{
    char path[64], state = 0;
    assert_int_equal(pthread_create(thread, NULL, sleep_by_bits, s), 0);
    while (!adit_load32_acquire((uint32_t *)&s->tid))
        sched_yield();
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)s->tid);
    while (state != 'S') {
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        assert_int_equal(fscanf(f, "%*d %*s %c", &state), 1);
        fclose(f);
        sched_yield();
    }
}

static void a_wake_by_bits_is_for_who_has_one_of_them(void **state)
{
    static struct adit_event event;
    struct sleeper first = {.event = &event, .bits = 1}, second = {.event = &event, .bits = 6};
    pthread_t threads[2];
    (void)state;
    start_sleeper(&first, &threads[0]);
    start_sleeper(&second, &threads[1]);
    adit_event_wake_bits(&event, 1, 2);
    pthread_join(threads[1], NULL); /* (tried: bits are not looked at: the first one, which has slept longer, is woken, and this one never) */
    assert_int_equal(adit_load32_acquire(&second.woken), 1);
    assert_int_equal(adit_load32_acquire(&first.woken), 0);
    adit_event_wake(&event, UINT32_MAX);
    pthread_join(threads[0], NULL);
    assert_int_equal(adit_load32_acquire(&first.woken), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_up_is_lost_between_threads),
        cmocka_unit_test(no_wake_up_is_lost_between_processes),
        cmocka_unit_test(a_post_wakes_all_who_wait),
        cmocka_unit_test(a_wait_ends_in_time_and_looks_first),
        cmocka_unit_test(a_change_right_after_any_look_is_seen),
        cmocka_unit_test(a_wake_by_bits_is_for_who_has_one_of_them),
    };
    return cmocka_run_group_tests_name("event", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
