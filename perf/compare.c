/* compare.c - see compare.h. */
#include "perf/compare.h"

#include <math.h>
#include <string.h>

#include "tools/columns.h"
#include "tools/command.h"
#include "tools/say.h"

bool compare_is_exact(const struct figure *figure) { return !strcmp(figure->unit, "instructions"); }

static bool has_logarithms(const struct figure *figure) { return figure->median > 0 && figure->interval.low > 0; }

void compare_figures(const struct figure *a, const struct figure *b, struct comparison *c)
{
    *c = (struct comparison){.a = a, .b = b, .ratio_interval = {-INFINITY, INFINITY}, .verdict = COMPARE_UNLIKE};
    if (a->state != FIGURE_MEASURED || b->state != FIGURE_MEASURED || strcmp(a->unit, b->unit) != 0)
        return;
    c->has_ratio = a->median > 0 && b->median > 0;
    c->ratio = c->has_ratio ? b->median / a->median : 0;
    if (compare_is_exact(a)) {
        c->ratio_interval = (struct stats_interval){c->ratio, c->ratio};
        c->verdict = a->median < b->median ? COMPARE_MORE : a->median > b->median ? COMPARE_FEWER : COMPARE_SAME;
        return;
    }
    c->verdict = COMPARE_UNKNOWN;
    if (!figure_has_interval(a) || !figure_has_interval(b))
        return;
    c->verdict = COMPARE_NOISE;
    if (has_logarithms(a) && has_logarithms(b)) {
        double down = hypot(log(b->median / b->interval.low), log(a->interval.high / a->median));
        double up = hypot(log(b->interval.high / b->median), log(a->median / a->interval.low));
        c->ratio_interval = (struct stats_interval){c->ratio * exp(-down), c->ratio * exp(up)};
        if (c->ratio_interval.low > 1)
            c->verdict = COMPARE_SLOWER;
        else if (c->ratio_interval.high < 1)
            c->verdict = COMPARE_FASTER;
    } else if (b->interval.low > a->interval.high)
        c->verdict = COMPARE_SLOWER; /* differences of times may be below 0: of these only intervals apart say something */
    else if (b->interval.high < a->interval.low)
        c->verdict = COMPARE_FASTER;
}

const char *compare_verdict_name(enum compare_verdict verdict)
{
    static const char *const names[] = {[COMPARE_NOISE] = "within noise", [COMPARE_SLOWER] = "slower", [COMPARE_FASTER] = "faster", [COMPARE_UNKNOWN] = "too few values",
                                        [COMPARE_SAME] = "same", [COMPARE_MORE] = "more", [COMPARE_FEWER] = "fewer", [COMPARE_UNLIKE] = "not measured in both"};
    return names[verdict];
}

/* What makes machines different ones for a figure. Load and stolen time belong to an hour, and are told by the quietness of each. */
static const char *const facts[] = {"cpu_model", "hypervisor", "cpus_online", "cpus_allowed", "nodes", "l1d_bytes", "l2_bytes", "l3_bytes", "memory_bytes", "page_bytes", "hugepage_bytes",
                                    "hugepages_total", "kernel", "governor", "clock_source", "tsc_invariant", "compiler", "nice"};
#define FACTS (sizeof facts / sizeof *facts)

static bool differs(const struct past_result *a, const struct past_result *b, const char *fact, char *of_a, char *of_b, size_t bytes)
{
    return strcmp(result_machine_fact(a, fact, of_a, bytes), result_machine_fact(b, fact, of_b, bytes)) != 0;
}

bool compare_is_gateable(const struct past_result *a, const struct past_result *b, char *why, size_t bytes)
{
    char of_a[96], of_b[96];
    if (differs(a, b, "compiler", of_a, of_b, sizeof of_a)) {
        snprintf(why, bytes, "their compilers differ, %s and %s", of_a, of_b);
        return false;
    }
    if (strcmp(a->counter, b->counter) != 0) {
        snprintf(why, bytes, "their counters differ, %s and %s", a->counter[0] ? a->counter : "none", b->counter[0] ? b->counter : "none");
        return false;
    }
    return true;
}

/* What comes out, in both forms. */
struct tally {
    uint32_t slower, faster, noise, exact, beyond;
    bool is_gated; /* a gate was given, and may judge */
    char why_not[256];
};

static bool is_beyond(const struct comparison *c, uint64_t gate_percent)
{
    return (c->verdict == COMPARE_MORE) && c->b->median > c->a->median * (1 + (double)gate_percent / 100);
}

