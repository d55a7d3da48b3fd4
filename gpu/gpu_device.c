#include "gpu/gpu_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encoding.h"
#include "shm/shm.h"

#define STORAGE_BUFFERS 11u /* of mesh_common.glsl */
#define GROUP_INVOCATIONS 256u
#define EXTENSIONS_MAX 512u

static bool has_extension(const VkExtensionProperties *all, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(all[i].extensionName, name))
            return true;
    return false;
}

static int32_t node_of(const char *pci)
{
    char path[80];
    int node = -1;
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/numa_node", pci);
    FILE *f = fopen(path, "re");
    if (f && fscanf(f, "%d", &node) != 1)
        node = -1;
    if (f)
        fclose(f);
    return node;
}

static void look_at_memory(const struct adit_vulkan *vk, struct adit_gpu_device *d)
{
    VkPhysicalDeviceMemoryProperties m;
    vk->GetPhysicalDeviceMemoryProperties(d->handle, &m);
    d->is_unified = true;
    for (uint32_t i = 0; i < m.memoryHeapCount; i++)
        if (!(m.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT))
            d->is_unified = false;
        else if (m.memoryHeaps[i].size > d->local_bytes)
            d->local_bytes = m.memoryHeaps[i].size;
}

/* One that computes and draws nothing, where there is one: what a desktop draws does not stand between. */
static bool find_family(const struct adit_vulkan *vk, struct adit_gpu_device *d)
{
    VkQueueFamilyProperties families[32];
    uint32_t n = 32, found = 32;
    vk->GetPhysicalDeviceQueueFamilyProperties(d->handle, &n, families);
    for (uint32_t i = 0; i < n; i++)
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT && (found == 32 || (families[found].queueFlags & ~families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT)))
            found = i;
    if (found == 32)
        return false;
    uint32_t bits = families[found].timestampValidBits;
    d->family = found;
    d->timestamp_ns = bits ? d->timestamp_ns : 0;
    d->timestamp_mask = bits < 64 ? (1ull << bits) - 1 : UINT64_MAX;
    return true;
}

/* What of host memory it says that it can import: buffers as gpu_memory.c makes them, not tied to memory that is made for one alone; of no more than it allocates, and no more than a
 * buffer has. */
static void look_at_imports(const struct adit_vulkan *vk, struct adit_gpu_device *d, uint64_t align, uint64_t most)
{
    const VkPhysicalDeviceExternalBufferInfo asked = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
                                                      .usage = ADIT_GPU_BUFFER_USAGE,
                                                      .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
    VkExternalBufferProperties told = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
    vk->GetPhysicalDeviceExternalBufferProperties(d->handle, &asked, &told);
    VkExternalMemoryFeatureFlags can = told.externalMemoryProperties.externalMemoryFeatures;
    if (!(can & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) || can & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT || !align || align > UINT32_MAX ||
        most < align)
        return;
    d->import_align = (uint32_t)align;
    d->import_max = most / align * align;
}

/* What a driver of Vulkan 1.0 or 1.1 can be asked: nothing of later versions (chapter 4.2.1). It has no UUID of the device, but one of what it compiles. */
static bool is_too_old(const struct adit_vulkan *vk, struct adit_gpu_device *d)
{
    VkPhysicalDeviceProperties p;
    vk->GetPhysicalDeviceProperties(d->handle, &p);
    if (p.apiVersion >= VK_API_VERSION_1_2)
        return false;
    snprintf(d->name, sizeof d->name, "%s", p.deviceName);
    memcpy(d->uuid, p.pipelineCacheUUID, sizeof d->uuid);
    d->node = -1;
    d->is_software = p.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    d->range_max = p.limits.maxStorageBufferRange;
    d->unfit = "its driver has no Vulkan 1.2";
    return true;
}

