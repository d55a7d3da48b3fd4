/* task_claim.c - tasks out of queues: which one is next, and one compare-and-swap that makes it this worker's (task_queue.h says why none is missed). */
#include "runtime/kind.h"
#include "runtime/task_groups.h"
#include "runtime/task_wants.h"

#define RAISE_EVERY 16u     /* positions that a worker is ahead of head before it tells the others */
#define LOOK_EVERY 8u       /* claims between looks for tasks that are due, and for one that has waited too long */
#define LOOK_NS 10000000u   /* that looking for tasks that are due takes at most, else another worker does it, too */
#define AGE_NS 100000000u   /* that a task of a level may wait longer than one of the level above */
#define OLDEST_LOOKS 64u     /* behind head, which is told to others now and then only */
#define TRIES_MAX 64u       /* looks at one slot whose word others change meanwhile */
#define FREED_LOOKS 64u     /* in one claim, at tasks that held this worker up, whether they do so still */

enum step {
    STEP_ON,
    STEP_OVER,  /* as STEP_ON; what lies there may be for this worker later */
    STEP_STAY,  /* look on, but come back here */
    STEP_LEAVE, /* look on; what waits there is never for this worker, but others may run it: they begin there */
    STEP_END,
    STEP_CLAIMED,
    STEP_AGAIN
};

/* It is for workers of other kinds, or for producers. */
static __attribute__((noinline)) enum step leave(struct adit_task_cursor *c, const struct adit_task_place *place)
{
    c->passed[place->level] |= adit_task_kind_bit(place->slot);
    return STEP_LEAVE;
}

/* Claims the QUEUED task of word at place if this worker can run it. word: what is there now, when it could not be had. */
static enum step claim_at(const struct adit_queue *q, struct adit_task_cursor *c, const struct adit_task_place *place, uint64_t *word, uint64_t kinds, struct adit_task_claim *out)
{
    uint32_t flags = __atomic_load_n(&place->slot->flags, __ATOMIC_RELAXED); /* relaxed: whatever they are, the word says whether it is still that task */
    uint64_t reserved = 0;
    if (flags & ADIT_TASK_HAS_TIMES && adit_task_expire(q, place, *word)) { /* whoever could run it: others may wait for its end */
        *word = adit_load_acquire(&place->slot->word);
        return STEP_AGAIN;
    }
    if (!(kinds >> (__atomic_load_n(&place->slot->kind, __ATOMIC_RELAXED) & 63) & 1)) /* relaxed: looked at again by who runs it */
        return leave(c, place);
    if (flags & ADIT_TASK_HAS_WRITES && q->arena->role != ADIT_ROLE_PRODUCER)
        return leave(c, place);
    if (adit_task_attempt(*word) >= adit_task_attempts_max(place->slot)) { /* a damaged one: recovery has counted before it gave it back */
        (void)adit_task_end(q, place, *word, ADIT_TASK_POISONED);
        *word = adit_load_acquire(&place->slot->word);
        return STEP_AGAIN;
    }
    if (flags & ADIT_TASK_HAS_WANTS && !adit_task_wants_suit(q, c, place->slot, &reserved))
        return STEP_STAY;
    uint64_t ours = adit_task_with(*word, ADIT_TASK_RUNNING, q->arena->owner) + (1ull << 36); /* attempt + 1: to 15 */
    if (!adit_cas_acq_rel(&place->slot->word, word, ours)) { /* TASK:claim, pairs with TASK:queued, TASK:return: all of the task */
        adit_task_wants_release(q, reserved);
        return STEP_AGAIN;
    }
    *out = (struct adit_task_claim){*place, ours, reserved};
    return STEP_CLAIMED;
}

