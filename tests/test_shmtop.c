/* test_shmtop.c - shmtop: the layout as a function of its input, and the program on a terminal, as text and as JSON. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/shmtop_scenes.h"
#include "tests/spawned.h"
#include "tools/moment.h"
#include "tools/shmtop_view.h"

#define SHMTOP "bin/shmtop"
#define ARGV(...) ((char *[]){(char *)"shmtop", __VA_ARGS__, NULL})

/* ---- the layout ------------------------------------------------------------------------------------------------- */

static struct shmtop_view view;

static int model_reset(void **state)
{
    (void)state;
    scene_reset();
    shmtop_view_init(&view);
    return 0;
}

static bool page_has(const char *text) { return scene_page_has(scene_page(&view, 80, SHMTOP_ALL_ROWS), text); }

static void every_participant_has_its_line(void **state)
{
    (void)state;
    shmtop_model_add(&scene_model, scene_begin(1, 1024));
    view.screen = shmtop_screen_find("participants");
    const struct shmtop_page *page = scene_page(&view, 120, SHMTOP_ALL_ROWS);
    assert_int_equal(page->count, 1024 + 3);
    assert_non_null(strstr(page->lines[3 + 1023].text, "2023")); /* its pid */
}

static void rates_are_of_one_process_between_two_samples(void **state)
{
    (void)state;
    struct shmtop_snapshot *s = scene_begin(10, 2), *before = s;
    s->participants[0].info.published = 1000;
    s->participants[1].info.published = 5000;
    shmtop_model_add(&scene_model, s);
    assert_true(shmtop_rates_all(s, NULL).published == 0); /* one sample tells nothing */
    s = scene_begin(12, 2);
    s->participants[0].info.published = 1300;
    s->participants[1].info.published = 6000;
    s->participants[1].info.generation = 2; /* another process in the same slot */
    shmtop_model_add(&scene_model, s);
    assert_true(shmtop_rates(s, before, &s->participants[0].info).published == 150);
    assert_true(shmtop_rates(s, before, &s->participants[1].info).published == 0);
    assert_true(shmtop_rates_all(s, before).published == 150);
    assert_true(page_has("150 published"));
}

static void the_oldest_section_is_named(void **state)
{
    (void)state;
    struct shmtop_snapshot *s = scene_begin(1, 3);
    s->participants[0].info.oldest_epoch = 99;
    s->participants[2].info.oldest_epoch = 60;
    shmtop_model_add(&scene_model, s);
    assert_true(page_has("feeder 2") && page_has("40 epochs behind"));
    assert_false(page_has("feeder 0"));
}

static void the_last_producers_leaving_is_said_and_when(void **state)
{
    (void)state;
    shmtop_model_add(&scene_model, scene_begin(1, 1));
    assert_false(page_has("has left"));
    for (uint64_t second = 2; second < 5; second++) {
        struct shmtop_snapshot *s = scene_begin(second, 0);
        s->stats.deserted = true;
        shmtop_model_add(&scene_model, s);
        assert_int_equal(scene_model.left_wall_ns, SCENE_WALL_NS + 2000000000u); /* when it was first seen, not now */
    }
    for (view.screen = 0; view.screen < shmtop_screens_n; view.screen++) {
        assert_true(page_has("the last producer has left"));
        assert_int_equal(scene_page(&view, 80, SHMTOP_ALL_ROWS)->lines[1].style, SHMTOP_WARNING);
    }
}

static void a_label_cannot_steer_the_terminal(void **state)
{
    (void)state;
    struct shmtop_snapshot *s = scene_begin(1, 1);
    memcpy(s->participants[0].info.label, "\033[2J\302\233x\n", 9);
    s->participants[0].info.oldest_epoch = 3;
    shmtop_model_add(&scene_model, s);
    for (view.screen = 0; view.screen < shmtop_screens_n; view.screen++) {
        const struct shmtop_page *page = scene_page(&view, 120, SHMTOP_ALL_ROWS);
        for (uint32_t i = 0; i < page->count; i++)
            for (const char *c = page->lines[i].text; *c; c++)
                assert_in_range(*c, 0x20, 0x7e);
        if (view.screen < 2) /* overview names who is furthest behind */
            assert_true(scene_page_has(page, "?[2J??x?"));
    }
}

