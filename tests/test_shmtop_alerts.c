/* test_shmtop_alerts.c - what shmtop alerts of: limits and the file that sets them, alerts of scenes made up and of an arena, their screen, JSON and exit code. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "shm/shm.h"
#include "tests/adit_called.h"
#include "tests/shmtop_scenes.h"
#include "tools/shmtop_alarm.h"
#include "tools/shmtop_keys.h"
#include "tools/shmtop_print.h"

#define SHMTOP "bin/shmtop"
#define SECOND 1000000000ull
#define TOP(...) ((char *[]){(char *)"shmtop", __VA_ARGS__, NULL})

static struct shmtop_view view;

static int reset(void **state)
{
    (void)state;
    scene_reset();
    shmtop_view_init(&view);
    return 0;
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static struct shmtop_limits limits;
static char error[512];

static bool reads(const char *text)
{
    FILE *f = fmemopen((char *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(f);
    shmtop_limits_init(&limits);
    *error = 0;
    bool is_read = shmtop_limits_read(f, "my.conf", &limits, error, sizeof error);
    fclose(f);
    return is_read;
}

/* (tried: a unit of another measure taken; the part behind the point left out.) */
static void a_file_sets_what_it_names(void **state)
{
    (void)state;
    assert_true(reads("# all of them\n\n  reader_held = 1.5 GiB # much\nqueue_wait=250ms\r\nmesh_wait = 2 min\nframes_dropped = 3\ntiers_off = off\nparticipant_lost = 1 h\nmemory_used = 75"));
    static const uint64_t wanted[SHMTOP_LIMITS] = {3ull << 29, 250000000u, 120 * SECOND, 3, SHMTOP_LIMIT_OFF, 3600 * SECOND, 75};
    for (uint32_t i = 0; i < SHMTOP_LIMITS; i++) {
        assert_int_equal(limits.at[i], wanted[i]);
        assert_true(limits.is_set[i]);
    }
    assert_string_equal(limits.file, "my.conf");
    assert_true(reads(" \n#\n"));
    for (uint32_t i = 0; i < SHMTOP_LIMITS; i++)
        assert_true(limits.at[i] == shmtop_limit_about[i].built && !limits.is_set[i]);
}

static void a_bad_line_is_named_with_its_cure(void **state)
{
    static const char *const bad[][2] = {
        {"reader_held = 64", "my.conf:1: reader_held = '64' is no value of it; write it like 64 MiB, or off"},
        {"\n\nqueue_wait = 3 MiB\n", "my.conf:3: queue_wait = '3 MiB' is no value of it; write it like 500 ms or 2 s, or off"},
        {"memory_used = 101 %\n", "my.conf:1: memory_used = 101 % is out of range; from 1 % to 100 % are possible, or off"},
        {"memory_used = -1 %\n", "like 90 %"},
        {"queue_wait = 1e9 s\n", "like 500 ms"},
        {"queue_wait = 0x10 s\n", "like 500 ms"},
        {"queue_wait = inf s\n", "like 500 ms"},
        {"queue_wait = 0 s\n", "out of range"},
        {"queue_wait = 99999999999999999999999 s\n", "out of range"},
        {"queue_wait = 999999999999999999999999999999 s\n", "like 500 ms"},
        {"frames_dropped = 1.5 s\n", "like 3"},
        {"frames_dropped =\n", "like 3"},
        {"frames_dropped\n", "my.conf:1: 'frames_dropped' is no limit; write NAME = VALUE"},
        {"= 3\n", "is no limit; write NAME = VALUE"},
        {"reader_hold = 1 MiB\n", "my.conf:1: there is no limit 'reader_hold'; `shmtop --help` lists them"},
        {"\033[2J = 1\n", "there is no limit '?[2J'"},
    };
    (void)state;
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (reads(bad[i][0]) || !strstr(error, bad[i][1]) || strchr(error, '\n') || strchr(error, '\033'))
            fail_msg("'%s' says '%s', wanted '%s'", bad[i][0], error, bad[i][1]);
    char line[1024];
    memset(line, '#', sizeof line);
    line[sizeof line - 1] = 0;
    assert_true(!reads(line) && strstr(error, "my.conf:1: it is longer than 510"));
    line[510] = '\n';
    line[511] = 0;
    assert_true(reads(line));
    FILE *f = fmemopen((char[]){'a', 0, 'b', '\n', 'c', '\n'}, 6, "r");
    assert_true(!shmtop_limits_read(f, "my.conf", &limits, error, sizeof error) && strstr(error, "a byte 0"));
    fclose(f);
}