static void count(struct tally *tally, const struct comparison *c, uint64_t gate_percent)
{
    tally->slower += c->verdict == COMPARE_SLOWER;
    tally->faster += c->verdict == COMPARE_FASTER;
    tally->noise += c->verdict == COMPARE_NOISE;
    tally->exact += c->verdict >= COMPARE_SAME && c->verdict <= COMPARE_FEWER;
    tally->beyond += tally->is_gated && is_beyond(c, gate_percent);
}

/* ---- the table ---- */

static int decimals(double value)
{
    double size = fabs(value);
    return size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
}

static void print_side(FILE *out, const struct figure *figure)
{
    char text[64] = "-";
    if (figure->state == FIGURE_MEASURED && !compare_is_exact(figure) && figure_has_interval(figure)) {
        int digits = decimals(figure->median);
        snprintf(text, sizeof text, "%.*f (%.*f to %.*f)", digits, figure->median, digits, figure->interval.low, digits, figure->interval.high);
    } else if (figure->state == FIGURE_MEASURED)
        snprintf(text, sizeof text, "%.*f", decimals(figure->median), figure->median);
    fprintf(out, " %28s", text);
}

static void print_row(FILE *out, const struct comparison *c, bool is_over)
{
    char ratio[64] = "-";
    if (c->has_ratio && isfinite(c->ratio_interval.low) && c->ratio_interval.low < c->ratio_interval.high)
        snprintf(ratio, sizeof ratio, "%.3f (%.3f to %.3f)", c->ratio, c->ratio_interval.low, c->ratio_interval.high);
    else if (c->has_ratio)
        snprintf(ratio, sizeof ratio, "%.*f", compare_is_exact(c->a) ? 5 : 3, c->ratio);
    fprintf(out, "%-15s %-38s %-12s", c->a->scene, c->a->name, c->a->unit);
    print_side(out, c->a);
    print_side(out, c->b);
    fprintf(out, " %24s  %s%s\n", ratio, compare_verdict_name(c->verdict), is_over ? ", BEYOND THE GATE" : "");
}

static void print_only(FILE *out, const struct past_result *here, const struct past_result *other, const char *who)
{
    for (uint32_t i = 0; i < here->count; i++)
        if (!result_find(other, here->figures[i].scene, here->figures[i].name))
            fprintf(out, "only %s has: %s, %s\n", who, here->figures[i].scene, here->figures[i].name);
}

static const struct adit_column columns[] = {
    {"SCENE", -15, "the question"},
    {"FIGURE", -38, "what of it"},
    {"UNIT", -12, "of A and B"},
    {"A (95 %)", 28, "its median, and the interval in which that lies"},
    {"B (95 %)", 28, "likewise"},
    {"B OF A (95 %)", 24, "the ratio of the two, and the interval in which that lies"},
    {" VERDICT", 0, "slower or faster where the interval of the ratio leaves 1 out, else within noise; of instructions the same, more or fewer"},
};
const struct adit_columns compare_columns = {"figures of two results (compare)", columns, sizeof columns / sizeof *columns};

static void print_heads(FILE *out, const struct past_result *a, const struct past_result *b)
{
    char of_a[96], of_b[96], path[160];
    const struct past_result *const both[] = {a, b};
    for (int i = 0; i < 2; i++)
        fprintf(out, "%s  %s, %s%s%s\n", i ? "B" : "A", adit_say_printable(path, sizeof path, both[i]->path, strlen(both[i]->path)), both[i]->when, both[i]->is_short ? ", short" : "",
                both[i]->stopped ? ", stopped before its end" : "");
    for (int i = 0; i < 2; i++)
        if (!strncmp(both[i]->quiet_before, "loud", 4) || !strncmp(both[i]->quiet_after, "loud", 4))
            fprintf(out, "%s was not alone: before it %s; after it %s\n", i ? "B" : "A", both[i]->quiet_before, both[i]->quiet_after);
    for (size_t i = 0; i < FACTS; i++)
        if (differs(a, b, facts[i], of_a, of_b, sizeof of_a))
            fprintf(out, "the machines differ: %s: A %s, B %s\n", facts[i], of_a, of_b);
    fputc('\n', out);
    adit_columns_print(&compare_columns, out);
}

static void print_end(FILE *out, const struct tally *tally, uint64_t gate_percent)
{
    uint32_t judged = tally->slower + tally->faster + tally->noise;
    if (judged)
        fprintf(out, "\n%u of %u figures slower, %u faster, %u within noise; some %u of them would be called either by chance\n", tally->slower, judged, tally->faster, tally->noise, (judged + 19) / 20);
    if (gate_percent == COMPARE_NO_GATE)
        return;
    if (tally->is_gated)
        fprintf(out, "gate: %u of %u counts of instructions grew by more than %llu %%\n", tally->beyond, tally->exact, (unsigned long long)gate_percent);
    else
        fprintf(out, "gate: nothing is judged: %s\n", tally->why_not);
}

