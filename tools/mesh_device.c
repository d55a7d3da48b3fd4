#include "tools/mesh_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encoding.h"

#define WAIT_NS 10000000000ull

struct adit_mesh_device {
    struct adit_executor *executor;
    void *batch;
    struct adit_encode_plan *plan;
    uint8_t *block[1 + ADIT_FACES]; /* the chunk, and neighbours that have but the plane that is seen */
    uint16_t voxels[ADIT_CHUNK_VOXELS];
};

int adit_mesh_device_open(struct adit_devices *devices, struct adit_mesh_device **out)
{
    struct adit_mesh_device *d = calloc(1, sizeof *d);
    *out = d;
    if (!d)
        return -ENOMEM;
    d->executor = devices->executor[0];
    d->plan = aligned_alloc(64, (adit_encode_plan_bytes() + 63) / 64 * 64);
    bool has_all = d->plan != NULL;
    for (uint32_t i = 0; i < 1 + ADIT_FACES && has_all; i++)
        has_all = (d->block[i] = aligned_alloc(64, ADIT_ENCODED_BYTES_MAX)) != NULL;
    int error = has_all ? d->executor->open(d->executor, &d->batch) : -ENOMEM;
    if (error)
        adit_mesh_device_close(out);
    return error;
}

void adit_mesh_device_close(struct adit_mesh_device **device)
{
    struct adit_mesh_device *d = *device;
    if (!d)
        return;
    if (d->batch)
        d->executor->close(d->batch);
    free(d->plan);
    for (uint32_t i = 0; i < 1 + ADIT_FACES; i++)
        free(d->block[i]);
    free(d);
    *device = NULL;
}

static const struct adit_version *encode(struct adit_mesh_device *d, uint32_t i, const uint16_t *voxels, const uint8_t *classes, size_t *bytes)
{
    if (adit_encode_plan(d->plan, voxels, classes, bytes))
        return NULL;
    memset(d->block[i], 0, *bytes);
    adit_encode_write(d->plan, d->block[i]);
    return (const struct adit_version *)(const void *)d->block[i];
}

/* A chunk of air whose side that is seen across face is plane. */
static const uint16_t *neighbour(struct adit_mesh_device *d, const uint16_t *plane, uint32_t face)
{
    static const uint32_t step[3] = {1, 64, 64 * 64};
    uint32_t u = step[adit_face_u(face)], v = step[adit_face_v(face)], at = face & 1 ? 0 : 63 * step[adit_face_axis(face)];
    memset(d->voxels, 0, sizeof d->voxels);
    for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
        d->voxels[at + i % 64 * u + i / 64 * v] = plane[i];
    return d->voxels;
}

int adit_mesh_device_run(struct adit_mesh_device *d, const struct adit_mesh_source *source, struct adit_mesh_result *result)
{
    struct adit_mesh_task task = {.flags = source->flags, .rim = source->rim};
    struct adit_mesh_result made;
    if (source->dim[0] != 64 || source->dim[1] != 64 || source->dim[2] != 64)
        return adit_fault(-EINVAL, "%s meshes chunks of 64x64x64 only; give a volume of multiples of 64 (without its border)", d->executor->name);
    if (source->flags & ADIT_MESH_ANY_OPAQUE)
        return adit_fault(-EINVAL, "%s does not merge faces of several materials; mesh on the CPU", d->executor->name);
    if (source->light)
        return adit_fault(-EINVAL, "%s does not merge by light; mesh on the CPU", d->executor->name);
    task.version = encode(d, 0, source->voxels, source->classes, &task.bytes);
    if (!task.version)
        return -ENOMEM;
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        if (source->plane[f])
            task.beside[f] = encode(d, 1 + f, neighbour(d, source->plane[f], f), source->classes, &task.beside_bytes[f]);
    d->executor->begin(d->batch);
    int error = d->executor->add(d->batch, &task);
    error = error == -ENOTSUP ? -EINVAL : error;
    error = error ? error : d->executor->submit(d->batch, source->classes);
    error = error ? error : d->executor->wait(d->batch, WAIT_NS);
    if (error == -ETIMEDOUT)
        return adit_fault(-EIO, "%s: a chunk has not ended in %llu s; it hangs", d->executor->name, WAIT_NS / 1000000000ull);
    if (error == -ENOSPC)
        return adit_fault(-EINVAL, "%s has no room for a chunk of so many materials; mesh on the CPU", d->executor->name);
    if (error)
        return error;
    d->executor->result(d->batch, 0, &made);
    uint32_t n = made.start[ADIT_MESH_RANGES], fitting = n < result->quads_max ? n : result->quads_max;
    memcpy(result->quads, made.quads, (size_t)fitting * sizeof *made.quads);
    made.quads = result->quads;
    made.quads_max = result->quads_max;
    *result = made;
    return n > result->quads_max ? -ENOSPC : 0;
}
