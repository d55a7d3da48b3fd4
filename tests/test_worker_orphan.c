/* Processes of a pool that are left without whoever would end them (runtime/zygote.h, worker_life.h): none stays. Objects that hang as they are loaded, applications and zygotes that are killed. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/task_fixture.h"

#define LIMIT_NS 30000000000u
#define OPEN_MOST_NS 60000000000u /* that a pool which cannot be opened may take where the machine is laden; told of: 10 s */

/* What an application tells this process. */
static struct board {
    uint32_t is_open, has_ended;
    int32_t error; /* of adit_pool_open */
} *board;

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t heedless;
static char object[TASK_OBJECT_BYTES];
static enum adit_confine confine;

static void know(struct adit_arena *a)
{
    const struct adit_kind_params p = {.size = sizeof p, .name = "heedless", .args_bytes_max = 4, .result_bytes_max = 4};
    arena = a;
    REQUIRE(!adit_kind_register(arena, &p, &heedless) && !adit_queue_open(arena, "work", NULL, &queue));
}

static int open_pool(struct adit_pool **pool)
{
    const char *objects[] = {object, NULL};
    const struct adit_pool_params p = {.size = sizeof p, .processes = 1, .objects = objects, .confine = confine};
    return adit_pool_open(queue, &p, pool);
}

/* An application of its own. hangs: what it loads does. */
static void be_application(void *hangs)
{
    struct adit_pool *pool;
    if (hangs)
        setenv("WORKER_KINDS", "hang", 1);
    know(shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER));
    board->error = open_pool(&pool);
    __atomic_store_n(board->error ? &board->has_ended : &board->is_open, 1, __ATOMIC_RELEASE);
    for (;;)
        pause();
}

static pid_t set_up(bool hangs)
{
    *board = (struct board){0};
    pid_t application = fixture_fork(be_application, hangs ? board : NULL);
    know(fixture_create(NULL));
    fixture_start();
    return application;
}

