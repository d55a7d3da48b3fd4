/* tier_arena.c - nobody else knows the arena's name, so what is dirty in it is what was marked here; and it goes with this process, whatever ends it, as that of
 * `adit run` does. */
#include "tools/tier_arena.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/adit.h"
#include "runtime/dirty.h"
#include "runtime/key.h"
#include "runtime/store.h"
#include "tools/crew.h"
#include "tools/interrupt.h"
#include "tools/moment.h"
#include "tools/tier_figures.h"

#define NAMES_TRIED 16
#define COPIES_MAX 16u
#define APART 64            /* chunks between two copies */
#define PROCESSES_MAX 4u
#define READY_NS 10000000000ull
#define SETTLE_STEP_NS 50000000ull
#define STUCK_NS 10000000000ull
#define REST_NS 200000ull   /* a worker that found nothing sleeps after that */
#define SPARE_BYTES (16ull << 20)

struct adit_tier_stage {
    struct adit_arena *arena;
    char name[48];
    const struct adit_tier_chunks *chunks;
    const struct adit_node *nodes;
    uint32_t nodes_n, copies;
    struct adit_crew crew;
    /* Entries of the store to be marked: of node i and a size class from entries + (i * ADIT_SIZE_CLASSES + size) * room on. */
    uint32_t room, *entries, *entries_n;
    uint32_t node; /* that is measured */
};

/* ---- the arena and what is in it */

static struct adit_key key_of(const struct adit_tier_chunk *c, uint32_t node, uint32_t copy)
{
    return (struct adit_key){.x = c->at[0] + (int32_t)copy * APART, .y = c->at[1], .z = c->at[2], .world = (uint8_t)(node * 2 + c->world)};
}

static int materials_register(struct adit_arena *arena)
{
    const struct adit_generator *g = adit_generator_named("terrain");
    int error = 0;
    for (uint32_t m = 1; m < g->materials_n && !error; m++) {
        struct adit_material_info info = {.rgba = g->materials[m].rgba, .material_class = g->materials[m].material_class};
        uint16_t id = (uint16_t)m; /* voxels have it already */
        snprintf(info.name, sizeof info.name, "%s", g->materials[m].name);
        error = adit_material_register(arena, &info, &id);
    }
    return error;
}

static int publish_one(struct adit_tier_stage *s, uint32_t i, uint32_t node, uint32_t copy, uint16_t *voxels)
{
    const struct adit_key key = key_of(&s->chunks->chunk[i], node, copy);
    adit_decode_chunk(s->chunks->chunk[i].version, voxels);
    return adit_interrupt_is_set() ? -EINTR : adit_chunk_put(s->arena, &key, voxels, NULL);
}

static void entries_find(struct adit_tier_stage *s, uint32_t node)
{
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++) {
        const uint32_t at = node * ADIT_SIZE_CLASSES + size, *pool = s->chunks->pool[ADIT_COST_MESH][size];
        for (uint32_t k = 0; k < s->copies * s->chunks->pool_n[ADIT_COST_MESH][size]; k++) {
            const struct adit_key key = key_of(&s->chunks->chunk[pool[k / s->copies]], node, k % s->copies);
            uint64_t packed;
            if (adit_key_try(&key, &packed) && adit_store_find(s->arena, packed, &s->entries[at * s->room + s->entries_n[at]]))
                s->entries_n[at]++;
        }
    }
}

static int publish(struct adit_tier_stage *s)
{
    uint16_t *voxels = malloc(ADIT_CHUNK_VOXELS * sizeof *voxels);
    int error = voxels ? materials_register(s->arena) : -ENOMEM;
    for (uint32_t node = 0; node < s->nodes_n && !error; node++) {
        cpu_set_t before;
        adit_node_enter(&s->nodes[node], &before); /* blocks come from the node of who publishes */
        for (uint32_t i = 0; i < s->chunks->n && !error; i++)
            for (uint32_t copy = 0; copy < s->copies && !error && !(s->chunks->chunk[i].version->summary & ADIT_SUM_EMPTY); copy++)
                error = publish_one(s, i, node, copy, voxels);
        adit_node_exit(&before);
        entries_find(s, node);
    }
    free(voxels);
    return error;
}

