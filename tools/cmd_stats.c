/* cmd_stats.c - `adit stats`: everything that an arena counts, and what happened last in it, live or in an image.
 *
 * It joins as an observer, and knows no metric by name: names, units and labels are the arena's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/arena_open.h"
#include "tools/command.h"
#include "tools/jsonout.h"
#include "tools/options.h"
#include "tools/say.h"
#include "tools/stats_export.h"

#define PROGRAM "adit stats"
#define EVENTS_MAX 4096u
#define MEMBERS_MAX 4096u /* of a list that lies in shared memory */

/* A participant that counts or has counted: its first thread's entry. */
struct member {
    struct adit_metric_thread first;
    uint32_t threads;
    uint64_t events;
};

struct stats_look {
    struct adit_arena *arena;
    const char *name;
    bool json, all, shows_events, prometheus, trace, is_image;
    uint64_t events_max;
    struct member *members;
    uint32_t members_n;
};

/* ---- who counts ------------------------------------------------------------------------------------------------- */

static struct member *member_of(struct stats_look *l, const struct adit_metric_thread *t)
{
    for (uint32_t i = 0; i < l->members_n; i++)
        if (l->members[i].first.who == t->who)
            return &l->members[i];
    if (l->members_n == MEMBERS_MAX)
        return NULL;
    l->members[l->members_n] = (struct member){.first = *t};
    return &l->members[l->members_n++];
}

static bool find_members(struct stats_look *l)
{
    struct adit_metric_thread t = {.size = sizeof t};
    l->members = calloc(MEMBERS_MAX, sizeof *l->members);
    for (uint32_t i = 0; l->members && adit_metric_thread_get(l->arena, i, &t) != -ERANGE; i++) {
        struct member *m = t.who ? member_of(l, &t) : NULL;
        if (m) {
            m->threads++;
            m->events += t.events;
        }
    }
    return l->members;
}

static const char *shown(char *out, size_t bytes, const char *text) { return adit_say_printable(out, bytes, text, strlen(text)); }

/* ---- metrics ---------------------------------------------------------------------------------------------------- */

/* What one value of a metric is called; "" without labels. False: nothing has that value here. */
static bool label_of(const struct stats_look *l, uint32_t metric, const struct adit_metric_info *m, uint32_t label, char *out, size_t bytes)
{
    char text[64] = "";
    bool is_named = m->label == ADIT_METRIC_BY_NOTHING || !adit_metric_label(l->arena, metric, label, text, sizeof text);
    shown(out, bytes, text);
    return is_named;
}

static bool is_histogram(const struct adit_metric_info *m) { return m->type == ADIT_METRIC_HISTOGRAM; }

static void histogram_json(json_t *o, const struct adit_histogram *h)
{
    adit_jsonout_set_count(o, "count", h->count);
    adit_jsonout_set_real(o, "sum", adit_histogram_sum(h));
    adit_jsonout_set_count(o, "p50", adit_histogram_quantile(h, 0.5));
    adit_jsonout_set_count(o, "p90", adit_histogram_quantile(h, 0.9));
    adit_jsonout_set_count(o, "p99", adit_histogram_quantile(h, 0.99));
    adit_jsonout_set_count(o, "p999", adit_histogram_quantile(h, 0.999));
    adit_jsonout_set_count(o, "most", adit_histogram_quantile(h, 1));
}

static void value_print(const struct adit_metric_info *m, const char *label, int64_t value, const struct adit_histogram *h)
{
    printf("%-20s %-18s ", m->name, label);
    if (!is_histogram(m)) {
        char number[32];
        bool is_bytes = !strcmp(m->unit, "bytes");
        if (value < 0)
            printf("%14lld %s\n", (long long)value, m->unit);
        else
            printf("%14s %s\n", is_bytes ? adit_say_bytes(number, sizeof number, (uint64_t)value) : adit_say_count(number, sizeof number, (uint64_t)value), is_bytes ? "" : m->unit);
        return;
    }
    printf("%14s times, p50 %s, p90 %s, p99 %s, most %s\n", ADIT_SAY_COUNT(h->count), ADIT_SAY_DURATION((double)adit_histogram_quantile(h, 0.5)),
           ADIT_SAY_DURATION((double)adit_histogram_quantile(h, 0.9)), ADIT_SAY_DURATION((double)adit_histogram_quantile(h, 0.99)), ADIT_SAY_DURATION((double)adit_histogram_quantile(h, 1)));
}

