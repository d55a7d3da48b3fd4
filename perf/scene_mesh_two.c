/* scene_mesh_two.c - what a second thread brings: chunks meshed by two processes on two CPUs, each its own chunks in turn, against one alone. The
 * figure is the time over the chunks that both made in it, so half of the raw time is the best there can be. One kernel, published form. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "perf/lab_chunks.h"
#include "perf/partner.h"
#include "perf/scenes.h"

enum { CHUNKS = 64 }; /* each process has half of them */

#define MESHES 1u        /* the partner's duty */
#define BLOCK_NS 4e6     /* the partner's chunks are counted whole: many must be in a block */
#define GOAL_SPEEDUP 1.9

struct pair {
    struct partner partner;
    _Atomic uint64_t *made; /* by the partner; memory that both share */
    struct lab_chunk **chunks;
    uint8_t *classes;
    adit_mesh_kernel *kernel;
    struct adit_mesh_result result; /* the quads' pages are each process's own once written */
    uint32_t next;
};

/* A side of a figure. */
struct side {
    struct pair *pair;
    bool has_company;
};

static int mesh_next(struct pair *pair, uint32_t first)
{
    const struct lab_chunk *chunk = pair->chunks[first + pair->next];
    pair->next = (pair->next + 1) % (CHUNKS / 2);
    return pair->kernel(&chunk->published, &pair->result);
}

static void mesh_duty(const struct partner *partner, void *context)
{
    struct pair *pair = context;
    while (partner_is_on(partner)) {
        if (mesh_next(pair, CHUNKS / 2))
            _exit(1); /* the measured process is told that its partner is gone */
        /* Only a count: nothing is handed over with it. */
        atomic_fetch_add_explicit(pair->made, 1, memory_order_relaxed);
    }
}

static double block(void *context, uint64_t rounds)
{
    const struct side *side = context;
    struct pair *pair = side->pair;
    int error = partner_assign(&pair->partner, side->has_company ? MESHES : PARTNER_SLEEPS);
    if (error)
        return error;
    uint64_t before = atomic_load_explicit(pair->made, memory_order_relaxed);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        error |= mesh_next(pair, 0);
    double took = clock_now_ns() - from;
    uint64_t beside = atomic_load_explicit(pair->made, memory_order_relaxed) - before;
    return error ? -EIO : took / (double)(rounds + (side->has_company ? beside : 0));
}

/* The chunks are made before the partner, which has them by fork. */
static int measure(struct bench *bench, struct pair *pair, const char *input)
{
    int error = lab_chunks_of_input(input, CHUNKS, pair->classes, &pair->chunks);
    if (!error)
        error = partner_start(&pair->partner, bench, (struct partner_duty[]){{mesh_duty, pair}}, 1);
    if (!error) {
        struct side two = {pair, true}, one = {pair, false};
        error = bench_measure(bench, &(struct bench_spec){.figure = input, .unit = "us", .scale = 1e-3, .goal = {GOAL_RATIO, 1 / GOAL_SPEEDUP},
                                                          .note = "time over the chunks of both",
                                                          .ours = {"two threads", block, &two}, .raw = {"one thread", block, &one}});
        partner_stop(&pair->partner);
    }
    lab_chunks_free(pair->chunks, CHUNKS);
    return error;
}

static int run(struct bench *bench)
{
    static const char *const inputs[] = {"hills", "terrain", "noise50"};
    struct pair pair = {.made = partner_memory_create(sizeof *pair.made), .classes = malloc(ADIT_MATERIALS), .kernel = adit_mesh_kernel_best(NULL),
                        .result = {.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t)), .quads_max = ADIT_MESH_QUADS_MAX}};
    int error = pair.made && pair.classes && pair.result.quads ? 0 : -ENOMEM;
    bench->block_ns = BLOCK_NS;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs && !error; i++)
        error = measure(bench, &pair, inputs[i]);
    return error;
}

const struct scene scene_mesh_two = {
    .name = "mesh-two",
    .what = "time per chunk of two threads that mesh different chunks, against one thread",
    .unit = "us",
    .goal = "two threads mesh 1.9 times as many chunks as one: a ratio of 0.53 or less",
    .cpus = 2,
    .run = run,
};
