#include "runtime/route.h"

#define KNOWN 3u          /* measurements of a cell that is no more unknown, */
#define DOUBLINGS_MAX 12u
#define DEAR 2u           /* or fewer, of one that costs so many times the best */
#define SHARE_ALL 64u     /* of what is spent in a cell, for trying others */
#define SHARE_EACH 256u
#define LOST_STEP 8u      /* an end moves the share of what is lost by so much of the way, */
#define LOST_MORE (ADIT_ROUTE_ONE * 3 / 8) /* which matters from so much more on than elsewhere: four in a row, */
#define GOOD_LESS 8u                       /* or where what is not lost is so many times less */
#define LOST_MOST (ADIT_ROUTE_ONE - ADIT_ROUTE_ONE / 64)
#define NS_MOST (1ull << 46)               /* that anything counts as: 19 hours, so that a ratio of it is below 2^62 */

uint64_t adit_route_wait_ns(const struct adit_route_tier *t, uint64_t now_ns)
{
    return t->away < t->workers ? 0 : t->due_ns > now_ns ? t->due_ns - now_ns : now_ns - t->moved_ns;
}

static const struct adit_route_cell *cell_of(const struct adit_route *r, uint32_t tier, const struct adit_route_work *w) { return &r->tiers[tier].cells[w->kind][w->size_class]; }

static bool can(const struct adit_route_work *w, uint32_t tier) { return w->tiers >> tier & 1; }

static uint64_t least_lost(const struct adit_route *r, const struct adit_route_work *w)
{
    uint32_t least = LOST_MOST;
    for (uint32_t i = 0; i < r->tiers_n; i++) {
        const struct adit_route_cell *c = cell_of(r, i, w);
        if (can(w, i) && c->run.n && c->lost_share < least)
            least = c->lost_share;
    }
    return least;
}

static bool is_losing(const struct adit_route_cell *c, uint64_t least) { return c->lost_share > least + LOST_MORE || (ADIT_ROUTE_ONE - c->lost_share) * GOOD_LESS < ADIT_ROUTE_ONE - least; }

static uint64_t at_most(uint64_t ns) { return ns < NS_MOST ? ns : NS_MOST; }

/* What a run takes, come of it what may. */
static uint64_t run_or_lost_ns(const struct adit_route_cell *c)
{
    uint64_t ns = adit_estimate_ns(&c->run);
    return at_most(ns > c->lost_ns ? ns : c->lost_ns);
}

/* What a run counts as, where the best of the tiers loses so much. */
static uint64_t run_ns(const struct adit_route_cell *c, uint64_t least)
{
    uint64_t good = ADIT_ROUTE_ONE - least, here = ADIT_ROUTE_ONE - c->lost_share; /* above 0: LOST_MOST */
    if (!is_losing(c, least))
        return adit_estimate_ns(&c->run);
    return at_most(at_most(run_or_lost_ns(c) * good / here) * good / here);
}

/* Fills in when each would be done. Returns the first of them, of those that are known; tiers_n: none is. */
static uint32_t price(const struct adit_route *r, const struct adit_route_work *w, uint64_t now_ns, struct adit_route_decision *d)
{
    uint32_t best = r->tiers_n;
    uint64_t least = least_lost(r, w);
    for (uint32_t i = 0; i < r->tiers_n; i++) {
        const struct adit_route_cell *c = cell_of(r, i, w);
        if (!can(w, i) || !c->run.n)
            continue;
        d->finish_ns[i] = adit_route_wait_ns(&r->tiers[i], now_ns) + adit_estimate_ns(&r->tiers[i].handover) + run_ns(c, least) + w->remote_ns[i];
        if (best == r->tiers_n || d->finish_ns[i] < d->finish_ns[best])
            best = i;
    }
    for (uint32_t i = 0; i < r->tiers_n && best < r->tiers_n; i++) { /* of those from which nothing ever came */
        const struct adit_route_cell *c = cell_of(r, i, w);
        if (can(w, i) && !c->run.n && c->fruitless >= KNOWN)
            d->finish_ns[i] = d->finish_ns[best] << (c->fruitless - KNOWN < DOUBLINGS_MAX ? c->fruitless - KNOWN + 1 : DOUBLINGS_MAX);
    }
    return best;
}