/* ---- alerts ----------------------------------------------------------------------------------------------------- */

/* The alert of a limit in a snapshot; NULL: none. */
static const struct shmtop_alert *alert_of(const struct shmtop_snapshot *s, enum shmtop_limit limit)
{
    for (uint32_t i = 0; i < s->alerts_n; i++)
        if (s->alerts[i].limit == limit)
            return &s->alerts[i];
    return NULL;
}

static struct shmtop_snapshot *quiet(uint64_t second)
{
    struct shmtop_snapshot *s = scene_begin(second, 3);
    s->stats.segments[1].free_bytes = s->stats.segments[1].bytes;
    return s;
}

static void put_event(struct shmtop_snapshot *s, uint32_t metric, uint64_t at_ns, uint64_t a, uint64_t b)
{
    struct adit_flight_event *e = shmtop_snapshot_more(s, events);
    *e = (struct adit_flight_event){at_ns, metric, 65537, 1000, a, b};
}

/* The scene of the issue: a reader that holds 64 MiB, a queue that waits, dropped frames, a device that is lost, a dead worker, memory that is nearly full. */
static struct shmtop_snapshot *troubled(uint64_t second)
{
    struct shmtop_snapshot *s = quiet(second);
    s->participants[1].pinned_bytes = 64u << 20;
    struct shmtop_queue_seen *q = shmtop_snapshot_more(s, queues);
    q->view = (struct adit_queue_view){.name = "work", .levels_n = 5};
    q->view.levels[2].oldest_ns = s->taken_ns - 3 * SECOND;
    struct adit_chunk_info *c = shmtop_snapshot_more(s, chunks);
    *c = (struct adit_chunk_info){.key = {.x = 3, .y = -1, .z = 2}, .state = ADIT_CHUNK_DIRTY, .dirty_ns = s->taken_ns - 11 * SECOND};
    *shmtop_snapshot_more(s, members) = (struct shmtop_member){.who = 65537, .pid = 1000, .label = "keeper"};
    *shmtop_snapshot_more(s, members) = (struct shmtop_member){.who = 65539, .pid = 1234, .label = "worker"};
    s->tiers_off = 1;
    put_event(s, SCENE_DEATH, s->taken_ns - 7 * SECOND, 65539, 1234);
    put_event(s, SCENE_FRAME_MISSED, s->taken_ns - 8 * SECOND, 12, 0);
    put_event(s, SCENE_FRAME_MISSED, s->taken_ns - 9 * SECOND, 11, 0);
    s->stats.segments[1].free_bytes = s->stats.segments[1].bytes / 16;
    return s;
}

/* (tried: each measurement left out; a death told of for ever.) */
static void every_trouble_is_alerted_and_calm_is_not(void **state)
{
    (void)state;
    struct shmtop_snapshot *s = quiet(100);
    shmtop_model_add(&scene_model, s);
    assert_true(!s->alerts_n && s->grade == 'A');
    s = troubled(110);
    shmtop_model_add(&scene_model, s);
    static const struct {
        enum shmtop_limit limit;
        uint64_t since_s, value;
        const char *about;
    } wanted[SHMTOP_LIMITS] = {{SHMTOP_READER_HELD, 110, 64u << 20, "pid 1001 feeder 1"}, {SHMTOP_QUEUE_WAIT, 108, 3 * SECOND, "queue work, level 2"},
                               {SHMTOP_MESH_WAIT, 109, 11 * SECOND, "chunk 3 -1 2"},      {SHMTOP_FRAMES_DROPPED, 101, 2, "pid 1000 keeper"},
                               {SHMTOP_TIERS_OFF, 110, 1, "devices and kernels"},         {SHMTOP_PARTICIPANT_LOST, 103, 7 * SECOND, "pid 1234 worker"},
                               {SHMTOP_MEMORY_USED, 110, 93, "data of the arena"}};
    assert_int_equal(s->alerts_n, SHMTOP_LIMITS);
    for (uint32_t i = 0; i < SHMTOP_LIMITS; i++) {
        const struct shmtop_alert *a = alert_of(s, wanted[i].limit);
        if (!a || a->since_ns != wanted[i].since_s * SECOND || a->value != wanted[i].value || strcmp(a->about, wanted[i].about))
            fail_msg("%s: since %llu, %llu, '%s'", shmtop_limit_about[i].name, a ? (unsigned long long)a->since_ns : 0, a ? (unsigned long long)a->value : 0, a ? a->about : "none");
    }
    assert_int_equal(s->grade, 'F');
    s = quiet(175); /* the dead are told of for a minute, and so are frames */
    put_event(s, SCENE_DEATH, 103 * SECOND, 65539, 1234);
    put_event(s, SCENE_FRAME_MISSED, 102 * SECOND, 12, 0);
    shmtop_model_add(&scene_model, s);
    assert_true(!s->alerts_n && s->grade == 'A');
}

