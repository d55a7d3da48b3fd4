/* report.h - results as one page: HTML that needs nothing but itself, no script, no other file, and is well-formed XML as well.
 *
 * The newest result says which machine the page is of. A figure is shown as the newest result of that machine has it, with its date where that is another. Results over time, those of
 * other machines included, stand in a table of their own, first against last by the rules of compare.h.
 *
 * Text of results may come from anywhere, so all of it is escaped.
 */
#ifndef PERF_REPORT_H
#define PERF_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "perf/result.h"

#define REPORT_RESULTS_MAX 256

/* A row of the page: a figure, and the result it is of. */
struct report_row {
    const struct figure *figure;
    const struct past_result *result;
};

struct report {
    const struct past_result *results; /* by time, the oldest first */
    uint32_t results_n;
    const struct past_result *newest;
    struct report_row *rows; /* each figure once, by scene as first met */
    uint32_t rows_n;
    bool has_plots;
    const char *(*what_of)(const char *scene); /* what a scene measures, or NULL where it is not known */
};

/* Reads path into results[*count] and up: a file, or all perf-lab-*.json of a folder. Returns as result_read; -E2BIG: more than REPORT_RESULTS_MAX. */
int report_read(const char *path, struct past_result *results, uint32_t *count, char why[RESULT_WHY_MAX]);

/* Sorts results and writes the page. Returns 0, -ENOMEM, or -EIO where out could not be written. */
int report_write(FILE *out, struct past_result *results, uint32_t count, const char *(*what_of)(const char *scene));

/* For the parts of the page. */
void report_text(FILE *out, const char *text); /* escaped */
bool report_is_of_machine(const struct past_result *a, const struct past_result *b);
int report_decimals(double value);
/* What its goal judges over the goal's limit, so met at or under 1; false where that says nothing. */
bool report_share_of_goal(const struct figure *figure, double *share);

/* Series over numbers of workers, with the law fitted to them; nothing where there are none (report_scaling.c). Returns 0 or -ENOMEM. */
int report_scaling(FILE *out, const struct report *report);
/* How many workers (threads, processes, CPUs, cores) a figure's name speaks of first, and how much of it comes before the number; false where it speaks of none. */
bool report_workers_of(const char *name, uint32_t *workers, size_t *prefix);

/* Drawings, each with its heading; nothing where there is nothing to draw (report_plots.c). */
void report_plots(FILE *out, const struct report *report);

#endif
