/* test_check_cli.c - `adit check` and `adit dump --image` as their users meet them: a sound arena, a damaged one, images of both,
 * wrong operands; exit codes, lines, JSON. The test itself attaches as a producer and does the damage. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "runtime/adit.h"
#include "shm/shm.h"
#include "tests/spawned.h"

#define ADIT "bin/adit"
#define ARGV(...) ((char *[]){(char *)"adit", __VA_ARGS__, NULL})

static struct spawned serve;
static struct adit_arena *arena; /* ours */
static char *const cave = (char *)"cave", *const check = (char *)"check", *const json = (char *)"--json", *const deep = (char *)"--deep",
                   *const quiet = (char *)"--quiet-arena";

static void want(int code, char *const *argv, struct spawned *run)
{
    spawned_run(ADIT, argv, run);
    if (run->exit_code != code)
        fail_msg("adit %s: exit %d, wanted %d\n%s%s", argv[1], run->exit_code, code, run->out, run->err);
}

/* Exit 2 and one line of error that contains part. */
static void refuses(const char *part, char *const *argv)
{
    struct spawned run;
    want(2, argv, &run);
    const char *end = strchr(run.err, '\n');
    if (!end || end[1] || !strstr(run.err, part) || *run.out)
        fail_msg("not one line with '%s':\n%s%s", part, run.err, run.out);
    spawned_free(&run);
}

static json_t *object(int code, char *const *argv)
{
    struct spawned run;
    want(code, argv, &run);
    json_t *root = json_loads(run.out, 0, NULL);
    if (!root)
        fail_msg("not one JSON object:\n%s", run.out);
    spawned_free(&run);
    return root;
}

static int64_t number(const json_t *root, const char *name)
{
    assert_true(json_is_integer(json_object_get(root, name)));
    return json_integer_value(json_object_get(root, name));
}

static void damage(uint32_t state) { __atomic_store_n(&arena->watches[9].state, state, __ATOMIC_SEQ_CST); }

/* serve made the arena, so it is the keeper. */
static void names_the_keeper(const json_t *o)
{
    const json_t *keeper = json_object_get(o, "keeper");
    assert_int_equal(number(keeper, "pid"), serve.pid);
    assert_int_equal(number(keeper, "slot"), 0);
    assert_string_equal(json_string_value(json_object_get(keeper, "state")), "alive");
}

static void a_sound_arena_is_clean(void **state)
{
    struct spawned run;
    (void)state;
    want(0, ARGV(check, cave), &run);
    assert_true(!strncmp(run.out, "cave: no breach; ", 17) && !*run.err);
    char keeper[64];
    snprintf(keeper, sizeof keeper, ", keeper pid %d (slot 0, adit", (int)serve.pid);
    assert_non_null(strstr(run.out, keeper));
    assert_ptr_equal(strchr(run.out, '\n'), run.out + strlen(run.out) - 1);
    spawned_free(&run);
    json_t *o = object(0, ARGV(check, deep, quiet, json, cave));
    for (uint32_t i = 0; i < 200 && number(o, "blocks") != 2 * number(o, "keys"); i++) { /* a mesh made anew: the old one goes soon */
        json_decref(o);
        usleep(20000);
        o = object(0, ARGV(check, deep, quiet, json, cave));
    }
    assert_string_equal(json_string_value(json_object_get(o, "arena")), "cave");
    assert_true(json_is_true(json_object_get(o, "clean")) && json_is_true(json_object_get(o, "deep")));
    assert_int_equal(number(o, "breaches"), 0);
    assert_int_equal(json_array_size(json_object_get(o, "breach_list")), 0);
    assert_true(number(o, "keys") > 0 && number(o, "versions") == number(o, "keys") && number(o, "meshes") == number(o, "keys"));
    assert_int_equal(number(o, "blocks"), 2 * number(o, "keys"));
    assert_int_equal(number(o, "participants"), 2);
    assert_int_equal(number(o, "dead"), 0);
    names_the_keeper(o);
    json_decref(o);
}

