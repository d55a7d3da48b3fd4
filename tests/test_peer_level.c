/* test_peer_level.c - the reader of a peer's level files against bytes made by hand: sound, cut at every byte, and with each number of its table and pairs wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "perf/peer_level.h"

#define VOXELS (64 * 64 * 64)
#define TABLE_BYTES (1 + 4 * 12) /* a level of 2 x 2 chunks */

/* A level under construction. */
static uint8_t level[TABLE_BYTES + 4 * 2 * (VOXELS / 255 + 8)];
static size_t level_bytes;
static uint8_t volume[VOXELS];

static void put_word(size_t at, uint32_t word)
{
    for (int i = 0; i < 4; i++)
        level[at + (size_t)i] = (uint8_t)(word >> 8 * i);
}

static uint32_t get_word(size_t at)
{
    return (uint32_t)level[at] | (uint32_t)level[at + 1] << 8 | (uint32_t)level[at + 2] << 16 | (uint32_t)level[at + 3] << 24;
}

static void put_run(uint8_t material, uint32_t n)
{
    for (uint32_t part; n > 0; n -= part) {
        part = n < 255 ? n : 255;
        level[level_bytes++] = material;
        level[level_bytes++] = (uint8_t)part;
    }
}

/* Chunk i: i * 1000 voxels of air, three of material 7, the rest of material i + 1. */
static void put_chunk(uint32_t i)
{
    size_t begin = level_bytes, entry = 1 + (size_t)i * 12;
    put_run(0, i * 1000);
    put_run(7, 3);
    put_run((uint8_t)(i + 1), VOXELS - i * 1000 - 3);
    put_word(entry, i);
    put_word(entry + 4, (uint32_t)begin);
    put_word(entry + 8, (uint32_t)(level_bytes - begin));
}

static int make_level(void **state)
{
    (void)state;
    memset(level, 0, sizeof level);
    level[0] = 2;
    level_bytes = TABLE_BYTES;
    for (uint32_t i = 0; i < 4; i++)
        put_chunk(i);
    return 0;
}

/* What the file says of its voxel number n, which is z first, then x, then y; tried: x and y the other way round. */
static uint8_t voxel_number(uint32_t n)
{
    return volume[((n & 63) * 64 + (n >> 12)) * 64 + (n >> 6 & 63)];
}

static void a_level_gives_its_chunks(void **state)
{
    (void)state;
    assert_int_equal(peer_level_chunks(level, level_bytes), 4);
    for (uint32_t i = 0; i < 4; i++) {
        memset(volume, 0xee, sizeof volume);
        assert_int_equal(peer_level_chunk(level, level_bytes, i, volume), 0);
        for (uint32_t n = 0; n < VOXELS; n++)
            assert_int_equal(voxel_number(n), n < i * 1000 ? 0 : n < i * 1000 + 3 ? 7 : i + 1);
    }
    assert_int_equal(peer_level_chunk(level, level_bytes, 4, volume), -EBADMSG);
}

static void z_runs_fastest_then_x_then_y(void **state)
{
    (void)state;
    level_bytes = TABLE_BYTES;
    put_run(1, 1);
    put_run(2, 63);
    put_run(3, 64);
    put_run(4, 4096 - 128);
    put_run(5, VOXELS - 4096);
    put_word(1 + 4, TABLE_BYTES);
    put_word(1 + 8, (uint32_t)(level_bytes - TABLE_BYTES));
    assert_int_equal(peer_level_chunk(level, level_bytes, 0, volume), 0);
    assert_int_equal(volume[0], 1);
    assert_int_equal(volume[64 * 64], 2);     /* z 1 */
    assert_int_equal(volume[1], 3);           /* x 1 */
    assert_int_equal(volume[2], 4);           /* x 2 */
    assert_int_equal(volume[64], 5);          /* y 1 */
}

/* In memory of just that size, so that a sanitizer sees a byte read beyond; tried: the length of a chunk not compared. */
static int read_cut(size_t bytes, uint32_t i)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);
    assert_non_null(copy);
    memcpy(copy, level, bytes);
    int error = peer_level_chunk(copy, bytes, i, volume);
    free(copy);
    return error;
}

static void a_level_cut_short_is_refused(void **state)
{
    (void)state;
    size_t third = get_word(1 + 3 * 12 + 4);
    for (size_t bytes = 0; bytes < level_bytes; bytes += bytes < TABLE_BYTES + 8 || bytes + 8 > third ? 1 : 7)
        assert_int_equal(read_cut(bytes, 3), -EBADMSG);
    assert_int_equal(read_cut(level_bytes, 3), 0);
    assert_int_equal(read_cut(third, 2), 0); /* the end of another chunk is none of its business */
    assert_int_equal(peer_level_chunks(level, TABLE_BYTES - 1), 0);
    assert_int_equal(peer_level_chunks(level, TABLE_BYTES), 4);
    assert_int_equal(peer_level_chunks(level, 0), 0);
    level[0] = 0;
    assert_int_equal(peer_level_chunks(level, level_bytes), 0);
}

static void numbers_that_do_not_add_up_are_refused(void **state)
{
    (void)state;
    const size_t begin_at = 1 + 4, length_at = 1 + 8;
    const uint32_t begin = get_word(begin_at), length = get_word(length_at);
    const struct {
        uint32_t begin, length;
    } wrong[] = {{(uint32_t)level_bytes + 1, length}, {(uint32_t)level_bytes, length}, {UINT32_MAX, length}, {begin, UINT32_MAX},
                 {begin, (uint32_t)level_bytes},     {begin, length - 1},             {begin, length - 2},  {begin, length + 2},
                 {begin, 0},                         {UINT32_MAX - 1, 4}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_word(begin_at, wrong[i].begin);
        put_word(length_at, wrong[i].length);
        assert_int_equal(read_cut(level_bytes, 0), -EBADMSG);
    }
    put_word(begin_at, begin);
    put_word(length_at, length);
    assert_int_equal(read_cut(level_bytes, 0), 0);
    uint8_t *last = level + begin + length - 1; /* a voxel too many, one too few */
    *last = (uint8_t)(*last + 1);
    assert_int_equal(read_cut(level_bytes, 0), -EBADMSG);
    *last = (uint8_t)(*last - 2);
    assert_int_equal(read_cut(level_bytes, 0), -EBADMSG);
    put_word(length_at + 3 * 12, get_word(length_at + 3 * 12) - 1); /* half a pair at the end of the file; tried: odd lengths allowed */
    assert_int_equal(read_cut(level_bytes - 1, 3), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_level_gives_its_chunks, make_level),
        cmocka_unit_test_setup(z_runs_fastest_then_x_then_y, make_level),
        cmocka_unit_test_setup(a_level_cut_short_is_refused, make_level),
        cmocka_unit_test_setup(numbers_that_do_not_add_up_are_refused, make_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
