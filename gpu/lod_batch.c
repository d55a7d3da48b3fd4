/* How a batch is run. One submission brings the versions, halves them and brings the voxels back: how much there is to bring is known before. Each word
 * of voxels is written by one invocation, from bytes that were judged when they were added. */
#include "gpu/lod_batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/mesh_source.h"
#include "gpu/single_batch.h"
#include "runtime/encoding.h"

#define HALVED_BYTES (ADIT_LOD_BATCH_VOXELS * 2u)
#define STAMPS 4u

struct adit_lod_batch {
    struct adit_single_batch single;      /* upload: jobs, source; what comes back: halved voxels */
    size_t used, source_at, source_bytes; /* source_at: in upload */
    struct adit_lod_times times;
};

/* ---- what it has a device do */

static void copy_in(struct adit_single_batch *b)
{
    const struct adit_lod_batch *of = (const struct adit_lod_batch *)b;
    adit_submission_copy(&b->submission, &b->upload, 0, &b->buffers[ADIT_GPU_LOD_JOBS], 0, b->chunks * sizeof(struct adit_gpu_job));
    adit_submission_copy(&b->submission, &b->upload, of->source_at, &b->buffers[ADIT_GPU_LOD_SOURCE], 0, of->used);
}

static void run(struct adit_single_batch *b) { adit_submission_run(&b->submission, ADIT_GPU_LOD_HALVE, ADIT_BRICKS, b->chunks); }

static const struct adit_single_kind kind = {.gpu_kind = ADIT_GPU_LOD, .stamps = STAMPS, .back = ADIT_GPU_LOD_HALVED, .piece_bytes = HALVED_BYTES,
                                             .copy_in = copy_in, .run = run};

/* ---- open, close */

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
    struct adit_lod_batch *b = calloc(1, sizeof *b);
    if (!b)
        return adit_fault(-ENOMEM, "%s: no memory", gpu->of->name);
    b->source_at = bytes[ADIT_GPU_LOD_JOBS];
    b->source_bytes = bytes[ADIT_GPU_LOD_SOURCE];
    int error = adit_single_batch_open(&b->single, gpu, &kind, chunks_max, bytes, b->source_at + b->source_bytes);
    if (error)
        free(b);
    else
        *out = b;
    return error;
}

void adit_lod_batch_close(struct adit_lod_batch **batch)
{
    if (!*batch)
        return;
    adit_single_batch_close(&(*batch)->single);
    free(*batch);
    *batch = NULL;
}

/* ---- filling */

void adit_lod_batch_begin(struct adit_lod_batch *b)
{
    if (adit_single_batch_begin(&b->single))
        b->used = 0;
}

int adit_lod_batch_add(struct adit_lod_batch *b, const struct adit_version *version, size_t bytes)
{
    const struct adit_mesh_task task = {.version = version, .bytes = bytes};
    uint8_t *upload = b->single.upload.at;
    if (!adit_single_batch_has_room(&b->single))
        return -ENOSPC;
    struct adit_gpu_job *job = (struct adit_gpu_job *)(void *)upload + b->single.chunks;
    int error = adit_mesh_source_add(&task, upload + b->source_at, b->source_bytes, &b->used, NULL, job);
    b->single.chunks += !error;
    return error;
}

/* ---- running */

int adit_lod_batch_submit(struct adit_lod_batch *b) { return adit_single_batch_submit(&b->single); }

int adit_lod_batch_wait(struct adit_lod_batch *b, uint64_t timeout_ns)
{
    double ns[STAMPS - 1] = {0};
    bool is_news = b->single.state == ADIT_SINGLE_IN_FLIGHT;
    int error = adit_single_batch_wait(&b->single, timeout_ns, ns);
    if (is_news && !error)
        b->times = (struct adit_lod_times){.copy_in = ns[0], .halve = ns[1], .copy_out = ns[2]};
    return error;
}

void adit_lod_batch_result(const struct adit_lod_batch *b, uint32_t i, const uint16_t **voxels) { *voxels = adit_single_batch_piece(&b->single, i); }

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
