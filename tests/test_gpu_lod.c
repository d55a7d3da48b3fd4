/* Chunks halved by a Vulkan device (lavapipe): the voxels of the scalar kernel, out of every encoding; cells of all kinds; whole chunks of the next levels;
 * batches that fill up, are filled anew, are in flight beside others; blocks that are not sound. (tried: the highest id on ties, three or five
 * of eight, air among those that are counted, the second cell of a pair lost, a row of a cell read twice, values read from the next word, the local palette not
 * skipped, a brick's place in the volume, a uniform brick's palette index cut to seven bits: each is caught.) */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpu/lod_batch.h"
#include "runtime/adit.h"
#include "runtime/encoding.h"
#include "tests/golden_generated.h"
#include "tests/gpu_group.h"
#include "tests/volumes.h"

#define KINDS (sizeof golden_generated / sizeof *golden_generated)
#define WAIT_NS 120000000000u
#define SOURCE_BYTES (16u << 20)
#define HALF 32u

static uint8_t classes[ADIT_MATERIALS];
static uint16_t voxels[ADIT_CHUNK_VOXELS], parent[ADIT_CHUNK_VOXELS], want_parent[ADIT_CHUNK_VOXELS], want[ADIT_LOD_BATCH_VOXELS];

static uint32_t draw(void)
{
    static uint64_t state = 1;
    state += 0x9e3779b97f4a7c15u;
    uint64_t a = (state ^ state >> 30) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(a >> 32);
}

static void make_volume(const char *kind, uint64_t seed, uint32_t stride)
{
    static const uint32_t full[3] = {66, 66, 66};
    static uint8_t volume[66 * 66 * 66];
    static uint16_t planes[ADIT_FACES][ADIT_PLANE_VOXELS];
    uint16_t *plane[ADIT_FACES];
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        plane[f] = planes[f];
    assert_int_equal(volume_fill(kind, full, 1, seed, volume), 0);
    volume_split(volume, full, 1, voxels, plane);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = (uint16_t)(voxels[i] * stride);
}

/* Random ones, of so many materials that bricks take just these bits a voxel; of 16 bits the chunk is dense. Each brick has its own ones. */
static void make_cells(uint32_t bits, uint32_t air_of_eight)
{
    for (uint32_t z = 0; z < 64; z++)
        for (uint32_t y = 0; y < 64; y++)
            for (uint32_t x = 0; x < 64; x++) {
                uint32_t brick = (z / 16 * 4 + y / 16) * 4 + x / 16, n = (1u << bits) - 1, id = draw() % (bits == 16 ? 65535 : n);
                if (draw() % 2) /* of two, so that cells have more than one of the same, and ties */
                    id %= 2;
                bool is_air = draw() % 8 < air_of_eight;
                voxels[(z * 64 + y) * 64 + x] = (uint16_t)(is_air ? 0 : 1 + (bits < 8 ? brick % 16 * n + id : id) * (bits == 16 ? 1 : 257) % 65535);
            }
}

static void *encode_voxels(uint32_t *bytes)
{
    struct gpu_chunk c;
    uint16_t *none[ADIT_FACES] = {NULL};
    gpu_chunk_make(&c, voxels, none, classes, 0);
    *bytes = (uint32_t)c.task.bytes;
    return c.version;
}

static void add_voxels(struct adit_lod_batch *b)
{
    uint32_t bytes;
    void *block = encode_voxels(&bytes);
    assert_int_equal(adit_lod_batch_add(b, block, bytes), 0);
    free(block); /* it was copied */
}

static struct adit_lod_batch *open_batch(uint32_t chunks)
{
    struct adit_lod_batch *b;
    assert_int_equal(adit_lod_batch_open(gpu, chunks, SOURCE_BYTES, &b), 0);
    return b;
}

static void run(struct adit_lod_batch *b)
{
    assert_int_equal(adit_lod_batch_submit(b), 0);
    assert_int_equal(adit_lod_batch_wait(b, WAIT_NS), 0);
}

/* Chunk i of the batch is voxels, halved. */
static void compare(const struct adit_lod_batch *b, uint32_t i, const char *what)
{
    const struct adit_lod_halving halving = {.from = voxels, .to = want, .to_row = HALF, .to_layer = HALF * HALF, .dim = {64, 64, 64}};
    const uint16_t *got;
    assert_int_equal(adit_lod_scalar(&halving), 0);
    adit_lod_batch_result(b, i, &got);
    for (uint32_t v = 0; v < ADIT_LOD_BATCH_VOXELS; v++)
        if (got[v] != want[v])
            fail_msg("%s: voxel %u,%u,%u is %u, not %u", what, v % HALF, v / HALF % HALF, v / HALF / HALF, got[v], want[v]);
}

