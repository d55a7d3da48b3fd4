/* Sections, grace periods, retiring, pins (shm/rcu.h, shm/retire.h, shm/pin.h): when a block may go, and who frees it. */
#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/shm_fixture.h"

static struct adit_arena *arena;

static uint64_t published_block(struct adit_arena *a)
{
    uint64_t ref;
    REQUIRE(!adit_block_alloc(a, 3000, ADIT_BLOCK_HERE, &ref));
    adit_block_publish(a, ref);
    return ref;
}

struct look {
    uint64_t ref, word;
};
static void look_at(uint64_t ref, uint64_t word, void *user)
{
    struct look *l = user;
    if (ref == l->ref)
        l->word = word;
}
static enum adit_block_state state_of(uint64_t ref)
{
    struct look l = {.ref = ref};
    adit_block_each(arena, 1, look_at, &l);
    return adit_word_state(l.word); /* merged into a free run: INSIDE */
}
static bool is_free(uint64_t ref)
{
    enum adit_block_state s = state_of(ref);
    return s == ADIT_BLOCK_FREE || s == ADIT_BLOCK_INSIDE;
}

/* Reclaims until ref is free; bounded. */
static bool goes(uint64_t ref)
{
    for (uint32_t i = 0; i < 1000 && !is_free(ref); i++) {
        (void)adit_reclaim(arena, true);
        shm_fixture_nap(1);
    }
    return is_free(ref);
}

static void a_retired_block_stays_while_a_section_is_open(void **state)
{
    struct adit_reader *r;
    (void)state;
    assert_int_equal(adit_reader_open(arena, &r), 0);
    uint64_t ref = published_block(arena);
    adit_enter(r);
    adit_retire(arena, ref);
    for (uint32_t i = 0; i < 3; i++)
        (void)adit_reclaim(arena, true);
    assert_int_equal(state_of(ref), ADIT_BLOCK_RETIRED);
    adit_exit(r);
    assert_true(goes(ref));
    adit_reader_close(&r);
}

static void a_pinned_block_stays_beyond_the_section(void **state)
{
    struct adit_reader *r;
    uint32_t pin, other;
    (void)state;
    assert_int_equal(adit_reader_open(arena, &r), 0);
    uint64_t ref = published_block(arena), loose = published_block(arena);
    adit_enter(r);
    assert_int_equal(adit_pin(r, ref, &pin), 0);
    assert_int_equal(adit_pin(r, ref, &other), 0); /* twice: two words */
    adit_exit(r);
    adit_retire(arena, ref);
    adit_retire(arena, loose);
    assert_true(goes(loose));
    assert_int_equal(state_of(ref), ADIT_BLOCK_RETIRED);
    assert_int_equal(adit_unpin(arena, pin), 0);
    assert_int_equal(adit_unpin(arena, pin), -EINVAL);
    for (uint32_t i = 0; i < 3; i++)
        (void)adit_reclaim(arena, true);
    assert_int_equal(state_of(ref), ADIT_BLOCK_RETIRED);
    assert_int_equal(adit_unpin(arena, other), 0);
    assert_true(goes(ref));
    assert_int_equal(adit_unpin(arena, UINT32_MAX), -EINVAL);
    adit_reader_close(&r);
}

static void a_grace_period_waits_for_old_sections_only(void **state)
{
    struct adit_reader *old, *young;
    (void)state;
    assert_int_equal(adit_reader_open(arena, &old), 0);
    assert_int_equal(adit_reader_open(arena, &young), 0);
    assert_int_equal(adit_grace_period(arena, 20000000000u), 0); /* nobody is inside */
    adit_enter(old);
    assert_int_equal(adit_grace_period(arena, 3000000), -ETIMEDOUT);
    assert_non_null(strstr(adit_detail(), "section"));
    assert_int_equal(adit_grace_period(arena, 0), -ETIMEDOUT);
    adit_enter(young); /* later than those grace periods began: it holds back only later ones */
    adit_exit(old);
    assert_int_equal(adit_grace_period(arena, 3000000), -ETIMEDOUT);
    adit_exit(young);
    assert_int_equal(adit_grace_period(arena, 20000000000u), 0);
    adit_reader_close(&old);
    adit_reader_close(&young);
}

