/* stats_source.h - the arena of a name, for who looks at it again and again: held while it is there, let go when it is gone, found again when it is made anew.
 *
 * It is gone when no producer is attached and alive: then nobody serves its name any more, and who still mapped it would keep its memory from the machine.
 * One thread. */
#ifndef ADIT_STATS_SOURCE_H
#define ADIT_STATS_SOURCE_H

#include "runtime/adit.h"

struct adit_stats_source {
    const char *program, *name;
    struct adit_arena *arena; /* NULL: not held */
    uint64_t not_before_ns;   /* an arena that did not answer is not asked again before */
    int status;               /* why there is none: adit_attach's */
    char line[512];
};

/* The arena as it is now, until the next call of these; NULL: there is none, and line says why. Blocks for a second at most, where the name is served and nobody answers; that is then not tried again for five. */
struct adit_arena *adit_stats_source_get(struct adit_stats_source *source);
/* Lets go of what is gone. Cheap: now and then. */
void adit_stats_source_look(struct adit_stats_source *source);
void adit_stats_source_fini(struct adit_stats_source *source);

#endif
