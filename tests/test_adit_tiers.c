/* test_adit_tiers.c - `adit tiers` as its users meet it: a table for people, an object for programs, kept for the next call. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/adit_called.h"

#define TIERS(...) ARGV((char *)"tiers", __VA_ARGS__)
#define NOTHING ((char *)"--quiet")

static const json_t *tier_of(const json_t *root, const char *name)
{
    size_t i;
    const json_t *tier;
    json_array_foreach(json_object_get(root, "tiers"), i, tier)
        if (!strcmp(json_string_value(json_object_get(tier, "name")), name))
            return tier;
    fail_msg("no tier %s", name);
    return NULL;
}

static const char *text_of(const json_t *tier, const char *key)
{
    const char *text = json_string_value(json_object_get(tier, key));
    return text ? text : "";
}

static void assert_cells(const json_t *tier, const char *kind)
{
    static const char *const sizes[] = {"uniform", "sparse", "dense", "noise"};
    static const char *const keys[] = {"fixed_ns", "each_ns", "chunks_per_s", "p50_ns", "p99_ns"};
    for (uint32_t s = 0; s < 4; s++)
        for (uint32_t k = 0; k < 5; k++) {
            const json_t *value = json_object_get(json_object_get(json_object_get(tier, kind), sizes[s]), keys[k]);
            if (!json_is_real(value) || json_real_value(value) < 0)
                fail_msg("%s: %s of %s %s", text_of(tier, "name"), keys[k], kind, sizes[s]);
        }
}

static void the_second_call_has_the_figures_of_the_first(void **state)
{
    (void)state;
    json_t *first = adit_json(TIERS((char *)"--json", NOTHING)), *second = adit_json(TIERS((char *)"--json"));
    static const char *const names[] = {"inline", "scalar", "threads:0", "processes:0"};
    for (uint32_t i = 0; i < 4; i++) {
        const json_t *tier = tier_of(first, names[i]);
        assert_string_equal(text_of(tier, "state"), "ready");
        assert_cells(tier, "mesh");
        assert_true(number(tier, "threads") > 0);
    }
    assert_cells(tier_of(first, "inline"), "generate");
    (void)tier_of(first, "avx2");
    (void)tier_of(first, "avx512");
    assert_true(json_is_false(json_object_get(first, "cached")) && json_is_true(json_object_get(second, "cached")));
    assert_int_equal(number(first, "measured_at_ns"), number(second, "measured_at_ns"));
    assert_string_equal(text_of(first, "file"), text_of(second, "file"));
    assert_true(json_equal(json_object_get(first, "tiers"), json_object_get(second, "tiers")));
    json_t *anew = adit_json(TIERS((char *)"--json", (char *)"--bench", NOTHING));
    assert_int_not_equal(number(anew, "measured_at_ns"), number(first, "measured_at_ns"));
    assert_int_equal(spawned_files_count("adit", "tiers-"), 1); /* the same file, no socket */
    json_decref(anew);
    json_decref(first);
    json_decref(second);
}

static void people_get_lines_of_a_hundred_columns(void **state)
{
    struct spawned run;
    (void)state;
    setenv("ADIT_DISABLE", "vulkan", 1); /* that takes half of the time */
    adit_want(0, TIERS(NOTHING), &run);
    unsetenv("ADIT_DISABLE");
    for (const char *line = run.out; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 100 && strncmp(line, "measured ", 9) != 0) /* that one ends with a path */
            fail_msg("too long: %.*s", (int)strcspn(line, "\n"), line);
    static const char *const parts[] = {"TIER", "+ n x EACH", "inline ", "threads:0 ", "processes:0 ", "vulkan", "avx512 ", "measured ", "kept in "};
    for (uint32_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(run.out, parts[i]))
            fail_msg("no '%s' in\n%s", parts[i], run.out);
    spawned_free(&run);
}

