/* task_end.c - how tasks end, are tried again, and leave their slots free: each is one compare-and-swap of the task's word. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "runtime/task_queue.h"
#include "runtime/task_uses.h"
#include "runtime/task_wants.h"

static uint64_t freed(uint64_t word) { return adit_task_word(adit_task_round(word) + 1, 0, 0, ADIT_TASK_FREE, 0); }

/* A slot is free now: wakes who sleeps for room. */
static void tell_room(const struct adit_queue *q)
{
    adit_barrier_after_rmw();                           /* TASK:room: the word's CAS, then the look */
    if (!adit_load_relaxed(&q->slot->room_wanted))
        return;
    adit_store_relaxed(&q->slot->room_wanted, 0); /* once for all who wait: they say so again before they look */
    adit_event_post(&q->slot->room);
}

bool adit_task_free(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word)
{
    if (word & ADIT_TASK_AWAITED) { /* who ended it may be dead, or slow */
        adit_task_tell_after(q, place);
        word &= ~ADIT_TASK_AWAITED;
    }
    while (!adit_cas_acq_rel(&place->slot->word, &word, freed(word))) /* TASK:free, pairs with TASK:fill: our accesses before the next task's */
        if (!adit_task_has_ended(word) || adit_task_lead(word, adit_task_round_at(q, place->position)))
            return false; /* else a flag has changed */
    tell_room(q);
    return true;
}

/* Before a slot is anybody's: buffers may end with the task. */
static void drop_uses(const struct adit_queue *q, const struct adit_task_slot *t)
{
    if (__atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_HAS_USES) /* relaxed: advice, of a task that has just ended */
        adit_task_uses_drop(q, t);
}

/* What is left to do for who moved a task from before to its end: others wait for it, in two ways. */
static void finish(const struct adit_queue *q, const struct adit_task_place *place, uint64_t before, uint64_t now)
{
    if (before & ADIT_TASK_WAITED)
        adit_event_post(&q->slot->done); /* TASK:waited, pairs with adit_wait: the flag was set before it slept */
    drop_uses(q, place->slot);
    if (adit_task_state(now) == ADIT_TASK_FREE) {
        tell_room(q);
    } else if (now & ADIT_TASK_AWAITED) {
        adit_task_tell_after(q, place);
    }
}

/* The word of an end: one that nobody wants to know of is free at once. */
static uint64_t ended(uint64_t word, enum adit_task_state state)
{
    return word & ADIT_TASK_DETACHED && !(word & ADIT_TASK_AWAITED) ? freed(word) : adit_task_with(word, state, 0);
}

/* Those that have not run to their end. kind, handle: of the task, from before it ended. */
static void count_end(const struct adit_queue *q, enum adit_task_state state, uint32_t kind, uint64_t handle, uint64_t word)
{
    struct adit_arena *arena = q->arena;
    adit_count(arena, ADIT_COUNT_TASKS_CANCELLED, state == ADIT_TASK_CANCELLED);
    adit_count(arena, ADIT_COUNT_TASKS_EXPIRED, state == ADIT_TASK_EXPIRED);
    if (state != ADIT_TASK_POISONED)
        return;
    adit_count(arena, ADIT_COUNT_TASKS_POISONED + kind, 1);
    adit_event(arena, ADIT_EVENT_TASK_POISONED, adit_clock_ns(), handle, (uint64_t)kind << 56 | adit_task_attempt(word));
}

static uint32_t kind_of(const struct adit_task_slot *t) { return __atomic_load_n(&t->kind, __ATOMIC_RELAXED) % ADIT_KINDS; } /* relaxed: a figure */

bool adit_task_end(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word, enum adit_task_state state)
{
    uint64_t before = word;
    uint32_t kind = kind_of(place->slot);
    if (!adit_cas_seq_cst(&place->slot->word, &word, ended(word, state))) /* TASK:done, pairs with adit_wait, TASK:held */
        return false;
    finish(q, place, before, ended(before, state));
    count_end(q, state, kind, adit_task_handle(q, place->level, place->position), before);
    return true;
}

uint64_t adit_task_expires_ns(const struct adit_task_slot *t)
{
    if (!(__atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_HAS_TIMES)) /* relaxed, both: the task's, while its word is the same */
        return UINT64_MAX;
    uint64_t expires = adit_load_relaxed(&t->expires_ns);
    return expires && expires < UINT64_MAX - 1 ? expires : UINT64_MAX; /* as adit_task_later says it */
}

bool adit_task_expire(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word)
{
    uint64_t expires = adit_task_expires_ns(place->slot); /* while the word is word this is its task's, and the end is a CAS from word */
    if (expires == UINT64_MAX || expires > adit_clock_ns())
        return false;
    (void)adit_task_end(q, place, word, ADIT_TASK_EXPIRED);
    return true;
}

