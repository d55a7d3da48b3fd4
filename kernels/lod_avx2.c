/* lod_avx2.c - halving as kernels/lod.h defines it, in AVX2: the plan of lod_avx512.c with 16 cells at a time.
 *
 * A lane of 32 bits is a pair of voxels along x; where the four pairs of a cell are one voxel eight times, that is the
 * result, and elsewhere the cell is *mixed*. Mixed cells are put into a queue one by one (there is no instruction for it)
 * and voted on 16 at a time: sorted, then the longest run from the largest down, of equally long ones the last seen.
 */
#include "kernels/lod.h"

#include <errno.h>
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

enum { DIM = ADIT_CHUNK_DIM, ROWS = DIM / 2, LANES = 8, VOTES = 16, CELLS_MAX = ROWS * ROWS };

/* The mixed cells of two layers. */
struct queue {
    uint32_t pair[4][CELLS_MAX]; /* by row: y and z, y + 1 and z, y and z + 1, y + 1 and z + 1 */
    uint16_t at[CELLS_MAX];      /* y * ROWS + x */
    uint32_t n;
} __attribute__((aligned(32)));

static inline void sort_eight(__m256i v[8])
{
    static const uint8_t step[19][2] = { { 0, 1 }, { 2, 3 }, { 4, 5 }, { 6, 7 }, { 0, 2 }, { 1, 3 }, { 4, 6 },
                                         { 5, 7 }, { 1, 2 }, { 5, 6 }, { 0, 4 }, { 1, 5 }, { 2, 6 }, { 3, 7 },
                                         { 2, 4 }, { 3, 5 }, { 1, 2 }, { 3, 4 }, { 5, 6 } };
#pragma GCC unroll 19
    for (int i = 0; i < 19; i++) {
        __m256i a = v[step[i][0]], b = v[step[i][1]];
        v[step[i][0]] = _mm256_min_epu16(a, b);
        v[step[i][1]] = _mm256_max_epu16(a, b);
    }
}

/* The winners of 16 cells whose eight voxels lie in v, in any order. */
static inline __m256i vote(__m256i v[8])
{
    const __m256i zero = _mm256_setzero_si256();
    sort_eight(v);
    __m256i winner = v[7], most = zero, run = zero; /* runs are counted less one */
#pragma GCC unroll 7
    for (int i = 6; i >= 0; i--) {
        __m256i same = _mm256_cmpeq_epi16(v[i], v[i + 1]);
        run = _mm256_and_si256(_mm256_sub_epi16(run, same), same);
        __m256i behind = _mm256_or_si256(_mm256_cmpgt_epi16(most, run), _mm256_cmpeq_epi16(v[i], zero));
        winner = _mm256_blendv_epi8(v[i], winner, behind);
        most = _mm256_blendv_epi8(run, most, behind);
    }
    return _mm256_andnot_si256(_mm256_cmpeq_epi16(v[4], zero), winner);
}

/* Decides the cells of the queue and puts the winners where they came from. What lies beyond the last is voted on, too. */
static void queue_settle(const struct queue *q, uint16_t *to, size_t to_row)
{
    for (uint32_t i = 0; i < q->n; i += VOTES) {
        uint16_t won[VOTES] __attribute__((aligned(32)));
        __m256i v[8];
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) { /* of two vectors of pairs, first and second voxels: cells alternate */
            __m256i low = _mm256_load_si256((const __m256i *)&q->pair[k][i]);
            __m256i high = _mm256_load_si256((const __m256i *)&q->pair[k][i + LANES]);
            v[2 * k] = _mm256_blend_epi16(low, _mm256_slli_epi32(high, 16), 0xaa);
            v[2 * k + 1] = _mm256_blend_epi16(_mm256_srli_epi32(low, 16), high, 0xaa);
        }
        _mm256_store_si256((__m256i *)won, vote(v));
        for (uint32_t j = 0; j < VOTES && i + j < q->n; j++)
            to[q->at[i + j] / ROWS * to_row + q->at[i + j] % ROWS] = won[j < LANES ? 2 * j : 2 * (j - LANES) + 1];
    }
}

