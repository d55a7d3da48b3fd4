/* outcome.c - figures are put together here only; both forms read the same struct. */
#include "tools/outcome.h"

#include <stdio.h>
#include <string.h>

#include "tools/devices.h"
#include "tools/jsonout.h"
#include "tools/say.h"

static void counts_add(json_t **sum, const json_t *counts)
{
    const char *name;
    json_t *count;
    if (!*sum)
        *sum = json_object();
    json_object_foreach((json_t *)(uintptr_t)counts, name, count)
        adit_jsonout_set_count(*sum, name, adit_jsonout_count(*sum, name) + adit_jsonout_count(counts, name));
}

void adit_outcome_by_device(struct adit_outcome *outcome, const json_t *counts) { counts_add(&outcome->by_device, counts); }

/* Meshes that no device made. */
static uint64_t meshed_by_kernel(const struct adit_outcome *o)
{
    const char *name;
    json_t *count;
    uint64_t by_kernel = o->meshed;
    json_object_foreach(o->by_device, name, count) {
        uint64_t n = adit_jsonout_count(o->by_device, name);
        by_kernel -= n < by_kernel ? n : by_kernel;
    }
    return by_kernel;
}

void adit_outcome_collect(struct adit_outcome *outcome, const struct adit_crew *crew, uint32_t consumer, uint32_t worker)
{
    outcome->lost += adit_crew_lost(crew);
    for (uint32_t i = 0; i < crew->count; i++) {
        const json_t *done = crew->member[i].done;
        if (!done)
            continue;
        if (i < consumer) {
            outcome->edits += adit_jsonout_count(done, "edits");
            counts_add(&outcome->generated, json_object_get(done, "generated"));
            continue;
        }
        if (i >= worker) {
            outcome->meshed += adit_jsonout_count(done, "meshed");
            adit_outcome_by_device(outcome, json_object_get(done, "by_device"));
            continue;
        }
        const json_t *checked = json_object_get(done, "checked");
        outcome->checked_versions += adit_jsonout_count(checked, "versions");
        outcome->checked_meshes += adit_jsonout_count(checked, "meshes");
        outcome->faults += adit_jsonout_count(checked, "torn") + adit_jsonout_count(checked, "backward") +
                           adit_jsonout_count(checked, "wrong");
        const char *fault = json_string_value(json_object_get(done, "fault"));
        if (fault && *fault && !*outcome->fault)
            snprintf(outcome->fault, sizeof outcome->fault, "%s: %s", crew->member[i].label, fault);
        adit_latency_merge(&outcome->version_latency, json_object_get(done, "version_latency"));
        adit_latency_merge(&outcome->mesh_latency, json_object_get(done, "mesh_latency"));
        if (!outcome->totals && json_object_get(done, "totals")) {
            outcome->totals = json_incref(json_object_get(done, "totals"));
            outcome->worlds = json_incref(json_object_get(done, "worlds"));
            outcome->raw_voxel_bytes = (uint32_t)adit_jsonout_count(done, "raw_voxel_bytes");
        }
    }
}

void adit_outcome_fini(struct adit_outcome *outcome)
{
    json_decref(outcome->totals);
    json_decref(outcome->worlds);
    json_decref(outcome->by_device);
    json_decref(outcome->generated);
    outcome->totals = outcome->worlds = outcome->by_device = outcome->generated = NULL;
}

/* The figures both forms begin with. */
struct figures {
    uint64_t chunks, voxels, faces, quads, bytes, materials;
    double seconds;
};

static struct figures figures_of(const struct adit_outcome *o)
{
    const struct adit_stats *s = &o->stats;
    struct figures f = {s->chunks, s->voxels, s->faces, s->quads, s->version_bytes + s->mesh_bytes, 0,
                        (double)o->run_ns / 1e9};
    if (o->totals)
        f = (struct figures){adit_jsonout_count(o->totals, "chunks"), adit_jsonout_count(o->totals, "voxels"),
                             adit_jsonout_count(o->totals, "visible_faces"), adit_jsonout_count(o->totals, "quads"),
                             adit_jsonout_count(o->totals, "bytes"), adit_jsonout_count(o->totals, "materials"),
                             f.seconds};
    return f;
}

