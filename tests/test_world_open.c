/* test_world_open.c - specs, generators, raw volumes, and what is said of those that are not understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/kernels.h"
#include "tools/worlds/world.h"

static char folder[64], line[ADIT_WORLD_LINE_BYTES];
static uint16_t chunk[ADIT_CHUNK_VOXELS], again[ADIT_CHUNK_VOXELS];

static int set_up(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%.40s/adit-open-XXXXXX", base ? base : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* Writes a file into the folder and gives its path. */
static const char *write_file(const char *name, const void *data, size_t size)
{
    static char path[160];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
    return path;
}

static struct adit_world *open_world(const char *spec)
{
    struct adit_world *world = NULL;
    *line = 0;
    int result = adit_world_open(spec, &world, line, sizeof(line));
    if (result)
        fail_msg("%s: %d: %s", spec, result, line);
    assert_string_equal(world->spec, spec);
    return world;
}

static void refuse(const char *spec, int error, const char *part)
{
    struct adit_world *world = (struct adit_world *)(void *)line;
    *line = 0;
    assert_int_equal(adit_world_open(spec, &world, line, sizeof(line)), -error);
    assert_null(world);
    if (!strstr(line, part))
        fail_msg("\"%s\" does not say \"%s\"", line, part);
    assert_null(strchr(line, '\n'));
}

static void check_box(const struct adit_world *world, int32_t x, int32_t y, int32_t z)
{
    const int32_t hi[3] = {x, y, z};
    for (int a = 0; a < 3; a++) {
        assert_int_equal(world->chunk_min[a], 0);
        assert_int_equal(world->chunk_max[a], hi[a]);
        assert_int_equal(world->voxel_max[a], hi[a] * 64);
    }
}

static void generators_are_opened_by_name_seed_and_size(void **state)
{
    (void)state;
    struct adit_world *world = open_world("terrain");
    check_box(world, 8, 2, 8);
    assert_string_equal(world->kind, "terrain");
    assert_true(world->material_count > 10);
    assert_int_equal(adit_world_chunk(world, 1, 0, 1, chunk), 1);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        assert_true(chunk[i] <= world->material_count);
    adit_world_close(world);
    world = open_world("noise50:18446744073709551615:3x2x1");
    check_box(world, 3, 2, 1);
    assert_int_equal(adit_world_chunk(world, 2, 1, 0, chunk), 1);
    adit_generate(adit_generator_named("noise50"), UINT64_MAX, 2, 1, 0, again);
    assert_memory_equal(chunk, again, sizeof(chunk));
    adit_world_close(world);
    world = open_world("checker:4x1x2");
    check_box(world, 4, 1, 2);
    assert_int_equal(world->material_count, 4);
    assert_int_equal(adit_world_chunk(world, 4, 0, 0, chunk), 0); /* beyond the box is air */
    adit_world_close(world);
}

static void a_seed_changes_the_world_and_nothing_else_does(void **state)
{
    (void)state;
    struct adit_world *first = open_world("noise50"), *same = open_world("noise50:1:1x1x1"),
                      *other = open_world("noise50:2");
    adit_world_chunk(first, 0, 0, 0, chunk);
    adit_world_chunk(same, 0, 0, 0, again);
    assert_memory_equal(chunk, again, sizeof(chunk));
    adit_world_chunk(other, 0, 0, 0, again);
    assert_memory_not_equal(chunk, again, sizeof(chunk));
    adit_world_close(first);
    adit_world_close(same);
    adit_world_close(other);
}

static void specs_that_are_not_understood_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"terrain:",        "terrain:x",  "terrain:1:",        "terrain:1:2x2",
                                      "terrain:2x2x2x2", "terrain:-1", "terrain:99999x1x1x", "terrain:1 2"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        refuse(bad[i], EINVAL, "seed or size is not understood");
    static const char *const out[] = {"terrain:2x2x0", "checker:1x1x70000", "checker:99999x1x1",
                                      "noise50:18446744073709551616", "noise50:18446744073709551616:1x1x1"};
    for (size_t i = 0; i < sizeof(out) / sizeof(*out); i++)
        refuse(out[i], EINVAL, "sides have 1 to 65536 chunks, a seed at most 64 bits");
    refuse("checker:200x200x200", EFBIG, "more than 1048576 chunks");
    static const char *const none[] = {"",     "terrains", "castle",           "castle.voxel",
                                       ".vox", "noise50x", "castle.rawx:1,1,1"};
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        refuse(none[i], EINVAL, "is no world");
    refuse("/nonexistent/castle.vox", ENOENT, "/nonexistent/castle.vox: cannot be opened");
    refuse("/nonexistent/r.0.0.MCA", ENOENT, "cannot be opened");
    assert_int_equal(adit_world_open("castle", &(struct adit_world *){NULL}, NULL, 0),
                     -EINVAL); /* no room for a line */
    char few[8];
    assert_int_equal(adit_world_open("castle", &(struct adit_world *){NULL}, few, sizeof(few)), -EINVAL);
    assert_int_equal(strlen(few), 7);
}

