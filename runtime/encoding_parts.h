/* encoding_parts.h - sizes and places of the parts of a block that writer and readers of encoding.h must agree on.
 *
 * Private to encoding_*.c. All sizes are multiples of 16 bytes, so parts that follow each other stay aligned.
 */
#ifndef ADIT_ENCODING_PARTS_H
#define ADIT_ENCODING_PARTS_H

#include <stdint.h>

#include "runtime/encoding.h"

#define ADIT_PART_ALIGN 16u
#define ADIT_HEAD_BYTES ((uint32_t)sizeof(struct adit_version))
#define ADIT_BRICKS_BYTES (ADIT_BRICKS * 4u)
#define ADIT_DENSE_VOXELS_AT 192u
#define ADIT_DENSE_MASK_AT (ADIT_DENSE_VOXELS_AT + ADIT_CHUNK_VOXELS * 2u)
#define ADIT_DENSE_PLANES_AT (ADIT_DENSE_MASK_AT + ADIT_MASK_WORDS * 8u)
#define ADIT_DENSE_BYTES (ADIT_DENSE_PLANES_AT + ADIT_FACES * ADIT_PLANE_VOXELS * 2u)

_Static_assert(sizeof(struct adit_version) % ADIT_PART_ALIGN == 0, "parts follow the head without a gap");
_Static_assert(ADIT_DENSE_BYTES <= ADIT_ENCODED_BYTES_MAX, "the largest block");
_Static_assert(ADIT_HEAD_BYTES + ADIT_PALETTE_MAX * 2 + ADIT_BRICKS_BYTES + ADIT_BRICKS * ADIT_BRICK_MASK_BYTES +
                       ADIT_FACES * ADIT_PLANE_VOXELS + ADIT_CHUNK_VOXELS <=
                   ADIT_ENCODED_BYTES_MAX,
               "bricks of 8 bits throughout are smaller than dense");

static inline uint32_t adit_part_align(uint32_t at) { return (at + ADIT_PART_ALIGN - 1) & ~(ADIT_PART_ALIGN - 1); }

/* What a brick of a code takes at voxels_at: local palette and indices. Codes above 4 do not exist. */
static inline uint32_t adit_brick_bytes(uint32_t code)
{
    return code == 0 ? 0 : code == 4 ? ADIT_BRICK_VOXELS : ADIT_BRICK_LOCAL_BYTES + (ADIT_BRICK_VOXELS / 8 << (code - 1));
}

/* The local palette of a plane, and the plane with it. */
static inline uint32_t adit_plane_local_bytes(uint32_t bits) { return bits == 4 ? 32 : bits == 1 || bits == 2 ? 16 : 0; }
static inline uint32_t adit_plane_bytes(uint32_t bits)
{
    return adit_plane_local_bytes(bits) + ADIT_PLANE_VOXELS / 8 * bits;
}

#endif