/* Has workers begin at position again, if they may have passed it. */
static void lower_head(const struct adit_queue *q, const struct adit_task_place *place)
{
    uint64_t *head = &q->slot->level[place->level].head, seen = adit_load_relaxed(head), to;
    do {
        uint64_t position = seen & ADIT_TASK_POSITION;
        position = position < place->position ? position : place->position;
        to = ((seen >> 48) + 1) << 48 | position;
    } while (!adit_cas_seq_cst(head, &seen, to)); /* TASK:return, pairs with TASK:claim's begin; bounded by others who raise it */
}

void adit_task_due(const struct adit_queue *q, uint64_t due_ns)
{
    uint64_t *due = &q->slot->due_ns, seen, to;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* TASK:due, pairs with adit_task_release_due: it sees the task, or this sees that it looks */
    seen = adit_load_relaxed(due);
    do {
        if (seen && !(seen & ADIT_TASK_DUE_LOOK) && seen <= due_ns)
            return;
        to = (seen && seen < due_ns ? seen : due_ns) & ~ADIT_TASK_DUE_LOOK;
    } while (!adit_cas_seq_cst(due, &seen, to)); /* bounded by others, who lower it or look */
}

bool adit_task_return(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word, uint64_t due_ns)
{
    uint64_t expires = due_ns ? adit_task_expires_ns(place->slot) : 0; /* before the CAS, by which it is still this task's */
    if (due_ns)
        adit_store_relaxed(&place->slot->due_ns, due_ns); /* relaxed: the word follows; only who has the task sets it */
    else if (adit_task_state(word) == ADIT_TASK_HELD || adit_task_state(word) == ADIT_TASK_DELAYED)
        adit_store_relaxed(&place->slot->waits_ns, adit_clock_ns()); /* relaxed: advice; it could not have run before */
    if (!adit_cas_seq_cst(&place->slot->word, &word, adit_task_with(word, due_ns ? ADIT_TASK_DELAYED : ADIT_TASK_QUEUED, 0))) /* TASK:return */
        return false;
    if (due_ns)
        adit_task_due(q, due_ns < expires ? due_ns : expires);
    else
        lower_head(q, place);
    return true;
}

/* Whether word is the claim's, whatever its flags. */
static bool is_ours(const struct adit_task_claim *c, uint64_t word) { return !((word ^ c->word) & ~ADIT_TASK_FLAGS); }

/* Whether an attempt that returned status is followed by another one. */
static bool is_tried_again(const struct adit_task_slot *t, uint64_t word, int status)
{
    bool retries = status == -ESTALE || (__atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_HAS_RETRY && status < 0 && status != -ECANCELED);
    return retries && !(word & ADIT_TASK_CANCEL) && adit_task_attempt(word) < adit_task_attempts_max(t);
}

/* When the next attempt may begin; 0: at once. */
static uint64_t next_attempt_ns(const struct adit_task_slot *t, uint64_t word)
{
    uint64_t backoff = __atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_HAS_TIMES ? adit_load_relaxed(&t->backoff_ns) : 0;
    for (uint32_t i = 1; i < adit_task_attempt(word); i++) /* 14 at most */
        backoff = adit_task_later(backoff, backoff);
    return backoff ? adit_task_later(adit_clock_ns(), backoff) : 0;
}

#define DECIDE_TRIES 1000u /* of 0.1 ms, while others are at its buffers, or have all readers and it has none; then who waits in this process tries on, or recovery */

/* RUNNING as *word says to COMMITTED, and all that it wrote in its place; *word: what it is then. 0; -EBADMSG: a shadow is not what it was, and it is RUNNING still; -ESTALE: it
 * is not ours any more, or stays COMMITTED for others to conclude. */
