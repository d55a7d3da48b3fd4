/* adit_run (runtime/task_run.h): a task done here or by a worker, the same either way, by whoever has it done sooner. Costs are put where they decide; that they are learned is a matter
 * of runs, not of seconds. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "runtime/kind.h"
#include "runtime/kind_cost.h"
#include "runtime/task_run.h"
#include "tests/task_fixture.h"

#define LIMIT_NS 20000000000u
#define WORDS 300u /* of a buffer */
#define LONG_NS 2000000u /* far more than a wake takes on a laden machine, under any sanitizer */
#define MS 1000000ull

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t add, lame, flaky, wait_kind;
static _Thread_local bool is_caller;
static struct board {
    uint32_t ready, begun, open;
    uint64_t buffer;
} *board;

/* Adds its argument to all words of its buffers; that, squared, is its result. */
static int run_add(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t value;
    memcpy(&value, args, sizeof value);
    for (uint32_t i = 0; i < run->buffers_n; i++)
        for (uint32_t k = 0; k < WORDS && run->buffers[i].access != ADIT_READ; k++)
            ((uint64_t *)run->buffers[i].data)[k] += value;
    value *= value;
    memcpy(result, &value, sizeof value);
    *result_bytes = sizeof value;
    return 0;
}

/* Takes long on the thread that calls adit_run, and no time on any other; or the other way round. */
static int run_lame(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t is_lame_here;
    (void)run;
    (void)result;
    (void)result_bytes;
    memcpy(&is_lame_here, args, sizeof is_lame_here);
    if (is_lame_here == is_caller)
        nanosleep(&(struct timespec){.tv_nsec = LONG_NS}, NULL);
    return 0;
}

static int run_flaky(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    return run->attempt < 3 ? -EIO : 0;
}

/* Its first attempt goes on until it is to stop, or all are open. */
static int run_wait(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    __atomic_add_fetch(&board->begun, 1, __ATOMIC_ACQ_REL);
    for (uint32_t k = 0; k < WORDS && run->buffers_n; k++)
        ((uint64_t *)run->buffers[0].data)[k] += 1;
    while (run->attempt == 1 && !__atomic_load_n(&board->open, __ATOMIC_ACQUIRE)) {
        if (adit_task_should_stop(run))
            return -ECANCELED;
        shm_fixture_nap(1);
    }
    return 0;
}

static void know(struct adit_arena *a, struct adit_queue **q)
{
    static const struct adit_queue_params small = {.size = sizeof small, .order = ADIT_ORDER_FIFO, .capacity = 16};
    static const struct {
        const char *name;
        adit_kind_run *run;
        uint32_t *kind;
    } kinds[] = {{"add", run_add, &add}, {"lame", run_lame, &lame}, {"flaky", run_flaky, &flaky}, {"wait", run_wait, &wait_kind}};
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct adit_kind_params p = {.size = sizeof p, .name = kinds[i].name, .run = kinds[i].run, .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 8};
        REQUIRE(!adit_kind_register(a, &p, kinds[i].kind));
    }
    REQUIRE(!adit_queue_open(a, "work", &small, q));
}

static void open_all(void)
{
    is_caller = true;
    board = board ? board : shm_fixture_shared(sizeof *board);
    memset(board, 0, sizeof *board);
    arena = fixture_create(NULL);
    know(arena, &queue);
}

