/* test_cost.c - what tiers cost, and how much of a backlog a device is given (runtime/cost.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runtime/cost.h"

static void blocks_are_classed_by_their_bytes(void **state)
{
    (void)state;
    assert_int_equal(adit_size_class_of(176), ADIT_SIZE_UNIFORM);
    assert_int_equal(adit_size_class_of(1024), ADIT_SIZE_UNIFORM);
    assert_int_equal(adit_size_class_of(1025), ADIT_SIZE_SPARSE);
    assert_int_equal(adit_size_class_of(16384), ADIT_SIZE_SPARSE);
    assert_int_equal(adit_size_class_of(16385), ADIT_SIZE_DENSE);
    assert_int_equal(adit_size_class_of(98304), ADIT_SIZE_DENSE);
    assert_int_equal(adit_size_class_of(606400), ADIT_SIZE_NOISE);
}

/* (tried: a mean, which one outlier of a second moves to 100 times the median) */
static void one_outlier_moves_nothing_and_a_change_is_followed(void **state)
{
    uint64_t median = 0;
    (void)state;
    for (uint32_t i = 0; i < 200; i++)
        adit_cost_learn(&median, 90000 + i % 20 * 1000);
    assert_in_range(median, 90000, 110000);
    uint64_t before = median;
    adit_cost_learn(&median, 1000000000);
    assert_in_range(median, before, before + before / 16 + 1);
    for (uint32_t i = 0; i < 200; i++)
        adit_cost_learn(&median, 5000);
    assert_in_range(median, 4000, 6000);
    adit_cost_learn(&median, 0);
    assert_true(median > 0);
}

static struct adit_share share(uint32_t backlog, double fixed_ns, double each_ns)
{
    return (struct adit_share){.backlog = backlog, .threads = 4, .thread_ns = 100000, .batch_max = 256, .device = {fixed_ns, each_ns}};
}

/* (tried: busy time and fixed cost left out; the share of a device that is alone bounded by threads that are none) */
static void a_device_and_the_threads_end_at_the_same_time(void **state)
{
    (void)state;
    for (uint32_t backlog = 0; backlog < 2000; backlog += 7) {
        struct adit_share s = share(backlog, 500000, 4000);
        uint32_t n = adit_share_of_device(&s);
        assert_true(n <= backlog && n <= s.batch_max);
        double device_ns = s.device.fixed_ns + n * s.device.each_ns, threads_ns = (backlog - n) * s.thread_ns / s.threads;
        if (n)
            assert_true(device_ns <= threads_ns + s.device.each_ns + s.thread_ns / s.threads);
        if (n < s.batch_max && n < backlog) /* one more would end later than the threads */
            assert_true(device_ns + s.device.each_ns > threads_ns - s.device.each_ns - 2 * s.thread_ns / s.threads);
    }
    struct adit_share busy = share(100, 500000, 4000);
    uint32_t idle_n = adit_share_of_device(&busy);
    busy.device_busy_ns = 1000000;
    assert_true(adit_share_of_device(&busy) < idle_n);
    busy.device_busy_ns = 10000000;
    assert_int_equal(adit_share_of_device(&busy), 0);
}

static void what_a_thread_does_sooner_is_not_handed_over(void **state)
{
    (void)state;
    for (uint32_t backlog = 0; backlog < 20; backlog++) { /* 25 us a chunk by four threads against half a millisecond */
        struct adit_share s = share(backlog, 500000, 4000);
        assert_int_equal(adit_share_of_device(&s), 0);
    }
}

/* lavapipe: a hundred times as slow, on the same processors. (tried: not asked whether it is software: 2 of 400) */
static void a_program_on_the_same_processors_must_beat_all_of_them(void **state)
{
    (void)state;
    struct adit_share s = share(100000, 1000000, 8000000);
    s.is_software = true;
    assert_int_equal(adit_share_of_device(&s), 0);
    s.device.each_ns = 24000; /* all four make one in 25 */
    assert_true(adit_share_of_device(&s) > 0);
}

static void a_device_that_is_alone_takes_all_it_can(void **state)
{
    (void)state;
    struct adit_share s = share(1000, 1e9, 1e9);
    s.threads = 0;
    s.is_software = true;
    assert_int_equal(adit_share_of_device(&s), 256);
    s.backlog = 3;
    assert_int_equal(adit_share_of_device(&s), 3);
}

/* What each of several devices takes of a backlog, each with the others as rivals. */
static void shares_of(struct adit_share s, const struct adit_rival *devices, uint32_t n, uint32_t *share)
{
    struct adit_rival rivals[4];
    for (uint32_t i = 0; i < n; i++) {
        s.device = devices[i].cost;
        s.device_busy_ns = devices[i].busy_ns;
        s.rivals = rivals;
        s.rivals_n = 0;
        for (uint32_t j = 0; j < n; j++)
            if (j != i)
                rivals[s.rivals_n++] = devices[j];
        share[i] = adit_share_of_device(&s);
    }
}

