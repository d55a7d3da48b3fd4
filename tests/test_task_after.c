/* Tasks that depend on others (runtime/task_after.c): they run after them, or not at all; deaths are test_task_death's. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "runtime/task_queue.h"
#include "tests/task_fixture.h"
#include "tests/stepped.h"

#define LIMIT_NS 20000000000u
#define CHAIN 1500u

static struct adit_arena *arena;
static struct adit_queue *queue, *other;
static uint32_t kind;
static uint64_t ends_seen; /* how many have run */

/* Arguments: what is to be returned, and how many tasks must have run before. */
struct args {
    int32_t status;
    uint32_t least;
};

static int run_step(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct args a;
    memcpy(&a, args, sizeof a);
    (void)run;
    uint64_t before = __atomic_fetch_add(&ends_seen, 1, __ATOMIC_ACQ_REL);
    memcpy(result, &before, sizeof before);
    *result_bytes = sizeof before;
    return before >= a.least ? a.status : -ERANGE;
}

static struct adit_pool *open_all(uint32_t workers)
{
    const struct adit_create_params c = {.size = sizeof c, .data_bytes = 2u << 20, .tasks_max = 8192};
    const struct adit_kind_params k = {.size = sizeof k, .name = "step", .run = run_step, .args_bytes_min = sizeof(struct args), .args_bytes_max = sizeof(struct args),
                                       .result_bytes_max = 8};
    const struct adit_queue_params q = {.size = sizeof q, .order = ADIT_ORDER_LIFO, .capacity = 2048}; /* the order of submission is against us */
    const struct adit_queue_params small = {.size = sizeof small, .order = ADIT_ORDER_FIFO, .capacity = 16};
    struct adit_pool *pool = NULL;
    ends_seen = 0;
    arena = fixture_create(&c);
    assert_int_equal(adit_kind_register(arena, &k, &kind), 0);
    assert_int_equal(adit_queue_open(arena, "steps", &q, &queue), 0);
    assert_int_equal(adit_queue_open(arena, "others", &small, &other), 0);
    const struct adit_pool_params p = {.size = sizeof p, .workers = workers};
    if (workers)
        assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    return pool;
}

static void close_all(struct adit_pool *pool)
{
    adit_pool_close(&pool);
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_queue_close(&other);
    adit_detach(&arena);
}

static uint64_t submit(struct adit_queue *q, int32_t status, uint32_t least, const uint64_t *after, uint32_t after_n, bool any)
{
    struct args a = {status, least};
    struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &a, .args_bytes = sizeof a, .after = after, .after_n = after_n, .after_failures = any};
    uint64_t task = 0;
    assert_int_equal(adit_submit(q, &s, &task), 0);
    return task;
}

static void a_task_runs_after_all_it_depends_on(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 20; round++) {
        struct adit_pool *pool = open_all(0);
        uint64_t first[8], last;
        for (uint32_t i = 0; i < 8; i++)
            first[i] = submit(i % 3 ? queue : other, 0, 0, NULL, 0, false); /* of two queues */
        last = submit(queue, 0, 8, first, 8, false);
        const struct adit_pool_params p = {.size = sizeof p, .workers = 2};
        struct adit_pool *second;
        assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
        assert_int_equal(adit_pool_open(other, &p, &second), 0);
        assert_int_equal(task_take(queue, last).status, 0); /* (tried: QUEUED at once, -ERANGE) */
        for (uint32_t i = 0; i < 8; i++)
            assert_int_equal(task_take(i % 3 ? queue : other, first[i]).status, 0);
        adit_pool_close(&second);
        close_all(pool);
    }
}

static void a_long_chain_runs_link_by_link(void **state)
{
    (void)state;
    struct adit_pool *pool = open_all(3);
    static uint64_t tasks[CHAIN];
    for (uint32_t i = 0; i < CHAIN; i++)
        tasks[i] = submit(queue, 0, i, i ? &tasks[i - 1] : NULL, i ? 1 : 0, false);
    for (uint32_t i = 0; i < CHAIN; i++) {
        struct adit_task_result r = task_take(queue, tasks[i]);
        uint64_t before;
        memcpy(&before, r.data, sizeof before);
        assert_int_equal(r.status, 0);
        assert_int_equal(before, i);
    }
    close_all(pool);
}

