#include "gpu/submission.h"

#include <string.h>

#include "runtime/encoding.h"
#include "runtime/vigil.h"
#include "shm/shm.h"

#define WITNESS_BYTES 16u

int adit_submission_failed(const struct adit_gpu *gpu, int error, const char *what, VkResult r)
{
    if (r == VK_ERROR_DEVICE_LOST && adit_gpu_health_of(gpu) == ADIT_GPU_HUNG)
        return adit_fault(error, "%s: %s failed (it hangs: a batch did not end in %.3g s); its work has to go elsewhere", gpu->of->name, what,
                          (double)gpu->patience_ns * 1e-9);
    if (r == VK_INCOMPLETE)
        return adit_fault(error, "%s: %s was over before it was done; its work has to go elsewhere", gpu->of->name, what);
    return adit_fault(error, "%s: %s failed (%s); its work has to go elsewhere", gpu->of->name, what, adit_vulkan_result(r));
}

/* ---- open, close */

VkResult adit_submission_open(struct adit_gpu *gpu, enum adit_gpu_kind kind, uint32_t stamps_max, struct adit_submission *s)
{
    const struct adit_vulkan_device *d = &gpu->d;
    *s = (struct adit_submission){.gpu = gpu, .pipelines = &gpu->kinds[kind], .program = &adit_gpu_programs[kind], .stamps_max = stamps_max};
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, s->program->buffers};
    const VkDescriptorPoolCreateInfo descriptors = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = 1,
                                                    .poolSizeCount = 1, .pPoolSizes = &size};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, .queueFamilyIndex = gpu->of->family};
    const VkSemaphoreTypeCreateInfo timeline = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                                .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo done = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &timeline};
    const VkQueryPoolCreateInfo stamps = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                          .queryCount = stamps_max};
    VkResult r = d->CreateDescriptorPool(d->device, &descriptors, NULL, &s->descriptors);
    const VkDescriptorSetAllocateInfo set = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, .descriptorPool = s->descriptors,
                                             .descriptorSetCount = 1, .pSetLayouts = &s->pipelines->set_layout};
    r = r ? r : d->AllocateDescriptorSets(d->device, &set, &s->set);
    r = r ? r : d->CreateCommandPool(d->device, &pool, NULL, &s->pool);
    const VkCommandBufferAllocateInfo commands = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandPool = s->pool,
                                                  .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = 1};
    r = r ? r : d->AllocateCommandBuffers(d->device, &commands, &s->commands);
    r = r ? r : d->CreateSemaphore(d->device, &done, NULL, &s->done);
    r = r ? r : adit_gpu_memory_open(gpu, WITNESS_BYTES, ADIT_GPU_READBACK, &s->witness);
    if (!r)
        memset(s->witness.at, 0, WITNESS_BYTES);
    return r || gpu->of->timestamp_ns <= 0 ? r : d->CreateQueryPool(d->device, &stamps, NULL, &s->stamps);
}

/* Whether all is over that uses this. */
static bool ends_in_time(struct adit_submission *s)
{
    struct adit_gpu *g = s->gpu;
    struct adit_vigil vigil = adit_vigil_begin(s->up_ns, g->patience_ns);
    VkResult r;
    do
        r = adit_submission_wait(s, ADIT_VIGIL_LOOK_NS); /* of what hangs already no VK_TIMEOUT */
    while (r == VK_TIMEOUT && adit_vigil_goes_on(&vigil));
    if (!s->is_up)
        return true;
    adit_gpu_worsen(g, ADIT_GPU_HUNG);
    (void)__atomic_add_fetch(&g->abandoned, 1, __ATOMIC_RELAXED); /* relaxed: read by who closes the device, after its batches */
    return false;
}

