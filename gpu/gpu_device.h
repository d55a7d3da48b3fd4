/* gpu_device.h - which Vulkan devices there are, and what of each matters here.
 *
 *     struct adit_gpu_list *list;
 *     if (!adit_gpu_list_open(&list))
 *         for (uint32_t i = 0; i < list->n; i++)
 *             puts(list->devices[i].name);
 *     adit_gpu_list_close(&list);
 *
 * One device may be offered by several drivers, or by one driver listed twice: of the same UUID the first one counts. A device that is a
 * program on the CPU (lavapipe) is marked as such, and works as any other.
 */
#ifndef ADIT_GPU_DEVICE_H
#define ADIT_GPU_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "gpu/vulkan_table.h"

#define ADIT_GPU_DEVICES_MAX 16u
#define ADIT_GPU_BUFFER_USAGE (VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT) /* of every buffer here */

struct adit_gpu_device {
    VkPhysicalDevice handle;
    char name[256], driver[256], driver_info[256];
    uint8_t uuid[16];
    char pci[16];           /* "0000:00:00.0", or "" */
    int32_t node;           /* its NUMA node, or -1 */
    uint64_t local_bytes;   /* the largest heap of its own memory */
    uint64_t range_max;     /* bytes of one storage buffer */
    uint32_t subgroup;      /* invocations */
    uint32_t family;        /* a queue family that computes, and draws nothing if there is such a one */
    uint32_t import_align;  /* of host memory that it can import, 0: it cannot */
    uint64_t import_max;    /* bytes of one import, a multiple of import_align; more is imported in pieces */
    float timestamp_ns;     /* a tick of its timestamps, 0: it has none */
    uint64_t timestamp_mask; /* the bits of one that count */
    bool is_software, is_unified; /* runs on the CPU; its own memory is the host's */
    const char *unfit;      /* why adit cannot use it, or NULL */
};

struct adit_gpu_list {
    struct adit_vulkan vk;
    uint32_t n;
    uint32_t folded; /* that were there already */
    struct adit_gpu_device devices[ADIT_GPU_DEVICES_MAX];
};

/* Opens Vulkan and looks at its devices. 0 with at least one device; -ENOENT: no loader; -ENODEV: no driver, or none with a
 * device; -ENOMEM. adit_detail() has the line. Blocks while drivers load. */
int adit_gpu_list_open(struct adit_gpu_list **out);
void adit_gpu_list_close(struct adit_gpu_list **list);

#endif
