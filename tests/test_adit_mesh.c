/* test_adit_mesh.c - `adit mesh` as its users meet it: a volume of any size, its options, what it writes. The faces are counted one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <png.h>

#include "kernels/mesh.h"
#include "tests/adit_called.h"
#include "tests/volume_faces.h"

/* Materials 0..5 at random, air half of the time; in runs, so that there is something to merge. */
static uint16_t *random_volume(int x, int y, int z, uint64_t seed)
{
    size_t n = (size_t)x * (size_t)y * (size_t)z;
    uint16_t *v = malloc(n * sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint16_t m = (uint16_t)(seed >> 60 & 1 ? 1 + (seed >> 40) % 5 : 0);
        v[i] = seed >> 50 & 1 && i ? v[i - 1] : m;
    }
    return v;
}

static void a_volume_in_pieces_is_meshed_as_one(void **state)
{
    (void)state;
    static const struct {
        int dim[3];
        int border;
        bool wide, classes, tt_none, ao;
        const char *mode;
    } cases[] = {
        {{70, 66, 65}, 0, false, false, false, false, "greedy"}, {{67, 131, 5}, 1, false, true, false, false, "greedy"},
        {{5, 66, 66}, 1, true, true, true, false, "greedy"},     {{65, 3, 130}, 0, true, false, false, false, "culled"},
        {{1, 1, 1}, 0, false, false, false, false, "exact"},     {{3, 3, 3}, 1, false, true, true, false, "culled"},
        {{70, 66, 65}, 0, false, false, false, false, "exact"},  {{5, 66, 66}, 1, true, true, true, false, "exact"},
        {{70, 66, 65}, 0, false, false, false, true, "greedy"},  {{67, 131, 68}, 1, false, true, false, true, "greedy"},
        {{66, 3, 130}, 1, true, false, false, true, "culled"},   {{5, 66, 66}, 1, true, true, true, true, "exact"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int *d = cases[i].dim;
        size_t n = (size_t)d[0] * (size_t)d[1] * (size_t)d[2];
        uint16_t *voxels = random_volume(d[0], d[1], d[2], i + 1);
        uint8_t *bytes = malloc(2 * n);
        for (size_t k = 0; k < n; k++) {
            if (cases[i].wide)
                memcpy(bytes + 2 * k, &voxels[k], 2);
            else
                bytes[k] = (uint8_t)voxels[k];
        }
        char dim[32], *raw = spawned_file("v.raw"), *quads = spawned_file("v.quads");
        snprintf(dim, sizeof dim, "%d,%d,%d", d[0], d[1], d[2]);
        file_write(raw, bytes, n * (cases[i].wide ? 2 : 1));
        char *argv[24] = {(char *)"adit", (char *)"mesh", raw, (char *)"--dim", dim, (char *)"--quads", quads, (char *)"--json"};
        size_t k = 8;
        argv[k++] = (char *)(cases[i].border ? "--border=1" : "--border=0");
        if (cases[i].wide)
            argv[k++] = (char *)"--u16";
        if (cases[i].classes)
            argv[k++] = (char *)"--classes=t:2-3;c:4";
        if (strcmp(cases[i].mode, "greedy") != 0) { /* which is the default */
            argv[k++] = (char *)"--mode";
            argv[k++] = (char *)cases[i].mode;
        }
        if (cases[i].ao)
            argv[k++] = (char *)"--ao";
        if (cases[i].tt_none)
            argv[k++] = (char *)"--tt=none";
        json_t *j = adit_json(argv);
        int b = cases[i].border;
        struct volume v = volume_opaque(voxels, d[0] - 2 * b, d[1] - 2 * b, d[2] - 2 * b, b);
        if (cases[i].classes) {
            v.classes[2] = v.classes[3] = ADIT_CLASS_TRANSLUCENT;
            v.classes[4] = ADIT_CLASS_CUTOUT;
        }
        v.tt_none = cases[i].tt_none;
        v.has_ao = cases[i].ao;
        int64_t quads_n, faces = quads_fit(&v, quads, &quads_n);
        assert_int_equal(number(j, "visible_faces"), faces);
        assert_int_equal(number(j, "quads"), quads_n);
        assert_true(!strcmp(cases[i].mode, "culled") ? quads_n == faces : faces < 100 || quads_n < faces);
        json_decref(j);
        free(bytes);
        free(voxels);
    }
}

static void the_exact_mode_needs_fewer_quads_than_greedy(void **state)
{
    (void)state;
    enum { X = 70, Y = 20, Z = 3 };
    uint16_t *voxels = random_volume(X, Y, Z, 3);
    uint8_t bytes[X * Y * Z];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = voxels[i] != 0;
    char *raw = spawned_file("v.raw");
    file_write(raw, bytes, sizeof bytes);
    json_t *greedy = adit_json(ARGV((char *)"mesh", raw, (char *)"--dim=70,20,3", (char *)"--mode=greedy", (char *)"--json"));
    json_t *exact = adit_json(ARGV((char *)"mesh", raw, (char *)"--dim=70,20,3", (char *)"--mode=exact", (char *)"--json"));
    assert_int_equal(number(greedy, "visible_faces"), number(exact, "visible_faces"));
    assert_true(number(exact, "quads") < number(greedy, "quads"));
    json_decref(greedy);
    json_decref(exact);
    free(voxels);
}

/* The volume at half its length: air if fewer than four of a cell's voxels are not, else what most of them are, the lowest of several. */
static uint16_t *volume_halve(const struct volume *v, int n[3])
{
    for (int a = 0; a < 3; a++)
        n[a] = (v->n[a] + 1) / 2;
    uint16_t *halved = calloc((size_t)n[0] * (size_t)n[1] * (size_t)n[2], sizeof *halved), *to = halved;
    assert_non_null(halved);
    for (int z = 0; z < n[2]; z++)
        for (int y = 0; y < n[1]; y++)
            for (int x = 0; x < n[0]; x++, to++) {
                int count[6] = {0}; /* of the materials of random_volume */
                for (int i = 0; i < 8; i++)
                    count[voxel_at(v, 2 * x + (i & 1), 2 * y + (i >> 1 & 1), 2 * z + (i >> 2))]++;
                for (uint16_t m = 1; m < 6 && count[0] <= 4; m++)
                    if (!*to || count[m] > count[*to])
                        *to = count[m] ? m : *to;
            }
    return halved;
}

/* (tried: tiles of the second column written beside where they belong; the last layer of an odd number left out) */
static void a_volume_is_halved_before_it_is_meshed(void **state)
{
    (void)state;
    const int d[3] = {135, 66, 131};
    uint16_t *voxels = random_volume(d[0], d[1], d[2], 9);
    struct volume v = volume_opaque(voxels, d[0], d[1], d[2], 0);
    char *raw = spawned_file("whole.raw"), *quads = spawned_file("halved.quads");
    file_write(raw, voxels, 2 * (size_t)d[0] * (size_t)d[1] * (size_t)d[2]);
    for (int lod = 1; lod <= 9; lod++) {
        char text[24];
        int n[3];
        snprintf(text, sizeof text, "--lod=%d", lod);
        uint16_t *halved = volume_halve(&v, n);
        v = volume_opaque(halved, n[0], n[1], n[2], 0);
        free(voxels);
        voxels = halved;
        if (lod > 3 && lod < 8)
            continue;
        json_t *j = adit_json(ARGV((char *)"mesh", raw, (char *)"--u16", (char *)"--dim", (char *)"135,66,131", text,
                                   (char *)(lod & 1 ? "--tier=scalar" : "--quiet"), (char *)"--quads", quads, (char *)"--json"));
        int64_t quads_n, faces = quads_fit(&v, quads, &quads_n);
        assert_int_equal(number(j, "lod"), lod);
        assert_int_equal(number(j, "visible_faces"), faces);
        assert_int_equal(number(j, "quads"), quads_n);
        assert_true(lod > 2 || faces > 1000);
        json_decref(j);
    }
    free(voxels);
    const char *was = getenv("TMPDIR");
    char *saved = was ? strdup(was) : NULL;
    setenv("TMPDIR", quads, 1); /* a file, not a folder */
    adit_refuses("in TMPDIR", ARGV((char *)"mesh", raw, (char *)"--u16", (char *)"--dim", (char *)"135,66,131", (char *)"--lod=1"));
    unsetenv("TMPDIR");
    if (saved)
        setenv("TMPDIR", saved, 1);
    free(saved);
    adit_refuses("cannot be halved", ARGV((char *)"mesh", raw, (char *)"--dim", (char *)"135,66,131", (char *)"--lod=1", (char *)"--border=1"));
    adit_refuses("lod", ARGV((char *)"mesh", raw, (char *)"--dim", (char *)"135,66,131", (char *)"--lod=13"));
}

/* An atlas as it was written; the caller frees its texels. */
static void png_read(const char *path, struct volume *v)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.format, PNG_FORMAT_LINEAR_Y); /* 16 bits of grey, as they are */
    uint16_t *texels = malloc(PNG_IMAGE_SIZE(image));
    assert_non_null(texels);
    assert_true(png_image_finish_read(&image, NULL, texels, 0, NULL));
    v->atlas.texels = texels;
    v->atlas.width = (int)image.width;
    v->atlas.height = (int)image.height;
}

