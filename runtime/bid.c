#include "runtime/bid.h"

#define LARGE_CHUNKS 16u /* batches from which the price of a chunk is learned; from smaller ones, the fixed price */

/* All loads and stores here are relaxed: estimates, each good without the others; but of is_lost, before which why was written (batcher.c). */

void adit_bid_init(struct adit_bid *bid, const struct adit_executor *executor)
{
    const struct adit_cost *cost = &executor->cost[ADIT_SIZE_DENSE];
    *bid = (struct adit_bid){.fixed_ns = (uint64_t)cost->fixed_ns, .each_ns = (uint64_t)cost->each_ns};
}

uint64_t adit_bid_price_ns(const struct adit_bid *bid, uint32_t chunks) { return bid->fixed_ns + chunks * bid->each_ns; }

void adit_bid_announce(struct adit_bid *bid, uint64_t done_ns) { adit_store_relaxed(&bid->done_ns, done_ns); }

void adit_bid_learn(struct adit_bid *bid, uint32_t chunks, uint64_t spent_ns)
{
    uint64_t own_ns = chunks * bid->each_ns;
    if (!bid->each_ns || chunks >= LARGE_CHUNKS || own_ns > spent_ns)
        adit_cost_learn(&bid->each_ns, (spent_ns > bid->fixed_ns ? spent_ns - bid->fixed_ns : spent_ns / 2) / chunks);
    else
        adit_cost_learn(&bid->fixed_ns, spent_ns > own_ns ? spent_ns - own_ns : 0);
}

uint32_t adit_bid_rivals(const struct adit_bid *bids, uint32_t n, uint32_t own, uint64_t now_ns, struct adit_rival rivals[ADIT_EXECUTORS_MAX])
{
    uint32_t rivals_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct adit_bid *bid = &bids[i];
        uint64_t each_ns = adit_load_relaxed(&bid->each_ns);
        if (i == own || !each_ns || adit_load32_acquire(&bid->is_lost))
            continue;
        rivals[rivals_n++] = (struct adit_rival){.cost = {(double)adit_load_relaxed(&bid->fixed_ns), (double)each_ns},
                                                 .busy_ns = adit_busy_ns(adit_load_relaxed(&bid->done_ns), now_ns)};
    }
    return rivals_n;
}
