/* Many tasks from one call (runtime/batch.c): map, reduce, ranges. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/task_fixture.h"

#define ITEMS 5000u
#ifdef __SANITIZE_THREAD__
#define ROUNDS_MAX 2u /* nothing is short under it */
#else
#define ROUNDS_MAX 100u /* on a laden machine a burst may take long */
#endif

static struct adit_arena *arena;
static struct adit_queue *queue;
static struct adit_pool *pool;
static uint32_t square, add, mark, slow, item;
static uint32_t runs, inside, inside_most;
static uint8_t marks[100000];

static int run_square(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t x;
    (void)run;
    memcpy(&x, args, sizeof x);
    __atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
    uint32_t now = __atomic_add_fetch(&inside, 1, __ATOMIC_ACQ_REL), most = __atomic_load_n(&inside_most, __ATOMIC_RELAXED);
    while (now > most && !__atomic_compare_exchange_n(&inside_most, &most, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    for (uint32_t i = 0; i < 64; i++) /* some 0.1 us, to be seen by others */
        (void)__atomic_load_n(&inside, __ATOMIC_RELAXED);
    __atomic_sub_fetch(&inside, 1, __ATOMIC_ACQ_REL);
    x *= x;
    memcpy(result, &x, sizeof x);
    *result_bytes = sizeof x;
    return x % 1000003 == 49 ? -EDOM : x % 1000003 == 81 ? -ERANGE : 3; /* of 7 and 9 among the first thousand */
}

static int run_add(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    float two[2];
    (void)run;
    memcpy(two, args, sizeof two);
    two[0] += two[1];
    memcpy(result, two, sizeof *two);
    *result_bytes = sizeof *two;
    return 0;
}

enum { FAILS = 1, SLOW_ONCE };

static int run_mark(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_range_args a = {0};
    (void)result;
    (void)result_bytes;
    memcpy(&a, args, run->args_bytes);
    if (!__atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED) && a.args[1] == SLOW_ONCE)
        shm_fixture_nap(20);
    for (uint64_t i = a.begin; i < a.end; i++)
        __atomic_fetch_add(&marks[i], a.args[0], __ATOMIC_RELAXED);
    return a.begin <= 500 && a.end > 500 && a.args[1] == FAILS ? -EIO : 0;
}

/* Runs until it shall stop. */
static int run_slow(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    __atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
    while (!adit_task_should_stop(run))
        shm_fixture_nap(1);
    return -ECANCELED;
}

static uint32_t cancel_word, as_items, strange_items;
static pthread_t caller;

/* Of item x: fails once where x mod 100 is 5, for a reason that goes away; sets cancel_word at STOPS_AT, and stops when it is set. Its result is the attempt. */
#define STOPS_AT 4000u
static int run_item(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t x, attempt = run->attempt;
    memcpy(&x, args, sizeof x);
    __atomic_fetch_add(&as_items, !run->task, __ATOMIC_RELAXED);
    __atomic_fetch_add(&strange_items, !run->task && !pthread_equal(pthread_self(), caller), __ATOMIC_RELAXED);
    adit_task_progress(run, x);
    if (x == STOPS_AT)
        __atomic_store_n(&cancel_word, 1, __ATOMIC_RELEASE);
    if (adit_task_should_stop(run))
        return -ECANCELED;
    memcpy(result, &attempt, sizeof attempt);
    *result_bytes = sizeof attempt;
    return x % 100 == 5 && attempt == 1 ? -ESTALE : 0;
}

static void open_all(uint32_t workers)
{
    struct adit_kind_params k = {.size = sizeof k, .name = "square", .run = run_square, .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 8};
    const struct adit_pool_params p = {.size = sizeof p, .workers = workers};
    arena = fixture_create(NULL);
    assert_int_equal(adit_kind_register(arena, &k, &square), 0);
    k = (struct adit_kind_params){.size = sizeof k, .name = "add", .run = run_add, .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 4};
    assert_int_equal(adit_kind_register(arena, &k, &add), 0);
    k = (struct adit_kind_params){.size = sizeof k, .name = "mark", .run = run_mark, .args_bytes_min = 16, .args_bytes_max = 64};
    assert_int_equal(adit_kind_register(arena, &k, &mark), 0);
    k = (struct adit_kind_params){.size = sizeof k, .name = "slow", .run = run_slow, .args_bytes_max = 8};
    assert_int_equal(adit_kind_register(arena, &k, &slow), 0);
    k = (struct adit_kind_params){.size = sizeof k, .name = "item", .run = run_item, .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 8};
    assert_int_equal(adit_kind_register(arena, &k, &item), 0);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    pool = NULL;
    if (workers)
        assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    runs = inside = inside_most = 0;
    memset(marks, 0, sizeof marks);
}

static void close_all(void)
{
    adit_pool_close(&pool);
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static uint64_t values[ITEMS], results[ITEMS];
static int32_t statuses[ITEMS];

static struct adit_map_items squares(uint64_t n, uint64_t from)
{
    for (uint64_t i = 0; i < n; i++)
        values[i] = from + i;
    memset(results, 0xee, sizeof results);
    memset(statuses, 0xee, sizeof statuses);
    return (struct adit_map_items){.n = n, .args = values, .args_stride = 8, .args_bytes = 8, .results = results, .results_stride = 8, .results_bytes = 8, .statuses = statuses};
}

static void results_of_a_map_are_in_the_order_of_its_items(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers < 4; workers += 3) { /* without workers it is all done by this thread */
        open_all(workers);
        const struct adit_batch_params p = {.size = sizeof p, .kind = square};
        struct adit_map_items m = squares(ITEMS, 1000);
        struct adit_batch_outcome o;
        assert_int_equal(adit_map(queue, &p, &m, &o), 0);
        assert_int_equal(o.done, ITEMS);
        assert_int_equal(o.failed + o.not_run, 0);
        assert_int_equal(o.first_failed, UINT64_MAX);
        for (uint64_t i = 0; i < ITEMS; i++) {
            assert_int_equal(results[i], (1000 + i) * (1000 + i));
            assert_int_equal(statuses[i], 3);
        }
        assert_int_equal(runs, ITEMS);
        m.n = 0;
        assert_int_equal(adit_map(queue, &p, &m, &o), 0);
        close_all();
    }
}

static void failures_are_told_by_index_and_do_not_stop_the_rest(void **state)
{
    (void)state;
    open_all(2);
    const struct adit_batch_params p = {.size = sizeof p, .kind = square};
    struct adit_map_items m = squares(900, 0);
    struct adit_batch_outcome o;
    assert_int_equal(adit_map(queue, &p, &m, &o), -EDOM);
    assert_int_equal(o.first_failed, 7);
    assert_int_equal(o.first_status, -EDOM);
    assert_int_equal(o.failed, 2);
    assert_int_equal(o.done, 898);
    for (uint64_t i = 0; i < 900; i++)
        assert_int_equal(statuses[i], i == 7 ? -EDOM : i == 9 ? -ERANGE : 3);
    assert_int_equal(results[7], 49); /* what it stored goes along */
    close_all();
}

static void fail_fast_stops_the_rest(void **state)
{
    (void)state;
    open_all(2);
    const struct adit_batch_params p = {.size = sizeof p, .kind = square, .fail_fast = true, .under_way_max = 16};
    struct adit_map_items m = squares(ITEMS, 0);
    struct adit_batch_outcome o;
    int error = adit_map(queue, &p, &m, &o);
    assert_true(error == -EDOM || error == -ERANGE);
    assert_in_range(runs, 8, 200); /* of 5,000 (tried: all of them without) */
    assert_true(o.done + o.failed + o.not_run >= ITEMS && o.not_run > ITEMS - 300);
    assert_int_equal(statuses[ITEMS - 1], -ECANCELED);
    close_all();
}

static void no_more_than_asked_for_are_under_way(void **state)
{
    (void)state;
    for (uint32_t most = 1; most < 4; most++) {
        open_all(4);
        struct adit_batch_params p = {.size = sizeof p, .kind = square, .under_way_max = most};
        for (uint32_t i = 0; i < 10; i++) {
            struct adit_map_items m = squares(1000, 1000);
            p.stays_out = i % 2;
            assert_int_equal(adit_map(queue, &p, &m, NULL), 0);
        }
        assert_in_range(inside_most, 1, most); /* (tried: four without the limit; one more with the caller's items) */
        close_all();
    }
}

static uint64_t told;

static void count_told(uint64_t done, uint64_t n, void *user)
{
    (void)done;
    (void)n;
    ++*(uint64_t *)user;
}

static void *cancel_soon(void *user)
{
    (void)user;
    shm_fixture_until(&runs, 2);
    shm_fixture_nap(150);
    __atomic_store_n(&cancel_word, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void a_batch_is_cancelled_and_tells_how_far_it_is(void **state)
{
    (void)state;
    open_all(2);
    pthread_t thread;
    const struct adit_batch_params p = {.size = sizeof p, .kind = slow, .cancel = &cancel_word, .progress = count_told, .user = &told, .stays_out = true};
    struct adit_map_items m = {.n = 1000000, .args_bytes = 0}; /* without arguments and results */
    struct adit_batch_outcome o;
    cancel_word = 0;
    told = 0;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    assert_int_equal(adit_map(queue, &p, &m, &o), -ECANCELED);
    pthread_join(thread, NULL);
    assert_int_equal(runs, 2);
    assert_int_equal(o.done, 0);
    assert_in_range(told, 1, 100);
    close_all();
}

/* Cancels the batch that it is of 5 ms after the caller began to wait, and stops when it is asked to. */
static uint64_t cancelled_ns;
static int run_cancels(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    shm_fixture_nap(5);
    adit_store_relaxed(&cancelled_ns, adit_clock_ns());
    adit_store32_release(&cancel_word, 1);
    while (!adit_task_should_stop(run))
        sched_yield();
    return -ECANCELED;
}

/* Within 10 ms, fifty times: on a laden machine it may take many tries. A caller that looks each 20 ms is some 15 ms late each time. (tried: that: 4 of 1,000) */
static void who_waits_sees_a_cancel_soon(void **state)
{
    enum { SOON_NS = 10000000, TIMES = 50, TRIES = 1000 };
    (void)state;
    open_all(1);
    struct adit_kind_params k = {.size = sizeof k, .name = "cancels", .run = run_cancels};
    struct adit_batch_params p = {.size = sizeof p, .cancel = &cancel_word, .stays_out = true};
    const struct adit_map_items m = {.n = 1};
    uint32_t times = 0;
    assert_int_equal(adit_kind_register(arena, &k, &p.kind), 0);
    for (uint32_t i = 0; i < TRIES && times < TIMES; i++) {
        cancel_word = 0;
        assert_int_equal(adit_map(queue, &p, &m, NULL), -ECANCELED);
        times += adit_clock_ns() - adit_load_relaxed(&cancelled_ns) < SOON_NS;
    }
    assert_int_equal(times, TIMES);
    close_all();
}

/* They are run as they are, and all is as if they were tasks. */
static void short_items_need_no_tasks(void **state)
{
    (void)state;
    caller = pthread_self();
    for (uint32_t workers = 0; workers < 3; workers++) {
        open_all(workers);
        struct adit_batch_params p = {.size = sizeof p, .kind = item};
        struct adit_map_items m = squares(ITEMS, STOPS_AT + 1);
        struct adit_batch_outcome o;
        cancel_word = as_items = strange_items = 0;
        for (uint32_t i = 0; i < ROUNDS_MAX && (i < 2 || !as_items); i++)
            assert_int_equal(adit_map(queue, &p, &m, &o), 0); /* (tried: an item that is not tried again) */
        for (uint64_t i = 0; i < ITEMS; i++)
            assert_int_equal(results[i], (STOPS_AT + 1 + i) % 100 == 5 ? 2 : 1);
        assert_true(o.done == ITEMS && !o.failed && !o.not_run);
        assert_true((as_items || ROUNDS_MAX == 2) && !strange_items); /* (tried: none) */
        p.attempts_max = 1;
        assert_int_equal(adit_map(queue, &p, &m, &o), -ESTALE); /* (tried: one attempt more) */
        assert_int_equal(o.failed, ITEMS / 100);
        for (uint64_t i = 0; i < ITEMS; i++)
            assert_int_equal(statuses[i], (STOPS_AT + 1 + i) % 100 == 5 ? -ESTALE : 0);
        p = (struct adit_batch_params){.size = sizeof p, .kind = item, .stays_out = true};
        as_items = 0;
        assert_true(!workers || !adit_map(queue, &p, &m, &o));
        assert_int_equal(as_items, 0);
        close_all();
    }
}

/* Some of them have ended, the rest is not run, wherever it was. */
static void short_items_are_cancelled_too(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers < 3; workers++) {
        open_all(workers);
        const struct adit_batch_params p = {.size = sizeof p, .kind = item, .cancel = &cancel_word};
        struct adit_map_items m = squares(ITEMS, 0);
        struct adit_batch_outcome o;
        uint64_t ended = 0, not_run = 0;
        cancel_word = 0;
        assert_int_equal(adit_map(queue, &p, &m, &o), -ECANCELED);
        for (uint64_t i = 0; i < ITEMS; i++) {
            ended += !statuses[i];
            not_run += statuses[i] == -ECANCELED;
        }
        assert_int_equal(ended, o.done);
        assert_int_equal(ended + not_run, ITEMS);
        assert_true(not_run > 0);
        if (!workers)
            assert_int_equal(o.done + o.not_run, ITEMS); /* (tried: one that stopped counts as run) */
        close_all();
    }
}

/* The first ones are short, so the caller runs items in bursts; then each is long. */
static uint32_t long_begun;
static int run_long_later(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t x;
    (void)run;
    (void)result;
    (void)result_bytes;
    memcpy(&x, args, sizeof x);
    if (x < ITEMS / 5 || x >= ITEMS / 2)
        return 0; /* tasks are made of the first, and of items the last ones come first */
    if (__atomic_add_fetch(&long_begun, 1, __ATOMIC_ACQ_REL) == 1)
        __atomic_store_n(&cancel_word, 1, __ATOMIC_RELEASE);
    shm_fixture_nap(20);
    return 0;
}

static void no_item_is_begun_after_a_cancel(void **state)
{
    (void)state;
    open_all(0);
    struct adit_kind_params k = {.size = sizeof k, .name = "long later", .run = run_long_later, .args_bytes_min = 8, .args_bytes_max = 8};
    struct adit_batch_params p = {.size = sizeof p, .cancel = &cancel_word};
    struct adit_map_items m = squares(ITEMS, 0);
    cancel_word = long_begun = 0;
    assert_int_equal(adit_kind_register(arena, &k, &p.kind), 0);
    assert_int_equal(adit_map(queue, &p, &m, NULL), -ECANCELED);
    assert_in_range(long_begun, 1, 2); /* (tried: the rest of a burst of 32) */
    close_all();
}

/* Nothing of it is begun, and nobody counts to 2^64. */
static void a_range_that_cannot_begin_ends_at_once(void **state)
{
    (void)state;
    open_all(1);
    struct adit_batch_outcome o;
    struct adit_batch_params p = {.size = sizeof p, .kind = mark, .priority = (enum adit_priority)9};
    assert_int_equal(adit_range(queue, &p, 0, UINT64_MAX, 1, NULL, 0, &o), -EINVAL);
    assert_int_equal(o.not_run, UINT64_MAX);
    close_all();
}

/* Each task of outer maps, and while that waits its thread runs others. */
static uint32_t nested, nested_most, inner;
static int run_outer(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    const struct adit_batch_params p = {.size = sizeof p, .kind = inner};
    struct adit_map_items m = {.n = 4};
    (void)run;
    (void)args;
    (void)result;
    (void)result_bytes;
    uint32_t now = __atomic_add_fetch(&nested, 1, __ATOMIC_ACQ_REL);
    nested_most = now > nested_most ? now : nested_most; /* one worker */
    int error = adit_map(queue, &p, &m, NULL);
    __atomic_sub_fetch(&nested, 1, __ATOMIC_ACQ_REL);
    return error;
}

static void batches_inside_of_tasks_do_not_pile_up(void **state)
{
    enum { OUTER = 200 };
    (void)state;
    open_all(0);
    const struct adit_pool_params one = {.size = sizeof one, .workers = 1};
    struct adit_kind_params k = {.size = sizeof k, .name = "outer", .run = run_outer}, n = {.size = sizeof n, .name = "nothing", .run = task_run_nothing};
    struct adit_task_spec s = {.size = sizeof s};
    struct adit_task_result r = {.size = sizeof r};
    uint64_t tasks[OUTER];
    nested = nested_most = 0;
    assert_int_equal(adit_kind_register(arena, &k, &s.kind), 0);
    assert_int_equal(adit_kind_register(arena, &n, &inner), 0);
    for (uint32_t i = 0; i < OUTER; i++)
        assert_int_equal(adit_submit(queue, &s, &tasks[i]), 0);
    assert_int_equal(adit_pool_open(queue, &one, &pool), 0);
    for (uint32_t i = 0; i < OUTER; i++) {
        assert_int_equal(adit_wait(queue, tasks[i], UINT64_MAX, &r), 0);
        assert_int_equal(r.status, 0);
    }
    assert_in_range(nested_most, 1, 10); /* (tried: 200, each a frame of some KiB) */
    close_all();
}

static void a_sum_is_the_same_bytes_whoever_computes_it(void **state)
{
    (void)state;
    float *numbers = malloc(3333 * sizeof *numbers), level[3333], identity = 0, sum;
    uint64_t seed = 5;
    for (uint32_t i = 0; i < 3333; i++)
        numbers[i] = level[i] = (float)(shm_fixture_random(&seed) % 1000000) * 1e-3f;
    for (uint32_t n = 3333; n > 1; n = n / 2 + n % 2) { /* the tree that adit.h promises, by hand */
        for (uint32_t i = 0; i < n / 2; i++)
            level[i] = level[2 * i] + level[2 * i + 1];
        if (n % 2)
            level[n / 2] = level[n - 1];
    }
    for (uint32_t workers = 0; workers < 4; workers++) {
        open_all(workers);
        const struct adit_batch_params p = {.size = sizeof p, .kind = add};
        assert_int_equal(adit_reduce(queue, &p, numbers, 3333, 4, &identity, &sum), 0);
        assert_memory_equal(&sum, &level[0], 4);
        assert_int_equal(adit_reduce(queue, &p, numbers, 1, 4, &identity, &sum), 0);
        assert_memory_equal(&sum, &numbers[0], 4);
        identity = 42;
        assert_int_equal(adit_reduce(queue, &p, numbers, 0, 4, &identity, &sum), 0);
        assert_true(sum >= 42 && sum <= 42);
        assert_int_equal(adit_reduce(queue, &p, numbers, 3, 33, &identity, &sum), -EINVAL);
        close_all();
    }
    free(numbers);
}

static void a_range_is_covered_once(void **state)
{
    (void)state;
    static const uint64_t grains[] = {0, 1, 7, 99999, 100000, UINT64_MAX};
    for (uint32_t g = 0; g < sizeof grains / sizeof *grains; g++) {
        open_all(2);
        const struct adit_batch_params p = {.size = sizeof p, .kind = mark};
        struct adit_batch_outcome o;
        const uint8_t one[2] = {1, 0}, failing[2] = {1, FAILS};
        uint64_t end = grains[g] == 1 ? 3000 : sizeof marks;
        assert_int_equal(adit_range(queue, &p, 5, end, grains[g], one, 2, &o), 0);
        for (uint64_t i = 0; i < sizeof marks; i++)
            assert_int_equal(marks[i], i >= 5 && i < end);
        assert_int_equal(o.done, runs);
        assert_int_equal(adit_range(queue, &p, 5, 5, grains[g], one, 2, &o), 0);
        assert_int_equal(adit_range(queue, &p, 5, 4, grains[g], one, 2, &o), -EINVAL);
        assert_int_equal(adit_range(queue, &p, 0, 1000, grains[g], failing, 2, &o), -EIO);
        assert_int_equal(o.failed, 1);
        assert_in_range(o.first_failed, 0, 500);
        for (uint64_t i = 0; i < 1000; i++) /* the other parts ran */
            assert_int_equal(marks[i], (i >= 5 && i < end) + 1);
        close_all();
    }
}

static void a_part_that_was_slow_once_does_not_make_many(void **state)
{
    (void)state;
    open_all(2);
    const struct adit_batch_params p = {.size = sizeof p, .kind = mark};
    const uint8_t slow_once[2] = {1, SLOW_ONCE};
    uint64_t fewest = UINT64_MAX;
    for (uint32_t i = 0; i < 5 && fewest > sizeof marks / 10; i++) { /* on a machine that is busy others may be slow as well */
        struct adit_batch_outcome o;
        memset(marks, 0, sizeof marks);
        __atomic_store_n(&runs, 0, __ATOMIC_RELAXED);
        assert_int_equal(adit_range(queue, &p, 0, sizeof marks, 0, slow_once, 2, &o), 0);
        assert_int_equal(marks[sizeof marks - 1], 1);
        fewest = o.done < fewest ? o.done : fewest;
    }
    assert_in_range(fewest, 8, sizeof marks / 10); /* (tried: 100,000 with the first part believed) */
    close_all();
}

static void wrong_kinds_and_arguments_end_it(void **state)
{
    (void)state;
    open_all(1);
    struct adit_batch_params p = {.size = sizeof p, .kind = 60};
    struct adit_map_items m = squares(100, 0);
    assert_int_equal(adit_map(queue, &p, &m, NULL), -ENOENT);
    p.kind = square;
    m.args_bytes = 9;
    assert_int_equal(adit_map(queue, &p, &m, NULL), -EINVAL);
    p.size--;
    assert_int_equal(adit_map(queue, &p, &m, NULL), -EMSGSIZE);
    uint32_t sum;
    assert_int_equal(adit_reduce(queue, &p, "abcd", 1, 4, NULL, &sum), -EMSGSIZE); /* (tried: copied first, and not looked at for one value) */
    p.size++;
    assert_int_equal(adit_reduce(queue, &p, results, (1ull << 59) + 1, 32, NULL, &sum), -ENOMEM); /* (tried: its bytes wrap around to 32) */
    close_all();
}

/* (tried: it waits for whoever may come) */
static void a_kind_that_nobody_runs_ends_it(void **state)
{
    (void)state;
    open_all(1);
    const struct adit_kind_params k = {.size = sizeof k, .name = "elsewhere", .args_bytes_max = 64};
    struct adit_batch_params p = {.size = sizeof p};
    struct adit_map_items m = squares(100, 0);
    uint32_t few[4] = {0};
    assert_int_equal(adit_kind_register(arena, &k, &p.kind), 0);
    assert_int_equal(adit_map(queue, &p, &m, NULL), -ENOTSUP);
    assert_non_null(strstr(adit_detail(), "kind elsewhere is run by no process"));
    assert_int_equal(adit_range(queue, &p, 0, 100, 10, NULL, 0, NULL), -ENOTSUP);
    assert_int_equal(adit_reduce(queue, &p, few, 4, 4, NULL, few), -ENOTSUP);
    m.n = 0;
    assert_int_equal(adit_map(queue, &p, &m, NULL), 0);
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_of_a_map_are_in_the_order_of_its_items),
        cmocka_unit_test(failures_are_told_by_index_and_do_not_stop_the_rest),
        cmocka_unit_test(fail_fast_stops_the_rest),
        cmocka_unit_test(no_more_than_asked_for_are_under_way),
        cmocka_unit_test(a_batch_is_cancelled_and_tells_how_far_it_is),
        cmocka_unit_test(who_waits_sees_a_cancel_soon),
        cmocka_unit_test(short_items_need_no_tasks),
        cmocka_unit_test(short_items_are_cancelled_too),
        cmocka_unit_test(no_item_is_begun_after_a_cancel),
        cmocka_unit_test(a_range_that_cannot_begin_ends_at_once),
        cmocka_unit_test(batches_inside_of_tasks_do_not_pile_up),
        cmocka_unit_test(a_sum_is_the_same_bytes_whoever_computes_it),
        cmocka_unit_test(a_range_is_covered_once),
        cmocka_unit_test(a_part_that_was_slow_once_does_not_make_many),
        cmocka_unit_test(wrong_kinds_and_arguments_end_it),
        cmocka_unit_test(a_kind_that_nobody_runs_ends_it),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
