/* test_shmtop_events.c - the screen events of shmtop: laid out without a terminal, and equal to what `adit stats --events` says of the same arena, live or in an image. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "shm/shm.h"
#include "tests/adit_called.h"
#include "tests/shmtop_scenes.h"
#include "tools/shmtop_keys.h"

#define SHMTOP "bin/shmtop"
#define TRIES 200

static struct shmtop_view view;

/* ---- the layout ------------------------------------------------------------------------------------------------- */

static int reset(void **state)
{
    (void)state;
    scene_reset();
    shmtop_view_init(&view);
    return 0;
}

static void keys(const char *text)
{
    for (; *text; text++) {
        struct shmtop_scene scene;
        shmtop_scene_make(&view, &scene_model, &scene);
        shmtop_view_key(&view, &scene, *text == '!' ? SHMTOP_KEY_ENTER : *text);
        shmtop_scene_fini(&scene);
    }
}

/* (tried: the kind not taken off the duration; the words' names in each other's place.) */
static void an_event_says_when_who_what_and_its_two_words(void **state)
{
    (void)state;
    struct shmtop_snapshot *s = scene_begin(5, 2);
    scene_fill(s);
    shmtop_model_add(&scene_model, s);
    keys("e");
    assert_string_equal(shmtop_screens[view.screen]->name, "events");
    const struct shmtop_page *p = scene_page(&view, 120, SHMTOP_ALL_ROWS);
    const struct shmtop_line *death = scene_line(p, " death "), *task = scene_line(p, " task "), *mesh = scene_line(p, " mesh "), *put = scene_line(p, " put ");
    assert_true(death && task && mesh && put);
    assert_true(death < task && task < mesh && mesh < put); /* the newest first */
    assert_true(strstr(death->text, "1.00 ms") == death->text + 2 && strstr(death->text, " 1000 feeder") && strstr(death->text, "owner word 65538, pid 1001"));
    assert_int_equal(death->style, SHMTOP_WARNING);
    assert_true(strstr(task->text, "kind 1, handle 77, took 2.50 us") != NULL);
    assert_true(strstr(mesh->text, "key 3 0 1, took 1.20 ms") && strstr(put->text, "key 3 0 1, number 5"));
    assert_non_null(scene_line(p, "4 of 600 events"));
}

/* (tried: rows known by their place.) */
static void events_are_filtered_found_and_sorted_as_any_rows(void **state)
{
    (void)state;
    struct shmtop_snapshot *s = scene_begin(5, 2);
    scene_fill(s);
    shmtop_model_add(&scene_model, s);
    keys("e/key 3!");
    const struct shmtop_page *p = scene_page(&view, 120, SHMTOP_ALL_ROWS);
    assert_true(scene_page_has(p, " mesh ") && scene_page_has(p, " put ") && !scene_page_has(p, " death "));
    keys("e>>>>fput!"); /* another screen's filter is gone; by EVENT */
    p = scene_page(&view, 120, 40);
    assert_true(scene_line(p, " death ") < scene_line(p, " mesh ") && scene_line(p, " mesh ") < scene_line(p, " put ") && scene_line(p, " put ") < scene_line(p, " task "));
    assert_int_equal(scene_line(p, " put ")->style, SHMTOP_CHOSEN);
    s = scene_begin(6, 2);
    scene_fill(s);
    for (uint32_t i = 0; i < s->events_n; i++) /* the same ones, a second later */
        s->events[i].at_ns -= 1000000000u;
    assert_non_null(shmtop_snapshot_more(s, events));
    memmove(s->events + 1, s->events, (s->events_n - 1) * sizeof *s->events);
    s->events[0] = (struct adit_flight_event){s->taken_ns - 1, SCENE_PUT, 65537, 1000, SCENE_KEY, 6};
    shmtop_model_add(&scene_model, s);
    assert_non_null(strstr(scene_line(scene_page(&view, 120, 40), "number 5")->text, "1.00 s"));
    assert_int_equal(scene_line(scene_page(&view, 120, 40), "number 5")->style, SHMTOP_CHOSEN);
}

/* ---- the program ------------------------------------------------------------------------------------------------ */

