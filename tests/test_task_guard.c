/* Kinds that write where they must not, under ADIT_DEBUG=guards (runtime/task_guard.h): each is caught, told of, and has damaged nothing. (tried: without a look at the pattern, at
 * what is only to be read, or with the copies stored first, each of these tests fails; without guards the bytes around are overwritten, which the last one shows) */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/task_fixture.h"

#define BYTES 1000u
#define OLD 0x11
#define NEW 0x22

enum piece { BUFFER_READ, BUFFER_WRITE, BUFFER_CHANGE, RESULT, ARGUMENTS };
/* Where a kind writes besides what it should: at piece, from its begin. */
struct slip {
    int32_t at;
    enum piece piece;
    uint32_t fails;
};

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t kind;
static uint64_t buffers[3];
static bool is_aligned;

static int run_slip(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct slip s;
    memcpy(&s, args, sizeof s);
    is_aligned = !((uintptr_t)args % 16 || (uintptr_t)result % 16);
    for (uint32_t i = 0; i < run->buffers_n; i++)
        is_aligned = is_aligned && !((uintptr_t)run->buffers[i].data % 64);
    memset(run->buffers[BUFFER_WRITE].data, NEW, BYTES);
    memset(run->buffers[BUFFER_CHANGE].data, ((uint8_t *)run->buffers[BUFFER_CHANGE].data)[BYTES - 1] + 1, BYTES);
    memset(result, NEW, ADIT_TASK_DATA_BYTES);
    *result_bytes = 5;
    void *base[] = {run->buffers[0].data, run->buffers[1].data, run->buffers[2].data, result, NULL};
    memcpy(&base[ARGUMENTS], &args, sizeof args); /* it is const, and that is the slip */
    if (s.at != INT32_MAX)
        ((volatile uint8_t *)base[s.piece])[s.at] ^= 0xff;
    return s.fails ? -EIO : 0;
}

static void know(struct adit_arena *a)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "slip", .run = run_slip, .args_bytes_min = sizeof(struct slip), .args_bytes_max = sizeof(struct slip),
                                       .result_bytes_max = 64};
    REQUIRE(!adit_kind_register(a, &k, &kind));
}

static void open_all(void)
{
    uint8_t old[BYTES];
    arena = fixture_create(NULL);
    know(arena);
    memset(old, OLD, sizeof old);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(adit_buffer_create(arena, BYTES, old, &buffers[i]), 0);
}

static void close_all(void)
{
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(adit_buffer_destroy(arena, buffers[i]), 0);
    (void)adit_reclaim(arena, true);
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static uint64_t submit(struct slip s, uint32_t attempts)
{
    const struct adit_use uses[] = {{buffers[0], ADIT_READ}, {buffers[1], ADIT_WRITE}, {buffers[2], ADIT_READ_WRITE}};
    return task_submit(queue, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .args = &s, .args_bytes = sizeof s, .uses = uses, .uses_n = 3,
                                                      .attempts_max = attempts});
}

/* Whether all bytes of buffer i are so, and its block beyond is as it was. */
static bool holds(uint32_t i, uint8_t value)
{
    struct adit_reader *r;
    struct adit_buffer_view v;
    REQUIRE(!adit_reader_open(arena, &r));
    adit_enter(r);
    REQUIRE(!adit_buffer_acquire(r, buffers[i], &v));
    bool is_so = true;
    for (uint32_t k = 0; k < BYTES; k++)
        is_so = is_so && ((const uint8_t *)v.data)[k] == value;
    REQUIRE(!adit_exit(r));
    adit_reader_close(&r);
    return is_so;
}

