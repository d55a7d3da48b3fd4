/* test_export_text.c - OBJ and quads files: read back here, and judged by voxoracle where it is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/export_world.h"
#include "tools/exports/export.h"

#define ORACLE "../shared/oracle/voxoracle.c"
#define ORACLE_CLASSES "t:4;c:7"

static const char *const kinds[] = {"terrain", "glass", "noise50m3", "mats", "checker"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void path_of(char path[512], const char *name)
{
    snprintf(path, 512, "%s/%s", export_world_folder(), name);
}

static void export_to(const struct export_world *world, const char *path)
{
    char error[256];
    if (adit_export_write(path, &world->scene, error, sizeof error))
        fail_msg("%s", error);
}

/* Runs the oracle on an exported file; true if there is none. */
static bool oracle_passes(const struct export_world *world, const char *option, const char *path)
{
    char oracle[512], volume[512], command[4096];
    if (access(ORACLE, R_OK))
        return true;
    path_of(oracle, "voxoracle");
    path_of(volume, "volume.raw");
    if (access(oracle, X_OK)) {
        snprintf(command, sizeof command, "cc -O2 -std=c11 -w -o %s %s", oracle, ORACLE);
        assert_int_equal(system(command), 0);
    }
    FILE *file = fopen(volume, "wb");
    size_t bytes = (size_t)world->dim[0] * world->dim[1] * world->dim[2];
    assert_non_null(file);
    assert_int_equal(fwrite(world->volume, 1, bytes, file), bytes);
    fclose(file);
    snprintf(command, sizeof command, "%s check --vol %s --dim %u,%u,%u --class '" ORACLE_CLASSES "' %s %s >%s.verdict", oracle,
             volume, world->dim[0], world->dim[1], world->dim[2], option, path, volume);
    int status = system(command);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- OBJ */

/* The six numbers `a//n` of a face line give; its normal must be that of its winding, which the ledger knows. */
static void take_face(struct export_world *world, const char *line, const double (*vertices)[3], uint64_t count,
                      const double normals[6][3], uint32_t material)
{
    unsigned long long v[4];
    unsigned n[4];
    double corners[4][3];
    assert_int_equal(sscanf(line, "f %llu//%u %llu//%u %llu//%u %llu//%u", &v[0], &n[0], &v[1], &n[1], &v[2], &n[2], &v[3],
                            &n[3]), 8);
    for (int k = 0; k < 4; k++) {
        assert_true(v[k] >= 1 && v[k] <= count && n[k] >= 1 && n[k] <= 6 && n[k] == n[0]);
        memcpy(corners[k], vertices[v[k] - 1], sizeof corners[k]);
    }
    for (int axis = 0; axis < 3; axis++) {
        int b = (axis + 1) % 3, c = (axis + 2) % 3;
        double cross = (corners[1][b] - corners[0][b]) * (corners[2][c] - corners[0][c]) -
                       (corners[1][c] - corners[0][c]) * (corners[2][b] - corners[0][b]);
        double sign = cross > 0 ? 1 : cross < 0 ? -1 : 0;
        assert_true(sign == normals[n[0] - 1][axis]);
    }
    export_world_cover(world, (const double(*)[3])corners, material);
}

/* Returns the faces of an OBJ text whose rectangles went into the ledger. */
static uint64_t take_obj(struct export_world *world, char *text)
{
    uint64_t vertices_count = 0, normals_count = 0, faces = 0;
    double (*vertices)[3] = malloc((strlen(text) / 8 + 1) * sizeof *vertices), normals[6][3];
    uint32_t material = 0;
    assert_non_null(vertices);
    for (char *next, *line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
        if (!strncmp(line, "v ", 2)) {
            double *v = vertices[vertices_count++];
            assert_int_equal(sscanf(line, "v %lf %lf %lf", &v[0], &v[1], &v[2]), 3);
        } else if (!strncmp(line, "vn ", 3)) {
            double *v = normals[normals_count++];
            assert_true(normals_count <= 6);
            assert_int_equal(sscanf(line, "vn %lf %lf %lf", &v[0], &v[1], &v[2]), 3);
        } else if (!strncmp(line, "usemtl m", 8)) {
            material = (uint32_t)atoi(line + 8);
        } else if (line[0] == 'f') {
            take_face(world, line, (const double(*)[3])vertices, vertices_count, (const double(*)[3])normals, material);
            faces++;
        } else {
            assert_true(line[0] == '#' || line[0] == 'o' || !strncmp(line, "mtllib ", 7));
        }
    }
    free(vertices);
    return faces;
}

static void obj_faces_cover_what_is_visible(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < KINDS; i++) {
        struct export_world world;
        char path[512];
        size_t bytes;
        export_world_make(&world, kinds[i], (uint32_t[]){66, 40, 30}, 11 + i);
        path_of(path, "world.obj");
        export_to(&world, path);
        char *text = export_world_read(path, &bytes);
        assert_non_null(strstr(text, "\nmtllib world.mtl\n"));
        assert_int_equal(take_obj(&world, text), adit_scene_quads(&world.scene));
        assert_int_equal(export_world_wrong(&world), 0);
        assert_true(oracle_passes(&world, "--obj", path));
        free(text);
        export_world_free(&world);
    }
}

