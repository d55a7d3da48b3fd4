/* test_mesh_kernels.c - every mesh kernel against the scalar one, and the scalar one, which is no specification but as quick as can be, against
 * the definition.
 *
 * The definition is written down a second time in mesh_defined.c. Sources and quads lie between unreadable pages, so a read or write beyond them
 * is a fault. The seed of the random volumes is the first argument or 1.
 *
 * (tried, with AO: the slabs or rows beside those with faces not turned; bits beyond a narrow volume left in turned words; bits of an edge beyond the
 * volume's end kept; the row before the first one in the wrong layer.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/mesh_bench.h"

enum { DIM = ADIT_CHUNK_DIM };

static uint64_t seed = 1;

/* -- volumes ------------------------------------------------------------------------------------------------------- */

/* A translucent voxel that shows no face, and a cutout one that looks at it: nothing is known of the material of the first, and nothing may be asked.
 * (tried: asked, which what lay on the stack answered) */
static void hidden_voxels_are_not_asked_for_their_material(void **state)
{
    (void)state;
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        uint32_t axis = adit_face_axis(face), step = axis == 0 ? 1 : axis == 1 ? DIM : DIM * DIM;
        bench_reset(axis == 0 ? 2 : 1, axis == 1 ? 2 : 1, axis == 2 ? 2 : 1);
        bench.classes[2] = ADIT_CLASS_TRANSLUCENT;
        bench.classes[3] = ADIT_CLASS_CUTOUT;
        bench.voxels[face & 1 ? step : 0] = 2;
        bench.voxels[face & 1 ? 0 : step] = 3;
        for (uint32_t f = 0; f < ADIT_FACES; f++) {
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                bench.plane[f][i] = 1;
            bench.source.plane[f] = f == (face ^ 1) ? NULL : bench.plane[f];
        }
        bench_judge_with_all_flags();
    }
}

static void single_voxels_are_six_quads_wherever_they_are(void **state)
{
    static const uint8_t at[] = { 0, 1, 7, 8, 31, 32, 62, 63 };
    (void)state;
    for (int i = 0; i < 8; i += 3) {
        bench_reset(64, 64, 64);
        *bench_voxel(at[i], at[(i + 3) % 8], at[(i + 5) % 8]) = (uint16_t)(40000 + i);
        bench_judge();
        assert_int_equal(bench_mesh(adit_mesh_kernel_best(NULL), bench.quads, 6, 0).faces, 6);
    }
    bench_reset(64, 64, 64); /* all corners, and planes that hide every second of their faces */
    for (uint32_t i = 0; i < 8; i++)
        *bench_voxel(i & 1 ? 63 : 0, i & 2 ? 63 : 0, i & 4 ? 63 : 0) = (uint16_t)(1 + i * 37);
    bench_judge();
    for (int f = 0; f < ADIT_FACES; f++) {
        memset(bench.plane[f], 0, ADIT_PLANE_VOXELS * sizeof *bench.plane[f]);
        bench.plane[f][0] = bench.plane[f][ADIT_PLANE_VOXELS - 1] = 3;
        bench.source.plane[f] = bench.plane[f];
    }
    bench_judge();
}

static void slabs_across_the_volume_are_single_quads(void **state)
{
    static const uint8_t layer[] = { 0, 31, 63 };
    (void)state;
    for (int axis = 0; axis < 3; axis++) {
        for (int i = 0; i < 3; i++) {
            bench_reset(64, 64, 64);
            for (uint32_t a = 0; a < 64; a++)
                for (uint32_t c = 0; c < 64; c++)
                    *(axis == 0 ? bench_voxel(layer[i], a, c) : axis == 1 ? bench_voxel(a, layer[i], c) : bench_voxel(a, c, layer[i])) = 9;
            bench_judge();
            assert_int_equal(bench_mesh(adit_mesh_kernel_best(NULL), bench.quads, 6, 0).start[ADIT_MESH_RANGES], 6);
        }
    }
}

