/* Deaths around tasks (runtime/adit_tasks.h, task_recover.c): workers, submitters and waiters of other processes killed, stopped or gone. crash_task has them die at every
 * instruction, torture_tasks at random. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/task_queue.h"
#include "tests/task_fixture.h"

#define LIMIT_NS 20000000000u
#define CREW 5u
#define CAPACITY 32u
#define ORPHANS 8u /* tasks of a submitter that dies */

enum { ECHO = 1, HOLD = 2, DEADLY = 4, ALL = 7 }; /* kinds a process runs */

/* What processes tell each other. */
static struct board {
    struct member {
        uint32_t kinds, workers, ready, leave;
    } crew[CREW];
    uint32_t echoes, holds, deaths; /* begun */
    uint32_t holder, open;          /* the process of the last hold; the first attempt of one ends when it is open */
    uint64_t task[ORPHANS], buffer;
    int32_t waited;
} *board;

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t echo, hold, deadly;
static pid_t crew[CREW];

static int run_echo(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    memcpy(result, args, run->args_bytes);
    *result_bytes = run->args_bytes;
    __atomic_add_fetch(&board->echoes, 1, __ATOMIC_ACQ_REL);
    return 0;
}

static int run_hold(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    const uint32_t pid = (uint32_t)getpid();
    (void)args;
    __atomic_store_n(&board->holder, pid, __ATOMIC_RELEASE);
    __atomic_add_fetch(&board->holds, 1, __ATOMIC_ACQ_REL);
    while (run->attempt == 1 && !__atomic_load_n(&board->open, __ATOMIC_ACQUIRE) && !adit_task_should_stop(run))
        shm_fixture_nap(1);
    memcpy(result, &pid, sizeof pid);
    *result_bytes = sizeof pid;
    return 0;
}

/* Its process ends by the signal in its arguments. */
static int run_deadly(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    int number;
    sigset_t it;
    (void)run;
    (void)result;
    (void)result_bytes;
    memcpy(&number, args, sizeof number);
    __atomic_add_fetch(&board->deaths, 1, __ATOMIC_ACQ_REL);
    signal(number, SIG_DFL);
    sigemptyset(&it);
    sigaddset(&it, number);
    pthread_sigmask(SIG_UNBLOCK, &it, NULL);
    raise(number);
    return 0;
}

/* Kinds and the queue, as a process knows them that runs those of kinds. */
static void know(struct adit_arena *a, uint32_t kinds, struct adit_queue **q)
{
    const struct adit_queue_params small = {.size = sizeof small, .order = ADIT_ORDER_FIFO, .capacity = CAPACITY};
    struct adit_kind_params e = {.size = sizeof e, .name = "echo", .args_bytes_max = 64, .result_bytes_max = 64};
    struct adit_kind_params h = {.size = sizeof h, .name = "hold", .result_bytes_max = 4};
    struct adit_kind_params d = {.size = sizeof d, .name = "deadly", .args_bytes_min = sizeof(int), .args_bytes_max = sizeof(int)};
    e.run = kinds & ECHO ? run_echo : NULL;
    h.run = kinds & HOLD ? run_hold : NULL;
    d.run = kinds & DEADLY ? run_deadly : NULL;
    REQUIRE(!adit_kind_register(a, &e, &echo) && !adit_kind_register(a, &h, &hold) && !adit_kind_register(a, &d, &deadly));
    REQUIRE(!adit_queue_open(a, "work", &small, q));
}

static struct adit_task_spec spec_of(uint32_t kind) { return (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind}; }

/* ---- processes ---- */

static void be_ready(struct member *m)
{
    __atomic_store_n(&m->ready, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&m->leave, __ATOMIC_ACQUIRE))
        shm_fixture_nap(1);
}