static void what_failed_ends_all_that_depends_on_it(void **state)
{
    (void)state;
    struct adit_pool *pool = open_all(0);
    static uint64_t tasks[CHAIN];
    tasks[0] = submit(queue, -EIO, 0, NULL, 0, false);
    for (uint32_t i = 1; i < CHAIN; i++) /* as deep as there are slots (tried: without a limit of depth this is as many frames) */
        tasks[i] = submit(queue, 0, 0, &tasks[i - 1], 1, false);
    uint64_t whatever = submit(queue, 5, 1, &tasks[CHAIN - 1], 1, true);
    const struct adit_pool_params p = {.size = sizeof p, .workers = 2};
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    assert_int_equal(task_take(queue, whatever).status, 5);
    assert_int_equal(task_take(queue, tasks[0]).status, -EIO);
    for (uint32_t i = 1; i < CHAIN; i++)
        assert_int_equal(task_take(queue, tasks[i]).end, ADIT_ENDED_CANCELLED);
    assert_int_equal(ends_seen, 2);
    close_all(pool);
}

static void a_cancelled_task_cancels_and_one_that_waits_can_be_cancelled(void **state)
{
    (void)state;
    struct adit_pool *pool = open_all(0);
    uint64_t a = submit(queue, 0, 0, NULL, 0, false), b = submit(queue, 0, 0, &a, 1, false), c = submit(queue, 0, 0, &b, 1, false), d = submit(queue, 0, 0, &a, 1, true);
    struct adit_task_info i = {.size = sizeof i};
    assert_int_equal(adit_task_look(queue, b, &i), 0);
    assert_int_equal(i.stage, ADIT_STAGE_DELAYED);
    assert_int_equal(adit_cancel(queue, b), 0);
    assert_int_equal(task_take(queue, c).end, ADIT_ENDED_CANCELLED);
    assert_int_equal(task_take(queue, b).end, ADIT_ENDED_CANCELLED);
    assert_int_equal(adit_cancel(queue, a), 0);
    assert_int_equal(task_take(queue, a).end, ADIT_ENDED_CANCELLED);
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1};
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    assert_int_equal(task_take(queue, d).status, 0);
    close_all(pool);
}

static void what_has_ended_or_was_taken_holds_nobody_up(void **state)
{
    (void)state;
    struct adit_pool *pool = open_all(1);
    uint64_t a = submit(queue, 0, 0, NULL, 0, false), b = submit(queue, 0, 0, NULL, 0, false);
    (void)task_take(queue, a);
    shm_fixture_nap(20); /* b has run, most likely; its result is not taken */
    uint64_t both[] = {a, b}, c = submit(queue, 0, 2, both, 2, false);
    assert_int_equal(task_take(queue, c).status, 0);
    (void)task_take(queue, b);
    struct args args = {0, 0};
    struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &args, .args_bytes = sizeof args, .detached = true};
    for (uint32_t i = 0; i < 300; i++) { /* of tasks whose slots are free as soon as they have ended */
        uint64_t first, second;
        s.after_n = 0;
        assert_int_equal(adit_submit(queue, &s, &first), 0);
        s.after = &first;
        s.after_n = 1;
        assert_int_equal(adit_submit(queue, &s, &second), 0);
        uint64_t third = submit(queue, 0, 0, &second, 1, false);
        assert_int_equal(task_take(queue, third).status, 0);
    }
    assert_int_equal(ends_seen, 3 + 900);
    close_all(pool);
}

/* ---- what expires while it waits for others ---- */

static struct adit_task_spec mortal(const struct args *args, const uint64_t *after)
{
    return (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .args = args, .args_bytes = sizeof *args, .after = after, .after_n = after ? 1 : 0, .expires_ns = 10000000};
}

