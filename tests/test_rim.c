/* Ambient occlusion over the borders of chunks: each mesh is what the scalar kernel makes of its chunk with planes and rim looked up cell by cell
 * in the whole world, whoever changed last; and a chunk whose occlusion cannot have changed is not meshed again.
 *
 * The world is 3x3x3 chunks, whose voxels lie in one array of 192^3: so which cells are diagonal to a chunk is a matter of coordinates here.
 *
 * (tried: an edge's first cell for all of it; rows and columns of a plane exchanged; the far side of a neighbour, and the wrong end of it; no rim given
 * to the kernel; diagonal chunks not marked, those at corners not, marked when any of the sides changed, marked without the option; the class a material had
 * when it was published; a line taken for one material whose last cell is another; keys that go round; a verifier that does not compare the
 * hash: each fails here) */
#include "tests/chunk_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/dirty.h"
#include "runtime/rim.h"
#include "runtime/store.h"

#define SIDE 3
#define CHUNKS (SIDE * SIDE * SIDE)
#define CENTRE 13u
#define SPAN (SIDE * 64)
#define QUADS_MAX (1u << 20)
#define SETTLE_NS 20000000000u
#define STONE 10
#define GLASS 12
#define LEAVES 15
#ifdef __SANITIZE_THREAD__
#define EDIT_STRIDE 27u /* 27 meshes are made again to judge one edit; threads race in a test of their own */
#define EDITS 130u
#else
#define EDIT_STRIDE 1u
#define EDITS 400u
#endif
#define LATE 3000 /* a material that is named after it was published */

static uint16_t world[SPAN][SPAN][SPAN]; /* [z][y][x] */
static bool present[CHUNKS];
static uint8_t classes[ADIT_MATERIALS];
static uint16_t voxels[ADIT_CHUNK_VOXELS], plane[ADIT_FACES][ADIT_PLANE_VOXELS];
static uint64_t *quads, serial[CHUNKS];

static struct adit_key key_of(uint32_t i)
{
    return (struct adit_key){.x = (int32_t)(i % SIDE) - 1, .y = (int32_t)(i / SIDE % SIDE) - 1, .z = (int32_t)(i / SIDE / SIDE) - 1};
}

static uint32_t chunk_at(const int32_t at[3])
{
    return (uint32_t)(at[2] / 64 * SIDE * SIDE + at[1] / 64 * SIDE + at[0] / 64);
}

/* The voxel there; air where no chunk is. */
static uint16_t cell(int32_t x, int32_t y, int32_t z)
{
    const int32_t at[3] = {x, y, z};
    if (x < 0 || y < 0 || z < 0 || x >= SPAN || y >= SPAN || z >= SPAN || !present[chunk_at(at)])
        return 0;
    return world[z][y][x];
}

/* Voxel 0,0,0 of chunk i. */
static void origin_of(uint32_t i, int32_t at[3])
{
    at[0] = (int32_t)(i % SIDE) * 64, at[1] = (int32_t)(i / SIDE % SIDE) * 64, at[2] = (int32_t)(i / SIDE / SIDE) * 64;
}

static uint64_t random_state = 7;
static uint32_t draw(uint32_t n) { return (uint32_t)(shm_fixture_random(&random_state) >> 33) % n; }

static void name_material(struct adit_arena *a, uint16_t id, enum adit_class class, const char *name)
{
    struct adit_material_info info = {.material_class = class};
    strcpy(info.name, name);
    assert_int_equal(adit_material_register(a, &info, &id), 0);
    classes[id] = (uint8_t)class;
}

static struct adit_arena *new_world(uint32_t flags)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = 384u << 20, .flags = flags}; /* so much that no slow reader is ousted: under it the bytes change, by design */
    struct adit_arena *a = fixture_create(&params);
    memset(present, 0, sizeof present);
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    classes[0] = ADIT_CLASS_AIR;
    name_material(a, GLASS, ADIT_CLASS_TRANSLUCENT, "glass");
    name_material(a, LEAVES, ADIT_CLASS_CUTOUT, "leaves");
    return a;
}

