/* test_lod_border.c - meshes of neighbouring levels meet without a hole: the planes of kernels/lod.h.
 *
 * A scene is a coarser volume and what touches one of its sides: four finer chunks, or one finer volume of the same length.
 * Each is meshed with the plane that the rule gives it. The border is looked at area by area, for all classes: what is visible
 * by kernels/mesh.h is covered, and not more is than the rule says. Then rays are shot: through every area of the finer side,
 * along the axis, both ways, from end to end; one that enters an opaque voxel has to have met a face of it.
 * (tried: an opaque voxel for any mixture, no air for a second see-through material, three of four voxels looked at, the
 * quarter forgotten, bits beyond the class not masked: each fails.) The seed is the first argument or 1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "tests/fenced.h"

enum { DIM = ADIT_CHUNK_DIM, FINER_MAX = 4, ROUNDS = 40, MATERIALS = 9 };

static uint64_t seed = 1, rng_state;

static uint32_t draw(uint32_t below)
{
    return fenced_draw(&rng_state, below);
}

/* A volume of dim a side, and which unit faces of two opposite sides its mesh covers, by voxel. */
struct volume {
    uint16_t voxels[ADIT_CHUNK_VOXELS], plane[ADIT_PLANE_VOXELS];
    uint8_t covered[2][ADIT_CHUNK_VOXELS];
    uint32_t dim;
};

static struct scene {
    struct volume coarser, finer[FINER_MAX];
    uint32_t finer_n; /* 4: quarters of the coarser's side, u first; 1: the whole of it */
    uint32_t face;    /* of the coarser, towards the finer */
    uint8_t flags;
} s;
static uint8_t classes[ADIT_MATERIALS];
static uint64_t *quads;

static int set_up(void **state)
{
    (void)state;
    quads = malloc(ADIT_MESH_QUADS_MAX * sizeof *quads);
    return quads ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(quads);
    return 0;
}

/* Opaque 1, 2, 8; translucent 3, 4; cutout 5, 6; one more of class air; and bits of classes that do not count. */
static void classes_make(void)
{
    static const uint8_t class[MATERIALS] = { 0, 1, 1 | 0x40, 2, 2, 3 | 0x80, 3, 4, 1 | 4 };
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    memcpy(classes, class, sizeof class);
}

static uint32_t index_of(uint32_t face, uint32_t layer, uint32_t u, uint32_t v)
{
    uint32_t at[3];
    at[adit_face_axis(face)] = layer;
    at[adit_face_u(face)] = u;
    at[adit_face_v(face)] = v;
    return (at[2] * DIM + at[1]) * DIM + at[0];
}

/* The outermost layer of a volume on a side, as a plane. */
static void layer_take(const struct volume *v, uint32_t face, uint16_t *plane)
{
    for (uint32_t j = 0; j < v->dim; j++)
        for (uint32_t i = 0; i < v->dim; i++)
            plane[j * DIM + i] = v->voxels[index_of(face, face & 1 ? v->dim - 1 : 0, i, j)];
}

/* Where finer volume i begins on the coarser's side, in the coarser's voxels. */
static uint8_t begin_u(uint32_t i) { return s.finer_n == 1 ? 0 : (uint8_t)((i & 1) * DIM / 2); }
static uint8_t begin_v(uint32_t i) { return s.finer_n == 1 ? 0 : (uint8_t)((i >> 1) * DIM / 2); }

/* The planes of the rule. */
static void planes_make(void)
{
    static uint16_t layer[ADIT_PLANE_VOXELS];
    memset(s.coarser.plane, 0xee, sizeof s.coarser.plane);
    for (uint32_t i = 0; i < s.finer_n; i++) {
        uint8_t d = (uint8_t)s.finer[i].dim;
        layer_take(&s.coarser, s.face, layer);
        assert_int_equal(adit_lod_plane_from_coarser(&(struct adit_lod_border){ .from = layer, .to = s.finer[i].plane,
                             .width = d, .height = d, .u = begin_u(i), .v = begin_v(i) }), 0);
        layer_take(&s.finer[i], s.face ^ 1, layer);
        assert_int_equal(adit_lod_plane_from_finer(&(struct adit_lod_border){ .from = layer, .to = s.coarser.plane,
                             .width = d, .height = d, .u = begin_u(i), .v = begin_v(i) }, classes), 0);
    }
}

