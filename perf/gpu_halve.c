#include "perf/gpu_halve.h"

#include <stdio.h>
#include <string.h>

#include "gpu/gpu_parts.h"
#include "gpu/lod_batch.h"
#include "perf/clock.h"
#include "perf/lab_stats.h"
#include "runtime/adit.h"
#include "runtime/encoding.h"

#define WAIT_NS 60000000000u
#define ROUNDS_MAX 15u
#define SOFTWARE_CHUNKS 64u

static double median_of(double *v, uint32_t n)
{
    stats_sort(v, n);
    return stats_median(v, n);
}

static bool said(const char *what, const char *why)
{
    printf("  FAILED: %s: %s\n", what, why);
    return false;
}

static int start(struct adit_lod_batch *b, const struct gpu_world *w, uint32_t chunks, uint32_t first)
{
    adit_lod_batch_begin(b);
    for (uint32_t i = 0; i < chunks; i++) {
        const struct adit_mesh_task *t = &w->tasks[(first + i) % w->n];
        int error = adit_lod_batch_add(b, t->version, t->bytes);
        if (error)
            return error;
    }
    return adit_lod_batch_submit(b);
}

/* What the CPU does for the same: the encoding read, then halved. */
static void halve_on_cpu(adit_lod_kernel *kernel, const struct adit_mesh_task *task, uint16_t *to)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    (void)adit_decode_chunk_within(task->version, task->bytes, voxels);
    (void)kernel(&(struct adit_lod_halving){.from = voxels, .to = to, .to_row = 32, .to_layer = 32 * 32, .dim = {64, 64, 64}});
}

/* How many of a batch's chunks, those from first on, are not the CPU's; each of the world is looked at once. */
static uint32_t differing(const struct adit_lod_batch *b, const struct gpu_world *w, uint32_t chunks, uint32_t first)
{
    static uint16_t want[ADIT_LOD_BATCH_VOXELS];
    uint32_t differ = 0;
    for (uint32_t i = 0; i < chunks && i < w->n; i++) {
        const uint16_t *got;
        halve_on_cpu(adit_lod_scalar, &w->tasks[(first + i) % w->n], want);
        adit_lod_batch_result(b, i, &got);
        differ += memcmp(got, want, sizeof want) != 0;
    }
    return differ;
}

struct run {
    double end_to_end_ns;        /* a chunk */
    struct adit_lod_times times; /* a chunk */
};

/* Two batches in flight by turns: one is filled while the device works on the other. */
static int run_pair(struct adit_lod_batch *b[2], const struct gpu_world *w, uint32_t chunks, uint32_t rounds, struct run *run)
{
    double begin = clock_now_ns();
    int error = 0;
    for (uint32_t i = 0; i <= rounds && !error; i++) {
        if (i < rounds)
            error = start(b[i & 1], w, chunks, i * chunks);
        if (i > 0 && !error)
            error = adit_lod_batch_wait(b[(i - 1) & 1], WAIT_NS);
    }
    run->end_to_end_ns = (clock_now_ns() - begin) / ((double)rounds * chunks);
    adit_lod_batch_times(b[0], &run->times);
    run->times.copy_in /= chunks;
    run->times.halve /= chunks;
    run->times.copy_out /= chunks;
    return error;
}

static void print_size(uint32_t chunks, double ns, const struct adit_lod_times *t, json_t *rows)
{
    printf("  %6u %10.0f %10.3f | %10.3f | %7.3f %7.3f\n", chunks, 1e9 / ns, ns / 1e3, t->halve / 1e3, t->copy_in / 1e3, t->copy_out / 1e3);
    json_array_append_new(rows, json_pack("{s:i, s:f, s:f, s:f, s:f, s:f}", "chunks", (int)chunks, "chunks_per_s", 1e9 / ns, "us_each", ns / 1e3,
                                          "halve_us", t->halve / 1e3, "copy_in_us", t->copy_in / 1e3, "copy_out_us", t->copy_out / 1e3));
}

static bool measure_size(struct adit_gpu *gpu, const struct gpu_world *w, uint32_t chunks, uint32_t repeats, json_t *rows)
{
    struct adit_lod_batch *b[2] = {NULL, NULL};
    struct run runs[ROUNDS_MAX];
    double values[ROUNDS_MAX];
    uint32_t rounds = chunks >= 1024 ? 4 : chunks >= 64 ? 8 : 32, middle = 0, differ = 0;
    int error = 0;
    for (uint32_t i = 0; i < 2 && !error; i++)
        error = adit_lod_batch_open(gpu, chunks, (size_t)chunks * w->bytes_each_max, &b[i]);
    if (!error)
        error = run_pair(b, w, chunks, 2, &runs[0]); /* warm */
    for (uint32_t i = 0; i < repeats && !error; i++) {
        error = run_pair(b, w, chunks, rounds, &runs[i]);
        values[i] = runs[i].end_to_end_ns;
    }
    if (!error) {
        double ns = median_of(values, repeats);
        for (uint32_t i = 0; i < repeats; i++) /* the run of the median stands for all */
            middle = runs[i].end_to_end_ns == ns ? i : middle;
        differ = differing(b[1], w, chunks, (rounds - 1) * chunks);
        print_size(chunks, ns, &runs[middle].times, rows);
    }
    adit_lod_batch_close(&b[0]);
    adit_lod_batch_close(&b[1]);
    if (error)
        return said("a batch size", adit_detail());
    return !differ || said("a batch size", "its voxels are not those of the CPU");
}

static void measure_cpu(const struct gpu_world *w, json_t *out)
{
    enum { N = 256, TIMES = 5 };
    static uint16_t to[ADIT_LOD_BATCH_VOXELS];
    const char *name;
    adit_lod_kernel *kernel = adit_lod_kernel_best(&name);
    double v[TIMES];
    for (uint32_t i = 0; i < TIMES; i++) {
        double begin = clock_now_ns();
        for (uint32_t k = 0; k < N; k++)
            halve_on_cpu(kernel, &w->tasks[k % w->n], to);
        v[i] = (clock_now_ns() - begin) / N / 1e3;
    }
    double us = median_of(v, TIMES);
    printf("  the CPU beside it, %s, decoding counted: %.2f us a chunk on one thread\n", name, us);
    json_object_set_new(out, "cpu", json_pack("{s:s, s:f}", "kernel", name, "one_us", us));
}

bool gpu_halve_bench(struct adit_gpu *gpu, const struct gpu_world *w, const struct gpu_effort *effort, json_t *report)
{
    const uint32_t repeats = effort->repeats < ROUNDS_MAX ? effort->repeats : ROUNDS_MAX;
    static const uint32_t sizes[] = {1, 16, 64, 256, 1024};
    json_t *out = json_object(), *rows = json_array();
    bool well = true;
    printf("halving %s: what is compared are the voxels of the last batch\n   BATCH   CHUNKS/S    US EACH |  DEVICE US | COPY IN     OUT\n", w->name);
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes && !gpu_effort_is_spent(effort, sizes[i]); i++)
        if ((uint64_t)sizes[i] * w->bytes_each_max <= gpu->of->range_max && (!gpu->of->is_software || sizes[i] <= SOFTWARE_CHUNKS))
            well &= measure_size(gpu, w, sizes[i], repeats, rows);
    measure_cpu(w, out);
    json_object_set_new(out, "batches", rows);
    json_object_set_new(report, "halve", out);
    return well;
}
