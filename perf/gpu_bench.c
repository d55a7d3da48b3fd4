/* gpu_bench.c - what a Vulkan device makes of meshing, generating and halving, on a machine that has one: equality first, then figures beside the raw limits.
 *
 *     gpu-bench [--json FILE] [--device N] [--short] [--seconds N] [--ao]            ao: meshes have ambient occlusion, without a rim
 *
 * Needs no arena and nothing installed but a driver and its loader: it can be run from a copied build tree. After four minutes (--seconds) no larger batches are tried. Each section prints as it goes; one that fails
 * says why, and the others go on. Exit 0: all that was compared was equal; 1: something was not, or failed; 2: usage, or no device. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "gpu/host_import.h"
#include "perf/clock.h"
#include "perf/gpu_equal.h"
#include "perf/gpu_generate.h"
#include "perf/gpu_halve.h"
#include "perf/gpu_raw.h"
#include "perf/gpu_world.h"
#include "perf/lab_stats.h"
#include "runtime/adit.h"

#define WAIT_NS 60000000000u
#define LINK_BYTES (256u << 20)
#define ROUNDS 15u
#define HANDS 6u
#define SECONDS 240u

struct options {
    const char *json;
    uint32_t device;
    struct gpu_effort effort;
    bool is_short, has_ao, wants_help, wants_version;
};

static json_t *report;
static bool all_well = true;

static double median_of(double *v, uint32_t n)
{
    stats_sort(v, n);
    return stats_median(v, n);
}

static void wrong(const char *what, const char *why)
{
    printf("  FAILED: %s: %s\n", what, why);
    all_well = false;
}

/* ---- devices */

static void print_devices(const struct adit_gpu_list *list)
{
    json_t *all = json_array();
    printf("devices (%u, %u folded)\n", list->n, list->folded);
    for (uint32_t i = 0; i < list->n; i++) {
        const struct adit_gpu_device *d = &list->devices[i];
        printf("  %u %s%s, driver %s %s, pci %s node %d, %llu MiB own memory%s, subgroup %u, buffers to %llu MiB, import align %u, "
               "timestamps %.3f ns%s%s\n",
               i, d->name, d->is_software ? " (software)" : "", d->driver, d->driver_info, *d->pci ? d->pci : "-", d->node,
               (unsigned long long)(d->local_bytes >> 20), d->is_unified ? " (unified)" : "", d->subgroup,
               (unsigned long long)(d->range_max >> 20), d->import_align, (double)d->timestamp_ns, d->unfit ? ", UNFIT: " : "",
               d->unfit ? d->unfit : "");
        json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:b, s:s, s:i, s:I, s:i, s:i}", "name", d->name, "driver", d->driver,
                                             "driver_info", d->driver_info, "software", d->is_software, "pci", d->pci, "node",
                                             d->node, "local_bytes", (json_int_t)d->local_bytes, "subgroup", (int)d->subgroup,
                                             "import_align", (int)d->import_align));
    }
    json_object_set_new(report, "devices", all);
}

/* ---- imports */

static void import_one(struct adit_gpu *gpu, const char *name, void *at, json_t *out)
{
    struct adit_gpu_memory m;
    if (at == MAP_FAILED || !at) {
        printf("  %-34s not to be had here\n", name);
        json_object_set_new(out, name, json_null());
        return;
    }
    double begin = clock_now_ns();
    VkResult r = adit_host_import_open(gpu, at, 4u << 20, &m);
    double ns = clock_now_ns() - begin;
    printf("  %-34s %s, %.0f us\n", name, adit_vulkan_result(r), ns / 1e3);
    json_object_set_new(out, name, json_string(adit_vulkan_result(r)));
    if (!r)
        adit_gpu_memory_close(gpu, &m);
}

