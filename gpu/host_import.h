/* host_import.h - memory of this process seen by a device where it lies (VK_EXT_external_memory_host), so that nothing is copied to reach it.
 * A driver may refuse any kind of memory (a file's, a read-only one): that is an answer, and what it refuses is copied instead. */
#ifndef ADIT_HOST_IMPORT_H
#define ADIT_HOST_IMPORT_H

#include "gpu/gpu_parts.h"
#include "runtime/executor.h"

#define ADIT_IMPORTS_MAX 64u

/* A buffer over [at, at + bytes), both multiples of the device's import_align, bytes up to its import_max; close it with adit_gpu_memory_close. The memory stays mapped until then, readable, and
 * writable if the device writes: a driver on the CPU would die of it as any thread does. VK_SUCCESS, or what the driver said;
 * VK_ERROR_EXTENSION_NOT_PRESENT without the extension, VK_ERROR_INVALID_EXTERNAL_HANDLE when it is empty, not aligned or not mapped. Nothing is left of what is refused. */
VkResult adit_host_import_open(struct adit_gpu *gpu, void *at, VkDeviceSize bytes, struct adit_gpu_memory *out);

/* Several ranges at once: the data segments of an arena. One that is larger than the device takes at once becomes several; what lies over a seam is in none. */
struct adit_host_imports {
    struct adit_gpu *gpu;
    uint32_t n;
    const void *at[ADIT_IMPORTS_MAX];
    struct adit_gpu_memory memory[ADIT_IMPORTS_MAX];
};

/* All of them or none: -ENOTSUP with a line (refused, or too many pieces). They stay mapped until the close. Blocks while pages are pinned (README.md has figures). */
int adit_host_imports_open(struct adit_gpu *gpu, const struct adit_import_range *ranges, uint32_t n, struct adit_host_imports **out);
/* When no batch that read from them is in flight. Those of a device that hangs are left alone: it may be reading. */
void adit_host_imports_close(struct adit_host_imports **imports);
/* Where [at, at + bytes) lies in them: the number of the piece, and the byte in it. imports may be NULL. */
bool adit_host_imports_find(const struct adit_host_imports *imports, const void *at, size_t bytes, uint32_t *which, VkDeviceSize *offset);

#endif
