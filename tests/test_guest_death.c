/* Guests and those who take part for them, killed and stopped (shm/proxy.h, shm/admit.h): no guest that goes on meets a block that is
 * used anew without being told, what a dead one held is given back, and producers publish all the while.
 *
 * (tried: a proxy that moves slots to the present epoch whatever the page says, one that does not count ousts: torn reads; one that
 * sets no pins: nobody answers. Pins that stay when a guest ends are seen by test_guest.) */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/chunk_fixture.h"

#define CREW 5u
#define READERS 2u
#define KEYS 4u
#define HOLD_MAX (2u << 20)

static uint16_t voxels[ADIT_CHUNK_VOXELS];

/* What the processes of a test tell each other. */
struct post {
    uint32_t ready, stop;
    uint32_t reads, pins, stale, torn, torn_pins, published, failed;
};
static struct post *post;

static void count(uint32_t *n) { __atomic_add_fetch(n, 1, __ATOMIC_RELAXED); }
static bool is_stopped(void) { return __atomic_load_n(&post->stop, __ATOMIC_ACQUIRE); }

static struct adit_key key_of(uint64_t i) { return (struct adit_key){.x = (int32_t)(i % KEYS)}; }

static struct adit_arena *attach(enum adit_role role)
{
    struct adit_arena *a = NULL;
    for (uint32_t i = 0; i < 20000 && adit_attach(FIXTURE_NAME, role, NULL, &a); i++) /* nobody has made it yet, or the last guest leaves */
        shm_fixture_nap(1);
    REQUIRE(a);
    return a;
}

/* ---- guests ----------------------------------------------------------------------------------------------------- */

/* A section of some time, perhaps with a pin that outlives it. */
static void read_once(struct adit_arena *a, struct adit_reader *r, uint64_t *seed)
{
    struct adit_chunk_view view;
    uint64_t random = shm_fixture_random(seed);
    struct adit_key key = key_of(random);
    uint32_t pin = UINT32_MAX;
    adit_enter(r);
    int error = adit_chunk_acquire(r, &key, &view);
    if (!error && random >> 8 & 1)
        shm_fixture_nap((uint32_t)(random >> 9 & 3));
    bool is_intact = !error && adit_chunk_is_intact(&view);
    if (!error && random % 32 < 8 && adit_pin(r, view.ref, &pin))
        pin = UINT32_MAX;
    if (adit_exit(r) == -ESTALE)
        count(&post->stale);
    else if (!error)
        count(is_intact ? &post->reads : &post->torn);
    if (pin == UINT32_MAX)
        return;
    shm_fixture_nap(1 + (uint32_t)(random >> 16 & 7));
    is_intact = adit_chunk_is_intact(&view);
    int taken = adit_unpin(a, pin);
    REQUIRE(!taken || taken == -ESTALE);
    count(taken ? &post->stale : is_intact ? &post->pins : &post->torn_pins);
}

static void be_a_guest(void *user)
{
    uint64_t seed = 1 + (uint64_t)(uintptr_t)user;
    struct adit_arena *a = attach(ADIT_GUEST);
    struct adit_reader *r;
    struct adit_watch *watch;
    struct adit_watch_event event;
    REQUIRE(!adit_reader_open(a, &r) && !adit_watch_open(a, NULL, &watch));
    count(&post->ready);
    while (!is_stopped()) {
        read_once(a, r, &seed);
        (void)adit_watch_next(watch, &event, 0);
    }
    adit_watch_close(&watch);
    adit_reader_close(&r);
    adit_detach(&a);
}

/* ---- producers -------------------------------------------------------------------------------------------------- */

static void publish(struct adit_arena *a, uint64_t *seed)
{
    uint64_t random = shm_fixture_random(seed);
    struct adit_key key = key_of(random);
    fixture_paint(random % 64, voxels);
    int error = adit_chunk_put(a, &key, voxels, NULL);
    count(error ? &post->failed : &post->published);
}

static struct adit_arena *create(void)
{
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 16u << 20, .hold_max_bytes = HOLD_MAX, .guests_max = READERS};
    return fixture_create(&p);
}

static void be_a_producer(void *user)
{
    uint64_t seed = 77 + (uint64_t)(uintptr_t)user;
    struct adit_arena *a = user ? attach(ADIT_PRODUCER) : create();
    count(&post->ready);
    while (!is_stopped())
        publish(a, &seed);
    adit_detach(&a);
}

/* Stopped anywhere it is in nobody's way, as it is in no section of its own. */
static void be_an_idle_keeper(void *user)
{
    struct adit_arena *a = create();
    (void)user;
    count(&post->ready);
    while (!is_stopped())
        shm_fixture_nap(1);
    adit_detach(&a);
}

static uint32_t participants(struct adit_arena *a) { return fixture_stats(a).participants; }

static void set_post(void)
{
    post = shm_fixture_shared(sizeof *post);
}