/* What a worker does at position p. *tail: what it knows of the level's tail. */
static enum step step_at(const struct adit_queue *q, struct adit_task_cursor *c, uint32_t level, uint64_t p, uint64_t kinds, uint64_t *tail, struct adit_task_claim *out)
{
    struct adit_task_slot *t = adit_task_at(q, level, p);
    uint64_t word = adit_load_acquire(&t->word);
    enum step step = STEP_AGAIN;
    for (uint32_t tries = 0; tries < TRIES_MAX && step == STEP_AGAIN; tries++) {
        int32_t lead = adit_task_lead_at(q, level, p, word);
        enum adit_task_state state = adit_task_state(word);
        if (lead < 0 || (!lead && state == ADIT_TASK_FREE)) { /* busy with an older one, or open */
            if (*tail <= p && (*tail = adit_load_seq_cst(&q->slot->level[level].tail)) <= p)
                return STEP_END;
            uint64_t again = adit_load_seq_cst(&t->word); /* TASK:past: after tail, see task_queue.h (3) */
            step = again == word ? STEP_ON : STEP_AGAIN;
            word = again;
            const struct adit_task_place older = {t, p + ((uint64_t)(int64_t)lead << q->shift), level};
            if (step == STEP_ON && lead < 0 && state == ADIT_TASK_QUEUED) { /* what this worker could not run when it came by, or a LIFO queue's first */
                enum step taken = claim_at(q, c, &older, &word, kinds, out);
                step = taken == STEP_CLAIMED || q->order == ADIT_QUEUE_BY_LIFO ? taken : taken == STEP_LEAVE ? STEP_ON : STEP_OVER;
            }
        } else if (!lead && state == ADIT_TASK_QUEUED) {
            step = claim_at(q, c, &(struct adit_task_place){t, p, level}, &word, kinds, out);
        } else {
            step = !lead && state == ADIT_TASK_FILLING ? STEP_STAY : STEP_ON;
        }
    }
    return step == STEP_AGAIN ? STEP_STAY : step;
}

/* Head is not what this worker went by. */
static __attribute__((noinline)) void begin_anew(struct adit_task_cursor *c, uint32_t level, uint64_t head)
{
    uint64_t position = head & ADIT_TASK_POSITION, beyond = c->beyond[level];
    c->next[level] = position;
    c->beyond[level] = beyond > position ? beyond : position;
    if (c->returns[level] == head >> 48)
        return;
    c->returns[level] = head >> 48;
    c->beyond[level] = position; /* one may have come back where it has looked */
    c->passed[level] = 0;
}

/* Where this worker begins in a level. */
static inline uint64_t begin(struct adit_task_cursor *c, uint32_t level, uint64_t head)
{
    if (c->returns[level] != head >> 48 || c->next[level] < (head & ADIT_TASK_POSITION))
        begin_anew(c, level, head);
    return c->next[level];
}

/* What this worker leaves to others depends on the kinds that it runs. */
static void run_kinds(struct adit_task_cursor *c, uint64_t kinds)
{
    if (c->kinds == kinds)
        return;
    c->kinds = kinds;
    for (uint32_t i = 0; i < ADIT_TASK_LEVELS; i++) {
        c->beyond[i] = c->next[i];
        c->passed[i] = 0;
    }
}

/* Takes next up to what is still in this worker's way, of what it left to others: others who begin at head are to find that, and nothing before. */
static __attribute__((noinline)) void leave_behind(const struct adit_queue *q, struct adit_task_cursor *c, uint32_t level)
{
    uint64_t p = c->next[level];
    for (uint32_t i = 0; i < FREED_LOOKS && p < c->beyond[level]; i++, p++) {
        uint64_t word = adit_load_acquire(&adit_task_at(q, level, p)->word);
        if (adit_task_state(word) == ADIT_TASK_QUEUED && !adit_task_lead(word, adit_task_round_at(q, p)))
            break;
    }
    c->next[level] = p;
}

/* Oldest first, all slots at most, each at the newest position that a submitter may have given it; but those that this worker leaves to others, once. */
static bool claim_up(const struct adit_queue *q, struct adit_task_cursor *c, uint32_t level, uint64_t kinds, struct adit_task_claim *out)
{
    struct adit_task_level *l = &q->slot->level[level];
    uint64_t head = adit_load_acquire(&l->head), tail = 0; /* TASK:return */
    if (begin(c, level, head) != c->beyond[level])
        leave_behind(q, c, level);
    uint64_t next = c->next[level], beyond = c->beyond[level], p = beyond;
    bool is_known = true;
    enum step step = STEP_ON;
    if (c->is_held_up[level]) {
        tail = adit_load_seq_cst(&l->tail);
        p = tail < p || (tail - p) >> q->shift == 0 ? p : tail - (1ull << q->shift);
    }
    bool is_solid = p == next;
    for (uint64_t i = 0; i >> q->shift == 0 && step != STEP_CLAIMED; i++, p++) {
        step = step_at(q, c, level, p, kinds, &tail, out);
        if (step == STEP_END)
            break;
        is_solid = is_solid && step != STEP_STAY && step != STEP_LEAVE;
        is_known = is_known && step != STEP_STAY && (step != STEP_OVER || is_solid);
        beyond = is_known ? p + 1 : beyond;
        next = is_solid ? p + 1 : next;
    }
    c->beyond[level] = beyond;
    c->next[level] = next;
    c->is_held_up[level] = !is_solid;
    if (next - (head & ADIT_TASK_POSITION) >= RAISE_EVERY)
        (void)adit_cas_acq_rel(&l->head, &head, (head & ~ADIT_TASK_POSITION) | (next & ADIT_TASK_POSITION));
    return step == STEP_CLAIMED;
}

