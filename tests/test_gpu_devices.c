/* Which Vulkan devices are found, when drivers are missing, broken, or there twice: a table or an error code, never a fault. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/adit.h"
#include "tests/gpu_fixture.h"

static char folder[512];

static void path_in(char *path, size_t bytes, const char *name) { snprintf(path, bytes, "%s/%s", folder, name); }

/* A file of the test's own folder with this text. */
static void write_file(const char *name, const char *text)
{
    char path[600];
    path_in(path, sizeof path, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && !fclose(f));
}

static void copy_of_driver(const char *name)
{
    char text[4096];
    FILE *f = fopen(gpu_test_driver(), "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    write_file(name, text);
}

/* There is no device, and a line that says what to do. */
static void expect_none(const char *drivers)
{
    struct adit_gpu_list *list = NULL;
    gpu_use_drivers(drivers);
    int error = adit_gpu_list_open(&list);
    assert_true(error == -ENODEV || error == -ENOENT);
    assert_null(list);
    assert_non_null(strstr(adit_detail(), "vulkan: "));
}

static void the_device_is_described(void **state)
{
    struct adit_gpu_list *list;
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    assert_int_equal(adit_gpu_list_open(&list), 0);
    assert_int_equal(list->n, 1);
    const struct adit_gpu_device *d = &list->devices[0];
    assert_true(*d->name && d->range_max >= 1u << 20 && d->subgroup >= 1 && !d->unfit);
    assert_true(getenv("ADIT_TEST_DRIVER") || (d->is_software && d->is_unified && !*d->pci && d->node == -1));
    assert_true(!d->import_align || !(d->import_align & (d->import_align - 1)));
    adit_gpu_list_close(&list);
    assert_null(list);
    adit_gpu_list_close(&list);
}

static void a_driver_that_is_nowhere_is_no_device(void **state)
{
    (void)state;
    expect_none("/nowhere/at/all.json");
}

static void a_broken_driver_is_no_device(void **state)
{
    char path[600];
    (void)state;
    write_file("garbage.json", "{ this is no driver");
    path_in(path, sizeof path, "garbage.json");
    expect_none(path);
    write_file("missing.json", "{\"file_format_version\": \"1.0.0\", \"ICD\": {\"library_path\": \"/nowhere/libdriver.so\", \"api_version\": \"1.2.0\"}}");
    path_in(path, sizeof path, "missing.json");
    expect_none(path);
    write_file("libc.json", "{\"file_format_version\": \"1.0.0\", \"ICD\": {\"library_path\": \"libc.so.6\", \"api_version\": \"1.2.0\"}}");
    path_in(path, sizeof path, "libc.json"); /* a library, but no driver */
    expect_none(path);
}

static void a_broken_driver_hides_no_other(void **state)
{
    char path[1400], broken[600];
    struct adit_gpu_list *list;
    (void)state;
    write_file("broken.json", "[]");
    path_in(broken, sizeof broken, "broken.json");
    snprintf(path, sizeof path, "%s:%s", broken, gpu_test_driver());
    gpu_use_drivers(path);
    assert_int_equal(adit_gpu_list_open(&list), 0);
    assert_int_equal(list->n, 1);
    adit_gpu_list_close(&list);
}

static void a_device_that_is_there_twice_counts_once(void **state)
{
    char path[1400], other[600];
    struct adit_gpu_list *list;
    (void)state;
    copy_of_driver("again.json");
    path_in(other, sizeof other, "again.json");
    snprintf(path, sizeof path, "%s:%s", gpu_test_driver(), other);
    gpu_use_drivers(path);
    assert_int_equal(adit_gpu_list_open(&list), 0);
    assert_int_equal(list->n, 1);
    assert_int_equal(list->folded, 1);
    adit_gpu_list_close(&list);
}

/* (tried: not asked) */
static void importing_can_be_taken_away(void **state)
{
    struct adit_gpu_list *list;
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    for (uint32_t i = 0; i < 2; i++) {
        if (i)
            setenv("ADIT_DISABLE", "numa,import", 1);
        assert_int_equal(adit_gpu_list_open(&list), 0);
        assert_true(!i == !!list->devices[0].import_align || getenv("ADIT_TEST_DRIVER"));
        assert_true(!i || !list->devices[0].import_align);
        adit_gpu_list_close(&list);
    }
    unsetenv("ADIT_DISABLE");
}

static void vulkan_can_be_taken_away(void **state)
{
    (void)state;
    setenv("ADIT_DISABLE", "vulkan", 1);
    expect_none(gpu_test_driver());
    unsetenv("ADIT_DISABLE");
}

static void an_unfit_device_is_refused_by_name(void **state)
{
    struct adit_gpu_list *list;
    struct adit_gpu *gpu;
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    assert_int_equal(adit_gpu_list_open(&list), 0);
    struct adit_gpu_device old = list->devices[0];
    old.unfit = "its driver has no Vulkan 1.2";
    assert_int_equal(adit_gpu_open(list, &old, &gpu), -ENODEV);
    assert_non_null(strstr(adit_detail(), old.name));
    assert_non_null(strstr(adit_detail(), old.unfit));
    assert_null(gpu);
    adit_gpu_list_close(&list);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/drivers-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"garbage.json", "missing.json", "libc.json", "broken.json", "again.json"};
    char path[600];
    (void)state;
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_in(path, sizeof path, names[i]);
        (void)remove(path);
    }
    return remove(folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_device_is_described),
        cmocka_unit_test(a_driver_that_is_nowhere_is_no_device),
        cmocka_unit_test(a_broken_driver_is_no_device),
        cmocka_unit_test(a_broken_driver_hides_no_other),
        cmocka_unit_test(a_device_that_is_there_twice_counts_once),
        cmocka_unit_test(importing_can_be_taken_away),
        cmocka_unit_test(vulkan_can_be_taken_away),
        cmocka_unit_test(an_unfit_device_is_refused_by_name),
    };
    gpu_use_drivers(gpu_test_driver()); /* or exit: there is none to test with */
    return cmocka_run_group_tests_name("Vulkan devices", tests, set_up, tear_down);
}
