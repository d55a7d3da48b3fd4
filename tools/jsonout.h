/* jsonout.h - JSON by jansson: whole 64-bit integers stay whole, and text is checked to be UTF-8.
 *
 * Why a library: names in the output come from files and from shared memory, and quoting by hand is where tools go
 * wrong. Why jansson and not cJSON: cJSON keeps every number as a double, so a count beyond 2^53 would change.
 *
 * Building fails only when memory is short; adit_jsonout_print then says so and returns false.
 */
#ifndef ADIT_JSONOUT_H
#define ADIT_JSONOUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* text as a JSON string, bytes that are not UTF-8 or not printable as '?'. NULL gives "". */
json_t *adit_jsonout_text(const char *text);
json_t *adit_jsonout_text_n(const char *text, size_t bytes);

/* object[name] = value; value is taken. Nothing happens when either is NULL (memory was short). */
void adit_jsonout_set(json_t *object, const char *name, json_t *value);
void adit_jsonout_set_count(json_t *object, const char *name, uint64_t value);
void adit_jsonout_set_real(json_t *object, const char *name, double value);
void adit_jsonout_set_text(json_t *object, const char *name, const char *value);

/* object[name] as a count, 0 when it is not there or no whole number. */
uint64_t adit_jsonout_count(const json_t *object, const char *name);

/* Prints root on stdout, takes it, and flushes. False when stdout does not take it or root is NULL; a line was said. */
bool adit_jsonout_print(const char *program, json_t *root);

#endif
