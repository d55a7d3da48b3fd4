/* lod_avx512.c - halving as kernels/lod.h defines it, in AVX-512: 32 cells of a row at a time.
 *
 * Four rows of 64 voxels are eight vectors, in which a lane of 32 bits is a pair of voxels along x, four of which are a
 * cell. Comparing whole vectors says which cells are *mixed*: hold more than one value (every fifth in the built-in terrain with
 * its caves and ores, few elsewhere). The row is written as if none were, from the first voxel of each cell, and the mixed
 * cells of two layers are gathered in a queue. That is decided 64 cells at a time, or 32 where an id takes two
 * bytes, and the winners are expanded into the rows they came from. So where nothing is mixed a row costs what reading it
 * costs, and a vote costs its share of 64 lanes, wherever the cells lie.
 *
 * A vote sorts the eight voxels of each cell (the odd-even merge network, Batcher 1968) and walks down from the largest:
 * the longest run wins, and of equally long ones the last seen, which is the lowest id. At least four of eight are not
 * air exactly if the fourth largest, v[4], is not.
 */
#include "kernels/lod.h"

#include <errno.h>
#include <immintrin.h>
#include <stddef.h>

enum { DIM = ADIT_CHUNK_DIM, ROWS = DIM / 2, PAIRS = 16, CELLS = 2 * PAIRS, BATCH = 2 * CELLS, CELLS_MAX = ROWS * CELLS };

static const uint16_t air[DIM]; /* a row of it */

/* The mixed cells of two layers. Stores are of whole vectors and votes on whole batches, so there is room beyond the last. */
struct queue {
    uint32_t pair[4][CELLS_MAX + BATCH]; /* by row: y and z, y + 1 and z, y and z + 1, y + 1 and z + 1 */
    uint16_t won[CELLS_MAX + BATCH];
    uint32_t mixed[ROWS]; /* which cells of the rows, in order, that have any */
    uint8_t row[ROWS];    /* and which rows these are */
} __attribute__((aligned(64)));

/* Which of 64 voxels and 32 cells there are in a row. */
struct span {
    __mmask32 low, high, cells;
};

static inline __mmask32 low_bits(uint32_t n) /* n in 0..32 */
{
    return (__mmask32)(n < 32 ? (1u << n) - 1 : ~0u);
}

#define SECONDS 0xaaaaaaaa /* the mask of the second words of pairs */

/* The order of words that takes apart what alternates. */
static inline __m512i even_then_odd(void)
{
    return _mm512_inserti64x4(
        _mm512_castsi256_si512(_mm256_set_epi16(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0)),
        _mm256_set_epi16(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1), 1);
}

/* Sorts the eight voxels of each cell, which lie in eight vectors of bytes or of words. */
static inline __attribute__((always_inline)) void sort_eight(__m512i v[8], bool is_bytes)
{
    static const uint8_t step[19][2] = { { 0, 1 }, { 2, 3 }, { 4, 5 }, { 6, 7 }, { 0, 2 }, { 1, 3 }, { 4, 6 },
                                         { 5, 7 }, { 1, 2 }, { 5, 6 }, { 0, 4 }, { 1, 5 }, { 2, 6 }, { 3, 7 },
                                         { 2, 4 }, { 3, 5 }, { 1, 2 }, { 3, 4 }, { 5, 6 } };
#pragma GCC unroll 19
    for (int i = 0; i < 19; i++) {
        __m512i a = v[step[i][0]], b = v[step[i][1]];
        v[step[i][0]] = is_bytes ? _mm512_min_epu8(a, b) : _mm512_min_epu16(a, b);
        v[step[i][1]] = is_bytes ? _mm512_max_epu8(a, b) : _mm512_max_epu16(a, b);
    }
}

/* The winners of 32 cells whose eight voxels lie in v, in any order. */
static inline __m512i vote_words(__m512i v[8])
{
    const __m512i one = _mm512_set1_epi16(1);
    sort_eight(v, false);
    __m512i winner = v[7], most = _mm512_setzero_si512(), run = most; /* runs are counted less one */
#pragma GCC unroll 7
    for (int i = 6; i >= 0; i--) {
        __mmask32 solid = i > 3 ? ~(__mmask32)0 : _mm512_test_epi16_mask(v[i], v[i]); /* v[4] is, or air wins */
        run = _mm512_maskz_add_epi16(_mm512_cmpeq_epi16_mask(v[i], v[i + 1]), run, one);
        __mmask32 is_ahead = _mm512_mask_cmpge_epu16_mask(solid, run, most);
        winner = _mm512_mask_mov_epi16(winner, is_ahead, v[i]);
        most = _mm512_mask_mov_epi16(most, is_ahead, run);
    }
    return _mm512_maskz_mov_epi16(_mm512_test_epi16_mask(v[4], v[4]), winner);
}

