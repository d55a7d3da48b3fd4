/* Guests that write whatever they like into their pages (invariant I9, shm/proxy.h): the proxy neither faults nor hangs, what it does in
 * their name stays within what is theirs, and no producer fails.
 *
 *     test_hostile_guest [SEED [STATES]]         the soak: 1 100000000
 *
 * (tried: a proxy that takes the latest of the page's epochs, unclamped; pins that are not checked; pins without a limit: each is seen
 * within 100,000 states. A reclaimer that ousts and then begins another grace period, which the proxy makes wait anew: producers run out of
 * memory beside mad guests. A keeper that reads a bell that was rung: it sleeps in that read for good.) */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/chunk_fixture.h"
#include "tests/hostile_page.h"

#define STATES 1000000u
#ifdef __SANITIZE_ADDRESS__
#define PUTS 300u
#else
#define PUTS 3000u
#endif
#define VERIFY_EVERY 50000u
#define LATE_NS 1000000u

static uint64_t seed_of_all = 1, states_n = STATES;

static void no_state_of_a_page_does_more_than_is_the_guests(void **state)
{
    struct hostile_page h;
    uint64_t seed = seed_of_all;
    (void)state;
    hostile_page_open(&h);
    for (uint64_t i = 0; i < states_n; i++) {
        uint64_t random = shm_fixture_random(&seed), head = sizeof(struct adit_guest_page) / 8;
        for (uint64_t n = random % 8 + 1; n; n--) { /* mostly where words mean something */
            uint64_t where = shm_fixture_random(&seed), value = hostile_page_value(&h, &seed);
            hostile_page_poke(&h, where >> 32 & 3 ? where % (head / 2) : where % hostile_page_words(&h), value);
        }
        if (random >> 8 & 63)
            hostile_page_poke(&h, 0, 0); /* it stays, mostly */
        hostile_page_others(&h, !(random >> 16 & 63) ? 1 : (random >> 24 & 7) ? 0 : 2 + (random >> 32 & 7));
        hostile_page_look(&h);
        if (i % VERIFY_EVERY == 0)
            shm_fixture_verify(h.arena, ADIT_VERIFY_LIVING);
    }
    print_message("%llu looks, %llu ousts; the longest look %llu us, the longest publish %llu us\n", (unsigned long long)h.looks,
                  (unsigned long long)h.ousts, (unsigned long long)(h.longest_look_ns / 1000), (unsigned long long)(h.longest_put_ns / 1000));
    assert_true(h.ousts > 0);
    hostile_page_close(&h);
}

/* ---- a mad guest beside producers ------------------------------------------------------------------------------- */

struct post {
    uint32_t ready, stop, round;
    uint64_t states;
};
static struct post *post;

/* A process that takes part as a guest, and then writes its page full, never twice the same, and rings. */
static void be_mad(void *user)
{
    uint64_t seed = 1 + (uint64_t)(uintptr_t)user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_GUEST);
    struct adit_reader *r;
    REQUIRE(!adit_reader_open(a, &r)); /* its slot is the page's first section */
    uint64_t *words = (void *)((uint8_t *)r->slot - offsetof(struct adit_guest_page, sections));
    uint64_t n = adit_guest_page_bytes(a) / 8, head = sizeof(struct adit_guest_page) / 8;
    uint32_t index = 0;
    __atomic_add_fetch(&post->ready, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&post->stop, __ATOMIC_ACQUIRE)) {
        uint64_t random = shm_fixture_random(&seed), value = shm_fixture_random(&seed), where = 1 + random % ((random >> 40 & 3 ? head / 2 : n) - 1);
        uint64_t commit = adit_load_relaxed(&a->entries[index++ % a->chunks_max].current);
        switch (random >> 32 & 7) {
        case 0: value = adit_load_relaxed(&a->control->epoch); break;
        case 1: value = 1 + 2 * (value & 3); break; /* an old section */
        case 2: case 3: value = commit ? adit_commit_ref(commit) : 0; break;
        case 4: value &= 3; break;
        default: break;
        }
        adit_store_relaxed(&words[where], value);
        post->states++;
        if (random >> 48 < 64)
            adit_guest_ring(a);
    }
    __atomic_store_n(&words[0], 0, __ATOMIC_RELAXED);
    adit_detach(&a);
}

