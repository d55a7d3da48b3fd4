/* Worker processes (runtime/supervisor.h): tasks run in them as in threads, whoever of them is killed, and whatever of this is left when it ends. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/worker_slot.h"
#include "tests/task_fixture.h"

#define LIMIT_NS 30000000000u
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
#define KILLS 40u
#else
#define KILLS 200u
#endif

enum kind { NAP, GROW, THREAD, DIE, PUBLISH, SPLIT, DEAF, KINDS };

struct scene {
    struct adit_arena *arena;
    struct adit_queue *queue;
    uint32_t kinds[KINDS];
};
static struct scene own;
static char object[TASK_OBJECT_BYTES];
static enum adit_confine confine;

static void open_scene(struct scene *s, struct adit_arena *arena)
{
    static const char *const names[KINDS] = {"nap", "grow", "thread", "die", "publish", "split", "deaf"};
    s->arena = arena;
    for (uint32_t i = 0; i < KINDS; i++) {
        struct adit_kind_params p = {.size = sizeof p, .name = names[i], .args_bytes_max = 4, .result_bytes_max = 4};
        REQUIRE(!adit_kind_register(arena, &p, &s->kinds[i]));
    }
    REQUIRE(!adit_queue_open(arena, "work", NULL, &s->queue));
}

static void set_up(void) { open_scene(&own, fixture_create(NULL)); }

static bool has_no_children(void *user)
{
    (void)user;
    return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD; /* this process is the reaper of all that descend from it */
}

/* Nothing of a pool is left: no process, no participant, no slot. */
static bool is_alone(void *user)
{
    const struct scene *s = user;
    uint32_t there = 0;
    for (uint32_t i = 0; i < s->arena->participants_max; i++)
        there += adit_part_state(adit_load_acquire(&s->arena->participants[i].word)) != ADIT_PART_FREE;
    return there == 1;
}

static void tear_down(void)
{
    assert_true(fixture_eventually(has_no_children, NULL));
    assert_true(fixture_eventually(is_alone, &own));
    for (uint32_t i = 0; i < own.arena->workers_max; i++)
        assert_int_equal(adit_worker_life(own.arena->workers[i].word), ADIT_LIFE_COLD);
    shm_fixture_verify_quiet(own.arena);
    adit_queue_close(&own.queue);
    adit_detach(&own.arena);
}

static struct adit_pool_params params_of(uint32_t processes)
{
    static const char *objects[2];
    objects[0] = object;
    return (struct adit_pool_params){.size = sizeof(struct adit_pool_params), .processes = processes, .objects = objects, .confine = confine};
}

static struct adit_pool *open_pool(const struct scene *s, struct adit_pool_params p)
{
    struct adit_pool *pool;
    int error = adit_pool_open(s->queue, &p, &pool);
    if (error)
        fprintf(stderr, "%d: %s\n", error, adit_detail());
    REQUIRE(!error);
    return pool;
}

static uint64_t submit(const struct scene *s, enum kind kind, uint32_t argument)
{
    struct adit_task_spec spec = {.size = sizeof spec, .kind = s->kinds[kind], .args = &argument, .args_bytes = sizeof argument, .attempts_max = 15};
    uint64_t task;
    REQUIRE(!adit_submit(s->queue, &spec, &task));
    return task;
}

static struct adit_task_result take(const struct scene *s, uint64_t task)
{
    struct adit_task_result r = {.size = sizeof r};
    REQUIRE(!adit_wait(s->queue, task, LIMIT_NS, &r));
    return r;
}

static uint32_t pid_of(const struct adit_task_result *r)
{
    uint32_t pid = 0;
    memcpy(&pid, r->data, r->bytes == sizeof pid ? sizeof pid : 0);
    return pid;
}

/* The process that ran a task. */
static uint32_t run(const struct scene *s, enum kind kind, uint32_t argument)
{
    struct adit_task_result r = take(s, submit(s, kind, argument));
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.status, 0);
    return pid_of(&r);
}

static struct adit_pool_stats stats_of(const struct adit_pool *pool)
{
    struct adit_pool_stats s = {.size = sizeof s};
    REQUIRE(!adit_pool_look(pool, &s));
    return s;
}

