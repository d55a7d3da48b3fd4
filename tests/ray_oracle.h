/* ray_oracle.h - what a ray hits, found voxel by voxel: each solid voxel is cut with the ray on its own, by its six planes (slabs; Kay and Kajiya, "Ray tracing complex scenes",
 * SIGGRAPH 1986), in long doubles. A ray that only grazes a voxel, within RAY_ORACLE_SLACK, may or may not be said to hit it.
 */
#ifndef ADIT_RAY_ORACLE_H
#define ADIT_RAY_ORACLE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define RAY_ORACLE_SLACK 1e-9L

/* From where to where the ray is in the voxel; false: it passes it, or would be there before 0. */
static inline bool ray_oracle_cut(const double origin[3], const double direction[3], const int32_t voxel[3], long double *in, long double *out)
{
    *in = 0;
    *out = INFINITY;
    for (int i = 0; i < 3; i++) {
        long double a = (long double)voxel[i] - (long double)origin[i], b = a + 1;
        if (direction[i] == 0 && (a > 0 || b <= 0))
            return false;
        if (direction[i] == 0)
            continue;
        long double near = a / (long double)direction[i], far = b / (long double)direction[i];
        *in = fmaxl(*in, fminl(near, far));
        *out = fminl(*out, fmaxl(near, far));
    }
    return *out >= *in - RAY_ORACLE_SLACK;
}

struct ray_oracle {
    long double must; /* it has hit by here at the latest; INFINITY: it need not hit anything */
};

/* Another solid voxel of the world. */
static inline void ray_oracle_add(struct ray_oracle *o, const double origin[3], const double direction[3], double t_max, const int32_t voxel[3])
{
    long double in, out;
    if (ray_oracle_cut(origin, direction, voxel, &in, &out) && out > in + RAY_ORACLE_SLACK && in < (long double)t_max - RAY_ORACLE_SLACK && in < o->must)
        o->must = in;
}

/* Whether the answer is right: solid says what is at the voxel it names. */
static inline bool ray_oracle_is_hit(const struct ray_oracle *o, const double origin[3], const double direction[3], double t_max, const int32_t voxel[3], double t)
{
    long double in, out;
    return ray_oracle_cut(origin, direction, voxel, &in, &out) && fabsl(in - (long double)t) < 2 * RAY_ORACLE_SLACK && in <= o->must + RAY_ORACLE_SLACK &&
           t <= t_max;
}

#endif
