/* worker.c - one thread that runs tasks (adit_tasks.h): claim, run, commit; and what it does when it finds nothing.
 *
 *     claim --found--> run --> commit --> claim ...
 *       | nothing
 *       v
 *     spin: one of a queue's workers, for as long as a wake takes, looks at the    found: pass on, run
 *       bell (task_bell.h), and at the queue when it rings and now and then;
 *       not if it has only slept since it last ran something, or was woken for nothing that is left
 *       | nothing
 *       v
 *     sleep: waiters + 1 (TASK:sleep); spinner := 0 (TASK:spinner); look at        found: pass on, run
 *       all there is; sleep until told, or the next task is due; waiters - 1; claim found: pass on, run
 *
 *     pass on: others asleep? spinner := 0 (TASK:spinner); look; there are more: wake one
 *
 * Submitters store QUEUED, fence, look at spinner, then at waiters (adit_task_announce). All of these are in the one order of seq_cst accesses: a
 * submitter that still saw a spinner is before that name was taken away, so the look that follows sees its task; one that saw none is after, so it sees
 * the waiter. A worker that goes to sleep takes away whoever's name stands there: its bearer may be running a task by now. One that really looks puts it back.
 * Several tasks may have come while submitters relied on one worker, and it takes one of them: so it looks for more, and the one it wakes does so, too. Then
 * no task is QUEUED while a worker that can run it sleeps, if all can run all tasks, nobody is stopped, and recovery has told of who died
 * (tests/models/task_wake.pml, whose workers are alike, and which has no bell: that is a hint). Where they differ (tests/models/task_tell.pml), one that goes to sleep, or was woken, and cannot run what there is wakes all who may; who is woken so tells
 * nobody, or two would wake each other for ever, and nor does one that has only slept since: nobody has relied on it, as it did not spin. For who is stopped there are naps.
 *
 * Spinning for as long as sleeping and being woken would take costs at most twice the best choice (A. Karlin et al., "Competitive randomized
 * algorithms for non-uniform problems", SODA 1990, the deterministic case).
 */
#include "runtime/worker.h"

#include <errno.h>
#include <string.h>

#include "runtime/cost.h"
#include "runtime/kind.h"
#include "runtime/task_bell.h"
#include "runtime/task_guard.h"
#include "runtime/task_limit.h"
#include "runtime/task_sleepers.h"
#include "runtime/task_uses.h"
#include "runtime/task_wants.h"

#define NAP_NS 100000000u    /* a sleeper looks around after so long, should somebody have stopped before its wake (of the dead recovery tells), then each time after twice as long, */
#define NAP_MAX_NS 1600000000u /* to this, until it is woken or finds something */
#define WAKE_MAX_NS 500000u  /* a longer one was not the wake's fault */
#define BELL_LOOKS 4000u     /* some 2 us, between looks at the queue itself */
#define READER_NS 10000000000u /* that a task with buffers waits for a reader; longer than most kinds have theirs */
#define READER_NAP_NS 100000
#define RUNG_LOOKS 100u      /* for what has been rung for, some 0.3 us */

bool adit_task_should_stop(const struct adit_task_run *run)
{
    return adit_load_relaxed(run->word) & ADIT_TASK_CANCEL || adit_load32_relaxed(run->stop) || (run->ends_ns && adit_clock_ns() >= run->ends_ns); /* relaxed: it comes when it comes */
}

void adit_task_progress(const struct adit_task_run *run, uint64_t progress) { adit_store_relaxed(run->progress, progress); }

static int call_kind(const struct adit_kind_here *here, const struct adit_task_run *run, uint32_t kind, const void *args, void *result, uint32_t *result_bytes)
{
    adit_kind_run *f = here->of[kind].run;
    return here->guards ? adit_task_guard_run(f, run, args, result, result_bytes) : f(run, args, result, result_bytes);
}

/* A reader for a task; others may have all there are, and then each is free again once the kind it is with has ended. */
static int borrow(const struct adit_queue *q, const struct adit_task_run *run, struct adit_reader **reader)
{
    uint64_t until_ns = 0;
    for (;;) { /* bounded by READER_NS */
        int error = adit_rcu_borrow(q->arena, reader);
        if (error != -EAGAIN && error != -EUSERS)
            return error;
        uint64_t now = adit_clock_ns();
        until_ns = until_ns ? until_ns : now + READER_NS;
        if (adit_task_should_stop(run))
            return -ECANCELED;
        if (now >= until_ns)
            return error;
        nanosleep(&(struct timespec){.tv_nsec = READER_NAP_NS}, NULL);
    }
}

