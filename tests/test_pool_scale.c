/* A pool that has as many threads, or processes at work, as load asks for (runtime/scaler.h): it grows, tells why, and shrinks without disturbing anybody. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/task_fixture.h"

#define LIMIT_NS 20000000000u

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t kind, inside, inside_most, asked_to_stop;

/* Runs as long as its argument says, in milliseconds. */
static int run_nap(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t ms, now = __atomic_add_fetch(&inside, 1, __ATOMIC_ACQ_REL), most = __atomic_load_n(&inside_most, __ATOMIC_RELAXED);
    memcpy(&ms, args, sizeof ms);
    while (now > most && !__atomic_compare_exchange_n(&inside_most, &most, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    while (ms--) {
        shm_fixture_nap(1);
        if (adit_task_should_stop(run))
            __atomic_store_n(&asked_to_stop, 1, __ATOMIC_RELAXED);
    }
    __atomic_sub_fetch(&inside, 1, __ATOMIC_ACQ_REL);
    (void)result;
    (void)result_bytes;
    return 0;
}

struct story {
    enum adit_scaled_what what;
    uint32_t ups, downs, refusals, failures; /* refusals: not now; failures: what could not be done */
};

static void note(const struct adit_scaled *change, void *user)
{
    struct story *s = user;
    uint32_t *unchanged = strstr(change->reason, "not now") ? &s->refusals : &s->failures;
    __atomic_fetch_add(change->to > change->from ? &s->ups : change->to < change->from ? &s->downs : unchanged, 1, __ATOMIC_RELEASE);
    REQUIRE(change->what == s->what && *change->reason && change->load >= 0 && change->load <= 1 && change->grade >= 'A' && change->grade <= 'F');
}

static void a_pool_grows_with_its_load_and_shrinks_after_it(void **state)
{
    (void)state;
    struct story story = {.what = ADIT_SCALED_THREADS};
    const struct adit_kind_params k = {.size = sizeof k, .name = "nap", .run = run_nap, .args_bytes_min = 4, .args_bytes_max = 4};
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1, .workers_max = 6, .cooldown_up_ns = 20000000, .cooldown_down_ns = 30000000, .scaled = note, .user = &story};
    struct adit_pool *pool;
    struct adit_pool_stats stats = {.size = sizeof stats};
    arena = fixture_create(NULL);
    assert_int_equal(adit_kind_register(arena, &k, &kind), 0);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    uint64_t tasks[60];
    uint32_t ms = 30;
    struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &ms, .args_bytes = sizeof ms};
    for (uint32_t i = 0; i < 60; i++)
        assert_int_equal(adit_submit(queue, &s, &tasks[i]), 0);
    for (uint32_t i = 0; i < 60; i++) {
        struct adit_task_result r = {.size = sizeof r};
        assert_int_equal(adit_wait(queue, tasks[i], LIMIT_NS, &r), 0);
        assert_int_equal(r.status, 0);
    }
    assert_in_range(inside_most, 4, 6); /* (tried: one, without the scaler) */
#ifdef __SANITIZE_THREAD__
    assert_in_range(__atomic_load_n(&story.ups, __ATOMIC_ACQUIRE), 1, 5); /* on a laden machine they are submitted slower than they end */
#else
    assert_in_range(__atomic_load_n(&story.ups, __ATOMIC_ACQUIRE), 1, 2); /* (tried: four, where what arrived is not counted) */
#endif
    ms = 300;
    uint64_t last;
    assert_int_equal(adit_submit(queue, &s, &last), 0); /* under way while the others go */
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(adit_pool_look(pool, &stats), 0);
        if (stats.workers == 1)
            break;
        shm_fixture_nap(1);
    }
    assert_int_equal(stats.workers, 1);
    struct adit_task_result r = {.size = sizeof r};
    assert_int_equal(adit_wait(queue, last, LIMIT_NS, &r), 0);
    assert_int_equal(asked_to_stop, 0); /* (tried: stop instead of leaves) */
    assert_int_equal(stats.tasks >= 60, true);
    assert_int_equal(stats.grade, 'A');
    adit_pool_close(&pool);
    assert_int_equal(story.downs + story.ups, stats.changes); /* each change is told of */
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static void a_pool_with_room_to_grow_closes_at_any_moment(void **state)
{
    (void)state;
    const struct adit_kind_params k = {.size = sizeof k, .name = "nap", .run = run_nap, .args_bytes_min = 4, .args_bytes_max = 4};
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1, .workers_max = 8};
    arena = fixture_create(NULL);
    assert_int_equal(adit_kind_register(arena, &k, &kind), 0);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    for (uint32_t round = 0; round < 20; round++) {
        struct adit_pool *pool;
        uint32_t ms = 2;
        struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &ms, .args_bytes = sizeof ms, .detached = true};
        assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
        for (uint32_t i = 0; i < 20; i++)
            assert_int_equal(adit_submit(queue, &s, &(uint64_t){0}), 0);
        shm_fixture_nap(round % 7);
        adit_pool_close(&pool);
        assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
        for (uint32_t i = 0; i < 10000 && fixture_stats(arena).tasks_queued; i++)
            shm_fixture_nap(1);
        adit_pool_close(&pool);
    }
    const struct adit_pool_params wrong = {.size = sizeof wrong, .workers = 1, .workers_max = 257};
    struct adit_pool *none;
    assert_int_equal(adit_pool_open(queue, &wrong, &none), -EINVAL);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

