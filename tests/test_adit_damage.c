/* test_adit_damage.c - what adit says when what it is given is not whole: the sound part is done, one line says what is not, and the
 * exit code says so, too. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "runtime/adit.h"
#include "tests/adit_called.h"
#include "tests/world_files.h"

static char *file_of(const char *name, const struct bytes *bytes)
{
    char *path = spawned_file(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes->data, bytes->size), bytes->size);
    close(fd);
    return path;
}

/* Whether part stands in one line of err, the only one of an error: neither a note nor progress. */
static bool says_once(const char *err, const char *part)
{
    uint32_t found = 0, others = 0;
    for (const char *line = err, *end; *line && (end = strchr(line, '\n')); line = end + 1) {
        char text[1024];
        snprintf(text, sizeof text, "%.*s", (int)(end - line), line);
        bool is_it = strstr(text, part) != NULL;
        found += is_it;
        others += !is_it && !strstr(text, ": note: ");
    }
    return found == 1 && !others;
}

/* ---- worlds ----------------------------------------------------------------------------------------------------- */

/* A scene of a sound model, and references to a node and a model that are not there. */
static void vox_write(struct bytes *vox, const int32_t *children, uint32_t count)
{
    static const uint8_t voxels[2][4] = {{0, 0, 0, 1}, {1, 1, 1, 2}};
    vox_begin(vox, 200);
    vox_model(vox, (const uint32_t[]){2, 2, 2}, voxels, 2);
    vox_group(vox, 0, children, count);
    vox_shape(vox, 1, (const int32_t[]){0}, 1);
    vox_shape(vox, 2, (const int32_t[]){8}, 1);
    vox_transform(vox, 3, 1, -1, (const int32_t[]){100000, 0, 0}, 0, -1);
    vox_finish(vox);
}

static void a_scene_with_parts_missing_is_done_and_ends_with_2(void **state)
{
    (void)state;
    struct bytes vox = {0};
    vox_write(&vox, (const int32_t[]){1, 2, 77}, 3);
    char *path = file_of("parts.vox", &vox);
    struct spawned run;
    adit_want(2, ARGV((char *)"run", path, (char *)"--json", (char *)"--quiet"), &run);
    assert_true(says_once(run.err, "parts.vox: 2 of its parts (references of the scene, models) are damaged and left out"));
    json_t *j = json_loads(run.out, 0, NULL);
    assert_non_null(j);
    assert_int_equal(number(j, "voxels"), 2);
    assert_int_equal(number(j, "damaged_parts"), 2);
    assert_int_equal(number(json_array_get(json_object_get(j, "worlds"), 0), "damaged_parts"), 2);
    json_decref(j);
    spawned_free(&run);

    struct spawned serve;
    spawned_start(ADIT, ARGV((char *)"serve", (char *)"cave"), &serve);
    adit_want(2, ARGV((char *)"feed", (char *)"cave", path, (char *)"--quiet"), &run);
    assert_true(says_once(run.err, "parts.vox: 2 of its parts (references of the scene, models) are damaged and left out"));
    spawned_free(&run);
    kill(serve.pid, SIGTERM);
    spawned_wait(&serve);
    spawned_free(&serve);

    vox.size = 0;
    vox_write(&vox, (const int32_t[]){1, 3}, 2);
    adit_want(2, ARGV((char *)"run", file_of("far.vox", &vox), (char *)"--quiet"), &run);
    assert_true(says_once(run.err, "far.vox: 1 of its models stand too far from the origin and are left out"));
    spawned_free(&run);

    vox.size = 0;
    vox_write(&vox, (const int32_t[]){1}, 1);
    adit_want(0, ARGV((char *)"run", file_of("sound.vox", &vox), (char *)"--quiet"), &run);
    spawned_free(&run);
    bytes_free(&vox);
}

static void a_scene_that_leads_nowhere_is_refused(void **state)
{
    (void)state;
    struct bytes vox = {0};
    vox_write(&vox, (const int32_t[]){77, 2}, 2);
    adit_refuses("nowhere.vox: its scene shows nothing: scene node 0 has a child 77 that is not there: export it again",
                 ARGV((char *)"run", file_of("nowhere.vox", &vox), (char *)"--quiet"));
    bytes_free(&vox);
}

/* Sound columns of 60 MiB each, decompressed, of which 4 GiB hold less than all, and one that is damaged. */
static void columns_beyond_the_budget_are_too_big_and_not_damaged(void **state)
{
    (void)state;
    static const uint16_t stone[4096];
    const char *const names[] = {"minecraft:stone"};
    const struct column_section section = {.y = 4, .name_count = 1, .names = names, .voxels = stone};
    const uint32_t padding = 60u << 20, columns = 70;
    struct bytes nbt = {0}, padded = {0}, packed = {0}, region = {0};
    column_write(&nbt, COLUMN_FLAT, 0, 0, &section, 1);
    bytes_add(&padded, nbt.data, nbt.size - 1); /* all but the end of the compound */
    uint8_t *zeros = calloc(1, padding);
    assert_non_null(zeros);
    nbt_byte_array(&padded, "Padding", zeros, padding);
    nbt_end(&padded);
    compress_into(&packed, 2, padded.data, padded.size);
    region_begin(&region);
    for (uint32_t slot = 0; slot < columns; slot++) {
        region_set_location(&region, slot, (uint32_t)(region.size / 4096), (uint32_t)((packed.size + 5 + 4095) / 4096));
        bytes_add_big(&region, packed.size + 1, 4);
        bytes_add_big(&region, 2, 1);
        bytes_add(&region, packed.data, packed.size);
        region_pad(&region);
    }
    region_set_location(&region, columns, 1, 1); /* in the header */
    struct spawned run;
    adit_want(2, ARGV((char *)"run", file_of("big.mca", &region), (char *)"--json", (char *)"--quiet"), &run);
    json_t *j = json_loads(run.out, 0, NULL), *world = json_array_get(json_object_get(j, "worlds"), 0);
    assert_int_equal(number(world, "damaged_columns"), 1);
    assert_in_range(number(world, "large_columns"), 1, 5);
    assert_int_equal(number(j, "voxels"), 4096 * (columns - number(world, "large_columns")));
    char line[128];
    snprintf(line, sizeof line, "big.mca: %d of its 71 chunk columns are too big to be read and left out", (int)number(world, "large_columns"));
    assert_non_null(strstr(run.err, line));
    assert_non_null(strstr(run.err, "big.mca: 1 of its 71 chunk columns are damaged and left out"));
    json_decref(j);
    spawned_free(&run);
    free(zeros);
    bytes_free(&nbt);
    bytes_free(&padded);
    bytes_free(&packed);
    bytes_free(&region);
}