/* (tried: rivals not counted, 240 of 250 each; busy time of rivals, and their fixed price, left out) */
static void devices_and_threads_end_at_the_same_time(void **state)
{
    const struct adit_rival same[] = {{{500000, 1000}, 0}, {{500000, 1000}, 0}},
                            unlike[] = {{{500000, 1000}, 0}, {{2000000, 4000}, 0}, {{100000, 500}, 3000000}};
    uint32_t n[3];
    (void)state;
    shares_of(share(250, 0, 0), same, 2, n);
    assert_int_equal(n[0], n[1]);
    assert_in_range(n[0] + n[1], 200, 250);
    for (uint32_t backlog = 0; backlog < 5000; backlog += 13) {
        struct adit_share s = share(backlog, 0, 0);
        s.batch_max = 100000;
        shares_of(s, unlike, 3, n);
        uint32_t all = n[0] + n[1] + n[2];
        assert_true(all <= backlog);
        double threads_ns = (backlog - all) * s.thread_ns / s.threads, slack_ns = 4 * s.thread_ns / s.threads;
        for (uint32_t i = 0; i < 3; i++) {
            double start_ns = unlike[i].cost.fixed_ns + unlike[i].busy_ns, each_ns = unlike[i].cost.each_ns;
            if (n[i])
                assert_true(start_ns + n[i] * each_ns <= threads_ns + each_ns);
            assert_true(start_ns + (n[i] + 1) * each_ns >= threads_ns - slack_ns); /* one more would end later than the threads */
        }
    }
}

static void a_rival_that_begins_too_late_or_is_dear_changes_nothing(void **state)
{
    struct adit_share s = share(250, 500000, 1000);
    const struct adit_rival late = {{100, 100}, 1e12}, dear = {{1e12, 1}, 0};
    uint32_t alone = adit_share_of_device(&s);
    (void)state;
    s.rivals_n = 1;
    s.rivals = &late;
    assert_int_equal(adit_share_of_device(&s), alone);
    s.rivals = &dear;
    assert_int_equal(adit_share_of_device(&s), alone);
}

/* (tried: shares rounded down alone, as beside threads: of 1 chunk nobody takes any) */
static void without_threads_somebody_always_takes_something(void **state)
{
    const struct adit_rival devices[] = {{{500000, 3000}, 0}, {{500000, 3000}, 0}, {{490000, 90000}, 0}, {{0, 1e9}, 5000000}};
    uint32_t n[4];
    (void)state;
    for (uint32_t backlog = 1; backlog < 5000; backlog += backlog < 40 ? 1 : 97) {
        struct adit_share s = share(backlog, 0, 0);
        s.threads = 0;
        shares_of(s, devices, 4, n);
        assert_true(n[0] || n[1] || n[2] || n[3]);
        assert_true(n[0] == n[1] && n[3] == 0);
        if (backlog == 1)
            assert_true(n[0] == 1 && !n[2]);
    }
    struct adit_share unknown = share(10, 0, 0); /* nobody could tell who is sooner */
    unknown.threads = 0;
    unknown.rivals = devices;
    unknown.rivals_n = 4;
    assert_int_equal(adit_share_of_device(&unknown), 10);
}

/* (tried: who is late taken to be free) */
static void who_is_late_needs_as_long_again(void **state)
{
    (void)state;
    assert_true(adit_busy_ns(0, 1000) == 0);
    assert_true(adit_busy_ns(1300, 1000) == 300);
    assert_true(adit_busy_ns(1000, 1000) == 0);
    assert_true(adit_busy_ns(1000, 6000) == 5000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_classed_by_their_bytes),
        cmocka_unit_test(one_outlier_moves_nothing_and_a_change_is_followed),
        cmocka_unit_test(a_device_and_the_threads_end_at_the_same_time),
        cmocka_unit_test(what_a_thread_does_sooner_is_not_handed_over),
        cmocka_unit_test(a_program_on_the_same_processors_must_beat_all_of_them),
        cmocka_unit_test(a_device_that_is_alone_takes_all_it_can),
        cmocka_unit_test(devices_and_threads_end_at_the_same_time),
        cmocka_unit_test(a_rival_that_begins_too_late_or_is_dear_changes_nothing),
        cmocka_unit_test(without_threads_somebody_always_takes_something),
        cmocka_unit_test(who_is_late_needs_as_long_again),
    };
    return cmocka_run_group_tests_name("what tiers cost", tests, NULL, NULL);
}
