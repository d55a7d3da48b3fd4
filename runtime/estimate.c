#include "runtime/estimate.h"

#include <stdbool.h>

#include "runtime/frugal.h"

#define FEW 8u
#define MANY 64u
#define CHANGED 4u /* of the recent ones */

static uint64_t median_of(const uint64_t recent[ADIT_ESTIMATE_RECENT])
{
    uint64_t sorted[ADIT_ESTIMATE_RECENT];
    for (uint32_t i = 0; i < ADIT_ESTIMATE_RECENT; i++) {
        uint32_t at = i;
        for (; at && sorted[at - 1] > recent[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = recent[i];
    }
    return sorted[ADIT_ESTIMATE_RECENT / 2];
}

static bool has_changed(const struct adit_estimate *e)
{
    uint32_t more = 0, less = 0;
    for (uint32_t i = 0; i < ADIT_ESTIMATE_RECENT; i++) {
        more += e->recent_ns[i] / 3 > e->median_ns / 2;
        less += e->recent_ns[i] / 2 < e->median_ns / 3;
    }
    return e->n >= ADIT_ESTIMATE_RECENT && (more >= CHANGED || less >= CHANGED);
}

void adit_estimate_add(struct adit_estimate *e, uint64_t measured_ns)
{
    uint64_t ns = measured_ns ? measured_ns : 1;
    uint32_t part = e->n < FEW ? 2 : e->n < MANY ? 16 : 128;
    e->recent_ns[e->next] = ns;
    e->next = (e->next + 1) % ADIT_ESTIMATE_RECENT;
    e->n += e->n < UINT32_MAX;
    e->median_ns = adit_frugal_step(e->median_ns, ns, part);
    if (has_changed(e))
        e->median_ns = median_of(e->recent_ns);
}
