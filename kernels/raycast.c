#include "kernels/raycast.h"

#include <errno.h>
#include <math.h>

int adit_ray_begin(struct adit_ray *ray, const double origin[3], const double direction[3], double t_max)
{
    bool moves = false;
    if (!(t_max >= 0))
        return -EINVAL;
    *ray = (struct adit_ray){.face = ADIT_FACES, .t_max = t_max};
    for (uint32_t i = 0; i < 3; i++) {
        double end = origin[i] + direction[i] * t_max;
        if (!(fabs(origin[i]) <= ADIT_RAY_COORDINATE_MAX) || !(fabs(end) <= ADIT_RAY_COORDINATE_MAX) || !isfinite(direction[i]))
            return -EINVAL;
        int32_t whole = (int32_t)origin[i]; /* towards 0 */
        ray->at[i] = whole - ((double)whole > origin[i] || ((double)whole == origin[i] && direction[i] < 0));
        ray->origin[i] = origin[i];
        ray->step[i] = direction[i] > 0 ? 1 : direction[i] < 0 ? -1 : 0;
        ray->inverse[i] = direction[i] != 0 ? 1 / direction[i] : 0;
        ray->t_next[i] = direction[i] != 0 ? ((double)(ray->at[i] + (direction[i] > 0)) - origin[i]) * ray->inverse[i] : HUGE_VAL;
        moves = moves || direction[i] != 0;
    }
    return moves ? 0 : -EINVAL;
}

static bool is_inside(const struct adit_ray *ray, const int32_t base[3])
{
    return !(((ray->at[0] ^ base[0]) | (ray->at[1] ^ base[1]) | (ray->at[2] ^ base[2])) & ~63);
}

enum adit_ray_end adit_ray_through(struct adit_ray *ray, const int32_t base[3], const struct adit_voxels *voxels, uint16_t *material)
{
    do { /* bounded: it leaves a cube of 64 after 190 steps, each along one axis in one direction */
        if (!is_inside(ray, base))
            return ADIT_RAY_LEFT;
        *material = voxels ? adit_voxels_at(voxels, (uint32_t)ray->at[0] & 63, (uint32_t)ray->at[1] & 63, (uint32_t)ray->at[2] & 63) : 0;
        if (*material)
            return ADIT_RAY_HIT;
    } while (adit_ray_step(ray));
    return ADIT_RAY_ENDED;
}
