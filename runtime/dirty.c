#include "runtime/dirty.h"

#include <errno.h>

#include "runtime/interest.h"
#include "runtime/store.h"
#include "runtime/tombstone.h"
#include "runtime/watch.h"

#define STARVED_MAX 32u         /* meshes in a row, during the call, without memory until settle gives up */
#define SETTLE_LOOK_NS 20000000u /* between looks at starved, and in case a dispatcher died before its post */

void adit_dirty_mark(struct adit_arena *arena, uint32_t index)
{
    struct adit_bitset dirty = adit_dirty_set(arena);
    if (!adit_bitset_has(&dirty, index)) /* else it has waited since then; two who mark at once differ by nothing that counts */
        adit_store_relaxed(&arena->entries[index].dirty_ns, adit_clock_ns()); /* relaxed: advice */
    if (adit_bitset_add(&dirty, index) || !adit_load_relaxed(&arena->entries[index].due_ns)) /* else whoever added it has posted, and who looked then waits until it is due */
        adit_event_post(&arena->waits->dirty_event);
}

/* Not before entry.due_ns, or before who looks now would see it: viewers come, go, move, and say again and again when their frames begin, a little off each time. So what they would see sooner becomes due then, not at once. */
static bool is_due(const struct adit_arena *arena, uint32_t index, struct adit_dirty_walk *walk)
{
    uint64_t *due_ns = &arena->entries[index].due_ns, due = adit_load_relaxed(due_ns); /* relaxed: advice */
    if (!due)
        return true;
    walk->now_ns = walk->now_ns ? walk->now_ns : adit_clock_ns();
    if (due <= walk->now_ns)
        return true;
    struct adit_interest seen; /* not kept in the walk: most walks come to nothing that is not due, and it is large to be cleared */
    const uint64_t packed = adit_store_key(arena, index);
    adit_interest_look(arena, &seen);
    uint64_t sooner = adit_interest_due(&seen, packed, walk->now_ns);
    if (!sooner || adit_watch_is_by_others(arena, packed, ADIT_WATCH_MESHES))
        return true;
    if (sooner < due && arena->owner)
        adit_store_relaxed(due_ns, sooner); /* relaxed: should a mesh be finished at the same time, its next one may come as early once */
    due = sooner < due ? sooner : due;
    walk->due_ns = !walk->due_ns || due < walk->due_ns ? due : walk->due_ns;
    return false;
}

void adit_dirty_nudge(struct adit_arena *arena)
{
    struct adit_bitset dirty = adit_dirty_set(arena);
    uint32_t cursor = 0, index;
    if (arena->owner && adit_bitset_find(&dirty, &cursor, &index))
        adit_event_post(&arena->waits->dirty_event);
}

static bool walk_on(const struct adit_bitset *set, struct adit_dirty_walk *walk, uint32_t *cursor, uint32_t *index)
{
    if (!adit_bitset_find(set, cursor, index))
        return false;
    uint32_t offset = *index >= walk->begin ? *index - walk->begin : *index + set->n - walk->begin;
    bool is_further = offset >= walk->passed;
    walk->passed = offset + 1;
    return is_further;
}

bool adit_dirty_next(const struct adit_arena *arena, struct adit_dirty_walk *walk, uint32_t *cursor, uint32_t *index)
{
    struct adit_bitset dirty = adit_dirty_set(arena);
    while (walk_on(&dirty, walk, cursor, index))
        if (!adit_load_acquire(&arena->entries[*index].work) && is_due(arena, *index, walk))
            return true;
    return false;
}

bool adit_dirty_is_free(const struct adit_arena *arena, uint32_t index)
{
    struct adit_bitset dirty = adit_dirty_set(arena);
    return adit_bitset_has(&dirty, index) && !adit_load_acquire(&arena->entries[index].work);
}

bool adit_dirty_hold(struct adit_arena *arena, uint32_t index)
{
    struct adit_bitset working = adit_working_set(arena);
    uint64_t idle = 0;
    /* DIRTY:claim. Acquire: the mesh the last worker committed is visible (pairs with DIRTY:finish). */
    if (!adit_cas_acq_rel(&arena->entries[index].work, &idle, arena->owner))
        return false;
    adit_bitset_add(&working, index);
    return true;
}

