/* gpu_kinds.h - what each kind of batch runs on a device: its shaders, in the order in which they run, the storage buffers that they see and the
 * bytes that are pushed to them. Only files of an opened device include it.
 *
 * A kind's pipelines are made when the first batch of it is opened (adit_gpu_prepare), so that nobody waits for shaders of others. */
#ifndef ADIT_GPU_KINDS_H
#define ADIT_GPU_KINDS_H

#include <stddef.h>
#include <stdint.h>

#define ADIT_GPU_STAGES_MAX 10u
#define ADIT_GPU_BUFFERS_MAX 11u /* a device must allow that many a stage: gpu_device.c */

enum adit_gpu_kind { ADIT_GPU_MESH, ADIT_GPU_GENERATE, ADIT_GPU_LOD, ADIT_GPU_KINDS };

/* Stages of ADIT_GPU_MESH. */
enum adit_gpu_stage { ADIT_GPU_DECODE, ADIT_GPU_PLANES, ADIT_GPU_BITS_OF, ADIT_GPU_ROWS, ADIT_GPU_RUNS, ADIT_GPU_SCAN, ADIT_GPU_EMIT,
                      ADIT_GPU_SHADE, ADIT_GPU_RUNS_SHADED, ADIT_GPU_EMIT_SHADED, /* of batches with AO: one more, and instead of their likes */
                      ADIT_GPU_STAGES };

/* Its storage buffers, by binding in mesh_common.glsl. */
enum adit_gpu_buffer { ADIT_GPU_JOBS, ADIT_GPU_SOURCE, ADIT_GPU_CLASSES, ADIT_GPU_VOXELS, ADIT_GPU_BORDERS, ADIT_GPU_FACES, ADIT_GPU_COUNTS,
                       ADIT_GPU_RESULTS, ADIT_GPU_QUADS, ADIT_GPU_BITS, ADIT_GPU_STARTS,
                       ADIT_GPU_BUFFERS };

struct adit_gpu_push {
    uint32_t chunks, quads_max;
};

/* Stages of ADIT_GPU_GENERATE, and its storage buffers, by binding in generate_common.glsl. Nothing is pushed. */
enum adit_gpu_generate_stage { ADIT_GPU_GENERATE_COLUMNS_OF, ADIT_GPU_GENERATE_TERRAIN, ADIT_GPU_GENERATE_PLAIN, ADIT_GPU_GENERATE_STAGES };
enum adit_gpu_generate_buffer { ADIT_GPU_GENERATE_JOBS, ADIT_GPU_GENERATE_COLUMNS, ADIT_GPU_GENERATE_VOXELS, ADIT_GPU_GENERATE_BUFFERS };

/* The one stage of ADIT_GPU_LOD, and its storage buffers, by binding in lod_halve.comp. Nothing is pushed. */
enum adit_gpu_lod_stage { ADIT_GPU_LOD_HALVE, ADIT_GPU_LOD_STAGES };
enum adit_gpu_lod_buffer { ADIT_GPU_LOD_JOBS, ADIT_GPU_LOD_SOURCE, ADIT_GPU_LOD_HALVED, ADIT_GPU_LOD_BUFFERS };

struct adit_gpu_code {
    const uint32_t *words; /* of SPIR-V */
    size_t bytes;
    uint32_t constant; /* for constant_id 0, where the GLSL has one */
};

struct adit_gpu_program {
    uint32_t buffers; /* bindings 0 to buffers - 1 */
    uint32_t push_bytes;
    uint32_t stages;
    struct adit_gpu_code stage[ADIT_GPU_STAGES_MAX];
};

extern const struct adit_gpu_program adit_gpu_programs[ADIT_GPU_KINDS];

#endif