/* A volume of materials in cells of 7 voxels, with holes. Light in cells of 5, also in the bits that do not count. */
static void cells_fill(uint16_t *voxels, uint16_t *light, const int d[3], uint16_t materials)
{
    uint32_t at = 0;
    for (int z = 0; z < d[2]; z++)
        for (int y = 0; y < d[1]; y++)
            for (int x = 0; x < d[0]; x++, at++) {
                bool is_air = y > d[1] / 2 + (x / 3 + z / 4) % 3 || (x * 31 + y * 17 + z * 13) % 101 == 0;
                voxels[at] = (uint16_t)(is_air ? 0 : 1 + (x / 7 + y / 7 * 3 + z / 7 * 5) % materials);
                light[at] = (uint16_t)((x / 5 + y / 5 + z / 5) % 16 * 64 + (int)(at % 3 << 14));
            }
}

/* (tried: pieces one upon the other in the atlas, or all in its first column; flat quads said to be as large as they are; 8 bits of grey; light planes left
 * out, and those of opposite faces exchanged; voxels for light) */
static void quads_of_any_material_have_it_in_the_atlas_and_light_is_kept_apart(void **state)
{
    (void)state;
    static const struct {
        int dim[3], border;
        bool any, ao, light, classes;
    } cases[] = {
        {{70, 66, 65}, 0, true, false, false, false}, {{67, 131, 68}, 1, true, false, false, true}, {{66, 66, 130}, 1, true, true, true, true},
        {{70, 66, 65}, 0, false, false, true, true},  {{67, 131, 68}, 1, false, true, true, false}, {{3, 2, 3}, 0, true, false, true, false},
        {{1200, 9, 5}, 0, true, false, false, true},  {{5, 5, 5}, 1, true, true, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int *d = cases[i].dim, b = cases[i].border;
        size_t n = (size_t)d[0] * (size_t)d[1] * (size_t)d[2];
        uint16_t *voxels = malloc(n * sizeof *voxels), *light = malloc(n * sizeof *light);
        assert_true(voxels && light);
        cells_fill(voxels, light, d, 200);
        char dim[32], *raw = spawned_file("v.raw"), *bright = spawned_file("l.raw"), *quads = spawned_file("v.quads"), *png = spawned_file("v.PNG");
        snprintf(dim, sizeof dim, "%d,%d,%d", d[0], d[1], d[2]);
        file_write(raw, voxels, n * sizeof *voxels);
        file_write(bright, light, n * sizeof *light);
        char *argv[24] = {(char *)"adit", (char *)"mesh", raw, (char *)"--u16", (char *)"--dim", dim, (char *)"--quads", quads, (char *)"--json"};
        size_t k = 9;
        argv[k++] = (char *)(b ? "--border=1" : "--border=0");
        argv[k++] = (char *)(cases[i].any ? "--merge=any" : "--merge=material");
        if (cases[i].any)
            argv[k++] = (char *)"--atlas", argv[k++] = png;
        if (cases[i].ao)
            argv[k++] = (char *)"--ao";
        if (cases[i].light)
            argv[k++] = (char *)"--light", argv[k++] = bright;
        if (cases[i].classes)
            argv[k++] = (char *)"--classes=t:2-30;c:44-60";
        json_t *j = adit_json(argv);
        struct volume v = volume_opaque(voxels, d[0] - 2 * b, d[1] - 2 * b, d[2] - 2 * b, b);
        if (cases[i].classes) {
            memset(v.classes + 2, ADIT_CLASS_TRANSLUCENT, 29);
            memset(v.classes + 44, ADIT_CLASS_CUTOUT, 17);
        }
        v.any_opaque = cases[i].any;
        v.has_ao = cases[i].ao;
        v.light = cases[i].light ? light : NULL;
        if (cases[i].any) {
            png_read(png, &v);
            assert_int_equal(number(j, "atlas_width"), v.atlas.width);
            assert_int_equal(number(j, "atlas_height"), v.atlas.height);
            assert_true(d[0] < 1024 || v.atlas.width == 1024); /* sixteen columns for nineteen pieces */
            assert_true(number(j, "atlas_texels") <= (int64_t)v.atlas.width * v.atlas.height);
        }
        int64_t quads_n, faces = quads_fit(&v, quads, &quads_n);
        assert_int_equal(number(j, "visible_faces"), faces);
        assert_int_equal(number(j, "quads"), quads_n);
        json_decref(j);
        free((void *)v.atlas.texels);
        free(voxels);
        free(light);
    }
}

/* The greedy counts of one wall in two materials and two lights, by hand. */
static void what_quads_share_is_what_was_asked_for(void **state)
{
    (void)state;
    char *raw = spawned_file("wall.raw"), *light = spawned_file("light.raw"), *png = spawned_file("a.png");
    const uint16_t bright[12] = {0, 0, 0, 0, 0, 0, 0, 0, 5, 5, 1029, 2}; /* above the voxels; 1029 is 5 in its ten bits */
    struct spawned run;
    file_write(raw, "\0\0\0\0\1\1\2\2\0\0\0\0", 12); /* 4 x 1 x 3: a wall of which one sees z = 1 */
    file_write(light, bright, sizeof bright);
    char *quads = (char *)"--quads=-", *dim = (char *)"--dim=4,1,3", *border = (char *)"--border=0";
    adit_want(0, ARGV((char *)"mesh", raw, dim, border, quads, (char *)"--merge=any", (char *)"--atlas", png), &run);
    assert_string_equal(run.out, "0 0 0 1 1 1 1 0 0 1 1\n1 3 0 1 1 1 2 1 0 1 1\n2 0 0 1 4 1 1 14 0 4 1\n3 0 0 1 4 1 1 10 0 4 1\n"
                                 "4 0 0 1 4 1 1 6 0 4 1\n5 0 0 1 4 1 1 2 0 4 1\n");
    spawned_free(&run);
    adit_want(0, ARGV((char *)"mesh", raw, dim, quads, (char *)"--merge=any", (char *)"--light", light), &run);
    assert_string_equal(run.out, "0 0 0 1 1 1 1 0\n1 3 0 1 1 1 2 0\n2 0 0 1 4 1 1 0\n3 0 0 1 4 1 1 0\n4 0 0 1 4 1 1 0\n5 0 0 1 3 1 1 5\n5 3 0 1 1 1 2 2\n");
    spawned_free(&run);
    adit_refuses("add --merge any", ARGV((char *)"mesh", raw, dim, quads, (char *)"--atlas", png));
    adit_refuses("add --quads", ARGV((char *)"mesh", raw, dim, (char *)"--merge=any", (char *)"--atlas", png));
    adit_refuses("end the name in .png", ARGV((char *)"mesh", raw, dim, quads, (char *)"--merge=any", (char *)"--atlas=a.jpg"));
    adit_refuses("a name of its own", ARGV((char *)"mesh", raw, dim, (char *)"--quads", png, (char *)"--merge=any", (char *)"--atlas", png));
    adit_refuses("only greedy merges", ARGV((char *)"mesh", raw, dim, (char *)"--merge=any", (char *)"--mode=exact"));
    adit_refuses("only greedy merges", ARGV((char *)"mesh", raw, dim, (char *)"--merge=any", (char *)"--mode=culled"));
    adit_refuses("material or any", ARGV((char *)"mesh", raw, dim, (char *)"--merge=colour"));
    adit_refuses("light is not halved", ARGV((char *)"mesh", raw, dim, (char *)"--lod=1", (char *)"--light", light));
    adit_refuses("asks for 24", ARGV((char *)"mesh", raw, dim, (char *)"--light", raw));
    adit_refuses("that is the light", ARGV((char *)"mesh", raw, dim, (char *)"--light", light, (char *)"--quads", light));
}

/* Thin layers of a thousand materials, so that all of their faces are in patches. */
static void an_atlas_that_is_too_large_is_refused(void **state)
{
    (void)state;
    enum { X = 128, Y = 64, Z = 2112 };
    uint16_t *voxels = calloc((size_t)X * Y * Z, sizeof *voxels);
    assert_non_null(voxels);
    for (size_t i = 0; i < (size_t)X * Y * Z; i++)
        voxels[i] = (uint16_t)(i / X % 2 ? 0 : 1 + i % 1000);
    char *raw = spawned_file("large.raw"), *png = spawned_file("large.png"), *quads = spawned_file("large.quads");
    struct spawned run;
    file_write(raw, voxels, (size_t)X * Y * Z * sizeof *voxels);
    free(voxels);
    adit_want(2, ARGV((char *)"mesh", raw, (char *)"--u16", (char *)"--dim=128,64,2112", (char *)"--quads", quads, (char *)"--merge=any",
                      (char *)"--atlas", png), &run);
    assert_non_null(strstr(run.err, "more than 16384 rows of 1024 texels"));
    assert_true(access(png, F_OK) && access(quads, F_OK));
    spawned_free(&run);
}

static void quads_go_to_stdout_when_asked(void **state)
{
    (void)state;
    char *raw = spawned_file("one.raw");
    struct spawned run;
    file_write(raw, "\7", 1);
    adit_want(0, ARGV((char *)"mesh", raw, (char *)"--dim", (char *)"1,1,1", (char *)"--quads", (char *)"-"), &run);
    assert_string_equal(run.out, "0 0 0 0 1 1 7\n1 0 0 0 1 1 7\n2 0 0 0 1 1 7\n3 0 0 0 1 1 7\n4 0 0 0 1 1 7\n5 0 0 0 1 1 7\n");
    spawned_free(&run);
    adit_want(1, ARGV((char *)"mesh", raw, (char *)"--dim", (char *)"1,1,1", (char *)"--quads", (char *)"/dev/full"), &run);
    assert_non_null(strstr(run.err, "/dev/full"));
    spawned_free(&run);
    adit_refuses("both want stdout", ARGV((char *)"mesh", raw, (char *)"--dim", (char *)"1,1,1", (char *)"--quads", (char *)"-", (char *)"--json"));
    adit_refuses("has 1 bytes", ARGV((char *)"mesh", raw, (char *)"--dim", (char *)"1,1,2"));
    adit_refuses("each side needs 3", ARGV((char *)"mesh", raw, (char *)"--dim", (char *)"1,1,1", (char *)"--border", (char *)"1"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, adit_home_make, adit_home_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_volume_in_pieces_is_meshed_as_one),
        TEST(the_exact_mode_needs_fewer_quads_than_greedy),
        TEST(a_volume_is_halved_before_it_is_meshed),
        TEST(quads_of_any_material_have_it_in_the_atlas_and_light_is_kept_apart),
        TEST(what_quads_share_is_what_was_asked_for),
        TEST(an_atlas_that_is_too_large_is_refused),
        TEST(quads_go_to_stdout_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
