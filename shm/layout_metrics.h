/* layout_metrics.h - the part of layout.h, which includes it, that is about metrics: what is counted, where, and the flight recorder. "w" and "o" as there.
 *
 * A **shard** is what one thread counts in, and its ring of events; a **cell** a histogram that one thread records in. Nobody else stores there, so an
 * addition is a load and a store. Threads that find no shard count in shard 0, those that find no cell in the **common** histogram of the series, by
 * read-modify-writes. Words of shards and cells only grow (a gauge's by what may be negative), and are never set back: the sum over all of them is what was
 * counted since the arena was made, whoever has left or died since. What a participant has counted is the difference to what stood there when it came.
 *
 *   shard, cell          by                                  if that process dies right after
 *   owner 0 -> mine      the thread's process (CAS)          recovery: owner 0; nothing else has changed
 *   of -> 0              the same                            likewise; who had it before is not named any more, its counts stay in the sum
 *   was := value, first := head, who it is                   the same
 *   of -> mine           the same (release)                  recovery: owner 0; of stays, so what the dead has counted and its events are still told
 *   owner mine -> 0      the same, leaving; recovery         nothing to do
 *
 * Of free ones that is taken which was left first, so what the dead have said stays longest. A cell's series is given once, to a cell that has none, whose
 * buckets are all 0 then; its next owners want the same series. */
#ifndef ADIT_LAYOUT_METRICS_H
#define ADIT_LAYOUT_METRICS_H

#define ADIT_METRICS_MAX 96u     /* descriptors */
#define ADIT_METRIC_WORDS 448u   /* of a shard */
#define ADIT_METRIC_SERIES 192u  /* histograms: a metric's each label */
#define ADIT_METRIC_LABELS 64u   /* values of a label */
#define ADIT_METRIC_BUCKETS 280u /* of a histogram (metrics.h) */
#define ADIT_METRIC_EVENTS 256u  /* of a shard's ring, a power of two */
#define ADIT_METRIC_SPARE 64u    /* shards beyond one a participant, at most */
#define ADIT_METRIC_SHARDS_MAX (ADIT_PARTICIPANTS_MAX + ADIT_METRIC_SPARE + 1)
#define ADIT_METRIC_CELLS_MAX (2 * ADIT_METRIC_SHARDS_MAX)

enum adit_metric_slot_type { ADIT_METRIC_SLOT_NONE, ADIT_METRIC_SLOT_COUNTER, ADIT_METRIC_SLOT_GAUGE, ADIT_METRIC_SLOT_HISTOGRAM, ADIT_METRIC_SLOT_EVENT };
enum adit_metric_slot_label { ADIT_LABEL_NONE, ADIT_LABEL_KIND, ADIT_LABEL_SEGMENT, ADIT_LABEL_MAKER, ADIT_LABEL_DEVICE, ADIT_LABELS };

/* A descriptor, written at create: who reads them needs no list of its own. type 0: none, and none behind it. */
struct adit_metric_slot {
    char name[32]; /* [a-z0-9_] */
    char unit[14];
    uint8_t type, label; /* of the two enums */
    uint16_t at, n;      /* words of a shard, or series, [at, at + n), one a value of the label; an event's: its type, and 1 */
    char help[140];
};

/* mark:  | serial 32 | type 8 | thread 24 |; 0: being written. The event at position p of the ring has serial p + 1, low 32 bits. */
struct adit_metric_event {
    uint64_t mark;  /* w: the thread, release, last; 0 before the others, with a fence */
    uint64_t at_ns; /* CLOCK_MONOTONIC of its end; w: the thread, relaxed, as what follows */
    uint64_t a, b;
};

struct adit_metric_shard {
    uint32_t owner; /* the participant whose thread counts here, 0: nobody; w: it, CAS; who recovers it */
    uint32_t of;    /* whose value - was is; w: the same, release */
    uint32_t pid, tid;
    uint64_t since_ns, left_ns; /* CLOCK_MONOTONIC; left_ns 0: not left */
    uint64_t head, first;       /* events ever; w: the thread, release */
    char label[32];             /* the participant's */
    uint64_t pad0[6];
    uint64_t value[ADIT_METRIC_WORDS]; /* w: the thread, relaxed; of shard 0: any, relaxed RMW */
    uint64_t was[ADIT_METRIC_WORDS];   /* w: the owner, before of */
    struct adit_metric_event events[ADIT_METRIC_EVENTS];
};

