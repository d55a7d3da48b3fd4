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

#include "kernels/mesh.h"
#include "runtime/encoding.h"
#include "tests/fenced.h"
#include "tests/mesh_defined.h"

enum { DIM = ADIT_CHUNK_DIM, GUARDS = 8 };
#define GUARD 0x5ca1ab1e0ddba115u

/* Under ThreadSanitizer this program takes a minute and finds nothing that the other builds do not: there it does less. */
#ifdef __SANITIZE_THREAD__
enum { JUDGED_VOXELS_MAX = 1024, ROUNDS = 12 };
#else
enum { JUDGED_VOXELS_MAX = ADIT_CHUNK_VOXELS, ROUNDS = 120 };
#endif

static uint64_t seed = 1;

/* What a test fills in; arrays are shared with children and lie between unreadable pages. */
static struct bench {
    uint16_t *voxels, *plane[ADIT_FACES], *light, *light_plane[ADIT_FACES];
    struct adit_mesh_rim *rim;
    uint8_t *classes;
    uint64_t *quads, *expected;         /* ADIT_MESH_QUADS_MAX and guards */
    uint8_t *block;                     /* ADIT_ENCODED_BYTES_MAX: an encoded chunk ends where it ends */
    struct adit_encode_plan *plan;
    struct adit_voxels encoded;
    struct adit_mesh_source source;
} b;

static uint64_t rng_state;

static uint32_t draw(uint32_t below)
{
    return fenced_draw(&rng_state, below);
}

static int set_up(void **state)
{
    (void)state;
    b.voxels = fenced_alloc(ADIT_CHUNK_VOXELS * sizeof *b.voxels);
    b.light = fenced_alloc(ADIT_CHUNK_VOXELS * sizeof *b.light);
    b.rim = fenced_alloc(sizeof *b.rim);
    for (int f = 0; f < ADIT_FACES; f++) {
        b.plane[f] = fenced_alloc(ADIT_PLANE_VOXELS * sizeof *b.plane[f]);
        b.light_plane[f] = fenced_alloc(ADIT_PLANE_VOXELS * sizeof *b.light_plane[f]);
    }
    b.classes = fenced_alloc(ADIT_MATERIALS);
    b.block = fenced_alloc(ADIT_ENCODED_BYTES_MAX);
    b.plan = malloc(adit_encode_plan_bytes());
    assert_non_null(b.plan);
    b.quads = fenced_alloc((ADIT_MESH_QUADS_MAX + GUARDS) * sizeof *b.quads);
    b.expected = fenced_alloc((ADIT_MESH_QUADS_MAX + GUARDS) * sizeof *b.expected);
    return 0;
}

/* A fresh source: no voxels, no planes, all materials opaque. */
static void reset(uint32_t x, uint32_t y, uint32_t z)
{
    memset(b.voxels, 0, ADIT_CHUNK_VOXELS * sizeof *b.voxels);
    memset(b.classes, ADIT_CLASS_OPAQUE, ADIT_MATERIALS);
    b.classes[0] = ADIT_CLASS_AIR;
    b.source = (struct adit_mesh_source){ .voxels = b.voxels, .classes = b.classes,
                                          .dim = { (uint8_t)x, (uint8_t)y, (uint8_t)z } };
}

static uint16_t *voxel(uint32_t x, uint32_t y, uint32_t z)
{
    return &b.voxels[(z * DIM + y) * DIM + x];
}

/* -- kernels against each other ------------------------------------------------------------------------------------ */

static const char *const kernel_names[] = { "scalar", "avx2", "avx512" };
enum { KERNELS = sizeof kernel_names / sizeof *kernel_names };

