/* frame_log.h - a frame loop's place in the arena (layout_metrics.h): what it promised, what became of its points, and its last 128 frames; there still when everybody is dead.
 *
 * All of it by the loop's thread alone, wait-free, without a system call; those who look in (adit_frame_loop_get) copy an entry between two looks at its mark, as of a flight recorder (shm/metrics.c).
 */
#ifndef ADIT_FRAME_LOG_H
#define ADIT_FRAME_LOG_H

#include "runtime/adit.h"
#include "shm/shm.h"

/* A slot, the one left first. NULL: this attach counts nothing, or all are taken; the loop goes on without. */
struct adit_frame_slot *adit_frame_log_open(const struct adit_arena *arena, const struct adit_frame_params *params, uint64_t period_ns);
/* A frame has ended. skipped: of the loop, ever. */
void adit_frame_log_add(struct adit_frame_slot *slot, const struct adit_frame_past *past, uint64_t skipped);
/* What a point has come to. */
void adit_frame_log_reach(struct adit_frame_slot *slot, uint32_t point, uint64_t reached, uint64_t missed, uint64_t late_most_ns);
/* It is for others; slot may be NULL. */
void adit_frame_log_close(const struct adit_arena *arena, struct adit_frame_slot *slot);
/* For recovery: the dead owner's are for others. May be cut off anywhere, and made again. */
void adit_frame_log_recover(const struct adit_arena *arena, uint32_t owner);

#endif
