/* lod_kernel.c - halving kernels by name, and what a valid halving is. */
#include "kernels/lod.h"

#include <stddef.h>
#include <string.h>

#include "kernels/processor.h"

static adit_lod_kernel *const kernels[ADIT_ISAS] = {adit_lod_scalar, adit_lod_avx2, adit_lod_avx512};

adit_lod_kernel *adit_lod_kernel_named(const char *name)
{
    int isa = adit_isa_named(name);
    return isa < 0 ? NULL : kernels[isa];
}

adit_lod_kernel *adit_lod_kernel_best(const char **name)
{
    return kernels[adit_isa_best(name)];
}

/* Whether rows of width and layers of height rows fit in their steps. */
static bool do_steps_hold(uint32_t width, uint32_t height, uint32_t row, uint32_t layer)
{
    return row >= width && layer >= (uint64_t)row * (height - 1) + width;
}

bool adit_lod_halving_complete(const struct adit_lod_halving *halving, struct adit_lod_halving *full)
{
    *full = *halving;
    if (!full->from_row)
        full->from_row = ADIT_CHUNK_DIM;
    if (!full->from_layer)
        full->from_layer = ADIT_CHUNK_DIM * ADIT_CHUNK_DIM;
    if (!full->to_row)
        full->to_row = ADIT_CHUNK_DIM;
    if (!full->to_layer)
        full->to_layer = ADIT_CHUNK_DIM * ADIT_CHUNK_DIM;
    for (int axis = 0; axis < 3; axis++)
        if (full->dim[axis] < 1 || full->dim[axis] > ADIT_CHUNK_DIM)
            return false;
    return full->from && full->to && do_steps_hold(full->dim[0], full->dim[1], full->from_row, full->from_layer) &&
           do_steps_hold((full->dim[0] + 1u) / 2, (full->dim[1] + 1u) / 2, full->to_row, full->to_layer);
}