/* The same of 64 cells. */
static inline __m512i vote_bytes(__m512i v[8])
{
    const __m512i one = _mm512_set1_epi8(1);
    sort_eight(v, true);
    __m512i winner = v[7], most = _mm512_setzero_si512(), run = most;
#pragma GCC unroll 7
    for (int i = 6; i >= 0; i--) {
        __mmask64 solid = i > 3 ? ~(__mmask64)0 : _mm512_test_epi8_mask(v[i], v[i]);
        run = _mm512_maskz_add_epi8(_mm512_cmpeq_epi8_mask(v[i], v[i + 1]), run, one);
        __mmask64 is_ahead = _mm512_mask_cmpge_epu8_mask(solid, run, most);
        winner = _mm512_mask_mov_epi8(winner, is_ahead, v[i]);
        most = _mm512_mask_mov_epi8(most, is_ahead, run);
    }
    return _mm512_maskz_mov_epi8(_mm512_test_epi8_mask(v[4], v[4]), winner);
}

/* Two vectors of pairs as one of first voxels and one of second voxels, in which the cells of the two alternate. */
static inline void pairs_split(__m512i low, __m512i high, __m512i v[2])
{
    v[0] = _mm512_mask_blend_epi16(SECONDS, low, _mm512_slli_epi32(high, 16));
    v[1] = _mm512_mask_blend_epi16(SECONDS, _mm512_srli_epi32(low, 16), high);
}

/* Decides 32 cells of the queue. */
static inline void decide_words(struct queue *q, uint32_t at)
{
    __m512i v[8];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
        pairs_split(_mm512_load_si512(&q->pair[k][at]), _mm512_load_si512(&q->pair[k][at + PAIRS]), v + 2 * k);
    _mm512_store_si512(&q->won[at], _mm512_permutexvar_epi16(even_then_odd(), vote_words(v)));
}

/* Decides 64 cells of the queue if all their ids are below 256; else returns false. Byte 4i + j of a vector is cell 16j + i. */
static inline bool decide_bytes(struct queue *q, uint32_t at)
{
    const __m512i column = _mm512_set4_epi32(0x3c383430, 0x2c282420, 0x1c181410, 0x0c080400);
    const __m512i order = _mm512_or_si512(column, _mm512_set_epi64(0x0303030303030303, 0x0303030303030303, 0x0202020202020202,
                                                                   0x0202020202020202, 0x0101010101010101, 0x0101010101010101, 0, 0));
    __m512i v[8], any = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        const uint32_t *pair = &q->pair[k][at];
        __m512i a = _mm512_load_si512(pair), b = _mm512_load_si512(pair + PAIRS);
        __m512i c = _mm512_load_si512(pair + 2 * PAIRS), d = _mm512_load_si512(pair + 3 * PAIRS);
        any = _mm512_ternarylogic_epi32(any, _mm512_ternarylogic_epi32(a, b, c, 0xfe), d, 0xfe); /* or */
        pairs_split(_mm512_or_si512(a, _mm512_slli_epi32(b, 8)), _mm512_or_si512(c, _mm512_slli_epi32(d, 8)), v + 2 * k);
    }
    if (_mm512_test_epi16_mask(any, _mm512_set1_epi16((int16_t)0xff00)))
        return false;
    __m512i won = _mm512_permutexvar_epi8(order, vote_bytes(v));
    _mm512_store_si512(&q->won[at], _mm512_cvtepu8_epi16(_mm512_castsi512_si256(won)));
    _mm512_store_si512(&q->won[at + CELLS], _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(won, 1)));
    return true;
}

/* Decides the n cells of the queue. */
static __attribute__((noinline)) void queue_decide(struct queue *q, uint32_t n)
{
    for (int k = 0; k < 4; k++) /* lanes beyond the last cell are voted on, too */
        for (uint32_t i = 0; i < BATCH; i += PAIRS)
            _mm512_storeu_si512(&q->pair[k][n + i], _mm512_setzero_si512());
    for (uint32_t i = 0; i < n; i += BATCH) {
        if (!decide_bytes(q, i)) {
            decide_words(q, i);
            decide_words(q, i + CELLS);
        }
    }
}

/* Not 0 in the lanes whose four pairs are not one voxel eight times. */
static inline __m512i differ_in(__m512i a, __m512i b, __m512i c, __m512i d)
{
    __m512i differ = _mm512_ternarylogic_epi32(a, b, c, 0x7e); /* not all the same */
    differ = _mm512_ternarylogic_epi32(differ, a, d, 0xf6);    /* differ | (a ^ d) */
    return _mm512_ternarylogic_epi32(differ, a, _mm512_rol_epi32(a, 16), 0xf6);
}

/* How much there is in a queue: cells, and rows that they are of. */
struct fill {
    uint32_t cells, rows;
};

/* Halves four rows into to as if no cell were mixed, and queues those that are as of row y. is_wide: 64 voxels, and s takes
 * no part. */
