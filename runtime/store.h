/* store.h - the index from key to current version and current mesh.
 *
 * An open-addressed hash table of fixed capacity: keys[i] (one word) and entries[i] (two commit words and what goes with
 * them). A key is entered by one compare-and-swap and stays; removing a chunk publishes a version that says so, which keeps
 * the numbering of versions growing (I3). So lookups are wait-free and nothing can be half entered.
 * Linear probing (Knuth, TAOCP 3, 6.4, algorithm L), at most PROBES_MAX steps: then the store is full for that key.
 *
 *   entry.current   0, or commit word of a PUBLISHED block with struct adit_version       publishers, CAS
 *   entry.mesh      0, or commit word of a PUBLISHED block with struct adit_mesh          who holds entry.work, CAS
 */
#ifndef ADIT_STORE_H
#define ADIT_STORE_H

#include "runtime/key.h"
#include "shm/shm.h"

/* The entry of a packed key. Wait-free. False: never entered. */
bool adit_store_find(const struct adit_arena *arena, uint64_t packed, uint32_t *index);
/* Finds or enters it. Lock-free. -ENOSPC. A key stays for good: enter one only when its version is ready. */
int adit_store_insert(struct adit_arena *arena, uint64_t packed, uint32_t *index);
/* What insert would do now: its entry, or ADIT_STORE_NONE: there is room for it; -ENOSPC. Enters nothing. */
#define ADIT_STORE_NONE UINT32_MAX
int adit_store_foresee(const struct adit_arena *arena, uint64_t packed, uint32_t *index);

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

/* The same with what was checked: shared memory may say otherwise by now, so who goes beyond the first granule goes by this. */
const struct adit_version *adit_store_version_sized(const struct adit_arena *arena, uint64_t commit, uint32_t *bytes);
struct adit_mesh_places {
    uint32_t bytes, quads_at, start[ADIT_MESH_RANGES + 1];
};
const struct adit_mesh *adit_store_mesh_placed(const struct adit_arena *arena, uint64_t commit, struct adit_mesh_places *places);

#endif