static void work(void *user)
{
    struct member *m = user;
    const struct adit_pool_params p = {.size = sizeof p, .workers = m->workers};
    const struct rlimit none = {0, 0};
    struct adit_pool *pool;
    setrlimit(RLIMIT_CORE, &none);
    arena = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    know(arena, m->kinds, &queue);
    REQUIRE(!adit_pool_open(queue, &p, &pool));
    be_ready(m);
    adit_pool_close(&pool);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

/* Submits a hold and some echoes, one of them delayed, and lives until it is killed or shall leave. */
static void submit_and_stay(void *user)
{
    struct adit_task_spec late;
    arena = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    REQUIRE(!adit_buffer_create(arena, 100, NULL, &board->buffer));
    know(arena, 0, &queue);
    late = spec_of(echo);
    late.delay_ns = 50000000;
    board->task[0] = task_submit(queue, spec_of(hold));
    board->task[1] = task_submit(queue, late);
    for (uint32_t i = 2; i < ORPHANS; i++)
        board->task[i] = task_submit(queue, spec_of(echo));
    be_ready(user);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

/* Waits for the first task of who submits. */
static void wait_for_hold(void *user)
{
    struct adit_task_result r = {.size = sizeof r};
    struct member *m = user;
    arena = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    know(arena, 0, &queue);
    __atomic_store_n(&m->ready, 1, __ATOMIC_RELEASE);
    shm_fixture_until(&board->holds, 1);
    board->waited = adit_wait(queue, board->task[0], LIMIT_NS, &r);
    be_ready(m);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

/* Dies while others count on it to look for tasks, and while it waits for one. */
static void spin_and_die(void *user)
{
    (void)user;
    arena = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    know(arena, ALL, &queue);
    adit_store_seq_cst(&queue->slot->spinner, (uint64_t)arena->owner << 32 | 1);
    adit_add32_seq_cst(&queue->slot->done.waiters, 1);
    raise(SIGKILL);
}

/* Has submitted what nobody takes, ended it as its worker, and dies before it tells those that waited for it. */
static void end_and_die(void *user)
{
    struct adit_task_place place;
    struct adit_task_spec s;
    (void)user;
    arena = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    know(arena, 0, &queue);
    s = spec_of(echo);
    s.detached = true;
    board->task[0] = task_submit(queue, s);
    REQUIRE(adit_task_resolve(queue, board->task[0], &place));
    uint64_t word = adit_load_acquire(&place.slot->word) + (1ull << 36); /* attempt 1 */
    adit_store_seq_cst(&place.slot->word, adit_task_with(word, ADIT_TASK_DONE, 0) | ADIT_TASK_AWAITED);
    raise(SIGKILL);
}

/* Children first, then the arena: nobody is forked from a process with threads. */
static void enlist(uint32_t i, void (*role)(void *user), uint32_t kinds, uint32_t workers)
{
    board->crew[i] = (struct member){.kinds = kinds, .workers = workers};
    crew[i] = fixture_fork(role, &board->crew[i]);
}

static void open_all(uint32_t n)
{
    arena = fixture_create(NULL);
    know(arena, 0, &queue);
    fixture_start();
    for (uint32_t i = 0; i < n; i++)
        shm_fixture_until(&board->crew[i].ready, 1);
}

static int set_up(void **state)
{
    (void)state;
    if (!board)
        board = shm_fixture_shared(sizeof *board);
    memset(board, 0, sizeof *board);
    memset(crew, 0, sizeof crew);
    return 0;
}

static bool are_participants(void *n)
{
    return fixture_stats(arena).participants == *(const uint32_t *)n;
}

/* Reaps a child that dies, and waits until it is recovered. */
static void bury(uint32_t i, int number)
{
    uint32_t left = 1;
    assert_int_equal(shm_fixture_wait(crew[i]), -number);
    crew[i] = 0;
    for (uint32_t k = 0; k < CREW; k++)
        left += crew[k] && !board->crew[k].leave;
    assert_true(fixture_eventually(are_participants, &left));
}

static void kill_member(uint32_t i)
{
    kill(crew[i], SIGKILL);
    bury(i, SIGKILL);
}

/* When it returns, each of its threads has stopped. */
static void stop(pid_t child)
{
    int status;
    kill(child, SIGSTOP);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
}

static bool is_all_free(void *user)
{
    (void)user;
    for (uint64_t i = 0; i < CAPACITY; i++)
        if (adit_task_state(adit_load_acquire(&adit_task_at(queue, 0, i)->word)) != ADIT_TASK_FREE)
            return false;
    return true;
}

/* Everybody who is left leaves; then nothing may be left of any task. */
static void close_all(void)
{
    for (uint32_t i = 0; i < CREW; i++)
        if (crew[i]) {
            __atomic_store_n(&board->crew[i].leave, 1, __ATOMIC_RELEASE);
            assert_int_equal(shm_fixture_wait(crew[i]), 0);
        }
    assert_true(is_all_free(NULL));
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

/* ---- workers ---- */

static void a_killed_workers_task_runs_elsewhere_and_is_committed_once(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++)
        enlist(i, work, ALL, 1);
    open_all(2);
    uint64_t task = task_submit(queue, spec_of(hold));
    shm_fixture_until(&board->holds, 1);
    uint32_t dead = (pid_t)board->holder == crew[0] ? 0 : 1, pid;
    kill_member(dead); /* (tried: a recovery that leaves RUNNING alone, one that counts no attempt) */
    struct adit_task_result r = task_take(queue, task);
    memcpy(&pid, r.data, sizeof pid);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.attempts, 2);
    assert_int_equal(pid, crew[!dead]);
    assert_int_equal(board->holds, 2);
    assert_int_equal(adit_wait(queue, task, 0, &r), -ENOENT);
    close_all();
}

static void a_killed_workers_task_that_was_cancelled_runs_no_more(void **state)
{
    (void)state;
    enlist(0, work, ALL, 1);
    open_all(1);
    uint64_t task = task_submit(queue, spec_of(hold));
    shm_fixture_until(&board->holds, 1);
    stop(crew[0]); /* so that it does not see that it shall end */
    assert_int_equal(adit_cancel(queue, task), -EBUSY);
    kill_member(0); /* (tried: a recovery that does not look at CANCEL: it is QUEUED, for ever) */
    assert_int_equal(task_take(queue, task).end, ADIT_ENDED_CANCELLED);
    close_all();
}

/* (tried: an attempt more, and one less, until a task is POISONED; a result with the worker of the slot's last task) */
static void a_kind_that_kills_is_poisoned_after_its_attempts_and_others_go_on(void **state)
{
    static const struct {
        int number;
        uint32_t attempts, least_ms; /* least_ms: that the second death and later ones are waited after */
    } ways[] = {{SIGKILL, 1, 0}, {SIGSEGV, 3, 20}, {SIGABRT, CREW - 1, 60}};
    (void)state;
    for (uint32_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        (void)set_up(NULL);
        for (uint32_t i = 0; i < CREW; i++)
            enlist(i, work, ALL, 1);
        open_all(CREW);
        struct adit_task_spec s = spec_of(deadly);
        s.args = &ways[w].number;
        s.args_bytes = sizeof(int);
        s.attempts_max = ways[w].attempts;
        uint64_t from = adit_clock_ns(), bad = task_submit(queue, s), healthy[CAPACITY - 1];
        for (uint32_t round = 0; round < 8; round++) {
            for (uint32_t i = 0; i < CAPACITY - 1; i++)
                healthy[i] = task_submit(queue, spec_of(echo));
            for (uint32_t i = 0; i < CAPACITY - 1; i++)
                assert_int_equal(task_take(queue, healthy[i]).end, ADIT_ENDED_DONE);
        }
        struct adit_task_result r = task_take(queue, bad);
        assert_int_equal(r.end, ADIT_ENDED_POISONED);
        assert_int_equal(r.status, -EOWNERDEAD);
        assert_int_equal(r.attempts, ways[w].attempts);
        assert_true(adit_clock_ns() - from >= ways[w].least_ms * 1000000u); /* (tried: each attempt at once) */
        assert_in_range(r.worker, 1, CREW); /* one of the dead: the creator, who runs nothing, has the first slot */
        assert_int_equal(r.bytes, 0);
        assert_int_equal(board->deaths, ways[w].attempts);
        for (uint32_t i = 0; i < ways[w].attempts; i++) {
            int status;
            pid_t dead = waitpid(-1, &status, 0);
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == ways[w].number);
            for (uint32_t k = 0; k < CREW; k++)
                crew[k] = crew[k] == dead ? 0 : crew[k];
        }
        assert_int_equal(task_take(queue, task_submit(queue, spec_of(echo))).end, ADIT_ENDED_DONE);
        close_all();
    }
}

/* (tried: without recovery of the word both the check here and, for a nap of a tenth of a second, all who sleep) */
static void the_name_of_a_killed_spinner_is_taken_away(void **state)
{
    (void)state;
    enlist(0, spin_and_die, ALL, 0);
    open_all(0);
    bury(0, SIGKILL);
    assert_int_equal(adit_load_acquire(&queue->slot->spinner), 0); /* nobody of this process looks for work, and may have taken it away */
    close_all();
}

static bool are_asleep(void *n) { return adit_load32_acquire(&queue->slot->work.waiters) == *(const uint32_t *)n; }

static void killed_sleepers_are_not_counted_any_more(void **state)
{
    (void)state;
    uint32_t all = 9, left = 2;
    enlist(0, work, ALL, 4);
    enlist(1, work, ALL, 3);
    enlist(2, work, ALL, left);
    open_all(3);
    assert_true(fixture_eventually(are_asleep, &all));
    kill_member(0);
    kill_member(1);
    assert_true(fixture_eventually(are_asleep, &left)); /* (tried: a death leaves the count: 9) */
    assert_int_equal(task_take(queue, task_submit(queue, spec_of(echo))).end, ADIT_ENDED_DONE);
    assert_true(fixture_eventually(are_asleep, &left));
    close_all();
}

static void a_stopped_worker_holds_its_own_task_only(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++)
        enlist(i, work, ALL, 1);
    open_all(2);
    uint64_t held = task_submit(queue, spec_of(hold)), tasks[10];
    shm_fixture_until(&board->holds, 1);
    pid_t stopped = (pid_t)board->holder;
    stop(stopped);
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < 500; i++)
        assert_int_equal(task_take(queue, task_submit(queue, spec_of(echo))).attempts, 1);
    shm_fixture_nap(250); /* others look at every slot, before they sleep on */
    assert_int_equal(task_stage(queue, held), ADIT_STAGE_RUNNING);
    kill(stopped, SIGCONT);
    assert_int_equal(task_take(queue, held).attempts, 1); /* (tried: a worker that takes over what has run for 5 ms) */
    for (uint32_t round = 0; round < 30; round++) { /* at whatever moment */
        uint32_t ended = 0;
        for (uint32_t i = 0; i < 5; i++)
            tasks[i] = task_submit(queue, spec_of(echo));
        kill(stopped, SIGSTOP);
        for (uint32_t i = 5; i < 10; i++)
            tasks[i] = task_submit(queue, spec_of(echo));
        for (uint32_t looks = 0; looks < 20000 && ended < 9; looks++) {
            ended = 0;
            for (uint32_t i = 0; i < 10; i++)
                ended += task_stage(queue, tasks[i]) == ADIT_STAGE_ENDED;
            shm_fixture_nap(1);
        }
        assert_in_range(ended, 9, 10);
        kill(stopped, SIGCONT);
        for (uint32_t i = 0; i < 10; i++)
            assert_int_equal(task_take(queue, tasks[i]).attempts, 1);
    }
    close_all();
}

