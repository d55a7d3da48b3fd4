/* deaths.h - which participants' processes have ended: a private watch over the participant table, for the keeper.
 *
 * A participant is watched by its pidfd, opened by the pid that its word names and kept only if the process's start time is that
 * of the participant: from then on it stands for that process whatever becomes of the number. It is readable when the last thread has
 * ended and its memory is unmapped, so nothing it could write is written later; the notice takes some 50 us after a kill, and as long
 * as the kernel needs to unmap (4 KiB pages: 45 to 270 ms for 1 to 2 GiB; huge pages: 0.7 ms). Where there are no pidfds, /proc is
 * looked at each round. No timeout is ever taken as a death: a stopped process is not readable. A process in another PID namespace cannot be
 * judged and is left alone.
 */
#ifndef ADIT_DEATHS_H
#define ADIT_DEATHS_H

#include "shm/arena.h"

struct adit_deaths;

int adit_deaths_open(struct adit_arena *arena, struct adit_deaths **out);
void adit_deaths_close(struct adit_deaths **deaths);

/* A descriptor that is readable when somebody may have died. */
int adit_deaths_fd(const struct adit_deaths *deaths);

/* Looks through the table for who has come and gone since. BY_PROC: somebody can only be watched through /proc, look again soon; UNSEEN:
 * somebody cannot be watched at all, as this process is out of descriptors or memory. */
enum adit_deaths_view { ADIT_DEATHS_SEEN, ADIT_DEATHS_BY_PROC, ADIT_DEATHS_UNSEEN };
enum adit_deaths_view adit_deaths_look(struct adit_deaths *deaths);

/* A participant in slot first or later whose process has ended and whom nobody has recovered yet; false: none. The same again until its
 * slot is free. */
bool adit_deaths_next(struct adit_deaths *deaths, uint32_t first, uint32_t *slot);

#endif
