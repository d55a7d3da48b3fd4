// peer_ring_concurrent.cpp - moodycamel's ConcurrentQueue as a peer of our MPMC rings (peer_ring.h). Its header: after bulk operations what is fastest are tokens with the
// single-item methods, one a thread of each kind; the constructor makes room beforehand (elements, explicit producers, implicit ones), and try_enqueue does not allocate. Its blocks lie in the heap, so it is for threads of one process.
#include "perf/peer_ring.h"

#include <concurrentqueue/concurrentqueue.h>
#include <new>

using queue = moodycamel::ConcurrentQueue<uint64_t>;

struct ring {
    queue q{PEER_RING_CAPACITY, 1, 0};
    moodycamel::ProducerToken producer{q};
    alignas(128) moodycamel::ConsumerToken consumer{q};
};

static int make(void *memory)
{
    new (memory) ring;
    return 0;
}

static bool push(void *r, uint64_t element) { return static_cast<ring *>(r)->q.try_enqueue(static_cast<ring *>(r)->producer, element); }
static bool pop(void *r, uint64_t *element) { return static_cast<ring *>(r)->q.try_dequeue(static_cast<ring *>(r)->consumer, *element); }

extern "C" __attribute__((visibility("default"))) const peer_rings *adit_peer_rings(void)
{
    static const peer_ring rings[] = {peer_ring_loops<push, pop>::of("moodycamel ConcurrentQueue", true, true, sizeof(ring), make)};
    static const peer_rings peer = {PEER_RING_ABI, 1, rings};
    return &peer;
}