static int arena_make(struct adit_tier_stage *s, const char *label)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < s->chunks->n; i++)
        bytes += s->chunks->chunk[i].bytes;
    const struct adit_create_params params = {.size = sizeof params,
                                              .data_bytes = s->nodes_n * (3 * s->copies * bytes + SPARE_BYTES), /* two meshes of each, too */
                                              .chunks_max = 1024 + 2 * s->chunks->n * s->copies * s->nodes_n,
                                              .label = label};
    int error = -EEXIST;
    for (int i = 0; error == -EEXIST && i < NAMES_TRIED; i++) {
        snprintf(s->name, sizeof s->name, i ? "tiers-%ld-%d" : "tiers-%ld", (long)getpid(), i);
        error = adit_create(s->name, &params, &s->arena);
    }
    return error;
}

int adit_tier_stage_open(const char *label, const struct adit_tier_chunks *chunks, const struct adit_node *nodes, uint32_t nodes_n,
                         struct adit_tier_stage **out, char *why, size_t why_bytes)
{
    uint32_t threads = 1;
    struct adit_tier_stage *s = calloc(1, sizeof *s);
    for (uint32_t i = 0; i < nodes_n; i++)
        threads = nodes[i].cpus_n > threads ? nodes[i].cpus_n : threads;
    uint32_t copies = 1 + 2 * threads / ADIT_TIER_POOL; /* so that each has two to do */
    *out = NULL;
    *why = 0;
    int error = s ? 0 : -ENOMEM;
    if (s) {
        s->chunks = chunks;
        s->nodes = nodes;
        s->nodes_n = nodes_n;
        s->copies = copies < COPIES_MAX ? copies : COPIES_MAX;
        s->room = s->copies * ADIT_TIER_POOL;
        s->entries = calloc((size_t)nodes_n * ADIT_SIZE_CLASSES * s->room, sizeof *s->entries);
        s->entries_n = calloc((size_t)nodes_n * ADIT_SIZE_CLASSES, sizeof *s->entries_n);
        error = s->entries && s->entries_n ? arena_make(s, label) : -ENOMEM;
    }
    error = error ? error : publish(s);
    if (error) {
        snprintf(why, why_bytes, "no arena to measure in: %s", *adit_detail() ? adit_detail() : adit_strerror(error));
        adit_tier_stage_close(&s);
    }
    *out = s;
    return error;
}

void adit_tier_stage_close(struct adit_tier_stage **stage)
{
    struct adit_tier_stage *s = *stage;
    if (!s)
        return;
    adit_detach(&s->arena);
    free(s->entries);
    free(s->entries_n);
    free(s);
    *stage = NULL;
}

/* ---- measuring */

/* A submission: n chunks of that size, marked, until nothing is dirty or in work. */
static int mark_and_settle(void *user, enum adit_size_class size, uint32_t n)
{
    struct adit_tier_stage *s = user;
    const uint32_t at = s->node * ADIT_SIZE_CLASSES + size;
    const uint64_t begin = adit_moment_ns();
    for (uint32_t i = 0; i < n; i++)
        adit_dirty_mark(s->arena, s->entries[at * s->room + i]);
    for (;;) {
        int error = adit_settle(s->arena, SETTLE_STEP_NS);
        if (error != -ETIMEDOUT)
            return error;
        if (adit_interrupt_is_set())
            return -EINTR;
        if (adit_moment_ns() - begin > STUCK_NS)
            return error;
    }
}

/* All size classes, by whoever meshes in the arena by now. */
static int measure(struct adit_tier_stage *s, uint32_t node, uint64_t budget_ns, const struct adit_tier_energy *energy, struct adit_tier *tier)
{
    int error = 0;
    s->node = node;
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES && !error; size++) {
        uint32_t all = s->entries_n[node * ADIT_SIZE_CLASSES + size];
        struct adit_tier_job job = {.run = mark_and_settle, .user = s, .sizes = {1, all / 3, all}, .sizes_n = 3, .singles = 6,
                                    .rest_ns = REST_NS, .budget_ns = budget_ns / ADIT_SIZE_CLASSES};
        if (all >= 6)
            error = adit_tier_measure(&job, (enum adit_size_class)size, energy, &tier->cell[ADIT_COST_MESH][size]);
    }
    if (error && error != -EINTR)
        snprintf(tier->why, sizeof tier->why, "%s", *adit_detail() ? adit_detail() : adit_strerror(error));
    return error;
}