/* (tried: filled told as overrun is) */
static void rings_are_listed_with_what_they_lost(void **state)
{
    const struct adit_samples_params mono = {.size = sizeof mono, .channels = 1, .capacity_frames = 4};
    const float frames[5] = {0};
    struct adit_samples *line;
    struct spawned run;
    (void)state;
    assert_int_equal(adit_samples_open(arena, "line", &mono, &line), 0);
    assert_int_equal(adit_samples_write(line, frames, 5), 4);
    json_t *o = object(0, ARGV((char *)"dump", cave, (char *)"--brief", json));
    const json_t *rings = json_object_get(o, "rings"), *ring = json_array_get(rings, 0);
    assert_int_equal(json_array_size(rings), 1);
    assert_string_equal(json_string_value(json_object_get(ring, "name")), "line");
    assert_string_equal(json_string_value(json_object_get(ring, "kind")), "samples");
    assert_true(number(ring, "slot") == 0 && number(ring, "element_bytes") == 4 && number(ring, "capacity") == 4 && number(ring, "filled") == 4);
    assert_true(number(ring, "pushed") == 4 && number(ring, "popped") == 0 && number(ring, "overrun") == 1 && number(ring, "underrun") == 0);
    assert_true(number(ring, "pusher_pid") == getpid() && number(ring, "popper_pid") == 0);
    json_decref(o);
    want(0, ARGV((char *)"dump", cave, (char *)"--brief"), &run);
    assert_non_null(strstr(run.out, "\n   0 line               samples        4        4        4            4            0          1          0"));
    spawned_free(&run);
    adit_samples_close(&line);
    assert_int_equal(adit_ring_destroy(arena, "line"), 0);
}

static void a_breach_is_a_line_and_exit_1(void **state)
{
    struct spawned run;
    (void)state;
    damage(7);
    want(1, ARGV(check, cave), &run);
    assert_non_null(strstr(run.out, "I5   watch 9: in state 7, which is none\n"));
    assert_non_null(strstr(run.out, "cave: 1 breach; "));
    spawned_free(&run);
    json_t *o = object(1, ARGV(check, cave, json)), *b = json_array_get(json_object_get(o, "breach_list"), 0);
    assert_true(json_is_false(json_object_get(o, "clean")));
    assert_int_equal(number(o, "breaches"), 1);
    assert_string_equal(json_string_value(json_object_get(b, "invariant")), "I5");
    assert_string_equal(json_string_value(json_object_get(b, "place")), "watch 9");
    json_decref(o);
    damage(0);
    want(0, ARGV(check, cave), &run);
    spawned_free(&run);
}

static void a_process_that_was_killed_is_a_breach_of_a_quiet_arena(void **state)
{
    struct spawned run;
    uint64_t was = arena->self->start_time;
    char line[64];
    (void)state;
    if (adit_os_is_disabled("pidfd")) /* then the keeper goes by start times, too, and recovers this very process */
        skip();
    arena->self->start_time++; /* as if another process had our number */
    snprintf(line, sizeof line, "cave: slot 1, pid %d (", (int)getpid());
    want(0, ARGV(check, cave), &run);
    assert_true(!strncmp(run.out, line, strlen(line)) && strstr(run.out, "), is dead and waits for recovery\ncave: no breach"));
    spawned_free(&run);
    want(0, ARGV((char *)"dump", cave, (char *)"--brief"), &run);
    assert_true(strstr(run.out, line) && strstr(run.out, " gone ") && strstr(run.out, " keeper ") &&
                strstr(run.out, "; keeper pid "));
    spawned_free(&run);
    json_t *o = object(0, ARGV((char *)"dump", cave, json)), *list = json_object_get(o, "participant_list");
    names_the_keeper(o);
    assert_int_equal(number(o, "dead"), 1);
    assert_int_equal(number(json_array_get(json_object_get(o, "dead_list"), 0), "pid"), getpid());
    assert_true(json_is_true(json_object_get(json_array_get(list, 0), "keeper")));
    assert_true(json_is_false(json_object_get(json_array_get(list, 1), "keeper")));
    json_decref(o);
    want(1, ARGV(check, quiet, cave), &run);
    assert_non_null(strstr(run.out, "is gone and its slot not recovered"));
    spawned_free(&run);
    arena->self->start_time = was;
}

