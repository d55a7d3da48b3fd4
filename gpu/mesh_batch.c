/* How a batch is run. One submission brings the source, meshes, and brings back one result a chunk and as many quads as the last batch makes
 * expect. When there are more, a second one brings the rest. When there are more than the quads' buffer takes, the chunks that found
 * no room say so; the buffer grows to what was asked for and the first submission runs again.
 *
 * Within a submission each stage waits for the one before by a memory barrier (compute to compute; transfer around it). None stands before the copies in: a barrier
 * waits for all that was submitted to the queue before, other batches too, whose work those copies are to overlap. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/mesh_source.h"
#include "gpu/submission.h"
#include "runtime/encoding.h"
#include "shm/shm.h"

#define CLASS_BYTES (ADIT_MATERIALS / 4u)
#define FACES_BYTES (10u * 4096u * 8u) /* as in mesh_common.glsl */
#define STARTS_BYTES (6u * 4096u * 16u)
#define BITS_BYTES (6u * 4352u * 8u)
#define PLANES_BYTES (ADIT_FACES * ADIT_PLANE_VOXELS * 2u)
#define COUNTS_BYTES (ADIT_MESH_RANGES * 64u * 4u)
#define RESULTS_HEAD 128u
#define QUADS_A_CHUNK 8192u /* room at first */
#define QUADS_MAX (1u << 28)
#define STAMPS 7u

/* As in mesh_common.glsl. */
struct result {
    uint32_t start[ADIT_MESH_RANGES + 1], base, faces, bounds_lo[3], bounds_hi[3], is_short, pad[2];
};
_Static_assert(sizeof(struct result) == 120, "as in mesh_common.glsl");
_Static_assert(sizeof(struct adit_gpu_job) == 128, "as in version_source.glsl");

/* BRINGING: the second submission is in flight. */
enum state { FILLING, IN_FLIGHT, BRINGING, DONE, FAILED };

struct adit_mesh_batch {
    struct adit_gpu *gpu;
    enum state state;
    int error; /* of a batch that FAILED */
    uint32_t runs; /* of its first submission, since submit */
    bool has_ao; /* one of its chunks */
    uint32_t chunks_max, chunks, quads_max, quads, reruns;
    uint32_t expected, brought; /* quads a chunk, from the last batch; quads that the submission in flight brings */
    size_t used;
    struct adit_gpu_memory buffers[ADIT_GPU_BUFFERS];
    struct adit_gpu_memory upload, results, readback; /* jobs, source, classes; results; quads */
    size_t source_at, classes_at;                     /* in upload */
    struct adit_submission submission;
    struct adit_mesh_times times;
    struct adit_source_fetches fetches;
    VkBufferCopy *copies; /* as many as there can be fetches */
    uint8_t classes[ADIT_MATERIALS]; /* as they were packed */
    struct result landed[]; /* chunks_max: what came back, judged; the device could write over results again */
};

static int failed(const struct adit_mesh_batch *b, int error, const char *what, VkResult r)
{
    return adit_submission_failed(b->gpu, error, what, r);
}

/* ---- open, close */

/* Bound anew by the caller. What the device cannot bind is refused while the room of before is still there; without memory there is none afterwards. */
static VkResult open_quads(struct adit_mesh_batch *b, uint64_t quads_max)
{
    struct adit_gpu *g = b->gpu;
    if (quads_max > QUADS_MAX || quads_max * 8 > g->of->range_max)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    adit_gpu_memory_close(g, &b->buffers[ADIT_GPU_QUADS]);
    adit_gpu_memory_close(g, &b->readback);
    VkResult r = adit_gpu_memory_open(g, quads_max * 8, ADIT_GPU_LOCAL, &b->buffers[ADIT_GPU_QUADS]);
    r = r ? r : adit_gpu_memory_open(g, quads_max * 8, ADIT_GPU_READBACK, &b->readback);
    b->quads_max = r ? 0 : (uint32_t)quads_max;
    return r;
}

static uint64_t first_room(const struct adit_mesh_batch *b)
{
    uint64_t quads = (uint64_t)b->chunks_max * QUADS_A_CHUNK, most = b->gpu->of->range_max / 8;
    most = most < QUADS_MAX ? most : QUADS_MAX;
    return quads < most ? quads : most;
}

