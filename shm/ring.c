/* Why this is correct.
 *
 * MPMC (after D. Vyukov, with the claim moved from the index into the slot). A slot goes FREE@i, FILLING@i, FILLED@i,
 * DRAINING@i, FREE@i+capacity (layout.h). A pusher owns the element from its CAS FREE -> FILLING until it stores FILLED (RING:fill,
 * release); a popper acquires that, owns it from FILLED -> DRAINING until it stores FREE (RING:drain, release), acquired
 * by the pusher of the next round. Nothing else is needed for each element to come out once.
 *
 * Indices are claimed in order: who looks for the next one starts at the hint, which is never too high (it is stored as i + 1 by who
 * claimed i, or as i by who saw all before i claimed), and goes on only past slots that are claimed. A hint may be too
 * low, as its store may be late or never come: the next one walks, at most over the ring, and stores it anew. A slot that recovery
 * gave up, FREE@i+capacity, is passed by poppers at i as one that was popped.
 *
 * SPSC: a slot tells by its sequence that it is filled: index at + 1 (RING:fill, release, after the element was copied in); who
 * pops acquires it. That is the one line (two for large elements) that travels for an element. Free are all slots not
 * between head and tail. The popper stores head (RING:head, release, after copying out) into a line of its own, the pusher acquires
 * it only when its copy says full. Were the popper to write into the slot instead, that store would wait for the slot's
 * line, and whatever the popper stores next, an answer say, behind it.
 *
 * SPSC, deaths. The popper's one store that counts is head: what it had not stored is popped again by its successor. The
 * pusher's are the sequences: a slot without one was never pushed. It may die before tail is stored, so a pusher that finds
 * another's name there first walks over what is filled: sequences of an earlier round differ, so that is exact. Indices that a
 * hostile peer stored are masked into the slots: a wrong one looks full or empty, and walks are bounded. */
#include "shm/ring.h"

#include <errno.h>
#include <string.h>

#include "shm/block.h"
#include "shm/event.h"
#include "shm/lock.h"
#include "shm/ring_names.h"

#define ROUNDS_SPARE 4096u /* of an MPMC walk, for slots that others claim meanwhile; then the ring counts as full or empty */

static void copy(void *to, const void *from, uint32_t bytes)
{
    switch (bytes) { /* the common sizes, inline */
    case 8: memcpy(to, from, 8); break;
    case 16: memcpy(to, from, 16); break;
    case 64: memcpy(to, from, 64); break;
    default: memcpy(to, from, bytes);
    }
}

/* ---- passing elements */

/* Goes on where another pusher was: behind the last element that is there. May itself be left anywhere. */
static void take_over(struct adit_ring *r)
{
    struct adit_ring_head *h = r->head;
    uint64_t tail = adit_load_relaxed(&h->tail), n = 0; /* relaxed: who handed over, or died, did so before */
    while (n <= r->mask && adit_load_acquire(adit_ring_slot_of(r, tail)) == tail + 1) /* RING:fill */
        tail++, n++;
    h->head_seen = adit_load_acquire(&h->head); /* RING:head */
    adit_store_relaxed(&h->tail, tail);
    adit_store32_release(&h->pusher, r->owner); /* RING:pusher, for who looks: after tail */
}

static uint32_t spsc_push(struct adit_ring *r, const uint8_t *elements, uint32_t n)
{
    struct adit_ring_head *h = r->head;
    if (__builtin_expect(adit_load32_relaxed(&h->pusher) != r->owner, 0))
        take_over(r);
    uint64_t tail = adit_load_relaxed(&h->tail), room = h->head_seen + r->mask + 1 - tail; /* relaxed: ours alone */
    if (room < n || room > r->mask + 1) {
        h->head_seen = adit_load_acquire(&h->head); /* RING:head */
        room = h->head_seen + r->mask + 1 - tail;
        n = room > r->mask + 1 ? 0 : n < room ? n : (uint32_t)room;
    }
    uint8_t *slots = r->slots; /* locals: what is stored could change *r, for all the compiler knows */
    const uint64_t mask = r->mask, stride = r->stride;
    const uint32_t bytes = r->element_bytes;
    for (uint32_t i = 0; i < n; i++, elements += bytes) {
        uint64_t *slot = (uint64_t *)(void *)(slots + ((tail + i) & mask) * stride);
        copy(slot + 1, elements, bytes);
        adit_store_release(slot, tail + i + 1); /* RING:fill */
    }
    if (n)
        adit_store_relaxed(&h->tail, tail + n);
    if (r->stride > 64) /* the next slot's second line, which nobody polls, comes here meanwhile */
        adit_prefetch_writable((const uint8_t *)adit_ring_slot_of(r, tail + n) + 64);
    return n;
}

