// peer_ring_readerwriter.cpp - moodycamel's ReaderWriterQueue as a peer of our SPSC rings (peer_ring.h). Its header: the constructor allocates for so many elements, try_enqueue
// "does not allocate memory", and one thread produces what another consumes. Its blocks lie in the heap, so it is for threads of one process.
#include "perf/peer_ring.h"

#include <new>
#include <readerwriterqueue.h>

using queue = moodycamel::ReaderWriterQueue<uint64_t>;

static int make(void *memory)
{
    new (memory) queue(PEER_RING_CAPACITY);
    return 0;
}

static bool push(void *ring, uint64_t element) { return static_cast<queue *>(ring)->try_enqueue(element); }
static bool pop(void *ring, uint64_t *element) { return static_cast<queue *>(ring)->try_dequeue(*element); }

extern "C" __attribute__((visibility("default"))) const peer_rings *adit_peer_rings(void)
{
    static const peer_ring rings[] = {peer_ring_loops<push, pop>::of("moodycamel ReaderWriterQueue", false, true, sizeof(queue), make)};
    static const peer_rings peer = {PEER_RING_ABI, 1, rings};
    return &peer;
}
