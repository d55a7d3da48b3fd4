/* peer_lock.h - somebody else's locks beside ours: what their library exports (peer.h says where it lies). peer_lock.cpp is the mutex of Boost.Interprocess, built by `ninja peers-locks` where libboost-dev is
 * installed; no part of the build needs it. A lock guards an object of 64 bytes beside it, and both lie in memory of several processes. */
#ifndef PERF_PEER_LOCK_H
#define PERF_PEER_LOCK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PEER_LOCK_ABI 1u
#define PEER_LOCK_FUNCTION "adit_peer_lock"
#define PEER_LOCK_OBJECT_BYTES 64u

struct peer_lock {
    uint32_t abi; /* PEER_LOCK_ABI */
    const char *name;
    size_t bytes; /* of lock and object */
    /* Makes both in memory, aligned to 128 bytes and zeroed, to be there until the process ends. 0 or a negative errno. */
    int (*make)(void *memory);
    void (*change)(void *memory, uint64_t n);                              /* n times takes the lock, adds one to the object's first word, and gives it back */
    void (*read)(void *memory, uint64_t n);                                /* n times copies the object under the lock */
    void (*beset)(void *memory, const uint32_t *word, uint32_t value); /* changes until *word is no longer value */
};

/* The function. */
const struct peer_lock *adit_peer_lock(void);

#ifdef __cplusplus
}
#endif

#endif