static void the_mtl_names_every_material_used_and_no_line_of_it_comes_from_a_name(void **state)
{
    struct export_world world;
    char path[512];
    size_t bytes;
    (void)state;
    export_world_make(&world, "glass", (uint32_t[]){20, 20, 20}, 3);
    world.materials[1].name = "evil\nnewmtl m9\r\nKd 9 9 9";
    world.materials[4].name = NULL;
    path_of(path, "named.obj");
    export_to(&world, path);
    path_of(path, "named.mtl");
    char *text = export_world_read(path, &bytes);
    assert_non_null(strstr(text, "\n# evilnewmtl m9Kd 9 9 9\nnewmtl m1\n"));
    assert_non_null(strstr(text, "\n# without a name\nnewmtl m4\n"));
    assert_non_null(strstr(text, "\nnewmtl m7\n"));
    assert_null(strstr(text, "\nnewmtl m2\n")); /* glass has 1, 4 and 7 */
    char color[64], *water = strstr(text, "newmtl m4\n");
    uint32_t rgba = world.materials[4].rgba;
    snprintf(color, sizeof color, "newmtl m4\nKd %.6f %.6f %.6f\n", (rgba >> 24) / 255.0, (rgba >> 16 & 255) / 255.0,
             (rgba >> 8 & 255) / 255.0);
    assert_memory_equal(water, color, strlen(color));
    assert_non_null(strstr(water, "\nd 0.439216\n"));
    free(text);
    export_world_free(&world);
}

/* ---- quads */

/* A line `face x y z w h material a b c d` as corners, counter-clockwise seen from outside. */
static void take_quad(struct export_world *world, const char *line)
{
    static const int u_axis[6] = {1, 1, 0, 0, 0, 0}, v_axis[6] = {2, 2, 2, 2, 1, 1};
    int q[11];
    double corners[4][3];
    assert_int_equal(sscanf(line, "%d %d %d %d %d %d %d %d %d %d %d", &q[0], &q[1], &q[2], &q[3], &q[4], &q[5], &q[6], &q[7],
                            &q[8], &q[9], &q[10]), 11);
    assert_true(q[0] >= 0 && q[0] < 6 && q[4] > 0 && q[5] > 0);
    assert_true(q[7] == 3 && q[8] == 3 && q[9] == 3 && q[10] == 3);
    int axis = q[0] / 2, u = u_axis[q[0]], v = v_axis[q[0]];
    int forward = (u + 1) % 3 == v ? q[0] & 1 : !(q[0] & 1); /* is u, v, outward right-handed? */
    for (int k = 0; k < 4; k++) {
        int at_u = k == 1 || k == 2, at_v = k >= 2;
        double *corner = corners[forward ? k : 3 - k];
        for (int i = 0; i < 3; i++)
            corner[i] = q[1 + i];
        corner[axis] += q[0] & 1;
        corner[u] += at_u ? q[4] : 0;
        corner[v] += at_v ? q[5] : 0;
    }
    export_world_cover(world, (const double(*)[3])corners, (uint32_t)q[6]);
}

static void quad_lines_cover_what_is_visible(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < KINDS; i++) {
        struct export_world world;
        char path[512];
        size_t bytes;
        uint64_t lines = 0;
        export_world_make(&world, kinds[i], (uint32_t[]){66, 40, 30}, 21 + i);
        path_of(path, "world.quads");
        export_to(&world, path);
        char *text = export_world_read(path, &bytes);
        assert_int_equal(text[0], '#');
        for (char *next, *line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
            if (line[0] == '#')
                continue;
            take_quad(&world, line);
            lines++;
        }
        assert_int_equal(lines, adit_scene_quads(&world.scene));
        assert_int_equal(export_world_wrong(&world), 0);
        assert_true(oracle_passes(&world, "--quads", path));
        free(text);
        export_world_free(&world);
    }
}

static void a_coarse_quad_covers_the_voxels_it_stands_for(void **state)
{
    uint64_t quads[2] = {adit_quad_pack(1, 2, 3, 4, 5, 9, ADIT_QUAD_AO_OPEN), adit_quad_pack(1, 2, 3, 4, 5, 9, 0x1b)};
    struct adit_scene_mesh mesh = {.y = 1, .z = -1, .lod = 1, .quads = quads};
    struct adit_scene scene = {.meshes = &mesh, .meshes_count = 1, .origin = {0, 100, 0}};
    char path[512], error[256];
    size_t bytes;
    (void)state;
    for (uint32_t r = 1; r <= ADIT_MESH_RANGES; r++) /* one on -X, one on +Y */
        mesh.start[r] = r > ADIT_FACE_PY * ADIT_MESH_CLASSES ? 2 : 1;
    path_of(path, "coarse.quads");
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), 0);
    char *text = export_world_read(path, &bytes);
    assert_non_null(strstr(text, "\n0 2 32 -122 8 10 9 3 3 3 3\n3 2 33 -122 8 10 9 3 2 1 0\n"));
    free(text);
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
        cmocka_unit_test(obj_faces_cover_what_is_visible),
        cmocka_unit_test(the_mtl_names_every_material_used_and_no_line_of_it_comes_from_a_name),
        cmocka_unit_test(quad_lines_cover_what_is_visible),
        cmocka_unit_test(a_coarse_quad_covers_the_voxels_it_stands_for),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
