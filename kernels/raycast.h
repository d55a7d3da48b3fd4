/* raycast.h - along a ray from voxel to voxel: the grid traversal of J. Amanatides and A. Woo, "A fast voxel traversal algorithm for ray tracing", Eurographics 1987.
 *
 * A ray is origin + t * direction, t from 0 to t_max and t_max among them, in voxels; voxel (x,y,z) is the cube [x, x+1) and so on. The walk visits each voxel that the ray passes through, in
 * order, one step along one axis at a time, and knows the t at which it came in and the face it came through.
 *
 *     struct adit_ray ray;
 *     if (!adit_ray_begin(&ray, origin, direction, t_max))
 *         do {
 *             if (solid(ray.at))
 *                 ... ray.t, ray.face
 *         } while (adit_ray_step(&ray));
 *
 * Deviations: t at the next border is computed from the border's own number at each step, not summed up, so it is exact to a rounding however long the ray; a border that
 * several axes reach at the same t is passed along x before y before z.
 */
#ifndef ADIT_RAYCAST_H
#define ADIT_RAYCAST_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/voxels.h"

#define ADIT_RAY_COORDINATE_MAX (1 << 30) /* that a ray may begin at or get to, on either side */

struct adit_ray {
    int32_t at[3];   /* the voxel it is in */
    uint32_t face;   /* enum adit_face that it came in through: of the voxel, so towards where it came from; ADIT_FACES: it began here */
    double t;        /* when it came in */
    double t_max, t_next[3], origin[3], inverse[3]; /* the rest is the walk's own */
    int32_t step[3];
};

/* Puts it into the voxel of its origin (on a border: the one that the ray goes into; into neither, of greater coordinates). direction need not be of length 1. 0; -EINVAL: a number
 * is not finite, the direction is 0, t_max is below 0, or the ray begins or ends beyond ADIT_RAY_COORDINATE_MAX. Pure. */
int adit_ray_begin(struct adit_ray *ray, const double origin[3], const double direction[3], double t_max);

/* Into the next voxel. False: the ray ends before, and stays where it is. Pure. */
static inline bool adit_ray_step(struct adit_ray *ray)
{
    uint32_t axis = ray->t_next[0] <= ray->t_next[1] ? (ray->t_next[0] <= ray->t_next[2] ? 0 : 2) : (ray->t_next[1] <= ray->t_next[2] ? 1 : 2);
    if (!(ray->t_next[axis] <= ray->t_max))
        return false;
    ray->t = ray->t_next[axis];
    ray->at[axis] += ray->step[axis];
    ray->face = 2 * axis + (ray->step[axis] < 0);
    ray->t_next[axis] = ((double)(ray->at[axis] + (ray->step[axis] > 0)) - ray->origin[axis]) * ray->inverse[axis];
    return true;
}

enum adit_ray_end { ADIT_RAY_HIT, ADIT_RAY_LEFT /* into another chunk, in whose first voxel it is */, ADIT_RAY_ENDED };
/* Walks on from where it is, inside the chunk that begins at voxel base (a multiple of 64 on each axis), until it is in a voxel that is not air. voxels: the chunk's, NULL for air; what
 * it leads to may be written by a hostile peer meanwhile. Pure; at most 190 steps. */
enum adit_ray_end adit_ray_through(struct adit_ray *ray, const int32_t base[3], const struct adit_voxels *voxels, uint16_t *material);

#endif
