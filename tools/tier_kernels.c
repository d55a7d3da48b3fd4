#include "tools/tier_kernels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/interrupt.h"
#include "tools/moment.h"
#include "tools/tier_figures.h"

#define MESH_NS 300000000u /* of all kernels and classes together */
#define GENERATE_NS 100000000u
#define ROUNDS_MIN 2u
#define ROUNDS_MAX 100u
#define SAMPLES_MAX (ROUNDS_MAX * ADIT_TIER_POOL)

/* The times of one class by one kernel: of each chunk, and of each round over all of them. */
struct series {
    uint32_t n, rounds;
    double chunk_ns[SAMPLES_MAX], round_ns[ROUNDS_MAX], energy_uj;
};

/* One chunk, of the world; what is done to it. */
typedef int work(void *user, const struct adit_tier_chunks *world, uint32_t chunk);

static int pool_take(work *run, void *user, const struct adit_tier_chunks *world, enum adit_cost_kind kind, uint32_t size,
                     const struct adit_tier_energy *energy, struct series *s)
{
    const uint32_t n = world->pool_n[kind][size];
    struct adit_tier_energy_look look;
    double sum = 0;
    int error = 0;
    adit_tier_energy_look(energy, &look);
    for (uint32_t i = 0; i < n && !error; i++) {
        uint64_t begin = adit_moment_ns();
        error = adit_interrupt_is_set() ? -EINTR : run(user, world, world->pool[kind][size][i]);
        double ns = (double)(adit_moment_ns() - begin);
        sum += ns;
        s->chunk_ns[s->n++] = ns;
    }
    s->energy_uj += adit_tier_energy_since(energy, &look);
    s->round_ns[s->rounds++] = n ? sum / n : 0;
    return error;
}

static void cell_fill(struct series *s, const struct adit_tier_energy *energy, struct adit_tier_cell *cell)
{
    double each = adit_tier_percentile(s->round_ns, s->rounds, 0.5);
    if (!s->n)
        return;
    *cell = (struct adit_tier_cell){.is_measured = true, .cost = {.each_ns = each}, .chunks_per_s = each > 0 ? 1e9 / each : 0,
                                    .p50_ns = adit_tier_percentile(s->chunk_ns, s->n, 0.5), .p99_ns = adit_tier_percentile(s->chunk_ns, s->n, 0.99),
                                    .has_energy = energy->domains_n > 0, .energy_uj = s->energy_uj / s->n};
}

struct mesher {
    adit_mesh_kernel *kernel;
    struct adit_tier_scratch *scratch;
};

static int mesh_one(void *user, const struct adit_tier_chunks *world, uint32_t chunk)
{
    const struct mesher *m = user;
    struct adit_mesh_result result;
    return adit_tier_chunk_mesh(world, chunk, m->kernel, m->scratch, &result);
}

int adit_tier_kernels_measure(adit_mesh_kernel *const *kernels, uint32_t n, const struct adit_tier_chunks *world, struct adit_tier_scratch *scratch,
                              const struct adit_tier_energy *energy, struct adit_tier *const *tiers)
{
    struct series *series = calloc((size_t)n * ADIT_SIZE_CLASSES, sizeof *series);
    int error = series ? 0 : -ENOMEM;
    const uint64_t begin = adit_moment_ns();
    for (uint32_t round = 0; !error && round < ROUNDS_MAX && (round < ROUNDS_MIN || adit_moment_ns() - begin < MESH_NS); round++)
        for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++)
            for (uint32_t k = 0; k < n && !error; k++) {
                struct mesher m = {kernels[k], scratch};
                if (kernels[k])
                    error = pool_take(mesh_one, &m, world, ADIT_COST_MESH, size, energy, &series[k * ADIT_SIZE_CLASSES + size]);
            }
    for (uint32_t k = 0; k < n && !error; k++)
        for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++)
            cell_fill(&series[k * ADIT_SIZE_CLASSES + size], energy, &tiers[k]->cell[ADIT_COST_MESH][size]);
    free(series);
    return error;
}

static int generate_one(void *user, const struct adit_tier_chunks *world, uint32_t chunk)
{
    const int32_t *at = world->chunk[chunk].at;
    adit_generate(adit_generator_named("terrain"), ADIT_TIER_SEED, at[0], at[1], at[2], user);
    return 0;
}

int adit_tier_generate_measure(const struct adit_tier_chunks *world, const struct adit_tier_energy *energy, struct adit_tier *tier)
{
    struct series *series = calloc(ADIT_SIZE_CLASSES, sizeof *series);
    uint16_t *voxels = malloc(ADIT_CHUNK_VOXELS * sizeof *voxels);
    int error = series && voxels ? 0 : -ENOMEM;
    const uint64_t begin = adit_moment_ns();
    for (uint32_t round = 0; !error && round < ROUNDS_MAX && (round < ROUNDS_MIN || adit_moment_ns() - begin < GENERATE_NS); round++)
        for (uint32_t size = 0; size < ADIT_SIZE_CLASSES && !error; size++)
            error = pool_take(generate_one, voxels, world, ADIT_COST_GENERATE, size, energy, &series[size]);
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES && !error; size++)
        cell_fill(&series[size], energy, &tier->cell[ADIT_COST_GENERATE][size]);
    free(voxels);
    free(series);
    return error;
}
