/* Rings and bit sets (I5, I7, and I2 for the block that a ring lies in).
 *
 * A slot tells which index is pushed there next. With c the capacity, T the first index that nobody has claimed to push, H the
 * first that nobody has claimed to pop, true between any two instructions of all (ring.c):
 *
 *                                     next push   next pop
 *     MPMC   FREE@i                   i           i            a claim has an owner that is there, others have none
 *            FILLING@i, FILLED@i      i + c       i
 *            DRAINING@i               i + c       i + c        and i < H: indices are popped in order
 *     SPSC   sequence i + 1           i + c                    what was popped stays there until it is overwritten
 *            slot i, never filled     i
 *
 *     all next pushes lie in [T, T + c), as indices are claimed in order and no slot is claimed twice in a round;
 *     T - c <= H <= T; MPMC: tail <= T and head <= H, both as low as they like: hints, stored late or never;
 *     SPSC: tail <= T, head_seen <= head <= T <= head + c; T - tail is the burst of a pusher at work, or of one that died in it.
 * Quiet, also: no slot is claimed; SPSC: tail = T if the pusher is there (recovery takes the name of a dead one away). So the filled
 * slots are those of [H, T), without those that recovery gave up. pusher and popper may name who has left: nobody takes them back.
 *
 * A ring of samples has no words in its slots; its indices are a chain, each link true at any instant (samples.h):
 *
 *     head <= tail_seen <= tail <= head_seen + c <= head + c
 *
 * All of them only grow, so loaded in this order, head again at the end, each is no more than the next was when that was loaded.
 *
 * Next pushes and pops only grow, so an index loaded before a slot may be compared with what it says. How far slots lie apart counts
 * only when a second walk reads the same words: they are of one moment then, as indices do not come again. A ring that was
 * ended meanwhile is known by its block word, whose tag has changed. */
#include "shm/verify.h"

#include <stdio.h>
#include <string.h>

#include "shm/bitset.h"
#include "shm/ring.h"

enum { RING_FREE, RING_MAKING, RING_VALID, RING_ENDING };
#define TRIES_MAX 4u
#define ELEMENT_BYTES_MAX 4096u
#define CAPACITY_MAX (1u << 20)
#define FAR_MAX (1ll << 60)

/* A ring's head, copied; private. */
struct ring_look {
    uint32_t number, kind, element_bytes, stride, capacity;
    uint64_t ref, block; /* and its block word then */
    const struct adit_ring_head *head;
    const uint8_t *slots;
};

enum fault_kind { FAULT_WORD, FAULT_OWNER, FAULT_CLAIM, FAULT_TAIL, FAULT_HEAD, FAULT_WINDOW, FAULT_DRAIN, FAULTS };

/* One walk over the slots. Indices are told by how far they are from tail. */
struct ring_walk {
    struct adit_verifier *v;
    const struct ring_look *r;
    uint64_t tail, head; /* loaded before the slots */
    uint64_t hash;       /* of all words */
    int64_t low, high;   /* of the next pushes */
    int64_t low_pop;
    int64_t high_drain; /* the last index that is being popped */
    uint32_t high_slot, drain_slot;
    struct {
        uint32_t slot, n; /* the first, and how many */
        uint64_t word;
        char reason[96];
    } faults[FAULTS];
};

static uint64_t word_of(const struct ring_look *r, uint32_t slot)
{
    return adit_load_acquire((const uint64_t *)(const void *)(r->slots + (size_t)slot * r->stride)); /* RING:fill, RING:drain */
}

/* How far index a is beyond b, within 2^60, so that sums of these do not overflow; words of an MPMC ring keep 34 bits. */
static int64_t beyond(const struct ring_look *r, uint64_t a, uint64_t b)
{
    int64_t far = r->kind == ADIT_RING_KIND_MPMC ? (int64_t)((a - b) << 30) >> 30 : (int64_t)(a - b);
    return far > FAR_MAX ? FAR_MAX : far < -FAR_MAX ? -FAR_MAX : far;
}

