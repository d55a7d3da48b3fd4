/* Looking in: the numbers of a scripted scene are those of the script, for every role. */
#include "tests/task_fixture.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static uint16_t voxels[ADIT_CHUNK_VOXELS];

static struct adit_participant_info participant(struct adit_arena *a, uint32_t slot)
{
    struct adit_participant_info info;
    assert_int_equal(adit_participant_get(a, slot, &info), 0);
    return info;
}

/* Puts a chunk of i voxels of material 5 at x = i; 262,144 of them is all. */
static void put(struct adit_arena *a, int32_t x, uint32_t solid)
{
    memset(voxels, 0, sizeof voxels);
    for (uint32_t i = 0; i < solid; i++)
        voxels[i] = 5;
    assert_int_equal(adit_chunk_put(a, &(struct adit_key){.x = x}, voxels, NULL), 0);
}

static void an_empty_arena_counts_nothing(void **state)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = 6u << 20, .chunks_max = 100,
                                        .participants_max = 5, .readers_max = 17, .watches_max = 3};
    struct adit_arena *a = fixture_create(&params);
    struct adit_stats s = fixture_stats(a);
    (void)state;
    assert_string_equal(s.name, FIXTURE_NAME);
    assert_int_equal(s.participants, 1);
    assert_int_equal(s.participants_max, 5);
    assert_int_equal(s.readers_max, 17);
    assert_int_equal(s.watches_max, 3);
    assert_true(s.keys_max >= 100 && !s.keys && s.created_ns && s.control_bytes);
    assert_int_equal(s.chunks + s.meshes + s.dirty + s.in_work + s.version_bytes + s.mesh_bytes + s.watches, 0);
    assert_int_equal(s.segments_n, 2);
    assert_int_equal(s.segments[1].bytes, 6u << 20);
    assert_int_equal(s.segments[1].free_bytes, 6u << 20);
    assert_int_equal(s.segments[1].blocks, 0);
    assert_false(s.deserted);
    for (uint32_t i = 0; i < 5000 && !s.keeper_pid; i++) { /* its thread may have to start */
        shm_fixture_nap(1);
        assert_int_equal(adit_stats(a, &s), 0);
    }
    assert_int_equal(s.keeper_pid, getpid());
    s.size--;
    assert_int_equal(adit_stats(a, &s), -EMSGSIZE);
    adit_detach(&a);
}

/* Two uniform chunks (one of air), one of bricks, one dense, one removed. */
static void play_scene(struct adit_arena *a)
{
    put(a, 0, 0);
    put(a, 1, ADIT_CHUNK_VOXELS);
    put(a, 2, 1000);
    fixture_paint(2, voxels);
    assert_int_equal(adit_chunk_put(a, &(struct adit_key){.x = 10}, voxels, NULL), 0);
    put(a, 20, 7);
    assert_int_equal(adit_chunk_remove(a, &(struct adit_key){.x = 20}, NULL), 0);
}

