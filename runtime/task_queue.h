/* task_queue.h - queues of tasks as this process sees them, and what moves along them. The table of a task's states is in README.md; public calls: adit_tasks.h.
 *
 * A level is a ring of 2^shift slots. Position p is slot p mod 2^shift in round p >> shift, and a slot's word carries a round:
 *
 *     word's round < p's     busy with an older task, or FREE and not used yet at p            "open" when FREE
 *     word's round = p's     p's task; FREE: not used yet at p                                  "open" when FREE
 *     word's round > p's     p's task has ended and its result was taken, or p was given up     "past"
 *
 *     tail -> where a submitter looks                         head -> where a worker looks
 *       open: CAS to FILLING at p's round, look at tail again     QUEUED: CAS to RUNNING
 *       else: step over                                           FILLING: look on, but come back
 *                                                                 busy or open: if tail <= p it is the end, else look once more, step over
 *
 * Why no task is left behind its workers. (1) A worker steps over p only when p's task has begun, or when tail > p; so it suffices that no submitter gets p
 * once tail > p was seen there. (2) A submitter, having made p FILLING (TASK:fill), looks at tail again, and gives p up when that is beyond p. (3) A worker that saw tail > p looks
 * at p once more (TASK:past). All four accesses are seq_cst: if the submitter's second look did not see the tail that the worker saw, the worker's second
 * look comes after it and sees FILLING. (4) Who makes a task QUEUED that workers may have passed (HELD, DELAYED, a dead worker's) then lowers head and
 * changes its count of returns in one word (TASK:return); a worker whose head has another count begins there again, and its own raise of head
 * fails. (5) Who dies between the two of (4), or before it raised tail, leaves a task that a worker finds before it sleeps: it looks at what every slot
 * holds, whatever the hints say (adit_task_claim_any), but for slots of groups in which nothing can wait (task_groups.h). tests/models/task_queue.pml searches all five.
 *
 * (6) What a worker can never run (its kind, or it writes buffers, and this is no producer) it passes once: its cursor's beyond lies behind all that it has looked at. That holds
 * while it runs the same kinds and returns are the same: nothing else makes what lies there claimable, as for (1). next, and with it head, stays before the first of them, for others.
 *
 * A submitter looks at [tail, tail + 2^shift) alone. Where all of that is past or busy, tail lags (who took a ring of slots and has not raised it
 * yet, or died before): it is raised to the first position at which a slot is open. So no task is a ring beyond tail.
 *
 * Progress: submit and claim are lock-free: a step over a slot means somebody else has it.
 */
#ifndef ADIT_TASK_QUEUE_H
#define ADIT_TASK_QUEUE_H

#include "runtime/adit.h"
#include "shm/shm.h"

/* A queue, its numbers checked once and private. */
struct adit_queue {
    struct adit_arena *arena;
    struct adit_queue_slot *slot;
    struct adit_task_slot *tasks; /* of its first level */
    uint64_t *groups;             /* likewise (task_groups.h) */
    uint32_t id, order, levels_n, shift, group_shift;
    uint64_t pad0[16];                  /* what follows is written by submitters, what comes before is read by this process's workers all the time */
    uint64_t full_ns[ADIT_TASK_LEVELS]; /* when a submitter last saw that a whole level was full; relaxed */
    uint64_t rings;                     /* of the bell by this handle; relaxed */
    uint64_t submitted_ns; /* when this handle was last used to submit; relaxed: advice */
    uint64_t pad1[16];                  /* whatever lies behind, a pool's maybe */
};

/* The queue in a slot, if there is one and its numbers lie inside the arena. */
bool adit_queue_adopt(struct adit_arena *arena, uint32_t id, struct adit_queue *out);

