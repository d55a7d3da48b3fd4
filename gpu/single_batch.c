/* How such a batch is run: copies in, a barrier, stages, a barrier, one copy back, and the words that say when each was done. Memory that the device may still have is
 * never freed: close asks the submission first, which all of the rest belongs to. */
#include "gpu/single_batch.h"

#include <errno.h>

#include "runtime/encoding.h"

/* ---- open, close */

static VkResult open_memory(struct adit_single_batch *b, const uint64_t *bytes, uint64_t upload_bytes)
{
    VkResult r = adit_gpu_memory_open(b->gpu, upload_bytes, ADIT_GPU_UPLOAD, &b->upload);
    r = r ? r : adit_gpu_memory_open(b->gpu, bytes[b->kind->back], ADIT_GPU_READBACK, &b->readback);
    for (uint32_t i = 0; !r && i < adit_gpu_programs[b->kind->gpu_kind].buffers; i++)
        r = adit_gpu_memory_open(b->gpu, bytes[i], ADIT_GPU_LOCAL, &b->buffers[i]);
    return r;
}

int adit_single_batch_open(struct adit_single_batch *b, struct adit_gpu *gpu, const struct adit_single_kind *kind, uint32_t chunks_max,
                           const uint64_t *bytes, uint64_t upload_bytes)
{
    int error = adit_gpu_prepare(gpu, kind->gpu_kind);
    if (error)
        return error;
    *b = (struct adit_single_batch){.gpu = gpu, .kind = kind, .chunks_max = chunks_max};
    VkResult r = adit_submission_open(gpu, kind->gpu_kind, kind->stamps, &b->submission);
    r = r ? r : open_memory(b, bytes, upload_bytes);
    if (r) {
        error = adit_submission_failed(gpu, -ENOMEM, "making a batch", r);
        adit_single_batch_close(b);
        return error;
    }
    adit_submission_bind(&b->submission, b->buffers);
    return 0;
}

void adit_single_batch_close(struct adit_single_batch *b)
{
    bool is_over = adit_submission_close(&b->submission); /* what is in flight uses all of the rest */
    for (uint32_t i = 0; is_over && i < ADIT_GPU_BUFFERS_MAX; i++)
        adit_gpu_memory_close(b->gpu, &b->buffers[i]);
    if (is_over) {
        adit_gpu_memory_close(b->gpu, &b->upload);
        adit_gpu_memory_close(b->gpu, &b->readback);
    }
}

/* ---- filling */

bool adit_single_batch_begin(struct adit_single_batch *b)
{
    if (b->submission.is_up)
        return false;
    b->state = ADIT_SINGLE_FILLING;
    b->chunks = 0;
    return true;
}

bool adit_single_batch_has_room(const struct adit_single_batch *b) { return b->state == ADIT_SINGLE_FILLING && b->chunks < b->chunks_max; }

/* ---- running */

static VkResult start(struct adit_single_batch *b)
{
    struct adit_submission *s = &b->submission;
    VkResult r = adit_submission_begin(s);
    if (r)
        return r;
    adit_submission_use(s, NULL);
    adit_submission_stamp(s);
    b->kind->copy_in(b);
    adit_submission_barrier(s, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                            VK_ACCESS_SHADER_READ_BIT);
    adit_submission_stamp(s);
    b->kind->run(b);
    adit_submission_barrier(s, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                            VK_ACCESS_TRANSFER_READ_BIT);
    adit_submission_stamp(s);
    adit_submission_copy(s, &b->buffers[b->kind->back], 0, &b->readback, 0, (uint64_t)b->chunks * b->kind->piece_bytes);
    adit_submission_stamp(s);
    adit_submission_to_host(s);
    return adit_submission_submit(s);
}

int adit_single_batch_submit(struct adit_single_batch *b)
{
    if (b->submission.is_up)
        return adit_fault(-EBUSY, "%s: the batch is in flight; wait for it first", b->gpu->of->name);
    VkResult r = b->chunks ? start(b) : VK_SUCCESS;
    b->state = r ? ADIT_SINGLE_FAILED : ADIT_SINGLE_IN_FLIGHT;
    return r ? adit_submission_failed(b->gpu, -EIO, "a submission", r) : 0;
}

int adit_single_batch_wait(struct adit_single_batch *b, uint64_t timeout_ns, double *ns)
{
    if (b->state != ADIT_SINGLE_IN_FLIGHT)
        return b->state == ADIT_SINGLE_FAILED ? -EIO : 0;
    VkResult r = b->chunks ? adit_submission_wait(&b->submission, timeout_ns) : VK_SUCCESS;
    if (r == VK_TIMEOUT)
        return -ETIMEDOUT;
    b->state = r ? ADIT_SINGLE_FAILED : ADIT_SINGLE_DONE;
    if (r)
        return adit_submission_failed(b->gpu, -EIO, "a batch", r);
    if (b->chunks)
        adit_submission_times(&b->submission, ns);
    return 0;
}

const void *adit_single_batch_piece(const struct adit_single_batch *b, uint32_t i)
{
    return b->state == ADIT_SINGLE_DONE && i < b->chunks ? (const uint8_t *)b->readback.at + (size_t)i * b->kind->piece_bytes : NULL;
}
