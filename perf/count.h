/* count.h - paths: small pieces of work of one thread whose instructions are counted, not timed. A count has no noise to speak of, so two per cent more is a finding.
 *
 * Each file perf/path_<what>.c has paths of one kind, as an array that ends with an entry without a name; count.c lists the arrays. A path is opened, run once unobserved, then three times N and 2N
 * repetitions each; (I(2N) - I(N)) / N is an operation's instructions, without set-up and without the loop's begin and end.
 *
 *     perf-lab count ── callgrind.c ──exec──> valgrind perf-lab count --inside FILE ── count.c: paths between marks
 *          figures <── parts at the marks <──────┘                     └──> FILE: which marks are which path's
 */
#ifndef PERF_COUNT_H
#define PERF_COUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/adit.h"

#define COUNT_SERIES 3 /* of N and 2N */

struct count_path {
    const char *name;
    uint64_t n;        /* repetitions */
    uint64_t argument; /* for open: a size, a kernel ... */
    /* Returns 0; -ENOTSUP: this processor or build has no such path; or another negative errno. */
    int (*open)(uint64_t argument);
    int (*run)(uint64_t n);
    void (*close)(void); /* also after an open that failed; may be NULL */
};

/* Arrays, each ended by a path without a name; the table itself ends with NULL. */
extern const struct count_path count_section[], count_chunk[], count_ring[], count_alloc[], count_lock[], count_task[], count_mesh[], count_metrics[];
extern const struct count_path *const count_paths[];

/* True when the path's name matches: a glob, or any part of it. */
bool count_matches(const struct count_path *path, const char *pattern);

/* An arena for a path, of the same name always, so that its name's hash is the same. */
int count_arena_open(struct adit_arena **arena);

/* Within valgrind: runs the paths that match and writes to out, a line each, "path<TAB>NAME<TAB>N<TAB>MARK" (MARK: how many marks were before its first one), "skip<TAB>NAME<TAB>why" or
 * "fail<TAB>NAME<TAB>why". Returns 0, or a negative errno when out cannot be written. */
int count_inside(const char *pattern, FILE *out);

#endif
