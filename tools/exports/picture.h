/* picture.h - a scene as a picture to look at: the whole of it, from outside and above, in sun and sky.
 *
 *     struct adit_picture_params params = {.width = 800, .height = 600};
 *     adit_picture_write("world.png", &scene, &params, error, sizeof error);
 *
 * The view frames every quad of the scene. The same scene and params give the same bytes from the same program, in
 * whatever order the meshes are listed. An empty scene gives a picture of the sky. Memory: about 150 MiB and 3 bytes a
 * pixel, whatever the world. Time: a few seconds for a million quads at the default size, on the calling thread.
 */
#ifndef ADIT_PICTURE_H
#define ADIT_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/exports/scene.h"

#define ADIT_PICTURE_SIDE_MAX 8192 /* pixels; bounds memory, and the work a slip of the keyboard can ask for */

enum adit_picture_view { ADIT_PICTURE_PERSPECTIVE, ADIT_PICTURE_ISOMETRIC };

struct adit_picture_params {
    uint32_t width, height;      /* pixels, 16 .. ADIT_PICTURE_SIDE_MAX; 0: 1600 and 1000 */
    enum adit_picture_view view; /* isometric: parallel, 35.26 degrees above the horizon */
    double turn_degrees;         /* walks around the scene from the default corner, between +x and +z */
    bool (*step)(void *user, uint32_t done, uint32_t total); /* called now and then with the part that is done, may be NULL; */
    void *user;                                              /* false gives the picture up: -EINTR */
    double tilt_degrees;         /* above the horizon, 5 .. 85; 0: 33 to 42, more for high scenes; not for isometric views */
};

/* Draws into rgb, width * height * 3 bytes sRGB, rows from the top. params may be NULL. 0, or a negative errno and one
 * line in error: -EINVAL (a size out of range, a damaged scene), -ENOMEM; -EINTR without a line. */
int adit_picture_draw(const struct adit_scene *scene, const struct adit_picture_params *params, uint8_t *rgb,
                      char *error, size_t error_bytes);

/* Draws and writes a PNG, which appears whole or not at all (sink.h). Also -EIO and what the system says. */
int adit_picture_write(const char *path, const struct adit_scene *scene, const struct adit_picture_params *params,
                       char *error, size_t error_bytes);

#endif
