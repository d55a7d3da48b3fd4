/* report_plots.c - the drawings of the page: each data set stands in the script itself, its texts made plain (plot.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perf/compare.h"
#include "perf/plot.h"
#include "perf/report.h"

#define ROWS_MAX 400

static void insert(FILE *out, struct plot *plot, unsigned width, unsigned height, const char *heading, const char *words)
{
    char *svg = plot_end(plot, width, height);
    fprintf(out, "<h2>%s</h2>\n<p>%s</p>\n", heading, words);
    if (svg)
        fprintf(out, "<figure>%s</figure>\n", svg);
    else
        fputs("<p>gnuplot drew nothing.</p>\n", out);
    free(svg);
}

static void begin_rows(struct plot *plot, unsigned rows, const char *x)
{
    fprintf(plot->script, "set logscale x\nset grid x\nset key below\nset yrange [%g:-0.5]\nset xlabel \"%s\"\nset lmargin 44\nset arrow from 1, graph 0 to 1, graph 1 nohead lc rgb \"#888888\"\n", rows - 0.5, x);
}

/* Goals: how much of its limit each takes. */
static void draw_goals(FILE *out, const struct report *report)
{
    struct plot plot;
    unsigned rows = 0;
    double share;
    if (plot_begin(&plot) != 0)
        return;
    fputs("$goals << EOD\n", plot.script);
    for (uint32_t i = 0; i < report->rows_n && rows < ROWS_MAX; i++) {
        const struct figure *figure = report->rows[i].figure;
        char label[64], name[128];
        if (!report_share_of_goal(figure, &share) || share <= 0)
            continue;
        snprintf(name, sizeof name, "%s: %s", figure->scene, figure->name);
        fprintf(plot.script, "%u %g %d \"%s\"\n", rows++, share, figure_is_met(figure), plot_label(label, sizeof label, name));
    }
    fputs("EOD\n", plot.script);
    if (!rows) {
        plot_drop(&plot);
        return;
    }
    begin_rows(&plot, rows, "of the goal's limit: met at or left of 1");
    fputs("plot $goals using ($3 == 1 ? $2 : 1/0):1:ytic(4) with points pt 7 ps 0.6 lc rgb \"#2a7f2a\" title \"met\", "
          "$goals using ($3 == 0 ? $2 : 1/0):1 with points pt 7 ps 0.6 lc rgb \"#b02020\" title \"not met\"\n", plot.script);
    insert(out, &plot, 1100, 120 + 16 * rows, "How near the goals are", "What a goal judges over its limit. Logarithmic; left of the line is met.");
}

/* Every ratio to a raw limit or a peer, a line a scene. */
static void draw_ratios(FILE *out, const struct report *report)
{
    struct plot plot;
    unsigned rows = 0, points = 0;
    const char *last = "";
    if (plot_begin(&plot) != 0)
        return;
    fputs("$ratios << EOD\n", plot.script);
    for (uint32_t i = 0; i < report->rows_n && rows < ROWS_MAX; i++) {
        const struct figure *figure = report->rows[i].figure;
        char label[48];
        if (figure->state != FIGURE_MEASURED || !figure->has_raw || !(figure->ratio > 0))
            continue;
        rows += strcmp(last, figure->scene) != 0;
        last = figure->scene;
        points++;
        double low = figure->ratio_interval.low > 0 && isfinite(figure->ratio_interval.low) ? figure->ratio_interval.low : figure->ratio;
        double high = isfinite(figure->ratio_interval.high) ? figure->ratio_interval.high : figure->ratio;
        fprintf(plot.script, "%u %g %g %g \"%s\"\n", rows - 1, figure->ratio, low, high, plot_label(label, sizeof label, figure->scene));
    }
    fputs("EOD\n", plot.script);
    if (!points) {
        plot_drop(&plot);
        return;
    }
    begin_rows(&plot, rows, "ours over the raw limit or the peer");
    fputs("plot $ratios using 2:1:3:4:ytic(5) with xerrorbars pt 7 ps 0.5 lc rgb \"#2050a0\" title \"a figure, with its interval\"\n", plot.script);
    insert(out, &plot, 1100, 120 + 18 * rows, "Beside the raw limits", "A dot is a figure's ratio to what it stands beside, with its 95 % interval; a line is a scene. Logarithmic.");
}

/* Of each figure that several results of this machine have: its median over that of the first. */
static void draw_over_time(FILE *out, const struct report *report)
{
    struct plot plot;
    unsigned points = 0;
    double least = 1, most = 1;
    if (report->results_n < 2 || plot_begin(&plot) != 0)
        return;
    fputs("$time << EOD\n", plot.script);
    for (uint32_t i = 0; i < report->rows_n && points < 20000; i++) {
        const struct figure *row = report->rows[i].figure, *first = NULL;
        unsigned of_row = 0;
        for (uint32_t r = 0; r < report->results_n; r++) {
            const struct figure *figure = result_find(&report->results[r], row->scene, row->name);
            if (!figure || figure->state != FIGURE_MEASURED || !(figure->median > 0) || !report_is_of_machine(&report->results[r], report->newest))
                continue;
            first = first ? first : figure;
            double share = figure->median / first->median;
            least = fmin(least, share);
            most = fmax(most, share);
            fprintf(plot.script, "%u %g\n", r, share);
            of_row++;
        }
        points += of_row > 1 ? of_row : 0;
        if (of_row)
            fputs("\n\n", plot.script);
    }
    fputs("EOD\n", plot.script);
    fprintf(plot.script, "set yrange [%g:%g]\n", least / 1.1, most * 1.1);
    fputs("set logscale y\nset grid y\nset key off\nset ylabel \"of the first\"\nset offsets 0.3, 0.3, 0, 0\nset xtics rotate by -30 (", plot.script);
    for (uint32_t r = 0; r < report->results_n; r++) {
        char label[48];
        fprintf(plot.script, "%s\"%s\" %u", r ? ", " : "", plot_label(label, sizeof label, report->results[r].when), r);
    }
    fputs(")\nplot $time using 1:2 with linespoints pt 7 ps 0.3 lw 0.5 lc rgb \"#2050a0\"\n", plot.script);
    if (points)
        insert(out, &plot, 1100, 420, "Over time", "Each figure's median over that of the first result of this machine that has it. Logarithmic.");
    else
        plot_drop(&plot);
}

void report_plots(FILE *out, const struct report *report)
{
    draw_goals(out, report);
    draw_ratios(out, report);
    draw_over_time(out, report);
}
