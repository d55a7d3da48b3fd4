/* scenes.c - the table of scenes, in the order they are listed and run. */
#include <fnmatch.h>
#include <string.h>

#include "perf/scenes.h"

const struct scene *const scenes[] = {
    &scene_raw_slot, &scene_raw_line, &scene_raw_futex, &scene_raw_membarrier, &scene_raw_copy, &scene_raw_touch,
    &scene_section, &scene_two_readers, &scene_visible, &scene_round_trip, &scene_grace, &scene_ring, &scene_samples, &scene_lock, &scene_alloc,
    &scene_chunk, &scene_mesh, &scene_remesh, &scene_mesh_cold, &scene_mesh_two, &scene_nodes, &scene_mesh_modes, &scene_peer, &scene_compact, &scene_patch, &scene_exact, &scene_lod, &scene_death,
    &scene_create, &scene_task, &scene_worker, &scene_limit, &scene_poison, &scene_idle, &scene_route, &scene_flow, &scene_grow, &scene_overhead, &scene_metrics, &scene_watched, &scene_frames, &scene_frames_soak, &scene_edit, &scene_scale, &scene_batch, &scene_range, &scene_kinds, &scene_run,
    &scene_peer_ring, &scene_peer_rcu, &scene_peer_lock, &scene_peer_task, &scene_peer_value,
};
const size_t scenes_count = sizeof scenes / sizeof scenes[0];

bool scene_matches(const struct scene *scene, const char *pattern)
{
    if (scene->is_soak)
        return strcmp(pattern, scene->name) == 0;
    return fnmatch(pattern, scene->name, 0) == 0 || strstr(scene->name, pattern) != NULL;
}
