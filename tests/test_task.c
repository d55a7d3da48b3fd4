/* Tasks (runtime/adit_tasks.h): what is submitted runs, in the order that was asked for, and ends once, in one process and without deaths; test_task_death
 * has those. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "tests/task_fixture.h"

#define LIMIT_NS 20000000000u

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t echo, gate, flaky;
static uint32_t seen_n;
static uint64_t seen[4096];

/* Gives its arguments back, and notes the first word of them. */
static int run_echo(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t first = 0;
    memcpy(&first, args, run->args_bytes < 8 ? run->args_bytes : 8);
    uint32_t n = __atomic_fetch_add(&seen_n, 1, __ATOMIC_ACQ_REL);
    if (n < sizeof seen / sizeof *seen)
        __atomic_store_n(&seen[n], first, __ATOMIC_RELEASE);
    memcpy(result, args, run->args_bytes);
    *result_bytes = run->args_bytes;
    return 0;
}

/* Runs until its gate is open or it shall stop. */
static int run_gate(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    uint32_t *entered_and_open = run->user;
    __atomic_fetch_add(&entered_and_open[0], 1, __ATOMIC_ACQ_REL);
    adit_task_progress(run, 41);
    while (!__atomic_load_n(&entered_and_open[1], __ATOMIC_ACQUIRE))
        if (adit_task_should_stop(run))
            return -ECANCELED;
        else
            shm_fixture_nap(1);
    return 7;
}
static uint32_t gate_words[2];

/* Fails as long as its attempt is below what its argument says. */
static int run_flaky(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t wanted;
    memcpy(&wanted, args, sizeof wanted);
    memcpy(result, &run->attempt, 4);
    *result_bytes = 4;
    return run->attempt < wanted ? -EIO : 0;
}

static void open_all(const struct adit_queue_params *params)
{
    struct adit_kind_params e = {.size = sizeof e, .name = "echo", .run = run_echo, .args_bytes_max = 64, .result_bytes_max = 64};
    struct adit_kind_params g = {.size = sizeof g, .name = "gate", .run = run_gate, .user = gate_words};
    struct adit_kind_params f = {.size = sizeof f, .name = "flaky", .run = run_flaky, .args_bytes_min = 4, .args_bytes_max = 4, .result_bytes_max = 4};
    arena = fixture_create(NULL);
    assert_int_equal(adit_kind_register(arena, &e, &echo), 0);
    assert_int_equal(adit_kind_register(arena, &g, &gate), 0);
    assert_int_equal(adit_kind_register(arena, &f, &flaky), 0);
    assert_int_equal(adit_queue_open(arena, "work", params, &queue), 0);
    memset(gate_words, 0, sizeof gate_words);
    seen_n = 0;
}

