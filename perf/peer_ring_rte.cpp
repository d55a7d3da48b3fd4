// peer_ring_rte.cpp - DPDK's rte_ring as a peer of our rings (peer_ring.h), in plain memory and without DPDK's environment: rte_ring.h has rte_ring_init(), which makes one
// "in memory pointed by r", for which rte_ring_get_memsize() says the size; neither needs rte_eal_init(), which rte_ring_create() does. It refers to itself by no pointer.
#include "perf/peer_ring.h"

#include <rte_ring.h>
#include <rte_version.h>

static rte_ring *at(void *memory) { return static_cast<rte_ring *>(memory); }
static int make_one(void *memory) { return rte_ring_init(at(memory), "one", PEER_RING_CAPACITY, RING_F_SP_ENQ | RING_F_SC_DEQ); }
static int make_many(void *memory) { return rte_ring_init(at(memory), "many", PEER_RING_CAPACITY, 0); }

// The calls that know how the ring was made; those that look it up first cost a branch more.
static bool push_one(void *ring, uint64_t element) { return rte_ring_sp_enqueue(at(ring), reinterpret_cast<void *>(element)) == 0; }
static bool push_many(void *ring, uint64_t element) { return rte_ring_mp_enqueue(at(ring), reinterpret_cast<void *>(element)) == 0; }
static bool pop_one(void *ring, uint64_t *element) { return rte_ring_sc_dequeue(at(ring), reinterpret_cast<void **>(element)) == 0; }
static bool pop_many(void *ring, uint64_t *element) { return rte_ring_mc_dequeue(at(ring), reinterpret_cast<void **>(element)) == 0; }

extern "C" __attribute__((visibility("default"))) const peer_rings *adit_peer_rings(void)
{
    static const size_t bytes = static_cast<size_t>(rte_ring_get_memsize(PEER_RING_CAPACITY));
    static const peer_ring rings[] = {peer_ring_loops<push_one, pop_one>::of("rte_ring sp sc, DPDK " RTE_STR(RTE_VER_YEAR) "." RTE_STR(RTE_VER_MONTH), false, false, bytes, make_one),
                                      peer_ring_loops<push_many, pop_many>::of("rte_ring mp mc, DPDK " RTE_STR(RTE_VER_YEAR) "." RTE_STR(RTE_VER_MONTH), true, false, bytes, make_many)};
    static const peer_rings peer = {PEER_RING_ABI, 2, rings};
    return &peer;
}