struct coming_and_going {
    uint32_t stop, inside;
};
static void *come_and_go(void *user)
{
    struct coming_and_going *c = user;
    struct adit_reader *r;
    REQUIRE(!adit_reader_open(arena, &r));
    while (!__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
        adit_enter(r);
        __atomic_fetch_add(&c->inside, 1, __ATOMIC_RELAXED);
        adit_exit(r);
    }
    adit_reader_close(&r);
    return NULL;
}

static void readers_that_enter_again_do_not_hold_it_back(void **state)
{
    struct coming_and_going c = {0};
    pthread_t t;
    (void)state;
    assert_int_equal(pthread_create(&t, NULL, come_and_go, &c), 0);
    shm_fixture_until(&c.inside, 1);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(adit_grace_period(arena, 20000000000u), 0);
    __atomic_store_n(&c.stop, 1, __ATOMIC_RELEASE);
    pthread_join(t, NULL);
}

/* One of two objects is current; the other one's life ends with the grace period after it was replaced. */
struct objects {
    struct {
        uint64_t is_alive __attribute__((aligned(128)));
    } of[2];
    uint64_t current __attribute__((aligned(128)));
    uint32_t sections __attribute__((aligned(128))), stop, dead_seen, dawdles;
};

/* Sections whose entering store stands behind stores into cold lines: it becomes visible late, and the reads of the section go
 * ahead of it unless the grace period sees to it (tried: without a barrier each run reads dead objects; GLOBAL_EXPEDITED is
 * no such barrier where a thread has exited). Between them it may stay out for longer than a grace period waits for evidence. */
static void read_objects(struct adit_arena *a, struct objects *o)
{
    static struct {
        uint64_t word __attribute__((aligned(64)));
    } cold[8];
    struct adit_reader *r;
    REQUIRE(!adit_reader_open(a, &r));
    for (uint32_t n = 0; !__atomic_load_n(&o->stop, __ATOMIC_RELAXED); n++) {
        for (uint32_t k = o->dawdles ? n % 2000 * 4 : 0; k > 0; k--)
            adit_spin_pause();
#if defined(__x86_64__)
        for (uint32_t i = 0; i < 8; i++)
            __builtin_ia32_clflush(&cold[i]);
#endif
        for (uint32_t i = 0; i < 8; i++)
            adit_store_relaxed(&cold[i].word, n);
        adit_enter(r);
        uint64_t i = adit_load_acquire(&o->current);
        for (uint32_t k = n % 64; k > 0; k--)
            adit_spin_pause();
        if (!adit_load_relaxed(&o->of[i].is_alive))
            __atomic_add_fetch(&o->dead_seen, 1, __ATOMIC_RELAXED);
        adit_exit(r);
        if (n % 16 == 15)
            adit_rest(r);
        __atomic_store_n(&o->sections, n, __ATOMIC_RELAXED);
    }
    adit_reader_close(&r);
}

static void *read_objects_here(void *user)
{
    read_objects(arena, user);
    return NULL;
}

static void read_objects_there(void *user)
{
    struct adit_arena *a = shm_fixture_attach("rcu", ADIT_CONSUMER);
    read_objects(a, user);
    adit_detach(&a);
}

static void *exit_at_once(void *user) { return user; }

/* How many dead ones were read, by a thread of this process or by another process. */
static uint32_t race_for_objects(uint32_t sections, bool is_there, bool dawdles)
{
    struct objects *o = shm_fixture_shared(sizeof *o);
    pthread_t t;
    pid_t child = 0;
    *o = (struct objects){.of[0].is_alive = 1, .dawdles = dawdles};
    for (uint32_t i = 0; i < 4; i++) { /* what makes GLOBAL_EXPEDITED pass the next thread by */
        assert_int_equal(pthread_create(&t, NULL, exit_at_once, NULL), 0);
        pthread_join(t, NULL);
    }
    if (is_there)
        child = shm_fixture_fork(read_objects_there, o);
    else
        assert_int_equal(pthread_create(&t, NULL, read_objects_here, o), 0);
    for (uint64_t n = 1; n < 5000000 && __atomic_load_n(&o->sections, __ATOMIC_RELAXED) < sections; n++) {
        adit_store_relaxed(&o->of[n & 1].is_alive, 1);
        adit_store_release(&o->current, n & 1);
        assert_int_equal(adit_grace_period(arena, 20000000000u), 0);
        adit_store_relaxed(&o->of[~n & 1].is_alive, 0);
    }
    __atomic_store_n(&o->stop, 1, __ATOMIC_RELAXED);
    if (is_there)
        assert_int_equal(shm_fixture_wait(child), 0);
    else
        pthread_join(t, NULL);
    return o->dead_seen;
}

