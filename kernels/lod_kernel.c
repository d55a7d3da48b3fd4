/* lod_kernel.c - which halving kernels this processor has, and what a valid halving is. */
#include "kernels/lod.h"

#include <stddef.h>
#include <string.h>

#include "kernels/processor.h"

static bool has_scalar(void)
{
    return true;
}

static const struct {
    const char *name;
    adit_lod_kernel *halve;
    bool (*is_there)(void);
} kernels[] = { /* fastest first; the last is always there */
    { "avx512", adit_lod_avx512, adit_processor_has_avx512 },
    { "avx2", adit_lod_avx2, adit_processor_has_avx2 },
    { "scalar", adit_lod_scalar, has_scalar },
};
enum { KERNELS = sizeof kernels / sizeof *kernels };

adit_lod_kernel *adit_lod_kernel_named(const char *name)
{
    for (int i = 0; i < KERNELS; i++)
        if (!strcmp(kernels[i].name, name))
            return kernels[i].is_there() ? kernels[i].halve : NULL;
    return NULL;
}

adit_lod_kernel *adit_lod_kernel_best(const char **name)
{
    int i = 0;
    while (i < KERNELS - 1 && !kernels[i].is_there())
        i++;
    if (name)
        *name = kernels[i].name;
    return kernels[i].halve;
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
