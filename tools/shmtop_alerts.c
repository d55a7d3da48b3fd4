/* shmtop_alerts.c - the screen alerts: what is beyond its limit, and what to do about it; and the limits. */
#include <stdio.h>

#include "tools/shmtop_alarm.h"
#include "tools/shmtop_look.h"

static void alerts_lines(const struct shmtop_look *look, struct shmtop_page *page)
{
    const struct shmtop_snapshot *s = look->s;
    char file[sizeof look->model->limits.file];
    shmtop_page_line(page, s->alerts_n ? SHMTOP_WARNING : SHMTOP_PLAIN, "  grade %c: %u alerts of %u kinds; limits %s%s", s->grade, s->alerts_n, shmtop_alarm_kinds(s), *look->model->limits.file ? "of " : "as built",
                     shmtop_ascii(file, sizeof file, look->model->limits.file));
    for (uint32_t i = 0; i < SHMTOP_LIMITS; i++)
        for (uint32_t k = 0; k < s->alerts_n; k++)
            if (s->alerts[k].limit == i) {
                shmtop_page_line(page, SHMTOP_WARNING, "  %s: %s", shmtop_limit_about[i].name, shmtop_limit_about[i].cure);
                break;
            }
}

static const struct shmtop_column alert_columns[] = {
    {"alert", "ALERT", "The limit that is reached.", SHMTOP_TEXT, 16, 0},
    {"of", "OF", "Whose or what it is of.", SHMTOP_TEXT, 26, 0},
    {"since_ns", "SINCE", "For how long, as far as the arena or the history tells.", SHMTOP_DURATION, 9, 0},
    {"value_text", "VALUE", "What was measured.", SHMTOP_TEXT, 11, 65},
    {"limit_text", "LIMIT", "From where on there is an alert; of participant_lost: how long there is one.", SHMTOP_TEXT, 11, 77},
    {"cure", "WHAT TO DO", "What to do about it.", SHMTOP_TEXT, 56, 134},
    {"value", "IN UNITS", "What was measured, in the unit.", SHMTOP_COUNT, 15, 150},
    {"limit", "LIMIT IN UNITS", "The limit in the unit.", SHMTOP_COUNT, 15, 166},
    {"unit", "UNIT", "bytes, ns, percent or number.", SHMTOP_TEXT, 7, 174},
};

static void alerts_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    const struct shmtop_snapshot *s = look->s;
    for (uint32_t i = 0; i < s->alerts_n; i++) {
        const struct shmtop_alert *a = &s->alerts[i];
        const struct shmtop_limit_about *about = &shmtop_limit_about[a->limit];
        char text[SHMTOP_CELL_BYTES];
        if (!shmtop_table_row(t, a->id * 16 + a->limit, SHMTOP_WARNING))
            continue;
        shmtop_cell_text(t, about->name);
        shmtop_cell_text(t, a->about);
        shmtop_cell_age(t, s, a->since_ns);
        shmtop_cell_text(t, shmtop_limit_text(about->measure, a->value, text, sizeof text));
        shmtop_cell_text(t, shmtop_limit_text(about->measure, look->model->limits.at[a->limit], text, sizeof text));
        shmtop_cell_text(t, about->cure);
        shmtop_cell_count(t, a->value);
        shmtop_cell_count(t, look->model->limits.at[a->limit]);
        shmtop_cell_text(t, shmtop_measure_name(about->measure));
    }
}

static const struct shmtop_column limit_columns[] = {
    {"name", "NAME", "What a line of the file of limits calls it.", SHMTOP_TEXT, 16, 0},
    {"limit_text", "LIMIT", "From where on there is an alert; off: never.", SHMTOP_TEXT, 11, 0},
    {"reached_percent", "REACHED %", "How near to it what was measured comes: 100 and more are alerts.", SHMTOP_PERCENT, 9, 0},
    {"from", "FROM", "file: of the file of limits; built: the program's own.", SHMTOP_TEXT, 5, 0},
    {"about", "WHAT IS MEASURED", "What is measured.", SHMTOP_TEXT, 63, 108},
    {"limit", "IN UNITS", "The limit in its unit, 0: off.", SHMTOP_COUNT, 18, 127},
    {"unit", "UNIT", "bytes, ns, percent or number.", SHMTOP_TEXT, 7, 135},
};

static void limits_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < SHMTOP_LIMITS; i++) {
        const struct shmtop_limit_about *about = &shmtop_limit_about[i];
        uint64_t at = look->model->limits.at[i];
        char text[SHMTOP_CELL_BYTES];
        if (!shmtop_table_row(t, i, look->s->reached[i] >= 1 ? SHMTOP_WARNING : SHMTOP_PLAIN))
            continue;
        shmtop_cell_text(t, about->name);
        shmtop_cell_text(t, at ? shmtop_limit_text(about->measure, at, text, sizeof text) : "off");
        shmtop_cell_real(t, 100 * look->s->reached[i]);
        shmtop_cell_text(t, look->model->limits.is_set[i] ? "file" : "built");
        shmtop_cell_text(t, about->text);
        shmtop_cell_count(t, at);
        shmtop_cell_text(t, shmtop_measure_name(about->measure));
    }
}

const struct shmtop_screen shmtop_screen_alerts = {
    .name = "alerts",
    .key = 'a',
    .text = "What has come to its limit, since when, and what to do about it; and the limits.",
    .lines = alerts_lines,
    .tables = {{"alerts", "Alerts", alert_columns, sizeof alert_columns / sizeof *alert_columns, alerts_fill},
               {"limits", "Limits", limit_columns, sizeof limit_columns / sizeof *limit_columns, limits_fill}},
    .tables_n = 2,
};
