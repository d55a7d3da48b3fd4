/* router.c - tasks sent to tiers (adit_router.h): route.c under a lock, on queues. The lock is held for arithmetic alone, some 100 ns, never while a task is submitted or run.
 *
 * A ticket is a decision of a task under way. Its tier has ended with it when somebody waits for it, or when the next decision finds that: each looks at the oldest ones of each tier, so a caller that submits much before it waits
 * does not make tiers seem busy. Where none is free all are looked at, for tasks whose results somebody took with adit_wait: up to 4,096 looks, under the lock. A process that dies takes all this along: private memory.
 *
 * What came of a task is one of three: a time, nothing (the tier hung or failed: adit_route_fruitless), or no news of the tier, as when it was refused or cancelled before its time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/adit.h"
#include "runtime/buffer.h"
#include "runtime/kind.h"
#include "runtime/kind_cost.h"
#include "runtime/params.h"
#include "runtime/placement.h"
#include "runtime/route.h"
#include "runtime/task_run.h"
#include "runtime/task_wants.h"

#define TICKETS 4096u
#define REPORTS 256u
#define LOOKS 16u /* at tasks of a tier, a decision */
#define HANDOVER_FIRST_NS 1000u
#define REMOTE_PS_BYTE 40u /* what a byte takes more from a node of distance 20, 0.04 ns: a link of 25 GB/s. In proportion to the distance beyond 10 */

_Static_assert(ADIT_KINDS <= ADIT_ROUTE_KINDS && ADIT_KIND_COSTS <= ADIT_ROUTE_CLASSES, "route.h");
_Static_assert(ADIT_ROUTE_TIERS == 16, "adit_route_report");

struct place {
    char name[32];
    struct adit_queue *queue;
    bool is_inline;
    uint32_t segment; /* of its node; 0: anywhere */
    uint64_t kinds;
    uint32_t oldest, newest; /* tickets of tasks submitted, not known to have ended; TICKETS: none. Under the lock */
};

struct ticket {
    struct adit_route_decision decision;
    uint64_t begin_ns, report;
    uint64_t task;       /* submitted; 0: not by submit, or not yet */
    uint32_t serial;     /* of its use, so that nobody takes it for an earlier one */
    bool has_ended;      /* the tier has been told */
    bool is_plain;       /* nothing but workers keeps it waiting */
    bool is_late;        /* who waits for it gave up later than it was expected */
    uint64_t expires_ns; /* after its begin; 0: never */
    uint32_t next, prev; /* next: of free ones; both: of its place's */
};

struct adit_router {
    struct adit_arena *arena;
    struct place places[ADIT_ROUTE_TIERS];
    pthread_mutex_t lock; /* of what follows */
    struct adit_route route;
    uint64_t reports_n;
    struct adit_route_report reports[REPORTS];
    uint32_t free; /* TICKETS: none */
    uint32_t swept; /* the last one looked at for want of free ones */
    struct ticket tickets[TICKETS];
};

static const char *const policies[] = {"adaptive", "round_robin", "least_loaded", "capability"};

