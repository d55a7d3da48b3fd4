#include "tests/adit_called.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

int adit_home_make(void **state)
{
    *state = (void *)(uintptr_t)spawned_home_make();
    return 0;
}

int adit_home_remove(void **state)
{
    (void)state;
    spawned_home_remove();
    return 0;
}

void adit_want(int code, char *const *argv, struct spawned *run)
{
    spawned_run(ADIT, argv, run);
    if (run->exit_code != code)
        fail_msg("adit %s: exit %d, wanted %d\n%s%s", argv[1], run->exit_code, code, run->out, run->err);
}

void adit_refuses(const char *part, char *const *argv)
{
    struct spawned run;
    adit_want(2, argv, &run);
    const char *end = strchr(run.err, '\n');
    if (!end || end[1] || !strstr(run.err, part) || *run.out)
        fail_msg("not one line with '%s':\n%s%s", part, run.err, run.out);
    spawned_free(&run);
}

json_t *adit_json(char *const *argv)
{
    struct spawned run;
    json_error_t e;
    adit_want(0, argv, &run);
    json_t *root = json_loads(run.out, 0, &e);
    if (!root)
        fail_msg("not one JSON object: %s\n%s", e.text, run.out);
    spawned_free(&run);
    return root;
}

int64_t number(const json_t *root, const char *name)
{
    const json_t *value = json_object_get(root, name);
    if (!json_is_integer(value))
        fail_msg("%s is not there, or no whole number", name);
    return json_integer_value(value);
}
