/* test_adit_generate.c - `adit run` and `adit feed` with --generate: what a Vulkan device (lavapipe) makes of the built-in worlds lies in the arena as what the CPU makes,
 * edits included; a device that is lost in mid-feed leaves nothing out. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/adit_called.h"
#include "tests/faulty_fixture.h"
#include "tests/gpu_fixture.h"

/* More than three batches of a device that is a program; some of its chunks are air. */
#define WORLD "terrain:7:5x3x5"

static void same_bytes(const char *one, const char *other)
{
    static char a[1 << 16], b[1 << 16];
    FILE *f = fopen(spawned_file(one), "re"), *g = fopen(spawned_file(other), "re");
    size_t n, m;
    assert_true(f && g);
    do {
        n = fread(a, 1, sizeof a, f);
        m = fread(b, 1, sizeof b, g);
        if (n != m || memcmp(a, b, n))
            fail_msg("%s and %s differ", one, other);
    } while (n);
    fclose(f);
    fclose(g);
}

/* Feeds a world by who, writes its voxels and quads to who.raw and who.quads; the JSON. */
static json_t *run_by(char *world, char *who)
{
    char raw[32], quads[32];
    snprintf(raw, sizeof raw, "%s.raw", who);
    snprintf(quads, sizeof quads, "%s.quads", who);
    return adit_json(ARGV((char *)"run", world, (char *)"--generate", who, (char *)"--producers", (char *)"2", (char *)"--edits", (char *)"40",
                          (char *)"--json", (char *)"--quiet", (char *)"--raw", spawned_file(raw), (char *)"--out", spawned_file(quads)));
}

static int64_t generated(const json_t *run, const char *by) { return number(json_object_get(run, "generated"), by); }

/* (tried: batches given back in another order: other edits; the last batch of a world left out) */
static void a_device_makes_the_voxels_of_the_cpu(void **state)
{
    static const char *const worlds[] = {WORLD, "noise50:3:3x2x3", "checker"};
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) {
        json_t *cpu = run_by((char *)(uintptr_t)worlds[i], (char *)"cpu"), *gpu = run_by((char *)(uintptr_t)worlds[i], (char *)"vulkan");
        same_bytes("cpu.raw", "vulkan.raw");
        same_bytes("cpu.quads", "vulkan.quads");
        assert_int_equal(generated(cpu, "cpu"), number(cpu, "chunks"));
        assert_int_equal(generated(gpu, "vulkan:0"), number(cpu, "chunks"));
        assert_int_equal(generated(gpu, "cpu"), 0);
        json_decref(cpu);
        json_decref(gpu);
    }
}

/* Over what another world has left: what is air in it is removed. (tried: not removed when a device says that a chunk is air) */
static void a_device_feeds_an_arena_that_is_served(void **state)
{
    char *cave = (char *)"cave", *full = (char *)"noise50:1:5x3x5";
    struct spawned serve;
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    spawned_start(ADIT, ARGV((char *)"serve", cave, (char *)"--size", (char *)"256M", (char *)"--quiet"), &serve);
    assert_true(spawned_says(&serve, "is ready"));
    json_decref(adit_json(ARGV((char *)"feed", cave, full, (char *)"--json", (char *)"--quiet", (char *)"--generate", (char *)"vulkan:0")));
    json_t *fed = adit_json(ARGV((char *)"feed", cave, (char *)WORLD, (char *)"--json", (char *)"--quiet", (char *)"--generate", (char *)"vulkan"));
    json_t *watched = adit_json(ARGV((char *)"watch", cave, (char *)"--json"));
    json_t *run = adit_json(ARGV((char *)"run", (char *)WORLD, (char *)"--json", (char *)"--quiet", (char *)"--generate", (char *)"cpu"));
    assert_int_equal(number(watched, "voxels"), number(run, "voxels"));
    assert_int_equal(number(watched, "visible_faces"), number(run, "visible_faces"));
    assert_int_equal(generated(fed, "vulkan:0"), number(run, "chunks"));
    assert_true(number(fed, "removed") > 25); /* a layer of nothing, and some of the sky */
    kill(serve.pid, SIGTERM);
    spawned_wait(&serve);
    spawned_free(&serve);
    json_decref(fed);
    json_decref(watched);
    json_decref(run);
}

