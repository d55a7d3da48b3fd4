#include "runtime/task_run.h"

#include <errno.h>

#include "runtime/buffer.h"
#include "runtime/kind.h"
#include "runtime/kind_able.h"
#include "runtime/params.h"
#include "runtime/task_wants.h"
#include "runtime/worker.h"

#define TRY_SHARE 64u           /* of the time that trying the way not taken may cost: one in so many */
#define DEARER_MAX 16u          /* times, that the other way counts as at most, unless this process has seen it take longer: figures may be damaged */
#define AGAIN (1ull << 60)      /* of spent_ns: it is tried next time */
#define PATIENCE_MIN_NS 100000u /* before a task that was handed over is taken back: several hand-overs long, */
#define HANDOVERS 4u            /* as many */
#define PATIENCE_TOP_NS 1000000000u /* whatever figures say: they may be damaged */
#define PATIENCE_MAX_NS 10000000u   /* of later looks, unless the first was longer */
static const uint64_t handover_first_ns[ADIT_HANDOVERS] = {[ADIT_HANDOVER_HOT] = 1000, [ADIT_HANDOVER_ASLEEP] = ADIT_WORKER_WAKE_FIRST_NS, [ADIT_HANDOVER_BUSY] = 100000};

/* One call. */
struct running {
    struct adit_queue *q;
    const struct adit_task_spec *spec;
    uint64_t begin_ns, ends_ns; /* ends_ns: 0: never */
    bool can_run;               /* this process runs it */
    bool may_begin;             /* and nothing says that it must not begin here, now */
    struct adit_kind_cost *cost; /* this and what follows: where can_run */
    uint32_t class;
    uint64_t work;
    enum adit_handover handover;
    uint64_t here_ns, there_ns; /* expected; 0: not known */
    uint64_t task;
    bool is_disturbed; /* it had to wait for others, was tried again or taken back: its time says nothing */
    bool was_here;
    bool is_now; /* it does not wait for room */
    bool is_try; /* the other way seemed to be done sooner: tried_ns is what this one was expected to take */
    uint64_t tried_ns;
};

/* How its workers stand. */
static enum adit_handover look_at_workers(const struct adit_queue *q)
{
    if (adit_load_relaxed(&q->slot->spinner)) /* relaxed, both: advice */
        return ADIT_HANDOVER_HOT;
    return adit_load32_relaxed(&q->slot->work.waiters) ? ADIT_HANDOVER_ASLEEP : ADIT_HANDOVER_BUSY;
}

static uint64_t handover_ns(const struct adit_queue *q, enum adit_handover handover)
{
    uint64_t ns = adit_kind_cost_ns(&q->slot->handover[handover]);
    return ns ? ns : handover_first_ns[handover];
}

static bool can_run(const struct adit_arena *arena, const struct adit_task_spec *s)
{
    return adit_kind_takes(arena, s->kind, s->args_bytes) && (!s->args_bytes || s->args) && !s->kill_ns && (arena->role == ADIT_ROLE_PRODUCER || !adit_task_spec_writes(s));
}

bool adit_run_can_be_here(const struct adit_arena *arena, const struct adit_task_spec *s) { return can_run(arena, s) && !s->after_n && !s->delay_ns && !adit_task_wants_any(s); }

static struct running begin(struct adit_queue *q, const struct adit_task_spec *s, uint64_t timeout_ns)
{
    struct running r = {.q = q, .spec = s, .begin_ns = adit_clock_ns()};
    uint64_t bytes[ADIT_TASK_USES_MAX] = {0};
    uint32_t n = s->uses && s->uses_n <= ADIT_TASK_USES_MAX ? s->uses_n : 0;
    r.ends_ns = timeout_ns == ADIT_FOR_EVER ? 0 : adit_task_later(r.begin_ns, timeout_ns);
    r.can_run = can_run(q->arena, s);
    r.may_begin = adit_run_can_be_here(q->arena, s);
    r.handover = look_at_workers(q);
    if (!r.can_run)
        return r;
    for (uint32_t i = 0; i < n; i++) {
        const struct adit_buffer_slot *b = adit_buffer_find(q->arena, s->uses[i].buffer);
        bytes[i] = b ? adit_load_relaxed(&b->bytes) : 0; /* relaxed: looked at again when it runs */
    }
    r.work = adit_kind_work_of(q->arena, s->kind, s->args, s->args_bytes, bytes, n);
    r.cost = &q->arena->kinds[s->kind].cost;
    r.class = adit_kind_class(r.work);
    uint64_t here = adit_kind_cost_ns(&r.cost->in_place[r.class]), by_worker = adit_kind_cost_ns(&r.cost->by_worker[r.class]), guess = adit_kind_guess_ns(q->arena, s->kind, r.work);
    r.here_ns = here ? here : by_worker ? by_worker : guess;
    by_worker = by_worker ? by_worker : r.here_ns;
    r.there_ns = by_worker ? by_worker + handover_ns(q, r.handover) : 0;
    return r;
}

