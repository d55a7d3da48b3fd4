/* Routers on real queues (runtime/adit_router.h): results are the tasks', whoever runs them; what was decided is told; full queues, foreign kinds and wrong parameters. The arithmetic is test_route's. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "tests/task_fixture.h"

static uint32_t runs;

/* Spins for as many ns as its argument says, and answers it. */
static int run_spin(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t ns, begin = adit_clock_ns();
    (void)run;
    memcpy(&ns, args, sizeof ns);
    while (adit_clock_ns() - begin < ns && !adit_task_should_stop(run))
        ;
    __atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
    memcpy(result, &ns, sizeof ns);
    *result_bytes = sizeof ns;
    return 0;
}

static uint64_t work_of_spin(const void *args, uint32_t args_bytes, const uint64_t *buffer_bytes, uint32_t buffers_n)
{
    uint64_t ns = 0;
    (void)buffer_bytes;
    (void)buffers_n;
    memcpy(&ns, args, args_bytes < sizeof ns ? args_bytes : sizeof ns);
    return ns;
}

static struct adit_arena *arena;
static struct adit_queue *queues[2];
static struct adit_pool *pools[2];
static uint32_t spin;

static void open_all_of(uint32_t pools_n, uint32_t capacity)
{
    const struct adit_kind_params p = {.size = sizeof p, .name = "spin", .run = run_spin, .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 8, .work = work_of_spin};
    arena = fixture_create(NULL);
    REQUIRE(!adit_kind_register(arena, &p, &spin));
    for (uint32_t i = 0; i < 2; i++) {
        char name[8] = {'q', (char)('0' + i)};
        REQUIRE(!adit_queue_open(arena, name, &(struct adit_queue_params){.size = sizeof(struct adit_queue_params), .order = ADIT_ORDER_FIFO, .capacity = capacity}, &queues[i]));
        pools[i] = i < pools_n ? task_pool(queues[i], 1) : NULL;
    }
    runs = 0;
}

static void open_all(uint32_t pools_n) { open_all_of(pools_n, 512); }

static void close_all(struct adit_router **r)
{
    adit_router_close(r);
    for (uint32_t i = 0; i < 2; i++) {
        adit_pool_close(&pools[i]);
        adit_queue_close(&queues[i]);
    }
    shm_fixture_verify_quiet(arena);
    adit_detach(&arena);
}

static struct adit_router *router(enum adit_route_policy policy, uint64_t kinds_of_second)
{
    const struct adit_route_place places[] = {{.name = "inline", .queue = queues[0], .is_inline = true}, {.name = "first", .queue = queues[0]}, {.name = "second", .queue = queues[1], .kinds = kinds_of_second}};
    const struct adit_router_params p = {.size = sizeof p, .places = places, .places_n = 3, .policy = policy};
    struct adit_router *r;
    assert_int_equal(adit_router_open(arena, &p, &r), 0);
    return r;
}

static struct adit_task_spec spinning(const uint64_t *ns) { return (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = spin, .args = ns, .args_bytes = sizeof *ns}; }

static void assert_answer(const struct adit_task_result *r, uint64_t ns)
{
    uint64_t answer = 0;
    assert_int_equal(r->end, ADIT_ENDED_DONE);
    assert_int_equal(r->status, 0);
    memcpy(&answer, r->data, sizeof answer);
    assert_int_equal(answer, ns);
}

static void every_policy_runs_each_task_once_and_tells_where(void **state)
{
    static const enum adit_route_policy all[] = {ADIT_ROUTE_ADAPTIVE, ADIT_ROUTE_ROUND_ROBIN, ADIT_ROUTE_LEAST_LOADED, ADIT_ROUTE_CAPABILITY};
    for (uint32_t p = 0; p < 4; p++) {
        open_all(2);
        struct adit_router *r = router(all[p], 0);
        struct adit_task_result result = {.size = sizeof result};
        struct adit_route_report report = {.size = sizeof report};
        uint32_t at[3] = {0};
        assert_int_equal(adit_router_explain(r, 0, &report), -ERANGE);
        for (uint64_t i = 0; i < 60; i++) {
            uint64_t ns = i * 100;
            const struct adit_task_spec s = spinning(&ns);
            assert_int_equal(adit_router_run(r, &s, ADIT_FOR_EVER, &result), 0);
            assert_answer(&result, ns);
            assert_int_equal(adit_router_explain(r, 0, &report), 0);
            assert_true(report.kind == spin && report.work == ns && report.places_n == 3 && report.took_ns >= ns);
            assert_string_equal(report.name, report.place == 0 ? "inline" : report.place == 1 ? "first" : "second");
            assert_true(result.inlined || report.place);
            at[report.place]++;
        }
        assert_int_equal(runs, 60);
        assert_true(all[p] != ADIT_ROUTE_ROUND_ROBIN || (at[0] == 20 && at[1] == 20 && at[2] == 20));
        assert_true(all[p] != ADIT_ROUTE_CAPABILITY || at[0] == 60);
        assert_int_equal(adit_router_explain(r, 59, &report), 0);
        assert_int_equal(report.work, 0);
        assert_int_equal(adit_router_explain(r, 60, &report), -ERANGE);
        close_all(&r);
    }
    (void)state;
}

