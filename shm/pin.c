#include "shm/pin.h"

#include <errno.h>

static uint64_t *row_of(const struct adit_arena *arena, uint32_t slot)
{
    return arena->pins + (size_t)slot * arena->pins_each;
}

/* Pins of the row that were ever used, never more than the row has. */
static uint32_t row_high(const struct adit_arena *arena, uint32_t slot)
{
    uint32_t high = adit_load32_acquire(&arena->participants[slot].pins_high); /* PIN:high, pairs with set */
    return high < arena->pins_each ? high : arena->pins_each;
}

int adit_pin_set(struct adit_arena *arena, uint64_t ref, uint32_t *pin)
{
    if (!arena->owner)
        return adit_fault(-EROFS, "arena %s: an observer cannot pin; attach as a consumer", arena->name);
    uint64_t *row = row_of(arena, adit_owner_slot(arena->owner));
    uint32_t begin = adit_load32_relaxed(&arena->pin_hint); /* relaxed: advice only */
    for (uint32_t i = 0; i < arena->pins_each; i++) {
        uint32_t at = (begin + i) % arena->pins_each;
        uint64_t none = 0;
        if (adit_load_relaxed(&row[at]) || !adit_cas_acq_rel(&row[at], &none, ref))
            continue;
        uint32_t high = adit_load32_relaxed(&arena->self->pins_high);
        while (high < at + 1 && !adit_cas32_acq_rel(&arena->self->pins_high, &high, at + 1)) { /* PIN:high */
        }
        adit_store32_relaxed(&arena->pin_hint, at + 1);
        *pin = at;
        return 0;
    }
    return adit_fault(-ENOSPC, "arena %s: all %u pins of this process are in use; create it with a larger pins_max",
                      arena->name, arena->pins_each);
}

int adit_pin_clear(struct adit_arena *arena, uint32_t pin)
{
    uint64_t *row = arena->owner ? row_of(arena, adit_owner_slot(arena->owner)) : NULL;
    if (!row || pin >= arena->pins_each || !adit_load_relaxed(&row[pin]))
        return adit_fault(-EINVAL, "arena %s: pin %u is not in use", arena->name, pin);
    adit_store_release(&row[pin], 0); /* our reads of the block are before the reclaimer's look */
    adit_store32_relaxed(&arena->pin_hint, pin);
    return 0;
}

int adit_pins_collect(const struct adit_arena *arena, struct adit_refset *pinned)
{
    int error = 0;
    *pinned = (struct adit_refset){0};
    for (uint32_t s = 0; s < arena->participants_max && !error; s++)
        for (uint32_t i = 0, high = row_high(arena, s); i < high && !error; i++) {
            uint64_t ref = adit_load_acquire(&row_of(arena, s)[i]); /* pairs with the release of clear */
            if (ref)
                error = adit_refset_add(pinned, ref);
        }
    adit_refset_sort(pinned);
    if (error)
        adit_refset_fini(pinned);
    return error;
}

uint32_t adit_pins_revoke_guests(struct adit_arena *arena)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < arena->guests_max; k++) {
        uint32_t high = row_high(arena, k);
        if (!adit_pins_count(arena, k))
            continue;
        adit_add_seq_cst(&arena->readers[k].revokes, 1); /* PIN:revoke, before any of them can be used anew; pairs with adit_guest_unpin */
        for (uint32_t i = 0; i < high; i++)
            n += __atomic_exchange_n(&row_of(arena, k)[i], 0, __ATOMIC_ACQ_REL) != 0;
    }
    return n;
}

uint32_t adit_pins_count(const struct adit_arena *arena, uint32_t slot)
{
    uint32_t n = 0;
    for (uint32_t i = 0, high = row_high(arena, slot); i < high; i++)
        n += adit_load_relaxed(&row_of(arena, slot)[i]) != 0;
    return n;
}
