/* A device that is lost, hangs, has no memory left or lies, under batches of every kind: error codes with one line that names it, nothing that looks like a result, no close that
 * waits for ever, nothing left behind; and the sound device of the same list goes on. The device is faulty_driver.c.
 *
 * (tried: each answer of submit and wait not looked at; a close that waits for ever, that frees what a hung device has; a hung device destroyed, its instance
 * too; begin over a batch in flight; the witness not looked at; places and starts not looked at; results read again after they were judged; the second wait of a mesh
 * batch without a limit; a batch that found no room submitted with none.) */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "gpu/generate_batch.h"
#include "gpu/gpu_parts.h"
#include "gpu/lod_batch.h"
#include "runtime/adit.h"
#include "tests/faulty_fixture.h"
#include "tests/gpu_fixture.h"

#define WAIT_NS 120000000000u
#define SHORT_NS 20000000u
#define SOURCE_BYTES (2u << 20)
#define TOO_LONG_S 200u /* no wait here ends later than that, or the test dies of SIGALRM */

static char drivers[600];
static uint8_t classes[ADIT_MATERIALS];
static uint16_t voxels[ADIT_CHUNK_VOXELS], halved[ADIT_LOD_BATCH_VOXELS];
static uint64_t *quads;
static struct gpu_chunk chunk, crowded;   /* of terrain; with more quads than a batch has room for at first */
static struct adit_mesh_result mesh;      /* of chunk */

/* The list of both devices, opened for each test, and how many objects hung devices have left for good. */
static struct adit_gpu_list *list;
static struct adit_gpu_device *sound, *faulty;
static uint32_t left;

/* ---- batches of every kind, each of one chunk of terrain */

static void *mesh_open(struct adit_gpu *gpu)
{
    struct adit_mesh_batch *b;
    return adit_mesh_batch_open(gpu, classes, 1, SOURCE_BYTES, &b) ? NULL : b;
}

static void *generate_open(struct adit_gpu *gpu)
{
    struct adit_generate_batch *b;
    return adit_generate_batch_open(gpu, 1, &b) ? NULL : b;
}

static void *lod_open(struct adit_gpu *gpu)
{
    struct adit_lod_batch *b;
    return adit_lod_batch_open(gpu, 1, SOURCE_BYTES, &b) ? NULL : b;
}

static int mesh_fill(void *b)
{
    adit_mesh_batch_begin(b);
    return adit_mesh_batch_add(b, &chunk.task);
}

static int generate_fill(void *b)
{
    adit_generate_batch_begin(b);
    return adit_generate_batch_add(b, adit_generator_named("terrain"), 1, 0, 0, 0);
}

static int lod_fill(void *b)
{
    adit_lod_batch_begin(b);
    return adit_lod_batch_add(b, chunk.task.version, chunk.task.bytes);
}

static int mesh_submit(void *b) { return adit_mesh_batch_submit(b); }
static int generate_submit(void *b) { return adit_generate_batch_submit(b); }
static int lod_submit(void *b) { return adit_lod_batch_submit(b); }
static int mesh_wait(void *b, uint64_t ns) { return adit_mesh_batch_wait(b, ns); }
static int generate_wait(void *b, uint64_t ns) { return adit_generate_batch_wait(b, ns); }
static int lod_wait(void *b, uint64_t ns) { return adit_lod_batch_wait(b, ns); }

static void mesh_close(void *batch)
{
    struct adit_mesh_batch *b = batch;
    adit_mesh_batch_close(&b);
}

static void generate_close(void *batch)
{
    struct adit_generate_batch *b = batch;
    adit_generate_batch_close(&b);
}

static void lod_close(void *batch)
{
    struct adit_lod_batch *b = batch;
    adit_lod_batch_close(&b);
}

/* 1: as the CPU has it; 0: there is no result; -1: another one. */
static int mesh_judge(const void *b)
{
    struct adit_mesh_result got;
    adit_mesh_batch_result(b, 0, &got);
    if (!got.quads)
        return 0;
    bool same = !memcmp(got.start, mesh.start, sizeof got.start) && !memcmp(got.quads, mesh.quads, mesh.start[ADIT_MESH_RANGES] * sizeof *quads);
    return same ? 1 : -1;
}

static int generate_judge(const void *b)
{
    const uint16_t *got;
    adit_generate_batch_result(b, 0, &got);
    return !got ? 0 : !memcmp(got, voxels, sizeof voxels) ? 1 : -1;
}