#define SKIPPED 77

static uint32_t is_short;

static void note_memory(const struct adit_scaled *change, void *user)
{
    (void)user;
    if (strstr(change->reason, "memory is short"))
        __atomic_store_n(&is_short, 1, __ATOMIC_RELEASE);
}

static void put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    REQUIRE(f && fputs(text, f) >= 0 && !fclose(f));
}

/* This process sees cgroups of either version in which hardly anything is left. */
static void fill_cgroups(void)
{
    REQUIRE(!mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL) && !mkdir("/sys/fs/cgroup/memory", 0755));
    put_file("/sys/fs/cgroup/memory.max", "1000000000\n");
    put_file("/sys/fs/cgroup/memory.current", "999999000\n");
    put_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000000\n");
    put_file("/sys/fs/cgroup/memory/memory.usage_in_bytes", "999999000\n");
}

static void grow_in_a_full_cgroup(void *user)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "nap", .run = run_nap, .args_bytes_min = 4, .args_bytes_max = 4};
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1, .workers_max = 6, .cooldown_up_ns = 20000000, .scaled = note_memory};
    uint32_t ms = 20, id;
    struct adit_task_spec s = {.size = sizeof s, .args = &ms, .args_bytes = sizeof ms, .detached = true};
    struct adit_pool *one;
    struct adit_queue *q;
    (void)user;
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        _exit(SKIPPED);
    struct adit_arena *a = fixture_create(NULL);
    fill_cgroups(); /* of which the arena knows nothing, so there is room for it */
    REQUIRE(!adit_kind_register(a, &k, &id) && !adit_queue_open(a, "work", NULL, &q) && !adit_pool_open(q, &p, &one));
    s.kind = id;
    for (uint32_t i = 0; i < 1000 && !__atomic_load_n(&is_short, __ATOMIC_ACQUIRE); i++) { /* 20 s of them, one at a time */
        while (fixture_stats(a).tasks_queued > 4)
            shm_fixture_nap(1);
        REQUIRE(!adit_submit(q, &s, &(uint64_t){0}));
    }
    struct adit_pool_stats stats = {.size = sizeof stats};
    REQUIRE(!adit_pool_look(one, &stats) && __atomic_load_n(&is_short, __ATOMIC_ACQUIRE) && stats.workers == 1); /* (tried: what the machine has left: it grows) */
    adit_pool_close(&one);
    adit_queue_close(&q);
    adit_detach(&a);
}

