/* mesh_avx512_quads.c - from cells of eight layers to quads, for mesh_avx512.c.
 *
 * The rows with faces of all eight layers are one list. Backwards through it is counted, a byte a cell, how long each row of quads is kept; then
 * forwards, through those rows in which quads begin, first cells, widths and heights are compressed into bytes. Of these quads are made sixteen at a time,
 * and their materials fetched from descriptors, bricks and palette, or, where there are many, from the eight layers unpacked.
 */
#include "kernels/mesh_avx512.h"

enum { DIM = ADIT_FIELD_DIM, LANES = ADIT_FIELD_LANES };
enum { MANY = 2048 }; /* quads of eight layers, from which on it pays to unpack these for their materials */

/* -- cells of a slab ----------------------------------------------------------------------------------------------- */

enum { FEW = 3 }; /* quads of a row, up to which their AO is found one by one */

/* The AO of cells of a row, in the lane given: of each of first, in their order. */
static inline void collect_ao(const struct adit_lanes_shade *shade, uint32_t lane, uint64_t first, uint32_t n, uint8_t *to)
{
    const __m512i plane = _mm512_set_epi64(56, 24, 48, 16, 40, 8, 32, 0); /* low and high of each corner, in words */
    const uint64_t *words = (const uint64_t *)shade + lane;
    __m512i dark = _mm512_setzero_si512();
    if (n <= FEW) {
        __m512i all = _mm512_i64gather_epi64(plane, words, 8);
        for (; first; first &= first - 1)
            *to++ = (uint8_t)~_mm512_test_epi64_mask(_mm512_srl_epi64(all, _mm_cvtsi64_si128(__builtin_ctzll(first))), _mm512_set1_epi64(1));
        return;
    }
    for (uint32_t i = 0; i < 4; i++) {
        dark = _mm512_or_si512(dark, _mm512_maskz_set1_epi8(words[i * LANES], (char)(1 << 2 * i)));
        dark = _mm512_or_si512(dark, _mm512_maskz_set1_epi8(words[(4 + i) * LANES], (char)(2 << 2 * i)));
    }
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi8(first, _mm512_andnot_si512(dark, _mm512_set1_epi8(-1))));
}

/* The rows with faces of eight layers, layer by layer. */
struct row_list {
    uint16_t of[LANES * DIM + DIM];     /* v * LANES + lane */
    uint16_t begins[LANES * DIM + DIM]; /* numbers in of, of rows that begin quads */
    uint32_t n, begins_n;
};

/* Numbers base + i * step for the bits i of word, to be stored from to on: 64 of them at most. */
static inline void list_bits(uint16_t *to, uint64_t word, __m512i low, __m512i high)
{
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi16((__mmask32)word, low));
    if (word >> 32)
        _mm512_storeu_si512(to + _mm_popcnt_u32((uint32_t)word), _mm512_maskz_compress_epi16((__mmask32)(word >> 32), high));
}