/* Whatever kinds materials; 0: stone throughout. What lies inside is slabs, where it touches others noise. */
static void paint(uint32_t i, uint32_t kinds)
{
    int32_t o[3];
    origin_of(i, o);
    for (int32_t z = 0; z < 64; z++)
        for (int32_t y = 0; y < 64; y++)
            for (int32_t x = 0; x < 64; x++) {
                bool is_outer = !((x + 1) & 62) || !((y + 1) & 62) || !((z + 1) & 62);
                bool is_there = is_outer ? draw(3) == 0 : ((x / 8 + y / 8 + z / 8) & 3) == 0;
                uint32_t which = is_outer && kinds ? draw(kinds) : (uint32_t)(x + y + z) / 16 % (kinds ? kinds : 1);
                world[o[2] + z][o[1] + y][o[0] + x] = !kinds ? STONE : (uint16_t)(is_there ? STONE + which : 0);
            }
}

static void voxels_of(uint32_t i)
{
    int32_t o[3];
    origin_of(i, o);
    for (int32_t row = 0; row < 64 * 64; row++)
        memcpy(voxels + row * 64, &world[o[2] + row / 64][o[1] + row % 64][o[0]], 64 * sizeof *voxels);
}

static void put(struct adit_arena *a, uint32_t i)
{
    struct adit_key key = key_of(i);
    voxels_of(i);
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    present[i] = true;
}

/* Sets the voxel at a place of the world. */
static void edit(struct adit_arena *a, const int32_t at[3], uint16_t material)
{
    struct adit_key key = key_of(chunk_at(at));
    struct adit_voxel_edit e = {(uint8_t)(at[0] % 64), (uint8_t)(at[1] % 64), (uint8_t)(at[2] % 64), 0, material};
    world[at[2]][at[1]][at[0]] = material;
    assert_int_equal(adit_chunk_edit(a, &key, &e, 1, NULL), 0);
}

static struct adit_dispatcher *dispatch(struct adit_arena *a)
{
    struct adit_dispatcher_params params = {.size = sizeof params, .workers = 2};
    struct adit_dispatcher *d = NULL;
    assert_int_equal(adit_dispatcher_open(a, &params, &d), 0);
    return d;
}

static void settle(struct adit_arena *a) { assert_int_equal(adit_settle(a, SETTLE_NS), 0); }

/* ---- what a mesh must be ---------------------------------------------------------------------------------------- */

static bool is_opaque(int32_t x, int32_t y, int32_t z) { return classes[cell(x, y, z)] == ADIT_CLASS_OPAQUE; }

/* Opacity of whatever lies diagonal to the 64^3 at o, by mesh.h's words. */
static struct adit_mesh_rim rim_of(const int32_t o[3])
{
    struct adit_mesh_rim rim = {0};
    for (int32_t i = 0; i < 2; i++)
        for (int32_t j = 0; j < 2; j++) {
            int32_t low = i ? 64 : -1, high = j ? 64 : -1, e = i + 2 * j;
            for (int32_t k = 0; k < 64; k++) {
                rim.edge[0 + e] |= (uint64_t)is_opaque(o[0] + k, o[1] + low, o[2] + high) << k;
                rim.edge[4 + e] |= (uint64_t)is_opaque(o[0] + low, o[1] + k, o[2] + high) << k;
                rim.edge[8 + e] |= (uint64_t)is_opaque(o[0] + low, o[1] + high, o[2] + k) << k;
            }
            for (int32_t k = 0; k < 2; k++)
                rim.corner |= (uint8_t)(is_opaque(o[0] + low, o[1] + high, o[2] + (k ? 64 : -1)) << (e + 4 * k));
        }
    return rim;
}

