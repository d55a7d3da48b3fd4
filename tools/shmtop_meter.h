/* shmtop_meter.h - what an arena counts, and what happened in it last (adit_metrics.h), into a model and its snapshots. A guest finds none of it.
 */
#ifndef ADIT_SHMTOP_METER_H
#define ADIT_SHMTOP_METER_H

#include "tools/shmtop_model.h"

/* When the arena was opened: its metrics' names. */
void shmtop_meter_begin(const struct adit_arena *arena, struct shmtop_model *model);
/* Who counts there, histograms, what alerts need, and the last events: SHMTOP_EVENTS_MAX of all, and SHMTOP_EVENTS_EACH of each, so that nobody's last words are crowded out by who does more. */
void shmtop_meter_take(const struct adit_arena *arena, const struct shmtop_model *model, struct shmtop_snapshot *s);

#endif
