/* volume_faces.h - a volume of any size, its visible unit faces counted one by one, and whether a file of quads covers them.
 */
#ifndef ADIT_TESTS_VOLUME_FACES_H
#define ADIT_TESTS_VOLUME_FACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A volume as the definition in kernels/mesh.h sees it; border voxels lie at -1 and n. */
struct volume {
    int n[3], border;
    const uint16_t *voxels; /* with border, x fastest */
    uint8_t classes[256];
    bool tt_none, has_ao; /* has_ao: quads are lines of eleven numbers */
    bool any_opaque;      /* opaque faces of a quad need not have its material, but the first */
    const uint16_t *light; /* of each cell, as voxels; or NULL. A line ends with it */
    struct {
        const uint16_t *texels; /* or NULL; lines have four numbers more, behind those of AO */
        int width, height;
    } atlas;
};

/* All materials but 0 opaque. */
struct volume volume_opaque(const uint16_t *voxels, int x, int y, int z, int border);

/* The material, 0 outside. */
int voxel_at(const struct volume *v, int x, int y, int z);

/* Wants the quads of a text file to cover each visible unit face of the volume once, with its material, and nothing else; and that interpolating
 * the AO of their corners, if they have any, gives that of each face; that each has the light of its quad, and its material in the atlas. Returns how many
 * faces there are. */
int64_t quads_fit(const struct volume *v, const char *path, int64_t *quads);

/* A whole file, with a zero byte behind it; the caller frees it. */
uint8_t *file_read(const char *path, size_t *bytes);
void file_write(const char *path, const void *data, size_t bytes);

#endif