/* One that is to be known first; tiers_n: none. */
static uint32_t unknown(const struct adit_route *r, const struct adit_route_work *w, const struct adit_route_decision *d, uint32_t best)
{
    for (uint32_t i = 0; i < r->tiers_n; i++) {
        const struct adit_route_cell *c = cell_of(r, i, w);
        uint32_t n = c->run.n;
        if (can(w, i) && c->fruitless < KNOWN && r->tiers[i].away < r->tiers[i].workers && (!n || (n < KNOWN && best < r->tiers_n && d->finish_ns[i] < DEAR * d->finish_ns[best])))
            return i;
    }
    return r->tiers_n;
}

/* What a try of it costs more than the best: of one that is losing all of it, and as much as the best again: somebody has a failure of it. */
static uint64_t dearer_ns(const struct adit_route *r, uint32_t i, const struct adit_route_work *w, const struct adit_route_decision *d, uint32_t best)
{
    const struct adit_route_cell *c = cell_of(r, i, w);
    uint64_t dearer = d->finish_ns[i] - d->finish_ns[best];
    if (!c->run.n) /* ever more: nothing came of it yet */
        return dearer > c->lost_ns ? dearer : c->lost_ns;
    return is_losing(c, least_lost(r, w)) ? adit_estimate_ns(&r->tiers[i].handover) + run_or_lost_ns(c) + w->remote_ns[i] + d->finish_ns[best] : dearer;
}

/* One that has credit for what it costs more. Only where it has an idle worker: else it is the wait that is dear, and nothing is learned of it. */
static uint32_t tried(struct adit_route *r, const struct adit_route_work *w, const struct adit_route_decision *d, uint32_t best)
{
    uint32_t others = 0, found = r->tiers_n;
    for (uint32_t i = 0; i < r->tiers_n; i++)
        others += can(w, i) && i != best;
    uint64_t share = SHARE_ALL * others > SHARE_EACH ? SHARE_ALL * others : SHARE_EACH;
    for (uint32_t i = 0; i < r->tiers_n; i++) {
        struct adit_route_cell *c = &r->tiers[i].cells[w->kind][w->size_class];
        if (!can(w, i) || i == best)
            continue;
        c->credit_ns += d->finish_ns[best] / share;
        if (found == r->tiers_n && r->tiers[i].away < r->tiers[i].workers && d->finish_ns[i] && c->credit_ns > dearer_ns(r, i, w, d, best) + d->finish_ns[best] / 8)
            found = i;
    }
    if (found < r->tiers_n)
        r->tiers[found].cells[w->kind][w->size_class].credit_ns = 0;
    return found;
}

static uint32_t by_rule(struct adit_route *r, const struct adit_route_work *w, uint64_t now_ns)
{
    uint32_t found = r->tiers_n;
    uint64_t least = UINT64_MAX;
    for (uint32_t k = 0; k < r->tiers_n; k++) {
        uint32_t i = r->rule == ADIT_ROUTE_BY_TURNS ? (r->turn + k) % r->tiers_n : k;
        uint64_t load = r->rule == ADIT_ROUTE_BY_ORDER ? r->tiers[i].away >= r->tiers[i].workers
                        : r->rule == ADIT_ROUTE_BY_LOAD ? adit_route_wait_ns(&r->tiers[i], now_ns) + ((uint64_t)r->tiers[i].away << 10) / r->tiers[i].workers
                                                        : 0;
        if (can(w, i) && load < least) {
            least = load;
            found = i;
        }
    }
    if (found < r->tiers_n)
        r->turn = (found + 1) % r->tiers_n;
    return found;
}

/* Or as idle, and what it had last was less time lost. */
static bool is_idler(const struct adit_route *r, uint32_t a, uint32_t b, const struct adit_route_work *w)
{
    uint64_t load = (uint64_t)r->tiers[a].away * r->tiers[b].workers, other = (uint64_t)r->tiers[b].away * r->tiers[a].workers;
    return load < other || (load == other && cell_of(r, a, w)->lost_ns < cell_of(r, b, w)->lost_ns);
}

