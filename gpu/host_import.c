#include "gpu/host_import.h"

#include <errno.h>
#include <stdlib.h>
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
                                     .usage = ADIT_GPU_BUFFER_USAGE};
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
    uint32_t type = 0; /* coherent: what the host has written before a submission is seen by it without more ado (Vulkan 1.2, 7.9) */
    bool fits = adit_gpu_find_type(g, fit.memoryTypeBits & need.memoryTypeBits, VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, 0, &type);
    const VkMemoryAllocateInfo room = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &import, .allocationSize = bytes,
                                       .memoryTypeIndex = type};
    r = fits && need.size <= bytes ? g->d.AllocateMemory(g->d.device, &room, NULL, &out->memory) : VK_ERROR_FEATURE_NOT_PRESENT;
    r = r ? r : g->d.BindBufferMemory(g->d.device, out->buffer, out->memory, 0);
    if (r)
        adit_gpu_memory_close(g, out);
    return r;
}

/* A range, in pieces that the device takes. */
static VkResult open_range(struct adit_gpu *g, const struct adit_import_range *range, struct adit_host_imports *h)
{
    VkResult r = VK_SUCCESS;
    for (uint64_t from = 0; !r && from < range->bytes;) {
        uint64_t bytes = range->bytes - from < g->of->import_max ? range->bytes - from : g->of->import_max;
        if (h->n == ADIT_IMPORTS_MAX)
            return VK_ERROR_TOO_MANY_OBJECTS;
        h->at[h->n] = (uint8_t *)range->at + from;
        r = adit_host_import_open(g, (uint8_t *)range->at + from, bytes, &h->memory[h->n]);
        h->n += !r;
        from += bytes;
    }
    return r;
}

int adit_host_imports_open(struct adit_gpu *g, const struct adit_import_range *ranges, uint32_t n, struct adit_host_imports **out)
{
    struct adit_host_imports *h = calloc(1, sizeof *h);
    VkResult r = !h ? VK_ERROR_OUT_OF_HOST_MEMORY : g->of->import_align ? VK_SUCCESS : VK_ERROR_EXTENSION_NOT_PRESENT;
    *out = h;
    if (h)
        h->gpu = g;
    for (uint32_t i = 0; !r && i < n; i++)
        r = open_range(g, &ranges[i], h);
    if (r)
        adit_host_imports_close(out);
    if (r == VK_ERROR_TOO_MANY_OBJECTS)
        return adit_fault(-ENOTSUP, "%s: memory of the arena cannot be imported (it takes %llu MiB at once, and more than %u pieces are not made); it is copied", g->of->name,
                          (unsigned long long)(g->of->import_max >> 20), ADIT_IMPORTS_MAX);
    return r ? adit_fault(-ENOTSUP, "%s: memory of the arena cannot be imported (%s); it is copied", g->of->name, adit_vulkan_result(r)) : 0;
}

void adit_host_imports_close(struct adit_host_imports **imports)
{
    struct adit_host_imports *h = *imports;
    bool hangs = h && adit_gpu_health_of(h->gpu) == ADIT_GPU_HUNG; /* it may be reading yet */
    for (uint32_t i = 0; h && !hangs && i < h->n; i++)
        adit_gpu_memory_close(h->gpu, &h->memory[i]);
    free(h);
    *imports = NULL;
}

bool adit_host_imports_find(const struct adit_host_imports *h, const void *at, size_t bytes, uint32_t *which, VkDeviceSize *offset)
{
    for (uint32_t i = 0; h && i < h->n; i++) {
        uintptr_t from = (uintptr_t)at - (uintptr_t)h->at[i];
        if ((uintptr_t)at >= (uintptr_t)h->at[i] && from <= h->memory[i].bytes && bytes <= h->memory[i].bytes - from) {
            *which = i;
            *offset = from;
            return true;
        }
    }
    return false;
}
