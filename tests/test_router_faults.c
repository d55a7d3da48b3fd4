/* Routers (runtime/adit_router.h) whose best tier stops, fails or needs a second attempt, after it has worked: it is left, and taken back; and tickets of what others wait for. Tiers are processes that run one kind,
 * the first in a fiftieth of the time of the second. How soon the arithmetic leaves what is test_route's; here bounds are wide, as on a laden machine the other tier may be late as well. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/task_fixture.h"

enum { TIERS = 2, QUICK = 0, TICKETS = 4096, TASKS = 400, LEFT = TASKS / 2 /* of them, at most, go to one that is to be left: a few, unless the machine is laden */ };
#define NS 20000u
#define SLOW_NS (50 * NS)
#define TIMEOUT_NS 10000000u
#define LONG_NS 10000000000u

enum mood { WORKS, FAILS, FAILS_FIRST /* slowly, in its first attempt */ };

struct shared {
    uint32_t moods[TIERS], ready, stop;
};
static struct shared *shared;
static uint32_t own_tier; /* a child's */

static int run_work(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t mood = __atomic_load_n(&shared->moods[own_tier], __ATOMIC_RELAXED);
    bool is_slow_failure = mood == FAILS_FIRST && run->attempt == 1;
    uint64_t begin = adit_clock_ns(), ns = is_slow_failure ? 2 * TIMEOUT_NS : own_tier == QUICK ? NS : SLOW_NS;
    (void)args;
    (void)result;
    *result_bytes = 0;
    while (adit_clock_ns() - begin < ns && !adit_task_should_stop(run))
        ;
    return mood == FAILS || is_slow_failure ? -EIO : 0;
}

static struct adit_queue *open_queue(struct adit_arena *a, const char *name, uint32_t capacity)
{
    const struct adit_queue_params p = {.size = sizeof p, .order = ADIT_ORDER_FIFO, .capacity = capacity};
    struct adit_queue *q;
    REQUIRE(!adit_queue_open(a, name, &p, &q));
    return q;
}

static uint32_t register_work(struct adit_arena *a, bool runs)
{
    const struct adit_kind_params p = {.size = sizeof p, .name = "work", .run = runs ? run_work : NULL};
    uint32_t kind;
    REQUIRE(!adit_kind_register(a, &p, &kind));
    return kind;
}

static const char *const names[TIERS] = {"q0", "q1"};

static void work_until_stopped(struct adit_arena *a, const char *name)
{
    struct adit_queue *q = open_queue(a, name, 512);
    struct adit_pool *pool = task_pool(q, 1);
    __atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE))
        shm_fixture_nap(2);
    adit_pool_close(&pool);
    adit_queue_close(&q);
    adit_detach(&a);
}

static void be_a_tier(void *user)
{
    own_tier = *(const uint32_t *)user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    (void)register_work(a, true);
    work_until_stopped(a, names[own_tier]);
}

struct scene {
    struct adit_arena *arena;
    struct adit_queue *queues[TIERS];
    struct adit_router *router;
    struct adit_task_spec spec;
    pid_t children[TIERS];
};

static void begin_shared(void)
{
    if (!shared)
        shared = shm_fixture_shared(sizeof *shared);
    memset(shared, 0, sizeof *shared);
}

static void open_router(struct scene *s, uint32_t workers, enum adit_route_policy policy)
{
    struct adit_route_place places[TIERS];
    for (uint32_t i = 0; i < TIERS; i++) {
        s->queues[i] = open_queue(s->arena, names[i], 512);
        places[i] = (struct adit_route_place){.name = names[i], .queue = s->queues[i], .workers = workers};
    }
    const struct adit_router_params p = {.size = sizeof p, .places = places, .places_n = TIERS, .policy = policy};
    assert_int_equal(adit_router_open(s->arena, &p, &s->router), 0);
}

static struct scene open_scene(uint32_t workers)
{
    static uint32_t numbers[TIERS] = {0, 1};
    struct scene s = {0};
    begin_shared();
    for (uint32_t i = 0; i < TIERS; i++)
        s.children[i] = fixture_fork(be_a_tier, &numbers[i]);
    s.arena = fixture_create(NULL);
    s.spec = (struct adit_task_spec){.size = sizeof s.spec, .kind = register_work(s.arena, false)};
    open_router(&s, workers, ADIT_ROUTE_ADAPTIVE);
    fixture_start();
    shm_fixture_until(&shared->ready, TIERS);
    return s;
}

