#include "tools/tier_bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shm/shm.h"
#include "tools/interrupt.h"
#include "tools/moment.h"
#include "tools/tier_arena.h"
#include "tools/tier_device.h"
#include "tools/tier_figures.h"
#include "tools/tier_kernels.h"
#include "runtime/nodes.h"

#define ARENA_NS 320000000u /* of measuring threads or processes, all nodes together */

void adit_tier_makers_here(struct adit_tier_makers *makers)
{
    *makers = (struct adit_tier_makers){.device_mesh = adit_tier_device_mesh};
    for (uint32_t i = 0; i < ADIT_TIER_KERNELS; i++)
        makers->kernel[i] = adit_mesh_kernel_named(adit_tier_kernel_names[i]);
}

/* What all steps need. */
struct state {
    const struct adit_tier_bench *b;
    struct adit_tier_table *table;
    struct adit_tier_chunks *varied, *world;
    struct adit_tier_energy energy;
    struct adit_node nodes[ADIT_NODES_MAX];
    uint32_t nodes_n;
    const char *best; /* kernel; NULL: none is right */
};

static void progress_say(const struct state *s, const char *what)
{
    adit_progress_show(s->b->progress, 0, 0, what);
}

static struct adit_tier *tier_add(struct state *s, const char *name)
{
    struct adit_tier *t = &s->table->tiers[s->table->n];
    s->table->n += s->table->n + 1 < ADIT_TIERS_MAX; /* the last place is written over */
    *t = (struct adit_tier){.state = ADIT_TIER_ABSENT, .node = -1};
    snprintf(t->name, sizeof t->name, "%s", name);
    return t;
}

/* ---- kernels, inline */

static int kernel_check(struct state *s, uint32_t k, struct adit_tier_scratch *scratch, struct adit_tier *t)
{
    struct adit_tier_kernel_user user = {s->b->makers->kernel[k], scratch};
    const struct adit_tier_subject subject = {.user = &user, .mesh = adit_tier_kernel_mesh, .at_once = 1};
    snprintf(t->long_name, sizeof t->long_name, "the %s kernel on one thread", t->name);
    t->threads = 1;
    if (!user.kernel) {
        snprintf(t->why, sizeof t->why, "%s", adit_os_is_disabled(t->name) ? "switched off by ADIT_DISABLE" : "this processor has no such instructions");
        return 0;
    }
    int error = adit_tier_check(&subject, s->varied, t->why, sizeof t->why);
    adit_tier_judge(t, error);
    return error == -EINTR ? error : 0;
}

static int kernels_try(struct state *s)
{
    struct adit_tier_scratch *scratch = aligned_alloc(64, sizeof *scratch);
    struct adit_tier *inl = tier_add(s, "inline"), *tiers[ADIT_TIER_KERNELS];
    adit_mesh_kernel *ready[ADIT_TIER_KERNELS];
    int error = scratch ? 0 : -ENOMEM;
    for (uint32_t k = 0; k < ADIT_TIER_KERNELS; k++) {
        tiers[k] = tier_add(s, adit_tier_kernel_names[k]);
        error = error ? error : kernel_check(s, k, scratch, tiers[k]);
        ready[k] = !error && tiers[k]->state == ADIT_TIER_READY ? s->b->makers->kernel[k] : NULL;
    }
    progress_say(s, "measures kernels");
    error = error ? error : adit_tier_kernels_measure(ready, ADIT_TIER_KERNELS, s->world, scratch, &s->energy, tiers);
    free(scratch);
    s->best = adit_tier_kernel(s->table, ADIT_TIER_KERNELS_ALL);
    if (!s->best) {
        snprintf(inl->why, sizeof inl->why, "no kernel gives the right bytes");
        adit_tier_judge(inl, -EILSEQ);
        return error;
    }
    inl->threads = 1;
    inl->state = ADIT_TIER_READY;
    memcpy(inl->cell, adit_tier_named(s->table, s->best)->cell, sizeof inl->cell);
    snprintf(inl->long_name, sizeof inl->long_name, "the %s kernel, called in place", s->best);
    return error ? error : adit_tier_generate_measure(s->world, &s->energy, inl);
}

