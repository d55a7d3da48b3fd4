/* path_ring.c - instructions of an element of 8 bytes pushed and popped by one thread. */
#include <errno.h>

#include "perf/count.h"

#define BURST 32u

static struct adit_arena *arena;
static struct adit_ring *ring;

static int open_ring(uint64_t kind)
{
    const struct adit_ring_params params = {.size = sizeof params, .kind = (uint32_t)kind, .element_bytes = 8, .capacity = 1024};
    int error = count_arena_open(&arena);
    return error ? error : adit_ring_open(arena, "ring", &params, &ring);
}

static void close_ring(void)
{
    adit_ring_close(&ring);
    adit_detach(&arena);
}

static int push_and_pop(uint64_t n, uint32_t burst)
{
    uint64_t element[BURST] = {0}, through = 0;
    for (uint64_t i = 0; i < n; i += burst) {
        through += adit_ring_push(ring, element, burst) == burst;
        through += adit_ring_pop(ring, element, burst) == burst;
    }
    return through * burst == 2 * n ? 0 : -EIO;
}

static int run_one(uint64_t n) { return push_and_pop(n, 1); }
static int run_burst(uint64_t n) { return push_and_pop(n, BURST); }

const struct count_path count_ring[] = {
    {"ring: push and pop, SPSC", 4096, ADIT_RING_SPSC, open_ring, run_one, close_ring},
    {"ring: push and pop, SPSC, of 32", 8192, ADIT_RING_SPSC, open_ring, run_burst, close_ring},
    {"ring: push and pop, MPMC", 4096, ADIT_RING_MPMC, open_ring, run_one, close_ring},
    {"ring: push and pop, MPMC, of 32", 8192, ADIT_RING_MPMC, open_ring, run_burst, close_ring},
    {0},
};
