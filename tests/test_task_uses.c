/* Buffers of tasks (runtime/buffer.h, task_uses.h): who reads and who writes in which order, what becomes visible when, and what deaths leave. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/task_uses.h"
#include "tests/task_fixture.h"

#define LIMIT_NS 20000000000u
#define WORDS 5000u

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t add, fail, kill_once;
static struct adit_pool *pool;

/* Adds its argument to every word of what it may write, plus the first word of each buffer it reads. */
static int run_add(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t sum = 0, more;
    memcpy(&more, args, sizeof more);
    for (uint32_t i = 0; i < run->buffers_n; i++)
        if (run->buffers[i].access == ADIT_READ)
            sum += *(const uint64_t *)run->buffers[i].data;
    for (uint32_t i = 0; i < run->buffers_n; i++) {
        uint64_t *words = run->buffers[i].data;
        for (uint64_t k = 0; run->buffers[i].access != ADIT_READ && k < run->buffers[i].bytes / 8; k++)
            words[k] += sum + more;
    }
    memcpy(result, &sum, sizeof sum);
    *result_bytes = sizeof sum;
    return 0;
}

static int run_fail(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run_add(run, args, result, result_bytes);
    return -EIO;
}

/* Dies in the middle of its first attempt. */
static int run_kill_once(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    int status = run_add(run, args, result, result_bytes);
    if (run->attempt == 1)
        raise(SIGKILL);
    return status;
}

static void register_all(struct adit_arena *a)
{
    struct adit_kind_params k = {.size = sizeof k, .name = "add", .run = run_add, .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 8};
    REQUIRE(!adit_kind_register(a, &k, &add));
    k.name = "fail";
    k.run = run_fail;
    REQUIRE(!adit_kind_register(a, &k, &fail));
    k.name = "kill once";
    k.run = run_kill_once;
    REQUIRE(!adit_kind_register(a, &k, &kill_once));
}

static void open_all(uint32_t workers)
{
    const struct adit_create_params c = {.size = sizeof c, .data_bytes = 16u << 20, .buffers_max = 40};
    const struct adit_queue_params q = {.size = sizeof q, .order = ADIT_ORDER_LIFO, .capacity = 256}; /* the order of submission is against us */
    const struct adit_pool_params p = {.size = sizeof p, .workers = workers};
    arena = fixture_create(&c);
    register_all(arena);
    assert_int_equal(adit_queue_open(arena, "work", &q, &queue), 0);
    pool = NULL;
    if (workers)
        assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
}

static void close_all(void)
{
    adit_pool_close(&pool);
    (void)adit_reclaim(arena, true);
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static uint64_t new_buffer(uint64_t bytes)
{
    uint64_t b;
    assert_int_equal(adit_buffer_create(arena, bytes, NULL, &b), 0);
    return b;
}

static uint64_t submit(uint32_t kind, uint64_t more, const struct adit_use *uses, uint32_t n)
{
    struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &more, .args_bytes = 8, .uses = uses, .uses_n = n};
    uint64_t task;
    REQUIRE(!adit_submit(queue, &s, &task));
    return task;
}

/* What all words of the buffer are; UINT64_MAX: not the same, or no buffer. */
static uint64_t value_of(struct adit_arena *a, uint64_t buffer)
{
    struct adit_reader *r;
    struct adit_buffer_view v;
    uint64_t value = UINT64_MAX;
    REQUIRE(!adit_reader_open(a, &r));
    adit_enter(r);
    if (!adit_buffer_acquire(r, buffer, &v)) {
        const uint64_t *words = v.data;
        value = words[0];
        for (uint64_t i = 1; i < v.bytes / 8; i++)
            value = words[i] == value ? value : UINT64_MAX;
    }
    REQUIRE(!adit_exit(r));
    adit_reader_close(&r);
    return value;
}

