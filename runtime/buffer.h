/* buffer.h - buffers of tasks: a block under a commit word, replaced as a whole. Public calls: adit_tasks.h; states and what is true if a process dies at each:
 * shm/layout_tasks.h.
 *
 * Replacing is what publishing is to chunks (publish.h): the new block PUBLISHED, a section, an intent with the old word, one compare-and-swap, the old block
 * retired. So recovery finishes it as it does there.
 */
#ifndef ADIT_BUFFER_H
#define ADIT_BUFFER_H

#include "runtime/adit.h"
#include "shm/shm.h"

/* The LIVE buffer that handle (a use's access bits are left out) names; NULL: none. */
struct adit_buffer_slot *adit_buffer_find(const struct adit_arena *arena, uint64_t handle);

/* Makes ref (a block PUBLISHED for it; 0: nothing) what the buffer holds, and retires what it held; nothing when it holds ref already. task: NULL, or a word that must be word but for flags
 * when it is done. reader: one to do it with, outside sections; NULL: one is borrowed. The caller is outside sections. -ESTALE: it is not; -EUSERS, -EAGAIN: no reader; others were at it. */
int adit_buffer_replace(struct adit_arena *arena, struct adit_buffer_slot *buffer, uint64_t ref, struct adit_reader *reader, const uint64_t *task, uint64_t word);

/* Ends a buffer whose maker is gone if no task uses it any more. handle: as find. */
void adit_buffer_drop(struct adit_arena *arena, uint64_t handle);
/* Does so for all buffers, if somebody could not because the lock of uses was held. Called by whoever has let go of it. */
void adit_buffers_drop_due(struct adit_arena *arena);

/* For recovery, after the tasks of the dead: what it was making or ending is gone, what it had made goes when no task uses it. */
void adit_buffers_recover(struct adit_arena *arena, uint32_t owner);

#endif
