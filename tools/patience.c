/* patience.c - adit_settle calls an arena full after so many meshes in a row without room during one call, and calls here are short:
 * few workers never get there, so the same is counted here over all calls since the last progress. */
#include "tools/patience.h"

#include <errno.h>
#include <stdio.h>

#include "shm/shm.h"
#include "tools/moment.h"

#define STARVED_MAX 32u /* as adit_settle has it */

int adit_patience_judge(struct adit_patience *patience, const struct adit_patience_look *look, char *line, size_t line_bytes)
{
    if (look->status != -ETIMEDOUT && look->status != -ENOMEM) {
        snprintf(line, line_bytes, "cannot wait for the meshes: %s", adit_strerror(look->status));
        return look->status;
    }
    if (!patience->begun || look->left < patience->left) {
        patience->begun = true;
        patience->left = look->left;
        patience->starved = look->starved;
        patience->since_ns = look->now_ns;
    }
    if (look->starved < patience->starved)
        patience->starved = look->starved; /* one found room meanwhile */
    uint64_t waited = look->now_ns - patience->since_ns, starved = look->starved - patience->starved;
    bool is_full = look->status == -ENOMEM || starved >= STARVED_MAX;
    if (waited <= (is_full ? patience->full_ns : ADIT_PATIENCE_STUCK_NS))
        return -EAGAIN;
    if (is_full || starved) {
        snprintf(line, line_bytes, "%llu of %llu chunks have no mesh and the arena is full, it is too small for this; make it larger "
                 "with --size", (unsigned long long)look->left, (unsigned long long)look->chunks);
        return -ENOMEM;
    }
    snprintf(line, line_bytes, "%llu of %llu chunks have no mesh and none was made for %llu s, though the arena has room: its workers "
             "hang, are stopped or get no CPU; see to them, or run it again", (unsigned long long)look->left,
             (unsigned long long)look->chunks, (unsigned long long)(waited / 1000000000ull));
    return -ETIMEDOUT;
}

int adit_patience_settle(struct adit_patience *patience, struct adit_arena *arena, uint64_t step_ns, char *line, size_t line_bytes)
{
    struct adit_stats stats = {.size = sizeof stats};
    int status = adit_settle(arena, step_ns);
    if (!status)
        return 0;
    adit_stats(arena, &stats);
    const struct adit_patience_look look = {.status = status,
                                            .left = stats.dirty + stats.in_work,
                                            .chunks = stats.chunks,
                                            .starved = adit_load_relaxed(&arena->control->starved), /* a count alone */
                                            .now_ns = adit_moment_ns()};
    if (status == -ENOMEM)
        adit_moment_sleep(step_ns); /* that answer comes at once */
    return adit_patience_judge(patience, &look, line, line_bytes);
}
