/* lab_stats.c - order statistics and the bootstrap of the median.
 *
 * A resample of sorted samples needs no second sort: it is a count of how often each index was drawn, and its median
 * is found by walking those counts. So one resample costs O(count), and an interval of 2,000 samples about a
 * millisecond a hundred resamples.
 */
#include "perf/lab_stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void stats_sort(double *samples, size_t count)
{
    if (count > 1)
        qsort(samples, count, sizeof *samples, compare);
}

double stats_percentile(const double *sorted, size_t count, double p)
{
    if (count == 0)
        return 0;
    double place = (p < 0 ? 0 : p > 1 ? 1 : p) * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

double stats_median(const double *sorted, size_t count)
{
    return stats_percentile(sorted, count, 0.5);
}

bool stats_has_percentile(size_t count, double p)
{
    return (double)count * (1 - p) >= STATS_BEYOND - 1e-9; /* 300 times 0.01 is not quite 3 */
}

/* splitmix64 (Steele, Lea, Flood 2014): any seed will do, zero included. */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* The sample at rank (0-based) of the resample described by drawn[]. */
static double at_rank(const double *sorted, const uint16_t *drawn, size_t count, size_t rank)
{
    size_t passed = 0;
    for (size_t i = 0; i < count; i++) {
        passed += drawn[i];
        if (passed > rank)
            return sorted[i];
    }
    return sorted[count - 1];
}

/* Each sample is below the median with a chance of one half, so how many are is binomial. Ranks are added from the outside in while the chance that the median lies outside
 * stays within 2.5 % a side. */
size_t stats_sign_rank(size_t count)
{
    double n = (double)count, outside = 0;
    size_t rank = 0;
    for (size_t below = 0; below < count / 2; below++) {
        double k = (double)below;
        outside += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2));
        if (outside > 0.025)
            break;
        rank = below;
    }
    return rank;
}

int stats_median_interval(const double *sorted, size_t count, uint64_t seed, struct stats_interval *interval)
{
    uint16_t drawn[STATS_SAMPLES_MAX];
    double medians[STATS_RESAMPLES];

    if (count == 0 || count > STATS_SAMPLES_MAX)
        return -EINVAL;
    *interval = (struct stats_interval){-INFINITY, INFINITY};
    if (count < STATS_INTERVAL_MIN)
        return 0;
    for (size_t r = 0; r < STATS_RESAMPLES; r++) {
        memset(drawn, 0, count * sizeof *drawn);
        for (size_t i = 0; i < count; i++)
            drawn[(random_next(&seed) >> 32) * count >> 32]++;
        medians[r] = (at_rank(sorted, drawn, count, (count - 1) / 2) + at_rank(sorted, drawn, count, count / 2)) / 2;
    }
    stats_sort(medians, STATS_RESAMPLES);
    size_t rank = stats_sign_rank(count);
    interval->low = fmin(stats_percentile(medians, STATS_RESAMPLES, 0.025), sorted[rank]);
    interval->high = fmax(stats_percentile(medians, STATS_RESAMPLES, 0.975), sorted[count - 1 - rank]);
    return 0;
}

double stats_interval_width(const struct stats_interval *interval, double middle)
{
    return middle > 0 ? (interval->high - interval->low) / middle : INFINITY;
}
