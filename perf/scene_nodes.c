/* scene_nodes.c - what distance costs: for every node with processors and every node with memory, memory's latency and rate by page size, a read section that opens values there, meshing what lies there, and a line handed to a processor there.
 * What is near stands beside what is far, in turn. A machine of one node has what is near alone.
 *
 * Memory lies where it is said to: each region is bound, touched, and asked for by move_pages; where a node did not give it the figures are left out and say so. */
#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/kernels.h"
#include "perf/lab_arena.h"
#include "perf/raw.h"
#include "perf/scenes.h"
#include "runtime/topology.h"
#include "shm/shm.h"

enum { CHUNKS = 48, VALUES = 2048, VALUE_BYTES = 4096 };

#define LINE 64u
#define REGION_BYTES (256ull << 20)

/* Memory of one node in pages of one size, and a walk through all its lines. */
struct region {
    uint8_t *bytes;
    uint64_t size;
    bool is_there;
};

struct values {
    uint64_t commits[VALUES];
    bool are_there;
};

struct lab {
    const struct adit_topology *topology;
    struct adit_arena *arena;
    struct adit_reader *reader;
    struct values *values; /* of each node */
    uint64_t bytes;        /* of a region */
};

/* One side of a figure: a processor, and what it works on. */
struct side {
    int cpu;
    struct region region;
    struct adit_reader *reader;
    const uint64_t *commits; /* VALUES of them */
    uint64_t *quads;
    uint32_t next;
};

enum page { SMALL, LARGE, PAGES };
static const char *const page_names[PAGES] = {"4 KiB", "2 MiB"};

/* ---- regions ---------------------------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Each line holds the offset of the next one, all in one cycle (Sattolo's algorithm). */
static void make_walk(const struct region *r)
{
    uint64_t n = r->size / LINE, state = 88172645463325252u;
    for (uint64_t i = 0; i < n; i++)
        *(uint64_t *)(r->bytes + i * LINE) = i * LINE;
    for (uint64_t i = n - 1; i > 0; i--) {
        uint64_t *a = (uint64_t *)(r->bytes + i * LINE), *b = (uint64_t *)(r->bytes + next_random(&state) % i * LINE), t = *a;
        *a = *b;
        *b = t;
    }
}

/* The kernel's number of the node on which a page lies; negative: it does not say. */
static int node_of(void *page)
{
    int status = -ENOENT;
    return numa_move_pages(0, 1, &page, NULL, &status, 0) ? -errno : status;
}

static bool lies_on(const struct region *r, uint32_t id)
{
    for (uint32_t i = 0; i < 64; i++) {
        int node = node_of(r->bytes + r->size / 64 * i / 4096 * 4096);
        if (node >= 0 && node != (int)id)
            return false;
    }
    return true;
}