int adit_route_policy_named(const char *name, enum adit_route_policy *policy)
{
    for (uint32_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (!strcmp(name, policies[i])) {
            *policy = (enum adit_route_policy)i;
            return 0;
        }
    return adit_fault(-EINVAL, "policy '%.40s': give adaptive, round_robin, least_loaded or capability", name);
}

const char *adit_route_policy_name(enum adit_route_policy policy) { return (uint32_t)policy < sizeof policies / sizeof *policies ? policies[policy] : "none"; }

static const char *why_of(enum adit_route_why why)
{
    static const char *const names[] = {"", "no other can", "first done", "not measured yet", "tried again", "policy"};
    return names[why];
}

/* ---- open and close --------------------------------------------------------------------------------------------- */

static int check(const struct adit_router_params *p)
{
    if (!p->places || !p->places_n || p->places_n > ADIT_ROUTE_TIERS)
        return adit_fault(-EINVAL, "adit_router_open: %u places; 1 to %u are possible", p->places_n, ADIT_ROUTE_TIERS);
    if ((uint32_t)p->policy > ADIT_ROUTE_CAPABILITY)
        return adit_fault(-EINVAL, "adit_router_open: no policy %d; see enum adit_route_policy", (int)p->policy);
    for (uint32_t i = 0; i < p->places_n; i++)
        if (!p->places[i].queue || !p->places[i].name || !*p->places[i].name || strlen(p->places[i].name) >= sizeof((struct place *)NULL)->name)
            return adit_fault(-EINVAL, "adit_router_open: place %u has no queue, or no name of 1 to 31 bytes", i);
    return 0;
}

/* As adit_run has learned it, at first. */
static uint64_t handover_of(const struct adit_queue *q)
{
    struct adit_queue_info info = {.size = sizeof info};
    return adit_queue_look(q, &info) || !info.hot_ns ? HANDOVER_FIRST_NS : info.hot_ns;
}

int adit_router_open(struct adit_arena *arena, const struct adit_router_params *p, struct adit_router **out)
{
    *out = NULL;
    int error = adit_params_check("adit_router_open", p->size, sizeof *p);
    if (!error)
        error = check(p);
    if (error)
        return error;
    struct adit_router *r = calloc(1, sizeof *r);
    struct adit_route_tier *tiers = calloc(p->places_n, sizeof *tiers);
    if (!r || !tiers) {
        free(r);
        free(tiers);
        return adit_fault(-ENOMEM, "arena %s: no memory for a router", arena->name);
    }
    r->arena = arena;
    r->route = (struct adit_route){.rule = (enum adit_route_rule)p->policy, .tiers_n = p->places_n, .tiers = tiers};
    for (uint32_t i = 0; i < p->places_n; i++) {
        const struct adit_route_place *from = &p->places[i];
        r->places[i] = (struct place){.queue = from->queue, .is_inline = from->is_inline, .kinds = from->kinds ? from->kinds : UINT64_MAX,
                                      .segment = from->node ? adit_near_node(arena, (int32_t)from->node - 1) : 0};
        memcpy(r->places[i].name, from->name, strlen(from->name));
        r->places[i].oldest = r->places[i].newest = TICKETS;
        if (!from->is_inline)
            adit_estimate_add(&tiers[i].handover, handover_of(from->queue));
        tiers[i].workers = from->is_inline ? UINT32_MAX : from->workers ? from->workers : 1;
    }
    for (uint32_t i = 0; i < TICKETS; i++)
        r->tickets[i].next = i + 1;
    pthread_mutex_init(&r->lock, NULL);
    *out = r;
    return 0;
}

void adit_router_close(struct adit_router **router)
{
    struct adit_router *r = *router;
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r->route.tiers);
    free(r);
    *router = NULL;
}

/* ---- choosing --------------------------------------------------------------------------------------------------- */

/* What reading the task's buffers from each place adds. */
static void price_memory(const struct adit_router *r, const struct adit_task_spec *s, uint64_t *bytes, struct adit_route_work *w)
{
    uint32_t n = s->uses && s->uses_n <= ADIT_TASK_USES_MAX ? s->uses_n : 0;
    for (uint32_t u = 0; u < n; u++) {
        const struct adit_buffer_slot *b = adit_buffer_find(r->arena, s->uses[u].buffer);
        bytes[u] = b ? adit_load_relaxed(&b->bytes) : 0; /* relaxed: looked at again when it runs */
        uint32_t lies = b ? adit_placement_segment(r->arena, adit_load_relaxed(&b->current)) : 0;
        for (uint32_t i = 0; i < r->route.tiers_n && lies; i++)
            if (r->places[i].segment)
                w->remote_ns[i] += bytes[u] * REMOTE_PS_BYTE * (adit_near_distance(r->arena, r->places[i].segment, lies) - 10) / 10 / 1000;
    }
}

/* The task as the arithmetic sees it. */
static struct adit_route_work work_of(const struct adit_router *r, const struct adit_task_spec *s, uint64_t *work)
{
    uint64_t bytes[ADIT_TASK_USES_MAX] = {0};
    struct adit_route_work w = {.kind = s->kind};
    if (s->kind >= ADIT_KINDS)
        return w; /* no tier can */
    price_memory(r, s, bytes, &w);
    bool is_ours = adit_kind_takes(r->arena, s->kind, s->args_bytes) && (!s->args_bytes || s->args), can_be_here = adit_run_can_be_here(r->arena, s);
    *work = is_ours ? adit_kind_work_of(r->arena, s->kind, s->args, s->args_bytes, bytes, s->uses_n <= ADIT_TASK_USES_MAX ? s->uses_n : 0) : s->args_bytes;
    w.size_class = adit_kind_class(*work);
    for (uint32_t i = 0; i < r->route.tiers_n; i++)
        w.tiers |= (uint32_t)((r->places[i].kinds >> s->kind & 1) && (can_be_here || !r->places[i].is_inline)) << i;
    return w;
}

static struct adit_route_report *report_at(struct adit_router *r, uint64_t n) { return &r->reports[n % REPORTS]; }

/* ---- tickets (under the lock) ----------------------------------------------------------------------------------- */