static void a_section_that_becomes_visible_late_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(race_for_objects(100000, false, false), 0);
    assert_int_equal(race_for_objects(3000, false, true), 0); /* mostly by evidence of a membarrier */
}

static void so_is_one_of_another_process(void **state)
{
    (void)state;
    assert_int_equal(race_for_objects(50000, true, false), 0);
    assert_int_equal(race_for_objects(3000, true, true), 0);
}

static void a_slot_says_where_its_reader_is(void **state)
{
    const uint64_t out = arena->fenced ? 0 : 2;
    struct adit_reader *r;
    (void)state;
    assert_int_equal(adit_reader_open(arena, &r), 0);
    const uint64_t *word = &arena->readers[r->index].epoch;
    assert_int_equal(*word, 0);
    for (uint32_t i = 0; i < 3; i++) {
        adit_enter(r);
        assert_int_equal(*word, arena->control->epoch);
        adit_exit(r);
        assert_int_equal(*word, out);
        if (i == 1) {
            adit_rest(r);
            assert_int_equal(*word, 0);
        }
    }
    assert_int_equal(adit_slot_state(0, 9), ADIT_SLOT_PASSED);
    assert_int_equal(adit_slot_state(2, 9), ADIT_SLOT_UNSURE);
    assert_int_equal(adit_slot_state(7, 9), ADIT_SLOT_INSIDE);
    assert_int_equal(adit_slot_state(9, 9), ADIT_SLOT_PASSED);
    assert_int_equal(adit_slot_state(11, 9), ADIT_SLOT_PASSED);
    adit_reader_close(&r);
}

/* As on a host without membarrier. */
static void a_section_is_waited_for_with_fences(void **state)
{
    const char *before = getenv("ADIT_DISABLE");
    char *kept = strdup(before ? before : "");
    struct adit_arena *usual = arena;
    (void)state;
    setenv("ADIT_DISABLE", "numa,membarrier", 1);
    arena = shm_fixture_create("fenced", NULL, 2u << 20);
    assert_int_equal(arena->fenced, 1);
    uint32_t dead_seen = race_for_objects(50000, false, false);
    adit_detach(&arena);
    arena = usual;
    setenv("ADIT_DISABLE", kept, 1);
    free(kept);
    assert_int_equal(dead_seen, 0);
}

/* How often threads of this process have slept so far. */
static uint64_t sleeps(void)
{
    uint64_t all = 0;
    glob_t tasks;
    assert_int_equal(glob("/proc/self/task/[0-9]*/status", 0, NULL, &tasks), 0);
    for (size_t i = 0; i < tasks.gl_pathc; i++) {
        char line[128];
        unsigned long long n = 0;
        FILE *f = fopen(tasks.gl_pathv[i], "re");
        while (f && fgets(line, sizeof line, f))
            if (sscanf(line, "voluntary_ctxt_switches: %llu", &n) == 1)
                all += n;
        if (f)
            fclose(f);
    }
    globfree(&tasks);
    return all;
}

/* (tried: naps of 16 ms at most: 60 more) */
static void nobody_is_busy_where_nothing_happens(void **state)
{
    (void)state;
    shm_fixture_nap(1000); /* naps grow */
    uint64_t before = sleeps();
    shm_fixture_nap(1000);
    assert_in_range(sleeps() - before, 1, 40);
}

static void readers_are_counted_and_come_back(void **state)
{
    struct adit_reader *r[64], *more;
    uint32_t n = 0;
    int error = 0;
    (void)state;
    while (n < 64 && !(error = adit_reader_open(arena, &r[n])))
        n++;
    assert_int_equal(error, -EUSERS);
    assert_null(r[n]);
    assert_non_null(strstr(adit_detail(), "readers_max"));
    assert_in_range(n, 1, 8);
    adit_reader_close(&r[--n]);
    assert_int_equal(adit_reader_open(arena, &more), 0);
    adit_reader_close(&more);
    while (n-- > 0)
        adit_reader_close(&r[n]);
    adit_reader_close(&more); /* NULL */
}

