/* pipeline_cache.h - what a driver has compiled, kept from one process to the next: $XDG_CACHE_HOME/adit/pipelines-UUID (else in ~/.cache/adit), a file a device.
 *
 *     bytes   what
 *     0..7    magic
 *     8..15   bytes of the driver's data, at most ADIT_GPU_CACHE_MAX
 *     16..23  XXH3 of these, seeded by the device's UUID, its driver's name and version
 *     24..    the driver's data
 *
 * Vulkan has a driver look at the head of its data only (VkPipelineCacheHeaderVersionOne; 1.2, 9.6): a file that was cut, damaged, made by something else or can be
 * written by others never reaches it. Without a file the driver compiles again; nothing here is an error.
 *
 * How it is judged and written: runtime/kept_file.h. */
#ifndef ADIT_PIPELINE_CACHE_H
#define ADIT_PIPELINE_CACHE_H

#include "gpu/gpu_parts.h"

#define ADIT_GPU_CACHE_MAX (8u << 20)

/* Makes gpu->cache of the device's file, or empty. Blocks for as long as reading takes. VK_SUCCESS or what the driver says. */
VkResult adit_pipeline_cache_open(struct adit_gpu *gpu);
/* Writes the file when the driver has more than it held. Under kinds_lock. */
void adit_pipeline_cache_save(struct adit_gpu *gpu);

#endif
