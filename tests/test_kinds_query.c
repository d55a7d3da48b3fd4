/* Built-in kinds of tasks that ask of the chunks of a world (runtime/adit_kinds.h): along a ray, in a box. Each against all its voxels one by one. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kind_fixture.h"
#include "tests/ray_oracle.h"

#ifdef __SANITIZE_THREAD__ /* one thread */
#define SHARE 6u
#else
#define SHARE 1u
#endif

/* A world of 3 x 2 x 2 chunks from (-1, -1, 0) on: of slabs, bricks, noise, air, one without a version, one of one material. */
#define NX 3
#define NY 2
#define NZ 2
static uint16_t world[NX * NY * NZ][ADIT_CHUNK_VOXELS];

static uint16_t at(const int32_t v[3])
{
    int32_t x = v[0] + 64, y = v[1] + 64, z = v[2];
    if (x < 0 || y < 0 || z < 0 || x >= NX * 64 || y >= NY * 64 || z >= NZ * 64)
        return 0;
    return world[(z / 64 * NY + y / 64) * NX + x / 64][(z % 64 * 64 + y % 64) * 64 + x % 64];
}

static void publish_world(uint32_t sparse)
{
    uint64_t seed = sparse + 1;
    for (int32_t i = 0; i < NX * NY * NZ; i++) {
        const struct adit_key key = {.x = i % NX - 1, .y = i / NX % NY - 1, .z = i / NX / NY, .lod = 2, .world = 9};
        memset(world[i], 0, sizeof world[i]);
        if (i == 4)
            continue; /* never published */
        if (i == 7)
            for (uint32_t k = 0; k < ADIT_CHUNK_VOXELS; k++)
                world[i][k] = 77;
        else if (i % 5 && !sparse)
            fixture_paint((uint64_t)i, world[i]);
        else
            for (uint32_t k = 0; i != 2 && k < 100; k++)
                world[i][shm_fixture_random(&seed) % ADIT_CHUNK_VOXELS] = (uint16_t)(300 + k);
        if (sparse && i == 7)
            memset(world[i], 0, sizeof world[i]);
        REQUIRE(!adit_chunk_put(kind_arena, &key, world[i], NULL));
    }
}

/* ---- adit.raycast ---- */

static double random_in(uint64_t *seed, double lo, double hi) { return lo + (hi - lo) * ((double)(shm_fixture_random(seed) >> 11) / 9007199254740992.0); }

static struct adit_raycast_result cast(const struct adit_raycast_args *a, int status)
{
    struct adit_task_result done = KIND_RUN("adit.raycast", *a, NULL, 0);
    struct adit_raycast_result r = {0};
    assert_int_equal(done.status, status);
    memcpy(&r, done.data, done.bytes);
    return r;
}

static void judge_ray(const struct adit_raycast_args *a, const int32_t (*solid)[3], uint32_t solid_n)
{
    struct adit_raycast_result r = cast(a, 0);
    struct ray_oracle o = {INFINITY};
    double d[3], length = 0;
    for (uint32_t i = 0; i < 3; i++)
        length += (double)a->direction[i] * (double)a->direction[i];
    length = sqrt(length);
    for (uint32_t i = 0; i < 3; i++)
        d[i] = (double)a->direction[i] / length;
    for (uint32_t i = 0; i < solid_n; i++)
        ray_oracle_add(&o, a->origin, d, (double)a->distance_max, solid[i]);
    assert_int_equal(r.material, at(r.voxel));
    if (!r.material) {
        assert_true(isinf(o.must)); /* (tried: chunks taken for the first one that was met) */
        return;
    }
    assert_true(ray_oracle_is_hit(&o, a->origin, d, (double)a->distance_max, r.voxel, r.distance));
    assert_true(r.key.x == r.voxel[0] >> 6 && r.key.y == r.voxel[1] >> 6 && r.key.z == r.voxel[2] >> 6 && r.key.lod == 2 && r.key.world == 9);
    assert_int_equal(r.version, 1);
    for (uint32_t i = 0; i < 3 && r.face < ADIT_FACES; i++)
        if (r.face / 2 == i)
            assert_true(fabs(a->origin[i] + d[i] * r.distance - (r.voxel[i] + (r.face & 1))) < 1e-6);
}

