/* generate_batch.h - hundreds of chunks of the built-in worlds made by one submission to a Vulkan device, with the very voxels of
 * kernels/generate.h.
 *
 *     struct adit_generate_batch *batch;
 *     adit_generate_batch_open(gpu, 256, &batch);
 *     adit_generate_batch_begin(batch);
 *     adit_generate_batch_add(batch, adit_generator_named("terrain"), seed, x, y, z);
 *     adit_generate_batch_submit(batch);                 returns at once
 *     adit_generate_batch_wait(batch, timeout_ns);
 *     adit_generate_batch_result(batch, 0, &voxels);     until the next begin
 *
 * States: open -> (begin) filling -> (submit) in flight -> (wait) done -> (begin) filling. A batch is one thread's at a time; several
 * batches of one device may be in flight at once, from any threads. Worlds may be mixed in one batch. */
#ifndef ADIT_GENERATE_BATCH_H
#define ADIT_GENERATE_BATCH_H

#include "gpu/mesh_batch.h"
#include "kernels/generate.h"

struct adit_generate_batch;

/* Where the device's time went, in ns; 0 where it has no timestamps. voxels: of all worlds; columns: of terrain alone. */
struct adit_generate_times {
    double copy_in, columns, voxels, copy_out;
};

/* chunks_max: of a submission; each takes 512 KiB of the device's memory and as much of the host's, and 20 KiB. Blocks while the driver compiles,
 * for the first batch of a device. -E2BIG: more than its buffers can hold; -ENODEV: its driver does not take the shaders; -ENOMEM: it has
 * no such memory left. adit_detail() has the line. */
int adit_generate_batch_open(struct adit_gpu *gpu, uint32_t chunks_max, struct adit_generate_batch **out);
/* The same with as many as there is memory for: half as many, and again half, until it fits. *chunks_max: how many became of it. */
int adit_generate_batch_open_fitting(struct adit_gpu *gpu, uint32_t *chunks_max, struct adit_generate_batch **out);
/* As adit_mesh_batch_close, of a device that hangs, too. */
void adit_generate_batch_close(struct adit_generate_batch **batch);

/* Does nothing to a batch that the device may still have (adit_mesh_batch_begin). */
void adit_generate_batch_begin(struct adit_generate_batch *batch);
/* Chunk (x,y,z) of a world; one that is air (adit_generate_is_air) takes its place as any other. -ENOSPC: the batch is full, submit it;
 * -ENOTSUP: no device makes chunks of this generator. */
int adit_generate_batch_add(struct adit_generate_batch *batch, const struct adit_generator *generator, uint64_t seed, int32_t x, int32_t y,
                            int32_t z);
/* -EIO: the device is lost, hangs or refuses (detail says how): generate elsewhere. -EBUSY: it is in flight. */
int adit_generate_batch_submit(struct adit_generate_batch *batch);
/* Blocks until the voxels are there. -ETIMEDOUT: still in flight; -EIO. */
int adit_generate_batch_wait(struct adit_generate_batch *batch, uint64_t timeout_ns);
/* The i-th chunk that was added: ADIT_CHUNK_VOXELS materials in the order of kernels/mesh.h, in the batch's memory, after a wait
 * that returned 0; else NULL. They are the device's word: what it could not have made is not looked for. */
void adit_generate_batch_result(const struct adit_generate_batch *batch, uint32_t i, const uint16_t **voxels);
void adit_generate_batch_times(const struct adit_generate_batch *batch, struct adit_generate_times *times);

#endif