/* 2 MiB pages are asked for with MADV_HUGEPAGE: whether they came is what the figure shows. */
static void make_region(struct region *r, uint64_t bytes, enum page page, uint32_t id)
{
    uint64_t unit = 2u << 20;
    uint8_t *at = mmap(NULL, bytes + unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *r = (struct region){0};
    if (at == MAP_FAILED)
        return;
    *r = (struct region){.bytes = at + (unit - (uintptr_t)at % unit) % unit, .size = bytes};
    (void)madvise(r->bytes, bytes, page == LARGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    if (numa_available() >= 0)
        numa_tonode_memory(r->bytes, bytes, (int)id);
    make_walk(r); /* touches all */
    r->is_there = numa_available() < 0 || lies_on(r, id);
}

/* Mappings are left to the end of the scene's process but for this: regions of one pair of nodes at a time. */
static void drop_region(struct region *r)
{
    if (r->bytes)
        munmap(r->bytes, r->size);
    *r = (struct region){0};
}

/* ---- blocks ----------------------------------------------------------------------------------------------------- */

static double walk_block(void *context, uint64_t rounds)
{
    struct side *s = context;
    if (bench_pin(s->cpu))
        return -EINVAL;
    const uint8_t *bytes = s->region.bytes;
    uint64_t at = (uint64_t)s->next * LINE % s->region.size;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        at = *(const uint64_t *)(bytes + at);
    bench_consume(at);
    double took = clock_now_ns() - from;
    s->next = (uint32_t)(at / LINE);
    return took / (double)rounds;
}

/* Rounds of 64 KiB, read line after line. */
static double read_block(void *context, uint64_t rounds)
{
    struct side *s = context;
    const uint64_t step = 64u << 10;
    if (bench_pin(s->cpu))
        return -EINVAL;
    uint64_t sum = 0, at = (uint64_t)s->next * step % s->region.size;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        const uint64_t *words = (const uint64_t *)(s->region.bytes + at);
        for (uint64_t w = 0; w < step / 8; w += 8)
            sum += words[w] + words[w + 1] + words[w + 2] + words[w + 3] + words[w + 4] + words[w + 5] + words[w + 6] + words[w + 7];
        at = (at + step) % s->region.size;
    }
    bench_consume(sum);
    double took = clock_now_ns() - from;
    s->next = (uint32_t)(at / step);
    return took / (double)rounds;
}

static double open_block(void *context, uint64_t rounds)
{
    struct side *s = context;
    if (bench_pin(s->cpu))
        return -EINVAL;
    struct adit_reader *reader = s->reader;
    uint32_t at = s->next;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        at = (at + (uint32_t)i) * 2654435761u; /* i: so that it enters no cycle */
        at ^= at >> 15;
        adit_enter(reader);
        const uint64_t *value = adit_arena_head(reader->arena, adit_load_acquire(&s->commits[at & (VALUES - 1)]));
        at ^= (uint32_t)value[at >> 16 & 0x1f8]; /* the next one depends on it: none begins before */
        adit_exit(reader);
    }
    s->next = at;
    return (clock_now_ns() - from) / (double)rounds;
}

/* Chunk after chunk of the region, whose quads land there, too. */
static double mesh_block(void *context, uint64_t rounds)
{
    struct side *s = context;
    static const uint8_t classes[ADIT_MATERIALS] = {[1 ... ADIT_MATERIALS - 1] = ADIT_CLASS_OPAQUE};
    adit_mesh_kernel *kernel = adit_mesh_kernel_best(NULL);
    if (bench_pin(s->cpu))
        return -EINVAL;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        const uint16_t *voxels = (const uint16_t *)s->region.bytes + (uint64_t)s->next * ADIT_CHUNK_VOXELS;
        const struct adit_mesh_source source = {.voxels = voxels, .classes = classes, .dim = {64, 64, 64}};
        struct adit_mesh_result r = {.quads = s->quads, .quads_max = ADIT_MESH_QUADS_MAX};
        error |= kernel(&source, &r);
        s->next = (s->next + 1) % CHUNKS;
    }
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

/* ---- pairs of nodes --------------------------------------------------------------------------------------------- */

/* The number-th CPU of a node that this process may use; -1: there are not so many. */
static int cpu_of(const struct adit_topology *t, uint32_t node, uint32_t number)
{
    for (uint32_t i = 0; i < t->cpus_n; i++)
        if (t->cpus[i].node == node && t->cpus[i].may_use && !number--)
            return (int)t->cpus[i].id;
    return -1;
}

/* far against near, or near alone where it is the same. */
static int measure(struct bench *bench, const struct adit_topology *t, const char *what, uint32_t from, uint32_t to, const char *unit, double scale, bench_block *block, struct side *far_side, struct side *near_side)
{
    char name[64], near_name[64];
    snprintf(name, sizeof name, "%s, node %u to %u", what, t->nodes[from].id, t->nodes[to].id);
    snprintf(near_name, sizeof near_name, "node %u's own", t->nodes[from].id);
    struct bench_spec spec = {.figure = name, .unit = unit, .scale = scale, .ours = {"there", block, far_side}};
    if (from != to)
        spec.raw = (struct bench_side){near_name, block, near_side};
    return bench_measure(bench, &spec);
}