/* Two bits a material. */
static void pack_classes(struct adit_mesh_batch *b, const uint8_t *classes)
{
    uint32_t *out = (uint32_t *)(void *)((uint8_t *)b->upload.at + b->classes_at);
    memcpy(b->classes, classes, ADIT_MATERIALS);
    memset(out, 0, CLASS_BYTES);
    for (uint32_t m = 0; m < ADIT_MATERIALS; m++)
        out[m / 16] |= (uint32_t)(b->classes[m] & 3) << m % 16 * 2;
}

void adit_mesh_batch_classes(struct adit_mesh_batch *b, const uint8_t *classes)
{
    if (memcmp(b->classes, classes, ADIT_MATERIALS))
        pack_classes(b, classes);
}

int adit_mesh_batch_open(struct adit_gpu *gpu, const uint8_t *classes, uint32_t chunks_max, size_t source_bytes,
                         struct adit_mesh_batch **out)
{
    const uint64_t n = chunks_max;
    const uint64_t bytes[ADIT_GPU_BUFFERS] = {
        [ADIT_GPU_JOBS] = n * sizeof(struct adit_gpu_job), [ADIT_GPU_SOURCE] = (source_bytes + 15) & ~15ull,
        [ADIT_GPU_CLASSES] = CLASS_BYTES, [ADIT_GPU_VOXELS] = n * ADIT_CHUNK_VOXELS * 2, [ADIT_GPU_BORDERS] = n * PLANES_BYTES,
        [ADIT_GPU_FACES] = n * FACES_BYTES, [ADIT_GPU_COUNTS] = n * COUNTS_BYTES, [ADIT_GPU_BITS] = n * BITS_BYTES,
        [ADIT_GPU_STARTS] = n * STARTS_BYTES,
        [ADIT_GPU_RESULTS] = RESULTS_HEAD + n * sizeof(struct result)};
    *out = NULL;
    for (uint32_t i = 0; i < ADIT_GPU_BUFFERS; i++)
        if (bytes[i] > gpu->of->range_max || !chunks_max)
            return adit_fault(-E2BIG, "%s: a batch of %u chunks needs a buffer of %llu MiB, and %llu MiB is its limit", gpu->of->name,
                              chunks_max, (unsigned long long)(bytes[i] >> 20), (unsigned long long)(gpu->of->range_max >> 20));
    int error = adit_gpu_prepare(gpu, ADIT_GPU_MESH);
    if (error)
        return error;
    struct adit_mesh_batch *b = calloc(1, sizeof *b + n * sizeof(struct result));
    if (b) {
        b->gpu = gpu;
        b->fetches.fetch = calloc(n, sizeof *b->fetches.fetch);
        b->copies = calloc(n, sizeof *b->copies);
    }
    if (!b || !b->fetches.fetch || !b->copies) {
        adit_mesh_batch_close(&b);
        return adit_fault(-ENOMEM, "%s: no memory", gpu->of->name);
    }
    b->chunks_max = chunks_max;
    b->source_at = bytes[ADIT_GPU_JOBS];
    b->classes_at = b->source_at + bytes[ADIT_GPU_SOURCE];
    VkResult r = adit_submission_open(gpu, ADIT_GPU_MESH, STAMPS, &b->submission);
    for (uint32_t i = 0; !r && i < ADIT_GPU_BUFFERS; i++)
        if (bytes[i])
            r = adit_gpu_memory_open(gpu, bytes[i], ADIT_GPU_LOCAL, &b->buffers[i]);
    r = r ? r : adit_gpu_memory_open(gpu, b->classes_at + CLASS_BYTES, ADIT_GPU_UPLOAD, &b->upload);
    r = r ? r : adit_gpu_memory_open(gpu, bytes[ADIT_GPU_RESULTS], ADIT_GPU_READBACK, &b->results);
    r = r ? r : open_quads(b, first_room(b));
    if (r) {
        error = failed(b, -ENOMEM, "making a batch", r);
        adit_mesh_batch_close(&b);
        return error;
    }
    adit_submission_bind(&b->submission, b->buffers);
    pack_classes(b, classes);
    *out = b;
    return 0;
}