static void unlink_ticket(struct adit_router *r, struct ticket *t)
{
    struct place *p = &r->places[t->decision.tier];
    *(t->prev < TICKETS ? &r->tickets[t->prev].next : &p->oldest) = t->next;
    *(t->next < TICKETS ? &r->tickets[t->next].prev : &p->newest) = t->prev;
}

static void link_ticket(struct adit_router *r, struct ticket *t, uint64_t task)
{
    struct place *p = &r->places[t->decision.tier];
    uint32_t i = (uint32_t)(t - r->tickets);
    t->task = task;
    t->prev = p->newest;
    t->next = TICKETS;
    *(p->newest < TICKETS ? &r->tickets[p->newest].next : &p->oldest) = i;
    p->newest = i;
}

static void tell_end(struct adit_router *r, struct ticket *t, uint64_t now)
{
    if (t->has_ended)
        return;
    t->has_ended = true;
    if (t->task)
        unlink_ticket(r, t);
    adit_route_end(&r->route, &t->decision, now);
}

static void give_ticket(struct adit_router *r, struct ticket *t)
{
    t->serial++;
    t->task = 0;
    t->next = r->free;
    r->free = (uint32_t)(t - r->tickets);
}

/* Those that have ended, of the oldest: a queue's are mostly run in order. What is not there any more, as somebody else has waited for it, needs no ticket. */
static void look_for_ends(struct adit_router *r, struct place *p, uint64_t now)
{
    struct adit_task_info info = {.size = sizeof info};
    uint32_t next = p->oldest;
    for (uint32_t i = 0; i < LOOKS && next < TICKETS; i++) {
        struct ticket *t = &r->tickets[next];
        int error = adit_task_look(p->queue, t->task, &info);
        next = t->next;
        if (!error && info.stage != ADIT_STAGE_ENDED)
            continue;
        tell_end(r, t, now);
        if (error)
            give_ticket(r, t);
    }
}

/* There is none free: gives one back whose task is not there any more, if there is such a one. */
static void find_ticket(struct adit_router *r, uint64_t now)
{
    struct adit_task_info info = {.size = sizeof info};
    for (uint32_t i = 0; i < TICKETS && r->free == TICKETS; i++) {
        struct ticket *t = &r->tickets[r->swept = (r->swept + 1) % TICKETS];
        if (t->task && adit_task_look(r->places[t->decision.tier].queue, t->task, &info)) {
            tell_end(r, t, now);
            give_ticket(r, t);
        }
    }
}

/* Chooses, and takes a ticket; NULL: no tier can, or there is no ticket (*error). */
static struct ticket *choose(struct adit_router *r, const struct adit_task_spec *s, const struct adit_route_work *w, uint64_t work, int *error)
{
    uint64_t now = adit_clock_ns();
    struct ticket *t = NULL;
    pthread_mutex_lock(&r->lock);
    for (uint32_t i = 0; i < r->route.tiers_n; i++)
        if (r->route.tiers[i].away >= r->route.tiers[i].workers) /* else there is no wait to be told */
            look_for_ends(r, &r->places[i], now);
    find_ticket(r, now);
    *error = r->free < TICKETS ? 0 : -EAGAIN;
    if (!*error && !adit_route_choose(&r->route, w, now, &r->tickets[r->free].decision))
        *error = -ENOTSUP;
    if (!*error) {
        t = &r->tickets[r->free];
        r->free = t->next;
        const struct adit_route_decision *d = &t->decision;
        t->begin_ns = now;
        t->task = 0;
        t->has_ended = false;
        t->is_plain = !s->after_n && !s->delay_ns && !s->backoff_ns && !adit_task_wants_any(s);
        t->is_late = false;
        t->expires_ns = s->expires_ns;
        t->report = r->reports_n++;
        *report_at(r, t->report) = (struct adit_route_report){.at_ns = now, .kind = w->kind, .places_n = r->route.tiers_n, .place = d->tier, .work = work, .name = r->places[d->tier].name,
                                                              .why = why_of(d->why), .expected_ns = d->finish_ns[d->tier]};
        memcpy(report_at(r, t->report)->finish_ns, d->finish_ns, sizeof d->finish_ns);
    }
    pthread_mutex_unlock(&r->lock);
    return t;
}

/* What is known of a task's tier by its end; all zero: nothing. */
struct outcome {
    uint64_t ran_ns;
    bool was_fruitless;
    uint64_t lost_ns; /* fruitless, after so long; 0: not known how long */
};

/* Whether its tier had it for longer than was expected, and nothing else kept it. */
static bool was_long(const struct ticket *t, uint64_t took) { return t->is_plain && took >= t->decision.within_ns; }

