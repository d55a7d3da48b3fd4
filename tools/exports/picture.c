/* picture.c - the steps of a picture. See picture.h.
 *
 *     bounds of meshes -> camera -> maps of light (skylight) -> for each strip: raster, then shade -> PNG
 *
 * Meshes are placed relative to the middle of the scene, which keeps single precision exact enough far from the
 * world's origin. Each walk over the meshes streams: what is kept of a mesh is its box, its place and its turn. */
#include "tools/exports/picture.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/exports/png_file.h"
#include "tools/exports/shade.h"

#define TURN_DEGREES 38      /* of a square world; */
#define TURN_FOR_X_DEGREES 24 /* of one four times as long in x, */
#define TURN_FOR_Z_DEGREES 66 /* or in z: the long side is to lie across the picture */
#define TILT_DEGREES 33      /* of a flat world; */
#define TILT_MORE_DEGREES 9  /* more of one as high as it is wide, or its sides would be all one sees */
#define VIEW_DEGREES 26
#define ISOMETRIC_TURN_DEGREES 45
#define ISOMETRIC_TILT_DEGREES 35.264389682754654
#define STRIP_PIXELS 160000 /* 46 MiB of samples and veils */

/* A mesh that has quads: where it is and what part of the picture it covers. */
struct placed {
    struct adit_raster_mesh mesh;
    double lo[3], hi[3];      /* around its quads */
    double distance;          /* of its chunk's middle from the eye, to draw the farthest first */
    int64_t top, bottom;      /* rows it may touch */
};

struct picture {
    const struct adit_scene *scene;
    struct adit_picture_params params;
    struct placed *placed;
    size_t placed_count;
    double lo[3], hi[3];
    struct adit_paints paints;
    struct adit_camera camera;
    struct adit_skylight skylight;
    struct adit_raster raster;
};

static int take_params(struct picture *picture, const struct adit_picture_params *params, char *error,
                       size_t error_bytes)
{
    if (params)
        picture->params = *params;
    struct adit_picture_params *own = &picture->params;
    own->width = own->width ? own->width : 1600;
    own->height = own->height ? own->height : 1000;
    if (own->width < 16 || own->width > ADIT_PICTURE_SIDE_MAX || own->height < 16 || own->height > ADIT_PICTURE_SIDE_MAX) {
        snprintf(error, error_bytes, "picture: size %ux%u is out of range; give 16 to %d pixels a side", own->width,
                 own->height, ADIT_PICTURE_SIDE_MAX);
        return -EINVAL;
    }
    if (!isfinite(own->turn_degrees) || !isfinite(own->tilt_degrees)) {
        snprintf(error, error_bytes, "picture: an angle is not a number; give degrees");
        return -EINVAL;
    }
    return 0;
}

static int make_paints(struct picture *picture)
{
    struct adit_paints *paints = &picture->paints;
    paints->count = picture->scene->materials_count;
    if (paints->count > ADIT_MATERIALS)
        paints->count = ADIT_MATERIALS;
    paints->linear = calloc((size_t)paints->count + 1, sizeof *paints->linear);
    if (!paints->linear)
        return -ENOMEM;
    for (uint32_t i = 0; i <= paints->count; i++) {
        uint32_t rgba = i < paints->count ? picture->scene->materials[i].rgba : ADIT_SCENE_RGBA_UNKNOWN;
        for (uint32_t c = 0; c < 3; c++)
            paints->linear[i][c] = adit_shade_linear((float)(rgba >> (24 - 8 * c) & 255) / 255);
        paints->linear[i][3] = (float)(rgba & 255) / 255;
    }
    return 0;
}