/* One value: printed, or an object; NULL: there is none, or it is 0 and nobody wants those. */
static json_t *value_look(const struct stats_look *l, uint32_t metric, const struct adit_metric_info *m, uint32_t label)
{
    struct adit_histogram h = {.size = sizeof h};
    int64_t value = 0;
    char name[64];
    int error = is_histogram(m) ? adit_metric_histogram(l->arena, metric, label, 0, &h) : adit_metric_value(l->arena, metric, label, 0, &value);
    bool is_zero = is_histogram(m) ? !h.count : !value;
    if (error || (is_zero && (m->label != ADIT_METRIC_BY_NOTHING || !(l->all || l->json))))
        return NULL;
    if (!label_of(l, metric, m, label, name, sizeof name))
        snprintf(name, sizeof name, "%u", label);
    if (!l->json) {
        value_print(m, name, value, &h);
        return NULL;
    }
    json_t *o = json_object();
    if (m->label != ADIT_METRIC_BY_NOTHING)
        adit_jsonout_set_text(o, "label", name);
    if (is_histogram(m))
        histogram_json(o, &h);
    else
        adit_jsonout_set(o, "value", json_integer((json_int_t)value));
    return o;
}

static void metric_look(const struct stats_look *l, uint32_t metric, const struct adit_metric_info *m, json_t *list)
{
    static const char *const types[] = {"", "counter", "gauge", "histogram"}, *const labels[] = {"", "kind", "segment", "maker", "device"};
    json_t *values = l->json ? json_array() : NULL;
    for (uint32_t i = 0; i < m->labels; i++) {
        json_t *o = value_look(l, metric, m, i);
        if (o)
            json_array_append_new(values, o);
    }
    if (!l->json)
        return;
    json_t *o = json_object();
    adit_jsonout_set_text(o, "name", m->name);
    adit_jsonout_set_text(o, "type", types[m->type]);
    adit_jsonout_set_text(o, "unit", m->unit);
    adit_jsonout_set_text(o, "help", m->help);
    adit_jsonout_set_text(o, "by", labels[m->label]);
    adit_jsonout_set(o, "values", values);
    json_array_append_new(list, o);
}

/* 0, or how many are damaged. */
static uint32_t metrics_look(const struct stats_look *l, json_t *list)
{
    struct adit_metric_info m = {.size = sizeof m};
    uint32_t damaged = 0;
    if (!l->json)
        printf("%-20s %-18s %14s\n", "METRIC", "OF", "VALUE");
    for (uint32_t i = 0; i < 65536; i++) {
        int error = adit_metric_get(l->arena, i, &m);
        if (error == -ERANGE)
            break;
        damaged += error != 0;
        if (!error && m.type != ADIT_METRIC_EVENT)
            metric_look(l, i, &m, list);
    }
    return damaged;
}

/* ---- participants and events ------------------------------------------------------------------------------------ */

static json_t *event_look(const struct stats_look *l, const struct adit_flight_event *e, uint64_t last_ns)
{
    struct adit_metric_info m = {.size = sizeof m};
    if (adit_metric_get(l->arena, e->metric, &m))
        return NULL;
    if (!l->json) {
        printf("    %12s before the last  thread %-8u %-14s %#llx", ADIT_SAY_DURATION((double)(last_ns - e->at_ns)), e->tid, m.name, (unsigned long long)e->a);
        if (!strcmp(m.unit, "ns"))
            printf(" took %s\n", ADIT_SAY_DURATION((double)(e->b & ((1ull << 56) - 1))));
        else
            printf(" %#llx\n", (unsigned long long)e->b);
        return NULL;
    }
    json_t *o = json_object();
    adit_jsonout_set_count(o, "at_ns", e->at_ns);
    adit_jsonout_set_count(o, "tid", e->tid);
    adit_jsonout_set_text(o, "event", m.name);
    adit_jsonout_set_count(o, "a", e->a & INT64_MAX); /* what a JSON integer holds */
    adit_jsonout_set_count(o, "b", e->b & INT64_MAX);
    return o;
}

static json_t *events_look(const struct stats_look *l, uint32_t who)
{
    static struct adit_flight_event events[EVENTS_MAX];
    json_t *list = json_array();
    int n = adit_metric_events(l->arena, who, events, (uint32_t)l->events_max);
    for (int i = 0; i < n; i++) {
        json_t *o = event_look(l, &events[i], events[n - 1].at_ns);
        if (o)
            json_array_append_new(list, o);
    }
    return list;
}

static json_t *member_json(const struct member *m)
{
    json_t *o = json_object();
    adit_jsonout_set_count(o, "participant", m->first.who);
    adit_jsonout_set_count(o, "slot", m->first.slot);
    adit_jsonout_set_count(o, "pid", m->first.pid);
    adit_jsonout_set_text(o, "label", m->first.label);
    adit_jsonout_set(o, "attached", json_boolean(m->first.is_here));
    adit_jsonout_set_count(o, "threads", m->threads);
    adit_jsonout_set_count(o, "events_ever", m->events);
    return o;
}

