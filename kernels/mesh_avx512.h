/* mesh_avx512.h - what the three parts of the AVX-512 kernel share: mesh_avx512_read.c makes fields of bits from a source, mesh_avx512.c finds in them which
 * cells quads cover, mesh_avx512_quads.c writes the quads. Private to these.
 */
#ifndef ADIT_MESH_AVX512_H
#define ADIT_MESH_AVX512_H

#include <immintrin.h>
#include <string.h>

#include "kernels/mesh_shade.h"

enum {
    ADIT_FIELD_DIM = ADIT_CHUNK_DIM,
    ADIT_FIELD_CLASSES = ADIT_MESH_CLASSES,
    ADIT_FIELD_OPAQUE = 0, /* class less one */
    ADIT_FIELD_TRANSLUCENT = 1,
    ADIT_FIELD_CUTOUT = 2,
    ADIT_FIELD_LANES = 8,
    ADIT_FIELD_CELLS = ADIT_FIELD_LANES * ADIT_FIELD_DIM * ADIT_FIELD_DIM + ADIT_FIELD_DIM /* of eight layers, and room to store beyond them */
};

/* A bit a voxel. Words of layers -1 and 64 are read (and then replaced), so there is some room at both ends. */
struct adit_field {
    uint64_t before[ADIT_FIELD_LANES];
    uint64_t word[ADIT_FIELD_DIM * ADIT_FIELD_DIM];
    uint64_t after[ADIT_FIELD_LANES];
};

/* Words run along x, index z*64 + y. of: by class less one. same[axis]: has the material of the neighbour one up that axis; of rows with a bit in
 * exposed only. */
struct adit_fields {
    struct adit_field of[ADIT_FIELD_CLASSES];
    struct adit_field same[3];
    uint64_t plane[ADIT_FACES][ADIT_FIELD_CLASSES][ADIT_FIELD_DIM]; /* the border planes, by v, bits along u */
    uint64_t exposed[ADIT_FIELD_DIM];    /* by z, bit y: the row has voxels that may carry a quad */
    uint64_t shown[2][ADIT_FACES][ADIT_FIELD_DIM]; /* by z: opaque voxels (0) have a visible face to that side in row y, see-through ones (1) may have; for
                                                    * -X and +X in column x (bits) */
    bool has[ADIT_FIELD_CLASSES];
    bool is_narrow; /* these are of encoded chunks; of others false, or 0. A chunk of no more than 32 materials: beyond the palette's first 32 entries there is air */
    bool is_single; /* nothing but air and one opaque material: same holds nothing */
    uint16_t material; /* of all quads of an encoded chunk that has no other; 0: not known */
} __attribute__((aligned(64)));

/* Reads all there is to read of source but the materials of quads. */
void adit_fields_read(struct adit_fields *f, const struct adit_mesh_source *source);

/* Eight words; unlike the elements of __m512i they have no sign that a shift would copy. */
typedef uint64_t adit_lanes __attribute__((vector_size(64)));

#define ADIT_LANES_TERNARY(a, b, d, table) (adit_lanes) _mm512_ternarylogic_epi64((__m512i)(a), (__m512i)(b), (__m512i)(d), table)
#define ADIT_LANES_LOW(a, b, d) ADIT_LANES_TERNARY(a, b, d, 0xd6)
#define ADIT_LANES_HIGH(a, b, d) ADIT_LANES_TERNARY(a, b, d, 0xe8)
#define ADIT_LANES_DIFFER(x, a, b) ADIT_LANES_TERNARY(x, a, b, 0xf6)

ADIT_SHADE_DEFINE(adit_lanes, adit_lanes, ADIT_LANES_LOW, ADIT_LANES_HIGH, ADIT_LANES_DIFFER)

/* The quads of eight layers of one face and class as cells: arrays by v and lane. */
struct adit_slab {
    uint64_t first[ADIT_FIELD_DIM][ADIT_FIELD_LANES]; /* first cells of the rows in which quads begin */
    uint64_t last[ADIT_FIELD_DIM][ADIT_FIELD_LANES];  /* and their last cells: as many */
    uint64_t kept[ADIT_FIELD_DIM][ADIT_FIELD_LANES];  /* first cells of rows of quads that go on from v-1 */
    uint64_t rows[ADIT_FIELD_LANES];       /* bit v: there are visible faces; where not, the arrays hold nothing of meaning */
    uint64_t begins[ADIT_FIELD_LANES];     /* bit v: quads begin there */
    uint8_t dark[ADIT_FIELD_DIM]; /* with AO, by v, bit lane: a face of the row is not open on all sides, and shade holds its AO */
    struct adit_lanes_shade shade[ADIT_FIELD_DIM];
} __attribute__((aligned(64)));

