/* cmd_fly.c - `adit fly`: a viewer that flies through a world without end, in an arena of fixed size: chunks are made, meshed, published and removed around it, while it is edited and workers are killed.
 * What is printed is what the one who flies would notice, and what is left behind.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/topology.h"
#include "tools/arena_open.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/moment.h"
#include "tools/options.h"
#include "tools/progress.h"
#include "tools/say.h"
#include "tools/sight.h"

#define PROGRAM "adit fly"
#define FRAME_NS 16666667u
#define CHUNK 64.0
#define SECOND_NS 1000000000ull
#define SWAY_CHUNKS 40.0 /* to both sides, */
#define SWAY_SECONDS 60.0 /* in as long */
#define EYE_VOXELS 100.0f
#define LEVELS_MAX 6u /* beyond, `terrain` has next to no ground (kernels/generate.h) */
#define SETTLE_NS (10 * SECOND_NS)
#define LOAD_NS (60 * SECOND_NS)
#define FULL_NS (5 * SECOND_NS) /* no more chunks are loaded for so long, and there is no room for those that are missing */

struct fly_options {
    uint64_t seconds, speed, radius, layers, levels, size, chunks, processes, workers, edits, kill_ms, seed;
    bool anyway, json, quiet;
};

struct flight {
    const struct fly_options *o;
    struct adit_arena *arena;
    struct adit_dispatcher *dispatcher;
    struct adit_queue *queue;
    struct adit_stream *stream;
    struct adit_viewer *viewer;
    struct adit_frame *frames;
    struct adit_sight *sight, *beyond[LEVELS_MAX]; /* level 0; those beyond, from 1 on */
    struct adit_sight_figures near, far;     /* of level 0; of all beyond */
    uint64_t begin_ns, load_ns, killed, edited, edits_failed, edits_full /* of them: no memory */, pressed_looks, looks, bytes_most, keys_most, keys_max /* the store has: chunks_max rounded up */, random, breaches;
    struct adit_stream_info streamed, loaded; /* at the end; when the flight began */
    uint64_t missing_sum;
    double whole_sum, whole_least; /* chunks around the viewer that are all there */
    char breach[200];
};

static const char help_text[] =
    "Makes an arena, and worker processes that make and mesh the chunks of `terrain` around a viewer that flies through\n"
    "it. What lies behind is removed and forgotten, so arena and store need be no larger than what is around. \"Bare\" is\n"
    "a chunk within the radius that has no mesh of its version: the one who flies sees a hole, or what was there before.\n"
    "Exit code 1 if anything was torn, leaked, or broke an invariant.\n";

static uint64_t next_random(struct flight *f)
{
    f->random ^= f->random << 13; /* xorshift64 (G. Marsaglia, Xorshift RNGs, 2003) */
    f->random ^= f->random >> 7;
    return f->random ^= f->random << 17;
}

static int fail(const char *what, int status)
{
    adit_say_error(PROGRAM, "cannot %s: %s", what, *adit_detail() ? adit_detail() : adit_strerror(status));
    return ADIT_EXIT_FAILED;
}

/* What the stream says of it, since that names the cure. */
static int fail_flight(const struct flight *f, int status)
{
    struct adit_stream_info s = {.size = sizeof s};
    (void)adit_stream_look(f->stream, &s);
    const int why = s.pressed == ADIT_STREAM_KEYS ? -ENOSPC : s.pressed ? -ENOMEM : s.last_error;
    if (status != -ETIMEDOUT && status != why)
        return fail("fly", status);
    if (why == -ENOMEM)
        adit_say_error(PROGRAM, "cannot fly: memory is full, %s bytes are too few for what is around; make it larger with --size, or fly --anyway", ADIT_SAY_COUNT(f->o->size));
    else if (why == -ENOSPC)
        adit_say_error(PROGRAM, "cannot fly: the store is full, %s keys are too few for what is around; make it with more --chunks, or fly --anyway", ADIT_SAY_COUNT(f->o->chunks));
    else if (why)
        adit_say_error(PROGRAM, "cannot fly: what is around was not there after a minute; making chunks failed %s times, the last time: %s", ADIT_SAY_COUNT(s.failed), adit_strerror(why));
    else
        adit_say_error(PROGRAM, "cannot fly: what is around had no meshes after a minute, and no chunk failed; give less to do with --radius, or more memory for meshes with --size");
    return why == -ENOMEM || why == -ENOSPC ? ADIT_EXIT_BAD_INPUT : ADIT_EXIT_FAILED;
}

