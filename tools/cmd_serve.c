/* cmd_serve.c - `adit serve`: makes an arena, hands it out, and meshes what producers publish, until it is told to end.
 *
 * Ctrl-C and SIGTERM are how a service is ended: exit code 0. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/arena_open.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/moment.h"
#include "tools/options.h"
#include "tools/placing.h"
#include "tools/say.h"
#include "tools/devices.h"
#include "tools/tiers.h"

#define PROGRAM "adit serve"
#define TICK_NS 100000000ull
#define IDLE_TICK_NS 10000000ull /* with --until-idle, to see also those who stay shortly */

struct serve_options {
    const char *tiers, *policy, *guest_socket;
    uint64_t size, workers, processes, chunks, materials, participants, guests;
    const char *placement;
    bool until_idle, culled, tt_none, ao, seal, huge_1g, strict_nodes, json, quiet;
};

static const char help_text[] =
    "Prints one line when the arena can be attached to, then serves until SIGTERM or Ctrl-C, or with --until-idle until\n"
    "somebody came and all have left again and all is meshed. Participants that are attached at the end keep what they\n"
    "have mapped; the memory goes when the last of them does.\n"
    "Guests read chunks and meshes in place and can write nothing but a page each. `adit watch PATH` and `adit dump PATH`\n"
    "come as guests; who may reach PATH may be one.\n";

/* Whether everybody else has left, after at least one had come: was seen, or has left something. */
static bool is_idle(struct adit_arena *arena, bool *came)
{
    struct adit_stats stats = {.size = sizeof stats};
    if (adit_stats(arena, &stats))
        return false;
    *came |= stats.participants > 1 || stats.chunks;
    return *came && stats.participants <= 1 && !stats.dirty && !stats.in_work;
}

static json_t *figures(struct adit_arena *arena, const char *name, const struct adit_stats *s, const struct adit_dispatcher *dispatcher, uint64_t ns)
{
    struct adit_tier_info processes;
    json_t *o = json_object();
    adit_jsonout_set_text(o, "arena", name);
    adit_jsonout_set_count(o, "chunks", s->chunks);
    adit_jsonout_set_count(o, "voxels", s->voxels);
    adit_jsonout_set_count(o, "visible_faces", s->faces);
    adit_jsonout_set_count(o, "quads", s->quads);
    adit_jsonout_set_count(o, "bytes", s->version_bytes + s->mesh_bytes);
    adit_jsonout_set_count(o, "unmeshed", s->dirty + s->in_work);
    adit_jsonout_set(o, "by_device", adit_devices_counts(dispatcher));
    if (adit_devices_processes(dispatcher, &processes))
        adit_jsonout_set(o, "worker_processes", adit_devices_processes_json(&processes));
    adit_jsonout_set(o, "nodes", adit_placing_json(arena, dispatcher));
    adit_jsonout_set_count(o, "participants_left", s->participants ? s->participants - 1 : 0);
    adit_jsonout_set_real(o, "seconds", (double)ns / 1e9);
    return o;
}

static int serve(struct adit_arena *arena, const struct adit_dispatcher *dispatcher, const char *name, const struct serve_options *o)
{
    uint64_t start = adit_moment_ns();
    struct adit_devices_told told = {0};
    bool came = false;
    fprintf(o->json ? stderr : stdout, "%s: %s is ready (pid %ld); end it with Ctrl-C\n", PROGRAM, name, (long)getpid());
    fflush(stdout);
    while (!adit_interrupt_is_set() && !(o->until_idle && is_idle(arena, &came))) {
        adit_moment_sleep(o->until_idle ? IDLE_TICK_NS : TICK_NS);
        adit_devices_tell_lost(PROGRAM, dispatcher, &told);
    }
    struct adit_stats stats = {.size = sizeof stats};
    int status = adit_stats(arena, &stats);
    if (status) {
        adit_say_error(PROGRAM, "%s: cannot be looked at: %s", name, adit_strerror(status));
        return ADIT_EXIT_FAILED;
    }
    if (o->json)
        return adit_jsonout_print(PROGRAM, figures(arena, name, &stats, dispatcher, adit_moment_ns() - start)) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
    printf("%s: %s ends after %s with %s chunks, %s quads, %u other participants\n", PROGRAM, name,
           ADIT_SAY_DURATION((double)(adit_moment_ns() - start)), ADIT_SAY_COUNT(stats.chunks),
           ADIT_SAY_COUNT(stats.quads), stats.participants ? stats.participants - 1 : 0);
    return ADIT_EXIT_DONE;
}

