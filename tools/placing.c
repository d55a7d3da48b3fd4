#include "tools/placing.h"

#include <errno.h>
#include <string.h>

#include "tools/say.h"

int adit_placing_choose(const char *program, const char *name, enum adit_placement *placement)
{
    static const char *const names[] = {"producer", "region", "interleaved"};
    *placement = ADIT_PLACE_PRODUCER;
    for (uint32_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) {
            *placement = (enum adit_placement)i;
            return 0;
        }
    if (!name)
        return 0;
    adit_say_error(program, "--placement %.40s: give one of " ADIT_PLACING_ARGUMENT, name);
    return -EINVAL;
}

json_t *adit_placing_json(struct adit_arena *arena, const struct adit_dispatcher *dispatcher)
{
    json_t *nodes = json_array();
    struct adit_stats s = {.size = sizeof s};
    struct adit_node_info info = {.size = sizeof info};
    if (!dispatcher || adit_stats(arena, &s))
        return nodes;
    for (uint32_t i = 0; !adit_dispatcher_node(dispatcher, i, &info) && info.node >= 0; i++) {
        uint64_t here = 0, all = 0;
        for (uint32_t k = 0; k < sizeof info.meshed / sizeof *info.meshed; k++) {
            all += info.meshed[k];
            here += k < s.segments_n && (!k || s.segments[k].node == info.node) ? info.meshed[k] : 0;
        }
        json_array_append_new(nodes, json_pack("{s:i,s:I,s:I,s:I,s:I}", "node", info.node, "threads", (json_int_t)info.threads, "processes", (json_int_t)info.processes, "meshed_here",
                                               (json_int_t)here, "meshed_from_others", (json_int_t)(all - here)));
    }
    return nodes;
}