static void a_failed_sample_leaves_the_last_one_and_says_why(void **state)
{
    (void)state;
    assert_int_equal(scene_page(&view, 80, SHMTOP_ALL_ROWS)->count, 1);
    struct shmtop_snapshot *s = scene_begin(1, 1);
    s->stats.voxels = 4321;
    shmtop_model_add(&scene_model, s);
    snprintf(scene_model.trouble, sizeof scene_model.trouble, "cannot be looked at");
    assert_true(page_has("4,321") && page_has("cannot be looked at"));
}

/* ---- the program ------------------------------------------------------------------------------------------------ */

static int home_make(void **state)
{
    (void)state;
    spawned_home_make();
    setenv("TERM", "xterm", 1);
    return 0;
}

static int home_remove(void **state)
{
    (void)state;
    spawned_home_remove();
    return 0;
}

static void serve_start(const char *name, struct spawned *serve)
{
    spawned_start("bin/adit", (char *[]){(char *)"adit", (char *)"serve", (char *)name, (char *)"--size", (char *)"16M", (char *)"--quiet", NULL}, serve);
    assert_true(spawned_says(serve, "is ready"));
}

static void serve_end(struct spawned *serve)
{
    kill(serve->pid, SIGTERM);
    spawned_wait(serve);
    assert_int_equal(serve->exit_code, 0);
    spawned_free(serve);
}

/* Runs shmtop, wants the code, and part in what it printed on stderr. */
static void shmtop_says(int code, const char *part, char *const *argv)
{
    struct spawned run;
    spawned_run(SHMTOP, argv, &run);
    if (run.exit_code != code || !strstr(run.err, part))
        fail_msg("exit %d, wanted %d with '%s':\n%s%s", run.exit_code, code, part, run.out, run.err);
    const char *end = strchr(run.err, '\n');
    assert_true(!*part || (end && !end[1])); /* one line */
    spawned_free(&run);
}

static void the_only_arena_needs_no_name(void **state)
{
    (void)state;
    struct spawned cave, mine, run;
    shmtop_says(2, "no arena", ARGV((char *)"--batch"));
    serve_start("cave", &cave);
    spawned_run(SHMTOP, ARGV((char *)"--batch", (char *)"-n", (char *)"2", (char *)"--interval", (char *)"20", (char *)"--width", (char *)"80"), &run);
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "cave  overview"));
    for (uint32_t i = 0; i < shmtop_screens_n; i++) {
        char title[64];
        snprintf(title, sizeof title, "cave  %s", shmtop_screens[i]->name);
        assert_non_null(strstr(run.out, title));
    }
    assert_non_null(strstr(run.out, "adit serve"));
    spawned_free(&run);
    serve_start("mine", &mine);
    shmtop_says(2, "cave", ARGV((char *)"--batch"));
    shmtop_says(0, "", ARGV((char *)"--batch", (char *)"mine"));
    shmtop_says(2, "nobody", ARGV((char *)"--batch", (char *)"nobody"));
    serve_end(&cave);
    serve_end(&mine);
}

static void json_is_one_object(void **state)
{
    (void)state;
    struct spawned cave, run;
    serve_start("cave", &cave);
    spawned_run(SHMTOP, ARGV((char *)"--json", (char *)"-n", (char *)"3", (char *)"--interval", (char *)"20"), &run);
    assert_int_equal(run.exit_code, 0);
    json_t *j = json_loads(run.out, 0, NULL);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "arena")), "cave");
    const json_t *samples = json_object_get(j, "samples");
    assert_int_equal(json_array_size(samples), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *s = json_array_get(samples, i);
        assert_int_equal(json_integer_value(json_object_get(s, "participants")), 1); /* who looks takes no slot */
        assert_int_equal(json_array_size(json_object_get(s, "participant_list")), 1);
        const json_t *tables = json_object_get(s, "tables"), *who = json_array_get(json_object_get(tables, "participants"), 0);
        assert_int_equal(json_integer_value(json_object_get(who, "pid")), cave.pid);
        assert_string_equal(json_string_value(json_object_get(who, "label")), "adit serve");
        assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(tables, "locks"), 0), "name")), "(keeper)");
    }
    json_decref(j);
    spawned_free(&run);
    serve_end(&cave);
}

