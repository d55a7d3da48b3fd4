/* mesh_lanes.h - what the kernels "scalar" and "avx2" ask of registers, and what all share of words of bits: rows of 64 voxels to words of bits, bricks to rows of keys, words turned.
 *
 * Both are compiled from the same files, mesh_words.c and mesh_words_read.c; here is all that differs. Without AVX2 it is gcc's vector extension and,
 * for what that cannot say, bits of a comparison, two instructions of SSE2, which every x86-64 processor has. mesh_shade.c uses that form, for all kernels; mesh_uniform.c what its kernel has. Private to these files.
 */
#ifndef ADIT_MESH_LANES_H
#define ADIT_MESH_LANES_H

#include <stdint.h>
#include <string.h>
#include <immintrin.h>

#include "kernels/quad.h"

#define ADIT_LANES_OF static inline __attribute__((always_inline))

enum { ADIT_ROW = ADIT_CHUNK_DIM, ADIT_BRICK_SIDE = 16 };

typedef uint8_t adit_bytes_x16 __attribute__((vector_size(16)));
typedef uint16_t adit_shorts_x8 __attribute__((vector_size(16)));
typedef uint32_t adit_ints_x4 __attribute__((vector_size(16)));
typedef uint64_t adit_longs_x2 __attribute__((vector_size(16)));

/* -- bits of a word ------------------------------------------------------------------------------------------------ */

ADIT_LANES_OF uint32_t adit_word_lowest(uint64_t word) /* not 0 */
{
    return (uint32_t)__builtin_ctzll(word);
}

