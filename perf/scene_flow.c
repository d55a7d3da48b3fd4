/* scene_flow.c - terrain from end to end: generated, published, meshed, the mesh published, by one worker on one CPU, and by two on two. Of one the raw side is the kernels alone (generator, encoder, mesher), called in a loop
 * on the same chunks: the difference is what the runtime costs. Of two it is one. What a chunk goes through: lab_flow.h. */
#include <errno.h>
#include <stdlib.h>

#include "kernels/kernels.h"
#include "perf/lab_flow.h"
#include "perf/scenes.h"
#include "runtime/encoding.h"

#define SIDE 16
#define CHUNKS (SIDE * SIDE) /* of one layer, that holds the ground */
#define BLOCK_NS 40e6
#define SPEEDUP 1.95
#define QUADS_MAX 400000u

static const struct adit_generator *terrain;

/* What the kernels need. */
struct kernels {
    uint16_t voxels[ADIT_CHUNK_VOXELS];
    uint8_t classes[ADIT_MATERIALS];
    struct adit_encode_plan *plan;
    uint8_t *block;
    adit_mesh_kernel *mesh;
    struct adit_mesh_result result;
    uint32_t next;
};

static double kernels_block(void *context, uint64_t rounds)
{
    struct kernels *k = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++, k->next = (k->next + 1) % CHUNKS) {
        struct adit_key key = {.x = (int32_t)(k->next % SIDE), .z = (int32_t)(k->next / SIDE)};
        size_t bytes;
        struct adit_voxels view;
        adit_generate(terrain, LAB_FLOW_SEED, key.x, key.y, key.z, k->voxels);
        error = adit_encode_plan(k->plan, k->voxels, k->classes, &bytes);
        adit_encode_write(k->plan, k->block);
        adit_encode_seal((struct adit_version *)(void *)k->block, bytes, k->next + 1);
        if (error || !adit_voxels_view_within((const struct adit_version *)(void *)k->block, (uint32_t)bytes, &view))
            return -EBADMSG;
        const struct adit_mesh_source source = {.encoded = &view, .classes = k->classes, .dim = {64, 64, 64}};
        struct adit_mesh_result r = {.quads = k->result.quads, .quads_max = QUADS_MAX};
        error = k->mesh(&source, &r);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static int open_kernels(struct kernels *k)
{
    k->plan = malloc(adit_encode_plan_bytes());
    k->block = aligned_alloc(64, ADIT_ENCODED_BYTES_MAX);
    k->result.quads = malloc(QUADS_MAX * sizeof *k->result.quads);
    k->mesh = adit_mesh_kernel_best(NULL);
    for (uint32_t i = 1; i < ADIT_MATERIALS; i++)
        k->classes[i] = (uint8_t)(i < terrain->materials_n ? terrain->materials[i].material_class : ADIT_CLASS_OPAQUE);
    return k->plan && k->block && k->result.quads ? 0 : -ENOMEM;
}

static int run(struct bench *bench)
{
    static struct lab_flow one, two;
    static struct kernels k;
    terrain = adit_generator_named("terrain");
    int error = open_kernels(&k);
    bench->block_ns = BLOCK_NS;
    if (!error)
        error = bench_unpin(bench->machine);
    if (!error)
        error = lab_flow_open(bench, &two, &(struct lab_flow_params){.workers = 2, .side = SIDE}, "b");
    if (!error)
        error = bench_pin(bench->machine->cpu[0]); /* this thread stays there */
    if (!error)
        error = lab_flow_open(bench, &one, &(struct lab_flow_params){.workers = 1, .side = SIDE}, "a");
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "a chunk, one worker", .unit = "us", .scale = 1e-3, .ours = {"one worker", lab_flow_block, &one}, .raw = {"kernels alone", kernels_block, &k}});
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "a chunk, two workers on two CPUs", .unit = "us", .scale = 1e-3, .ours = {"two workers", lab_flow_block, &two}, .raw = {"one worker", lab_flow_block, &one},
                                                          .goal = {GOAL_RATIO, 1 / SPEEDUP}});
    if (error)
        bench_fail(bench, "all", adit_detail(), error);
    lab_flow_close(&one);
    lab_flow_close(&two);
    return error;
}

const struct scene scene_flow = {
    .name = "flow",
    .what = "terrain generated, published, meshed and published again, by one worker and by two",
    .unit = "us",
    .goal = "two workers on two CPUs 1.95 times as many: a ratio of 0.513 or less",
    .cpus = 2,
    .run = run,
};
