/* A device that has no memory left, that answers with what cannot be, or that does not do at all: an error code with one line that names it, and a batch that can be used again;
 * whatever it answers, it leads nowhere.
 *
 * (tried: a batch that found no room submitted with none, which validation tells; starts, bounds, places not looked at; results read again after they were judged; room
 * made again and again; limits not looked at; timestamps with bits that do not count; the first family that computes; what was opened left to leak; a missing function called, its device left; buffers of quads given back before it was clear that larger ones can be
 * had; a batch closed that knew no device yet.) */
#include <errno.h>
#include <string.h>

#include "tests/faulty_bench.h"

#define WORDS_FROM 32u /* where a batch of one chunk has its result, and how long it is: mesh_batch.c */
#define WORDS 30u

/* Each allocation of opening a batch refused once. */
static void a_batch_without_memory_is_not_opened(void **state)
{
    const uint32_t nothing = faulty_driver_live();
    (void)state;
    for (const struct bench_kind *k = bench_kinds; k < bench_kinds + BENCH_KINDS; k++) {
        uint32_t n = 0, refused = 0;
        while (refused == n++) {
            struct adit_gpu *gpu = bench_open_at("no-memory", n, 0);
            void *b = k->open(gpu);
            if (!b) {
                bench_assert_detail("VK_ERROR_OUT_OF_DEVICE_MEMORY");
                refused++;
                b = k->open(gpu); /* there is some again */
                assert_non_null(b);
            }
            k->close(b);
            adit_gpu_close(&gpu);
            assert_int_equal(faulty_driver_live(), nothing);
        }
        assert_in_range(refused, 4, 40); /* upload, readback, what the shaders use, the witness */
    }
}

/* The program is linked with --wrap=calloc: of the host's memory. */
void *__real_calloc(size_t n, size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
static uint32_t callocs, callocs_refused; /* so far; the one that fails, or 0 */

void *__wrap_calloc(size_t n, size_t bytes) { return ++callocs == callocs_refused ? NULL : __real_calloc(n, bytes); }

/* Each of the host's allocations of opening a batch refused once. */
static void a_batch_without_host_memory_is_not_opened(void **state)
{
    (void)state;
    for (const struct bench_kind *k = bench_kinds; k < bench_kinds + BENCH_KINDS; k++) {
        uint32_t refused = 0;
        struct adit_gpu *gpu = bench_open("");
        for (void *b = NULL; !b; refused += !b) {
            callocs = 0;
            callocs_refused = refused + 1;
            b = k->open(gpu);
            callocs_refused = 0;
            if (!b)
                bench_assert_detail("no memory");
            else
                k->close(b);
        }
        assert_in_range(refused, 1, 3);
        adit_gpu_close(&gpu);
    }
}

static int mesh(struct adit_mesh_batch *b, const struct gpu_chunk *c)
{
    adit_mesh_batch_begin(b);
    assert_int_equal(adit_mesh_batch_add(b, &c->task), 0);
    assert_int_equal(adit_mesh_batch_submit(b), 0);
    return adit_mesh_batch_wait(b, BENCH_WAIT_NS);
}

/* A checkerboard finds no room for its quads; the same batch goes on with less. */
static void a_mesh_that_finds_no_room_leaves_its_batch_usable(void **state)
{
    uint32_t n = 0, refused = 0, passed = 0;
    (void)state;
    while (!passed) {
        struct adit_gpu *gpu = bench_open_at("no-memory", ++n, 0);
        struct adit_mesh_batch *b;
        if (!adit_mesh_batch_open(gpu, bench_classes, 1, BENCH_SOURCE_BYTES, &b)) {
            int error = mesh(b, &bench_crowded);
            if (error) {
                assert_int_equal(error, -ENOMEM);
                bench_assert_detail("VK_ERROR_OUT_OF_DEVICE_MEMORY");
                assert_int_equal(bench_kinds[0].judge(b), 0);
                assert_int_equal(adit_mesh_batch_wait(b, BENCH_WAIT_NS), -ENOMEM);
            }
            refused += error != 0;
            passed += !error;
            assert_int_equal(mesh(b, &bench_chunk), 0);
            assert_int_equal(bench_kinds[0].judge(b), 1);
            adit_mesh_batch_close(&b);
        }
        adit_gpu_close(&gpu);
    }
    assert_int_equal(refused, 2); /* the device's room and the host's */
}

/* A buffer that the device could not bind is not asked for; the batch goes on with the room it had. */
static void a_mesh_beyond_the_largest_buffer_leaves_its_batch_usable(void **state)
{
    struct adit_gpu *gpu = bench_open("");
    struct adit_mesh_batch *b;
    const uint64_t most = bench_faulty->range_max;
    (void)state;
    bench_faulty->range_max = 4u << 20; /* as a device of old has it, in small: a checkerboard has 6 MiB of quads */
    assert_int_equal(adit_mesh_batch_open(gpu, bench_classes, 1, BENCH_SOURCE_BYTES, &b), 0);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(mesh(b, &bench_crowded), -ENOMEM);
        assert_int_equal(bench_kinds[0].judge(b), 0);
        assert_int_equal(mesh(b, &bench_chunk), 0);
        assert_int_equal(bench_kinds[0].judge(b), 1);
    }
    adit_mesh_batch_close(&b);
    adit_gpu_close(&gpu);
    bench_faulty->range_max = most;
}