static void calls_without_a_reader_slot_say_so_and_work_again(void **state)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    struct adit_arena *other = shm_fixture_attach("rcu", ADIT_PRODUCER);
    struct adit_voxel_edit edit = {1, 2, 3, 0, 4};
    struct adit_key key = {.x = 5};
    struct adit_reader *r[8], *borrowed;
    struct adit_loan loan;
    uint32_t n = 0;
    (void)state;
    assert_int_equal(adit_chunk_put(arena, &key, voxels, NULL), 0);
    while (n < 8 && !adit_reader_open(arena, &r[n]))
        n++;
    assert_int_equal(adit_rcu_borrow(other, &borrowed), -EUSERS);
    assert_non_null(strstr(adit_detail(), "readers_max"));
    assert_int_equal(adit_chunk_put(other, &key, voxels, NULL), -EUSERS);
    assert_int_equal(adit_chunk_edit(other, &key, &edit, 1, NULL), -EUSERS);
    assert_int_equal(adit_chunk_remove(other, &key, NULL), -EUSERS);
    assert_int_equal(adit_chunk_loan(other, &key, &loan), 0);
    memset(loan.voxels, 0, sizeof voxels);
    assert_int_equal(adit_chunk_publish(other, &loan, NULL), -EUSERS);
    adit_reader_close(&r[--n]);
    assert_int_equal(adit_chunk_publish(other, &loan, NULL), 0);
    assert_int_equal(adit_chunk_edit(other, &key, &edit, 1, NULL), 0);
    assert_int_equal(adit_chunk_remove(other, &key, NULL), 0);
    while (n > 0)
        adit_reader_close(&r[--n]);
    adit_detach(&other);
}

struct holder {
    uint64_t ref;
    uint32_t pinned, let_go, left;
};
static void pin_and_hold(void *user)
{
    struct holder *h = user;
    struct adit_arena *c = shm_fixture_attach("rcu", ADIT_CONSUMER);
    struct adit_reader *r;
    uint32_t pin;
    REQUIRE(!adit_reader_open(c, &r));
    adit_enter(r);
    REQUIRE(!adit_pin(r, h->ref, &pin));
    adit_exit(r);
    __atomic_store_n(&h->pinned, 1, __ATOMIC_RELEASE);
    shm_fixture_until(&h->let_go, 1);
    REQUIRE(!adit_unpin(c, pin));
    adit_reader_close(&r);
    adit_detach(&c);
}
static void retire_and_leave(void *user)
{
    struct holder *h = user;
    struct adit_arena *p = shm_fixture_attach("rcu", ADIT_PRODUCER);
    adit_retire(p, h->ref);
    adit_detach(&p);
}

static void what_a_leaver_could_not_free_is_freed_by_another(void **state)
{
    struct holder *h = shm_fixture_shared(sizeof *h);
    (void)state;
    h->ref = published_block(arena);
    pid_t holding = shm_fixture_fork(pin_and_hold, h);
    shm_fixture_until(&h->pinned, 1);
    assert_int_equal(shm_fixture_in_child(retire_and_leave, h), 0);
    for (uint32_t i = 0; i < 3; i++)
        (void)adit_reclaim(arena, true);
    assert_int_equal(state_of(h->ref), ADIT_BLOCK_RETIRED); /* its retirer is gone, the pin holds */
    __atomic_store_n(&h->let_go, 1, __ATOMIC_RELEASE);
    assert_int_equal(shm_fixture_wait(holding), 0);
    assert_true(goes(h->ref));
}

static int set_up(void **state)
{
    struct adit_create_params p = {.size = sizeof p, .readers_max = 8};
    if (shm_fixture_set_up(state))
        return -1;
    arena = shm_fixture_create("rcu", &p, 2u << 20);
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
        cmocka_unit_test(a_retired_block_stays_while_a_section_is_open),
        cmocka_unit_test(a_pinned_block_stays_beyond_the_section),
        cmocka_unit_test(a_grace_period_waits_for_old_sections_only),
        cmocka_unit_test(readers_that_enter_again_do_not_hold_it_back),
        cmocka_unit_test(a_section_that_becomes_visible_late_is_waited_for),
        cmocka_unit_test(so_is_one_of_another_process),
        cmocka_unit_test(a_slot_says_where_its_reader_is),
        cmocka_unit_test(a_section_is_waited_for_with_fences),
        cmocka_unit_test(nobody_is_busy_where_nothing_happens),
        cmocka_unit_test(readers_are_counted_and_come_back),
        cmocka_unit_test(calls_without_a_reader_slot_say_so_and_work_again),
        cmocka_unit_test(what_a_leaver_could_not_free_is_freed_by_another),
    };
    return cmocka_run_group_tests_name("rcu", tests, set_up, tear_down);
}