static void checkers_and_spheres_are_covered(void **state)
{
    (void)state;
    for (uint32_t ids = 1; ids <= 300; ids += 299) {
        bench_reset(64, 64, 64);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            if ((i ^ i >> 6 ^ i >> 12) & 1)
                bench.voxels[i] = (uint16_t)(1 + i % ids);
        bench_judge();
    }
    bench_reset(63, 64, 61);
    for (int z = 0; z < 64; z++)
        for (int y = 0; y < 64; y++)
            for (int x = 0; x < 64; x++)
                if ((2 * x - 63) * (2 * x - 63) + (2 * y - 63) * (2 * y - 63) + (2 * z - 63) * (2 * z - 63) <= 3600)
                    *bench_voxel((uint32_t)x, (uint32_t)y, (uint32_t)z) = (uint16_t)(y / 9);
    bench_judge_with_all_flags();
}

static void draw_voxels(void)
{
    static const uint32_t choices[][2] = { { 1, 1 },     { 2, 1 },    { 3, 126 },  { 5, 254 },
                                           { 8, 65528 }, { 200, 30 }, { 65536, 0 } };
    static const uint32_t airs[] = { 0, 4, 64, 128, 200, 250 };
    uint32_t pick = bench_draw(7), ids = choices[pick][0], base = choices[pick][1], air = airs[bench_draw(6)];
    if (bench_draw(2)) { /* noise, in the whole array: what is beyond dim must not matter */
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            bench.voxels[i] = bench_draw_material(ids, base, air);
    } else { /* boxes over each other, for large quads */
        for (uint32_t n = 1 + bench_draw(60); n; n--) {
            uint32_t lo[3], hi[3];
            uint16_t material = bench_draw_material(ids, base, air);
            for (int axis = 0; axis < 3; axis++) {
                lo[axis] = bench_draw(64);
                hi[axis] = lo[axis] + 1 + bench_draw(64 - lo[axis]);
            }
            for (uint32_t z = lo[2]; z < hi[2]; z++)
                for (uint32_t y = lo[1]; y < hi[1]; y++)
                    for (uint32_t x = lo[0]; x < hi[0]; x++)
                        *bench_voxel(x, y, z) = material;
        }
    }
    for (int f = 0; f < ADIT_FACES; f++) {
        uint32_t how = bench_draw(4), axis = adit_face_axis((uint32_t)f), layer = f & 1 ? bench.source.dim[axis] - 1u : 0;
        bench.source.plane[f] = how ? bench.plane[f] : NULL;
        for (uint32_t v = 0; v < DIM; v++)
            for (uint32_t u = 0; u < DIM; u++) /* noise, the border layer itself, or a mixture */
                bench.plane[f][v * DIM + u] = how == 1 || (how == 2 && bench_draw(2)) ? bench_draw_material(ids, base, air)
                                                   : bench.voxels[mesh_cell_index((uint32_t)f, (struct mesh_cell){ layer, u, v })];
    }
}

static void draw_classes(void)
{
    uint32_t how = bench_draw(5);
    for (uint32_t i = 1; i < ADIT_MATERIALS; i++) /* opaque, or a mixture with more than class bits set, or one class */
        bench.classes[i] = (uint8_t)(how == 0 ? ADIT_CLASS_OPAQUE : how == 1 ? bench_draw(256) : how == 2 ? 1 + bench_draw(3) : how - 1);
}

static void random_volumes_give_the_bytes_of_the_definition(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < BENCH_ROUNDS; round++) {
        bench.rng = seed * 1000003 + round;
        if (bench_draw(5) == 0)
            bench_reset(64, 64, 64);
        else if (bench_draw(2))
            bench_reset(1 + bench_draw(20), 1 + bench_draw(20), 1 + bench_draw(20));
        else
            bench_reset(1 + bench_draw(64), 1 + bench_draw(8), 1 + bench_draw(64));
        draw_classes();
        draw_voxels();
        if (round & 1)
            bench_draw_shade();
        bench.source.flags = (uint8_t)bench_draw(round & 1 ? 16 : 4);
        bench_judge();
    }
}

