/* proxy.h - who takes part in RCU, pins and watches for guests: a thread of the keeper's process, and the only one that looks at what
 * guests write.
 *
 * A guest (a consumer that is not trusted, guest.h) stores the epochs of its sections into its page, and nobody else ever waits for
 * what stands there. Grace periods wait for an ordinary reader slot, slot k of guest k, which is always inside a section: of an
 * epoch so old that no section of the guest can have begun before. Only the proxy moves it forward:
 *
 *     guest: enter              proxy: a pass                                  grace period
 *     load epoch, e             load epoch, now E            PROXY:epoch       unlink; epoch + 2, now X
 *     exchange e -> page        full fence                   PROXY:look        wanted = X, call the proxy
 *     full fence                oldest = E; for each of the page's sections:   wait until the slot says X or later
 *     load links, read            load its word once;
 *     store 0 -> page           odd and below oldest: oldest = the word
 *                               pins wanted are set in the guest's row
 *                               slot: oldest, if that is later than now
 *
 * Why it holds, for a guest that does as guest.h. Say the slot says E' >= X. Then the proxy had loaded E >= X (acquire), so it came after
 * the unlink; and it found each section's word (a) outside: the section before has ended, its reads are before what the
 * proxy did (release, acquire), and the next one's exchange comes after the proxy's fence, so its links are loaded after the unlink;
 * or (b) e >= E': that section loaded epoch e >= X before it loaded any link. A section that is entered while the proxy looks is
 * (a) or (b). Nothing is said of a section that has begun before X and goes on: its word is below X, and so is the slot.
 *
 * What a guest that does otherwise can do. Its words are loaded once each and only compared; they can make the slot stand still, or
 * move on too early. Too early: it reads blocks that are used anew, which it maps anyway and could read at any time. Standing
 * still: it holds back memory as any reader in a section, until it is ousted: by a reclaimer when more than hold_max_bytes are held
 * back, as all others are, and after ADIT_GUEST_PATIENCE_NS when a producer finds no memory or has too much in limbo (retire.h): guests
 * have no quota against those who write. Whoever reclaims ousts within the grace period that a guest is in the way of, as the
 * proxy soon has the slot inside a section again, of an epoch that the next grace period waits for.
 *
 * Ousting. The reclaimer marks the slot as it does all others' (OUST:mark), whether the proxy lives or not; grace periods pass it at once.
 *
 *     proxy, which finds the mark               guest
 *     ousts + 1                                 enter:  ... full fence; ousts -> mine; a mark: stale
 *     slot: E, now                              look:   acquire fence; stale, a mark, or ousts is not mine: -ESTALE
 *     mark: away
 *
 * A section is good if no mark stood over it since its enter. One that was set after the enter is seen by the look, or so is
 * the count that the proxy had raised before it took the mark away (release, acquire). One that was set before and is seen gone by the enter: the slot
 * had been moved to E before, so grace periods after E wait for this section, and it sees the unlinks before E (the enter's fence is
 * after its look for the mark, which is after the proxy's fence). One count for all sections of a guest: its other threads are told, too.
 *
 * The proxy lives and dies with the keeper. Until the next one works, slots stand still, which is safe; and the next one begins
 * when the process of the one before has ended (waits.proxy_owner), so two never write the same slots.
 * tests/models/guest_proxy.pml has enter, look and ousting as a model, with their edges taken away in turn.
 */
#ifndef ADIT_PROXY_H
#define ADIT_PROXY_H

#include "shm/arena.h"
#include "shm/event.h"

#define ADIT_GUEST_PATIENCE_NS 300000u /* of a producer that needs memory */

struct adit_proxy;

/* One look at the page of guest k, and all that follows from it: the whole of what a guest's bytes can bring about. By the proxy, one at
 * a time (and by tests, on pages that no proxy knows). Bounded time, whatever the page says. */
enum adit_proxy_sight { ADIT_PROXY_CALM, ADIT_PROXY_SOON /* look again soon */, ADIT_PROXY_LEFT /* it says it leaves, and is out */ };
enum adit_proxy_sight adit_proxy_pass(struct adit_arena *arena, struct adit_guest_page *page, uint32_t k);

/* For the keeper: takes part for all guests from now on. -EAGAIN: the process of the last proxy has not ended yet; -ENOMEM, -EMFILE. */
int adit_proxy_open(struct adit_arena *arena, struct adit_proxy **out);
void adit_proxy_close(struct adit_proxy **proxy);

/* Lets a guest in (admit.h), and takes part for it. */
int adit_proxy_admit(struct adit_proxy *proxy, uint32_t pid, uint32_t uid, uint32_t *slot);
/* The guest in slot has ended, if that is still word's; clears what stands for it. */
void adit_proxy_end(struct adit_proxy *proxy, uint32_t slot, uint64_t word);

/* A descriptor that is readable when a guest rings; answer: quiet it, and have the proxy look. */
int adit_proxy_bells(const struct adit_proxy *proxy);
void adit_proxy_answer(struct adit_proxy *proxy);

/* Has the proxy look soon: something that guests shall see has changed, or one is in the way of a grace period (wanted: of which
 * epoch, else 0). Any trusted process; a system call only when the proxy sleeps. */
static inline void adit_proxy_call(struct adit_arena *arena, uint64_t wanted)
{
    adit_raise_acq_rel(&arena->waits->proxy_wanted, wanted);
    adit_add_seq_cst(&arena->waits->proxy_calls, 1);
    adit_event_post(&arena->waits->proxy_event);
}

#endif
