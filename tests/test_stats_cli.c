/* test_stats_cli.c - `adit stats` as its users meet it: of a live arena, of an image that outlives its processes, of a damaged one; lines, JSON, exit codes. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

/* tried: events of who has a process alone */
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_live_arena_is_told_of),
        cmocka_unit_test(a_damaged_descriptor_is_a_note),
        cmocka_unit_test(wrong_operands_give_one_line_and_exit_2),
        cmocka_unit_test(an_image_outlives_all), /* last: nobody serves any more */
    };
    return cmocka_run_group_tests_name("stats_cli", tests, set_up, tear_down);
}
