/* gpu_parts.h - what the files of an opened device share; else only tests and figures of the device itself include it. */
#ifndef ADIT_GPU_PARTS_H
#define ADIT_GPU_PARTS_H

#include <pthread.h>
#include <unistd.h>

#include "gpu/gpu_kinds.h"
#include "gpu/mesh_batch.h"

/* A kind's program, made by the driver. */
struct adit_gpu_pipelines {
    bool is_ready;
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipeline stage[ADIT_GPU_STAGES_MAX];
};

/* How a device fares. It only gets worse; who wants it back opens it anew. */
enum adit_gpu_health {
    ADIT_GPU_SOUND,
    ADIT_GPU_HUNG, /* given up here: what is in flight may still run, so nothing of it is ever freed */
    ADIT_GPU_LOST, /* its driver says so: nothing runs any more */
};

/* How long after its submission a batch is waited for when it is closed. Drivers that watch over their devices call one lost sooner (amdgpu after 10 s). */
#define ADIT_GPU_PATIENCE_NS 30000000000u

struct adit_gpu {
    struct adit_vulkan *vk;
    const struct adit_gpu_device *of;
    struct adit_vulkan_device d;
    VkQueue queue;
    pthread_mutex_t queue_lock; /* a queue is one thread's at a time */
    VkPipelineCache cache;
    size_t cache_bytes;         /* that stand in its file */
    pthread_mutex_t kinds_lock; /* whoever opens a kind's first batch makes its pipelines, and others wait */
    struct adit_gpu_pipelines kinds[ADIT_GPU_KINDS];
    uint32_t health;            /* atomic: enum adit_gpu_health */
    uint32_t abandoned;         /* atomic: submissions that never ended; the device is left as it is then */
    uint64_t patience_ns;
};

/* Any thread. */
enum adit_gpu_health adit_gpu_health_of(const struct adit_gpu *gpu);
void adit_gpu_worsen(struct adit_gpu *gpu, enum adit_gpu_health health);

/* Makes the pipelines of a kind, unless they are there: for all that open batches, from any thread. Blocks while the driver compiles. -ENODEV: it
 * cannot (detail says why), and a later call tries again; or the device is hung or lost. */
int adit_gpu_prepare(struct adit_gpu *gpu, enum adit_gpu_kind kind);

/* A buffer with memory of its own; mapped when it is the host's. */
struct adit_gpu_memory {
    VkBuffer buffer;
    VkDeviceMemory memory;
    void *at;
    VkDeviceSize bytes;
};

/* Kinds of memory: the device's own; the host's, to be written; the host's, to be read (cached). */
enum adit_gpu_place { ADIT_GPU_LOCAL, ADIT_GPU_UPLOAD, ADIT_GPU_READBACK };

/* The first type of memory that is allowed (a set of bits), has wanted and, where one has it, liked. */
bool adit_gpu_find_type(const struct adit_gpu *gpu, uint32_t allowed, VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags liked, uint32_t *type);

VkResult adit_gpu_memory_open(struct adit_gpu *gpu, VkDeviceSize bytes, enum adit_gpu_place place, struct adit_gpu_memory *out);
void adit_gpu_memory_close(struct adit_gpu *gpu, struct adit_gpu_memory *memory);

#endif
