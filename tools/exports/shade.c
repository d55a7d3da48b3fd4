/* shade.c - the light of a picture. See shade.h.
 *
 * The constants below were chosen by eye, on terrain, built worlds and small models; nothing depends on them but taste. */
#include "tools/exports/shade.h"

#include <math.h>
#include <string.h>

#include "tools/exports/real.h"

static const float sun_color[3] = {1.34f, 1.215f, 1.01f};
static const float sky_color[3] = {0.33f, 0.395f, 0.49f};
static const float bounce_color[3] = {0.17f, 0.155f, 0.13f};
static const float air_top[3] = {0.30f, 0.50f, 0.74f};    /* the background, linear: its top, */
static const float floor_shade[3] = {0.50f, 0.57f, 0.68f};   /* what is left of it in the scene's deepest shadow */
static const float air_bottom[3] = {0.90f, 0.90f, 0.87f};    /* and its bottom, also the haze */
#define HAZE_MOST 0.14f         /* at the far end of the scene */
#define KNEE 0.72f              /* brighter than this is bent */
#define GRAIN 0.055f            /* how much voxels of one material differ in brightness */
#define ABSORB 0.16f            /* per voxel seen through, for a material of cover 1 */
#define REFLECT 0.04f           /* of the sky, straight down onto something translucent */

float adit_shade_linear(float srgb)
{
    return srgb <= 0.04045f ? srgb / 12.92f : powf((srgb + 0.055f) / 1.055f, 2.4f);
}

float adit_shade_srgb(float linear)
{
    return linear <= 0.0031308f ? linear * 12.92f : 1.055f * powf(linear, 1 / 2.4f) - 0.055f;
}

void adit_shade_sun(const struct adit_camera *camera, double towards[3])
{
    /* In the level plane 0.80 to a side and 0.35 towards the viewer; 52 degrees high. To which side: that of the wall
     * seen most squarely, so that the larger walls are the lit ones. */
    double back[3] = {-camera->forward[0], 0, -camera->forward[2]}, level = hypot(back[0], back[2]);
    int wall = fabs(back[0]) > fabs(back[2]) * 1.001 ? 0 : 2; /* both alike, as in isometric views: always one */
    double side = back[wall] * camera->right[wall] > 0 ? 0.80 : -0.80, flat[3], length = 0;
    for (int i = 0; i < 3; i++) {
        flat[i] = side * camera->right[i] + 0.35 * back[i] / level;
        length += flat[i] * flat[i];
    }
    for (int i = 0; i < 3; i++)
        towards[i] = flat[i] / sqrt(length) * 0.62;
    towards[1] = sqrt(1 - 0.62 * 0.62);
}

static float mix(float a, float b, float t)
{
    return a + (b - a) * t;
}

/* Where the sample at picture position x,y lies if it is at nearness. */
static float point_at(const struct adit_shade *shade, float x, float y, float nearness, float point[3])
{
    const struct adit_camera *camera = shade->camera;
    float distance = camera->parallel ? -nearness : 1 / nearness;
    float across = (x - (float)camera->centre_x) / (float)camera->scale;
    float upward = ((float)camera->centre_y - y) / (float)camera->scale;
    float widen = camera->parallel ? 1 : distance;
    for (uint32_t i = 0; i < 3; i++)
        point[i] = (float)camera->eye[i] + (float)camera->forward[i] * distance +
                   ((float)camera->right[i] * across + (float)camera->up[i] * upward) * widen;
    return distance;
}

/* The background is a backdrop and a floor in one: a gradient over the picture, on which the scene stands and casts a
 * soft shadow. x,y is the middle of a pixel. */
static void background_at(const struct adit_shade *shade, float x, float y, float color[3])
{
    float t = y / (float)shade->camera->height, near_point[3], far_point[3], point[3];
    t = t * t * (3 - 2 * t);
    for (uint32_t c = 0; c < 3; c++)
        color[c] = mix(air_top[c], air_bottom[c], t);
    if (!shade->skylight)
        return;
    bool parallel = shade->camera->parallel;
    point_at(shade, x, y, parallel ? 0 : 1, near_point);
    point_at(shade, x, y, parallel ? -1 : 0.5f, far_point);
    float falls = near_point[1] - far_point[1], reach = near_point[1] - shade->floor;
    if (!(falls > 1e-4f && reach > 0))
        return; /* looks over the horizon */
    for (uint32_t i = 0; i < 3; i++)
        point[i] = near_point[i] + (far_point[i] - near_point[i]) * (reach / falls);
    float sun = adit_skylight_sun(shade->skylight, point, ADIT_FACE_PY);
    float sky = adit_skylight_sky(shade->skylight, point, ADIT_FACE_PY);
    for (uint32_t c = 0; c < 3; c++)
        color[c] *= mix(floor_shade[c], 1, 0.35f * sun + 0.65f * sky);
}