static bool is_claim(const struct ring_look *r, uint64_t word)
{
    return r->kind == ADIT_RING_KIND_MPMC &&
           (adit_ring_word_phase(word) == ADIT_RING_FILLING || adit_ring_word_phase(word) == ADIT_RING_DRAINING);
}

/* The index that the word is about. */
static uint64_t index_of(const struct ring_look *r, uint64_t word, uint32_t slot)
{
    return r->kind == ADIT_RING_KIND_MPMC ? word >> 30 : word == slot ? slot : word - 1;
}

static bool is_word(const struct ring_look *r, uint64_t word, uint32_t slot)
{
    if (r->kind == ADIT_RING_KIND_SPSC)
        return word == slot || (word && ((word - 1) & (r->capacity - 1)) == slot);
    return ((word >> 30) & (r->capacity - 1)) == slot && is_claim(r, word) == (adit_ring_word_owner(word) != 0);
}

static void add_fault(struct ring_walk *w, enum fault_kind kind, uint32_t slot, uint64_t word, const char *reason)
{
    if (w->faults[kind].n++)
        return;
    w->faults[kind].slot = slot;
    w->faults[kind].word = word;
    snprintf(w->faults[kind].reason, sizeof w->faults[kind].reason, "%s", reason);
}

static void look_at_claim(struct ring_walk *w, uint32_t slot, uint64_t word)
{
    const char *fault = adit_verify_owner(w->v, adit_ring_word_owner(word));
    if (word_of(w->r, slot) != word)
        return;
    if (fault)
        add_fault(w, FAULT_OWNER, slot, word, fault);
    else if (w->v->quiet)
        add_fault(w, FAULT_CLAIM, slot, word, "");
}

static void look_at_slot(struct ring_walk *w, uint32_t slot)
{
    const struct ring_look *r = w->r;
    uint64_t word = word_of(r, slot), index = index_of(r, word, slot), next = index, pop = index;
    w->hash = (w->hash ^ word) * 0x9e3779b97f4a7c15ull;
    if (!is_word(r, word, slot)) {
        add_fault(w, FAULT_WORD, slot, word, "");
        return;
    }
    if (is_claim(r, word))
        look_at_claim(w, slot, word);
    enum adit_ring_phase phase = adit_ring_word_phase(word);
    if (r->kind == ADIT_RING_KIND_SPSC ? word != slot : phase != ADIT_RING_FREE)
        next += r->capacity;
    if (r->kind == ADIT_RING_KIND_SPSC || phase == ADIT_RING_DRAINING) /* SPSC: nothing is told of pops, but that they follow pushes */
        pop = next;
    int64_t far = beyond(r, next, w->tail), far_pop = beyond(r, pop, w->tail), far_index = beyond(r, index, w->tail);
    if (far < 0 || beyond(r, pop, w->head) < 0) {
        add_fault(w, far < 0 ? FAULT_TAIL : FAULT_HEAD, slot, word, "");
        return;
    }
    w->low = far < w->low ? far : w->low;
    w->low_pop = far_pop < w->low_pop ? far_pop : w->low_pop;
    if (far > w->high) {
        w->high = far;
        w->high_slot = slot;
    }
    if (r->kind == ADIT_RING_KIND_MPMC && phase == ADIT_RING_DRAINING && far_index > w->high_drain) {
        w->high_drain = far_index;
        w->drain_slot = slot;
    }
}

static void walk_slots(struct ring_walk *w, struct adit_verifier *v, const struct ring_look *r)
{
    *w = (struct ring_walk){.v = v, .r = r, .low = FAR_MAX, .low_pop = FAR_MAX, .high = -FAR_MAX,
                            .high_drain = -FAR_MAX};
    w->head = adit_load_acquire(&r->head->head);
    w->tail = adit_load_acquire(&r->head->tail);
    for (uint32_t slot = 0; slot < r->capacity; slot++)
        look_at_slot(w, slot);
    if (w->high >= w->low && w->high - w->low >= r->capacity)
        add_fault(w, FAULT_WINDOW, w->high_slot, word_of(r, w->high_slot), "");
    if (w->high_drain >= w->low_pop)
        add_fault(w, FAULT_DRAIN, w->drain_slot, word_of(r, w->drain_slot), "");
}

