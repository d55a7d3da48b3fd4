/* share.h - how much of a backlog a device is given, and which part of it: the arithmetic of a batcher (batcher.h). What waits is in one set, from which threads take a chunk at a time and devices a batch at a time; so a share is a number of chunks.
 */
#ifndef ADIT_SHARE_H
#define ADIT_SHARE_H

#include <stdbool.h>

#include "runtime/adit.h"
#include "runtime/cost.h"

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
    uint32_t idle_before; /* devices before this one, in order, that have nothing to do */
};

/* How many chunks the device should take now, so that it, the threads and its rivals end at the same time; 0: the others are done sooner without it, and a
 * device that runs on the threads' processors must be quicker than all of them. Where there are no threads, a device that is alone, or that does not know its price,
 * takes all it can, and of a backlog too small to be dealt out one chunk goes to whoever has done it first: somebody always takes something. Pure. */
uint32_t adit_share_of_device(const struct adit_share *share);

/* The same by a policy that does not ask for prices; the threads are one tier, each device is one. ADAPTIVE: as above. ROUND_ROBIN: what is due to one tier of all. LEAST_LOADED: the same, if the device has
 * nothing to do, or is done with that before the threads are done with the backlog. CAPABILITY: what is more than a chunk for each thread, if no device before this one has nothing to do. Where there are no threads, and no device before it is idle, somebody always
 * takes something. Pure. */
uint32_t adit_share_by_policy(const struct adit_share *share, enum adit_route_policy policy);

/* How many chunks, of those needed soonest, are the threads' when a device takes n: as many as they do before its batch comes back, which is when all of it does. So none waits for a batch that a thread would have had sooner. At most what the
 * device leaves. Pure. */
uint32_t adit_share_skips(const struct adit_share *share, uint32_t n);

#endif
