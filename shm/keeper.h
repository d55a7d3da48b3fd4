/* keeper.h - no master: whoever holds the keeper's lock serves the arena's name and recovers the dead, and when it dies or leaves the next
 * one does. Every participant has a keeper thread; all but one of them sleep on the lock.
 *
 *                lock taken                        stop, or the process dies
 *   standby  ------------------>  keeper  ------------------------------------>  the kernel hands the lock to a standby
 *      ^                             |
 *      +-----------------------------+  out of descriptors: it can accept nobody, or cannot see who lives; for 20 ms
 *
 *   keeper:  look who is there -> recover who has died -> wait for clients, for deaths, for stop -> again
 *
 *   if the keeper dies                  what is true
 *   while it waits                      a standby holds the lock within some 50 us and looks through the table from the start
 *   with a client half answered         the client is cut off and asks again; the listening socket is everybody's
 *   in the middle of a recovery         the participant is DEAD, and the next keeper makes the steps again (runtime/recover.h)
 *   and nobody else is attached         the arena ends with it: descriptors are closed by the kernel; the socket file that is
 *                                       left refuses, and goes with the next look at any name
 *
 * A child of fork() gets no part of it: its copies of the sockets are closed at once (pthread_atfork), so the name does not outlive the
 * participants. What it inherits of the arena's memory stays until it ends or calls exec.
 *
 * The lock says who may recover; that a process is dead is said by its pidfd alone (deaths.h). A new keeper's predecessor may have
 * threads running still when the lock is taken: they may store into what is theirs, and theirs is recovered only once they are gone.
 */
#ifndef ADIT_KEEPER_H
#define ADIT_KEEPER_H

#include "shm/arena.h"

/* Starts this participant's keeper thread, which takes over both listeners (guest_listener -1: there is none). At create and attach, once
 * joined. */
int adit_keeper_open(struct adit_arena *arena, int listener, int guest_listener);
/* Ends it, and gives its part of the name back. Before leaving; no-op when there is none. */
void adit_keeper_close(struct adit_arena *arena);

/* Whether this process is the keeper now; for tests and operators. */
bool adit_keeper_is_here(const struct adit_arena *arena);

#endif
