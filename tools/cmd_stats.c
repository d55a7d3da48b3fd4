/* cmd_stats.c - `adit stats`: everything that an arena counts, and what happened last in it, live or in an image.
 *
 * It joins as an observer, and knows no metric by name: names, units and labels are the arena's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shm/shm.h"
#include "tools/arena_open.h"
#include "tools/columns.h"
#include "tools/command.h"
#include "tools/jsonout.h"
#include "tools/options.h"
#include "tools/say.h"
#include "tools/stats_diff.h"
#include "tools/stats_export.h"
#include "tools/stats_listen.h"
#include "tools/stats_saved.h"
#include "tools/stats_source.h"
#include "tools/stats_textfile.h"

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
    bool json, all, shows_events, prometheus, trace, anyway, is_image;
    const char *save, *diff, *listen, *textfile;
    uint64_t events_max, every_s;
    struct member *members;
    uint32_t members_n;
};

static const struct adit_column metrics_columns[] = {
    {"METRIC", -20, "its name; `adit stats --json` says what each is"},
    {"OF", -18, "the kind, segment or maker that the row is of; nothing: all"},
    {"VALUE", 14, "of all who are and were attached since the arena was made; of what is timed how many, and their quantiles: half of them took at most p50, 99 of 100 p99"},
};
static const struct adit_column members_columns[] = {
    {"PARTICIPANT", -18, "what it calls itself"},
    {"PID", 8, "its process"},
    {"SLOT", 5, "its place among the participants"},
    {"THREADS", 8, "of it that count, or have counted"},
    {"EVENTS", 12, "that these have had, ever; --events shows the last"},
    {"STATE", 0, "has left, or nothing while it is attached"},
};
static const struct adit_columns metrics_table = {"metrics", metrics_columns, sizeof metrics_columns / sizeof *metrics_columns},
                                 members_table = {"participants", members_columns, sizeof members_columns / sizeof *members_columns};

static void tables_tell(adit_column_tell *tell)
{
    adit_columns_tell(&metrics_table, tell);
    adit_columns_tell(&members_table, tell);
    adit_columns_tell(&adit_stats_diff_columns, tell);
}

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

static void value_print(const struct adit_metric_info *m, const char *label, int64_t value, const struct adit_histogram *h)
{
    printf("%-20s %-18s ", m->name, label);
    if (!is_histogram(m)) {
        char number[32];
        bool is_bytes = !strcmp(m->unit, "bytes");
        if (value < 0 && m->type != ADIT_METRIC_COUNTER)
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
        adit_stats_histogram_json(o, &h);
    else
        adit_jsonout_set(o, "value", json_integer(m->type == ADIT_METRIC_COUNTER && value < 0 ? INT64_MAX : (json_int_t)value)); /* as jsonout.c */
    return o;
}

static void metric_look(const struct stats_look *l, uint32_t metric, const struct adit_metric_info *m, json_t *list)
{
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
    adit_jsonout_set_text(o, "type", adit_stats_type_name(m->type));
    adit_jsonout_set_text(o, "unit", m->unit);
    adit_jsonout_set_text(o, "help", m->help);
    adit_jsonout_set_text(o, "by", adit_stats_label_name(m->label));
    adit_jsonout_set(o, "values", values);
    json_array_append_new(list, o);
}