/* Meshes into quads with room for quads_max, and sees that the guards behind them live. */
static struct adit_mesh_result mesh(adit_mesh_kernel *kernel, uint64_t *quads, uint32_t quads_max, int expected_rc)
{
    struct adit_mesh_result result = { .quads = quads, .quads_max = quads_max };
    memset(result.start, 0xaa, sizeof result.start);
    for (uint32_t i = 0; i < GUARDS; i++)
        quads[quads_max + i] = GUARD;
    mesh_soil_stack(quads_max & 1 ? 0xff : 0);
    assert_int_equal(kernel(&b.source, &result), expected_rc);
    for (uint32_t i = 0; i < GUARDS; i++)
        assert_int_equal(quads[quads_max + i], GUARD);
    assert_true(result.quads == quads && result.quads_max == quads_max);
    return result;
}

/* All kernels give want on b.source, also with too little room in several ways. */
static void judge_kernels(const struct adit_mesh_result *expected)
{
    const struct adit_mesh_result want = *expected;
    uint32_t n = want.start[ADIT_MESH_RANGES];
    for (int k = 0; k < KERNELS; k++) {
        adit_mesh_kernel *kernel = adit_mesh_kernel_named(kernel_names[k]);
        if (!kernel)
            continue;
        struct adit_mesh_result got = mesh(kernel, b.quads, ADIT_MESH_QUADS_MAX, 0);
        mesh_assert_same(&got, &want);
        got = mesh(kernel, b.quads, n, 0);
        mesh_assert_same(&got, &want);
        if (n < ADIT_MESH_QUADS_MAX) { /* over other bytes on the stack */
            got = mesh(kernel, b.quads, ADIT_MESH_QUADS_MAX - 1, 0);
            mesh_assert_same(&got, &want);
        }
        uint32_t rooms[] = { n - 1, n / 2, n ? draw(n) : 0, 17, 9, 8, 7, 1, 0 };
        for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
            if (rooms[i] >= n)
                continue;
            got = mesh(kernel, b.quads, rooms[i], -ENOSPC);
            mesh_assert_same(&got, &want);
        }
    }
}

/* The chunk of b.source in its published form, at the end of what may be read. */
static void encode(void)
{
    mesh_encode(b.voxels, b.classes, b.plan, b.block, &b.encoded);
    b.source.encoded = &b.encoded;
    b.source.voxels = NULL;
}

/* Judges all kernels on b.source: by the definition, if that is wanted, by each other, and a whole chunk once more in its published form. */
static void judge_fully(bool by_definition)
{
    struct adit_mesh_result want = mesh(adit_mesh_scalar, b.expected, ADIT_MESH_QUADS_MAX, 0);
    if (by_definition && b.source.dim[0] * b.source.dim[1] * b.source.dim[2] <= JUDGED_VOXELS_MAX)
        mesh_judge(&b.source, &want);
    judge_kernels(&want);
    if (b.source.dim[0] < DIM || b.source.dim[1] < DIM || b.source.dim[2] < DIM)
        return;
    encode();
    judge_kernels(&want);
    for (uint32_t y = 0; y < DIM; y++) { /* and each voxel is read as it was, by itself and in its row */
        uint16_t row[DIM];
        uint32_t z = (y * 7 + 3) % DIM;
        adit_voxels_row(&b.encoded, y, z, row);
        assert_memory_equal(row, voxel(0, y, z), sizeof row);
        for (uint32_t x = 0; x < DIM; x++)
            assert_int_equal(adit_voxels_at(&b.encoded, x, y, z), row[x]);
    }
    b.source.encoded = NULL;
    b.source.voxels = b.voxels;
}

static void judge(void)
{
    judge_fully(true);
}

static void judge_with_all_flags(void) /* of a large volume with four of them: each flag is set and not set */
{
    bool is_large = b.source.dim[0] * b.source.dim[1] * b.source.dim[2] > ADIT_CHUNK_VOXELS / 4;
    for (uint8_t flags = 0; flags < 16; flags = (uint8_t)(flags + (is_large ? 5 : 1))) {
        b.source.flags = flags;
        judge();
    }
    b.source.flags = 0;
}

/* Materials to draw from: few or many, small or large, air among them n_air times of 256. */
static uint16_t draw_material(uint32_t ids, uint32_t base, uint32_t air)
{
    if (draw(256) < air)
        return 0;
    return (uint16_t)(ids > 60000 ? draw(65536) : base + draw(ids));
}

