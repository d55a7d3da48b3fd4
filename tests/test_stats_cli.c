/* test_stats_cli.c - `adit stats` as its users meet it: of a live arena, of an image that outlives its processes, of a damaged one; lines, JSON, exit codes. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/adit.h"
#include "shm/shm.h"
#include "tests/adit_called.h"

static struct spawned serve;
static struct adit_arena *arena; /* ours */
static char *const cave = (char *)"cave", *const stats = (char *)"stats", *const json = (char *)"--json", *const events = (char *)"--events";

static const json_t *named(const json_t *root, const char *name)
{
    const json_t *list = json_object_get(root, "metrics");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!strcmp(json_string_value(json_object_get(json_array_get(list, i), "name")), name))
            return json_array_get(list, i);
    fail_msg("no metric %s", name);
    return NULL;
}

/* The sum of a metric's values; of a histogram their counts. */
static int64_t sum_of(const json_t *root, const char *name)
{
    const json_t *m = named(root, name), *values = json_object_get(m, "values");
    const char *key = strcmp(json_string_value(json_object_get(m, "type")), "histogram") ? "value" : "count";
    int64_t sum = 0;
    for (size_t i = 0; i < json_array_size(values); i++)
        sum += number(json_array_get(values, i), key);
    return sum;
}

/* What the feeder has done is told, and it has left. */
static void tells_of_the_world(const json_t *root)
{
    const json_t *list = json_object_get(root, "participants");
    bool has_feeder = false;
    assert_true(sum_of(root, "chunks_put") > 0 && sum_of(root, "version_bytes") > 0);
    assert_true(sum_of(root, "meshes_made") >= sum_of(root, "chunks_put"));
    assert_int_equal(sum_of(root, "visible_ns"), sum_of(root, "meshes_made"));
    const json_t *visible = json_array_get(json_object_get(named(root, "visible_ns"), "values"), 0);
    assert_true(number(visible, "p50") > 0 && number(visible, "p50") <= number(visible, "p99") && number(visible, "p99") <= number(visible, "most"));
    assert_true(*json_string_value(json_object_get(named(root, "visible_ns"), "help")));
    assert_string_equal(json_string_value(json_object_get(named(root, "meshes_made"), "by")), "maker");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i), *last = json_object_get(p, "events");
        assert_true(number(p, "pid") > 0 && number(p, "threads") > 0 && json_array_size(last) > 0 && json_array_size(last) <= 5);
        if (strcmp(json_string_value(json_object_get(p, "label")), "adit feed"))
            continue;
        has_feeder = true;
        assert_true(json_is_false(json_object_get(p, "attached")));
        assert_string_equal(json_string_value(json_object_get(json_array_get(last, json_array_size(last) - 1), "event")), "leave");
    }
    assert_true(has_feeder);
}

static void a_live_arena_is_told_of(void **state)
{
    struct spawned run;
    (void)state;
    json_t *o = adit_json(ARGV(stats, cave, json, events, (char *)"--last", (char *)"5"));
    assert_true(json_is_false(json_object_get(o, "image")));
    tells_of_the_world(o);
    json_decref(o);
    adit_want(0, ARGV(stats, cave), &run);
    assert_true(strstr(run.out, "METRIC") && strstr(run.out, "\nchunks_put ") && strstr(run.out, "\nvisible_ns ") && strstr(run.out, "adit feed") && strstr(run.out, "has left"));
    assert_true(!strstr(run.out, "tasks_poisoned") && !strstr(run.out, " before the last") && !*run.err);
    spawned_free(&run);
    adit_want(0, ARGV(stats, cave, (char *)"--all", events), &run);
    assert_true(strstr(run.out, "\nlocks_contended ") && strstr(run.out, " before the last") && strstr(run.out, " put "));
    spawned_free(&run);
}

/* A line of Prometheus' text: comments of known words, or NAME{KEY="VALUE",...} NUMBER. */
static void assert_exposition(const char *line)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    char *end;
    if (!strncmp(line, "# HELP adit_", 12) || !strncmp(line, "# TYPE adit_", 12))
        return;
    size_t n = strspn(line, name);
    assert_true(n > 5 && !strncmp(line, "adit_", 5) && line[n] == '{');
    for (line += n; *line == '{' || *line == ',';) {
        line += 1 + strspn(line + 1, name);
        assert_true(line[0] == '=' && line[1] == '"');
        for (line += 2; *line != '"'; line++)
            assert_true(*line && (*line != '\\' || *++line));
        line++;
    }
    assert_true(line[0] == '}' && line[1] == ' ');
    (void)strtod(line + 2, &end);
    assert_true(end > line + 2 && !*end);
}

/* The value of the series that begins so. */
static double series(const char *text, const char *begin)
{
    const char *at = strstr(text, begin);
    assert_non_null(at);
    return strtod(strstr(at, "} ") + 2, NULL);
}