struct adit_metric_cell {
    uint32_t owner, of; /* as of a shard */
    uint32_t series;    /* + 1, 0: none yet; w: the first owner, release */
    uint32_t pad0;
    uint64_t left_ns;
    uint64_t pad1[5];
    uint64_t bucket[ADIT_METRIC_BUCKETS]; /* w: the thread, relaxed */
    uint64_t was[ADIT_METRIC_BUCKETS];
};

/* A histogram that any may add to: relaxed RMW. */
struct adit_metric_common {
    uint64_t bucket[ADIT_METRIC_BUCKETS];
};

/* A frame loop (runtime/frame_log.h): one that counts its frames in the arena has a slot, as long as there is one. Its words are those of a shard: owner, of, left_ns are taken, given back and recovered by the
 * same rules, and the slot left first is taken first, so what the dead have said stays longest. */
#define ADIT_FRAME_SLOTS 32u
#define ADIT_FRAME_MARKS 16u  /* points of a frame */
#define ADIT_FRAME_RING 128u  /* last frames, a power of two */

struct adit_frame_mark {
    char name[32];
    uint64_t offset_ns;                      /* from the frame's begin: until when it is to be reached */
    uint64_t reached, missed, late_most_ns;  /* w: the loop's thread, relaxed */
};

/* mark:  | the frame's number 32 | 1 | skipped behind it, at most 0x7fff, 15 | points missed, a bit each, 16 |; 0: being written. Frame n, from 1 on, lies at n - 1. */
struct adit_frame_entry {
    uint64_t mark;              /* w: the loop's thread, release, last; 0 before the others, with a fence */
    uint64_t begin_ns;          /* CLOCK_MONOTONIC at which it was to begin; w: the thread, relaxed, as what follows */
    uint64_t late_ns, took_ns;  /* how much later it began; from begin_ns to its end */
};

struct adit_frame_slot {
    uint32_t owner, of;         /* as of a shard */
    uint32_t pid, tid;
    uint64_t since_ns, left_ns; /* CLOCK_MONOTONIC; left_ns 0: not left */
    uint64_t period_ns;
    uint64_t frames, skipped;   /* ended, ever; passed without one. w: the thread; frames: release, after its entry */
    uint32_t points_n, pad0;
    char label[32];             /* the participant's */
    uint64_t pad1[4];
    struct adit_frame_mark points[ADIT_FRAME_MARKS];
    struct adit_frame_entry ring[ADIT_FRAME_RING];
};

_Static_assert(sizeof(struct adit_frame_mark) == 64, "adit_frame_mark");
_Static_assert(sizeof(struct adit_frame_entry) == 32, "adit_frame_entry");
_Static_assert(offsetof(struct adit_frame_slot, points) == 128, "adit_frame_slot.points");
_Static_assert(sizeof(struct adit_frame_slot) == 128 + 64 * ADIT_FRAME_MARKS + 32 * ADIT_FRAME_RING, "adit_frame_slot");
_Static_assert(sizeof(struct adit_metric_slot) == 192, "adit_metric_slot");
_Static_assert(offsetof(struct adit_metric_slot, at) == 48, "adit_metric_slot.at");
_Static_assert(sizeof(struct adit_metric_event) == 32, "adit_metric_event");
_Static_assert(offsetof(struct adit_metric_shard, value) == 128, "adit_metric_shard.value");
_Static_assert(sizeof(struct adit_metric_shard) == 128 + 16 * ADIT_METRIC_WORDS + 32 * ADIT_METRIC_EVENTS, "adit_metric_shard");
_Static_assert(offsetof(struct adit_metric_cell, bucket) == 64, "adit_metric_cell.bucket");
_Static_assert(sizeof(struct adit_metric_cell) == 64 + 16 * ADIT_METRIC_BUCKETS, "adit_metric_cell");

#endif
