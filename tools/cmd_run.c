/* cmd_run.c - `adit run`: the main job in one command.
 *
 *     this process                 producers (adit feed)          consumers (adit watch)
 *     look at the worlds
 *     create, serve, dispatch
 *     spawn consumers -------------------------------------------> attach, watch: ready
 *     spawn producers -----------> attach, open worlds: ready
 *     go ------------------------> publish, edit: done             check whatever changes
 *     settle
 *     finish ----------------------------------------------------> catch up; the first one counts and exports: done
 *     print, detach
 *
 * With --worker-processes the dispatcher's workers are processes, of which any may die. With --kills meshing is done by members of the crew, which are killed like all others (adit work). This
 * one then makes the arena, lets its crew attach, and leaves it to them: it looks on as an observer, so that whoever serves the name, and whoever meshes, is one of the crew.
 *
 * Whatever goes wrong, the way out is the same: end the crew, detach, exit code. The arena has no name outside the
 * processes that map it and its socket goes with detach, so nothing is left behind.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/arena_open.h"
#include "tools/command.h"
#include "tools/crew.h"
#include "tools/cull.h"
#include "tools/damage.h"
#include "tools/exports/sink.h"
#include "tools/harvest.h"
#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/moment.h"
#include "tools/muster.h"
#include "tools/options.h"
#include "tools/placing.h"
#include "tools/outcome.h"
#include "tools/patience.h"
#include "tools/plan.h"
#include "tools/progress.h"
#include "tools/say.h"
#include "tools/devices.h"
#include "tools/tiers.h"

#define PROGRAM "adit run"
#define TICK_MS 50
#define SETTLE_STEP_NS 50000000ull
#define FULL_NS 2000000000ull   /* without room for a mesh: what is retired has long been reclaimed */
#define NAMES_TRIED 16

struct run_options {
    struct adit_harvest_params harvest;
    const char *classes, *tiers, *policy, *generate;
    uint64_t producers, consumers, workers, processes, size, edits, seed, kills;
    uint64_t meshers; /* members of the crew that mesh */
    const char *placement;
    enum adit_placement where;
    bool culled, ao, json, quiet, explain;
};

struct run {
    struct run_options o;
    char *const *specs;
    uint32_t specs_count;
    bool opaque;
    struct adit_tiers tiers;
    struct adit_devices *devices;
    char name[48], box[160], line[ADIT_HARVEST_LINE_BYTES];
    struct adit_muster muster;
    struct adit_plan plan;
    struct adit_damage damage[ADIT_FEEDER_WORLDS_MAX]; /* of each world of the plan */
    struct adit_arena *arena;
    struct adit_dispatcher *dispatcher;
    struct adit_crew crew;
    struct adit_cull cull;
    struct adit_outcome outcome;
    struct adit_progress progress;
    char writing[96]; /* what the first consumer does last */
};

static const char help_text[] =
    "WORLD is terrain, noise50 or checker, each with [:SEED][:XxYxZ] (in chunks of 64 voxels a side, 65536 at most),\n"
    "FILE.vox (MagicaVoxel), FILE.mca (Minecraft region), or FILE.raw:X,Y,Z[:u16].\n"
    "Several worlds share the arena under the world numbers 0, 1, ... and stand side by side in exports.\n"
    "Chunks without a voxel are not published: a key that has no version reads as air. Exports count from the lowest\n"
    "corner of the first world's voxels. Exit code: 0 done, 1 failed, 2 bad usage or input\n"
    "(damaged columns or parts of a world are left out, the rest is done), 130 interrupted.\n"
    "--generate is of built-in worlds, whoever makes them: the voxels are the same. Files are read by the CPU.\n"
    "--json, memory: dense16_bytes are the worlds' boxes at two bytes a voxel, air and all, dense16_chunk_bytes the\n"
    "published chunks alone; each ..._ratio is that by version_bytes. tools/README.md explains every key.\n"
    "\n"
    "  adit run terrain --picture terrain.png\n"
    "  adit run world/region/r.0.0.mca --producers 2 --consumers 2 --edits 1000 --out region.glb\n";

/* ---- the arena -------------------------------------------------------------------------------------------------- */

