/* arena_open.h - creating and attaching as commands do it: a failure becomes one line with its cure, and an exit code. */
#ifndef ADIT_ARENA_OPEN_H
#define ADIT_ARENA_OPEN_H

#include <stdbool.h>

#include "runtime/adit.h"

/* What options let through is what the library takes. */
#define ADIT_ARENA_WORKERS_MAX 256u
#define ADIT_ARENA_BYTES_MIN ((uint64_t)1 << 20)
#define ADIT_ARENA_BYTES_MAX ((uint64_t)1 << 40)

/* adit_attach, but a name that is not there yet gets two seconds to appear: `adit serve cave & adit feed cave terrain` may
 * begin with either. A name with a slash in it is the path of a guests' socket (`adit serve --guest-socket`): who would be a consumer or an
 * observer comes as a guest. -EINTR: a signal came meanwhile. */
int adit_arena_await(const char *name, enum adit_role role, const char *label, struct adit_arena **arena);

/* Attaches like that; 0, or the exit code after the line. */
int adit_arena_open(const char *program, const char *name, enum adit_role role, const char *label,
                    struct adit_arena **arena);

/* As an observer, for who looks in: what operand means, NAME|FILE: a path, or a file of that name where no arena answers to it, is an image (`adit dump --image`). 0, or the exit code after
 * the line. */
int adit_arena_look(const char *program, const char *operand, struct adit_arena **arena, bool *is_image);

/* The line for an attach that failed, without printing it. Returns line. */
char *adit_arena_open_failure(const char *name, int status, char *line, size_t bytes);

/* Creates; 0, or the exit code after the line. With exists_is_fine -EEXIST gives no line, and returns -EEXIST. */
int adit_arena_make(const char *program, const char *name, const struct adit_create_params *params, bool exists_is_fine,
                    struct adit_arena **arena);

/* Says what the arena could not have, and that its data are larger than the size asked for (0: none was). */
void adit_arena_notes(const char *program, struct adit_arena *arena, uint64_t asked_bytes);

/* "--classes" text: true in *opaque for "opaque", false for "default" or NULL. 0, or the exit code after a line. */
int adit_arena_classes(const char *program, const char *classes, bool *opaque);

/* The exit code for a failure of the library or of the system while working. */
int adit_arena_exit(int status);

#endif
