/* scene_flow.c - terrain from end to end: generated, published, meshed, the mesh published, by one worker on one CPU, and by two on two. Of one the raw side is the kernels alone (generator, encoder, mesher), called in a loop
 * on the same chunks: the difference is what the runtime costs. Of two it is one. Chunks are made by tasks (adit.generate) on a pool, meshed by a dispatcher; a figure is the time of so many chunks, from the first submit until
 * the last mesh is there, over their number. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "perf/lab_arena.h"
#include "perf/scenes.h"
#include "runtime/encoding.h"

#define SIDE 16
#define CHUNKS (SIDE * SIDE) /* of one layer, that holds the ground */
#define SEED 1u
#define BLOCK_NS 40e6
#define SPEEDUP 1.95
#define QUADS_MAX 400000u

static const struct adit_generator *terrain;

/* An arena with its workers. */
struct flow {
    struct adit_arena *arena;
    struct adit_queue *queue;
    struct adit_pool *pool;
    struct adit_dispatcher *dispatcher;
    uint32_t kind;
    uint32_t next;                /* chunk */
    uint64_t replaces[CHUNKS];
};

static struct adit_key key_of(uint32_t i) { return (struct adit_key){.x = (int32_t)(i % SIDE), .z = (int32_t)(i / SIDE)}; }

/* The next n chunks in turn, all tasks at once. */
static int make(struct flow *f, uint32_t n)
{
    static struct adit_generate_args args[CHUNKS];
    static struct adit_generate_result results[CHUNKS];
    const struct adit_batch_params p = {.size = sizeof p, .kind = f->kind, .stays_out = true};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t c = (f->next + i) % CHUNKS;
        args[i] = (struct adit_generate_args){.generator = "terrain", .seed = SEED, .replaces = f->replaces[c], .key = key_of(c)};
    }
    const struct adit_map_items items = {.n = n, .args = args, .args_stride = sizeof *args, .args_bytes = sizeof *args, .results = results, .results_stride = sizeof *results, .results_bytes = sizeof *results};
    int error = adit_map(f->queue, &p, &items, NULL);
    for (uint32_t i = 0; i < n && !error; i++)
        f->replaces[(f->next + i) % CHUNKS] = results[i].version;
    f->next = (f->next + n) % CHUNKS;
    return error ? error : adit_settle(f->arena, 20000000000u);
}

static double flow_block(void *context, uint64_t rounds)
{
    struct flow *f = context;
    double from = clock_now_ns();
    int error = 0;
    for (uint64_t done = 0; done < rounds && !error; done += CHUNKS)
        error = make(f, rounds - done < CHUNKS ? (uint32_t)(rounds - done) : CHUNKS);
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

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
        struct adit_key key = key_of(k->next);
        size_t bytes;
        struct adit_voxels view;
        adit_generate(terrain, SEED, key.x, key.y, key.z, k->voxels);
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

static int open_flow(struct bench *bench, struct flow *f, uint32_t workers, const char *suffix)
{
    const struct adit_pool_params pool = {.size = sizeof pool, .workers = workers};
    const struct adit_dispatcher_params dispatcher = {.size = sizeof dispatcher, .workers = workers};
    const struct adit_queue_params fifo = {.size = sizeof fifo, .order = ADIT_ORDER_FIFO};
    const struct adit_create_params room = {.size = sizeof room, .data_bytes = 192u << 20};
    char name[LAB_ARENA_NAME_BYTES];
    lab_arena_name(name);
    strcat(name, suffix);
    int error = lab_arena_create(bench, name, &room, &f->arena);
    if (!error)
        error = adit_kinds_register_builtin(f->arena);
    if (!error)
        error = adit_kind_find(f->arena, "adit.generate", &f->kind);
    if (!error)
        error = adit_queue_open(f->arena, "make", &fifo, &f->queue);
    if (!error)
        error = workers == 1 ? bench_pin(bench->machine->cpu[0]) : bench_unpin(bench->machine);
    if (!error)
        error = adit_pool_open(f->queue, &pool, &f->pool);
    return error ? error : adit_dispatcher_open(f->arena, &dispatcher, &f->dispatcher);
}

static void close_flow(struct flow *f)
{
    adit_pool_close(&f->pool);
    adit_dispatcher_close(&f->dispatcher);
    adit_queue_close(&f->queue);
    adit_detach(&f->arena);
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
    static struct flow one, two;
    static struct kernels k;
    terrain = adit_generator_named("terrain");
    int error = open_kernels(&k);
    bench->block_ns = BLOCK_NS;
    if (!error)
        error = open_flow(bench, &two, 2, "b");
    if (!error)
        error = open_flow(bench, &one, 1, "a"); /* this thread stays on CPU 0 */
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "a chunk, one worker", .unit = "us", .scale = 1e-3, .ours = {"one worker", flow_block, &one}, .raw = {"kernels alone", kernels_block, &k}});
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "a chunk, two workers on two CPUs", .unit = "us", .scale = 1e-3, .ours = {"two workers", flow_block, &two}, .raw = {"one worker", flow_block, &one},
                                                          .goal = {GOAL_RATIO, 1 / SPEEDUP}});
    if (error)
        bench_fail(bench, "all", adit_detail(), error);
    close_flow(&one);
    close_flow(&two);
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
