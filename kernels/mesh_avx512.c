/* mesh_avx512.c - the mesh of kernels/mesh.h in AVX-512: masks of 64 voxels, eight layers at a time.
 *
 * The volume is read twice. Once for fields of a bit a voxel and class, 64 bits a word; once, only near surfaces, for
 * three more fields that say whether a voxel has the material of its neighbour at x+1, y+1 or z+1. From then on a face is
 * logic on words: a layer is a word for each v, and eight neighbouring layers fill a vector, one a lane. For that the
 * words must run along U, and the layers be next to each other in memory:
 *     -X +X   words along y, index z*64 + x    every slab of one z transposed, bit by bit
 *     -Y +Y   words along x, index z*64 + y    as read
 *     -Z +Z   words along x, index y*64 + z    all words transposed
 * so an index is always v*64 + layer. Both transpositions are their own inverse and are done in place.
 *
 * sweep() walks v and keeps, in each lane, the rows of quads that are open: which cells they cover (all visible cells of
 * the row before), their first and their last cell. An open row is kept when all its cells are visible again, of the same
 * material as above; everything visible that is not kept begins new rows of quads. "All its cells" is asked of all rows
 * of a word at once by two additions whose carries run through good cells only, one from the first cells upwards and
 * one, on reversed words, from the last cells downwards: a row is kept where both got through. Kept rows are exactly the
 * greedy heightening of mesh.h: a new row never overlaps a kept one, so widening stops where it has to.
 * write_layer() then walks v backwards, counting how long each row is kept, and compresses the first cells into quads.
 */
#include "kernels/mesh.h"

#include <errno.h>
#include <immintrin.h>
#include <string.h>

#include "kernels/mesh_side.h"

enum { DIM = ADIT_CHUNK_DIM, CLASSES = ADIT_MESH_CLASSES, OPAQUE = 0, TRANSLUCENT = 1, CUTOUT = 2, LANES = 8 };

/* A bit a voxel. Words of layers -1 and 64 are read (and then replaced), so there is some room at both ends. */
struct field {
    uint64_t before[LANES];
    uint64_t word[DIM * DIM];
    uint64_t after[LANES];
};

struct mesher {
    struct field of[CLASSES]; /* by enum adit_class less one; of see-through classes only if there are any */
    struct field same[3];     /* by axis: has the material of the neighbour one up that axis; known near surfaces only */
    uint64_t plane[ADIT_FACES][CLASSES][DIM]; /* the border planes, by v, bits along u */
    uint64_t plane_same[DIM]; /* of the face at work: see-through border voxels of the material beyond */
    const struct adit_mesh_source *source;
    struct adit_mesh_result *result;
    __m512i class_of[4]; /* the classes of materials 0..255 */
    uint64_t layers[3][CLASSES]; /* by axis: bit i is set when layer i holds voxels of the class */
    uint64_t extent[3];          /* by axis: bit i is set when layer i has quads */
    uint32_t count;     /* quads found so far, whether or not there was room for them */
} __attribute__((aligned(64)));

/* Eight layers of one face and class after sweep(): arrays by v and lane. */
struct slab {
    uint64_t first[DIM][LANES]; /* first cells of the rows in which quads begin */
    uint64_t last[DIM][LANES];  /* and their last cells: as many */
    uint64_t kept[DIM][LANES];  /* first cells of rows of quads that go on from v-1 */
    uint64_t rows[LANES];       /* bit v: there are visible faces; where not, the arrays hold nothing of meaning */
    uint64_t quads[LANES];      /* begun in this layer */
} __attribute__((aligned(64)));

static inline uint64_t low_bits(uint32_t n) /* n in 1..64 */
{
    return ~0ull >> (DIM - n);
}

/* -- classes ------------------------------------------------------------------------------------------------------- */

static inline uint64_t equal(__m512i a_low, __m512i a_high, __m512i b_low, __m512i b_high)
{
    return (uint64_t)_mm512_cmpeq_epi16_mask(a_low, b_low) | (uint64_t)_mm512_cmpeq_epi16_mask(a_high, b_high) << 32;
}

