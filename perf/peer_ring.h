/* peer_ring.h - somebody else's rings beside ours: what their libraries export (peer.h says where they lie). peer_ring_rte.cpp, peer_ring_ck.c, peer_ring_readerwriter.cpp,
 * peer_ring_concurrent.cpp and peer_ring_boost.cpp are built by `ninja peers-rings`, each where its package is installed; no part of the build needs them.
 *
 * An element is 8 bytes, a ring has room for some PEER_RING_CAPACITY of them, and one thread pushes what another one pops. Most of the peers are headers whose users
 * have them inlined, so the loops are exported and not single calls; peer_ring_loops makes them of a push and a pop, for ours as well. The last element of a loop is marked. */
#ifndef PERF_PEER_RING_H
#define PERF_PEER_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_RING_ABI 1u
#define PEER_RING_FUNCTION "adit_peer_rings"
#define PEER_RING_CAPACITY 1024u
#define PEER_RING_LAST (1ull << 63) /* of an element: nothing comes after it */
#define PEER_RING_LOOK 256u         /* tries in vain between two looks at the word */

struct peer_ring {
    const char *name;
    bool is_many;    /* for many pushers and many poppers */
    bool is_private; /* for threads of one process alone */
    size_t bytes;    /* of memory that one takes */
    /* Makes one in memory, aligned to 128 bytes and zeroed, to be there until the process ends. 0 or a negative errno. */
    int (*make)(void *memory);
    void (*fill)(void *ring, uint64_t n); /* pushes n elements, the last one marked */
    /* Pops until the marked one has come: true; or until *word is no longer value: false. */
    bool (*drain)(void *ring, const uint32_t *word, uint32_t value);
    void (*trip)(void *there, void *back, uint64_t n); /* n times pushes one there and waits for it to come back, the last one marked */
    /* The other side of that; as drain. */
    bool (*echo)(void *there, void *back, const uint32_t *word, uint32_t value);
};

struct peer_rings {
    uint32_t abi; /* PEER_RING_ABI */
    uint32_t count;
    const struct peer_ring *ring;
};

/* ---- the loops, of a push and a pop that say whether there was room, or something ---- */

typedef bool peer_ring_push(void *ring, uint64_t element);
typedef bool peer_ring_pop(void *ring, uint64_t *element);
#define PEER_RING_INLINE static inline __attribute__((always_inline))

PEER_RING_INLINE void peer_ring_fill(peer_ring_push *push, void *ring, uint64_t n)
{
    for (uint64_t i = 1; i <= n; i++)
        while (!push(ring, i == n ? i | PEER_RING_LAST : i)) {
        }
}

/* Waits for one; false when the word changed first. */
PEER_RING_INLINE bool peer_ring_await(peer_ring_pop *pop, void *ring, uint64_t *element, const uint32_t *word, uint32_t value)
{
    for (uint32_t tries = 1; !pop(ring, element); tries++)
        if (tries % PEER_RING_LOOK == 0 && __atomic_load_n(word, __ATOMIC_RELAXED) != value)
            return false;
    return true;
}

PEER_RING_INLINE bool peer_ring_drain(peer_ring_pop *pop, void *ring, const uint32_t *word, uint32_t value)
{
    uint64_t element = 0;
    while (!(element & PEER_RING_LAST))
        if (!peer_ring_await(pop, ring, &element, word, value))
            return false;
    return true;
}

PEER_RING_INLINE void peer_ring_trip(peer_ring_push *push, peer_ring_pop *pop, void *there, void *back, uint64_t n)
{
    uint64_t element;
    for (uint64_t i = 1; i <= n; i++) {
        while (!push(there, i == n ? i | PEER_RING_LAST : i)) {
        }
        while (!pop(back, &element)) {
        }
    }
}

PEER_RING_INLINE bool peer_ring_echo(peer_ring_push *push, peer_ring_pop *pop, void *there, void *back, const uint32_t *word, uint32_t value)
{
    uint64_t element = 0;
    while (!(element & PEER_RING_LAST)) {
        if (!peer_ring_await(pop, there, &element, word, value))
            return false;
        while (!push(back, element)) {
        }
    }
    return true;
}

#ifdef __cplusplus
template <peer_ring_push *push, peer_ring_pop *pop> struct peer_ring_loops {
    static void fill(void *ring, uint64_t n) { peer_ring_fill(push, ring, n); }
    static bool drain(void *ring, const uint32_t *word, uint32_t value) { return peer_ring_drain(pop, ring, word, value); }
    static void trip(void *there, void *back, uint64_t n) { peer_ring_trip(push, pop, there, back, n); }
    static bool echo(void *there, void *back, const uint32_t *word, uint32_t value) { return peer_ring_echo(push, pop, there, back, word, value); }
    static peer_ring of(const char *name, bool is_many, bool is_private, size_t bytes, int (*make)(void *memory))
    {
        return {name, is_many, is_private, bytes, make, fill, drain, trip, echo};
    }
};

extern "C" {
#else
/* The same in C: PEER_RING_LOOPS(one, push, pop) makes four functions, PEER_RING_OF(one) is what names them in a struct peer_ring. */
#define PEER_RING_LOOPS(loops, push, pop) \
    static void loops##_fill(void *ring, uint64_t n) { peer_ring_fill(push, ring, n); } \
    static bool loops##_drain(void *ring, const uint32_t *word, uint32_t value) { return peer_ring_drain(pop, ring, word, value); } \
    static void loops##_trip(void *there, void *back, uint64_t n) { peer_ring_trip(push, pop, there, back, n); } \
    static bool loops##_echo(void *there, void *back, const uint32_t *word, uint32_t value) { return peer_ring_echo(push, pop, there, back, word, value); }
#define PEER_RING_OF(loops) .fill = loops##_fill, .drain = loops##_drain, .trip = loops##_trip, .echo = loops##_echo
#endif

/* The function that each of the libraries exports. */
const struct peer_rings *adit_peer_rings(void);

#ifdef __cplusplus
}
#endif

#endif
