/* frame.c - frames at a rate, and the points in each that must not be missed (adit.h). Times are on a grid that begins at open: a frame that is late does not move those behind it. Private memory; what others may see of it is a copy in the arena (frame_log.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/adit.h"
#include "runtime/frame_log.h"
#include "runtime/params.h"
#include "shm/shm.h"

#define PERIOD_NS 16666667u
#define PERIOD_MIN_NS 100000u
#define PERIOD_MAX_NS 10000000000u
#define BUCKETS (ADIT_FRAME_BUCKETS)

struct point {
    char name[32];
    uint64_t offset_ns, reached, missed, late_most_ns;
};

struct adit_frame {
    struct adit_arena *arena; /* NULL: nobody counts them */
    uint64_t period_ns, begin_ns; /* of the frame at hand; 0: none has begun */
    uint64_t next_ns, number, skipped, late_most_ns;
    struct adit_frame_slot *log; /* in the arena; NULL: none */
    uint64_t late_ns;            /* of the frame at hand, as missed */
    uint32_t missed;
    uint64_t late[BUCKETS]; /* begins, by how late: bucket b from 2^(b/4) ns */
    uint32_t points_n;
    struct point points[ADIT_FRAME_POINTS];
};

/* Four buckets to a power of two: what is told of a bucket is off by a fifth at most. */
static uint32_t bucket_of(uint64_t ns)
{
    uint32_t power = ns ? 63 - (uint32_t)__builtin_clzll(ns) : 0;
    uint32_t quarter = power >= 2 ? (uint32_t)(ns >> (power - 2) & 3) : 0, b = power * 4 + quarter;
    return b < BUCKETS ? b : BUCKETS - 1;
}

static uint64_t end_of(uint32_t bucket)
{
    uint32_t power = (bucket + 1) / 4, quarter = (bucket + 1) % 4;
    return power >= 2 ? (4ull + quarter) << (power - 2) : 1ull << power;
}

static int check(const struct adit_frame_params *p)
{
    int error = adit_params_check("adit_frame_open", p->size, sizeof *p);
    uint64_t period = p->period_ns ? p->period_ns : PERIOD_NS;
    if (!error && (period < PERIOD_MIN_NS || period > PERIOD_MAX_NS))
        error = adit_fault(-EINVAL, "adit_frame_open: a period of %llu ns; 0.1 ms to 10 s are possible", (unsigned long long)period);
    if (!error && (p->points_n > ADIT_FRAME_POINTS || (p->points_n && !p->points)))
        error = adit_fault(-EINVAL, "adit_frame_open: %u points; up to %u are possible", p->points_n, ADIT_FRAME_POINTS);
    for (uint32_t i = 0; !error && i < p->points_n; i++)
        if (!p->points[i].name || !*p->points[i].name || strlen(p->points[i].name) > 31 || p->points[i].offset_ns > period)
            error = adit_fault(-EINVAL, "adit_frame_open: point %u has no name of 1 to 31 bytes, or lies behind the frame's end", i);
    return error;
}

int adit_frame_open(const struct adit_frame_params *params, struct adit_frame **out)
{
    static const struct adit_frame_params defaults = {.size = sizeof defaults};
    const struct adit_frame_params *p = params ? params : &defaults;
    *out = NULL;
    int error = check(p);
    if (error)
        return error;
    struct adit_frame *f = calloc(1, sizeof *f);
    if (!f)
        return adit_fault(-ENOMEM, "adit_frame_open: no memory");
    f->arena = p->arena;
    f->period_ns = p->period_ns ? p->period_ns : PERIOD_NS;
    f->next_ns = adit_clock_ns() + f->period_ns;
    f->points_n = p->points_n;
    for (uint32_t i = 0; i < p->points_n; i++) {
        memcpy(f->points[i].name, p->points[i].name, strlen(p->points[i].name));
        f->points[i].offset_ns = p->points[i].offset_ns;
    }
    f->log = adit_frame_log_open(f->arena, p, f->period_ns);
    *out = f;
    return 0;
}

