/* scene_route.c - a router (runtime/adit_router.h) on real tiers: the calling thread, a thread on the other CPU, and a worker process there. 48 tasks, of six kinds in eight sizes each, come one after the other in an order of
 * chance. The raw side is who knows beforehand: for each of the 48 the tier that was the quickest in turns before; so the ratio is what the router loses to it, its own time and its tries included. The other policies are for
 * comparison; so is another scheduler, where there is one (peer_tasks.h), which runs the same kinds on two workers, one on the caller's CPU. What a router makes of tiers that differ more, of outliers and of tiers that change, test_route shows on made-up ones. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/lab_arena.h"
#include "perf/lab_stats.h"
#include "perf/lab_workers.h"
#include "perf/peer.h"
#include "perf/peer_tasks.h"
#include "perf/scenes.h"
#include "runtime/task_run.h"

enum { KINDS = 6, SIZES = 8, CELLS = KINDS * SIZES, TIERS = 3 };
#define BYTES_MAX (1u << 20)
#define LOOKS 7u
#define WARM_UP 10u /* of each cell, before anything is measured */

struct cell {
    struct adit_task_spec spec;
    struct adit_use uses[2];
    union {
        struct adit_fft_args fft;
        struct adit_compress_args compress;
        struct adit_decompress_args decompress;
        struct adit_box_args box;
        struct adit_mip_args mip;
        struct adit_raycast_args ray;
    } args;
    uint32_t best; /* tier */
};

struct lab {
    struct adit_arena *arena;
    struct adit_queue *queues[TIERS];
    struct adit_route_place places[TIERS];
    struct cell cells[CELLS];
};

/* A side: by a router, by another scheduler, or by who knows. */
struct side {
    struct lab *lab;
    struct adit_router *router;
    const struct peer_tasks *peer; /* neither: by the best tier of each */
    uint64_t seed;
};

static uint8_t bytes[BYTES_MAX];

static int by_tier(struct lab *lab, const struct cell *c, uint32_t tier, struct adit_task_result *r)
{
    int error = adit_run_by(lab->queues[tier], &c->spec, ADIT_FOR_EVER, lab->places[tier].is_inline ? ADIT_WAY_HERE : ADIT_WAY_THERE, r);
    return error ? error : r->status;
}

/* A cell, run by a worker of the peer. */
struct run_there {
    struct lab *lab;
    const struct cell *cell;
    int status;
};

static void run_there(void *context)
{
    struct run_there *there = context;
    struct adit_task_result r = {.size = sizeof r};
    there->status = by_tier(there->lab, there->cell, 0, &r);
}

static int run_by_peer(struct side *s, const struct cell *c)
{
    struct run_there there = {s->lab, c, 0};
    uint32_t i = (uint32_t)(c - s->lab->cells);
    int error = s->peer->run(i / SIZES, i % SIZES, run_there, &there);
    return error ? error : there.status;
}

static int run_one(struct side *s, const struct cell *c)
{
    struct adit_task_result r = {.size = sizeof r};
    if (s->peer)
        return run_by_peer(s, c);
    if (!s->router)
        return by_tier(s->lab, c, c->best, &r);
    int error = adit_router_run(s->router, &c->spec, ADIT_FOR_EVER, &r);
    return error ? error : r.status;
}

/* A round: each of the 48 once, in an order of chance. */
static double block(void *context, uint64_t rounds)
{
    struct side *s = context;
    uint8_t order[CELLS];
    int error = 0;
    for (uint32_t i = 0; i < CELLS; i++)
        order[i] = (uint8_t)i;
    if (s->peer)
        s->peer->rest(0);
    double from = clock_now_ns(), took;
    for (uint64_t i = 0; i < rounds && !error; i++)
        for (uint32_t k = 0; k < CELLS && !error; k++) {
            s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
            uint32_t with = k + (uint32_t)(s->seed >> 33) % (CELLS - k);
            uint8_t next = order[with];
            order[with] = order[k];
            order[k] = next;
            error = run_one(s, &s->lab->cells[next]);
        }
    took = clock_now_ns() - from;
    if (s->peer)
        s->peer->rest(1);
    return error ? error : took / (double)rounds;
}

