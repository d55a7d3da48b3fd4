/* arena_open.c - the library's own line (adit_detail) is used where it has one: it knows the place and the cure. */
#include "tools/arena_open.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/moment.h"
#include "tools/say.h"

#define APPEAR_NS 2000000000ull
#define APPEAR_STEP_NS 20000000ull

int adit_arena_exit(int status)
{
    switch (-status) {
    case 0:
        return ADIT_EXIT_DONE;
    case EINTR:
        return ADIT_EXIT_INTERRUPTED;
    case ENOENT:
    case EACCES:
    case EPERM:
    case EPROTO:
    case EINVAL:
    case EEXIST:
    case EUSERS:
    case ENOMEM:
    case ERANGE:
    case EFBIG:
    case EBADMSG:
    case EISDIR:
    case ENOTDIR:
    case EROFS:
    case ENAMETOOLONG:
    case ELOOP:
        return ADIT_EXIT_BAD_INPUT;
    default:
        return ADIT_EXIT_FAILED;
    }
}

char *adit_arena_open_failure(const char *name, int status, char *line, size_t bytes)
{
    char shown[64];
    adit_say_printable(shown, sizeof shown, name, strlen(name));
    const char *detail = adit_detail(), *why = *detail ? detail : adit_strerror(status);
    const char *cure = *detail             ? ""
                       : status == -ENOENT ? "; start it with `adit serve`, or see `adit ls`"
                       : status == -EUSERS ? "; wait until somebody leaves (`adit dump` shows who is there)"
                                           : "";
    if (strstr(why, shown))
        snprintf(line, bytes, "%s%s", why, cure);
    else
        snprintf(line, bytes, "%s: %s%s", shown, why, cure);
    return line;
}

int adit_arena_await(const char *name, enum adit_role role, const char *label, struct adit_arena **arena)
{
    if (strchr(name, '/') && role != ADIT_PRODUCER) /* a path: the guests' way in */
        role = ADIT_GUEST;
    const struct adit_attach_params params = {.size = sizeof params, .label = label};
    uint64_t until = adit_moment_ns() + APPEAR_NS;
    for (;;) {
        int status = adit_attach(name, role, &params, arena);
        if (status != -ENOENT || adit_moment_ns() >= until)
            return status;
        if (adit_interrupt_is_set())
            return -EINTR;
        adit_moment_sleep(APPEAR_STEP_NS);
    }
}

int adit_arena_open(const char *program, const char *name, enum adit_role role, const char *label,
                    struct adit_arena **arena)
{
    int status = adit_arena_await(name, role, label, arena);
    char line[512];
    if (status && status != -EINTR)
        adit_say_error(program, "%s", adit_arena_open_failure(name, status, line, sizeof line));
    return adit_arena_exit(status);
}

int adit_arena_make(const char *program, const char *name, const struct adit_create_params *params, bool exists_is_fine,
                    struct adit_arena **arena)
{
    int status = adit_create(name, params, arena);
    if (!status || (status == -EEXIST && exists_is_fine))
        return status;
    char shown[64];
    adit_say_printable(shown, sizeof shown, name, strlen(name));
    const char *detail = adit_detail(), *why = *detail ? detail : adit_strerror(status);
    const char *cure = status == -EFBIG    ? "; raise the limit on file sizes (ulimit -f), which counts for shared memory, too"
                       : *detail           ? ""
                       : status == -EEXIST ? "; choose another name, or end its `adit serve`"
                       : status == -ENOMEM ? "; ask for less with --size, or free some memory"
                                           : "";
    adit_say_error(program, "%s%s%s%s", strstr(why, shown) ? "" : shown, strstr(why, shown) ? "" : ": ", why, cure);
    return adit_arena_exit(status);
}

void adit_arena_notes(const char *program, struct adit_arena *arena, uint64_t asked_bytes)
{
    struct adit_stats stats = {.size = sizeof stats};
    uint64_t made = 0;
    if (asked_bytes && !adit_stats(arena, &stats))
        for (uint32_t i = 1; i < stats.segments_n && i < 16; i++)
            made += stats.segments[i].bytes;
    if (made > asked_bytes)
        adit_say_note(program, "the arena has %s where --size said %s: each node's part is made of whole pages of %s or more",
                      ADIT_SAY_BYTES(made), ADIT_SAY_BYTES(asked_bytes), ADIT_SAY_BYTES((uint64_t)2 << 20));
    for (const char *s = adit_notes(arena); *s;) {
        size_t n = strcspn(s, "\n");
        if (n)
            adit_say_note(program, "%.*s", (int)n, s);
        s += n + (s[n] == '\n');
    }
}

int adit_arena_classes(const char *program, const char *classes, bool *opaque)
{
    *opaque = classes && !strcmp(classes, "opaque");
    if (!classes || *opaque || !strcmp(classes, "default"))
        return 0;
    char shown[48];
    adit_say_printable(shown, sizeof shown, classes, strlen(classes));
    adit_say_error(program, "--classes '%s': give default (as the world says) or opaque (every material)", shown);
    return ADIT_EXIT_BAD_INPUT;
}

int adit_arena_look(const char *program, const char *operand, struct adit_arena **arena, bool *is_image)
{
    const struct adit_attach_params params = {.size = sizeof params, .label = program};
    int status = -ENOENT;
    char line[512];
    if (!strchr(operand, '/'))
        status = adit_attach(operand, ADIT_OBSERVER, &params, arena);
    *is_image = strchr(operand, '/') || (status && !access(operand, F_OK));
    if (!*is_image && status)
        adit_say_error(program, "%s", adit_arena_open_failure(operand, status, line, sizeof line));
    if (!*is_image)
        return status ? adit_arena_exit(status) : 0;
    status = adit_image_open(operand, arena);
    if (!status)
        return 0;
    adit_say_printable(line, sizeof line, adit_detail(), strlen(adit_detail()));
    adit_say_error(program, "%s", line);
    return status == -ENOMEM ? ADIT_EXIT_FAILED : ADIT_EXIT_BAD_INPUT;
}
