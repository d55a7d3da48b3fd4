/* metrics.h - counting in the arena: what happens how often, how long it takes, and what happened last. Where it lies stands in layout_metrics.h.
 *
 *     adit_count(arena, ADIT_COUNT_CHUNKS_PUT, 1);
 *     adit_count(arena, ADIT_COUNT_TASKS_RUN + kind, 1);              by label: kind < ADIT_METRIC_LABELS is the caller's to see to
 *     adit_record(arena, ADIT_HISTOGRAM_GRACE_NS, took_ns, 1);
 *     adit_event(arena, ADIT_EVENT_GRACE, now_ns, epoch, took_ns);
 *
 * Each is wait-free, makes no system call but for a thread's first, and stores nothing where counting is off: for observers and guests, with ADIT_DISABLE=metrics, and
 * where the arena's list is another one than this build's.
 *
 * A thread has a **seat** in each arena it counts in: a shard, and cells as it needs them. It keeps them until its process leaves; when it ends, the process's next thread
 * takes the seat over. A thread finds its seat by a serial number of the attach, which is never given twice in a process.
 *
 * Histograms are log-linear (after G. Tene's HdrHistogram): 0 to 7 each have a bucket, and every octave above has 8, up to 2^37 ns (137 s), beyond which all are counted in the
 * last. A bucket is an eighth of its lower bound wide at most, so its middle is within 6.25 % of whatever was recorded in it.
 */
#ifndef ADIT_METRICS_H
#define ADIT_METRICS_H

#include "shm/arena.h"
#include "shm/metrics_list.h"

#define ADIT_LABEL_N_NONE 1
#define ADIT_LABEL_N_KIND 64
#define ADIT_LABEL_N_SEGMENT 16
#define ADIT_LABEL_N_MAKER 8
#define ADIT_LABEL_N_DEVICE 8

/* Words of a shard and series, by the first of each metric. */
#define ADIT_X(id, label, name, unit, help) ADIT_COUNT_##id, ADIT_COUNT_##id##_LAST = ADIT_COUNT_##id + ADIT_LABEL_N_##label - 1,
enum adit_count_id { ADIT_COUNTERS(ADIT_X) ADIT_GAUGES(ADIT_X) ADIT_COUNTS };
#undef ADIT_X
#define ADIT_X(id, label, name, unit, help) ADIT_HISTOGRAM_##id, ADIT_HISTOGRAM_##id##_LAST = ADIT_HISTOGRAM_##id + ADIT_LABEL_N_##label - 1,
enum adit_histogram_id { ADIT_HISTOGRAMS(ADIT_X) ADIT_HISTOGRAMS_N };
#undef ADIT_X
#define ADIT_X(id, name, unit, help) ADIT_EVENT_##id,
enum adit_event_id { ADIT_EVENT_NONE, ADIT_EVENTS(ADIT_X) ADIT_EVENT_IDS };
#undef ADIT_X
_Static_assert((int)ADIT_COUNTS <= (int)ADIT_METRIC_WORDS && (int)ADIT_HISTOGRAMS_N <= (int)ADIT_METRIC_SERIES, "there is room for them");

/* What makes meshes: the label MAKER. */
enum adit_maker { ADIT_MAKER_OTHER, ADIT_MAKER_SCALAR, ADIT_MAKER_AVX2, ADIT_MAKER_AVX512, ADIT_MAKER_DEVICE };

/* ---- counting --------------------------------------------------------------------------------------------------- */

/* Where a thread counts; private. */
struct adit_metric_seat {
    struct adit_metric_shard *shard;
    uint64_t head;  /* of its ring */
    uint32_t tid;
    bool is_shared; /* shard 0: any other may add there, too, and there is no ring */
    bool is_common[ADIT_METRIC_SERIES];
    uint64_t *bucket[ADIT_METRIC_SERIES]; /* NULL: no cell yet */
    const void *thread;                   /* whose it is, NULL: it has ended */
    struct adit_arena *arena;
    uint64_t serial;
    struct adit_metric_seat *next;
};

/* A thread's seats: that of the attach it counted in last, and before. */
struct adit_metric_seats {
    struct {
        uint64_t serial;
        struct adit_metric_seat *seat;
    } at[2];
};
extern _Thread_local struct adit_metric_seats adit_metric_seats __attribute__((visibility("hidden")));

/* Not in line: a thread's first, and one that counts in several arenas by turns. NULL: nothing is counted. */
struct adit_metric_seat *adit_metrics_sit(struct adit_arena *arena);
uint64_t *adit_metrics_cell(struct adit_metric_seat *seat, uint32_t series);

static inline struct adit_metric_seat *adit_metrics_seat(struct adit_arena *arena)
{
    uint64_t serial = arena->metrics_serial;
    return adit_metric_seats.at[0].serial == serial ? adit_metric_seats.at[0].seat : serial ? adit_metrics_sit(arena) : NULL;
}

