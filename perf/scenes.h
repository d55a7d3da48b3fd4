/* scenes.h - a scene: one question to the machine, answered by a few figures.
 *
 * Each scene is a file perf/scene_<what>.c that exports one const entry; scenes.c lists them in the order they are
 * shown and run. Raw scenes measure what the machine can do and need nothing of the library; the others put the
 * library's figure beside the raw one.
 */
#ifndef PERF_SCENES_H
#define PERF_SCENES_H

#include <stdbool.h>
#include <stddef.h>

#include "perf/bench.h"

struct scene {
    const char *name;
    const char *what; /* one line: what is measured */
    const char *unit;
    const char *goal; /* as a person would say it, or "" */
    bool is_soak;     /* it takes up to half an hour: run only when asked for by its whole name */
    int cpus;         /* 2: skipped, with the reason, where only one CPU may be used */
    /* Measures and adds its figures to bench->list. Runs in a process of its own, pinned to machine.cpu[0]. Returns 0
     * or a negative errno; figures that failed are already in the list. */
    int (*run)(struct bench *bench);
};

extern const struct scene *const scenes[];
extern const size_t scenes_count;

/* True when the scene's name matches the pattern: a glob, or any part of the name; of a soak all of it. */
bool scene_matches(const struct scene *scene, const char *pattern);

extern const struct scene scene_raw_line, scene_raw_slot, scene_raw_futex, scene_raw_membarrier, scene_raw_copy,
    scene_raw_touch;
extern const struct scene scene_peer_ring, scene_peer_rcu, scene_peer_lock, scene_peer_task, scene_peer_value;
extern const struct scene scene_section, scene_two_readers, scene_visible, scene_round_trip, scene_grace, scene_ring, scene_samples, scene_lock,
    scene_alloc, scene_chunk, scene_mesh, scene_remesh, scene_mesh_cold, scene_mesh_two, scene_nodes, scene_mesh_modes, scene_peer, scene_compact, scene_patch, scene_exact, scene_lod, scene_death, scene_create, scene_task, scene_worker, scene_kinds, scene_batch, scene_range, scene_limit,
    scene_poison, scene_idle, scene_route, scene_flow, scene_grow, scene_overhead, scene_metrics, scene_watched, scene_frames, scene_frames_soak, scene_edit, scene_scale, scene_run;

#endif