static void what_a_task_writes_is_there_when_it_is_done(void **state)
{
    (void)state;
    open_all(2);
    uint64_t a = new_buffer(WORDS * 8), b = new_buffer(8);
    const struct adit_use uses[] = {{a, ADIT_READ_WRITE}, {b, ADIT_WRITE}};
    assert_int_equal(task_take(queue, submit(add, 7, uses, 2)).status, 0);
    assert_int_equal(value_of(arena, a), 7);
    assert_int_equal(value_of(arena, b), 7);
    assert_int_equal(task_take(queue, submit(add, 1, uses, 2)).status, 0);
    assert_int_equal(value_of(arena, a), 8); /* changed */
    assert_int_equal(value_of(arena, b), 1); /* made anew */
    assert_int_equal(task_take(queue, submit(fail, 1, uses, 2)).status, -EIO);
    assert_int_equal(value_of(arena, a), 8); /* (tried: shadows published whatever the status) */
    uint64_t three = 3;
    assert_int_equal(adit_buffer_put(arena, b, &three, 8), 0);
    assert_int_equal(value_of(arena, b), 3);
    assert_int_equal(adit_buffer_put(arena, b, &three, 9), -EINVAL);
    assert_int_equal(adit_buffer_destroy(arena, a), 0);
    assert_int_equal(adit_buffer_destroy(arena, a), -ENOENT);
    assert_int_equal(value_of(arena, a), UINT64_MAX);
    assert_int_equal(adit_buffer_destroy(arena, b), 0);
    close_all();
}

static void tasks_see_what_those_before_them_wrote(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 10; round++) {
        open_all(0);
        uint64_t a = new_buffer(64), b = new_buffer(64), tasks[120];
        uint64_t expected_a = 0, expected_b = 0;
        for (uint32_t i = 0; i < 120; i++) { /* a is changed, b gets a's, a gets b's, many read: as if one after the other */
            const struct adit_use to_a[] = {{a, ADIT_READ_WRITE}, {b, ADIT_READ}}, to_b[] = {{a, ADIT_READ}, {b, ADIT_READ_WRITE}}, both[] = {{a, ADIT_READ}, {b, ADIT_READ}};
            if (i % 40 == 0) {
                tasks[i] = submit(add, i, to_a, 2);
                expected_a += i + expected_b;
            } else if (i % 40 == 1) {
                tasks[i] = submit(add, i, to_b, 2);
                expected_b += i + expected_a;
            } else {
                tasks[i] = submit(add, expected_a + expected_b, both, 2); /* thirty-eight that a later one must wait for */
            }
        }
        const struct adit_pool_params p = {.size = sizeof p, .workers = 3};
        assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
        for (uint32_t i = 0; i < 120; i++)
            assert_int_equal(task_take(queue, tasks[i]).status, 0);
        assert_int_equal(value_of(arena, a), expected_a); /* (tried: no waiting for readers, no waiting for writers) */
        assert_int_equal(value_of(arena, b), expected_b);
        close_all();
    }
}

/* Readers' sums were given to them as arguments' comparison above; here they are checked one by one. */
static void readers_read_what_was_there_when_they_were_submitted(void **state)
{
    (void)state;
    open_all(0);
    uint64_t a = new_buffer(64), readers[40], writers[4];
    for (uint32_t i = 0; i < 4; i++) {
        writers[i] = submit(add, 100, &(struct adit_use){a, ADIT_READ_WRITE}, 1);
        for (uint32_t k = 0; k < 10; k++)
            readers[i * 10 + k] = submit(add, 0, &(struct adit_use){a, ADIT_READ}, 1);
    }
    const struct adit_pool_params p = {.size = sizeof p, .workers = 3};
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    for (uint32_t i = 0; i < 40; i++) {
        struct adit_task_result r = task_take(queue, readers[i]);
        uint64_t seen;
        memcpy(&seen, r.data, sizeof seen);
        assert_int_equal(seen, (i / 10 + 1) * 100);
    }
    for (uint32_t i = 0; i < 4; i++)
        (void)task_take(queue, writers[i]);
    close_all();
}

