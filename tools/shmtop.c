/* shmtop.c - who is in an arena and what is in it: live on a terminal, as text, or as JSON. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/moment.h"
#include "tools/options.h"
#include "tools/say.h"
#include "tools/shmtop_data.h"
#include "tools/shmtop_print.h"
#include "tools/shmtop_screen.h"
#include "tools/shmtop_terminal.h"
#include "tools/shmtop_verify.h"
#include "tools/shmtop_view.h"

#define PROGRAM "shmtop"
#define BATCH_WIDTH 120
#define STEP_NS 50000000ull

struct shmtop_options {
    uint64_t count, interval_ms, width, history_minutes;
    bool batch, json, alert_exit, verify;
    const char *screen, *csv, *config;
    uint32_t screen_index; /* of --screen, or SHMTOP_ALL_SCREENS */
};

static const char help_text[] =
    "NAME is an arena's, FILE an image (`adit dump NAME --image FILE`). Without either it takes the only arena there is.\n"
    "It looks as an observer: it takes no slot and stores nothing. Key h shows the keys, and what each column means.\n"
    "Limits, from which on there is an alert, are set by lines NAME = VALUE, or NAME = off, of $XDG_CONFIG_HOME/adit/shmtop.conf,\n"
    "else ~/.config/adit/shmtop.conf. As built:\n";

/* That, the limits and the screens there are, one a line. */
static char *help_make(char *out, size_t bytes)
{
    size_t n = (size_t)snprintf(out, bytes, "%s", help_text);
    for (uint32_t i = 0; i < SHMTOP_LIMITS && n < bytes; i++) {
        const struct shmtop_limit_about *l = &shmtop_limit_about[i];
        n += (size_t)snprintf(out + n, bytes - n, "  %s = %s: %s\n", l->name, shmtop_limit_text(l->measure, l->built, (char[32]){0}, 32), l->text);
    }
    if (n < bytes)
        n += (size_t)snprintf(out + n, bytes - n, "Screens, and in brackets their tables:\n");
    for (uint32_t i = 0; i < shmtop_screens_n && n < bytes; i++) {
        const struct shmtop_screen *s = shmtop_screens[i];
        n += (size_t)snprintf(out + n, bytes - n, "  %s (", s->name);
        for (uint32_t k = 0; k < s->tables_n && n < bytes; k++)
            n += (size_t)snprintf(out + n, bytes - n, "%s%s", k ? ", " : "", s->tables[k].name);
        if (n < bytes)
            n += (size_t)snprintf(out + n, bytes - n, "): %s\n", s->text);
    }
    return out;
}

/* The columns of all screens' tables: head and, in brackets, key. */
static void tables_tell(adit_column_tell *tell)
{
    for (uint32_t i = 0; i < shmtop_screens_n; i++)
        for (uint32_t k = 0; k < shmtop_screens[i]->tables_n; k++) {
            const struct shmtop_tabled *t = &shmtop_screens[i]->tables[k];
            char table[96], head[96];
            bool is_one = !strcmp(t->name, shmtop_screens[i]->name);
            snprintf(table, sizeof table, "%s%s%s", shmtop_screens[i]->name, is_one ? "" : ": ", is_one ? "" : t->name);
            for (uint32_t c = 0; c < t->columns_n; c++) {
                snprintf(head, sizeof head, "%s (%s)", t->columns[c].head, t->columns[c].key);
                tell(table, head, t->columns[c].text);
            }
        }
}

/* Sleeps for the interval, in steps, to see a signal. */
static void interval_sleep(uint64_t ns)
{
    uint64_t until = adit_moment_ns() + ns;
    for (uint64_t now; (now = adit_moment_ns()) < until && !adit_interrupt_is_set();)
        adit_moment_sleep(until - now < STEP_NS ? until - now : STEP_NS);
}

/* Whether the newest snapshot has alerts. */
static bool has_alerts(const struct shmtop_model *m) { return m->history_n && m->history[m->history_n - 1]->alerts_n; }

static int text_run(struct adit_arena *arena, struct shmtop_model *model, const struct shmtop_options *o)
{
    bool was_alert = false;
    for (uint64_t i = 0; i < o->count && !adit_interrupt_is_set(); i++) {
        if (i) {
            interval_sleep(o->interval_ms * 1000000ull);
            if (adit_interrupt_is_set())
                break;
            shmtop_data_sample(arena, model);
            putchar('\n');
        }
        was_alert |= has_alerts(model);
        if (o->csv)
            shmtop_print_csv(model, o->csv, stdout);
        else
            shmtop_print_text(model, o->screen_index, (uint32_t)o->width, stdout);
        if (fflush(stdout))
            break;
    }
    return ferror(stdout) ? ADIT_EXIT_FAILED : was_alert && o->alert_exit ? ADIT_EXIT_ALERT : ADIT_EXIT_DONE;
}

/* One object, whose samples are printed as they are taken: of an hour of them nobody has the memory. */
static int json_run(struct adit_arena *arena, struct shmtop_model *model, const struct shmtop_options *o)
{
    json_t *name = adit_jsonout_text(model->name);
    bool was_alert = false, is_fine = printf("{\n  \"arena\": ") > 0 && !json_dumpf(name, stdout, JSON_ENCODE_ANY) && printf(",\n  \"samples\": [") > 0;
    json_decref(name);
    for (uint64_t i = 0; i < o->count && is_fine && !adit_interrupt_is_set(); i++) {
        if (i) {
            interval_sleep(o->interval_ms * 1000000ull);
            if (adit_interrupt_is_set())
                break;
            shmtop_data_sample(arena, model);
        }
        was_alert |= has_alerts(model);
        json_t *sample = shmtop_print_json(model);
        is_fine = fputs(i ? ",\n" : "\n", stdout) != EOF && sample && !json_dumpf(sample, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) && !fflush(stdout);
        json_decref(sample);
    }
    is_fine = is_fine && fputs("\n  ]\n}\n", stdout) != EOF && !fflush(stdout) && !ferror(stdout);
    if (!is_fine)
        adit_say_error(PROGRAM, "cannot write the JSON to stdout; is it closed, or the disk full?");
    return !is_fine ? ADIT_EXIT_FAILED : was_alert && o->alert_exit ? ADIT_EXIT_ALERT : ADIT_EXIT_DONE;
}