static void halve_one(struct adit_lod_batch *b, const char *what)
{
    adit_lod_batch_begin(b);
    add_voxels(b);
    run(b);
    compare(b, 0, what);
}

static void all_kinds_are_halved_as_by_the_reference(void **state)
{
    (void)state;
    struct adit_lod_batch *b = open_batch(1);
    for (uint32_t k = 0; k < KINDS; k++) {
        make_volume(golden_generated[k].kind, 7 + k, 1);
        halve_one(b, golden_generated[k].kind);
        make_volume(golden_generated[k].kind, 7 + k, 257);
        halve_one(b, golden_generated[k].kind);
    }
    memset(voxels, 0, sizeof voxels);
    halve_one(b, "air");
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = 65535;
    halve_one(b, "one material");
    adit_lod_batch_close(&b);
}

/* Of every encoding; whether it is that one is asked of the block. */
static void cells_of_every_encoding_are_halved_as_by_the_reference(void **state)
{
    static const uint32_t all_bits[] = {1, 2, 4, 8, 16};
    (void)state;
    struct adit_lod_batch *b = open_batch(1);
    for (uint32_t k = 0; k < sizeof all_bits / sizeof *all_bits; k++)
        for (uint32_t air = 0; air < 8; air++) {
            struct adit_voxels view;
            uint32_t bytes, n = 0;
            char what[64];
            make_cells(all_bits[k], air);
            void *block = encode_voxels(&bytes);
            assert_true(adit_voxels_view_within(block, bytes, &view));
            for (uint32_t i = 0; i < ADIT_BRICKS; i++)
                n += view.form == ADIT_VOXELS_DENSE || 1u << adit_brick_code(view.bricks[i]) == 2 * all_bits[k];
            assert_true((view.form == ADIT_VOXELS_DENSE) == (all_bits[k] == 16));
            if (all_bits[k] > 1 || air) /* one material and no air is uniform bricks */
                assert_int_equal(n, ADIT_BRICKS);
            free(block);
            snprintf(what, sizeof what, "cells of %u bits, air %u of 8", all_bits[k], air);
            halve_one(b, what);
        }
    adit_lod_batch_close(&b);
}

/* A brick of many materials, and beside it uniform ones, each of another material: of the whole palette. */
static void uniform_bricks_are_of_any_material_of_the_palette(void **state)
{
    (void)state;
    struct adit_lod_batch *b = open_batch(1);
    for (uint32_t of_256 = 0; of_256 < 256; of_256 += 64) {
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
            uint32_t brick = (i >> 16 << 4) + (i >> 10 & 3) * 4 + (i >> 4 & 3);
            voxels[i] = (uint16_t)(1 + (brick ? (brick + of_256) % 256 : draw() % 256));
        }
        halve_one(b, "uniform bricks");
    }
    adit_lod_batch_close(&b);
}

/* Eight chunks are one of the next level, which is halved in turn. */
static void octants_make_the_chunk_of_the_next_level(void **state)
{
    (void)state;
    struct adit_lod_batch *b = open_batch(8);
    memset(parent, 0xff, sizeof parent);
    adit_lod_batch_begin(b);
    for (uint32_t i = 0; i < 8; i++) {
        make_volume(i & 1 ? "terrain" : "noise50m3", i, 1 + i * 3);
        add_voxels(b);
        const struct adit_lod_halving halving = {.from = voxels, .to = want_parent + adit_lod_octant(i), .dim = {64, 64, 64}};
        assert_int_equal(adit_lod_scalar(&halving), 0);
    }
    run(b);
    for (uint32_t i = 0; i < 8; i++)
        adit_lod_batch_octant(b, i, parent + adit_lod_octant(i));
    assert_memory_equal(parent, want_parent, sizeof parent);
    memcpy(voxels, parent, sizeof voxels);
    halve_one(b, "the second level");
    adit_lod_batch_close(&b);
}

