#include "tools/stats_saved.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm/shm.h"
#include "tools/exports/sink.h"
#include "tools/jsonout.h"
#include "tools/say.h"

static const char *const types[] = {"", "counter", "gauge", "histogram"}, *const labels[] = {"", "kind", "segment", "maker", "device"};

const char *adit_stats_type_name(enum adit_metric_type type) { return type <= ADIT_METRIC_HISTOGRAM ? types[type] : ""; }
const char *adit_stats_label_name(enum adit_metric_label label) { return label <= ADIT_METRIC_BY_MAKER ? labels[label] : ""; }

void adit_stats_histogram_json(json_t *o, const struct adit_histogram *h)
{
    adit_jsonout_set_count(o, "count", h->count);
    adit_jsonout_set_real(o, "sum", adit_histogram_sum(h));
    adit_jsonout_set_count(o, "p50", adit_histogram_quantile(h, 0.5));
    adit_jsonout_set_count(o, "p90", adit_histogram_quantile(h, 0.9));
    adit_jsonout_set_count(o, "p99", adit_histogram_quantile(h, 0.99));
    adit_jsonout_set_count(o, "p999", adit_histogram_quantile(h, 0.999));
    adit_jsonout_set_count(o, "most", adit_histogram_quantile(h, 1));
}

void adit_stats_saved_fini(struct adit_stats_saved *saved)
{
    for (uint32_t i = 0; i < saved->metrics_n; i++) {
        for (uint32_t k = 0; k < saved->metrics[i].values_n; k++)
            free(saved->metrics[i].values[k].histogram);
        free(saved->metrics[i].values);
    }
    free(saved->metrics);
    *saved = (struct adit_stats_saved){0};
}

const struct adit_stats_metric *adit_stats_saved_metric(const struct adit_stats_saved *saved, const struct adit_metric_info *like)
{
    for (uint32_t i = 0; i < saved->metrics_n; i++) {
        const struct adit_metric_info *m = &saved->metrics[i].info;
        if (!strcmp(m->name, like->name) && !strcmp(m->unit, like->unit) && m->type == like->type && m->label == like->label)
            return &saved->metrics[i];
    }
    return NULL;
}

const struct adit_stats_value *adit_stats_saved_value(const struct adit_stats_metric *metric, const char *label)
{
    for (uint32_t i = 0; metric && i < metric->values_n; i++)
        if (!strcmp(metric->values[i].label, label))
            return &metric->values[i];
    return NULL;
}

/* Room for one more of a list; the list stays as it is when there is none. */
#define MORE(list, n) more((void **)&(list), &(n), sizeof *(list))
static void *more(void **list, uint32_t *n, size_t bytes)
{
    if (!(*n & (*n - 1))) { /* at powers of two */
        void *grown = realloc(*list, (*n ? 2 * (size_t)*n : 1) * bytes);
        if (!grown)
            return NULL;
        *list = grown;
    }
    char *last = (char *)*list + *n * bytes;
    memset(last, 0, bytes);
    ++*n;
    return last;
}

/* ---- from an arena ---------------------------------------------------------------------------------------------- */

static int value_take(const struct adit_arena *arena, uint32_t metric, uint32_t label, struct adit_stats_metric *m)
{
    struct adit_histogram h = {.size = sizeof h};
    bool is_histogram = m->info.type == ADIT_METRIC_HISTOGRAM, is_labelled = m->info.label != ADIT_METRIC_BY_NOTHING;
    int64_t value = 0;
    int error = is_histogram ? adit_metric_histogram(arena, metric, label, 0, &h) : adit_metric_value(arena, metric, label, 0, &value);
    if (error || (is_labelled && (is_histogram ? !h.count : !value)))
        return 0;
    struct adit_stats_value *v = MORE(m->values, m->values_n);
    if (!v)
        return -ENOMEM;
    v->value = value;
    char text[64] = "";
    if (is_labelled && adit_metric_label(arena, metric, label, text, sizeof text))
        snprintf(text, sizeof text, "%u", label);
    adit_say_printable(v->label, sizeof v->label, text, strlen(text));
    if (is_histogram && (v->histogram = malloc(sizeof h)))
        *v->histogram = h;
    return is_histogram && !v->histogram ? -ENOMEM : 0;
}