/* Meshes a volume with its plane towards face, or air, and notes what is covered on that side and the opposite one. */
static void volume_mesh(struct volume *v, uint32_t face, bool has_plane)
{
    struct adit_mesh_source source = { .voxels = v->voxels, .classes = classes, .flags = s.flags,
                                       .dim = { (uint8_t)v->dim, (uint8_t)v->dim, (uint8_t)v->dim } };
    struct adit_mesh_result result = { .quads = quads, .quads_max = ADIT_MESH_QUADS_MAX };
    source.plane[face] = has_plane ? v->plane : NULL;
    assert_int_equal(adit_mesh_kernel_best(NULL)(&source, &result), 0);
    memset(v->covered, 0, sizeof v->covered);
    for (uint32_t side = 0; side < 2; side++) {
        uint32_t f = (face & ~1u) | side;
        for (uint32_t i = result.start[f * ADIT_MESH_CLASSES]; i < result.start[(f + 1) * ADIT_MESH_CLASSES]; i++) {
            uint64_t q = quads[i];
            uint32_t at[3] = { adit_quad_x(q), adit_quad_y(q), adit_quad_z(q) };
            for (uint32_t b = 0; b < adit_quad_h(q); b++)
                for (uint32_t a = 0; a < adit_quad_w(q); a++)
                    v->covered[side][index_of(f, at[adit_face_axis(f)], at[adit_face_u(f)] + a, at[adit_face_v(f)] + b)] = 1;
        }
    }
}

static void scene_mesh(bool has_planes)
{
    volume_mesh(&s.coarser, s.face, has_planes);
    for (uint32_t i = 0; i < s.finer_n; i++)
        volume_mesh(&s.finer[i], s.face ^ 1, has_planes);
}

/* -- what is demanded ---------------------------------------------------------------------------------------------- */

/* Visibility, a second time: the face of a towards b. */
static bool is_visible(uint16_t a, uint16_t b)
{
    uint32_t class = classes[a] & 3, beyond = classes[b] & 3;
    if (class == ADIT_CLASS_AIR || beyond == ADIT_CLASS_OPAQUE)
        return false;
    if (beyond == ADIT_CLASS_AIR || class == ADIT_CLASS_OPAQUE)
        return true;
    return a == b ? class == ADIT_CLASS_CUTOUT : !(s.flags & ADIT_MESH_TT_NONE);
}

/* The place in the coarser volume that finer volume i's place u, v on the border touches. */
static uint32_t coarser_index(uint32_t i, uint32_t layer, uint32_t u, uint32_t v)
{
    return index_of(s.face, layer, begin_u(i) + u / 2, begin_v(i) + v / 2);
}

/* Area by area: the finer covers what is visible and no more; the coarser covers a whole face if any of its areas is visible,
 * and, unless faces between see-through materials are unwanted, only then. */
static void judge_border(void)
{
    uint32_t outer = s.face & 1 ? s.coarser.dim - 1 : 0;
    for (uint32_t i = 0; i < s.finer_n; i++) {
        const struct volume *f = &s.finer[i];
        uint32_t inner = s.face & 1 ? 0 : f->dim - 1;
        for (uint32_t v = 0; v < f->dim; v += 2) {
            for (uint32_t u = 0; u < f->dim; u += 2) {
                uint32_t at = coarser_index(i, outer, u, v);
                bool is_any = false, is_covered = s.coarser.covered[s.face & 1][at];
                for (uint32_t k = 0; k < 4; k++) {
                    uint32_t own = index_of(s.face, inner, u + (k & 1), v + (k >> 1));
                    is_any |= is_visible(s.coarser.voxels[at], f->voxels[own]);
                    assert_int_equal(f->covered[(s.face & 1) ^ 1][own], is_visible(f->voxels[own], s.coarser.voxels[at]));
                }
                assert_true(is_covered || !is_any);
                if (!(s.flags & ADIT_MESH_TT_NONE))
                    assert_true(is_any || !is_covered);
            }
        }
    }
}

/* How often a ray enters an opaque voxel from one that is not without meeting a face of it. */
static uint32_t holes_count(void)
{
    uint32_t holes = 0;
    for (uint32_t i = 0; i < s.finer_n; i++) {
        const struct volume *f = &s.finer[i];
        for (uint32_t v = 0; v < f->dim; v++) {
            for (uint32_t u = 0; u < f->dim; u++) {
                /* from the lowest layer up: going up enters by the low face of a voxel, going down by the high one */
                uint32_t low_n = s.face & 1 ? s.coarser.dim : f->dim, all = s.coarser.dim + f->dim, before_at = 0;
                const struct volume *before = NULL;
                bool was_opaque = false;
                for (uint32_t step = 0; step < all; step++) {
                    bool is_coarser = (step < low_n) == (s.face & 1);
                    uint32_t layer = step < low_n ? step : step - low_n;
                    const struct volume *now = is_coarser ? &s.coarser : f;
                    uint32_t at = is_coarser ? coarser_index(i, layer, u, v) : index_of(s.face, layer, u, v);
                    bool is_opaque = (classes[now->voxels[at]] & 3) == ADIT_CLASS_OPAQUE;
                    if (before && is_opaque && !was_opaque)
                        holes += !now->covered[0][at];
                    if (before && !is_opaque && was_opaque)
                        holes += !before->covered[1][before_at];
                    was_opaque = is_opaque;
                    before = now;
                    before_at = at;
                }
            }
        }
    }
    return holes;
}

