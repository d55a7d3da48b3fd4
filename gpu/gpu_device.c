#include "gpu/gpu_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encoding.h"

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

static bool find_family(const struct adit_vulkan *vk, struct adit_gpu_device *d)
{
    VkQueueFamilyProperties families[32];
    uint32_t n = 32;
    vk->GetPhysicalDeviceQueueFamilyProperties(d->handle, &n, families);
    for (uint32_t i = 0; i < n; i++)
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) {
            d->family = i;
            d->timestamp_ns = families[i].timestampValidBits ? d->timestamp_ns : 0;
            return true;
        }
    return false;
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
    VkPhysicalDeviceProperties2 p = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &id};
    VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &timeline};
    VkExtensionProperties *extensions = calloc(EXTENSIONS_MAX, sizeof *extensions);
    uint32_t n = extensions ? EXTENSIONS_MAX : 0;
    if (n && vk->EnumerateDeviceExtensionProperties(d->handle, NULL, &n, extensions) < 0)
        n = 0;
    bool has_host = has_extension(extensions, n, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    bool has_pci = has_extension(extensions, n, VK_EXT_PCI_BUS_INFO_EXTENSION_NAME);
    free(extensions);
    if (has_host)
        host.pNext = subgroup.pNext, subgroup.pNext = &host;
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
    d->import_align = has_host ? (uint32_t)host.minImportedHostPointerAlignment : 0;
    d->timestamp_ns = limits->timestampPeriod;
    look_at_memory(vk, d);
    bool computes = find_family(vk, d);
    vk->GetPhysicalDeviceFeatures2(d->handle, &features);
    d->unfit = !computes ? "it has no queue that computes"
               : !timeline.timelineSemaphore ? "it has no timeline semaphores"
               : limits->maxPerStageDescriptorStorageBuffers < STORAGE_BUFFERS ? "a shader cannot have eleven storage buffers"
               : limits->maxComputeWorkGroupInvocations < GROUP_INVOCATIONS ? "a workgroup cannot have 256 invocations" : NULL;
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
    int error = adit_vulkan_open(&list->vk);
    if (error) {
        free(list);
        return error;
    }
    VkResult r = list->vk.EnumeratePhysicalDevices(list->vk.instance, &n, handles);
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