static int metrics_take(const struct adit_arena *arena, struct adit_stats_saved *out)
{
    struct adit_metric_info info = {.size = sizeof info};
    int error = 0;
    for (uint32_t i = 0; i < ADIT_STATS_SAVED_VALUES_MAX && !error; i++) {
        int got = adit_metric_get(arena, i, &info);
        if (got == -ERANGE)
            break;
        out->damaged += got != 0;
        if (got || info.type < ADIT_METRIC_COUNTER || info.type > ADIT_METRIC_HISTOGRAM || info.label > ADIT_METRIC_BY_MAKER)
            continue;
        struct adit_stats_metric *m = MORE(out->metrics, out->metrics_n);
        if (!m)
            return -ENOMEM;
        m->info = info;
        for (uint32_t label = 0; label < info.labels && !error; label++)
            error = value_take(arena, i, label, m);
    }
    return error;
}

int adit_stats_saved_take(struct adit_arena *arena, bool is_image, struct adit_stats_saved *out, char *error, size_t error_bytes)
{
    struct adit_stats stats = {.size = sizeof stats};
    struct adit_flight_event last;
    *out = (struct adit_stats_saved){.is_image = is_image};
    int status = adit_stats(arena, &stats);
    if (is_image)
        out->clock_ns = adit_metric_events(arena, 0, &last, 1) == 1 ? last.at_ns : 0;
    else {
        out->taken_ns = adit_clock_real_ns();
        out->clock_ns = adit_clock_ns();
    }
    adit_say_printable(out->arena, sizeof out->arena, stats.name, strlen(stats.name));
    out->created_ns = stats.created_ns;
    if (!status)
        status = metrics_take(arena, out);
    if (status)
        snprintf(error, error_bytes, "%s: cannot look at its metrics: %s", out->arena, status == -ENOMEM ? "no memory" : *adit_detail() ? adit_detail() : adit_strerror(status));
    return status;
}

/* ---- to a file -------------------------------------------------------------------------------------------------- */

static void set_number(json_t *o, const char *name, uint64_t n) { adit_jsonout_set_count(o, name, n < INT64_MAX ? n : INT64_MAX); }

static json_t *value_json(const struct adit_stats_metric *m, const struct adit_stats_value *v)
{
    json_t *o = json_object();
    if (m->info.label != ADIT_METRIC_BY_NOTHING)
        adit_jsonout_set_text(o, "label", v->label);
    if (!v->histogram) {
        adit_jsonout_set(o, "value", json_integer((json_int_t)v->value));
        return o;
    }
    json_t *buckets = json_array();
    for (uint32_t i = 0; i < ADIT_HISTOGRAM_BUCKETS; i++) {
        uint64_t n = v->histogram->bucket[i];
        if (n)
            json_array_append_new(buckets, json_pack("[i,I]", (int)i, (json_int_t)(n < INT64_MAX ? n : INT64_MAX)));
    }
    adit_jsonout_set(o, "buckets", buckets);
    return o;
}

static json_t *metric_json(const struct adit_stats_metric *m)
{
    json_t *o = json_object(), *values = json_array();
    adit_jsonout_set_text(o, "name", m->info.name);
    adit_jsonout_set_text(o, "type", types[m->info.type]);
    adit_jsonout_set_text(o, "unit", m->info.unit);
    adit_jsonout_set_text(o, "help", m->info.help);
    adit_jsonout_set_text(o, "by", labels[m->info.label]);
    for (uint32_t i = 0; i < m->values_n; i++)
        json_array_append_new(values, value_json(m, &m->values[i]));
    adit_jsonout_set(o, "values", values);
    return o;
}

int adit_stats_saved_write(const struct adit_stats_saved *saved, const char *path, char *error, size_t error_bytes)
{
    struct adit_sink *sink;
    json_t *o = json_object(), *metrics = json_array();
    for (uint32_t i = 0; i < saved->metrics_n; i++)
        json_array_append_new(metrics, metric_json(&saved->metrics[i]));
    adit_jsonout_set_count(o, "adit_stats", ADIT_STATS_SAVED_VERSION);
    adit_jsonout_set_text(o, "arena", saved->arena);
    set_number(o, "created_ns", saved->created_ns);
    set_number(o, "taken_ns", saved->taken_ns);
    set_number(o, "clock_ns", saved->clock_ns);
    adit_jsonout_set(o, "image", json_boolean(saved->is_image));
    adit_jsonout_set(o, "metrics", metrics);
    char *text = json_dumps(o, JSON_INDENT(1));
    json_decref(o);
    int status = text ? adit_sink_open(path, &sink, error, error_bytes) : -ENOMEM;
    if (!text)
        snprintf(error, error_bytes, "%s: no memory to write it", path);
    if (!status) {
        adit_sink_text(sink, text);
        adit_sink_text(sink, "\n");
        status = adit_sink_commit(&sink, error, error_bytes);
    }
    free(text);
    return status;
}

/* ---- from a file ------------------------------------------------------------------------------------------------ */

#define ANEW "save one with `adit stats NAME --save FILE`"

