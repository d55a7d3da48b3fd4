/* volumes.h - generated volumes for tests: fourteen kinds, integer only, the same bytes on every machine.
 *
 * A volume is full[0] x full[1] x full[2] bytes, x fastest, then y, then z; 0 is air. A shell of `border` (0 or 1) voxels
 * surrounds the interior, whose voxels count from 0. The kinds, with X,Y,Z the interior coordinates (-1 in the shell),
 * N the interior size and h = hash(X,Y,Z,seed):
 *     empty     nothing               solid     1 everywhere           box       1 inside, air shell
 *     sphere    8 where (2X+1-Nx)^2 + (2Y+1-Ny)^2 + (2Z+1-Nz)^2 <= (Nx-2)^2, inside
 *     checker   1 + (X&1) + 2(Y&1) where X+Y+Z is even
 *     noise50   1 where h&1           noise50m3 1 + (h>>8)%3 where h&1 noise25   1 where h&3 == 0
 *     mats      1 + (h>>8)%255 inside flat      1 where Y < Ny/2       stripes   1 + (X&1) where Y < Ny/2
 *     glass     1, 4, 7, air by h&3   menger    the sponge, inside     terrain   hills with caves, water, trees
 * golden_generated.h holds what is known of each at 64^3, border 1, seed 7.
 */
#ifndef ADIT_TESTS_VOLUMES_H
#define ADIT_TESTS_VOLUMES_H

#include <stdint.h>

#include "kernels/mesh.h"

/* Fills volume, which has room for full[0]*full[1]*full[2] bytes. Returns 0, or -EINVAL for a kind that is not listed. */
int volume_fill(const char *kind, const uint32_t full[3], uint32_t border, uint64_t seed, uint8_t *volume);

/* Cuts a volume with interior of at most 64 a side into what a mesh kernel takes: voxels[64^3], and the six planes of
 * 64x64 (all air when border is 0). What lies beyond the interior is filled with material 60000: it must not matter. */
void volume_split(const uint8_t *volume, const uint32_t full[3], uint32_t border, uint16_t *voxels, uint16_t *plane[6]);

/* What of the shell lies diagonal to the interior and is opaque; empty when border is 0. */
void volume_rim(const uint8_t *volume, const uint32_t full[3], uint32_t border, const uint8_t *classes, struct adit_mesh_rim *rim);

#endif
