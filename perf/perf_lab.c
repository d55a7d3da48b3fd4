/* perf_lab.c - the program: its commands and their options. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "perf/callgrind.h"
#include "perf/compare.h"
#include "perf/count.h"
#include "perf/report.h"
#include "perf/result.h"
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
    "run was stopped.\n"
    "\n"
    "count counts the instructions of small paths, one thread each, by valgrind's callgrind: an operation of each, the same from run to run to less than a thousandth, so what two per cent\n"
    "more is can be said on any machine. AVX-512 is taken away, as valgrind has none.\n"
    "\n"
    "compare A B puts two results beside each other, figure by figure: both medians, the ratio of B to A with its interval, and whether B is slower, faster or\n"
    "within noise of A; which figures only one has, and in what the machines differ. A and B are files that --out or --json wrote, or folders of them, of which the newest is meant. Times decide nothing: exit 1 only\n"
    "where --gate is given and a count of instructions grew by more; 2 where a file cannot be read.\n"
    "\n"
    "report makes one page of results, HTML that needs no other file: machine, goals (not met first), all figures beside their raw limits and peers, and results over time where there are several.\n"
    "It has drawings where gnuplot is installed (Debian: gnuplot-nox).\n";

struct options {
    const char *command, *pattern, *second, *out, *inside;
    char **operands;
    int operands_n;
    bool json, is_short;
    uint64_t gate; /* percent; COMPARE_NO_GATE */
};

static int bad_usage(const char *what, const char *argument)
{
    adit_say_error(PROGRAM, "%s '%s'; see perf-lab --help", what, argument);
    return ADIT_EXIT_BAD_INPUT;
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
    return result_write(stdout, json_pack("{s:o}", "scenes", list)) ? 0 : 1;
}

