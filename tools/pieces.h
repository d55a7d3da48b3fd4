/* pieces.h - a raw volume of any size, meshed as pieces of 64^3 with their true neighbours, without an arena.
 *
 *     file (x fastest)            one strip: all x of 64 y by 64 z, a voxel more on each side      pieces along x
 *     +---------------+           +-----------------------------------------------------+         voxels + 6 planes
 *     |   |   |   |   |   rows    |    |    |    |    |    |                            |  ---->  -> kernel -> quads
 *     +---------------+  ------>  +-----------------------------------------------------+
 *
 * With a border the outermost shell of the volume is neighbour data: it is seen by the voxels beside it, and has no
 * faces of its own. Quads come piece by piece (x fastest, then y, then z), within a piece in the order of
 * kernels/mesh.h; no quad crosses from one piece to the next.
 */
#ifndef ADIT_PIECES_H
#define ADIT_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/exact.h"
#include "tools/volume.h"

struct adit_pieces {
    const struct adit_volume *volume;
    const struct adit_volume *light; /* of the same size: the light of each cell, or NULL */
    uint32_t border; /* 0 or 1 */
    const uint8_t *classes;
    uint8_t flags; /* of a mesh source */
    adit_mesh_kernel *kernel;
    struct adit_mesh_device *device; /* that meshes instead (tools/mesh_device.h), or NULL: pieces of 64^3 only */
    bool exact; /* the kernel's mesh is made the one of fewest quads (kernels/exact.h) */
    /* Called for each piece with quads: its origin in the volume without border, and what it was made of. Negative stops the work. */
    int (*take)(const uint32_t origin[3], const struct adit_mesh_source *source, const struct adit_mesh_result *result, void *user);
    void *user;
    uint64_t count, voxels, faces, quads, mesh_ns; /* out: sums over all pieces; mesh_ns is time spent on meshing */
};

/* Meshes all. 0, -EINTR, what take returned, or another negative errno and a line in error. */
int adit_pieces_mesh(struct adit_pieces *pieces, char *error, size_t error_bytes);

/* "t:4,8-9;c:7;o:1" into classes (of ADIT_MATERIALS entries): translucent, cutout, opaque. 0, or -EINVAL and in *at the
 * place in text that is not understood. */
int adit_pieces_classes(const char *text, uint8_t *classes, size_t *at);

#endif
