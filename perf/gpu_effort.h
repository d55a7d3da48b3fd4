/* gpu_effort.h - how much of gpu-bench is run: repeats, and until when batch sizes are added. What is begun is ended. */
#ifndef PERF_GPU_EFFORT_H
#define PERF_GPU_EFFORT_H

#include <stdbool.h>
#include <stdio.h>

#include "perf/clock.h"

struct gpu_effort {
    uint32_t repeats; /* runs of which the median counts, at most 15 */
    uint32_t seconds; /* of the whole program */
    double begin_ns;  /* of clock_now_ns */
};

/* Before each batch size. True, with a line: the time is over. */
static inline bool gpu_effort_is_spent(const struct gpu_effort *e, uint32_t chunks)
{
    bool is_spent = clock_now_ns() - e->begin_ns >= e->seconds * 1e9;
    if (is_spent)
        printf("  %6u a batch and more are left out: the %u s are over (--seconds)\n", chunks, e->seconds);
    return is_spent;
}

#endif
