/* Rectangles packed into a larger one (kernels/skyline.h): none over another or beyond, not much wasted, and numbers that do not fit. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/kernels.h"

#define SIDE 256u
#define RECTS 600u

static uint64_t seed = 88172645463325252u;
static uint8_t cell[SIDE * SIDE];
static struct adit_skyline_node nodes[RECTS + 1];

static uint32_t random_below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % n;
}

/* The line of steps has no gaps, and lies above all that was placed. */
static void check_line(const struct adit_skyline *sky)
{
    uint32_t x = 0;
    for (uint32_t i = 0; i < sky->nodes_n; i++) {
        assert_int_equal(sky->nodes[i].x, x);
        x += sky->nodes[i].width;
        assert_true(sky->nodes[i].width && (!i || sky->nodes[i].y != sky->nodes[i - 1].y)); /* (tried: equal steps left apart) */
    }
    assert_int_equal(x, sky->width);
}

/* Places one and marks its cells; false: no room. */
static bool place(struct adit_skyline *sky, uint32_t width, uint32_t height)
{
    uint32_t x, y;
    int error = adit_skyline_place(sky, width, height, &x, &y);
    assert_true(!error || error == -ENOSPC);
    if (error)
        return false;
    assert_true(x + width <= sky->width && y + height <= sky->height);
    for (uint32_t j = 0; j < height; j++)
        for (uint32_t i = 0; i < width; i++) {
            uint8_t *c = &cell[(y + j) * SIDE + x + i];
            assert_false(*c); /* (tried: what a new one covers left in the line) */
            *c = 1;
        }
    check_line(sky);
    return true;
}

static void no_rectangle_lies_over_another(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 60; round++) {
        struct adit_skyline sky;
        uint32_t width = 1 + random_below(SIDE), height = 1 + random_below(SIDE), most = 1 + random_below(round % 3 ? 20 : 100), n = 0;
        memset(cell, 0, sizeof cell);
        adit_skyline_init(&sky, width, height, nodes, RECTS + 1);
        for (uint32_t i = 0; i < RECTS; i++)
            n += place(&sky, 1 + random_below(most), 1 + random_below(most));
        assert_true(n || most > width || most > height);
    }
}

static int taller(const void *l, const void *r) { return (int)((const uint32_t *)r)[1] - (int)((const uint32_t *)l)[1]; }

static void the_tallest_first_wastes_little(void **state)
{
    (void)state;
    uint64_t area = 0;
    uint32_t size[RECTS][2], height = 0;
    struct adit_skyline sky;
    for (uint32_t i = 0; i < RECTS; i++) {
        size[i][0] = 1 + random_below(16);
        size[i][1] = 1 + random_below(16);
        area += size[i][0] * size[i][1];
    }
    qsort(size, RECTS, sizeof *size, taller);
    memset(cell, 0, sizeof cell);
    adit_skyline_init(&sky, 128, SIDE * 2, nodes, RECTS + 1);
    for (uint32_t i = 0; i < RECTS; i++) {
        uint32_t x, y;
        assert_int_equal(adit_skyline_place(&sky, size[i][0], size[i][1], &x, &y), 0);
        height = y + size[i][1] > height ? y + size[i][1] : height;
    }
    assert_in_range(height * 128u, area, area * 100 / 90); /* (tried: the first place that will do) */
}

static void equal_squares_fill_it_wholly(void **state)
{
    (void)state;
    struct adit_skyline sky;
    memset(cell, 0, sizeof cell);
    adit_skyline_init(&sky, 64, 48, nodes, 48 + 1);
    for (uint32_t i = 0; i < 48; i++)
        assert_true(place(&sky, 8, 8));
    assert_false(place(&sky, 1, 1));
    assert_int_equal(sky.nodes_n, 1);
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct adit_skyline sky;
    uint32_t x, y;
    memset(cell, 0, sizeof cell);
    adit_skyline_init(&sky, 64, 64, nodes, 3);
    assert_int_equal(adit_skyline_place(&sky, 0, 1, &x, &y), -EINVAL);
    assert_int_equal(adit_skyline_place(&sky, 1, 0, &x, &y), -EINVAL);
    static const uint32_t large[] = {65, 1u << 31, UINT32_MAX};
    for (uint32_t i = 0; i < 3; i++) {
        assert_false(place(&sky, large[i], 1));
        assert_false(place(&sky, 1, large[i]));
        assert_false(place(&sky, large[i], large[i]));
    }
    assert_true(place(&sky, 10, 10) && place(&sky, 10, 20)); /* three steps now, as many as there is room for */
    assert_false(place(&sky, 10, 5));
    check_line(&sky);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_rectangle_lies_over_another),
        cmocka_unit_test(the_tallest_first_wastes_little),
        cmocka_unit_test(equal_squares_fill_it_wholly),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
