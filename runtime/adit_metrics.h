/* adit_metrics.h - what happens in an arena how often, how long it takes, and what happened last: read from outside. Part of adit.h, which includes it.
 */
#ifndef ADIT_METRICS_API_H
#define ADIT_METRICS_API_H

#ifndef ADIT_API
#error "include runtime/adit.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* An arena counts by itself, always (ADIT_DISABLE=metrics takes it away from a process): counters, gauges and histograms with name, unit and help beside them, some by a
 * label, and a flight recorder, the last events of each thread. All of it lies in the arena, so it is there as long as that is, be everybody dead, and in images.
 *
 *     struct adit_metric_info m = {.size = sizeof m};
 *     for (uint32_t i = 0; adit_metric_get(arena, i, &m) != -ERANGE; i++)
 *         if (m.type == ADIT_METRIC_HISTOGRAM) {
 *             struct adit_histogram h = {.size = sizeof h};
 *             adit_metric_histogram(arena, i, ADIT_METRIC_ALL, 0, &h);
 *             printf("%s p99 %llu %s\n", m.name, adit_histogram_quantile(&h, 0.99), m.unit);
 *         }
 *
 * All calls: any role but guests (-EROFS), wait-free but for adit_metric_events, which allocates memory; they store nothing. Whatever lies in shared memory, an error is the worst of it.
 * Figures are read while others go on: each is right by itself, two of them are not of one moment. What who has left or died counted stays in the sums. */
enum adit_metric_type { ADIT_METRIC_COUNTER = 1, ADIT_METRIC_GAUGE, ADIT_METRIC_HISTOGRAM, ADIT_METRIC_EVENT /* what a flight recorder's events are called: it has no value */ };
enum adit_metric_label { ADIT_METRIC_BY_NOTHING, ADIT_METRIC_BY_KIND, ADIT_METRIC_BY_SEGMENT /* so by node */, ADIT_METRIC_BY_MAKER /* kernels, devices */,
                         ADIT_METRIC_BY_DEVICE /* its number at its dispatcher, to 7; of further ones nothing is counted */ };
#define ADIT_METRIC_ALL UINT32_MAX /* of a label: all its values together */

struct adit_metric_info {
    size_t size;
    char name[32]; /* [a-z0-9_] */
    char unit[16];
    char help[144];
    enum adit_metric_type type;
    enum adit_metric_label label;
    uint32_t labels; /* its values, from 0; 1 without */
};
/* What is counted as number metric, from 0. -ERANGE: past the last; -EBADMSG: that one is damaged; -EMSGSIZE. */
ADIT_API int adit_metric_get(const struct adit_arena *arena, uint32_t metric, struct adit_metric_info *out);
/* By its name; -ENOENT. */
ADIT_API int adit_metric_find(const struct adit_arena *arena, const char *name, uint32_t *metric);
/* What a value of its label is called: "adit.mesh", "node 0", "avx2"; text gets bytes - 1 of it at most, terminated. -ENOENT: nothing has that value here; -ERANGE. */
ADIT_API int adit_metric_label(const struct adit_arena *arena, uint32_t metric, uint32_t label, char *text, size_t bytes);

/* who: 0: all there are and were; else a participant (adit_metric_thread's), be it that it has left, until others count in its place. */
/* A counter, or a gauge: of who is attached. -EINVAL: it is neither. */
ADIT_API int adit_metric_value(const struct adit_arena *arena, uint32_t metric, uint32_t label, uint32_t who, int64_t *out);

/* 0 to 7 have a bucket each, every octave above has eight, up to 2^37 ns (137 s); the last one has what is longer, too. */
#define ADIT_HISTOGRAM_BUCKETS 280u
struct adit_histogram {
    size_t size;
    uint64_t count;
    uint64_t bucket[ADIT_HISTOGRAM_BUCKETS];
};
/* All of a histogram, of who as above. -EINVAL: it is no histogram. */
ADIT_API int adit_metric_histogram(const struct adit_arena *arena, uint32_t metric, uint32_t label, uint32_t who, struct adit_histogram *out);
/* Pure. The least value of a bucket, and the least beyond it. */
ADIT_API void adit_histogram_bounds(uint32_t bucket, uint64_t *from, uint64_t *to);
/* Pure. The middle of the bucket where the share (0 to 1) of all lies: within 6.25 % of the value there. 0: it is empty. */
ADIT_API uint64_t adit_histogram_quantile(const struct adit_histogram *h, double share);
/* Pure. The sum of all, each taken for its bucket's middle. */
ADIT_API double adit_histogram_sum(const struct adit_histogram *h);
/* Pure. What came between two looks at one histogram. -EMSGSIZE. */
ADIT_API int adit_histogram_between(const struct adit_histogram *before, const struct adit_histogram *after, struct adit_histogram *out);

/* A place where a thread counts, or has counted: several of one participant have the same who. */
struct adit_metric_thread {
    size_t size;
    uint32_t who; /* 0: nobody's yet, or changing hands */
    uint32_t slot, pid, tid;
    bool is_here; /* its participant is attached, or dead and not recovered yet */
    uint64_t since_ns, left_ns; /* CLOCK_MONOTONIC; left_ns 0: it is here */
    uint64_t events;            /* of it, ever */
    char label[32];             /* the participant's */
};
/* From 0. -ERANGE: past the last; -ENOENT: nobody's, or another came while it was looked at; -EMSGSIZE. */
ADIT_API int adit_metric_thread_get(const struct adit_arena *arena, uint32_t thread, struct adit_metric_thread *out);

struct adit_flight_event {
    uint64_t at_ns;  /* CLOCK_MONOTONIC, of its end */
    uint32_t metric; /* which, as adit_metric_get tells: its help says what a and b are */
    uint32_t who, tid;
    uint64_t a, b;
};
/* The last events of who's threads, 0: of all, at most max, oldest first. Returns how many, or -ENOMEM. */
ADIT_API int adit_metric_events(const struct adit_arena *arena, uint32_t who, struct adit_flight_event *out, uint32_t max);

#ifdef __cplusplus
}
#endif

#endif