static int decide(const struct adit_queue *q, const struct adit_task_claim *c, struct adit_reader *reader, uint64_t *word)
{
    struct adit_task_slot *t = c->place.slot;
    if (!adit_task_uses_publish(q, t))
        return -EBADMSG;
    while (!adit_cas_seq_cst(&t->word, word, adit_task_with(*word, ADIT_TASK_COMMITTED, q->arena->owner))) /* TASK:commit */
        if (!is_ours(c, *word))
            return -ESTALE;
    *word = adit_task_with(*word, ADIT_TASK_COMMITTED, q->arena->owner);
    for (uint32_t i = 0; i < DECIDE_TRIES; i++) {
        if (adit_task_uses_apply(q, t, *word, reader))
            return 0;
        if ((adit_load_acquire(&t->word) ^ *word) & ~ADIT_TASK_FLAGS)
            return -ESTALE;
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    adit_store32_relaxed(&q->arena->left_committed, 1); /* relaxed: for this process's sleepers, after their next nap at the latest, and for who waits in adit_run */
    return -ESTALE;
}

/* To DONE, or CANCELLED, from word, which is ours but for flags. */
static bool conclude(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word, int status)
{
    uint64_t ours = word & ~ADIT_TASK_FLAGS;
    do {
        enum adit_task_state state = word & ADIT_TASK_CANCEL && status == -ECANCELED ? ADIT_TASK_CANCELLED : ADIT_TASK_DONE;
        uint64_t before = word;
        if (adit_cas_seq_cst(&place->slot->word, &word, ended(word, state))) { /* TASK:done, pairs with adit_wait, TASK:held: status and result */
            ADIT_PROBE(commit, adit_task_handle(q, place->level, place->position), status);
            finish(q, place, before, ended(before, state));
            if (state == ADIT_TASK_CANCELLED)
                adit_count(q->arena, ADIT_COUNT_TASKS_CANCELLED, 1);
            return true;
        }
    } while ((word & ~ADIT_TASK_FLAGS) == ours); /* bounded: flags are only set */
    return false;
}

/* Tells of one that may be run again. */
static void announce(const struct adit_queue *q, uint64_t kind, bool has_wants)
{
    if (has_wants)
        adit_task_announce_all(q);
    else
        adit_task_announce(q, 1, kind);
}

static void give_back(const struct adit_queue *q, struct adit_reader *reader)
{
    if (reader)
        adit_rcu_give_back(q->arena, reader);
}

bool adit_task_commit(const struct adit_queue *q, const struct adit_task_claim *c, struct adit_reader *reader, int status, const void *result, uint32_t bytes)
{
    struct adit_task_slot *t = c->place.slot;
    uint64_t word = adit_load_acquire(&t->word), kind = adit_task_kind_bit(t);
    uint32_t id = kind_of(t);
    bool has_wants = adit_task_has_wants(t), has_written = t->flags & ADIT_TASK_HAS_WRITES && status >= 0;
    if (!has_written) {
        give_back(q, reader);
        reader = NULL;
    }
    while (is_ours(c, word) && is_tried_again(t, word, status)) { /* bounded: flags are only set */
        if (adit_task_return(q, &c->place, word, next_attempt_ns(t, word))) {
            adit_count(q->arena, ADIT_COUNT_TASKS_RETRIED + id, 1);
            announce(q, kind, has_wants);
            return true;
        }
        word = adit_load_acquire(&t->word);
    }
    if (!is_ours(c, word)) {
        give_back(q, reader);
        return false;
    }
    t->worker = (uint16_t)adit_owner_slot(q->arena->owner);
    __atomic_store_n(&t->result_bytes, (uint8_t)bytes, __ATOMIC_RELAXED); /* relaxed: TASK:done follows */
    memcpy(bytes > ADIT_TASK_SHORT_RESULT ? t->long_result : t->result, result, bytes);
    t->status = status;
    int error = has_written ? decide(q, c, reader, &word) : 0;
    give_back(q, reader); /* before others hear of the end, who may need it */
    if (error == -ESTALE)
        return false;
    if (error)
        t->status = error;
    return conclude(q, &c->place, word, status);
}

bool adit_task_put_back(const struct adit_queue *q, const struct adit_task_claim *c)
{
    uint64_t word = adit_load_acquire(&c->place.slot->word), kind = adit_task_kind_bit(c->place.slot);
    bool has_wants = adit_task_has_wants(c->place.slot);
    if (is_ours(c, word) && __atomic_load_n(&c->place.slot->flags, __ATOMIC_RELAXED) & ADIT_TASK_HAS_LIMITS) /* relaxed, both: this worker's task */
        adit_store_relaxed(&c->place.slot->started_ns, 0); /* an attempt of the same number follows */
    while (is_ours(c, word)) /* bounded: flags are only set */
        if (adit_cas_seq_cst(&c->place.slot->word, &word, adit_task_with(word, ADIT_TASK_QUEUED, 0) - (1ull << 36))) { /* TASK:return; attempt - 1, which the claim added */
            lower_head(q, &c->place);
            announce(q, kind, has_wants);
            return true;
        }
    return false;
}

void adit_task_conclude_committed(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word)
{
    if (adit_task_uses_apply(q, place->slot, word, NULL))
        (void)conclude(q, place, word, 0);
    else if (adit_task_owner(word) == q->arena->owner)
        adit_store32_relaxed(&q->arena->left_committed, 1); /* relaxed: as above */
}
