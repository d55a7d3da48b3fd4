/* mesh_avx512_read.c - from the voxels of a source to fields of bits: which class a voxel is of, and whether it has the material of its
 * neighbour at x+1, y+1 or z+1.
 *
 * Of an encoded chunk classes come first, a strip of four bricks along x at a time, without its voxels being unpacked: 64 values are looked up in a
 * table of classes at once, and what comes of it are bits. Then slab by slab along z: rows that carry a quad are found, and those alone are unpacked to
 * palette indices, a byte a voxel, so that a row is one vector and its equalities are three comparisons, with itself one voxel further, with the next row,
 * and with the slab behind; two slabs, 8 KiB, are all that is ever unpacked. Of a dense chunk rows of 16-bit materials are read where they lie,
 * and a slab is compared once the classes of the next one are known.
 */
#include "kernels/mesh_avx512.h"

#include <string.h>

enum { DIM = ADIT_FIELD_DIM, CLASSES = ADIT_FIELD_CLASSES, LANES = ADIT_FIELD_LANES, BRICK = 16, SIDE = 4 };
enum { OPAQUE = ADIT_FIELD_OPAQUE, TRANSLUCENT = ADIT_FIELD_TRANSLUCENT, CUTOUT = ADIT_FIELD_CUTOUT };

/* Two slabs of palette indices; a row is read one byte beyond its end. */
struct keys {
    uint8_t slab[2][DIM * DIM + 64];
} __attribute__((aligned(64)));

/* What is known of four bricks along x. */
enum strip { STRIP_ANY, STRIP_AIR, STRIP_SOLID };

struct reading {
    struct adit_fields *f;
    const struct adit_mesh_source *source;
    __m512i class_of[4]; /* of an index or of a material, 0..255 */
    bool is_plain;       /* encoded: nothing but air and opaque materials */
    uint8_t class_of_key[ADIT_PALETTE_MAX];
    uint8_t strip[SIDE][SIDE]; /* by z and y: enum strip */
    __m512i any[CLASSES]; /* of the words of a class: not 0 where it has voxels */
    struct keys keys;
};

/* -- classes ------------------------------------------------------------------------------------------------------- */

static inline uint64_t equal16(__m512i a_low, __m512i a_high, __m512i b_low, __m512i b_high)
{
    return (uint64_t)_mm512_cmpeq_epi16_mask(a_low, b_low) | (uint64_t)_mm512_cmpeq_epi16_mask(a_high, b_high) << 32;
}

/* The classes of 64 indices, by table. */
static inline __m512i classes_of(const struct reading *r, __m512i id)
{
    __m512i class = _mm512_permutex2var_epi8(r->class_of[0], id, r->class_of[1]);
    uint64_t wide = _mm512_movepi8_mask(id);
    if (wide)
        class = _mm512_mask_blend_epi8(wide, class, _mm512_permutex2var_epi8(r->class_of[2], id, r->class_of[3]));
    return class;
}

/* The classes of 64 materials: bit 0 and bit 1 of each as a word. Rows of small ids, which most are, then rows of one material, then any row, material
 * by material. That loop drops bit i as well as the bits found equal, so it ends even if another process changes the row under it. */