/* This process is the reaper of all that descend from it. */
static bool has_no_children(void *user)
{
    (void)user;
    return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static void tear_down(void)
{
    assert_true(fixture_eventually(has_no_children, NULL));
    assert_true(fixture_eventually(fixture_is_alone, arena));
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static void kill_application(pid_t application)
{
    assert_int_equal(kill(application, SIGKILL), 0);
    assert_int_equal(shm_fixture_wait(application), -SIGKILL);
}

/* ---- while objects are loaded ----------------------------------------------------------------------------------- */

/* The object has all its kinds, and hangs. */
static bool is_hanging(void *user)
{
    uint32_t kind;
    (void)user;
    return !adit_kind_find(arena, "apart", &kind); /* its last one */
}

static uint32_t zygote_of(void)
{
    for (uint32_t i = 0; i < arena->participants_max; i++)
        if (!strcmp(arena->participants[i].label, "zygote"))
            return adit_part_pid(adit_load_acquire(&arena->participants[i].word));
    return 0;
}

static void an_object_that_hangs_keeps_no_pool_from_returning(void **state)
{
    (void)state;
    struct adit_pool *pool;
    know(fixture_create(NULL));
    setenv("WORKER_KINDS", "hang", 1); /* while there are no threads */
    uint64_t begin = adit_clock_ns();
    assert_int_equal(open_pool(&pool), -ETIMEDOUT); /* (seen: it waits for the zygote's end for ever) */
    assert_null(pool);
    assert_true(adit_clock_ns() - begin < OPEN_MOST_NS);
    unsetenv("WORKER_KINDS");
    assert_int_equal(open_pool(&pool), 0); /* and it left nothing that the next one lacks */
    adit_pool_close(&pool);
    tear_down();
}

static void what_is_loading_ends_with_its_application(void **state)
{
    (void)state;
    pid_t application = set_up(true);
    assert_true(fixture_eventually(is_hanging, NULL));
    kill_application(application);
    tear_down(); /* (seen: the zygote stays, deaf to all but SIGKILL) */
}

static void what_is_loading_ends_by_sigterm(void **state)
{
    (void)state;
    pid_t application = set_up(true);
    assert_true(fixture_eventually(is_hanging, NULL));
    assert_int_equal(kill((pid_t)zygote_of(), SIGTERM), 0);
    shm_fixture_until(&board->has_ended, 1);
    assert_int_equal(board->error, -ECHILD); /* (tried: one that blocks it while it loads: -ETIMEDOUT) */
    kill_application(application);
    tear_down();
}

/* ---- with a task that goes on and on ---------------------------------------------------------------------------- */

static uint64_t submit(uint32_t ms)
{
    return task_submit(queue, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = heedless, .args = &ms, .args_bytes = sizeof ms, .attempts_max = 15});
}

/* Waits until a task runs; its process. */
static uint32_t runner_of(uint64_t task)
{
    struct adit_task_info i = {.size = sizeof i};
    for (uint32_t tries = 0; tries < 20000; tries++, shm_fixture_nap(1))
        if (!adit_task_look(queue, task, &i) && i.stage == ADIT_STAGE_RUNNING && i.progress)
            return (uint32_t)i.progress;
    return 0;
}

/* The zygote's children learn of its end by a signal. */
static bool is_orphan(void *worker) { return task_parent_of(*(uint32_t *)worker) == (uint32_t)getpid(); }

/* Its process is gone, and it is for others to run. */
static void is_given_back(uint64_t task)
{
    struct adit_task_info info = {.size = sizeof info};
    assert_true(fixture_eventually(has_no_children, NULL));
    assert_true(fixture_eventually(fixture_is_alone, arena));
    assert_int_equal(adit_task_look(queue, task, &info), 0);
    assert_int_equal(info.stage, ADIT_STAGE_QUEUED);
    assert_int_equal(adit_cancel(queue, task), 0);
    assert_int_equal(task_take(queue, task).end, ADIT_ENDED_CANCELLED);
}

/* Where there are no pidfds (ADIT_DISABLE=pidfd) a worker cannot tell that its application is gone. */
static void a_worker_ends_when_application_and_zygote_are_killed_at_once(void **state)
{
    (void)state;
    task_skip_without_pidfds();
    pid_t application = set_up(false);
    shm_fixture_until(&board->is_open, 1);
    uint64_t task = submit(0);
    uint32_t worker = runner_of(task), zygote = task_parent_of(worker);
    assert_int_equal(task_parent_of(zygote), application);
    assert_int_equal(kill(application, SIGSTOP), 0); /* so that it does not see its zygote's end */
    assert_int_equal(kill((pid_t)zygote, SIGKILL), 0);
    kill_application(application);
    is_given_back(task); /* (seen: the worker runs on for ever) */
    tear_down();
}

/* It hears of the zygote's death alone, and looks for the other one itself. */
static void a_worker_ends_when_its_application_is_killed_after_the_zygote(void **state)
{
    (void)state;
    task_skip_without_pidfds();
    pid_t application = set_up(false);
    shm_fixture_until(&board->is_open, 1);
    uint64_t task = submit(0);
    uint32_t worker = runner_of(task), zygote = task_parent_of(worker);
    assert_int_equal(kill((pid_t)zygote, SIGKILL), 0);
    assert_true(fixture_eventually(is_orphan, &worker));
    shm_fixture_nap(1500); /* the signal has come, and a look or two */
    kill_application(application);
    is_given_back(task); /* (tried: one that looks once, when the zygote has died, stays) */
    tear_down();
}

static void a_task_goes_on_when_the_zygote_alone_is_killed(void **state)
{
    (void)state;
    pid_t application = set_up(false);
    shm_fixture_until(&board->is_open, 1);
    uint64_t task = submit(6000); /* longer than an orphan has whose application is gone */
    uint32_t worker = runner_of(task), zygote = task_parent_of(worker), by;
    assert_int_equal(kill((pid_t)zygote, SIGKILL), 0);
    struct adit_task_result r = task_take(queue, task);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.attempts, 1); /* (tried: a worker that takes the zygote's death for its application's) */
    memcpy(&by, r.data, sizeof by);
    assert_int_equal(by, worker);
    kill_application(application);
    tear_down();
}

static int set_up_all(void **state)
{
    task_object("worker_kinds", object);
    board = shm_fixture_shared(sizeof *board);
    return prctl(PR_SET_CHILD_SUBREAPER, 1) || shm_fixture_set_up(state);
}

static int be_strict(void **state)
{
    (void)state;
    confine = ADIT_CONFINE_STRICTLY;
    return 0;
}

/* Once more with confined workers (runtime/confine.h). */
#define CONFINED(test) {#test " (confined)", test, be_strict, NULL, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_loading_ends_with_its_application), /* these fork, so they are first */
        cmocka_unit_test(what_is_loading_ends_by_sigterm),
        cmocka_unit_test(a_worker_ends_when_application_and_zygote_are_killed_at_once),
        cmocka_unit_test(a_worker_ends_when_its_application_is_killed_after_the_zygote),
        cmocka_unit_test(a_task_goes_on_when_the_zygote_alone_is_killed),
        cmocka_unit_test(an_object_that_hangs_keeps_no_pool_from_returning),
        CONFINED(a_worker_ends_when_application_and_zygote_are_killed_at_once),
        CONFINED(a_worker_ends_when_its_application_is_killed_after_the_zygote),
    };
    return cmocka_run_group_tests(tests, set_up_all, shm_fixture_tear_down);
}
