/* Where tasks run that say so, and when there is memory for them (runtime/task_wants.h): workers of two processes, each a thread. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/task_wants.h"
#include "tests/task_fixture.h"

#define CREW 2u
#define SOME 100u
#define MIB (1ull << 20)
#define ROOM (64 * MIB) /* of memory that is left, where a test says so */

/* What processes tell each other. */
static struct board {
    struct member {
        uint32_t slot, ready, leave, asked, answered; /* asked: so often, to open another pool and close it */
        uint64_t sleeps;
    } crew[CREW];
    uint32_t begun, at_work, at_work_most, open; /* holds; they end when it is open */
    uint64_t order[SOME];                        /* the tasks of the first of them, as they began */
} *board;

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t echo, hold;
static pid_t crew[CREW];

static int run_echo(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    memcpy(result, args, run->args_bytes);
    *result_bytes = run->args_bytes;
    return 0;
}

static int run_hold(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    uint32_t before = __atomic_fetch_add(&board->begun, 1, __ATOMIC_ACQ_REL);
    if (before < SOME)
        __atomic_store_n(&board->order[before], run->task, __ATOMIC_RELEASE);
    uint32_t now = __atomic_add_fetch(&board->at_work, 1, __ATOMIC_ACQ_REL), most = __atomic_load_n(&board->at_work_most, __ATOMIC_ACQUIRE);
    while (most < now && !__atomic_compare_exchange_n(&board->at_work_most, &most, now, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    }
    for (uint32_t i = 0; run->attempt == 1 && i < 10000 && !(i >= 10 && __atomic_load_n(&board->open, __ATOMIC_ACQUIRE)); i++)
        shm_fixture_nap(1);
    __atomic_sub_fetch(&board->at_work, 1, __ATOMIC_ACQ_REL);
    return 0;
}

static void know(struct adit_arena *a, bool runs)
{
    const struct adit_queue_params fifo = {.size = sizeof fifo, .order = ADIT_ORDER_FIFO, .capacity = 256};
    struct adit_kind_params e = {.size = sizeof e, .name = "echo", .run = runs ? run_echo : NULL, .args_bytes_max = 4, .result_bytes_max = 4};
    struct adit_kind_params h = {.size = sizeof h, .name = "hold", .run = runs ? run_hold : NULL};
    REQUIRE(!adit_kind_register(a, &e, &echo) && !adit_kind_register(a, &h, &hold) && !adit_queue_open(a, "work", &fifo, &queue));
}

static void come_and_go(void)
{
    const struct adit_pool_params p = {.size = sizeof p, .workers = 2};
    struct adit_pool *pool;
    REQUIRE(!adit_pool_open(queue, &p, &pool));
    adit_pool_close(&pool);
}

static void work(void *user)
{
    struct member *m = user;
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1};
    struct adit_pool *pool;
    arena = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    know(arena, true);
    m->slot = adit_owner_slot(arena->owner);
    REQUIRE(!adit_pool_open(queue, &p, &pool));
    __atomic_store_n(&m->ready, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&m->leave, __ATOMIC_ACQUIRE)) {
        struct adit_pool_stats now = {.size = sizeof now};
        shm_fixture_nap(1);
        REQUIRE(!adit_pool_look(pool, &now));
        __atomic_store_n(&m->sleeps, now.sleeps, __ATOMIC_RELEASE);
        if (__atomic_load_n(&m->asked, __ATOMIC_ACQUIRE) == m->answered)
            continue;
        come_and_go();
        __atomic_store_n(&m->answered, m->answered + 1, __ATOMIC_RELEASE);
    }
    adit_pool_close(&pool);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static int set_up(void **state)
{
    (void)state;
    if (!board)
        board = shm_fixture_shared(sizeof *board);
    memset(board, 0, sizeof *board);
    for (uint32_t i = 0; i < CREW; i++)
        crew[i] = fixture_fork(work, &board->crew[i]);
    arena = fixture_create(NULL);
    know(arena, false);
    fixture_start();
    for (uint32_t i = 0; i < CREW; i++)
        shm_fixture_until(&board->crew[i].ready, 1);
    return 0;
}

/* Everybody who is left leaves, and nothing is left of any task, or reserved. */
static int tear_down(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < CREW; i++)
        if (crew[i]) {
            __atomic_store_n(&board->crew[i].leave, 1, __ATOMIC_RELEASE);
            assert_int_equal(shm_fixture_wait(crew[i]), 0);
        }
    assert_true(fixture_eventually(fixture_is_alone, arena));
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
    return 0;
}

