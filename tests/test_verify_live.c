/* The verifier beside others at work: producers, a dispatcher, a consumer with pins, rings, each a process, some of them stopped in
 * the middle of whatever they do. No false alarm, in a single look, and a real breach is still found. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/verify_fixture.h"

#define SECONDS 3u
#define CHILDREN 10u

struct shared {
    uint32_t stop, ready;
    uint64_t published, elements, pins, blocks, visits;
};
static struct shared *shared;

static bool is_over(void) { return __atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE); }

static struct adit_arena *enter_arena(enum adit_role role)
{
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, role);
    __atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
    return a;
}

static void produce(void *user)
{
    struct adit_arena *a = enter_arena(ADIT_PRODUCER);
    uint64_t seed = 77 + *(uint32_t *)user;
    while (!is_over()) {
        uint64_t h = shm_fixture_random(&seed);
        struct adit_key key = verify_key((uint32_t)(h >> 8) % VERIFY_CHUNKS);
        struct adit_voxel_edit edits[2] = {{.x = (uint8_t)(h >> 16 & 63), .y = 63, .material = (uint16_t)(h >> 30 & 255)},
                                           {.x = 3, .y = 4, .z = (uint8_t)(h >> 22 & 63), .material = (uint16_t)(h >> 40 & 255)}};
        if (h % 8 == 0)
            (void)adit_chunk_remove(a, &key, NULL);
        else if (h % 8 < 3)
            verify_put(a, (uint32_t)(h >> 8) % VERIFY_CHUNKS, h >> 33);
        else
            (void)adit_chunk_edit(a, &key, edits, 2, NULL);
        __atomic_add_fetch(&shared->published, 1, __ATOMIC_RELAXED);
    }
    adit_detach(&a);
}

static void dispatch(void *user)
{
    struct adit_arena *a = enter_arena(ADIT_PRODUCER);
    struct adit_dispatcher_params p = {.size = sizeof p, .workers = 2};
    struct adit_dispatcher *d;
    (void)user;
    REQUIRE(!adit_dispatcher_open(a, &p, &d));
    while (!is_over())
        shm_fixture_nap(5);
    adit_dispatcher_close(&d);
    adit_detach(&a);
}

static void consume(void *user)
{
    struct adit_arena *a = enter_arena(ADIT_CONSUMER);
    struct adit_reader *r;
    struct adit_watch *w = NULL;
    uint32_t pins[4] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    (void)user;
    REQUIRE(!adit_reader_open(a, &r));
    for (uint32_t n = 0; !is_over(); n++) {
        struct adit_key key = verify_key(n % VERIFY_CHUNKS);
        struct adit_chunk_view v;
        if (!w)
            REQUIRE(!adit_watch_open(a, NULL, &w));
        if (pins[n % 4] != UINT32_MAX)
            (void)adit_unpin(a, pins[n % 4]);
        pins[n % 4] = UINT32_MAX;
        adit_enter(r);
        if (!adit_chunk_acquire(r, &key, &v) && !adit_pin(r, v.ref, &pins[n % 4]))
            __atomic_add_fetch(&shared->pins, 1, __ATOMIC_RELAXED);
        adit_exit(r);
        if (n % 64 == 0)
            adit_watch_close(&w);
        if (n % 512 == 0) {
            adit_reader_close(&r);
            REQUIRE(!adit_reader_open(a, &r));
            shm_fixture_nap(1);
        }
    }
    adit_detach(&a);
}

static void pass_elements(void *user)
{
    struct adit_arena *a = enter_arena(ADIT_CONSUMER);
    struct adit_ring_params p = {.size = sizeof p, .kind = ADIT_RING_MPMC, .element_bytes = 24, .capacity = 64};
    struct adit_ring *ring, *own;
    uint64_t element[3 * 8] = {0};
    uint32_t number = *(uint32_t *)user;
    char name[16];
    snprintf(name, sizeof name, "own%u", number);
    struct adit_samples_params q = {.size = sizeof q, .channels = 3, .capacity_frames = 64};
    struct adit_samples *line;
    float frames[32 * 3] = {0};
    REQUIRE(!adit_ring_open(a, "all", &p, &ring) && !adit_samples_open(a, "line", &q, &line));
    for (uint32_t n = 0; !is_over(); n++) {
        uint32_t k = (n * 7 + number) % 8;
        __atomic_add_fetch(&shared->elements, number ? adit_ring_push(ring, element, k) : 0, __ATOMIC_RELAXED);
        (void)adit_ring_pop(ring, element, number ? k / 2 : k);
        (void)(number == 0 ? adit_samples_write(line, frames, n % 33) : number == 1 ? adit_samples_read(line, frames, n % 31) : 0);
        if (n % 4096 == 0 && number) { /* rings come and go */
            p.kind = ADIT_RING_SPSC;
            REQUIRE(!adit_ring_open(a, name, &p, &own));
            (void)adit_ring_push(own, element, 5);
            adit_ring_close(&own);
            REQUIRE(!adit_ring_destroy(a, name));
        }
    }
    adit_samples_close(&line);
    adit_ring_close(&ring);
    adit_detach(&a);
}

