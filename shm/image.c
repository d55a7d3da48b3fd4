#include "shm/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/control.h"

#define PAGE 4096u
#define PART (256u << 10) /* written at once */

static uint64_t check_of(const struct adit_image_head *head)
{
    uint64_t h = 0xcbf29ce484222325ull, word;
    for (size_t at = 0; at < offsetof(struct adit_image_head, check); at += sizeof word) {
        memcpy(&word, (const uint8_t *)head + at, sizeof word);
        h = (h ^ word) * 0x100000001b3ull;
    }
    return h;
}

/* ---- saving ----------------------------------------------------------------------------------------------------- */

static int write_all(int fd, const uint8_t *bytes, size_t n, uint64_t at)
{
    while (n) {
        ssize_t done = pwrite(fd, bytes, n, (off_t)at);
        if (done <= 0 && errno != EINTR)
            return done ? -errno : -EIO;
        if (done > 0) {
            bytes += done;
            at += (uint64_t)done;
            n -= (size_t)done;
        }
    }
    return 0;
}

static bool is_zero(const uint8_t *page)
{
    static const uint8_t zero[PAGE];
    return !memcmp(page, zero, PAGE);
}

/* Writes the pages of a segment that hold anything; the others stay holes. Each part is copied before it is judged. */
static int save_segment(int fd, const struct adit_mapping *m, uint64_t at, uint8_t *part)
{
    int error = 0;
    for (uint64_t from = 0; from < m->bytes && !error; from += PART) {
        uint64_t n = m->bytes - from < PART ? m->bytes - from : PART;
        memcpy(part, m->base + from, n);
        for (uint64_t page = 0; page < n && !error; page += PAGE)
            if (!is_zero(part + page))
                error = write_all(fd, part + page, PAGE, at + from + page);
    }
    return error;
}

/* What sleepers of queues store though nothing happens is taken to be as it was. */
static void overlook_naps(const struct adit_arena *arena, uint64_t from, uint64_t n, uint8_t *part)
{
    for (uint32_t i = 0; arena->queues && i < arena->queues_max; i++) {
        uint64_t place = (uint64_t)((const uint8_t *)&arena->queues[i].looked_ns - arena->maps[0].base);
        if (place >= from && place - from < n) /* both are multiples of 8 */
            memcpy(part + (place - from), arena->maps[0].base + place, sizeof(uint64_t));
    }
}

/* Whether the control segment differs from what was written. */
static int has_moved(const struct adit_arena *arena, int fd, uint64_t at, uint8_t *part, uint32_t *moved)
{
    const struct adit_mapping *m = &arena->maps[0];
    for (uint64_t from = 0; from < m->bytes; from += PART) {
        uint64_t n = m->bytes - from < PART ? m->bytes - from : PART;
        ssize_t got = pread(fd, part, n, (off_t)(at + from));
        if (got != (ssize_t)n)
            return got < 0 ? -errno : -EIO;
        overlook_naps(arena, from, n, part);
        *moved |= memcmp(part, m->base + from, n) != 0;
    }
    return 0;
}

static int save_all(int fd, const struct adit_arena *arena)
{
    struct adit_image_head head = {.magic = ADIT_IMAGE_MAGIC, .signature = adit_control_signature(), .file_bytes = PAGE,
                                   .saved_wall_ns = adit_clock_real_ns(), .saved_ns = adit_clock_ns(), .segments_n = arena->segments_n};
    uint8_t *part = malloc(PART);
    int error = part ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < arena->segments_n; i++) {
        head.segments[i].at = head.file_bytes;
        head.segments[i].bytes = arena->maps[i].bytes;
        head.file_bytes += arena->maps[i].bytes;
    }
    if (!error && ftruncate(fd, (off_t)head.file_bytes))
        error = -errno;
    for (uint32_t i = 0; i < arena->segments_n && !error; i++)
        error = save_segment(fd, &arena->maps[i], head.segments[i].at, part);
    if (!error)
        error = has_moved(arena, fd, head.segments[0].at, part, &head.is_moving);
    head.check = check_of(&head);
    if (!error)
        error = write_all(fd, (const uint8_t *)&head, sizeof head, 0);
    free(part);
    return error;
}