static inline void classify(const struct reading *r, const uint16_t *material, uint64_t *bit0, uint64_t *bit1)
{
    const __m512i in_order = _mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0); /* what packing mixes up */
    const uint8_t *classes = r->source->classes;
    __m512i low = _mm512_loadu_si512(material), high = _mm512_loadu_si512(material + 32);
    if (!_mm512_test_epi16_mask(_mm512_or_si512(low, high), _mm512_set1_epi16((int16_t)0xff00))) {
        __m512i class = classes_of(r, _mm512_permutexvar_epi64(in_order, _mm512_packus_epi16(low, high)));
        *bit0 = _mm512_test_epi8_mask(class, _mm512_set1_epi8(1));
        *bit1 = _mm512_test_epi8_mask(class, _mm512_set1_epi8(2));
        return;
    }
    __m512i all = _mm512_broadcastw_epi16(_mm512_castsi512_si128(low));
    if (equal16(low, high, all, all) == ~0ull) {
        uint8_t class = classes[(uint16_t)_mm_extract_epi16(_mm512_castsi512_si128(low), 0)];
        *bit0 = class & 1 ? ~0ull : 0;
        *bit1 = class & 2 ? ~0ull : 0;
        return;
    }
    *bit0 = *bit1 = 0;
    for (uint64_t rest = ~0ull; rest;) {
        uint16_t id = material[__builtin_ctzll(rest)];
        all = _mm512_set1_epi16((int16_t)id);
        uint64_t found = equal16(low, high, all, all);
        *bit0 |= classes[id] & 1 ? found : 0;
        *bit1 |= classes[id] & 2 ? found : 0;
        rest &= (rest - 1) & ~found;
    }
}

/* The tables of materials 0..255, for planes and dense chunks. */
static void load_classes(struct reading *r)
{
    for (int i = 0; i < 4; i++)
        r->class_of[i] = _mm512_loadu_si512(r->source->classes + i * 64);
}

/* The tables of an encoded chunk's palette. */
static void load_palette_classes(struct reading *r)
{
    const uint16_t *palette = r->source->encoded->palette;
    uint8_t *class = r->class_of_key, all = 0;
    uint32_t n = ADIT_PALETTE_MAX;
    while (n && !palette[n - 1]) /* beyond its end it is 0 */
        n--;
    memset(class, 0, ADIT_PALETTE_MAX);
    for (uint32_t i = 0; i < n; i++) {
        class[i] = r->source->classes[palette[i]] & 3;
        all |= class[i];
    }
    for (int i = 0; i < 4; i++)
        r->class_of[i] = _mm512_loadu_si512(class + i * 64);
    r->is_plain = !(all & 2);
    for (uint32_t i = 0, found = 0; i < n && found < 2; i++) {
        if (class[i] && palette[i] != r->f->material)
            r->f->material = ++found < 2 ? palette[i] : 0;
    }
    r->f->is_single = r->is_plain && r->f->material;
    r->f->is_narrow = n <= 32;
}

/* Eight rows of classes to words, from word i on. */
static inline void set_words(struct reading *r, uint32_t i, __m512i bit0, __m512i bit1)
{
    __m512i word[CLASSES] = {[OPAQUE] = _mm512_andnot_si512(bit1, bit0), [TRANSLUCENT] = _mm512_andnot_si512(bit0, bit1),
                             [CUTOUT] = _mm512_and_si512(bit0, bit1)};
    for (int c = 0; c < CLASSES; c++) {
        r->any[c] = _mm512_or_si512(r->any[c], word[c]);
        _mm512_store_si512(r->f->of[c].word + i, word[c]);
    }
}

static inline bool has_any(const struct reading *r, int class)
{
    return _mm512_test_epi64_mask(r->any[class], r->any[class]);
}

static void classify_planes(struct reading *r)
{
    struct adit_fields *f = r->f;
    const uint8_t *dim = r->source->dim;
    memset(f->plane, 0, sizeof f->plane);
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        const uint16_t *plane = r->source->plane[face];
        uint32_t height = dim[adit_face_v(face)];
        uint64_t inside = adit_low_bits(dim[adit_face_u(face)]);
        for (uint32_t v = 0; plane && v < height; v++) {
            uint64_t bit0, bit1;
            classify(r, plane + v * DIM, &bit0, &bit1);
            f->plane[face][OPAQUE][v] = bit0 & ~bit1 & inside;
            f->plane[face][TRANSLUCENT][v] = bit1 & ~bit0 & inside;
            f->plane[face][CUTOUT][v] = bit0 & bit1 & inside;
        }
    }
}

/* -- exposure ------------------------------------------------------------------------------------------------------ */

static inline __m512i lanes_of(uint64_t word, uint32_t y, uint64_t value) /* value in each lane of bits y..y+7 of word */
{
    return _mm512_maskz_set1_epi64((__mmask8)(word >> y), (long long)value);
}

