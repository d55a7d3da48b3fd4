#include "tests/mesh_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

enum { DIM = ADIT_CHUNK_DIM };

struct mesh_bench bench;
const char *const bench_kernels[BENCH_KERNELS] = {"scalar", "avx2", "avx512"};

uint32_t bench_draw(uint32_t below)
{
    return fenced_draw(&bench.rng, below);
}

int bench_open(void **state)
{
    (void)state;
    bench.voxels = fenced_alloc(ADIT_CHUNK_VOXELS * sizeof *bench.voxels);
    bench.light = fenced_alloc(ADIT_CHUNK_VOXELS * sizeof *bench.light);
    bench.rim = fenced_alloc(sizeof *bench.rim);
    for (int f = 0; f < ADIT_FACES; f++) {
        bench.plane[f] = fenced_alloc(ADIT_PLANE_VOXELS * sizeof *bench.plane[f]);
        bench.light_plane[f] = fenced_alloc(ADIT_PLANE_VOXELS * sizeof *bench.light_plane[f]);
    }
    bench.classes = fenced_alloc(ADIT_MATERIALS);
    bench.block = fenced_alloc(ADIT_ENCODED_BYTES_MAX);
    bench.plan = malloc(adit_encode_plan_bytes());
    assert_non_null(bench.plan);
    bench.quads = fenced_alloc((ADIT_MESH_QUADS_MAX + BENCH_GUARDS) * sizeof *bench.quads);
    bench.expected = fenced_alloc((ADIT_MESH_QUADS_MAX + BENCH_GUARDS) * sizeof *bench.expected);
    bench.old = fenced_alloc((ADIT_MESH_QUADS_MAX + BENCH_GUARDS) * sizeof *bench.old);
    return 0;
}

void bench_reset(uint32_t x, uint32_t y, uint32_t z)
{
    memset(bench.voxels, 0, ADIT_CHUNK_VOXELS * sizeof *bench.voxels);
    memset(bench.classes, ADIT_CLASS_OPAQUE, ADIT_MATERIALS);
    bench.classes[0] = ADIT_CLASS_AIR;
    bench.source = (struct adit_mesh_source){ .voxels = bench.voxels, .classes = bench.classes,
                                          .dim = { (uint8_t)x, (uint8_t)y, (uint8_t)z } };
}

uint16_t *bench_voxel(uint32_t x, uint32_t y, uint32_t z)
{
    return &bench.voxels[(z * DIM + y) * DIM + x];
}

void bench_guard(uint64_t *quads, uint32_t quads_max)
{
    for (uint32_t i = 0; i < BENCH_GUARDS; i++)
        quads[quads_max + i] = BENCH_GUARD;
}

void bench_assert_guarded(const uint64_t *quads, uint32_t quads_max)
{
    for (uint32_t i = 0; i < BENCH_GUARDS; i++)
        assert_int_equal(quads[quads_max + i], BENCH_GUARD);
}

struct adit_mesh_result bench_mesh(adit_mesh_kernel *kernel, uint64_t *quads, uint32_t quads_max, int expected_rc)
{
    struct adit_mesh_result result = { .quads = quads, .quads_max = quads_max };
    memset(result.start, 0xaa, sizeof result.start);
    bench_guard(quads, quads_max);
    mesh_soil_stack(quads_max & 1 ? 0xff : 0);
    assert_int_equal(kernel(&bench.source, &result), expected_rc);
    bench_assert_guarded(quads, quads_max);
    assert_true(result.quads == quads && result.quads_max == quads_max);
    return result;
}

