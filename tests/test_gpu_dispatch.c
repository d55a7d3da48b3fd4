/* test_gpu_dispatch.c - a dispatcher with Vulkan devices (lavapipe): whole worlds have the meshes of threads, with ambient occlusion and without, culled or not,
 * while they are edited; a device that is lost in the middle, hangs or lies loses no chunk. tests/test_batcher.c has what no real device can be made to do.
 *
 * Under ADIT_VULKAN_VALIDATE the layer watches sound devices alone, with two batches in flight that copy and that fetch; a lost one breaks its rules. */
#include "tests/mesh_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/gpu_executor.h"
#include "gpu/gpu_parts.h"
#include "runtime/executor.h"
#include "tests/faulty_fixture.h"
#include "tests/gpu_fixture.h"

#define SETTLE_NS 120000000000u
#define PATIENCE_NS 1000000000u

static const char *faulty; /* the driver that fails as it is told */

static bool hangs; /* the driver, in what comes next */
static uint32_t complaints; /* of the validation layer */
static bool copies; /* even where a device could read the arena itself */

static struct adit_devices *open_devices(uint32_t batch_max)
{
    const struct adit_devices_params p = {.size = sizeof p, .software = true, .batch_max = batch_max, .copies = copies};
    struct adit_devices *devices;
    if (adit_devices_open(&p, &devices))
        fail_msg("no device: %s", adit_detail());
    assert_int_equal(adit_devices_n(devices), 1);
    if (hangs) /* the batcher gives it up after seconds; closing need not wait for half a minute (tests/test_gpu_lost.c has that) */
        ((struct adit_gpu *)devices->executor[0]->user)->patience_ns = PATIENCE_NS;
    return devices;
}

static struct adit_dispatcher *dispatch(struct adit_arena *a, struct adit_devices *devices, bool only)
{
    const struct adit_dispatcher_params p = {.size = sizeof p, .workers = 1, .only_devices = only, .devices = devices};
    struct adit_dispatcher *d;
    assert_int_equal(adit_dispatcher_open(a, &p, &d), 0);
    return d;
}

/* Meshes a world by devices alone, edited meanwhile, and compares it with what threads make; what has become of the device. */
static struct adit_tier_info mesh_world(uint32_t flags, uint32_t batch_max)
{
    struct adit_tier_info info;
    struct adit_devices *devices = open_devices(batch_max);
    struct adit_arena *a = mesh_world_create(flags);
    struct adit_dispatcher *d = dispatch(a, devices, true);
    for (uint32_t i = 0; i < 30; i++)
        mesh_world_edit(a, i * 5 % MESH_WORLD_CHUNKS, i);
    assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    for (uint32_t i = 0; i < 30; i++)
        mesh_world_edit(a, i * 3 % MESH_WORLD_CHUNKS, 7 * i);
    assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    assert_int_equal(adit_dispatcher_tier(d, 1, &info), 0);
    adit_dispatcher_close(&d);
    complaints += adit_devices_list(devices)->vk.complaints;
    adit_devices_close(&devices);
    mesh_world_assert_right(a);
    adit_detach(&a);
    return info;
}

static void a_device_alone_gives_the_meshes_of_threads(void **state)
{
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    static const uint32_t flags[] = {0, ADIT_CREATE_AO, ADIT_CREATE_TT_NONE, ADIT_CREATE_AO | ADIT_CREATE_TT_NONE};
    for (uint32_t i = 0; i < 6; i++) {
        copies = i >= 4;
        struct adit_tier_info info = mesh_world(flags[i % 4], i == 1 ? 1 : i == 2 ? 3 : 0);
        assert_false(info.is_lost);
        assert_true(info.meshed >= MESH_WORLD_CHUNKS / 2);
        assert_string_equal(info.name, "vulkan:0");
    }
    copies = false;
}

/* (tried: a lost device that is asked again: the test does not end) */
static void a_device_that_fails_loses_no_chunk(void **state)
{
    static const char *const faults[] = {"lost-at-submit:1", "lost-at-submit:2", "lost-in-flight:1", "lost-in-flight:3", "lost-quietly:2", "no-memory:5",
                                         "no-memory:19",
#ifndef __SANITIZE_ADDRESS__ /* what hangs is left to the device: that is a leak */
                                         "hang:1",
#endif
    };
    uint32_t leaked = 0;
    (void)state;
    gpu_use_drivers(faulty);
    for (uint32_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        faulty_driver_break(faults[i]);
        hangs = !strncmp(faults[i], "hang", 4);
        struct adit_tier_info info = mesh_world(i & 1 ? ADIT_CREATE_AO : 0, 2);
        if (!info.is_lost)
            fail_msg("%s: the device is said to be well", faults[i]);
        assert_true(*info.why != 0 && !strchr(info.why, '\n'));
        uint32_t live = faulty_driver_live();
        assert_true(hangs ? live > 0 : live == leaked); /* what hangs may be at it yet, and is left */
        leaked = live;
    }
    hangs = false;
}

