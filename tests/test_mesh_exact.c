/* test_mesh_exact.c - the exact mesh: as few quads as there can be, by three judges that know nothing of its code.
 *
 * Small slices are searched: every way to cover them with rectangles. Large ones are counted: corners and good chords by
 * their definition, cell by cell, and a matching that tries one chord after another. And whatever the count, the faces
 * covered are those of the culled mesh. Volumes are random; the seed is the first argument or 1.
 *
 * (tried: chords that miss their last point, runs that go on into another region, a cut from the end of a chosen chord, chords
 * chosen that were never reached, cuts across chosen chords, materials not compared, gradients merged, layers unsorted)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/exact.h"

enum { DIM = ADIT_CHUNK_DIM, GUARDS = 8, SMALL = 6, POINTS = DIM + 1, CHORDS_MAX = DIM * DIM };
#define GUARD 0x5ca1ab1e0ddba115u

static uint64_t seed = 1, rng_state;
static uint16_t voxels[ADIT_CHUNK_VOXELS], planes[ADIT_FACES][ADIT_PLANE_VOXELS];
static uint8_t classes[ADIT_MATERIALS];
static uint64_t *culled, *exact, *other; /* ADIT_MESH_QUADS_MAX and guards */
static struct adit_mesh_source source;

static uint32_t draw(uint32_t below) /* splitmix64 */
{
    uint64_t z = rng_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % below);
}

static int set_up(void **state)
{
    (void)state;
    size_t bytes = (ADIT_MESH_QUADS_MAX + GUARDS) * sizeof *exact;
    culled = malloc(bytes);
    exact = malloc(bytes);
    other = malloc(bytes);
    assert_true(culled && exact && other);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(culled);
    free(exact);
    free(other);
    return 0;
}

/* A fresh source, all materials opaque, all neighbours air. */
static void reset(uint32_t x, uint32_t y, uint32_t z)
{
    memset(voxels, 0, sizeof voxels);
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    classes[0] = ADIT_CLASS_AIR;
    source = (struct adit_mesh_source){ .voxels = voxels, .classes = classes,
                                        .dim = { (uint8_t)x, (uint8_t)y, (uint8_t)z } };
}

static uint16_t *voxel(uint32_t x, uint32_t y, uint32_t z)
{
    return &voxels[(z * DIM + y) * DIM + x];
}

static struct adit_mesh_result mesh(uint64_t *quads, uint8_t flags)
{
    struct adit_mesh_result result = { .quads = quads, .quads_max = ADIT_MESH_QUADS_MAX };
    source.flags |= flags;
    assert_int_equal(adit_mesh_scalar(&source, &result), 0);
    source.flags &= (uint8_t)~flags;
    return result;
}

static uint32_t count(const struct adit_mesh_result *result)
{
    return result->start[ADIT_MESH_RANGES];
}

/* -- one layer of one range, as the judges see it ------------------------------------------------------------------ */

static struct layer {
    uint32_t label[DIM + 2][DIM + 2]; /* [v + 1][u + 1]: 0 where no face is, else what must agree for faces to be merged */
    uint32_t width, height;           /* the box of the labels, from 0 */
} layer;

static uint32_t label(uint32_t u, uint32_t v) /* of the cell left above point (u,v): with borders, never outside */
{
    return layer.label[v][u];
}

static uint32_t along(uint64_t quad, uint32_t axis)
{
    return axis == 0 ? adit_quad_x(quad) : axis == 1 ? adit_quad_y(quad) : adit_quad_z(quad);
}

/* The next layer of range r from quad i of unit quads on. Returns the first quad beyond it. */
static uint32_t layer_load(const struct adit_mesh_result *unit, uint32_t r, uint32_t i)
{
    uint32_t face = r / ADIT_MESH_CLASSES, at = along(unit->quads[i], adit_face_axis(face));
    memset(&layer, 0, sizeof layer);
    for (; i < unit->start[r + 1] && along(unit->quads[i], adit_face_axis(face)) == at; i++) {
        uint32_t u = along(unit->quads[i], adit_face_u(face)), v = along(unit->quads[i], adit_face_v(face));
        layer.label[v + 1][u + 1] = 1 + adit_quad_material(unit->quads[i]);
        layer.width = u + 1 > layer.width ? u + 1 : layer.width;
        layer.height = v + 1 > layer.height ? v + 1 : layer.height;
    }
    return i;
}

/* -- the first judge: every way to cover --------------------------------------------------------------------------- */

static uint32_t best;

