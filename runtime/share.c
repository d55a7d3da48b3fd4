#include "runtime/share.h"

double adit_busy_ns(uint64_t done_ns, uint64_t now_ns)
{
    if (!done_ns)
        return 0;
    return done_ns > now_ns ? (double)(done_ns - now_ns) : (double)(now_ns - done_ns);
}

/* When all is done, if everybody takes until then: by the time t the threads have done t / threads_ns, and a device that can begin with chunks at start_ns
 * has done (t - start_ns) / each_ns. That is one linear equation for those who come to begin at all; who would not is left out, and it is solved again. */
static double end_of_all_ns(const struct adit_share *s, double threads_ns, double own_start_ns)
{
    double end_ns = 0;
    uint32_t begin = 0, began;
    for (uint32_t round = 0; round <= s->rivals_n + 1; round++) { /* each leaves out one at least, or is the last */
        double done = s->backlog, rate = threads_ns > 0 ? 1 / threads_ns : 0;
        began = 0;
        for (uint32_t i = 0; i <= s->rivals_n; i++) {
            double start_ns = i < s->rivals_n ? s->rivals[i].cost.fixed_ns + s->rivals[i].busy_ns : own_start_ns;
            double each_ns = i < s->rivals_n ? s->rivals[i].cost.each_ns : s->device.each_ns;
            if (round && start_ns >= end_ns)
                continue;
            began++;
            done += start_ns / each_ns;
            rate += 1 / each_ns;
        }
        end_ns = rate > 0 ? done / rate : end_ns;
        if (round && began == begin)
            break;
        begin = began;
    }
    return end_ns;
}

static bool is_first_with_one(const struct adit_share *s, double own_start_ns)
{
    for (uint32_t i = 0; i < s->rivals_n; i++)
        if (s->rivals[i].cost.fixed_ns + s->rivals[i].busy_ns + s->rivals[i].cost.each_ns < own_start_ns + s->device.each_ns)
            return false;
    return true;
}

uint32_t adit_share_of_device(const struct adit_share *s)
{
    uint32_t most = s->backlog < s->batch_max ? s->backlog : s->batch_max;
    if (!most || (!s->threads && (!s->rivals_n || s->device.each_ns <= 0)))
        return most;
    double threads_ns = s->threads ? s->thread_ns / s->threads : 0; /* a chunk, all of them together */
    if (s->threads && s->is_software && s->device.each_ns >= threads_ns)
        return 0;
    double start_ns = s->device.fixed_ns + s->device_busy_ns;
    double n = (end_of_all_ns(s, threads_ns, start_ns) - start_ns) / s->device.each_ns;
    if (n < 1)
        return !s->threads && is_first_with_one(s, start_ns);
    return n < most ? (uint32_t)n : most;
}

/* Tiers that the backlog is dealt out to. */
static uint32_t tiers_of(const struct adit_share *s) { return 1 + s->rivals_n + (s->threads ? 1 : 0); }

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static uint32_t share_of_turn(const struct adit_share *s) { return least((s->backlog + tiers_of(s) - 1) / tiers_of(s), s->batch_max); }

uint32_t adit_share_by_policy(const struct adit_share *s, enum adit_route_policy policy)
{
    double threads_ns = s->threads ? s->backlog * s->thread_ns / s->threads : 0; /* until the threads are done with all of it */
    bool is_less_loaded = s->device_busy_ns <= 0 || !s->threads || s->device_busy_ns < threads_ns;
    switch (policy) {
    case ADIT_ROUTE_ROUND_ROBIN: return share_of_turn(s);
    case ADIT_ROUTE_LEAST_LOADED: return is_less_loaded ? share_of_turn(s) : 0;
    case ADIT_ROUTE_CAPABILITY: return s->idle_before || s->backlog <= s->threads ? 0 : least(s->backlog - s->threads, s->batch_max);
    case ADIT_ROUTE_ADAPTIVE: break;
    }
    return adit_share_of_device(s);
}

uint32_t adit_share_skips(const struct adit_share *s, uint32_t n)
{
    uint32_t rest = s->backlog > n ? s->backlog - n : 0;
    if (!s->threads || s->thread_ns <= 0)
        return 0;
    double meanwhile = (s->device_busy_ns + s->device.fixed_ns + n * s->device.each_ns) * s->threads / s->thread_ns;
    return meanwhile < rest ? (uint32_t)meanwhile : rest;
}
