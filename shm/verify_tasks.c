/* Kinds, queues and tasks (I5, I7).
 *
 * Kinds and queues are made once, under the naming lock: valid kinds have legal sizes and a name, valid queues are the first slots of their table and lie
 * one behind another. What a task's word says between any two instructions of all (runtime/task_queue.h; README.md there has the transitions), with n the
 * task's attempts_max, c the slots of a level, and p the position that the word's round gives its slot:
 *
 *     state                  owner       attempt   flags              p
 *     FREE                   nobody      0         none               < tail + 2c   it was used at p - c, or given up there
 *     FILLING                is there    0         none               < tail + c    a submitter looks at [tail, tail + c), and tail only grows
 *     HELD, DELAYED, QUEUED  nobody      < n       any                likewise, and so for all that follow
 *     RUNNING, COMMITTED     is there    1 to n    any
 *     DONE                   nobody      1 to n    any          (0 to n for a task that joins others)
 *     CANCELLED              nobody      to n      any
 *     EXPIRED                nobody      < n       any
 *     POISONED               nobody      n         any
 *
 * p has no lower bound: a result that nobody takes stays where it is. Words carry 24 bits of a round, so one that is too far ahead by more than AHEAD_MAX
 * rounds is taken for one that was left behind. From HELD on, the kind is named, what lies there fits it, and the submitter is there unless the
 * task is DETACHED: who leaves or dies detaches what it submitted, else nobody would ever free it. A worker raises head over what was used or given up:
 * to tail + c at most. Who is named as spinner is there: it takes its name away before it ends. A group's word names a later round than any slot of it that is not FREE; it is not marked
 * FREE while there is one, nor ENDED while one is HELD to COMMITTED: who looks for those goes by it.
 *
 * Quiet, also: nothing is FILLING, RUNNING or COMMITTED; what has ended is not AWAITED, as those who waited have been told, nor DETACHED, but free; a HELD
 * task's blocker is a task that has not ended and is AWAITED, so who ends that one comes by; a DELAYED task's queue says that something is due then or earlier, else nobody would look. That it
 * has run by then is not demanded, nor that what is QUEUED has: there may be no workers.
 *
 * A word is not the same again before its slot has gone round 2^24 times, so what was read of a task counts if its word is the same afterwards. */
#include "shm/verify.h"

#include <string.h>

enum { NAMED_FREE, NAMED_VALID = 2 };
#define AHEAD_MAX (1u << 16)

/* A queue's numbers, loaded once; private. */
struct queue_look {
    const struct adit_queue_slot *slot;
    uint32_t id, order, levels_n, shift, first;
};

static const char *name_fault(const char name[ADIT_NAME_BYTES])
{
    return !*name ? "its name has no characters" : !memchr(name, 0, ADIT_NAME_BYTES) ? "its name has no end" : NULL;
}

static void look_at_kind(struct adit_verifier *v, uint32_t i)
{
    const struct adit_kind_slot *k = &v->arena->kinds[i];
    uint32_t state = adit_load32_acquire(&k->state); /* KIND:valid */
    if (state == NAMED_FREE)
        return;
    if (state != NAMED_VALID) {
        adit_finding_add(v->findings, "I5", "kind %u|in state %u, which is none", i, state);
        return;
    }
    const char *fault = name_fault(k->name);
    if (fault)
        adit_finding_add(v->findings, "I5", "kind %u|%s", i, fault);
    if (k->args_bytes_min > k->args_bytes_max || k->args_bytes_max > ADIT_TASK_BYTES || k->result_bytes_max > ADIT_TASK_BYTES)
        adit_finding_add(v->findings, "I7", "kind %u|takes %u to %u bytes and gives %u; %u are possible", i, k->args_bytes_min, k->args_bytes_max,
                         k->result_bytes_max, ADIT_TASK_BYTES);
}

/* first: where it must begin. */
static const char *shape_fault(const struct adit_arena *a, const struct queue_look *q, uint64_t first)
{
    if (q->order > ADIT_QUEUE_BY_LIFO || q->levels_n != adit_queue_levels(q->order) || q->shift > ADIT_TASK_SHIFT_MAX)
        return "its order, levels and size do not agree";
    if (q->first != first || first > a->tasks_max)
        return "it does not begin where the one before it ends";
    return (uint64_t)q->levels_n << q->shift > a->tasks_max - first ? "it does not lie inside the table of tasks" : NULL;
}

/* ---- tasks */

