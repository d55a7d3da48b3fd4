/* gpu_kinds.c - the shaders, as words of SPIR-V that glslc made, and the table of kinds. */
#include "gpu/gpu_kinds.h"

static const uint32_t decode_code[] =
#include "gpu/mesh_decode.inc"
    ;
static const uint32_t planes_code[] =
#include "gpu/mesh_planes.inc"
    ;
static const uint32_t bits_code[] =
#include "gpu/mesh_bits.inc"
    ;
static const uint32_t rows_code[] =
#include "gpu/mesh_rows.inc"
    ;
static const uint32_t shade_code[] =
#include "gpu/mesh_shade.inc"
    ;
static const uint32_t runs_code[] =
#include "gpu/mesh_runs.inc"
    ;
static const uint32_t emit_code[] =
#include "gpu/mesh_emit.inc"
    ;
static const uint32_t scan_code[] =
#include "gpu/mesh_scan.inc"
    ;
static const uint32_t generate_columns_code[] =
#include "gpu/generate_columns.inc"
    ;
static const uint32_t generate_terrain_code[] =
#include "gpu/generate_terrain.inc"
    ;
static const uint32_t generate_plain_code[] =
#include "gpu/generate_plain.inc"
    ;
static const uint32_t lod_halve_code[] =
#include "gpu/lod_halve.inc"
    ;

#define CODE(words) {words, sizeof(words), 0}
#define SHADED(words) {words, sizeof(words), 1}

const struct adit_gpu_program adit_gpu_programs[ADIT_GPU_KINDS] = {
    [ADIT_GPU_MESH] = {.buffers = ADIT_GPU_BUFFERS, .push_bytes = sizeof(struct adit_gpu_push), .stages = ADIT_GPU_STAGES,
                       .stage = {[ADIT_GPU_DECODE] = CODE(decode_code), [ADIT_GPU_PLANES] = CODE(planes_code),
                                 [ADIT_GPU_BITS_OF] = CODE(bits_code), [ADIT_GPU_ROWS] = CODE(rows_code),
                                 [ADIT_GPU_RUNS] = CODE(runs_code), [ADIT_GPU_SCAN] = CODE(scan_code),
                                 [ADIT_GPU_EMIT] = CODE(emit_code), [ADIT_GPU_SHADE] = SHADED(shade_code),
                                 [ADIT_GPU_RUNS_SHADED] = SHADED(runs_code), [ADIT_GPU_EMIT_SHADED] = SHADED(emit_code)}},
    [ADIT_GPU_GENERATE] = {.buffers = ADIT_GPU_GENERATE_BUFFERS, .stages = ADIT_GPU_GENERATE_STAGES,
                           .stage = {[ADIT_GPU_GENERATE_COLUMNS_OF] = CODE(generate_columns_code),
                                     [ADIT_GPU_GENERATE_TERRAIN] = CODE(generate_terrain_code),
                                     [ADIT_GPU_GENERATE_PLAIN] = CODE(generate_plain_code)}},
    [ADIT_GPU_LOD] = {.buffers = ADIT_GPU_LOD_BUFFERS, .stages = ADIT_GPU_LOD_STAGES, .stage = {[ADIT_GPU_LOD_HALVE] = CODE(lod_halve_code)}},
};

_Static_assert(ADIT_GPU_BUFFERS <= ADIT_GPU_BUFFERS_MAX && ADIT_GPU_STAGES <= ADIT_GPU_STAGES_MAX, "as wide as the table");
