#include "perf/gpu_generate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "gpu/gpu_parts.h"
#include "perf/clock.h"
#include "perf/lab_stats.h"
#include "runtime/adit.h"

#define WAIT_NS 60000000000u
#define ROUNDS_MAX 15u
#define THREADS_MAX 256u
#define SEED 1u
#define COMPARED 64u /* chunks of a batch that are looked at */
#define ACROSS 8u    /* along x */
#define SOFTWARE_CHUNKS 64u

static double median_of(double *v, uint32_t n)
{
    stats_sort(v, n);
    return stats_median(v, n);
}

/* Chunk i of a world: 8 along x, two layers, as gpu_world_make has them. */
static void place(uint32_t i, int32_t at[3])
{
    at[0] = (int32_t)(i % ACROSS);
    at[1] = (int32_t)(i / ACROSS % 2);
    at[2] = (int32_t)(i / ACROSS / 2);
}

static int start(struct adit_generate_batch *b, const struct adit_generator *g, uint32_t chunks, uint32_t first)
{
    adit_generate_batch_begin(b);
    for (uint32_t i = 0; i < chunks; i++) {
        int32_t at[3];
        place(first + i, at);
        int error = adit_generate_batch_add(b, g, SEED, at[0], at[1], at[2]);
        if (error)
            return error;
    }
    return adit_generate_batch_submit(b);
}

/* How many of some chunks, spread over a batch that holds those from first on, are not the CPU's. */
static uint32_t differing(const struct adit_generate_batch *b, const struct adit_generator *g, uint32_t chunks, uint32_t first)
{
    static uint16_t want[ADIT_CHUNK_VOXELS];
    uint32_t differ = 0, step = chunks > COMPARED ? chunks / COMPARED : 1;
    for (uint32_t i = 0; i < chunks; i += step) {
        const uint16_t *got;
        int32_t at[3];
        place(first + i, at);
        adit_generate(g, SEED, at[0], at[1], at[2], want);
        adit_generate_batch_result(b, i, &got);
        differ += memcmp(got, want, sizeof want) != 0;
    }
    return differ;
}

static bool said(const char *what, const char *why)
{
    printf("  FAILED: %s: %s\n", what, why);
    return false;
}

static bool compare_worlds(struct adit_gpu *gpu)
{
    const uint32_t each = 16;
    const struct adit_generator *g;
    struct adit_generate_batch *b;
    bool well = true;
    if (adit_generate_batch_open(gpu, each, &b))
        return said("a batch", adit_detail());
    for (uint32_t n = 0; (g = adit_generator_at(n)); n++) {
        uint32_t differ = 0;
        for (uint32_t first = 0; first < 4 * each; first += each) {
            if (start(b, g, each, first) || adit_generate_batch_wait(b, WAIT_NS)) {
                well = said(g->name, adit_detail());
                break;
            }
            differ += differing(b, g, each, first);
        }
        printf("  %-10s %u chunks: %s\n", g->name, 4 * each, differ ? "DIFFERENT" : "equal");
        if (differ)
            well = said(g->name, "its chunks are not those of the CPU");
    }
    adit_generate_batch_close(&b);
    return well;
}

/* ---- batches of terrain */

struct run {
    double end_to_end_ns;             /* a chunk */
    struct adit_generate_times times; /* a chunk */
};

/* Two batches in flight by turns, so that copies of one run beside the other's filling. */
static int run_pair(struct adit_generate_batch *b[2], const struct adit_generator *g, uint32_t chunks, uint32_t rounds, struct run *run)
{
    double begin = clock_now_ns();
    int error = 0;
    for (uint32_t i = 0; i <= rounds && !error; i++) {
        if (i < rounds)
            error = start(b[i & 1], g, chunks, i * chunks);
        if (i > 0 && !error)
            error = adit_generate_batch_wait(b[(i - 1) & 1], WAIT_NS);
    }
    run->end_to_end_ns = (clock_now_ns() - begin) / ((double)rounds * chunks);
    adit_generate_batch_times(b[0], &run->times);
    double *t = (double *)&run->times;
    for (uint32_t i = 0; i < sizeof run->times / sizeof *t; i++)
        t[i] /= chunks;
    return error;
}

static void print_size(uint32_t chunks, const struct run *r, json_t *rows)
{
    const struct adit_generate_times *t = &r->times;
    double device = t->columns + t->voxels;
    printf("  %6u %10.0f %10.3f | %10.0f %10.3f = %8.3f %8.3f | %7.3f %7.3f\n", chunks, 1e9 / r->end_to_end_ns, r->end_to_end_ns / 1e3,
           device > 0 ? 1e9 / device : 0, device / 1e3, t->columns / 1e3, t->voxels / 1e3, t->copy_in / 1e3, t->copy_out / 1e3);
    json_array_append_new(rows, json_pack("{s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "chunks", (int)chunks, "chunks_per_s",
                                          1e9 / r->end_to_end_ns, "us_each", r->end_to_end_ns / 1e3, "device_us", device / 1e3,
                                          "columns_us", t->columns / 1e3, "voxels_us", t->voxels / 1e3, "copy_in_us", t->copy_in / 1e3,
                                          "copy_out_us", t->copy_out / 1e3));
}