static uint32_t adaptive(struct adit_route *r, const struct adit_route_work *w, struct adit_route_decision *d, uint32_t best)
{
    uint32_t i = unknown(r, w, d, best);
    d->why = ADIT_WHY_UNKNOWN;
    if (i < r->tiers_n)
        return i;
    if (best == r->tiers_n) { /* nothing is known: all are busy with what is to tell, or nothing came of any */
        for (i = 0; i < r->tiers_n; i++)
            if (can(w, i) && (best == r->tiers_n || is_idler(r, i, best, w)))
                best = i;
        return best;
    }
    i = tried(r, w, d, best);
    d->why = i < r->tiers_n ? ADIT_WHY_TRIED : ADIT_WHY_FIRST;
    return i < r->tiers_n ? i : best;
}

bool adit_route_choose(struct adit_route *r, const struct adit_route_work *w, uint64_t now_ns, struct adit_route_decision *d)
{
    if (!w->tiers)
        return false; /* its kind may be none */
    *d = (struct adit_route_decision){.kind = w->kind, .size_class = w->size_class, .tiers = w->tiers};
    uint32_t best = price(r, w, now_ns, d), i;
    if (w->tiers && !(w->tiers & (w->tiers - 1))) {
        i = (uint32_t)__builtin_ctz(w->tiers);
        d->why = ADIT_WHY_ONLY;
    } else if (r->rule == ADIT_ROUTE_BY_FINISH) {
        i = adaptive(r, w, d, best);
    } else {
        i = by_rule(r, w, now_ns);
        d->why = ADIT_WHY_RULE;
    }
    if (i >= r->tiers_n)
        return false;
    struct adit_route_tier *t = &r->tiers[i];
    d->tier = i;
    struct adit_route_cell *c = &t->cells[w->kind][w->size_class];
    d->was_idle = t->away < t->workers;
    d->expected_ns = adit_estimate_ns(&c->run) + adit_estimate_ns(&t->handover);
    d->wait_ns = adit_route_wait_ns(t, now_ns);
    d->within_ns = d->wait_ns + d->expected_ns + w->remote_ns[i];
    c->fruitless += c->fruitless < UINT32_MAX;
    t->moved_ns = t->away ? t->moved_ns : now_ns;
    uint64_t from = t->due_ns > now_ns && t->away ? t->due_ns : now_ns + (now_ns - t->moved_ns); /* late: as long again */
    t->due_ns = from + d->expected_ns / t->workers;
    t->owed_ns += d->expected_ns;
    t->away++;
    return true;
}

/* One less is away. */
static void settle(struct adit_route_tier *t, const struct adit_route_decision *d)
{
    t->away -= t->away != 0;
    t->owed_ns -= t->owed_ns < d->expected_ns ? t->owed_ns : d->expected_ns;
}

void adit_route_lost(struct adit_route *r, const struct adit_route_decision *d)
{
    struct adit_route_tier *t = &r->tiers[d->tier];
    uint64_t expected = d->expected_ns / t->workers;
    settle(t, d);
    t->due_ns -= t->due_ns > expected ? expected : t->due_ns;
}

void adit_route_end(struct adit_route *r, const struct adit_route_decision *d, uint64_t now_ns)
{
    struct adit_route_tier *t = &r->tiers[d->tier];
    settle(t, d);
    t->due_ns = now_ns + t->owed_ns / t->workers;
    t->moved_ns = now_ns;
}

void adit_route_learn(struct adit_route *r, const struct adit_route_decision *d, uint64_t ran_ns, bool has_handover, uint64_t handover_ns)
{
    struct adit_route_tier *t = &r->tiers[d->tier];
    struct adit_route_cell *c = &t->cells[d->kind][d->size_class];
    c->fruitless = 0;
    c->lost_ns = 0;
    c->lost_share = c->lost_share < LOST_MORE ? c->lost_share : LOST_MORE;
    c->lost_share -= c->lost_share / LOST_STEP;
    adit_estimate_add(&c->run, ran_ns);
    if (has_handover)
        adit_estimate_add(&t->handover, handover_ns);
}

void adit_route_fruitless(struct adit_route *r, const struct adit_route_decision *d, uint64_t took_ns)
{
    struct adit_route_cell *c = &r->tiers[d->tier].cells[d->kind][d->size_class];
    c->lost_share += (ADIT_ROUTE_ONE - c->lost_share) / LOST_STEP;
    c->lost_share = c->lost_share < LOST_MOST ? c->lost_share : LOST_MOST;
    c->lost_ns = took_ns ? took_ns : c->lost_ns;
}
