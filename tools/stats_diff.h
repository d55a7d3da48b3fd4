/* stats_diff.h - what an arena has counted between two saved looks at it (stats_saved.h), as a table and as JSON. Of two arenas: what one has counted beside the other.
 */
#ifndef ADIT_STATS_DIFF_H
#define ADIT_STATS_DIFF_H

#include "tools/columns.h"
#include "tools/stats_saved.h"

/* One arena: made at one time. */
bool adit_stats_diff_is_same_arena(const struct adit_stats_saved *before, const struct adit_stats_saved *after);

/* Seconds between the two; 0: not known, as of two arenas, or of an image in which nothing happened after the other. */
double adit_stats_diff_seconds(const struct adit_stats_saved *before, const struct adit_stats_saved *after);

extern const struct adit_columns adit_stats_diff_columns;

/* all: also what has not changed. Metrics that only one of them has are left out; returns how many. */
uint32_t adit_stats_diff_print(const struct adit_stats_saved *before, const struct adit_stats_saved *after, bool all);
json_t *adit_stats_diff_json(const struct adit_stats_saved *before, const struct adit_stats_saved *after);

#endif