static uint32_t spsc_pop(struct adit_ring *r, uint8_t *elements, uint32_t n)
{
    uint64_t head = adit_load_relaxed(&r->head->head); /* relaxed: ours alone */
    uint32_t done = 0;
    if (__builtin_expect(adit_load32_relaxed(&r->head->popper) != r->owner, 0))
        adit_store32_relaxed(&r->head->popper, r->owner);
    const uint8_t *slots = r->slots; /* locals, as in spsc_push */
    const uint64_t mask = r->mask, stride = r->stride;
    const uint32_t bytes = r->element_bytes;
    for (; done < n; done++, elements += bytes) {
        const uint64_t *slot = (const uint64_t *)(const void *)(slots + ((head + done) & mask) * stride);
        if (adit_load_acquire(slot) != head + done + 1) /* RING:fill */
            break;
        copy(elements, slot + 1, bytes);
    }
    if (done)
        adit_store_release(&r->head->head, head + done); /* RING:head */
    return done;
}

/* Walks from *at to the first slot that is not beyond phase; *word is what it says. How far it is: 0 it is the one, less: it is
 * behind, the ring full (empty). Each step is past a slot that others claimed. */
static int64_t walk(const struct adit_ring *r, const uint64_t *hint, enum adit_ring_phase phase, uint64_t *at, uint64_t *word)
{
    for (uint64_t rounds = r->mask + ROUNDS_SPARE; rounds; rounds--) {
        *word = adit_load_acquire(adit_ring_slot_of(r, *at)); /* RING:fill, RING:drain */
        int64_t lead = adit_ring_lead(*word, *at, phase);
        if (lead <= 0)
            return lead;
        uint64_t now = adit_load_relaxed(hint), laps = (uint64_t)lead / 4 & ~r->mask; /* slots of a later round: most were claimed */
        uint64_t next = *at + 1 + (laps ? laps - r->mask - 1 : 0);
        *at = (int64_t)(now - next) > 0 ? now : next;
    }
    return -1;
}

/* The long way to a claim: from hint on to the next slot that is at phase; NULL: the ring is full (empty). */
static __attribute__((noinline)) uint64_t *walk_and_claim(const struct adit_ring *r, uint64_t *hint, enum adit_ring_phase phase,
                                                          uint64_t *index)
{
    uint64_t first = adit_load_relaxed(hint), at = first, word; /* relaxed: a hint */
    for (uint32_t i = 0; i < ROUNDS_SPARE; i++) { /* every round another got on */
        if (walk(r, hint, phase, &at, &word) < 0)
            break;
        uint64_t *slot = adit_ring_slot_of(r, at);
        if (adit_cas_acq_rel(slot, &word, adit_ring_word(at, phase + 1, r->owner))) { /* RING:claim */
            adit_store_relaxed(hint, at + 1);
            *index = at;
            return slot;
        }
    }
    if (at != first)
        adit_store_relaxed(hint, at);
    return NULL;
}

/* Claims the next slot that is at phase, mostly the one that hint names. */
static inline uint64_t *claim(const struct adit_ring *r, uint64_t *hint, enum adit_ring_phase phase, uint64_t *index)
{
    uint64_t at = adit_load_relaxed(hint), *slot = adit_ring_slot_of(r, at), word = adit_ring_word(at, phase, 0);
    if (__builtin_expect(adit_load_relaxed(slot) == word && /* relaxed: the CAS acquires */
                             adit_cas_acq_rel(slot, &word, adit_ring_word(at, phase + 1, r->owner)), 1)) { /* RING:claim */
        adit_store_relaxed(hint, at + 1);
        *index = at;
        return slot;
    }
    uint64_t far = 0, *found = walk_and_claim(r, hint, phase, &far); /* so that *index can stay in a register */
    *index = far;
    return found;
}

static bool mpmc_push_one(struct adit_ring *r, const void *element)
{
    uint64_t at, *slot = claim(r, &r->head->tail, ADIT_RING_FREE, &at);
    if (!slot)
        return false;
    copy(slot + 1, element, r->element_bytes);
    adit_store_release(slot, adit_ring_word(at, ADIT_RING_FILLED, 0)); /* RING:fill */
    return true;
}