void bench_judge_kernels(const struct adit_mesh_result *expected)
{
    const struct adit_mesh_result want = *expected;
    uint32_t n = want.start[ADIT_MESH_RANGES];
    for (int k = 0; k < BENCH_KERNELS; k++) {
        adit_mesh_kernel *kernel = adit_mesh_kernel_named(bench_kernels[k]);
        if (!kernel)
            continue;
        struct adit_mesh_result got = bench_mesh(kernel, bench.quads, ADIT_MESH_QUADS_MAX, 0);
        mesh_assert_same(&got, &want);
        got = bench_mesh(kernel, bench.quads, n, 0);
        mesh_assert_same(&got, &want);
        if (n < ADIT_MESH_QUADS_MAX) { /* over other bytes on the stack */
            got = bench_mesh(kernel, bench.quads, ADIT_MESH_QUADS_MAX - 1, 0);
            mesh_assert_same(&got, &want);
        }
        uint32_t rooms[] = { n - 1, n / 2, n ? bench_draw(n) : 0, 17, 9, 8, 7, 1, 0 };
        for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
            if (rooms[i] >= n)
                continue;
            got = bench_mesh(kernel, bench.quads, rooms[i], -ENOSPC);
            mesh_assert_same(&got, &want);
        }
    }
}

void bench_encode(void)
{
    mesh_encode(bench.voxels, bench.classes, bench.plan, bench.block, &bench.encoded);
    bench.source.encoded = &bench.encoded;
    bench.source.voxels = NULL;
}

void bench_judge_fully(bool by_definition)
{
    struct adit_mesh_result want = bench_mesh(adit_mesh_scalar, bench.expected, ADIT_MESH_QUADS_MAX, 0);
    if (by_definition && bench.source.dim[0] * bench.source.dim[1] * bench.source.dim[2] <= BENCH_JUDGED_MAX)
        mesh_judge(&bench.source, &want);
    bench_judge_kernels(&want);
    if (bench.source.dim[0] < DIM || bench.source.dim[1] < DIM || bench.source.dim[2] < DIM)
        return;
    bench_encode();
    bench_judge_kernels(&want);
    for (uint32_t y = 0; y < DIM; y++) { /* and each voxel is read as it was, by itself and in its row */
        uint16_t row[DIM];
        uint32_t z = (y * 7 + 3) % DIM;
        adit_voxels_row(&bench.encoded, y, z, row);
        assert_memory_equal(row, bench_voxel(0, y, z), sizeof row);
        for (uint32_t x = 0; x < DIM; x++)
            assert_int_equal(adit_voxels_at(&bench.encoded, x, y, z), row[x]);
    }
    bench.source.encoded = NULL;
    bench.source.voxels = bench.voxels;
}

void bench_judge(void)
{
    bench_judge_fully(true);
}

void bench_judge_with_all_flags(void)
{
    bool is_large = bench.source.dim[0] * bench.source.dim[1] * bench.source.dim[2] > ADIT_CHUNK_VOXELS / 4;
    for (uint8_t flags = 0; flags < 16; flags = (uint8_t)(flags + (is_large ? 5 : 1))) {
        bench.source.flags = flags;
        bench_judge();
    }
    bench.source.flags = 0;
}

uint16_t bench_draw_material(uint32_t ids, uint32_t base, uint32_t air)
{
    if (bench_draw(256) < air)
        return 0;
    return (uint16_t)(ids > 60000 ? bench_draw(65536) : base + bench_draw(ids));
}

void bench_draw_shade(void)
{
    uint32_t how = bench_draw(3), mask = how == 2 ? 65535 : bench_draw(4);
    bench.source.rim = bench_draw(3) ? bench.rim : NULL;
    for (uint32_t i = 0; i < 12; i++)
        bench.rim->edge[i] = bench_draw(4) ? (uint64_t)bench_draw(1u << 31) << 33 ^ bench_draw(1u << 31) : ~0ull;
    bench.rim->corner = (uint8_t)bench_draw(256);
    bench.source.light = how ? bench.light : NULL; /* without it its planes do not count */
    for (uint32_t i = 0; how && i < ADIT_CHUNK_VOXELS; i++) /* of the bits above light some, too */
        bench.light[i] = (uint16_t)((how == 2 ? bench_draw(16) << 6 : (i >> 4 & 1) + (i >> 9 & 3) + (i >> 15 & 7)) | (bench_draw(65536) & 0xfc00));
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        bench.source.light_plane[f] = bench_draw(3) ? bench.light_plane[f] : NULL;
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
            bench.light_plane[f][i] = (uint16_t)(bench_draw(2) & mask);
    }
}
