/* admit.h - letting a guest in, and out: which page it is given, and what in the control segment says that it is there.
 *
 * Guest k has slot k of participants and readers, slots k * ADIT_GUEST_WATCHES... of watches, row k of pins, and page k, a memfd made at
 * create. The keeper's process fills and clears them in its stead; the guest itself can write its page alone.
 *
 * A page belongs to the first uid that it is given to, for the arena's life: a process that had it once may have it mapped still,
 * so whoever gets it next must not care what that one writes. Pages of one uid are used again; when none is left for
 * another, it is refused.
 *
 *   step                                                   if the keeper dies right after
 *   1 page zeroed, participant FREE -> JOINING             the guest has no answer and asks again; the slot is recovered when the
 *                                                          guest's process has ended, as is any that is half made
 *   2 uid, start time; pins 0; reader slot: inside the present epoch, so that no grace period passes it
 *   3 JOINING -> ALIVE                                     the next keeper's proxy takes part for it (proxy.h)
 *   4 the answer, with page and bell                       it is attached
 */
#ifndef ADIT_ADMIT_H
#define ADIT_ADMIT_H

#include "shm/arena.h"

struct adit_proxy;

/* Bytes of a guest's page in this arena. */
uint64_t adit_guest_page_bytes(const struct adit_arena *arena);

/* Makes the pages and bells (eventfds by which guests call the proxy) of a new arena, whose tables are adopted. */
int adit_guest_pages_create(struct adit_arena *arena);
void adit_guest_pages_close(struct adit_arena *arena);

/* Lets the process pid of uid in, as guest *slot. -EUSERS: no page is left that uid may have; -ESRCH: the keeper cannot see that
 * process (it has ended, or lives in another PID namespace). For the keeper, which holds the proxy's lock. */
int adit_admit(struct adit_arena *arena, struct adit_guest_page *const *pages, uint32_t pid, uint32_t uid, uint32_t *slot);

/* Clears all that stands for the guest in slot: it has left, or its process has ended. May be cut off and made again. */
void adit_admit_end(struct adit_arena *arena, uint32_t slot);

#endif
