/* vox_world.h - a MagicaVoxel scene as a world.
 *
 * Materials are the colours that placed models use, ids in the order of the palette, named "colour INDEX"; glass is
 * translucent. Where placed models overlap the later one in the scene wins.
 *
 * Memory is that of the voxels in the file (4 bytes each) and a list of (chunk, placement) pairs, at most
 * ADIT_VOX_PAIRS_MAX of them; empty space costs nothing.
 */
#ifndef ADIT_VOX_WORLD_H
#define ADIT_VOX_WORLD_H

#include "tools/worlds/world_source.h"

#define ADIT_VOX_PAIRS_MAX (4u << 20)

/* Reads a file from memory, which is not needed afterwards. spec: what lines call it. Returns 0 and *out, or a negative
 * errno with its line. */
int adit_vox_parse(const uint8_t *data, size_t bytes, const char *spec, struct adit_world **out,
                   struct adit_world_error error);

#endif