static void kill_member(uint32_t i)
{
    uint32_t left = CREW; /* the creator, and the other */
    struct adit_stats s;
    kill(crew[i], SIGKILL);
    assert_int_equal(shm_fixture_wait(crew[i]), -SIGKILL);
    crew[i] = 0;
    do
        s = fixture_stats(arena);
    while (s.participants > left); /* bounded by the keeper's recovery, and run_one.sh */
}

static struct adit_task_spec near(uint32_t kind, uint32_t i, uint64_t patience_ns)
{
    return (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .affinity = ADIT_NEAR_WORKER, .near = board->crew[i].slot, .patience_ns = patience_ns};
}

static struct adit_task_spec taking(uint32_t kind, uint64_t bytes)
{
    return (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .memory_bytes = bytes};
}

/* ---- places ---- */

static void what_is_near_a_worker_runs_there(void **state)
{
    uint64_t tasks[SOME];
    (void)state;
    for (uint32_t round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < SOME; i++)
            tasks[i] = task_submit(queue, near(echo, i / 10 % 2, ADIT_FOR_EVER));
        for (uint32_t i = 0; i < SOME; i++) /* (tried: whoever comes first takes it) */
            assert_int_equal(task_take(queue, tasks[i]).worker, board->crew[i / 10 % 2].slot);
    }
}

/* Both sleep, and either may be the one that is woken. (tried: one wake for one task, and a wrong one that tells nobody: each waits for a nap of 0.1 s) */
static void the_right_one_is_woken(void **state)
{
    uint64_t begin = adit_clock_ns();
    (void)state;
    for (uint32_t i = 0; i < SOME; i++) {
        shm_fixture_nap(1);
        assert_int_equal(task_take(queue, task_submit(queue, near(echo, i % 2, ADIT_FOR_EVER))).worker, board->crew[i % 2].slot);
    }
    assert_true(adit_clock_ns() - begin < SOME * 30000000ull);
}

static void a_busy_workers_tasks_are_others_when_patience_ends(void **state)
{
    (void)state;
    uint64_t busy = task_submit(queue, near(hold, 0, ADIT_FOR_EVER));
    shm_fixture_until(&board->begun, 1);
    uint64_t begin = adit_clock_ns(), later = task_submit(queue, near(echo, 0, 50000000)), never = task_submit(queue, near(echo, 0, ADIT_FOR_EVER));
    assert_int_equal(task_take(queue, later).worker, board->crew[1].slot);
    assert_true(adit_clock_ns() - begin >= 50000000); /* (tried: no patience) */
    begin = adit_clock_ns();
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(task_take(queue, task_submit(queue, near(echo, 0, 10000000))).worker, board->crew[1].slot);
    assert_true(adit_clock_ns() - begin < 20 * 80000000ull); /* (tried: nobody looks again before its nap of 0.1 s ends) */
    assert_int_equal(task_stage(queue, never), ADIT_STAGE_QUEUED);
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    assert_int_equal(task_take(queue, never).worker, board->crew[0].slot);
    assert_int_equal(task_take(queue, busy).worker, board->crew[0].slot);
}

/* It is told of it, tells the others, and sleeps. */
static void what_a_worker_cannot_have_does_not_keep_it_awake(void **state)
{
    (void)state;
    uint64_t busy = task_submit(queue, near(hold, 0, ADIT_FOR_EVER));
    shm_fixture_until(&board->begun, 1);
    uint64_t left = task_submit(queue, near(echo, 0, ADIT_FOR_EVER));
    shm_fixture_nap(50);
    uint64_t before = __atomic_load_n(&board->crew[1].sleeps, __ATOMIC_ACQUIRE);
    shm_fixture_nap(300);
    assert_in_range(__atomic_load_n(&board->crew[1].sleeps, __ATOMIC_ACQUIRE) - before, 0, 20); /* (tried: one whose own wake of the others wakes it: thousands) */
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    (void)task_take(queue, left);
    (void)task_take(queue, busy);
}

static void what_is_held_delayed_or_tried_again_keeps_its_place(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        uint64_t first = task_submit(queue, near(hold, i % 2, ADIT_FOR_EVER));
        struct adit_task_spec s = near(echo, i % 2, ADIT_FOR_EVER), d = s;
        s.after = &first;
        s.after_n = 1;
        d.delay_ns = 5000000;
        uint64_t after = task_submit(queue, s), late = task_submit(queue, d);
        __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
        assert_int_equal(task_take(queue, after).worker, board->crew[i % 2].slot);
        assert_int_equal(task_take(queue, late).worker, board->crew[i % 2].slot);
        (void)task_take(queue, first);
    }
}

