/* cost.h - what a tier needs for a piece of work.
 *
 *     cost of n chunks of one size class, submitted together = fixed_ns + n x each_ns
 *
 * (StarPU prices tasks likewise, by history a size; Augonnet et al., "StarPU: a unified platform for task scheduling on heterogeneous multicore
 * architectures", 2011.) What is known of a chunk before it is meshed is how many bytes its version takes, so that is its size.
 */
#ifndef ADIT_COST_H
#define ADIT_COST_H

#include <stddef.h>
#include <stdint.h>

/* The kinds of work that are priced, and the size classes of chunks, by bytes of the version's block: up to 1 KiB (of one material), 16 KiB (ground and sky),
 * 96 KiB (most terrain), more (noise, and more materials than a palette takes). */
enum adit_cost_kind { ADIT_COST_MESH, ADIT_COST_GENERATE, ADIT_COST_KINDS };
enum adit_size_class { ADIT_SIZE_UNIFORM, ADIT_SIZE_SPARSE, ADIT_SIZE_DENSE, ADIT_SIZE_NOISE, ADIT_SIZE_CLASSES };

struct adit_cost {
    double fixed_ns, each_ns;
};

/* The class of a version's block of so many bytes. */
enum adit_size_class adit_size_class_of(size_t bytes);

/* Of one measurement after the other the median, in a word: each moves it by a sixteenth at most, towards itself, so one outlier moves nothing that counts (frugal.h).
 * 0: none yet. One writer at a time, or a lost step. */
void adit_cost_learn(uint64_t *median_ns, uint64_t measured_ns);

/* The same for a mean, which is what a backlog of unlike pieces takes: a sixty-fourth of the difference, of which no more counts than eight times the mean. */
void adit_cost_average(uint64_t *mean_ns, uint64_t measured_ns);

#endif