/* Runs shmtop and wants what it prints; the caller frees. */
static char *shmtop_prints(char *const *argv)
{
    struct spawned run;
    spawned_run(SHMTOP, argv, &run);
    if (run.exit_code)
        fail_msg("exit %d: %s", run.exit_code, run.err);
    char *out = strdup(run.out);
    spawned_free(&run);
    return out;
}

/* (tried: processes of an image looked for among those of now.) */
static void one_screen_csv_and_images_are_printed(void **state)
{
    (void)state;
    struct spawned cave, run;
    char *image = spawned_file("cave.image");
    serve_start("cave", &cave);
    spawned_run("bin/adit", (char *[]){(char *)"adit", (char *)"feed", (char *)"cave", (char *)"checker:1:2x1x1", (char *)"--quiet", NULL}, &run);
    assert_int_equal(run.exit_code, 0);
    spawned_free(&run);
    char *out = shmtop_prints(ARGV((char *)"--batch", (char *)"--screen", (char *)"chunks", (char *)"cave"));
    assert_true(strstr(out, "cave  chunks") && !strstr(out, "cave  overview") && strstr(out, "layer y 0"));
    free(out);
    out = shmtop_prints(ARGV((char *)"--csv", (char *)"chunks", (char *)"cave"));
    uint32_t lines = 0;
    for (const char *c = out; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 3);
    assert_non_null(strstr(out, "\n0,0,0,0,0,"));
    assert_non_null(strstr(out, "\n0,0,1,0,0,"));
    free(out);
    spawned_run("bin/adit", (char *[]){(char *)"adit", (char *)"dump", (char *)"cave", (char *)"--image", image, NULL}, &run);
    assert_int_equal(run.exit_code, 0);
    spawned_free(&run);
    serve_end(&cave);
    out = shmtop_prints(ARGV((char *)"--batch", image)); /* all dead, all there still */
    assert_true(strstr(out, "participants  image") && strstr(out, "adit serve") && !strstr(out, "gone ") && !strstr(out, "has left"));
    free(out);
    out = shmtop_prints(ARGV((char *)"--csv", (char *)"chunks", image));
    assert_non_null(strstr(out, "\n0,0,1,0,0,"));
    free(out);
}

static int does_nothing(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run, (void)args, (void)result, (void)result_bytes;
    return 0;
}

/* The row of a table whose member key has that text, of the first sample. */
static const json_t *row_of(const json_t *root, const char *table, const char *key, const char *text)
{
    const json_t *list = json_object_get(json_object_get(json_array_get(json_object_get(root, "samples"), 0), "tables"), table);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!text || !strcmp(json_string_value(json_object_get(json_array_get(list, i), key)), text))
            return json_array_get(list, i);
    fail_msg("%s: no row has %s '%s'", table, key, text);
    return NULL;
}

static long long number_of(const json_t *row, const char *key) { return json_integer_value(json_object_get(row, key)); }
static const char *text_of(const json_t *row, const char *key) { return json_string_value(json_object_get(row, key)); }