/* Waits until a task runs; the process that it runs in. */
static uint32_t runner_of(const struct scene *s, uint64_t task)
{
    struct adit_task_info i = {.size = sizeof i};
    for (uint32_t tries = 0; tries < 20000; tries++, shm_fixture_nap(1))
        if (!adit_task_look(s->queue, task, &i) && i.stage == ADIT_STAGE_RUNNING && i.progress)
            return (uint32_t)i.progress;
    return 0;
}

static void only_legal_moves_are_made(void **state)
{
    (void)state;
    static const uint8_t legal[][2] = {{0, 1}, {1, 2}, {1, 6}, {2, 3}, {2, 5}, {2, 6}, {3, 4}, {3, 6}, {4, 2}, {4, 5}, {4, 6}, {5, 6}, {6, 0}};
    for (uint32_t from = 0; from < ADIT_LIVES + 2; from++)
        for (uint32_t to = 0; to < ADIT_LIVES + 2; to++) {
            bool is_legal = false;
            for (uint32_t i = 0; i < sizeof legal / sizeof *legal; i++)
                is_legal |= legal[i][0] == from && legal[i][1] == to;
            struct adit_worker_slot slot = {.word = adit_worker_word(7, (enum adit_worker_life)from, 99)}, before = slot;
            assert_int_equal(adit_worker_may_move((enum adit_worker_life)from, (enum adit_worker_life)to), is_legal);
            assert_int_equal(adit_worker_move(&slot, (enum adit_worker_life)to), is_legal); /* (tried: without the look at the table all are made) */
            assert_int_equal(adit_worker_life(slot.word), is_legal ? to : from);
            if (!is_legal)
                assert_memory_equal(&slot, &before, sizeof slot);
        }
}

