/* Dispatchers: each mesh is what the reference kernel makes of the voxels and the neighbours as they are, work is done once
 * and only where something changed, and a shortage of memory is told and survived. */
#include "tests/chunk_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

#define SIDE 2
#define CHUNKS (SIDE * SIDE * SIDE)
#define QUADS_MAX (1u << 20)
#define SETTLE_NS 10000000000u
#define GLASS 12 /* the two materials of fixture_paint that are not opaque here */
#define LEAVES 15
#define PANE 13

static uint16_t world[CHUNKS][ADIT_CHUNK_VOXELS]; /* what is in the store, kept by the tests */
static bool present[CHUNKS];
static uint16_t plane[ADIT_FACES][ADIT_PLANE_VOXELS];
static uint8_t classes[ADIT_MATERIALS];
static uint64_t *quads;

static struct adit_key key_of(uint32_t i)
{
    return (struct adit_key){.x = (int32_t)(i % SIDE) - 1, .y = (int32_t)(i / SIDE % SIDE) - 1,
                             .z = (int32_t)(i / SIDE / SIDE) - 1, .lod = 3, .world = 7};
}

/* The chunk of the small world across a face of chunk i, or -1. */
static int across(uint32_t i, uint32_t face)
{
    uint32_t bit = 1u << (face / 2); /* SIDE is 2: an index is a bit an axis */
    return (face & 1) == !!(i & bit) ? -1 : (int)(i ^ bit);
}

static void name_material(struct adit_arena *a, uint16_t id, enum adit_class class, const char *name)
{
    struct adit_material_info info = {.material_class = class};
    strcpy(info.name, name);
    assert_int_equal(adit_material_register(a, &info, &id), 0);
    classes[id] = (uint8_t)class;
}

static struct adit_arena *new_world(uint32_t flags, uint64_t data_bytes)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = data_bytes, .flags = flags};
    struct adit_arena *a = fixture_create(&params);
    memset(present, 0, sizeof present);
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    classes[0] = ADIT_CLASS_AIR;
    name_material(a, GLASS, ADIT_CLASS_TRANSLUCENT, "glass");
    name_material(a, PANE, ADIT_CLASS_TRANSLUCENT, "pane");
    name_material(a, LEAVES, ADIT_CLASS_CUTOUT, "leaves");
    return a;
}

static void put(struct adit_arena *a, uint32_t i)
{
    struct adit_key key = key_of(i);
    assert_int_equal(adit_chunk_put(a, &key, world[i], NULL), 0);
    present[i] = true;
}

static void edit(struct adit_arena *a, uint32_t i, uint8_t x, uint8_t y, uint8_t z, uint16_t material)
{
    struct adit_key key = key_of(i);
    struct adit_voxel_edit e = {x, y, z, 0, material};
    world[i][(z * 64 + y) * 64 + x] = material;
    assert_int_equal(adit_chunk_edit(a, &key, &e, 1, NULL), 0);
}

static struct adit_dispatcher *dispatch(struct adit_arena *a, bool culled)
{
    struct adit_dispatcher_params params = {.size = sizeof params, .workers = 2, .culled = culled};
    struct adit_dispatcher *d = NULL;
    assert_int_equal(adit_dispatcher_open(a, &params, &d), 0);
    return d;
}

static void settle(struct adit_arena *a) { assert_int_equal(adit_settle(a, SETTLE_NS), 0); }

static const uint16_t *side_of(const uint16_t *v, uint32_t face, uint16_t *out)
{
    uint32_t at[3];
    at[adit_face_axis(face)] = face & 1 ? 63 : 0;
    for (uint32_t b = 0; b < 64; b++)
        for (uint32_t a = 0; a < 64; a++) {
            at[adit_face_u(face)] = a;
            at[adit_face_v(face)] = b;
            out[b * 64 + a] = v[(at[2] * 64 + at[1]) * 64 + at[0]];
        }
    return out;
}

/* The mesh of chunk i is the reference's; its serial. */
static uint64_t check_mesh(struct adit_arena *a, uint32_t i, uint8_t flags)
{
    struct adit_mesh_source source = {.voxels = world[i], .classes = classes, .dim = {64, 64, 64}, .flags = flags};
    struct adit_mesh_result r = {.quads = quads, .quads_max = QUADS_MAX};
    struct adit_key key = key_of(i);
    struct adit_mesh_view m;
    struct adit_reader *reader;
    uint64_t version;
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        int n = across(i, f);
        source.plane[f] = n >= 0 && present[n] ? side_of(world[n], f ^ 1, plane[f]) : NULL;
    }
    assert_int_equal(adit_mesh_scalar(&source, &r), 0);
    assert_int_equal(adit_reader_open(a, &reader), 0);
    assert_int_equal(adit_chunk_version(a, &key, &version), 0);
    adit_enter(reader);
    assert_int_equal(adit_mesh_acquire(reader, &key, &m), 0);
    assert_true(adit_mesh_is_intact(&m));
    assert_memory_equal(m.start, r.start, sizeof r.start);
    assert_int_equal(m.faces, r.faces);
    assert_int_equal(m.quads_n, r.start[ADIT_MESH_RANGES]);
    assert_true(!m.quads_n || !memcmp(m.quads, r.quads, (size_t)m.quads_n * 8));
    assert_memory_equal(m.bounds_lo, r.bounds_lo, 3);
    assert_memory_equal(m.bounds_hi, r.bounds_hi, 3);
    assert_int_equal(m.source[0], version);
    adit_exit(reader);
    adit_reader_close(&reader);
    return m.serial;
}