static void close_all(void)
{
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static struct adit_task_spec spec_of(uint32_t kind, const void *args, uint32_t bytes)
{
    return (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .args = args, .args_bytes = bytes};
}

static void arguments_and_results_of_every_size_come_through(void **state)
{
    (void)state;
    open_all(NULL);
    struct adit_pool *pool = task_pool(queue, 2);
    for (uint32_t bytes = 0; bytes <= ADIT_TASK_DATA_BYTES; bytes++) {
        uint8_t args[ADIT_TASK_DATA_BYTES];
        for (uint32_t i = 0; i < bytes; i++)
            args[i] = (uint8_t)(bytes * 3 + i);
        struct adit_task_spec s = spec_of(echo, args, bytes);
        s.tag = 1000 + bytes;
        struct adit_task_result r = task_take(queue, task_submit(queue, s));
        assert_int_equal(r.end, ADIT_ENDED_DONE);
        assert_int_equal(r.status, 0);
        assert_int_equal(r.attempts, 1);
        assert_int_equal(r.bytes, bytes);
        assert_int_equal(r.tag, 1000 + bytes);
        assert_memory_equal(r.data, args, bytes);
    }
    adit_pool_close(&pool);
    close_all();
}

static void a_handle_names_one_task_and_no_later_one(void **state)
{
    (void)state;
    const struct adit_queue_params small = {.size = sizeof small, .order = ADIT_ORDER_FIFO, .capacity = 2};
    open_all(&small);
    struct adit_pool *pool = task_pool(queue, 1);
    struct adit_task_result r = {.size = sizeof r};
    struct adit_task_info i = {.size = sizeof i};
    uint64_t first = task_submit(queue, spec_of(echo, NULL, 0));
    (void)task_take(queue, first);
    for (uint32_t round = 0; round < 10; round++) { /* the same two slots (tried: without rounds in words the first handle waits for a later task) */
        uint64_t later = task_submit(queue, spec_of(echo, &round, 4));
        assert_int_not_equal(later, first);
        assert_int_equal(adit_wait(queue, first, 0, &r), -ENOENT);
        assert_int_equal(adit_cancel(queue, first), -ENOENT);
        assert_int_equal(adit_task_look(queue, first, &i), -ENOENT);
        (void)task_take(queue, later);
    }
    assert_int_equal(adit_wait(queue, 0, 0, &r), -ENOENT);
    assert_int_equal(adit_wait(queue, UINT64_MAX, 0, &r), -ENOENT);
    adit_pool_close(&pool);
    close_all();
}

static void orders_are_kept(void **state)
{
    (void)state;
    for (enum adit_queue_order order = ADIT_ORDER_PRIORITY; order <= ADIT_ORDER_LIFO; order++) {
        const struct adit_queue_params p = {.size = sizeof p, .order = order, .capacity = 64};
        open_all(&p);
        uint64_t tasks[40], args[40];
        for (uint64_t i = 0; i < 40; i++) {
            args[i] = i;
            struct adit_task_spec s = spec_of(echo, &args[i], 8);
            s.priority = (enum adit_priority)(5 - i % 5);
            tasks[i] = task_submit(queue, s);
        }
        struct adit_pool *pool = task_pool(queue, 1);
        for (uint32_t i = 0; i < 40; i++)
            (void)task_take(queue, tasks[i]);
        for (uint32_t i = 0; i < 40; i++) /* priority: level by level, each in its order */
            assert_int_equal(seen[i], order == ADIT_ORDER_FIFO ? i : order == ADIT_ORDER_LIFO ? 39 - i : i % 8 * 5 + 4 - i / 8);
        adit_pool_close(&pool);
        close_all();
    }
}

static void a_task_that_waits_long_enough_goes_before_higher_ones(void **state)
{
    (void)state;
    open_all(NULL);
    uint64_t low = 777, task;
    struct adit_task_spec s = spec_of(echo, &low, 8);
    s.priority = ADIT_IDLE;
    task = task_submit(queue, s);
    shm_fixture_nap(450); /* four levels of 100 ms above it */
    uint64_t tasks[100], args[100];
    for (uint64_t i = 0; i < 100; i++) {
        args[i] = i;
        s = spec_of(echo, &args[i], 8);
        s.priority = ADIT_CRITICAL;
        tasks[i] = task_submit(queue, s);
    }
    struct adit_pool *pool = task_pool(queue, 1);
    (void)task_take(queue, task);
    for (uint32_t i = 0; i < 100; i++)
        (void)task_take(queue, tasks[i]);
    uint32_t at = 0;
    while (seen[at] != 777)
        at++;
    assert_in_range(at, 0, 20); /* (tried: without ageing it is the last of 101) */
    adit_pool_close(&pool);
    close_all();
}

static void a_full_level_says_so_and_room_can_be_waited_for(void **state)
{
    (void)state;
    const struct adit_queue_params small = {.size = sizeof small, .capacity = 4};
    open_all(&small);
    struct adit_task_spec s = spec_of(echo, NULL, 0), high = s;
    uint64_t tasks[5];
    high.priority = ADIT_HIGH;
    struct adit_task_spec five[5] = {s, s, s, s, s};
    assert_int_equal(adit_submit_n(queue, five, 5, tasks), 4);
    assert_int_equal(adit_submit(queue, &s, &tasks[4]), -EAGAIN);
    assert_int_equal(adit_queue_wait_room(queue, ADIT_NORMAL, 1000000), -ETIMEDOUT);
    uint64_t other = task_submit(queue, high); /* another level has room */
    struct adit_pool *pool = task_pool(queue, 1);
    (void)task_take(queue, other);
    for (uint32_t i = 0; i < 4; i++)
        while (task_stage(queue, tasks[i]) != ADIT_STAGE_ENDED)
            shm_fixture_nap(1);
    assert_int_equal(adit_submit(queue, &s, &tasks[4]), -EAGAIN); /* their results are still there */
    (void)task_take(queue, tasks[2]);
    assert_int_equal(adit_queue_wait_room(queue, ADIT_NORMAL, LIMIT_NS), 0);
    tasks[4] = task_submit(queue, s);
    for (uint32_t i = 0; i < 5; i++)
        if (i != 2)
            (void)task_take(queue, tasks[i]);
    adit_pool_close(&pool);
    close_all();
}

static void detached_tasks_leave_nothing(void **state)
{
    (void)state;
    const struct adit_queue_params small = {.size = sizeof small, .order = ADIT_ORDER_FIFO, .capacity = 8};
    open_all(&small);
    struct adit_pool *pool = task_pool(queue, 2);
    struct adit_task_spec s = spec_of(echo, NULL, 0);
    s.detached = true;
    for (uint32_t i = 0; i < 1000;)
        if (adit_submit(queue, &s, &(uint64_t){0}))
            assert_int_equal(adit_queue_wait_room(queue, ADIT_NORMAL, LIMIT_NS), 0);
        else
            i++;
    for (uint32_t i = 0; i < 10000 && __atomic_load_n(&seen_n, __ATOMIC_ACQUIRE) < 1000; i++)
        shm_fixture_nap(1);
    assert_int_equal(seen_n, 1000);
    adit_pool_close(&pool);
    close_all();
}

static void a_waiting_task_is_cancelled_at_once_and_a_running_one_is_asked(void **state)
{
    (void)state;
    open_all(NULL);
    struct adit_pool *pool = task_pool(queue, 1);
    uint64_t running = task_submit(queue, spec_of(gate, NULL, 0));
    shm_fixture_until(&gate_words[0], 1);
    uint64_t waiting = task_submit(queue, spec_of(echo, NULL, 0));
    struct adit_task_info i = {.size = sizeof i};
    assert_int_equal(adit_task_look(queue, running, &i), 0);
    assert_int_equal(i.stage, ADIT_STAGE_RUNNING);
    assert_int_equal(i.pid, getpid());
    for (uint32_t looks = 0; i.progress != 41 && looks < 10000; looks++, shm_fixture_nap(1))
        assert_int_equal(adit_task_look(queue, running, &i), 0);
    assert_int_equal(i.progress, 41);
    assert_int_equal(adit_cancel(queue, waiting), 0);
    assert_int_equal(adit_cancel(queue, waiting), -EALREADY);
    assert_int_equal(task_take(queue, waiting).end, ADIT_ENDED_CANCELLED);
    assert_int_equal(adit_cancel(queue, running), -EBUSY);
    struct adit_task_result r = task_take(queue, running);
    assert_int_equal(r.end, ADIT_ENDED_CANCELLED);
    assert_int_equal(r.status, -ECANCELED);
    assert_int_equal(seen_n, 0);
    running = task_submit(queue, spec_of(gate, NULL, 0)); /* the gate opens: done, though it was asked */
    shm_fixture_until(&gate_words[0], 2);
    __atomic_store_n(&gate_words[1], 1, __ATOMIC_RELEASE);
    r = task_take(queue, running);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.status, 7);
    adit_pool_close(&pool);
    close_all();
}