void adit_dirty_let_go(struct adit_arena *arena, uint32_t index)
{
    struct adit_bitset dirty = adit_dirty_set(arena);
    adit_store_release(&arena->entries[index].work, 0); /* DIRTY:finish, pairs with DIRTY:claim */
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* work, then the look; who marks adds the bit and then looks whether somebody is at it (is_wanted) */
    if (adit_bitset_has(&dirty, index))
        adit_event_post(&arena->waits->dirty_event);
}

bool adit_dirty_claim_at(struct adit_arena *arena, uint32_t index)
{
    struct adit_bitset dirty = adit_dirty_set(arena), working = adit_working_set(arena);
    if (!adit_dirty_hold(arena, index))
        return false;
    if (adit_bitset_remove(&dirty, index))
        return true;
    adit_bitset_remove(&working, index);
    adit_dirty_let_go(arena, index);
    return false;
}

bool adit_dirty_claim(struct adit_arena *arena, uint32_t *cursor, uint32_t *index)
{
    struct adit_bitset dirty = adit_dirty_set(arena);
    struct adit_dirty_walk walk = adit_dirty_walk_from(arena, *cursor);
    while (walk_on(&dirty, &walk, cursor, index))
        if (is_due(arena, *index, &walk) && adit_dirty_claim_at(arena, *index))
            return true;
    return false;
}

bool adit_dirty_is_done(const struct adit_arena *arena, uint32_t index)
{
    struct adit_bitset dirty = adit_dirty_set(arena), working = adit_working_set(arena);
    uint64_t returns = adit_load_seq_cst(&arena->control->returns);
    return !adit_bitset_has(&dirty, index) && !adit_bitset_has(&working, index) && !adit_bitset_has(&dirty, index) &&
           adit_load_seq_cst(&arena->control->returns) == returns; /* as is_settled */
}

void adit_dirty_recover(struct adit_arena *arena, uint32_t owner)
{
    struct adit_bitset dirty = adit_dirty_set(arena), working = adit_working_set(arena);
    adit_bitset_mend(&dirty);
    adit_bitset_mend(&working);
    for (uint32_t i = 0; i < arena->chunks_max; i++) {
        uint64_t was = owner, ours = arena->owner ? arena->owner : owner; /* an observer, of an image, has nobody beside it */
        if (adit_load_acquire(&arena->entries[i].work) != owner || !adit_cas_acq_rel(&arena->entries[i].work, &was, ours))
            continue; /* ours now: another who recovers the same one does not come here, and if we die here it is recovered as ours */
        if (!adit_store_recover(arena, i)) { /* it was entering a key, or forgetting one */
            adit_tombstones_clear(arena, i);
        } else if (adit_load_acquire(&arena->entries[i].current)) {
            adit_bitset_add(&dirty, i); /* before it leaves working: never in neither */
            adit_add_seq_cst(&arena->control->returns, 1);
        }
        adit_bitset_remove(&working, i);
        adit_store_release(&arena->entries[i].work, 0); /* DIRTY:finish, for the dead */
    }
    adit_event_post(&arena->waits->dirty_event);
    adit_event_post(&arena->waits->settled_event);
}

static bool is_settled(void *context)
{
    const struct adit_arena *arena = context;
    struct adit_bitset dirty = adit_dirty_set(arena), working = adit_working_set(arena);
    uint32_t cursor = 0, i;
    uint64_t returns = adit_load_seq_cst(&arena->control->returns);
    /* A chunk enters working before it leaves dirty, and becomes dirty again before it leaves working: one that is in neither
     * at one of these looks is found by another, unless it goes from working to dirty between the first two and back between the
     * last two. Then it has been counted in between. */
    return !adit_bitset_find(&dirty, &cursor, &i) && !adit_bitset_find(&working, &cursor, &i) &&
           !adit_bitset_find(&dirty, &cursor, &i) && adit_load_seq_cst(&arena->control->returns) == returns;
}

void adit_dirty_finish(struct adit_arena *arena, uint32_t index, bool again)
{
    struct adit_bitset dirty = adit_dirty_set(arena), working = adit_working_set(arena);
    if (again) {
        adit_bitset_add(&dirty, index);
        adit_add_seq_cst(&arena->control->returns, 1);
    }
    adit_bitset_remove(&working, index);
    adit_dirty_let_go(arena, index);
    if (!adit_bitset_has(&dirty, index) && is_settled(arena))
        adit_event_post(&arena->waits->settled_event);
}