/* ---- limits of the system --------------------------------------------------------------------------------------- */

static void a_file_past_the_limit_on_sizes_is_a_line_and_no_death(void **state)
{
    (void)state;
    static uint8_t voxels[32 * 32 * 32];
    struct bytes volume = {voxels, sizeof voxels, 0};
    struct rlimit before, little = {.rlim_cur = 20000};
    struct spawned run, serve;
    for (size_t i = 0; i < sizeof voxels; i++)
        voxels[i] = (uint8_t)(i * 7 % 3);
    char *raw = file_of("v.raw", &volume), *quads = spawned_file("v.quads");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    spawned_start(ADIT, ARGV((char *)"mesh", raw, (char *)"--dim", (char *)"32,32,32", (char *)"--quads", quads), &run);
    spawned_start(ADIT, ARGV((char *)"serve", (char *)"cave"), &serve);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    spawned_wait(&run);
    spawned_wait(&serve);
    assert_in_range(run.exit_code, 1, 2);
    assert_true(says_once(run.err, "v.quads: cannot write: File too large; raise the file size limit (ulimit -f)"));
    assert_int_equal(spawned_files_count("", "v.quads"), 0);
    assert_int_equal(serve.exit_code, 2);
    assert_true(says_once(serve.err, "File too large; raise the limit on file sizes (ulimit -f)"));
    spawned_free(&run);
    spawned_free(&serve);
}

/* ---- arenas ----------------------------------------------------------------------------------------------------- */

static void exports_of_a_damaged_arena_fail_and_leave_no_file(void **state)
{
    (void)state;
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    const struct adit_key key = {.x = 1, .y = 2, .z = 3};
    struct spawned serve, run;
    struct adit_arena *arena;
    struct adit_reader *reader;
    struct adit_chunk_view view;
    struct adit_mesh_view mesh;
    char *raw = spawned_file("w.raw"), *quads = spawned_file("w.quads");
    for (size_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = (uint16_t)(i % 3 ? 0 : 1 + i % 5);
    spawned_start(ADIT, ARGV((char *)"serve", (char *)"cave"), &serve);
    assert_true(spawned_says(&serve, "cave"));
    assert_int_equal(adit_attach("cave", ADIT_PRODUCER, NULL, &arena), 0);
    assert_int_equal(adit_chunk_put(arena, &key, voxels, NULL), 0);
    assert_int_equal(adit_settle(arena, 10000000000u), 0);
    adit_want(0, ARGV((char *)"watch", (char *)"cave", (char *)"--raw", raw, (char *)"--out", quads), &run);
    spawned_free(&run);
    assert_true(!unlink(raw) && !unlink(quads));

    assert_int_equal(adit_reader_open(arena, &reader), 0);
    adit_enter(reader);
    assert_int_equal(adit_chunk_acquire(reader, &key, &view), 0);
    assert_int_equal(adit_mesh_acquire(reader, &key, &mesh), 0);
    ((uint8_t *)(uintptr_t)view.block)[4096] ^= 1;
    *(uint64_t *)(uintptr_t)mesh.quads ^= 1;
    adit_exit(reader);
    spawned_run(ADIT, ARGV((char *)"watch", (char *)"cave", (char *)"--raw", raw), &run);
    assert_in_range(run.exit_code, 1, 2);
    assert_non_null(strstr(run.err, "w.raw: not written: world 0 chunk 1,2,3 is damaged; publish it again"));
    spawned_free(&run);
    spawned_run(ADIT, ARGV((char *)"watch", (char *)"cave", (char *)"--out", quads), &run);
    assert_in_range(run.exit_code, 1, 2);
    assert_non_null(strstr(run.err, "adit watch: nothing is exported: world 0 chunk 1,2,3: its mesh is damaged"));
    spawned_free(&run);
    assert_true(access(raw, F_OK) && access(quads, F_OK));

    adit_reader_close(&reader);
    adit_detach(&arena);
    kill(serve.pid, SIGTERM);
    spawned_wait(&serve);
    spawned_free(&serve);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, adit_home_make, adit_home_remove)

int main(void)
{
#ifdef __SANITIZE_THREAD__
    /* As in test_adit_cli.c: the order goes through processes that ThreadSanitizer does not see. */
    puts("skipped: ThreadSanitizer cannot follow order through other processes");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        TEST(a_scene_with_parts_missing_is_done_and_ends_with_2),
        TEST(a_scene_that_leads_nowhere_is_refused),
        TEST(columns_beyond_the_budget_are_too_big_and_not_damaged),
        TEST(a_file_past_the_limit_on_sizes_is_a_line_and_no_death),
        TEST(exports_of_a_damaged_arena_fail_and_leave_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