static void each_axis_may_have_any_length(void **state)
{
    static const uint8_t lengths[] = { 1, 2, 7, 8, 9, 17, 32, 57, 63, 64 };
    (void)state;
    for (int i = 0; i < 10; i++) {
        uint32_t n = lengths[i];
        for (int axis = 0; axis < 3; axis++) {
            bench.rng = seed * 2000003 + n;
            bench_reset(axis == 0 ? n : 3, axis == 1 ? n : 3, axis == 2 ? n : 3);
            draw_classes();
            draw_voxels();
            bench_draw_shade();
            bench_judge_with_all_flags();
        }
    }
}

/* A sound block may hold any voxels: palette indices beyond the palette, which are air, and local palettes of anything. (tried: classes of indices
 * by their low six bits, where no more than 64 materials are: quads of air) */
static void indices_beyond_the_palette_are_air(void **state)
{
    static const uint32_t ids[] = {2, 3, 9, 40, 100, 250};
    (void)state;
    for (uint32_t round = 0; round < BENCH_ROUNDS / 4; round++) {
        bench.rng = seed * 3000017 + round;
        bench_reset(64, 64, 64);
        draw_classes();
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            bench.voxels[i] = bench_draw_material(ids[round % 6], 1, 64);
        bench_encode();
        uint8_t *packed = bench.block + (bench.encoded.packed - bench.block);
        for (uint32_t n = bench_draw(4000); n; n--)
            packed[bench_draw(bench.encoded.bytes)] = (uint8_t)bench_draw(256);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            bench.voxels[i] = adit_voxels_at(&bench.encoded, i % 64, i / 64 % 64, i / 4096);
        bench.source.encoded = NULL;
        bench.source.voxels = bench.voxels;
        struct adit_mesh_result want = bench_mesh(adit_mesh_scalar, bench.expected, ADIT_MESH_QUADS_MAX, 0);
        bench.source.encoded = &bench.encoded;
        bench.source.voxels = NULL;
        bench_judge_kernels(&want);
    }
}

/* Ground of which whole bricks are of one class and of several materials, in numbers for each number of bits, under air, water or leaves: a kernel
 * that knows the class of such a brick at once still has to see where its materials change at the surface, also across bricks. Caves are few
 * faces a slab, pillars many. (tried: keys of the next slab not unpacked; the first row of a beam not looked at) */
static void ground_of_several_materials_is_merged_by_material(void **state)
{
    static const uint32_t kinds[] = { 1, 2, 4, 16, 100, 2, 1 };
    (void)state;
    for (int k = 0; k < 7; k++) {
        bench.rng = seed * 3000017 + (uint32_t)k;
        bench_reset(64, 64, 64);
        for (uint32_t i = 1; i < ADIT_MATERIALS; i++)
            bench.classes[i] = (uint8_t)(i < 200 ? ADIT_CLASS_OPAQUE : 2 + i % 2);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
            uint32_t y = i / DIM % DIM, z = i / DIM / DIM;
            uint16_t ground = (uint16_t)(1 + (k & 1 ? (i / 7 + i / 640) % kinds[k] : bench_draw(kinds[k])));
            bool is_ground = k < 5 ? y < 32 : (y / 16 + z / 16) % 2; /* beams along x in the end */
            bench.voxels[i] = is_ground ? ground : (uint16_t)(k == 2 && y < 48 ? 200 : k == 3 ? 300 + bench_draw(2) : 0);
            if (k == 1 && y < 40 && i % 8 == 3)
                bench.voxels[i] = 9;
        }
        for (uint32_t n = 0; n < 12 && k < 5; n++)
            *bench_voxel(bench_draw(64), bench_draw(32), bench_draw(64)) = 0;
        for (uint32_t f = 0; f < 2 && k >= 5; f++) { /* and their ends are covered */
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                bench.plane[f][i] = 7;
            bench.source.plane[f] = bench.plane[f];
        }
        bench.source.flags = (uint8_t)(k & 1 ? ADIT_MESH_TT_NONE : 0);
        bench_judge();
    }
}

/* Chunks of as many materials as a palette holds, and one more or less, of one class and of all; with air and without. (tried: a limit of keys
 * one lower) */
