#include "shm/salvage.h"

#include "shm/block.h"

void adit_salvage_readers(struct adit_arena *arena, uint32_t owner)
{
    for (uint32_t i = 0; i < arena->readers_max; i++) {
        struct adit_reader_slot *s = &arena->readers[i];
        if (adit_load32_acquire(&s->owner) != owner)
            continue;
        adit_store_release(&s->intent, 0);
        adit_store_release(&s->epoch, 0);     /* RCU:exit, for the dead */
        adit_store32_release(&s->owner, 0); /* after the slot is quiet; pairs with the CAS of open */
    }
}

/* The dead owner's words inside its own run [index, index + n): what a split or a merge had not got to. */
static void clear_interior(const struct adit_base *g, uint32_t index, uint32_t n, uint32_t owner)
{
    uint32_t end = ((index >> ADIT_EXTENT_SHIFT) + 1) << ADIT_EXTENT_SHIFT;
    end = end < g->granules ? end : g->granules;
    if (n > end - index)
        return; /* damaged: it heads one granule (block.c), and what follows are runs of their own */
    for (uint32_t i = index + 1; i < index + n; i++) {
        uint64_t word = adit_load_relaxed(&g->words[i]); /* relaxed: who could change it is dead, or is a keeper before us */
        if (adit_word_state(word) == ADIT_BLOCK_CLAIMED && adit_word_owner(word) == owner)
            adit_store_release(&g->words[i], 0);
    }
}

struct burial {
    struct adit_arena *arena;
    const struct adit_refset *named;
    uint32_t owner;
};

/* One head, as adit_block_each meets it. Runs of a dead owner stay where they are until they are freed here, so the walk meets
 * each of their heads. */
static void bury_block(uint64_t ref, uint64_t word, void *user)
{
    const struct burial *b = user;
    struct adit_arena *arena = b->arena;
    if (adit_word_owner(word) != b->owner)
        return;
    switch (adit_word_state(word)) {
    case ADIT_BLOCK_CLAIMED:
    case ADIT_BLOCK_LOANED: {
        const struct adit_base *g = &arena->segments[adit_ref_segment(ref)];
        uint32_t index = (uint32_t)((adit_ref_byte(ref) >> ADIT_GRANULE_SHIFT) - g->first);
        clear_interior(g, index, adit_word_granules(word), b->owner);
        if (adit_block_take_over(arena, ref, b->owner))
            adit_block_free(arena, ref);
        break;
    }
    case ADIT_BLOCK_RETIRED:
        (void)adit_block_hand_over(arena, ref, b->owner, 0);
        break;
    case ADIT_BLOCK_PUBLISHED:
        if (!adit_refset_has(b->named, ref))
            (void)adit_block_orphan_of(arena, ref, b->owner);
        break;
    default: break;
    }
}

void adit_salvage_blocks(struct adit_arena *arena, uint32_t owner, const struct adit_refset *named)
{
    struct burial b = {arena, named, owner};
    for (uint32_t s = 0; s < arena->segments_n; s++)
        adit_block_each(arena, s, bury_block, &b);
    adit_add_seq_cst(&arena->control->orphanings, 1);
}

void adit_salvage_pins(struct adit_arena *arena, uint32_t slot)
{
    uint64_t *row = arena->pins + (size_t)slot * arena->pins_each;
    for (uint32_t i = 0; i < arena->pins_each; i++)
        if (adit_load_relaxed(&row[i]))
            adit_store_release(&row[i], 0);
    adit_store32_release(&arena->participants[slot].pins_high, 0);
}
