/* patience.h - how long a job waits for its last meshes, and what it says when it gives up.
 *
 *     struct adit_patience patience = {.full_ns = 2000000000ull};
 *     for (;;) {
 *         int status = adit_patience_settle(&patience, arena, step_ns, line, sizeof line);
 *         if (status != -EAGAIN) return status;   // 0, or line says why
 *         do_something_else();
 *     }
 */
#ifndef ADIT_PATIENCE_H
#define ADIT_PATIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/adit.h"

#define ADIT_PATIENCE_STUCK_NS 30000000000ull /* without one chunk less to mesh, though there is room */

struct adit_patience {
    uint64_t full_ns; /* the caller's: without one chunk less, in an arena that has no room for a mesh */
    uint64_t left, since_ns; /* the fewest chunks to mesh so far, and since when */
    uint64_t starved; /* the fewest since then */
    bool begun;
};

/* What there is to judge by. starved: meshes in a row that found no room, of all workers (control->starved). */
struct adit_patience_look {
    int status; /* what adit_settle said, not 0 */
    uint64_t left, chunks, starved, now_ns;
};

/* -EAGAIN: wait on; or what to end with, and a line: -ENOMEM the arena is full, -ETIMEDOUT it has room and still nothing is meshed,
 * or status when it is neither. */
int adit_patience_judge(struct adit_patience *patience, const struct adit_patience_look *look, char *line, size_t line_bytes);

/* Waits for step_ns at most until all is meshed: 0, or what judge says. Producers and consumers. */
int adit_patience_settle(struct adit_patience *patience, struct adit_arena *arena, uint64_t step_ns, char *line, size_t line_bytes);

#endif