/* What lies diagonal to the volume, and light in boxes or of each voxel. */
static void draw_shade(void)
{
    uint32_t how = draw(3), mask = how == 2 ? 65535 : draw(4);
    b.source.rim = draw(3) ? b.rim : NULL;
    for (uint32_t i = 0; i < 12; i++)
        b.rim->edge[i] = draw(4) ? (uint64_t)draw(1u << 31) << 33 ^ draw(1u << 31) : ~0ull;
    b.rim->corner = (uint8_t)draw(256);
    b.source.light = how ? b.light : NULL; /* without it its planes do not count */
    for (uint32_t i = 0; how && i < ADIT_CHUNK_VOXELS; i++) /* of the bits above light some, too */
        b.light[i] = (uint16_t)((how == 2 ? draw(16) << 6 : (i >> 4 & 1) + (i >> 9 & 3) + (i >> 15 & 7)) | (draw(65536) & 0xfc00));
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        b.source.light_plane[f] = draw(3) ? b.light_plane[f] : NULL;
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
            b.light_plane[f][i] = (uint16_t)(draw(2) & mask);
    }
}

/* -- volumes ------------------------------------------------------------------------------------------------------- */

static void an_empty_volume_has_no_quads(void **state)
{
    (void)state;
    reset(64, 64, 64);
    judge();
    struct adit_mesh_result result = mesh(adit_mesh_kernel_best(NULL), b.quads, 1, 0);
    assert_int_equal(result.start[ADIT_MESH_RANGES], 0);
    assert_true(result.bounds_lo[0] == 63 && result.bounds_hi[0] == 0);
}

static void a_full_volume_is_six_quads_of_64x64(void **state)
{
    static const uint16_t material[] = { 1, 256, 65535 };
    (void)state;
    for (int i = 0; i < 3; i++) {
        reset(64, 64, 64);
        for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
            b.voxels[v] = material[i];
        judge();
        struct adit_mesh_result result = mesh(adit_mesh_kernel_best(NULL), b.quads, 6, 0);
        assert_int_equal(result.start[ADIT_MESH_RANGES], 6);
        assert_true(adit_quad_w(b.quads[0]) == 64 && adit_quad_h(b.quads[0]) == 64);
        assert_int_equal(adit_quad_material(b.quads[5]), material[i]);
        for (int f = 0; f < ADIT_FACES; f++) { /* a plane of the same material hides its face */
            for (uint32_t p = 0; p < ADIT_PLANE_VOXELS; p++)
                b.plane[f][p] = material[i];
            b.source.plane[f] = b.plane[f];
            if (i == 0)
                judge();
            result = mesh(adit_mesh_kernel_best(NULL), b.quads, 6, 0);
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
        rng_state = seed * 5000011 + round;
        reset(64, 64, 64);
        for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
            b.voxels[v] = 300;
        for (uint32_t i = 1; i < ADIT_MATERIALS; i++)
            b.classes[i] = (uint8_t)(i == 300 && round % 4 ? ADIT_CLASS_OPAQUE : draw(4));
        for (uint32_t f = 0; f < ADIT_FACES; f++) {
            uint32_t how = draw(4), w = 1 + draw(40);
            b.source.plane[f] = how ? b.plane[f] : NULL;
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                b.plane[f][i] = (uint16_t)(how == 1 ? draw(500) : how == 2 ? i % 64 / w + i / 64 / w * 7 : i / 64 == w ? 2 : 300);
        }
        if (round % 3 == 0)
            draw_shade();
        b.source.flags = (uint8_t)draw(16);
        judge();
    }
}

/* Bricks of one material each, most of them solid or all see-through, of materials whose classes have high bits, beside planes that hide much: strips of
 * them are known at once, and so is what cannot be seen. (tried: solid strips before air not looked at; classes of eight bits; see-through ones
 * taken for opaque where the chunk has no other; rows of translucent voxels not compared that a cutout one looks at) */
static void whole_bricks_are_seen_from_all_sides(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < ROUNDS / 3; round++) {
        uint16_t brick[64];
        rng_state = seed * 6000011 + round;
        reset(64, 64, 64);
        bool is_glass = round % 8 == 1; /* one translucent material and air */
        uint32_t ids = is_glass ? 1 : 1 + draw(5), solid = is_glass ? 0 : draw(3), air = is_glass ? 80 : draw(3) * 40;
        for (uint32_t i = 1; i < ADIT_MATERIALS; i++)
            b.classes[i] = (uint8_t)((i % 7 == 1 && solid ? ADIT_CLASS_OPAQUE : is_glass ? ADIT_CLASS_TRANSLUCENT : 1 + draw(3)) | draw(64) << 2);
        for (uint32_t i = 0; i < 64; i++)
            brick[i] = draw_material(ids, 1, draw(4) && i && solid ? 0 : air);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            b.voxels[i] = brick[i / 65536 * 16 + i / 1024 % 4 * 4 + i / 16 % 4];
        for (uint32_t n = draw(3) * 3; n; n--)
            *voxel(draw(64), draw(64), draw(64)) = draw_material(ids, 1, air);
        for (uint32_t f = 0; f < ADIT_FACES; f++) {
            b.source.plane[f] = draw(4) ? b.plane[f] : NULL;
            uint16_t all = draw_material(ids, 1, air / 2);
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                b.plane[f][i] = all;
        }
        draw_shade();
        b.source.flags = (uint8_t)draw(16);
        judge_fully(round % 4 == 0);
    }
}

