/* kind_lod.c - adit.lod and adit.lod_publish. The next level's chunk is read, changed in one octant and published if nobody has published another version of it since: so halvings of
 * its eight octants may run at once, and one that runs twice changes nothing the second time.
 */
#include "runtime/kinds.h"

#include <errno.h>
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/key.h"

#define HALF (ADIT_CHUNK_DIM / 2)
#define TRIES_MAX 64u /* others that publish the chunk of the next level in between */

static adit_lod_kernel *best_kernel(void)
{
    static adit_lod_kernel *best;
    adit_lod_kernel *k = __atomic_load_n(&best, __ATOMIC_RELAXED); /* relaxed: whoever asks gets the same */
    if (!k) {
        k = adit_lod_kernel_best(NULL);
        __atomic_store_n(&best, k, __ATOMIC_RELAXED);
    }
    return k;
}

int adit_kind_lod(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_lod_args a;
    struct adit_lod_result r = {0};
    const struct adit_task_buffer *b = run->buffers;
    memcpy(&a, args, sizeof a);
    if (run->buffers_n != 1 || b->access != ADIT_WRITE || b->bytes < HALF * HALF * HALF * sizeof(uint16_t))
        return -EINVAL;
    uint16_t *voxels = adit_kind_voxels_take();
    int status = voxels ? adit_kind_read_chunk(run->arena, &a.key, voxels, &r.from) : -ENOMEM;
    if (!status)
        status = best_kernel()(&(struct adit_lod_halving){.from = voxels, .to = b->data, .to_row = HALF, .to_layer = HALF * HALF, .dim = {64, 64, 64}});
    adit_kind_voxels_give(voxels);
    adit_kind_result(result, result_bytes, &r, sizeof r);
    return status;
}

/* The chunk of the next level, and which octant of it a chunk is. */
static int next_level(const struct adit_key *key, struct adit_key *next, uint32_t *octant)
{
    uint64_t packed;
    *next = (struct adit_key){.x = key->x >> 1, .y = key->y >> 1, .z = key->z >> 1, .lod = (uint8_t)(key->lod + 1), .world = key->world};
    *octant = (uint32_t)((key->x & 1) | (key->y & 1) << 1 | (key->z & 1) << 2);
    return adit_key_try(key, &packed) && adit_key_try(next, &packed) ? 0 : -ERANGE;
}

/* Three chunks: what is halved, where it goes, and a copy of what was there. */
struct room {
    uint16_t *from, *to, *before;
};

static int publish_once(struct adit_arena *arena, const struct adit_lod_args *a, const struct room *room, struct adit_lod_result *r)
{
    struct adit_key next;
    uint32_t octant;
    int error = next_level(&a->key, &next, &octant);
    if (!error)
        error = adit_kind_read_chunk(arena, &next, room->to, &r->version);
    if (!error) /* after the other: who halves the same chunk later, and published in between, has it publish again */
        error = adit_kind_read_chunk(arena, &a->key, room->from, &r->from);
    if (error)
        return error;
    memcpy(room->before, room->to, ADIT_CHUNK_VOXELS * sizeof *room->to);
    error = best_kernel()(&(struct adit_lod_halving){.from = room->from, .to = room->to + adit_lod_octant(octant), .dim = {64, 64, 64}});
    if (error || !memcmp(room->before, room->to, ADIT_CHUNK_VOXELS * sizeof *room->to))
        return error;
    const struct adit_put_params p = {.size = sizeof p, .version = &r->version, .if_version = r->version ? r->version : ADIT_VERSION_NONE};
    error = adit_chunk_put(arena, &next, room->to, &p);
    r->published = !error;
    return error;
}

int adit_kind_lod_publish(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_lod_args a;
    struct adit_lod_result r = {0};
    memcpy(&a, args, sizeof a);
    if (run->buffers_n)
        return -EINVAL;
    const struct room room = {adit_kind_voxels_take(), adit_kind_voxels_take(), adit_kind_voxels_take()};
    int status = room.from && room.to && room.before ? -ESTALE : -ENOMEM;
    for (uint32_t i = 0; i < TRIES_MAX && status == -ESTALE; i++)
        status = publish_once(run->arena, &a, &room, &r);
    adit_kind_voxels_give(room.from);
    adit_kind_voxels_give(room.to);
    adit_kind_voxels_give(room.before);
    adit_kind_result(result, result_bytes, &r, sizeof r);
    return status == -ESTALE ? -EAGAIN : status;
}