static void rays_through_a_world_hit_what_they_meet_first(void **state)
{
    (void)state;
    static int32_t solid[NX * NY * NZ * ADIT_CHUNK_VOXELS][3];
    uint64_t seed = 21;
    for (uint32_t sparse = 0; sparse < 2; sparse++) {
        uint32_t solid_n = 0;
        kind_open_beside(ADIT_CONSUMER, 1); /* a consumer is enough */
        publish_world(sparse);
        for (int32_t z = 0; z < NZ * 64; z++)
            for (int32_t y = -64; y < 64; y++)
                for (int32_t x = -64; x < 128; x++)
                    if (at((const int32_t[3]){x, y, z}))
                        memcpy(solid[solid_n++], (const int32_t[3]){x, y, z}, sizeof *solid);
        for (uint32_t i = 0; i < (sparse ? 200u : 20u) / SHARE; i++) {
            struct adit_raycast_args a = {.distance_max = i % 3 ? 500 : 30, .lod = 2, .world = 9};
            for (uint32_t k = 0; k < 3; k++) {
                a.origin[k] = random_in(&seed, -150, 200);
                a.direction[k] = (float)(random_in(&seed, -100, 160) - a.origin[k]); /* towards the world, mostly */
            }
            judge_ray(&a, (const int32_t(*)[3])solid, solid_n);
        }
        kind_close();
    }
}

static void rays_end_where_they_should(void **state)
{
    (void)state;
    kind_open(1);
    publish_world(1);
    const struct adit_raycast_args nowhere = {.origin = {1000.5, 0.5, 0.5}, .direction = {0, 0, -2}, .distance_max = 10, .world = 9, .lod = 2},
                                   longest = {.direction = {1, 1, 1}, .distance_max = ADIT_RAYCAST_DISTANCE_MAX, .world = 1},
                                   out = {.origin = {0, 2047 * 64 + 60, 0}, .direction = {0, 1, 0}, .distance_max = 5};
    struct adit_raycast_result r = cast(&nowhere, 0);
    assert_true(!r.material && r.voxel[0] == 1000 && r.voxel[2] == -10 && r.face == ADIT_FACE_PZ && fabs(r.distance - 9.5) < 1e-9 && !r.version);
    assert_int_equal(cast(&longest, 0).voxel[0], 37837); /* 65,536 / sqrt 3 */
    (void)cast(&out, -ERANGE);
    struct adit_raycast_args bad[8];
    for (uint32_t i = 0; i < 8; i++)
        bad[i] = nowhere;
    bad[0].direction[2] = 0;
    bad[1].direction[0] = NAN;
    bad[2].origin[1] = INFINITY;
    bad[3].distance_max = -1;
    bad[4].distance_max = 65537;
    bad[5].distance_max = NAN;
    bad[6].zero[5] = 1;
    bad[7].origin[0] = 1e300;
    for (uint32_t i = 0; i < 8; i++)
        (void)cast(&bad[i], -EINVAL);
    uint64_t b = kind_buffer(8, NULL);
    assert_int_equal(KIND_STATUS("adit.raycast", nowhere, (&(struct adit_use){b, ADIT_READ}), 1), -EINVAL);
    bad[0] = nowhere;
    bad[0].world = 255;
    (void)cast(&bad[0], -ERANGE);
    kind_close();
}

/* ---- adit.box ---- */

static struct adit_box_result ask(const struct adit_box_args *a, uint64_t buffer, int status)
{
    const struct adit_use use = {buffer, ADIT_WRITE};
    struct adit_task_result done = KIND_RUN("adit.box", *a, &use, buffer ? 1 : 0);
    struct adit_box_result r = {0};
    assert_int_equal(done.status, status);
    memcpy(&r, done.data, done.bytes);
    return r;
}

#define LIST_MAX 4000u

/* All three ways of asking, against each voxel of the box in the order that is said. */
static void judge_box(struct adit_box_args a, uint64_t buffer)
{
    static struct adit_box_voxel expected[LIST_MAX], got[LIST_MAX];
    uint64_t count = 0;
    for (int32_t cz = a.lo[2] >> 6; cz <= a.hi[2] >> 6; cz++)
        for (int32_t cy = a.lo[1] >> 6; cy <= a.hi[1] >> 6; cy++)
            for (int32_t cx = a.lo[0] >> 6; cx <= a.hi[0] >> 6; cx++)
                for (int32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
                    const int32_t v[3] = {cx * 64 + (i & 63), cy * 64 + (i >> 6 & 63), cz * 64 + (i >> 12)};
                    bool is_in = true;
                    for (uint32_t k = 0; k < 3; k++)
                        is_in = is_in && v[k] >= a.lo[k] && v[k] <= a.hi[k];
                    if (!is_in || !(a.material ? at(v) == a.material : at(v) > 0))
                        continue;
                    if (count < LIST_MAX)
                        expected[count] = (struct adit_box_voxel){{v[0], v[1], v[2]}, at(v), 0};
                    count++;
                }
    a.mode = ADIT_BOX_COUNT;
    struct adit_box_result r = ask(&a, 0, 0);
    assert_int_equal(r.count, count); /* (tried: the ends of rows that are not in the box counted, too) */
    assert_int_equal(r.material, count ? expected[0].material : 0);
    assert_true(!count || !memcmp(r.first, expected[0].at, sizeof r.first));
    a.mode = ADIT_BOX_ANY;
    struct adit_box_result any = ask(&a, 0, 0);
    assert_int_equal(any.count, count > 0);
    assert_memory_equal(any.first, r.first, sizeof r.first);
    a.mode = ADIT_BOX_LIST;
    struct adit_box_result list = ask(&a, buffer, 0);
    assert_int_equal(list.count, count);
    assert_int_equal(list.listed, count < LIST_MAX ? count : LIST_MAX);
    kind_read(buffer, got, sizeof got);
    assert_memory_equal(got, expected, list.listed * sizeof *got);
}