static int arena_make(struct run *r)
{
    uint64_t pins = r->plan.chunks_may + 64;
    uint32_t spare = (r->o.kills ? 40u : 8u) + (r->o.processes ? 8u : 0u); /* slots of the dead, until they are recovered, of standbys, and of who forks them */
    struct adit_create_params params = {
        .size = sizeof params,
        .data_bytes = r->o.size ? r->o.size : r->plan.data_bytes,
        .chunks_max = r->plan.chunks_may > 900 ? (uint32_t)(r->plan.chunks_may + r->plan.chunks_may / 8) : 1024,
        .participants_max = (uint32_t)(r->o.producers + r->o.consumers + r->o.processes + r->o.meshers) + spare,
        .readers_max = (uint32_t)(r->o.consumers * 2 + (r->o.processes + r->o.meshers) * 64 + 64),
        .watches_max = (uint32_t)r->o.consumers + spare,
        .pins_max = (uint32_t)(pins < 1024 ? 1024 : pins > 16384 ? 16384 : pins),
        .materials_max = r->plan.materials + 64 < ADIT_MATERIALS ? r->plan.materials + 64 : ADIT_MATERIALS,
        .flags = r->o.ao ? ADIT_CREATE_AO : 0,
        .placement = r->o.where,
        .label = PROGRAM,
    };
    int status = -EEXIST;
    for (int i = 0; status == -EEXIST && i < NAMES_TRIED; i++) {
        snprintf(r->name, sizeof r->name, i ? "run-%ld-%d" : "run-%ld", (long)getpid(), i);
        status = adit_arena_make(PROGRAM, r->name, &params, i + 1 < NAMES_TRIED, &r->arena);
    }
    if (status)
        return status;
    if (!r->o.quiet)
        adit_arena_notes(PROGRAM, r->arena, r->o.size);
    return 0;
}

/* Names all materials before anybody publishes, so that the ids do not depend on who comes first. */
static int materials_register(struct run *r)
{
    int status = 0;
    for (uint32_t i = 0; !status && i < r->plan.count; i++) {
        struct adit_palette *palette = adit_palette_open(r->arena, r->plan.worlds[i].world, r->opaque);
        status = palette ? adit_palette_register(palette) : -ENOMEM;
        if (status)
            adit_say_error(PROGRAM, "%s: %s", r->plan.worlds[i].spec, palette ? palette->error : strerror(ENOMEM));
        adit_palette_close(&palette);
    }
    return adit_arena_exit(status);
}

static struct adit_tiers_wish tiers_wish(const struct run *r)
{
    return (struct adit_tiers_wish){.program = PROGRAM, .option = "--tiers", .list = r->o.tiers, .policy = r->o.policy, .measures = true, .quiet = r->o.quiet};
}

static int dispatcher_start(struct run *r)
{
    const struct adit_tiers_wish wish = tiers_wish(r);
    if (adit_devices_choose(&wish, &r->tiers, &r->devices))
        return ADIT_EXIT_BAD_INPUT;
    const struct adit_dispatcher_params params = {.size = sizeof params, .workers = (uint32_t)r->o.workers, .processes = (uint32_t)r->o.processes, .kernel = r->tiers.kernel,
                                                  .culled = r->o.culled, .only_devices = !r->tiers.threads, .devices = r->devices, .policy = r->o.policy,
                                                  .thread_ns = r->tiers.thread_ns};
    adit_tiers_off_tell(r->arena, &r->tiers);
    int status = adit_dispatcher_open(r->arena, &params, &r->dispatcher);
    if (status)
        adit_say_error(PROGRAM, "cannot start the dispatcher: %s",
                       *adit_detail() ? adit_detail() : adit_strerror(status));
    return status ? ADIT_EXIT_FAILED : 0;
}

/* ---- the crew --------------------------------------------------------------------------------------------------- */

/* What went wrong, if anything did: the exit code after one line, or 0. */
static int trouble(struct run *r)
{
    if (adit_interrupt_is_set()) {
        adit_progress_clear();
        return ADIT_EXIT_INTERRUPTED;
    }
    const struct adit_crew_member *m = adit_crew_failure(&r->crew);
    if (!m)
        return 0;
    char how[96];
    if (m->error) {
        adit_say_error(PROGRAM, "%s: %s", m->label, m->error);
        return m->error_exit == ADIT_EXIT_BAD_INPUT ? ADIT_EXIT_BAD_INPUT : ADIT_EXIT_FAILED;
    }
    adit_say_error(PROGRAM, "%s (pid %ld) %s; the world is not whole, run it again", m->label, (long)m->pid,
                   adit_crew_how_lost(m, how, sizeof how));
    return ADIT_EXIT_FAILED;
}

