/* stats_textfile.h - an arena's metrics in a file, written anew again and again, as node_exporter's textfile collector reads it (`adit stats NAME --textfile F --every SECONDS`).
 */
#ifndef ADIT_STATS_TEXTFILE_H
#define ADIT_STATS_TEXTFILE_H

#include "tools/stats_source.h"

/* Once, whole or not at all; 0 or a negative errno and a line. */
int adit_stats_textfile_write(const struct adit_arena *arena, const char *name, const char *path, char *error, size_t error_bytes);

/* Every so many seconds until SIGINT or SIGTERM. While the arena is gone the file is, too, so that nobody takes old figures for those of now. A file that cannot be written the first time is the end,
 * later ones are said, and tried again. Returns an exit code. */
int adit_stats_textfile_run(struct adit_stats_source *source, const char *path, uint64_t every_s);

#endif
