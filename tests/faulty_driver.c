/* faulty_driver.c - a Vulkan driver that fails as it is told: another driver (lavapipe), with some of its functions replaced. faulty_fixture.h lists the faults and
 * gives it to programs.
 *
 * Two words of the environment are for it alone: ADIT_FAULTY_DRIVER, the library behind it, and ADIT_FAULTY, what goes wrong: read when a device is made
 * (for its submissions, waits and memory) and when devices are looked at (for what they are).
 *
 * How it stands between: the loader asks a driver for its functions by name (vk_icdGetInstanceProcAddr, vkGetDeviceProcAddr) and calls what it gets with the
 * driver's own handles, whose first word is the loader's. So handles pass through untouched, and only names are answered otherwise
 * (Vulkan-Loader, LoaderDriverInterface.md). The device has a name and a UUID of its own: it stands in a list beside the sound one.
 *
 * A lost device never touches the work it dropped, so all that belongs to it may be freed, as Vulkan promises of VK_ERROR_DEVICE_LOST (1.2, 4.2.4). A hung
 * one may come back to its work at any time: who frees something of it is found by the counts of what lives. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#include <vulkan/vk_icd.h>

#define SEEN __attribute__((visibility("default")))
#define DEVICES_MAX 32u /* hung ones stay */
#define MEMORIES_MAX 256u

/* Made and destroyed by calls of one shape. */
#define PARTS(X)                                                                                                                            \
    X(Buffer) X(ShaderModule) X(DescriptorSetLayout) X(PipelineLayout) X(PipelineCache) X(DescriptorPool) X(CommandPool) X(QueryPool) X(Semaphore)

struct fault {
    char name[24];
    uint32_t nth, seed;
};

struct memory {
    VkDeviceMemory handle;
    VkDeviceSize bytes;
    void *at;        /* where it is mapped, or NULL */
    VkBuffer buffer; /* that lies in it */
    bool is_back;    /* something was copied to it */
};

struct device {
    VkDevice handle;
    VkQueue queue;
    struct fault fault;
    uint32_t submissions, allocations;
    bool is_lost;
    struct memory memories[MEMORIES_MAX];
};

SEEN VkResult vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version);
SEEN PFN_vkVoidFunction vk_icdGetInstanceProcAddr(VkInstance instance, const char *name);
SEEN PFN_vkVoidFunction vk_icdGetPhysicalDeviceProcAddr(VkInstance instance, const char *name);
/* How many objects of its devices there are, devices and instances too. */
SEEN uint32_t faulty_driver_live(void);
/* The bytes that the last pipeline cache was made from. */
SEEN uint32_t faulty_driver_cache_bytes(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below but the counts */
static struct device devices[DEVICES_MAX];
static void *library;
static VkInstance instance_of_all;
static uint32_t live, cache_bytes;

static struct {
    PFN_vk_icdNegotiateLoaderICDInterfaceVersion negotiate;
    PFN_vk_icdGetInstanceProcAddr of_instance;
    PFN_vk_icdGetPhysicalDeviceProcAddr of_physical;
    PFN_vkGetDeviceProcAddr of_device;
#define MEMBER(part) PFN_vkCreate##part Create##part; PFN_vkDestroy##part Destroy##part;
    PARTS(MEMBER)
#undef MEMBER
    PFN_vkCreateComputePipelines CreateComputePipelines;
    PFN_vkDestroyPipeline DestroyPipeline;
    PFN_vkDestroyDevice DestroyDevice;
    PFN_vkGetDeviceQueue GetDeviceQueue;
    PFN_vkAllocateMemory AllocateMemory;
    PFN_vkFreeMemory FreeMemory;
    PFN_vkMapMemory MapMemory;
    PFN_vkBindBufferMemory BindBufferMemory;
    PFN_vkCmdCopyBuffer CmdCopyBuffer;
    PFN_vkQueueSubmit QueueSubmit;
    PFN_vkWaitSemaphores WaitSemaphores;
    PFN_vkDeviceWaitIdle DeviceWaitIdle;
    PFN_vkGetQueryPoolResults GetQueryPoolResults;
    PFN_vkGetPipelineCacheData GetPipelineCacheData;
} real;

static struct fault told(void)
{
    struct fault f = {0};
    const char *text = getenv("ADIT_FAULTY");
    if (text)
        (void)sscanf(text, "%23[^:]:%u:%u", f.name, &f.nth, &f.seed);
    return f;
}

static bool is_told(const char *name) { return !strcmp(told().name, name); }

static bool has(const struct device *d, const char *name) { return !strcmp(d->fault.name, name); }

static void count(VkResult r) { (void)__atomic_add_fetch(&live, !r, __ATOMIC_RELAXED); } /* read when all is quiet */

static void uncount(bool was) { (void)__atomic_sub_fetch(&live, was, __ATOMIC_RELAXED); }

uint32_t faulty_driver_live(void) { return __atomic_load_n(&live, __ATOMIC_RELAXED); }
uint32_t faulty_driver_cache_bytes(void) { return __atomic_load_n(&cache_bytes, __ATOMIC_RELAXED); }

/* ---- which device; under the lock */

static struct device *find(VkDevice handle)
{
    for (uint32_t i = 0; i < DEVICES_MAX; i++)
        if (devices[i].handle == handle)
            return &devices[i];
    fprintf(stderr, "faulty driver: more than %u devices\n", DEVICES_MAX);
    abort();
}

static struct device *find_queue(VkQueue queue)
{
    uint32_t i = 0;
    while (i < DEVICES_MAX && devices[i].queue != queue)
        i++;
    if (i == DEVICES_MAX)
        abort();
    return &devices[i];
}

static struct memory *find_memory(struct device *d, VkDeviceMemory handle)
{
    for (uint32_t i = 0; i < MEMORIES_MAX; i++)
        if (d->memories[i].handle == handle)
            return &d->memories[i];
    return NULL;
}

/* ---- what a device is */

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *a, VkInstance *out)
{
    PFN_vkCreateInstance create = (PFN_vkCreateInstance)real.of_instance(NULL, "vkCreateInstance");
    VkResult r = create(info, a, out);
    if (!r)
        instance_of_all = *out;
    count(r);
    return r;
}