enum phase { STARTING, PUBLISHING, MESHING, READING, WRITING };

/* Versions published while there are edits to come, else meshes. The worlds' boxes tell at most how many there can be. */
static void progress_show(struct run *r, enum phase phase)
{
    struct adit_stats stats = {.size = sizeof stats};
    uint64_t published = 0;
    const struct adit_crew_member *first_consumer = &r->crew.member[r->o.producers];
    if (r->o.quiet)
        return;
    r->progress.at_most = phase == PUBLISHING;
    switch (phase) {
    case STARTING:
        adit_progress_show(&r->progress, 0, 0, "the producers read their files");
        break;
    case READING:
        adit_progress_show(&r->progress, 0, 0, "all is meshed, consumers read the last of it");
        break;
    case WRITING:
        if (first_consumer->drawn_of)
            adit_progress_show(&r->progress, first_consumer->drawn, first_consumer->drawn_of, "parts of the picture are drawn");
        else
            adit_progress_show(&r->progress, 0, 0, r->writing);
        break;
    case PUBLISHING:
        for (uint32_t slot = 0; r->o.edits && slot < r->o.producers + r->o.consumers + 8; slot++) {
            struct adit_participant_info info;
            published += adit_participant_get(r->arena, slot, &info) ? 0 : info.published;
        }
        if (r->o.edits)
            adit_progress_show(&r->progress, published, r->plan.chunks_may + r->o.edits, "versions are published");
        else if (!adit_stats(r->arena, &stats))
            adit_progress_show(&r->progress, stats.meshes, r->plan.chunks_may, "chunks are meshed");
        break;
    case MESHING:
        if (!adit_stats(r->arena, &stats) && stats.chunks >= stats.dirty)
            adit_progress_show(&r->progress, stats.chunks - stats.dirty, stats.chunks, "chunks are meshed");
        break;
    default:
        break;
    }
}

/* Pumps until members [first, first + count) are all in the state asked for. */
static int await(struct run *r, uint32_t first, uint32_t count, bool (*is_there)(const struct adit_crew_member *),
                 enum phase phase)
{
    for (;;) {
        adit_crew_pump(&r->crew, TICK_MS);
        int code = trouble(r);
        if (code)
            return code;
        bool all = true;
        for (uint32_t i = first; i < first + count; i++)
            all &= is_there(&r->crew.member[i]);
        if (all)
            return 0;
        progress_show(r, phase);
    }
}

static bool is_ready(const struct adit_crew_member *m) { return m->ready; }
static bool is_caught_up(const struct adit_crew_member *m) { return m->caught_up; }
static bool is_done(const struct adit_crew_member *m) { return m->done; }

/* Leaves the arena to the crew, who are all attached, and goes on as an observer. */
static int leave_to_crew(struct run *r)
{
    struct adit_arena *observer;
    int code = adit_arena_open(PROGRAM, r->name, ADIT_OBSERVER, NULL, &observer);
    if (code)
        return code;
    adit_detach(&r->arena);
    r->arena = observer;
    return 0;
}

/* Kills while producers publish, and consumers read, until all kills are done. */
static int cull(struct run *r)
{
    r->cull = (struct adit_cull){.crew = &r->crew, .arena = r->arena, .producers = (uint32_t)r->o.producers,
                                 .consumers = (uint32_t)r->o.consumers, .left = r->o.kills, .seed = r->o.seed};
    while (!adit_cull_is_over(&r->cull)) {
        adit_crew_pump(&r->crew, ADIT_CULL_TICK_MS);
        int status = adit_cull_step(&r->cull);
        if (status)
            adit_say_error(PROGRAM, "cannot start a killed process again: %s", strerror(-status));
        int code = status ? ADIT_EXIT_FAILED : trouble(r);
        if (code)
            return code;
        progress_show(r, PUBLISHING);
    }
    return 0;
}

/* Waits until everything is meshed; an arena too full for meshes ends it, and so do workers that make none. */
static int settle(struct run *r)
{
    struct adit_patience patience = {.full_ns = FULL_NS};
    for (;;) {
        int status = adit_patience_settle(&patience, r->arena, SETTLE_STEP_NS, r->line, sizeof r->line);
        adit_crew_pump(&r->crew, 0);
        int code = trouble(r);
        if (code || !status)
            return code;
        if (status != -EAGAIN) {
            adit_say_error(PROGRAM, "%s", r->line);
            return status == -ENOMEM ? ADIT_EXIT_BAD_INPUT : ADIT_EXIT_FAILED;
        }
        progress_show(r, MESHING);
    }
}