/* One file as it is read. The first thing wrong with it stays. */
struct reading {
    char shown[256]; /* its path */
    char *error;
    size_t error_bytes;
    int status;
    uint32_t metric, value, values_all;
    struct adit_stats_saved *out;
};

__attribute__((format(printf, 3, 4))) static bool wrong(struct reading *r, int status, const char *format, ...)
{
    if (r->status)
        return false;
    int n = snprintf(r->error, r->error_bytes, "%s: ", r->shown);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->error + n, r->error_bytes > (size_t)n ? r->error_bytes - (size_t)n : 0, format, arguments);
    va_end(arguments);
    r->status = status;
    return false;
}

/* Something of one metric; member NULL: the metric itself. */
static bool metric_wrong(struct reading *r, const char *member, const char *what)
{
    return wrong(r, -EPROTO, "metrics[%u]%s%s %s, so it is damaged; " ANEW, r->metric, member ? "." : "", member ? member : "", what);
}

static bool value_wrong(struct reading *r, const char *what)
{
    return wrong(r, -EPROTO, "metrics[%u].values[%u] %s, so it is damaged; " ANEW, r->metric, r->value, what);
}

/* Printable, cut at bytes. */
static bool text_read(const json_t *o, const char *name, char *out, size_t bytes)
{
    const json_t *text = json_object_get(o, name);
    if (!json_is_string(text))
        return false;
    adit_say_printable(out, bytes, json_string_value(text), json_string_length(text));
    return true;
}

/* Which of n words; n: none of them. */
static uint32_t word_read(const json_t *o, const char *name, const char *const *words, uint32_t n)
{
    const char *text = json_string_value(json_object_get(o, name));
    uint32_t i = 0;
    while (text && i < n && strcmp(text, words[i]))
        i++;
    return text ? i : n;
}

static bool number_read(struct reading *r, const json_t *o, const char *name, uint64_t *out)
{
    const json_t *n = json_object_get(o, name);
    if (!json_is_integer(n) || json_integer_value(n) < 0)
        return wrong(r, -EPROTO, "%s is no whole number from 0 on, so it is damaged; " ANEW, name);
    *out = (uint64_t)json_integer_value(n);
    return true;
}

/* Buckets rise, and all counts together stay below 2^63. */
static bool buckets_read(struct reading *r, const json_t *list, struct adit_stats_value *v)
{
    uint32_t next = 0;
    if (!json_is_array(list))
        return value_wrong(r, "has no buckets");
    v->histogram = calloc(1, sizeof *v->histogram);
    if (!v->histogram)
        return wrong(r, -ENOMEM, "no memory for it");
    v->histogram->size = sizeof *v->histogram;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i), *at = json_array_get(pair, 0), *n = json_array_get(pair, 1);
        if (json_array_size(pair) != 2 || !json_is_integer(at) || !json_is_integer(n))
            return value_wrong(r, "has a bucket that is not [which, how many]");
        json_int_t bucket = json_integer_value(at), count = json_integer_value(n);
        if (bucket < next || bucket >= ADIT_HISTOGRAM_BUCKETS || count < 0 || (uint64_t)count > INT64_MAX - v->histogram->count)
            return value_wrong(r, "has a bucket out of range");
        v->histogram->bucket[bucket] = (uint64_t)count;
        v->histogram->count += (uint64_t)count;
        next = (uint32_t)bucket + 1;
    }
    return true;
}

static bool value_read(struct reading *r, const json_t *o, struct adit_stats_metric *m)
{
    if (++r->values_all > ADIT_STATS_SAVED_VALUES_MAX)
        return value_wrong(r, "is one of too many");
    struct adit_stats_value *v = MORE(m->values, m->values_n);
    if (!v)
        return wrong(r, -ENOMEM, "no memory for it");
    if (m->info.label != ADIT_METRIC_BY_NOTHING && !text_read(o, "label", v->label, sizeof v->label))
        return value_wrong(r, "has no label");
    if (m->info.type == ADIT_METRIC_HISTOGRAM)
        return buckets_read(r, json_object_get(o, "buckets"), v);
    if (!json_is_integer(json_object_get(o, "value")))
        return value_wrong(r, "has no value");
    v->value = json_integer_value(json_object_get(o, "value"));
    return true;
}