/* The classes of 64 materials: bit 0 and bit 1 of each as a word. Rows of one material, then rows of small ids, then any
 * row, material by material. That loop drops bit i as well as the bits found equal, so it ends even if another process
 * changes the row under it. */
static inline void classify(const struct mesher *m, const uint16_t *material, uint64_t *bit0, uint64_t *bit1)
{
    const uint8_t *classes = m->source->classes;
    __m512i low = _mm512_loadu_si512(material), high = _mm512_loadu_si512(material + 32);
    __m512i all = _mm512_broadcastw_epi16(_mm512_castsi512_si128(low));
    if (equal(low, high, all, all) == ~0ull) {
        uint8_t class = classes[(uint16_t)_mm_extract_epi16(_mm512_castsi512_si128(low), 0)];
        *bit0 = class & 1 ? ~0ull : 0;
        *bit1 = class & 2 ? ~0ull : 0;
        return;
    }
    if (!_mm512_test_epi16_mask(_mm512_or_si512(low, high), _mm512_set1_epi16((int16_t)0xff00))) {
        __m512i id = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi16_epi8(low)), _mm512_cvtepi16_epi8(high), 1);
        __m512i class = _mm512_permutex2var_epi8(m->class_of[0], id, m->class_of[1]);
        uint64_t wide = _mm512_movepi8_mask(id);
        if (wide)
            class = _mm512_mask_blend_epi8(wide, class, _mm512_permutex2var_epi8(m->class_of[2], id, m->class_of[3]));
        *bit0 = _mm512_test_epi8_mask(class, _mm512_set1_epi8(1));
        *bit1 = _mm512_test_epi8_mask(class, _mm512_set1_epi8(2));
        return;
    }
    *bit0 = *bit1 = 0;
    for (uint64_t rest = ~0ull; rest;) {
        uint16_t id = material[__builtin_ctzll(rest)];
        all = _mm512_set1_epi16((int16_t)id);
        uint64_t found = equal(low, high, all, all);
        *bit0 |= classes[id] & 1 ? found : 0;
        *bit1 |= classes[id] & 2 ? found : 0;
        rest &= (rest - 1) & ~found;
    }
}

static void classify_volume(struct mesher *m)
{
    const uint8_t *dim = m->source->dim;
    uint64_t inside = low_bits(dim[0]);
    for (int i = 0; i < 4; i++)
        m->class_of[i] = _mm512_loadu_si512(m->source->classes + i * 64);
    for (int class = 0; class < CLASSES && (dim[1] < DIM || dim[2] < DIM); class++)
        memset(m->of[class].word, 0, sizeof m->of[class].word);
    for (uint32_t z = 0; z < dim[2]; z++) {
        for (uint32_t y = 0; y < dim[1]; y++) {
            uint32_t i = z * DIM + y;
            uint64_t bit0, bit1;
            classify(m, m->source->voxels + i * DIM, &bit0, &bit1);
            m->of[OPAQUE].word[i] = bit0 & ~bit1 & inside;
            m->of[TRANSLUCENT].word[i] = bit1 & ~bit0 & inside;
            m->of[CUTOUT].word[i] = bit0 & bit1 & inside;
        }
    }
}

/* Finds the layers that hold voxels of a class. */
static void find_layers(struct mesher *m)
{
    memset(m->layers, 0, sizeof m->layers);
    for (int class = 0; class < CLASSES; class++) {
        __m512i cells = _mm512_setzero_si512();
        for (uint32_t z = 0; z < m->source->dim[2]; z++) {
            uint64_t rows = 0;
            for (uint32_t y = 0; y < DIM; y += LANES) {
                __m512i word = _mm512_load_si512(&m->of[class].word[z * DIM + y]);
                cells = _mm512_or_si512(cells, word);
                rows |= (uint64_t)_mm512_test_epi64_mask(word, word) << y;
            }
            m->layers[1][class] |= rows;
            m->layers[2][class] |= (uint64_t)(rows != 0) << z;
        }
        m->layers[0][class] = (uint64_t)_mm512_reduce_or_epi64(cells);
    }
}

