/* Built-in kinds of tasks about chunks (runtime/adit_kinds.h): each against another way to the same answer, at its limits, and with what is wrong. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/kernels.h"
#include "tests/kind_fixture.h"

static uint16_t chunk[ADIT_CHUNK_VOXELS], other[ADIT_CHUNK_VOXELS];

static uint64_t version_of(const struct adit_key *key)
{
    uint64_t version;
    REQUIRE(!adit_chunk_version(kind_arena, key, &version));
    return version;
}

static uint64_t put(const struct adit_key *key, const uint16_t *voxels)
{
    uint64_t version = 0;
    const struct adit_put_params p = {.size = sizeof p, .version = &version};
    REQUIRE(!adit_chunk_put(kind_arena, key, voxels, &p));
    return version;
}

/* Air where it has no version. */
static void get(const struct adit_key *key, uint16_t *voxels)
{
    struct adit_reader *r;
    struct adit_chunk_view view;
    REQUIRE(!adit_reader_open(kind_arena, &r));
    adit_enter(r);
    int error = adit_chunk_acquire(r, key, &view);
    REQUIRE(!error || error == -ENOENT);
    memset(voxels, 0, ADIT_CHUNK_VOXELS * 2);
    if (!error)
        adit_chunk_decode(&view, voxels);
    REQUIRE(!adit_exit(r));
    adit_reader_close(&r);
}

/* ---- adit.generate ---- */

static struct adit_generate_result generated(const struct adit_generate_args *a, int status)
{
    struct adit_task_result done = KIND_RUN("adit.generate", *a, NULL, 0);
    struct adit_generate_result r = {0};
    assert_int_equal(done.status, status);
    memcpy(&r, done.data, done.bytes);
    return r;
}

/* Materials have ids of the arena: the same names. */
static void assert_is_generated(const char *name, uint64_t seed, const struct adit_key *key)
{
    const struct adit_generator *g = adit_generator_named(name);
    adit_generate(g, seed, key->x, key->y, key->z, chunk);
    get(key, other);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
        struct adit_material_info info = {.name = ""};
        REQUIRE(!chunk[i] == !other[i]);
        if (!chunk[i] || (i && chunk[i] == chunk[i - 1] && other[i] == other[i - 1]))
            continue;
        REQUIRE(!adit_material_get(kind_arena, other[i], &info));
        REQUIRE(!strcmp(info.name, g->materials[chunk[i]].name)); /* (tried: ids of the generator published as they are) */
    }
}

static void worlds_are_generated_as_their_generators_say(void **state)
{
    (void)state;
    const struct adit_material_info first = {.name = "mine", .material_class = ADIT_CLASS_OPAQUE};
    uint16_t id = 0;
    kind_open_beside(ADIT_PRODUCER, 1);
    assert_int_equal(adit_material_register(kind_arena, &first, &id), 0); /* so that no id is a generator's */
    for (uint32_t i = 0; adit_generator_at(i); i++) {
        struct adit_generate_args a = {.seed = 7 + i, .key = {.x = (int32_t)i - 1, .y = 0, .z = 5, .world = (uint8_t)i}};
        strcpy(a.generator, adit_generator_at(i)->name);
        assert_int_equal(generated(&a, 0).version, 1);
        assert_is_generated(a.generator, a.seed, &a.key);
    }
    struct adit_generate_args sky = {.generator = "terrain", .key = {.y = 2047}};
    assert_int_equal(generated(&sky, 0).version, 1);
    kind_close();
}

static void a_chunk_generated_twice_is_generated_once(void **state)
{
    (void)state;
    struct adit_generate_args a = {.generator = "terrain", .seed = 1, .key = {.x = 3}};
    kind_open(1);
    struct adit_generate_result first = generated(&a, 0), again = generated(&a, 0);
    assert_true(first.version == 1 && first.published && again.version == 1 && !again.published); /* (tried: put with no if_version) */
    assert_int_equal(version_of(&a.key), 1);
    a.seed = 2; /* other voxels */
    (void)generated(&a, -EEXIST);
    assert_int_equal(version_of(&a.key), 1);
    a.replaces = 1;
    assert_int_equal(generated(&a, 0).version, 2);
    assert_int_equal(generated(&a, 0).version, 2);
    a.replaces = 9;
    assert_int_equal(generated(&a, 0).version, 2); /* the same voxels */
    a.seed = 3;
    (void)generated(&a, -EEXIST);
    assert_int_equal(adit_chunk_remove(kind_arena, &a.key, NULL), 0);
    a.replaces = 2;
    (void)generated(&a, -EEXIST);
    assert_int_equal(version_of(&a.key), 3);
    kind_close();
}