static void search(uint8_t (*taken)[SMALL], uint32_t from, uint32_t used)
{
    uint32_t at = from, w_max = SMALL;
    while (at < SMALL * SMALL && (taken[at / SMALL][at % SMALL] || !layer.label[at / SMALL + 1][at % SMALL + 1]))
        at++;
    if (at == SMALL * SMALL) {
        best = used < best ? used : best;
        return;
    }
    if (used + 1 >= best)
        return;
    uint32_t u0 = at % SMALL, v0 = at / SMALL, want = layer.label[v0 + 1][u0 + 1];
    for (uint32_t h = 1; v0 + h <= SMALL && w_max; h++) {
        uint32_t w = 0;
        while (w < w_max && u0 + w < SMALL && !taken[v0 + h - 1][u0 + w] && layer.label[v0 + h][u0 + w + 1] == want)
            w++;
        for (w_max = w; w; w--) {
            for (uint32_t v = v0; v < v0 + h; v++)
                memset(&taken[v][u0], 1, w);
            search(taken, at + w, used + 1);
            for (uint32_t v = v0; v < v0 + h; v++)
                memset(&taken[v][u0], 0, w);
        }
    }
}

static uint32_t least_by_search(void)
{
    uint8_t taken[SMALL][SMALL] = { { 0 } };
    best = SMALL * SMALL + 1;
    search(taken, 0, 0);
    return best;
}

/* -- the second judge: corners and chords -------------------------------------------------------------------------- */

static struct chord {
    uint32_t u0, v0, u1, v1; /* points */
} flat[CHORDS_MAX], upright[CHORDS_MAX];
static uint32_t flat_n, upright_n;
static int32_t mate[CHORDS_MAX]; /* of an upright chord: its flat one */
static uint32_t tried[CHORDS_MAX], stamp;
static uint16_t upright_at[POINTS][POINTS]; /* 1 + the upright chord through a point */

/* How many of the four cells around a point are of a label. */
static uint32_t around(uint32_t u, uint32_t v, uint32_t want)
{
    bool at[4] = { label(u, v) == want, label(u + 1, v) == want, label(u, v + 1) == want, label(u + 1, v + 1) == want };
    return (uint32_t)at[0] + at[1] + at[2] + at[3];
}

/* Corners of all regions at a point: convex ones count 1, reflex ones 3, two convex ones that touch 2. */
static uint32_t corners_at(uint32_t u, uint32_t v)
{
    uint32_t cell[4] = { label(u, v), label(u + 1, v), label(u, v + 1), label(u + 1, v + 1) }, sum = 0;
    for (uint32_t i = 0; i < 4; i++) { /* so each cell at a corner brings 1 */
        uint32_t n = around(u, v, cell[i]);
        bool is_edge = n == 2 && (cell[i] == cell[i ^ 1] || cell[i] == cell[i ^ 2]);
        sum += cell[i] && n < 4 && !is_edge;
    }
    return sum;
}

/* The good chord from point (u,v) along (du,dv), if there is one. */
static bool chord_from(uint32_t u, uint32_t v, uint32_t du, uint32_t dv, struct chord *chord)
{
    uint32_t want = label(u + 1, v + 1), beside = du ? label(u + 1, v) : label(u, v + 1), end_u = u, end_v = v;
    if (!want || beside != want || around(u, v, want) != 3)
        return false;
    do {
        end_u += du;
        end_v += dv;
    } while (around(end_u, end_v, want) == 4);
    *chord = (struct chord){ u, v, end_u, end_v };
    return around(end_u, end_v, want) == 3;
}

static bool pair(uint32_t i)
{
    for (uint32_t u = flat[i].u0; u <= flat[i].u1; u++) {
        uint32_t k = upright_at[flat[i].v0][u];
        if (!k || tried[k - 1] == stamp)
            continue;
        tried[k - 1] = stamp;
        if (mate[k - 1] < 0 || pair((uint32_t)mate[k - 1])) {
            mate[k - 1] = (int32_t)i;
            return true;
        }
    }
    return false;
}