static void look_away(struct flight *f)
{
    adit_sight_close(&f->sight);
    for (uint32_t i = 0; i < LEVELS_MAX; i++)
        adit_sight_close(&f->beyond[i]);
    adit_frame_close(&f->frames);
}

/* Frames and figures begin. */
static int look_around(struct flight *f)
{
    const struct adit_frame_params rate = {.size = sizeof rate, .period_ns = FRAME_NS, .arena = f->arena};
    int error = adit_frame_open(&rate, &f->frames);
    if (!error)
        error = adit_sight_open(f->arena, (uint32_t)f->o->radius, 0, (uint32_t)f->o->layers, 0, 0, &f->near, &f->sight);
    for (uint32_t lod = 1; lod <= f->o->levels && !error; lod++)
        error = adit_sight_open(f->arena, (uint32_t)f->o->radius, 0, (uint32_t)((f->o->layers - 1) >> lod) + 1, 0, (uint8_t)lod, &f->far, &f->beyond[lod - 1]);
    return error;
}

/* A frame. *bare: chunks without a mesh, of all levels; returns how many there are in sight. */
static uint32_t look(struct flight *f, const float at[3], uint32_t *bare)
{
    adit_sight_look(f->sight, at);
    uint32_t all = adit_sight_count(f->sight, bare);
    for (uint32_t i = 0; i < f->o->levels; i++) {
        uint32_t more;
        adit_sight_look(f->beyond[i], at);
        all += adit_sight_count(f->beyond[i], &more);
        *bare += more;
    }
    return all;
}

/* ---- while it flies ---- */

static void place_at(const struct flight *f, uint64_t ns, struct adit_viewer_place *p)
{
    double seconds = (double)ns / (double)SECOND_NS, speed = (double)f->o->speed * CHUNK, turn = 2 * M_PI / SWAY_SECONDS;
    *p = (struct adit_viewer_place){.size = sizeof *p, .at = {(float)(seconds * speed), EYE_VOXELS, (float)(SWAY_CHUNKS * CHUNK * sin(seconds * turn))}, .radius = (float)((double)f->o->radius * CHUNK)};
    p->toward[0] = (float)(speed > 0 ? speed : 1);
    p->frame_ns = FRAME_NS;
    p->frame_at_ns = f->frames ? adit_moment_ns() + (uint64_t)adit_frame_left_ns(f->frames) : 0;
    p->toward[2] = (float)(SWAY_CHUNKS * CHUNK * turn * cos(seconds * turn));
}

/* One voxel of a chunk in sight becomes stone, or air. */
static void edit(struct flight *f)
{
    struct adit_key key;
    uint64_t r = next_random(f), version;
    if (!adit_sight_pick(f->sight, r, &key, &version))
        return;
    const struct adit_put_params seen = {.size = sizeof seen, .if_version = version}; /* another edit before it has been looked at again, or it is just going: none */
    const struct adit_voxel_edit e = {.x = r >> 16 & 63, .y = r >> 22 & 63, .z = r >> 28 & 63, .material = r >> 34 & 1};
    int error = adit_chunk_edit(f->arena, &key, &e, 1, &seen);
    f->edited += !error;
    f->edits_failed += error && error != -ESTALE;
    f->edits_full += error == -ENOMEM;
}

/* One of the worker processes, at random. */
static void kill_one(struct flight *f)
{
    struct adit_participant_info info;
    pid_t pids[64];
    uint32_t n = 0;
    int error = 0;
    for (uint32_t slot = 0; n < 64 && error != -ERANGE; slot++) {
        error = adit_participant_get(f->arena, slot, &info);
        if (!error && !info.gone && !strncmp(info.label, "worker of ", 10) && (pid_t)info.pid > 1 && (pid_t)info.pid != getpid())
            pids[n++] = (pid_t)info.pid;
    }
    if (n && !kill(pids[next_random(f) % n], SIGKILL))
        f->killed++;
}

