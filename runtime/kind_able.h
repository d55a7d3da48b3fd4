/* kind_able.h - which processes can run a kind: what it needs (enum adit_can), what this process has of it, and who has said that it runs it.
 *
 *     registering with run, having all that it needs:   able |= bit of this participant's slot        by it, under the naming lock
 *     detaching, or recovery of the dead:               able &= ~bit, in all kinds                    before the slot is another's
 *
 * A bit counts while its slot has a participant that lives. If who registers dies before it sets the bit, it runs nothing; after, recovery clears it, and may do so again. The zygote of worker
 * processes says so for them: they leave when it has gone. A damaged bit leads to a task that waits, or to -ENOTSUP, as one of a kind that nobody runs.
 */
#ifndef ADIT_KIND_ABLE_H
#define ADIT_KIND_ABLE_H

#include "runtime/adit.h"
#include "shm/shm.h"

/* Of enum adit_can, what this process has. */
uint32_t adit_can_here(const struct adit_arena *arena);

/* This participant runs the kind. Under the naming lock. */
void adit_kind_able_set(struct adit_arena *arena, uint32_t kind);
/* The participant in slot runs none any more. */
void adit_kinds_able_clear(struct adit_arena *arena, uint32_t slot);

/* The kinds that the participant in slot has said it runs, a bit each. */
uint64_t adit_kinds_able(const struct adit_arena *arena, uint32_t slot);

/* How many participants that live run it, up to n_max; of producers alone where it is to write buffers. */
uint32_t adit_kind_able_n(const struct adit_arena *arena, uint32_t kind, bool producers, uint32_t n_max);
/* -ENOTSUP with a line that names what is missing: nobody runs a task of that kind. */
int adit_kind_able_check(const struct adit_arena *arena, uint32_t kind, bool producers);

#endif