/* -- scenes -------------------------------------------------------------------------------------------------------- */

static void volume_draw(struct volume *v, uint32_t dim, uint32_t materials)
{
    uint32_t air = draw(4) * 80, noise = draw(2) ? 1 : 1 + draw(30);
    v->dim = dim;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        if (i == 0 || draw(noise) == 0)
            v->voxels[i] = draw(256) < air ? 0 : (uint16_t)(1 + draw(materials));
        else
            v->voxels[i] = v->voxels[i - 1];
    if (draw(3) == 0) /* a wall of one material at both ends, with some holes */
        for (uint32_t j = 0; j < dim; j++)
            for (uint32_t k = 0; k < dim; k++)
                for (uint32_t layer = 0; layer < dim; layer += dim > 1 ? dim - 1 : 1)
                    if (draw(16))
                        v->voxels[index_of(s.face, layer, j, k)] = 3;
}

static void scene_draw(uint32_t round)
{
    uint32_t materials = draw(3) ? MATERIALS - 1 : 1 + draw(3);
    s.face = round % ADIT_FACES;
    s.finer_n = draw(2) ? 1 : FINER_MAX;
    s.flags = (uint8_t)(draw(4) == 0 ? ADIT_MESH_TT_NONE : 0) | (uint8_t)(draw(4) == 0 ? ADIT_MESH_CULLED : 0);
    uint32_t dim = s.finer_n == 1 ? 2u << draw(6) : DIM;
    volume_draw(&s.coarser, s.finer_n == 1 ? dim / 2 : DIM, materials);
    for (uint32_t i = 0; i < s.finer_n; i++)
        volume_draw(&s.finer[i], dim, materials);
}

static void random_volumes_meet_without_a_hole(void **state)
{
    (void)state;
    classes_make();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        rng_state = seed * 1000003 + round;
        scene_draw(round);
        planes_make();
        scene_mesh(true);
        judge_border();
        assert_int_equal(holes_count(), 0);
    }
}

static void planes_of_air_are_right_towards_everybody(void **state)
{
    (void)state;
    classes_make();
    for (uint32_t round = 0; round < ADIT_FACES; round++) {
        rng_state = seed * 3000017 + round;
        scene_draw(round);
        scene_mesh(false);
        assert_int_equal(holes_count(), 0);
    }
}

/* Eight chunks of terrain halved into one, beside four that are not, on each side of it along x and z. */
static void terrain_make(void)
{
    static uint16_t chunk[ADIT_CHUNK_VOXELS];
    const struct adit_generator *world = adit_generator_named("terrain");
    memset(classes, ADIT_CLASS_AIR, sizeof classes);
    for (uint32_t i = 0; i < world->materials_n; i++)
        classes[i] = (uint8_t)world->materials[i].material_class;
    s.finer_n = FINER_MAX;
    s.flags = 0;
    s.coarser.dim = DIM;
    for (uint32_t i = 0; i < 8; i++) {
        adit_generate(world, seed, (int32_t)(i & 1), (int32_t)(i >> 1 & 1), (int32_t)(i >> 2), chunk);
        assert_int_equal(adit_lod_kernel_best(NULL)(&(struct adit_lod_halving){ .from = chunk, .dim = { DIM, DIM, DIM },
                             .to = s.coarser.voxels + adit_lod_octant(i) }), 0);
    }
    for (uint32_t i = 0; i < FINER_MAX; i++) {
        int32_t key[3];
        key[adit_face_axis(s.face)] = s.face & 1 ? 2 : -1;
        key[adit_face_u(s.face)] = (int32_t)(i & 1);
        key[adit_face_v(s.face)] = (int32_t)(i >> 1);
        s.finer[i].dim = DIM;
        adit_generate(world, seed, key[0], key[1], key[2], s.finer[i].voxels);
    }
}

