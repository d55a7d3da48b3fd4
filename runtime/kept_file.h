/* kept_file.h - what one process has found out and the next one would rather not find out again: files in $XDG_CACHE_HOME/adit, else in ~/.cache/adit.
 *
 *     char folder[ADIT_KEPT_PATH_BYTES], path[ADIT_KEPT_PATH_BYTES + 64];
 *     for (uint32_t i = 0; i < ADIT_KEPT_FOLDERS; i++)
 *         if (!adit_kept_folder(i, folder)) {
 *             snprintf(path, sizeof path, "%s/figures", folder);
 *             int fd = adit_kept_open(path, 4096, &bytes, &why);              read it, judge what it holds, close it
 *             const struct iovec parts[] = {{text, strlen(text)}};
 *             int error = adit_kept_write(folder, path, parts, 1);
 *         }
 *
 * A file that another user owns or may write is not opened; what is in one that this user's other programs wrote is for the caller to judge (a hash). It is written beside its
 * place, in PATH.part, and renamed: whole or not at all. Who writes holds a lock on the part; one whose writer was killed is written over by the next.
 *
 * Any thread. Blocks as files do. */
#ifndef ADIT_KEPT_FILE_H
#define ADIT_KEPT_FILE_H

#include <stdint.h>
#include <sys/uio.h>

#define ADIT_KEPT_PATH_BYTES 448u
#define ADIT_KEPT_FOLDERS 2u

/* The i-th folder: of XDG_CACHE_HOME, of HOME. It need not be there. -ENOENT: the environment has none (a path that is not absolute is none); -ENAMETOOLONG. */
int adit_kept_folder(uint32_t i, char out[ADIT_KEPT_PATH_BYTES]);

/* A descriptor to read from, to be closed, and how many bytes there are: 1 to bytes_max. -ENOENT: there is none, or it cannot be opened; -EBADMSG: it is not believed, and *why says why, as
 * in "it is no file". */
int adit_kept_open(const char *path, uint64_t bytes_max, uint64_t *bytes, const char **why);

/* Makes the folder (and the one above it), and path in it of these parts, one after another. -EBUSY: another process is just writing it; or a negative errno. Nothing is
 * left of what did not become whole. */
int adit_kept_write(const char *folder, const char *path, const struct iovec *parts, uint32_t n);

#endif
