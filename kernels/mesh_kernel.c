/* mesh_kernel.c - mesh kernels by name, and what they share at their edges. */
#include "kernels/mesh.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "kernels/processor.h"

static adit_mesh_kernel *const kernels[ADIT_ISAS] = {adit_mesh_scalar, adit_mesh_avx2, adit_mesh_avx512};

adit_mesh_kernel *adit_mesh_kernel_named(const char *name)
{
    int isa = adit_isa_named(name);
    return isa < 0 ? NULL : kernels[isa];
}

adit_mesh_kernel *adit_mesh_kernel_best(const char **name)
{
    return kernels[adit_isa_best(name)];
}

bool adit_mesh_is_valid(const struct adit_mesh_source *source, const struct adit_mesh_result *result)
{
    for (int axis = 0; axis < 3; axis++)
        if (source->dim[axis] < 1 || source->dim[axis] > ADIT_CHUNK_DIM)
            return false;
    bool is_whole = source->dim[0] == ADIT_CHUNK_DIM && source->dim[1] == ADIT_CHUNK_DIM && source->dim[2] == ADIT_CHUNK_DIM;
    return (source->encoded ? is_whole : source->voxels != NULL) && source->classes && (result->quads || !result->quads_max);
}

void adit_mesh_result_init(struct adit_mesh_result *result)
{
    memset(result->start, 0, sizeof result->start);
    memset(result->bounds_lo, ADIT_CHUNK_DIM - 1, sizeof result->bounds_lo);
    memset(result->bounds_hi, 0, sizeof result->bounds_hi);
    result->faces = 0;
}

int adit_mesh_result_finish(struct adit_mesh_result *result, const uint64_t extent[3], uint32_t count)
{
    for (int axis = 0; axis < 3 && count; axis++) {
        result->bounds_lo[axis] = (uint8_t)__builtin_ctzll(extent[axis]);
        result->bounds_hi[axis] = (uint8_t)(ADIT_CHUNK_DIM - 1 - __builtin_clzll(extent[axis]));
    }
    result->start[ADIT_MESH_RANGES] = count;
    return count > result->quads_max ? -ENOSPC : 0;
}
