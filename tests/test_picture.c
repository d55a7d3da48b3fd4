/* test_picture.c - pictures: size, colours at known places, no cracks, shadows, what shines through, the empty world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/export_world.h"
#include "tools/exports/camera.h"
#include "tools/exports/exports.h"

enum { WIDTH = 240, HEIGHT = 160 };
static uint8_t rgb[HEIGHT][WIDTH][3];

enum { RED = 1, WHITE = 2, GLASS = 3, LEAF = 4, AMBER = 5 };
static const struct adit_scene_material materials[] = {
    [RED] = {"red", 0xd02010ff, ADIT_CLASS_OPAQUE},
    [WHITE] = {"white", 0xe8e8e8ff, ADIT_CLASS_OPAQUE},
    [GLASS] = {"glass", 0x2030e080, ADIT_CLASS_TRANSLUCENT},
    [LEAF] = {"leaf", 0x208020ff, ADIT_CLASS_CUTOUT},
    [AMBER] = {"amber", 0xe0a01080, ADIT_CLASS_TRANSLUCENT},
};

/* A mesh made by hand: boxes, all six faces each, in one chunk. */
struct model {
    uint64_t quads[ADIT_MESH_RANGES][8];
    uint32_t count[ADIT_MESH_RANGES];
    uint64_t packed[ADIT_MESH_RANGES * 8];
    struct adit_scene_mesh mesh;
    struct adit_scene scene;
};

static void add_box(struct model *model, const uint32_t from[3], const uint32_t size[3], uint32_t material)
{
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        uint32_t range = face * ADIT_MESH_CLASSES + materials[material].class - 1, at[3] = {from[0], from[1], from[2]};
        if (face & 1)
            at[adit_face_axis(face)] += size[adit_face_axis(face)] - 1;
        assert_true(model->count[range] < 8);
        model->quads[range][model->count[range]++] =
            adit_quad_pack(at[0], at[1], at[2], size[adit_face_u(face)], size[adit_face_v(face)], material, ADIT_QUAD_AO_OPEN);
    }
}

static const struct adit_scene *finish(struct model *model)
{
    uint32_t count = 0;
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        model->mesh.start[range] = count;
        for (uint32_t i = 0; i < model->count[range]; i++)
            model->packed[count++] = model->quads[range][i];
    }
    model->mesh.start[ADIT_MESH_RANGES] = count;
    model->mesh.quads = model->packed;
    model->scene = (struct adit_scene){.meshes = &model->mesh, .meshes_count = 1, .materials = materials,
                                       .materials_count = sizeof materials / sizeof *materials};
    return &model->scene;
}

static void draw(const struct adit_scene *scene, enum adit_picture_view view)
{
    struct adit_picture_params params = {.width = WIDTH, .height = HEIGHT, .view = view};
    char error[256] = "";
    if (adit_picture_draw(scene, &params, rgb[0][0], error, sizeof error))
        fail_msg("%s", error);
}

static bool is_reddish(const uint8_t pixel[3])
{
    return pixel[0] > 2 * pixel[1] && pixel[0] > 2 * pixel[2] && pixel[0] > 40;
}

static uint32_t brightness(const uint8_t pixel[3])
{
    return (uint32_t)pixel[0] + pixel[1] + pixel[2];
}

/* The pixel that shows a point of the scene's only chunk in an isometric picture of it. */
static const uint8_t *pixel_at(const struct adit_scene *scene, const double point[3])
{
    struct adit_camera camera;
    double view[3], pixel[3] = {0};
    adit_camera_aim(&camera, WIDTH, HEIGHT, 45, 35.264389682754654, 0);
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        for (uint32_t i = scene->meshes->start[range]; i < scene->meshes->start[range + 1]; i++) {
            uint32_t corners[4][3];
            adit_scene_corners(scene->meshes->quads[i], range / ADIT_MESH_CLASSES, corners);
            for (uint32_t k = 0; k < 4; k++)
                adit_camera_add(&camera, (double[]){corners[k][0], corners[k][1], corners[k][2]});
        }
    }
    adit_camera_frame(&camera);
    adit_camera_view(&camera, point, view);
    assert_true(adit_camera_project(&camera, view, pixel));
    assert_true(pixel[0] >= 0 && pixel[0] < WIDTH && pixel[1] >= 0 && pixel[1] < HEIGHT);
    return rgb[(int)pixel[1]][(int)pixel[0]];
}

