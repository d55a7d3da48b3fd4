#include "runtime/route.h"

#define KNOWN 3u          /* measurements of a cell that is no more unknown, */
#define DOUBLINGS_MAX 12u
#define DEAR 2u           /* or fewer, of one that costs so many times the best */
#define SHARE_ALL 64u     /* of what is spent in a cell, for trying others */
#define SHARE_EACH 256u

uint64_t adit_route_wait_ns(const struct adit_route_tier *t, uint64_t now_ns)
{
    return t->away < t->workers ? 0 : t->due_ns > now_ns ? t->due_ns - now_ns : now_ns - t->moved_ns;
}

static const struct adit_route_cell *cell_of(const struct adit_route *r, uint32_t tier, const struct adit_route_work *w) { return &r->tiers[tier].cells[w->kind][w->size_class]; }

static bool can(const struct adit_route_work *w, uint32_t tier) { return w->tiers >> tier & 1; }

/* Fills in when each would be done. Returns the first of them, of those that are known; tiers_n: none is. */
static uint32_t price(const struct adit_route *r, const struct adit_route_work *w, uint64_t now_ns, struct adit_route_decision *d)
{
    uint32_t best = r->tiers_n;
    for (uint32_t i = 0; i < r->tiers_n; i++) {
        const struct adit_route_cell *c = cell_of(r, i, w);
        if (!can(w, i) || !c->run.n)
            continue;
        d->finish_ns[i] = adit_route_wait_ns(&r->tiers[i], now_ns) + adit_estimate_ns(&r->tiers[i].handover) + adit_estimate_ns(&c->run) + w->remote_ns[i];
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
        if (found == r->tiers_n && r->tiers[i].away < r->tiers[i].workers && d->finish_ns[i] && c->credit_ns > d->finish_ns[i] - d->finish_ns[best] + d->finish_ns[best] / 8)
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

static uint32_t adaptive(struct adit_route *r, const struct adit_route_work *w, struct adit_route_decision *d, uint32_t best)
{
    uint32_t i = unknown(r, w, d, best);
    d->why = ADIT_WHY_UNKNOWN;
    if (i < r->tiers_n)
        return i;
    if (best == r->tiers_n) { /* nothing is known, and all are busy with what is to tell */
        for (i = 0; i < r->tiers_n; i++)
            if (can(w, i) && (best == r->tiers_n || (uint64_t)r->tiers[i].away * r->tiers[best].workers < (uint64_t)r->tiers[best].away * r->tiers[i].workers))
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
    t->cells[d->kind][d->size_class].fruitless = 0;
    adit_estimate_add(&t->cells[d->kind][d->size_class].run, ran_ns);
    if (has_handover)
        adit_estimate_add(&t->handover, handover_ns);
}
