/* sink.h - a file that appears whole or not at all.
 *
 * A sink writes to a temporary file beside its path and renames it there at commit; until then, and after any error,
 * whatever stood at the path still stands, and nothing else is left. Errors are sticky: write on, and commit reports
 * the first one. A path that is a device or a pipe (/dev/stdout) is written directly, because it cannot be renamed to.
 *
 *     struct adit_sink *sink;
 *     int status = adit_sink_open("world.ply", &sink, error, sizeof error);
 *     if (!status) {
 *         adit_sink_text(sink, "ply\n");
 *         status = adit_sink_commit(&sink, error, sizeof error);
 *     }
 *
 * One thread a sink. Calls block on the disk. Every error text is one line that names the file and the cure.
 */
#ifndef ADIT_SINK_H
#define ADIT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct adit_sink;

/* From now on all sinks of this process fail with -EINTR once is_stopped says so: it is asked for each buffer that is full. NULL: never, as at
 * first. Before other threads write. */
void adit_sink_stop_when(bool (*is_stopped)(void));

/* Whether both names lead to one file that is there: what is read must not be written over. */
bool adit_sink_is_same_file(const char *a, const char *b);

/* Opens a sink for path; symbolic links are followed. -EISDIR, -EACCES, -ENOENT and the like, with error set. */
int adit_sink_open(const char *path, struct adit_sink **sink, char *error, size_t error_bytes);

void adit_sink_write(struct adit_sink *sink, const void *bytes, size_t count);
void adit_sink_text(struct adit_sink *sink, const char *text);
void adit_sink_decimal(struct adit_sink *sink, int64_t value);
void adit_sink_u16(struct adit_sink *sink, uint16_t value); /* these four little endian */
void adit_sink_u32(struct adit_sink *sink, uint32_t value);
void adit_sink_f32(struct adit_sink *sink, float value);
void adit_sink_f64(struct adit_sink *sink, double value);
void adit_sink_printf(struct adit_sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes over count bytes that were written before, at offset. Fails on a pipe. */
void adit_sink_patch(struct adit_sink *sink, uint64_t offset, const void *bytes, size_t count);

uint64_t adit_sink_offset(const struct adit_sink *sink); /* bytes written so far */
const char *adit_sink_path(const struct adit_sink *sink); /* as given to open */

/* Brings all bytes to the file; 0, or the first error as a negative errno and a line. The sink stays open. */
int adit_sink_flush(struct adit_sink *sink, char *error, size_t error_bytes);

/* Flushes, closes and renames; on error removes what was written. Either way the sink is gone and *sink NULL. */
int adit_sink_commit(struct adit_sink **sink, char *error, size_t error_bytes);

/* Drops the sink and its temporary file. NULL is fine. */
void adit_sink_discard(struct adit_sink **sink);

#endif
