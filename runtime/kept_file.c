/* The lock is taken after the part has been opened, and in between another writer may have renamed it: then what is open is the file that others read. So the part's name
 * must still lead to it once the lock is held. */
#include "runtime/kept_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Relative paths do not count (XDG base directories). */
int adit_kept_folder(uint32_t i, char out[ADIT_KEPT_PATH_BYTES])
{
    const char *of = getenv(i ? "HOME" : "XDG_CACHE_HOME");
    if (!of || *of != '/')
        return -ENOENT;
    int n = snprintf(out, ADIT_KEPT_PATH_BYTES, "%s%s/adit", of, i ? "/.cache" : "");
    return n > 0 && (uint32_t)n < ADIT_KEPT_PATH_BYTES ? 0 : -ENAMETOOLONG;
}

/* NULL: it is this user's own. */
static const char *unfit(int fd, uint64_t bytes_max, struct stat *st)
{
    return fstat(fd, st)                                                   ? "it cannot be looked at"
           : !S_ISREG(st->st_mode)                                         ? "it is no file"
           : st->st_uid != geteuid()                                       ? "it is another user's"
           : st->st_mode & (S_IWGRP | S_IWOTH)                             ? "others may write it"
           : st->st_size <= 0 || (uint64_t)st->st_size > bytes_max ? "it has not the size of one"
                                                                           : NULL;
}

/* O_NONBLOCK: what waits for a writer is no file. */
int adit_kept_open(const char *path, uint64_t bytes_max, uint64_t *bytes, const char **why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -ENOENT;
    *why = unfit(fd, bytes_max, &st);
    *bytes = (uint64_t)st.st_size;
    if (!*why)
        return fd;
    close(fd);
    return -EBADMSG;
}

/* ---- writing */

static void make_folder(const char *folder)
{
    char above[ADIT_KEPT_PATH_BYTES];
    snprintf(above, sizeof above, "%s", folder);
    char *slash = strrchr(above, '/');
    if (slash)
        *slash = 0;
    (void)mkdir(above, 0700); /* where one of these fails and is not there, opening the part tells */
    (void)mkdir(folder, 0700);
}

/* The part, locked and empty. */
static int open_part(const char *part)
{
    struct stat ours, there;
    int fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return -errno;
    bool is_ours = !flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &ours) && !lstat(part, &there) && ours.st_ino == there.st_ino && S_ISREG(ours.st_mode);
    if (is_ours && !ftruncate(fd, 0))
        return fd;
    close(fd);
    return -EBUSY;
}

static int write_all(int fd, const struct iovec *part)
{
    for (size_t at = 0; at < part->iov_len;) {
        ssize_t n = write(fd, (const char *)part->iov_base + at, part->iov_len - at);
        if (n <= 0)
            return n ? -errno : -EIO;
        at += (size_t)n;
    }
    return 0;
}

int adit_kept_write(const char *folder, const char *path, const struct iovec *parts, uint32_t n)
{
    char part[ADIT_KEPT_PATH_BYTES + 128];
    if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part)
        return -ENAMETOOLONG;
    make_folder(folder);
    int fd = open_part(part);
    if (fd < 0)
        return fd;
    int error = 0;
    for (uint32_t i = 0; i < n && !error; i++)
        error = write_all(fd, &parts[i]);
    if (!error && rename(part, path))
        error = -errno;
    if (error)
        (void)unlink(part);
    close(fd);
    return error;
}
