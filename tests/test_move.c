/* A version or a mesh put elsewhere (runtime/move.h): nobody can tell but by its place, whatever others do meanwhile. Between nodes: guest_placement.c; deaths: crash_mesh.c. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "runtime/dirty.h"
#include "runtime/key.h"
#include "runtime/move.h"
#include "runtime/store.h"
#include "tests/chunk_fixture.h"

static const struct adit_key key = {.x = 3, .y = -1, .z = 2};
static uint16_t voxels[ADIT_CHUNK_VOXELS];

static uint32_t index_of(struct adit_arena *a)
{
    uint64_t packed;
    uint32_t index;
    REQUIRE(!adit_key_pack(&key, &packed) && adit_store_find(a, packed, &index));
    return index;
}

static struct adit_arena *meshed(void)
{
    const struct adit_create_params p = {.size = sizeof p, .hold_max_bytes = 1u << 30}; /* readers of sanitizers are slow, and none is to be ousted */
    struct adit_arena *a = shm_fixture_create(FIXTURE_NAME, &p, 16u << 20);
    struct adit_dispatcher *d;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = i * 2654435761u >> 29 ? 0 : (uint16_t)(1 + i % 3);
    REQUIRE(!adit_chunk_put(a, &key, voxels, NULL));
    REQUIRE(!adit_dispatcher_open(a, &(struct adit_dispatcher_params){.size = sizeof(struct adit_dispatcher_params), .workers = 1}, &d));
    REQUIRE(!adit_settle(a, ADIT_FOR_EVER));
    adit_dispatcher_close(&d);
    return a;
}

static int move_one(struct adit_arena *a, bool is_mesh)
{
    struct adit_reader *r;
    REQUIRE(!adit_rcu_borrow(a, &r));
    int status = (is_mesh ? adit_move_mesh : adit_move_version)(a, r, index_of(a), ADIT_BLOCK_HERE);
    adit_rcu_give_back(a, r);
    return status;
}

/* tried: a new number; dirty afterwards; the old block never retired */
static void what_is_moved_is_the_same_at_another_place(void **state)
{
    struct adit_arena *a = meshed();
    struct adit_watch *w;
    struct adit_watch_event event;
    struct adit_reader *r;
    struct adit_chunk_view v[2];
    struct adit_mesh_view m[2];
    assert_int_equal(adit_watch_open(a, NULL, &w), 0);
    assert_int_equal(adit_reader_open(a, &r), 0);
    for (uint32_t i = 0; i < 2; i++) {
        adit_enter(r);
        assert_int_equal(adit_chunk_acquire(r, &key, &v[i]), 0);
        assert_int_equal(adit_mesh_acquire(r, &key, &m[i]), 0);
        assert_true(adit_chunk_is_intact(&v[i]) && adit_mesh_is_intact(&m[i]));
        assert_int_equal(adit_exit(r), 0);
        for (uint32_t k = 0; k < 2 && !i; k++)
            assert_int_equal(move_one(a, k), 0);
    }
    assert_int_equal(v[0].version, v[1].version);
    assert_int_equal(v[0].published_ns, v[1].published_ns);
    assert_int_equal(m[0].serial, m[1].serial);
    assert_true(v[0].ref != v[1].ref && m[0].ref != m[1].ref);
    assert_int_equal(adit_watch_next(w, &event, 0), -EAGAIN);
    struct adit_stats s = {.size = sizeof s};
    assert_int_equal(adit_stats(a, &s), 0);
    assert_int_equal(s.dirty + s.in_work, 0);
    adit_watch_close(&w);
    adit_reader_close(&r);
    shm_fixture_verify(a, ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP);
    adit_detach(&a);
    (void)state;
}

static void *move_both(void *user)
{
    REQUIRE(!move_one(user, false) && !move_one(user, true));
    return NULL;
}

static void readers_keep_what_they_have(void **state)
{
    struct adit_arena *a = meshed();
    struct adit_reader *r;
    struct adit_chunk_view v;
    struct adit_mesh_view m;
    pthread_t mover;
    assert_int_equal(adit_reader_open(a, &r), 0);
    adit_enter(r);
    assert_int_equal(adit_chunk_acquire(r, &key, &v), 0);
    assert_int_equal(adit_mesh_acquire(r, &key, &m), 0);
    assert_int_equal(pthread_create(&mover, NULL, move_both, a), 0);
    pthread_join(mover, NULL);
    for (uint32_t i = 0; i < 40; i++) { /* what was freed would be written over */
        const struct adit_key other = {.x = 40 + (int32_t)i};
        assert_int_equal(adit_chunk_put(a, &other, voxels, NULL), 0);
    }
    assert_true(adit_chunk_is_intact(&v) && adit_mesh_is_intact(&m));
    assert_int_equal(adit_chunk_voxel(&v, 1, 2, 3), voxels[(3 * 64 + 2) * 64 + 1]);
    assert_int_equal(adit_exit(r), 0);
    adit_reader_close(&r);
    adit_detach(&a);
    (void)state;
}

