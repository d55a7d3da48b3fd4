#include "runtime/cost.h"

#include "runtime/frugal.h"
#include "shm/atomics.h"

#define LEARN_PART 16u

enum adit_size_class adit_size_class_of(size_t bytes)
{
    return bytes <= 1u << 10 ? ADIT_SIZE_UNIFORM : bytes <= 16u << 10 ? ADIT_SIZE_SPARSE : bytes <= 96u << 10 ? ADIT_SIZE_DENSE : ADIT_SIZE_NOISE;
}

void adit_cost_learn(uint64_t *median_ns, uint64_t measured_ns)
{
    adit_store_relaxed(median_ns, adit_frugal_step(adit_load_relaxed(median_ns), measured_ns, LEARN_PART)); /* relaxed, both: an estimate */
}

void adit_cost_average(uint64_t *mean_ns, uint64_t measured_ns)
{
    uint64_t m = adit_load_relaxed(mean_ns), x = measured_ns < 8 * m || !m ? measured_ns : 8 * m;
    if (m)
        m = x > m ? m + (x - m) / 64 : m - (m - x) / 64;
    adit_store_relaxed(mean_ns, m ? m : x ? x : 1); /* relaxed: an estimate */
}
