/* How a batch is run. One submission brings the jobs, makes all voxels and brings them back: how much there is to bring is known before, so there is
 * nothing to repeat. Terrain's columns are written by one stage and read by the next, behind a barrier; each word of voxels is written by one
 * invocation, so that the stages of different worlds run beside each other. Keys are mixed here, once a chunk. */
#include "gpu/generate_batch.h"

#include <errno.h>
#include <stdlib.h>

#include "gpu/submission.h"
#include "kernels/generate_noise.h"
#include "runtime/encoding.h"

#define KEYS 14u /* as in generate_common.glsl */
#define SIDE 70u
#define COLUMNS_BYTES (SIDE * SIDE * 4u)
#define COLUMN_GROUPS 7u /* strips of generate_columns.comp */
#define VOXELS_BYTES (ADIT_CHUNK_VOXELS * 2u)
#define CHUNKS_MAX 65535u /* groups along y that any device takes */
#define STAMPS 5u

/* As in generate_common.glsl. */
enum world { WORLD_AIR, WORLD_TERRAIN, WORLD_NOISE50, WORLD_CHECKER, WORLDS };

struct job {
    uint32_t world;
    int32_t x, y, z;
    uint32_t seed_low, seed_high, key[KEYS];
};
_Static_assert(sizeof(struct job) == 80, "as in generate_common.glsl");

enum state { FILLING, IN_FLIGHT, DONE, FAILED };

struct adit_generate_batch {
    struct adit_gpu *gpu;
    enum state state;
    uint32_t chunks_max, chunks;
    uint32_t terrains; /* of chunks */
    struct adit_gpu_memory buffers[ADIT_GPU_GENERATE_BUFFERS];
    struct adit_gpu_memory upload, readback; /* jobs; voxels */
    struct adit_submission submission;
    struct adit_generate_times times;
};

/* ---- open, close */

static VkResult open_memory(struct adit_generate_batch *b, const uint64_t *bytes)
{
    VkResult r = adit_gpu_memory_open(b->gpu, bytes[ADIT_GPU_GENERATE_JOBS], ADIT_GPU_UPLOAD, &b->upload);
    r = r ? r : adit_gpu_memory_open(b->gpu, bytes[ADIT_GPU_GENERATE_VOXELS], ADIT_GPU_READBACK, &b->readback);
    for (uint32_t i = 0; !r && i < ADIT_GPU_GENERATE_BUFFERS; i++)
        r = adit_gpu_memory_open(b->gpu, bytes[i], ADIT_GPU_LOCAL, &b->buffers[i]);
    return r;
}

int adit_generate_batch_open(struct adit_gpu *gpu, uint32_t chunks_max, struct adit_generate_batch **out)
{
    const uint64_t n = chunks_max, most = gpu->of->range_max / VOXELS_BYTES;
    const uint64_t bytes[ADIT_GPU_GENERATE_BUFFERS] = {[ADIT_GPU_GENERATE_JOBS] = n * sizeof(struct job),
                                                       [ADIT_GPU_GENERATE_COLUMNS] = n * COLUMNS_BYTES,
                                                       [ADIT_GPU_GENERATE_VOXELS] = n * VOXELS_BYTES};
    *out = NULL;
    if (!n || n > most || n > CHUNKS_MAX)
        return adit_fault(-E2BIG, "%s: it makes 1 to %llu chunks a batch, not %u", gpu->of->name,
                          (unsigned long long)(most < CHUNKS_MAX ? most : CHUNKS_MAX), chunks_max);
    int error = adit_gpu_prepare(gpu, ADIT_GPU_GENERATE);
    if (error)
        return error;
    struct adit_generate_batch *b = calloc(1, sizeof *b);
    if (!b)
        return adit_fault(-ENOMEM, "%s: no memory", gpu->of->name);
    b->gpu = gpu;
    b->chunks_max = chunks_max;
    VkResult r = adit_submission_open(gpu, ADIT_GPU_GENERATE, STAMPS, &b->submission);
    r = r ? r : open_memory(b, bytes);
    if (r) {
        error = adit_submission_failed(gpu, -ENOMEM, "making a batch", r);
        adit_generate_batch_close(&b);
        return error;
    }
    adit_submission_bind(&b->submission, b->buffers);
    *out = b;
    return 0;
}

void adit_generate_batch_close(struct adit_generate_batch **batch)
{
    struct adit_generate_batch *b = *batch;
    if (!b)
        return;
    bool is_over = adit_submission_close(&b->submission); /* what is in flight uses all of the rest */
    for (uint32_t i = 0; is_over && i < ADIT_GPU_GENERATE_BUFFERS; i++)
        adit_gpu_memory_close(b->gpu, &b->buffers[i]);
    if (is_over) {
        adit_gpu_memory_close(b->gpu, &b->upload);
        adit_gpu_memory_close(b->gpu, &b->readback);
    }
    free(b);
    *batch = NULL;
}