/* ---- light, once for each surface of a pixel */

struct patch {
    uint32_t face;
    int32_t layer; /* of the surface along the face's axis */
    uint32_t samples;
    float point[3], light[3];
};

struct patches {
    struct patch patch[2 * ADIT_RASTER_SAMPLES];
    uint32_t count;
};

/* The patch that a sample belongs to; a new one if none does (there is one for every sample at most). */
static uint32_t patch_for(struct patches *patches, uint32_t face, const float point[3])
{
    int32_t layer = (int32_t)lrintf(adit_real_limit(point[adit_face_axis(face)], -1e9f, 1e9f));
    uint32_t i = 0;
    while (i < patches->count && (patches->patch[i].face != face || patches->patch[i].layer != layer))
        i++;
    if (i == patches->count)
        patches->patch[patches->count++] = (struct patch){.face = face, .layer = layer};
    struct patch *patch = &patches->patch[i];
    for (uint32_t axis = 0; axis < 3; axis++)
        patch->point[axis] += point[axis];
    patch->samples++;
    return i;
}

static void light_patch(const struct adit_shade *shade, struct patch *patch)
{
    uint32_t axis = adit_face_axis(patch->face);
    float sign = patch->face & 1 ? 1.0f : -1.0f, facing = adit_real_max(shade->sun[axis] * sign, 0);
    for (uint32_t i = 0; i < 3; i++)
        patch->point[i] /= (float)patch->samples;
    float sun = facing > 0 ? facing * adit_skylight_sun(shade->skylight, patch->point, patch->face) : 0;
    float sky = adit_skylight_sky(shade->skylight, patch->point, patch->face);
    float dome = patch->face == ADIT_FACE_PY ? 1.0f : patch->face == ADIT_FACE_NY ? 0.0f : 0.75f;
    for (uint32_t c = 0; c < 3; c++)
        patch->light[c] = sun_color[c] * sun * (0.6f + 0.4f * sky) + sky_color[c] * dome * sky +
                          bounce_color[c] * (1.2f - dome) * (0.25f + 0.75f * sqrtf(sky));
}

/* ---- colour */

/* A number of -1..1 for a voxel, the same for all its faces (a mix of the kind of MurmurHash3's last step). */
static float grain_of(const float point[3], uint32_t face)
{
    uint32_t hash = 0x9e3779b9u;
    for (uint32_t i = 0; i < 3; i++) {
        float inward = i == adit_face_axis(face) ? (face & 1 ? -0.5f : 0.5f) : 0;
        int32_t at = (int32_t)floorf(adit_real_limit(point[i] + inward, -1e9f, 1e9f));
        hash = (hash ^ (uint32_t)at) * 0x85ebca6bu;
        hash ^= hash >> 15;
    }
    hash *= 0xc2b2ae35u;
    hash ^= hash >> 16;
    return (float)(hash & 0xffff) / 32767.5f - 1;
}

/* Voxels smaller than a few pixels lose their grain: there it would only be noise. */
static float grain_share(const struct adit_shade *shade, float distance)
{
    float pixels = (float)shade->camera->scale / (shade->camera->parallel ? 1 : distance);
    return GRAIN * adit_real_limit((pixels - 1.0f) / 4, 0, 1);
}

static void haze(const struct adit_shade *shade, float distance, float color[3])
{
    float depth = (distance - shade->near_distance) / adit_real_max(shade->far_distance - shade->near_distance, 1e-3f);
    float share = HAZE_MOST * adit_real_limit(depth, 0, 1);
    for (uint32_t c = 0; c < 3; c++)
        color[c] = mix(color[c], air_bottom[c], share);
}

/* Lays the veil of sample s, lit, over color. */
static void lay_veil(const struct adit_shade *shade, const struct adit_raster_veil *veil, uint32_t s,
                     const struct patch *patch, const float ray[3], float distance, float color[3])
{
    float cover = veil->cover[s], way = adit_real_max(veil->way[s], 0);
    float full = 1 - (1 - cover) * expf(-ABSORB * cover * way);
    float grow = full / adit_real_max(cover, 1e-3f);
    float along = fabsf(ray[adit_face_axis(patch->face)]), dark = 1 - adit_real_min(way * 0.02f, 0.35f);
    float mirror = REFLECT + (1 - REFLECT) * powf(1 - along, 5); /* Schlick 1994 */
    float tint[3];
    for (uint32_t c = 0; c < 3; c++)
        tint[c] = veil->color[c][s] * grow * patch->light[c] * dark;
    haze(shade, distance, tint);
    for (uint32_t c = 0; c < 3; c++) {
        float seen = color[c] * (1 - full) + tint[c];
        color[c] = mix(seen, mix(air_bottom[c], air_top[c], 0.6f), mirror * 0.7f);
    }
}