int adit_image_save(const struct adit_arena *arena, const char *path)
{
    size_t n = strlen(path) + 8;
    if (arena->guest)
        return adit_fault(-EROFS, "arena %s: a guest sees a part of it only; attach as an observer to save it", arena->name);
    char *partial = malloc(n);
    if (!partial)
        return adit_fault(-ENOMEM, "%s: no memory to save an image", path);
    snprintf(partial, n, "%s.XXXXXX", path);
    int fd = mkostemp(partial, O_CLOEXEC);
    int error = fd < 0 ? -errno : save_all(fd, arena);
    if (fd >= 0 && close(fd) && !error)
        error = -errno;
    if (!error && rename(partial, path))
        error = -errno;
    if (error && fd >= 0)
        (void)unlink(partial);
    free(partial);
    return error ? adit_fault(error, "%s: the image of arena %s cannot be saved: %s", path, arena->name, strerror(-error)) : 0;
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* Reads the head and says what is wrong with it; head is private afterwards. */
static int read_head(int fd, const char *path, struct adit_image_head *head)
{
    struct stat st;
    uint64_t at = PAGE;
    if (fstat(fd, &st))
        return adit_fault(-errno, "%s: cannot be read: %s", path, strerror(errno));
    if (pread(fd, head, sizeof *head, 0) != (ssize_t)sizeof *head || head->magic != ADIT_IMAGE_MAGIC)
        return adit_fault(-EPROTO, "%s: not the image of an arena; `adit dump NAME --image FILE` makes one", path);
    if (head->check != check_of(head) || head->segments_n < 2 || head->segments_n > ADIT_SEGMENTS_MAX)
        return adit_fault(-EPROTO, "%s: the image's head is damaged", path);
    if (head->signature != adit_control_signature())
        return adit_fault(-EPROTO, "%s: an image of layout %016llx, this build knows %016llx; use the adit that made it", path,
                          (unsigned long long)head->signature, (unsigned long long)adit_control_signature());
    if ((uint64_t)st.st_size < head->file_bytes)
        return adit_fault(-EPROTO, "%s: the image is cut off: %llu of %llu bytes are there", path,
                          (unsigned long long)st.st_size, (unsigned long long)head->file_bytes);
    for (uint32_t i = 0; i < head->segments_n; i++) {
        if (head->segments[i].at != at || !head->segments[i].bytes || head->segments[i].bytes % PAGE ||
            head->segments[i].bytes > head->file_bytes - at)
            return adit_fault(-EPROTO, "%s: the image's head is damaged", path);
        at += head->segments[i].bytes;
    }
    return 0;
}

static int map_all(int fd, const struct adit_image_head *head, struct adit_mapping *maps)
{
    for (uint32_t i = 0; i < head->segments_n; i++) {
        uint64_t bytes = head->segments[i].bytes;
        void *p = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, (off_t)head->segments[i].at);
        if (p == MAP_FAILED)
            return -errno;
        maps[i] = (struct adit_mapping){.base = p, .bytes = bytes, .fd = -1, .node = -1};
    }
    return 0;
}

int adit_image_open(const char *path, struct adit_arena **out)
{
    struct adit_image_head head;
    struct adit_mapping maps[ADIT_SEGMENTS_MAX];
    char name[ADIT_NAME_BYTES];
    const char *tail = strrchr(path, '/');
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return adit_fault(-errno, "%s: cannot be opened: %s", path, strerror(errno));
    for (uint32_t i = 0; i < ADIT_SEGMENTS_MAX; i++)
        maps[i] = (struct adit_mapping){.fd = -1};
    snprintf(name, sizeof name, "%.47s", tail ? tail + 1 : path);
    int error = read_head(fd, path, &head), mapped = error ? 0 : map_all(fd, &head, maps);
    if (mapped)
        error = adit_fault(mapped, "%s: the image cannot be mapped: %s", path, strerror(-mapped));
    close(fd);
    if (!error)
        error = adit_arena_adopt(name, maps, head.segments_n, out);
    else
        for (uint32_t i = 0; i < ADIT_SEGMENTS_MAX; i++)
            adit_segment_unmap(&maps[i]);
    if (!error) {
        (*out)->is_image = true;
        (*out)->image_ns = head.saved_ns;
        (*out)->image_wall_ns = head.saved_wall_ns;
        if (head.is_moving)
            snprintf((*out)->notes, sizeof (*out)->notes, "%s: others worked on the arena while this image was made: it is not "
                     "one moment, and what it says may contradict itself", name);
    }
    return error;
}

uint64_t adit_image_moment(const struct adit_arena *arena, uint64_t *wall_ns)
{
    if (wall_ns)
        *wall_ns = arena->image_wall_ns;
    return arena->image_ns;
}

bool adit_image_is(const char *path)
{
    uint64_t magic = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is = fd >= 0 && pread(fd, &magic, sizeof magic, 0) == (ssize_t)sizeof magic && magic == ADIT_IMAGE_MAGIC;
    if (fd >= 0)
        close(fd);
    return is;
}