/* The voxels of a class around those of the eight rows from (z, y), by face. own: those rows of the class itself. */
static inline void look_around(const struct reading *r, int class, uint32_t z, uint32_t y, __m512i own, __m512i beyond[ADIT_FACES])
{
    const struct adit_fields *f = r->f;
    const uint8_t *dim = r->source->dim;
    const uint64_t *word = &f->of[class].word[z * DIM + y];
    const uint64_t(*plane)[CLASSES][DIM] = f->plane;
    uint32_t top = dim[1] - 1u - y; /* lane of the last row */
    __mmask8 is_top = (__mmask8)((top < LANES) << (top % LANES));
    beyond[ADIT_FACE_NX] = _mm512_or_si512(_mm512_slli_epi64(own, 1), lanes_of(plane[ADIT_FACE_NX][class][z], y, 1));
    beyond[ADIT_FACE_PX] = _mm512_or_si512(_mm512_srli_epi64(own, 1), lanes_of(plane[ADIT_FACE_PX][class][z], y, 1ull << (dim[0] - 1)));
    beyond[ADIT_FACE_NY] = _mm512_mask_set1_epi64(_mm512_loadu_si512(word - 1), y == 0, (long long)plane[ADIT_FACE_NY][class][z]);
    beyond[ADIT_FACE_PY] = _mm512_mask_set1_epi64(_mm512_loadu_si512(word + 1), is_top, (long long)plane[ADIT_FACE_PY][class][z]);
    beyond[ADIT_FACE_NZ] = _mm512_loadu_si512(z > 0 ? word - DIM : &plane[ADIT_FACE_NZ][class][y]);
    beyond[ADIT_FACE_PZ] = _mm512_loadu_si512(z < dim[2] - 1u ? word + DIM : &plane[ADIT_FACE_PZ][class][y]);
}

/* Whether nothing of the eight rows from (z, y) can be exposed, as far as their strip of bricks, the next one above or below and the planes at their ends
 * say so. */
static inline bool is_buried(const struct reading *r, uint32_t z, uint32_t y)
{
    uint32_t strip = z / BRICK, next = y + (y % BRICK ? LANES : -1u); /* the row beyond, on the side where the strip ends */
    const uint64_t(*plane)[CLASSES][DIM] = r->f->plane;
    if (r->strip[strip][y / BRICK] != STRIP_SOLID)
        return r->strip[strip][y / BRICK] == STRIP_AIR;
    if (z % BRICK == 0 || z % BRICK == BRICK - 1)
        return false;
    bool is_next_solid = next < DIM ? r->strip[strip][next / BRICK] == STRIP_SOLID : plane[y ? ADIT_FACE_PY : ADIT_FACE_NY][OPAQUE][z] == ~0ull;
    return is_next_solid && (plane[ADIT_FACE_NX][OPAQUE][z] & plane[ADIT_FACE_PX][OPAQUE][z]) >> y << (DIM - LANES) == 0xffull << (DIM - LANES);
}

/* Which rows of a slab carry faces, by side; for -X and +X which columns. */
struct shown {
    __m512i columns[2];
    uint64_t rows[ADIT_FACES], exposed; /* exposed: to any side */
};

/* Of the eight rows from y: own are hidden to a side where hidden has them. */
static inline void add_shown(struct shown *s, uint32_t y, __m512i own, const __m512i hidden[ADIT_FACES])
{
    __m512i buried = _mm512_and_si512(_mm512_and_si512(_mm512_and_si512(hidden[0], hidden[1]), _mm512_and_si512(hidden[2], hidden[3])),
                                      _mm512_and_si512(hidden[4], hidden[5]));
    __m512i exposed = _mm512_andnot_si512(buried, own);
    __mmask8 any = _mm512_test_epi64_mask(exposed, exposed);
    if (!any)
        return;
    s->exposed |= (uint64_t)any << y;
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        __m512i faces = _mm512_andnot_si512(hidden[face], own);
        if (face < 2)
            s->columns[face] = _mm512_or_si512(s->columns[face], faces);
        else
            s->rows[face] |= (uint64_t)_mm512_test_epi64_mask(faces, faces) << y;
    }
}

