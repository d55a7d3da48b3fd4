/* volume.h - raw volumes: voxels and nothing else, x running fastest, then y, then z; a byte or two (little endian) each.
 *
 * Neither reading nor writing holds a whole volume: reading goes by rows that lie together in the file, writing layer
 * by layer in z, so a volume of 4096 a side needs some tens of MiB.
 */
#ifndef ADIT_VOLUME_H
#define ADIT_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/adit.h"

#define ADIT_VOLUME_SIDE_MAX 4096 /* of a volume that is read */

struct adit_volume {
    const char *path;
    int fd;
    uint32_t dim[3];
    bool wide; /* two bytes a voxel */
};

/* Opens path, which must be a regular file of exactly the bytes that dim (each 1..4096) asks for. 0, or a negative errno
 * and one line in error. */
int adit_volume_open(const char *path, const uint32_t dim[3], bool wide, struct adit_volume *volume, char *error,
                     size_t error_bytes);
void adit_volume_close(struct adit_volume *volume);

/* Reads all x of the rows y0 <= y < y1 of the layers z0 <= z < z1, all inside the volume; voxel (x,y,z) goes to
 * out[((z - z0) * (y1 - y0) + y - y0) * dim[0] + x]. 0, or a negative errno and a line. */
int adit_volume_rows(const struct adit_volume *volume, uint32_t y0, uint32_t y1, uint32_t z0, uint32_t z1,
                     uint16_t *out, char *error, size_t error_bytes);

/* "X,Y,Z" with each 1..4096 into dim; -EINVAL. */
int adit_volume_dim_parse(const char *text, uint32_t dim[3]);

struct adit_volume_out {
    const char *path;
    uint8_t world;
    int64_t lo[3], hi[3]; /* world voxels */
    bool wide;
};

/* Writes the voxels of a box of a world, from the arena; where there is no chunk is air. The file appears whole or not
 * at all. 0, -EINTR, -ERANGE when a material does not fit in a byte, -EBADMSG when a chunk is damaged, or another negative errno
 * and a line. */
int adit_volume_write(struct adit_reader *reader, const struct adit_volume_out *out, char *error, size_t error_bytes);

#endif
