/* test_vertex_pull.c - kernels/vertex_pull.glsl, run as C: its corners are those of quad.h, for both forms of a mesh.
 *
 * The build of this program waits for gpu/pull_quads.vert, gpu/pull_compact.vert and gpu/pull_patches.vert, where glslc compiles the same lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/compact.h"
#include "kernels/meshlet.h"
#include "kernels/patch.h"
#include "tests/mesh_maker.h"

/* GLSL's types by their GLSL names, which have no `struct` before them (hence typeof). */
struct vec2_of { float x, y; };
struct uvec2_of { uint32_t x, y; };
struct uvec3_of { uint32_t x, y, z; };
struct ivec3_of { int x, y, z; };
typedef __typeof__(struct vec2_of) vec2;
typedef __typeof__(struct uvec2_of) uvec2;
typedef __typeof__(struct uvec3_of) uvec3;
typedef __typeof__(struct ivec3_of) ivec3;
typedef __typeof__(struct AditQuad) AditQuad;
#define vec2(a, b) ((vec2){ (float)(a), (float)(b) })
#define uvec2(a, b) ((uvec2){ a, b })
#define uvec3(a, b, c) ((uvec3){ a, b, c })
#define ivec3(a, b, c) ((ivec3){ a, b, c })

static const uint32_t *buffer; /* what a shader would have bound */
static uint32_t buffer_words;

static uint32_t word_at(uint32_t i)
{
    assert_true(i < buffer_words);
    return buffer[i];
}
#define ADIT_WORD(i) word_at(i)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "kernels/vertex_pull.glsl"
#pragma GCC diagnostic pop

enum { BASE = 7 }; /* words before the mesh in the buffer */

static const struct mesh_traits traits[] = {
    { .layers_of_64 = 20, .quads_max = 9, .materials = 30, .ranges = 0x3ffff },
    { .layers_of_64 = 64, .quads_max = 5, .materials = 3000, .ranges = 0x3ffff, .has_ao = true, .has_light = true },
    { .layers_of_64 = 64, .quads_max = 2500, .materials = 40, .ranges = 0x00100, .has_ao = true }, /* wide slices */
    { .layers_of_64 = 1, .quads_max = 3, .materials = 256, .ranges = 0x2aaaa, .has_light = true },
};
enum { MESHES = 6 };

static void make(int which, struct adit_mesh_result *mesh)
{
    if (which < 4)
        mesh_of_chance(11, &traits[which], mesh);
    else
        mesh_of_kind(which == 4 ? "terrain" : "mats", true, 0, mesh);
}

/* Calls check for every quad of a mesh, as pulled from the 8-byte quads and from the compact form. */
static void for_each_quad(void (*check)(AditQuad pulled, uint64_t quad, uint32_t range))
{
    for (int which = 0; which < MESHES; which++) {
        struct adit_mesh_result mesh;
        size_t bytes;
        make(which, &mesh);
        uint32_t n = mesh.start[ADIT_MESH_RANGES];
        assert_true(adit_compact_pack(&mesh, NULL, 0, &bytes) != -EINVAL);
        for (int is_compact = 0; is_compact < 2; is_compact++) {
            size_t length = BASE * 4 + (is_compact ? bytes : n * sizeof *mesh.quads);
            uint32_t *words = malloc(length);
            assert_non_null(words);
            memset(words, 0xee, BASE * 4);
            if (is_compact)
                assert_int_equal(adit_compact_pack(&mesh, words + BASE, bytes, &bytes), 0);
            else
                memcpy(words + BASE, mesh.quads, n * sizeof *mesh.quads);
            buffer = words;
            buffer_words = (uint32_t)(length / 4);
            for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
                for (uint32_t i = mesh.start[r]; i < mesh.start[r + 1]; i++)
                    check(is_compact ? adit_compact_at(BASE, r, i) : adit_quad_at(BASE, r, i), mesh.quads[i], r);
            free(words);
        }
        mesh_free(&mesh);
    }
}

