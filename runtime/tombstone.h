/* tombstone.h - forgetting removed chunks, so that a world without end fits a store of fixed size.
 *
 * A removed chunk has a version that says so, its tombstone: 512 bytes, and a place in the store. Once the store is half full a sweep takes away both, with the key and the mesh; before that
 * they cost nobody anything. Sweeps run on the reclaimer thread of every producer, each a share of the table, and are made by a producer that finds no room.
 *
 *   step of a sweep, for one key                                      if the process dies right after
 *   1 entry.work: 0 -> owner                                          recovery: work 0
 *   2 key: MEMBER -> LEAVING (CAS)                                    recovery: MEMBER
 *     - a grace period: who saw the member has left its section; who publishes the key now makes it a member again, and the sweep gives up -
 *   3 version_floor raised to the numbers of its version and mesh     the same: later numbers of all keys are higher, no more
 *   4 mesh -> 0, then current -> 0, each with an intent as in publish.h, retired      the same: a key without a version, which the next sweep takes
 *   5 lapsed of the watches that had not looked at it                 the same: they look for nothing
 *   6 key: LEAVING -> 0 (CAS); it fails: published meanwhile          recovery: bits of the entry (7), work 0
 *   7 bits of the entry in the sets of dirty chunks and of watches removed: nobody adds any while nobody can have the place
 *   8 entry.work -> 0                                                 nothing to do
 *
 * Who is stopped between 1 and 8 keeps work, as a stopped worker does: a chunk of these 64 that is published again has no mesh until it goes on. One that gives up (a reader stays, the key was published) leaves
 * the chunk dirty, as neighbours have not marked it meanwhile.
 *
 * The floor is what makes versions of a key grow (I3) over its end: the first version of a key is numbered from it.
 * Watches. A watch that had not looked at the chunk since it was removed would never hear of it: it is told that something has lapsed (ADIT_WATCH_LAPSED), and its owner
 * looks which of its chunks are there still. A sweep that is not pressed for room leaves such chunks alone, so only who sleeps while the store fills hears this; and guests, whose
 * unseen bits lie where no sweep can look.
 */
#ifndef ADIT_TOMBSTONE_H
#define ADIT_TOMBSTONE_H

#include "shm/arena.h"

/* Forgets removed chunks among the n entries from begin on (wrapping around), 64 at most. pressed: also those whose meshes are not of now, or that watches have not looked at.
 * Outside sections; blocks for a grace period where there is one to forget, 20 ms at most. Returns how many it was; any thread of a producer. */
uint32_t adit_tombstones_sweep(struct adit_arena *arena, uint32_t begin, uint32_t n, bool pressed);

/* For the reclaimer's rounds: a share of the table, now and then, where it is half full. */
void adit_tombstones_mind(struct adit_arena *arena, struct adit_sweep *sweep);

/* For who finds no room for a key: a pressed sweep of the places it could have. Outside sections. Blocks for 20 ms, or some 0.2 s while a reader stays in its section, which is ousted then. */
void adit_tombstones_make_room(struct adit_arena *arena, uint64_t packed);

/* For recovery, and step 7: takes an entry without a key, whose work is had, out of all sets. */
void adit_tombstones_clear(struct adit_arena *arena, uint32_t index);

#endif
