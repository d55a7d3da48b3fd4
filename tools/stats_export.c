#include "tools/stats_export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/jsonout.h"
#include "tools/say.h"

#define METRICS_MAX 65536u
#define THREADS_MAX 65536u
#define OCTAVE 8u           /* buckets */
#define TOOK_MASK ((1ull << 56) - 1) /* of an event's second word: the upper 8 bits are a task's kind */

/* ---- Prometheus ------------------------------------------------------------------------------------------------- */

/* A label's value: backslash, quote and line feed are escaped; the rest was made printable. */
static void put_label(FILE *out, const char *key, const char *value)
{
    fprintf(out, "%s=\"", key);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', out);
        fputc(*value, out);
    }
    fputc('"', out);
}

struct family {
    const struct adit_arena *arena;
    FILE *out;
    const char *name; /* the arena's */
    struct adit_metric_info m;
    uint32_t metric;
    char shown[64]; /* "adit_put_seconds" */
    bool has_head;
};

static bool is_histogram(const struct adit_metric_info *m) { return m->type == ADIT_METRIC_HISTOGRAM; }
static bool is_timed(const struct adit_metric_info *m) { return is_histogram(m) && !strcmp(m->unit, "ns"); }

/* Counters end in _total, times are in seconds. */
static void name_family(struct family *f)
{
    size_t n = strlen(f->m.name);
    bool is_ns = is_timed(&f->m) && n > 3 && !strcmp(f->m.name + n - 3, "_ns");
    snprintf(f->shown, sizeof f->shown, "adit_%.*s%s", (int)(is_ns ? n - 3 : n), f->m.name, is_ns ? "_seconds" : f->m.type == ADIT_METRIC_COUNTER ? "_total" : "");
}

static void put_head(struct family *f)
{
    static const char *const types[] = {"untyped", "counter", "gauge", "histogram"};
    if (f->has_head)
        return;
    fprintf(f->out, "# HELP %s ", f->shown);
    for (const char *c = f->m.help; *c; c++) /* it is printable; of these only the backslash has a meaning */
        fputs(*c == '\\' ? "\\\\" : (char[2]){*c}, f->out);
    fprintf(f->out, "\n# TYPE %s %s\n", f->shown, types[f->m.type]);
    f->has_head = true;
}

/* Up to the closing brace; le: of a bucket, or NULL. */
static void put_series(const struct family *f, const char *suffix, const char *label, const char *le)
{
    static const char *const keys[] = {"", "kind", "segment", "maker", "device"};
    fprintf(f->out, "%s%s{", f->shown, suffix);
    put_label(f->out, "arena", f->name);
    if (f->m.label != ADIT_METRIC_BY_NOTHING) {
        fputc(',', f->out);
        put_label(f->out, keys[f->m.label], label);
    }
    if (le) {
        fputc(',', f->out);
        put_label(f->out, "le", le);
    }
    fputs("} ", f->out);
}

static void put_histogram(struct family *f, const char *label, const struct adit_histogram *h)
{
    const double scale = is_timed(&f->m) ? 1e-9 : 1;
    uint64_t below = 0, from, to;
    char le[32];
    put_head(f);
    for (uint32_t i = 0; i + 1 < ADIT_HISTOGRAM_BUCKETS; i++) {
        below += h->bucket[i];
        if (i % OCTAVE != OCTAVE - 1)
            continue;
        adit_histogram_bounds(i, &from, &to);
        snprintf(le, sizeof le, "%.12g", (double)(to - 1) * scale); /* whole numbers: the last one of the bucket */
        put_series(f, "_bucket", label, le);
        fprintf(f->out, "%llu\n", (unsigned long long)below);
    }
    below += h->bucket[ADIT_HISTOGRAM_BUCKETS - 1];
    put_series(f, "_bucket", label, "+Inf");
    fprintf(f->out, "%llu\n", (unsigned long long)below);
    put_series(f, "_sum", label, NULL);
    fprintf(f->out, "%.9g\n", adit_histogram_sum(h) * scale);
    put_series(f, "_count", label, NULL);
    fprintf(f->out, "%llu\n", (unsigned long long)below);
}

static void put_value(struct family *f, uint32_t label)
{
    struct adit_histogram h = {.size = sizeof h};
    int64_t value = 0;
    char text[64] = "", shown[64];
    int error = is_histogram(&f->m) ? adit_metric_histogram(f->arena, f->metric, label, 0, &h) : adit_metric_value(f->arena, f->metric, label, 0, &value);
    bool is_labelled = f->m.label != ADIT_METRIC_BY_NOTHING;
    if (error || (is_labelled && (is_histogram(&f->m) ? !h.count : !value)))
        return;
    if (is_labelled && adit_metric_label(f->arena, f->metric, label, text, sizeof text))
        snprintf(text, sizeof text, "%u", label);
    adit_say_printable(shown, sizeof shown, text, strlen(text));
    if (is_histogram(&f->m)) {
        put_histogram(f, shown, &h);
        return;
    }
    put_head(f);
    put_series(f, "", shown, NULL);
    if (f->m.type == ADIT_METRIC_COUNTER)
        fprintf(f->out, "%llu\n", (unsigned long long)value);
    else
        fprintf(f->out, "%lld\n", (long long)value);
}