/* (tried: in shmtop_data.c a free slot taken for the end; retired and loaned bytes changed places; ages of a live arena counted as an image's.) */
static void what_it_says_is_what_was_done(void **state)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    const struct adit_kind_params nothing = {.size = sizeof nothing, .name = "nothing", .run = does_nothing};
    const struct adit_create_params small = {.size = sizeof small, .data_bytes = 16u << 20};
    const struct adit_viewer_place place = {.size = sizeof place, .at = {1, 80, -2}, .toward = {1, 0, 0}, .radius = 64};
    struct adit_task_spec spec = {.size = sizeof spec, .priority = ADIT_LOW, .tag = 42};
    struct adit_arena *a;
    struct adit_ring *ring;
    struct adit_lock *lock;
    struct adit_watch *watch;
    struct adit_viewer *viewer;
    struct adit_queue *queue;
    struct adit_loan loan;
    struct spawned run;
    uint64_t task;
    void *bytes;
    (void)state;
    assert_int_equal(adit_create("scene", &small, &a), 0);
    assert_int_equal(adit_ring_open(a, "first", NULL, &ring), 0);
    adit_ring_close(&ring);
    assert_int_equal(adit_ring_open(a, "line", NULL, &ring), 0);
    assert_int_equal(adit_ring_destroy(a, "first"), 0); /* a free slot before it */
    assert_int_equal(adit_ring_push(ring, (char[192]){0}, 3), 3);
    assert_int_equal(adit_lock_open(a, "door", NULL, &lock), 0);
    assert_int_equal(adit_lock_lock(lock, ADIT_FOR_EVER, &bytes), 0);
    assert_int_equal(adit_watch_open(a, NULL, &watch), 0);
    assert_int_equal(adit_viewer_open(a, &place, &viewer), 0);
    assert_int_equal(adit_kind_register(a, &nothing, &spec.kind), 0);
    assert_int_equal(adit_queue_open(a, "work", NULL, &queue), 0);
    assert_int_equal(adit_submit(queue, &spec, &task), 0);
    voxels[5] = 7;
    assert_int_equal(adit_chunk_put(a, &(struct adit_key){.x = -3, .y = 2, .z = 9, .lod = 1}, voxels, NULL), 0);
    uint64_t put_ns = adit_moment_ns();
    assert_int_equal(adit_chunk_loan(a, &(struct adit_key){.x = 1}, &loan), 0);
    adit_moment_sleep(20000000);
    uint64_t began_ns = adit_moment_ns();
    spawned_run(SHMTOP, ARGV((char *)"--json", (char *)"scene"), &run);
    assert_int_equal(run.exit_code, 0);
    json_t *j = json_loads(run.out, 0, NULL);
    assert_non_null(j);
    const json_t *r = row_of(j, "rings", "name", "line");
    assert_true(number_of(r, "filled") == 3 && number_of(r, "capacity") == 1024 && number_of(r, "pusher_pid") == getpid());
    r = row_of(j, "locks", "name", "door");
    assert_true(!strcmp(text_of(r, "state"), "held") && number_of(r, "pid") == getpid());
    assert_int_equal(number_of(row_of(j, "locks", "name", "(keeper)"), "deaths"), 0);
    r = row_of(j, "watches", "state", "active");
    assert_true(number_of(r, "pid") == getpid() && number_of(r, "pending") == 1 && !strcmp(text_of(r, "what"), "chunks meshes"));
    assert_string_equal(text_of(row_of(j, "viewers", "state", "active"), "at"), "1 80 -2");
    r = row_of(j, "queues", "level", "low");
    assert_true(number_of(r, "queued") == 1 && number_of(r, "oldest_ns") > 0 && !strcmp(text_of(r, "queue"), "work"));
    r = row_of(j, "tasks", "kind", "nothing");
    assert_true(number_of(r, "tag") == 42 && !strcmp(text_of(r, "state"), "queued") && !strcmp(text_of(r, "level"), "low") && number_of(r, "submitter_pid") == getpid());
    assert_int_equal(number_of(row_of(j, "kinds", "name", "nothing"), "participants"), 1);
    r = row_of(j, "chunks", "state", "dirty");
    assert_true(number_of(r, "x") == -3 && number_of(r, "y") == 2 && number_of(r, "z") == 9 && number_of(r, "lod") == 1 && number_of(r, "version") == 1 && number_of(r, "solid") == 1);
    assert_true(number_of(r, "age_ns") >= (long long)(began_ns - put_ns) && number_of(r, "age_ns") < 600000000000ll);
    r = row_of(j, "holders", NULL, NULL);
    assert_true(number_of(r, "loaned_bytes") >= ADIT_CHUNK_VOXELS * 2 && number_of(r, "retired_bytes") == 0 && number_of(r, "pid") == getpid());
    const json_t *nodes = json_object_get(json_object_get(json_array_get(json_object_get(j, "samples"), 0), "tables"), "nodes");
    long long all = 0;
    for (size_t i = 0; i < json_array_size(nodes); i++)
        all += number_of(json_array_get(nodes, i), "bytes");
    assert_true(all >= 16 << 20 && all < 64 << 20); /* rounded up a node */
    json_decref(j);
    spawned_free(&run);
    adit_chunk_discard(a, &loan);
    assert_int_equal(adit_lock_discard(lock), 0);
    adit_lock_close(&lock);
    adit_ring_close(&ring);
    adit_watch_close(&watch);
    adit_viewer_close(&viewer);
    adit_queue_close(&queue);
    adit_detach(&a);
}

