/* kind_box.c - adit.box. Chunk by chunk, each in a section of its own, so that a large box holds no memory back; rows are compared 64 voxels at a time. */
#include "runtime/kinds.h"

#include <errno.h>
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/encoding.h"

struct query {
    struct adit_box_args args;
    struct adit_box_result result;
    struct adit_box_voxel *list;
    uint32_t list_max;
};

/* Whether to look further. */
static bool wants_more(const struct query *q) { return q->args.mode != ADIT_BOX_ANY || !q->result.count; }

/* Of a row that begins at `at`, whose voxels are row, those of bits. */
static void take_row(struct query *q, const int32_t at[3], const uint16_t row[ADIT_CHUNK_DIM], uint64_t bits)
{
    struct adit_box_result *r = &q->result;
    uint32_t x = bits ? (uint32_t)__builtin_ctzll(bits) : 0;
    if (!bits)
        return;
    if (!r->count) {
        memcpy(r->first, (const int32_t[3]){at[0] + (int32_t)x, at[1], at[2]}, sizeof r->first);
        r->material = row[x];
    }
    r->count += q->args.mode == ADIT_BOX_ANY ? 1 : (uint64_t)__builtin_popcountll(bits);
    for (; bits && r->listed < q->list_max; bits &= bits - 1) {
        x = (uint32_t)__builtin_ctzll(bits);
        q->list[r->listed++] = (struct adit_box_voxel){{at[0] + (int32_t)x, at[1], at[2]}, row[x], 0};
    }
}

/* The part of the box that lies in a chunk, lo to hi, 0 to 63 each. */
static void take_chunk(struct query *q, const int32_t base[3], const struct adit_voxels *voxels, const uint32_t lo[3], const uint32_t hi[3])
{
    uint64_t inside = (UINT64_MAX << lo[0]) & (UINT64_MAX >> (63 - hi[0]));
    uint16_t row[ADIT_CHUNK_DIM];
    for (uint32_t z = lo[2]; z <= hi[2]; z++)
        for (uint32_t y = lo[1]; y <= hi[1] && wants_more(q); y++) {
            adit_voxels_row(voxels, y, z, row);
            take_row(q, (const int32_t[3]){base[0], base[1] + (int32_t)y, base[2] + (int32_t)z}, row, adit_voxels_match(row, q->args.material) & inside);
        }
}

/* In a section. */
static int look(struct adit_reader *reader, struct query *q, const struct adit_key *key)
{
    struct adit_chunk_view view;
    struct adit_voxels voxels;
    const int32_t base[3] = {key->x * 64, key->y * 64, key->z * 64};
    uint32_t lo[3], hi[3];
    int error = adit_chunk_acquire(reader, key, &view);
    if (error || view.empty)
        return error == -ENOENT ? 0 : error;
    if (!adit_voxels_view_within(view.block, view.bytes, &voxels))
        return -EBADMSG;
    for (uint32_t i = 0; i < 3; i++) {
        lo[i] = q->args.lo[i] > base[i] ? (uint32_t)(q->args.lo[i] - base[i]) : 0;
        hi[i] = q->args.hi[i] < base[i] + 63 ? (uint32_t)(q->args.hi[i] - base[i]) : 63;
    }
    take_chunk(q, base, &voxels, lo, hi);
    return 0;
}

static int walk(const struct adit_task_run *run, struct adit_reader *reader, struct query *q)
{
    const int32_t *lo = q->args.lo, *hi = q->args.hi;
    int error = 0;
    for (int32_t z = lo[2] >> 6; z <= hi[2] >> 6; z++)
        for (int32_t y = lo[1] >> 6; y <= hi[1] >> 6; y++)
            for (int32_t x = lo[0] >> 6; x <= hi[0] >> 6 && wants_more(q); x++) {
                const struct adit_key key = {.x = x, .y = y, .z = z, .lod = q->args.lod, .world = q->args.world};
                if (adit_task_should_stop(run))
                    return -ECANCELED;
                adit_rcu_enter(reader);
                error = look(reader, q, &key);
                if (!adit_rcu_exit(reader))
                    error = -ESTALE;
                if (error)
                    return error;
            }
    return 0;
}

static int check(const struct adit_task_run *run, const struct adit_box_args *a)
{
    uint64_t chunks = 1;
    for (uint32_t i = 0; i < 3; i++) {
        if (a->lo[i] > a->hi[i] || a->zero[i])
            return -EINVAL;
        chunks *= (uint64_t)((int64_t)(a->hi[i] >> 6) - (a->lo[i] >> 6) + 1); /* of at most 2^12 and 2^26 */
        if (chunks > ADIT_BOX_CHUNKS_MAX)
            return -EINVAL;
    }
    if (a->mode < ADIT_BOX_COUNT || a->mode > ADIT_BOX_LIST || run->buffers_n != (a->mode == ADIT_BOX_LIST))
        return -EINVAL;
    return run->buffers_n && run->buffers[0].access != ADIT_WRITE ? -EINVAL : 0;
}

uint64_t adit_kind_box_work(const void *args, uint32_t args_bytes, const uint64_t *buffer_bytes, uint32_t buffers_n)
{
    struct adit_box_args a;
    uint64_t voxels = 1;
    (void)args_bytes;
    (void)buffer_bytes;
    (void)buffers_n;
    memcpy(&a, args, sizeof a);
    for (uint32_t i = 0; i < 3; i++)
        voxels *= (uint64_t)((int64_t)a.hi[i] - a.lo[i] + 1); /* of arguments that are refused: any number */
    return voxels;
}

int adit_kind_box(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct query q = {0};
    struct adit_reader *reader;
    memcpy(&q.args, args, sizeof q.args);
    int status = check(run, &q.args);
    if (!status)
        status = adit_rcu_borrow(run->arena, &reader);
    if (status)
        return status;
    if (run->buffers_n) {
        q.list = run->buffers[0].data;
        q.list_max = (uint32_t)(run->buffers[0].bytes / sizeof *q.list);
    }
    status = walk(run, reader, &q);
    adit_rcu_give_back(run->arena, reader);
    adit_kind_result(result, result_bytes, &q.result, sizeof q.result);
    return status;
}
