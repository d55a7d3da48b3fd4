/* test_adit_serve.c - an arena that is served: fed, watched, listed and dumped by programs that come and go. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/adit_called.h"

static void serve_start(struct spawned *serve, char *name)
{
    spawned_start(ADIT, ARGV((char *)"serve", name, (char *)"--size", (char *)"64M", (char *)"--quiet"), serve);
    assert_true(spawned_says(serve, "is ready"));
}

static void serve_signal(struct spawned *serve, int signal, int code)
{
    kill(serve->pid, signal);
    spawned_wait(serve);
    if (serve->exit_code != code)
        fail_msg("serve: exit %d\n%s", serve->exit_code, serve->err);
    spawned_free(serve);
}

/* The same where nobody else is attached: the name goes with it. */
static void serve_end(struct spawned *serve, int signal, int code)
{
    serve_signal(serve, signal, code);
    assert_int_equal(spawned_files_count("adit", ""), 0);
}

static void an_arena_is_served_fed_watched_listed_and_dumped(void **state)
{
    (void)state;
    char *cave = (char *)"cave";
    struct spawned serve;
    serve_start(&serve, cave);
    for (int i = 1; i <= 2; i++) {
        char part[16];
        snprintf(part, sizeof part, "%d/2", i);
        json_t *fed = adit_json(ARGV((char *)"feed", cave, (char *)"terrain:4:2x2x1", (char *)"--part", part, (char *)"--json", (char *)"--quiet"));
        assert_true(number(fed, "chunks") > 0);
        json_decref(fed);
    }
    json_t *watched = adit_json(ARGV((char *)"watch", cave, (char *)"--json", (char *)"--raw", spawned_file("cave.raw")));
    json_t *run = adit_json(ARGV((char *)"run", (char *)"terrain:4:2x2x1", (char *)"--json", (char *)"--quiet"));
    assert_int_equal(number(watched, "visible_faces"), number(run, "visible_faces"));
    assert_int_equal(number(watched, "quads"), number(run, "quads"));
    assert_int_equal(number(watched, "unmeshed"), 0);
    assert_int_equal(spawned_files_count("", "cave.raw"), 1);

    json_t *listed = adit_json(ARGV((char *)"ls", (char *)"--json"));
    const json_t *arenas = json_object_get(listed, "arenas");
    assert_int_equal(json_array_size(arenas), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(arenas, 0), "name")), "cave");
    json_t *dumped = adit_json(ARGV((char *)"dump", cave, (char *)"--json"));
    assert_int_equal((int64_t)json_array_size(json_object_get(dumped, "chunk_list")), number(watched, "chunks"));
    assert_true(json_array_size(json_object_get(dumped, "materials")) >= (size_t)number(watched, "materials"));

    adit_refuses("cave", ARGV((char *)"serve", cave));
    json_decref(watched);
    json_decref(run);
    json_decref(listed);
    json_decref(dumped);
    serve_end(&serve, SIGTERM, 0);
}