static void print_table(const struct result *result)
{
    const struct figure_list *list = result->list;
    uint32_t goals = 0, met = 0, noisy = 0;

    char before[QUIET_TEXT_MAX], after[QUIET_TEXT_MAX];
    machine_print(stdout, &result->machine);
    printf("alone     before: %s; after: %s\n\n", quiet_say(&result->before, before, sizeof before), quiet_say(&result->after, after, sizeof after));
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

/* Describes the machine, with the priority that scenes will have: this process, which only waits, keeps its own. */
static void describe(struct result *result)
{
    struct machine *machine = &result->machine;

    result_begin(result);
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
    quiet_probe(&result.machine, &result.before);
    for (size_t i = 0; i < scenes_count && !result.stopped; i++) {
        if (!scene_matches(scenes[i], pattern))
            continue;
        fprintf(stderr, "[%zu/%zu] %s\n", ++done, wanted, scenes[i]->name);
        result.stopped = runner_run(&result.machine, scenes[i], list, options->is_short) != 0;
    }
    runner_fini();
    machine_finish(&result.machine);
    quiet_probe(&result.machine, &result.after);
    for (uint32_t i = 0; i < list->count; i++)
        failed = failed || list->figure[i].state == FIGURE_FAILED;
    if (result.stopped)
        fprintf(stderr, "perf-lab: stopped; what was measured until then follows\n");
    if (!options->json)
        print_table(&result);
    else if (!result_write(stdout, result_json(&result)))
        failed = true;
    if (options->out)
        failed = result_save(options->out, &result) || failed;
    return failed || result.stopped ? 1 : 0;
}

static const struct adit_column counts_columns[] = {
    {"PATH", -56, "the operation, of one thread"},
    {"INSTRUCTIONS", 14, "that it takes in the mean, as callgrind counts them"},
};
static const struct adit_columns counts = {"counts (count)", counts_columns, sizeof counts_columns / sizeof *counts_columns};

static void print_counts(const struct result *result)
{
    machine_print(stdout, &result->machine);
    printf("counter   %s\n\n", result->counter);
    adit_columns_print(&counts, stdout);
    for (uint32_t i = 0; i < result->list->count; i++) {
        const struct figure *figure = &result->list->figure[i];
        if (figure->state == FIGURE_MEASURED)
            printf("%-56s %14.*f\n", figure->name, figure->median < 1000, figure->median);
        else
            printf("%-56s %s: %s\n", figure->name, figure->state == FIGURE_SKIPPED ? "skipped" : "FAILED", figure->note);
    }
}

/* Within valgrind, where nothing is to be shown. */
static int count_paths_inside(const struct options *options, const char *pattern)
{
    FILE *out = fopen(options->inside, "we");
    int error = out ? count_inside(pattern, out) : -errno;
    if (out && fclose(out) != 0)
        error = -errno;
    if (error)
        adit_say_error(PROGRAM " count", "%s: %s", options->inside, strerror(-error));
    return error ? ADIT_EXIT_FAILED : ADIT_EXIT_DONE;
}

static int count_instructions(const struct options *options)
{
    static struct figure_list list;
    struct result result = {.list = &list};
    const char *pattern = options->pattern ? options->pattern : "*";
    char why[CALLGRIND_WHY_MAX];
    bool failed = false;
    if (options->inside)
        return count_paths_inside(options, pattern);
    result_begin(&result);
    int error = callgrind_count(pattern, &list, result.counter, sizeof result.counter, why);
    if (error) {
        adit_say_error(PROGRAM " count", "%s", why);
        return error == -EINVAL ? ADIT_EXIT_BAD_INPUT : error == -EINTR ? ADIT_EXIT_INTERRUPTED : ADIT_EXIT_FAILED;
    }
    machine_finish(&result.machine);
    for (uint32_t i = 0; i < list.count; i++)
        failed = failed || list.figure[i].state == FIGURE_FAILED;
    if (!options->json)
        print_counts(&result);
    else if (!result_write(stdout, result_json(&result)))
        failed = true;
    if (options->out)
        failed = result_save(options->out, &result) || failed;
    return failed ? ADIT_EXIT_FAILED : ADIT_EXIT_DONE;
}

/* A and B of compare. */
static int compare(const struct options *options)
{
    struct past_result a, b;
    char why[RESULT_WHY_MAX];
    if (!options->pattern || !options->second) {
        adit_say_error(PROGRAM, "compare needs two results: perf-lab compare A B, files or folders that `perf-lab run --out DIR` made");
        return ADIT_EXIT_BAD_INPUT;
    }
    if (result_read(options->pattern, &a, why)) {
        adit_say_error(PROGRAM " compare", "%s", why);
        return ADIT_EXIT_BAD_INPUT;
    }
    int status = ADIT_EXIT_BAD_INPUT;
    if (result_read(options->second, &b, why))
        adit_say_error(PROGRAM " compare", "%s", why);
    else {
        status = compare_results(stdout, &a, &b, options->gate, options->json);
        result_forget(&b);
    }
    result_forget(&a);
    return status;
}

static const char *what_of(const char *scene)
{
    for (size_t i = 0; i < scenes_count; i++)
        if (!strcmp(scenes[i]->name, scene))
            return scenes[i]->what;
    return !strcmp(scene, "count") ? "instructions of an operation of small paths, one thread, by callgrind" : NULL;
}

/* The page to --out, or to stdout. A file that was there is replaced only when the new one is whole. */
static int write_page(const struct options *options, struct past_result *results, uint32_t count)
{
    char draft[4096];
    const char *path = options->out;
    if (path && snprintf(draft, sizeof draft, "%s.part", path) >= (int)sizeof draft)
        return bad_usage("the name is too long:", path);
    FILE *out = path ? fopen(draft, "we") : stdout;
    int error = out ? report_write(out, results, count, what_of) : -errno;
    if (out && path && fclose(out) != 0 && !error)
        error = -errno;
    if (path && !error && rename(draft, path) != 0)
        error = -errno;
    if (!error)
        return ADIT_EXIT_DONE;
    adit_say_error(PROGRAM " report", "%s: %s", path ? path : "stdout", strerror(-error));
    return ADIT_EXIT_FAILED;
}

static int report(const struct options *options)
{
    static struct past_result results[REPORT_RESULTS_MAX];
    uint32_t count = 0;
    char why[RESULT_WHY_MAX];
    int status = ADIT_EXIT_BAD_INPUT, i = 0;
    while (i < options->operands_n && report_read(options->operands[i], results, &count, why) == 0)
        i++;
    if (i < options->operands_n)
        adit_say_error(PROGRAM " report", "%s", why);
    else if (!count)
        adit_say_error(PROGRAM " report", "give results: folders or files that `perf-lab run --out DIR` made");
    else
        status = write_page(options, results, count);
    for (uint32_t r = 0; r < count; r++)
        result_forget(&results[r]);
    return status;
}

/* The commands, and which options each takes. */
static const struct command {
    const char *name;
    int (*run)(const struct options *options);
    int operands_max;
    bool takes_short, takes_out, takes_gate, takes_json;
} commands[] = {
    {"list", list_scenes, 0, false, false, false, true},
    {"run", run_scenes, 1, true, true, false, true},
    {"count", count_instructions, 1, false, true, false, true},
    {"compare", compare, 2, false, false, true, true},
    {"report", report, REPORT_RESULTS_MAX, false, true, false, false},
};

static int dispatch(const struct options *options, const struct command *command, int operands, char **operand)
{
    if (operands > command->operands_max)
        return bad_usage("one argument too many:", operand[command->operands_max]);
    const char *not_taken = options->is_short && !command->takes_short               ? "--short"
                            : options->out && !command->takes_out                    ? "--out"
                            : options->json && !command->takes_json                  ? "--json"
                            : options->gate != COMPARE_NO_GATE && !command->takes_gate ? "--gate"
                                                                                     : NULL;
    if (not_taken) {
        adit_say_error(PROGRAM, "%s does not take %s; see perf-lab --help", command->name, not_taken);
        return ADIT_EXIT_BAD_INPUT;
    }
    return command->run(options);
}

static void tables_tell(adit_column_tell *tell)
{
    adit_columns_tell(&figure_columns, tell);
    adit_columns_tell(&counts, tell);
    adit_columns_tell(&compare_columns, tell);
}

int main(int count, char **arguments)
{
    struct options options = {.gate = COMPARE_NO_GATE};
    const struct adit_option table[] = {
        {"short", NULL, ADIT_OPTION_FLAG, &options.is_short, 0, 0, "run: about a tenth of the repetitions: minutes become seconds, intervals wider"},
        {"json", NULL, ADIT_OPTION_FLAG, &options.json, 0, 0, "one JSON object on stdout instead of the table"},
        {"out", "PATH", ADIT_OPTION_TEXT, &options.out, 0, 0, "run, count: also writes the JSON to PATH/perf-lab-<time>.json (a folder, which is made); report: the page to this file"},
        {"gate", "PERCENT", ADIT_OPTION_COUNT, &options.gate, 0, 1000, "compare: exit 1 if a count of instructions grew by more than PERCENT; times are never judged"},
        {"inside", "FILE", ADIT_OPTION_TEXT, &options.inside, 0, 0, NULL},
    };
    const struct adit_usage usage = {PROGRAM, "list | run [PATTERN] | count [PATTERN] | compare A B | report DIR|FILE...", "Measures what this machine can do, and what adit makes of it.", help_text, table, sizeof table / sizeof *table, tables_tell};
    adit_say_begin();
    int first, status = adit_options_parse(&usage, count, arguments, &first);
    if (status != ADIT_OPTIONS_GO)
        return status;
    options.operands = arguments + first + 1;
    options.operands_n = count > first ? count - first - 1 : 0;
    options.command = first < count ? arguments[first] : "";
    options.pattern = first + 1 < count ? arguments[first + 1] : NULL;
    options.second = first + 2 < count ? arguments[first + 2] : NULL;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(commands[i].name, options.command))
            return dispatch(&options, &commands[i], count - first - 1, arguments + first + 1);
    return bad_usage("give list, run, count, compare or report, not", options.command);
}
