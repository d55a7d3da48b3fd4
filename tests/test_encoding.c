/* test_encoding.c - chunks go into blocks and come back, and what blocks say of chunks is true.
 *
 * Every case goes through encode_and_check, which holds the block against plain loops over the voxels.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "runtime/encoding.h"
#include "tests/volumes.h"

static uint16_t voxels[ADIT_CHUNK_VOXELS], decoded[ADIT_CHUNK_VOXELS];
static uint8_t classes[ADIT_MATERIALS];
static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 32) * n >> 32);
}

static uint32_t voxel_at(uint32_t x, uint32_t y, uint32_t z)
{
    return (z * 64 + y) * 64 + x;
}

/* Most opaque, every fifth translucent, every seventh cutout, every 97th air like material 0. */
static int setup(void **state)
{
    (void)state;
    random_state = 1;
    for (uint32_t m = 0; m < ADIT_MATERIALS; m++)
        classes[m] = m % 97 == 0  ? ADIT_CLASS_AIR
                     : m % 5 == 4 ? ADIT_CLASS_TRANSLUCENT
                     : m % 7 == 6 ? ADIT_CLASS_CUTOUT
                                  : ADIT_CLASS_OPAQUE;
    return 0;
}

/* ---- a block against the voxels --------------------------------------------------------------------------------- */

/* Exactly as large as it must be, so that AddressSanitizer sees the first byte too many. */
static struct adit_version *block_new(size_t bytes, int dirt)
{
    void *block = NULL;
    assert_int_equal(posix_memalign(&block, 64, bytes), 0);
    memset(block, dirt, bytes);
    ((struct adit_version *)block)->key = 99;
    return block;
}

static struct adit_version *encode(int dirt)
{
    struct adit_encode_plan *plan = malloc(adit_encode_plan_bytes());
    struct adit_version *v;
    size_t bytes;
    assert_non_null(plan);
    memset(plan, dirt, adit_encode_plan_bytes());
    assert_int_equal(adit_encode_plan(plan, voxels, classes, &bytes), 0);
    assert_true(bytes <= ADIT_ENCODED_BYTES_MAX);
    v = block_new(bytes, dirt);
    adit_encode_write(plan, v);
    assert_int_equal(v->bytes, bytes);
    free(plan);
    return v;
}

static uint16_t plane_voxel(uint32_t face, uint32_t i)
{
    uint32_t at[3];
    at[adit_face_axis(face)] = face & 1 ? 63 : 0;
    at[adit_face_u(face)] = i % 64;
    at[adit_face_v(face)] = i / 64;
    return voxels[voxel_at(at[0], at[1], at[2])];
}

static void check_planes(const struct adit_version *v)
{
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        uint16_t wanted[ADIT_PLANE_VOXELS], plane[ADIT_PLANE_VOXELS];
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
            wanted[i] = plane_voxel(f, i);
        adit_decode_plane(v, (enum adit_face)f, plane);
        assert_memory_equal(plane, wanted, sizeof plane);
        assert_true(v->border_hash[f] == XXH3_64bits(wanted, sizeof wanted));
    }
}

static void check_counts(const struct adit_version *v)
{
    static uint64_t mask[ADIT_MASK_WORDS], wanted[ADIT_MASK_WORDS];
    uint32_t solid = 0, opaque = 0, others = 0;
    memset(wanted, 0, sizeof wanted);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
        uint8_t class = classes[voxels[i]];
        solid += class != ADIT_CLASS_AIR;
        opaque += class == ADIT_CLASS_OPAQUE;
        others += voxels[i] != voxels[0];
        wanted[i / 64] |= (uint64_t)(class == ADIT_CLASS_OPAQUE) << i % 64;
    }
    adit_decode_mask(v, mask);
    assert_memory_equal(mask, wanted, sizeof mask);
    assert_int_equal(v->solid, solid);
    assert_int_equal(v->opaque, opaque);
    assert_int_equal(v->summary, (solid == 0 ? ADIT_SUM_EMPTY : 0) | (opaque == ADIT_CHUNK_VOXELS ? ADIT_SUM_FULL : 0) |
                                     (others == 0 ? ADIT_SUM_UNIFORM : 0));
}