/* (tried: the moment of the newest snapshot.) */
static void an_alert_lasts_since_it_was_first_seen(void **state)
{
    (void)state;
    for (uint64_t second = 1; second <= 3; second++) {
        struct shmtop_snapshot *s = quiet(second);
        s->participants[0].info.gone = second > 1;
        s->participants[2].pinned_bytes = second == 2 ? 0 : 128u << 20;
        shmtop_model_add(&scene_model, s);
    }
    const struct shmtop_snapshot *s = scene_model.history[2];
    assert_int_equal(alert_of(s, SHMTOP_PARTICIPANT_LOST)->since_ns, 2 * SECOND);
    assert_int_equal(alert_of(s, SHMTOP_PARTICIPANT_LOST)->value, SECOND);
    assert_string_equal(alert_of(s, SHMTOP_PARTICIPANT_LOST)->about, "pid 1000 feeder 0");
    assert_int_equal(alert_of(s, SHMTOP_READER_HELD)->since_ns, 3 * SECOND); /* it had gone in between */
    assert_int_equal(s->alerts_n, 2);
    assert_int_equal(s->grade, 'E');
}

/* (tried: counted of everybody, section or not.) */
static void what_was_retired_is_the_oldest_sections(void **state)
{
    (void)state;
    struct shmtop_snapshot *s = quiet(1);
    s->stats.segments[1].retired_bytes = 80u << 20;
    shmtop_model_add(&scene_model, s);
    assert_int_equal(s->alerts_n, 0); /* nobody is inside one: it is about to be freed */
    s = quiet(2);
    s->stats.segments[1].retired_bytes = 80u << 20;
    s->participants[0].info.oldest_epoch = 98;
    s->participants[1].info.oldest_epoch = 90;
    s->participants[2].info.oldest_epoch = 99;
    shmtop_model_add(&scene_model, s);
    assert_true(s->alerts_n == 1 && s->grade == 'D');
    assert_string_equal(s->alerts[0].about, "pid 1001 feeder 1");
    assert_int_equal(s->alerts[0].value, 80u << 20);
}

/* By the counter, too, and by the last frames of loops: recorders forget. (tried: all that was ever counted; loops not looked at.) */
static void dropped_frames_are_of_the_last_minute(void **state)
{
    static const int64_t missed[] = {1000, 1000, 1003, 1003, 1003};
    static const uint64_t at[] = {1, 30, 50, 105, 170};
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        struct shmtop_snapshot *s = quiet(at[i]);
        s->frames_missed = missed[i];
        shmtop_model_add(&scene_model, s);
        const struct shmtop_alert *a = alert_of(s, SHMTOP_FRAMES_DROPPED);
        assert_int_equal(a ? a->value : 0, i == 2 ? 3 : 0);
    }
    struct shmtop_snapshot *s = quiet(300);
    struct shmtop_loop_seen *l = shmtop_snapshot_more(s, loops);
    l->info = (struct adit_frame_loop_info){.pid = 77, .label = "eye"};
    l->past_n = 3;
    l->past[0] = (struct adit_frame_past){.begin_ns = 230 * SECOND, .skipped = 100}; /* more than a minute ago */
    l->past[1] = (struct adit_frame_past){.begin_ns = 290 * SECOND, .skipped = 3};
    l->past[2] = (struct adit_frame_past){.begin_ns = 295 * SECOND, .missed = 5};
    shmtop_model_add(&scene_model, s);
    const struct shmtop_alert *a = alert_of(s, SHMTOP_FRAMES_DROPPED);
    assert_true(a && a->value == 5 && a->since_ns == 290 * SECOND && !strcmp(a->about, "pid 77 eye"));
}

