/* tier_chunks.h - the chunks that tiers are checked and measured with: versions as they lie in an arena, with their neighbours, in memory of the same kind, so that
 * a device can fetch from it what it could fetch from an arena.
 *
 *     struct adit_tier_chunks *chunks;
 *     adit_tier_chunks_varied(&chunks);             of every kind, for the self-test
 *     adit_tier_chunks_world(&chunks);              of every size class, for measuring
 *     adit_tier_chunks_free(&chunks);
 *
 * Always the same ones: what they are is part of the self-test's stored hashes.
 */
#ifndef ADIT_TIER_CHUNKS_H
#define ADIT_TIER_CHUNKS_H

#include "kernels/kernels.h"
#include "runtime/cost.h"
#include "runtime/encoding.h"

#define ADIT_TIER_VARIED 48u /* chunks of the self-test */
#define ADIT_TIER_POOL 12u   /* chunks of a size class to measure with, at most */

struct adit_tier_chunk {
    char what[40];                          /* for people: "terrain 3,0,1" */
    struct adit_version *version;
    size_t bytes;
    const struct adit_version *beside[ADIT_FACES]; /* NULL: nothing there */
    size_t beside_bytes[ADIT_FACES];
    const struct adit_mesh_rim *rim;        /* NULL: air */
    uint32_t flags;                         /* of kernels/mesh.h */
    uint8_t world;                          /* which of the worlds below it is part of, and where */
    int32_t at[3];
};

/* Worlds of adit_tier_chunks_world: one of stone alone, and the built-in terrain. */
enum adit_tier_world { ADIT_TIER_STONE, ADIT_TIER_TERRAIN };

struct adit_tier_chunks {
    uint32_t n;
    struct adit_tier_chunk *chunk; /* n */
    void *blocks;                  /* all versions, one after another: a shared mapping */
    size_t blocks_bytes, used;     /* mapped; filled from the front */
    struct adit_mesh_rim rims[4];
    uint8_t classes[ADIT_MATERIALS];
    /* Of adit_tier_chunks_world: which are meshed (generated), by size class. */
    uint32_t pool[ADIT_COST_KINDS][ADIT_SIZE_CLASSES][ADIT_TIER_POOL], pool_n[ADIT_COST_KINDS][ADIT_SIZE_CLASSES];
};

/* What each size class is measured with, for people. */
extern const char *const adit_tier_inputs[ADIT_SIZE_CLASSES];
#define ADIT_TIER_SEED 1u /* of the terrain */

/* ADIT_TIER_VARIED chunks: of the built-in worlds, and of random materials in boxes and one by one; all classes, with and without neighbours, greedy,
 * culled, with ambient occlusion. -ENOMEM. */
int adit_tier_chunks_varied(struct adit_tier_chunks **out);
/* A piece of terrain and a block of stone. -ENOMEM. */
int adit_tier_chunks_world(struct adit_tier_chunks **out);
void adit_tier_chunks_free(struct adit_tier_chunks **chunks);

/* What meshing on a thread needs, as a dispatcher's worker has it: its own. */
struct adit_tier_scratch {
    struct adit_voxels voxels;
    uint16_t plane[ADIT_FACES][ADIT_PLANE_VOXELS] __attribute__((aligned(64)));
    uint64_t quads[ADIT_MESH_QUADS_MAX];
};

/* Meshes chunk i as the dispatcher does: neighbours' planes are decoded, the version is read where it lies. result->quads lies in scratch. 0, or
 * what the kernel says. */
int adit_tier_chunk_mesh(const struct adit_tier_chunks *chunks, uint32_t i, adit_mesh_kernel *kernel, struct adit_tier_scratch *scratch,
                         struct adit_mesh_result *result);

#endif
