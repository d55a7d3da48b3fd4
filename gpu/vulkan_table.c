#include "gpu/vulkan_table.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encoding.h"

#define LAYER "VK_LAYER_KHRONOS_validation"

const char *adit_vulkan_result(VkResult result)
{
    switch (result) {
    case VK_SUCCESS: return "VK_SUCCESS";
    case VK_NOT_READY: return "VK_NOT_READY";
    case VK_TIMEOUT: return "VK_TIMEOUT";
    case VK_INCOMPLETE: return "VK_INCOMPLETE";
    case VK_ERROR_OUT_OF_HOST_MEMORY: return "VK_ERROR_OUT_OF_HOST_MEMORY";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
    case VK_ERROR_INITIALIZATION_FAILED: return "VK_ERROR_INITIALIZATION_FAILED";
    case VK_ERROR_DEVICE_LOST: return "VK_ERROR_DEVICE_LOST";
    case VK_ERROR_LAYER_NOT_PRESENT: return "VK_ERROR_LAYER_NOT_PRESENT";
    case VK_ERROR_EXTENSION_NOT_PRESENT: return "VK_ERROR_EXTENSION_NOT_PRESENT";
    case VK_ERROR_FEATURE_NOT_PRESENT: return "VK_ERROR_FEATURE_NOT_PRESENT";
    case VK_ERROR_INCOMPATIBLE_DRIVER: return "VK_ERROR_INCOMPATIBLE_DRIVER";
    case VK_ERROR_INVALID_EXTERNAL_HANDLE: return "VK_ERROR_INVALID_EXTERNAL_HANDLE";
    default: return "an error of Vulkan";
    }
}

static bool load_instance(struct adit_vulkan *vk)
{
    bool all = true;
#define LOAD(name) all &= (vk->name = (PFN_vk##name)vk->GetInstanceProcAddr(vk->instance, "vk" #name)) != NULL;
    ADIT_VULKAN_OF_INSTANCE(LOAD)
#undef LOAD
    return all;
}

bool adit_vulkan_load_device(const struct adit_vulkan *vk, VkDevice device, struct adit_vulkan_device *out)
{
    bool all = true;
    *out = (struct adit_vulkan_device){.device = device};
#define LOAD(name) all &= (out->name = (PFN_vk##name)vk->GetDeviceProcAddr(device, "vk" #name)) != NULL;
    ADIT_VULKAN_OF_DEVICE(LOAD)
#undef LOAD
    out->GetMemoryHostPointerPropertiesEXT =
        (PFN_vkGetMemoryHostPointerPropertiesEXT)vk->GetDeviceProcAddr(device, "vkGetMemoryHostPointerPropertiesEXT");
    return all;
}

static VKAPI_ATTR VkBool32 VKAPI_CALL count_complaint(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                     VkDebugUtilsMessageTypeFlagsEXT types,
                                                     const VkDebugUtilsMessengerCallbackDataEXT *data, void *user)
{
    struct adit_vulkan *vk = user;
    (void)severity, (void)types;
    (void)__atomic_fetch_add(&vk->complaints, 1, __ATOMIC_RELAXED); /* a count, read when all is over */
    fprintf(stderr, "%s\n", data->pMessage);
    return VK_FALSE;
}

static VkResult make_messenger(struct adit_vulkan *vk)
{
    const VkDebugUtilsMessengerCreateInfoEXT info = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
        .pfnUserCallback = count_complaint, .pUserData = vk};
    PFN_vkCreateDebugUtilsMessengerEXT create =
        (PFN_vkCreateDebugUtilsMessengerEXT)vk->GetInstanceProcAddr(vk->instance, "vkCreateDebugUtilsMessengerEXT");
    return create ? create(vk->instance, &info, NULL, &vk->messenger) : VK_ERROR_EXTENSION_NOT_PRESENT;
}

static VkResult make_instance(struct adit_vulkan *vk)
{
    static const char *const layers[] = {LAYER}, *const extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME};
    static const VkValidationFeatureEnableEXT wanted[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    const VkValidationFeaturesEXT validation = {.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                                .enabledValidationFeatureCount = 1, .pEnabledValidationFeatures = wanted};
    const VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .pApplicationName = "adit",
                                   .apiVersion = VK_API_VERSION_1_2};
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &app};
    PFN_vkCreateInstance create = (PFN_vkCreateInstance)vk->GetInstanceProcAddr(NULL, "vkCreateInstance");
    if (!create)
        return VK_ERROR_INITIALIZATION_FAILED;
    vk->validates = getenv("ADIT_VULKAN_VALIDATE") != NULL;
    if (vk->validates) {
        info.pNext = &validation;
        info.enabledLayerCount = 1;
        info.ppEnabledLayerNames = layers;
        info.enabledExtensionCount = 1;
        info.ppEnabledExtensionNames = extensions;
    }
    VkResult r = create(&info, NULL, &vk->instance);
    return r || !vk->validates ? r : make_messenger(vk);
}

int adit_vulkan_open(struct adit_vulkan *vk)
{
    *vk = (struct adit_vulkan){0};
    if (adit_os_is_disabled("vulkan"))
        return adit_fault(-ENOENT, "vulkan: switched off by ADIT_DISABLE");
    vk->library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!vk->library)
        return adit_fault(-ENOENT, "vulkan: no libvulkan.so.1 here (Debian: libvulkan1)");
    vk->GetInstanceProcAddr = (PFN_vkGetInstanceProcAddr)dlsym(vk->library, "vkGetInstanceProcAddr");
    VkResult r = vk->GetInstanceProcAddr ? make_instance(vk) : VK_ERROR_INITIALIZATION_FAILED;
    if (!r && !load_instance(vk))
        r = VK_ERROR_INITIALIZATION_FAILED;
    if (!r)
        return 0;
    adit_vulkan_close(vk);
    return adit_fault(-ENODEV, "vulkan: no instance (%s); is there a driver? VK_DRIVER_FILES can name one", adit_vulkan_result(r));
}

void adit_vulkan_close(struct adit_vulkan *vk)
{
    PFN_vkDestroyDebugUtilsMessengerEXT destroy =
        vk->messenger ? (PFN_vkDestroyDebugUtilsMessengerEXT)vk->GetInstanceProcAddr(vk->instance, "vkDestroyDebugUtilsMessengerEXT") : NULL;
    bool is_free = !__atomic_load_n(&vk->abandoned, __ATOMIC_RELAXED); /* relaxed: devices are closed before, by whoever closes this */
    if (destroy)
        destroy(vk->instance, vk->messenger, NULL);
    if (vk->instance && vk->DestroyInstance && is_free)
        vk->DestroyInstance(vk->instance, NULL);
    if (vk->library && is_free)
        dlclose(vk->library);
    *vk = (struct adit_vulkan){0};
}

void adit_vulkan_block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

void adit_vulkan_restore_signals(const sigset_t *before) { pthread_sigmask(SIG_SETMASK, before, NULL); }
