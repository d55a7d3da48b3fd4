/* test_strerror.c - the errors of adit.h: each that it names, or that shm/ and runtime/ return, has a text of the library's own, and
 * adit.h names each that comes out. Sources are read as they lie, from the repository's root. */
#include <ctype.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/adit.h"

#define ERRNO_MAX 133
#define NAME_BYTES 24

/* Between functions of the library only: each becomes another error before a call of adit.h ends. */
static const char *const inner[] = {"EADDRINUSE", "ECONNREFUSED", "EINTR", "ENOBUFS", "ENOTSOCK"};

struct names {
    char of[64][NAME_BYTES];
    size_t n;
};

static bool has(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (!strcmp(names->of[i], name))
            return true;
    return false;
}

static bool is_inner(const char *name)
{
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        if (!strcmp(inner[i], name))
            return true;
    return false;
}

/* The number of an errno's name, 0 if no errno is called so. */
static int number_of(const char *name)
{
    if (!strcmp(name, "ENOTSUP"))
        return number_of("EOPNOTSUPP"); /* one number with two names, of which the C library tells this one */
    for (int i = 1; i <= ERRNO_MAX; i++)
        if (strerrorname_np(i) && !strcmp(strerrorname_np(i), name))
            return i;
    return 0;
}

/* Adds all "-ENAME" that stand in the file. */
static void collect(const char *path, struct names *names)
{
    FILE *f = fopen(path, "r");
    char line[1024];
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        for (const char *at = line; (at = strstr(at, "-E")); at++) {
            char name[NAME_BYTES] = "";
            for (size_t i = 0; i < sizeof name - 1 && (isupper((unsigned char)at[i + 1]) || isdigit((unsigned char)at[i + 1])); i++)
                name[i] = at[i + 1];
            if (!number_of(name) || has(names, name))
                continue;
            assert_true(names->n < sizeof names->of / sizeof *names->of);
            memcpy(names->of[names->n++], name, sizeof name);
        }
    fclose(f);
}

static void collect_all(struct names *returned)
{
    static const char *const patterns[] = {"shm/*.c", "runtime/*.c"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        glob_t found;
        assert_int_equal(glob(patterns[i], 0, NULL, &found), 0);
        for (size_t k = 0; k < found.gl_pathc; k++)
            collect(found.gl_pathv[k], returned);
        globfree(&found);
    }
}

static bool has_own_text(const char *name)
{
    const char *text = adit_strerror(-number_of(name));
    size_t n = strlen(name);
    return text[0] == '-' && !strncmp(text + 1, name, n) && text[n + 1] == ':' && text == adit_strerror(number_of(name));
}

static void every_error_that_is_named_or_returned_has_a_text(void **state)
{
    struct names names = {0};
    (void)state;
    collect("runtime/adit.h", &names);
    collect("runtime/adit_tasks.h", &names);
    collect("runtime/adit_kinds.h", &names);
    collect("runtime/adit_frames.h", &names);
    collect("runtime/adit_router.h", &names);
    collect("runtime/adit_stream.h", &names);
    collect("runtime/adit_dispatch.h", &names);
    collect_all(&names);
    assert_true(has(&names, "ENOSPC") && has(&names, "EPERM")); /* the control: something was read */
    for (size_t i = 0; i < names.n; i++)
        if (!is_inner(names.of[i]) && !has_own_text(names.of[i]))
            fail_msg("-%s: adit_strerror has no text for it, but \"%s\"", names.of[i], adit_strerror(number_of(names.of[i])));
}

static void adit_h_names_every_error_that_comes_out(void **state)
{
    struct names named = {0}, returned = {0};
    (void)state;
    collect("runtime/adit.h", &named);
    collect("runtime/adit_tasks.h", &named);
    collect("runtime/adit_kinds.h", &named);
    collect("runtime/adit_frames.h", &named);
    collect("runtime/adit_router.h", &named);
    collect("runtime/adit_stream.h", &named);
    collect("runtime/adit_dispatch.h", &named);
    collect_all(&returned);
    for (size_t i = 0; i < returned.n; i++)
        if (is_inner(returned.of[i]) == has(&named, returned.of[i]))
            fail_msg("-%s is returned in shm/ or runtime/, and adit.h %s it", returned.of[i],
                     is_inner(returned.of[i]) ? "should not name" : "does not name");
}

static void any_number_has_some_text(void **state)
{
    (void)state;
    assert_string_equal(adit_strerror(0), "done");
    assert_string_equal(adit_strerror(-4095), "unknown error");
    for (int i = 1; i <= ERRNO_MAX; i++)
        assert_true(*adit_strerror(-i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_that_is_named_or_returned_has_a_text),
        cmocka_unit_test(adit_h_names_every_error_that_comes_out),
        cmocka_unit_test(any_number_has_some_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
