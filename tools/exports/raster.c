/* raster.c - quads to samples by edge functions (Pineda, "A Parallel Algorithm for Polygon Rasterization", 1988).
 *
 * No cracks. A long edge of one quad meets many short ones of its neighbours (greedy meshes are full of such
 * T-junctions), and rounding must not let the sky through between them. Corners are never snapped to a grid, edges are
 * set up in double relative to the quad's own corner, and every quad is grown by GROW_PIXELS, far more than what single
 * precision loses on an edge across the picture and far less than can be seen. Where that makes two quads overlap, both
 * lie on one plane or the depth test decides; nearness is kept within that of the quad's corners. Translucent quads are
 * not grown: a sample that two of them cover is tinted twice and shows as a dot, while the odd sample that rounding
 * leaves to none, one in a million, does not show.
 *
 * Eight samples are two vectors of four; GCC's vector extension maps them to SSE, NEON or plain code alike. */
#include "tools/exports/raster.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/exports/real.h"

#define LANES 4
#define HALVES (ADIT_RASTER_SAMPLES / LANES)
#define GROW_PIXELS (1 / 512.0)

typedef float lanes_float __attribute__((vector_size(16), may_alias));
typedef int32_t lanes_int __attribute__((vector_size(16), may_alias));

/* The eight positions of Direct3D's standard pattern, in sixteenths of a pixel from its centre. */
const float adit_raster_sample_x[ADIT_RASTER_SAMPLES] = {9 / 16.f, 7 / 16.f, 13 / 16.f, 5 / 16.f,
                                                         3 / 16.f, 1 / 16.f, 11 / 16.f, 15 / 16.f};
const float adit_raster_sample_y[ADIT_RASTER_SAMPLES] = {5 / 16.f, 11 / 16.f, 9 / 16.f, 3 / 16.f,
                                                         13 / 16.f, 7 / 16.f, 15 / 16.f, 1 / 16.f};

/* A quad ready to be filled: pixel box, and edges and nearness as a*x + b*y + c with x, y counted from the box. */
struct setup {
    int32_t x0, y0, x1, y1; /* pixels, the strip's own rows, ends excluded */
    float a[4], b[4];
    lanes_float c[4][HALVES]; /* at each sample of the box's first pixel */
    float reach[4];           /* the largest c any point of a pixel can have */
    float near_a, near_b, near_low, near_high;
    lanes_float near_c[HALVES];
};

int adit_raster_init(struct adit_raster *raster, uint32_t width, uint32_t rows_max)
{
    size_t count = (size_t)width * rows_max;
    *raster = (struct adit_raster){.width = width, .rows_max = rows_max};
    raster->pixels = aligned_alloc(64, count * sizeof *raster->pixels);
    raster->veils = aligned_alloc(32, count * sizeof *raster->veils);
    if (raster->pixels && raster->veils)
        return 0;
    adit_raster_fini(raster);
    return -ENOMEM;
}

void adit_raster_fini(struct adit_raster *raster)
{
    free(raster->pixels);
    free(raster->veils);
    raster->pixels = NULL;
    raster->veils = NULL;
}

void adit_raster_begin(struct adit_raster *raster, uint32_t first_row, uint32_t rows)
{
    size_t count = (size_t)raster->width * rows;
    raster->first_row = first_row;
    raster->rows = rows;
    memset(raster->veils, 0, count * sizeof *raster->veils);
    for (size_t i = 0; i < count; i++) {
        for (uint32_t s = 0; s < ADIT_RASTER_SAMPLES; s++) {
            raster->pixels[i].nearness[s] = -FLT_MAX;
            raster->pixels[i].surface[s] = 0;
        }
    }
}

/* ---- setting up a quad */

/* A mesh in camera axes: its corner and what one voxel along each axis adds. */
struct frame {
    double base[3], step[3][3];
};

static void frame_mesh(const struct adit_raster *raster, const struct adit_raster_mesh *mesh, struct frame *frame)
{
    adit_camera_view(raster->camera, mesh->origin, frame->base);
    for (uint32_t axis = 0; axis < 3; axis++) {
        frame->step[axis][0] = raster->camera->right[axis] * mesh->size;
        frame->step[axis][1] = raster->camera->up[axis] * mesh->size;
        frame->step[axis][2] = raster->camera->forward[axis] * mesh->size;
    }
}

static bool project_corner(const struct adit_raster *raster, const struct frame *frame, const uint32_t corner[3],
                           double pixel[3])
{
    double view[3];
    for (uint32_t i = 0; i < 3; i++)
        view[i] = frame->base[i] + corner[0] * frame->step[0][i] + corner[1] * frame->step[1][i] +
                  corner[2] * frame->step[2][i];
    return adit_camera_project(raster->camera, view, pixel);
}

