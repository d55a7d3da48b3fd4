/* lab_stats.h - what perf-lab says about a set of samples: order statistics, and how sure the median is.
 *
 * Timings have a long tail to one side (an interrupt only ever adds), so nothing here is a mean or assumes a
 * distribution. A figure is the median; its uncertainty is a bootstrap percentile interval of that median (Efron 1979), widened to the interval between
 * order statistics that the sign test gives (Conover, Practical Nonparametric Statistics, 3.2): of few samples the bootstrap's is too narrow, that one never is. Of fewer
 * than six samples no interval holds the median 95 times in 100, so none is given.
 *
 *     double v[] = {3, 1, 2};
 *     stats_sort(v, 3);
 *     stats_median(v, 3);                              2
 *     stats_median_interval(v, 3, 1, &interval);       {low, high}, 95 % of resampled medians lie within
 *
 * Pure functions of their arguments; the resampling is seeded, so the same samples always give the same interval.
 */
#ifndef PERF_LAB_STATS_H
#define PERF_LAB_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATS_SAMPLES_MAX 4096 /* more samples than this are refused by stats_median_interval */
#define STATS_RESAMPLES 400    /* resampled medians behind one interval */
#define STATS_INTERVAL_MIN 6   /* samples; of fewer, all of them miss the median more often than 5 times in 100 */

struct stats_interval {
    double low, high;
};

/* Sorts samples ascending. NaNs must not be among them. */
void stats_sort(double *samples, size_t count);

/* The value below which the share p (0..1) of the sorted samples lies, interpolated between neighbours; 0 when count
 * is 0. */
double stats_percentile(const double *sorted, size_t count, double p);
double stats_median(const double *sorted, size_t count);

/* Whether so many samples say something of the percentile p above one half: STATS_BEYOND of them or more lie beyond it. So p99 needs 300 and p99.9 3,000. */
#define STATS_BEYOND 3
bool stats_has_percentile(size_t count, double p);

/* The 95 % interval of the median of the sorted samples, without limits (-INFINITY, INFINITY) of fewer than STATS_INTERVAL_MIN. Returns 0, or -EINVAL when count
 * is 0 or above STATS_SAMPLES_MAX. */
int stats_median_interval(const double *sorted, size_t count, uint64_t seed, struct stats_interval *interval);

/* The 0-based rank of the lower of the two order statistics, the other being as far from the end, between which the median lies with a chance of 95 % or more, whatever the
 * distribution. count is STATS_INTERVAL_MIN to STATS_SAMPLES_MAX. */
size_t stats_sign_rank(size_t count);

/* (high - low) / middle, the width by which repeating is judged; infinite when middle is not positive. */
double stats_interval_width(const struct stats_interval *interval, double middle);

#endif
