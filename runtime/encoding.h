/* encoding.h - how the voxels of a version lie in its block, and the way there and back.
 *
 * A chunk is 64^3 materials, index (z*64 + y)*64 + x. Its block holds struct adit_version, then the parts of its
 * encoding in the order given, each on 16 bytes; bytes between parts and unused palette places are zero.
 *
 *   UNIFORM   nothing: every voxel is head.uniform
 *   BRICKS    palette u16[palette_n] (1..256 materials, ascending), bricks u32[64], masks, planes, voxels
 *   DENSE16   voxels u16[64^3] (more than 256 materials, or filled in place by a loan), mask 32 KiB (word z*64 + y,
 *             bit x), planes
 *   REMOVED   nothing: the chunk was taken out of the world; decodes to air
 *
 * A brick is 16^3 voxels; its descriptor and what its place leads to stand in kernels/voxels.h (packed: voxels_at). Its mask, if mixed, is
 * 512 bytes at masks_at + 512 * mask place, bit (z*16+y)*16+x set where the voxel is opaque.
 *
 * The six border planes (struct adit_plane) and their hashes let neighbours be meshed without touching voxels. A plane's
 * indices follow its local palette, which takes 16 bytes for 1 and 2 bits and 32 for 4; 8 bits occur in BRICKS only, 16
 * in DENSE16 only.
 *
 * The bytes are a function of the voxels, their classes and the encoding alone: equal content, equal bytes.
 * "Air" is every material of class air, "solid" every other.
 *
 *     struct adit_encode_plan *plan = malloc(adit_encode_plan_bytes());
 *     adit_encode_plan(plan, voxels, classes, &bytes);
 *     block = loan(bytes);
 *     adit_encode_write(plan, block);
 *     adit_encode_seal(block, bytes, key);
 *
 * All functions here are pure: no system call, no allocation, any thread, at most 48 KiB of stack; a plan belongs to one
 * thread at a time.
 */
#ifndef ADIT_ENCODING_H
#define ADIT_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/voxels.h"
#include "shm/shm.h"

#define ADIT_BRICK_MASK_BYTES 512u
#define ADIT_MASK_WORDS 4096u

/* Largest block an encoding needs, head included (a DENSE16 with six planes of 16 bits takes 606,400 bytes). */
#define ADIT_ENCODED_BYTES_MAX (593u << 10)

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* What an encoder found out in its first pass; opaque scratch between plan and write (private memory, about 124 KiB).
 * Reusable for chunk after chunk; what it held before does not matter, but its pages are best kept warm. */
struct adit_encode_plan;
size_t adit_encode_plan_bytes(void);

/* First pass: looks at voxels and classes (ADIT_MATERIALS entries of enum adit_class, [0] air) and returns in *bytes how
 * large the block must be, head included. voxels and classes must not change until write (if they do, the block is
 * wrong, but no byte outside it is touched). Returns 0. */
int adit_encode_plan(struct adit_encode_plan *plan, const uint16_t *voxels, const uint8_t *classes, size_t *bytes);

/* Second pass: writes the head's fields (all but key, version, content_hash, published_ns, publisher) and what follows
 * into block, which has at least the planned bytes and is 64-aligned. Bytes it leaves between parts are zeroed. */
void adit_encode_write(const struct adit_encode_plan *plan, void *block);

/* A block whose u16[64^3] were filled in place at voxels_at (a DENSE16 loan): where they go, how large the block must be,
 * and the finishing of head, mask and planes from them. head.bytes tells what was used: less where planes are simple. */
size_t adit_encode_dense_bytes(void);
uint32_t adit_encode_dense_voxels_at(void);
void adit_encode_dense_finish(void *block, const uint8_t *classes);

/* Writes the head that says "removed"; it is the whole block. */
void adit_encode_removed(void *block);

/* The last fields of the head of a block of bytes, once what follows is written: kind, key, payload_bytes, content_hash. */
void adit_encode_seal(struct adit_version *v, size_t bytes, uint64_t key);

