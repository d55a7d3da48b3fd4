/* raw_read.c - reading memory as fast as one core can, see raw.h. Sums with 64-byte vectors, four chains deep so that the
 * adds do not limit the loads; one copy of the loop for each instruction set. */
#include "perf/raw.h"

typedef uint64_t vector __attribute__((vector_size(64), may_alias));

static inline __attribute__((always_inline)) void sum(const void *from, size_t bytes)
{
    const vector *v = from;
    vector a = {0}, b = {0}, c = {0}, d = {0};
    for (size_t i = 0; i < bytes / sizeof(vector); i += 4) {
        a += v[i];
        b += v[i + 1];
        c += v[i + 2];
        d += v[i + 3];
    }
    a += b + c + d;
    for (int i = 0; i < 8; i++)
        bench_consume(a[i]);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void sum_avx2(const void *from, size_t bytes)
{
    sum(from, bytes);
}
__attribute__((target("avx512f"))) static void sum_avx512(const void *from, size_t bytes)
{
    sum(from, bytes);
}
void raw_read(const void *from, size_t bytes)
{
    if (__builtin_cpu_supports("avx512f"))
        sum_avx512(from, bytes);
    else if (__builtin_cpu_supports("avx2"))
        sum_avx2(from, bytes);
    else
        sum(from, bytes);
}
#else
void raw_read(const void *from, size_t bytes)
{
    sum(from, bytes);
}
#endif