static int lod_judge(const void *b)
{
    const uint16_t *got;
    adit_lod_batch_result(b, 0, &got);
    return !got ? 0 : !memcmp(got, halved, ADIT_LOD_BATCH_VOXELS * sizeof *got) ? 1 : -1;
}

static const struct kind {
    void *(*open)(struct adit_gpu *gpu);
    int (*fill)(void *batch);
    int (*submit)(void *batch);
    int (*wait)(void *batch, uint64_t timeout_ns);
    int (*judge)(const void *batch);
    void (*close)(void *batch);
    uint32_t submissions; /* of a batch */
} kinds[] = {{mesh_open, mesh_fill, mesh_submit, mesh_wait, mesh_judge, mesh_close, 2}, /* the second brings quads, at first */
             {generate_open, generate_fill, generate_submit, generate_wait, generate_judge, generate_close, 1},
             {lod_open, lod_fill, lod_submit, lod_wait, lod_judge, lod_close, 1}};

#define KINDS (sizeof kinds / sizeof *kinds)

/* ---- what is asserted again and again */

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

static void *open_filled(const struct kind *k, struct adit_gpu *gpu)
{
    void *b = k->open(gpu);
    assert_non_null(b);
    assert_int_equal(k->fill(b), 0);
    return b;
}

static void works(struct adit_gpu *gpu)
{
    for (const struct kind *k = kinds; k < kinds + KINDS; k++) {
        void *b = open_filled(k, gpu);
        assert_int_equal(k->submit(b), 0);
        assert_int_equal(k->wait(b, WAIT_NS), 0);
        assert_int_equal(k->judge(b), 1);
        k->close(b);
    }
}

/* The sound device, and the faulty one when it is opened anew. */
static void all_others_go_on(void)
{
    struct adit_gpu *gpu;
    assert_int_equal(adit_gpu_open(list, sound, &gpu), 0);
    works(gpu);
    adit_gpu_close(&gpu);
    gpu = open_faulty("");
    works(gpu);
    adit_gpu_close(&gpu);
}

/* No batch of this device is worth a try. */
static void nothing_goes(struct adit_gpu *gpu, const struct kind *k, void *b, const char *why)
{
    assert_int_equal(k->judge(b), 0);
    assert_int_equal(k->fill(b), 0);
    assert_int_equal(k->submit(b), -EIO);
    assert_detail(why);
    assert_int_equal(k->wait(b, WAIT_NS), -EIO);
    assert_int_equal(k->judge(b), 0);
    assert_null(k->open(gpu));
    assert_detail(why);
}

static void turn_leaks(bool on)
{
#ifdef __SANITIZE_ADDRESS__
    on ? __lsan_enable() : __lsan_disable();
#else
    (void)on;
#endif
}

/* ---- tests */

static void a_faulty_device_without_a_fault_is_a_sound_one(void **state)
{
    struct adit_gpu *gpu = open_faulty("");
    (void)state;
    works(gpu);
    adit_gpu_close(&gpu);
}

static void a_device_lost_in_flight_ends_every_batch(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < KINDS; first++) {
        struct adit_gpu *gpu = open_faulty("lost-in-flight:2");
        void *b[KINDS];
        for (uint32_t i = 0; i < KINDS; i++)
            b[i] = open_filled(&kinds[(first + i) % KINDS], gpu);
        for (uint32_t i = 0; i < KINDS; i++)
            assert_int_equal(kinds[(first + i) % KINDS].submit(b[i]), i < 2 ? 0 : -EIO);
        assert_detail("VK_ERROR_DEVICE_LOST");
        for (uint32_t i = 0; i < 2; i++) {
            assert_int_equal(kinds[(first + i) % KINDS].wait(b[i], WAIT_NS), -EIO);
            assert_detail("VK_ERROR_DEVICE_LOST");
        }
        for (uint32_t i = 0; i < KINDS; i++)
            nothing_goes(gpu, &kinds[(first + i) % KINDS], b[i], "VK_ERROR_DEVICE_LOST");
        all_others_go_on();
        for (uint32_t i = 0; i < KINDS; i++)
            kinds[(first + i) % KINDS].close(b[i]);
        adit_gpu_close(&gpu);
    }
}

static void a_device_lost_at_submission_is_an_error_there(void **state)
{
    (void)state;
    for (const struct kind *k = kinds; k < kinds + KINDS; k++) {
        struct adit_gpu *gpu = open_faulty("lost-at-submit:1");
        void *b = open_filled(k, gpu);
        assert_int_equal(k->submit(b), -EIO);
        assert_detail("VK_ERROR_DEVICE_LOST");
        nothing_goes(gpu, k, b, "VK_ERROR_DEVICE_LOST");
        k->close(b);
        adit_gpu_close(&gpu);
    }
}

