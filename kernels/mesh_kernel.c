/* mesh_kernel.c - which mesh kernels this processor has, and what they share at their edges. A kernel is offered only when
 * every extension its file is compiled for is there. */
#include "kernels/mesh.h"

#include <stddef.h>
#include <string.h>

#include "kernels/processor.h"

static bool has_scalar(void)
{
    return true;
}

static const struct {
    const char *name;
    adit_mesh_kernel *mesh;
    bool (*is_there)(void);
} kernels[] = { /* fastest first; the last is always there */
    { "avx512", adit_mesh_avx512, adit_processor_has_avx512 },
    { "avx2", adit_mesh_avx2, adit_processor_has_avx2 },
    { "scalar", adit_mesh_scalar, has_scalar },
};
enum { KERNELS = sizeof kernels / sizeof *kernels };

adit_mesh_kernel *adit_mesh_kernel_named(const char *name)
{
    for (int i = 0; i < KERNELS; i++)
        if (!strcmp(kernels[i].name, name))
            return kernels[i].is_there() ? kernels[i].mesh : NULL;
    return NULL;
}

adit_mesh_kernel *adit_mesh_kernel_best(const char **name)
{
    int i = 0;
    while (i < KERNELS - 1 && !kernels[i].is_there())
        i++;
    if (name)
        *name = kernels[i].name;
    return kernels[i].mesh;
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
