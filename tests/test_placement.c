/* Which node a chunk is for (runtime/placement.h), which segment is near (shm/near.h), and which foreman takes what (runtime/reach.h): what can be seen without a machine of several nodes. guest_placement.c looks
 * where memory and threads really are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/key.h"
#include "runtime/placement.h"
#include "runtime/reach.h"
#include "tests/shm_fixture.h"

#define BITS 5u
#define EDGE (1u << BITS)
#define CELLS (EDGE * EDGE)
#define REGION 8

static uint32_t away(uint32_t a, uint32_t b) { return a > b ? a - b : b - a; }

/* tried: quarters not turned; turned without the mirror */
static void the_curve_visits_each_cell_once_and_goes_from_neighbour_to_neighbour(void **state)
{
    static uint32_t order[CELLS];
    memset(order, 0xff, sizeof order);
    for (uint32_t i = 0; i < CELLS; i++) {
        uint64_t at = adit_hilbert(i % EDGE, i / EDGE, BITS);
        assert_true(at < CELLS && order[at] == UINT32_MAX);
        order[at] = i;
    }
    for (uint32_t i = 1; i < CELLS; i++)
        assert_int_equal(away(order[i - 1] % EDGE, order[i] % EDGE) + away(order[i - 1] / EDGE, order[i] / EDGE), 1);
    (void)state;
}

/* A machine that is none: data segments 1..n on nodes 0..n-1, all with processors but the last when far. The distance of a and b is 10 + 10 |a - b|. */
static struct adit_arena *made_up(uint32_t n, bool is_far, enum adit_placement placement)
{
    struct adit_arena *a = calloc(1, sizeof *a);
    assert_non_null(a);
    a->segments_n = n + 1;
    a->placement = placement;
    for (uint32_t s = 1; s <= n; s++) {
        a->segments[s].node = (int32_t)s - 1;
        for (uint32_t k = 1; k <= n; k++)
            a->distance[s][k] = (uint8_t)(10 + 10 * away(s, k));
        adit_near_order(a, s);
        if (s < n || !is_far)
            a->homes[a->homes_n++] = (uint8_t)s;
    }
    return a;
}

static uint64_t pack(int32_t x, int32_t y, int32_t z)
{
    uint64_t packed;
    assert_int_equal(adit_key_pack(&(struct adit_key){.x = x, .y = y, .z = z}, &packed), 0);
    return packed;
}

/* tried: a far node among the homes; the lower bits of coordinates not left out */
static void a_region_is_on_one_node_and_every_node_has_its_share(void **state)
{
    static const int32_t parts[][3] = {{16, 1, 16}, {3, 20, 4}, {5, 2, 9}};
    for (uint32_t n = 2; n <= 4; n++)
        for (uint32_t p = 0; p < 3; p++) {
            struct adit_arena *a = made_up(n + 1, true, ADIT_PLACE_REGION);
            uint32_t of[ADIT_SEGMENTS_MAX] = {0}, regions = 0;
            for (int32_t x = -2; x < parts[p][0] - 2; x++)
                for (int32_t y = -1; y < parts[p][1] - 1; y++)
                    for (int32_t z = -3; z < parts[p][2] - 3; z++, regions++) {
                        uint32_t place = adit_placement_of(a, pack(x * REGION, y * REGION, z * REGION));
                        assert_in_range(place, 1, n);
                        assert_int_equal(adit_placement_of(a, pack(x * REGION + 7, y * REGION + 7, z * REGION + 7)), place);
                        of[place]++;
                    }
            for (uint32_t s = 1; s <= n; s++)
                assert_in_range(of[s], regions * 7 / n / 10, regions * 13 / n / 10 + 1);
            free(a);
        }
    (void)state;
}

static void interleaved_chunks_take_turns(void **state)
{
    struct adit_arena *a = made_up(3, false, ADIT_PLACE_INTERLEAVED);
    for (int32_t x = -20; x < 20; x++) {
        uint32_t here = adit_placement_of(a, pack(x, -3, 5));
        assert_in_range(here, 1, 3);
        assert_int_equal(adit_placement_of(a, pack(x + 1, -3, 5)), here % 3 + 1);
        assert_int_equal(adit_placement_of(a, pack(x, -2, 5)), here % 3 + 1);
        assert_int_equal(adit_placement_of(a, pack(x, -3, 6)), here % 3 + 1);
    }
    free(a);
    (void)state;
}

static void only_a_strict_arena_refuses_the_next_node(void **state)
{
    struct adit_arena *a = made_up(3, false, ADIT_PLACE_PRODUCER);
    assert_int_equal(adit_placement_of(a, pack(1, 2, 3)), ADIT_BLOCK_HERE);
    a->is_strict = true;
    assert_int_equal(adit_placement_of(a, pack(1, 2, 3)), ADIT_BLOCK_HERE | ADIT_BLOCK_ONLY);
    a->placement = ADIT_PLACE_INTERLEAVED;
    assert_int_equal(adit_placement_of(a, pack(0, 0, 0)) & ~ADIT_BLOCK_ONLY, 1 + (3u << 19) % 3);
    a->placement = 77; /* whatever lies in shared memory */
    assert_int_equal(adit_placement_of(a, pack(1, 2, 3)), ADIT_BLOCK_HERE | ADIT_BLOCK_ONLY);
    free(a);
    (void)state;
}

/* tried: sorted by number alone; ties by number from 1 on */
static void the_next_segment_is_the_nearest_and_ties_go_round(void **state)
{
    struct adit_arena *a = made_up(4, false, ADIT_PLACE_PRODUCER);
    static const uint8_t order[4][4] = {{1, 2, 3, 4}, {2, 3, 1, 4}, {3, 4, 2, 1}, {4, 3, 2, 1}};
    for (uint32_t s = 1; s <= 4; s++)
        for (uint32_t i = 0; i < 4; i++)
            assert_int_equal(adit_near_at(a, s, i), order[s - 1][i]);
    assert_int_equal(adit_near_node(a, 2), 3);
    free(a);
    (void)state;
}

/* tried: a far segment at home with nobody; with those further off, too */
static void each_segment_is_at_home_with_the_nearest_foremen(void **state)
{
    struct adit_arena *a = made_up(4, true, ADIT_PLACE_PRODUCER);
    struct adit_reach r[2];
    adit_reaches_init(r, a, (int32_t[]){0, 2}, (uint32_t[]){3, 5}, 2); /* nodes 1, between them, and 3, far, have no foremen */
    assert_int_equal(r[0].homes, 1u << 1 | 1u << 2);
    assert_int_equal(r[1].homes, 1u << 2 | 1u << 3 | 1u << 4);
    assert_int_equal(r[0].workers[1], 3);
    assert_int_equal(r[1].workers[2], 8);
    assert_int_equal(r[1].workers[4], 5);
    adit_reaches_init(r, a, (int32_t[]){1}, (uint32_t[]){4}, 1);
    assert_int_equal(r[0].homes, 0);
    free(a);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_curve_visits_each_cell_once_and_goes_from_neighbour_to_neighbour),
        cmocka_unit_test(a_region_is_on_one_node_and_every_node_has_its_share),
        cmocka_unit_test(interleaved_chunks_take_turns),
        cmocka_unit_test(only_a_strict_arena_refuses_the_next_node),
        cmocka_unit_test(the_next_segment_is_the_nearest_and_ties_go_round),
        cmocka_unit_test(each_segment_is_at_home_with_the_nearest_foremen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
