/* Recovery (runtime/recover.h, shm/salvage.h): what a killed participant held is given back, told again, or freed; by the keeper of
 * another process, without anybody asking for it. At every instruction: crash_*. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/dirty.h"
#include "runtime/publish.h"
#include "runtime/recover.h"
#include "runtime/store.h"
#include "tests/shm_fixture.h"

static struct adit_arena *arena;
static uint16_t voxels[ADIT_CHUNK_VOXELS];
static const struct adit_key origin = {.x = 1, .y = 2, .z = 3};

struct post {
    uint32_t ready;
    uint64_t ref;
};

/* Runs work in a child that says it is ready and then waits to be killed; kills it. */
static void kill_in(void (*work)(void *user), struct post *p)
{
    pid_t child = shm_fixture_fork(work, p);
    shm_fixture_until(&p->ready, 1);
    kill(child, SIGKILL);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
}

static _Noreturn void wait_to_be_killed(struct post *p)
{
    __atomic_store_n(&p->ready, 1, __ATOMIC_RELEASE);
    for (;;)
        shm_fixture_nap(1000);
}

/* True once this process is the only participant. */
static bool is_alone(void)
{
    struct adit_stats s = {.size = sizeof s};
    for (uint32_t i = 0; i < 5000; i++) {
        REQUIRE(!adit_stats(arena, &s));
        if (s.participants == 1)
            return true;
        shm_fixture_nap(1);
    }
    return false;
}

/* All that the dead held has been given back, and nothing else was touched. (tried: a recovery that leaves pins, watches
 * or readers: each is seen here.) */
static void become_alone_and_sound(void)
{
    assert_true(is_alone());
    shm_fixture_verify_quiet(arena);
}

/* Bytes in use once the reclaimer had its turns: free ones do not change any more. */
static uint64_t bytes_in_use(void)
{
    struct adit_stats s = {.size = sizeof s};
    uint64_t before = UINT64_MAX, now = 0;
    for (uint32_t i = 0; i < 100 && now != before; i++) {
        before = i ? now : before;
        (void)adit_reclaim(arena, true);
        shm_fixture_nap(20);
        REQUIRE(!adit_stats(arena, &s));
        now = s.segments[1].bytes - s.segments[1].free_bytes + s.segments[0].bytes - s.segments[0].free_bytes;
    }
    return now;
}

static void read_and_pin(void *user)
{
    struct post *p = user;
    struct adit_arena *a = shm_fixture_attach("recover", ADIT_CONSUMER);
    struct adit_reader *r;
    struct adit_chunk_view view;
    struct adit_watch *w;
    uint32_t pin;
    REQUIRE(!adit_reader_open(a, &r) && !adit_watch_open(a, NULL, &w));
    adit_enter(r);
    REQUIRE(!adit_chunk_acquire(r, &origin, &view) && !adit_pin(r, view.ref, &pin) && !adit_pin(r, view.ref, &pin));
    wait_to_be_killed(p);
}

static void a_reader_killed_in_its_section_holds_nothing_back(void **state)
{
    struct post *p = shm_fixture_shared(sizeof *p);
    struct adit_stats s = {.size = sizeof s};
    (void)state;
    assert_int_equal(adit_chunk_put(arena, &origin, voxels, NULL), 0);
    uint64_t before = bytes_in_use();
    kill_in(read_and_pin, p);
    become_alone_and_sound();
    for (uint32_t i = 0; i < 20; i++) {
        voxels[i] = (uint16_t)(i + 1);
        assert_int_equal(adit_chunk_put(arena, &origin, voxels, NULL), 0);
    }
    memset(voxels, 0, sizeof voxels);
    assert_int_equal(adit_chunk_put(arena, &origin, voxels, NULL), 0);
    assert_int_equal(bytes_in_use(), before);
    assert_int_equal(adit_stats(arena, &s), 0);
    assert_int_equal(s.watches, 0);
    assert_int_equal(adit_grace_period(arena, 1000000000u), 0);
    shm_fixture_verify_quiet(arena);
}

