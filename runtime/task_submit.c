/* task_submit.c - tasks into queues. A slot is FILLING while its submitter stores into it, so a death leaves a task that was never there. */
#include <errno.h>
#include <string.h>

#include "runtime/kind.h"
#include "runtime/kind_able.h"
#include "runtime/params.h"
#include "runtime/task_bell.h"
#include "runtime/task_groups.h"
#include "runtime/task_uses.h"
#include "runtime/task_wants.h"

#define WAITING_MAX 16u      /* tasks that wait still, of those that lie longest, until a level counts as full */
#define FLOW_NS 400u /* submits that follow each other sooner are a flow: whoever spins is busy, and the submitter wants the lines again soon */
#define LOOK_ALL_NS 20000u   /* between looks behind those, which may be of a kind that nobody runs, that found nothing */
#define LOOK_ALL_EVERY 64u   /* the same, in looks of who waits for room; later ones, between which it sleeps, go all the way */
#define LOOK_ALL_FROM 256u
#define AHEAD 4u             /* slots of one call whose lines come meanwhile */
#define TRIES_MAX 1024u      /* slots that others had first, until a level counts as full */

/* Raises a level's tail. seq_cst, see task_queue.h (1). */
static void raise_tail(struct adit_task_level *level, uint64_t to)
{
    uint64_t seen = adit_load_relaxed(&level->tail);
    while (seen < to && !adit_cas_seq_cst(&level->tail, &seen, to)) {
    }
}

static uint64_t tail_of(const struct adit_task_level *level) { return adit_load_seq_cst(&level->tail) & ADIT_TASK_POSITION; }

/* Where a submitter looks: from position p up to a ring beyond tail. Where the oldest lie, they wait, and to look at the rest would be in the way of those who
 * work there: so that counts as full unless is_thorough. */
struct search {
    const struct adit_queue *q;
    uint32_t level;
    bool is_thorough;
    uint64_t p, end;
    uint64_t word;  /* of the slot that was found open at p */
    uint64_t ahead; /* none was: the first position of one that is open in a later round; UINT64_MAX: none is */
};

static struct search search_from(const struct adit_queue *q, uint32_t level, bool is_thorough, uint64_t tail, uint64_t p)
{
    return (struct search){.q = q, .level = level, .is_thorough = is_thorough || q->order == ADIT_QUEUE_BY_LIFO, .p = p, .end = tail + (1ull << q->shift),
                           .ahead = UINT64_MAX};
}

/* The first open position. */
static bool find_open(struct search *s)
{
    uint32_t waiting = 0;
    for (; s->p < s->end; s->p++) { /* a ring at most */
        s->word = adit_load_acquire(&adit_task_at(s->q, s->level, s->p)->word);
        int32_t lead = adit_task_lead_at(s->q, s->level, s->p, s->word);
        if (adit_task_state(s->word) == ADIT_TASK_FREE) {
            uint64_t open = s->p + ((uint64_t)(lead > 0 ? lead : 0) << s->q->shift);
            if (lead <= 0)
                return true;
            s->ahead = open < s->ahead ? open : s->ahead;
        }
        waiting += adit_task_state(s->word) == ADIT_TASK_QUEUED && lead < 0;
        if (waiting > WAITING_MAX && !s->is_thorough) {
            s->ahead = UINT64_MAX;
            return false;
        }
    }
    return false;
}

/* Looks further, with tail raised to where that is: what lies before has been used. That is so for who has taken a ring of slots and not raised it
 * yet, and for everybody once whoever should have raised it has died. False: the level is full. */
static bool go_on(struct search *s, struct adit_task_level *level, uint64_t tail, uint64_t begin)
{
    uint64_t to = begin > tail ? begin : s->ahead;
    if (to == UINT64_MAX)
        return false;
    raise_tail(level, to);
    *s = search_from(s->q, s->level, s->is_thorough, to, to);
    return true;
}

