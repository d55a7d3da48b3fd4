/* test_export_shape.c - the forms of an export: no T-junctions, mirrored, wound the other way; in OBJ, PLY and glTF.
 *
 * Files are read back as bare polygons (soup.h). The judge of T-junctions is itself judged: on plain files it must count the
 * places that voxoracle counts, where that is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/soup.h"
#include "tools/exports/export.h"

#define ORACLE "../shared/oracle/voxoracle.c"

static const char *const formats[] = {"obj", "ply", "glb"};
enum { FORMATS = sizeof formats / sizeof *formats };

static void export_read(const struct export_world *world, const char *format, struct soup *soup)
{
    char path[512], error[256];
    snprintf(path, sizeof path, "%s/world.%s", export_world_folder(), format);
    if (adit_export_write(path, &world->scene, error, sizeof error))
        fail_msg("%s", error);
    soup_read(soup, path);
}

/* Every face covered once by its own material, wherever one looks in it, and nothing besides. PLY knows no materials. */
static void judge_cover(const struct soup *soup, struct export_world *world)
{
    for (uint32_t sample = 0; sample < 3; sample++) {
        double area = soup_cover(soup, world, sample);
        assert_int_equal(export_world_wrong(world), 0);
        assert_true(area == 2 * (double)export_world_faces(world));
    }
}