static VKAPI_ATTR void VKAPI_CALL destroy_instance(VkInstance instance, const VkAllocationCallbacks *a)
{
    ((PFN_vkDestroyInstance)real.of_instance(instance, "vkDestroyInstance"))(instance, a);
    uncount(instance != NULL);
}

static VKAPI_ATTR VkResult VKAPI_CALL enumerate(VkInstance instance, uint32_t *n, VkPhysicalDevice *out)
{
    PFN_vkEnumeratePhysicalDevices all = (PFN_vkEnumeratePhysicalDevices)real.of_instance(instance, "vkEnumeratePhysicalDevices");
    if (!is_told("no-device"))
        return all(instance, n, out);
    *n = 0;
    return VK_SUCCESS;
}

static void rename_device(VkPhysicalDeviceProperties *p)
{
    char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];
    snprintf(name, sizeof name, "faulty %.200s", p->deviceName);
    memcpy(p->deviceName, name, sizeof name);
    p->apiVersion = is_told("old") ? VK_API_VERSION_1_0 : p->apiVersion;
}

static VKAPI_ATTR void VKAPI_CALL properties(VkPhysicalDevice device, VkPhysicalDeviceProperties *out)
{
    ((PFN_vkGetPhysicalDeviceProperties)real.of_instance(instance_of_all, "vkGetPhysicalDeviceProperties"))(device, out);
    rename_device(out);
}

static VKAPI_ATTR void VKAPI_CALL properties2(VkPhysicalDevice device, VkPhysicalDeviceProperties2 *out)
{
    ((PFN_vkGetPhysicalDeviceProperties2)real.of_instance(instance_of_all, "vkGetPhysicalDeviceProperties2"))(device, out);
    rename_device(&out->properties);
    if (is_told("narrow"))
        out->properties.limits.maxComputeWorkGroupSize[0] = 128;
    if (is_told("few"))
        out->properties.limits.maxComputeWorkGroupInvocations = 128;
    for (VkBaseOutStructure *s = out->pNext; s; s = s->pNext)
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES)
            ((VkPhysicalDeviceIDProperties *)s)->deviceUUID[0] ^= 0xff;
        else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES)
            ((VkPhysicalDeviceVulkan11Properties *)s)->deviceUUID[0] ^= 0xff;
        else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES && is_told("short-memory"))
            ((VkPhysicalDeviceMaintenance3Properties *)s)->maxMemoryAllocationSize = 1u << 20;
}

