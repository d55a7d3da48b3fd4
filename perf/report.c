/* report.c - the page and its tables; its drawings are report_plots.c. */
#include "perf/report.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "perf/compare.h"
#include "perf/plot.h"

#define COLUMNS_MAX 8 /* results over time that fit into a table */

void report_text(FILE *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            putc(*text, out);
        }
}

int report_decimals(double value)
{
    double size = fabs(value);
    return size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
}

bool report_is_of_machine(const struct past_result *a, const struct past_result *b)
{
    static const char *const facts[] = {"cpu_model", "cpus_online", "nodes", "memory_bytes", "hypervisor"};
    char of_a[96], of_b[96];
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (strcmp(result_machine_fact(a, facts[i], of_a, sizeof of_a), result_machine_fact(b, facts[i], of_b, sizeof of_b)) != 0)
            return false;
    return true;
}

bool report_share_of_goal(const struct figure *figure, double *share)
{
    if (!figure_has_verdict(figure))
        return false;
    double limit = figure->goal.limit + (figure->goal.on == GOAL_BEYOND ? figure->raw_median : 0);
    *share = (figure->goal.on == GOAL_RATIO ? figure->ratio : figure->median) / limit;
    return limit > 0 && isfinite(*share);
}

/* ---- reading ---- */

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }
static int is_result(const struct dirent *entry) { return fnmatch("perf-lab-*.json", entry->d_name, FNM_PERIOD) == 0; }

static int read_one(const char *path, struct past_result *results, uint32_t *count, char why[RESULT_WHY_MAX])
{
    if (*count >= REPORT_RESULTS_MAX) {
        snprintf(why, RESULT_WHY_MAX, "more than %d results; give fewer files, or a folder of fewer", REPORT_RESULTS_MAX);
        return -E2BIG;
    }
    int error = result_read(path, &results[*count], why);
    *count += !error;
    return error;
}

int report_read(const char *path, struct past_result *results, uint32_t *count, char why[RESULT_WHY_MAX])
{
    struct stat status;
    struct dirent **entries;
    int error = 0, n = stat(path, &status) == 0 && S_ISDIR(status.st_mode) ? scandir(path, &entries, is_result, by_name) : -1;
    if (n <= 0) {
        if (n == 0)
            free(entries);
        return read_one(path, results, count, why); /* a file, or nothing to read, of which it says so */
    }
    for (int i = 0; i < n; i++) {
        char file[4096];
        if (!error && snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name) >= (int)sizeof file) {
            error = -ENAMETOOLONG;
            snprintf(why, RESULT_WHY_MAX, "the folder's name is too long");
        }
        if (!error)
            error = read_one(file, results, count, why);
        free(entries[i]);
    }
    free(entries);
    return error;
}

/* ---- rows ---- */

static int by_time(const void *a, const void *b)
{
    const struct past_result *of_a = a, *of_b = b;
    int order = strcmp(of_a->when, of_b->when);
    return order ? order : strcmp(of_a->path, of_b->path);
}

static int by_scene(const void *a, const void *b) { return strcmp(((const struct report_row *)a)->figure->scene, ((const struct report_row *)b)->figure->scene); }

static bool has_row(const struct report *report, const struct figure *figure)
{
    for (uint32_t i = 0; i < report->rows_n; i++)
        if (!strcmp(report->rows[i].figure->scene, figure->scene) && !strcmp(report->rows[i].figure->name, figure->name))
            return true;
    return false;
}

/* Each figure of the newest machine as its newest result has it. Figures of a scene stay together, in the order of measuring, as the sort is of what is in order already. */
static int make_rows(struct report *report)
{
    report->rows = calloc(RESULT_FIGURES_MAX, sizeof *report->rows);
    if (!report->rows)
        return -ENOMEM;
    for (uint32_t i = report->results_n; i-- > 0;) {
        const struct past_result *result = &report->results[i];
        for (uint32_t f = 0; f < result->count && report->rows_n < RESULT_FIGURES_MAX && report_is_of_machine(result, report->newest); f++)
            if (!has_row(report, &result->figures[f]))
                report->rows[report->rows_n++] = (struct report_row){&result->figures[f], result};
    }
    for (uint32_t i = 1; i < report->rows_n; i++) { /* by insertion: it keeps the order of equals */
        struct report_row row = report->rows[i];
        uint32_t at = i;
        for (; at > 0 && by_scene(&report->rows[at - 1], &row) > 0; at--)
            report->rows[at] = report->rows[at - 1];
        report->rows[at] = row;
    }
    return 0;
}

