/* Chunks of the built-in worlds made by a Vulkan device (lavapipe): the voxels of the CPU, near, far and at the ends of the world; batches that fill
 * up, are filled anew, are in flight beside others; a driver that refuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpu/generate_batch.h"
#include "gpu/gpu_parts.h"
#include "runtime/adit.h"
#include "tests/golden_worlds.h"
#include "tests/gpu_group.h"

#define WAIT_NS 120000000000u
#define CHUNKS_MAX 24u

struct place {
    const char *world;
    uint64_t seed;
    int32_t x, y, z;
};

static uint16_t want[ADIT_CHUNK_VOXELS];

static struct adit_generate_batch *open_batch(uint32_t chunks)
{
    struct adit_generate_batch *b;
    assert_int_equal(adit_generate_batch_open(gpu, chunks, &b), 0);
    return b;
}

static int add(struct adit_generate_batch *b, const struct place *p)
{
    return adit_generate_batch_add(b, adit_generator_named(p->world), p->seed, p->x, p->y, p->z);
}

static void run(struct adit_generate_batch *b)
{
    assert_int_equal(adit_generate_batch_submit(b), 0);
    assert_int_equal(adit_generate_batch_wait(b, WAIT_NS), 0);
}

/* Chunk i of the batch is that place, as the CPU makes it. */
static void compare(const struct adit_generate_batch *b, uint32_t i, const struct place *p)
{
    const struct adit_generator *g = adit_generator_named(p->world);
    const uint16_t *got;
    adit_generate(g, p->seed, p->x, p->y, p->z, want);
    adit_generate_batch_result(b, i, &got);
    for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
        if (got[v] != want[v])
            fail_msg("%s of seed %llx, chunk %d,%d,%d: voxel %u,%u,%u is %u, not %s", p->world, (unsigned long long)p->seed, p->x, p->y, p->z,
                     v & 63, v >> 6 & 63, v >> 12, got[v], g->materials[want[v]].name);
}

/* As many batches as n places take. */
static void make_and_compare(struct adit_generate_batch *b, const struct place *places, uint32_t n)
{
    for (uint32_t first = 0; first < n; first += CHUNKS_MAX) {
        uint32_t some = n - first < CHUNKS_MAX ? n - first : CHUNKS_MAX;
        adit_generate_batch_begin(b);
        for (uint32_t i = 0; i < some; i++)
            assert_int_equal(add(b, &places[first + i]), 0);
        run(b);
        for (uint32_t i = 0; i < some; i++)
            compare(b, i, &places[first + i]);
    }
}

static uint64_t draw(void)
{
    static uint64_t state = 42;
    state += 0x9e3779b97f4a7c15u;
    uint64_t a = (state ^ state >> 30) * 0xbf58476d1ce4e5b9u;
    a = (a ^ a >> 27) * 0x94d049bb133111ebu;
    return a ^ a >> 31;
}

/* FNV-1a over the bytes of a chunk, low byte first, as in golden_worlds.h. */
static uint64_t hash_of(const uint16_t *voxels)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
        h = (h ^ (voxels[i] & 0xff)) * 0x100000001b3u;
        h = (h ^ (voxels[i] >> 8)) * 0x100000001b3u;
    }
    return h;
}

static void golden_chunks_have_their_hashes(void **state)
{
    (void)state;
    struct adit_generate_batch *b = open_batch(GOLDEN_WORLDS);
    adit_generate_batch_begin(b);
    for (uint32_t i = 0; i < GOLDEN_WORLDS; i++) {
        const struct golden_chunk *g = &golden_worlds[i];
        assert_int_equal(add(b, &(struct place){g->world, g->seed, g->x, g->y, g->z}), 0);
    }
    run(b);
    for (uint32_t i = 0; i < GOLDEN_WORLDS; i++) {
        const uint16_t *voxels;
        adit_generate_batch_result(b, i, &voxels);
        if (hash_of(voxels) != golden_worlds[i].hash)
            fail_msg("%s %d,%d,%d: %016llx", golden_worlds[i].world, golden_worlds[i].x, golden_worlds[i].y, golden_worlds[i].z,
                     (unsigned long long)hash_of(voxels));
    }
    adit_generate_batch_close(&b);
}

/* Woods, with trees whose leaves come from the next chunk (four of these have a pine three columns beyond a border). (tried: the leaves of the last tree
 * instead of the first; leaves before trunks; trees looked for two columns away.) */
static void trees_reach_over_borders_in_their_order(void **state)
{
    static const struct place woods[] = {
        {"terrain", 1, 2, 1, 2},  {"terrain", 1, -1, 1, -2}, {"terrain", 1, 1, 1, 1}, {"terrain", 1, 0, 1, 4},
        {"terrain", 1, 4, 1, -4}, {"terrain", 1, 0, 0, 0},   {"terrain", 1, 0, 1, 0}, {"terrain", 1, -1, 0, -1},
    };
    (void)state;
    struct adit_generate_batch *b = open_batch(CHUNKS_MAX);
    make_and_compare(b, woods, sizeof woods / sizeof *woods);
    adit_generate_batch_close(&b);
}