static void an_image_is_checked_like_an_arena(void **state)
{
    struct spawned run;
    char *image = spawned_file("cave.image");
    struct stat st;
    (void)state;
    arena->self->start_time++; /* processes of an image are of another time: whether they run does not matter */
    want(0, ARGV((char *)"dump", cave, (char *)"--image", image), &run);
    arena->self->start_time--;
    assert_non_null(strstr(run.out, "its image is"));
    spawned_free(&run);
    json_t *o = object(0, ARGV(check, image, deep, quiet, json));
    assert_non_null(json_object_get(o, "image"));
    assert_true(json_is_false(json_object_get(o, "moving")));
    assert_int_equal(number(o, "dead"), 0);
    names_the_keeper(o);
    assert_true(number(o, "keys") > 0);
    json_decref(o);
    damage(7);
    o = object(0, ARGV((char *)"dump", cave, (char *)"--image", image, json));
    damage(0);
    assert_int_equal(stat(image, &st), 0);
    assert_int_equal(number(o, "bytes"), st.st_size);
    json_decref(o);
    want(1, ARGV(check, image), &run);
    assert_non_null(strstr(run.out, "watch 9: in state 7"));
    spawned_free(&run);
    assert_int_equal(truncate(image, st.st_size / 2), 0);
    refuses("is cut off", ARGV(check, image));
    assert_int_equal(spawned_files_count("", "cave.image"), 1); /* and no partial one */
    unlink(image);
}

/* A name is an arena's first, and a file's in the working directory where no arena answers to it. */
static void a_name_may_be_a_file(void **state)
{
    (void)state;
    refuses("README.md", ARGV(check, (char *)"README.md"));
    refuses("not the image of an arena", ARGV(check, (char *)"./README.md"));
}

static void wrong_operands_give_one_line_and_exit_2(void **state)
{
    struct spawned run;
    (void)state;
    refuses("give one arena's NAME", ARGV(check));
    refuses("give one arena's NAME", ARGV(check, cave, cave));
    refuses("nobody", ARGV(check, (char *)"nobody"));
    refuses("/nowhere/image", ARGV(check, (char *)"/nowhere/image"));
    refuses("--shallow", ARGV(check, cave, (char *)"--shallow"));
    refuses("/nowhere/image", ARGV((char *)"dump", cave, (char *)"--image", (char *)"/nowhere/image"));
    refuses("nobody", ARGV((char *)"dump", (char *)"nobody", (char *)"--image", spawned_file("x")));
    want(0, ARGV(check, (char *)"--help"), &run);
    assert_true(strstr(run.out, "usage: adit check") && strstr(run.out, "--quiet-arena") && !*run.err);
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
    want(0, ARGV((char *)"feed", cave, (char *)"terrain:4:2x2x1", (char *)"--quiet"), &run);
    spawned_free(&run);
    return adit_attach(cave, ADIT_PRODUCER, NULL, &arena) || adit_settle(arena, 30000000000u);
}

static int tear_down(void **state)
{
    (void)state;
    adit_detach(&arena);
    kill(serve.pid, SIGTERM);
    spawned_wait(&serve);
    int code = serve.exit_code;
    spawned_free(&serve);
    spawned_home_remove();
    return code;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_arena_is_clean),
        cmocka_unit_test(a_breach_is_a_line_and_exit_1),
        cmocka_unit_test(rings_are_listed_with_what_they_lost),
        cmocka_unit_test(a_process_that_was_killed_is_a_breach_of_a_quiet_arena),
        cmocka_unit_test(an_image_is_checked_like_an_arena),
        cmocka_unit_test(a_name_may_be_a_file),
        cmocka_unit_test(wrong_operands_give_one_line_and_exit_2),
    };
    return cmocka_run_group_tests_name("check_cli", tests, set_up, tear_down);
}
