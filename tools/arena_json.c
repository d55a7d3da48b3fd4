/* arena_json.c - keys are the names of the fields in adit.h. */
#include "tools/arena_json.h"

#include <string.h>

#include "tools/jsonout.h"

const char *adit_arena_role(enum adit_role role)
{
    return role == ADIT_PRODUCER ? "producer" : role == ADIT_CONSUMER ? "consumer" : role == ADIT_GUEST ? "guest" : "observer";
}

json_t *adit_arena_stats_json(const struct adit_stats *s)
{
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        {"created_ns", s->created_ns},
        {"epoch", s->epoch},
        {"participants", s->participants},
        {"participants_max", s->participants_max},
        {"readers", s->readers},
        {"readers_max", s->readers_max},
        {"watches", s->watches},
        {"watches_max", s->watches_max},
        {"viewers", s->viewers},
        {"chunks", s->chunks},
        {"keys", s->keys},
        {"keys_max", s->keys_max},
        {"meshes", s->meshes},
        {"dirty", s->dirty},
        {"in_work", s->in_work},
        {"queues", s->queues},
        {"tasks_delayed", s->tasks_delayed},
        {"tasks_queued", s->tasks_queued},
        {"tasks_running", s->tasks_running},
        {"tasks_ended", s->tasks_ended},
        {"version_bytes", s->version_bytes},
        {"version_payload_bytes", s->version_payload_bytes},
        {"mesh_bytes", s->mesh_bytes},
        {"control_bytes", s->control_bytes},
        {"uniform", s->encodings[1]},
        {"bricks", s->encodings[2]},
        {"dense16", s->encodings[3]},
        {"removed", s->encodings[4]},
        {"quads", s->quads},
        {"visible_faces", s->faces},
        {"voxels", s->voxels},
        {"keeper_pid", s->keeper_pid},
    };
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        adit_jsonout_set_count(o, counts[i].name, counts[i].value);
    adit_jsonout_set(o, "deserted", json_boolean(s->deserted));
    return o;
}

json_t *adit_arena_segments_json(const struct adit_stats *stats)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < stats->segments_n && i < sizeof stats->segments / sizeof *stats->segments; i++) {
        const struct adit_segment_stats *s = &stats->segments[i];
        json_t *o = json_object();
        adit_jsonout_set_count(o, "segment", i);
        adit_jsonout_set(o, "node", json_integer(s->node));
        adit_jsonout_set_count(o, "bytes", s->bytes);
        adit_jsonout_set_count(o, "free_bytes", s->free_bytes);
        adit_jsonout_set_count(o, "largest_free_bytes", s->largest_free_bytes);
        adit_jsonout_set_count(o, "loaned_bytes", s->loaned_bytes);
        adit_jsonout_set_count(o, "published_bytes", s->published_bytes);
        adit_jsonout_set_count(o, "retired_bytes", s->retired_bytes);
        adit_jsonout_set_count(o, "blocks", s->blocks);
        adit_jsonout_set_count(o, "page_bytes", s->page_bytes);
        json_array_append_new(list, o);
    }
    return list;
}

json_t *adit_arena_participant_json(const struct adit_participant_info *p)
{
    json_t *o = json_object();
    adit_jsonout_set_count(o, "slot", p->slot);
    adit_jsonout_set_count(o, "generation", p->generation);
    adit_jsonout_set_count(o, "pid", p->pid);
    adit_jsonout_set_count(o, "uid", p->uid);
    adit_jsonout_set_text(o, "role", adit_arena_role(p->role));
    adit_jsonout_set_text(o, "state", p->state);
    adit_jsonout_set(o, "gone", json_boolean(p->gone));
    adit_jsonout_set(o, "keeper", json_boolean(p->keeper));
    adit_jsonout_set(o, "label", adit_jsonout_text_n(p->label, strnlen(p->label, sizeof p->label)));
    adit_jsonout_set_count(o, "joined_ns", p->joined_ns);
    adit_jsonout_set_count(o, "published", p->published);
    adit_jsonout_set_count(o, "edits", p->edits);
    adit_jsonout_set_count(o, "meshed", p->meshed);
    adit_jsonout_set_count(o, "retired", p->retired);
    adit_jsonout_set_count(o, "reclaimed", p->reclaimed);
    adit_jsonout_set_count(o, "grace_periods", p->grace_periods);
    adit_jsonout_set_count(o, "limbo_bytes", p->limbo_bytes);
    adit_jsonout_set_count(o, "readers", p->readers);
    adit_jsonout_set_count(o, "pins", p->pins);
    adit_jsonout_set_count(o, "oldest_epoch", p->oldest_epoch);
    return o;
}