/* The second submission of a mesh batch, too. */
static void a_lost_device_whose_waits_succeed_gives_no_result(void **state)
{
    (void)state;
    for (const struct kind *k = kinds; k < kinds + KINDS; k++)
        for (uint32_t n = 1; n <= k->submissions; n++) {
            struct adit_gpu *gpu = open_faulty(n == 1 ? "lost-quietly:1" : "lost-quietly:2");
            void *b = open_filled(k, gpu);
            assert_int_equal(k->submit(b), 0);
            assert_int_equal(k->wait(b, WAIT_NS), -EIO);
            assert_detail("over before it was done");
            nothing_goes(gpu, k, b, "VK_ERROR_DEVICE_LOST");
            k->close(b);
            adit_gpu_close(&gpu);
        }
}

/* Its batch is waited for as long as the device is trusted, and never freed; a batch that it had done before is none the worse. What a hung device keeps is no leak. */
static void a_device_that_hangs_holds_nobody_up(void **state)
{
    (void)state;
    turn_leaks(false);
    for (const struct kind *k = kinds; k < kinds + KINDS; k++)
        for (uint32_t n = 1; n <= k->submissions; n++) { /* the lod batch before takes one */
            struct adit_gpu *gpu = open_faulty(n == 1 ? "hang:2" : "hang:3");
            void *done = open_filled(&kinds[2], gpu), *b = open_filled(k, gpu), *after = open_filled(k, gpu);
            assert_int_equal(kinds[2].submit(done), 0);
            assert_int_equal(k->submit(b), 0);
            for (uint32_t i = 0; i < 3; i++)
                assert_int_equal(k->wait(b, n == 1 ? SHORT_NS : WAIT_NS / 120), -ETIMEDOUT);
            assert_int_equal(k->fill(b), -ENOSPC);
            assert_int_equal(k->submit(b), -EBUSY);
            assert_int_equal(k->wait(b, 0), -ETIMEDOUT);
            assert_int_equal(k->judge(b), 0);
            assert_int_equal(k->submit(after), 0); /* nobody knows yet */
            gpu->patience_ns = SHORT_NS;
            uint32_t live = faulty_driver_live();
            k->close(b);
            assert_int_equal(faulty_driver_live(), live);
            assert_int_equal(k->wait(after, UINT64_MAX), -EIO); /* now it is known: it does not wait */
            assert_detail("hangs");
            assert_int_equal(k->fill(after), -ENOSPC);
            k->close(after);
            assert_int_equal(faulty_driver_live(), live);
            assert_int_equal(kinds[2].wait(done, WAIT_NS), 0);
            assert_int_equal(kinds[2].judge(done), 1);
            nothing_goes(gpu, &kinds[2], (kinds[2].fill(done), done), "hangs");
            kinds[2].close(done);
            assert_true(faulty_driver_live() < live);
            adit_gpu_close(&gpu);
        }
    turn_leaks(true);
    all_others_go_on();
    left = faulty_driver_live();
    assert_true(left > 0);
}

static void a_wait_with_a_limit_can_be_repeated(void **state)
{
    struct adit_gpu *gpu = open_faulty("");
    (void)state;
    for (const struct kind *k = kinds; k < kinds + KINDS; k++) {
        void *b = open_filled(k, gpu);
        uint32_t early = 0;
        assert_int_equal(k->submit(b), 0);
        int error;
        while ((error = k->wait(b, early % 2 ? 100000 : 0)) == -ETIMEDOUT) {
            early++;
            assert_int_equal(k->judge(b), 0);
        }
        assert_int_equal(error, 0);
        assert_int_equal(k->judge(b), 1);
        assert_int_equal(k->wait(b, 0), 0);
        k->close(b);
    }
    adit_gpu_close(&gpu);
}

