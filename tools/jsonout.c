/* jsonout.c - reals carry fifteen digits: all that survive being read and written, and no noise such as 0.10000000000000001. */
#include "tools/jsonout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/say.h"

json_t *adit_jsonout_text_n(const char *text, size_t bytes)
{
    char *clean = malloc(bytes + 1);
    if (!clean)
        return NULL;
    json_t *s = json_string(adit_say_printable(clean, bytes + 1, text, bytes));
    free(clean);
    return s;
}

json_t *adit_jsonout_text(const char *text)
{
    return adit_jsonout_text_n(text ? text : "", text ? strlen(text) : 0);
}

void adit_jsonout_set(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value); /* takes value even when it fails */
}

void adit_jsonout_set_count(json_t *object, const char *name, uint64_t value)
{
    adit_jsonout_set(object, name, json_integer(value <= INT64_MAX ? (json_int_t)value : INT64_MAX)); /* JSON's readers have no more */
}

void adit_jsonout_set_real(json_t *object, const char *name, double value)
{
    adit_jsonout_set(object, name, json_real(isfinite(value) ? value : 0));
}

void adit_jsonout_set_text(json_t *object, const char *name, const char *value)
{
    adit_jsonout_set(object, name, adit_jsonout_text(value));
}

uint64_t adit_jsonout_count(const json_t *object, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(object, name));
    return n > 0 ? (uint64_t)n : 0;
}

bool adit_jsonout_print(const char *program, json_t *root)
{
    bool fine = root && !json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) && putchar('\n') != EOF;
    if (fflush(stdout) || ferror(stdout))
        fine = false;
    if (!fine)
        adit_say_error(program, "cannot write the JSON to stdout; is it closed, or the disk full?");
    json_decref(root);
    return fine;
}