bool adit_submission_close(struct adit_submission *s)
{
    if (!s->gpu)
        return true;
    const struct adit_vulkan_device *d = &s->gpu->d;
    if (!ends_in_time(s)) {
        *s = (struct adit_submission){0};
        return false;
    }
    adit_gpu_memory_close(s->gpu, &s->witness);
    d->DestroyQueryPool(d->device, s->stamps, NULL);
    d->DestroySemaphore(d->device, s->done, NULL);
    d->DestroyCommandPool(d->device, s->pool, NULL);
    d->DestroyDescriptorPool(d->device, s->descriptors, NULL);
    *s = (struct adit_submission){0};
    return true;
}

void adit_submission_bind(const struct adit_submission *s, const struct adit_gpu_memory *buffers)
{
    VkDescriptorBufferInfo info[ADIT_GPU_BUFFERS_MAX];
    VkWriteDescriptorSet writes[ADIT_GPU_BUFFERS_MAX];
    for (uint32_t i = 0; i < s->program->buffers; i++) {
        info[i] = (VkDescriptorBufferInfo){.buffer = buffers[i].buffer, .range = VK_WHOLE_SIZE};
        writes[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, .dstSet = s->set, .dstBinding = i,
                                           .descriptorCount = 1, .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                           .pBufferInfo = &info[i]};
    }
    s->gpu->d.UpdateDescriptorSets(s->gpu->d.device, s->program->buffers, writes, 0, NULL);
}

/* ---- commands */

VkResult adit_submission_begin(struct adit_submission *s)
{
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    VkResult r = s->gpu->d.ResetCommandPool(s->gpu->d.device, s->pool, 0);
    return r ? r : s->gpu->d.BeginCommandBuffer(s->commands, &begin);
}

void adit_submission_use(struct adit_submission *s, const void *push)
{
    const struct adit_vulkan_device *d = &s->gpu->d;
    const VkPipelineLayout layout = s->pipelines->layout;
    s->stamps_n = 0;
    if (s->stamps)
        d->CmdResetQueryPool(s->commands, s->stamps, 0, s->stamps_max);
    d->CmdBindDescriptorSets(s->commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &s->set, 0, NULL);
    if (s->program->push_bytes)
        d->CmdPushConstants(s->commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, s->program->push_bytes, push);
}

void adit_submission_stamp(struct adit_submission *s)
{
    VkPipelineStageFlagBits when = s->stamps_n ? VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT : VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT;
    if (s->stamps && s->stamps_n < s->stamps_max)
        s->gpu->d.CmdWriteTimestamp(s->commands, when, s->stamps, s->stamps_n++);
}

void adit_submission_barrier(struct adit_submission *s, VkPipelineStageFlags from, VkAccessFlags wrote, VkPipelineStageFlags to,
                             VkAccessFlags access)
{
    const VkMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = wrote, .dstAccessMask = access};
    s->gpu->d.CmdPipelineBarrier(s->commands, from, to, 0, 1, &barrier, 0, NULL, 0, NULL);
}

void adit_submission_run(struct adit_submission *s, uint32_t stage, uint32_t groups_x, uint32_t groups_y)
{
    s->gpu->d.CmdBindPipeline(s->commands, VK_PIPELINE_BIND_POINT_COMPUTE, s->pipelines->stage[stage]);
    s->gpu->d.CmdDispatch(s->commands, groups_x, groups_y, 1);
}

