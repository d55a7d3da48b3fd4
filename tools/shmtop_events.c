/* shmtop_events.c - the screen events: what the flight recorders hold, and whose they are. Names and what the two words of an event mean are the arena's: an event's help is
 * "What happened: the first word, the second". */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/key.h"
#include "tools/say.h"
#include "tools/shmtop_look.h"

#define TOOK_MASK ((1ull << 56) - 1) /* of an event's second word: the upper 8 bits may be a task's kind */
#define HAS_KIND "the kind in the upper 8 bits"

static void events_lines(const struct shmtop_look *look, struct shmtop_page *page)
{
    const struct shmtop_snapshot *s = look->s;
    if (s->events_all > s->events_n)
        shmtop_page_line(page, SHMTOP_QUIET, "  %s of %s events: the last of all, and the last %u of each participant", ADIT_SAY_COUNT(s->events_n), ADIT_SAY_COUNT(s->events_all), SHMTOP_EVENTS_EACH);
}

/* ---- what an event says ----------------------------------------------------------------------------------------- */

/* The next word's name, "" where there is none: without what makes it longer. */
static const char *name_next(const char *help, char out[40])
{
    size_t n = strcspn(help, ",;");
    static const char *const small[] = {"the ", "its "};
    for (uint32_t i = 0; i < 2; i++)
        if (!strncmp(help, small[i], 4) && n > 4) {
            help += 4;
            n -= 4;
        }
    snprintf(out, 40, "%.*s", (int)(n < 39 ? n : 39), help);
    return help[n] == ',' ? help + n + 1 + strspn(help + n + 1, " ") : "";
}

/* " name value" of one word. */
static size_t word_add(char *out, size_t bytes, size_t at, const char *name, uint64_t word, bool is_time)
{
    const char *comma = at ? ", " : "";
    char took[24];
    int n;
    if (at >= bytes || !*name)
        return at;
    if (is_time)
        n = snprintf(out + at, bytes - at, "%stook %s", comma, adit_say_duration(took, sizeof took, (double)word));
    else if (!strcmp(name, "key")) {
        struct adit_key k = adit_key_unpack(word);
        n = snprintf(out + at, bytes - at, "%skey %d %d %d", comma, k.x, k.y, k.z);
        at += n > 0 ? (size_t)n : 0;
        n = 0;
        if (at < bytes && (k.lod || k.world))
            n = snprintf(out + at, bytes - at, " lod %u world %u", k.lod, k.world);
    } else
        n = snprintf(out + at, bytes - at, "%s%s %" PRIu64, comma, name, word);
    return at + (n > 0 ? (size_t)n : 0);
}

static bool is_timed(const struct adit_metric_info *m) { return m && !strcmp(m->unit, "ns"); }

static void detail_cell(const struct shmtop_look *look, const struct adit_metric_info *m, const struct adit_flight_event *e, struct shmtop_table *t)
{
    char out[SHMTOP_CELL_BYTES] = "", name[40];
    const char *words = m ? strstr(m->help, ": ") : NULL;
    bool has_kind = m && strstr(m->help, HAS_KIND);
    size_t at = 0;
    for (uint32_t i = 0; has_kind && i < look->s->kinds_n; i++)
        if (look->s->kinds[i].id == e->b >> 56)
            at = (size_t)snprintf(out, sizeof out, "%.40s", look->s->kinds[i].info.name);
    words = name_next(words ? words + 2 : "", name);
    at = word_add(out, sizeof out, at, name, e->a, false);
    (void)name_next(words, name);
    (void)word_add(out, sizeof out, at, name, has_kind || is_timed(m) ? e->b & TOOK_MASK : e->b, is_timed(m));
    shmtop_cell_text(t, out);
}

/* What one should see. */
static bool is_bad(const char *name)
{
    static const char *const bad[] = {"death", "oust", "grace_late", "task_failed", "task_poisoned", "frame_missed", "tier_off"};
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!strcmp(name, bad[i]))
            return true;
    return false;
}

