/* skylight.h - how much of the sun and of the sky a point of the scene sees.
 *
 * Every light is a direction with a map: the scene seen along it, holding in each texel how near to the light the
 * nearest opaque or cutout surface is. A point is lit if nothing in its texel is nearer. One sharp map is the sun; some
 * dozens of coarse ones, spread over the sky, together give ambient occlusion at every scale, from the corner
 * between two voxels to the floor of a valley, without looking at a voxel (Tarini, Cignoni and Montani, "Ambient
 * Occlusion and Edge Cueing to Enhance Real Time Molecular Visualization", 2006).
 *
 * Translucent quads cast no shadow. Memory is the maps', whatever the world: at most 96 MiB.
 */
#ifndef ADIT_SKYLIGHT_H
#define ADIT_SKYLIGHT_H

#include <stdint.h>

#include "tools/exports/raster.h"

#define ADIT_SKYLIGHT_SKY_MAX 40

typedef float adit_light_place __attribute__((vector_size(16))); /* u, v, depth, 0 */

/* Depth in a map is 1 .. 65535 towards the light, 0 is nothing. The place of a point in the map is
 * axis[0] * x + axis[1] * y + axis[2] * z + shift; for a point on a face, off[face] in place of shift, which is that of
 * the point moved off the face far enough not to be shaded by it. */
struct adit_light {
    adit_light_place axis[3], shift, off[ADIT_FACES];
    double towards[3];
    double texel;      /* the longer side of a texel, in voxels */
    uint32_t side;     /* texels */
    uint16_t *nearest; /* side * side */
};

struct adit_skylight {
    struct adit_light sun, sky[ADIT_SKYLIGHT_SKY_MAX];
    uint32_t sky_count;
    float weight[ADIT_FACES][ADIT_SKYLIGHT_SKY_MAX]; /* of each sky light on each face, sum 1 or all 0 */
};

/* Makes empty maps for a scene within lo..hi (relative to the picture's centre) that is to be shown about
 * `pixels` wide; quads (their number) thins out the sky for very large scenes. 0, or -ENOMEM. */
int adit_skylight_init(struct adit_skylight *skylight, const double sun[3], const double lo[3], const double hi[3],
                       uint32_t pixels, uint64_t quads);
void adit_skylight_fini(struct adit_skylight *skylight);

/* Draws a mesh into all maps. */
void adit_skylight_add(struct adit_skylight *skylight, const struct adit_raster_mesh *mesh);

/* The share of the sun's disc and of the sky that a point on a face sees, each 0..1. */
float adit_skylight_sun(const struct adit_skylight *skylight, const float point[3], uint32_t face);
float adit_skylight_sky(const struct adit_skylight *skylight, const float point[3], uint32_t face);

#endif
