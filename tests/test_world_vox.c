/* test_world_vox.c - MagicaVoxel files made here: models, palettes, scenes, and what is wrong with files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world_files.h"
#include "tools/worlds/vox_world.h"

static char error_line[ADIT_WORLD_LINE_BYTES];
static uint16_t chunk[ADIT_CHUNK_VOXELS];
static int parse_result;

static struct adit_world *parse(const struct bytes *vox)
{
    struct adit_world *world = NULL;
    uint8_t *copy = malloc(vox->size ? vox->size : 1); /* exact: ASan sees a read beyond it */
    if (vox->size)
        memcpy(copy, vox->data, vox->size);
    *error_line = 0;
    parse_result =
        adit_vox_parse(copy, vox->size, "test.vox", &world, (struct adit_world_error){error_line, sizeof(error_line)});
    free(copy);
    assert_true(parse_result ? !world && *error_line : world != NULL);
    return world;
}

/* The palette index of the voxel at world coordinates, by its material's name; 0 is air. */
static int colour_at(const struct adit_world *world, int32_t x, int32_t y, int32_t z)
{
    adit_world_chunk(world, x >> 6, y >> 6, z >> 6, chunk);
    uint16_t id = chunk[((z & 63) * 64 + (y & 63)) * 64 + (x & 63)];
    assert_true(id <= world->material_count);
    return id ? atoi(world->materials[id].name + strlen("colour ")) : 0;
}

static uint64_t count_voxels(const struct adit_world *world)
{
    uint64_t count = 0;
    for (int32_t z = world->chunk_min[2]; z < world->chunk_max[2]; z++)
        for (int32_t y = world->chunk_min[1]; y < world->chunk_max[1]; y++)
            for (int32_t x = world->chunk_min[0]; x < world->chunk_max[0]; x++) {
                int got = adit_world_chunk(world, x, y, z, chunk);
                uint32_t here = 0;
                for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
                    here += chunk[i] != 0;
                assert_int_equal(got, here > 0);
                assert_true(!got || adit_world_has_chunk(world, x, y, z));
                count += here;
            }
    return count;
}

static bool has_warning(const struct adit_world *world, const char *part)
{
    for (uint32_t i = 0; i < world->warning_count; i++)
        if (strstr(world->warnings[i], part))
            return true;
    return false;
}

/* One model of 3 x 4 x 5 voxels with three marks. */
static const uint32_t marked_size[3] = {3, 4, 5};
static const uint8_t marks[3][4] = {{0, 0, 0, 10}, {2, 1, 0, 20}, {1, 3, 4, 30}};

static void a_model_alone_stands_on_the_ground_with_z_up(void **state)
{
    (void)state;
    static const uint32_t versions[] = {150, 200};
    for (int v = 0; v < 2; v++) {
        struct bytes vox = {0};
        vox_begin(&vox, versions[v]);
        vox_model(&vox, marked_size, marks, 3);
        vox_finish(&vox);
        struct adit_world *world = parse(&vox);
        assert_non_null(world);
        /* (x, y, z) of the file is (x, z, 3 - y) here: y is 4 long and no hand is swapped. */
        assert_int_equal(colour_at(world, 0, 0, 3), 10);
        assert_int_equal(colour_at(world, 2, 0, 2), 20);
        assert_int_equal(colour_at(world, 1, 4, 0), 30);
        assert_int_equal(count_voxels(world), 3);
        assert_int_equal(world->material_count, 3);
        const int32_t lo[3] = {0, 0, 0}, hi[3] = {3, 5, 4};
        assert_memory_equal(world->voxel_min, lo, sizeof(lo));
        assert_memory_equal(world->voxel_max, hi, sizeof(hi));
        adit_world_close(world);
        bytes_free(&vox);
    }
}