static void a_scene_is_counted_as_it_is(void **state)
{
    struct adit_arena *a = fixture_create(NULL), *o = NULL;
    struct adit_dispatcher *d;
    struct adit_reader *r;
    uint64_t bytes = 0, solid = 0;
    (void)state;
    play_scene(a);
    assert_int_equal(fixture_stats(a).dirty, 5);
    assert_int_equal(adit_dispatcher_open(a, NULL, &d), 0);
    assert_int_equal(adit_settle(a, 10000000000u), 0);
    adit_dispatcher_close(&d);
    assert_true(fixture_eventually(fixture_is_tidy, a)); /* published is what the store names, nothing is retired */
    assert_int_equal(adit_attach(FIXTURE_NAME, ADIT_OBSERVER, NULL, &o), 0);
    struct adit_stats s = fixture_stats(o);
    assert_int_equal(s.participants, 1); /* an observer takes no slot */
    assert_int_equal(s.chunks, 5);
    assert_int_equal(s.encodings[1], 2);
    assert_int_equal(s.encodings[2], 1);
    assert_int_equal(s.encodings[3], 1);
    assert_int_equal(s.encodings[4], 1);
    assert_int_equal(s.meshes, 5);
    assert_int_equal(s.dirty + s.in_work, 0);
    assert_int_equal(s.segments[1].blocks, 10);
    assert_int_equal(adit_reader_open(a, &r), 0);
    adit_enter(r);
    uint64_t quads = 0, faces = 0, mesh_bytes = 0;
    for (int32_t x = 0; x <= 20; x++) {
        struct adit_chunk_view v;
        struct adit_mesh_view m;
        if (!adit_chunk_acquire(r, &(struct adit_key){.x = x}, &v)) {
            bytes += (v.bytes + 511u) / 512 * 512;
            solid += v.solid;
        }
        if (!adit_mesh_acquire(r, &(struct adit_key){.x = x}, &m)) {
            mesh_bytes += (m.bytes + 511u) / 512 * 512;
            quads += m.quads_n;
            faces += m.faces;
        }
    }
    adit_exit(r);
    adit_reader_close(&r);
    assert_int_equal(s.version_bytes, bytes + 512); /* the removal's */
    assert_int_equal(s.mesh_bytes, mesh_bytes);
    assert_true(s.voxels == solid && s.quads == quads && s.faces == faces && quads);
    assert_in_range(s.version_payload_bytes, sizeof voxels, s.version_bytes);
    adit_detach(&o);
    adit_detach(&a);
}

static void tasks_are_counted_by_stage(void **state)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "nothing", .run = task_run_nothing};
    struct adit_arena *a = fixture_create(NULL);
    struct adit_queue *q, *other;
    struct adit_pool *pool;
    struct adit_task_spec s = {.size = sizeof s};
    uint64_t task[4];
    (void)state;
    assert_int_equal(adit_kind_register(a, &k, &s.kind), 0);
    assert_int_equal(adit_queue_open(a, "one", NULL, &q), 0);
    assert_int_equal(adit_queue_open(a, "two", NULL, &other), 0);
    assert_int_equal(adit_submit(q, &s, &task[0]), 0);
    assert_int_equal(adit_pool_open(q, NULL, &pool), 0);
    for (struct adit_task_info i = {.size = sizeof i}; i.stage != ADIT_STAGE_ENDED; shm_fixture_nap(1))
        assert_int_equal(adit_task_look(q, task[0], &i), 0);
    adit_pool_close(&pool);
    s.priority = ADIT_IDLE;
    assert_int_equal(adit_submit(q, &s, &task[1]), 0);
    assert_int_equal(adit_submit(other, &s, &task[2]), 0);
    s.delay_ns = ADIT_FOR_EVER;
    assert_int_equal(adit_submit(other, &s, &task[3]), 0);
    struct adit_stats n = fixture_stats(a);
    assert_int_equal(n.queues, 2);
    assert_int_equal(n.tasks_ended, 1);
    assert_int_equal(n.tasks_queued, 2);
    assert_int_equal(n.tasks_delayed, 1);
    assert_int_equal(n.tasks_running, 0);
    adit_queue_close(&q);
    adit_queue_close(&other);
    adit_detach(&a);
}

static bool has_nothing_retired(void *user) { return !fixture_stats(user).segments[1].retired_bytes; }

