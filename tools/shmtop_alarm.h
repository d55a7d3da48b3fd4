/* shmtop_alarm.h - what in a snapshot is beyond its limit, and the grade: pure, from the snapshot and those before it.
 *
 *   grade   A nothing has come to half of its limit     D one kind of alert
 *           B something has                             E two kinds
 *           C to three quarters; or tasks are           F three kinds or more
 *             poisoned, chunks given up
 *
 * An image has no snapshot before it: what an alert needs is in the arena itself then, most of it in the flight recorders. An alert's moment is what the arena says where it does, else that of the first
 * snapshot that has it.
 */
#ifndef ADIT_SHMTOP_ALARM_H
#define ADIT_SHMTOP_ALARM_H

#include "tools/shmtop_model.h"

#define SHMTOP_ALERTS_MAX 256u
#define SHMTOP_FRAMES_SPAN_NS 60000000000u /* that dropped frames are counted in */

/* Fills s->alerts, reached and grade by model->limits. s is about to become the newest of the model's. */
void shmtop_alarm_take(const struct shmtop_model *model, struct shmtop_snapshot *s);
/* How many kinds of alerts there are. */
uint32_t shmtop_alarm_kinds(const struct shmtop_snapshot *s);
/* The limit that is nearest to being reached. */
enum shmtop_limit shmtop_alarm_nearest(const struct shmtop_snapshot *s);

#endif
