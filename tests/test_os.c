/* What the kernel grants (shm/os.h), read from made-up trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shm/shm.h"

static char root[] = "/tmp/adit-os-XXXXXX";
static char made[32][128]; /* files and folders, to be removed in reverse */
static uint32_t made_n;

static const char *path_of(const char *name)
{
    assert_true(made_n < sizeof made / sizeof *made);
    snprintf(made[made_n], sizeof made[0], "%s%s", root, name);
    return made[made_n++];
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
}

static void tree_remove(void)
{
    while (made_n)
        remove(made[--made_n]);
}

/* (tried: a look at the leaf alone finds no limit) */
static void the_least_room_on_the_way_to_the_root_counts(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("/a"), 0700), 0);
    assert_int_equal(mkdir(path_of("/a/b"), 0700), 0);
    put("/a/b/memory.max", "max\n");
    put("/a/b/memory.current", "5\n");
    assert_true(adit_cgroup_room_bytes(root, "/a/b", false) == UINT64_MAX);
    put("/a/memory.max", "1000\n");
    put("/a/memory.current", "300\n");
    assert_int_equal(adit_cgroup_room_bytes(root, "/a/b", false), 700);
    put("/memory.max", "600\n");
    put("/memory.current", "700\n");
    assert_int_equal(adit_cgroup_room_bytes(root, "/a/b", false), 0);
    assert_true(adit_cgroup_room_bytes(root, "/a/b", true) == UINT64_MAX); /* none of these names is version 1's */
    tree_remove();
}

static void pages_that_can_be_dropped_are_room(void **state)
{
    (void)state;
    put("/memory.limit_in_bytes", "1000\n");
    put("/memory.usage_in_bytes", "900\n");
    put("/memory.stat", "cache 1\ninactive_file 10\ntotal_inactive_file 250\n");
    assert_int_equal(adit_cgroup_room_bytes(root, "/not/shown/here", true), 350);
    tree_remove();
    put("/memory.max", "1000\n");
    put("/memory.current", "900\n");
    put("/memory.stat", "anon 1\ninactive_file 2000\n");
    assert_int_equal(adit_cgroup_room_bytes(root, "/", false), 1000);
    tree_remove();
}

static void what_is_available_is_some_memory(void **state)
{
    (void)state;
    assert_in_range(adit_memory_available_bytes(), 1 << 20, (uint64_t)1 << 50);
    assert_in_range(adit_memory_all_bytes(), adit_memory_available_bytes(), (uint64_t)1 << 50); /* of which that is a part */
    assert_int_equal(adit_memory_all_bytes(), adit_memory_all_bytes());
}

static int set_up(void **state)
{
    (void)state;
    return !mkdtemp(root);
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_room_on_the_way_to_the_root_counts),
        cmocka_unit_test(pages_that_can_be_dropped_are_room),
        cmocka_unit_test(what_is_available_is_some_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