/* Blocks of all sizes, split and merged as quickly as can be. */
static void churn_blocks(void *user)
{
    struct adit_arena *a = enter_arena(ADIT_PRODUCER);
    uint64_t seed = 5 + *(uint32_t *)user, refs[32] = {0};
    while (!is_over()) {
        uint64_t h = shm_fixture_random(&seed);
        if (refs[h & 31])
            adit_block_free(a, refs[h & 31]);
        if (adit_block_alloc(a, 1 + (h >> 8) % (h & 32 ? 200000 : 3000), ADIT_BLOCK_HERE, &refs[h & 31]))
            refs[h & 31] = 0;
        __atomic_add_fetch(&shared->blocks, 1, __ATOMIC_RELAXED);
    }
    for (uint32_t i = 0; i < 32; i++)
        adit_block_free(a, refs[i]);
    adit_detach(&a);
}

/* Participants and readers that are there for a moment. */
static void come_and_go(void *user)
{
    struct adit_arena *a = enter_arena(ADIT_CONSUMER);
    (void)user;
    while (!is_over()) {
        struct adit_arena *again;
        struct adit_watch *w;
        struct adit_key key = verify_key(2);
        struct adit_chunk_view v;
        uint32_t pin;
        if (adit_attach(FIXTURE_NAME, ADIT_CONSUMER, NULL, &again))
            continue; /* stopped while it waited for the broker: an interrupted call */
        __atomic_add_fetch(&shared->visits, 1, __ATOMIC_RELAXED);
        for (uint32_t n = 0; n < 200; n++) {
            struct adit_reader *r;
            REQUIRE(!adit_reader_open(again, &r));
            adit_enter(r);
            if (n == 0 && !adit_chunk_acquire(r, &key, &v))
                (void)adit_pin(r, v.ref, &pin); /* detach gives it back */
            adit_exit(r);
            adit_reader_close(&r);
        }
        REQUIRE(!adit_watch_open(again, NULL, &w));
        adit_detach(&again);
    }
    adit_detach(&a);
}

static void stop_or_go(pid_t child, bool stop)
{
    int status;
    REQUIRE(!kill(child, stop ? SIGSTOP : SIGCONT));
    REQUIRE(!stop || (waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status)));
}

static void look(struct adit_arena *a, const char *when)
{
    /* One look: the checks see for themselves whether something changed under them, several looks come on top. (tried: there
     * are false alarms without the second reading of commit words, of the heads of runs, of a ring's slots.) */
    int n = verify_run(a, ADIT_VERIFY_DEEP | ADIT_VERIFY_LIVING, 1);
    if (n) {
        __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
        fail_msg("%d false alarms, %s:\n%s", n, when, verify_lines());
    }
}

