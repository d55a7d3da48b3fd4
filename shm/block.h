/* block.h - the block allocator: runs of 512-byte granules, taken and given back by any process, owned while on loan.
 *
 *     uint64_t ref;
 *     if (!adit_block_alloc(arena, bytes, ADIT_BLOCK_DATA, &ref)) {      LOANED by this process
 *         fill(adit_arena_at(arena, ref, bytes));
 *         adit_block_publish(arena, ref);                                 PUBLISHED; a commit word may name it
 *     }
 *     ... adit_retire(arena, ref) (retire.h), and after a grace period     RETIRED -> FREE
 *
 * States and transitions of the block word: layout.h. Lock-free: a claim is one compare-and-swap and no process waits for
 * another while there is a run; one that is stopped between claim and split withholds at most the run it holds (an extent, 32 MiB).
 */
#ifndef ADIT_BLOCK_H
#define ADIT_BLOCK_H

#include "shm/arena.h"

/* Where a block is wanted: segment 0, for what is no chunk's; in the data segment of this thread's node; or in that of a number, 1... Of data segments the others come after it, the nearest first
 * (near.h), but for who wants that one and no other (ONLY, added to either). */
#define ADIT_BLOCK_HEAP 0u
#define ADIT_BLOCK_HERE 0x7fffffffu
#define ADIT_BLOCK_ONLY 0x80000000u

/* Takes bytes (1..ADIT_BLOCK_BYTES_MAX), aligned to 512; the content is whatever was there. Any thread of a participant.
 * -ENOMEM, and -ENOSPC where ONLY one segment would do and there are others: no run is long enough even after reclaiming, and none is about to come back: for runs being split and for the recovery
 * of who is gone it waits up to 0.2 s, for loans of the living not; -EINVAL. May make system calls only when memory runs short. */
int adit_block_alloc(struct adit_arena *arena, uint64_t bytes, uint32_t place, uint64_t *ref);

/* Whether ref is on loan to this process. */
bool adit_block_is_loaned(const struct adit_arena *arena, uint64_t ref);
/* LOANED -> PUBLISHED, by who has it on loan, before a commit word names it; false when it has not. Lock-free. */
bool adit_block_publish(struct adit_arena *arena, uint64_t ref);
/* PUBLISHED -> LOANED, by who just published it and whose commit failed, so that no reader can have seen it. */
void adit_block_unpublish(struct adit_arena *arena, uint64_t ref);
/* PUBLISHED -> RETIRED by this process; false when it was not PUBLISHED (somebody else did it). */
bool adit_block_retire(struct adit_arena *arena, uint64_t ref);
/* RETIRED by owner from -> RETIRED by owner to (0: nobody); false when it was not. */
bool adit_block_hand_over(struct adit_arena *arena, uint64_t ref, uint32_t from, uint32_t to);
/* LOANED or RETIRED by this process -> FREE, merged with the free runs behind it. */
void adit_block_free(struct adit_arena *arena, uint64_t ref);

/* For recovery. take_over: CLAIMED or LOANED by the dead -> LOANED by this process. orphan: PUBLISHED -> RETIRED by nobody, where a
 * section keeps the block from being reused meanwhile. orphan_of: the same where none does: only a block that the dead published, for
 * what is at ref by now may be another's. False when it was not. */
bool adit_block_take_over(struct adit_arena *arena, uint64_t ref, uint32_t dead);
bool adit_block_orphan(struct adit_arena *arena, uint64_t ref);
bool adit_block_orphan_of(struct adit_arena *arena, uint64_t ref, uint32_t dead);

/* Bytes of the block at ref, 0 when ref names none. */
uint64_t adit_block_bytes(const struct adit_arena *arena, uint64_t ref);

/* Bytes of the free runs of an extent (32 MiB, or what is left of the segment; arena->segments[segment].extents of them) that are of least_bytes or more, those beside each other taken together, as alloc does: a walk over its
 * blocks, of a moment ago. Any role. */
uint64_t adit_block_free_bytes(const struct adit_arena *arena, uint32_t segment, uint32_t extent, uint64_t least_bytes);

/* Calls each for every block and free run of segment in address order; racing changes may hide or repeat some, never lead
 * outside. Any role. */
void adit_block_each(const struct adit_arena *arena, uint32_t segment,
                     void (*each)(uint64_t ref, uint64_t word, void *user), void *user);

#endif
