#include "tools/tier_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/generate_batch.h"
#include "gpu/host_import.h"
#include "gpu/mesh_batch.h"
#include "runtime/adit.h"
#include "tools/interrupt.h"
#include "tools/tier_figures.h"

#define WAIT_NS 20000000000u
#define CHECKED_AT_ONCE 16u
#define BATCH_MAX 256u           /* chunks */
#define PLANES_BYTES (53u << 10) /* of a chunk's six neighbours, at most (gpu/mesh_batch.h) */
#define SOFTWARE_MAX 3u          /* chunks of a batch: it takes milliseconds a chunk */
#define HARDWARE_NS 50000000u    /* of measuring a size class; a software device is run as seldom as can be */

/* An opened device at work. */
struct work {
    struct adit_gpu *gpu;
    const struct adit_gpu_device *of;
    struct adit_mesh_batch *mesh;
    struct adit_generate_batch *generate;
    const struct adit_tier_chunks *world;
    struct adit_host_imports *imports; /* voxels are fetched out of these; NULL: they are copied */
    uint64_t *quads; /* what is taken out of a batch goes here; ADIT_MESH_QUADS_MAX */
};

/* ---- what there is */

void adit_tier_device_describe(const struct adit_gpu_list *list, uint32_t i, struct adit_tier *tier)
{
    const struct adit_gpu_device *d = &list->devices[i];
    struct adit_tier_device *t = &tier->device;
    snprintf(tier->name, sizeof tier->name, "vulkan:%u", i);
    snprintf(tier->long_name, sizeof tier->long_name, "%.140s%s, driver %.60s %.80s", d->name, d->is_software ? " (software)" : "", d->driver,
             d->driver_info);
    for (uint32_t k = 0; k < sizeof d->uuid; k++)
        snprintf(t->uuid + 2 * k, 3, "%02x", d->uuid[k]);
    snprintf(t->pci, sizeof t->pci, "%s", d->pci);
    snprintf(t->driver, sizeof t->driver, "%.120s %.120s", d->driver, d->driver_info);
    t->local_bytes = d->local_bytes;
    t->is_software = d->is_software;
    t->is_unified = d->is_unified;
    t->imports = d->import_align != 0;
    tier->node = d->node;
    tier->state = ADIT_TIER_ABSENT;
}

/* ---- batches */

/* From here on its voxels are fetched, where the device can have them. */
static void import(struct work *w, const struct adit_tier_chunks *chunks)
{
    const size_t align = w->of->import_align;
    const struct adit_import_range range = {chunks->blocks, align ? (chunks->used + align - 1) / align * align : 0};
    if (!align || adit_host_imports_open(w->gpu, &range, 1, &w->imports))
        w->imports = NULL;
}

static void mesh_begin(struct work *w)
{
    adit_mesh_batch_begin(w->mesh);
    if (w->imports)
        adit_mesh_batch_read_from(w->mesh, w->imports);
}

static int mesh_add(struct adit_mesh_batch *batch, const struct adit_tier_chunk *c)
{
    struct adit_mesh_task task = {.version = c->version, .bytes = c->bytes, .rim = c->rim, .flags = c->flags};
    memcpy(task.beside, c->beside, sizeof task.beside);
    memcpy(task.beside_bytes, c->beside_bytes, sizeof task.beside_bytes);
    return adit_mesh_batch_add(batch, &task);
}

static int mesh_run(struct adit_mesh_batch *batch)
{
    int error = adit_mesh_batch_submit(batch);
    return error ? error : adit_mesh_batch_wait(batch, WAIT_NS);
}

int adit_tier_device_mesh(void *user, const struct adit_tier_chunks *chunks, uint32_t first, uint32_t n, struct adit_mesh_result *results)
{
    struct work *w = user;
    int error = 0;
    mesh_begin(w);
    for (uint32_t i = 0; i < n && !error; i++)
        error = mesh_add(w->mesh, &chunks->chunk[first + i]);
    error = error ? error : mesh_run(w->mesh);
    for (uint32_t i = 0; i < n && !error; i++)
        adit_mesh_batch_result(w->mesh, i, &results[i]);
    return error;
}

