/* skylight.c - maps of depth, one a light. See skylight.h.
 *
 * Drawing. Along one direction every quad of a face is a parallelogram with the same two edge vectors, scaled by w and
 * h. In coordinates (s,t) along those edges it is 0 <= s <= w, 0 <= t <= h, and both are linear along a row of texels:
 * a row's part of the quad is an interval, and depth goes along it in equal steps.
 *
 * Looking up. The four texels around the point are compared and the answers blended (percentage-closer filtering;
 * Reeves, Salesin and Cook, "Rendering Antialiased Shadows with Depth Maps", 1987). The point is first moved off its
 * face, by as much as a texel can hide at that angle, so that a surface does not shade itself. */
#include "tools/exports/skylight.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "tools/exports/real.h"

#define GOLDEN_ANGLE 2.39996322972865332
#define DEPTH_MAX 65535
#define DEPTH_FIXED_BITS 14
#define LEVEL 1e-5f /* slope under which an edge runs along the rows */
#define OFFSET_TEXELS 1.6
#define QUADS_FOR_FULL_SKY 600000

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Aims a light's map at the box lo..hi, filling it. */
static int light_init(struct adit_light *light, const double towards[3], const double lo[3], const double hi[3],
                      uint32_t side)
{
    double flat = hypot(towards[0], towards[2]), axes[3][3];
    for (int i = 0; i < 3; i++)
        light->towards[i] = axes[2][i] = towards[i];
    axes[0][0] = flat > 1e-6 ? towards[2] / flat : 1; /* level */
    axes[0][1] = 0;
    axes[0][2] = flat > 1e-6 ? -towards[0] / flat : 0;
    axes[1][0] = towards[1] * axes[0][2] - towards[2] * axes[0][1];
    axes[1][1] = towards[2] * axes[0][0] - towards[0] * axes[0][2];
    axes[1][2] = towards[0] * axes[0][1] - towards[1] * axes[0][0];
    light->side = side;
    light->texel = 0;
    for (int i = 0; i < 3; i++) {
        double middle[3] = {(lo[0] + hi[0]) / 2, (lo[1] + hi[1]) / 2, (lo[2] + hi[2]) / 2}, half = 1e-3;
        for (int axis = 0; axis < 3; axis++)
            half += fabs(axes[i][axis]) * (hi[axis] - lo[axis]) / 2;
        double room = i < 2 ? side - 4 : DEPTH_MAX - 8, scale = room / (2 * half);
        for (int axis = 0; axis < 3; axis++)
            light->axis[axis][i] = (float)(axes[i][axis] * scale);
        light->shift[i] = (float)((i < 2 ? side : DEPTH_MAX) / 2.0 - dot(axes[i], middle) * scale);
        if (i < 2)
            light->texel = adit_real_max64(light->texel, 1 / scale);
    }
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        uint32_t axis = adit_face_axis(face);
        double sign = face & 1 ? 1 : -1, along = towards[axis] * sign;
        double off = sign * (OFFSET_TEXELS * light->texel * sqrt(adit_real_max64(1 - along * along, 0)) + 0.02);
        light->off[face] = light->shift + light->axis[axis] * (float)off;
        light->off[face][2] += 2; /* what rounding depth to steps may take */
    }
    light->nearest = calloc((size_t)side * side, sizeof *light->nearest);
    return light->nearest ? 0 : -ENOMEM;
}

/* Directions evenly over the upper half of the sky: rings of equal height, the golden angle apart (a Fibonacci
 * lattice); none lower than 4 degrees, where a map sees the scene edge-on. */
static void sky_direction(uint32_t i, uint32_t count, double towards[3])
{
    double height = 0.07 + 0.92 * (i + 0.5) / count, flat = sqrt(1 - height * height), angle = i * GOLDEN_ANGLE;
    towards[0] = flat * cos(angle);
    towards[1] = height;
    towards[2] = flat * sin(angle);
}

static void weigh(struct adit_skylight *skylight)
{
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        double sum = 0;
        for (uint32_t i = 0; i < skylight->sky_count; i++) {
            double along = skylight->sky[i].towards[adit_face_axis(face)] * (face & 1 ? 1 : -1);
            skylight->weight[face][i] = along > 0.05 ? (float)along : 0;
            sum += (double)skylight->weight[face][i];
        }
        for (uint32_t i = 0; i < skylight->sky_count; i++)
            skylight->weight[face][i] = sum > 0 ? (float)((double)skylight->weight[face][i] / sum) : 0;
    }
}

static uint32_t side_for(uint32_t texels, uint32_t most)
{
    return texels < 128 ? 128 : texels > most ? most : texels;
}