static void check_all(struct adit_arena *a, uint8_t flags)
{
    for (uint32_t i = 0; i < CHUNKS; i++)
        if (present[i])
            check_mesh(a, i, flags);
}

static void meshes_are_the_references_with_the_neighbours_as_they_are(void **state)
{
    struct adit_arena *a = new_world(0, 64u << 20);
    struct adit_dispatcher *d = dispatch(a, false);
    (void)state;
    for (uint32_t i = 0; i < CHUNKS; i++)
        fixture_paint(i == 6 ? 2 : 7 + 2 * i, world[i]);
    for (uint32_t i = 0; i < CHUNKS - 1; i++) /* the last is missing */
        put(a, i);
    settle(a);
    check_all(a, 0);
    put(a, CHUNKS - 1); /* now its neighbours see it */
    settle(a);
    check_all(a, 0);
    edit(a, 0, 63, 63, 63, 40);
    edit(a, 0, 63, 10, 10, world[0][(10 * 64 + 10) * 64 + 63] ? 0 : GLASS);
    edit(a, 3, 0, 0, 0, LEAVES);
    settle(a);
    check_all(a, 0);
    adit_dispatcher_close(&d);
    adit_detach(&a);
}

static void a_mesh_names_the_versions_it_was_made_from(void **state)
{
    struct adit_arena *a = new_world(0, 16u << 20);
    struct adit_key key = key_of(0);
    struct adit_mesh_view m;
    struct adit_reader *r;
    (void)state;
    for (uint32_t i = 0; i < 3; i++) { /* 0, its +X and its +Y neighbour; nothing at +Z */
        fixture_paint(3 + 2 * i, world[i]);
        for (uint32_t n = 0; n <= i; n++)
            put(a, i);
    }
    struct adit_dispatcher *d = dispatch(a, false);
    settle(a);
    assert_int_equal(adit_reader_open(a, &r), 0);
    adit_enter(r);
    assert_int_equal(adit_mesh_acquire(r, &key, &m), 0);
    const uint64_t wanted[7] = {1, 0, 2, 0, 3, 0, 0};
    assert_memory_equal(m.source, wanted, sizeof wanted);
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        assert_true(!m.border_hash[f] == !wanted[f + 1]);
    assert_int_equal(m.serial, 1);
    assert_true(m.source_ns && m.published_ns >= m.source_ns);
    adit_exit(r);
    adit_reader_close(&r);
    adit_dispatcher_close(&d);
    adit_detach(&a);
}

static void a_neighbour_is_meshed_again_only_if_the_shared_border_changed(void **state)
{
    struct adit_arena *a = new_world(0, 16u << 20);
    (void)state;
    fixture_paint(3, world[0]);
    fixture_paint(5, world[1]);
    put(a, 0);
    put(a, 1);
    struct adit_dispatcher *d = dispatch(a, false);
    settle(a);
    assert_int_equal(check_mesh(a, 0, 0), 1);
    assert_int_equal(check_mesh(a, 1, 0), 1);
    edit(a, 0, 30, 30, 30, 99); /* inside */
    edit(a, 0, 0, 30, 30, 99);  /* on the far side */
    edit(a, 0, 62, 30, 30, 99); /* next to the border */
    settle(a);
    assert_true(check_mesh(a, 0, 0) >= 2);
    assert_int_equal(check_mesh(a, 1, 0), 1);
    edit(a, 0, 63, 30, 30, 99); /* on the border */
    settle(a);
    assert_int_equal(check_mesh(a, 1, 0), 2);
    uint64_t serial = check_mesh(a, 0, 0);
    edit(a, 1, 0, 1, 2, 98); /* the other way round */
    settle(a);
    assert_int_equal(check_mesh(a, 0, 0), serial + 1);
    assert_int_equal(check_mesh(a, 1, 0), 3);
    memset(world[2], 0, sizeof world[2]);
    put(a, 2); /* a chunk of air where none was disturbs nobody */
    settle(a);
    assert_int_equal(check_mesh(a, 0, 0), serial + 1);
    adit_dispatcher_close(&d);
    adit_detach(&a);
}