/* Newest first, down to where this worker has seen that nothing is left; all slots at most. */
static bool claim_down(const struct adit_queue *q, struct adit_task_cursor *c, uint64_t kinds, struct adit_task_claim *out)
{
    struct adit_task_level *l = &q->slot->level[0];
    uint64_t head = adit_load_acquire(&l->head), next = begin(c, 0, head), first = c->beyond[0]; /* TASK:return */
    uint64_t tail = adit_load_seq_cst(&l->tail), known = tail;
    bool is_solid = first == next, is_known = true;
    for (uint64_t p = tail; p > first && (tail - p) >> q->shift == 0; p--) {
        enum step step = step_at(q, c, 0, p - 1, kinds, &known, out);
        if (step == STEP_CLAIMED)
            return true;
        is_solid = is_solid && step != STEP_STAY && step != STEP_LEAVE;
        is_known = is_known && step != STEP_STAY && step != STEP_OVER;
    }
    tail = tail > first ? tail : first;
    if (is_solid)
        c->next[0] = tail;
    if (is_solid || is_known)
        c->beyond[0] = tail;
    return false;
}

/* Since when the oldest task of a level that this worker has not passed waits; UINT64_MAX: it sees none. */
static uint64_t oldest(const struct adit_queue *q, struct adit_task_cursor *c, uint32_t level)
{
    (void)begin(c, level, adit_load_acquire(&q->slot->level[level].head));
    uint64_t p = c->beyond[level];
    const struct adit_task_slot *t = adit_task_at(q, level, p);
    uint64_t word = adit_load_acquire(&t->word);
    return adit_task_state(word) == ADIT_TASK_QUEUED && adit_task_round(word) == adit_task_round_at(q, p)
               ? __atomic_load_n(&t->waits_ns, __ATOMIC_RELAXED) /* relaxed: advice */
               : UINT64_MAX;
}

/* The earlier of since and that of a slot's task, if one waits there for workers that run kinds. */
static uint64_t earlier(const struct adit_queue *q, const struct adit_task_slot *t, uint64_t word, uint64_t kinds, uint64_t since)
{
    uint64_t at = adit_load_relaxed(&t->waits_ns); /* relaxed, all: advice */
    bool is_theirs = kinds & adit_task_kind_bit(t) && (q->arena->role == ADIT_ROLE_PRODUCER || !(__atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_HAS_WRITES));
    return adit_task_state(word) == ADIT_TASK_QUEUED && at < since && is_theirs && !adit_task_has_wants(t) ? at : since; /* another worker may not be what one with wants waits for */
}

uint64_t adit_task_oldest_ns(const struct adit_queue *q, uint64_t kinds)
{
    uint64_t first = UINT64_MAX;
    if (q->order == ADIT_QUEUE_BY_LIFO) { /* whose head stays, and whose oldest may lie anywhere */
        struct adit_task_walk w = adit_task_walk(q, 0, ADIT_TASK_GROUP_ENDED);
        while (adit_task_walk_on(&w))
            first = earlier(q, adit_task_at(q, 0, w.slot), w.word, kinds, first);
        return first;
    }
    for (uint32_t level = 0; level < q->levels_n; level++) {
        uint64_t p = adit_load_acquire(&q->slot->level[level].head) & ADIT_TASK_POSITION;
        for (uint64_t i = 0; i >> q->shift == 0 && i < OLDEST_LOOKS; i++, p++) {
            const struct adit_task_slot *t = adit_task_at(q, level, p);
            first = earlier(q, t, adit_load_acquire(&t->word), kinds, first);
        }
    }
    return first;
}

/* Of what slot p holds, in whatever round, a bit if it waits for any worker that runs it. */
static uint64_t kind_at(const struct adit_queue *q, uint32_t level, uint64_t p)
{
    const struct adit_task_slot *t = adit_task_at(q, level, p);
    return adit_task_state(adit_load_seq_cst(&t->word)) == ADIT_TASK_QUEUED && !adit_task_has_wants(t) ? adit_task_kind_bit(t) : 0;
}