static int take_open(const struct adit_queue *q, uint32_t level, uint64_t from, bool is_thorough, struct adit_task_claim *out)
{
    struct adit_task_level *l = &q->slot->level[level];
    uint64_t tail = tail_of(l), begin = tail < from ? from : tail;
    struct search s = search_from(q, level, is_thorough, tail, begin);
    for (uint32_t tries = 0; tries < TRIES_MAX; tries++) { /* each time others took what was open, or moved tail */
        if (!find_open(&s)) {
            if (!go_on(&s, l, tail, begin))
                return -EAGAIN;
            tail = begin = s.p;
            continue;
        }
        struct adit_task_slot *t = adit_task_at(q, level, s.p);
        uint64_t round = adit_task_round_at(q, s.p), ours = adit_task_word(round, 0, 0, ADIT_TASK_FILLING, q->arena->owner);
        adit_task_group_enter(q, level, s.p);
        if (!adit_cas_seq_cst(&t->word, &s.word, ours)) /* TASK:fill. Acquire: the last task's accesses before ours */
            continue;
        uint64_t now = tail_of(l); /* after TASK:fill: see task_queue.h (2) */
        if (now <= s.p) {
            *out = (struct adit_task_claim){{t, s.p & ADIT_TASK_POSITION, level}, ours, 0};
            return 0;
        }
        adit_store_release(&t->word, adit_task_word(round + 1, 0, 0, ADIT_TASK_FREE, 0)); /* FILLING is nobody else's to change */
        tail = begin = now;
        s = search_from(q, level, is_thorough, now, now);
    }
    return -EAGAIN;
}

/* A level that was seen to be full is looked at again as a whole some time later, not before. now: of this submit. */
static int take_anywhere(struct adit_queue *q, uint32_t level, uint64_t from, uint64_t now, struct adit_task_claim *out)
{
    int error = take_open(q, level, from, false, out);
    uint64_t full = adit_load_relaxed(&q->full_ns[level]); /* relaxed: one look more does no harm */
    if (!error || (now >= full && now - full < LOOK_ALL_NS))
        return error;
    error = take_open(q, level, from, true, out);
    if (error)
        adit_store_relaxed(&q->full_ns[level], now);
    return error;
}

/* Wakes a worker, if none spins. */
static void announce(const struct adit_queue *q, uint32_t n, uint64_t kinds, bool is_rung)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* TASK:queued, pairs with TASK:spinner, TASK:sleep (worker.c): either it sees the task, or this the sleeper */
    if (adit_load_relaxed(&q->slot->spinner)) {
        if (!is_rung)
            adit_task_bell_set(q, adit_clock_ns(), ADIT_TASK_BELL_MANY);
    } else if (adit_load32_relaxed(&q->slot->work.waiters)) {
        adit_store_relaxed(&q->slot->woken_ns, adit_clock_ns()); /* relaxed: a figure */
        adit_event_wake_bits(&q->slot->work, kinds & (kinds - 1) ? UINT32_MAX : n, adit_task_sleepers_of(kinds));
    }
}

void adit_task_announce(const struct adit_queue *q, uint32_t n, uint64_t kinds) { announce(q, n, kinds, false); }

void adit_task_announce_all(const struct adit_queue *q)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* TASK:queued, as above */
    if (adit_load_relaxed(&q->slot->spinner))
        adit_task_bell_set(q, adit_clock_ns(), ADIT_TASK_BELL_MANY);
    if (!adit_load32_relaxed(&q->slot->work.waiters))
        return;
    adit_store_relaxed(&q->slot->woken_ns, adit_clock_ns()); /* relaxed: a figure */
    adit_event_wake(&q->slot->work, UINT32_MAX);
}

/* The level of a priority; false: that is none. */
static bool find_level(const struct adit_queue *q, enum adit_priority priority, uint32_t *level)
{
    *level = priority ? (uint32_t)priority - ADIT_CRITICAL : ADIT_NORMAL - ADIT_CRITICAL;
    bool is_there = *level < ADIT_TASK_LEVELS;
    *level = q->levels_n == 1 ? 0 : *level;
    return is_there;
}

