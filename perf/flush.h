/* flush.h - puts memory out of all caches of the machine, so that who reads it next waits for DRAM. */
#ifndef PERF_FLUSH_H
#define PERF_FLUSH_H

#include <stdbool.h>
#include <stddef.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define FLUSH_LINE_BYTES 64

#if defined(__x86_64__)
static inline bool flush_is_possible(void)
{
    return true;
}
/* Writes back and drops every line of bytes at from, and waits until that is done. clflush, which every x86-64 has. */
static inline void flush_lines(const void *from, size_t bytes)
{
    const char *line = (const char *)from;
    for (size_t at = 0; at < bytes; at += FLUSH_LINE_BYTES)
        _mm_clflush(line + at);
    if (bytes)
        _mm_clflush(line + bytes - 1);
    _mm_mfence();
}
#else
static inline bool flush_is_possible(void)
{
    return false;
}
static inline void flush_lines(const void *from, size_t bytes)
{
    (void)from;
    (void)bytes;
}
#endif

#endif