static void a_red_cube_is_red_in_the_middle_and_not_at_the_corners(void **state)
{
    (void)state;
    for (int view = ADIT_PICTURE_PERSPECTIVE; view <= ADIT_PICTURE_ISOMETRIC; view++) {
        struct model model = {0};
        add_box(&model, (uint32_t[]){10, 20, 30}, (uint32_t[]){9, 9, 9}, RED);
        draw(finish(&model), (enum adit_picture_view)view);
        assert_true(is_reddish(rgb[HEIGHT / 2][WIDTH / 2]));
        assert_false(is_reddish(rgb[0][0]) || is_reddish(rgb[0][WIDTH - 1]));
        assert_false(is_reddish(rgb[HEIGHT - 1][0]) || is_reddish(rgb[HEIGHT - 1][WIDTH - 1]));
        /* Framed: it spans most of the height and touches no border. */
        uint32_t rows = 0;
        for (uint32_t y = 0; y < HEIGHT; y++)
            rows += is_reddish(rgb[y][WIDTH / 2]);
        assert_true(rows > HEIGHT * 3 / 4);
        for (uint32_t x = 0; x < WIDTH; x++)
            assert_false(is_reddish(rgb[0][x]) || is_reddish(rgb[HEIGHT - 1][x]));
    }
}

static void its_three_sides_differ_in_light_and_the_top_is_brightest(void **state)
{
    struct model model = {0};
    (void)state;
    add_box(&model, (uint32_t[]){0, 0, 0}, (uint32_t[]){9, 9, 9}, WHITE);
    draw(finish(&model), ADIT_PICTURE_ISOMETRIC);
    uint32_t top = brightness(pixel_at(&model.scene, (double[]){4.5, 9, 4.5}));
    uint32_t left = brightness(pixel_at(&model.scene, (double[]){4.5, 4.5, 9}));
    uint32_t right = brightness(pixel_at(&model.scene, (double[]){9, 4.5, 4.5}));
    assert_in_range(top, left + 20, 765);
    assert_in_range(left, right + 100, 765);
    assert_in_range(right, 150, 765);
}

/* A plate of quads that meet in T-junctions everywhere: whatever shows between them is a crack. */
static void no_crack_shows_between_quads(void **state)
{
    struct export_world world;
    (void)state;
    export_world_make(&world, "mats", (uint32_t[]){64, 3, 64}, 9);
    for (size_t i = 0; i < 64 * 3 * 64; i++)
        world.volume[i] = world.volume[i] % 3 ? 1 : 2;
    for (uint32_t id = 0; id < EXPORT_WORLD_MATERIALS; id++)
        world.materials[id].rgba = 0xd02010ff;
    for (int view = ADIT_PICTURE_PERSPECTIVE; view <= ADIT_PICTURE_ISOMETRIC; view++) {
        draw(&world.scene, (enum adit_picture_view)view);
        for (uint32_t y = 0; y < HEIGHT; y++) { /* the plate is convex: red pixels of a row have no gap */
            uint32_t first = WIDTH, last = 0;
            for (uint32_t x = 0; x < WIDTH; x++) {
                if (is_reddish(rgb[y][x])) {
                    first = first < x ? first : x;
                    last = x;
                }
            }
            for (uint32_t x = first + 2; x + 2 <= last && first < last; x++)
                assert_true(rgb[y][x][1] < rgb[y][x][0] / 2 + 8);
        }
    }
    export_world_free(&world);
}

static void a_thing_is_seen_through_glass_and_tinted_by_it(void **state)
{
    struct model plain = {0}, veiled = {0};
    const double inside[3] = {12.3, 7.9, 12.3}; /* of the red box's top, and of the glass before it */
    uint8_t before[3], after[3];
    (void)state;
    add_box(&plain, (uint32_t[]){8, 0, 8}, (uint32_t[]){8, 8, 8}, RED);
    add_box(&veiled, (uint32_t[]){8, 0, 8}, (uint32_t[]){8, 8, 8}, RED);
    add_box(&veiled, (uint32_t[]){8, 8, 8}, (uint32_t[]){8, 1, 8}, GLASS);
    draw(finish(&plain), ADIT_PICTURE_ISOMETRIC);
    memcpy(before, pixel_at(&plain.scene, inside), 3);
    draw(finish(&veiled), ADIT_PICTURE_ISOMETRIC);
    memcpy(after, pixel_at(&veiled.scene, inside), 3);
    assert_true(is_reddish(before));
    assert_true(after[2] > before[2] + 30 && after[0] < before[0]); /* bluer, */
    assert_true(after[0] > 40);                                     /* and still some red */
}