static const uint16_t *plane_of(const int32_t o[3], uint32_t face)
{
    int32_t at[3];
    at[adit_face_axis(face)] = o[adit_face_axis(face)] + (face & 1 ? 64 : -1);
    for (int32_t v = 0; v < 64; v++)
        for (int32_t u = 0; u < 64; u++) {
            at[adit_face_u(face)] = o[adit_face_u(face)] + u;
            at[adit_face_v(face)] = o[adit_face_v(face)] + v;
            plane[face][v * 64 + u] = cell(at[0], at[1], at[2]);
        }
    return plane[face];
}

/* Chunk i's mesh is the scalar kernel's; keeps its serial. */
static void check_mesh(struct adit_arena *a, uint32_t i, uint8_t flags)
{
    struct adit_mesh_result r = {.quads = quads, .quads_max = QUADS_MAX};
    struct adit_key key = key_of(i);
    struct adit_mesh_view m;
    struct adit_reader *reader;
    int32_t o[3];
    origin_of(i, o);
    voxels_of(i);
    const struct adit_mesh_rim rim = rim_of(o);
    struct adit_mesh_source source = {.voxels = voxels, .classes = classes, .rim = &rim, .dim = {64, 64, 64}, .flags = flags};
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        source.plane[f] = plane_of(o, f);
    if (present[i])
        assert_int_equal(adit_mesh_scalar(&source, &r), 0);
    assert_int_equal(adit_reader_open(a, &reader), 0);
    adit_enter(reader);
    assert_int_equal(adit_mesh_acquire(reader, &key, &m), 0);
    assert_true(adit_mesh_is_intact(&m));
    assert_memory_equal(m.start, r.start, sizeof r.start);
    assert_true(!m.quads_n || !memcmp(m.quads, r.quads, (size_t)m.quads_n * 8));
    serial[i] = m.serial;
    adit_exit(reader);
    adit_reader_close(&reader);
}

static void check_all(struct adit_arena *a, uint8_t flags)
{
    uint64_t packed;
    uint32_t index;
    for (uint32_t i = 0; i < CHUNKS; i++) {
        struct adit_key key = key_of(i);
        if (!adit_key_pack(&key, &packed) && adit_store_find(a, packed, &index))
            check_mesh(a, i, flags);
    }
}

static uint32_t breaches;
static char first_breach[160];
static void note_breach(const struct adit_breach *b, void *user)
{
    (void)user;
    if (!breaches++)
        snprintf(first_breach, sizeof first_breach, "%s %s: %s", b->invariant, b->place, b->what);
}

/* How many breaches the verifier finds where nobody is at work. */
static uint32_t verify(struct adit_arena *a)
{
    const struct adit_verify_params params = {.size = sizeof params, .flags = ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP, .looks = 1};
    breaches = 0;
    *first_breach = 0;
    assert_true(adit_verify(a, &params, note_breach, NULL) >= 0);
    return breaches;
}

/* All forms of planes: of no bits, 1, 2, 4, 8, 16; some chunks missing, one of them where no neighbour's face is. */
static void put_world(struct adit_arena *a)
{
    static const uint16_t kinds[CHUNKS] = {1, 4, 13, 300, 1, 0, 40, 3, 1, 13, 0, 2, 90, 6, 300, 2, 0, 13, 1, 4, 40, 13, 2, 300, 0, 1, 6};
    random_state = 7;
    for (uint32_t i = 0; i < CHUNKS; i++) {
        paint(i, kinds[i]);
        if (i != 4 && i != 20 && i != 26)
            put(a, i);
    }
}

