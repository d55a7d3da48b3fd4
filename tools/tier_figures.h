/* tier_figures.h - from times to figures: a job run with one chunk and with many, over and over, and what comes out as cost, rate and latency.
 *
 *     const struct adit_tier_job job = {.run = run, .user = me, .sizes = {1, 16}, .sizes_n = 2, .singles = 4, .budget_ns = 20000000};
 *     int error = adit_tier_measure(&job, ADIT_SIZE_DENSE, &energy, &cell);
 */
#ifndef ADIT_TIER_FIGURES_H
#define ADIT_TIER_FIGURES_H

#include "tools/tier_energy.h"
#include "tools/tier_table.h"

#define ADIT_TIER_SIZES_MAX 4u

struct adit_tier_job {
    /* Does n chunks of a size class as one submission and waits for them. 0 or a negative errno. */
    int (*run)(void *user, enum adit_size_class size, uint32_t n);
    void *user;
    uint32_t sizes[ADIT_TIER_SIZES_MAX], sizes_n; /* ascending, the first is 1 */
    uint32_t singles;   /* submissions of one chunk a round; of the other sizes there is one a round */
    uint64_t rest_ns;   /* before each submission of one, so that who waits for work sleeps */
    uint64_t budget_ns; /* of all rounds; two are run in any case */
};

/* Runs the largest size once unmeasured, then rounds of all sizes, so that what else goes on here meets all alike. Medians; the cost is fitted to them. 0, what the
 * job says, -EINTR: adit_interrupt_is_set, -ENOMEM. */
int adit_tier_measure(const struct adit_tier_job *job, enum adit_size_class size, const struct adit_tier_energy *energy, struct adit_tier_cell *cell);

/* The value below which part (0 to 1) of n values lie, between two of them by their distance; sorts them. 0 of none. */
double adit_tier_percentile(double *values, uint32_t n, double part);
/* fixed + n x each such that the squares of the relative errors at n[i], ns[i] are least, neither below 0. (Least squares, weighted by 1 / ns^2.) */
struct adit_cost adit_tier_fit(const double *n, const double *ns, uint32_t count);

#endif
