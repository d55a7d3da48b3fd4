/* tier_bench.h - all tiers of this machine, checked and measured, into a new table.
 *
 * In this order: kernels (self-test, then each by turns over the same chunks), inline, threads and processes of each node in an arena, Vulkan devices. The
 * fastest kernel that gave the right bytes is what inline, threads and processes run. What fails is a row with its reason; nothing but an interrupt, or no
 * memory, ends it. */
#ifndef ADIT_TIER_BENCH_H
#define ADIT_TIER_BENCH_H

#include "gpu/gpu_device.h"
#include "kernels/kernels.h"
#include "tools/progress.h"
#include "tools/tier_check.h"
#include "tools/tier_table.h"

/* Who is measured. adit_tier_makers_here fills it; a test puts a wrong one in. */
struct adit_tier_makers {
    adit_mesh_kernel *kernel[ADIT_TIER_KERNELS]; /* of adit_tier_kernel_names; NULL: not here */
    adit_tier_mesh *device_mesh;
};
void adit_tier_makers_here(struct adit_tier_makers *makers);

struct adit_tier_bench {
    const char *fingerprint;
    struct adit_gpu_list *gpus; /* NULL: none, and gpus_why says why */
    const char *gpus_why;
    const struct adit_tier_makers *makers;
    bool no_processes;
    struct adit_progress *progress;
};

/* Blocks while it measures (tier_table.h). 0, -EINTR, -ENOMEM. */
int adit_tier_bench_run(const struct adit_tier_bench *bench, struct adit_tier_table **out);

#endif