/* The control: as busy, and nobody's guest. */
static void be_busy(void *user)
{
    uint64_t seed = 1 + (uint64_t)(uintptr_t)user;
    __atomic_add_fetch(&post->ready, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&post->stop, __ATOMIC_ACQUIRE))
        if (shm_fixture_random(&seed) >> 48 < 64)
            adit_futex_wake(&post->ready, 1);
}

/* What publishing cost: a wait over 1 ms in which this thread slept of its own accord is a stall, others are the machine's. */
struct cost {
    uint64_t longest_ns;
    uint32_t late, stalled;
};

static uint64_t sleeps(void)
{
    struct rusage u;
    REQUIRE(!getrusage(RUSAGE_THREAD, &u));
    return (uint64_t)u.ru_nvcsw;
}

/* Publishes dense versions: with no guest in the way an eighth of the arena is retired all the time. */
static struct cost publish(struct adit_arena *a)
{
    struct cost c = {0};
    for (uint32_t i = 0; i < PUTS; i++) {
        struct adit_key key = {.x = (int32_t)(i % 3)};
        struct adit_loan loan;
        uint64_t slept = sleeps(), begin = adit_clock_ns();
        REQUIRE(!adit_chunk_loan(a, &key, &loan));
        uint64_t used = adit_clock_ns() - begin;
        memset(loan.voxels, (int)(i & 63), ADIT_CHUNK_VOXELS * sizeof *loan.voxels);
        REQUIRE(!adit_chunk_prepare(a, &loan));
        begin = adit_clock_ns();
        REQUIRE(!adit_chunk_publish(a, &loan, NULL));
        used += adit_clock_ns() - begin;
        c.longest_ns = used > c.longest_ns ? used : c.longest_ns;
        c.late += used > LATE_NS;
        c.stalled += used > LATE_NS && sleeps() != slept;
    }
    return c;
}

static void say(const char *what, struct cost c)
{
    print_message("  %-24s longest %llu us, %u over 1 ms, %u of them asleep\n", what, (unsigned long long)(c.longest_ns / 1000), c.late, c.stalled);
}

static struct cost publish_beside(struct adit_arena *a, pid_t others[2])
{
    fixture_start();
    shm_fixture_until(&post->ready, 2);
    struct cost c = publish(a);
    __atomic_store_n(&post->stop, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(shm_fixture_wait(others[i]), 0);
    return c;
}

/* The figures are for people: how long a busy machine keeps a thread from running is no test's to judge. */
static void producers_go_on_beside_mad_guests(void **state)
{
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 16u << 20, .guests_max = 2};
    pid_t busy[2], mad[2];
    (void)state;
    post = shm_fixture_shared(sizeof *post);
    for (uint32_t i = 0; i < 2; i++)
        busy[i] = fixture_fork(be_busy, (void *)(uintptr_t)i);
    struct adit_arena *a = fixture_create(&p);
    struct cost alone = publish(a), beside_busy = publish_beside(a, busy);
    adit_detach(&a);
    post = shm_fixture_shared(sizeof *post);
    for (uint32_t i = 0; i < 2; i++)
        mad[i] = fixture_fork(be_mad, (void *)(uintptr_t)i);
    a = fixture_create(&p);
    struct cost beside_mad = publish_beside(a, mad);
    shm_fixture_verify(a, ADIT_VERIFY_LIVING);
    print_message("loan and publish, %u times, %llu states of a page meanwhile:\n", PUTS, (unsigned long long)post->states);
    say("alone", alone);
    say("beside two busy", beside_busy);
    say("beside two mad guests", beside_mad);
    assert_true(post->states > 1000);
    adit_detach(&a);
}