void adit_mesh_batch_close(struct adit_mesh_batch **batch)
{
    struct adit_mesh_batch *b = *batch;
    if (!b)
        return;
    free(b->fetches.fetch);
    free(b->copies);
    bool is_over = adit_submission_close(&b->submission); /* what is in flight uses all of the rest */
    for (uint32_t i = 0; is_over && i < ADIT_GPU_BUFFERS; i++)
        adit_gpu_memory_close(b->gpu, &b->buffers[i]);
    if (is_over) {
        adit_gpu_memory_close(b->gpu, &b->upload);
        adit_gpu_memory_close(b->gpu, &b->results);
        adit_gpu_memory_close(b->gpu, &b->readback);
    }
    free(b);
    *batch = NULL;
}

/* ---- filling */

void adit_mesh_batch_begin(struct adit_mesh_batch *b)
{
    if (b->submission.is_up) /* the device may be reading what would be written over */
        return;
    b->state = FILLING;
    b->has_ao = false;
    b->chunks = 0;
    b->used = 0;
    b->fetches.imports = NULL;
    b->fetches.n = 0;
    b->fetches.bytes = 0;
}

void adit_mesh_batch_read_from(struct adit_mesh_batch *b, const struct adit_host_imports *imports)
{
    if (b->state == FILLING && !b->chunks)
        b->fetches.imports = imports;
}

int adit_mesh_batch_add(struct adit_mesh_batch *b, const struct adit_mesh_task *task)
{
    const uint32_t known = ADIT_MESH_CULLED | ADIT_MESH_TT_NONE | ADIT_MESH_AO;
    uint8_t *upload = b->upload.at;
    if (task->flags & ~known)
        return adit_fault(-ENOTSUP, "%s: meshes with flags %#x are not made on a device; make them with a kernel of the CPU", b->gpu->of->name,
                          task->flags & ~known);
    if (b->state != FILLING || b->chunks == b->chunks_max)
        return -ENOSPC;
    struct adit_gpu_job *job = (struct adit_gpu_job *)(void *)upload + b->chunks;
    int error = adit_mesh_source_add(task, upload + b->source_at, b->classes_at - b->source_at, &b->used, &b->fetches, job);
    b->chunks += !error;
    b->has_ao |= !error && task->flags & ADIT_MESH_AO;
    return error;
}

/* ---- running */

static void run_stage(struct adit_mesh_batch *b, enum adit_gpu_stage stage, uint32_t groups)
{
    adit_submission_run(&b->submission, stage, groups, b->chunks);
    adit_submission_next(&b->submission);
}

/* Piece by piece. */
static void record_fetches(struct adit_mesh_batch *b)
{
    const struct adit_source_fetches *f = &b->fetches;
    for (uint32_t i = 0; f->n && i < f->imports->n; i++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < f->n; k++)
            if (f->fetch[k].import == i)
                b->copies[n++] = f->fetch[k].copy;
        if (n)
            b->gpu->d.CmdCopyBuffer(b->submission.commands, f->imports->memory[i].buffer, b->buffers[ADIT_GPU_SOURCE].buffer, n, b->copies);
    }
}