static int check(const struct adit_queue *q, const struct adit_task_spec *s, uint32_t *level)
{
    int error = adit_params_check("adit_submit", s->size, sizeof *s);
    if (error)
        return error;
    const struct adit_kind_slot *k = adit_kind_named(q->arena, s->kind);
    if (!k)
        return adit_fault(-ENOENT, "arena %s: kind %u: none of that id is registered", q->arena->name, s->kind);
    if (s->args_bytes < k->args_bytes_min || s->args_bytes > k->args_bytes_max || s->args_bytes > ADIT_TASK_BYTES || (s->args_bytes && !s->args))
        return adit_fault(-EINVAL, "arena %s: kind %.47s takes %u to %u bytes of arguments, not %u", q->arena->name, k->name, k->args_bytes_min,
                          k->args_bytes_max, s->args_bytes);
    if (s->attempts_max > ADIT_TASK_ATTEMPTS_MAX || !find_level(q, s->priority, level))
        return adit_fault(-EINVAL, "arena %s: a task of kind %.47s with %u attempts (to %u) and priority %u (1 to 5, 0: NORMAL)", q->arena->name, k->name, s->attempts_max,
                          ADIT_TASK_ATTEMPTS_MAX, (unsigned)s->priority);
    if (s->after_n > ADIT_TASK_AFTER_MAX || (s->after_n && !s->after))
        return adit_fault(-EINVAL, "arena %s: a task of kind %.47s after %u others; %u are possible", q->arena->name, k->name, s->after_n, ADIT_TASK_AFTER_MAX);
    for (uint32_t i = 0; i < s->after_n; i++)
        if (!adit_task_was_submitted(q->arena, s->after[i]))
            return adit_fault(-EDEADLK, "arena %s: a task of kind %.47s after 0x%llx, which was not submitted yet", q->arena->name, k->name,
                              (unsigned long long)s->after[i]);
    error = adit_task_wants_any(s) ? adit_task_wants_check(q, k->name, s) : 0;
    if (!error && s->must_run)
        return adit_kind_able_check(q->arena, s->kind, adit_task_spec_writes(s));
    return error;
}

/* What goes onto a slot's first line, made before there is one: a worker that spins looks at that line all the time, and takes it away from who stores there. So
 * nothing but stores comes between TASK:fill and TASK:queued. */
struct filling {
    uint64_t waits_ns, tag;
    uint8_t args[ADIT_TASK_SHORT_ARGS];
    uint32_t submitter;
    uint16_t flags;
    uint8_t kind, args_bytes, attempts_max;
};

static void prepare(const struct adit_queue *q, const struct adit_task_spec *s, bool is_any, uint64_t now, struct filling *f)
{
    uint32_t flags = (s->backoff_ns || s->expires_ns ? ADIT_TASK_HAS_TIMES : 0u) | (s->retry_errors ? ADIT_TASK_HAS_RETRY : 0u) | (s->delay_ns ? ADIT_TASK_HAS_DUE : 0u) |
                     (is_any ? ADIT_TASK_AFTER_ANY : 0u) | (s->uses_n ? ADIT_TASK_HAS_USES : 0u) | (s->limit_ns || s->kill_ns ? ADIT_TASK_HAS_LIMITS : 0u);
    flags |= (adit_task_spec_writes(s) ? ADIT_TASK_HAS_WRITES : 0u) | (adit_task_wants_any(s) ? ADIT_TASK_HAS_WANTS : 0u);
    f->waits_ns = now;
    f->tag = s->tag;
    f->submitter = q->arena->owner;
    f->flags = (uint16_t)flags;
    f->kind = (uint8_t)s->kind;
    f->args_bytes = (uint8_t)s->args_bytes;
    f->attempts_max = (uint8_t)(s->attempts_max ? s->attempts_max : ADIT_TASK_ATTEMPTS);
    if (s->args_bytes && s->args_bytes <= ADIT_TASK_SHORT_ARGS)
        memcpy(f->args, s->args, s->args_bytes);
}

/* Stores a task into the slot that was taken for it. */
static void fill(struct adit_task_slot *t, const struct filling *f, const struct adit_task_spec *s)
{
    __atomic_store_n(&t->kind, f->kind, __ATOMIC_RELAXED); /* relaxed, like flags and times: who looks before it claims compares the word afterwards */
    __atomic_store_n(&t->flags, f->flags, __ATOMIC_RELAXED);
    __atomic_store_n(&t->args_bytes, f->args_bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&t->result_bytes, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&t->attempts_max, f->attempts_max, __ATOMIC_RELAXED);
    t->status = 0;
    adit_store32_relaxed(&t->submitter, f->submitter); /* relaxed: recovery reads it while the word says that it is stored */
    adit_store_relaxed(&t->waits_ns, f->waits_ns);
    adit_store_relaxed(&t->tag, f->tag);
    memcpy(t->args, f->args, sizeof t->args);
    if (f->args_bytes > ADIT_TASK_SHORT_ARGS)
        memcpy(t->long_args, s->args, f->args_bytes);
    if (f->flags & ADIT_TASK_HAS_LIMITS) {
        adit_store_relaxed(&t->limit_ns, s->limit_ns);
        adit_store_relaxed(&t->kill_ns, s->kill_ns);
        adit_store_relaxed(&t->started_ns, 0);
    }
    if (f->flags & ADIT_TASK_HAS_TIMES) {
        adit_store_relaxed(&t->backoff_ns, s->backoff_ns);
        adit_store_relaxed(&t->expires_ns, s->expires_ns ? adit_task_later(f->waits_ns, s->expires_ns) : 0);
    }
}