static void thicker_glass_hides_more(void **state)
{
    uint32_t red[3]; /* without, through one voxel, through twelve */
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct model model = {0};
        add_box(&model, (uint32_t[]){8, 0, 8}, (uint32_t[]){16, 4, 16}, RED);
        add_box(&model, (uint32_t[]){8, 4, 8}, (uint32_t[]){1, 12, 1}, RED); /* keeps the frames alike */
        if (i)
            add_box(&model, (uint32_t[]){8, i == 2 ? 4 : 15, 8}, (uint32_t[]){16, i == 2 ? 12 : 1, 16}, GLASS);
        draw(finish(&model), ADIT_PICTURE_ISOMETRIC);
        red[i] = pixel_at(&model.scene, (double[]){10, 4, 10})[0];
    }
    assert_in_range(red[1], red[0] * 13 / 20, red[0] - 20); /* its front face tints, its back face does not again */
    assert_in_range(red[2], 0, red[1] - 20);
}

static void a_wall_throws_a_shadow(void **state)
{
    uint32_t bright[2];
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct model model = {0};
        add_box(&model, (uint32_t[]){0, 0, 0}, (uint32_t[]){40, 1, 40}, WHITE);
        if (i)
            add_box(&model, (uint32_t[]){12, 1, 25}, (uint32_t[]){8, 12, 4}, LEAF); /* towards the sun */
        draw(finish(&model), ADIT_PICTURE_ISOMETRIC);
        bright[i] = brightness(pixel_at(&model.scene, (double[]){20.5, 1, 20.5}));
    }
    assert_true(bright[0] > bright[1] + 120);
}

static void an_empty_world_is_a_sky(void **state)
{
    struct adit_scene scene = {0};
    (void)state;
    draw(&scene, ADIT_PICTURE_PERSPECTIVE);
    for (uint32_t y = 1; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            assert_true(brightness(rgb[y][x]) + 9 >= brightness(rgb[y - 1][x])); /* lighter downwards, but for dither */
    assert_true(brightness(rgb[HEIGHT - 1][0]) > brightness(rgb[0][0]) + 100);
    assert_true(rgb[0][0][2] > rgb[0][0][0] + 30); /* and blue above */
}

static void where_a_world_lies_does_not_change_its_picture(void **state)
{
    static uint8_t near_rgb[HEIGHT][WIDTH][3];
    struct model model = {0};
    (void)state;
    add_box(&model, (uint32_t[]){1, 2, 3}, (uint32_t[]){20, 9, 30}, RED);
    add_box(&model, (uint32_t[]){5, 11, 8}, (uint32_t[]){5, 9, 5}, WHITE);
    draw(finish(&model), ADIT_PICTURE_PERSPECTIVE);
    memcpy(near_rgb, rgb, sizeof rgb);
    model.mesh.x = 300000;
    model.mesh.z = -31000000;
    draw(&model.scene, ADIT_PICTURE_PERSPECTIVE);
    assert_memory_equal(near_rgb, rgb, sizeof rgb);
}

static void the_order_of_meshes_does_not_change_a_picture(void **state)
{
    static uint8_t forward_rgb[HEIGHT][WIDTH][3];
    struct model model[2] = {{.mesh.x = 0}, {.mesh.x = 1}};
    (void)state;
    add_box(&model[0], (uint32_t[]){60, 0, 0}, (uint32_t[]){4, 20, 20}, GLASS);
    add_box(&model[1], (uint32_t[]){0, 0, 0}, (uint32_t[]){4, 20, 20}, AMBER); /* the one seen through the other */
    finish(&model[0]);
    finish(&model[1]);
    struct adit_scene scene = model[0].scene;
    for (int view = ADIT_PICTURE_PERSPECTIVE; view <= ADIT_PICTURE_ISOMETRIC; view++) {
        for (uint32_t i = 0; i < 2; i++) {
            struct adit_scene_mesh meshes[2] = {model[i].mesh, model[1 - i].mesh};
            scene.meshes = meshes;
            scene.meshes_count = 2;
            draw(&scene, (enum adit_picture_view)view);
            if (!i)
                memcpy(forward_rgb, rgb, sizeof rgb);
        }
        assert_memory_equal(forward_rgb, rgb, sizeof rgb);
    }
}

static void the_png_has_the_size_asked_for_and_the_default_is_1600_by_1000(void **state)
{
    struct model model = {0};
    struct adit_picture_params params = {.width = 77, .height = 333};
    char path[512], error[256];
    (void)state;
    add_box(&model, (uint32_t[]){0, 0, 0}, (uint32_t[]){1, 1, 1}, RED);
    snprintf(path, sizeof path, "%s/picture.png", export_world_folder());
    for (uint32_t i = 0; i < 2; i++) {
        png_image image = {.version = PNG_IMAGE_VERSION};
        assert_int_equal(adit_picture_write(path, finish(&model), i ? NULL : &params, error, sizeof error), 0);
        assert_true(png_image_begin_read_from_file(&image, path));
        assert_int_equal(image.width, i ? 1600 : 77);
        assert_int_equal(image.height, i ? 1000 : 333);
        assert_int_equal(image.format, PNG_FORMAT_RGB);
        png_image_free(&image);
    }
    export_world_remove();
}

static void absurd_sizes_and_angles_are_refused(void **state)
{
    static const struct adit_picture_params bad[] = {
        {.width = 8, .height = 100}, {.width = 8193, .height = 100}, {.width = 100, .height = 4000000000u},
        {.width = 100, .height = 100, .turn_degrees = __builtin_inf()},
        {.width = 100, .height = 100, .tilt_degrees = __builtin_nan("")},
    };
    struct adit_scene scene = {0};
    (void)state;
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char error[256] = "";
        assert_int_equal(adit_picture_draw(&scene, &bad[i], rgb[0][0], error, sizeof error), -EINVAL);
        assert_true(strstr(error, i < 3 ? "give 16 to 8192 pixels" : "angle"));
    }
}