static void *map_memfd(unsigned flags, int prot)
{
    int fd = memfd_create("gpu-bench", MFD_CLOEXEC | flags);
    void *at = fd >= 0 && !ftruncate(fd, 4 << 20) ? mmap(NULL, 4u << 20, prot, MAP_SHARED | MAP_POPULATE, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    return at;
}

static void try_imports(struct adit_gpu *gpu)
{
    json_t *out = json_object();
    void *plain = aligned_alloc(1u << 21, 4u << 20);
    if (plain)
        memset(plain, 1, 4u << 20);
    puts("imports of 4 MiB of host memory");
    import_one(gpu, "private memory", plain, out);
    import_one(gpu, "memfd, 4 KiB pages", map_memfd(0, PROT_READ | PROT_WRITE), out);
    import_one(gpu, "memfd, 2 MiB pages", map_memfd(MFD_HUGETLB, PROT_READ | PROT_WRITE), out);
    import_one(gpu, "memfd, mapped read-only", map_memfd(0, PROT_READ), out);
    free(plain);
    json_object_set_new(report, "imports", out);
}

/* ---- batches */

struct run {
    double end_to_end_ns, fill_ns; /* a chunk: all; the host's part of it before the submission */
    struct adit_mesh_times times;  /* a chunk */
};

static int fill(struct adit_mesh_batch *b, const struct gpu_world *w, uint32_t chunks, uint32_t first)
{
    adit_mesh_batch_begin(b);
    for (uint32_t i = 0; i < chunks; i++) {
        int error = adit_mesh_batch_add(b, &w->tasks[(first + i) % w->n]);
        if (error)
            return error;
    }
    return 0;
}

/* Two batches in flight by turns: one is filled while the device works on the other. */
static int run_pair(struct adit_mesh_batch *b[2], const struct gpu_world *w, uint32_t chunks, uint32_t rounds, struct run *run)
{
    double fills = 0, begin = clock_now_ns();
    int error = 0;
    for (uint32_t i = 0; i <= rounds && !error; i++) {
        if (i < rounds) {
            double from = clock_now_ns();
            error = fill(b[i & 1], w, chunks, i * chunks);
            fills += clock_now_ns() - from;
            error = error ? error : adit_mesh_batch_submit(b[i & 1]);
        }
        if (i > 0 && !error)
            error = adit_mesh_batch_wait(b[(i - 1) & 1], WAIT_NS);
    }
    double each = (double)rounds * chunks;
    run->end_to_end_ns = (clock_now_ns() - begin) / each;
    run->fill_ns = fills / each;
    adit_mesh_batch_times(b[0], &run->times);
    double *t = (double *)&run->times;
    for (uint32_t i = 0; i < sizeof run->times / sizeof *t; i++)
        t[i] /= chunks;
    return error;
}

/* As many threads as pay, each with two batches of its own. */
struct hand {
    struct adit_gpu *gpu;
    const struct gpu_world *world;
    uint32_t chunks, rounds;
    pthread_barrier_t *begin;
    int error;
};

static void *run_hand(void *user)
{
    struct hand *h = user;
    struct adit_mesh_batch *b[2] = {NULL, NULL};
    struct run run;
    for (uint32_t i = 0; i < 2 && !h->error; i++)
        h->error = adit_mesh_batch_open(h->gpu, h->world->classes, h->chunks, (size_t)h->chunks * h->world->bytes_each_max, &b[i]);
    if (!h->error)
        h->error = run_pair(b, h->world, h->chunks, 2, &run);
    (void)pthread_barrier_wait(h->begin);
    if (!h->error)
        h->error = run_pair(b, h->world, h->chunks, h->rounds, &run);
    (void)pthread_barrier_wait(h->begin);
    adit_mesh_batch_close(&b[0]);
    adit_mesh_batch_close(&b[1]);
    return NULL;
}

/* Microseconds a chunk with HANDS threads, negative when it failed. */
static double run_hands(struct adit_gpu *gpu, const struct gpu_world *w, uint32_t chunks, uint32_t rounds)
{
    struct hand h[HANDS];
    pthread_t t[HANDS];
    pthread_barrier_t begin;
    bool well = true;
    pthread_barrier_init(&begin, NULL, HANDS + 1);
    for (uint32_t i = 0; i < HANDS; i++) {
        h[i] = (struct hand){.gpu = gpu, .world = w, .chunks = chunks, .rounds = rounds, .begin = &begin};
        if (pthread_create(&t[i], NULL, run_hand, &h[i]))
            exit(1); /* the others would wait for it */
    }
    (void)pthread_barrier_wait(&begin);
    double from = clock_now_ns();
    (void)pthread_barrier_wait(&begin);
    double ns = clock_now_ns() - from;
    for (uint32_t i = 0; i < HANDS; i++) {
        pthread_join(t[i], NULL);
        well &= !h[i].error;
    }
    pthread_barrier_destroy(&begin);
    return well ? ns / 1e3 / (HANDS * (double)rounds * chunks) : -1;
}

static void measure_size(struct adit_gpu *gpu, const struct gpu_world *w, uint32_t chunks, uint32_t repeats, json_t *rows)
{
    struct adit_mesh_batch *b[2] = {NULL, NULL};
    struct run runs[ROUNDS], *r = NULL;
    double values[ROUNDS];
    int error = 0;
    for (uint32_t i = 0; i < 2 && !error; i++)
        error = adit_mesh_batch_open(gpu, w->classes, chunks, (size_t)chunks * w->bytes_each_max, &b[i]);
    uint32_t rounds = chunks >= 1024 ? 3 : chunks >= 64 ? 8 : 32;
    if (!error)
        error = run_pair(b, w, chunks, 2, &runs[0]); /* warm, and room for quads */
    for (uint32_t i = 0; i < repeats && !error; i++)
        error = run_pair(b, w, chunks, rounds, &runs[i]);
    if (error)
        wrong("a batch size", adit_detail());
    for (uint32_t i = 0; i < repeats && !error; i++)
        values[i] = runs[i].end_to_end_ns;
    if (!error) {
        double middle = median_of(values, repeats);
        for (uint32_t i = 0; i < repeats; i++) /* the run of the median stands for all */
            if (runs[i].end_to_end_ns == middle || !r)
                r = &runs[i];
        bool has_hands = chunks <= 1024 && !gpu->of->is_software; /* those of software are the CPU's, too */
        double hands = has_hands ? run_hands(gpu, w, chunks, rounds) : -1;
        char six[16] = "-";
        if (hands >= 0)
            snprintf(six, sizeof six, "%.3f", hands);
        else if (has_hands)
            wrong("six threads", "a batch failed");
        double device = r->times.decode + r->times.rows + r->times.count + r->times.emit;
        printf("  %6u %10.0f %10.3f %8.3f %9s | %8.3f = %7.3f %7.3f %7.3f %7.3f | %7.3f %7.3f\n", chunks, 1e9 / middle,
               middle / 1e3, r->fill_ns / 1e3, six, device / 1e3, r->times.decode / 1e3, r->times.rows / 1e3, r->times.count / 1e3, r->times.emit / 1e3,
               r->times.copy_in / 1e3, r->times.copy_out / 1e3);
        json_array_append_new(rows, json_pack("{s:i, s:o, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "chunks", (int)chunks, "six_threads_us",
                                              hands >= 0 ? json_real(hands) : json_null(), "chunks_per_s",
                                              1e9 / middle, "us_each", middle / 1e3, "fill_us", r->fill_ns / 1e3, "device_us",
                                              device / 1e3, "decode_us", r->times.decode / 1e3, "rows_us", r->times.rows / 1e3,
                                              "count_us", r->times.count / 1e3, "emit_us", r->times.emit / 1e3, "copies_us",
                                              (r->times.copy_in + r->times.copy_out) / 1e3));
    }
    adit_mesh_batch_close(&b[0]);
    adit_mesh_batch_close(&b[1]);
}

static void measure_sizes(struct adit_gpu *gpu, const struct gpu_world *w, const struct options *o)
{
    static const uint32_t sizes[] = {1, 4, 16, 64, 256, 1024, 4096};
    json_t *rows = json_array();
    printf("%s: %u chunks, %.1f KiB of source and %.0f quads each\n", w->name, w->n, (double)w->source_bytes / 1024.0 / w->n,
           (double)w->quads / w->n);
    puts("   BATCH   CHUNKS/S    US EACH  FILL US 6 THREADS | DEVICE US = DECODE    ROWS   COUNT    EMIT | COPY IN     OUT");
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes && !gpu_effort_is_spent(&o->effort, sizes[i]); i++)
        if ((uint64_t)sizes[i] * ADIT_CHUNK_VOXELS * 2 <= gpu->of->range_max && (!gpu->of->is_software || sizes[i] <= 64))
            measure_size(gpu, w, sizes[i], o->effort.repeats, rows);
    json_object_set_new(report, w->name, json_pack("{s:i, s:f, s:o}", "quads", (int)(w->quads / w->n), "source_bytes_each",
                                                   (double)w->source_bytes / w->n, "batches", rows));
}

