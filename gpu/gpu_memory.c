/* gpu_memory.c - buffers with memory of their own. */
#include "gpu/gpu_parts.h"

bool adit_gpu_find_type(const struct adit_gpu *g, uint32_t allowed, VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags liked, uint32_t *type)
{
    VkPhysicalDeviceMemoryProperties m;
    g->vk->GetPhysicalDeviceMemoryProperties(g->of->handle, &m);
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < m.memoryTypeCount; i++) {
            VkMemoryPropertyFlags need = wanted | (pass ? 0 : liked);
            if (allowed >> i & 1 && (m.memoryTypes[i].propertyFlags & need) == need) {
                *type = i;
                return true;
            }
        }
    return false;
}

VkResult adit_gpu_memory_open(struct adit_gpu *g, VkDeviceSize bytes, enum adit_gpu_place place, struct adit_gpu_memory *out)
{
    const VkMemoryPropertyFlags host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = bytes,
                                     .usage = ADIT_GPU_BUFFER_USAGE};
    VkMemoryRequirements need;
    uint32_t type;
    *out = (struct adit_gpu_memory){.bytes = bytes};
    VkResult r = g->d.CreateBuffer(g->d.device, &info, NULL, &out->buffer);
    if (r)
        return r;
    g->d.GetBufferMemoryRequirements(g->d.device, out->buffer, &need);
    if (!adit_gpu_find_type(g, need.memoryTypeBits, place == ADIT_GPU_LOCAL ? 0 : host,
                   place == ADIT_GPU_LOCAL ? VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT
                                           : VK_MEMORY_PROPERTY_HOST_CACHED_BIT, &type))
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    const VkMemoryAllocateInfo room = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .allocationSize = need.size, .memoryTypeIndex = type};
    r = g->d.AllocateMemory(g->d.device, &room, NULL, &out->memory);
    if (!r)
        r = g->d.BindBufferMemory(g->d.device, out->buffer, out->memory, 0);
    if (!r && place != ADIT_GPU_LOCAL)
        r = g->d.MapMemory(g->d.device, out->memory, 0, VK_WHOLE_SIZE, 0, &out->at);
    return r;
}

void adit_gpu_memory_close(struct adit_gpu *g, struct adit_gpu_memory *m)
{
    g->d.DestroyBuffer(g->d.device, m->buffer, NULL);
    g->d.FreeMemory(g->d.device, m->memory, NULL); /* and unmaps it */
    *m = (struct adit_gpu_memory){0};
}
