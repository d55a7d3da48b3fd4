/* A consumer that moves other consumers' waits: it maps the control segment, as all do, and requeues whoever waits at any futex word there
 * to words that nobody wakes, and wakes whom it likes. Others get all their changes, late by a nap of event.h at most.
 *
 * (tried: with naps of event.c as long as the timeout, changes are not told within three seconds.) */
#include "tests/chunk_fixture.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHANGES 30u
#define WAITERS 2u
#define LATE_NS 3000000000u /* a nap is 100 ms; a machine that is busy may take its time */

/* Between the processes. */
static struct post {
    uint32_t ready, attached, stop;
    uint32_t seen[WAITERS]; /* changes taken */
    uint64_t requeued, woken;
    uint64_t late_ns[WAITERS]; /* the longest */
    uint64_t told_ns;          /* when the last change was begun */
} *post;

static long futex(uint32_t *word, int operation, uint32_t wake, uint64_t move, uint32_t *to, uint32_t is)
{
    return syscall(SYS_futex, word, operation, wake, move, to, is);
}

/* Every futex word of the segment that waits are known for. */
static uint32_t words_of(struct adit_arena *a, uint32_t *words[64])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->watches_max && n < 40; i++)
        words[n++] = &a->watches[i].event.seq;
    words[n++] = &a->waits->dirty_event.seq;
    words[n++] = &a->waits->settled_event.seq;
    return n;
}

static void move_waiters(void *user)
{
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    uint32_t *words[64], n = words_of(a, words), *nowhere = (uint32_t *)&a->control->pad5[100];
    (void)user;
    __atomic_add_fetch(&post->attached, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&post->stop, __ATOMIC_ACQUIRE)) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t *to = i % 3 ? nowhere : words[(i + 1) % n];
            long moved = futex(words[i], FUTEX_CMP_REQUEUE, 0, INT_MAX, to, adit_load32_relaxed(words[i]));
            post->requeued += moved > 0 ? (uint64_t)moved : 0;
            long woken = i % 7 == 3 ? futex(words[i], FUTEX_WAKE, INT_MAX, 0, NULL, 0) : 0;
            post->woken += woken > 0 ? (uint64_t)woken : 0;
        }
        usleep(50);
    }
    adit_detach(&a);
}

static void wait_for_changes(void *user)
{
    uint32_t me = (uint32_t)(uintptr_t)user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    struct adit_watch_params p = {.size = sizeof p, .what = ADIT_WATCH_CHUNKS};
    struct adit_watch_event event;
    struct adit_watch *watch;
    REQUIRE(!adit_watch_open(a, &p, &watch));
    __atomic_add_fetch(&post->attached, 1, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < CHANGES; i++) {
        REQUIRE(!adit_watch_next(watch, &event, 60000000000u));
        uint64_t late = adit_clock_ns() - adit_load_acquire(&post->told_ns);
        post->late_ns[me] = late > post->late_ns[me] ? late : post->late_ns[me];
        __atomic_add_fetch(&post->seen[me], 1, __ATOMIC_SEQ_CST);
    }
    adit_watch_close(&watch);
    adit_detach(&a);
}

static void moved_waiters_get_their_changes(void **state)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    pid_t waiters[WAITERS], mover;
    (void)state;
    for (uint32_t i = 0; i < WAITERS; i++)
        waiters[i] = fixture_fork(wait_for_changes, (void *)(uintptr_t)i);
    mover = fixture_fork(move_waiters, NULL);
    struct adit_arena *a = fixture_create(NULL);
    fixture_start();
    shm_fixture_until(&post->attached, WAITERS + 1);
    for (uint32_t i = 0; i < CHANGES; i++) {
        struct adit_key key = {.x = (int32_t)(i % 5)};
        shm_fixture_nap(20 + i * 7 % 40); /* they sleep, and have been moved */
        voxels[i] = (uint16_t)(i + 1);
        adit_store_release(&post->told_ns, adit_clock_ns());
        assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
        for (uint32_t w = 0; w < WAITERS; w++)
            shm_fixture_until(&post->seen[w], i + 1);
    }
    __atomic_store_n(&post->stop, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < WAITERS; i++) {
        assert_int_equal(shm_fixture_wait(waiters[i]), 0);
        assert_true(post->late_ns[i] < LATE_NS);
    }
    assert_int_equal(shm_fixture_wait(mover), 0);
    print_message("%llu waiters moved, %llu woken; a change came %llu ms late at most\n", (unsigned long long)post->requeued,
                  (unsigned long long)post->woken, (unsigned long long)(post->late_ns[0] / 1000000));
    assert_true(post->requeued > CHANGES); /* it did what it is there for */
    adit_detach(&a);
}

static int set_up(void **state)
{
    post = shm_fixture_shared(sizeof *post);
    return shm_fixture_set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(moved_waiters_get_their_changes)};
    return cmocka_run_group_tests_name("hostile_futex", tests, set_up, shm_fixture_tear_down);
}