static void palettes_may_be_full(void **state)
{
    static const uint32_t n[] = { 254, 255, 256, 257 };
    (void)state;
    for (int i = 0; i < 4; i++) {
        for (uint32_t how = 0; how < 3; how++) {
            bench.rng = seed * 4000037 + (uint32_t)i;
            bench_reset(64, 64, 64);
            for (uint32_t m = 1; m < ADIT_MATERIALS; m++)
                bench.classes[m] = (uint8_t)(how < 2 ? ADIT_CLASS_OPAQUE : bench_draw(4));
            for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++) /* of each material a cube of 4 */
                bench.voxels[v] = (uint16_t)(((v >> 2 & 15) | (v >> 4 & 15 << 4) | (v >> 6 & 15 << 8)) % n[i] + (how == 1));
            bench_judge();
        }
    }
}

/* -- the edges of the interface ------------------------------------------------------------------------------------ */

static void a_source_that_is_not_valid_is_refused(void **state)
{
    (void)state;
    for (int k = 0; k < BENCH_KERNELS; k++) {
        adit_mesh_kernel *kernel = adit_mesh_kernel_named(bench_kernels[k]);
        for (int axis = 0; kernel && axis < 3; axis++) {
            for (uint32_t dim = 0; dim < 256; dim += dim ? 63 : 65) {
                bench_reset(64, 64, 64);
                bench.source.dim[axis] = (uint8_t)dim;
                struct adit_mesh_result result = bench_mesh(kernel, bench.quads, 4, dim == 0 || dim > 64 ? -EINVAL : 0);
                assert_int_equal(result.start[ADIT_MESH_RANGES], 0);
            }
            bench_reset(64, 64, 64);
            struct adit_mesh_result nowhere = { .quads = NULL, .quads_max = 1 };
            assert_int_equal(kernel(&bench.source, &nowhere), -EINVAL);
            bench.source.classes = NULL;
            bench_mesh(kernel, bench.quads, 4, -EINVAL);
            bench.source.classes = bench.classes;
            bench.source.voxels = NULL;
            bench_mesh(kernel, bench.quads, 4, -EINVAL);
            bench.encoded = (struct adit_voxels){.uniform = 7};
            bench.source.encoded = &bench.encoded;
            bench_mesh(kernel, bench.quads, 6, 0);
            bench.source.dim[k % 3] = 63; /* an encoded chunk is a whole one */
            bench_mesh(kernel, bench.quads, 6, -EINVAL);
        }
    }
}

static void kernels_are_found_by_name_unless_disabled(void **state)
{
    const char *name = NULL;
    (void)state;
    assert_true(adit_mesh_kernel_named("scalar") == adit_mesh_scalar);
    assert_null(adit_mesh_kernel_named("sca"));
    assert_null(adit_mesh_kernel_named(""));
    adit_mesh_kernel *best = adit_mesh_kernel_best(&name);
    assert_true(best == adit_mesh_kernel_named(name));
    static const char *const lists[] = { "avx512,avx2", "hugepages,avx2,avx512", "avx512,membarrier,avx2", ",,avx512,avx2", "scalar,avx512,avx2" };
    const char *was = getenv("ADIT_DISABLE");
    char *saved = was ? strdup(was) : NULL;
    for (int i = 0; i < 5; i++) {
        setenv("ADIT_DISABLE", lists[i], 1);
        assert_null(adit_mesh_kernel_named("avx512"));
        assert_null(adit_mesh_kernel_named("avx2"));
        assert_true(adit_mesh_kernel_best(&name) == adit_mesh_scalar);
        assert_string_equal(name, "scalar");
    }
    setenv("ADIT_DISABLE", "avx512", 1); /* then AVX2 is the best where there is any */
    bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
    adit_mesh_kernel_best(&name);
    assert_string_equal(name, has_avx2 ? "avx2" : "scalar");
    setenv("ADIT_DISABLE", "avx5120,avx51,avx22", 1);
    assert_int_equal(adit_mesh_kernel_named("avx2") != NULL, has_avx2);
    bool has_avx512 = __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("gfni");
    assert_int_equal(adit_mesh_kernel_named("avx512") != NULL, has_avx512);
    unsetenv("ADIT_DISABLE");
    if (saved)
        setenv("ADIT_DISABLE", saved, 1);
    free(saved);
}

/* A peer that may write all that is read does so all the while, voxels plain or published. The quads are then worthless, but the guards live, nothing
 * faults, and every call ends. The peer is a process, so that ThreadSanitizer has nothing to say. */