struct steps {
    uint32_t last, total, grown, calls, calls_max;
};

static bool count_step(void *user, uint32_t done, uint32_t total)
{
    struct steps *steps = user;
    assert_true(done >= steps->last && done < total);
    steps->grown += done > steps->last;
    steps->last = done;
    steps->total = total;
    return ++steps->calls < steps->calls_max;
}

static void whoever_waits_is_told_and_can_give_up(void **state)
{
    (void)state;
    struct export_world world;
    struct steps steps = {.calls_max = UINT32_MAX};
    struct adit_picture_params params = {.width = WIDTH, .height = HEIGHT, .step = count_step, .user = &steps};
    char error[256] = "";
    export_world_make(&world, "terrain", (uint32_t[]){128, 64, 64}, 3);
    assert_int_equal(adit_picture_draw(&world.scene, &params, rgb[0][0], error, sizeof error), 0);
    assert_true(steps.calls > world.scene.meshes_count && 2 * steps.last >= steps.total && steps.grown > 1);
    steps = (struct steps){.calls_max = 1};
    assert_int_equal(adit_picture_draw(&world.scene, &params, rgb[0][0], error, sizeof error), -EINTR);
    assert_true(steps.calls == 1 && !*error);
    steps = (struct steps){.calls_max = (uint32_t)world.scene.meshes_count + 1}; /* among the rows */
    assert_int_equal(adit_picture_draw(&world.scene, &params, rgb[0][0], error, sizeof error), -EINTR);
    export_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_red_cube_is_red_in_the_middle_and_not_at_the_corners),
        cmocka_unit_test(its_three_sides_differ_in_light_and_the_top_is_brightest),
        cmocka_unit_test(no_crack_shows_between_quads),
        cmocka_unit_test(a_thing_is_seen_through_glass_and_tinted_by_it),
        cmocka_unit_test(thicker_glass_hides_more),
        cmocka_unit_test(a_wall_throws_a_shadow),
        cmocka_unit_test(an_empty_world_is_a_sky),
        cmocka_unit_test(where_a_world_lies_does_not_change_its_picture),
        cmocka_unit_test(the_order_of_meshes_does_not_change_a_picture),
        cmocka_unit_test(the_png_has_the_size_asked_for_and_the_default_is_1600_by_1000),
        cmocka_unit_test(absurd_sizes_and_angles_are_refused),
        cmocka_unit_test(whoever_waits_is_told_and_can_give_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
