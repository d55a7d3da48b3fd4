/* test_mesh_oracle.c - generated volumes: known counts, and the verdict of an oracle written by others where it is there.
 *
 * ../shared/oracle holds voxoracle.c, which knows nothing of this project, and expect_generated.jsonl, from which
 * golden_generated.h was taken. With them every mesh is judged by `voxoracle check`; without them the counts still hold.
 * Files go to build/oracle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/exact.h"
#include "tests/golden_generated.h"
#include "tests/oracle.h"
#include "tests/volumes.h"

#define EXPECTED "../shared/oracle/expect_generated.jsonl"

enum { FULL = 64, BORDER = 1, SEED = 7, INTERIOR = FULL - 2 * BORDER };
static const uint32_t full[3] = { FULL, FULL, FULL };
static const char *const kernel_names[] = { "scalar", "avx2", "avx512" };
enum { KERNELS = sizeof kernel_names / sizeof *kernel_names };

static uint8_t volume[FULL * FULL * FULL], classes[ADIT_MATERIALS];
static uint16_t voxels[ADIT_CHUNK_VOXELS], planes[ADIT_FACES][ADIT_PLANE_VOXELS];
static uint64_t *quads;
static char volume_path[64], quads_path[64]; /* of this process */

static int set_up(void **state)
{
    (void)state;
    quads = malloc(ADIT_MESH_QUADS_MAX * sizeof *quads);
    assert_non_null(quads);
    snprintf(volume_path, sizeof volume_path, "build/oracle/volume.%d", (int)getpid());
    snprintf(quads_path, sizeof quads_path, "build/oracle/quads.%d", (int)getpid());
    oracle_open();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(volume_path);
    unlink(quads_path);
    oracle_close();
    free(quads);
    return 0;
}

/* Makes volume, voxels and planes those of a kind, and writes the volume where the oracle reads it. */
static void make(const char *kind)
{
    uint16_t *plane[ADIT_FACES];
    for (int f = 0; f < ADIT_FACES; f++)
        plane[f] = planes[f];
    assert_int_equal(volume_fill(kind, full, BORDER, SEED, volume), 0);
    volume_split(volume, full, BORDER, voxels, plane);
    FILE *file = fopen(volume_path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(volume, 1, sizeof volume, file), sizeof volume);
    assert_int_equal(fclose(file), 0);
}

static void set_classes(bool is_mixed) /* all opaque, or "t:4;c:7" */
{
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    classes[0] = ADIT_CLASS_AIR;
    if (is_mixed) {
        classes[4] = ADIT_CLASS_TRANSLUCENT;
        classes[7] = ADIT_CLASS_CUTOUT;
    }
}

static struct adit_mesh_result mesh(adit_mesh_kernel *kernel, uint8_t flags)
{
    struct adit_mesh_source source = { .voxels = voxels, .classes = classes, .dim = { INTERIOR, INTERIOR, INTERIOR },
                                       .flags = flags };
    struct adit_mesh_result result = { .quads = quads, .quads_max = ADIT_MESH_QUADS_MAX };
    for (int f = 0; f < ADIT_FACES; f++)
        source.plane[f] = planes[f];
    struct adit_mesh_rim rim;
    volume_rim(volume, full, BORDER, classes, &rim);
    source.rim = &rim;
    assert_int_equal(kernel(&source, &result), 0);
    return result;
}

static struct adit_mesh_result mesh_exact(uint8_t flags)
{
    struct adit_mesh_result result = mesh(adit_mesh_kernel_best(NULL), flags);
    assert_int_equal(adit_mesh_exact(&result), 0);
    return result;
}

static void volumes_are_the_bytes_they_should_be(void **state)
{
    (void)state;
    assert_int_equal(volume_fill("nothing of the kind", full, BORDER, SEED, volume), -EINVAL);
    for (int i = 0; i < GOLDEN_GENERATED; i++) {
        char command[128], line[128];
        make(golden_generated[i].kind);
        snprintf(command, sizeof command, "sha256sum %s", volume_path);
        assert_int_equal(oracle_run(command, line, 65), 0);
        assert_string_equal(line, golden_generated[i].sha256);
    }
}