/* FILLING to HELD: whoever looks first finds what to do. */
static void hold(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word, const struct adit_task_wait *wait)
{
    struct adit_task_after *after = &q->arena->task_after[place->slot - q->arena->tasks];
    for (uint32_t i = 0; i < ADIT_TASK_AFTER_MAX; i++)
        adit_store_relaxed(&after->task[i], i < wait->n ? wait->task[i] : 0);
    uint64_t expires = adit_task_expires_ns(place->slot);
    word = adit_task_with(word, ADIT_TASK_HELD, 0);
    adit_store_seq_cst(&place->slot->word, word); /* TASK:held */
    adit_task_look_after(q, place, word);
    if (expires != UINT64_MAX && adit_task_state(adit_load_relaxed(&place->slot->word)) == ADIT_TASK_HELD) /* relaxed: a hint, be it another's by now */
        adit_task_due(q, expires);
}

/* FILLING to RUNNING: the submitter is its first worker, and nobody finds it QUEUED. */
static void begin_here(const struct adit_queue *q, struct adit_task_claim *c)
{
    c->word = adit_task_with(c->word, ADIT_TASK_RUNNING, q->arena->owner) + (1ull << 36); /* attempt 1 */
    adit_store_release(&c->place.slot->word, c->word); /* TASK:here, pairs with recovery's load: all of the task, for its next worker */
}

/* FILLING to QUEUED, DELAYED or HELD. FILLING is nobody else's to change, so no compare-and-swap is needed. */
static void hand_over(const struct adit_queue *q, const struct adit_task_claim *c, const struct adit_task_spec *s, const struct adit_task_wait *wait, uint64_t now)
{
    struct adit_task_slot *t = c->place.slot;
    uint64_t word = c->word | (s->detached ? ADIT_TASK_DETACHED : 0);
    uint64_t due = adit_task_later(now, s->delay_ns), expires = s->delay_ns ? adit_task_expires_ns(t) : 0;
    if (s->delay_ns)
        adit_store_relaxed(&t->due_ns, due); /* relaxed: the word follows */
    if (wait->n) {
        hold(q, &c->place, word, wait);
    } else if (s->delay_ns) {
        adit_store_release(&t->word, adit_task_with(word, ADIT_TASK_DELAYED, 0)); /* TASK:queued, as below */
        adit_task_due(q, due < expires ? due : expires);
    } else {
        adit_store_release(&t->word, adit_task_with(word, ADIT_TASK_QUEUED, 0)); /* TASK:queued, pairs with TASK:claim: all of the task */
    }
}

/* What a call of adit_task_submit_timed adds. */
struct timed {
    uint64_t now_ns;
    struct adit_task_claim *here; /* where a task goes that this thread is to run; NULL: to a worker */
};

/* One call of adit_submit_n. */
struct submission {
    struct adit_queue *q;
    uint32_t ahead; /* slots between one that is taken and one whose line is asked for */
    uint64_t now, from[ADIT_TASK_LEVELS]; /* from: behind the last slot taken of a level */
    uint32_t level;                       /* of the task at hand */
    uint64_t kinds;                       /* of all so far, a bit each */
    bool is_for_some;                     /* one is not for every worker: all are woken, as each knows only what it can have itself */
    const struct timed *timed;            /* NULL: another call's */
    struct adit_task_wait found;          /* whom its uses have it wait for */
    struct adit_task_place stand_in;      /* for whom it names; slot NULL: none does */
};

/* Asks for the line of a slot that is taken soon; it was last a worker's, or its submitter's. */
static void prefetch(const struct submission *s)
{
    uint64_t tail = adit_load_relaxed(&s->q->slot->level[s->level].tail), from = s->from[s->level]; /* relaxed: a guess */
    adit_prefetch_writable(adit_task_at(s->q, s->level, (from > tail ? from : tail) + s->ahead));
}