/* content_hash of a finished block (key and head.bytes must be right): XXH3 of what follows the head, seeded with the
 * XXH3 of the head in which version, publisher, published_ns and content_hash are 0. So it tells uniform chunks apart,
 * too, and does not depend on who published when. */
uint64_t adit_encode_hash(const struct adit_version *v);

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* True when every place in the head, descriptors, palettes and planes stays inside bytes, whatever the bytes are: after
 * it the functions below cannot leave the block. Indices of voxels are not looked at: one beyond the palette decodes as
 * material 0. For blocks a peer may have damaged and no longer writes; O(64 + palette). v is 64-aligned. */
bool adit_encoding_is_sound(const struct adit_version *v, size_t bytes);

/* The material of one voxel, coordinates 0..63. */
uint16_t adit_decode_voxel(const struct adit_version *v, uint32_t x, uint32_t y, uint32_t z);
/* The same of a block of bytes that need not be sound: what would lie outside is material 0. */
uint16_t adit_decode_voxel_within(const struct adit_version *v, size_t bytes, uint32_t x, uint32_t y, uint32_t z);
/* The whole chunk. */
void adit_decode_chunk(const struct adit_version *v, uint16_t voxels[ADIT_CHUNK_VOXELS]);
/* One border plane (face as in quad.h): the chunk's own outermost layer on that side. */
void adit_decode_plane(const struct adit_version *v, enum adit_face face, uint16_t plane[ADIT_PLANE_VOXELS]);
/* The opacity mask: 4096 words, word z*64 + y, bit x. */
void adit_decode_mask(const struct adit_version *v, uint64_t mask[ADIT_MASK_WORDS]);

/* Hash of a plane that is one material throughout (a missing neighbour counts as air: material 0). */
uint64_t adit_plane_hash_uniform(uint16_t material);

/* For blocks that a peer may be changing at this moment: head and descriptors are copied, the copy is judged as by
 * is_sound, and only what it says is followed. False: not sound, nothing was written. */
bool adit_decode_chunk_within(const struct adit_version *v, size_t bytes, uint16_t voxels[ADIT_CHUNK_VOXELS]);
bool adit_decode_plane_within(const struct adit_version *v, size_t bytes, enum adit_face face, uint16_t plane[ADIT_PLANE_VOXELS]);
/* A border plane as it lies in the block, for who decodes it elsewhere: bits a voxel (0, 1, 2, 4, 8, 16); what its values mean (bits below 16;
 * material[0] throughout for 0); its voxels (4096 / 8 * bits bytes in the block, or NULL for 0), lowest bits first. */
struct adit_plane_view {
    uint32_t bits;
    uint16_t material[ADIT_PALETTE_MAX];
    const uint8_t *packed;
};
bool adit_plane_view_within(const struct adit_version *v, size_t bytes, enum adit_face face, struct adit_plane_view *view);
/* The same of the voxels (kernels/voxels.h). */
bool adit_voxels_view_within(const struct adit_version *v, size_t bytes, struct adit_voxels *view);
/* adit_encode_hash of what of the block lies within bytes. */
uint64_t adit_encode_hash_within(const struct adit_version *v, size_t bytes);

/* What the bytes of a block are spent on; the members add up to head.bytes. The encoded content is palette + masks +
 * planes + voxels (local palettes included); head, descriptors and padding are overhead. */
struct adit_encoding_bytes {
    uint32_t head, descriptors, palette, masks, planes, voxels, padding;
};
/* v must be sound. within: or else it is not looked at beyond its first room bytes. */
void adit_encoding_bytes_of(const struct adit_version *v, struct adit_encoding_bytes *bytes);
void adit_encoding_bytes_within(const struct adit_version *v, size_t room, struct adit_encoding_bytes *bytes);
static inline uint32_t adit_encoding_bytes_overhead(const struct adit_encoding_bytes *b)
{
    return b->head + b->descriptors + b->padding;
}

#endif