static void voxels_that_change_meanwhile_do_no_harm(void **state)
{
    (void)state;
    bench_reset(64, 64, 64);
    bench.rng = seed;
    draw_classes();
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) /* bricks of each number of bits */
        bench.voxels[i] = (uint16_t)bench_draw(i < 65536 ? 2 : i < 131072 ? 4 : i < 196608 ? 16 : 200);
    bench_encode();
    uint8_t *packed = bench.block + (bench.encoded.packed - bench.block);
    const struct adit_voxels uniform = {.form = ADIT_VOXELS_UNIFORM, .uniform = 1};
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        bench.source.plane[f] = bench.plane[f];
        bench.source.light_plane[f] = bench.light_plane[f];
    }
    bench.source.rim = bench.rim;
    pid_t peer = fork();
    assert_true(peer >= 0);
    if (!peer) {
        for (uint32_t i = 0; getppid() != 1 && i < 2000000000; i++) {
            uint32_t f = bench_draw(ADIT_FACES), at = bench_draw(ADIT_PLANE_VOXELS);
            bench.voxels[bench_draw(ADIT_CHUNK_VOXELS)] = (uint16_t)(i & 512 ? bench_draw(65536) : bench_draw(3));
            packed[bench_draw(bench.encoded.bytes)] = (uint8_t)bench_draw(256);
            bench.plane[f][at] = (uint16_t)bench_draw(300);
            bench.light_plane[f][at] = (uint16_t)bench_draw(65536);
            bench.light[bench_draw(ADIT_CHUNK_VOXELS)] = (uint16_t)bench_draw(4);
            bench.rim->edge[bench_draw(12)] ^= 1ull << bench_draw(64);
            bench.classes[bench_draw(i & 64 ? 4 : 300)] = (uint8_t)bench_draw(256);
            bench.classes[1] = (uint8_t)bench_draw(4); /* of the chunk of one material */
        }
        _exit(0);
    }
    for (int k = 0; k < BENCH_KERNELS; k++) {
        adit_mesh_kernel *kernel = adit_mesh_kernel_named(bench_kernels[k]);
        for (int i = 0; kernel && i < 200; i++) {
            struct adit_mesh_result result = { .quads = bench.quads, .quads_max = 1000 };
            bench.quads[1000] = BENCH_GUARD;
            bench.source.flags = (uint8_t)(i & 15);
            bench.source.encoded = i % 5 == 0 ? NULL : i % 5 < 3 ? &bench.encoded : &uniform;
            bench.source.voxels = i % 5 == 0 ? bench.voxels : NULL;
            bench.source.light = i & 32 ? bench.light : NULL;
            kernel(&bench.source, &result);
            assert_int_equal(bench.quads[1000], BENCH_GUARD);
            assert_true(result.start[ADIT_MESH_RANGES] <= ADIT_MESH_QUADS_MAX);
        }
    }
    kill(peer, SIGKILL);
    assert_int_equal(waitpid(peer, NULL, 0), peer);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_voxels_are_not_asked_for_their_material),
        cmocka_unit_test(single_voxels_are_six_quads_wherever_they_are),
        cmocka_unit_test(slabs_across_the_volume_are_single_quads),
        cmocka_unit_test(checkers_and_spheres_are_covered),
        cmocka_unit_test(random_volumes_give_the_bytes_of_the_definition),
        cmocka_unit_test(each_axis_may_have_any_length),
        cmocka_unit_test(indices_beyond_the_palette_are_air),
        cmocka_unit_test(ground_of_several_materials_is_merged_by_material),
        cmocka_unit_test(palettes_may_be_full),
        cmocka_unit_test(a_source_that_is_not_valid_is_refused),
        cmocka_unit_test(kernels_are_found_by_name_unless_disabled),
        cmocka_unit_test(voxels_that_change_meanwhile_do_no_harm),
    };
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    printf("seed %llu, best kernel: ", (unsigned long long)seed);
    const char *name;
    adit_mesh_kernel_best(&name);
    puts(name);
    return cmocka_run_group_tests(tests, bench_open, NULL);
}