static uint64_t private_kib(uint32_t pid)
{
    char path[64], line[256];
    unsigned long long kib = 0, one;
    snprintf(path, sizeof path, "/proc/%u/smaps_rollup", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Private_Clean: %llu", &one) == 1 || sscanf(line, "Private_Dirty: %llu", &one) == 1)
            kib += one;
    if (f)
        fclose(f);
    return kib;
}

/* All 60 tasks are counted: a worker counts one after it has committed it. */
static bool has_counted(void *user)
{
    uint64_t tasks = 0;
    for (uint32_t i = 0; i < ADIT_POOL_SEATS; i++) {
        struct adit_worker_info info = {.size = sizeof info};
        assert_int_equal(adit_worker_look(user, i, &info), 0);
        tasks += info.tasks;
    }
    return tasks == 60;
}

static void tasks_run_in_processes(void **state)
{
    (void)state;
    set_up();
    struct adit_pool *pool = open_pool(&own, params_of(3));
    uint64_t tasks[60], most = 0;
    for (uint32_t i = 0; i < 60; i++)
        tasks[i] = submit(&own, NAP, i % 3);
    for (uint32_t i = 0; i < 60; i++) {
        struct adit_task_result r = take(&own, tasks[i]);
        assert_int_equal(r.end, ADIT_ENDED_DONE);
        assert_int_equal(r.attempts, 1);
        assert_int_not_equal(pid_of(&r), 0);
        assert_int_not_equal(pid_of(&r), getpid());
    }
    struct adit_pool_stats s = stats_of(pool);
    assert_int_equal(s.workers, 0);
    assert_int_equal(s.processes, 3);
    assert_int_equal(s.deaths, 0);
    assert_true(fixture_eventually(has_counted, pool));
    for (uint32_t i = 0; i < ADIT_POOL_SEATS; i++) {
        struct adit_worker_info info = {.size = sizeof info};
        assert_int_equal(adit_worker_look(pool, i, &info), 0);
        uint64_t kib = info.pid ? private_kib(info.pid) : 0;
        most = kib > most ? kib : most;
    }
    struct adit_worker_info beyond = {.size = sizeof beyond};
    assert_int_equal(adit_worker_look(pool, ADIT_POOL_SEATS, &beyond), -ENOENT);
    printf("a worker process has %llu KiB of its own at most\n", (unsigned long long)most);
    adit_pool_close(&pool);
    tear_down();
}

/* What does not work is an error with its reason, and leaves nothing. */
static void refuse(struct adit_pool_params p, const char *first, int wanted, const char *word)
{
    const char *objects[] = {first ? first : object, NULL};
    struct adit_pool *pool;
    p.objects = objects;
    assert_int_equal(adit_pool_open(own.queue, &p, &pool), wanted);
    assert_null(pool);
    if (!strstr(adit_detail(), word))
        fail_msg("'%s' does not say '%s'", adit_detail(), word);
    assert_null(strchr(adit_detail(), '\n'));
    assert_true(fixture_eventually(has_no_children, NULL));
}

static void what_is_no_object_of_kinds_is_refused(void **state)
{
    (void)state;
    char text[4400], other[4400];
    set_up();
    snprintf(text, sizeof text, "%s/../text.so", shm_fixture_directory());
    snprintf(other, sizeof other, "%.*s/../peers/libpeer_mesher.so", (int)(strrchr(object, '/') - object), object);
    FILE *f = fopen(text, "w");
    assert_non_null(f);
    fputs("not an object\n", f);
    fclose(f);
    refuse(params_of(2), text, -ENOEXEC, "cannot be loaded");
    refuse(params_of(2), "nowhere.so", -ENOEXEC, "nowhere.so");
    refuse(params_of(2), other, -ENOEXEC, "no adit_kinds_load");
    unlink(text);
    struct adit_pool_params p = params_of(2);
    p.worker_path = "/nowhere/adit-worker";
    refuse(p, NULL, -ENOENT, "/nowhere/adit-worker");
    p = params_of(100);
    p.standbys = 1;
    refuse(p, NULL, -EINVAL, "at most 100");
    p = params_of(80); /* more than there are participants */
    refuse(p, NULL, -EUSERS, "participants_max");
    tear_down();
}

static void kinds_that_cannot_be_loaded_are_told_of(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *word;
        int error;
    } loads[] = {{"error", "failed with -1", -EPERM}, {"thread", "starts threads", -ENOTSUP}, {"crash", "killed by signal 9", -ECHILD}};
    for (uint32_t i = 0; i < 3; i++) {
        setenv("WORKER_KINDS", loads[i].fault, 1); /* while there are no threads */
        set_up();
        refuse(params_of(2), NULL, loads[i].error, loads[i].word);
        tear_down();
    }
    unsetenv("WORKER_KINDS");
}

static uint32_t pick_victim(const struct adit_pool *pool, uint64_t *seed)
{
    for (uint32_t tries = 0; tries < 1000; tries++) {
        struct adit_worker_info info = {.size = sizeof info};
        uint32_t i = (uint32_t)(shm_fixture_random(seed) % 8);
        if (!adit_worker_look(pool, i, &info) && info.pid && info.state < ADIT_WORKER_TERMINATING)
            return info.pid;
    }
    return 0;
}

static void killed_workers_lose_and_double_nothing(void **state)
{
    (void)state;
    enum { UNDER_WAY = 24 };
    set_up();
    struct adit_pool *pool = open_pool(&own, params_of(3));
    uint64_t tasks[UNDER_WAY], seed = 5, done = 0, retried = 0;
    uint32_t kills = 0;
    for (uint32_t i = 0; i < UNDER_WAY; i++)
        tasks[i] = submit(&own, NAP, i % 3);
    for (uint32_t at = 0; stats_of(pool).deaths < (confine ? KILLS / 4 : KILLS); at = (at + 1) % UNDER_WAY) {
        uint32_t pid = done % 2 ? pick_victim(pool, &seed) : 0;
        kills += pid && !kill((pid_t)pid, SIGKILL);
        struct adit_task_result r = take(&own, tasks[at]);
        assert_int_equal(r.end, ADIT_ENDED_DONE);
        assert_int_equal(r.status, 0);
        retried += r.attempts > 1;
        if (!(done++ % 16))
            shm_fixture_verify(own.arena, 0); /* slots of those who just died, leave, or come */
        tasks[at] = submit(&own, NAP, (uint32_t)(shm_fixture_random(&seed) % 3));
    }
    for (uint32_t i = 0; i < UNDER_WAY; i++)
        assert_int_equal(take(&own, tasks[i]).end, ADIT_ENDED_DONE);
    struct adit_pool_stats s = stats_of(pool);
    printf("%u kills, %llu deaths, %llu tasks, %llu of them run again\n", kills, (unsigned long long)s.deaths, (unsigned long long)done, (unsigned long long)retried);
    assert_true(retried > 0); /* (tried: without a new worker for each dead one it hangs) */
    assert_int_equal(s.last_signal, SIGKILL);
    adit_pool_close(&pool);
    tear_down();
}