/* What it maps of the arena cannot be written: all of it is mapped shared and read-only. (tried: attached as a consumer.) */
static void an_observer_maps_nothing_to_write(void **state)
{
    (void)state;
    struct spawned cave, top;
    serve_start("cave", &cave);
    spawned_start(SHMTOP, ARGV((char *)"--batch", (char *)"-n", (char *)"1000", (char *)"--interval", (char *)"50", (char *)"cave"), &top);
    assert_true(spawned_says(&top, "cave  viewers"));
    char path[64], line[512];
    uint32_t mapped = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)top.pid);
    FILE *maps = fopen(path, "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps))
        if (strstr(line, "/memfd:")) {
            mapped++;
            assert_non_null(strstr(line, " r--s "));
        }
    fclose(maps);
    assert_true(mapped >= 2);
    kill(top.pid, SIGTERM);
    spawned_wait(&top);
    assert_int_equal(top.exit_code, 130);
    spawned_free(&top);
    serve_end(&cave);
}

static void bad_usage_is_one_line(void **state)
{
    (void)state;
    shmtop_says(2, "--sing", ARGV((char *)"--sing"));
    shmtop_says(2, "at most one", ARGV((char *)"a", (char *)"b"));
    shmtop_says(2, "--batch or --json", ARGV((char *)"-n", (char *)"2"));
    shmtop_says(2, "--batch; add that", ARGV((char *)"--screen", (char *)"chunks"));
    shmtop_says(2, "no --screen", ARGV((char *)"--batch", (char *)"--screen", (char *)"cellar"));
    shmtop_says(2, "--csv", ARGV((char *)"--csv", (char *)"cellar"));
    shmtop_says(2, "image", ARGV((char *)"--batch", (char *)"/dev/../etc/passwd"));
    shmtop_says(2, "not a terminal", ARGV((char *)"cave"));
}

/* ---- on a terminal ---------------------------------------------------------------------------------------------- */

struct terminal {
    pid_t pid;
    int fd;
    size_t have;
    char text[1 << 18]; /* all it was sent */
};

static struct terminal terminal;

static void terminal_start(unsigned short columns, unsigned short rows, const char *term)
{
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    terminal.have = 0;
    char *path = strdup(spawned_path(SHMTOP)), *argv[] = {(char *)"shmtop", (char *)"--interval", (char *)"50", NULL};
    terminal.pid = forkpty(&terminal.fd, NULL, NULL, &size);
    assert_true(terminal.pid >= 0);
    if (!terminal.pid) {
        if (term)
            setenv("TERM", term, 1);
        else
            unsetenv("TERM");
        execv(path, argv);
        _exit(127);
    }
    free(path);
}

/* Reads until text was sent (NULL: until the other side ends); false at the deadline. */
static bool terminal_shows(const char *text)
{
    for (int ms = 0; ms < SPAWNED_DEADLINE_MS; ms += 20) {
        struct pollfd p = {.fd = terminal.fd, .events = POLLIN};
        if (poll(&p, 1, 20) > 0) {
            ssize_t got = read(terminal.fd, terminal.text + terminal.have, sizeof terminal.text - 1 - terminal.have);
            if (got <= 0)
                return !text || strstr(terminal.text, text);
            terminal.have += (size_t)got;
            terminal.text[terminal.have] = 0;
        }
        if (text && terminal.have && strstr(terminal.text, text))
            return true;
    }
    return false;
}

static void terminal_key(const char *key)
{
    assert_int_equal(write(terminal.fd, key, strlen(key)), strlen(key));
}

