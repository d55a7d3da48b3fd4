/* cmd_work.c - `adit work`: more meshing power for an arena, in a process of its own.
 *
 * Any number of them may work beside `adit serve`'s threads: each takes whatever chunk is dirty. Whoever of them is killed, its
 * chunks go to the others. `adit run` starts it too, with --tether. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/arena_open.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/moment.h"
#include "tools/options.h"
#include "tools/patience.h"
#include "tools/say.h"
#include "tools/tether.h"
#include "tools/devices.h"
#include "tools/tiers.h"

#define PROGRAM "adit work"
#define TICK_NS 100000000ull
#define SETTLE_STEP_NS 50000000ull

struct work_options {
    const struct adit_tiers *chosen;
    const char *tiers, *policy, *label;
    uint64_t workers, processes, tether;
    bool culled, json, quiet;
};

static const char help_text[] =
    "Meshes until SIGTERM or Ctrl-C, which is how it is meant to end: exit 0. Give --culled just when `adit serve` has it.\n";

struct working {
    struct adit_arena *arena;
    struct adit_dispatcher *dispatcher;
    struct adit_devices_told told;
    char line[256]; /* of what went wrong */
};

static int working_open(struct working *w, const char *name, const struct work_options *o, const struct adit_dispatcher_params *meshing)
{
    *w = (struct working){0};
    int status = adit_arena_await(name, ADIT_PRODUCER, o->label ? o->label : PROGRAM, &w->arena);
    if (status) {
        adit_arena_open_failure(name, status, w->line, sizeof w->line);
        return status;
    }
    adit_tiers_off_tell(w->arena, o->chosen);
    status = adit_dispatcher_open(w->arena, meshing, &w->dispatcher);
    if (status)
        snprintf(w->line, sizeof w->line, "cannot start the dispatcher: %s", *adit_detail() ? adit_detail() : adit_strerror(status));
    return status;
}

static void working_close(struct working *w)
{
    adit_devices_tell_lost(PROGRAM, w->dispatcher, &w->told);
    adit_dispatcher_close(&w->dispatcher);
    adit_detach(&w->arena);
}

/* How many meshes this process has made, and its worker processes. */
static uint64_t meshed(const struct working *w)
{
    struct adit_participant_info info;
    struct adit_tier_info tier;
    uint64_t by_processes = adit_devices_processes(w->dispatcher, &tier) ? tier.meshed : 0;
    for (uint32_t slot = 0;; slot++) {
        int status = adit_participant_get(w->arena, slot, &info);
        if (status == -ERANGE)
            return by_processes;
        if (!status && info.pid == (uint32_t)getpid())
            return info.meshed + by_processes;
    }
}

/* Until everything is meshed, whoever does it. 0, -EINTR, or another negative errno and a line. */
static int settle(struct working *w)
{
    struct adit_patience patience = {.full_ns = ADIT_PATIENCE_STUCK_NS}; /* what the killed held is reclaimed meanwhile */
    for (;;) {
        int status = adit_patience_settle(&patience, w->arena, SETTLE_STEP_NS, w->line, sizeof w->line);
        if (status != -EAGAIN)
            return status;
        if (adit_interrupt_is_set())
            return -EINTR;
    }
}

static int work_tethered(const char *name, const struct work_options *o, const struct adit_dispatcher_params *meshing)
{
    struct adit_tether tether;
    struct working w;
    adit_tether_join(&tether, (int)o->tether);
    int status = working_open(&w, name, o, meshing);
    if (!status)
        adit_tether_send(&tether, json_pack("{s:b}", "ready", 1));
    if (!status)
        status = adit_tether_await(&tether, "settle");
    if (!status)
        status = settle(&w);
    if (!status)
        adit_tether_send(&tether, json_pack("{s:b}", "caught_up", 1));
    if (!status)
        status = adit_tether_await(&tether, "finish");
    if (!status)
        adit_tether_send(&tether, json_pack("{s:{s:I,s:o*}}", "done", "meshed", (json_int_t)meshed(&w), "by_device", adit_devices_counts(w.dispatcher)));
    else if (status != -EPIPE)
        adit_tether_fail(&tether, *w.line ? w.line : adit_strerror(status), adit_arena_exit(status));
    working_close(&w);
    adit_tether_fini(&tether);
    return adit_arena_exit(status);
}