static void what_is_switched_off_is_a_row_that_says_so(void **state)
{
    (void)state;
    setenv("ADIT_DISABLE", "avx512,vulkan,numa", 1);
    json_t *j = adit_json(TIERS((char *)"--json", NOTHING));
    const char *const off[] = {"avx512", "vulkan"};
    for (uint32_t i = 0; i < 2; i++) {
        assert_string_equal(text_of(tier_of(j, off[i]), "state"), "absent");
        assert_non_null(strstr(text_of(tier_of(j, off[i]), "why"), "ADIT_DISABLE"));
    }
    assert_null(strstr(text_of(tier_of(j, "inline"), "long_name"), "avx512"));
    json_decref(j);
    unsetenv("ADIT_DISABLE");
}

static void a_damaged_file_is_one_note_and_measured_anew(void **state)
{
    struct spawned run;
    (void)state;
    setenv("ADIT_DISABLE", "vulkan", 1);
    json_t *j = adit_json(TIERS((char *)"--json", NOTHING));
    FILE *f = fopen(text_of(j, "file"), "r+");
    assert_true(f && !fseek(f, 1000, SEEK_SET) && fputs("rubbish", f) >= 0 && !fclose(f));
    adit_want(0, TIERS((char *)"--json"), &run);
    unsetenv("ADIT_DISABLE");
    const char *note = strstr(run.err, "note: ");
    assert_true(note && strstr(note, text_of(j, "file")) && strstr(note, "damaged") && !strstr(note + 1, "note: "));
    json_t *again = json_loads(run.out, 0, NULL);
    assert_true(json_is_false(json_object_get(again, "cached")) && number(again, "measured_at_ns") != number(j, "measured_at_ns"));
    json_decref(again);
    json_decref(j);
    spawned_free(&run);
}

/* ---- what programs make of it */

static const char *const kernels[] = {"scalar", "avx2", "avx512"};

static json_t *table_read(const char *path)
{
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    return root;
}

/* As if it had been measured so: with its hash (tools/tier_cache.h). */
static void table_write(json_t *root, const char *path)
{
    char hex[17];
    assert_int_equal(json_object_del(root, "checksum"), 0);
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)XXH3_64bits(text, strlen(text)));
    free(text);
    json_object_set_new(root, "checksum", json_string(hex));
    assert_int_equal(json_dump_file(root, path, JSON_INDENT(1) | JSON_REAL_PRECISION(17)), 0);
}

static void set_state(const char *path, const char *name, const char *state, const char *why)
{
    json_t *root = table_read(path), *tier = (json_t *)tier_of(root, name);
    json_object_set_new(tier, "state", json_string(state));
    json_object_set_new(tier, "why", json_string(why));
    table_write(root, path);
    json_decref(root);
}

static void switch_off(const char *path, const char *name) { set_state(path, name, "off", "wrong bytes (chunk 7)"); }

/* The kernel whose chunks of most take least, of those not off. */
static const char *fastest(const char *path)
{
    json_t *root = table_read(path);
    const char *best = NULL;
    double best_ns = 0;
    for (uint32_t k = 0; k < 3; k++) {
        const json_t *tier = tier_of(root, kernels[k]);
        double ns = json_real_value(json_object_get(json_object_get(json_object_get(tier, "mesh"), "dense"), "each_ns"));
        if (strcmp(text_of(tier, "state"), "ready") != 0 || (best && ns > best_ns))
            continue;
        best = kernels[k];
        best_ns = ns;
    }
    json_decref(root);
    return best;
}

/* adit run has it meshed by that kernel, names what is off, once, and nothing else in that tone. */
static void assert_meshes_with(const char *kernel, uint32_t off_n, char *const *argv)
{
    struct spawned run;
    adit_want(0, argv, &run);
    json_t *j = json_loads(run.out, 0, NULL);
    const json_t *tiers = json_object_get(j, "tiers"), *off = json_object_get(j, "switched_off");
    if (json_object_size(tiers) != 1 || !json_object_get(tiers, kernel) || json_object_size(off) != off_n)
        fail_msg("not by %s: %s", kernel, run.out);
    uint32_t said = 0;
    for (const char *at = run.err; (at = strstr(at, " is switched off: wrong bytes (chunk 7)")); at++)
        said++;
    if (said != off_n)
        fail_msg("said %u times, not %u: %s", said, off_n, run.err);
    json_decref(j);
    spawned_free(&run);
}