static int terminal_end(void)
{
    int status = 0;
    assert_true(terminal_shows(NULL));
    assert_int_equal(waitpid(terminal.pid, &status, 0), terminal.pid);
    close(terminal.fd);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void a_terminal_that_cannot_be_drawn_on_is_one_line(void **state)
{
    (void)state;
    static const struct {
        unsigned short columns, rows;
        const char *term, *says;
    } cases[] = {{100, 30, NULL, "TERM is not set"}, {100, 30, "nonsense", "'nonsense' is not known"},
                 {100, 30, "dumb", "cannot move its cursor"}, {59, 30, "xterm", "59 columns"}, {100, 9, "xterm", "9 rows"}};
    struct spawned cave;
    serve_start("cave", &cave);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        terminal_start(cases[i].columns, cases[i].rows, cases[i].term);
        assert_int_equal(terminal_end(), 2);
        if (!strstr(terminal.text, cases[i].says) || strchr(terminal.text, '\033'))
            fail_msg("wanted '%s', got %s", cases[i].says, terminal.text);
    }
    serve_end(&cave);
}

static void keys_switch_screens_and_q_leaves(void **state)
{
    (void)state;
    struct spawned cave;
    serve_start("cave", &cave);
    terminal_start(100, 30, "xterm");
    assert_true(terminal_shows("cave  overview"));
    terminal_key("2");
    assert_true(terminal_shows("SLOT"));
    terminal_key("6");
    assert_true(terminal_shows("Who holds what back"));
    terminal_key("3");
    assert_true(terminal_shows("no chunks"));
    struct winsize small = {.ws_col = 40, .ws_row = 5};
    ioctl(terminal.fd, TIOCSWINSZ, &small);
    assert_true(terminal_shows("too small"));
    struct winsize large = {.ws_col = 120, .ws_row = 40};
    ioctl(terminal.fd, TIOCSWINSZ, &large);
    terminal_key("1");
    assert_true(terminal_shows("nobody is inside one"));
    terminal_key("q");
    assert_int_equal(terminal_end(), 0);
    assert_non_null(strstr(terminal.text, "\033[?1049l")); /* the screen before is back */
    serve_end(&cave);
}

static void the_last_state_stays_when_the_last_producer_leaves(void **state)
{
    (void)state;
    struct spawned cave;
    serve_start("cave", &cave);
    terminal_start(100, 30, "xterm");
    assert_true(terminal_shows("cave  overview"));
    serve_end(&cave);
    assert_true(terminal_shows("has left"));
    terminal_key("q");
    assert_int_equal(terminal_end(), 0);
}

static void a_signal_restores_the_terminal(void **state)
{
    (void)state;
    struct spawned cave;
    serve_start("cave", &cave);
    terminal_start(100, 30, "xterm");
    assert_true(terminal_shows("cave  overview"));
    kill(terminal.pid, SIGTERM);
    assert_int_equal(terminal_end(), 130);
    assert_non_null(strstr(terminal.text, "\033[?1049l"));
    serve_end(&cave);
}

#define LAYOUT(f) cmocka_unit_test_setup(f, model_reset)
#define PROGRAM(f) cmocka_unit_test_setup_teardown(f, home_make, home_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAYOUT(every_participant_has_its_line),
        LAYOUT(rates_are_of_one_process_between_two_samples),
        LAYOUT(the_oldest_section_is_named),
        LAYOUT(the_last_producers_leaving_is_said_and_when),
        LAYOUT(a_label_cannot_steer_the_terminal),
        LAYOUT(a_failed_sample_leaves_the_last_one_and_says_why),
        PROGRAM(the_only_arena_needs_no_name),
        PROGRAM(json_is_one_object),
        PROGRAM(one_screen_csv_and_images_are_printed),
        PROGRAM(what_it_says_is_what_was_done),
        PROGRAM(an_observer_maps_nothing_to_write),
        PROGRAM(bad_usage_is_one_line),
        PROGRAM(a_terminal_that_cannot_be_drawn_on_is_one_line),
        PROGRAM(keys_switch_screens_and_q_leaves),
        PROGRAM(the_last_state_stays_when_the_last_producer_leaves),
        PROGRAM(a_signal_restores_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
