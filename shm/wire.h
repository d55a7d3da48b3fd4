/* wire.h - the two messages between a client and the broker (broker.h). Both ends are of one machine and, by layout and signature, of one build. */
#ifndef ADIT_WIRE_H
#define ADIT_WIRE_H

#include "shm/layout.h"

#define ADIT_WIRE_FDS_MAX (ADIT_SEGMENTS_MAX + 3 + 2 * ADIT_GUESTS_MAX) /* the kernel passes 253 at once */

struct adit_hello {
    uint64_t magic, signature;
    uint32_t layout_version, role;
};

/* Descriptors come in this order: segments, the inner part of control; listeners; pages, bells. */
struct adit_answer {
    uint64_t magic;
    int32_t status; /* 0, or negative errno */
    uint32_t segments_n;
    uint64_t signature;
    uint32_t layout_version, pages_n;
    uint32_t has_inner, listeners_n, slot, pad;
};

#endif