/* (tried: a worker whose dispatcher is not opened: chunks stay unmeshed) */
/* Guests come by their socket, see the same world, and may change nothing. */
static void guests_come_by_a_path(void **state)
{
    (void)state;
    char *cave = (char *)"cave", *door = spawned_file("door");
    struct spawned serve;
    spawned_start(ADIT, ARGV((char *)"serve", cave, (char *)"--size", (char *)"64M", (char *)"--quiet", (char *)"--guests", (char *)"3",
                             (char *)"--guest-socket", door), &serve);
    assert_true(spawned_says(&serve, "is ready"));
    json_decref(adit_json(ARGV((char *)"feed", cave, (char *)"terrain:4:2x2x1", (char *)"--json", (char *)"--quiet")));
    json_t *watched = adit_json(ARGV((char *)"watch", cave, (char *)"--json")), *seen = adit_json(ARGV((char *)"watch", door, (char *)"--json"));
    assert_int_equal(number(seen, "visible_faces"), number(watched, "visible_faces"));
    assert_int_equal(number(seen, "voxels"), number(watched, "voxels"));
    assert_true(number(seen, "voxels") > 0);
    json_t *dumped = adit_json(ARGV((char *)"dump", door, (char *)"--json"));
    assert_int_equal((int64_t)json_array_size(json_object_get(dumped, "chunk_list")), number(watched, "chunks"));
    struct spawned fed;
    spawned_run(ADIT, ARGV((char *)"feed", door, (char *)"terrain:4:2x2x1"), &fed);
    assert_int_equal(fed.exit_code, 2);
    assert_non_null(strstr(fed.err, "guests"));
    spawned_free(&fed);
    json_decref(watched);
    json_decref(seen);
    json_decref(dumped);
    serve_end(&serve, SIGTERM, 0);
    assert_int_equal(spawned_files_count("", "door"), 0);
    spawned_run(ADIT, ARGV((char *)"serve", cave, (char *)"--guest-socket", door), &serve);
    assert_int_equal(serve.exit_code, 2);
    assert_non_null(strstr(serve.err, "--guests"));
    spawned_free(&serve);
}

static void work_goes_on_whoever_served_is_killed(void **state)
{
    (void)state;
    char *cave = (char *)"cave";
    struct spawned serve, work, run;
    serve_start(&serve, cave);
    spawned_start(ADIT, ARGV((char *)"work", cave, (char *)"--worker-processes", (char *)"1"), &work);
    assert_true(spawned_says(&work, "works on"));
    serve_signal(&serve, SIGKILL, 128 + SIGKILL);
    adit_want(0, ARGV((char *)"feed", cave, (char *)"terrain:4:2x2x1", (char *)"--quiet"), &run);
    spawned_free(&run);
    json_t *watched = adit_json(ARGV((char *)"watch", cave, (char *)"--json"));
    assert_int_equal(number(watched, "unmeshed"), 0);
    assert_true(number(watched, "quads") > 0);
    json_decref(watched);
    kill(work.pid, SIGTERM);
    spawned_wait(&work);
    assert_int_equal(work.exit_code, 0);
    assert_non_null(strstr(work.out, "meshes made"));
    assert_null(strstr(work.out, ": 0 meshes made")); /* (tried: those of worker processes not counted) */
    spawned_free(&work);
    assert_int_equal(spawned_files_count("adit", ""), 0);
    adit_refuses("cave", ARGV((char *)"work", cave));
}

/* Of the only arena there is. */
static int64_t meshes_made(void)
{
    json_t *listed = adit_json(ARGV((char *)"ls", (char *)"--json"));
    int64_t n = number(json_array_get(json_object_get(listed, "arenas"), 0), "meshes");
    json_decref(listed);
    return n;
}

/* The one who meshed is killed, and whoever waits for it says so. (tried: it gives up only where what a mesh takes is not known: it waits for ever) */
static void who_waits_for_a_dead_dispatcher_gives_up(void **state)
{
    (void)state;
    char *cave = (char *)"cave";
    struct spawned serve, feed;
    spawned_start(ADIT, ARGV((char *)"serve", cave, (char *)"--size", (char *)"256M", (char *)"--workers", (char *)"1", (char *)"--quiet"), &serve);
    assert_true(spawned_says(&serve, "is ready"));
    spawned_start(ADIT, ARGV((char *)"feed", cave, (char *)"noise50:1:64x1x64", (char *)"--max-behind", (char *)"1", (char *)"--quiet"), &feed);
    while (meshes_made() < 50) /* so the one who feeds knows what one takes */
        usleep(10000);
    serve_signal(&serve, SIGKILL, 128 + SIGKILL);
    spawned_wait(&feed);
    assert_int_equal(feed.exit_code, 1);
    assert_non_null(strstr(feed.err, "nothing has been meshed for 10 s"));
    assert_ptr_equal(strchr(feed.err, '\n'), strrchr(feed.err, '\n')); /* one line */
    spawned_free(&feed);
}

