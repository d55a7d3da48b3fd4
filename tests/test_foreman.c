/* A dispatcher as a client of tasks (runtime/foreman.h): worker processes make the meshes that threads make, whoever of them is killed; a chunk that kills them is given up alone; others' tasks run
 * beside. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/dirty.h"
#include "runtime/kinds.h"
#include "runtime/offers.h"
#include "runtime/store.h"
#include "tests/mesh_world.h"
#include "tests/task_fixture.h"

#define SETTLE_NS 60000000000u
#if defined __SANITIZE_THREAD__
#define KILLS 2u
#define WORLDS 1u
#else
#define KILLS 6u
#define WORLDS 2u
#endif
#define POISONED 22u /* the chunk of many materials: behind borders and mask, which its neighbours' meshers read, it has 512 KiB of voxels */
#define VOXELS_AT (128u << 10)

static char object[TASK_OBJECT_BYTES];

static struct adit_dispatcher *dispatch(struct adit_arena *a, uint32_t workers, uint32_t processes)
{
    static const char *objects[2];
    objects[0] = object;
    const struct adit_dispatcher_params p = {.size = sizeof p, .workers = workers, .processes = processes, .objects = objects};
    struct adit_dispatcher *d;
    int error = adit_dispatcher_open(a, &p, &d);
    if (error)
        fprintf(stderr, "%d: %s\n", error, adit_detail());
    REQUIRE(!error);
    return d;
}

static struct adit_tier_info tier(const struct adit_dispatcher *d, uint32_t i)
{
    struct adit_tier_info info;
    assert_int_equal(adit_dispatcher_tier(d, i, &info), 0);
    return info;
}

static bool has_no_children(void *user)
{
    (void)user;
    return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD; /* this process is the reaper of all that descend from it */
}

/* Nothing of a dispatcher is left: no process, no participant, no task. (tried: what has become of offers not taken at close) */
static void assert_nothing_is_left(struct adit_arena *a)
{
    assert_true(fixture_eventually(has_no_children, NULL));
    assert_true(fixture_eventually(fixture_is_alone, a));
    struct adit_stats s = fixture_stats(a);
    assert_int_equal(s.tasks_delayed + s.tasks_queued + s.tasks_running + s.tasks_ended, 0);
    shm_fixture_verify_quiet(a);
}

static void close_all(struct adit_arena *a, struct adit_dispatcher *d)
{
    adit_dispatcher_close(&d);
    assert_nothing_is_left(a);
    mesh_world_assert_right(a);
    assert_nothing_is_left(a);
    adit_detach(&a);
}

static void settle(struct adit_arena *a) { assert_int_equal(adit_settle(a, SETTLE_NS), 0); }

/* ---- offers ---- */

static void offers_are_found_by_chunk_and_by_age(void **state)
{
    enum { INDICES = 300 };
    static struct adit_offers o;
    uint64_t serials[INDICES] = {0}, seed = 5, last = 0;
    uint32_t n = 0;
    (void)state;
    assert_int_equal(adit_offers_init(&o, INDICES, NULL, 0), 0);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t index = (uint32_t)(shm_fixture_random(&seed) % INDICES);
        struct adit_offer *x = adit_offers_find(&o, index), *newest = adit_offers_newest(&o, UINT64_MAX);
        uint64_t want = 0;
        for (uint32_t k = 0; k < INDICES; k++)
            want = serials[k] > want ? serials[k] : want;
        assert_int_equal(newest ? newest->serial : 0, want);
        assert_int_equal(!x, !serials[index]); /* (tried: remove leaves the place of what it moved) */
        if (x) {
            assert_int_equal(x->serial, serials[index]);
            assert_int_equal(x->task, index * 7);
            adit_offers_remove(&o, x);
            serials[index] = 0;
            n--;
        } else if (n < ADIT_OFFERS_MAX) {
            adit_offers_add(&o, index, index * 7, 1);
            serials[index] = ++last;
            n++;
        }
        assert_int_equal(o.n, n);
    }
    adit_offers_fini(&o);
}

/* ---- processes ---- */