/* Of the worlds' voxel boxes at two bytes a voxel: what a plain array of each would take. */
static uint64_t dense16_bytes(const struct adit_plan *plan)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        uint64_t n = 2;
        for (int a = 0; a < 3; a++)
            n *= (uint64_t)((int64_t)plan->worlds[i].voxel_max[a] - plan->worlds[i].voxel_min[a]);
        sum += n;
    }
    return sum;
}

static uint64_t arena_bytes(const struct adit_stats *s)
{
    uint64_t sum = s->control_bytes;
    for (uint32_t i = 1; i < s->segments_n && i < 16; i++) /* segment 0 is a part of the control segment */
        sum += s->segments[i].bytes;
    return sum;
}

static double overhead_of(const struct adit_stats *s)
{
    return s->version_payload_bytes ? (double)s->version_bytes / (double)s->version_payload_bytes - 1 : 0;
}

static double by_version_bytes(const struct adit_outcome *o, uint64_t bytes)
{
    return o->stats.version_bytes ? (double)bytes / (double)o->stats.version_bytes : 0;
}

static json_t *memory_json(const struct adit_outcome *o)
{
    uint64_t chunk_bytes = figures_of(o).chunks * ADIT_CHUNK_VOXELS * 2;
    json_t *m = json_object();
    adit_jsonout_set_count(m, "arena_bytes", arena_bytes(&o->stats));
    adit_jsonout_set_count(m, "version_bytes", o->stats.version_bytes);
    adit_jsonout_set_count(m, "payload_bytes", o->stats.version_payload_bytes);
    adit_jsonout_set_real(m, "overhead", overhead_of(&o->stats));
    adit_jsonout_set_count(m, "dense16_bytes", dense16_bytes(o->plan));
    adit_jsonout_set_real(m, "dense16_ratio", by_version_bytes(o, dense16_bytes(o->plan)));
    adit_jsonout_set_count(m, "dense16_chunk_bytes", chunk_bytes);
    adit_jsonout_set_real(m, "dense16_chunk_ratio", by_version_bytes(o, chunk_bytes));
    adit_jsonout_set_count(m, "mesh_bytes", o->stats.mesh_bytes);
    return m;
}

static json_t *triple_json(const int32_t v[3])
{
    return json_pack("[i,i,i]", v[0], v[1], v[2]);
}

static json_t *worlds_json(const struct adit_outcome *o)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < o->plan->count; i++) {
        const struct adit_plan_world *pw = &o->plan->worlds[i];
        json_t *w = json_object();
        adit_jsonout_set_count(w, "world", i);
        adit_jsonout_set_text(w, "spec", pw->spec);
        adit_jsonout_set_text(w, "kind", pw->kind);
        adit_jsonout_set(w, "voxel_min", triple_json(pw->voxel_min));
        adit_jsonout_set(w, "voxel_max", triple_json(pw->voxel_max));
        adit_jsonout_set_count(w, "box_chunks", pw->box_chunks);
        adit_jsonout_set_count(w, "damaged_columns", o->damage[i].columns_skipped);
        adit_jsonout_set_count(w, "large_columns", o->damage[i].columns_large);
        adit_jsonout_set_count(w, "damaged_parts", o->damage[i].parts_skipped);
        adit_jsonout_set_count(w, "far_models", o->damage[i].models_far);
        adit_jsonout_set_count(w, "warnings", pw->warnings);
        json_t *counted;
        size_t k;
        json_array_foreach(o->worlds, k, counted) if (adit_jsonout_count(counted, "world") == i)
            json_object_update_missing(w, counted);
        json_array_append_new(list, w);
    }
    return list;
}