/* The pixels the corners span, cut to the strip. False when there are none. */
static bool box_of(const struct adit_raster *raster, double pixels[4][3], struct setup *setup)
{
    double low[2], high[2], limit[2] = {raster->width, raster->rows};
    for (uint32_t i = 0; i < 4; i++)
        pixels[i][1] -= raster->first_row;
    for (uint32_t axis = 0; axis < 2; axis++) {
        double a = pixels[0][axis], b = pixels[1][axis], c = pixels[2][axis], d = pixels[3][axis];
        low[axis] = adit_real_min64(adit_real_min64(a, b), adit_real_min64(c, d)) - GROW_PIXELS;
        high[axis] = adit_real_max64(adit_real_max64(a, b), adit_real_max64(c, d)) + GROW_PIXELS;
        low[axis] = adit_real_max64(floor(low[axis]), 0);
        high[axis] = adit_real_min64(ceil(high[axis]), limit[axis]);
        if (!(low[axis] < high[axis]))
            return false;
    }
    setup->x0 = (int32_t)low[0];
    setup->y0 = (int32_t)low[1];
    setup->x1 = (int32_t)high[0];
    setup->y1 = (int32_t)high[1];
    return true;
}

/* Edges and nearness over the box. False for a quad seen edge-on, which covers nothing. */
static bool planes_of(double pixels[4][3], double grow, struct setup *setup)
{
    const double *p = pixels[0], *q = pixels[1], *r = pixels[3];
    double d1[3] = {q[0] - p[0], q[1] - p[1], q[2] - p[2]}, d2[3] = {r[0] - p[0], r[1] - p[1], r[2] - p[2]};
    double area = d1[0] * d2[1] - d1[1] * d2[0];
    if (!(fabs(area) > 1e-9))
        return false;
    double near_a = (d1[2] * d2[1] - d2[2] * d1[1]) / area, near_b = (d2[2] * d1[0] - d1[2] * d2[0]) / area;
    double near_c = p[2] + near_a * (setup->x0 - p[0]) + near_b * (setup->y0 - p[1]);
    setup->near_a = (float)near_a;
    setup->near_b = (float)near_b;
    setup->near_low = (float)adit_real_min64(adit_real_min64(p[2], q[2]), adit_real_min64(r[2], pixels[2][2]));
    setup->near_high = (float)adit_real_max64(adit_real_max64(p[2], q[2]), adit_real_max64(r[2], pixels[2][2]));
    for (uint32_t s = 0; s < ADIT_RASTER_SAMPLES; s++)
        setup->near_c[s / LANES][s % LANES] =
            (float)(near_c + near_a * (double)adit_raster_sample_x[s] + near_b * (double)adit_raster_sample_y[s]);
    for (uint32_t k = 0; k < 4; k++) {
        const double *from = pixels[k], *to = pixels[(k + 1) % 4];
        double sign = area > 0 ? 1 : -1, a = sign * (from[1] - to[1]), b = sign * (to[0] - from[0]);
        double c = a * (setup->x0 - from[0]) + b * (setup->y0 - from[1]) + grow * (fabs(a) + fabs(b));
        setup->a[k] = (float)a;
        setup->b[k] = (float)b;
        setup->reach[k] = (float)(c + adit_real_max64(a, 0) + adit_real_max64(b, 0));
        for (uint32_t s = 0; s < ADIT_RASTER_SAMPLES; s++)
            setup->c[k][s / LANES][s % LANES] =
                (float)(c + a * (double)adit_raster_sample_x[s] + b * (double)adit_raster_sample_y[s]);
    }
    return true;
}

static bool set_up(const struct adit_raster *raster, const struct frame *frame, uint64_t quad, uint32_t face, double grow,
                   struct setup *setup)
{
    uint32_t corners[4][3];
    double pixels[4][3];
    adit_scene_corners(quad, face, corners);
    for (uint32_t k = 0; k < 4; k++)
        if (!project_corner(raster, frame, corners[k], pixels[k]))
            return false;
    return box_of(raster, pixels, setup) && planes_of(pixels, grow, setup);
}

/* The pixels of row y (from the box) that the quad may touch: a long slanted quad fills little of its box. */
static void span_of(const struct setup *setup, int32_t y, int32_t *from, int32_t *to)
{
    float low = 0, high = (float)(setup->x1 - setup->x0);
    for (uint32_t k = 0; k < 4; k++) {
        float rest = setup->reach[k] + setup->b[k] * (float)y;
        if (setup->a[k] > 0)
            low = adit_real_max(low, -rest / setup->a[k]);
        else if (setup->a[k] < 0)
            high = adit_real_min(high, -rest / setup->a[k]);
        else if (rest < 0)
            high = low;
    }
    low = adit_real_max(low - 1, 0); /* a pixel more at each end for what rounding may take */
    high = adit_real_min(high + 2, (float)(setup->x1 - setup->x0));
    *from = (int32_t)low;
    *to = high > low ? (int32_t)high : *from;
}

