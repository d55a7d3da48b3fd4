/* test_share.c - how much of a backlog a device is given, by prices and by policies, and which part of it (runtime/share.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runtime/share.h"

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

/* ---- policies ---- */

static const struct adit_rival dear = {{1e12, 1e12}, 0};

/* (tried: prices asked for; the threads not counted as a tier) */
static void by_turns_each_tier_gets_as_much(void **state)
{
    (void)state;
    struct adit_share s = share(100, 1e12, 1e12);
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_ADAPTIVE), 0);
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_ROUND_ROBIN), 50);
    s.device_busy_ns = 1e15;
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_ROUND_ROBIN), 50);
    s.rivals = &dear;
    s.rivals_n = 1;
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_ROUND_ROBIN), 34);
    s.threads = 0;
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_ROUND_ROBIN), 50);
    s.backlog = 1;
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_ROUND_ROBIN), 1);
    s.backlog = 10000;
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_ROUND_ROBIN), 256);
}

/* (tried: busy time not looked at) */
static void by_load_who_is_busy_longest_gets_none(void **state)
{
    (void)state;
    struct adit_share s = share(100, 1e12, 1e12); /* the threads are at it for 2.5 ms */
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_LEAST_LOADED), 50);
    s.device_busy_ns = 2400000;
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_LEAST_LOADED), 50);
    s.device_busy_ns = 2600000;
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_LEAST_LOADED), 0);
    s.threads = 0; /* then somebody takes it */
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_LEAST_LOADED), 100);
}

/* (tried: the first devices not asked; a chunk for each thread not left) */
static void by_order_threads_come_first_and_devices_in_theirs(void **state)
{
    (void)state;
    struct adit_share s = share(4, 1, 1);
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_CAPABILITY), 0);
    s.backlog = 7;
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_CAPABILITY), 3);
    s.idle_before = 1;
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_CAPABILITY), 0);
    s.idle_before = 0;
    s.threads = 0;
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_CAPABILITY), 7);
    s.backlog = 1000;
    assert_int_equal(adit_share_by_policy(&s, ADIT_ROUTE_CAPABILITY), 256);
}

/* (tried: what the device has before not counted; more skipped than there is behind) */
static void the_first_are_for_the_threads(void **state)
{
    (void)state;
    struct adit_share s = share(1000, 500000, 5000); /* 100 in a ms: the threads do 40 */
    assert_int_equal(adit_share_skips(&s, 100), 40);
    s.device_busy_ns = 1000000;
    assert_int_equal(adit_share_skips(&s, 100), 80);
    s.backlog = 130;
    assert_int_equal(adit_share_skips(&s, 100), 30);
    s.backlog = 100;
    assert_int_equal(adit_share_skips(&s, 100), 0);
    s.backlog = 1000;
    s.threads = 0;
    assert_int_equal(adit_share_skips(&s, 100), 0);
    s.threads = 4;
    s.thread_ns = 0; /* not known */
    assert_int_equal(adit_share_skips(&s, 100), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_and_the_threads_end_at_the_same_time),
        cmocka_unit_test(what_a_thread_does_sooner_is_not_handed_over),
        cmocka_unit_test(a_program_on_the_same_processors_must_beat_all_of_them),
        cmocka_unit_test(a_device_that_is_alone_takes_all_it_can),
        cmocka_unit_test(devices_and_threads_end_at_the_same_time),
        cmocka_unit_test(a_rival_that_begins_too_late_or_is_dear_changes_nothing),
        cmocka_unit_test(without_threads_somebody_always_takes_something),
        cmocka_unit_test(who_is_late_needs_as_long_again),
        cmocka_unit_test(by_turns_each_tier_gets_as_much),
        cmocka_unit_test(by_load_who_is_busy_longest_gets_none),
        cmocka_unit_test(by_order_threads_come_first_and_devices_in_theirs),
        cmocka_unit_test(the_first_are_for_the_threads),
    };
    return cmocka_run_group_tests_name("shares of devices", tests, NULL, NULL);
}
