/* offers.h - what a foreman (foreman.h) has handed out: for each chunk that it offered to the workers, the task that does so. Private memory; nothing is lost with it, as what is
 * dirty stands in the arena.
 *
 *     struct adit_offers o;
 *     adit_offers_init(&o, arena->chunks_max, NULL, 0);
 *     if (adit_offers_begin(&o, index)) ... submit ... adit_offers_add(&o, index, task, current);     or _undo
 *     struct adit_offer *x = adit_offers_find(&o, index);      NULL: it is not offered
 *     adit_offers_remove(&o, x);                               the last one takes its place: walk from the end
 *     adit_offers_fini(&o);
 *
 * Foremen of one dispatcher have a table each and a row of bytes in common, which says whose offer a chunk is: no other offers or meshes it meanwhile. So a chunk that kills who meshes it is in the
 * hands of the one whose task counts its deaths.
 *
 * All of it in constant time but for newest. One thread at a time; the row is written by all.
 */
#ifndef ADIT_OFFERS_H
#define ADIT_OFFERS_H

#include <stdbool.h>
#include <stdint.h>

#define ADIT_OFFERS_MAX 128u /* half a level of a queue: the rest is others' */

struct adit_offer {
    uint64_t task;    /* its handle */
    uint64_t current; /* commit word of the chunk's version when it was offered */
    uint64_t serial;  /* counts offers */
    uint32_t index;   /* of the chunk in the store */
    bool is_poisoned; /* the task has ended so; the chunk is to be given up */
};

struct adit_offers {
    uint32_t n;
    uint64_t serial;
    uint8_t *place; /* by index: its place in of, and 1; 0: none */
    uint8_t *whose; /* by index, of all tables: own of the one that has an offer of it; 0: none has. NULL: there is one table */
    uint8_t own;    /* 1.. */
    struct adit_offer of[ADIT_OFFERS_MAX];
};

/* For indices below chunks_max, of which each takes a byte, untouched until it is used. whose: likewise, of the caller, zeroes at first. -ENOMEM; fini is due all the same. */
int adit_offers_init(struct adit_offers *offers, uint32_t chunks_max, uint8_t *whose, uint8_t own);
void adit_offers_fini(struct adit_offers *offers);

/* Whether another table has an offer of it. Looked at after the chunk was seen to be dirty, or was claimed (foreman.c). */
static inline bool adit_offers_is_elsewhere(const struct adit_offers *offers, uint32_t index)
{
    uint8_t whose = offers->whose ? __atomic_load_n(&offers->whose[index], __ATOMIC_ACQUIRE) : 0;
    return whose && whose != offers->own;
}
/* Before it is offered; false: another table was first, and it must not be. */
bool adit_offers_begin(struct adit_offers *offers, uint32_t index);
/* It was not offered after all. */
void adit_offers_undo(struct adit_offers *offers, uint32_t index);

/* index: begun, not added yet; less than ADIT_OFFERS_MAX are. */
void adit_offers_add(struct adit_offers *offers, uint32_t index, uint64_t task, uint64_t current);
struct adit_offer *adit_offers_find(struct adit_offers *offers, uint32_t index);
void adit_offers_remove(struct adit_offers *offers, struct adit_offer *offer);

/* The one made last of those before serial; NULL: there is none. */
struct adit_offer *adit_offers_newest(struct adit_offers *offers, uint64_t serial);

#endif