static void meshes_have_the_occlusion_of_the_whole_world(void **state)
{
    struct adit_arena *a = new_world(ADIT_CREATE_AO);
    struct adit_dispatcher *d = dispatch(a);
    (void)state;
    put_world(a);
    settle(a);
    check_all(a, ADIT_MESH_AO);
    put(a, 26); /* now it is there for those it touches at an edge or corner */
    put(a, 4);
    settle(a);
    check_all(a, ADIT_MESH_AO);
    for (uint32_t i = 0; i < CHUNKS; i += 2) { /* another one there, or none */
        struct adit_key key = key_of(i);
        if (i % 4 == 0 && present[i]) {
            assert_int_equal(adit_chunk_remove(a, &key, NULL), 0);
            present[i] = false;
        } else {
            paint(i, 1 + i);
            put(a, i);
        }
        settle(a);
    }
    check_all(a, ADIT_MESH_AO);
    adit_dispatcher_close(&d);
    assert_int_equal(verify(a), 0);
    adit_detach(&a);
}

/* Whether chunk i sees that voxel, or has it: it is the chunk's own or next to it, over a side, an edge or a corner. */
static bool is_seen_by(uint32_t i, const int32_t at[3])
{
    int32_t o[3];
    bool is = true;
    origin_of(i, o);
    for (uint32_t axis = 0; axis < 3; axis++)
        is &= at[axis] >= o[axis] - 1 && at[axis] <= o[axis] + 64;
    return is;
}

/* The chunks that were meshed since the last check are those that see the voxel, each once; all meshes are right. */
static void check_seen(struct adit_arena *a, const int32_t at[3], uint8_t flags)
{
    uint64_t before[CHUNKS];
    memcpy(before, serial, sizeof before);
    check_all(a, flags);
    for (uint32_t i = 0; i < CHUNKS; i++)
        if (present[i])
            assert_int_equal(serial[i] - before[i], is_seen_by(i, at));
}

static void an_edit_has_those_meshed_again_who_see_it_and_no_others(void **state)
{
    struct adit_arena *a = new_world(ADIT_CREATE_AO);
    struct adit_dispatcher *d = dispatch(a);
    (void)state;
    put_world(a);
    settle(a);
    check_all(a, ADIT_MESH_AO);
    for (uint32_t i = 0; i < 64; i += EDIT_STRIDE) { /* inside, at each side, edge and corner of the middle chunk, and next to them */
        static const int32_t places[] = {64, 65, 100, 127};
        const int32_t at[3] = {places[i % 4], places[i / 4 % 4], places[i / 16]};
        if ((at[0] == 65) + (at[1] == 65) + (at[2] == 65) > 1 && i % 3)
            continue; /* enough of these */
        edit(a, at, cell(at[0], at[1], at[2]) ? 0 : STONE);
        settle(a);
        check_seen(a, at, ADIT_MESH_AO);
    }
    adit_dispatcher_close(&d);
    assert_int_equal(verify(a), 0);
    adit_detach(&a);
}

static void without_the_option_diagonal_chunks_do_not_concern_each_other(void **state)
{
    struct adit_arena *a = new_world(0);
    struct adit_dispatcher *d = dispatch(a);
    const int32_t corner[3] = {64, 64, 64};
    uint64_t before[CHUNKS];
    (void)state;
    put_world(a);
    settle(a);
    check_all(a, 0);
    memcpy(before, serial, sizeof before);
    edit(a, corner, cell(64, 64, 64) ? 0 : STONE);
    settle(a);
    check_all(a, 0);
    for (uint32_t i = 0; i < CHUNKS; i++)
        if (present[i])
            assert_int_equal(serial[i] - before[i], i == CENTRE || i == 12 || i == 10 || i == 4);
    for (uint32_t i = 0; i < a->chunks_max; i++) {
        const struct adit_mesh *m = adit_store_mesh(a, a->entries[i].mesh);
        assert_true(!m || m->rim_hash == 0);
    }
    adit_dispatcher_close(&d);
    assert_int_equal(verify(a), 0);
    adit_detach(&a);
}