static void what_a_participant_holds_is_seen(void **state)
{
    struct adit_arena *a = fixture_create(NULL), *c = NULL;
    struct adit_attach_params params = {.size = sizeof params, .label = "looker"};
    struct adit_reader *r[2];
    struct adit_chunk_view view;
    uint32_t pins[2];
    (void)state;
    put(a, 1, 1000);
    assert_int_equal(adit_attach(FIXTURE_NAME, ADIT_CONSUMER, &params, &c), 0);
    uint32_t readers = fixture_stats(a).readers;
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(adit_reader_open(c, &r[i]), 0);
    assert_int_equal(fixture_stats(a).readers, readers + 2);
    struct adit_participant_info info = participant(a, 1);
    assert_string_equal(info.label, "looker");
    assert_string_equal(info.state, "alive");
    assert_int_equal(info.role, ADIT_CONSUMER);
    assert_int_equal(info.pid, getpid());
    assert_int_equal(info.uid, getuid());
    assert_true(!info.gone && !info.oldest_epoch && !info.pins && info.readers >= 2);
    adit_enter(r[0]);
    assert_int_equal(adit_chunk_acquire(r[0], &(struct adit_key){.x = 1}, &view), 0);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(adit_pin(r[0], view.ref, &pins[i]), 0);
    assert_true(participant(a, 1).oldest_epoch);
    adit_exit(r[0]);
    assert_int_equal(participant(a, 1).pins, 2);
    assert_true(!participant(a, 1).oldest_epoch);
    put(a, 1, 2000);
    shm_fixture_nap(100); /* the reclaimer's turns: the pins hold it */
    assert_int_equal(fixture_stats(a).segments[1].retired_bytes, (view.bytes + 511u) / 512 * 512);
    assert_int_equal(participant(a, 0).limbo_bytes, (view.bytes + 511u) / 512 * 512);
    assert_int_equal(participant(a, 0).retired - participant(a, 0).reclaimed, 1);
    assert_int_equal(participant(a, 0).published, 2);
    assert_int_equal(adit_chunk_edit(a, &(struct adit_key){.x = 2}, (struct adit_voxel_edit[2]){{.material = 3}}, 2, NULL), 0);
    assert_int_equal(participant(a, 0).edits, 2);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(adit_unpin(c, pins[i]), 0);
    assert_int_equal(participant(a, 1).pins, 0);
    assert_true(fixture_eventually(has_nothing_retired, a));
    for (uint32_t i = 0; i < 2; i++)
        adit_reader_close(&r[i]);
    adit_detach(&c);
    assert_int_equal(adit_participant_get(a, 1, &info), -ENOENT);
    assert_int_equal(adit_participant_get(a, 64, &info), -ERANGE);
    assert_int_equal(fixture_stats(a).participants, 1);
    adit_detach(&a);
}

static void attach_and_say_so(void *user)
{
    (void)shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    __atomic_store_n((uint32_t *)user, 1, __ATOMIC_SEQ_CST);
    shm_fixture_nap(20000); /* until it is killed */
}

static void a_killed_participant_is_told_to_be_gone(void **state)
{
    uint32_t *attached = shm_fixture_shared(sizeof *attached);
    pid_t child = fixture_fork(attach_and_say_so, attached);
    struct adit_arena *a = fixture_create(NULL), *o = NULL;
    struct adit_participant_info info;
    (void)state;
    assert_int_equal(adit_attach(FIXTURE_NAME, ADIT_OBSERVER, NULL, &o), 0);
    fixture_start();
    shm_fixture_until(attached, 1);
    info = participant(o, 1);
    assert_int_equal(info.pid, child);
    assert_false(info.gone);
    kill(child, SIGKILL);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    int error = adit_participant_get(o, 1, &info); /* gone, or already recovered from */
    assert_true(error == -ENOENT || (!error && info.gone && info.pid == (uint32_t)child));
    assert_false(participant(o, 0).gone);
    adit_detach(&o);
    adit_detach(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_arena_counts_nothing),
        cmocka_unit_test(a_scene_is_counted_as_it_is),
        cmocka_unit_test(tasks_are_counted_by_stage),
        cmocka_unit_test(what_a_participant_holds_is_seen),
        cmocka_unit_test(a_killed_participant_is_told_to_be_gone),
    };
    return cmocka_run_group_tests_name("statistics", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
