/* report_scaling.c - figures that differ in their number of workers alone, as series: what each number brings, the law of usl.h through them, and what it predicts.
 *
 * A series is had from names: "a chunk, one worker", "a chunk, two workers on two CPUs", "a chunk, 16 workers". What comes before the number, scene, unit and what is counted (workers, threads, processes, CPUs, cores)
 * must be the same; what comes after it is of no account. A figure is the time of an item, so its inverse is what is done a second. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perf/plot.h"
#include "perf/report.h"
#include "perf/usl.h"

#define SERIES_MAX 64

bool report_workers_of(const char *name, uint32_t *workers, size_t *prefix)
{
    static const char *const words[] = {"", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"};
    static const char *const kinds[] = {"worker", "thread", "process", "CPU", "core"};
    for (const char *at = name; *at; at += strcspn(at, " "), at += *at == ' ') {
        size_t length = strcspn(at, " ");
        uint32_t number = 0;
        if (length && length < 6 && strspn(at, "0123456789") == length)
            number = (uint32_t)strtoul(at, NULL, 10);
        for (uint32_t w = 1; w < sizeof words / sizeof *words && !number; w++)
            number = length == strlen(words[w]) && !strncmp(at, words[w], length) ? w : 0;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds && number && at[length]; k++)
            if (!strncmp(at + length + 1, kinds[k], strlen(kinds[k]))) {
                *workers = number;
                *prefix = (size_t)(at - name);
                return true;
            }
    }
    return false;
}

struct series {
    const struct figure *first;
    size_t prefix;
    double workers[USL_POINTS_MAX], done[USL_POINTS_MAX]; /* a second */
    size_t count;
};

/* Seconds of that unit; 0: no time. */
static double seconds(const char *unit) { return !strcmp(unit, "ns") ? 1e-9 : !strcmp(unit, "us") ? 1e-6 : !strcmp(unit, "ms") ? 1e-3 : !strcmp(unit, "s") ? 1 : 0; }

static void add(struct series *list, size_t *count, const struct figure *figure)
{
    uint32_t workers;
    size_t prefix;
    double unit = seconds(figure->unit);
    if (figure->state != FIGURE_MEASURED || !(figure->median > 0) || unit == 0 || strstr(figure->name, "p99") || !report_workers_of(figure->name, &workers, &prefix))
        return;
    struct series *series = list;
    while (series < list + *count && !(series->prefix == prefix && !strcmp(series->first->scene, figure->scene) && !strcmp(series->first->unit, figure->unit) && !strncmp(series->first->name, figure->name, prefix)))
        series++;
    if (series == list + *count) {
        if (*count == SERIES_MAX)
            return;
        *series = (struct series){.first = figure, .prefix = prefix};
        ++*count;
    }
    for (size_t i = 0; i < series->count; i++)
        if (series->workers[i] == workers)
            return; /* the same number, told apart by what comes after: the first stands */
    if (series->count < USL_POINTS_MAX) {
        series->workers[series->count] = workers;
        series->done[series->count++] = 1 / (figure->median * unit);
    }
}

static double most_of(const struct series *series)
{
    double most = 1;
    for (size_t i = 0; i < series->count; i++)
        most = fmax(most, series->workers[i]);
    return most;
}

static void draw(FILE *out, const struct series *series, const struct usl *usl)
{
    struct plot plot;
    double most = most_of(series);
    if (plot_begin(&plot) != 0)
        return;
    fputs("$points << EOD\n", plot.script);
    for (size_t i = 0; i < series->count; i++)
        fprintf(plot.script, "%g %g\n", series->workers[i], series->done[i]);
    fprintf(plot.script, "EOD\nset xrange [0:%g]\nset yrange [0:*]\nset grid\nset key below\nset xlabel \"at once\"\nset ylabel \"a second\"\nset samples 200\n", 4 * most);
    fprintf(plot.script, "f(n) = %g * n / (1 + %g * (n - 1) + %g * n * (n - 1))\n", usl->lambda, usl->sigma, usl->kappa);
    fprintf(plot.script, "plot (x > 0 && x <= %g ? f(x) : 1/0) lw 2 lc rgb \"#2050a0\" title \"fitted\", (x > %g ? f(x) : 1/0) lw 2 dt 2 lc rgb \"#2050a0\" title \"predicted, not measured\", "
            "$points using 1:2 with points pt 7 lc rgb \"#b02020\" title \"measured\"\n", most, most);
    char *svg = plot_end(&plot, 700, 380);
    fprintf(out, "<figure>%s</figure>\n", svg ? svg : "gnuplot drew nothing.");
    free(svg);
}

static void write_law(FILE *out, const struct series *series, const struct usl *usl, bool has_plots)
{
    double most = most_of(series), peak = usl_peak(usl);
    fprintf(out, "<p>Fitted: one does %.4g a second; %.2f %% is done one after the other; keeping each other informed costs %.4f %%. What is left over is %.2f %%%s.</p>\n", usl->lambda, usl->sigma * 100, usl->kappa * 100,
            usl->error * 100, series->count == USL_POINTS_MIN ? ", but the curve has as many parameters as points, so that says nothing" : "");
    fprintf(out, "<p><strong>A prediction, not measured:</strong> %.0f at once would do %.3g times what one does, %.0f at once %.3g times; ", 2 * most, usl_at(usl, 2 * most) / usl->lambda, 4 * most,
            usl_at(usl, 4 * most) / usl->lambda);
    if (isfinite(peak))
        fprintf(out, "more than %.0f would bring less. ", peak);
    else
        fputs("no number is seen from which more would bring less. ", out);
    fputs("It knows of nothing that has not begun to tell at the measured numbers: another socket, a full memory bus.</p>\n", out);
    if (has_plots)
        draw(out, series, usl);
}

static void write_series(FILE *out, const struct series *series, bool has_plots)
{
    struct usl usl;
    char name[sizeof series->first->name];
    snprintf(name, sizeof name, "%.*s", (int)series->prefix, series->first->name);
    fputs("<h3>", out);
    report_text(out, series->first->scene);
    fputs(": ", out);
    report_text(out, series->prefix ? name : series->first->name);
    fputs("</h3>\n<table>\n<thead><tr><th>at once</th><th>a second</th><th>of the first</th></tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < series->count; i++)
        fprintf(out, "<tr><td class=\"n\">%.0f</td><td class=\"n\">%.5g</td><td class=\"n\">%.3f</td></tr>\n", series->workers[i], series->done[i], series->done[i] / series->done[0]);
    fputs("</tbody>\n</table>\n", out);
    if (usl_fit(series->workers, series->done, series->count, &usl) == 0)
        write_law(out, series, &usl, has_plots);
    else
        fprintf(out, "<p>No law is fitted: that takes %d different numbers.</p>\n", USL_POINTS_MIN);
}

int report_scaling(FILE *out, const struct report *report)
{
    struct series *list = calloc(SERIES_MAX, sizeof *list);
    size_t count = 0, shown = 0;
    if (!list)
        return -ENOMEM;
    for (uint32_t i = 0; i < report->rows_n; i++)
        add(list, &count, report->rows[i].figure);
    for (size_t i = 0; i < count; i++) {
        if (list[i].count < 2)
            continue;
        if (!shown++)
            fputs("<h2 id=\"scaling\">Workers beside workers</h2>\n<p>The universal scalability law (Gunther 2007), X(N) = &#955; N / (1 + &#963; (N - 1) + &#954; N (N - 1)), by linear least squares of the relative error.</p>\n", out);
        write_series(out, &list[i], report->has_plots);
    }
    free(list);
    return 0;
}