/* A task whose worker is killed runs again. */
static void is_run_again(void)
{
    struct adit_pool *pool = open_pool(&own, params_of(1));
    uint64_t task = submit(&own, NAP, 300);
    uint32_t first = runner_of(&own, task);
    assert_int_not_equal(first, 0);
    assert_int_equal(kill((pid_t)first, SIGKILL), 0);
    struct adit_task_result r = take(&own, task);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.attempts, 2);
    assert_int_not_equal(pid_of(&r), first);
    adit_pool_close(&pool);
}

static void a_death_is_seen_on_kernels_that_cannot_wait_for_many_words(void **state)
{
    (void)state;
    char list[256], before[128];
    snprintf(before, sizeof before, "%s", getenv("ADIT_DISABLE"));
    snprintf(list, sizeof list, "%s,waitv", before);
    setenv("ADIT_DISABLE", list, 1); /* while there are no threads */
    set_up();
    is_run_again();
    tear_down();
    setenv("ADIT_DISABLE", before, 1);
    set_up();
    is_run_again();
    tear_down();
}

static void a_task_that_kills_its_workers_is_poisoned_and_others_go_on(void **state)
{
    (void)state;
    set_up();
    struct adit_pool *pool = open_pool(&own, params_of(2));
    uint32_t late = 3, never = 100;
    struct adit_task_spec s = {.size = sizeof s, .kind = own.kinds[DIE], .args = &never, .args_bytes = 4, .attempts_max = 4};
    uint64_t poison;
    assert_int_equal(adit_submit(own.queue, &s, &poison), 0);
    uint64_t slow = submit(&own, DIE, late);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_not_equal(run(&own, NAP, 0), 0);
    struct adit_task_result r = take(&own, poison), r2 = take(&own, slow);
    assert_int_equal(r.end, ADIT_ENDED_POISONED);
    assert_int_equal(r.attempts, 4);
    assert_int_equal(r2.end, ADIT_ENDED_DONE);
    assert_int_equal(r2.attempts, 3);
    adit_pool_close(&pool);
    tear_down();
}

/* What is told of who died of the last attempt. (tried: no handler; one on the stack that has overflowed; the signal left out of the result) */
static void of_poison_is_told_by_what_its_worker_died(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    static const uint32_t signals[] = {0, SIGABRT}; /* they answer the other one themselves */
#else
    static const uint32_t signals[] = {0, SIGABRT, SIGSEGV};
#endif
    set_up();
    struct adit_pool *pool = open_pool(&own, params_of(2));
    for (uint32_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        uint32_t never = 100 | signals[i] << 8;
        struct adit_task_spec s = {.size = sizeof s, .kind = own.kinds[DIE], .args = &never, .args_bytes = 4, .attempts_max = 2};
        uint64_t poison;
        assert_int_equal(adit_submit(own.queue, &s, &poison), 0);
        struct adit_task_result r = take(&own, poison);
        assert_int_equal(r.end, ADIT_ENDED_POISONED);
        assert_int_equal(r.signal, signals[i]);
        assert_int_equal(take(&own, submit(&own, NAP, 0)).signal, 0);
    }
    adit_pool_close(&pool);
    tear_down();
}