void adit_submission_next(struct adit_submission *s)
{
    adit_submission_barrier(s, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                            VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
}

void adit_submission_to_host(struct adit_submission *s)
{
    adit_submission_barrier(s, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                            VK_ACCESS_TRANSFER_WRITE_BIT);
    s->gpu->d.CmdFillBuffer(s->commands, s->witness.buffer, 0, sizeof(uint32_t), (uint32_t)(s->done_value + 1));
    adit_submission_barrier(s, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
                            VK_ACCESS_HOST_READ_BIT);
}

void adit_submission_copy(struct adit_submission *s, const struct adit_gpu_memory *from, uint64_t from_at, const struct adit_gpu_memory *to,
                          uint64_t to_at, uint64_t bytes)
{
    const VkBufferCopy region = {.srcOffset = from_at, .dstOffset = to_at, .size = bytes};
    if (bytes)
        s->gpu->d.CmdCopyBuffer(s->commands, from->buffer, to->buffer, 1, &region);
}

VkResult adit_submission_submit(struct adit_submission *s)
{
    const uint64_t value = s->done_value + 1;
    const VkPipelineStageFlags all = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    /* the wait is for what the host has waited for already: it makes what that wrote visible, and keeps nobody else's work back */
    const VkTimelineSemaphoreSubmitInfo timeline = {.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                                                    .waitSemaphoreValueCount = 1, .pWaitSemaphoreValues = &s->done_value,
                                                    .signalSemaphoreValueCount = 1, .pSignalSemaphoreValues = &value};
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .pNext = &timeline, .waitSemaphoreCount = 1,
                               .pWaitSemaphores = &s->done, .pWaitDstStageMask = &all, .commandBufferCount = 1,
                               .pCommandBuffers = &s->commands, .signalSemaphoreCount = 1, .pSignalSemaphores = &s->done};
    VkResult r = s->gpu->d.EndCommandBuffer(s->commands);
    if (r)
        return r;
    if (adit_gpu_health_of(s->gpu) != ADIT_GPU_SOUND)
        return VK_ERROR_DEVICE_LOST;
    sigset_t before;
    adit_vulkan_block_signals(&before); /* some drivers start the thread of a queue at its first submission */
    pthread_mutex_lock(&s->gpu->queue_lock);
    r = s->gpu->d.QueueSubmit(s->gpu->queue, 1, &info, VK_NULL_HANDLE);
    pthread_mutex_unlock(&s->gpu->queue_lock);
    adit_vulkan_restore_signals(&before);
    if (r == VK_ERROR_DEVICE_LOST)
        adit_gpu_worsen(s->gpu, ADIT_GPU_LOST);
    s->is_up = !r;
    s->done_value += !r;
    s->up_ns = adit_clock_ns();
    return r;
}

/* ---- afterwards */

VkResult adit_submission_wait(struct adit_submission *s, uint64_t timeout_ns)
{
    const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, .semaphoreCount = 1, .pSemaphores = &s->done,
                                      .pValues = &s->done_value};
    const volatile uint32_t *witness = s->witness.at;
    if (!s->is_up)
        return VK_SUCCESS;
    bool hangs = adit_gpu_health_of(s->gpu) == ADIT_GPU_HUNG;
    VkResult r = s->gpu->d.WaitSemaphores(s->gpu->d.device, &info, hangs ? 0 : timeout_ns);
    if (r == VK_ERROR_DEVICE_LOST)
        adit_gpu_worsen(s->gpu, ADIT_GPU_LOST);
    s->is_up = r && r != VK_ERROR_DEVICE_LOST;
    if (r == VK_TIMEOUT && hangs)
        return VK_ERROR_DEVICE_LOST;
    return !r && *witness != (uint32_t)s->done_value ? VK_INCOMPLETE : r;
}

void adit_submission_times(const struct adit_submission *s, double *ns)
{
    const struct adit_vulkan_device *d = &s->gpu->d;
    uint64_t t[ADIT_SUBMISSION_STAMPS_MAX];
    memset(ns, 0, (s->stamps_max - 1) * sizeof *ns);
    if (!s->stamps || !s->stamps_n ||
        d->GetQueryPoolResults(d->device, s->stamps, 0, s->stamps_n, sizeof t, t, sizeof *t, VK_QUERY_RESULT_64_BIT))
        return;
    for (uint32_t i = 1; i < s->stamps_n; i++)
        ns[i - 1] = (double)((t[i] - t[i - 1]) & s->gpu->of->timestamp_mask) * s->gpu->of->timestamp_ns; /* other bits are undefined (Vulkan 1.2, 17.5) */
}