static void who_stops_while_it_looks_for_due_tasks_holds_none_up(void **state)
{
    (void)state;
    enlist(0, work, ALL, 2);
    open_all(1);
    struct adit_task_spec late = spec_of(echo);
    late.delay_ns = 30000000;
    uint64_t task = task_submit(queue, late);
    adit_store_seq_cst(&queue->slot->due_ns, (adit_clock_ns() + 60000000) | ADIT_TASK_DUE_LOOK); /* what such a worker leaves (tried: it leaves 0) */
    assert_int_equal(task_take(queue, task).end, ADIT_ENDED_DONE);
    close_all();
}

static void tasks_whose_processes_are_gone_wait_for_the_next_one_and_hold_nobody_up(void **state)
{
    (void)state;
    enlist(0, work, ECHO, 1);
    enlist(1, work, HOLD, 1);
    enlist(2, work, HOLD, 1);
    open_all(3);
    uint64_t holds[20];
    kill_member(1);
    stop(crew[2]);
    for (uint32_t i = 0; i < 20; i++)
        holds[i] = task_submit(queue, spec_of(hold));
    for (uint32_t i = 0; i < 5 * CAPACITY; i++) {
        uint64_t task;
        struct adit_task_spec s = spec_of(echo);
        while (adit_submit(queue, &s, &task)) /* (tried: a submitter that takes 17 in a row that wait for a full level never comes through) */
            REQUIRE(!adit_queue_wait_room(queue, ADIT_NORMAL, LIMIT_NS));
        assert_int_equal(task_take(queue, task).end, ADIT_ENDED_DONE);
    }
    assert_int_equal(board->holds, 0);
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    kill(crew[2], SIGCONT);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(task_take(queue, holds[i]).attempts, 1);
    assert_int_equal(board->holds, 20);
    close_all();
}

