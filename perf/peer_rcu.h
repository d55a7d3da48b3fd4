/* peer_rcu.h - somebody else's read sections beside ours: what their libraries export (peer.h says where they lie). peer_rcu.c is liburcu, compiled once for each of its flavours memb, mb, qsbr and bp by
 * `ninja peers-rcu`, where liburcu-dev is installed; no part of the build needs them. Sections are a few instructions that their users have inlined, so loops of them are exported. */
#ifndef PERF_PEER_RCU_H
#define PERF_PEER_RCU_H

#include <stdint.h>

#define PEER_RCU_ABI 1u
#define PEER_RCU_FUNCTION "adit_peer_rcu"

struct peer_rcu {
    uint32_t abi; /* PEER_RCU_ABI */
    const char *name;
    uint32_t is_quiescent; /* threads say when they are out of all sections, which costs the sections themselves nothing */
    void (*join)(void);    /* before the calling thread's first section; out of sections from there on */
    void (*leave)(void);
    /* n sections; with a pointer, each loads it and a word of what it points to. Where threads are to say that they are out, that is done after each `period` of them. */
    void (*sections)(uint64_t n, uint64_t period);
    void (*look)(uint64_t n, uint64_t period, const uint64_t *const *pointer);
    /* One section after the other, or none at all, until *word is no longer value. */
    void (*read)(const uint32_t *word, uint32_t value);
    void (*stay_out)(const uint32_t *word, uint32_t value);
    void (*grace)(void); /* waits until all sections that are under way have ended */
};

/* The function. */
const struct peer_rcu *adit_peer_rcu(void);

#endif
