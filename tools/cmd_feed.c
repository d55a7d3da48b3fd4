/* cmd_feed.c - `adit feed`: a producer process that publishes worlds into an arena somebody serves.
 *
 * `adit run` starts it too, with --tether: then it waits for the word to begin, and reports to run instead of people. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/arena_open.h"
#include "tools/command.h"
#include "tools/damage.h"
#include "tools/feeder.h"
#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/moment.h"
#include "tools/options.h"
#include "tools/say.h"
#include "tools/tether.h"

#define PROGRAM "adit feed"

struct feed_options {
    const char *part, *classes, *generate, *label;
    uint64_t edits, edits_per_s, seed, world, tether, behind_ms;
    bool json, quiet;
};

static const char help_text[] =
    "WORLD is terrain, noise50 or checker, each with [:SEED][:XxYxZ] (in chunks of 64 voxels a side, 65536 at most),\n"
    "FILE.vox (MagicaVoxel), FILE.mca (Minecraft region), or FILE.raw:X,Y,Z[:u16].\n"
    "The first WORLD gets the world number of --world in its keys, the next one more, and so on. What the arena holds\n"
    "in a world's box is replaced; chunks without a voxel are not published but, if they were there, removed.\n"
    "--generate is of built-in worlds, whoever makes them: the voxels are the same. Files are read by the CPU. What a\n"
    "device fails to make, the CPU makes.\n"
    "With --part 1/4 only every fourth chunk is published, beginning with the first: four producers share a world so.\n";

/* "I/N", I from 1. */
static bool part_parse(const char *text, uint32_t *part, uint32_t *parts)
{
    char left[16];
    uint64_t i, n;
    const char *slash = strchr(text, '/');
    if (!slash || slash == text || (size_t)(slash - text) >= sizeof left)
        return false;
    memcpy(left, text, (size_t)(slash - text));
    left[slash - text] = 0;
    if (adit_options_number(left, false, &i) || adit_options_number(slash + 1, false, &n) || i < 1 || i > n || n > 65536)
        return false;
    *part = (uint32_t)i - 1;
    *parts = (uint32_t)n;
    return true;
}

/* A full store was made too small for the worlds given: bad input, as a full arena is; and so is a device that is not there. */
static int exit_of(int status)
{
    return status == -ENOSPC || status == -ENODEV ? ADIT_EXIT_BAD_INPUT : adit_arena_exit(status);
}

static json_t *figures(const struct adit_feeder *feeder, uint64_t ns)
{
    json_t *o = json_object();
    adit_jsonout_set_count(o, "chunks", feeder->chunks);
    adit_jsonout_set_count(o, "voxels", feeder->voxels);
    adit_jsonout_set_count(o, "edits", feeder->edits);
    adit_jsonout_set_count(o, "removed", feeder->removed);
    adit_jsonout_set(o, "generated", adit_feeder_generated(feeder));
    adit_jsonout_set_real(o, "seconds", (double)ns / 1e9);
    return o;
}

/* Under run: errors and figures go over the tether, and run prints them. */
static int feed_tethered(const char *name, const struct adit_feeder_params *params, const struct feed_options *o)
{
    struct adit_tether tether;
    adit_tether_join(&tether, (int)o->tether);
    struct adit_arena *arena = NULL;
    struct adit_feeder *feeder = NULL;
    const struct adit_attach_params attach = {.size = sizeof attach, .label = o->label};
    char line[ADIT_FEEDER_LINE_BYTES] = "";
    int status = adit_attach(name, ADIT_PRODUCER, &attach, &arena);
    if (status)
        adit_arena_open_failure(name, status, line, sizeof line);
    if (!status)
        status = adit_feeder_open(arena, params, &feeder);
    if (!status)
        adit_tether_send(&tether, json_pack("{s:b}", "ready", 1));
    if (!status)
        status = adit_tether_await(&tether, "go");
    uint64_t start = adit_moment_ns();
    if (!status)
        status = adit_feeder_publish(feeder);
    if (!status)
        status = adit_feeder_edit(feeder);
    if (!status)
        adit_tether_send(&tether, json_pack("{s:o}", "done", figures(feeder, adit_moment_ns() - start)));
    else if (status != -EPIPE)
        adit_tether_fail(&tether, feeder && *feeder->error ? feeder->error : *line ? line : strerror(-status),
                         exit_of(status));
    if (feeder && !status && params->part == 0)
        adit_feeder_notes(feeder, "adit run");
    adit_feeder_close(&feeder);
    adit_detach(&arena);
    adit_tether_fini(&tether);
    return exit_of(status);
}

