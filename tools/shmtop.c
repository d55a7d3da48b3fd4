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
#include "tools/shmtop_screen.h"
#include "tools/shmtop_terminal.h"
#include "tools/shmtop_view.h"

#define PROGRAM "shmtop"
#define BATCH_WIDTH 120
#define STEP_NS 50000000ull

struct shmtop_options {
    uint64_t count, interval_ms, width;
    bool batch, json, version;
};

static const char help_text[] =
    "Without NAME it takes the only arena there is. It looks as an observer: it takes no slot and stores nothing.\n"
    "Keys: 1 2 3 or Tab switch screens, arrows scroll, p pauses, q quits.\n";

/* Sleeps for the interval, in steps, to see a signal. */
static void interval_sleep(uint64_t ns)
{
    uint64_t until = adit_moment_ns() + ns;
    for (uint64_t now; (now = adit_moment_ns()) < until && !adit_interrupt_is_set();)
        adit_moment_sleep(until - now < STEP_NS ? until - now : STEP_NS);
}

static int batch_run(struct adit_arena *arena, struct shmtop_model *model, const struct shmtop_options *o)
{
    struct shmtop_page *page = malloc(sizeof *page);
    for (uint64_t i = 0; page && i < o->count && !adit_interrupt_is_set(); i++) {
        if (i) {
            interval_sleep(o->interval_ms * 1000000ull);
            if (adit_interrupt_is_set())
                break;
            shmtop_data_sample(arena, model);
            putchar('\n');
        }
        for (uint32_t screen = 0; screen < SHMTOP_SCREENS; screen++) {
            shmtop_view_layout(model, (enum shmtop_screen)screen, (uint32_t)o->width, page);
            for (uint32_t n = 0; n < page->count; n++)
                puts(page->lines[n].text);
            if (screen + 1 < SHMTOP_SCREENS)
                putchar('\n');
        }
        if (fflush(stdout))
            break;
    }
    free(page);
    return ferror(stdout) || !page ? ADIT_EXIT_FAILED : ADIT_EXIT_DONE;
}

static int json_run(struct adit_arena *arena, struct shmtop_model *model, const struct shmtop_options *o)
{
    json_t *root = json_object(), *samples = json_array();
    adit_jsonout_set_text(root, "arena", model->name);
    for (uint64_t i = 0; i < o->count && !adit_interrupt_is_set(); i++) {
        if (i) {
            interval_sleep(o->interval_ms * 1000000ull);
            shmtop_data_sample(arena, model);
        }
        json_array_append_new(samples, shmtop_model_json(model));
    }
    adit_jsonout_set(root, "samples", samples);
    return adit_jsonout_print(PROGRAM, root) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
}

static int shmtop_show(const char *name, const struct shmtop_options *o, struct shmtop_model *model)
{
    char error[512] = "";
    struct adit_arena *arena = NULL;
    int code = o->batch || o->json ? 0 : shmtop_terminal_check(error, sizeof error);
    if (!code)
        code = shmtop_data_open(name, model, &arena, error, sizeof error);
    if (!code) {
        shmtop_data_sample(arena, model);
        code = o->json    ? json_run(arena, model, o)
               : o->batch ? batch_run(arena, model, o)
                          : shmtop_screen_run(arena, model, o->interval_ms * 1000000ull, error, sizeof error);
    }
    if (code && *error)
        adit_say_error(PROGRAM, "%s", error);
    adit_detach(&arena);
    return adit_interrupt_is_set() && !code ? ADIT_EXIT_INTERRUPTED : code;
}

int main(int argc, char **argv)
{
    struct shmtop_options o = {.count = 0, .interval_ms = 1000, .width = BATCH_WIDTH};
    const struct adit_option table[] = {
        {"batch", NULL, ADIT_OPTION_FLAG, &o.batch, 0, 0, "plain text instead of a screen"},
        {"n", "N", ADIT_OPTION_COUNT, &o.count, 1, 1000000000, "with --batch or --json: so many samples (default 1)"},
        {"interval", "MS", ADIT_OPTION_COUNT, &o.interval_ms, 10, 3600000, "between samples (default 1000)"},
        {"width", "COLUMNS", ADIT_OPTION_COUNT, &o.width, SHMTOP_WIDTH_MIN, SHMTOP_WIDTH_MAX, "of --batch (default 120)"},
        {"json", NULL, ADIT_OPTION_FLAG, &o.json, 0, 0, "one JSON object on stdout"},
        {"version", NULL, ADIT_OPTION_FLAG, &o.version, 0, 0, "the version"},
    };
    const struct adit_usage usage = {PROGRAM, "[NAME]", "Shows an arena live: what is in it, who is attached, who holds it back.",
                                     help_text, table, sizeof table / sizeof *table};
    adit_say_begin();
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (o.version) {
        printf("shmtop %s\n", ADIT_TOOLS_VERSION);
        return ADIT_EXIT_DONE;
    }
    if (argc - first > 1) {
        adit_say_error(PROGRAM, "give at most one NAME; `adit ls` lists the arenas");
        return ADIT_EXIT_BAD_INPUT;
    }
    if (o.count && !o.batch && !o.json) {
        adit_say_error(PROGRAM, "-n counts samples of --batch or --json; add one of them");
        return ADIT_EXIT_BAD_INPUT;
    }
    o.count = o.count ? o.count : 1;
    adit_interrupt_install();
    struct shmtop_model *model = calloc(1, sizeof *model);
    if (!model) {
        adit_say_error(PROGRAM, "not enough memory");
        return ADIT_EXIT_FAILED;
    }
    code = shmtop_show(argc > first ? argv[first] : NULL, &o, model);
    free(model);
    return code;
}
