/* test_mesh_alike.c - chunks that are alike throughout, for which kernels go shorter ways: of air, of one material, of bricks of one each, of water alone.
 * Judged as in test_mesh_kernels.c. The seed of what is random is the first argument or 1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mesh_bench.h"

enum { DIM = ADIT_CHUNK_DIM };

static uint64_t seed = 1;

static void an_empty_volume_has_no_quads(void **state)
{
    (void)state;
    bench_reset(64, 64, 64);
    bench_judge();
    struct adit_mesh_result result = bench_mesh(adit_mesh_kernel_best(NULL), bench.quads, 1, 0);
    assert_int_equal(result.start[ADIT_MESH_RANGES], 0);
    assert_true(result.bounds_lo[0] == 63 && result.bounds_hi[0] == 0);
}

static void a_full_volume_is_six_quads_of_64x64(void **state)
{
    static const uint16_t material[] = { 1, 256, 65535 };
    (void)state;
    for (int i = 0; i < 3; i++) {
        bench_reset(64, 64, 64);
        for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
            bench.voxels[v] = material[i];
        bench_judge();
        struct adit_mesh_result result = bench_mesh(adit_mesh_kernel_best(NULL), bench.quads, 6, 0);
        assert_int_equal(result.start[ADIT_MESH_RANGES], 6);
        assert_true(adit_quad_w(bench.quads[0]) == 64 && adit_quad_h(bench.quads[0]) == 64);
        assert_int_equal(adit_quad_material(bench.quads[5]), material[i]);
        for (int f = 0; f < ADIT_FACES; f++) { /* a plane of the same material hides its face */
            for (uint32_t p = 0; p < ADIT_PLANE_VOXELS; p++)
                bench.plane[f][p] = material[i];
            bench.source.plane[f] = bench.plane[f];
            if (i == 0)
                bench_judge();
            result = bench_mesh(adit_mesh_kernel_best(NULL), bench.quads, 6, 0);
            assert_int_equal(result.start[ADIT_MESH_RANGES], 5 - f);
        }
    }
}

/* A chunk of one material, of any class, beside planes of any. (tried: the second layer of a side; a row of quads that goes on over the next plane row
 * where only part of it is visible) */
static void a_full_volume_meets_any_planes(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 24; round++) {
        bench.rng = seed * 5000011 + round;
        bench_reset(64, 64, 64);
        for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
            bench.voxels[v] = 300;
        for (uint32_t i = 1; i < ADIT_MATERIALS; i++)
            bench.classes[i] = (uint8_t)(i == 300 && round % 4 ? ADIT_CLASS_OPAQUE : bench_draw(4));
        for (uint32_t f = 0; f < ADIT_FACES; f++) {
            uint32_t how = bench_draw(4), w = 1 + bench_draw(40);
            bench.source.plane[f] = how ? bench.plane[f] : NULL;
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                bench.plane[f][i] = (uint16_t)(how == 1 ? bench_draw(500) : how == 2 ? i % 64 / w + i / 64 / w * 7 : i / 64 == w ? 2 : 300);
        }
        if (round % 3 == 0)
            bench_draw_shade();
        bench.source.flags = (uint8_t)bench_draw(16);
        bench_judge();
    }
}

/* A chunk of one material is known as such by all of its voxels, and a plane of one by all of its own.
 * (tried: each page's second half left out; the planes' last page) */
static void one_voxel_that_differs_is_seen_wherever_it_is(void **state)
{
    (void)state;
    bench.rng = seed;
    for (uint32_t is_full = 0; is_full < 2; is_full++) {
        bench_reset(64, 64, 64);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            bench.voxels[i] = is_full ? 9 : 0;
        for (uint32_t n = 0, at = 0; at < ADIT_CHUNK_VOXELS; n++, at += 1 + bench_draw(ADIT_CHUNK_VOXELS / BENCH_ROUNDS)) {
            uint32_t sides = 0;
            for (uint32_t axis = 0; axis < 3; axis++)
                sides += (at >> 6 * axis) % DIM == 0 || (at >> 6 * axis) % DIM == DIM - 1;
            bench.voxels[at] ^= 9;
            adit_mesh_kernel *kernel = adit_mesh_kernel_named(bench_kernels[n % BENCH_KERNELS]);
            if (kernel)
                assert_int_equal(bench_mesh(kernel, bench.quads, 1000, 0).faces, is_full ? 6 * DIM * DIM + 6 - 2 * sides : 6);
            bench.voxels[at] ^= 9;
        }
    }
    for (uint32_t f = 0; f < ADIT_FACES; f++) { /* still full, now with planes */
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
            bench.plane[f][i] = 5;
        bench.source.plane[f] = bench.plane[f];
    }
    for (uint32_t at = 0, f = 0; at < ADIT_PLANE_VOXELS; at += 1 + bench_draw(ADIT_PLANE_VOXELS / BENCH_ROUNDS), f = (f + 1) % ADIT_FACES) {
        bench.plane[f][at] = 0;
        for (int k = 0; k < BENCH_KERNELS; k++) {
            adit_mesh_kernel *kernel = adit_mesh_kernel_named(bench_kernels[k]);
            if (!kernel)
                continue;
            struct adit_mesh_result one = bench_mesh(kernel, bench.quads, 1000, 0);
            assert_int_equal(one.faces, 1);
            assert_int_equal(one.start[f * ADIT_MESH_CLASSES + 1] - one.start[f * ADIT_MESH_CLASSES], 1);
        }
        bench.plane[f][at] = 5;
    }
}