static int take(struct submission *s, struct adit_task_claim *c)
{
    int error = take_anywhere(s->q, s->level, s->from[s->level], s->now, c);
    if (!error)
        s->from[s->level] = c->place.position + 1;
    return error;
}

/* Makes wait one task that stands for them all, that ends when they have, or fails when one does. kept: it is there until adit_task_detach, so that its failure can be seen, be it that of a task
 * which has failed already; NULL: nobody asks for that. */
static int join(struct submission *s, struct adit_task_wait *wait, struct adit_task_place *kept)
{
    struct adit_task_claim c;
    int error = take(s, &c);
    if (error)
        return error;
    const struct adit_task_spec none = {.size = sizeof none, .detached = true};
    struct filling f = {0};
    prepare(s->q, &none, wait->any, s->now, &f);
    f.flags |= ADIT_TASK_IS_JOIN;
    fill(c.place.slot, &f, &none);
    uint64_t handle = adit_task_handle(s->q, s->level, c.place.position);
    hold(s->q, &c.place, c.word | (kept ? 0 : ADIT_TASK_DETACHED), wait);
    if (kept)
        *kept = c.place;
    *wait = (struct adit_task_wait){.task = {handle}, .n = 1, .any = wait->any};
    return 0;
}

static int add_found(uint64_t handle, void *user)
{
    struct submission *s = user;
    int error = s->found.n == ADIT_TASK_AFTER_MAX ? join(s, &s->found, NULL) : 0;
    if (!error)
        s->found.task[s->found.n++] = handle;
    return error;
}

/* Whom a task waits for: those it names, and those that use its buffers, whatever becomes of these. */
static int gather(struct submission *s, const struct adit_task_spec *spec, struct adit_task_wait *wait)
{
    int error = 0;
    *wait = (struct adit_task_wait){.n = spec->after_n, .any = spec->after_failures};
    for (uint32_t i = 0; i < spec->after_n; i++)
        wait->task[i] = spec->after[i];
    s->found = (struct adit_task_wait){.any = true};
    if (spec->uses_n)
        error = adit_task_uses_each(s->q, spec, add_found, s);
    if (error || !s->found.n)
        return error;
    if (!wait->n) {
        *wait = s->found;
        return 0;
    }
    if (wait->n + s->found.n > ADIT_TASK_AFTER_MAX || wait->any != s->found.any) {
        error = join(s, &s->found, NULL);
        if (!error && wait->n == ADIT_TASK_AFTER_MAX)
            error = join(s, wait, &s->stand_in);
    }
    for (uint32_t i = 0; i < s->found.n && !error; i++)
        wait->task[wait->n++] = s->found.task[i];
    return error;
}

/* Submits one; with uses, under their lock: so tasks that use the same buffers are seen by the next. */
static int submit_one(struct submission *s, const struct adit_task_spec *spec, uint64_t *task)
{
    struct adit_task_wait wait;
    struct adit_task_claim c;
    struct filling f = {0}; /* all of its args are stored where peers see them */
    int error = check(s->q, spec, &s->level);
    if (error)
        return error;
    s->kinds |= 1ull << (spec->kind & 63);
    prefetch(s);
    s->now = s->now ? s->now : adit_clock_ns();
    if (spec->uses_n)
        error = adit_task_uses_lock(s->q->arena);
    if (error)
        return error;
    error = spec->uses_n ? adit_task_uses_check(s->q, spec) : 0;
    if (!error)
        error = gather(s, spec, &wait);
    prepare(s->q, spec, !error && wait.any, s->now, &f);
    if (!error)
        error = take(s, &c);
    if (!error) {
        fill(c.place.slot, &f, spec);
        if (spec->uses_n)
            adit_task_uses_set(s->q, c.place.slot, spec);
        if (f.flags & ADIT_TASK_HAS_WANTS) {
            adit_task_wants_set(s->q, c.place.slot, spec);
            s->is_for_some = true;
        }
        if (s->timed)
            __atomic_store_n(&c.place.slot->flags, (uint16_t)(c.place.slot->flags | ADIT_TASK_IS_TIMED), __ATOMIC_RELAXED); /* relaxed: the word follows */
        ADIT_PROBE(submit, adit_task_handle(s->q, s->level, c.place.position), spec->kind); /* before others may run it */
        adit_count(s->q->arena, ADIT_COUNT_TASKS_SUBMITTED + spec->kind % ADIT_KINDS, 1);
        if (s->timed && s->timed->here && !wait.n) {
            begin_here(s->q, &c);
            *s->timed->here = c;
        } else {
            hand_over(s->q, &c, spec, &wait, s->now);
        }
        if (task)
            *task = adit_task_handle(s->q, s->level, c.place.position);
    }
    if (s->stand_in.slot) /* it has been looked at */
        adit_task_detach(s->q, &s->stand_in);
    s->stand_in.slot = NULL;
    if (spec->uses_n)
        adit_task_uses_unlock(s->q->arena);
    return error;
}

