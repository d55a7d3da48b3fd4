#include "gpu/mesh_source.h"

#include <errno.h>
#include <string.h>

#include "runtime/encoding.h"

enum { CODE_UNIFORM, CODE_BRICKS, CODE_DENSE }; /* as in mesh_common.glsl */

#define ALIGN 16u
#define PLANE_BYTES_MAX 8192u
#define TABLE_BYTES 512u

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

static bool add_version(const struct adit_mesh_task *task, uint8_t *source, size_t *used, struct adit_gpu_job *job)
{
    const struct adit_version *copy = (const struct adit_version *)(void *)(source + *used);
    uint32_t at = (uint32_t)*used;
    memcpy(source + *used, task->version, task->bytes);
    if (!adit_encoding_is_sound(copy, task->bytes))
        return false;
    job->flags = task->flags;
    if (copy->encoding == ADIT_ENC_BRICKS || copy->encoding == ADIT_ENC_DENSE16) {
        job->encoding = copy->encoding == ADIT_ENC_BRICKS ? CODE_BRICKS : CODE_DENSE;
        job->palette_n = copy->palette_n;
        job->palette_at = at + copy->palette_at;
        job->bricks_at = at + copy->bricks_at;
        job->voxels_at = at + copy->voxels_at;
        *used += aligned(task->bytes);
    } else {
        job->encoding = CODE_UNIFORM;
        job->value = copy->encoding == ADIT_ENC_UNIFORM ? copy->uniform : 0;
    }
    return true;
}

int adit_mesh_source_add(const struct adit_mesh_task *task, uint8_t *source, size_t room, size_t *used, struct adit_gpu_job *job)
{
    size_t at = *used, most = aligned(task->bytes) + ADIT_FACES * (PLANE_BYTES_MAX + TABLE_BYTES);
    *job = (struct adit_gpu_job){0};
    if (task->bytes < sizeof *task->version || task->bytes > ADIT_ENCODED_BYTES_MAX)
        return -EBADMSG;
    if (most > room || at > room - most)
        return -ENOSPC;
    if (!add_version(task, source, &at, job))
        return -EBADMSG;
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        if (task->beside[f] && !add_plane(task->beside[f], task->beside_bytes[f], f ^ 1, source, &at, &job->plane[f]))
            return -EBADMSG;
    *used = at;
    return 0;
}