static void the_default_palette_is_the_documented_one(void **state)
{
    (void)state;
    /* Some entries of the table in the format's description (there as 0xAABBGGRR). */
    static const struct {
        uint8_t index;
        uint32_t rgb;
    } known[] = {{1, 0xffffff},   {2, 0xffffcc},   {6, 0xffff00},   {7, 0xffccff},   {37, 0xccffff},  {42, 0xccff00},
                 {215, 0x000033}, {216, 0xee0000}, {225, 0x110000}, {226, 0x00ee00}, {236, 0x0000ee}, {245, 0x000011},
                 {246, 0xeeeeee}, {250, 0x888888}, {255, 0x111111}, {112, 0x99ff66}};
    const uint32_t count = sizeof(known) / sizeof(*known), size[3] = {count, 1, 1};
    uint8_t voxels[sizeof(known) / sizeof(*known)][4];
    for (uint32_t i = 0; i < count; i++)
        memcpy(voxels[i], (const uint8_t[4]){(uint8_t)i, 0, 0, known[i].index}, 4);
    struct bytes vox = {0};
    vox_begin(&vox, 150);
    vox_model(&vox, size, voxels, count);
    vox_finish(&vox);
    struct adit_world *world = parse(&vox);
    assert_non_null(world);
    for (uint32_t i = 0; i < count; i++) {
        adit_world_chunk(world, 0, 0, 0, chunk);
        uint32_t rgba = world->materials[chunk[i]].rgba;
        if (known[i].index != 112)
            assert_int_equal(rgba, known[i].rgb << 8 | 0xff);
    }
    adit_world_close(world);
    bytes_free(&vox);
}

static void the_palette_of_a_file_is_one_index_later(void **state)
{
    (void)state;
    uint8_t rgba[1024], order[256];
    for (uint32_t i = 0; i < 256; i++) {
        memcpy(rgba + 4 * i, (const uint8_t[4]){(uint8_t)i, (uint8_t)(i ^ 0x55), 7, 255}, 4);
        order[i] = (uint8_t)(255 - i); /* the order of display must change nothing */
    }
    struct bytes vox = {0};
    vox_begin(&vox, 200);
    vox_model(&vox, marked_size, marks, 3);
    vox_chunk(&vox, "RGBA", rgba, sizeof(rgba));
    vox_chunk(&vox, "IMAP", order, sizeof(order));
    vox_material(&vox, 20, "_glass", "_trans", "0.5");
    vox_material(&vox, 30, "_metal", NULL, NULL);
    vox_material(&vox, 10, "_glass", "_alpha", "nan");
    vox_finish(&vox);
    struct adit_world *world = parse(&vox);
    assert_non_null(world);
    assert_int_equal(world->material_count, 3);
    assert_string_equal(world->materials[1].name, "colour 10");
    assert_int_equal(world->materials[1].rgba, 0x095c0730);
    assert_int_equal(world->materials[1].class, ADIT_CLASS_TRANSLUCENT);
    assert_int_equal(world->materials[2].rgba, 0x1346077f);
    assert_int_equal(world->materials[2].class, ADIT_CLASS_TRANSLUCENT);
    assert_int_equal(world->materials[3].rgba, 0x1d4807ff);
    assert_int_equal(world->materials[3].class, ADIT_CLASS_OPAQUE);
    assert_int_equal(colour_at(world, 0, 0, 3), 10);
    adit_world_close(world);
    bytes_free(&vox);
}

/* Where a voxel goes under a packed rotation and a move, computed with matrices and fractions. */
static void expected_place(const uint32_t size[3], const uint8_t at[4], const int32_t *rotations,
                           const int32_t (*moves)[3], int transforms, int32_t out[3])
{
    double v[3];
    for (int a = 0; a < 3; a++)
        v[a] = at[a] + 0.5 - floor(size[a] / 2.0);
    for (int t = transforms - 1; t >= 0; t--) { /* the innermost first */
        int32_t r = rotations[t];
        int first = r & 3, second = r >> 2 & 3, column[3] = {first, second, 3 - first - second};
        double matrix[3][3] = {{0}}, w[3];
        for (int row = 0; row < 3; row++)
            matrix[row][column[row]] = r >> (4 + row) & 1 ? -1 : 1;
        for (int row = 0; row < 3; row++)
            w[row] = matrix[row][0] * v[0] + matrix[row][1] * v[1] + matrix[row][2] * v[2] + moves[t][row];
        memcpy(v, w, sizeof(v));
    }
    out[0] = (int32_t)floor(v[0]);
    out[1] = (int32_t)floor(v[2]);
    out[2] = -(int32_t)floor(v[1]) - 1;
}

