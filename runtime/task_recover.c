/* task_recover.c - what a dead participant had in queues. Each step is one compare-and-swap from a word that names the dead, or one that sets DETACHED, so it
 * may be left anywhere and made again, beside everybody's work. */
#include "runtime/task_groups.h"
#include "runtime/task_limit.h"
#include "runtime/task_sleepers.h"

#define ROUNDS_MAX 64u /* at one slot; a task has fewer transitions that are not its end */
#define AGAIN_NS 20000000u /* before the third attempt, where the second ended by a death */
#define AGAIN_DOUBLED_MAX 6u

/* The signal by which the worker process that is participant owner said it died; 0: it was none, or did not say. */
static int32_t signal_of(const struct adit_arena *arena, uint32_t owner)
{
    for (uint32_t i = 0; i < arena->workers_max; i++)
        if (adit_load32_acquire(&arena->workers[i].owner) == owner)
            return (int32_t)(adit_load32_relaxed(&arena->workers[i].died_of) & 0x7f); /* relaxed: stored before the death that was noticed */
    return 0;
}

/* Its last attempt has killed its worker, too: the dead one's number, and of what it died, go into the result. While the word is word nobody else stores there. */
static void poison(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word, uint32_t owner)
{
    __atomic_store_n(&place->slot->worker, (uint16_t)adit_owner_slot(owner), __ATOMIC_RELAXED); /* relaxed, both: POISONED follows */
    __atomic_store_n(&place->slot->status, signal_of(q->arena, owner), __ATOMIC_RELAXED);
    (void)adit_task_end(q, place, word, ADIT_TASK_POISONED);
}

/* When the task of word may be tried again, its worker having died. Workers die for any reason, so after a first attempt at once; one whose later attempt ended so, too, is likely to
 * have killed them, and to replace workers as fast as it kills them would take half of what healthy tasks have. */
static uint64_t again_ns(uint64_t word)
{
    uint32_t attempts = adit_task_attempt(word), doubled = attempts < 2 ? 0 : attempts - 2;
    return attempts < 2 ? 0 : adit_task_later(adit_clock_ns(), (uint64_t)AGAIN_NS << (doubled < AGAIN_DOUBLED_MAX ? doubled : AGAIN_DOUBLED_MAX));
}

/* Of a task that the dead one submitted, or of its own. False: it is COMMITTED still. */
static bool recover_at(const struct adit_queue *q, const struct adit_task_place *place, uint32_t owner)
{
    struct adit_task_slot *t = place->slot;
    uint64_t stuck = 0;
    for (uint32_t round = 0; round < ROUNDS_MAX; round++) { /* each round another word: the task's transitions, or a mad peer's */
        uint64_t word = adit_load_acquire(&t->word);
        if (adit_task_state(word) == ADIT_TASK_HELD)
            adit_task_look_after(q, place, word); /* the dead one may have ended what it waits for */
        if (adit_task_has_ended(word) && word & ADIT_TASK_AWAITED)
            adit_task_tell_after(q, place); /* likewise */
        word = adit_load_acquire(&t->word); /* by which the slot may be free, or another's */
        enum adit_task_state state = adit_task_state(word);
        bool is_mine = adit_task_owner(word) == owner;
        if (state == ADIT_TASK_FREE || (state == ADIT_TASK_FILLING && !is_mine))
            return true;
        bool was_submitted = state != ADIT_TASK_FILLING && !(word & ADIT_TASK_DETACHED) && adit_load32_relaxed(&t->submitter) == owner;
        if (state == ADIT_TASK_FILLING)
            (void)adit_task_free(q, place, word);
        else if (adit_task_has_ended(word) && (was_submitted || word & ADIT_TASK_DETACHED))
            (void)adit_task_free(q, place, word);
        else if (was_submitted)
            (void)adit_cas_acq_rel(&t->word, &word, word | ADIT_TASK_DETACHED); /* of word's task: had it changed, this fails */
        else if (!is_mine)
            break;
        else if (state == ADIT_TASK_COMMITTED && word == stuck)
            return false;
        else if (state == ADIT_TASK_COMMITTED)
            adit_task_conclude_committed(q, place, stuck = word);
        else if (adit_task_limit_is_over(t, word))
            (void)adit_task_end(q, place, word, ADIT_TASK_EXPIRED);
        else if (word & ADIT_TASK_CANCEL)
            (void)adit_task_end(q, place, word, ADIT_TASK_CANCELLED);
        else if (adit_task_attempt(word) >= adit_task_attempts_max(t))
            poison(q, place, word, owner);
        else
            (void)adit_task_return(q, place, word, again_ns(word));
    }
    enum adit_task_state now = adit_task_state(adit_load_acquire(&t->word));
    uint64_t due = now == ADIT_TASK_DELAYED ? adit_load_relaxed(&t->due_ns) : UINT64_MAX, expires = adit_task_expires_ns(t); /* relaxed: a hint, earlier is no harm */
    due = due < expires ? due : expires;
    if ((now == ADIT_TASK_DELAYED || now == ADIT_TASK_HELD) && due != UINT64_MAX)
        adit_task_due(q, due); /* who delayed or submitted it may not have come to that */
    return true;
}

/* A spinner that is gone: others may sleep because of it. */
static void forget_spinner(const struct adit_queue *q, uint32_t owner)
{
    uint64_t seen = adit_load_relaxed(&q->slot->spinner);
    if (seen >> 32 == owner)
        (void)adit_cas_seq_cst(&q->slot->spinner, &seen, 0); /* TASK:spinner */
}

/* Those of it that were asleep. */
static void forget_sleepers(const struct adit_queue *q, uint32_t owner)
{
    for (uint32_t i = 0; i < ADIT_TASK_SLEEPERS_MOST && adit_task_sleeper_leave(q, owner); i++) {
    }
}

bool adit_tasks_recover(struct adit_arena *arena, uint32_t owner)
{
    bool is_all = true;
    struct adit_queue q;
    uint64_t slots = arena->tasks_max; /* queues do not share any */
    for (uint32_t id = 0; id < arena->queues_max; id++) {
        if (!adit_queue_adopt(arena, id, &q) || (uint64_t)q.levels_n << q.shift > slots)
            continue;
        slots -= (uint64_t)q.levels_n << q.shift;
        forget_spinner(&q, owner);
        forget_sleepers(&q, owner);
        for (uint32_t level = 0; level < q.levels_n; level++) {
            struct adit_task_walk w = adit_task_walk(&q, level, ADIT_TASK_GROUP_FREE);
            while (adit_task_walk_on(&w)) {
                struct adit_task_place place = adit_task_place_of(&q, level, w.slot, w.word);
                is_all &= recover_at(&q, &place, owner); /* whatever has the slot now, what is the owner's in it stays */
            }
        }
        adit_event_post(&q.slot->work); /* what it ran may run again, and of what it submitted or delayed, or was woken for, it may not have told */
        adit_event_post(&q.slot->done); /* the same for what it ended, */
        adit_event_post(&q.slot->room); /* and for the room that it made */
    }
    return is_all;
}

bool adit_task_recover_one(struct adit_arena *arena, uint64_t handle, uint32_t owner)
{
    struct adit_queue q;
    struct adit_task_place place;
    if (!adit_task_find(arena, handle, &q, &place))
        return false;
    uint64_t word = adit_load_acquire(&place.slot->word);
    if (adit_task_state(word) != ADIT_TASK_RUNNING || adit_task_owner(word) != owner || adit_task_lead(word, adit_task_round_at(&q, place.position)))
        return false; /* it was committed, or was not claimed yet */
    (void)recover_at(&q, &place, owner);
    return true;
}
