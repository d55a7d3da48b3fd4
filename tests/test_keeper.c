/* No master (shm/keeper.h, shm/deaths.h): whoever is killed, the name goes on being served and the dead are recovered; a stopped
 * process is not dead; the last one out leaves nothing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/shm_fixture.h"

#define CREW 6

/* What children say of themselves. */
struct member {
    uint32_t ready, is_keeper, leave;
};

static const char *name; /* of the arena under test: one for each test, as a killed one's socket file stays for a moment */

/* A participant that says whether it is the keeper, until it is told to leave. */
static void take_part(struct adit_arena *a, struct member *m)
{
    __atomic_store_n(&m->ready, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&m->leave, __ATOMIC_ACQUIRE)) {
        __atomic_store_n(&m->is_keeper, adit_keeper_is_here(a), __ATOMIC_RELEASE);
        shm_fixture_nap(1);
    }
    adit_detach(&a);
}
static void create_and_take_part(void *user) { take_part(shm_fixture_create(name, NULL, 4u << 20), user); }
static void produce(void *user) { take_part(shm_fixture_attach(name, ADIT_PRODUCER), user); }
static void consume(void *user) { take_part(shm_fixture_attach(name, ADIT_CONSUMER), user); }

static pid_t start(void (*work)(void *user), struct member *m)
{
    pid_t child = shm_fixture_fork(work, m);
    shm_fixture_until(&m->ready, 1);
    return child;
}

static void end(pid_t child, struct member *m)
{
    __atomic_store_n(&m->leave, 100, __ATOMIC_RELEASE);
    assert_int_equal(shm_fixture_wait(child), 0);
}

static void kill_and_reap(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
}

/* Which of the crew that still run is the keeper; waits until one is. */
static uint32_t keeper_of(const struct member *m, const pid_t *crew)
{
    for (uint32_t i = 0; i < 20000; i++) {
        for (uint32_t k = 0; k < CREW; k++)
            if (crew[k] && __atomic_load_n(&m[k].is_keeper, __ATOMIC_ACQUIRE))
                return k;
        shm_fixture_nap(1);
    }
    REQUIRE(!"nobody became the keeper");
    return 0;
}

static uint32_t count_participants(struct adit_arena *a)
{
    struct adit_stats s = {.size = sizeof s};
    REQUIRE(!adit_stats(a, &s));
    return s.participants;
}

static void whoever_keeps_is_killed_and_another_goes_on(void **state)
{
    struct member *m = shm_fixture_shared(CREW * sizeof *m);
    pid_t crew[CREW];
    (void)state;
    name = "chain";
    for (uint32_t i = 0; i < CREW; i++)
        crew[i] = start(!i ? create_and_take_part : i % 2 ? produce : consume, &m[i]);
    for (uint32_t left = CREW; left > 1; left--) {
        uint32_t k = keeper_of(m, crew);
        kill_and_reap(crew[k]);
        crew[k] = 0;
        m[k].is_keeper = 0;
        struct adit_arena *a = shm_fixture_attach(name, ADIT_PRODUCER); /* producers, too, when consumers alone are left */
        for (uint32_t i = 0; i < 5000 && count_participants(a) != left; i++) /* left - 1 of the crew, and this one */
            shm_fixture_nap(1);
        assert_int_equal(count_participants(a), left);
        shm_fixture_verify(a, ADIT_VERIFY_LIVING); /* the others have their keeper's threads at work */
        adit_detach(&a);
    }
    uint32_t last = keeper_of(m, crew);
    end(crew[last], &m[last]);
}

static void a_keeper_that_leaves_hands_on(void **state)
{
    struct member *m = shm_fixture_shared(2 * sizeof *m);
    (void)state;
    name = "handed";
    pid_t creator = start(create_and_take_part, &m[0]), other = start(consume, &m[1]);
    shm_fixture_until(&m[0].is_keeper, 1);
    assert_int_equal(m[1].is_keeper, 0);
    end(creator, &m[0]);
    shm_fixture_until(&m[1].is_keeper, 1);
    struct adit_arena *a = shm_fixture_attach(name, ADIT_PRODUCER);
    struct adit_key key = {0};
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    shm_fixture_verify(a, ADIT_VERIFY_LIVING);
    adit_detach(&a);
    end(other, &m[1]);
}

