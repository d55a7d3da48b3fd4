/* test_usl.c - the universal scalability law fitted to points of known parameters, exact and with noise, and to what it does not describe. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "perf/usl.h"

#define COUNT 8

static const double workers[COUNT] = {1, 2, 3, 4, 6, 8, 12, 16};

static void points_of(struct usl usl, double *x)
{
    for (size_t i = 0; i < COUNT; i++)
        x[i] = usl_at(&usl, workers[i]);
}

static void assert_near(double got, double wanted, double within)
{
    if (!(fabs(got - wanted) <= within))
        fail_msg("got %.12g, wanted %.12g", got, wanted);
}

/* (tried: kappa's basis N (N - 1) made N - 1 squared) */
static void exact_points_give_their_parameters(void **state)
{
    (void)state;
    static const struct usl known[] = {
        {.lambda = 1000, .sigma = 0.05, .kappa = 0.001}, {.lambda = 3e6, .sigma = 0.02, .kappa = 0}, {.lambda = 0.01, .sigma = 0, .kappa = 0.0004}, {.lambda = 7, .sigma = 0, .kappa = 0}, {.lambda = 50, .sigma = 0.9, .kappa = 0.05},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double x[COUNT];
        struct usl usl;
        points_of(known[i], x);
        for (size_t count = USL_POINTS_MIN; count <= COUNT; count++) {
            assert_int_equal(usl_fit(workers, x, count, &usl), 0);
            assert_near(usl.lambda / known[i].lambda, 1, 1e-9);
            assert_near(usl.sigma, known[i].sigma, 1e-9);
            assert_near(usl.kappa, known[i].kappa, 1e-9);
            assert_near(usl.error, 0, 1e-7);
            assert_int_equal(usl.points, count);
        }
    }
}

static void the_peak_is_where_more_bring_less(void **state)
{
    (void)state;
    const struct usl usl = {.lambda = 10, .sigma = 0.04, .kappa = 0.0015};
    double peak = usl_peak(&usl);
    assert_near(peak, sqrt(0.96 / 0.0015), 1e-9);
    assert_true(usl_at(&usl, peak) > usl_at(&usl, peak - 1) && usl_at(&usl, peak) > usl_at(&usl, peak + 1));
    assert_true(isinf(usl_peak(&(struct usl){.lambda = 10, .sigma = 0.04})));
    assert_near(usl_peak(&(struct usl){.lambda = 10, .sigma = 2, .kappa = 0.1}), 1, 0);
    assert_near(usl_at(&usl, 1), 10, 1e-12);
}

static void noise_of_one_percent_moves_a_prediction_little(void **state)
{
    (void)state;
    const struct usl known = {.lambda = 1000, .sigma = 0.05, .kappa = 0.001};
    uint64_t at = 12;
    for (int trial = 0; trial < 200; trial++) {
        double x[COUNT];
        struct usl usl;
        points_of(known, x);
        for (size_t i = 0; i < COUNT; i++) {
            at = at * 6364136223846793005u + 1442695040888963407u;
            x[i] *= 0.99 + 0.02 * (double)(at >> 11) / 9007199254740992.0;
        }
        assert_int_equal(usl_fit(workers, x, COUNT, &usl), 0);
        assert_true(usl.error > 0 && usl.error < 0.01);
        assert_near(usl_at(&usl, 32) / usl_at(&known, 32), 1, 0.10);
    }
}

/* Superlinear points, and ones that fall faster than any: parameters stay where they mean something. (tried: sigma below 0 kept) */
static void parameters_are_never_below_zero(void **state)
{
    (void)state;
    static const double super[COUNT] = {1, 2.2, 3.5, 4.8, 7.5, 10.2, 16, 22}, falling[COUNT] = {10, 9, 7, 5, 3, 2, 1, 0.5}, n[3] = {1, 2, 4}, flat[3] = {5, 5, 5};
    struct usl usl;
    assert_int_equal(usl_fit(workers, super, COUNT, &usl), 0);
    assert_true(usl.sigma == 0 && usl.kappa == 0 && usl.lambda > 1 && usl.error > 0.01);
    assert_int_equal(usl_fit(workers, falling, COUNT, &usl), 0);
    assert_true(usl.sigma >= 0 && usl.kappa > 0 && usl.lambda > 0);
    assert_int_equal(usl_fit(n, flat, 3, &usl), 0);
    assert_near(usl.sigma, 1, 1e-9);
}

static void too_few_points_or_no_numbers_are_refused(void **state)
{
    (void)state;
    const double n[] = {1, 2, 2, 2}, x[] = {1, 2, 2, 2}, good[] = {1, 2, 3}, zero[] = {1, 0, 3}, none[] = {1, NAN, 3}, endless[] = {1, INFINITY, 3};
    static double many[USL_POINTS_MAX + 1];
    struct usl usl;
    assert_int_equal(usl_fit(n, x, 4, &usl), -EINVAL);
    assert_int_equal(usl_fit(n, x, 0, &usl), -EINVAL);
    assert_int_equal(usl_fit(good, zero, 3, &usl), -EINVAL);
    assert_int_equal(usl_fit(good, none, 3, &usl), -EINVAL);
    assert_int_equal(usl_fit(endless, good, 3, &usl), -EINVAL);
    assert_int_equal(usl_fit(many, many, USL_POINTS_MAX + 1, &usl), -EINVAL);
    assert_int_equal(usl_fit(good, good, 3, &usl), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_points_give_their_parameters),
        cmocka_unit_test(the_peak_is_where_more_bring_less),
        cmocka_unit_test(noise_of_one_percent_moves_a_prediction_little),
        cmocka_unit_test(parameters_are_never_below_zero),
        cmocka_unit_test(too_few_points_or_no_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