static uint32_t least_by_chords(void)
{
    uint32_t corners = 0, pairs = 0;
    flat_n = upright_n = 0;
    memset(upright_at, 0, sizeof upright_at);
    for (uint32_t v = 0; v <= layer.height; v++) {
        for (uint32_t u = 0; u <= layer.width; u++) {
            corners += corners_at(u, v);
            flat_n += chord_from(u, v, 1, 0, &flat[flat_n]);
            upright_n += chord_from(u, v, 0, 1, &upright[upright_n]);
        }
    }
    assert_int_equal(corners % 4, 0);
    for (uint32_t k = 0; k < upright_n; k++) {
        mate[k] = -1;
        tried[k] = 0;
        for (uint32_t v = upright[k].v0; v <= upright[k].v1; v++)
            upright_at[v][upright[k].u0] = (uint16_t)(k + 1);
    }
    for (uint32_t i = 0; i < flat_n; i++) {
        stamp = i + 1;
        pairs += pair(i);
    }
    return corners / 4 - (flat_n + upright_n - pairs);
}

/* -- judging a mesh ------------------------------------------------------------------------------------------------ */

/* The quads of one layer, from i on: as few as wanted, in order, each on faces of its own label, every face once. */
static uint32_t judge_layer(const struct adit_mesh_result *result, uint32_t r, uint32_t i, uint32_t at, uint32_t wanted)
{
    static uint8_t covered[DIM][DIM];
    uint32_t face = r / ADIT_MESH_CLASSES, first = i, faces = 0, before = 0;
    memset(covered, 0, sizeof covered);
    for (; i < result->start[r + 1] && along(result->quads[i], adit_face_axis(face)) == at; i++) {
        uint64_t q = result->quads[i];
        uint32_t u = along(q, adit_face_u(face)), v = along(q, adit_face_v(face)), w = adit_quad_w(q), h = adit_quad_h(q);
        assert_true(u + w <= DIM && v + h <= DIM && adit_quad_ao(q) == ADIT_QUAD_AO_OPEN);
        assert_true(i == first || v * DIM + u > before);
        before = v * DIM + u;
        for (uint32_t c = 0; c < w * h; c++) {
            assert_int_equal(layer.label[v + 1 + c / w][u + 1 + c % w], 1 + adit_quad_material(q));
            assert_int_equal(covered[v + c / w][u + c % w]++, 0);
        }
        faces += w * h;
    }
    for (uint32_t c = 0; c < DIM * DIM; c++)
        faces -= layer.label[1 + c / DIM][1 + c % DIM] != 0;
    assert_int_equal(faces, 0);
    assert_int_equal(i - first, wanted);
    return i;
}

/* The exact mesh of source: from the greedy mesh and from the culled one the same bytes, as few quads as there can be. */
static void judge(void)
{
    struct adit_mesh_result unit = mesh(culled, ADIT_MESH_CULLED), greedy = mesh(exact, 0), result = greedy, again;
    uint32_t i = 0, k = 0;
    result.quads_max = count(&greedy);
    for (uint32_t g = 0; g < GUARDS; g++)
        exact[count(&greedy) + g] = GUARD;
    assert_int_equal(adit_mesh_exact(&result), 0);
    for (uint32_t g = 0; g < GUARDS; g++)
        assert_int_equal(exact[count(&greedy) + g], GUARD);
    assert_true(result.quads == exact && result.faces == greedy.faces);
    assert_memory_equal(result.bounds_lo, greedy.bounds_lo, 3);
    assert_memory_equal(result.bounds_hi, greedy.bounds_hi, 3);

    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++) {
        assert_int_equal(result.start[r], k);
        while (i < unit.start[r + 1]) {
            uint32_t at = along(unit.quads[i], adit_face_axis(r / ADIT_MESH_CLASSES));
            i = layer_load(&unit, r, i);
            uint32_t least = least_by_chords();
            if (layer.width <= SMALL && layer.height <= SMALL)
                assert_int_equal(least, least_by_search());
            k = judge_layer(&result, r, k, at, least);
        }
    }
    assert_int_equal(count(&result), k);

    memcpy(other, culled, count(&unit) * sizeof *other);
    again = unit;
    again.quads = other;
    assert_int_equal(adit_mesh_exact(&again), 0);
    assert_memory_equal(again.start, result.start, sizeof again.start);
    assert_memory_equal(other, exact, k * sizeof *exact);
    assert_int_equal(adit_mesh_exact(&again), 0); /* and nothing is left to do */
    assert_memory_equal(again.start, result.start, sizeof again.start);
    assert_memory_equal(other, exact, k * sizeof *exact);
}

/* -- volumes ------------------------------------------------------------------------------------------------------- */