/* A place in a queue. Handle: | 0 4 | queue + 1, 8 | level 4 | position 48 |. */
struct adit_task_place {
    struct adit_task_slot *slot;
    uint64_t position;
    uint32_t level;
};
static inline struct adit_task_slot *adit_task_at(const struct adit_queue *q, uint32_t level, uint64_t position)
{
    return &q->tasks[((uint64_t)level << q->shift) + (position & ((1ull << q->shift) - 1))];
}
static inline uint64_t adit_task_handle(const struct adit_queue *q, uint32_t level, uint64_t position)
{
    return (uint64_t)(q->id + 1) << 52 | (uint64_t)level << 48 | position;
}
/* False: no handle of this queue. */
bool adit_task_resolve(const struct adit_queue *q, uint64_t handle, struct adit_task_place *out);
/* A task by its handle, in whatever queue; false: there is no such queue. */
bool adit_task_find(struct adit_arena *arena, uint64_t handle, struct adit_queue *q, struct adit_task_place *out);
#define ADIT_TASK_ATTEMPTS 3u /* default of how often it may be begun */
/* How often a task may be begun, whatever lies there. */
static inline uint32_t adit_task_attempts_max(const struct adit_task_slot *t)
{
    uint32_t n = __atomic_load_n(&t->attempts_max, __ATOMIC_RELAXED); /* relaxed: its task's, while the word is that task's */
    return n < ADIT_TASK_ATTEMPTS_MAX ? n : ADIT_TASK_ATTEMPTS_MAX;
}
/* So long after a moment, or as late as there is: UINT64_MAX stands for no time. */
static inline uint64_t adit_task_later(uint64_t from_ns, uint64_t by_ns) { return by_ns < UINT64_MAX - 1 - from_ns ? from_ns + by_ns : UINT64_MAX - 1; }
/* A position's round, as words carry it; and how many rounds a word is ahead of it. */
static inline uint64_t adit_task_round_at(const struct adit_queue *q, uint64_t position) { return position >> q->shift & 0xffffff; }
static inline int32_t adit_task_lead(uint64_t word, uint64_t round)
{
    return (int32_t)((uint32_t)(adit_task_round(word) - round) << 8) >> 8;
}
/* Words carry the low bits of rounds. None is more than two rounds ahead of tail; but one whose task waits, runs, or has a result that nobody takes falls behind, as far as others go on meanwhile. So what
 * seems to be further ahead than this is behind: a slot may stay where it is for 2^24 - 2^20 rounds. */
#define ADIT_TASK_AHEAD (1u << 20)
/* How many rounds the slot of position p, with that word, is ahead of p, where p is near tail, or has been. */
static inline int32_t adit_task_lead_at(const struct adit_queue *q, uint32_t level, uint64_t p, uint64_t word)
{
    int32_t lead = adit_task_lead(word, adit_task_round_at(q, p));
    if (lead <= (int32_t)ADIT_TASK_AHEAD)
        return lead;
    uint64_t tail = adit_load_relaxed(&q->slot->level[level].tail); /* relaxed: whoever made word had seen tail near there, and word was loaded before, acquire */
    return tail >> q->shift < (p >> q->shift) + ADIT_TASK_AHEAD / 2 ? lead - (1 << 24) : lead; /* else who looks has been stopped for that long */
}
/* The place of what lies in slot i of a level and has word now. */
static inline struct adit_task_place adit_task_place_of(const struct adit_queue *q, uint32_t level, uint64_t i, uint64_t word)
{
    uint64_t round = adit_load_relaxed(&q->slot->level[level].tail) >> q->shift; /* relaxed: near enough */
    uint64_t ahead = (adit_task_round(word) - round) & 0xffffff;
    uint64_t position = (round + ahead - (ahead < ADIT_TASK_AHEAD ? 0 : 1u << 24)) << q->shift | i;
    return (struct adit_task_place){adit_task_at(q, level, i), position & ADIT_TASK_POSITION, level};
}

/* What a submitter (FILLING) or a worker (RUNNING) has: the slot is its own while its word is word, but for flags. */
struct adit_task_claim {
    struct adit_task_place place;
    uint64_t word;
    uint64_t reserved; /* bytes of memory, by a worker (task_wants.h) */
};

/* ---- submitters: task_submit.c ---- */

/* Workers sleep by the kinds that they run, two of the 64 a bit: who is woken can run what it is woken for, mostly. */
static inline uint32_t adit_task_sleepers_of(uint64_t kinds) { return (uint32_t)(kinds | kinds >> 32); }
/* Of the task in a slot, a bit. */
static inline uint64_t adit_task_kind_bit(const struct adit_task_slot *t)
{
    return 1ull << (__atomic_load_n(&t->kind, __ATOMIC_RELAXED) & 63); /* relaxed: a hint, where the word is not looked at again */
}
/* Tells workers of n tasks of these kinds that are QUEUED; where they are of several, all that run any of them. A system call when one sleeps and none looks. Rings the
 * queue's bell (task_bell.h). */
