/* kind_mip.c - adit.mip: each level of kernels/mip.h from the one before, in the buffer. */
#include "runtime/kinds.h"

#include <errno.h>
#include <string.h>

#include "kernels/kernels.h"

/* What the levels take, behind each other. */
static uint64_t bytes_of(uint32_t width, uint32_t height, uint32_t levels)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < levels; i++) {
        width = adit_mip_half(width);
        height = adit_mip_half(height);
        bytes += (uint64_t)width * height * 4;
    }
    return bytes;
}

static int halve(const struct adit_task_run *run, const struct adit_mip_args *a, const uint8_t *from, uint8_t *to)
{
    struct adit_mip_srgb srgb;
    uint32_t width = a->width, height = a->height;
    if (!a->plain)
        adit_mip_srgb_init(&srgb);
    for (uint32_t i = 0; i < a->levels; i++) {
        if (adit_task_should_stop(run))
            return -ECANCELED;
        adit_mip_halve(a->plain ? NULL : &srgb, from, width, height, to);
        width = adit_mip_half(width);
        height = adit_mip_half(height);
        from = to;
        to += (uint64_t)width * height * 4;
    }
    return 0;
}

int adit_kind_mip(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_mip_args a;
    struct adit_kind_io io;
    memcpy(&a, args, sizeof a);
    if (adit_kind_io_open(run, &io) || !a.width || !a.height || a.width > ADIT_MIP_DIM_MAX || a.height > ADIT_MIP_DIM_MAX || a.plain > 1)
        return -EINVAL;
    uint32_t all = adit_mip_levels(a.width, a.height);
    if (a.levels > all || io.from_bytes < (uint64_t)a.width * a.height * 4)
        return -EINVAL;
    a.levels = a.levels ? a.levels : all;
    const struct adit_mip_result r = {.bytes = bytes_of(a.width, a.height, a.levels), .levels = a.levels};
    adit_kind_result(result, result_bytes, &r, sizeof r);
    return r.bytes > io.to_bytes ? -ENOSPC : halve(run, &a, io.from, io.to);
}