static void closing_a_pool_asks_its_tasks_to_stop_and_leaves_the_others(void **state)
{
    (void)state;
    open_all(NULL);
    struct adit_pool *pool = task_pool(queue, 1);
    uint64_t running = task_submit(queue, spec_of(gate, NULL, 0)), waiting;
    shm_fixture_until(&gate_words[0], 1);
    waiting = task_submit(queue, spec_of(echo, NULL, 0));
    adit_pool_close(&pool);
    assert_int_equal(task_stage(queue, running), ADIT_STAGE_QUEUED); /* (tried: it had ended, with -ECANCELED, though nobody had cancelled it) */
    assert_int_equal(task_stage(queue, waiting), ADIT_STAGE_QUEUED);
    __atomic_store_n(&gate_words[1], 1, __ATOMIC_RELEASE);
    pool = task_pool(queue, 1);
    assert_int_equal(task_take(queue, waiting).end, ADIT_ENDED_DONE);
    struct adit_task_result r = task_take(queue, running);
    assert_int_equal(r.status, 7);
    assert_int_equal(r.attempts, 1); /* (tried: an attempt is gone with each pool that closes) */
    adit_pool_close(&pool);
    close_all();
}

static void a_delayed_task_runs_later_and_an_expired_one_never(void **state)
{
    (void)state;
    open_all(NULL);
    uint64_t word = 5;
    struct adit_task_spec late = spec_of(echo, &word, 8), mortal = late;
    late.delay_ns = 200000000;
    mortal.expires_ns = 30000000;
    uint64_t begin = adit_clock_ns(), a = task_submit(queue, late), b = task_submit(queue, mortal);
    assert_int_equal(task_stage(queue, a), ADIT_STAGE_DELAYED);
    shm_fixture_nap(50);
    struct adit_pool *pool = task_pool(queue, 2);
    assert_int_equal(task_take(queue, b).end, ADIT_ENDED_EXPIRED);
    assert_int_equal(task_take(queue, a).end, ADIT_ENDED_DONE);
    assert_true(adit_clock_ns() - begin >= 200000000);
    assert_int_equal(seen_n, 1);
    adit_pool_close(&pool);
    b = task_submit(queue, mortal); /* nobody runs anything: who waits sees it expire */
    assert_int_equal(task_take(queue, b).end, ADIT_ENDED_EXPIRED);
    late.delay_ns = ADIT_FOR_EVER;
    late.expires_ns = 30000000;
    a = task_submit(queue, late);
    assert_int_equal(task_take(queue, a).end, ADIT_ENDED_EXPIRED); /* (tried: only QUEUED ones expire: DELAYED for ever) */
    close_all();
}

