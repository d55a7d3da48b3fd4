/* Why this is correct.
 *
 * A1. A word that says FREE is the head of a free run. Only the owner of a run writes FREE, and only into its head.
 * A2. A word inside a run is 0, or CLAIMED by the one who has CLAIMED the run around it, who is at work there.
 *
 * split of [i, len) to need, all stores release:      merge of [i, len) with FREE [n, k) behind it:
 *   1 claim i (CAS FREE -> CLAIMED me)                  1 claim n (CAS FREE -> CLAIMED me)
 *   2 word[i+need] = CLAIMED me, len-need  (inside)     2 word[i] = CLAIMED me, len+k     (n is inside now)
 *   3 word[i] = LOANED me, need            (a head)     3 word[n] = 0
 *   4 word[i+need] = FREE, len-need
 *
 * Between any two steps A1 and A2 hold, so a compare-and-swap on a FREE word always takes a whole true run whatever the
 * walker knew before, and walkers need no protection: a stale cursor or a racing merge can only make them miss a run.
 * Who dies leaves CLAIMED and LOANED words that name it; of two of its words the one inside the other's run is void (A2), and
 * both are free otherwise: recovery needs nothing else. Interior words are zeroed by 3 so that no stale word outlives an
 * operation.
 *
 * Waited for is what comes back without anyone's decision: a CLAIMED run, whose owner gives some of it back in an instant, and
 * whatever a participant held (loans, retired blocks, sections, pins) that is gone and not recovered. That is looked at
 * two searches before the last: if nobody was gone then, the next reclaim adopts what recoveries have left to nobody, unless another process's
 * has, and the last search sees it free. Loans of the living are not waited for: when they end is the application's to say.
 *
 * Search is next-fit by extents: hints (cursor, longest run) are advice, the last pass goes without them. */
#include "shm/block.h"

#include <errno.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "shm/near.h"
#include "shm/participant.h"
#include "shm/rcu.h"
#include "shm/pin.h"
#include "shm/retire.h"

#define MERGES_MAX 64u /* free runs merged in one go */
#define LATE_MAX 10u   /* of them that may wait in vain, 20 ms each, for a reader to leave its section */
#define IN_HANDS_NS 200000000u /* searches go on for so long while a run that would do is in hands, or somebody's recovery is due */
#define NAP_NS 100000
#define PASSES 16u     /* searches in a row before giving up; all but the first ignore hints and reclaim in between */

struct spot {
    const struct adit_base *segment;
    uint32_t index;
};

static uint64_t ref_of(const struct adit_arena *arena, const struct spot *s)
{
    return ADIT_REF(s->segment - arena->segments, ((uint64_t)s->segment->first + s->index) << ADIT_GRANULE_SHIFT);
}

/* Where the word of ref stands; NULL segment when ref names no granule that blocks may use. */
static struct spot spot_of(const struct adit_arena *arena, uint64_t ref)
{
    uint32_t s = adit_ref_segment(ref);
    uint64_t granule = adit_ref_byte(ref) >> ADIT_GRANULE_SHIFT;
    if (s >= arena->segments_n || adit_ref_byte(ref) % ADIT_GRANULE_BYTES || granule < arena->segments[s].first ||
        granule - arena->segments[s].first >= arena->segments[s].granules)
        return (struct spot){0};
    return (struct spot){&arena->segments[s], (uint32_t)(granule - arena->segments[s].first)};
}

static uint32_t extent_end(const struct adit_base *g, uint32_t extent)
{
    uint64_t end = ((uint64_t)extent + 1) << ADIT_EXTENT_SHIFT;
    return end < g->granules ? (uint32_t)end : g->granules;
}

/* Length of the run a word heads, 1 when it is none (so that a walk always advances), never past end. */
static uint32_t step_of(uint64_t word, uint32_t index, uint32_t end)
{
    uint32_t n = adit_word_granules(word);
    return word && n && n <= end - index ? n : 1;
}

