/* cmd_watch.c - `adit watch`: a consumer process that checks what it reads, counts it, and takes it out as files.
 *
 * `adit run` starts it too, with --tether: then it watches until it is told that all is published and meshed, catches
 * up, and sends its figures to run. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/arena_open.h"
#include "tools/command.h"
#include "tools/harvest.h"
#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/moment.h"
#include "tools/options.h"
#include "tools/progress.h"
#include "tools/say.h"
#include "tools/tally.h"
#include "tools/tether.h"
#include "tools/witness.h"

#define PROGRAM "adit watch"
#define STEP_NS 20000000ull      /* the longest wait between two looks at signals and the tether */
#define LOOK_EVERY 64u           /* changes between two such looks when there is no wait */
#define TELL_NS 100000000ull     /* between two words to run about the picture */
#define PRODUCERS_NS 200000000ull /* between two looks whether a producer is there */

struct watch_options {
    struct adit_harvest_params harvest;
    struct adit_harvest_box box;
    const char *name, *box_text, *label;
    uint64_t world, wait_s, tether;
    bool once, follow, json, quiet, reports;
};

/* One consumer's work: what it holds, and the line when something failed. */
struct watching {
    const struct watch_options *o;
    struct adit_arena *arena;
    struct adit_witness *witness;
    struct adit_tally tally;
    struct adit_harvest_result harvested;
    struct adit_tether *tether; /* under run, else NULL */
    struct adit_progress progress;
    uint64_t told_ns;
    char line[ADIT_HARVEST_LINE_BYTES];
};

static const char help_text[] =
    "Without --follow it waits until no chunk is left to mesh, checks and counts all that is in the arena, and writes\n"
    "the files asked for. --out takes .glb, .obj, .ply or .quads; --raw writes the voxels of one world as bare bytes\n"
    "(two each when a material's id is above 255), x running fastest, then y, then z.\n"
    "--box X0,Y0,Z0,X1,Y1,Z1 in world voxels, upper ends excluded: the extent of --raw and the origin of --out;\n"
    "without it, the box of the chunks that are there.\n";

static int watching_open(struct watching *w, const char *label)
{
    int status = adit_arena_await(w->o->name, ADIT_CONSUMER, label, &w->arena);
    if (status) {
        adit_arena_open_failure(w->o->name, status, w->line, sizeof w->line);
        return status;
    }
    status = adit_witness_open(w->arena, &w->witness);
    if (status)
        snprintf(w->line, sizeof w->line, "%s: cannot watch: %s", w->o->name,
                 *adit_detail() ? adit_detail() : adit_strerror(status));
    return status;
}

static void watching_close(struct watching *w)
{
    adit_tally_close(&w->tally);
    adit_witness_close(&w->witness);
    adit_detach(&w->arena);
}

/* Takes all changes that are there. 0, -EINTR, -ENOMEM. */
static int catch_up(struct watching *w)
{
    for (;;) {
        int status = adit_witness_step(w->witness, 0, NULL);
        if (status == -EAGAIN || status == -ETIMEDOUT)
            return 0;
        if (adit_interrupt_is_set())
            return -EINTR;
        if (status && status != -EINTR)
            return status;
    }
}

static bool picture_step(void *user, uint32_t done, uint32_t total)
{
    struct watching *w = user;
    uint64_t now = adit_moment_ns();
    if (!w->tether)
        adit_progress_show(&w->progress, done, total, "parts of the picture are drawn");
    else if (now - w->told_ns > TELL_NS) {
        adit_tether_send(w->tether, json_pack("{s:i,s:i}", "drawn", (int)done, "of", (int)total));
        w->told_ns = now;
    }
    return !adit_interrupt_is_set();
}

static int take_all(struct watching *w)
{
    struct adit_harvest_params params = w->o->harvest;
    params.step = picture_step;
    params.user = w;
    int status = adit_tally_take(w->witness->reader, &w->tally);
    if (!status)
        status = adit_harvest_take(w->arena, w->witness->reader, &w->tally, &params, &w->harvested, w->line,
                                   sizeof w->line);
    return adit_interrupt_is_set() ? -EINTR : status;
}

static json_t *checked_json(const struct adit_witness *w)
{
    json_t *o = json_object();
    adit_jsonout_set_count(o, "versions", w->versions);
    adit_jsonout_set_count(o, "meshes", w->meshes);
    adit_jsonout_set_count(o, "torn", w->torn);
    adit_jsonout_set_count(o, "backward", w->backward);
    adit_jsonout_set_count(o, "wrong", w->wrong);
    return o;
}

