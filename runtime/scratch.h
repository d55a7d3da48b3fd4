/* scratch.h - what one call of this library needs beside the arena: a reader of its own and working memory.
 *
 * A small pool of the process, grown on first use and kept, so that the data path neither allocates nor makes a system call
 * once it has run. With 64 calls at once in one process the next waits its turn (shm/rcu.h).
 */
#ifndef ADIT_SCRATCH_H
#define ADIT_SCRATCH_H

#include "kernels/kernels.h"
#include "runtime/encoding.h"
#include "shm/shm.h"

struct adit_scratch {
    struct adit_reader *reader;
    struct adit_encode_plan *plan;
    uint64_t *quads; /* of the mesher, grown as needed; NULL before its first use */
    uint32_t quads_max;
    uint16_t plane[ADIT_FACES][ADIT_PLANE_VOXELS] __attribute__((aligned(64)));
    uint16_t voxels[ADIT_CHUNK_VOXELS] __attribute__((aligned(64)));
};

/* -EUSERS: the arena has no reader slot left; -EAGAIN: too many calls at once; -ENOMEM. */
int adit_scratch_borrow(struct adit_arena *arena, struct adit_scratch **out);
void adit_scratch_give_back(struct adit_arena *arena, struct adit_scratch *scratch);
/* Makes room for quads_max quads; what was in them is lost. -ENOMEM. */
int adit_scratch_grow_quads(struct adit_scratch *scratch, uint32_t quads_max);
/* At detach. */
void adit_scratch_fini(struct adit_arena *arena);

#endif