/* The tables of the one sample that shmtop prints; *root is the caller's. */
static const json_t *top_tables(char *operand, json_t **root)
{
    struct spawned run;
    spawned_run(SHMTOP, (char *[]){(char *)"shmtop", (char *)"--json", operand, NULL}, &run);
    if (run.exit_code)
        fail_msg("exit %d: %s", run.exit_code, run.err);
    *root = json_loads(run.out, 0, NULL);
    assert_non_null(*root);
    spawned_free(&run);
    return json_object_get(json_array_get(json_object_get(*root, "samples"), 0), "tables");
}

static json_t *stats_json(char *operand) { return adit_json(ARGV((char *)"stats", operand, (char *)"--events", (char *)"--json")); }

static bool has_event(const json_t *rows, int64_t participant, const json_t *wanted)
{
    static const char *const numbers[] = {"at", "tid", "a", "b"}, *const theirs[] = {"at_ns", "tid", "a", "b"};
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        bool is = number(row, "participant") == participant && !strcmp(json_string_value(json_object_get(row, "event")), json_string_value(json_object_get(wanted, "event")));
        for (uint32_t k = 0; k < 4 && is; k++)
            is = number(row, numbers[k]) == number(wanted, theirs[k]);
        if (is)
            return true;
    }
    return false;
}

/* Histograms without labels: of those with, adit stats tells each by itself. Returns how many were measured ever. */
static uint32_t assert_same_latencies(const json_t *stats, const json_t *tables)
{
    static const char *const theirs[] = {"count", "p50", "p99", "most"}, *const ours[] = {"times", "p50_ns", "p99_ns", "most_ns"};
    const json_t *metrics = json_object_get(stats, "metrics"), *rows = json_object_get(tables, "latencies");
    uint32_t measured = 0, seen = 0;
    for (size_t i = 0; i < json_array_size(metrics); i++) {
        const json_t *m = json_array_get(metrics, i), *row = json_array_get(rows, seen), *value = json_array_get(json_object_get(m, "values"), 0);
        if (strcmp(json_string_value(json_object_get(m, "type")), "histogram"))
            continue;
        assert_string_equal(json_string_value(json_object_get(row, "name")), json_string_value(json_object_get(m, "name")));
        seen++;
        if (*json_string_value(json_object_get(m, "by")))
            continue;
        for (uint32_t k = 0; k < 4 && number(value, "count"); k++)
            assert_int_equal(number(row, ours[k]), number(value, theirs[k]));
        measured += number(value, "count") > 0;
    }
    assert_int_equal(seen, json_array_size(rows));
    return measured;
}

/* Every participant and each of its last events that stats tells of stands in shmtop's tables, which are sorted. Returns how many events. */
static uint32_t assert_same(const json_t *stats, const json_t *tables)
{
    const json_t *members = json_object_get(stats, "participants"), *rows = json_object_get(tables, "events"), *recorders = json_object_get(tables, "recorders");
    uint32_t compared = 0;
    assert_int_equal(json_array_size(recorders), json_array_size(members));
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *m = json_array_get(members, i), *r = json_array_get(recorders, i), *said = json_object_get(m, "events");
        assert_true(number(m, "participant") == number(r, "participant") && number(m, "pid") == number(r, "pid") && number(m, "events_ever") == number(r, "events") &&
                    number(m, "threads") == number(r, "threads"));
        assert_string_equal(json_string_value(json_object_get(m, "label")), json_string_value(json_object_get(r, "label")));
        assert_string_equal(json_string_value(json_object_get(r, "state")), json_is_true(json_object_get(m, "attached")) ? "attached" : "left");
        assert_true(number(r, "told") >= (int64_t)json_array_size(said));
        for (size_t k = 0; k < json_array_size(said); k++, compared++)
            if (!has_event(rows, number(m, "participant"), json_array_get(said, k)))
                fail_msg("participant %lld: event %zu of %zu is not there", (long long)number(m, "participant"), k, json_array_size(said));
    }
    for (size_t i = 1; i < json_array_size(rows); i++)
        assert_true(number(json_array_get(rows, i), "at") <= number(json_array_get(rows, i - 1), "at"));
    return compared;
}

static pthread_barrier_t talked;