/* A task by itself, for a worker that spins and has nothing else: its line goes to where that one finds it sooner. (Measured, interleaved: from submit to running 2.0 times a line instead of 2.3; perf/README.md.) */
static void send(const struct submission *s)
{
    uint64_t before = adit_load_relaxed(&s->q->submitted_ns); /* relaxed, all: advice */
    adit_store_relaxed(&s->q->submitted_ns, s->now);
    if (s->now - before > FLOW_NS && adit_load_relaxed(&s->q->slot->spinner))
        adit_demote(adit_task_at(s->q, s->level, s->from[s->level] - 1));
}

/* As adit_submit_n. timed: of adit_task_submit_timed, else NULL. */
static __attribute__((noinline)) int submit_all(struct adit_queue *q, const struct adit_task_spec *specs, uint32_t n, uint64_t *tasks, const struct timed *timed)
{
    struct submission s = {.q = q, .ahead = n > 1 ? AHEAD : 0, .now = timed ? timed->now_ns : 0, .timed = timed};
    if (!timed || !timed->here)
        adit_task_ring(q, n);
    uint32_t done = 0;
    int error = 0;
    while (done < n && !(error = submit_one(&s, &specs[done], tasks ? &tasks[done] : NULL)))
        done++;
    if (done && n == 1 && !(timed && timed->here))
        send(&s);
    for (uint32_t i = 0; i < q->levels_n; i++)
        if (s.from[i])
            raise_tail(&q->slot->level[i], s.from[i]);
    if (done && s.is_for_some)
        adit_task_announce_all(q);
    else if (done && !(timed && timed->here && timed->here->place.slot))
        announce(q, done, s.kinds, !timed || !timed->here);
    return done ? (int)done : error;
}

int adit_submit_n(struct adit_queue *q, const struct adit_task_spec *specs, uint32_t n, uint64_t *tasks) { return submit_all(q, specs, n, tasks, NULL); }

int adit_task_submit_timed(struct adit_queue *q, const struct adit_task_spec *spec, uint64_t now_ns, bool is_here, uint64_t *task, struct adit_task_claim *claim)
{
    const struct timed timed = {now_ns, is_here ? claim : NULL};
    *claim = (struct adit_task_claim){0};
    int n = submit_all(q, spec, 1, task, &timed);
    return n < 0 ? n : 0;
}

int adit_submit(struct adit_queue *q, const struct adit_task_spec *spec, uint64_t *task)
{
    int n = adit_submit_n(q, spec, 1, task);
    return n < 0 ? n : 0;
}

/* ---- room ---- */

struct room {
    struct adit_queue *q;
    uint32_t level, looks;
};

/* Having found some, also for who submits then. */
static bool has_room(void *context)
{
    struct room *r = context;
    struct adit_task_level *level = &r->q->slot->level[r->level];
    uint64_t tail = tail_of(level);
    bool is_thorough = r->looks++ % LOOK_ALL_EVERY == 0 || r->looks > LOOK_ALL_FROM;
    struct search s = search_from(r->q, r->level, is_thorough, tail, tail);
    adit_store_seq_cst(&r->q->slot->room_wanted, 1); /* TASK:room, before the look: who frees a slot after it sees this */
    if (!find_open(&s) && s.ahead == UINT64_MAX)
        return false;
    raise_tail(level, s.ahead == UINT64_MAX || s.p < s.end ? s.p : s.ahead);
    return true;
}

int adit_queue_wait_room(struct adit_queue *q, enum adit_priority priority, uint64_t timeout_ns)
{
    struct room r = {.q = q};
    if (!find_level(q, priority, &r.level))
        return adit_fault(-EINVAL, "arena %s: priority %u; there are 1 to 5", q->arena->name, (unsigned)priority);
    return adit_event_wait(&q->slot->room, has_room, &r, timeout_ns);
}
