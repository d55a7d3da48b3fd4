/* peer.h - somebody else's code beside ours: what a library exports to be measured in the same run, here that of a mesher, and how one is found. (Ranges: peer_range.h.)
 *
 * Nothing of a mesher is kept in this repository, nor how to build one: whoever wants the comparison makes a shared library out of the peer's
 * own sources that exports adit_peer_mesher, calls it PEER_LIBRARY, and puts it where peer_open looks. The library includes this
 * header and nothing else of the project; it may be in C++ (the function is then extern "C").
 *
 *     static const struct peer_mesher mesher = {PEER_ABI, "its name and version, how it was compiled", take, drop, mesh, faces};
 *     const struct peer_mesher *adit_peer_mesher(void) { return &mesher; }
 *
 * What is compared. Both mesh the 62^3 voxels inside a volume of 64^3, whose outermost layer is neighbours: it hides faces and has none. Every
 * material but 0 is opaque. The peer has the volume beforehand in whatever form suits it best, masks of solid voxels included, and
 * is timed from there to its quads.
 */
#ifndef PERF_PEER_H
#define PERF_PEER_H

#include <stddef.h>
#include <stdint.h>

#define PEER_ABI 1u
#define PEER_LIBRARY "libpeer_mesher.so"
#define PEER_FUNCTION "adit_peer_mesher"
#define PEER_VOLUME_DIM 64
#define PEER_VOLUME_BYTES (64 * 64 * 64)

struct peer_mesher {
    uint32_t abi; /* PEER_ABI */
    const char *name;
    /* Copies a volume, byte (z*64 + y)*64 + x, into the peer's own form. Not timed. NULL when there is no memory. */
    void *(*take)(const uint8_t volume[PEER_VOLUME_BYTES]);
    void (*drop)(void *taken); /* NULL is accepted */
    /* Meshes what was taken and returns the number of quads. This is timed; called from one thread. */
    uint32_t (*mesh)(void *taken);
    /* Unit faces that the quads of the last mesh cover: the sum of width times height. Not timed. */
    uint64_t (*faces)(void);
};

typedef const struct peer_mesher *peer_function(void);

/* A library of peers: its file, the function that it exports, which returns a struct that begins with its ABI, and what to do where it is not there. */
struct peer_library {
    const char *file, *function, *cure;
    uint32_t abi;
};
static const struct peer_library peer_of_meshers = {PEER_LIBRARY, PEER_FUNCTION, "perf/peer.h says how to make one", PEER_ABI};

/* Opens a library in the folder ADIT_PEERS, or where that is not set in `peers` beside the folder of the variant (build/peers for
 * build/release/bin/perf-lab). Returns what its function returns, never to be closed; or NULL with one line in why that says what is missing and what cures it. */
const void *peer_open(const struct peer_library *library, char *why, size_t why_bytes);

/* The path of a file in that folder; cut, with its end, at bytes. */
void peer_path(const char *file, char *path, size_t bytes);

#endif
