/* How a batch is run. One submission brings the versions, halves them and brings the voxels back: how much there is to bring is known before. Each word
 * of voxels is written by one invocation, from bytes that were judged when they were added. */
#include "gpu/lod_batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/mesh_source.h"
#include "gpu/submission.h"
#include "runtime/encoding.h"

#define HALVED_BYTES (ADIT_LOD_BATCH_VOXELS * 2u)
#define STAMPS 4u

enum state { FILLING, IN_FLIGHT, DONE, FAILED };

struct adit_lod_batch {
    struct adit_gpu *gpu;
    enum state state;
    uint32_t chunks_max, chunks;
    size_t used, source_at, source_bytes; /* source_at: in upload */
    struct adit_gpu_memory buffers[ADIT_GPU_LOD_BUFFERS];
    struct adit_gpu_memory upload, readback; /* jobs, source; halved voxels */
    struct adit_submission submission;
    struct adit_lod_times times;
};

/* ---- open, close */

static VkResult open_memory(struct adit_lod_batch *b, const uint64_t *bytes)
{
    VkResult r = adit_gpu_memory_open(b->gpu, bytes[ADIT_GPU_LOD_JOBS] + bytes[ADIT_GPU_LOD_SOURCE], ADIT_GPU_UPLOAD, &b->upload);
    r = r ? r : adit_gpu_memory_open(b->gpu, bytes[ADIT_GPU_LOD_HALVED], ADIT_GPU_READBACK, &b->readback);
    for (uint32_t i = 0; !r && i < ADIT_GPU_LOD_BUFFERS; i++)
        r = adit_gpu_memory_open(b->gpu, bytes[i], ADIT_GPU_LOCAL, &b->buffers[i]);
    return r;
}

int adit_lod_batch_open(struct adit_gpu *gpu, uint32_t chunks_max, size_t source_bytes, struct adit_lod_batch **out)
{
    const uint64_t n = chunks_max, most = gpu->of->range_max / HALVED_BYTES; /* below 2^16, as a range is below 2^32: groups that any device takes */
    const uint64_t bytes[ADIT_GPU_LOD_BUFFERS] = {[ADIT_GPU_LOD_JOBS] = n * sizeof(struct adit_gpu_job),
                                                  [ADIT_GPU_LOD_SOURCE] = ((uint64_t)source_bytes + 15) & ~15ull,
                                                  [ADIT_GPU_LOD_HALVED] = n * HALVED_BYTES};
    *out = NULL;
    if (!n || n > most || !source_bytes || source_bytes > gpu->of->range_max - 15)
        return adit_fault(-E2BIG, "%s: it halves 1 to %llu chunks a batch, of 1 to %llu MiB; not %u of %llu MiB", gpu->of->name,
                          (unsigned long long)most, (unsigned long long)(gpu->of->range_max >> 20), chunks_max,
                          (unsigned long long)source_bytes >> 20);
    int error = adit_gpu_prepare(gpu, ADIT_GPU_LOD);
    if (error)
        return error;
    struct adit_lod_batch *b = calloc(1, sizeof *b);
    if (!b)
        return adit_fault(-ENOMEM, "%s: no memory", gpu->of->name);
    b->gpu = gpu;
    b->chunks_max = chunks_max;
    b->source_at = bytes[ADIT_GPU_LOD_JOBS];
    b->source_bytes = bytes[ADIT_GPU_LOD_SOURCE];
    VkResult r = adit_submission_open(gpu, ADIT_GPU_LOD, STAMPS, &b->submission);
    r = r ? r : open_memory(b, bytes);
    if (r) {
        error = adit_submission_failed(gpu, -ENOMEM, "making a batch", r);
        adit_lod_batch_close(&b);
        return error;
    }
    adit_submission_bind(&b->submission, b->buffers);
    *out = b;
    return 0;
}

void adit_lod_batch_close(struct adit_lod_batch **batch)
{
    struct adit_lod_batch *b = *batch;
    if (!b)
        return;
    bool is_over = adit_submission_close(&b->submission); /* what is in flight uses all of the rest */
    for (uint32_t i = 0; is_over && i < ADIT_GPU_LOD_BUFFERS; i++)
        adit_gpu_memory_close(b->gpu, &b->buffers[i]);
    if (is_over) {
        adit_gpu_memory_close(b->gpu, &b->upload);
        adit_gpu_memory_close(b->gpu, &b->readback);
    }
    free(b);
    *batch = NULL;
}