/* Lists the meshes that have quads, with their boxes relative to the middle of all. */
static int place_meshes(struct picture *picture)
{
    const struct adit_scene *scene = picture->scene;
    int64_t middle[3];
    picture->placed = calloc(scene->meshes_count ? scene->meshes_count : 1, sizeof *picture->placed);
    if (!picture->placed)
        return -ENOMEM;
    for (size_t m = 0; m < scene->meshes_count; m++) {
        uint32_t lo[3], hi[3];
        int64_t origin[3];
        adit_scene_mesh_bounds(&scene->meshes[m], 0, lo, hi);
        if (lo[0] > hi[0])
            continue;
        struct placed *placed = &picture->placed[picture->placed_count++];
        adit_scene_mesh_origin(scene, &scene->meshes[m], origin);
        placed->mesh = (struct adit_raster_mesh){.mesh = &scene->meshes[m], .size = (double)(1u << scene->meshes[m].lod)};
        for (uint32_t axis = 0; axis < 3; axis++) {
            placed->mesh.origin[axis] = (double)origin[axis];
            placed->lo[axis] = (double)origin[axis] + lo[axis] * placed->mesh.size;
            placed->hi[axis] = (double)origin[axis] + hi[axis] * placed->mesh.size;
            bool first = picture->placed_count == 1;
            picture->lo[axis] = first ? placed->lo[axis] : fmin(picture->lo[axis], placed->lo[axis]);
            picture->hi[axis] = first ? placed->hi[axis] : fmax(picture->hi[axis], placed->hi[axis]);
        }
    }
    for (uint32_t axis = 0; axis < 3; axis++) {
        middle[axis] = (int64_t)((picture->lo[axis] + picture->hi[axis]) / 2); /* whole, so voxels stay on the grid */
        picture->lo[axis] -= (double)middle[axis];
        picture->hi[axis] -= (double)middle[axis];
        for (size_t i = 0; i < picture->placed_count; i++) {
            picture->placed[i].mesh.origin[axis] -= (double)middle[axis];
            picture->placed[i].lo[axis] -= (double)middle[axis];
            picture->placed[i].hi[axis] -= (double)middle[axis];
        }
    }
    return 0;
}

/* Corner k (0..7) of a box. */
static void box_corner(const double lo[3], const double hi[3], uint32_t k, double corner[3])
{
    for (uint32_t axis = 0; axis < 3; axis++)
        corner[axis] = k >> axis & 1 ? hi[axis] : lo[axis];
}

/* The angles a scene of this shape looks best from. */
static void default_angles(const struct picture *picture, double *turn_degrees, double *tilt_degrees)
{
    double size[3];
    for (uint32_t axis = 0; axis < 3; axis++)
        size[axis] = picture->hi[axis] - picture->lo[axis] + 1;
    double longer = fmin(fmax(log2(size[2] / size[0]) / 2, -1), 1); /* -1 four times as long in x, 1 in z */
    double other = longer > 0 ? TURN_FOR_Z_DEGREES : TURN_FOR_X_DEGREES;
    *turn_degrees = TURN_DEGREES + (other - TURN_DEGREES) * fabs(longer);
    *tilt_degrees = TILT_DEGREES + TILT_MORE_DEGREES * fmin(size[1] / fmax(size[0], size[2]), 1);
}

/* Shows the camera every corner of every quad: boxes would leave room for corners that are air. */
static void frame_mesh(struct adit_camera *camera, const struct adit_raster_mesh *mesh)
{
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        for (uint32_t i = mesh->mesh->start[range]; i < mesh->mesh->start[range + 1]; i++) {
            uint32_t corners[4][3];
            adit_scene_corners(adit_scene_quad(mesh->mesh, i), range / ADIT_MESH_CLASSES, corners);
            for (uint32_t k = 0; k < 4; k++) {
                double point[3];
                for (uint32_t axis = 0; axis < 3; axis++)
                    point[axis] = mesh->origin[axis] + corners[k][axis] * mesh->size;
                adit_camera_add(camera, point);
            }
        }
    }
}

static void aim(struct picture *picture)
{
    const struct adit_picture_params *params = &picture->params;
    double turn, tilt, view = VIEW_DEGREES;
    default_angles(picture, &turn, &tilt);
    tilt = params->tilt_degrees != 0 ? params->tilt_degrees : tilt;
    if (params->view == ADIT_PICTURE_ISOMETRIC) {
        turn = ISOMETRIC_TURN_DEGREES;
        tilt = ISOMETRIC_TILT_DEGREES;
        view = 0;
    }
    adit_camera_aim(&picture->camera, params->width, params->height, turn + params->turn_degrees, tilt, view);
    for (size_t i = 0; i < picture->placed_count; i++)
        frame_mesh(&picture->camera, &picture->placed[i].mesh);
    adit_camera_frame(&picture->camera);
}

