/* metering.c - metrics and events for who looks in (adit_metrics.h): descriptors, labels, sums, quantiles. Any role but guests, stores nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/adit.h"
#include "runtime/kind.h"
#include "runtime/params.h"
#include "shm/shm.h"

_Static_assert(ADIT_HISTOGRAM_BUCKETS == ADIT_METRIC_BUCKETS && (int)ADIT_METRIC_EVENT == (int)ADIT_METRIC_SLOT_EVENT && (int)ADIT_METRIC_COUNTER == (int)ADIT_METRIC_SLOT_COUNTER &&
                   (int)ADIT_METRIC_BY_MAKER == (int)ADIT_LABEL_MAKER && (int)ADIT_METRIC_BY_DEVICE == (int)ADIT_LABEL_DEVICE && (int)ADIT_METRIC_BY_KIND == (int)ADIT_LABEL_KIND, "one list of types, one of labels");

static int read_slot(const struct adit_arena *arena, uint32_t metric, struct adit_metric_slot *m)
{
    if (!arena->metrics)
        return adit_fault(-EROFS, "arena %s: a guest sees no metrics", arena->name);
    int error = adit_metrics_read_slot(arena, metric, m);
    return error == -ENOENT ? -ERANGE : error == -EBADMSG ? adit_fault(error, "arena %s: what describes metric %u is damaged", arena->name, metric) : error;
}

int adit_metric_get(const struct adit_arena *arena, uint32_t metric, struct adit_metric_info *out)
{
    struct adit_metric_slot m;
    int error = adit_params_check("adit_metric_get", out->size, sizeof *out);
    if (!error)
        error = read_slot(arena, metric, &m);
    *out = (struct adit_metric_info){.size = out->size};
    if (error)
        return error;
    out->type = (enum adit_metric_type)m.type;
    out->label = (enum adit_metric_label)m.label;
    out->labels = m.n;
    memcpy(out->name, m.name, sizeof m.name);
    memcpy(out->unit, m.unit, sizeof m.unit);
    memcpy(out->help, m.help, sizeof m.help);
    return 0;
}

int adit_metric_find(const struct adit_arena *arena, const char *name, uint32_t *metric)
{
    struct adit_metric_slot m;
    if (!arena->metrics)
        return adit_fault(-EROFS, "arena %s: a guest sees no metrics", arena->name);
    for (*metric = 0; *metric < ADIT_METRICS_MAX; ++*metric)
        if (!adit_metrics_read_slot(arena, *metric, &m) && !strcmp(m.name, name))
            return 0;
    return adit_fault(-ENOENT, "arena %s: there is no metric %.31s", arena->name, name);
}

static int say(char *text, size_t bytes, const char *said)
{
    (void)snprintf(text, bytes, "%s", said);
    return 0;
}

static int name_kind(const struct adit_arena *arena, uint32_t kind, char *text, size_t bytes)
{
    const struct adit_kind_slot *k = adit_kind_named(arena, kind);
    char name[sizeof k->name];
    if (!k)
        return -ENOENT;
    memcpy(name, k->name, sizeof name);
    name[sizeof name - 1] = 0;
    for (char *c = name; *c; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    return say(text, bytes, name);
}

static int name_segment(const struct adit_arena *arena, uint32_t segment, char *text, size_t bytes)
{
    char name[32] = "heap";
    if (segment >= arena->segments_n)
        return -ENOENT;
    int32_t node = arena->segments[segment].node;
    if (segment && node >= 0)
        snprintf(name, sizeof name, "node %d", node);
    else if (segment)
        snprintf(name, sizeof name, "data %u", segment);
    return say(text, bytes, name);
}

static int name_maker(uint32_t maker, char *text, size_t bytes)
{
    static const char *const names[] = {"other", "scalar", "avx2", "avx512", "device"};
    return maker < sizeof names / sizeof *names ? say(text, bytes, names[maker]) : -ENOENT;
}

static int name_device(uint32_t device, char *text, size_t bytes)
{
    char name[16];
    snprintf(name, sizeof name, "device %u", device);
    return say(text, bytes, name);
}

int adit_metric_label(const struct adit_arena *arena, uint32_t metric, uint32_t label, char *text, size_t bytes)
{
    struct adit_metric_slot m;
    int error = read_slot(arena, metric, &m);
    if (bytes)
        *text = 0;
    if (error || label >= m.n)
        return error ? error : -ERANGE;
    switch (m.label) {
    case ADIT_LABEL_KIND: return name_kind(arena, label, text, bytes);
    case ADIT_LABEL_SEGMENT: return name_segment(arena, label, text, bytes);
    case ADIT_LABEL_MAKER: return name_maker(label, text, bytes);
    case ADIT_LABEL_DEVICE: return name_device(label, text, bytes);
    default: return -ENOENT;
    }
}

/* The values of a label that are asked for: [*from, *to). */
static int range_of(const struct adit_metric_slot *m, uint32_t label, uint32_t *from, uint32_t *to)
{
    bool is_all = label == ADIT_METRIC_ALL;
    *from = is_all ? 0 : label;
    *to = is_all ? m->n : label + 1;
    return is_all || label < m->n ? 0 : -ERANGE;
}

