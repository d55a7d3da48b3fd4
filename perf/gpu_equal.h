/* gpu_equal.h - the part of gpu-bench that compares meshes of every kind with the scalar kernel's: the chunks of the tiers' self-test (tools/tier_chunks.h: few and many
 * materials, more than a palette takes, all classes, greedy, culled, TT_NONE, ambient occlusion with rims, borders there and not), copied to the device, and
 * fetched by itself where it can import memory. */
#ifndef PERF_GPU_EQUAL_H
#define PERF_GPU_EQUAL_H

#include <jansson.h>

#include "gpu/mesh_batch.h"

/* Prints a line for each way, and adds "equality" to report. False: some differ, or it failed. Ends the program when there is no memory. */
bool gpu_equal_bench(struct adit_gpu *gpu, json_t *report);

#endif
