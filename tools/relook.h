/* relook.h - a look at shared memory inside a section, taken again when writers that outrun it have the section ousted (adit_exit).
 *
 *     static int look(struct adit_reader *reader, void *user) { ... adit_chunk_acquire(reader, ...) ... }
 *     int status = adit_relook(reader, look, undo, &what_is_seen);
 */
#ifndef ADIT_RELOOK_H
#define ADIT_RELOOK_H

#include "runtime/adit.h"

#define ADIT_RELOOK_MAX 100u /* looks, then -ESTALE */

/* Calls look(reader, user) inside a section, and undo(user) (may be NULL) after each one that was ousted: nothing seen in it counts.
 * Returns what look returned in a section that was not, or -ESTALE. Outside sections only. */
int adit_relook(struct adit_reader *reader, int (*look)(struct adit_reader *reader, void *user), void (*undo)(void *user),
                void *user);

#endif
