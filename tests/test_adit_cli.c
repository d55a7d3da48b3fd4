/* test_adit_cli.c - the adit program as its users meet it: real processes, real arenas, exit codes, files, JSON.
 *
 * What a run counts is checked against the voxels it wrote (--raw), by counting faces one by one here; where
 * ../shared/worlds is there, against the counts of its README as well. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "kernels/mesh.h"
#include "kernels/quad.h"
#include "tests/adit_called.h"
#include "tests/volume_faces.h"
#include "tests/world_files.h"

/* ---- help and usage --------------------------------------------------------------------------------------------- */

static void help_and_version_are_answers_not_errors(void **state)
{
    (void)state;
    char *commands[] = {(char *)"run", (char *)"serve", (char *)"feed", (char *)"watch", (char *)"mesh", (char *)"ls", (char *)"dump",
                        (char *)"check", (char *)"tiers"};
    struct spawned run;
    adit_want(0, ARGV((char *)"--version"), &run);
    assert_true(!strncmp(run.out, "adit ", 5) && !*run.err);
    spawned_free(&run);
    adit_want(0, ARGV((char *)"help"), &run);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        assert_non_null(strstr(run.out, commands[i]));
    spawned_free(&run);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        adit_want(0, ARGV(commands[i], (char *)"--help"), &run);
        assert_true(strstr(run.out, "usage: adit ") && !*run.err);
        spawned_free(&run);
    }
}

static void bad_usage_gives_one_line_and_exit_2(void **state)
{
    (void)state;
    adit_refuses("adit --help", (char *[]){(char *)"adit", NULL});
    adit_refuses("sing", ARGV((char *)"sing"));
    adit_refuses("--sing", ARGV((char *)"run", (char *)"--sing", (char *)"terrain"));
    adit_refuses("takes no value", ARGV((char *)"run", (char *)"--json=1", (char *)"terrain"));
    adit_refuses("--out needs a value", ARGV((char *)"run", (char *)"terrain", (char *)"--out"));
    adit_refuses("1 to 64", ARGV((char *)"run", (char *)"terrain", (char *)"--producers", (char *)"0"));
    adit_refuses("512M", ARGV((char *)"run", (char *)"terrain", (char *)"--size", (char *)"big"));
    adit_refuses("scalar", ARGV((char *)"run", (char *)"terrain", (char *)"--tiers", (char *)"abacus"));
    adit_refuses(".glb", ARGV((char *)"run", (char *)"terrain", (char *)"--out", (char *)"x.stl"));
    adit_refuses("/nowhere", ARGV((char *)"run", (char *)"terrain", (char *)"--out", (char *)"/nowhere/x.glb"));
    adit_refuses("two outputs", ARGV((char *)"run", (char *)"terrain", (char *)"--raw", (char *)"x.png", (char *)"--picture", (char *)"x.png"));
    adit_refuses("opaque", ARGV((char *)"run", (char *)"terrain", (char *)"--classes", (char *)"solid"));
    adit_refuses("?[31m", ARGV((char *)"run", (char *)"\033[31mred.vox"));
    adit_refuses("X0,Y0,Z0", ARGV((char *)"watch", (char *)"x", (char *)"--box", (char *)"0,0,0,1,1,0"));
    adit_refuses("no such", ARGV((char *)"mesh", (char *)"x", (char *)"--dims"));
    adit_refuses("nobody", ARGV((char *)"watch", (char *)"nobody"));
    adit_refuses("use 1 to 47", ARGV((char *)"serve", (char *)"a/b"));
}

/* ---- run -------------------------------------------------------------------------------------------------------- */