/* The frame at hand has ended, and so many have passed unseen. */
static void count_frame(const struct adit_frame *f, uint64_t now, uint64_t skipped)
{
    adit_count(f->arena, ADIT_COUNT_FRAMES, 1);
    adit_count(f->arena, ADIT_COUNT_FRAMES_MISSED, skipped);
    adit_record(f->arena, ADIT_HISTOGRAM_FRAME_NS, now - f->begin_ns, 1);
    adit_event(f->arena, ADIT_EVENT_FRAME, now, f->number, now - f->begin_ns);
    if (f->log)
        adit_frame_log_add(f->log, &(struct adit_frame_past){f->number, f->begin_ns, f->late_ns, now - f->begin_ns, skipped < UINT32_MAX ? (uint32_t)skipped : UINT32_MAX, f->missed}, f->skipped + skipped);
}

int adit_frame_wait(struct adit_frame *f)
{
    uint64_t now = adit_clock_ns(), skipped = now > f->next_ns ? (now - f->next_ns) / f->period_ns : 0;
    if (f->arena && f->begin_ns)
        count_frame(f, now, skipped);
    f->next_ns += skipped * f->period_ns; /* whole frames that have passed: the one that runs already is begun late */
    const struct timespec at = {.tv_sec = (time_t)(f->next_ns / 1000000000u), .tv_nsec = (long)(f->next_ns % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
    }
    now = adit_clock_ns();
    uint64_t late = now > f->next_ns ? now - f->next_ns : 0;
    f->begin_ns = f->next_ns;
    f->next_ns += f->period_ns;
    f->number++;
    f->skipped += skipped;
    f->late_ns = late;
    f->missed = 0;
    f->late[bucket_of(late)]++;
    f->late_most_ns = late > f->late_most_ns ? late : f->late_most_ns;
    return skipped < INT32_MAX ? (int)skipped : INT32_MAX;
}

int64_t adit_frame_left_ns(const struct adit_frame *f) { return (int64_t)((f->begin_ns ? f->begin_ns + f->period_ns : f->next_ns) - adit_clock_ns()); }

int adit_frame_reach(struct adit_frame *f, uint32_t point)
{
    if (point >= f->points_n || !f->begin_ns)
        return adit_fault(-EINVAL, "adit_frame_reach: point %u of %u, in %s", point, f->points_n, f->begin_ns ? "a frame" : "no frame: wait for one first");
    struct point *p = &f->points[point];
    uint64_t now = adit_clock_ns(), due = f->begin_ns + p->offset_ns;
    bool is_late = now > due;
    p->reached++;
    p->missed += is_late;
    p->late_most_ns = is_late && now - due > p->late_most_ns ? now - due : p->late_most_ns;
    f->missed |= (uint32_t)is_late << point;
    if (f->arena && is_late) {
        adit_count(f->arena, ADIT_COUNT_FRAMES_MISSED, 1);
        adit_event(f->arena, ADIT_EVENT_FRAME_MISSED, now, f->number, point);
    }
    if (f->log)
        adit_frame_log_reach(f->log, point, p->reached, p->missed, p->late_most_ns);
    return is_late ? -ETIME : 0;
}

/* The end of the bucket in which the share of all lies, or the worst one if that is sooner. */
static uint64_t quantile(const struct adit_frame *f, double share)
{
    uint64_t wanted = (uint64_t)((double)f->number * share), seen = 0;
    for (uint32_t b = 0; b < BUCKETS; b++) {
        seen += f->late[b];
        if (seen > wanted)
            return end_of(b) < f->late_most_ns ? end_of(b) : f->late_most_ns;
    }
    return f->late_most_ns;
}

int adit_frame_look(const struct adit_frame *f, struct adit_frame_info *info)
{
    int error = adit_params_check("adit_frame_look", info->size, sizeof *info);
    if (error)
        return error;
    *info = (struct adit_frame_info){.size = sizeof *info, .period_ns = f->period_ns, .frames = f->number, .skipped = f->skipped, .late_p50_ns = quantile(f, 0.5), .late_p99_ns = quantile(f, 0.99),
                                     .late_p999_ns = quantile(f, 0.999), .late_most_ns = f->late_most_ns, .points_n = f->points_n};
    for (uint32_t i = 0; i < f->points_n; i++) {
        info->points[i] = (struct adit_frame_point_info){.reached = f->points[i].reached, .missed = f->points[i].missed, .late_most_ns = f->points[i].late_most_ns};
        memcpy(info->points[i].name, f->points[i].name, sizeof info->points[i].name);
    }
    return 0;
}

void adit_frame_close(struct adit_frame **frame)
{
    if (*frame)
        adit_frame_log_close((*frame)->arena, (*frame)->log);
    free(*frame);
    *frame = NULL;
}