/* One number for an event, as good as other than that of any other: where it lies changes as others come (the finaliser of SplitMix64, G. Steele et al., OOPSLA 2014). */
static uint64_t event_id(const struct adit_flight_event *e)
{
    const uint64_t words[] = {e->at_ns, (uint64_t)e->who << 32 | e->tid, e->metric, e->a, e->b};
    uint64_t id = 0;
    for (uint32_t i = 0; i < 5; i++) {
        id = (id + words[i]) * 0xbf58476d1ce4e5b9u;
        id = (id ^ id >> 27) * 0x94d049bb133111ebu;
        id ^= id >> 31;
    }
    return id;
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static const struct shmtop_column event_columns[] = {
    {"age_ns", "AGE", "How long ago it ended.", SHMTOP_DURATION, 9, 0},
    {"pid", "PID", "The process that says so; none: others count in its place now.", SHMTOP_NUMBER, 8, 0},
    {"label", "WHO", "What that calls itself.", SHMTOP_TEXT, 14, 0},
    {"event", "EVENT", "What happened.", SHMTOP_TEXT, 13, 0},
    {"detail", "DETAIL", "What the event's two words are, as the arena describes them.", SHMTOP_TEXT, 32, 80},
    {"took_ns", "TOOK", "How long it took; none: it has no duration.", SHMTOP_DURATION, 9, 90},
    {"tid", "THREAD", "The thread.", SHMTOP_NUMBER, 8, 99},
    {"at", "AT", "When it ended, in CLOCK_MONOTONIC's nanoseconds.", SHMTOP_COUNT, 22, 122},
    {"a", "FIRST", "Its first word.", SHMTOP_COUNT, 16, 139},
    {"b", "SECOND", "Its second word.", SHMTOP_COUNT, 16, 156},
    {"participant", "PARTICIPANT", "The participant's number, as in the table below.", SHMTOP_COUNT, 13, 170},
};

static void events_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    const struct shmtop_snapshot *s = look->s;
    for (uint32_t i = 0; i < s->events_n; i++) {
        const struct adit_flight_event *e = &s->events[i];
        const struct adit_metric_info *m = shmtop_model_metric(look->model, e->metric);
        const struct shmtop_member *who = shmtop_snapshot_member(s, e->who);
        if (!shmtop_table_row(t, event_id(e), m && is_bad(m->name) ? SHMTOP_WARNING : SHMTOP_PLAIN))
            continue;
        shmtop_cell_age(t, s, e->at_ns);
        shmtop_cell_pid(t, who ? who->pid : 0);
        shmtop_cell_text(t, who ? who->label : "?");
        shmtop_cell_text(t, m ? m->name : "?");
        detail_cell(look, m, e, t);
        if (is_timed(m))
            shmtop_cell_count(t, e->b & TOOK_MASK);
        else
            shmtop_cell_none(t);
        shmtop_cell_number(t, e->tid);
        shmtop_cell_count(t, e->at_ns);
        shmtop_cell_count(t, e->a & INT64_MAX); /* what a JSON integer holds; the same as adit stats */
        shmtop_cell_count(t, e->b & INT64_MAX);
        shmtop_cell_count(t, e->who);
    }
}

static const struct shmtop_column recorder_columns[] = {
    {"participant", "PARTICIPANT", "A number for one that is or was attached: never another's as long as it is told of.", SHMTOP_COUNT, 13, 0},
    {"pid", "PID", "Its process.", SHMTOP_NUMBER, 8, 0},
    {"label", "LABEL", "What it calls itself.", SHMTOP_TEXT, 16, 0},
    {"state", "STATE", "attached (be it dead, and not recovered yet), or left: it has left, or died.", SHMTOP_TEXT, 8, 0},
    {"threads", "THREADS", "Its threads that count, or have counted.", SHMTOP_COUNT, 7, 0},
    {"events", "EVENTS", "Events of it, ever.", SHMTOP_COUNT, 12, 69},
    {"told", "TOLD", "Those that the table above has.", SHMTOP_COUNT, 6, 76},
    {"slot", "SLOT", "Its slot, now or then.", SHMTOP_NUMBER, 4, 90},
};

static void recorders_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->members_n; i++) {
        const struct shmtop_member *m = &look->s->members[i];
        if (!shmtop_table_row(t, m->who, m->is_here ? SHMTOP_PLAIN : SHMTOP_QUIET))
            continue;
        shmtop_cell_count(t, m->who);
        shmtop_cell_number(t, m->pid);
        shmtop_cell_text(t, m->label);
        shmtop_cell_text(t, m->is_here ? "attached" : "left");
        shmtop_cell_count(t, m->threads);
        shmtop_cell_count(t, m->events);
        shmtop_cell_count(t, m->told);
        shmtop_cell_number(t, m->slot);
    }
}

const struct shmtop_screen shmtop_screen_events = {
    .name = "events",
    .key = 'e',
    .text = "What happened last, of all participants that are or were there, the newest first; and who they are.",
    .lines = events_lines,
    .tables = {{"events", "Events", event_columns, sizeof event_columns / sizeof *event_columns, events_fill},
               {"recorders", "Who has said so", recorder_columns, sizeof recorder_columns / sizeof *recorder_columns, recorders_fill}},
    .tables_n = 2,
};
