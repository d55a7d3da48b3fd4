/* shape.h - what a quad is in a file: corners and the faces between them, in the form the scene asks for.
 *
 * Plain, a quad is four corners and one face (two triangles, where a format knows only these). A greedy mesh is full of
 * T-junctions, corners of one quad inside an edge of another, where programs that snap or interpolate vertices show cracks and
 * solid modellers find holes. A conforming shape is the same quad as triangles that no corner of the scene lies inside an
 * edge of, neither of this mesh nor of a neighbour, whatever its face, class and material:
 *
 *     +-------+-----+           +-------+-----+
 *     |       |     |           | .   . |\ .  |      Two triangles, and each edge that a corner lies in is
 *     |       +-----+    ---->  |   ;   +--`--+      halved there, with its triangle, until none is left. Both sides of
 *     |       |     |           | .  `  |  .' |      an edge are halved at the same corners, so they meet; a halved
 *     +-------+-----+           +-------+-----+      triangle is never flat, so none has no area.
 *
 * No corners are invented: a quad with n corners of the scene around it is n - 2 triangles (more only where see-through
 * faces stand on it), and never more than two for each unit face. Which corners there are is gathered for one
 * mesh at a time, from it and the 18 that share an edge with it; memory is one word a mesh and 100 KiB.
 *
 *     struct adit_shaper *shaper;
 *     int status = adit_shaper_open(scene, &shaper);
 *     adit_shaper_mesh(shaper, mesh);
 *     const struct adit_shape *shape = adit_shaper_quad(shaper, quad, face, 4);
 *     ... shape->corner[shape->face[i][k]]
 *     adit_shaper_close(shaper);
 *
 * One thread a shaper.
 */
#ifndef ADIT_SHAPE_H
#define ADIT_SHAPE_H

#include <stdbool.h>

#include "tools/exports/scene.h"

#define ADIT_SHAPE_SIDE 65                                            /* corners along one side of a chunk */
#define ADIT_SHAPE_CORNERS_MAX (ADIT_SHAPE_SIDE * ADIT_SHAPE_SIDE)    /* of one quad */
#define ADIT_SHAPE_FACES_MAX (2 * ADIT_CHUNK_DIM * ADIT_CHUNK_DIM)

/* Corners in voxels of the chunk (negated along a mirrored axis); faces of sides corners each, wound as the scene asks. open: how much of
 * its light a corner gets, 0 to 1 (adit_shape_open); is_open: all of it at every corner, and open is not filled in. */
struct adit_shape {
    uint32_t corners, faces, sides;
    bool is_open;
    float open[ADIT_SHAPE_CORNERS_MAX];
    int16_t corner[ADIT_SHAPE_CORNERS_MAX][3];
    uint16_t face[ADIT_SHAPE_FACES_MAX][4];
};

/* How much a shaper makes of some quads. */
struct adit_shape_count {
    uint64_t corners, faces;
};

struct adit_shaper;

/* For one checked scene, which must stay as it is. 0 or -ENOMEM. */
int adit_shaper_open(const struct adit_scene *scene, struct adit_shaper **shaper);
void adit_shaper_close(struct adit_shaper *shaper); /* NULL is fine */

/* Says which of the scene's meshes the quads to come are of. A conforming shaper reads it and those around it. */
void adit_shaper_mesh(struct adit_shaper *shaper, const struct adit_scene_mesh *mesh);

/* The shape of one quad of that mesh, valid until the next call. sides: 4 where a plain quad may stay one, else 3. */
const struct adit_shape *adit_shaper_quad(struct adit_shaper *shaper, uint64_t quad, uint32_t face, uint32_t sides);

/* What is left of the light at a corner of ambient occlusion ao, 0 dark to 3 open; between corners of a quad ao is interpolated. Two fifths at the
 * darkest: the corner of a room is dim, not black. */
static inline float adit_shape_open(float ao) { return 0.4f + 0.2f * ao; }

/* What all quads of one class of that mesh come to, or with class 0 of all classes. */
struct adit_shape_count adit_shaper_count(struct adit_shaper *shaper, const struct adit_scene_mesh *mesh, uint32_t class,
                                          uint32_t sides);

/* Where a mesh's corner lies, scene origin taken off and mirrored, in voxels. */
void adit_shaper_origin(const struct adit_scene *scene, const struct adit_scene_mesh *mesh, int64_t origin[3]);

/* The normal of a face, -1, 0 or 1 along each axis. */
void adit_shaper_normal(const struct adit_scene *scene, uint32_t face, int32_t normal[3]);

#endif