static inline void adit_metric_add(uint64_t *word, uint64_t n, bool is_shared)
{
    if (is_shared)
        (void)adit_add_relaxed(word, n);
    else
        adit_store_relaxed(word, adit_load_relaxed(word) + n); /* relaxed: this thread alone stores there; readers sum what they see */
}

/* A counter goes up by n, a gauge by what may be negative. */
static inline void adit_count(struct adit_arena *arena, uint32_t id, uint64_t n)
{
    struct adit_metric_seat *seat = adit_metrics_seat(arena);
    if (seat)
        adit_metric_add(&seat->shard->value[id], n, seat->is_shared);
}

/* The bucket of a value. */
static inline uint32_t adit_histogram_bucket(uint64_t value)
{
    if (value < 8)
        return (uint32_t)value;
    uint32_t octave = 63 - (uint32_t)__builtin_clzll(value);
    uint32_t bucket = (octave - 2) * 8 + (uint32_t)(value >> (octave - 3) & 7);
    return bucket < ADIT_METRIC_BUCKETS ? bucket : ADIT_METRIC_BUCKETS - 1;
}
/* The least value of a bucket; that of the one behind the last is 2^37. */
static inline uint64_t adit_histogram_least(uint32_t bucket)
{
    return bucket < 8 ? bucket : (uint64_t)(8 + bucket % 8) << (bucket / 8 - 1);
}

/* Something took so long, n times. */
static inline void adit_record(struct adit_arena *arena, uint32_t series, uint64_t ns, uint64_t n)
{
    struct adit_metric_seat *seat = adit_metrics_seat(arena);
    if (!seat)
        return;
    uint64_t *bucket = seat->bucket[series];
    if (__builtin_expect(!bucket, 0))
        bucket = adit_metrics_cell(seat, series);
    adit_metric_add(&bucket[adit_histogram_bucket(ns)], n, seat->is_common[series]);
}

/* Something has happened; at_ns: adit_clock_ns of its end. */
void adit_event(struct adit_arena *arena, enum adit_event_id type, uint64_t at_ns, uint64_t a, uint64_t b);

/* Whether this process counts in it. */
static inline bool adit_metrics_are_on(const struct adit_arena *arena) { return arena->metrics_serial; }

/* ---- life ------------------------------------------------------------------------------------------------------- */

/* This build's descriptors, for create: ADIT_METRICS_MAX of them. */
void adit_metrics_describe(struct adit_metric_slot *slots);
/* For join: counting begins. *is_other: the arena's list is another one, so it does not. */
void adit_metrics_begin(struct adit_arena *arena, bool *is_other);
/* For detach, before the participant leaves: all seats are given back, and counting ends. */
void adit_metrics_end(struct adit_arena *arena);
/* For rejoin: seats are the parent's. Goes on as the parent did, or not, without touching memory that this process has not: a worker process is to be ready soon. */
void adit_metrics_forget(struct adit_arena *arena);
/* For recovery: what the dead owner counted in is free for others. May be cut off anywhere, and made again. */
void adit_metrics_salvage(struct adit_arena *arena, uint32_t owner);

/* ---- looking in ------------------------------------------------------------------------------------------------- */

/* Any role. Whatever lies in shared memory: an error at worst. */

/* A descriptor's copy, whose words or series lie inside, its texts ended and printable. -ENOENT: there is none of that number, -EBADMSG: it is damaged. */
int adit_metrics_read_slot(const struct adit_arena *arena, uint32_t id, struct adit_metric_slot *out);
/* Of owner's threads, 0: of all there are and were. A counter's word; a gauge's, of who is attached, and without an owner what threads
 * added that found no shard (where a process of such threads has died, what it left there stays); buckets of a series, [ADIT_METRIC_BUCKETS]. */
uint64_t adit_metrics_sum(const struct adit_arena *arena, uint32_t word, uint32_t owner);
int64_t adit_metrics_level(const struct adit_arena *arena, uint32_t word, uint32_t owner);
void adit_metrics_sum_series(const struct adit_arena *arena, uint32_t series, uint32_t owner, uint64_t *buckets);

/* The events of a shard, oldest first, ADIT_METRIC_EVENTS at most; those that are being overwritten are left out. Returns how many. */
uint32_t adit_metrics_read_events(const struct adit_arena *arena, uint32_t shard, struct adit_metric_event *out);

static inline uint32_t adit_metric_event_type(uint64_t mark) { return (uint32_t)(mark >> 24 & 0xff); }
static inline uint32_t adit_metric_event_tid(uint64_t mark) { return (uint32_t)(mark & 0xffffff); }
static inline uint64_t adit_metric_event_mark(uint64_t position, uint32_t type, uint32_t tid) { return (position + 1) << 32 | (uint64_t)type << 24 | (tid & 0xffffff); }

#endif