static void a_buffer_in_use_stays_and_wrong_uses_are_refused(void **state)
{
    (void)state;
    open_all(0);
    uint64_t a = new_buffer(64), task, more = 0;
    uint64_t waiting = submit(add, 1, &(struct adit_use){a, ADIT_READ}, 1);
    assert_int_equal(adit_buffer_destroy(arena, a), -EBUSY);
    assert_int_equal(adit_buffer_put(arena, a, &more, 8), -EBUSY);
    struct adit_use uses[5] = {{a, ADIT_READ}, {a, ADIT_WRITE}};
    struct adit_task_spec s = {.size = sizeof s, .kind = add, .args = &more, .args_bytes = 8, .uses = uses, .uses_n = 2};
    assert_int_equal(adit_submit(queue, &s, &task), -EINVAL);
    s.uses_n = 5;
    assert_int_equal(adit_submit(queue, &s, &task), -EINVAL);
    s.uses_n = 1;
    uses[0].access = 4;
    assert_int_equal(adit_submit(queue, &s, &task), -EINVAL);
    uses[0] = (struct adit_use){a + 1, ADIT_READ};
    assert_int_equal(adit_submit(queue, &s, &task), -ENOENT);
    uses[0] = (struct adit_use){a + (1ull << 32), ADIT_READ};
    assert_int_equal(adit_submit(queue, &s, &task), -ENOENT);
    uses[0] = (struct adit_use){UINT64_MAX, ADIT_READ};
    assert_int_equal(adit_submit(queue, &s, &task), -ENOENT);
    assert_int_equal(adit_cancel(queue, waiting), 0);
    (void)task_take(queue, waiting);
    assert_int_equal(adit_buffer_destroy(arena, a), 0);
    assert_int_equal(adit_buffer_create(arena, 0, NULL, &task), -EINVAL);
    assert_int_equal(adit_buffer_create(arena, (16u << 20) + 1, NULL, &task), -EINVAL);
    for (uint32_t i = 0; i < 40; i++)
        (void)new_buffer(8);
    assert_int_equal(adit_buffer_create(arena, 8, NULL, &task), -ENOSPC);
    struct adit_arena *consumer = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    assert_int_equal(adit_buffer_create(consumer, 8, NULL, &task), -EROFS);
    adit_detach(&consumer);
    close_all();
}

static void the_room_for_a_shadow_is_a_status(void **state)
{
    (void)state;
    open_all(1);
    uint64_t a = new_buffer(9u << 20); /* of 16: a second one has no room */
    assert_int_equal(task_take(queue, submit(add, 1, &(struct adit_use){a, ADIT_WRITE}, 1)).status, -ENOMEM);
    assert_int_equal(value_of(arena, a), 0);
    assert_int_equal(adit_buffer_destroy(arena, a), 0);
    close_all();
}

/* ---- readers, of which there are few ---- */

static int run_nap(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run;
    (void)args;
    (void)result;
    *result_bytes = 0;
    shm_fixture_nap(20);
    return 0;
}

/* (tried: no reader taken for the end of the task: 36 of 100 were -EAGAIN) */
static void more_workers_than_readers_wait_for_one(void **state)
{
    enum { MANY = ADIT_POOL_MAX + 36 };
    uint64_t tasks[MANY];
    uint32_t nap;
    (void)state;
    open_all(0);
    const struct adit_kind_params k = {.size = sizeof k, .name = "nap", .run = run_nap};
    const struct adit_pool_params p = {.size = sizeof p, .workers = MANY};
    assert_int_equal(adit_kind_register(arena, &k, &nap), 0);
    uint64_t buffer = new_buffer(8);
    for (uint32_t i = 0; i < MANY; i++)
        tasks[i] = task_submit(queue, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = nap, .uses = &(struct adit_use){buffer, ADIT_READ}, .uses_n = 1});
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(task_take(queue, tasks[i]).status, 0);
    assert_int_equal(adit_buffer_destroy(arena, buffer), 0);
    close_all();
}

/* Somebody takes a reader, if one is to be had, between a kind's end and its commit (the program is linked with --wrap). */
static bool takes_reader;
static struct adit_reader *taken;
bool __real_adit_block_publish(struct adit_arena *a, uint64_t ref);
bool __wrap_adit_block_publish(struct adit_arena *a, uint64_t ref);

bool __wrap_adit_block_publish(struct adit_arena *a, uint64_t ref)
{
    if (takes_reader && adit_rcu_borrow(a, &taken))
        taken = NULL;
    return __real_adit_block_publish(a, ref);
}

