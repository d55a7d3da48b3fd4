/* Locks for users (shm/lock.h): drafts and commits, contention, holders killed anywhere, readers that never see half a value. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/shm_fixture.h"
#include "tests/stepped.h"

#define WAIT_NS 20000000000ull
#define WORDS 96u /* of the object: more than a line, less than a page */
#define KILLS 300u

static struct adit_arena *arena;

static struct adit_lock *open_in(struct adit_arena *a, const char *name, uint32_t bytes)
{
    struct adit_lock_params p = {.size = sizeof p, .bytes = bytes};
    struct adit_lock *l;
    REQUIRE(!adit_lock_open(a, name, &p, &l));
    return l;
}

/* A value is legal when its words are n, n + 1, n + 2, ... for one n, or all 0, as it was made. */
static void write_value(uint64_t *words, uint64_t n)
{
    for (uint64_t i = 0; i < WORDS; i++)
        words[i] = n + i;
}

static bool is_legal(const uint64_t *words)
{
    for (uint64_t i = 0; i < WORDS; i++)
        if (words[i] != (words[1] ? words[0] + i : 0))
            return false;
    return true;
}

static void drafts_are_committed_or_not(void **state)
{
    struct adit_lock *l = open_in(arena, "draft", 64), *again = open_in(arena, "draft", 64);
    uint64_t *draft, value, version;
    void *bytes;
    (void)state;
    assert_int_equal(adit_lock_read(l, &value, 8, &version), 0);
    assert_int_equal(value, 0);
    assert_int_equal(version, 0);
    assert_int_equal(adit_lock_unlock(l), -EPERM);
    for (uint64_t i = 1; i < 6; i++) {
        assert_int_equal(adit_lock_lock(l, WAIT_NS, &bytes), 0);
        draft = bytes;
        assert_int_equal(*draft, i - 1);
        *draft = i;
        assert_int_equal(adit_lock_lock(l, WAIT_NS, &bytes), -EDEADLK);
        assert_null(bytes);
        assert_int_equal(adit_lock_read(again, &value, 8, NULL), 0);
        assert_int_equal(value, i - 1);
        assert_int_equal(adit_lock_unlock(again), -EPERM); /* another handle's */
        assert_int_equal(adit_lock_unlock(l), 0);
        assert_int_equal(adit_lock_read(again, &value, 8, &version), 0);
        assert_int_equal(value, i);
        assert_int_equal(version, i);
        assert_int_equal(adit_lock_lock(again, WAIT_NS, &bytes), 0);
        *(uint64_t *)bytes = 77;
        assert_int_equal(adit_lock_discard(again), 0);
        assert_int_equal(adit_lock_read(l, &value, 8, &version), 0);
        assert_int_equal(value, i);
    }
    assert_int_equal(adit_lock_lock(l, 0, &bytes), 0);
    adit_lock_close(&l); /* gives it back */
    assert_null(l);
    assert_int_equal(adit_lock_lock(again, 0, &bytes), 0);
    adit_lock_close(&again);
    adit_lock_close(&again);
}

static void names_and_sizes_are_checked(void **state)
{
    static const char too_long[] = "012345678901234567890123456789012345678901234567";
    struct adit_lock_params p = {.size = sizeof p, .bytes = 128}, large = {.size = sizeof p, .bytes = 4097};
    struct adit_lock *l, *largest = open_in(arena, "largest", 4096);
    struct adit_arena *observer = shm_fixture_attach("locks", ADIT_OBSERVER);
    char copy[65];
    void *bytes;
    (void)state;
    assert_int_equal(adit_lock_open(arena, "draft", &p, &l), -EEXIST);
    assert_null(l);
    assert_int_equal(adit_lock_open(arena, "large", &large, &l), -EINVAL);
    assert_int_equal(adit_lock_open(arena, "", NULL, &l), -EINVAL);
    assert_int_equal(adit_lock_open(arena, NULL, NULL, &l), -EINVAL);
    assert_int_equal(adit_lock_open(arena, too_long, NULL, &l), -EINVAL);
    p.size = sizeof p + 8;
    assert_int_equal(adit_lock_open(arena, "size", &p, &l), -EMSGSIZE);
    assert_int_equal(adit_lock_open(observer, "none", NULL, &l), -ENOENT);
    assert_int_equal(adit_lock_open(observer, "draft", NULL, &l), 0); /* 64 bytes, the default */
    assert_int_equal(adit_lock_read(l, copy, 64, NULL), 0);
    assert_int_equal(adit_lock_read(l, copy, 65, NULL), -EINVAL);
    assert_int_equal(adit_lock_lock(l, 0, &bytes), -EROFS);
    adit_lock_close(&l);
    adit_detach(&observer);
    assert_int_equal(adit_lock_lock(largest, WAIT_NS, &bytes), 0);
    memset(bytes, 0x5a, 4096);
    assert_int_equal(adit_lock_unlock(largest), 0);
    assert_int_equal(adit_lock_lock(largest, WAIT_NS, &bytes), 0);
    assert_int_equal(((uint8_t *)bytes)[4095], 0x5a);
    adit_lock_close(&largest);
    assert_int_equal(arena->locks[63].state, 0);
    for (uint32_t i = 2; i <= arena->locks_max; i++) {
        char name[16];
        snprintf(name, sizeof name, "many%u", i);
        int error = adit_lock_open(arena, name, NULL, &l);
        assert_int_equal(error, i < arena->locks_max ? 0 : -ENOSPC);
        adit_lock_close(&l);
    }
    for (uint32_t i = 10; i < arena->locks_max; i++) /* back to what the other tests need */
        arena->locks[i].state = 0;
}