static inline void keep_shown(struct adit_fields *f, uint32_t z, int see_through, const struct shown *s)
{
    for (uint32_t face = 0; face < ADIT_FACES; face++)
        f->shown[see_through][face][z] = face >= 2 ? s->rows[face] : s->exposed ? (uint64_t)_mm512_reduce_or_epi64(s->columns[face]) : 0;
    f->exposed[z] |= s->exposed;
}

/* See-through voxels of eight rows: hidden by opaque ones, and translucent ones, where faces between materials are not shown, by see-through ones as well. Else it
 * would have to be known which are of one material, and that is found out later, for what is exposed. */
static inline void add_see_through(const struct reading *r, struct shown *s, uint32_t z, uint32_t y, __m512i opaque[ADIT_FACES])
{
    __m512i translucent = _mm512_load_si512(&r->f->of[TRANSLUCENT].word[z * DIM + y]), cutout = _mm512_load_si512(&r->f->of[CUTOUT].word[z * DIM + y]);
    add_shown(s, y, cutout, opaque);
    if (r->source->flags & ADIT_MESH_TT_NONE) {
        __m512i one[ADIT_FACES], two[ADIT_FACES];
        look_around(r, TRANSLUCENT, z, y, translucent, one);
        look_around(r, CUTOUT, z, y, cutout, two);
        for (uint32_t face = 0; face < ADIT_FACES; face++)
            opaque[face] = _mm512_or_si512(opaque[face], _mm512_or_si512(one[face], two[face]));
    }
    add_shown(s, y, translucent, opaque);
}

/* Finds which rows and columns of a slab carry faces; its neighbours' classes are known. */
static void find_exposed(struct reading *r, uint32_t z)
{
    const struct shown none = {.columns = {_mm512_setzero_si512(), _mm512_setzero_si512()}};
    struct shown of_opaque = none, of_see_through = none;
    bool has_through = has_any(r, TRANSLUCENT) || has_any(r, CUTOUT);
    for (uint32_t y = 0; y < r->source->dim[1]; y += LANES) {
        if (is_buried(r, z, y))
            continue;
        __m512i own = _mm512_load_si512(&r->f->of[OPAQUE].word[z * DIM + y]), beyond[ADIT_FACES];
        look_around(r, OPAQUE, z, y, own, beyond);
        add_shown(&of_opaque, y, own, beyond);
        if (has_through)
            add_see_through(r, &of_see_through, z, y, beyond);
    }
    keep_shown(r->f, z, 0, &of_opaque);
    if (has_through)
        keep_shown(r->f, z, 1, &of_see_through);
}

/* -- dense chunks -------------------------------------------------------------------------------------------------- */

static void classify_dense(struct reading *r, const uint16_t *voxels, uint32_t z)
{
    uint64_t bit0[DIM] __attribute__((aligned(64))), bit1[DIM] __attribute__((aligned(64)));
    const __m512i inside = _mm512_set1_epi64((long long)adit_low_bits(r->source->dim[0]));
    uint32_t top = r->source->dim[1];
    for (uint32_t y = 0; y < top; y++)
        classify(r, voxels + (z * DIM + y) * DIM, &bit0[y], &bit1[y]);
    for (uint32_t y = top; y % LANES; y++)
        bit0[y] = bit1[y] = 0;
    for (uint32_t y = 0; y < top; y += LANES)
        set_words(r, z * DIM + y, _mm512_and_si512(_mm512_load_si512(bit0 + y), inside), _mm512_and_si512(_mm512_load_si512(bit1 + y), inside));
}