static void processes_make_the_meshes_that_threads_make(void **state)
{
    static const uint32_t flags[] = {0, ADIT_CREATE_AO};
    (void)state;
    for (uint32_t i = 0; i < WORLDS; i++) {
        struct adit_arena *a = mesh_world_create(flags[i]);
        struct adit_dispatcher *d = dispatch(a, 0, 2);
        settle(a);
        assert_string_equal(tier(d, 1).name, "processes");
        assert_int_equal(tier(d, 1).meshed, MESH_WORLD_CHUNKS); /* (tried: without the wait for those who have just published) */
        assert_int_equal(tier(d, 0).meshed, 0);
        assert_int_equal(tier(d, 1).deaths, 0);
        assert_int_equal(tier(d, 1).workers, 2);
        assert_int_equal(adit_dispatcher_tier(d, 2, &(struct adit_tier_info){0}), -ERANGE);
        for (uint32_t k = 0; k < 40; k++)
            mesh_world_edit(a, k * 5 % MESH_WORLD_CHUNKS, k);
        settle(a);
        assert_int_equal(tier(d, 0).meshed, 0);
        close_all(a, d);
    }
}

static void threads_and_processes_share_the_work(void **state)
{
    (void)state;
    struct adit_arena *a = mesh_world_create(0);
    struct adit_dispatcher *d = dispatch(a, 2, 1);
    uint64_t by_threads = 0, by_processes = 0;
    for (uint32_t round = 0; round < 200 && !(by_threads && by_processes); round++) {
        for (uint32_t i = 0; i < MESH_WORLD_CHUNKS; i++)
            mesh_world_edit(a, i, round);
        settle(a);
        by_threads = tier(d, 0).meshed;
        by_processes = tier(d, 1).meshed;
    }
    assert_true(by_threads && by_processes);
    close_all(a, d);
}

/* The process that meshes a chunk now, other than the last one; 0: nobody. */
static uint32_t mesher(const struct adit_arena *a, uint32_t *index)
{
    for (uint32_t i = 0; i < a->chunks_max; i++) {
        uint64_t work = adit_load_acquire(&a->entries[i].work);
        uint32_t slot = adit_owner_slot((uint32_t)work);
        if (work && i != *index && slot < a->participants_max) {
            *index = i;
            return adit_part_pid(adit_load_acquire(&a->participants[slot].word));
        }
    }
    return 0;
}

static void a_worker_killed_while_it_meshes_loses_no_chunk(void **state)
{
    (void)state;
    struct adit_arena *a = mesh_world_create(0);
    struct adit_dispatcher *d = dispatch(a, 0, 2);
    uint32_t kills = 0, index = UINT32_MAX;
    for (uint32_t round = 0; round < 1000 && kills < KILLS; round++) {
        uint32_t pid = 0;
        for (uint32_t i = 0; i < MESH_WORLD_CHUNKS; i++)
            mesh_world_edit(a, i, round);
        for (uint32_t looks = 0; looks < 1000 && !pid; looks++)
            pid = mesher(a, &index);
        if (pid && pid != (uint32_t)getpid())
            kills += !kill((pid_t)pid, SIGKILL);
        settle(a); /* (tried: adit_dirty_recover that leaves what the dead had in work) */
    }
    assert_int_equal(kills, KILLS);
    struct adit_tier_info info = tier(d, 1);
    assert_in_range(info.deaths, 1, KILLS); /* of a standby that has inherited the supervisor may hear in one look with the dead */
    assert_int_equal(info.given_up, 0);
    close_all(a, d);
}

static uint32_t index_of(struct adit_arena *a, struct adit_key key)
{
    uint64_t packed;
    uint32_t index;
    REQUIRE(!adit_key_pack(&key, &packed) && adit_store_find(a, packed, &index));
    return index;
}

/* Says to whom loads foreman_kinds which block it shall not read. */
static void set_poison(const struct adit_arena *a, uint32_t index)
{
    char where[80];
    uint64_t ref = adit_commit_ref(adit_load_acquire(&a->entries[index].current));
    snprintf(where, sizeof where, "%u %llu %u", adit_ref_segment(ref), (unsigned long long)adit_ref_byte(ref) + VOXELS_AT, VOXELS_AT);
    REQUIRE(!setenv("FOREMAN_POISON", where, 1));
}

