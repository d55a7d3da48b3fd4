/* mesh_batch.h - hundreds of chunks meshed by one submission to a Vulkan device, with the very bytes of kernels/mesh.h.
 *
 *     struct adit_gpu *gpu;
 *     struct adit_mesh_batch *batch;
 *     adit_gpu_open(list, &list->devices[0], &gpu);
 *     adit_mesh_batch_open(gpu, classes, 256, 16u << 20, &batch);
 *     adit_mesh_batch_begin(batch);
 *     adit_mesh_batch_add(batch, &source);             copies what is needed of a version and of its neighbours' planes
 *     adit_mesh_batch_submit(batch);                   returns at once
 *     adit_mesh_batch_wait(batch, timeout_ns);         makes more room and runs again when there were more quads than expected
 *     adit_mesh_batch_result(batch, 0, &result);       until the next begin
 *
 * States: open -> (begin) filling -> (submit) in flight -> (wait) done -> (begin) filling. A batch is one thread's at a time; several
 * batches of one device may be in flight at once, from any threads.
 */
#ifndef ADIT_MESH_BATCH_H
#define ADIT_MESH_BATCH_H

#include <stddef.h>

#include "gpu/gpu_device.h"
#include "runtime/executor.h"

struct adit_gpu;
struct adit_mesh_batch;

/* A device, made ready; the list stays open as long. Shaders of a kind of batches are compiled when its first one is opened: that blocks some 100 ms
 * the first time, and what is compiled is kept in $XDG_CACHE_HOME/adit (else ~/.cache/adit). -ENODEV: the device does not do (detail says
 * why); -ENOMEM. */
int adit_gpu_open(struct adit_gpu_list *list, const struct adit_gpu_device *device, struct adit_gpu **out);
/* After its batches. A device on which one never ended is left as it is, and so is Vulkan when its list is closed: freeing what a device may still use would be
 * worse than keeping it. Does not wait for it. */
void adit_gpu_close(struct adit_gpu **gpu);

/* Where the device's time went, in ns; 0 where it has no timestamps. rows: bits of voxels, visible faces, and with AO which of them may merge. */
struct adit_mesh_times {
    double copy_in, decode, rows, count, emit, copy_out;
};

/* classes: ADIT_MATERIALS entries of enum adit_class. chunks_max: of a submission; source_bytes: room for what is copied of them; a chunk needs that for
 * its voxels and 53 KiB, of which it mostly takes little. -E2BIG: more
 * than the device's buffers can hold; -ENODEV: its driver does not take the shaders; -ENOMEM: it has no such memory left. */
int adit_mesh_batch_open(struct adit_gpu *gpu, const uint8_t *classes, uint32_t chunks_max, size_t source_bytes,
                         struct adit_mesh_batch **out);
/* Blocks until what is in flight has ended: at most half a minute after its submission (a second at least). What has not ended then is left alone until the process
 * ends, with its memory, and the device counts as hung. */
void adit_mesh_batch_close(struct adit_mesh_batch **batch);

/* Other classes from the next submit on; ADIT_MATERIALS entries, copied. Not while it is in flight. */
void adit_mesh_batch_classes(struct adit_mesh_batch *batch, const uint8_t *classes);

/* Does nothing to a batch that the device may still have: one in flight, one whose wait gave -ETIMEDOUT, one on a device that hangs. */
void adit_mesh_batch_begin(struct adit_mesh_batch *batch);
/* After begin, for this filling: voxels that lie in imported memory are not copied by add, the device fetches them. So they must stay as they are from add
 * until a wait has returned anything but -ETIMEDOUT. */
struct adit_host_imports;
void adit_mesh_batch_read_from(struct adit_mesh_batch *batch, const struct adit_host_imports *imports);
/* -ENOSPC: the batch is full, submit it; -EBADMSG: the version is not sound; -ENOTSUP: flags that a device does not mesh by, as ADIT_MESH_ANY_OPAQUE (detail says
 * which). The batch is as before then. */
int adit_mesh_batch_add(struct adit_mesh_batch *batch, const struct adit_mesh_task *task);
/* -EIO: the device is lost, hangs or refuses (detail says how): mesh elsewhere. -ENOMEM: it has no room for quads any more. -EBUSY: it is in flight. */
int adit_mesh_batch_submit(struct adit_mesh_batch *batch);
/* Blocks until the quads are there. -ETIMEDOUT: still in flight, wait again or close; -EIO: lost, or it answered what no chunk can have; -ENOMEM: no room for that
 * many quads. UINT64_MAX: for ever. */
int adit_mesh_batch_wait(struct adit_mesh_batch *batch, uint64_t timeout_ns);
/* The mesh of task i, after a wait that returned 0 (else no quads): result->quads leads into the batch. Starts, bounds and places are such as a chunk can have; that
 * a device has not put other quads there is its own word. */
void adit_mesh_batch_result(const struct adit_mesh_batch *batch, uint32_t i, struct adit_mesh_result *result);
void adit_mesh_batch_times(const struct adit_mesh_batch *batch, struct adit_mesh_times *times);
/* How often it had to run again for want of room. */
uint32_t adit_mesh_batch_reruns(const struct adit_mesh_batch *batch);

#endif