/* ---- submitters and who waits ---- */

static bool are_echoes(void *n)
{
    return __atomic_load_n(&board->echoes, __ATOMIC_ACQUIRE) >= *(const uint32_t *)n;
}

/* Recovery tells in its place, and by that frees it: from there on the slot is not the dead one's. */
static void a_slot_that_recovery_freed_is_left_alone(void **state)
{
    (void)state;
    enlist(0, end_and_die, 0, 0);
    open_all(0);
    bury(0, SIGKILL);
    assert_true(board->task[0] && is_all_free(NULL));
    for (uint64_t i = 0; i < CAPACITY; i++) /* (tried: a recovery that goes by what the word was before it told: the slot is FREE, and DETACHED) */
        assert_int_equal(adit_load_acquire(&adit_task_at(queue, 0, i)->word) & ADIT_TASK_FLAGS, 0);
    close_all();
}

static void orphans_are_run_and_leave_nothing(bool is_killed)
{
    uint32_t some = 3, all = ORPHANS - 1;
    enlist(0, submit_and_stay, 0, 0);
    enlist(1, work, ECHO, 1);
    enlist(2, work, HOLD, 1);
    open_all(3);
    assert_true(fixture_eventually(are_echoes, &some)); /* the results of some lie there, one runs, one is delayed */
    shm_fixture_until(&board->holds, 1);
    if (is_killed) {
        kill_member(0);
    } else {
        board->crew[0].leave = 1;
        assert_int_equal(shm_fixture_wait(crew[0]), 0);
        crew[0] = 0;
    }
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    assert_true(fixture_eventually(are_echoes, &all));
    assert_true(fixture_eventually(is_all_free, NULL)); /* (tried: a recovery that does not free what had ended; one that does not set DETACHED) */
    assert_int_equal(board->echoes, all);
    assert_int_equal(board->holds, 1);
    struct adit_task_result r = {.size = sizeof r};
    assert_int_equal(adit_wait(queue, board->task[3], 0, &r), -ENOENT);
    assert_int_equal(adit_buffer_destroy(arena, board->buffer), -ENOENT);
    uint64_t tasks[CAPACITY];
    for (uint32_t i = 0; i < CAPACITY; i++)
        tasks[i] = task_submit(queue, spec_of(echo)); /* all of it is there */
    for (uint32_t i = 0; i < CAPACITY; i++)
        (void)task_take(queue, tasks[i]);
    close_all();
}

