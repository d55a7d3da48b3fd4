/* encoding_lanes.h - 8 or 16 voxels as a vector, in gcc's vector extension: as many as the target's registers hold.
 *
 * Only what that extension cannot say has a form for each target: one bit a lane, and whether bytes can be looked up in a
 * register. Loads go through memcpy: voxels are 2-aligned only.
 */
#ifndef ADIT_ENCODING_LANES_H
#define ADIT_ENCODING_LANES_H

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#ifdef __AVX2__
#define ADIT_LANES 16
#else
#define ADIT_LANES 8
#endif
#define ADIT_LANES_BITS ((1u << ADIT_LANES) - 1)

/* Voxels; a byte for each; those bytes two by two and halved again; bytes for two vectors of voxels. */
typedef uint16_t adit_lanes __attribute__((vector_size(ADIT_LANES * 2)));
typedef int16_t adit_signed_lanes __attribute__((vector_size(ADIT_LANES * 2)));
typedef uint8_t adit_bytes __attribute__((vector_size(ADIT_LANES)));
typedef uint16_t adit_pairs __attribute__((vector_size(ADIT_LANES)));
typedef uint8_t adit_half_bytes __attribute__((vector_size(ADIT_LANES / 2)));
typedef uint8_t adit_wide_bytes __attribute__((vector_size(ADIT_LANES * 2)));
typedef int8_t adit_signed_wide_bytes __attribute__((vector_size(ADIT_LANES * 2)));
typedef uint8_t adit_bytes16 __attribute__((vector_size(16)));
typedef uint64_t adit_words2 __attribute__((vector_size(16)));

/* Of two vectors: their first, or last, eight bytes side by side. */
#define ADIT_BYTES_LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define ADIT_BYTES_HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

#define ADIT_LANES_INLINE static inline __attribute__((always_inline))

ADIT_LANES_INLINE adit_lanes adit_lanes_load(const uint16_t *from)
{
    adit_lanes v;
    memcpy(&v, from, sizeof v);
    return v;
}

ADIT_LANES_INLINE adit_lanes adit_lanes_all(uint16_t x)
{
    return x - (adit_lanes){0};
}

/* Bit i set where lane i of a comparison holds; of two vectors, the second's bits above the first's; and the low bytes of
 * two vectors in order. */
#ifdef __AVX2__
ADIT_LANES_INLINE uint32_t adit_lanes_bits(adit_signed_lanes v)
{
    __m128i low = _mm256_castsi256_si128((__m256i)v), high = _mm256_extracti128_si256((__m256i)v, 1);
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}
ADIT_LANES_INLINE uint32_t adit_lanes_bits2(adit_signed_lanes a, adit_signed_lanes b)
{
    __m256i packed = _mm256_packs_epi16((__m256i)a, (__m256i)b);
    return (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(packed, 0xd8));
}
ADIT_LANES_INLINE adit_wide_bytes adit_lanes_narrow2(adit_lanes a, adit_lanes b)
{
    __m256i packed = _mm256_packus_epi16((__m256i)(a & 0xff), (__m256i)(b & 0xff));
    return (adit_wide_bytes)_mm256_permute4x64_epi64(packed, 0xd8);
}
#elif defined(__SSE2__)
ADIT_LANES_INLINE uint32_t adit_lanes_bits(adit_signed_lanes v)
{
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16((__m128i)v, _mm_setzero_si128()));
}
ADIT_LANES_INLINE uint32_t adit_lanes_bits2(adit_signed_lanes a, adit_signed_lanes b)
{
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16((__m128i)a, (__m128i)b));
}
ADIT_LANES_INLINE adit_wide_bytes adit_lanes_narrow2(adit_lanes a, adit_lanes b)
{
    return (adit_wide_bytes)_mm_packus_epi16((__m128i)(a & 0xff), (__m128i)(b & 0xff));
}
#else
ADIT_LANES_INLINE uint32_t adit_lanes_bits(adit_signed_lanes v)
{
    /* Lanes as bytes 0 or 1; the product moves byte i of eight to bit 56 + i. */
    adit_bytes ones = __builtin_convertvector((adit_lanes)v & 1, adit_bytes);
    uint64_t eight;
    memcpy(&eight, &ones, sizeof eight);
    return (uint32_t)(eight * 0x0102040810204080u >> 56);
}
ADIT_LANES_INLINE uint32_t adit_lanes_bits2(adit_signed_lanes a, adit_signed_lanes b)
{
    return adit_lanes_bits(a) | adit_lanes_bits(b) << ADIT_LANES;
}
ADIT_LANES_INLINE adit_wide_bytes adit_lanes_narrow2(adit_lanes a, adit_lanes b)
{
    adit_bytes half[2] = {__builtin_convertvector(a & 0xff, adit_bytes), __builtin_convertvector(b & 0xff, adit_bytes)};
    adit_wide_bytes both;
    memcpy(&both, half, sizeof both);
    return both;
}
#endif

/* True when every lane of a comparison holds. */
#ifdef __AVX2__
ADIT_LANES_INLINE int adit_lanes_hold(adit_signed_lanes v)
{
    return _mm256_testc_si256((__m256i)v, _mm256_set1_epi32(-1));
}
#elif defined(__SSE2__)
ADIT_LANES_INLINE int adit_lanes_hold(adit_signed_lanes v)
{
    return _mm_movemask_epi8((__m128i)v) == 0xffff;
}
#else
ADIT_LANES_INLINE int adit_lanes_hold(adit_signed_lanes v)
{
    return adit_lanes_bits(v) == ADIT_LANES_BITS;
}
#endif

/* 16 bytes of table by 16 indices, each below 16. Where this is an instruction, ADIT_LANES_LOOKUP is 1. */
#ifdef __SSSE3__
#define ADIT_LANES_LOOKUP 1
ADIT_LANES_INLINE adit_bytes16 adit_bytes_lookup(adit_bytes16 table, adit_bytes16 index)
{
    return (adit_bytes16)_mm_shuffle_epi8((__m128i)table, (__m128i)index);
}
#else
#define ADIT_LANES_LOOKUP 0
ADIT_LANES_INLINE adit_bytes16 adit_bytes_lookup(adit_bytes16 table, adit_bytes16 index)
{
#ifdef __clang__ /* which has no shuffle by indices that are no constants */
    adit_bytes16 found;
    for (uint32_t i = 0; i < sizeof found; i++)
        found[i] = table[index[i] & 15];
    return found;
#else
    return __builtin_shuffle(table, index);
#endif
}
#endif

#endif
