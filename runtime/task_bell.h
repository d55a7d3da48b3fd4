/* task_bell.h - how the one worker of a queue that spins hears of tasks, by a single line.
 *
 * A line that one processor stores to and another looks at goes to and fro, some 80 ns each way. Would the spinner look at the slot that comes next, and at tail, each submit
 * had to fetch both, and to fetch the slot again when a look came between its stores. So it looks at the bell alone, and the others come to it once, when there is
 * something to see:
 *
 *     submit   bell := another value ; clock, slot FILLING .. QUEUED, tail, while the bell's line is on its way
 *     spinner  sees the bell ; the slot it expects next, for a while: mostly the task is there by then ; claims
 *
 * All of it is a hint: rung too early, or not at all, a task is found as the spinner looks at the queue itself every other microsecond and before it sleeps.
 *
 * Value: | owner 28 | rings 28 | n 8, 255: that or more |. After one ring for one task the spinner need not look for another.
 */
#ifndef ADIT_TASK_BELL_H
#define ADIT_TASK_BELL_H

#include "runtime/task_queue.h"

#define ADIT_TASK_BELL_MANY 255u

static inline void adit_task_bell_set(const struct adit_queue *q, uint64_t rings, uint32_t n)
{
    adit_store_relaxed(&q->slot->bell, (uint64_t)q->arena->owner << 36 | (rings & 0xfffffff) << 8 | (n < ADIT_TASK_BELL_MANY ? n : ADIT_TASK_BELL_MANY));
}

/* Rings for n tasks that are about to be submitted, if a worker spins. */
static inline void adit_task_ring(struct adit_queue *q, uint32_t n)
{
    if (!adit_load_relaxed(&q->slot->spinner))
        return;
    uint64_t rings = adit_load_relaxed(&q->rings) + 1; /* relaxed, both: two threads may ring the same */
    adit_store_relaxed(&q->rings, rings);
    adit_task_bell_set(q, rings, n);
}

/* How many tasks a listener may expect that had heard before and hears now; UINT32_MAX: it cannot know. */
static inline uint32_t adit_task_bell_tells(uint64_t before, uint64_t now)
{
    return (now & 255) == 1 && (now - before) >> 8 == 1 ? 1 : UINT32_MAX;
}

#endif