/* ---- under run -------------------------------------------------------------------------------------------------- */

static json_t *tethered_figures(const struct watching *w)
{
    json_t *o = json_object();
    adit_jsonout_set(o, "checked", checked_json(w->witness));
    adit_jsonout_set_text(o, "fault", w->witness->fault);
    adit_jsonout_set(o, "version_latency", adit_latency_save(&w->witness->version_latency));
    adit_jsonout_set(o, "mesh_latency", adit_latency_save(&w->witness->mesh_latency));
    if (!w->o->reports)
        return o;
    adit_jsonout_set(o, "totals", adit_tally_json(&w->tally.all));
    adit_jsonout_set(o, "worlds", adit_tally_worlds_json(&w->tally));
    adit_jsonout_set_count(o, "meshes_exported", w->harvested.meshes);
    adit_jsonout_set_count(o, "raw_voxel_bytes", w->harvested.raw_voxel_bytes);
    return o;
}

static int watch_until_told(struct watching *w, struct adit_tether *tether)
{
    for (uint32_t n = 0;; n++) {
        int status = adit_witness_step(w->witness, STEP_NS, NULL);
        if (status == -ENOMEM)
            return status;
        if (adit_interrupt_is_set())
            return -EINTR;
        if ((status || n % LOOK_EVERY == 0) && adit_tether_has(tether, "finish"))
            return tether->closed ? -EPIPE : 0;
    }
}

static int watch_tethered(const struct watch_options *o)
{
    struct adit_tether tether;
    adit_tether_join(&tether, (int)o->tether);
    struct watching w = {.o = o, .tether = &tether};
    int status = watching_open(&w, o->label);
    if (!status)
        adit_tether_send(&tether, json_pack("{s:b}", "ready", 1));
    if (!status)
        status = watch_until_told(&w, &tether);
    if (!status)
        status = catch_up(&w);
    if (!status)
        adit_tether_send(&tether, json_pack("{s:b}", "caught_up", 1));
    if (!status && o->reports)
        status = take_all(&w);
    if (!status)
        adit_tether_send(&tether, json_pack("{s:o}", "done", tethered_figures(&w)));
    else if (status != -EPIPE)
        adit_tether_fail(&tether, *w.line ? w.line : strerror(-status), adit_arena_exit(status));
    watching_close(&w);
    adit_tether_fini(&tether);
    return adit_arena_exit(status);
}

/* ---- for people ------------------------------------------------------------------------------------------------- */

/* Chunks that are to be meshed yet; *all: of how many. A guest sees which have a mesh at all. */
static uint64_t unmeshed(struct adit_arena *arena, bool is_guest, uint64_t *all, bool *deserted)
{
    struct adit_stats s = {.size = sizeof s};
    if (adit_stats(arena, &s))
        return 0;
    *all = s.chunks;
    *deserted = s.deserted;
    return !is_guest ? s.dirty + s.in_work : s.chunks > s.meshes ? s.chunks - s.meshes : 0;
}

/* Waits until all is meshed, looking at changes meanwhile, for at most wait_s. */
static int wait_settled(struct watching *w)
{
    uint64_t until = adit_moment_ns() + w->o->wait_s * 1000000000ull;
    for (;;) {
        int status = catch_up(w);
        if (status)
            return status;
        uint64_t all = 0;
        bool deserted = false;
        int settled = adit_settle(w->arena, STEP_NS);
        bool is_guest = settled == -EROFS; /* who may not ask */
        uint64_t left = settled ? unmeshed(w->arena, is_guest, &all, &deserted) : 0;
        if (!settled || (is_guest && !left))
            return catch_up(w);
        if (adit_interrupt_is_set())
            return -EINTR;
        if (all >= left)
            adit_progress_show(&w->progress, all - left, all, "chunks are meshed");
        if (is_guest)
            adit_moment_sleep(STEP_NS);
        if (adit_moment_ns() > until || deserted) {
            adit_say_note(PROGRAM, "%s: %llu chunks are not meshed yet; what is there is taken%s", w->o->name,
                          (unsigned long long)left,
                          w->o->wait_s ? "" : " (--wait gives them time)");
            return 0;
        }
    }
}