bool adit_dirty_give_up(struct adit_arena *arena, uint32_t index, uint64_t current)
{
    if (!adit_dirty_claim_at(arena, index))
        return false;
    bool is_same = adit_load_acquire(&arena->entries[index].current) == current;
    if (is_same)
        adit_store_release(&arena->entries[index].given_up, current); /* before it is neither dirty nor in work: who finds it so and without a mesh sees why */
    adit_dirty_finish(arena, index, !is_same);
    return true;
}

uint32_t adit_dirty_count(const struct adit_arena *arena)
{
    struct adit_bitset dirty = adit_dirty_set(arena);
    struct adit_dirty_walk walk = adit_dirty_walk_from(arena, 0);
    uint32_t n = 0, cursor = 0, index;
    if (!adit_interest_high(arena))
        return adit_bitset_count(&dirty);
    while (adit_dirty_next(arena, &walk, &cursor, &index))
        n++;
    return n;
}

struct attention {
    const struct adit_arena *arena;
    const uint32_t *stop;
    uint64_t until_ns, due_ns; /* waited for; the soonest that is not due yet, 0: there is none */
    bool is_wanted;
};

/* True when an entry is dirty that nobody is at: finish posts for the others; or when one will be due before this wait ends. */
static bool is_to_look(void *context)
{
    struct attention *a = context;
    uint32_t cursor = 0, i;
    struct adit_dirty_walk walk = {0};
    a->is_wanted = adit_load32_acquire(a->stop) || adit_dirty_next(a->arena, &walk, &cursor, &i);
    a->due_ns = walk.due_ns;
    return a->is_wanted || (walk.due_ns && walk.due_ns < a->until_ns);
}

/* One look and a sleep: of what is not due there may be thousands, so nobody spins over them. */
static void sleep_until(struct adit_arena *arena, struct attention *a)
{
    struct adit_event *event = &arena->waits->dirty_event;
    adit_add32_seq_cst(&event->waiters, 1); /* EVENT:wait, as event.c: before the look */
    uint32_t seq = adit_load32_acquire(&event->seq);
    bool is_over = is_to_look(a);
    uint64_t now = adit_clock_ns(); /* behind the look, which may have taken a while */
    if (!is_over && a->until_ns > now)
        (void)adit_futex_wait(&event->seq, seq, a->until_ns - now);
    adit_sub32_seq_cst(&event->waiters, 1);
}

int adit_dirty_wait(struct adit_arena *arena, const uint32_t *stop, uint64_t timeout_ns)
{
    uint64_t now = adit_clock_ns(), end = now + timeout_ns > now ? now + timeout_ns : UINT64_MAX;
    struct attention a = {.arena = arena, .stop = stop, .until_ns = end};
    do { /* each turn waits for something that is due sooner than what the one before waited for, or until it is due */
        if (a.due_ns)
            sleep_until(arena, &a);
        else
            (void)adit_event_wait(&arena->waits->dirty_event, is_to_look, &a, a.until_ns > now ? a.until_ns - now : 0);
        a.until_ns = a.due_ns && a.due_ns < end ? a.due_ns : end;
        now = adit_clock_ns();
    } while (!a.is_wanted && now < end);
    return a.is_wanted ? 0 : -ETIMEDOUT;
}

int adit_dirty_settle(struct adit_arena *arena, uint64_t timeout_ns)
{
    uint64_t begin = adit_clock_ns(), passed = 0, starved = adit_load_relaxed(&arena->control->starved);
    do {
        uint64_t left = timeout_ns == ADIT_FOREVER ? SETTLE_LOOK_NS : timeout_ns - passed;
        left = left < SETTLE_LOOK_NS ? left : SETTLE_LOOK_NS;
        if (!adit_event_wait(&arena->waits->settled_event, is_settled, arena, left))
            return 0;
        uint64_t now = adit_load_relaxed(&arena->control->starved);
        starved = now < starved ? now : starved; /* a mesh found room meanwhile */
        if (now >= starved + STARVED_MAX)
            return adit_fault(-ENOMEM, "arena %s: no room for the meshes of its chunks; create it larger (--size)",
                              arena->name);
        passed = adit_clock_ns() - begin;
    } while (passed < timeout_ns); /* bounded by timeout_ns */
    return adit_fault(-ETIMEDOUT, "arena %s: chunks are still being meshed; is a dispatcher running?", arena->name);
}