/* A task of nothing costs less here than its hand-over anywhere. tried: no hand-over in the price */
static void what_costs_less_than_its_hand_over_is_run_inline(void **state)
{
    open_all(2);
    struct adit_router *r = router(ADIT_ROUTE_ADAPTIVE, 0);
    struct adit_task_result result = {.size = sizeof result};
    const uint64_t ns = 0;
    const struct adit_task_spec s = spinning(&ns);
    uint32_t here = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        assert_int_equal(adit_router_run(r, &s, ADIT_FOR_EVER, &result), 0);
        here += i >= 1000 && result.inlined;
    }
    assert_in_range(here, 600, 1000); /* nearly all, where other load does not make this thread the slower one for a while */
    close_all(&r);
    (void)state;
}

/* Many at once are shared out, also where nobody waits until all are submitted. tried: ends seen by waits alone */
static void many_are_submitted_and_waited_for_in_any_order(void **state)
{
    enum { TASKS = 400 };
    static struct adit_routed routed[TASKS];
    open_all(2);
    struct adit_router *r = router(ADIT_ROUTE_ADAPTIVE, 0);
    struct adit_task_result result = {.size = sizeof result};
    struct adit_route_report report = {.size = sizeof report};
    static uint64_t ns[TASKS];
    uint32_t submitted = 0, at[3] = {0};
    for (uint32_t i = 0; i < TASKS; i++) {
        ns[i] = 20000 + i;
        const struct adit_task_spec s = spinning(&ns[i]);
        int error = adit_router_submit(r, &s, &routed[i]);
        assert_true(!error);
        submitted++;
        assert_int_equal(adit_router_explain(r, 0, &report), 0);
        at[report.place]++;
    }
    for (uint32_t k = 0; k < TASKS; k++) {
        uint32_t i = k * 7 % TASKS;
        assert_int_equal(adit_router_wait(r, &routed[i], ADIT_FOR_EVER, &result), 0);
        assert_answer(&result, ns[i]);
    }
    assert_int_equal(runs, submitted);
    assert_true(at[0] > 0 && at[1] > 0 && at[2] > 0);
    assert_int_equal(adit_router_wait(r, &(struct adit_routed){0}, 0, &result), -EINVAL);
    close_all(&r);
    (void)state;
}

/* Nobody works at the second queue: what goes there stays, and the tier looks ever later. tried: a late tier that counts as done */
static void a_tier_that_never_answers_is_left(void **state)
{
    enum { TASKS = 200 };
    static struct adit_routed routed[TASKS];
    open_all(1);
    struct adit_router *r = router(ADIT_ROUTE_ADAPTIVE, 0);
    struct adit_task_result result = {.size = sizeof result};
    const uint64_t ns = 50000;
    const struct adit_task_spec s = spinning(&ns);
    uint32_t stuck = 0;
    for (uint32_t i = 0; i < TASKS; i++) {
        assert_int_equal(adit_router_submit(r, &s, &routed[i]), 0);
        if (routed[i].queue == queues[1] && routed[i].task)
            stuck++;
        else
            assert_int_equal(adit_router_wait(r, &routed[i], ADIT_FOR_EVER, &result), 0);
    }
    assert_in_range(stuck, 1, 12);
    pools[1] = task_pool(queues[1], 1);
    for (uint32_t i = 0; i < TASKS; i++)
        if (routed[i].queue == queues[1] && routed[i].task) {
            assert_int_equal(adit_router_wait(r, &routed[i], ADIT_FOR_EVER, &result), 0);
            assert_answer(&result, ns);
        }
    assert_int_equal(runs, TASKS);
    close_all(&r);
    (void)state;
}

static int run_failing(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run;
    (void)args;
    (void)result;
    *result_bytes = 0;
    __atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
    return -EDOM;
}