static void chunks_generated_by_workers_that_die_have_one_version(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__ /* it sees one process */
    enum { CHUNKS = 40, WORKERS = 8 };
#else
    enum { CHUNKS = 240, WORKERS = 8 };
#endif
    struct adit_generate_args a = {.generator = "terrain", .seed = 4};
    struct adit_task_spec s = {.size = sizeof s, .args = &a, .args_bytes = sizeof a, .attempts_max = 15};
    struct adit_task_result r = {.size = sizeof r};
    uint64_t task[CHUNKS];
    uint32_t again = 0;
    kind_open_beside(ADIT_PRODUCER, WORKERS);
    assert_int_equal(adit_kind_find(kind_arena, "adit.generate", &s.kind), 0);
    for (int32_t i = 0; i < CHUNKS; i++) {
        a.key.x = i;
        assert_int_equal(adit_submit(kind_queue, &s, &task[i]), 0);
    }
    for (uint32_t i = 0; i + 1 < WORKERS; i++) { /* one lives on */
        shm_fixture_nap(1 + i % 3);
        kind_kill(i);
    }
    for (uint32_t i = 0; i < CHUNKS; i++) {
        assert_int_equal(adit_wait(kind_queue, task[i], UINT64_MAX, &r), 0);
        assert_int_equal(r.end, ADIT_ENDED_DONE);
        assert_int_equal(r.status, 0);
        again += r.attempts > 1;
        a.key.x = (int32_t)i;
        assert_int_equal(version_of(&a.key), 1);
        assert_is_generated("terrain", 4, &a.key);
    }
    printf("%u of %u tasks were begun again\n", again, CHUNKS);
    kind_close();
}

static void wrong_chunks_are_not_generated(void **state)
{
    (void)state;
    kind_open(1);
    const struct adit_generate_args bad[] = {{.generator = "terrai"}, {.generator = ""}, {.generator = {'t', 't', 't', 't', 't', 't', 't', 't', 't', 't', 't', 't', 't', 't', 't', 't'}}};
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        (void)generated(&bad[i], -EINVAL);
    const struct adit_generate_args beyond = {.generator = "terrain", .key = {.lod = 16}};
    (void)generated(&beyond, -ERANGE); /* (tried: made first: shifts too far) */
    const struct adit_generate_args far = {.generator = "noise50", .key = {.x = INT32_MAX, .y = INT32_MIN, .z = INT32_MIN}}, good = {.generator = "noise50"};
    (void)generated(&far, -ERANGE);
    uint64_t b = kind_buffer(8, NULL);
    const struct adit_use uses[] = {{b, ADIT_READ}};
    assert_int_equal(KIND_STATUS("adit.generate", good, uses, 1), -EINVAL); /* in a section it would wait for itself */
    assert_int_equal(fixture_stats(kind_arena).chunks, 0);
    kind_close();
}

static void what_publishes_is_left_to_producers(void **state)
{
    (void)state;
    const struct adit_generate_args a = {.generator = "checker"};
    const struct adit_pool_params one = {.size = sizeof one, .workers = 1};
    struct adit_task_spec s = {.size = sizeof s, .args = &a, .args_bytes = sizeof a};
    struct adit_task_result r = {.size = sizeof r};
    struct adit_pool *pool;
    uint64_t task;
    kind_open_beside(ADIT_CONSUMER, 1);
    assert_int_equal(adit_kind_find(kind_arena, "adit.generate", &s.kind), 0);
    assert_int_equal(adit_submit(kind_queue, &s, &task), 0);
    assert_int_equal(adit_wait(kind_queue, task, 300000000, &r), -ETIMEDOUT); /* (tried: run by the consumer, it ends with -EROFS) */
    assert_int_equal(adit_pool_open(kind_queue, &one, &pool), 0);
    assert_int_equal(adit_wait(kind_queue, task, UINT64_MAX, &r), 0);
    assert_int_equal(r.status, 0);
    adit_pool_close(&pool);
    struct adit_kind_params other_way = {.size = sizeof other_way, .name = "adit.generate", .args_bytes_min = sizeof a, .args_bytes_max = sizeof a,
                                         .result_bytes_max = sizeof(struct adit_generate_result)};
    assert_int_equal(adit_kind_register(kind_arena, &other_way, &s.kind), -EEXIST);
    other_way.capabilities = ADIT_CAN_PUBLISH;
    assert_int_equal(adit_kind_register(kind_arena, &other_way, &s.kind), 0);
    kind_close();
}