static bool measure_size(struct adit_gpu *gpu, uint32_t chunks, uint32_t repeats, json_t *rows)
{
    const struct adit_generator *g = adit_generator_named("terrain");
    struct adit_generate_batch *b[2] = {NULL, NULL};
    struct run runs[ROUNDS_MAX];
    double values[ROUNDS_MAX];
    uint32_t rounds = gpu->of->is_software ? 2 : chunks >= 1024 ? 4 : chunks >= 64 ? 8 : 32;
    int error = 0;
    for (uint32_t i = 0; i < 2 && !error; i++)
        error = adit_generate_batch_open(gpu, chunks, &b[i]);
    if (!error)
        error = run_pair(b, g, chunks, 2, &runs[0]); /* warm */
    for (uint32_t i = 0; i < repeats && !error; i++) {
        error = run_pair(b, g, chunks, rounds, &runs[i]);
        values[i] = runs[i].end_to_end_ns;
    }
    uint32_t differ = error ? 0 : differing(b[1], g, chunks, (rounds - 1) * chunks);
    if (!error) {
        double middle = median_of(values, repeats);
        uint32_t i = 0;
        while (i + 1 < repeats && runs[i].end_to_end_ns < middle)
            i++;
        for (uint32_t k = 0; k < repeats; k++) /* the run of the median stands for all */
            if (runs[k].end_to_end_ns == middle)
                i = k;
        print_size(chunks, &runs[i], rows);
    }
    adit_generate_batch_close(&b[0]);
    adit_generate_batch_close(&b[1]);
    if (error)
        return said("a batch size", adit_detail());
    return !differ || said("a batch size", "its chunks are not those of the CPU");
}

/* ---- the CPU beside it */

struct crew {
    uint32_t next, n;
};

static void *make_some(void *user)
{
    struct crew *c = user;
    uint16_t *voxels = malloc(ADIT_CHUNK_VOXELS * sizeof *voxels);
    for (uint32_t i; voxels && (i = __atomic_fetch_add(&c->next, 1, __ATOMIC_RELAXED)) < c->n;) {
        int32_t at[3];
        place(i, at);
        adit_generate_terrain(SEED, 0, at[0], at[1], at[2], voxels);
    }
    free(voxels);
    return NULL;
}

static double cpu_us_each(uint32_t threads, uint32_t n)
{
    struct crew c = {.n = n};
    pthread_t t[THREADS_MAX];
    uint32_t started = 0;
    double begin = clock_now_ns();
    while (started < threads && started < THREADS_MAX && !pthread_create(&t[started], NULL, make_some, &c))
        started++;
    for (uint32_t i = 0; i < started; i++)
        pthread_join(t[i], NULL);
    return (clock_now_ns() - begin) / n / 1e3;
}

static void measure_cpu(json_t *out)
{
    enum { N = 128, TIMES = 5 };
    uint32_t all = (uint32_t)get_nprocs();
    double v[TIMES], one;
    for (uint32_t i = 0; i < TIMES; i++)
        v[i] = cpu_us_each(1, N);
    one = median_of(v, TIMES);
    for (uint32_t i = 0; i < TIMES; i++)
        v[i] = cpu_us_each(all, N * (all < 16 ? all : 16));
    double crew = median_of(v, TIMES);
    printf("  adit_generate_terrain: %.1f us a chunk on one thread (%.0f a second), %.1f us on %u (%.0f a second)\n", one, 1e6 / one, crew, all,
           1e6 / crew);
    json_object_set_new(out, "cpu", json_pack("{s:f, s:f, s:i}", "one_us", one, "all_us", crew, "threads", (int)all));
}

bool gpu_generate_bench(struct adit_gpu *gpu, const struct gpu_effort *effort, json_t *report)
{
    const uint32_t repeats = effort->repeats < ROUNDS_MAX ? effort->repeats : ROUNDS_MAX;
    static const uint32_t sizes[] = {1, 16, 64, 256, 1024};
    json_t *out = json_object(), *rows = json_array();
    puts("generating: equality with the CPU");
    bool well = compare_worlds(gpu);
    puts("generating terrain\n   BATCH   CHUNKS/S    US EACH |   DEVICE/S  DEVICE US =  COLUMNS   VOXELS | COPY IN     OUT");
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes && !gpu_effort_is_spent(effort, sizes[i]); i++)
        if ((uint64_t)sizes[i] * ADIT_CHUNK_VOXELS * 2 <= gpu->of->range_max && (!gpu->of->is_software || sizes[i] <= SOFTWARE_CHUNKS))
            well &= measure_size(gpu, sizes[i], repeats, rows);
    measure_cpu(out);
    json_object_set_new(out, "batches", rows);
    json_object_set_new(report, "generate", out);
    return well;
}