static inline void list_rows(const struct adit_slab *slab, struct row_list *list)
{
    const __m512i count = _mm512_set_epi16(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i rows = _mm512_slli_epi16(count, 3), half = _mm512_set1_epi16(32);
    list->n = list->begins_n = 0;
    for (uint32_t lane = 0; lane < LANES; lane++) {
        __m512i at = _mm512_add_epi16(rows, _mm512_set1_epi16((int16_t)lane)), number = _mm512_add_epi16(count, _mm512_set1_epi16((int16_t)list->n));
        list_bits(list->of + list->n, slab->rows[lane], at, _mm512_add_epi16(at, _mm512_slli_epi16(half, 3)));
        uint64_t begins = _pext_u64(slab->begins[lane], slab->rows[lane]);
        list_bits(list->begins + list->begins_n, begins, number, _mm512_add_epi16(number, half));
        list->n += (uint32_t)_mm_popcnt_u64(slab->rows[lane]);
        list->begins_n += (uint32_t)_mm_popcnt_u64(begins);
    }
}

/* For each row of a list, by cell with which a row of quads begins or goes on: how many rows more there are below. */
static inline void find_heights(const struct adit_slab *slab, const struct row_list *list, __m512i heights[LANES * DIM])
{
    uint64_t kept = 0; /* a layer's first row keeps nothing, so the layer before begins anew */
    __m512i tall = _mm512_setzero_si512();
    for (uint32_t i = list->n; i--;) {
        tall = _mm512_maskz_add_epi8(kept, tall, _mm512_set1_epi8(1));
        heights[i] = tall;
        kept = (&slab->kept[0][0])[list->of[i]]; /* 0 when the row before has no faces */
    }
}

/* Collects the quads of eight layers in q->cells and returns how many. Rows of all layers are one loop, and those that begin no quads are not in
 * it: a loop for each layer, and a look at what a row begins, would be branches that nobody can predict. */
static uint32_t collect(struct adit_quads *q, const struct adit_slab *slab)
{
    const __m512i column = _mm512_set_epi64(0x3f3e3d3c3b3a3938, 0x3736353433323130, 0x2f2e2d2c2b2a2928, 0x2726252423222120,
                                            0x1f1e1d1c1b1a1918, 0x1716151413121110, 0x0f0e0d0c0b0a0908, 0x0706050403020100);
    bool has_ao = q->source->flags & ADIT_MESH_AO;
    struct adit_cells *to = &q->cells;
    struct row_list list;
    uint32_t n = 0;
    list_rows(slab, &list);
    find_heights(slab, &list, q->heights);
    for (uint32_t i = 0; i < list.begins_n; i++) {
        uint32_t number = list.begins[i], at = list.of[number];
        uint64_t first = (&slab->first[0][0])[at], last = (&slab->last[0][0])[at];
        uint32_t of_row = (uint32_t)_mm_popcnt_u64(first);
        __m512i u = _mm512_maskz_compress_epi8(first, column), w = _mm512_maskz_compress_epi8(last, column);
        __m512i h = _mm512_maskz_compress_epi8(first, q->heights[number]), row = _mm512_set1_epi32((int)at);
        w = _mm512_sub_epi8(w, u);
        if (has_ao) {
            _mm512_storeu_si512(to->ao + n, _mm512_set1_epi8(-1));
            if (slab->dark[at / LANES] >> at % LANES & 1)
                collect_ao(&slab->shade[at / LANES], at % LANES, first, of_row, to->ao + n);
        }
        if (of_row <= 16) { /* what is stored beyond the row's last quad is overwritten by the next row */
            _mm_storeu_si128((__m128i *)(void *)(to->u + n), _mm512_castsi512_si128(u));
            _mm_storeu_si128((__m128i *)(void *)(to->w + n), _mm512_castsi512_si128(w));
            _mm_storeu_si128((__m128i *)(void *)(to->h + n), _mm512_castsi512_si128(h));
            _mm512_storeu_si512(to->row + n, row);
        } else {
            _mm512_storeu_si512(to->u + n, u);
            _mm512_storeu_si512(to->w + n, w);
            _mm512_storeu_si512(to->h + n, h);
            for (uint32_t j = 0; j < of_row; j += 16)
                _mm512_storeu_si512(to->row + n + j, row);
        }
        n += of_row;
    }
    return n;
}

/* -- materials ------------------------------------------------------------------------------------------------------ */

static inline __m512i gather(const void *words, __m512i index, __mmask16 wanted)
{
    return _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), wanted, index, words, 4);
}

/* The 16 bits at each index of words of 16 bits: aligned pairs of them are read, so nothing beyond is. */
static inline __m512i load16(const uint16_t *words, __m512i index, __mmask16 wanted)
{
    __m512i shift = _mm512_slli_epi32(_mm512_and_si512(index, _mm512_set1_epi32(1)), 4);
    return _mm512_and_si512(_mm512_srlv_epi32(gather(words, _mm512_srli_epi32(index, 1), wanted), shift), _mm512_set1_epi32(0xffff));
}

/* The bits of mask from bit on, which do not cross 32 of them, of memory on 16 bytes. */
static inline __m512i load_bits(const uint8_t *memory, __m512i bit, __m512i mask, __mmask16 wanted)
{
    __m512i words = gather(memory, _mm512_srli_epi32(bit, 5), wanted);
    return _mm512_and_si512(_mm512_srlv_epi32(words, _mm512_and_si512(bit, _mm512_set1_epi32(31))), mask);
}

/* a & mask, after a shift to the right. */
static inline __m512i field_of(__m512i a, unsigned shift, int mask)
{
    return _mm512_and_si512(_mm512_srli_epi32(a, shift), _mm512_set1_epi32(mask));
}

/* The words at indices, of which the low five bits count. */
static inline __m512i look_up(const uint32_t words[32], __m512i index)
{
    return _mm512_permutex2var_epi32(_mm512_loadu_si512(words), index, _mm512_loadu_si512(words + 16));
}

/* The materials of keys. */
static inline __m512i of_palette(const struct adit_quads *q, __m512i key, __mmask16 wanted)
{
    const uint16_t *palette = q->source->encoded->palette;
    if (q->is_narrow)
        return _mm512_and_si512(_mm512_permutexvar_epi16(key, _mm512_loadu_si512(palette)), _mm512_set1_epi32(0xffff));
    return load16(palette, key, wanted);
}