static void levels_of_terrain_meet_without_a_hole(void **state)
{
    static const uint32_t faces[] = { ADIT_FACE_NX, ADIT_FACE_PX, ADIT_FACE_NZ, ADIT_FACE_PZ };
    (void)state;
    for (int i = 0; i < 4; i++) {
        s.face = faces[i];
        terrain_make();
        planes_make();
        scene_mesh(true);
        judge_border();
        assert_int_equal(holes_count(), 0);
    }
}

/* The control: with the neighbour's halved layer for a plane, as one would first think of it, the rays find holes. */
static void the_halved_neighbour_as_a_plane_would_leave_holes(void **state)
{
    static uint16_t halved[ADIT_CHUNK_VOXELS];
    (void)state;
    s.face = ADIT_FACE_PX;
    terrain_make();
    planes_make();
    for (uint32_t i = 0; i < FINER_MAX; i++) {
        assert_int_equal(adit_lod_kernel_best(NULL)(&(struct adit_lod_halving){ .from = s.finer[i].voxels, .to = halved,
                                                                                .dim = { DIM, DIM, DIM } }), 0);
        for (uint32_t v = 0; v < DIM / 2; v++)
            for (uint32_t u = 0; u < DIM / 2; u++)
                s.coarser.plane[(begin_v(i) + v) * DIM + begin_u(i) + u] = halved[index_of(s.face, 0, u, v)];
    }
    scene_mesh(true);
    assert_true(holes_count() > 0);
}

/* -- the edges of the interface ------------------------------------------------------------------------------------ */

static void what_does_not_fit_is_refused_and_nothing_else_is_written(void **state)
{
    static uint16_t from[ADIT_PLANE_VOXELS], to[ADIT_PLANE_VOXELS];
    static const struct adit_lod_border good = { .from = from, .to = to, .width = 64, .height = 64, .u = 32, .v = 32 };
    (void)state;
    classes_make();
    struct adit_lod_border bad[7];
    for (int i = 0; i < 7; i++)
        bad[i] = good;
    bad[0].to = NULL;
    bad[1].width = 0, bad[2].height = 0;
    bad[3].width = 65, bad[4].height = 65;
    bad[5].u = 33, bad[6].v = 33;
    memset(to, 0xee, sizeof to);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(adit_lod_plane_from_coarser(&bad[i]), -EINVAL);
        assert_int_equal(adit_lod_plane_from_finer(&bad[i], classes), -EINVAL);
    }
    assert_int_equal(adit_lod_plane_from_finer(&good, NULL), -EINVAL);
    for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
        assert_int_equal(to[i], 0xeeee);
}

/* Borders of odd lengths: half of the last cell is missing, so air; and all of the rest of the plane stays as it was. */
static void odd_borders_end_in_air(void **state)
{
    static uint16_t from[ADIT_PLANE_VOXELS], to[ADIT_PLANE_VOXELS];
    (void)state;
    classes_make();
    for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
        from[i] = 1;
    struct adit_lod_border b = { .from = from, .to = to, .width = 5, .height = 3, .u = 7, .v = 11 };
    memset(to, 0xee, sizeof to);
    assert_int_equal(adit_lod_plane_from_finer(&b, classes), 0);
    for (uint32_t v = 0; v < DIM; v++)
        for (uint32_t u = 0; u < DIM; u++) {
            bool is_inside = u >= 7 && u < 10 && v >= 11 && v < 13;
            assert_int_equal(to[v * DIM + u], !is_inside ? 0xeeee : u < 9 && v < 12 ? 1 : 0);
        }
    memset(to, 0xee, sizeof to);
    from[12 * DIM + 9] = 2;
    assert_int_equal(adit_lod_plane_from_coarser(&b), 0);
    for (uint32_t v = 0; v < DIM; v++)
        for (uint32_t u = 0; u < DIM; u++)
            assert_int_equal(to[v * DIM + u], u >= 5 || v >= 3 ? 0xeeee : u == 4 && v == 2 ? 2 : 1);
    b.from = NULL; /* air */
    assert_int_equal(adit_lod_plane_from_coarser(&b), 0);
    assert_int_equal(to[0], 0);
    to[11 * DIM + 7] = 1;
    assert_int_equal(adit_lod_plane_from_finer(&b, classes), 0);
    assert_int_equal(to[11 * DIM + 7], 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_volumes_meet_without_a_hole),
        cmocka_unit_test(planes_of_air_are_right_towards_everybody),
        cmocka_unit_test(levels_of_terrain_meet_without_a_hole),
        cmocka_unit_test(the_halved_neighbour_as_a_plane_would_leave_holes),
        cmocka_unit_test(what_does_not_fit_is_refused_and_nothing_else_is_written),
        cmocka_unit_test(odd_borders_end_in_air),
    };
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    printf("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
