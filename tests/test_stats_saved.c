/* test_stats_saved.c - `adit stats --save` and --diff: what happened between two looks is told exactly, as a table and as JSON, and a file that is not what was saved gives one line that
 * names it, the place and the cure. */
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
#include "tests/adit_called.h"

#define PUTS 7u

static struct spawned serve;
static struct adit_arena *arena; /* ours */
static char *const cave = (char *)"cave", *const stats = (char *)"stats", *const json = (char *)"--json", *const save = (char *)"--save", *const diff = (char *)"--diff",
           *const anyway = (char *)"--anyway";

static const json_t *value_of(const json_t *root, const char *name)
{
    const json_t *list = json_object_get(root, "metrics");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!strcmp(json_string_value(json_object_get(json_array_get(list, i), "name")), name))
            return json_array_get(json_object_get(json_array_get(list, i), "values"), 0);
    fail_msg("no metric %s", name);
    return NULL;
}

static char *saved(const char *name)
{
    struct spawned run;
    char *path = spawned_file(name);
    adit_want(0, ARGV(stats, cave, save, path), &run);
    assert_true(!*run.out && !*run.err);
    spawned_free(&run);
    return path;
}

static void put(uint32_t n)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    for (uint32_t i = 0; i < n; i++) {
        voxels[i] = (uint16_t)(voxels[i] + 1);
        assert_int_equal(adit_chunk_put(arena, &(struct adit_key){.x = (int32_t)i}, voxels, NULL), 0);
    }
    assert_int_equal(adit_settle(arena, 30000000000u), 0);
}

/* tried: --diff told what there was after, not what had changed; a gauge with a rate; quantiles of all that ever was */
static void what_happened_meanwhile_is_told(void **state)
{
    struct spawned run;
    (void)state;
    put(PUTS);
    char *before = saved("before");
    put(PUTS);
    char *after = saved("after");
    json_t *o = adit_json(ARGV(stats, diff, before, after, json));
    const json_t *puts = value_of(o, "chunks_put"), *took = value_of(o, "put_ns"), *gauge = value_of(o, "limbo_bytes");
    assert_true(json_is_true(json_object_get(o, "same_arena")));
    double seconds = json_number_value(json_object_get(o, "seconds"));
    assert_true(seconds > 0);
    assert_int_equal(number(puts, "change"), PUTS);
    assert_int_equal(number(puts, "after") - number(puts, "before"), PUTS);
    double off = json_number_value(json_object_get(puts, "per_s")) * seconds - PUTS;
    assert_true(off > -1e-6 && off < 1e-6);
    const json_t *since = json_object_get(took, "since"), *ever = json_object_get(took, "times_after");
    assert_int_equal(number(since, "count"), number(took, "after") - number(took, "before"));
    assert_true(number(since, "count") == PUTS && number(ever, "count") > PUTS);
    assert_true(number(since, "p50") > 0 && number(since, "p50") <= number(since, "p99") && number(since, "p99") <= number(since, "most") && number(since, "most") <= number(ever, "most"));
    assert_true(json_is_null(json_object_get(gauge, "per_s")) && number(gauge, "change") == number(gauge, "after") - number(gauge, "before"));
    json_decref(o);

    adit_want(0, ARGV(stats, diff, before, after), &run);
    char *line = strstr(run.out, "\nchunks_put ");
    assert_true(line && strstr(run.out, "PER SECOND") && strstr(run.out, "cave, in ") && strstr(run.out, "  p50 ") && !*run.err);
    unsigned long long was = 0, is = 0, change = 0;
    assert_int_equal(sscanf(line, "\nchunks_put %llu %llu %llu", &was, &is, &change), 3);
    assert_true(change == PUTS && is == was + PUTS && !strstr(run.out, "\nframes_missed "));
    spawned_free(&run);
    adit_want(0, ARGV(stats, diff, before, after, (char *)"--all"), &run);
    assert_non_null(strstr(run.out, "\nframes_missed "));
    spawned_free(&run);

    /* until now: by its arena's name, by that given; an image */
    o = adit_json(ARGV(stats, diff, before, json));
    assert_int_equal(number(value_of(o, "chunks_put"), "change"), PUTS);
    json_decref(o);
    o = adit_json(ARGV(stats, diff, after, cave, json));
    assert_int_equal(number(value_of(o, "chunks_put"), "change"), 0);
    json_decref(o);
    char *image = spawned_file("image");
    adit_want(0, ARGV((char *)"dump", cave, (char *)"--image", image, (char *)"--brief"), &run);
    spawned_free(&run);
    o = adit_json(ARGV(stats, diff, before, image, json));
    assert_int_equal(number(value_of(o, "chunks_put"), "change"), PUTS);
    json_decref(o);
    o = adit_json(ARGV(stats, diff, image, after, json));
    assert_int_equal(number(value_of(o, "chunks_put"), "change"), 0);
    json_decref(o);
    adit_refuses("give that, too", ARGV(stats, diff, image));
    adit_refuses("the other way round", ARGV(stats, diff, after, before));
    assert_int_equal(spawned_files_count("", "part"), 0);
}

