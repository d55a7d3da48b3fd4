/* peer_value.h - somebody else's way of having values of 256 KiB in several processes, beside ours: what their libraries export (peer.h says where they lie). peer_value_lmdb.c is LMDB, peer_value_iceoryx.cpp is iceoryx,
 * both built by `ninja peers-values` where their packages are installed; no part of the build needs them.
 *
 * Values are replaced by one process and looked at in place by another. A store keeps the newest one for whoever looks; messages come to their receiver once each. */
#ifndef PERF_PEER_VALUE_H
#define PERF_PEER_VALUE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PEER_VALUE_ABI 1u
#define PEER_VALUE_FUNCTION "adit_peer_value"
#define PEER_VALUE_BYTES (256u * 1024)

struct peer_value {
    uint32_t abi; /* PEER_VALUE_ABI */
    const char *name;
    /* To be called once, first, before processes are forked that will take part. 0; or -1: why says why not, in why_bytes. It ends with the process. */
    int (*begin)(char *why, uint32_t why_bytes);
    /* This process's part, in that folder where it needs one, until the process ends. NULL: it cannot. The partner looks or receives first; it opens last. */
    void *(*open)(const char *folder, int is_partner);
    int (*prepare)(void *part, uint64_t word); /* makes the next value: that word, then bytes of its lowest one. 0 or -1 */
    int (*publish)(void *part);                /* and hands it over */
    int (*take)(void *part, uint64_t *word);   /* first word of the newest value, or of the next message: 1; 0: there is none */
    int (*look)(void *part, uint64_t n);       /* n times as take, for stores alone (NULL). 0 or -1 */
};

/* The function. */
const struct peer_value *adit_peer_value(void);

#ifdef __cplusplus
}
#endif

#endif