/* Of one that was not done: whether that is its tier's doing. Where it is that of its arguments all tiers come to look alike (route.h). */
static bool is_fruitless(const struct ticket *t, const struct adit_task_result *result)
{
    switch (result->end) {
    case ADIT_ENDED_CANCELLED:
        return t->is_late;
    case ADIT_ENDED_EXPIRED: /* not begun in time; or killed, as it took too long */
        return t->is_plain && t->expires_ns && t->expires_ns >= t->decision.within_ns;
    default:
        return true;
    }
}

/* took: since it was chosen; is_exact: it ended just now, not some time ago. */
static struct outcome outcome_of(const struct ticket *t, const struct adit_task_result *result, bool is_inline, uint64_t took, bool is_exact)
{
    struct outcome o = {.lost_ns = is_exact ? took : 0};
    uint64_t ran = result->ran_ns <= took ? result->ran_ns : 0; /* the arena's word */
    if (result->inlined != is_inline) /* this thread took back what no worker took up; or could not run it, and a worker did */
        o.was_fruitless = !is_inline && was_long(t, took);
    else if (result->end != ADIT_ENDED_DONE || result->status < 0)
        o.was_fruitless = is_fruitless(t, result);
    else if (is_inline)
        o.ran_ns = result->attempts == 1 ? took : 0;
    else if (result->attempts == 1)
        o.ran_ns = ran;
    else if (t->is_plain) /* all of it, deaths and all; or what is known of it */
        o.ran_ns = is_exact && took - ran > t->decision.wait_ns ? took - t->decision.wait_ns : ran;
    return o;
}

/* Tells the arithmetic, under the lock. */
static void tell_outcome(struct adit_router *r, const struct ticket *t, const struct outcome *o, bool has_handover, uint64_t took)
{
    if (o->was_fruitless)
        adit_route_fruitless(&r->route, &t->decision, o->lost_ns);
    else if (o->ran_ns)
        adit_route_learn(&r->route, &t->decision, o->ran_ns, has_handover, took - o->ran_ns);
}

/* Its end is known; result NULL: only that. is_exact: it has ended just now; is_run: as its caller did nothing else, too. Gives the ticket back. */
static void settle(struct adit_router *r, struct ticket *t, uint32_t serial, const struct adit_task_result *result, bool is_exact, bool is_run)
{
    uint64_t now = adit_clock_ns();
    pthread_mutex_lock(&r->lock);
    if (t->serial != serial) { /* another thread found that its result was taken, and gave the ticket back */
        pthread_mutex_unlock(&r->lock);
        return;
    }
    uint64_t took = now - t->begin_ns;
    const struct outcome o = result ? outcome_of(t, result, r->places[t->decision.tier].is_inline, took, is_exact) : (struct outcome){0};
    tell_end(r, t, now);
    tell_outcome(r, t, &o, is_run && t->is_plain && t->decision.was_idle && result->attempts == 1, took);
    if (r->reports_n - t->report <= REPORTS)
        report_at(r, t->report)->took_ns = is_run ? took : o.ran_ns;
    give_ticket(r, t);
    pthread_mutex_unlock(&r->lock);
}

/* Nobody waits for it any more. error: -ETIMEDOUT, of its tier; others say nothing of that. */
static void drop(struct adit_router *r, struct ticket *t, int error)
{
    uint64_t took = adit_clock_ns() - t->begin_ns;
    const struct outcome o = {.was_fruitless = error == -ETIMEDOUT && was_long(t, took), .lost_ns = took};
    pthread_mutex_lock(&r->lock);
    if (!t->has_ended) {
        if (t->task)
            unlink_ticket(r, t);
        adit_route_lost(&r->route, &t->decision);
    }
    tell_outcome(r, t, &o, false, 0);
    give_ticket(r, t);
    pthread_mutex_unlock(&r->lock);
}

/* ---- running, submitting, waiting ------------------------------------------------------------------------------- */

static int no_tier(const struct adit_router *r, const struct adit_task_spec *s, int error)
{
    return error == -ENOTSUP ? adit_fault(error, "arena %s: no place of this router may be sent tasks of kind %u", r->arena->name, s->kind)
                             : adit_fault(error, "arena %s: %u tasks of this router are under way; wait for some", r->arena->name, TICKETS);
}

