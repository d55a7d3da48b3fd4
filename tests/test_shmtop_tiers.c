/* test_shmtop_tiers.c - the screens tiers and findings of shmtop: laid out without a terminal, and equal to what the arena holds, live and in an image. */
#include <errno.h>
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

#include "runtime/device_meter.h"
#include "shm/shm.h"
#include "tests/adit_called.h"
#include "tests/shmtop_scenes.h"
#include "tools/shmtop_keys.h"
#include "tools/shmtop_price.h"
#include "tools/shmtop_print.h"

#define SHMTOP "bin/shmtop"

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
        shmtop_view_key(&view, &scene, *text);
        shmtop_scene_fini(&scene);
    }
}

static struct shmtop_snapshot *full(uint64_t second)
{
    struct shmtop_snapshot *s = scene_begin(second, 2);
    scene_fill(s);
    for (uint32_t i = 0; i < s->kinds_n; i++)
        s->kinds[i].info.inlined = 100;
    return s;
}

/* The line of a tier has all of these, one behind the other. */
static void line_says(const char *tier, const char *const *wanted, uint32_t n, uint32_t width)
{
    const struct shmtop_line *line = scene_line(scene_page(&view, width, SHMTOP_ALL_ROWS), tier);
    assert_non_null(line);
    const char *at = line->text;
    for (uint32_t i = 0; i < n; i++) {
        const char *found = strstr(at, wanted[i]);
        if (!found)
            fail_msg("no '%s' from there on in: %s", wanted[i], line->text);
        at = found + strlen(wanted[i]);
    }
}
#define SAYS(tier, width, ...) line_says(tier, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), width)

/* (tried: shares of all tiers together; busy since the arena was made; a price of two dispatchers not divided; zygotes among the workers.) */
static void a_tier_says_what_it_did_its_share_queue_and_how_busy_it_is(void **state)
{
    (void)state;
    shmtop_model_add(&scene_model, full(1));
    struct shmtop_snapshot *s = full(3);
    s->stats.dirty = 70;
    s->stats.in_work = 40;
    s->queues[0].view.levels[1].running = 5;
    shmtop_model_add(&scene_model, s);
    keys("i");
    assert_string_equal(shmtop_screens[view.screen]->name, "tiers");
    SAYS("inline     tasks", 80, "300", "0", "50.0", "-", "-", "-", "-");
    SAYS("threads    tasks", 80, "200", "0", "33.3", "3", "4", "2.0", "-"); /* two at work in the mean of two seconds */
    SAYS("processes  tasks", 80, "100", "0", "16.7", "3", "1", "0.5", "50.0"); /* of one: the other seat is a zygote's, and one is busy */
    SAYS("avx512     meshes", 80, "1,800", "600", "60.0", "1.5");
    SAYS("device 0   meshes", 80, "1,200", "400", "40.0", "70", "32", "0.2", "25.0");
    SAYS("device 0   meshes", 200, "1,200", "40.0 us", "7.00 us");
    SAYS("device 1   meshes", 200, "2", "40.0 us", "5.00 us"); /* of two dispatchers */
    SAYS("device 1   meshes", 80, "yes");
    SAYS("device 1   meshes", 120, "lost to 1 of 2 dispatchers");
    assert_int_equal(scene_line(scene_page(&view, 120, SHMTOP_ALL_ROWS), "device 1   meshes")->style, SHMTOP_WARNING);
    assert_non_null(scene_line(scene_page(&view, 80, SHMTOP_ALL_ROWS), "70 wait for a mesh, kernels have 8, devices 32"));
}

/* (tried: who has left asked, too.) */
static void a_kernel_that_is_wrong_is_off_as_long_as_its_process_is_there(void **state)
{
    (void)state;
    struct shmtop_snapshot *s = full(1);
    for (uint32_t i = 0; i < 2; i++) /* the second one's process has left */
        *shmtop_snapshot_more(s, events) = (struct adit_flight_event){.at_ns = 1, .metric = SCENE_TIER_WRONG, .who = 65537 + i, .a = 2 - i};
    shmtop_model_add(&scene_model, s);
    keys("i");
    SAYS("avx2       meshes", 120, "its meshes were wrong, in 1 process");
    assert_null(strstr(scene_line(scene_page(&view, 120, SHMTOP_ALL_ROWS), "scalar     meshes")->text, "wrong"));
}

