/* What kinds need, and who can run them (runtime/kind_able.h): who lacks it leaves their tasks, and who asks is told what is missing. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/kernels.h"
#include "tests/task_fixture.h"

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t wide, apart, plain;
static char object[TASK_OBJECT_BYTES];
static struct board {
    uint32_t ready;
} *board;

static int run_pid(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t pid = (uint32_t)getpid();
    (void)run;
    (void)args;
    memcpy(result, &pid, sizeof pid);
    *result_bytes = sizeof pid;
    return 0;
}

/* The kinds, as who would run them all registers them. */
static void know(struct adit_arena *a, struct adit_queue **q, bool runs)
{
    struct adit_kind_params p = {.size = sizeof p, .name = "wide", .run = runs ? run_pid : NULL, .args_bytes_max = 4, .result_bytes_max = 4, .capabilities = ADIT_CAN_AVX2};
    REQUIRE(!adit_kind_register(a, &p, &wide));
    p.name = "apart";
    p.capabilities = ADIT_CAN_PROCESS;
    REQUIRE(!adit_kind_register(a, &p, &apart));
    p.name = "plain";
    p.capabilities = 0;
    REQUIRE(!adit_kind_register(a, &p, &plain) && !adit_queue_open(a, "work", NULL, q));
}

static void close_all(void)
{
    shm_fixture_verify(arena, 0);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static int submit(uint32_t kind, bool must_run, uint64_t *task)
{
    static const uint32_t none;
    const struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &none, .args_bytes = 4, .must_run = must_run};
    return adit_submit(queue, &s, task);
}

static uint32_t runners(uint32_t kind)
{
    struct adit_kind_info i = {.size = sizeof i};
    REQUIRE(!adit_kind_look(arena, kind, &i));
    return i.participants;
}

static int run_now(uint32_t kind, struct adit_task_result *r)
{
    static const uint32_t none;
    const struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &none, .args_bytes = 4};
    r->size = sizeof *r;
    return adit_run(queue, &s, 20000000000u, r);
}

static void work_without_vectors(void *user)
{
    struct adit_arena *a;
    struct adit_queue *q;
    (void)user;
    setenv("ADIT_DISABLE", "numa,avx2,avx512", 1);
    a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    know(a, &q, true);
    (void)task_pool(q, 1);
    __atomic_store_n(&board->ready, 1, __ATOMIC_RELEASE);
    for (;;)
        pause();
}

static void a_worker_that_lacks_what_a_kind_needs_leaves_its_tasks(void **state)
{
    (void)state;
    struct adit_task_result r = {.size = sizeof r};
    uint64_t task;
    board = shm_fixture_shared(sizeof *board);
    pid_t child = fixture_fork(work_without_vectors, NULL);
    arena = fixture_create(NULL);
    know(arena, &queue, false);
    fixture_start();
    shm_fixture_until(&board->ready, 1);
    assert_int_equal(submit(plain, true, &task), 0);
    assert_int_equal(*(uint32_t *)(void *)task_take(queue, task).data, child);
    assert_int_equal(submit(wide, true, &task), -ENOTSUP); /* (tried: the child takes itself for able) */
    assert_non_null(strstr(adit_detail(), "kind wide"));
    assert_non_null(strstr(adit_detail(), "avx2"));
    assert_int_equal(run_now(wide, &r), -ENOTSUP);
    assert_int_equal(submit(wide, false, &task), 0); /* somebody may come */
    assert_int_equal(adit_wait(queue, task, 200000000, &r), -ETIMEDOUT);
    assert_int_equal(runners(wide), 0);
    assert_int_equal(runners(plain), 1);
    REQUIRE(!kill(child, SIGKILL));
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    assert_int_equal(runners(plain), 0);
    assert_int_equal(run_now(plain, &r), -ENOTSUP);
    adit_queue_close(&queue);
    know(arena, &queue, true);
    if (adit_isa_named("avx2") >= 0) { /* this process has it */
        assert_int_equal(runners(wide), 1);
        struct adit_pool *pool = task_pool(queue, 1);
        assert_int_equal(*(uint32_t *)(void *)task_take(queue, task).data, getpid());
        adit_pool_close(&pool);
    }
    close_all();
}

