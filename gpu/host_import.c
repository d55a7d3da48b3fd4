#include "gpu/host_import.h"

#include <sys/mman.h>

/* What drivers need not check. MS_ASYNC does nothing but look whether all is mapped, and no more than there are addresses (msync(2): ENOMEM). */
static bool can_be_seen(const struct adit_gpu *g, void *at, VkDeviceSize bytes)
{
    const uint32_t align = g->of->import_align;
    return bytes && !((uintptr_t)at % align) && !(bytes % align) && !msync(at, bytes, MS_ASYNC);
}

VkResult adit_host_import_open(struct adit_gpu *g, void *at, VkDeviceSize bytes, struct adit_gpu_memory *out)
{
    const VkExternalMemoryHandleTypeFlagBits kind = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
    const VkExternalMemoryBufferCreateInfo external = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO, .handleTypes = kind};
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .pNext = &external, .size = bytes,
                                     .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                              VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    const VkImportMemoryHostPointerInfoEXT import = {.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT, .handleType = kind,
                                                     .pHostPointer = at};
    VkMemoryHostPointerPropertiesEXT fit = {.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
    VkMemoryRequirements need;
    *out = (struct adit_gpu_memory){.bytes = bytes};
    if (!g->of->import_align || !g->d.GetMemoryHostPointerPropertiesEXT)
        return VK_ERROR_EXTENSION_NOT_PRESENT;
    if (!can_be_seen(g, at, bytes))
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    VkResult r = g->d.GetMemoryHostPointerPropertiesEXT(g->d.device, kind, at, &fit);
    r = r ? r : g->d.CreateBuffer(g->d.device, &info, NULL, &out->buffer);
    if (r)
        return r;
    g->d.GetBufferMemoryRequirements(g->d.device, out->buffer, &need);
    uint32_t types = fit.memoryTypeBits & need.memoryTypeBits, type = 0;
    while (types && !(types >> type & 1))
        type++;
    const VkMemoryAllocateInfo room = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &import, .allocationSize = bytes,
                                       .memoryTypeIndex = type};
    r = types && need.size <= bytes ? g->d.AllocateMemory(g->d.device, &room, NULL, &out->memory) : VK_ERROR_FEATURE_NOT_PRESENT;
    r = r ? r : g->d.BindBufferMemory(g->d.device, out->buffer, out->memory, 0);
    if (r)
        adit_gpu_memory_close(g, out);
    return r;
}