static void *chatter(void *user)
{
    struct adit_arena *a = user;
    for (uint64_t i = 0; i < ADIT_METRIC_EVENTS; i++)
        adit_event(a, ADIT_EVENT_GRACE, adit_clock_ns(), i, 1);
    pthread_barrier_wait(&talked); /* one that ends leaves its place to the next */
    return NULL;
}

/* A child that waits for a byte in go, puts some chunks, and ends without a word. Before this process has threads. */
static pid_t feeder_start(const char *name, int go[2])
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        struct adit_arena *a;
        char byte;
        if (read(go[0], &byte, 1) != 1)
            _exit(3);
        struct adit_attach_params params = {.size = sizeof params, .label = "the quiet one"};
        if (adit_attach(name, ADIT_PRODUCER, &params, &a))
            _exit(1);
        for (int32_t i = 0; i < 40; i++) {
            voxels[i] = 7;
            if (adit_chunk_put(a, &(struct adit_key){.x = i}, voxels, NULL))
                _exit(2);
        }
        kill(getpid(), SIGKILL);
    }
    return child;
}

/* Six threads that talk without end do not hide what a dead process has said before. (tried: only the newest of all kept.) */
static void what_stats_says_is_told_be_there_ever_so_much_more(void **state)
{
    const struct adit_create_params params = {.size = sizeof params, .data_bytes = 16u << 20};
    struct adit_arena *a;
    pthread_t threads[6];
    json_t *before = NULL, *root = NULL, *after = NULL;
    (void)state;
    int go[2], status;
    pid_t feeder = feeder_start("scene", go);
    assert_int_equal(adit_create("scene", &params, &a), 0);
    assert_int_equal(write(go[1], "g", 1), 1);
    assert_true(waitpid(feeder, &status, 0) == feeder && WIFSIGNALED(status));
    close(go[0]);
    close(go[1]);
    pthread_barrier_init(&talked, NULL, 6);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, chatter, a), 0);
    for (uint32_t i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    const json_t *tables = NULL;
    bool is_still = false;
    for (uint32_t tries = 0; tries < TRIES && !is_still; tries++) { /* until nothing happened meanwhile: the dead is to be recovered first */
        json_decref(before);
        json_decref(root);
        json_decref(after);
        before = stats_json((char *)"scene");
        tables = top_tables((char *)"scene", &root);
        after = stats_json((char *)"scene");
        is_still = json_equal(json_object_get(before, "participants"), json_object_get(after, "participants"));
    }
    assert_true(is_still);
    assert_true(assert_same(before, tables) > 40);
    uint32_t quiet = 0, all = (uint32_t)json_array_size(json_object_get(tables, "events"));
    for (uint32_t i = 0; i < all; i++)
        quiet += !strcmp(json_string_value(json_object_get(json_array_get(json_object_get(tables, "events"), i), "label")), "the quiet one");
    assert_int_equal(quiet, SHMTOP_EVENTS_EACH);
    assert_in_range(all, SHMTOP_EVENTS_MAX + SHMTOP_EVENTS_EACH, 7 * ADIT_METRIC_EVENTS);
    json_decref(before);
    json_decref(root);
    json_decref(after);
    adit_detach(&a);
}

static void frames_and_die(const char *name)
{
    static const struct adit_frame_point draw = {"draw", 0};
    struct adit_frame_params p = {.size = sizeof p, .period_ns = 10000000u, .points = &draw, .points_n = 1};
    struct adit_attach_params params = {.size = sizeof params, .label = "eye"};
    struct adit_frame *f;
    if (adit_attach(name, ADIT_CONSUMER, &params, &p.arena) || adit_frame_open(&p, &f))
        _exit(1);
    for (uint32_t i = 0; i < 31; i++) {
        (void)adit_frame_wait(f);
        (void)adit_frame_reach(f, 0); /* at the frame's very begin: never in time */
    }
    kill(getpid(), SIGKILL);
}

