/* say.h - lines for people: one error a line, with its place and cure; numbers as people read them.
 *
 * Text that came from a file or from shared memory is passed through adit_say_printable first: a name with control
 * characters must not steer anybody's terminal.
 */
#ifndef ADIT_SAY_H
#define ADIT_SAY_H

#include <stddef.h>
#include <stdint.h>

/* For main, before anything is opened: whoever closed descriptor 0, 1 or 2 gets one there that nothing can be written to,
 * so that no line ever lands in a file or an arena that happened to get that number. And a write past the limit on file sizes
 * (ulimit -f) is from now on an error that can be told, EFBIG, and not death by SIGXFSZ. */
void adit_say_begin(void);

/* "PROGRAM: message" on stderr, after taking a progress bar off the line. */
__attribute__((format(printf, 2, 3))) void adit_say_error(const char *program, const char *format, ...);
/* The same with "note: " before the message: nothing failed, but one should know. */
__attribute__((format(printf, 2, 3))) void adit_say_note(const char *program, const char *format, ...);

/* Copies text, what is not printable UTF-8 turned into '?', cut at bytes on a whole character. Returns out. */
char *adit_say_printable(char *out, size_t bytes, const void *text, size_t text_bytes);

/* 1536 -> "1.5 KiB"; 1234567 -> "1,234,567"; 12345 ns -> "12.3 us". Return out. */
char *adit_say_bytes(char *out, size_t bytes, uint64_t value);
char *adit_say_count(char *out, size_t bytes, uint64_t value);
char *adit_say_duration(char *out, size_t bytes, double ns);

/* The same as values of an expression: each call has a buffer of its own until the enclosing block ends. */
#define ADIT_SAY_BYTES(v) adit_say_bytes((char[24]){0}, 24, (v))
#define ADIT_SAY_COUNT(v) adit_say_count((char[32]){0}, 32, (v))
#define ADIT_SAY_DURATION(v) adit_say_duration((char[24]){0}, 24, (v))

#endif
