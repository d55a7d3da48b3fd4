/* raw_world.h - a volume of bare numbers in a file as a world.
 *
 * The file holds X * Y * Z bytes, or little-endian 16 bit words, and nothing else: x runs fastest, then y (up), then z.
 * A value is its own material id, named "m<ID>", of a colour of its own; ids up to the largest value in the file exist.
 * The file stays open; chunks are read from it when they are asked for.
 */
#ifndef ADIT_RAW_WORLD_H
#define ADIT_RAW_WORLD_H

#include "tools/worlds/world_source.h"

#define ADIT_RAW_BYTES_MAX (16ull << 30)
#define ADIT_RAW_DIM_MAX (1u << 20)

/* Opens path. shape: what follows the path in a spec, "X,Y,Z" or "X,Y,Z:u16". Returns 0 and *out, or a negative errno
 * with its line. */
int adit_raw_open(const char *spec, const char *path, const char *shape, struct adit_world **out,
                  struct adit_world_error error);

/* Gives world the materials m1 .. m<count>. For all sources of bare numbers. Returns 0 or a negative errno. */
int adit_raw_add_materials(struct adit_world *world, uint32_t count);

#endif