static void a_run_counts_what_its_volume_shows(void **state)
{
    (void)state;
    char *raw = strdup(spawned_file("w.raw")), *quads = strdup(spawned_file("w.quads"));
    json_t *j = adit_json(ARGV((char *)"run", (char *)"terrain:5:2x1x2", (char *)"--producers", (char *)"2", (char *)"--consumers", (char *)"2",
                               (char *)"--classes", (char *)"opaque", (char *)"--json", (char *)"--raw", raw, (char *)"--out", quads));
    const json_t *world = json_array_get(json_object_get(j, "worlds"), 0);
    int dim[3];
    for (size_t a = 0; a < 3; a++)
        dim[a] = (int)(json_integer_value(json_array_get(json_object_get(world, "voxel_max"), a)) -
                       json_integer_value(json_array_get(json_object_get(world, "voxel_min"), a)));
    size_t bytes;
    uint8_t *data = file_read(raw, &bytes);
    assert_int_equal(bytes, dim[0] * dim[1] * dim[2]);
    uint16_t *voxels = malloc(bytes * sizeof *voxels);
    int64_t solid = 0, quads_n, materials = 0;
    bool used[256] = {0};
    for (size_t i = 0; i < bytes; i++) {
        voxels[i] = data[i];
        solid += data[i] != 0;
        materials += data[i] && !used[data[i]];
        used[data[i]] = true;
    }
    struct volume v = volume_opaque(voxels, dim[0], dim[1], dim[2], 0);
    assert_int_equal(number(j, "visible_faces"), quads_fit(&v, quads, &quads_n));
    assert_int_equal(number(j, "quads"), quads_n);
    assert_int_equal(number(j, "voxels"), solid);
    assert_int_equal(number(j, "materials"), materials);
    assert_int_equal(number(j, "chunks"), 4);
    assert_int_equal(number(j, "participants_lost"), 0);
    assert_int_equal(number(j, "tasks_lost"), 0);
    assert_int_equal(number(json_object_get(j, "checked"), "faults"), 0);
    assert_int_equal(number(json_object_get(j, "checked"), "versions"), 8); /* 4 by each of two consumers */
    assert_true(number(json_object_get(j, "publish_to_visible_ns"), "p99") >=
                number(json_object_get(j, "publish_to_visible_ns"), "p50"));
    assert_true(json_number_value(json_object_get(j, "chunks_per_s")) > 0);
    assert_int_equal(spawned_files_count("adit", ""), 0); /* no socket is left */
    json_decref(j);
    free(voxels);
    free(data);
    free(raw);
    free(quads);
}

static void every_kernel_and_any_number_of_processes_count_the_same(void **state)
{
    (void)state;
    char *world = (char *)"terrain:2:3x2x2";
    json_t *one = adit_json(ARGV((char *)"run", world, (char *)"--json", (char *)"--tiers", (char *)"scalar", (char *)"--quiet"));
    json_t *many = adit_json(ARGV((char *)"run", world, (char *)"--json", (char *)"--producers", (char *)"3", (char *)"--consumers", (char *)"2", (char *)"--quiet"));
    json_t *meshers = adit_json(ARGV((char *)"run", world, (char *)"--json", (char *)"--worker-processes", (char *)"2", (char *)"--quiet"));
    assert_true(number(json_object_get(one, "tiers"), "scalar") >= number(one, "chunks"));
    const char *best;
    adit_mesh_kernel_best(&best);
    assert_true(number(json_object_get(many, "tiers"), best) >= number(many, "chunks"));
    const char *names[] = {"chunks", "voxels", "visible_faces", "quads", "bytes", "materials"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(number(one, names[i]), number(many, names[i]));
        assert_int_equal(number(one, names[i]), number(meshers, names[i]));
    }
    const json_t *processes = json_object_get(meshers, "worker_processes"); /* all was meshed by them (tried: the option not handed on) */
    assert_int_equal(number(processes, "meshed"), number(json_object_get(meshers, "tiers"), best));
    assert_true(number(processes, "meshed") >= number(one, "chunks"));
    assert_int_equal(number(processes, "deaths") + number(processes, "given_up"), 0);
    assert_null(json_object_get(many, "worker_processes"));
    json_decref(one);
    json_decref(many);
    json_decref(meshers);
}

static void the_same_seed_edits_to_the_same_world(void **state)
{
    (void)state;
    json_t *j[3];
    for (int i = 0; i < 3; i++)
        j[i] = adit_json(ARGV((char *)"run", (char *)"terrain:2:2x1x2", (char *)"--json", (char *)"--producers", (char *)"2", (char *)"--edits", (char *)"300",
                              (char *)"--seed", (char *)(i < 2 ? "7" : "8"), (char *)"--quiet"));
    assert_int_equal(number(j[0], "edits"), 300);
    assert_int_equal(number(j[0], "voxels"), number(j[1], "voxels"));
    assert_int_equal(number(j[0], "visible_faces"), number(j[1], "visible_faces"));
    assert_int_not_equal(number(j[0], "visible_faces"), number(j[2], "visible_faces"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(number(json_object_get(j[i], "checked"), "faults"), 0);
        json_decref(j[i]);
    }
}

static char *file_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *text = NULL;
    size_t room = 0;
    ssize_t got = getdelim(&text, &room, 0, f); /* text has no zero byte */
    assert_true(got > 0);
    fclose(f);
    return text;
}