static void a_box_has_the_voxels_that_are_in_it(void **state)
{
    (void)state;
    uint64_t seed = 5;
    kind_open(1);
    publish_world(0);
    uint64_t buffer = kind_buffer(LIST_MAX * sizeof(struct adit_box_voxel) + 15, NULL);
    judge_box((struct adit_box_args){.lo = {-200, -200, -200}, .hi = {200, 200, 200}, .lod = 2, .world = 9}, buffer); /* all of it */
    judge_box((struct adit_box_args){.lo = {-200, -200, -200}, .hi = {200, 200, 200}, .lod = 2, .world = 9, .material = 77}, buffer);
    for (uint32_t i = 0; i < 60 / SHARE; i++) {
        struct adit_box_args a = {.lod = 2, .world = 9, .material = i % 3 ? 0 : (uint16_t)(10 + i % 7)};
        for (uint32_t k = 0; k < 3; k++) {
            a.lo[k] = (int32_t)(shm_fixture_random(&seed) % 220) - 80;
            a.hi[k] = a.lo[k] + (int32_t)(shm_fixture_random(&seed) % (i % 2 ? 6 : 90));
        }
        judge_box(a, buffer);
    }
    judge_box((struct adit_box_args){.lo = {127, 63, 127}, .hi = {128, 64, 128}, .lod = 2, .world = 9}, buffer); /* the last corner */
    kind_close();
}

static void wrong_boxes_are_refused(void **state)
{
    (void)state;
    kind_open(1);
    const struct adit_box_args good = {.hi = {63, 63, 63}, .mode = ADIT_BOX_COUNT}, widest = {.lo = {0, 0, 0}, .hi = {1024 * 64 - 1, 127, 127}, .mode = ADIT_BOX_COUNT};
    assert_int_equal(ask(&good, 0, 0).count, 0);
    assert_int_equal(ask(&widest, 0, 0).count, 0); /* 4,096 chunks */
    struct adit_box_args bad[8];
    for (uint32_t i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].mode = 0;
    bad[1].mode = 4;
    bad[2].mode = ADIT_BOX_LIST; /* without a buffer */
    bad[3].lo[1] = 64;
    bad[4].zero[2] = 1;
    bad[5] = widest;
    bad[5].hi[0]++;
    bad[6].lo[0] = bad[6].lo[1] = bad[6].lo[2] = INT32_MIN;
    bad[6].hi[0] = bad[6].hi[1] = bad[6].hi[2] = INT32_MAX;
    bad[7].lo[2] = INT32_MIN;
    for (uint32_t i = 0; i < 8; i++)
        (void)ask(&bad[i], 0, -EINVAL);
    bad[0] = good;
    bad[0].lo[1] = bad[0].hi[1] = 2048 * 64;
    (void)ask(&bad[0], 0, -ERANGE);
    bad[0].lo[0] = bad[0].hi[0] = INT32_MAX;
    (void)ask(&bad[0], 0, -ERANGE);
    uint64_t b = kind_buffer(8, NULL);
    (void)ask(&good, b, -EINVAL);
    bad[0] = good;
    bad[0].mode = ADIT_BOX_LIST;
    assert_int_equal(KIND_STATUS("adit.box", bad[0], (&(struct adit_use){b, ADIT_READ}), 1), -EINVAL);
    kind_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rays_through_a_world_hit_what_they_meet_first),
        cmocka_unit_test(rays_end_where_they_should),
        cmocka_unit_test(a_box_has_the_voxels_that_are_in_it),
        cmocka_unit_test(wrong_boxes_are_refused),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