void adit_task_announce(const struct adit_queue *q, uint32_t n, uint64_t kinds);
/* Tells all workers of tasks that are QUEUED, spinning or asleep: of those with wants (task_wants.h). */
void adit_task_announce_all(const struct adit_queue *q);
/* Whether a task of that spec writes buffers: then its worker must be a producer. */
static inline bool adit_task_spec_writes(const struct adit_task_spec *spec)
{
    bool writes = false;
    for (uint32_t i = 0; spec->uses && i < spec->uses_n && i < ADIT_TASK_USES_MAX; i++)
        writes = writes || spec->uses[i].access != ADIT_READ;
    return writes;
}
/* Submits one as adit_submit does, at now_ns, to be timed (IS_TIMED). is_here: for the calling thread itself, which then has it RUNNING in *claim (runtime/README.md), unless others have to
 * end before; else claim->place.slot is NULL. Takes no delay and no dependencies but those of buffers where is_here. */
int adit_task_submit_timed(struct adit_queue *q, const struct adit_task_spec *spec, uint64_t now_ns, bool is_here, uint64_t *task, struct adit_task_claim *claim);

/* ---- workers: task_claim.c ---- */

/* How far a worker has come; one thread's. */
struct adit_task_cursor {
    uint64_t beyond[ADIT_TASK_LEVELS];  /* from next to here all were looked at, while returns were these and it ran kinds, and what of them waits is never for this worker; at least next */
    uint64_t kinds;                     /* see beyond */
    uint32_t claims;
    bool is_held_up[ADIT_TASK_LEVELS];  /* next is of a task that it cannot run or that is being stored: later ones were looked at */
    uint64_t next[ADIT_TASK_LEVELS];    /* positions before are not for this worker to claim */
    uint64_t returns[ADIT_TASK_LEVELS]; /* of head, as it was when that was so */
    uint64_t passed[ADIT_TASK_LEVELS];  /* kinds of what it went by as never for this worker, and maybe of others that are gone */
    uint64_t left; /* kinds of which adit_task_claim_any saw tasks that this worker could not have, */
    bool left_wants; /* but for those with wants, of which all were told */
    uint64_t again_ns;    /* of the last adit_task_claim or _any: when one that this worker was not to have yet may be had; UINT64_MAX: there was none */
    bool is_memory_taken; /* likewise: one was seen that had waited for memory so long that others are not to have it */
};
/* Claims the task that is next for a worker that can run kinds; false: there is none that was submitted before. */
bool adit_task_claim(const struct adit_queue *q, struct adit_task_cursor *cursor, uint64_t kinds, struct adit_task_claim *out);
/* The same, if the task that this worker expects next, of some level, is there: one load a level when not. May miss one that lies further on. */
bool adit_task_claim_next(const struct adit_queue *q, struct adit_task_cursor *cursor, uint64_t kinds, struct adit_task_claim *out);
/* adit_task_claim having looked at every slot that can hold a task (task_groups.h); before sleeping. */
bool adit_task_claim_any(const struct adit_queue *q, struct adit_task_cursor *cursor, uint64_t kinds, struct adit_task_claim *out);
/* Claims that very task, for who has submitted it and waits, if it is QUEUED. */
bool adit_task_claim_back(const struct adit_queue *q, const struct adit_task_place *place, uint64_t kinds, struct adit_task_claim *out);
/* The kinds of which tasks are QUEUED that this worker has not passed, whether it can run them or not. Looks at the slots from where it stands to tail. */
uint64_t adit_task_more_kinds(const struct adit_queue *q, struct adit_task_cursor *cursor);
/* Since when the oldest task waits that workers of this process's role can run which run kinds, of those near heads (of a LIFO queue, of all); UINT64_MAX: none does. Advice. */
uint64_t adit_task_oldest_ns(const struct adit_queue *q, uint64_t kinds);
/* Nobody will take the result of a task any more. */
void adit_task_detach(const struct adit_queue *q, const struct adit_task_place *place);
/* Makes DELAYED tasks whose time has come QUEUED, and tells other workers of all but one that the caller, who runs kinds, will claim; ends those that have expired, as HELD ones; returns how
 * long until the next, UINT64_MAX: there is none. */
