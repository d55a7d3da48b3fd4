/* vulkan_table.h - libvulkan, opened when it is asked for: the functions that adit calls, by name.
 *
 *     struct adit_vulkan vk;
 *     if (!adit_vulkan_open(&vk))           -ENOENT: no loader here; -ENODEV: it makes no instance
 *         vk.EnumeratePhysicalDevices(vk.instance, &n, devices);
 *     adit_vulkan_close(&vk);
 *
 * Nothing links to libvulkan, so a machine without it misses a tier and nothing else. Functions of a device are fetched from the
 * device itself (vkGetDeviceProcAddr), past the loader's dispatch. Specification: Vulkan 1.2, chapter 4.1.
 *
 * For tests: with ADIT_VULKAN_VALIDATE in the environment the validation layer watches every call, synchronisation included.
 */
#ifndef ADIT_VULKAN_TABLE_H
#define ADIT_VULKAN_TABLE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#define ADIT_VULKAN_OF_INSTANCE(X)                                                                                             \
    X(DestroyInstance) X(EnumeratePhysicalDevices) X(GetPhysicalDeviceProperties) X(GetPhysicalDeviceProperties2)               \
    X(GetPhysicalDeviceMemoryProperties) X(GetPhysicalDeviceExternalBufferProperties)                                           \
    X(GetPhysicalDeviceQueueFamilyProperties) X(GetPhysicalDeviceFeatures2) X(EnumerateDeviceExtensionProperties)               \
    X(CreateDevice) X(GetDeviceProcAddr)

#define ADIT_VULKAN_OF_DEVICE(X)                                                                                               \
    X(DestroyDevice) X(GetDeviceQueue) X(AllocateMemory) X(FreeMemory) X(MapMemory) X(CreateBuffer) X(DestroyBuffer)            \
    X(GetBufferMemoryRequirements) X(BindBufferMemory) X(CreateShaderModule) X(DestroyShaderModule)                             \
    X(CreateDescriptorSetLayout) X(DestroyDescriptorSetLayout) X(CreatePipelineLayout) X(DestroyPipelineLayout)                 \
    X(CreatePipelineCache) X(DestroyPipelineCache) X(GetPipelineCacheData) X(CreateComputePipelines) X(DestroyPipeline)         \
    X(CreateDescriptorPool) X(DestroyDescriptorPool) X(AllocateDescriptorSets) X(UpdateDescriptorSets) X(CreateCommandPool)     \
    X(DestroyCommandPool) X(AllocateCommandBuffers) X(ResetCommandPool) X(BeginCommandBuffer) X(EndCommandBuffer)               \
    X(CmdBindPipeline) X(CmdBindDescriptorSets) X(CmdPushConstants) X(CmdDispatch) X(CmdCopyBuffer) X(CmdFillBuffer)            \
    X(CmdPipelineBarrier) X(CmdResetQueryPool) X(CmdWriteTimestamp) X(CreateQueryPool) X(DestroyQueryPool)                      \
    X(GetQueryPoolResults) X(CreateSemaphore) X(DestroySemaphore) X(WaitSemaphores) X(QueueSubmit)

#define ADIT_VULKAN_MEMBER(name) PFN_vk##name name;

struct adit_vulkan {
    void *library;
    VkInstance instance;
    bool validates;      /* the validation layer is on, because ADIT_VULKAN_VALIDATE is set */
    uint32_t complaints; /* of the layer so far; each stands on stderr */
    uint32_t abandoned;  /* atomic: devices that hang; the instance stays for them, until the process ends */
    VkDebugUtilsMessengerEXT messenger;
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
    ADIT_VULKAN_OF_INSTANCE(ADIT_VULKAN_MEMBER)
};

struct adit_vulkan_device {
    VkDevice device;
    PFN_vkGetMemoryHostPointerPropertiesEXT GetMemoryHostPointerPropertiesEXT; /* NULL without the extension */
    ADIT_VULKAN_OF_DEVICE(ADIT_VULKAN_MEMBER)
};

/* Opens the library and makes an instance of Vulkan 1.2, which leads back to vk: it must not move until the close. Blocks for as long as the drivers take to load (tens of milliseconds). 0,
 * -ENOENT, -ENODEV, with a line in adit_detail(). */
int adit_vulkan_open(struct adit_vulkan *vk);
void adit_vulkan_close(struct adit_vulkan *vk);

/* Fills the table of a device that CreateDevice has made. False: a function is missing. */
bool adit_vulkan_load_device(const struct adit_vulkan *vk, VkDevice device, struct adit_vulkan_device *out);

/* Around every call in which a driver may start a thread: a thread inherits what is blocked, and signals are the application's own threads'. */
void adit_vulkan_block_signals(sigset_t *before);
void adit_vulkan_restore_signals(const sigset_t *before);

/* The name of a result, for lines of text. */
const char *adit_vulkan_result(VkResult result);

#endif