static void a_cgroup_that_is_full_keeps_a_pool_from_growing(void **state)
{
    (void)state;
    int code = shm_fixture_in_child(grow_in_a_full_cgroup, NULL);
    if (code == SKIPPED)
        skip(); /* this user mounts nothing */
    assert_int_equal(code, 0);
}

/* ---- processes -------------------------------------------------------------------------------------------------- */

static char object[TASK_OBJECT_BYTES];

static struct adit_pool *open_processes(struct adit_create_params c, struct adit_pool_params p, struct story *story)
{
    const char *objects[] = {object, NULL};
    struct adit_pool *pool;
    *story = (struct story){.what = ADIT_SCALED_PROCESSES};
    p.size = sizeof p;
    p.cooldown_up_ns = 20000000;
    p.cooldown_down_ns = 30000000;
    p.objects = objects;
    p.scaled = note;
    p.user = story;
    arena = fixture_create(&c);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    assert_int_equal(adit_kind_find(arena, "nap", &kind), 0);
    return pool;
}

static struct adit_pool_stats look(struct adit_pool *pool)
{
    struct adit_pool_stats s = {.size = sizeof s};
    REQUIRE(!adit_pool_look(pool, &s));
    return s;
}

static bool has_one_process(void *pool) { return look(pool).processes == 1; }
static bool has_a_standby(void *pool) { return look(pool).standbys == 1; }

static void close_processes(struct adit_pool *pool)
{
    adit_pool_close(&pool);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static uint32_t standby_of(const struct adit_pool *pool)
{
    for (uint32_t i = 0; i < ADIT_POOL_SEATS; i++) {
        struct adit_worker_info info = {.size = sizeof info};
        REQUIRE(!adit_worker_look(pool, i, &info));
        if (info.is_standby && info.pid)
            return info.pid;
    }
    return 0;
}

/* Each ran once, in a process; how many of these were there, and whether this one was one of them. */
static uint32_t run_all(uint32_t n, uint32_t ms, uint32_t pid, bool *is_among)
{
    uint32_t pids[100], pids_n = 0;
    uint64_t tasks[100];
    *is_among = false;
    for (uint32_t i = 0; i < n; i++)
        tasks[i] = task_submit(queue, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .args = &ms, .args_bytes = sizeof ms});
    for (uint32_t i = 0; i < n; i++) {
        struct adit_task_result r = task_take(queue, tasks[i]);
        uint32_t by = 0, at = 0;
        assert_int_equal(r.end, ADIT_ENDED_DONE);
        assert_int_equal(r.status, 0);
        assert_int_equal(r.attempts, 1); /* (tried: a supervisor that kills whom it does without) */
        memcpy(&by, r.data, sizeof by);
        while (at < pids_n && pids[at] != by)
            at++;
        pids[at] = by;
        pids_n += at == pids_n;
        *is_among |= by == pid;
    }
    return pids_n;
}

static void processes_come_and_go_with_their_load(void **state)
{
    (void)state;
    struct story story;
    struct adit_pool *pool = open_processes((struct adit_create_params){.size = sizeof(struct adit_create_params)}, (struct adit_pool_params){.processes_max = 3}, &story);
    bool is_among;
    for (uint32_t step = 1; step <= 2; step++) {
        assert_true(fixture_eventually(has_a_standby, pool));
        uint32_t standby = standby_of(pool);
        assert_int_equal(look(pool).processes, 1);
        assert_in_range(run_all(60, 10, standby, &is_among), 2, 60); /* (tried: one, without the scaler) */
        assert_true(is_among); /* who stood by is the first to go to work */
        assert_in_range(look(pool).processes, 1, 3);
        uint32_t ms = 200;
        uint64_t last = task_submit(queue, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .args = &ms, .args_bytes = sizeof ms}); /* while the others go */
        assert_true(fixture_eventually(has_one_process, pool));
        struct adit_task_result r = task_take(queue, last);
        assert_int_equal(r.status, 0); /* nobody was asked to stop */
        assert_int_equal(r.attempts, 1);
        assert_true(__atomic_load_n(&story.ups, __ATOMIC_ACQUIRE) >= step && __atomic_load_n(&story.downs, __ATOMIC_ACQUIRE) >= step);
    }
    struct adit_pool_stats s = look(pool);
    assert_int_equal(s.deaths, 0);
    assert_int_equal(s.workers, 0);
    close_processes(pool);
    assert_true(story.ups + story.downs >= s.changes); /* more where one came after the look */
    assert_int_equal(story.failures, 0);
}