/* ---- the job ---------------------------------------------------------------------------------------------------- */

static int crew_work(struct run *r)
{
    uint32_t consumers = (uint32_t)r->o.consumers, producers = (uint32_t)r->o.producers, meshers = (uint32_t)r->o.meshers;
    uint32_t worker = producers + consumers;
    uint64_t begun = adit_moment_ns();
    if (adit_muster(&r->muster, &r->crew, r->line, sizeof r->line)) {
        adit_say_error(PROGRAM, "%s", r->line);
        return ADIT_EXIT_FAILED;
    }
    int code = await(r, 0, worker + meshers, is_ready, STARTING);
    uint64_t start = adit_moment_ns();
    r->outcome.read_ns += start - begun;
    if (code)
        return code;
    adit_progress_clear();
    code = meshers ? leave_to_crew(r) : 0;
    if (code)
        return code;
    adit_crew_tell(&r->crew, 0, producers, "go");
    code = cull(r);
    if (!code)
        code = await(r, 0, producers, is_done, PUBLISHING);
    if (!code && meshers) {
        adit_crew_tell(&r->crew, worker, meshers, "settle");
        code = await(r, worker, meshers, is_caught_up, MESHING);
    } else if (!code)
        code = settle(r);
    if (!code)
        adit_crew_tell(&r->crew, producers, consumers, "finish");
    if (!code)
        code = await(r, producers, consumers, is_caught_up, READING);
    uint64_t seen = adit_moment_ns();
    r->outcome.run_ns = seen - start;
    adit_progress_clear();
    if (!code)
        code = await(r, producers, consumers, is_done, WRITING);
    r->outcome.export_ns = adit_moment_ns() - seen;
    if (!code && meshers) {
        adit_crew_tell(&r->crew, worker, meshers, "finish");
        code = await(r, worker, meshers, is_done, WRITING);
    }
    return code;
}

/* Everything from the arena to the figures. */
static int arena_work(struct run *r)
{
    int code = materials_register(r);
    adit_plan_close_worlds(&r->plan); /* the producers open them for themselves */
    r->outcome.stats.size = sizeof r->outcome.stats;
    if (!code && !r->o.meshers)
        code = dispatcher_start(r);
    if (!code)
        code = crew_work(r);
    struct adit_outcome *out = &r->outcome;
    out->kills = r->o.kills;
    out->lost = r->cull.lost;
    memcpy(out->killed, r->cull.of_role, sizeof out->killed);
    out->keepers_killed = r->cull.keepers;
    adit_outcome_collect(out, &r->crew, (uint32_t)r->o.producers, (uint32_t)(r->o.producers + r->o.consumers));
    if (adit_stats(r->arena, &out->stats))
        memset(&out->stats, 0, sizeof out->stats);
    out->tasks_lost = code == ADIT_EXIT_INTERRUPTED ? 0 : out->stats.dirty + out->stats.in_work;
    struct adit_participant_info self;
    if (!r->o.meshers && !adit_participant_get(r->arena, 0, &self))
        out->meshed = self.meshed;
    out->has_processes = adit_devices_processes(r->dispatcher, &out->processes);
    if (out->has_processes)
        out->meshed += out->processes.meshed;
    if (out->has_processes && out->processes.given_up && !code)
        code = ADIT_EXIT_FAILED;
    json_t *by_device = adit_devices_counts(r->dispatcher);
    adit_outcome_by_device(out, by_device);
    json_decref(by_device);
    struct adit_devices_told told = {0};
    adit_devices_tell_lost(PROGRAM, r->dispatcher, &told);
    if (r->o.explain)
        adit_devices_explain(PROGRAM, r->dispatcher);
    return code;
}

static void breach_say(const struct adit_breach *b, void *user)
{
    (void)user;
    adit_say_error(PROGRAM, "%s %s: %s", b->invariant, b->place, b->what);
}