static void measure(struct flight *f)
{
    struct adit_stats s = {.size = sizeof s};
    if (adit_stats(f->arena, &s))
        return;
    uint64_t bytes = 0;
    for (uint32_t i = 1; i < s.segments_n; i++)
        bytes += s.segments[i].bytes - s.segments[i].free_bytes;
    f->bytes_most = bytes > f->bytes_most ? bytes : f->bytes_most;
    f->keys_most = s.keys > f->keys_most ? s.keys : f->keys_most;
    f->keys_max = s.keys_max;
    struct adit_stream_info info = {.size = sizeof info};
    if (adit_stream_look(f->stream, &info))
        return;
    f->looks++;
    f->pressed_looks += info.pressed != 0;
    f->missing_sum += info.missing;
    double whole = info.whole < (float)f->o->radius ? (double)info.whole : (double)f->o->radius;
    f->whole_sum += whole;
    f->whole_least = f->looks == 1 || whole < f->whole_least ? whole : f->whole_least;
}

/* No room for what is missing: that will not change, since nothing leaves. */
static int is_full(const struct flight *f)
{
    struct adit_stream_info s = {.size = sizeof s};
    int error = adit_stream_look(f->stream, &s);
    return error || !s.pressed || s.under_way ? error : s.pressed == ADIT_STREAM_KEYS ? -ENOSPC : -ENOMEM;
}

/* Until all that can be seen from where the flight begins is there. */
static int load(struct flight *f)
{
    struct adit_viewer_place p;
    struct adit_progress progress = {.program = PROGRAM, .quiet = f->o->quiet};
    uint32_t bare = 1, least = UINT32_MAX;
    uint64_t begin = adit_moment_ns(), least_ns = begin;
    place_at(f, 0, &p);
    while (bare && !adit_interrupt_is_set()) {
        (void)adit_frame_wait(f->frames);
        uint32_t all = look(f, p.at, &bare);
        adit_progress_show(&progress, all - bare, all, "chunks loaded");
        uint64_t now = adit_moment_ns();
        least_ns = bare < least ? now : least_ns;
        least = bare < least ? bare : least;
        int error = now - begin > LOAD_NS ? -ETIMEDOUT : now - least_ns > FULL_NS ? is_full(f) : 0;
        if (f->o->anyway && (error == -ENOMEM || error == -ENOSPC))
            break;
        if (error) {
            adit_progress_clear();
            return error;
        }
    }
    adit_progress_clear();
    f->load_ns = adit_moment_ns() - begin;
    f->loaded = (struct adit_stream_info){.size = sizeof f->loaded};
    (void)adit_stream_look(f->stream, &f->loaded);
    look_away(f);
    f->near = f->far = (struct adit_sight_figures){0};
    return look_around(f);
}

static int fly(struct flight *f)
{
    const uint64_t all_ns = f->o->seconds * SECOND_NS;
    uint64_t edits = 0, kills = 0, measured_ns = 0;
    struct adit_progress progress = {.program = PROGRAM, .quiet = f->o->quiet};
    struct adit_viewer_place p;
    uint32_t bare;
    f->begin_ns = adit_moment_ns();
    for (uint64_t ns = 0; ns < all_ns && !adit_interrupt_is_set(); ns = adit_moment_ns() - f->begin_ns) {
        (void)adit_frame_wait(f->frames);
        place_at(f, ns, &p);
        int error = adit_viewer_move(f->viewer, &p);
        if (error)
            return error;
        (void)look(f, p.at, &bare);
        for (; edits < (uint64_t)((double)ns / (double)SECOND_NS * (double)f->o->edits); edits++)
            edit(f);
        for (; f->o->kill_ms && kills < ns / (f->o->kill_ms * 1000000); kills++)
            kill_one(f);
        if (ns - measured_ns > SECOND_NS / 4) {
            measured_ns = ns;
            measure(f);
            adit_progress_show(&progress, ns / SECOND_NS, f->o->seconds, "seconds flown");
        }
    }
    adit_progress_clear();
    return 0;
}

/* ---- before and after ---- */

static int set_out(struct flight *f)
{
    const struct fly_options *o = f->o;
    const struct adit_dispatcher_params meshing = {.size = sizeof meshing, .workers = (uint32_t)o->workers, .processes = (uint32_t)o->processes};
    struct adit_viewer_place p;
    place_at(f, 0, &p);
    int error = adit_dispatcher_open(f->arena, &meshing, &f->dispatcher);
    if (error)
        return fail("start the dispatcher", error);
    error = adit_queue_open(f->arena, "adit.mesh", NULL, &f->queue); /* the dispatcher's workers make chunks, too */
    if (error)
        return fail("open the workers' queue", error);
    error = adit_viewer_open(f->arena, &p, &f->viewer);
    if (!error)
        error = look_around(f);
    if (error)
        return fail("look around", error);
    const struct adit_stream_params stream = {.size = sizeof stream, .queue = f->queue, .y_hi = (int32_t)o->layers, .levels = (uint32_t)o->levels, .seed = o->seed};
    error = adit_stream_open(f->arena, &stream, &f->stream);
    return error ? fail("stream the world", error) : ADIT_EXIT_DONE;
}