static void failures_are_tried_again_if_asked_and_no_more_than_asked(void **state)
{
    (void)state;
    open_all(NULL);
    struct adit_pool *pool = task_pool(queue, 2);
    uint32_t third = 3;
    struct adit_task_spec s = spec_of(flaky, &third, 4);
    struct adit_task_result r = task_take(queue, task_submit(queue, s));
    assert_int_equal(r.status, -EIO);
    assert_int_equal(r.attempts, 1);
    s.retry_errors = true;
    r = task_take(queue, task_submit(queue, s));
    assert_int_equal(r.status, 0);
    assert_int_equal(r.attempts, 3);
    s.attempts_max = 2;
    r = task_take(queue, task_submit(queue, s));
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.status, -EIO);
    assert_int_equal(r.attempts, 2);
    s.attempts_max = 4;
    s.backoff_ns = 20000000;
    uint64_t begin = adit_clock_ns();
    r = task_take(queue, task_submit(queue, s));
    assert_int_equal(r.status, 0);
    assert_true(adit_clock_ns() - begin >= 60000000); /* 20 ms, then 40 */
    adit_pool_close(&pool);
    close_all();
}

static void a_kind_without_a_function_here_is_left_for_others(void **state)
{
    (void)state;
    open_all(NULL);
    struct adit_kind_params k = {.size = sizeof k, .name = "elsewhere"};
    uint32_t elsewhere, again;
    assert_int_equal(adit_kind_register(arena, &k, &elsewhere), 0);
    struct adit_pool *pool = task_pool(queue, 1);
    uint64_t stuck = task_submit(queue, spec_of(elsewhere, NULL, 0));
    for (uint32_t i = 0; i < 1000; i++) /* nearly four rounds of the level's slots go past it */
        (void)task_take(queue, task_submit(queue, spec_of(echo, NULL, 0)));
    assert_int_equal(task_stage(queue, stuck), ADIT_STAGE_QUEUED);
    k.run = run_echo;
    assert_int_equal(adit_kind_register(arena, &k, &again), 0);
    assert_int_equal(again, elsewhere);
    (void)task_take(queue, task_submit(queue, spec_of(echo, NULL, 0)));
    assert_int_equal(task_take(queue, stuck).end, ADIT_ENDED_DONE);
    adit_pool_close(&pool);
    close_all();
}