ADIT_LANES_OF uint32_t adit_word_count(uint64_t word)
{
#ifdef __POPCNT__
    return (uint32_t)__builtin_popcountll(word);
#else
    word -= word >> 1 & 0x5555555555555555;
    word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
    return (uint32_t)(((word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56);
#endif
}

/* Of rows of cells with first and last cells first and last: the first cells of those whose last cells are kept. */
ADIT_LANES_OF uint64_t adit_word_firsts(uint64_t kept, uint64_t last, uint64_t first)
{
#ifdef __BMI2__
    return _pdep_u64(_pext_u64(kept, last), first);
#else
    for (uint64_t dropped = last & ~kept; dropped; dropped &= dropped - 1) {
        uint64_t upto = first & (dropped ^ (dropped - 1)); /* the highest of these is the first cell of the row dropped */
        first &= ~(0x8000000000000000 >> __builtin_clzll(upto));
    }
    return first;
#endif
}

/* Of a voxel at index (z*64 + y)*64 + x: its brick, and its number inside it. */
ADIT_LANES_OF uint32_t adit_index_brick(uint32_t index)
{
#ifdef __BMI2__
    return _pext_u32(index, 0x30c30);
#else
    return (index >> 4 & 3) | (index >> 8 & 3 << 2) | (index >> 12 & 3 << 4);
#endif
}

ADIT_LANES_OF uint32_t adit_index_in_brick(uint32_t index)
{
#ifdef __BMI2__
    return _pext_u32(index, 0xf3cf);
#else
    return (index & 15) | (index >> 2 & 15 << 4) | (index >> 4 & 15 << 8);
#endif
}

/* -- several words ------------------------------------------------------------------------------------------------- */

#ifdef __AVX2__
#define ADIT_LONGS 4
#define ADIT_LONGS_FIRST(first, word) (adit_longs){first, (word)[0], (word)[1], (word)[2]}
#define ADIT_LONGS_LAST(word, last) (adit_longs){(word)[0], (word)[1], (word)[2], last}
#else
#define ADIT_LONGS 2
#define ADIT_LONGS_FIRST(first, word) (adit_longs){first, (word)[0]}
#define ADIT_LONGS_LAST(word, last) (adit_longs){(word)[0], last}
#endif
typedef uint64_t adit_longs __attribute__((vector_size(ADIT_LONGS * 8)));

ADIT_LANES_OF adit_longs adit_longs_load(const uint64_t *word)
{
    adit_longs v;
    memcpy(&v, word, sizeof v);
    return v;
}

/* Bit i is set where word i is not 0. */
ADIT_LANES_OF uint64_t adit_longs_nonzero(adit_longs v)
{
#ifdef __AVX2__
    __m256i zero = _mm256_cmpeq_epi64((__m256i)v, _mm256_setzero_si256());
    return (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(zero)) ^ 15;
#else
    return (v[0] != 0) | (uint64_t)(v[1] != 0) << 1;
#endif
}

/* The lowest bits of bits, one in each word. */
ADIT_LANES_OF adit_longs adit_longs_of_bits(uint64_t bits)
{
#ifdef __AVX2__
    return (adit_longs)_mm256_and_si256(_mm256_srlv_epi64(_mm256_set1_epi64x((long long)bits), _mm256_setr_epi64x(0, 1, 2, 3)), _mm256_set1_epi64x(1));
#else
    return (adit_longs){bits & 1, bits >> 1 & 1};
#endif
}

/* Words i and i + half change the off-diagonal blocks of half x half bits; both are in vectors of their own. */
ADIT_LANES_OF void adit_words_swap(uint64_t word[ADIT_ROW], uint32_t half, uint64_t mask)
{
    for (uint32_t base = 0; base < ADIT_ROW; base += 2 * half) {
        for (uint32_t i = base; i < base + half; i += ADIT_LONGS) {
            adit_longs low = adit_longs_load(word + i), high = adit_longs_load(word + i + half), swap = (low >> half ^ high) & mask;
            low ^= swap << half;
            high ^= swap;
            memcpy(word + i, &low, sizeof low);
            memcpy(word + i + half, &high, sizeof high);
        }
    }
}

/* The same inside each vector. other: its words changed with each other; is_low: all bits of the words that are the lower ones. */
ADIT_LANES_OF adit_longs adit_longs_swap(adit_longs v, adit_longs other, adit_longs is_low, uint32_t half, uint64_t mask)
{
    adit_longs stays = (is_low & mask) | (~is_low & mask << half);
    return (v & stays) | (((other << half & is_low) | (other >> half & ~is_low)) & ~stays);
}

/* Bit i of word j becomes bit j of word i (Hacker's Delight, 2nd edition, section 7-3). */
ADIT_LANES_OF void adit_words_turn(uint64_t word[ADIT_ROW])
{
    adit_words_swap(word, 32, 0x00000000ffffffff);
    adit_words_swap(word, 16, 0x0000ffff0000ffff);
    adit_words_swap(word, 8, 0x00ff00ff00ff00ff);
    adit_words_swap(word, 4, 0x0f0f0f0f0f0f0f0f);
#ifndef __AVX2__
    adit_words_swap(word, 2, 0x3333333333333333);
#endif
    for (uint32_t i = 0; i < ADIT_ROW; i += ADIT_LONGS) {
        adit_longs v = adit_longs_load(word + i);
#ifdef __AVX2__
        v = adit_longs_swap(v, __builtin_shufflevector(v, v, 2, 3, 0, 1), (adit_longs){~0ull, ~0ull, 0, 0}, 2, 0x3333333333333333);
        v = adit_longs_swap(v, __builtin_shufflevector(v, v, 1, 0, 3, 2), (adit_longs){~0ull, 0, ~0ull, 0}, 1, 0x5555555555555555);
#else
        v = adit_longs_swap(v, __builtin_shufflevector(v, v, 1, 0), (adit_longs){~0ull, 0}, 1, 0x5555555555555555);
#endif
        memcpy(word + i, &v, sizeof v);
    }
}

/* -- rows to words ------------------------------------------------------------------------------------------------- */

#ifdef __AVX2__

ADIT_LANES_OF __m256i adit_load32(const void *from)
{
    return _mm256_loadu_si256(from);
}

ADIT_LANES_OF uint64_t adit_bits_of(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

/* Where 64 bytes equal 64 others. */
ADIT_LANES_OF uint64_t adit_row_equal(const uint8_t *a, const uint8_t *b)
{
    return adit_bits_of(_mm256_cmpeq_epi8(adit_load32(a), adit_load32(b)), _mm256_cmpeq_epi8(adit_load32(a + 32), adit_load32(b + 32)));
}

/* Where 64 bytes are at most limit. */
ADIT_LANES_OF uint64_t adit_row_upto(const uint8_t *row, uint8_t limit)
{
    __m256i low = adit_load32(row), high = adit_load32(row + 32), most = _mm256_set1_epi8((char)limit);
    return adit_bits_of(_mm256_cmpeq_epi8(_mm256_min_epu8(low, most), low), _mm256_cmpeq_epi8(_mm256_min_epu8(high, most), high));
}

ADIT_LANES_OF uint64_t adit_bits_of16(const __m256i equal[4])
{
    __m256i low = _mm256_permute4x64_epi64(_mm256_packs_epi16(equal[0], equal[1]), 0xd8);
    __m256i high = _mm256_permute4x64_epi64(_mm256_packs_epi16(equal[2], equal[3]), 0xd8);
    return adit_bits_of(low, high);
}

/* Where 64 materials equal 64 others, or one. */
ADIT_LANES_OF uint64_t adit_row16_equal(const uint16_t *a, const uint16_t *b)
{
    __m256i equal[4];
    for (int i = 0; i < 4; i++)
        equal[i] = _mm256_cmpeq_epi16(adit_load32(a + i * 16), adit_load32(b + i * 16));
    return adit_bits_of16(equal);
}

ADIT_LANES_OF uint64_t adit_row16_holds(const uint16_t *row, uint16_t material)
{
#ifdef __AVX512BW__
    const __m512i all = _mm512_set1_epi16((int16_t)material);
    uint64_t high = _mm512_cmpeq_epi16_mask(_mm512_loadu_si512(row + 32), all);
    return _mm512_cmpeq_epi16_mask(_mm512_loadu_si512(row), all) | high << 32;
#else
    __m256i equal[4];
    for (int i = 0; i < 4; i++)
        equal[i] = _mm256_cmpeq_epi16(adit_load32(row + i * 16), _mm256_set1_epi16((int16_t)material));
    return adit_bits_of16(equal);
#endif
}

#else

ADIT_LANES_OF adit_bytes_x16 adit_load16(const void *from)
{
    adit_bytes_x16 v;
    memcpy(&v, from, sizeof v);
    return v;
}

/* The highest bits of 64 bytes. */
ADIT_LANES_OF uint64_t adit_bits_of(adit_bytes_x16 a, adit_bytes_x16 b, adit_bytes_x16 c, adit_bytes_x16 d)
{
    uint32_t low = (uint32_t)_mm_movemask_epi8((__m128i)a) | (uint32_t)_mm_movemask_epi8((__m128i)b) << 16;
    uint32_t high = (uint32_t)_mm_movemask_epi8((__m128i)c) | (uint32_t)_mm_movemask_epi8((__m128i)d) << 16;
    return low | (uint64_t)high << 32;
}

ADIT_LANES_OF uint64_t adit_row_equal(const uint8_t *a, const uint8_t *b)
{
    adit_bytes_x16 equal[4];
    for (int i = 0; i < 4; i++)
        equal[i] = (adit_bytes_x16)(adit_load16(a + i * 16) == adit_load16(b + i * 16));
    return adit_bits_of(equal[0], equal[1], equal[2], equal[3]);
}

ADIT_LANES_OF uint64_t adit_row_upto(const uint8_t *row, uint8_t limit)
{
    adit_bytes_x16 upto[4];
    for (int i = 0; i < 4; i++)
        upto[i] = (adit_bytes_x16)(adit_load16(row + i * 16) <= limit - (adit_bytes_x16){0});
    return adit_bits_of(upto[0], upto[1], upto[2], upto[3]);
}

ADIT_LANES_OF uint64_t adit_bits_of16(const adit_shorts_x8 equal[8])
{
    adit_bytes_x16 bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (adit_bytes_x16)_mm_packs_epi16((__m128i)equal[2 * i], (__m128i)equal[2 * i + 1]);
    return adit_bits_of(bytes[0], bytes[1], bytes[2], bytes[3]);
}

ADIT_LANES_OF uint64_t adit_row16_equal(const uint16_t *a, const uint16_t *b)
{
    adit_shorts_x8 equal[8];
    for (int i = 0; i < 8; i++)
        equal[i] = (adit_shorts_x8)((adit_shorts_x8)adit_load16(a + i * 8) == (adit_shorts_x8)adit_load16(b + i * 8));
    return adit_bits_of16(equal);
}

ADIT_LANES_OF uint64_t adit_row16_holds(const uint16_t *row, uint16_t material)
{
    adit_shorts_x8 equal[8];
    for (int i = 0; i < 8; i++)
        equal[i] = (adit_shorts_x8)((adit_shorts_x8)adit_load16(row + i * 8) == material - (adit_shorts_x8){0});
    return adit_bits_of16(equal);
}

#endif

/* -- bricks to rows ------------------------------------------------------------------------------------------------ */

/* One layer of a uniform brick. */
ADIT_LANES_OF void adit_layer_fill(uint8_t key, uint8_t *to)
{
    adit_bytes_x16 row = key - (adit_bytes_x16){0};
    for (uint32_t y = 0; y < ADIT_BRICK_SIDE; y++)
        memcpy(to + y * ADIT_ROW, &row, sizeof row);
}

/* One layer of a brick of 1, 2 or 4 bits (code 1, 2, 3) as keys: 16 rows of 16, ADIT_ROW bytes apart. key: of each value. */
#ifdef __AVX2__

/* 32 values as bytes. */
ADIT_LANES_OF __m256i adit_values_unpack(uint32_t code, const uint8_t *from)
{
    if (code == 1) {
        const __m256i byte = _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
        const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
        int32_t bits;
        memcpy(&bits, from, sizeof bits);
        __m256i wide = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(bits), byte), bit);
        return _mm256_and_si256(_mm256_cmpeq_epi8(wide, bit), _mm256_set1_epi8(1));
    }
    if (code == 2) {
        __m256i four = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)from));
        four = _mm256_or_si256(four, _mm256_slli_epi32(four, 12));
        four = _mm256_or_si256(four, _mm256_slli_epi32(four, 6));
        return _mm256_and_si256(four, _mm256_set1_epi8(3));
    }
    __m256i two = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)from));
    return _mm256_and_si256(_mm256_or_si256(two, _mm256_slli_epi16(two, 4)), _mm256_set1_epi8(15));
}