/* ---- tables ---- */

static void cell_number(FILE *out, bool present, double value)
{
    if (present && isfinite(value))
        fprintf(out, "<td class=\"n\">%.*f</td>", report_decimals(value), value);
    else
        fputs("<td class=\"n\">-</td>", out);
}

static void cell_text(FILE *out, const char *text)
{
    fputs("<td>", out);
    report_text(out, text);
    fputs("</td>", out);
}

static void cell_interval(FILE *out, bool present, double middle, const struct stats_interval *interval)
{
    if (present && isfinite(interval->low) && isfinite(interval->high))
        fprintf(out, "<td class=\"n\">%.*f (%.*f to %.*f)</td>", report_decimals(middle), middle, report_decimals(middle), interval->low, report_decimals(middle), interval->high);
    else
        cell_number(out, present, middle);
}

static void cell_verdict(FILE *out, const struct figure *figure)
{
    if (!figure_has_verdict(figure)) {
        fputs("<td>-</td><td>-</td>", out);
        return;
    }
    const char *of = figure->goal.on == GOAL_RATIO ? " x" : figure->goal.on == GOAL_BEYOND ? " beyond raw" : "";
    bool is_met = figure_is_met(figure);
    fprintf(out, "<td class=\"n\">&#8804; %.*f%s</td><td class=\"%s\">%s%s</td>", report_decimals(figure->goal.limit), figure->goal.limit, of, is_met ? "met" : "missed", is_met ? "met" : "not met",
            figure_is_sure(figure) ? "" : figure_has_interval(figure) ? ", within noise" : ", of few values");
}

/* Whether the raw side is somebody else's code that does the same. */
static bool is_beside_peer(const struct figure *figure)
{
    return figure->has_raw && (!strncmp(figure->scene, "peer", 4) || !strcmp(figure->raw_name, "parallel_for") || !strcmp(figure->raw_name, "the peer"));
}

static void table_head(FILE *out)
{
    fputs("<table>\n<thead><tr><th>figure</th><th>unit</th><th>ours</th><th>raw limit or peer</th><th>it takes</th><th>ratio (95 %)</th><th>goal</th><th>met</th><th>what is said of it</th></tr></thead>\n<tbody>\n", out);
}

static void table_end(FILE *out) { fputs("</tbody>\n</table>\n", out); }

static void table_row(FILE *out, const struct report *report, const struct report_row *row, bool has_scene)
{
    const struct figure *figure = row->figure;
    char text[128];
    bool raw = figure->has_raw;
    fputs("<tr>", out);
    snprintf(text, sizeof text, "%s%s%s", has_scene ? figure->scene : "", has_scene ? ": " : "", figure->name);
    cell_text(out, text);
    if (figure->state != FIGURE_MEASURED) {
        fprintf(out, "<td colspan=\"7\" class=\"%s\">%s</td>", figure->state == FIGURE_SKIPPED ? "skipped" : "missed", figure->state == FIGURE_SKIPPED ? "skipped" : "failed");
        cell_text(out, figure->note);
        fputs("</tr>\n", out);
        return;
    }
    cell_text(out, figure->unit);
    cell_interval(out, true, figure->median, &figure->interval);
    snprintf(text, sizeof text, "%s%s", is_beside_peer(figure) ? "peer: " : "", raw ? figure->raw_name : "-");
    cell_text(out, text);
    cell_number(out, raw, figure->raw_median);
    cell_interval(out, raw, figure->ratio, &figure->ratio_interval);
    cell_verdict(out, figure);
    fputs("<td>", out);
    if (isfinite(figure->p99))
        fprintf(out, "p99 of blocks %.*f", report_decimals(figure->p99), figure->p99);
    if (isfinite(figure->p999))
        fprintf(out, ", p99.9 %.*f", report_decimals(figure->p999), figure->p999);
    fputs(isfinite(figure->p99) && figure->note[0] ? "; " : "", out);
    report_text(out, figure->note);
    if (row->result != report->newest) {
        fputs(figure->note[0] || isfinite(figure->p99) ? "; of " : "of ", out);
        report_text(out, row->result->when);
    }
    fputs("</td></tr>\n", out);
}

/* The goals, those not met first, and of these the furthest off. */
static int by_share(const void *a, const void *b)
{
    double of_a = 0, of_b = 0;
    report_share_of_goal(((const struct report_row *)a)->figure, &of_a);
    report_share_of_goal(((const struct report_row *)b)->figure, &of_b);
    return (of_a < of_b) - (of_a > of_b);
}

