/* gpu_generate.h - the part of gpu-bench about generate batches: equality with the CPU's generators, then what a chunk costs the device, end to end, and
 * the CPU beside it. */
#ifndef PERF_GPU_GENERATE_H
#define PERF_GPU_GENERATE_H

#include <jansson.h>

#include "gpu/generate_batch.h"
#include "perf/gpu_effort.h"

/* Prints as it goes until its effort is spent, and adds "generate" to report. Some seconds on a device; a
 * software one is given small batches. False: voxels differed, or something failed; the line says what. */
bool gpu_generate_bench(struct adit_gpu *gpu, const struct gpu_effort *effort, json_t *report);

#endif