/* tried: taken on and on as what is not known yet, each time this thread's to take back after a while */
static void a_dead_tier_and_a_kind_that_fails_do_not_keep_a_router(void **state)
{
    enum { TASKS = 300 };
    open_all(1);
    const struct adit_route_place places[] = {{.name = "dead", .queue = queues[1]}, {.name = "live", .queue = queues[0]}, {.name = "inline", .queue = queues[0], .is_inline = true}};
    const struct adit_router_params p = {.size = sizeof p, .places = places, .places_n = 3};
    const struct adit_kind_params k = {.size = sizeof k, .name = "failing", .run = run_failing};
    struct adit_router *r;
    struct adit_task_result result = {.size = sizeof result};
    struct adit_route_report report = {.size = sizeof report};
    const uint64_t ns = 20000;
    struct adit_task_spec s = spinning(&ns);
    uint32_t dead = 0, failing, at[3] = {0};
    assert_int_equal(adit_router_open(arena, &p, &r), 0);
    for (uint32_t i = 0; i < TASKS; i++) {
        assert_int_equal(adit_router_run(r, &s, ADIT_FOR_EVER, &result), 0);
        assert_answer(&result, ns);
        assert_int_equal(adit_router_explain(r, 0, &report), 0);
        dead += !report.place;
    }
    assert_in_range(dead, 1, 15);
    assert_int_equal(adit_kind_register(arena, &k, &failing), 0);
    s = (struct adit_task_spec){.size = sizeof s, .kind = failing};
    for (uint32_t i = 0; i < TASKS; i++) {
        assert_int_equal(adit_router_run(r, &s, ADIT_FOR_EVER, &result), 0);
        assert_int_equal(result.status, -EDOM);
        assert_int_equal(adit_router_explain(r, 0, &report), 0);
        at[report.place]++;
    }
    assert_int_equal(runs, 2 * TASKS);
    close_all(&r);
    (void)state;
}

/* What must not begin on this thread goes to workers. tried: inline because its kind is this process's */
static void what_has_to_wait_or_be_killed_is_not_run_inline(void **state)
{
    open_all(2);
    struct adit_router *r = router(ADIT_ROUTE_CAPABILITY, 0);
    struct adit_task_result result = {.size = sizeof result};
    struct adit_route_report report = {.size = sizeof report};
    const uint64_t ns = 1000;
    for (uint32_t i = 0; i < 3; i++) {
        struct adit_task_spec s = spinning(&ns);
        s.kill_ns = i == 0 ? 1000000000u : 0;
        s.delay_ns = i == 1 ? 1000000 : 0;
        s.memory_bytes = i == 2 ? 4096 : 0;
        assert_int_equal(adit_router_run(r, &s, 10000000000u, &result), 0);
        assert_answer(&result, ns);
        assert_int_equal(adit_router_explain(r, 0, &report), 0);
        assert_int_not_equal(report.place, 0);
    }
    close_all(&r);
    (void)state;
}

/* tried: tickets given back twice */
static void each_is_waited_for_once(void **state)
{
    open_all(1);
    const struct adit_route_place place = {.name = "live", .queue = queues[0]};
    const struct adit_router_params p = {.size = sizeof p, .places = &place, .places_n = 1};
    struct adit_router *r;
    struct adit_task_result result = {.size = sizeof result};
    struct adit_routed routed, copy;
    const uint64_t ns = 1000;
    const struct adit_task_spec s = spinning(&ns);
    assert_int_equal(adit_router_open(arena, &p, &r), 0);
    for (uint32_t i = 0; i < 5000; i++) { /* more than there are tickets */
        assert_int_equal(adit_router_submit(r, &s, &routed), 0);
        copy = routed;
        assert_int_equal(i & 1 ? adit_wait(routed.queue, routed.task, ADIT_FOR_EVER, &result) : adit_router_wait(r, &routed, ADIT_FOR_EVER, &result), 0);
        assert_answer(&result, ns);
        assert_true(adit_router_wait(r, &copy, 0, &result) == -ENOENT);
    }
    for (uint32_t i = 0; i < 5000; i++) { /* the end is seen by the router, then the result taken by others. tried: the ticket kept for ever */
        struct adit_routed second;
        assert_int_equal(adit_router_submit(r, &s, &routed), 0);
        while (task_stage(routed.queue, routed.task) != ADIT_STAGE_ENDED)
            ;
        assert_int_equal(adit_router_submit(r, &s, &second), 0);
        assert_int_equal(adit_wait(routed.queue, routed.task, ADIT_FOR_EVER, &result), 0);
        assert_int_equal(adit_router_wait(r, &routed, 0, &result), -ENOENT);
        assert_int_equal(adit_router_wait(r, &second, ADIT_FOR_EVER, &result), 0);
    }
    close_all(&r);
    (void)state;
}

