/* figure.c - figures as rows and as JSON. Numbers are printed with the digits they are worth: three or four. */
#include "perf/figure.h"

#include "tools/columns.h"

#include <math.h>
#include <string.h>

struct figure *figure_add(struct figure_list *list, const char *scene, const char *name, const char *unit)
{
    if (list->count >= FIGURES_MAX) {
        list->dropped++;
        return NULL;
    }
    struct figure *figure = &list->figure[list->count++];
    memset(figure, 0, sizeof *figure);
    snprintf(figure->scene, sizeof figure->scene, "%s", scene);
    snprintf(figure->name, sizeof figure->name, "%s", name);
    snprintf(figure->unit, sizeof figure->unit, "%s", unit);
    return figure;
}

bool figure_has_verdict(const struct figure *figure)
{
    return figure->state == FIGURE_MEASURED && figure->goal.on != GOAL_NONE && (figure->goal.on == GOAL_MEDIAN || figure->has_raw);
}

bool figure_has_interval(const struct figure *figure)
{
    return isfinite(figure->interval.low) && isfinite(figure->interval.high);
}

/* The limit on the ratio, or on the median. */
static double limit_of(const struct figure *figure)
{
    return figure->goal.limit + (figure->goal.on == GOAL_BEYOND ? figure->raw_median : 0);
}

bool figure_is_met(const struct figure *figure)
{
    return (figure->goal.on == GOAL_RATIO ? figure->ratio : figure->median) <= limit_of(figure);
}

bool figure_is_sure(const struct figure *figure)
{
    const struct stats_interval *interval = figure->goal.on == GOAL_RATIO ? &figure->ratio_interval : &figure->interval;
    return limit_of(figure) < interval->low || limit_of(figure) >= interval->high;
}

static int decimals(double value)
{
    double size = fabs(value);
    return size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
}

/* A number, or "-" where there is none. */
static void print_number(FILE *out, int width, bool present, double value)
{
    if (present)
        fprintf(out, " %*.*f", width, decimals(value), value);
    else
        fprintf(out, " %*s", width, "-");
}

static const struct adit_column columns[] = {
    {"SCENE", -15, "the question; `perf-lab list` says what each measures"},
    {"FIGURE", -38, "what of it"},
    {"UNIT", -5, "of the times, or what else is measured"},
    {"MEDIAN", 9, "of the blocks: half of them took less"},
    {"P10", 9, "a tenth of the blocks took less"},
    {"P90", 9, "nine tenths of the blocks took less"},
    {" RAW LIMIT", -25, "what is measured beside it, in turn: the least this machine can do for the same, or another way"},
    {"RAW", 9, "the median of that"},
    {"RATIO", 7, "the median of what each pair of blocks gives, adit's by the raw one's; it is not the ratio of the medians"},
    {"95% INTERVAL", -15, "of the ratio, or of the median where nothing is measured beside it"},
    {"GOAL", -8, "<=1.10x: of the ratio; <=1.00: of the median; <=raw+20: of the median beyond the raw one"},
    {"MET", 0, "yes or NO; within noise: the interval reaches across the goal"},
};
const struct adit_columns figure_columns = {"figures", columns, sizeof columns / sizeof *columns};

void figure_print_head(FILE *out) { adit_columns_print(&figure_columns, out); }

static void print_verdict(FILE *out, const struct figure *figure)
{
    char goal[32] = "-";
    if (figure->goal.on == GOAL_MEDIAN)
        snprintf(goal, sizeof goal, "<=%.*f", 2, figure->goal.limit);
    else if (figure->goal.on == GOAL_RATIO)
        snprintf(goal, sizeof goal, "<=%.2fx", figure->goal.limit);
    else if (figure->goal.on == GOAL_BEYOND)
        snprintf(goal, sizeof goal, "<=raw+%.0f", figure->goal.limit);
    fprintf(out, " %-8s", goal);
    if (figure_has_verdict(figure))
        fprintf(out, " %s%s", figure_is_met(figure) ? "yes" : "NO", figure_is_sure(figure) ? "" : figure_has_interval(figure) ? ", within noise" : ", of few values");
}

void figure_print(FILE *out, const struct figure *figure)
{
    bool measured = figure->state == FIGURE_MEASURED, raw = measured && figure->has_raw;
    char interval[32] = "-";

    fprintf(out, "%-15s %-38s %-5s", figure->scene, figure->name, figure->unit);
    if (!measured) {
        fprintf(out, " %s: %s\n", figure->state == FIGURE_SKIPPED ? "skipped" : "FAILED", figure->note);
        return;
    }
    print_number(out, 9, true, figure->median);
    print_number(out, 9, true, figure->p10);
    print_number(out, 9, true, figure->p90);
    fprintf(out, "  %-24s", raw ? figure->raw_name : "-");
    print_number(out, 9, raw, figure->raw_median);
    print_number(out, 7, raw, figure->ratio);
    if (raw && figure_has_interval(figure))
        snprintf(interval, sizeof interval, "%.3f..%.3f", figure->ratio_interval.low, figure->ratio_interval.high);
    else if (figure_has_interval(figure))
        snprintf(interval, sizeof interval, "%.*f..%.*f", decimals(figure->interval.low), figure->interval.low,
                 decimals(figure->interval.high), figure->interval.high);
    fprintf(out, " %-15s", interval);
    print_verdict(out, figure);
    fputc('\n', out);
    if (figure->note[0])
        fprintf(out, "%-15s   %s\n", "", figure->note);
}

static void set_number(json_t *object, const char *name, bool present, double value)
{
    json_object_set_new(object, name, present && isfinite(value) ? json_real(value) : json_null());
}

static json_t *goal_json(const struct figure *figure)
{
    if (figure->goal.on == GOAL_NONE)
        return json_null();
    static const char *const on[] = {"", "median", "ratio", "beyond raw"};
    return json_pack("{s:s, s:f}", "on", on[figure->goal.on], "at_most", figure->goal.limit);
}

json_t *figure_json(const struct figure *figure)
{
    static const char *const state[] = {"measured", "skipped", "failed"};
    bool measured = figure->state == FIGURE_MEASURED, raw = measured && figure->has_raw;
    bool verdict = figure_has_verdict(figure);
    json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "name", figure->scene, "figure", figure->name, "unit",
                               figure->unit, "state", state[figure->state]);

    set_number(object, "median", measured, figure->median);
    set_number(object, "p10", measured, figure->p10);
    set_number(object, "p90", measured, figure->p90);
    set_number(object, "p99", measured, figure->p99);
    set_number(object, "p999", measured, figure->p999);
    set_number(object, "low", measured, figure->interval.low);
    set_number(object, "high", measured, figure->interval.high);
    json_object_set_new(object, "raw_name", raw ? json_string(figure->raw_name) : json_null());
    set_number(object, "raw_median", raw, figure->raw_median);
    set_number(object, "ratio", raw, figure->ratio);
    set_number(object, "ratio_low", raw, figure->ratio_interval.low);
    set_number(object, "ratio_high", raw, figure->ratio_interval.high);
    json_object_set_new(object, "goal", goal_json(figure));
    json_object_set_new(object, "met", verdict ? json_boolean(figure_is_met(figure)) : json_null());
    json_object_set_new(object, "within_noise", verdict && figure_has_interval(figure) ? json_boolean(!figure_is_sure(figure)) : json_null());
    json_object_set_new(object, "blocks", json_integer(figure->blocks));
    json_object_set_new(object, "blocks_disturbed", json_integer(figure->blocks_disturbed));
    json_object_set_new(object, "note", json_string(figure->note));
    return object;
}
