#include "tools/stats_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/jsonout.h"
#include "tools/say.h"

static const struct adit_column columns[] = {
    {"METRIC", -20, "its name"},
    {"OF", -18, "the kind, segment or maker that the row is of; nothing: all"},
    {"BEFORE", 12, "its value when the first was saved; of what is timed how many there were"},
    {"AFTER", 12, "its value when the second was, or now"},
    {"CHANGE", 12, "after less before; behind it the quantiles of what was timed meanwhile, or of two arenas those of each"},
    {"PER SECOND", 12, "the change by the time between; -: of gauges, and where that time is not known"},
};
const struct adit_columns adit_stats_diff_columns = {"changes (--diff)", columns, sizeof columns / sizeof *columns};

/* One value at both times. */
struct change {
    const struct adit_metric_info *m;
    const char *label;
    int64_t before, after; /* of a histogram how many */
    const struct adit_histogram *h_before, *h_after; /* of a histogram; one without any where it was not there */
    struct adit_histogram since;
    bool has_since; /* of a histogram of one arena of which no bucket has become less */
    double seconds;
};

static const struct adit_histogram nothing = {.size = sizeof nothing};

bool adit_stats_diff_is_same_arena(const struct adit_stats_saved *before, const struct adit_stats_saved *after)
{
    return before->created_ns == after->created_ns; /* not by name: an image has none of its own */
}

double adit_stats_diff_seconds(const struct adit_stats_saved *before, const struct adit_stats_saved *after)
{
    bool is_known = adit_stats_diff_is_same_arena(before, after) && before->clock_ns && after->clock_ns > before->clock_ns;
    return is_known ? (double)(after->clock_ns - before->clock_ns) / 1e9 : 0;
}

static bool is_histogram(const struct adit_metric_info *m) { return m->type == ADIT_METRIC_HISTOGRAM; }

static int64_t count_of(const struct adit_histogram *h) { return (int64_t)(h->count < INT64_MAX ? h->count : INT64_MAX); }

static bool has_grown(const struct adit_histogram *before, const struct adit_histogram *after)
{
    bool has = true;
    for (uint32_t i = 0; i < ADIT_HISTOGRAM_BUCKETS; i++)
        has &= after->bucket[i] >= before->bucket[i];
    return has;
}

/* a and b: the value before and after; one of them may be NULL. */
static struct change change_of(const struct adit_stats_saved *before, const struct adit_stats_saved *after, const struct adit_metric_info *m, const struct adit_stats_value *a,
                               const struct adit_stats_value *b)
{
    struct change c = {.m = m, .label = (a ? a : b)->label, .seconds = adit_stats_diff_seconds(before, after)};
    if (!is_histogram(m)) {
        c.before = a ? a->value : 0;
        c.after = b ? b->value : 0;
        return c;
    }
    c.h_before = a && a->histogram ? a->histogram : &nothing;
    c.h_after = b && b->histogram ? b->histogram : &nothing;
    c.before = count_of(c.h_before);
    c.after = count_of(c.h_after);
    c.has_since = adit_stats_diff_is_same_arena(before, after) && has_grown(c.h_before, c.h_after);
    if (c.has_since) {
        c.since.size = sizeof c.since;
        adit_histogram_between(c.h_before, c.h_after, &c.since);
    }
    return c;
}

/* No two of them overflow: the difference as it is to the nearest of 64 bits. */
static int64_t difference(int64_t before, int64_t after)
{
    int64_t d;
    return __builtin_sub_overflow(after, before, &d) ? (after > before ? INT64_MAX : INT64_MIN) : d;
}

/* A value, a change, a rate; of bytes as such. */
static const char *number_text(char *out, size_t bytes, double value, const char *unit)
{
    double size = value < 0 ? -value : value;
    char text[32];
    if (!strcmp(unit, "bytes"))
        adit_say_bytes(text, sizeof text, (uint64_t)size);
    else if (size == (double)(uint64_t)size || size >= 100)
        adit_say_count(text, sizeof text, (uint64_t)size);
    else
        snprintf(text, sizeof text, "%.3g", size);
    snprintf(out, bytes, "%s%s", value < 0 ? "-" : "", text);
    return out;
}

#define NUMBER(value, unit) number_text((char[40]){0}, 40, (value), (unit))

static void change_print(const struct change *c)
{
    const char *unit = is_histogram(c->m) ? "" : c->m->unit;
    bool has_rate = c->m->type != ADIT_METRIC_GAUGE && c->seconds > 0;
    int64_t d = difference(c->before, c->after);
    printf("%-20s %-18s %12s %12s %12s %12s", c->m->name, c->label, NUMBER((double)c->before, unit), NUMBER((double)c->after, unit), NUMBER((double)d, unit),
           has_rate ? NUMBER((double)d / c->seconds, unit) : "-");
    if (c->has_since && c->since.count)
        printf("  p50 %s, p90 %s, p99 %s, most %s", ADIT_SAY_DURATION((double)adit_histogram_quantile(&c->since, 0.5)), ADIT_SAY_DURATION((double)adit_histogram_quantile(&c->since, 0.9)),
               ADIT_SAY_DURATION((double)adit_histogram_quantile(&c->since, 0.99)), ADIT_SAY_DURATION((double)adit_histogram_quantile(&c->since, 1)));
    else if (is_histogram(c->m) && !c->has_since)
        printf("  p50 %s -> %s, p99 %s -> %s", ADIT_SAY_DURATION((double)adit_histogram_quantile(c->h_before, 0.5)), ADIT_SAY_DURATION((double)adit_histogram_quantile(c->h_after, 0.5)),
               ADIT_SAY_DURATION((double)adit_histogram_quantile(c->h_before, 0.99)), ADIT_SAY_DURATION((double)adit_histogram_quantile(c->h_after, 0.99)));
    putchar('\n');
}