static void grades_say_how_near_limits_are(void **state)
{
    static const struct {
        uint32_t used_sixteenths;
        bool is_poisoned;
        char grade;
    } cases[] = {{0, false, 'A'}, {7, false, 'A'}, {8, false, 'B'}, {10, false, 'B'}, {11, false, 'C'}, {14, false, 'C'}, {15, false, 'D'}, {0, true, 'C'}};
    (void)state;
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct shmtop_snapshot *s = quiet(i + 1);
        s->stats.segments[1].free_bytes = s->stats.segments[1].bytes / 16 * (16 - cases[i].used_sixteenths);
        if (cases[i].is_poisoned) {
            struct shmtop_queue_seen *q = shmtop_snapshot_more(s, queues);
            q->view = (struct adit_queue_view){.levels_n = 5, .levels = {{.poisoned = 1}}};
        }
        shmtop_model_add(&scene_model, s);
        if (s->grade != cases[i].grade)
            fail_msg("case %u: %c", i, s->grade);
    }
}

static void limits_that_are_off_are_silent(void **state)
{
    (void)state;
    memset(scene_model.limits.at, 0, sizeof scene_model.limits.at);
    struct shmtop_snapshot *s = troubled(110);
    shmtop_model_add(&scene_model, s);
    assert_true(!s->alerts_n && s->grade == 'A');
}

/* What screens say is what JSON says, at 80 and at 200. */
static void screens_show_alerts_and_what_to_do(void **state)
{
    (void)state;
    shmtop_model_add(&scene_model, troubled(110));
    for (uint32_t width = 80; width <= 200; width += 120) {
        view.screen = shmtop_screen_find("overview");
        const struct shmtop_page *p = scene_page(&view, width, SHMTOP_ALL_ROWS);
        assert_true(scene_page_has(p, "grade       F: 7 alerts of 7 kinds") && scene_page_has(p, "alert       queue_wait: 3.00 s, queue work, level 2"));
        assert_int_equal(scene_line(p, "memory_used: 93 %")->style, SHMTOP_WARNING);
        struct shmtop_scene scene;
        shmtop_scene_make(&view, &scene_model, &scene);
        shmtop_view_key(&view, &scene, 'a');
        shmtop_scene_fini(&scene);
        assert_int_equal(view.screen, shmtop_screen_find("alerts"));
        p = scene_page(&view, width, SHMTOP_ALL_ROWS);
        assert_true(scene_page_has(p, "reader_held: Have it leave its section") && scene_page_has(p, "grade F: 7 alerts of 7 kinds; limits as built"));
        const struct shmtop_line *row = scene_line(p, "pid 1234 worker");
        assert_true(row && strstr(row->text, "participant_lost") && strstr(row->text, "7.00 s") && strstr(row->text, "60.0 s") && row->style == SHMTOP_WARNING);
        assert_int_equal(strstr(row->text, "Look why it died") != NULL, width == 200);
        assert_true(scene_line(p, "103.") || scene_line(p, "104.")); /* how much of a limit is reached, %: of memory_used */
    }
    json_t *j = shmtop_print_json(&scene_model), *alerts = json_object_get(json_object_get(j, "tables"), "alerts");
    assert_string_equal(json_string_value(json_object_get(j, "grade")), "F");
    assert_int_equal(json_integer_value(json_object_get(j, "alerts")), 7);
    assert_int_equal(json_array_size(alerts), 7);
    const json_t *held = json_array_get(alerts, 0);
    assert_true(!strcmp(json_string_value(json_object_get(held, "alert")), "reader_held") && number(held, "value") == 64 << 20 && number(held, "limit") == 64 << 20 && number(held, "since_ns") == 0);
    assert_string_equal(json_string_value(json_object_get(held, "unit")), "bytes");
    json_decref(j);
}

/* ---- the program ------------------------------------------------------------------------------------------------ */

