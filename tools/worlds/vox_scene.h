/* vox_scene.h - where the models of a MagicaVoxel scene stand in the world.
 *
 * A placement takes voxel v of a model to the world's voxel w, y up: w[a] = sign[a] * v[axis[a]] + offset[a].
 *
 * Transforms are composed from the root down (parent times child). A model turns about its middle: the corner at
 * floor(size / 2), so a voxel's own middle, v + 1/2 - floor(size / 2), is what is turned and moved, and the cell that
 * it falls into is the voxel's. MagicaVoxel's (x, y, z) with z up becomes (x, z, -y), which keeps hands: nothing is
 * mirrored. A file without a scene (before 0.99) has its models side by side, one voxel apart.
 *
 * Hidden nodes and layers are left out with all below them. A graph that runs in a circle or is nested deeper than
 * ADIT_VOX_DEPTH_MAX is refused; one that names nodes or models that are not there loses these, with a warning and a count.
 */
#ifndef ADIT_VOX_SCENE_H
#define ADIT_VOX_SCENE_H

#include "tools/worlds/vox_file.h"

#define ADIT_VOX_DEPTH_MAX 256
#define ADIT_VOX_VISITS_MAX (1u << 20)
#define ADIT_VOX_PLACEMENTS_MAX (1u << 18)
#define ADIT_VOX_REACH 4096 /* no voxel is placed further from the origin, on any axis */
#define ADIT_VOX_LOST_BYTES 96

struct adit_vox_placement {
    uint32_t model;
    uint8_t axis[3];
    int8_t sign[3];
    int32_t offset[3];
};

/* Places the models of file. Returns 0 with placements in the order in which later ones win, to be freed by the caller;
 * or a negative errno with its line. Warnings and counts of what is left out go to world; first_lost names the first that is
 * damaged, or when none is the first too far away, "" when nothing is left out. */
int adit_vox_scene_place(const struct adit_vox_file *file, const char *name, struct adit_world *world,
                         struct adit_vox_placement **placements, uint32_t *count, char first_lost[ADIT_VOX_LOST_BYTES],
                         struct adit_world_error error);

#endif
