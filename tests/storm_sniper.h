/* storm_sniper.h - stops a thread of another process just where it has said what it will commit, so that it can be killed there.
 *
 * Between a commit and the last step that follows from it lie some hundred instructions out of a million: kills at random moments meet them
 * once in thousands. A hardware watchpoint on the thread's `intent` (runtime/publish.h) stops it at the first of them; from there it is
 * stepped on. Where the machine lets nobody trace or has no watchpoints, nobody is stopped, and all is as before. */
#ifndef ADIT_STORM_SNIPER_H
#define ADIT_STORM_SNIPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/adit.h"

/* Waits, at most some 30 ms, until a thread of process pid, which has its reader table at readers, is about to commit; lets it make
 * `steps` instructions more. True: it is stopped there, *tid is traced, and the process is to be killed by storm_shoot. */
bool storm_aim(const struct adit_arena *arena, pid_t pid, uintptr_t readers, uint32_t steps, pid_t *tid);
/* SIGKILL; the thread is reaped, the process is not. */
void storm_shoot(pid_t pid, pid_t tid);

#endif