/* ---- equality */

static void compare_world(struct adit_gpu *gpu, const struct gpu_world *w)
{
    const uint32_t each = 32;
    struct adit_mesh_batch *b;
    uint32_t differ = 0;
    if (adit_mesh_batch_open(gpu, w->classes, each, (size_t)each * w->bytes_each_max, &b)) {
        wrong(w->name, adit_detail());
        return;
    }
    for (uint32_t first = 0; first < w->n; first += each) {
        uint32_t n = w->n - first < each ? w->n - first : each;
        if (fill(b, w, n, first) || adit_mesh_batch_submit(b) || adit_mesh_batch_wait(b, WAIT_NS)) {
            wrong(w->name, adit_detail());
            break;
        }
        for (uint32_t i = 0; i < n; i++) {
            struct adit_mesh_result got;
            adit_mesh_batch_result(b, i, &got);
            differ += !gpu_world_equals(w, first + i, &got);
        }
    }
    printf("  %-10s %u chunks, %llu quads: %s\n", w->name, w->n, (unsigned long long)w->quads, differ ? "DIFFERENT" : "equal");
    if (differ)
        wrong(w->name, "its meshes are not those of the CPU");
    adit_mesh_batch_close(&b);
}

/* ---- the CPU beside it */

struct crew {
    const struct gpu_world *world;
    uint32_t next, n;
};

