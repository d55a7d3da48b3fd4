/* peer_range.h - somebody else's parallel loop beside adit_range: what its library exports (peer.h says where it lies). peer_range.cpp is that of oneTBB, built by
 * `ninja peers` where libtbb-dev is installed; no part of the build needs it. */
#ifndef PERF_PEER_RANGE_H
#define PERF_PEER_RANGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PEER_RANGE_ABI 1u
#define PEER_RANGE_LIBRARY "libpeer_range.so"
#define PEER_RANGE_FUNCTION "adit_peer_range"

struct peer_range {
    uint32_t abi; /* PEER_RANGE_ABI */
    const char *name;
    /* To be called once, first, by a thread that may run on all CPUs: so many threads run each loop, the caller's among them; the others on that CPU. */
    void (*begin)(uint32_t threads, int cpu);
    /* Calls body on parts of [begin, end) that it need not make smaller than grain (0: as it likes), from several threads at once, and returns when all have. */
    void (*run)(uint64_t begin, uint64_t end, uint64_t grain, void (*body)(uint64_t begin, uint64_t end, void *context), void *context);
};

/* The function. */
const struct peer_range *adit_peer_range(void);

#ifdef __cplusplus
}
#endif

#endif