/* Calls the kind with its buffers, if the task uses any. *reader: what it read with, to be given back; NULL: nothing. */
static int call(const struct adit_queue *q, const struct adit_task_claim *c, struct adit_task_run *run, uint32_t kind, const void *args, void *result, uint32_t *result_bytes, struct adit_reader **reader)
{
    const struct adit_kind_here *here = q->arena->kinds_here;
    if (!(c->place.slot->flags & ADIT_TASK_HAS_USES))
        return call_kind(here, run, kind, args, result, result_bytes);
    int status = borrow(q, run, reader);
    if (status) {
        *reader = NULL;
        return status;
    }
    status = adit_task_uses_open(q, c, *reader, run);
    if (!status)
        status = adit_task_uses_close(q, c, *reader, run, call_kind(here, run, kind, args, result, result_bytes));
    return status;
}

/* Says in its slot what it runs: who finds it dead looks there first. BUSY stays while one task follows the other. */
static void begin_in_slot(struct adit_worker *w, const struct adit_task_claim *c)
{
    adit_store_relaxed(&w->slot->task, adit_task_handle(w->queue, c->place.level, c->place.position)); /* relaxed: a hint, recovery looks everywhere */
    if (!w->is_busy)
        w->is_busy = adit_worker_move(w->slot, ADIT_LIFE_BUSY);
}

/* It has found nothing, and its slot says so. */
static void rest_in_slot(struct adit_worker *w)
{
    w->is_busy = !(adit_worker_move(w->slot, ADIT_LIFE_CLEANING) && adit_worker_move(w->slot, ADIT_LIFE_READY));
}

/* A kind has ended well after so long. Seldom, so not in line with those that are not measured. */
static __attribute__((noinline)) void measure(const struct adit_worker *w, const struct adit_task_run *run, uint32_t kind, const void *args, uint64_t took_ns)
{
    uint64_t bytes[ADIT_USES_MAX];
    for (uint32_t i = 0; i < run->buffers_n; i++)
        bytes[i] = run->buffers[i].bytes;
    adit_kind_tally_measure(run->arena, w->tally, kind, adit_kind_work_of(run->arena, kind, args, run->args_bytes, bytes, run->buffers_n), took_ns);
}

static __attribute__((noinline)) void count_failure(const struct adit_task_run *run, uint32_t kind, int status)
{
    adit_count(run->arena, ADIT_COUNT_TASKS_FAILED + kind % ADIT_KINDS, 1);
    adit_event(run->arena, ADIT_EVENT_TASK_FAILED, adit_clock_ns(), run->task, (uint64_t)kind << 56 | (uint32_t)-status);
}

/* It was measured, and stands for those before it that were not. waits_ns: since when it could have run, 0: unknown. */
static __attribute__((noinline)) void count_times(const struct adit_worker *w, const struct adit_task_run *run, uint32_t kind, uint64_t waits_ns, uint64_t begin_ns, uint64_t took_ns)
{
    uint32_t untold = w->tally ? w->tally->untold[kind % ADIT_KINDS] : 0, n = untold ? untold : 1;
    adit_record(run->arena, ADIT_HISTOGRAM_TASK_RUN_NS + kind % ADIT_KINDS, took_ns, n);
    if (waits_ns && waits_ns < begin_ns)
        adit_record(run->arena, ADIT_HISTOGRAM_TASK_WAIT_NS + kind % ADIT_KINDS, begin_ns - waits_ns, n);
    adit_event(run->arena, ADIT_EVENT_TASK, begin_ns + took_ns, run->task, (uint64_t)kind << 56 | took_ns);
}