static void every_rotation_turns_about_the_middle(void **state)
{
    (void)state;
    static const int32_t rows[] = {0 | 1 << 2, 0 | 2 << 2, 1 | 0 << 2, 1 | 2 << 2, 2 | 0 << 2, 2 | 1 << 2};
    for (int inner = 0; inner < 48; inner++)
        for (int outer = 0; outer < 48; outer += 7) {
            const int32_t rotations[2] = {rows[outer % 6] | outer / 6 << 4, rows[inner % 6] | inner / 6 << 4};
            const int32_t moves[2][3] = {{100, -70, 3}, {-5, 9, 40}};
            struct bytes vox = {0};
            vox_begin(&vox, 150);
            vox_model(&vox, marked_size, marks, 3);
            vox_transform(&vox, 0, 1, rotations[0], moves[0], 0, -1);
            vox_group(&vox, 1, (const int32_t[]){2}, 1);
            vox_transform(&vox, 2, 3, rotations[1], moves[1], 0, -1);
            vox_shape(&vox, 3, (const int32_t[]){0}, 1);
            vox_finish(&vox);
            struct adit_world *world = parse(&vox);
            assert_non_null(world);
            for (int m = 0; m < 3; m++) {
                int32_t at[3];
                expected_place(marked_size, marks[m], rotations, moves, 2, at);
                assert_int_equal(colour_at(world, at[0], at[1], at[2]), marks[m][3]);
            }
            assert_int_equal(count_voxels(world), 3);
            adit_world_close(world);
            bytes_free(&vox);
        }
}

/* 0 -> group of transforms, each with a shape. */
static void write_row_of_shapes(struct bytes *vox, uint32_t count, const int32_t (*moves)[3], const int32_t *models,
                                uint32_t hidden_node, uint32_t hidden_layer_node)
{
    int32_t children[16];
    for (uint32_t i = 0; i < count; i++)
        children[i] = 10 + (int32_t)i;
    vox_transform(vox, 0, 1, -1, NULL, 0, -1);
    vox_group(vox, 1, children, count);
    for (uint32_t i = 0; i < count; i++) {
        vox_transform(vox, 10 + (int32_t)i, 30 + (int32_t)i, -1, moves[i], i == hidden_node,
                      i == hidden_layer_node ? 5 : 0);
        vox_shape(vox, 30 + (int32_t)i, &models[i], 1);
    }
    vox_layer(vox, 0, 0);
    vox_layer(vox, 5, 1);
}

static const uint32_t one[3] = {1, 1, 1};
static const uint8_t red[1][4] = {{0, 0, 0, 1}}, green[1][4] = {{0, 0, 0, 2}}, blue[1][4] = {{0, 0, 0, 3}};

static void models_are_shared_and_hidden_ones_left_out(void **state)
{
    (void)state;
    static const int32_t moves[5][3] = {{0, 0, 0}, {5, 0, 0}, {-900, 900, 100}, {7, 0, 0}, {9, 0, 0}};
    static const int32_t models[5] = {0, 0, 1, 1, 0};
    struct bytes vox = {0};
    vox_begin(&vox, 200);
    vox_model(&vox, one, red, 1);
    vox_model(&vox, one, green, 1);
    write_row_of_shapes(&vox, 5, moves, models, 3, 4);
    vox_finish(&vox);
    struct adit_world *world = parse(&vox);
    assert_non_null(world);
    assert_int_equal(count_voxels(world), 3);
    assert_int_equal(colour_at(world, 0, 0, -1), 1);
    assert_int_equal(colour_at(world, 5, 0, -1), 1);
    assert_int_equal(colour_at(world, -900, 100, -901), 2);
    assert_int_equal(colour_at(world, 7, 0, -1), 0);
    assert_int_equal(colour_at(world, 9, 0, -1), 0);
    assert_int_equal(world->chunk_min[0], -15);
    assert_false(adit_world_has_chunk(world, -8, 0, -8));
    adit_world_close(world);
    bytes_free(&vox);
}

