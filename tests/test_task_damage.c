/* Tasks whose words are not as the library left them: hints that are lost with who should have stored them, and bytes that a mad peer has changed. Errors, or
 * tasks that run all the same; test_hostile_states has any words under all calls. */
#include <errno.h>
#include <string.h>

#include "runtime/task_queue.h"
#include "tests/task_fixture.h"

#define LIMIT_NS 20000000000u

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t echo, gate, failing;
static uint32_t gate_open, entered;

static int run_echo(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    memcpy(result, args, run->args_bytes);
    *result_bytes = run->args_bytes;
    return 0;
}

static int run_gate(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    __atomic_store_n(&entered, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&gate_open, __ATOMIC_ACQUIRE) && !adit_task_should_stop(run))
        shm_fixture_nap(1);
    return 0;
}

static int run_failing(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run;
    (void)args;
    (void)result;
    (void)result_bytes;
    return -EIO;
}

static void open_all(enum adit_queue_order order, uint32_t capacity)
{
    const struct adit_queue_params q = {.size = sizeof q, .order = order, .capacity = capacity};
    struct adit_kind_params e = {.size = sizeof e, .name = "echo", .run = run_echo, .args_bytes_min = 4, .args_bytes_max = 64, .result_bytes_max = 64};
    struct adit_kind_params g = {.size = sizeof g, .name = "gate", .run = run_gate};
    struct adit_kind_params f = {.size = sizeof f, .name = "failing", .run = run_failing};
    arena = fixture_create(NULL);
    gate_open = entered = 0;
    assert_int_equal(adit_kind_register(arena, &e, &echo), 0);
    assert_int_equal(adit_kind_register(arena, &g, &gate), 0);
    assert_int_equal(adit_kind_register(arena, &f, &failing), 0);
    assert_int_equal(adit_queue_open(arena, "work", &q, &queue), 0);
}