/* Whether a family before the metric-th has its name: an arena is what its creator, or an attacker, wrote, and one such line would spoil all others. */
static bool is_taken(const char (*shown)[64], uint32_t metric)
{
    for (uint32_t i = 0; i < metric; i++)
        if (!strcmp(shown[i], shown[metric]))
            return true;
    return false;
}

void adit_stats_prometheus(const struct adit_arena *arena, const char *name, FILE *out)
{
    struct adit_metric_info m = {.size = sizeof m};
    uint32_t n = 0;
    while (n < METRICS_MAX && adit_metric_get(arena, n, &m) != -ERANGE)
        n++;
    char(*shown)[64] = calloc(n ? n : 1, sizeof *shown);
    for (uint32_t i = 0; i < n && shown; i++) {
        int error = adit_metric_get(arena, i, &m);
        if (error || m.type < ADIT_METRIC_COUNTER || m.type > ADIT_METRIC_HISTOGRAM || m.label > ADIT_METRIC_BY_DEVICE)
            continue;
        struct family f = {.arena = arena, .out = out, .name = name, .m = m, .metric = i};
        name_family(&f);
        memcpy(shown[i], f.shown, sizeof f.shown);
        if (is_taken(shown, i))
            continue;
        for (uint32_t label = 0; label < m.labels; label++)
            put_value(&f, label);
    }
    free(shown);
}

/* ---- traces ----------------------------------------------------------------------------------------------------- */

/* pid of a participant's threads, and their names. */
static void name_threads(const struct adit_arena *arena, json_t *events)
{
    struct adit_metric_thread t = {.size = sizeof t};
    for (uint32_t i = 0; i < THREADS_MAX; i++) {
        int error = adit_metric_thread_get(arena, i, &t);
        char label[64];
        if (error == -ERANGE)
            return;
        if (error || !t.who)
            continue;
        json_t *o = json_object(), *args = json_object();
        adit_say_printable(label, sizeof label, t.label, strlen(t.label));
        adit_jsonout_set_text(o, "name", "process_name");
        adit_jsonout_set_text(o, "ph", "M");
        adit_jsonout_set_count(o, "pid", t.pid);
        adit_jsonout_set_count(o, "tid", t.tid);
        adit_jsonout_set_text(args, "name", label);
        adit_jsonout_set(o, "args", args);
        json_array_append_new(events, o);
    }
}

static uint32_t pid_of(const struct adit_arena *arena, const struct adit_flight_event *e)
{
    struct adit_metric_thread t = {.size = sizeof t};
    for (uint32_t i = 0; i < THREADS_MAX; i++) {
        int error = adit_metric_thread_get(arena, i, &t);
        if (error == -ERANGE)
            break;
        if (!error && t.who == e->who)
            return t.pid;
    }
    return 0;
}

static json_t *trace_event(const struct adit_arena *arena, const struct adit_flight_event *e, uint32_t pid)
{
    struct adit_metric_info m = {.size = sizeof m};
    char text[24];
    if (adit_metric_get(arena, e->metric, &m))
        return NULL;
    bool takes = !strcmp(m.unit, "ns");
    uint64_t took = takes ? e->b & TOOK_MASK : 0;
    took = took < e->at_ns ? took : 0; /* it cannot have begun before the clock did */
    json_t *o = json_object(), *args = json_object();
    adit_jsonout_set_text(o, "name", m.name);
    adit_jsonout_set_text(o, "cat", "adit");
    adit_jsonout_set_text(o, "ph", takes ? "X" : "i");
    adit_jsonout_set_real(o, "ts", (double)(e->at_ns - took) / 1e3);
    if (takes)
        adit_jsonout_set_real(o, "dur", (double)took / 1e3);
    else
        adit_jsonout_set_text(o, "s", "t");
    adit_jsonout_set_count(o, "pid", pid);
    adit_jsonout_set_count(o, "tid", e->tid);
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)e->a);
    adit_jsonout_set_text(args, "a", text);
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)e->b);
    adit_jsonout_set_text(args, "b", text);
    adit_jsonout_set(o, "args", args);
    return o;
}

json_t *adit_stats_trace(const struct adit_arena *arena, uint32_t max)
{
    struct adit_flight_event *last = calloc(max, sizeof *last);
    int n = last ? adit_metric_events(arena, 0, last, max) : -1;
    if (n < 0) {
        free(last);
        return NULL;
    }
    json_t *o = json_object(), *events = json_array();
    uint32_t who = 0, pid = 0;
    name_threads(arena, events);
    for (int i = 0; i < n; i++) {
        pid = last[i].who == who ? pid : pid_of(arena, &last[i]);
        who = last[i].who;
        json_t *e = trace_event(arena, &last[i], pid);
        if (e)
            json_array_append_new(events, e);
    }
    free(last);
    adit_jsonout_set_text(o, "displayTimeUnit", "ns");
    adit_jsonout_set(o, "traceEvents", events);
    return o;
}