/* The guests' socket as the library takes it: the whole path, so that whoever is the last to leave finds it. 0, or the exit code. */
static int socket_path(const struct serve_options *o, char *whole, size_t bytes)
{
    char given[PATH_MAX], copy[PATH_MAX], shown[80];
    *whole = 0;
    if (!o->guest_socket)
        return 0;
    adit_say_printable(shown, sizeof shown, o->guest_socket, strlen(o->guest_socket));
    if (!o->guests) {
        adit_say_error(PROGRAM, "--guest-socket %s without guests; say how many may come with --guests", shown);
        return ADIT_EXIT_BAD_INPUT;
    }
    if (strlen(o->guest_socket) >= sizeof copy || !*o->guest_socket || o->guest_socket[strlen(o->guest_socket) - 1] == '/') {
        adit_say_error(PROGRAM, "--guest-socket '%s' names no file; give a path like /tmp/cave.guests", shown);
        return ADIT_EXIT_BAD_INPUT;
    }
    snprintf(copy, sizeof copy, "%s", o->guest_socket);
    if (!realpath(dirname(copy), given)) {
        adit_say_error(PROGRAM, "--guest-socket %s: its folder cannot be used: %s", shown, strerror(errno));
        return ADIT_EXIT_BAD_INPUT;
    }
    const char *file = strrchr(o->guest_socket, '/') ? strrchr(o->guest_socket, '/') + 1 : o->guest_socket;
    if ((size_t)snprintf(whole, bytes, "%s%s%s", given, given[1] ? "/" : "", file) < bytes)
        return 0;
    adit_say_error(PROGRAM, "--guest-socket %s: the whole path is longer than 103 characters; choose a shorter one", shown);
    return ADIT_EXIT_BAD_INPUT;
}