static void a_slip_of_one_byte_is_told_of_and_damages_nothing(void **state)
{
    static const struct {
        struct slip slip;
        const char *text;
    } slips[] = {{{-1, BUFFER_WRITE, 0}, "buffer 1: byte 1 before it was written"},
                 {{BYTES, BUFFER_WRITE, 0}, "buffer 1: byte 1 behind it was written"},
                 {{-1, BUFFER_CHANGE, 0}, "buffer 2: byte 1 before it was written"},
                 {{BYTES, BUFFER_CHANGE, 1}, "buffer 2: byte 1 behind it was written"}, /* rather than the kind's own error */
                 {{-4096, BUFFER_CHANGE, 0}, "buffer 2: byte 4096 before it was written"},
                 {{BYTES + 4095, BUFFER_CHANGE, 0}, "buffer 2: byte 4096 behind it was written"},
                 {{0, BUFFER_READ, 0}, "buffer 0: byte 0, only to be read, was written"},
                 {{BYTES - 1, BUFFER_READ, 0}, "buffer 0: byte 999, only to be read, was written"},
                 {{BYTES, BUFFER_READ, 0}, "buffer 0: byte 1 behind it was written"},
                 {{-1, RESULT, 0}, "result: byte 1 before it was written"},
                 {{ADIT_TASK_DATA_BYTES, RESULT, 0}, "result: byte 1 behind it was written"},
                 {{3, ARGUMENTS, 0}, "arguments: byte 3, only to be read, was written"},
                 {{sizeof(struct slip), ARGUMENTS, 0}, "arguments: byte 1 behind it was written"}};
    (void)state;
    open_all();
    struct adit_pool *pool = task_pool(queue, 1);
    for (uint32_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        struct adit_task_result r = task_take(queue, submit(slips[i].slip, 1));
        assert_int_equal(r.end, ADIT_ENDED_DONE);
        assert_int_equal(r.status, -EFAULT);
        assert_string_equal((const char *)r.data, slips[i].text);
        assert_int_equal(r.bytes, strlen(slips[i].text) + 1);
        assert_true(holds(0, OLD) && holds(1, OLD) && holds(2, OLD));
    }
    struct adit_task_result r = task_take(queue, submit((struct slip){INT32_MAX, BUFFER_WRITE, 0}, 1)); /* the control: one that writes where it should */
    assert_true(is_aligned && r.status == 0 && r.bytes == 5 && r.data[4] == NEW);
    assert_true(holds(0, OLD) && holds(1, NEW) && holds(2, OLD + 1));
    r = task_take(queue, submit((struct slip){INT32_MAX, BUFFER_WRITE, 1}, 1));
    assert_true(r.status == -EIO && r.bytes == 5 && holds(2, OLD + 1));
    adit_pool_close(&pool);
    close_all();
}

static void work_for_ever(void *user)
{
    struct adit_queue *q;
    (void)user;
    signal(SIGSEGV, SIG_DFL); /* not a sanitizer's: it is to die */
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    know(a);
    REQUIRE(!adit_queue_open(a, "work", NULL, &q));
    (void)task_pool(q, 1);
    for (;;)
        shm_fixture_nap(1000);
}

/* Where no pattern is there is no access. */
static void a_slip_of_many_bytes_kills_its_worker_and_damages_nothing(void **state)
{
    (void)state;
    pid_t children[2];
    for (uint32_t i = 0; i < 2; i++)
        children[i] = fixture_fork(work_for_ever, NULL);
    open_all();
    fixture_start();
    uint64_t task = submit((struct slip){BYTES + 2 * 4096, BUFFER_WRITE, 0}, 2);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(shm_fixture_wait(children[i]), -SIGSEGV);
    struct adit_task_result r = task_take(queue, task);
    assert_int_equal(r.end, ADIT_ENDED_POISONED);
    assert_int_equal(r.attempts, 2);
    assert_true(holds(0, OLD) && holds(1, OLD) && holds(2, OLD));
    close_all();
}

/* So that the tests above can fail. */
static void without_guards_nobody_sees_a_slip(void **state)
{
    (void)state;
    unsetenv("ADIT_DEBUG");
    open_all();
    struct adit_pool *pool = task_pool(queue, 1);
    struct adit_task_result r = task_take(queue, submit((struct slip){BYTES, BUFFER_WRITE, 0}, 1));
    assert_true(r.status == 0 && holds(1, NEW));
    adit_pool_close(&pool);
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_many_bytes_kills_its_worker_and_damages_nothing), /* it forks, so it is first */
        cmocka_unit_test(a_slip_of_one_byte_is_told_of_and_damages_nothing),
        cmocka_unit_test(without_guards_nobody_sees_a_slip),
    };
    setenv("ADIT_DEBUG", "guards", 1);
    return cmocka_run_group_tests_name("task guard", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
