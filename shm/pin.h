/* pin.h - pins: words in the control segment that keep single blocks beyond a section (hazard pointers, M. Michael, IEEE
 * TPDS 2004, with the difference that a pin is set inside a section, so that it needs no validation loop).
 *
 * Each participant has pins_each words of its own. Setting one inside a section: the block cannot be freed before the
 * section's exit, and whoever frees waits for that exit and then sees the pin (RCU:scan pairs with RCU:exit). A participant
 * that dies leaves pins in its own words only: recovery zeroes that row.
 */
#ifndef ADIT_PIN_H
#define ADIT_PIN_H

#include "shm/arena.h"
#include "shm/refset.h"

/* Pins ref, which the caller acquired in its present section; *pin names it. -ENOSPC: pins_max. Lock-free, no system call. */
int adit_pin_set(struct adit_arena *arena, uint64_t ref, uint32_t *pin);
/* Gives it up; -EINVAL when pin names none of this process. */
int adit_pin_clear(struct adit_arena *arena, uint32_t pin);

/* What is pinned now; for reclaimers, after a grace period. The set is sorted and the caller's to end. -ENOMEM. */
int adit_pins_collect(const struct adit_arena *arena, struct adit_refset *pinned);

/* Takes all pins of all guests away: a producer has no memory left, and even one granule pinned here and there may be what keeps a large
 * run from being free. A guest learns it when it unpins (guest.h). Returns how many there were. */
uint32_t adit_pins_revoke_guests(struct adit_arena *arena);

/* How many pins the participant in slot holds. */
uint32_t adit_pins_count(const struct adit_arena *arena, uint32_t slot);

#endif