/* (tried: chunks of a batch that was lost in flight, or of a refused submission, taken as given: chunks are missing) */
static void a_device_lost_in_mid_feed_leaves_nothing_out(void **state)
{
    static const struct {
        const char *fault;
        bool gives; /* something before: two batches are in flight, and all waits fail when one is lost */
    } faults[] = {{"lost-at-submit:1", false}, {"lost-at-submit:3", true}, {"lost-in-flight:1", false},
                  {"lost-in-flight:2", false}, {"lost-in-flight:4", true}, {"lost-quietly:2", true}, {"no-memory:5", true}};
    (void)state;
    json_t *cpu = adit_json(ARGV((char *)"run", (char *)WORLD, (char *)"--generate", (char *)"cpu", (char *)"--edits", (char *)"40", (char *)"--producers", (char *)"1",
                                 (char *)"--quiet", (char *)"--json", (char *)"--raw", spawned_file("cpu.raw")));
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct spawned run;
        gpu_use_drivers(faulty_driver_manifest(faults[i].fault));
        adit_want(0, ARGV((char *)"run", (char *)WORLD, (char *)"--generate", (char *)"vulkan", (char *)"--edits", (char *)"40", (char *)"--producers", (char *)"1",
                          (char *)"--quiet", (char *)"--json", (char *)"--raw", spawned_file("lost.raw")), &run);
        json_t *told = json_loads(run.out, 0, NULL);
        assert_non_null(told);
        bool is_lost = strstr(run.err, "vulkan:0 is lost, the CPU generates in its stead: ");
        assert_true(is_lost == !!strncmp(faults[i].fault, "no-memory", 9)); /* which is got along with */
        assert_int_equal(number(told, "chunks"), number(cpu, "chunks"));
        assert_int_equal(generated(told, "cpu") + generated(told, "vulkan:0"), number(cpu, "chunks"));
        if ((generated(told, "cpu") > 0) != is_lost || (generated(told, "vulkan:0") > 0) != faults[i].gives)
            fail_msg("%s: %lld chunks by the CPU, %lld by the device", faults[i].fault, (long long)generated(told, "cpu"), (long long)generated(told, "vulkan:0"));
        same_bytes("cpu.raw", "lost.raw");
        json_decref(told);
        spawned_free(&run);
    }
    json_decref(cpu);
}

/* A material that terrain does not have, in the first word of what came back. (tried: not looked at: a world of other voxels) */
static void a_device_that_gives_what_no_world_has_is_not_believed(void **state)
{
    (void)state;
    gpu_use_drivers(faulty_driver_manifest("wrong-word:2:0"));
    struct spawned run;
    adit_want(0, ARGV((char *)"run", (char *)WORLD, (char *)"--generate", (char *)"vulkan", (char *)"--producers", (char *)"1", (char *)"--quiet", (char *)"--json",
                      (char *)"--raw", spawned_file("lies.raw")), &run);
    assert_non_null(strstr(run.err, "a material that the world does not have"));
    spawned_free(&run);
    json_decref(adit_json(ARGV((char *)"run", (char *)WORLD, (char *)"--generate", (char *)"cpu", (char *)"--quiet", (char *)"--json", (char *)"--raw",
                               spawned_file("true.raw"))));
    same_bytes("true.raw", "lies.raw");
}

static void who_is_not_there_is_refused_by_name(void **state)
{
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    adit_refuses("'gpu'; there are: cpu, vulkan", ARGV((char *)"run", (char *)WORLD, (char *)"--generate", (char *)"gpu"));
    adit_refuses("'vulkan:16'; there are: cpu", ARGV((char *)"feed", (char *)"cave", (char *)WORLD, (char *)"--generate", (char *)"vulkan:16"));
    adit_refuses("no vulkan:7", ARGV((char *)"run", (char *)WORLD, (char *)"--quiet", (char *)"--generate", (char *)"vulkan:7"));
    gpu_use_drivers(faulty_driver_manifest("no-open"));
    adit_refuses("leave --generate away", ARGV((char *)"run", (char *)WORLD, (char *)"--quiet", (char *)"--generate", (char *)"vulkan"));
    gpu_use_drivers("/nowhere.json");
    adit_refuses("--generate: vulkan", ARGV((char *)"run", (char *)WORLD, (char *)"--quiet", (char *)"--generate", (char *)"vulkan"));
}

/* No driver is asked for a file, and without the option none that is a program on the CPU. */
static void others_are_fed_as_before(void **state)
{
    (void)state;
    gpu_use_drivers("/nowhere.json");
    FILE *f = fopen(spawned_file("one.raw"), "we");
    assert_true(f && fputc(1, f) == 1 && !fclose(f));
    char spec[512];
    snprintf(spec, sizeof spec, "%s:1,1,1", spawned_file("one.raw"));
    json_t *file = adit_json(ARGV((char *)"run", spec, (char *)"--generate", (char *)"vulkan", (char *)"--json", (char *)"--quiet"));
    assert_int_equal(number(file, "voxels"), 1);
    assert_int_equal(generated(file, "cpu"), 0);
    json_decref(file);
    for (int there = 0; there < 2; there++) {
        gpu_use_drivers(there ? gpu_test_driver() : "/nowhere.json");
        json_t *run = adit_json(ARGV((char *)"run", (char *)"terrain:7:2x1x2", (char *)"--json", (char *)"--quiet"));
        assert_int_equal(generated(run, "cpu"), number(run, "chunks"));
        json_decref(run);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, adit_home_make, adit_home_remove)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_device_makes_the_voxels_of_the_cpu),
        TEST(a_device_feeds_an_arena_that_is_served),
        TEST(a_device_lost_in_mid_feed_leaves_nothing_out),
        TEST(a_device_that_gives_what_no_world_has_is_not_believed),
        TEST(who_is_not_there_is_refused_by_name),
        TEST(others_are_fed_as_before),
    };
    gpu_use_drivers(gpu_test_driver());
    return cmocka_run_group_tests_name("worlds made by a device", tests, NULL, NULL);
}
