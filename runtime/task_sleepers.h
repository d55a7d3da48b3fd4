/* task_sleepers.h - whose the sleepers of a queue are, so that those who die asleep are not counted for ever. Who submits looks at one number, work.waiters; beside it each participant has a
 * word with what it has added:
 *
 *     falls asleep    waiters + 1 (TASK:sleep) ; own word + 1
 *     wakes           own word - 1 ; waiters - 1
 *     recovery        for as long as there is one in the word of the dead: that word - 1 ; waiters - 1
 *
 * word, one a participant's slot:  | generation 16 | sleepers 16 |. A word of another generation counts as 0, so who recovers a dead one too late takes nothing from who has its slot by then.
 *
 * What stands in a word was added to waiters before, and whoever takes it from there (CAS), and nobody else, takes it from waiters afterwards. So waiters is never less than who sleeps:
 *
 *     who dies right after          leaves
 *     waiters + 1                   one too many in waiters, for ever: each submit that finds no spinner then wakes nobody, 0.14 us
 *     own word + 1, asleep          what recovery takes away
 *     own word - 1                  one too many, likewise
 *     waiters - 1                   nothing
 *     recovery: that word - 1       one too many; the next recovery takes what is left in the word
 *
 * tests/models/task_wake.pml searches all of these. */
#ifndef ADIT_TASK_SLEEPERS_H
#define ADIT_TASK_SLEEPERS_H

#include "runtime/task_queue.h"

#define ADIT_TASK_SLEEPERS_MOST 0xffffu

/* This thread is about to sleep. */
static inline void adit_task_sleeper_enter(const struct adit_queue *q)
{
    uint32_t owner = q->arena->owner, *word = &q->slot->sleepers[adit_owner_slot(owner) % ADIT_PARTICIPANTS_MAX], seen, to;
    adit_add32_seq_cst(&q->slot->work.waiters, 1); /* TASK:sleep */
    seen = adit_load32_relaxed(word);
    do {
        uint32_t n = seen >> 16 == (owner & 0xffff) ? seen & ADIT_TASK_SLEEPERS_MOST : 0;
        to = owner << 16 | (n < ADIT_TASK_SLEEPERS_MOST ? n + 1 : n);
    } while (!adit_cas32_acq_rel(word, &seen, to)); /* TASK:sleepers: after TASK:sleep, pairs with adit_task_sleeper_leave; bounded by threads of this process */
}

/* One of the owner's, if there is one, sleeps no more: itself, or it has died. False: there is none. */
static inline bool adit_task_sleeper_leave(const struct adit_queue *q, uint32_t owner)
{
    uint32_t *word = &q->slot->sleepers[adit_owner_slot(owner) % ADIT_PARTICIPANTS_MAX], seen = adit_load32_relaxed(word), *waiters = &q->slot->work.waiters;
    do {
        if (seen >> 16 != (owner & 0xffff) || !(seen & ADIT_TASK_SLEEPERS_MOST))
            return false;
    } while (!adit_cas32_acq_rel(word, &seen, seen - 1)); /* TASK:sleepers: what it added to waiters is there */
    seen = adit_load32_relaxed(waiters);
    while (seen && !adit_cas32_acq_rel(waiters, &seen, seen - 1)) { /* 0: a mad peer has changed one of them. Who looked for tasks did so before, so it may be seen as early as that */
    }
    return true;
}

#endif