static void processes_that_cannot_begin_are_told_of_and_the_others_work(void **state)
{
    (void)state;
    struct story story;
    bool is_among;
    struct adit_pool *pool = open_processes((struct adit_create_params){.size = sizeof(struct adit_create_params), .participants_max = 4}, /* this, zygote, worker, standby */
                                            (struct adit_pool_params){.processes = 1, .processes_max = 3}, &story);
    (void)run_all(100, 10, 0, &is_among); /* that all end well is looked at there */
    assert_true(__atomic_load_n(&story.failures, __ATOMIC_ACQUIRE) > 0); /* (tried: with a resize that waits for nobody there are none) */
    assert_int_equal(look(pool).deaths, 0);
    close_processes(pool);
    const struct adit_pool_params wrong[] = {{.size = sizeof *wrong, .processes_max = 101}, {.size = sizeof *wrong, .processes = 1, .processes_max = 99, .standbys = 2},
                                             {.size = sizeof *wrong, .processes = 1, .confine = (enum adit_confine)3}};
    arena = fixture_create(NULL);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(adit_pool_open(queue, &wrong[i], &pool), -EINVAL);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

/* ---- what nobody here can run ----------------------------------------------------------------------------------- */

static uint32_t ups_of[2]; /* by enum adit_scaled_what */

static void count_ups(const struct adit_scaled *change, void *user)
{
    (void)user;
    if (change->to > change->from)
        __atomic_fetch_add(&ups_of[change->what == ADIT_SCALED_PROCESSES], 1, __ATOMIC_RELEASE);
}

static void no_worker_is_made_for_what_it_cannot_run(void **state)
{
    (void)state;
    const char *objects[] = {object, NULL};
    const struct adit_kind_params elsewhere = {.size = sizeof elsewhere, .name = "elsewhere", .capabilities = ADIT_CAN_PROCESS};
    const struct adit_kind_params here = {.size = sizeof here, .name = "here", .run = run_nap, .args_bytes_min = 4, .args_bytes_max = 4};
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1, .workers_max = 4, .processes = 1, .processes_max = 3, .objects = objects, .cooldown_up_ns = 10000000, .scaled = count_ups};
    struct adit_pool *pool;
    uint32_t nobodys, theirs, ours, ms = 50;
    uint64_t tasks[20];
    arena = fixture_create(NULL);
    assert_int_equal(adit_kind_register(arena, &elsewhere, &nobodys), 0);
    assert_int_equal(adit_kind_register(arena, &here, &ours), 0);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    assert_int_equal(adit_kind_find(arena, "apart", &theirs), 0);
    uint64_t waits = task_submit(queue, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = nobodys});
    shm_fixture_nap(500); /* many times what any task should wait: nothing else says that none was made */
    assert_int_equal(ups_of[0] + ups_of[1], 0); /* (seen: all that are allowed) */
    for (uint32_t round = 0; round < 2; round++) {
        uint32_t before[2] = {__atomic_load_n(&ups_of[0], __ATOMIC_ACQUIRE), __atomic_load_n(&ups_of[1], __ATOMIC_ACQUIRE)};
        for (uint32_t i = 0; i < 20; i++)
            tasks[i] = task_submit(queue, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = round ? theirs : ours, .args = &ms, .args_bytes = sizeof ms});
        for (uint32_t i = 0; i < 20; i++)
            assert_int_equal(task_take(queue, tasks[i]).status, 0);
        assert_true(__atomic_load_n(&ups_of[round], __ATOMIC_ACQUIRE) > before[round]); /* (tried: kinds of neither) */
        assert_int_equal(__atomic_load_n(&ups_of[!round], __ATOMIC_ACQUIRE), before[!round]); /* (seen: both) */
    }
    assert_int_equal(task_stage(queue, waits), ADIT_STAGE_QUEUED);
    assert_int_equal(adit_cancel(queue, waits), 0);
    assert_int_equal(task_take(queue, waits).end, ADIT_ENDED_CANCELLED);
    close_processes(pool);
}