static void where_models_overlap_the_later_wins(void **state)
{
    (void)state;
    static const int32_t moves[3][3] = {{4, 4, 4}, {4, 4, 4}, {4, 4, 4}};
    static const int32_t models[3] = {0, 2, 1};
    struct bytes vox = {0};
    vox_begin(&vox, 200);
    vox_model(&vox, one, red, 1);
    vox_model(&vox, one, green, 1);
    vox_model(&vox, one, blue, 1);
    write_row_of_shapes(&vox, 3, moves, models, 99, 99);
    vox_finish(&vox);
    struct adit_world *world = parse(&vox);
    assert_non_null(world);
    assert_int_equal(count_voxels(world), 1);
    assert_int_equal(colour_at(world, 4, 4, -5), 2);
    adit_world_close(world);
    bytes_free(&vox);
}

static void models_without_a_scene_stand_side_by_side(void **state)
{
    (void)state;
    struct bytes vox = {0};
    vox_begin(&vox, 150);
    for (int i = 0; i < 70; i++) { /* 70 * 31 voxels: more than one row */
        const uint32_t size[3] = {30, 2, 1};
        vox_model(&vox, size, i % 2 ? red : green, 1);
    }
    vox_finish(&vox);
    struct adit_world *world = parse(&vox);
    assert_non_null(world);
    assert_int_equal(world->warning_count, 0);
    assert_int_equal(count_voxels(world), 70);
    assert_int_equal(colour_at(world, 0, 0, 1), 2);
    assert_int_equal(colour_at(world, 31, 0, 1), 1);
    adit_world_close(world);
    bytes_free(&vox);
}

/* A model of the largest size with more voxels than one cell, against a plain array. */
static void a_large_model_is_whole_wherever_it_stands(void **state)
{
    (void)state;
    const uint32_t size[3] = {256, 256, 256}, count = 20000;
    uint8_t(*voxels)[4] = malloc(count * sizeof(*voxels));
    uint8_t *plain = calloc(1, 256 * 256 * 256);
    assert_true(voxels && plain);
    uint32_t random = 1, solid = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (int a = 0; a < 4; a++) {
            random = random * 1664525 + 1013904223;
            voxels[i][a] = (uint8_t)(random >> 24);
        }
        if (i % 10 == 9) /* some twice: the later counts */
            memcpy(voxels[i], voxels[i - 9], 3);
        if (!voxels[i][3])
            voxels[i][3] = 1;
        uint8_t *place = &plain[voxels[i][0] | voxels[i][1] << 8 | voxels[i][2] << 16];
        solid += !*place;
        *place = voxels[i][3];
    }
    static const int32_t moves[1][3] = {{77, -300, 45}};
    struct bytes vox = {0};
    vox_begin(&vox, 200);
    vox_model(&vox, size, voxels, count);
    vox_transform(&vox, 0, 1, 1 | 2 << 2 | 5 << 4, moves[0], 0, -1);
    vox_shape(&vox, 1, (const int32_t[]){0}, 1);
    vox_finish(&vox);
    struct adit_world *world = parse(&vox);
    assert_non_null(world);
    assert_int_equal(count_voxels(world), solid);
    for (uint32_t i = 0; i < count; i += 37) {
        const int32_t rotation = 1 | 2 << 2 | 5 << 4;
        int32_t at[3];
        expected_place(size, voxels[i], &rotation, moves, 1, at);
        assert_int_equal(colour_at(world, at[0], at[1], at[2]),
                         plain[voxels[i][0] | voxels[i][1] << 8 | voxels[i][2] << 16]);
    }
    adit_world_close(world);
    bytes_free(&vox);
    free(voxels);
    free(plain);
}

