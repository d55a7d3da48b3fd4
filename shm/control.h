/* control.h - the control segment as a format: where its tables lie, how it is made, and what attach checks.
 *
 * Made in this order: all tables and the head's fields, then magic (release). A creator that dies before that leaves an
 * unsealed memfd that nobody was ever handed: the kernel frees it. Attach reads magic first (acquire), then checks every
 * offset and count against the mapping, then copies them; nothing of it is read again.
 */
#ifndef ADIT_CONTROL_H
#define ADIT_CONTROL_H

#include "shm/arena.h"

/* This build's layout signature: a hash of sizes and offsets of everything in layout.h, mixed at compile time. */
uint64_t adit_control_signature(void);

/* Lays out the control segment for plan and the data segments given (their bytes, nodes and page sizes are set in
 * head->segments[1..segments_n-1]); fills head and returns the bytes it needs. */
uint64_t adit_control_layout(const struct adit_arena_plan *plan, struct adit_control *head, uint32_t segments_n);

/* Writes head into a mapped, zeroed control segment, sets up block words, and last of all magic. */
void adit_control_publish(struct adit_control *control, const struct adit_control *head);

/* Checks a control segment that another process made and fills arena's tables from it; maps[] of arena are mapped.
 * -EPROTO with a detail that names what is wrong. */
int adit_control_adopt(struct adit_arena *arena);

#endif