/* ---- adit.mesh, adit.cull ---- */

static uint64_t expected[ADIT_MESH_QUADS_MAX], quads[ADIT_MESH_QUADS_MAX];

/* What the portable kernel makes of the chunk and its neighbours at +X and -Z, all opaque. */
static struct adit_mesh_result mesh_of(const uint16_t *voxels, const uint16_t *at_px, const uint16_t *at_nz, uint8_t flags)
{
    static uint8_t classes[ADIT_MATERIALS];
    static uint16_t px[ADIT_PLANE_VOXELS], nz[ADIT_PLANE_VOXELS];
    struct adit_mesh_result r = {.quads = expected, .quads_max = ADIT_MESH_QUADS_MAX};
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    classes[0] = ADIT_CLASS_AIR;
    for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++) {
        px[i] = at_px[i * 64];          /* (y, z) at x 0 */
        nz[i] = at_nz[63 * 64 * 64 + i]; /* (x, y) at z 63 */
    }
    const struct adit_mesh_source s = {.voxels = voxels, .classes = classes, .dim = {64, 64, 64}, .plane = {[ADIT_FACE_PX] = px, [ADIT_FACE_NZ] = nz}, .flags = flags};
    REQUIRE(!adit_mesh_scalar(&s, &r));
    return r;
}

/* Faces towards each side whose voxel before them is air, one by one. */
static void count_faces(const uint16_t *voxels, const uint16_t *at_px, const uint16_t *at_nz, uint32_t of[ADIT_FACES])
{
    for (int32_t i = 0; i < ADIT_CHUNK_VOXELS * ADIT_FACES; i++) {
        int32_t face = i % ADIT_FACES, at[3] = {i / 6 & 63, i / 6 >> 6 & 63, i / 6 >> 12};
        if (!voxels[i / 6])
            continue;
        at[face / 2] += face % 2 ? 1 : -1;
        const uint16_t *in = at[0] > 63 ? at_px : at[2] < 0 ? at_nz : (at[0] | at[1] | at[2]) & ~63 ? NULL : voxels;
        of[face] += !in || !in[((at[2] & 63) * 64 + (at[1] & 63)) * 64 + (at[0] & 63)];
    }
}

static const struct adit_key here = {.x = 1, .y = -2, .z = 3}, at_px = {.x = 2, .y = -2, .z = 3}, at_nz = {.x = 1, .y = -2, .z = 2};
static uint16_t chunk_px[ADIT_CHUNK_VOXELS], chunk_nz[ADIT_CHUNK_VOXELS];

static void put_three(uint64_t seed)
{
    fixture_paint(seed, chunk);
    fixture_paint(seed + 2, chunk_px);
    fixture_paint(seed + 4, chunk_nz);
    (void)put(&here, chunk);
    (void)put(&at_px, chunk_px);
    (void)put(&at_nz, chunk_nz);
}

static struct adit_mesh_task_result meshed(const struct adit_key *key, uint32_t culled, int status)
{
    struct adit_task_result done = KIND_RUN("adit.mesh", ((struct adit_mesh_args){.key = *key, .culled = culled}), NULL, 0);
    struct adit_mesh_task_result r = {0};
    assert_int_equal(done.status, status);
    memcpy(&r, done.data, done.bytes);
    return r;
}

/* That the chunk's mesh is that, and its number. */
static void assert_mesh(const struct adit_mesh_result *m, const struct adit_mesh_task_result *task)
{
    struct adit_reader *r;
    struct adit_mesh_view view;
    assert_int_equal(adit_reader_open(kind_arena, &r), 0);
    adit_enter(r);
    assert_int_equal(adit_mesh_acquire(r, &here, &view), 0);
    assert_int_equal(view.quads_n, m->start[ADIT_MESH_RANGES]);
    assert_int_equal(task->quads, view.quads_n);
    assert_int_equal(task->faces, m->faces);
    assert_int_equal(task->serial, view.serial);
    assert_memory_equal(view.quads, m->quads, view.quads_n * 8u);
    assert_int_equal(adit_exit(r), 0);
    adit_reader_close(&r);
}