static void check(const struct adit_version *v)
{
    struct adit_encoding_bytes b;
    assert_true(adit_encoding_is_sound(v, v->bytes));
    assert_false(adit_encoding_is_sound(v, v->bytes - 1u));
    memset(decoded, 0xee, sizeof decoded);
    adit_decode_chunk(v, decoded);
    assert_memory_equal(decoded, voxels, sizeof voxels);
    for (uint32_t n = 0; n < 512; n++) { /* corners of the chunk, of bricks, anywhere */
        uint32_t keep = n < 8 ? 0 : n < 64 ? 16 : 64, at[3];
        for (uint32_t a = 0; a < 3; a++)
            at[a] = keep == 0    ? (n >> a & 1) * 63
                    : keep == 16 ? random_below(4) * 16 + random_below(2) * 15
                                 : random_below(64);
        assert_int_equal(adit_decode_voxel(v, at[0], at[1], at[2]), voxels[voxel_at(at[0], at[1], at[2])]);
    }
    check_planes(v);
    check_counts(v);
    adit_encoding_bytes_of(v, &b);
    assert_int_equal(adit_encoding_bytes_overhead(&b) + b.palette + b.masks + b.planes + b.voxels, v->bytes);
}

/* The same chunk as a loan filled in place. */
static void check_dense(void)
{
    struct adit_version *v = block_new(adit_encode_dense_bytes(), 0x5a), *whole;
    memcpy((uint8_t *)v + adit_encode_dense_voxels_at(), voxels, sizeof voxels);
    adit_encode_dense_finish(v, classes);
    assert_int_equal(v->encoding, ADIT_ENC_DENSE16);
    assert_true(v->bytes <= adit_encode_dense_bytes());
    whole = block_new(v->bytes, 0);
    memcpy(whole, v, v->bytes);
    check(whole);
    free(v);
    free(whole);
}

/* Encodes voxels and checks all that can be; the encoding must be the expected one. */
static struct adit_version *encode_and_check(enum adit_encoding encoding)
{
    struct adit_version *v = encode(0xa5), *again = encode(0x5a);
    assert_int_equal(v->encoding, encoding);
    check(v);
    again->version = v->version; /* fields that are not the encoder's */
    again->published_ns = v->published_ns;
    again->publisher = v->publisher;
    again->content_hash = v->content_hash = adit_encode_hash(v);
    assert_int_equal(again->bytes, v->bytes);
    assert_memory_equal(v, again, v->bytes);
    free(again);
    return v;
}

static void round_trip(enum adit_encoding encoding)
{
    free(encode_and_check(encoding));
    check_dense();
}

static uint32_t brick_of(const struct adit_version *v, uint32_t brick)
{
    return ((const uint32_t *)((const uint8_t *)v + v->bricks_at))[brick];
}

/* ---- cases ------------------------------------------------------------------------------------------------------ */

static void fill(uint16_t material)
{
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = material;
}

static void a_chunk_of_one_material_is_a_head_alone(void **state)
{
    (void)state;
    const uint16_t materials[] = {0, 1, 4, 6, 97, 255, 256, 65535};
    for (uint32_t i = 0; i < sizeof materials / sizeof *materials; i++) {
        struct adit_version *v;
        fill(materials[i]);
        v = encode_and_check(ADIT_ENC_UNIFORM);
        assert_int_equal(v->bytes, sizeof *v);
        for (uint32_t f = 0; f < ADIT_FACES; f++)
            assert_true(v->border_hash[f] == adit_plane_hash_uniform(materials[i]));
        free(v);
        check_dense();
    }
}

/* Materials of a case: n of them, close together or spread over all ids, the last one the highest there is. */
static uint16_t material_of(uint32_t i, uint32_t n, uint32_t spread)
{
    return i == 0 ? 0 : spread && i == n - 1 ? 65535 : (uint16_t)(i * (spread ? 251 : 1));
}

static void any_number_of_materials_comes_back(void **state)
{
    (void)state;
    const uint32_t counts[] = {2, 3, 4, 5, 8, 9, 12, 13, 16, 17, 255, 256, 257};
    for (uint32_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        for (uint32_t spread = 0; spread < 2; spread++) {
            uint32_t n = counts[c];
            for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
                voxels[i] = material_of(i < n ? i : random_below(n), n, spread);
            round_trip(n <= 256 ? ADIT_ENC_BRICKS : ADIT_ENC_DENSE16);
        }
    }
}

static void every_material_id_at_once_comes_back(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = (uint16_t)(i * 40503u >> 2);
    round_trip(ADIT_ENC_DENSE16);
}