static void a_kind_that_needs_a_process_is_run_by_nobody_else(void **state)
{
    (void)state;
    const char *objects[] = {object, NULL};
    const struct adit_pool_params processes = {.size = sizeof processes, .processes = 1, .objects = objects};
    struct adit_task_result r = {.size = sizeof r};
    struct adit_pool *pool = NULL;
    uint64_t task;
    arena = fixture_create(NULL);
    know(arena, &queue, true);
    struct adit_pool *threads = task_pool(queue, 1);
    assert_int_equal(run_now(plain, &r), 0);
    assert_int_equal(run_now(apart, &r), -ENOTSUP);
    assert_non_null(strstr(adit_detail(), "worker process"));
    assert_int_equal(submit(apart, false, &task), 0);
    assert_int_equal(adit_wait(queue, task, 100000000, &r), -ETIMEDOUT); /* (tried: threads run it, too) */
    assert_int_equal(adit_pool_open(queue, &processes, &pool), 0);
    assert_int_not_equal(*(uint32_t *)(void *)task_take(queue, task).data, getpid());
    assert_true(runners(apart));
    assert_int_equal(run_now(apart, &r), 0);
    assert_false(r.inlined);
    assert_int_not_equal(*(uint32_t *)(void *)r.data, getpid());
    adit_pool_close(&pool);
    adit_pool_close(&threads);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    assert_int_equal(submit(apart, true, &task), -ENOTSUP); /* they have left */
    close_all();
}

static void who_leaves_runs_nothing_any_more(void **state)
{
    (void)state;
    struct adit_queue *theirs;
    uint64_t task, buffer;
    arena = fixture_create(NULL);
    know(arena, &queue, false);
    assert_int_equal(submit(plain, true, &task), -ENOTSUP);
    assert_non_null(strstr(adit_detail(), "register"));
    struct adit_arena *other = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    know(other, &theirs, true);
    assert_int_equal(runners(plain), 1);
    assert_int_equal(submit(plain, true, &task), 0);
    assert_int_equal(adit_cancel(queue, task), 0);
    REQUIRE(!adit_buffer_create(arena, 64, NULL, &buffer));
    const struct adit_use use = {buffer, ADIT_WRITE};
    const struct adit_task_spec writes = {.size = sizeof writes, .kind = plain, .must_run = true, .uses = &use, .uses_n = 1};
    assert_int_equal(adit_submit(queue, &writes, &task), -ENOTSUP); /* a consumer writes no buffers */
    assert_non_null(strstr(adit_detail(), "a producer"));
    adit_queue_close(&theirs);
    adit_detach(&other);
    other = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER); /* in its slot */
    assert_int_equal(runners(plain), 0);                     /* (tried: who leaves does not clear its bits) */
    adit_detach(&other);
    REQUIRE(!adit_buffer_destroy(arena, buffer));
    close_all();
}

/* Three in four who run the kind are a consumer's, and may not write buffers: whoever of them is woken for such a task has the others woken. Else it lies there until the nap of one that may is
 * over, a tenth of a second. Of forty, that the machine delays some says nothing. */
static void a_wake_that_reaches_who_cannot_is_passed_on(void **state)
{
    uint32_t at_once = 0;
    (void)state;
    arena = fixture_create(NULL);
    know(arena, &queue, true);
    struct adit_arena *theirs = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    struct adit_queue *theirs_queue;
    know(theirs, &theirs_queue, true);
    struct adit_pool *consumers = task_pool(theirs_queue, 6), *producers = task_pool(queue, 2);
    uint64_t buffer, task;
    REQUIRE(!adit_buffer_create(arena, 64, NULL, &buffer));
    const struct adit_use use = {buffer, ADIT_WRITE};
    const struct adit_task_spec s = {.size = sizeof s, .kind = plain, .uses = &use, .uses_n = 1};
    for (uint32_t i = 0; i < 40; i++) {
        shm_fixture_nap(3); /* all go to sleep */
        uint64_t begin = adit_clock_ns();
        REQUIRE(!adit_submit(queue, &s, &task));
        assert_int_equal(task_take(queue, task).status, 0);
        at_once += adit_clock_ns() - begin < 10000000;
    }
    assert_true(at_once >= 25); /* (tried: who is woken in vain tells nobody: 10 or fewer) */
    adit_pool_close(&producers);
    adit_pool_close(&consumers);
    REQUIRE(!adit_buffer_destroy(arena, buffer));
    adit_queue_close(&theirs_queue);
    adit_detach(&theirs);
    close_all();
}

int main(void)
{
    task_object("worker_kinds", object);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_that_lacks_what_a_kind_needs_leaves_its_tasks),
        cmocka_unit_test(a_kind_that_needs_a_process_is_run_by_nobody_else),
        cmocka_unit_test(who_leaves_runs_nothing_any_more),
        cmocka_unit_test(a_wake_that_reaches_who_cannot_is_passed_on),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
