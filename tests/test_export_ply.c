/* test_export_ply.c - PLY files read back: the header's promises, the faces, the colours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/export_world.h"
#include "tools/exports/export.h"

static char path[512];

/* The header's lines are the whole header, in this order, with the counts in place. Returns its size. */
static size_t check_header(const char *text, const char *number, unsigned long long quads)
{
    char header[1024];
    int n = snprintf(header, sizeof header,
                     "ply\nformat binary_little_endian 1.0\ncomment made by adit, one unit a voxel, y up\n"
                     "element vertex %llu\nproperty %s x\nproperty %s y\nproperty %s z\nproperty uchar red\n"
                     "property uchar green\nproperty uchar blue\nproperty uchar alpha\nelement face %llu\n"
                     "property list uchar int vertex_indices\nend_header\n",
                     quads * 4, number, number, number, quads);
    assert_memory_equal(text, header, (size_t)n);
    return (size_t)n;
}

static void faces_cover_what_is_visible_in_their_colours(void **state)
{
    static const char *const kinds[] = {"terrain", "glass", "noise50m3"};
    (void)state;
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct export_world world;
        char error[256];
        size_t bytes;
        export_world_make(&world, kinds[i], (uint32_t[]){65, 40, 30}, 31 + i);
        assert_int_equal(adit_export_write(path, &world.scene, error, sizeof error), 0);
        char *text = export_world_read(path, &bytes);
        uint64_t quads = adit_scene_quads(&world.scene);
        const char *vertices = text + check_header(text, "float", quads), *faces = vertices + quads * 4 * 16;
        assert_int_equal(faces + quads * 17 - text, bytes);
        for (uint64_t q = 0; q < quads; q++) {
            uint8_t color[4];
            uint32_t material = 0;
            double corners[4][3];
            assert_int_equal(faces[q * 17], 4);
            for (uint32_t k = 0; k < 4; k++) {
                int32_t index;
                float at[3];
                memcpy(&index, faces + q * 17 + 1 + k * 4, sizeof index);
                assert_true(index >= 0 && (uint64_t)index < quads * 4);
                memcpy(at, vertices + (size_t)index * 16, sizeof at);
                memcpy(color, vertices + (size_t)index * 16 + 12, sizeof color);
                for (uint32_t axis = 0; axis < 3; axis++)
                    corners[k][axis] = (double)at[axis];
            }
            uint32_t rgba = (uint32_t)color[0] << 24 | (uint32_t)color[1] << 16 | (uint32_t)color[2] << 8 | color[3];
            while (material < EXPORT_WORLD_MATERIALS - 1 && world.materials[material].rgba != rgba)
                material++;
            export_world_cover(&world, (const double(*)[3])corners, material);
        }
        assert_int_equal(export_world_wrong(&world), 0);
        free(text);
        export_world_free(&world);
    }
}

/* Linear light of an sRGB byte above the darkest ones. */
static double linear_of(uint8_t srgb) { return pow((srgb / 255.0 + 0.055) / 1.055, 2.4); }

/* Two quads of which one has ambient occlusion; where the scene is to conform a corner of the other halves its edge, and gets what lies
 * between. (tried: the light of the quad's first corner for all) */
static void ambient_occlusion_darkens_colours_also_between_corners(void **state)
{
    const struct adit_scene_material materials[2] = {{0}, {.rgba = 0x80c0ff40, .class = ADIT_CLASS_OPAQUE}};
    const uint64_t quads[2] = {adit_quad_pack(0, 0, 0, 4, 2, 1, 0 | 3 << 2 | 1 << 4 | 2 << 6), adit_quad_pack(0, 0, 2, 2, 1, 1, ADIT_QUAD_AO_OPEN)};
    struct adit_scene_mesh mesh = {.quads = quads};
    struct adit_scene scene = {.meshes = &mesh, .meshes_count = 1, .materials = materials, .materials_count = 2};
    (void)state;
    for (uint32_t r = ADIT_FACE_PY * ADIT_MESH_CLASSES + 1; r <= ADIT_MESH_RANGES; r++)
        mesh.start[r] = 2;
    for (int conforming = 0; conforming < 2; conforming++) {
        char error[256];
        size_t bytes, n = conforming ? 9 : 8, between = 0;
        scene.form.conforming = conforming;
        assert_int_equal(adit_export_write(path, &scene, error, sizeof error), 0);
        char *text = export_world_read(path, &bytes), *vertex = strstr(text, "end_header\n") + 11;
        for (size_t i = 0; i < n; i++, vertex += 16) {
            float at[3];
            uint8_t color[4];
            memcpy(at, vertex, sizeof at);
            memcpy(color, vertex + 12, sizeof color);
            double ao = i >= n - 4 ? 3 : at[2] < 2 ? 0.75 * (double)at[0] : 1 + 0.25 * (double)at[0];
            between += i < n - 4 && at[0] == 2;
            for (uint32_t k = 0; k < 3; k++)
                assert_true(fabs(linear_of(color[k]) - (0.4 + 0.2 * ao) * linear_of((uint8_t)(0x80c0ffu >> (16 - 8 * k)))) < 0.005);
            assert_int_equal(color[3], 0x40);
        }
        assert_int_equal(between, conforming);
        free(text);
    }
}

static void positions_that_floats_cannot_hold_are_doubles(void **state)
{
    uint64_t quad = adit_quad_pack(0, 0, 0, 1, 1, 1, ADIT_QUAD_AO_OPEN);
    struct adit_scene_mesh mesh = {.x = 2000000000, .quads = &quad};
    struct adit_scene scene = {.meshes = &mesh, .meshes_count = 1};
    char error[256];
    size_t bytes;
    double x;
    (void)state;
    for (uint32_t r = 1; r <= ADIT_MESH_RANGES; r++)
        mesh.start[r] = 1;
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), 0);
    char *text = export_world_read(path, &bytes);
    memcpy(&x, text + check_header(text, "double", 1), sizeof x);
    assert_true(x == 128000000000.0);
    free(text);
}

static void more_vertices_than_an_int_numbers_are_refused(void **state)
{
    static const uint64_t quad;
    struct adit_scene_mesh mesh = {.quads = &quad};
    struct adit_scene scene = {.meshes = &mesh, .meshes_count = 1};
    char error[256];
    (void)state;
    for (uint32_t r = 1; r <= ADIT_MESH_RANGES; r++)
        mesh.start[r] = 536870912;
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), -EFBIG);
    assert_non_null(strstr(error, "PLY numbers at most 2147483647 vertices and this world has 2147483648"));
}

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/world.ply", export_world_folder());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    export_world_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faces_cover_what_is_visible_in_their_colours),
        cmocka_unit_test(ambient_occlusion_darkens_colours_also_between_corners),
        cmocka_unit_test(positions_that_floats_cannot_hold_are_doubles),
        cmocka_unit_test(more_vertices_than_an_int_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