static int write_goals(FILE *out, const struct report *report)
{
    struct report_row *goals = calloc(report->rows_n ? report->rows_n : 1, sizeof *goals);
    uint32_t count = 0, met = 0, unsure = 0;
    if (!goals)
        return -ENOMEM;
    for (uint32_t i = 0; i < report->rows_n; i++)
        if (figure_has_verdict(report->rows[i].figure)) {
            goals[count++] = report->rows[i];
            met += figure_is_met(report->rows[i].figure);
            unsure += !figure_is_sure(report->rows[i].figure);
        }
    fprintf(out, "<h2 id=\"goals\">Goals</h2>\n<p>%u of %u met; %u of these verdicts are within noise or of few values. Not met first.</p>\n", met, count, unsure);
    qsort(goals, count, sizeof *goals, by_share);
    table_head(out);
    for (int is_met = 0; is_met < 2; is_met++)
        for (uint32_t i = 0; i < count; i++)
            if (figure_is_met(goals[i].figure) == (bool)is_met)
                table_row(out, report, &goals[i], true);
    table_end(out);
    free(goals);
    return 0;
}

static void write_figures(FILE *out, const struct report *report)
{
    fputs("<h2 id=\"figures\">All figures</h2>\n", out);
    for (uint32_t i = 0; i < report->rows_n; i++) {
        const char *scene = report->rows[i].figure->scene;
        if (i == 0 || strcmp(scene, report->rows[i - 1].figure->scene) != 0) {
            const char *what = report->what_of ? report->what_of(scene) : NULL;
            if (i)
                table_end(out);
            fputs("<h3>", out);
            report_text(out, scene);
            fputs("</h3>\n", out);
            if (what) {
                fputs("<p>", out);
                report_text(out, what);
                fputs("</p>\n", out);
            }
            table_head(out);
        }
        table_row(out, report, &report->rows[i], false);
    }
    if (report->rows_n)
        table_end(out);
}

/* ---- over time ---- */

static void over_time_row(FILE *out, const struct report *report, uint32_t from, const struct figure *row)
{
    const struct figure *first = NULL, *last = NULL;
    for (uint32_t r = from; r < report->results_n; r++) {
        const struct figure *figure = result_find(&report->results[r], row->scene, row->name);
        if (figure && figure->state == FIGURE_MEASURED) {
            first = first ? first : figure;
            last = figure;
        }
    }
    if (!first || first == last)
        return;
    struct comparison c;
    char name[128];
    compare_figures(first, last, &c);
    snprintf(name, sizeof name, "%s: %s", row->scene, row->name);
    fputs("<tr>", out);
    cell_text(out, name);
    cell_text(out, row->unit);
    for (uint32_t r = from; r < report->results_n; r++) {
        const struct figure *figure = result_find(&report->results[r], row->scene, row->name);
        cell_number(out, figure && figure->state == FIGURE_MEASURED, figure ? figure->median : 0);
    }
    cell_interval(out, c.has_ratio, c.ratio, &c.ratio_interval);
    cell_text(out, compare_verdict_name(c.verdict));
    fputs("</tr>\n", out);
}

static void write_over_time(FILE *out, const struct report *report)
{
    uint32_t from = report->results_n > COLUMNS_MAX ? report->results_n - COLUMNS_MAX : 0;
    if (report->results_n < 2)
        return;
    fputs("<h2 id=\"time\">Results over time</h2>\n<p>Medians. The ratio is the last over the first of these columns; what differs in machine or load differs in it, too.</p>\n<table>\n<thead><tr><th>figure</th><th>unit</th>", out);
    for (uint32_t r = from; r < report->results_n; r++) {
        fputs("<th>", out);
        report_text(out, report->results[r].when);
        fprintf(out, "%s%s</th>", report->results[r].is_short ? ", short" : "", report_is_of_machine(&report->results[r], report->newest) ? "" : ", another machine");
    }
    fputs("<th>last of first (95 %)</th><th></th></tr></thead>\n<tbody>\n", out);
    for (uint32_t i = 0; i < report->rows_n; i++)
        over_time_row(out, report, from, report->rows[i].figure);
    table_end(out);
}