static bool is_torn(const struct ring_walk *w) { return w->faults[FAULT_WINDOW].n || w->faults[FAULT_DRAIN].n; }

/* The ring is the one whose shape was looked at. */
static bool is_there(const struct adit_verifier *v, const struct ring_look *r)
{
    return adit_verify_word(v->arena, r->ref) == r->block;
}

static void report(const struct ring_walk *w)
{
    static const char *const what[FAULTS] = {
        [FAULT_WORD] = "no word of its", [FAULT_OWNER] = "a claim", [FAULT_CLAIM] = "a claim, and nobody is at it",
        [FAULT_TAIL] = "tail is beyond it", [FAULT_HEAD] = "head is beyond it", [FAULT_WINDOW] = "others are a round behind",
        [FAULT_DRAIN] = "popped before others"};
    for (uint32_t k = 0; k < FAULTS; k++) {
        const char *reason = w->faults[k].reason;
        if (w->faults[k].n)
            adit_finding_add(w->v->findings, k == FAULT_OWNER ? "I5" : "I7", "ring %u slot %u|says %#llx (index %llu): %s%s%s; %u slots like it",
                             w->r->number, w->faults[k].slot, (unsigned long long)w->faults[k].word,
                             (unsigned long long)index_of(w->r, w->faults[k].word, w->faults[k].slot), what[k], *reason ? ", " : "",
                             reason, w->faults[k].n - 1);
    }
}

static void look_at_name(struct adit_verifier *v, const struct ring_look *r, const char *name, uint32_t owner)
{
    if (owner && (owner >> 28 || adit_owner_slot(owner) >= v->arena->participants_max) && is_there(v, r))
        adit_finding_add(v->findings, "I5", "ring %u|its %s, owner %#x, names no slot", r->number, name, owner);
}

/* What is SPSC's beyond its slots: w has looked at them, at the head after them. */
static void look_at_spsc(struct adit_verifier *v, const struct ring_look *r, const struct ring_walk *w)
{
    const struct adit_ring_head *h = r->head;
    uint64_t seen = adit_load_acquire(&h->head_seen), head = adit_load_acquire(&h->head); /* RING:head */
    uint32_t pusher = adit_load32_acquire(&h->pusher), popper = adit_load32_acquire(&h->popper);
    int64_t count = w->high - r->capacity + 1 + beyond(r, w->tail, head); /* high: the next push there, so filled a round before */
    bool is_clean = true; /* each slot was judged */
    for (uint32_t k = 0; k < FAULTS; k++)
        is_clean &= !w->faults[k].n;
    look_at_name(v, r, "pusher", pusher);
    look_at_name(v, r, "popper", popper);
    if (!is_there(v, r))
        return;
    if (is_clean && count > (int64_t)r->capacity)
        adit_finding_add(v->findings, "I7", "ring %u|holds %lld elements from head %llu on, and has room for %u", r->number,
                         (long long)count, (unsigned long long)head, r->capacity);
    if (beyond(r, seen, head) > 0)
        adit_finding_add(v->findings, "I7", "ring %u|its pusher saw head at %llu, and it is at %llu", r->number,
                         (unsigned long long)seen, (unsigned long long)head);
    if (v->quiet && is_clean && w->low > 0 && pusher && !adit_verify_owner(v, pusher))
        adit_finding_add(v->findings, "I7", "ring %u|its tail is %llu, and %lld elements more are there", r->number,
                         (unsigned long long)w->tail, (long long)w->low);
}