/* ---- threads and processes */

static int node_try(struct state *s, struct adit_tier_stage *stage, const char *why, bool of_processes, uint32_t node)
{
    const uint64_t budget_ns = ARENA_NS / s->nodes_n;
    struct adit_tier *t = tier_add(s, "");
    snprintf(t->name, sizeof t->name, of_processes ? "processes:%d" : "threads:%d", s->nodes[node].id);
    t->node = s->nodes[node].id;
    if (!s->best || !stage || (of_processes && s->b->no_processes)) {
        snprintf(t->why, sizeof t->why, "%s", !s->best ? "no kernel gives the right bytes" : !stage ? why : "this program cannot be started as `adit work`");
        return 0;
    }
    int error = of_processes ? adit_tier_stage_processes(stage, node, s->best, budget_ns, &s->energy, t)
                             : adit_tier_stage_threads(stage, node, s->best, budget_ns, &s->energy, t);
    adit_tier_judge(t, error);
    snprintf(t->long_name, sizeof t->long_name, of_processes ? "%u threads of `adit work` processes on node %d, %s kernel" : "%u worker threads on node %d, %s kernel",
             t->threads, t->node, s->best);
    return error == -EINTR ? error : 0;
}

static int nodes_try(struct state *s)
{
    struct adit_tier_stage *stage = NULL;
    char why[256] = "";
    int error = s->best ? adit_tier_stage_open(s->b->progress->program, s->world, s->nodes, s->nodes_n, &stage, why, sizeof why) : 0;
    error = error == -EINTR ? error : 0; /* any other is why */
    progress_say(s, "measures worker threads");
    for (uint32_t node = 0; node < s->nodes_n && !error; node++)
        error = node_try(s, stage, why, false, node);
    progress_say(s, "measures worker processes");
    for (uint32_t node = 0; node < s->nodes_n && !error; node++)
        error = node_try(s, stage, why, true, node);
    adit_tier_stage_close(&stage);
    return error;
}

/* ---- devices */

static int devices_try(struct state *s)
{
    int error = 0;
    if (!s->b->gpus) {
        struct adit_tier *t = tier_add(s, "vulkan");
        snprintf(t->long_name, sizeof t->long_name, "no Vulkan device");
        snprintf(t->why, sizeof t->why, "%s", s->b->gpus_why);
        return 0;
    }
    s->table->folded = s->b->gpus->folded;
    progress_say(s, "measures Vulkan devices");
    for (uint32_t i = 0; i < s->b->gpus->n && !error; i++)
        error = adit_tier_device_try(s->b->gpus, i, s->b->makers->device_mesh, s->varied, s->world, &s->energy, tier_add(s, "vulkan"));
    return error;
}

int adit_tier_bench_run(const struct adit_tier_bench *bench, struct adit_tier_table **out)
{
    struct timespec t;
    const uint64_t begin = adit_moment_ns();
    struct state *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return -ENOMEM;
    s->b = bench;
    s->table = calloc(1, sizeof *s->table + ADIT_TIERS_MAX * sizeof *s->table->tiers);
    adit_tier_energy_open(&s->energy, ADIT_TIER_ENERGY_ROOT);
    s->nodes_n = adit_nodes_here(s->nodes);
    progress_say(s, "makes chunks to measure with");
    int error = s->table ? adit_tier_chunks_varied(&s->varied) : -ENOMEM;
    error = error ? error : adit_tier_chunks_world(&s->world);
    error = error ? error : kernels_try(s);
    error = error ? error : nodes_try(s);
    error = error ? error : devices_try(s);
    adit_progress_clear();
    adit_tier_chunks_free(&s->varied);
    adit_tier_chunks_free(&s->world);
    if (!error) {
        clock_gettime(CLOCK_REALTIME, &t);
        s->table->measured_at_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
        s->table->measured_in_s = (double)(adit_moment_ns() - begin) / 1e9;
        snprintf(s->table->fingerprint, sizeof s->table->fingerprint, "%s", bench->fingerprint);
        *out = s->table;
    } else {
        free(s->table);
    }
    free(s);
    return error;
}
