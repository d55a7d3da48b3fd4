/* clock.h - the two clocks of the lab.
 *
 * clock_now_ns     the kernel's monotonic raw clock, about 25 ns a call: frames blocks of many rounds.
 * clock_ticks      the processor's own counter, about 10 ns: times single events, and across CPUs where the counter is
 *                  invariant (machine.h). clock_ticks_before waits for earlier loads, clock_ticks_after keeps later
 *                  work from starting early, so an interval neither leaks in nor out.
 *
 * On processors without such a counter both are the kernel's clock.
 */
#ifndef PERF_CLOCK_H
#define PERF_CLOCK_H

#include <stdint.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

static inline double clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

#if defined(__x86_64__)
static inline uint64_t clock_ticks_before(void)
{
    _mm_lfence();
    return __rdtsc();
}
static inline uint64_t clock_ticks_after(void)
{
    unsigned cpu;
    uint64_t ticks = __rdtscp(&cpu);
    _mm_lfence();
    return ticks;
}
#else
static inline uint64_t clock_ticks_before(void)
{
    return (uint64_t)clock_now_ns();
}
static inline uint64_t clock_ticks_after(void)
{
    return (uint64_t)clock_now_ns();
}
#endif

/* Nanoseconds a tick: the median of several spans of both clocks. Takes about 30 ms. */
double clock_calibrate(void);

#endif