/* Nothing but air and translucent materials, one or several, beside planes of all classes: what mesh_fold.h is about.
 * (tried: AO not asked about; other see-through materials of planes taken for opaque ones; starts left where they were) */
static void water_alone_meets_any_planes(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < ROUNDS / 5; round++) {
        rng_state = seed * 8000009 + round;
        reset(64, 64, 64);
        uint32_t ids = 1 + draw(2) * draw(5), sparse = draw(2), air = draw(3) * 100;
        for (uint32_t i = 1; i < ADIT_MATERIALS; i++)
            b.classes[i] = (uint8_t)(i <= ids ? ADIT_CLASS_TRANSLUCENT : draw(4));
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            b.voxels[i] = sparse || (i >> 6 & 63) < 32 ? draw_material(ids, 1, sparse ? 200 : air) : 0;
        for (uint32_t f = 0; f < ADIT_FACES; f++) {
            b.source.plane[f] = draw(4) ? b.plane[f] : NULL;
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                b.plane[f][i] = draw_material(draw(3) ? ids : 300, 1, 60);
        }
        draw_shade();
        b.source.flags = (uint8_t)(round % 16);
        judge_fully(round % 3 == 0);
    }
}

/* A translucent voxel that shows no face, and a cutout one that looks at it: nothing is known of the material of the first, and nothing may be asked.
 * (tried: asked, which what lay on the stack answered) */
static void hidden_voxels_are_not_asked_for_their_material(void **state)
{
    (void)state;
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        uint32_t axis = adit_face_axis(face), step = axis == 0 ? 1 : axis == 1 ? DIM : DIM * DIM;
        reset(axis == 0 ? 2 : 1, axis == 1 ? 2 : 1, axis == 2 ? 2 : 1);
        b.classes[2] = ADIT_CLASS_TRANSLUCENT;
        b.classes[3] = ADIT_CLASS_CUTOUT;
        b.voxels[face & 1 ? step : 0] = 2;
        b.voxels[face & 1 ? 0 : step] = 3;
        for (uint32_t f = 0; f < ADIT_FACES; f++) {
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                b.plane[f][i] = 1;
            b.source.plane[f] = f == (face ^ 1) ? NULL : b.plane[f];
        }
        judge_with_all_flags();
    }
}

