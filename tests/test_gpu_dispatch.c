/* test_gpu_dispatch.c - a dispatcher with Vulkan devices (lavapipe): whole worlds have the meshes of threads, with ambient occlusion and without, culled or not,
 * while they are edited; a device that is lost in the middle, hangs or lies loses no chunk. tests/test_batcher.c has what no real device can be made to do. */
#include "tests/mesh_world.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/executor.h"
#include "tests/faulty_fixture.h"
#include "tests/gpu_fixture.h"

#define SETTLE_NS 120000000000u

static const char *faulty; /* the driver that fails as it is told */

static bool copies; /* even where a device could read the arena itself */

static struct adit_devices *open_devices(uint32_t batch_max)
{
    const struct adit_devices_params p = {.size = sizeof p, .software = true, .batch_max = batch_max, .copies = copies};
    struct adit_devices *devices;
    if (adit_devices_open(&p, &devices))
        fail_msg("no device: %s", adit_detail());
    assert_int_equal(adit_devices_n(devices), 1);
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
        struct adit_tier_info info = mesh_world(i & 1 ? ADIT_CREATE_AO : 0, 2);
        if (!info.is_lost)
            fail_msg("%s: the device is said to be well", faults[i]);
        assert_true(*info.why != 0 && !strchr(info.why, '\n'));
        uint32_t live = faulty_driver_live();
        assert_true(strncmp(faults[i], "hang", 4) ? live == leaked : live > 0); /* what hangs may be at it yet, and is left */
        leaked = live;
    }
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

static bool is_at_work(void *arena)
{
    struct adit_arena *a = arena;
    for (uint32_t i = 0; i < a->chunks_max; i++)
        if (adit_load_acquire(&a->entries[i].work))
            return true;
    return false;
}

static void who_is_killed_in_mid_batch_loses_no_chunk(void **state)
{
    uint64_t seed = 3;
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    for (uint32_t n = 0; n < 6; n++) {
        pid_t child = fixture_fork(mesh_until_killed, (void *)(uintptr_t)FIXTURE_NAME);
        struct adit_arena *a = mesh_world_create(n & 1 ? ADIT_CREATE_AO : 0);
        fixture_start();
        assert_true(fixture_eventually(is_at_work, a));
        shm_fixture_nap((uint32_t)(shm_fixture_random(&seed) % 100));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(shm_fixture_wait(child), -SIGKILL);
        struct adit_dispatcher *d;
        assert_int_equal(adit_dispatcher_open(a, NULL, &d), 0);
        assert_int_equal(adit_settle(a, SETTLE_NS), 0);
        adit_dispatcher_close(&d);
        mesh_world_assert_right(a);
        adit_detach(&a);
    }
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_killed_in_mid_batch_loses_no_chunk),
        cmocka_unit_test(a_device_alone_gives_the_meshes_of_threads),
        cmocka_unit_test(a_device_that_fails_loses_no_chunk),
        cmocka_unit_test(one_of_two_devices_may_be_lost),
        cmocka_unit_test(devices_that_are_not_there_are_told),
    };
    gpu_use_drivers(gpu_test_driver());
    faulty = faulty_driver_manifest("");
    return cmocka_run_group_tests_name("devices of Vulkan under a dispatcher", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
