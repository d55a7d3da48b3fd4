/* verify_world.h - the verifier's part that knows chunks: the store against blocks, versions and meshes.
 *
 *   I2  a commit word names a published block of the right kind, whose head has the entry's key and version; the store finds
 *       each key where it stands; contents are what was published (deep: their hashes). Quiet: every published block is named
 *   I3  the numbers of entry, commit word and version agree
 *   I4  no commit word names a free block
 *   I7  who is at work on an entry has it in the working set, sets hold entries that have keys, claims have owners (I5).
 *       Quiet: an entry in neither set has the mesh of its current version and of its neighbours' present borders, with
 *       ambient occlusion also of the cells diagonal to it
 *   I8  a mesh names versions that exist or existed
 *
 * A block may be reused as soon as its commit word names another; so what is read of it counts only if the word is the same
 * afterwards: then it was current all the while, since numbers of a key only grow.
 */
#ifndef ADIT_VERIFY_WORLD_H
#define ADIT_VERIFY_WORLD_H

#include "runtime/adit.h"
#include "shm/shm.h"
#include "shm/verify.h"

/* One look. deep: contents, too. seen->keys, versions, meshes and hashed_bytes are counted. buffer: ADIT_VERIFY_BUFFER_BYTES,
 * 64-aligned. -ENOMEM. */
int adit_verify_world(struct adit_verifier *v, bool deep, void *buffer, struct adit_verify_counts *seen);

#define ADIT_VERIFY_BUFFER_BYTES (1u << 20)

#endif
