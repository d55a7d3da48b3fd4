/* Meshes made by a Vulkan device (lavapipe): the bytes of the scalar kernel, for all kinds of volumes; batches that fill up, want more room, are
 * run again; blocks that are not sound. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/encoding.h"
#include "tests/golden_generated.h"
#include "tests/gpu_fixture.h"
#include "tests/volumes.h"

#define KINDS (sizeof golden_generated / sizeof *golden_generated)
#define WAIT_NS 120000000000u
#define SOURCE_BYTES (16u << 20)

static struct adit_gpu_list *list;
static struct adit_gpu *gpu;
static uint8_t classes[ADIT_MATERIALS];
static uint16_t voxels[ADIT_CHUNK_VOXELS], planes[ADIT_FACES][ADIT_PLANE_VOXELS];
static uint64_t *quads;

/* Opaque all, but for some see-through ones when mixed. */
static void set_classes(bool mixed)
{
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    classes[0] = ADIT_CLASS_AIR;
    for (uint32_t m = 1; mixed && m < ADIT_MATERIALS; m++)
        classes[m] = m % 3 == 1 ? ADIT_CLASS_TRANSLUCENT : m % 7 == 2 ? ADIT_CLASS_CUTOUT : m % 11 == 5 ? ADIT_CLASS_AIR : ADIT_CLASS_OPAQUE;
}

static void make_volume(const char *kind, uint64_t seed, uint32_t stride)
{
    static const uint32_t full[3] = {66, 66, 66};
    static uint8_t volume[66 * 66 * 66];
    uint16_t *plane[ADIT_FACES];
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        plane[f] = planes[f];
    assert_int_equal(volume_fill(kind, full, 1, seed, volume), 0);
    volume_split(volume, full, 1, voxels, plane);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) /* other materials, more of them: other encodings */
        voxels[i] = (uint16_t)(voxels[i] * stride);
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
            planes[f][i] = (uint16_t)(planes[f][i] * stride);
}

/* Which planes there are, and the flags of kernels/mesh.h. */
static void make_chunk(struct gpu_chunk *c, uint32_t present, uint32_t flags)
{
    uint16_t *plane[ADIT_FACES];
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        plane[f] = present >> f & 1 ? planes[f] : NULL;
    gpu_chunk_make(c, voxels, plane, classes, flags);
}

static void reference(uint32_t present, uint32_t flags, struct adit_mesh_result *r)
{
    struct adit_mesh_source s = {.voxels = voxels, .classes = classes, .dim = {64, 64, 64}, .flags = (uint8_t)flags};
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        s.plane[f] = present >> f & 1 ? planes[f] : NULL;
    *r = (struct adit_mesh_result){.quads = quads, .quads_max = ADIT_MESH_QUADS_MAX};
    assert_int_equal(adit_mesh_scalar(&s, r), 0);
}

static void compare(const struct adit_mesh_batch *b, uint32_t i, const struct adit_mesh_result *want, const char *what)
{
    struct adit_mesh_result got;
    adit_mesh_batch_result(b, i, &got);
    for (uint32_t r = 0; r <= ADIT_MESH_RANGES; r++)
        if (got.start[r] != want->start[r])
            fail_msg("%s: range %u begins at %u, not %u", what, r, got.start[r], want->start[r]);
    for (uint32_t q = 0; q < want->start[ADIT_MESH_RANGES]; q++)
        if (got.quads[q] != want->quads[q])
            fail_msg("%s: quad %u is %llx, not %llx", what, q, (unsigned long long)got.quads[q], (unsigned long long)want->quads[q]);
    assert_memory_equal(got.bounds_lo, want->bounds_lo, 3);
    assert_memory_equal(got.bounds_hi, want->bounds_hi, 3);
    assert_int_equal(got.faces, want->faces);
}

static void mesh_one(struct adit_mesh_batch *b, uint32_t present, uint32_t flags, const char *what)
{
    struct gpu_chunk c;
    struct adit_mesh_result want;
    make_chunk(&c, present, flags);
    reference(present, flags, &want);
    adit_mesh_batch_begin(b);
    assert_int_equal(adit_mesh_batch_add(b, &c.task), 0);
    assert_int_equal(adit_mesh_batch_submit(b), 0);
    assert_int_equal(adit_mesh_batch_wait(b, WAIT_NS), 0);
    compare(b, 0, &want, what);
    gpu_chunk_free(&c);
}

static struct adit_mesh_batch *open_batch(uint32_t chunks)
{
    struct adit_mesh_batch *b;
    assert_int_equal(adit_mesh_batch_open(gpu, classes, chunks, SOURCE_BYTES, &b), 0);
    return b;
}

static void all_kinds_give_the_bytes_of_the_reference(void **state)
{
    (void)state;
    for (uint32_t mixed = 0; mixed < 2; mixed++) {
        set_classes(mixed);
        struct adit_mesh_batch *b = open_batch(1);
        for (uint32_t k = 0; k < KINDS; k++) {
            uint32_t flags = (k + mixed) % 4; /* greedy and culled, faces between see-through materials and none */
            make_volume(golden_generated[k].kind, 7 + k, k % 3 == 2 ? 257 : 1);
            mesh_one(b, 0x3f, flags, golden_generated[k].kind);
            mesh_one(b, 0x2a, flags ^ 1, golden_generated[k].kind);
            mesh_one(b, 0, flags ^ 2, golden_generated[k].kind);
        }
        adit_mesh_batch_close(&b);
    }
}