static void note_breach(const struct adit_breach *b, void *user)
{
    struct flight *f = user;
    if (!*f->breach)
        snprintf(f->breach, sizeof f->breach, "%s, %s: %s", b->invariant, b->place, b->what);
}

static int remove_one(const struct adit_key *key, void *user)
{
    const struct flight *f = user;
    int error = adit_chunk_remove(f->arena, key, NULL);
    return error == -ENOENT ? 0 : error;
}

/* Everything is taken away; what the verifier finds then, blocks that nothing names among it, are breaches. */
static int come_home(struct flight *f)
{
    const struct adit_verify_params quiet = {.size = sizeof quiet, .flags = ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP};
    struct adit_reader *reader = NULL;
    f->streamed = (struct adit_stream_info){.size = sizeof f->streamed};
    if (f->stream)
        (void)adit_stream_look(f->stream, &f->streamed);
    adit_stream_close(&f->stream);
    int error = adit_reader_open(f->arena, &reader);
    if (!error)
        error = adit_keys_each(reader, remove_one, f);
    adit_reader_close(&reader);
    if (!error)
        error = adit_settle(f->arena, SETTLE_NS);
    if (error)
        return fail("take the world away", error);
    adit_viewer_close(&f->viewer);
    adit_queue_close(&f->queue);
    adit_dispatcher_close(&f->dispatcher);
    int n = adit_verify(f->arena, &quiet, note_breach, f);
    f->breaches = n > 0 ? (uint64_t)n : 0;
    return n < 0 ? fail("verify the arena", n) : ADIT_EXIT_DONE;
}

/* ---- what is printed ---- */

static uint64_t bare_ns(const struct adit_latency *l, double share) { return adit_latency_quantile(l, share); }

static json_t *figures(const struct flight *f, uint64_t skipped)
{
    const struct adit_sight_figures *s = &f->near;
    const struct adit_sight_figures *far = &f->far;
    json_t *o = json_object();
    adit_jsonout_set_real(o, "seconds", (double)(adit_moment_ns() - f->begin_ns) / 1e9);
    adit_jsonout_set_real(o, "load_seconds", (double)f->load_ns / 1e9);
    adit_jsonout_set_count(o, "chunks_made", f->streamed.made);
    adit_jsonout_set_count(o, "chunks_removed", f->streamed.removed);
    adit_jsonout_set_count(o, "chunks_made_in_flight", f->streamed.made - f->loaded.made);
    adit_jsonout_set_count(o, "chunks_evicted", f->streamed.evicted);
    adit_jsonout_set_count(o, "came_into_sight", s->came.count);
    adit_jsonout_set_real(o, "pressed_share", f->looks ? (double)f->pressed_looks / (double)f->looks : 0);
    adit_jsonout_set_real(o, "missing_mean", f->looks ? (double)f->missing_sum / (double)f->looks : 0);
    adit_jsonout_set_real(o, "whole_mean", f->looks ? f->whole_sum / (double)f->looks : 0);
    adit_jsonout_set_real(o, "whole_least", f->whole_least);
    adit_jsonout_set_count(o, "tasks_failed", f->streamed.failed);
    adit_jsonout_set_count(o, "tasks_cancelled", f->streamed.cancelled);
    adit_jsonout_set(o, "bare_ns", adit_latency_json(&s->came));
    adit_jsonout_set(o, "edit_to_mesh_ns", adit_latency_json(&s->edited));
    adit_jsonout_set_count(o, "bare_p999_ns", bare_ns(&s->came, 0.999));
    adit_jsonout_set_count(o, "lost", s->lost);
    adit_jsonout_set_count(o, "torn", s->torn + far->torn);
    if (f->o->levels) {
        adit_jsonout_set(o, "far_bare_ns", adit_latency_json(&far->came));
        adit_jsonout_set_count(o, "far_lost", far->lost);
    }
    adit_jsonout_set_count(o, "edits", f->edited);
    adit_jsonout_set_count(o, "edits_failed", f->edits_failed);
    adit_jsonout_set_count(o, "edits_full", f->edits_full);
    adit_jsonout_set_count(o, "killed", f->killed);
    adit_jsonout_set_count(o, "bytes_most", f->bytes_most);
    adit_jsonout_set_count(o, "keys_most", f->keys_most);
    adit_jsonout_set_count(o, "frames_skipped", skipped);
    adit_jsonout_set_count(o, "breaches", f->breaches);
    return o;
}

