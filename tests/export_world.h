/* export_world.h - a small world for tests of exports, and the ledger that judges what comes back.
 *
 * A world is a volume of u8 materials (tests/volumes.h) cut into chunks and meshed; material 4 is translucent, 7 cutout,
 * every other opaque, and each has a colour of its own. Its first chunk is (-1, 2, 5) and the scene's origin lies there,
 * so exported positions are those of the volume. The ledger takes the rectangles a test reads from an exported file, and
 * tells how many unit faces of the volume are not covered exactly once by their own material, by the definition of
 * kernels/mesh.h and without its code.
 */
#ifndef ADIT_TESTS_EXPORT_WORLD_H
#define ADIT_TESTS_EXPORT_WORLD_H

#include <stdint.h>

#include "tools/exports/scene.h"

#define EXPORT_WORLD_MATERIALS 256

struct export_world {
    uint32_t dim[3];
    uint8_t *volume;   /* x fastest, then y, then z */
    uint8_t *covered;  /* by face, then voxel: how often */
    uint8_t *material; /* and by what */
    uint64_t strange;  /* rectangles that lie nowhere in the volume */
    struct adit_scene_mesh *meshes;
    struct adit_scene_material materials[EXPORT_WORLD_MATERIALS];
    struct adit_scene scene;
};

/* Makes a world of dim[] voxels (any size) of a kind of volumes.h; fails the test if it cannot. */
void export_world_make(struct export_world *world, const char *kind, const uint32_t dim[3], uint64_t seed);
void export_world_free(struct export_world *world);

/* Enters a rectangle given by its corners, in order around it, counter-clockwise seen from outside. */
void export_world_cover(struct export_world *world, const double corners[4][3], uint32_t material);

/* Unit faces covered wrongly, plus strange rectangles; clears the ledger. */
uint64_t export_world_wrong(struct export_world *world);

uint64_t export_world_faces(const struct export_world *world); /* visible unit faces */

/* The bytes of a file, with a 0 after them; fails the test if it cannot be read. free() them. */
char *export_world_read(const char *path, size_t *bytes);

/* A directory of this test run to write into, under TMPDIR; made by the first call, with what is in it removed by
 * export_world_remove. */
const char *export_world_folder(void);
void export_world_remove(void);

/* Files in that folder. */
uint32_t export_world_files(void);

#endif
