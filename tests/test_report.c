/* test_report.c - the page of results: well-formed, all figures in it, goals that are not met first, nothing loaded from elsewhere, and whatever a result's texts hold is text. With and without gnuplot. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "perf/plot.h"
#include "perf/report.h"

#define DEEPEST 64

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-report-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* What is wrong with text as XML: tags that do not nest, or '<', '&' that stand for nothing; NULL: nothing. No more than pages of ours need. */
static const char *what_is_malformed(const char *text)
{
    static char wrong[160];
    char open[DEEPEST][32];
    int depth = 0;
    for (const char *at = text; *at;) {
        if (*at == '&') {
            size_t n = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz#0123456789");
            if (!n || at[1 + n] != ';')
                return snprintf(wrong, sizeof wrong, "a bare &: %.40s", at), wrong;
        }
        if (*at != '<') {
            at++;
            continue;
        }
        const char *end = at + 1;
        if (!strncmp(at, "<!", 2)) {
            end = strstr(at, !strncmp(at, "<!--", 4) ? "-->" : !strncmp(at, "<![CDATA[", 9) ? "]]>" : ">");
            if (!end)
                return "no end of <!";
            at = end + (*end == '>' ? 1 : 3);
            continue;
        }
        for (char quote = 0; *end && (quote || *end != '>'); end++) {
            if (*end == '<')
                return snprintf(wrong, sizeof wrong, "a bare < in a tag: %.40s", at), wrong;
            quote = quote ? (*end == quote ? 0 : quote) : (*end == '"' || *end == '\'') ? *end : 0;
        }
        if (!*end)
            return snprintf(wrong, sizeof wrong, "a tag without an end: %.40s", at), wrong;
        bool closes = at[1] == '/', is_alone = end[-1] == '/';
        char name[32];
        size_t n = strspn(at + 1 + closes, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        if (!n || n >= sizeof name)
            return snprintf(wrong, sizeof wrong, "no name of a tag: %.40s", at), wrong;
        memcpy(name, at + 1 + closes, n);
        name[n] = 0;
        if (closes && (!depth || strcmp(open[--depth], name) != 0))
            return snprintf(wrong, sizeof wrong, "</%s> closes what is not open", name), wrong;
        if (!closes && !is_alone) {
            if (depth == DEEPEST)
                return "too deep";
            memcpy(open[depth++], name, n + 1);
        }
        at = end + 1;
    }
    return depth ? snprintf(wrong, sizeof wrong, "<%s> is not closed", open[depth - 1]), wrong : NULL;
}

static void the_check_of_form_finds_what_is_wrong(void **state)
{
    (void)state;
    assert_null(what_is_malformed("<!DOCTYPE html><a b=\"x>y\"><c/>&amp;</a>"));
    assert_non_null(what_is_malformed("<a><b></a></b>"));
    assert_non_null(what_is_malformed("<a>"));
    assert_non_null(what_is_malformed("</a>"));
    assert_non_null(what_is_malformed("<a>x & y</a>"));
    assert_non_null(what_is_malformed("<a>1 < 2</a>"));
    assert_non_null(what_is_malformed("<a"));
}

static struct figure_list list;

static struct figure *add(const char *scene, const char *name, double median, double raw, double goal)
{
    struct figure *figure = figure_add(&list, scene, name, "ns");
    assert_non_null(figure);
    figure->median = figure->p10 = figure->p90 = median;
    figure->interval = (struct stats_interval){median * 0.99, median * 1.01};
    figure->blocks = 40;
    figure->p99 = figure->p999 = NAN;
    if (raw > 0) {
        figure->has_raw = true;
        snprintf(figure->raw_name, sizeof figure->raw_name, "raw of %s", name);
        figure->raw_median = raw;
        figure->ratio = median / raw;
        figure->ratio_interval = (struct stats_interval){figure->ratio * 0.98, figure->ratio * 1.02};
    }
    if (goal > 0)
        figure->goal = (struct goal){raw > 0 ? GOAL_RATIO : GOAL_MEDIAN, goal};
    return figure;
}

/* Writes what was added as the result of that time and begins anew. */
static void keep(const char *when, const char *processor)
{
    static struct result result;
    char path[160];
    memset(&result, 0, sizeof result);
    result.list = &list;
    snprintf(result.when, sizeof result.when, "%s", when);
    result.before = (struct quiet){.is_known = true, .cpus_online = 2};
    result.after = (struct quiet){.is_known = true, .cpus_online = 2, .others = 2};
    snprintf(result.machine.cpu_model, sizeof result.machine.cpu_model, "%s", processor);
    snprintf(path, sizeof path, "%s/perf-lab-%s.json", folder, when);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(result_write(file, result_json(&result)));
    fclose(file);
    memset(&list, 0, sizeof list);
}

static const char hostile[] = "</td><script>alert(1)</script>\"'&`touch x`$(y)";

static void keep_results(void)
{
    add("ring", "from the first run only", 3, 1, 0);
    add("section", "enter", 10, 5, 0);
    keep("20260101T000000Z", "a processor <of> its own");
    add("ring", "of another machine", 3, 1, 0);
    keep("20260201T000000Z", "another");
    add("section", "enter", 20, 5, 0);
    add("section", "a goal that is met", 1, 0, 2)->p99 = 1.5;
    add("section", "a goal that is missed", 3, 1, 2);
    add("section", "a goal that is missed by far", 9, 0, 2);
    snprintf(add("range", hostile, 3, 1, 0)->note, FIGURE_TEXT_MAX, "%s", hostile);
    add("peer-mesh", "hills", 3, 1, 0);
    add("flow", "a chunk, one worker", 2000, 0, 0);
    add("flow", "a chunk, two workers on two CPUs", 1050, 0, 0);
    add("flow", "a chunk, 4 workers", 575, 0, 0); /* sigma 0.05 */
    add("lock", "a change, 1 thread", 100, 0, 0);
    add("lock", "a change, 2 threads", 80, 0, 0);
    struct figure *skipped = add("death", "all", 0, 0, 0);
    skipped->state = FIGURE_SKIPPED;
    snprintf(skipped->note, sizeof skipped->note, "needs two CPUs");
    keep("20260301T000000Z", "a processor <of> its own");
}

static const char *what_of(const char *scene) { return strcmp(scene, "ring") ? NULL : "elements & rings"; }

/* The page, to be freed. */
static char *page_of(const char *path)
{
    static struct past_result results[REPORT_RESULTS_MAX];
    uint32_t count = 0;
    char why[RESULT_WHY_MAX], *page = NULL;
    size_t bytes;
    if (report_read(path, results, &count, why))
        fail_msg("%s", why);
    FILE *out = open_memstream(&page, &bytes);
    assert_non_null(out);
    assert_int_equal(report_write(out, results, count, what_of), 0);
    fclose(out);
    for (uint32_t i = 0; i < count; i++)
        result_forget(&results[i]);
    return page;
}

static const char *find(const char *page, const char *text)
{
    const char *at = strstr(page, text);
    if (!at)
        fail_msg("the page does not hold: %s", text);
    return at;
}

/* (tried: goals left in the order of figures) */
static void look_at(const char *page)
{
    const char *wrong = what_is_malformed(page);
    if (wrong)
        fail_msg("malformed: %s", wrong);
    static const char *const there[] = {"from the first run only", "enter", "a goal that is met", "hills", "needs two CPUs", "elements &amp; rings", "a processor &lt;of&gt; its own", "raw of enter", "of 20260101T000000Z",
                                        "1 of 3 met", "p99 of blocks 1.500</td>", "<td>quiet</td>", "<td>loud: 0.0 % of CPU 0 lost, 0.0 ms at once; 2.0 others ready</td>", "peer: ", "20260201T000000Z (another machine)", "id=\"method\""};
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        find(page, there[i]);
    assert_null(strstr(page, "of another machine</td>")); /* another's figures are not among this machine's */
    const char *goals = find(page, "id=\"goals\"");
    assert_true(find(goals, "missed by far") < find(goals, "goal that is missed</td>") && find(goals, "goal that is missed</td>") < find(goals, "a goal that is met"));
    /* over time: 10, then 20 */
    find(page, "<td>section: enter</td><td>ns</td><td class=\"n\">10.00</td><td class=\"n\">-</td><td class=\"n\">20.00</td>");
    find(page, "<td>slower</td>");
}

static void scaling_is_fitted_and_called_a_prediction(const char *page)
{
    const char *flow = find(page, "<h3>flow: a chunk, </h3>"), *lock = find(page, "<h3>lock: a change, </h3>");
    assert_true(flow < lock && find(flow, "5.00 % is done one after the other") < lock && find(flow, "A prediction, not measured:") < lock);
    find(lock, "No law is fitted: that takes 3 different numbers.");
    uint32_t workers = 0;
    size_t prefix = 0;
    assert_true(report_workers_of("a chunk, two workers on two CPUs", &workers, &prefix) && workers == 2 && prefix == 9);
    assert_true(report_workers_of("0.2 us on 16 CPUs", &workers, &prefix) && workers == 16 && prefix == 10);
    assert_true(report_workers_of("8 threads", &workers, &prefix) && workers == 8 && prefix == 0);
    static const char *const none[] = {"", "8", "workers", "one at a time, across", "64 B, there and back", "32 at once", "999999 workers", "one"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(report_workers_of(none[i], &workers, &prefix));
}

/* (tried: notes written as they are) */
static void hostile_text_stays_text(const char *page)
{
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "alert(1)</"));
    find(page, "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;`touch x`$(y)");
    assert_int_equal(access("x", F_OK), -1);
    static const char *const elsewhere[] = {"src=", "@import", "url(http", "<link", "<iframe", "<object", "javascript:"};
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (strstr(page, elsewhere[i]))
            fail_msg("the page holds %s", elsewhere[i]);
    for (const char *at = page; (at = strstr(at, "href=\"")); at++)
        assert_int_equal(at[6], '#');
}