/* Each allocation of opening a batch refused once. */
static void a_batch_without_memory_is_not_opened(void **state)
{
    (void)state;
    for (const struct kind *k = kinds; k < kinds + KINDS; k++) {
        uint32_t n = 0, refused = 0;
        while (refused == n++) {
            char fault[32];
            snprintf(fault, sizeof fault, "no-memory:%u", n);
            struct adit_gpu *gpu = open_faulty(fault);
            void *b = k->open(gpu);
            if (!b) {
                assert_detail("VK_ERROR_OUT_OF_DEVICE_MEMORY");
                refused++;
                uint32_t live = faulty_driver_live();
                b = k->open(gpu); /* there is some again */
                assert_non_null(b);
                assert_true(faulty_driver_live() > live);
            }
            k->close(b);
            adit_gpu_close(&gpu);
            assert_int_equal(faulty_driver_live(), left);
        }
        assert_in_range(refused, 4, 40); /* upload, readback, what the shaders use, the witness */
    }
}

/* A checkerboard finds no room for its quads; the same batch goes on with less. */
static void a_mesh_that_finds_no_room_leaves_its_batch_usable(void **state)
{
    uint32_t n = 0, refused = 0, passed = 0;
    (void)state;
    while (!passed) {
        char fault[32];
        struct adit_mesh_batch *b;
        snprintf(fault, sizeof fault, "no-memory:%u", ++n);
        struct adit_gpu *gpu = open_faulty(fault);
        if (!adit_mesh_batch_open(gpu, classes, 1, SOURCE_BYTES, &b)) {
            adit_mesh_batch_begin(b);
            assert_int_equal(adit_mesh_batch_add(b, &crowded.task), 0);
            assert_int_equal(adit_mesh_batch_submit(b), 0);
            int error = adit_mesh_batch_wait(b, WAIT_NS);
            passed += !error;
            if (error) {
                assert_int_equal(error, -ENOMEM);
                assert_detail("VK_ERROR_OUT_OF_DEVICE_MEMORY");
                assert_int_equal(mesh_judge(b), 0);
                assert_int_equal(adit_mesh_batch_wait(b, WAIT_NS), -ENOMEM);
                refused++;
            }
            assert_int_equal(mesh_fill(b), 0);
            assert_int_equal(adit_mesh_batch_submit(b), 0);
            assert_int_equal(adit_mesh_batch_wait(b, WAIT_NS), 0);
            assert_int_equal(mesh_judge(b), 1);
            adit_mesh_batch_close(&b);
        }
        adit_gpu_close(&gpu);
    }
    assert_int_equal(refused, 2); /* the device's room and the host's */
}

/* Bits flipped in all that comes back: an error, or a mesh that can be walked (AddressSanitizer looks on). */
static void a_device_that_lies_leads_nowhere(void **state)
{
    uint32_t refused = 0;
    uint64_t sum = 0;
    (void)state;
    for (uint32_t seed = 0; seed < 48; seed++) {
        char fault[32];
        struct adit_mesh_result got;
        snprintf(fault, sizeof fault, "wrong-bytes:%u:%u", 1 + seed % 2, seed);
        struct adit_gpu *gpu = open_faulty(fault);
        struct adit_mesh_batch *b;
        assert_int_equal(adit_mesh_batch_open(gpu, classes, 1, SOURCE_BYTES, &b), 0);
        adit_mesh_batch_begin(b);
        assert_int_equal(adit_mesh_batch_add(b, seed % 4 == 3 ? &crowded.task : &chunk.task), 0);
        assert_int_equal(adit_mesh_batch_submit(b), 0);
        int error = adit_mesh_batch_wait(b, WAIT_NS);
        adit_mesh_batch_result(b, 0, &got);
        if (error) {
            assert_true(error == -EIO || error == -ENOMEM);
            assert_detail("");
            assert_null(got.quads);
            refused++;
        }
        assert_true(got.start[ADIT_MESH_RANGES] <= ADIT_MESH_QUADS_MAX && got.start[ADIT_MESH_RANGES] == got.quads_max);
        for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++)
            for (uint32_t q = got.start[range]; q < got.start[range + 1]; q++)
                sum += got.quads[q];
        for (uint32_t axis = 0; axis < 3; axis++)
            assert_true(got.bounds_lo[axis] < ADIT_CHUNK_DIM && got.bounds_hi[axis] < ADIT_CHUNK_DIM);
        adit_mesh_batch_close(&b);
        adit_gpu_close(&gpu);
    }
    assert_true(sum); /* so that all was read */
    assert_in_range(refused, 12, 47);
}

/* A list of two is opened anew, as what devices are is looked at then. */
static void reopen_list(const char *fault)
{
    adit_gpu_list_close(&list);
    faulty_driver_break(fault);
    assert_int_equal(adit_gpu_list_open(&list), 0);
}

