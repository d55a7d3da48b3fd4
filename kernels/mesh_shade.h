/* mesh_shade.h - what faces are told apart by besides their material, for mesh kernels: ambient occlusion, many faces at a time as words of bits, and
 * light.
 *
 * The AO of the faces of one row of a layer is logic on three rows of opaque cells in the layer before them, v-1, v and v+1, each also moved one
 * cell along u either way. The cells that come in at the ends, and the rows before the first and after the last one, lie beyond the
 * volume: adit_shade_side_make puts together for one face where they are opaque, so that a row is
 *     left  = row << 1 | lo          bit u: the cell at u-1       lo[v + 1] has a bit for each layer of faces
 *     right = row >> 1 | hi << width-1      the cell at u+1       hi[v + 1] likewise
 * whether its layer lies inside or is that of the plane. Formulas are written for uint64_t and for gcc's vectors of it alike.
 */
#ifndef ADIT_MESH_SHADE_H
#define ADIT_MESH_SHADE_H

#include "kernels/mesh.h"
#include "kernels/mesh_side.h"

/* What lies beyond the volume in the layers before those of one face. */
struct adit_shade_side {
    uint64_t lo[ADIT_CHUNK_DIM + 2], hi[ADIT_CHUNK_DIM + 2]; /* by v + 1, -1 <= v <= height: bit is the layer of faces; beyond the low and the high end of u */
    uint64_t past[2][ADIT_CHUNK_DIM + 8];                    /* rows v = -1 and v = height by layer of faces, bits along u; read eight at a time */
};

/* plane: the opaque cells of the six border planes, by face and v, with bits along u. */
void adit_shade_side_make(struct adit_shade_side *to, const struct adit_mesh_source *source, const struct adit_mesh_side *side,
                          const uint64_t (*plane)[ADIT_MESH_CLASSES][ADIT_CHUNK_DIM]);

/* Of one row of faces: how many of the three cells around each corner count as opaque, as two bits; both sides count as all three. Corners in the
 * order of quad.h. AO is 3 less that: the complement of both bits. WORD is a type with & | ^ ~ << >>; LOW and HIGH make the two bits of a and b beside a
 * corner and d diagonal to it, DIFFER(x, a, b) is x | (a ^ b): where one instruction does, it can be told. */
/* Two visible faces next to each other have the same AO at the two corners they share: the cells before both are not opaque, and the other two
 * around such a corner are the same, each beside it for one face and diagonal for the other. So where AO does not change along either of them it is equal, and
 * whether they merge is a word a row. */
#define ADIT_SHADE_LOW(a, b, d) (((a) ^ (b) ^ (d)) | ((a) & (b)))
#define ADIT_SHADE_HIGH(a, b, d) (((a) & (b)) | ((d) & ((a) | (b))))
#define ADIT_SHADE_DIFFER(x, a, b) ((x) | ((a) ^ (b)))

#define ADIT_SHADE_DEFINE(WORD, PREFIX, LOW, HIGH, DIFFER)                                                                                            \
    struct PREFIX##_shade {                                                                                                                           \
        WORD low[4], high[4];                                                                                                                         \
    };                                                                                                                                                \
    /* left, mid, right of rows v-1 (0), v (1), v+1 (2) */                                                                                            \
    static inline __attribute__((always_inline)) void PREFIX##_shade_of(struct PREFIX##_shade *s, const WORD left[3], const WORD mid[3],              \
                                                                        const WORD right[3])                                                          \
    {                                                                                                                                                 \
        for (int i = 0; i < 4; i++) {                                                                                                                 \
            int v = i & 2;                                                                                                                            \
            WORD a = i & 1 ? right[1] : left[1], d = i & 1 ? right[v] : left[v];                                                                      \
            s->low[i] = LOW(a, mid[v], d);                                                                                                            \
            s->high[i] = HIGH(a, mid[v], d);                                                                                                          \
        }                                                                                                                                             \
    }                                                                                                                                                 \
    /* Cells that do not merge along v, either way. */                                                                                                \
    static inline __attribute__((always_inline)) WORD PREFIX##_shade_uneven_v(const struct PREFIX##_shade *s)                                         \
    {                                                                                                                                                 \
        WORD uneven = s->low[0] ^ s->low[2];                                                                                                          \
        uneven = DIFFER(uneven, s->high[0], s->high[2]);                                                                                              \
        uneven = DIFFER(uneven, s->low[1], s->low[3]);                                                                                                \
        return DIFFER(uneven, s->high[1], s->high[3]);                                                                                                \
    }                                                                                                                                                 \
    /* Cells that merge with the next one along u. */                                                                                                 \
    static inline __attribute__((always_inline)) WORD PREFIX##_shade_like_next(const struct PREFIX##_shade *s)                                        \
    {                                                                                                                                                 \
        WORD uneven = s->low[0] ^ s->low[1];                                                                                                          \
        uneven = DIFFER(uneven, s->high[0], s->high[1]);                                                                                              \
        uneven = DIFFER(uneven, s->low[2], s->low[3]);                                                                                                \
        uneven = DIFFER(uneven, s->high[2], s->high[3]);                                                                                              \
        return ~(uneven | uneven >> 1);                                                                                                               \
    }

enum { ADIT_LIGHT_BITS = 1023 }; /* of a value of light, that count */

/* The 64 values of light before the faces of row v of a layer: where they lie, or put together in room. Of a row without any they are 0. */
const uint16_t *adit_light_row(const struct adit_mesh_source *source, const struct adit_mesh_side *side, uint32_t layer, uint32_t v,
                               uint16_t room[ADIT_CHUNK_DIM]);

/* Which cells have the light of the next one along u, and of those of the row above (v-1): only the low 10 bits count. */
uint64_t adit_light_like_next(const struct adit_mesh_source *source, const struct adit_mesh_side *side, uint32_t layer, uint32_t v);
uint64_t adit_light_like_above(const struct adit_mesh_source *source, const struct adit_mesh_side *side, uint32_t layer, uint32_t v);

/* Gives n quads of a face their light. */
void adit_light_add(const struct adit_mesh_source *source, const struct adit_mesh_side *side, uint64_t *quads, uint32_t n);

#endif