static void meshes_have_the_counts_that_are_known(void **state)
{
    (void)state;
    for (int i = 0; i < GOLDEN_GENERATED; i++) {
        const struct golden_volume *g = &golden_generated[i];
        uint32_t solid = 0;
        make(g->kind);
        for (uint32_t z = 0; z < INTERIOR; z++)
            for (uint32_t y = 0; y < INTERIOR; y++)
                for (uint32_t x = 0; x < INTERIOR; x++)
                    solid += voxels[(z * 64 + y) * 64 + x] != 0;
        assert_int_equal(solid, g->solid);
        set_classes(false);
        assert_int_equal(mesh_exact(0).start[ADIT_MESH_RANGES], g->optimum);
        assert_int_equal(mesh_exact(ADIT_MESH_CULLED).start[ADIT_MESH_RANGES], g->optimum);
        set_classes(*g->classes);
        assert_int_equal(mesh_exact(0).start[ADIT_MESH_RANGES], g->class_optimum);
        assert_int_equal(mesh_exact(0).faces, g->class_visible);
        for (int k = 0; k < KERNELS; k++) {
            adit_mesh_kernel *kernel = adit_mesh_kernel_named(kernel_names[k]);
            if (!kernel)
                continue;
            set_classes(false);
            assert_int_equal(mesh(kernel, 0).start[ADIT_MESH_RANGES], g->greedy);
            assert_int_equal(mesh(kernel, 0).faces, g->visible);
            assert_int_equal(mesh(kernel, ADIT_MESH_CULLED).start[ADIT_MESH_RANGES], g->visible);
            assert_int_equal(mesh(kernel, ADIT_MESH_AO).start[ADIT_MESH_RANGES], g->ao_greedy);
            assert_int_equal(mesh(kernel, ADIT_MESH_AO).faces, g->visible);
            if (!*g->classes)
                continue;
            assert_string_equal(g->classes, "t:4;c:7");
            set_classes(true);
            assert_int_equal(mesh(kernel, 0).start[ADIT_MESH_RANGES], g->class_greedy);
            assert_int_equal(mesh(kernel, 0).faces, g->class_visible);
            assert_int_equal(mesh(kernel, ADIT_MESH_CULLED).faces, g->class_visible);
        }
    }
}

static unsigned long optimum_of(const char *text) /* the first one there */
{
    static const char name[] = "\"optimum\":";
    const char *at = strstr(text, name);
    assert_non_null(at);
    return strtoul(at + sizeof name - 1, NULL, 10);
}

static void the_golden_header_says_what_the_oracle_expects(void **state)
{
    (void)state;
    FILE *file = fopen(EXPECTED, "r");
    if (!file)
        skip();
    char line[4096];
    int n = 0;
    for (; fgets(line, sizeof line, file); n++) {
        char start[256], count[128], class_count[256];
        assert_true(n < GOLDEN_GENERATED);
        const struct golden_volume *g = &golden_generated[n];
        snprintf(start, sizeof start,
                 "{\"kind\":\"%s\",\"dim\":[64,64,64],\"border\":1,\"seed\":7,\"sha256\":\"%s\","
                 "\"count\":{\"dim\":[62,62,62],\"solid\":%u,", g->kind, g->sha256, g->solid);
        assert_memory_equal(line, start, strlen(start));
        snprintf(count, sizeof count, ",\"visible\":%u,\"greedy\":%u,\"greedy_t\":", g->visible, g->greedy);
        const char *end = strstr(line, "\"ao\":"), *found = strstr(line, count);
        assert_true(end && found && found < end);
        assert_int_equal(optimum_of(found), g->optimum);
        snprintf(count, sizeof count, ",\"visible\":%u,\"greedy\":%u,", g->visible, g->ao_greedy);
        assert_non_null(strstr(end, count));
        assert_non_null(end = strstr(line, "\"class\":"));
        snprintf(class_count, sizeof class_count, "\"class\":\"%s\",", g->classes);
        assert_memory_equal(end, class_count, strlen(class_count));
        snprintf(class_count, sizeof class_count, ",\"visible\":%u,\"greedy\":%u,", g->class_visible, g->class_greedy);
        assert_non_null(found = strstr(end, class_count));
        assert_int_equal(optimum_of(found), g->class_optimum);
    }
    fclose(file);
    assert_int_equal(n, GOLDEN_GENERATED);
}

