/* cmd_tiers.c - `adit tiers`: what can mesh and generate here, and what each costs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/arena_open.h"
#include "tools/columns.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/options.h"
#include "tools/say.h"
#include "tools/tier_chunks.h"
#include "tools/tier_json.h"
#include "tools/tier_table.h"

#define PROGRAM "adit tiers"
#define COLUMNS 100u
#define INDENT 13u

static const char help_text[] =
    "A tier is inline (the best kernel, called where one is), a kernel (scalar, avx2, avx512), the worker threads or worker processes of a NUMA\n"
    "node, or a Vulkan device. n chunks of one size that are submitted together cost FIXED + n x EACH; CHUNKS/S is with many together, P50 and P99\n"
    "of one chunk alone, CPU ENERGY what all packages of the host say they used for a chunk: not a GPU. A tier that gives wrong bytes in its self-test is switched off.\n"
    "\n"
    "Measured once (some seconds, all CPUs busy) and kept in $XDG_CACHE_HOME/adit, else ~/.cache/adit, until machine, drivers, ADIT_DISABLE or\n"
    "this program change. ADIT_DISABLE=vulkan,avx512 takes tiers away, import what devices read themselves; VK_DRIVER_FILES says which drivers there are.\n";

static const struct adit_column tiers_columns[] = {
    {"TIER", -((int)INDENT - 1), "what meshes or generates; beside it what that is, below it a line for each work and size that was measured"},
    {"WORK", -8, "mesh; the same of a device that fetches chunks itself; or a world that is generated"},
    {"SIZE", -8, "the class of a version's size, by which it is routed: what was measured of it stands below the table"},
    {"FIXED", 10, "what a batch costs, however small it is"},
    {"+ n x EACH", 10, "what each of its n chunks adds to that"},
    {"CHUNKS/S", 11, "at the most that goes into a batch"},
    {"P50", 10, "time of one chunk, half of them take less"},
    {"P99", 10, "time of one chunk, 99 of 100 take less"},
    {"CPU ENERGY", 10, "of a chunk, by all processors of the host together; where the kernel lets it be read"},
};
static const struct adit_columns listed = {"tiers", tiers_columns, sizeof tiers_columns / sizeof *tiers_columns};

static void tables_tell(adit_column_tell *tell) { adit_columns_tell(&listed, tell); }

/* text in lines of COLUMNS, broken at spaces; the first begins at column INDENT, where the cursor is, and so do the others. */
static void wrapped_print(const char *text)
{
    const size_t room = COLUMNS - INDENT;
    while (strlen(text) > room) {
        size_t n = room;
        while (n > room / 2 && text[n] != ' ')
            n--;
        n = text[n] == ' ' ? n : room;
        printf("%.*s\n%*s", (int)n, text, (int)INDENT, "");
        text += n + (text[n] == ' ');
    }
    printf("%s\n", text);
}

static void cell_print(const char *kind, const char *size, const struct adit_tier_cell *c)
{
    char energy[24] = "";
    if (c->has_energy)
        snprintf(energy, sizeof energy, " %7.4g uJ", c->energy_uj);
    printf("%*s%-8s %-8s %10s %10s %11s %10s %10s%s\n", (int)INDENT, "", kind, size, c->cost.fixed_ns > 0 ? ADIT_SAY_DURATION(c->cost.fixed_ns) : "0",
           ADIT_SAY_DURATION(c->cost.each_ns), ADIT_SAY_COUNT((uint64_t)c->chunks_per_s), ADIT_SAY_DURATION(c->p50_ns), ADIT_SAY_DURATION(c->p99_ns), energy);
}

