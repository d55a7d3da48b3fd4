/* clock.c - how long a tick is. A span that the scheduler cuts into is off by less than its reading time over its
 * length, and the median of the spans drops it anyway. */
#include "perf/clock.h"

#include <stddef.h>

#include "perf/lab_stats.h"

#define SPANS 7
#define SPAN_NS 4e6

double clock_calibrate(void)
{
    double rate[SPANS];
    for (size_t i = 0; i < SPANS; i++) {
        double from_ns = clock_now_ns(), to_ns = from_ns;
        uint64_t from = clock_ticks_after(), to = from;
        while (to_ns - from_ns < SPAN_NS) {
            to_ns = clock_now_ns();
            to = clock_ticks_after();
        }
        rate[i] = (to_ns - from_ns) / (double)(to - from);
    }
    stats_sort(rate, SPANS);
    return stats_median(rate, SPANS);
}
