/* gpu_halve.h - the part of gpu-bench about lod batches: equality with the CPU's kernel, then what halving a chunk costs the device, end to end, and the
 * CPU beside it. */
#ifndef PERF_GPU_HALVE_H
#define PERF_GPU_HALVE_H

#include <jansson.h>

#include "perf/gpu_effort.h"
#include "perf/gpu_world.h"

/* Prints as it goes until its effort is spent, and adds "halve" to report. Some seconds on a device; a software one is
 * given small batches. False: voxels differed, or something failed; the line says what. */
bool gpu_halve_bench(struct adit_gpu *gpu, const struct gpu_world *world, const struct gpu_effort *effort, json_t *report);

#endif
