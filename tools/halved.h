/* halved.h - a raw volume at a coarser level of detail: a volume like the one it is made of, in a file without a name.
 *
 *     struct adit_volume file, half;
 *     adit_volume_open("F.raw", dim, false, &file, error, sizeof error);
 *     adit_halved_open(&file, 2, halve, &half, error, sizeof error);    a quarter of its length along each axis
 *     ... adit_pieces_mesh and so on
 *     adit_volume_close(&half);
 */
#ifndef ADIT_HALVED_H
#define ADIT_HALVED_H

#include "kernels/lod.h"
#include "tools/volume.h"

/* Halves a volume times (1 or more) times as kernels/lod.h defines it; a side of n voxels becomes one of (n + 1) / 2. The result has
 * two bytes a voxel and the path of from, for messages; its file is in $TMPDIR, else /tmp, and goes when it is closed, which is done
 * by adit_volume_close and not by closing from. Memory for two layers of z. 0, -EINTR, or another negative errno and a line. */
int adit_halved_open(const struct adit_volume *from, uint32_t times, adit_lod_kernel *halve, struct adit_volume *halved, char *error,
                     size_t error_bytes);

#endif