static void change_print(const struct adit_witness *w, const struct adit_watch_event *e)
{
    if (e->what == ADIT_WATCH_LAPSED) {
        puts("chunks that were removed have been forgotten before they were looked at");
        return;
    }
    printf("world %u chunk %d,%d,%d:", e->key.world, e->key.x, e->key.y, e->key.z);
    if (w->last.version)
        printf(" version %llu, %u voxels", (unsigned long long)w->last.version, w->last.solid);
    else
        printf(" gone");
    if (w->last.serial)
        printf("; mesh %llu, %u quads", (unsigned long long)w->last.serial, w->last.quads);
    putchar('\n');
}

/* Looks at changes until a signal, the last producer's leaving, or a closed stdout. 0 or a negative errno. */
static int follow(struct watching *w)
{
    uint64_t looked = 0;
    for (;;) {
        struct adit_watch_event event;
        int status = adit_witness_step(w->witness, STEP_NS, &event);
        if (status == -ENOMEM)
            return status;
        if (!status && !w->o->json)
            change_print(w->witness, &event);
        if ((status && fflush(stdout)) || ferror(stdout))
            return -EPIPE; /* whoever read it has seen enough */
        if (adit_interrupt_is_set())
            return -EINTR;
        uint64_t now = adit_moment_ns();
        if (now - looked < PRODUCERS_NS)
            continue;
        looked = now;
        struct adit_stats stats = {.size = sizeof stats};
        if (!adit_stats(w->arena, &stats) && stats.deserted) {
            adit_say_note(PROGRAM, "%s: its last producer has left; nothing more will come", w->o->name);
            return catch_up(w);
        }
    }
}

/* Without totals after an interrupted --follow. */
static json_t *figures_json(const struct watching *w, bool totals)
{
    json_t *o = totals ? adit_tally_json(&w->tally.all) : json_object();
    adit_jsonout_set_text(o, "arena", w->o->name);
    if (totals)
        adit_jsonout_set(o, "worlds", adit_tally_worlds_json(&w->tally));
    adit_jsonout_set(o, "publish_to_visible_ns", adit_latency_json(&w->witness->version_latency));
    adit_jsonout_set(o, "publish_to_mesh_visible_ns", adit_latency_json(&w->witness->mesh_latency));
    adit_jsonout_set(o, "checked", checked_json(w->witness));
    return o;
}

static void figures_print(const struct watching *w)
{
    const struct adit_tally_world *t = &w->tally.all;
    const struct adit_harvest_result *h = &w->harvested;
    printf("%s: %s chunks, %s voxels of %u materials, %s visible faces in %s quads, %s\n", w->o->name,
           ADIT_SAY_COUNT(t->chunks), ADIT_SAY_COUNT(t->voxels), t->materials, ADIT_SAY_COUNT(t->faces),
           ADIT_SAY_COUNT(t->quads), ADIT_SAY_BYTES(t->version_bytes + t->mesh_bytes));
    if (w->o->harvest.out)
        printf("meshes: %s\n", w->o->harvest.out);
    if (w->o->harvest.picture)
        printf("picture: %s\n", w->o->harvest.picture);
    if (w->o->harvest.raw)
        printf("raw: %s, world %llu, --dim %lld,%lld,%lld%s from voxel %lld,%lld,%lld\n", w->o->harvest.raw,
               (unsigned long long)w->o->world, (long long)(h->raw_box.hi[0] - h->raw_box.lo[0]),
               (long long)(h->raw_box.hi[1] - h->raw_box.lo[1]), (long long)(h->raw_box.hi[2] - h->raw_box.lo[2]),
               h->raw_voxel_bytes == 2 ? " --u16" : "", (long long)h->raw_box.lo[0], (long long)h->raw_box.lo[1],
               (long long)h->raw_box.lo[2]);
}

static int watch_alone(const struct watch_options *o)
{
    struct watching w = {.o = o, .progress = {.program = PROGRAM, .quiet = o->quiet}};
    int status = watching_open(&w, PROGRAM);
    if (!status)
        status = o->follow ? follow(&w) : wait_settled(&w);
    bool interrupted = status == -EINTR;
    if (!status)
        status = take_all(&w);
    adit_progress_clear();
    int code = adit_arena_exit(status);
    if (status && !interrupted && *w.line)
        adit_say_error(PROGRAM, "%s", w.line);
    else if (status && status != -EINTR && status != -EPIPE)
        adit_say_error(PROGRAM, "%s: %s", o->name, strerror(-status));
    if (o->json && w.witness && (!status || (o->follow && interrupted)))
        code = adit_jsonout_print(PROGRAM, figures_json(&w, !status)) ? code : ADIT_EXIT_FAILED;
    else if (!status)
        figures_print(&w);
    if (w.witness && adit_witness_faults(w.witness)) {
        adit_say_error(PROGRAM, "%s: %llu faults; the first: %s", o->name,
                       (unsigned long long)adit_witness_faults(w.witness), w.witness->fault);
        code = ADIT_EXIT_FAILED;
    }
    watching_close(&w);
    return code;
}