/* (tried: the reader given back before the commit: it stays COMMITTED, and nobody concludes it) */
static void what_was_written_needs_no_second_reader(void **state)
{
    const struct adit_create_params c = {.size = sizeof c, .data_bytes = 16u << 20, .readers_max = 1};
    struct adit_task_result r = {.size = sizeof r};
    uint64_t one = 1;
    (void)state;
    arena = fixture_create(&c);
    pool = NULL;
    register_all(arena);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    uint64_t buffer = new_buffer(8);
    const struct adit_task_spec s = {.size = sizeof s, .kind = add, .args = &one, .args_bytes = 8, .uses = &(struct adit_use){buffer, ADIT_WRITE}, .uses_n = 1};
    takes_reader = true;
    int error = adit_run(queue, &s, LIMIT_NS, &r);
    takes_reader = false;
    if (taken)
        adit_rcu_give_back(arena, taken);
    assert_int_equal(error, 0);
    assert_int_equal(r.status, 0);
    assert_null(taken);
    assert_int_equal(adit_buffer_destroy(arena, buffer), 0);
    close_all();
}

/* ---- one who holds the lock of uses, and stops ---- */

static void lock_and_stop(void *user)
{
    (void)user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    REQUIRE(!adit_task_uses_lock(a));
    (void)raise(SIGSTOP);
    adit_task_uses_unlock(a);
    for (;;)
        pause();
}

static void make_and_pause(void *user)
{
    (void)user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    uint64_t b;
    for (uint32_t i = 0; i < 20; i++)
        REQUIRE(!adit_buffer_create(a, 8, NULL, &b));
    for (;;)
        pause();
}

static uint32_t live_buffers(void)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < arena->buffers_max; i++)
        n += adit_buffer_state(adit_load_acquire(&arena->buffers[i].word)) == ADIT_BUFFER_LIVE;
    return n;
}

static bool has_all_buffers(void *user)
{
    (void)user;
    return live_buffers() == 20;
}

static bool has_no_buffers(void *user)
{
    (void)user;
    return !live_buffers();
}

static bool is_gone(void *user)
{
    struct adit_participant_info info;
    int error = 0;
    for (uint32_t slot = 0; error != -ERANGE; slot++) {
        error = adit_participant_get(arena, slot, &info);
        if (!error && (pid_t)info.pid == *(const pid_t *)user)
            return false;
    }
    return true;
}

/* Twenty buffers' maker dies meanwhile: it is buried all the same, and they go once the lock is free. (tried: 5 s for the lock, a buffer; nobody looks after unlocking: they stay) */
static void who_stops_with_the_lock_holds_no_recovery_up(void **state)
{
    const struct adit_create_params c = {.size = sizeof c, .data_bytes = 16u << 20, .buffers_max = 40};
    int status;
    (void)state;
    pid_t holder = fixture_fork(lock_and_stop, NULL), maker = fixture_fork(make_and_pause, NULL);
    arena = fixture_create(&c);
    fixture_start();
    assert_int_equal(waitpid(holder, &status, WUNTRACED), holder);
    assert_true(WIFSTOPPED(status));
    assert_true(fixture_eventually(has_all_buffers, NULL));
    kill(maker, SIGKILL);
    assert_int_equal(shm_fixture_wait(maker), -SIGKILL);
    assert_true(fixture_eventually(is_gone, &maker));
    assert_int_equal(live_buffers(), 20);
    kill(holder, SIGCONT);
    assert_true(fixture_eventually(has_no_buffers, NULL));
    kill(holder, SIGKILL);
    assert_int_equal(shm_fixture_wait(holder), -SIGKILL);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    shm_fixture_verify_quiet(arena);
    adit_detach(&arena);
}

/* ---- deaths ---- */

static void work_for_ever(void *user)
{
    (void)user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    struct adit_queue *q;
    struct adit_pool *p;
    const struct adit_queue_params params = {.size = sizeof params, .order = ADIT_ORDER_LIFO, .capacity = 256};
    register_all(a);
    REQUIRE(!adit_queue_open(a, "work", &params, &q) && !adit_pool_open(q, NULL, &p));
    for (;;)
        pause();
}

