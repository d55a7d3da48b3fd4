/* How long tasks may run (runtime/task_limit.h): asked to stop, killed with their process, in threads and in worker processes. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/task_queue.h"
#include "runtime/worker_slot.h"
#include "tests/task_fixture.h"

#define LIMIT_NS 30000000000u

static struct adit_arena *arena;
static struct adit_queue *queue;
static struct adit_pool *pool;
static uint32_t nap, deaf, map;
static char object[TASK_OBJECT_BYTES];

/* As in worker_kinds.c, for threads. */
static int run_nap(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t ms;
    (void)result;
    (void)result_bytes;
    memcpy(&ms, args, sizeof ms);
    while (ms--) {
        shm_fixture_nap(1);
        if (adit_task_should_stop(run))
            return -ECANCELED;
    }
    return 0;
}

static void open_all(uint32_t processes)
{
    const char *objects[] = {object, NULL};
    struct adit_kind_params k = {.size = sizeof k, .name = "nap", .run = processes ? NULL : run_nap, .args_bytes_max = 4, .result_bytes_max = 4};
    const struct adit_pool_params p = {.size = sizeof p, .workers = processes ? 0 : 2, .processes = processes, .objects = processes ? objects : NULL};
    arena = fixture_create(NULL);
    assert_int_equal(adit_kind_register(arena, &k, &nap), 0);
    k.name = "deaf";
    k.run = NULL;
    assert_int_equal(adit_kind_register(arena, &k, &deaf), 0);
    k.name = "map";
    assert_int_equal(adit_kind_register(arena, &k, &map), 0);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
}

static void close_all(void)
{
    adit_pool_close(&pool);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static uint64_t submit(uint32_t kind, uint32_t ms, uint64_t limit_ms, uint64_t kill_ms)
{
    struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &ms, .args_bytes = 4, .limit_ns = limit_ms * 1000000, .kill_ns = kill_ms * 1000000};
    uint64_t task;
    REQUIRE(!adit_submit(queue, &s, &task));
    return task;
}

static void a_task_that_listens_stops_at_its_limit(void **state)
{
    (void)state;
    for (uint32_t processes = 0; processes < 2; processes++) {
        open_all(2 * processes);
        uint64_t begin = adit_clock_ns();
        struct adit_task_result r = task_take(queue, submit(nap, 60000, 40, 0)); /* (tried: without it the minute) */
        assert_int_equal(r.end, ADIT_ENDED_DONE);
        assert_int_equal(r.status, -ETIMEDOUT);
        assert_int_equal(r.attempts, 1);
        assert_true(adit_clock_ns() - begin >= 40000000);
        assert_int_equal(task_take(queue, submit(nap, 1, 20000, 20000)).status, 0); /* in time */
        assert_int_equal(task_take(queue, submit(nap, 30, 0, 0)).status, 0);        /* one without limits, after it */
        if (!processes) /* a thread is asked to stop where a process would be killed */
            assert_int_equal(task_take(queue, submit(nap, 60000, 0, 40)).status, -ETIMEDOUT);
        close_all();
    }
}

static void one_that_does_not_listen_dies_with_its_process_and_is_not_tried_again(void **state)
{
    (void)state;
    struct adit_pool_stats stats = {.size = sizeof stats};
    open_all(2);
    uint64_t begin = adit_clock_ns(), healthy = submit(nap, 200, 0, 0);
    struct adit_task_result r = task_take(queue, submit(deaf, 0, 10, 60));
    assert_int_equal(r.end, ADIT_ENDED_EXPIRED); /* (tried: without the look in recovery it is POISONED, after three of them) */
    assert_int_equal(r.status, -ETIMEDOUT);
    assert_int_equal(r.attempts, 1);
    assert_true(adit_clock_ns() - begin >= 60000000);
    assert_int_equal(task_take(queue, healthy).status, 0); /* in the other process */
    assert_int_equal(adit_pool_look(pool, &stats), 0);
    assert_int_equal(stats.deaths, 1);
    assert_int_equal(task_take(queue, submit(nap, 1, 0, 0)).status, 0);
    close_all();
}