static int measure_memory(struct bench *bench, const struct lab *lab, uint32_t from, uint32_t to)
{
    const struct adit_topology *t = lab->topology;
    const int cpu = cpu_of(t, from, 0);
    int error = 0;
    for (enum page page = 0; page < PAGES && !error; page++) {
        struct side there = {.cpu = cpu}, here = {.cpu = cpu};
        char latency[40], rate[40];
        snprintf(latency, sizeof latency, "a load, %s pages", page_names[page]);
        snprintf(rate, sizeof rate, "64 KiB read, %s pages", page_names[page]);
        make_region(&there.region, lab->bytes, page, t->nodes[to].id);
        if (from != to)
            make_region(&here.region, lab->bytes, page, t->nodes[from].id);
        if (!there.region.is_there || (from != to && !here.region.is_there)) {
            bench_skip(bench, latency, "a node has not so much memory left");
        } else {
            error = measure(bench, t, latency, from, to, "ns", 1, walk_block, &there, &here);
            error = error ? error : measure(bench, t, rate, from, to, "us", 1e-3, read_block, &there, &here);
        }
        drop_region(&there.region);
        drop_region(&here.region);
    }
    return error;
}

/* Quads lie behind the chunks. */
static void fill_with_chunks(struct side *s, const uint16_t *chunk)
{
    for (uint32_t i = 0; i < CHUNKS; i++)
        memcpy(s->region.bytes + (uint64_t)i * ADIT_CHUNK_VOXELS * 2, chunk, ADIT_CHUNK_VOXELS * 2);
    s->quads = (uint64_t *)(s->region.bytes + (uint64_t)CHUNKS * ADIT_CHUNK_VOXELS * 2);
}

static int measure_meshing(struct bench *bench, const struct lab *lab, uint32_t from, uint32_t to)
{
    static uint16_t chunk[ADIT_CHUNK_VOXELS];
    const struct adit_topology *t = lab->topology;
    const uint64_t bytes = (uint64_t)CHUNKS * ADIT_CHUNK_VOXELS * 2 + ((ADIT_MESH_QUADS_MAX * sizeof(uint64_t) + 4095) & ~4095ull);
    struct side there = {.cpu = cpu_of(t, from, 0)}, here = there;
    int error = 0;
    adit_generate(adit_generator_named("terrain"), 1, 0, 0, 0, chunk);
    make_region(&there.region, bytes, SMALL, t->nodes[to].id);
    if (from != to)
        make_region(&here.region, bytes, SMALL, t->nodes[from].id);
    if (!there.region.is_there || (from != to && !here.region.is_there)) {
        bench_skip(bench, "a chunk of terrain meshed", "a node has not so much memory left");
    } else {
        fill_with_chunks(&there, chunk);
        if (from != to)
            fill_with_chunks(&here, chunk);
        error = measure(bench, t, "a chunk of terrain meshed", from, to, "us", 1e-3, mesh_block, &there, &here);
    }
    drop_region(&there.region);
    drop_region(&here.region);
    return error;
}

/* Values of an arena, published once by this process, on a node; false: they do not all lie there. */
static bool publish_values(struct adit_arena *arena, uint32_t id, uint64_t *commits)
{
    const uint32_t place = adit_near_node(arena, (int32_t)id) | ADIT_BLOCK_ONLY;
    for (uint32_t i = 0; i < VALUES; i++) {
        uint64_t ref;
        if (adit_block_alloc(arena, VALUE_BYTES, place, &ref))
            return false;
        uint8_t *value = adit_arena_at(arena, ref, VALUE_BYTES);
        memset(value, (int)i, VALUE_BYTES);
        adit_block_publish(arena, ref);
        commits[i] = adit_commit_make(1, ref);
        int node = node_of(value - (uintptr_t)value % 4096);
        if (node >= 0 && node != (int)id)
            return false;
    }
    return true;
}

static int measure_sections(struct bench *bench, const struct lab *lab, uint32_t from, uint32_t to)
{
    const struct adit_topology *t = lab->topology;
    struct side there = {.cpu = cpu_of(t, from, 0), .reader = lab->reader, .commits = lab->values[to].commits}, here = there;
    here.commits = lab->values[from].commits;
    if (lab->values[from].are_there && lab->values[to].are_there)
        return measure(bench, t, "a section, a line of 8 MiB", from, to, "ns", 1, open_block, &there, &here);
    bench_skip(bench, "a section, a line of 8 MiB", "the arena has no segment of its own on a node, or no room there");
    return 0;
}

