/* camera.c - framing in closed form. See camera.h.
 *
 * In perspective a point c is inside the right edge of a view with eye e iff  r.(c - e) <= t f.(c - e), t the tangent
 * of half the view. All points are, iff  r.e - t f.e >= max over c of (r.c - t f.c)  =: a, and likewise for the left
 * edge with b. The sum of both gives how far back the eye must stand, f.e <= -(a + b) / 2t, the difference where it
 * stands sideways, r.e = (a - b) / 2. The same holds up and down; the smaller f.e serves both. Only the four maxima
 * are kept, so points stream. */
#include "tools/exports/camera.h"

#include <math.h>

#include "tools/exports/real.h"

#define RADIANS (3.14159265358979323846 / 180)

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

void adit_camera_aim(struct adit_camera *camera, uint32_t width, uint32_t height, double turn_degrees,
                     double tilt_degrees, double view_degrees)
{
    double tilt = RADIANS * fmin(fmax(tilt_degrees, 5), 85), turn = RADIANS * turn_degrees;
    *camera = (struct adit_camera){
        .right = {cos(turn), 0, -sin(turn)},
        .up = {-sin(turn) * sin(tilt), cos(tilt), -cos(turn) * sin(tilt)},
        .forward = {-sin(turn) * cos(tilt), -sin(tilt), -cos(turn) * cos(tilt)},
        .width = width,
        .height = height,
        .centre_x = width / 2.0,
        .centre_y = height / 2.0,
        .parallel = view_degrees <= 0,
    };
    if (!camera->parallel) {
        double tangent = tan(RADIANS * fmin(view_degrees, 120) / 2);
        camera->scale = height / 2.0 / tangent;
        camera->tangent_y = tangent * (1 - 2 * ADIT_CAMERA_MARGIN);
        camera->tangent_x = tangent * width / height * (1 - 2 * ADIT_CAMERA_MARGIN);
    }
    for (int i = 0; i < 5; i++)
        camera->reach[i] = -HUGE_VAL;
}

void adit_camera_add(struct adit_camera *camera, const double point[3])
{
    double x = dot(camera->right, point), y = dot(camera->up, point), z = dot(camera->forward, point);
    double reach[5] = {x - camera->tangent_x * z, -x - camera->tangent_x * z, y - camera->tangent_y * z,
                       -y - camera->tangent_y * z, -z};
    for (int i = 0; i < 5; i++)
        camera->reach[i] = adit_real_max64(camera->reach[i], reach[i]);
}

void adit_camera_frame(struct adit_camera *camera)
{
    const double *reach = camera->reach;
    double x = (reach[0] - reach[1]) / 2, y = (reach[2] - reach[3]) / 2, z;
    if (camera->parallel) {
        double room = 1 - 2 * ADIT_CAMERA_MARGIN;
        double width = fmax(reach[0] + reach[1], 1e-3), height = fmax(reach[2] + reach[3], 1e-3);
        camera->scale = fmin(camera->width * room / width, camera->height * room / height);
        z = -reach[4] - 1;
    } else {
        z = fmin(-(reach[0] + reach[1]) / (2 * camera->tangent_x), -(reach[2] + reach[3]) / (2 * camera->tangent_y));
        z = fmin(z, -reach[4] - 1e-3); /* a single point or line: still before the eye */
    }
    for (int axis = 0; axis < 3; axis++)
        camera->eye[axis] = x * camera->right[axis] + y * camera->up[axis] + z * camera->forward[axis];
}

void adit_camera_view(const struct adit_camera *camera, const double point[3], double view[3])
{
    double from[3] = {point[0] - camera->eye[0], point[1] - camera->eye[1], point[2] - camera->eye[2]};
    view[0] = dot(camera->right, from);
    view[1] = dot(camera->up, from);
    view[2] = dot(camera->forward, from);
}
