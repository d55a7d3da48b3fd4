/* A device that is lost, hangs, has no memory left or lies, while batches are in flight: error codes with one line that names it, nothing that looks like a result, nothing
 * left behind, and the sound device of the same list goes on. The device is faulty_driver.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpu/generate_batch.h"
#include "gpu/gpu_parts.h"
#include "runtime/adit.h"
#include "tests/faulty_fixture.h"
#include "tests/gpu_fixture.h"

#define WAIT_NS 120000000000u
#define SOURCE_BYTES (1u << 20)

static char drivers[600];
static uint8_t classes[ADIT_MATERIALS];
static uint16_t voxels[ADIT_CHUNK_VOXELS];
static uint64_t *quads;
static struct gpu_chunk chunk;

/* The list of both devices, opened for each test. */
static struct adit_gpu_list *list;
static const struct adit_gpu_device *sound, *faulty;

static void mesh_and_compare(struct adit_gpu *gpu)
{
    const struct adit_mesh_source s = {.voxels = voxels, .classes = classes, .dim = {64, 64, 64}};
    struct adit_mesh_result want = {.quads = quads, .quads_max = ADIT_MESH_QUADS_MAX}, got;
    struct adit_mesh_batch *b;
    assert_int_equal(adit_mesh_batch_open(gpu, classes, 1, SOURCE_BYTES, &b), 0);
    adit_mesh_batch_begin(b);
    assert_int_equal(adit_mesh_batch_add(b, &chunk.task), 0);
    assert_int_equal(adit_mesh_batch_submit(b), 0);
    assert_int_equal(adit_mesh_batch_wait(b, WAIT_NS), 0);
    assert_int_equal(adit_mesh_scalar(&s, &want), 0);
    adit_mesh_batch_result(b, 0, &got);
    assert_memory_equal(got.start, want.start, sizeof got.start);
    assert_memory_equal(got.quads, want.quads, want.start[ADIT_MESH_RANGES] * sizeof *quads);
    adit_mesh_batch_close(&b);
}

static void the_sound_device_goes_on(void)
{
    struct adit_gpu *gpu;
    assert_int_equal(adit_gpu_open(list, sound, &gpu), 0);
    mesh_and_compare(gpu);
    adit_gpu_close(&gpu);
}

/* One line, which names the device and says what happened. */
static void assert_detail(const char *what)
{
    const char *line = adit_detail();
    if (!strstr(line, faulty->name) || !strstr(line, what) || strchr(line, '\n'))
        fail_msg("\"%s\" does not say \"%s\" of \"%s\"", line, what, faulty->name);
}

static struct adit_gpu *open_faulty(const char *fault)
{
    struct adit_gpu *gpu;
    faulty_driver_break(fault);
    assert_int_equal(adit_gpu_open(list, faulty, &gpu), 0);
    return gpu;
}

static struct adit_mesh_batch *open_batch(struct adit_gpu *gpu)
{
    struct adit_mesh_batch *b;
    assert_int_equal(adit_mesh_batch_open(gpu, classes, 1, SOURCE_BYTES, &b), 0);
    return b;
}

static void fill(struct adit_mesh_batch *b)
{
    adit_mesh_batch_begin(b);
    assert_int_equal(adit_mesh_batch_add(b, &chunk.task), 0);
}

static void a_faulty_device_without_a_fault_is_a_sound_one(void **state)
{
    struct adit_gpu *gpu = open_faulty("");
    (void)state;
    mesh_and_compare(gpu);
    adit_gpu_close(&gpu);
}

static void a_device_lost_in_flight_ends_every_batch(void **state)
{
    struct adit_gpu *gpu = open_faulty("lost-in-flight:2");
    struct adit_mesh_batch *b[3] = {open_batch(gpu), open_batch(gpu), open_batch(gpu)};
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        fill(b[i]);
    assert_int_equal(adit_mesh_batch_submit(b[0]), 0);
    assert_int_equal(adit_mesh_batch_submit(b[1]), 0);
    assert_int_equal(adit_mesh_batch_submit(b[2]), -EIO);
    assert_detail("VK_ERROR_DEVICE_LOST");
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(adit_mesh_batch_wait(b[i], WAIT_NS), -EIO);
        assert_detail("VK_ERROR_DEVICE_LOST");
    }
    the_sound_device_goes_on();
    for (uint32_t i = 0; i < 3; i++)
        adit_mesh_batch_close(&b[i]);
    adit_gpu_close(&gpu);
}

static int open_list(void **state)
{
    (void)state;
    if (adit_gpu_list_open(&list) || list->n != 2)
        return -1;
    bool first = !strncmp(list->devices[0].name, "faulty ", 7);
    faulty = &list->devices[!first];
    sound = &list->devices[first];
    return strncmp(faulty->name, "faulty ", 7);
}

static int close_list(void **state)
{
    (void)state;
    adit_gpu_list_close(&list);
    if (faulty_driver_live())
        print_error("%u objects of the device are left\n", faulty_driver_live());
    return faulty_driver_live() ? -1 : 0;
}

static int set_up(void **state)
{
    (void)state;
    const struct adit_generator *terrain = adit_generator_named("terrain");
    uint16_t *none[ADIT_FACES] = {0};
    adit_generate(terrain, 1, 0, 0, 0, voxels);
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    classes[0] = ADIT_CLASS_AIR;
    gpu_chunk_make(&chunk, voxels, none, classes, 0);
    quads = malloc(ADIT_MESH_QUADS_MAX * sizeof *quads);
    return quads ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    gpu_chunk_free(&chunk);
    free(quads);
    return 0;
}

#define lists_both(test) cmocka_unit_test_setup_teardown(test, open_list, close_list)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        lists_both(a_faulty_device_without_a_fault_is_a_sound_one),
        lists_both(a_device_lost_in_flight_ends_every_batch),
    };
    const char *faulty_one = faulty_driver_manifest("");
    snprintf(drivers, sizeof drivers, "%s:%s", faulty_one ? faulty_one : "", gpu_test_driver() ? gpu_test_driver() : "");
    gpu_use_drivers(faulty_one ? drivers : NULL);
    return cmocka_run_group_tests_name("a device that fails", tests, set_up, tear_down);
}