static void write_quads(const struct adit_mesh_result *result, bool has_ao)
{
    FILE *file = fopen(quads_path, "w");
    assert_non_null(file);
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        for (uint32_t i = result->start[range]; i < result->start[range + 1]; i++) {
            uint64_t q = result->quads[i];
            uint32_t ao = adit_quad_ao(q);
            fprintf(file, "%u %u %u %u %u %u %u", range / ADIT_MESH_CLASSES, adit_quad_x(q), adit_quad_y(q),
                    adit_quad_z(q), adit_quad_w(q), adit_quad_h(q), adit_quad_material(q));
            if (has_ao)
                fprintf(file, " %u %u %u %u", ao & 3, ao >> 2 & 3, ao >> 4 & 3, ao >> 6);
            fputc('\n', file);
        }
    }
    assert_int_equal(fclose(file), 0);
}

/* The verdict of voxoracle on a mesh of the volume that make() made. It takes far longer than the mesh, and AddressSanitizer judges the making:
 * with it one kind is shown. */
static void judge(const char *kind, bool is_mixed, uint8_t flags, const struct adit_mesh_result *result)
{
    char command[512], line[128];
#ifdef __SANITIZE_ADDRESS__
    if (strcmp(kind, "glass") != 0)
        return;
#endif
    write_quads(result, flags & ADIT_MESH_AO);
    snprintf(command, sizeof command, "%s check --vol %s --dim %d,%d,%d --border %d --quads %s %s %s %s %s", oracle_program(),
             volume_path, FULL, FULL, FULL, BORDER, quads_path, is_mixed ? "--class 't:4;c:7'" : "",
             flags & ADIT_MESH_TT_NONE ? "--tt none" : "", flags & ADIT_MESH_CULLED ? "" : "--maximal --ratio 1", flags & ADIT_MESH_AO ? "--ao" : "");
    int rc = oracle_run(command, line, sizeof line);
    if (rc || strncmp(line, "PASS", 4) != 0)
        fail_msg("%s%s, flags %d: %s", kind, is_mixed ? " with classes" : "", flags, line);
}

/* On the best kernel's mesh, and on the exact one made of it. */
static void judge_both(const char *kind, bool is_mixed, uint8_t flags)
{
    set_classes(is_mixed);
    struct adit_mesh_result result = mesh(adit_mesh_kernel_best(NULL), flags);
    judge(kind, is_mixed, flags, &result);
    assert_int_equal(adit_mesh_exact(&result), 0);
    judge(kind, is_mixed, flags & ADIT_MESH_TT_NONE, &result);
    result = mesh(adit_mesh_kernel_best(NULL), flags | ADIT_MESH_AO);
    judge(kind, is_mixed, flags | ADIT_MESH_AO, &result);
    assert_int_equal(adit_mesh_exact(&result), 0);
    judge(kind, is_mixed, flags | ADIT_MESH_AO | ADIT_MESH_CULLED, &result); /* what a culled mesh has uneven stays in single faces */
}

static void the_oracle_passes_every_kind(void **state)
{
    (void)state;
    if (!oracle_program())
        skip();
    for (int i = 0; i < GOLDEN_GENERATED; i++) {
        make(golden_generated[i].kind);
        judge_both(golden_generated[i].kind, false, 0);
        judge_both(golden_generated[i].kind, true, 0);
    }
    for (uint8_t flags = 1; flags < 4; flags++) {
        make("glass");
        judge_both("glass", true, flags);
        make("terrain");
        judge_both("terrain", true, flags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volumes_are_the_bytes_they_should_be),
        cmocka_unit_test(meshes_have_the_counts_that_are_known),
        cmocka_unit_test(the_golden_header_says_what_the_oracle_expects),
        cmocka_unit_test(the_oracle_passes_every_kind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