static int mesh_job(void *user, enum adit_size_class size, uint32_t n)
{
    struct work *w = user;
    const uint32_t *pool = w->world->pool[ADIT_COST_MESH][size], pool_n = w->world->pool_n[ADIT_COST_MESH][size];
    int error = 0;
    mesh_begin(w);
    for (uint32_t i = 0; i < n && !error; i++)
        error = mesh_add(w->mesh, &w->world->chunk[pool[i % pool_n]]);
    error = error ? error : mesh_run(w->mesh);
    for (uint32_t i = 0; i < n && !error; i++) {
        struct adit_mesh_result r;
        adit_mesh_batch_result(w->mesh, i, &r);
        memcpy(w->quads, r.quads, r.start[ADIT_MESH_RANGES] * sizeof *r.quads);
    }
    return error;
}

static int generate_run(struct adit_generate_batch *batch)
{
    int error = adit_generate_batch_submit(batch);
    return error ? error : adit_generate_batch_wait(batch, WAIT_NS);
}

static int generate_job(void *user, enum adit_size_class size, uint32_t n)
{
    struct work *w = user;
    const uint32_t *pool = w->world->pool[ADIT_COST_GENERATE][size], pool_n = w->world->pool_n[ADIT_COST_GENERATE][size];
    int error = 0;
    adit_generate_batch_begin(w->generate);
    for (uint32_t i = 0; i < n && !error; i++) {
        const int32_t *at = w->world->chunk[pool[i % pool_n]].at;
        error = adit_generate_batch_add(w->generate, adit_generator_named("terrain"), ADIT_TIER_SEED, at[0], at[1], at[2]);
    }
    return error ? error : generate_run(w->generate);
}

/* Batches for as many chunks as the device has memory for, up to most. *chunks: how many. */
static int mesh_open(struct work *w, const uint8_t *classes, uint32_t most, size_t bytes_each, uint32_t *chunks)
{
    int error = -ENOMEM;
    for (*chunks = most; (error == -ENOMEM || error == -E2BIG) && *chunks; *chunks /= error ? 2 : 1)
        error = adit_mesh_batch_open(w->gpu, classes, *chunks, *chunks * bytes_each, &w->mesh);
    return error;
}

/* ---- checking and measuring */

static size_t bytes_max(const struct adit_tier_chunks *chunks)
{
    size_t most = 0;
    for (uint32_t i = 0; i < chunks->n; i++)
        most = chunks->chunk[i].bytes > most ? chunks->chunk[i].bytes : most;
    return most + PLANES_BYTES;
}

/* Copied, then fetched. */
static int check_meshes(struct work *w, adit_tier_mesh *mesh, const struct adit_tier_chunks *varied, struct adit_tier *tier)
{
    struct adit_tier_subject subject = {.user = w, .mesh = mesh};
    int error = mesh_open(w, varied->classes, CHECKED_AT_ONCE, bytes_max(varied), &subject.at_once);
    if (!error)
        error = adit_tier_check(&subject, varied, tier->why, sizeof tier->why);
    if (!error)
        import(w, varied);
    if (w->imports && (error = adit_tier_check(&subject, varied, tier->why, sizeof tier->why)) != 0) {
        size_t n = strlen(tier->why);
        snprintf(tier->why + n, sizeof tier->why - n, " when it fetches voxels itself");
    }
    adit_mesh_batch_close(&w->mesh);
    adit_host_imports_close(&w->imports);
    return error;
}

/* A chunk, voxel by voxel. want: room for it. */
static int check_chunk(struct work *w, const struct adit_generator *g, const int32_t at[3], uint16_t *want, struct adit_tier *tier)
{
    const uint16_t *got;
    adit_generate_batch_begin(w->generate);
    int error = adit_generate_batch_add(w->generate, g, ADIT_TIER_SEED, at[0], at[1], at[2]);
    error = error ? error : generate_run(w->generate);
    if (error)
        return error;
    adit_generate_batch_result(w->generate, 0, &got);
    adit_generate(g, ADIT_TIER_SEED, at[0], at[1], at[2], want);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        if (got[i] != want[i]) {
            snprintf(tier->why, sizeof tier->why, "wrong bytes (generated %s %d,%d,%d; voxel %u,%u,%u is %u, not %u)", g->name, at[0], at[1], at[2],
                     i & 63, i >> 6 & 63, i >> 12, got[i], want[i]);
            return -EILSEQ;
        }
    return 0;
}

