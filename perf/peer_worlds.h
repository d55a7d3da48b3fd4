/* peer_worlds.h - the volumes that a peer and ours both mesh: sets of 64^3 voxels of a byte, whose outermost layer is neighbours. */
#ifndef PERF_PEER_WORLDS_H
#define PERF_PEER_WORLDS_H

#include "perf/lab_chunks.h"
#include "perf/peer.h"

#define PEER_WORLD_VOLUMES_MAX 64

/* A set, meshed in turn. best: what is aimed at, the peer's time over ours; 0 nothing. */
struct peer_world {
    const char *name;
    double best;
    /* Makes volumes, index (z*64 + y)*64 + x, all materials at most 255. Returns how many, or a negative errno: -ENOENT when this machine has
     * not what they are made from, with what cures it in why. */
    int (*make)(const struct peer_world *world, uint16_t (*volumes)[ADIT_CHUNK_VOXELS], char *why, size_t why_bytes);
    const char *from; /* the input of lab_voxels.h, or the file */
    uint32_t n;       /* at most, PEER_WORLD_VOLUMES_MAX or fewer */
};

extern const struct peer_world peer_worlds[];
extern const uint32_t peer_worlds_n;

/* A material of any world as a byte: 0 stays 0, and no other becomes 0. */
static inline uint16_t peer_material(uint16_t material)
{
    return (uint16_t)(material ? 1 + (material - 1) % 255 : 0);
}

#endif