/* Brick b has b % 20 + 1 materials. */
static void a_brick_takes_the_fewest_bits_its_materials_need(void **state)
{
    (void)state;
    for (uint32_t spread = 0; spread < 2; spread++) {
        struct adit_version *v;
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
            uint32_t x = i % 64, y = i / 64 % 64, z = i / 4096, b = (z / 16 * 4 + y / 16) * 4 + x / 16, n = b % 20 + 1;
            uint32_t inside = (z % 16 * 16 + y % 16) * 16 + x % 16;
            voxels[i] = (uint16_t)(b % 3 + (spread ? 3001 : 1) * (inside < n ? inside : random_below(n)));
        }
        v = encode_and_check(ADIT_ENC_BRICKS);
        for (uint32_t b = 0; b < ADIT_BRICKS; b++) {
            uint32_t n = b % 20 + 1;
            assert_int_equal(adit_brick_code(brick_of(v, b)), n == 1 ? 0 : n == 2 ? 1 : n <= 4 ? 2 : n <= 16 ? 3 : 4);
        }
        free(v);
        check_dense();
    }
}

static void a_lone_voxel_at_any_edge_is_found(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 64; c++) { /* 0, 15, 16, 63 on each axis */
        const uint32_t edges[4] = {0, 15, 16, 63};
        struct adit_version *v;
        fill(c % 2 ? 0 : 65535);
        voxels[voxel_at(edges[c & 3], edges[c >> 2 & 3], edges[c >> 4])] = c % 3 ? 7 : 4;
        v = encode_and_check(ADIT_ENC_BRICKS);
        for (uint32_t b = 0, mixed = 0; b < ADIT_BRICKS; b++) {
            mixed += adit_brick_code(brick_of(v, b)) != 0;
            assert_true(mixed <= 1);
        }
        free(v);
    }
    check_dense();
}

static void masks_are_stored_only_where_mixed(void **state)
{
    (void)state;
    struct adit_version *v;
    fill(0);
    for (uint32_t i = 0; i < 4096; i++) { /* four bricks of the lowest layer: opaque, translucent, both, opaque and air */
        uint32_t x = i % 16, y = i / 16 % 16, z = i / 256;
        voxels[voxel_at(x, y, z)] = i % 2 ? 1 : 2;
        voxels[voxel_at(x + 16, y, z)] = i % 2 ? 4 : 9;
        voxels[voxel_at(x + 32, y, z)] = i % 2 ? 4 : 1;
        voxels[voxel_at(x + 48, y, z)] = i % 3 ? 97 : i % 2 ? 3 : 4;
    }
    v = encode_and_check(ADIT_ENC_BRICKS);
    assert_int_equal(v->masks_n, 2);
    assert_int_equal(adit_brick_mask(brick_of(v, 0)), ADIT_BRICK_OPAQUE);
    assert_int_equal(adit_brick_mask(brick_of(v, 1)), ADIT_BRICK_CLEAR);
    assert_int_equal(adit_brick_mask(brick_of(v, 2)), ADIT_BRICK_MIXED);
    assert_int_equal(adit_brick_mask(brick_of(v, 3)), ADIT_BRICK_MIXED);
    assert_int_equal(adit_brick_mask(brick_of(v, 4)), ADIT_BRICK_CLEAR);
    free(v);
}

static void a_summary_knows_empty_full_and_uniform_apart(void **state)
{
    (void)state;
    struct adit_version *v;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = i % 2 ? 1 : 2;
    v = encode_and_check(ADIT_ENC_BRICKS);
    assert_int_equal(v->summary, ADIT_SUM_FULL);
    free(v);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = i % 2 ? 0 : 97;
    v = encode_and_check(ADIT_ENC_BRICKS);
    assert_int_equal(v->summary, ADIT_SUM_EMPTY);
    free(v);
    fill(4);
    v = encode_and_check(ADIT_ENC_UNIFORM);
    assert_int_equal(v->summary, ADIT_SUM_UNIFORM);
    free(v);
}

static void a_removed_chunk_decodes_to_air(void **state)
{
    (void)state;
    struct adit_version *v = block_new(sizeof *v, 0xa5);
    adit_encode_removed(v);
    assert_int_equal(v->encoding, ADIT_ENC_REMOVED);
    fill(0);
    check(v);
    free(v);
}

static void sparse_and_random_chunks_come_back(void **state)
{
    (void)state;
    struct adit_version *v;
    for (uint32_t round = 0; round < 12; round++) {
        fill((uint16_t)(round % 3 ? 0 : random_below(65536)));
        for (uint32_t n = 1u << round; n > 0; n--) { /* boxes of random size, many small or few large */
            uint32_t size = 1 + random_below(round < 6 ? 40 : 6);
            uint32_t x = random_below(64), y = random_below(64), z = random_below(64);
            uint16_t material = (uint16_t)random_below(round % 2 ? 40 : 65536);
            for (uint32_t i = 0; i < size * size * size; i++)
                voxels[voxel_at((x + i % size) % 64, (y + i / size % size) % 64, (z + i / size / size) % 64)] = material;
        }
        v = encode(0x22);
        check(v);
        free(v);
        check_dense();
    }
}

