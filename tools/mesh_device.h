/* mesh_device.h - a device that meshes one chunk after the other, for `adit mesh --tier vulkan`: to be judged, not to be quick.
 */
#ifndef ADIT_MESH_DEVICE_H
#define ADIT_MESH_DEVICE_H

#include "runtime/adit.h"
#include "runtime/executor.h"

struct adit_mesh_device;

/* On the first of the devices, which stay open as long. -ENOMEM, or what the device says, with adit_detail(). */
int adit_mesh_device_open(struct adit_devices *devices, struct adit_mesh_device **out);
void adit_mesh_device_close(struct adit_mesh_device **device);

/* As a kernel of kernels/mesh.h, from plain voxels; they are published to private memory on the way. Also -EINVAL: not 64^3, or flags or light that no device
 * does; -EIO; -ENOMEM; all with adit_detail(). Where result->quads has room they are copied there. */
int adit_mesh_device_run(struct adit_mesh_device *device, const struct adit_mesh_source *source, struct adit_mesh_result *result);

#endif