static VKAPI_ATTR void VKAPI_CALL features2(VkPhysicalDevice device, VkPhysicalDeviceFeatures2 *out)
{
    ((PFN_vkGetPhysicalDeviceFeatures2)real.of_instance(instance_of_all, "vkGetPhysicalDeviceFeatures2"))(device, out);
    for (VkBaseOutStructure *s = out->pNext; s && is_told("no-timeline"); s = s->pNext)
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES)
            ((VkPhysicalDeviceTimelineSemaphoreFeatures *)s)->timelineSemaphore = VK_FALSE;
        else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES)
            ((VkPhysicalDeviceVulkan12Features *)s)->timelineSemaphore = VK_FALSE;
}

static VKAPI_ATTR void VKAPI_CALL external_buffer(VkPhysicalDevice device, const VkPhysicalDeviceExternalBufferInfo *info, VkExternalBufferProperties *out)
{
    ((PFN_vkGetPhysicalDeviceExternalBufferProperties)real.of_instance(instance_of_all, "vkGetPhysicalDeviceExternalBufferProperties"))(device, info, out);
    if (is_told("no-import"))
        out->externalMemoryProperties.externalMemoryFeatures = 0;
    if (is_told("dedicated"))
        out->externalMemoryProperties.externalMemoryFeatures |= VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT;
}

/* Told to, it has a second family, which computes and does not draw, and whose timestamps have 36 bits. */
static VKAPI_ATTR void VKAPI_CALL families(VkPhysicalDevice device, uint32_t *n, VkQueueFamilyProperties *out)
{
    uint32_t room = *n;
    ((PFN_vkGetPhysicalDeviceQueueFamilyProperties)real.of_instance(instance_of_all, "vkGetPhysicalDeviceQueueFamilyProperties"))(device, n, out);
    if (!is_told("families") || *n != 1)
        return;
    *n = 2;
    if (!out || room < 2)
        return;
    out[1] = out[0];
    out[1].queueFlags = VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT;
    out[1].timestampValidBits = 36;
}

/* ---- what lives */

#define COUNTED(part)                                                                                                                       \
    static VKAPI_ATTR VkResult VKAPI_CALL make_##part(VkDevice d, const Vk##part##CreateInfo *info, const VkAllocationCallbacks *a, Vk##part *out) \
    {                                                                                                                                       \
        VkResult r = real.Create##part(d, info, a, out);                                                                                    \
        count(r);                                                                                                                           \
        return r;                                                                                                                           \
    }                                                                                                                                       \
    static VKAPI_ATTR void VKAPI_CALL drop_##part(VkDevice d, Vk##part it, const VkAllocationCallbacks *a)                                  \
    {                                                                                                                                       \
        real.Destroy##part(d, it, a);                                                                                                       \
        uncount(it != VK_NULL_HANDLE);                                                                                                      \
    }
PARTS(COUNTED)
#undef COUNTED

static VKAPI_ATTR VkResult VKAPI_CALL make_cache(VkDevice d, const VkPipelineCacheCreateInfo *info, const VkAllocationCallbacks *a, VkPipelineCache *out)
{
    __atomic_store_n(&cache_bytes, (uint32_t)info->initialDataSize, __ATOMIC_RELAXED);
    return make_PipelineCache(d, info, a, out);
}

