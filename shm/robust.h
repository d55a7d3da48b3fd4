/* robust.h - a lock that outlives its holder: when a thread ends holding it, in whatever way, the kernel hands it on.
 *
 *     switch (adit_robust_lock(&r, arena->owner, NULL, ADIT_FOREVER)) {
 *     case -EOWNERDEAD: repair();     it is held, and what it protects is as the dead left it
 *                                     fallthrough
 *     case 0: work();
 *             adit_robust_unlock(&r);
 *     }
 *
 * The word is one futex word in the kernel's format, enlisted in the list that glibc has registered for each thread for its own
 * robust mutexes (set_robust_list(2), Documentation/locking/robust-futex-ABI): SIGKILL, a crash, exit and the end of a
 * single thread, and exec all set OWNER_DIED and wake a waiter, some 50 us after a kill. It costs no list of its own, no thread needs
 * to register, and it nests with pthread's robust mutexes in either order. Zeroed memory is a free lock.
 *
 * Rules
 * - The memory is never unmapped, recycled or moved while any process may lock it, and no untrusted process can write it: prev and
 *   next are followed and written through by this code, by glibc and by the kernel while a thread of this process holds the lock, so
 *   who writes them directs stores of the holder. No check here could help, as glibc changes the same links for its own mutexes. A word
 *   that nobody here holds may say anything: it is waited for, or taken, and its links are written before they are read.
 * - All who use one word live in one PID namespace: the word names a thread by its id, for the kernel, too.
 * - -EOWNERDEAD says that the holding thread has ended. Others of its process may still run for a moment (seen in 13 of 3,000
 *   kills): before anything is reused that they could write, wait for the process (its pidfd).
 * - Not for signal handlers; not recursive (-EDEADLK). It does not inherit priorities.
 *
 * Progress: blocking while a living thread holds it, for no other reason. Taking and giving a free lock makes no system
 * call, about 15 ns; a waiter sleeps, and looks again each 100 ms whatever happens.
 */
#ifndef ADIT_ROBUST_H
#define ADIT_ROBUST_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"

/* Takes the lock for participant owner (kept for dumps; 0: nobody in particular). 0; -EOWNERDEAD: taken, repair first;
 * -ETIMEDOUT after timeout_ns (ADIT_FOREVER; 0: as trylock); -ECANCELED: *stop (may be NULL) was seen other than 0 while it had
 * to wait; -EDEADLK: this thread holds it; -ENOSYS: no glibc, or one whose list is laid out otherwise. */
int adit_robust_lock(struct adit_robust *robust, uint32_t owner, const uint32_t *stop, uint64_t timeout_ns);

/* The same without waiting: -EBUSY when somebody holds it. */
int adit_robust_trylock(struct adit_robust *robust, uint32_t owner);

/* Gives it back; only by the thread that took it. A system call only if somebody waits. */
void adit_robust_unlock(struct adit_robust *robust);

/* Has all waiters look at their stop word, within 100 ms; set *stop first. */
void adit_robust_wake_all(struct adit_robust *robust);

/* True while this thread holds it. */
bool adit_robust_is_mine(const struct adit_robust *robust);

#endif