ADIT_LANES_OF void adit_layer_unpack_as(uint32_t code, const uint8_t *from, const uint8_t key[16], uint8_t *to)
{
    __m256i of = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)key));
    for (uint32_t y = 0; y < ADIT_BRICK_SIDE; y += 2, from += 2u << code, to += 2 * ADIT_ROW) {
        __m256i keys = _mm256_shuffle_epi8(of, adit_values_unpack(code, from));
        _mm_storeu_si128((__m128i *)(void *)to, _mm256_castsi256_si128(keys));
        _mm_storeu_si128((__m128i *)(void *)(to + ADIT_ROW), _mm256_extracti128_si256(keys, 1));
    }
}

#else

#define ADIT_TWICE_BYTES(v) __builtin_shufflevector(v, v, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7)
#define ADIT_TWICE_SHORTS(v) ((adit_bytes_x16)__builtin_shufflevector((adit_shorts_x8)(v), (adit_shorts_x8)(v), 0, 0, 1, 1, 2, 2, 3, 3))
#define ADIT_TWICE_INTS(v) ((adit_bytes_x16)__builtin_shufflevector((adit_ints_x4)(v), (adit_ints_x4)(v), 0, 0, 1, 1))

ADIT_LANES_OF adit_bytes_x16 adit_has_bits(adit_bytes_x16 v, uint64_t bits) /* 255 in bytes that have them all, bits repeated */
{
    adit_bytes_x16 wanted = (adit_bytes_x16)(adit_longs_x2){bits, bits};
    return (adit_bytes_x16)((v & wanted) == wanted);
}

