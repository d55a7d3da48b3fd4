/* guest.h - this process as a guest: a consumer that its arena does not trust, and which can write one page and nothing else.
 *
 *     adit_attach("/run/worlds/cave.guests", ADIT_GUEST, NULL, &arena)       or by name, for a guest of the same user
 *
 * What it is given: the outer part of the control segment and the data segments, all read-only; its page, read-write (layout.h); its bell, an
 * eventfd by which it calls the proxy. It is no keeper, takes no robust lock, sleeps on words of its page alone. Readers, pins and
 * watches are used as everybody uses them; what differs is how they come about, and what they cost:
 *
 *   enter      an exchange and two loads more, some 10 ns: a guest's sections are always fenced
 *   acquire    as others do
 *   pin        waits, some 0.1 ms, until the proxy has set it: before that nobody but this section holds the block
 *   watch      opening and closing wait for the proxy, too; a change takes one more wake to arrive
 *
 * A guest is ousted earlier than others: as soon as a producer needs memory, and once for all its sections together (proxy.h). When that
 * is not enough, its pins are taken away, too: 64 granules pinned here and there may keep any large run from being free. So what was read
 * by a pin is good when unpin says so, as with exit.
 */
#ifndef ADIT_GUEST_H
#define ADIT_GUEST_H

#include "shm/arena.h"
#include "shm/bitset.h"
#include "shm/rcu.h"

#define ADIT_GUEST_ALWAYS 2u /* of adit_reader.always: every enter is fenced, and looks further (adit_guest_enter) */

/* Becomes guest slot of arena, whose tables are adopted; takes over page_fd and bell, also on failure. -EPROTO, -ENOMEM. */
int adit_guest_open(struct adit_arena *arena, uint32_t slot, int page_fd, int bell);
/* Says that it leaves, and unmaps. No-op for other roles. */
void adit_guest_close(struct adit_arena *arena);

/* Calls the proxy. For guests; never blocks. */
void adit_guest_ring(const struct adit_arena *arena);

/* As adit_rcu_reader_open and its close. -EUSERS: ADIT_GUEST_SECTIONS are open. */
int adit_guest_reader_open(struct adit_arena *arena, struct adit_reader **out);
void adit_guest_reader_close(struct adit_reader *reader);

/* The second half of enter, after the exchange of the section's word. */
void adit_guest_enter(struct adit_reader *reader);
/* Whether the section that r is in has been ousted; what was read before says no was good. */
bool adit_guest_is_ousted(const struct adit_reader *reader);

/* Pins ref, acquired in reader's present section. Waits for the proxy. -ENOSPC: too many, or too much; -ESTALE: ousted; -EAGAIN: taken
 * away at once; -ETIMEDOUT: no proxy has answered within 2 s. */
int adit_guest_pin(struct adit_reader *reader, uint64_t ref, uint32_t *pin);
/* 0; -ESTALE: the pin was taken away since, and what was read by it may be something else; -EINVAL. */
int adit_guest_unpin(struct adit_arena *arena, uint32_t pin);

/* A box as layout.h has it, and where its changes arrive. */
struct adit_guest_watching {
    uint32_t index;
    struct adit_event *event;
    const uint32_t *lapses;
    struct adit_bitset chunks, meshes; /* of the page; to be taken from as any */
};
/* Opens a watch: from its return on all changes arrive. -EUSERS: ADIT_GUEST_WATCHES are open; -ETIMEDOUT as above. */
int adit_guest_watch_open(struct adit_arena *arena, const int32_t lo[3], const int32_t hi[3], uint8_t world, uint8_t lod,
                          uint16_t what, struct adit_guest_watching *out);
void adit_guest_watch_close(struct adit_arena *arena, uint32_t index);

#endif
