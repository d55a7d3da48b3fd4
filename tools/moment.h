/* moment.h - CLOCK_MONOTONIC in nanoseconds: the clock of published_ns and of every wait here. */
#ifndef ADIT_MOMENT_H
#define ADIT_MOMENT_H

#include <stdint.h>
#include <time.h>

static inline uint64_t adit_moment_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* Sleeps, or less when a signal comes. */
static inline void adit_moment_sleep(uint64_t ns)
{
    struct timespec t = {(time_t)(ns / 1000000000ull), (long)(ns % 1000000000ull)};
    nanosleep(&t, NULL);
}

#endif
