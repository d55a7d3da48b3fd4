/* gpu_open.c - a device made ready: its queue, and the pipelines of a kind of batches, made when its first one is opened. */
#include "gpu/pipeline_cache.h"
#include "gpu/submission.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/encoding.h"

static VkResult make_device(struct adit_gpu *g)
{
    const float priority = 1;
    const char *extensions[1];
    uint32_t n = 0;
    if (g->of->import_align)
        extensions[n++] = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
    VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
                                                          .timelineSemaphore = VK_TRUE};
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueFamilyIndex = g->of->family,
                                           .queueCount = 1, .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .pNext = &timeline, .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue, .enabledExtensionCount = n, .ppEnabledExtensionNames = extensions};
    VkDevice device;
    VkResult r = g->vk->CreateDevice(g->of->handle, &info, NULL, &device);
    if (r)
        return r;
    if (!adit_vulkan_load_device(g->vk, device, &g->d)) {
        if (g->d.DestroyDevice)
            g->d.DestroyDevice(device, NULL);
        g->d = (struct adit_vulkan_device){0};
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    g->d.GetDeviceQueue(device, g->of->family, 0, &g->queue);
    return VK_SUCCESS;
}

static VkResult make_layouts(struct adit_gpu *g, const struct adit_gpu_program *program, struct adit_gpu_pipelines *out)
{
    VkDescriptorSetLayoutBinding bindings[ADIT_GPU_BUFFERS_MAX];
    for (uint32_t i = 0; i < program->buffers; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){.binding = i, .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                                     .descriptorCount = 1, .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    const VkDescriptorSetLayoutCreateInfo set = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                                 .bindingCount = program->buffers, .pBindings = bindings};
    VkResult r = g->d.CreateDescriptorSetLayout(g->d.device, &set, NULL, &out->set_layout);
    const VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = program->push_bytes};
    const VkPipelineLayoutCreateInfo layout = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .setLayoutCount = 1,
                                               .pSetLayouts = &out->set_layout, .pushConstantRangeCount = program->push_bytes ? 1 : 0,
                                               .pPushConstantRanges = &range};
    return r ? r : g->d.CreatePipelineLayout(g->d.device, &layout, NULL, &out->layout);
}

static VkResult make_pipeline(struct adit_gpu *g, const struct adit_gpu_code *stage, VkPipelineLayout layout, VkPipeline *out)
{
    const VkShaderModuleCreateInfo code = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = stage->bytes,
                                           .pCode = stage->words};
    const VkSpecializationMapEntry entry = {.size = sizeof stage->constant};
    const VkSpecializationInfo constants = {.mapEntryCount = 1, .pMapEntries = &entry, .dataSize = sizeof stage->constant,
                                            .pData = &stage->constant};
    VkComputePipelineCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO, .layout = layout,
                                        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                  .stage = VK_SHADER_STAGE_COMPUTE_BIT, .pName = "main",
                                                  .pSpecializationInfo = &constants}};
    VkResult r = g->d.CreateShaderModule(g->d.device, &code, NULL, &info.stage.module);
    if (r)
        return r;
    r = g->d.CreateComputePipelines(g->d.device, g->cache, 1, &info, NULL, out);
    g->d.DestroyShaderModule(g->d.device, info.stage.module, NULL);
    return r;
}

static void close_kind(struct adit_gpu *g, struct adit_gpu_pipelines *kind)
{
    for (uint32_t i = 0; i < ADIT_GPU_STAGES_MAX; i++)
        g->d.DestroyPipeline(g->d.device, kind->stage[i], NULL);
    g->d.DestroyPipelineLayout(g->d.device, kind->layout, NULL);
    g->d.DestroyDescriptorSetLayout(g->d.device, kind->set_layout, NULL);
    *kind = (struct adit_gpu_pipelines){0};
}

static VkResult open_kind(struct adit_gpu *g, const struct adit_gpu_program *program, struct adit_gpu_pipelines *kind)
{
    VkResult r = make_layouts(g, program, kind);
    for (uint32_t i = 0; !r && i < program->stages; i++)
        r = make_pipeline(g, &program->stage[i], kind->layout, &kind->stage[i]);
    kind->is_ready = !r;
    if (r)
        close_kind(g, kind);
    else
        adit_pipeline_cache_save(g);
    return r;
}

static int refused(const struct adit_gpu_device *device, VkResult r)
{
    return adit_fault(-ENODEV, "%s: cannot be made ready (%s)", device->name, adit_vulkan_result(r));
}

enum adit_gpu_health adit_gpu_health_of(const struct adit_gpu *g)
{
    return (enum adit_gpu_health)__atomic_load_n(&g->health, __ATOMIC_RELAXED); /* relaxed: who sees it late has a call fail */
}

void adit_gpu_worsen(struct adit_gpu *g, enum adit_gpu_health health)
{
    uint32_t was = __atomic_load_n(&g->health, __ATOMIC_RELAXED); /* relaxed: as above */
    while (was < (uint32_t)health && !__atomic_compare_exchange_n(&g->health, &was, (uint32_t)health, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

int adit_gpu_prepare(struct adit_gpu *g, enum adit_gpu_kind kind)
{
    if (adit_gpu_health_of(g) != ADIT_GPU_SOUND)
        return adit_submission_failed(g, -ENODEV, "making a batch", VK_ERROR_DEVICE_LOST);
    sigset_t before;
    adit_vulkan_block_signals(&before);
    pthread_mutex_lock(&g->kinds_lock);
    VkResult r = g->kinds[kind].is_ready ? VK_SUCCESS : open_kind(g, &adit_gpu_programs[kind], &g->kinds[kind]);
    pthread_mutex_unlock(&g->kinds_lock);
    adit_vulkan_restore_signals(&before);
    return r ? refused(g->of, r) : 0;
}

int adit_gpu_open(struct adit_gpu_list *list, const struct adit_gpu_device *device, struct adit_gpu **out)
{
    *out = NULL;
    if (device->unfit)
        return adit_fault(-ENODEV, "%s: %s", device->name, device->unfit);
    struct adit_gpu *g = calloc(1, sizeof *g);
    if (!g)
        return adit_fault(-ENOMEM, "%s: no memory", device->name);
    g->vk = &list->vk;
    g->of = device;
    g->patience_ns = ADIT_GPU_PATIENCE_NS;
    pthread_mutex_init(&g->queue_lock, NULL);
    pthread_mutex_init(&g->kinds_lock, NULL);
    sigset_t before;
    adit_vulkan_block_signals(&before);
    VkResult r = make_device(g);
    adit_vulkan_restore_signals(&before);
    r = r ? r : adit_pipeline_cache_open(g);
    if (r) {
        adit_gpu_close(&g);
        return refused(device, r);
    }
    *out = g;
    return 0;
}

void adit_gpu_close(struct adit_gpu **gpu)
{
    struct adit_gpu *g = *gpu;
    if (!g)
        return;
    if (__atomic_load_n(&g->abandoned, __ATOMIC_RELAXED)) { /* relaxed: its batches are closed before, by whoever closes it */
        (void)__atomic_add_fetch(&g->vk->abandoned, 1, __ATOMIC_RELAXED);
    } else if (g->d.DestroyDevice) {
        for (uint32_t i = 0; i < ADIT_GPU_KINDS; i++)
            close_kind(g, &g->kinds[i]);
        g->d.DestroyPipelineCache(g->d.device, g->cache, NULL);
        g->d.DestroyDevice(g->d.device, NULL);
    }
    pthread_mutex_destroy(&g->kinds_lock);
    pthread_mutex_destroy(&g->queue_lock);
    free(g);
    *gpu = NULL;
}