/* Takes the FREE run at index if its word still is word. */
static bool claim(const struct adit_arena *arena, const struct adit_base *g, uint32_t index, uint64_t word)
{
    /* BLOCK:claim. Acquire: the last owner's accesses are before ours (pairs with BLOCK:free). */
    return adit_cas_acq_rel(&g->words[index], &word,
                            adit_word_make(word, ADIT_BLOCK_CLAIMED, adit_word_granules(word), arena->owner));
}

static void set_word(const struct adit_base *g, uint32_t index, enum adit_block_state state, uint32_t n, uint32_t owner)
{
    /* BLOCK:free. Release, so that others see the steps of split and merge in order; pairs with BLOCK:claim. */
    adit_store_release(&g->words[index], adit_word_make(adit_load_relaxed(&g->words[index]), state, n, owner));
}

/* Merges our run [index, n) with free runs behind it in its extent until it has enough; returns its length. */
static uint32_t merge(const struct adit_arena *arena, const struct adit_base *g, uint32_t index, uint32_t n,
                      uint32_t enough)
{
    uint32_t end = extent_end(g, index >> ADIT_EXTENT_SHIFT);
    for (uint32_t i = 0; i < MERGES_MAX && n < enough && index + n < end; i++) {
        uint32_t next = index + n;
        uint64_t word = adit_load_relaxed(&g->words[next]); /* relaxed: claim decides */
        uint32_t k = step_of(word, next, end);
        if (adit_word_state(word) != ADIT_BLOCK_FREE || !claim(arena, g, next, word))
            break;
        n += k;
        set_word(g, index, ADIT_BLOCK_CLAIMED, n, arena->owner);
        adit_store_release(&g->words[next], 0);
    }
    return n;
}

static void raise_largest(const struct adit_base *g, uint32_t index, uint32_t n)
{
    struct adit_extent *hint = &g->hints[index >> ADIT_EXTENT_SHIFT];
    if (adit_load32_relaxed(&hint->largest) < n) /* relaxed: advice only */
        adit_store32_relaxed(&hint->largest, n);
}

/* Our run [index, n) becomes FREE. */
static void release(const struct adit_arena *arena, const struct adit_base *g, uint32_t index, uint32_t n)
{
    n = merge(arena, g, index, n, UINT32_MAX);
    /* before FREE: afterwards another may take the run, and a cursor inside it would walk over its empty words */
    adit_store32_relaxed(&g->hints[index >> ADIT_EXTENT_SHIFT].cursor, index & (ADIT_EXTENT_GRANULES - 1));
    set_word(g, index, ADIT_BLOCK_FREE, n, 0);
    raise_largest(g, index, n);
}

/* Takes need granules of the free run at index, or gives it back when it is too short even after merging. */
static bool take(const struct adit_arena *arena, const struct adit_base *g, uint32_t index, uint64_t word, uint32_t need)
{
    if (!claim(arena, g, index, word))
        return false;
    uint32_t n = merge(arena, g, index, adit_word_granules(word), need);
    if (n < need) {
        set_word(g, index, ADIT_BLOCK_FREE, n, 0);
        return false;
    }
    if (n > need)
        set_word(g, index + need, ADIT_BLOCK_CLAIMED, n - need, arena->owner);
    set_word(g, index, ADIT_BLOCK_LOANED, need, arena->owner);
    if (n > need)
        set_word(g, index + need, ADIT_BLOCK_FREE, n - need, 0);
    return true;
}

/* Walks [from, to) of an extent for need granules. *in_hands: somebody else has claimed a run that would do, and is about to give it
 * back whole or in part. */
static bool walk(const struct adit_arena *arena, const struct adit_base *g, uint32_t from, uint32_t to, uint32_t end,
                 uint32_t need, uint32_t *found, uint32_t *largest, bool *in_hands)
{
    for (uint32_t i = from; i < to;) {
        uint64_t word = adit_load_relaxed(&g->words[i]); /* relaxed: claim decides */
        uint32_t n = step_of(word, i, end);
        if (adit_word_state(word) == ADIT_BLOCK_FREE && adit_word_granules(word) == n) { /* else a damaged word: not taken */
            bool more = i + n < end && adit_word_state(adit_load_relaxed(&g->words[i + n])) == ADIT_BLOCK_FREE;
            if ((n >= need || more) && take(arena, g, i, word, need)) {
                *found = i;
                return true;
            }
            *largest = n > *largest ? n : *largest;
        }
        *in_hands |= adit_word_state(word) == ADIT_BLOCK_CLAIMED && n >= need;
        i += n;
    }
    return false;
}