/* ---- what is written down ---------------------------------------------------------------------------------------- */

/* Whether a byte of the head says something of the content. */
static bool is_content(uint32_t at)
{
    return !(at - offsetof(struct adit_version, version) < 8 || at - offsetof(struct adit_version, content_hash) < 8 ||
             at - offsetof(struct adit_version, published_ns) < 8 || at - offsetof(struct adit_version, publisher) < 4 ||
             at - offsetof(struct adit_version, bytes) < 4);
}

static void hashes_tell_contents_apart_and_nothing_else(void **state)
{
    (void)state;
    struct adit_version *v;
    uint64_t hash;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = (uint16_t)random_below(3);
    v = encode(0);
    hash = adit_encode_hash(v);
    v->version++, v->published_ns++, v->publisher++, v->content_hash++;
    assert_true(adit_encode_hash(v) == hash);
    for (uint32_t at = 0; at < v->bytes; at += at < sizeof *v ? 1 : 1 + random_below(1000)) {
        if (!is_content(at))
            continue;
        ((uint8_t *)v)[at] ^= 1;
        assert_true(adit_encode_hash(v) != hash);
        ((uint8_t *)v)[at] ^= 1;
    }
    assert_true(adit_encode_hash(v) == hash);
    free(v);
}

/* The format of what follows the head: whoever changes these numbers makes old arenas unreadable. */
static void generated_volumes_give_the_bytes_they_always_gave(void **state)
{
    (void)state;
    static uint8_t volume[66 * 66 * 66];
    static uint16_t planes[6][4096];
    uint16_t *plane[6] = {planes[0], planes[1], planes[2], planes[3], planes[4], planes[5]};
    const struct {
        const char *kind;
        uint64_t hash;
    } golden[] = {{"terrain", 0x54d553cb82d4249b},
                  {"glass", 0xdde940be39e5653e},
                  {"mats", 0x22c709f4efe0106e},
                  {"sphere", 0x236a9b95ccd0c062},
                  {"solid", 0x2d06800538d394c2}};
    uint32_t differ = 0;
    uint64_t hash;
    for (uint32_t k = 0; k < sizeof golden / sizeof *golden; k++) {
        struct adit_encoding_bytes b;
        struct adit_version *v;
        assert_int_equal(volume_fill(golden[k].kind, (const uint32_t[3]){66, 66, 66}, 1, 7, volume), 0);
        volume_split(volume, (const uint32_t[3]){66, 66, 66}, 1, voxels, plane);
        v = encode_and_check(strcmp(golden[k].kind, "solid") ? ADIT_ENC_BRICKS : ADIT_ENC_UNIFORM);
        adit_encoding_bytes_of(v, &b);
        print_message("%-8s %6u bytes, 1/%.1f of dense: voxels %u, masks %u, planes %u, palette %u; overhead %u (%.1f %%)\n",
                      golden[k].kind, v->bytes, 524288.0 / v->bytes, b.voxels, b.masks, b.planes, b.palette,
                      adit_encoding_bytes_overhead(&b), 100.0 * adit_encoding_bytes_overhead(&b) / v->bytes);
        if (v->encoding == ADIT_ENC_BRICKS)
            assert_true(adit_encoding_bytes_overhead(&b) * 20 <= v->bytes);
        hash = XXH3_64bits(v + 1, v->bytes - sizeof *v);
        if (hash != golden[k].hash)
            print_error("%s: 0x%016llx\n", golden[k].kind, (unsigned long long)hash);
        differ += hash != golden[k].hash;
        free(v);
    }
    assert_int_equal(differ, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chunk_of_one_material_is_a_head_alone),
        cmocka_unit_test(any_number_of_materials_comes_back),
        cmocka_unit_test(every_material_id_at_once_comes_back),
        cmocka_unit_test(a_brick_takes_the_fewest_bits_its_materials_need),
        cmocka_unit_test(a_lone_voxel_at_any_edge_is_found),
        cmocka_unit_test(masks_are_stored_only_where_mixed),
        cmocka_unit_test(a_summary_knows_empty_full_and_uniform_apart),
        cmocka_unit_test(a_removed_chunk_decodes_to_air),
        cmocka_unit_test(sparse_and_random_chunks_come_back),
        cmocka_unit_test(hashes_tell_contents_apart_and_nothing_else),
        cmocka_unit_test(generated_volumes_give_the_bytes_they_always_gave),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
