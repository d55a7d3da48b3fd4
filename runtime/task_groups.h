/* task_groups.h - where in a queue something can be, so that who has to find whatever is there, hints or not, need not look at all its slots: before a worker sleeps, when somebody
 * has died, when tasks are due.
 *
 * The slots of a level lie in groups (layout.h: 64 in a row, more where there would be more than 1,024 groups). A group's word says for which rounds any of them may have been taken, and then
 * whether all of that has ended, and is free. Nobody sets it for each task: a submitter once a group and round, who looks at slots once it has seen that all have ended.
 *
 *     submitter at p                                      who looks
 *       word := round of p + 1, without ENDED, FREE         load the word (GROUP:look); ENDED: go by
 *         (GROUP:enter), unless it is that                   load tail, then each slot's word
 *       slot: FILLING (TASK:fill); tail > p: give p up       all have ended: CAS of the word from what was loaded, with ENDED (GROUP:settle)
 *
 * Why nothing is missed. A word's round grows before a slot of it is FILLING in that round, and a CAS that sets a mark fails when it has grown since the look began. So it is enough that what
 * a look saw of the rounds before stays so. Let p be a slot's newest position in them:
 *     FREE in a later round than p's    nobody gets p or an earlier one any more: its word has another round
 *     ended in p's round                 it only becomes FREE, in a later one: ENDED, not FREE
 *     ended or FREE before p's round,    a late submitter may make it FILLING at p, or before, but sees that tail and gives up (task_queue.h (1) to (3): tail was loaded before the
 *     tail > p                           slot, both seq_cst): nothing becomes QUEUED: ENDED, not FREE, for recovery has to find who dies so
 *     any other                          maybe: neither
 * Who sets HELD, DELAYED, QUEUED anew does so from a state that has not ended, so its group is not ENDED. As marks only follow what was seen, there is no moment at which one says too much, and
 * nothing to mend: who dies after GROUP:enter leaves a group that is looked at in vain, who dies before GROUP:settle one that is looked at once more. A mark that a damaged word has goes
 * with the next submitter.
 *
 * And nobody sleeps for it: GROUP:enter comes before TASK:queued and its fence, GROUP:look, seq_cst, after TASK:sleep and TASK:spinner (worker.c), so whoever is not woken sees both.
 * tests/models/task_groups.pml searches that marks never say too much.
 *
 *     struct adit_task_walk w = adit_task_walk(q, level, ADIT_TASK_GROUP_ENDED);
 *     while (adit_task_walk_on(&w))
 *         look at slot w.slot, whose word was w.word
 */
#ifndef ADIT_TASK_GROUPS_H
#define ADIT_TASK_GROUPS_H

#include "runtime/task_queue.h"

static inline uint64_t *adit_task_group_at(const struct adit_queue *q, uint32_t level, uint64_t slot)
{
    return &q->groups[((uint64_t)level << (q->shift - q->group_shift)) + (slot >> q->group_shift)];
}
/* Says that a slot of the group is taken for a later round, for adit_task_group_enter. Lock-free. */
void adit_task_group_raise(uint64_t *group, uint64_t to);
/* Before position p is made FILLING. */
static inline void adit_task_group_enter(const struct adit_queue *q, uint32_t level, uint64_t p)
{
    uint64_t *group = adit_task_group_at(q, level, p & ((1ull << q->shift) - 1)), to = ((p >> q->shift) + 1) << ADIT_TASK_GROUP_ROUND;
    if (adit_load_seq_cst(group) != to) /* GROUP:enter by another submitter; seq_cst, for a sleeper's GROUP:look */
        adit_task_group_raise(group, to);
}

/* Once over the slots of a level, of groups without a mark. Marks those of which it has seen every slot. */
struct adit_task_walk {
    uint64_t slot, word; /* the one at hand */
    const struct adit_queue *q;
    uint32_t level;
    uint64_t without;     /* ADIT_TASK_GROUP_ENDED: what has not ended is looked for; _FREE: what is not free */
    uint64_t left;        /* slots of groups not yet come to */
    uint64_t next, end;   /* the next slot, and where the group at hand ends, or its part; 0: none is */
    uint64_t group, tail; /* as loaded before its slots */
    uint64_t marks;       /* that it can have, by what was seen */
};
struct adit_task_walk adit_task_walk(const struct adit_queue *q, uint32_t level, uint64_t without);
/* The same from a slot on, and around. */
struct adit_task_walk adit_task_walk_from(const struct adit_queue *q, uint32_t level, uint64_t without, uint64_t slot);
/* The next; false: there is none. */
bool adit_task_walk_on(struct adit_task_walk *w);

/* The next group without the mark, as slots from *slot on, for who looks for something that stands outside the slots, packed, and looks at few of these. Their words are read up to the first that keeps
 * the group from being marked, no more: what goes on costs one word a group. 0: there is none. Not on a walk that adit_task_walk_on is in the midst of. */
uint32_t adit_task_walk_group(struct adit_task_walk *w, uint64_t *slot);

#endif