/* Keepers are killed one after the other under guests that read; the last of the crew ends in peace. */
static void guests_read_on_whoever_takes_part_for_them(void **state)
{
    pid_t crew[CREW], guests[READERS];
    (void)state;
    set_post();
    for (uint32_t i = 0; i < CREW; i++)
        crew[i] = fixture_fork(be_a_producer, (void *)(uintptr_t)i);
    for (uint32_t i = 0; i < READERS; i++)
        guests[i] = fixture_fork(be_a_guest, (void *)(uintptr_t)i);
    fixture_start();
    shm_fixture_until(&post->ready, CREW + READERS);
    struct adit_arena *a = attach(ADIT_OBSERVER);
    for (uint32_t left = CREW; left > 1; left--) {
        shm_fixture_nap(300);
        pid_t keeper = 0;
        for (uint32_t i = 0; i < 5000 && !keeper; i++) {
            keeper = (pid_t)fixture_stats(a).keeper_pid;
            shm_fixture_nap(keeper ? 0 : 1);
        }
        for (uint32_t i = 0; i < CREW; i++)
            if (crew[i] == keeper) {
                kill(keeper, SIGKILL);
                assert_int_equal(shm_fixture_wait(keeper), -SIGKILL);
                crew[i] = 0;
            }
        for (uint32_t i = 0; i < 5000 && participants(a) != left - 1 + READERS; i++)
            shm_fixture_nap(1);
        assert_int_equal(participants(a), left - 1 + READERS);
        uint32_t reads = __atomic_load_n(&post->reads, __ATOMIC_RELAXED), pins = __atomic_load_n(&post->pins, __ATOMIC_RELAXED);
        shm_fixture_until(&post->reads, reads + 20);
        shm_fixture_until(&post->pins, pins + 3); /* somebody answers them */
        shm_fixture_verify(a, ADIT_VERIFY_LIVING);
    }
    __atomic_store_n(&post->stop, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < READERS; i++)
        assert_int_equal(shm_fixture_wait(guests[i]), 0);
    for (uint32_t i = 0; i < CREW; i++)
        assert_int_equal(crew[i] ? shm_fixture_wait(crew[i]) : 0, 0);
    adit_detach(&a);
    print_message("%u sections, %u of them ousted, %u pins, %u versions\n", post->reads + post->stale, post->stale, post->pins, post->published);
    assert_int_equal(post->torn + post->torn_pins, 0);
    assert_int_equal(post->failed, 0);
}

static bool is_alone(void *user) { return participants(user) == 1; }
static bool is_full(void *user) { return participants(user) == 1 + READERS; }

static void what_a_killed_guest_held_is_given_back(void **state)
{
    uint64_t seed = 5;
    pid_t guests[40];
    (void)state;
    set_post();
    for (uint32_t i = 0; i < 40; i++)
        guests[i] = fixture_fork(be_a_guest, (void *)(uintptr_t)i);
    struct adit_arena *a = create();
    for (uint32_t i = 0; i < 2 * KEYS; i++)
        publish(a, &seed);
    fixture_start(); /* all at once: two find a page, the others wait for theirs to go */
    for (uint32_t i = 0; i < 40; i++) {
        if (i % 8 == 0) /* what was given back so far is had by others */
            assert_true(fixture_eventually(is_full, a));
        shm_fixture_nap(2 + (uint32_t)(shm_fixture_random(&seed) % 12));
        publish(a, &seed);
        kill(guests[i], SIGKILL);
        assert_int_equal(shm_fixture_wait(guests[i]), -SIGKILL);
    }
    assert_true(fixture_eventually(is_alone, a));
    assert_int_equal(fixture_stats(a).watches, 0);
    for (uint32_t i = 0; i < KEYS; i++) {
        struct adit_key key = key_of(i);
        assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    }
    assert_true(fixture_eventually(fixture_is_tidy, a));
    shm_fixture_verify_quiet(a);
    assert_int_equal(post->torn + post->torn_pins + post->failed, 0);
    adit_detach(&a);
}

/* Nobody takes part for the guests: what they hold back is bounded all the same. */
static void a_stopped_keeper_stops_no_producer(void **state)
{
    uint64_t seed = 9;
    (void)state;
    set_post();
    pid_t keeper = fixture_fork(be_an_idle_keeper, NULL), guest = fixture_fork(be_a_guest, (void *)1);
    fixture_start();
    shm_fixture_until(&post->ready, 2);
    struct adit_arena *a = attach(ADIT_PRODUCER);
    kill(keeper, SIGSTOP);
    for (uint32_t i = 0; i < 400; i++) /* some 40 MiB, in an arena of 16 */
        publish(a, &seed);
    assert_int_equal(post->failed, 0);
    kill(keeper, SIGCONT);
    uint32_t reads = __atomic_load_n(&post->reads, __ATOMIC_RELAXED);
    shm_fixture_until(&post->reads, reads + 20);
    __atomic_store_n(&post->stop, 1, __ATOMIC_RELEASE);
    assert_int_equal(shm_fixture_wait(guest), 0);
    assert_int_equal(shm_fixture_wait(keeper), 0);
    assert_true(fixture_eventually(is_alone, a));
    shm_fixture_verify(a, ADIT_VERIFY_LIVING);
    print_message("%u sections were ousted, %u not\n", post->stale, post->reads);
    assert_int_equal(post->torn + post->torn_pins, 0);
    adit_detach(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guests_read_on_whoever_takes_part_for_them),
        cmocka_unit_test(what_a_killed_guest_held_is_given_back),
        cmocka_unit_test(a_stopped_keeper_stops_no_producer),
    };
    return cmocka_run_group_tests_name("guest_death", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