static bool metric_read(struct reading *r, const json_t *o)
{
    const json_t *values = json_object_get(o, "values");
    uint32_t type = word_read(o, "type", types, sizeof types / sizeof *types), label = word_read(o, "by", labels, sizeof labels / sizeof *labels);
    if (r->metric >= ADIT_STATS_SAVED_VALUES_MAX)
        return metric_wrong(r, NULL, "is one of too many");
    struct adit_stats_metric *m = MORE(r->out->metrics, r->out->metrics_n);
    if (!m)
        return wrong(r, -ENOMEM, "no memory for it");
    if (!text_read(o, "name", m->info.name, sizeof m->info.name) || !text_read(o, "unit", m->info.unit, sizeof m->info.unit) || !text_read(o, "help", m->info.help, sizeof m->info.help))
        return metric_wrong(r, NULL, "has no name, unit or help");
    if (type < ADIT_METRIC_COUNTER || type > ADIT_METRIC_HISTOGRAM)
        return metric_wrong(r, "type", "is none of counter, gauge, histogram");
    if (label > ADIT_METRIC_BY_MAKER)
        return metric_wrong(r, "by", "is none of kind, segment, maker, or empty");
    if (!json_is_array(values))
        return metric_wrong(r, "values", "is no list");
    m->info.type = (enum adit_metric_type)type;
    m->info.label = (enum adit_metric_label)label;
    for (r->value = 0; r->value < json_array_size(values) && !r->status; r->value++)
        value_read(r, json_array_get(values, r->value), m);
    return !r->status;
}

static void root_read(struct reading *r, const json_t *o)
{
    const json_t *version = json_object_get(o, "adit_stats"), *metrics = json_object_get(o, "metrics");
    if (!json_is_integer(version)) {
        wrong(r, -EPROTO, "is not what `adit stats --save` writes; " ANEW);
        return;
    }
    if (json_integer_value(version) != ADIT_STATS_SAVED_VERSION) {
        wrong(r, -EPROTO, "is of version %lld, this program reads version %d; compare it with the one that saved it, or " ANEW, (long long)json_integer_value(version), ADIT_STATS_SAVED_VERSION);
        return;
    }
    if (!text_read(o, "arena", r->out->arena, sizeof r->out->arena))
        wrong(r, -EPROTO, "arena is no text, so it is damaged; " ANEW);
    number_read(r, o, "created_ns", &r->out->created_ns);
    number_read(r, o, "taken_ns", &r->out->taken_ns);
    number_read(r, o, "clock_ns", &r->out->clock_ns);
    r->out->is_image = json_is_true(json_object_get(o, "image"));
    if (!json_is_array(metrics))
        wrong(r, -EPROTO, "metrics is no list, so it is damaged; " ANEW);
    for (r->metric = 0; r->metric < json_array_size(metrics) && !r->status; r->metric++)
        metric_read(r, json_array_get(metrics, r->metric));
}

/* All of a file, at most ADIT_STATS_SAVED_BYTES_MAX. NULL: the line is said. */
static char *file_read(struct reading *r, const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        wrong(r, -errno, "cannot read it: %s; " ANEW, strerror(errno));
        return NULL;
    }
    char *text = NULL;
    size_t room = 0;
    for (*bytes = 0; !r->status && *bytes == room;) { /* ends: room doubles up to its limit */
        room = room ? 2 * room : 65536;
        char *grown = room <= 2 * ADIT_STATS_SAVED_BYTES_MAX ? realloc(text, room) : NULL;
        text = grown ? grown : text;
        if (!grown)
            wrong(r, -EFBIG, "is larger than what `adit stats --save` writes; " ANEW);
        else
            *bytes += fread(text + *bytes, 1, room - *bytes, file);
    }
    if (ferror(file))
        wrong(r, -errno, "cannot read it: %s; " ANEW, strerror(errno));
    fclose(file);
    return text;
}

int adit_stats_saved_read(const char *path, struct adit_stats_saved *out, char *error, size_t error_bytes)
{
    struct reading r = {.error = error, .error_bytes = error_bytes, .out = out};
    json_error_t e;
    size_t bytes = 0;
    *out = (struct adit_stats_saved){0};
    adit_say_printable(r.shown, sizeof r.shown, path, strlen(path));
    char *text = file_read(&r, path, &bytes);
    json_t *o = r.status ? NULL : json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &e);
    if (!r.status && !o) {
        char what[JSON_ERROR_TEXT_LENGTH];
        bool is_ours = bytes > 1 && *text == '{' && memmem(text, bytes < 64 ? bytes : 64, "\"adit_stats\"", 12);
        adit_say_printable(what, sizeof what, e.text, strlen(e.text));
        if (is_ours)
            wrong(&r, -EPROTO, "line %d, column %d: %s, so it is cut off or damaged; " ANEW, e.line, e.column, what);
        else
            wrong(&r, -EPROTO, "is not what `adit stats --save` writes; " ANEW);
    }
    if (o)
        root_read(&r, o);
    json_decref(o);
    free(text);
    return r.status;
}
