/* figure.h - one measured figure: what a row of perf-lab's table and an entry of its JSON hold.
 *
 * Every figure is a time (or a share), so smaller is better everywhere. A figure stands beside its raw limit: the
 * least this machine can do for the same purpose, measured in the same seconds. The ratio is the median of the ratios
 * of neighbouring blocks, not the ratio of the medians, so slow drift of the machine cancels out.
 *
 * A goal is a limit on the median, on the ratio, or on what the median has beyond the raw one. `met` says what the median says; `sure` is false when the 95 %
 * interval of the judged number reaches across the limit, so that the verdict lies within the noise. Of fewer than six values there is no interval
 * (its ends are infinite, null in JSON): the verdict is not sure, and says why.
 */
#ifndef PERF_FIGURE_H
#define PERF_FIGURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "perf/lab_stats.h"

#define FIGURES_MAX 1024
#define FIGURE_TEXT_MAX 256

enum figure_state { FIGURE_MEASURED, FIGURE_SKIPPED, FIGURE_FAILED };
enum goal_on { GOAL_NONE, GOAL_MEDIAN, GOAL_RATIO, GOAL_BEYOND /* median - raw_median */ };

struct goal {
    enum goal_on on;
    double limit;
};

struct figure {
    char scene[32];
    char name[64];
    char unit[16];
    enum figure_state state;
    double median, p10, p90;
    double p99, p999; /* of blocks, each a mean of its rounds; NAN where these are too few (stats_has_percentile) */
    struct stats_interval interval; /* of the median */
    bool has_raw;
    char raw_name[64];
    double raw_median;
    double ratio; /* median / raw_median, block by block */
    struct stats_interval ratio_interval;
    struct goal goal;
    uint32_t blocks, blocks_disturbed; /* pairs of blocks kept, and measured again because a CPU was taken away */
    char note[FIGURE_TEXT_MAX];        /* for a figure skipped or failed: why */
};

/* The figures of a run. It lies in memory shared with the process that runs a scene. */
struct figure_list {
    uint32_t count;
    uint32_t dropped; /* figures beyond FIGURES_MAX */
    struct figure figure[FIGURES_MAX];
};

/* A new zeroed figure of scene in the list, or NULL (counted in dropped) when the list is full. */
struct figure *figure_add(struct figure_list *list, const char *scene, const char *name, const char *unit);

/* Whether the median's interval is known. */
bool figure_has_interval(const struct figure *figure);

/* The number the goal speaks of, and its verdict. figure_has_verdict is false without a goal or a measurement. */
bool figure_has_verdict(const struct figure *figure);
bool figure_is_met(const struct figure *figure);
bool figure_is_sure(const struct figure *figure);

/* The human table: a head line and one line a figure, notes below their line. */
void figure_print_head(FILE *out);
extern const struct adit_columns figure_columns; /* what its columns are: tools/columns.h */
void figure_print(FILE *out, const struct figure *figure);

/* The figure as a JSON object; what is not there is null. NULL when memory is short. */
json_t *figure_json(const struct figure *figure);

#endif
