/* cmd_ls.c - `adit ls`: the arenas of this user that answer. It joins each as an observer, who takes no slot and stores
 * nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/arena_open.h"
#include "tools/columns.h"
#include "tools/command.h"
#include "tools/jsonout.h"
#include "tools/options.h"
#include "tools/say.h"

#define PROGRAM "adit ls"
#define ATTACH_NS 2000000000ull

struct listing {
    json_t *arenas;
    bool json;
    uint32_t count;
};

static char *age_text(uint64_t created_ns, char *out, size_t bytes)
{
    uint64_t now = (uint64_t)time(NULL), then = created_ns / 1000000000ull, s = now > then ? now - then : 0;
    if (s < 120)
        snprintf(out, bytes, "%llus", (unsigned long long)s);
    else if (s < 7200)
        snprintf(out, bytes, "%llum", (unsigned long long)(s / 60));
    else
        snprintf(out, bytes, "%lluh", (unsigned long long)(s / 3600));
    return out;
}

/* Bytes of data segments: all, and in use. */
static void data_bytes(const struct adit_stats *s, uint64_t *all, uint64_t *used)
{
    *all = *used = 0;
    for (uint32_t i = 1; i < s->segments_n && i < 16; i++) {
        *all += s->segments[i].bytes;
        *used += s->segments[i].bytes - s->segments[i].free_bytes;
    }
}

static const struct adit_column arenas_columns[] = {
    {"NAME", -24, "what it is called, and attached to by"},
    {"SIZE", 10, "of its data segments together"},
    {"USED", 10, "of that, the blocks that are not free"},
    {"CHUNKS", 8, "that have a version; those removed and not forgotten yet count, too"},
    {"MESHES", 8, "that are current"},
    {"DIRTY", 6, "chunks that wait for their mesh"},
    {"TASKS", 6, "that are to be done: delayed, queued, running"},
    {"PARTICIPANTS", 12, "processes that are attached and have a slot"},
    {"AGE", 6, "since it was made"},
};
static const struct adit_columns arenas = {"arenas", arenas_columns, sizeof arenas_columns / sizeof *arenas_columns};

static void tables_tell(adit_column_tell *tell) { adit_columns_tell(&arenas, tell); }

static void arena_list(struct listing *l, const char *name, const struct adit_stats *s)
{
    uint64_t all, used, tasks = s->tasks_delayed + s->tasks_queued + s->tasks_running; /* that are to be done */
    data_bytes(s, &all, &used);
    char age[24];
    if (!l->json) {
        if (!l->count)
            adit_columns_print(&arenas, stdout);
        printf("%-24s %10s %10s %8llu %8llu %6llu %6llu %12u %6s\n", name, ADIT_SAY_BYTES(all), ADIT_SAY_BYTES(used),
               (unsigned long long)s->chunks, (unsigned long long)s->meshes, (unsigned long long)s->dirty,
               (unsigned long long)tasks, s->participants, age_text(s->created_ns, age, sizeof age));
        return;
    }
    json_t *o = json_object();
    adit_jsonout_set_text(o, "name", name);
    adit_jsonout_set_count(o, "data_bytes", all);
    adit_jsonout_set_count(o, "used_bytes", used);
    adit_jsonout_set_count(o, "chunks", s->chunks);
    adit_jsonout_set_count(o, "meshes", s->meshes);
    adit_jsonout_set_count(o, "dirty", s->dirty);
    adit_jsonout_set_count(o, "tasks", tasks);
    adit_jsonout_set_count(o, "participants", s->participants);
    adit_jsonout_set_count(o, "created_ns", s->created_ns);
    json_array_append_new(l->arenas, o);
}

static int arena_look(const char *name, void *user)
{
    struct listing *l = user;
    const struct adit_attach_params params = {.size = sizeof params, .label = PROGRAM, .timeout_ns = ATTACH_NS};
    struct adit_arena *arena;
    struct adit_stats stats = {.size = sizeof stats};
    char line[512], shown[64];
    int status = adit_attach(name, ADIT_OBSERVER, &params, &arena);
    if (status == -ENOENT)
        return 0; /* it has gone meanwhile */
    if (status) {
        adit_say_note(PROGRAM, "%s", adit_arena_open_failure(name, status, line, sizeof line));
        return 0;
    }
    status = adit_stats(arena, &stats);
    adit_detach(&arena);
    adit_say_printable(shown, sizeof shown, name, strlen(name));
    if (status)
        adit_say_note(PROGRAM, "%s: cannot be looked at: %s", shown, adit_strerror(status));
    else
        arena_list(l, shown, &stats);
    l->count += !status;
    return 0;
}

static int ls_run(int argc, char **argv)
{
    struct listing l = {0};
    const struct adit_option table[] = {
        {"json", NULL, ADIT_OPTION_FLAG, &l.json, 0, 0, "one JSON object on stdout"},
    };
    const struct adit_usage usage = {PROGRAM, "", "Lists this user's arenas.", NULL, table, 1, tables_tell};
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (argc > first) {
        adit_say_error(PROGRAM, "takes no operands; `adit dump NAME` shows one arena");
        return ADIT_EXIT_BAD_INPUT;
    }
    l.arenas = json_array();
    int status = adit_arenas_each(arena_look, &l);
    if (status < 0) {
        adit_say_error(PROGRAM, "cannot look for arenas: %s", *adit_detail() ? adit_detail() : adit_strerror(status));
        json_decref(l.arenas);
        return adit_arena_exit(status);
    }
    if (l.json) {
        json_t *o = json_object();
        adit_jsonout_set(o, "arenas", l.arenas);
        return adit_jsonout_print(PROGRAM, o) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
    }
    json_decref(l.arenas);
    if (!l.count)
        printf("no arenas; `adit serve NAME` makes one\n");
    return ADIT_EXIT_DONE;
}

const struct adit_command adit_command_ls = {"ls", "list this user's arenas", ls_run};
