/* test_meshlet.c - meshlets hold every quad once with exact bounds, and no command is missing that a viewer needs.
 *
 * Everything is judged quad by quad: which unit planes a quad spans, and which viewers it faces, follow from quad.h alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/meshlet.h"
#include "tests/fenced.h"
#include "tests/mesh_maker.h"

enum { ALL_RANGES = (1 << ADIT_MESH_RANGES) - 1 };

static const struct mesh_traits traits[] = {
    { .layers_of_64 = 64, .quads_max = 1, .materials = 3, .ranges = ALL_RANGES }, /* 64 quads a range, each in its layer */
    { .layers_of_64 = 30, .quads_max = 12, .materials = 3, .ranges = ALL_RANGES },
    { .layers_of_64 = 2, .quads_max = 300, .materials = 3, .ranges = 0x2a0f1 },
    { .layers_of_64 = 0, .quads_max = 1, .materials = 1, .ranges = ALL_RANGES },
};

struct scene {
    struct adit_mesh_result mesh;
    struct adit_meshlet *meshlets;
    uint32_t n;
};

static struct scene scene_of(int which, uint64_t seed)
{
    struct scene s;
    if (which < 4)
        mesh_of_chance(seed, &traits[which], &s.mesh);
    else
        mesh_of_kind(which == 4 ? "terrain" : "glass", true, 0, &s.mesh);
    s.n = adit_meshlet_count(s.mesh.start);
    s.meshlets = fenced_alloc(s.n * sizeof *s.meshlets);
    assert_int_equal(adit_meshlet_cut(s.mesh.quads, s.mesh.start, s.meshlets), s.n);
    return s;
}
enum { SCENES = 6 };

static void scene_free(struct scene *s)
{
    fenced_free(s->meshlets, s->n * sizeof *s->meshlets);
    mesh_free(&s->mesh);
}

static uint32_t range_of(const struct adit_mesh_result *mesh, uint32_t quad)
{
    uint32_t r = 0;
    while (mesh->start[r + 1] <= quad)
        r++;
    return r;
}

/* The box of a quad's rectangle: flat along the axis. */
static void box_of(uint64_t quad, uint32_t face, uint32_t lo[3], uint32_t hi[3])
{
    uint32_t at[3] = { adit_quad_x(quad), adit_quad_y(quad), adit_quad_z(quad) };
    for (uint32_t a = 0; a < 3; a++) {
        if (a == adit_face_axis(face))
            lo[a] = hi[a] = at[a] + (face & 1);
        else
            lo[a] = at[a], hi[a] = at[a] + (a == adit_face_u(face) ? adit_quad_w(quad) : adit_quad_h(quad));
    }
}

/* (tried: 65 quads a meshlet; meshlets across the end of a range) */
static void every_quad_is_in_exactly_one_meshlet(void **state)
{
    (void)state;
    for (int which = 0; which < SCENES; which++) {
        struct scene s = scene_of(which, 5);
        uint32_t next = 0;
        for (uint32_t m = 0; m < s.n; m++) {
            const struct adit_meshlet *meshlet = &s.meshlets[m];
            assert_int_equal(meshlet->first, next);
            assert_in_range(meshlet->count, 1, 64);
            assert_int_equal(meshlet->range, range_of(&s.mesh, next));
            next += meshlet->count;
            assert_int_equal(meshlet->range, range_of(&s.mesh, next - 1));
            if (meshlet->count < 64) /* only the last of a range is not full */
                assert_int_equal(next, s.mesh.start[meshlet->range + 1u]);
        }
        assert_int_equal(next, s.mesh.start[ADIT_MESH_RANGES]);
        scene_free(&s);
    }
}