/* A slice drawn as text, one layer of voxels; ' ' is air, any other character a material. */
static uint32_t quads_of(const char *const rows[])
{
    reset(DIM, DIM, 1);
    for (uint32_t y = 0; rows[y]; y++)
        for (uint32_t x = 0; rows[y][x]; x++)
            *voxel(x, y, 0) = rows[y][x] == ' ' ? 0 : (uint8_t)rows[y][x];
    judge();
    struct adit_mesh_result result = mesh(exact, 0);
    assert_int_equal(adit_mesh_exact(&result), 0);
    return result.start[ADIT_FACE_PZ * ADIT_MESH_CLASSES + 1] - result.start[ADIT_FACE_PZ * ADIT_MESH_CLASSES];
}

static void known_shapes_have_their_known_counts(void **state)
{
    (void)state;
    assert_int_equal(quads_of((const char *const[]){ "aa", "aa", NULL }), 1);
    assert_int_equal(quads_of((const char *const[]){ "aa", "a ", NULL }), 2);
    assert_int_equal(quads_of((const char *const[]){ " a ", "aaa", " a ", NULL }), 3);
    assert_int_equal(quads_of((const char *const[]){ "aaa", "a a", "aaa", NULL }), 4);
    assert_int_equal(quads_of((const char *const[]){ "a ", " a", NULL }), 2);
    assert_int_equal(quads_of((const char *const[]){ "aaa ", "a aa", "aaaa", NULL }), 4);
    assert_int_equal(quads_of((const char *const[]){ "aab", "aba", "baa", NULL }), 7);
    /* two holes that touch in a point, and a hole that touches the outside in one */
    assert_int_equal(quads_of((const char *const[]){ "aaaa", "a aa", "aa a", "aaaa", NULL }), 6);
    assert_int_equal(quads_of((const char *const[]){ " aaa", "a aa", "aaaa", NULL }), 4);
    assert_int_equal(quads_of((const char *const[]){ "aaaa", " aa ", "aaaa", NULL }), 3);
    assert_int_equal(quads_of((const char *const[]){ " a ", "aaa", NULL }), 2); /* 3 by the greedy way */
    assert_int_equal(quads_of((const char *const[]){ " a a ", "aaaaa", " a a ", NULL }), 5);
}

static uint16_t draw_material(uint32_t ids, uint32_t air)
{
    return draw(100) < air ? 0 : (uint16_t)(1 + draw(ids));
}

static void small_slices_are_covered_as_well_as_any_search_can(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 6000; round++) {
        uint32_t x = 1 + draw(SMALL), y = 1 + draw(SMALL), z = 1 + draw(2), ids = 1 + draw(3), air = draw(90);
        reset(x, y, z);
        for (uint32_t i = 0; i < x * y * z; i++)
            *voxel(i % x, i / x % y, i / x / y) = draw_material(ids, air);
        if (draw(4) == 0)
            classes[1 + draw(3)] = ADIT_CLASS_TRANSLUCENT, classes[1 + draw(3)] = ADIT_CLASS_CUTOUT;
        judge();
    }
}

/* Noise, boxes over boxes, checkers with holes: all sizes, classes, borders, flags. */
static void large_volumes_are_covered_as_the_formula_says(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 60; round++) {
        uint32_t ids = 1 + draw(round % 4 ? 3 : 300), air = draw(70), how = draw(3);
        reset(1 + draw(DIM), 1 + draw(DIM), 1 + draw(DIM));
        if (round % 3 == 0)
            source.dim[0] = source.dim[1] = source.dim[2] = DIM;
        for (uint32_t i = 0; how != 1 && i < ADIT_CHUNK_VOXELS; i++)
            voxels[i] = how == 0 || draw(20) == 0 ? draw_material(ids, air) : ((i ^ i >> 6 ^ i >> 12) & 1);
        for (uint32_t n = how == 1 ? 1 + draw(200) : 0; n; n--) {
            uint32_t lo[3], hi[3];
            uint16_t material = draw_material(ids, air);
            for (int axis = 0; axis < 3; axis++) {
                lo[axis] = draw(DIM);
                hi[axis] = lo[axis] + 1 + draw(n > 40 ? 5 : DIM - lo[axis]);
                hi[axis] = hi[axis] < DIM ? hi[axis] : DIM;
            }
            for (uint32_t z = lo[2]; z < hi[2]; z++)
                for (uint32_t y = lo[1]; y < hi[1]; y++)
                    for (uint32_t x = lo[0]; x < hi[0]; x++)
                        *voxel(x, y, z) = material;
        }
        for (uint32_t f = 0; f < ADIT_FACES; f++) {
            for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
                planes[f][i] = draw_material(ids, air);
            source.plane[f] = draw(3) ? planes[f] : NULL;
        }
        for (uint32_t n = draw(3); n; n--)
            classes[1 + draw(3)] = (uint8_t)(ADIT_CLASS_OPAQUE + draw(3));
        source.flags = draw(2) ? ADIT_MESH_TT_NONE : 0;
        judge();
    }
}