static void a_circle_and_deep_nesting_are_refused(void **state)
{
    (void)state;
    struct bytes vox = {0};
    vox_begin(&vox, 200);
    vox_model(&vox, one, red, 1);
    vox_transform(&vox, 0, 1, -1, NULL, 0, -1);
    vox_group(&vox, 1, (const int32_t[]){2}, 1);
    vox_transform(&vox, 2, 1, -1, NULL, 0, -1);
    vox_finish(&vox);
    assert_null(parse(&vox));
    assert_int_equal(parse_result, -EBADMSG);
    assert_non_null(strstr(error_line, "test.vox: its scene runs in a circle at node 1"));
    for (int depth = 254; depth <= 255; depth++) { /* and the shape at its end */
        vox.size = 0;
        vox_begin(&vox, 200);
        vox_model(&vox, one, red, 1);
        for (int32_t i = 0; i <= depth; i++)
            vox_transform(&vox, i, i + 1, -1, (const int32_t[]){1, 0, 0}, 0, -1);
        vox_shape(&vox, depth + 1, (const int32_t[]){0}, 1);
        vox_finish(&vox);
        struct adit_world *world = parse(&vox);
        assert_true(depth == 254 ? world != NULL
                                 : parse_result == -EFBIG && strstr(error_line, "nested more than 256"));
        if (world)
            assert_int_equal(colour_at(world, 255, 0, -1), 1);
        adit_world_close(world);
    }
    /* Each group names the next twice: 2^24 nodes when unfolded. */
    vox.size = 0;
    vox_begin(&vox, 200);
    vox_model(&vox, one, red, 1);
    for (int32_t i = 0; i < 24; i++)
        vox_group(&vox, i, (const int32_t[]){i + 1, i + 1}, 2);
    vox_finish(&vox);
    assert_null(parse(&vox));
    assert_int_equal(parse_result, -EFBIG);
    bytes_free(&vox);
}

static void what_is_missing_is_named_and_the_rest_kept(void **state)
{
    (void)state;
    static const uint8_t odd[3][4] = {{0, 0, 0, 1}, {1, 0, 0, 1}, {0, 0, 0, 0}};
    struct bytes vox = {0};
    vox_begin(&vox, 200);
    vox_model(&vox, one, odd, 3);
    vox_group(&vox, 0, (const int32_t[]){1, 2, 3, 77, 5}, 5);
    vox_shape(&vox, 1, (const int32_t[]){0}, 1);
    vox_shape(&vox, 2, (const int32_t[]){8}, 1);
    vox_shape(&vox, 3, NULL, 0);
    vox_transform(&vox, 5, 1, -1, (const int32_t[]){100000, 0, 0}, 0, -1);
    vox_finish(&vox);
    struct adit_world *world = parse(&vox);
    assert_non_null(world);
    assert_int_equal(count_voxels(world), 1);
    assert_true(has_warning(world, "test.vox: 2 voxels of model 0 lie outside it or have colour 0"));
    assert_true(has_warning(world, "scene node 2 shows model 8 of 1"));
    assert_true(has_warning(world, "scene node 0 has a child 77 that is not there"));
    assert_true(has_warning(world, "more than 4096 voxels from the origin"));
    assert_int_equal(world->warning_count, 4);
    assert_int_equal(world->parts_skipped, 3);
    assert_int_equal(world->models_far, 1);
    adit_world_close(world);
    bytes_free(&vox);
}