/* Which tier is the quickest for a cell: medians of looks in turn. */
static int judge(struct lab *lab, struct cell *c)
{
    double ns[TIERS][LOOKS];
    struct adit_task_result r = {.size = sizeof r};
    int error = 0;
    for (uint32_t i = 0; i < LOOKS && !error; i++)
        for (uint32_t t = 0; t < TIERS && !error; t++) {
            double from = clock_now_ns();
            for (uint32_t k = 0; k < 4 && !error; k++)
                error = by_tier(lab, c, t, &r);
            ns[t][i] = clock_now_ns() - from;
        }
    for (uint32_t t = 0; t < TIERS; t++)
        stats_sort(ns[t], LOOKS);
    for (uint32_t t = 0; t < TIERS; t++)
        c->best = ns[t][LOOKS / 2] < ns[c->best][LOOKS / 2] ? t : c->best;
    return error;
}

static int buffers(struct lab *lab, struct cell *c, uint64_t from_bytes, uint64_t to_bytes)
{
    c->uses[0].access = ADIT_READ;
    c->uses[1].access = ADIT_WRITE;
    c->spec.uses = c->uses;
    c->spec.uses_n = 2;
    int error = adit_buffer_create(lab->arena, from_bytes, bytes, &c->uses[0].buffer);
    return error ? error : adit_buffer_create(lab->arena, to_bytes, NULL, &c->uses[1].buffer);
}

/* The buffer that cell i's LZ4 has made is what decompress is given. */
static int compressed(struct lab *lab, struct cell *c, const struct cell *from)
{
    struct adit_task_result r = {.size = sizeof r};
    struct adit_compress_result made;
    int error = by_tier(lab, from, 0, &r);
    memcpy(&made, r.data, sizeof made);
    c->args.decompress = (struct adit_decompress_args){.codec = ADIT_CODEC_LZ4, .bytes = made.bytes};
    c->spec.uses = c->uses;
    c->spec.uses_n = 2;
    c->uses[0] = (struct adit_use){from->uses[1].buffer, ADIT_READ};
    c->uses[1].access = ADIT_WRITE;
    return error ? error : adit_buffer_create(lab->arena, from->args.compress.bytes, NULL, &c->uses[1].buffer);
}

#define ARGS(c, member) ((c)->spec.args = &(c)->args.member, (c)->spec.args_bytes = sizeof (c)->args.member)

static int make_cell(struct lab *lab, uint32_t kind, uint32_t size)
{
    static const char *const names[KINDS] = {"adit.fft", "adit.compress", "adit.decompress", "adit.box", "adit.mip", "adit.raycast"};
    struct cell *c = &lab->cells[kind * SIZES + size];
    uint32_t n;
    *c = (struct cell){.spec = {.size = sizeof c->spec}};
    int error = adit_kind_find(lab->arena, names[kind], &c->spec.kind);
    if (error)
        return error;
    switch (kind) {
    case 0:
        n = 64u << size;
        c->args.fft = (struct adit_fft_args){.points = n};
        ARGS(c, fft);
        return buffers(lab, c, n * sizeof(float), n * sizeof(float));
    case 1:
        n = 512u << size;
        c->args.compress = (struct adit_compress_args){.codec = ADIT_CODEC_LZ4, .bytes = n};
        ARGS(c, compress);
        return buffers(lab, c, n, adit_compress_bound(n));
    case 2:
        ARGS(c, decompress);
        return compressed(lab, c, &lab->cells[SIZES + size]);
    case 3:
        n = 8 * (size + 1);
        c->args.box = (struct adit_box_args){.hi = {(int32_t)n - 1, (int32_t)n - 1, (int32_t)n - 1}, .mode = ADIT_BOX_COUNT};
        ARGS(c, box);
        return 0;
    case 4:
        n = 4u << size;
        c->args.mip = (struct adit_mip_args){.width = n, .height = n};
        ARGS(c, mip);
        return buffers(lab, c, (uint64_t)n * n * 4, (uint64_t)n * n * 2);
    default:
        c->args.ray = (struct adit_raycast_args){.origin = {3.5, 63.5, 3.5}, .direction = {0.7f, 0, 0.7f}, .distance_max = 8u << size};
        ARGS(c, ray);
        return 0;
    }
}

static int open_tier(struct bench *bench, struct lab *lab, uint32_t t, const char *name, const struct adit_pool_params *pool)
{
    const struct adit_queue_params fifo = {.size = sizeof fifo, .order = ADIT_ORDER_FIFO};
    struct adit_pool *opened; /* until the process ends */
    int error = adit_queue_open(lab->arena, name, &fifo, &lab->queues[t]);
    if (!error && pool)
        error = bench_pin(bench->machine->cpu[1]);
    if (!error && pool)
        error = adit_pool_open(lab->queues[t], pool, &opened);
    int back = bench_pin(bench->machine->cpu[0]);
    lab->places[t] = (struct adit_route_place){.name = name, .queue = lab->queues[t], .is_inline = !pool};
    return error ? error : back;
}