static void print(const struct flight *f, uint64_t skipped)
{
    const struct adit_sight_figures *s = &f->near;
    printf("loaded in %s; then %s chunks made, %s removed; %s came into sight, and were bare there for %s (p50), %s (p99), %s (p99.9); %s went out of sight bare\n", ADIT_SAY_DURATION((double)f->load_ns), ADIT_SAY_COUNT(f->streamed.made),
           ADIT_SAY_COUNT(f->streamed.removed), ADIT_SAY_COUNT(s->came.count), ADIT_SAY_DURATION((double)bare_ns(&s->came, 0.5)), ADIT_SAY_DURATION((double)bare_ns(&s->came, 0.99)),
           ADIT_SAY_DURATION((double)bare_ns(&s->came, 0.999)), ADIT_SAY_COUNT(s->lost));
    if (f->o->levels) {
        const struct adit_sight_figures *far = &f->far;
        printf("beyond, at levels 1 to %u: %s came into sight, and were bare there for %s (p50), %s (p99); %s went out of sight bare\n", (uint32_t)f->o->levels, ADIT_SAY_COUNT(far->came.count), ADIT_SAY_DURATION((double)bare_ns(&far->came, 0.5)),
               ADIT_SAY_DURATION((double)bare_ns(&far->came, 0.99)), ADIT_SAY_COUNT(far->lost));
    }
    printf("%s edits, to their meshes %s (p50), %s (p99)\n", ADIT_SAY_COUNT(f->edited), ADIT_SAY_DURATION((double)bare_ns(&s->edited, 0.5)), ADIT_SAY_DURATION((double)bare_ns(&s->edited, 0.99)));
    printf("%s of the arena in use at most, %s keys of %s; %s worker processes killed, %s tasks failed, %s frames skipped\n", ADIT_SAY_BYTES(f->bytes_most), ADIT_SAY_COUNT(f->keys_most),
           ADIT_SAY_COUNT(f->keys_max), ADIT_SAY_COUNT(f->killed), ADIT_SAY_COUNT(f->streamed.failed), ADIT_SAY_COUNT(skipped));
    if (f->pressed_looks)
        printf("short of room for %.0f %% of the flight: %.1f chunks missing on average, all there to %.1f chunks (%.1f at worst), %s removed in sight to make room\n", 100.0 * (double)f->pressed_looks / (double)f->looks,
               (double)f->missing_sum / (double)f->looks, f->whole_sum / (double)f->looks, f->whole_least, ADIT_SAY_COUNT(f->streamed.evicted));
    if (f->breaches)
        printf("%s breaches, the first: %s\n", ADIT_SAY_COUNT(f->breaches), f->breach);
}

static int run(struct flight *f)
{
    struct adit_frame_info frames = {.size = sizeof frames};
    int code = set_out(f);
    if (!code) {
        int error = load(f);
        if (!error)
            error = fly(f);
        code = error ? fail_flight(f, error) : ADIT_EXIT_DONE;
    }
    if (f->frames)
        (void)adit_frame_look(f->frames, &frames);
    int home = f->dispatcher ? come_home(f) : ADIT_EXIT_DONE;
    code = code ? code : home;
    if (!code) {
        if (f->o->json)
            code = adit_jsonout_print(PROGRAM, figures(f, frames.skipped)) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
        else
            print(f, frames.skipped);
        const struct adit_sight_figures *s = &f->near;
        if (f->breaches || s->torn || f->far.torn || f->edits_failed > (f->o->anyway ? f->edits_full : 0))
            code = ADIT_EXIT_FAILED;
    }
    look_away(f);
    return adit_interrupt_is_set() && !code ? ADIT_EXIT_INTERRUPTED : code;
}

