/* stats_export.h - what an arena counts, in the forms that others' tools read: Prometheus' text, and the trace of Chrome and Perfetto.
 *
 * Sources: Prometheus, "Exposition formats" (text, version 0.0.4) and "Metric and label naming": base units, so nanoseconds become seconds; a histogram's buckets are its octaves. Google, "Trace Event Format": complete events (X) for what says how long
 * it took, instants (i) for what does not, microseconds.
 */
#ifndef ADIT_STATS_EXPORT_H
#define ADIT_STATS_EXPORT_H

#include <jansson.h>
#include <stdio.h>

#include "runtime/adit.h"

/* All metrics but events, each value with its label and arena="name". Families without a value are left out. Metrics that are damaged are skipped. */
void adit_stats_prometheus(const struct adit_arena *arena, const char *name, FILE *out);

/* The last events of all, at most max, as one object. NULL: no memory. */
json_t *adit_stats_trace(const struct adit_arena *arena, uint32_t max);

#endif