int adit_tier_stage_threads(struct adit_tier_stage *s, uint32_t node, const char *kernel, uint64_t budget_ns, const struct adit_tier_energy *energy,
                            struct adit_tier *tier)
{
    const struct adit_dispatcher_params params = {.size = sizeof params, .workers = s->nodes[node].cpus_n < 256 ? s->nodes[node].cpus_n : 256,
                                                  .kernel = kernel};
    struct adit_dispatcher *dispatcher;
    cpu_set_t before;
    adit_node_enter(&s->nodes[node], &before); /* workers begin with the CPUs of who starts them */
    int error = adit_dispatcher_open(s->arena, &params, &dispatcher);
    adit_node_exit(&before);
    if (error)
        snprintf(tier->why, sizeof tier->why, "no dispatcher: %s", *adit_detail() ? adit_detail() : adit_strerror(error));
    tier->threads = params.workers;
    if (!error)
        error = measure(s, node, budget_ns, energy, tier);
    adit_dispatcher_close(&dispatcher);
    return error;
}

static int processes_start(struct adit_tier_stage *s, uint32_t node, const char *kernel, struct adit_tier *tier)
{
    const uint32_t cpus = s->nodes[node].cpus_n, n = cpus < PROCESSES_MAX ? cpus : PROCESSES_MAX, each = (cpus + n - 1) / n;
    char workers[16], label[24];
    cpu_set_t before;
    int error = 0;
    tier->threads = n * each;
    snprintf(workers, sizeof workers, "%u", each < 256 ? each : 256);
    adit_node_enter(&s->nodes[node], &before);
    for (uint32_t i = 0; i < n && !error; i++) {
        snprintf(label, sizeof label, "worker %u", i + 1);
        const char *const words[] = {"work", "--tether", "3", "--label", label, "--workers", workers, "--tiers", kernel, "--", s->name, NULL};
        char *argv[sizeof words / sizeof *words];
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            argv[k] = (char *)(uintptr_t)words[k]; /* they are copied */
        error = adit_crew_spawn(&s->crew, label, argv);
    }
    adit_node_exit(&before);
    if (error)
        snprintf(tier->why, sizeof tier->why, "cannot start `adit work`: %s", strerror(-error));
    return error;
}

static int processes_await(struct adit_tier_stage *s, struct adit_tier *tier)
{
    char how[96];
    for (uint64_t until = adit_moment_ns() + READY_NS;;) {
        bool all = true;
        adit_crew_pump(&s->crew, 5);
        const struct adit_crew_member *m = adit_crew_failure(&s->crew);
        for (uint32_t i = 0; i < s->crew.count; i++)
            all &= s->crew.member[i].ready;
        if (adit_interrupt_is_set())
            return -EINTR;
        if (m)
            snprintf(tier->why, sizeof tier->why, "`adit work` %s", m->error ? m->error : adit_crew_how_lost(m, how, sizeof how));
        else if (adit_moment_ns() > until)
            snprintf(tier->why, sizeof tier->why, "`adit work` has not come to work within %llu s", READY_NS / 1000000000ull);
        else if (!all)
            continue;
        return *tier->why ? -ECHILD : 0;
    }
}

int adit_tier_stage_processes(struct adit_tier_stage *s, uint32_t node, const char *kernel, uint64_t budget_ns,
                              const struct adit_tier_energy *energy, struct adit_tier *tier)
{
    int error = processes_start(s, node, kernel, tier);
    error = error ? error : processes_await(s, tier);
    error = error ? error : measure(s, node, budget_ns, energy, tier);
    adit_crew_end(&s->crew, NULL);
    return error;
}
