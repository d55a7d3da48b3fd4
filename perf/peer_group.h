/* peer_group.h - somebody else's tasks beside ours: what their libraries export (peer.h says where they lie). peer_group_openmp.c is OpenMP by gcc's libgomp, peer_group_onetbb.cpp oneTBB's task_group, both built
 * by `ninja peers-groups` where their packages are installed; no part of the build needs them. Two threads run the tasks: the caller's, which makes them, and one on another CPU. */
#ifndef PERF_PEER_GROUP_H
#define PERF_PEER_GROUP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PEER_GROUP_ABI 1u
#define PEER_GROUP_FUNCTION "adit_peer_group"

struct peer_group {
    uint32_t abi; /* PEER_GROUP_ABI */
    const char *name;
    /* To be called once, first, by a thread that may run on all CPUs: the other thread will be on that CPU. */
    void (*begin)(int cpu);
    /* Has the other thread there, and gives its CPU back: around each block, so that it does not spin beside what is measured then. */
    void (*wake)(void);
    void (*rest)(void);
    /* Makes a task of each body(i, context), i below n, one after the other, and returns when all have run. */
    void (*run)(uint64_t n, void (*body)(uint64_t i, void *context), void *context);
};

/* The function. */
const struct peer_group *adit_peer_group(void);

#ifdef __cplusplus
}
#endif

#endif
