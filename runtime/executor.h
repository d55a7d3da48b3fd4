/* executor.h - who meshes many chunks at once and is no thread of this process: a device, as the dispatcher sees it. gpu/ makes them (this folder does
 * not know Vulkan), a program hands them to adit_dispatcher_open.
 *
 *     batch: open -> begin -> add ... -> submit -> wait -> result ... -> begin ... -> close
 *
 * A batch is one thread's at a time, and two of one executor are in flight at once. What add reads of blocks it reads before it returns: the caller is inside a
 * section, and leaves it afterwards. But with read_from it may leave the voxels where they lie, in memory it has imported, and read them until wait has returned anything but
 * -ETIMEDOUT: the caller's section lasts as long.
 */
#ifndef ADIT_EXECUTOR_H
#define ADIT_EXECUTOR_H

#include "kernels/kernels.h"
#include "runtime/cost.h"
#include "shm/shm.h"

/* One chunk. version: its block, of which `bytes` may be looked at; it may be changed by a peer meanwhile: it is copied first and judged then.
 * beside[f]: the block of the neighbour across face f, or NULL. rim: what lies diagonal to it, for ADIT_MESH_AO, or NULL: air; copied. flags: as in kernels/mesh.h. */
struct adit_mesh_task {
    const struct adit_version *version;
    size_t bytes;
    const struct adit_version *beside[ADIT_FACES];
    size_t beside_bytes[ADIT_FACES];
    const struct adit_mesh_rim *rim;
    uint32_t flags;
};

/* Memory that stays mapped, whole pages of it. */
struct adit_import_range {
    void *at;
    size_t bytes;
};

struct adit_executor {
    char name[32];       /* as users name it: "vulkan:0" */
    uint32_t batch_max;  /* chunks of a batch */
    bool is_software;    /* it runs on this machine's processors */
    int32_t node;        /* the kernel's number of the NUMA node that it is at: there its dispatcher's thread reads, fills its buffers, and takes meshes back; -1: not known */
    struct adit_cost cost[ADIT_SIZE_CLASSES]; /* of meshing, as measured; zeroes: not known */
    void *user;          /* of who made it */
    /* Opens a batch. Negative errno with a line in adit_detail(): it cannot. */
    int (*open)(struct adit_executor *executor, void **batch);
    void (*begin)(void *batch);
    /* Imports the data of an arena, so that batches read it where it lies. NULL: it never does. Negative errno: not this memory; then add copies all. */
    int (*import)(struct adit_executor *executor, const struct adit_import_range *ranges, uint32_t n, void **imports);
    void (*unimport)(void *imports);
    /* After begin, for this one filling of the batch. */
    void (*read_from)(void *batch, void *imports);
    /* -ENOSPC: the batch is full, submit it; -EBADMSG: the version is not sound; -ENOTSUP: flags that it does not do. */
    int (*add)(void *batch, const struct adit_mesh_task *task);
    /* classes: ADIT_MATERIALS entries, of all materials that were added; read before it returns. Does not wait. -EIO: it is lost or refuses. */
    int (*submit)(void *batch, const uint8_t *classes);
    /* Blocks until the meshes are there. -ETIMEDOUT: not yet; -EIO: lost; -ENOMEM: no room for so many quads. After -EIO and -ENOMEM there are none. */
    int (*wait)(void *batch, uint64_t timeout_ns);
    /* The mesh of the i-th chunk that was added; its quads lie in the batch, until begin. */
    void (*result)(void *batch, uint32_t i, struct adit_mesh_result *result);
    /* Blocks until what is in flight has ended. */
    void (*close)(void *batch);
};

/* What adit_devices_open gives (adit.h), as the dispatcher sees it. */
#define ADIT_EXECUTORS_MAX 16u
struct adit_devices {
    uint32_t n;
    struct adit_executor *executor[ADIT_EXECUTORS_MAX];
};

#endif