static void record_copy_in(struct adit_mesh_batch *b)
{
    struct adit_submission *s = &b->submission;
    adit_submission_copy(s, &b->upload, 0, &b->buffers[ADIT_GPU_JOBS], 0, b->chunks * sizeof(struct adit_gpu_job));
    adit_submission_copy(s, &b->upload, b->source_at, &b->buffers[ADIT_GPU_SOURCE], 0, b->used);
    record_fetches(b);
    adit_submission_copy(s, &b->upload, b->classes_at, &b->buffers[ADIT_GPU_CLASSES], 0, CLASS_BYTES);
    b->gpu->d.CmdFillBuffer(s->commands, b->buffers[ADIT_GPU_RESULTS].buffer, 0, RESULTS_HEAD, 0);
    adit_submission_barrier(s, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                            VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
}

static VkResult start(struct adit_mesh_batch *b)
{
    struct adit_submission *s = &b->submission;
    const struct adit_gpu_push push = {b->chunks, b->quads_max};
    uint64_t expected = (uint64_t)b->expected * b->chunks;
    b->brought = expected < b->quads_max ? (uint32_t)expected : b->quads_max;
    VkResult r = adit_submission_begin(s);
    if (r)
        return r;
    adit_submission_use(s, &push);
    adit_submission_stamp(s);
    record_copy_in(b);
    adit_submission_stamp(s);
    run_stage(b, ADIT_GPU_DECODE, ADIT_BRICKS);
    run_stage(b, ADIT_GPU_PLANES, ADIT_FACES);
    adit_submission_stamp(s);
    run_stage(b, ADIT_GPU_BITS_OF, 64 + 4);
    run_stage(b, ADIT_GPU_ROWS, 64);
    if (b->has_ao)
        run_stage(b, ADIT_GPU_SHADE, ADIT_FACES * 64);
    adit_submission_stamp(s);
    run_stage(b, b->has_ao ? ADIT_GPU_RUNS_SHADED : ADIT_GPU_RUNS, ADIT_FACES);
    run_stage(b, ADIT_GPU_SCAN, 1);
    adit_submission_stamp(s);
    run_stage(b, b->has_ao ? ADIT_GPU_EMIT_SHADED : ADIT_GPU_EMIT, ADIT_FACES * 64);
    adit_submission_stamp(s);
    adit_submission_barrier(s, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                            VK_ACCESS_TRANSFER_READ_BIT);
    adit_submission_copy(s, &b->buffers[ADIT_GPU_RESULTS], 0, &b->results, 0, RESULTS_HEAD + b->chunks * sizeof(struct result));
    adit_submission_copy(s, &b->buffers[ADIT_GPU_QUADS], 0, &b->readback, 0, (uint64_t)b->brought * 8);
    adit_submission_stamp(s);
    adit_submission_to_host(s);
    return adit_submission_submit(s);
}

/* The one way to FAILED: wait says it again until it is submitted anew. */
static int fail(struct adit_mesh_batch *b, int error)
{
    b->state = FAILED;
    b->error = error;
    return error;
}

int adit_mesh_batch_submit(struct adit_mesh_batch *b)
{
    if (b->submission.is_up)
        return adit_fault(-EBUSY, "%s: the batch is in flight; wait for it first", b->gpu->of->name);
    if (!b->quads_max) { /* it found no room for the last ones, and has lost what it had */
        VkResult room = open_quads(b, first_room(b));
        if (room)
            return fail(b, failed(b, -ENOMEM, "making room for quads", room));
        adit_submission_bind(&b->submission, b->buffers);
    }
    b->quads = b->runs = 0;
    VkResult r = b->chunks ? start(b) : VK_SUCCESS;
    if (r)
        return fail(b, failed(b, -EIO, "a submission", r));
    b->state = IN_FLIGHT;
    return 0;
}

/* Takes the results over. wanted: how many quads there are in all, as every chunk takes a run of them whether or not there is room. False: no chunk has such a
 * result. */
static bool take_results(struct adit_mesh_batch *b, uint64_t *wanted)
{
    bool is_sound = true;
    *wanted = 0;
    memcpy(b->landed, (const uint8_t *)b->results.at + RESULTS_HEAD, b->chunks * sizeof *b->landed);
    for (uint32_t i = 0; i < b->chunks; i++) {
        const struct result *r = b->landed + i;
        for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++)
            is_sound &= r->start[range] <= r->start[range + 1];
        for (uint32_t axis = 0; axis < 3; axis++)
            is_sound &= r->bounds_lo[axis] < ADIT_CHUNK_DIM && r->bounds_hi[axis] < ADIT_CHUNK_DIM;
        is_sound &= !r->start[0] && r->start[ADIT_MESH_RANGES] <= ADIT_MESH_QUADS_MAX && r->faces <= ADIT_MESH_QUADS_MAX;
        *wanted += r->start[ADIT_MESH_RANGES];
    }
    return is_sound;
}

/* With room for all: each chunk's quads lie among them. */
static bool has_places(const struct adit_mesh_batch *b)
{
    bool is_sound = true;
    for (uint32_t i = 0; i < b->chunks; i++) {
        const struct result *r = b->landed + i;
        is_sound &= !r->is_short && r->base <= b->quads && r->start[ADIT_MESH_RANGES] <= b->quads - r->base;
    }
    return is_sound;
}

static int is_unsound(const struct adit_mesh_batch *b)
{
    return adit_fault(-EIO, "%s: it answered with meshes that no chunk can have; its work has to go elsewhere", b->gpu->of->name);
}

/* The second submission: what the first, which has ended, has not brought. */
static VkResult bring_rest(struct adit_mesh_batch *b)
{
    struct adit_submission *s = &b->submission;
    VkResult r = adit_submission_begin(s);
    if (r)
        return r;
    uint64_t at = (uint64_t)b->brought * 8;
    adit_submission_copy(s, &b->buffers[ADIT_GPU_QUADS], at, &b->readback, at, (uint64_t)b->quads * 8 - at);
    adit_submission_to_host(s);
    return adit_submission_submit(s);
}

