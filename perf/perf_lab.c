/* perf_lab.c - the program: perf-lab list | run [PATTERN] [--json] [--out DIR] [--short]. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perf/runner.h"
#include "tools/command.h"
#include "tools/columns.h"
#include "tools/options.h"
#include "tools/say.h"

#define PROGRAM "perf-lab"
#define NICE_WANTED (-10)

static const char help_text[] =
    "list shows the scenes; run measures those whose name matches PATTERN (a glob or a part), or all.\n"
    "\n"
    "Each figure stands beside its raw limit, measured in the same seconds; smaller is better everywhere. Give the\n"
    "machine a quiet minute: other load widens the intervals. Exit 0: done, goals met or not; 1: a scene failed or the\n"
    "run was stopped.\n";

struct options {
    const char *command, *pattern, *out;
    bool json, is_short;
};

static int bad_usage(const char *what, const char *argument)
{
    adit_say_error(PROGRAM, "%s '%s'; see perf-lab --help", what, argument);
    return ADIT_EXIT_BAD_INPUT;
}

/* Writes a JSON object and lets go of it; false when it could not be made or written. */
static bool write_json(FILE *out, json_t *object)
{
    bool done = object && json_dumpf(object, out, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0 && putc('\n', out) != EOF &&
                fflush(out) == 0;
    json_decref(object);
    return done;
}

static int list_scenes(const struct options *options)
{
    json_t *list = json_array();

    for (size_t i = 0; i < scenes_count; i++) {
        const struct scene *scene = scenes[i];
        if (options->json)
            json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s, s:s}", "name", scene->name, "unit", scene->unit,
                                                  "cpus", scene->cpus, "what", scene->what, "goal", scene->goal));
        else
            printf("%-15s %-3s %s%s%s\n", scene->name, scene->unit, scene->what, scene->goal[0] ? "; goal: " : "",
                   scene->goal);
    }
    if (!options->json) {
        json_decref(list);
        return 0;
    }
    return write_json(stdout, json_pack("{s:o}", "scenes", list)) ? 0 : 1;
}

/* A run, to be shown or kept. */
struct result {
    struct machine machine;
    const struct figure_list *list;
    char when[32]; /* UTC, fit for a file's name */
    bool is_short, stopped;
};

static json_t *result_json(const struct result *result)
{
    json_t *figures = json_array();
    for (uint32_t i = 0; i < result->list->count; i++)
        json_array_append_new(figures, figure_json(&result->list->figure[i]));
    return json_pack("{s:s, s:s, s:b, s:b, s:o, s:o}", "tool", "perf-lab", "time", result->when, "short", result->is_short,
                     "stopped", result->stopped, "machine", machine_json(&result->machine), "scenes", figures);
}

static void print_table(const struct result *result)
{
    const struct figure_list *list = result->list;
    uint32_t goals = 0, met = 0, noisy = 0;

    machine_print(stdout, &result->machine);
    putchar('\n');
    figure_print_head(stdout);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct figure *figure = &list->figure[i];
        figure_print(stdout, figure);
        if (figure_has_verdict(figure)) {
            goals++;
            met += figure_is_met(figure);
            noisy += !figure_is_sure(figure);
        }
    }
    if (goals)
        printf("\n%u of %u goals met, %u verdicts within noise\n", met, goals, noisy);
    if (list->dropped)
        printf("%u figures beyond the limit of %d are not shown\n", list->dropped, FIGURES_MAX);
}

/* Keeps the result in its folder. Returns 0, or 1 with a message. */
static int save(const char *dir, const struct result *result)
{
    char path[4096];
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "perf-lab: cannot make the folder %s: %s\n", dir, strerror(errno));
        return 1;
    }
    if (snprintf(path, sizeof path, "%s/perf-lab-%s.json", dir, result->when) >= (int)sizeof path) {
        fprintf(stderr, "perf-lab: the folder's name is too long: %s\n", dir);
        return 1;
    }
    FILE *file = fopen(path, "we");
    bool done = file && write_json(file, result_json(result));
    if (file && fclose(file) != 0)
        done = false;
    if (done)
        fprintf(stderr, "perf-lab: result in %s\n", path);
    else
        fprintf(stderr, "perf-lab: cannot write %s: %s\n", path, strerror(errno));
    return done ? 0 : 1;
}