/* Counts a task, and settles whether the next one is measured, so that nothing has to be on its way. took_ns: 0: this one was not. */
static inline void account(struct adit_worker *w, const struct adit_task_run *run, uint32_t kind, const void *args, uint64_t took_ns, int status)
{
    adit_count(run->arena, ADIT_COUNT_TASKS_RUN + kind % ADIT_KINDS, 1);
    if (status < 0) {
        adit_kind_failed(run->arena, kind);
        count_failure(run, kind, status);
    }
    if (took_ns && status >= 0 && w->tally)
        measure(w, run, kind, args, took_ns);
    if (w->tally)
        w->times_next = adit_kind_tally_count(w->tally, kind);
}

/* There is work: whoever counts workers looks again. */
static __attribute__((noinline)) void disturb(uint32_t *rests)
{
    adit_store32_relaxed(rests, 0);
    adit_futex_wake(rests, 1);
}

/* Runs what was claimed, and commits. */
static int work(struct adit_worker *w, const struct adit_task_claim *c)
{
    const struct adit_queue *q = w->queue;
    struct adit_task_slot *t = c->place.slot;
    uint8_t args[ADIT_TASK_BYTES] __attribute__((aligned(16))), result[ADIT_TASK_BYTES] __attribute__((aligned(16)));
    uint32_t kind = __atomic_load_n(&t->kind, __ATOMIC_RELAXED), bytes = __atomic_load_n(&t->args_bytes, __ATOMIC_RELAXED), result_bytes = 0;
    struct adit_reader *reader = NULL;
    int status = -EPROTO; /* relaxed, and once: TASK:claim came first, and a mad peer may change them */
    bytes = bytes < ADIT_TASK_BYTES ? bytes : ADIT_TASK_BYTES;
    memcpy(args, bytes > ADIT_TASK_SHORT_ARGS ? t->long_args : t->args, bytes);
    adit_store_relaxed(&t->progress, 0);
    adit_store32_relaxed(&w->at_work, 1); /* relaxed: a figure */
    if (w->rests && adit_load32_relaxed(w->rests)) /* relaxed: one that is about to rest is late by its rest, no more */
        disturb(w->rests);
    if (w->slot)
        begin_in_slot(w, c);
    if (adit_kind_takes(q->arena, kind, bytes)) {
        struct adit_task_run run;
        run.arena = q->arena; /* by hand: what buffers are not there need no zeroes */
        run.user = q->arena->kinds_here->of[kind].user;
        run.task = adit_task_handle(q, c->place.level, c->place.position);
        run.tag = t->tag;
        run.args_bytes = bytes;
        run.attempt = adit_task_attempt(c->word);
        run.buffers_n = 0;
        run.word = &t->word;
        run.stop = w->stop;
        run.progress = &t->progress;
        run.ends_ns = adit_task_limit_begin(w, t, c->word);
        bool is_asked = __atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_IS_TIMED; /* relaxed: TASK:claim */
        uint64_t begin = w->times_next || is_asked ? adit_clock_ns() : 0;
        status = adit_task_limit_end(w, &run, adit_task_limit_holds(w) ? call(q, c, &run, kind, args, result, &result_bytes, &reader) : -EAGAIN);
        uint64_t took_ns = begin ? adit_clock_ns() - begin : 0;
        if (is_asked)
            adit_store_relaxed(&t->took_ns, took_ns); /* relaxed: TASK:done follows */
        if (took_ns)
            count_times(w, &run, kind, adit_load_relaxed(&t->waits_ns), begin, took_ns); /* relaxed: likewise this task's */
        account(w, &run, kind, args, took_ns, status);
    }
    result_bytes = result_bytes < ADIT_TASK_BYTES ? result_bytes : ADIT_TASK_BYTES;
    bool is_stopped = status == -ECANCELED && adit_load32_relaxed(w->stop) && !(adit_load_relaxed(&t->word) & ADIT_TASK_CANCEL);
    if (is_stopped && reader)
        adit_rcu_give_back(q->arena, reader);
    (void)(is_stopped ? adit_task_put_back(q, c) /* the pool closes, and nobody else wants it to end */ : adit_task_commit(q, c, reader, status, result, result_bytes));
    adit_task_wants_release(q, c->reserved);
    adit_store32_relaxed(&w->at_work, 0);
    adit_store_relaxed(&w->tasks, w->tasks + 1);
    if (w->slot)
        adit_store_relaxed(&w->slot->tasks, w->tasks);
    return status;
}

int adit_worker_run(struct adit_worker *w, const struct adit_task_claim *c) { return work(w, c); }