/* All that a result says can be followed. Adds its quads, so that they are read (AddressSanitizer looks on). */
static void walk(const struct adit_mesh_result *r, uint64_t *sum)
{
    assert_true(r->start[ADIT_MESH_RANGES] <= ADIT_MESH_QUADS_MAX && r->start[ADIT_MESH_RANGES] == r->quads_max);
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        assert_true(r->start[range] <= r->start[range + 1]);
        for (uint32_t q = r->start[range]; q < r->start[range + 1]; q++)
            *sum += r->quads[q];
    }
    for (uint32_t axis = 0; axis < 3; axis++)
        assert_true(r->bounds_lo[axis] < ADIT_CHUNK_DIM && r->bounds_hi[axis] < ADIT_CHUNK_DIM);
}

/* True: it was refused, with a line. */
static bool mesh_of_a_liar(struct adit_gpu *gpu, const struct gpu_chunk *c, uint64_t *sum)
{
    struct adit_mesh_batch *b;
    struct adit_mesh_result got;
    assert_int_equal(adit_mesh_batch_open(gpu, bench_classes, 1, BENCH_SOURCE_BYTES, &b), 0);
    int error = mesh(b, c);
    adit_mesh_batch_result(b, 0, &got);
    if (error) {
        assert_int_equal(error, -EIO);
        bench_assert_detail("no chunk can have");
        assert_null(got.quads);
    }
    walk(&got, sum);
    adit_mesh_batch_close(&b);
    return error;
}

/* Every word of it, wrong from the first wait on, which is when results are taken; or from the second on, when nobody may look at them any more. */
static void no_word_of_a_result_leads_anywhere(void **state)
{
    uint32_t refused = 0;
    uint64_t sum = 0;
    (void)state;
    for (uint32_t word = WORDS_FROM; word < WORDS_FROM + WORDS; word++) {
        struct adit_gpu *gpu = bench_open_at("wrong-word", 1, word);
        refused += mesh_of_a_liar(gpu, &bench_chunk, &sum);
        adit_gpu_close(&gpu);
        gpu = bench_open_at("wrong-word", 2, word);
        assert_false(mesh_of_a_liar(gpu, &bench_chunk, &sum));
        adit_gpu_close(&gpu);
    }
    assert_int_equal(refused, WORDS - 2); /* two are of no use */
    assert_true(sum);
}

/* There was room for what it asked for, and it asks for more. */
static void a_device_that_always_wants_more_room_gets_it_once(void **state)
{
    struct adit_gpu *gpu = bench_open_at("growing-word", 1, WORDS_FROM + ADIT_MESH_RANGES);
    struct adit_mesh_batch *b;
    (void)state;
    assert_int_equal(adit_mesh_batch_open(gpu, bench_classes, 1, BENCH_SOURCE_BYTES, &b), 0);
    assert_int_equal(mesh(b, &bench_chunk), -EIO);
    bench_assert_detail("no chunk can have");
    assert_int_equal(adit_mesh_batch_reruns(b), 1);
    adit_mesh_batch_close(&b);
    adit_gpu_close(&gpu);
}

/* Bits flipped in all that comes back, in a batch that asks for more room, too. */
static void a_device_that_lies_leads_nowhere(void **state)
{
    uint32_t refused = 0;
    uint64_t sum = 0;
    (void)state;
    for (uint32_t seed = 0; seed < 48; seed++) {
        struct adit_gpu *gpu = bench_open_at("wrong-bytes", 1 + seed % 2, seed);
        refused += mesh_of_a_liar(gpu, seed % 4 == 3 ? &bench_crowded : &bench_chunk, &sum);
        adit_gpu_close(&gpu);
    }
    assert_in_range(refused, 6, 47);
    assert_true(sum);
}