/* tried: a bucket's own count for that of all below it; times in ns; quotes not escaped */
static void prometheus_can_read_it(void **state)
{
    struct spawned run;
    double below = 0;
    uint32_t buckets = 0;
    (void)state;
    adit_want(0, ARGV(stats, cave, (char *)"--prometheus"), &run);
    json_t *o = adit_json(ARGV(stats, cave, json));
    assert_true(series(run.out, "\nadit_chunks_put_total{arena=\"cave\"} ") == (double)sum_of(o, "chunks_put"));
    assert_true(series(run.out, "\nadit_visible_seconds_count{") == (double)sum_of(o, "visible_ns"));
    double mean = series(run.out, "\nadit_visible_seconds_sum{") / (double)sum_of(o, "visible_ns");
    assert_true(mean > 1e-6 && mean < 60); /* seconds */
    assert_non_null(strstr(run.out, "# TYPE adit_visible_seconds histogram\n"));
    for (const char *at = run.out; (at = strstr(at, "\nadit_visible_seconds_bucket{")); buckets++) {
        double last = strtod(strstr(at, "le=\"") + 4, NULL) * 1e9; /* of the bucket, inclusive */
        uint64_t next = isfinite(last) ? (uint64_t)(last + 1.5) : 1;
        assert_true((next & (next - 1)) == 0); /* (tried: the first value of the next bucket) */
        double now = series(at, "\nadit_visible_seconds_bucket{");
        assert_true(now >= below);
        below = now;
        at++;
    }
    assert_true(buckets > 30 && below == (double)sum_of(o, "visible_ns"));
    json_decref(o);
    FILE *promtool = access("/usr/bin/promtool", X_OK) ? NULL : popen("/usr/bin/promtool check metrics", "w");
    if (promtool) { /* Debian's prometheus: their own parser */
        fputs(run.out, promtool);
        assert_int_equal(pclose(promtool), 0);
    }
    for (char *line = strtok(run.out, "\n"); line; line = strtok(NULL, "\n"))
        assert_exposition(line);
    spawned_free(&run);
}

/* What is a text in the arena anybody there may have written. (tried: a help with a backslash as it is; a family twice, at which a scrape ends; a count above 2^63 below 0) */
static void prometheus_can_read_what_a_mad_peer_wrote(void **state)
{
    struct adit_metric_slot *slot = (struct adit_metric_slot *)(uintptr_t)arena->metrics, before[2];
    uint64_t *value = &arena->metric_shards[0].value[ADIT_COUNT_LOCKS_TAKEN];
    struct spawned run;
    uint32_t at = 0, twice = 0;
    (void)state;
    while (strcmp(slot[at].name, "locks_taken"))
        at++;
    memcpy(before, slot + at, sizeof before);
    strcpy(slot[at].help, "a \\ b");
    memcpy(slot[at + 1].name, slot[at].name, sizeof slot->name);
    slot[at + 1].type = slot[at].type;
    adit_add_relaxed(value, 1ull << 63);
    adit_want(0, ARGV(stats, cave, (char *)"--prometheus"), &run);
    assert_non_null(strstr(run.out, "# HELP adit_locks_taken_total a \\\\ b\n"));
    for (const char *c = run.out; (c = strstr(c, "# TYPE adit_locks_taken_total ")); c++)
        twice++;
    assert_int_equal(twice, 1);
    assert_true(series(run.out, "\nadit_locks_taken_total{") >= 9223372036854775808.0);
    spawned_free(&run);
    json_t *o = adit_json(ARGV(stats, cave, json));
    assert_true(sum_of(o, "locks_taken") == INT64_MAX);
    json_decref(o);
    adit_add_relaxed(value, 1ull << 63);
    memcpy(slot + at, before, sizeof before);
}

/* Whether a span of the trace ends when an event of that name and first word did (ns). */
static bool ends_so(const json_t *all, const char *name, int64_t a, int64_t at_ns)
{
    char text[24];
    bool is = false;
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)a);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *e = json_array_get(all, i), *args = json_object_get(e, "args"), *first = json_object_get(args, "a");
        double off = json_number_value(json_object_get(e, "ts")) + json_number_value(json_object_get(e, "dur")) - (double)at_ns / 1e3;
        is |= first && !strcmp(json_string_value(json_object_get(e, "name")), name) && !strcmp(json_string_value(first), text) && off > -0.5 && off < 0.5;
    }
    return is;
}