/* Makes quads of slabs. */
struct adit_quads {
    const struct adit_mesh_source *source;
    struct adit_mesh_result *result;
    uint32_t count;    /* so far, whether or not there was room for them */
    uint16_t material; /* of all quads; 0: not known */
    bool is_narrow;    /* as adit_fields' */
    bool has_keys;     /* key is of the eight layers at work */
    struct adit_cells { /* the quads of eight layers; stored 64 bytes at a time */
        uint32_t row[ADIT_FIELD_CELLS]; /* v * LANES + lane */
        uint8_t u[ADIT_FIELD_CELLS], w[ADIT_FIELD_CELLS], h[ADIT_FIELD_CELLS]; /* w and h less one */
        uint8_t ao[ADIT_FIELD_CELLS];   /* with AO only */
    } cells;
    union { /* one after the other */
        __m512i heights[ADIT_FIELD_LANES * ADIT_FIELD_DIM]; /* of rows with faces, see find_heights */
        uint8_t key[ADIT_FIELD_CELLS];                      /* palette indices of eight layers; for the order see key_steps */
    };
};

void adit_quads_begin(struct adit_quads *q, const struct adit_mesh_source *source, struct adit_mesh_result *result, const struct adit_fields *fields);

/* Writes the quads of eight layers from layer on of one side. */
void adit_quads_add(struct adit_quads *q, const struct adit_mesh_side *side, uint32_t layer, const struct adit_slab *slab);

/* 64 values of 1, 2, 4 or 8 bits as bytes: four rows of a brick. */
static inline __m512i adit_brick_unpack64(const uint8_t *from, uint32_t code)
{
    if (code == 1) {
        uint64_t bits;
        memcpy(&bits, from, 8);
        return _mm512_maskz_set1_epi8(bits, 1);
    }
    if (code == 2) { /* each byte to four places, then the place's two bits */
        __m512i four = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)from));
        four = _mm512_or_si512(four, _mm512_slli_epi32(four, 12));
        four = _mm512_or_si512(four, _mm512_slli_epi32(four, 6));
        return _mm512_and_si512(four, _mm512_set1_epi8(3));
    }
    if (code == 3) {
        __m512i two = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)from));
        return _mm512_and_si512(_mm512_or_si512(two, _mm512_slli_epi16(two, 4)), _mm512_set1_epi8(15));
    }
    return _mm512_loadu_si512(from);
}

/* Rows y..y+3 (y a multiple of 4) of layer z of a brick, 16 palette indices each. */
static inline __m512i adit_brick_rows(const struct adit_voxels *v, uint32_t d, uint32_t z, uint32_t y)
{
    uint32_t code = adit_brick_code(d);
    if (!code)
        return _mm512_set1_epi8((char)adit_brick_place(d));
    const uint8_t *at = v->packed + adit_brick_place(d) * 16;
    uint32_t bits = 1u << (code - 1), voxel = z * 256 + y * 16;
    if (code == 4)
        return adit_brick_unpack64(at + voxel, code);
    __m512i local = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)at));
    return _mm512_shuffle_epi8(local, adit_brick_unpack64(at + ADIT_BRICK_LOCAL_BYTES + voxel * bits / 8, code));
}

/* Four such rows to rows of 64 bytes. */
static inline void adit_brick_store_rows(uint8_t *to, __m512i four)
{
    _mm_store_si128((__m128i *)(void *)to, _mm512_castsi512_si128(four));
    _mm_store_si128((__m128i *)(void *)(to + ADIT_FIELD_DIM), _mm512_extracti32x4_epi32(four, 1));
    _mm_store_si128((__m128i *)(void *)(to + 2 * ADIT_FIELD_DIM), _mm512_extracti32x4_epi32(four, 2));
    _mm_store_si128((__m128i *)(void *)(to + 3 * ADIT_FIELD_DIM), _mm512_extracti32x4_epi32(four, 3));
}

static inline bool adit_fields_has_see_through(const struct adit_fields *f)
{
    return f->has[ADIT_FIELD_TRANSLUCENT] || f->has[ADIT_FIELD_CUTOUT];
}

#endif