/* -- what is not merged, and what is no mesh ----------------------------------------------------------------------- */

static uint64_t quad(uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t ao)
{
    return adit_quad_pack(x, y, 5, w, h, 77, ao);
}

static int remesh(const uint64_t *quads, uint32_t n, struct adit_mesh_result *result)
{
    *result = (struct adit_mesh_result){ .quads = other, .quads_max = n };
    memcpy(other, quads, n * sizeof *quads);
    for (uint32_t r = ADIT_FACE_NZ * ADIT_MESH_CLASSES + 1; r <= ADIT_MESH_RANGES; r++)
        result->start[r] = n;
    return adit_mesh_exact(result);
}

static void faces_of_other_light_stay_apart(void **state)
{
    (void)state;
    struct adit_mesh_result result;
    uint64_t even[] = { quad(0, 0, 1, 1, 0xff), quad(1, 0, 1, 1, 0xaa), quad(2, 0, 1, 1, 0xaa), quad(3, 0, 1, 1, 0xff) };
    assert_int_equal(remesh(even, 4, &result), 0);
    assert_int_equal(count(&result), 3);
    assert_int_equal(other[1], quad(1, 0, 2, 1, 0xaa));
    uint64_t lit[] = { quad(0, 0, 1, 1, 0xff), quad(1, 0, 1, 1, 0xff) | 1ull << 54, quad(2, 0, 3, 1, 0xff) | 1ull << 54 };
    assert_int_equal(remesh(lit, 3, &result), 0);
    assert_int_equal(count(&result), 2);
    assert_int_equal(other[1], quad(1, 0, 4, 1, 0xff) | 1ull << 54);
    /* of one gradient, side by side, above each other, and across: none may be touched */
    uint64_t slopes[] = { quad(0, 0, 1, 3, 0xee), quad(1, 0, 1, 3, 0xee), quad(2, 0, 1, 1, 0xff), quad(2, 1, 1, 1, 0xff) };
    uint64_t wanted[] = { slopes[0], slopes[1], quad(2, 0, 1, 2, 0xff) };
    assert_int_equal(remesh(slopes, 4, &result), 0);
    assert_int_equal(count(&result), 3);
    assert_memory_equal(other, wanted, sizeof wanted);
}

static void what_is_no_mesh_is_refused(void **state)
{
    (void)state;
    struct adit_mesh_result result;
    uint64_t leaves_u[] = { quad(60, 0, 5, 1, 0xff) }, leaves_v[] = { quad(0, 1, 1, 64, 0xff) };
    uint64_t meets[] = { quad(0, 0, 3, 3, 0xff), quad(2, 2, 2, 2, 0xff) };
    uint64_t layers[] = { quad(0, 0, 1, 1, 0xff), quad(1, 0, 1, 1, 0xff) - (1ull << 12), quad(2, 0, 1, 1, 0xff) };
    assert_int_equal(remesh(leaves_u, 1, &result), -EINVAL);
    assert_int_equal(count(&result), 0);
    assert_int_equal(remesh(leaves_v, 1, &result), -EINVAL);
    assert_int_equal(remesh(meets, 2, &result), -EINVAL);
    assert_int_equal(remesh(layers, 3, &result), -EINVAL);
    assert_true(result.faces == 0 && result.bounds_lo[0] > result.bounds_hi[0] && result.quads == other);

    struct adit_mesh_result short_of_room = { .quads = other, .quads_max = 0, .start = { [ADIT_MESH_RANGES] = 1 } };
    assert_int_equal(adit_mesh_exact(&short_of_room), -EINVAL);
    struct adit_mesh_result backwards = { .quads = other, .quads_max = 9, .start = { [3] = 2, [ADIT_MESH_RANGES] = 1 } };
    assert_int_equal(adit_mesh_exact(&backwards), -EINVAL);
    struct adit_mesh_result empty = { .quads = NULL };
    assert_int_equal(adit_mesh_exact(&empty), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_shapes_have_their_known_counts),
        cmocka_unit_test(small_slices_are_covered_as_well_as_any_search_can),
        cmocka_unit_test(large_volumes_are_covered_as_the_formula_says),
        cmocka_unit_test(faces_of_other_light_stay_apart),
        cmocka_unit_test(what_is_no_mesh_is_refused),
    };
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 10);
    rng_state = seed;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