static void close_scene(struct scene *s)
{
    adit_router_close(&s->router);
    __atomic_store_n(&shared->stop, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < TIERS; i++) {
        if (s->children[i])
            assert_int_equal(shm_fixture_wait(s->children[i]), 0);
        adit_queue_close(&s->queues[i]);
    }
    assert_true(fixture_eventually(fixture_is_alone, s->arena));
    shm_fixture_verify_quiet(s->arena);
    adit_detach(&s->arena);
}

struct count {
    uint32_t quick, done, failed, late; /* quick: how many were sent there */
};

static void run_one(struct scene *s, uint64_t timeout_ns, struct count *c)
{
    struct adit_task_result result = {.size = sizeof result};
    struct adit_route_report report = {.size = sizeof report};
    int error = adit_router_run(s->router, &s->spec, timeout_ns, &result);
    assert_true(!error || error == -ETIMEDOUT);
    assert_int_equal(adit_router_explain(s->router, 0, &report), 0);
    c->quick += report.place == QUICK;
    c->late += error != 0;
    c->failed += !error && result.status < 0;
    c->done += !error && result.status >= 0;
}

static struct count run_many(struct scene *s, uint32_t n, uint64_t timeout_ns)
{
    struct count c = {0};
    for (uint32_t i = 0; i < n; i++)
        run_one(s, timeout_ns, &c);
    return c;
}

/* Until the quick tier is where nearly all goes. */
static void settle_on_quick(struct scene *s, uint64_t timeout_ns)
{
    for (uint32_t i = 0; i < 4000; i++) /* a laden machine makes many attempts of it */
        if (run_many(s, 100, timeout_ns).quick >= 80)
            return;
    fail_msg("the quick tier is not taken");
}

static void set_mood(uint32_t tier, enum mood mood) { __atomic_store_n(&shared->moods[tier], mood, __ATOMIC_RELAXED); }

/* One worker and many, as one that is stopped holds one task. tried: timeouts of which nothing is learned (399 and 398 of 400 go there) */
static void a_tier_that_is_stopped_is_left_and_taken_back(void **state)
{
    for (uint32_t workers = 1; workers <= 8; workers += 7) {
        struct scene s = open_scene(workers);
        settle_on_quick(&s, LONG_NS);
        assert_int_equal(kill(s.children[QUICK], SIGSTOP), 0);
        struct count c = run_many(&s, TASKS, TIMEOUT_NS);
        assert_in_range(c.quick, 1, LEFT);
        assert_int_equal(c.failed, 0);
        assert_int_equal(kill(s.children[QUICK], SIGCONT), 0);
        settle_on_quick(&s, LONG_NS);
        close_scene(&s);
    }
    (void)state;
}

/* Submitted, waited for as long as one likes, cancelled. tried: one cancelled late says nothing */
static void what_is_cancelled_late_counts(void **state)
{
    struct scene s = open_scene(8);
    struct adit_task_result result = {.size = sizeof result};
    struct adit_routed routed;
    uint32_t quick = 0;
    settle_on_quick(&s, LONG_NS);
    assert_int_equal(kill(s.children[QUICK], SIGSTOP), 0);
    for (uint32_t i = 0; i < TASKS; i++) {
        assert_int_equal(adit_router_submit(s.router, &s.spec, &routed), 0);
        quick += routed.queue == s.queues[QUICK];
        int error = adit_router_wait(s.router, &routed, TIMEOUT_NS, &result);
        if (error == -ETIMEDOUT) {
            (void)adit_cancel(routed.queue, routed.task);
            error = adit_router_wait(s.router, &routed, TIMEOUT_NS, &result); /* one that has begun is left to its tier */
        }
        assert_true(!error || error == -ETIMEDOUT);
    }
    assert_in_range(quick, 1, LEFT);
    assert_int_equal(kill(s.children[QUICK], SIGCONT), 0);
    settle_on_quick(&s, LONG_NS);
    close_scene(&s);
    (void)state;
}