/* A bit towards a voxel beyond dim has no meaning, and nobody asks for it. */
static void compare_dense(struct reading *r, const uint16_t *voxels, uint32_t z)
{
    struct adit_field *same = r->f->same;
    for (uint64_t rows = r->f->exposed[z]; rows; rows &= rows - 1) {
        uint32_t y = (uint32_t)__builtin_ctzll(rows), i = z * DIM + y;
        const uint16_t *row = voxels + i * DIM;
        const uint16_t *up = y < DIM - 1 ? row + DIM : row, *back = z < DIM - 1 ? row + DIM * DIM : row;
        __m512i low = _mm512_loadu_si512(row), high = _mm512_loadu_si512(row + 32);
        same[0].word[i] = equal16(low, high, _mm512_loadu_si512(row + 1),
                                  _mm512_maskz_loadu_epi16(0x7fffffff, row + 33)); /* the last has no next */
        same[1].word[i] = equal16(low, high, _mm512_loadu_si512(up), _mm512_loadu_si512(up + 32));
        same[2].word[i] = equal16(low, high, _mm512_loadu_si512(back), _mm512_loadu_si512(back + 32));
    }
}

static void read_dense(struct reading *r, const uint16_t *voxels)
{
    const uint8_t *dim = r->source->dim;
    for (int class = 0; class < CLASSES && (dim[1] < DIM || dim[2] < DIM); class++)
        memset(r->f->of[class].word, 0, sizeof r->f->of[class].word);
    for (uint32_t z = 0; z <= dim[2]; z++) {
        if (z < dim[2])
            classify_dense(r, voxels, z);
        if (z) {
            find_exposed(r, z - 1);
            compare_dense(r, voxels, z - 1);
        }
    }
}

/* -- encoded chunks ------------------------------------------------------------------------------------------------ */

enum { GROUPS = BRICK * SIDE }; /* of four rows, in a brick */

/* The classes of a strip of four bricks before they are words: bits 0 and 1 of the class of 64 voxels, four rows of one brick. */
struct strip_bits {
    uint64_t bit0[GROUPS][SIDE], bit1[GROUPS][SIDE];
} __attribute__((aligned(64)));

/* Of one bit a voxel there is nothing to look up. */
static inline void classify_pairs(const uint8_t *from, const uint8_t class[2], uint32_t b, struct strip_bits *to)
{
    uint64_t zero0 = class[0] & 1 ? ~0ull : 0, zero1 = class[0] & 2 ? ~0ull : 0;
    uint64_t turn0 = (class[0] ^ class[1]) & 1 ? ~0ull : 0, turn1 = (class[0] ^ class[1]) & 2 ? ~0ull : 0;
    for (uint32_t g = 0; g < GROUPS; g++) {
        uint64_t bits;
        memcpy(&bits, from + g * 8, 8);
        to->bit0[g][b] = (bits & turn0) ^ zero0;
        to->bit1[g][b] = (bits & turn1) ^ zero1;
    }
}

/* code: a constant where this is inlined. class: by value, sixteen of them four times over; of values of eight bits the tables are asked. */
static inline __attribute__((always_inline)) void classify_values(const struct reading *r, const uint8_t *from, uint32_t code, __m512i class, uint32_t b,
                                                                  struct strip_bits *to)
{
    for (uint32_t g = 0; g < GROUPS; g++) {
        __m512i value = adit_brick_unpack64(from + g * (8u << (code - 1)), code);
        __m512i found = code == 4 ? classes_of(r, value) : _mm512_shuffle_epi8(class, value);
        to->bit0[g][b] = _mm512_test_epi8_mask(found, _mm512_set1_epi8(1));
        if (!r->is_plain)
            to->bit1[g][b] = _mm512_test_epi8_mask(found, _mm512_set1_epi8(2));
    }
}