static void check_members(AditQuad pulled, uint64_t quad, uint32_t range)
{
    assert_true(pulled.x == adit_quad_x(quad) && pulled.y == adit_quad_y(quad) && pulled.z == adit_quad_z(quad));
    assert_true(pulled.w == adit_quad_w(quad) && pulled.h == adit_quad_h(quad));
    assert_true(pulled.face == range / ADIT_MESH_CLASSES && adit_class_of(range) == range % ADIT_MESH_CLASSES + ADIT_CLASS_OPAQUE);
    assert_true(pulled.material == adit_quad_material(quad) && pulled.ao == adit_quad_ao(quad) && pulled.light == quad >> 54);
}

/* (tried: five steps of search; < for <= in it; the high byte of an index ignored) */
static void both_forms_give_the_quads_of_the_mesh(void **state)
{
    (void)state;
    for_each_quad(check_members);
}

/* Corner c of a quad by quad.h: its voxel, w along U if bit 0, h along V if bit 1, and on a + face one along the axis. */
static void check_corners(AditQuad pulled, uint64_t quad, uint32_t range)
{
    uint32_t face = range / ADIT_MESH_CLASSES;
    for (uint32_t c = 0; c < 4; c++) {
        uint32_t at[3] = { adit_quad_x(quad), adit_quad_y(quad), adit_quad_z(quad) };
        at[adit_face_axis(face)] += face & 1;
        at[adit_face_u(face)] += c & 1 ? adit_quad_w(quad) : 0;
        at[adit_face_v(face)] += c & 2 ? adit_quad_h(quad) : 0;
        uvec3 got = adit_corner_at(pulled, c);
        uvec2 uv = adit_uv_of(pulled, c);
        assert_true(got.x == at[0] && got.y == at[1] && got.z == at[2]);
        assert_true(uv.x == (c & 1 ? adit_quad_w(quad) : 0) && uv.y == (c & 2 ? adit_quad_h(quad) : 0));
        assert_int_equal(adit_ao_of(pulled, c), adit_quad_ao(quad) >> 2 * c & 3);
    }
}

/* (tried: U and V exchanged for the faces of Y; + faces left at their voxel) */
static void corners_are_where_quads_are(void **state)
{
    (void)state;
    for_each_quad(check_corners);
}

/* (b - a) x (c - a), along the quad's axis; by the right hand, positive towards + when counter-clockwise seen from there. */
static int turn_of(AditQuad quad, const uint32_t corner[3])
{
    int p[3][3];
    for (int i = 0; i < 3; i++) {
        uvec3 at = adit_corner_at(quad, corner[i]);
        p[i][0] = (int)at.x, p[i][1] = (int)at.y, p[i][2] = (int)at.z;
    }
    int a = (int)(quad.face >> 1), b = (a + 1) % 3, c = (a + 2) % 3;
    return (p[1][b] - p[0][b]) * (p[2][c] - p[0][c]) - (p[1][c] - p[0][c]) * (p[2][b] - p[0][b]);
}

/* Two triangles, counter-clockwise, that share the brighter diagonal and cover the quad; the same with and without indices. */
static void check_triangles(AditQuad pulled, uint64_t quad, uint32_t range)
{
    uint32_t face = range / ADIT_MESH_CLASSES, corner[6], seen[4] = { 0 };
    uint16_t indices[6];
    adit_meshlet_indices(indices, 1);
    for (uint32_t i = 0; i < 6; i++) {
        corner[i] = adit_corner_of_six(pulled, i);
        assert_true(corner[i] < 4);
        assert_int_equal(corner[i], adit_corner_of_four(pulled, indices[i]));
        seen[corner[i]]++;
    }
    int area = (int)(adit_quad_w(quad) * adit_quad_h(quad));
    for (int i = 0; i < 6; i += 3) /* twice a triangle's area is that of the quad */
        assert_int_equal(turn_of(pulled, corner + i), face & 1 ? area : -area);
    uint32_t straight = adit_ao_of(pulled, 0) + adit_ao_of(pulled, 3), across = adit_ao_of(pulled, 1) + adit_ao_of(pulled, 2);
    assert_true(seen[0] == seen[3] && seen[1] == seen[2] && seen[0] + seen[1] == 3);
    if (straight != across)
        assert_int_equal(seen[0], straight > across ? 2 : 1);
    ivec3 normal = adit_normal_of(face);
    int along[3] = { normal.x, normal.y, normal.z };
    for (uint32_t a = 0; a < 3; a++)
        assert_int_equal(along[a], a != adit_face_axis(face) ? 0 : face & 1 ? 1 : -1);
}

