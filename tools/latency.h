/* latency.h - a histogram of nanoseconds: 32 buckets to each doubling, so a quantile is right within 3 %.
 *
 * Histograms of several processes add up, which quantiles do not: consumers send theirs, the parent merges.
 */
#ifndef ADIT_LATENCY_H
#define ADIT_LATENCY_H

#include <jansson.h>
#include <stdint.h>

#define ADIT_LATENCY_SHIFT 5
#define ADIT_LATENCY_BUCKETS (60u << ADIT_LATENCY_SHIFT)

struct adit_latency {
    uint64_t count;
    uint64_t bucket[ADIT_LATENCY_BUCKETS];
};

void adit_latency_add(struct adit_latency *latency, uint64_t ns);

/* The value below or at which the given share (0..1) of the samples lies: the middle of its bucket. 0 without samples. */
uint64_t adit_latency_quantile(const struct adit_latency *latency, double share);

/* The buckets that are not empty as [[index, count], ...], and such a list added to a histogram (others are ignored). */
json_t *adit_latency_save(const struct adit_latency *latency);
void adit_latency_merge(struct adit_latency *latency, const json_t *saved);

/* {"p50":..., "p99":..., "samples":...} */
json_t *adit_latency_json(const struct adit_latency *latency);

#endif
