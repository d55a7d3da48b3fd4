#include "perf/gpu_raw.h"

#include "perf/clock.h"

static VkResult record(struct gpu_raw *r, VkCommandBuffer c, const struct adit_gpu_memory *from, const struct adit_gpu_memory *to)
{
    const struct adit_vulkan_device *d = &r->gpu->d;
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VkResult result = d->BeginCommandBuffer(c, &begin);
    if (result)
        return result;
    if (from) {
        const VkBufferCopy region = {.size = from->bytes};
        const VkMemoryBarrier again = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                                       .dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_TRANSFER_READ_BIT};
        d->CmdPipelineBarrier(c, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &again, 0, NULL, 0, NULL);
        d->CmdCopyBuffer(c, from->buffer, to->buffer, 1, &region);
    }
    return d->EndCommandBuffer(c);
}

VkResult gpu_raw_open(struct adit_gpu *gpu, VkDeviceSize bytes, struct gpu_raw *r)
{
    const struct adit_vulkan_device *d = &gpu->d;
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, .queueFamilyIndex = gpu->of->family};
    const VkSemaphoreTypeCreateInfo timeline = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                                .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo done = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &timeline};
    *r = (struct gpu_raw){.gpu = gpu};
    VkResult result = adit_gpu_memory_open(gpu, bytes, ADIT_GPU_UPLOAD, &r->upload);
    result = result ? result : adit_gpu_memory_open(gpu, bytes, ADIT_GPU_READBACK, &r->readback);
    for (uint32_t i = 0; i < 2 && !result; i++)
        result = adit_gpu_memory_open(gpu, bytes, ADIT_GPU_LOCAL, &r->local[i]);
    result = result ? result : d->CreateCommandPool(d->device, &pool, NULL, &r->pool);
    const VkCommandBufferAllocateInfo commands = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandPool = r->pool,
                                                  .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = GPU_RAW_COPIES};
    VkCommandBufferAllocateInfo one = commands;
    one.commandBufferCount = 1;
    result = result ? result : d->AllocateCommandBuffers(d->device, &commands, r->copies);
    result = result ? result : d->AllocateCommandBuffers(d->device, &one, &r->empty);
    result = result ? result : d->CreateSemaphore(d->device, &done, NULL, &r->done);
    result = result ? result : record(r, r->empty, NULL, NULL);
    result = result ? result : record(r, r->copies[GPU_RAW_UP], &r->upload, &r->local[0]);
    result = result ? result : record(r, r->copies[GPU_RAW_DOWN], &r->local[0], &r->readback);
    return result ? result : record(r, r->copies[GPU_RAW_OWN], &r->local[0], &r->local[1]);
}

void gpu_raw_close(struct gpu_raw *r)
{
    const struct adit_vulkan_device *d = &r->gpu->d;
    d->DestroySemaphore(d->device, r->done, NULL);
    d->DestroyCommandPool(d->device, r->pool, NULL);
    adit_gpu_memory_close(r->gpu, &r->upload);
    adit_gpu_memory_close(r->gpu, &r->readback);
    for (uint32_t i = 0; i < 2; i++)
        adit_gpu_memory_close(r->gpu, &r->local[i]);
}

static double run(struct gpu_raw *r, VkCommandBuffer c)
{
    const struct adit_vulkan_device *d = &r->gpu->d;
    const uint64_t value = ++r->value;
    const VkTimelineSemaphoreSubmitInfo timeline = {.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                                                    .signalSemaphoreValueCount = 1, .pSignalSemaphoreValues = &value};
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .pNext = &timeline, .commandBufferCount = 1,
                               .pCommandBuffers = &c, .signalSemaphoreCount = 1, .pSignalSemaphores = &r->done};
    const VkSemaphoreWaitInfo wait = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, .semaphoreCount = 1, .pSemaphores = &r->done,
                                      .pValues = &value};
    double begin = clock_now_ns();
    if (d->QueueSubmit(r->gpu->queue, 1, &info, VK_NULL_HANDLE) || d->WaitSemaphores(d->device, &wait, UINT64_MAX))
        return 0;
    return clock_now_ns() - begin;
}

double gpu_raw_empty_ns(struct gpu_raw *r) { return run(r, r->empty); }
double gpu_raw_copy_ns(struct gpu_raw *r, enum gpu_raw_copy which) { return run(r, r->copies[which]); }