static void a_chunk_changed_a_thousand_times_meanwhile_is_meshed_once(void **state)
{
    struct adit_arena *a = new_world(0, 16u << 20);
    (void)state;
    memset(world[0], 0, sizeof world[0]);
    for (uint32_t i = 0; i < 1000; i++)
        edit(a, 0, (uint8_t)(i & 7), 3, 4, (uint16_t)(i + 1));
    present[0] = true;
    assert_int_equal(fixture_stats(a).dirty, 1);
    struct adit_dispatcher *d = dispatch(a, false);
    settle(a);
    assert_int_equal(check_mesh(a, 0, 0), 1); /* of version 1,000, as check_mesh has it */
    assert_int_equal(fixture_stats(a).dirty + fixture_stats(a).in_work, 0);
    adit_dispatcher_close(&d);
    adit_detach(&a);
}

static void a_removed_chunk_gets_an_empty_mesh_and_its_neighbours_theirs(void **state)
{
    struct adit_arena *a = new_world(0, 16u << 20);
    struct adit_dispatcher *d = dispatch(a, false);
    struct adit_key key = key_of(0);
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
            world[i][v] = 5;
        put(a, i);
    }
    settle(a);
    uint64_t before = check_mesh(a, 1, 0);
    assert_int_equal(adit_chunk_remove(a, &key, NULL), 0);
    memset(world[0], 0, sizeof world[0]);
    present[0] = false;
    settle(a);
    check_mesh(a, 0, 0);
    assert_int_equal(check_mesh(a, 1, 0), before + 1);
    assert_int_equal(fixture_stats(a).quads, 6);
    adit_dispatcher_close(&d);
    adit_detach(&a);
}

static void culled_and_tt_none_reach_the_kernel(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 4; round++) {
        uint8_t flags = (uint8_t)((round & 1 ? ADIT_MESH_CULLED : 0) | (round & 2 ? ADIT_MESH_TT_NONE : 0));
        struct adit_arena *a = new_world(round & 2 ? ADIT_CREATE_TT_NONE : 0, 16u << 20);
        struct adit_dispatcher *d = dispatch(a, round & 1);
        static uint32_t faces[4], quads_n[4];
        memset(world[0], 0, sizeof world[0]);
        for (uint32_t i = 0; i < 64 * 64 * 4; i++) /* glass against other glass */
            world[0][i] = i >> 3 & 1 ? GLASS : PANE;
        put(a, 0);
        settle(a);
        check_mesh(a, 0, flags);
        faces[round] = (uint32_t)fixture_stats(a).faces;
        quads_n[round] = (uint32_t)fixture_stats(a).quads;
        adit_dispatcher_close(&d);
        adit_detach(&a);
        assert_true(!(round & 1) || quads_n[round] == faces[round]);
        assert_true(!(round & 2) || faces[round] < faces[round - 2]);
    }
}

static void what_cannot_be_opened_is_told(void **state)
{
    struct adit_arena *a = fixture_create(NULL), *c = NULL;
    struct adit_dispatcher_params params = {.size = sizeof params, .kernel = "abacus"};
    struct adit_dispatcher *d = (void *)1;
    (void)state;
    assert_int_equal(adit_dispatcher_open(a, &params, &d), -EINVAL);
    assert_null(d);
    assert_non_null(strstr(adit_detail(), "abacus"));
    params.kernel = "scalar";
    params.workers = 100000;
    assert_int_equal(adit_dispatcher_open(a, &params, &d), -EINVAL);
    params.size--;
    assert_int_equal(adit_dispatcher_open(a, &params, &d), -EMSGSIZE);
    assert_int_equal(adit_attach(FIXTURE_NAME, ADIT_CONSUMER, NULL, &c), 0);
    assert_int_equal(adit_dispatcher_open(c, NULL, &d), -EROFS);
    adit_detach(&c);
    assert_int_equal(adit_attach(FIXTURE_NAME, ADIT_OBSERVER, NULL, &c), 0);
    assert_int_equal(adit_settle(c, 0), -EROFS);
    adit_detach(&c);
    adit_dispatcher_close(&d); /* NULL is accepted */
    adit_detach(&a);
}

static void settling_times_out_without_a_dispatcher(void **state)
{
    struct adit_arena *a = new_world(0, 16u << 20);
    (void)state;
    assert_int_equal(adit_settle(a, 0), 0); /* nothing to wait for */
    fixture_paint(3, world[0]);
    put(a, 0);
    assert_int_equal(adit_settle(a, 0), -ETIMEDOUT);
    assert_int_equal(adit_settle(a, 50000000), -ETIMEDOUT);
    assert_non_null(strstr(adit_detail(), "is a dispatcher running?"));
    struct adit_dispatcher *d = dispatch(a, false);
    settle(a);
    check_mesh(a, 0, 0);
    adit_dispatcher_close(&d);
    adit_detach(&a);
}