/* Runs shmtop and wants the code, and part in what it says on stderr; "" nothing. */
static void top_says(int code, const char *part, char *const *argv)
{
    struct spawned run;
    spawned_run(SHMTOP, argv, &run);
    const char *end = strchr(run.err, '\n');
    if (run.exit_code != code || !strstr(run.err, part) || (*part ? !end || end[1] : *run.err))
        fail_msg("exit %d, wanted %d with '%s':\n%s%s", run.exit_code, code, part, run.out, run.err);
    spawned_free(&run);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* (tried: the user's file not looked for; the code of an alert unasked.) */
static void the_file_of_the_user_or_another_sets_limits(void **state)
{
    const struct adit_create_params params = {.size = sizeof params, .data_bytes = 16u << 20};
    struct adit_arena *a;
    struct spawned run;
    char *home = spawned_file("config"), *batch = (char *)"--batch", *scene = (char *)"scene", *ends = (char *)"--alert-exit", *config = (char *)"--config";
    (void)state;
    setenv("XDG_CONFIG_HOME", home, 1);
    assert_int_equal(adit_create("scene", &params, &a), 0);
    top_says(0, "", TOP(batch, scene)); /* there is no file */
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = (uint16_t)(i % 251);
    for (int32_t i = 0; i < 12; i++)
        assert_int_equal(adit_chunk_put(a, &(struct adit_key){.x = i}, voxels, NULL), 0);
    char *low = spawned_file("low.conf"), *high = spawned_file("high.conf");
    write_file(low, "memory_used = 1 %\nmesh_wait = off\n");
    write_file(high, "memory_used = 100 %\nmesh_wait = 1 h\n");
    top_says(0, "", TOP(batch, scene, config, low));
    top_says(3, "", TOP(batch, scene, config, low, ends));
    top_says(3, "", TOP((char *)"--json", scene, config, low, ends));
    top_says(3, "", TOP((char *)"--csv", (char *)"alerts", scene, config, low, ends));
    top_says(0, "", TOP(batch, scene, config, high, ends));
    spawned_run(SHMTOP, TOP((char *)"--csv", (char *)"alerts", scene, config, low), &run);
    assert_true(strstr(run.out, "\nmemory_used,data of the arena,") && strstr(run.out, "memory_used,1 %") && strstr(run.out, ",file,"));
    spawned_free(&run);
    char path[256];
    assert_int_equal(mkdir(home, 0700), 0);
    snprintf(path, sizeof path, "%s/adit", home);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/adit/shmtop.conf", home);
    write_file(path, "memory_used = 1 %\nmesh_wait = off\n");
    top_says(3, "", TOP(batch, scene, ends));
    write_file(path, "\nmemory_used = lots\n");
    top_says(2, "shmtop.conf:2: memory_used = 'lots' is no value of it; write it like 90 %", TOP(batch, scene));
    top_says(0, "", TOP(batch, scene, config, high)); /* which then is not read */
    top_says(2, "nowhere.conf: cannot be opened: No such file", TOP(batch, scene, config, (char *)"nowhere.conf"));
    top_says(2, "cannot be read: Is a directory; give another file with --config", TOP(batch, scene, config, home));
    top_says(2, "add one of them", TOP(ends, scene));
    spawned_run(SHMTOP, TOP((char *)"--help"), &run);
    for (uint32_t i = 0; i < SHMTOP_LIMITS; i++)
        assert_non_null(strstr(run.out, shmtop_limit_about[i].text));
    assert_true(strstr(run.out, "queue_wait = 1.00 s:") && strstr(run.out, "$XDG_CONFIG_HOME/adit/shmtop.conf") && strstr(run.out, "  alerts (alerts, limits): "));
    spawned_free(&run);
    unsetenv("XDG_CONFIG_HOME");
    adit_detach(&a);
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
        cmocka_unit_test(a_file_sets_what_it_names),
        cmocka_unit_test(a_bad_line_is_named_with_its_cure),
        LAYOUT(every_trouble_is_alerted_and_calm_is_not),
        LAYOUT(an_alert_lasts_since_it_was_first_seen),
        LAYOUT(what_was_retired_is_the_oldest_sections),
        LAYOUT(dropped_frames_are_of_the_last_minute),
        LAYOUT(grades_say_how_near_limits_are),
        LAYOUT(limits_that_are_off_are_silent),
        LAYOUT(screens_show_alerts_and_what_to_do),
        PROGRAM(the_file_of_the_user_or_another_sets_limits),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scene_reset();
    return failed;
}