/* As the first: whether gnuplot is there is asked once a process, so without it means in a child. */
static void without_gnuplot_the_page_has_tables_and_says_so(void **state)
{
    (void)state;
    keep_results();
    pid_t pid = fork();
    if (pid == 0) {
        setenv("PATH", "/nowhere", 1);
        char *page = page_of(folder);
        bool is_right = !strstr(page, "<svg") && strstr(page, "There is no gnuplot here") && !what_is_malformed(page) && strstr(page, "a goal that is met");
        free(page);
        _exit(is_right ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_page_is_whole_and_well_formed(void **state)
{
    (void)state;
    char *page = page_of(folder);
    look_at(page);
    scaling_is_fitted_and_called_a_prediction(page);
    hostile_text_stays_text(page);
    if (plot_is_there()) {
        find(page, "How near the goals are");
        find(page, "Beside the raw limits");
        find(page, "Over time");
        find(page, "<svg");
        assert_null(strstr(page, "gnuplot drew nothing"));
    } else
        print_message("no gnuplot: drawings were not looked at\n");
    free(page);
}

static void a_page_of_nothing_measured_is_a_page(void **state)
{
    (void)state;
    char path[160];
    memset(&list, 0, sizeof list);
    keep("20270101T000000Z", "a third");
    snprintf(path, sizeof path, "%s/perf-lab-20270101T000000Z.json", folder);
    char *page = page_of(path);
    assert_null(what_is_malformed(page));
    find(page, "0 of 0 met");
    free(page);
}

static void labels_hold_nothing_that_gnuplot_runs(void **state)
{
    (void)state;
    char out[64];
    assert_string_equal(plot_label(out, sizeof out, "64 B, \"a\" `id` $(x) \\n@y {z}\n'"), "64 B, ?a? ?id? ?(x) ?n?y ?z???");
    assert_string_equal(plot_label(out, 4, "abcdef"), "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_gnuplot_the_page_has_tables_and_says_so),
        cmocka_unit_test(the_check_of_form_finds_what_is_wrong),
        cmocka_unit_test(a_page_is_whole_and_well_formed),
        cmocka_unit_test(a_page_of_nothing_measured_is_a_page),
        cmocka_unit_test(labels_hold_nothing_that_gnuplot_runs),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