/* (tried: "it took too long" only) */
static void a_flight_that_has_no_room_names_what_gives_it(void **state)
{
    struct spawned fly;
    (void)state;
    adit_want(2, ARGV((char *)"fly", (char *)"--size", (char *)"2M", (char *)"--workers", (char *)"1", (char *)"--quiet"), &fly);
    assert_non_null(strstr(fly.err, "--size"));
    spawned_free(&fly);
    adit_want(2, ARGV((char *)"fly", (char *)"--chunks", (char *)"64", (char *)"--radius", (char *)"12", (char *)"--workers", (char *)"1", (char *)"--quiet"), &fly);
    assert_non_null(strstr(fly.err, "--chunks"));
    spawned_free(&fly);
}

static void a_size_that_is_rounded_up_is_told(void **state)
{
    (void)state;
    struct spawned serve;
    spawned_start(ADIT, ARGV((char *)"serve", (char *)"cave", (char *)"--size", (char *)"1M"), &serve);
    assert_true(spawned_says(&serve, "is ready"));
    kill(serve.pid, SIGINT);
    spawned_wait(&serve);
    assert_int_equal(serve.exit_code, 0);
    assert_non_null(strstr(serve.err, "where --size said 1 MiB"));
    spawned_free(&serve);
}

/* Quads of a file that are not open at all four corners. */
static uint32_t dim_quads(const char *path)
{
    char line[128];
    uint32_t n = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        n += *line != '#' && !strstr(line, " 3 3 3 3\n");
    fclose(file);
    return n;
}

/* (tried: the option not given to the arena) */
static void ambient_occlusion_is_the_arenas_whoever_meshes(void **state)
{
    (void)state;
    char *cave = (char *)"cave", *quads = spawned_file("cave.quads");
    for (int ao = 0; ao < 2; ao++) {
        struct spawned serve;
        spawned_start(ADIT, ARGV((char *)"serve", cave, (char *)"--size=64M", (char *)"--quiet", (char *)(ao ? "--ao" : "--workers=1")), &serve);
        assert_true(spawned_says(&serve, "is ready"));
        json_decref(adit_json(ARGV((char *)"feed", cave, (char *)"terrain:4:2x1x1", (char *)"--json", (char *)"--quiet")));
        json_decref(adit_json(ARGV((char *)"watch", cave, (char *)"--json", (char *)"--once", (char *)"--out", quads)));
        assert_true(ao ? dim_quads(quads) > 1000 : !dim_quads(quads));
        serve_end(&serve, SIGTERM, 0);
    }
}

static void feeding_again_replaces_what_was_there(void **state)
{
    (void)state;
    char *cave = (char *)"cave", *world = (char *)"--world", *three = (char *)"3";
    struct spawned serve, run;
    serve_start(&serve, cave);
    adit_want(0, ARGV((char *)"feed", cave, (char *)"noise50:1:2x1x1", world, three), &run);
    spawned_free(&run);
    adit_want(0, ARGV((char *)"feed", cave, (char *)"checker:1x1x1", world, three), &run); /* its box is one chunk */
    spawned_free(&run);
    json_t *j = adit_json(ARGV((char *)"watch", cave, (char *)"--json"));
    const json_t *w = json_array_get(json_object_get(j, "worlds"), 0);
    assert_int_equal(number(w, "world"), 3);
    assert_int_equal(number(w, "chunks"), 2);
    json_decref(j);
    serve_end(&serve, SIGINT, 0);
}

/* (tried: without the two seconds feed ends with 2) */
static void a_name_may_appear_after_those_who_want_it(void **state)
{
    (void)state;
    char *cave = (char *)"cave";
    struct spawned feed, dump, serve;
    spawned_start(ADIT, ARGV((char *)"feed", cave, (char *)"checker:1x1x1"), &feed);
    spawned_start(ADIT, ARGV((char *)"dump", cave, (char *)"--brief"), &dump);
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    serve_start(&serve, cave);
    spawned_wait(&feed);
    spawned_wait(&dump);
    if (feed.exit_code || dump.exit_code)
        fail_msg("exit %d and %d: %s%s", feed.exit_code, dump.exit_code, feed.err, dump.err);
    spawned_free(&feed);
    spawned_free(&dump);
    serve_end(&serve, SIGTERM, 0);
}

