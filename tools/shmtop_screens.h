/* shmtop_screens.h - the screens there are; each is told of in its own file.
 */
#ifndef ADIT_SHMTOP_SCREENS_H
#define ADIT_SHMTOP_SCREENS_H

#include "tools/shmtop_look.h"

extern const struct shmtop_screen shmtop_screen_overview, shmtop_screen_participants, shmtop_screen_chunks, shmtop_screen_kinds, shmtop_screen_tasks, shmtop_screen_memory, shmtop_screen_locks,
    shmtop_screen_rings, shmtop_screen_viewers;

#endif