/* One row of 16 values of 1 or 2 bits: which of the keys it is follows from one bit, or from two. */
ADIT_LANES_OF adit_bytes_x16 adit_row_unpack(uint32_t code, const uint8_t *from, const adit_bytes_x16 key[4])
{
    uint64_t packed = 0;
    memcpy(&packed, from, 1u << code);
    adit_bytes_x16 v = (adit_bytes_x16)(adit_longs_x2){packed, 0};
    v = ADIT_TWICE_SHORTS(ADIT_TWICE_BYTES(v));
    if (code == 1)
        return key[0] ^ (adit_has_bits(ADIT_TWICE_INTS(v), 0x8040201008040201) & (key[0] ^ key[1]));
    adit_bytes_x16 one = adit_has_bits(v, 0x4010040140100401), two = adit_has_bits(v, 0x8020080280200802);
    adit_bytes_x16 low = key[0] ^ (one & (key[0] ^ key[1])), high = key[2] ^ (one & (key[2] ^ key[3]));
    return low ^ (two & (low ^ high));
}

ADIT_LANES_OF void adit_layer_unpack_as(uint32_t code, const uint8_t *from, const uint8_t key[16], uint8_t *to)
{
    if (code < 3) {
        adit_bytes_x16 of[4];
        for (int i = 0; i < 4; i++)
            of[i] = key[i] - (adit_bytes_x16){0};
        for (uint32_t y = 0; y < ADIT_BRICK_SIDE; y++, from += 1u << code, to += ADIT_ROW) {
            adit_bytes_x16 keys = adit_row_unpack(code, from, of);
            memcpy(to, &keys, sizeof keys);
        }
        return;
    }
    adit_shorts_x8 pair[ADIT_BRICK_SIDE][2]; /* the keys of the two values of a byte */
    adit_bytes_x16 low = adit_load16(key), none = {0};
    adit_shorts_x8 first = (adit_shorts_x8)__builtin_shufflevector(low, none, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    adit_shorts_x8 rest = (adit_shorts_x8)__builtin_shufflevector(low, none, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    for (uint32_t i = 0; i < ADIT_BRICK_SIDE; i++) {
        pair[i][0] = first | ((uint16_t)(key[i] << 8) - (adit_shorts_x8){0});
        pair[i][1] = rest | ((uint16_t)(key[i] << 8) - (adit_shorts_x8){0});
    }
    uint16_t two[ADIT_ROW * 4];
    memcpy(two, pair, sizeof two);
    for (uint32_t y = 0; y < ADIT_BRICK_SIDE; y++, from += 8, to += ADIT_ROW) {
        uint64_t row[2];
        for (uint32_t half = 0; half < 2; half++) {
            const uint8_t *at = from + half * 4;
            row[half] = two[at[0]] | (uint64_t)two[at[1]] << 16 | (uint64_t)two[at[2]] << 32 | (uint64_t)two[at[3]] << 48;
        }
        memcpy(to, row, sizeof row);
    }
}

#endif

ADIT_LANES_OF void adit_layer_unpack(uint32_t code, const uint8_t *from, const uint8_t key[16], uint8_t *to)
{
    if (code == 1)
        adit_layer_unpack_as(1, from, key, to);
    else if (code == 2)
        adit_layer_unpack_as(2, from, key, to);
    else
        adit_layer_unpack_as(3, from, key, to);
}

#endif