/* The other device goes on. */
static void one_of_two_devices_may_be_lost(void **state)
{
    char both[1024];
    struct adit_tier_info info[2];
    (void)state;
    snprintf(both, sizeof both, "%s:%s", faulty, gpu_test_driver());
    gpu_use_drivers(both);
    faulty_driver_break("lost-in-flight:2");
    const struct adit_devices_params p = {.size = sizeof p, .only = 3, .batch_max = 2};
    struct adit_devices *devices;
    assert_int_equal(adit_devices_open(&p, &devices), 0);
    assert_int_equal(adit_devices_n(devices), 2);
    struct adit_arena *a = mesh_world_create(0);
    struct adit_dispatcher *d = dispatch(a, devices, true);
    assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    for (uint32_t i = 0; i < 40; i++)
        mesh_world_edit(a, i * 5 % MESH_WORLD_CHUNKS, i);
    assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(adit_dispatcher_tier(d, 1 + i, &info[i]), 0);
    assert_int_equal(info[0].is_lost + info[1].is_lost, 1);
    adit_dispatcher_close(&d);
    adit_devices_close(&devices);
    mesh_world_assert_right(a);
    adit_detach(&a);
}

/* ---- death */

static void mesh_until_killed(void *user)
{
    struct adit_arena *a = shm_fixture_attach(user, ADIT_PRODUCER);
    struct adit_devices *devices = open_devices(4);
    struct adit_dispatcher *d = dispatch(a, devices, true);
    (void)d;
    for (;;)
        shm_fixture_nap(1000);
}

static void who_is_killed_in_mid_batch_loses_no_chunk(void **state)
{
    uint64_t seed = 3;
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    for (uint32_t n = 0; n < 6; n++)
        mesh_world_survives_death(mesh_until_killed, n & 1 ? ADIT_CREATE_AO : 0, 0, 99, &seed);
}

static void devices_that_are_not_there_are_told(void **state)
{
    (void)state;
    struct adit_devices *devices;
    struct adit_devices_params p = {.size = sizeof p, .software = true, .only = 1u << 7};
    gpu_use_drivers(gpu_test_driver());
    assert_int_equal(adit_devices_open(&p, &devices), -ENODEV);
    assert_null(devices);
    assert_int_equal(adit_devices_n(NULL), 0);
    p = (struct adit_devices_params){.size = sizeof p}; /* hardware alone */
    assert_int_equal(adit_devices_open(&p, &devices), -ENODEV);
    p = (struct adit_devices_params){.size = sizeof p, .software = true, .batch_max = 5000};
    assert_int_equal(adit_devices_open(&p, &devices), -EINVAL);
    gpu_use_drivers("/nowhere.json");
    p.batch_max = 0;
    assert_true(adit_devices_open(&p, &devices) < 0);
    assert_null(devices);
}

/* (tried: the barrier between two stages left out) */
static void validation_has_nothing_to_say(void **state)
{
    (void)state;
    assert_int_equal(complaints, 0);
}

int main(void)
{
    static const struct CMUnitTest watched[] = {
        cmocka_unit_test(a_device_alone_gives_the_meshes_of_threads),
        cmocka_unit_test(validation_has_nothing_to_say),
    };
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_killed_in_mid_batch_loses_no_chunk),
        cmocka_unit_test(a_device_alone_gives_the_meshes_of_threads),
        cmocka_unit_test(a_device_that_fails_loses_no_chunk),
        cmocka_unit_test(one_of_two_devices_may_be_lost),
        cmocka_unit_test(devices_that_are_not_there_are_told),
    };
    gpu_use_drivers(gpu_test_driver());
    faulty = faulty_driver_manifest("");
    if (getenv("ADIT_VULKAN_VALIDATE"))
        return cmocka_run_group_tests_name("sound devices under a dispatcher, watched", watched, shm_fixture_set_up, shm_fixture_tear_down);
    return cmocka_run_group_tests_name("devices of Vulkan under a dispatcher", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
