/* mesh_avx512.c - the mesh of kernels/mesh.h in AVX-512: masks of 64 voxels, eight layers at a time.
 *
 * mesh_avx512_read.c makes fields of a bit a voxel: one a class, and three that say whether a voxel has the material of its neighbour at x+1,
 * y+1 or z+1. From then on a face is logic on words: a layer is a word for each v, and eight neighbouring layers fill a vector, one a lane. For that
 * the words must run along U, and the layers be next to each other in memory:
 *     -X +X   words along y, index z*64 + x    every slab of one z transposed, bit by bit
 *     -Y +Y   words along x, index z*64 + y    as read
 *     -Z +Z   words along x, index y*64 + z    all words transposed
 * so an index is always v*64 + layer. What is turned is turned into fields of its own, and only where voxels may carry quads: the rows of eight
 * layers where none may are not visited at all.
 *
 * sweep() walks v and keeps, in each lane, the rows of quads that are open: which cells they cover (all visible cells of
 * the row before), their first and their last cell. An open row is kept when all its cells are visible again, of the same
 * material as above; everything visible that is not kept begins new rows of quads. "All its cells" is asked of all rows
 * of a word at once by two additions whose carries run through good cells only, one from the first cells upwards and
 * one, on reversed words, from the last cells downwards: a row is kept where both got through. Kept rows are exactly the
 * greedy heightening of mesh.h: a new row never overlaps a kept one, so widening stops where it has to.
 * What comes of that, cells of eight layers, mesh_avx512_quads.c makes quads of.
 */
#include "kernels/mesh_avx512.h"

#include <errno.h>
#include <string.h>

#include "kernels/mesh_shade.h"
#include "kernels/mesh_side.h"
#include "kernels/mesh_fold.h"
#include "kernels/mesh_uniform.h"

enum { DIM = ADIT_FIELD_DIM, CLASSES = ADIT_FIELD_CLASSES, LANES = ADIT_FIELD_LANES };
enum { OPAQUE = ADIT_FIELD_OPAQUE, TRANSLUCENT = ADIT_FIELD_TRANSLUCENT, CUTOUT = ADIT_FIELD_CUTOUT };

/* The fields as the faces of one axis want them. */
struct view {
    const struct adit_field *of[CLASSES], *same[3];
};

struct mesher {
    struct adit_fields read;
    struct adit_field turned_of[CLASSES], turned_same[3];
    uint64_t plane_same[DIM]; /* of the face at work: see-through border voxels of the material beyond */
    struct adit_shade_side shade; /* of the face at work, with AO */
    struct view view;
    uint64_t busy[LANES]; /* of the face and class at work, by group of eight layers: bit v is set where there are faces, or may be */
    const struct adit_mesh_source *source;
    struct adit_mesh_result *result;
    uint64_t extent[3]; /* by axis: bit i is set when layer i has quads */
    struct adit_quads quads;
} __attribute__((aligned(64)));

/* -- transpositions ------------------------------------------------------------------------------------------------ */

/* Word i of vector j becomes word j of vector i. */
static inline void transpose_words(__m512i a[LANES])
{
    __m512i t[LANES], s[LANES];
    for (int i = 0; i < LANES; i += 2) {
        t[i] = _mm512_unpacklo_epi64(a[i], a[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 1]);
    }
    for (int i = 0; i < 2; i++) { /* now 4x4 pairs of words, for the even and the odd ones */
        s[0] = _mm512_shuffle_i64x2(t[i], t[i + 2], 0x88);
        s[1] = _mm512_shuffle_i64x2(t[i], t[i + 2], 0xdd);
        s[2] = _mm512_shuffle_i64x2(t[i + 4], t[i + 6], 0x88);
        s[3] = _mm512_shuffle_i64x2(t[i + 4], t[i + 6], 0xdd);
        a[i] = _mm512_shuffle_i64x2(s[0], s[2], 0x88);
        a[i + 2] = _mm512_shuffle_i64x2(s[1], s[3], 0x88);
        a[i + 4] = _mm512_shuffle_i64x2(s[0], s[2], 0xdd);
        a[i + 6] = _mm512_shuffle_i64x2(s[1], s[3], 0xdd);
    }
}