/* Nobody looks but who waits. */
static void who_waits_sees_a_held_task_expire(void **state)
{
    (void)state;
    struct adit_pool *pool = open_all(0);
    const struct args args = {0, 0};
    uint64_t a = submit(queue, 0, 0, NULL, 0, false), b = task_submit(queue, mortal(&args, &a)), c = submit(queue, 0, 0, &b, 1, false), d = submit(queue, 3, 0, &b, 1, true);
    assert_int_equal(task_take(queue, b).end, ADIT_ENDED_EXPIRED); /* (tried: only QUEUED ones expire: -ETIMEDOUT) */
    assert_int_equal(task_take(queue, c).end, ADIT_ENDED_CANCELLED);
    pool = task_pool(queue, 1);
    assert_int_equal(task_take(queue, d).status, 3);
    assert_int_equal(task_take(queue, a).status, 0);
    close_all(pool);
}

/* Nobody waits for what expires, but for what depends on it: workers look, be they asleep or always at work. */
static void workers_see_what_waits_expire(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        const bool is_busy = i & 1, is_delayed = i >> 1 == 1, is_nobodys = i >> 1 == 2;
        const struct adit_kind_params nobodys = {.size = sizeof nobodys, .name = "nobody's", .args_bytes_max = sizeof(struct args)};
        struct adit_pool *pool = open_all(1);
        const struct args args = {0, 0};
        struct adit_task_result r = {.size = sizeof r};
        uint64_t a = submit(other, 0, 0, NULL, 0, false), until = adit_clock_ns() + LIMIT_NS; /* a: its queue has no workers */
        struct adit_task_spec s = mortal(&args, is_delayed || is_nobodys ? NULL : &a);
        if (is_nobodys)
            assert_int_equal(adit_kind_register(arena, &nobodys, &s.kind), 0);
        s.delay_ns = is_delayed ? ADIT_FOR_EVER : 0;
        uint64_t b = task_submit(queue, s), c = submit(queue, 0, 0, &b, 1, false);
        while (is_busy && task_stage(queue, c) != ADIT_STAGE_ENDED && adit_clock_ns() < until)
            (void)task_take(queue, submit(queue, 0, 0, NULL, 0, false));
        assert_int_equal(adit_wait(queue, c, is_busy ? 0 : LIMIT_NS, &r), 0); /* (tried: release_due looks at DELAYED ones that are due alone; a HELD one's queue does not say that */
        assert_int_equal(r.end, ADIT_ENDED_CANCELLED);                       /* something is due; a DELAYED one's says when it may run; of a kind that the worker runs only) */
        assert_int_equal(task_take(queue, b).end, ADIT_ENDED_EXPIRED);
        assert_int_equal(adit_cancel(other, a), 0);
        (void)task_take(other, a);
        close_all(pool);
    }
}

/* Who submitted it died before it could say when to look. */
static void sleepers_see_what_was_not_told_of_expire(void **state)
{
    (void)state;
    struct adit_pool *pool = open_all(0);
    const struct args args = {0, 0};
    uint64_t a = submit(other, 0, 0, NULL, 0, false), b = task_submit(queue, mortal(&args, &a)), c = submit(queue, 0, 0, &b, 1, false);
    adit_store_seq_cst(&queue->slot->due_ns, 0);
    pool = task_pool(queue, 1);
    assert_int_equal(task_take(queue, c).end, ADIT_ENDED_CANCELLED); /* (tried: without the look of a worker that was not told anything for long) */
    assert_int_equal(task_take(queue, b).end, ADIT_ENDED_EXPIRED);
    assert_int_equal(adit_cancel(other, a), 0);
    (void)task_take(other, a);
    close_all(pool);
}

/* Who ends a task may be stopped before it has looked after those that wait for it. */
static void who_stops_before_it_tells_holds_nobody_up(void **state)
{
    (void)state;
    struct adit_pool *pool = open_all(0);
    struct adit_task_place place;
    uint64_t a = submit(queue, 0, 0, NULL, 0, false), b = submit(queue, 0, 0, &a, 1, false);
    assert_true(adit_task_resolve(queue, a, &place));
    uint64_t word = adit_load_acquire(&place.slot->word); /* AWAITED; what a worker does, as far as its commit */
    assert_true(adit_cas_seq_cst(&place.slot->word, &word, adit_task_with(word, ADIT_TASK_DONE, 0)));
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1};
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    assert_int_equal(task_take(queue, b).status, 0); /* (tried: without the look of a worker that was not told anything for long) */
    (void)task_take(queue, a);
    close_all(pool);
}