/* After kills, when the crew has ended: nothing may be left of the dead. */
static int arena_verify(struct run *r)
{
    struct adit_stats stats = {.size = sizeof stats, .participants = 1};
    const struct adit_verify_params params = {.size = sizeof params, .flags = ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP};
    for (uint64_t until = adit_moment_ns() + ADIT_PATIENCE_STUCK_NS; stats.participants && adit_moment_ns() < until;) {
        if (adit_stats(r->arena, &stats))
            break;
        adit_moment_sleep(SETTLE_STEP_NS / 50);
    }
    int found = adit_verify(r->arena, &params, breach_say, NULL);
    if (stats.participants)
        adit_say_error(PROGRAM, "%u participants are still there, and should have ended", stats.participants);
    else if (found < 0)
        adit_say_error(PROGRAM, "cannot verify the arena: %s", adit_strerror(found));
    r->outcome.breaches = found < 0 ? 1 : found;
    return found || stats.participants ? ADIT_EXIT_FAILED : 0;
}

static int run_job(struct run *r)
{
    uint64_t start = adit_moment_ns();
    int status = adit_plan_make(r->specs, r->specs_count, &r->plan);
    r->outcome.read_ns = adit_moment_ns() - start;
    if (status == -EINTR)
        return ADIT_EXIT_INTERRUPTED;
    if (status) {
        adit_say_error(PROGRAM, "%s", r->plan.error);
        return adit_arena_exit(status);
    }
    for (uint32_t i = 0; i < r->plan.count; i++) {
        adit_feeder_world_notes(r->plan.worlds[i].world, PROGRAM);
        r->damage[i] = adit_damage_of(r->plan.worlds[i].world);
    }
    const struct adit_plan_world *w = &r->plan.worlds[0];
    if (w->voxel_min[0] < w->voxel_max[0])
        snprintf(r->box, sizeof r->box, "%d,%d,%d,%d,%d,%d", w->voxel_min[0], w->voxel_min[1], w->voxel_min[2],
                 w->voxel_max[0], w->voxel_max[1], w->voxel_max[2]);
    int code = arena_make(r);
    r->muster = (struct adit_muster){.arena = r->name,
                                     .specs = r->specs,
                                     .specs_count = r->specs_count,
                                     .producers = (uint32_t)r->o.producers,
                                     .consumers = (uint32_t)r->o.consumers,
                                     .workers = (uint32_t)r->o.meshers,
                                     .tiers = r->o.tiers,
                                     .policy = r->o.policy,
                                     .threads = r->o.workers,
                                     .generate = r->o.generate,
                                     .opaque = r->opaque,
                                     .culled = r->o.culled,
                                     .edits = r->o.edits,
                                     .seed = r->o.seed,
                                     .box = *r->box ? r->box : NULL,
                                     .harvest = &r->o.harvest};
    if (!code)
        code = arena_work(r);
    char beside[PATH_MAX];
    const char *outputs[ADIT_HARVEST_OUTPUTS_MAX], *there[ADIT_HARVEST_OUTPUTS_MAX + 1] = {0};
    adit_harvest_outputs(&r->o.harvest, outputs, beside);
    for (size_t i = 0, n = 0; i < ADIT_HARVEST_OUTPUTS_MAX; i++)
        if (outputs[i])
            there[n++] = outputs[i];
    adit_crew_end(&r->crew, there);
    if (!code && r->o.kills)
        code = arena_verify(r);
    adit_dispatcher_close(&r->dispatcher);
    adit_devices_close(&r->devices);
    adit_detach(&r->arena);
    return code;
}

static int run_report(struct run *r, int code)
{
    struct adit_outcome *out = &r->outcome;
    if (!code && out->faults) {
        adit_say_error(PROGRAM, "%llu faults seen by consumers; the first: %s", (unsigned long long)out->faults,
                       out->fault);
        code = ADIT_EXIT_FAILED;
    }
    bool worked = code == ADIT_EXIT_DONE || code == ADIT_EXIT_FAILED;
    if (worked && r->o.json && !adit_jsonout_print(PROGRAM, adit_outcome_json(out)))
        code = ADIT_EXIT_FAILED;
    if (worked && !r->o.json && (!code || out->faults))
        adit_outcome_print(out);
    if (fflush(stdout) || ferror(stdout))
        code = code ? code : ADIT_EXIT_FAILED;
    return code;
}

/* The file of a world: all of its spec, or what comes before a shape, a seed, a size. */
static bool is_world_file(const char *spec, const char *output)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", spec);
    for (char *colon = path + strlen(path); colon; colon = strrchr(path, ':')) {
        *colon = 0;
        if (adit_sink_is_same_file(path, output))
            return true;
    }
    return false;
}