/* ---- contention */

static void raise_in_child(void *user)
{
    (void)user;
    struct adit_arena *a = shm_fixture_attach("locks", ADIT_CONSUMER);
    struct adit_lock *l = open_in(a, "raced", WORDS * 8);
    for (uint32_t i = 0; i < 5000; i++) {
        void *bytes;
        uint64_t seen[WORDS];
        REQUIRE(!adit_lock_lock(l, WAIT_NS, &bytes));
        uint64_t *words = bytes;
        REQUIRE(is_legal(words));
        write_value(words, words[0] + 1);
        REQUIRE(!adit_lock_unlock(l));
        if (!adit_lock_read(l, seen, sizeof seen, NULL))
            REQUIRE(is_legal(seen));
    }
    adit_lock_close(&l);
    adit_detach(&a);
}

static void racing_processes_lose_no_change(void **state)
{
    pid_t children[3];
    uint64_t words[WORDS], version;
    (void)state;
    for (uint32_t i = 0; i < 3; i++) /* the name is raced for, too */
        children[i] = shm_fixture_fork(raise_in_child, NULL);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(shm_fixture_wait(children[i]), 0);
    struct adit_lock *l = open_in(arena, "raced", WORDS * 8);
    assert_int_equal(adit_lock_read(l, words, sizeof words, &version), 0);
    assert_int_equal(words[0], 15000);
    assert_int_equal(version, 15000);
    assert_true(is_legal(words));
    adit_lock_close(&l);
}

static void *raise_in_thread(void *user)
{
    struct adit_lock *l = open_in(arena, "threads", WORDS * 8);
    (void)user;
    for (uint32_t i = 0; i < 5000; i++) {
        void *bytes;
        uint64_t seen[WORDS];
        REQUIRE(!adit_lock_lock(l, WAIT_NS, &bytes));
        write_value(bytes, *(uint64_t *)bytes + 1);
        REQUIRE(!adit_lock_unlock(l));
        if (!adit_lock_read(l, seen, sizeof seen, NULL))
            REQUIRE(is_legal(seen));
    }
    adit_lock_close(&l);
    return NULL;
}

static void racing_threads_lose_no_change(void **state)
{
    pthread_t threads[3];
    uint64_t value;
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        REQUIRE(!pthread_create(&threads[i], NULL, raise_in_thread, NULL));
    for (uint32_t i = 0; i < 3; i++)
        REQUIRE(!pthread_join(threads[i], NULL));
    struct adit_lock *l = open_in(arena, "threads", WORDS * 8);
    assert_int_equal(adit_lock_read(l, &value, 8, NULL), 0);
    assert_int_equal(value, 15000);
    adit_lock_close(&l);
}

/* ---- a reader with two commits between any two of its instructions */

struct between {
    struct adit_lock *reader, *writer;
    uint32_t at;
    int error;
    uint64_t words[WORDS];
};

static bool commit_twice(uint32_t n, void *user)
{
    struct between *b = user;
    if (n < b->at)
        return true;
    for (uint32_t i = 0; i < 2; i++) {
        void *bytes;
        REQUIRE(!adit_lock_lock(b->writer, 0, &bytes));
        write_value(bytes, *(uint64_t *)bytes + 1);
        REQUIRE(!adit_lock_unlock(b->writer));
    }
    return false;
}