static void what_is_near_a_dead_worker_is_anybodys(void **state)
{
    (void)state;
    uint64_t under_way = task_submit(queue, near(hold, 0, ADIT_FOR_EVER));
    shm_fixture_until(&board->begun, 1);
    uint64_t waits = task_submit(queue, near(echo, 0, ADIT_FOR_EVER));
    kill_member(0);
    struct adit_task_result r = task_take(queue, under_way);
    assert_int_equal(r.attempts, 2);
    assert_int_equal(r.worker, board->crew[1].slot); /* (tried: a worker that does not look whether the other one lives) */
    assert_int_equal(task_take(queue, waits).worker, board->crew[1].slot);
    assert_int_equal(task_take(queue, task_submit(queue, near(echo, 0, ADIT_FOR_EVER))).worker, board->crew[1].slot);
}

/* One pool is closed, and another of the same process works on: what is near waits for that. */
static void what_is_near_a_worker_waits_while_one_of_its_pools_is_there(void **state)
{
    const struct adit_task_spec anywhere = {.size = sizeof anywhere, .kind = echo};
    (void)state;
    uint64_t busy = task_submit(queue, near(hold, 0, ADIT_FOR_EVER));
    shm_fixture_until(&board->begun, 1);
    for (uint32_t i = 1; i <= 3; i++) {
        __atomic_store_n(&board->crew[0].asked, i, __ATOMIC_RELEASE);
        shm_fixture_until(&board->crew[0].answered, i);
    }
    uint64_t waits = task_submit(queue, near(echo, 0, ADIT_FOR_EVER));
    for (uint32_t i = 0; i < SOME; i++) /* all later than the one that waits */
        assert_int_equal(task_take(queue, task_submit(queue, anywhere)).worker, board->crew[1].slot);
    assert_int_equal(task_stage(queue, waits), ADIT_STAGE_QUEUED); /* (seen, and tried: the first worker that leaves takes the process's bit away) */
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    assert_int_equal(task_take(queue, waits).worker, board->crew[0].slot);
    (void)task_take(queue, busy);
}

/* Both sleep, and this process, which counts as a worker, does so no more, or is forgotten. How often that was told them. */
static uint32_t leave_what_waits(bool is_forgotten)
{
    struct adit_task_spec s = near(echo, 0, ADIT_FOR_EVER);
    s.near = adit_owner_slot(arena->owner);
    adit_task_at_work(queue, true);
    uint64_t task = task_submit(queue, s);
    for (uint32_t naps = 0; naps < 5000 && adit_load32_acquire(&queue->slot->work.waiters) < CREW; naps++)
        shm_fixture_nap(1);
    assert_int_equal(task_stage(queue, task), ADIT_STAGE_QUEUED);
    uint32_t seq = adit_load32_acquire(&queue->slot->work.seq);
    if (is_forgotten)
        adit_task_wants_forget(arena, s.near);
    else
        adit_task_at_work(queue, false);
    bool is_told = (adit_load32_acquire(&queue->slot->work.seq) ^ seq) & ADIT_EVENT_POSTS;
    assert_int_equal(task_take(queue, task).end, ADIT_ENDED_DONE);
    if (is_forgotten)
        adit_task_at_work(queue, false);
    return is_told;
}

static void who_waits_is_woken_when_the_last_worker_has_left(void **state)
{
    uint32_t told[2] = {0};
    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        told[i % 2] += leave_what_waits(i % 2);
    assert_true(told[0] > 0); /* not each time: they may just be looking around (seen, and tried: none of twenty; they find it when their naps end) */
    assert_true(told[1] > 0); /* (seen, and tried: recovery that tells nobody) */
}

/* The creator has none, nor has who takes the slot of a dead worker without becoming one. */
static void what_is_near_who_has_no_workers_is_anybodys(void **state)
{
    struct adit_task_spec s = near(echo, 0, ADIT_FOR_EVER);
    (void)state;
    s.near = adit_owner_slot(arena->owner);
    assert_int_equal(task_take(queue, task_submit(queue, s)).end, ADIT_ENDED_DONE); /* (tried: whoever is alive is waited for) */
    kill_member(0);
    struct adit_arena *other = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    s.near = board->crew[0].slot;
    assert_int_equal(adit_owner_slot(other->owner), s.near); /* the first that is free */
    assert_int_equal(task_take(queue, task_submit(queue, s)).worker, board->crew[1].slot); /* (tried: recovery that leaves at_work) */
    adit_detach(&other);
}

