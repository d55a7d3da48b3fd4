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
#include <sys/mman.h>

#include <cmocka.h>

#include "runtime/adit.h"
#include "runtime/encoding.h"
#include "tests/golden_generated.h"
#include "gpu/host_import.h"
#include "tests/gpu_group.h"
#include "tests/volumes.h"

#define KINDS (sizeof golden_generated / sizeof *golden_generated)
#define WAIT_NS 120000000000u
#define SOURCE_BYTES (16u << 20)
#define RIM 0x40u /* beside the six planes, a bit each: what is present of a chunk's surroundings */

static uint8_t classes[ADIT_MATERIALS];
static uint16_t voxels[ADIT_CHUNK_VOXELS], planes[ADIT_FACES][ADIT_PLANE_VOXELS];
static struct adit_mesh_rim rim;
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
    uint8_t class_of[256];
    for (uint32_t m = 0; m < 256; m++)
        class_of[m] = classes[(uint16_t)(m * stride)];
    volume_rim(volume, full, 1, class_of, &rim);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) /* other materials, more of them: other encodings */
        voxels[i] = (uint16_t)(voxels[i] * stride);
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
            planes[f][i] = (uint16_t)(planes[f][i] * stride);
}

/* Which planes there are, whether there is a rim, and the flags of kernels/mesh.h. */
static void make_chunk(struct gpu_chunk *c, uint32_t present, uint32_t flags)
{
    uint16_t *plane[ADIT_FACES];
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        plane[f] = present >> f & 1 ? planes[f] : NULL;
    gpu_chunk_make(c, voxels, plane, classes, flags);
    c->task.rim = present & RIM ? &rim : NULL;
}