/* A model, and a scene whose only way is a reference that leads nowhere, to a model that is not there, too far, or to voxels all lost. */
static void a_scene_that_leads_nowhere_is_refused_in_one_line(void **state)
{
    (void)state;
    static const uint8_t outside[1][4] = {{3, 0, 0, 10}};
    static const struct {
        int32_t child, model, move;
        int result;
        const char *line;
    } cases[] = {
        {77, 0, 0, -EBADMSG, "test.vox: its scene shows nothing: scene node 0 has a child 77 that is not there: export it again"},
        {1, 8, 0, -EBADMSG, "test.vox: its scene shows nothing: scene node 1 shows model 8 of 1: export it again"},
        {1, 0, 100000, -EFBIG, "test.vox: its scene shows nothing: model 0 is placed more than 4096 voxels from the origin: move it closer"},
        {1, 1, 0, -EBADMSG, "test.vox: its scene shows nothing: 1 voxels of model 1 lie outside it or have colour 0: export it again"},
    };
    struct bytes vox = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        vox.size = 0;
        vox_begin(&vox, 200);
        vox_model(&vox, one, red, 1);
        if (cases[i].model == 1)
            vox_model(&vox, one, outside, 1);
        vox_transform(&vox, 0, cases[i].child, -1, (const int32_t[]){cases[i].move, 0, 0}, 0, -1);
        vox_shape(&vox, 1, &cases[i].model, 1);
        vox_finish(&vox);
        assert_null(parse(&vox));
        assert_int_equal(parse_result, cases[i].result);
        assert_int_equal(strncmp(error_line, cases[i].line, strlen(cases[i].line)), 0);
    }
    vox.size = 0; /* hidden is not damaged */
    vox_begin(&vox, 200);
    vox_model(&vox, one, red, 1);
    vox_transform(&vox, 0, 1, -1, NULL, 1, -1);
    vox_shape(&vox, 1, (const int32_t[]){0}, 1);
    vox_finish(&vox);
    struct adit_world *world = parse(&vox);
    assert_non_null(world);
    assert_true(has_warning(world, "its scene shows no voxel"));
    assert_int_equal(world->parts_skipped, 0);
    adit_world_close(world);
    bytes_free(&vox);
}

/* A file with every chunk that is read. */
static void write_rich_file(struct bytes *vox)
{
    static const int32_t moves[2][3] = {{-3, 2, 1}, {8, 0, 0}};
    static const int32_t models[2] = {0, 1};
    uint8_t rgba[1024] = {9};
    vox_begin(vox, 200);
    vox_model(vox, marked_size, marks, 3);
    vox_model(vox, one, red, 1);
    write_row_of_shapes(vox, 2, moves, models, 99, 99);
    vox_chunk(vox, "RGBA", rgba, sizeof(rgba));
    vox_material(vox, 1, "_glass", "_alpha", "0.3");
    vox_chunk(vox, "MATT", "\1\0\0\0\2\0\0\0\0\0\x80?\0\0\0\0", 16);
    vox_finish(vox);
}

static void a_file_without_a_sound_voxel_is_refused_in_one_line(void **state)
{
    (void)state;
    static const uint8_t outside[1][4] = {{3, 0, 0, 10}};
    struct bytes vox = {0};
    vox_begin(&vox, 150);
    vox_model(&vox, marked_size, outside, 1);
    vox_finish(&vox);
    assert_null(parse(&vox));
    assert_int_equal(parse_result, -EBADMSG);
    assert_non_null(strstr(error_line, "test.vox: none of its 1 voxels is sound"));
    bytes_free(&vox);
}

static void a_file_cut_at_any_byte_is_refused_in_one_line(void **state)
{
    (void)state;
    struct bytes vox = {0};
    write_rich_file(&vox);
    struct adit_world *world = parse(&vox);
    assert_non_null(world);
    assert_int_equal(count_voxels(world), 4);
    adit_world_close(world);
    const size_t whole = vox.size;
    for (vox.size = 0; vox.size < whole; vox.size++) {
        assert_null(parse(&vox));
        assert_true(parse_result == -EBADMSG || parse_result == -EINVAL);
        assert_int_equal(strncmp(error_line, "test.vox: ", 10), 0);
        assert_null(strchr(error_line, '\n'));
    }
    bytes_free(&vox);
}

