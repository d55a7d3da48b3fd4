/* lod_batch.h - hundreds of chunks halved by one submission to a Vulkan device, with the very voxels of kernels/lod.h.
 *
 *     struct adit_lod_batch *batch;
 *     adit_lod_batch_open(gpu, 256, 16u << 20, &batch);
 *     adit_lod_batch_begin(batch);
 *     adit_lod_batch_add(batch, version, bytes);          copies what is needed of a version
 *     adit_lod_batch_submit(batch);                       returns at once
 *     adit_lod_batch_wait(batch, timeout_ns);
 *     adit_lod_batch_octant(batch, 0, parent + adit_lod_octant(i));     until the next begin
 *
 * States: open -> (begin) filling -> (submit) in flight -> (wait) done -> (begin) filling. A batch is one thread's at a time; several
 * batches of one device may be in flight at once, from any threads. */
#ifndef ADIT_LOD_BATCH_H
#define ADIT_LOD_BATCH_H

#include "gpu/mesh_batch.h"

#define ADIT_LOD_BATCH_VOXELS (ADIT_CHUNK_VOXELS / 8)

struct adit_lod_batch;

/* Where the device's time went, in ns; 0 where it has no timestamps. */
struct adit_lod_times {
    double copy_in, halve, copy_out;
};

/* chunks_max: of a submission, 64 KiB of the device's and of the host's memory each; source_bytes: room for what is copied of them; a chunk needs
 * that for its voxels and 53 KiB, of which it mostly takes little. Blocks while the driver compiles, for the first batch of a device. -E2BIG: more than its
 * buffers can hold; -ENODEV: its driver does not take the shader; -ENOMEM: it has no such memory left. adit_detail() has the line. */
int adit_lod_batch_open(struct adit_gpu *gpu, uint32_t chunks_max, size_t source_bytes, struct adit_lod_batch **out);
/* As adit_mesh_batch_close, of a device that hangs, too. */
void adit_lod_batch_close(struct adit_lod_batch **batch);

/* Does nothing to a batch that the device may still have (adit_mesh_batch_begin). */
void adit_lod_batch_begin(struct adit_lod_batch *batch);
/* version: its block, of which `bytes` may be looked at; it may be changed by a peer meanwhile: it is copied first and judged then. -ENOSPC: the batch
 * is full, submit it; -EBADMSG: the version is not sound. */
int adit_lod_batch_add(struct adit_lod_batch *batch, const struct adit_version *version, size_t bytes);
/* -EIO: the device is lost, hangs or refuses (detail says how): halve elsewhere. -EBUSY: it is in flight. */
int adit_lod_batch_submit(struct adit_lod_batch *batch);
/* Blocks until the voxels are there. -ETIMEDOUT: still in flight; -EIO. */
int adit_lod_batch_wait(struct adit_lod_batch *batch, uint64_t timeout_ns);

/* The i-th chunk that was added, halved: ADIT_LOD_BATCH_VOXELS materials, voxel (x,y,z) at (z*32 + y)*32 + x, in the batch's memory, after a wait that
 * returned 0. */
void adit_lod_batch_result(const struct adit_lod_batch *batch, uint32_t i, const uint16_t **voxels);
/* The same, copied to where it belongs in a chunk of the next level; nothing where there is no result: to begins at adit_lod_octant (kernels/lod.h) of 64^3 voxels. */
void adit_lod_batch_octant(const struct adit_lod_batch *batch, uint32_t i, uint16_t *to);
void adit_lod_batch_times(const struct adit_lod_batch *batch, struct adit_lod_times *times);

#endif
