/* How many workers there should be (runtime/scaling.h): levels, steps, cooldowns, what a change is judged by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/scaling.h"

#define MS 1000000ull
#define S (1000 * MS)

static const struct adit_scaling_params params = {.workers_min = 1, .workers_max = 16, .wait_max_ns = 2 * MS, .cooldown_up_ns = S, .cooldown_down_ns = 10 * S};

/* So many samples, 100 ms apart, of one kind; the last one's advice. workers follows. */
static struct adit_scaling_advice run(struct adit_scaling *s, struct adit_scaling_sample *x, uint32_t samples)
{
    struct adit_scaling_advice a = {0};
    for (uint32_t i = 0; i < samples; i++) {
        x->now_ns += 100 * MS;
        a = adit_scaling_step(s, x);
        x->workers = a.workers;
    }
    return a;
}

static void load_is_of_what_workers_cannot_keep_up_with(void **state)
{
    (void)state;
    struct adit_scaling s;
    struct adit_scaling_sample x = {.now_ns = S, .workers = 4};
    adit_scaling_init(&s, &params);
    assert_float_equal(run(&s, &x, 1).load, 0, 1e-9);
    x.busy = 1;
    assert_float_equal(run(&s, &x, 1).load, 0.5, 1e-9);
    x.cpu_pressure = 0.5;
    x.memory = 0.5;
    assert_float_equal(run(&s, &x, 1).load, 0.6, 1e-9);
    x.wait_ns = MS;
    assert_float_equal(run(&s, &x, 1).load, 0.75, 1e-9);
    x = (struct adit_scaling_sample){.now_ns = 2 * S, .workers = 4, .wait_ns = 2 * MS};
    struct adit_scaling_advice a = run(&s, &x, 1); /* (tried: without it a queue that nobody serves is a load of 0.3) */
    assert_int_equal(a.level, ADIT_LOAD_CRITICAL);
    assert_int_equal(a.workers, 6);
    x.busy = 0.0 / 0.0; /* hostile */
    x.cpu_pressure = 1e300;
    x.memory = -5;
    assert_in_range((int)(run(&s, &x, 1).load * 1000), 960, 1000);
}

static void each_level_has_its_step(void **state)
{
    (void)state;
    static const struct {
        double busy, wait; /* wait: of what it may be */
        uint32_t samples, workers;
        enum adit_load_level level;
    } cases[] = {
        {0.4, 0, 9, 8, ADIT_LOAD_LOW},     {0.4, 0, 10, 7, ADIT_LOAD_LOW},     /* only after ten */
        {0.9, 0, 40, 8, ADIT_LOAD_NORMAL}, {1, 0.5, 40, 8, ADIT_LOAD_RAISED}, /* steady */
        {1, 0.999, 1, 10, ADIT_LOAD_HIGH}, {1, 1, 1, 12, ADIT_LOAD_CRITICAL},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct adit_scaling s;
        struct adit_scaling_sample x = {.now_ns = 100 * S, .workers = 8, .busy = cases[i].busy, .wait_ns = (uint64_t)(cases[i].wait * 2 * (double)MS), .memory = 0.5};
        adit_scaling_init(&s, &params);
        struct adit_scaling_advice a = run(&s, &x, cases[i].samples);
        assert_int_equal(a.level, cases[i].level);
        assert_int_equal(a.workers, cases[i].workers);
        assert_true((*a.reason != 0) == (a.workers != 8));
    }
}

static void a_rising_load_is_met_early_and_one_that_rises_again_keeps_what_it_has(void **state)
{
    (void)state;
    struct adit_scaling s;
    struct adit_scaling_sample x = {.now_ns = S, .workers = 4, .busy = 0.7};
    adit_scaling_init(&s, &params);
    (void)run(&s, &x, 20);
    x.busy = 1;
    x.wait_ns = MS; /* 0.65 */
    struct adit_scaling_advice a = run(&s, &x, 10);
    assert_true(a.trend > 0.2);
    assert_int_equal(a.workers, 5); /* one, then the cooldown */
    assert_non_null(strstr(a.reason, "not now"));
    adit_scaling_init(&s, &params);
    x = (struct adit_scaling_sample){.now_ns = S, .workers = 4};
    (void)run(&s, &x, 9); /* low, and about to go down */
    x.busy = 0.5;
    for (uint32_t i = 0; i < 20; i++) {
        x.busy += 0.004; /* low still, and rising */
        (void)run(&s, &x, 1);
    }
    assert_int_equal(x.workers, 3);
}

static void critical_waits_for_no_cooldown_and_memory_for_nobody(void **state)
{
    (void)state;
    struct adit_scaling s;
    struct adit_scaling_sample x = {.now_ns = S, .workers = 2, .busy = 1, .wait_ns = 5 * MS};
    adit_scaling_init(&s, &params);
    assert_int_equal(run(&s, &x, 1).workers, 3);
    assert_int_equal(run(&s, &x, 1).workers, 5); /* (tried: held up by the cooldown) */
    assert_int_equal(run(&s, &x, 1).workers, 8);
    x.memory = 0.96;
    struct adit_scaling_advice a = run(&s, &x, 1);
    assert_int_equal(a.workers, 8);
    assert_non_null(strstr(a.reason, "memory"));
    x.memory = 0;
    assert_int_equal(run(&s, &x, 5).workers, 16); /* and no further */
    assert_string_equal(run(&s, &x, 1).reason, "");
}