/* The loop of a process that was killed, as shmtop tells of it; its points and its alert. */
static void assert_eye(const json_t *tables, pid_t eye)
{
    const json_t *loop = json_array_get(json_object_get(tables, "loops"), 0), *point = json_array_get(json_object_get(tables, "points"), 0), *frames = json_object_get(tables, "frames"),
                 *alerts = json_object_get(tables, "alerts");
    bool is_alerted = false;
    assert_true(number(loop, "pid") == eye && number(loop, "frames") == 30 && number(loop, "period_ns") == 10000000 && number(loop, "missed") == 31);
    assert_string_equal(json_string_value(json_object_get(loop, "label")), "eye");
    assert_string_equal(json_string_value(json_object_get(loop, "state")), "left");
    assert_true(!strcmp(json_string_value(json_object_get(point, "point")), "draw") && number(point, "reached") == 31 && number(point, "missed") == 31);
    assert_int_equal(json_array_size(frames), 30);
    for (size_t i = 0; i < 30; i++) {
        const json_t *f = json_array_get(frames, i);
        assert_true(number(f, "frame") == 30 - (int64_t)i && number(f, "took_ns") > 0 && !strcmp(json_string_value(json_object_get(f, "missed")), "draw"));
    }
    for (size_t i = 0; i < json_array_size(alerts); i++)
        is_alerted |= !strcmp(json_string_value(json_object_get(json_array_get(alerts, i), "alert")), "frames_dropped") && number(json_array_get(alerts, i), "value") >= 30;
    assert_true(is_alerted);
}

/* (tried: loops that are left not told of; the last frames of another loop.) */
static void frames_are_told_of_be_all_dead(void **state)
{
    struct spawned serve, run;
    json_t *root = NULL;
    const json_t *tables = NULL;
    char *image = spawned_file("cave.image");
    bool is_left = false;
    (void)state;
    spawned_start(ADIT, ARGV((char *)"serve", (char *)"cave", (char *)"--size", (char *)"32M", (char *)"--quiet"), &serve);
    assert_true(spawned_says(&serve, "is ready"));
    pid_t eye = fork();
    assert_true(eye >= 0);
    if (!eye)
        frames_and_die("cave");
    int status;
    assert_true(waitpid(eye, &status, 0) == eye && WIFSIGNALED(status));
    for (uint32_t tries = 0; tries < TRIES && !is_left; tries++) { /* until the keeper has found it dead */
        json_decref(root);
        tables = top_tables((char *)"cave", &root);
        const char *is = json_string_value(json_object_get(json_array_get(json_object_get(tables, "loops"), 0), "state"));
        is_left = is && !strcmp(is, "left");
    }
    assert_true(is_left);
    assert_eye(tables, eye);
    json_decref(root);
    adit_want(0, ARGV((char *)"dump", (char *)"cave", (char *)"--image", image, (char *)"--brief"), &run);
    spawned_free(&run);
    kill(serve.pid, SIGKILL);
    spawned_wait(&serve);
    spawned_free(&serve);
    assert_eye(top_tables(image, &root), eye);
    json_decref(root);
}

/* (tried: an image's metrics not asked for their names.) */
static void an_image_says_the_same_when_all_are_dead(void **state)
{
    struct spawned serve, run;
    json_t *root;
    char *image = spawned_file("cave.image");
    (void)state;
    spawned_start(ADIT, ARGV((char *)"serve", (char *)"cave", (char *)"--size", (char *)"32M", (char *)"--quiet"), &serve);
    assert_true(spawned_says(&serve, "is ready"));
    adit_want(0, ARGV((char *)"feed", (char *)"cave", (char *)"terrain:7:3x2x3", (char *)"--quiet"), &run);
    spawned_free(&run);
    adit_want(0, ARGV((char *)"dump", (char *)"cave", (char *)"--image", image, (char *)"--brief"), &run);
    spawned_free(&run);
    kill(serve.pid, SIGKILL);
    spawned_wait(&serve);
    spawned_free(&serve);
    json_t *said = stats_json(image);
    const json_t *tables = top_tables(image, &root);
    assert_true(assert_same(said, tables) > 10);
    assert_true(assert_same_latencies(said, tables) >= 2); /* puts, and from there to meshes */
    json_decref(said);
    json_decref(root);
}

static int64_t counted(const struct adit_arena *a, const char *name)
{
    uint32_t metric;
    int64_t value = 0;
    assert_int_equal(adit_metric_find(a, name, &metric), 0);
    assert_int_equal(adit_metric_value(a, metric, ADIT_METRIC_ALL, 0, &value), 0);
    return value;
}