static void bend(float color[3])
{
    float most = adit_real_max(color[0], adit_real_max(color[1], color[2]));
    if (most <= KNEE)
        return;
    float over = most - KNEE, room = 1 - KNEE, bent = KNEE + room * over / (over + room);
    float pale = (most - bent) / most * 0.35f; /* what is too bright also loses some colour */
    for (uint32_t c = 0; c < 3; c++)
        color[c] = mix(color[c] * bent / most, bent, pale);
}

static void shade_pixel(const struct adit_shade *shade, const struct adit_raster_pixel *pixel,
                        const struct adit_raster_veil *veil, float x, float y, float color[3])
{
    struct patches patches = {.count = 0};
    float points[ADIT_RASTER_SAMPLES][3], distance[2][ADIT_RASTER_SAMPLES], veil_point[3];
    uint32_t of[2][ADIT_RASTER_SAMPLES];
    for (uint32_t s = 0; s < ADIT_RASTER_SAMPLES; s++) {
        float at_x = x + adit_raster_sample_x[s], at_y = y + adit_raster_sample_y[s];
        if (pixel->surface[s]) {
            distance[0][s] = point_at(shade, at_x, at_y, pixel->nearness[s], points[s]);
            of[0][s] = patch_for(&patches, adit_raster_face(pixel->surface[s]), points[s]);
        }
        if (veil->surface[s]) {
            distance[1][s] = point_at(shade, at_x, at_y, veil->nearness[s], veil_point);
            of[1][s] = patch_for(&patches, adit_raster_face(veil->surface[s]), veil_point);
        }
    }
    for (uint32_t i = 0; i < patches.count; i++)
        light_patch(shade, &patches.patch[i]);
    float sum[3] = {0, 0, 0}, background[3], ray[3];
    background_at(shade, x + 0.5f, y + 0.5f, background);
    for (uint32_t i = 0; i < 3; i++)
        ray[i] = (float)shade->camera->forward[i];
    for (uint32_t s = 0; s < ADIT_RASTER_SAMPLES; s++) {
        float sample[3] = {background[0], background[1], background[2]};
        if (pixel->surface[s]) {
            uint32_t face = adit_raster_face(pixel->surface[s]);
            const float *albedo = adit_paints_color(shade->paints, adit_raster_material(pixel->surface[s]));
            float grain = 1 + grain_share(shade, distance[0][s]) * grain_of(points[s], face);
            for (uint32_t c = 0; c < 3; c++)
                sample[c] = albedo[c] * grain * patches.patch[of[0][s]].light[c];
            haze(shade, distance[0][s], sample);
        }
        if (veil->surface[s])
            lay_veil(shade, veil, s, &patches.patch[of[1][s]], ray, distance[1][s], sample);
        bend(sample);
        for (uint32_t c = 0; c < 3; c++)
            sum[c] += sample[c];
    }
    for (uint32_t c = 0; c < 3; c++)
        color[c] = sum[c] / ADIT_RASTER_SAMPLES;
}

/* Spreads what rounding to 8 bits loses over an 8x8 square (Bayer 1973), or the sky would show bands. */
static float dither(uint32_t x, uint32_t y)
{
    uint32_t rank = 0, mixed = x ^ y;
    for (uint32_t bit = 0; bit < 3; bit++)
        rank |= (mixed >> bit & 1) << (5 - 2 * bit) | (y >> bit & 1) << (4 - 2 * bit);
    return (float)rank / 64;
}

void adit_shade_row(const struct adit_shade *shade, const struct adit_raster_pixel *pixels,
                    const struct adit_raster_veil *veils, uint32_t row, uint8_t *rgb)
{
    uint32_t width = (uint32_t)shade->camera->width;
    for (uint32_t x = 0; x < width; x++) {
        float color[3];
        shade_pixel(shade, &pixels[x], &veils[x], (float)x, (float)row, color);
        for (uint32_t c = 0; c < 3; c++) {
            float value = adit_shade_srgb(adit_real_limit(color[c], 0, 1)) * 255 + dither(x, row);
            rgb[3 * x + c] = (uint8_t)adit_real_min(value, 255);
        }
    }
}