/* ---- filling */

static lanes_float choose(lanes_int mask, lanes_float yes, lanes_float no)
{
    return (lanes_float)((mask & (lanes_int)yes) | (~mask & (lanes_int)no));
}

static lanes_float distance_from(const struct adit_camera *camera, lanes_float nearness)
{
    if (camera->parallel)
        return -nearness;
    return 1 / nearness;
}

static bool none(lanes_int mask)
{
    return !(mask[0] | mask[1] | mask[2] | mask[3]);
}

/* The samples of one half of pixel (x,y) (from the box) inside the quad, and the quad's nearness at them. */
static inline lanes_int inside(const struct setup *setup, uint32_t half, float x, float y, lanes_float *nearness)
{
    lanes_int mask = setup->c[0][half] + (setup->a[0] * x + setup->b[0] * y) >= 0;
    for (uint32_t k = 1; k < 4; k++)
        mask &= setup->c[k][half] + (setup->a[k] * x + setup->b[k] * y) >= 0;
    lanes_float at = setup->near_c[half] + (setup->near_a * x + setup->near_b * y);
    at = choose(at < setup->near_low, (lanes_float){0} + setup->near_low, at);
    *nearness = choose(at > setup->near_high, (lanes_float){0} + setup->near_high, at);
    return mask;
}

static void fill_opaque(struct adit_raster *raster, const struct setup *setup, uint32_t surface)
{
    lanes_int word = (lanes_int){0} + (int32_t)surface;
    for (int32_t y = 0; y < setup->y1 - setup->y0; y++) {
        int32_t from, to;
        span_of(setup, y, &from, &to);
        struct adit_raster_pixel *pixel =
            &raster->pixels[(size_t)(setup->y0 + y) * raster->width + (size_t)(setup->x0 + from)];
        for (int32_t x = from; x < to; x++, pixel++) {
            for (uint32_t half = 0; half < HALVES; half++) {
                lanes_float nearness, *near_at = (lanes_float *)pixel->nearness + half;
                lanes_int mask = inside(setup, half, (float)x, (float)y, &nearness);
                mask &= nearness > *near_at;
                if (none(mask))
                    continue;
                lanes_int *surface_at = (lanes_int *)pixel->surface + half;
                *near_at = choose(mask, nearness, *near_at);
                *surface_at = (mask & word) | (~mask & *surface_at);
            }
        }
    }
}

/* What a translucent quad does to the veil. */
struct tint {
    float color[3], alpha;
    float sign; /* +1 a front face, -1 a back face */
    uint32_t surface;
};

static void fill_veil_half(struct adit_raster *raster, const struct setup *setup, const struct tint *tint, uint32_t half,
                           float x, float y, size_t index)
{
    lanes_float nearness, opaque = ((lanes_float *)raster->pixels[index].nearness)[half];
    lanes_int mask = inside(setup, half, x, y, &nearness) & (nearness > opaque);
    if (none(mask))
        return;
    struct adit_raster_veil *veil = &raster->veils[index];
    lanes_int sky = ((lanes_int *)raster->pixels[index].surface)[half] == 0;
    lanes_float behind = choose(sky, (lanes_float){0} + raster->far_distance, distance_from(raster->camera, opaque));
    lanes_float way = (behind - distance_from(raster->camera, nearness)) * tint->sign;
    lanes_float *way_at = (lanes_float *)veil->way + half;
    *way_at = choose(mask, *way_at + way, *way_at);
    if (tint->sign < 0)
        return;
    for (uint32_t c = 0; c < 3; c++) {
        lanes_float *color_at = (lanes_float *)veil->color[c] + half;
        *color_at = choose(mask, *color_at * (1 - tint->alpha) + tint->color[c] * tint->alpha, *color_at);
    }
    lanes_float *cover_at = (lanes_float *)veil->cover + half, *near_at = (lanes_float *)veil->nearness + half;
    *cover_at = choose(mask, *cover_at * (1 - tint->alpha) + tint->alpha, *cover_at);
    lanes_int *surface_at = (lanes_int *)veil->surface + half;
    mask &= (*surface_at == 0) | (nearness > *near_at);
    *near_at = choose(mask, nearness, *near_at);
    *surface_at = (mask & (int32_t)tint->surface) | (~mask & *surface_at);
}

