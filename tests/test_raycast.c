/* The walk of a ray from voxel to voxel (kernels/raycast.h): against each voxel cut on its own, on borders and along axes, and with numbers that are none. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/kernels.h"
#include "tests/ray_oracle.h"

static uint16_t voxels[ADIT_CHUNK_VOXELS] __attribute__((aligned(64)));
static const struct adit_voxels dense = {.form = ADIT_VOXELS_DENSE, .bytes = sizeof voxels, .packed = (const uint8_t *)voxels};
static uint64_t seed = 88172645463325252u;

static uint64_t random_word(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static double random_double(double lo, double hi) { return lo + (hi - lo) * ((double)(random_word() >> 11) / 9007199254740992.0); }

static uint16_t at(const int32_t v[3]) { return voxels[(v[2] * 64 + v[1]) * 64 + v[0]]; }

/* Walks through the one chunk at base and judges what came of it. */
static void judge(const double origin[3], const double direction[3], double t_max, const int32_t base[3])
{
    struct adit_ray ray;
    struct ray_oracle o = {INFINITY};
    uint16_t material;
    assert_int_equal(adit_ray_begin(&ray, origin, direction, t_max), 0);
    for (int32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        if (voxels[i])
            ray_oracle_add(&o, origin, direction, t_max, (int32_t[3]){base[0] + (i & 63), base[1] + (i >> 6 & 63), base[2] + (i >> 12)});
    enum adit_ray_end end = adit_ray_through(&ray, base, &dense, &material);
    if (end == ADIT_RAY_HIT) {
        assert_true(material && material == at((int32_t[3]){ray.at[0] - base[0], ray.at[1] - base[1], ray.at[2] - base[2]}));
        assert_true(ray_oracle_is_hit(&o, origin, direction, t_max, ray.at, ray.t)); /* (tried: axes passed in another order than t's) */
        for (uint32_t i = 0; i < 3 && ray.face < ADIT_FACES; i++) /* it came in where it says */
            if (ray.face / 2 == i)
                assert_true(fabs(origin[i] + direction[i] * ray.t - (ray.at[i] + (int32_t)(ray.face & 1))) < 1e-9);
    } else {
        assert_true(isinf(o.must)); /* it went past nothing */
        assert_true(end == ADIT_RAY_ENDED || ((ray.at[0] ^ base[0]) | (ray.at[1] ^ base[1]) | (ray.at[2] ^ base[2])) & ~63);
    }
}

static void rays_hit_what_they_meet_first(void **state)
{
    (void)state;
    uint32_t hits = 0;
    for (uint32_t round = 0; round < 300; round++) {
        const int32_t base[3] = {((int32_t)(random_word() % 9) - 4) * 64, ((int32_t)(random_word() % 9) - 4) * 64, round % 3 ? 0 : 1 << 20};
        double origin[3], direction[3];
        memset(voxels, 0, sizeof voxels);
        for (uint32_t i = 0; i < (round % 2 ? 600u : 30000u); i++)
            voxels[random_word() % ADIT_CHUNK_VOXELS] = (uint16_t)(1 + random_word() % 65535);
        for (uint32_t i = 0; i < 3; i++) {
            origin[i] = base[i] + (round % 5 ? random_double(0, 64) : (double)(random_word() % 63) + 0.5);
            direction[i] = round % 7 || random_word() % 2 ? random_double(-1, 1) : 0;
        }
        if (direction[0] == 0 && direction[1] == 0 && direction[2] == 0)
            direction[round % 3] = 1;
        judge(origin, direction, round % 4 ? 200 : random_double(0, 40), base);
        struct adit_ray ray;
        uint16_t material;
        (void)adit_ray_begin(&ray, origin, direction, 200);
        hits += adit_ray_through(&ray, base, &dense, &material) == ADIT_RAY_HIT;
    }
    assert_in_range(hits, 100, 290); /* both happen */
}

static void a_ray_that_begins_on_a_border_is_in_the_voxel_that_it_goes_into(void **state)
{
    (void)state;
    struct adit_ray ray;
    const double origin[3] = {5, -7, 0.5};
    static const struct {
        double direction[3];
        int32_t at[3];
    } cases[] = {{{1, 0, 0}, {5, -7, 0}}, {{-1, 0, 0}, {4, -7, 0}}, {{0, 1, 0}, {5, -7, 0}}, {{0, -1, 0}, {5, -8, 0}}, {{-1, -1, 0}, {4, -8, 0}}};
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(adit_ray_begin(&ray, origin, cases[i].direction, 1), 0);
        assert_memory_equal(ray.at, cases[i].at, sizeof ray.at); /* (tried: always of greater coordinates) */
        assert_int_equal(ray.face, ADIT_FACES);
        assert_true(ray.t == 0);
    }
}

