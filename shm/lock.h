/* lock.h - named objects of up to 4 KiB that several processes change, whole at every moment whoever dies.
 *
 *   strict       lock, write the draft, unlock: a robust lock (robust.h), two copies, and one commit word
 *   optimistic   read: copy the committed bytes, then see that the commit word is still the same; takes nothing
 *
 *                     commit = v                        draft of v + 1
 *   copy[v & 1]  | version v: readers copy it |   copy[(v + 1) & 1]  | the holder writes here |     unlock: commit = v + 1
 *
 * A death inside needs no repair of data: what was committed is not what the dead was writing. The holder's thread alone may write
 * the draft, and a robust lock is handed on when that thread has ended, so nobody writes the dead one's draft any more.
 * Slots are never freed (type-stable), so neither the lock's word nor the data is ever anything else.
 *
 * What may run beside what: everything. strict: blocking while a living holder keeps it; read: lock-free, and wait-free while
 * nobody commits. Opening a name that is there is wait-free; making one takes the arena's naming lock.
 */
#ifndef ADIT_LOCK_H
#define ADIT_LOCK_H

#include "shm/arena.h"

#ifndef ADIT_API
#define ADIT_API __attribute__((visibility("default")))
#endif

struct adit_lock; /* this thread's handle; the slot's size was checked once and is private */

int adit_shm_lock_open(struct adit_arena *arena, const char *name, uint32_t bytes, struct adit_lock **out);

/* The lock under which names are given in an arena, to locks and to rings. What a dead holder left is seen as such in the
 * tables; -ETIMEDOUT after 5 s of a living one, -ENOSYS. */
int adit_naming_lock(struct adit_arena *arena);
void adit_naming_unlock(struct adit_arena *arena);

/* Public: see runtime/adit.h. */
ADIT_API void adit_lock_close(struct adit_lock **lock);
ADIT_API int adit_lock_lock(struct adit_lock *lock, uint64_t timeout_ns, void **bytes);
ADIT_API int adit_lock_unlock(struct adit_lock *lock);
ADIT_API int adit_lock_discard(struct adit_lock *lock);
ADIT_API int adit_lock_read(const struct adit_lock *lock, void *copy, uint32_t bytes, uint64_t *version);

#endif