/* Materials beyond 256: the dense encoding, planes of 16 bits. */
static void more_materials_than_a_palette_takes(void **state)
{
    (void)state;
    set_classes(true);
    struct adit_mesh_batch *b = open_batch(1);
    make_volume("mats", 3, 1);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = (uint16_t)(voxels[i] * 97 + (i / 8 % 3) * 1001);
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
            planes[f][i] = (uint16_t)(planes[f][i] * 97 + i / 4 % 5 * 1001);
    mesh_one(b, 0x3f, 0, "dense");
    adit_mesh_batch_close(&b);
}

static void a_batch_keeps_its_chunks_apart(void **state)
{
    enum { CHUNKS = 9 };
    struct gpu_chunk c[CHUNKS];
    struct adit_mesh_result want;
    (void)state;
    set_classes(false);
    struct adit_mesh_batch *b = open_batch(CHUNKS);
    for (uint32_t again = 0; again < 2; again++) { /* a batch can be filled anew */
        adit_mesh_batch_begin(b);
        for (uint32_t i = 0; i < CHUNKS; i++) {
            make_volume(golden_generated[(i + again) % KINDS].kind, i, 1);
            make_chunk(&c[i], i * 7 & 0x3f, 0);
            assert_int_equal(adit_mesh_batch_add(b, &c[i].task), 0);
        }
        assert_int_equal(adit_mesh_batch_add(b, &c[0].task), -ENOSPC);
        assert_int_equal(adit_mesh_batch_submit(b), 0);
        assert_int_equal(adit_mesh_batch_wait(b, WAIT_NS), 0);
        for (uint32_t i = 0; i < CHUNKS; i++) {
            make_volume(golden_generated[(i + again) % KINDS].kind, i, 1);
            reference(i * 7 & 0x3f, 0, &want);
            compare(b, i, &want, golden_generated[(i + again) % KINDS].kind);
            gpu_chunk_free(&c[i]);
        }
    }
    adit_mesh_batch_close(&b);
}

/* The checkerboard of see-through materials has the most quads there can be: a hundred times the room that a batch begins with. */
static void no_quad_is_ever_dropped(void **state)
{
    (void)state;
    set_classes(false);
    struct adit_mesh_batch *b = open_batch(1);
    make_volume("checker", 1, 1);
    mesh_one(b, 0x3f, 0, "checker");
    assert_int_equal(adit_mesh_batch_reruns(b), 1);
    mesh_one(b, 0x3f, 0, "checker, with room");
    assert_int_equal(adit_mesh_batch_reruns(b), 1);
    adit_mesh_batch_close(&b);
}

static void a_damaged_block_is_refused_and_the_batch_goes_on(void **state)
{
    struct gpu_chunk c;
    (void)state;
    set_classes(false);
    struct adit_mesh_batch *b = open_batch(2);
    make_volume("terrain", 1, 1);
    make_chunk(&c, 0x3f, 0);
    adit_mesh_batch_begin(b);
    struct adit_version *v = c.version;
    uint32_t at = v->voxels_at;
    v->voxels_at = v->bytes + 16;
    assert_int_equal(adit_mesh_batch_add(b, &c.task), -EBADMSG);
    v->voxels_at = at;
    v = c.beside[2];
    v->plane[3].bits = 3;
    assert_int_equal(adit_mesh_batch_add(b, &c.task), -EBADMSG);
    gpu_chunk_free(&c);
    adit_mesh_batch_begin(b);
    assert_int_equal(adit_mesh_batch_submit(b), 0); /* of nothing */
    assert_int_equal(adit_mesh_batch_wait(b, WAIT_NS), 0);
    mesh_one(b, 0x3f, 0, "terrain");
    adit_mesh_batch_close(&b);
}

static void a_batch_that_no_buffer_holds_is_refused(void **state)
{
    struct adit_mesh_batch *b;
    (void)state;
    assert_int_equal(adit_mesh_batch_open(gpu, classes, 1u << 20, SOURCE_BYTES, &b), -E2BIG);
    assert_null(b);
}

/* The last test: of all that was done before (ADIT_VULKAN_VALIDATE). (tried: the source's barrier left out: 379 hazards.) */
static void validation_has_nothing_to_say(void **state)
{
    (void)state;
    if (!list->vk.validates)
        skip();
    assert_int_equal(list->vk.complaints, 0);
}

static int set_up(void **state)
{
    (void)state;
    quads = malloc(ADIT_MESH_QUADS_MAX * sizeof *quads);
    return !quads || adit_gpu_list_open(&list) || adit_gpu_open(list, &list->devices[0], &gpu) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    adit_gpu_close(&gpu);
    adit_gpu_list_close(&list);
    free(quads);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_give_the_bytes_of_the_reference),
        cmocka_unit_test(more_materials_than_a_palette_takes),
        cmocka_unit_test(a_batch_keeps_its_chunks_apart),
        cmocka_unit_test(no_quad_is_ever_dropped),
        cmocka_unit_test(a_damaged_block_is_refused_and_the_batch_goes_on),
        cmocka_unit_test(a_batch_that_no_buffer_holds_is_refused),
        cmocka_unit_test(validation_has_nothing_to_say),
    };
    gpu_use_drivers(gpu_test_driver());
    return cmocka_run_group_tests_name("meshes from Vulkan", tests, set_up, tear_down);
}
