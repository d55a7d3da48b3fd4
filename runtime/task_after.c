/* task_after.c - tasks that wait for others. A HELD task names all that it depends on, and one of them that has not ended as its blocker; that one is AWAITED.
 *
 *     who holds up         blocker[S] := P ; P |= AWAITED (fails when P has ended: look at the next)          S's submitter, who ended another of S's, recovery
 *     who ends P           P: DONE | AWAITED ; for each S with blocker[S] = P: look at all of S's again ; AWAITED away
 *
 * Why none is forgotten. blocker[S] is stored before AWAITED is set, by each who waits anew, and AWAITED can only be set while P has not ended (TASK:await, a CAS of P's word); so who ends P after it finds
 * blocker[S]. S becomes HELD before anybody looks (TASK:held): a look that comes too early for the one who ends P is made by S's submitter itself, after
 * P's end, as both the store of HELD and the end are seq_cst. A look that is late may store a blocker into a slot that another task has by then:
 * so who stores looks at S's word again, and if it is another's, looks after that one. AWAITED stays on an ended task until all were looked at, and until
 * then it is not freed: who takes its result looks first, in case who ended it has died; recovery does so, too. All of it may be done twice and by several at once: what it comes to is
 * one compare-and-swap of S's word from HELD.
 *
 * No cycles: a task can only wait for tasks that were submitted before it. */
#include "runtime/task_groups.h"
#include "runtime/task_wants.h"

#define LOOKS_MAX 64u /* at a task whose blockers end, or whose slot changes hands, as often as it is looked at */

enum standing { STANDS_PENDING, STANDS_DONE, STANDS_FAILED };

static uint64_t *blocker_of(const struct adit_queue *q, const struct adit_task_place *place)
{
    return &q->arena->task_blockers[place->slot - q->arena->tasks];
}

bool adit_task_was_submitted(struct adit_arena *arena, uint64_t handle)
{
    struct adit_queue q;
    struct adit_task_place place;
    if (!adit_task_find(arena, handle, &q, &place))
        return false;
    uint64_t word = adit_load_acquire(&place.slot->word);
    uint64_t there = adit_task_place_of(&q, place.level, place.position & ((1ull << q.shift) - 1), word).position; /* all of it: words carry the low bits of rounds */
    return there > place.position || (there == place.position && adit_task_state(word) > ADIT_TASK_FILLING);
}

/* What has become of a task; *word is its word while it is pending. */
static enum standing stand_of(const struct adit_queue *q, const struct adit_task_place *place, uint64_t *word)
{
    *word = adit_load_seq_cst(&place->slot->word);
    if (adit_task_lead(*word, adit_task_round_at(q, place->position)) || adit_task_state(*word) == ADIT_TASK_FREE)
        return STANDS_DONE; /* who took its result knows more */
    if (!adit_task_has_ended(*word))
        return STANDS_PENDING;
    if (adit_task_state(*word) != ADIT_TASK_DONE)
        return STANDS_FAILED;
    int32_t status = __atomic_load_n(&place->slot->status, __ATOMIC_RELAXED); /* relaxed: of word's task, as it is the same afterwards */
    return adit_load_seq_cst(&place->slot->word) >> 40 != *word >> 40 || status >= 0 ? STANDS_DONE : STANDS_FAILED;
}

/* Makes handle the blocker of the task at place if it is pending. */
static enum standing hold_up(const struct adit_queue *q, const struct adit_task_place *place, uint64_t handle)
{
    struct adit_queue other;
    struct adit_task_place pred;
    uint64_t word;
    if (!adit_task_find(q->arena, handle, &other, &pred))
        return STANDS_DONE; /* damaged: nothing to wait for */
    for (uint32_t i = 0; i < LOOKS_MAX; i++) {
        enum standing stands = stand_of(&other, &pred, &word);
        if (stands != STANDS_PENDING)
            return stands;
        adit_store_seq_cst(blocker_of(q, place), handle);
        if (adit_cas_seq_cst(&pred.slot->word, &word, word | ADIT_TASK_AWAITED)) /* TASK:await; also where others had set it: it may have ended since word was read */
            return STANDS_PENDING;
    }
    return STANDS_PENDING; /* it changes all the time: it lives, and recovery or its end come by again */
}

/* One look at all that the HELD task of word depends on; true: it was the right task's. */
static bool look_once(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word)
{
    const struct adit_task_slot *t = place->slot;
    const struct adit_task_after *after = &q->arena->task_after[t - q->arena->tasks];
    bool takes_any = __atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_AFTER_ANY; /* relaxed: all of them are of word's task, or the end's CAS fails */
    for (uint32_t i = 0; i < ADIT_TASK_AFTER_MAX; i++) {
        uint64_t handle = adit_load_relaxed(&after->task[i]);
        enum standing stands = handle ? hold_up(q, place, handle) : STANDS_DONE;
        if (stands == STANDS_PENDING)
            return (adit_load_seq_cst(&t->word) ^ word) >> 40 == 0;
        if (stands == STANDS_FAILED && !takes_any)
            return adit_task_end(q, place, word, ADIT_TASK_CANCELLED);
    }
    if (__atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_IS_JOIN)
        return adit_task_end(q, place, word, ADIT_TASK_DONE);
    uint64_t due = __atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_HAS_DUE ? adit_load_relaxed(&t->due_ns) : 0;
    uint64_t kind = adit_task_kind_bit(t);
    bool has_wants = adit_task_has_wants(t);
    if (!adit_task_return(q, place, word, due > adit_clock_ns() ? due : 0))
        return false;
    if (has_wants)
        adit_task_announce_all(q);
    else
        adit_task_announce(q, 1, kind);
    return true;
}