static void full_queues_are_passed_over(void **state)
{
    open_all_of(0, 32);
    const struct adit_route_place places[] = {{.name = "a", .queue = queues[0]}, {.name = "b", .queue = queues[1]}};
    const struct adit_router_params p = {.size = sizeof p, .places = places, .places_n = 2, .policy = ADIT_ROUTE_CAPABILITY};
    static struct adit_routed routed[100];
    struct adit_router *r;
    struct adit_task_result result = {.size = sizeof result};
    const uint64_t ns = 0;
    const struct adit_task_spec s = spinning(&ns);
    uint32_t n = 0;
    assert_int_equal(adit_router_open(arena, &p, &r), 0);
    while (n < 100 && !adit_router_submit(r, &s, &routed[n]))
        n++;
    assert_int_equal(n, 64); /* both are full */
    assert_int_equal(adit_router_submit(r, &s, &routed[n]), -EAGAIN);
    for (uint32_t i = 0; i < 2; i++)
        pools[i] = task_pool(queues[i], 1);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(adit_router_wait(r, &routed[i], ADIT_FOR_EVER, &result), 0);
    assert_int_equal(runs, 64);
    close_all(&r);
    (void)state;
}

static void what_is_wrong_is_said(void **state)
{
    open_all(2);
    struct adit_router *r = router(ADIT_ROUTE_ADAPTIVE, 0), *none;
    struct adit_task_result result = {.size = sizeof result};
    struct adit_routed routed;
    enum adit_route_policy policy;
    const uint64_t ns = 0;
    struct adit_task_spec s = spinning(&ns);
    struct adit_route_place place = {.name = "a", .queue = queues[0], .kinds = 1ull << (spin == 5 ? 6 : 5)};
    struct adit_router_params p = {.size = sizeof p, .places = &place, .places_n = 1};
    s.kind = UINT32_MAX;
    assert_int_equal(adit_router_run(r, &s, 0, &result), -ENOTSUP);
    s = spinning(&ns);
    s.detached = true;
    assert_int_equal(adit_router_submit(r, &s, &routed), -EINVAL);
    s = spinning(&ns);
    assert_int_equal(adit_router_open(arena, &p, &none), 0);
    assert_int_equal(adit_router_run(none, &s, 0, &result), -ENOTSUP);
    s.priority = (enum adit_priority)99;
    assert_int_equal(adit_router_submit(r, &s, &routed), -EINVAL);
    assert_int_equal(adit_router_wait(r, &routed, 0, &result), -EINVAL); /* tried: a result of zeroes */
    s = spinning(&ns);
    assert_string_not_equal(adit_detail(), "");
    adit_router_close(&none);
    p.places_n = 17;
    assert_int_equal(adit_router_open(arena, &p, &none), -EINVAL);
    p.places_n = 1;
    p.policy = (enum adit_route_policy)4;
    assert_int_equal(adit_router_open(arena, &p, &none), -EINVAL);
    p.policy = ADIT_ROUTE_ADAPTIVE;
    place.queue = NULL;
    assert_int_equal(adit_router_open(arena, &p, &none), -EINVAL);
    place = (struct adit_route_place){.name = "a name of more than thirty-one bytes", .queue = queues[0]};
    assert_int_equal(adit_router_open(arena, &p, &none), -EINVAL);
    assert_null(none);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(adit_route_policy_named(adit_route_policy_name((enum adit_route_policy)i), &policy), 0);
        assert_int_equal(policy, i);
    }
    assert_int_equal(adit_route_policy_named("best", &policy), -EINVAL);
    close_all(&r);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy_runs_each_task_once_and_tells_where),
        cmocka_unit_test(what_costs_less_than_its_hand_over_is_run_inline),
        cmocka_unit_test(many_are_submitted_and_waited_for_in_any_order),
        cmocka_unit_test(a_tier_that_never_answers_is_left),
        cmocka_unit_test(a_dead_tier_and_a_kind_that_fails_do_not_keep_a_router),
        cmocka_unit_test(what_has_to_wait_or_be_killed_is_not_run_inline),
        cmocka_unit_test(each_is_waited_for_once),
        cmocka_unit_test(full_queues_are_passed_over),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