static inline __attribute__((always_inline)) void row_halve(const uint16_t *const row[4], const struct span *s, bool is_wide,
                                                            uint16_t *to, uint32_t y, struct queue *q, struct fill *f)
{
    const __m256i cell = _mm256_set_epi64x(0x1f1e1d1c1b1a1918, 0x1716151413121110, 0x0f0e0d0c0b0a0908, 0x0706050403020100);
    __m512i v[4][2], differ[2];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        v[k][0] = is_wide ? _mm512_loadu_si512(row[k]) : _mm512_maskz_loadu_epi16(s->low, row[k]);
        v[k][1] = is_wide ? _mm512_loadu_si512(row[k] + CELLS) : _mm512_maskz_loadu_epi16(s->high, row[k] + CELLS);
    }
    __m512i first = _mm512_mask_blend_epi16(SECONDS, v[0][0], _mm512_slli_epi32(v[0][1], 16));
    first = _mm512_permutexvar_epi16(even_then_odd(), first);
    if (is_wide)
        _mm512_storeu_si512(to, first);
    else
        _mm512_mask_storeu_epi16(to, s->cells, first);
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++)
        differ[i] = differ_in(v[0][i], v[1][i], v[2][i], v[3][i]);
    __mmask32 mixed = _mm512_kunpackw(_mm512_test_epi32_mask(differ[1], differ[1]), _mm512_test_epi32_mask(differ[0], differ[0]));
    if (!mixed)
        return;
    uint32_t count = (uint32_t)__builtin_popcount(mixed);
    __m256i which = _mm256_maskz_compress_epi8(mixed, cell);
    __m512i index = _mm512_cvtepu8_epi32(_mm256_castsi256_si128(which));
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
        _mm512_storeu_si512(&q->pair[k][f->cells], _mm512_permutex2var_epi32(v[k][0], index, v[k][1]));
    if (count > PAIRS) {
        index = _mm512_cvtepu8_epi32(_mm256_extracti128_si256(which, 1));
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++)
            _mm512_storeu_si512(&q->pair[k][f->cells + PAIRS], _mm512_permutex2var_epi32(v[k][0], index, v[k][1]));
    }
    q->row[f->rows] = (uint8_t)y;
    q->mixed[f->rows++] = mixed;
    f->cells += count;
}

/* Puts the winners where the queued cells came from. */
static __attribute__((noinline)) void queue_settle(const struct queue *q, uint32_t rows, uint16_t *to, size_t to_row)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < rows; i++) {
        __mmask32 mixed = q->mixed[i];
        __m512i won = _mm512_maskz_expand_epi16(mixed, _mm512_loadu_si512(&q->won[at]));
        _mm512_mask_storeu_epi16(to + q->row[i] * to_row, mixed, won);
        at += (uint32_t)__builtin_popcount(mixed);
    }
}

/* Two layers that become one. A missing one is air: a row of it, over and over. */
struct layers {
    const uint16_t *near, *far;
    size_t near_row, far_row;
    uint16_t *to;
    size_t to_row;
    uint32_t height;
};

static inline __attribute__((always_inline)) void layers_halve(struct layers l, const struct span *s, bool is_wide, struct queue *q)
{
    struct fill f = { 0, 0 };
    uint16_t *to = l.to;
    for (uint32_t y = 0; y < l.height; y += 2, to += l.to_row) {
        bool is_whole = y + 1 < l.height;
        const uint16_t *row[4] = { l.near, is_whole ? l.near + l.near_row : air, l.far, is_whole ? l.far + l.far_row : air };
        row_halve(row, s, is_wide, to, y / 2, q, &f);
        l.near += 2 * l.near_row;
        l.far += 2 * l.far_row;
    }
    if (!f.cells)
        return;
    queue_decide(q, f.cells);
    queue_settle(q, f.rows, l.to, l.to_row);
}

/* Each in a function of its own, or there are not enough registers. */
static __attribute__((noinline)) void layers_halve_wide(struct layers l, struct queue *q)
{
    layers_halve(l, &(struct span){ 0 }, true, q);
}

static __attribute__((noinline)) void layers_halve_any(struct layers l, const struct span *s, struct queue *q)
{
    layers_halve(l, s, false, q);
}

int adit_lod_avx512(const struct adit_lod_halving *halving)
{
    struct adit_lod_halving h;
    struct queue q;
    if (!adit_lod_halving_complete(halving, &h))
        return -EINVAL;
    uint32_t width = h.dim[0];
    struct span s = { low_bits(width < CELLS ? width : CELLS), low_bits(width < CELLS ? 0 : width - CELLS),
                      low_bits((width + 1) / 2) };
    for (uint32_t z = 0; z < h.dim[2]; z += 2) {
        const uint16_t *near = h.from + (size_t)z * h.from_layer;
        bool is_whole = z + 1u < h.dim[2];
        struct layers l = { near, is_whole ? near + h.from_layer : air, h.from_row, is_whole ? h.from_row : 0,
                            h.to + (size_t)(z / 2) * h.to_layer, h.to_row, h.dim[1] };
        if (width == DIM)
            layers_halve_wide(l, &q);
        else
            layers_halve_any(l, &s, &q);
    }
    return 0;
}