/* ---- filling */

void adit_lod_batch_begin(struct adit_lod_batch *b)
{
    if (b->submission.is_up) /* the device may be reading what would be written over */
        return;
    b->state = FILLING;
    b->chunks = 0;
    b->used = 0;
}

int adit_lod_batch_add(struct adit_lod_batch *b, const struct adit_version *version, size_t bytes)
{
    const struct adit_mesh_task task = {.version = version, .bytes = bytes};
    uint8_t *upload = b->upload.at;
    if (b->state != FILLING || b->chunks == b->chunks_max)
        return -ENOSPC;
    struct adit_gpu_job *job = (struct adit_gpu_job *)(void *)upload + b->chunks;
    int error = adit_mesh_source_add(&task, upload + b->source_at, b->source_bytes, &b->used, NULL, job);
    b->chunks += !error;
    return error;
}

/* ---- running */

static VkResult start(struct adit_lod_batch *b)
{
    struct adit_submission *s = &b->submission;
    VkResult r = adit_submission_begin(s);
    if (r)
        return r;
    adit_submission_use(s, NULL);
    adit_submission_stamp(s);
    adit_submission_copy(s, &b->upload, 0, &b->buffers[ADIT_GPU_LOD_JOBS], 0, b->chunks * sizeof(struct adit_gpu_job));
    adit_submission_copy(s, &b->upload, b->source_at, &b->buffers[ADIT_GPU_LOD_SOURCE], 0, b->used);
    adit_submission_barrier(s, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                            VK_ACCESS_SHADER_READ_BIT);
    adit_submission_stamp(s);
    adit_submission_run(s, ADIT_GPU_LOD_HALVE, ADIT_BRICKS, b->chunks);
    adit_submission_barrier(s, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                            VK_ACCESS_TRANSFER_READ_BIT);
    adit_submission_stamp(s);
    adit_submission_copy(s, &b->buffers[ADIT_GPU_LOD_HALVED], 0, &b->readback, 0, (uint64_t)b->chunks * HALVED_BYTES);
    adit_submission_stamp(s);
    adit_submission_to_host(s);
    return adit_submission_submit(s);
}

int adit_lod_batch_submit(struct adit_lod_batch *b)
{
    if (b->submission.is_up)
        return adit_fault(-EBUSY, "%s: the batch is in flight; wait for it first", b->gpu->of->name);
    VkResult r = b->chunks ? start(b) : VK_SUCCESS;
    b->state = r ? FAILED : IN_FLIGHT;
    return r ? adit_submission_failed(b->gpu, -EIO, "a submission", r) : 0;
}

int adit_lod_batch_wait(struct adit_lod_batch *b, uint64_t timeout_ns)
{
    double ns[STAMPS - 1] = {0};
    if (b->state != IN_FLIGHT)
        return b->state == FAILED ? -EIO : 0;
    VkResult r = b->chunks ? adit_submission_wait(&b->submission, timeout_ns) : VK_SUCCESS;
    if (r == VK_TIMEOUT)
        return -ETIMEDOUT;
    b->state = r ? FAILED : DONE;
    if (r)
        return adit_submission_failed(b->gpu, -EIO, "a batch", r);
    if (b->chunks)
        adit_submission_times(&b->submission, ns);
    b->times = (struct adit_lod_times){.copy_in = ns[0], .halve = ns[1], .copy_out = ns[2]};
    return 0;
}

void adit_lod_batch_result(const struct adit_lod_batch *b, uint32_t i, const uint16_t **voxels)
{
    *voxels = b->state == DONE && i < b->chunks ? (const uint16_t *)b->readback.at + (size_t)i * ADIT_LOD_BATCH_VOXELS : NULL;
}

void adit_lod_batch_octant(const struct adit_lod_batch *b, uint32_t i, uint16_t *to)
{
    const uint32_t dim = ADIT_CHUNK_DIM, half = dim / 2;
    const uint16_t *voxels;
    adit_lod_batch_result(b, i, &voxels);
    if (!voxels)
        return;
    for (uint32_t row = 0; row < half * half; row++)
        memcpy(to + row / half * dim * dim + row % half * dim, voxels + row * half, half * sizeof *to);
}

void adit_lod_batch_times(const struct adit_lod_batch *b, struct adit_lod_times *times) { *times = b->times; }