static bool mpmc_pop_one(struct adit_ring *r, void *element)
{
    uint64_t at, *slot = claim(r, &r->head->head, ADIT_RING_FILLED, &at);
    if (!slot)
        return false;
    copy(element, slot + 1, r->element_bytes);
    adit_store_release(slot, adit_ring_word(at + r->mask + 1, ADIT_RING_FREE, 0)); /* RING:drain */
    return true;
}

uint32_t adit_ring_push(struct adit_ring *ring, const void *elements, uint32_t n)
{
    uint32_t done = 0;
    if (ring->kind == ADIT_RING_KIND_SPSC)
        done = spsc_push(ring, elements, n);
    else
        while (done < n && mpmc_push_one(ring, (const uint8_t *)elements + (size_t)done * ring->element_bytes))
            done++;
    if (done)
        adit_event_post(&ring->head->item);
    return done;
}

uint32_t adit_ring_pop(struct adit_ring *ring, void *elements, uint32_t n)
{
    uint32_t done = 0;
    if (ring->kind == ADIT_RING_KIND_SPSC)
        done = spsc_pop(ring, elements, n);
    else
        while (done < n && mpmc_pop_one(ring, (uint8_t *)elements + (size_t)done * ring->element_bytes))
            done++;
    if (done)
        adit_event_post(&ring->head->room);
    return done;
}

static bool has_room(void *context)
{
    const struct adit_ring *r = context;
    uint64_t at = adit_load_relaxed(&r->head->tail), word;
    if (r->kind == ADIT_RING_KIND_SPSC)
        return at - adit_load_acquire(&r->head->head) <= r->mask; /* RING:head */
    return !walk(r, &r->head->tail, ADIT_RING_FREE, &at, &word);
}

static bool has_item(void *context)
{
    const struct adit_ring *r = context;
    uint64_t at = adit_load_relaxed(&r->head->head), word;
    if (r->kind == ADIT_RING_KIND_SPSC)
        return (int64_t)(adit_load_acquire(adit_ring_slot_of(r, at)) - (at + 1)) >= 0; /* RING:fill */
    return !walk(r, &r->head->head, ADIT_RING_FILLED, &at, &word);
}

int adit_ring_wait_room(struct adit_ring *ring, uint64_t timeout_ns)
{
    if (ring->kind == ADIT_RING_KIND_SPSC && adit_load32_relaxed(&ring->head->pusher) != ring->owner)
        take_over(ring);
    return adit_event_wait(&ring->head->room, has_room, ring, timeout_ns);
}

int adit_ring_wait_item(struct adit_ring *ring, uint64_t timeout_ns)
{
    return adit_event_wait(&ring->head->item, has_item, ring, timeout_ns);
}

/* ---- recovery */

/* Gives up what owner has claimed, and wakes whoever may have waited for it. */
static void recover_mpmc(const struct adit_ring *r, uint32_t owner)
{
    bool any = false;
    for (uint64_t i = 0; i <= r->mask; i++) {
        uint64_t *slot = adit_ring_slot_of(r, i), word = adit_load_acquire(slot);
        enum adit_ring_phase phase = adit_ring_word_phase(word);
        if (adit_ring_word_owner(word) == owner && (phase == ADIT_RING_FILLING || phase == ADIT_RING_DRAINING))
            any |= adit_cas_acq_rel(slot, &word, adit_ring_word((word >> 30) + r->mask + 1, ADIT_RING_FREE, 0)); /* RING:drain */
    }
    if (any) {
        adit_event_post(&r->head->item);
        adit_event_post(&r->head->room);
    }
}

int adit_ring_recover(struct adit_arena *arena, uint32_t owner)
{
    int error = adit_naming_lock(arena); /* so that no ring ends meanwhile */
    if (error)
        return error;
    adit_ring_names_settle(arena);
    for (uint32_t i = 0; i < arena->rings_max; i++) {
        struct adit_ring r;
        uint32_t was = owner, was_too = owner;
        if (adit_load32_relaxed(&arena->rings[i].state) != ADIT_RING_SLOT_VALID || adit_ring_adopt(arena, &arena->rings[i], &r))
            continue;
        if (r.kind == ADIT_RING_KIND_MPMC) {
            recover_mpmc(&r, owner);
        } else { /* a successor needs no help: only the name goes */
            (void)adit_cas32_acq_rel(&r.head->pusher, &was, 0);
            (void)adit_cas32_acq_rel(&r.head->popper, &was_too, 0);
        }
    }
    adit_naming_unlock(arena);
    return 0;
}