/* (tried: a face taken out of the mask 0x26; the turned order without its mirror image; < for > between the diagonals) */
static void triangles_are_counter_clockwise_on_every_face(void **state)
{
    (void)state;
    for_each_quad(check_triangles);
}

/* At the corners of the atlas and somewhere within, flat and not. */
static void check_patches(AditQuad pulled, uint64_t quad, uint32_t range)
{
    static const uint32_t x[] = { 0, ADIT_PATCH_WIDTH_MAX - 64, 777 }, y[] = { 0, ADIT_PATCH_HEIGHT_MAX - 64, 12345 };
    uint32_t w = adit_quad_w(quad), h = adit_quad_h(quad);
    (void)range;
    for (int i = 0; i < 3; i++)
        for (uint32_t c = 0; c < 4; c++) {
            uint32_t place = x[i] | y[i] << 16, flat = place | ADIT_PATCH_FLAT;
            vec2 at = adit_patch_at(pulled, place, c), middle = adit_patch_at(pulled, flat, c);
            assert_true(adit_patch_x(flat) == x[i] && adit_patch_y(flat) == y[i] && adit_patch_is_flat(flat) && !adit_patch_is_flat(place));
            assert_true(at.x == (float)(x[i] + (c & 1 ? w : 0)) && at.y == (float)(y[i] + (c & 2 ? h : 0)));
            assert_true(middle.x == (float)x[i] + 0.5f && middle.y == (float)y[i] + 0.5f);
            uvec2 first = adit_patch_first(flat), end = adit_patch_last(pulled, flat), last = adit_patch_last(pulled, place);
            assert_true(first.x == x[i] && first.y == y[i] && end.x == x[i] && end.y == y[i]);
            assert_true(last.x == x[i] + w - 1 && last.y == y[i] + h - 1);
        }
}

/* (tried: the bit of flat quads left in x; the corner of a flat quad's texel for its middle) */
static void corners_of_patches_are_where_the_atlas_has_them(void **state)
{
    (void)state;
    for_each_quad(check_patches);
}

static void the_words_of_the_head_are_those_of_the_struct(void **state)
{
    (void)state;
    assert_int_equal(ADIT_HEAD_FLAGS * 4 + 2, offsetof(struct adit_compact_head, flags));
    assert_int_equal(ADIT_HEAD_PALETTE * 4, offsetof(struct adit_compact_head, palette_at));
    assert_int_equal(ADIT_HEAD_QUADS * 4, offsetof(struct adit_compact_head, quads_at));
    assert_int_equal(ADIT_HEAD_INDEX_HIGH * 4, offsetof(struct adit_compact_head, index_high_at));
    assert_int_equal(ADIT_HEAD_AO * 4, offsetof(struct adit_compact_head, ao_at));
    assert_int_equal(ADIT_HEAD_LIGHT * 4, offsetof(struct adit_compact_head, light_at));
    assert_int_equal(ADIT_HEAD_START * 4, offsetof(struct adit_compact_head, start));
    assert_int_equal(ADIT_HEAD_SLICES * 4, offsetof(struct adit_compact_head, slices));
    assert_int_equal(ADIT_HEAD_WORDS, ADIT_COMPACT_HEAD_WORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_give_the_quads_of_the_mesh),
        cmocka_unit_test(corners_are_where_quads_are),
        cmocka_unit_test(triangles_are_counter_clockwise_on_every_face),
        cmocka_unit_test(corners_of_patches_are_where_the_atlas_has_them),
        cmocka_unit_test(the_words_of_the_head_are_those_of_the_struct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