static void reference(uint32_t present, uint32_t flags, struct adit_mesh_result *r)
{
    struct adit_mesh_source s = {.voxels = voxels, .classes = classes, .dim = {64, 64, 64}, .flags = (uint8_t)flags};
    s.rim = present & RIM ? &rim : NULL;
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

/* (tried: any edge exchanged with another, corners in another order, a plane beyond -Z and +Z not turned, an end of a row left out, what is uneven along u
 * or v, or beside it, let go on, both cells beside a corner taken for one, see-through cells for opaque: each is caught here.) */
static void faces_of_other_ambient_occlusion_are_parted(void **state)
{
    (void)state;
    for (uint32_t mixed = 0; mixed < 2; mixed++) {
        set_classes(mixed);
        struct adit_mesh_batch *b = open_batch(1);
        for (uint32_t k = 0; k < KINDS; k++) {
            uint32_t other = ADIT_MESH_AO | ((k + mixed) % 3 + 1); /* culled, no faces between see-through materials, both */
            make_volume(golden_generated[k].kind, 7 + k, k % 3 == 2 ? 257 : 1);
            mesh_one(b, 0x3f | RIM, ADIT_MESH_AO, golden_generated[k].kind);
            mesh_one(b, 0x3f | RIM, other, golden_generated[k].kind);
            mesh_one(b, 0x3f, ADIT_MESH_AO, golden_generated[k].kind);
            mesh_one(b, 0x2a | RIM, ADIT_MESH_AO | ADIT_MESH_TT_NONE, golden_generated[k].kind);
            mesh_one(b, 0, ADIT_MESH_AO, golden_generated[k].kind);
        }
        adit_mesh_batch_close(&b);
    }
}

/* Open ground on all sides of a chunk: what its border faces show depends on the planes and on the rim, each bit of which is set in one of the
 * rounds. */
static void every_cell_around_a_chunk_counts(void **state)
{
    (void)state;
    set_classes(false);
    struct adit_mesh_batch *b = open_batch(1);
    for (uint32_t round = 0; round < 8; round++) {
        make_volume(round & 4 ? "noise25" : "box", 1 + round, 1);
        for (uint32_t f = 0; f < ADIT_FACES; f++)
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                planes[f][i] = (uint16_t)((i * 2654435761u + f * 40503u) >> 20 & 7) == round;
        for (uint32_t e = 0; e < 12; e++)
            rim.edge[e] = 0x9e3779b97f4a7c15u * (e + 1) << round ^ (round & 1 ? UINT64_MAX : 0);
        rim.corner = (uint8_t)(1u << round);
        mesh_one(b, 0x3f | RIM, ADIT_MESH_AO, "a chunk in the open");
        mesh_one(b, RIM, ADIT_MESH_AO, "a chunk with a rim alone");
    }
    adit_mesh_batch_close(&b);
}

static void what_a_device_does_not_do_is_refused(void **state)
{
    struct gpu_chunk c;
    (void)state;
    set_classes(false);
    struct adit_mesh_batch *b = open_batch(1);
    make_volume("terrain", 1, 1);
    make_chunk(&c, 0x3f, ADIT_MESH_AO | ADIT_MESH_ANY_OPAQUE);
    adit_mesh_batch_begin(b);
    assert_int_equal(adit_mesh_batch_add(b, &c.task), -ENOTSUP);
    assert_non_null(strstr(adit_detail(), "flags 0x8"));
    c.task.flags = 0x100; /* nobody's */
    assert_int_equal(adit_mesh_batch_add(b, &c.task), -ENOTSUP);
    assert_non_null(strstr(adit_detail(), "flags 0x100"));
    c.task.flags = 0;
    assert_int_equal(adit_mesh_batch_add(b, &c.task), 0); /* neither took the batch's only place */
    gpu_chunk_free(&c);
    adit_mesh_batch_close(&b);
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
    mesh_one(b, 0x3f | RIM, ADIT_MESH_AO, "dense, with AO");
    adit_mesh_batch_close(&b);
}

/* Of chunk i of the test below: some have AO, some of these a rim; the third time nobody does, after batches that had. */
static uint32_t surroundings(uint32_t i) { return (i * 7 & 0x3f) | (i % 4 == 1 ? RIM : 0); }
static uint32_t flags_of(uint32_t i, uint32_t again) { return again < 2 && i % 2 == 1 ? ADIT_MESH_AO : i % 3 == 0 ? ADIT_MESH_CULLED : 0; }

/* (tried: AO asked of the batch and not of the chunk; of the last chunk alone.) */
static void a_batch_keeps_its_chunks_apart(void **state)
{
    enum { CHUNKS = 9 };
    struct gpu_chunk c[CHUNKS];
    struct adit_mesh_result want;
    (void)state;
    set_classes(false);
    struct adit_mesh_batch *b = open_batch(CHUNKS);
    for (uint32_t again = 0; again < 3; again++) { /* a batch can be filled anew */
        adit_mesh_batch_begin(b);
        for (uint32_t i = 0; i < CHUNKS; i++) {
            make_volume(golden_generated[(i + again) % KINDS].kind, i, 1);
            make_chunk(&c[i], surroundings(i), flags_of(i, again));
            assert_int_equal(adit_mesh_batch_add(b, &c[i].task), 0); /* the rim is of the next chunk then: it was copied */
        }
        assert_int_equal(adit_mesh_batch_add(b, &c[0].task), -ENOSPC);
        assert_int_equal(adit_mesh_batch_submit(b), 0);
        assert_int_equal(adit_mesh_batch_wait(b, WAIT_NS), 0);
        for (uint32_t i = 0; i < CHUNKS; i++) {
            make_volume(golden_generated[(i + again) % KINDS].kind, i, 1);
            reference(surroundings(i), flags_of(i, again), &want);
            compare(b, i, &want, golden_generated[(i + again) % KINDS].kind);
            gpu_chunk_free(&c[i]);
        }
    }
    adit_mesh_batch_close(&b);
}

/* Voxels in imported memory are fetched by the device, others copied, in one batch; its source may be full of both. (tried: fetches where the copied parts
 * are; those of a refused chunk kept, which AddressSanitizer sees; of each range the first one's offsets) */
static void voxels_may_be_fetched_from_where_they_lie(void **state)
{
    enum { CHUNKS = 10, RANGES = 2, RANGE_BYTES = 4 << 20 };
    struct gpu_chunk c[CHUNKS];
    struct adit_import_range ranges[RANGES];
    struct adit_mesh_result want;
    struct adit_host_imports *imports;
    size_t used[RANGES] = {0};
    (void)state;
    if (!gpu_list->devices[0].import_align)
        skip();
    for (uint32_t i = 0; i < RANGES; i++) {
        ranges[i] = (struct adit_import_range){mmap(NULL, RANGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), RANGE_BYTES};
        assert_true(ranges[i].at != MAP_FAILED);
    }
    assert_int_equal(adit_host_imports_open(gpu, ranges, RANGES, &imports), 0);
    set_classes(true);
    for (uint32_t i = 0; i < CHUNKS; i++) {
        make_volume(golden_generated[i % KINDS].kind, i, i == 4 ? 257 : 1);
        make_chunk(&c[i], i * 7 & 0x3f, 0);
        if (i % 3 == 2) /* stays outside */
            continue;
        uint8_t *inside = (uint8_t *)ranges[i & 1].at + used[i & 1];
        memcpy(inside, c[i].version, c[i].task.bytes);
        c[i].task.version = (const struct adit_version *)(const void *)inside;
        used[i & 1] += (c[i].task.bytes + 63) & ~63ull;
    }
    for (uint32_t room = 0; room < 3; room++) { /* all fit, or some, and each must be right */
        struct adit_mesh_batch *b;
        assert_int_equal(adit_mesh_batch_open(gpu, classes, CHUNKS, room == 0 ? 8u << 20 : room == 1 ? 400000 : 200016, &b), 0);
        adit_mesh_batch_begin(b);
        adit_mesh_batch_read_from(b, imports);
        uint32_t added[CHUNKS], n = 0;
        for (uint32_t i = 0; i < CHUNKS; i++) {
            struct adit_mesh_task bad = c[i].task; /* the chunk itself is sound, a neighbour is not: nothing of it stays */
            bad.beside[3] = bad.version;
            bad.beside_bytes[3] = 64;
            for (uint32_t k = 0; k < 3; k++) {
                int error = adit_mesh_batch_add(b, &bad);
                assert_true(error == -EBADMSG || error == -ENOSPC);
            }
            if (!adit_mesh_batch_add(b, &c[i].task))
                added[n++] = i;
        }
        assert_true(room ? n > 0 && n < CHUNKS : n == CHUNKS);
        assert_int_equal(adit_mesh_batch_submit(b), 0);
        assert_int_equal(adit_mesh_batch_wait(b, WAIT_NS), 0);
        for (uint32_t k = 0; k < n; k++) {
            uint32_t i = added[k];
            make_volume(golden_generated[i % KINDS].kind, i, i == 4 ? 257 : 1);
            reference(i * 7 & 0x3f, 0, &want);
            compare(b, k, &want, golden_generated[i % KINDS].kind);
        }
        adit_mesh_batch_close(&b);
    }
    for (uint32_t i = 0; i < CHUNKS; i++)
        gpu_chunk_free(&c[i]);
    adit_host_imports_close(&imports);
    for (uint32_t i = 0; i < RANGES; i++)
        munmap(ranges[i].at, RANGE_BYTES);
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

/* The second run makes again what the first has overwritten: which faces merge. */
static void a_second_run_has_ambient_occlusion_too(void **state)
{
    (void)state;
    set_classes(false);
    struct adit_mesh_batch *b = open_batch(1);
    make_volume("noise50m3", 1, 1);
    mesh_one(b, 0x3f | RIM, ADIT_MESH_AO, "noise50m3");
    assert_int_equal(adit_mesh_batch_reruns(b), 1);
    adit_mesh_batch_close(&b);
}

static PFN_vkCmdPipelineBarrier real_barrier;
static PFN_vkCmdCopyBuffer real_copy;
static uint32_t barriers, barriers_before; /* the first copy */
static bool has_copied;

static VKAPI_ATTR void VKAPI_CALL count_barrier(VkCommandBuffer c, VkPipelineStageFlags from, VkPipelineStageFlags to, VkDependencyFlags flags, uint32_t n,
                                                const VkMemoryBarrier *memory, uint32_t buffers_n, const VkBufferMemoryBarrier *buffers, uint32_t images_n,
                                                const VkImageMemoryBarrier *images)
{
    barriers++;
    real_barrier(c, from, to, flags, n, memory, buffers_n, buffers, images_n, images);
}

static VKAPI_ATTR void VKAPI_CALL note_copy(VkCommandBuffer c, VkBuffer from, VkBuffer to, uint32_t n, const VkBufferCopy *regions)
{
    barriers_before += has_copied ? 0 : barriers;
    has_copied = true;
    real_copy(c, from, to, n, regions);
}

/* A barrier waits for all work of the queue, that of the other batches in flight, too. (tried: one before the copies in) */
static void copies_of_a_batch_wait_for_no_other(void **state)
{
    (void)state;
    set_classes(false);
    struct adit_mesh_batch *b = open_batch(1);
    make_volume("terrain", 1, 1);
    real_barrier = gpu->d.CmdPipelineBarrier;
    real_copy = gpu->d.CmdCopyBuffer;
    gpu->d.CmdPipelineBarrier = count_barrier;
    gpu->d.CmdCopyBuffer = note_copy;
    for (uint32_t i = 0; i < 2; i++) { /* the second reads and writes what the first did */
        has_copied = false;
        barriers = 0;
        mesh_one(b, 0x3f, 0, "terrain");
    }
    gpu->d.CmdPipelineBarrier = real_barrier;
    gpu->d.CmdCopyBuffer = real_copy;
    assert_int_equal(barriers_before, 0);
    assert_true(barriers >= 7); /* between stages */
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

static int set_up(void **state)
{
    (void)state;
    quads = malloc(ADIT_MESH_QUADS_MAX * sizeof *quads);
    return quads ? gpu_group_open(state) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(quads);
    return gpu_group_close(state);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_give_the_bytes_of_the_reference),
        cmocka_unit_test(faces_of_other_ambient_occlusion_are_parted),
        cmocka_unit_test(every_cell_around_a_chunk_counts),
        cmocka_unit_test(what_a_device_does_not_do_is_refused),
        cmocka_unit_test(more_materials_than_a_palette_takes),
        cmocka_unit_test(a_batch_keeps_its_chunks_apart),
        cmocka_unit_test(voxels_may_be_fetched_from_where_they_lie),
        cmocka_unit_test(no_quad_is_ever_dropped),
        cmocka_unit_test(a_second_run_has_ambient_occlusion_too),
        cmocka_unit_test(copies_of_a_batch_wait_for_no_other),
        cmocka_unit_test(a_damaged_block_is_refused_and_the_batch_goes_on),
        cmocka_unit_test(a_batch_that_no_buffer_holds_is_refused),
        cmocka_unit_test(validation_has_nothing_to_say), /* (tried: the source's barrier left out: 379 hazards) */
    };
    gpu_use_drivers(gpu_test_driver());
    return cmocka_run_group_tests_name("meshes from Vulkan", tests, set_up, tear_down);
}