/* (tried: run without its timer, for ever) */
static void what_cannot_be_killed_in_time_is_not_run(void **state)
{
    (void)state;
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_SIGPENDING, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_SIGPENDING, &none), 0);
    open_all(1); /* its processes have that limit, too */
    assert_int_equal(setrlimit(RLIMIT_SIGPENDING, &before), 0);
    struct adit_task_result r = task_take(queue, submit(deaf, 0, 0, 20));
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.status, -EAGAIN);
    assert_int_equal(task_take(queue, submit(nap, 1, 20000, 0)).status, 0); /* a limit needs none */
    close_all();
}

static void a_task_is_ended_at_once_where_that_can_be(void **state)
{
    (void)state;
    struct adit_task_info i = {.size = sizeof i};
    open_all(2);
    uint64_t running = submit(deaf, 0, 0, 0);
    for (uint32_t looks = 0; !i.progress && looks < 20000; looks++, shm_fixture_nap(1))
        (void)adit_task_look(queue, running, &i);
    assert_true(i.progress && i.progress != (uint64_t)getpid());
    assert_int_equal(adit_cancel_now(queue, running), 0);
    struct adit_task_result r = task_take(queue, running);
    assert_int_equal(r.end, ADIT_ENDED_CANCELLED);
    assert_int_equal(r.attempts, 1);
    assert_int_equal(adit_cancel_now(queue, running), -ENOENT);
    close_all();
    open_all(0);
    running = submit(nap, 60000, 0, 0);
    for (uint32_t looks = 0; i.stage != ADIT_STAGE_RUNNING && looks < 20000; looks++, shm_fixture_nap(1))
        (void)adit_task_look(queue, running, &i);
    while (adit_task_look(queue, running, &i) == 0 && i.stage != ADIT_STAGE_RUNNING)
        shm_fixture_nap(1);
    assert_int_equal(adit_cancel_now(queue, running), -EBUSY); /* this process: it is not killed (tried: without the look for a worker process) */
    assert_int_equal(task_take(queue, running).end, ADIT_ENDED_CANCELLED);
    close_all();
}

static void stay(void *user)
{
    (void)user;
    for (;;)
        pause();
}

/* What is told of a worker process, by its participant and in the table of workers. */
struct told {
    uint32_t pid, slot_pid; /* slot_pid: as in the table */
    uint64_t birth, start_time, pid_ns;
    const char *label;
};

/* Tells that of this process, which has claimed the task as if it were a worker process; what became of ending it. */
static int cancel_now(uint64_t task, struct told t)
{
    struct adit_participant *self = arena->self, before = *self;
    struct adit_worker_slot *w = &arena->workers[arena->workers_max - 1], cold = *w;
    w->owner = arena->owner;
    w->pid = t.slot_pid;
    adit_store_release(&w->word, adit_worker_word(1, ADIT_LIFE_BUSY, arena->owner));
    self->start_time = t.start_time;
    self->pid_ns = t.pid_ns;
    snprintf(self->label, sizeof self->label, "%s", t.label);
    adit_store_release(&self->word, adit_part_make(ADIT_PART_ALIVE, adit_part_role(before.word), adit_part_generation(before.word), (uint32_t)t.birth, t.pid));
    int error = adit_cancel_now(queue, task);
    adit_store_release(&self->word, before.word); /* the keeper looks at it, and no further: it is its own process's */
    self->start_time = before.start_time;
    self->pid_ns = before.pid_ns;
    memcpy(self->label, before.label, sizeof self->label);
    *w = cold;
    return error;
}

static void only_the_process_that_is_told_of_is_killed(void **state)
{
    (void)state;
    const struct adit_kind_params k = {.size = sizeof k, .name = "nap", .run = run_nap, .args_bytes_max = 4, .result_bytes_max = 4};
    uint32_t own = (uint32_t)getpid();
    uint64_t its = 0, ours = 0, first = 0;
    struct adit_task_cursor cursor = {0};
    struct adit_task_claim claim;
    pid_t child = shm_fixture_fork(stay, NULL);
    uint32_t pid = (uint32_t)child;
    arena = fixture_create(NULL);
    assert_int_equal(adit_kind_register(arena, &k, &nap), 0);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    uint64_t task = submit(nap, 1, 0, 0), here = adit_process_pid_namespace();
    assert_true(adit_task_claim_any(queue, &cursor, UINT64_MAX, &claim));
    assert_int_equal(adit_process_start_time(pid, &its), 0);
    assert_int_equal(adit_process_start_time(own, &ours), 0);
    (void)adit_process_start_time(1, &first);
    const struct told right = {pid, pid, its, its, here, ADIT_WORKER_LABEL "1"};
    const struct told wrong[] = {
        {own, own, ours, ours, here, right.label},        /* (tried: without the look for this process the test ends here) */
        {1, 1, first, first, here, right.label},
        {0, 0, its, its, here, right.label},
        {pid, pid, its - 1, its - 1, here, right.label},  /* the number is another's by now (seen, and tried: without the kernel's word the child dies) */
        {pid, pid, its, its + 256, here, right.label},    /* the same, born such that its word does not tell */
        {pid, own, its, its, here, right.label},          /* no worker has it */
        {pid, pid, its, its, here + 1, right.label},
        {pid, pid, its, its, here, "worker"},
    };
    for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(cancel_now(task, wrong[i]), -ESRCH);
        assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    }
    assert_int_equal(cancel_now(task, right), 0); /* nothing else keeps the child alive above: it is what anybody who may write there can do */
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    (void)adit_task_commit(queue, &claim, NULL, 0, "", 0);
    (void)task_take(queue, task);
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