/* ---- JSON ---- */

static json_t *number(bool present, double value) { return present && isfinite(value) ? json_real(value) : json_null(); }

static json_t *row_json(const struct comparison *c, bool is_over)
{
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", c->a->scene, "figure", c->a->name, "unit", c->a->unit, "verdict", compare_verdict_name(c->verdict), "beyond_gate", is_over);
    const struct figure *const both[] = {c->a, c->b};
    static const char *const names[2][3] = {{"a", "a_low", "a_high"}, {"b", "b_low", "b_high"}};
    for (int i = 0; i < 2; i++) {
        bool measured = both[i]->state == FIGURE_MEASURED;
        json_object_set_new(row, names[i][0], number(measured, both[i]->median));
        json_object_set_new(row, names[i][1], number(measured, both[i]->interval.low));
        json_object_set_new(row, names[i][2], number(measured, both[i]->interval.high));
    }
    json_object_set_new(row, "ratio", number(c->has_ratio, c->ratio));
    json_object_set_new(row, "ratio_low", number(c->has_ratio, c->ratio_interval.low));
    json_object_set_new(row, "ratio_high", number(c->has_ratio, c->ratio_interval.high));
    return row;
}

static json_t *only_json(const struct past_result *here, const struct past_result *other)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < here->count; i++)
        if (!result_find(other, here->figures[i].scene, here->figures[i].name))
            json_array_append_new(list, json_pack("{s:s, s:s}", "name", here->figures[i].scene, "figure", here->figures[i].name));
    return list;
}

static json_t *differences_json(const struct past_result *a, const struct past_result *b)
{
    char of_a[96], of_b[96];
    json_t *list = json_array();
    for (size_t i = 0; i < FACTS; i++)
        if (differs(a, b, facts[i], of_a, of_b, sizeof of_a))
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "what", facts[i], "a", of_a, "b", of_b));
    return list;
}

static json_t *side_json(const struct past_result *result)
{
    char path[256];
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "quiet_before", result->quiet_before, "quiet_after", result->quiet_after, "file", adit_say_printable(path, sizeof path, result->path, strlen(result->path)), "time", result->when, "short", result->is_short, "stopped", result->stopped);
}

static json_t *gate_json(const struct tally *tally, uint64_t gate_percent)
{
    if (gate_percent == COMPARE_NO_GATE)
        return json_null();
    return json_pack("{s:I, s:b, s:i, s:i, s:o}", "percent", (json_int_t)gate_percent, "judges", tally->is_gated, "counts", tally->exact, "beyond", tally->beyond, "why_not",
                     tally->is_gated ? json_null() : json_string(tally->why_not));
}

int compare_results(FILE *out, const struct past_result *a, const struct past_result *b, uint64_t gate_percent, bool as_json)
{
    struct tally tally = {0};
    json_t *rows = json_array();
    tally.is_gated = gate_percent != COMPARE_NO_GATE && compare_is_gateable(a, b, tally.why_not, sizeof tally.why_not);
    if (!as_json)
        print_heads(out, a, b);
    for (uint32_t i = 0; i < a->count; i++) {
        const struct figure *other = result_find(b, a->figures[i].scene, a->figures[i].name);
        struct comparison c;
        if (!other)
            continue;
        compare_figures(&a->figures[i], other, &c);
        count(&tally, &c, gate_percent);
        bool is_over = tally.is_gated && is_beyond(&c, gate_percent);
        if (as_json)
            json_array_append_new(rows, row_json(&c, is_over));
        else
            print_row(out, &c, is_over);
    }
    bool written = true;
    if (as_json)
        written = result_write(out, json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "tool", "perf-lab compare", "format", RESULT_FORMAT, "a", side_json(a), "b", side_json(b),
                                              "machines_differ", differences_json(a, b), "figures", rows, "only_a", only_json(a, b), "only_b", only_json(b, a), "gate", gate_json(&tally, gate_percent)));
    else {
        json_decref(rows);
        print_only(out, a, b, "A");
        print_only(out, b, a, "B");
        print_end(out, &tally, gate_percent);
        written = fflush(out) == 0;
    }
    if (!written)
        adit_say_error("perf-lab compare", "the output could not be written");
    else if (tally.is_gated && !tally.exact) {
        adit_say_error("perf-lab compare", "--gate: no count of instructions is in both files; make them with `perf-lab count --out DIR`");
        return ADIT_EXIT_BAD_INPUT;
    }
    return written && !tally.beyond ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
}