int adit_metric_value(const struct adit_arena *arena, uint32_t metric, uint32_t label, uint32_t who, int64_t *out)
{
    struct adit_metric_slot m;
    uint32_t from, to;
    uint64_t sum = 0;
    *out = 0;
    int error = read_slot(arena, metric, &m);
    if (!error && m.type != ADIT_METRIC_SLOT_COUNTER && m.type != ADIT_METRIC_SLOT_GAUGE)
        error = adit_fault(-EINVAL, "arena %s: metric %s is neither counter nor gauge", arena->name, m.name);
    if (!error)
        error = range_of(&m, label, &from, &to);
    if (error)
        return error;
    for (uint32_t i = from; i < to; i++)
        sum += m.type == ADIT_METRIC_SLOT_COUNTER ? adit_metrics_sum(arena, m.at + i, who) : (uint64_t)adit_metrics_level(arena, m.at + i, who);
    *out = (int64_t)sum;
    return 0;
}

int adit_metric_histogram(const struct adit_arena *arena, uint32_t metric, uint32_t label, uint32_t who, struct adit_histogram *out)
{
    struct adit_metric_slot m;
    uint32_t from, to;
    uint64_t bucket[ADIT_METRIC_BUCKETS];
    int error = adit_params_check("adit_metric_histogram", out->size, sizeof *out);
    *out = (struct adit_histogram){.size = out->size};
    if (!error)
        error = read_slot(arena, metric, &m);
    if (!error && m.type != ADIT_METRIC_SLOT_HISTOGRAM)
        error = adit_fault(-EINVAL, "arena %s: metric %s is no histogram", arena->name, m.name);
    if (!error)
        error = range_of(&m, label, &from, &to);
    for (uint32_t i = from; !error && i < to; i++) {
        adit_metrics_sum_series(arena, m.at + i, who, bucket);
        for (uint32_t k = 0; k < ADIT_METRIC_BUCKETS; k++) {
            out->bucket[k] += bucket[k];
            out->count += bucket[k];
        }
    }
    return error;
}

/* ---- histograms ---- */

void adit_histogram_bounds(uint32_t bucket, uint64_t *from, uint64_t *to)
{
    bucket = bucket < ADIT_METRIC_BUCKETS ? bucket : ADIT_METRIC_BUCKETS - 1;
    *from = adit_histogram_least(bucket);
    *to = adit_histogram_least(bucket + 1);
}

static uint64_t middle(uint32_t bucket) { return (adit_histogram_least(bucket) + adit_histogram_least(bucket + 1) - 1) / 2; }

uint64_t adit_histogram_quantile(const struct adit_histogram *h, double share)
{
    uint64_t seen = 0, last = 0;
    double wanted = share > 0 ? share * (double)h->count : 0;
    for (uint32_t i = 0; i < ADIT_METRIC_BUCKETS; i++) {
        seen += h->bucket[i];
        last = h->bucket[i] ? middle(i) : last;
        if (h->bucket[i] && (double)seen >= wanted)
            break;
    }
    return last;
}

double adit_histogram_sum(const struct adit_histogram *h)
{
    double sum = 0;
    for (uint32_t i = 0; i < ADIT_METRIC_BUCKETS; i++)
        sum += (double)h->bucket[i] * (double)middle(i);
    return sum;
}

int adit_histogram_between(const struct adit_histogram *before, const struct adit_histogram *after, struct adit_histogram *out)
{
    struct adit_histogram between = {.size = sizeof between};
    int error = adit_params_check("adit_histogram_between", before->size, sizeof *before);
    if (!error)
        error = adit_params_check("adit_histogram_between", after->size, sizeof *after);
    for (uint32_t i = 0; !error && i < ADIT_METRIC_BUCKETS; i++) {
        between.bucket[i] = after->bucket[i] - before->bucket[i];
        between.count += between.bucket[i];
    }
    *out = between;
    return error;
}

