/* sink.c - a file that appears whole or not at all. See sink.h.
 *
 * rename(2) within one directory is atomic, so whoever opens the path sees the old file or the new one. The temporary
 * name carries the pid and a counter and is created with O_EXCL: two exports to one path do not mix, the last rename
 * wins. */
#include "tools/exports/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES 65536
#define NAMES_MAX 100 /* leftovers of killed exports with a recycled pid that are stepped over */

struct adit_sink {
    int fd;
    int failure;       /* 0, or the first errno */
    bool renames;      /* false for a device or a pipe */
    uint64_t flushed;  /* bytes given to the kernel */
    size_t used;       /* bytes in buffer */
    char given[PATH_MAX], target[PATH_MAX], temporary[PATH_MAX];
    uint8_t buffer[BUFFER_BYTES];
};

static const char *cure_for(int failure)
{
    switch (failure) {
    case ENOSPC: case EDQUOT: return "free some space or write elsewhere";
    case EFBIG: return "raise the file size limit (ulimit -f) or write elsewhere";
    case EACCES: case EPERM: case EROFS: return "choose a directory you may write to";
    case ENOENT: case ENOTDIR: return "create the directory first";
    case EISDIR: return "give the name of a file in it";
    case ENAMETOOLONG: return "choose a shorter name";
    case ESPIPE: return "this format needs a regular file, not a pipe";
    default: return "write elsewhere";
    }
}

static int say(const char *path, int failure, char *error, size_t error_bytes)
{
    snprintf(error, error_bytes, "%s: cannot write: %s; %s", path, strerror(failure), cure_for(failure));
    return -failure;
}

/* Sets target, temporary and fd; 0 or a positive errno. */
static int open_files(struct adit_sink *sink)
{
    static unsigned counter;
    struct stat status;
    if (!realpath(sink->given, sink->target)) {
        if (errno != ENOENT)
            return errno;
        memcpy(sink->target, sink->given, sizeof sink->target); /* new: the directory is checked by open */
    } else if (stat(sink->target, &status)) {
        return errno;
    } else if (S_ISDIR(status.st_mode)) {
        return EISDIR;
    } else if (!S_ISREG(status.st_mode)) {
        sink->fd = open(sink->target, O_WRONLY | O_CLOEXEC);
        return sink->fd < 0 ? errno : 0;
    }
    size_t length = strlen(sink->target);
    if (length == 0 || sink->target[length - 1] == '/')
        return length ? EISDIR : ENOENT;
    sink->renames = true;
    for (int attempt = 0; attempt < NAMES_MAX; attempt++) {
        int n = snprintf(sink->temporary, sizeof sink->temporary, "%.*s.%ld-%u.part", PATH_MAX - 64, sink->target,
                         (long)getpid(), __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED));
        if (n < 0 || length > PATH_MAX - 64)
            return ENAMETOOLONG;
        sink->fd = open(sink->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (sink->fd >= 0)
            return 0;
        if (errno != EEXIST)
            return errno;
    }
    return EEXIST;
}

int adit_sink_open(const char *path, struct adit_sink **out, char *error, size_t error_bytes)
{
    *out = NULL;
    if (strlen(path) >= PATH_MAX)
        return say("output path", ENAMETOOLONG, error, error_bytes);
    struct adit_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return say(path, ENOMEM, error, error_bytes);
    memcpy(sink->given, path, strlen(path) + 1);
    int failure = open_files(sink);
    if (failure) {
        free(sink);
        return say(path, failure, error, error_bytes);
    }
    *out = sink;
    return 0;
}

/* Gives count bytes to the kernel, at offset or (offset < 0) at the end; records the first failure. */
static void hand_over(struct adit_sink *sink, const uint8_t *bytes, size_t count, off_t offset)
{
    while (count && !sink->failure) { /* ends: count shrinks by every write that succeeds */
        ssize_t n = offset < 0 ? write(sink->fd, bytes, count) : pwrite(sink->fd, bytes, count, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            sink->failure = n < 0 ? errno : ENOSPC;
            break;
        }
        bytes += n;
        count -= (size_t)n;
        offset += offset < 0 ? 0 : n;
    }
}

static bool (*stop_when)(void);

void adit_sink_stop_when(bool (*is_stopped)(void))
{
    stop_when = is_stopped;
}

bool adit_sink_is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void drain(struct adit_sink *sink)
{
    if (!sink->failure && stop_when && stop_when())
        sink->failure = EINTR;
    hand_over(sink, sink->buffer, sink->used, -1);
    sink->flushed += sink->used;
    sink->used = 0;
}

void adit_sink_write(struct adit_sink *sink, const void *bytes, size_t count)
{
    const uint8_t *from = bytes;
    while (count) { /* at most count / BUFFER_BYTES + 2 rounds */
        size_t part = BUFFER_BYTES - sink->used < count ? BUFFER_BYTES - sink->used : count;
        memcpy(sink->buffer + sink->used, from, part);
        sink->used += part;
        from += part;
        count -= part;
        if (sink->used == BUFFER_BYTES)
            drain(sink);
    }
}

void adit_sink_text(struct adit_sink *sink, const char *text)
{
    adit_sink_write(sink, text, strlen(text));
}

void adit_sink_decimal(struct adit_sink *sink, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        digits[--at] = '-';
    adit_sink_write(sink, digits + at, sizeof digits - at);
}

void adit_sink_u16(struct adit_sink *sink, uint16_t value)
{
    uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    adit_sink_write(sink, bytes, sizeof bytes);
}

void adit_sink_u32(struct adit_sink *sink, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    adit_sink_write(sink, bytes, sizeof bytes);
}

void adit_sink_f32(struct adit_sink *sink, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    adit_sink_u32(sink, bits);
}

void adit_sink_f64(struct adit_sink *sink, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    adit_sink_u32(sink, (uint32_t)bits);
    adit_sink_u32(sink, (uint32_t)(bits >> 32));
}

void adit_sink_printf(struct adit_sink *sink, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= sizeof line)
        sink->failure = sink->failure ? sink->failure : EOVERFLOW;
    else
        adit_sink_write(sink, line, (size_t)n);
}

void adit_sink_patch(struct adit_sink *sink, uint64_t offset, const void *bytes, size_t count)
{
    drain(sink);
    hand_over(sink, bytes, count, (off_t)offset);
}

uint64_t adit_sink_offset(const struct adit_sink *sink)
{
    return sink->flushed + sink->used;
}

const char *adit_sink_path(const struct adit_sink *sink)
{
    return sink->given;
}

int adit_sink_flush(struct adit_sink *sink, char *error, size_t error_bytes)
{
    drain(sink);
    return sink->failure ? say(sink->given, sink->failure, error, error_bytes) : 0;
}

int adit_sink_commit(struct adit_sink **out, char *error, size_t error_bytes)
{
    struct adit_sink *sink = *out;
    drain(sink);
    int closed = close(sink->fd) ? errno : 0; /* some file systems report a full disk only here */
    sink->fd = -1;
    sink->failure = sink->failure ? sink->failure : closed;
    if (!sink->failure && sink->renames && rename(sink->temporary, sink->target))
        sink->failure = errno;
    int status = sink->failure ? say(sink->given, sink->failure, error, error_bytes) : 0;
    if (!status)
        sink->renames = false; /* nothing left to remove */
    adit_sink_discard(out);
    return status;
}

void adit_sink_discard(struct adit_sink **out)
{
    struct adit_sink *sink = *out;
    *out = NULL;
    if (!sink)
        return;
    if (sink->fd >= 0)
        close(sink->fd);
    if (sink->renames)
        unlink(sink->temporary);
    free(sink);
}