json_t *adit_outcome_json(const struct adit_outcome *o)
{
    struct figures f = figures_of(o);
    uint64_t columns = 0, parts = 0;
    for (uint32_t i = 0; i < o->plan->count; i++) {
        columns += o->damage[i].columns_skipped;
        parts += o->damage[i].parts_skipped;
    }
    json_t *j = json_object(), *tiers = json_object(), *off = json_object(), *checked = json_object();
    adit_jsonout_set_count(j, "chunks", f.chunks);
    adit_jsonout_set_count(j, "voxels", f.voxels);
    adit_jsonout_set_count(j, "visible_faces", f.faces);
    adit_jsonout_set_count(j, "quads", f.quads);
    adit_jsonout_set_count(j, "bytes", f.bytes);
    adit_jsonout_set_real(j, "seconds", f.seconds);
    adit_jsonout_set_real(j, "chunks_per_s", f.seconds > 0 ? (double)f.chunks / f.seconds : 0);
    adit_jsonout_set(j, "publish_to_visible_ns", adit_latency_json(&o->version_latency));
    adit_jsonout_set(j, "publish_to_mesh_visible_ns", adit_latency_json(&o->mesh_latency));
    adit_jsonout_set_count(tiers, o->tiers->kernel, meshed_by_kernel(o));
    if (o->by_device)
        json_object_update(tiers, o->by_device);
    adit_jsonout_set(j, "tiers", tiers);
    if (o->has_processes)
        adit_jsonout_set(j, "worker_processes", adit_devices_processes_json(&o->processes));
    for (uint32_t i = 0; i < o->tiers->off_n; i++)
        adit_jsonout_set_text(off, o->tiers->off[i].name, o->tiers->off[i].why);
    adit_jsonout_set(j, "switched_off", off);
    adit_jsonout_set(j, "generated", o->generated ? json_incref(o->generated) : json_object());
    adit_jsonout_set_count(j, "participants_lost", o->lost);
    adit_jsonout_set_count(j, "tasks_lost", o->tasks_lost);
    adit_jsonout_set_count(j, "kills", o->kills);
    if (o->kills) {
        json_t *killed = json_object();
        adit_jsonout_set_count(killed, "producers", o->killed[0]);
        adit_jsonout_set_count(killed, "consumers", o->killed[1]);
        adit_jsonout_set_count(killed, "workers", o->killed[2]);
        adit_jsonout_set_count(killed, "keepers", o->keepers_killed);
        adit_jsonout_set(j, "killed", killed);
        adit_jsonout_set_count(j, "breaches", (uint64_t)o->breaches);
    }
    adit_jsonout_set_count(j, "producers", o->producers);
    adit_jsonout_set_count(j, "consumers", o->consumers);
    adit_jsonout_set_count(j, "edits", o->edits);
    adit_jsonout_set_count(checked, "versions", o->checked_versions);
    adit_jsonout_set_count(checked, "meshes", o->checked_meshes);
    adit_jsonout_set_count(checked, "faults", o->faults);
    adit_jsonout_set(j, "checked", checked);
    adit_jsonout_set(j, "worlds", worlds_json(o));
    adit_jsonout_set_count(j, "materials", f.materials);
    adit_jsonout_set_count(j, "damaged_columns", columns);
    adit_jsonout_set_count(j, "damaged_parts", parts);
    adit_jsonout_set(j, "memory", memory_json(o));
    return j;
}

static void worlds_print(const struct adit_outcome *o)
{
    for (uint32_t i = 0; i < o->plan->count; i++) {
        const struct adit_plan_world *pw = &o->plan->worlds[i];
        const int32_t *lo = pw->voxel_min, *hi = pw->voxel_max;
        printf("  %-10s %s: %d x %d x %d voxels from %d,%d,%d\n", i ? "" : "worlds", pw->spec, hi[0] - lo[0],
               hi[1] - lo[1], hi[2] - lo[2], lo[0], lo[1], lo[2]);
    }
}

/* What was published against a plain array; only where something was. */
static void memory_print(const struct adit_outcome *o)
{
    const struct adit_stats *s = &o->stats;
    printf("  %-10s versions %s", "memory", ADIT_SAY_BYTES(s->version_bytes));
    if (s->version_bytes)
        printf(", 1/%.1f of a plain array of 16 bits", by_version_bytes(o, dense16_bytes(o->plan)));
    if (s->version_payload_bytes)
        printf(" (overhead %.1f %%)", 100 * overhead_of(s));
    printf("; meshes %s; arena %s\n", ADIT_SAY_BYTES(s->mesh_bytes), ADIT_SAY_BYTES(arena_bytes(s)));
}

