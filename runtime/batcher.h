/* batcher.h - the dispatcher's thread for a device: it takes the share of the backlog that the device does sooner than the threads (share.h), a batch at
 * a time, two in flight.
 *
 *   of a batch                                  if the process dies right after       if the device is lost
 *   1 each chunk claimed (dirty.h), read and    recovery: dirty again                 dirty again, for others
 *     added, in one section
 *   2 submitted                                 the same; the driver frees what is    the same
 *                                               in flight, nothing of it is shared
 *   3 waited for; each mesh committed           the rest is dirty again               the rest is dirty again
 *     (mesher.h) and its claim ended
 *
 * Where the device can import the arena's data it reads voxels where they lie: then the section of 1 lasts until the device is done with the batch (2), as a reader's
 * would, and what was read in a section that was ousted is not published; the next flights copy. Publishing takes memory, which sections hold back: the
 * other flight's section is waited for where there is none.
 *
 * Where there are viewers (interest.h), a batch is of what they see first, but for what the threads will have done before it comes back; without, as chunks come.
 *
 * Chunks that are not for a device (air, one material, what it refuses) are meshed in place by the kernel, outside that section. When the device is lost this thread meshes as any
 * other worker does, so a dispatcher that had nothing else goes on.
 */
#ifndef ADIT_BATCHER_H
#define ADIT_BATCHER_H

#include "runtime/adit.h"
#include "runtime/bid.h"
#include "runtime/executor.h"
#include "runtime/mesher.h"

struct adit_batcher;

/* What it works with. stop: set by whoever then posts dirty_event. threads: of the dispatcher; thread_ns: the mean of what a chunk takes one of them, kept
 * by them (0: not known yet). bids: of all devices of the dispatcher, each made by adit_bid_init before the thread of any
 * starts; this one's is at own. */
struct adit_batcher_params {
    struct adit_arena *arena;
    struct adit_executor *executor;
    adit_mesh_kernel *kernel;
    const uint32_t *stop;
    const uint64_t *thread_ns;
    uint32_t threads;
    uint8_t flags;
    struct adit_bid *bids; /* bids_n */
    uint32_t bids_n, own;
    enum adit_route_policy policy;
    bool is_background; /* its thread yields (adit_thread_background) */
};

/* Starts the thread. -ENOMEM; -EAGAIN: the kernel gives no more threads. A device that cannot open a batch is lost from the beginning. */
int adit_batcher_open(const struct adit_batcher_params *params, struct adit_batcher **out);
/* After *stop is set and posted. Blocks until what is in flight has been published. */
void adit_batcher_close(struct adit_batcher **batcher);
/* Its decision before the last `back` ones. -ERANGE. Any thread. */
int adit_batcher_explain(struct adit_batcher *batcher, uint32_t back, struct adit_share_report *out);
/* What it has done so far. Any thread. */
void adit_batcher_info(const struct adit_batcher *batcher, struct adit_tier_info *info);

#endif
