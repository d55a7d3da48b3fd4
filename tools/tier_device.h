/* tier_device.h - the tiers "vulkan:N": checked, and measured with batches of one chunk and of many.
 *
 * Checked is all that programs have a device do: the chunks of tier_chunks.h, copied to it, and again fetched by itself where it can import memory; terrain of every size,
 * noise50 and checker. Measured is the way that the dispatcher takes: fetched where that can be.
 *
 * What is timed of a batch is filling it, submitting it, waiting for it, and taking its quads out of it (generating: the voxels stay in it, where who asked
 * for them reads them); batches are opened before. One batch is in flight at a time: what two of them overlap is the dispatcher's gain.
 */
#ifndef ADIT_TIER_DEVICE_H
#define ADIT_TIER_DEVICE_H

#include "gpu/gpu_device.h"
#include "tools/tier_check.h"
#include "tools/tier_energy.h"
#include "tools/tier_table.h"

/* Who is checked as "vulkan:N" gives its meshes by this; a test puts its own before it. */
adit_tier_mesh adit_tier_device_mesh;

/* What the tier is called, and what it is, of device i of the list. */
void adit_tier_device_describe(const struct adit_gpu_list *list, uint32_t i, struct adit_tier *tier);

/* Opens device i, checks and measures it: its state, why and cells. varied, world: of tier_chunks.h. mesh: how it is asked for meshes while it is checked.
 * 0, whatever became of the tier, or -EINTR, -ENOMEM. */
int adit_tier_device_try(struct adit_gpu_list *list, uint32_t i, adit_tier_mesh *mesh, const struct adit_tier_chunks *varied,
                         const struct adit_tier_chunks *world, const struct adit_tier_energy *energy, struct adit_tier *tier);

#endif
