/* peer_tasks.h - somebody else's scheduler beside adit's router: what its library exports (peer.h says where it lies). peer_tasks.cpp is StarPU with its policy dmda, built by
 * `ninja peers-tasks` where libstarpu-dev is installed; no part of the build needs it. */
#ifndef PERF_PEER_TASKS_H
#define PERF_PEER_TASKS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PEER_TASKS_ABI 1u
#define PEER_TASKS_LIBRARY "libpeer_tasks.so"
#define PEER_TASKS_FUNCTION "adit_peer_tasks"
#define PEER_TASKS_KINDS 16u

struct peer_tasks {
    uint32_t abi; /* PEER_TASKS_ABI */
    const char *name;
    /* Starts a worker on each of two CPUs, which rests. 0 or a negative errno. */
    int (*begin)(const int cpu[2]);
    /* Whether workers take no CPU: between blocks, as otherwise they would poll beside what is measured then. */
    void (*rest)(int rests);
    /* Runs body(context), a task of kind (below PEER_TASKS_KINDS) and size, on the worker that should have it done first by what it has learned of that kind and size, and returns when it has ended. 0 or a negative errno. */
    int (*run)(uint32_t kind, uint32_t size, void (*body)(void *context), void *context);
    /* Ends the workers, and leaves nothing behind. */
    void (*end)(void);
};

/* The function. */
const struct peer_tasks *adit_peer_tasks(void);

#ifdef __cplusplus
}
#endif

#endif
