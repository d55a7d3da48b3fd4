#include "tools/tier_table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/adit.h"
#include "tools/say.h"
#include "tools/tier_bench.h"
#include "tools/tier_cache.h"
#include "tools/tier_fingerprint.h"

#define LINE_BYTES 1024u

const char *const adit_tier_kernel_names[ADIT_TIER_KERNELS] = {"scalar", "avx2", "avx512"};

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

/* Of the machine and the build alone, no device asked. */
static int look_of_cpu(struct adit_tier_fingerprint *fingerprint, struct adit_tier_table **out)
{
    char newest[sizeof fingerprint->hex], line[LINE_BYTES];
    adit_tier_fingerprint_make(NULL, fingerprint);
    if (!adit_tier_cache_newest(fingerprint->hex, ADIT_TIER_FINGERPRINT_CPU, newest))
        return -ENOENT;
    return adit_tier_cache_read(newest, out, line, sizeof line);
}

static int look_or_measure(const struct adit_tier_params *p, struct adit_tier_fingerprint *fingerprint, struct adit_tier_table **out)
{
    struct adit_gpu_list *own = NULL;
    char gpus_why[256] = "", line[LINE_BYTES];
    if (!p->gpus && adit_gpu_list_open(&own))
        snprintf(gpus_why, sizeof gpus_why, "%.250s", adit_detail());
    struct adit_gpu_list *gpus = p->gpus ? p->gpus : own;
    adit_tier_fingerprint_make(gpus, fingerprint);
    int error = p->wish == ADIT_TIERS_ANEW ? -ENOENT : adit_tier_cache_read(fingerprint->hex, out, line, sizeof line);
    if (error == -EBADMSG && p->wish != ADIT_TIERS_CACHED)
        note(p, line);
    if ((error == -EBADMSG || error == -ENOENT) && p->wish != ADIT_TIERS_CACHED)
        error = measure(p, fingerprint->hex, gpus, gpus_why, out);
    adit_gpu_list_close(&own);
    return error;
}

int adit_tier_table_get(const struct adit_tier_params *p, struct adit_tier_table **out)
{
    struct adit_tier_fingerprint *fingerprint = malloc(sizeof *fingerprint);
    *out = NULL;
    if (!fingerprint)
        return -ENOMEM;
    int error = p->wish == ADIT_TIERS_OF_CPU ? look_of_cpu(fingerprint, out) : look_or_measure(p, fingerprint, out);
    free(fingerprint);
    return error == -EBADMSG ? -ENOENT : error;
}

void adit_tier_table_free(struct adit_tier_table **table)
{
    free(*table);
    *table = NULL;
}

void adit_tier_judge(struct adit_tier *tier, int error)
{
    tier->state = !error ? ADIT_TIER_READY : error == -EILSEQ ? ADIT_TIER_OFF : ADIT_TIER_FAILED;
    if (error)
        memset(tier->cell, 0, sizeof tier->cell);
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

const char *adit_tier_kernel(const struct adit_tier_table *table, uint32_t kernels)
{
    const char *best = NULL;
    double best_ns = 0;
    for (uint32_t k = 0; k < ADIT_TIER_KERNELS; k++) {
        struct adit_cost cost[ADIT_SIZE_CLASSES];
        const struct adit_tier *tier = adit_tier_named(table, adit_tier_kernel_names[k]);
        if (!(kernels >> k & 1) || !tier || tier->state != ADIT_TIER_READY)
            continue;
        double ns = adit_tier_mesh_costs(tier, cost) ? cost[ADIT_SIZE_DENSE].each_ns : INFINITY;
        if (best && ns > best_ns)
            continue;
        best = adit_tier_kernel_names[k];
        best_ns = ns;
    }
    return best;
}

bool adit_tier_generates_cheaper(const struct adit_tier_table *table, const struct adit_tier *tier, uint32_t chunks)
{
    const struct adit_tier *inl = table ? adit_tier_named(table, "inline") : NULL;
    double its_ns = 0, cpu_ns = 0;
    if (!tier || tier->state != ADIT_TIER_READY || !inl || inl->state != ADIT_TIER_READY)
        return false;
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++) {
        const struct adit_tier_cell *its = &tier->cell[ADIT_COST_GENERATE][size], *cpu = &inl->cell[ADIT_COST_GENERATE][size];
        if (!its->is_measured || !cpu->is_measured)
            continue;
        its_ns += its->cost.fixed_ns / chunks + its->cost.each_ns;
        cpu_ns += cpu->cost.fixed_ns + cpu->cost.each_ns;
    }
    return its_ns < cpu_ns;
}

double adit_tier_thread_ns(const struct adit_tier_table *table, const char *kernel)
{
    const char *threads = adit_tier_kernel(table, ADIT_TIER_KERNELS_ALL);
    struct adit_cost cost[ADIT_SIZE_CLASSES];
    double sum = 0;
    uint32_t nodes = 0;
    for (uint32_t i = 0; i < table->n && threads && !strcmp(kernel, threads); i++)
        if (is_of(&table->tiers[i], "threads") && adit_tier_mesh_costs(&table->tiers[i], cost)) {
            nodes++;
            sum += cost[ADIT_SIZE_DENSE].each_ns * table->tiers[i].threads;
        }
    if (nodes)
        return sum / nodes;
    return adit_tier_mesh_costs(adit_tier_named(table, kernel), cost) ? cost[ADIT_SIZE_DENSE].each_ns : 0;
}

char *adit_tier_why(const struct adit_tier *tier, char *out, size_t bytes)
{
    static const char *const said[ADIT_TIER_STATES] = {[ADIT_TIER_OFF] = "is switched off", [ADIT_TIER_FAILED] = "failed when it was measured",
                                                       [ADIT_TIER_ABSENT] = "is absent"};
    if (!tier)
        snprintf(out, bytes, "there is no such tier");
    else if (tier->state == ADIT_TIER_READY)
        snprintf(out, bytes, "%s", "");
    else
        snprintf(out, bytes, "%s %s: %s", tier->name, said[tier->state], tier->why);
    return out;
}
