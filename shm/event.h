/* event.h - sleeping until something shared has changed, at no cost to whoever changes it while nobody sleeps.
 *
 * A poster first stores what changed, then posts. While no one waits a post is one load.
 *
 *     poster                                     waiter
 *     store what changed                         waiters + 1                                 (seq_cst)
 *     load waiters; 0: done                      look at what changed; changed: waiters - 1, done
 *     seq + 1, futex wake                        futex wait while seq is as before, a millisecond at first; again
 *
 * Where the poster's store is a seq_cst read-modify-write (bit sets) either the look sees the change or the load sees the
 * waiter (Dekker). Where it is a plain release store (rings) the load may overtake it: that poster saw no waiter although the
 * look saw no change. Only a store that is on its way at that moment can be missed so, and it arrives by itself: the
 * waiter's first sleep is a nap of 1 ms, and no sleep is longer than 100 ms, after which it looks again. So a wake may come late,
 * in a case that takes a store delayed by more than a look, and is never lost; pushing needs no fence. (A membarrier by the
 * waiter, as in liburcu's urcu-wait, would have to be GLOBAL: 8 ms.)
 * A waiter that dies leaves its count: posts then cost a wake of nobody (0.14 us) and nothing else. Where that is too much its recovery takes the count away (runtime/task_sleepers.h).
 */
#ifndef ADIT_EVENT_H
#define ADIT_EVENT_H

#include <stdbool.h>

#include "shm/atomics.h"
#include "shm/layout.h"
#include "shm/os.h"

/* Wakes all who wait. Non-blocking; a system call only when there are waiters. */
static inline void adit_event_post(struct adit_event *event)
{
    adit_barrier_after_rmw(); /* EVENT:post, pairs with EVENT:wait; on x86 nothing, so a plain store may be late: see above */
    if (adit_load32_relaxed(&event->waiters)) {
        adit_add32_seq_cst(&event->seq, 1);
        adit_futex_wake(&event->seq, UINT32_MAX);
    }
}

/* Wakes up to n who wait, after a full barrier of the caller's; of those that wait by bits, who have one of bits. Non-blocking. */
static inline void adit_event_wake_bits(struct adit_event *event, uint32_t n, uint32_t bits)
{
    adit_add32_seq_cst(&event->seq, 1);
    adit_futex_wake_bits(&event->seq, n, bits);
}
static inline void adit_event_wake(struct adit_event *event, uint32_t n) { adit_event_wake_bits(event, n, UINT32_MAX); }

/* Wakes all who wait, as one who was woken does for whom it was not: who sleeps can tell it from a post by seq, whose upper half counts these and whose lower half does the posts: 65,536 of
 * either while one goes to sleep, or wakes, are not seen; it looks around later. */
#define ADIT_EVENT_POSTS 0xffffu
static inline void adit_event_pass(struct adit_event *event)
{
    adit_add32_seq_cst(&event->seq, ADIT_EVENT_POSTS + 1);
    adit_futex_wake(&event->seq, UINT32_MAX);
}

/* Waits until is_ready(context) is true, looking first. 0, or -ETIMEDOUT after timeout_ns (0: one look only). */
int adit_event_wait(struct adit_event *event, bool (*is_ready)(void *context), void *context, uint64_t timeout_ns);

#endif