/* No output is a world that is read. False after a line of error. */
static bool outputs_spare_worlds(const struct run *r)
{
    char beside[PATH_MAX];
    const char *outputs[ADIT_HARVEST_OUTPUTS_MAX];
    adit_harvest_outputs(&r->o.harvest, outputs, beside);
    for (uint32_t w = 0; w < r->specs_count; w++)
        for (size_t i = 0; i < ADIT_HARVEST_OUTPUTS_MAX; i++)
            if (outputs[i] && is_world_file(r->specs[w], outputs[i])) {
                adit_say_error(PROGRAM, "%s: that is the world %s itself; write to another file", outputs[i], r->specs[w]);
                return false;
            }
    return true;
}

static int run_check(struct run *r)
{
    if (adit_harvest_check(&r->o.harvest, r->line, sizeof r->line)) {
        adit_say_error(PROGRAM, "%s", r->line);
        return ADIT_EXIT_BAD_INPUT;
    }
    if (!outputs_spare_worlds(r))
        return ADIT_EXIT_BAD_INPUT;
    if (r->o.harvest.raw && r->specs_count > 1) {
        adit_say_error(PROGRAM, "--raw %s: a raw volume holds one world; give one WORLD, or use adit watch --raw --world",
                       r->o.harvest.raw);
        return ADIT_EXIT_BAD_INPUT;
    }
    const struct adit_tiers_wish wish = tiers_wish(r);
    if (adit_tiers_choose(&wish, &r->tiers) || adit_devices_check(&wish, &r->tiers, r->o.processes))
        return ADIT_EXIT_BAD_INPUT;
    if (adit_generate_wish_check(r->o.generate, r->line, sizeof r->line)) {
        adit_say_error(PROGRAM, "%s", r->line);
        return ADIT_EXIT_BAD_INPUT;
    }
    if (adit_placing_choose(PROGRAM, r->o.placement, &r->o.where))
        return ADIT_EXIT_BAD_INPUT;
    return adit_arena_classes(PROGRAM, r->o.classes, &r->opaque);
}

static void tables_tell(adit_column_tell *tell) { adit_columns_tell(&adit_devices_columns, tell); }