/* (tried: long runs counted for more; twice the least work forgotten; below 0.) */
static void a_price_is_the_line_through_what_is_known(void **state)
{
    (void)state;
    struct adit_kind_class c[ADIT_KIND_CLASSES] = {0};
    struct shmtop_price p;
    shmtop_price_fit(c, false, &p);
    assert_true(!p.classes && !p.has_b);
    c[3] = (struct adit_kind_class){.work = 32, .worker_ns = 900, .inline_ns = 0};
    shmtop_price_fit(c, true, &p);
    assert_int_equal(p.classes, 0);
    shmtop_price_fit(c, false, &p);
    assert_true(p.classes == 1 && !p.has_b && p.a_ns > 899.9 && p.a_ns < 900.1);
    for (uint32_t i = 1; i < 9; i++) { /* 500 + 3 x */
        c[i].work = 1ull << (2 * i - 1);
        c[i].worker_ns = 500 + 3 * 2 * c[i].work;
        c[i].inline_ns = 7 * 2 * c[i].work - 10; /* one that begins below 0 goes through 0 */
    }
    shmtop_price_fit(c, false, &p);
    assert_true(p.classes == 8 && p.has_b && p.a_ns > 499 && p.a_ns < 501 && p.b_ns > 2.99 && p.b_ns < 3.01 && p.off_percent < 0.1);
    shmtop_price_fit(c, true, &p);
    assert_true(p.has_b && p.a_ns >= 0 && p.a_ns < 1 && p.b_ns > 5 && p.b_ns < 8 && p.off_percent > 1);
    for (uint32_t i = 1; i < 9; i++)
        c[i].worker_ns = 1000000 / i; /* that falls with work: none of it is work's */
    shmtop_price_fit(c, false, &p);
    assert_true(p.b_ns <= 0 && p.a_ns > 125000 && p.a_ns < 200000 && p.off_percent > 10);
}

static const json_t *table_of(const json_t *sample, const char *name) { return json_object_get(json_object_get(sample, "tables"), name); }

static const json_t *row_of(const json_t *rows, const char *key, const char *text)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *is = json_string_value(json_object_get(json_array_get(rows, i), key));
        if (is && !strcmp(is, text))
            return json_array_get(rows, i);
    }
    fail_msg("no row has %s %s", key, text);
    return NULL;
}

static double real(const json_t *row, const char *key) { return json_number_value(json_object_get(row, key)); }

static void prices_and_json_say_what_the_screen_does(void **state)
{
    (void)state;
    struct shmtop_snapshot *s = full(2);
    for (uint32_t i = 1; i < 6; i++)
        s->kinds[2].info.classes[i] = (struct adit_kind_class){.work = 1ull << (2 * i - 1), .worker_ns = 2000 + 4 * (2ull << (2 * i - 1))};
    s->kinds[2].info.classes[0] = s->kinds[1].info.classes[1] = (struct adit_kind_class){0};
    shmtop_model_add(&scene_model, s);
    keys("i");
    SAYS("worker     kind 2", 80, "2.00 us", "4.0", "5", "0.0");
    SAYS("worker     kind 0", 80, "1.50 us", "-", "1", "-");
    SAYS("device 0   meshes                ", 80, "40.0 us", "7000", "1");
    json_t *sample = shmtop_print_json(&scene_model);
    const json_t *models = table_of(sample, "models"), *tiers = table_of(sample, "tiers"), *row = row_of(models, "kind", "kind 2");
    assert_true(number(row, "a_ns") == 2000 && real(row, "b_per_unit") > 3.99 && real(row, "b_per_unit") < 4.01 && number(row, "classes") == 5);
    row = row_of(tiers, "tier", "device 0");
    assert_true(number(row, "done") == 800 && number(row, "fixed_ns") == 40000 && number(row, "each_ns") == 7000 && number(row, "under_way") == 32 && real(row, "share_percent") > 39.9);
    assert_true(json_is_null(json_object_get(row_of(tiers, "tier", "inline"), "busy")) && json_is_null(json_object_get(sample, "breaches")));
    json_decref(sample);
}

/* (tried: v not heard; asked anew of an image.) */
static void v_asks_the_verifier_and_shows_what_it_found(void **state)
{
    (void)state;
    shmtop_model_add(&scene_model, full(1));
    keys("v");
    assert_string_equal(shmtop_screens[view.screen]->name, "findings");
    assert_true(view.verifies && scene_page_has(scene_page(&view, 80, SHMTOP_ALL_ROWS), "nobody has asked the verifier yet"));
    view.verifies = false;
    scene_model.is_image = true;
    keys("1v");
    assert_false(view.verifies);
    struct shmtop_findings *f = &scene_model.findings;
    f->is_made = true;
    f->took_ns = 2500000;
    assert_true(scene_page_has(scene_page(&view, 80, SHMTOP_ALL_ROWS), "nothing is wrong") && scene_page_has(scene_page(&view, 80, SHMTOP_ALL_ROWS), "for 2.50 ms"));
    f->found = 2;
    f->kept = 2;
    f->list[0] = (struct shmtop_finding){"I1", "segment 1 granule 734", "the first of a block that is longer than what is there of its segment, and then more"};
    f->list[1] = (struct shmtop_finding){"I7", "watch\033 9", "its state 77 is none"};
    const struct shmtop_page *p = scene_page(&view, 80, SHMTOP_ALL_ROWS);
    assert_true(scene_page_has(p, "2 breaches of invariants, 2 of them below") && scene_page_has(p, "I1  segment 1 granule 734") && scene_page_has(p, "watch? 9"));
    assert_true(!scene_page_has(p, "longer") && scene_page_has(scene_page(&view, 200, SHMTOP_ALL_ROWS), "and then more"));
    f->found = 1025;
    assert_true(scene_page_has(scene_page(&view, 80, SHMTOP_ALL_ROWS), "more than 1024 breaches"));
    f->found = -ENOMEM;
    f->kept = 0;
    assert_true(scene_page_has(scene_page(&view, 80, SHMTOP_ALL_ROWS), "could not look"));
}