/* tried: a begin after the end */
static void a_trace_has_what_viewers_of_traces_want(void **state)
{
    uint32_t spans = 0, instants = 0, names = 0;
    (void)state;
    json_t *o = adit_json(ARGV(stats, cave, (char *)"--trace"));
    const json_t *all = json_object_get(o, "traceEvents");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *e = json_array_get(all, i);
        const char *ph = json_string_value(json_object_get(e, "ph"));
        assert_true(json_string_value(json_object_get(e, "name")) && number(e, "pid") > 0);
        names += *ph == 'M';
        if (*ph == 'M')
            continue;
        double ts = json_number_value(json_object_get(e, "ts")), now = (double)adit_clock_ns() / 1e3;
        assert_true(ts > 0 && ts < now);
        spans += *ph == 'X';
        instants += *ph == 'i';
        if (*ph == 'X')
            assert_true(json_is_real(json_object_get(e, "dur")) && json_number_value(json_object_get(e, "dur")) >= 0 && ts + json_number_value(json_object_get(e, "dur")) < now);
    }
    assert_true(names >= 2 && spans > 0 && instants > 0);
    uint32_t meshes = 0;
    json_t *told = adit_json(ARGV(stats, cave, json, events, (char *)"--last", (char *)"4096"));
    const json_t *members = json_object_get(told, "participants");
    for (size_t i = 0; i < json_array_size(members); i++)
        for (size_t k = 0; k < json_array_size(json_object_get(json_array_get(members, i), "events")); k++) {
            const json_t *e = json_array_get(json_object_get(json_array_get(members, i), "events"), k);
            if (strcmp(json_string_value(json_object_get(e, "event")), "mesh"))
                continue;
            assert_true(ends_so(all, "mesh", number(e, "a"), number(e, "at_ns")));
            meshes++;
        }
    assert_true(meshes > 0);
    json_decref(told);
    json_decref(o);
    adit_refuses("give one of", ARGV(stats, cave, json, (char *)"--trace"));
}

static void a_damaged_descriptor_is_a_note(void **state)
{
    struct spawned run;
    (void)state;
    char was = arena->metrics[1].name[0];
    arena->metrics[1].name[0] = 27; /* what would steer a terminal */
    adit_want(0, ARGV(stats, cave), &run);
    arena->metrics[1].name[0] = was;
    assert_non_null(strstr(run.err, "describes 1 of its metrics is damaged"));
    assert_null(strchr(run.out, 27));
    spawned_free(&run);
}

static void an_image_outlives_all(void **state)
{
    struct spawned run;
    char *image = spawned_file("cave.image");
    (void)state;
    adit_want(0, ARGV((char *)"dump", cave, (char *)"--image", image, (char *)"--brief"), &run);
    spawned_free(&run);
    adit_detach(&arena);
    kill(serve.pid, SIGKILL);
    spawned_wait(&serve);
    json_t *o = adit_json(ARGV(stats, image, json, events, (char *)"--last", (char *)"5"));
    assert_true(json_is_true(json_object_get(o, "image")));
    tells_of_the_world(o);
    json_decref(o);
    adit_want(0, ARGV(stats, image, events), &run);
    assert_true(strstr(run.out, "adit serve") && strstr(run.out, " mesh "));
    spawned_free(&run);
    unlink(image);
    adit_refuses("cave.image", ARGV(stats, image));
}

static void wrong_operands_give_one_line_and_exit_2(void **state)
{
    struct spawned run;
    (void)state;
    adit_refuses("give one arena's NAME", ARGV(stats));
    adit_refuses("nobody", ARGV(stats, (char *)"nobody"));
    adit_refuses("not the image of an arena", ARGV(stats, (char *)"./README.md"));
    adit_refuses("from 1 to", ARGV(stats, cave, (char *)"--last", (char *)"0"));
    adit_want(0, ARGV(stats, (char *)"--help"), &run);
    assert_non_null(strstr(run.out, "usage: adit stats"));
    spawned_free(&run);
}

static int set_up(void **state)
{
    struct spawned run;
    (void)state;
    spawned_home_make();
    spawned_start(ADIT, ARGV((char *)"serve", cave, (char *)"--size", (char *)"32M", (char *)"--quiet"), &serve);
    if (!spawned_says(&serve, "is ready"))
        return -1;
    adit_want(0, ARGV((char *)"feed", cave, (char *)"terrain:4:2x2x1", (char *)"--quiet"), &run);
    spawned_free(&run);
    return adit_attach(cave, ADIT_PRODUCER, NULL, &arena) || adit_settle(arena, 30000000000u);
}

static int tear_down(void **state)
{
    (void)state;
    spawned_free(&serve);
    spawned_home_remove();
    return 0;
}

int main(void)
{
#ifdef __SANITIZE_THREAD__
    puts("skipped: what is read of an arena by who has no section, and order through other processes, ThreadSanitizer cannot follow");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_live_arena_is_told_of),
        cmocka_unit_test(prometheus_can_read_it),
        cmocka_unit_test(prometheus_can_read_what_a_mad_peer_wrote),
        cmocka_unit_test(a_trace_has_what_viewers_of_traces_want),
        cmocka_unit_test(a_damaged_descriptor_is_a_note),
        cmocka_unit_test(wrong_operands_give_one_line_and_exit_2),
        cmocka_unit_test(an_image_outlives_all), /* last: nobody serves any more */
    };
    return cmocka_run_group_tests_name("stats_cli", tests, set_up, tear_down);
}