/* Whether it is worth while to take the way that costs more, to learn what it costs: see task_run.h. */
static bool tries(struct running *r, uint64_t cheap_ns, uint64_t dear_ns)
{
    struct adit_kind_tries *t = &r->q->arena->kinds_here->price[r->spec->kind].tries[r->class];
    uint64_t spent = adit_load_relaxed(&t->spent_ns) + cheap_ns, seen = 2 * adit_load_relaxed(&t->took_ns); /* relaxed, all: a lost step does no harm */
    uint64_t most = seen > DEARER_MAX * cheap_ns ? seen : DEARER_MAX * cheap_ns, dearer = (dear_ns < most ? dear_ns : most) - cheap_ns;
    r->is_try = spent / TRY_SHARE > dearer + cheap_ns / 4;
    r->tried_ns = dear_ns;
    adit_store_relaxed(&t->spent_ns, r->is_try ? 0 : spent);
    return r->is_try;
}

/* Whether this thread begins it. */
static bool is_for_here(struct running *r)
{
    bool has_workers = r->handover != ADIT_HANDOVER_BUSY;
    uint64_t allowed_ns = r->ends_ns ? (r->ends_ns - r->begin_ns) / 2 : UINT64_MAX;
    if (r->ends_ns && (!r->here_ns || r->here_ns > allowed_ns))
        return !has_workers; /* it might not end in time, and cannot be left alone here */
    if (!r->here_ns)
        return true;
    bool is_here = r->here_ns <= r->there_ns;
    if (is_here)
        return !(has_workers && tries(r, r->here_ns, r->there_ns));
    return tries(r, r->there_ns, r->here_ns);
}

/* Runs what this thread has claimed, and takes its result. -ETIMEDOUT: it has not ended by that, and is tried again. */
static int run_here(struct running *r, const struct adit_task_claim *c, struct adit_task_result *result)
{
    static const uint32_t never;
    static uint64_t no_wake; /* it never sleeps */
    struct adit_worker w = {.queue = r->q, .stop = &never, .wake_ns = &no_wake, .ends_ns = r->ends_ns};
    (void)adit_worker_run(&w, c);
    int error = adit_wait(r->q, r->task, 0, result);
    r->was_here = !error;
    return error;
}

/* Submits it, the one way or the other; a claim is this thread's to run. */
static int hand_in(struct running *r, bool is_here, struct adit_task_claim *c)
{
    for (;;) { /* bounded by the timeout */
        int error = adit_task_submit_timed(r->q, r->spec, r->begin_ns, is_here, &r->task, c);
        if (error != -EAGAIN || r->is_now)
            return error;
        uint64_t now = adit_clock_ns();
        r->is_disturbed = true;
        error = adit_queue_wait_room(r->q, r->spec->priority, !r->ends_ns ? ADIT_FOR_EVER : r->ends_ns > now ? r->ends_ns - now : 0);
        if (error)
            return error;
    }
}

/* The time is over: nobody waits for it any more. 0: it has ended after all. */
static int give_up(const struct running *r, struct adit_task_result *result)
{
    struct adit_task_place place;
    int error = adit_cancel(r->q, r->task);
    if (error == -EBUSY && adit_task_resolve(r->q, r->task, &place)) {
        adit_task_detach(r->q, &place);
        return -ETIMEDOUT;
    }
    error = adit_wait(r->q, r->task, 0, result);
    return error ? error : result->end == ADIT_ENDED_CANCELLED ? -ETIMEDOUT : 0;
}

