#include "runtime/cost.h"

#include "shm/atomics.h"

enum adit_size_class adit_size_class_of(size_t bytes)
{
    return bytes <= 1u << 10 ? ADIT_SIZE_UNIFORM : bytes <= 16u << 10 ? ADIT_SIZE_SPARSE : bytes <= 96u << 10 ? ADIT_SIZE_DENSE : ADIT_SIZE_NOISE;
}

void adit_cost_learn(uint64_t *median_ns, uint64_t measured_ns)
{
    uint64_t m = adit_load_relaxed(median_ns), step = m / 16 + 1;
    if (!m)
        m = measured_ns ? measured_ns : 1;
    else if (measured_ns > m)
        m += measured_ns - m < step ? measured_ns - m : step;
    else
        m -= m - measured_ns < step ? m - measured_ns : step;
    adit_store_relaxed(median_ns, m ? m : 1); /* relaxed: an estimate */
}

void adit_cost_average(uint64_t *mean_ns, uint64_t measured_ns)
{
    uint64_t m = adit_load_relaxed(mean_ns), x = measured_ns < 8 * m || !m ? measured_ns : 8 * m;
    if (m)
        m = x > m ? m + (x - m) / 64 : m - (m - x) / 64;
    adit_store_relaxed(mean_ns, m ? m : x ? x : 1); /* relaxed: an estimate */
}

uint32_t adit_share_of_device(const struct adit_share *s)
{
    uint32_t most = s->backlog < s->batch_max ? s->backlog : s->batch_max;
    if (!s->threads)
        return most;
    double threads_ns = s->thread_ns / s->threads; /* a chunk, all of them together */
    if (s->is_software && s->device.each_ns >= threads_ns)
        return 0;
    double ahead_ns = s->backlog * threads_ns - s->device.fixed_ns - s->device_busy_ns;
    if (ahead_ns < s->device.each_ns)
        return 0;
    double n = ahead_ns / (s->device.each_ns + threads_ns); /* fixed + busy + n each = (backlog - n) threads */
    return n < most ? (uint32_t)n : most;
}
