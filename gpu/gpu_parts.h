/* gpu_parts.h - what the files of an opened device share; nobody else includes it. */
#ifndef ADIT_GPU_PARTS_H
#define ADIT_GPU_PARTS_H

#include <pthread.h>
#include <unistd.h>

#include "gpu/mesh_batch.h"

#define ADIT_GPU_CACHE_MAX (8u << 20)

/* The storage buffers of mesh_common.glsl, by binding. */
enum adit_gpu_buffer { ADIT_GPU_JOBS, ADIT_GPU_SOURCE, ADIT_GPU_CLASSES, ADIT_GPU_VOXELS, ADIT_GPU_BORDERS, ADIT_GPU_FACES, ADIT_GPU_COUNTS,
                       ADIT_GPU_RESULTS, ADIT_GPU_QUADS, ADIT_GPU_BITS, ADIT_GPU_STARTS,
                       ADIT_GPU_BUFFERS };

enum adit_gpu_stage { ADIT_GPU_DECODE, ADIT_GPU_PLANES, ADIT_GPU_BITS_OF, ADIT_GPU_ROWS, ADIT_GPU_RUNS, ADIT_GPU_SCAN, ADIT_GPU_EMIT, ADIT_GPU_STAGES };

struct adit_gpu_push {
    uint32_t chunks, quads_max;
};

struct adit_gpu {
    const struct adit_vulkan *vk;
    const struct adit_gpu_device *of;
    struct adit_vulkan_device d;
    VkQueue queue;
    pthread_mutex_t queue_lock; /* a queue is one thread's at a time */
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipelineCache cache;
    VkPipeline pipelines[ADIT_GPU_STAGES];
};

/* A buffer with memory of its own; mapped when it is the host's. */
struct adit_gpu_memory {
    VkBuffer buffer;
    VkDeviceMemory memory;
    void *at;
    VkDeviceSize bytes;
};

/* Kinds of memory: the device's own; the host's, to be written; the host's, to be read (cached). */
enum adit_gpu_place { ADIT_GPU_LOCAL, ADIT_GPU_UPLOAD, ADIT_GPU_READBACK };

VkResult adit_gpu_memory_open(struct adit_gpu *gpu, VkDeviceSize bytes, enum adit_gpu_place place, struct adit_gpu_memory *out);
void adit_gpu_memory_close(struct adit_gpu *gpu, struct adit_gpu_memory *memory);

#endif