static void an_attempt_that_dies_writes_nothing_and_the_next_one_all(void **state)
{
    (void)state;
    pid_t workers[2];
    for (uint32_t i = 0; i < 2; i++)
        workers[i] = fixture_fork(work_for_ever, NULL);
    open_all(0);
    fixture_start();
    uint64_t a = new_buffer(WORDS * 8), b = new_buffer(64);
    const struct adit_use uses[] = {{a, ADIT_READ_WRITE}, {b, ADIT_READ_WRITE}};
    struct adit_task_result r = task_take(queue, submit(kill_once, 5, uses, 2));
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.attempts, 2);
    assert_int_equal(value_of(arena, a), 5);
    assert_int_equal(value_of(arena, b), 5);
    for (uint32_t i = 0; i < 2; i++)
        (void)kill(workers[i], SIGKILL);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(shm_fixture_wait(workers[i]), -SIGKILL);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    assert_int_equal(adit_buffer_destroy(arena, a), 0);
    assert_int_equal(adit_buffer_destroy(arena, b), 0);
    close_all();
}

static void a_dead_attempts_shadow_is_not_the_next_ones_to_free(void **state)
{
    (void)state;
    pid_t worker = fixture_fork(work_for_ever, NULL);
    struct adit_loan loan[32];
    uint32_t loans = 0;
    open_all(0);
    fixture_start();
    uint64_t a = new_buffer(593u << 10), task = submit(kill_once, 5, &(struct adit_use){a, ADIT_READ_WRITE}, 1);
    assert_int_equal(shm_fixture_wait(worker), -SIGKILL);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    while (loans < 32 && !adit_chunk_loan(arena, &(struct adit_key){.x = (int32_t)loans}, &loan[loans]))
        loans++; /* where the shadow was, too, and until there is no room for another */
    assert_in_range(loans, 2, 31);
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1};
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    assert_int_equal(task_take(queue, task).status, -ENOMEM);
    for (uint32_t i = 0; i < loans; i++)
        assert_int_equal(adit_chunk_prepare(arena, &loan[i]), 0); /* (tried: without forgetting the dead one's, one is gone) */
    for (uint32_t i = 0; i < loans; i++)
        adit_chunk_discard(arena, &loan[i]);
    assert_int_equal(adit_buffer_destroy(arena, a), 0);
    close_all();
}

static uint64_t *shared_buffer; /* what a child made, for its parent */

static void make_and_die(void *user)
{
    (void)user;
    arena = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    const struct adit_queue_params params = {.size = sizeof params, .order = ADIT_ORDER_LIFO, .capacity = 256};
    register_all(arena);
    REQUIRE(!adit_queue_open(arena, "work", &params, &queue));
    REQUIRE(!adit_buffer_create(arena, 64, NULL, &shared_buffer[0]) && !adit_buffer_create(arena, 64, NULL, &shared_buffer[1]));
    (void)submit(add, 3, &(struct adit_use){shared_buffer[0], ADIT_READ_WRITE}, 1);
    raise(SIGKILL);
}

static void a_dead_makers_buffers_go_with_the_last_task_that_uses_them(void **state)
{
    (void)state;
    shared_buffer = shm_fixture_shared(4096);
    pid_t maker = fixture_fork(make_and_die, NULL);
    open_all(0);
    fixture_start();
    assert_int_equal(shm_fixture_wait(maker), -SIGKILL);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    assert_int_equal(value_of(arena, shared_buffer[1]), UINT64_MAX); /* nothing uses it */
    assert_int_equal(value_of(arena, shared_buffer[0]), 0);
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1};
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    for (uint32_t i = 0; i < 10000 && value_of(arena, shared_buffer[0]) != UINT64_MAX; i++)
        shm_fixture_nap(1);
    assert_int_equal(value_of(arena, shared_buffer[0]), UINT64_MAX); /* (tried: not dropped at a task's end) */
    close_all();
}

/* Does the task there is up to the decision, and dies before the buffer holds what it wrote. */
static void decide_and_die(void *user)
{
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    struct adit_queue *q;
    struct adit_task_cursor cursor = {0};
    struct adit_task_claim c;
    struct adit_reader *reader;
    struct adit_task_run run = {.arena = a};
    (void)user;
    REQUIRE(!adit_queue_open(a, "work", NULL, &q) && adit_task_claim_any(q, &cursor, UINT64_MAX, &c) && !adit_rcu_borrow(a, &reader));
    REQUIRE(!adit_task_uses_open(q, &c, reader, &run));
    *(uint64_t *)run.buffers[0].data = 77;
    REQUIRE(!adit_task_uses_close(q, &c, reader, &run, 0) && adit_task_uses_publish(q, c.place.slot));
    REQUIRE(adit_cas_seq_cst(&c.place.slot->word, &c.word, adit_task_with(c.word, ADIT_TASK_COMMITTED, a->owner)));
    (void)raise(SIGKILL);
}

