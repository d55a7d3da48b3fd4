#include "shm/mirror.h"

#include "shm/block.h"

#define WAKES 16u /* of one word: an honest guest has two threads there */

/* ---- pins ------------------------------------------------------------------------------------------------------- */

/* Bytes of the block that ref names, if a guest may pin it; else 0. */
static uint64_t pinnable_bytes(const struct adit_arena *arena, uint64_t ref)
{
    uint32_t s = adit_ref_segment(ref);
    if (!s || s >= arena->segments_n || ref >> 48 || adit_ref_byte(ref) % ADIT_GRANULE_BYTES ||
        adit_ref_byte(ref) >> ADIT_GRANULE_SHIFT >= arena->segments[s].granules)
        return 0;
    uint64_t word = adit_load_acquire(&arena->segments[s].words[adit_ref_byte(ref) >> ADIT_GRANULE_SHIFT]);
    enum adit_block_state state = adit_word_state(word);
    return state == ADIT_BLOCK_PUBLISHED || state == ADIT_BLOCK_RETIRED ? (uint64_t)adit_word_granules(word) << ADIT_GRANULE_SHIFT : 0;
}

void adit_mirror_pins(struct adit_arena *arena, struct adit_guest_page *page, uint32_t k)
{
    uint32_t n = arena->pins_each < ADIT_GUEST_PINS ? arena->pins_each : ADIT_GUEST_PINS;
    uint64_t *row = arena->pins + (size_t)k * arena->pins_each, wanted[ADIT_GUEST_PINS];
    uint64_t bytes_max = arena->control->hold_max_bytes / 2 / arena->guests_max, bytes = 0;
    struct adit_reader_slot *slot = &arena->readers[k];
    uint64_t revokes = adit_load_seq_cst(&slot->revokes); /* PIN:revoke */
    bool is_revoked = revokes != adit_load_relaxed(&slot->revokes_seen);
    adit_store_relaxed(&slot->revokes_seen, revokes); /* relaxed: ours */
    for (uint32_t i = 0; i < n; i++) { /* what goes, and what stays */
        wanted[i] = adit_load_acquire(&page->pins[i].wanted); /* once; pairs with adit_guest_pin, adit_guest_unpin */
        uint64_t is = adit_load_relaxed(&row[i]), its = is ? pinnable_bytes(arena, is) : 0; /* relaxed: ours, and who revokes clears it */
        if (is && (is != adit_guest_pin_ref(wanted[i]) || bytes + its > bytes_max || is_revoked))
            adit_store_release(&row[i], 0); /* the guest's reads are before the reclaimer's look */
        else
            bytes += its;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t ref = adit_guest_pin_ref(wanted[i]), answer = adit_load_relaxed(&page->pins[i].answer); /* relaxed: says what is left to do */
        uint64_t refused = wanted[i] | ADIT_GUEST_PIN_REFUSED;
        if (!ref || answer == refused)
            continue; /* a wish is refused once: what was taken away does not come back */
        bool is_set = adit_load_relaxed(&row[i]) == ref;
        uint64_t its = is_set ? 0 : pinnable_bytes(arena, ref);
        if (!is_set && (!its || bytes + its > bytes_max || is_revoked)) {
            adit_store_release(&page->pins[i].answer, refused);
            continue;
        }
        bytes += its;
        if (adit_load32_relaxed(&arena->participants[k].pins_high) < i + 1)
            adit_store32_release(&arena->participants[k].pins_high, i + 1); /* PIN:high */
        if (!is_set)
            (void)__atomic_exchange_n(&row[i], ref, __ATOMIC_SEQ_CST);
        if (answer != wanted[i])
            adit_store_release(&page->pins[i].answer, wanted[i]); /* PIN:answer, after the row */
    }
}

/* ---- watches ---------------------------------------------------------------------------------------------------- */

static struct adit_bitset bits_of(const struct adit_arena *arena, uint32_t slot, uint32_t which)
{
    return (struct adit_bitset){arena->watch_bits + ((size_t)slot * 2 + which) * arena->bits_words, arena->chunks_max};
}