/* One looks what is due, and it is for the other. */
static void what_is_due_near_another_wakes_it(void **state)
{
    uint64_t begin = adit_clock_ns();
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        struct adit_task_spec s = near(echo, i % 2, ADIT_FOR_EVER);
        s.delay_ns = 5000000;
        (void)task_take(queue, task_submit(queue, near(echo, !(i % 2), ADIT_FOR_EVER))); /* who was awake last */
        assert_int_equal(task_take(queue, task_submit(queue, s)).worker, board->crew[i % 2].slot);
    }
    assert_true(adit_clock_ns() - begin < 20 * 80000000ull); /* (tried: who finds it counts as who takes it: naps of 0.1 s) */
}

/* Whoever submits stops before it wakes anybody: as if nobody slept. */
static void a_lost_wake_is_made_good_by_whoever_looks(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        shm_fixture_nap(150 + 70 * i); /* naps of various lengths */
        uint32_t waiters = adit_load32_acquire(&queue->slot->work.waiters);
        adit_store32_release(&queue->slot->work.waiters, 0);
        uint64_t task = task_submit(queue, near(echo, i % 2, ADIT_FOR_EVER)), begin = adit_clock_ns();
        adit_store32_release(&queue->slot->work.waiters, waiters);
        assert_int_equal(task_take(queue, task).worker, board->crew[i % 2].slot);
        assert_true(adit_clock_ns() - begin < 5000000000u); /* (tried: one that looks for all, and cannot have it, keeps that to itself) */
    }
}

static void what_is_near_this_node_runs_at_once(void **state)
{
    struct adit_task_spec s = {.size = sizeof s, .kind = echo, .affinity = ADIT_NEAR_NODE, .near = (uint32_t)adit_numa_here(), .patience_ns = ADIT_FOR_EVER};
    (void)state;
    if (adit_numa_nodes_end() == 1)
        assert_int_equal(task_take(queue, task_submit(queue, s)).end, ADIT_ENDED_DONE);
}

static void a_task_that_may_not_run_here_is_not_run_by_who_waits_for_it(void **state)
{
    struct adit_task_result r = {.size = sizeof r};
    struct adit_task_spec s = near(echo, 1, ADIT_FOR_EVER);
    (void)state;
    adit_queue_close(&queue);
    uint32_t again;
    const struct adit_kind_params e = {.size = sizeof e, .name = "here", .run = run_echo, .args_bytes_max = 4, .result_bytes_max = 4};
    know(arena, false);
    assert_int_equal(adit_kind_register(arena, &e, &again), 0);
    s.kind = again; /* which only this process runs, and it is not the one */
    s.affinity = ADIT_ANYWHERE;
    assert_int_equal(adit_run(queue, &s, ADIT_FOR_EVER, &r), 0); /* so that it is known to be short */
    s.affinity = ADIT_NEAR_WORKER;
    assert_int_equal(adit_run(queue, &s, 100000000, &r), -ETIMEDOUT);
    s.patience_ns = 1000000;
    assert_int_equal(adit_run(queue, &s, ADIT_FOR_EVER, &r), 0);
    assert_true(r.inlined);
}

/* ---- memory ---- */

/* So much is left, of what can be reserved, by the creator's own word. */
static void leave_memory(uint64_t bytes)
{
    struct adit_task_memory *own = &arena->task_memory[adit_owner_slot(arena->owner)];
    adit_store_seq_cst(&own->fresh, 0);
    adit_store_seq_cst(&own->reserved, bytes == UINT64_MAX ? 0 : adit_memory_all_bytes() - bytes);
}

static void what_does_not_fit_together_runs_one_after_the_other(void **state)
{
    uint64_t tasks[40];
    (void)state;
    leave_memory(ROOM);
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < 10; i++)
        tasks[i] = task_submit(queue, taking(hold, ROOM * 6 / 10));
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(task_take(queue, task_submit(queue, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = echo})).end, ADIT_ENDED_DONE);
        assert_int_equal(task_take(queue, tasks[i]).end, ADIT_ENDED_DONE);
    }
    assert_int_equal(board->at_work_most, 1); /* (tried: no sum) */
    for (uint32_t i = 0; i < 40; i++)
        tasks[i] = task_submit(queue, taking(hold, ROOM * 4 / 10));
    for (uint32_t i = 0; i < 40; i++)
        (void)task_take(queue, tasks[i]);
    assert_int_equal(board->at_work_most, 2);
    leave_memory(UINT64_MAX);
}

