/* mesh_words.h - what the two halves of the kernels "scalar" and "avx2" share: mesh_words_read.c makes words of bits from a source,
 * mesh_words.c makes quads from them. Both are compiled once for each kernel, with ADIT_MESH_WORDS the kernel's name. Private to these two.
 */
#ifndef ADIT_MESH_WORDS_H
#define ADIT_MESH_WORDS_H

#include "kernels/mesh.h"
#include "kernels/mesh_lanes.h"

enum {
    ADIT_WORDS_OPAQUE = 0, /* class less one */
    ADIT_WORDS_TRANSLUCENT = 1,
    ADIT_WORDS_CUTOUT = 2,
    ADIT_WORDS_MIXED = 4,
    ADIT_WORDS_SLAB = ADIT_CHUNK_DIM + 8, /* words from a slab of one z to the next: else one column of them would fall into an eighth of the L1 cache */
    ADIT_WORDS_VOLUME = ADIT_CHUNK_DIM * ADIT_WORDS_SLAB + 8
};

/* Where the values of a brick lie and what they are: a uniform one has values of 0 bits, one of 8 bits has the chunk's palette for material.
 * key: of each value of 1, 2 or 4 bits, see mesh_words_read.c. */
struct adit_words_brick {
    const uint8_t *at;
    const uint16_t *material;
    uint8_t bits, mask;
    uint8_t class; /* of all its values, or ADIT_WORDS_MIXED */
    uint8_t key[16];
    uint16_t own[16];
};

/* Words of rows run along x, index z*SLAB + y. of: by class less one; without see-through materials (has) only the first is set. same[axis]: has the
 * material of the neighbour one up that axis; of rows that carry faces only, whatever else stands there, and not of a chunk where all that is not
 * air is one material: then all_same has all bits, else none. */
struct adit_words {
    uint64_t of[ADIT_MESH_CLASSES][ADIT_WORDS_VOLUME];
    uint64_t same[3][ADIT_WORDS_VOLUME];
    uint64_t plane[ADIT_FACES][ADIT_MESH_CLASSES][ADIT_CHUNK_DIM]; /* the border planes, by v, bits along u */
    uint64_t shown[ADIT_FACES][ADIT_CHUNK_DIM]; /* by z, bit y: opaque voxels of the row have a visible face to that side */
    uint64_t see_through[ADIT_CHUNK_DIM];       /* by z, bit y: the row has see-through voxels */
    bool has[ADIT_MESH_CLASSES];
    uint64_t all_same;
    uint16_t material; /* of all that is not air, with all_same */
    struct adit_words_brick brick[ADIT_BRICKS]; /* of an encoded chunk in bricks */
};

#define ADIT_WORDS_PASTE(a, b) a##b
#define ADIT_WORDS_NAME(a, b) ADIT_WORDS_PASTE(a, b)
#define adit_words_read ADIT_WORDS_NAME(adit_words_read_, ADIT_MESH_WORDS)

/* Reads all there is to read of source but the materials of quads. */
void adit_words_read(struct adit_words *w, const struct adit_mesh_source *source);

static inline bool adit_words_has_see_through(const struct adit_words *w)
{
    return w->has[ADIT_WORDS_TRANSLUCENT] || w->has[ADIT_WORDS_CUTOUT];
}

#endif