static void tier_print(const struct adit_tier *t)
{
    static const char *const states[ADIT_TIER_STATES] = {"", "; switched off: ", "; failed when it was measured: ", "; absent: "};
    char line[768], shown[768], where[128] = "", node[24] = "";
    if (t->node >= 0)
        snprintf(node, sizeof node, ", node %d", t->node);
    if (*t->device.uuid)
        snprintf(where, sizeof where, "%s%s%s, %s own memory%s, %s", *t->device.pci ? ", " : "", t->device.pci, node, ADIT_SAY_BYTES(t->device.local_bytes),
                 t->device.is_unified ? " (the host's)" : "", t->device.imports ? "imports" : "no imports");
    snprintf(line, sizeof line, "%s%s%s%s", t->long_name, where, states[t->state], t->why);
    printf("%-*s", (int)INDENT, t->name);
    wrapped_print(adit_say_printable(shown, sizeof shown, line, strlen(line)));
    for (uint32_t kind = 0; kind < ADIT_COST_KINDS; kind++)
        for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++)
            if (t->cell[kind][size].is_measured)
                cell_print(adit_tier_kind_names[kind], adit_tier_size_names[size], &t->cell[kind][size]);
}

static void table_print(const struct adit_tier_table *table)
{
    char when[32];
    time_t at = (time_t)(table->measured_at_ns / 1000000000u);
    struct tm tm;
    adit_columns_print(&listed, stdout);
    for (uint32_t i = 0; i < table->n; i++)
        tier_print(&table->tiers[i]);
    printf("\n");
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++)
        printf("%-*s%s\n", (int)INDENT, adit_tier_size_names[size], adit_tier_inputs[size]);
    if (table->folded)
        printf("Vulkan devices that another driver offers once more, and that count once: %u\n", table->folded);
    if (!localtime_r(&at, &tm) || !strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm))
        when[0] = 0;
    printf("measured %s in %.1f s%s%s\n", when, table->measured_in_s, *table->file ? "; kept in " : "", table->file);
}

static bool table_print_json(const struct adit_tier_table *table)
{
    json_t *o = adit_tier_table_json(table), *inputs = json_object();
    adit_jsonout_set(o, "cached", json_boolean(table->is_cached));
    adit_jsonout_set(o, "file", *table->file ? adit_jsonout_text(table->file) : json_null());
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++)
        adit_jsonout_set_text(inputs, adit_tier_size_names[size], adit_tier_inputs[size]);
    adit_jsonout_set(o, "inputs", inputs);
    return adit_jsonout_print(PROGRAM, o);
}

static int tiers_run(int argc, char **argv)
{
    bool json = false, bench = false, quiet = false;
    const struct adit_option table[] = {
        {"bench", NULL, ADIT_OPTION_FLAG, &bench, 0, 0, "measure anew, though there are figures of this machine"},
        {"json", NULL, ADIT_OPTION_FLAG, &json, 0, 0, "one JSON object on stdout"},
        {"quiet", NULL, ADIT_OPTION_FLAG, &quiet, 0, 0, "no progress, no notes"},
    };
    const struct adit_usage usage = {PROGRAM, "", "Lists what can mesh and generate here, and what each costs.", help_text, table, sizeof table / sizeof *table, tables_tell};
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (argc > first) {
        adit_say_error(PROGRAM, "takes no operands; `adit run WORLD --tiers LIST` uses some of them");
        return ADIT_EXIT_BAD_INPUT;
    }
    adit_interrupt_install();
    struct adit_tier_table *tiers;
    const struct adit_tier_params params = {.program = PROGRAM, .wish = bench ? ADIT_TIERS_ANEW : ADIT_TIERS_USUAL, .quiet = quiet};
    int status = adit_tier_table_get(&params, &tiers);
    if (status) {
        adit_say_error(PROGRAM, "%s", status == -EINTR ? "interrupted, nothing is kept" : adit_strerror(status));
        return adit_arena_exit(status);
    }
    bool well = true;
    if (json)
        well = table_print_json(tiers);
    else
        table_print(tiers);
    adit_tier_table_free(&tiers);
    return well ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
}

const struct adit_command adit_command_tiers = {"tiers", "list what can mesh here, and what each costs", tiers_run};