static void who_recovers_a_decided_task_comes_again_where_it_had_no_reader(void **state)
{
    struct adit_reader *readers[ADIT_POOL_MAX];
    uint32_t n = 0;
    (void)state;
    arena = fixture_create(NULL);
    register_all(arena);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    pid_t worker = fixture_fork(decide_and_die, NULL);
    uint64_t buffer = new_buffer(8), task = submit(add, 0, &(struct adit_use){buffer, ADIT_WRITE}, 1);
    while (n < ADIT_POOL_MAX && !adit_rcu_borrow(arena, &readers[n]))
        n++;
    assert_int_equal(n, ADIT_POOL_MAX);
    fixture_start();
    assert_int_equal(shm_fixture_wait(worker), -SIGKILL);
    shm_fixture_nap(300); /* the keeper tries meanwhile */
    while (n--)
        adit_rcu_give_back(arena, readers[n]);
    struct adit_task_result r = task_take(queue, task); /* (tried: the dead one is buried all the same: it stays COMMITTED for ever) */
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(value_of(arena, buffer), 77);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    REQUIRE(!adit_buffer_destroy(arena, buffer));
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

/* One that names as many as it may, and waits for users of its buffer besides, has others stand for them: what they come to is not lost on the way. */
static void a_failure_is_seen_through_what_stands_for_many(void **state)
{
    (void)state;
    open_all(0);
    uint64_t more = 1, after[ADIT_TASK_AFTER_MAX];
    const struct adit_use write = {new_buffer(64), ADIT_READ_WRITE};
    struct adit_task_spec s = {.size = sizeof s, .kind = add, .args = &more, .args_bytes = 8, .uses = &write, .uses_n = 1, .after = after, .after_n = ADIT_TASK_AFTER_MAX};
    struct adit_task_result r = {.size = sizeof r};
    uint64_t user = submit(add, 1, &write, 1);
    for (uint32_t i = 0; i < ADIT_TASK_AFTER_MAX; i++)
        after[i] = submit(add, 1, NULL, 0);
    assert_int_equal(adit_cancel(queue, after[0]), 0);
    uint64_t cancelled = task_submit(queue, s);
    s.after_failures = true;
    uint64_t whatever = task_submit(queue, s);
    assert_int_equal(adit_wait(queue, cancelled, 0, &r), 0); /* (tried: what stands for them is free as soon as it has failed: it waits for the user, and runs) */
    assert_int_equal(r.end, ADIT_ENDED_CANCELLED);
    pool = task_pool(queue, 2);
    assert_int_equal(task_take(queue, whatever).status, 0);
    assert_int_equal(task_take(queue, user).status, 0);
    for (uint32_t i = 0; i < ADIT_TASK_AFTER_MAX; i++)
        (void)task_take(queue, after[i]);
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_seen_through_what_stands_for_many),
        cmocka_unit_test(what_a_task_writes_is_there_when_it_is_done),
        cmocka_unit_test(tasks_see_what_those_before_them_wrote),
        cmocka_unit_test(readers_read_what_was_there_when_they_were_submitted),
        cmocka_unit_test(a_buffer_in_use_stays_and_wrong_uses_are_refused),
        cmocka_unit_test(the_room_for_a_shadow_is_a_status),
        cmocka_unit_test(more_workers_than_readers_wait_for_one),
        cmocka_unit_test(what_was_written_needs_no_second_reader),
        cmocka_unit_test(who_stops_with_the_lock_holds_no_recovery_up),
        cmocka_unit_test(an_attempt_that_dies_writes_nothing_and_the_next_one_all),
        cmocka_unit_test(a_dead_attempts_shadow_is_not_the_next_ones_to_free),
        cmocka_unit_test(a_dead_makers_buffers_go_with_the_last_task_that_uses_them),
        cmocka_unit_test(who_recovers_a_decided_task_comes_again_where_it_had_no_reader),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
