/* gpu_open.c - a device made ready: its queue, and the pipelines of a mesh batch from embedded SPIR-V. */
#include "gpu/gpu_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/encoding.h"

static const uint32_t decode_code[] =
#include "gpu/mesh_decode.inc"
    ;
static const uint32_t planes_code[] =
#include "gpu/mesh_planes.inc"
    ;
static const uint32_t bits_code[] =
#include "gpu/mesh_bits.inc"
    ;
static const uint32_t rows_code[] =
#include "gpu/mesh_rows.inc"
    ;
static const uint32_t runs_code[] =
#include "gpu/mesh_runs.inc"
    ;
static const uint32_t emit_code[] =
#include "gpu/mesh_emit.inc"
    ;
static const uint32_t scan_code[] =
#include "gpu/mesh_scan.inc"
    ;

static const struct {
    const uint32_t *code;
    size_t bytes;
} stages[ADIT_GPU_STAGES] = {
    [ADIT_GPU_DECODE] = {decode_code, sizeof decode_code}, [ADIT_GPU_PLANES] = {planes_code, sizeof planes_code},
    [ADIT_GPU_BITS_OF] = {bits_code, sizeof bits_code},    [ADIT_GPU_ROWS] = {rows_code, sizeof rows_code},
    [ADIT_GPU_RUNS] = {runs_code, sizeof runs_code},       [ADIT_GPU_SCAN] = {scan_code, sizeof scan_code},
    [ADIT_GPU_EMIT] = {emit_code, sizeof emit_code},
};

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
    if (!adit_vulkan_load_device(g->vk, device, &g->d))
        return VK_ERROR_INITIALIZATION_FAILED;
    g->d.GetDeviceQueue(device, g->of->family, 0, &g->queue);
    return VK_SUCCESS;
}

static VkResult make_layouts(struct adit_gpu *g)
{
    VkDescriptorSetLayoutBinding bindings[ADIT_GPU_BUFFERS];
    for (uint32_t i = 0; i < ADIT_GPU_BUFFERS; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){.binding = i, .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                                     .descriptorCount = 1, .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    const VkDescriptorSetLayoutCreateInfo set = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                                 .bindingCount = ADIT_GPU_BUFFERS, .pBindings = bindings};
    VkResult r = g->d.CreateDescriptorSetLayout(g->d.device, &set, NULL, &g->set_layout);
    const VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = sizeof(struct adit_gpu_push)};
    const VkPipelineLayoutCreateInfo layout = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .setLayoutCount = 1,
                                               .pSetLayouts = &g->set_layout, .pushConstantRangeCount = 1,
                                               .pPushConstantRanges = &range};
    return r ? r : g->d.CreatePipelineLayout(g->d.device, &layout, NULL, &g->layout);
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

static void *read_cache(const char *path, size_t *bytes)
{
    FILE *f = fopen(path, "re");
    void *data = f ? malloc(ADIT_GPU_CACHE_MAX) : NULL;
    *bytes = data ? fread(data, 1, ADIT_GPU_CACHE_MAX, f) : 0;
    if (f)
        fclose(f);
    return data;
}

/* Whole or not at all; without it the next start compiles again. */
static void write_cache(const struct adit_gpu *g, const char *path)
{
    char part[600];
    size_t bytes = 0;
    if (g->d.GetPipelineCacheData(g->d.device, g->cache, &bytes, NULL) || !bytes || bytes > ADIT_GPU_CACHE_MAX)
        return;
    void *data = malloc(bytes);
    snprintf(part, sizeof part, "%s.%d", path, (int)getpid());
    FILE *f = data && !g->d.GetPipelineCacheData(g->d.device, g->cache, &bytes, data) ? fopen(part, "wex") : NULL;
    if (f) {
        bool done = fwrite(data, 1, bytes, f) == bytes;
        if (fclose(f) || !done || rename(part, path))
            (void)remove(part);
    }
    free(data);
}

static VkResult make_pipeline(struct adit_gpu *g, uint32_t stage)
{
    const VkShaderModuleCreateInfo code = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = stages[stage].bytes,
                                           .pCode = stages[stage].code};
    VkComputePipelineCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO, .layout = g->layout,
                                        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                  .stage = VK_SHADER_STAGE_COMPUTE_BIT, .pName = "main"}};
    VkResult r = g->d.CreateShaderModule(g->d.device, &code, NULL, &info.stage.module);
    if (r)
        return r;
    r = g->d.CreateComputePipelines(g->d.device, g->cache, 1, &info, NULL, &g->pipelines[stage]);
    g->d.DestroyShaderModule(g->d.device, info.stage.module, NULL);
    return r;
}

static VkResult make_pipelines(struct adit_gpu *g)
{
    char path[560];
    size_t bytes = 0;
    bool is_kept = cache_path(g, path, sizeof path);
    void *data = is_kept ? read_cache(path, &bytes) : NULL;
    const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, .initialDataSize = bytes,
                                            .pInitialData = data};
    VkResult r = g->d.CreatePipelineCache(g->d.device, &info, NULL, &g->cache);
    free(data);
    for (uint32_t i = 0; !r && i < ADIT_GPU_STAGES; i++)
        r = make_pipeline(g, i);
    if (!r && is_kept && !bytes)
        write_cache(g, path);
    return r;
}

int adit_gpu_open(const struct adit_gpu_list *list, const struct adit_gpu_device *device, struct adit_gpu **out)
{
    *out = NULL;
    if (device->unfit)
        return adit_fault(-ENODEV, "%s: %s", device->name, device->unfit);
    struct adit_gpu *g = calloc(1, sizeof *g);
    if (!g)
        return adit_fault(-ENOMEM, "%s: no memory", device->name);
    g->vk = &list->vk;
    g->of = device;
    pthread_mutex_init(&g->queue_lock, NULL);
    VkResult r = make_device(g);
    r = r ? r : make_layouts(g);
    r = r ? r : make_pipelines(g);
    if (r) {
        adit_gpu_close(&g);
        return adit_fault(-ENODEV, "%s: cannot be made ready (%s)", device->name, adit_vulkan_result(r));
    }
    *out = g;
    return 0;
}

void adit_gpu_close(struct adit_gpu **gpu)
{
    struct adit_gpu *g = *gpu;
    if (!g)
        return;
    if (g->d.DestroyDevice) {
        for (uint32_t i = 0; i < ADIT_GPU_STAGES; i++)
            g->d.DestroyPipeline(g->d.device, g->pipelines[i], NULL);
        g->d.DestroyPipelineCache(g->d.device, g->cache, NULL);
        g->d.DestroyPipelineLayout(g->d.device, g->layout, NULL);
        g->d.DestroyDescriptorSetLayout(g->d.device, g->set_layout, NULL);
        g->d.DestroyDevice(g->d.device, NULL);
    }
    pthread_mutex_destroy(&g->queue_lock);
    free(g);
    *gpu = NULL;
}