/* Terrain of each size class, and a chunk of each of the other worlds. */
static int check_voxels(struct work *w, struct adit_tier *tier)
{
    static const char *const others[] = {"noise50", "checker"};
    uint16_t *want = malloc(ADIT_CHUNK_VOXELS * sizeof *want);
    int error = want ? 0 : -ENOMEM;
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES && !error; size++)
        if (w->world->pool_n[ADIT_COST_GENERATE][size])
            error = check_chunk(w, adit_generator_named("terrain"), w->world->chunk[w->world->pool[ADIT_COST_GENERATE][size][0]].at, want, tier);
    for (uint32_t i = 0; i < sizeof others / sizeof *others && !error; i++)
        error = check_chunk(w, adit_generator_named(others[i]), (const int32_t[]){-3, 1, 2}, want, tier);
    free(want);
    return error;
}

static int measure_kind(struct work *w, enum adit_cost_kind kind, uint32_t chunks, const struct adit_tier_energy *energy, struct adit_tier *tier)
{
    static const uint32_t steps[] = {1, 16, 64, BATCH_MAX};
    struct adit_tier_job job = {.run = kind == ADIT_COST_MESH ? mesh_job : generate_job, .user = w, .singles = w->of->is_software ? 1 : 8,
                                .budget_ns = w->of->is_software ? 0 : HARDWARE_NS};
    int error = 0;
    for (uint32_t i = 0; i < ADIT_TIER_SIZES_MAX; i++)
        if (steps[i] <= chunks)
            job.sizes[job.sizes_n++] = steps[i];
    if (job.sizes_n == 1 && chunks > 1)
        job.sizes[job.sizes_n++] = chunks;
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES && !error; size++)
        if (w->world->pool_n[kind][size])
            error = adit_tier_measure(&job, (enum adit_size_class)size, energy, &tier->cell[kind][size]);
    return error;
}

static int work_on(struct work *w, adit_tier_mesh *mesh, const struct adit_tier_chunks *varied, const struct adit_tier_energy *energy, struct adit_tier *tier)
{
    const uint32_t most = w->of->is_software ? SOFTWARE_MAX : BATCH_MAX;
    uint32_t chunks, generated = most;
    int error = check_meshes(w, mesh, varied, tier);
    error = error ? error : mesh_open(w, w->world->classes, most, bytes_max(w->world), &chunks);
    if (!error)
        import(w, w->world);
    tier->device.imports = w->imports;
    error = error ? error : measure_kind(w, ADIT_COST_MESH, chunks, energy, tier);
    adit_mesh_batch_close(&w->mesh);
    adit_host_imports_close(&w->imports);
    error = error ? error : adit_generate_batch_open_fitting(w->gpu, &generated, &w->generate);
    error = error ? error : check_voxels(w, tier);
    error = error ? error : measure_kind(w, ADIT_COST_GENERATE, generated, energy, tier);
    adit_generate_batch_close(&w->generate);
    return error;
}

int adit_tier_device_try(struct adit_gpu_list *list, uint32_t i, adit_tier_mesh *mesh, const struct adit_tier_chunks *varied,
                         const struct adit_tier_chunks *world, const struct adit_tier_energy *energy, struct adit_tier *tier)
{
    struct work w = {.of = &list->devices[i], .world = world};
    adit_tier_device_describe(list, i, tier);
    if (w.of->unfit) {
        snprintf(tier->why, sizeof tier->why, "%s", w.of->unfit);
        return 0;
    }
    if (adit_gpu_open(list, w.of, &w.gpu)) {
        snprintf(tier->why, sizeof tier->why, "%.250s", adit_detail());
        return 0;
    }
    w.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof *w.quads);
    int error = w.quads ? work_on(&w, mesh, varied, energy, tier) : -ENOMEM;
    free(w.quads);
    adit_gpu_close(&w.gpu);
    if (error && !*tier->why)
        snprintf(tier->why, sizeof tier->why, "%.250s", *adit_detail() ? adit_detail() : adit_strerror(error));
    adit_tier_judge(tier, error);
    return error == -EINTR ? error : 0;
}