static bool has_see_through(const struct mesher *m)
{
    return m->layers[0][TRANSLUCENT] | m->layers[0][CUTOUT];
}

static void classify_planes(struct mesher *m)
{
    memset(m->plane, 0, sizeof m->plane);
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        const uint16_t *plane = m->source->plane[face];
        uint32_t height = m->source->dim[adit_face_v(face)];
        uint64_t inside = low_bits(m->source->dim[adit_face_u(face)]);
        for (uint32_t v = 0; plane && v < height; v++) {
            uint64_t bit0, bit1;
            classify(m, plane + v * DIM, &bit0, &bit1);
            m->plane[face][OPAQUE][v] = bit0 & ~bit1 & inside;
            m->plane[face][TRANSLUCENT][v] = bit1 & ~bit0 & inside;
            m->plane[face][CUTOUT][v] = bit0 & bit1 & inside;
        }
    }
}

/* -- equality near surfaces ---------------------------------------------------------------------------------------- */

static inline __m512i lanes_of(uint64_t word, uint32_t y, uint64_t value) /* value in each lane of bits y..y+7 of word */
{
    return _mm512_maskz_set1_epi64((__mmask8)(word >> y), (long long)value);
}

/* Whether voxels of the eight rows from (z, y) may carry a quad towards anywhere, a bit a row: opaque ones with a
 * neighbour that is not opaque, and all see-through ones. */
static inline __mmask8 are_exposed(const struct mesher *m, uint32_t z, uint32_t y)
{
    const uint8_t *dim = m->source->dim;
    const uint64_t *word = &m->of[OPAQUE].word[z * DIM + y];
    const uint64_t(*plane)[CLASSES][DIM] = m->plane;
    uint32_t top = dim[1] - 1u - y; /* lane of the last row */
    __mmask8 is_top = (__mmask8)((top < LANES) << (top % LANES));
    __m512i own = _mm512_load_si512(word);
    __m512i left = _mm512_or_si512(_mm512_slli_epi64(own, 1), lanes_of(plane[ADIT_FACE_NX][OPAQUE][z], y, 1));
    __m512i right = _mm512_or_si512(_mm512_srli_epi64(own, 1),
                                    lanes_of(plane[ADIT_FACE_PX][OPAQUE][z], y, 1ull << (dim[0] - 1)));
    __m512i below = _mm512_mask_set1_epi64(_mm512_loadu_si512(word - 1), y == 0, (long long)plane[ADIT_FACE_NY][OPAQUE][z]);
    __m512i above = _mm512_mask_set1_epi64(_mm512_loadu_si512(word + 1), is_top, (long long)plane[ADIT_FACE_PY][OPAQUE][z]);
    __m512i front = _mm512_loadu_si512(z > 0 ? word - DIM : &plane[ADIT_FACE_NZ][OPAQUE][y]);
    __m512i back = _mm512_loadu_si512(z < dim[2] - 1u ? word + DIM : &plane[ADIT_FACE_PZ][OPAQUE][y]);
    __m512i buried = _mm512_and_si512(_mm512_and_si512(_mm512_and_si512(left, right), _mm512_and_si512(below, above)),
                                      _mm512_and_si512(front, back));
    __m512i see_through = _mm512_or_si512(_mm512_load_si512(&m->of[TRANSLUCENT].word[z * DIM + y]),
                                          _mm512_load_si512(&m->of[CUTOUT].word[z * DIM + y]));
    __m512i exposed = _mm512_or_si512(_mm512_andnot_si512(buried, own), see_through);
    return _mm512_test_epi64_mask(exposed, exposed);
}

