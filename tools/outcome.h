/* outcome.h - what `adit run` found out, for people and as JSON.
 *
 * Counts of chunks, voxels, faces, quads and bytes are those of the reporting consumer, taken from the arena when all was
 * published, edited and meshed; after a loss, where no consumer could report, they are the arena's own statistics.
 * seconds runs from the word to begin (every process attached, every file read) until the last consumer has seen all.
 */
#ifndef ADIT_OUTCOME_H
#define ADIT_OUTCOME_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/adit.h"
#include "tools/crew.h"
#include "tools/damage.h"
#include "tools/latency.h"
#include "tools/plan.h"
#include "tools/tiers.h"

struct adit_outcome {
    const struct adit_plan *plan;
    const struct adit_damage *damage;    /* of each world of the plan */
    const struct adit_tiers *tiers;      /* whose kernel meshed, and what was left out */
    uint64_t run_ns, read_ns, export_ns; /* the work; opening the worlds; exports and pictures */
    uint64_t meshed;                     /* meshes made by dispatchers */
    json_t *by_device;                   /* of these, by device: {name: count}; NULL: none */
    bool has_processes;                  /* worker processes meshed, too: */
    struct adit_tier_info processes;
    json_t *generated;                   /* chunks of built-in worlds, by who made them: {name: count} */
    uint64_t edits;                      /* batches */
    uint64_t checked_versions, checked_meshes, faults;
    char fault[256];
    uint32_t producers, consumers, lost; /* lost: killed ones that were started again included */
    uint64_t kills;                      /* that were asked for */
    uint32_t killed[3], keepers_killed;  /* producers, consumers, workers; keepers among these */
    int breaches;                        /* found by the verifier at the end, when there were kills */
    uint64_t tasks_lost;
    struct adit_stats stats;             /* at the end */
    json_t *totals, *worlds;             /* of the reporting consumer, NULL when it could not */
    struct adit_latency version_latency, mesh_latency;
    const char *out, *picture, *raw;
    uint32_t raw_voxel_bytes;
};

/* Adds what the members of the crew said when they were done; members before `consumer` are producers, from `worker` on workers. */
void adit_outcome_collect(struct adit_outcome *outcome, const struct adit_crew *crew, uint32_t consumer, uint32_t worker);

/* Adds what devices have meshed, as adit_devices_counts says it (tools/devices.h); may be NULL. Counts is not taken. */
void adit_outcome_by_device(struct adit_outcome *outcome, const json_t *counts);

json_t *adit_outcome_json(const struct adit_outcome *outcome);
void adit_outcome_print(const struct adit_outcome *outcome);

void adit_outcome_fini(struct adit_outcome *outcome);

#endif