/* The materials of voxels of bricks, as adit_voxels_at does it. */
static inline __m512i brick_materials(const struct adit_quads *q, __m512i index, __mmask16 wanted)
{
    const struct adit_voxels *v = q->source->encoded;
    const __m512i one = _mm512_set1_epi32(1);
    __m512i brick = _mm512_or_si512(field_of(index, 4, 3), _mm512_or_si512(field_of(index, 8, 3 << 2), field_of(index, 12, 3 << 4)));
    __m512i voxel = _mm512_or_si512(field_of(index, 0, 15), _mm512_or_si512(field_of(index, 2, 15 << 4), field_of(index, 4, 15 << 8)));
    __mmask16 upper = _mm512_test_epi32_mask(brick, _mm512_set1_epi32(32)); /* a look-up in registers takes half as long as a gather */
    __m512i d = _mm512_mask_mov_epi32(look_up(v->bricks, brick), upper, look_up(v->bricks + 32, brick));
    __m512i code = field_of(d, 0, 7), place = field_of(d, 5, 0x7fff), key = field_of(d, 5, 255);
    __mmask16 mixed = _mm512_mask_test_epi32_mask(wanted, code, code);
    if (mixed) {
        __mmask16 bytes = _mm512_mask_cmpeq_epi32_mask(mixed, code, _mm512_set1_epi32(4)), local = (__mmask16)(mixed & ~bytes);
        __m512i log = _mm512_and_si512(_mm512_sub_epi32(code, one), _mm512_set1_epi32(3)); /* of bits a voxel */
        __m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, _mm512_sllv_epi32(one, log)), one);
        __m512i base = _mm512_slli_epi32(place, 7), at = _mm512_mask_add_epi32(base, local, base, _mm512_set1_epi32(ADIT_BRICK_LOCAL_BYTES * 8));
        __m512i value = load_bits(v->packed, _mm512_add_epi32(at, _mm512_sllv_epi32(voxel, log)), mask, mixed);
        key = _mm512_mask_mov_epi32(key, bytes, value);
        if (local)
            key = _mm512_mask_mov_epi32(key, local,
                                        load_bits(v->packed, _mm512_add_epi32(base, _mm512_slli_epi32(value, 3)), _mm512_set1_epi32(255), local));
    }
    return of_palette(q, key, wanted);
}

/* By how many bits lane, u and v of a face lead on in q->key. */
static const struct key_steps {
    uint8_t lane, u, v;
} key_steps[3] = {{0, 3, 9}, {6, 0, 9}, {12, 0, 6}};

/* Unpacks the eight layers from layer on of an axis to q->key. */
static void unpack_layers(struct adit_quads *q, uint32_t axis, uint32_t layer)
{
    const struct adit_voxels *v = q->source->encoded;
    const __m512i half = _mm512_add_epi64(_mm512_set_epi64(0, 0, 0, 0, 6, 4, 2, 0), _mm512_set1_epi64(layer / LANES % 2)); /* of each row */
    uint32_t z_end = axis == 2 ? layer + LANES : DIM, y_end = axis == 1 ? layer + LANES : DIM;
    for (uint32_t z = axis == 2 ? layer : 0; z < z_end; z++)
        for (uint32_t y = axis == 1 ? layer : 0; y < y_end; y += 4)
            for (uint32_t x = axis == 0 ? layer & ~15u : 0; x < (axis == 0 ? layer + LANES : DIM); x += 16) {
                __m512i rows = adit_brick_rows(v, v->bricks[z / 16 * 16 + y / 16 * 4 + x / 16], z % 16, y % 16);
                if (axis == 0)
                    _mm256_storeu_si256((__m256i *)(void *)(q->key + (z * DIM + y) * LANES), _mm512_castsi512_si256(_mm512_permutexvar_epi64(half, rows)));
                else if (axis == 1)
                    adit_brick_store_rows(q->key + (z * LANES + y - layer) * DIM + x, rows);
                else
                    adit_brick_store_rows(q->key + ((z - layer) * DIM + y) * DIM + x, rows);
            }
}

/* The materials of cells of the eight layers in q->key. */
static inline __m512i key_materials(const struct adit_quads *q, const struct key_steps *steps, __m512i row, __m512i u, __mmask16 wanted)
{
    __m512i lane = _mm512_sll_epi32(field_of(row, 0, LANES - 1), _mm_cvtsi32_si128(steps->lane)), v = _mm512_srli_epi32(row, 3);
    __m512i at = _mm512_or_si512(lane, _mm512_or_si512(_mm512_sll_epi32(u, _mm_cvtsi32_si128(steps->u)), _mm512_sll_epi32(v, _mm_cvtsi32_si128(steps->v))));
    return of_palette(q, load_bits(q->key, _mm512_slli_epi32(at, 3), _mm512_set1_epi32(255), wanted), wanted);
}