#ifdef __SANITIZE_ADDRESS__
#define KILLS 40 /* a start takes ten times as long there */
#else
#define KILLS 300
#endif
#define TEXT_OF_(number) #number
#define TEXT_OF(number) TEXT_OF_(number)

/* (tried: a killed producer that is not told to go again, a recovery that takes nothing back: neither ends well) */
static void processes_killed_meanwhile_change_nothing(void **state)
{
    (void)state;
    char *const kills[2] = {(char *)"0", (char *)TEXT_OF(KILLS)}, *text[2];
    json_t *j[2];
    for (int i = 0; i < 2; i++) {
        char *out = spawned_file(i ? "killed.quads" : "quiet.quads");
        j[i] = adit_json(ARGV((char *)"run", (char *)"terrain:2:2x1x2", (char *)"--json", (char *)"--producers", (char *)"2", (char *)"--consumers",
                              (char *)"2", (char *)"--edits", (char *)"100", (char *)"--kills", kills[i], (char *)"--out", out, (char *)"--quiet"));
        text[i] = file_text(out);
        assert_int_equal(number(json_object_get(j[i], "checked"), "faults"), 0);
        assert_int_equal(number(j[i], "tasks_lost"), 0);
        assert_int_equal(number(j[i], "edits"), 100);
    }
    assert_int_equal(number(j[0], "participants_lost"), 0);
    assert_in_range(number(j[1], "participants_lost"), KILLS / 2, KILLS); /* a few may have been done just before */
    assert_int_equal(number(j[1], "breaches"), 0);
    const json_t *killed = json_object_get(j[1], "killed");
    assert_true(number(killed, "producers") && number(killed, "consumers") && number(killed, "workers") && number(killed, "keepers"));
    const char *const same[] = {"chunks", "voxels", "visible_faces", "quads"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_int_equal(number(j[0], same[i]), number(j[1], same[i]));
    assert_string_equal(text[0], text[1]);
    for (int i = 0; i < 2; i++) {
        json_decref(j[i]);
        free(text[i]);
    }
}

static void several_worlds_are_counted_apart(void **state)
{
    (void)state;
    json_t *j = adit_json(ARGV((char *)"run", (char *)"checker:1x1x1", (char *)"terrain:3:1x1x1", (char *)"--json", (char *)"--quiet", (char *)"--out",
                               spawned_file("two.obj"), (char *)"--picture", spawned_file("two.png")));
    const json_t *worlds = json_object_get(j, "worlds");
    int64_t faces = 0;
    assert_int_equal(json_array_size(worlds), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(number(json_array_get(worlds, i), "world"), (int64_t)i);
        faces += number(json_array_get(worlds, i), "visible_faces");
    }
    assert_int_equal(number(json_array_get(worlds, 0), "visible_faces"), 131072 * 6);
    assert_int_equal(number(j, "visible_faces"), faces);
    assert_int_equal(spawned_files_count("", "two.obj"), 1);
    assert_int_equal(spawned_files_count("", "two.png"), 1);
    json_decref(j);
}

/* Runs a volume of 64^3 voxels of one material for people; what it has printed. */
static void uniform_run(uint8_t material, struct spawned *run)
{
    uint8_t *voxels = malloc(ADIT_CHUNK_VOXELS);
    char spec[512];
    FILE *f = fopen(spawned_file("uniform.raw"), "wb");
    assert_non_null(f);
    memset(voxels, material, ADIT_CHUNK_VOXELS);
    assert_int_equal(fwrite(voxels, 1, ADIT_CHUNK_VOXELS, f), ADIT_CHUNK_VOXELS);
    fclose(f);
    free(voxels);
    snprintf(spec, sizeof spec, "%s:64,64,64", spawned_file("uniform.raw"));
    adit_want(0, ARGV((char *)"run", spec, (char *)"--quiet"), run);
}

static void a_world_without_voxels_gets_no_figures_that_nobody_measured(void **state)
{
    (void)state;
    static const char *const measured[] = {"of a plain array", "latency", "p50", "chunks/s"};
    struct spawned air, stone;
    uniform_run(0, &air);
    uniform_run(1, &stone);
    assert_non_null(strstr(air.out, "0 chunks, 0 voxels"));
    assert_non_null(strstr(stone.out, "1 chunks, 262,144 voxels"));
    for (size_t i = 0; i < sizeof measured / sizeof *measured; i++)
        if (strstr(air.out, measured[i]) || !strstr(stone.out, measured[i])) /* stone: the control */
            fail_msg("'%s' in\n%sor not in\n%s", measured[i], air.out, stone.out);
    spawned_free(&air);
    spawned_free(&stone);
}

static void real_worlds_show_the_faces_they_are_known_for(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int64_t materials, voxels, faces;
    } known[] = {{"anvil-1.13.2", 46, 3137732, 374288}, {"anvil-1.18.2", 34, 1701238, 149394}, {"anvil-1.20", 124, 9943617, 1010080}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char path[64];
        snprintf(path, sizeof path, "../shared/worlds/%s.mca", known[i].file);
        if (access(path, R_OK))
            skip();
        json_t *j = adit_json(ARGV((char *)"run", path, (char *)"--classes", (char *)"opaque", (char *)"--json", (char *)"--quiet"));
        assert_int_equal(number(j, "visible_faces"), known[i].faces);
        assert_int_equal(number(j, "voxels"), known[i].voxels);
        assert_int_equal(number(j, "materials"), known[i].materials);
        assert_true(json_real_value(json_object_get(json_object_get(j, "memory"), "overhead")) <= 0.05);
        json_decref(j);
    }
}