int adit_worker_run_item(struct adit_worker *w, uint32_t kind, const void *from, uint32_t bytes, uint32_t attempt, void *result, uint32_t *result_bytes)
{
    static const uint64_t no_word; /* of no task: nobody can cancel it alone */
    struct adit_arena *arena = w->queue->arena;
    uint8_t args[ADIT_TASK_BYTES] __attribute__((aligned(16)));
    uint64_t progress, begin = w->times_next ? adit_clock_ns() : 0;
    const struct adit_task_run run = {.arena = arena, .user = arena->kinds_here->of[kind].user, .args_bytes = bytes, .attempt = attempt, .word = &no_word, .stop = w->stop, .progress = &progress};
    if (bytes)
        memcpy(args, from, bytes);
    *result_bytes = 0;
    int status = call_kind(arena->kinds_here, &run, kind, args, result, result_bytes);
    uint64_t took_ns = begin ? adit_clock_ns() - begin : 0;
    if (took_ns)
        count_times(w, &run, kind, 0, begin, took_ns);
    account(w, &run, kind, args, took_ns, status);
    *result_bytes = *result_bytes < ADIT_TASK_BYTES ? *result_bytes : ADIT_TASK_BYTES;
    return status;
}

static bool claim(struct adit_worker *w, struct adit_task_claim *c)
{
    return adit_task_claim(w->queue, &w->cursor, adit_kinds_runnable(w->queue->arena), c);
}

static bool claim_next(struct adit_worker *w, struct adit_task_claim *c)
{
    return adit_task_claim_next(w->queue, &w->cursor, adit_kinds_runnable(w->queue->arena), c);
}

/* The name of who spins, if there is none, is this worker's. What came before it was is not rung for. */
static bool is_spinner(struct adit_worker *w)
{
    uint64_t *spinner = &w->queue->slot->spinner, seen = adit_load_relaxed(spinner); /* relaxed: one too many does no harm */
    if (seen == w->name)
        return true;
    if (seen || !adit_cas_seq_cst(spinner, &seen, w->name))
        return false;
    w->expects = UINT32_MAX;
    return true;
}

/* A worker has found a task on which submitters relied that it looks, or for which it was woken: whatever came meanwhile is for others. One is woken, and
 * does the same. */
static void pass_on(struct adit_worker *w)
{
    const struct adit_queue *q = w->queue;
    if (!adit_load32_relaxed(&q->slot->work.waiters)) /* relaxed: who begins to wait takes the name away */
        return;
    adit_store_seq_cst(&q->slot->spinner, 0); /* TASK:spinner, before the look */
    uint64_t kinds = adit_task_more_kinds(q, &w->cursor);
    if (kinds)
        adit_task_announce(q, 1, kinds);
}

/* Whether the bell has been rung since this worker last listened; listens for a while. */
static bool hears_bell(struct adit_worker *w, uint32_t looks)
{
    uint64_t bell = w->bell;
    for (uint32_t i = 0; i < looks && bell == w->bell; i++)
        bell = adit_load_relaxed(&w->queue->slot->bell); /* relaxed: a hint */
    if (bell == w->bell)
        return false;
    w->expects = adit_task_bell_tells(w->bell, bell);
    w->bell = bell;
    return true;
}

/* It has claimed one, or seen that there is none. */
static void has_looked(struct adit_worker *w, bool is_found)
{
    if (!is_found)
        w->expects = 0;
    else if (w->expects && w->expects != UINT32_MAX)
        w->expects--;
}

/* Claims the next task if there is one where this worker expects it, or anywhere if it has been rung for more than it has seen. What it does not look at stays with submitters. */
static bool claim_heard(struct adit_worker *w, struct adit_task_claim *c)
{
    bool is_found = claim_next(w, c);
    if (!is_found) {
        (void)hears_bell(w, 1);
        is_found = w->expects && claim(w, c);
    }
    has_looked(w, is_found);
    return is_found;
}