static void a_device_that_does_not_do_is_refused_with_the_reason(void **state)
{
    static const char *const said[][2] = {{"old", "Vulkan 1.2"}, {"no-timeline", "timeline"}, {"narrow", "256 invocations"}, {"few", "256 invocations"}, {"no-open", "VK_ERROR_INITIALIZATION_FAILED"},
                                          {"no-function", "VK_ERROR_INITIALIZATION_FAILED"}};
    const uint32_t nothing = faulty_driver_live();
    struct adit_gpu *gpu;
    (void)state;
    for (uint32_t i = 0; i < sizeof said / sizeof *said; i++) {
        bench_reopen(said[i][0]);
        assert_int_equal(bench_list->n, 2);
        if (bench_list->vk.validates && !strcmp(said[i][0], "no-function"))
            continue; /* the layer has them all */
        assert_int_equal(adit_gpu_open(bench_list, bench_faulty, &gpu), -ENODEV);
        bench_assert_detail(said[i][1]);
        assert_null(gpu);
        assert_int_equal(faulty_driver_live(), nothing);
        assert_int_equal(adit_gpu_open(bench_list, bench_sound, &gpu), 0);
        bench_works(gpu);
        adit_gpu_close(&gpu);
    }
    bench_reopen("no-device");
    assert_int_equal(bench_list->n, 1);
    assert_int_equal(adit_gpu_open(bench_list, bench_list->devices, &gpu), 0);
    bench_works(gpu);
    adit_gpu_close(&gpu);
}

static VKAPI_ATTR VkResult VKAPI_CALL tell_stamps(VkDevice device, VkQueryPool pool, uint32_t first, uint32_t n, size_t bytes, void *out,
                                                  VkDeviceSize stride, VkQueryResultFlags flags)
{
    (void)device, (void)pool, (void)first, (void)bytes, (void)stride, (void)flags;
    for (uint32_t i = 0; i < n; i++)
        ((uint64_t *)out)[i] = ((0xffffffe0u + 16 * (uint64_t)i) & 0xffffffffu) | (uint64_t)(7 * i + 1) << 40; /* 32 bits count, and go over */
    return VK_SUCCESS;
}

static void stamps_count_with_the_bits_they_have(void **state)
{
    struct adit_gpu *gpu = bench_open("");
    struct adit_mesh_batch *b;
    struct adit_mesh_times t;
    const struct adit_gpu_device was = *bench_faulty;
    (void)state;
    bench_faulty->timestamp_mask = UINT32_MAX;
    bench_faulty->timestamp_ns = 1;
    assert_int_equal(adit_mesh_batch_open(gpu, bench_classes, 1, BENCH_SOURCE_BYTES, &b), 0);
    gpu->d.GetQueryPoolResults = tell_stamps;
    assert_int_equal(mesh(b, &bench_chunk), 0);
    adit_mesh_batch_times(b, &t);
    assert_true(t.copy_in == 16 && t.decode == 16 && t.rows == 16 && t.count == 16 && t.emit == 16 && t.copy_out == 16);
    adit_mesh_batch_close(&b);
    adit_gpu_close(&gpu);
    *bench_faulty = was;
}

static void a_queue_that_draws_nothing_is_preferred(void **state)
{
    (void)state;
    assert_int_equal(bench_faulty->family, 0);
    bench_reopen("families");
    assert_int_equal(bench_faulty->family, 1);
    assert_true(bench_faulty->timestamp_mask == (1ull << 36) - 1 && !bench_faulty->unfit);
    assert_int_equal(bench_sound->family, 0);
}

/* The last test: of all that was done before (ADIT_VULKAN_VALIDATE). */
static void validation_has_nothing_to_say(void **state)
{
    (void)state;
    if (!getenv("ADIT_VULKAN_VALIDATE"))
        skip();
    assert_int_equal(bench_complaints, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        on_bench(a_batch_without_memory_is_not_opened),
        on_bench(a_batch_without_host_memory_is_not_opened),
        on_bench(a_mesh_that_finds_no_room_leaves_its_batch_usable),
        on_bench(a_mesh_beyond_the_largest_buffer_leaves_its_batch_usable),
        on_bench(no_word_of_a_result_leads_anywhere),
        on_bench(a_device_that_always_wants_more_room_gets_it_once),
        on_bench(a_device_that_lies_leads_nowhere),
        on_bench(a_queue_that_draws_nothing_is_preferred),
        on_bench(stamps_count_with_the_bits_they_have),
        on_bench(a_device_that_does_not_do_is_refused_with_the_reason),
        on_bench(validation_has_nothing_to_say),
    };
    bench_drivers();
    return cmocka_run_group_tests_name("a device that does not do", tests, bench_set_up, bench_tear_down);
}
