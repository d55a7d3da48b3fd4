/* How a batch is run. One submission brings the jobs, makes all voxels and brings them back: how much there is to bring is known before, so there is
 * nothing to repeat. Terrain's columns are written by one stage and read by the next, behind a barrier; each word of voxels is written by one
 * invocation, so that the stages of different worlds run beside each other. Keys are mixed here, once a chunk. */
#include "gpu/generate_batch.h"

#include <errno.h>
#include <stdlib.h>

#include "gpu/single_batch.h"
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

struct adit_generate_batch {
    struct adit_single_batch single; /* upload: jobs; what comes back: voxels */
    uint32_t terrains;               /* of its chunks */
    struct adit_generate_times times;
};

/* ---- what it has a device do */

static void copy_in(struct adit_single_batch *b)
{
    adit_submission_copy(&b->submission, &b->upload, 0, &b->buffers[ADIT_GPU_GENERATE_JOBS], 0, b->chunks * sizeof(struct job));
}

static void run(struct adit_single_batch *b)
{
    struct adit_submission *s = &b->submission;
    const uint32_t terrains = ((const struct adit_generate_batch *)b)->terrains;
    if (terrains) {
        adit_submission_run(s, ADIT_GPU_GENERATE_COLUMNS_OF, COLUMN_GROUPS, b->chunks);
        adit_submission_next(s);
    }
    adit_submission_stamp(s);
    if (terrains)
        adit_submission_run(s, ADIT_GPU_GENERATE_TERRAIN, ADIT_CHUNK_DIM, b->chunks);
    if (terrains < b->chunks)
        adit_submission_run(s, ADIT_GPU_GENERATE_PLAIN, ADIT_CHUNK_DIM, b->chunks);
}

static const struct adit_single_kind kind = {.gpu_kind = ADIT_GPU_GENERATE, .stamps = STAMPS, .back = ADIT_GPU_GENERATE_VOXELS,
                                             .piece_bytes = VOXELS_BYTES, .copy_in = copy_in, .run = run};

/* ---- open, close */

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
    struct adit_generate_batch *b = calloc(1, sizeof *b);
    if (!b)
        return adit_fault(-ENOMEM, "%s: no memory", gpu->of->name);
    int error = adit_single_batch_open(&b->single, gpu, &kind, chunks_max, bytes, bytes[ADIT_GPU_GENERATE_JOBS]);
    if (error)
        free(b);
    else
        *out = b;
    return error;
}

int adit_generate_batch_open_fitting(struct adit_gpu *gpu, uint32_t *chunks_max, struct adit_generate_batch **out)
{
    int error = adit_generate_batch_open(gpu, *chunks_max, out);
    while ((error == -ENOMEM || error == -E2BIG) && *chunks_max > 1) {
        *chunks_max /= 2;
        error = adit_generate_batch_open(gpu, *chunks_max, out);
    }
    return error;
}

void adit_generate_batch_close(struct adit_generate_batch **batch)
{
    if (!*batch)
        return;
    adit_single_batch_close(&(*batch)->single);
    free(*batch);
    *batch = NULL;
}

/* ---- filling */

void adit_generate_batch_begin(struct adit_generate_batch *b)
{
    if (adit_single_batch_begin(&b->single))
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
    if (!adit_single_batch_has_room(&b->single))
        return -ENOSPC;
    if (world == WORLDS)
        return -ENOTSUP;
    struct job *job = (struct job *)b->single.upload.at + b->single.chunks++;
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

int adit_generate_batch_submit(struct adit_generate_batch *b) { return adit_single_batch_submit(&b->single); }

int adit_generate_batch_wait(struct adit_generate_batch *b, uint64_t timeout_ns)
{
    double ns[STAMPS - 1] = {0};
    bool is_news = b->single.state == ADIT_SINGLE_IN_FLIGHT;
    int error = adit_single_batch_wait(&b->single, timeout_ns, ns);
    if (is_news && !error)
        b->times = (struct adit_generate_times){.copy_in = ns[0], .columns = ns[1], .voxels = ns[2], .copy_out = ns[3]};
    return error;
}

void adit_generate_batch_result(const struct adit_generate_batch *b, uint32_t i, const uint16_t **voxels)
{
    *voxels = adit_single_batch_piece(&b->single, i);
}

void adit_generate_batch_times(const struct adit_generate_batch *b, struct adit_generate_times *times) { *times = b->times; }