static void a_task_is_not_given_back_while_a_thread_of_its_worker_runs(void **state)
{
    (void)state;
    set_up();
    struct adit_pool *pool = open_pool(&own, params_of(1));
    uint64_t task = submit(&own, SPLIT, 0);
    uint32_t first = runner_of(&own, task);
    int threads = adit_process_threads_open(first);
    struct adit_task_info i = {.size = sizeof i};
    assert_true(threads >= 0);
    for (i.attempt = 1; i.attempt == 1 && i.stage != ADIT_STAGE_ENDED;) { /* bounded by the kind: others have it once it has let go */
        REQUIRE(!adit_task_look(own.queue, task, &i));
        shm_fixture_nap(1);
    }
    assert_in_range(adit_process_threads(threads), 0, 1); /* (tried: with the robust word alone the second attempt finds two) */
    struct adit_task_result r = take(&own, task);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.attempts, 2);
    assert_int_not_equal(pid_of(&r), first);
    close(threads);
    adit_pool_close(&pool);
    tear_down();
}

/* Runs kind until another process does it. */
static void wear_out(struct adit_pool_params p, enum kind kind, uint32_t argument)
{
    struct adit_pool *pool = open_pool(&own, p);
    uint32_t first = run(&own, kind, argument), now = first, tasks = 1;
    for (; now == first && tasks < 20000; tasks++) {
        struct adit_task_result r = take(&own, submit(&own, NAP, 1));
        assert_int_equal(r.attempts, 1); /* (tried: a supervisor that kills the worn meets some that have just claimed) */
        now = pid_of(&r);
    }
    assert_int_not_equal(now, first);
    struct adit_pool_stats s = stats_of(pool);
    assert_true(s.recycled > 0);
    assert_int_equal(s.deaths, 0);
    adit_pool_close(&pool);
}

static void worn_workers_are_replaced_between_tasks(void **state)
{
    (void)state;
    set_up();
    struct adit_pool_params p = params_of(1);
    p.recycle_tasks = 10;
    wear_out(p, NAP, 0);
    p = params_of(1);
    p.recycle_age_ns = 50000000;
    wear_out(p, NAP, 0);
    p = params_of(1);
    p.recycle_bytes = 128u << 20;
    wear_out(p, GROW, 160u << 20);
    wear_out(params_of(1), THREAD, 0); /* such a one may not be left at work: see supervisor.h */
    tear_down();
}

static bool has_a_standby(void *user) { return stats_of(user).standbys > 0; }

static void a_worn_worker_runs_no_task_more_when_a_standby_is_ready(void **state)
{
    (void)state;
    enum { WORN = 10, TASKS = 3 * WORN };
    set_up();
    for (uint32_t round = 0; round < 3; round++) {
        struct adit_pool_params p = params_of(1);
        p.recycle_tasks = WORN;
        struct adit_pool *pool = open_pool(&own, p);
        assert_true(fixture_eventually(has_a_standby, pool));
        uint64_t tasks[TASKS];
        uint32_t first = 0, by_first = 0;
        for (uint32_t i = 0; i < TASKS; i++)
            tasks[i] = submit(&own, NAP, 0);
        for (uint32_t i = 0; i < TASKS; i++) {
            struct adit_task_result r = take(&own, tasks[i]);
            assert_int_equal(r.attempts, 1);
            first = i ? first : pid_of(&r);
            by_first += pid_of(&r) == first;
        }
        assert_int_equal(by_first, WORN); /* (tried: without the worker's bell it runs all thirty before it is looked at) */
        adit_pool_close(&pool);
    }
    tear_down();
}

static void closing_asks_tasks_of_processes_to_stop(void **state)
{
    (void)state;
    set_up();
    struct adit_pool *pool = open_pool(&own, params_of(2));
    uint64_t task = submit(&own, NAP, 60000);
    assert_int_not_equal(runner_of(&own, task), 0);
    adit_pool_close(&pool);
    struct adit_task_info info = {.size = sizeof info};
    assert_int_equal(adit_task_look(own.queue, task, &info), 0); /* for others to run: nobody has cancelled it */
    assert_int_equal(info.stage, ADIT_STAGE_QUEUED);
    assert_int_equal(adit_cancel(own.queue, task), 0);
    assert_int_equal(take(&own, task).end, ADIT_ENDED_CANCELLED);
    tear_down();
}

