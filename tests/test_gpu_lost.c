/* A device that is lost or hangs, under batches of every kind: error codes with one line that names it, nothing that looks like a result, no wait longer than it was asked for, no
 * close that waits for ever, nothing left behind; and the sound device of the same list goes on, as does the lost one when it is opened anew.
 *
 * (tried: each answer of submit and wait not looked at; a lost device submitted to, opened for; a failed wait that says 0 when it is repeated; results of a batch that
 * failed; the witness not looked at; a close that waits for ever, that frees what a hung device has; a hung device destroyed, its instance too; begin over a batch in
 * flight, submit likewise; waiting for what hangs already; the second wait of a mesh batch without a limit.) */
#include <errno.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "tests/faulty_bench.h"

#define SHORT_NS 20000000u
#define LONGER_NS 1000000000u

/* The sound device, and the faulty one when it is opened anew. */
static void all_others_go_on(void)
{
    struct adit_gpu *gpu;
    assert_int_equal(adit_gpu_open(bench_list, bench_sound, &gpu), 0);
    bench_works(gpu);
    adit_gpu_close(&gpu);
    gpu = bench_open("");
    bench_works(gpu);
    adit_gpu_close(&gpu);
}

/* No batch of this device is worth a try. */
static void nothing_goes(struct adit_gpu *gpu, const struct bench_kind *k, void *b, const char *why)
{
    assert_int_equal(k->fill(b), 0);
    assert_int_equal(k->judge(b), 0);
    assert_int_equal(k->submit(b), -EIO);
    bench_assert_detail(why);
    assert_int_equal(k->wait(b, BENCH_WAIT_NS), -EIO);
    assert_int_equal(k->judge(b), 0);
    assert_null(k->open(gpu));
    bench_assert_detail(why);
}

static void a_faulty_device_without_a_fault_is_a_sound_one(void **state)
{
    struct adit_gpu *gpu = bench_open("");
    (void)state;
    bench_works(gpu);
    adit_gpu_close(&gpu);
}

/* By turns of kinds: the first has ended, the second is in flight, the third comes too late. */
static void a_device_lost_in_flight_ends_every_batch(void **state)
{
    enum { LOST = 3 };
    (void)state;
    for (uint32_t first = 0; first < BENCH_KINDS; first++) {
        struct adit_gpu *gpu = bench_open("lost-in-flight:2");
        const struct bench_kind *k[LOST];
        void *b[LOST];
        for (uint32_t i = 0; i < LOST; i++) {
            k[i] = &bench_kinds[(first + i) % BENCH_KINDS];
            b[i] = bench_open_filled(k[i], gpu);
        }
        for (uint32_t i = 0; i < LOST; i++)
            assert_int_equal(k[i]->submit(b[i]), i < 2 ? 0 : -EIO);
        bench_assert_detail("VK_ERROR_DEVICE_LOST");
        for (uint32_t i = 0; i < LOST; i++) {
            assert_int_equal(k[i]->wait(b[i], BENCH_WAIT_NS), -EIO);
            bench_assert_detail("VK_ERROR_DEVICE_LOST");
            assert_int_equal(k[i]->wait(b[i], BENCH_WAIT_NS), -EIO); /* and again */
            assert_int_equal(k[i]->judge(b[i]), 0);
        }
        for (uint32_t i = 0; i < LOST; i++)
            nothing_goes(gpu, k[i], b[i], "VK_ERROR_DEVICE_LOST");
        all_others_go_on();
        for (uint32_t i = 0; i < LOST; i++)
            k[i]->close(b[i]);
        adit_gpu_close(&gpu);
    }
}

/* Whichever of its submissions it was. */
static void a_loss_is_known_from_a_wait_alone(void **state)
{
    (void)state;
    for (const struct bench_kind *k = bench_kinds; k < bench_kinds + BENCH_KINDS; k++)
        for (uint32_t n = 1; n <= k->submissions; n++) {
            struct adit_gpu *gpu = bench_open_at("lost-in-flight", n, 0);
            void *b = bench_open_filled(k, gpu);
            assert_int_equal(k->submit(b), 0);
            assert_int_equal(k->wait(b, BENCH_WAIT_NS), -EIO);
            assert_int_equal(k->judge(b), 0);
            assert_null(k->open(gpu));
            bench_assert_detail("VK_ERROR_DEVICE_LOST");
            k->close(b);
            adit_gpu_close(&gpu);
        }
}

static void a_device_lost_at_submission_is_an_error_there(void **state)
{
    (void)state;
    for (const struct bench_kind *k = bench_kinds; k < bench_kinds + BENCH_KINDS; k++)
        for (uint32_t n = 1; n <= k->submissions; n++) {
            struct adit_gpu *gpu = bench_open_at("lost-at-submit", n, 0);
            void *b = bench_open_filled(k, gpu);
            assert_int_equal(k->submit(b), n == 1 ? -EIO : 0);
            assert_int_equal(k->wait(b, BENCH_WAIT_NS), -EIO);
            bench_assert_detail("VK_ERROR_DEVICE_LOST");
            nothing_goes(gpu, k, b, "VK_ERROR_DEVICE_LOST");
            k->close(b);
            adit_gpu_close(&gpu);
        }
}