static int feed_alone(const char *name, const struct adit_feeder_params *params, const struct feed_options *o)
{
    struct adit_arena *arena;
    int refused = adit_arena_open(PROGRAM, name, ADIT_PRODUCER, PROGRAM, &arena);
    if (refused)
        return refused;
    struct adit_feeder *feeder;
    int status = adit_feeder_open(arena, params, &feeder);
    for (uint32_t i = 0; !status && i < params->specs_count; i++)
        adit_feeder_world_notes(feeder->world[i], PROGRAM);
    uint64_t start = adit_moment_ns();
    if (!status)
        status = adit_feeder_publish(feeder);
    if (!status)
        status = adit_feeder_edit(feeder);
    uint64_t ns = adit_moment_ns() - start;
    adit_progress_clear();
    if (feeder && !status)
        adit_feeder_notes(feeder, PROGRAM);
    int code = exit_of(status);
    if (status == -EINTR)
        adit_say_error(PROGRAM, "interrupted; %llu chunks are published and stay", (unsigned long long)feeder->chunks);
    else if (status)
        adit_say_error(PROGRAM, "%s", feeder && *feeder->error ? feeder->error : strerror(-status));
    else if (o->json)
        code = adit_jsonout_print(PROGRAM, figures(feeder, ns)) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
    else
        printf("%s: %s chunks, %s voxels, %s edits published into %s in %s\n", PROGRAM, ADIT_SAY_COUNT(feeder->chunks),
               ADIT_SAY_COUNT(feeder->voxels), ADIT_SAY_COUNT(feeder->edits), name, ADIT_SAY_DURATION((double)ns));
    for (uint32_t i = 0; i < params->specs_count && code == ADIT_EXIT_DONE; i++) {
        const struct adit_damage damage = adit_damage_of(feeder->world[i]);
        code = adit_damage_exit(PROGRAM, feeder->world[i]->spec, &damage);
    }
    adit_feeder_close(&feeder);
    adit_detach(&arena);
    return code;
}

static int feed_run(int argc, char **argv)
{
    struct feed_options o = {.seed = 1};
    const struct adit_option table[] = {
        {"part", "I/N", ADIT_OPTION_TEXT, &o.part, 0, 0, "publish only the I-th of N shares of the chunks"},
        {"classes", "default|opaque", ADIT_OPTION_TEXT, &o.classes, 0, 0, "opaque: treat every material as opaque"},
        {"generate", "WHO", ADIT_OPTION_TEXT, &o.generate, 0, 0, ADIT_GENERATE_HELP},
        {"edits", "N", ADIT_OPTION_COUNT, &o.edits, 0, UINT32_MAX, "then make N batches of voxel edits"},
        {"edits-per-s", "N", ADIT_OPTION_COUNT, &o.edits_per_s, 1, 1000000, "at this pace (default: as fast as it goes)"},
        {"max-behind", "MS", ADIT_OPTION_COUNT, &o.behind_ms, 1, 3600000, "hold back while meshing is further behind than that; exit 1 where none is meshed for 10 s"},
        {"seed", "S", ADIT_OPTION_COUNT, &o.seed, 0, UINT64_MAX, "of the edits (default 1)"},
        {"world", "N", ADIT_OPTION_COUNT, &o.world, 0, ADIT_FEEDER_WORLDS_MAX - 1, "number of the first WORLD in keys (default 0)"},
        {"json", NULL, ADIT_OPTION_FLAG, &o.json, 0, 0, "one JSON object on stdout"},
        {"quiet", NULL, ADIT_OPTION_FLAG, &o.quiet, 0, 0, "no progress"},
        {"label", "TEXT", ADIT_OPTION_TEXT, &o.label, 0, 0, NULL},
        {"tether", "FD", ADIT_OPTION_COUNT, &o.tether, 3, 1023, NULL},
    };
    const struct adit_usage usage = {PROGRAM, "NAME WORLD...", "Publishes worlds into the arena NAME.", help_text, table,
                                     sizeof table / sizeof *table, NULL};
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (argc - first < 2) {
        adit_say_error(PROGRAM, "give the arena's NAME and at least one WORLD; see `%s --help`", PROGRAM);
        return ADIT_EXIT_BAD_INPUT;
    }
    struct adit_progress progress = {.program = PROGRAM, .quiet = o.quiet};
    struct adit_feeder_params params = {.specs = argv + first + 1,
                                        .specs_count = (uint32_t)(argc - first - 1),
                                        .first_world = (uint32_t)o.world,
                                        .parts = 1,
                                        .clears = !o.tether,
                                        .edits = o.edits,
                                        .edits_per_s = o.edits_per_s,
                                        .behind_max_ns = o.behind_ms * 1000000,
                                        .seed = o.seed,
                                        .generate = {.program = o.tether ? "adit run" : PROGRAM, .text = o.generate},
                                        .progress = o.tether ? NULL : &progress};
    if (params.first_world + params.specs_count > ADIT_FEEDER_WORLDS_MAX) {
        adit_say_error(PROGRAM, "world numbers end at %u; give fewer worlds or a lower --world", ADIT_FEEDER_WORLDS_MAX - 1);
        return ADIT_EXIT_BAD_INPUT;
    }
    if (o.part && !part_parse(o.part, &params.part, &params.parts)) {
        adit_say_error(PROGRAM, "--part: not I/N with I from 1 to N; the first half is 1/2");
        return ADIT_EXIT_BAD_INPUT;
    }
    char line[ADIT_FEEDER_LINE_BYTES];
    if (adit_generate_wish_check(o.generate, line, sizeof line)) {
        adit_say_error(PROGRAM, "%s", line);
        return ADIT_EXIT_BAD_INPUT;
    }
    code = adit_arena_classes(PROGRAM, o.classes, &params.opaque);
    if (code)
        return code;
    adit_interrupt_install();
    return o.tether ? feed_tethered(argv[first], &params, &o) : feed_alone(argv[first], &params, &o);
}

const struct adit_command adit_command_feed = {"feed", "publish worlds into an arena", feed_run};