static void a_meshed_chunk_has_the_mesh_of_what_is_there(void **state)
{
    (void)state;
    kind_open_beside(ADIT_PRODUCER, 2);
    for (uint64_t seed = 1; seed < 4; seed++) {
        put_three(seed);
        struct adit_mesh_task_result r = meshed(&here, seed == 2, 0), again = meshed(&here, 0, 0);
        struct adit_mesh_result m = mesh_of(chunk, chunk_px, chunk_nz, seed == 2 ? ADIT_MESH_CULLED : 0);
        assert_int_equal(r.version, seed);
        assert_true(r.made && !again.made && again.serial == r.serial); /* it was there: made once (tried: claimed whether dirty or not) */
        assert_mesh(&m, &r);
        (void)meshed(&at_px, 0, 0);
        (void)meshed(&at_nz, 0, 0);
        assert_int_equal(adit_settle(kind_arena, 0), 0);
    }
    memcpy(chunk_px, chunk, sizeof chunk);
    (void)put(&at_px, chunk_px); /* another border: the chunk beside it is to be meshed anew */
    struct adit_mesh_task_result r = meshed(&here, 0, 0);
    struct adit_mesh_result m = mesh_of(chunk, chunk_px, chunk_nz, 0);
    assert_true(r.made);
    assert_mesh(&m, &r);
    assert_int_equal(adit_chunk_remove(kind_arena, &here, NULL), 0);
    assert_int_equal(meshed(&here, 0, 0).quads, 0);
    kind_close();
}

static void tasks_and_a_dispatcher_mesh_side_by_side(void **state)
{
    (void)state;
    enum { CHUNKS = 100 };
    struct adit_mesh_args a = {.key = {.y = 1}};
    struct adit_task_spec s = {.size = sizeof s, .args = &a, .args_bytes = sizeof a, .retry_errors = true, .attempts_max = 15}; /* -EBUSY: on a laden machine the other takes a second */
    struct adit_task_result r = {.size = sizeof r};
    struct adit_dispatcher *d;
    uint64_t task[CHUNKS];
    kind_open(2);
    const struct adit_dispatcher_params one = {.size = sizeof one, .workers = 1};
    assert_int_equal(adit_kind_find(kind_arena, "adit.mesh", &s.kind), 0);
    assert_int_equal(adit_dispatcher_open(kind_arena, &one, &d), 0);
    for (uint32_t i = 0; i < CHUNKS; i++) {
        a.key.x = (int32_t)i / 4;
        fixture_paint(i + 1, chunk);
        (void)put(&a.key, chunk);
        assert_int_equal(adit_submit(kind_queue, &s, &task[i]), 0);
    }
    for (uint32_t i = 0; i < CHUNKS; i++) {
        struct adit_mesh_task_result m;
        assert_int_equal(adit_wait(kind_queue, task[i], UINT64_MAX, &r), 0);
        assert_int_equal(r.status, 0);
        memcpy(&m, r.data, sizeof m);
        assert_true(m.version >= i % 4 + 1); /* of when it was submitted, or later (tried: not waiting for others who are at it) */
    }
    assert_int_equal(adit_settle(kind_arena, UINT64_MAX), 0);
    adit_dispatcher_close(&d);
    kind_close();
}

static struct adit_cull_result culled(const struct adit_key *key, uint64_t buffer, int status)
{
    const struct adit_use use = {buffer, ADIT_WRITE};
    struct adit_task_result done = KIND_RUN("adit.cull", ((struct adit_cull_args){*key}), &use, buffer ? 1 : 0);
    struct adit_cull_result r = {0};
    assert_int_equal(done.status, status);
    memcpy(&r, done.data, done.bytes);
    return r;
}