static void read_times(struct adit_mesh_batch *b)
{
    double ns[STAMPS - 1];
    adit_submission_times(&b->submission, ns);
    b->times = (struct adit_mesh_times){.copy_in = ns[0], .decode = ns[1], .rows = ns[2], .count = ns[3], .emit = ns[4], .copy_out = ns[5]};
}

static uint64_t left_ns(uint64_t until_ns)
{
    uint64_t now_ns = adit_clock_ns();
    return until_ns == UINT64_MAX ? until_ns : until_ns > now_ns ? until_ns - now_ns : 0;
}

/* Waits for the submission in flight. */
static int await(struct adit_mesh_batch *b, uint64_t until_ns, const char *what)
{
    VkResult r = adit_submission_wait(&b->submission, left_ns(until_ns));
    return r == VK_TIMEOUT ? -ETIMEDOUT : r ? failed(b, -EIO, what, r) : 0;
}

/* Waits for the first submission, with room for all quads in the end. */
static int settle(struct adit_mesh_batch *b, uint64_t until_ns)
{
    for (;;) { /* twice at most */
        uint64_t wanted;
        int error = await(b, until_ns, "a batch");
        if (error)
            return error;
        if (!take_results(b, &wanted))
            return is_unsound(b);
        if (wanted <= b->quads_max) {
            b->quads = (uint32_t)wanted;
            return has_places(b) ? 0 : is_unsound(b);
        }
        if (b->runs++) /* there was room for what it asked for */
            return is_unsound(b);
        VkResult r = open_quads(b, wanted);
        if (r)
            return failed(b, -ENOMEM, "making room for quads", r);
        adit_submission_bind(&b->submission, b->buffers);
        b->reruns++;
        r = start(b);
        if (r)
            return failed(b, -EIO, "a submission", r);
    }
}

/* All of it there is, in steps that a timeout may come between. */
static int finish(struct adit_mesh_batch *b, uint64_t until_ns)
{
    int error = b->state == IN_FLIGHT ? settle(b, until_ns) : 0;
    if (error)
        return error;
    if (b->state == IN_FLIGHT && b->quads > b->brought) {
        VkResult r = bring_rest(b);
        if (r)
            return failed(b, -EIO, "bringing quads back", r);
        b->state = BRINGING;
    }
    error = await(b, until_ns, "bringing quads back");
    if (error)
        return error;
    read_times(b);
    b->expected = b->quads / b->chunks + b->quads / b->chunks / 8 + 1;
    return 0;
}

int adit_mesh_batch_wait(struct adit_mesh_batch *b, uint64_t timeout_ns)
{
    uint64_t now_ns = adit_clock_ns(), until_ns = timeout_ns < UINT64_MAX - now_ns ? now_ns + timeout_ns : UINT64_MAX;
    if (b->state != IN_FLIGHT && b->state != BRINGING)
        return b->state == FAILED ? b->error : 0;
    int error = b->chunks ? finish(b, until_ns) : 0;
    if (error == -ETIMEDOUT)
        return error;
    b->state = DONE;
    return error ? fail(b, error) : 0;
}

void adit_mesh_batch_result(const struct adit_mesh_batch *b, uint32_t i, struct adit_mesh_result *out)
{
    const struct result *r = b->landed + i;
    if (b->state != DONE || i >= b->chunks) {
        *out = (struct adit_mesh_result){0};
        return;
    }
    out->quads = (uint64_t *)b->readback.at + r->base;
    out->quads_max = r->start[ADIT_MESH_RANGES];
    memcpy(out->start, r->start, sizeof out->start);
    for (uint32_t axis = 0; axis < 3; axis++) {
        out->bounds_lo[axis] = (uint8_t)r->bounds_lo[axis];
        out->bounds_hi[axis] = (uint8_t)r->bounds_hi[axis];
    }
    out->faces = r->faces;
}

void adit_mesh_batch_times(const struct adit_mesh_batch *b, struct adit_mesh_times *times) { *times = b->times; }

uint32_t adit_mesh_batch_reruns(const struct adit_mesh_batch *b) { return b->reruns; }