static bool take_from_extent(const struct adit_arena *arena, const struct adit_base *g, uint32_t extent, uint32_t need,
                             bool by_hint, uint32_t *found, bool *in_hands)
{
    struct adit_extent *hint = &g->hints[extent];
    uint32_t first = extent << ADIT_EXTENT_SHIFT, end = extent_end(g, extent), largest = 0;
    if (by_hint && adit_load32_relaxed(&hint->largest) < need)
        return false;
    uint32_t start = first + adit_load32_relaxed(&hint->cursor);
    if (!by_hint || start >= end || start < first) /* advice may be anything */
        start = first;
    if (walk(arena, g, start, end, end, need, found, &largest, in_hands) ||
        (start > first && walk(arena, g, first, start, end, need, found, &largest, in_hands))) {
        adit_store32_relaxed(&hint->cursor, *found + need - first);
        return true;
    }
    adit_store32_relaxed(&hint->largest, largest);
    return false;
}

static bool take_from_segment(const struct adit_arena *arena, const struct adit_base *g, uint32_t need, bool by_hint,
                              struct spot *found, bool *in_hands)
{
    /* processes begin at different extents, so that a run somebody is splitting hides little from the others */
    uint32_t begin = g->extents ? adit_owner_slot(arena->owner) % g->extents : 0;
    for (uint32_t i = 0; i < g->extents; i++) {
        uint32_t extent = (begin + i) % g->extents;
        if (take_from_extent(arena, g, extent, need, by_hint, &found->index, in_hands)) {
            found->segment = g;
            return true;
        }
    }
    return false;
}

/* One pass over n data segments, from place on by distance. */
static bool take_from_data(const struct adit_arena *arena, uint32_t place, uint32_t n, uint32_t need, bool by_hint, struct spot *found, bool *in_hands)
{
    for (uint32_t i = 0; i < n; i++)
        if (take_from_segment(arena, &arena->segments[adit_near_at(arena, place, i)], need, by_hint, found, in_hands))
            return true;
    return false;
}

/* Whether a participant's recovery is due or under way. Reads /proc, but for slots that are free. Guests' memory is taken when it is
 * needed, whether they live or not. */
static bool somebody_is_gone(const struct adit_arena *arena)
{
    for (uint32_t i = arena->guests_max; i < arena->participants_max; i++)
        if (&arena->participants[i] != arena->self && adit_participant_is_gone(&arena->participants[i]))
            return true;
    return false;
}

/* The words for "no memory": who could give some, or what to do. */
static int no_run(struct adit_arena *arena, uint64_t bytes, uint32_t place, bool is_only)
{
    if (is_only)
        return adit_fault(-ENOSPC, "arena %s: no free run of %llu bytes on node %d, and it is to lie there or nowhere; create the arena larger (--size), or not strict about nodes", arena->name,
                          (unsigned long long)bytes, arena->segments[place].node);
    uint32_t pid = adit_rcu_oldest_pid(arena);
    uint64_t held = arena->self ? adit_load_relaxed(&arena->self->limbo_bytes) : 0;
    if (pid == (uint32_t)getpid())
        return adit_fault(-ENOMEM, "arena %s: no free run of %llu bytes while a thread of this process stays in a section; write "
                          "outside sections, and leave them soon", arena->name, (unsigned long long)bytes);
    if (pid && held)
        return adit_fault(-ENOMEM, "arena %s: no free run of %llu bytes: process %u stays in a section and holds back %llu "
                          "KiB; let it go on or end it", arena->name, (unsigned long long)bytes, pid,
                          (unsigned long long)(held >> 10));
    return adit_fault(-ENOMEM, "arena %s: no free run of %llu bytes in its %s; create it larger (--size)", arena->name,
                      (unsigned long long)bytes, place == ADIT_BLOCK_HEAP ? "heap" : "data segments");
}