/* An arena's shmtop names it, as long as who left it out is attached, and no other. */
static void assert_shmtop_names(const char *off)
{
    struct spawned serve, run;
    uint32_t rows = 0, named = 0;
    spawned_start(ADIT, ARGV((char *)"serve", (char *)"cave", (char *)"--size", (char *)"32M", NOTHING), &serve);
    assert_true(spawned_says(&serve, "is ready"));
    spawned_run("bin/shmtop", (char *[]){(char *)"shmtop", (char *)"--json", (char *)"cave", NULL}, &run);
    assert_int_equal(run.exit_code, 0);
    json_t *root = json_loads(run.out, 0, NULL);
    const json_t *rows_of = json_object_get(json_object_get(json_array_get(json_object_get(root, "samples"), 0), "tables"), "tiers"), *row;
    size_t i;
    json_array_foreach(rows_of, i, row) {
        bool is_off = !strcmp(text_of(row, "is_off"), "yes");
        rows += is_off;
        named += is_off && !strcmp(text_of(row, "tier"), off) && !strcmp(text_of(row, "off"), "its meshes were wrong, in 1 process");
    }
    assert_true(rows == 1 && named == 1);
    json_decref(root);
    spawned_free(&run);
    kill(serve.pid, SIGTERM);
    spawned_wait(&serve);
    spawned_free(&serve);
}

/* A kernel of which the kept table says that its bytes are wrong. (tried: not asked; each worker process with a note of its own; the arena told of another kernel) */
static void a_kernel_that_is_switched_off_meshes_nothing(void **state)
{
    char path[512];
    struct spawned run;
    (void)state;
    setenv("ADIT_DISABLE", "vulkan", 1);
    char *const *run_it = ARGV((char *)"run", (char *)"terrain:1:1x1x1", (char *)"--json", NOTHING),
         *const *by_processes = ARGV((char *)"run", (char *)"terrain:1:1x1x1", (char *)"--json", (char *)"--worker-processes", (char *)"2", NOTHING),
         *const *mesh_it = ARGV((char *)"mesh", (char *)spawned_file("one.raw"), (char *)"--dim", (char *)"1,1,1", (char *)"--json");
    FILE *raw = fopen(spawned_file("one.raw"), "w");
    assert_true(raw && fputc(1, raw) == 1 && !fclose(raw));
    json_t *j = adit_json(TIERS((char *)"--json", NOTHING));
    snprintf(path, sizeof path, "%s", text_of(j, "file"));
    json_decref(j);
    assert_meshes_with(fastest(path), 0, run_it);
    for (uint32_t off_n = 1; fastest(path); off_n++) {
        const char *off = fastest(path), *left;
        switch_off(path, off);
        left = fastest(path);
        if (!left) {
            adit_want(2, ARGV((char *)"serve", (char *)"x"), &run);
            assert_non_null(strstr(run.err, "no kernel is left that makes right meshes"));
            spawned_free(&run);
            break;
        }
        assert_meshes_with(left, off_n, run_it);
        assert_meshes_with(left, off_n, by_processes);
        if (off_n == 1)
            assert_shmtop_names(off);
        json_t *mesh = adit_json(mesh_it);
        assert_string_equal(text_of(mesh, "tier"), left);
        json_decref(mesh);
        for (uint32_t i = 0; i < 2; i++) {
            adit_want(2, i ? ARGV((char *)"mesh", (char *)spawned_file("one.raw"), (char *)"--dim", (char *)"1,1,1", (char *)"--tier", (char *)off)
                           : ARGV((char *)"work", (char *)"nowhere", (char *)"--tiers", (char *)off), &run);
            assert_true(strstr(run.err, "is switched off") && strstr(run.err, "no kernel is left"));
            spawned_free(&run);
        }
    }
    unsetenv("ADIT_DISABLE");
}

