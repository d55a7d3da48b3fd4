#include "runtime/task_guard.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "shm/shm.h"

#define PAGE 4096u
#define PATTERN 0xa5u
#define ALIGN 64u
#define PIECES (ADIT_USES_MAX + 2u) /* arguments, result, buffers */
enum { ARGS, RESULT, BUFFERS };

/* One copy:  | no access, a page | pattern, a page | data | pattern, more than a page less ALIGN | no access, a page | */
struct piece {
    uint8_t *map, *data;
    uint64_t span, bytes;
    const void *from;
    bool is_read_only;
};

static uint8_t *begin_of(const struct piece *p) { return p->map + PAGE; }
static uint8_t *end_of(const struct piece *p) { return p->map + p->span - PAGE; }

static int fence(struct piece *p, const void *from, uint64_t bytes, bool is_read_only)
{
    uint64_t rounded = (bytes + PAGE - 1) / PAGE * PAGE;
    *p = (struct piece){.span = rounded + 4 * PAGE, .bytes = bytes, .from = from, .is_read_only = is_read_only};
    void *map = mmap(NULL, p->span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return -ENOMEM;
    p->map = map;
    if (mprotect(begin_of(p), p->span - 2 * PAGE, PROT_READ | PROT_WRITE))
        return -ENOMEM;
    memset(begin_of(p), PATTERN, p->span - 2 * PAGE);
    p->data = begin_of(p) + PAGE + (rounded - bytes) / ALIGN * ALIGN; /* its end near the page's, so that the way to no access is short on both sides */
    memcpy(p->data, from, bytes);
    return 0;
}

/* Which byte of a piece was written and should not have been, seen from the data outwards; false: none. */
static bool is_broken(const struct piece *p, uint64_t *byte, const char **where)
{
    const uint8_t *original = p->from;
    *where = " before it";
    for (*byte = 1; p->data - *byte >= begin_of(p); ++*byte)
        if (p->data[-(int64_t)*byte] != PATTERN)
            return true;
    *where = " behind it";
    for (*byte = 1; p->data + p->bytes + *byte <= end_of(p); ++*byte)
        if (p->data[p->bytes + *byte - 1] != PATTERN)
            return true;
    *where = ", only to be read,";
    for (*byte = 0; p->is_read_only && *byte < p->bytes; ++*byte)
        if (p->data[*byte] != original[*byte])
            return true;
    return false;
}

/* The first fault there is, as text of ADIT_TASK_DATA_BYTES. */
static bool is_any_broken(const struct piece pieces[PIECES], uint32_t n, char *text)
{
    static const char *const names[PIECES] = {"arguments", "result", "buffer 0", "buffer 1", "buffer 2", "buffer 3"};
    for (uint32_t i = 0; i < n; i++) {
        const char *where;
        uint64_t byte;
        if (!is_broken(&pieces[i], &byte, &where))
            continue;
        snprintf(text, ADIT_TASK_DATA_BYTES, "%s: byte %llu%s was written", names[i], (unsigned long long)byte, where);
        return true;
    }
    return false;
}

int adit_task_guard_run(adit_kind_run *kind, const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct piece pieces[PIECES] = {0};
    struct adit_task_run fenced = *run;
    uint32_t n = BUFFERS + run->buffers_n;
    int error = fence(&pieces[ARGS], args, run->args_bytes, true);
    if (!error)
        error = fence(&pieces[RESULT], result, ADIT_TASK_DATA_BYTES, false);
    for (uint32_t i = 0; i < run->buffers_n && !error; i++) {
        const struct adit_task_buffer *b = &run->buffers[i];
        error = fence(&pieces[BUFFERS + i], b->data, b->bytes, b->access == ADIT_READ);
        fenced.buffers[i].data = pieces[BUFFERS + i].data;
    }
    int status = error;
    char text[ADIT_TASK_DATA_BYTES];
    if (!error)
        status = kind(&fenced, pieces[ARGS].data, pieces[RESULT].data, result_bytes);
    if (!error && is_any_broken(pieces, n, text)) {
        status = adit_fault(-EFAULT, "arena %s: task 0x%llx: %s; its kind must not do so", run->arena->name, (unsigned long long)run->task, text);
        *result_bytes = (uint32_t)strlen(text) + 1;
        memcpy(result, text, *result_bytes);
    } else if (!error) {
        memcpy(result, pieces[RESULT].data, ADIT_TASK_DATA_BYTES);
        for (uint32_t i = 0; i < run->buffers_n; i++)
            if (run->buffers[i].access != ADIT_READ)
                memcpy(run->buffers[i].data, pieces[BUFFERS + i].data, run->buffers[i].bytes);
    }
    for (uint32_t i = 0; i < n; i++)
        if (pieces[i].map)
            munmap(pieces[i].map, pieces[i].span);
    return status;
}
