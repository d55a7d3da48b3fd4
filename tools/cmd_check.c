/* cmd_check.c - `adit check`: does an arena, live or in an image, keep its invariants? It looks as an observer, who takes no
 * slot and stores nothing. */
#include <stdio.h>
#include <string.h>

#include "tools/arena_open.h"
#include "tools/command.h"
#include "tools/jsonout.h"
#include "tools/moment.h"
#include "tools/options.h"
#include "tools/roll.h"
#include "tools/say.h"

#define PROGRAM "adit check"

struct check {
    struct adit_arena *arena;
    const char *name; /* printable */
    json_t *breaches; /* NULL: text */
    struct adit_verify_counts counts;
    struct adit_roll roll;
    bool json, deep, quiet, is_image;
};

static void breach_print(const struct adit_breach *breach, void *user)
{
    struct check *c = user;
    char place[128], what[256];
    adit_say_printable(place, sizeof place, breach->place, strlen(breach->place));
    adit_say_printable(what, sizeof what, breach->what, strlen(breach->what));
    if (!c->json) {
        printf("%-4s %s: %s\n", breach->invariant, place, what);
        return;
    }
    json_t *o = json_object();
    adit_jsonout_set_text(o, "invariant", breach->invariant);
    adit_jsonout_set_text(o, "place", place);
    adit_jsonout_set_text(o, "what", what);
    json_array_append_new(c->breaches, o);
}

static void summary_print(const struct check *c, int breaches, double seconds)
{
    const struct adit_verify_counts *n = &c->counts;
    char found[48] = "no breach", keeper[128];
    if (breaches)
        snprintf(found, sizeof found, "%d breach%s", breaches, breaches > 1 ? "es" : "");
    adit_roll_print(&c->roll, c->name);
    printf("%s: %s; %llu keys, %llu versions, %llu meshes, %llu blocks (%s, %s free), %llu rings, %llu tasks, %llu participants, %llu pins%s%s, "
           "%s, in %s\n", c->name, found, (unsigned long long)n->keys,
           (unsigned long long)n->versions, (unsigned long long)n->meshes, (unsigned long long)n->blocks,
           ADIT_SAY_BYTES(n->block_bytes), ADIT_SAY_BYTES(n->free_bytes), (unsigned long long)n->rings, (unsigned long long)n->tasks,
           (unsigned long long)n->participants, (unsigned long long)n->pins, c->deep ? ", hashed " : "",
           c->deep ? ADIT_SAY_BYTES(n->hashed_bytes) : "",
           adit_roll_keeper(&c->roll, keeper, sizeof keeper), ADIT_SAY_DURATION(seconds * 1e9));
}

static json_t *summary_json(const struct check *c, int breaches, double seconds)
{
    const struct adit_verify_counts *n = &c->counts;
    json_t *o = json_object();
    adit_jsonout_set_text(o, c->is_image ? "image" : "arena", c->name);
    adit_jsonout_set(o, "clean", json_boolean(!breaches));
    adit_jsonout_set_count(o, "breaches", (uint64_t)breaches);
    adit_jsonout_set(o, "deep", json_boolean(c->deep));
    adit_jsonout_set(o, "quiet_arena", json_boolean(c->quiet));
    adit_jsonout_set(o, "moving", json_boolean(c->is_image && *adit_notes(c->arena)));
    adit_jsonout_set_count(o, "keys", n->keys);
    adit_jsonout_set_count(o, "versions", n->versions);
    adit_jsonout_set_count(o, "meshes", n->meshes);
    adit_jsonout_set_count(o, "blocks", n->blocks);
    adit_jsonout_set_count(o, "block_bytes", n->block_bytes);
    adit_jsonout_set_count(o, "free_bytes", n->free_bytes);
    adit_jsonout_set_count(o, "rings", n->rings);
    adit_jsonout_set_count(o, "tasks", n->tasks);
    adit_jsonout_set_count(o, "participants", n->participants);
    adit_jsonout_set_count(o, "readers", n->readers);
    adit_jsonout_set_count(o, "pins", n->pins);
    adit_jsonout_set_count(o, "hashed_bytes", n->hashed_bytes);
    adit_roll_json(&c->roll, o);
    adit_jsonout_set_real(o, "seconds", seconds);
    adit_jsonout_set(o, "breach_list", json_incref(c->breaches));
    return o;
}

static int check_all(struct check *c)
{
    const struct adit_verify_params params = {
        .size = sizeof params, .counts = &c->counts, .looks = c->is_image ? 1 : 0,
        .flags = (c->deep ? ADIT_VERIFY_DEEP : 0u) | (c->quiet ? ADIT_VERIFY_QUIET : 0u)};
    uint64_t begin = adit_moment_ns();
    c->breaches = json_array();
    int n = adit_verify(c->arena, &params, breach_print, c);
    double seconds = (double)(adit_moment_ns() - begin) / 1e9;
    adit_roll_call(c->arena, !c->is_image, &c->roll);
    if (c->is_image && *adit_notes(c->arena))
        adit_say_note(PROGRAM, "%s", adit_notes(c->arena));
    if (n < 0) {
        adit_say_error(PROGRAM, "%s: %s", c->name, adit_detail());
        return ADIT_EXIT_FAILED;
    }
    if (!c->json)
        summary_print(c, n, seconds);
    else if (!adit_jsonout_print(PROGRAM, summary_json(c, n, seconds)))
        return ADIT_EXIT_FAILED;
    return n ? ADIT_EXIT_FAILED : ADIT_EXIT_DONE;
}

static int check_run(int argc, char **argv)
{
    struct check c = {0};
    const struct adit_option table[] = {
        {"deep", NULL, ADIT_OPTION_FLAG, &c.deep, 0, 0, "also compare contents with their hashes"},
        {"json", NULL, ADIT_OPTION_FLAG, &c.json, 0, 0, "one JSON object on stdout"},
        {"quiet-arena", NULL, ADIT_OPTION_FLAG, &c.quiet, 0, 0,
         "nobody works on it: leaks, unfinished work and the unrecovered dead are breaches, too"},
    };
    const struct adit_usage usage = {
        PROGRAM, "NAME|FILE", "Verifies the invariants of an arena, live or in an image.",
        "FILE is what `adit dump NAME --image FILE` wrote. Exit 0: no breach; 1: breaches, one a line with invariant, place and\n"
        "what is wrong; 2: no such arena or image. An arena at work is looked at several times: what is about to change is no\n"
        "breach.\n", table, sizeof table / sizeof *table, NULL};
    char name[128];
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (argc - first != 1) {
        adit_say_error(PROGRAM, "give one arena's NAME or one image's FILE; `adit ls` lists arenas");
        return ADIT_EXIT_BAD_INPUT;
    }
    c.name = adit_say_printable(name, sizeof name, argv[first], strlen(argv[first]));
    code = adit_arena_look(PROGRAM, argv[first], &c.arena, &c.is_image);
    if (!code)
        code = check_all(&c);
    json_decref(c.breaches);
    adit_detach(&c.arena);
    return code;
}

const struct adit_command adit_command_check = {"check", "verify an arena's invariants, live or in an image", check_run};
