/* frugal.h - a running median in one number: each measurement moves it towards itself, however far off it is, by the same part of it at most, so one outlier moves nothing that counts. (Ma, Muthukrishnan and Sandler,
 * "Frugal streaming for estimating quantiles", 2013; the step is relative here.)
 */
#ifndef ADIT_FRUGAL_H
#define ADIT_FRUGAL_H

#include <stdint.h>

/* The median after another measurement; median 0: there was none yet. part: of the median that it moves by at most. Never 0. Pure. */
static inline uint64_t adit_frugal_step(uint64_t median, uint64_t measured, uint32_t part)
{
    uint64_t step = median / part + 1;
    if (!median)
        return measured ? measured : 1;
    if (measured > median)
        return median + (measured - median < step ? measured - median : step);
    median -= median - measured < step ? median - measured : step;
    return median ? median : 1;
}

#endif