static int serve_run(int argc, char **argv)
{
    char path[104];
    struct serve_options o = {0};
    const struct adit_option table[] = {
        {"size", "BYTES", ADIT_OPTION_BYTES, &o.size, ADIT_ARENA_BYTES_MIN, ADIT_ARENA_BYTES_MAX, "of the arena's data, like 512M (default 256M)"},
        {"chunks", "N", ADIT_OPTION_COUNT, &o.chunks, 1, 1 << 24, "keys the store can hold (default 16384)"},
        {"materials", "N", ADIT_OPTION_COUNT, &o.materials, 2, ADIT_MATERIALS, "ids that can be named (default 4096)"},
        {"participants", "N", ADIT_OPTION_COUNT, &o.participants, 1, 1024, "processes at once (default 64)"},
        {"guests", "N", ADIT_OPTION_COUNT, &o.guests, 1, 64, "consumers at once that are not trusted (default none)"},
        {"guest-socket", "PATH", ADIT_OPTION_TEXT, &o.guest_socket, 0, 0, "where guests of any user come in (default: of yours, by NAME)"},
        {"workers", "N", ADIT_OPTION_COUNT, &o.workers, 1, ADIT_ARENA_WORKERS_MAX, "threads that mesh (default: one a CPU)"},
        {"worker-processes", "N", ADIT_OPTION_COUNT, &o.processes, 0, 64, "processes that mesh instead of threads, unless --workers is given (default 0)"},
        {"tiers", "LIST", ADIT_OPTION_TEXT, &o.tiers, 0, 0, ADIT_TIERS_HELP},
        {"policy", "NAME", ADIT_OPTION_TEXT, &o.policy, 0, 0, ADIT_POLICY_HELP},
        {"culled", NULL, ADIT_OPTION_FLAG, &o.culled, 0, 0, "one quad a visible face instead of merged ones"},
        {"tt-none", NULL, ADIT_OPTION_FLAG, &o.tt_none, 0, 0, "no faces between different translucent materials"},
        {"ao", NULL, ADIT_OPTION_FLAG, &o.ao, 0, 0, "ambient occlusion of each corner of a quad"},
        {"seal-writers", NULL, ADIT_OPTION_FLAG, &o.seal, 0, 0, "no producers but this process"},
        {"huge-1g", NULL, ADIT_OPTION_FLAG, &o.huge_1g, 0, 0, "pages of 1 GiB instead of 2 MiB"},
        {"placement", ADIT_PLACING_ARGUMENT, ADIT_OPTION_TEXT, &o.placement, 0, 0, ADIT_PLACING_HELP},
        {"strict-nodes", NULL, ADIT_OPTION_FLAG, &o.strict_nodes, 0, 0, "a chunk for which its node has no room is refused, instead of going to the next"},
        {"until-idle", NULL, ADIT_OPTION_FLAG, &o.until_idle, 0, 0, "end when all others have come and gone"},
        {"json", NULL, ADIT_OPTION_FLAG, &o.json, 0, 0, "one JSON object on stdout at the end"},
        {"quiet", NULL, ADIT_OPTION_FLAG, &o.quiet, 0, 0, "no notes on the machine"},
    };
    const struct adit_usage usage = {PROGRAM, "NAME", "Makes the arena NAME, serves it, and meshes what is published.",
                                     help_text, table, sizeof table / sizeof *table, NULL};
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (argc - first != 1) {
        adit_say_error(PROGRAM, "give one NAME for the arena: 1 to 47 of A-Z a-z 0-9 . _ -");
        return ADIT_EXIT_BAD_INPUT;
    }
    enum adit_placement placement;
    code = socket_path(&o, path, sizeof path);
    if (code)
        return code;
    if (adit_placing_choose(PROGRAM, o.placement, &placement))
        return ADIT_EXIT_BAD_INPUT;
    const struct adit_create_params params = {
        .size = sizeof params,
        .data_bytes = o.size,
        .chunks_max = (uint32_t)o.chunks,
        .materials_max = (uint32_t)o.materials,
        .participants_max = (uint32_t)o.participants,
        .flags = (o.seal ? ADIT_CREATE_SEAL_WRITERS : 0) | (o.tt_none ? ADIT_CREATE_TT_NONE : 0) |
                 (o.ao ? ADIT_CREATE_AO : 0) | (o.huge_1g ? ADIT_CREATE_HUGE_1G : 0) | (o.strict_nodes ? ADIT_CREATE_STRICT_NODES : 0),
        .placement = placement,
        .label = PROGRAM,
        .guests_max = (uint32_t)o.guests,
        .guest_path = *path ? path : NULL,
    };
    struct adit_dispatcher_params meshing = {.size = sizeof meshing, .workers = (uint32_t)o.workers, .processes = (uint32_t)o.processes, .culled = o.culled, .policy = o.policy};
    struct adit_tiers tiers;
    const struct adit_tiers_wish wish = {.program = PROGRAM, .option = "--tiers", .list = o.tiers, .policy = o.policy, .measures = true, .quiet = o.quiet};
    if (adit_tiers_choose(&wish, &tiers) || adit_devices_check(&wish, &tiers, o.processes) || adit_devices_choose(&wish, &tiers, &meshing.devices))
        return ADIT_EXIT_BAD_INPUT;
    meshing.kernel = tiers.kernel;
    meshing.thread_ns = tiers.thread_ns;
    meshing.only_devices = !tiers.threads;
    adit_interrupt_install();
    struct adit_arena *arena;
    code = adit_arena_make(PROGRAM, argv[first], &params, false, &arena);
    if (code) {
        adit_devices_close(&meshing.devices);
        return code;
    }
    if (!o.quiet)
        adit_arena_notes(PROGRAM, arena, o.size);
    adit_tiers_off_tell(arena, &tiers);
    struct adit_dispatcher *dispatcher = NULL;
    int status = adit_dispatcher_open(arena, &meshing, &dispatcher);
    if (status)
        adit_say_error(PROGRAM, "cannot start the dispatcher: %s", *adit_detail() ? adit_detail() : adit_strerror(status));
    code = status ? ADIT_EXIT_FAILED : serve(arena, dispatcher, argv[first], &o);
    adit_dispatcher_close(&dispatcher);
    adit_devices_close(&meshing.devices);
    adit_detach(&arena);
    return code;
}

const struct adit_command adit_command_serve = {"serve", "make an arena, serve it, mesh what is published", serve_run};
