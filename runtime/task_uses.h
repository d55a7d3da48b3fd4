/* task_uses.h - tasks that use buffers: whom they wait for, what they are given, and how what they wrote becomes the buffers' content.
 *
 *     submit       under the lock of uses: tasks that have not ended and use one of the same buffers in a way that does not go with this one's are waited for
 *                  (task_after.h's way); so whoever has a buffer to write has it alone, and no list of users has to be kept whole
 *     run          a shadow block for each WRITE, on loan to the worker; the others in place, in a section of the worker's
 *     commit       shadows PUBLISHED ; RUNNING -> COMMITTED (CAS), the decision ; each buffer: old -> shadow (buffer.h) ; COMMITTED -> DONE
 *
 *     the worker dies                       what is true
 *     while it runs                         shadows are on loan to the dead, and freed; the task is QUEUED again
 *     before COMMITTED                      shadows are published by the dead and named by nobody: retired; QUEUED again
 *     COMMITTED, some buffers replaced      recovery replaces the others, then the task is DONE: shadows stand in its uses
 *
 * Replacing may be done again: it is nothing where the buffer holds the shadow already, and a late one finds either another word in the buffer than it had read, or a
 * task that is not COMMITTED any more.
 */
#ifndef ADIT_TASK_USES_H
#define ADIT_TASK_USES_H

#include "runtime/task_queue.h"

/* Held while such tasks are submitted, and while buffers are put and ended; a holder's death leaves nothing to mend. -ETIMEDOUT after 5 s of a stopped one; -ENOSYS. */
int adit_task_uses_lock(struct adit_arena *arena);
/* Whether it was had at once. */
bool adit_task_uses_trylock(struct adit_arena *arena);
void adit_task_uses_unlock(struct adit_arena *arena);

/* Whether a task that has not ended uses the buffer. Under the lock, or as advice. All tasks' bits are looked at: some 2 us for 4,096. */
bool adit_task_uses_has(struct adit_arena *arena, uint64_t buffer);

/* What a task about to be submitted waits for. */
struct adit_task_wait {
    uint64_t task[ADIT_TASK_AFTER_MAX];
    uint32_t n;
    bool any; /* failures count as ended */
};
/* Checks uses. -EINVAL, -ENOENT, -EROFS. */
int adit_task_uses_check(const struct adit_queue *q, const struct adit_task_spec *spec);
/* Calls each(handle) for the tasks that one with these uses must wait for; stops at an error, which it returns. Under the lock. */
int adit_task_uses_each(const struct adit_queue *q, const struct adit_task_spec *spec, int (*each)(uint64_t handle, void *user), void *user);
/* Stores the uses of a task that is FILLING. */
void adit_task_uses_set(const struct adit_queue *q, const struct adit_task_slot *t, const struct adit_task_spec *spec);

/* Gives a running kind its buffers, in a section of reader; outside sections before. 0, or an errno for the task's status: -ENOMEM, -ENOENT, -EBADMSG; then nothing is to be
 * closed. */
int adit_task_uses_open(const struct adit_queue *q, const struct adit_task_claim *claim, struct adit_reader *reader, struct adit_task_run *run);
/* Ends the section. Returns status, or -ESTALE: the section was ousted; with an error the shadows are gone. */
int adit_task_uses_close(const struct adit_queue *q, const struct adit_task_claim *claim, struct adit_reader *reader, const struct adit_task_run *run, int status);
/* Before COMMITTED: the shadows may be named. False: one is not this process's. */
bool adit_task_uses_publish(const struct adit_queue *q, const struct adit_task_slot *t);
/* While COMMITTED as word says: all buffers hold their shadows. Also by recovery. reader: as adit_buffer_replace. False: the task is not so any more, or no reader is to be had. */
bool adit_task_uses_apply(const struct adit_queue *q, struct adit_task_slot *t, uint64_t word, struct adit_reader *reader);
/* Once it has ended: buffers whose makers are gone end with their last user. */
void adit_task_uses_drop(const struct adit_queue *q, const struct adit_task_slot *t);

#endif