/* The same cuts with the size of MAIN mended each time: now the chunks within are at fault. */
static void chunks_that_say_too_much_are_refused(void **state)
{
    (void)state;
    struct bytes vox = {0};
    write_rich_file(&vox);
    const size_t whole = vox.size;
    uint32_t sound = 0;
    for (vox.size = 20; vox.size < whole; vox.size++) {
        bytes_put_little(&vox, 16, (uint32_t)(vox.size - 20));
        struct adit_world *world = parse(&vox);
        sound += world != NULL; /* cut between two chunks */
        adit_world_close(world);
    }
    assert_true(sound > 3 && sound < 20);
    vox.size = whole;
    for (size_t at = 0; at < whole; at++)
        for (int v = 0; v < 4; v++) {
            static const uint8_t values[] = {0, 1, 0x80, 0xff};
            uint8_t old = vox.data[at];
            vox.data[at] = values[v];
            adit_world_close(parse(&vox));
            vox.data[at] = old;
        }
    bytes_free(&vox);
}

/* Each chunk in turn loses its last byte, with all sizes mended. */
static void chunks_that_hold_less_than_they_say_are_refused(void **state)
{
    (void)state;
    static const char *const kinds[] = {"SIZE", "XYZI", "RGBA", "nTRN", "nGRP", "nSHP", "MATL"};
    struct bytes vox = {0}, cut = {0};
    uint32_t tried = 0;
    write_rich_file(&vox);
    for (size_t at = 20, next; at < vox.size; at = next) {
        uint32_t content;
        memcpy(&content, vox.data + at + 4, 4); /* little-endian, as the machines that run this */
        next = at + 12 + content;
        for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
            if (memcmp(vox.data + at, kinds[k], 4) != 0)
                continue;
            cut.size = 0;
            bytes_add(&cut, vox.data, next - 1);
            bytes_add(&cut, vox.data + next, vox.size - next);
            bytes_put_little(&cut, at + 4, content - 1);
            vox_finish(&cut);
            assert_null(parse(&cut));
            assert_non_null(strstr(error_line, kinds[k]));
            assert_non_null(strstr(error_line, "holds less than it says"));
            tried++;
        }
    }
    assert_true(tried > 10);
    bytes_free(&vox);
    bytes_free(&cut);
}

static void foreign_files_and_versions_are_refused(void **state)
{
    (void)state;
    struct bytes vox = {0};
    vox_begin(&vox, 199);
    assert_null(parse(&vox));
    assert_int_equal(parse_result, -EINVAL);
    assert_non_null(strstr(error_line, "version 199"));
    vox.data[0] = 'v';
    assert_null(parse(&vox));
    assert_non_null(strstr(error_line, "no MagicaVoxel file"));
    vox.size = 0;
    vox_begin(&vox, 150);
    assert_null(parse(&vox));
    assert_non_null(strstr(error_line, "holds no model"));
    const uint32_t huge[3] = {257, 1, 1};
    vox_model(&vox, huge, red, 1);
    vox_finish(&vox);
    assert_null(parse(&vox));
    assert_non_null(strstr(error_line, "chunk SIZE at byte 20 gives a model of more than 256"));
    bytes_free(&vox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_alone_stands_on_the_ground_with_z_up),
        cmocka_unit_test(the_default_palette_is_the_documented_one),
        cmocka_unit_test(the_palette_of_a_file_is_one_index_later),
        cmocka_unit_test(every_rotation_turns_about_the_middle),
        cmocka_unit_test(models_are_shared_and_hidden_ones_left_out),
        cmocka_unit_test(where_models_overlap_the_later_wins),
        cmocka_unit_test(models_without_a_scene_stand_side_by_side),
        cmocka_unit_test(a_large_model_is_whole_wherever_it_stands),
        cmocka_unit_test(a_circle_and_deep_nesting_are_refused),
        cmocka_unit_test(what_is_missing_is_named_and_the_rest_kept),
        cmocka_unit_test(a_scene_that_leads_nowhere_is_refused_in_one_line),
        cmocka_unit_test(a_file_without_a_sound_voxel_is_refused_in_one_line),
        cmocka_unit_test(a_file_cut_at_any_byte_is_refused_in_one_line),
        cmocka_unit_test(chunks_that_say_too_much_are_refused),
        cmocka_unit_test(chunks_that_hold_less_than_they_say_are_refused),
        cmocka_unit_test(foreign_files_and_versions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