static void take_loans(void *user)
{
    struct post *p = user;
    struct adit_arena *a = shm_fixture_attach("recover", ADIT_PRODUCER);
    struct adit_loan loans[3];
    struct adit_ring *ring;
    struct adit_reader *r;
    uint64_t ref;
    for (uint32_t i = 0; i < 3; i++)
        REQUIRE(!adit_chunk_loan(a, &(struct adit_key){.x = (int32_t)i}, &loans[i]));
    REQUIRE(!adit_block_alloc(a, 100000, ADIT_BLOCK_HERE, &ref));
    adit_block_publish(a, ref); /* published, and named by nothing */
    REQUIRE(!adit_block_alloc(a, 5000, ADIT_BLOCK_HERE, &ref));
    adit_block_publish(a, ref);
    REQUIRE(!adit_reader_open(a, &r));
    adit_enter(r);
    adit_retire(a, ref); /* retired, and held back by a section of its own */
    REQUIRE(!adit_block_alloc(a, 5000, ADIT_BLOCK_HEAP, &ref));
    adit_block_publish(a, ref); /* as of a ring not yet named, in the heap (tried: reclaimers that pass by segment 0 leave it there) */
    REQUIRE(!adit_ring_open(a, "kept", NULL, &ring));
    wait_to_be_killed(p);
}

static void what_a_killed_writer_had_on_loan_is_free_again(void **state)
{
    struct post *p = shm_fixture_shared(sizeof *p);
    struct adit_ring *ring;
    (void)state;
    uint64_t before = bytes_in_use();
    kill_in(take_loans, p);
    become_alone_and_sound();
    assert_int_equal(adit_ring_open(arena, "kept", NULL, &ring), 0); /* a ring outlives its maker */
    adit_ring_close(&ring);
    assert_int_equal(adit_ring_destroy(arena, "kept"), 0);
    assert_int_equal(bytes_in_use(), before);
    shm_fixture_verify_quiet(arena);
}

static void claim_and_stay(void *user)
{
    struct adit_arena *a = shm_fixture_attach("recover", ADIT_PRODUCER);
    uint32_t cursor = 0, index;
    REQUIRE(adit_dirty_claim(a, &cursor, &index));
    wait_to_be_killed(user);
}

static void a_chunk_whose_mesher_is_killed_is_meshed_by_another(void **state)
{
    struct post *p = shm_fixture_shared(sizeof *p);
    struct adit_dispatcher *d;
    (void)state;
    voxels[77] = 5;
    assert_int_equal(adit_chunk_put(arena, &origin, voxels, NULL), 0);
    kill_in(claim_and_stay, p);
    become_alone_and_sound();
    assert_int_equal(adit_dispatcher_open(arena, NULL, &d), 0);
    assert_int_equal(adit_settle(arena, 20000000000u), 0);
    adit_dispatcher_close(&d);
    struct adit_reader *r;
    struct adit_mesh_view mesh;
    struct adit_chunk_view view;
    assert_int_equal(adit_reader_open(arena, &r), 0);
    adit_enter(r);
    assert_int_equal(adit_chunk_acquire(r, &origin, &view), 0);
    assert_int_equal(adit_mesh_acquire(r, &origin, &mesh), 0);
    assert_int_equal(mesh.source[0], view.version);
    assert_int_equal(mesh.faces, 6);
    adit_exit(r);
    adit_reader_close(&r);
    shm_fixture_verify_quiet(arena);
    memset(voxels, 0, sizeof voxels);
}

/* As adit_publish_version does it, as far as the commit. */
static void commit_and_stay(void *user)
{
    struct adit_arena *a = shm_fixture_attach("recover", ADIT_PRODUCER);
    struct adit_loan loan;
    struct adit_reader *r;
    REQUIRE(!adit_chunk_loan(a, &origin, &loan));
    memset(loan.voxels, 0, sizeof voxels);
    loan.voxels[9] = 3;
    REQUIRE(!adit_chunk_prepare(a, &loan) && !adit_rcu_borrow(a, &r));
    struct adit_entry *entry = &a->entries[loan.index];
    struct adit_version *head = adit_arena_at(a, loan.ref, sizeof *head);
    adit_block_publish(a, loan.ref);
    adit_rcu_enter(r);
    uint64_t old = adit_load_acquire(&entry->current);
    head->version = adit_store_number(entry, old) + 1;
    adit_intent_set(a, r, ADIT_INTENT_VERSION, loan.index, old);
    REQUIRE(adit_cas_acq_rel(&entry->current, &old, adit_commit_make(head->version, loan.ref)));
    wait_to_be_killed(user);
}