/* A material's class is what counts when the mesh is made, in the rim as in the chunk, also where masks know better. */
static void classes_are_those_of_the_time_of_meshing(void **state)
{
    struct adit_arena *a = new_world(ADIT_CREATE_AO);
    (void)state;
    random_state = 11;
    for (uint32_t i = 0; i < CHUNKS; i++) {
        int32_t o[3];
        origin_of(i, o);
        for (int32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
            world[o[2] + v / 4096][o[1] + v / 64 % 64][o[0] + v % 64] = draw(8) ? 0 : draw(2) ? LATE : STONE;
        put(a, i);
    }
    name_material(a, LATE, ADIT_CLASS_CUTOUT, "late");
    struct adit_dispatcher *d = dispatch(a);
    settle(a);
    check_mesh(a, CENTRE, ADIT_MESH_AO);
    adit_dispatcher_close(&d);
    assert_int_equal(verify(a), 0);
    adit_detach(&a);
}

/* ---- all at once ------------------------------------------------------------------------------------------------ */

struct editor {
    struct adit_arena *arena;
    uint32_t number;
    uint64_t random;
};

/* Edits cells of edges and corners of every second chunk, which are this thread's alone. */
static void *editor_main(void *user)
{
    struct editor *e = user;
    for (uint32_t n = 0; n < EDITS; n++) {
        uint64_t r = shm_fixture_random(&e->random);
        uint32_t i = (uint32_t)(r >> 8) % CHUNKS / 2 * 2 + e->number;
        int32_t at[3];
        if (i >= CHUNKS || !present[i])
            continue;
        origin_of(i, at);
        at[0] += r >> 20 & 1 ? 63 : 0;
        at[1] += r >> 21 & 1 ? 63 : 0;
        at[2] += r >> 22 & 1 ? (int32_t)(r >> 23 & 63) : 63;
        edit(e->arena, at, r >> 30 & 1 ? STONE : 0);
    }
    return NULL;
}

static void who_edits_edges_of_many_chunks_at_once_leaves_no_mesh_behind(void **state)
{
    struct adit_arena *a = new_world(ADIT_CREATE_AO);
    struct adit_dispatcher *d = dispatch(a);
    pthread_t threads[2];
    struct editor editors[2];
    (void)state;
    put_world(a);
    for (uint32_t i = 0; i < 2; i++) {
        editors[i] = (struct editor){a, i, 17 + i};
        assert_int_equal(pthread_create(&threads[i], NULL, editor_main, &editors[i]), 0);
    }
    for (uint32_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    settle(a);
    check_all(a, ADIT_MESH_AO);
    adit_dispatcher_close(&d);
    assert_int_equal(verify(a), 0);
    adit_detach(&a);
}

/* ---- the verifier, damage, limits ------------------------------------------------------------------------------- */

static void a_lost_mark_of_a_diagonal_chunk_is_found(void **state)
{
    struct adit_arena *a = new_world(ADIT_CREATE_AO);
    struct adit_bitset dirty = adit_dirty_set(a);
    const int32_t corner[3] = {63, 63, 63};
    uint64_t packed;
    uint32_t index;
    struct adit_key key = key_of(CENTRE);
    (void)state;
    for (uint32_t i = 0; i < CHUNKS; i += CENTRE) {
        paint(i, 3);
        put(a, i);
    }
    struct adit_dispatcher *d = dispatch(a);
    settle(a);
    adit_dispatcher_close(&d);
    assert_int_equal(verify(a), 0);
    edit(a, corner, cell(63, 63, 63) ? 0 : STONE);
    assert_int_equal(verify(a), 0);
    assert_int_equal(adit_bitset_count(&dirty), 2); /* the chunk, and the one at its corner */
    assert_int_equal(adit_key_pack(&key, &packed), 0);
    assert_true(adit_store_find(a, packed, &index));
    assert_true(adit_bitset_remove(&dirty, index));
    assert_int_equal(verify(a), 1);
    assert_non_null(strstr(first_breach, "I7"));
    assert_non_null(strstr(first_breach, "(0,0,0)"));
    assert_non_null(strstr(first_breach, "diagonal"));
    adit_dirty_mark(a, index);
    d = dispatch(a);
    settle(a);
    check_all(a, ADIT_MESH_AO);
    adit_dispatcher_close(&d);
    assert_int_equal(verify(a), 0);
    adit_detach(&a);
}

/* Whatever bytes stand where versions were, reading a rim ends, and its cells are some or air. */
static void a_rim_of_damaged_versions_is_some_rim(void **state)
{
    struct adit_arena *a = new_world(ADIT_CREATE_AO);
    struct adit_rim_cells sound, cells;
    uint64_t packed, newest_ns = 0, random = 5;
    struct adit_key key = key_of(CENTRE);
    uint32_t differs = 0;
    (void)state;
    put_world(a);
    assert_int_equal(adit_key_pack(&key, &packed), 0);
    adit_rim_read(a, packed, &sound, &newest_ns);
    for (uint32_t round = 0; round < 20000; round++) {
        uint64_t commit = a->entries[shm_fixture_random(&random) % a->chunks_max].current, bits = shm_fixture_random(&random);
        uint8_t *block = commit ? adit_arena_at(a, adit_commit_ref(commit), sizeof(struct adit_version)) : NULL;
        if (!block)
            continue;
        uint8_t was[8], *at = block + 8 * (bits % (sizeof(struct adit_version) / 8));
        uint64_t now = bits & 1 << 20 ? shm_fixture_random(&random) : 1ull << (bits >> 32 & 63);
        memcpy(was, at, 8);
        memcpy(at, &now, 8);
        adit_rim_read(a, packed, &cells, &newest_ns);
        differs += adit_rim_hash(&cells) != adit_rim_hash(&sound);
        memcpy(at, was, 8);
    }
    assert_true(differs > 0);
    adit_rim_read(a, packed, &cells, &newest_ns);
    assert_memory_equal(&cells, &sound, sizeof cells);
    adit_detach(&a);
}

static void at_the_end_of_the_world_there_is_air(void **state)
{
    struct adit_arena *a = new_world(ADIT_CREATE_AO);
    struct adit_key key = {.x = 524287, .y = -2048, .z = -524288};
    struct adit_rim_cells cells;
    uint64_t packed, newest_ns = 0;
    (void)state;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = STONE;
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    key = (struct adit_key){.x = -524288, .y = 2047, .z = 524287}; /* where it would be if keys went round */
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    struct adit_dispatcher *d = dispatch(a);
    settle(a);
    assert_int_equal(adit_key_pack(&key, &packed), 0);
    adit_rim_read(a, packed, &cells, &newest_ns);
    for (uint32_t i = 0; i < sizeof cells / 2; i++)
        assert_int_equal(((const uint16_t *)&cells)[i], 0);
    assert_int_equal(newest_ns, 0);
    assert_int_equal(fixture_stats(a).quads, 12);
    adit_dispatcher_close(&d);
    assert_int_equal(verify(a), 0);
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
        cmocka_unit_test(meshes_have_the_occlusion_of_the_whole_world),
        cmocka_unit_test(an_edit_has_those_meshed_again_who_see_it_and_no_others),
        cmocka_unit_test(without_the_option_diagonal_chunks_do_not_concern_each_other),
        cmocka_unit_test(classes_are_those_of_the_time_of_meshing),
        cmocka_unit_test(who_edits_edges_of_many_chunks_at_once_leaves_no_mesh_behind),
        cmocka_unit_test(a_lost_mark_of_a_diagonal_chunk_is_found),
        cmocka_unit_test(a_rim_of_damaged_versions_is_some_rim),
        cmocka_unit_test(at_the_end_of_the_world_there_is_air),
    };
    return cmocka_run_group_tests_name("rims", tests, set_up, tear_down);
}