static void single_voxels_are_six_quads_wherever_they_are(void **state)
{
    static const uint8_t at[] = { 0, 1, 7, 8, 31, 32, 62, 63 };
    (void)state;
    for (int i = 0; i < 8; i += 3) {
        reset(64, 64, 64);
        *voxel(at[i], at[(i + 3) % 8], at[(i + 5) % 8]) = (uint16_t)(40000 + i);
        judge();
        assert_int_equal(mesh(adit_mesh_kernel_best(NULL), b.quads, 6, 0).faces, 6);
    }
    reset(64, 64, 64); /* all corners, and planes that hide every second of their faces */
    for (uint32_t i = 0; i < 8; i++)
        *voxel(i & 1 ? 63 : 0, i & 2 ? 63 : 0, i & 4 ? 63 : 0) = (uint16_t)(1 + i * 37);
    judge();
    for (int f = 0; f < ADIT_FACES; f++) {
        memset(b.plane[f], 0, ADIT_PLANE_VOXELS * sizeof *b.plane[f]);
        b.plane[f][0] = b.plane[f][ADIT_PLANE_VOXELS - 1] = 3;
        b.source.plane[f] = b.plane[f];
    }
    judge();
}

/* A chunk of one material is known as such by all of its voxels, and a plane of one by all of its own.
 * (tried: each page's second half left out; the planes' last page) */
static void one_voxel_that_differs_is_seen_wherever_it_is(void **state)
{
    (void)state;
    rng_state = seed;
    for (uint32_t is_full = 0; is_full < 2; is_full++) {
        reset(64, 64, 64);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            b.voxels[i] = is_full ? 9 : 0;
        for (uint32_t n = 0, at = 0; at < ADIT_CHUNK_VOXELS; n++, at += 1 + draw(2000)) {
            uint32_t sides = 0;
            for (uint32_t axis = 0; axis < 3; axis++)
                sides += (at >> 6 * axis) % DIM == 0 || (at >> 6 * axis) % DIM == DIM - 1;
            b.voxels[at] ^= 9;
            adit_mesh_kernel *kernel = adit_mesh_kernel_named(kernel_names[n % KERNELS]);
            if (kernel)
                assert_int_equal(mesh(kernel, b.quads, 1000, 0).faces, is_full ? 6 * DIM * DIM + 6 - 2 * sides : 6);
            b.voxels[at] ^= 9;
        }
    }
    for (uint32_t f = 0; f < ADIT_FACES; f++) { /* still full, now with planes */
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
            b.plane[f][i] = 5;
        b.source.plane[f] = b.plane[f];
    }
    for (uint32_t at = 0, f = 0; at < ADIT_PLANE_VOXELS; at += 1 + draw(50), f = (f + 1) % ADIT_FACES) {
        b.plane[f][at] = 0;
        for (int k = 0; k < KERNELS; k++) {
            adit_mesh_kernel *kernel = adit_mesh_kernel_named(kernel_names[k]);
            if (!kernel)
                continue;
            struct adit_mesh_result one = mesh(kernel, b.quads, 1000, 0);
            assert_int_equal(one.faces, 1);
            assert_int_equal(one.start[f * ADIT_MESH_CLASSES + 1] - one.start[f * ADIT_MESH_CLASSES], 1);
        }
        b.plane[f][at] = 5;
    }
}

static void slabs_across_the_volume_are_single_quads(void **state)
{
    static const uint8_t layer[] = { 0, 31, 63 };
    (void)state;
    for (int axis = 0; axis < 3; axis++) {
        for (int i = 0; i < 3; i++) {
            reset(64, 64, 64);
            for (uint32_t a = 0; a < 64; a++)
                for (uint32_t c = 0; c < 64; c++)
                    *(axis == 0 ? voxel(layer[i], a, c) : axis == 1 ? voxel(a, layer[i], c) : voxel(a, c, layer[i])) = 9;
            judge();
            assert_int_equal(mesh(adit_mesh_kernel_best(NULL), b.quads, 6, 0).start[ADIT_MESH_RANGES], 6);
        }
    }
}