void adit_task_look_after(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word)
{
    for (uint32_t i = 0; i < LOOKS_MAX && adit_task_state(word) == ADIT_TASK_HELD; i++) {
        uint64_t slot = (uint64_t)(place->slot - q->tasks);
        struct adit_task_place now = adit_task_place_of(q, place->level, slot & ((1ull << q->shift) - 1), word);
        if (look_once(q, &now, word))
            return;
        word = adit_load_acquire(&place->slot->word);
    }
}

void adit_task_look_after_all(const struct adit_queue *q)
{
    adit_store32_relaxed(&q->arena->left_committed, 0); /* relaxed: before the looks, which say so again */
    for (uint32_t level = 0; level < q->levels_n; level++) {
        struct adit_task_walk w = adit_task_walk(q, level, ADIT_TASK_GROUP_ENDED);
        while (adit_task_walk_on(&w)) {
            struct adit_task_place place = adit_task_place_of(q, level, w.slot, w.word);
            if (adit_task_state(w.word) == ADIT_TASK_HELD && !adit_task_expire(q, &place, w.word))
                adit_task_look_after(q, &place, w.word);
            else if (adit_task_state(w.word) == ADIT_TASK_COMMITTED && adit_task_owner(w.word) == q->arena->owner)
                adit_task_conclude_committed(q, &place, w.word); /* beside the worker that is at it no harm: what it comes to is one compare-and-swap */
        }
    }
}

/* Looks after those of one queue that wait for handle. They are in groups without the mark: such a one's GROUP:enter came before its TASK:await, and that before the end that this follows. */
static void tell_queue(const struct adit_queue *q, uint64_t handle)
{
    for (uint32_t level = 0; level < q->levels_n; level++) {
        const uint64_t *blockers = q->arena->task_blockers + (q->tasks - q->arena->tasks) + ((uint64_t)level << q->shift);
        struct adit_task_walk w = adit_task_walk(q, level, ADIT_TASK_GROUP_ENDED);
        uint64_t first;
        for (uint32_t n; (n = adit_task_walk_group(&w, &first));)
            for (uint64_t i = first; i < first + n; i++) {
                if (adit_load_relaxed(&blockers[i]) != handle) /* relaxed: TASK:await came before the end that this follows */
                    continue;
                uint64_t word = adit_load_seq_cst(&adit_task_at(q, level, i)->word); /* TASK:held */
                struct adit_task_place place = adit_task_place_of(q, level, i, word);
                adit_task_look_after(q, &place, word);
            }
    }
}

/* Has all who wait for the ended task at place looked at; then nobody does, and it is free if nobody wants its result. */
static void tell(const struct adit_queue *q, const struct adit_task_place *place)
{
    struct adit_queue other;
    uint64_t handle = adit_task_handle(q, place->level, place->position), word;
    for (uint32_t id = 0; id < q->arena->queues_max; id++)
        if (adit_queue_adopt(q->arena, id, &other))
            tell_queue(&other, handle);
    word = adit_load_acquire(&place->slot->word);
    while (!adit_task_lead(word, adit_task_round_at(q, place->position)) && word & ADIT_TASK_AWAITED &&
           !adit_cas_acq_rel(&place->slot->word, &word, word & ~ADIT_TASK_AWAITED)) { /* bounded: flags change a few times */
    }
    word &= ~ADIT_TASK_AWAITED;
    if (word & ADIT_TASK_DETACHED && !adit_task_lead(word, adit_task_round_at(q, place->position)))
        (void)adit_task_free(q, place, word);
}

/* A task that failed ends those that wait for it, and these others: so far this goes down at once, then it is left and done from the top. */
#define DEPTH_MAX 16u
static _Thread_local uint32_t depth;
static _Thread_local bool is_left;

static void tell_left(const struct adit_queue *q)
{
    for (uint32_t level = 0; level < q->levels_n; level++) {
        struct adit_task_walk w = adit_task_walk(q, level, ADIT_TASK_GROUP_FREE);
        while (adit_task_walk_on(&w)) {
            struct adit_task_place place = adit_task_place_of(q, level, w.slot, w.word);
            if (adit_task_has_ended(w.word) && w.word & ADIT_TASK_AWAITED)
                tell(q, &place);
        }
    }
}

void adit_task_tell_after(const struct adit_queue *q, const struct adit_task_place *place)
{
    struct adit_queue other;
    if (depth == DEPTH_MAX) {
        is_left = true;
        return;
    }
    depth++;
    tell(q, place);
    while (depth == 1 && is_left) { /* bounded: each round ends tasks that waited */
        is_left = false;
        for (uint32_t id = 0; id < q->arena->queues_max; id++)
            if (adit_queue_adopt(q->arena, id, &other))
                tell_left(&other);
    }
    depth--;
}
