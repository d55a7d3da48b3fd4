/* store.h - the index from key to current version and current mesh.
 *
 * An open-addressed hash table of fixed capacity: keys[i] (one word) and entries[i] (two commit words and what goes with them). A key lies at most PROBES_MAX places after
 * its home, which its hash names (linear probing; Knuth, TAOCP 3, 6.4), and less than entries[home].reach: how far after it any key of that home ever lay. So a lookup that finds
 * nothing ends soon, no place needs to say that something was there once, and a place that is free again is as good as a new one (Purcell and Harris, Non-blocking Hashtables with Open
 * Addressing, DISC 2005, keep such bounds, too; ours are never lowered). Lookups are wait-free. A key's state stands in its word:
 *
 *   from        to          by                                                        if that process dies right after
 *   0           TENTATIVE   who enters it, which has entry.work from before (CAS)     recovery: 0
 *   TENTATIVE   0           the same, which finds the key elsewhere; or another who enters the same key (CAS); work stays with who had it
 *   TENTATIVE   MEMBER      who enters it, having looked at all other places (CAS)    nothing to do: a key without a version, as any that is being published
 *   MEMBER      LEAVING     a sweep, which has entry.work (tombstone.h)               recovery: MEMBER
 *   LEAVING     MEMBER      whoever publishes the key meanwhile (CAS); the sweep, which has no reason any more (CAS)
 *   LEAVING     0           the sweep, a grace period later, with current and mesh 0 (CAS)      nothing to do but to let go of work
 *
 * A key is MEMBER or LEAVING in one place at most: who enters it has it TENTATIVE first, and then looks at the other places; of two at once one sees the other, and what is
 * tentative becomes a member by compare-and-swap only. Publishers look in their section that the key is a member
 * (adit_store_keep); a sweep waits for all sections that may have seen one, and gives up when one has published. Until it knows, a leaving key may have a version that is not
 * removed: so readers see it, too, and look whose the version is that they find. tests/models/store_keys.pml has all of this.
 *
 *   entry.current   0, or commit word of a PUBLISHED block with struct adit_version       publishers, CAS; the sweep -> 0
 *   entry.mesh      0, or commit word of a PUBLISHED block with struct adit_mesh          who holds entry.work, CAS
 */
#ifndef ADIT_STORE_H
#define ADIT_STORE_H

#include "runtime/key.h"
#include "shm/shm.h"

/* States of keys[i]: in the two bits that a packed key leaves. */
#define ADIT_KEY_TENTATIVE (1ull << 62)
#define ADIT_KEY_LEAVING (2ull << 62)
#define ADIT_KEY_STATE (3ull << 62)

/* The key at an entry, as a member or leaving; 0: none. */
static inline uint64_t adit_store_key(const struct adit_arena *arena, uint32_t index)
{
    uint64_t word = adit_load_acquire(&arena->keys[index]);
    return word & ADIT_KEY_TENTATIVE ? 0 : word & ~ADIT_KEY_STATE;
}

/* The entry of a packed key, as a member or leaving. Wait-free. False: there is none. One that leaves may be another's before the caller's section ends: what is read of the
 * entry says whose it is (adit_store_current). Who holds the entry's work is sure of it for as long. */
bool adit_store_find(const struct adit_arena *arena, uint64_t packed, uint32_t *index);
/* The entry of a key that is to be published: where it is a member, or made one. Waits for nobody who is stopped (obstruction-free: two who enter one key at once give way to each other a few times, then take
 * turns by chance); outside sections or inside. -ENOSPC; -EAGAIN: 65,536 times in vain. */
int adit_store_enter(struct adit_arena *arena, uint64_t packed, uint32_t *index);
/* Inside the section in which packed is published to the entry: whether the key is there, and stays there until the section ends. Makes a leaving one a member again. */
bool adit_store_keep(struct adit_arena *arena, uint64_t packed, uint32_t index);
/* What enter would do now: its entry, or ADIT_STORE_NONE: there is room for it; -ENOSPC. Enters nothing. */
#define ADIT_STORE_NONE UINT32_MAX
int adit_store_foresee(const struct adit_arena *arena, uint64_t packed, uint32_t *index);
/* The places that a key could have: how many, from *begin on, wrapping around. */
uint32_t adit_store_window(const struct adit_arena *arena, uint64_t packed, uint32_t *begin);
/* For recovery: the key at an entry whose work the dead had (TENTATIVE -> 0, LEAVING -> MEMBER). False: there is no key, so nothing to be meshed. */
bool adit_store_recover(struct adit_arena *arena, uint32_t index);

/* The full number of the version that commit (of entry.current, 0: none) names, from its low 24 bits and entry.number, which
 * publishers bring up to date every 2^20 versions, before the commit. */
static inline uint64_t adit_store_number(const struct adit_entry *entry, uint64_t commit)
{
    uint64_t near = adit_load_relaxed(&entry->number); /* relaxed: any value of the last 2^23 publishes will do */
    int32_t ahead = (int32_t)((uint32_t)(commit >> 40 << 8) - (uint32_t)(near << 8));
    return commit ? near + (uint64_t)(int64_t)(ahead >> 8) : 0;
}

/* The version (the mesh) a commit word names, after checking that it lies inside the arena and is of that kind; NULL when
 * the word is 0 or damaged. Valid in the caller's section. */
const struct adit_version *adit_store_version(const struct adit_arena *arena, uint64_t commit);
const struct adit_mesh *adit_store_mesh(const struct adit_arena *arena, uint64_t commit);

/* Inside a section: the version that a key has now, and its entry; NULL: none, or damaged. *commit: 0, or the word that names it. */
const struct adit_version *adit_store_current(const struct adit_arena *arena, uint64_t packed, uint32_t *index, uint64_t *commit, uint32_t *bytes);

/* The same with what was checked: shared memory may say otherwise by now, so who goes beyond the first granule goes by this. */
const struct adit_version *adit_store_version_sized(const struct adit_arena *arena, uint64_t commit, uint32_t *bytes);
struct adit_mesh_places {
    uint32_t bytes, quads_at, start[ADIT_MESH_RANGES + 1];
};
const struct adit_mesh *adit_store_mesh_placed(const struct adit_arena *arena, uint64_t commit, struct adit_mesh_places *places);

#endif