static void checkers_and_spheres_are_covered(void **state)
{
    (void)state;
    for (uint32_t ids = 1; ids <= 300; ids += 299) {
        reset(64, 64, 64);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            if ((i ^ i >> 6 ^ i >> 12) & 1)
                b.voxels[i] = (uint16_t)(1 + i % ids);
        judge();
    }
    reset(63, 64, 61);
    for (int z = 0; z < 64; z++)
        for (int y = 0; y < 64; y++)
            for (int x = 0; x < 64; x++)
                if ((2 * x - 63) * (2 * x - 63) + (2 * y - 63) * (2 * y - 63) + (2 * z - 63) * (2 * z - 63) <= 3600)
                    *voxel((uint32_t)x, (uint32_t)y, (uint32_t)z) = (uint16_t)(y / 9);
    judge_with_all_flags();
}

static void draw_voxels(void)
{
    static const uint32_t choices[][2] = { { 1, 1 },     { 2, 1 },    { 3, 126 },  { 5, 254 },
                                           { 8, 65528 }, { 200, 30 }, { 65536, 0 } };
    static const uint32_t airs[] = { 0, 4, 64, 128, 200, 250 };
    uint32_t pick = draw(7), ids = choices[pick][0], base = choices[pick][1], air = airs[draw(6)];
    if (draw(2)) { /* noise, in the whole array: what is beyond dim must not matter */
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            b.voxels[i] = draw_material(ids, base, air);
    } else { /* boxes over each other, for large quads */
        for (uint32_t n = 1 + draw(60); n; n--) {
            uint32_t lo[3], hi[3];
            uint16_t material = draw_material(ids, base, air);
            for (int axis = 0; axis < 3; axis++) {
                lo[axis] = draw(64);
                hi[axis] = lo[axis] + 1 + draw(64 - lo[axis]);
            }
            for (uint32_t z = lo[2]; z < hi[2]; z++)
                for (uint32_t y = lo[1]; y < hi[1]; y++)
                    for (uint32_t x = lo[0]; x < hi[0]; x++)
                        *voxel(x, y, z) = material;
        }
    }
    for (int f = 0; f < ADIT_FACES; f++) {
        uint32_t how = draw(4), axis = adit_face_axis((uint32_t)f), layer = f & 1 ? b.source.dim[axis] - 1u : 0;
        b.source.plane[f] = how ? b.plane[f] : NULL;
        for (uint32_t v = 0; v < DIM; v++)
            for (uint32_t u = 0; u < DIM; u++) /* noise, the border layer itself, or a mixture */
                b.plane[f][v * DIM + u] = how == 1 || (how == 2 && draw(2)) ? draw_material(ids, base, air)
                                                   : b.voxels[mesh_cell_index((uint32_t)f, (struct mesh_cell){ layer, u, v })];
    }
}

static void draw_classes(void)
{
    uint32_t how = draw(5);
    for (uint32_t i = 1; i < ADIT_MATERIALS; i++) /* opaque, or a mixture with more than class bits set, or one class */
        b.classes[i] = (uint8_t)(how == 0 ? ADIT_CLASS_OPAQUE : how == 1 ? draw(256) : how == 2 ? 1 + draw(3) : how - 1);
}

static void random_volumes_give_the_bytes_of_the_definition(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        rng_state = seed * 1000003 + round;
        if (draw(5) == 0)
            reset(64, 64, 64);
        else if (draw(2))
            reset(1 + draw(20), 1 + draw(20), 1 + draw(20));
        else
            reset(1 + draw(64), 1 + draw(8), 1 + draw(64));
        draw_classes();
        draw_voxels();
        if (round & 1)
            draw_shade();
        b.source.flags = (uint8_t)draw(round & 1 ? 16 : 4);
        judge();
    }
}

static void each_axis_may_have_any_length(void **state)
{
    static const uint8_t lengths[] = { 1, 2, 7, 8, 9, 17, 32, 57, 63, 64 };
    (void)state;
    for (int i = 0; i < 10; i++) {
        uint32_t n = lengths[i];
        for (int axis = 0; axis < 3; axis++) {
            rng_state = seed * 2000003 + n;
            reset(axis == 0 ? n : 3, axis == 1 ? n : 3, axis == 2 ? n : 3);
            draw_classes();
            draw_voxels();
            draw_shade();
            judge_with_all_flags();
        }
    }
}