/* tried: a negative status of which nothing is learned (398 of 400 go there) */
static void a_tier_that_fails_is_left_and_taken_back(void **state)
{
    struct scene s = open_scene(1);
    settle_on_quick(&s, LONG_NS);
    set_mood(QUICK, FAILS);
    struct count c = run_many(&s, TASKS, LONG_NS);
    assert_in_range(c.quick, 1, LEFT);
    assert_int_equal(c.failed, c.quick);
    assert_int_equal(c.done, TASKS - c.quick);
    set_mood(QUICK, WORKS);
    settle_on_quick(&s, LONG_NS);
    close_scene(&s);
    (void)state;
}

/* tried: failures of the other tier not counted (how they compare is test_route's) */
static void a_kind_that_fails_everywhere_goes_where_it_costs_least(void **state)
{
    struct scene s = open_scene(1);
    settle_on_quick(&s, LONG_NS);
    set_mood(QUICK, FAILS);
    set_mood(1, FAILS);
    struct count c = run_many(&s, TASKS, LONG_NS);
    assert_int_equal(c.failed, TASKS);
    assert_in_range(c.quick, TASKS * 3 / 4, TASKS);
    set_mood(QUICK, WORKS);
    set_mood(1, WORKS);
    settle_on_quick(&s, LONG_NS);
    close_scene(&s);
    (void)state;
}

/* Its last attempt is as quick as ever. tried: nothing learned of second attempts; the last attempt learned */
static void a_tier_that_needs_two_attempts_is_left(void **state)
{
    struct scene s = open_scene(1);
    s.spec.retry_errors = true;
    settle_on_quick(&s, LONG_NS);
    set_mood(QUICK, FAILS_FIRST);
    struct count c = run_many(&s, TASKS, LONG_NS);
    assert_in_range(c.quick, 1, LEFT);
    assert_int_equal(c.done, TASKS);
    close_scene(&s);
    (void)state;
}

/* The same, of the worker process that dies in two attempts (worker_kinds), after which there is a pause of 20 ms, beside a thread that takes 0.2 ms. */
static int run_slowly(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t begin = adit_clock_ns();
    (void)args;
    (void)result;
    *result_bytes = 0;
    while (adit_clock_ns() - begin < 200000 && !adit_task_should_stop(run))
        ;
    return 0;
}

static uint32_t register_dying(struct adit_arena *a, bool runs)
{
    const struct adit_kind_params p = {.size = sizeof p, .name = "die", .run = runs ? run_slowly : NULL, .args_bytes_max = 4, .result_bytes_max = 4};
    uint32_t kind;
    REQUIRE(!adit_kind_register(a, &p, &kind));
    return kind;
}

static void be_slow(void *user)
{
    (void)user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    (void)register_dying(a, true);
    work_until_stopped(a, names[1]);
}

static void a_tier_whose_workers_die_is_left(void **state)
{
    char object[TASK_OBJECT_BYTES];
    const char *objects[] = {object, NULL};
    const struct adit_pool_params processes = {.size = sizeof processes, .processes = 1, .objects = objects};
    struct scene s = {0};
    struct adit_pool *pool;
    uint32_t wanted = 1; /* it dies in attempts before that */
    task_object("worker_kinds", object);
    begin_shared();
    s.children[1] = fixture_fork(be_slow, NULL);
    s.arena = fixture_create(NULL);
    s.spec = (struct adit_task_spec){.size = sizeof s.spec, .kind = register_dying(s.arena, false), .args = &wanted, .args_bytes = sizeof wanted};
    open_router(&s, 1, ADIT_ROUTE_ADAPTIVE);
    assert_int_equal(adit_pool_open(s.queues[QUICK], &processes, &pool), 0);
    fixture_start();
    shm_fixture_until(&shared->ready, 1);
    settle_on_quick(&s, LONG_NS);
    wanted = 3;
    struct count c = run_many(&s, TASKS, LONG_NS);
    assert_int_equal(c.done, TASKS);
    assert_in_range(c.quick, 1, LEFT);
    adit_pool_close(&pool);
    close_scene(&s);
    (void)state;
}

