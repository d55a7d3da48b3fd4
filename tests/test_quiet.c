/* test_quiet.c - the look at a machine before and after a run: what is called loud, what is said, that a hog is seen, and that the caller stays on its CPUs. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "perf/quiet.h"

static const struct quiet still = {.is_known = true, .cpu = {0, 1}, .cpus_online = 8};

static const char *said(struct quiet quiet)
{
    static char text[QUIET_TEXT_MAX];
    return quiet_say(&quiet, text, sizeof text);
}

static void a_hundredth_of_a_cpu_is_loud(void **state)
{
    (void)state;
    struct quiet quiet = still;
    quiet.lost[1] = 0.0099;
    assert_string_equal(said(quiet), "quiet");
    quiet.lost[1] = 0.123;
    quiet.longest_ns = 4.14e6;
    assert_string_equal(said(quiet), "loud: 12.3 % of CPU 1 lost, 4.1 ms at once; 0.0 others ready");
    quiet.lost[0] = 0.5;
    assert_string_equal(said(quiet), "loud: 50.0 % of CPU 0 lost, 4.1 ms at once; 0.0 others ready");
}

/* One other on 2 CPUs is half of the machine, on 64 it is nobody. (tried: others not judged) */
static void others_are_loud_by_the_size_of_the_machine(void **state)
{
    (void)state;
    struct quiet quiet = still;
    quiet.others = 0.4;
    quiet.cpus_online = 2;
    assert_false(quiet_is_loud(&quiet));
    quiet.others = 1;
    assert_true(quiet_is_loud(&quiet));
    quiet.cpus_online = 64;
    assert_false(quiet_is_loud(&quiet));
    quiet.others = 8;
    assert_true(quiet_is_loud(&quiet));
    assert_string_equal(said((struct quiet){.cpu = {-1, -1}}), "not looked at");
}

static struct machine machine_of_this(void)
{
    struct machine machine = {.cpus_online = 2, .cpu = {-1, -1}};
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE && machine.cpu[0] < 0; cpu++)
        if (CPU_ISSET((size_t)cpu, &set))
            machine.cpu[0] = cpu;
    return machine;
}

static void a_look_leaves_the_caller_where_it_was(void **state)
{
    (void)state;
    struct machine machine = machine_of_this();
    struct quiet quiet;
    cpu_set_t before, after;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    quiet_probe(&machine, &quiet);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&before, &after));
    assert_true(quiet.is_known && quiet.lost[0] >= 0 && quiet.lost[1] == 0 && quiet.others >= 0);
    machine.cpu[0] = -1;
    quiet_probe(&machine, &quiet);
    assert_false(quiet.is_known);
}

static uint32_t is_over;

static void *spin(void *user)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)*(int *)user, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
    }
    return NULL;
}

/* Two threads that want one CPU all the time have half of it each, whatever else the machine does. (tried: gaps not counted, others not asked for) */
static void a_hog_is_seen(void **state)
{
    (void)state;
    struct machine machine = machine_of_this();
    struct quiet quiet;
    pthread_t hog;
    bool seen = false;
    assert_int_equal(pthread_create(&hog, NULL, spin, &machine.cpu[0]), 0);
    for (int tries = 0; tries < 50 && !seen; tries++) {
        quiet_probe(&machine, &quiet);
        seen = quiet.lost[0] > 0.1 && quiet.others > 0.5 && quiet_is_loud(&quiet);
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    assert_int_equal(pthread_join(hog, NULL), 0);
    assert_true(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundredth_of_a_cpu_is_loud),
        cmocka_unit_test(others_are_loud_by_the_size_of_the_machine),
        cmocka_unit_test(a_look_leaves_the_caller_where_it_was),
        cmocka_unit_test(a_hog_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
