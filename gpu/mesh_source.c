#include "gpu/mesh_source.h"

#include <errno.h>
#include <string.h>

#include "runtime/encoding.h"

_Static_assert(ADIT_VOXELS_UNIFORM == 0 && ADIT_VOXELS_BRICKS == 1 && ADIT_VOXELS_DENSE == 2, "the encodings of version_source.glsl");

#define ALIGN 16u
#define RIM_BYTES 112u /* twelve edges, and the corners in a word more; as in mesh_shade.glsl */
/* Beside the voxels: palette and bricks, the rim, and of each plane its table and its voxels. */
#define MORE_BYTES (ADIT_PALETTE_MAX * 2u + ADIT_BRICKS * 4u + RIM_BYTES + ADIT_FACES * (512u + ADIT_PLANE_VOXELS * 2u))

static size_t aligned(size_t bytes) { return (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1); }

/* The neighbour's side that faces the chunk, as adit_decode_plane_within reads it: its values' materials as a table of 16 bits, and its voxels
 * as they are packed. */
static bool add_plane(const struct adit_version *v, size_t bytes, uint32_t side, uint8_t *source, size_t *used, struct adit_gpu_plane *out)
{
    struct adit_plane_view view;
    if (!adit_plane_view_within(v, bytes, (enum adit_face)side, &view))
        return false;
    *out = (struct adit_gpu_plane){.bits = view.bits, .value = view.material[0], .table = (uint32_t)*used};
    if (!view.bits)
        return true;
    if (view.bits < 16) {
        uint32_t table = (uint32_t)(sizeof(uint16_t) << view.bits);
        memcpy(source + *used, view.material, table);
        *used += aligned(table);
    }
    uint32_t packed = ADIT_PLANE_VOXELS / 8 * view.bits;
    out->at = (uint32_t)*used;
    memcpy(source + *used, view.packed, packed);
    *used += packed;
    return true;
}

static void append(uint8_t *source, size_t *used, const void *from, size_t bytes)
{
    memcpy(source + *used, from, bytes);
    *used += aligned(bytes);
}

static void add_rim(const struct adit_mesh_rim *rim, uint8_t *source, size_t *used, struct adit_gpu_job *job)
{
    uint8_t packed[RIM_BYTES] = {0};
    if (rim) {
        memcpy(packed, rim->edge, sizeof rim->edge);
        packed[sizeof rim->edge] = rim->corner;
    }
    job->rim_at = (uint32_t)*used;
    append(source, used, packed, sizeof packed);
}

/* Has the device fetch the voxels. False: they do not lie in imported memory. */
static bool add_fetch(const struct adit_voxels *view, size_t room, struct adit_source_fetches *f, struct adit_gpu_job *job)
{
    struct adit_source_fetch *fetch = f ? &f->fetch[f->n] : NULL;
    if (!f || !adit_host_imports_find(f->imports, view->packed, view->bytes, &fetch->import, &fetch->copy.srcOffset))
        return false;
    f->n++;
    f->bytes += aligned(view->bytes);
    job->voxels_at = (uint32_t)(room - f->bytes);
    fetch->copy.dstOffset = job->voxels_at;
    fetch->copy.size = view->bytes;
    return true;
}

static bool add_version(const struct adit_mesh_task *task, size_t room, uint8_t *source, size_t *used, struct adit_source_fetches *fetches,
                        struct adit_gpu_job *job, int *error)
{
    struct adit_voxels view;
    *error = -EBADMSG;
    if (!adit_voxels_view_within(task->version, task->bytes, &view))
        return false;
    *error = -ENOSPC;
    if (aligned(view.bytes) + MORE_BYTES > room - *used - (fetches ? fetches->bytes : 0))
        return false;
    job->flags = task->flags;
    job->value = view.uniform;
    job->encoding = view.form;
    if (view.form == ADIT_VOXELS_BRICKS) {
        job->palette_at = (uint32_t)*used;
        append(source, used, view.palette, sizeof view.palette);
        job->bricks_at = (uint32_t)*used;
        append(source, used, view.bricks, sizeof view.bricks);
    }
    if (view.bytes && add_fetch(&view, room, fetches, job))
        return true;
    job->voxels_at = (uint32_t)*used;
    if (view.bytes)
        append(source, used, view.packed, view.bytes);
    return true;
}

int adit_mesh_source_add(const struct adit_mesh_task *task, uint8_t *source, size_t room, size_t *used, struct adit_source_fetches *fetches,
                         struct adit_gpu_job *job)
{
    struct adit_source_fetches before = fetches ? *fetches : (struct adit_source_fetches){0};
    size_t at = *used, taken = at + before.bytes;
    int error;
    *job = (struct adit_gpu_job){0};
    if (room < MORE_BYTES || taken > room - MORE_BYTES)
        return -ENOSPC;
    bool is_sound = add_version(task, room, source, &at, fetches, job, &error);
    if (!is_sound)
        return error;
    for (uint32_t f = 0; f < ADIT_FACES && is_sound; f++)
        is_sound = !task->beside[f] || add_plane(task->beside[f], task->beside_bytes[f], f ^ 1, source, &at, &job->plane[f]);
    if (!is_sound) {
        if (fetches)
            *fetches = before;
        return -EBADMSG;
    }
    if (task->flags & ADIT_MESH_AO)
        add_rim(task->rim, source, &at, job);
    *used = at;
    return 0;
}
