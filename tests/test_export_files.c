/* test_export_files.c - exports appear whole or not at all, and say in one line why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/export_world.h"
#include "tools/exports/exports.h"

static const char *const extensions[] = {"glb", "obj", "ply", "quads", "png"};
enum { EXTENSIONS = sizeof extensions / sizeof *extensions };
static struct export_world world;
static char path[512], error[512];

static int export_to(const char *name)
{
    struct adit_picture_params small = {.width = 200, .height = 120};
    snprintf(path, sizeof path, "%s/%s", export_world_folder(), name);
    error[0] = '\0';
    if (strstr(name, ".png"))
        return adit_picture_write(path, &world.scene, &small, error, sizeof error);
    return adit_export_write(path, &world.scene, error, sizeof error);
}

/* One line, which names the file and offers a cure after a semicolon. */
static void assert_clear(const char *name)
{
    assert_non_null(strstr(error, name));
    assert_non_null(strchr(error, ';'));
    assert_null(strchr(error, '\n'));
}

static void put_file(const char *name, const char *text)
{
    snprintf(path, sizeof path, "%s/%s", export_world_folder(), name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void an_unknown_extension_is_refused_with_those_there_are(void **state)
{
    (void)state;
    assert_int_equal(export_to("world.stl"), -EINVAL);
    assert_clear("world.stl");
    assert_non_null(strstr(error, ".glb, .obj, .ply, .quads"));
    assert_int_equal(export_to("glb"), -EINVAL);
    assert_true(adit_export_has_format("a.b/World.GLB"));
    assert_false(adit_export_has_format("a.glb/world"));
}

static void every_format_leaves_its_files_and_no_other(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < EXTENSIONS; i++) {
        char name[32];
        snprintf(name, sizeof name, "world.%s", extensions[i]);
        assert_int_equal(export_to(name), 0);
        assert_int_equal(export_to(name), 0); /* over itself */
        assert_int_equal(export_world_files(), strcmp(extensions[i], "obj") ? 1 : 2);
        export_world_remove();
    }
}

static void the_same_scene_gives_the_same_bytes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < EXTENSIONS; i++) {
        char name[32];
        size_t bytes[2];
        char *text[2];
        snprintf(name, sizeof name, "world.%s", extensions[i]);
        for (uint32_t k = 0; k < 2; k++) {
            assert_int_equal(export_to(name), 0);
            text[k] = export_world_read(path, &bytes[k]);
        }
        assert_int_equal(bytes[0], bytes[1]);
        assert_memory_equal(text[0], text[1], bytes[0]);
        free(text[0]);
        free(text[1]);
    }
    export_world_remove();
}

static void a_full_disk_is_an_error_that_keeps_the_old_file(void **state)
{
    struct rlimit before, little = {.rlim_cur = 2000, .rlim_max = RLIM_INFINITY};
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN); /* so that it is an errno */
    for (uint32_t i = 0; i < EXTENSIONS; i++) {
        char name[32];
        size_t bytes;
        snprintf(name, sizeof name, "world.%s", extensions[i]);
        put_file(name, "old");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
        int status = export_to(name);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(status, -EFBIG);
        assert_clear(name);
        assert_int_equal(export_world_files(), 1);
        char *text = export_world_read(path, &bytes);
        assert_string_equal(text, "old");
        free(text);
        export_world_remove();
    }
}

static void a_device_without_room_is_an_error(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < EXTENSIONS; i++) {
        char name[32];
        snprintf(name, sizeof name, "world.%s", extensions[i]);
        snprintf(path, sizeof path, "%s/%s", export_world_folder(), name);
        assert_int_equal(symlink("/dev/full", path), 0);
        assert_int_equal(export_to(name), -ENOSPC);
        assert_clear("No space left");
        export_world_remove();
    }
}

static void places_that_cannot_be_written_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(export_to("no/such/folder/world.glb"), -ENOENT);
    assert_clear("create the directory first");
    snprintf(path, sizeof path, "%s/folder.glb", export_world_folder());
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(export_to("folder.glb"), -EISDIR);
    assert_clear("folder.glb");
    put_file("file", "");
    assert_int_equal(export_to("file/world.ply"), -ENOTDIR);
    assert_clear("file/world.ply");
    char name[400];
    memset(name, 'n', sizeof name);
    strcpy(name + 300, ".obj");
    assert_int_equal(export_to(name), -ENAMETOOLONG);
    assert_clear("choose a shorter name");
    export_world_remove();
}