static bool is_meshed(struct adit_arena *a, struct adit_key key)
{
    struct adit_reader *r;
    struct adit_mesh_view m;
    REQUIRE(!adit_reader_open(a, &r));
    adit_enter(r);
    int error = adit_mesh_acquire(r, &key, &m);
    adit_exit(r);
    adit_reader_close(&r);
    return !error;
}

/* (tried: a second attempt that does not wait for the claim of the dead, so not all deaths are counted: seen once in three; a chunk that is not given up, so nothing settles) */
static void a_chunk_that_kills_its_meshers_is_given_up_and_all_others_are_meshed(void **state)
{
    (void)state;
    struct adit_key key = mesh_world_key(POISONED), beside = {.x = key.x + 1, .y = key.y, .z = key.z};
    struct adit_arena *a = mesh_world_create(0);
    uint32_t index = index_of(a, key);
    set_poison(a, index);
    struct adit_dispatcher *d = dispatch(a, 0, 2);
    unsetenv("FOREMAN_POISON");
    settle(a);
    struct adit_tier_info info = tier(d, 1);
    for (uint32_t ms = 0; ms < 500 && info.deaths < 3; ms++, info = tier(d, 1))
        shm_fixture_nap(1); /* what was given up settles before the supervisor has counted whom it killed last */
    assert_int_equal(info.given_up, 1);
    assert_in_range(info.deaths, 1, 3);
    assert_non_null(strstr(info.why, "chunk 0,1,0 of world 0, level 0 killed each worker"));
    for (uint32_t i = 0; i < MESH_WORLD_CHUNKS; i++)
        assert_int_equal(is_meshed(a, mesh_world_key(i)), i != POISONED);
    mesh_world_edit(a, POISONED - 1, 3); /* its border towards the chunk that is given up */
    struct adit_voxel_edit edit = {0, 5, 5, 0, 1};
    assert_int_equal(adit_chunk_edit(a, &beside, &edit, 1, NULL), 0);
    settle(a);
    assert_int_equal(tier(d, 1).deaths, info.deaths); /* (tried: given_up not asked) */
    assert_false(is_meshed(a, key));
    adit_dispatcher_close(&d);
    assert_nothing_is_left(a);      /* (tried: the verifier does not know of it) */
    d = dispatch(a, 0, 1);          /* that knows nothing of all this, and could */
    mesh_world_edit(a, POISONED, 1); /* another version */
    settle(a);
    assert_true(is_meshed(a, key));
    close_all(a, d);
}

/* ---- others ---- */

static int run_where(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t pid = (uint32_t)getpid();
    (void)run;
    (void)args;
    memcpy(result, &pid, sizeof pid);
    *result_bytes = sizeof pid;
    return 0;
}

static uint32_t is_long_over; /* of run_long */

static int run_long(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    adit_task_progress(run, 1);
    while (!adit_load32_acquire(&is_long_over))
        shm_fixture_nap(1);
    return 0;
}

static struct adit_queue *open_queue(struct adit_arena *a, const char *name, adit_kind_run *run, uint32_t bytes, uint32_t *kind)
{
    const struct adit_kind_params p = {.size = sizeof p, .name = name, .run = run, .result_bytes_max = bytes};
    struct adit_queue *q;
    REQUIRE(!adit_kind_register(a, &p, kind) && !adit_queue_open(a, "adit.mesh", NULL, &q));
    return q;
}

