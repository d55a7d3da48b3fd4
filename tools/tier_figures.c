#include "tools/tier_figures.h"

#include <errno.h>
#include <stdlib.h>

#include "tools/interrupt.h"
#include "tools/moment.h"

#define ROUNDS_MIN 2u
#define SAMPLES_MAX 2048u /* of one size */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double adit_tier_percentile(double *values, uint32_t n, double part)
{
    if (!n)
        return 0;
    qsort(values, n, sizeof *values, by_value);
    double at = part * (n - 1);
    uint32_t i = (uint32_t)at;
    return i + 1 < n ? values[i] + (at - i) * (values[i + 1] - values[i]) : values[n - 1];
}

struct adit_cost adit_tier_fit(const double *n, const double *ns, uint32_t count)
{
    double w = 0, wn = 0, wnn = 0, wt = 0, wnt = 0;
    for (uint32_t i = 0; i < count; i++) {
        double weight = ns[i] > 0 ? 1 / (ns[i] * ns[i]) : 0;
        w += weight;
        wn += weight * n[i];
        wnn += weight * n[i] * n[i];
        wt += weight * ns[i];
        wnt += weight * n[i] * ns[i];
    }
    double det = w * wnn - wn * wn;
    struct adit_cost cost = {0};
    if (det > 1e-12 * w * wnn) {
        cost.fixed_ns = (wt * wnn - wn * wnt) / det;
        cost.each_ns = (w * wnt - wn * wt) / det;
    }
    if (cost.each_ns <= 0 || cost.fixed_ns < 0) /* noise, or one size alone: the line through 0 */
        cost = (struct adit_cost){.each_ns = wnn > 0 ? wnt / wnn : 0};
    return cost;
}

/* The times of one size. */
struct series {
    uint32_t count;
    double *ns;
};

static int take(const struct adit_tier_job *job, enum adit_size_class size, uint32_t n, struct series *series)
{
    if (adit_interrupt_is_set())
        return -EINTR;
    uint64_t begin = adit_moment_ns();
    int error = job->run(job->user, size, n);
    if (!error && series && series->count < SAMPLES_MAX)
        series->ns[series->count++] = (double)(adit_moment_ns() - begin);
    return error;
}

/* One of each size, singles of the first. energy_uj and chunks: of the largest. */
static int round_take(const struct adit_tier_job *job, enum adit_size_class size, const struct adit_tier_energy *energy, struct series *series,
                      double *energy_uj, uint64_t *chunks)
{
    int error = 0;
    for (uint32_t i = 0; !error && i < job->singles; i++) {
        if (job->rest_ns)
            adit_moment_sleep(job->rest_ns);
        error = take(job, size, 1, &series[0]);
    }
    for (uint32_t s = 1; !error && s < job->sizes_n; s++) {
        struct adit_tier_energy_look look;
        adit_tier_energy_look(energy, &look);
        error = take(job, size, job->sizes[s], &series[s]);
        *energy_uj += adit_tier_energy_since(energy, &look);
        *chunks += job->sizes[s];
    }
    return error;
}

int adit_tier_measure(const struct adit_tier_job *job, enum adit_size_class size, const struct adit_tier_energy *energy, struct adit_tier_cell *cell)
{
    struct series series[ADIT_TIER_SIZES_MAX] = {0};
    double *memory = calloc(ADIT_TIER_SIZES_MAX * SAMPLES_MAX, sizeof *memory), energy_uj = 0;
    uint64_t chunks = 0, begin;
    int error = memory ? 0 : -ENOMEM;
    *cell = (struct adit_tier_cell){0};
    for (uint32_t s = 0; !error && s < job->sizes_n; s++)
        series[s].ns = memory + s * SAMPLES_MAX;
    error = error ? error : take(job, size, job->sizes[job->sizes_n - 1], NULL);
    begin = adit_moment_ns();
    for (uint32_t r = 0; !error && (r < ROUNDS_MIN || adit_moment_ns() - begin < job->budget_ns); r++)
        error = round_take(job, size, energy, series, &energy_uj, &chunks);
    if (!error) {
        double n[ADIT_TIER_SIZES_MAX], ns[ADIT_TIER_SIZES_MAX];
        for (uint32_t s = 0; s < job->sizes_n; s++) {
            n[s] = job->sizes[s];
            ns[s] = adit_tier_percentile(series[s].ns, series[s].count, 0.5);
        }
        const uint32_t last = job->sizes_n - 1;
        *cell = (struct adit_tier_cell){.is_measured = true, .cost = adit_tier_fit(n, ns, job->sizes_n), .p50_ns = ns[0],
                                        .p99_ns = adit_tier_percentile(series[0].ns, series[0].count, 0.99),
                                        .chunks_per_s = ns[last] > 0 ? 1e9 * n[last] / ns[last] : 0,
                                        .has_energy = energy->domains_n > 0 && chunks > 0,
                                        .energy_uj = chunks ? energy_uj / (double)chunks : 0};
    }
    free(memory);
    return error;
}
