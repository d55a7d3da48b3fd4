/* Estimates of costs (runtime/estimate.h): what moves them, and how fast. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runtime/estimate.h"

static struct adit_estimate known(uint64_t ns)
{
    struct adit_estimate e = {0};
    for (uint32_t i = 0; i < 50; i++)
        adit_estimate_add(&e, ns);
    assert_int_equal(adit_estimate_ns(&e), ns);
    return e;
}

/* tried: a mean */
static void an_outlier_moves_nothing_however_large(void **state)
{
    struct adit_estimate e = known(1000);
    for (uint32_t i = 0; i < 20; i++) {
        adit_estimate_add(&e, 500000);
        assert_in_range(adit_estimate_ns(&e), 900, 1100);
        for (uint32_t k = 0; k < 2; k++) /* one in three, on and on */
            adit_estimate_add(&e, 1000);
        assert_in_range(adit_estimate_ns(&e), 900, 1100);
    }
    adit_estimate_add(&e, 0);
    assert_in_range(adit_estimate_ns(&e), 900, 1100);
    (void)state;
}

/* tried: the recent ones not looked at (23 measurements) */
static void a_change_is_known_after_four_measurements_up_and_down(void **state)
{
    struct adit_estimate e = known(1000);
    for (uint32_t i = 0; i < 3; i++)
        adit_estimate_add(&e, 4000);
    assert_in_range(adit_estimate_ns(&e), 1000, 1300);
    adit_estimate_add(&e, 4000);
    assert_int_equal(adit_estimate_ns(&e), 4000);
    for (uint32_t i = 0; i < 4; i++)
        adit_estimate_add(&e, 1000);
    assert_int_equal(adit_estimate_ns(&e), 1000);
    (void)state;
}

static void it_settles_at_the_median_of_what_scatters(void **state)
{
    struct adit_estimate e = {0};
    uint64_t seed = 3;
    for (uint32_t i = 0; i < 5000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        adit_estimate_add(&e, 800 + (seed >> 33) % 401); /* 800 to 1,200 */
        if (i > 100)
            assert_in_range(adit_estimate_ns(&e), 880, 1120);
    }
    (void)state;
}

static void the_ends_of_the_range_do_no_harm(void **state)
{
    struct adit_estimate e = {0};
    assert_int_equal(adit_estimate_ns(&e), 0);
    adit_estimate_add(&e, 0);
    assert_int_equal(adit_estimate_ns(&e), 1);
    for (uint32_t i = 0; i < 10; i++)
        adit_estimate_add(&e, UINT64_MAX);
    assert_int_equal(adit_estimate_ns(&e), UINT64_MAX);
    for (uint32_t i = 0; i < 10; i++)
        adit_estimate_add(&e, 0);
    assert_int_equal(adit_estimate_ns(&e), 1);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outlier_moves_nothing_however_large),
        cmocka_unit_test(a_change_is_known_after_four_measurements_up_and_down),
        cmocka_unit_test(it_settles_at_the_median_of_what_scatters),
        cmocka_unit_test(the_ends_of_the_range_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