/* ---- a guest that plays with its bells -------------------------------------------------------------------------- */

#define BELLS 8u
#define ROUNDS 200u /* a keeper that reads is caught within 20, mostly */

/* This process's bells: its eventfds, as it keeps no arena. */
static uint32_t find_bells(int bells[BELLS])
{
    uint32_t n = 0;
    for (int fd = 3; fd < 1024; fd++) {
        char path[32], is[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, is, sizeof is - 1);
        is[length > 0 ? length : 0] = 0;
        if (!strcmp(is, "anon_inode:[eventfd]") && n < BELLS)
            bells[n++] = fd;
    }
    return n;
}

/* Makes its bells' reads block, for the keeper too, which shares their flags; rings them all, and when the first ring is heard takes the
 * others' away. */
static void be_a_ringer(void *user)
{
    struct adit_arena *a[BELLS];
    int bells[BELLS];
    (void)user;
    for (uint32_t i = 0; i < BELLS; i++)
        a[i] = shm_fixture_attach(FIXTURE_NAME, ADIT_GUEST);
    REQUIRE(find_bells(bells) == BELLS);
    for (uint32_t i = 0; i < BELLS; i++)
        REQUIRE(!fcntl(bells[i], F_SETFL, 0));
    __atomic_add_fetch(&post->ready, 1, __ATOMIC_SEQ_CST);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        shm_fixture_until(&post->round, round);
        uint64_t count = 1;
        struct iovec part = {&count, sizeof count};
        struct pollfd first = {.fd = bells[0], .events = POLLIN};
        for (uint32_t i = 0; i < BELLS; i++)
            REQUIRE(write(bells[i], &count, sizeof count) == sizeof count);
        for (uint32_t i = 0; i < 200 && poll(&first, 1, 0) == 1; i++)
            ;
        for (uint32_t i = BELLS - 1; i >= BELLS - 3; i--)
            (void)preadv2(bells[i], &part, 1, -1, RWF_NOWAIT);
        __atomic_add_fetch(&post->ready, 1, __ATOMIC_SEQ_CST);
    }
    for (uint32_t i = 0; i < BELLS; i++)
        adit_detach(&a[i]);
}

static void no_bell_stops_the_keeper(void **state)
{
    struct adit_create_params p = {.size = sizeof p, .guests_max = BELLS};
    struct adit_attach_params soon = {.size = sizeof soon, .timeout_ns = 5000000000u};
    (void)state;
    post = shm_fixture_shared(sizeof *post);
    pid_t ringer = fixture_fork(be_a_ringer, NULL);
    struct adit_arena *a = fixture_create(&p), *other;
    fixture_start();
    shm_fixture_until(&post->ready, 1);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        shm_fixture_nap(2); /* the keeper is deaf for 1 ms after a ring */
        __atomic_store_n(&post->round, round, __ATOMIC_RELEASE);
        shm_fixture_until(&post->ready, 1 + round);
        if (adit_attach(FIXTURE_NAME, ADIT_OBSERVER, &soon, &other)) /* nobody rings now, to wake a keeper that reads */
            fail_msg("after %u rounds: %s", round, adit_detail());
        adit_detach(&other);
    }
    assert_int_equal(shm_fixture_wait(ringer), 0);
    adit_detach(&a);
}

int main(int argc, char **argv)
{
#ifdef __SANITIZE_THREAD__
    puts("this thread does what the keeper's does elsewhere, beside it: nothing for ThreadSanitizer");
    return 77;
#endif
    seed_of_all = argc > 1 ? strtoull(argv[1], NULL, 10) : seed_of_all;
    states_n = argc > 2 ? strtoull(argv[2], NULL, 10) : states_n;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_state_of_a_page_does_more_than_is_the_guests),
        cmocka_unit_test(producers_go_on_beside_mad_guests),
        cmocka_unit_test(no_bell_stops_the_keeper),
    };
    return cmocka_run_group_tests_name("hostile_guest", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
