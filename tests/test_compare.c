/* test_compare.c - results that were kept are read again, or refused in one line that names file, place and cure; two of them are compared figure by figure: what is called
 * slower, what is noise, what is of too few values, and what a gate says of counts of instructions. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "perf/compare.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-compare-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char *in_folder(const char *name)
{
    static char path[4][160];
    static int next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static const char *write_file(const char *name, const char *text, size_t bytes)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
    return path;
}

static const char *write_text(const char *name, const char *text) { return write_file(name, text, strlen(text)); }

static struct figure figure_of(const char *name, const char *unit, double low, double median, double high)
{
    struct figure figure = {.state = FIGURE_MEASURED, .median = median, .p10 = median, .p90 = median, .p99 = median, .interval = {low, high}, .blocks = 32};
    snprintf(figure.scene, sizeof figure.scene, "scene");
    snprintf(figure.name, sizeof figure.name, "%s", name);
    snprintf(figure.unit, sizeof figure.unit, "%s", unit);
    return figure;
}

/* A result of these figures, on the file's machine, compiler and counter as given. */
static const char *write_result(const char *name, const struct figure *figures, uint32_t count, const char *compiler, const char *counter)
{
    static struct figure_list list;
    static struct result result;
    memset(&list, 0, sizeof list);
    memset(&result, 0, sizeof result);
    list.count = count;
    memcpy(list.figure, figures, count * sizeof *figures);
    result.list = &list;
    snprintf(result.when, sizeof result.when, "20261201T000000Z");
    result.before = (struct quiet){.is_known = true, .cpus_online = 2};
    result.after = (struct quiet){.is_known = true, .cpus_online = 2, .lost = {0.25, 0}};
    snprintf(result.counter, sizeof result.counter, "%s", counter);
    snprintf(result.machine.cpu_model, sizeof result.machine.cpu_model, "some processor");
    snprintf(result.machine.compiler, sizeof result.machine.compiler, "%s", compiler);
    const char *path = in_folder(name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(result_write(file, result_json(&result)));
    assert_int_equal(fclose(file), 0);
    return path;
}

static enum compare_verdict verdict_of(struct figure a, struct figure b)
{
    struct comparison c;
    compare_figures(&a, &b, &c);
    return c.verdict;
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    struct figure figures[4] = {figure_of("one", "ns", 9, 10, 12), figure_of("of few", "us", -INFINITY, 3, INFINITY), figure_of("skipped", "-", 0, 0, 0), figure_of("counted", "instructions", 7, 7, 7)};
    struct past_result past;
    char why[RESULT_WHY_MAX];
    figures[0].has_raw = true;
    figures[0].raw_median = 5;
    figures[0].ratio = 2;
    figures[0].ratio_interval = (struct stats_interval){1.5, 2.5};
    figures[0].goal = (struct goal){GOAL_RATIO, 1.1};
    snprintf(figures[0].raw_name, sizeof figures[0].raw_name, "a store");
    snprintf(figures[0].note, sizeof figures[0].note, "a \"note\" with <b>");
    figures[2].state = FIGURE_SKIPPED;
    figures[0].p999 = NAN;
    const char *path = write_result("again.json", figures, 4, "12.2.0", "");
    assert_int_equal(result_read(path, &past, why), 0);
    assert_int_equal(past.count, 4);
    assert_string_equal(past.when, "20261201T000000Z");
    assert_string_equal(past.counter, "");
    assert_string_equal(past.quiet_before, "quiet");
    assert_string_equal(past.quiet_after, "loud: 25.0 % of CPU 0 lost, 0.0 ms at once; 0.0 others ready");
    const struct figure *one = result_find(&past, "scene", "one");
    assert_non_null(one);
    assert_true(one->median == 10 && one->interval.low == 9 && one->interval.high == 12 && one->has_raw && one->ratio == 2 && one->ratio_interval.high == 2.5);
    assert_true(one->goal.on == GOAL_RATIO && one->goal.limit == 1.1 && one->blocks == 32);
    assert_string_equal(one->note, "a \"note\" with <b>");
    assert_true(one->p99 == 10 && isnan(one->p999));
    const struct figure *few = result_find(&past, "scene", "of few");
    assert_true(few && few->median == 3 && !figure_has_interval(few));
    assert_true(result_find(&past, "scene", "skipped")->state == FIGURE_SKIPPED);
    assert_null(result_find(&past, "scene", "none"));
    char fact[64];
    assert_string_equal(result_machine_fact(&past, "compiler", fact, sizeof fact), "12.2.0");
    assert_string_equal(result_machine_fact(&past, "cpus_online", fact, sizeof fact), "0");
    assert_string_equal(result_machine_fact(&past, "no such", fact, sizeof fact), "unknown");
    result_forget(&past);
    result_forget(&past);
}

static void a_folder_means_its_newest(void **state)
{
    (void)state;
    struct figure old = figure_of("old", "ns", 1, 1, 1), new = figure_of("new", "ns", 1, 1, 1);
    struct past_result past;
    char why[RESULT_WHY_MAX];
    assert_int_equal(mkdir(in_folder("results"), 0700), 0);
    assert_int_equal(result_read(in_folder("results"), &past, why), -EBADMSG);
    assert_non_null(strstr(why, "perf-lab run --out"));
    write_result("results/perf-lab-20261201T000000Z.json", &new, 1, "", "");
    write_result("results/perf-lab-20260301T000000Z.json", &old, 1, "", "");
    write_text("results/zzz.json", "not of the lab");
    assert_int_equal(result_read(in_folder("results"), &past, why), 0);
    assert_non_null(result_find(&past, "scene", "new"));
    result_forget(&past);
}

/* One line, which begins with the file and names the place. (tried: median believed to be a number) */
static void bad_files_are_refused_with_their_place(void **state)
{
    (void)state;
#define HEAD "{\"tool\": \"perf-lab\", \"format\": 1, \"time\": \"x\", \"machine\": {}, \"scenes\": ["
#define FIGURE "{\"name\": \"s\", \"figure\": \"f\", \"unit\": \"ns\", \"state\": \"measured\""
    static const struct {
        const char *text, *place;
    } bad[] = {
        {"", "line"},
        {"{\n\n\"tool\": }", "line 3"},
        {"[]", "tool"},
        {"{\"tool\": \"adit\"}", "tool"},
        {"{\"tool\": \"perf-lab\", \"time\": \"x\", \"machine\": {}, \"scenes\": []}", "format"},
        {"{\"tool\": \"perf-lab\", \"format\": 2, \"time\": \"x\", \"machine\": {}, \"scenes\": []}", "format"},
        {"{\"tool\": \"perf-lab\", \"format\": 1, \"time\": \"x\", \"machine\": 3, \"scenes\": []}", "machine"},
        {"{\"tool\": \"perf-lab\", \"format\": 1, \"time\": \"x\", \"machine\": {}, \"scenes\": 7}", "scenes"},
        {HEAD "3]}", "scenes[0]"},
        {HEAD "{}]}", "scenes[0]"},
        {HEAD FIGURE ", \"median\": \"much\"}]}", "scenes[0].median"},
        {HEAD FIGURE ", \"median\": null}]}", "scenes[0].median"},
        {HEAD FIGURE ", \"median\": 1e300}]}", "scenes[0].median"},
        {HEAD FIGURE ", \"median\": 1}, " FIGURE ", \"median\": 1, \"low\": 2, \"high\": 3}]}", "scenes[1].low"},
        {HEAD FIGURE ", \"median\": 1, \"blocks\": -1}]}", "scenes[0].blocks"},
        {HEAD FIGURE ", \"median\": 1, \"goal\": {\"on\": \"luck\", \"at_most\": 1}}]}", "scenes[0].goal"},
        {HEAD "{\"name\": \"s\", \"figure\": \"f\", \"unit\": \"ns\", \"state\": \"dreamt\"}]}", "scenes[0].state"},
        {HEAD "{\"name\": \"s\", \"figure\": 4, \"unit\": \"ns\", \"state\": \"failed\"}]}", "scenes[0].figure"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct past_result past;
        char why[RESULT_WHY_MAX] = "";
        const char *path = write_text("bad.json", bad[i].text);
        assert_int_not_equal(result_read(path, &past, why), 0);
        if (strncmp(why, path, strlen(path)) != 0 || !strstr(why + strlen(path), bad[i].place) || strchr(why, '\n'))
            fail_msg("of %s: %s", bad[i].text, why);
        assert_true(past.root == NULL && past.figures == NULL);
    }
    struct past_result past;
    char why[RESULT_WHY_MAX];
    assert_int_equal(result_read(in_folder("none.json"), &past, why), -ENOENT);
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_int_equal(result_read(in_folder("pipe"), &past, why), -EBADMSG); /* at once, though nobody writes */
}

/* Each seventh byte of a sound file overwritten, left out, or the rest cut away: an error or another sound result, never more. The asan variant looks for what is less. */
static void damaged_files_never_fault(void **state)
{
    (void)state;
    static const char others[] = {0, '"', '9', '-', '}', (char)0xff};
    struct figure figures[2] = {figure_of("one", "ns", 9, 10, 12), figure_of("two", "us", 1, 2, 3)};
    char text[8192], damaged[8192], why[RESULT_WHY_MAX];
    FILE *file = fopen(write_result("whole.json", figures, 2, "12.2.0", ""), "re");
    assert_non_null(file);
    size_t bytes = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_true(bytes > 500 && bytes < sizeof text);
    for (size_t at = 0; at < bytes; at += 7)
        for (size_t how = 0; how < sizeof others + 2; how++) {
            size_t length = how == sizeof others ? at : how > sizeof others ? bytes - 1 : bytes;
            memcpy(damaged, text, bytes);
            if (how < sizeof others)
                damaged[at] = others[how];
            else if (how > sizeof others)
                memmove(damaged + at, damaged + at + 1, bytes - at - 1);
            struct past_result past;
            if (result_read(write_file("damaged.json", damaged, length), &past, why) == 0) {
                for (uint32_t i = 0; i < past.count; i++)
                    assert_true(past.figures[i].state != FIGURE_MEASURED || isfinite(past.figures[i].median));
                result_forget(&past);
            }
        }
}

/* What steers a terminal does not come through. */
static void texts_of_a_file_are_made_printable(void **state)
{
    (void)state;
    struct past_result past;
    char why[RESULT_WHY_MAX];
    assert_int_equal(result_read(write_text("steers.json", HEAD "{\"name\": \"a\\u001b[2Jb\", \"figure\": \"f\", \"unit\": \"ns\", \"state\": \"failed\", \"note\": \"x\\ny\"}]}"), &past, why), 0);
    assert_string_equal(past.figures[0].scene, "a?[2Jb");
    assert_string_equal(past.figures[0].note, "x?y");
    result_forget(&past);
}

static void only_intervals_that_leave_one_out_are_a_difference(void **state)
{
    (void)state;
    struct figure ten = figure_of("f", "ns", 9.9, 10, 10.1);
    assert_int_equal(verdict_of(ten, ten), COMPARE_NOISE);
    assert_int_equal(verdict_of(ten, figure_of("f", "ns", 10.9, 11, 11.1)), COMPARE_SLOWER);
    assert_int_equal(verdict_of(figure_of("f", "ns", 10.9, 11, 11.1), ten), COMPARE_FASTER);
    assert_int_equal(verdict_of(ten, figure_of("f", "ns", 10, 10.1, 10.2)), COMPARE_NOISE);
    assert_int_equal(verdict_of(ten, figure_of("f", "ns", 5, 11, 20)), COMPARE_NOISE);
    assert_int_equal(verdict_of(ten, figure_of("f", "us", 10.9, 11, 11.1)), COMPARE_UNLIKE);
    /* A median of few values says nothing, however far off. (tried: its interval taken for a point) */
    assert_int_equal(verdict_of(ten, figure_of("f", "ns", -INFINITY, 20, INFINITY)), COMPARE_UNKNOWN);
    struct figure skipped = ten;
    skipped.state = FIGURE_SKIPPED;
    assert_int_equal(verdict_of(ten, skipped), COMPARE_UNLIKE);
    /* Differences of times lie around 0, where there are no ratios. */
    assert_int_equal(verdict_of(figure_of("f", "us", -20, -10, 5), figure_of("f", "us", -5, 10, 20)), COMPARE_NOISE);
    assert_int_equal(verdict_of(figure_of("f", "us", -20, -10, -5), figure_of("f", "us", 1, 10, 20)), COMPARE_SLOWER);
}

static void the_interval_of_a_ratio_adds_distances_in_squares(void **state)
{
    (void)state;
    struct figure a = figure_of("f", "ns", 10 / exp(0.03), 10, 10 * exp(0.04)), b = figure_of("f", "ns", 20 / exp(0.03), 20, 20 * exp(0.04));
    struct comparison c;
    compare_figures(&a, &b, &c);
    assert_true(c.has_ratio && fabs(c.ratio - 2) < 1e-12);
    assert_true(fabs(c.ratio_interval.low - 2 * exp(-0.05)) < 1e-9 && fabs(c.ratio_interval.high - 2 * exp(0.05)) < 1e-9);
}

static double random_unit(uint64_t *at)
{
    *at = *at * 6364136223846793005u + 1442695040888963407u;
    return (double)(*at >> 11) / 9007199254740992.0;
}

/* 400 pairs of one and the same skew distribution: called a difference in 5 of 100, as promised, and not in more than 9; a shift by a third is seen in nearly all. */
static void equal_distributions_are_seldom_called_different(void **state)
{
    (void)state;
    uint64_t at = 99;
    int different = 0, seen = 0;
    for (uint64_t trial = 0; trial < 400; trial++) {
        struct figure figures[3];
        for (int k = 0; k < 3; k++) {
            double v[48];
            for (size_t i = 0; i < 48; i++)
                v[i] = (k == 2 ? 13.3 : 10) - log(1 - random_unit(&at));
            stats_sort(v, 48);
            figures[k] = figure_of("f", "ns", 0, stats_median(v, 48), 0);
            assert_int_equal(stats_median_interval(v, 48, trial, &figures[k].interval), 0);
        }
        different += verdict_of(figures[0], figures[1]) != COMPARE_NOISE;
        seen += verdict_of(figures[0], figures[2]) == COMPARE_SLOWER;
    }
    if (different > 36 || seen < 390)
        fail_msg("%d of 400 called different, %d of 400 seen", different, seen);
}

/* The exit code and what was printed. */
static int compared(const char *a, const char *b, uint64_t gate, bool as_json, char *text, size_t bytes)
{
    struct past_result of_a, of_b;
    char why[RESULT_WHY_MAX];
    assert_int_equal(result_read(a, &of_a, why), 0);
    assert_int_equal(result_read(b, &of_b, why), 0);
    FILE *out = fmemopen(text, bytes, "w");
    assert_non_null(out);
    int status = compare_results(out, &of_a, &of_b, gate, as_json);
    fclose(out);
    result_forget(&of_a);
    result_forget(&of_b);
    return status;
}

static char text[65536];

static void a_gate_judges_instructions_alone(void **state)
{
    (void)state;
    struct figure before[3] = {figure_of("counted", "instructions", 1000, 1000, 1000), figure_of("timed", "ns", 9.9, 10, 10.1), figure_of("gone", "ns", 1, 1, 1)};
    struct figure same[3] = {before[0], figure_of("timed", "ns", 99, 100, 101), figure_of("new", "ns", 1, 1, 1)};
    struct figure more[1] = {figure_of("counted", "instructions", 1021, 1021, 1021)}, within[1] = {figure_of("counted", "instructions", 1020, 1020, 1020)};
    const char *a = write_result("a.json", before, 3, "12.2.0", "callgrind");
    const char *b = write_result("b.json", same, 3, "12.2.0", "callgrind");
    assert_int_equal(compared(a, b, 2, false, text, sizeof text), 0); /* ten times as slow is told, and decides nothing */
    assert_non_null(strstr(text, "slower"));
    assert_non_null(strstr(text, "only A has: scene, gone"));
    assert_non_null(strstr(text, "only B has: scene, new"));
    assert_null(strstr(text, "machines differ"));
    assert_non_null(strstr(text, "A was not alone: before it quiet; after it loud: 25.0 %"));
    assert_int_equal(compared(a, write_result("more.json", more, 1, "12.2.0", "callgrind"), 2, false, text, sizeof text), 1);
    assert_non_null(strstr(text, "BEYOND THE GATE"));
    assert_int_equal(compared(a, in_folder("more.json"), COMPARE_NO_GATE, false, text, sizeof text), 0);
    assert_int_equal(compared(a, in_folder("more.json"), 3, false, text, sizeof text), 0);
    assert_int_equal(compared(a, write_result("within.json", within, 1, "12.2.0", "callgrind"), 2, false, text, sizeof text), 0);
    /* Of another compiler or counter nothing is judged, and that is said. */
    assert_int_equal(compared(a, write_result("other.json", more, 1, "13.1.0", "callgrind"), 2, false, text, sizeof text), 0);
    assert_non_null(strstr(text, "nothing is judged: their compilers differ, 12.2.0 and 13.1.0"));
    assert_non_null(strstr(text, "the machines differ: compiler: A 12.2.0, B 13.1.0"));
    assert_int_equal(compared(a, write_result("other.json", more, 1, "12.2.0", "another"), 2, false, text, sizeof text), 0);
    assert_non_null(strstr(text, "nothing is judged: their counters differ"));
    /* A gate without anything to judge is a mistake. */
    assert_int_equal(compared(a, write_result("timed.json", same + 1, 1, "12.2.0", "callgrind"), 2, false, text, sizeof text), 2);
}

static void json_says_the_same(void **state)
{
    (void)state;
    struct figure before[2] = {figure_of("counted", "instructions", 1000, 1000, 1000), figure_of("few", "ns", -INFINITY, 10, INFINITY)};
    struct figure more[2] = {figure_of("counted", "instructions", 1050, 1050, 1050), before[1]};
    const char *a = write_result("a.json", before, 2, "12.2.0", "callgrind"), *b = write_result("b.json", more, 2, "12.2.0", "callgrind");
    assert_int_equal(compared(a, b, 2, true, text, sizeof text), 1);
    json_t *root = json_loads(text, 0, NULL), *figures = json_object_get(root, "figures");
    assert_int_equal(json_array_size(figures), 2);
    json_t *row = json_array_get(figures, 0);
    assert_string_equal(json_string_value(json_object_get(row, "verdict")), "more");
    assert_true(json_is_true(json_object_get(row, "beyond_gate")) && fabs(json_number_value(json_object_get(row, "ratio")) - 1.05) < 1e-6);
    row = json_array_get(figures, 1);
    assert_string_equal(json_string_value(json_object_get(row, "verdict")), "too few values");
    assert_true(json_is_null(json_object_get(row, "a_low")) && json_is_null(json_object_get(row, "ratio_low")));
    json_t *gate = json_object_get(root, "gate");
    assert_true(json_is_true(json_object_get(gate, "judges")) && json_integer_value(json_object_get(gate, "beyond")) == 1);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_folder_means_its_newest),
        cmocka_unit_test(bad_files_are_refused_with_their_place),
        cmocka_unit_test(damaged_files_never_fault),
        cmocka_unit_test(texts_of_a_file_are_made_printable),
        cmocka_unit_test(only_intervals_that_leave_one_out_are_a_difference),
        cmocka_unit_test(the_interval_of_a_ratio_adds_distances_in_squares),
        cmocka_unit_test(equal_distributions_are_seldom_called_different),
        cmocka_unit_test(a_gate_judges_instructions_alone),
        cmocka_unit_test(json_says_the_same),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