static void read_once(void *user)
{
    struct between *b = user;
    b->error = adit_lock_read(b->reader, b->words, sizeof b->words, NULL);
}

static void a_reader_never_sees_a_torn_value(void **state)
{
    struct between b = {.reader = open_in(arena, "raced", WORDS * 8), .writer = open_in(arena, "raced", WORDS * 8)};
    (void)state;
    for (b.at = 1; b.at < 5000; b.at += STEPPED_STRIDE) {
        uint32_t steps = stepped_run(read_once, commit_twice, &b);
        assert_int_equal(b.error, 0);
        assert_true(is_legal(b.words));
        if (steps < b.at)
            break;
    }
    adit_lock_close(&b.reader);
    adit_lock_close(&b.writer);
    assert_true(b.at == 1 || b.at > WORDS); /* 1: not by steps here */
}

/* ---- deaths */

/* Once the dead have been recovered, nothing is held and nothing left. */
static void become_alone_and_sound(void)
{
    struct adit_stats s = {.size = sizeof s};
    for (uint32_t i = 0; i < 5000 && s.participants != 1; i++) {
        shm_fixture_nap(1);
        assert_int_equal(adit_stats(arena, &s), 0);
    }
    assert_int_equal(s.participants, 1);
    shm_fixture_verify_quiet(arena);
}

static uint32_t dies_after;

static bool die_there(uint32_t n, void *user)
{
    (void)user;
    if (n >= dies_after)
        kill(getpid(), SIGKILL);
    return true;
}

static void change_once(void *user)
{
    struct adit_lock *l = user;
    void *bytes;
    if (adit_lock_lock(l, WAIT_NS, &bytes) < 0)
        return;
    write_value(bytes, *(uint64_t *)bytes + 1000);
    (void)adit_lock_unlock(l);
}

static uint32_t *steps_taken;

static void die_at_some_instruction(void *user)
{
    (void)user;
    struct adit_lock *l = open_in(arena, "stepped", WORDS * 8); /* the parent's mapping: this one's identity is not needed */
    change_once(l);
    *steps_taken = stepped_run(change_once, die_there, l);
}

static void a_death_at_any_instruction_leaves_a_legal_value(void **state)
{
    struct adit_lock *l = open_in(arena, "stepped", WORDS * 8);
    uint64_t before = 0, words[WORDS], notes = 0, quiet = 0;
    void *bytes;
    (void)state;
    steps_taken = shm_fixture_shared(sizeof *steps_taken);
    for (dies_after = 1; dies_after < 5000; dies_after += STEPPED_STRIDE) {
        int end = shm_fixture_in_child(die_at_some_instruction, NULL);
        assert_int_equal(adit_lock_read(l, words, sizeof words, NULL), 0);
        assert_true(is_legal(words));
        assert_true(words[0] == before + 1000 || words[0] == before + 2000);
        int got = adit_lock_lock(l, WAIT_NS, &bytes);
        assert_true(got == 0 || got == 1);
        notes += got == 1;
        quiet += got == 0;
        assert_memory_equal(bytes, words, sizeof words);
        before = words[0];
        assert_int_equal(adit_lock_discard(l), 0);
        if (!end)
            break;
        assert_int_equal(end, -SIGKILL);
        if (dies_after / STEPPED_STRIDE % 8 == 0)
            shm_fixture_verify_quiet(arena);
    }
    adit_lock_close(&l);
    become_alone_and_sound();
    if (!*steps_taken) {
        print_message("not by steps here\n");
        skip();
    }
    assert_true(notes > WORDS / STEPPED_STRIDE && quiet > 1);
}

static void change_for_ever(void *user)
{
    uint32_t *made = user;
    struct adit_arena *a = shm_fixture_attach("locks", ADIT_CONSUMER);
    struct adit_lock *l = open_in(a, "storm", WORDS * 8);
    for (;;) {
        void *bytes;
        int got = adit_lock_lock(l, WAIT_NS, &bytes);
        REQUIRE(got == 0 || got == 1);
        REQUIRE(is_legal(bytes));
        write_value(bytes, *(uint64_t *)bytes + 1);
        REQUIRE(!adit_lock_unlock(l));
        __atomic_fetch_add(made, 1, __ATOMIC_RELAXED);
    }
}