/* One that maps in a worker process runs its own items while it waits, so nobody else's task dies with it. (tried: it runs whatever there is: the other is POISONED) */
static void who_dies_while_it_maps_takes_nobody_along(void **state)
{
    uint32_t ms = 200;
    struct adit_task_spec s = {.size = sizeof s, .priority = ADIT_HIGH, .args = &ms, .args_bytes = 4, .attempts_max = 1};
    struct adit_task_info outer = {.size = sizeof outer}, other = {.size = sizeof other};
    uint64_t task;
    (void)state;
    open_all(1);
    s.kind = nap;
    uint64_t running = submit(map, 0, 0, 0), seen = 0;
    for (uint32_t looks = 0; !outer.progress && looks < 20000; looks++, shm_fixture_nap(1))
        assert_int_equal(adit_task_look(queue, running, &outer), 0);
    assert_int_equal(adit_submit(queue, &s, &task), 0);
    for (uint32_t looks = 0, times = 0; times < 3 && other.stage != ADIT_STAGE_RUNNING && looks < 20000; looks++, shm_fixture_nap(1)) { /* it has gone on with its own, or with the other */
        assert_int_equal(adit_task_look(queue, running, &outer), 0);
        assert_int_equal(adit_task_look(queue, task, &other), 0);
        times += outer.progress != seen;
        seen = outer.progress;
    }
    assert_true(seen > 0);
    assert_int_equal(adit_cancel_now(queue, running), 0);
    assert_int_equal(task_take(queue, running).end, ADIT_ENDED_CANCELLED);
    struct adit_task_result r = task_take(queue, task);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.status, 0);
    close_all();
}

/* Claims the task there is, for the first time, and dies before it begins. */
static void claim_and_die(void *user)
{
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    struct adit_queue *q;
    struct adit_task_cursor cursor = {0};
    struct adit_task_claim claim;
    (void)user;
    REQUIRE(!adit_queue_open(a, "work", NULL, &q) && adit_task_claim_any(q, &cursor, UINT64_MAX, &claim));
    kill(getpid(), SIGKILL);
}

static void a_limit_counts_from_when_the_attempt_began(void **state)
{
    (void)state;
    const struct adit_kind_params k = {.size = sizeof k, .name = "nap", .run = run_nap, .args_bytes_max = 4, .result_bytes_max = 4};
    arena = fixture_create(NULL);
    assert_int_equal(adit_kind_register(arena, &k, &nap), 0);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    pid_t child = fixture_fork(claim_and_die, NULL);
    uint64_t task = submit(nap, 1, 0, 60000);
    fixture_start();
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    pool = task_pool(queue, 1);
    struct adit_task_result r = task_take(queue, task); /* (tried: what was in the slot before is taken for its beginning: EXPIRED) */
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.attempts, 2);
    close_all();
}

int main(void)
{
    task_object("worker_kinds", object);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_that_listens_stops_at_its_limit),
        cmocka_unit_test(one_that_does_not_listen_dies_with_its_process_and_is_not_tried_again),
        cmocka_unit_test(what_cannot_be_killed_in_time_is_not_run),
        cmocka_unit_test(a_task_is_ended_at_once_where_that_can_be),
        cmocka_unit_test(only_the_process_that_is_told_of_is_killed),
        cmocka_unit_test(who_dies_while_it_maps_takes_nobody_along),
        cmocka_unit_test(a_limit_counts_from_when_the_attempt_began),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
