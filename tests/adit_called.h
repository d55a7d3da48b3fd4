/* adit_called.h - bin/adit called by a test (spawned.h), with what the test wants of it: an exit code, one line, JSON. */
#ifndef ADIT_TESTS_ADIT_CALLED_H
#define ADIT_TESTS_ADIT_CALLED_H

#include <jansson.h>

#include "tests/spawned.h"

#define ADIT "bin/adit"
#define ARGV(...) ((char *[]){(char *)"adit", __VA_ARGS__, NULL})

/* cmocka set-up and tear-down: a home (spawned.h) for each test, its path in *state. */
int adit_home_make(void **state);
int adit_home_remove(void **state);

/* Runs adit and wants this exit code; what it said is shown if it had another. */
void adit_want(int code, char *const *argv, struct spawned *run);
/* Wants exit 2 and exactly one line of error that contains part. */
void adit_refuses(const char *part, char *const *argv);
/* Runs adit, which must succeed, and parses its stdout. */
json_t *adit_json(char *const *argv);
/* A whole number that must be there. */
int64_t number(const json_t *root, const char *name);

#endif