/* The row whose column has that number; NULL: none. */
static const json_t *row_of(const json_t *rows, const char *column, int64_t wanted)
{
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (json_integer_value(json_object_get(json_array_get(rows, i), column)) == wanted)
            return json_array_get(rows, i);
    return NULL;
}

/* Three are killed in the midst of it; this process alone holds the memory, and finds them dead; an image is saved, and nobody is left. (tried: events of who has left not kept; an image's moment without its events; deaths by /proc alone.) */
static void a_storm_that_was_killed_is_told_of_in_its_image(void **state)
{
    struct spawned killed[3], run;
    struct adit_arena *a;
    json_t *root;
    char *image = spawned_file("storm.image");
    (void)state;
    spawned_start(ADIT, ARGV((char *)"serve", (char *)"cave", (char *)"--size", (char *)"64M", (char *)"--quiet"), &killed[0]);
    assert_true(spawned_says(&killed[0], "is ready"));
    spawned_start(ADIT, ARGV((char *)"work", (char *)"cave", (char *)"--quiet"), &killed[1]);
    spawned_start(ADIT, ARGV((char *)"feed", (char *)"cave", (char *)"terrain:7:3x2x3", (char *)"--edits", (char *)"1000000", (char *)"--quiet"), &killed[2]);
    assert_int_equal(adit_attach("cave", ADIT_PRODUCER, NULL, &a), 0);
    uint64_t until = adit_clock_ns() + SPAWNED_DEADLINE_MS * 1000000ull;
    struct adit_stats stats = {.size = sizeof stats};
    while ((counted(a, "chunks_edited") < 100 || adit_stats(a, &stats) || stats.participants < 4) && adit_clock_ns() < until)
        (void)usleep(2000);
    for (uint32_t i = 0; i < 3; i++)
        kill(killed[i].pid, SIGKILL);
    for (uint32_t i = 0; i < 3; i++)
        spawned_wait(&killed[i]);
    while (counted(a, "deaths") < 3 && adit_clock_ns() < until)
        (void)usleep(2000);
    assert_int_equal(counted(a, "deaths"), 3);
    adit_want(0, ARGV((char *)"dump", (char *)"cave", (char *)"--image", image, (char *)"--brief"), &run);
    spawned_free(&run);
    adit_detach(&a);
    const json_t *tables = top_tables(image, &root), *alerts = json_object_get(tables, "alerts");
    json_t *said = stats_json(image);
    assert_true(assert_same(said, tables) >= 3 * 2);
    json_decref(said);
    for (uint32_t i = 0; i < 3; i++) {
        char of[64];
        bool is_alerted = false;
        const json_t *recorder = row_of(json_object_get(tables, "recorders"), "pid", killed[i].pid);
        assert_true(recorder && number(recorder, "told") >= 2 && row_of(json_object_get(tables, "events"), "pid", killed[i].pid));
        snprintf(of, sizeof of, "pid %d adit %s", (int)killed[i].pid, i == 0 ? "serve" : i == 1 ? "work" : "feed");
        for (size_t k = 0; k < json_array_size(alerts); k++)
            is_alerted |= !strcmp(json_string_value(json_object_get(json_array_get(alerts, k), "alert")), "participant_lost") &&
                          !strcmp(json_string_value(json_object_get(json_array_get(alerts, k), "of")), of);
        if (!is_alerted)
            fail_msg("no alert of %s", of);
        spawned_free(&killed[i]);
    }
    json_decref(root);
}

#define LAYOUT(f) cmocka_unit_test_setup(f, reset)
#define PROGRAM(f) cmocka_unit_test_setup_teardown(f, adit_home_make, adit_home_remove)

int main(void)
{
#ifdef __SANITIZE_THREAD__
    puts("skipped: what is read of an arena by who has no section, and order through other processes, ThreadSanitizer cannot follow");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        LAYOUT(an_event_says_when_who_what_and_its_two_words),
        LAYOUT(events_are_filtered_found_and_sorted_as_any_rows),
        PROGRAM(what_stats_says_is_told_be_there_ever_so_much_more),
        PROGRAM(an_image_says_the_same_when_all_are_dead),
        PROGRAM(frames_are_told_of_be_all_dead),
        PROGRAM(a_storm_that_was_killed_is_told_of_in_its_image),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scene_reset();
    return failed;
}
