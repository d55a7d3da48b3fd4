/* Images of arenas: what was saved is what is opened; damaged, cut and foreign files are errors that say what is wrong. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/verify_fixture.h"

#define PAGE 4096u

static struct verify_scene scene;
static char folder[] = "/tmp/adit-image-XXXXXX";
static char image[64], other[64];

static void store(const char *path, uint64_t at, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, (off_t)at), n);
    close(fd);
}

static void load(const char *path, uint64_t at, void *bytes, size_t n)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, bytes, n, (off_t)at), n);
    close(fd);
}

/* Opening it fails so, in one line. */
static void refused(const char *path, int error, const char *part)
{
    struct adit_arena *a;
    assert_int_equal(adit_image_open(path, &a), error);
    assert_null(a);
    if (!strstr(adit_detail(), part) || strchr(adit_detail(), '\n'))
        fail_msg("'%s' does not say '%s'", adit_detail(), part);
}

static void an_image_is_what_was_saved(void **state)
{
    struct adit_arena *a;
    struct stat st;
    (void)state;
    assert_int_equal(adit_image_save(scene.arena, image), 0);
    assert_int_equal(stat(image, &st), 0);
    assert_true((uint64_t)st.st_blocks * 512 < (uint64_t)st.st_size / 2); /* what is empty takes no room, until it is looked at on a tmpfs */
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(adit_image_open(image, &a), 0);
    assert_string_equal(adit_notes(a), "");
    for (uint32_t s = 0; s < a->segments_n; s++) {
        assert_int_equal(a->maps[s].bytes, scene.arena->maps[s].bytes);
        assert_memory_equal(a->maps[s].base, scene.arena->maps[s].base, a->maps[s].bytes);
    }
    struct adit_stats was = fixture_stats(scene.arena), is = fixture_stats(a);
    assert_int_equal(was.quads, is.quads);
    assert_int_equal(was.voxels, is.voxels);
    if (verify_run(a, ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP, 1))
        fail_msg("%s", verify_lines());
    adit_detach(&a);
}

static void an_image_is_read_only(void **state)
{
    struct adit_arena *a;
    struct adit_reader *r;
    struct adit_key key = verify_key(0);
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    (void)state;
    assert_int_equal(adit_image_open(image, &a), 0);
    assert_int_equal(adit_reader_open(a, &r), -EROFS);
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), -EROFS);
    adit_detach(&a);
}

/* Damage in the memory that was saved is found as in a live arena. */
static void a_breach_is_found_in_an_image(void **state)
{
    struct adit_arena *a;
    struct adit_watch_slot *w = &scene.arena->watches[3];
    (void)state;
    w->state = 7;
    assert_int_equal(adit_image_save(scene.arena, other), 0);
    w->state = 0;
    assert_int_equal(adit_image_open(other, &a), 0);
    assert_int_equal(verify_run(a, 0, 1), 1);
    assert_true(verify_said("I5", "watch 3", "in state 7"));
    adit_detach(&a);
}

static void the_dead_of_an_image_are_not_looked_for(void **state)
{
    struct adit_arena *a;
    struct adit_participant *p = scene.arena->self;
    (void)state;
    p->start_time++;
    assert_int_equal(adit_image_save(scene.arena, other), 0);
    p->start_time--;
    assert_int_equal(adit_image_open(other, &a), 0);
    assert_int_equal(verify_run(a, ADIT_VERIFY_QUIET, 1), 0);
    adit_detach(&a);
}

static void a_cut_or_foreign_file_is_an_error(void **state)
{
    struct stat st;
    (void)state;
    assert_int_equal(adit_image_save(scene.arena, other), 0);
    assert_int_equal(stat(other, &st), 0);
    for (off_t bytes = st.st_size - 1; bytes > PAGE; bytes /= 3) {
        assert_int_equal(truncate(other, bytes), 0);
        refused(other, -EPROTO, "is cut off");
    }
    assert_int_equal(truncate(other, 100), 0);
    refused(other, -EPROTO, "not the image of an arena");
    assert_int_equal(truncate(other, 0), 0);
    refused(other, -EPROTO, "not the image of an arena");
    refused("tests/test_image.c", -EPROTO, "not the image of an arena");
    refused("/nowhere/at/all", -ENOENT, "cannot be opened");
    refused(folder, -EPROTO, "not the image of an arena");
    assert_int_equal(adit_image_save(scene.arena, "/nowhere/at/all"), -ENOENT);
    assert_non_null(strstr(adit_detail(), "cannot be saved"));
}

