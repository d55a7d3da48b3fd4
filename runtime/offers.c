#include "runtime/offers.h"

#include <errno.h>
#include <stdlib.h>

#include "shm/fault.h"

_Static_assert(ADIT_OFFERS_MAX < UINT8_MAX, "a place and 1 lie in a byte");

int adit_offers_init(struct adit_offers *o, uint32_t chunks_max, uint8_t *whose, uint8_t own)
{
    o->whose = whose;
    o->own = own;
    o->n = 0;
    o->serial = 0;
    o->place = calloc(chunks_max, sizeof *o->place);
    return o->place ? 0 : adit_fault(-ENOMEM, "no memory for offers of %u chunks", chunks_max);
}

void adit_offers_fini(struct adit_offers *o)
{
    free(o->place);
    o->place = NULL;
}

bool adit_offers_begin(struct adit_offers *o, uint32_t index)
{
    uint8_t nobody = 0;
    /* OFFERS:begin. Release, before the task is there: who finds what became of it, a claim or a death, finds whose it is. */
    return !o->whose || __atomic_compare_exchange_n(&o->whose[index], &nobody, o->own, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void adit_offers_undo(struct adit_offers *o, uint32_t index)
{
    if (o->whose)
        __atomic_store_n(&o->whose[index], 0, __ATOMIC_RELEASE); /* after what came of the offer */
}

void adit_offers_add(struct adit_offers *o, uint32_t index, uint64_t task, uint64_t current)
{
    o->of[o->n] = (struct adit_offer){.task = task, .current = current, .serial = ++o->serial, .index = index};
    o->place[index] = (uint8_t)++o->n;
}

struct adit_offer *adit_offers_find(struct adit_offers *o, uint32_t index) { return o->place[index] ? &o->of[o->place[index] - 1] : NULL; }

void adit_offers_remove(struct adit_offers *o, struct adit_offer *offer)
{
    const struct adit_offer *last = &o->of[--o->n];
    uint8_t place = o->place[offer->index];
    o->place[offer->index] = 0;
    adit_offers_undo(o, offer->index);
    if (offer == last)
        return;
    o->place[last->index] = place;
    *offer = *last;
}

struct adit_offer *adit_offers_newest(struct adit_offers *o, uint64_t serial)
{
    struct adit_offer *newest = NULL;
    for (uint32_t i = 0; i < o->n; i++)
        if (o->of[i].serial < serial && (!newest || o->of[i].serial > newest->serial))
            newest = &o->of[i];
    return newest;
}