static void what_is_no_regular_file_is_refused(void **state)
{
    (void)state;
    char path[160], spec[200], name[200];
    snprintf(path, sizeof(path), "%s/fifo.vox", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    refuse(path, EINVAL, "is not a regular file"); /* at once, though nobody writes into it */
    unlink(path);
    snprintf(path, sizeof(path), "%s/folder.raw", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(spec, sizeof(spec), "%s:1,1,1", path);
    refuse(spec, EINVAL, "is not a regular file");
    rmdir(path);
    memset(name, 'a', sizeof(name));
    memcpy(name + sizeof(name) - 5, ".vox", 5);
    refuse(name, ENOENT, "cannot be opened");
}

/* 70 x 66 x 3 voxels: two chunks on two axes. */
static void check_raw(uint32_t unit, const char *suffix)
{
    const uint32_t x = 70, y = 66, z = 3, count = x * y * z;
    uint8_t *data = calloc(count, unit);
    char spec[200];
    uint32_t largest = unit == 1 ? 200 : 300;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value = i % 7 ? (i * 31) % (largest + 1) : 0;
        data[i * unit] = (uint8_t)value;
        if (unit == 2)
            data[i * 2 + 1] = (uint8_t)(value >> 8);
    }
    const char *path = write_file("ct.raw", data, (size_t)count * unit);
    snprintf(spec, sizeof(spec), "%s:%u,%u,%u%s", path, x, y, z, suffix);
    struct adit_world *world = open_world(spec);
    assert_int_equal(world->material_count, largest);
    assert_string_equal(world->materials[7].name, "m7");
    const int32_t hi[3] = {70, 66, 3};
    assert_memory_equal(world->voxel_max, hi, sizeof(hi));
    assert_int_equal(world->chunk_max[0], 2);
    uint64_t seen = 0;
    for (int32_t cy = 0; cy < 2; cy++)
        for (int32_t cx = 0; cx < 2; cx++) {
            assert_int_equal(adit_world_chunk(world, cx, cy, 0, chunk), 1);
            for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
                uint32_t vx = (uint32_t)cx * 64 + i % 64, vy = (uint32_t)cy * 64 + i / 64 % 64, vz = i / 4096,
                         wanted = 0;
                if (vx < x && vy < y && vz < z) {
                    uint32_t at = (vz * y + vy) * x + vx;
                    wanted = at % 7 ? (at * 31) % (largest + 1) : 0;
                    seen++;
                }
                if (chunk[i] != wanted)
                    fail_msg("voxel %u,%u,%u is %u, not %u", vx, vy, vz, chunk[i], wanted);
            }
        }
    assert_int_equal(seen, count);
    assert_int_equal(truncate(path, 1000), 0); /* behind its back */
    assert_true(adit_world_chunk(world, 0, 0, 0, chunk) < 0);
    adit_world_close(world);
    unlink(path);
    free(data);
}

static void raw_volumes_are_read_x_fastest(void **state)
{
    (void)state;
    check_raw(1, "");
    check_raw(2, ":u16");
}

static void long_rows_are_read_one_by_one(void **state)
{
    (void)state;
    const uint32_t x = 3000, y = 50, z = 2; /* 50 rows are more than fit the buffer */
    uint8_t *data = calloc(x * y * z, 1);
    data[(1 * y + 1) * x + 2999] = 9;
    char spec[200];
    const char *path = write_file("long.raw", data, x * y * z);
    snprintf(spec, sizeof(spec), "%s:3000,50,2", path);
    struct adit_world *world = open_world(spec);
    assert_int_equal(adit_world_chunk(world, 46, 0, 0, chunk), 1);
    assert_int_equal(chunk[(1 * 64 + 1) * 64 + 2999 % 64], 9);
    assert_int_equal(adit_world_chunk(world, 45, 0, 0, chunk), 0);
    adit_world_close(world);
    unlink(path);
    free(data);
}

static void raw_volumes_of_another_size_are_refused(void **state)
{
    (void)state;
    char spec[240];
    const char *path = write_file("ct.raw", "12345678", 8);
    static const struct {
        const char *shape;
        int error;
        const char *part;
    } cases[] = {
        {":2,2,1", EINVAL, "has 8 bytes, 2,2,1 of 1 bytes each are 4: correct the sizes"},
        {":2,2,2:u16", EINVAL, "are 16"},
        {":1048576,1048576,1048576", EFBIG, "more than the 16 GiB"},
        {":2,2", EINVAL, "its sizes \"2,2\" are not understood"},
        {":0,2,2", EINVAL, "not understood"},
        {":2,2,2:u32", EINVAL, "not understood"},
        {":2,2,2,", EINVAL, "not understood"},
        {":99999999999999999999,1,1", EFBIG, "its sizes \"99999999999999999999,1,1\" are too large: at most 1048576 voxels a side"},
        {":2,1048577,2:u16", EFBIG, "are too large: at most 1048576 voxels a side are read: split it"},
        {":2,1048577,2:u8", EINVAL, "not understood"},
        {":-2,2,-2", EINVAL, "not understood"},
        {"", EINVAL, "write FILE.raw:X,Y,Z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(spec, sizeof(spec), "%s%s", path, cases[i].shape);
        refuse(spec, cases[i].error, cases[i].part);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generators_are_opened_by_name_seed_and_size),
        cmocka_unit_test(a_seed_changes_the_world_and_nothing_else_does),
        cmocka_unit_test(specs_that_are_not_understood_are_refused),
        cmocka_unit_test(what_is_no_regular_file_is_refused),
        cmocka_unit_test(raw_volumes_are_read_x_fastest),
        cmocka_unit_test(long_rows_are_read_one_by_one),
        cmocka_unit_test(raw_volumes_of_another_size_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
