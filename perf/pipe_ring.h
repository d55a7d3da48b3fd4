/* pipe_ring.h - a pipe, and a pair of Unix stream sockets, with the loops of a ring (peer_ring.h): 8 bytes a write(2) and a read(2), which block. Made before a process is forked they
 * go to it as well. Whoever drains looks without sleeping until the first bytes are there. */
#ifndef PERF_PIPE_RING_H
#define PERF_PIPE_RING_H

#include "perf/peer_ring.h"

#define PIPE_RINGS 2u
extern const struct peer_ring pipe_rings[PIPE_RINGS];

#endif