static int set_up_all(void **state)
{
    task_object("worker_kinds", object);
    return shm_fixture_set_up(state);
}

#define HOLDERS 6u

/* Until it is asked to stop, or let go. */
static struct {
    pid_t tid;
    uint32_t is_let;
} holders[HOLDERS];
static uint32_t holders_n;

static int run_hold(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t i = __atomic_fetch_add(&holders_n, 1, __ATOMIC_ACQ_REL);
    (void)args;
    (void)result;
    (void)result_bytes;
    __atomic_store_n(&holders[i].tid, gettid(), __ATOMIC_RELEASE);
    while (!adit_task_should_stop(run) && !__atomic_load_n(&holders[i].is_let, __ATOMIC_ACQUIRE))
        shm_fixture_nap(1);
    return -ECANCELED;
}

/* The thread that goes is at a task that ends when its pool closes. One of six is busy then: of three the load might never fall, as the machine's own pressure counts in it, too. (tried: who changes the number waits for it: no change is told of, and the pool never closes) */
static void who_is_asked_to_go_keeps_nobody_waiting(void **state)
{
    (void)state;
    struct story story = {.what = ADIT_SCALED_THREADS};
    const struct adit_kind_params k = {.size = sizeof k, .name = "hold", .run = run_hold};
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1, .workers_max = HOLDERS, .cooldown_up_ns = 1000000, .cooldown_down_ns = 50000000, .scaled = note, .user = &story};
    struct adit_task_spec s = {.size = sizeof s};
    struct adit_pool *pool;
    uint64_t tasks[HOLDERS];
    pid_t last = 0;
    arena = fixture_create(NULL);
    assert_int_equal(adit_kind_register(arena, &k, &s.kind), 0);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    for (uint32_t i = 0; i < HOLDERS; i++)
        tasks[i] = task_submit(queue, s);
    for (uint32_t i = 0; i < HOLDERS; i++) {
        while (!__atomic_load_n(&holders[i].tid, __ATOMIC_ACQUIRE))
            shm_fixture_nap(1);
        last = holders[i].tid > last ? holders[i].tid : last; /* the thread that was started last has the last place */
    }
    for (uint32_t i = 0; i < HOLDERS; i++)
        __atomic_store_n(&holders[i].is_let, holders[i].tid != last, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&story.downs, __ATOMIC_ACQUIRE))
        shm_fixture_nap(1);
    adit_pool_close(&pool);
    uint32_t waits = 0;
    for (uint32_t i = 0; i < HOLDERS; i++)
        waits += task_stage(queue, tasks[i]) == ADIT_STAGE_QUEUED;
    assert_int_equal(waits, 1); /* put back: its pool closed */
    shm_fixture_verify(arena, 0);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cgroup_that_is_full_keeps_a_pool_from_growing),
        cmocka_unit_test(a_pool_grows_with_its_load_and_shrinks_after_it),
        cmocka_unit_test(a_pool_with_room_to_grow_closes_at_any_moment),
        cmocka_unit_test(processes_come_and_go_with_their_load),
        cmocka_unit_test(processes_that_cannot_begin_are_told_of_and_the_others_work),
        cmocka_unit_test(who_is_asked_to_go_keeps_nobody_waiting),
        cmocka_unit_test(no_worker_is_made_for_what_it_cannot_run),
    };
    return cmocka_run_group_tests(tests, set_up_all, shm_fixture_tear_down);
}