/* Others' tasks of the queue are run by the same workers, also where there is one thread, or no thread. */
static void tasks_of_others_run_beside(void **state)
{
    static const uint32_t workers[][2] = {{1, 0}, {0, 1}, {2, 1}};
    (void)state;
    for (uint32_t w = 0; w < 3; w++) {
        struct adit_arena *a = mesh_world_create(0);
        uint32_t kind;
        struct adit_queue *q = open_queue(a, "where", run_where, 4, &kind);
        struct adit_dispatcher *d = dispatch(a, workers[w][0], workers[w][1]);
        uint64_t tasks[20];
        for (uint32_t i = 0; i < 20; i++)
            tasks[i] = task_submit(q, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .priority = i & 1 ? ADIT_CRITICAL : ADIT_IDLE});
        for (uint32_t i = 0; i < 20; i++) {
            struct adit_task_result r = task_take(q, tasks[i]); /* (tried: one thread without a pool) */
            uint32_t pid = 0;
            memcpy(&pid, r.data, sizeof pid);
            assert_int_equal(r.end, ADIT_ENDED_DONE);
            assert_true(pid && (workers[w][0] || pid != (uint32_t)getpid()));
        }
        settle(a);
        adit_queue_close(&q);
        close_all(a, d);
    }
}

/* A worker that others' long tasks keep does not hold up what was offered to it. */
static void what_is_offered_to_workers_that_are_kept_is_taken_back(void **state)
{
    (void)state;
    struct adit_arena *a = mesh_world_create(0);
    uint32_t kind;
    struct adit_queue *q = open_queue(a, "long", run_long, 0, &kind);
    is_long_over = 0;
    struct adit_dispatcher *d = dispatch(a, 2, 0);
    struct adit_task_info info = {.size = sizeof info};
    uint64_t task = task_submit(q, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .priority = ADIT_CRITICAL});
    do
        assert_int_equal(adit_task_look(q, task, &info), 0);
    while (!info.progress);
    for (uint32_t i = 0; i < MESH_WORLD_CHUNKS; i++)
        mesh_world_edit(a, i, 1);
    settle(a); /* (tried: nothing is taken back) */
    adit_store32_release(&is_long_over, 1);
    assert_int_equal(task_take(q, task).end, ADIT_ENDED_DONE);
    adit_queue_close(&q);
    close_all(a, d);
}

static int run_nap(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    for (uint32_t ms = 0; ms < 10 && !adit_task_should_stop(run); ms++)
        shm_fixture_nap(1);
    return 0;
}

static bool has_grown(void *user) { return tier(user, 0).workers > 2; }

/* A dispatcher's threads are as many as load asks for, like a pool's. (tried: workers_max not handed on) */
static void threads_come_with_load(void **state)
{
    (void)state;
    struct adit_arena *a = mesh_world_create(0);
    uint32_t kind;
    struct adit_queue *q = open_queue(a, "nap", run_nap, 0, &kind);
    const struct adit_dispatcher_params p = {.size = sizeof p, .workers = 2, .workers_max = 4};
    struct adit_dispatcher *d = dispatch(a, 2, 0);
    settle(a); /* else that is load */
    adit_dispatcher_close(&d);
    assert_int_equal(adit_dispatcher_open(a, &p, &d), 0);
    assert_int_equal(tier(d, 0).workers, 2);
    for (uint32_t i = 0; i < 20; i++)
        (void)task_submit(q, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .detached = true});
    assert_true(fixture_eventually(has_grown, d));
    settle(a);
    adit_queue_close(&q);
    adit_dispatcher_close(&d);
    d = dispatch(a, 2, 0); /* for what is left */
    while (fixture_stats(a).tasks_queued)
        shm_fixture_nap(1);
    close_all(a, d);
}

static void one_thread_alone_needs_no_queue(void **state)
{
    const struct adit_create_params params = {.size = sizeof params, .data_bytes = 16u << 20, .tasks_max = 64};
    struct adit_dispatcher_params p = {.size = sizeof p, .workers = 2};
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    struct adit_key key = {.x = 3};
    struct adit_dispatcher *d;
    (void)state;
    struct adit_arena *a = fixture_create(&params);
    assert_int_equal(adit_dispatcher_open(a, &p, &d), -ENOSPC);
    assert_non_null(strstr(adit_detail(), "tasks_max"));
    p.workers = 1;
    assert_int_equal(adit_dispatcher_open(a, &p, &d), 0);
    fixture_paint(3, voxels);
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    settle(a);
    assert_int_equal(tier(d, 0).meshed, 1);
    adit_dispatcher_close(&d);
    assert_nothing_is_left(a);
    adit_detach(&a);
}