int adit_skylight_init(struct adit_skylight *skylight, const double sun[3], const double lo[3], const double hi[3],
                       uint32_t pixels, uint64_t quads)
{
    *skylight = (struct adit_skylight){.sky_count = ADIT_SKYLIGHT_SKY_MAX};
    if (quads > QUADS_FOR_FULL_SKY) /* half at twice as many quads, at least 12 */
        skylight->sky_count = (uint32_t)adit_real_max64(12, ADIT_SKYLIGHT_SKY_MAX * (double)QUADS_FOR_FULL_SKY / (double)quads);
    int status = light_init(&skylight->sun, sun, lo, hi, side_for(pixels * 2, 4096));
    for (uint32_t i = 0; i < skylight->sky_count && !status; i++) {
        double towards[3];
        sky_direction(i, skylight->sky_count, towards);
        status = light_init(&skylight->sky[i], towards, lo, hi, side_for(pixels / 2, 1024));
    }
    if (status)
        adit_skylight_fini(skylight);
    else
        weigh(skylight);
    return status;
}

void adit_skylight_fini(struct adit_skylight *skylight)
{
    free(skylight->sun.nearest);
    skylight->sun.nearest = NULL;
    for (uint32_t i = 0; i < ADIT_SKYLIGHT_SKY_MAX; i++) {
        free(skylight->sky[i].nearest);
        skylight->sky[i].nearest = NULL;
    }
}

/* ---- drawing */

/* What all quads of one face of one mesh share in one map. In a row `down` below a quad's corner, 0 <= s <= w is x from
 * s_lean * down + w * s_low to s_lean * down + w * s_high, counted from the corner; t the same with h. */
struct plane {
    float origin[3], step[3][3]; /* u, v, depth of the mesh's corner, and what a voxel along each axis adds */
    float s_lean, s_low, s_high, t_lean, t_low, t_high;
    float depth_u, depth_v; /* depth along and across a row */
};

static bool plane_init(struct plane *plane, const struct adit_light *light, const struct adit_raster_mesh *mesh,
                       uint32_t face)
{
    for (uint32_t i = 0; i < 3; i++) {
        double at = (double)light->shift[i];
        for (uint32_t axis = 0; axis < 3; axis++) {
            at += (double)light->axis[axis][i] * mesh->origin[axis];
            plane->step[axis][i] = (float)((double)light->axis[axis][i] * mesh->size);
        }
        plane->origin[i] = (float)at;
    }
    const float *u = plane->step[adit_face_u(face)], *v = plane->step[adit_face_v(face)];
    float area = u[0] * v[1] - u[1] * v[0];
    if (!(fabsf(area) > 1e-9f * (float)(mesh->size * mesh->size)))
        return false;
    /* An edge along the rows (its v is 0) bounds no x there; which rows the quad has says it all. */
    bool s_level = fabsf(v[1]) < LEVEL * fabsf(v[0]), t_level = fabsf(u[1]) < LEVEL * fabsf(u[0]);
    plane->s_lean = s_level ? 0 : v[0] / v[1];
    plane->s_low = s_level ? -HUGE_VALF : adit_real_min(area / v[1], 0);
    plane->s_high = s_level ? HUGE_VALF : adit_real_max(area / v[1], 0);
    plane->t_lean = t_level ? 0 : u[0] / u[1];
    plane->t_low = t_level ? -HUGE_VALF : adit_real_min(-area / u[1], 0);
    plane->t_high = t_level ? HUGE_VALF : adit_real_max(-area / u[1], 0);
    plane->depth_u = (v[1] * u[2] - u[1] * v[2]) / area;
    plane->depth_v = (u[0] * v[2] - v[0] * u[2]) / area;
    return true;
}

static int32_t fixed_depth(float depth)
{
    return (int32_t)(adit_real_limit(depth, 1, DEPTH_MAX) * (1 << DEPTH_FIXED_BITS));
}

/* Texels first..end - 1 of a row; depth at the first one's centre. */
static void fill_row(uint16_t *row, int32_t first, int32_t end, float depth, float depth_step)
{
    int32_t at = fixed_depth(depth);
    int32_t step = end - first > 1 ? (fixed_depth(depth + depth_step * (float)(end - first - 1)) - at) / (end - first - 1) : 0;
    for (int32_t x = first; x < end; x++, at += step) {
        uint16_t here = (uint16_t)(at >> DEPTH_FIXED_BITS);
        row[x] = here > row[x] ? here : row[x];
    }
}

