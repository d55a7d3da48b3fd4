/* shade.h - from surfaces to colours: the light of a picture.
 *
 * All arithmetic is linear light. A surface receives the sun (warm, by its angle and its shadow), the sky (blue, by how
 * much of it is seen) and what the ground throws back; far surfaces fade a little into the colour of the air. Samples
 * of a pixel that share a surface are lit once. Bright colours are bent, not cut, into range, each sample before the
 * eight are averaged, so that an edge against the light stays smooth.
 */
#ifndef ADIT_SHADE_H
#define ADIT_SHADE_H

#include "tools/exports/raster.h"
#include "tools/exports/skylight.h"

struct adit_shade {
    const struct adit_camera *camera;
    const struct adit_paints *paints;
    const struct adit_skylight *skylight; /* NULL when the scene is empty */
    float sun[3];                         /* unit, towards it */
    float floor;                          /* the height of the ground the scene stands on */
    float near_distance, far_distance;    /* of the scene along the view axis: where the haze begins and is full */
};

/* Where the sun stands for a camera: high, over one of the viewer's shoulders. */
void adit_shade_sun(const struct adit_camera *camera, double towards[3]);

/* One row of the picture, 3 bytes sRGB a pixel, from the rows of samples of it; row counts from the picture's top. */
void adit_shade_row(const struct adit_shade *shade, const struct adit_raster_pixel *pixels,
                    const struct adit_raster_veil *veils, uint32_t row, uint8_t *rgb);

/* sRGB to linear and back, 0..1 (IEC 61966-2-1). */
float adit_shade_linear(float srgb);
float adit_shade_srgb(float linear);

#endif