static void a_killed_zygote_is_replaced_and_its_workers_end_after_their_tasks(void **state)
{
    (void)state;
    set_up();
    struct adit_pool *pool = open_pool(&own, params_of(2));
    uint64_t task = submit(&own, NAP, 300);
    uint32_t worker = runner_of(&own, task), zygote = task_parent_of(worker);
    assert_int_not_equal(worker, 0);
    assert_int_not_equal(zygote, getpid());
    assert_int_equal(kill((pid_t)zygote, SIGKILL), 0);
    struct adit_task_result r = take(&own, task);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.attempts, 1); /* it was ended, not killed (tried: with PR_SET_PDEATHSIG of SIGKILL it takes two) */
    uint32_t other = run(&own, NAP, 0);
    assert_int_not_equal(other, 0);
    for (uint32_t i = 0; i < 200 && task_parent_of(other) == zygote; i++)
        other = run(&own, NAP, 50);
    assert_int_not_equal(task_parent_of(other), zygote);
    adit_pool_close(&pool);
    tear_down();
}

/* ---- the supervisor's death ------------------------------------------------------------------------------------- */

static uint32_t *is_open; /* shared: the child's pool is */

static void keep_a_pool(void *user)
{
    struct scene s = {0};
    (void)user;
    open_scene(&s, shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER));
    (void)open_pool(&s, params_of(2));
    __atomic_store_n(is_open, 1, __ATOMIC_RELEASE);
    for (;;)
        pause();
}

static void when_a_supervisor_is_killed_its_workers_end_and_another_pool_goes_on(void **state)
{
    (void)state;
    is_open = shm_fixture_shared(sizeof *is_open);
    pid_t child = fixture_fork(keep_a_pool, NULL);
    set_up();
    fixture_start();
    shm_fixture_until(is_open, 1);
    uint64_t task = submit(&own, NAP, 100), tasks[10]; /* well below the second after which it is asked to stop, also where each nap takes three times as long */
    uint32_t worker = runner_of(&own, task), zygote = task_parent_of(worker);
    assert_int_not_equal(worker, 0);
    assert_int_equal(task_parent_of(zygote), child);
    kill(child, SIGKILL);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    struct adit_task_result r = take(&own, task);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    assert_int_equal(r.attempts, 1); /* its worker has finished it (tried: a zygote that kills its workers then) */
    assert_int_equal(pid_of(&r), worker);
    for (uint32_t i = 0; i < 10; i++)
        tasks[i] = submit(&own, NAP, 1);
    struct adit_pool *pool = open_pool(&own, params_of(1));
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(take(&own, tasks[i]).end, ADIT_ENDED_DONE);
    adit_pool_close(&pool);
    assert_true(fixture_eventually(has_no_children, NULL)); /* zygote and workers */
    assert_true(fixture_eventually(is_alone, &own));
    for (uint32_t i = 0; i < 3; i++) { /* their slots serve again */
        pool = open_pool(&own, params_of(2));
        adit_pool_close(&pool);
    }
    for (uint32_t i = 0, there = 0; i < own.arena->workers_max; i++) {
        there += adit_worker_life(own.arena->workers[i].word) != ADIT_LIFE_COLD;
        assert_int_equal(there, 0);
    }
    tear_down();
}

static void what_workers_give_up_is_reclaimed(void **state)
{
    (void)state;
    set_up();
    struct adit_pool *pool = open_pool(&own, params_of(1));
    for (uint32_t i = 0; i < 50; i++)
        assert_int_not_equal(run(&own, PUBLISH, i), 0);
    assert_true(fixture_eventually(fixture_is_tidy, own.arena)); /* while its pool is there (tried: without a reclaimer in the worker it never is) */
    assert_int_equal(stats_of(pool).recycled, 0);                 /* and its thread counts as the library's */
    adit_pool_close(&pool);
    tear_down();
}

static int set_up_all(void **state)
{
    task_object("worker_kinds", object);
    return prctl(PR_SET_CHILD_SUBREAPER, 1) || shm_fixture_set_up(state);
}