/* A queue that is valid and of a shape there is, where the one before it ends or elsewhere; false: none. */
static bool load_queue(const struct adit_arena *a, uint32_t id, struct queue_look *q)
{
    const struct adit_queue_slot *s = &a->queues[id];
    bool is_there = adit_load32_acquire(&s->state) == NAMED_VALID; /* QUEUE:valid */
    *q = (struct queue_look){.slot = s, .id = id, .order = adit_load32_relaxed(&s->order), .levels_n = adit_load32_relaxed(&s->levels_n),
                             .shift = adit_load32_relaxed(&s->shift), .first = adit_load32_relaxed(&s->first)}; /* relaxed: QUEUE:valid came before */
    return is_there && !shape_fault(a, q, q->first);
}

/* Of a HELD task, when nobody works: whoever ends its blocker must come by. */
static const char *blocker_fault(const struct adit_arena *a, uint64_t slot)
{
    uint64_t handle = adit_load_acquire(&a->task_blockers[slot]), position = handle & ADIT_TASK_POSITION;
    uint64_t id = (handle >> 52) - 1, level = handle >> 48 & 15;
    struct queue_look q;
    if (id >= a->queues_max || !load_queue(a, (uint32_t)id, &q) || level >= q.levels_n)
        return "held, and waits for nothing";
    uint64_t word = adit_load_acquire(&a->tasks[q.first + (level << q.shift) + (position & ((1ull << q.shift) - 1))].word);
    bool is_pending = adit_task_round(word) == (position >> q.shift & 0xffffff) && adit_task_state(word) > ADIT_TASK_FILLING && !adit_task_has_ended(word);
    return !is_pending ? "held, and what it waits for has ended" : !(word & ADIT_TASK_AWAITED) ? "held, and who ends what it waits for does not know" : NULL;
}

struct task_look {
    uint64_t word, tail; /* tail: loaded after word, so it is not behind what the word's maker saw */
    uint64_t group;      /* likewise: had its marks been there too early, they would be so still */
    uint32_t kind, args_bytes, result_bytes, attempts_max, submitter;
    uint32_t flags, near;
    uint64_t due_ns;
};

/* Nothing of it runs: it has no kind. */
static bool is_join(const struct task_look *l) { return l->flags & ADIT_TASK_IS_JOIN; }

static void load_task(const struct adit_arena *a, const struct adit_task_slot *t, const uint64_t *tail, const uint64_t *group, struct task_look *l)
{
    l->word = adit_load_acquire(&t->word); /* TASK:queued, TASK:done */
    l->tail = adit_load_acquire(tail);
    l->group = adit_load_acquire(group);
    l->kind = __atomic_load_n(&t->kind, __ATOMIC_ACQUIRE); /* these before the word is loaded again */
    l->args_bytes = __atomic_load_n(&t->args_bytes, __ATOMIC_ACQUIRE);
    l->result_bytes = __atomic_load_n(&t->result_bytes, __ATOMIC_ACQUIRE);
    l->attempts_max = __atomic_load_n(&t->attempts_max, __ATOMIC_ACQUIRE);
    l->flags = __atomic_load_n(&t->flags, __ATOMIC_ACQUIRE);
    l->submitter = adit_load32_acquire(&t->submitter);
    l->near = adit_load32_acquire(&a->task_wants[t - a->tasks].near);
    l->due_ns = adit_load_acquire(&t->due_ns);
}

static const char *attempt_fault(const struct task_look *l)
{
    enum adit_task_state state = adit_task_state(l->word);
    uint32_t attempt = adit_task_attempt(l->word), most = l->attempts_max;
    if (state < ADIT_TASK_HELD)
        return attempt ? "nothing of it has begun, and it says how often" : NULL;
    if (!most || most > ADIT_TASK_ATTEMPTS_MAX)
        return "it may be begun as often as no task may";
    if (attempt > most)
        return "begun more often than it may be";
    if (attempt == most && (state < ADIT_TASK_RUNNING || state == ADIT_TASK_EXPIRED))
        return "begun as often as it may be, and not ended so";
    if (attempt < most && state == ADIT_TASK_POISONED)
        return "given up before its last attempt";
    return !attempt && !is_join(l) && (state >= ADIT_TASK_RUNNING && state <= ADIT_TASK_DONE) ? "it has begun, and says that it has not" : NULL;
}

/* Whether a task in that state is somebody's. */
static bool is_claim(enum adit_task_state state) { return state == ADIT_TASK_FILLING || state == ADIT_TASK_RUNNING || state == ADIT_TASK_COMMITTED; }

/* What the word alone says. */
static const char *word_fault(const struct task_look *l, bool quiet)
{
    enum adit_task_state state = adit_task_state(l->word);
    if (state >= ADIT_TASK_STATES)
        return "in no state there is";
    if (!is_claim(state) && adit_task_owner(l->word))
        return "somebody's, in a state that is nobody's";
    if (state < ADIT_TASK_HELD && l->word & ADIT_TASK_FLAGS)
        return "flagged, and no task is there";
    if (quiet && adit_task_has_ended(l->word) && l->word & ADIT_TASK_AWAITED)
        return "ended, and who waits for that was not told";
    if (quiet && adit_task_has_ended(l->word) && l->word & ADIT_TASK_DETACHED)
        return "ended, and nobody takes it: it is to be free";
    return attempt_fault(l);
}