static void a_killed_workers_memory_is_free_again(void **state)
{
    (void)state;
    leave_memory(ROOM);
    uint64_t first = task_submit(queue, taking(hold, ROOM));
    shm_fixture_until(&board->begun, 1);
    uint64_t second = task_submit(queue, taking(hold, ROOM));
    shm_fixture_nap(30);
    assert_int_equal(board->begun, 1);
    struct adit_task_info info = {.size = sizeof info};
    assert_int_equal(adit_task_look(queue, first, &info), 0);
    kill_member((pid_t)info.pid == crew[0] ? 0 : 1); /* not whoever has reserved some: it may be trying for the other one (tried: recovery that leaves what was reserved) */
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    assert_int_equal(task_take(queue, first).attempts, 2);
    assert_int_equal(task_take(queue, second).attempts, 1);
    leave_memory(UINT64_MAX);
}

/* It would not fit if all others ended. */
static void one_that_cannot_fit_holds_no_other_up(void **state)
{
    (void)state;
    uint64_t huge = task_submit(queue, taking(echo, adit_memory_all_bytes()));
    shm_fixture_nap(150); /* it has waited long enough for a turn; there is never so much, as something is always in use */
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(task_take(queue, task_submit(queue, taking(echo, MIB))).end, ADIT_ENDED_DONE); /* (tried: a turn for whatever waits) */
    assert_int_equal(task_stage(queue, huge), ADIT_STAGE_QUEUED);
    assert_int_equal(adit_cancel(queue, huge), 0);
    (void)task_take(queue, huge);
}

/* What lies in the words of a slot that nobody has is nobody's. */
static void words_left_behind_are_not_counted(void **state)
{
    struct adit_task_memory *free_slot = &arena->task_memory[arena->participants_max - 1];
    (void)state;
    adit_store_seq_cst(&free_slot->reserved, UINT64_MAX);
    assert_int_equal(task_take(queue, task_submit(queue, taking(echo, MIB))).end, ADIT_ENDED_DONE); /* (tried: all slots count) */
    adit_store_seq_cst(&free_slot->reserved, 0);
}

/* Two small ones fit, and end at different times, so there is never room for the large one unless somebody leaves it. */
static void a_large_one_has_its_turn(void **state)
{
    uint64_t small[60], large = 0;
    uint32_t before = 0;
    (void)state;
    leave_memory(ROOM);
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < 60; i++) {
        if (i == 4)
            large = task_submit(queue, taking(hold, ROOM));
        small[i] = task_submit(queue, taking(hold, ROOM * 4 / 10));
    }
    assert_int_equal(task_take(queue, large).end, ADIT_ENDED_DONE);
    while (before < SOME && __atomic_load_n(&board->order[before], __ATOMIC_ACQUIRE) != large)
        before++;
    assert_true(before < 58); /* (tried: no turn: it comes when no small one is left) */
    for (uint32_t i = 0; i < 60; i++)
        (void)task_take(queue, small[i]);
    leave_memory(UINT64_MAX);
}

/* What others have reserved a moment ago is not in use yet, and will be. */
static void what_was_just_reserved_counts_as_not_available(void **state)
{
    struct adit_task_memory *own = &arena->task_memory[adit_owner_slot(arena->owner)];
    uint64_t begin = adit_clock_ns(), all = adit_memory_all_bytes(), available = adit_memory_available_bytes();
    (void)state;
    if (available + 256 * MIB > all)
        skip(); /* the one condition cannot be told from the other */
    adit_store_relaxed(&own->since_ns, begin);
    adit_store_seq_cst(&own->fresh, all - 64 * MIB);
    adit_store_seq_cst(&own->reserved, all - 64 * MIB);
    __atomic_store_n(&board->open, 1, __ATOMIC_RELEASE);
    (void)task_take(queue, task_submit(queue, taking(echo, MIB)));
    assert_true(adit_clock_ns() - begin > 900000000); /* (tried: sums only) */
    leave_memory(UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_near_a_worker_runs_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_right_one_is_woken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_busy_workers_tasks_are_others_when_patience_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_worker_cannot_have_does_not_keep_it_awake, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_held_delayed_or_tried_again_keeps_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_near_a_worker_waits_while_one_of_its_pools_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_waits_is_woken_when_the_last_worker_has_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_near_a_dead_worker_is_anybodys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_near_who_has_no_workers_is_anybodys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_due_near_another_wakes_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_wake_is_made_good_by_whoever_looks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_near_this_node_runs_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_task_that_may_not_run_here_is_not_run_by_who_waits_for_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_fit_together_runs_one_after_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_killed_workers_memory_is_free_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_cannot_fit_holds_no_other_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(words_left_behind_are_not_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_one_has_its_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_just_reserved_counts_as_not_available, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("task wants", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