static void an_arena_too_small_is_one_line(void **state)
{
    (void)state;
    adit_refuses("--size", ARGV((char *)"run", (char *)"terrain:1:4x2x4", (char *)"--size", (char *)"2M", (char *)"--quiet"));
    adit_refuses("--size", ARGV((char *)"run", (char *)"noise50:1:2x1x1", (char *)"--size", (char *)"2M", (char *)"--quiet"));
    assert_int_equal(spawned_files_count("adit", ""), 0);
}

/* ---- ends before the end ---------------------------------------------------------------------------------------- */

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* A run that would take hours, once its processes are there. */
static void long_run_start(struct spawned *run, const char *wait_for)
{
    spawned_start(ADIT, ARGV((char *)"run", (char *)"terrain:1:2x1x2", (char *)"--edits", (char *)"4000000000", (char *)"--producers", (char *)"2",
                             (char *)"--consumers", (char *)"2", (char *)"--quiet", (char *)"--json", (char *)"--out", spawned_file("never.glb")), run);
    for (int i = 0; i < 6000 && !spawned_child_of(run->pid, wait_for); i++)
        pause_ms(5);
    assert_int_not_equal(spawned_child_of(run->pid, wait_for), 0);
}

static void an_interrupted_run_leaves_nothing(void **state)
{
    (void)state;
    for (long ms = 0; ms <= 400; ms += 200) {
        struct spawned run;
        long_run_start(&run, "feed");
        pid_t child = spawned_child_of(run.pid, "watch");
        pause_ms(ms);
        kill(run.pid, SIGINT);
        spawned_wait(&run);
        assert_int_equal(run.exit_code, 130);
        assert_string_equal(run.out, "");
        assert_non_null(strstr(run.err, "interrupted"));
        assert_true(child == 0 || kill(child, 0) != 0);
        assert_int_equal(spawned_files_count("adit", ""), 0);
        assert_int_equal(spawned_files_count("", "never"), 0);
        spawned_free(&run);
    }
}

static void a_killed_process_ends_the_run_with_a_line(void **state)
{
    (void)state;
    const char *who[] = {"feed", "watch"}, *label[] = {"producer", "consumer"};
    for (int i = 0; i < 2; i++) {
        struct spawned run;
        long_run_start(&run, who[i]);
        pause_ms(300);
        kill(spawned_child_of(run.pid, who[i]), SIGKILL);
        spawned_wait(&run);
        assert_int_equal(run.exit_code, 1);
        assert_true(strstr(run.err, label[i]) && strstr(run.err, "signal 9"));
        json_t *j = json_loads(run.out, 0, NULL);
        assert_non_null(j);
        assert_int_equal(number(j, "participants_lost"), 1);
        json_decref(j);
        assert_int_equal(spawned_files_count("adit", ""), 0);
        assert_int_equal(spawned_files_count("", "never"), 0);
        spawned_free(&run);
    }
}

