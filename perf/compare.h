/* compare.h - two results beside each other, figure by figure.
 *
 * Smaller is better everywhere, so a ratio (the second over the first) above 1 is slower. Its interval is had from the two medians' own: on the logarithm, each side's distance from
 * its median adds in squares (the method of variance estimates recovery, Zou and Donner, Statistics in Medicine 27, 2008). Only where that interval leaves 1 out is a figure
 * called slower or faster. perf/README.md says what this can and cannot promise.
 *
 * Counts of instructions (unit "instructions") have no noise: they are the same, more or fewer, and they alone can be gated.
 */
#ifndef PERF_COMPARE_H
#define PERF_COMPARE_H

#include <stdbool.h>
#include <stdio.h>

#include "perf/result.h"

#define COMPARE_NO_GATE UINT64_MAX

enum compare_verdict {
    COMPARE_NOISE,    /* within noise */
    COMPARE_SLOWER,
    COMPARE_FASTER,
    COMPARE_UNKNOWN,  /* one of the medians is of too few values for an interval */
    COMPARE_SAME, COMPARE_MORE, COMPARE_FEWER, /* of instructions */
    COMPARE_UNLIKE,   /* not measured in both, or in other units */
};

struct comparison {
    const struct figure *a, *b;
    bool has_ratio; /* both medians are above 0 */
    double ratio;
    struct stats_interval ratio_interval; /* infinite where it is not known */
    enum compare_verdict verdict;
};

/* Pure. */
void compare_figures(const struct figure *a, const struct figure *b, struct comparison *comparison);
const char *compare_verdict_name(enum compare_verdict verdict);

extern const struct adit_columns compare_columns; /* what the columns of the table are: tools/columns.h */

/* Whether the figure is a count of instructions. */
bool compare_is_exact(const struct figure *figure);

/* Whether counts of instructions of both can be gated: the same compiler and the same counter. Otherwise why says what differs. */
bool compare_is_gateable(const struct past_result *a, const struct past_result *b, char *why, size_t bytes);

/* Prints it all, as a table or as one JSON object. gate_percent: COMPARE_NO_GATE, or by how much counts may grow. Returns an adit_exit: 0; 1 a count grew by more than the
 * gate allows, or the output could not be written; 2 there is a gate, and no count in both. */
int compare_results(FILE *out, const struct past_result *a, const struct past_result *b, uint64_t gate_percent, bool as_json);

#endif