/* Waits for its end, and takes its result. What nobody has claimed after its patience, and this thread can run, it runs. */
static int wait_for(struct running *r, struct adit_task_result *result)
{
    struct adit_task_place place;
    struct adit_task_claim c;
    uint64_t patience = HANDOVERS * handover_ns(r->q, r->handover) + (r->here_ns > r->there_ns ? r->here_ns - r->there_ns : 0);
    patience = patience < PATIENCE_MIN_NS ? PATIENCE_MIN_NS : patience < PATIENCE_TOP_NS ? patience : PATIENCE_TOP_NS;
    for (;;) { /* bounded by the timeout and the task's end */
        uint64_t now = r->ends_ns || r->can_run ? adit_clock_ns() : 0, left = !r->ends_ns ? ADIT_FOR_EVER : r->ends_ns > now ? r->ends_ns - now : 0;
        bool is_last = !r->can_run || left <= patience;
        int error = adit_wait(r->q, r->task, is_last ? left : patience, result);
        if (error != -ETIMEDOUT)
            return error;
        if (is_last)
            return give_up(r, result);
        (void)adit_task_release_due(r->q, 0); /* it may be that nobody else looks what is due, */
        if (adit_load32_relaxed(&r->q->arena->left_committed)) /* or at what could not be put in its place (relaxed: if not now, then after the next patience) */
            adit_task_look_after_all(r->q);
        if (adit_task_resolve(r->q, r->task, &place) && adit_task_claim_back(r->q, &place, adit_kinds_runnable(r->q->arena), &c)) {
            r->is_disturbed = true;
            error = run_here(r, &c, result);
            if (error != -ETIMEDOUT)
                return error;
        }
        patience = patience < PATIENCE_MAX_NS / 2 ? patience * 2 : patience;
    }
}

/* What it took, for the next. */
static void learn(const struct running *r, const struct adit_task_result *result)
{
    uint64_t took = adit_clock_ns() - r->begin_ns;
    bool counts = !r->is_disturbed && result->end == ADIT_ENDED_DONE && result->status >= 0 && result->attempts == 1;
    struct adit_kind_cost *cost = &r->q->arena->kinds[r->spec->kind].cost; /* adit_submit has said that there is one */
    (void)adit_add_relaxed(r->was_here ? &cost->inlined : &cost->offloaded, 1); /* relaxed: figures */
    if (!counts)
        return;
    if (r->is_try) {
        struct adit_kind_tries *t = &r->q->arena->kinds_here->price[r->spec->kind].tries[r->class];
        adit_store_relaxed(&t->took_ns, took);
        if (took < r->tried_ns / 2) /* so wrong are figures that are old or damaged: what is learned from this one must not wait long for the next */
            adit_store_relaxed(&t->spent_ns, AGAIN);
    }
    if (r->was_here)
        adit_kind_cost_learn(&cost->in_place[r->class], took);
    else if (result->ran_ns && result->ran_ns <= took && r->may_begin)
        adit_kind_cost_learn(&r->q->slot->handover[r->handover], took - result->ran_ns);
}

int adit_run_by(struct adit_queue *q, const struct adit_task_spec *spec, uint64_t timeout_ns, enum adit_way way, struct adit_task_result *result)
{
    struct adit_task_claim c = {0};
    int error = adit_params_check("adit_run", spec->size, sizeof *spec);
    if (!error)
        error = adit_params_check("adit_run", result->size, sizeof *result);
    if (error)
        return error;
    if (spec->detached)
        return adit_fault(-EINVAL, "arena %s: adit_run of a detached task, whose result nobody can take; use adit_submit", q->arena->name);
    struct running r = begin(q, spec, timeout_ns);
    if (!r.can_run && adit_kind_named(q->arena, spec->kind))
        error = adit_kind_able_check(q->arena, spec->kind, adit_task_spec_writes(spec));
    bool is_here = r.may_begin && (way == ADIT_WAY_BEST ? is_for_here(&r) : way != ADIT_WAY_THERE);
    r.is_now = way == ADIT_WAY_HERE_NOW;
    if (!error)
        error = hand_in(&r, is_here, &c);
    if (error)
        return error;
    r.is_disturbed = r.is_disturbed || (is_here && !c.place.slot); /* others have its buffers */
    error = c.place.slot ? run_here(&r, &c, result) : -ETIMEDOUT;
    if (error == -ETIMEDOUT)
        error = wait_for(&r, result);
    if (error)
        return error;
    result->inlined = r.was_here;
    learn(&r, result);
    return r.was_here && r.ends_ns && result->status == -ETIMEDOUT && adit_clock_ns() >= r.ends_ns ? -ETIMEDOUT : 0;
}

int adit_run(struct adit_queue *q, const struct adit_task_spec *spec, uint64_t timeout_ns, struct adit_task_result *result)
{
    return adit_run_by(q, spec, timeout_ns, ADIT_WAY_BEST, result);
}

int adit_queue_look(const struct adit_queue *q, struct adit_queue_info *info)
{
    int error = adit_params_check("adit_queue_look", info->size, sizeof *info);
    if (!error)
        *info = (struct adit_queue_info){.size = sizeof *info, .hot_ns = adit_kind_cost_ns(&q->slot->handover[ADIT_HANDOVER_HOT]),
                                         .asleep_ns = adit_kind_cost_ns(&q->slot->handover[ADIT_HANDOVER_ASLEEP]),
                                         .busy_ns = adit_kind_cost_ns(&q->slot->handover[ADIT_HANDOVER_BUSY])};
    return error;
}