/* Halves 16 voxels of four rows into 8 words, the low halves of lanes, as if no cell were mixed. Returns the lanes that are. */
static inline uint32_t lanes_halve(const uint16_t *const row[4], uint32_t x, __m256i *first)
{
    __m256i a = _mm256_loadu_si256((const __m256i *)(row[0] + x)), b = _mm256_loadu_si256((const __m256i *)(row[1] + x));
    __m256i c = _mm256_loadu_si256((const __m256i *)(row[2] + x)), d = _mm256_loadu_si256((const __m256i *)(row[3] + x));
    *first = _mm256_and_si256(a, _mm256_set1_epi32(0xffff));
    __m256i twice = _mm256_or_si256(*first, _mm256_slli_epi32(a, 16));
    __m256i differ = _mm256_or_si256(_mm256_or_si256(_mm256_xor_si256(twice, a), _mm256_xor_si256(twice, b)),
                                     _mm256_or_si256(_mm256_xor_si256(twice, c), _mm256_xor_si256(twice, d)));
    __m256i same = _mm256_cmpeq_epi32(differ, _mm256_setzero_si256());
    return ~(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(same)) & 0xff;
}

/* Halves four rows of 64 voxels into 32 as if no cell were mixed, and queues those that are as of row y. */
static inline void row_halve(const uint16_t *const row[4], uint16_t *to, uint32_t y, struct queue *q)
{
    uint32_t mixed = 0;
    for (uint32_t x = 0; x < DIM; x += 4 * LANES) {
        __m256i first[2];
        mixed |= lanes_halve(row, x, &first[0]) << (x / 2);
        mixed |= lanes_halve(row, x + 2 * LANES, &first[1]) << (x / 2 + LANES);
        __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(first[0], first[1]), 0xd8);
        _mm256_storeu_si256((__m256i *)(to + x / 2), packed);
    }
    for (; mixed; mixed &= mixed - 1) {
        uint32_t x = (uint32_t)__builtin_ctz(mixed), n = q->n++;
        for (int k = 0; k < 4; k++)
            memcpy(&q->pair[k][n], row[k] + 2 * x, sizeof q->pair[k][n]);
        q->at[n] = (uint16_t)(y * ROWS + x);
    }
}

/* Four rows of fewer voxels, made rows of 64 with air. */
static void row_halve_narrow(const uint16_t *const row[4], uint32_t width, uint16_t *to, uint32_t y, struct queue *q)
{
    uint16_t wide[4][DIM] = { 0 }, halved[ROWS];
    for (int k = 0; k < 4; k++)
        memcpy(wide[k], row[k], width * sizeof *to);
    row_halve((const uint16_t *const[4]){ wide[0], wide[1], wide[2], wide[3] }, halved, y, q);
    memcpy(to, halved, (width + 1) / 2 * sizeof *to);
}

int adit_lod_avx2(const struct adit_lod_halving *halving)
{
    static const uint16_t air[DIM];
    struct adit_lod_halving h;
    struct queue q;
    if (!adit_lod_halving_complete(halving, &h))
        return -EINVAL;
    memset(q.pair, 0, sizeof q.pair);
    for (uint32_t z = 0; z < h.dim[2]; z += 2) {
        uint16_t *to = h.to + (size_t)(z / 2) * h.to_layer;
        q.n = 0;
        for (uint32_t y = 0; y < h.dim[1]; y += 2) {
            const uint16_t *row[4];
            for (uint32_t k = 0; k < 4; k++) {
                bool is_there = y + (k & 1) < h.dim[1] && z + (k >> 1) < h.dim[2];
                row[k] = is_there ? h.from + (size_t)(z + (k >> 1)) * h.from_layer + (size_t)(y + (k & 1)) * h.from_row : air;
            }
            if (h.dim[0] == DIM)
                row_halve(row, to + (size_t)(y / 2) * h.to_row, y / 2, &q);
            else
                row_halve_narrow(row, h.dim[0], to + (size_t)(y / 2) * h.to_row, y / 2, &q);
        }
        queue_settle(&q, to, h.to_row);
    }
    return 0;
}