/* Fills same[]. A bit towards a voxel beyond dim has no meaning, and nobody asks for it. */
static void compare_neighbours(struct mesher *m)
{
    const uint8_t *dim = m->source->dim;
    memset(m->same, 0, sizeof m->same);
    for (uint32_t z = 0; z < dim[2]; z++) {
        for (uint32_t y8 = 0; y8 < dim[1]; y8 += LANES) {
            for (uint32_t rows = are_exposed(m, z, y8); rows; rows &= rows - 1) {
                uint32_t y = y8 + (uint32_t)__builtin_ctz(rows), i = z * DIM + y;
                const uint16_t *row = m->source->voxels + i * DIM;
                const uint16_t *up = y < DIM - 1 ? row + DIM : row, *back = z < DIM - 1 ? row + DIM * DIM : row;
                __m512i low = _mm512_loadu_si512(row), high = _mm512_loadu_si512(row + 32);
                m->same[0].word[i] = equal(low, high, _mm512_loadu_si512(row + 1),
                                           _mm512_maskz_loadu_epi16(0x7fffffff, row + 33)); /* the last has no next */
                m->same[1].word[i] = equal(low, high, _mm512_loadu_si512(up), _mm512_loadu_si512(up + 32));
                m->same[2].word[i] = equal(low, high, _mm512_loadu_si512(back), _mm512_loadu_si512(back + 32));
            }
        }
    }
}

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
static inline void transpose_bits(uint64_t *word)
{
    const __m512i lane = _mm512_set_epi64(0x0707070707070707, 0x0606060606060606, 0x0505050505050505, 0x0404040404040404,
                                          0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
    const __m512i columns = _mm512_add_epi64(lane, _mm512_set1_epi64(0x0008101820283038));
    const __m512i rows = _mm512_add_epi64(lane, _mm512_set1_epi64(0x3830282018100800));
    const __m512i identity = _mm512_set1_epi64((long long)0x8040201008040201);
    __m512i a[LANES];
    for (int i = 0; i < LANES; i++) {
        a[i] = _mm512_permutexvar_epi8(columns, _mm512_load_si512(word + i * LANES));
        a[i] = _mm512_gf2p8affine_epi64_epi8(identity, a[i], 0);
    }
    transpose_words(a);
    for (int i = 0; i < LANES; i++)
        _mm512_store_si512(word + i * LANES, _mm512_permutexvar_epi8(rows, a[i]));
}

/* Between words along x, index z*64 + y, and words along y, index z*64 + x. */
static void turn_x(struct field *f, uint32_t slabs)
{
    for (uint32_t z = 0; z < slabs; z++)
        transpose_bits(f->word + z * DIM);
}

/* Between index z*64 + y and index y*64 + z. */
static void turn_z(struct field *f)
{
    for (int i = 0; i < DIM; i += LANES) {
        for (int j = i; j < DIM; j += LANES) {
            uint64_t *p = f->word + i * DIM + j, *q = f->word + j * DIM + i;
            __m512i a[LANES], b[LANES];
            for (int k = 0; k < LANES; k++) {
                a[k] = _mm512_load_si512(p + k * DIM);
                b[k] = _mm512_load_si512(q + k * DIM);
            }
            transpose_words(a);
            transpose_words(b);
            for (int k = 0; k < LANES; k++) {
                _mm512_store_si512(q + k * DIM, a[k]);
                _mm512_store_si512(p + k * DIM, b[k]);
            }
        }
    }
}

/* -- visibility ---------------------------------------------------------------------------------------------------- */

/* Finds where see-through voxels of the border layer meet their own material in the plane of a face. */
static void compare_plane(struct mesher *m, const struct adit_mesh_side *s)
{
    const uint16_t *plane = m->source->plane[s->face];
    uint32_t layer = s->face & 1 ? s->layers - 1 : 0;
    const uint16_t *border = m->source->voxels + layer * s->voxel_layer;
    memset(m->plane_same, 0, sizeof m->plane_same);
    for (uint32_t v = 0; plane && has_see_through(m) && v < s->height; v++) {
        uint32_t i = v * DIM + layer;
        uint64_t own = m->of[TRANSLUCENT].word[i] | m->of[CUTOUT].word[i];
        uint64_t beyond = m->plane[s->face][TRANSLUCENT][v] | m->plane[s->face][CUTOUT][v];
        for (uint64_t both = own & beyond; both; both &= both - 1) {
            uint32_t u = (uint32_t)__builtin_ctzll(both);
            bool is_same = border[v * s->voxel_v + u * s->voxel_u] == plane[v * DIM + u];
            m->plane_same[v] |= (uint64_t)is_same << u;
        }
    }
}

/* Eight layers of a field across the face from row v, layer: the border plane in the lane where the volume ends. */
static inline __m512i across(const uint64_t *word, int64_t step, __mmask8 border, uint64_t plane)
{
    return _mm512_mask_set1_epi64(_mm512_loadu_si512(word + step), border, (long long)plane);
}

/* The visible unit faces of one class in row v of eight layers: the four lines of "Visibility" in mesh.h. */
static inline __m512i visible(const struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t v, uint32_t layer)
{
    uint32_t i = v * DIM + layer, at = s->face & 1 ? s->layers - 1 - layer : 0 - layer; /* lane of the last layer */
    __mmask8 border = (__mmask8)((at < LANES) << (at % LANES));
    int64_t step = s->face & 1 ? 1 : -1;
    __m512i own = _mm512_load_si512(m->of[class].word + i);
    __m512i open = _mm512_andnot_si512(across(m->of[OPAQUE].word + i, step, border, m->plane[s->face][OPAQUE][v]), own);
    if (class == OPAQUE)
        return open;
    __m512i other = _mm512_or_si512(across(m->of[TRANSLUCENT].word + i, step, border, m->plane[s->face][TRANSLUCENT][v]),
                                    across(m->of[CUTOUT].word + i, step, border, m->plane[s->face][CUTOUT][v]));
    __m512i same = across(m->same[s->axis].word + i, s->face & 1 ? 0 : -1, border, m->plane_same[v]);
    if (m->source->flags & ADIT_MESH_TT_NONE)
        open = _mm512_andnot_si512(_mm512_andnot_si512(same, other), open);
    if (class == TRANSLUCENT)
        open = _mm512_andnot_si512(_mm512_and_si512(same, other), open);
    return open;
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

/* Finds the quads of eight layers of one class. Their rows, extent and faces are counted here; no quad is written. */
static void sweep(struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t layer, struct slab *slab)
{
    bool is_greedy = !(m->source->flags & ADIT_MESH_CULLED);
    const uint64_t *same_u = m->same[s->u_axis].word + layer, *same_v = m->same[s->v_axis].word + layer;
    __m512i zero = _mm512_setzero_si512();
    __m512i covered = zero, open_first = zero, open_last = zero;
    __m512i rows = zero, quads = zero, cells = zero, faces = zero;
    for (uint32_t v = 0; v < s->height; v++) {
        __m512i seen = visible(m, s, class, v, layer), kept = zero, first = seen, last = seen;
        __mmask8 any = _mm512_test_epi64_mask(seen, seen);
        if (!any) {
            covered = open_first = open_last = zero;
            continue;
        }
        if (is_greedy) {
            __m512i good = _mm512_and_si512(covered, seen);
            if (v)
                good = _mm512_and_si512(good, _mm512_load_si512(same_v + (v - 1) * DIM));
            __m512i down = reached(reverse_bits(good), reverse_bits(open_last));
            kept = _mm512_and_si512(reached(good, open_first), reverse_bits(down));
            __m512i fresh = _mm512_andnot_si512(kept, seen), like_next = _mm512_load_si512(same_u + v * DIM);
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
        rows = _mm512_mask_or_epi64(rows, any, rows, _mm512_set1_epi64((long long)(1ull << v)));
        quads = _mm512_add_epi64(quads, _mm512_popcnt_epi64(first));
        faces = _mm512_add_epi64(faces, _mm512_popcnt_epi64(seen));
        cells = _mm512_or_si512(cells, seen);
    }
    _mm512_store_si512(slab->rows, rows);
    _mm512_store_si512(slab->quads, quads);
    m->result->faces += (uint32_t)_mm512_reduce_add_epi64(faces);
    m->extent[s->axis] |= (uint64_t)_mm512_test_epi64_mask(rows, rows) << layer;
    m->extent[s->u_axis] |= (uint64_t)_mm512_reduce_or_epi64(cells);
    m->extent[s->v_axis] |= (uint64_t)_mm512_reduce_or_epi64(rows);
}

/* The materials of eight voxels, by index: aligned pairs of them are read, so nothing beyond the volume is. */
static inline __m512i materials_at(const uint16_t *voxels, __m512i index, __mmask8 wanted)
{
    __m256i pair = _mm512_mask_i64gather_epi32(_mm256_setzero_si256(), wanted, _mm512_srli_epi64(index, 1), voxels, 4);
    __m512i shift = _mm512_slli_epi64(_mm512_and_si512(index, _mm512_set1_epi64(1)), 4);
    return _mm512_and_si512(_mm512_srlv_epi64(_mm512_cvtepu32_epi64(pair), shift), _mm512_set1_epi64(0xffff));
}

/* Writes the n quads that begin in row v of layer to quads[at] and on. first, width, height: a byte a quad, less one. */
static inline void write_row(struct mesher *m, const struct adit_mesh_side *s, uint32_t layer, uint32_t v, uint32_t at,
                             uint32_t n, __m512i first, __m512i width, __m512i height)
{
    uint8_t bytes[3][DIM] __attribute__((aligned(64)));
    uint64_t quad = (uint64_t)layer << (6 * s->axis) | (uint64_t)v << (6 * s->v_axis) | (uint64_t)ADIT_QUAD_AO_OPEN << 46;
    uint64_t voxel = layer * s->voxel_layer + v * s->voxel_v;
    uint32_t room = at < m->result->quads_max ? m->result->quads_max - at : 0;
    if (n > room)
        n = room;
    _mm512_store_si512(bytes[0], first);
    _mm512_store_si512(bytes[1], width);
    _mm512_store_si512(bytes[2], height);
    for (uint32_t i = 0; i < n; i += LANES) {
        __mmask8 wanted = (__mmask8)_bzhi_u32(0xff, n - i);
        __m512i u = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(bytes[0] + i)));
        __m512i w = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(bytes[1] + i)));
        __m512i h = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(bytes[2] + i)));
        __m512i index = _mm512_add_epi64(_mm512_set1_epi64((long long)voxel),
                                         _mm512_slli_epi64(u, s->u_axis ? 6 : 0)); /* voxel_u is 1 or 64 */
        __m512i material = materials_at(m->source->voxels, index, wanted);
        __m512i q = _mm512_or_si512(_mm512_set1_epi64((long long)quad), _mm512_slli_epi64(u, 6 * s->u_axis));
        q = _mm512_or_si512(q, _mm512_or_si512(_mm512_slli_epi64(w, 18), _mm512_slli_epi64(h, 24)));
        q = _mm512_or_si512(q, _mm512_slli_epi64(material, 30));
        _mm512_mask_storeu_epi64(m->result->quads + at + i, wanted, q);
    }
}