/* Lets the others on. Who holds what is looked for may need this processor, and for some while. */
static void wait_a_little(uint32_t pass)
{
    struct timespec nap = {.tv_nsec = NAP_NS};
    if (pass < PASSES)
        sched_yield();
    else
        nanosleep(&nap, NULL);
}

int adit_block_alloc(struct adit_arena *arena, uint64_t bytes, uint32_t place, uint64_t *ref)
{
    if (!bytes || bytes > ADIT_BLOCK_BYTES_MAX)
        return adit_fault(-EINVAL, "arena %s: a block of %llu bytes; 1 to %u are possible", arena->name,
                          (unsigned long long)bytes, ADIT_BLOCK_BYTES_MAX);
    uint32_t need = (uint32_t)((bytes + ADIT_GRANULE_BYTES - 1) >> ADIT_GRANULE_SHIFT);
    uint32_t n = place & ADIT_BLOCK_ONLY ? 1 : arena->segments_n - 1;
    place &= ~ADIT_BLOCK_ONLY;
    if (place != ADIT_BLOCK_HEAP)
        place = place < arena->segments_n ? place : adit_near_here(arena);
    struct spot found = {0};
    uint64_t begin = 0;
    for (uint32_t pass = 0, late = 0, idle = 0; idle < PASSES && late < LATE_MAX; pass++) {
        bool in_hands = idle == PASSES - 2 && somebody_is_gone(arena); /* once a call, mostly, as it costs system calls */
        if (place == ADIT_BLOCK_HEAP ? take_from_segment(arena, &arena->segments[0], need, !pass, &found, &in_hands)
                                     : take_from_data(arena, place, n, need, !pass, &found, &in_hands)) {
            *ref = ref_of(arena, &found);
            return 0;
        }
        if (pass > 1) /* reclaiming alone did not help */
            (void)adit_pins_revoke_guests(arena);
        int error = pass ? adit_reclaim_now(arena, true) : 0;
        late += error == -ETIMEDOUT;
        begin = begin ? begin : adit_clock_ns();
        bool is_moving = in_hands && adit_clock_ns() - begin < IN_HANDS_NS; /* who splits may have lost its processor in between */
        idle = is_moving ? 0 : idle + 1;
        if (error || in_hands)
            wait_a_little(pass);
    }
    return no_run(arena, bytes, place, place && n < arena->segments_n - 1);
}

/* Moves the word of ref from one state and owner to another; false when it is not there. */
static bool move(struct adit_arena *arena, uint64_t ref, enum adit_block_state from, uint32_t from_owner, bool any_owner,
                 enum adit_block_state to, uint32_t to_owner)
{
    struct spot s = spot_of(arena, ref);
    if (!s.segment)
        return false;
    uint64_t word = adit_load_acquire(&s.segment->words[s.index]);
    /* a loop, because a racing CAS may fail on the tag alone; every round somebody made a transition */
    while (adit_word_state(word) == from && (any_owner || adit_word_owner(word) == from_owner))
        if (adit_cas_acq_rel(&s.segment->words[s.index], &word,
                             adit_word_make(word, to, adit_word_granules(word), to_owner)))
            return true;
    return false;
}

bool adit_block_is_loaned(const struct adit_arena *arena, uint64_t ref)
{
    struct spot s = spot_of(arena, ref);
    uint64_t word = s.segment ? adit_load_relaxed(&s.segment->words[s.index]) : 0; /* relaxed: ours, if it is */
    return adit_word_state(word) == ADIT_BLOCK_LOANED && adit_word_owner(word) == arena->owner;
}

bool adit_block_publish(struct adit_arena *arena, uint64_t ref)
{
    return move(arena, ref, ADIT_BLOCK_LOANED, arena->owner, false, ADIT_BLOCK_PUBLISHED, arena->owner);
}

void adit_block_unpublish(struct adit_arena *arena, uint64_t ref)
{
    (void)move(arena, ref, ADIT_BLOCK_PUBLISHED, arena->owner, false, ADIT_BLOCK_LOANED, arena->owner);
}