static void no_task_waits_for_one_that_is_not_there(void **state)
{
    (void)state;
    struct adit_pool *pool = open_all(0);
    uint64_t a = submit(queue, 0, 0, NULL, 0, false), next = a + 1, task;
    struct args args = {0, 0};
    struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &args, .args_bytes = sizeof args, .after = &next, .after_n = 1};
    assert_int_equal(adit_submit(queue, &s, &task), -EDEADLK); /* itself: the only way to a cycle */
    next = 0;
    assert_int_equal(adit_submit(queue, &s, &task), -EDEADLK);
    next = UINT64_MAX;
    assert_int_equal(adit_submit(queue, &s, &task), -EDEADLK);
    s.after = NULL;
    assert_int_equal(adit_submit(queue, &s, &task), -EINVAL);
    s.after = &a;
    s.after_n = 9;
    assert_int_equal(adit_submit(queue, &s, &task), -EINVAL);
    assert_int_equal(adit_cancel(queue, a), 0);
    (void)task_take(queue, a);
    close_all(pool);
}

/* ---- a storm: layers of tasks, each after two of the layer before, submitted while others run ---- */

#define LAYERS 200u
#define WIDTH 6u

static void *run_layers(void *user)
{
    uint64_t before[WIDTH] = {0}, now[WIDTH];
    (void)user;
    for (uint32_t layer = 0; layer < LAYERS; layer++) {
        for (uint32_t i = 0; i < WIDTH; i++) {
            uint64_t after[2] = {before[i], before[(i + 1) % WIDTH]};
            struct args a = {0, layer * 2};
            struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &a, .args_bytes = sizeof a, .after = after, .after_n = layer ? 2 : 0};
            REQUIRE(!adit_submit(queue, &s, &now[i]));
        }
        for (uint32_t i = 0; i < WIDTH && layer; i++) { /* their results are taken while they are waited for */
            struct adit_task_result r = {.size = sizeof r};
            REQUIRE(!adit_wait(queue, before[i], LIMIT_NS, &r) && !r.status);
        }
        memcpy(before, now, sizeof before);
    }
    for (uint32_t i = 0; i < WIDTH; i++) {
        struct adit_task_result r = {.size = sizeof r};
        REQUIRE(!adit_wait(queue, before[i], LIMIT_NS, &r) && !r.status);
    }
    return NULL;
}

static void layers_of_several_submitters_are_all_run(void **state)
{
    (void)state;
    struct adit_pool *pool = open_all(3);
    pthread_t threads[3];
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_layers, NULL), 0);
    for (uint32_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(ends_seen, 3 * LAYERS * WIDTH);
    close_all(pool);
}

/* ---- step by step: one task depends on another, which a third one awaits already and which ends between any two instructions of the submission ---- */

struct meeting {
    struct adit_task_spec spec;
    uint64_t first, second;
    uint32_t acts_at;
};

/* What a worker does with the next task that it may run. */
static bool run_next(void)
{
    struct adit_task_cursor cursor = {0};
    struct adit_task_claim claim;
    bool is_found = adit_task_claim_any(queue, &cursor, UINT64_MAX, &claim);
    if (is_found)
        assert_true(adit_task_commit(queue, &claim, NULL, 0, "", 0));
    return is_found;
}

static bool fail_next(void)
{
    struct adit_task_cursor cursor = {0};
    struct adit_task_claim claim;
    return adit_task_claim_any(queue, &cursor, UINT64_MAX, &claim) && adit_task_commit(queue, &claim, NULL, -EIO, "", 0);
}

