/* key.h - a chunk's key as one word, so that the store can take or compare it in one atomic access.
 *
 *   bit  0       20      40      52    56        62      64
 *        |  z    |  x    |  y    | lod | world+1 | state |      coordinates in two's complement; 0 is "no key"
 *
 * state is that of a key in the store (store.h); everywhere else it is 0.
 */
#ifndef ADIT_KEY_H
#define ADIT_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/adit.h"

#define ADIT_WORLD_MAX 62u /* what six bits hold of world + 1 */

/* 0, or -ERANGE with a detail. */
int adit_key_pack(const struct adit_key *key, uint64_t *packed);
/* True when the key lies in the ranges of adit.h; pack without the detail. */
bool adit_key_try(const struct adit_key *key, uint64_t *packed);
struct adit_key adit_key_unpack(uint64_t packed);
/* The key next to packed across a face; 0 when that lies out of range. */
uint64_t adit_key_neighbour(uint64_t packed, enum adit_face face);
/* The key step chunks further along x, y and z, -1, 0 or 1 each; 0 when that lies out of range. */
uint64_t adit_key_beside(uint64_t packed, const int32_t step[3]);

#endif
