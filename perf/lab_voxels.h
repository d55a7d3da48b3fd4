/* lab_voxels.h - chunks for scenes: inputs of known character, the same on every machine.
 */
#ifndef PERF_LAB_VOXELS_H
#define PERF_LAB_VOXELS_H

#include "kernels/kernels.h"
#include "runtime/encoding.h"

/* Chunks whose versions take about 176 B, 4 KiB, 64 KiB, 256 KiB: uniform; then bricks of few to many materials. */
#define VOXELS_SIZES 4
void voxels_fill_sized(uint16_t *voxels, uint32_t size);

/* Inputs of meshing and encoding, each with its six neighbours' planes: of a generated world where there is one (so the
 * planes are what lies beyond), else missing (air). */
struct voxels_input {
    const char *name;
    const char *generator; /* of kernels/generate.h; "hills": of voxels.c; NULL: all voxels are `material` */
    int32_t y;             /* of the chunk (0, y, 0) */
    uint16_t material;
};
extern const struct voxels_input voxels_inputs[];
extern const uint32_t voxels_inputs_n;

/* What a kernel is given for an input: mesh as plain voxels, published as a version of a chunk keeps them. */
struct voxels_source {
    uint16_t voxels[ADIT_CHUNK_VOXELS];
    uint16_t planes[ADIT_FACES][ADIT_PLANE_VOXELS];
    uint8_t classes[ADIT_MATERIALS];
    uint8_t block[ADIT_ENCODED_BYTES_MAX] __attribute__((aligned(64)));
    struct adit_voxels encoded;
    struct adit_mesh_source mesh, published;
};
/* Fills source from input; it must not be copied afterwards. Returns 0, -ENOENT when there is no such generator, or -ENOMEM. */
int voxels_source_fill(struct voxels_source *source, const struct voxels_input *input);
/* Makes the published form anew, after a scene has changed voxels; its source is then that of mesh. Returns 0, -ENOMEM or -EBADMSG. */
int voxels_source_encode(struct voxels_source *source);
/* As voxels_source_fill, of the chunk x, z chunks beside that: another piece of the same world. */
int voxels_source_fill_at(struct voxels_source *source, const struct voxels_input *input, int32_t x, int32_t z);

#endif