static int fly_run(int argc, char **argv)
{
    struct fly_options o = {.seconds = 10, .speed = 20, .radius = 4, .layers = 2, .size = 512u << 20, .chunks = 4096, .edits = 50, .seed = 1};
    const struct adit_option table[] = {
        {"seconds", "N", ADIT_OPTION_COUNT, &o.seconds, 1, 86400, "of flight (default 10)"},
        {"speed", "N", ADIT_OPTION_COUNT, &o.speed, 0, 1000, "chunks a second (default 20)"},
        {"radius", "N", ADIT_OPTION_COUNT, &o.radius, 1, ADIT_SIGHT_RADIUS_MAX, "chunks that can be seen to all sides (default 4)"},
        {"layers", "N", ADIT_OPTION_COUNT, &o.layers, 1, ADIT_SIGHT_LAYERS_MAX, "chunks one above the other (default 2)"},
        {"levels", "N", ADIT_OPTION_COUNT, &o.levels, 0, LEVELS_MAX, "of detail beyond the radius, each twice as far as the one before (default 0)"},
        {"size", "BYTES", ADIT_OPTION_BYTES, &o.size, ADIT_ARENA_BYTES_MIN, ADIT_ARENA_BYTES_MAX, "of the arena's data (default 512M)"},
        {"chunks", "N", ADIT_OPTION_COUNT, &o.chunks, 64, 1 << 24, "keys the store can hold (default 4096)"},
        {"worker-processes", "N", ADIT_OPTION_COUNT, &o.processes, 0, 64, "that make and mesh chunks (default: one a CPU)"},
        {"workers", "N", ADIT_OPTION_COUNT, &o.workers, 0, ADIT_ARENA_WORKERS_MAX, "threads that do (default: none beside processes)"},
        {"edits", "N", ADIT_OPTION_COUNT, &o.edits, 0, 10000, "voxels a second, of chunks in sight (default 50)"},
        {"kill-every", "MS", ADIT_OPTION_COUNT, &o.kill_ms, 1, 3600000, "kill a worker process so often (default: never)"},
        {"seed", "N", ADIT_OPTION_COUNT, &o.seed, 1, UINT32_MAX, "of the world (default 1)"},
        {"anyway", NULL, ADIT_OPTION_FLAG, &o.anyway, 0, 0, "fly though there is no room for all that is around: what is nearest is there"},
        {"json", NULL, ADIT_OPTION_FLAG, &o.json, 0, 0, "one JSON object on stdout"},
        {"quiet", NULL, ADIT_OPTION_FLAG, &o.quiet, 0, 0, "no notes, no progress"},
    };
    const struct adit_usage usage = {PROGRAM, "[NAME]", "Flies through a world without end, in an arena of fixed size.", help_text, table, sizeof table / sizeof *table, NULL};
    char name[48];
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (argc - first > 1) {
        adit_say_error(PROGRAM, "give one NAME for the arena at most: 1 to 47 of A-Z a-z 0-9 . _ -");
        return ADIT_EXIT_BAD_INPUT;
    }
    snprintf(name, sizeof name, "%.47s", argc > first ? argv[first] : "");
    if (argc == first)
        snprintf(name, sizeof name, "fly-%ld", (long)getpid());
    uint32_t cpus = adit_topology_workers(NULL);
    o.processes = o.processes || o.workers ? o.processes : cpus > 1 ? cpus : 2;
    if (o.kill_ms && !o.processes) {
        adit_say_error(PROGRAM, "--kill-every needs worker processes; give --worker-processes");
        return ADIT_EXIT_BAD_INPUT;
    }
    const struct adit_create_params params = {.size = sizeof params, .data_bytes = o.size, .chunks_max = (uint32_t)o.chunks, .label = PROGRAM};
    struct flight f = {.o = &o, .random = o.seed};
    adit_interrupt_install();
    code = adit_arena_make(PROGRAM, argc > first ? argv[first] : name, &params, false, &f.arena);
    if (code)
        return code;
    if (!o.quiet)
        adit_arena_notes(PROGRAM, f.arena, o.size);
    code = run(&f);
    adit_viewer_close(&f.viewer);
    adit_queue_close(&f.queue);
    adit_dispatcher_close(&f.dispatcher);
    adit_detach(&f.arena);
    return code;
}

const struct adit_command adit_command_fly = {"fly", "fly through a world without end, and see what is missing", fly_run};
