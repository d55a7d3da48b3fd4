/* test_adit_export.c - what `adit run` and `adit watch` make of the options that shape an export. What the files hold then is
 * for test_export_shape and test_mesh_exact; here each option has to arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/adit_called.h"
#include "tests/volume_faces.h"

static void forms_that_cannot_be_had_are_refused_in_one_line(void **state)
{
    (void)state;
    adit_refuses("greedy or exact", ARGV((char *)"run", (char *)"terrain", (char *)"--out", (char *)"x.obj", (char *)"--mode", (char *)"lazy"));
    adit_refuses("x or y or z", ARGV((char *)"run", (char *)"terrain", (char *)"--out", (char *)"x.obj", (char *)"--mirror", (char *)"w"));
    adit_refuses("ccw or cw", ARGV((char *)"watch", (char *)"x", (char *)"--out", (char *)"x.obj", (char *)"--winding", (char *)"left"));
    adit_refuses("give --out", ARGV((char *)"run", (char *)"terrain", (char *)"--no-t-junctions"));
    adit_refuses("has no corners", ARGV((char *)"run", (char *)"terrain", (char *)"--out", (char *)"x.quads", (char *)"--mirror", (char *)"x"));
}

/* Lines of a file that begin with the text, and the least number of sides and largest x among them. */
static uint64_t lines_count(const char *path, const char *start, int *fields, double *x_max)
{
    char line[256];
    uint64_t n = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    *fields = 99;
    *x_max = -1e9;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, start, strlen(start)) != 0)
            continue;
        int words = 0;
        double x;
        for (const char *s = line; *s; s++)
            words += *s == ' ';
        *fields = words < *fields ? words : *fields;
        *x_max = sscanf(line, "v %lf", &x) == 1 && x > *x_max ? x : *x_max;
        n++;
    }
    fclose(file);
    return n;
}

/* The consumer that writes is another process: each option has to reach it. (tried: --mode, --mirror not passed on) */
static void exports_take_the_form_they_are_asked_for(void **state)
{
    (void)state;
    char *obj = spawned_file("w.obj"), *quads = spawned_file("w.quads");
    int sides;
    double x_max;
    json_t *run = adit_json(ARGV((char *)"run", (char *)"terrain:3:2x1x1", (char *)"--out", quads, (char *)"--json", (char *)"--quiet"));
    uint64_t greedy = lines_count(quads, "", &sides, &x_max) - 1; /* a comment is the first */
    assert_int_equal(greedy, number(run, "quads"));
    json_decref(run);
    run = adit_json(ARGV((char *)"run", (char *)"terrain:3:2x1x1", (char *)"--out", quads, (char *)"--mode", (char *)"exact", (char *)"--json", (char *)"--quiet"));
    assert_true(lines_count(quads, "", &sides, &x_max) - 1 < greedy);
    json_decref(run);
    run = adit_json(ARGV((char *)"run", (char *)"terrain:3:2x1x1", (char *)"--out", obj, (char *)"--json", (char *)"--quiet"));
    assert_int_equal(lines_count(obj, "f ", &sides, &x_max), greedy);
    assert_int_equal(sides, 4);
    lines_count(obj, "v ", &sides, &x_max);
    assert_true(x_max > 64);
    json_decref(run);
    run = adit_json(ARGV((char *)"run", (char *)"terrain:3:2x1x1", (char *)"--out", obj, (char *)"--no-t-junctions", (char *)"--mirror", (char *)"x",
                         (char *)"--winding", (char *)"cw", (char *)"--json", (char *)"--quiet"));
    assert_true(lines_count(obj, "f ", &sides, &x_max) > 2 * greedy);
    assert_int_equal(sides, 3);
    lines_count(obj, "v ", &sides, &x_max);
    assert_true(x_max <= 0);
    json_decref(run);
}

/* A volume of several chunks each way, meshed in an arena, has the faces and the ambient occlusion of the whole. (tried: the arena made
 * without ADIT_CREATE_AO; --culled not passed on) */
static void ambient_occlusion_is_that_of_the_whole_volume(void **state)
{
    enum { X = 130, Y = 70, Z = 66 };
    static const char *const more[][3] = {{"--mode", "greedy", "--quiet"}, {"--mode", "exact", "--quiet"}, {"--mode", "culled", "--quiet"},
                                          {"--mode", "culled", "--worker-processes=1"}};
    static uint16_t voxels[X * Y * Z];
    static uint8_t bytes[X * Y * Z];
    uint64_t seed = 3;
    char *raw = spawned_file("v.raw"), *quads = spawned_file("v.quads"), spec[600];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(seed >> 60 & 1 && i ? bytes[i - 1] : seed >> 40 & 1 ? 1 + (seed >> 50) % 5 : 0);
        voxels[i] = bytes[i];
    }
    file_write(raw, bytes, sizeof bytes);
    snprintf(spec, sizeof spec, "%s:%d,%d,%d", raw, X, Y, Z);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        json_t *run = adit_json(ARGV((char *)"run", spec, (char *)"--ao", (char *)"--out", quads, (char *)"--classes=opaque", (char *)"--json",
                                     (char *)more[i][0], (char *)more[i][1], (char *)more[i][2]));
        struct volume v = volume_opaque(voxels, X, Y, Z, 0);
        v.has_ao = true;
        int64_t quads_n, faces = quads_fit(&v, quads, &quads_n);
        assert_int_equal(number(run, "visible_faces"), faces);
        assert_true(!strcmp(more[i][1], "culled") ? quads_n == faces : quads_n < faces);
        json_decref(run);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, adit_home_make, adit_home_remove)

int main(void)
{
#ifdef __SANITIZE_THREAD__
    puts("skipped: ThreadSanitizer cannot follow order through other processes");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        TEST(forms_that_cannot_be_had_are_refused_in_one_line),
        TEST(exports_take_the_form_they_are_asked_for),
        TEST(ambient_occlusion_is_that_of_the_whole_volume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