static inline __m512i materials_at(const struct adit_quads *q, const struct adit_mesh_side *s, __m512i index, __m512i row, __m512i u, __mmask16 wanted)
{
    const struct adit_voxels *v = q->source->encoded;
    if (q->material)
        return _mm512_set1_epi32(q->material);
    if (q->has_keys)
        return key_materials(q, &key_steps[s->axis], row, u, wanted);
    if (v && v->form == ADIT_VOXELS_BRICKS)
        return brick_materials(q, index, wanted);
    return load16(v ? (const uint16_t *)(const void *)v->packed : q->source->voxels, index, wanted);
}

static inline __m512i widen(const uint8_t *from) /* sixteen bytes */
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)from));
}

/* Writes the n quads of q->cells, of eight layers from layer on. */
static void write_quads(struct adit_quads *q, const struct adit_mesh_side *s, uint32_t layer, uint32_t n)
{
    const __m512i base = _mm512_set1_epi32((int)(layer * s->voxel_layer)), open = _mm512_set1_epi32(ADIT_QUAD_AO_OPEN << 16);
    const bool has_ao = q->source->flags & ADIT_MESH_AO;
    /* x, y and z lie 6 bits apart in an index, and so in a quad */
    const __m128i lane_to = _mm_cvtsi32_si128(6 * (int)s->axis), u_to = _mm_cvtsi32_si128(6 * (int)s->u_axis), v_to = _mm_cvtsi32_si128(6 * (int)s->v_axis);
    uint32_t room = q->count < q->result->quads_max ? q->result->quads_max - q->count : 0;
    uint64_t *to = room ? q->result->quads + q->count : NULL; /* who only counts has none */
    q->count += n;
    if (n > room)
        n = room;
    q->has_keys = n >= MANY && !q->material && q->source->encoded && q->source->encoded->form == ADIT_VOXELS_BRICKS;
    if (q->has_keys)
        unpack_layers(q, s->axis, layer);
    for (uint32_t i = 0; i < n; i += 2 * LANES) {
        __mmask16 wanted = n - i < 2 * LANES ? (__mmask16)_bzhi_u32(0xffff, n - i) : 0xffff;
        __m512i row = _mm512_loadu_si512(q->cells.row + i), u = widen(q->cells.u + i);
        __m512i lane = _mm512_sll_epi32(field_of(row, 0, LANES - 1), lane_to), v = _mm512_sll_epi32(_mm512_srli_epi32(row, 3), v_to);
        __m512i index = _mm512_add_epi32(_mm512_add_epi32(base, lane), _mm512_add_epi32(_mm512_sll_epi32(u, u_to), v));
        __m512i key = materials_at(q, s, index, row, u, wanted); /* and AO */
        key = _mm512_or_si512(key, has_ao ? _mm512_slli_epi32(widen(q->cells.ao + i), 16) : open);
        index = _mm512_or_si512(index, _mm512_or_si512(_mm512_slli_epi32(widen(q->cells.w + i), 18), _mm512_slli_epi32(widen(q->cells.h + i), 24)));
        for (uint32_t half = 0; half < 2; half++) {
            __m512i low = _mm512_cvtepu32_epi64(half ? _mm512_extracti64x4_epi64(index, 1) : _mm512_castsi512_si256(index));
            __m512i high = _mm512_cvtepu32_epi64(half ? _mm512_extracti64x4_epi64(key, 1) : _mm512_castsi512_si256(key));
            _mm512_mask_storeu_epi64(to + i + half * LANES, (__mmask8)(wanted >> half * LANES), _mm512_or_si512(low, _mm512_slli_epi64(high, 30)));
        }
    }
    if (q->source->light && n)
        adit_light_add(q->source, s, to, n);
}

void adit_quads_begin(struct adit_quads *q, const struct adit_mesh_source *source, struct adit_mesh_result *result, const struct adit_fields *fields)
{
    q->source = source;
    q->result = result;
    q->count = 0;
    q->is_narrow = fields->is_narrow;
    q->material = fields->material;
}

void adit_quads_add(struct adit_quads *q, const struct adit_mesh_side *side, uint32_t layer, const struct adit_slab *slab)
{
    write_quads(q, side, layer, collect(q, slab));
}