/* The chain of a ring of samples; names may be of who has left, as SPSC's. */
static void look_at_samples(struct adit_verifier *v, const struct ring_look *r)
{
    static const char *const links[] = {"its reader saw tail before head", "its reader saw tail beyond it", "its writer saw less room than it took",
                                        "its writer saw head beyond it"};
    const struct adit_ring_head *h = r->head;
    uint64_t chain[5];
    chain[0] = adit_load_acquire(&h->head); /* SAMPLES:head */
    chain[1] = adit_load_acquire(&h->tail_seen);
    chain[2] = adit_load_acquire(&h->tail); /* SAMPLES:tail */
    chain[3] = adit_load_acquire(&h->head_seen) + r->capacity;
    chain[4] = adit_load_acquire(&h->head) + r->capacity;
    look_at_name(v, r, "writer", adit_load32_acquire(&h->pusher));
    look_at_name(v, r, "reader", adit_load32_acquire(&h->popper));
    if (!is_there(v, r))
        return;
    for (uint32_t i = 0; i < 4; i++)
        if ((int64_t)(chain[i + 1] - chain[i]) < 0)
            adit_finding_add(v->findings, "I7", "ring %u|%s: samples, head %llu, tail seen %llu, tail %llu, head seen %llu, capacity %u", r->number, links[i],
                             (unsigned long long)chain[0], (unsigned long long)chain[1], (unsigned long long)chain[2],
                             (unsigned long long)(chain[3] - r->capacity), r->capacity);
}

static void look_at_contents(struct adit_verifier *v, const struct ring_look *r)
{
    if (r->kind == ADIT_RING_KIND_SAMPLES) {
        look_at_samples(v, r);
        return;
    }
    struct ring_walk w;
    uint64_t before = 0;
    bool is_torn_now = true;
    for (uint32_t i = 0; i < TRIES_MAX && is_torn_now; i++) { /* until two walks in a row read the same, or nothing is torn */
        walk_slots(&w, v, r);
        is_torn_now = is_torn(&w) && (!i || w.hash != before);
        before = w.hash;
    }
    if (is_torn_now) /* at work */
        w.faults[FAULT_WINDOW].n = w.faults[FAULT_DRAIN].n = 0;
    if (!is_there(v, r))
        return;
    report(&w);
    if (r->kind == ADIT_RING_KIND_SPSC && !is_torn_now)
        look_at_spsc(v, r, &w);
}

/* Copies the shape of the ring in the block at ref; NULL when it is sound, else what is wrong. */
static const char *shape_of(const struct adit_arena *a, uint64_t ref, struct ring_look *r)
{
    uint64_t word = adit_verify_word(a, ref), room = (uint64_t)adit_word_granules(word) << ADIT_GRANULE_SHIFT;
    const struct adit_ring_head *h = room >= sizeof *h ? adit_arena_at(a, ref, room) : NULL;
    if (adit_ref_segment(ref) || !h)
        return "its block does not lie in the heap";
    if (adit_word_state(word) != ADIT_BLOCK_PUBLISHED)
        return "its block is not published";
    r->kind = adit_load32_relaxed(&h->kind); /* relaxed: written before the slot became valid */
    r->element_bytes = adit_load32_relaxed(&h->element_bytes);
    r->stride = adit_load32_relaxed(&h->stride);
    r->capacity = adit_load32_relaxed(&h->capacity);
    r->ref = ref;
    r->block = word;
    r->head = h;
    r->slots = (const uint8_t *)(h + 1);
    if (r->kind < ADIT_RING_KIND_SPSC || r->kind > ADIT_RING_KIND_SAMPLES)
        return "its kind is none";
    bool has_words = r->kind != ADIT_RING_KIND_SAMPLES;
    if (!has_words && (r->stride != r->element_bytes || r->stride % sizeof(float)))
        return "its frames are no floats side by side";
    if (!r->element_bytes || r->element_bytes > ELEMENT_BYTES_MAX ||
        (has_words && (r->stride % 8 || r->stride < 8 + r->element_bytes || r->stride > ELEMENT_BYTES_MAX + 128)))
        return "its element size and stride do not agree";
    if (!r->capacity || r->capacity > CAPACITY_MAX || (r->capacity & (r->capacity - 1)) ||
        sizeof *h + (uint64_t)r->capacity * r->stride > room)
        return "its slots do not fit its block";
    return NULL;
}

