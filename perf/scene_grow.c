/* scene_grow.c - terrain from end to end (lab_flow.h) as workers, nodes and the world grow, each beside one worker and a small world in turn: what a model of scaling is fitted to. Where there are several nodes: what placement brings, chunks on
 * their producer's node beside chunks on all nodes in turn. */
#include <errno.h>
#include <sched.h>

#include "perf/lab_flow.h"
#include "perf/scenes.h"
#include "runtime/nodes.h"

#define SIDE 16u
#define BLOCK_NS 40e6

/* A flow of these params beside another one. */
static int measure(struct bench *bench, const char *figure, const struct lab_flow_params *ours, struct lab_flow *base, const char *base_name)
{
    static struct lab_flow f;
    f = (struct lab_flow){0};
    int error = lab_flow_open(bench, &f, ours, "g");
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = figure, .unit = "us", .scale = 1e-3, .ours = {"grown", lab_flow_block, &f}, .raw = {base_name, lab_flow_block, base}});
    lab_flow_close(&f);
    return error;
}

/* 1, 2, 4, ... and all. */
static int grow_workers(struct bench *bench, struct lab_flow *one, uint32_t cpus)
{
    int error = 0;
    for (uint32_t workers = 2, last = 1; last < cpus && !error; last = workers, workers = workers * 2 < cpus ? workers * 2 : cpus) {
        char name[64];
        snprintf(name, sizeof name, "a chunk, workers: %u", workers);
        error = measure(bench, name, &(struct lab_flow_params){.workers = workers, .side = SIDE}, one, "one worker");
    }
    return error;
}

/* All CPUs of the first node, of the first two, ... */
static int grow_nodes(struct bench *bench, struct lab_flow *one)
{
    struct adit_node node[ADIT_NODES_MAX];
    uint32_t n = adit_nodes_here(node), workers = 0;
    int error = 0;
    cpu_set_t all, some;
    CPU_ZERO(&some);
    if (n < 2 || sched_getaffinity(0, sizeof all, &all))
        return 0;
    for (uint32_t i = 0; i < n && !error; i++) {
        char name[64];
        snprintf(name, sizeof name, "a chunk, nodes: %u", i + 1);
        CPU_OR(&some, &some, &node[i].cpus);
        workers += node[i].cpus_n;
        if (sched_setaffinity(0, sizeof some, &some))
            return -errno;
        error = measure(bench, name, &(struct lab_flow_params){.workers = workers, .side = SIDE}, one, "one worker");
    }
    return sched_setaffinity(0, sizeof all, &all) ? -errno : error;
}

static int grow_world(struct bench *bench, uint32_t workers)
{
    static const uint32_t sides[] = {16, 32, LAB_FLOW_SIDE_MAX};
    static struct lab_flow small;
    int error = lab_flow_open(bench, &small, &(struct lab_flow_params){.workers = workers, .side = 8}, "w");
    for (uint32_t i = 0; i < sizeof sides / sizeof *sides && !error; i++) {
        char name[64];
        snprintf(name, sizeof name, "a chunk, chunks: %u", sides[i] * sides[i]);
        error = measure(bench, name, &(struct lab_flow_params){.workers = workers, .side = sides[i]}, &small, "a world of 64");
    }
    lab_flow_close(&small);
    return error;
}

static int try_placement(struct bench *bench, uint32_t workers)
{
    struct adit_node node[ADIT_NODES_MAX];
    static struct lab_flow spread;
    if (adit_nodes_here(node) < 2) {
        bench_skip(bench, "a chunk, on its producer's node", "the machine has one node");
        return 0;
    }
    int error = lab_flow_open(bench, &spread, &(struct lab_flow_params){.workers = workers, .side = SIDE, .placement = ADIT_PLACE_INTERLEAVED}, "p");
    if (!error)
        error = measure(bench, "a chunk, on its producer's node", &(struct lab_flow_params){.workers = workers, .side = SIDE, .placement = ADIT_PLACE_PRODUCER}, &spread, "on all in turn");
    lab_flow_close(&spread);
    return error;
}

static int run(struct bench *bench)
{
    static struct lab_flow one;
    int error = bench_unpin(bench->machine);
    uint32_t cpus = bench->machine->cpus_allowed;
    bench->block_ns = BLOCK_NS;
    if (!error)
        error = lab_flow_open(bench, &one, &(struct lab_flow_params){.workers = 1, .side = SIDE}, "a");
    error = error ? error : grow_workers(bench, &one, cpus);
    error = error ? error : grow_nodes(bench, &one);
    lab_flow_close(&one);
    error = error ? error : grow_world(bench, cpus);
    error = error ? error : try_placement(bench, cpus);
    if (error)
        bench_fail(bench, "all", adit_detail(), error);
    return error;
}

const struct scene scene_grow = {
    .name = "grow",
    .what = "terrain from end to end as workers, nodes and the world grow",
    .unit = "us",
    .goal = "",
    .cpus = 2,
    .run = run,
};
