/* raster.h - which surface each sample of a strip of the picture shows.
 *
 * A picture is drawn strip by strip, each a few rows of pixels over its whole width, so memory does not grow with the
 * picture or the world. A pixel has 8 samples; a sample keeps the nearest opaque or cutout surface, unlit, and what
 * lies before it that can be seen through: the *veil*. Lighting comes later, once for the samples of a pixel that share
 * a surface (shade.h).
 *
 * Seeing through: front faces are blended into the veil back to front. They also add, and back faces take away, how far
 * they lie before the opaque surface, so that the sum is the way through the material: exact in any order, for a pond
 * (a front face, then its bed) as for a block of ice in the air (a front face, a back face).
 */
#ifndef ADIT_RASTER_H
#define ADIT_RASTER_H

#include <stdint.h>

#include "tools/exports/camera.h"
#include "tools/exports/scene.h"

#define ADIT_RASTER_SAMPLES 8

/* Where in its pixel each sample lies: no two share a row or a column, so an edge of any slope is met gradually. */
extern const float adit_raster_sample_x[ADIT_RASTER_SAMPLES], adit_raster_sample_y[ADIT_RASTER_SAMPLES];

/* A surface is a word: the material in bits 0..15, the face in 16..18, and bit 31; 0 is no surface. */
#define ADIT_RASTER_SURFACE(face, material) (1u << 31 | (uint32_t)(face) << 16 | (material))
static inline uint32_t adit_raster_face(uint32_t surface) { return surface >> 16 & 7; }
static inline uint32_t adit_raster_material(uint32_t surface) { return surface & 0xffff; }

struct adit_raster_pixel {
    float nearness[ADIT_RASTER_SAMPLES]; /* see camera.h */
    uint32_t surface[ADIT_RASTER_SAMPLES];
};
struct adit_raster_veil {
    float color[3][ADIT_RASTER_SAMPLES]; /* linear, multiplied by cover */
    float cover[ADIT_RASTER_SAMPLES];    /* 0 clear .. 1 */
    float way[ADIT_RASTER_SAMPLES];      /* length seen through */
    float nearness[ADIT_RASTER_SAMPLES]; /* of the nearest front face, */
    uint32_t surface[ADIT_RASTER_SAMPLES]; /* and which */
};

/* Linear colours by material, and one more for all beyond. */
struct adit_paints {
    float (*linear)[4];
    uint32_t count;
};
static inline const float *adit_paints_color(const struct adit_paints *paints, uint32_t material)
{
    return paints->linear[material < paints->count ? material : paints->count];
}

struct adit_raster {
    const struct adit_camera *camera;
    const struct adit_paints *paints;
    float far_distance;       /* stands for the distance of the sky */
    uint32_t width, rows_max; /* pixels */
    uint32_t first_row, rows; /* of the strip at hand */
    struct adit_raster_pixel *pixels;
    struct adit_raster_veil *veils;
};

/* A mesh with where it lies relative to the picture's centre; size is the width of its voxels. */
struct adit_raster_mesh {
    const struct adit_scene_mesh *mesh;
    double origin[3];
    double size;
};

/* 0, or -ENOMEM. Set camera, paints and far_distance before drawing. */
int adit_raster_init(struct adit_raster *raster, uint32_t width, uint32_t rows_max);
void adit_raster_fini(struct adit_raster *raster);

/* Starts the strip of rows first_row .. first_row + rows - 1 with nothing in it. */
void adit_raster_begin(struct adit_raster *raster, uint32_t first_row, uint32_t rows);

/* Draws a mesh's opaque and cutout quads, in any order of meshes. */
void adit_raster_draw_opaque(struct adit_raster *raster, const struct adit_raster_mesh *mesh);

/* Draws its translucent quads; after all opaque ones of the strip, farthest mesh first. 0, or -ENOMEM. */
int adit_raster_draw_veil(struct adit_raster *raster, const struct adit_raster_mesh *mesh);

#endif