static void time_print(const struct adit_outcome *o, uint64_t chunks)
{
    printf("  %-10s %s from first chunk to all seen", "time", ADIT_SAY_DURATION((double)o->run_ns));
    if (chunks && o->run_ns)
        printf(": %.0f chunks/s", (double)chunks * 1e9 / (double)o->run_ns);
    printf("; files read in %s", ADIT_SAY_DURATION((double)o->read_ns));
    if (o->out || o->picture || o->raw)
        printf(", written in %s", ADIT_SAY_DURATION((double)o->export_ns));
    printf("\n");
}

static void quantiles_print(const char *what, const struct adit_latency *l)
{
    if (l->count)
        printf("%s: p50 %s, p99 %s", what, ADIT_SAY_DURATION((double)adit_latency_quantile(l, 0.5)),
               ADIT_SAY_DURATION((double)adit_latency_quantile(l, 0.99)));
    else
        printf("%s: -", what);
}

static void latency_print(const struct adit_outcome *o)
{
    if (!o->version_latency.count && !o->mesh_latency.count)
        return;
    printf("  %-10s ", "latency");
    quantiles_print("publish to visible", &o->version_latency);
    quantiles_print("; to a visible mesh", &o->mesh_latency);
    printf("\n");
}

/* What of the meshes worker processes made, and what became of them. */
static void processes_print(const struct adit_outcome *o)
{
    if (!o->has_processes)
        return;
    printf("  %-10s %s of these meshes by worker processes", "", ADIT_SAY_COUNT(o->processes.meshed));
    if (o->processes.deaths)
        printf("; %s of them died and had their places taken", ADIT_SAY_COUNT(o->processes.deaths));
    if (o->processes.given_up)
        printf("; %s chunks killed each that meshed them, and have no mesh", ADIT_SAY_COUNT(o->processes.given_up));
    printf("\n");
}

void adit_outcome_print(const struct adit_outcome *o)
{
    struct figures f = figures_of(o);
    worlds_print(o);
    printf("  %-10s %s chunks, %s voxels of %llu materials\n", "published", ADIT_SAY_COUNT(f.chunks),
           ADIT_SAY_COUNT(f.voxels), (unsigned long long)f.materials);
    if (o->edits)
        printf("  %-10s %s batches of voxel edits\n", "edited", ADIT_SAY_COUNT(o->edits));
    printf("  %-10s %s visible faces in %s quads, %s meshes made by %s", "meshed", ADIT_SAY_COUNT(f.faces),
           ADIT_SAY_COUNT(f.quads), ADIT_SAY_COUNT(meshed_by_kernel(o)), o->tiers->kernel);
    const char *name;
    json_t *count;
    json_object_foreach(o->by_device, name, count)
        printf(", %s by %s", ADIT_SAY_COUNT(adit_jsonout_count(o->by_device, name)), name);
    printf("\n");
    processes_print(o);
    printf("  %-10s %s versions and %s meshes read by %u consumer%s, %s faults\n", "checked",
           ADIT_SAY_COUNT(o->checked_versions), ADIT_SAY_COUNT(o->checked_meshes), o->consumers,
           o->consumers == 1 ? "" : "s", o->faults ? ADIT_SAY_COUNT(o->faults) : "no");
    memory_print(o);
    time_print(o, f.chunks);
    latency_print(o);
    if (o->kills)
        printf("  %-10s %s times, %u before it was done and started again; the verifier found %s\n", "killed", ADIT_SAY_COUNT(o->kills),
               o->lost, o->breaches ? "breaches" : "no breach");
    else if (o->lost || o->tasks_lost)
        printf("  %-10s %u participants, %s tasks\n", "lost", o->lost, ADIT_SAY_COUNT(o->tasks_lost));
    if (o->out && o->totals)
        printf("  %-10s %s\n", "meshes in", o->out);
    if (o->raw && o->totals)
        printf("  %-10s %s (--dim %d,%d,%d%s)\n", "voxels in", o->raw,
               o->plan->worlds[0].voxel_max[0] - o->plan->worlds[0].voxel_min[0],
               o->plan->worlds[0].voxel_max[1] - o->plan->worlds[0].voxel_min[1],
               o->plan->worlds[0].voxel_max[2] - o->plan->worlds[0].voxel_min[2],
               o->raw_voxel_bytes == 2 ? " --u16" : "");
    if (o->picture && o->totals)
        printf("  %-10s %s\n", "picture in", o->picture);
}