/* ---- the program ------------------------------------------------------------------------------------------------ */

static json_t *sample_of(char *const *argv)
{
    struct spawned run;
    spawned_run(SHMTOP, argv, &run);
    if (run.exit_code)
        fail_msg("exit %d: %s", run.exit_code, run.err);
    json_t *root = json_loads(run.out, 0, NULL);
    assert_non_null(root);
    spawned_free(&run);
    json_t *sample = json_incref(json_array_get(json_object_get(root, "samples"), 0));
    json_decref(root);
    return sample;
}
#define SAMPLE(...) sample_of((char *[]){(char *)"shmtop", (char *)"--json", __VA_ARGS__, NULL})

static bool has_device(const json_t *tiers)
{
    for (size_t i = 0; i < json_array_size(tiers); i++)
        if (!strncmp(json_string_value(json_object_get(json_array_get(tiers, i), "tier")), "device", 6))
            return true;
    return false;
}

/* (tried: gauges of the device before; a loss counted twice; what is under way not taken back; time in which it was idle; devices of number 8 and more counted beside others'.) */
static void what_a_dispatcher_tells_of_its_devices_is_shown(void **state)
{
    const struct adit_create_params params = {.size = sizeof params, .data_bytes = 16u << 20};
    struct adit_device_meter one, two, far;
    struct adit_arena *a;
    (void)state;
    assert_int_equal(adit_create("scene", &params, &a), 0);
    json_t *sample = SAMPLE((char *)"scene");
    assert_false(has_device(table_of(sample, "tiers")));
    json_decref(sample);
    adit_device_meter_begin(&one, a, 0);
    adit_device_meter_begin(&two, a, 3);
    adit_device_meter_begin(&far, a, ADIT_LABEL_N_DEVICE);
    adit_device_meter_price(&one, 50000, 900);
    adit_device_meter_price(&one, 40000, 1000);
    adit_device_meter_under_way(&one, 64, 1000);
    adit_device_meter_under_way(&one, 128, 3000); /* busy for 2 us, and goes on */
    adit_device_meter_price(&far, 1, 1);
    adit_device_meter_under_way(&far, 7, 1);
    for (uint32_t i = 0; i < 5; i++)
        adit_device_meter_made(&one);
    adit_device_meter_lost(&two);
    adit_device_meter_lost(&two);
    sample = SAMPLE((char *)"scene");
    const json_t *tiers = table_of(sample, "tiers"), *row = row_of(tiers, "tier", "device 0");
    assert_true(number(row, "fixed_ns") == 40000 && number(row, "each_ns") == 1000 && number(row, "under_way") == 128 && number(row, "done") == 5 && number(row, "workers") == 1);
    assert_string_equal(json_string_value(json_object_get(row, "is_off")), "");
    row = row_of(tiers, "tier", "device 3");
    assert_string_equal(json_string_value(json_object_get(row, "is_off")), "yes");
    assert_string_equal(json_string_value(json_object_get(row, "off")), "lost to 1 of 1 dispatchers");
    json_decref(sample);
    adit_device_meter_under_way(&one, 0, 4000);
    adit_device_meter_under_way(&one, 1, 9000); /* it was idle between */
    adit_device_meter_end(&one);
    adit_device_meter_end(&two);
    adit_device_meter_end(&far);
    int64_t busy = 0;
    uint32_t metric;
    assert_true(!adit_metric_find(a, "device_busy_ns", &metric) && !adit_metric_value(a, metric, ADIT_METRIC_ALL, 0, &busy));
    assert_int_equal(busy, 3000);
    sample = SAMPLE((char *)"scene");
    row = row_of(table_of(sample, "tiers"), "tier", "device 0"); /* what it has made stays */
    assert_true(number(row, "done") == 5 && number(row, "workers") == 0 && number(row, "under_way") == 0 && json_is_null(json_object_get(row, "each_ns")));
    json_decref(sample);
    adit_detach(&a);
}

