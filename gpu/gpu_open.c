/* gpu_open.c - a device made ready: its queue, and the pipelines of a kind of batches, made when its first one is opened. */
#include "gpu/submission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

/* Where compiled pipelines are kept: one file a device and driver (the driver checks the head and takes no other's). */
static bool cache_path(const struct adit_gpu *g, char *path, size_t bytes)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char folder[512], uuid[33] = "";
    for (uint32_t i = 0; i < 16; i++)
        snprintf(uuid + 2 * i, 3, "%02x", g->of->uuid[i]);
    int n = cache && *cache ? snprintf(folder, sizeof folder, "%s", cache) : home ? snprintf(folder, sizeof folder, "%s/.cache", home) : -1;
    if (n < 0 || (size_t)n >= sizeof folder - 8)
        return false;
    (void)mkdir(folder, 0700);
    strcat(folder, "/adit");
    (void)mkdir(folder, 0700);
    return (size_t)snprintf(path, bytes, "%s/pipelines-%s", folder, uuid) < bytes;
}

/* A file, and nothing that could be waited for. */
static void *read_cache(const char *path, size_t *bytes)
{
    struct stat s;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool is_file = fd >= 0 && !fstat(fd, &s) && S_ISREG(s.st_mode) && s.st_size > 0 && s.st_size <= ADIT_GPU_CACHE_MAX;
    void *data = is_file ? malloc((size_t)s.st_size) : NULL;
    ssize_t n = data ? read(fd, data, (size_t)s.st_size) : 0;
    *bytes = n > 0 ? (size_t)n : 0;
    if (fd >= 0)
        close(fd);
    return data;
}

/* Whole or not at all, and only when it holds more than the driver took of the file; without it the next start compiles again. */
static void write_cache(struct adit_gpu *g)
{
    char path[560], part[600];
    size_t bytes = 0;
    if (g->d.GetPipelineCacheData(g->d.device, g->cache, &bytes, NULL) || bytes <= g->cache_bytes || bytes > ADIT_GPU_CACHE_MAX ||
        !cache_path(g, path, sizeof path))
        return;
    void *data = malloc(bytes);
    snprintf(part, sizeof part, "%s.XXXXXX", path);
    int fd = data && !g->d.GetPipelineCacheData(g->d.device, g->cache, &bytes, data) ? mkostemp(part, O_CLOEXEC) : -1;
    if (fd >= 0) {
        bool done = write(fd, data, bytes) == (ssize_t)bytes;
        if (close(fd) || !done || rename(part, path))
            (void)remove(part);
        g->cache_bytes = bytes;
    }
    free(data);
}

static VkResult make_cache(struct adit_gpu *g)
{
    char path[560];
    void *data = cache_path(g, path, sizeof path) ? read_cache(path, &g->cache_bytes) : NULL;
    const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, .initialDataSize = g->cache_bytes,
                                            .pInitialData = data};
    VkResult r = g->d.CreatePipelineCache(g->d.device, &info, NULL, &g->cache);
    free(data);
    if (!r && g->d.GetPipelineCacheData(g->d.device, g->cache, &g->cache_bytes, NULL)) /* a damaged file is none, and is replaced */
        g->cache_bytes = 0;
    return r;
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
        write_cache(g);
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
    pthread_mutex_lock(&g->kinds_lock);
    VkResult r = g->kinds[kind].is_ready ? VK_SUCCESS : open_kind(g, &adit_gpu_programs[kind], &g->kinds[kind]);
    pthread_mutex_unlock(&g->kinds_lock);
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
    VkResult r = make_device(g);
    r = r ? r : make_cache(g);
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