bool adit_block_retire(struct adit_arena *arena, uint64_t ref)
{
    return move(arena, ref, ADIT_BLOCK_PUBLISHED, 0, true, ADIT_BLOCK_RETIRED, arena->owner);
}

bool adit_block_hand_over(struct adit_arena *arena, uint64_t ref, uint32_t from, uint32_t to)
{
    return move(arena, ref, ADIT_BLOCK_RETIRED, from, false, ADIT_BLOCK_RETIRED, to);
}

bool adit_block_take_over(struct adit_arena *arena, uint64_t ref, uint32_t dead)
{
    return move(arena, ref, ADIT_BLOCK_LOANED, dead, false, ADIT_BLOCK_LOANED, arena->owner) ||
           move(arena, ref, ADIT_BLOCK_CLAIMED, dead, false, ADIT_BLOCK_LOANED, arena->owner);
}

bool adit_block_orphan(struct adit_arena *arena, uint64_t ref)
{
    return move(arena, ref, ADIT_BLOCK_PUBLISHED, 0, true, ADIT_BLOCK_RETIRED, 0);
}

bool adit_block_orphan_of(struct adit_arena *arena, uint64_t ref, uint32_t dead)
{
    return move(arena, ref, ADIT_BLOCK_PUBLISHED, dead, false, ADIT_BLOCK_RETIRED, 0);
}

void adit_block_free(struct adit_arena *arena, uint64_t ref)
{
    struct spot s = spot_of(arena, ref);
    if (!s.segment)
        return;
    uint64_t word = adit_load_relaxed(&s.segment->words[s.index]); /* relaxed: ours, nobody else changes it */
    if (adit_word_owner(word) != arena->owner || (adit_word_state(word) != ADIT_BLOCK_LOANED &&
                                                  adit_word_state(word) != ADIT_BLOCK_RETIRED))
        return;
    uint32_t n = step_of(word, s.index, extent_end(s.segment, s.index >> ADIT_EXTENT_SHIFT));
    set_word(s.segment, s.index, ADIT_BLOCK_CLAIMED, n, arena->owner);
    release(arena, s.segment, s.index, n);
}

uint64_t adit_block_bytes(const struct adit_arena *arena, uint64_t ref)
{
    struct spot s = spot_of(arena, ref);
    uint64_t word = s.segment ? adit_load_acquire(&s.segment->words[s.index]) : 0;
    return word ? (uint64_t)adit_word_granules(word) << ADIT_GRANULE_SHIFT : 0;
}

void adit_block_each(const struct adit_arena *arena, uint32_t segment,
                     void (*each)(uint64_t ref, uint64_t word, void *user), void *user)
{
    const struct adit_base *g = &arena->segments[segment];
    for (uint32_t i = 0; i < g->granules;) {
        uint64_t word = adit_load_acquire(&g->words[i]);
        if (word) {
            struct spot s = {g, i};
            each(ref_of(arena, &s), word, user);
        }
        i += step_of(word, i, extent_end(g, i >> ADIT_EXTENT_SHIFT));
    }
}

uint64_t adit_block_free_bytes(const struct adit_arena *arena, uint32_t segment, uint32_t extent, uint64_t least_bytes)
{
    const struct adit_base *g = &arena->segments[segment];
    const uint32_t end = extent_end(g, extent);
    uint64_t free = 0, run = 0, least = (least_bytes + ADIT_GRANULE_BYTES - 1) >> ADIT_GRANULE_SHIFT;
    for (uint32_t i = extent << ADIT_EXTENT_SHIFT; i < end;) {
        uint64_t word = adit_load_relaxed(&g->words[i]); /* relaxed: a count */
        uint32_t n = step_of(word, i, end);
        bool is_free = adit_word_state(word) == ADIT_BLOCK_FREE;
        run = is_free ? run + n : 0;
        if (is_free && run >= least)
            free += run - n < least ? run : n; /* the whole run once it is long enough, and then what joins it */
        i += n;
    }
    return free << ADIT_GRANULE_SHIFT;
}