/* What processes have run is what their seats say. (tried: no label known for a worker's; all that is run counted as threads', too.) */
static void tasks_of_processes_are_theirs(void **state)
{
    struct spawned serve, run;
    json_t *sample = NULL;
    bool is_same = false;
    (void)state;
    spawned_start(ADIT, ARGV((char *)"serve", (char *)"cave", (char *)"--size", (char *)"64M", (char *)"--worker-processes", (char *)"2", (char *)"--quiet"), &serve);
    assert_true(spawned_says(&serve, "is ready"));
    adit_want(0, ARGV((char *)"feed", (char *)"cave", (char *)"terrain:7:3x2x3", (char *)"--quiet"), &run);
    spawned_free(&run);
    for (uint32_t tries = 0; tries < 200 && !is_same; tries++) { /* they go on meanwhile */
        json_decref(sample);
        sample = SAMPLE((char *)"cave");
        const json_t *tiers = table_of(sample, "tiers"), *workers = table_of(sample, "workers");
        int64_t sat = 0, did = number(row_of(tiers, "tier", "processes"), "done");
        for (size_t i = 0; i < json_array_size(workers); i++)
            sat += number(json_array_get(workers, i), "tasks");
        is_same = did >= 15 && did == sat && number(row_of(tiers, "tier", "threads"), "done") == 0;
    }
    assert_true(is_same);
    assert_int_equal(number(row_of(table_of(sample, "tiers"), "tier", "processes"), "workers"), 2);
    json_decref(sample);
    kill(serve.pid, SIGTERM);
    spawned_wait(&serve);
    spawned_free(&serve);
}

/* Nothing is stored by who looks. (tried: an image not looked at; live ones without being asked.) */
static void findings_are_those_of_adit_check(void **state)
{
    const struct adit_create_params params = {.size = sizeof params, .data_bytes = 16u << 20};
    struct adit_arena *a;
    struct spawned run;
    char *image = spawned_file("scene.image");
    (void)state;
    assert_int_equal(adit_create("scene", &params, &a), 0);
    json_t *sample = SAMPLE((char *)"scene");
    assert_true(json_is_null(json_object_get(sample, "breaches")) && !json_array_size(table_of(sample, "findings")));
    json_decref(sample);
    sample = SAMPLE((char *)"--verify", (char *)"scene");
    assert_int_equal(number(sample, "breaches"), 0);
    json_decref(sample);
    adit_store32_release(&a->watches[9].state, 77);
    adit_want(0, ARGV((char *)"dump", (char *)"scene", (char *)"--image", image, (char *)"--brief"), &run); /* another process: the keeper's thread is at work in this one */
    spawned_free(&run);
    char *const operands[] = {(char *)"scene", image};
    for (uint32_t i = 0; i < 2; i++) {
        adit_want(1, ARGV((char *)"check", (char *)"--json", operands[i]), &run);
        json_t *said = json_loads(run.out, 0, NULL);
        const json_t *list = json_object_get(said, "breach_list");
        spawned_free(&run);
        sample = i ? SAMPLE(operands[i]) : SAMPLE((char *)"--verify", operands[i]);
        const json_t *found = table_of(sample, "findings");
        assert_true(number(sample, "breaches") > 0 && number(sample, "breaches") == number(said, "breaches") && json_array_size(list) == json_array_size(found));
        for (size_t k = 0; k < json_array_size(list); k++)
            for (uint32_t w = 0; w < 3; w++) {
                static const char *const words[] = {"invariant", "place", "what"};
                assert_string_equal(json_string_value(json_object_get(json_array_get(found, k), words[w])), json_string_value(json_object_get(json_array_get(list, k), words[w])));
            }
        json_decref(said);
        json_decref(sample);
    }
    adit_store32_release(&a->watches[9].state, 0);
    adit_detach(&a);
}

#define LAYOUT(f) cmocka_unit_test_setup(f, reset)
#define PROGRAM(f) cmocka_unit_test_setup_teardown(f, adit_home_make, adit_home_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAYOUT(a_tier_says_what_it_did_its_share_queue_and_how_busy_it_is),
        LAYOUT(a_kernel_that_is_wrong_is_off_as_long_as_its_process_is_there),
        LAYOUT(a_price_is_the_line_through_what_is_known),
        LAYOUT(prices_and_json_say_what_the_screen_does),
        LAYOUT(v_asks_the_verifier_and_shows_what_it_found),
        PROGRAM(what_a_dispatcher_tells_of_its_devices_is_shown),
        PROGRAM(tasks_of_processes_are_theirs),
        PROGRAM(findings_are_those_of_adit_check),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scene_reset();
    return failed;
}