/* A sound block may hold any voxels: palette indices beyond the palette, which are air, and local palettes of anything. (tried: classes of indices
 * by their low six bits, where no more than 64 materials are: quads of air) */
static void indices_beyond_the_palette_are_air(void **state)
{
    static const uint32_t ids[] = {2, 3, 9, 40, 100, 250};
    (void)state;
    for (uint32_t round = 0; round < ROUNDS / 4; round++) {
        rng_state = seed * 3000017 + round;
        reset(64, 64, 64);
        draw_classes();
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            b.voxels[i] = draw_material(ids[round % 6], 1, 64);
        encode();
        uint8_t *packed = b.block + (b.encoded.packed - b.block);
        for (uint32_t n = draw(4000); n; n--)
            packed[draw(b.encoded.bytes)] = (uint8_t)draw(256);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            b.voxels[i] = adit_voxels_at(&b.encoded, i % 64, i / 64 % 64, i / 4096);
        b.source.encoded = NULL;
        b.source.voxels = b.voxels;
        struct adit_mesh_result want = mesh(adit_mesh_scalar, b.expected, ADIT_MESH_QUADS_MAX, 0);
        b.source.encoded = &b.encoded;
        b.source.voxels = NULL;
        judge_kernels(&want);
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
        rng_state = seed * 3000017 + (uint32_t)k;
        reset(64, 64, 64);
        for (uint32_t i = 1; i < ADIT_MATERIALS; i++)
            b.classes[i] = (uint8_t)(i < 200 ? ADIT_CLASS_OPAQUE : 2 + i % 2);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
            uint32_t y = i / DIM % DIM, z = i / DIM / DIM;
            uint16_t ground = (uint16_t)(1 + (k & 1 ? (i / 7 + i / 640) % kinds[k] : draw(kinds[k])));
            bool is_ground = k < 5 ? y < 32 : (y / 16 + z / 16) % 2; /* beams along x in the end */
            b.voxels[i] = is_ground ? ground : (uint16_t)(k == 2 && y < 48 ? 200 : k == 3 ? 300 + draw(2) : 0);
            if (k == 1 && y < 40 && i % 8 == 3)
                b.voxels[i] = 9;
        }
        for (uint32_t n = 0; n < 12 && k < 5; n++)
            *voxel(draw(64), draw(32), draw(64)) = 0;
        for (uint32_t f = 0; f < 2 && k >= 5; f++) { /* and their ends are covered */
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                b.plane[f][i] = 7;
            b.source.plane[f] = b.plane[f];
        }
        b.source.flags = (uint8_t)(k & 1 ? ADIT_MESH_TT_NONE : 0);
        judge();
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
            rng_state = seed * 4000037 + (uint32_t)i;
            reset(64, 64, 64);
            for (uint32_t m = 1; m < ADIT_MATERIALS; m++)
                b.classes[m] = (uint8_t)(how < 2 ? ADIT_CLASS_OPAQUE : draw(4));
            for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++) /* of each material a cube of 4 */
                b.voxels[v] = (uint16_t)(((v >> 2 & 15) | (v >> 4 & 15 << 4) | (v >> 6 & 15 << 8)) % n[i] + (how == 1));
            judge();
        }
    }
}

/* -- the edges of the interface ------------------------------------------------------------------------------------ */