static void a_lost_device_whose_waits_succeed_gives_no_result(void **state)
{
    (void)state;
    for (const struct bench_kind *k = bench_kinds; k < bench_kinds + BENCH_KINDS; k++)
        for (uint32_t n = 1; n <= k->submissions; n++) {
            struct adit_gpu *gpu = bench_open_at("lost-quietly", n, 0);
            void *b = bench_open_filled(k, gpu);
            assert_int_equal(k->submit(b), 0);
            assert_int_equal(k->wait(b, BENCH_WAIT_NS), -EIO);
            bench_assert_detail("over before it was done");
            nothing_goes(gpu, k, b, "VK_ERROR_DEVICE_LOST");
            k->close(b);
            adit_gpu_close(&gpu);
        }
}

static void a_wait_with_a_limit_can_be_repeated(void **state)
{
    struct adit_gpu *gpu = bench_open("");
    (void)state;
    for (const struct bench_kind *k = bench_kinds; k < bench_kinds + BENCH_KINDS; k++) {
        void *b = bench_open_filled(k, gpu);
        uint32_t early = 0;
        int error;
        assert_int_equal(k->submit(b), 0);
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

/* ---- hangs */

/* What a hung device keeps is no leak. */
static void turn_leaks(bool on)
{
#ifdef __SANITIZE_ADDRESS__
    on ? __lsan_enable() : __lsan_disable();
#else
    (void)on;
#endif
}

/* The n-th submission of b hangs: it is still the device's, whoever asks. */
static void is_held(const struct bench_kind *k, void *b, uint32_t n)
{
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(k->wait(b, n == 1 ? SHORT_NS : LONGER_NS), -ETIMEDOUT);
    assert_int_equal(k->fill(b), -ENOSPC);
    assert_int_equal(k->submit(b), -EBUSY);
    assert_int_equal(k->wait(b, 0), -ETIMEDOUT);
    assert_int_equal(k->judge(b), 0);
}

/* done: has ended before; b: hangs; after: was submitted before anybody knew. */
static void hang_one(const struct bench_kind *k, uint32_t n)
{
    const struct bench_kind *lod = &bench_kinds[BENCH_KINDS - 1]; /* of one submission */
    struct adit_gpu *gpu = bench_open_at("hang", n + 1, 0);
    void *done = bench_open_filled(lod, gpu), *b = bench_open_filled(k, gpu), *after = bench_open_filled(k, gpu);
    assert_int_equal(lod->submit(done), 0);
    assert_int_equal(k->submit(b), 0);
    is_held(k, b, n);
    assert_int_equal(k->submit(after), 0);
    gpu->patience_ns = SHORT_NS;
    uint32_t live = faulty_driver_live();
    k->close(b);
    assert_int_equal(faulty_driver_live(), live);
    assert_int_equal(k->wait(after, UINT64_MAX), -EIO); /* it is known now: this does not wait */
    bench_assert_detail("hangs");
    assert_int_equal(k->fill(after), -ENOSPC);
    k->close(after);
    assert_int_equal(faulty_driver_live(), live);
    assert_int_equal(lod->wait(done, BENCH_WAIT_NS), 0);
    assert_int_equal(lod->judge(done), 1);
    nothing_goes(gpu, lod, done, "hangs");
    lod->close(done);
    assert_true(faulty_driver_live() < live);
    live = faulty_driver_live();
    adit_gpu_close(&gpu);
    assert_int_equal(faulty_driver_live(), live);
}

/* Its batch is waited for as long as the device is trusted, and never freed; a batch that it had done before is none the worse. */
static void a_device_that_hangs_holds_nobody_up(void **state)
{
    (void)state;
    turn_leaks(false);
    for (const struct bench_kind *k = bench_kinds; k < bench_kinds + BENCH_KINDS; k++)
        for (uint32_t n = 1; n <= k->submissions; n++)
            hang_one(k, n);
    turn_leaks(true);
    all_others_go_on();
    bench_left = faulty_driver_live(); /* the instance, too */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        on_bench(a_faulty_device_without_a_fault_is_a_sound_one),
        on_bench(a_device_lost_in_flight_ends_every_batch),
        on_bench(a_loss_is_known_from_a_wait_alone),
        on_bench(a_device_lost_at_submission_is_an_error_there),
        on_bench(a_lost_device_whose_waits_succeed_gives_no_result),
        on_bench(a_wait_with_a_limit_can_be_repeated),
        on_bench(a_device_that_hangs_holds_nobody_up),
        on_bench(a_device_lost_in_flight_ends_every_batch), /* beside what hangs */
    };
    bench_drivers();
    return cmocka_run_group_tests_name("a device that is lost", tests, bench_set_up, bench_tear_down);
}