/* (tried: w for h, and u for v, in bound(); the plane of a + face left at its voxel; the last layer taken for the first) */
static void bounds_are_the_least_box(void **state)
{
    (void)state;
    for (int which = 0; which < SCENES; which++) {
        struct scene s = scene_of(which, 6);
        for (uint32_t m = 0; m < s.n; m++) {
            uint32_t least[3] = { 99, 99, 99 }, most[3] = { 0 }, lo[3], hi[3];
            for (uint32_t i = 0; i < s.meshlets[m].count; i++) {
                box_of(s.mesh.quads[s.meshlets[m].first + i], s.meshlets[m].range / ADIT_MESH_CLASSES, lo, hi);
                for (int a = 0; a < 3; a++) {
                    least[a] = lo[a] < least[a] ? lo[a] : least[a];
                    most[a] = hi[a] > most[a] ? hi[a] : most[a];
                }
            }
            for (int a = 0; a < 3; a++) {
                assert_int_equal(s.meshlets[m].lo[a], least[a]);
                assert_int_equal(s.meshlets[m].hi[a], most[a]);
            }
        }
        scene_free(&s);
    }
}

/* -- commands ------------------------------------------------------------------------------------------------------ */

static bool is_front_seen(uint64_t quad, uint32_t face, const float viewer[3])
{
    uint32_t lo[3], hi[3], axis = adit_face_axis(face);
    box_of(quad, face, lo, hi);
    return face & 1 ? viewer[axis] > (float)lo[axis] : viewer[axis] < (float)lo[axis];
}

/* Marks the quads that a command draws, each at most once, of the range it names. */
static void mark(const struct scene *s, const struct adit_draw_params *params, uint32_t first, uint32_t count, uint32_t first_instance,
                 uint8_t *drawn)
{
    uint32_t limit = params->quads_max ? params->quads_max : UINT32_MAX, range = first_instance & 31;
    assert_in_range(count, 1, limit);
    assert_int_equal(first_instance >> 5, params->chunk);
    assert_true(first >= params->quad_base && first - params->quad_base + count <= s->mesh.start[ADIT_MESH_RANGES]);
    for (uint32_t i = first - params->quad_base; count; count--, i++) {
        assert_int_equal(range_of(&s->mesh, i), range);
        assert_int_equal(drawn[i], 0);
        drawn[i] = 1;
    }
}

/* Both kinds of commands draw what is facing, meshlet by meshlet, and nothing of other ranges. Returns how many commands. */
static uint32_t judge(const struct scene *s, const struct adit_draw_params *params)
{
    uint32_t n = adit_draw_commands(s->meshlets, s->n, params, NULL, 0), ranges = params->ranges ? params->ranges : ALL_RANGES;
    assert_true(n <= s->n);
    assert_int_equal(adit_draw_indexed_commands(s->meshlets, s->n, params, NULL, 0), n);
    struct adit_draw_command *commands = fenced_alloc(n * sizeof *commands);
    struct adit_draw_indexed_command *indexed = fenced_alloc(n * sizeof *indexed);
    uint8_t *drawn = calloc(s->mesh.start[ADIT_MESH_RANGES] + 1, 1), *again = calloc(s->mesh.start[ADIT_MESH_RANGES] + 1, 1);
    assert_true(drawn && again);
    assert_int_equal(adit_draw_commands(s->meshlets, s->n, params, commands, n), n);
    assert_int_equal(adit_draw_indexed_commands(s->meshlets, s->n, params, indexed, n), n);
    for (uint32_t c = 0; c < n; c++) {
        assert_true(commands[c].instance_count == 1 && indexed[c].instance_count == 1 && indexed[c].first_index == 0);
        assert_true(commands[c].vertex_count % 6 == 0 && commands[c].first_vertex % 6 == 0);
        assert_true(indexed[c].index_count % 6 == 0 && indexed[c].vertex_offset % 4 == 0);
        mark(s, params, commands[c].first_vertex / 6, commands[c].vertex_count / 6, commands[c].first_instance, drawn);
        mark(s, params, (uint32_t)indexed[c].vertex_offset / 4, indexed[c].index_count / 6, indexed[c].first_instance, again);
    }
    assert_memory_equal(drawn, again, s->mesh.start[ADIT_MESH_RANGES] + 1);
    for (uint32_t m = 0; m < s->n; m++) {
        const struct adit_meshlet *meshlet = &s->meshlets[m];
        bool is_seen = false;
        for (uint32_t i = 0; i < meshlet->count; i++)
            is_seen |= !params->viewer || is_front_seen(s->mesh.quads[meshlet->first + i], meshlet->range / ADIT_MESH_CLASSES, params->viewer);
        for (uint32_t i = 0; i < meshlet->count; i++)
            assert_int_equal(drawn[meshlet->first + i], is_seen && ranges >> meshlet->range & 1);
    }
    fenced_free(commands, n * sizeof *commands);
    fenced_free(indexed, n * sizeof *indexed);
    free(drawn);
    free(again);
    return n;
}