/* Straight through the corners of voxels, along each axis to the end, and to the very border where it ends. */
static void steps_are_along_one_axis_in_the_order_of_their_borders(void **state)
{
    (void)state;
    struct adit_ray ray;
    const double origin[3] = {0, 0, 0}, diagonal[3] = {1, 1, 1}, back[3] = {0, -2, 0};
    assert_int_equal(adit_ray_begin(&ray, origin, diagonal, 1e6), 0);
    for (int32_t i = 0; i < 300000; i++) {
        assert_true(adit_ray_step(&ray));
        assert_int_equal(ray.face, i % 3 * 2);
        assert_true(ray.t == i / 3 + 1 && ray.at[i % 3] == i / 3 + 1);
    }
    assert_int_equal(adit_ray_begin(&ray, origin, back, 1.5), 0);
    for (int32_t i = 0; i < 3; i++) {
        assert_int_equal(ray.at[1], -1 - i);
        assert_true(adit_ray_step(&ray)); /* the last one ends at a border, and counts */
        assert_int_equal(ray.face, ADIT_FACE_PY);
    }
    assert_false(adit_ray_step(&ray));
    assert_int_equal(ray.at[1], -4);
    assert_true(ray.t == 1.5);
}

static void numbers_that_are_none_are_refused(void **state)
{
    (void)state;
    struct adit_ray ray;
    const double zero[3] = {0}, right[3] = {1, 0, 0}, far[3] = {ADIT_RAY_COORDINATE_MAX + 1.0, 0, 0};
    assert_int_equal(adit_ray_begin(&ray, zero, right, 0), 0);
    assert_int_equal(adit_ray_begin(&ray, zero, zero, 1), -EINVAL);
    assert_int_equal(adit_ray_begin(&ray, zero, right, -1), -EINVAL);
    assert_int_equal(adit_ray_begin(&ray, zero, right, NAN), -EINVAL);
    assert_int_equal(adit_ray_begin(&ray, zero, right, INFINITY), -EINVAL);
    assert_int_equal(adit_ray_begin(&ray, far, right, 1), -EINVAL);
    assert_int_equal(adit_ray_begin(&ray, zero, right, far[0]), -EINVAL);
    assert_int_equal(adit_ray_begin(&ray, (const double[3]){0, NAN, 0}, right, 1), -EINVAL);
    assert_int_equal(adit_ray_begin(&ray, zero, (const double[3]){1, 0, INFINITY}, 1), -EINVAL);
    assert_int_equal(adit_ray_begin(&ray, zero, (const double[3]){1, 0, NAN}, 1), -EINVAL);
}

/* Any bits at all: it is refused, or it walks in a chunk and leaves it. */
static void hostile_numbers_end(void **state)
{
    (void)state;
    uint32_t walked = 0;
    memset(voxels, 0, sizeof voxels);
    for (uint32_t round = 0; round < 400000; round++) {
        double number[7];
        struct adit_ray ray;
        uint16_t material;
        for (uint32_t i = 0; i < 7; i++) {
            uint64_t bits = random_word();
            if (round % 2) /* exponents for which rays are rays */
                bits = (bits & ~(0x7ffull << 52)) | (1023 - 40 + bits % 70) << 52;
            memcpy(&number[i], &bits, sizeof bits);
        }
        if (adit_ray_begin(&ray, number, number + 3, number[6]))
            continue;
        const int32_t base[3] = {ray.at[0] & ~63, ray.at[1] & ~63, ray.at[2] & ~63};
        enum adit_ray_end end = adit_ray_through(&ray, base, &dense, &material);
        assert_true(end == ADIT_RAY_LEFT || end == ADIT_RAY_ENDED);
        assert_true(ray.t >= 0 && ray.t <= ray.t_max);
        walked++;
    }
    assert_true(walked > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rays_hit_what_they_meet_first),
        cmocka_unit_test(a_ray_that_begins_on_a_border_is_in_the_voxel_that_it_goes_into),
        cmocka_unit_test(steps_are_along_one_axis_in_the_order_of_their_borders),
        cmocka_unit_test(numbers_that_are_none_are_refused),
        cmocka_unit_test(hostile_numbers_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