static void a_model_whose_colours_cannot_be_written_is_not_written_either(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/world.mtl", export_world_folder());
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(export_to("world.obj"), -EISDIR);
    assert_clear("world.mtl");
    assert_int_equal(export_world_files(), 1);
    export_world_remove();
}

static void a_link_is_followed(void **state)
{
    struct stat status;
    (void)state;
    put_file("target.ply", "old");
    snprintf(path, sizeof path, "%s/link.ply", export_world_folder());
    assert_int_equal(symlink("target.ply", path), 0);
    assert_int_equal(export_to("link.ply"), 0);
    assert_true(!lstat(path, &status) && S_ISLNK(status.st_mode));
    assert_true(!stat(path, &status) && status.st_size > 1000);
    assert_int_equal(export_world_files(), 2);
    export_world_remove();
}

static void a_damaged_scene_is_refused_before_anything_is_written(void **state)
{
    struct adit_scene_mesh *mesh = &world.meshes[1], whole = *mesh;
    struct adit_picture_params params = {.width = 32, .height = 32};
    uint8_t rgb[32 * 32 * 3];
    (void)state;
    for (uint32_t damage = 0; damage < 4; damage++) {
        int64_t origin = world.scene.origin[1];
        if (damage == 0)
            mesh->start[7] = mesh->start[8] + 1;
        else if (damage == 1)
            mesh->quads = NULL;
        else if (damage == 2)
            mesh->lod = ADIT_SCENE_LOD_MAX + 1;
        else
            world.scene.origin[1] = INT64_MIN;
        for (uint32_t i = 0; i < EXTENSIONS - 1; i++) {
            char name[32];
            snprintf(name, sizeof name, "world.%s", extensions[i]);
            assert_int_equal(export_to(name), -EINVAL);
            assert_clear(damage < 3 ? "mesh 1 of chunk 0,2,5" : "origin y");
        }
        assert_int_equal(adit_picture_draw(&world.scene, &params, rgb, error, sizeof error), -EINVAL);
        *mesh = whole;
        world.scene.origin[1] = origin;
    }
    assert_int_equal(export_world_files(), 0);
    export_world_remove();
}

/* What a peer that writes nonsense into shared memory can do: any bits in the quads, chunks anywhere. */
static void any_bits_are_quads_that_can_be_exported(void **state)
{
    enum { QUADS = 180, MESHES = 3 };
    uint64_t quads[QUADS], random = 1;
    struct adit_scene_mesh meshes[MESHES];
    struct export_world whole = world;
    (void)state;
    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < QUADS; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            quads[i] = random ^ random >> 29;
        }
        for (uint32_t m = 0; m < MESHES; m++) {
            meshes[m] = (struct adit_scene_mesh){.quads = quads, .lod = round % 5 ? 0 : ADIT_SCENE_LOD_MAX};
            if (round % 3 == 2) {
                meshes[m].x = m ? INT32_MAX : INT32_MIN;
                meshes[m].y = m == 1 ? INT32_MAX : INT32_MIN;
                meshes[m].z = (int32_t)(random >> 7);
            }
            for (uint32_t r = 0; r <= ADIT_MESH_RANGES; r++)
                meshes[m].start[r] = r * (QUADS / ADIT_MESH_RANGES);
        }
        world.scene = (struct adit_scene){.meshes = meshes, .meshes_count = MESHES, .materials = whole.materials,
                                          .materials_count = 9};
        for (uint32_t i = 0; i < EXTENSIONS; i++) {
            char name[32];
            snprintf(name, sizeof name, "world.%s", extensions[i]);
            assert_int_equal(export_to(name), 0);
        }
    }
    world = whole;
    export_world_remove();
}

static int set_up(void **state)
{
    (void)state;
    export_world_make(&world, "glass", (uint32_t[]){70, 16, 16}, 5);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    export_world_free(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_extension_is_refused_with_those_there_are),
        cmocka_unit_test(every_format_leaves_its_files_and_no_other),
        cmocka_unit_test(the_same_scene_gives_the_same_bytes),
        cmocka_unit_test(a_full_disk_is_an_error_that_keeps_the_old_file),
        cmocka_unit_test(a_device_without_room_is_an_error),
        cmocka_unit_test(places_that_cannot_be_written_are_told_apart),
        cmocka_unit_test(a_model_whose_colours_cannot_be_written_is_not_written_either),
        cmocka_unit_test(a_link_is_followed),
        cmocka_unit_test(a_damaged_scene_is_refused_before_anything_is_written),
        cmocka_unit_test(any_bits_are_quads_that_can_be_exported),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