static void critical_is_met_in_one_step_that_then_has_time(void **state)
{
    (void)state;
    static const struct {
        uint64_t arrived, ended; /* while the oldest waited, two samples */
        uint32_t workers;
    } cases[] = {{3, 1, 5} /* 4.3 (tried: 2, without the counts) */, {3, 0, 7} /* all that wait */, {40, 1, 16}, {1, 1, 2}, {0, 0, 2}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct adit_scaling s;
        struct adit_scaling_params quick = params;
        struct adit_scaling_sample x = {.now_ns = S, .workers = 1, .arrived = 1000, .ended = 1000}; /* before; they do not count (tried: 2, where they do) */
        quick.settle_ns = 10 * MS;
        adit_scaling_init(&s, &quick);
        (void)run(&s, &x, 20);
        x.arrived = cases[i].arrived;
        x.ended = cases[i].ended;
        for (uint32_t k = 0; k < 2; k++, x.wait_ns += MS) {
            x.now_ns += MS;
            (void)adit_scaling_step(&s, &x);
        }
        x.arrived = x.ended = 0;
        x.wait_ns = 2 * MS;
        x.now_ns += 1;
        struct adit_scaling_advice a = adit_scaling_step(&s, &x);
        assert_int_equal(a.workers, cases[i].workers);
        x.workers = a.workers;
        x.now_ns += 9 * MS;
        a = adit_scaling_step(&s, &x);
        assert_int_equal(a.workers, cases[i].workers); /* (tried: half as many more, without it) */
        assert_true(a.workers == 16 || strstr(a.reason, "not settled"));
        x.now_ns += MS;
        assert_true(adit_scaling_step(&s, &x).workers > a.workers || a.workers == 16);
    }
}

static void a_square_wave_changes_little(void **state)
{
    (void)state;
    struct adit_scaling s;
    struct adit_scaling_sample x = {.now_ns = S, .workers = 2};
    uint32_t changes = 0, before = 2;
    adit_scaling_init(&s, &params);
    for (uint32_t i = 0; i < 100; i++) { /* ten seconds of 1 Hz */
        bool is_high = i / 5 % 2;
        x.busy = is_high ? (x.workers < 3 ? 1 : 0.95) : 0.05;
        x.wait_ns = is_high && x.workers < 3 ? 3 * MS : 0; /* three are enough */
        (void)run(&s, &x, 1);
        changes += x.workers != before;
        before = x.workers;
    }
    assert_in_range(changes, 1, 2); /* (tried: ten without the cooldown downwards) */
}

static void a_change_is_judged_by_what_followed(void **state)
{
    (void)state;
    struct adit_scaling s;
    struct adit_scaling_sample x = {.now_ns = S, .workers = 2, .busy = 1, .wait_ns = 4 * MS};
    adit_scaling_init(&s, &params);
    assert_true(run(&s, &x, 1).effectiveness < 0);
    x.wait_ns = 0; /* it helped: 0.5 */
    assert_true(run(&s, &x, 9).effectiveness < 0);
    assert_float_equal(run(&s, &x, 1).effectiveness, 1, 1e-9);
    x.workers = 16; /* as many as there may be, and it does not help */
    adit_scaling_init(&s, &params);
    x.workers = 15;
    x.wait_ns = 4 * MS;
    (void)run(&s, &x, 1);
    assert_float_equal(run(&s, &x, 10).effectiveness, 0, 1e-9);
}

static void grades_go_from_a_to_f(void **state)
{
    (void)state;
    struct adit_scaling s;
    struct adit_scaling_sample x = {.now_ns = S, .workers = 16, .busy = 1};
    adit_scaling_init(&s, &params);
    assert_int_equal(run(&s, &x, 20).grade, 'A');
    x.wait_ns = MS;
    assert_int_equal(run(&s, &x, 20).grade, 'B');
    x.wait_ns = 2 * MS - 1;
    x.memory = 1;
    assert_int_equal(run(&s, &x, 20).grade, 'C');
    x.wait_ns = 2 * MS;
    assert_int_equal(run(&s, &x, 20).grade, 'D');
    for (uint32_t i = 0; i < 20; i++) { /* and unsteady */
        x.busy = i % 2;
        x.wait_ns = i % 2 ? 2 * MS : 0;
        (void)run(&s, &x, 1);
    }
    assert_int_equal(run(&s, &x, 0).grade, 0);
    x.wait_ns = 2 * MS;
    assert_int_equal(run(&s, &x, 1).grade, 'F');
}

static void the_machines_words_are_understood_and_others_refused(void **state)
{
    (void)state;
    double share = -1;
    assert_true(adit_scaling_pressure("some avg10=12.50 avg60=3.00 avg300=1.00 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", &share));
    assert_float_equal(share, 0.125, 1e-9);
    assert_float_equal(adit_scaling_memory(1000, 250), 0.75, 1e-9);
    assert_float_equal(adit_scaling_memory(1000, 2000), 0, 1e-9); /* a limit that was raised */
    static const char *const wrong[] = {"", "some", "some avg10=", "some avg10=x", "full avg10=3", "some avg60=3", "some avg10=-3"};
    for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(adit_scaling_pressure(wrong[i], &share));
    assert_float_equal(adit_scaling_memory(0, 0), 0, 1e-9);
    assert_float_equal(adit_scaling_memory(UINT64_MAX, 7), 0, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load_is_of_what_workers_cannot_keep_up_with),
        cmocka_unit_test(each_level_has_its_step),
        cmocka_unit_test(a_rising_load_is_met_early_and_one_that_rises_again_keeps_what_it_has),
        cmocka_unit_test(critical_waits_for_no_cooldown_and_memory_for_nobody),
        cmocka_unit_test(critical_is_met_in_one_step_that_then_has_time),
        cmocka_unit_test(a_square_wave_changes_little),
        cmocka_unit_test(a_change_is_judged_by_what_followed),
        cmocka_unit_test(grades_go_from_a_to_f),
        cmocka_unit_test(the_machines_words_are_understood_and_others_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