static bool spin(struct adit_worker *w, struct adit_task_claim *c)
{
    uint64_t begin = adit_clock_ns(), wake_ns = adit_load_relaxed(w->wake_ns);
    bool is_found = false;
    while (is_spinner(w) && !is_found && !adit_worker_is_told(w)) { /* bounded by wake_ns */
        if (!w->expects && hears_bell(w, BELL_LOOKS)) {
            adit_spin_pause(); /* not to take the line of the slot away from who stores there */
            for (uint32_t i = 0; i < RUNG_LOOKS && !is_found; i++)
                is_found = claim_next(w, c);
        }
        is_found = is_found || claim(w, c);
        has_looked(w, is_found);
        if (!is_found && adit_clock_ns() - begin > wake_ns)
            break;
    }
    if (is_found)
        pass_on(w);
    return is_found;
}

/* What being woken took: from the post that did it. */
static void learn_wake(struct adit_worker *w)
{
    uint64_t now = adit_clock_ns(), woken = adit_load_relaxed(&w->queue->slot->woken_ns);
    if (woken < now && now - woken < WAKE_MAX_NS)
        adit_cost_learn(w->wake_ns, now - woken);
}

static uint64_t longer(uint64_t nap_ns) { return nap_ns < NAP_MAX_NS ? nap_ns * 2 : nap_ns; }

/* Whether this worker looks for all of the queue's, its nap being over; else another has done so a moment ago. */
static bool takes_turn(const struct adit_worker *w)
{
    uint64_t now = adit_clock_ns(), *at = &w->queue->slot->looked_ns, looked = adit_load_relaxed(at); /* relaxed: the CAS says whether it was that */
    return now - looked >= w->nap_ns / 2 && adit_cas_acq_rel(at, &looked, now);
}

static int wait_by_kinds(const struct adit_worker *w, uint32_t seq, uint64_t nap)
{
    uint32_t bits = adit_task_sleepers_of(adit_kinds_runnable(w->queue->arena));
    return adit_futex_wait_bits(&w->queue->slot->work.seq, seq, bits ? bits : 1, nap);
}

/* Sleeps for the nap, cut short as something is due; or nap after nap, while others whose naps were over have looked at everything for all. Whoever comes first looks, and if it cannot have what it
 * finds, tells all. *is_turn: it is this one. Returns -ETIMEDOUT when the nap was over. */
static int nap_on(struct adit_worker *w, uint32_t seq, uint64_t nap, bool *is_turn)
{
    const struct adit_arena *a = w->queue->arena;
    const bool is_cut = nap < w->nap_ns;
    *is_turn = false;
    for (;;) { /* until told, stopped, or it is this one's turn to look */
        int error = wait_by_kinds(w, seq, is_cut ? nap : w->nap_ns);
        if (error != -ETIMEDOUT || adit_worker_is_told(w))
            return error;
        *is_turn = takes_turn(w) || adit_load32_relaxed(&a->left_committed); /* relaxed, both: if not now, then after the next nap */
        if (*is_turn || is_cut || adit_load_relaxed(&w->queue->slot->due_ns))
            return error;
        w->nap_ns = longer(w->nap_ns);
    }
}

/* Wakes all, for one of whom there is what this worker cannot run. Whoever spins is relied on, and tells in its turn. */
static void tell(const struct adit_worker *w)
{
    struct adit_queue_slot *s = w->queue->slot;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* as adit_task_announce */
    if (adit_load_relaxed(&s->spinner) || !adit_load32_relaxed(&s->work.waiters))
        return;
    adit_store_relaxed(&s->woken_ns, adit_clock_ns()); /* relaxed: a figure */
    adit_event_pass(&s->work);
}

/* It has slept, and there is nothing where it looked. is_posted: somebody but those who tell has woken it, or may have; is_turn: nobody has, and it looks for all, as some may have stopped before
 * they could. */
static bool look_again(struct adit_worker *w, struct adit_task_claim *c, bool is_posted, bool is_turn)
{
    const struct adit_queue *q = w->queue;
    if (adit_task_claim_any(q, &w->cursor, adit_kinds_runnable(q->arena), c))
        return true;
    if ((w->cursor.left && is_posted) || ((w->cursor.left || w->cursor.left_wants) && is_turn)) /* else only others have told: all were woken, and who of them can does */
        tell(w);
    return false;
}

/* No longer than until it may have what it was not to have yet. */
static uint64_t until_again(const struct adit_worker *w, uint64_t nap)
{
    if (w->cursor.again_ns == UINT64_MAX)
        return nap;
    uint64_t now = adit_clock_ns(), again = w->cursor.again_ns > now ? w->cursor.again_ns - now : 0;
    return again < nap ? again : nap;
}

