/* mesh_source.h - what mesh batches and lod batches upload of a chunk: its version's block, and for a mesh the planes of its neighbours and its rim;
 * and a job that says where they lie.
 * Everything comes from memory that a peer may be writing: heads and descriptors are copied, the copies judged, and only what they say is
 * followed, here and on the device. Voxels may be anything. */
#ifndef ADIT_MESH_SOURCE_H
#define ADIT_MESH_SOURCE_H

#include "gpu/host_import.h"
#include "gpu/mesh_batch.h"

/* As in version_source.glsl. */
struct adit_gpu_plane {
    uint32_t bits, value, at, table;
};
struct adit_gpu_job {
    uint32_t encoding, value, palette_at, bricks_at, voxels_at, flags, rim_at, pad;
    struct adit_gpu_plane plane[ADIT_FACES];
};

/* What a device fetches itself, out of imported memory: voxels of chunks, to the far end of the source. */
struct adit_source_fetch {
    uint32_t import; /* the number of the range */
    VkBufferCopy copy;
};
struct adit_source_fetches {
    const struct adit_host_imports *imports; /* NULL: all is copied */
    struct adit_source_fetch *fetch;         /* room for one a chunk */
    uint32_t n;
    size_t bytes; /* of the source that they take, a multiple of 16 */
};

/* Appends task to source (room bytes, a multiple of 16, of which *used are taken, too) and fills job. fetches: what need not be copied, or NULL. -ENOSPC: too
 * little room; -EBADMSG: a block is not sound. *used and fetches are moved only on success. */
int adit_mesh_source_add(const struct adit_mesh_task *task, uint8_t *source, size_t room, size_t *used, struct adit_source_fetches *fetches,
                         struct adit_gpu_job *job);

#endif
