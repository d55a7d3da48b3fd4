#include "tools/stats_source.h"

#include <errno.h>
#include <stdbool.h>

#include "tools/arena_open.h"
#include "tools/moment.h"

#define ANSWER_NS 1000000000ull
#define AGAIN_NS 5000000000ull
#define SLOTS_MAX 65536u /* of a number that lies in shared memory */

static bool has_producer(struct adit_arena *arena)
{
    struct adit_participant_info p;
    for (uint32_t slot = 0; slot < SLOTS_MAX; slot++) {
        int status = adit_participant_get(arena, slot, &p);
        if (!status && p.role == ADIT_PRODUCER && !p.gone)
            return true;
        if (status == -ERANGE)
            break;
    }
    return false;
}

void adit_stats_source_look(struct adit_stats_source *source)
{
    if (source->arena && !has_producer(source->arena))
        adit_detach(&source->arena);
}

struct adit_arena *adit_stats_source_get(struct adit_stats_source *source)
{
    adit_stats_source_look(source);
    if (source->arena || adit_moment_ns() < source->not_before_ns)
        return source->arena;
    const struct adit_attach_params params = {.size = sizeof params, .label = source->program, .timeout_ns = ANSWER_NS};
    source->status = adit_attach(source->name, ADIT_OBSERVER, &params, &source->arena);
    if (source->status)
        adit_arena_open_failure(source->name, source->status, source->line, sizeof source->line);
    if (source->status == -ETIMEDOUT)
        source->not_before_ns = adit_moment_ns() + AGAIN_NS;
    return source->arena;
}

void adit_stats_source_fini(struct adit_stats_source *source) { adit_detach(&source->arena); }
