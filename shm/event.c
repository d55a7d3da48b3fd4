#include "shm/event.h"

#include <errno.h>

#define SPINS 256             /* looks before sleeping: about the time a wake across CPUs takes to start */
#define NAP_FIRST_NS 1000000u /* see event.h: a store that a look missed has arrived by then */
#define NAP_NS 100000000u

int adit_event_wait(struct adit_event *event, bool (*is_ready)(void *context), void *context, uint64_t timeout_ns)
{
    for (uint32_t i = 0; i < (timeout_ns ? SPINS : 1); i++) {
        if (is_ready(context))
            return 0;
        adit_spin_pause();
    }
    if (!timeout_ns)
        return -ETIMEDOUT;
    uint64_t begin = adit_clock_ns(), left = timeout_ns, nap_ns = NAP_FIRST_NS;
    int result = -ETIMEDOUT;
    adit_add32_seq_cst(&event->waiters, 1); /* EVENT:wait, before the looks below */
    for (;;) { /* bounded by timeout_ns */
        uint32_t seq = adit_load32_acquire(&event->seq);
        if (is_ready(context)) {
            result = 0;
            break;
        }
        if (!left)
            break;
        (void)adit_futex_wait(&event->seq, seq, left < nap_ns ? left : nap_ns);
        nap_ns = NAP_NS;
        if (timeout_ns != ADIT_FOREVER) {
            uint64_t passed = adit_clock_ns() - begin;
            left = passed < timeout_ns ? timeout_ns - passed : 0;
        }
    }
    adit_sub32_seq_cst(&event->waiters, 1);
    return result;
}
