/* submission.h - what every batch needs to have its work done by a device: commands, a value of a timeline that says when they have ended, and
 * timestamps between them.
 *
 *     adit_submission_open(gpu, ADIT_GPU_MESH, 3, &s);
 *     adit_submission_bind(&s, buffers);
 *     adit_submission_begin(&s);
 *     adit_submission_use(&s, &push);
 *     adit_submission_stamp(&s);
 *     adit_submission_copy(&s, &upload, 0, &buffers[0], 0, bytes);
 *     adit_submission_barrier(&s, TRANSFER, TRANSFER_WRITE, COMPUTE, SHADER_READ);     what has to be seen by whom
 *     adit_submission_stamp(&s);
 *     adit_submission_run(&s, ADIT_GPU_DECODE, groups, chunks);
 *     adit_submission_stamp(&s);
 *     adit_submission_submit(&s);                                                      returns at once
 *     adit_submission_wait(&s, timeout_ns);
 *     adit_submission_times(&s, ns);                                                   two of them
 *
 * One submission is in flight at a time, and all of it is one thread's; any number of these of one device may be in flight, from any threads. The
 * host waits for a value of a timeline semaphore, after which all that was submitted before it has happened (Vulkan 1.2, 7.4.1). */
#ifndef ADIT_SUBMISSION_H
#define ADIT_SUBMISSION_H

#include "gpu/gpu_parts.h"

#define ADIT_SUBMISSION_STAMPS_MAX 16u

struct adit_submission {
    struct adit_gpu *gpu;
    const struct adit_gpu_pipelines *pipelines;
    const struct adit_gpu_program *program;
    VkDescriptorPool descriptors;
    VkDescriptorSet set;
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkQueryPool stamps; /* null where the device has none */
    uint32_t stamps_max, stamps_n;
    VkSemaphore done;
    uint64_t done_value; /* of the last submission */
    bool is_up;          /* it was submitted, and no wait has said yet that it is over */
    uint64_t up_ns;      /* when it was submitted */
    struct adit_gpu_memory witness; /* holds done_value when its last command has run */
};

/* For a kind that is prepared. VK_SUCCESS or the driver's answer; close in any case. */
VkResult adit_submission_open(struct adit_gpu *gpu, enum adit_gpu_kind kind, uint32_t stamps_max, struct adit_submission *out);
/* Blocks until what is in flight has ended, at most until ADIT_GPU_PATIENCE_NS after its submission (and a quarter of that at least, runtime/vigil.h; not at all on a device that hangs already). True:
 * buffers of it can be freed. False: it has not ended, the device counts as hung, and all that it uses has to be left alone until the
 * process ends. Nothing to do on zeroes. */
bool adit_submission_close(struct adit_submission *submission);

/* The buffers that shaders see, by binding: as many as the kind has. Not while one is in flight. */
void adit_submission_bind(const struct adit_submission *submission, const struct adit_gpu_memory *buffers);

/* ---- commands; not while one is in flight */

/* Forgets the commands of the last one and begins anew. */
VkResult adit_submission_begin(struct adit_submission *submission);
/* For commands with shaders: their buffers, what is pushed (push_bytes of the kind), no timestamp taken yet. */
void adit_submission_use(struct adit_submission *submission, const void *push);
/* Takes the time when all before has ended; the first one, when the commands begin. */
void adit_submission_stamp(struct adit_submission *submission);
void adit_submission_barrier(struct adit_submission *submission, VkPipelineStageFlags from, VkAccessFlags wrote, VkPipelineStageFlags to,
                             VkAccessFlags access);
/* A stage of the kind; runs beside others unless a barrier stands between. */
void adit_submission_run(struct adit_submission *submission, uint32_t stage, uint32_t groups_x, uint32_t groups_y);
/* A barrier between two stages: what one wrote, the other reads. */
void adit_submission_next(struct adit_submission *submission);
/* The last command, with its barriers: what was copied, the host reads. */
void adit_submission_to_host(struct adit_submission *submission);
/* Nothing for 0 bytes. */
void adit_submission_copy(struct adit_submission *submission, const struct adit_gpu_memory *from, uint64_t from_at,
                          const struct adit_gpu_memory *to, uint64_t to_at, uint64_t bytes);

/* Ends the commands and hands them to the queue: what the one before of this has written they see without a barrier. Does not wait. VK_ERROR_DEVICE_LOST at once when the device is lost or hangs. */
VkResult adit_submission_submit(struct adit_submission *submission);

/* ---- afterwards */

/* VK_TIMEOUT: still in flight. VK_ERROR_DEVICE_LOST: it is lost, or hangs and has not ended this one (is_up says which). VK_INCOMPLETE: it is over, but its last
 * command has not run: a lost device may answer so (Vulkan 1.2, 4.2.4). At once when nothing is in flight. */
VkResult adit_submission_wait(struct adit_submission *submission, uint64_t timeout_ns);
/* ns between each two timestamps of what has ended, stamps_max - 1; zeroes where the device has none. */
void adit_submission_times(const struct adit_submission *submission, double *ns);
/* adit_fault with the one line for what did not work, r, and where its work has to go. */
int adit_submission_failed(const struct adit_gpu *gpu, int error, const char *what, VkResult r);

#endif