static void visible_faces_are_counted_and_listed(void **state)
{
    (void)state;
    const struct adit_material_info glass = {.name = "glass", .material_class = ADIT_CLASS_TRANSLUCENT};
    uint16_t id = 4000; /* of no voxel */
    kind_open(1);
    for (uint64_t seed = 1; seed < 4; seed++) {
        uint32_t of[ADIT_FACES] = {0};
        put_three(seed);
        count_faces(chunk, chunk_px, chunk_nz, of);
        struct adit_cull_result alone = culled(&here, 0, 0);
        uint64_t room = kind_buffer(alone.faces * 8u, NULL), less = kind_buffer(alone.faces * 8u - 1, NULL);
        if (seed == 3) /* the process's table of classes is old now, and the task is in a section */
            assert_int_equal(adit_material_register(kind_arena, &glass, &id), 0);
        struct adit_cull_result listed = culled(&here, room, 0);
        struct adit_mesh_result m = mesh_of(chunk, chunk_px, chunk_nz, ADIT_MESH_CULLED);
        assert_memory_equal(alone.of, of, sizeof of); /* (tried: planes of the neighbours left out) */
        assert_memory_equal(&alone, &listed, sizeof alone);
        assert_int_equal(alone.version, seed);
        assert_int_equal(alone.faces, m.faces);
        kind_read(room, quads, alone.faces * 8u);
        assert_memory_equal(quads, expected, alone.faces * 8u);
        assert_int_equal(culled(&here, less, -ENOSPC).faces, alone.faces);
    }
    fixture_paint(0, chunk);
    (void)put(&here, chunk);
    assert_int_equal(culled(&here, 0, 0).faces, 0);
    kind_close();
}

static void wrong_keys_and_arguments_are_not_meshed(void **state)
{
    (void)state;
    kind_open(1);
    const struct adit_key none = {.x = 9}, far = {.y = 2048};
    (void)meshed(&none, 0, -ENOENT);
    (void)meshed(&far, 0, -ERANGE);
    (void)meshed(&none, 2, -EINVAL);
    assert_int_equal(KIND_STATUS("adit.mesh", ((struct adit_mesh_args){.zero = 1}), NULL, 0), -EINVAL);
    (void)culled(&none, 0, -ENOENT);
    (void)culled(&far, 0, -ERANGE);
    uint64_t b = kind_buffer(64, NULL), c = kind_buffer(64, NULL);
    const struct adit_use uses[] = {{b, ADIT_READ}, {c, ADIT_WRITE}};
    assert_int_equal(KIND_STATUS("adit.mesh", ((struct adit_mesh_args){.zero = 0}), uses, 1), -EINVAL);
    assert_int_equal(KIND_STATUS("adit.cull", ((struct adit_cull_args){none}), uses, 1), -EINVAL);
    assert_int_equal(KIND_STATUS("adit.cull", ((struct adit_cull_args){none}), uses, 2), -EINVAL);
    kind_close();
}

/* ---- adit.lod, adit.lod_publish ---- */

static uint16_t half[32 * 32 * 32], half_expected[32 * 32 * 32];

/* By the portable kernel, which is the definition. */
static void halve(const uint16_t *voxels)
{
    REQUIRE(!adit_lod_scalar(&(struct adit_lod_halving){.from = voxels, .to = half_expected, .to_row = 32, .to_layer = 32 * 32, .dim = {64, 64, 64}}));
}

static struct adit_lod_result lod_published(const struct adit_key *key, int status)
{
    struct adit_task_result done = KIND_RUN("adit.lod_publish", ((struct adit_lod_args){*key}), NULL, 0);
    struct adit_lod_result r = {0};
    assert_int_equal(done.status, status);
    memcpy(&r, done.data, done.bytes);
    return r;
}