/* What anybody may write into a task of the kind is looked at before it leads anywhere. */
static void offers_of_a_mad_peer_are_refused(void **state)
{
    struct adit_mesh_dirty_args bad[] = {{.index = UINT32_MAX}, {.culled = 2}, {.zero = {0, 0, 1}}, {.kernel = "abacus"}, {.kernel = "avx51234"}};
    (void)state;
    struct adit_arena *a = mesh_world_create(0);
    struct adit_dispatcher *d = dispatch(a, 2, 0);
    struct adit_queue *q;
    uint32_t kind;
    assert_int_equal(adit_kind_find(a, ADIT_MESH_DIRTY, &kind), 0);
    assert_int_equal(adit_queue_open(a, "adit.mesh", NULL, &q), 0);
    bad[0].index = a->chunks_max; /* (tried: not looked at) */
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct adit_task_spec spec = {.size = sizeof spec, .kind = kind, .args = &bad[i], .args_bytes = sizeof bad[i]};
        assert_int_equal(task_take(q, task_submit(q, spec)).status, -EINVAL);
    }
    settle(a);
    adit_queue_close(&q);
    close_all(a, d);
}

/* ---- deaths of dispatchers ---- */

static uint32_t *is_open; /* shared */

static void dispatch_until_killed(void *user)
{
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    struct adit_dispatcher *d = dispatch(a, 2, 1);
    (void)user;
    adit_store32_release(is_open, 1);
    while (d)
        pause();
}

static bool has_no_tasks(void *user)
{
    struct adit_stats s = fixture_stats(user);
    return !(s.tasks_delayed + s.tasks_queued + s.tasks_running + s.tasks_ended);
}

static bool has_offers(void *user) { return fixture_stats(user).tasks_queued > 0; }

static void a_killed_dispatcher_loses_nothing_that_it_had_offered(void **state)
{
    (void)state;
    is_open = shm_fixture_shared(sizeof *is_open);
    pid_t child = fixture_fork(dispatch_until_killed, NULL);
    struct adit_arena *a = mesh_world_create(0);
    fixture_start();
    shm_fixture_until(is_open, 1);
    for (uint32_t round = 0; round < 10000 && !has_offers(a); round++)
        for (uint32_t i = 0; i < MESH_WORLD_CHUNKS && !has_offers(a); i++)
            mesh_world_edit(a, i, round);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    struct adit_dispatcher *d = dispatch(a, 2, 0);
    settle(a);
    assert_true(fixture_eventually(fixture_is_alone, a));
    assert_true(fixture_eventually(has_no_tasks, a)); /* its workers run what is left of offers, too */
    close_all(a, d);
}

static int set_up_all(void **state)
{
    task_object("foreman_kinds", object);
    /* a worker that reads what it must not shall die as without a sanitizer, which would tell of it as of an error */
    return setenv("ASAN_OPTIONS", "handle_segv=0", 1) || setenv("TSAN_OPTIONS", "handle_segv=0", 1) || prctl(PR_SET_CHILD_SUBREAPER, 1) || shm_fixture_set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_dispatcher_loses_nothing_that_it_had_offered), /* it forks, so it is first */
        cmocka_unit_test(offers_are_found_by_chunk_and_by_age),
        cmocka_unit_test(processes_make_the_meshes_that_threads_make),
        cmocka_unit_test(threads_and_processes_share_the_work),
        cmocka_unit_test(a_worker_killed_while_it_meshes_loses_no_chunk),
        cmocka_unit_test(a_chunk_that_kills_its_meshers_is_given_up_and_all_others_are_meshed),
        cmocka_unit_test(tasks_of_others_run_beside),
        cmocka_unit_test(what_is_offered_to_workers_that_are_kept_is_taken_back),
        cmocka_unit_test(threads_come_with_load),
        cmocka_unit_test(one_thread_alone_needs_no_queue),
        cmocka_unit_test(offers_of_a_mad_peer_are_refused),
    };
    return cmocka_run_group_tests_name("foremans", tests, set_up_all, shm_fixture_tear_down);
}