static int run_run(int argc, char **argv)
{
    static struct run r; /* large, and there is one */
    struct run_options *o = &r.o;
    *o = (struct run_options){.producers = 1, .consumers = 1, .seed = 1};
    const struct adit_option table[] = {
        {"producers", "N", ADIT_OPTION_COUNT, &o->producers, 1, 64, "processes that publish (default 1)"},
        {"consumers", "N", ADIT_OPTION_COUNT, &o->consumers, 1, 64, "processes that read and check (default 1)"},
        {"workers", "N", ADIT_OPTION_COUNT, &o->workers, 1, ADIT_ARENA_WORKERS_MAX, "threads that mesh (default: one a CPU)"},
        {"worker-processes", "N", ADIT_OPTION_COUNT, &o->processes, 0, 64, "processes that mesh instead of threads, unless --workers is given (default 0; with --kills 2, of so many threads each)"},
        {"tiers", "LIST", ADIT_OPTION_TEXT, &o->tiers, 0, 0, ADIT_TIERS_HELP},
        {"policy", "NAME", ADIT_OPTION_TEXT, &o->policy, 0, 0, ADIT_POLICY_HELP},
        {"explain", NULL, ADIT_OPTION_FLAG, &o->explain, 0, 0, "on stderr: what devices were given, and why"},
        {"generate", "WHO", ADIT_OPTION_TEXT, &o->generate, 0, 0, ADIT_GENERATE_HELP},
        {"classes", "default|opaque", ADIT_OPTION_TEXT, &o->classes, 0, 0, "opaque: treat every material as opaque"},
        {"out", "FILE", ADIT_OPTION_TEXT, &o->harvest.out, 0, 0, "write the meshes: .glb, .obj, .ply or .quads"},
        {"mode", "greedy|exact|culled", ADIT_OPTION_TEXT, &o->harvest.mode, 0, 0, "merge faces, of --out into the fewest quads, or a quad each (default greedy)"},
        {"ao", NULL, ADIT_OPTION_FLAG, &o->ao, 0, 0, "ambient occlusion of each corner of a quad"},
        {"no-t-junctions", NULL, ADIT_OPTION_FLAG, &o->harvest.no_t_junctions, 0, 0, "--out: triangles that meet at corners only"},
        {"mirror", "x|y|z", ADIT_OPTION_TEXT, &o->harvest.mirror, 0, 0, "--out: mirrored in that axis, for left-handed programs"},
        {"winding", "ccw|cw", ADIT_OPTION_TEXT, &o->harvest.winding, 0, 0, "--out: of faces seen from outside (default ccw)"},
        {"picture", "FILE.png", ADIT_OPTION_TEXT, &o->harvest.picture, 0, 0, "draw the meshes"},
        {"raw", "FILE", ADIT_OPTION_TEXT, &o->harvest.raw, 0, 0, "write the voxels of the world's box as bare bytes"},
        {"size", "BYTES", ADIT_OPTION_BYTES, &o->size, ADIT_ARENA_BYTES_MIN, ADIT_ARENA_BYTES_MAX, "of the arena's data, like 512M (default: from the worlds)"},
        {"placement", ADIT_PLACING_ARGUMENT, ADIT_OPTION_TEXT, &o->placement, 0, 0, ADIT_PLACING_HELP},
        {"edits", "N", ADIT_OPTION_COUNT, &o->edits, 0, UINT32_MAX, "batches of voxel edits after publishing (default 0)"},
        {"seed", "S", ADIT_OPTION_COUNT, &o->seed, 0, UINT64_MAX, "of the edits and the kills (default 1)"},
        {"kills", "N", ADIT_OPTION_COUNT, &o->kills, 0, 100000, "kill members of the crew N times meanwhile, then verify (default 0)"},
        {"json", NULL, ADIT_OPTION_FLAG, &o->json, 0, 0, "one JSON object on stdout"},
        {"quiet", NULL, ADIT_OPTION_FLAG, &o->quiet, 0, 0, "no progress, no notes on the machine"},
    };
    const struct adit_usage usage = {PROGRAM, "WORLD...", "Several processes share one arena: producers publish the worlds, "
                                     "threads mesh them, consumers read them in place.",
                                     help_text, table, sizeof table / sizeof *table, tables_tell};
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (o->kills) {
        o->meshers = o->processes ? o->processes : 2;
        o->processes = 0;
    }
    r.specs = argv + first;
    r.specs_count = (uint32_t)(argc - first);
    if (!r.specs_count || r.specs_count > ADIT_FEEDER_WORLDS_MAX) {
        adit_say_error(PROGRAM, "give 1 to %u WORLDs, such as terrain; see `%s --help`", ADIT_FEEDER_WORLDS_MAX, PROGRAM);
        return ADIT_EXIT_BAD_INPUT;
    }
    o->culled = o->harvest.mode && !strcmp(o->harvest.mode, "culled");
    if (o->culled)
        o->harvest.mode = NULL; /* it is how meshes are made, not what is made of them */
    code = run_check(&r);
    if (code)
        return code;
    snprintf(r.writing, sizeof r.writing, "a consumer counts%s%s", o->harvest.out || o->harvest.raw ? ", writes" : "",
             o->harvest.picture ? ", draws the picture" : "");
    r.progress = (struct adit_progress){.program = PROGRAM, .quiet = o->quiet};
    r.outcome.plan = &r.plan;
    r.outcome.damage = r.damage;
    r.outcome.tiers = &r.tiers;
    r.outcome.producers = (uint32_t)o->producers;
    r.outcome.consumers = (uint32_t)o->consumers;
    r.outcome.out = o->harvest.out;
    r.outcome.picture = o->harvest.picture;
    r.outcome.raw = o->harvest.raw;
    adit_interrupt_install();
    code = run_report(&r, run_job(&r));
    if (code == ADIT_EXIT_INTERRUPTED)
        adit_say_error(PROGRAM, "interrupted; its processes have ended and the arena is gone");
    for (uint32_t i = 0; i < r.plan.count && code == ADIT_EXIT_DONE; i++)
        code = adit_damage_exit(PROGRAM, r.plan.worlds[i].spec, &r.damage[i]);
    adit_outcome_fini(&r.outcome);
    adit_plan_close(&r.plan);
    return code;
}

const struct adit_command adit_command_run = {"run", "the main job: publish, mesh and read worlds in one go", run_run};