static void *mesh_some(void *user)
{
    struct crew *c = user;
    struct gpu_world_cpu *cpu = gpu_world_cpu_open();
    for (uint32_t i; cpu && (i = __atomic_fetch_add(&c->next, 1, __ATOMIC_RELAXED)) < c->n;)
        gpu_world_cpu_mesh(cpu, c->world, i % c->world->n);
    gpu_world_cpu_close(cpu);
    return NULL;
}

static double cpu_us_each(const struct gpu_world *w, uint32_t threads, uint32_t n)
{
    struct crew c = {.world = w, .n = n};
    pthread_t t[256];
    uint32_t started = 0;
    double begin = clock_now_ns();
    while (started < threads && started < 256 && !pthread_create(&t[started], NULL, mesh_some, &c))
        started++;
    for (uint32_t i = 0; i < started; i++)
        pthread_join(t[i], NULL);
    return (clock_now_ns() - begin) / n / 1e3;
}

static void measure_cpu(const struct gpu_world *w, const struct options *o)
{
    uint32_t all = (uint32_t)get_nprocs(), n = o->is_short ? 512 : 2048;
    double v[5], one, crew;
    for (uint32_t i = 0; i < 5; i++)
        v[i] = cpu_us_each(w, 1, n / 4);
    one = median_of(v, 5);
    for (uint32_t i = 0; i < 5; i++)
        v[i] = cpu_us_each(w, all, n);
    crew = median_of(v, 5);
    const char *name;
    (void)adit_mesh_kernel_best(&name);
    printf("  %-10s %s, decoding counted: %.2f us a chunk on one thread, %.2f us on %u\n", w->name, name, one, crew, all);
    json_object_set_new(json_object_get(report, w->name), "cpu", json_pack("{s:s, s:f, s:f, s:i}", "kernel", name, "one_us", one,
                                                                          "all_us", crew, "threads", (int)all));
}

/* ---- raw limits */

/* An empty batch costs no submission, so the least one meshes a chunk of air. */
static void measure_latency(struct adit_gpu *gpu, const struct gpu_world *w)
{
    enum { N = 400 };
    static double v[N];
    struct gpu_raw raw;
    if (gpu_raw_open(gpu, LINK_BYTES, &raw)) {
        wrong("raw limits", "the device has no memory for them");
        return;
    }
    for (uint32_t i = 0; i < N; i++)
        v[i] = gpu_raw_empty_ns(&raw);
    stats_sort(v, N);
    double p50 = stats_percentile(v, N, 0.5) / 1e3, p99 = stats_percentile(v, N, 0.99) / 1e3, up[5], down[5], own[5];
    for (uint32_t i = 0; i < 5; i++) {
        up[i] = gpu_raw_copy_ns(&raw, GPU_RAW_UP);
        down[i] = gpu_raw_copy_ns(&raw, GPU_RAW_DOWN);
        own[i] = gpu_raw_copy_ns(&raw, GPU_RAW_OWN);
    }
    double to = LINK_BYTES / median_of(up, 5), from = LINK_BYTES / median_of(down, 5), inside = LINK_BYTES / median_of(own, 5);
    printf("raw limits\n  an empty submission, waited for: p50 %.1f us, p99 %.1f us\n"
           "  copies of %u MiB: to the device %.2f GB/s, from it %.2f GB/s, within it %.1f GB/s\n"
           "  so %s cannot take less than %.3f us a chunk in and %.3f us out\n",
           p50, p99, LINK_BYTES >> 20, to, from, inside, w->name, (double)w->source_bytes / to / w->n / 1e3, 8.0 * (double)w->quads / from / w->n / 1e3);
    json_object_set_new(report, "raw", json_pack("{s:f, s:f, s:f, s:f, s:f}", "empty_p50_us", p50, "empty_p99_us", p99, "up_gb_per_s", to,
                                                 "down_gb_per_s", from, "own_gb_per_s", inside));
    gpu_raw_close(&raw);
}

