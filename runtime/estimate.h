/* estimate.h - what something costs, from one measurement after the other: a number that no outlier moves, and that follows at once when the thing itself has changed.
 *
 *     adit_estimate_add(&e, measured_ns);
 *     ns = adit_estimate_ns(&e);                 0: nothing was measured
 *
 * Two speeds. The slow one is the median, in a word: each measurement moves it towards itself by a 128th at most, by a sixteenth while fewer than 64 are known, and by half
 * while fewer than 8 are (frugal.h). The fast one are the last 5 measurements: when 4 of them lie on the same side, each off by more than a half, the thing has changed, and their median is the estimate.
 * One outlier in 5, or one among any number, does nothing of the kind; a change to four times as much is known after 4 measurements instead of 180.
 *
 * Pure; one thread at a time.
 */
#ifndef ADIT_ESTIMATE_H
#define ADIT_ESTIMATE_H

#include <stdint.h>

#define ADIT_ESTIMATE_RECENT 5u

struct adit_estimate {
    uint64_t median_ns;
    uint32_t n; /* measurements; stays at its end */
    uint32_t next;
    uint64_t recent_ns[ADIT_ESTIMATE_RECENT];
};

void adit_estimate_add(struct adit_estimate *e, uint64_t measured_ns);
static inline uint64_t adit_estimate_ns(const struct adit_estimate *e) { return e->median_ns; }

#endif