/* Any seed, near and far, every height; all three worlds. (tried: a shift that loses the sign; a seed's high half left out; noise50 of negative
 * coordinates without their high words; chunks below terrain made as if they were of it.) */
static void chunks_anywhere_are_those_of_the_cpu(void **state)
{
    enum { N = 240 };
    static struct place places[N];
    static const char *const worlds[] = {"terrain", "terrain", "terrain", "terrain", "noise50", "checker"};
    (void)state;
    struct adit_generate_batch *b = open_batch(CHUNKS_MAX);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t far = i % 4 * 8; /* chunks up to 2^7, 2^15, 2^23, 2^31 away */
        places[i] = (struct place){.world = worlds[draw() % 6], .seed = draw() >> draw() % 64,
                                   .x = (int32_t)draw() >> (24 - far), .z = (int32_t)draw() >> (24 - far)};
        places[i].y = i % 3 == 2 ? (int32_t)(i / 3 % 6) - 2 : (int32_t)(i & 1);
    }
    make_and_compare(b, places, N);
    adit_generate_batch_close(&b);
}

/* (tried: x not brought into the 2^24 chunks.) */
static void the_ends_of_the_world_are_those_of_the_cpu(void **state)
{
    static const int32_t far[] = {INT32_MIN, INT32_MAX, -(1 << 23), (1 << 23) - 1, 1 << 23, 1 << 29, -(1 << 29), -1};
    enum { FAR = sizeof far / sizeof *far };
    static struct place places[3 * FAR + 12];
    uint32_t n = 0;
    (void)state;
    for (uint32_t i = 0; i < FAR; i++) {
        places[n++] = (struct place){"terrain", ~0ull - i, far[i], (int32_t)(i & 1), far[FAR - 1 - i]};
        places[n++] = (struct place){"noise50", ~0ull << i * 8, far[i], far[(i + 3) % FAR], far[FAR - 1 - i]};
        places[n++] = (struct place){"checker", i, far[i], far[(i + 3) % FAR], far[FAR - 1 - i]};
    }
    for (int32_t y = -2; y <= 3; y++) {
        places[n++] = (struct place){"terrain", 3, 1, y, -1};
        places[n++] = (struct place){"terrain", 0, INT32_MIN, y == 3 ? INT32_MAX : y == -2 ? INT32_MIN : y, 0};
    }
    struct adit_generate_batch *b = open_batch(CHUNKS_MAX);
    make_and_compare(b, places, n);
    adit_generate_batch_close(&b);
}

/* (tried: terrains counted on from one filling to the next: the checker of the second is still the noise of the first; a batch that can be added to
 * after it was submitted.) */
static void a_batch_that_is_full_says_so_and_can_be_filled_anew(void **state)
{
    static const struct place first[] = {{"terrain", 1, 0, 0, 0}, {"noise50", 2, 5, -5, 5}, {"terrain", 3, 0, 1, 0}};
    static const struct place second[] = {{"terrain", 9, 7, 0, -7}, {"checker", 9, 0, 1, 2}, {"terrain", 9, 7, 1, -7}};
    (void)state;
    struct adit_generate_batch *b = open_batch(3);
    for (uint32_t again = 0; again < 2; again++) {
        const struct place *places = again ? second : first;
        adit_generate_batch_begin(b);
        for (uint32_t i = 0; i < 3; i++)
            assert_int_equal(add(b, &places[i]), 0);
        assert_int_equal(add(b, &first[0]), -ENOSPC);
        run(b);
        for (uint32_t i = 0; i < 3; i++)
            compare(b, i, &places[i]);
    }
    adit_generate_batch_begin(b);
    run(b); /* of nothing */
    adit_generate_batch_begin(b);
    assert_int_equal(add(b, &second[0]), 0); /* of fewer than before */
    assert_int_equal(adit_generate_batch_submit(b), 0);
    assert_int_equal(add(b, &second[1]), -ENOSPC); /* there is room, but not before the next begin */
    assert_int_equal(adit_generate_batch_wait(b, WAIT_NS), 0);
    assert_int_equal(add(b, &second[1]), -ENOSPC);
    compare(b, 0, &second[0]);
    adit_generate_batch_close(&b);
    assert_null(b);
    adit_generate_batch_close(&b);
}

