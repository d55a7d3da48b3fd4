/* kind_raycast.c - adit.raycast: kernels/raycast.h through the chunks of a world, all in one section. A chunk is looked up once, however many of its voxels the ray passes through. */
#include "runtime/kinds.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/encoding.h"

/* Walks to the first voxel that is not air. */
static int walk(const struct adit_task_run *run, struct adit_reader *reader, struct adit_ray *ray, struct adit_raycast_result *r)
{
    enum adit_ray_end end = ADIT_RAY_LEFT;
    while (end == ADIT_RAY_LEFT) { /* bounded by the ray's length */
        struct adit_chunk_view view;
        struct adit_voxels voxels;
        int32_t base[3];
        if (adit_task_should_stop(run))
            return -ECANCELED;
        for (uint32_t i = 0; i < 3; i++)
            base[i] = ray->at[i] & ~63;
        r->key.x = base[0] >> 6;
        r->key.y = base[1] >> 6;
        r->key.z = base[2] >> 6;
        int error = adit_chunk_acquire(reader, &r->key, &view);
        if (error && error != -ENOENT)
            return error;
        bool is_air = error || view.empty;
        if (!is_air && !adit_voxels_view_within(view.block, view.bytes, &voxels))
            return -EBADMSG;
        r->version = error ? 0 : view.version;
        end = adit_ray_through(ray, base, is_air ? NULL : &voxels, &r->material);
    }
    return 0;
}

/* A ray whose t is the distance. */
static int begin(const struct adit_raycast_args *a, struct adit_ray *ray)
{
    const double d[3] = {(double)a->direction[0], (double)a->direction[1], (double)a->direction[2]}; /* squares of floats are no infinite doubles */
    double length = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    const double unit[3] = {d[0] / length, d[1] / length, d[2] / length};
    for (uint32_t i = 0; i < sizeof a->zero; i++)
        if (a->zero[i])
            return -EINVAL;
    return a->distance_max <= ADIT_RAYCAST_DISTANCE_MAX ? adit_ray_begin(ray, a->origin, unit, (double)a->distance_max) : -EINVAL;
}

int adit_kind_raycast(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_raycast_args a;
    struct adit_raycast_result r = {0};
    struct adit_ray ray;
    struct adit_reader *reader;
    memcpy(&a, args, sizeof a);
    int status = run->buffers_n ? -EINVAL : begin(&a, &ray);
    if (!status)
        status = adit_rcu_borrow(run->arena, &reader);
    if (status)
        return status;
    r.key = (struct adit_key){.lod = a.lod, .world = a.world};
    adit_rcu_enter(reader);
    status = walk(run, reader, &ray, &r);
    if (!adit_rcu_exit(reader))
        status = -ESTALE;
    adit_rcu_give_back(run->arena, reader);
    memcpy(r.voxel, ray.at, sizeof r.voxel);
    r.face = (uint8_t)ray.face;
    r.distance = ray.t;
    adit_kind_result(result, result_bytes, &r, sizeof r);
    return status;
}