/* The file's text, from its name. */
static char *read_all(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *text = calloc(1, 1u << 20);
    assert_true(text && fread(text, 1, (1u << 20) - 1, f) > 1000);
    fclose(f);
    return text;
}

static char *written(const char *name, const char *text, size_t bytes)
{
    char *path = spawned_file(name);
    FILE *f = fopen(path, "w");
    assert_true(f && fwrite(text, 1, bytes, f) == bytes && !fclose(f));
    return path;
}

/* What --diff says of the saved text with a part of it replaced. */
static void refuses_changed(const char *text, const char *from, const char *to, const char *part)
{
    static char changed[1u << 20];
    const char *at = strstr(text, from);
    assert_non_null(at);
    size_t n = (size_t)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    char *path = written("changed", changed, n);
    adit_refuses(part, ARGV(stats, diff, path, cave));
    adit_refuses("/changed: ", ARGV(stats, diff, path, cave));
    adit_refuses("--save", ARGV(stats, diff, path, cave));
}

/* tried: buckets not bounded; a file of another version believed; --anyway not asked for */
static void what_is_no_saved_look_is_one_line(void **state)
{
    (void)state;
    put(PUTS);
    char *text = read_all(saved("sound"));
    refuses_changed(text, "\"adit_stats\": 1", "\"adit_stats\": 2", "is of version 2, this program reads version 1");
    refuses_changed(text, "\"adit_stats\": 1", "\"adit\": 1", "not what `adit stats --save` writes");
    refuses_changed(text, "\"clock_ns\": ", "\"clock_ns\": -", "clock_ns is no whole number");
    refuses_changed(text, "\"type\": \"counter\"", "\"type\": \"event\"", "metrics[0].type is none of");
    refuses_changed(text, "\"by\": \"\"", "\"by\": \"moon\"", ".by is none of");
    refuses_changed(text, "\"value\": ", "\"worth\": ", ".values[0] has no value");
    refuses_changed(text, "\"buckets\": [", "\"buckets\": [ [280, 1] ], \"others\": [", "bucket out of range");
    refuses_changed(text, "\"buckets\": [", "\"buckets\": [ [-1, 1] ], \"others\": [", "bucket out of range");
    refuses_changed(text, "\"buckets\": [", "\"buckets\": [ [0, 9223372036854775807],", "bucket out of range");
    refuses_changed(text, "\"buckets\": [", "\"buckets\": [ 5,", "not [which, how many]");
    refuses_changed(text, "\"metrics\": [", "\"metrics\": 5, \"others\": [", "metrics is no list");
    refuses_changed(text, "\"metrics\": [", "\"metrics\": [ 7,", "metrics[0] has no name");
    size_t bytes = strlen(text), cuts[] = {bytes / 2, bytes - 3, 100};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        adit_refuses("so it is cut off or damaged", ARGV(stats, diff, written("cut", text, cuts[i]), cave));
    adit_refuses("not what `adit stats --save` writes", ARGV(stats, diff, written("empty", "", 0), cave));
    adit_refuses("not what `adit stats --save` writes", ARGV(stats, diff, (char *)"./README.md", cave));
    adit_refuses("nowhere: cannot read it: No such file", ARGV(stats, diff, spawned_file("nowhere"), cave));
    adit_refuses("cannot read it: Is a directory", ARGV(stats, diff, spawned_file("."), cave));
    adit_refuses("nobody", ARGV(stats, diff, spawned_file("sound"), (char *)"nobody"));
    adit_refuses("cannot write", ARGV(stats, cave, save, spawned_file("none/such")));
    adit_refuses("--diff goes with", ARGV(stats, diff, spawned_file("sound"), cave, (char *)"--prometheus"));
    adit_refuses("--anyway is of --diff", ARGV(stats, cave, anyway));
    adit_refuses("give one of", ARGV(stats, cave, json, save, spawned_file("x")));
    free(text);
}