/* Rows and distance of a mesh for the camera; the scene's nearest and farthest point along the view axis. */
static void see_mesh(const struct picture *picture, struct placed *placed, double *nearest, double *farthest)
{
    double middle[3], view[3], top = HUGE_VAL, bottom = -HUGE_VAL;
    for (uint32_t k = 0; k < 8; k++) {
        double corner[3], pixel[3];
        box_corner(placed->lo, placed->hi, k, corner);
        adit_camera_view(&picture->camera, corner, view);
        *nearest = fmin(*nearest, view[2]);
        *farthest = fmax(*farthest, view[2]);
        if (adit_camera_project(&picture->camera, view, pixel)) {
            top = fmin(top, pixel[1]);
            bottom = fmax(bottom, pixel[1]);
        }
    }
    placed->top = (int64_t)floor(fmin(fmax(top - 1, -1), picture->params.height));
    placed->bottom = (int64_t)ceil(fmin(fmax(bottom + 1, -1), picture->params.height));
    for (uint32_t axis = 0; axis < 3; axis++)
        middle[axis] = placed->mesh.origin[axis] + placed->mesh.size * ADIT_CHUNK_DIM / 2;
    adit_camera_view(&picture->camera, middle, view);
    placed->distance = picture->camera.parallel ? view[2] : view[0] * view[0] + view[1] * view[1] + view[2] * view[2];
}

/* Equally far ones by their place, so that the picture does not depend on the order of the scene's list. */
static int farthest_first(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;
    if (a->distance != b->distance)
        return a->distance > b->distance ? -1 : 1;
    for (uint32_t axis = 0; axis < 3; axis++)
        if (a->mesh.origin[axis] != b->mesh.origin[axis])
            return a->mesh.origin[axis] < b->mesh.origin[axis] ? -1 : 1;
    return a->mesh.size < b->mesh.size ? -1 : a->mesh.size > b->mesh.size;
}

#define STEPS 100u /* half for the light, half for the rows: each takes about half of the time */

/* Tells of done of total parts of a half of the work. 0, or -EINTR when nobody wants the picture any more. */
static int step(const struct picture *picture, uint32_t half, uint64_t done, uint64_t total)
{
    const struct adit_picture_params *params = &picture->params;
    uint32_t steps = (uint32_t)(half * STEPS / 2 + done * (STEPS / 2) / (total ? total : 1));
    return !params->step || params->step(params->user, steps, STEPS) ? 0 : -EINTR;
}

/* Opaque quads nearest mesh first, which hides what follows cheaply; the veil farthest first, which blending needs. */
static int draw_strip(struct picture *picture, uint32_t first_row, uint32_t rows)
{
    adit_raster_begin(&picture->raster, first_row, rows);
    for (size_t i = picture->placed_count; i-- > 0;) {
        const struct placed *placed = &picture->placed[i];
        if (placed->bottom >= first_row && placed->top < first_row + rows)
            adit_raster_draw_opaque(&picture->raster, &placed->mesh);
    }
    int status = 0;
    for (size_t i = 0; i < picture->placed_count && !status; i++) {
        const struct placed *placed = &picture->placed[i];
        if (placed->bottom >= first_row && placed->top < first_row + rows)
            status = adit_raster_draw_veil(&picture->raster, &placed->mesh);
    }
    return status;
}