static int shmtop_show(const char *name, const struct shmtop_options *o, struct shmtop_model *model)
{
    char error[512] = "";
    struct adit_arena *arena = NULL;
    int code = o->batch || o->json || o->csv ? 0 : shmtop_terminal_check(error, sizeof error);
    if (!code && !shmtop_limits_load(o->config, &model->limits, error, sizeof error))
        code = ADIT_EXIT_BAD_INPUT;
    if (!code)
        code = shmtop_data_open(name, model, &arena, error, sizeof error);
    if (!code) {
        if (o->verify && !model->is_image)
            shmtop_verify(arena, model);
        shmtop_data_sample(arena, model);
        code = o->json              ? json_run(arena, model, o)
               : o->batch || o->csv ? text_run(arena, model, o)
                                    : shmtop_screen_run(arena, model, o->interval_ms * 1000000ull, error, sizeof error);
    }
    if (code && *error)
        adit_say_error(PROGRAM, "%s", error);
    adit_detach(&arena);
    return adit_interrupt_is_set() && !code ? ADIT_EXIT_INTERRUPTED : code;
}

/* The line for options that do not go together, or name nothing; NULL: all is well. */
static const char *options_wrong(struct shmtop_options *o, int operands)
{
    o->screen_index = SHMTOP_ALL_SCREENS;
    if (operands > 1)
        return "give at most one NAME or FILE; `adit ls` lists the arenas";
    if (o->count && !o->batch && !o->json && !o->csv)
        return "-n counts samples of --batch or --json or --csv; add one of them";
    if (o->alert_exit && !o->batch && !o->json && !o->csv)
        return "--alert-exit is of --batch, --json and --csv; add one of them";
    if (o->screen && !o->batch)
        return "--screen is of --batch; add that";
    if (o->screen) {
        o->screen_index = shmtop_screen_find(o->screen);
        if (o->screen_index == UINT32_MAX)
            return "there is no --screen of that name; see --help";
    }
    const struct shmtop_model none = {0};
    if (o->csv) { /* asked of nothing, for its name alone */
        FILE *nowhere = fopen("/dev/null", "w");
        bool is_known = nowhere && shmtop_print_csv(&none, o->csv, nowhere);
        if (nowhere)
            fclose(nowhere);
        if (!is_known)
            return "there is no screen or table of the name given to --csv; see --help";
    }
    return NULL;
}

int main(int argc, char **argv)
{
    char help[8192];
    struct shmtop_options o = {.interval_ms = 1000, .width = BATCH_WIDTH, .history_minutes = 5};
    const struct adit_option table[] = {
        {"batch", NULL, ADIT_OPTION_FLAG, &o.batch, 0, 0, "plain text instead of a screen"},
        {"n", "N", ADIT_OPTION_COUNT, &o.count, 1, 1000000000, "with --batch, --json or --csv: so many samples (default 1)"},
        {"interval", "MS", ADIT_OPTION_COUNT, &o.interval_ms, 10, 3600000, "between samples (default 1000)"},
        {"width", "COLUMNS", ADIT_OPTION_COUNT, &o.width, SHMTOP_WIDTH_MIN, SHMTOP_WIDTH_MAX, "of --batch (default 120)"},
        {"screen", "SCREEN", ADIT_OPTION_TEXT, &o.screen, 0, 0, "with --batch: this one alone"},
        {"json", NULL, ADIT_OPTION_FLAG, &o.json, 0, 0, "one JSON object on stdout"},
        {"csv", "SCREEN", ADIT_OPTION_TEXT, &o.csv, 0, 0, "the tables of a screen, or one table, as CSV"},
        {"history", "MINUTES", ADIT_OPTION_COUNT, &o.history_minutes, 1, 1440, "to look back, of at most 64 MiB (default 5)"},
        {"config", "FILE", ADIT_OPTION_TEXT, &o.config, 0, 0, "limits of alerts, instead of the user's file"},
        {"verify", NULL, ADIT_OPTION_FLAG, &o.verify, 0, 0, "have the verifier look at once, as key v does; of an image it always does"},
        {"alert-exit", NULL, ADIT_OPTION_FLAG, &o.alert_exit, 0, 0, "with --batch, --json or --csv: exit with 3 when a sample has an alert"},
    };
    const struct adit_usage usage = {PROGRAM, "[NAME|FILE]", "Shows an arena live: what is in it, who is attached, who holds it back.",
                                     help_make(help, sizeof help), table, sizeof table / sizeof *table, tables_tell};
    adit_say_begin();
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    const char *wrong = options_wrong(&o, argc - first);
    if (wrong) {
        adit_say_error(PROGRAM, "%s", wrong);
        return ADIT_EXIT_BAD_INPUT;
    }
    o.count = o.count ? o.count : 1;
    adit_interrupt_install();
    struct shmtop_model *model = calloc(1, sizeof *model);
    if (!model) {
        adit_say_error(PROGRAM, "not enough memory");
        return ADIT_EXIT_FAILED;
    }
    model->span_ns = o.history_minutes * 60000000000u;
    code = shmtop_show(argc > first ? argv[first] : NULL, &o, model);
    shmtop_model_fini(model);
    free(model);
    return code;
}