static int work_alone(const char *name, const struct work_options *o, const struct adit_dispatcher_params *meshing)
{
    struct working w;
    uint64_t start = adit_moment_ns();
    int status = working_open(&w, name, o, meshing);
    if (status) {
        adit_say_error(PROGRAM, "%s", w.line);
        working_close(&w);
        return adit_arena_exit(status);
    }
    if (!o->quiet)
        fprintf(o->json ? stderr : stdout, "%s: works on %s (pid %ld); end it with Ctrl-C\n", PROGRAM, name, (long)getpid());
    fflush(stdout);
    while (!adit_interrupt_is_set()) {
        adit_moment_sleep(TICK_NS);
        adit_devices_tell_lost(PROGRAM, w.dispatcher, &w.told);
    }
    uint64_t n = meshed(&w), ns = adit_moment_ns() - start;
    json_t *by_device = o->json ? adit_devices_counts(w.dispatcher) : NULL, *processes = NULL;
    struct adit_tier_info tier;
    if (o->json && adit_devices_processes(w.dispatcher, &tier))
        processes = adit_devices_processes_json(&tier);
    working_close(&w);
    if (o->json) {
        json_t *figures = json_object();
        adit_jsonout_set_text(figures, "arena", name);
        adit_jsonout_set_count(figures, "meshed", n);
        adit_jsonout_set(figures, "by_device", by_device);
        if (processes)
            adit_jsonout_set(figures, "worker_processes", processes);
        adit_jsonout_set_real(figures, "seconds", (double)ns / 1e9);
        return adit_jsonout_print(PROGRAM, figures) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
    }
    printf("%s: %s meshes made in %s\n", PROGRAM, ADIT_SAY_COUNT(n), ADIT_SAY_DURATION((double)ns));
    return ADIT_EXIT_DONE;
}

static int work_run(int argc, char **argv)
{
    struct work_options o = {0};
    const struct adit_option table[] = {
        {"workers", "N", ADIT_OPTION_COUNT, &o.workers, 1, ADIT_ARENA_WORKERS_MAX, "threads that mesh (default: one a CPU)"},
        {"worker-processes", "N", ADIT_OPTION_COUNT, &o.processes, 0, 64, "processes that mesh instead of threads, unless --workers is given (default 0)"},
        {"tiers", "LIST", ADIT_OPTION_TEXT, &o.tiers, 0, 0, ADIT_TIERS_HELP},
        {"policy", "NAME", ADIT_OPTION_TEXT, &o.policy, 0, 0, ADIT_POLICY_HELP},
        {"culled", NULL, ADIT_OPTION_FLAG, &o.culled, 0, 0, "one quad a visible face instead of merged ones"},
        {"json", NULL, ADIT_OPTION_FLAG, &o.json, 0, 0, "one JSON object on stdout at the end"},
        {"quiet", NULL, ADIT_OPTION_FLAG, &o.quiet, 0, 0, "no line at the start"},
        {"label", "TEXT", ADIT_OPTION_TEXT, &o.label, 0, 0, NULL},
        {"tether", "FD", ADIT_OPTION_COUNT, &o.tether, 3, 1023, NULL},
    };
    const struct adit_usage usage = {PROGRAM, "NAME", "Meshes what is published into the arena NAME, beside others who do.", help_text, table,
                                     sizeof table / sizeof *table, NULL};
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (argc - first != 1) {
        adit_say_error(PROGRAM, "give one NAME, that of an arena somebody serves");
        return ADIT_EXIT_BAD_INPUT;
    }
    struct adit_dispatcher_params meshing = {.size = sizeof meshing, .workers = (uint32_t)o.workers, .processes = (uint32_t)o.processes, .culled = o.culled, .policy = o.policy};
    struct adit_tiers tiers;
    const struct adit_tiers_wish wish = {.program = PROGRAM, .option = "--tiers", .list = o.tiers, .policy = o.policy, .quiet = o.quiet, .is_told = o.tether};
    if (adit_tiers_choose(&wish, &tiers) || adit_devices_check(&wish, &tiers, o.processes) || adit_devices_choose(&wish, &tiers, &meshing.devices))
        return ADIT_EXIT_BAD_INPUT;
    meshing.kernel = tiers.kernel;
    meshing.thread_ns = tiers.thread_ns;
    meshing.only_devices = !tiers.threads;
    o.chosen = &tiers;
    adit_interrupt_install();
    code = o.tether ? work_tethered(argv[first], &o, &meshing) : work_alone(argv[first], &o, &meshing);
    adit_devices_close(&meshing.devices);
    return code;
}

const struct adit_command adit_command_work = {"work", "mesh for an arena that another process serves", work_run};