/* (tried: all batches writing their jobs to the memory of one.) */
static void batches_in_flight_keep_apart(void **state)
{
    enum { BATCHES = 3, EACH = 4 };
    struct adit_generate_batch *b[BATCHES];
    static struct place places[BATCHES][EACH];
    (void)state;
    for (uint32_t i = 0; i < BATCHES; i++) {
        b[i] = open_batch(EACH);
        adit_generate_batch_begin(b[i]);
        for (uint32_t j = 0; j < EACH; j++) {
            places[i][j] = (struct place){"terrain", i, (int32_t)j, (int32_t)(j & 1), (int32_t)(i * j)};
            assert_int_equal(add(b[i], &places[i][j]), 0);
        }
    }
    for (uint32_t i = 0; i < BATCHES; i++)
        assert_int_equal(adit_generate_batch_submit(b[i]), 0);
    for (uint32_t i = BATCHES; i-- > 0;) {
        assert_int_equal(adit_generate_batch_wait(b[i], WAIT_NS), 0);
        for (uint32_t j = 0; j < EACH; j++)
            compare(b[i], j, &places[i][j]);
    }
    adit_generate_batch_begin(b[0]);
    assert_int_equal(add(b[0], &places[0][0]), 0);
    assert_int_equal(adit_generate_batch_submit(b[0]), 0);
    for (uint32_t i = 0; i < BATCHES; i++)
        adit_generate_batch_close(&b[i]); /* one of them in flight */
}

/* (tried: no limit; any generator taken for terrain; one that is refused taking a place.) */
static void what_no_device_can_make_is_refused(void **state)
{
    struct adit_generator stranger = *adit_generator_named("terrain");
    struct adit_generate_batch *b;
    (void)state;
    assert_int_equal(adit_generate_batch_open(gpu, 1u << 20, &b), -E2BIG);
    assert_non_null(strstr(adit_detail(), gpu->of->name));
    assert_null(b);
    assert_int_equal(adit_generate_batch_open(gpu, 0, &b), -E2BIG);
    b = open_batch(1);
    adit_generate_batch_begin(b);
    assert_int_equal(adit_generate_batch_add(b, &stranger, 1, 0, 0, 0), -ENOTSUP);
    assert_int_equal(adit_generate_batch_add(b, adit_generator_named("terrain"), 1, 0, 0, 0), 0); /* its place is still free */
    adit_generate_batch_close(&b);
}

/* A driver that does not take the second shader of a kind: the batch says so, and another one may find it mended. (tried: the kind counted as made;
 * what was made of it left to leak, which validation tells when the device is closed.) */
static PFN_vkCreateComputePipelines create_pipelines;
static VKAPI_ATTR VkResult VKAPI_CALL refuse_pipeline(VkDevice device, VkPipelineCache cache, uint32_t n, const VkComputePipelineCreateInfo *info,
                                                      const VkAllocationCallbacks *callbacks, VkPipeline *out)
{
    static uint32_t calls;
    return calls++ ? VK_ERROR_OUT_OF_HOST_MEMORY : create_pipelines(device, cache, n, info, callbacks, out);
}

static void a_driver_that_refuses_a_shader_is_asked_again(void **state)
{
    struct adit_gpu *fresh;
    struct adit_generate_batch *b;
    (void)state;
    assert_int_equal(adit_gpu_open(gpu_list, &gpu_list->devices[0], &fresh), 0);
    create_pipelines = fresh->d.CreateComputePipelines;
    fresh->d.CreateComputePipelines = refuse_pipeline;
    assert_int_equal(adit_generate_batch_open(fresh, 1, &b), -ENODEV);
    assert_non_null(strstr(adit_detail(), "VK_ERROR_OUT_OF_HOST_MEMORY"));
    assert_null(b);
    fresh->d.CreateComputePipelines = create_pipelines;
    assert_int_equal(adit_generate_batch_open(fresh, 1, &b), 0);
    make_and_compare(b, &(struct place){"terrain", 1, 0, 0, 0}, 1);
    adit_generate_batch_close(&b);
    adit_gpu_close(&fresh);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_chunks_have_their_hashes),
        cmocka_unit_test(trees_reach_over_borders_in_their_order),
        cmocka_unit_test(chunks_anywhere_are_those_of_the_cpu),
        cmocka_unit_test(the_ends_of_the_world_are_those_of_the_cpu),
        cmocka_unit_test(a_batch_that_is_full_says_so_and_can_be_filled_anew),
        cmocka_unit_test(batches_in_flight_keep_apart),
        cmocka_unit_test(what_no_device_can_make_is_refused),
        cmocka_unit_test(a_driver_that_refuses_a_shader_is_asked_again),
        cmocka_unit_test(validation_has_nothing_to_say), /* (tried: the barrier between columns and voxels left out, those around the copies left out, a batch closed without waiting) */
    };
    gpu_use_drivers(gpu_test_driver());
    return cmocka_run_group_tests_name("worlds from Vulkan", tests, gpu_group_open, gpu_group_close);
}