static void tasks_that_nobody_runs_leave_the_room_to_others(void **state)
{
    (void)state;
    const struct adit_queue_params small = {.size = sizeof small, .order = ADIT_ORDER_FIFO, .capacity = 32};
    open_all(&small);
    struct adit_kind_params k = {.size = sizeof k, .name = "elsewhere"};
    uint32_t elsewhere, begun = 0;
    assert_int_equal(adit_kind_register(arena, &k, &elsewhere), 0);
    for (uint32_t i = 0; i < 28; i++)
        (void)task_submit(queue, spec_of(elsewhere, NULL, 0));
    struct adit_pool *pool = task_pool(queue, 1);
    for (uint64_t end = adit_clock_ns() + LIMIT_NS; begun < 200;) { /* (tried: a submitter that takes 17 in a row that wait for a full level: 4 come through) */
        uint64_t task;
        struct adit_task_spec s = spec_of(echo, NULL, 0);
        int error = adit_submit(queue, &s, &task);
        assert_true(adit_clock_ns() < end);
        if (error)
            assert_int_equal(error, -EAGAIN);
        else
            begun += task_take(queue, task).end == ADIT_ENDED_DONE;
    }
    for (uint32_t i = 0; i < 4; i++)
        (void)task_submit(queue, spec_of(elsewhere, NULL, 0));
    assert_int_equal(adit_queue_wait_room(queue, ADIT_NORMAL, 5000000), -ETIMEDOUT);
    adit_pool_close(&pool);
    close_all();
}

/* Submits itself again until the gate is open. */
static int run_again(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    struct adit_task_spec s = {.size = sizeof s, .kind = *(const uint32_t *)run->user, .detached = true};
    if (!__atomic_load_n(&gate_words[1], __ATOMIC_ACQUIRE))
        REQUIRE(!adit_submit(queue, &s, &(uint64_t){0}));
    return 0;
}

