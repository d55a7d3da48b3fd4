/* gpu_executor.h - Vulkan devices as the dispatcher sees them: adit_devices_open of adit.h, and what tools want to know besides.
 *
 *     struct adit_devices *devices;
 *     struct adit_devices_params params = {.size = sizeof params};
 *     if (!adit_devices_open(&params, &devices))
 *         adit_dispatcher_open(arena, &(struct adit_dispatcher_params){.size = sizeof(struct adit_dispatcher_params), .devices = devices}, &dispatcher);
 */
#ifndef ADIT_GPU_EXECUTOR_H
#define ADIT_GPU_EXECUTOR_H

#include "gpu/mesh_batch.h"
#include "runtime/adit.h"

/* An executor on an opened device, which stays open as long: the i-th of Vulkan's list. batch_max: chunks, 0 for what suits the device; at most what its buffers hold. */
void adit_gpu_executor_init(struct adit_executor *executor, struct adit_gpu *gpu, uint32_t i, uint32_t batch_max);

/* Vulkan's list that devices were opened from, as long as they are. */
struct adit_gpu_list *adit_devices_list(struct adit_devices *devices);

#endif
