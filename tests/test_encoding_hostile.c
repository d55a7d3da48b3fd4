/* test_encoding_hostile.c - a block whose bytes were damaged is refused, or decodes to something: never a fault.
 *
 * Blocks are as large as they say and stand in memory of exactly that size, so that AddressSanitizer sees any byte read
 * beyond. The seed is printed; ADIT_SEED sets it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "runtime/encoding.h"

#define MUTATIONS 120000u /* of all kinds of blocks together */
#define EDITS_MAX 6u

static uint16_t voxels[ADIT_CHUNK_VOXELS], decoded[ADIT_CHUNK_VOXELS];
static uint8_t classes[ADIT_MATERIALS];
static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 32) * n >> 32);
}

static int setup(void **state)
{
    (void)state;
    const char *seed = getenv("ADIT_SEED");
    random_state = seed ? strtoull(seed, NULL, 0) : 1;
    print_message("ADIT_SEED=%llu\n", (unsigned long long)random_state);
    for (uint32_t m = 1; m < ADIT_MATERIALS; m++)
        classes[m] = (uint8_t)(m % 3 + 1);
    return 0;
}

static void *exactly(size_t bytes)
{
    void *block = NULL;
    assert_int_equal(posix_memalign(&block, 64, bytes), 0);
    memset(block, 0, bytes);
    return block;
}

/* Bricks with every code, planes of 0 to 8 bits, mixed masks. */
static struct adit_version *block_of_bricks(uint32_t materials)
{
    struct adit_encode_plan *plan = malloc(adit_encode_plan_bytes());
    struct adit_version *v;
    size_t bytes;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
        uint32_t x = i % 64 / 16, y = i / 64 % 64 / 16, z = i / 4096 / 16, n = 1 + (x + y * y + z * 5) % materials;
        voxels[i] = (uint16_t)(x * 300 + random_below(n));
    }
    assert_non_null(plan);
    adit_encode_plan(plan, voxels, classes, &bytes);
    v = exactly(bytes);
    adit_encode_write(plan, v);
    free(plan);
    assert_int_equal(v->encoding, ADIT_ENC_BRICKS);
    return v;
}

static struct adit_version *block_dense(void)
{
    struct adit_version *v = exactly(adit_encode_dense_bytes());
    uint16_t *in = (uint16_t *)((uint8_t *)v + adit_encode_dense_voxels_at());
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        in[i] = (uint16_t)random_below(i % 64 == 0 ? 2 : 65536);
    adit_encode_dense_finish(v, classes);
    return v;
}

static void decode_all(const struct adit_version *v)
{
    static uint64_t mask[ADIT_MASK_WORDS];
    struct adit_encoding_bytes b;
    uint16_t plane[ADIT_PLANE_VOXELS];
    adit_decode_chunk(v, decoded);
    adit_decode_mask(v, mask);
    for (enum adit_face f = 0; f < ADIT_FACES; f++)
        adit_decode_plane(v, f, plane);
    adit_encoding_bytes_of(v, &b);
    (void)adit_encode_hash(v);
}

/* A part that costs little; the whole now and then. Voxels one by one must agree with the whole. */
static void decode_some(const struct adit_version *v, uint32_t turn)
{
    uint16_t plane[ADIT_PLANE_VOXELS];
    if (turn % 16 == 0)
        decode_all(v);
    adit_decode_plane(v, (enum adit_face)random_below(ADIT_FACES), plane);
    for (uint32_t i = 0; i < 32; i++) {
        uint32_t x = random_below(64), y = random_below(64), z = random_below(64);
        uint16_t one = adit_decode_voxel(v, x, y, z);
        if (turn % 16 == 0)
            assert_int_equal(one, decoded[(z * 64 + y) * 64 + x]);
    }
}

/* Most edits go where places and codes are: the head and the 2 KiB after it, or what a field of the head points to. */
static uint32_t edit_place(const struct adit_version *v, uint32_t bytes)
{
    switch (random_below(4)) {
    case 0:
        return random_below((uint32_t)sizeof *v);
    case 1:
        return bytes > 512 && v->bricks_at < bytes - 256 ? v->bricks_at + random_below(256) : 0;
    case 2:
        return random_below(bytes < 2048 ? bytes : 2048);
    default:
        return random_below(bytes);
    }
}

/* Edits some bytes, decodes if that is sound, puts them back. Returns whether it was. */
static bool mutate(struct adit_version *v, uint32_t bytes, uint32_t turn)
{
    const uint8_t values[] = {0, 1, 2, 3, 4, 8, 16, 31, 127, 128, 254, 255};
    uint32_t at[EDITS_MAX], n = 1 + random_below(EDITS_MAX);
    uint8_t before[EDITS_MAX], *block = (uint8_t *)v;
    bool sound;
    for (uint32_t i = 0; i < n; i++) {
        at[i] = edit_place(v, bytes);
        before[i] = block[at[i]];
        if (random_below(2))
            block[at[i]] = values[random_below(sizeof values)];
        else
            block[at[i]] ^= (uint8_t)(1u << random_below(8));
    }
    sound = adit_encoding_is_sound(v, bytes);
    if (sound)
        decode_some(v, turn);
    while (n-- > 0)
        block[at[n]] = before[n];
    return sound;
}