static void a_delayed_task_comes_though_workers_are_never_idle(void **state)
{
    (void)state;
    open_all(NULL);
    static uint32_t again;
    struct adit_kind_params k = {.size = sizeof k, .name = "again", .run = run_again, .user = &again};
    assert_int_equal(adit_kind_register(arena, &k, &again), 0);
    struct adit_task_spec s = spec_of(again, NULL, 0), late = spec_of(echo, NULL, 0);
    s.detached = true;
    late.delay_ns = 5000000;
    for (uint32_t i = 0; i < 4; i++)
        (void)task_submit(queue, s);
    struct adit_pool *pool = task_pool(queue, 1);
    (void)task_take(queue, task_submit(queue, late)); /* (tried: looking for due tasks before sleeping only) */
    late.delay_ns = UINT64_MAX; /* as long as there is, not a wrap to the past */
    uint64_t never = task_submit(queue, late);
    shm_fixture_nap(20);
    assert_int_equal(task_stage(queue, never), ADIT_STAGE_DELAYED);
    assert_int_equal(adit_cancel(queue, never), 0);
    (void)task_take(queue, never);
    late.delay_ns = 0;
    late.expires_ns = ADIT_FOR_EVER;
    assert_int_equal(task_take(queue, task_submit(queue, late)).end, ADIT_ENDED_DONE);
    __atomic_store_n(&gate_words[1], 1, __ATOMIC_RELEASE);
    adit_pool_close(&pool);
    close_all();
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    open_all(NULL);
    struct adit_kind_params k = {.size = sizeof k, .name = "echo", .run = run_gate, .args_bytes_max = 64, .result_bytes_max = 64};
    uint32_t kind;
    assert_int_equal(adit_kind_register(arena, &k, &kind), -EEXIST); /* another function */
    k.run = run_echo;
    k.args_bytes_max = 32;
    assert_int_equal(adit_kind_register(arena, &k, &kind), -EEXIST);
    k.args_bytes_max = 65;
    assert_int_equal(adit_kind_register(arena, &k, &kind), -EINVAL);
    k.args_bytes_max = 4;
    k.name = "";
    assert_int_equal(adit_kind_register(arena, &k, &kind), -EINVAL);
    struct adit_queue_params q = {.size = sizeof q, .order = ADIT_ORDER_LIFO};
    struct adit_queue *other;
    assert_int_equal(adit_queue_open(arena, "work", &q, &other), -EEXIST);
    q.capacity = 1u << 21;
    assert_int_equal(adit_queue_open(arena, "wide", &q, &other), -EINVAL);
    q.capacity = 1u << 14;
    assert_int_equal(adit_queue_open(arena, "wide", &q, &other), -ENOSPC);
    assert_null(other);
    uint64_t task;
    struct adit_task_spec s = spec_of(63, NULL, 0);
    assert_int_equal(adit_submit(queue, &s, &task), -ENOENT);
    s = spec_of(UINT32_MAX, NULL, 0);
    assert_int_equal(adit_submit(queue, &s, &task), -ENOENT);
    s = spec_of(echo, &task, 65);
    assert_int_equal(adit_submit(queue, &s, &task), -EINVAL);
    s = spec_of(echo, NULL, 8);
    assert_int_equal(adit_submit(queue, &s, &task), -EINVAL);
    s = spec_of(flaky, NULL, 0);
    assert_int_equal(adit_submit(queue, &s, &task), -EINVAL);
    s = spec_of(echo, NULL, 0);
    s.attempts_max = 16;
    assert_int_equal(adit_submit(queue, &s, &task), -EINVAL);
    s.attempts_max = 0;
    s.priority = 6;
    assert_int_equal(adit_submit(queue, &s, &task), -EINVAL);
    s.priority = 0;
    s.size--;
    assert_int_equal(adit_submit(queue, &s, &task), -EMSGSIZE);
    struct adit_arena *observer = shm_fixture_attach(FIXTURE_NAME, ADIT_OBSERVER);
    assert_int_equal(adit_queue_open(observer, "work", NULL, &other), -EROFS);
    assert_int_equal(adit_kind_register(observer, &k, &kind), -EROFS);
    adit_detach(&observer);
    close_all();
}

/* ---- a storm ---- */

#define STORM_SUBMITTERS 3u
#define STORM_TASKS 6000u

static uint8_t storm_runs[STORM_SUBMITTERS][STORM_TASKS];

static int run_mark(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run;
    uint32_t at[2];
    memcpy(at, args, sizeof at);
    __atomic_fetch_add(&storm_runs[at[0]][at[1]], 1, __ATOMIC_RELAXED);
    memcpy(result, at, sizeof at);
    *result_bytes = sizeof at;
    return 0;
}

struct submitter {
    pthread_t thread;
    uint32_t number, mark;
};

