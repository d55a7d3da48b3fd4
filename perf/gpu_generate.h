/* gpu_generate.h - the part of gpu-bench about generate batches: equality with the CPU's generators, then what a chunk costs the device, end to end, and
 * the CPU beside it. */
#ifndef PERF_GPU_GENERATE_H
#define PERF_GPU_GENERATE_H

#include <jansson.h>

#include "gpu/generate_batch.h"

/* Prints as it goes, and adds "generate" to report. repeats: runs of which the median counts, at most 15. Some seconds on a device; a
 * software one is given small batches. False: voxels differed, or something failed; the line says what. */
bool gpu_generate_bench(struct adit_gpu *gpu, uint32_t repeats, json_t *report);

#endif