static void a_chunk_is_halved_into_a_buffer(void **state)
{
    (void)state;
    struct adit_lod_args a = {{.x = 5, .lod = 15}};
    kind_open(1);
    uint64_t b = kind_buffer(sizeof half, NULL), small = kind_buffer(sizeof half - 1, NULL);
    const struct adit_use use = {b, ADIT_WRITE}, wrong = {b, ADIT_READ}, less = {small, ADIT_WRITE};
    for (uint64_t seed = 1; seed < 4; seed++) {
        fixture_paint(seed, chunk);
        (void)put(&a.key, chunk);
        halve(chunk);
        assert_int_equal(KIND_STATUS("adit.lod", a, &use, 1), 0);
        kind_read(b, half, sizeof half);
        assert_memory_equal(half, half_expected, sizeof half);
    }
    assert_int_equal(KIND_STATUS("adit.lod", a, &wrong, 1), -EINVAL);
    assert_int_equal(KIND_STATUS("adit.lod", a, &less, 1), -EINVAL);
    assert_int_equal(KIND_STATUS("adit.lod", a, NULL, 0), -EINVAL);
    assert_int_equal(KIND_STATUS("adit.lod_publish", a, &use, 1), -EINVAL);
    (void)lod_published(&a.key, -ERANGE); /* the last level */
    a.key.x = INT32_MIN;
    assert_int_equal(KIND_STATUS("adit.lod", a, &use, 1), -ERANGE);
    (void)lod_published(&a.key, -ERANGE);
    a.key = (struct adit_key){.z = 7};
    assert_int_equal(KIND_STATUS("adit.lod", a, &use, 1), 0); /* no version: air */
    kind_read(b, half, sizeof half);
    for (uint32_t i = 0; i < 32 * 32 * 32; i++)
        REQUIRE(!half[i]);
    kind_close();
}

/* All eight at once, of a chunk at negative coordinates, by two processes: none takes another's octant back. */
static void eight_chunks_make_one_of_the_next_level(void **state)
{
    (void)state;
    const struct adit_key parent = {.x = -2, .y = 3, .z = -1, .lod = 1, .world = 6};
    struct adit_lod_args a;
    struct adit_task_spec s = {.size = sizeof s, .args = &a, .args_bytes = sizeof a};
    struct adit_task_result r = {.size = sizeof r};
    kind_open_beside(ADIT_PRODUCER, 2);
    assert_int_equal(adit_kind_find(kind_arena, "adit.lod_publish", &s.kind), 0);
    for (uint64_t round = 0; round < 4; round++) {
        uint64_t task[8];
        for (int32_t i = 0; i < 8; i++) {
            a.key = (struct adit_key){.x = -4 + (i & 1), .y = 6 + (i >> 1 & 1), .z = -2 + (i >> 2), .world = 6};
            fixture_paint(round * 8 + (uint64_t)i + 1, chunk);
            (void)put(&a.key, chunk);
            assert_int_equal(adit_submit(kind_queue, &s, &task[i]), 0);
        }
        for (uint32_t i = 0; i < 8; i++) {
            assert_int_equal(adit_wait(kind_queue, task[i], UINT64_MAX, &r), 0);
            assert_int_equal(r.status, 0);
        }
        get(&parent, other);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
            uint32_t x = i & 63, y = i >> 6 & 63, z = i >> 12, octant = x / 32 + y / 32 * 2 + z / 32 * 4;
            if (!i || (x % 32 == 0 && y % 32 == 0 && z % 32 == 0)) {
                fixture_paint(round * 8 + octant + 1, chunk);
                halve(chunk);
                for (uint32_t k = 0; k < 32 * 32 * 32; k++) /* (tried: published whatever came in between) */
                    REQUIRE(other[((z + k / 1024) * 64 + y + k / 32 % 32) * 64 + x + k % 32] == half_expected[k]);
            }
        }
        uint64_t version = version_of(&parent);
        struct adit_lod_result again = lod_published(&a.key, 0);
        assert_true(!again.published && again.version == version && version_of(&parent) == version);
    }
    const struct adit_key nowhere = {.x = 100};
    assert_int_equal(lod_published(&nowhere, 0).version, 0); /* air into what has no version: nothing is published */
    kind_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worlds_are_generated_as_their_generators_say),
        cmocka_unit_test(a_chunk_generated_twice_is_generated_once),
        cmocka_unit_test(chunks_generated_by_workers_that_die_have_one_version),
        cmocka_unit_test(wrong_chunks_are_not_generated),
        cmocka_unit_test(what_publishes_is_left_to_producers),
        cmocka_unit_test(a_meshed_chunk_has_the_mesh_of_what_is_there),
        cmocka_unit_test(tasks_and_a_dispatcher_mesh_side_by_side),
        cmocka_unit_test(visible_faces_are_counted_and_listed),
        cmocka_unit_test(wrong_keys_and_arguments_are_not_meshed),
        cmocka_unit_test(a_chunk_is_halved_into_a_buffer),
        cmocka_unit_test(eight_chunks_make_one_of_the_next_level),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
