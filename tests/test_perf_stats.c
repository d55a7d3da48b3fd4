/* test_perf_stats.c - the statistics perf-lab reports by: known sets, and how often an interval holds the truth. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "perf/lab_stats.h"

static uint64_t random_state;

/* A 64-bit LCG (Knuth's MMIX constants), high bits as a number in [0,1). */
static double random_unit(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

static void assert_near(double got, double wanted)
{
    if (fabs(got - wanted) > 1e-12)
        fail_msg("got %.17g, wanted %.17g", got, wanted);
}

static void sorting_orders_and_keeps_every_sample(void **state)
{
    (void)state;
    double v[257], sum = 0, sum_after = 0;
    random_state = 7;
    for (size_t i = 0; i < 257; i++)
        sum += v[i] = floor(random_unit() * 100) - 50; /* whole numbers: sums are exact, repeats occur */
    stats_sort(v, 257);
    for (size_t i = 0; i < 257; i++) {
        sum_after += v[i];
        if (i > 0)
            assert_true(v[i - 1] <= v[i]);
    }
    assert_near(sum_after, sum);
    stats_sort(v, 0);
    stats_sort(v, 1);
}

static void the_median_of_known_sets_is_right(void **state)
{
    (void)state;
    double one[] = {4}, two[] = {1, 2}, odd[] = {9, 1, 5}, even[] = {8, 2, 4, 6}, tail[] = {1, 1, 1, 1e9, 1};
    assert_near(stats_median(one, 1), 4);
    assert_near(stats_median(two, 2), 1.5);
    stats_sort(odd, 3);
    assert_near(stats_median(odd, 3), 5);
    stats_sort(even, 4);
    assert_near(stats_median(even, 4), 5);
    stats_sort(tail, 5);
    assert_near(stats_median(tail, 5), 1); /* one outlier moves nothing */
    assert_near(stats_median(one, 0), 0);
}

static void percentiles_interpolate_and_end_at_the_extremes(void **state)
{
    (void)state;
    double v[101];
    for (size_t i = 0; i <= 100; i++)
        v[i] = (double)i * 10;
    assert_near(stats_percentile(v, 101, 0), 0);
    assert_near(stats_percentile(v, 101, 0.1), 100);
    assert_near(stats_percentile(v, 101, 0.905), 905);
    assert_near(stats_percentile(v, 101, 1), 1000);
    assert_near(stats_percentile(v, 101, -3), 0);
    assert_near(stats_percentile(v, 101, 7), 1000);
    assert_near(stats_percentile(v, 2, 0.25), 2.5);
}

/* (tried: p99.9 of 2,999) */
static void far_percentiles_want_many_samples(void **state)
{
    (void)state;
    assert_false(stats_has_percentile(299, 0.99));
    assert_true(stats_has_percentile(300, 0.99));
    assert_false(stats_has_percentile(2999, 0.999));
    assert_true(stats_has_percentile(3000, 0.999));
    assert_false(stats_has_percentile(0, 0.99));
}

static void an_interval_holds_its_median_and_repeats_for_one_seed(void **state)
{
    (void)state;
    double v[301];
    struct stats_interval a, b;
    random_state = 11;
    for (size_t i = 0; i < 301; i++)
        v[i] = random_unit();
    stats_sort(v, 301);
    assert_int_equal(stats_median_interval(v, 301, 5, &a), 0);
    assert_int_equal(stats_median_interval(v, 301, 5, &b), 0);
    assert_near(a.low, b.low);
    assert_near(a.high, b.high);
    assert_true(a.low <= stats_median(v, 301) && stats_median(v, 301) <= a.high);
    assert_true(a.low > 0.3 && a.high < 0.7 && a.high - a.low > 0.01);
}

static void an_interval_of_equal_samples_is_a_point(void **state)
{
    (void)state;
    double v[50];
    struct stats_interval interval;
    for (size_t i = 0; i < 50; i++)
        v[i] = 3.25;
    assert_int_equal(stats_median_interval(v, 50, 0, &interval), 0);
    assert_near(interval.low, 3.25);
    assert_near(interval.high, 3.25);
    assert_near(stats_interval_width(&interval, 3.25), 0);
    assert_true(isinf(stats_interval_width(&interval, 0)));
}

static void more_samples_make_a_narrower_interval(void **state)
{
    (void)state;
    static double v[STATS_SAMPLES_MAX];
    struct stats_interval few, many;
    random_state = 3;
    for (size_t i = 0; i < STATS_SAMPLES_MAX; i++)
        v[i] = random_unit();
    stats_sort(v, 64);
    assert_int_equal(stats_median_interval(v, 64, 1, &few), 0);
    stats_sort(v, STATS_SAMPLES_MAX);
    assert_int_equal(stats_median_interval(v, STATS_SAMPLES_MAX, 1, &many), 0);
    assert_true((many.high - many.low) * 3 < few.high - few.low);
}

/* 95 % is promised; the bootstrap of a median is a little off for small sets, so 90 to 99 % is demanded of 400 sets. */
static void an_interval_holds_the_true_median_about_95_times_in_100(void **state)
{
    (void)state;
    int held = 0;
    random_state = 2024;
    for (uint64_t trial = 0; trial < 400; trial++) {
        double v[81];
        struct stats_interval interval;
        for (size_t i = 0; i < 81; i++)
            v[i] = -log(1 - random_unit()); /* exponential: the one-sided tail of timings; median ln 2 */
        stats_sort(v, 81);
        assert_int_equal(stats_median_interval(v, 81, trial, &interval), 0);
        held += interval.low <= log(2) && log(2) <= interval.high;
    }
    if (held < 360 || held > 396)
        fail_msg("the interval held the true median in %d of 400 sets", held);
}

/* The ranks of tables of the sign test (Conover, table A3): of 6 to 8 samples the outermost, then inwards. */
static void the_ranks_of_the_sign_test_are_those_of_the_tables(void **state)
{
    (void)state;
    static const struct {
        size_t count, rank; /* 0-based */
    } known[] = {{6, 0}, {8, 0}, {9, 1}, {11, 1}, {12, 2}, {15, 3}, {20, 5}, {25, 7}, {50, 17}, {100, 39}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(stats_sign_rank(known[i].count), known[i].rank);
    size_t last = stats_sign_rank(STATS_SAMPLES_MAX);
    assert_true(last > 1980 && last < 1990); /* n / 2 - 0.98 sqrt n */
}

/* Of 7 samples the bootstrap alone holds the median about 90 times in 100. Of 5 no interval can, and none is given. (tried: the bootstrap alone) */
static void an_interval_of_few_samples_keeps_its_promise(void **state)
{
    (void)state;
    int held = 0;
    double v[7];
    struct stats_interval interval;
    random_state = 5;
    for (uint64_t trial = 0; trial < 2000; trial++) {
        for (size_t i = 0; i < 7; i++)
            v[i] = -log(1 - random_unit());
        stats_sort(v, 7);
        assert_int_equal(stats_median_interval(v, 7, trial, &interval), 0);
        held += interval.low <= log(2) && log(2) <= interval.high;
    }
    if (held < 1900)
        fail_msg("the interval held the true median in %d of 2000 sets", held);
    for (size_t count = 1; count < STATS_INTERVAL_MIN; count++) {
        assert_int_equal(stats_median_interval(v, count, 1, &interval), 0);
        assert_true(isinf(interval.low) && isinf(interval.high) && isinf(stats_interval_width(&interval, 1)));
    }
}

static void too_many_or_no_samples_are_refused(void **state)
{
    (void)state;
    static double v[STATS_SAMPLES_MAX + 1];
    struct stats_interval interval;
    assert_int_equal(stats_median_interval(v, 0, 1, &interval), -EINVAL);
    assert_int_equal(stats_median_interval(v, STATS_SAMPLES_MAX + 1, 1, &interval), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorting_orders_and_keeps_every_sample),
        cmocka_unit_test(the_median_of_known_sets_is_right),
        cmocka_unit_test(percentiles_interpolate_and_end_at_the_extremes),
        cmocka_unit_test(far_percentiles_want_many_samples),
        cmocka_unit_test(an_interval_holds_its_median_and_repeats_for_one_seed),
        cmocka_unit_test(an_interval_of_equal_samples_is_a_point),
        cmocka_unit_test(more_samples_make_a_narrower_interval),
        cmocka_unit_test(an_interval_holds_the_true_median_about_95_times_in_100),
        cmocka_unit_test(the_ranks_of_the_sign_test_are_those_of_the_tables),
        cmocka_unit_test(an_interval_of_few_samples_keeps_its_promise),
        cmocka_unit_test(too_many_or_no_samples_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