/* ---- filling */

void adit_generate_batch_begin(struct adit_generate_batch *b)
{
    if (b->submission.is_up) /* the device may be reading what would be written over */
        return;
    b->state = FILLING;
    b->chunks = 0;
    b->terrains = 0;
}

/* The world of a generator, WORLDS for one that has no shader. */
static enum world world_of(const struct adit_generator *generator, int32_t y)
{
    static const char *const names[WORLDS] = {[WORLD_TERRAIN] = "terrain", [WORLD_NOISE50] = "noise50", [WORLD_CHECKER] = "checker"};
    for (enum world w = WORLD_TERRAIN; w < WORLDS; w++)
        if (generator == adit_generator_named(names[w]))
            return adit_generate_is_air(generator, y) ? WORLD_AIR : w;
    return WORLDS;
}

/* Terrain repeats after 2^24 chunks, so that no world coordinate overflows. */
static int32_t wrapped(int32_t chunk) { return (int32_t)((uint32_t)chunk << 8) >> 8; }

int adit_generate_batch_add(struct adit_generate_batch *b, const struct adit_generator *generator, uint64_t seed, int32_t x, int32_t y,
                            int32_t z)
{
    enum world world = world_of(generator, y);
    if (b->state != FILLING || b->chunks == b->chunks_max)
        return -ENOSPC;
    if (world == WORLDS)
        return -ENOTSUP;
    struct job *job = (struct job *)b->upload.at + b->chunks++;
    *job = (struct job){.world = (uint32_t)world, .x = x, .y = y, .z = z, .seed_low = (uint32_t)seed, .seed_high = (uint32_t)(seed >> 32)};
    if (world == WORLD_TERRAIN) {
        b->terrains++;
        job->x = wrapped(x);
        job->z = wrapped(z);
        for (uint32_t k = 1; k < KEYS; k++)
            job->key[k] = adit_noise_key(seed, k);
    }
    return 0;
}

/* ---- running */

static VkResult start(struct adit_generate_batch *b)
{
    struct adit_submission *s = &b->submission;
    VkResult r = adit_submission_begin(s);
    if (r)
        return r;
    adit_submission_use(s, NULL);
    adit_submission_stamp(s);
    adit_submission_copy(s, &b->upload, 0, &b->buffers[ADIT_GPU_GENERATE_JOBS], 0, b->chunks * sizeof(struct job));
    adit_submission_barrier(s, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                            VK_ACCESS_SHADER_READ_BIT);
    adit_submission_stamp(s);
    if (b->terrains) {
        adit_submission_run(s, ADIT_GPU_GENERATE_COLUMNS_OF, COLUMN_GROUPS, b->chunks);
        adit_submission_next(s);
    }
    adit_submission_stamp(s);
    if (b->terrains)
        adit_submission_run(s, ADIT_GPU_GENERATE_TERRAIN, ADIT_CHUNK_DIM, b->chunks);
    if (b->terrains < b->chunks)
        adit_submission_run(s, ADIT_GPU_GENERATE_PLAIN, ADIT_CHUNK_DIM, b->chunks);
    adit_submission_barrier(s, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                            VK_ACCESS_TRANSFER_READ_BIT);
    adit_submission_stamp(s);
    adit_submission_copy(s, &b->buffers[ADIT_GPU_GENERATE_VOXELS], 0, &b->readback, 0, (uint64_t)b->chunks * VOXELS_BYTES);
    adit_submission_stamp(s);
    adit_submission_to_host(s);
    return adit_submission_submit(s);
}

int adit_generate_batch_submit(struct adit_generate_batch *b)
{
    if (b->submission.is_up)
        return adit_fault(-EBUSY, "%s: the batch is in flight; wait for it first", b->gpu->of->name);
    VkResult r = b->chunks ? start(b) : VK_SUCCESS;
    b->state = r ? FAILED : IN_FLIGHT;
    return r ? adit_submission_failed(b->gpu, -EIO, "a submission", r) : 0;
}

int adit_generate_batch_wait(struct adit_generate_batch *b, uint64_t timeout_ns)
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
    b->times = (struct adit_generate_times){.copy_in = ns[0], .columns = ns[1], .voxels = ns[2], .copy_out = ns[3]};
    return 0;
}

void adit_generate_batch_result(const struct adit_generate_batch *b, uint32_t i, const uint16_t **voxels)
{
    *voxels = b->state == DONE && i < b->chunks ? (const uint16_t *)b->readback.at + (size_t)i * ADIT_CHUNK_VOXELS : NULL;
}

void adit_generate_batch_times(const struct adit_generate_batch *b, struct adit_generate_times *times) { *times = b->times; }