static void dispatch_until_told(void *user)
{
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    struct adit_dispatcher_params params = {.size = sizeof params, .workers = 1, .kernel = "scalar"};
    struct adit_dispatcher *d;
    REQUIRE(!adit_dispatcher_open(a, &params, &d));
    shm_fixture_until(user, 1);
    adit_dispatcher_close(&d);
    adit_detach(&a);
}

static bool both_have_meshed(void *user)
{
    struct adit_participant_info info;
    uint32_t busy = 0;
    uint64_t meshed = 0;
    for (uint32_t i = 0; i < CHUNKS; i++)
        edit(user, i, 20, 20, 20, (uint16_t)(1 + world[i][(20 * 64 + 20) * 64 + 20]));
    settle(user);
    for (uint32_t i = 0; i < 4; i++) {
        if (adit_participant_get(user, i, &info))
            continue;
        busy += info.meshed > 0;
        meshed += info.meshed;
    }
    return busy == 2 && meshed >= CHUNKS;
}

static void dispatchers_in_two_processes_share_the_work(void **state)
{
    uint32_t *stop = shm_fixture_shared(sizeof *stop);
    pid_t children[2];
    (void)state;
    for (uint32_t i = 0; i < 2; i++)
        children[i] = fixture_fork(dispatch_until_told, stop);
    struct adit_arena *a = new_world(0, 32u << 20);
    for (uint32_t i = 0; i < CHUNKS; i++) {
        fixture_paint(1 + 2 * i, world[i]);
        put(a, i);
    }
    fixture_start();
    assert_true(fixture_eventually(both_have_meshed, a));
    check_all(a, 0);
    __atomic_store_n(stop, 1, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(shm_fixture_wait(children[i]), 0);
    adit_detach(&a);
}

static bool is_settled(void *user) { return !adit_settle(user, 20000000); }

/* In work or dirty again; between two looks it may have gone from the one to the other. */
static bool has_work(void *user) { return fixture_stats(user).dirty + fixture_stats(user).in_work >= 1; }

static void a_full_arena_is_told_and_meshed_once_there_is_room(void **state)
{
    struct adit_arena *a = new_world(0, 4u << 20);
    struct adit_loan loans[16];
    struct adit_key key = {.x = 100};
    uint32_t n = 0;
    (void)state;
    memset(world[0], 0, sizeof world[0]);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i += 7) /* no two touch: 225,000 quads of 8 bytes, 1.8 MB */
        world[0][i] = 9;
    put(a, 0);
    memset(world[1], 0, sizeof world[1]);
    put(a, 1);
    while (n < 16 && !adit_chunk_loan(a, &key, &loans[n]))
        n++;
    assert_in_range(n, 2, 15);
    struct adit_dispatcher *d = dispatch(a, false);
    assert_int_equal(adit_settle(a, SETTLE_NS), -ENOMEM);
    assert_non_null(strstr(adit_detail(), "larger"));
    assert_true(fixture_eventually(has_work, a));
    while (n)
        adit_chunk_discard(a, &loans[--n]);
    assert_true(fixture_eventually(is_settled, a));
    check_all(a, 0);
    assert_true(fixture_eventually(fixture_is_tidy, a));
    adit_dispatcher_close(&d);
    adit_detach(&a);
}

static int set_up(void **state)
{
    quads = malloc((size_t)QUADS_MAX * sizeof *quads);
    return shm_fixture_set_up(state);
}

static int tear_down(void **state)
{
    free(quads);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meshes_are_the_references_with_the_neighbours_as_they_are),
        cmocka_unit_test(a_mesh_names_the_versions_it_was_made_from),
        cmocka_unit_test(a_neighbour_is_meshed_again_only_if_the_shared_border_changed),
        cmocka_unit_test(a_chunk_changed_a_thousand_times_meanwhile_is_meshed_once),
        cmocka_unit_test(a_removed_chunk_gets_an_empty_mesh_and_its_neighbours_theirs),
        cmocka_unit_test(culled_and_tt_none_reach_the_kernel),
        cmocka_unit_test(what_cannot_be_opened_is_told),
        cmocka_unit_test(settling_times_out_without_a_dispatcher),
        cmocka_unit_test(dispatchers_in_two_processes_share_the_work),
        cmocka_unit_test(a_full_arena_is_told_and_meshed_once_there_is_room),
    };
    return cmocka_run_group_tests_name("dispatchers", tests, set_up, tear_down);
}