static json_t *times_json(const struct adit_histogram *h)
{
    json_t *o = json_object();
    adit_stats_histogram_json(o, h);
    return o;
}

static json_t *change_json(const struct change *c)
{
    json_t *o = json_object();
    int64_t d = difference(c->before, c->after);
    bool has_rate = c->m->type != ADIT_METRIC_GAUGE && c->seconds > 0;
    if (c->m->label != ADIT_METRIC_BY_NOTHING)
        adit_jsonout_set_text(o, "label", c->label);
    adit_jsonout_set(o, "before", json_integer((json_int_t)c->before));
    adit_jsonout_set(o, "after", json_integer((json_int_t)c->after));
    adit_jsonout_set(o, "change", json_integer((json_int_t)d));
    adit_jsonout_set(o, "per_s", has_rate ? json_real((double)d / c->seconds) : json_null());
    if (is_histogram(c->m)) {
        adit_jsonout_set(o, "since", c->has_since ? times_json(&c->since) : json_null());
        adit_jsonout_set(o, "times_before", times_json(c->h_before));
        adit_jsonout_set(o, "times_after", times_json(c->h_after));
    }
    return o;
}

/* Prints one, or appends it to list. */
static void change_tell(const struct change *c, bool all, json_t *list)
{
    if (list)
        json_array_append_new(list, change_json(c));
    else if (all || c->before != c->after || (is_histogram(c->m) && memcmp(c->h_before->bucket, c->h_after->bucket, sizeof c->h_after->bucket)))
        change_print(c);
}

/* The values of a metric: those that were there before, then those that have come. */
static void metric_tell(const struct adit_stats_saved *before, const struct adit_stats_saved *after, const struct adit_stats_metric *a, const struct adit_stats_metric *b, bool all, json_t *list)
{
    for (uint32_t i = 0; i < a->values_n; i++) {
        struct change c = change_of(before, after, &b->info, &a->values[i], adit_stats_saved_value(b, a->values[i].label));
        change_tell(&c, all, list);
    }
    for (uint32_t i = 0; i < b->values_n; i++)
        if (!adit_stats_saved_value(a, b->values[i].label)) {
            struct change c = change_of(before, after, &b->info, NULL, &b->values[i]);
            change_tell(&c, all, list);
        }
}

static json_t *metric_json(const struct adit_stats_saved *before, const struct adit_stats_saved *after, const struct adit_stats_metric *a, const struct adit_stats_metric *b)
{
    json_t *o = json_object(), *values = json_array();
    adit_jsonout_set_text(o, "name", b->info.name);
    adit_jsonout_set_text(o, "type", adit_stats_type_name(b->info.type));
    adit_jsonout_set_text(o, "unit", b->info.unit);
    adit_jsonout_set_text(o, "help", b->info.help);
    adit_jsonout_set_text(o, "by", adit_stats_label_name(b->info.label));
    metric_tell(before, after, a, b, true, values);
    adit_jsonout_set(o, "values", values);
    return o;
}

uint32_t adit_stats_diff_print(const struct adit_stats_saved *before, const struct adit_stats_saved *after, bool all)
{
    double seconds = adit_stats_diff_seconds(before, after);
    uint32_t alone = 0;
    if (seconds > 0)
        printf("%s, in %s\n", after->arena, ADIT_SAY_DURATION(seconds * 1e9));
    else if (adit_stats_diff_is_same_arena(before, after))
        printf("%s\n", after->arena);
    else
        printf("%s -> %s\n", before->arena, after->arena);
    adit_columns_print(&adit_stats_diff_columns, stdout);
    for (uint32_t i = 0; i < after->metrics_n; i++) {
        const struct adit_stats_metric *b = &after->metrics[i], *a = adit_stats_saved_metric(before, &b->info);
        if (a)
            metric_tell(before, after, a, b, all, NULL);
        alone += !a;
    }
    for (uint32_t i = 0; i < before->metrics_n; i++)
        alone += !adit_stats_saved_metric(after, &before->metrics[i].info);
    return alone;
}

static json_t *side_json(const struct adit_stats_saved *s)
{
    json_t *o = json_object();
    adit_jsonout_set_text(o, "arena", s->arena);
    adit_jsonout_set_count(o, "created_ns", s->created_ns);
    adit_jsonout_set(o, "taken_ns", s->taken_ns ? json_integer((json_int_t)s->taken_ns) : json_null());
    adit_jsonout_set(o, "image", json_boolean(s->is_image));
    return o;
}

json_t *adit_stats_diff_json(const struct adit_stats_saved *before, const struct adit_stats_saved *after)
{
    double seconds = adit_stats_diff_seconds(before, after);
    json_t *o = json_object(), *metrics = json_array();
    adit_jsonout_set(o, "before", side_json(before));
    adit_jsonout_set(o, "after", side_json(after));
    adit_jsonout_set(o, "same_arena", json_boolean(adit_stats_diff_is_same_arena(before, after)));
    adit_jsonout_set(o, "seconds", seconds > 0 ? json_real(seconds) : json_null());
    for (uint32_t i = 0; i < after->metrics_n; i++) {
        const struct adit_stats_metric *b = &after->metrics[i], *a = adit_stats_saved_metric(before, &b->info);
        if (a)
            json_array_append_new(metrics, metric_json(before, after, a, b));
    }
    adit_jsonout_set(o, "metrics", metrics);
    return o;
}