/* (tried: lo and hi exchanged in adit_meshlet_is_facing; <= for <; commands across ranges; quads_max ignored) */
static void commands_draw_all_that_faces_the_viewer_and_no_meshlet_else(void **state)
{
    (void)state;
    uint64_t rng = 3;
    for (int which = 0; which < SCENES - 1; which++) {
        struct scene s = scene_of(which, 7);
        for (int round = 0; round < 60; round++) {
            float viewer[3];
            for (int a = 0; a < 3; a++) /* on planes, between them, far outside */
                viewer[a] = (float)fenced_draw(&rng, 66) - 1 + (round % 3 == 0 ? 0 : round % 3 == 1 ? 0.5f : ((float)fenced_draw(&rng, 3) - 1) * 1e6f);
            struct adit_draw_params params = { .viewer = viewer, .chunk = fenced_draw(&rng, 1 << 27), .quad_base = fenced_draw(&rng, 1000000),
                                               .ranges = round % 4 ? fenced_draw(&rng, 1 << 18) : 0,
                                               .quads_max = round & 1 ? 64 + fenced_draw(&rng, 200) : 0 };
            uint32_t n = judge(&s, &params);
            if (!params.quads_max)
                assert_in_range(n, 0, 18); /* what is seen of a range is one piece */
        }
        scene_free(&s);
    }
}

static void without_a_viewer_or_with_one_that_is_nowhere_all_is_drawn(void **state)
{
    (void)state;
    float nowhere[3] = { NAN, NAN, NAN };
    struct scene s = scene_of(4, 0);
    for (int i = 0; i < 2; i++) {
        struct adit_draw_params params = { .viewer = i ? nowhere : NULL, .ranges = i ? ADIT_DRAW_ALL : 0 };
        uint32_t quads = 0, n = adit_draw_commands(s.meshlets, s.n, &params, NULL, 0);
        struct adit_draw_command commands[18];
        assert_in_range(n, 1, 18);
        adit_draw_commands(s.meshlets, s.n, &params, commands, 18);
        for (uint32_t c = 0; c < n; c++)
            quads += commands[c].vertex_count / 6;
        assert_int_equal(quads, s.mesh.start[ADIT_MESH_RANGES]);
    }
    scene_free(&s);
}

/* A renderer that has culled by the boxes hands on what is left: gaps are not drawn. (tried: spans joined over gaps) */
static void a_selection_of_meshlets_is_drawn_without_what_was_left_out(void **state)
{
    (void)state;
    struct scene s = scene_of(2, 9);
    struct adit_draw_command commands[64];
    struct adit_meshlet left[64];
    uint32_t n = 0, quads = 0;
    for (uint32_t m = 0; m < s.n && n < 64; m++)
        if (m % 3 != 1)
            quads += (left[n++] = s.meshlets[m]).count;
    uint32_t commands_n = adit_draw_commands(left, n, &(struct adit_draw_params){ 0 }, commands, 64);
    assert_in_range(commands_n, n / 3, n - 1);
    for (uint32_t c = 0, m = 0; c < commands_n; c++) {
        uint32_t end = (commands[c].first_vertex + commands[c].vertex_count) / 6;
        assert_int_equal(commands[c].first_vertex / 6, left[m].first);
        while (m < n && left[m].first < end)
            quads -= left[m++].count, commands[c].vertex_count -= 6u * left[m - 1].count;
        assert_int_equal(commands[c].vertex_count, 0);
    }
    assert_int_equal(quads, 0);
    scene_free(&s);
}

