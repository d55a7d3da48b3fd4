/* verify.h - the verifier's part that knows no voxels: looks over an arena and says which invariants do not hold, and where.
 *
 *   I1  every granule lies in exactly one run, which is free, on loan, published or retired            verify_blocks.c
 *   I4  a pin names a block that is there                                                              verify.c
 *   I5  every owner word names a participant that is there; what nobody owns is at rest                verify.c
 *       a lock is held by a thread that is there                                                       verify_lock.c
 *       a task is had by a participant that is there, or by nobody; who submitted it is there         verify_tasks.c
 *       a buffer is had likewise, or a task uses it                                                   verify_buffers.c
 *       a worker is the process that its slot says, and whoever shall take its place is there          verify_workers.c
 *       what is counted in is had by a participant that is there, or by nobody                        verify_metrics.c
 *   I6  bytes free and used make up each segment                                                       verify_blocks.c
 *   I7  a ring's slots lie within one round, its indices not beyond them;                              verify_ring.c
 *       a bit set's summary covers its bits
 *       a lock's draft is what is committed or the next                                               verify_lock.c
 *       a queue's tasks are in states and rounds that there can be                                     verify_tasks.c
 *       a buffer names a published block of its size, or none; what a task uses is there               verify_buffers.c
 *       a worker's slot says what a move that is legal has made of it                                  verify_workers.c
 *       a metric's descriptor says what can be, a ring of events is in order                           verify_metrics.c
 *       the tables lie inside and where they were at attach                                            verify.c
 *
 * It stores nothing, so any role can do it, at any time. What it demands of an arena that is at work is what holds between any two
 * instructions of every operation, so that a process that is stopped, or dies, anywhere breaks none of it; quiet demands more:
 * what must hold when nobody is in the middle of anything and all who died have been recovered. Each check reads the words it
 * compares again where others may have changed them meanwhile, and a finding must last over several looks (finding.h).
 *
 * Memory is taken as hostile: every index is bounded before use, every loop by a table's size or the number of granules, and what
 * is decoded is copied first.
 */
#ifndef ADIT_VERIFY_H
#define ADIT_VERIFY_H

#include "shm/arena.h"
#include "shm/finding.h"

/* What a look came past; for messages. */
struct adit_verify_walked {
    uint64_t participants, readers, pins, blocks, block_bytes, free_bytes, rings, locks, tasks;
};

/* One verifying; private memory of one thread. */
struct adit_verifier {
    const struct adit_arena *arena;
    bool quiet;  /* nobody works on the arena */
    bool living; /* owners' processes must run; off for images, whose processes are of another time */
    struct adit_findings *findings;
    struct adit_verify_life {
        uint64_t word; /* the participant's when it was asked in this look; 0: it was not */
        bool is_gone;
    } *lives; /* one a participant slot */
    uint8_t *used;   /* one a buffer: in this look a task was seen that has not ended and uses it */
    char reason[96]; /* adit_verify_owner's */
    struct adit_verify_walked walked;
};

/* findings is taken over by fini. -ENOMEM. */
int adit_verifier_init(struct adit_verifier *v, const struct adit_arena *arena, bool quiet, bool living);
void adit_verifier_fini(struct adit_verifier *v);

/* One look at all of the above. */
void adit_verify_look(struct adit_verifier *v);
/* Its parts. */
void adit_verify_blocks(struct adit_verifier *v);
void adit_verify_rings(struct adit_verifier *v);
void adit_verify_locks(struct adit_verifier *v);
void adit_verify_tasks(struct adit_verifier *v);
void adit_verify_buffers(struct adit_verifier *v);
void adit_verify_workers(struct adit_verifier *v);
void adit_verify_metrics(struct adit_verifier *v);

/* What is wrong with the buffers of a task that has not ended, by its place in the table of tasks, or NULL; counts as any word of the task: if that is the same
 * afterwards. */
const char *adit_verify_uses(struct adit_verifier *v, uint64_t slot, uint32_t flags, enum adit_task_state state);

/* NULL when owner (not 0) names a participant that is there, else what is wrong with it. Load the owner word before, and
 * again after: a participant gives back what it owns before it leaves. */
const char *adit_verify_owner(struct adit_verifier *v, uint64_t owner);

/* The block word of ref; 0 when ref is not the start of a granule that blocks may use. */
uint64_t adit_verify_word(const struct adit_arena *arena, uint64_t ref);
/* The granule in its segment, as places name it. */
static inline uint64_t adit_verify_granule(uint64_t ref) { return adit_ref_byte(ref) >> ADIT_GRANULE_SHIFT; }

/* "free", "on loan", ... */
const char *adit_verify_state_name(uint64_t word);

#endif
