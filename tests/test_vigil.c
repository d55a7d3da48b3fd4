/* test_vigil.c - a process that is stopped while a device is at work, and goes on when the time for it is long over, calls no sound device hung: neither who closes a
 * batch (gpu/submission.c) nor a producer (tools/generate_device.c); tests/test_batcher.c has the dispatcher. The clock is the test's: the program is linked
 * with --wrap.
 *
 * (tried: over when the clock says so; a look that counts for all the time that passed; a close with one wait; a producer that does not look at all when the time is
 * over.) */
#include "runtime/vigil.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "gpu/generate_batch.h"
#include "gpu/gpu_parts.h"
#include "runtime/adit.h"
#include "tests/gpu_fixture.h"
#include "tools/generate_device.h"

#define S 1000000000ull
#define STOPPED_NS (60 * S)
#define MOST_NS (20 * S)

uint64_t __real_adit_clock_ns(void);
uint64_t __wrap_adit_clock_ns(void);
int __real_adit_generate_batch_wait(struct adit_generate_batch *batch, uint64_t timeout_ns);
int __wrap_adit_generate_batch_wait(struct adit_generate_batch *batch, uint64_t timeout_ns);

static bool stands; /* the clock, but for what is added */
static uint64_t added_ns;
static uint32_t stops; /* to come */
static PFN_vkWaitSemaphores wait_on;

uint64_t __wrap_adit_clock_ns(void) { return added_ns + (stands ? 1000 * S : __real_adit_clock_ns()); }

/* The process is stopped in the middle of a wait; so is the device, of which nothing is done then. */
static bool is_stopped(void)
{
    if (!stops)
        return false;
    stops--;
    added_ns += STOPPED_NS;
    return true;
}

int __wrap_adit_generate_batch_wait(struct adit_generate_batch *batch, uint64_t timeout_ns)
{
    return is_stopped() ? -ETIMEDOUT : __real_adit_generate_batch_wait(batch, timeout_ns);
}

static VKAPI_ATTR VkResult VKAPI_CALL wait_with_stops(VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t timeout_ns)
{
    return is_stopped() ? VK_TIMEOUT : wait_on(device, info, timeout_ns);
}

/* Looks of so long that find nothing, until it hangs. */
static uint64_t looks_of(uint64_t look_ns, uint64_t since_ns)
{
    struct adit_vigil v = adit_vigil_begin(since_ns, MOST_NS);
    uint64_t n = 0;
    do {
        added_ns += look_ns;
        n++;
    } while (adit_vigil_goes_on(&v));
    return n;
}

static void who_hangs_is_known_when_the_time_is_over(void **state)
{
    (void)state;
    stands = true;
    added_ns = 0;
    assert_int_equal(looks_of(S / 10, adit_clock_ns()), 200);
    assert_int_equal(looks_of(S / 100, adit_clock_ns()), 2000); /* interrupted ones */
    assert_int_equal(looks_of(S / 10, adit_clock_ns() - 8 * S), 120);
    stands = false;
}

static void time_that_nobody_watched_is_not_enough(void **state)
{
    (void)state;
    stands = true;
    added_ns = 0;
    assert_int_equal(looks_of(S / 10, adit_clock_ns() - STOPPED_NS), 50); /* the first look came late */
    assert_int_equal(looks_of(STOPPED_NS, adit_clock_ns()), 50); /* stopped in every look */
    stands = false;
}

static void a_batch_that_is_closed_after_a_stop_is_freed(void **state)
{
    struct adit_gpu_list *list;
    struct adit_gpu *gpu;
    (void)state;
    added_ns = 0;
    assert_int_equal(adit_gpu_list_open(&list), 0);
    assert_int_equal(adit_gpu_open(list, list->devices, &gpu), 0);
    wait_on = gpu->d.WaitSemaphores;
    gpu->d.WaitSemaphores = wait_with_stops;
    for (stops = 0; stops < 3; stops++) {
        uint32_t now = stops;
        struct adit_generate_batch *b;
        assert_int_equal(adit_generate_batch_open(gpu, 1, &b), 0);
        adit_generate_batch_begin(b);
        assert_int_equal(adit_generate_batch_add(b, adit_generator_named("terrain"), 1, 0, 0, 0), 0);
        assert_int_equal(adit_generate_batch_submit(b), 0);
        added_ns += STOPPED_NS;
        adit_generate_batch_close(&b);
        assert_int_equal(stops, 0);
        assert_int_equal(adit_gpu_health_of(gpu), ADIT_GPU_SOUND);
        stops = now;
    }
    assert_int_equal(gpu->abandoned, 0);
    stops = 0;
    adit_gpu_close(&gpu);
    adit_gpu_list_close(&list);
}

static void a_producer_that_was_stopped_keeps_its_device(void **state)
{
    char line[512] = "";
    struct adit_world *world;
    struct adit_generate_device *device;
    const struct adit_generate_wish wish = {.program = "test_vigil", .text = "vulkan"};
    const uint16_t *voxels;
    struct adit_key key = {0};
    (void)state;
    assert_int_equal(adit_world_open("terrain:7:2x1x2", &world, line, sizeof line), 0);
    added_ns = 0;
    if (adit_generate_device_open(&wish, &device, line, sizeof line))
        fail_msg("%s", line);
    for (stops = 1; stops < 3; stops++) {
        uint32_t now = stops, n = 0;
        int got;
        for (key.x = 0; key.x < 2; key.x++)
            adit_generate_device_ask(device, world, &key);
        while ((got = adit_generate_device_next(device, true, &key, &voxels)) > 0) {
            assert_non_null(voxels);
            n++;
        }
        assert_int_equal(got, 0);
        assert_int_equal(n, 2);
        assert_int_equal(stops, 0);
        stops = now;
    }
    stops = 0;
    adit_generate_device_close(&device);
    adit_world_close(world);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_hangs_is_known_when_the_time_is_over),
        cmocka_unit_test(time_that_nobody_watched_is_not_enough),
        cmocka_unit_test(a_batch_that_is_closed_after_a_stop_is_freed),
        cmocka_unit_test(a_producer_that_was_stopped_keeps_its_device),
    };
    gpu_use_drivers(gpu_test_driver());
    return cmocka_run_group_tests_name("how long a device is waited for", tests, NULL, NULL);
}