static int open_lab(struct bench *bench, struct lab *lab)
{
    static const struct adit_pool_params thread = {.size = sizeof thread, .workers = 1}, process = {.size = sizeof process, .processes = 1};
    static const struct adit_generate_args ground = {.generator = "terrain", .seed = 1};
    char name[LAB_ARENA_NAME_BYTES];
    struct adit_task_result r = {.size = sizeof r};
    struct cell make = {.spec = {.size = sizeof make.spec, .args = &ground, .args_bytes = sizeof ground}};
    lab_arena_name(name);
    int error = lab_arena_create(bench, name, NULL, &lab->arena);
    if (!error)
        error = adit_kinds_register_builtin(lab->arena);
    error = error ? error : open_tier(bench, lab, 0, "inline", NULL);
    error = error ? error : open_tier(bench, lab, 1, "thread", &thread);
    error = error ? error : open_tier(bench, lab, 2, "process", &process);
    if (!error)
        error = adit_kind_find(lab->arena, "adit.generate", &make.spec.kind);
    if (!error)
        error = by_tier(lab, &make, 0, &r);
    for (uint32_t i = 0; i < CELLS && !error; i++)
        error = make_cell(lab, i / SIZES, i % SIZES);
    for (uint32_t i = 0; i < CELLS && !error; i++)
        error = judge(lab, &lab->cells[i]);
    return error;
}

static int measure(struct bench *bench, struct lab *lab, enum adit_route_policy policy)
{
    const struct adit_router_params p = {.size = sizeof p, .places = lab->places, .places_n = TIERS, .policy = policy};
    struct side ours = {.lab = lab, .seed = 1}, raw = {.lab = lab, .seed = 1};
    char name[64];
    uint32_t by[TIERS] = {0};
    int error = adit_router_open(lab->arena, &p, &ours.router);
    if (!error && block(&ours, WARM_UP) < 0)
        error = -EIO;
    snprintf(name, sizeof name, "a task, %s", adit_route_policy_name(policy));
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3 / CELLS, .ours = {"routed", block, &ours}, .raw = {"best tier of each", block, &raw},
                                                          .goal = {policy == ADIT_ROUTE_ADAPTIVE ? GOAL_RATIO : GOAL_NONE, 1.05}});
    for (uint32_t i = 0; i < CELLS; i++)
        by[lab->cells[i].best]++;
    if (!error && bench->list->count && policy == ADIT_ROUTE_ADAPTIVE) {
        struct figure *f = &bench->list->figure[bench->list->count - 1];
        snprintf(f->note, sizeof f->note, "best: inline for %u of %u, a thread for %u, a process for %u", by[0], CELLS, by[1], by[2]);
    }
    adit_router_close(&ours.router);
    return error;
}

static int measure_peer(struct bench *bench, struct lab *lab)
{
    static const struct peer_library of_tasks = {PEER_TASKS_LIBRARY, PEER_TASKS_FUNCTION, "libstarpu-dev and g++, then `ninja peers-tasks`", PEER_TASKS_ABI};
    char why[256], name[96];
    const struct peer_tasks *peer = peer_open(&of_tasks, why, sizeof why);
    if (!peer) {
        bench_skip(bench, "a task, by a peer", why);
        return 0;
    }
    struct side theirs = {.lab = lab, .peer = peer, .seed = 1}, raw = {.lab = lab, .seed = 1};
    int error = peer->begin(bench->machine->cpu);
    if (error)
        return error;
    if (block(&theirs, WARM_UP) < 0)
        error = -EIO;
    snprintf(name, sizeof name, "a task, %s", peer->name);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3 / CELLS, .ours = {"theirs", block, &theirs}, .raw = {"best tier of each", block, &raw}});
    peer->end();
    return error;
}

static int run(struct bench *bench)
{
    static struct lab lab;
    for (uint32_t i = 0; i < BYTES_MAX; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 28);
    int error = open_lab(bench, &lab);
    for (uint32_t i = ADIT_ROUTE_ADAPTIVE; i <= ADIT_ROUTE_CAPABILITY && !error; i++)
        error = measure(bench, &lab, (enum adit_route_policy)i);
    error = error ? error : measure_peer(bench, &lab);
    if (error)
        bench_fail(bench, "all", adit_detail(), error);
    return error;
}

const struct scene scene_route = {
    .name = "route",
    .what = "tasks of 6 kinds in 8 sizes, routed between this thread, a thread and a process on the other CPU",
    .unit = "us",
    .goal = "<= 1.05",
    .cpus = 2,
    .run = run,
};