uint64_t adit_task_more_kinds(const struct adit_queue *q, struct adit_task_cursor *c)
{
    uint64_t kinds = 0, slots = 1ull << q->shift;
    for (uint32_t level = 0; level < q->levels_n; level++) { /* seq_cst, all: after TASK:spinner, see worker.c */
        uint64_t tail = adit_load_seq_cst(&q->slot->level[level].tail), p = begin(c, level, adit_load_seq_cst(&q->slot->level[level].head)), from = c->beyond[level];
        p = tail > p && tail - p >= slots ? tail - slots : p;
        from = from > p ? from : p;
        for (uint64_t i = from; i < tail; i++) /* a ring of slots at most, as the next */
            kinds |= kind_at(q, level, i);
        uint64_t there = kinds;
        for (; p < from && p < tail && c->passed[level] & ~there; p++) /* of each that it has passed one is enough */
            there |= kind_at(q, level, p);
        c->passed[level] &= there;
        kinds |= there;
    }
    return kinds;
}

/* The level whose oldest task has waited longest beyond what its level asks it to, if any. */
static uint32_t aged_level(const struct adit_queue *q, struct adit_task_cursor *c)
{
    uint64_t now = adit_clock_ns(), first = oldest(q, c, 0);
    uint32_t best = 0;
    for (uint32_t i = 1; i < q->levels_n; i++) {
        uint64_t since = oldest(q, c, i);
        uint64_t as_if = since > now ? UINT64_MAX : since + (uint64_t)i * AGE_NS; /* a task above that waits since then would be as old */
        if (as_if < now && as_if < first) {
            best = i;
            first = as_if;
        }
    }
    return best;
}

static void begin_round(struct adit_task_cursor *c)
{
    c->again_ns = UINT64_MAX;
    c->is_memory_taken = false;
}

bool adit_task_claim(const struct adit_queue *q, struct adit_task_cursor *c, uint64_t kinds, struct adit_task_claim *out)
{
    bool is_look = ++c->claims % LOOK_EVERY == 0;
    begin_round(c);
    run_kinds(c, kinds);
    if (is_look && adit_load_relaxed(&q->slot->due_ns)) /* relaxed: looked at again; workers that always find something do not come to adit_task_claim_any */
        (void)adit_task_release_due(q, 0); /* what this worker claims now may be another one */
    if (q->order == ADIT_QUEUE_BY_LIFO)
        return claim_down(q, c, kinds, out);
    if (q->levels_n > 1 && is_look) {
        uint32_t aged = aged_level(q, c);
        if (aged && claim_up(q, c, aged, kinds, out))
            return true;
    }
    for (uint32_t level = 0; level < q->levels_n; level++)
        if (claim_up(q, c, level, kinds, out))
            return true;
    return false;
}

bool adit_task_claim_next(const struct adit_queue *q, struct adit_task_cursor *c, uint64_t kinds, struct adit_task_claim *out)
{
    if (q->order == ADIT_QUEUE_BY_LIFO)
        return adit_load_relaxed(&q->slot->level[0].tail) != c->beyond[0] && adit_task_claim(q, c, kinds, out); /* relaxed, both: a claim looks again */
    bool is_stale = (c->claims + 1) % LOOK_EVERY == 0;
    for (uint32_t level = 0; level < q->levels_n; level++) {
        if (adit_task_state(adit_load_relaxed(&adit_task_at(q, level, c->beyond[level])->word)) != ADIT_TASK_QUEUED)
            continue;
        for (uint32_t above = 0; above < level && !is_stale; above++)
            is_stale = adit_load_relaxed(&q->slot->level[above].tail) > c->beyond[above]; /* others have taken what came there, or it lies further on */
        if (is_stale)
            return adit_task_claim(q, c, kinds, out);
        c->claims++;
        begin_round(c);
        run_kinds(c, kinds);
        if (claim_up(q, c, level, kinds, out))
            return true; /* else it is of a kind that others run, or was theirs sooner */
    }
    return false;
}