static int watch_run(int argc, char **argv)
{
    struct watch_options o = {.wait_s = 10};
    const struct adit_option table[] = {
        {"out", "FILE", ADIT_OPTION_TEXT, &o.harvest.out, 0, 0, "write the meshes: .glb, .obj, .ply or .quads"},
        {"mode", "greedy|exact", ADIT_OPTION_TEXT, &o.harvest.mode, 0, 0, "of --out: quads as meshed, or the fewest (default greedy)"},
        {"no-t-junctions", NULL, ADIT_OPTION_FLAG, &o.harvest.no_t_junctions, 0, 0, "--out: triangles that meet at corners only"},
        {"mirror", "x|y|z", ADIT_OPTION_TEXT, &o.harvest.mirror, 0, 0, "--out: mirrored in that axis, for left-handed programs"},
        {"winding", "ccw|cw", ADIT_OPTION_TEXT, &o.harvest.winding, 0, 0, "--out: of faces seen from outside (default ccw)"},
        {"picture", "FILE.png", ADIT_OPTION_TEXT, &o.harvest.picture, 0, 0, "draw the meshes"},
        {"raw", "FILE", ADIT_OPTION_TEXT, &o.harvest.raw, 0, 0, "write the voxels of one world"},
        {"world", "N", ADIT_OPTION_COUNT, &o.world, 0, 62, "which world for --raw (default 0)"},
        {"box", "BOX", ADIT_OPTION_TEXT, &o.box_text, 0, 0, "extent of --raw and origin of --out, see below"},
        {"once", NULL, ADIT_OPTION_FLAG, &o.once, 0, 0, "take what is there, then end (the default)"},
        {"follow", NULL, ADIT_OPTION_FLAG, &o.follow, 0, 0, "print each change until Ctrl-C"},
        {"wait", "SECONDS", ADIT_OPTION_COUNT, &o.wait_s, 0, 86400, "at most, for all to be meshed (default 10)"},
        {"json", NULL, ADIT_OPTION_FLAG, &o.json, 0, 0, "one JSON object on stdout"},
        {"quiet", NULL, ADIT_OPTION_FLAG, &o.quiet, 0, 0, "no progress"},
        {"label", "TEXT", ADIT_OPTION_TEXT, &o.label, 0, 0, NULL},
        {"tether", "FD", ADIT_OPTION_COUNT, &o.tether, 3, 1023, NULL},
        {"reports", NULL, ADIT_OPTION_FLAG, &o.reports, 0, 0, NULL},
    };
    const struct adit_usage usage = {PROGRAM, "NAME", "Reads an arena: checks, counts, exports, or follows it.", help_text,
                                     table, sizeof table / sizeof *table, NULL};
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    char line[ADIT_HARVEST_LINE_BYTES];
    if (argc - first != 1) {
        adit_say_error(PROGRAM, "give one arena's NAME; `adit ls` lists them");
        return ADIT_EXIT_BAD_INPUT;
    }
    if (o.once && o.follow) {
        adit_say_error(PROGRAM, "--once and --follow exclude each other; give one");
        return ADIT_EXIT_BAD_INPUT;
    }
    if (o.box_text && adit_harvest_box_parse(o.box_text, &o.box)) {
        adit_say_error(PROGRAM, "--box: not X0,Y0,Z0,X1,Y1,Z1 with each lower end below its upper end");
        return ADIT_EXIT_BAD_INPUT;
    }
    o.harvest.box = o.box_text ? &o.box : NULL;
    o.harvest.raw_world = (uint8_t)o.world;
    if (adit_harvest_check(&o.harvest, line, sizeof line)) {
        adit_say_error(PROGRAM, "%s", line);
        return ADIT_EXIT_BAD_INPUT;
    }
    o.name = argv[first];
    adit_interrupt_install();
    return o.tether ? watch_tethered(&o) : watch_alone(&o);
}

const struct adit_command adit_command_watch = {"watch", "read an arena: check, count, export, follow", watch_run};