/* A task that hears nothing does not keep its worker for ever when nobody is left who could end it. */
static void a_task_that_goes_on_and_on_ends_with_its_application(void **state)
{
    (void)state;
    is_open = shm_fixture_shared(sizeof *is_open);
    pid_t child = fixture_fork(keep_a_pool, NULL);
    set_up();
    fixture_start();
    shm_fixture_until(is_open, 1);
    uint64_t task = submit(&own, DEAF, 0);
    assert_int_not_equal(runner_of(&own, task), 0);
    kill(child, SIGKILL);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    assert_true(fixture_eventually(has_no_children, NULL)); /* (seen: without the end after 3 s zygote and worker stay) */
    assert_true(fixture_eventually(is_alone, &own));
    struct adit_task_info info = {.size = sizeof info};
    assert_int_equal(adit_task_look(own.queue, task, &info), 0); /* for others to run */
    assert_int_equal(info.stage, ADIT_STAGE_QUEUED);
    assert_int_equal(adit_cancel(own.queue, task), 0);
    assert_int_equal(take(&own, task).end, ADIT_ENDED_CANCELLED);
    for (uint32_t i = 0; i < 3; i++) { /* slots of pools that are gone serve again */
        struct adit_pool *pool = open_pool(&own, params_of(2));
        adit_pool_close(&pool);
    }
    shm_fixture_verify(own.arena, 0);
    adit_queue_close(&own.queue);
    adit_detach(&own.arena);
}

static int be_strict(void **state)
{
    (void)state;
    confine = ADIT_CONFINE_STRICTLY;
    return 0;
}

/* Once more with confined workers (runtime/confine.h). */
#define CONFINED(test) {#test " (confined)", test, be_strict, NULL, NULL}

/* Any argument: with confined workers alone, all of it. */
int main(int argc, char **argv)
{
    (void)argv;
    confine = argc > 1 ? ADIT_CONFINE_STRICTLY : ADIT_CONFINE_OFF;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_a_supervisor_is_killed_its_workers_end_and_another_pool_goes_on), /* it forks, so it is first */
        cmocka_unit_test(only_legal_moves_are_made),
        cmocka_unit_test(tasks_run_in_processes),
        cmocka_unit_test(what_is_no_object_of_kinds_is_refused),
        cmocka_unit_test(kinds_that_cannot_be_loaded_are_told_of),
        cmocka_unit_test(killed_workers_lose_and_double_nothing),
        cmocka_unit_test(a_death_is_seen_on_kernels_that_cannot_wait_for_many_words),
        cmocka_unit_test(a_task_that_kills_its_workers_is_poisoned_and_others_go_on),
        cmocka_unit_test(of_poison_is_told_by_what_its_worker_died),
        cmocka_unit_test(a_task_is_not_given_back_while_a_thread_of_its_worker_runs),
        cmocka_unit_test(worn_workers_are_replaced_between_tasks),
        cmocka_unit_test(a_worn_worker_runs_no_task_more_when_a_standby_is_ready),
        cmocka_unit_test(closing_asks_tasks_of_processes_to_stop),
        cmocka_unit_test(a_killed_zygote_is_replaced_and_its_workers_end_after_their_tasks),
        cmocka_unit_test(a_task_that_goes_on_and_on_ends_with_its_application),
        cmocka_unit_test(what_workers_give_up_is_reclaimed),
        CONFINED(tasks_run_in_processes),
        CONFINED(killed_workers_lose_and_double_nothing),
        CONFINED(a_task_that_kills_its_workers_is_poisoned_and_others_go_on),
        CONFINED(of_poison_is_told_by_what_its_worker_died),
        CONFINED(a_task_is_not_given_back_while_a_thread_of_its_worker_runs),
        CONFINED(worn_workers_are_replaced_between_tasks),
        CONFINED(a_killed_zygote_is_replaced_and_its_workers_end_after_their_tasks),
        CONFINED(what_workers_give_up_is_reclaimed),
    };
    return cmocka_run_group_tests(tests, set_up_all, shm_fixture_tear_down);
}
