/* ring.h - bounded queues of fixed-size elements in the control segment's heap, for any processes, whoever of them dies.
 *
 *   SPSC   one pushing and one popping thread. Wait-free. That a slot is filled stands in the slot (J. Giacomoni et al.,
 *          "FastForward", PPoPP 2008); room is told by the popper's index, of which the pusher keeps a copy. A shared tail
 *          would bounce at every element instead: 50 to 70 ns each in a stream of 8-byte elements (see perf/).
 *   MPMC   any number: a word a slot that says index, phase and who is at it (layout.h), claimed by one compare-and-swap; after
 *          D. Vyukov, "Bounded MPMC queue", 1024cores.net. Lock-free for others than the one whose slot is next.
 *
 *   block:  | struct adit_ring_head | slots: capacity x stride bytes |     a slot: word, element, rounded up to 8; to 128
 *                                                                          where that is more than a line
 * If a process dies, at any instruction:
 *                 what it was pushing               what it was popping
 *   SPSC          is there whole or not at all      comes again, to the next popper
 *   MPMC          is there whole or not at all      may be gone with it; at most one a thread
 * Elements whose push had returned are popped, once by those that live. SPSC: the next pusher or popper goes on at once and exactly (once
 * the process before it has ended). MPMC: others stop at the slot that the dead had claimed until adit_ring_recover gives it up;
 * a push of many is as many pushes. A pop that matters beyond its popper's death is a matter of tasks, not of rings.
 *
 * Waiting for room or items spins shortly, then sleeps on the head's events (event.h): a push or pop that finds no sleeper
 * makes no system call.
 */
#ifndef ADIT_RING_H
#define ADIT_RING_H

#include "shm/arena.h"

enum { ADIT_RING_KIND_SPSC = 1, ADIT_RING_KIND_MPMC, ADIT_RING_KIND_SAMPLES /* samples.h: no words, other calls */ };

#ifndef ADIT_API
#define ADIT_API __attribute__((visibility("default")))
#endif

struct adit_ring; /* this process's handle, see ring_names.h */

/* Makes the ring name (kind SPSC or MPMC, element_bytes 1..4096, capacity a power of two to 2^20) or opens it. -EEXIST: there is one of
 * another shape; -ENOSPC: no slot for another ring; -ENOMEM; -EINVAL; -EPROTO: damaged; -ETIMEDOUT: somebody stopped while making one. */
int adit_shm_ring_open(struct adit_arena *arena, const char *name, uint32_t kind, uint32_t element_bytes,
                       uint32_t capacity, struct adit_ring **out);

/* Gives up all that owner, whose process has ended, had claimed in rings; rings it was making or ending are gone. May be left at
 * any instruction and called again. Before the owner's blocks are recovered. -ETIMEDOUT: the naming lock is held by a stopped process;
 * try again later. Slots of all rings are looked at: some 1 ns each. */
int adit_ring_recover(struct adit_arena *arena, uint32_t owner);

/* Public: see runtime/adit.h. */
ADIT_API void adit_ring_close(struct adit_ring **ring);
ADIT_API int adit_ring_destroy(struct adit_arena *arena, const char *name);
ADIT_API uint32_t adit_ring_push(struct adit_ring *ring, const void *elements, uint32_t n);
ADIT_API uint32_t adit_ring_pop(struct adit_ring *ring, void *elements, uint32_t n);
ADIT_API int adit_ring_wait_room(struct adit_ring *ring, uint64_t timeout_ns);
ADIT_API int adit_ring_wait_item(struct adit_ring *ring, uint64_t timeout_ns);

#endif
