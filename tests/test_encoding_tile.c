/* test_encoding_tile.c - the voxel loops of each instruction set against plain loops, on the same random tiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "runtime/encoding.h"
#include "runtime/encoding_tile.h"

#define ROUNDS 400u

static uint16_t tile[ADIT_TILE_VOXELS];
static uint64_t random_state = 3;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 32) * n >> 32);
}

static int ascending(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* A tile of up to n materials from a range of ids: noise, or runs, or a field with a few lone voxels. The set it must
 * give comes from sorting all its voxels. */
static void tile_make(uint32_t n, struct adit_tile_set *set)
{
    uint16_t material[32], sorted[ADIT_TILE_VOXELS];
    uint32_t range = random_below(3), shape = random_below(3);
    for (uint32_t i = 0; i < n; i++)
        material[i] = (uint16_t)(range == 0 ? random_below(65536) : range == 1 ? 65280 + random_below(256) : i);
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i++)
        tile[i] = material[shape == 0   ? random_below(n)
                           : shape == 1 ? i / 100 % n
                                        : (random_below(400) ? 0 : random_below(n))];
    memcpy(sorted, tile, sizeof sorted);
    qsort(sorted, ADIT_TILE_VOXELS, sizeof *sorted, ascending);
    set->n = 0;
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS && set->n < ADIT_TILE_MANY; i++) {
        if (i > 0 && sorted[i] == sorted[i - 1])
            continue;
        if (set->n < ADIT_TILE_SET_MAX)
            set->material[set->n] = sorted[i];
        set->n++;
    }
}

static void check_pack(const struct adit_tile_kernel *kernel, const struct adit_tile_set *set)
{
    for (uint32_t bits = 1; bits <= 4; bits *= 2) {
        uint8_t packed[512 * 4 + 1];
        uint16_t back[ADIT_TILE_VOXELS], local[16] = {0};
        if (set->n > 1u << bits)
            continue;
        packed[512 * bits] = 0xc3;
        kernel->pack(tile, set, bits, packed);
        assert_int_equal(packed[512 * bits], 0xc3);
        for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i++) {
            uint32_t index = (uint32_t)packed[i * bits / 8] >> i * bits % 8 & ((1u << bits) - 1);
            if (index >= set->n || set->material[index] != tile[i])
                fail_msg("%u bits, voxel %u: index %u", bits, i, index);
        }
        memcpy(local, set->material, set->n * 2);
        kernel->unpack(back, local, bits, packed);
        assert_memory_equal(back, tile, sizeof tile);
    }
}

/* Unpacking indices that no writer wrote reads every place of the table. */
static void check_unpack_any(const struct adit_tile_kernel *kernel)
{
    for (uint32_t bits = 1; bits <= 8; bits *= 2) {
        static uint8_t packed[512 * 8];
        uint16_t local[256], back[ADIT_TILE_VOXELS];
        for (uint32_t i = 0; i < 256; i++)
            local[i] = (uint16_t)random_below(65536);
        for (uint32_t i = 0; i < sizeof packed; i++)
            packed[i] = (uint8_t)random_below(256);
        kernel->unpack(back, local, bits, packed);
        for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i++)
            assert_int_equal(back[i], local[(uint32_t)packed[i * bits / 8] >> i * bits % 8 & ((1u << bits) - 1)]);
    }
}

static void check_mask(const struct adit_tile_kernel *kernel, const struct adit_tile_set *set)
{
    uint16_t some[ADIT_TILE_SET_MAX];
    uint32_t n = 0, members = 0, set_bits;
    bool invert = random_below(2);
    uint8_t mask[512];
    for (uint32_t i = 0; i < set->n; i++)
        if (random_below(2))
            some[n++] = set->material[i];
    set_bits = kernel->mask(tile, some, n, invert, mask);
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i++) {
        bool is = false;
        for (uint32_t k = 0; k < n; k++)
            is = is || tile[i] == some[k];
        members += is;
        assert_int_equal(mask[i / 8] >> i % 8 & 1, is != invert);
    }
    assert_int_equal(set_bits, invert ? ADIT_TILE_VOXELS - members : members);
    assert_int_equal(kernel->count(tile, some, n), members);
}

static void check_kernel(const struct adit_tile_kernel *kernel)
{
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct adit_tile_set wanted, set;
        tile_make(1 + random_below(round % 4 ? 18 : 5), &wanted);
        kernel->materials(tile, &set);
        assert_int_equal(set.n, wanted.n);
        if (set.n == ADIT_TILE_MANY)
            continue;
        assert_memory_equal(set.material, wanted.material, set.n * 2);
        check_pack(kernel, &set);
        check_mask(kernel, &set);
    }
    check_unpack_any(kernel);
}

/* Strips of bricks, some uniform, one spoiled by a single voxel anywhere. */
static void check_strips(const struct adit_tile_kernel *kernel)
{
    static uint16_t chunk[ADIT_CHUNK_VOXELS], back[ADIT_CHUNK_VOXELS];
    static uint16_t tiles[ADIT_STRIP_TILES * ADIT_TILE_VOXELS], low[4096], high[4096];
    for (uint32_t strip = 0; strip < ADIT_STRIPS; strip++) {
        const uint16_t *at = chunk + adit_strip_at(strip);
        const uint16_t *from[ADIT_STRIP_TILES];
        const uint32_t step[ADIT_STRIP_TILES] = {16, 16, 16, 16};
        uint32_t spoiled = random_below(5), x = random_below(16), y = random_below(16), z = random_below(16);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            chunk[i] = (uint16_t)(i % 64 / 16);
        if (spoiled < 4)
            chunk[adit_strip_at(strip) + z * 4096 + y * 64 + x + spoiled * 16] ^= 0x100;
        memset(low, 0xff, sizeof low);
        assert_int_equal(kernel->strip_scan(at, low, high), spoiled < 4 ? 0xf & ~(1u << spoiled) : 0xf);
        for (uint32_t r = 0; r < 256; r++) {
            assert_int_equal(low[r / 16 * 64 + r % 16], at[r / 16 * 4096 + r % 16 * 64]);
            assert_int_equal(high[r / 16 * 64 + r % 16], at[r / 16 * 4096 + r % 16 * 64 + 63]);
        }
        kernel->strip_gather(at, 0xf, tiles);
        for (uint32_t b = 0; b < ADIT_STRIP_TILES; b++)
            from[b] = tiles + b * ADIT_TILE_VOXELS;
        kernel->strip_scatter(back + adit_strip_at(strip), from, step);
        for (uint32_t r = 0; r < 256; r++)
            assert_memory_equal(back + (at - chunk) + r / 16 * 4096 + r % 16 * 64, at + r / 16 * 4096 + r % 16 * 64, 128);
    }
}

static void portable_loops_do_what_they_say(void **state)
{
    (void)state;
    check_kernel(adit_tile_kernel_named("portable"));
    check_strips(adit_tile_kernel_named("portable"));
}

static void avx2_loops_do_what_they_say(void **state)
{
    (void)state;
    if (!adit_tile_kernel_named("avx2"))
        skip();
    check_kernel(adit_tile_kernel_named("avx2"));
    check_strips(adit_tile_kernel_named("avx2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portable_loops_do_what_they_say),
        cmocka_unit_test(avx2_loops_do_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
