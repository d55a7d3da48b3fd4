/* test_cost.c - what tiers cost (runtime/cost.h). */
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_classed_by_their_bytes),
        cmocka_unit_test(one_outlier_moves_nothing_and_a_change_is_followed),
    };
    return cmocka_run_group_tests_name("what tiers cost", tests, NULL, NULL);
}