/* A line there and back, between this process and one on the other node; on the same node another of its CPUs. */
static int measure_hand_off(struct bench *bench, const struct lab *lab, uint32_t from, uint32_t to)
{
    const struct adit_topology *t = lab->topology;
    struct machine pair = *bench->machine;
    struct bench of_pair = *bench;
    struct partner partner;
    struct raw line;
    char name[64];
    pair.cpu[0] = cpu_of(t, from, 0);
    pair.cpu[1] = cpu_of(t, to, from == to);
    snprintf(name, sizeof name, "a line there and back, node %u to %u", t->nodes[from].id, t->nodes[to].id);
    if (pair.cpu[1] < 0) {
        bench_skip(bench, name, "the node has one CPU that may be used");
        return 0;
    }
    of_pair.machine = &pair;
    int error = bench_pin(pair.cpu[0]);
    if (!error)
        error = raw_begin(&line, &of_pair, &partner, 1, (raw_duty *[]){raw_line_duty});
    if (error)
        return error;
    error = bench_measure(&of_pair, &(struct bench_spec){.figure = name, .unit = "ns", .ours = {"line", raw_line_block, &line}});
    partner_stop(&partner);
    return error;
}

/* ---- the scene -------------------------------------------------------------------------------------------------- */

static bool has_cpu(const struct adit_topology *t, uint32_t node) { return cpu_of(t, node, 0) >= 0; }

static int measure_pairs(struct bench *bench, struct lab *lab)
{
    const struct adit_topology *t = lab->topology;
    int error = 0;
    for (uint32_t i = 0; i < t->nodes_n; i++)
        lab->values[i].are_there = t->nodes[i].may_use && publish_values(lab->arena, t->nodes[i].id, lab->values[i].commits);
    for (uint32_t from = 0; from < t->nodes_n; from++)
        for (uint32_t to = 0; to < t->nodes_n && !error; to++) {
            if (!has_cpu(t, from) || !t->nodes[to].may_use)
                continue;
            error = measure_memory(bench, lab, from, to);
            error = error ? error : measure_sections(bench, lab, from, to);
            error = error ? error : measure_meshing(bench, lab, from, to);
            if (!error && has_cpu(t, to))
                error = measure_hand_off(bench, lab, from, to);
        }
    return error;
}

/* As much on each node as it can spare twice over, so that caches hold little of it. */
static uint64_t region_bytes(const struct adit_topology *t)
{
    uint64_t bytes = REGION_BYTES;
    for (uint32_t i = 0; i < t->nodes_n; i++)
        while (t->nodes[i].may_use && bytes > 4u << 20 && bytes > t->nodes[i].free_bytes / 4)
            bytes /= 2;
    return bytes;
}

static int run(struct bench *bench)
{
    struct adit_topology *topology;
    struct lab lab = {0};
    char name[LAB_ARENA_NAME_BYTES];
    int error = bench_unpin(bench->machine); /* what may be used is asked of the system */
    error = error ? error : adit_topology_read(NULL, &topology);
    if (error) {
        bench_fail(bench, "all", adit_detail(), error);
        return error;
    }
    lab.topology = topology;
    lab.bytes = region_bytes(topology);
    lab.values = calloc(topology->nodes_n, sizeof *lab.values);
    lab_arena_name(name);
    error = lab.values ? lab_arena_create(bench, name, NULL, &lab.arena) : -ENOMEM;
    if (!error)
        error = adit_reader_open(lab.arena, &lab.reader);
    if (!error)
        error = measure_pairs(bench, &lab);
    adit_reader_close(&lab.reader);
    adit_detach(&lab.arena);
    free(lab.values);
    free(topology);
    return error;
}

const struct scene scene_nodes = {
    .name = "nodes",
    .what = "what distance costs: memory, sections, meshing and a line handed over, for each pair of NUMA nodes",
    .unit = "ns",
    .goal = "",
    .cpus = 1,
    .run = run,
};
