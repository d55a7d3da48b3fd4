/* atlas.h - the patches of all pieces of a volume (kernels/patch.h) in one picture: sixteen columns, each as wide as the widest patch.
 *
 *     +----+----+----+---      a piece's atlas is 64 texels wide; it goes below what stands in the
 *     | p0 | p1 | p2 |         column that is lowest then, the first of several
 *     |    +----+    |
 *     +----+ p4 |    |         grey 16 bits a texel: the material
 *     | p3 |    +----+
 */
#ifndef ADIT_ATLAS_H
#define ADIT_ATLAS_H

#include <stddef.h>

#include "kernels/patch.h"

#define ADIT_ATLAS_COLUMNS 16u
#define ADIT_ATLAS_ROWS_MAX 16384u /* what most devices take as a texture */

struct adit_atlas {
    uint16_t *texels;                   /* rows of ADIT_ATLAS_COLUMNS * 64, as many as the highest column has had room for; 0 where there is no patch */
    uint32_t rows;
    uint32_t height[ADIT_ATLAS_COLUMNS]; /* what is taken of each column */
    uint64_t used;                      /* texels with a material */
    struct adit_patch_atlas piece;      /* of the last one */
    uint32_t piece_rows, places_max;
};

/* Zero is an empty atlas; fini frees what it holds. */
void adit_atlas_fini(struct adit_atlas *atlas);

/* Adds the patches of a piece. Its quads' places are in atlas->piece.places until the next call, and count from *x, *y of the whole. 0, -ENOMEM, or -EFBIG
 * when it does not fit into ADIT_ATLAS_ROWS_MAX rows. */
int adit_atlas_add(struct adit_atlas *atlas, const struct adit_mesh_source *source, const struct adit_mesh_result *mesh, uint32_t *x, uint32_t *y);

/* The size of the picture: columns and rows that are used, at least one texel. */
uint32_t adit_atlas_width(const struct adit_atlas *atlas);
uint32_t adit_atlas_height(const struct adit_atlas *atlas);

struct adit_sink;

/* Writes it as PNG into a sink for path, which the caller commits. 0, or a negative errno and a line. */
int adit_atlas_open(const struct adit_atlas *atlas, const char *path, struct adit_sink **sink, char *error, size_t error_bytes);

#endif