/* Bricks of one material each, most of them solid or all see-through, of materials whose classes have high bits, beside planes that hide much: strips of
 * them are known at once, and so is what cannot be seen. (tried: solid strips before air not looked at; classes of eight bits; see-through ones
 * taken for opaque where the chunk has no other; rows of translucent voxels not compared that a cutout one looks at) */
static void whole_bricks_are_seen_from_all_sides(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < BENCH_ROUNDS / 3; round++) {
        uint16_t brick[64];
        bench.rng = seed * 6000011 + round;
        bench_reset(64, 64, 64);
        bool is_glass = round % 8 == 1; /* one translucent material and air */
        uint32_t ids = is_glass ? 1 : 1 + bench_draw(5), solid = is_glass ? 0 : bench_draw(3), air = is_glass ? 80 : bench_draw(3) * 40;
        for (uint32_t i = 1; i < ADIT_MATERIALS; i++)
            bench.classes[i] = (uint8_t)((i % 7 == 1 && solid ? ADIT_CLASS_OPAQUE : is_glass ? ADIT_CLASS_TRANSLUCENT : 1 + bench_draw(3)) | bench_draw(64) << 2);
        for (uint32_t i = 0; i < 64; i++)
            brick[i] = bench_draw_material(ids, 1, bench_draw(4) && i && solid ? 0 : air);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            bench.voxels[i] = brick[i / 65536 * 16 + i / 1024 % 4 * 4 + i / 16 % 4];
        for (uint32_t n = bench_draw(3) * 3; n; n--)
            *bench_voxel(bench_draw(64), bench_draw(64), bench_draw(64)) = bench_draw_material(ids, 1, air);
        for (uint32_t f = 0; f < ADIT_FACES; f++) {
            bench.source.plane[f] = bench_draw(4) ? bench.plane[f] : NULL;
            uint16_t all = bench_draw_material(ids, 1, air / 2);
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                bench.plane[f][i] = all;
        }
        bench_draw_shade();
        bench.source.flags = (uint8_t)bench_draw(16);
        bench_judge_fully(round % 4 == 0);
    }
}

/* Nothing but air and translucent materials, one or several, beside planes of all classes: what mesh_fold.h is about.
 * (tried: AO not asked about; other see-through materials of planes taken for opaque ones; starts left where they were) */
static void water_alone_meets_any_planes(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < BENCH_ROUNDS / 5; round++) {
        bench.rng = seed * 8000009 + round;
        bench_reset(64, 64, 64);
        uint32_t ids = 1 + bench_draw(2) * bench_draw(5), sparse = bench_draw(2), air = bench_draw(3) * 100;
        for (uint32_t i = 1; i < ADIT_MATERIALS; i++)
            bench.classes[i] = (uint8_t)(i <= ids ? ADIT_CLASS_TRANSLUCENT : bench_draw(4));
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            bench.voxels[i] = sparse || (i >> 6 & 63) < 32 ? bench_draw_material(ids, 1, sparse ? 200 : air) : 0;
        for (uint32_t f = 0; f < ADIT_FACES; f++) {
            bench.source.plane[f] = bench_draw(4) ? bench.plane[f] : NULL;
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                bench.plane[f][i] = bench_draw_material(bench_draw(3) ? ids : 300, 1, 60);
        }
        bench_draw_shade();
        bench.source.flags = (uint8_t)(round % 16);
        bench_judge_fully(round % 3 == 0);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_volume_has_no_quads),
        cmocka_unit_test(a_full_volume_is_six_quads_of_64x64),
        cmocka_unit_test(a_full_volume_meets_any_planes),
        cmocka_unit_test(one_voxel_that_differs_is_seen_wherever_it_is),
        cmocka_unit_test(whole_bricks_are_seen_from_all_sides),
        cmocka_unit_test(water_alone_meets_any_planes),
    };
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    printf("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, bench_open, NULL);
}
