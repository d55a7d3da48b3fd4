/* watch.h - consumers' subscriptions: for each a box of keys and two bit sets over the store's entries.
 *
 * A publisher goes through the active watches and adds the entry to those whose box holds its key: one atomic OR a watch, and
 * a wake only if that consumer sleeps. So a watch never overflows, a slow consumer costs nothing, and each has one wake word
 * of its own. Which slots are active is read after the commit, and a new watch is active before it looks at what is there
 * (a full fence in between): a change is in the bits, or seen by with_present.
 */
#ifndef ADIT_WATCH_H
#define ADIT_WATCH_H

#include "runtime/adit.h"
#include "shm/shm.h"

/* Tells the watches that what (ADIT_WATCH_CHUNKS or ADIT_WATCH_MESHES) of the key at index has changed. */
void adit_watch_tell(struct adit_arena *arena, uint64_t packed, uint32_t index, uint32_t what);
/* Whether somebody watches what of the key who has no viewer. Walks the watches. */
bool adit_watch_is_by_others(const struct adit_arena *arena, uint64_t packed, uint32_t what);
/* Whether somebody watches what of the key, and all who do are on one node, *node, as far as is known: who is a guest may be anywhere. */
bool adit_watch_node(const struct adit_arena *arena, uint64_t packed, uint32_t what, int32_t *node);
/* Whether a watch of the key has not looked at the entry since it changed; of guests' as far as it can be seen. */
bool adit_watch_has_unseen(const struct adit_arena *arena, uint64_t packed, uint32_t index);
/* The key is about to be forgotten: watches of it that may not have looked since it was removed are told that something lapses. */
void adit_watch_lapse(struct adit_arena *arena, uint64_t packed, uint32_t index);
/* Nobody has the entry: takes it out of all sets. */
void adit_watch_forget(struct adit_arena *arena, uint32_t index);
/* For recovery: frees the slots of the dead owner, and wakes the others in case it died between a change and its post. */
void adit_watch_recover(struct adit_arena *arena, uint32_t owner);
/* Closes what this process left open, at detach. */
void adit_watch_fini(struct adit_arena *arena);

#endif
