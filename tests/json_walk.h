/* json_walk.h - reads JSON text in place, strictly (RFC 8259), for tests that must not trust the program's own writer.
 *
 * A value is a stretch of the text. json_parse checks the whole text; the others walk a text that passed.
 */
#ifndef ADIT_TESTS_JSON_WALK_H
#define ADIT_TESTS_JSON_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    const char *from, *end; /* end is one past */
};

/* True if text is one JSON value and nothing else but space; value is it. */
bool json_parse(const char *text, size_t bytes, struct json *value);

/* The member of an object; false if there is none (or value is no object). */
bool json_member(struct json value, const char *name, struct json *member);

/* The items of an array: *next starts as {0}; false after the last. */
bool json_next(struct json array, struct json *next);

uint64_t json_count(struct json array);
double json_number(struct json value); /* NaN if it is none */
bool json_is_string(struct json value, const char *text); /* of texts without escapes */
bool json_is(struct json value, const char *literal);     /* true, false, null, 12 ... as written */

#endif