static void fill_veil(struct adit_raster *raster, const struct setup *setup, const struct tint *tint)
{
    for (int32_t y = 0; y < setup->y1 - setup->y0; y++) {
        int32_t from, to;
        span_of(setup, y, &from, &to);
        size_t index = (size_t)(setup->y0 + y) * raster->width + (size_t)(setup->x0 + from);
        for (int32_t x = from; x < to; x++, index++)
            for (uint32_t half = 0; half < HALVES; half++)
                fill_veil_half(raster, setup, tint, half, (float)x, (float)y, index);
    }
}

/* ---- meshes */

/* Whether the eye is on the outer side of the face's plane. */
static bool faces_eye(const struct adit_raster *raster, const struct adit_raster_mesh *mesh, uint64_t quad, uint32_t face)
{
    uint32_t axis = adit_face_axis(face), at[3] = {adit_quad_x(quad), adit_quad_y(quad), adit_quad_z(quad)};
    double plane = mesh->origin[axis] + (at[axis] + (face & 1)) * mesh->size;
    double towards = raster->camera->parallel ? -raster->camera->forward[axis] : raster->camera->eye[axis] - plane;
    return face & 1 ? towards > 0 : towards < 0;
}

void adit_raster_draw_opaque(struct adit_raster *raster, const struct adit_raster_mesh *mesh)
{
    struct frame frame;
    struct setup setup;
    frame_mesh(raster, mesh, &frame);
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        uint32_t face = range / ADIT_MESH_CLASSES;
        if (range % ADIT_MESH_CLASSES == ADIT_CLASS_TRANSLUCENT - 1)
            continue;
        for (uint32_t i = mesh->mesh->start[range]; i < mesh->mesh->start[range + 1]; i++) {
            uint64_t quad = adit_scene_quad(mesh->mesh, i);
            if (faces_eye(raster, mesh, quad, face) && set_up(raster, &frame, quad, face, GROW_PIXELS, &setup))
                fill_opaque(raster, &setup, ADIT_RASTER_SURFACE(face, adit_quad_material(quad)));
        }
    }
}

struct order {
    float distance;
    uint32_t face;
    uint64_t quad;
};

static int farthest_first(const void *left, const void *right)
{
    const struct order *a = left, *b = right;
    if (a->distance != b->distance)
        return a->distance > b->distance ? -1 : 1;
    if (a->face != b->face)
        return a->face < b->face ? -1 : 1;
    return a->quad < b->quad ? -1 : a->quad > b->quad;
}

/* How far the quad's middle is from the eye (squared; along the view axis in parallel views). */
static float distance_of(const struct adit_raster *raster, const struct frame *frame, uint64_t quad, uint32_t face)
{
    uint32_t corners[4][3];
    double view[3];
    adit_scene_corners(quad, face, corners);
    for (uint32_t i = 0; i < 3; i++) {
        view[i] = frame->base[i];
        for (uint32_t axis = 0; axis < 3; axis++)
            view[i] += (corners[0][axis] + corners[2][axis]) / 2.0 * frame->step[axis][i];
    }
    return (float)(raster->camera->parallel ? view[2] : view[0] * view[0] + view[1] * view[1] + view[2] * view[2]);
}

int adit_raster_draw_veil(struct adit_raster *raster, const struct adit_raster_mesh *mesh)
{
    struct frame frame;
    struct setup setup;
    uint32_t count = adit_scene_mesh_quads(mesh->mesh, ADIT_CLASS_TRANSLUCENT), n = 0;
    struct order *orders = malloc((count ? count : 1) * sizeof *orders);
    if (!orders)
        return -ENOMEM;
    frame_mesh(raster, mesh, &frame);
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        uint32_t end = adit_scene_end(mesh->mesh, face, ADIT_CLASS_TRANSLUCENT);
        for (uint32_t i = adit_scene_first(mesh->mesh, face, ADIT_CLASS_TRANSLUCENT); i < end; i++) {
            uint64_t quad = adit_scene_quad(mesh->mesh, i);
            orders[n++] = (struct order){distance_of(raster, &frame, quad, face), face, quad};
        }
    }
    qsort(orders, n, sizeof *orders, farthest_first);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t quad = orders[i].quad;
        uint32_t material = adit_quad_material(quad), face = orders[i].face;
        const float *color = adit_paints_color(raster->paints, material);
        struct tint tint = {.color = {color[0], color[1], color[2]}, .alpha = color[3],
                            .sign = faces_eye(raster, mesh, quad, face) ? 1 : -1,
                            .surface = ADIT_RASTER_SURFACE(face, material)};
        if (set_up(raster, &frame, quad, face, 0, &setup))
            fill_veil(raster, &setup, &tint);
    }
    free(orders);
    return 0;
}