/* Makes the slot one that publishers tell, of the box that the page says; as activate() of runtime/watch.c. */
static void activate(struct adit_arena *arena, const struct adit_guest_watch *from, uint32_t slot, uint32_t owner)
{
    struct adit_watch_slot *s = &arena->watches[slot];
    __atomic_store_n(&s->node, -1, __ATOMIC_RELAXED); /* relaxed: advice */
    adit_store32_release(&s->state, ADIT_WATCH_SLOT_SETTING);
    adit_store32_release(&s->owner, owner);
    for (uint32_t i = 0; i < 2 * arena->bits_words; i++)
        adit_store_relaxed(&arena->watch_bits[(size_t)slot * 2 * arena->bits_words + i], 0);
    for (uint32_t i = 0; i < 3; i++) {
        __atomic_store_n(&s->lo[i], __atomic_load_n(&from->lo[i], __ATOMIC_RELAXED), __ATOMIC_RELAXED); /* relaxed: WATCH:active orders them */
        __atomic_store_n(&s->hi[i], __atomic_load_n(&from->hi[i], __ATOMIC_RELAXED), __ATOMIC_RELAXED);
    }
    __atomic_store_n(&s->world, __atomic_load_n(&from->world, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
    __atomic_store_n(&s->lod, __atomic_load_n(&from->lod, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
    __atomic_store_n(&s->what, __atomic_load_n(&from->what, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
    adit_raise_acq_rel(&arena->control->watches_high, slot + 1);
    adit_store32_release(&s->state, ADIT_WATCH_SLOT_ACTIVE); /* WATCH:active */
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* before the guest, told below, looks at what is there */
}

/* Wakes who sleeps on a word of the page, but not as many as it likes. */
static void post(struct adit_event *event)
{
    adit_barrier_after_rmw(); /* EVENT:post */
    if (adit_load32_relaxed(&event->waiters)) {
        adit_add32_seq_cst(&event->seq, 1);
        adit_futex_wake(&event->seq, WAKES);
    }
}

/* Moves at most *left members; true when some were. */
static bool move(struct adit_bitset from, struct adit_bitset to, uint32_t *left)
{
    uint32_t cursor = 0, i;
    bool some = false;
    for (; *left && adit_bitset_find(&from, &cursor, &i); --*left) {
        if (!adit_bitset_remove(&from, i))
            continue;
        adit_bitset_add(&to, i);
        some = true;
    }
    return some;
}

bool adit_mirror_watches(struct adit_arena *arena, struct adit_guest_page *page, uint32_t k)
{
    uint32_t left = ADIT_MIRROR_MOVES, owner = adit_owner_make(k, adit_part_generation(adit_load_relaxed(&arena->participants[k].word)));
    for (uint32_t w = 0; w < ADIT_GUEST_WATCHES; w++) {
        struct adit_guest_watch *from = &page->watches[w];
        struct adit_watch_slot *s = &arena->watches[k * ADIT_GUEST_WATCHES + w];
        uint32_t state = adit_load32_acquire(&from->state), was = state; /* once; pairs with adit_guest_watch_open */
        if (state == ADIT_GUEST_WATCH_WANTED) {
            activate(arena, from, k * ADIT_GUEST_WATCHES + w, owner);
            (void)adit_cas32_acq_rel(&from->state, &was, ADIT_GUEST_WATCH_ACTIVE);
        } else if (state != ADIT_GUEST_WATCH_ACTIVE && adit_load32_relaxed(&s->owner)) {
            adit_store32_release(&s->state, ADIT_WATCH_SLOT_FREE);
            adit_store32_release(&s->owner, 0); /* after state, as in adit_watch_close */
        }
        if (state == ADIT_GUEST_WATCH_UNWANTED)
            (void)adit_cas32_acq_rel(&from->state, &was, ADIT_GUEST_WATCH_NONE);
        uint32_t lapses = adit_load32_acquire(&s->lapses);
        bool some = lapses != adit_load32_relaxed(&from->lapses); /* relaxed: ours, or of no meaning */
        adit_store32_release(&from->lapses, lapses); /* the same again, if the proxy's process dies here */
        for (uint32_t which = 0; which < 2 && adit_load32_relaxed(&s->owner); which++)
            some |= move(bits_of(arena, k * ADIT_GUEST_WATCHES + w, which), adit_guest_bits(arena, page, w, which), &left);
        if (some)
            post(&from->event);
    }
    return !left;
}