/* Submits in handfuls, takes results in turn. */
static void *submit_storm(void *user)
{
    const struct submitter *s = user;
    enum { HANDFUL = 7 };
    uint64_t tasks[HANDFUL];
    uint32_t args[HANDFUL][2];
    struct adit_task_spec specs[HANDFUL];
    for (uint32_t i = 0; i < STORM_TASKS;) {
        uint32_t n = STORM_TASKS - i < HANDFUL ? STORM_TASKS - i : HANDFUL;
        for (uint32_t j = 0; j < n; j++) {
            args[j][0] = s->number;
            args[j][1] = i + j;
            specs[j] = spec_of(s->mark, args[j], sizeof args[j]);
        }
        int done = adit_submit_n(queue, specs, n, tasks);
        if (done == -EAGAIN) {
            REQUIRE(!adit_queue_wait_room(queue, ADIT_NORMAL, LIMIT_NS));
            continue;
        }
        REQUIRE(done > 0);
        for (int j = 0; j < done; j++) {
            struct adit_task_result r = {.size = sizeof r};
            REQUIRE(!adit_wait(queue, tasks[j], LIMIT_NS, &r) && r.end == ADIT_ENDED_DONE && r.bytes == 8 && !memcmp(r.data, args[j], 8));
        }
        i += (uint32_t)done;
    }
    return NULL;
}

static void many_submitters_and_workers_lose_and_double_nothing(void **state)
{
    (void)state;
    for (enum adit_queue_order order = ADIT_ORDER_PRIORITY; order <= ADIT_ORDER_LIFO; order++) {
        const struct adit_queue_params p = {.size = sizeof p, .order = order, .capacity = 16}; /* fewer than are under way: full now and then */
        open_all(&p);
        struct adit_kind_params k = {.size = sizeof k, .name = "mark", .run = run_mark, .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 8};
        struct submitter s[STORM_SUBMITTERS];
        memset(storm_runs, 0, sizeof storm_runs);
        struct adit_pool *pool = task_pool(queue, 3);
        for (uint32_t i = 0; i < STORM_SUBMITTERS; i++) {
            s[i].number = i;
            assert_int_equal(adit_kind_register(arena, &k, &s[i].mark), 0);
            assert_int_equal(pthread_create(&s[i].thread, NULL, submit_storm, &s[i]), 0);
        }
        for (uint32_t i = 0; i < STORM_SUBMITTERS; i++)
            pthread_join(s[i].thread, NULL);
        for (uint32_t i = 0; i < STORM_SUBMITTERS; i++)
            for (uint32_t j = 0; j < STORM_TASKS; j++)
                assert_int_equal(storm_runs[i][j], 1);
        adit_pool_close(&pool);
        close_all();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_and_results_of_every_size_come_through),
        cmocka_unit_test(a_handle_names_one_task_and_no_later_one),
        cmocka_unit_test(orders_are_kept),
        cmocka_unit_test(a_task_that_waits_long_enough_goes_before_higher_ones),
        cmocka_unit_test(a_full_level_says_so_and_room_can_be_waited_for),
        cmocka_unit_test(detached_tasks_leave_nothing),
        cmocka_unit_test(a_waiting_task_is_cancelled_at_once_and_a_running_one_is_asked),
        cmocka_unit_test(closing_a_pool_asks_its_tasks_to_stop_and_leaves_the_others),
        cmocka_unit_test(a_delayed_task_runs_later_and_an_expired_one_never),
        cmocka_unit_test(failures_are_tried_again_if_asked_and_no_more_than_asked),
        cmocka_unit_test(a_kind_without_a_function_here_is_left_for_others),
        cmocka_unit_test(tasks_that_nobody_runs_leave_the_room_to_others),
        cmocka_unit_test(a_delayed_task_comes_though_workers_are_never_idle),
        cmocka_unit_test(many_submitters_and_workers_lose_and_double_nothing),
        cmocka_unit_test(what_is_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