/* ---- the page ---- */

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
    "<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>perf-lab: what was measured</title>\n<style>\n"
    "body { font: 14px/1.45 sans-serif; color: #222; background: #fff; margin: 2em auto; max-width: 1500px; padding: 0 1em; }\n"
    "table { border-collapse: collapse; margin: 0.5em 0 1.5em; width: 100%; }\n"
    "th, td { text-align: left; vertical-align: top; padding: 2px 8px; border-bottom: 1px solid #ddd; }\n"
    "th { background: #f3f3f3; }\n"
    ".n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }\n"
    ".met { color: #060; } .missed { color: #a00; font-weight: bold; } .skipped { color: #777; }\n"
    "figure { margin: 1em 0; } svg { max-width: 100%; height: auto; } h3 { margin-bottom: 0; } h3 + p { margin: 0; color: #555; }\n"
    "</style>\n</head>\n<body>\n<h1>perf-lab: what was measured</h1>\n";

static const char method[] =
    "<h2 id=\"method\">How</h2>\n<ul>\n"
    "<li>Smaller is better everywhere. <em>Ours</em> is a median of blocks of rounds; beside it stands the raw limit, the least this machine can do for the same purpose, or a peer, which does the same otherwise, both measured in turn within "
    "the same seconds.</li>\n"
    "<li>The ratio is the median of the ratios of neighbouring blocks, not that of the two medians: what drifts cancels out.</li>\n"
    "<li>Intervals hold the median 95 times in 100: a seeded bootstrap, widened to the sign test's interval; of fewer than six values there is none. <em>Within noise</em>: the interval reaches across the goal. "
    "Blocks are not quite independent, and what changes from run to run is in no interval of one.</li>\n"
    "<li>Blocks during which the kernel took a processor away are measured again. Scenes run pinned, each in a process of its own.</li>\n"
    "<li>Instructions are counted by callgrind, on small paths of one thread; they have no noise.</li>\n"
    "</ul>\n";

static void write_machine(FILE *out, const struct report *report)
{
    static const struct {
        const char *fact, *label;
    } facts[] = {{"cpu_model", "processor"}, {"hypervisor", "a guest"}, {"cpus_online", "processors"}, {"nodes", "nodes"}, {"l1d_bytes", "L1 data, B"}, {"l2_bytes", "L2, B"}, {"l3_bytes", "L3, B"},
                 {"memory_bytes", "memory, B"}, {"page_bytes", "page, B"}, {"hugepages_total", "huge pages"}, {"kernel", "kernel"}, {"governor", "governor"}, {"clock_source", "clock"},
                 {"ns_per_tick", "ns a tick"}, {"compiler", "gcc"}, {"nice", "nice"}, {"load_before", "load before"}, {"load_after", "load after"}, {"steal_percent", "stolen, %"}};
    char text[128];
    fputs("<h2 id=\"machine\">Machine</h2>\n<table>\n<tbody>\n", out);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        fprintf(out, "<tr><th>%s</th>", facts[i].label);
        cell_text(out, result_machine_fact(report->newest, facts[i].fact, text, sizeof text));
        fputs("</tr>\n", out);
    }
    for (int i = 0; i < 2; i++) {
        const char *said = i ? report->newest->quiet_after : report->newest->quiet_before;
        fprintf(out, "<tr><th>%s</th>", i ? "after the run" : "before the run");
        cell_text(out, said[0] ? said : "not looked at");
        fputs("</tr>\n", out);
    }
    table_end(out);
    fputs("<p>Results: ", out);
    for (uint32_t i = 0; i < report->results_n; i++) {
        const struct past_result *result = &report->results[i];
        report_text(out, result->when);
        fprintf(out, "%s%s%s%s", result->is_short ? " (short)" : "", result->stopped ? " (stopped before its end)" : "", report_is_of_machine(result, report->newest) ? "" : " (another machine)",
                i + 1 < report->results_n ? ", " : ".</p>\n");
    }
}

int report_write(FILE *out, struct past_result *results, uint32_t count, const char *(*what_of)(const char *scene))
{
    struct report report = {.results = results, .results_n = count, .newest = &results[count - 1], .what_of = what_of, .has_plots = plot_is_there()};
    qsort(results, count, sizeof *results, by_time);
    int error = make_rows(&report);
    if (error)
        return error;
    fputs(head, out);
    write_machine(out, &report);
    error = write_goals(out, &report);
    if (report.has_plots)
        report_plots(out, &report);
    else
        fputs("<p>There is no gnuplot here (Debian: gnuplot-nox), so this page has tables and no drawings.</p>\n", out);
    if (!error)
        error = report_scaling(out, &report);
    write_figures(out, &report);
    write_over_time(out, &report);
    fputs(method, out);
    fputs("</body>\n</html>\n", out);
    free(report.rows);
    return error ? error : fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