static bool sleep_until_told(struct adit_worker *w, struct adit_task_claim *c)
{
    const struct adit_queue *q = w->queue;
    struct adit_event *work = &q->slot->work;
    adit_task_sleeper_enter(q);               /* TASK:sleep */
    adit_store_seq_cst(&q->slot->spinner, 0); /* TASK:spinner, both before the looks below */
    uint32_t seq = adit_load32_acquire(&work->seq);
    w->nap_ns = w->nap_ns ? w->nap_ns : NAP_NS;
    uint64_t due = adit_task_release_due(q, adit_kinds_runnable(q->arena)), nap = due < w->nap_ns ? due : w->nap_ns;
    bool is_found = adit_task_claim_any(q, &w->cursor, adit_kinds_runnable(q->arena), c);
    bool is_posted = false, is_turn = false;
    if (!is_found)
        nap = until_again(w, nap);
    if (!is_found && w->cursor.left && !w->is_idle) /* submitters may have relied on this worker for what it cannot run */
        tell(w);
    bool sleeps = !is_found && nap && !adit_worker_is_told(w);
    if (sleeps && w->tally)
        adit_kind_tally_tell(q->arena, w->tally);
    if (sleeps) {
        adit_store_relaxed(&w->sleeps, w->sleeps + 1);
        int error = nap_on(w, seq, nap, &is_turn);
        is_posted = error != -ETIMEDOUT && (adit_load32_relaxed(&work->seq) ^ seq) & ADIT_EVENT_POSTS; /* relaxed: later is no harm */
        if (!error)
            learn_wake(w);
        if (is_turn)
            adit_task_look_after_all(q); /* nobody told anything for long */
        w->nap_ns = is_posted ? NAP_NS : is_turn ? longer(w->nap_ns) : w->nap_ns;
        w->is_idle = true;
    }
    (void)adit_task_sleeper_leave(q, q->arena->owner);
    if (sleeps && !adit_worker_is_told(w))
        is_found = claim(w, c);
    if (sleeps && !is_found && !adit_worker_is_told(w) && (is_posted || is_turn))
        is_found = look_again(w, c, is_posted, is_turn);
    if (sleeps && is_posted && !w->cursor.left)
        w->is_idle = false; /* others were sooner: more may come, and there is nothing to tell */
    w->expects = is_found ? UINT32_MAX : w->expects; /* nobody rings for who sleeps */
    if (is_found)
        pass_on(w);
    return is_found;
}

void adit_worker_leave(struct adit_worker *w)
{
    uint64_t name = w->name;
    if (w->has_begun)
        adit_task_at_work(w->queue, w->has_begun = false);
    (void)adit_cas_seq_cst(&w->queue->slot->spinner, &name, 0); /* TASK:spinner: one that found something kept its name, and nobody else was asleep then */
}

bool adit_worker_help(struct adit_worker *w)
{
    struct adit_task_claim c;
    if (!claim(w, &c))
        return false;
    (void)work(w, &c);
    return true;
}

void adit_worker_warm(const struct adit_worker *w)
{
    struct adit_task_cursor cursor = {0};
    struct adit_task_claim none;
    uint64_t kinds = adit_kinds_runnable(w->queue->arena);
    (void)(adit_task_claim(w->queue, &cursor, 0, &none) || adit_task_claim_any(w->queue, &cursor, 0, &none));
    for (uint32_t i = 0; i < ADIT_KINDS; i++)
        if (kinds >> i & 1)
            (void)*(volatile const uint8_t *)(uintptr_t)w->queue->arena->kinds_here->of[i].run;
}

void adit_worker_step(struct adit_worker *w)
{
    struct adit_task_claim c;
    if (!w->has_begun)
        adit_task_at_work(w->queue, w->has_begun = true);
    bool is_found = claim_heard(w, &c);
    if (!is_found && w->is_busy)
        rest_in_slot(w);
    if (!is_found && !w->is_idle)
        is_found = spin(w, &c);
    if (!is_found)
        is_found = sleep_until_told(w, &c);
    if (!is_found)
        return;
    w->is_idle = false;
    w->nap_ns = NAP_NS;
    (void)work(w, &c);
}