static void members_look(const struct stats_look *l, json_t *list)
{
    if (!l->json)
        printf("\n%-18s %8s %5s %8s %12s %s\n", "PARTICIPANT", "PID", "SLOT", "THREADS", "EVENTS", "");
    for (uint32_t i = 0; i < l->members_n; i++) {
        const struct member *m = &l->members[i];
        char label[64];
        json_t *o = l->json ? member_json(m) : NULL;
        if (!l->json)
            printf("%-18s %8u %5u %8u %12s %s\n", shown(label, sizeof label, m->first.label), m->first.pid, m->first.slot, m->threads, ADIT_SAY_COUNT(m->events), m->first.is_here ? "" : "has left");
        json_t *events = l->shows_events ? events_look(l, m->first.who) : NULL;
        if (o && events)
            adit_jsonout_set(o, "events", json_incref(events));
        json_decref(events);
        if (o)
            json_array_append_new(list, o);
    }
}

static int stats_look(struct stats_look *l)
{
    json_t *metrics = json_array(), *members = json_array();
    if (!find_members(l)) {
        adit_say_error(PROGRAM, "%s: no memory for its participants", l->name);
        return ADIT_EXIT_FAILED;
    }
    if (l->is_image && *adit_notes(l->arena))
        adit_say_note(PROGRAM, "%s", adit_notes(l->arena));
    uint32_t damaged = metrics_look(l, metrics);
    members_look(l, members);
    if (damaged)
        adit_say_note(PROGRAM, "%s: what describes %u of its metrics is damaged; `adit check` says more", l->name, damaged);
    if (!l->json) {
        json_decref(metrics);
        json_decref(members);
        return ADIT_EXIT_DONE;
    }
    json_t *o = json_object();
    adit_jsonout_set_text(o, "name", l->name);
    adit_jsonout_set(o, "image", json_boolean(l->is_image));
    adit_jsonout_set(o, "metrics", metrics);
    adit_jsonout_set(o, "participants", members);
    return adit_jsonout_print(PROGRAM, o) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
}

#define TRACE_MAX 65536u

/* For others' tools. */
static int export_run(const struct stats_look *l)
{
    if (l->prometheus) {
        adit_stats_prometheus(l->arena, l->name, stdout);
        return ADIT_EXIT_DONE;
    }
    json_t *trace = adit_stats_trace(l->arena, TRACE_MAX);
    if (!trace)
        adit_say_error(PROGRAM, "%s: no memory for its events", l->name);
    return trace && adit_jsonout_print(PROGRAM, trace) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
}

static int stats_run(int argc, char **argv)
{
    struct stats_look l = {.events_max = 32};
    char name[96];
    const struct adit_option table[] = {
        {"all", NULL, ADIT_OPTION_FLAG, &l.all, 0, 0, "also what was never counted"},
        {"events", NULL, ADIT_OPTION_FLAG, &l.shows_events, 0, 0, "also the last events of each participant"},
        {"last", "N", ADIT_OPTION_COUNT, &l.events_max, 1, EVENTS_MAX, "so many of them (default: 32)"},
        {"json", NULL, ADIT_OPTION_FLAG, &l.json, 0, 0, "one JSON object on stdout"},
        {"prometheus", NULL, ADIT_OPTION_FLAG, &l.prometheus, 0, 0, "all metrics as Prometheus' text, for node_exporter's textfile collector"},
        {"trace", NULL, ADIT_OPTION_FLAG, &l.trace, 0, 0, "the last events of all, as JSON that ui.perfetto.dev and chrome://tracing open"},
    };
    const struct adit_usage usage = {
        PROGRAM, "NAME|FILE", "Shows what an arena counts, and what happened last in it.",
        "FILE is what `adit dump NAME --image FILE` wrote: what is there of the dead is told, too. Counts are of everybody since the\n"
        "arena was made. Times are in buckets of an eighth; what is said is within 6.25 %.\n", table, sizeof table / sizeof *table};
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (argc - first != 1) {
        adit_say_error(PROGRAM, "give one arena's NAME or one image's FILE; `adit ls` lists arenas");
        return ADIT_EXIT_BAD_INPUT;
    }
    if (l.json + l.prometheus + l.trace > 1) {
        adit_say_error(PROGRAM, "give one of --json, --prometheus and --trace");
        return ADIT_EXIT_BAD_INPUT;
    }
    l.name = shown(name, sizeof name, argv[first]);
    code = adit_arena_look(PROGRAM, argv[first], &l.arena, &l.is_image);
    if (!code)
        code = l.prometheus || l.trace ? export_run(&l) : stats_look(&l);
    free(l.members);
    adit_detach(&l.arena);
    return code;
}

const struct adit_command adit_command_stats = {"stats", "show what an arena counts, live or in an image", stats_run};