/* Describes the machine, with the priority that scenes will have: this process, which only waits, keeps its own. */
static void describe(struct result *result)
{
    time_t now = time(NULL);
    struct machine *machine = &result->machine;

    strftime(result->when, sizeof result->when, "%Y%m%dT%H%M%SZ", gmtime(&now));
    machine_describe(machine);
    int usual = machine->nice;
    if (usual > NICE_WANTED && setpriority(PRIO_PROCESS, 0, NICE_WANTED) == 0) {
        machine->nice = NICE_WANTED;
        setpriority(PRIO_PROCESS, 0, usual);
    }
}

static int run_scenes(const struct options *options)
{
    struct result result = {.is_short = options->is_short};
    const char *pattern = options->pattern ? options->pattern : "*";
    size_t wanted = 0, done = 0;
    bool failed = false;

    for (size_t i = 0; i < scenes_count; i++)
        wanted += scene_matches(scenes[i], pattern);
    if (wanted == 0)
        return bad_usage("no scene matches", pattern);
    struct figure_list *list = runner_init();
    if (!list) {
        fprintf(stderr, "perf-lab: cannot prepare a run: %s\n", strerror(errno));
        return 1;
    }
    result.list = list;
    describe(&result);
    for (size_t i = 0; i < scenes_count && !result.stopped; i++) {
        if (!scene_matches(scenes[i], pattern))
            continue;
        fprintf(stderr, "[%zu/%zu] %s\n", ++done, wanted, scenes[i]->name);
        result.stopped = runner_run(&result.machine, scenes[i], list, options->is_short) != 0;
    }
    runner_fini();
    machine_finish(&result.machine);
    for (uint32_t i = 0; i < list->count; i++)
        failed = failed || list->figure[i].state == FIGURE_FAILED;
    if (result.stopped)
        fprintf(stderr, "perf-lab: stopped; what was measured until then follows\n");
    if (!options->json)
        print_table(&result);
    else if (!write_json(stdout, result_json(&result)))
        failed = true;
    if (options->out)
        failed = save(options->out, &result) || failed;
    return failed || result.stopped ? 1 : 0;
}

static void tables_tell(adit_column_tell *tell) { adit_columns_tell(&figure_columns, tell); }

int main(int count, char **arguments)
{
    struct options options = {0};
    const struct adit_option table[] = {
        {"short", NULL, ADIT_OPTION_FLAG, &options.is_short, 0, 0, "about a tenth of the repetitions: minutes become seconds, intervals wider"},
        {"json", NULL, ADIT_OPTION_FLAG, &options.json, 0, 0, "one JSON object on stdout instead of the table"},
        {"out", "DIR", ADIT_OPTION_TEXT, &options.out, 0, 0, "also writes the JSON to DIR/perf-lab-<time>.json (DIR is made)"},
    };
    const struct adit_usage usage = {PROGRAM, "list | run [PATTERN]", "Measures what this machine can do, and what adit makes of it.", help_text, table, sizeof table / sizeof *table, tables_tell};
    adit_say_begin();
    int first, status = adit_options_parse(&usage, count, arguments, &first);
    if (status != ADIT_OPTIONS_GO)
        return status;
    if (count - first > 2)
        return bad_usage("one argument too many:", arguments[first + 2]);
    options.command = first < count ? arguments[first] : "";
    options.pattern = first + 1 < count ? arguments[first + 1] : NULL;
    if (strcmp(options.command, "run") == 0)
        return run_scenes(&options);
    if (strcmp(options.command, "list") != 0)
        return bad_usage("give list or run, not", options.command);
    if (options.pattern || options.out || options.is_short)
        return bad_usage("list takes --json only, not",
                         options.pattern ? options.pattern : options.out ? "--out" : "--short");
    return list_scenes(&options);
}