static void of_another_arena_only_when_asked(void **state)
{
    struct spawned other, run;
    (void)state;
    char *here = saved("here"), *there = spawned_file("there");
    spawned_start(ADIT, ARGV((char *)"serve", (char *)"lake", (char *)"--size", (char *)"32M", (char *)"--quiet"), &other);
    assert_true(spawned_says(&other, "is ready"));
    adit_want(0, ARGV(stats, (char *)"lake", save, there), &run);
    spawned_free(&run);
    adit_refuses("/here: it is of another arena than lake; --anyway", ARGV(stats, diff, here, (char *)"lake"));
    adit_refuses("/here: it is of another arena than /", ARGV(stats, diff, here, there));
    adit_want(0, ARGV(stats, diff, here, there, anyway), &run);
    assert_true(strstr(run.out, "cave -> lake\n") && strstr(run.out, "\nput_ns ") && strstr(run.err, "are of two arenas"));
    spawned_free(&run);
    adit_want(0, ARGV(stats, diff, here, there, anyway, json), &run);
    json_t *o = json_loads(run.out, 0, NULL);
    spawned_free(&run);
    const json_t *puts = value_of(o, "chunks_put"), *took = value_of(o, "put_ns");
    assert_true(json_is_false(json_object_get(o, "same_arena")) && json_is_null(json_object_get(o, "seconds")));
    assert_true(number(puts, "after") == 0 && number(puts, "change") == -number(puts, "before") && json_is_null(json_object_get(puts, "per_s")));
    assert_true(json_is_null(json_object_get(took, "since")) && number(json_object_get(took, "times_before"), "p50") > 0);
    json_decref(o);

    /* one of the same name, made at another time */
    kill(other.pid, SIGTERM);
    spawned_wait(&other);
    spawned_free(&other);
    spawned_start(ADIT, ARGV((char *)"serve", (char *)"lake", (char *)"--size", (char *)"32M", (char *)"--quiet"), &other);
    assert_true(spawned_says(&other, "is ready"));
    adit_refuses("the arena lake was made anew between it and lake; --anyway", ARGV(stats, diff, there));
    adit_want(0, ARGV(stats, diff, there, anyway), &run);
    spawned_free(&run);
    kill(other.pid, SIGTERM);
    spawned_wait(&other);
    spawned_free(&other);
}

static int set_up(void **state)
{
    (void)state;
    spawned_home_make();
    spawned_start(ADIT, ARGV((char *)"serve", cave, (char *)"--size", (char *)"32M", (char *)"--quiet"), &serve);
    if (!spawned_says(&serve, "is ready"))
        return -1;
    return adit_attach(cave, ADIT_PRODUCER, NULL, &arena);
}

static int tear_down(void **state)
{
    (void)state;
    adit_detach(&arena);
    kill(serve.pid, SIGTERM);
    spawned_wait(&serve);
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
        cmocka_unit_test(what_happened_meanwhile_is_told),
        cmocka_unit_test(what_is_no_saved_look_is_one_line),
        cmocka_unit_test(of_another_arena_only_when_asked),
    };
    return cmocka_run_group_tests_name("stats_saved", tests, set_up, tear_down);
}