/* A world in which every face is seen: glass beside another glass, twelve quads where opaque voxels have none. (tried: a plan that samples all
 * materials as opaque: the arena it makes is full) */
static void a_world_of_glass_has_an_arena_of_its_size(void **state)
{
    (void)state;
    const uint32_t side = 128, size[3] = {side, side, side};
    uint8_t(*voxels)[4] = malloc(4ull * side * side * side);
    struct bytes vox = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < side * side * side; i++, n++) {
        uint8_t x = (uint8_t)(i % side), y = (uint8_t)(i / side % side), z = (uint8_t)(i / side / side);
        memcpy(voxels[n], (uint8_t[]){x, y, z, (uint8_t)(1 + ((x ^ y ^ z) & 1))}, 4);
    }
    vox_begin(&vox, 150);
    vox_model(&vox, size, voxels, n);
    for (int32_t m = 1; m <= 2; m++)
        vox_material(&vox, m, "_glass", "_trans", "0.5");
    vox_finish(&vox);
    char *path = spawned_file("glass.vox");
    FILE *f = fopen(path, "wb");
    assert_true(f && fwrite(vox.data, 1, vox.size, f) == vox.size && !fclose(f));
    bytes_free(&vox);
    free(voxels);
    json_t *run = adit_json(ARGV((char *)"run", path, (char *)"--json", (char *)"--quiet"));
    assert_int_equal(number(run, "quads"), 6ll * side * side * side);
    json_decref(run);
}

/* Participants of the one arena that is there. */
static int64_t participants(void)
{
    json_t *listed = adit_json(ARGV((char *)"ls", (char *)"--json"));
    const json_t *first = json_array_get(json_object_get(listed, "arenas"), 0);
    int64_t n = json_integer_value(json_object_get(first, "participants"));
    json_decref(listed);
    return n;
}

/* Killed once all are there: who has not attached yet cannot take the socket file along.
 * (tried: a last one that leaves while run is dying, and takes its listening socket for somebody's: the file stays) */
static void the_death_of_run_ends_its_processes(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct spawned run;
        long_run_start(&run, "feed");
        pid_t child = spawned_child_of(run.pid, "feed");
        for (int k = 0; k < 2000 && participants() < 5; k++) /* run, two that feed, two that watch */
            pause_ms(5);
        assert_true(participants() >= 5);
        pause_ms(50 * i);
        kill(run.pid, SIGKILL);
        spawned_wait(&run);
        for (int k = 0; k < 2000 && (!kill(child, 0) || spawned_files_count("adit", "")); k++)
            pause_ms(5);
        assert_int_not_equal(kill(child, 0), 0);
        assert_int_equal(spawned_files_count("adit", ""), 0);
        spawned_free(&run);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, adit_home_make, adit_home_remove)

int main(void)
{
#ifdef __SANITIZE_THREAD__
    /* A block read here, reclaimed by another process and filled here again looks like a race: the order goes through
     * a process that ThreadSanitizer does not see. The torture tests have the form it can judge, one mapping. */
    puts("skipped: ThreadSanitizer cannot follow order through other processes");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        TEST(help_and_version_are_answers_not_errors),
        TEST(bad_usage_gives_one_line_and_exit_2),
        TEST(a_run_counts_what_its_volume_shows),
        TEST(every_kernel_and_any_number_of_processes_count_the_same),
        TEST(the_same_seed_edits_to_the_same_world),
        TEST(processes_killed_meanwhile_change_nothing),
        TEST(several_worlds_are_counted_apart),
        TEST(a_world_without_voxels_gets_no_figures_that_nobody_measured),
        TEST(real_worlds_show_the_faces_they_are_known_for),
        TEST(an_arena_too_small_is_one_line),
        TEST(an_interrupted_run_leaves_nothing),
        TEST(a_killed_process_ends_the_run_with_a_line),
        TEST(the_death_of_run_ends_its_processes),
        TEST(a_world_of_glass_has_an_arena_of_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