static void look_at(const struct adit_vulkan *vk, struct adit_gpu_device *d)
{
    if (is_too_old(vk, d))
        return;
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT};
    VkPhysicalDevicePCIBusInfoPropertiesEXT pci = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT};
    VkPhysicalDeviceSubgroupProperties subgroup = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
    VkPhysicalDeviceDriverProperties driver = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES, .pNext = &subgroup};
    VkPhysicalDeviceIDProperties id = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES, .pNext = &driver};
    VkPhysicalDeviceMaintenance4Properties buffers = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES, .maxBufferSize = UINT64_MAX};
    VkPhysicalDeviceMaintenance3Properties memory = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES, .pNext = &id};
    VkPhysicalDeviceProperties2 p = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &memory};
    VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &timeline};
    VkExtensionProperties *extensions = calloc(EXTENSIONS_MAX, sizeof *extensions);
    uint32_t n = extensions ? EXTENSIONS_MAX : 0;
    if (n && vk->EnumerateDeviceExtensionProperties(d->handle, NULL, &n, extensions) < 0)
        n = 0;
    bool has_host = has_extension(extensions, n, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    bool has_sizes = has_extension(extensions, n, VK_KHR_MAINTENANCE_4_EXTENSION_NAME);
    bool has_pci = has_extension(extensions, n, VK_EXT_PCI_BUS_INFO_EXTENSION_NAME);
    free(extensions);
    if (has_host)
        host.pNext = subgroup.pNext, subgroup.pNext = &host;
    if (has_sizes)
        buffers.pNext = subgroup.pNext, subgroup.pNext = &buffers;
    if (has_pci)
        pci.pNext = subgroup.pNext, subgroup.pNext = &pci;
    vk->GetPhysicalDeviceProperties2(d->handle, &p);
    const VkPhysicalDeviceLimits *limits = &p.properties.limits;
    snprintf(d->name, sizeof d->name, "%s", p.properties.deviceName);
    snprintf(d->driver, sizeof d->driver, "%s", driver.driverName);
    snprintf(d->driver_info, sizeof d->driver_info, "%s", driver.driverInfo);
    memcpy(d->uuid, id.deviceUUID, sizeof d->uuid);
    d->node = -1;
    if (has_pci) {
        snprintf(d->pci, sizeof d->pci, "%04x:%02x:%02x.%x", pci.pciDomain & 0xffff, pci.pciBus & 0xff, pci.pciDevice & 0xff,
                 pci.pciFunction & 7);
        d->node = node_of(d->pci);
    }
    d->is_software = p.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    d->range_max = limits->maxStorageBufferRange;
    d->subgroup = subgroup.subgroupSize;
    if (has_host && !adit_os_is_disabled("import"))
        look_at_imports(vk, d, host.minImportedHostPointerAlignment,
                        memory.maxMemoryAllocationSize < buffers.maxBufferSize ? memory.maxMemoryAllocationSize : buffers.maxBufferSize);
    d->timestamp_ns = limits->timestampPeriod;
    look_at_memory(vk, d);
    bool computes = find_family(vk, d);
    vk->GetPhysicalDeviceFeatures2(d->handle, &features);
    d->unfit = !computes ? "it has no queue that computes"
               : !timeline.timelineSemaphore ? "it has no timeline semaphores"
               : limits->maxPerStageDescriptorStorageBuffers < STORAGE_BUFFERS ? "a shader cannot have eleven storage buffers"
               : limits->maxComputeWorkGroupInvocations < GROUP_INVOCATIONS || limits->maxComputeWorkGroupSize[0] < GROUP_INVOCATIONS ? "a workgroup cannot have 256 invocations" : NULL;
}

static bool is_known(const struct adit_gpu_list *list, const struct adit_gpu_device *d)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (!memcmp(list->devices[i].uuid, d->uuid, sizeof d->uuid))
            return true;
    return false;
}

int adit_gpu_list_open(struct adit_gpu_list **out)
{
    VkPhysicalDevice handles[ADIT_GPU_DEVICES_MAX];
    uint32_t n = ADIT_GPU_DEVICES_MAX;
    struct adit_gpu_list *list = calloc(1, sizeof *list);
    *out = NULL;
    if (!list)
        return adit_fault(-ENOMEM, "vulkan: no memory for the list of devices");
    sigset_t before;
    VkResult r = VK_SUCCESS;
    adit_vulkan_block_signals(&before);
    int error = adit_vulkan_open(&list->vk);
    if (!error)
        r = list->vk.EnumeratePhysicalDevices(list->vk.instance, &n, handles);
    adit_vulkan_restore_signals(&before);
    if (error) {
        free(list);
        return error;
    }
    for (uint32_t i = 0; r >= 0 && i < n; i++) {
        struct adit_gpu_device d = {.handle = handles[i]};
        look_at(&list->vk, &d);
        if (is_known(list, &d))
            list->folded++;
        else
            list->devices[list->n++] = d;
    }
    if (!list->n) {
        adit_gpu_list_close(&list);
        return adit_fault(-ENODEV, "vulkan: no device (%s); is there a driver? VK_DRIVER_FILES can name one", adit_vulkan_result(r));
    }
    *out = list;
    return 0;
}

void adit_gpu_list_close(struct adit_gpu_list **list)
{
    if (!*list)
        return;
    adit_vulkan_close(&(*list)->vk);
    free(*list);
    *list = NULL;
}