static void a_device_that_does_not_do_is_refused_with_the_reason(void **state)
{
    static const char *const said[][2] = {{"old", "Vulkan 1.2"}, {"no-timeline", "timeline"}, {"no-open", "VK_ERROR_INITIALIZATION_FAILED"},
                                          {"no-function", "VK_ERROR_INITIALIZATION_FAILED"}};
    struct adit_gpu *gpu;
    (void)state;
    for (uint32_t i = 0; i < sizeof said / sizeof *said; i++) {
        reopen_list(said[i][0]);
        assert_int_equal(list->n, 2);
        faulty = &list->devices[!strncmp(list->devices[1].name, "faulty", 6)];
        sound = &list->devices[faulty == list->devices];
        assert_int_equal(adit_gpu_open(list, faulty, &gpu), -ENODEV);
        assert_detail(said[i][1]);
        assert_null(gpu);
        assert_int_equal(faulty_driver_live(), left);
        assert_int_equal(adit_gpu_open(list, sound, &gpu), 0);
        works(gpu);
        adit_gpu_close(&gpu);
    }
    reopen_list("no-device");
    assert_int_equal(list->n, 1);
    assert_int_equal(adit_gpu_open(list, list->devices, &gpu), 0);
    works(gpu);
    adit_gpu_close(&gpu);
}

/* ---- around */

static int open_list(void **state)
{
    (void)state;
    (void)alarm(TOO_LONG_S);
    faulty_driver_break("");
    if (adit_gpu_list_open(&list) || list->n != 2)
        return -1;
    faulty = &list->devices[!strncmp(list->devices[1].name, "faulty", 6)];
    sound = &list->devices[faulty == list->devices];
    return 0;
}

static int close_list(void **state)
{
    (void)state;
    adit_gpu_list_close(&list);
    if (faulty_driver_live() != left)
        print_error("%u objects of the device are there, not %u\n", faulty_driver_live(), left);
    return faulty_driver_live() != left ? -1 : 0;
}

static int set_up(void **state)
{
    static uint16_t checker[ADIT_CHUNK_VOXELS];
    uint16_t *none[ADIT_FACES] = {0};
    (void)state;
    adit_generate(adit_generator_named("terrain"), 1, 0, 0, 0, voxels);
    adit_generate(adit_generator_named("checker"), 1, 0, 0, 0, checker);
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    classes[0] = ADIT_CLASS_AIR;
    gpu_chunk_make(&chunk, voxels, none, classes, 0);
    gpu_chunk_make(&crowded, checker, none, classes, 0);
    quads = malloc(ADIT_MESH_QUADS_MAX * sizeof *quads);
    const struct adit_mesh_source s = {.voxels = voxels, .classes = classes, .dim = {64, 64, 64}};
    mesh = (struct adit_mesh_result){.quads = quads, .quads_max = ADIT_MESH_QUADS_MAX};
    const struct adit_lod_halving h = {.from = voxels, .to = halved, .to_row = 32, .to_layer = 32 * 32, .dim = {64, 64, 64}};
    return !quads || adit_mesh_scalar(&s, &mesh) || adit_lod_scalar(&h) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    gpu_chunk_free(&chunk);
    gpu_chunk_free(&crowded);
    free(quads);
    return 0;
}

#define lists_both(test) cmocka_unit_test_setup_teardown(test, open_list, close_list)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        lists_both(a_faulty_device_without_a_fault_is_a_sound_one),
        lists_both(a_device_lost_in_flight_ends_every_batch),
        lists_both(a_device_lost_at_submission_is_an_error_there),
        lists_both(a_lost_device_whose_waits_succeed_gives_no_result),
        lists_both(a_wait_with_a_limit_can_be_repeated),
        lists_both(a_batch_without_memory_is_not_opened),
        lists_both(a_mesh_that_finds_no_room_leaves_its_batch_usable),
        lists_both(a_device_that_lies_leads_nowhere),
        lists_both(a_device_that_does_not_do_is_refused_with_the_reason),
        lists_both(a_device_that_hangs_holds_nobody_up), /* the last but one: Vulkan stays open after it */
        lists_both(a_device_lost_in_flight_ends_every_batch),
    };
    const char *faulty_one = faulty_driver_manifest("");
    snprintf(drivers, sizeof drivers, "%s:%s", faulty_one ? faulty_one : "", gpu_test_driver() ? gpu_test_driver() : "");
    gpu_use_drivers(faulty_one ? drivers : NULL);
    return cmocka_run_group_tests_name("a device that fails", tests, set_up, tear_down);
}
