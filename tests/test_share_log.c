/* What a device was given, told in order, and once where nothing changes (runtime/share_log.h). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/share_log.h"

static struct adit_share_log shares;

static void tell(uint64_t at, uint32_t taken, const char *why)
{
    const struct adit_share_report r = {.size = sizeof r, .at_ns = at, .backlog = 9, .taken = taken, .why = why};
    adit_share_log_tell(&shares, &r);
}

static uint64_t get(uint32_t back)
{
    struct adit_share_report r;
    return adit_share_log_get(&shares, back, &r) ? 0 : r.at_ns;
}

static void decisions_are_told_once_and_the_last_ones_stay(void **state)
{
    static const char slow[] = "slow", unknown[] = "unknown";
    struct adit_share_report r;
    (void)state;
    adit_share_log_init(&shares);
    assert_int_equal(adit_share_log_get(&shares, 0, &r), -ERANGE);
    tell(1, 0, unknown);
    tell(2, 0, unknown); /* (tried: told again) */
    tell(3, 0, slow);
    tell(4, 5, slow);
    tell(5, 5, slow); /* it was given something both times */
    tell(6, 0, slow);
    assert_int_equal(get(0), 6);
    assert_int_equal(get(1), 5);
    assert_int_equal(get(2), 4);
    assert_int_equal(get(3), 3);
    assert_int_equal(get(4), 1);
    assert_int_equal(get(5), 0);
    for (uint64_t i = 0; i < 3 * ADIT_SHARE_LOG_MAX; i++)
        tell(100 + i, 1, slow);
    for (uint32_t i = 0; i < ADIT_SHARE_LOG_MAX; i++)
        assert_int_equal(get(i), 100 + 3 * ADIT_SHARE_LOG_MAX - 1 - i);
    assert_int_equal(adit_share_log_get(&shares, ADIT_SHARE_LOG_MAX, &r), -ERANGE); /* (tried: some that were written over) */
    adit_share_log_fini(&shares);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(decisions_are_told_once_and_the_last_ones_stay)};
    return cmocka_run_group_tests_name("what devices were given", tests, NULL, NULL);
}