/* The oracle's count of T-junctions in the OBJ written last, or -1 where there is no oracle. */
static long oracle_counts(const struct export_world *world)
{
    const char *folder = export_world_folder();
    char command[4096], line[1024], path[512];
    long count = -1;
    if (access(ORACLE, R_OK))
        return -1;
    snprintf(path, sizeof path, "%s/volume.raw", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    size_t bytes = (size_t)world->dim[0] * world->dim[1] * world->dim[2];
    assert_int_equal(fwrite(world->volume, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
    snprintf(command, sizeof command,
             "[ -x %s/voxoracle ] || cc -O2 -std=c11 -w -o %s/voxoracle " ORACLE " && "
             "%s/voxoracle check --vol %s --dim %u,%u,%u --class 't:4;c:7' --tj --obj %s/world.obj",
             folder, folder, folder, path, world->dim[0], world->dim[1], world->dim[2], folder);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe)) {
        const char *found = strstr(line, "\"t_junctions\":");
        if (found)
            count = strtol(found + strlen("\"t_junctions\":"), NULL, 10);
    }
    assert_int_equal(pclose(pipe), 0); /* it passes the file, too */
    return count;
}

/* (tried: corners of the own mesh alone, three of each quad's four, the first place along an edge passed over, the third edge
 * never looked at, one half of a halved triangle lost) */
static void no_corner_lies_inside_an_edge(void **state)
{
    static const struct {
        const char *kind;
        uint32_t dim[3];
        bool see_through;
    } cases[] = {{"terrain", {70, 66, 67}, true}, {"glass", {66, 20, 30}, true}, {"noise50m3", {20, 66, 65}, false},
                 {"sphere", {67, 70, 66}, false}, {"mats", {66, 33, 65}, false}, {"menger", {81, 30, 70}, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct export_world world;
        struct soup plain, soup;
        uint64_t points;
        export_world_make(&world, cases[i].kind, cases[i].dim, 3 + i);
        export_read(&world, "obj", &plain);
        uint64_t junctions = soup_t_junctions(&plain, world.dim, &points);
        assert_true(junctions > 0 || !strcmp(cases[i].kind, "mats"));
        long counted = oracle_counts(&world);
        assert_true(counted == -1 || (uint64_t)counted == points);
        size_t quads = plain.count;
        soup_free(&plain);

        world.scene.form.conforming = true;
        for (int f = 0; f < FORMATS; f++) {
            export_read(&world, formats[f], &soup);
            assert_int_equal(soup_t_junctions(&soup, world.dim, NULL), 0);
            if (strcmp(formats[f], "ply") != 0) {
                judge_cover(&soup, &world);
                assert_int_equal(soup_wrong_normals(&soup), 0);
            }
            /* no more triangles than the corners around the quads ask for; more only where faces stand on a see-through one */
            assert_true(soup.count == 2 * quads + junctions || (cases[i].see_through && soup.count > 2 * quads + junctions));
            soup_free(&soup);
        }
        export_world_free(&world);
    }
}

/* One quad of a mesh: on the side of its chunk that faces sign along axis b, at the end that sign_c says along c, length
 * voxels along a from 0. */
static void beam(struct adit_scene_mesh *mesh, uint64_t *quad, const uint32_t abc[3], int32_t sign_b, int32_t sign_c, uint32_t length)
{
    uint32_t at[3], size[3] = {1, 1, 1}, face = 2 * abc[1] + (sign_b > 0);
    at[abc[0]] = 0;
    at[abc[1]] = sign_b > 0 ? 63 : 0;
    at[abc[2]] = sign_c > 0 ? 63 : 0;
    size[abc[0]] = length;
    *quad = adit_quad_pack(at[0], at[1], at[2], size[adit_face_u(face)], size[adit_face_v(face)], 1, ADIT_QUAD_AO_OPEN);
    mesh->quads = quad;
    for (uint32_t r = face * ADIT_MESH_CLASSES + 1; r <= ADIT_MESH_RANGES; r++)
        mesh->start[r] = 1;
}

/* Two beams that touch along a line, in chunks that share no more than that line: the shorter ends inside the longer's edge.
 * (tried: corners of the six neighbours alone) */
static void corners_count_across_the_edges_of_chunks(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        const uint32_t abc[3] = {i % 3, (i + 1) % 3, (i + 2) % 3};
        const int32_t sign_b = i / 3 & 1 ? 1 : -1, sign_c = i / 6 ? 1 : -1;
        uint64_t quads[2];
        int32_t place[3] = {0};
        struct adit_scene_mesh meshes[2] = {{0}, {0}};
        struct adit_scene scene = {.meshes = meshes, .meshes_count = 2, .form = {.conforming = true}};
        struct soup soup;
        char path[512], error[256];
        place[abc[1]] = sign_b;
        place[abc[2]] = sign_c;
        meshes[1] = (struct adit_scene_mesh){.x = place[0], .y = place[1], .z = place[2]};
        beam(&meshes[0], &quads[0], abc, sign_b, sign_c, 10);
        beam(&meshes[1], &quads[1], abc, -sign_b, -sign_c, 4);
        snprintf(path, sizeof path, "%s/beams.obj", export_world_folder());
        assert_int_equal(adit_export_write(path, &scene, error, sizeof error), 0);
        soup_read(&soup, path);
        assert_int_equal(soup.count, 5);
        soup_free(&soup);
    }
}

static bool is_same(const struct soup *a, const struct soup *b)
{
    return a->count == b->count && !memcmp(a->polygons, b->polygons, a->count * sizeof *a->polygons);
}

/* Turns every polygon round, as they are written: the first corner stays the first. */
static void turn_round(struct soup *soup)
{
    for (size_t i = 0; i < soup->count; i++) {
        struct polygon *p = &soup->polygons[i];
        for (uint32_t k = 1; k < (p->sides + 1) / 2; k++) {
            double kept[3];
            memcpy(kept, p->at[k], sizeof kept);
            memcpy(p->at[k], p->at[p->sides - k], sizeof kept);
            memcpy(p->at[p->sides - k], kept, sizeof kept);
        }
    }
}

/* Faces of all six sides, of every class: counter-clockwise seen from outside, mirrored or not; clockwise when asked for;
 * and a clockwise file under a mirrored transform is the mirrored file.
 * (tried: mirrored without turning, normals not mirrored, the run of indices in glTF never turned) */
static void faces_wind_as_they_should_in_every_form(void **state)
{
    struct export_world world;
    (void)state;
    export_world_make(&world, "glass", (uint32_t[]){66, 12, 9}, 5);
    for (uint32_t i = 0; i < 2 * FORMATS; i++) {
        const char *format = formats[i / 2];
        struct soup plain, clockwise, mirrored, both;
        world.scene.form = (struct adit_scene_form){.conforming = i % 2};
        export_read(&world, format, &plain);
        bool has_normals = strcmp(format, "ply") != 0;
        if (has_normals) {
            judge_cover(&plain, &world); /* the ledger tells a face from the one behind it by how it winds */
            assert_int_equal(soup_wrong_normals(&plain), 0);
        }
        world.scene.form.clockwise = true;
        export_read(&world, format, &clockwise);
        for (uint8_t axis = 0; axis < 3; axis++) {
            world.scene.form.mirror = axis + 1;
            world.scene.form.clockwise = false;
            export_read(&world, format, &mirrored);
            assert_true(!has_normals || soup_wrong_normals(&mirrored) == 0);
            world.scene.form.clockwise = true;
            export_read(&world, format, &both);
            assert_true(!has_normals || soup_wrong_normals(&both) == both.count);
            soup_mirror(&clockwise, axis);
            assert_true(is_same(&clockwise, &mirrored));
            soup_mirror(&clockwise, axis);
            soup_mirror(&both, axis);
            assert_true(is_same(&both, &plain));
            soup_free(&mirrored);
            soup_free(&both);
        }
        assert_true(!has_normals || soup_wrong_normals(&clockwise) == clockwise.count);
        turn_round(&clockwise);
        assert_true(is_same(&clockwise, &plain));
        soup_free(&plain);
        soup_free(&clockwise);
    }
    export_world_free(&world);
}

/* PLY has neither normals nor materials, so its plain polygons are held against those of the OBJ, corner by corner. */
static void ply_has_the_polygons_of_obj(void **state)
{
    struct export_world world;
    (void)state;
    export_world_make(&world, "terrain", (uint32_t[]){66, 66, 20}, 9);
    for (int form = 0; form < 2; form++) {
        struct soup obj, ply;
        world.scene.form.conforming = form;
        export_read(&world, "obj", &obj);
        export_read(&world, "ply", &ply);
        assert_int_equal(obj.count, ply.count);
        for (size_t i = 0; i < obj.count; i++) {
            assert_int_equal(obj.polygons[i].sides, ply.polygons[i].sides);
            assert_memory_equal(obj.polygons[i].at, ply.polygons[i].at, sizeof obj.polygons[i].at);
        }
        soup_free(&obj);
        soup_free(&ply);
    }
    export_world_free(&world);
}

static void what_cannot_be_had_is_refused(void **state)
{
    uint64_t quad = adit_quad_pack(63, 63, 63, 64, 64, 1, ADIT_QUAD_AO_OPEN); /* far beyond its chunk: drawn, and no harm */
    struct adit_scene_mesh meshes[2] = {{.quads = &quad}, {.x = 5, .lod = 1, .quads = &quad}};
    struct adit_scene scene = {.meshes = meshes, .meshes_count = 1, .form = {.conforming = true}};
    char path[512], text[512], error[256];
    (void)state;
    snprintf(path, sizeof path, "%s/refused.obj", export_world_folder());
    snprintf(text, sizeof text, "%s/refused.quads", export_world_folder());
    for (uint32_t m = 0; m < 2; m++)
        for (uint32_t r = 1; r <= ADIT_MESH_RANGES; r++)
            meshes[m].start[r] = 1;
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), 0);
    assert_int_equal(adit_export_write(text, &scene, error, sizeof error), -EINVAL);
    assert_non_null(strstr(error, "refused.quads: quads as text have no corners"));
    scene.meshes_count = 2;
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), -EINVAL);
    assert_non_null(strstr(error, "another level of detail"));
    scene.form = (struct adit_scene_form){.mirror = 4};
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), -EINVAL);
    scene.form.mirror = 3;
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), 0);
    assert_int_equal(adit_export_write(text, &scene, error, sizeof error), -EINVAL);
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
        cmocka_unit_test(no_corner_lies_inside_an_edge),
        cmocka_unit_test(corners_count_across_the_edges_of_chunks),
        cmocka_unit_test(faces_wind_as_they_should_in_every_form),
        cmocka_unit_test(ply_has_the_polygons_of_obj),
        cmocka_unit_test(what_cannot_be_had_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