static const char *place_fault(const struct queue_look *q, const struct task_look *l, uint64_t i)
{
    uint64_t round = (l->tail & ADIT_TASK_POSITION) >> q->shift, ahead = (adit_task_round(l->word) - round) & 0xffffff;
    uint64_t end = (l->tail & ADIT_TASK_POSITION) + ((adit_task_state(l->word) == ADIT_TASK_FREE ? 2ull : 1ull) << q->shift);
    return ahead < AHEAD_MAX && ((round + ahead) << q->shift | i) >= end ? "in a round that is yet to come" : NULL;
}

/* Of a slot that is not FREE: whoever looks for what is there goes by its group. */
static const char *group_fault(const struct task_look *l)
{
    uint64_t ahead = (adit_task_round(l->word) - (l->group >> ADIT_TASK_GROUP_ROUND)) & 0xffffff;
    if (ahead < AHEAD_MAX)
        return "its group does not say that it was taken";
    if (l->group & ADIT_TASK_GROUP_FREE)
        return "its group says that all are free";
    return l->group & ADIT_TASK_GROUP_ENDED && adit_task_state(l->word) >= ADIT_TASK_HELD && !adit_task_has_ended(l->word) ? "its group says that all have ended" : NULL;
}

/* Of a task that is there: what lies in its slot. */
static const char *content_fault(const struct adit_arena *a, const struct queue_look *q, const struct task_look *l, bool quiet)
{
    const struct adit_kind_slot *k = l->kind < a->kinds_max ? &a->kinds[l->kind] : NULL;
    uint64_t due = adit_load_acquire(&q->slot->due_ns);
    if (!is_join(l) && (!k || adit_load32_acquire(&k->state) != NAMED_VALID))
        return "of a kind that is not named";
    if (!is_join(l) && (l->args_bytes > ADIT_TASK_BYTES || l->args_bytes < k->args_bytes_min || l->args_bytes > k->args_bytes_max))
        return "its arguments have a size that its kind does not take";
    if (l->result_bytes > ADIT_TASK_BYTES)
        return "its result is larger than there is room";
    if (quiet && adit_task_state(l->word) == ADIT_TASK_DELAYED && (!due || due > l->due_ns))
        return "delayed, and its queue does not say that something is due";
    if (l->flags & ADIT_TASK_HAS_WANTS && l->near >= ADIT_TASK_NEARS)
        return "it is to run near something that there is not";
    return NULL;
}

static const char *claim_fault(struct adit_verifier *v, uint64_t word)
{
    static const char *const quiet[] = {[ADIT_TASK_FILLING] = "being submitted, and nobody is at it", [ADIT_TASK_RUNNING] = "running, and nobody is at it",
                                        [ADIT_TASK_COMMITTED] = "being concluded, and nobody is at it"};
    const char *fault = adit_verify_owner(v, adit_task_owner(word));
    return fault ? fault : v->quiet ? quiet[adit_task_state(word)] : NULL;
}

static void look_at_task(struct adit_verifier *v, const struct queue_look *q, uint32_t level, uint64_t i)
{
    const struct adit_task_slot *t = &v->arena->tasks[q->first + ((uint64_t)level << q->shift) + i];
    const char *invariant = "I7";
    struct task_look l;
    load_task(v->arena, t, &q->slot->level[level].tail, &v->arena->task_groups[adit_task_group_index(q->id, q->first, q->shift, level, i)], &l);
    enum adit_task_state state = adit_task_state(l.word);
    const char *fault = word_fault(&l, v->quiet);
    fault = fault ? fault : place_fault(q, &l, i);
    fault = fault || state == ADIT_TASK_FREE ? fault : group_fault(&l);
    if (!fault && state >= ADIT_TASK_HELD)
        fault = content_fault(v->arena, q, &l, v->quiet);
    if (!fault && state >= ADIT_TASK_HELD && !adit_task_has_ended(l.word))
        fault = adit_verify_uses(v, (uint64_t)(t - v->arena->tasks), l.flags, state);
    if (!fault && state == ADIT_TASK_HELD && v->quiet)
        fault = blocker_fault(v->arena, (uint64_t)(t - v->arena->tasks));
    if (!fault) {
        invariant = "I5";
        if (is_claim(state))
            fault = claim_fault(v, l.word);
        if (!fault && state >= ADIT_TASK_HELD && !(l.word & ADIT_TASK_DETACHED) && adit_verify_owner(v, l.submitter))
            fault = "nobody will take it: who submitted it is not there";
    }
    v->walked.tasks += state != ADIT_TASK_FREE;
    if (fault && adit_load_acquire(&t->word) == l.word)
        adit_finding_add(v->findings, invariant, "queue %u level %u slot %u|word %#llx, attempts %u: %s", q->id, level, (uint32_t)i, (unsigned long long)l.word,
                         l.attempts_max, fault);
}

