/* generated_world.h - the built-in generators as worlds: terrain, noise50, checker.
 *
 * A generated world needs no file and no memory: each chunk is computed from its key and the seed when it is asked for,
 * the same bytes in every process. The generators themselves are kernels (kernels/generate.h).
 */
#ifndef ADIT_GENERATED_WORLD_H
#define ADIT_GENERATED_WORLD_H

#include "tools/worlds/world_source.h"

#define ADIT_GENERATED_CHUNKS_MAX (1u << 20) /* in the box of one world */

/* Whether a spec names a generator: its name alone, or followed by ':'. */
bool adit_generated_is_named(const char *spec);

/* Opens NAME[:SEED][:XxYxZ]. Returns 0 and *out, or a negative errno with its line. */
int adit_generated_open(const char *spec, struct adit_world **out, struct adit_world_error error);

#endif
