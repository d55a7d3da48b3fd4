/* foreman.h - a dispatcher's side of the CPU: whoever of two threads runs first looks what is dirty, meshes some of it, and offers the rest, as tasks, to a pool of threads and worker processes.
 *
 *      dirty set --look--> foreman --offers, adit_submit_n--> queue "adit.mesh" --> threads, processes: claim (dirty.h), mesh, publish
 *          ^                 | meshes, too (where there are threads)                    |
 *          |                 +--takes back what nobody has begun                        |
 *          +------ results: made, how long; a worker died; poisoned <-------------------+
 *
 * README.md (The foreman) says who decides what, and what becomes of it when whom dies.
 */
#ifndef ADIT_FOREMAN_H
#define ADIT_FOREMAN_H

#include "kernels/kernels.h"
#include "runtime/adit.h"
#include "runtime/nodes.h"
#include "runtime/reach.h"

struct adit_foreman;

/* stop: set by whoever then posts dirty_event. chunk_ns: the mean of what a chunk takes one worker, kept by the foreman (0: not known yet) and read by others. threads: that mesh, the foreman's among
 * them; threads_max: as many as load asks for, or 0; 0 threads: it only feeds processes, so nothing is meshed in this process. kernel_name: as adit_mesh_kernel_named has it. node: where its threads and processes run, NULL: anywhere, the
 * dispatcher has one foreman; then reach is of one, too. whose, own: as adit_offers_init has them; own 1 serves the queue "adit.mesh", further ones one of their node. */
struct adit_foreman_params {
    struct adit_arena *arena;
    adit_mesh_kernel *kernel;
    const char *kernel_name;
    const uint32_t *stop;
    uint64_t *chunk_ns;
    uint32_t threads, threads_max, processes;
    const char *const *objects; /* as adit_pool_params */
    const struct adit_node *node;
    struct adit_reach reach;
    uint8_t *whose, own;
    bool is_background; /* its threads and processes */
    uint8_t flags;
};

/* Makes or opens the arena's queue for meshes, a pool on it, and its threads. Blocks for processes as adit_pool_open, whose errors it has, and those of adit_queue_open and adit_kind_register. */
int adit_foreman_open(const struct adit_foreman_params *params, struct adit_foreman **out);
/* After *stop is set and posted. Blocks until what is being meshed is done, and all threads and processes have ended; what was offered and not begun is dirty still. NULL is fine. */
void adit_foreman_close(struct adit_foreman **foreman);

/* How many workers of either sort it has, and the chunks meshed by them, by the data segment that the version lay in. As info; may be called beside it. */
void adit_foreman_on_node(struct adit_foreman *foreman, struct adit_node_info *info);
/* What its threads, or its processes, have done so far: all that has been published is counted. Any thread; may block some milliseconds, for a worker to say that it has ended. */
void adit_foreman_info(struct adit_foreman *foreman, bool of_processes, struct adit_tier_info *info);

#endif