static void who_follows_learns_that_the_last_producer_has_left(void **state)
{
    (void)state;
    char *cave = (char *)"cave";
    struct spawned serve, watch, run;
    serve_start(&serve, cave);
    spawned_start(ADIT, ARGV((char *)"watch", cave, (char *)"--follow"), &watch);
    adit_want(0, ARGV((char *)"feed", cave, (char *)"checker:1x1x1"), &run);
    spawned_free(&run);
    assert_true(spawned_says(&watch, "chunk 0,0,0: version 1"));
    serve_signal(&serve, SIGTERM, 0);
    spawned_wait(&watch);
    assert_int_equal(watch.exit_code, 0);
    assert_non_null(strstr(watch.err, "has left"));
    assert_int_equal(spawned_files_count("adit", ""), 0); /* the follower was the last one out */
    spawned_free(&watch);
}

static void an_idle_arena_ends_when_it_is_told_to(void **state)
{
    (void)state;
    char *cave = (char *)"cave";
    struct spawned serve, run;
    spawned_start(ADIT, ARGV((char *)"serve", cave, (char *)"--until-idle", (char *)"--size", (char *)"16M", (char *)"--quiet"), &serve);
    assert_true(spawned_says(&serve, "is ready"));
    adit_want(0, ARGV((char *)"feed", cave, (char *)"checker:1x1x1"), &run);
    spawned_free(&run);
    spawned_wait(&serve);
    assert_int_equal(serve.exit_code, 0);
    spawned_free(&serve);
}

static void the_examples_work_together(void **state)
{
    (void)state;
    char *cave = (char *)"cave";
    struct spawned serve, consumer, run;
    serve_start(&serve, cave);
    spawned_start("tools/examples/consumer", (char *[]){(char *)"consumer", cave, NULL}, &consumer);
    spawned_run("tools/examples/producer", (char *[]){(char *)"producer", cave, NULL}, &run);
    assert_int_equal(run.exit_code, 0);
    spawned_free(&run);
    spawned_wait(&consumer);
    assert_int_equal(consumer.exit_code, 0);
    assert_non_null(strstr(consumer.out, "chunk 0,0,0: "));
    spawned_free(&consumer);
    spawned_run("tools/examples/editor", (char *[]){(char *)"editor", cave, (char *)"20", NULL}, &run);
    assert_int_equal(run.exit_code, 0);
    spawned_free(&run);
    json_t *j = adit_json(ARGV((char *)"watch", cave, (char *)"--json"));
    assert_int_equal(number(j, "materials"), 2); /* stone, and what the editor left of its moss */
    json_decref(j);
    serve_end(&serve, SIGTERM, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, adit_home_make, adit_home_remove)

int main(void)
{
#ifdef __SANITIZE_THREAD__
    puts("skipped: ThreadSanitizer cannot follow order through other processes (test_adit_cli.c)");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        TEST(an_arena_is_served_fed_watched_listed_and_dumped),
        TEST(guests_come_by_a_path),
        TEST(work_goes_on_whoever_served_is_killed),
        TEST(who_waits_for_a_dead_dispatcher_gives_up),
        TEST(a_flight_that_has_no_room_names_what_gives_it),
        TEST(a_size_that_is_rounded_up_is_told),
        TEST(ambient_occlusion_is_the_arenas_whoever_meshes),
        TEST(feeding_again_replaces_what_was_there),
        TEST(a_name_may_appear_after_those_who_want_it),
        TEST(who_follows_learns_that_the_last_producer_has_left),
        TEST(an_idle_arena_ends_when_it_is_told_to),
        TEST(the_examples_work_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
