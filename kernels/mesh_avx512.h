/* mesh_avx512.h - what the two halves of the AVX-512 kernel share: mesh_avx512_read.c makes fields of bits from a source, mesh_avx512.c makes
 * quads from them. Private to these two.
 */
#ifndef ADIT_MESH_AVX512_H
#define ADIT_MESH_AVX512_H

#include <immintrin.h>

#include "kernels/mesh.h"

enum {
    ADIT_FIELD_DIM = ADIT_CHUNK_DIM,
    ADIT_FIELD_CLASSES = ADIT_MESH_CLASSES,
    ADIT_FIELD_OPAQUE = 0, /* class less one */
    ADIT_FIELD_TRANSLUCENT = 1,
    ADIT_FIELD_CUTOUT = 2,
    ADIT_FIELD_LANES = 8
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
    uint64_t exposed_x[ADIT_FIELD_DIM];  /* by z, bit x: there are such voxels in column x of that slab */
    bool has[ADIT_FIELD_CLASSES];
} __attribute__((aligned(64)));

/* Reads all there is to read of source but the materials of quads. */
void adit_fields_read(struct adit_fields *f, const struct adit_mesh_source *source);

static inline bool adit_fields_has_see_through(const struct adit_fields *f)
{
    return f->has[ADIT_FIELD_TRANSLUCENT] || f->has[ADIT_FIELD_CUTOUT];
}

static inline uint64_t adit_field_low_bits(uint32_t n) /* n in 1..64 */
{
    return ~0ull >> (ADIT_FIELD_DIM - n);
}

#endif