static void what_a_killed_submitter_had_submitted_is_run_and_leaves_nothing(void **state)
{
    (void)state;
    orphans_are_run_and_leave_nothing(true);
}

static void nor_does_that_of_a_submitter_that_leaves(void **state)
{
    (void)state;
    orphans_are_run_and_leave_nothing(false); /* (tried: a detach that leaves all that to nobody) */
}

static bool is_waited_for(void *task)
{
    struct adit_task_place p;
    return adit_task_resolve(queue, *(const uint64_t *)task, &p) && adit_load_acquire(&p.slot->word) & ADIT_TASK_WAITED &&
           adit_load32_acquire(&queue->slot->done.waiters);
}

static void who_waits_for_a_task_of_a_killed_submitter_is_told(void **state)
{
    (void)state;
    enlist(0, submit_and_stay, 0, 0);
    enlist(1, work, ALL, 1);
    enlist(2, wait_for_hold, 0, 0);
    open_all(3);
    assert_true(fixture_eventually(is_waited_for, &board->task[0]));
    kill_member(0);
    uint32_t seq = adit_load32_acquire(&queue->slot->done.seq);
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    assert_true(fixture_eventually(is_all_free, NULL));
    assert_int_not_equal(adit_load32_acquire(&queue->slot->done.seq), seq); /* (tried: DETACHED ends without a post; who waits finds out by its nap) */
    board->crew[2].leave = 1;
    assert_int_equal(shm_fixture_wait(crew[2]), 0);
    crew[2] = 0;
    assert_int_equal(board->waited, -ENOENT);
    close_all();
}

