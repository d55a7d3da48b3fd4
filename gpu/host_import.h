/* host_import.h - memory of this process seen by a device where it lies (VK_EXT_external_memory_host), so that nothing is copied to reach it.
 * A driver may refuse any kind of memory (a file's, a read-only one): that is an answer, and what it refuses is copied instead. */
#ifndef ADIT_HOST_IMPORT_H
#define ADIT_HOST_IMPORT_H

#include "gpu/gpu_parts.h"

/* A buffer over [at, at + bytes), both multiples of the device's import_align; close it with adit_gpu_memory_close. The memory stays mapped until then, readable, and
 * writable if the device writes: a driver on the CPU would die of it as any thread does. VK_SUCCESS, or what the driver said;
 * VK_ERROR_EXTENSION_NOT_PRESENT without the extension, VK_ERROR_INVALID_EXTERNAL_HANDLE when it is empty, not aligned or not mapped. Nothing is left of what is refused. */
VkResult adit_host_import_open(struct adit_gpu *gpu, void *at, VkDeviceSize bytes, struct adit_gpu_memory *out);

#endif
