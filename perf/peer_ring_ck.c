/* peer_ring_ck.c - Concurrency Kit's ck_ring as a peer of our rings (peer_ring.h): ck_ring_init(3), ck_ring_enqueue_spsc(3), ck_ring_dequeue_spsc(3), and the same by _mpmc. Ring and buffer are both given with
 * each call, which "serves to address use-cases involving multiple address spaces". */
#include "perf/peer_ring.h"

#include <ck_ring.h>

struct ring {
    ck_ring_t head;
    _Alignas(128) ck_ring_buffer_t buffer[PEER_RING_CAPACITY];
};

static int make(void *memory)
{
    struct ring *r = memory;
    ck_ring_init(&r->head, PEER_RING_CAPACITY);
    return 0;
}

static inline bool push_one(void *ring, uint64_t element)
{
    struct ring *r = ring;
    return ck_ring_enqueue_spsc(&r->head, r->buffer, (void *)(uintptr_t)element);
}

static inline bool pop_one(void *ring, uint64_t *element)
{
    struct ring *r = ring;
    return ck_ring_dequeue_spsc(&r->head, r->buffer, (void *)element);
}

static inline bool push_many(void *ring, uint64_t element)
{
    struct ring *r = ring;
    return ck_ring_enqueue_mpmc(&r->head, r->buffer, (void *)(uintptr_t)element);
}

static inline bool pop_many(void *ring, uint64_t *element)
{
    struct ring *r = ring;
    return ck_ring_dequeue_mpmc(&r->head, r->buffer, (void *)element);
}

PEER_RING_LOOPS(one, push_one, pop_one)
PEER_RING_LOOPS(many, push_many, pop_many)

__attribute__((visibility("default"))) const struct peer_rings *adit_peer_rings(void)
{
    static const struct peer_ring rings[] = {{.name = "ck_ring spsc", .bytes = sizeof(struct ring), .make = make, PEER_RING_OF(one)},
                                             {.name = "ck_ring mpmc", .is_many = true, .bytes = sizeof(struct ring), .make = make, PEER_RING_OF(many)}};
    static const struct peer_rings peer = {PEER_RING_ABI, 2, rings};
    return &peer;
}