/* What it measured counts, not what is mostly so. (tried: the last kernel that is right) */
static void the_kernel_that_the_table_has_fastest_is_taken(void **state)
{
    char path[512];
    (void)state;
    setenv("ADIT_DISABLE", "vulkan", 1);
    json_t *j = adit_json(TIERS((char *)"--json", NOTHING));
    snprintf(path, sizeof path, "%s", text_of(j, "file"));
    json_decref(j);
    json_t *root = table_read(path);
    json_object_set_new(json_object_get(json_object_get(tier_of(root, "scalar"), "mesh"), "dense"), "each_ns", json_real(1));
    table_write(root, path);
    json_decref(root);
    assert_meshes_with("scalar", 0, ARGV((char *)"run", (char *)"terrain:1:1x1x1", (char *)"--json", NOTHING));
    unsetenv("ADIT_DISABLE");
}

/* Who was short of something once works later. (tried: left out as who gives wrong bytes; no kernel left, as none was measured) */
static void what_failed_when_it_was_measured_is_used(void **state)
{
    char path[512];
    struct spawned run;
    (void)state;
    setenv("ADIT_DISABLE", "vulkan", 1);
    json_t *j = adit_json(TIERS((char *)"--json", NOTHING));
    snprintf(path, sizeof path, "%s", text_of(j, "file"));
    json_decref(j);
    for (uint32_t k = 0; k < 3; k++)
        set_state(path, kernels[k], "failed", "Cannot allocate memory");
    adit_want(0, ARGV((char *)"run", (char *)"terrain:1:1x1x1", NOTHING), &run);
    assert_null(strstr(run.err, "switched off"));
    spawned_free(&run);
    adit_want(0, TIERS(NOTHING), &run);
    assert_non_null(strstr(run.out, "failed when it was measured: Cannot"));
    spawned_free(&run);
    unsetenv("ADIT_DISABLE");
}

/* Whenever it comes: no process, no socket, no part of a file stays. */
static void an_interrupt_leaves_nothing(void **state)
{
    (void)state;
    for (long ms = 50; ms < 2500; ms += 350) {
        struct spawned run;
        spawned_start(ADIT, TIERS((char *)"--bench", NOTHING), &run);
        nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
        kill(run.pid, SIGINT);
        spawned_wait(&run);
        assert_true(run.exit_code == 130 || run.exit_code == 128 + SIGINT || run.exit_code == 0); /* before it was ready for it; after the last look */
        assert_int_equal(spawned_child_of(run.pid, "work"), 0);
        assert_int_equal(spawned_files_count("adit", ".part"), 0);
        assert_int_equal(spawned_files_count("adit", "") - spawned_files_count("adit", "tiers-") - spawned_files_count("adit", "pipelines-"), 0);
        assert_int_equal(spawned_files_count("adit", "tiers-"), run.exit_code == 0);
        spawned_free(&run);
    }
}

static void wrong_usage_is_one_line(void **state)
{
    (void)state;
    adit_refuses("operands", TIERS((char *)"vulkan"));
    adit_refuses("--sing", TIERS((char *)"--sing"));
}

static int home_make(void **state)
{
    setenv("XDG_CACHE_HOME", spawned_home_make(), 1);
    setenv("ASAN_OPTIONS", "detect_leaks=0:quarantine_size_mb=1", 1); /* drivers keep what they have made until the process ends (gpu_fixture.c) */
    (void)state;
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, home_make, adit_home_remove)

int main(void)
{
#ifdef __SANITIZE_THREAD__
    puts("skipped: ThreadSanitizer cannot follow order through other processes, and sees nothing of a driver's locks");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        TEST(the_second_call_has_the_figures_of_the_first),
        TEST(people_get_lines_of_a_hundred_columns),
        TEST(what_is_switched_off_is_a_row_that_says_so),
        TEST(a_damaged_file_is_one_note_and_measured_anew),
        TEST(a_kernel_that_is_switched_off_meshes_nothing),
        TEST(the_kernel_that_the_table_has_fastest_is_taken),
        TEST(what_failed_when_it_was_measured_is_used),
        TEST(an_interrupt_leaves_nothing),
        TEST(wrong_usage_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
