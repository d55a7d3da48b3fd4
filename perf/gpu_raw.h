/* gpu_raw.h - the raw limits of a device: what a submission and a byte over the link cost, whatever is computed. */
#ifndef PERF_GPU_RAW_H
#define PERF_GPU_RAW_H

#include "gpu/gpu_parts.h"

enum gpu_raw_copy { GPU_RAW_UP, GPU_RAW_DOWN, GPU_RAW_OWN, GPU_RAW_COPIES };

struct gpu_raw {
    struct adit_gpu *gpu;
    struct adit_gpu_memory upload, readback, local[2];
    VkCommandPool pool;
    VkCommandBuffer empty, copies[GPU_RAW_COPIES];
    VkSemaphore done;
    uint64_t value;
};

/* Buffers of bytes each. VK_SUCCESS or the driver's answer; close in any case. */
VkResult gpu_raw_open(struct adit_gpu *gpu, VkDeviceSize bytes, struct gpu_raw *out);
void gpu_raw_close(struct gpu_raw *raw);

/* From submitting until the host has seen the end, in ns; 0 when it failed. */
double gpu_raw_empty_ns(struct gpu_raw *raw);
double gpu_raw_copy_ns(struct gpu_raw *raw, enum gpu_raw_copy which);

#endif