static void close_all(void)
{
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static struct adit_task_spec spec_of(uint32_t kind, const uint32_t *word)
{
    return (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .args = word, .args_bytes = word ? 4 : 0};
}

/* ---- hints */

static void a_queue_that_has_lost_its_hints_works_on(void **state)
{
    static const uint64_t lost[] = {0, 1, 7, ADIT_TASK_POSITION - 1, ADIT_TASK_POSITION, UINT64_MAX};
    (void)state;
    for (enum adit_queue_order order = ADIT_ORDER_PRIORITY; order <= ADIT_ORDER_LIFO; order++)
        for (uint32_t capacity = 1; capacity <= 4; capacity *= 4) { /* (tried: of one slot, used and tail not raised, no task is taken any more) */
            open_all(order, capacity);
            struct adit_task_level *l = &queue->slot->level[order == ADIT_ORDER_PRIORITY ? 2 : 0];
            struct adit_pool *pool = task_pool(queue, 2);
            for (uint32_t i = 0; i < 60; i++) {
                if (i >= 20 && i % 2)
                    adit_store_seq_cst(&l->tail, lost[i / 2 % 6]);
                if (i >= 30 && i % 3)
                    adit_store_seq_cst(&l->head, lost[i / 3 % 6]);
                struct adit_task_result r = task_take(queue, task_submit(queue, spec_of(echo, &i)));
                assert_true(r.end == ADIT_ENDED_DONE && !memcmp(r.data, &i, 4));
            }
            adit_pool_close(&pool);
            close_all();
        }
}

/* Whoever was about to raise tail is slow, or has died. */
static void a_level_whose_tail_lags_is_not_full(void **state)
{
    (void)state;
    open_all(ADIT_ORDER_FIFO, 64);
    uint32_t word = 5;
    uint64_t tasks[40];
    for (uint32_t i = 0; i < 40; i++) {
        tasks[i] = task_submit(queue, spec_of(echo, &word));
        adit_store_seq_cst(&queue->slot->level[0].tail, 0); /* (tried: from the 18th on it seemed full of tasks that wait) */
    }
    struct adit_pool *pool = task_pool(queue, 1);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(task_take(queue, tasks[i]).end, ADIT_ENDED_DONE);
    adit_pool_close(&pool);
    shm_fixture_verify_quiet(arena);
    close_all();
}

/* Slot 0 is in use still, so workers end there unless tail is beyond; and the task behind it, its submitter having died, is run all the same. */
static void a_task_beyond_tail_is_found(void **state)
{
    (void)state;
    open_all(ADIT_ORDER_FIFO, 2);
    uint32_t word = 5;
    struct adit_pool *pool = task_pool(queue, 1);
    uint64_t kept = task_submit(queue, spec_of(echo, &word));
    (void)task_take(queue, task_submit(queue, spec_of(echo, &word)));
    while (task_stage(queue, kept) != ADIT_STAGE_ENDED)
        shm_fixture_nap(1);
    adit_pool_close(&pool);
    uint64_t beyond = task_submit(queue, spec_of(echo, &word));
    adit_store_seq_cst(&queue->slot->level[0].tail, 2);
    pool = task_pool(queue, 1);
    assert_int_equal(task_take(queue, beyond).end, ADIT_ENDED_DONE); /* (tried: looking at the positions before tail alone) */
    (void)task_take(queue, kept);
    adit_pool_close(&pool);
    close_all();
}

static void a_delayed_task_of_which_nobody_was_told_runs_after_recovery(void **state)
{
    (void)state;
    open_all(ADIT_ORDER_FIFO, 4);
    uint32_t word = 5;
    struct adit_task_spec s = spec_of(echo, &word);
    s.delay_ns = 1000000;
    uint64_t task = task_submit(queue, s);
    adit_store_seq_cst(&queue->slot->due_ns, 0); /* its submitter died before it said so; or a worker while it looked */
    struct adit_pool *pool = task_pool(queue, 1);
    struct adit_task_result r = {.size = sizeof r};
    assert_int_equal(adit_wait(queue, task, 300000000, &r), -ETIMEDOUT); /* the control */
    (void)adit_tasks_recover(arena, adit_owner_make(6, 9));
    assert_int_equal(task_take(queue, task).end, ADIT_ENDED_DONE);
    adit_pool_close(&pool);
    shm_fixture_verify_quiet(arena);
    close_all();
}

/* ---- who leaves */

static void who_detaches_leaves_its_tasks_to_the_queue(void **state)
{
    (void)state;
    open_all(ADIT_ORDER_FIFO, 4);
    struct adit_arena *other = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    struct adit_queue *its;
    uint32_t word = 5;
    uint64_t ended, waiting;
    struct adit_task_spec s = spec_of(echo, &word);
    assert_int_equal(adit_queue_open(other, "work", &(struct adit_queue_params){.size = sizeof(struct adit_queue_params), .order = ADIT_ORDER_FIFO, .capacity = 4},
                                     &its), 0);
    struct adit_pool *pool = task_pool(queue, 1);
    assert_int_equal(adit_submit(its, &s, &ended), 0);
    while (task_stage(queue, ended) != ADIT_STAGE_ENDED)
        shm_fixture_nap(1);
    adit_pool_close(&pool);
    assert_int_equal(adit_submit(its, &s, &waiting), 0);
    adit_queue_close(&its);
    adit_detach(&other); /* (tried: left as they are, both slots are in use for ever) */
    assert_int_equal(task_stage(queue, ended), 0);
    assert_int_equal(task_stage(queue, waiting), ADIT_STAGE_QUEUED);
    shm_fixture_verify_quiet(arena);
    pool = task_pool(queue, 1);
    for (uint32_t i = 0; i < 10000 && task_stage(queue, waiting); i++)
        shm_fixture_nap(1);
    assert_int_equal(task_stage(queue, waiting), 0);
    adit_pool_close(&pool);
    close_all();
}

static void a_closed_pool_looks_after_nothing(void **state)
{
    (void)state;
    open_all(ADIT_ORDER_FIFO, 4);
    for (uint32_t i = 0; i < 60; i++) { /* most of these are found by a worker that spins (tried: its name stays in most) */
        entered = 0;
        struct adit_pool *pool = task_pool(queue, 1);
        uint64_t task = task_submit(queue, spec_of(gate, NULL));
        while (!__atomic_load_n(&entered, __ATOMIC_ACQUIRE))
            shm_fixture_nap(1);
        adit_pool_close(&pool);
        (void)task_take(queue, task);
        assert_int_equal(adit_load_seq_cst(&queue->slot->spinner), 0);
    }
    close_all();
}

/* ---- bytes */

static uint64_t *word_at(uint64_t slot) { return &queue->tasks[slot].word; }

static void a_task_in_no_state_is_nobodys(void **state)
{
    (void)state;
    open_all(ADIT_ORDER_FIFO, 4);
    uint32_t word = 5;
    uint64_t task = task_submit(queue, spec_of(echo, &word));
    struct adit_task_result r = {.size = sizeof r};
    for (uint64_t none = ADIT_TASK_STATES; none < 16; none++) { /* (tried: taken for one that has ended; AddressSanitizer stops it) */
        adit_store_seq_cst(word_at(0), none << 28);
        assert_int_equal(adit_wait(queue, task, 0, &r), -ENOENT);
        assert_int_equal(adit_cancel(queue, task), -ENOENT);
        assert_int_equal(task_stage(queue, task), 0);
    }
    close_all();
}

static void a_task_begun_too_often_is_given_up(void **state)
{
    (void)state;
    open_all(ADIT_ORDER_FIFO, 4);
    uint32_t word = 5;
    uint64_t task = task_submit(queue, spec_of(echo, &word));
    adit_store_seq_cst(word_at(0), adit_task_word(0, 15, 0, ADIT_TASK_QUEUED, 0)); /* (tried: one attempt more is the next round) */
    struct adit_pool *pool = task_pool(queue, 1);
    struct adit_task_result r = task_take(queue, task);
    assert_int_equal(r.end, ADIT_ENDED_POISONED);
    assert_int_equal(r.status, -EOWNERDEAD);
    adit_pool_close(&pool);
    close_all();
}

static void arguments_that_its_kind_does_not_take_are_not_run(void **state)
{
    (void)state;
    open_all(ADIT_ORDER_FIFO, 4);
    uint32_t word = 5;
    for (uint32_t bytes = 3; bytes <= 255; bytes += 252) { /* echo takes 4 to 64; of more, 64 are copied */
        uint64_t task = task_submit(queue, spec_of(echo, &word));
        queue->tasks[(task & ADIT_TASK_POSITION) & 3].args_bytes = (uint8_t)bytes;
        struct adit_pool *pool = task_pool(queue, 1);
        assert_int_equal(task_take(queue, task).status, bytes < 4 ? -EPROTO : 0); /* (tried: run with what lay on the stack) */
        adit_pool_close(&pool);
    }
    close_all();
}

static void a_queue_of_another_shape_is_refused(void **state)
{
    (void)state;
    open_all(ADIT_ORDER_PRIORITY, 4);
    struct adit_queue_slot *s = &arena->queues[0], was = *s;
    const struct adit_queue_params p = {.size = sizeof p, .capacity = 4};
    struct adit_queue *other;
    s->levels_n = 3; /* (tried: priorities 4 and 5 lie outside) */
    assert_int_equal(adit_queue_open(arena, "work", &p, &other), -EPROTO);
    assert_int_equal(adit_queue_open(arena, "next", &p, &other), -EPROTO);
    *s = was;
    s->shift = 70; /* (tried: UndefinedBehaviorSanitizer stops the shift) */
    assert_int_equal(adit_queue_open(arena, "work", &p, &other), -EPROTO);
    assert_int_equal(adit_queue_open(arena, "next", &p, &other), -EPROTO);
    *s = was;
    s->first = arena->tasks_max;
    assert_int_equal(adit_queue_open(arena, "next", &p, &other), -EPROTO);
    *s = was;
    memset(s->name, 'w', sizeof s->name);
    assert_int_equal(adit_queue_open(arena, "next", &p, &other), 0);
    adit_queue_close(&other);
    *s = was;
    close_all();
}

static void times_without_end_do_not_wrap(void **state)
{
    (void)state;
    open_all(ADIT_ORDER_FIFO, 4);
    uint32_t word = 5;
    struct adit_task_spec late = spec_of(echo, &word), lasting = late, backing = spec_of(failing, NULL);
    late.delay_ns = ADIT_FOR_EVER; /* (tried: added to the clock alone each of these is in the past) */
    lasting.expires_ns = ADIT_FOR_EVER;
    backing.retry_errors = true;
    backing.attempts_max = 15;
    backing.backoff_ns = UINT64_MAX / 2 + 3;
    uint64_t never = task_submit(queue, late), failed = task_submit(queue, backing);
    struct adit_pool *pool = task_pool(queue, 1);
    assert_int_equal(task_take(queue, task_submit(queue, lasting)).end, ADIT_ENDED_DONE);
    while (task_stage(queue, failed) != ADIT_STAGE_DELAYED)
        shm_fixture_nap(1);
    shm_fixture_nap(200);
    assert_int_equal(task_stage(queue, never), ADIT_STAGE_DELAYED);
    assert_int_equal(task_stage(queue, failed), ADIT_STAGE_DELAYED);
    assert_int_equal(adit_cancel(queue, never), 0);
    assert_int_equal(adit_cancel(queue, failed), 0);
    assert_int_equal(task_take(queue, never).attempts, 0);
    assert_int_equal(task_take(queue, failed).attempts, 1);
    adit_pool_close(&pool);
    shm_fixture_verify_quiet(arena);
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_that_has_lost_its_hints_works_on),
        cmocka_unit_test(a_level_whose_tail_lags_is_not_full),
        cmocka_unit_test(a_task_beyond_tail_is_found),
        cmocka_unit_test(a_delayed_task_of_which_nobody_was_told_runs_after_recovery),
        cmocka_unit_test(who_detaches_leaves_its_tasks_to_the_queue),
        cmocka_unit_test(a_closed_pool_looks_after_nothing),
        cmocka_unit_test(a_task_in_no_state_is_nobodys),
        cmocka_unit_test(a_task_begun_too_often_is_given_up),
        cmocka_unit_test(arguments_that_its_kind_does_not_take_are_not_run),
        cmocka_unit_test(a_queue_of_another_shape_is_refused),
        cmocka_unit_test(times_without_end_do_not_wrap),
    };
    return cmocka_run_group_tests_name("task damage", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