static void classify_brick(const struct reading *r, uint32_t d, uint32_t b, struct strip_bits *to)
{
    uint32_t code = adit_brick_code(d);
    const uint8_t *at = r->source->encoded->packed + adit_brick_place(d) * 16;
    uint8_t of_local[64];
    __m512i class;
    if (!code) {
        uint8_t own = r->class_of_key[adit_brick_place(d) & 255];
        for (uint32_t g = 0; g < GROUPS; g++) {
            to->bit0[g][b] = own & 1 ? ~0ull : 0;
            to->bit1[g][b] = own & 2 ? ~0ull : 0;
        }
        return;
    }
    if (code == 4) {
        classify_values(r, at, 4, _mm512_setzero_si512(), b, to);
        return;
    }
    class = classes_of(r, _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)at)));
    at += ADIT_BRICK_LOCAL_BYTES;
    if (code == 3) {
        classify_values(r, at, 3, class, b, to);
    } else if (code == 2) {
        classify_values(r, at, 2, class, b, to);
    } else {
        _mm512_storeu_si512(of_local, class);
        classify_pairs(at, of_local, b, to);
    }
}

/* Sixteen rows of sixteen slabs from word i on. */
static void read_strip(struct reading *r, const uint32_t bricks[SIDE], uint32_t i)
{
    /* of eight rows: piece r of brick b to piece b of row r */
    const __m512i order = _mm512_set_epi16(31, 27, 23, 19, 30, 26, 22, 18, 29, 25, 21, 17, 28, 24, 20, 16, 15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    struct adit_fields *f = r->f;
    struct strip_bits bits;
    for (uint32_t b = 0; b < SIDE; b++)
        classify_brick(r, bricks[b], b, &bits);
    for (uint32_t g = 0; g < GROUPS; g += 2) {
        uint32_t at = i + g / 4 * DIM + g % 4 * 4;
        __m512i bit0 = _mm512_permutexvar_epi16(order, _mm512_load_si512(bits.bit0[g]));
        if (r->is_plain) {
            r->any[OPAQUE] = _mm512_or_si512(r->any[OPAQUE], bit0);
            _mm512_store_si512(f->of[OPAQUE].word + at, bit0);
        } else {
            set_words(r, at, bit0, _mm512_permutexvar_epi16(order, _mm512_load_si512(bits.bit1[g])));
        }
    }
}

static inline bool are_uniform(const uint32_t bricks[SIDE])
{
    return !((bricks[0] | bricks[1] | bricks[2] | bricks[3]) & 7);
}

/* The same where all four bricks are uniform. */
static void set_strip(struct reading *r, const uint32_t bricks[SIDE], uint32_t i)
{
    uint64_t word[CLASSES + 1] = {0}; /* of air first */
    for (uint32_t b = 0; b < SIDE; b++)
        word[r->class_of_key[adit_brick_place(bricks[b]) & 255]] |= 0xffffull << b * BRICK;
    for (int c = 0; c < (r->is_plain ? OPAQUE + 1 : CLASSES); c++) {
        __m512i words = _mm512_set1_epi64((long long)word[c + 1]);
        r->any[c] = _mm512_or_si512(r->any[c], words);
        for (uint32_t z = 0; z < BRICK; z++) {
            _mm512_store_si512(&r->f->of[c].word[i + z * DIM], words);
            _mm512_store_si512(&r->f->of[c].word[i + z * DIM + LANES], words);
        }
    }
    r->strip[i / DIM / BRICK][i % DIM / BRICK] = word[0] == ~0ull ? STRIP_AIR : word[OPAQUE + 1] == ~0ull ? STRIP_SOLID : STRIP_ANY;
}

/* The rows of slab z that are exposed, and three after each fourth one, as palette indices. */
static void unpack_rows(struct reading *r, uint32_t z)
{
    const struct adit_voxels *v = r->source->encoded;
    uint64_t exposed = r->f->exposed[z];
    for (uint64_t groups = (exposed | exposed >> 1 | exposed >> 2 | exposed >> 3) & 0x1111111111111111; groups; groups &= groups - 1) {
        uint32_t y = (uint32_t)__builtin_ctzll(groups);
        const uint32_t *bricks = v->bricks + z / BRICK * 16 + y / BRICK * SIDE;
        for (uint32_t b = 0; b < SIDE; b++)
            adit_brick_store_rows(r->keys.slab[z & 1] + y * DIM + b * BRICK, adit_brick_rows(v, bricks[b], z % BRICK, y % BRICK));
    }
}

/* What is asked of these rows later is about neighbours that are both exposed, so what stands in other rows does not matter. (Where faces between
 * see-through materials are not shown, of cutout voxels alone: visible_through in mesh_avx512.c.) */
static void compare_keys(struct reading *r, uint32_t z)
{
    struct adit_field *same = r->f->same;
    const uint8_t *slab = r->keys.slab[z & 1], *behind = r->keys.slab[~z & 1];
    for (uint64_t rows = r->f->exposed[z]; rows; rows &= rows - 1) {
        uint32_t y = (uint32_t)__builtin_ctzll(rows), i = z * DIM + y;
        const uint8_t *row = slab + y * DIM;
        __m512i key = _mm512_load_si512(row);
        same[0].word[i] = _mm512_cmpeq_epi8_mask(key, _mm512_loadu_si512(row + 1));
        same[1].word[i] = _mm512_cmpeq_epi8_mask(key, _mm512_loadu_si512(row + DIM));
        same[2].word[i] = _mm512_cmpeq_epi8_mask(key, _mm512_load_si512(behind + y * DIM));
    }
}

static void read_bricks(struct reading *r)
{
    const uint32_t *bricks = r->source->encoded->bricks;
    for (uint32_t strip = 0; strip < SIDE * SIDE; strip++) {
        uint32_t i = strip / SIDE * BRICK * DIM + strip % SIDE * BRICK;
        if (are_uniform(bricks + strip * SIDE))
            set_strip(r, bricks + strip * SIDE, i);
        else
            read_strip(r, bricks + strip * SIDE, i);
    }
    for (uint32_t z = 0; z <= DIM; z++) {
        if (z < DIM) {
            find_exposed(r, z);
            if (!r->f->is_single)
                unpack_rows(r, z);
        }
        if (z && !r->f->is_single)
            compare_keys(r, z - 1);
    }
}

/* One material that is not air: its surface is its border, and all neighbours are of the same. */
static void read_uniform(struct reading *r)
{
    uint8_t class = r->source->classes[r->source->encoded->uniform] & 3;
    if (class != ADIT_CLASS_AIR) /* it was not when the kernel looked, and who writes classes meanwhile gets nothing */
        r->any[class - 1] = _mm512_set1_epi64(-1);
    for (int c = 0; c < CLASSES; c++)
        memset(r->f->of[c].word, c == class - 1 ? 0xff : 0, sizeof r->f->of[c].word);
    r->f->material = r->source->encoded->uniform;
    r->f->is_single = class == ADIT_CLASS_OPAQUE;
    for (uint32_t axis = 0; axis < 3 && !r->f->is_single; axis++)
        memset(r->f->same[axis].word, 0xff, sizeof r->f->same[axis].word);
    for (uint32_t z = 0; z < DIM; z++)
        find_exposed(r, z);
}

void adit_fields_read(struct adit_fields *f, const struct adit_mesh_source *source)
{
    struct reading r;
    const struct adit_voxels *encoded = source->encoded;
    r.f = f;
    r.source = source;
    r.is_plain = false;
    memset(r.strip, STRIP_ANY, sizeof r.strip);
    memset(r.any, 0, sizeof r.any);
    f->is_narrow = f->is_single = false;
    f->material = 0;
    memset(f->exposed, 0, sizeof f->exposed);
    memset(f->shown, 0, sizeof f->shown);
    load_classes(&r);
    classify_planes(&r);
    if (!encoded || encoded->form == ADIT_VOXELS_DENSE) {
        read_dense(&r, encoded ? (const uint16_t *)(const void *)encoded->packed : source->voxels);
    } else if (encoded->form == ADIT_VOXELS_BRICKS) {
        load_palette_classes(&r);
        read_bricks(&r);
    } else {
        read_uniform(&r);
    }
    for (int class = 0; class < CLASSES; class++)
        f->has[class] = has_any(&r, class);
}
