/* callgrind.h - has valgrind's callgrind run this program's paths (count.h) and makes figures of what it counted: unit "instructions", a median of three, low and high the least and the most.
 */
#ifndef PERF_CALLGRIND_H
#define PERF_CALLGRIND_H

#include <stddef.h>

#include "perf/figure.h"

#define CALLGRIND_WHY_MAX 512

/* Runs the paths that match pattern; each that ran, was skipped or failed is a figure of list. counter: who counted, "callgrind-3.19.0, glibc 2.36, without avx512". Takes some seconds; a folder in /tmp is
 * made and removed. Returns 0; -ENOENT where there is no valgrind, -EINVAL where no path matches, -EINTR when told to stop (SIGINT, SIGTERM, SIGHUP), or another negative errno; why says it in one line, with the cure. */
int callgrind_count(const char *pattern, struct figure_list *list, char *counter, size_t counter_bytes, char why[CALLGRIND_WHY_MAX]);

#endif