/* Writes the quads of one layer (lane of slab), the last row first: tall holds, for each cell with which a row of quads
 * begins or goes on, how many rows more there are below. */
static void write_layer(struct mesher *m, const struct adit_mesh_side *s, const struct slab *slab, uint32_t layer, uint32_t lane)
{
    const __m512i cell = _mm512_set_epi64(0x3f3e3d3c3b3a3938, 0x3736353433323130, 0x2f2e2d2c2b2a2928, 0x2726252423222120,
                                          0x1f1e1d1c1b1a1918, 0x1716151413121110, 0x0f0e0d0c0b0a0908, 0x0706050403020100);
    uint32_t at = m->count += (uint32_t)slab->quads[lane];
    uint64_t kept = 0;
    __m512i tall = _mm512_setzero_si512();
    for (uint64_t rows = slab->rows[lane]; rows;) {
        uint32_t v = DIM - 1 - (uint32_t)__builtin_clzll(rows);
        uint64_t first = slab->first[v][lane], last = slab->last[v][lane];
        tall = _mm512_maskz_add_epi8(kept, tall, _mm512_set1_epi8(1));
        if (first) {
            __m512i u = _mm512_maskz_compress_epi8(first, cell);
            __m512i w = _mm512_sub_epi8(_mm512_maskz_compress_epi8(last, cell), u);
            uint32_t n = (uint32_t)__builtin_popcountll(first);
            at -= n;
            write_row(m, s, layer, v, at, n, u, w, _mm512_maskz_compress_epi8(first, tall));
        }
        rows &= ~(1ull << v);
        kept = slab->kept[v][lane]; /* 0 when the row before has no faces */
    }
}

