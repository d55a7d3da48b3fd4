/* tier_kernels.h - what meshing and generating a chunk takes on this thread, by kernel and size class. */
#ifndef ADIT_TIER_KERNELS_H
#define ADIT_TIER_KERNELS_H

#include "tools/tier_chunks.h"
#include "tools/tier_energy.h"
#include "tools/tier_table.h"

/* Meshes the chunks of each class with each kernel by turns, into the cells of tiers[k]; kernels that are NULL are left out. 0, -EINTR, -ENOMEM. */
int adit_tier_kernels_measure(adit_mesh_kernel *const *kernels, uint32_t n, const struct adit_tier_chunks *world, struct adit_tier_scratch *scratch,
                              const struct adit_tier_energy *energy, struct adit_tier *const *tiers);
/* Generates chunks of each class, into the cells of tier. The same errors. */
int adit_tier_generate_measure(const struct adit_tier_chunks *world, const struct adit_tier_energy *energy, struct adit_tier *tier);

#endif