/* What a driver keeps is told, when a fault asks for it: so many bytes, its own first. */
static VKAPI_ATTR VkResult VKAPI_CALL cache_data(VkDevice handle, VkPipelineCache cache, size_t *bytes, void *data)
{
    pthread_mutex_lock(&lock);
    const struct fault f = find(handle)->fault;
    pthread_mutex_unlock(&lock);
    size_t room = *bytes;
    VkResult r = real.GetPipelineCacheData(handle, cache, bytes, data);
    if (r || strcmp(f.name, "cache"))
        return r;
    if (data && room > *bytes)
        memset((char *)data + *bytes, 0x5a, room - *bytes);
    *bytes = f.nth;
    return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL make_pipelines(VkDevice d, VkPipelineCache cache, uint32_t n, const VkComputePipelineCreateInfo *info,
                                                     const VkAllocationCallbacks *a, VkPipeline *out)
{
    VkResult r = real.CreateComputePipelines(d, cache, n, info, a, out);
    for (uint32_t i = 0; i < n; i++)
        count(out[i] ? VK_SUCCESS : VK_NOT_READY);
    return r;
}

static VKAPI_ATTR void VKAPI_CALL drop_pipeline(VkDevice d, VkPipeline it, const VkAllocationCallbacks *a)
{
    real.DestroyPipeline(d, it, a);
    uncount(it != VK_NULL_HANDLE);
}

/* ---- memory */

static VKAPI_ATTR VkResult VKAPI_CALL allocate(VkDevice handle, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *a, VkDeviceMemory *out)
{
    pthread_mutex_lock(&lock);
    struct device *d = find(handle);
    VkResult r = has(d, "no-memory") && ++d->allocations == d->fault.nth ? VK_ERROR_OUT_OF_DEVICE_MEMORY
                                                                          : real.AllocateMemory(handle, info, a, out);
    struct memory *m = r ? NULL : find_memory(d, VK_NULL_HANDLE);
    if (m)
        *m = (struct memory){.handle = *out, .bytes = info->allocationSize};
    pthread_mutex_unlock(&lock);
    count(r);
    return r;
}

static VKAPI_ATTR VkResult VKAPI_CALL map(VkDevice handle, VkDeviceMemory memory, VkDeviceSize at, VkDeviceSize bytes, VkMemoryMapFlags flags, void **out)
{
    VkResult r = real.MapMemory(handle, memory, at, bytes, flags, out);
    pthread_mutex_lock(&lock);
    struct memory *m = find_memory(find(handle), memory);
    if (!r && !at && m)
        m->at = *out;
    pthread_mutex_unlock(&lock);
    return r;
}

static VKAPI_ATTR void VKAPI_CALL release(VkDevice handle, VkDeviceMemory memory, const VkAllocationCallbacks *a)
{
    pthread_mutex_lock(&lock);
    struct memory *m = memory ? find_memory(find(handle), memory) : NULL;
    if (m)
        *m = (struct memory){0};
    pthread_mutex_unlock(&lock);
    real.FreeMemory(handle, memory, a);
    uncount(memory != VK_NULL_HANDLE);
}

static VKAPI_ATTR VkResult VKAPI_CALL bind(VkDevice handle, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize at)
{
    pthread_mutex_lock(&lock);
    struct memory *m = find_memory(find(handle), memory);
    if (m)
        m->buffer = buffer;
    pthread_mutex_unlock(&lock);
    return real.BindBufferMemory(handle, buffer, memory, at);
}

static VKAPI_ATTR void VKAPI_CALL copy(VkCommandBuffer commands, VkBuffer from, VkBuffer to, uint32_t n, const VkBufferCopy *regions)
{
    pthread_mutex_lock(&lock);
    for (uint32_t d = 0; d < DEVICES_MAX; d++)
        for (uint32_t i = 0; i < MEMORIES_MAX; i++)
            devices[d].memories[i].is_back |= devices[d].memories[i].buffer == to;
    pthread_mutex_unlock(&lock);
    real.CmdCopyBuffer(commands, from, to, n, regions);
}

/* Of all that was brought back to the host: a word, or one to four bits, by turns among the first 512 bytes, where results lie, and anywhere. */
static void soil(const struct device *d)
{
    uint64_t x = d->fault.seed * 0x9e3779b97f4a7c15u + 1;
    for (const struct memory *m = d->memories; m < d->memories + MEMORIES_MAX; m++) {
        uint64_t word = d->fault.seed;
        bool is_seen = m->at && m->is_back;
        if (is_seen && has(d, "wrong-word") && word < m->bytes / 4)
            ((uint32_t *)m->at)[word] ^= 0x40000040;
        if (is_seen && has(d, "growing-word") && word < m->bytes / 4)
            ((uint32_t *)m->at)[word] += 100000 * d->submissions;
        for (uint32_t n = 0; is_seen && has(d, "wrong-bytes") && n <= d->fault.seed / 2 % 4; n++) {
            x = x * 0x5851f42d4c957f2du + 0x14057b7ef767814fu;
            uint64_t bytes = n % 2 || m->bytes < 512 ? m->bytes : 512;
            ((uint8_t *)m->at)[(x >> 20) % bytes] ^= (uint8_t)(1u << (x >> 61));
        }
    }
}

/* ---- work */

/* Loses the device: what came before has ended, what comes never will. */
static void lose(struct device *d)
{
    d->is_lost = true;
    (void)real.DeviceWaitIdle(d->handle);
}

static VKAPI_ATTR VkResult VKAPI_CALL submit(VkQueue queue, uint32_t n, const VkSubmitInfo *info, VkFence fence)
{
    pthread_mutex_lock(&lock);
    struct device *d = find_queue(queue);
    bool was_lost = d->is_lost, strikes = ++d->submissions >= d->fault.nth && d->fault.nth;
    bool is_dropped = strikes && (has(d, "hang") || has(d, "lost-in-flight") || has(d, "lost-quietly"));
    bool at_once = strikes && has(d, "lost-at-submit");
    if (!was_lost && (at_once || (is_dropped && !has(d, "hang"))))
        lose(d);
    VkResult r = was_lost || at_once ? VK_ERROR_DEVICE_LOST : is_dropped ? VK_SUCCESS : real.QueueSubmit(queue, n, info, fence);
    pthread_mutex_unlock(&lock);
    return r;
}

/* Of a hung device the driver behind waits: for work that it was never given. */
static VKAPI_ATTR VkResult VKAPI_CALL wait(VkDevice handle, const VkSemaphoreWaitInfo *info, uint64_t timeout_ns)
{
    pthread_mutex_lock(&lock);
    struct device *d = find(handle);
    bool is_lost = d->is_lost, is_quiet = has(d, "lost-quietly");
    bool is_soiled = (has(d, "wrong-bytes") || has(d, "wrong-word") || has(d, "growing-word")) && d->submissions >= d->fault.nth;
    pthread_mutex_unlock(&lock);
    VkResult r = !is_lost ? real.WaitSemaphores(handle, info, timeout_ns) : is_quiet ? VK_SUCCESS : VK_ERROR_DEVICE_LOST;
    if (!r && is_soiled) {
        pthread_mutex_lock(&lock);
        soil(d);
        pthread_mutex_unlock(&lock);
    }
    return r;
}

static bool is_lost_now(VkDevice handle)
{
    pthread_mutex_lock(&lock);
    bool is_lost = find(handle)->is_lost;
    pthread_mutex_unlock(&lock);
    return is_lost;
}

static VKAPI_ATTR VkResult VKAPI_CALL wait_idle(VkDevice handle)
{
    return is_lost_now(handle) ? VK_ERROR_DEVICE_LOST : real.DeviceWaitIdle(handle);
}

static VKAPI_ATTR VkResult VKAPI_CALL query(VkDevice handle, VkQueryPool pool, uint32_t first, uint32_t n, size_t bytes, void *out, VkDeviceSize stride,
                                            VkQueryResultFlags flags)
{
    return is_lost_now(handle) ? VK_ERROR_DEVICE_LOST : real.GetQueryPoolResults(handle, pool, first, n, bytes, out, stride, flags);
}

/* ---- devices */

static VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo *info, const VkAllocationCallbacks *a, VkDevice *out)
{
    PFN_vkCreateDevice create = (PFN_vkCreateDevice)real.of_instance(instance_of_all, "vkCreateDevice");
    VkResult r = is_told("no-open") ? VK_ERROR_INITIALIZATION_FAILED : create(physical, info, a, out);
    if (r)
        return r;
    pthread_mutex_lock(&lock);
    real.of_device = (PFN_vkGetDeviceProcAddr)real.of_instance(instance_of_all, "vkGetDeviceProcAddr");
#define LOAD(name) real.name = (PFN_vk##name)real.of_device(*out, "vk" #name);
#define LOAD_PART(part) LOAD(Create##part) LOAD(Destroy##part)
    PARTS(LOAD_PART)
    LOAD(CreateComputePipelines) LOAD(DestroyPipeline) LOAD(DestroyDevice) LOAD(GetDeviceQueue) LOAD(AllocateMemory) LOAD(FreeMemory)
    LOAD(MapMemory) LOAD(BindBufferMemory) LOAD(CmdCopyBuffer) LOAD(QueueSubmit) LOAD(WaitSemaphores) LOAD(DeviceWaitIdle) LOAD(GetQueryPoolResults) LOAD(GetPipelineCacheData)
    *find(NULL) = (struct device){.handle = *out, .fault = told()};
    pthread_mutex_unlock(&lock);
    count(VK_SUCCESS);
    return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL destroy_device(VkDevice handle, const VkAllocationCallbacks *a)
{
    if (!handle)
        return;
    pthread_mutex_lock(&lock);
    *find(handle) = (struct device){0};
    pthread_mutex_unlock(&lock);
    real.DestroyDevice(handle, a);
    uncount(true);
}

static VKAPI_ATTR void VKAPI_CALL device_queue(VkDevice handle, uint32_t family, uint32_t index, VkQueue *out)
{
    real.GetDeviceQueue(handle, family, index, out);
    pthread_mutex_lock(&lock);
    find(handle)->queue = *out;
    pthread_mutex_unlock(&lock);
}

/* ---- names */

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL of_device(VkDevice device, const char *name);

/* What stands instead of a function of the driver behind, or that function. */
static PFN_vkVoidFunction instead(const char *name, PFN_vkVoidFunction its)
{
#define PART(part) {"vkCreate" #part, (PFN_vkVoidFunction)make_##part}, {"vkDestroy" #part, (PFN_vkVoidFunction)drop_##part},
    static const struct {
        const char *name;
        PFN_vkVoidFunction ours;
    } replaced[] = {
        {"vkCreateInstance", (PFN_vkVoidFunction)create_instance}, {"vkDestroyInstance", (PFN_vkVoidFunction)destroy_instance},
        {"vkBindBufferMemory", (PFN_vkVoidFunction)bind}, {"vkCmdCopyBuffer", (PFN_vkVoidFunction)copy}, {"vkEnumeratePhysicalDevices", (PFN_vkVoidFunction)enumerate},
        {"vkGetPhysicalDeviceProperties", (PFN_vkVoidFunction)properties}, {"vkGetPhysicalDeviceProperties2", (PFN_vkVoidFunction)properties2},
        {"vkGetPhysicalDeviceProperties2KHR", (PFN_vkVoidFunction)properties2}, {"vkGetPhysicalDeviceFeatures2", (PFN_vkVoidFunction)features2},
        {"vkGetPhysicalDeviceFeatures2KHR", (PFN_vkVoidFunction)features2}, {"vkCreateDevice", (PFN_vkVoidFunction)create_device},
        {"vkGetPhysicalDeviceExternalBufferProperties", (PFN_vkVoidFunction)external_buffer},
        {"vkGetPhysicalDeviceQueueFamilyProperties", (PFN_vkVoidFunction)families}, {"vkGetDeviceProcAddr", (PFN_vkVoidFunction)of_device}, {"vkDestroyDevice", (PFN_vkVoidFunction)destroy_device},
        {"vkGetDeviceQueue", (PFN_vkVoidFunction)device_queue}, {"vkAllocateMemory", (PFN_vkVoidFunction)allocate},
        {"vkFreeMemory", (PFN_vkVoidFunction)release}, {"vkMapMemory", (PFN_vkVoidFunction)map}, {"vkQueueSubmit", (PFN_vkVoidFunction)submit},
        {"vkWaitSemaphores", (PFN_vkVoidFunction)wait}, {"vkDeviceWaitIdle", (PFN_vkVoidFunction)wait_idle},
        {"vkGetQueryPoolResults", (PFN_vkVoidFunction)query}, {"vkGetPipelineCacheData", (PFN_vkVoidFunction)cache_data},
        {"vkCreateComputePipelines", (PFN_vkVoidFunction)make_pipelines}, {"vkDestroyPipeline", (PFN_vkVoidFunction)drop_pipeline},
        {"vkCreatePipelineCache", (PFN_vkVoidFunction)make_cache}, PARTS(PART)};
    for (uint32_t i = 0; its && i < sizeof replaced / sizeof *replaced; i++)
        if (!strcmp(replaced[i].name, name))
            return replaced[i].ours;
    return its;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL of_device(VkDevice device, const char *name)
{
    if (is_told("no-function") && !strcmp(name, "vkWaitSemaphores"))
        return NULL;
    return instead(name, real.of_device(device, name));
}

PFN_vkVoidFunction vk_icdGetInstanceProcAddr(VkInstance instance, const char *name) { return instead(name, real.of_instance(instance, name)); }

PFN_vkVoidFunction vk_icdGetPhysicalDeviceProcAddr(VkInstance instance, const char *name)
{
    return real.of_physical ? instead(name, real.of_physical(instance, name)) : NULL;
}

/* The loader's first call. The driver behind stays in memory until the process ends. */
VkResult vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version)
{
    const char *path = getenv("ADIT_FAULTY_DRIVER");
    if (!library)
        library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) : NULL;
    if (!library)
        return VK_ERROR_INCOMPATIBLE_DRIVER;
    real.negotiate = (PFN_vk_icdNegotiateLoaderICDInterfaceVersion)dlsym(library, "vk_icdNegotiateLoaderICDInterfaceVersion");
    real.of_instance = (PFN_vk_icdGetInstanceProcAddr)dlsym(library, "vk_icdGetInstanceProcAddr");
    real.of_physical = (PFN_vk_icdGetPhysicalDeviceProcAddr)dlsym(library, "vk_icdGetPhysicalDeviceProcAddr");
    return real.negotiate && real.of_instance ? real.negotiate(version) : VK_ERROR_INCOMPATIBLE_DRIVER;
}
