/* anvil_world.h - a Minecraft Anvil region as a world: all of its sound columns, at their absolute coordinates.
 *
 * Which region it is follows from what most of its columns say of themselves (xPos, zPos), or from a file name of the
 * form r.X.Z.mca where only external columns are left. The place of a column within the region is that of its slot.
 * A material is a block name without its properties; ids are in the order of slots, then sections from below, then of
 * first occurrence within a section.
 *
 * Bounds: 64 MiB a column and 4 GiB a region decompressed in passing, 512 MiB of cubes kept, 65535 materials.
 */
#ifndef ADIT_ANVIL_WORLD_H
#define ADIT_ANVIL_WORLD_H

#include "tools/worlds/world_source.h"

/* Decodes a region from memory, which is not needed afterwards. spec: what lines call it. path: of the file, where
 * external columns (c.X.Z.mcc) lie beside it; NULL when there is no such place. Returns 0 and *out, or a negative errno
 * with its line. */
int adit_anvil_parse(const uint8_t *data, size_t bytes, const char *spec, const char *path, struct adit_world **out,
                     struct adit_world_error error);

#endif