/* The fixture's tear-down finds no socket left either. */
static void the_name_is_free_when_the_last_has_been_killed(void **state)
{
    struct member *m = shm_fixture_shared(2 * sizeof *m);
    (void)state;
    name = "ended";
    pid_t creator = start(create_and_take_part, &m[0]), other = start(produce, &m[1]);
    kill_and_reap(creator);
    kill_and_reap(other);
    struct adit_arena *a;
    assert_int_equal(adit_attach(name, ADIT_CONSUMER, NULL, &a), -ENOENT);
    a = shm_fixture_create(name, NULL, 4u << 20);
    assert_int_equal(count_participants(a), 1);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
    assert_int_equal(adit_attach(name, ADIT_CONSUMER, NULL, &a), -ENOENT);
}

static void a_stopped_participant_is_not_dead(void **state)
{
    struct member *m = shm_fixture_shared(sizeof *m);
    (void)state;
    name = "stopped";
    struct adit_arena *a = shm_fixture_create(name, NULL, 4u << 20);
    pid_t child = start(consume, m);
    kill(child, SIGSTOP);
    shm_fixture_nap(2500); /* longer than any round of the keeper */
    assert_int_equal(count_participants(a), 2);
    kill(child, SIGCONT);
    end(child, m);
    assert_int_equal(count_participants(a), 1);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
}

static struct member *second;
static void *consume_in_second_thread(void *user)
{
    (void)user;
    consume(second);
    syscall(SYS_exit_group, 0);
    return NULL;
}

static void end_first_thread(void *user)
{
    pthread_t t;
    second = user;
    REQUIRE(!pthread_create(&t, NULL, consume_in_second_thread, NULL));
    syscall(SYS_exit, 0); /* this thread alone: /proc calls such a process a zombie */
}

static void a_process_without_its_first_thread_is_not_dead(void **state)
{
    const char *before = getenv("ADIT_DISABLE");
    char *kept = strdup(before);
    (void)state;
    for (uint32_t by_proc = 0; by_proc < 2; by_proc++) {
        struct member *m = shm_fixture_shared(sizeof *m);
        if (by_proc)
            setenv("ADIT_DISABLE", "numa,pidfd", 1);
        name = by_proc ? "firstproc" : "first";
        struct adit_arena *a = shm_fixture_create(name, NULL, 4u << 20);
        pid_t child = start(end_first_thread, m);
        shm_fixture_nap(300);
        assert_int_equal(count_participants(a), 2);
        end(child, m);
        adit_detach(&a);
    }
    setenv("ADIT_DISABLE", kept, 1);
    free(kept);
}

static void without_pidfds_deaths_are_found_in_proc(void **state)
{
    const char *before = getenv("ADIT_DISABLE");
    char *kept = strdup(before);
    (void)state;
    setenv("ADIT_DISABLE", "numa,pidfd", 1);
    struct member *m = shm_fixture_shared(sizeof *m);
    name = "proc";
    struct adit_arena *a = shm_fixture_create(name, NULL, 4u << 20);
    pid_t child = start(consume, m);
    assert_int_equal(count_participants(a), 2);
    kill_and_reap(child);
    for (uint32_t i = 0; i < 5000 && count_participants(a) != 1; i++)
        shm_fixture_nap(1);
    assert_int_equal(count_participants(a), 1);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
    setenv("ADIT_DISABLE", kept, 1);
    free(kept);
}

#define NO_DESCRIPTORS 50u /* not even those it has for poll(2) */