static void sets_of_ranges_are_what_they_are_called(void **state)
{
    (void)state;
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        for (uint32_t class = ADIT_CLASS_OPAQUE; class <= ADIT_CLASS_CUTOUT; class++) {
            uint32_t bit = 1u << (face * ADIT_MESH_CLASSES + class - 1);
            assert_int_equal(!!(ADIT_DRAW_OPAQUE & bit), class == ADIT_CLASS_OPAQUE);
            assert_int_equal(!!(ADIT_DRAW_TRANSLUCENT & bit), class == ADIT_CLASS_TRANSLUCENT);
            assert_int_equal(!!(ADIT_DRAW_CUTOUT & bit), class == ADIT_CLASS_CUTOUT);
            assert_true(ADIT_DRAW_ALL & bit && ADIT_DRAW_FACE(face) & bit && !(ADIT_DRAW_FACE((face + 1) % ADIT_FACES) & bit));
        }
    }
}

static void too_little_room_takes_the_first_commands(void **state)
{
    (void)state;
    struct scene s = scene_of(1, 8);
    struct adit_draw_params params = { .quads_max = 64 };
    uint32_t n = adit_draw_commands(s.meshlets, s.n, &params, NULL, 0);
    struct adit_draw_command *all = fenced_alloc(n * sizeof *all), *few = fenced_alloc(5 * sizeof *few);
    struct adit_draw_indexed_command *few_indexed = fenced_alloc(5 * sizeof *few_indexed);
    assert_true(n > 18);
    adit_draw_commands(s.meshlets, s.n, &params, all, n);
    assert_int_equal(adit_draw_commands(s.meshlets, s.n, &params, few, 5), n);
    assert_int_equal(adit_draw_indexed_commands(s.meshlets, s.n, &params, few_indexed, 5), n);
    assert_memory_equal(all, few, 5 * sizeof *few);
    for (int i = 0; i < 5; i++)
        assert_int_equal(few_indexed[i].index_count, few[i].vertex_count);
    fenced_free(all, n * sizeof *all);
    fenced_free(few, 5 * sizeof *few);
    fenced_free(few_indexed, 5 * sizeof *few_indexed);
    scene_free(&s);
}

static void the_index_buffer_reaches_as_far_as_16_bits_do(void **state)
{
    (void)state;
    uint32_t quads_n = 16384;
    uint16_t *indices = fenced_alloc(quads_n * 6 * sizeof *indices);
    adit_meshlet_indices(indices, quads_n);
    for (uint32_t q = 0; q < quads_n; q++) {
        uint32_t want[6] = { 0, 1, 2, 2, 1, 3 };
        for (int i = 0; i < 6; i++)
            assert_int_equal(indices[q * 6 + (uint32_t)i], q * 4 + want[i]);
    }
    fenced_free(indices, quads_n * 6 * sizeof *indices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quad_is_in_exactly_one_meshlet),
        cmocka_unit_test(bounds_are_the_least_box),
        cmocka_unit_test(commands_draw_all_that_faces_the_viewer_and_no_meshlet_else),
        cmocka_unit_test(without_a_viewer_or_with_one_that_is_nowhere_all_is_drawn),
        cmocka_unit_test(a_selection_of_meshlets_is_drawn_without_what_was_left_out),
        cmocka_unit_test(sets_of_ranges_are_what_they_are_called),
        cmocka_unit_test(too_little_room_takes_the_first_commands),
        cmocka_unit_test(the_index_buffer_reaches_as_far_as_16_bits_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