/* Bit i of word j becomes bit j of word i, in 64 words: the bytes of each vector are brought together by column (last
 * row first, as the affine instruction wants its matrix), bits are turned in blocks of 8x8, then words, then bytes. */
static inline void transpose_bits(const uint64_t *from, uint64_t *to)
{
    const __m512i lane = _mm512_set_epi64(0x0707070707070707, 0x0606060606060606, 0x0505050505050505, 0x0404040404040404,
                                          0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
    const __m512i columns = _mm512_add_epi64(lane, _mm512_set1_epi64(0x0008101820283038));
    const __m512i rows = _mm512_add_epi64(lane, _mm512_set1_epi64(0x3830282018100800));
    const __m512i identity = _mm512_set1_epi64((long long)0x8040201008040201);
    __m512i a[LANES];
    for (int i = 0; i < LANES; i++) {
        a[i] = _mm512_permutexvar_epi8(columns, _mm512_load_si512(from + i * LANES));
        a[i] = _mm512_gf2p8affine_epi64_epi8(identity, a[i], 0);
    }
    transpose_words(a);
    for (int i = 0; i < LANES; i++)
        _mm512_store_si512(to + i * LANES, _mm512_permutexvar_epi8(rows, a[i]));
}

/* From words along x, index z*64 + y, to words along y, index z*64 + x, in slabs where voxels may carry quads, or next to such. */
static void turn_x(const struct mesher *m, const struct adit_field *from, struct adit_field *to, bool with_next)
{
    const uint64_t *exposed = m->read.exposed;
    uint32_t n = m->source->dim[2];
    for (uint32_t z = 0; z < n; z++)
        if (exposed[z] || (with_next && ((z && exposed[z - 1]) || (z + 1 < n && exposed[z + 1]))))
            transpose_bits(from->word + z * DIM, to->word + z * DIM);
}

/* From index z*64 + y to index y*64 + z. wanted: by eight slabs, bit i is set when rows y = 8*i..8*i+7 are wanted. */
static void turn_z(const struct adit_field *from, struct adit_field *to, const uint8_t wanted[LANES])
{
    for (uint32_t i = 0; i < DIM; i += LANES) {
        for (uint32_t groups = wanted[i / LANES]; groups; groups &= groups - 1) {
            uint32_t j = (uint32_t)__builtin_ctz(groups) * LANES;
            __m512i a[LANES];
            for (uint32_t k = 0; k < LANES; k++)
                a[k] = _mm512_load_si512(from->word + (i + k) * DIM + j);
            transpose_words(a);
            for (uint32_t k = 0; k < LANES; k++)
                _mm512_store_si512(to->word + (j + k) * DIM + i, a[k]);
        }
    }
}

/* Makes busy: from bits of layers by v to bits of v by group of layers. */
static void find_busy(struct mesher *m, uint32_t face, int class)
{
    const struct adit_fields *read = &m->read;
    const uint64_t *by_v = read->shown[class != OPAQUE][face];
    uint64_t by_y[DIM] __attribute__((aligned(64))); /* bits z */
    if (face >= 4) {
        transpose_bits(by_v, by_y);
        by_v = by_y;
    }
    memset(m->busy, 0, sizeof m->busy);
    for (uint32_t v = 0; v < DIM; v += LANES) {
        uint64_t bytes = _mm512_test_epi8_mask(_mm512_loadu_si512(by_v + v), _mm512_set1_epi8(-1)); /* bit: lane * 8 + group */
        for (uint32_t group = 0; bytes && group < LANES; group++)
            m->busy[group] |= _pext_u64(bytes, 0x0101010101010101u << group) << v;
    }
}

/* beside: also of the eight slabs before and behind, since sweep() looks across the faces of all lanes; and, for AO, of the rows above and below. */
static void find_wanted(const uint64_t exposed[DIM], bool has_ao, uint8_t rows[LANES], uint8_t beside[LANES])
{
    for (uint32_t i = 0; i < LANES; i++) {
        uint64_t bytes = _mm512_test_epi8_mask(_mm512_load_si512(exposed + i * LANES), _mm512_set1_epi8(-1)); /* bit: lane * 8 + group */
        bytes |= bytes >> 32;
        bytes |= bytes >> 16;
        rows[i] = (uint8_t)(bytes | bytes >> 8);
    }
    for (uint32_t i = 0; i < LANES; i++) {
        uint32_t any = rows[i] | (i ? rows[i - 1] : 0u) | (i < LANES - 1 ? rows[i + 1] : 0u);
        beside[i] = (uint8_t)(has_ao ? any | any << 1 | any >> 1 : any);
    }
}

/* Whether it matters to faces between see-through voxels that these are of one material. */
static inline bool needs_same(const struct mesher *m)
{
    return m->read.has[CUTOUT] || !(m->source->flags & ADIT_MESH_TT_NONE);
}

/* Makes the view of an axis. */
static void turn(struct mesher *m, uint32_t axis)
{
    const struct adit_fields *read = &m->read;
    bool all = adit_fields_has_see_through(read), has_ao = m->source->flags & ADIT_MESH_AO;
    uint8_t rows[LANES], beside[LANES]; /* for turn_z: where voxels may carry quads; and across their faces */
    find_wanted(read->exposed, has_ao, rows, beside);
    for (int i = 0; i < CLASSES; i++) { /* what has no voxels is the same either way */
        bool is_needed = read->has[i];
        m->view.of[i] = axis == 1 || !is_needed ? &read->of[i] : &m->turned_of[i];
        if (is_needed && axis == 0)
            turn_x(m, &read->of[i], &m->turned_of[i], has_ao && i == OPAQUE);
        if (is_needed && axis == 2)
            turn_z(&read->of[i], &m->turned_of[i], beside);
    }
    for (uint32_t i = 0; i < 3; i++) {
        bool is_needed = !read->is_single && (i != axis || (all && needs_same(m)));
        m->view.same[i] = axis == 1 ? &read->same[i] : &m->turned_same[i];
        if (is_needed && axis == 0)
            turn_x(m, &read->same[i], &m->turned_same[i], false);
        if (is_needed && axis == 2)
            turn_z(&read->same[i], &m->turned_same[i], rows);
    }
}

/* -- visibility ---------------------------------------------------------------------------------------------------- */

/* Finds where see-through voxels of the border layer meet their own material in the plane of a face. */
static void compare_plane(struct mesher *m, const struct adit_mesh_side *s)
{
    const uint16_t *plane = m->source->plane[s->face];
    uint32_t layer = s->face & 1 ? s->layers - 1 : 0;
    uint32_t border = layer * s->voxel_layer;
    memset(m->plane_same, 0, sizeof m->plane_same);
    for (uint32_t v = 0; plane && adit_fields_has_see_through(&m->read) && v < s->height; v++) {
        uint32_t i = v * DIM + layer;
        uint64_t own = m->view.of[TRANSLUCENT]->word[i] | m->view.of[CUTOUT]->word[i];
        uint64_t beyond = m->read.plane[s->face][TRANSLUCENT][v] | m->read.plane[s->face][CUTOUT][v];
        for (uint64_t both = own & beyond; both; both &= both - 1) {
            uint32_t u = (uint32_t)__builtin_ctzll(both);
            bool is_same = adit_mesh_material(m->source, border + v * s->voxel_v + u * s->voxel_u) == plane[v * DIM + u];
            m->plane_same[v] |= (uint64_t)is_same << u;
        }
    }
}

/* Eight layers of a field across the face from row v, layer: the border plane in the lane where the volume ends. */
static inline __m512i across(const uint64_t *word, int64_t step, __mmask8 border, uint64_t plane)
{
    return _mm512_mask_set1_epi64(_mm512_loadu_si512(word + step), border, (long long)plane);
}

/* Where eight layers of one face and class lie, rows DIM words apart. */
struct lines {
    const uint64_t *own, *opaque; /* the latter across the face */
    const uint64_t *plane;        /* of opaque voxels, by v */
    const uint64_t *same_u, *same_v;
    uint32_t same_step; /* from row to row of these; 0: all is the same */
    __mmask8 border; /* the lane of the last layer, whose neighbours are the plane */
};

static inline struct lines lines_of(const struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t layer)
{
    uint32_t at = s->face & 1 ? s->layers - 1 - layer : 0 - layer;
    static const uint64_t all[LANES] __attribute__((aligned(64))) = {~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull};
    bool is_any = m->read.is_single || (class == OPAQUE && m->source->flags & ADIT_MESH_ANY_OPAQUE);
    return (struct lines){.own = m->view.of[class]->word + layer,
                          .opaque = m->view.of[OPAQUE]->word + layer + (s->face & 1 ? 1 : -1),
                          .plane = m->read.plane[s->face][OPAQUE],
                          .same_u = is_any ? all : m->view.same[s->u_axis]->word + layer,
                          .same_v = is_any ? all : m->view.same[s->v_axis]->word + layer,
                          .same_step = is_any ? 0 : DIM,
                          .border = (__mmask8)((at < LANES) << (at % LANES))};
}

/* Of open, see-through faces in row v of eight layers that look at nothing opaque, the visible ones: the last three lines of "Visibility" in mesh.h. */
static inline __m512i visible_through(const struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t v, uint32_t layer, __mmask8 border,
                                      __m512i open)
{
    uint32_t i = v * DIM + layer;
    int64_t step = s->face & 1 ? 1 : -1;
    bool is_none = m->source->flags & ADIT_MESH_TT_NONE;
    __m512i cutout = across(m->view.of[CUTOUT]->word + i, step, border, m->read.plane[s->face][CUTOUT][v]);
    __m512i other = _mm512_or_si512(cutout, across(m->view.of[TRANSLUCENT]->word + i, step, border, m->read.plane[s->face][TRANSLUCENT][v]));
    if (is_none && class == TRANSLUCENT)
        return _mm512_andnot_si512(other, open);
    __m512i same = across(m->view.same[s->axis]->word + i, s->face & 1 ? 0 : -1, border, m->plane_same[v]);
    if (is_none) /* same holds nothing of translucent voxels that are not exposed, and a cutout one is the same as a cutout one alone */
        return _mm512_andnot_si512(_mm512_andnot_si512(_mm512_and_si512(same, cutout), other), open);
    return class == TRANSLUCENT ? _mm512_andnot_si512(_mm512_and_si512(same, other), open) : open;
}

/* -- AO and light -------------------------------------------------------------------------------------------------- */

/* Opaque cells before three rows of faces of eight layers: as they are, and from one cell further down and up u. */
struct surroundings {
    adit_lanes left[3], mid[3], right[3];
};

/* Row i of these three is row v + i - 1. */
static inline void look_at(const struct mesher *m, const struct adit_mesh_side *s, const struct lines *l, uint32_t v, uint32_t layer, uint32_t i,
                           struct surroundings *around)
{
    uint32_t row = v + i - 1;
    around->mid[i] = (adit_lanes)(row < s->height ? across(l->opaque + row * DIM, 0, l->border, l->plane[row]) : _mm512_loadu_si512(m->shade.past[i / 2] + layer));
    around->left[i] = around->mid[i] << 1 | (adit_lanes)_mm512_maskz_set1_epi64((__mmask8)(m->shade.lo[v + i] >> layer), 1);
    around->right[i] = around->mid[i] >> 1 | (adit_lanes)_mm512_maskz_set1_epi64((__mmask8)(m->shade.hi[v + i] >> layer), (long long)(1ull << (s->width - 1)));
}

/* The AO of row v of eight layers, as far as it matters to cells of seen; around is of row v-1 if is_next. Returns in which lanes there is some;
 * in none, shade is left as it is. */
static inline __mmask8 find_shade(const struct mesher *m, const struct adit_mesh_side *s, const struct lines *l, uint32_t v, uint32_t layer, __m512i seen,
                                  bool is_next, struct surroundings *around, struct adit_lanes_shade *shade)
{
    for (uint32_t i = 0; i < 2; i++) {
        if (is_next) {
            around->left[i] = around->left[i + 1];
            around->mid[i] = around->mid[i + 1];
            around->right[i] = around->right[i + 1];
        } else {
            look_at(m, s, l, v, layer, i, around);
        }
    }
    look_at(m, s, l, v, layer, 2, around);
    adit_lanes near = around->mid[0] | around->mid[2];
    for (uint32_t i = 0; i < 3; i++)
        near |= around->left[i] | around->right[i];
    __mmask8 dark = _mm512_test_epi64_mask((__m512i)near, seen);
    if (dark)
        adit_lanes_shade_of(shade, around->left, around->mid, around->right);
    return dark;
}

static inline __m512i light_load(const uint16_t *from, __mmask32 wanted)
{
    return _mm512_and_si512(_mm512_maskz_loadu_epi16(wanted, from), _mm512_set1_epi16(ADIT_LIGHT_BITS));
}

/* Of 64 values at a those that b has as well; b may be a + 1, whose last one nobody asks about. */
static inline uint64_t light_equal(const uint16_t *a, const uint16_t *b)
{
    __mmask32 inside = b == a + 1 ? 0x7fffffff : 0xffffffff;
    uint64_t low = _mm512_cmpeq_epi16_mask(light_load(a, 0xffffffff), light_load(b, 0xffffffff));
    return low | (uint64_t)_mm512_cmpeq_epi16_mask(light_load(a + 32, inside), light_load(b + 32, inside)) << 32;
}

/* The same for -X and +X, where eight layers lie side by side: rows DIM apart from a and from b on, a bit a row and lane. */
static inline __m512i light_equal_x(const uint16_t *a, const uint16_t *b, uint32_t rows)
{
    uint8_t equal[DIM] __attribute__((aligned(64))) = {0};
    uint64_t like[LANES] __attribute__((aligned(64)));
    const __m128i bits = _mm_set1_epi16(ADIT_LIGHT_BITS);
    for (uint32_t y = 0; y < rows; y++) {
        __m128i one = _mm_loadu_si128((const __m128i *)(const void *)(a + y * DIM)), two = _mm_loadu_si128((const __m128i *)(const void *)(b + y * DIM));
        equal[y] = (uint8_t)_mm_cmpeq_epi16_mask(_mm_and_si128(one, bits), _mm_and_si128(two, bits));
    }
    for (uint32_t lane = 0; lane < LANES; lane++)
        like[lane] = _mm512_test_epi8_mask(_mm512_load_si512(equal), _mm512_set1_epi8((char)(1 << lane)));
    return _mm512_load_si512(like);
}

/* Which cells have the light of the next one along u, or of row v-1, in lanes where they are asked about. */
static __m512i light_like(const struct mesher *m, const struct adit_mesh_side *s, uint32_t v, uint32_t layer, bool is_next, __m512i cells)
{
    uint64_t like[LANES] __attribute__((aligned(64))) = {0};
    uint16_t room[2][DIM];
    uint32_t asked = _mm512_test_epi64_mask(cells, cells), first = s->face & 1 ? layer + 1 : layer - 1; /* layer of light */
    if (s->axis == 0 && first <= DIM - LANES) {
        const uint16_t *row = m->source->light + v * s->voxel_v + first;
        const uint16_t *other = is_next ? row + DIM : row - s->voxel_v;
        _mm512_store_si512(like, light_equal_x(row, other, is_next ? DIM - 1 : DIM));
        asked &= s->layers - layer <= LANES && s->face & 1 ? 1u << (s->layers - 1 - layer) : 0; /* the lane before a plane is left */
    }
    for (; asked; asked &= asked - 1) {
        uint32_t lane = (uint32_t)__builtin_ctz(asked);
        const uint16_t *row = adit_light_row(m->source, s, layer + lane, v, room[0]);
        like[lane] = light_equal(row, is_next ? row + 1 : adit_light_row(m->source, s, layer + lane, v - 1, room[1]));
    }
    return _mm512_load_si512(like);
}

/* -- quads --------------------------------------------------------------------------------------------------------- */

static inline __m512i reverse_bits(__m512i a) /* of each word */
{
    const __m512i bytes = _mm512_set4_epi32(0x08090a0b, 0x0c0d0e0f, 0x00010203, 0x04050607);
    const __m512i matrix = _mm512_set1_epi64((long long)0x8040201008040201);
    return _mm512_gf2p8affine_epi64_epi8(_mm512_shuffle_epi8(a, bytes), matrix, 0);
}

/* The cells of good that good cells join to one of first (the first cells of rows) from below. The carry of first + good
 * turns every such cell to 0; where the row before carries into first itself it stays 1, so first is put back. */
static inline __m512i reached(__m512i good, __m512i first)
{
    first = _mm512_and_si512(first, good);
    __m512i sum = _mm512_add_epi64(good, first);
    return _mm512_ternarylogic_epi64(good, sum, first, 0xb0); /* good & (~sum | first) */
}

/* Finds the quads of eight layers of one class. Their rows, extent and faces are counted here; no quad is written. is_opaque: the class is. is_keyed: AO or
 * light parts faces. Both are constants where this is inlined. */
static inline __attribute__((always_inline)) void sweep_as(struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t layer,
                                                           struct adit_slab *slab, bool is_opaque, bool is_keyed)
{
    const struct lines l = lines_of(m, s, class, layer);
    const bool is_greedy = !(m->source->flags & ADIT_MESH_CULLED);
    const bool has_ao = is_keyed && m->source->flags & ADIT_MESH_AO, has_light = is_keyed && m->source->light;
    const __m512i zero = _mm512_setzero_si512();
    __m512i covered = zero, open_first = zero, open_last = zero, uneven_above = zero;
    __m512i rows = zero, begins = zero, cells = zero, faces = zero;
    struct surroundings around = {0};
    uint32_t next = 0;
    for (uint64_t busy = m->busy[layer / LANES]; busy; busy &= busy - 1) {
        uint32_t v = (uint32_t)__builtin_ctzll(busy), i = v * DIM;
        __m512i seen = _mm512_andnot_si512(across(l.opaque + i, 0, l.border, l.plane[v]), _mm512_load_si512(l.own + i));
        if (!is_opaque)
            seen = visible_through(m, s, class, v, layer, l.border, seen);
        __m512i kept = zero, first = seen, last = seen, bit = _mm512_set1_epi64((long long)(1ull << v));
        covered = _mm512_maskz_mov_epi64(v == next ? 0xff : 0, covered); /* of another row than the one before nothing is good */
        struct adit_lanes_shade *shade = &slab->shade[v];
        bool is_dark = has_ao && (slab->dark[v] = find_shade(m, s, &l, v, layer, seen, v && v == next, &around, shade));
        next = v + 1;
        if (is_greedy) {
            __m512i good = _mm512_and_si512(_mm512_and_si512(covered, seen), _mm512_load_si512(l.same_v + (v ? v - 1 : 0) * l.same_step));
            if (has_ao) {
                __m512i uneven = is_dark ? (__m512i)adit_lanes_shade_uneven_v(shade) : zero;
                good = _mm512_andnot_si512(_mm512_or_si512(uneven, uneven_above), good);
                uneven_above = uneven;
            }
            if (has_light && _mm512_test_epi64_mask(good, good))
                good = _mm512_and_si512(good, light_like(m, s, v, layer, false, good));
            __m512i down = reached(reverse_bits(good), reverse_bits(open_last));
            kept = _mm512_and_si512(reached(good, open_first), reverse_bits(down));
            __m512i fresh = _mm512_andnot_si512(kept, seen), like_next = _mm512_load_si512(l.same_u + v * l.same_step);
            if (is_dark)
                like_next = _mm512_and_si512(like_next, (__m512i)adit_lanes_shade_like_next(shade));
            if (has_light)
                like_next = _mm512_and_si512(like_next, light_like(m, s, v, layer, true, fresh));
            first = _mm512_andnot_si512(_mm512_slli_epi64(_mm512_and_si512(fresh, like_next), 1), fresh);
            last = _mm512_andnot_si512(_mm512_and_si512(_mm512_srli_epi64(fresh, 1), like_next), fresh);
            open_last = _mm512_or_si512(_mm512_and_si512(open_last, kept), last);
            kept = _mm512_and_si512(open_first, kept);
            open_first = _mm512_or_si512(kept, first);
            covered = seen;
        }
        _mm512_store_si512(slab->first[v], first);
        _mm512_store_si512(slab->last[v], last);
        _mm512_store_si512(slab->kept[v], kept);
        rows = _mm512_mask_or_epi64(rows, _mm512_test_epi64_mask(seen, seen), rows, bit);
        begins = _mm512_mask_or_epi64(begins, _mm512_test_epi64_mask(first, first), begins, bit);
        faces = _mm512_add_epi64(faces, _mm512_popcnt_epi64(seen));
        cells = _mm512_or_si512(cells, seen);
    }
    _mm512_store_si512(slab->rows, rows);
    _mm512_store_si512(slab->begins, begins);
    m->result->faces += (uint32_t)_mm512_reduce_add_epi64(faces);
    m->extent[s->axis] |= (uint64_t)_mm512_test_epi64_mask(rows, rows) << layer;
    m->extent[s->u_axis] |= (uint64_t)_mm512_reduce_or_epi64(cells);
    m->extent[s->v_axis] |= (uint64_t)_mm512_reduce_or_epi64(rows);
}

static void sweep(struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t layer, struct adit_slab *slab)
{
    bool is_keyed = m->source->flags & ADIT_MESH_AO || m->source->light;
    if (class == OPAQUE && !is_keyed)
        sweep_as(m, s, OPAQUE, layer, slab, true, false);
    else if (class == OPAQUE)
        sweep_as(m, s, OPAQUE, layer, slab, true, true);
    else if (!is_keyed)
        sweep_as(m, s, class, layer, slab, false, false);
    else
        sweep_as(m, s, class, layer, slab, false, true);
}

static void mesh_face(struct mesher *m, uint32_t face)
{
    struct adit_mesh_side s = adit_mesh_side_of(m->source, face);
    struct adit_slab slab;
    compare_plane(m, &s);
    if (m->source->flags & ADIT_MESH_AO && (m->read.has[OPAQUE] || adit_fields_has_see_through(&m->read)))
        adit_shade_side_make(&m->shade, m->source, &s, m->read.plane);
    for (int class = 0; class < CLASSES; class++) {
        m->result->start[face * CLASSES + (uint32_t)class] = m->quads.count;
        if (!m->read.has[class])
            continue;
        find_busy(m, face, class);
        for (uint32_t layer = 0; layer < s.layers; layer += LANES) {
            if (!m->busy[layer / LANES])
                continue;
            sweep(m, &s, class, layer, &slab);
            adit_quads_add(&m->quads, &s, layer, &slab);
        }
    }
}

/* Not inlined: a folded chunk comes here by way of another kernel call, and this frame is large. */
static __attribute__((noinline)) int mesh_all(const struct adit_mesh_source *source, struct adit_mesh_result *result)
{
    struct mesher m;
    m.source = source;
    m.result = result;
    memset(m.extent, 0, sizeof m.extent);
    adit_fields_read(&m.read, source);
    adit_quads_begin(&m.quads, source, result, &m.read);
    for (uint32_t axis = 0; axis < 3; axis++) {
        turn(&m, axis);
        mesh_face(&m, axis * 2);
        mesh_face(&m, axis * 2 + 1);
    }
    return adit_mesh_result_finish(result, m.extent, m.quads.count);
}

int adit_mesh_avx512(const struct adit_mesh_source *source, struct adit_mesh_result *result)
{
    int status;
    adit_mesh_result_init(result);
    if (!adit_mesh_is_valid(source, result))
        return -EINVAL;
    if (adit_mesh_uniform_avx512(source, result, &status) || adit_mesh_fold(source, adit_mesh_avx512, result, &status))
        return status;
    return mesh_all(source, result);
}