int adit_router_run(struct adit_router *r, const struct adit_task_spec *spec, uint64_t timeout_ns, struct adit_task_result *result)
{
    uint64_t work = 0;
    int error = adit_params_check("adit_router_run", spec->size, sizeof *spec);
    if (error)
        return error;
    const struct adit_route_work w = work_of(r, spec, &work);
    struct ticket *t = choose(r, spec, &w, work, &error);
    if (!t)
        return no_tier(r, spec, error);
    const struct place *p = &r->places[t->decision.tier];
    error = adit_run_by(p->queue, spec, timeout_ns, p->is_inline ? ADIT_WAY_HERE : ADIT_WAY_THERE, result);
    if (error)
        drop(r, t, error);
    else
        settle(r, t, t->serial, result, true, true);
    return error;
}

static int hand_over(struct adit_router *r, const struct place *p, struct ticket *t, const struct adit_task_spec *spec, struct adit_routed *out)
{
    struct adit_task_claim c = {0};
    out->queue = p->queue;
    out->ticket = (uint32_t)(t - r->tickets);
    out->serial = t->serial;
    if (p->is_inline) {
        out->result.size = sizeof out->result;
        int error = adit_run_by(p->queue, spec, ADIT_FOR_EVER, ADIT_WAY_HERE_NOW, &out->result); /* it takes a slot of the queue, which this thread may be the one to free */
        if (!error)
            settle(r, t, t->serial, &out->result, true, true);
        return error;
    }
    int error = adit_task_submit_timed(p->queue, spec, t->begin_ns, false, &out->task, &c);
    if (error)
        return error;
    pthread_mutex_lock(&r->lock);
    link_ticket(r, t, out->task);
    pthread_mutex_unlock(&r->lock);
    return 0;
}

int adit_router_submit(struct adit_router *r, const struct adit_task_spec *spec, struct adit_routed *out)
{
    uint64_t work = 0;
    int error = adit_params_check("adit_router_submit", spec->size, sizeof *spec);
    *out = (struct adit_routed){0};
    if (error)
        return error;
    if (spec->detached)
        return adit_fault(-EINVAL, "arena %s: a router cannot learn from a detached task, whose end nobody sees; use adit_submit", r->arena->name);
    struct adit_route_work w = work_of(r, spec, &work);
    for (bool is_first = true; is_first || w.tiers; is_first = false) { /* bounded by the tiers */
        struct ticket *t = choose(r, spec, &w, work, &error);
        if (!t)
            return no_tier(r, spec, error);
        uint32_t tier = t->decision.tier;
        error = hand_over(r, &r->places[tier], t, spec, out);
        if (!error)
            return 0;
        drop(r, t, error);
        *out = (struct adit_routed){0}; /* there is nothing to wait for */
        if (error != -EAGAIN)
            return error;
        w.tiers &= ~(1u << tier); /* its queue is full */
    }
    return error;
}

int adit_router_wait(struct adit_router *r, struct adit_routed *routed, uint64_t timeout_ns, struct adit_task_result *result)
{
    int error = adit_params_check("adit_router_wait", result->size, sizeof *result);
    if (error)
        return error;
    if (routed->ticket >= TICKETS || !routed->queue)
        return adit_fault(-EINVAL, "arena %s: nothing was submitted there", r->arena->name);
    if (!routed->task) {
        *result = routed->result;
        return 0;
    }
    struct ticket *t = &r->tickets[routed->ticket];
    pthread_mutex_lock(&r->lock);
    bool is_its = t->task == routed->task && t->serial == routed->serial;
    pthread_mutex_unlock(&r->lock);
    if (!is_its)
        return adit_fault(-ENOENT, "arena %s: it was waited for before", r->arena->name);
    struct adit_task_info info = {.size = sizeof info};
    bool is_under_way = !adit_task_look(routed->queue, routed->task, &info) && info.stage != ADIT_STAGE_ENDED;
    error = adit_wait(routed->queue, routed->task, timeout_ns, result);
    if (error == -ETIMEDOUT) {
        uint64_t now = adit_clock_ns();
        pthread_mutex_lock(&r->lock);
        if (t->serial == routed->serial && was_long(t, now - t->begin_ns))
            t->is_late = true;
        pthread_mutex_unlock(&r->lock);
        return error;
    }
    settle(r, t, routed->serial, error ? NULL : result, is_under_way, false); /* it may have ended long ago, or somebody else has its result */
    routed->ticket = TICKETS;
    return error;
}

int adit_router_explain(struct adit_router *r, uint32_t back, struct adit_route_report *report)
{
    int error = adit_params_check("adit_router_explain", report->size, sizeof *report);
    if (error)
        return error;
    pthread_mutex_lock(&r->lock);
    if (back >= REPORTS || back >= r->reports_n) {
        error = -ERANGE;
    } else {
        *report = *report_at(r, r->reports_n - 1 - back);
        report->size = sizeof *report;
    }
    pthread_mutex_unlock(&r->lock);
    return error;
}