/* Keeps, and then has but m->leave - 1 descriptors to spare. */
static void keep_with_few_descriptors(void *user)
{
    struct member *m = user;
    struct rlimit few;
    int taken[64];
    uint32_t n = 0;
    struct adit_arena *a = shm_fixture_create(name, NULL, 4u << 20);
    __atomic_store_n(&m->ready, 1, __ATOMIC_RELEASE);
    shm_fixture_until(&m->leave, 1);
    REQUIRE(!getrlimit(RLIMIT_NOFILE, &few));
    few.rlim_cur = m->leave == NO_DESCRIPTORS ? 0 : 64;
    REQUIRE(!setrlimit(RLIMIT_NOFILE, &few));
    while (n < 64 && (taken[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    REQUIRE(m->leave == NO_DESCRIPTORS || (n > 8 && n < 64));
    for (uint32_t i = 1; i < m->leave && n; i++)
        close(taken[--n]);
    __atomic_store_n(&m->ready, 2, __ATOMIC_RELEASE);
    shm_fixture_until(&m->leave, 100);
    adit_detach(&a);
}

/* Nobody is taken for dead because the keeper cannot look, and it steps back for one who can: others join, and the dead are found. (tried: an
 * unreadable /proc/PID/stat taken for an ended process: those who live are recovered; a poll that
 * fails taken for an empty one: nobody is let in.) */
static void a_keeper_without_descriptors_buries_nobody_and_steps_back(void **state)
{
    char *kept = strdup(getenv("ADIT_DISABLE")), names[12][16];
    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        struct member *m = shm_fixture_shared(2 * sizeof *m);
        setenv("ADIT_DISABLE", i % 2 ? "numa,pidfd" : "numa", 1);
        snprintf(names[i], sizeof names[i], "few%u", i);
        name = names[i];
        pid_t keeper = start(keep_with_few_descriptors, &m[0]);
        struct adit_arena *a = shm_fixture_attach(name, ADIT_PRODUCER);
        shm_fixture_nap(i < 10 ? 0 : 50); /* it has seen this one, so nothing fails */
        __atomic_store_n(&m[0].leave, i < 10 ? 1 + i / 2 : NO_DESCRIPTORS, __ATOMIC_RELEASE);
        shm_fixture_until(&m[0].ready, 2);
        shm_fixture_nap(i < 10 ? 0 : 1100); /* but the poll of its next round */
        pid_t child = start(consume, &m[1]);
        for (uint32_t k = 0; k < 12; k++) {
            shm_fixture_nap(20);
            assert_int_equal(count_participants(a), 3);
            assert_int_equal(adit_part_state(adit_load_acquire(&a->self->word)), ADIT_PART_ALIVE);
        }
        kill_and_reap(child);
        for (uint32_t k = 0; k < 5000 && count_participants(a) != 2; k++)
            shm_fixture_nap(1);
        assert_int_equal(count_participants(a), 2);
        shm_fixture_verify(a, ADIT_VERIFY_LIVING);
        end(keeper, &m[0]);
        adit_detach(&a);
    }
    setenv("ADIT_DISABLE", kept, 1);
    free(kept);
}

/* Creates, has a child that lives on, and is killed. */
static void fork_and_die(void *user)
{
    struct member *m = user;
    (void)shm_fixture_create(name, NULL, 4u << 20);
    if (!fork()) {
        __atomic_store_n(&m->ready, 1, __ATOMIC_RELEASE);
        for (uint32_t i = 0; i < 20000 && !__atomic_load_n(&m->leave, __ATOMIC_ACQUIRE); i++)
            shm_fixture_nap(1);
        __atomic_store_n(&m->is_keeper, 1, __ATOMIC_RELEASE);
        syscall(SYS_exit_group, 0);
    }
    shm_fixture_until(&m->ready, 1);
    kill(getpid(), SIGKILL);
}

/* (tried: sockets left open in the child: the name is taken, and nobody answers there) */
static void a_child_does_not_keep_its_parents_name(void **state)
{
    struct member *m = shm_fixture_shared(sizeof *m);
    struct adit_attach_params p = {.size = sizeof p, .timeout_ns = 2000000000u};
    struct adit_arena *a;
    (void)state;
    name = "forked";
    assert_int_equal(shm_fixture_in_child(fork_and_die, m), -SIGKILL);
    assert_int_equal(adit_attach(name, ADIT_CONSUMER, &p, &a), -ENOENT);
    a = shm_fixture_create(name, NULL, 4u << 20);
    adit_detach(&a);
    __atomic_store_n(&m->leave, 1, __ATOMIC_RELEASE);
    shm_fixture_until(&m->is_keeper, 1); /* it lived until now */
}

static void stay_in_a_section(void *user)
{
    struct member *m = user;
    struct adit_arena *a = shm_fixture_attach(name, ADIT_CONSUMER);
    struct adit_reader *r;
    REQUIRE(!adit_reader_open(a, &r));
    adit_enter(r);
    __atomic_store_n(&m->ready, 1, __ATOMIC_RELEASE);
    for (;;)
        shm_fixture_nap(1000);
}

/* Children of the keeper's own process inherit its pidfds, here those of predecessors that are just being recovered: what becomes
 * readable on a copy is not about them (tried: with descriptors merely closed, and believed unseen, one is taken for dead while it
 * lives). */
static void a_successor_in_a_slot_does_not_die_its_predecessors_death(void **state)
{
    (void)state;
    name = "successor";
    struct adit_arena *a = shm_fixture_create(name, NULL, 4u << 20);
    for (uint32_t i = 0; i < 60; i++) {
        struct member *m = shm_fixture_shared(sizeof *m);
        pid_t child = start(stay_in_a_section, m);
        shm_fixture_nap(2);
        assert_int_equal(adit_grace_period(a, 1000000), -ETIMEDOUT); /* it lives, and so does its section */
        kill(child, SIGKILL);
        assert_int_equal(adit_grace_period(a, 10000000000u), 0); /* the next one is forked in the middle of the recovery */
        assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    }
    for (uint32_t k = 0; k < 5000 && count_participants(a) != 1; k++)
        shm_fixture_nap(1);
    assert_int_equal(count_participants(a), 1);
    adit_detach(&a);
}

/* Many at once, killed at any moment of attaching, joining, leaving: every slot comes back. */
static void attach_and_detach_for_ever(void *user)
{
    struct member *m = user;
    for (;;) {
        struct adit_arena *a = NULL;
        int error = adit_attach(name, ADIT_PRODUCER, NULL, &a);
        REQUIRE(!error || error == -EUSERS);
        __atomic_store_n(&m->ready, 1, __ATOMIC_RELEASE);
        adit_detach(&a);
    }
}

static void attachments_cut_off_anywhere_leave_no_slot(void **state)
{
    struct member *m = shm_fixture_shared(sizeof *m);
    uint64_t seed = 7;
    (void)state;
    name = "cut";
    struct adit_arena *a = shm_fixture_create(name, NULL, 4u << 20);
    for (uint32_t i = 0; i < 60; i++) {
        m->ready = 0;
        pid_t child = start(attach_and_detach_for_ever, m);
        for (uint64_t spins = shm_fixture_random(&seed) % 20000; spins > 0; spins--)
            adit_spin_pause();
        kill_and_reap(child);
    }
    for (uint32_t i = 0; i < 5000 && count_participants(a) != 1; i++)
        shm_fixture_nap(1);
    assert_int_equal(count_participants(a), 1);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_keeps_is_killed_and_another_goes_on),
        cmocka_unit_test(a_keeper_that_leaves_hands_on),
        cmocka_unit_test(the_name_is_free_when_the_last_has_been_killed),
        cmocka_unit_test(a_stopped_participant_is_not_dead),
        cmocka_unit_test(a_process_without_its_first_thread_is_not_dead),
        cmocka_unit_test(without_pidfds_deaths_are_found_in_proc),
        cmocka_unit_test(a_keeper_without_descriptors_buries_nobody_and_steps_back),
        cmocka_unit_test(a_child_does_not_keep_its_parents_name),
        cmocka_unit_test(a_successor_in_a_slot_does_not_die_its_predecessors_death),
        cmocka_unit_test(attachments_cut_off_anywhere_leave_no_slot),
    };
    return cmocka_run_group_tests_name("keeper", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