/* ---- the program */

static int usage(const char *what)
{
    fprintf(what ? stderr : stdout, "%s%susage: gpu-bench [--json FILE] [--device N] [--short] [--seconds N] [--ao] | --version\n", what ? what : "", what ? "\n" : "");
    return what ? 2 : 0;
}

/* A number of this argument alone. */
static bool number_of(const char *text, uint32_t *out)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    *out = (uint32_t)n;
    return isdigit((unsigned char)*text) && !*end && !errno && n <= INT32_MAX;
}

static int refuse(const char *what, const char *argument)
{
    char line[256];
    snprintf(line, sizeof line, "gpu-bench: %s '%.200s'", what, argument);
    return usage(line);
}

static int parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--short"))
            o->is_short = true;
        else if (!strcmp(argv[i], "--ao"))
            o->has_ao = true;
        else if (!strcmp(argv[i], "--json") && i + 1 < argc)
            o->json = argv[++i];
        else if (!strcmp(argv[i], "--help"))
            o->wants_help = true;
        else if (!strcmp(argv[i], "--version"))
            o->wants_version = true;
        else if (i + 1 == argc || (strcmp(argv[i], "--device") != 0 && strcmp(argv[i], "--seconds") != 0))
            return refuse("no such option, or nothing behind it:", argv[i]);
        else if (!number_of(argv[i + 1], argv[i][2] == 'd' ? &o->device : &o->effort.seconds))
            return refuse("no number:", argv[i + 1]);
        else
            i++;
    }
    o->effort.repeats = o->is_short ? 3 : 7;
    return 0;
}

static void run_all(struct adit_gpu *gpu, const struct options *o)
{
    struct gpu_world *worlds[3];
    static const char *const names[] = {"terrain", "noise50", "checker"};
    const uint32_t n[] = {o->is_short ? 32 : 256, 8, 4};
    for (uint32_t i = 0; i < 3; i++)
        worlds[i] = gpu_world_make(names[i], 1, n[i], o->has_ao ? ADIT_MESH_AO : 0);
    puts("equality with the CPU's kernels");
    all_well &= gpu_equal_bench(gpu, report);
    for (uint32_t i = 0; i < 3; i++)
        compare_world(gpu, worlds[i]);
    measure_latency(gpu, worlds[0]);
    for (uint32_t i = 0; i < 2 && (!i || !gpu->of->is_software); i++)
        measure_sizes(gpu, worlds[i], o);
    puts("the CPU beside it");
    for (uint32_t i = 0; i < 2 && (!i || !gpu->of->is_software); i++)
        measure_cpu(worlds[i], o);
    all_well &= gpu_generate_bench(gpu, &o->effort, report);
    all_well &= gpu_halve_bench(gpu, worlds[0], &o->effort, report);
    try_imports(gpu);
    for (uint32_t i = 0; i < 3; i++)
        gpu_world_free(worlds[i]);
}

int main(int argc, char **argv)
{
    struct options o = {.effort = {.seconds = SECONDS, .begin_ns = clock_now_ns()}};
    struct adit_gpu_list *list;
    struct adit_gpu *gpu;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (parse(argc, argv, &o))
        return 2;
    if (o.wants_help)
        return usage(NULL);
    if (o.wants_version)
        return printf("gpu-bench %s\n", ADIT_VERSION) < 0;
    if (adit_gpu_list_open(&list)) {
        fprintf(stderr, "gpu-bench: %s\n", adit_detail());
        return 2;
    }
    report = json_object();
    print_devices(list);
    if (o.device >= list->n || adit_gpu_open(list, &list->devices[o.device], &gpu)) {
        fprintf(stderr, "gpu-bench: %s\n", o.device >= list->n ? "no such device" : adit_detail());
        adit_gpu_list_close(&list);
        return 2;
    }
    run_all(gpu, &o);
    adit_gpu_close(&gpu);
    adit_gpu_list_close(&list);
    if (o.json && json_dump_file(report, o.json, JSON_INDENT(1)))
        wrong(o.json, "cannot be written");
    json_decref(report);
    return !all_well;
}