/* A texel belongs to the quad if its centre does; rounding at .5 makes first..end half open, so neighbours share none. */
static void fill_quad(struct adit_light *light, const struct plane *plane, uint64_t quad, uint32_t face)
{
    float corner[3] = {(float)adit_quad_x(quad), (float)adit_quad_y(quad), (float)adit_quad_z(quad)}, at[3];
    float w = (float)adit_quad_w(quad), h = (float)adit_quad_h(quad), side = (float)light->side;
    corner[adit_face_axis(face)] += (float)(face & 1);
    for (uint32_t i = 0; i < 3; i++)
        at[i] = plane->origin[i] + corner[0] * plane->step[0][i] + corner[1] * plane->step[1][i] +
                corner[2] * plane->step[2][i];
    float by_w = w * plane->step[adit_face_u(face)][1], by_h = h * plane->step[adit_face_v(face)][1];
    float top = at[1] + adit_real_min(by_w, 0) + adit_real_min(by_h, 0);
    float bottom = at[1] + adit_real_max(by_w, 0) + adit_real_max(by_h, 0);
    int32_t end_row = (int32_t)adit_real_limit(bottom + 0.5f, 0, side);
    for (int32_t row = (int32_t)adit_real_limit(top + 0.5f, 0, side); row < end_row; row++) {
        float down = (float)row + 0.5f - at[1], s_at = plane->s_lean * down, t_at = plane->t_lean * down;
        float low = at[0] + adit_real_max(s_at + w * plane->s_low, t_at + h * plane->t_low);
        float high = at[0] + adit_real_min(s_at + w * plane->s_high, t_at + h * plane->t_high);
        int32_t first = (int32_t)adit_real_limit(low + 0.5f, 0, side), end = (int32_t)adit_real_limit(high + 0.5f, 0, side);
        float right = (float)first + 0.5f - at[0];
        if (first < end)
            fill_row(light->nearest + (size_t)row * light->side, first, end,
                     at[2] + plane->depth_v * down + plane->depth_u * right, plane->depth_u);
    }
}

static void light_add(struct adit_light *light, const struct adit_raster_mesh *mesh)
{
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        uint32_t face = range / ADIT_MESH_CLASSES, first = mesh->mesh->start[range], end = mesh->mesh->start[range + 1];
        double along = light->towards[adit_face_axis(face)] * (face & 1 ? 1 : -1);
        struct plane plane;
        if (range % ADIT_MESH_CLASSES == ADIT_CLASS_TRANSLUCENT - 1 || first == end || along <= 0 ||
            !plane_init(&plane, light, mesh, face))
            continue;
        for (uint32_t i = first; i < end; i++)
            fill_quad(light, &plane, adit_scene_quad(mesh->mesh, i), face);
    }
}

void adit_skylight_add(struct adit_skylight *skylight, const struct adit_raster_mesh *mesh)
{
    light_add(&skylight->sun, mesh);
    for (uint32_t i = 0; i < skylight->sky_count; i++)
        light_add(&skylight->sky[i], mesh);
}

/* ---- looking up */

/* How much of the texels around u,v lets light through to depth. */
static float open_at(const struct adit_light *light, float u, float v, float depth)
{
    float most = (float)(light->side - 1);
    u -= 0.5f;
    v -= 0.5f;
    if (!(u >= 0 && v >= 0 && u < most && v < most))
        return 1;
    int32_t x = (int32_t)u, y = (int32_t)v, limit = (int32_t)adit_real_min(depth, DEPTH_MAX);
    float right = u - (float)x, down = v - (float)y;
    const uint16_t *row = light->nearest + (size_t)y * light->side + x, *next = row + light->side;
    float a = row[0] <= limit ? 1 - right : 0, b = row[1] <= limit ? right : 0;
    float c = next[0] <= limit ? 1 - right : 0, d = next[1] <= limit ? right : 0;
    return (a + b) * (1 - down) + (c + d) * down;
}

/* Below the scene depth is negative, but still sees the sky: an empty texel is 0. */
static adit_light_place place_of(const struct adit_light *light, const float point[3], uint32_t face)
{
    adit_light_place at =
        light->off[face] + light->axis[0] * point[0] + light->axis[1] * point[1] + light->axis[2] * point[2];
    at[2] = adit_real_max(at[2], 0);
    return at;
}

float adit_skylight_sun(const struct adit_skylight *skylight, const float point[3], uint32_t face)
{
    const struct adit_light *sun = &skylight->sun;
    float sum = 0;
    if (sun->towards[adit_face_axis(face)] * (face & 1 ? 1 : -1) <= 0)
        return 0;
    adit_light_place at = place_of(sun, point, face);
    for (int y = -1; y <= 1; y++)
        for (int x = -1; x <= 1; x++)
            sum += open_at(sun, at[0] + (float)x, at[1] + (float)y, at[2]) * (float)((2 - x * x) * (2 - y * y));
    return sum / 16;
}

float adit_skylight_sky(const struct adit_skylight *skylight, const float point[3], uint32_t face)
{
    float sum = 0;
    for (uint32_t i = 0; i < skylight->sky_count; i++) {
        float weight = skylight->weight[face][i];
        if (weight <= 0)
            continue;
        adit_light_place at = place_of(&skylight->sky[i], point, face);
        sum += weight * open_at(&skylight->sky[i], at[0], at[1], at[2]);
    }
    return sum;
}
