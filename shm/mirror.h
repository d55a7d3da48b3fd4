/* mirror.h - one guest's wishes, as they stand in its page, turned into rows and slots of the control segment: pins and watches.
 *
 * For the proxy (proxy.h). Nothing here trusts the page: each word is loaded once, what it says is checked or clamped, and what is stored
 * there in answer lies at places that this side computes. A call takes bounded time whatever the page says.
 *
 *   pins      a ref that is wanted must name a block of a data segment that is published or retired; a guest may hold as many as
 *             its row has, at most ADIT_GUEST_PINS, and hold_max_bytes / 2 / guests_max of memory. More is refused. If blocks
 *             that an odd guest has pinned without a section of its own grow beyond that, the pins go. All of them go when a
 *             producer has taken them away (pin.h): what was wanted then is refused, so that it does not come back.
 *   watches   a box is any eight numbers; publishers add to the slot's sets, and the proxy moves members from there into those of the
 *             page (BITS:take, BITS:add), at most ADIT_MIRROR_MOVES a call, and wakes the guest's own word, WAKES sleepers at most.
 */
#ifndef ADIT_MIRROR_H
#define ADIT_MIRROR_H

#include "shm/arena.h"
#include "shm/bitset.h"

#define ADIT_MIRROR_MOVES 4096u

/* The bit set (0 chunks, 1 meshes) of a guest's watch in its page, and that of its slot in the control segment. */
static inline struct adit_bitset adit_guest_bits(const struct adit_arena *arena, struct adit_guest_page *page, uint32_t watch, uint32_t which)
{
    return (struct adit_bitset){(uint64_t *)(void *)(page + 1) + ((size_t)watch * 2 + which) * arena->bits_words, arena->chunks_max};
}

/* Sets and clears the pins of guest k as its page says; before its slot is moved on (proxy.h). */
void adit_mirror_pins(struct adit_arena *arena, struct adit_guest_page *page, uint32_t k);

/* Opens and closes the watches of guest k as its page says, and moves what they were told. True: there is more to move. */
bool adit_mirror_watches(struct adit_arena *arena, struct adit_guest_page *page, uint32_t k);

#endif