/* Two holders, one of which is killed at a random moment, again and again, while this process reads. */
static void a_storm_of_kills_leaves_legal_values(void **state)
{
    uint32_t *made = shm_fixture_shared(64);
    uint64_t seed = 11, words[WORDS], version, version_before = 0, died = 0;
    struct adit_lock *l = open_in(arena, "storm", WORDS * 8);
    pid_t children[2];
    (void)state;
    for (uint32_t i = 0; i < 2; i++)
        children[i] = shm_fixture_fork(change_for_ever, made);
    for (uint32_t k = 0; k < KILLS; k++) {
        uint32_t victim = (uint32_t)(shm_fixture_random(&seed) % 2), before = __atomic_load_n(made, __ATOMIC_RELAXED);
        shm_fixture_until(made, before + 1);
        for (uint64_t n = shm_fixture_random(&seed) % 64; n; n--) {
            if (adit_lock_read(l, words, sizeof words, &version))
                continue;
            assert_true(is_legal(words));
            assert_int_equal(words[0], version); /* each commit added one: none is lost, none came twice */
            assert_true(version >= version_before);
            version_before = version;
        }
        kill(children[victim], SIGKILL);
        assert_int_equal(shm_fixture_wait(children[victim]), -SIGKILL);
        void *bytes;
        int got = adit_lock_lock(l, WAIT_NS, &bytes);
        assert_true(got == 0 || got == 1);
        died += got == 1;
        assert_true(is_legal(bytes));
        assert_int_equal(adit_lock_discard(l), 0);
        shm_fixture_verify(arena, 0);
        children[victim] = shm_fixture_fork(change_for_ever, made);
    }
    for (uint32_t i = 0; i < 2; i++) {
        kill(children[i], SIGKILL);
        assert_int_equal(shm_fixture_wait(children[i]), -SIGKILL);
    }
    adit_lock_close(&l);
    become_alone_and_sound();
    print_message("%u kills, %u of them of the holder seen here\n", KILLS, (uint32_t)died);
}

static void hold_until_killed(void *user)
{
    struct adit_lock *l = open_in(arena, "stopped", WORDS * 8);
    void *bytes;
    REQUIRE(!adit_lock_lock(l, WAIT_NS, &bytes));
    write_value(bytes, 500);
    __atomic_store_n((uint32_t *)user, 1, __ATOMIC_RELEASE);
    for (;;)
        pause();
}

static void a_stopped_holder_keeps_the_lock_and_no_reader(void **state)
{
    uint32_t *step = shm_fixture_shared(64);
    struct adit_lock *l = open_in(arena, "stopped", WORDS * 8);
    uint64_t words[WORDS];
    void *bytes;
    (void)state;
    assert_int_equal(adit_lock_lock(l, 0, &bytes), 0);
    write_value(bytes, 400);
    assert_int_equal(adit_lock_unlock(l), 0);
    pid_t child = shm_fixture_fork(hold_until_killed, step);
    shm_fixture_until(step, 1);
    kill(child, SIGSTOP);
    assert_int_equal(adit_lock_lock(l, 20000000, &bytes), -ETIMEDOUT); /* stopped is not dead */
    assert_int_equal(adit_lock_read(l, words, sizeof words, NULL), 0);
    assert_int_equal(words[0], 400);
    assert_true(is_legal(words));
    kill(child, SIGKILL);
    assert_int_equal(adit_lock_lock(l, WAIT_NS, &bytes), 1);
    assert_int_equal(((uint64_t *)bytes)[0], 400);
    assert_int_equal(adit_lock_unlock(l), 0);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    adit_lock_close(&l);
    become_alone_and_sound();
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    arena = shm_fixture_create("locks", NULL, 2u << 20);
    return 0;
}

static int tear_down(void **state)
{
    adit_detach(&arena);
    return shm_fixture_tear_down(state);
}

/* (tried: readers without their second look, or the draft in the committed copy: both are found.) */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drafts_are_committed_or_not),
        cmocka_unit_test(names_and_sizes_are_checked),
        cmocka_unit_test(racing_processes_lose_no_change),
        cmocka_unit_test(racing_threads_lose_no_change),
        cmocka_unit_test(a_reader_never_sees_a_torn_value),
        cmocka_unit_test(a_death_at_any_instruction_leaves_a_legal_value),
        cmocka_unit_test(a_storm_of_kills_leaves_legal_values),
        cmocka_unit_test(a_stopped_holder_keeps_the_lock_and_no_reader),
    };
    return cmocka_run_group_tests_name("locks", tests, set_up, tear_down);
}