/* budget: slots that may still be looked at; rings of an arena cannot have more than its heap holds. */
static void look_at_ring(struct adit_verifier *v, uint32_t i, uint64_t *budget)
{
    const struct adit_ring_slot *s = &v->arena->rings[i];
    struct ring_look r = {.number = i};
    uint32_t state = adit_load32_acquire(&s->state), owner = adit_load32_acquire(&s->owner);
    uint64_t ref = adit_load_acquire(&s->ref);
    const char *fault = NULL;
    if (state == RING_FREE || state == RING_MAKING)
        fault = owner ? adit_verify_owner(v, owner) : state ? "being made by nobody" : NULL;
    else if (state > RING_ENDING)
        fault = "in a state that is none";
    else if (state == RING_ENDING)
        fault = v->quiet ? "being destroyed, and nobody is at it" : NULL;
    else if (!owner)
        fault = "there and nobody's";
    const char *damage = state == RING_VALID ? shape_of(v->arena, ref, &r) : NULL;
    bool is_same = adit_load32_acquire(&s->state) == state && adit_load32_acquire(&s->owner) == owner &&
                   adit_load_acquire(&s->ref) == ref;
    if (fault && is_same)
        adit_finding_add(v->findings, "I5", "ring %u|%s", i, fault);
    if (damage && is_same)
        adit_finding_add(v->findings, "I2", "ring %u|%s (segment %u granule %llu)", i, damage, adit_ref_segment(ref),
                         (unsigned long long)adit_verify_granule(ref));
    if (state != RING_VALID || damage)
        return;
    v->walked.rings++;
    uint32_t slots = r.kind == ADIT_RING_KIND_SAMPLES ? 1 : r.capacity;
    if (slots > *budget) {
        adit_finding_add(v->findings, "I2", "ring %u|shares its block with another", i);
        return;
    }
    *budget -= slots;
    look_at_contents(v, &r);
}

/* Every word of the set that is not empty is covered by the summary. */
static void look_at_set(struct adit_verifier *v, const char *name, uint32_t number, uint64_t *words)
{
    uint32_t n = v->arena->chunks_max, words_n = (n + 63) / 64;
    for (uint32_t w = 0; w < words_n; w++) {
        uint64_t bits = adit_load_seq_cst(&words[w]); /* pairs with BITS:add */
        if (bits && !(adit_load_seq_cst(&words[words_n + w / 64]) >> (w % 64) & 1) && adit_load_seq_cst(&words[w]) == bits)
            adit_finding_add(v->findings, "I7", "%s set %u word %u|holds %#llx, which its summary does not say", name, number, w,
                             (unsigned long long)bits);
    }
}

void adit_verify_rings(struct adit_verifier *v)
{
    const struct adit_arena *a = v->arena;
    uint64_t budget = ((uint64_t)a->segments[0].granules << ADIT_GRANULE_SHIFT) / 16 * TRIES_MAX;
    for (uint32_t i = 0; i < a->rings_max; i++)
        look_at_ring(v, i, &budget);
    if (!v->quiet)
        return; /* an adder may be between its two steps */
    look_at_set(v, "dirty", 0, a->dirty);
    look_at_set(v, "working", 0, a->dirty + a->bits_words);
    for (uint32_t i = 0; i < a->watches_max; i++) {
        if (adit_load32_acquire(&a->watches[i].state) != 2)
            continue;
        look_at_set(v, "watch chunk", i, a->watch_bits + (size_t)i * 2 * a->bits_words);
        look_at_set(v, "watch mesh", i, a->watch_bits + ((size_t)i * 2 + 1) * a->bits_words);
    }
}
