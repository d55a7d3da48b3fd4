/* stats_saved.h - all that an arena counts, taken at one moment, kept in a file and read again: what `adit stats --save F` writes and --diff F compares.
 *
 * The file is JSON: {"adit_stats": 1, "arena", "created_ns", "taken_ns", "clock_ns", "image", "metrics": [{"name", "type", "unit", "help", "by", "values": [...]}]}. A value is
 * {"label", "value"}, of a histogram {"label", "buckets": [[bucket, count], ...]} (adit_histogram_bounds); label is there where "by" is not "". Whoever reads it bounds every number and
 * makes every text printable: it is input like any other.
 */
#ifndef ADIT_STATS_SAVED_H
#define ADIT_STATS_SAVED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/adit.h"

#define ADIT_STATS_SAVED_VERSION 1
#define ADIT_STATS_SAVED_BYTES_MAX ((size_t)64 << 20) /* of a file */
#define ADIT_STATS_SAVED_VALUES_MAX 65536u            /* of all metrics together; metrics, too */

struct adit_stats_value {
    char label[64]; /* "" where there is none */
    int64_t value;  /* of a counter, of a gauge */
    struct adit_histogram *histogram; /* else NULL */
};

struct adit_stats_metric {
    struct adit_metric_info info;
    struct adit_stats_value *values; /* of a label's values those that are not 0 */
    uint32_t values_n;
};

struct adit_stats_saved {
    char arena[64];              /* its name; of an image the file's */
    uint64_t created_ns;         /* CLOCK_REALTIME: tells one arena from another */
    uint64_t taken_ns, clock_ns; /* CLOCK_REALTIME, CLOCK_MONOTONIC. Of an image 0, and the time of the last event in it */
    bool is_image;
    struct adit_stats_metric *metrics; /* all but events */
    uint32_t metrics_n, damaged;       /* damaged: of the arena's, left out */
};

/* All these: 0 or a negative errno and one line, which names file, place and cure. What take and read have filled is given back by fini, also after an error. */
int adit_stats_saved_take(struct adit_arena *arena, bool is_image, struct adit_stats_saved *out, char *error, size_t error_bytes);
/* Whole or not at all. */
int adit_stats_saved_write(const struct adit_stats_saved *saved, const char *path, char *error, size_t error_bytes);
int adit_stats_saved_read(const char *path, struct adit_stats_saved *out, char *error, size_t error_bytes);
void adit_stats_saved_fini(struct adit_stats_saved *saved);

/* By name, type and unit, as another build may mean another thing by a name. NULL: there is none. */
const struct adit_stats_metric *adit_stats_saved_metric(const struct adit_stats_saved *saved, const struct adit_metric_info *like);
/* NULL: 0, or nothing. */
const struct adit_stats_value *adit_stats_saved_value(const struct adit_stats_metric *metric, const char *label);

/* "counter", "kind": as JSON has them. */
const char *adit_stats_type_name(enum adit_metric_type type);
const char *adit_stats_label_name(enum adit_metric_label label);
/* Sets count, sum, p50, p90, p99, p999 and most in o. */
void adit_stats_histogram_json(json_t *o, const struct adit_histogram *h);

#endif
