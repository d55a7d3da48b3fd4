/* tier_cache.h - the file in which a table of tiers is kept: $XDG_CACHE_HOME/adit/tiers-FINGERPRINT.json, else ~/.cache/adit/....
 *
 *     char path[ADIT_TIER_PATH_BYTES];
 *     if (!adit_tier_cache_read(fingerprint, &table, line, sizeof line))
 *         ... it is there, of this fingerprint, whole
 *     adit_tier_cache_write(table, line, sizeof line);
 *
 * A file is written and judged as runtime/kept_file.h says: whoever reads finds an old one or a new one, and none that others may write. It holds a hash of the rest of it: one that was
 * cut, changed, or made by another build is not believed.
 */
#ifndef ADIT_TIER_CACHE_H
#define ADIT_TIER_CACHE_H

#include "tools/tier_table.h"

#define ADIT_TIER_PATH_BYTES 512u
#define ADIT_TIER_FILE_MAX (1u << 20) /* bytes */

/* The kept table of that fingerprint, its file named. -ENOENT: there is none; -EBADMSG: there is one that is not believed, and line says which and why;
 * -ENOMEM. */
int adit_tier_cache_read(const char *fingerprint, struct adit_tier_table **out, char *line, size_t line_bytes);
/* The fingerprint of the file written last of those that begin with the same n digits. False: there is none. */
bool adit_tier_cache_newest(const char *fingerprint, uint32_t n, char newest[17]);
/* Keeps it, and names the file in table->file. Of this user's older ones a few stay, the rest are removed. A negative errno and a line: it cannot be kept. */
int adit_tier_cache_write(struct adit_tier_table *table, char *line, size_t line_bytes);

#endif
