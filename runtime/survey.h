/* survey.h - a walk over all that is dirty and that nobody is at, for what viewers see first: fills an agenda (agenda.h) by rank (interest.h). 58 to 71 ns a chunk (a guest of 2 CPUs, Sapphire Rapids, beside other load).
 *
 *     adit_survey(arena, &agenda, max, is_wanted, user);
 *     while (adit_agenda_take(&agenda, &index)) ...         it may have been taken by others since
 */
#ifndef ADIT_SURVEY_H
#define ADIT_SURVEY_H

#include "runtime/agenda.h"
#include "shm/shm.h"

/* The best max of those that is_wanted (NULL: all). One thread at a time for an agenda. */
void adit_survey(struct adit_arena *arena, struct adit_agenda *agenda, uint32_t max, bool (*is_wanted)(void *user, uint32_t index), void *user);

#endif
