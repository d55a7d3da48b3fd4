/* test_generate_levels.c - chunks of generated worlds at levels of detail (kernels/generate.h): each voxel is that of level 0 in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

#ifdef __SANITIZE_THREAD__
#define PLACES 12u
#else
#define PLACES 60u
#endif

static uint16_t far[ADIT_CHUNK_VOXELS], near[ADIT_CHUNK_VOXELS];
static uint64_t random_state = 7;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

/* World coordinate of voxel i of a chunk. */
static int64_t world(int32_t chunk, uint32_t i, uint32_t lod) { return ((int64_t)chunk * 64 + i) * (1 << lod) + (1 << lod >> 1); }

/* All of the far chunk that lies in one of level 0; how many voxels of the kinds there were. */
static void check_within(const struct adit_generator *g, uint64_t seed, uint32_t lod, const int32_t at[3], const int64_t to[3], uint32_t *count)
{
    adit_generate(g, seed, (int32_t)to[0], (int32_t)to[1], (int32_t)to[2], near);
    for (uint32_t n = 0; n < ADIT_CHUNK_VOXELS; n++) {
        int64_t x = world(at[0], n & 63, lod), y = world(at[1], n >> 6 & 63, lod), z = world(at[2], n >> 12, lod);
        if (x >> 6 != to[0] || y >> 6 != to[1] || z >> 6 != to[2])
            continue;
        uint16_t want = near[((z & 63) * 64 + (y & 63)) * 64 + (x & 63)];
        if (far[n] != want)
            fail_msg("%s, level %u, chunk %d,%d,%d, voxel %u,%u,%u: %u, not %u", g->name, lod, at[0], at[1], at[2], n & 63, n >> 6 & 63, n >> 12, far[n], want);
        count[want]++;
    }
}

/* Whole chunks of the first levels. (tried: a slope from the grid of the level; trees by their order in it; a grid without the half step; a corner of the lattice taken over that is not the next) */
static void every_voxel_is_that_of_level_0(void **state)
{
    static const int32_t places[][3] = {{0, 0, 0}, {-1, 0, 2}, {-7, 0, -30}};
    const struct adit_generator *g = adit_generator_named("terrain");
    uint32_t count[ADIT_GENERATE_TERRAIN_MATERIALS] = {0};
    (void)state;
    for (uint32_t lod = 0; lod <= 2; lod++)
        for (uint32_t p = 0; p < 3; p++) {
            const int32_t *at = places[p];
            uint64_t seed = p * 0x123456789abcdefu + 1;
            adit_generate_level(g, seed, lod, at[0], at[1], at[2], far);
            for (int32_t n = 0, side = 1 << lod; n < side * side * side; n++) {
                const int64_t to[3] = {at[0] * side + n % side, at[1] * side + n / side % side, at[2] * side + n / side / side};
                check_within(g, seed, lod, at, to, count);
            }
        }
    for (uint32_t m = 0; m < g->materials_n; m++)
        assert_true(count[m] > 0 || !strcmp(g->materials[m].name, "crystal") || !strcmp(g->materials[m].name, "lava")); /* seldom, those */
}

/* Places of all levels, where there is ground. */
static void at_all_levels_and_in_all_worlds(void **state)
{
    (void)state;
    for (uint32_t lod = 1; lod <= ADIT_GENERATE_LOD_MAX; lod++)
        for (uint32_t i = 0; adit_generator_at(i); i++) {
            const struct adit_generator *g = adit_generator_at(i);
            uint32_t count[ADIT_GENERATE_TERRAIN_MATERIALS] = {0}, top = lod < 7 ? 128u >> lod : 1;
            const int32_t at[3] = {(int32_t)draw(1u << (20 - lod)) - (1 << (19 - lod)), 0, (int32_t)draw(1u << (20 - lod)) - (1 << (19 - lod))};
            adit_generate_level(g, 3, lod, at[0], at[1], at[2], far);
            for (uint32_t n = 0; n < PLACES / 4; n++) {
                const int64_t to[3] = {world(at[0], draw(64), lod) >> 6, world(at[1], draw(top < 64 ? top : 64), lod) >> 6, world(at[2], draw(64), lod) >> 6};
                check_within(g, 3, lod, at, to, count);
            }
        }
}

/* (tried: the height of a level's chunk taken for one of level 0) */
static void what_is_air_at_level_0_is_air(void **state)
{
    const struct adit_generator *g = adit_generator_named("terrain");
    (void)state;
    for (uint32_t lod = 1; lod <= ADIT_GENERATE_LOD_MAX; lod++) {
        assert_int_equal(adit_generate_level_is_air(g, lod, 0), lod > 7); /* the lowest voxel of level 8 is at 128 (tried: by chunks: none is; the half step left out: none is) */
        assert_true(adit_generate_level_is_air(g, lod, 1) && adit_generate_level_is_air(g, lod, -1));
        memset(far, 0xff, sizeof far);
        adit_generate_level(g, 1, lod, 5, lod & 1 ? 2047 : -2048, INT32_MIN, far);
        for (uint32_t n = 0; n < ADIT_CHUNK_VOXELS; n++)
            assert_int_equal(far[n], 0);
        adit_generate_level(g, 1, lod, INT32_MIN, 0, INT32_MAX, far); /* the ends of the world: no overflow */
    }
    assert_false(adit_generate_level_is_air(adit_generator_named("checker"), 15, -2048));
}

/* How many columns of a level have ground, or water. At level 7 only what is above 64 is left, and beyond nothing is. (tried: levels that begin at the middle of the chunk) */
static void each_level_up_to_6_has_ground(void **state)
{
    const struct adit_generator *g = adit_generator_named("terrain");
    (void)state;
    for (uint32_t lod = 0; lod <= 8; lod++) {
        uint32_t columns = 0, solid = 0;
        for (int32_t i = 0; i < 4; i++) {
            adit_generate_level(g, 1, lod, i * 5 - 7, 0, i, far);
            for (uint32_t n = 0; n < 64 * 64; n++) {
                uint32_t here = 0;
                for (uint32_t y = 0; y < 64; y++)
                    here += far[((n >> 6) * 64 + y) * 64 + (n & 63)] != 0;
                solid += here;
                columns += here > 0;
            }
        }
        print_message("level %u: %u of %u columns have something, %u voxels\n", lod, columns, 4 * 64 * 64, solid);
        if (lod <= 6)
            assert_true(columns > 4 * 64 * 64 * 8 / 10);
        else if (lod == 7)
            assert_true(columns < 4 * 64 * 64 * 8 / 10);
        else
            assert_int_equal(columns, 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_voxel_is_that_of_level_0),
        cmocka_unit_test(at_all_levels_and_in_all_worlds),
        cmocka_unit_test(each_level_up_to_6_has_ground),
        cmocka_unit_test(what_is_air_at_level_0_is_air),
    };
    return cmocka_run_group_tests_name("levels of generated worlds", tests, NULL, NULL);
}