/* Nobody works at a queue any more, and this thread takes back what lies there: a time is lost with each. Tiers in turn, so that it is the price that tells. tried: nothing learned of what was taken back */
static void a_queue_that_nobody_works_at_any_more_is_dear(void **state)
{
    struct scene s = {0};
    struct adit_pool *pools[TIERS];
    struct adit_route_report report = {.size = sizeof report};
    begin_shared();
    own_tier = QUICK;
    s.arena = fixture_create(NULL);
    s.spec = (struct adit_task_spec){.size = sizeof s.spec, .kind = register_work(s.arena, true)};
    open_router(&s, 1, ADIT_ROUTE_ROUND_ROBIN);
    for (uint32_t i = 0; i < TIERS; i++)
        pools[i] = task_pool(s.queues[i], 1);
    (void)run_many(&s, TASKS, LONG_NS);
    adit_pool_close(&pools[QUICK]);
    struct count c = run_many(&s, TASKS, LONG_NS);
    assert_int_equal(c.done, TASKS);
    assert_int_equal(adit_router_explain(s.router, 0, &report), 0);
    assert_true(report.finish_ns[QUICK] > 10000000); /* 0.4 s, for what takes less than 1 ms */
    adit_pool_close(&pools[1]);
    close_scene(&s);
    (void)state;
}

/* ---- tickets ---- */

static int run_at_once(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    *result_bytes = 0;
    return task_run_nothing(run, args, result, result_bytes);
}

/* tried: those of ended tasks kept for who waits by the router alone (after 4,096 of them everything is -EAGAIN); only those not known to have ended looked at */
static void tickets_of_what_others_wait_for_come_back(void **state)
{
    enum { FEW = 4 };
    const struct adit_create_params c = {.size = sizeof c, .data_bytes = 16u << 20, .tasks_max = 16384};
    struct adit_arena *a = fixture_create(&c);
    const struct adit_kind_params k = {.size = sizeof k, .name = "at once", .run = run_at_once};
    struct adit_queue *q = open_queue(a, "q", 8192);
    const struct adit_route_place place = {.name = "q", .queue = q};
    const struct adit_router_params p = {.size = sizeof p, .places = &place, .places_n = 1};
    struct adit_router *r;
    struct adit_task_spec s = {.size = sizeof s};
    struct adit_task_result result = {.size = sizeof result};
    static struct adit_routed routed[TICKETS];
    assert_int_equal(adit_kind_register(a, &k, &s.kind), 0);
    assert_int_equal(adit_router_open(a, &p, &r), 0);
    for (uint32_t i = 0; i < TICKETS; i++) /* nobody works there yet */
        assert_int_equal(adit_router_submit(r, &s, &routed[i]), 0);
    struct adit_routed more;
    assert_int_equal(adit_router_submit(r, &s, &more), -EAGAIN);
    struct adit_pool *pool = task_pool(q, 1);
    for (uint32_t i = 0; i < TICKETS; i++)
        assert_int_equal(adit_wait(q, routed[i].task, LONG_NS, &result), 0);
    for (uint32_t n = 0; n < TICKETS + 200; n += FEW) {
        for (uint32_t i = 0; i < FEW; i++)
            assert_int_equal(adit_router_submit(r, &s, &routed[i]), 0);
        for (uint32_t i = 0; i < FEW; i++)
            while (task_stage(q, routed[i].task) != ADIT_STAGE_ENDED)
                ;
        assert_int_equal(adit_router_submit(r, &s, &more), 0); /* it sees their ends */
        for (uint32_t i = 0; i < FEW; i++)
            assert_int_equal(adit_wait(q, routed[i].task, LONG_NS, &result), 0);
        assert_int_equal(adit_router_wait(r, &more, LONG_NS, &result), 0);
        assert_int_equal(adit_router_run(r, &s, LONG_NS, &result), 0);
    }
    adit_router_close(&r);
    adit_pool_close(&pool);
    adit_queue_close(&q);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tier_that_is_stopped_is_left_and_taken_back),
        cmocka_unit_test(what_is_cancelled_late_counts),
        cmocka_unit_test(a_tier_that_fails_is_left_and_taken_back),
        cmocka_unit_test(a_kind_that_fails_everywhere_goes_where_it_costs_least),
        cmocka_unit_test(a_tier_that_needs_two_attempts_is_left),
        cmocka_unit_test(a_tier_whose_workers_die_is_left),
        cmocka_unit_test(a_queue_that_nobody_works_at_any_more_is_dear),
        cmocka_unit_test(tickets_of_what_others_wait_for_come_back),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
