/* bid.h - what each device of a dispatcher tells the others: its price, and when it is done with what it has. So the share that one takes of the backlog
 * leaves to the others what they do sooner (share.h: rivals).
 *
 *     adit_bid_init(&bids[i], executor)                   of all devices, before the thread of any starts
 *     n = adit_bid_rivals(bids, n, own, now, rivals)      how much is for this one?
 *     adit_bid_announce(&bids[own], done)                 before the first claim: what is claimed is in nobody's backlog any more
 *     ... claims, submits, waits, publishes ...
 *     adit_bid_learn(&bids[own], chunks, spent); announce again: 0, or the end of the next batch
 *
 * A bid is written by its device's thread alone and read by all; each word of it is an estimate of its own, so the order of words does not matter.
 */
#ifndef ADIT_BID_H
#define ADIT_BID_H

#include "runtime/executor.h"
#include "runtime/share.h"

struct adit_bid {
    uint64_t fixed_ns, each_ns; /* the price, as learned; each_ns 0: not known */
    uint64_t done_ns;           /* adit_clock_ns; 0: it has nothing */
    uint32_t is_lost;           /* release, acquire */
};

/* What is known of a device at first: its executor's price of most chunks. */
void adit_bid_init(struct adit_bid *bid, const struct adit_executor *executor);

/* What so many chunks in one batch should take. Its own thread, as the rest but rivals. */
uint64_t adit_bid_price_ns(const struct adit_bid *bid, uint32_t chunks);
void adit_bid_announce(struct adit_bid *bid, uint64_t done_ns);
/* Learns from a batch of so many chunks, 1 or more, that took so long. */
void adit_bid_learn(struct adit_bid *bid, uint32_t chunks, uint64_t spent_ns);

/* The devices beside that at own which take from the same backlog: those not lost, whose price is known. Returns how many. */
uint32_t adit_bid_rivals(const struct adit_bid *bids, uint32_t n, uint32_t own, uint64_t now_ns, struct adit_rival rivals[ADIT_EXECUTORS_MAX]);

#endif