/* As adit_tasks.h says of after. */
static void the_failure_of_a_detached_task_is_known_until_it_has_ended(void **state)
{
    (void)state;
    struct adit_pool *pool = open_all(0);
    const struct args args = {0};
    const struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &args, .args_bytes = sizeof args, .detached = true};
    struct adit_task_result r = {.size = sizeof r};
    uint64_t detached = task_submit(queue, s), before = submit(queue, 0, 0, &detached, 1, false), whatever = submit(queue, 0, 0, &detached, 1, true);
    assert_true(fail_next());
    assert_int_equal(adit_wait(queue, before, 0, &r), 0);
    assert_int_equal(r.end, ADIT_ENDED_CANCELLED); /* (tried: one that is DETACHED is free at once, be it AWAITED: DONE) */
    uint64_t after = submit(queue, 0, 0, &detached, 1, false);
    while (run_next()) {
    }
    assert_int_equal(adit_wait(queue, after, 0, &r), 0);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(adit_wait(queue, whatever, 0, &r), 0);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    uint64_t waited = submit(queue, 0, 0, NULL, 0, false);
    assert_true(fail_next());
    after = submit(queue, 0, 0, &waited, 1, false); /* it has ended, and nobody has taken its result */
    assert_int_equal(adit_wait(queue, after, 0, &r), 0);
    assert_int_equal(r.end, ADIT_ENDED_CANCELLED);
    assert_int_equal(adit_wait(queue, waited, 0, &r), 0);
    after = submit(queue, 0, 0, &waited, 1, false);
    assert_true(run_next());
    assert_int_equal(adit_wait(queue, after, 0, &r), 0);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    close_all(pool);
}

static void submit_second(void *user)
{
    struct meeting *m = user;
    assert_int_equal(adit_submit(queue, &m->spec, &m->second), 0);
}

static bool end_first(uint32_t step, void *user)
{
    const struct meeting *m = user;
    return step != m->acts_at || !run_next();
}

static void a_dependency_that_ends_at_any_instruction_is_seen(void **state)
{
    (void)state;
    struct adit_pool *pool = open_all(0);
    const struct args args = {0};
    struct adit_task_result r = {.size = sizeof r};
    struct meeting m = {0};
    uint64_t awaiting;
    uint32_t steps = 0;
    for (m.acts_at = 1; steps + STEPPED_STRIDE >= m.acts_at; m.acts_at += STEPPED_STRIDE) {
        m.spec = (struct adit_task_spec){.size = sizeof m.spec, .kind = kind, .args = &args, .args_bytes = sizeof args};
        assert_int_equal(adit_submit(queue, &m.spec, &m.first), 0);
        m.spec.after = &m.first;
        m.spec.after_n = 1;
        assert_int_equal(adit_submit(queue, &m.spec, &awaiting), 0);
        steps = stepped_run(submit_second, end_first, &m);
        while (run_next()) {
        }
        assert_int_equal(adit_wait(queue, m.first, 0, &r), 0);
        assert_int_equal(adit_wait(queue, awaiting, 0, &r), 0);
        assert_int_equal(adit_wait(queue, m.second, 0, &r), 0); /* (tried: one that is AWAITED already not looked at again, once the blocker is stored: held for ever) */
    }
    close_all(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_runs_after_all_it_depends_on),
        cmocka_unit_test(a_long_chain_runs_link_by_link),
        cmocka_unit_test(what_failed_ends_all_that_depends_on_it),
        cmocka_unit_test(a_cancelled_task_cancels_and_one_that_waits_can_be_cancelled),
        cmocka_unit_test(what_has_ended_or_was_taken_holds_nobody_up),
        cmocka_unit_test(who_waits_sees_a_held_task_expire),
        cmocka_unit_test(workers_see_what_waits_expire),
        cmocka_unit_test(sleepers_see_what_was_not_told_of_expire),
        cmocka_unit_test(who_stops_before_it_tells_holds_nobody_up),
        cmocka_unit_test(no_task_waits_for_one_that_is_not_there),
        cmocka_unit_test(layers_of_several_submitters_are_all_run),
        cmocka_unit_test(the_failure_of_a_detached_task_is_known_until_it_has_ended),
        cmocka_unit_test(a_dependency_that_ends_at_any_instruction_is_seen),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