/* ---- threads and events ---- */

int adit_metric_thread_get(const struct adit_arena *arena, uint32_t thread, struct adit_metric_thread *out)
{
    int error = adit_params_check("adit_metric_thread_get", out->size, sizeof *out);
    *out = (struct adit_metric_thread){.size = out->size};
    if (error)
        return error;
    if (!arena->metrics)
        return adit_fault(-EROFS, "arena %s: a guest sees no metrics", arena->name);
    if (thread + 1 >= arena->metric_shards_n || thread == UINT32_MAX)
        return -ERANGE;
    const struct adit_metric_shard *s = &arena->metric_shards[thread + 1]; /* the first is everybody's */
    uint32_t of = adit_load32_acquire(&s->of); /* METRIC:of */
    if (!of)
        return -ENOENT;
    out->who = of;
    out->slot = adit_owner_slot(of);
    out->pid = adit_load32_relaxed(&s->pid); /* relaxed, all: for people */
    out->tid = adit_load32_relaxed(&s->tid);
    out->is_here = adit_load32_relaxed(&s->owner) == of;
    out->since_ns = adit_load_relaxed(&s->since_ns);
    out->left_ns = out->is_here ? 0 : adit_load_relaxed(&s->left_ns);
    uint64_t head = adit_load_relaxed(&s->head), first = adit_load_relaxed(&s->first);
    out->events = head - first <= INT64_MAX ? head - first : 0; /* a thread's first is never behind its head */
    for (uint32_t i = 0; i < sizeof out->label / 8; i++) {
        uint64_t word = adit_load_relaxed((const uint64_t *)(const void *)s->label + i);
        memcpy(out->label + 8 * i, &word, 8);
    }
    out->label[sizeof out->label - 1] = 0;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return adit_load32_relaxed(&s->of) == of ? 0 : -ENOENT; /* METRIC:of: all of it is one owner's */
}

/* Numbers of descriptors by type of event; UINT32_MAX: none. */
static void find_events(const struct adit_arena *arena, uint32_t *of)
{
    struct adit_metric_slot m;
    memset(of, 0xff, 256 * sizeof *of);
    for (uint32_t i = 0; i < ADIT_METRICS_MAX; i++)
        if (!adit_metrics_read_slot(arena, i, &m) && m.type == ADIT_METRIC_SLOT_EVENT && m.at < 256)
            of[m.at] = i;
}

static int by_time(const void *a, const void *b)
{
    const struct adit_flight_event *p = a, *q = b;
    return (p->at_ns > q->at_ns) - (p->at_ns < q->at_ns);
}

/* Adds a shard's to out; returns how many. */
static uint32_t add_events(const struct adit_arena *arena, uint32_t shard, uint32_t who, const uint32_t *metric, struct adit_flight_event *out)
{
    struct adit_metric_event events[ADIT_METRIC_EVENTS];
    const uint32_t *word = &arena->metric_shards[shard].of;
    uint32_t of = adit_load32_acquire(word), n = 0; /* METRIC:of */
    if (!of || (who && of != who))
        return 0;
    uint32_t copied = adit_metrics_read_events(arena, shard, events);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (adit_load32_relaxed(word) != of)
        return 0;
    for (uint32_t i = 0; i < copied; i++) {
        uint32_t which = metric[adit_metric_event_type(events[i].mark)];
        if (which == UINT32_MAX)
            continue;
        out[n++] = (struct adit_flight_event){events[i].at_ns, which, of, adit_metric_event_tid(events[i].mark), events[i].a, events[i].b};
    }
    return n;
}

int adit_metric_events(const struct adit_arena *arena, uint32_t who, struct adit_flight_event *out, uint32_t max)
{
    uint32_t metric[256], n = 0;
    if (!arena->metrics)
        return adit_fault(-EROFS, "arena %s: a guest sees no metrics", arena->name);
    struct adit_flight_event *all = malloc((size_t)arena->metric_shards_n * ADIT_METRIC_EVENTS * sizeof *all);
    if (!all)
        return adit_fault(-ENOMEM, "arena %s: no memory for its events", arena->name);
    find_events(arena, metric);
    for (uint32_t i = 1; i < arena->metric_shards_n; i++)
        n += add_events(arena, i, who, metric, all + n);
    qsort(all, n, sizeof *all, by_time);
    uint32_t told = n < max ? n : max;
    if (told)
        memcpy(out, all + (n - told), told * sizeof *out);
    free(all);
    return (int)told;
}
