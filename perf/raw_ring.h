/* raw_ring.h - the least ring between two processes, to compare with: one writer, one reader, 8-byte elements, each side
 * with a copy of the other's index that it refreshes only when it seems stuck (Lee, Bu, Chandranmenon: A Lock-Free,
 * Cache-Efficient Multi-Core Synchronization Mechanism for Line-Rate Network Traffic Monitoring, IPDPS 2010). It has no
 * name, no sleeper, no owner, no element size, and trusts both sides.
 */
#ifndef PERF_RAW_RING_H
#define PERF_RAW_RING_H

#include <stdatomic.h>
#include <stdint.h>

#define RAW_RING_CAPACITY 1024u

struct raw_ring {
    _Alignas(128) _Atomic uint64_t tail; /* written by the pusher */
    uint64_t head_seen;
    _Alignas(128) _Atomic uint64_t head; /* written by the popper */
    uint64_t tail_seen;
    _Alignas(128) uint64_t element[RAW_RING_CAPACITY];
};

/* How many of n went in, or came out. Release on the own index publishes what was copied; acquire of the other's. */
static inline uint32_t raw_ring_push(struct raw_ring *ring, const uint64_t *element, uint32_t n)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (RAW_RING_CAPACITY - (tail - ring->head_seen) < n)
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
    uint64_t room = RAW_RING_CAPACITY - (tail - ring->head_seen);
    n = room < n ? (uint32_t)room : n;
    for (uint32_t i = 0; i < n; i++)
        ring->element[(tail + i) % RAW_RING_CAPACITY] = element[i];
    atomic_store_explicit(&ring->tail, tail + n, memory_order_release);
    return n;
}

static inline uint32_t raw_ring_pop(struct raw_ring *ring, uint64_t *element, uint32_t n)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (ring->tail_seen - head < n)
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
    uint64_t there = ring->tail_seen - head;
    n = there < n ? (uint32_t)there : n;
    for (uint32_t i = 0; i < n; i++)
        element[i] = ring->element[(head + i) % RAW_RING_CAPACITY];
    atomic_store_explicit(&ring->head, head + n, memory_order_release);
    return n;
}

#endif