/* ---- queues */

static void look_at_level(struct adit_verifier *v, const struct queue_look *q, uint32_t level)
{
    const struct adit_task_level *l = &q->slot->level[level];
    uint64_t head = adit_load_acquire(&l->head) & ADIT_TASK_POSITION, tail = adit_load_acquire(&l->tail); /* in this order: both grow */
    if (tail > ADIT_TASK_POSITION)
        adit_finding_add(v->findings, "I7", "queue %u level %u|its tail is %#llx", q->id, level, (unsigned long long)tail);
    else if (head > tail + (1ull << q->shift))
        adit_finding_add(v->findings, "I7", "queue %u level %u|its head is at %llu, and its tail at %llu", q->id, level, (unsigned long long)head,
                         (unsigned long long)tail);
    for (uint64_t i = 0; i >> q->shift == 0; i++)
        look_at_task(v, q, level, i);
}

static void look_at_spinner(struct adit_verifier *v, const struct queue_look *q)
{
    uint64_t spinner = adit_load_acquire(&q->slot->spinner);
    const char *fault = !spinner ? NULL : !(uint32_t)spinner ? "no thread of it" : adit_verify_owner(v, spinner >> 32);
    if (fault && adit_load_acquire(&q->slot->spinner) == spinner)
        adit_finding_add(v->findings, "I5", "queue %u|looked after by %#llx: %s", q->id, (unsigned long long)spinner, fault);
}

/* first: the slot where the queue must begin; then where the next must. False: what follows cannot be placed. */
static bool look_at_queue(struct adit_verifier *v, uint32_t id, uint64_t *first)
{
    struct queue_look q;
    (void)load_queue(v->arena, id, &q);
    const char *fault = shape_fault(v->arena, &q, *first), *unnamed = name_fault(q.slot->name);
    if (unnamed)
        adit_finding_add(v->findings, "I5", "queue %u|%s", id, unnamed);
    if (fault) {
        adit_finding_add(v->findings, "I7", "queue %u|order %u, %u levels of 2^%u slots from %u on: %s", id, q.order, q.levels_n, q.shift, q.first, fault);
        return false;
    }
    *first += (uint64_t)q.levels_n << q.shift;
    look_at_spinner(v, &q);
    for (uint32_t level = 0; level < q.levels_n; level++)
        look_at_level(v, &q, level);
    return true;
}

/* What is reserved for tasks under way is somebody's, who gives it back before it leaves. */
static void look_at_memory(struct adit_verifier *v, uint32_t slot)
{
    const struct adit_arena *a = v->arena;
    uint64_t reserved = adit_load_acquire(&a->task_memory[slot].reserved);
    bool is_there = adit_part_state(adit_load_acquire(&a->participants[slot].word)) != ADIT_PART_FREE;
    if (reserved && (!is_there || v->quiet) && adit_load_acquire(&a->task_memory[slot].reserved) == reserved)
        adit_finding_add(v->findings, "I5", "participant %u|%llu bytes of memory are reserved for tasks, and %s", slot, (unsigned long long)reserved,
                         is_there ? "nobody is at work" : "nobody is there");
}

void adit_verify_tasks(struct adit_verifier *v)
{
    uint64_t first = 0;
    bool is_placed = true;
    uint32_t id = 0, state = NAMED_VALID;
    for (; id < v->arena->queues_max && is_placed && (state = adit_load32_acquire(&v->arena->queues[id].state)) == NAMED_VALID; id++) /* QUEUE:valid */
        is_placed = look_at_queue(v, id, &first);
    if (is_placed && state != NAMED_VALID && state != NAMED_FREE)
        adit_finding_add(v->findings, "I5", "queue %u|in state %u, which is none", id, state);
    for (uint32_t i = id + 1; is_placed && i < v->arena->queues_max; i++) { /* made meanwhile: then so has been the one before */
        uint32_t later = adit_load32_acquire(&v->arena->queues[i].state);
        if (later != NAMED_FREE && adit_load32_acquire(&v->arena->queues[id].state) == state)
            adit_finding_add(v->findings, "I7", "queue %u|in state %u, and queue %u is not there", i, later, id);
    }
    for (uint32_t i = 0; i < v->arena->kinds_max; i++) /* after tasks: a kind is named before a task is of it */
        look_at_kind(v, i);
    for (uint32_t i = 0; i < v->arena->participants_max; i++)
        look_at_memory(v, i);
}
