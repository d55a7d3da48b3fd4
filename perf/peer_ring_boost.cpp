// peer_ring_boost.cpp - Boost.Lockfree's spsc_queue and queue as peers of our rings (peer_ring.h). Its documentation: capacity<> makes both of a fixed size, without allocation, and indices instead of pointers,
// so they may lie in memory of several processes where their atomics are lock-free ("Interprocess Support").
#include "perf/peer_ring.h"

#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <boost/version.hpp>
#include <new>

using one = boost::lockfree::spsc_queue<uint64_t, boost::lockfree::capacity<PEER_RING_CAPACITY>>;
using many = boost::lockfree::queue<uint64_t, boost::lockfree::capacity<PEER_RING_CAPACITY>>;

static int make_one(void *memory)
{
    new (memory) one;
    return 0;
}
static int make_many(void *memory) { return (new (memory) many)->is_lock_free() ? 0 : -95 /* EOPNOTSUPP */; }

static bool push_one(void *ring, uint64_t element) { return static_cast<one *>(ring)->push(element); }
static bool push_many(void *ring, uint64_t element) { return static_cast<many *>(ring)->bounded_push(element); }
static bool pop_one(void *ring, uint64_t *element) { return static_cast<one *>(ring)->pop(*element); }
static bool pop_many(void *ring, uint64_t *element) { return static_cast<many *>(ring)->pop(*element); }

extern "C" __attribute__((visibility("default"))) const peer_rings *adit_peer_rings(void)
{
    static const peer_ring rings[] = {peer_ring_loops<push_one, pop_one>::of("boost::lockfree::spsc_queue " BOOST_LIB_VERSION, false, false, sizeof(one), make_one),
                                      peer_ring_loops<push_many, pop_many>::of("boost::lockfree::queue " BOOST_LIB_VERSION, true, false, sizeof(many), make_many)};
    static const peer_rings peer = {PEER_RING_ABI, 2, rings};
    return &peer;
}