static void mesh_face(struct mesher *m, uint32_t face)
{
    struct adit_mesh_side s = adit_mesh_side_of(m->source, face);
    struct slab slab;
    compare_plane(m, &s);
    for (int class = 0; class < CLASSES; class++) {
        m->result->start[face * CLASSES + (uint32_t)class] = m->count;
        for (uint32_t layer = 0; layer < s.layers; layer += LANES) {
            if (!(m->layers[s.axis][class] >> layer & 0xff))
                continue;
            sweep(m, &s, class, layer, &slab);
            for (uint32_t lane = 0; lane < LANES; lane++)
                write_layer(m, &s, &slab, layer + lane, lane);
        }
    }
}

/* Turns all fields that the faces of an axis need. */
static void turn(struct mesher *m, uint32_t axis)
{
    for (int i = 0; i < CLASSES; i++) {
        bool is_needed = i == OPAQUE || has_see_through(m);
        if (is_needed && axis == 0)
            turn_x(&m->of[i], m->source->dim[2]);
        if (is_needed && axis == 2)
            turn_z(&m->of[i]);
    }
    for (uint32_t i = 0; i < 3; i++) {
        bool is_needed = i != axis || has_see_through(m);
        if (is_needed && axis == 0)
            turn_x(&m->same[i], m->source->dim[2]);
        if (is_needed && axis == 2)
            turn_z(&m->same[i]);
    }
}