static int draw_strips(struct picture *picture, struct adit_shade *shade, uint8_t *rgb)
{
    const struct adit_picture_params *params = &picture->params;
    uint32_t rows_max = STRIP_PIXELS / params->width < 16 ? 16 : STRIP_PIXELS / params->width;
    rows_max = rows_max > params->height ? params->height : rows_max;
    int status = adit_raster_init(&picture->raster, params->width, rows_max);
    picture->raster.camera = &picture->camera;
    picture->raster.paints = &picture->paints;
    picture->raster.far_distance = shade->far_distance + 1;
    for (uint32_t row = 0; row < params->height && !status; row += rows_max) {
        uint32_t rows = params->height - row < rows_max ? params->height - row : rows_max;
        status = step(picture, 1, row, params->height);
        if (!status)
            status = draw_strip(picture, row, rows);
        for (uint32_t r = 0; r < rows && !status; r++)
            adit_shade_row(shade, picture->raster.pixels + (size_t)r * params->width,
                           picture->raster.veils + (size_t)r * params->width, row + r,
                           rgb + (size_t)(row + r) * params->width * 3);
    }
    return status;
}

static int draw_picture(struct picture *picture, uint8_t *rgb)
{
    double sun[3], nearest = HUGE_VAL, farthest = -HUGE_VAL;
    struct adit_shade shade = {.camera = &picture->camera, .paints = &picture->paints};
    aim(picture);
    for (size_t i = 0; i < picture->placed_count; i++)
        see_mesh(picture, &picture->placed[i], &nearest, &farthest);
    qsort(picture->placed, picture->placed_count, sizeof *picture->placed, farthest_first);
    adit_shade_sun(&picture->camera, sun);
    if (picture->placed_count) {
        uint32_t pixels = picture->params.width > picture->params.height ? picture->params.width : picture->params.height;
        int status = adit_skylight_init(&picture->skylight, sun, picture->lo, picture->hi, pixels,
                                        adit_scene_quads(picture->scene));
        if (status)
            return status;
        shade.skylight = &picture->skylight;
        shade.floor = (float)picture->lo[1];
    }
    for (size_t i = 0; i < picture->placed_count; i++) {
        int status = step(picture, 0, i, picture->placed_count);
        if (status)
            return status;
        adit_skylight_add(&picture->skylight, &picture->placed[i].mesh);
    }
    for (uint32_t axis = 0; axis < 3; axis++)
        shade.sun[axis] = (float)sun[axis];
    shade.near_distance = picture->placed_count ? (float)nearest : 0;
    shade.far_distance = picture->placed_count ? (float)farthest : 1;
    return draw_strips(picture, &shade, rgb);
}

int adit_picture_draw(const struct adit_scene *scene, const struct adit_picture_params *params, uint8_t *rgb,
                      char *error, size_t error_bytes)
{
    struct picture *picture = calloc(1, sizeof *picture);
    int status = picture ? 0 : -ENOMEM;
    if (!status) {
        picture->scene = scene;
        status = take_params(picture, params, error, error_bytes);
        if (!status)
            status = adit_scene_check(scene, error, error_bytes);
        if (!status)
            status = make_paints(picture);
        if (!status)
            status = place_meshes(picture);
        if (!status)
            status = draw_picture(picture, rgb);
        adit_raster_fini(&picture->raster);
        adit_skylight_fini(&picture->skylight);
        free(picture->paints.linear);
        free(picture->placed);
        free(picture);
    }
    if (status == -ENOMEM)
        snprintf(error, error_bytes, "picture: out of memory; draw a smaller one or free 150 MiB");
    return status;
}

int adit_picture_write(const char *path, const struct adit_scene *scene, const struct adit_picture_params *params,
                       char *error, size_t error_bytes)
{
    struct picture sized = {.scene = scene};
    int status = take_params(&sized, params, error, error_bytes);
    if (status)
        return status;
    uint8_t *rgb = malloc((size_t)sized.params.width * sized.params.height * 3);
    if (!rgb) {
        snprintf(error, error_bytes, "%s: out of memory; draw a smaller picture", path);
        return -ENOMEM;
    }
    status = adit_picture_draw(scene, &sized.params, rgb, error, error_bytes);
    if (!status)
        status = adit_png_write(path,
                                &(struct adit_png){.pixels = rgb, .width = sized.params.width, .height = sized.params.height,
                                                   .advice = "draw a smaller picture"},
                                error, error_bytes);
    free(rgb);
    return status;
}