/* ---- beside others ---- */

enum { EDITS = 400 };
static uint32_t stop;
static uint64_t moved; /* by all movers */

static void *move_on_and_on(void *user)
{
    while (!adit_load32_acquire(&stop))
        for (uint32_t k = 0; k < 2; k++) {
            int status = move_one(user, k);
            REQUIRE(status == 0 || status == 1);
            adit_add_relaxed(&moved, !status);
        }
    return NULL;
}

/* The first voxel says which version it is. */
static void *read_on_and_on(void *user)
{
    struct adit_reader *r;
    uint64_t last = 0, last_serial = 0, last_source = 0;
    REQUIRE(!adit_reader_open(user, &r));
    while (!adit_load32_acquire(&stop)) {
        struct adit_chunk_view v;
        struct adit_mesh_view m;
        adit_enter(r);
        REQUIRE(!adit_chunk_acquire(r, &key, &v) && !adit_mesh_acquire(r, &key, &m));
        REQUIRE(v.version >= last && m.serial >= last_serial);
        REQUIRE(v.version == 1 || adit_chunk_voxel(&v, 0, 0, 0) == v.version);
        REQUIRE(m.source[0] >= last_source);
        last_source = m.source[0];
        last = v.version;
        last_serial = m.serial;
        REQUIRE(!adit_exit(r));
    }
    adit_reader_close(&r);
    return NULL;
}

/* tried: the copy committed whatever the word is by now; the mesh moved without holding its entry */
static void publishers_win_over_movers_and_nothing_is_lost(void **state)
{
    struct adit_arena *a = meshed();
    struct adit_dispatcher *d;
    pthread_t t[3];
    stop = 0;
    moved = 0;
    assert_int_equal(adit_dispatcher_open(a, &(struct adit_dispatcher_params){.size = sizeof(struct adit_dispatcher_params), .workers = 1}, &d), 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&t[i], NULL, i < 2 ? move_on_and_on : read_on_and_on, a), 0);
    for (uint32_t i = 0; i < EDITS || (adit_load_relaxed(&moved) < 20 && i < 60000); i++) {
        uint64_t version = 0;
        const struct adit_put_params p = {.size = sizeof p, .version = &version};
        const struct adit_voxel_edit edit = {.material = (uint16_t)(i + 2)};
        assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, &p), 0);
        assert_int_equal(version, i + 2);
    }
    adit_store32_release(&stop, 1);
    for (uint32_t i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    assert_true(moved >= 20);
    assert_int_equal(adit_settle(a, ADIT_FOR_EVER), 0);
    adit_dispatcher_close(&d);
    shm_fixture_verify(a, ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP);
    adit_detach(&a);
    (void)state;
}

/* ---- what is left alone ---- */

static void what_is_given_up_held_or_damaged_stays(void **state)
{
    struct adit_arena *a = meshed();
    uint32_t i = index_of(a);
    struct adit_entry *e = &a->entries[i];
    uint64_t current = e->current, mesh = e->mesh;
    assert_true(adit_dirty_hold(a, i));
    assert_int_equal(move_one(a, true), 1);
    adit_dirty_finish(a, i, false);
    e->given_up = current;
    assert_int_equal(move_one(a, false), 1);
    e->given_up = 0;
    e->mesh = 0;
    assert_int_equal(move_one(a, true), 1);
    e->mesh = mesh;
    struct adit_version *v = adit_arena_at(a, adit_commit_ref(current), sizeof *v);
    v->kind++;
    assert_int_equal(move_one(a, false), -EBADMSG);
    v->kind--;
    assert_true(e->current == current && e->mesh == mesh);
    shm_fixture_verify(a, ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP);
    adit_detach(&a);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_moved_is_the_same_at_another_place),
        cmocka_unit_test(readers_keep_what_they_have),
        cmocka_unit_test(publishers_win_over_movers_and_nothing_is_lost),
        cmocka_unit_test(what_is_given_up_held_or_damaged_stays),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