static void a_batch_that_is_full_says_so_and_can_be_filled_anew(void **state)
{
    enum { CHUNKS = 5 };
    (void)state;
    struct adit_lod_batch *b = open_batch(CHUNKS);
    for (uint32_t again = 0; again < 3; again++) {
        uint32_t chunks = CHUNKS - again, bytes;
        adit_lod_batch_begin(b);
        for (uint32_t i = 0; i < chunks; i++) {
            make_volume(golden_generated[(i + again * 3) % KINDS].kind, i, 1);
            add_voxels(b);
        }
        if (!again) {
            void *block = encode_voxels(&bytes);
            assert_int_equal(adit_lod_batch_add(b, block, bytes), -ENOSPC);
            free(block);
        }
        run(b);
        for (uint32_t i = 0; i < chunks; i++) {
            make_volume(golden_generated[(i + again * 3) % KINDS].kind, i, 1);
            compare(b, i, golden_generated[(i + again * 3) % KINDS].kind);
        }
    }
    adit_lod_batch_close(&b);
}

static void a_batch_without_room_for_a_version_says_so(void **state)
{
    struct adit_lod_batch *b;
    uint32_t bytes;
    (void)state;
    assert_int_equal(adit_lod_batch_open(gpu, 2, 60000, &b), 0);
    adit_lod_batch_begin(b);
    run(b); /* of nothing */
    make_volume("noise50m3", 1, 1);
    void *block = encode_voxels(&bytes);
    adit_lod_batch_begin(b);
    assert_int_equal(adit_lod_batch_add(b, block, bytes), -ENOSPC);
    free(block);
    make_volume("flat", 1, 1);
    for (uint32_t i = 0; i < 20; i++) /* more than there is room for at once */
        halve_one(b, "flat, for which there is room");
    adit_lod_batch_close(&b);
}

static void batches_in_flight_keep_apart(void **state)
{
    struct adit_lod_batch *b[3];
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        b[i] = open_batch(1);
        adit_lod_batch_begin(b[i]);
        make_volume("noise25", i, 1);
        add_voxels(b[i]);
        assert_int_equal(adit_lod_batch_submit(b[i]), 0);
    }
    for (uint32_t i = 3; i-- > 0;) {
        assert_int_equal(adit_lod_batch_wait(b[i], WAIT_NS), 0);
        make_volume("noise25", i, 1);
        compare(b[i], 0, "noise25");
        adit_lod_batch_close(&b[i]);
    }
}

static void what_cannot_be_halved_is_refused(void **state)
{
    struct adit_lod_batch *b;
    uint32_t bytes;
    (void)state;
    assert_int_equal(adit_lod_batch_open(gpu, 0, SOURCE_BYTES, &b), -E2BIG);
    assert_int_equal(adit_lod_batch_open(gpu, 65536, SOURCE_BYTES, &b), -E2BIG);
    assert_int_equal(adit_lod_batch_open(gpu, 1, SIZE_MAX, &b), -E2BIG);
    assert_null(b);
    b = open_batch(1);
    make_volume("terrain", 1, 1);
    struct adit_version *v = encode_voxels(&bytes);
    uint32_t at = v->voxels_at;
    v->voxels_at = v->bytes + 16;
    adit_lod_batch_begin(b);
    assert_int_equal(adit_lod_batch_add(b, v, bytes), -EBADMSG);
    v->voxels_at = at;
    assert_int_equal(adit_lod_batch_add(b, v, bytes / 2), -EBADMSG);
    assert_int_equal(adit_lod_batch_add(b, v, bytes), 0);
    run(b);
    compare(b, 0, "after what was refused");
    free(v);
    adit_lod_batch_close(&b);
}

static int set_up(void **state)
{
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    classes[0] = ADIT_CLASS_AIR;
    return gpu_group_open(state);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_are_halved_as_by_the_reference),
        cmocka_unit_test(cells_of_every_encoding_are_halved_as_by_the_reference),
        cmocka_unit_test(uniform_bricks_are_of_any_material_of_the_palette),
        cmocka_unit_test(octants_make_the_chunk_of_the_next_level),
        cmocka_unit_test(a_batch_that_is_full_says_so_and_can_be_filled_anew),
        cmocka_unit_test(a_batch_without_room_for_a_version_says_so),
        cmocka_unit_test(batches_in_flight_keep_apart),
        cmocka_unit_test(what_cannot_be_halved_is_refused),
        cmocka_unit_test(validation_has_nothing_to_say), /* (tried: no barrier before the copy out: a hazard each) */
    };
    gpu_use_drivers(gpu_test_driver());
    return cmocka_run_group_tests_name("halved by Vulkan", tests, set_up, gpu_group_close);
}