static void close_all(void)
{
    (void)adit_reclaim(arena, true);
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static struct adit_task_spec spec_of(uint32_t kind, const uint64_t *value)
{
    return (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .args = value, .args_bytes = 8};
}

static struct adit_task_result run_by(enum adit_way way, struct adit_task_spec s)
{
    struct adit_task_result r = {.size = sizeof r};
    REQUIRE(!adit_run_by(queue, &s, ADIT_FOR_EVER, way, &r));
    return r;
}

static uint64_t word_of(uint64_t buffer)
{
    struct adit_reader *reader;
    struct adit_buffer_view view;
    REQUIRE(!adit_reader_open(arena, &reader));
    adit_enter(reader);
    REQUIRE(!adit_buffer_acquire(reader, buffer, &view) && view.bytes == WORDS * 8);
    const uint64_t *words = view.data, first = words[0];
    for (uint32_t k = 0; k < WORDS; k++)
        REQUIRE(words[k] == first);
    REQUIRE(!adit_exit(reader));
    adit_reader_close(&reader);
    return first;
}

static struct adit_kind_info look(uint32_t kind)
{
    struct adit_kind_info i = {.size = sizeof i};
    REQUIRE(!adit_kind_look(arena, kind, &i));
    return i;
}

/* A cost that many measurements have come to. */
static uint64_t cost(uint64_t ns) { return 1000ull << 48 | ns; }

static void set_costs(uint32_t kind, uint64_t in_place, uint64_t by_worker, uint64_t handover)
{
    for (uint32_t i = 0; i < ADIT_KIND_COSTS; i++) {
        adit_store_relaxed(&arena->kinds[kind].cost.in_place[i], cost(in_place));
        adit_store_relaxed(&arena->kinds[kind].cost.by_worker[i], cost(by_worker));
    }
    for (uint32_t i = 0; i < ADIT_HANDOVERS; i++)
        adit_store_relaxed(&queue->slot->handover[i], cost(handover));
    memset(arena->kinds_here->price[kind].tries, 0, sizeof arena->kinds_here->price[kind].tries); /* nothing is to be tried soon */
}

static void a_task_comes_to_the_same_here_and_there(void **state)
{
    (void)state;
    open_all();
    struct adit_pool *pool = task_pool(queue, 1);
    uint64_t buffer[2], sum = 0;
    for (uint32_t i = 0; i < 2; i++)
        REQUIRE(!adit_buffer_create(arena, WORDS * 8, NULL, &buffer[i]));
    const struct adit_use uses[] = {{buffer[0], ADIT_READ_WRITE}, {buffer[1], ADIT_READ_WRITE}};
    for (uint64_t v = 1; v <= 200; v++) {
        struct adit_task_spec s = spec_of(add, &v);
        s.uses = uses;
        s.uses_n = v % 2 ? 2 : 0;
        s.tag = v;
        enum adit_way way = v / 2 % 3 == 0 ? ADIT_WAY_HERE : v / 2 % 3 == 1 ? ADIT_WAY_THERE : ADIT_WAY_BEST;
        struct adit_task_result r = run_by(way, s);
        assert_true(r.end == ADIT_ENDED_DONE && !r.status && r.attempts == 1 && r.bytes == 8 && r.tag == v && *(uint64_t *)(void *)r.data == v * v);
        assert_true(way != ADIT_WAY_HERE || r.inlined);
        sum += v % 2 ? v : 0;
        assert_int_equal(word_of(buffer[0]), sum); /* (tried: no commit of shadows here) */
        assert_int_equal(word_of(buffer[1]), sum);
    }
    struct adit_kind_info i = look(add);
    assert_int_equal(i.inlined + i.offloaded, 200);
    assert_true(i.inlined >= 66 && i.offloaded && !i.failures);
    for (uint32_t k = 0; k < 2; k++)
        REQUIRE(!adit_buffer_destroy(arena, buffer[k]));
    adit_pool_close(&pool);
    close_all();
}

static void the_way_that_costs_less_is_taken_and_no_outlier_changes_it(void **state)
{
    (void)state;
    open_all();
    struct adit_pool *pool = task_pool(queue, 1);
    struct adit_kind_cost *c = &arena->kinds[add].cost;
    uint64_t v = 3;
    for (uint32_t i = 0; i < 50; i++) {
        set_costs(add, 20 * MS, 20 * MS, 5 * MS);
        adit_kind_cost_learn(&c->in_place[2], 500 * 20 * MS); /* 8 bytes are of class 2 */
        assert_true(run_by(ADIT_WAY_BEST, spec_of(add, &v)).inlined); /* (tried: the hand-over left out; a step of a half) */
        set_costs(add, 30 * MS, 20 * MS, 5 * MS);
        adit_kind_cost_learn(&c->by_worker[2], 500 * 20 * MS);
        adit_kind_cost_learn(&queue->slot->handover[ADIT_HANDOVER_ASLEEP], 500 * 5 * MS);
        (void)run_by(ADIT_WAY_BEST, spec_of(add, &v));
    }
    assert_true(look(add).offloaded > 25); /* not all: one that its worker comes to late is taken back */
    assert_true(look(add).offloaded + look(add).inlined == 100);
    adit_pool_close(&pool);
    close_all();
}

/* Whether the last of many runs went there, having learned what each way takes. */
static bool settles(uint64_t is_lame_here, bool wanted_here)
{
    uint32_t in_a_row = 0;
    for (uint32_t i = 0; i < 4000 && in_a_row < 20; i++)
        in_a_row = run_by(ADIT_WAY_BEST, spec_of(lame, &is_lame_here)).inlined == wanted_here ? in_a_row + 1 : 0;
    return in_a_row == 20;
}

static void what_each_way_takes_is_learned(void **state)
{
    (void)state;
    open_all();
    struct adit_pool *pool = task_pool(queue, 1);
    assert_true(settles(1, false)); /* here first, as nothing is known; then the other way is tried (tried: without trying) */
    struct adit_queue_info q = {.size = sizeof q};
    assert_int_equal(adit_queue_look(queue, &q), 0);
    assert_true(q.hot_ns || q.asleep_ns || q.busy_ns);
    assert_true(look(lame).classes[2].inline_ns >= LONG_NS);
    adit_store_relaxed(&arena->kinds[lame].cost.in_place[2], cost(64 * LONG_NS)); /* a damaged figure, many times what it takes */
    assert_true(settles(0, true)); /* (tried: a try that surprises is not followed by another) */
    adit_pool_close(&pool);
    close_all();
}

static void without_workers_it_is_run_here_whatever_figures_say(void **state)
{
    (void)state;
    open_all();
    uint64_t v = 4, sum = 0, buffer;
    REQUIRE(!adit_buffer_create(arena, WORDS * 8, NULL, &buffer));
    const struct adit_use use = {buffer, ADIT_READ_WRITE};
    for (uint32_t i = 0; i < 5; i++) {
        struct adit_task_spec s = spec_of(add, &v);
        s.uses = &use;
        s.uses_n = 1;
        s.delay_ns = i == 4 ? 1000000 : 0;
        set_costs(add, 20000000, 10, 10);
        struct adit_task_result r = run_by(i % 2 ? ADIT_WAY_THERE : ADIT_WAY_BEST, s); /* (tried: nothing is taken back: for ever) */
        assert_true(r.inlined && !r.status && r.attempts == 1);
        assert_int_equal(word_of(buffer), sum += v);
    }
    REQUIRE(!adit_buffer_destroy(arena, buffer));
    close_all();
}

static void it_is_tried_again_as_any_task(void **state)
{
    (void)state;
    open_all();
    for (uint32_t workers = 0; workers < 2; workers++) {
        uint64_t v = 0;
        struct adit_pool *pool = workers ? task_pool(queue, 1) : NULL;
        struct adit_task_spec s = spec_of(flaky, &v);
        s.retry_errors = true;
        s.backoff_ns = 100000;
        struct adit_task_result r = run_by(ADIT_WAY_HERE, s);
        assert_true(r.end == ADIT_ENDED_DONE && !r.status && r.attempts == 3);
        s.attempts_max = 2;
        assert_int_equal(run_by(ADIT_WAY_HERE, s).status, -EIO);
        adit_pool_close(&pool);
    }
    assert_int_equal(look(flaky).failures, 2 * (2 + 2));
    close_all();
}

static bool is_idle(void *user)
{
    (void)user;
    struct adit_stats s = fixture_stats(arena);
    return !s.tasks_running && !s.tasks_queued && !s.tasks_ended;
}

static void a_timeout_ends_it_here_and_there(void **state)
{
    (void)state;
    open_all();
    struct adit_pool *pool = task_pool(queue, 1);
    uint64_t v = 0;
    struct adit_task_result r = {.size = sizeof r};
    struct adit_task_spec s = spec_of(wait_kind, &v);
    for (enum adit_way way = ADIT_WAY_BEST; way <= ADIT_WAY_THERE; way++) {
        assert_int_equal(adit_run_by(queue, &s, 20000000, way, &r), -ETIMEDOUT); /* (tried: no ends_ns for the kind: for ever) */
        assert_true(fixture_eventually(is_idle, NULL)); /* (tried: it is not DETACHED: its result stays) */
    }
    assert_true(__atomic_load_n(&board->begun, __ATOMIC_ACQUIRE) >= 2);
    s.delay_ns = LIMIT_NS;
    assert_int_equal(adit_run(queue, &s, 1000000, &r), -ETIMEDOUT); /* before it may begin */
    assert_true(is_idle(NULL));
    adit_pool_close(&pool);
    uint64_t kept[16];
    for (uint32_t i = 0; i < 16; i++)
        kept[i] = task_submit(queue, spec_of(add, &v));
    s = spec_of(add, &v);
    assert_int_equal(adit_run(queue, &s, 20000000, &r), -ETIMEDOUT); /* there is no room */
    assert_int_equal(adit_cancel(queue, kept[0]), 0);
    (void)task_take(queue, kept[0]);
    assert_int_equal(run_by(ADIT_WAY_BEST, s).status, 0);
    for (uint32_t i = 1; i < 16; i++) {
        assert_int_equal(adit_cancel(queue, kept[i]), 0);
        (void)task_take(queue, kept[i]);
    }
    close_all();
}

static void *open_soon(void *user)
{
    (void)user;
    shm_fixture_until(&board->begun, 1);
    shm_fixture_nap(20);
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void it_waits_for_those_that_have_its_buffers(void **state)
{
    (void)state;
    open_all();
    struct adit_pool *pool = task_pool(queue, 1);
    pthread_t opener;
    uint64_t v = 10, buffer;
    REQUIRE(!adit_buffer_create(arena, WORDS * 8, NULL, &buffer) && !pthread_create(&opener, NULL, open_soon, NULL));
    const struct adit_use use = {buffer, ADIT_READ_WRITE};
    struct adit_task_spec s = spec_of(wait_kind, &v), mine = spec_of(add, &v);
    s.uses = mine.uses = &use;
    s.uses_n = mine.uses_n = 1;
    uint64_t before = task_submit(queue, s);
    shm_fixture_until(&board->begun, 1);
    struct adit_task_result r = run_by(ADIT_WAY_HERE, mine);
    assert_true(r.end == ADIT_ENDED_DONE && !r.status);
    assert_int_equal(word_of(buffer), 11); /* (tried: RUNNING at once: 10, or 1) */
    assert_int_equal(task_take(queue, before).status, 0);
    pthread_join(opener, NULL);
    REQUIRE(!adit_buffer_destroy(arena, buffer));
    adit_pool_close(&pool);
    close_all();
}

static void run_here_and_die(void *user)
{
    uint64_t v = 0;
    struct adit_task_result r = {.size = sizeof r};
    (void)user;
    arena = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    know(arena, &queue);
    const struct adit_use use = {board->buffer, ADIT_READ_WRITE};
    struct adit_task_spec s = spec_of(wait_kind, &v);
    s.uses = &use;
    s.uses_n = 1;
    (void)adit_run_by(queue, &s, ADIT_FOR_EVER, ADIT_WAY_HERE, &r);
    REQUIRE(false); /* it is killed before */
}

static bool is_committed(void *user)
{
    (void)user;
    return word_of(board->buffer) != 0;
}

static void one_whose_caller_is_killed_is_run_by_another_once(void **state)
{
    (void)state;
    board = board ? board : shm_fixture_shared(sizeof *board);
    memset(board, 0, sizeof *board);
    pid_t child = fixture_fork(run_here_and_die, NULL);
    arena = fixture_create(NULL);
    know(arena, &queue);
    REQUIRE(!adit_buffer_create(arena, WORDS * 8, NULL, &board->buffer));
    fixture_start();
    shm_fixture_until(&board->begun, 1);
    struct adit_pool *pool = task_pool(queue, 1);
    assert_int_equal(word_of(board->buffer), 0);
    REQUIRE(!kill(child, SIGKILL));
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    assert_true(fixture_eventually(is_committed, NULL)); /* (tried: recovery frees what its submitter runs) */
    assert_true(fixture_eventually(fixture_is_alone, arena));
    assert_true(fixture_eventually(is_idle, NULL)); /* nobody is left to take its result */
    assert_int_equal(word_of(board->buffer), 1);
    assert_int_equal(__atomic_load_n(&board->begun, __ATOMIC_ACQUIRE), 2);
    REQUIRE(!adit_buffer_destroy(arena, board->buffer));
    adit_pool_close(&pool);
    close_all();
}

static void damaged_figures_do_no_harm(void **state)
{
    (void)state;
    open_all();
    struct adit_pool *pool = task_pool(queue, 1);
    uint64_t seed = 77, *words = (uint64_t *)&arena->kinds[add].cost, sum = 0, buffer;
    REQUIRE(!adit_buffer_create(arena, WORDS * 8, NULL, &buffer));
    const struct adit_use use = {buffer, ADIT_READ_WRITE};
    for (uint64_t v = 1; v <= 400; v++) {
        struct adit_task_spec s = spec_of(add, &v);
        s.uses = &use;
        s.uses_n = v % 2;
        for (uint32_t i = 0; i < sizeof arena->kinds->cost / 8; i++)
            __atomic_store_n(&words[i], shm_fixture_random(&seed) >> shm_fixture_random(&seed) % 64, __ATOMIC_RELAXED);
        for (uint32_t i = 0; i < ADIT_HANDOVERS; i++)
            adit_store_relaxed(&queue->slot->handover[i], shm_fixture_random(&seed) >> shm_fixture_random(&seed) % 64);
        struct adit_task_result r = run_by(ADIT_WAY_BEST, s);
        assert_true(!r.status && *(uint64_t *)(void *)r.data == v * v);
        sum += v % 2 * v;
        (void)look(add);
    }
    assert_int_equal(word_of(buffer), sum);
    REQUIRE(!adit_buffer_destroy(arena, buffer));
    adit_pool_close(&pool);
    close_all();
}

static void what_cannot_be_run_is_an_error(void **state)
{
    (void)state;
    open_all();
    uint64_t v = 1;
    struct adit_task_result r = {.size = sizeof r};
    struct adit_task_spec s = spec_of(add, &v);
    s.detached = true;
    assert_int_equal(adit_run(queue, &s, 0, &r), -EINVAL);
    s = spec_of(add, &v);
    s.args_bytes = 7;
    assert_int_equal(adit_run(queue, &s, 0, &r), -EINVAL);
    s = spec_of(ADIT_KINDS, &v);
    assert_int_equal(adit_run(queue, &s, 0, &r), -ENOENT);
    s = spec_of(add, &v);
    s.uses_n = 2;
    assert_int_equal(adit_run(queue, &s, 0, &r), -EINVAL);
    r.size = 8;
    assert_int_equal(adit_run(queue, &s, 0, &r), -EMSGSIZE);
    struct adit_queue_info i = {.size = 1};
    assert_int_equal(adit_queue_look(queue, &i), -EMSGSIZE);
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_whose_caller_is_killed_is_run_by_another_once),
        cmocka_unit_test(a_task_comes_to_the_same_here_and_there),
        cmocka_unit_test(the_way_that_costs_less_is_taken_and_no_outlier_changes_it),
        cmocka_unit_test(what_each_way_takes_is_learned),
        cmocka_unit_test(without_workers_it_is_run_here_whatever_figures_say),
        cmocka_unit_test(it_is_tried_again_as_any_task),
        cmocka_unit_test(a_timeout_ends_it_here_and_there),
        cmocka_unit_test(it_waits_for_those_that_have_its_buffers),
        cmocka_unit_test(damaged_figures_do_no_harm),
        cmocka_unit_test(what_cannot_be_run_is_an_error),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
