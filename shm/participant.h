/* participant.h - who is attached: claiming a slot, being checkable, leaving.
 *
 * A slot's word (layout.h) carries state, role, generation and pid, so even a claim that is never finished names a process
 * that can be looked up. The rest (start time, PID namespace, label) is written before ALIVE.
 */
#ifndef ADIT_PARTICIPANT_H
#define ADIT_PARTICIPANT_H

#include "shm/arena.h"

/* Claims a slot for this process in role and sets arena->self and owner. -EUSERS: none is free; -EMFILE, -EACCES: /proc cannot be read. */
int adit_participant_join(struct adit_arena *arena, const char *label);

/* Gives the slot back; everything this process owned must be given back before. */
void adit_participant_leave(struct adit_arena *arena);

/* True when start_time is that of the process which word, a participant's, names. */
bool adit_participant_is(const struct adit_participant *p, uint64_t word, uint64_t start_time);

/* Looks in /proc whether the process that a slot's word and start time name runs. 0: it does, or the slot is free, or it lives in another PID
 * namespace, where nobody here can tell; -ESRCH: it does not any more; another error: it could not be told now. */
int adit_participant_look(const struct adit_participant *p);
/* The same, for who takes what cannot be told for running. */
bool adit_participant_is_gone(const struct adit_participant *p);

/* Whether owner, as it stands in words of shared memory, names a participant: one that is attached, or dead and not recovered yet. */
bool adit_participant_has(const struct adit_arena *arena, uint32_t owner);
/* The pid of that participant; 0: owner names none. */
uint32_t adit_participant_pid(const struct adit_arena *arena, uint32_t owner);

/* For the keeper. mark_dead: the participant of that word is gone, recovery begins (false: the slot has changed). bury: recovery is
 * done, the slot is free. */
bool adit_participant_mark_dead(struct adit_participant *p, uint64_t word);
void adit_participant_bury(struct adit_participant *p);

#endif
