/* ring_names.h - names of rings: which slot of the arena's table is which ring, and what this process knows of one it opened.
 *
 * Making and ending a ring hold the arena's naming lock (lock.h), so a name is one ring's. Looking one up takes nothing. A slot
 * found half made or half ended by who holds that lock was left by a dead one, and is freed on the spot.
 */
#ifndef ADIT_RING_NAMES_H
#define ADIT_RING_NAMES_H

#include "shm/arena.h"

enum { ADIT_RING_SLOT_FREE, ADIT_RING_SLOT_MAKING, ADIT_RING_SLOT_VALID, ADIT_RING_SLOT_ENDING };

/* A handle; its shape was checked once and is private. */
struct adit_ring {
    struct adit_ring_head *head;
    uint8_t *slots;
    uint64_t mask;
    uint32_t kind, element_bytes, stride, owner;
};

/* The slot of index at, wherever that leads: a word, then the element. */
static inline uint64_t *adit_ring_slot_of(const struct adit_ring *r, uint64_t at)
{
    return (uint64_t *)(void *)(r->slots + (at & r->mask) * r->stride);
}

/* Makes the ring name of any kind and that shape, or finds it, and fills r. Errors as adit_shm_ring_open. */
int adit_ring_bind(struct adit_arena *arena, const char *name, uint32_t kind, uint32_t element_bytes, uint32_t capacity,
                   struct adit_ring *r);

/* Fills r from the ring in slot, its shape checked against the block it lies in. -EPROTO. */
int adit_ring_adopt(const struct adit_arena *arena, const struct adit_ring_slot *slot, struct adit_ring *r);

/* Frees slots that dead ones left half made or half ended; under the naming lock. */
void adit_ring_names_settle(struct adit_arena *arena);

/* True when ref is the block of a ring that can be opened: such a block is in use whoever published it and however long ago. */
bool adit_ring_is_named(const struct adit_arena *arena, uint64_t ref);

#endif