static void each_damaged_word_of_the_head_is_an_error(void **state)
{
    struct adit_image_head head;
    (void)state;
    load(image, 0, &head, sizeof head);
    for (uint64_t at = 0; at < sizeof head; at += 8) {
        uint64_t word;
        load(image, at, &word, 8);
        word ^= 1ull << (at * 7 % 64);
        store(image, at, &word, 8);
        refused(image, -EPROTO, at ? "head is damaged" : "not the image");
        word ^= 1ull << (at * 7 % 64);
        store(image, at, &word, 8);
    }
    struct adit_arena *a; /* and it was the damage, each time */
    assert_int_equal(adit_image_open(image, &a), 0);
    adit_detach(&a);
}

/* Whatever later times lie in it. */
static void an_image_knows_when_it_was_saved(void **state)
{
    struct adit_arena *a;
    uint64_t wall = 1, before = adit_clock_ns(), before_wall = adit_clock_real_ns();
    (void)state;
    assert_int_equal(adit_image_moment(scene.arena, &wall), 0);
    assert_int_equal(wall, 0);
    assert_int_equal(adit_image_save(scene.arena, image), 0);
    assert_int_equal(adit_image_open(image, &a), 0);
    assert_in_range(adit_image_moment(a, &wall), before, adit_clock_ns());
    assert_in_range(wall, before_wall, adit_clock_real_ns());
    assert_int_equal(adit_image_moment(a, NULL), adit_image_moment(a, &wall));
    adit_detach(&a);
}

/* Damage behind the head: an error, or an arena with tables that lie inside, which can be looked at. */
static void damage_behind_the_head_leads_nowhere(void **state)
{
    uint64_t seed = 3;
    uint32_t opened = 0, refusals = 0;
    (void)state;
    for (uint32_t n = 0; n < 400; n++) {
        uint64_t at = PAGE + shm_fixture_random(&seed) % (n % 2 ? sizeof(struct adit_control) : 1u << 18) / 8 * 8, was, word;
        struct adit_arena *a;
        load(image, at, &was, 8);
        word = n % 4 < 2 ? shm_fixture_random(&seed) : was ^ 1ull << (n % 64);
        store(image, at, &word, 8);
        int error = adit_image_open(image, &a);
        assert_true(error == 0 || error == -EPROTO);
        opened += !error;
        refusals += error != 0;
        if (!error)
            assert_true(verify_run(a, ADIT_VERIFY_QUIET, 1) >= 0);
        adit_detach(&a);
        store(image, at, &was, 8);
    }
    assert_true(opened > 50 && refusals > 5);
}

static void work(void *user)
{
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    uint32_t *over = user;
    __atomic_store_n(&over[1], 1, __ATOMIC_RELEASE);
    for (uint64_t n = 0; !__atomic_load_n(over, __ATOMIC_ACQUIRE); n++)
        verify_put(a, 1, VERIFY_SIMPLE + n);
    adit_detach(&a);
}

static void an_image_of_an_arena_at_work_says_so(void **state)
{
    uint32_t *over = *state;
    struct adit_arena *a;
    fixture_start();
    shm_fixture_until(&over[1], 1);
    bool said = false;
    for (uint32_t i = 0; i < 500 && !said; i++) { /* saving is quick: others may do nothing meanwhile */
        assert_int_equal(adit_image_save(scene.arena, other), 0);
        assert_int_equal(adit_image_open(other, &a), 0);
        said = strstr(adit_notes(a), "not one moment");
        adit_detach(&a);
    }
    __atomic_store_n(over, 1, __ATOMIC_RELEASE);
    assert_true(said);
}

static pid_t worker;

static int set_up(void **state)
{
    static uint32_t *over;
    if (shm_fixture_set_up(state) || !mkdtemp(folder))
        return -1;
    snprintf(image, sizeof image, "%s/image", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    over = shm_fixture_shared(2 * sizeof *over);
    worker = fixture_fork(work, over);
    verify_scene_make(&scene, true);
    *state = over;
    return 0;
}

static int tear_down(void **state)
{
    int error = shm_fixture_wait(worker);
    verify_scene_end(&scene);
    (void)unlink(image);
    (void)unlink(other);
    return error | rmdir(folder) | shm_fixture_tear_down(state); /* no partial file is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_what_was_saved),
        cmocka_unit_test(an_image_is_read_only),
        cmocka_unit_test(a_breach_is_found_in_an_image),
        cmocka_unit_test(the_dead_of_an_image_are_not_looked_for),
        cmocka_unit_test(a_cut_or_foreign_file_is_an_error),
        cmocka_unit_test(each_damaged_word_of_the_head_is_an_error),
        cmocka_unit_test(an_image_knows_when_it_was_saved),
        cmocka_unit_test(damage_behind_the_head_leads_nowhere),
        cmocka_unit_test(an_image_of_an_arena_at_work_says_so), /* last: it sets another process to work */
    };
    return cmocka_run_group_tests_name("image", tests, set_up, tear_down);
}
