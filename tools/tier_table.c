#include "tools/tier_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/adit.h"
#include "tools/say.h"
#include "tools/tier_bench.h"
#include "tools/tier_cache.h"
#include "tools/tier_fingerprint.h"

#define LINE_BYTES 1024u

/* ---- getting it */

static void note(const struct adit_tier_params *p, const char *line)
{
    char shown[LINE_BYTES];
    if (!p->quiet)
        adit_say_note(p->program, "%s", adit_say_printable(shown, sizeof shown, line, strlen(line)));
}

static int measure(const struct adit_tier_params *p, const char *fingerprint, struct adit_gpu_list *gpus, const char *gpus_why,
                   struct adit_tier_table **out)
{
    char line[LINE_BYTES];
    struct adit_tier_makers makers;
    struct adit_progress progress = {.program = p->program, .quiet = p->quiet};
    adit_tier_makers_here(&makers);
    const struct adit_tier_bench bench = {.fingerprint = fingerprint, .gpus = gpus, .gpus_why = gpus_why, .makers = &makers,
                                          .no_processes = p->no_processes, .progress = &progress};
    int error = adit_tier_bench_run(&bench, out);
    if (!error && adit_tier_cache_write(*out, line, sizeof line))
        note(p, line);
    return error;
}

int adit_tier_table_get(const struct adit_tier_params *p, struct adit_tier_table **out)
{
    struct adit_tier_fingerprint *fingerprint = malloc(sizeof *fingerprint);
    struct adit_gpu_list *own = NULL;
    char gpus_why[256] = "", line[LINE_BYTES];
    *out = NULL;
    if (!fingerprint)
        return -ENOMEM;
    if (!p->gpus && adit_gpu_list_open(&own))
        snprintf(gpus_why, sizeof gpus_why, "%.250s", adit_detail());
    struct adit_gpu_list *gpus = p->gpus ? p->gpus : own;
    adit_tier_fingerprint_make(gpus, fingerprint);
    int error = p->wish == ADIT_TIERS_ANEW ? -ENOENT : adit_tier_cache_read(fingerprint->hex, out, line, sizeof line);
    if (!error)
        (*out)->is_cached = true;
    if (error == -EBADMSG && p->wish != ADIT_TIERS_CACHED)
        note(p, line);
    if (error == -EBADMSG)
        error = -ENOENT;
    if (error == -ENOENT && p->wish != ADIT_TIERS_CACHED)
        error = measure(p, fingerprint->hex, gpus, gpus_why, out);
    adit_gpu_list_close(&own);
    free(fingerprint);
    return error;
}

void adit_tier_table_free(struct adit_tier_table **table)
{
    free(*table);
    *table = NULL;
}

/* ---- looking it up */

/* Whether a tier is of that family: "vulkan:1" of "vulkan". */
static bool is_of(const struct adit_tier *tier, const char *family)
{
    size_t n = strlen(family);
    return !strncmp(tier->name, family, n) && tier->name[n] == ':';
}

const struct adit_tier *adit_tier_named(const struct adit_tier_table *table, const char *name)
{
    const struct adit_tier *first = NULL;
    for (uint32_t i = 0; i < table->n; i++)
        if (!strcmp(table->tiers[i].name, name))
            return &table->tiers[i];
    for (uint32_t i = 0; i < table->n; i++)
        if (is_of(&table->tiers[i], name)) {
            first = first ? first : &table->tiers[i];
            if (table->tiers[i].state == ADIT_TIER_READY)
                return &table->tiers[i];
        }
    return first;
}

bool adit_tier_mesh_costs(const struct adit_tier *tier, struct adit_cost cost[ADIT_SIZE_CLASSES])
{
    if (!tier || tier->state != ADIT_TIER_READY)
        return false;
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++)
        if (!tier->cell[ADIT_COST_MESH][size].is_measured)
            return false;
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++)
        cost[size] = tier->cell[ADIT_COST_MESH][size].cost;
    return true;
}

bool adit_tier_thread_ns(const struct adit_tier_table *table, double ns[ADIT_SIZE_CLASSES])
{
    struct adit_cost cost[ADIT_SIZE_CLASSES];
    double sum[ADIT_SIZE_CLASSES] = {0};
    uint32_t nodes = 0;
    for (uint32_t i = 0; i < table->n; i++)
        if (is_of(&table->tiers[i], "threads") && adit_tier_mesh_costs(&table->tiers[i], cost)) {
            nodes++;
            for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++)
                sum[size] += cost[size].each_ns * table->tiers[i].threads;
        }
    if (!nodes && !adit_tier_mesh_costs(adit_tier_named(table, "inline"), cost))
        return false;
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++)
        ns[size] = nodes ? sum[size] / nodes : cost[size].each_ns;
    return true;
}

const char *adit_tier_kernel(const struct adit_tier_table *table)
{
    static const char *const names[] = {"avx512", "avx2", "scalar"}; /* fast to slow */
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct adit_tier *tier = adit_tier_named(table, names[i]);
        if (tier && tier->state == ADIT_TIER_READY)
            return names[i];
    }
    return NULL;
}

char *adit_tier_why(const struct adit_tier *tier, char *out, size_t bytes)
{
    if (!tier)
        snprintf(out, bytes, "there is no such tier");
    else if (tier->state == ADIT_TIER_READY)
        snprintf(out, bytes, "%s", "");
    else
        snprintf(out, bytes, "%s is %s: %s", tier->name, tier->state == ADIT_TIER_OFF ? "switched off" : "absent", tier->why);
    return out;
}
