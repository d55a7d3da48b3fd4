/* camera.h - from where a picture looks, and where a point of the scene falls on it.
 *
 * The camera looks at the scene from outside: a direction is given, and framing moves the eye along it until every
 * point that was added lies in the picture, as close as that allows. So no point of the scene is ever behind the eye,
 * and drawing needs no clipping.
 *
 *     struct adit_camera camera;
 *     adit_camera_aim(&camera, 1600, 1000, 35, 32, 28);      // 28 degrees high; 0 would be parallel, isometric
 *     adit_camera_add(&camera, corner);                      // for every point to be seen
 *     adit_camera_frame(&camera);
 *
 * Positions are relative to a centre of the caller's choice near the scene, so that floats hold them well.
 * Picture space: x right, y down, in pixels, pixel centres at .5. *Nearness* is 1/distance in perspective and
 * -distance in parallel views, distance taken along the view axis: both are linear across a plane in picture space and
 * grow towards the eye.
 */
#ifndef ADIT_CAMERA_H
#define ADIT_CAMERA_H

#include <stdbool.h>
#include <stdint.h>

struct adit_camera {
    double right[3], up[3], forward[3]; /* unit, orthogonal */
    double eye[3];
    double tangent_x, tangent_y; /* of half the field of view less the margin; in parallel views 0 */
    double scale;                /* pixels for a tangent of 1, or for one unit in parallel views */
    double centre_x, centre_y;   /* the view axis, in pixels */
    double width, height;        /* of the picture, in pixels */
    double reach[5];             /* while framing: the maxima of camera.c: right, left, up, down, towards the eye */
    bool parallel;
};

#define ADIT_CAMERA_MARGIN 0.045 /* the share of the picture left free at each side */

/* turn_degrees: of the eye about the vertical, 0 is from +z, 90 from +x; tilt_degrees: above the horizon, 5..85;
 * view_degrees: the height of the field of view, at most 120, or 0 for a parallel view. */
void adit_camera_aim(struct adit_camera *camera, uint32_t width, uint32_t height, double turn_degrees,
                     double tilt_degrees, double view_degrees);
void adit_camera_add(struct adit_camera *camera, const double point[3]);

/* Puts the eye where all points added (one at least) are seen. */
void adit_camera_frame(struct adit_camera *camera);

/* From the scene into the camera's own axes: right, up, forward of the eye. */
void adit_camera_view(const struct adit_camera *camera, const double point[3], double view[3]);

/* Where a point in camera axes falls: pixel x, y and nearness. False when it is not safely before the eye, which only
 * a point that was never added can be. */
static inline bool adit_camera_project(const struct adit_camera *camera, const double view[3], double pixel[3])
{
    if (camera->parallel) {
        pixel[0] = camera->centre_x + view[0] * camera->scale;
        pixel[1] = camera->centre_y - view[1] * camera->scale;
        pixel[2] = -view[2];
        return true;
    }
    if (!(view[2] > 1e-6))
        return false;
    double inverse = 1 / view[2];
    pixel[0] = camera->centre_x + view[0] * inverse * camera->scale;
    pixel[1] = camera->centre_y - view[1] * inverse * camera->scale;
    pixel[2] = inverse;
    return true;
}

#endif