uint64_t adit_task_release_due(const struct adit_queue *q, uint64_t kinds)
{
    uint64_t due = adit_load_acquire(&q->slot->due_ns), now = adit_clock_ns(), next = UINT64_MAX, look = (now + LOOK_NS) | ADIT_TASK_DUE_LOOK;
    if (!due || due > now)
        return due ? due - now : UINT64_MAX;
    if (!adit_cas_seq_cst(&q->slot->due_ns, &due, look)) /* TASK:due. Who delays a task from here on changes it; should this process stop, others look then */
        return 0;
    uint64_t found = 0;
    uint32_t n = 0;
    bool is_for_some = false;
    for (uint32_t level = 0; level < q->levels_n; level++) {
        struct adit_task_walk w = adit_task_walk(q, level, ADIT_TASK_GROUP_ENDED);
        while (adit_task_walk_on(&w)) {
            bool is_held = adit_task_state(w.word) == ADIT_TASK_HELD;
            if (!is_held && adit_task_state(w.word) != ADIT_TASK_DELAYED)
                continue;
            const struct adit_task_slot *t = adit_task_at(q, level, w.slot);
            struct adit_task_place p = adit_task_place_of(q, level, w.slot, w.word);
            uint64_t expires = adit_task_expires_ns(t);
            if (expires <= now && adit_task_end(q, &p, w.word, ADIT_TASK_EXPIRED))
                continue;
            next = expires > now && expires < next ? expires : next;
            if (is_held)
                continue;
            uint64_t at = adit_load_relaxed(&t->due_ns); /* relaxed: stored before DELAYED was */
            uint64_t kind = adit_task_kind_bit(t);
            bool has_wants = adit_task_has_wants(t);
            if (at <= now && adit_task_return(q, &p, w.word, 0)) {
                found |= kind;
                is_for_some = is_for_some || has_wants;
                n++;
            } else if (at > now)
                next = next < at ? next : at;
        }
    }
    if (!adit_cas_seq_cst(&q->slot->due_ns, &look, next == UINT64_MAX ? 0 : next & ~ADIT_TASK_DUE_LOOK) && next != UINT64_MAX)
        adit_task_due(q, next);
    n -= n && found & kinds;
    if (is_for_some)
        adit_task_announce_all(q);
    else if (n)
        adit_task_announce(q, n, found);
    return next == UINT64_MAX ? next : next - now;
}

bool adit_task_claim_back(const struct adit_queue *q, const struct adit_task_place *place, uint64_t kinds, struct adit_task_claim *out)
{
    uint64_t word = adit_load_acquire(&place->slot->word), round = adit_task_round_at(q, place->position);
    struct adit_task_cursor cursor = {0};
    enum step step = STEP_AGAIN;
    for (uint32_t tries = 0; tries < TRIES_MAX && step == STEP_AGAIN && !adit_task_lead(word, round) && adit_task_state(word) == ADIT_TASK_QUEUED; tries++)
        step = claim_at(q, &cursor, place, &word, kinds, out);
    return step == STEP_CLAIMED;
}

/* Whatever slot i of a level holds, having had word, whichever position submitters have come to. *is_known: there is nothing that may be for this worker later. */
static bool claim_slot(const struct adit_queue *q, struct adit_task_cursor *c, uint32_t level, uint64_t i, uint64_t word, uint64_t kinds, bool *is_known, struct adit_task_claim *out)
{
    enum step step = STEP_AGAIN;
    for (uint32_t tries = 0; tries < TRIES_MAX && step == STEP_AGAIN && adit_task_state(word) == ADIT_TASK_QUEUED; tries++) {
        struct adit_task_place place = adit_task_place_of(q, level, i, word);
        step = claim_at(q, c, &place, &word, kinds, out);
    }
    const struct adit_task_slot *t = adit_task_at(q, level, i);
    bool is_left = step == STEP_STAY || step == STEP_LEAVE;
    if (is_left && adit_task_has_wants(t))
        c->left_wants = true;
    else if (is_left)
        c->left |= adit_task_kind_bit(t);
    *is_known = *is_known && step != STEP_STAY && (step == STEP_LEAVE || (adit_task_state(word) != ADIT_TASK_QUEUED && adit_task_state(word) != ADIT_TASK_FILLING));
    return step == STEP_CLAIMED;
}

bool adit_task_claim_any(const struct adit_queue *q, struct adit_task_cursor *c, uint64_t kinds, struct adit_task_claim *out)
{
    uint64_t slots = 1ull << q->shift;
    c->left = 0;
    c->left_wants = false;
    begin_round(c);
    run_kinds(c, kinds);
    for (uint32_t level = 0; level < q->levels_n; level++) {
        uint64_t returns = adit_load_acquire(&q->slot->level[level].head) >> 48; /* TASK:return, before the looks, as tail */
        uint64_t tail = adit_load_seq_cst(&q->slot->level[level].tail);
        struct adit_task_walk w = adit_task_walk_from(q, level, ADIT_TASK_GROUP_ENDED, tail); /* oldest first, mostly */
        bool is_known = true;
        c->returns[level] = returns;
        c->next[level] = c->beyond[level] = tail > slots ? tail - slots : 0; /* as far back as a slot can be of use */
        c->passed[level] = 0;
        while (adit_task_walk_on(&w)) /* word: seq_cst, TASK:queued, after TASK:sleep, TASK:spinner (worker.c) */
            if (claim_slot(q, c, level, w.slot, w.word, kinds, &is_known, out))
                return true;
        if (is_known)
            c->beyond[level] = tail;
    }
    return false;
}