static void others_at_work_are_no_breach(void **state)
{
    static const uint32_t numbers[3] = {0, 1, 2};
    struct {
        void (*work)(void *user);
        uint32_t number;
    } const duties[CHILDREN] = {{produce, 0}, {produce, 1}, {dispatch, 0}, {consume, 0}, {pass_elements, 0}, {pass_elements, 1},
                                {pass_elements, 2}, {churn_blocks, 0}, {churn_blocks, 1}, {come_and_go, 0}};
    pid_t children[CHILDREN];
    (void)state;
    shared = shm_fixture_shared(sizeof *shared);
    for (uint32_t i = 0; i < CHILDREN; i++)
        children[i] = fixture_fork(duties[i].work, (void *)&numbers[duties[i].number]);
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 48u << 20, .pins_max = 16};
    struct adit_arena *a = fixture_create(&p), *seen = shm_fixture_attach(FIXTURE_NAME, ADIT_OBSERVER);
    fixture_start();
    shm_fixture_until(&shared->ready, CHILDREN);
    uint64_t begin = adit_clock_ns();
    uint32_t rounds = 0;
    for (; adit_clock_ns() - begin < SECONDS * 1000000000ull; rounds++) {
        look(seen, "all at work");
        pid_t stopped = children[rounds % CHILDREN];
        stop_or_go(stopped, true); /* in the middle of whatever it does */
        look(seen, "one of them stopped");
        stop_or_go(stopped, false);
        if (rounds % 16 == 0) { /* and what is wrong is found all the same */
            __atomic_store_n(&a->watches[20].state, 7, __ATOMIC_SEQ_CST);
            assert_int_equal(verify_run(seen, 0, 0), 1);
            assert_true(verify_said("I5", "watch 20", "in state 7"));
            __atomic_store_n(&a->watches[20].state, 0, __ATOMIC_SEQ_CST);
        }
    }
    __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < CHILDREN; i++)
        assert_int_equal(shm_fixture_wait(children[i]), 0);
    assert_true(rounds > 3 && shared->published > 10 && shared->elements > 10 && shared->pins > 10 && shared->blocks > 1000 && shared->visits > 3);
    verify_mesh(a);
    if (verify_run(seen, ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP, 0))
        fail_msg("not sound when all have left:\n%s", verify_lines());
    adit_detach(&seen);
    adit_detach(&a);
}

/* The run behind a block of four granules, whose head is merged away and comes back as the very same word, while there are blocks in
 * its middle in between. (tried: heads that are read again alone: 7 to 13
 * false alarms in three of five runs) */
static void shift_one_head(void *user)
{
    struct adit_arena *a = enter_arena(ADIT_PRODUCER);
    uint64_t ref;
    for (uint32_t n = 0; n % 64 || !is_over(); n++) {
        REQUIRE(!adit_block_alloc(a, (n & 1 ? 380 : 4) * ADIT_GRANULE_BYTES, ADIT_BLOCK_HERE, &ref));
        adit_block_free(a, ref);
    }
    (void)user;
    adit_detach(&a);
}

static void a_head_that_comes_back_is_no_breach(void **state)
{
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 4u << 20};
    uint32_t alarms = 0;
    char line[256] = "";
    (void)state;
    shared = shm_fixture_shared(sizeof *shared);
    pid_t child = fixture_fork(shift_one_head, NULL);
    struct adit_arena *a = fixture_create(&p);
    fixture_start();
    shm_fixture_until(&shared->ready, 1);
    for (uint64_t begin = adit_clock_ns(); adit_clock_ns() - begin < 1000000000u;)
        if (verify_run(a, ADIT_VERIFY_LIVING, 1)) {
            alarms++;
            snprintf(line, sizeof line, "%s", verify_lines());
        }
    __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
    assert_int_equal(shm_fixture_wait(child), 0);
    if (alarms)
        fail_msg("%u false alarms, the last: %s", alarms, line);
    adit_detach(&a);
}

int main(void)
{
#ifdef __SANITIZE_THREAD__
    printf("ThreadSanitizer does not see the edge by which a block comes back through another process\n");
    return 77;
#endif
    const struct CMUnitTest tests[] = {cmocka_unit_test(others_at_work_are_no_breach), cmocka_unit_test(a_head_that_comes_back_is_no_breach)};
    return cmocka_run_group_tests_name("verify_live", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