uint64_t adit_task_release_due(const struct adit_queue *q, uint64_t kinds);

/* ---- ends: task_end.c ---- */

/* Ends an attempt: status and result are stored, DONE by CAS; or, failed with attempts left and retry_errors, DELAYED or QUEUED. False: the claim was not ours any more
 * (nobody but recovery does that, once this process has ended). reader: what the kind read with, outside sections, or NULL: what was written is put in its place with it, so that no other is needed then; it is given back before
 * the task has ended. */
bool adit_task_commit(const struct adit_queue *q, const struct adit_task_claim *claim, struct adit_reader *reader, int status, const void *result, uint32_t bytes);
/* The claimed task QUEUED again as if it had not been claimed: the attempt does not count. False: the claim was not ours any more. */
bool adit_task_put_back(const struct adit_queue *q, const struct adit_task_claim *claim);
/* A COMMITTED task, of a dead worker or of one that could not do it in time, is DONE. When no reader is to be had it stays so, for the next who comes. */
void adit_task_conclude_committed(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word);
/* Moves a task that nobody has from word to a state in which it has ended, and wakes who waits; false: it has changed. */
bool adit_task_end(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word, enum adit_task_state state);
/* Whether a task of that word waits, for its turn, its time or others. */
static inline bool adit_task_waits(uint64_t word)
{
    enum adit_task_state state = adit_task_state(word);
    return state == ADIT_TASK_QUEUED || state == ADIT_TASK_DELAYED || state == ADIT_TASK_HELD;
}
/* Ends a task as CANCELLED that waits and has never been begun; false: it is not so, and nothing has changed: one that runs is not asked to stop. */
bool adit_task_withdraw(const struct adit_queue *q, uint64_t task);
/* Ends a task of word, which waits, if it has waited too long; true: it had, and is not as word says any more. */
bool adit_task_expire(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word);
/* Ended to FREE of the next round; false: somebody else did. */
bool adit_task_free(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word);
/* Moves a task from word to QUEUED where workers may have passed it, or to DELAYED until due_ns; false: it has changed. Not announced. */
bool adit_task_return(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word, uint64_t due_ns);
/* When the time of a task that is not QUEUED is over, whose word nobody else changes meanwhile: it has expired; UINT64_MAX: it does not. */
uint64_t adit_task_expires_ns(const struct adit_task_slot *t);
/* Has workers look at due_ns for DELAYED tasks that may run, and for what has expired. */
void adit_task_due(const struct adit_queue *q, uint64_t due_ns);

/* ---- dependencies: task_after.c ---- */

/* Looks at what the HELD task of word waits for: one that has not ended is its blocker from now on; one that failed ends it; none: it is QUEUED, or DELAYED. */
void adit_task_look_after(const struct adit_queue *q, const struct adit_task_place *place, uint64_t word);
/* The same for all that are HELD in the queue: whoever ended what they wait for may be stopped before it has told; and what this process left COMMITTED is concluded. By
 * sleepers, now and then. */
void adit_task_look_after_all(const struct adit_queue *q);
/* Looks at all that wait for the ended, AWAITED task at place; then nobody does. */
void adit_task_tell_after(const struct adit_queue *q, const struct adit_task_place *place);
/* Whether handle names a task that was submitted, be it ended by now. */
bool adit_task_was_submitted(struct adit_arena *arena, uint64_t handle);

/* ---- recovery: task_recover.c ---- */

/* Whatever the owner, which is dead or leaves, had in any queue: what it ran is QUEUED again or POISONED, what it was submitting is gone, what it had submitted is DETACHED. May be left at any
 * instruction and called again. All queues are looked at, their slots where anything can be (task_groups.h). False: one is COMMITTED and could not be concluded, as no reader was
 * to be had; its shadows are still to be kept: again later. */
bool adit_tasks_recover(struct adit_arena *arena, uint32_t owner);
/* The same for one task, that of handle, if the dead owner ran it; nobody is told. True: it is QUEUED again, or DELAYED, or has ended, but for what is said above. */
bool adit_task_recover_one(struct adit_arena *arena, uint64_t handle, uint32_t owner);

#endif
