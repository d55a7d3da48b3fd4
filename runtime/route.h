/* route.h - which tier a piece of work is for: the arithmetic of a router (adit_router.h is what applications see). Nothing here knows of arenas, queues or clocks, so all of it can be tried on made-up tiers.
 *
 *     expected finish of a tier = wait + hand-over + run (kind, size class) + what remote memory adds
 *
 *     c = adit_route_choose(&route, &work, now, &decision);        a tier, and why
 *     ... it is handed there, and ends ...
 *     adit_route_end(&route, &decision, now)               or _lost: it was not run there after all
 *     adit_route_learn(&route, &decision, ran_ns, has_handover, handover_ns)       or _fruitless: it was given there, and nothing came of it
 *
 * Wait: a tier is done with what it was given at due_ns: with each end that is now and what is still owed, shared by its workers. Of one that is late nothing has ended for some
 * while, and it is taken to need as long again: so one that hangs is given a task each time that while has doubled. With an idle worker there is no wait.
 *
 * Run and hand-over are estimates (estimate.h), by kind, size class and tier, of which no outlier moves any. (StarPU's dmda prices likewise, by means: Augonnet et al., 2011.)
 *
 * Fruitless. A tier of which something came once may hang, or fail. Each cell has a share of what comes to nothing there: an average that moves by an eighth with each end, to 63/64 at most, and with a good one at once below 3/8.
 * Where that is 3/8 more than in the cell that loses least, or an eighth as much comes to something as there, a run counts as at least so long as the last fruitless one took (a censored sample: at least that), times the square of
 * the ratio of what comes to something there and here. So four in a row have a tier left for one that costs twice as much, and one good one takes it back. What fails wherever it is run, as its arguments are wrong, makes all tiers
 * alike after 16 tasks on each, and then the price alone decides again. A try of such a tier is paid for as lost, and once more.
 *
 * Exploration. A way that nobody takes would never be measured again. One that was never measured is taken at once, and again until it is known, while it does not cost more than twice the best. What was taken three times and
 * never measured, as nothing came of it, counts as twice the best, and as twice as much with each further time: it is tried like what is dear. After that each
 * tier has credit for each cell: a 256th of what is spent in the cell goes to each other tier, a 64th to all of them at most; one whose credit pays for what it is expected to cost more is tried. So exploration costs a
 * 64th of the time, whatever tiers cost, and a tier that has become quicker is taken back.
 *
 * Policies other than adaptive are for comparing, and for who knows better: round_robin takes tiers in turn, least_loaded that with the least wait, capability the first in order that can and has an idle worker, else the
 * first that can.
 */
#ifndef ADIT_ROUTE_H
#define ADIT_ROUTE_H

#include <stdbool.h>

#include "runtime/estimate.h"

#define ADIT_ROUTE_TIERS 16u
#define ADIT_ROUTE_KINDS 64u
#define ADIT_ROUTE_CLASSES 16u

enum adit_route_rule { ADIT_ROUTE_BY_FINISH, ADIT_ROUTE_BY_TURNS, ADIT_ROUTE_BY_LOAD, ADIT_ROUTE_BY_ORDER };

/* Why a tier was taken. */
enum adit_route_why { ADIT_WHY_NONE, ADIT_WHY_ONLY /* no other can */, ADIT_WHY_FIRST /* it is done first */, ADIT_WHY_UNKNOWN /* not measured yet */, ADIT_WHY_TRIED /* measured again */, ADIT_WHY_RULE /* another policy */ };

struct adit_route_cell {
    struct adit_estimate run;
    uint64_t credit_ns;
    uint32_t fruitless;   /* taken since the last measurement */
    uint32_t lost_share;  /* of ADIT_ROUTE_ONE: what came to nothing of what was done there, of late */
    uint64_t lost_ns;     /* how long the last took of which nothing came; 0: the last was a good one */
};
#define ADIT_ROUTE_ONE 65536u

struct adit_route_tier {
    uint32_t workers;   /* pieces at once, 1.. */
    uint32_t away;      /* of these not yet ended; w: choose, end, lost */
    uint64_t due_ns, owed_ns; /* owed: runs and hand-overs of those away, as expected */
    uint64_t moved_ns;        /* the last end, or when the first of those away was handed to it */
    struct adit_estimate handover;
    struct adit_route_cell cells[ADIT_ROUTE_KINDS][ADIT_ROUTE_CLASSES];
};

struct adit_route {
    enum adit_route_rule rule;
    uint32_t tiers_n, turn;
    struct adit_route_tier *tiers; /* tiers_n, zeroed but for workers */
};

struct adit_route_work {
    uint32_t kind, size_class; /* below the limits above */
    uint32_t tiers;            /* bits: that can run it */
    uint64_t remote_ns[ADIT_ROUTE_TIERS]; /* what reading its memory from there adds */
};

struct adit_route_decision {
    uint32_t tier;
    enum adit_route_why why;
    uint32_t kind, size_class;
    uint32_t tiers; /* bits, as of the work */
    bool was_idle;  /* the tier had a worker for it */
    uint64_t expected_ns;                        /* run and hand-over */
    uint64_t wait_ns, within_ns;                 /* within: wait, run, hand-over and remote memory, whatever came of the last ones */
    uint64_t finish_ns[ADIT_ROUTE_TIERS];        /* of each, from then; 0: it cannot, or nothing is known */
};

/* The tier for it; false: none can. */
bool adit_route_choose(struct adit_route *route, const struct adit_route_work *work, uint64_t now_ns, struct adit_route_decision *decision);
/* It has ended there. */
void adit_route_end(struct adit_route *route, const struct adit_route_decision *decision, uint64_t now_ns);
/* What it took: once, after its end or before. has_handover: handing it over, and its result back, took so much more; of a decision that was_idle. */
void adit_route_learn(struct adit_route *route, const struct adit_route_decision *decision, uint64_t ran_ns, bool has_handover, uint64_t handover_ns);
/* Its tier had it for so long, and nothing came of it: once, after its end (or _lost). took_ns 0: not known how long. Who gave up earlier than it was expected (within_ns) has learned nothing, and does not tell. */
void adit_route_fruitless(struct adit_route *route, const struct adit_route_decision *decision, uint64_t took_ns);
/* It went elsewhere, or nowhere, or nobody waits for it any more. */
void adit_route_lost(struct adit_route *route, const struct adit_route_decision *decision);

/* How long until the tier has a worker for more. */
uint64_t adit_route_wait_ns(const struct adit_route_tier *tier, uint64_t now_ns);

#endif