/* 0, or how many are damaged. */
static uint32_t metrics_look(const struct stats_look *l, json_t *list)
{
    struct adit_metric_info m = {.size = sizeof m};
    uint32_t damaged = 0;
    if (!l->json)
        adit_columns_print(&metrics_table, stdout);
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
    if (!l->json) {
        putchar('\n');
        adit_columns_print(&members_table, stdout);
    }
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

/* ---- saved, and compared ---------------------------------------------------------------------------------------- */

static int said(int status, const char *error)
{
    if (status)
        adit_say_error(PROGRAM, "%s", error);
    return adit_arena_exit(status);
}

static int save_run(const struct stats_look *l)
{
    struct adit_stats_saved saved;
    char error[512];
    int status = adit_stats_saved_take(l->arena, l->is_image, &saved, error, sizeof error);
    if (!status && saved.damaged)
        adit_say_note(PROGRAM, "%s: %u of its metrics are damaged and left out; `adit check` says more", l->name, saved.damaged);
    if (!status)
        status = adit_stats_saved_write(&saved, l->save, error, sizeof error);
    adit_stats_saved_fini(&saved);
    return said(status, error);
}

/* Whether it is a file, and no arena has that name. */
static bool is_file(const char *operand)
{
    struct adit_arena *arena = NULL;
    struct stat file;
    bool answers = !strchr(operand, '/') && !adit_attach(operand, ADIT_OBSERVER, NULL, &arena);
    adit_detach(&arena);
    return !answers && !stat(operand, &file) && !S_ISDIR(file.st_mode);
}

/* What an operand of --diff means: a saved look, an image, or an arena as it is now. 0, or the exit code after the line. */
static int side_open(const char *operand, bool is_before, struct adit_stats_saved *out)
{
    struct adit_arena *arena = NULL;
    char error[512];
    bool is_image = adit_image_is(operand);
    if (!is_image && (is_before || is_file(operand)))
        return said(adit_stats_saved_read(operand, out, error, sizeof error), error);
    int code = adit_arena_look(PROGRAM, operand, &arena, &is_image);
    if (!code)
        code = said(adit_stats_saved_take(arena, is_image, out, error, sizeof error), error);
    adit_detach(&arena);
    return code;
}

/* Whether the two may be compared; else the line is said. */
static bool are_comparable(const struct stats_look *l, const char *second, const struct adit_stats_saved *before, const struct adit_stats_saved *after)
{
    bool is_same = adit_stats_diff_is_same_arena(before, after);
    char first[96], name[96];
    shown(first, sizeof first, l->diff);
    shown(name, sizeof name, second);
    if (!is_same && !l->anyway && !strcmp(before->arena, after->arena))
        adit_say_error(PROGRAM, "%s: the arena %s was made anew between it and %s; --anyway puts them side by side", first, before->arena, name);
    else if (!is_same && !l->anyway)
        adit_say_error(PROGRAM, "%s: it is of another arena than %s; --anyway puts them side by side", first, name);
    if (!is_same && !l->anyway)
        return false;
    if (is_same && !before->is_image && !after->is_image && after->clock_ns < before->clock_ns) {
        adit_say_error(PROGRAM, "%s: it was saved after %s; give them the other way round: --diff %s %s", first, name, name, first);
        return false;
    }
    if (!is_same)
        adit_say_note(PROGRAM, "%s and %s are of two arenas: what one has counted stands beside the other", first, name);
    return true;
}

static int diff_run(const struct stats_look *l, const char *second)
{
    struct adit_stats_saved before = {0}, after = {0};
    int code = side_open(l->diff, true, &before);
    if (!code && !second && before.is_image) {
        adit_say_error(PROGRAM, "%s: it is an image, which does not say its arena's name; give that, too", before.arena);
        code = ADIT_EXIT_BAD_INPUT;
    }
    second = second ? second : before.arena;
    if (!code)
        code = side_open(second, false, &after);
    if (!code && !are_comparable(l, second, &before, &after))
        code = ADIT_EXIT_BAD_INPUT;
    if (!code && l->json)
        code = adit_jsonout_print(PROGRAM, adit_stats_diff_json(&before, &after)) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
    else if (!code) {
        uint32_t alone = adit_stats_diff_print(&before, &after, l->all);
        if (alone)
            adit_say_note(PROGRAM, "%u metrics are in one of the two alone, and left out", alone);
    }
    adit_stats_saved_fini(&before);
    adit_stats_saved_fini(&after);
    return code;
}

/* ---- for who asks again and again ------------------------------------------------------------------------------- */

/* --listen, --every. An arena that is not there yet is waited for. */
static int follow_run(const struct stats_look *l, const char *operand)
{
    struct adit_stats_source source = {.program = PROGRAM, .name = operand};
    if (adit_image_is(operand)) {
        adit_say_error(PROGRAM, "%s: an image does not change; --prometheus prints it, --textfile alone writes it", l->name);
        return ADIT_EXIT_BAD_INPUT;
    }
    bool is_there = adit_stats_source_get(&source), may_come = source.status == -ENOENT || source.status == -ETIMEDOUT;
    if (!is_there && !may_come) {
        adit_say_error(PROGRAM, "%s", source.line);
        return adit_arena_exit(source.status);
    }
    if (!is_there && l->listen)
        adit_say_note(PROGRAM, "%s; until it is there the answer is 503", source.line);
    int code = l->listen ? adit_stats_listen_run(&source, l->listen) : adit_stats_textfile_run(&source, l->textfile, l->every_s);
    adit_stats_source_fini(&source);
    return code;
}

static int textfile_run(const struct stats_look *l)
{
    char error[512];
    return said(adit_stats_textfile_write(l->arena, l->name, l->textfile, error, sizeof error), error);
}

/* The line for what does not go together; NULL: all is well. */
static const char *options_wrong(const struct stats_look *l, int operands)
{
    if (l->json + l->prometheus + l->trace + (l->save != NULL) + (l->listen != NULL) + (l->textfile != NULL) > 1)
        return "give one of --json, --prometheus, --trace, --save, --listen and --textfile";
    if (l->every_s && !l->textfile)
        return "--every is of --textfile; add that";
    if (l->diff && (l->prometheus || l->trace || l->save || l->listen || l->textfile || l->shows_events))
        return "--diff goes with --json, --all and --anyway alone";
    if (l->anyway && !l->diff)
        return "--anyway is of --diff; add that";
    if (l->diff && operands > 1)
        return "--diff FILE takes one more FILE or one NAME at most";
    if (!l->diff && operands != 1)
        return "give one arena's NAME or one image's FILE; `adit ls` lists arenas";
    return NULL;
}

static int stats_run(int argc, char **argv)
{
    struct stats_look l = {.events_max = 32};
    char name[96];
    const struct adit_option table[] = {
        {"all", NULL, ADIT_OPTION_FLAG, &l.all, 0, 0, "also what was never counted; with --diff also what has not changed"},
        {"events", NULL, ADIT_OPTION_FLAG, &l.shows_events, 0, 0, "also the last events of each participant"},
        {"last", "N", ADIT_OPTION_COUNT, &l.events_max, 1, EVENTS_MAX, "so many of them (default: 32)"},
        {"json", NULL, ADIT_OPTION_FLAG, &l.json, 0, 0, "one JSON object on stdout"},
        {"save", "FILE", ADIT_OPTION_TEXT, &l.save, 0, 0, "save all metrics as they are now to FILE, for --diff"},
        {"diff", "FILE", ADIT_OPTION_TEXT, &l.diff, 0, 0, "what has changed since FILE was saved: until now, in NAME (default: its arena), or until FILE2 was"},
        {"anyway", NULL, ADIT_OPTION_FLAG, &l.anyway, 0, 0, "with --diff: be they of two arenas"},
        {"prometheus", NULL, ADIT_OPTION_FLAG, &l.prometheus, 0, 0, "all metrics as Prometheus' text"},
        {"listen", "PORT", ADIT_OPTION_TEXT, &l.listen, 0, 0, "serve that at http://127.0.0.1:PORT/metrics, 0: at a port that is free; ADDRESS:PORT: there"},
        {"textfile", "FILE", ADIT_OPTION_TEXT, &l.textfile, 0, 0, "write that to FILE, for node_exporter's textfile collector: whole or not at all"},
        {"every", "SECONDS", ADIT_OPTION_COUNT, &l.every_s, 1, 86400, "with --textfile: anew so often; while the arena is gone FILE is, too"},
        {"trace", NULL, ADIT_OPTION_FLAG, &l.trace, 0, 0, "the last events of all, as JSON that ui.perfetto.dev and chrome://tracing open"},
    };
    const struct adit_usage usage = {
        PROGRAM, "NAME|FILE", "Shows what an arena counts, and what happened last in it.",
        "FILE is what `adit dump NAME --image FILE` wrote: what is there of the dead is told, too. Counts are of everybody since the\n"
        "arena was made. Times are in buckets of an eighth; what is said is within 6.25 %.\n\n"
        "Before and after:\n"
        "  adit stats cave --save before\n"
        "  adit stats --diff before\n"
        "tells counters as differences and by the second, gauges before and after, and quantiles of what was timed meanwhile.\n"
        "Either may be an image, too.\n\n"
        "With --listen and --every it goes on until Ctrl-C or SIGTERM, which end it with 0. An arena that is not there yet, or gone, is found\n"
        "once it is (made anew); until then /metrics is answered by 503.\n", table, sizeof table / sizeof *table, tables_tell};
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    const char *wrong = options_wrong(&l, argc - first);
    if (wrong) {
        adit_say_error(PROGRAM, "%s", wrong);
        return ADIT_EXIT_BAD_INPUT;
    }
    if (l.diff)
        return diff_run(&l, argv[first]);
    l.name = shown(name, sizeof name, argv[first]);
    if (l.listen || l.every_s)
        return follow_run(&l, argv[first]);
    code = adit_arena_look(PROGRAM, argv[first], &l.arena, &l.is_image);
    if (!code)
        code = l.save ? save_run(&l) : l.textfile ? textfile_run(&l) : l.prometheus || l.trace ? export_run(&l) : stats_look(&l);
    free(l.members);
    adit_detach(&l.arena);
    return code;
}

const struct adit_command adit_command_stats = {"stats", "show what an arena counts, live or in an image", stats_run};