static void a_source_that_is_not_valid_is_refused(void **state)
{
    (void)state;
    for (int k = 0; k < KERNELS; k++) {
        adit_mesh_kernel *kernel = adit_mesh_kernel_named(kernel_names[k]);
        for (int axis = 0; kernel && axis < 3; axis++) {
            for (uint32_t dim = 0; dim < 256; dim += dim ? 63 : 65) {
                reset(64, 64, 64);
                b.source.dim[axis] = (uint8_t)dim;
                struct adit_mesh_result result = mesh(kernel, b.quads, 4, dim == 0 || dim > 64 ? -EINVAL : 0);
                assert_int_equal(result.start[ADIT_MESH_RANGES], 0);
            }
            reset(64, 64, 64);
            struct adit_mesh_result nowhere = { .quads = NULL, .quads_max = 1 };
            assert_int_equal(kernel(&b.source, &nowhere), -EINVAL);
            b.source.classes = NULL;
            mesh(kernel, b.quads, 4, -EINVAL);
            b.source.classes = b.classes;
            b.source.voxels = NULL;
            mesh(kernel, b.quads, 4, -EINVAL);
            b.encoded = (struct adit_voxels){.uniform = 7};
            b.source.encoded = &b.encoded;
            mesh(kernel, b.quads, 6, 0);
            b.source.dim[k % 3] = 63; /* an encoded chunk is a whole one */
            mesh(kernel, b.quads, 6, -EINVAL);
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
    reset(64, 64, 64);
    rng_state = seed;
    draw_classes();
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) /* bricks of each number of bits */
        b.voxels[i] = (uint16_t)draw(i < 65536 ? 2 : i < 131072 ? 4 : i < 196608 ? 16 : 200);
    encode();
    uint8_t *packed = b.block + (b.encoded.packed - b.block);
    const struct adit_voxels uniform = {.form = ADIT_VOXELS_UNIFORM, .uniform = 1};
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        b.source.plane[f] = b.plane[f];
        b.source.light_plane[f] = b.light_plane[f];
    }
    b.source.rim = b.rim;
    pid_t peer = fork();
    assert_true(peer >= 0);
    if (!peer) {
        for (uint32_t i = 0; getppid() != 1 && i < 2000000000; i++) {
            uint32_t f = draw(ADIT_FACES), at = draw(ADIT_PLANE_VOXELS);
            b.voxels[draw(ADIT_CHUNK_VOXELS)] = (uint16_t)(i & 512 ? draw(65536) : draw(3));
            packed[draw(b.encoded.bytes)] = (uint8_t)draw(256);
            b.plane[f][at] = (uint16_t)draw(300);
            b.light_plane[f][at] = (uint16_t)draw(65536);
            b.light[draw(ADIT_CHUNK_VOXELS)] = (uint16_t)draw(4);
            b.rim->edge[draw(12)] ^= 1ull << draw(64);
            b.classes[draw(i & 64 ? 4 : 300)] = (uint8_t)draw(256);
            b.classes[1] = (uint8_t)draw(4); /* of the chunk of one material */
        }
        _exit(0);
    }
    for (int k = 0; k < KERNELS; k++) {
        adit_mesh_kernel *kernel = adit_mesh_kernel_named(kernel_names[k]);
        for (int i = 0; kernel && i < 200; i++) {
            struct adit_mesh_result result = { .quads = b.quads, .quads_max = 1000 };
            b.quads[1000] = GUARD;
            b.source.flags = (uint8_t)(i & 15);
            b.source.encoded = i % 5 == 0 ? NULL : i % 5 < 3 ? &b.encoded : &uniform;
            b.source.voxels = i % 5 == 0 ? b.voxels : NULL;
            b.source.light = i & 32 ? b.light : NULL;
            kernel(&b.source, &result);
            assert_int_equal(b.quads[1000], GUARD);
            assert_true(result.start[ADIT_MESH_RANGES] <= ADIT_MESH_QUADS_MAX);
        }
    }
    kill(peer, SIGKILL);
    assert_int_equal(waitpid(peer, NULL, 0), peer);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_volume_has_no_quads),
        cmocka_unit_test(a_full_volume_is_six_quads_of_64x64),
        cmocka_unit_test(a_full_volume_meets_any_planes),
        cmocka_unit_test(whole_bricks_are_seen_from_all_sides),
        cmocka_unit_test(water_alone_meets_any_planes),
        cmocka_unit_test(hidden_voxels_are_not_asked_for_their_material),
        cmocka_unit_test(single_voxels_are_six_quads_wherever_they_are),
        cmocka_unit_test(one_voxel_that_differs_is_seen_wherever_it_is),
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
    return cmocka_run_group_tests(tests, set_up, NULL);
}
