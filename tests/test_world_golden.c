/* test_world_golden.c - real regions, with the figures that others counted: ../shared/worlds, skipped where it is not there.
 *
 * The figures are those of ../shared/worlds/README.md: materials, solid voxels and visible unit faces with every material
 * but air opaque and air outside. Faces are counted here voxel by voxel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/worlds/world.h"

#define FOLDER "../shared/worlds/"

static const struct golden {
    const char *file;
    uint32_t materials;
    uint64_t solid, faces;
    uint32_t columns;
    int32_t dim[3]; /* of the box of the columns that have voxels */
} goldens[] = {
    {FOLDER "anvil-1.13.2.mca", 46, 3137732, 374288, 189, {96, 112, 496}},
    {FOLDER "anvil-1.18.2.mca", 34, 1701238, 149394, 280, {320, 128, 224}},
    {FOLDER "anvil-1.20.mca", 124, 9943617, 1010080, 633, {464, 256, 384}},
};

static struct adit_world *open_world(const char *file)
{
    struct adit_world *world;
    char line[ADIT_WORLD_LINE_BYTES];
    if (access(file, R_OK))
        skip();
    if (adit_world_open(file, &world, line, sizeof(line)))
        fail_msg("%s", line);
    return world;
}

/* The whole world as one volume with a shell of air. x fastest, then y, then z. */
static uint16_t *flatten(const struct adit_world *world, size_t full[3])
{
    for (int a = 0; a < 3; a++)
        full[a] = (size_t)(world->chunk_max[a] - world->chunk_min[a]) * 64 + 2;
    uint16_t *all = calloc(full[0] * full[1] * full[2], sizeof(*all));
    uint16_t *chunk = malloc(ADIT_CHUNK_VOXELS * sizeof(*chunk));
    assert_true(all && chunk);
    for (int32_t z = world->chunk_min[2]; z < world->chunk_max[2]; z++)
        for (int32_t y = world->chunk_min[1]; y < world->chunk_max[1]; y++)
            for (int32_t x = world->chunk_min[0]; x < world->chunk_max[0]; x++) {
                int got = adit_world_chunk(world, x, y, z, chunk);
                assert_true(got == 0 || got == 1);
                assert_true(!got || adit_world_has_chunk(world, x, y, z));
                for (uint32_t row = 0; row < 64 * 64; row++) {
                    size_t vz = (size_t)(z - world->chunk_min[2]) * 64 + row / 64 + 1;
                    size_t vy = (size_t)(y - world->chunk_min[1]) * 64 + row % 64 + 1;
                    size_t vx = (size_t)(x - world->chunk_min[0]) * 64 + 1;
                    memcpy(all + (vz * full[1] + vy) * full[0] + vx, chunk + row * 64, 64 * sizeof(*chunk));
                }
            }
    free(chunk);
    return all;
}

static void the_worlds_have_the_figures_that_others_counted(void **state)
{
    (void)state;
    for (size_t g = 0; g < sizeof(goldens) / sizeof(*goldens); g++) {
        struct adit_world *world = open_world(goldens[g].file);
        size_t full[3];
        uint16_t *all = flatten(world, full);
        const size_t up = full[0], back = full[0] * full[1], count = back * full[2];
        uint64_t solid = 0, faces = 0;
        uint32_t used = 0;
        uint8_t *seen = calloc(ADIT_MATERIALS, 1);
        for (size_t i = back; i < count - back; i++) {
            const uint16_t *v = all + i;
            if (!*v)
                continue;
            solid++;
            faces += (uint64_t)(!v[-1] + !v[1] + !*(v - up) + !v[up] + !*(v - back) + !v[back]);
            used += !seen[*v];
            seen[*v] = 1;
        }
        assert_int_equal(solid, goldens[g].solid);
        assert_int_equal(faces, goldens[g].faces);
        assert_int_equal(world->material_count, goldens[g].materials);
        assert_int_equal(used, goldens[g].materials); /* dense: no id without a voxel */
        assert_int_equal(world->columns_read, goldens[g].columns);
        assert_int_equal(world->columns_skipped, 0);
        for (int a = 0; a < 3; a++)
            assert_int_equal(world->voxel_max[a] - world->voxel_min[a], goldens[g].dim[a]);
        assert_int_equal(world->warning_count, 0);
        free(seen);
        free(all);
        adit_world_close(world);
    }
}

static uint64_t digest(const struct adit_world *world)
{
    size_t full[3];
    uint16_t *all = flatten(world, full);
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < full[0] * full[1] * full[2]; i++)
        hash = (hash ^ all[i]) * 0x100000001b3u;
    for (uint32_t m = 0; m <= world->material_count; m++)
        for (const char *c = world->materials[m].name; *c; c++)
            hash = (hash ^ (uint8_t)*c) * 0x100000001b3u;
    free(all);
    return hash;
}

static void two_processes_see_the_same_ids(void **state)
{
    (void)state;
    struct adit_world *world = open_world(goldens[1].file);
    uint64_t mine = digest(world), theirs = 0;
    adit_world_close(world);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint64_t hash = digest(open_world(goldens[1].file));
        _exit(write(ends[1], &hash, sizeof(hash)) == sizeof(hash) ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &theirs, sizeof(theirs)), sizeof(theirs));
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ends[0]);
    assert_true(mine == theirs);
}

static void the_world_of_one_column_is_read(void **state)
{
    (void)state;
    struct adit_world *world = open_world(FOLDER "anvil-tiny.mca");
    const int32_t lo[3] = {16, 0, 48};
    assert_memory_equal(world->voxel_min, lo, sizeof(lo));
    assert_int_equal(world->columns_read, 1);
    assert_int_equal(world->material_count, 20);
    adit_world_close(world);
}

static void the_broken_region_is_refused_in_one_line(void **state)
{
    (void)state;
    struct adit_world *world = NULL;
    char line[ADIT_WORLD_LINE_BYTES] = "";
    if (access(FOLDER "anvil-broken.mca", R_OK))
        skip();
    assert_int_equal(adit_world_open(FOLDER "anvil-broken.mca", &world, line, sizeof(line)), -EBADMSG);
    assert_null(world);
    assert_non_null(strstr(line, "anvil-broken.mca: none of its 21 chunk columns is sound: 11 from before 1.2 (open"));
    assert_non_null(strstr(line, " with damaged streams"));
    assert_null(strchr(line, '\n'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worlds_have_the_figures_that_others_counted),
        cmocka_unit_test(two_processes_see_the_same_ids),
        cmocka_unit_test(the_world_of_one_column_is_read),
        cmocka_unit_test(the_broken_region_is_refused_in_one_line),
    };
    if (access(FOLDER, R_OK)) {
        printf("skipped: %s is not there\n", FOLDER);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