static void a_version_committed_by_the_dead_is_told_of_and_the_old_one_goes(void **state)
{
    struct post *p = shm_fixture_shared(sizeof *p);
    struct adit_watch *w;
    struct adit_watch_event event;
    uint32_t index, cursor = 0;
    (void)state;
    assert_int_equal(adit_chunk_put(arena, &origin, voxels, NULL), 0);
    assert_int_equal(adit_watch_open(arena, NULL, &w), 0);
    while (adit_dirty_claim(arena, &cursor, &index)) /* nothing is dirty any more */
        adit_dirty_finish(arena, index, false);
    kill_in(commit_and_stay, p);
    become_alone_and_sound();
    assert_int_equal(adit_watch_next(w, &event, 10000000000u), 0);
    assert_int_equal(event.key.x, origin.x);
    assert_true(adit_dirty_claim(arena, &cursor, &index));
    adit_dirty_finish(arena, index, false);
    adit_watch_close(&w);
    uint64_t now = bytes_in_use();
    assert_int_equal(adit_chunk_put(arena, &origin, voxels, NULL), 0); /* as large as what it replaces, or smaller */
    assert_true(bytes_in_use() <= now);
    shm_fixture_verify_quiet(arena);
}

static void join_and_stay(void *user)
{
    struct post *p = user;
    struct adit_arena *a = shm_fixture_attach("recover", ADIT_PRODUCER);
    uint64_t word = adit_load_relaxed(&a->self->word);
    a->self->start_time = 0; /* as before it was written */
    adit_store_release(&a->self->word, adit_part_with(word, ADIT_PART_JOINING));
    wait_to_be_killed(p);
}

static void a_half_made_attachment_is_undone(void **state)
{
    struct post *p = shm_fixture_shared(sizeof *p);
    (void)state;
    kill_in(join_and_stay, p);
    become_alone_and_sound();
}

static void stay(void *user)
{
    (void)shm_fixture_attach("recover", ADIT_CONSUMER);
    wait_to_be_killed(user);
}

static void nap_on(void *user)
{
    (void)user;
    for (;;)
        shm_fixture_nap(1000);
}

/* A fork of the keeper's process has copies of its descriptors, pidfds too, until it calls exec: what they tell must end with the
 * participant they were opened for. (tried: without EPOLL_CTL_DEL the newcomer is recovered alive) */
static void who_gets_the_slot_of_a_dead_one_is_not_taken_for_it(void **state)
{
    struct post *first = shm_fixture_shared(sizeof *first), *second = shm_fixture_shared(sizeof *second);
    (void)state;
    pid_t child = shm_fixture_fork(stay, first);
    shm_fixture_until(&first->ready, 1);
    shm_fixture_nap(50); /* the keeper has seen it */
    pid_t fork_of_keeper = shm_fixture_fork(nap_on, NULL);
    kill(child, SIGKILL);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    assert_true(is_alone());
    child = shm_fixture_fork(stay, second);
    shm_fixture_until(&second->ready, 1);
    shm_fixture_nap(100);
    struct adit_stats s = {.size = sizeof s};
    assert_int_equal(adit_stats(arena, &s), 0);
    assert_int_equal(s.participants, 2);
    kill(child, SIGKILL);
    kill(fork_of_keeper, SIGKILL);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    assert_int_equal(shm_fixture_wait(fork_of_keeper), -SIGKILL);
    become_alone_and_sound();
}

/* A keeper that dies in a recovery leaves DEAD; here the word alone says so. */
static void a_recovery_cut_off_is_finished_by_the_next_round(void **state)
{
    struct post *p = shm_fixture_shared(sizeof *p);
    (void)state;
    pid_t child = shm_fixture_fork(stay, p);
    shm_fixture_until(&p->ready, 1);
    kill(child, SIGSTOP);
    shm_fixture_nap(200);
    struct adit_stats s = {.size = sizeof s};
    assert_int_equal(adit_stats(arena, &s), 0);
    assert_int_equal(s.participants, 2); /* stopped is not dead */
    shm_fixture_verify(arena, ADIT_VERIFY_LIVING);
    kill(child, SIGKILL);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    become_alone_and_sound();
    uint32_t recovered;
    assert_int_equal(adit_recover_all(arena, &recovered), 0);
    assert_int_equal(recovered, 0);
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    arena = shm_fixture_create("recover", NULL, 8u << 20);
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
        cmocka_unit_test(a_reader_killed_in_its_section_holds_nothing_back),
        cmocka_unit_test(what_a_killed_writer_had_on_loan_is_free_again),
        cmocka_unit_test(a_chunk_whose_mesher_is_killed_is_meshed_by_another),
        cmocka_unit_test(a_version_committed_by_the_dead_is_told_of_and_the_old_one_goes),
        cmocka_unit_test(a_half_made_attachment_is_undone),
        cmocka_unit_test(who_gets_the_slot_of_a_dead_one_is_not_taken_for_it),
        cmocka_unit_test(a_recovery_cut_off_is_finished_by_the_next_round),
    };
    return cmocka_run_group_tests_name("recover", tests, set_up, tear_down);
}