int adit_mesh_avx512(const struct adit_mesh_source *source, struct adit_mesh_result *result)
{
    struct mesher m;
    adit_mesh_result_init(result);
    if (!adit_mesh_is_valid(source, result))
        return -EINVAL;
    m.source = source;
    m.result = result;
    m.count = 0;
    memset(m.extent, 0, sizeof m.extent);
    classify_volume(&m);
    find_layers(&m);
    if (!m.layers[0][OPAQUE] && !has_see_through(&m))
        return 0;
    classify_planes(&m);
    compare_neighbours(&m);
    turn(&m, 0);
    mesh_face(&m, ADIT_FACE_NX);
    mesh_face(&m, ADIT_FACE_PX);
    turn(&m, 0);
    mesh_face(&m, ADIT_FACE_NY);
    mesh_face(&m, ADIT_FACE_PY);
    turn(&m, 2);
    mesh_face(&m, ADIT_FACE_NZ);
    mesh_face(&m, ADIT_FACE_PZ);
    for (int axis = 0; axis < 3 && m.count; axis++) {
        result->bounds_lo[axis] = (uint8_t)__builtin_ctzll(m.extent[axis]);
        result->bounds_hi[axis] = (uint8_t)(DIM - 1 - __builtin_clzll(m.extent[axis]));
    }
    result->start[ADIT_MESH_RANGES] = m.count;
    return m.count > result->quads_max ? -ENOSPC : 0;
}