static void damaged_blocks_are_refused_or_decode_without_fault(void **state)
{
    (void)state;
    struct adit_version *block[5] = {block_of_bricks(5), block_of_bricks(20), block_of_bricks(200), block_dense(),
                                     exactly(sizeof(struct adit_version))};
    uint32_t bytes[5], sound = 0;
    adit_encode_removed(block[4]);
    for (uint32_t b = 0; b < 5; b++) {
        bytes[b] = b == 3 ? (uint32_t)adit_encode_dense_bytes() : block[b]->bytes;
        assert_true(adit_encoding_is_sound(block[b], bytes[b]));
        decode_all(block[b]);
    }
    for (uint32_t turn = 0; turn < MUTATIONS; turn++) {
        uint32_t b = random_below(16), which = b < 5 ? b : b % 3;
        sound += mutate(block[which], bytes[which], turn);
    }
    print_message("%u of %u damaged blocks were sound\n", sound, MUTATIONS);
    assert_in_range(sound, MUTATIONS / 20, MUTATIONS - MUTATIONS / 20); /* else this would show nothing */
    for (uint32_t b = 0; b < 5; b++) {
        assert_true(adit_encoding_is_sound(block[b], bytes[b]));
        free(block[b]);
    }
}

static void a_block_cut_short_is_refused(void **state)
{
    (void)state;
    struct adit_version *v = block_of_bricks(20);
    for (uint32_t n = 0; n < 400; n++) {
        uint32_t bytes = n < 200 ? n : random_below(v->bytes);
        void *cut = exactly(bytes ? bytes : 1);
        memcpy(cut, v, bytes);
        assert_false(adit_encoding_is_sound(cut, bytes));
        if (bytes >= sizeof *v) { /* and when it lies about its size: a part is outside */
            ((struct adit_version *)cut)->bytes = bytes;
            assert_false(adit_encoding_is_sound(cut, bytes));
        }
        free(cut);
    }
    free(v);
}

/* One lie at a time; each must be seen by itself. */
static void each_lie_is_seen(void **state)
{
    (void)state;
    struct adit_version *v = block_of_bricks(20), head = *v;
    uint32_t bytes = v->bytes, *brick = (uint32_t *)((uint8_t *)v + v->bricks_at), d = brick[1];
    uint16_t *palette = (uint16_t *)((uint8_t *)v + v->palette_at);
#define REFUSED(lie)                                                                                                        \
    do {                                                                                                                    \
        lie;                                                                                                                \
        assert_false(adit_encoding_is_sound(v, bytes));                                                                     \
        *v = head;                                                                                                          \
        brick[1] = d;                                                                                                       \
        assert_true(adit_encoding_is_sound(v, bytes));                                                                      \
    } while (0)
    assert_int_not_equal(adit_brick_code(d), 0);
    REFUSED(v->kind = ADIT_KIND_MESH);
    REFUSED(v->bytes++);
    REFUSED(v->bytes = 0);
    REFUSED(v->encoding = 0);
    REFUSED(v->encoding = 5);
    REFUSED(v->encoding = ADIT_ENC_UNIFORM); /* with planes that are stored */
    REFUSED(v->encoding = ADIT_ENC_DENSE16);
    REFUSED(v->solid = ADIT_CHUNK_VOXELS + 1);
    REFUSED(v->opaque = v->solid + 1);
    REFUSED(v->palette_n = 0);
    REFUSED(v->palette_n = 257);
    REFUSED(v->palette_at = 0);
    REFUSED(v->palette_at = 0xfffffff0);
    REFUSED(v->palette_at += 2);
    REFUSED(v->bricks_at = bytes - 240);
    REFUSED(v->bricks_at += 4);
    REFUSED(v->masks_at = bytes);
    REFUSED(v->masks_n = 0);
    REFUSED(v->masks_n = 65);
    REFUSED(v->voxels_at = 0xfffffff0);
    REFUSED(v->voxels_at += 16);
    REFUSED(v->plane[0].bits = 3);
    REFUSED(v->plane[1].bits = 16);
    REFUSED(v->plane[2].at = 16);
    REFUSED(v->plane[3].at += 8);
    REFUSED(v->plane[4].at = bytes - 16);
    REFUSED(v->plane[5].at = 0xfffffff0);
    REFUSED(brick[1] = d | 7);
    REFUSED(brick[1] = d | 3 << 3);
    REFUSED(brick[1] = d | 0x7fff << 5);
    REFUSED(brick[1] = adit_brick_make(0, ADIT_BRICK_CLEAR, v->palette_n, 0));
    REFUSED(brick[1] = adit_brick_make(0, ADIT_BRICK_MIXED, 0, v->masks_n));
    palette[1] = palette[0];
    assert_false(adit_encoding_is_sound(v, bytes));
    free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_blocks_are_refused_or_decode_without_fault),
        cmocka_unit_test(a_block_cut_short_is_refused),
        cmocka_unit_test(each_lie_is_seen),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