static void who_is_killed_while_it_waits_leaves_the_result_to_its_submitter(void **state)
{
    (void)state;
    enlist(0, wait_for_hold, 0, 0);
    enlist(1, work, ALL, 1);
    open_all(2);
    uint64_t task = task_submit(queue, spec_of(hold));
    board->task[0] = task;
    assert_true(fixture_eventually(is_waited_for, &task));
    kill_member(0);
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    assert_int_equal(task_take(queue, task).attempts, 1); /* (tried: a recovery that takes whose waiter died for detached) */
    close_all();
}

static void any_process_may_wait_for_a_task(void **state)
{
    (void)state;
    enlist(0, wait_for_hold, 0, 0);
    enlist(1, work, ALL, 1);
    open_all(2);
    uint64_t task = task_submit(queue, spec_of(hold));
    board->task[0] = task;
    assert_true(fixture_eventually(is_waited_for, &task));
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    board->crew[0].leave = 1;
    assert_int_equal(shm_fixture_wait(crew[0]), 0);
    crew[0] = 0;
    assert_int_equal(board->waited, 0);
    struct adit_task_result r = {.size = sizeof r};
    assert_int_equal(adit_wait(queue, task, 0, &r), -ENOENT); /* (tried: a result that is copied and not taken) */
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_killed_workers_task_runs_elsewhere_and_is_committed_once, set_up),
        cmocka_unit_test_setup(a_killed_workers_task_that_was_cancelled_runs_no_more, set_up),
        cmocka_unit_test(a_kind_that_kills_is_poisoned_after_its_attempts_and_others_go_on),
        cmocka_unit_test_setup(the_name_of_a_killed_spinner_is_taken_away, set_up),
        cmocka_unit_test_setup(killed_sleepers_are_not_counted_any_more, set_up),
        cmocka_unit_test_setup(a_stopped_worker_holds_its_own_task_only, set_up),
        cmocka_unit_test_setup(who_stops_while_it_looks_for_due_tasks_holds_none_up, set_up),
        cmocka_unit_test_setup(tasks_whose_processes_are_gone_wait_for_the_next_one_and_hold_nobody_up, set_up),
        cmocka_unit_test_setup(a_slot_that_recovery_freed_is_left_alone, set_up),
        cmocka_unit_test_setup(what_a_killed_submitter_had_submitted_is_run_and_leaves_nothing, set_up),
        cmocka_unit_test_setup(nor_does_that_of_a_submitter_that_leaves, set_up),
        cmocka_unit_test_setup(who_waits_for_a_task_of_a_killed_submitter_is_told, set_up),
        cmocka_unit_test_setup(who_is_killed_while_it_waits_leaves_the_result_to_its_submitter, set_up),
        cmocka_unit_test_setup(any_process_may_wait_for_a_task, set_up),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
