/* cost.h - what a tier needs for a piece of work, and how much of a backlog a device is given.
 *
 *     cost of n chunks of one size class, submitted together = fixed_ns + n x each_ns
 *
 * (StarPU prices tasks likewise, by history a size; Augonnet et al., "StarPU: a unified platform for task scheduling on heterogeneous multicore
 * architectures", 2011.) What is known of a chunk before it is meshed is how many bytes its version takes, so that is its size.
 */
#ifndef ADIT_COST_H
#define ADIT_COST_H

#include <stdbool.h>
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

/* Another device that takes from the same backlog, by what it has announced. */
struct adit_rival {
    struct adit_cost cost;
    double busy_ns; /* until it has done what it has */
};

/* How long a device that should be done at done_ns is busy from now on; done_ns 0: it has nothing. Who is late is taken to need as long again, so nobody
 * counts for long on one that hangs. Pure. */
double adit_busy_ns(uint64_t done_ns, uint64_t now_ns);

/* A moment at which a device could be given work. */
struct adit_share {
    uint32_t backlog;     /* chunks that wait, and that nobody is at */
    uint32_t threads;     /* of the CPU that take from the same backlog; 0: there are devices only */
    double thread_ns;     /* a chunk on one of them, in the mean */
    struct adit_cost device;
    double device_busy_ns; /* until it has done what it has */
    const struct adit_rival *rivals; /* rivals_n */
    uint32_t rivals_n;
    uint32_t batch_max;
    bool is_software;     /* it runs on the processors of those threads */
};

/* How many chunks the device should take now, so that it, the threads and its rivals end at the same time; 0: the others are done sooner without it, and a
 * device that runs on the threads' processors must be quicker than all of them. Where there are no threads, a device that is alone, or that does not know its price,
 * takes all it can, and of a backlog too small to be dealt out one chunk goes to whoever has done it first: somebody always takes something. Pure. */
uint32_t adit_share_of_device(const struct adit_share *share);

#endif
