/* scene_overhead.c - what the runtime itself costs a chunk from end to end: a task is submitted and run, it publishes a version, the version is found dirty and claimed, its mesh is published; all by one worker on one CPU. The chunks are of one material,
 * whose kernels (encode, mesh) cost some microseconds instead of a generator's millisecond, so that what is beyond them can be seen; that they are called for is the same. None touches another, so nobody else is told. The raw side is these kernels
 * alone, in a loop. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "perf/lab_arena.h"
#include "perf/scenes.h"
#include "runtime/encoding.h"

#define CHUNKS 256u
#define BEYOND_NS 2000
#define QUADS_MAX 8192u

static uint16_t voxels[2][ADIT_CHUNK_VOXELS]; /* all of material 1, all of material 2 */

struct args {
    uint32_t chunk, which;
};

struct overhead {
    struct adit_arena *arena;
    struct adit_queue *queue;
    struct adit_dispatcher *dispatcher;
    uint32_t kind, which;
};

static int run_put(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct args a;
    memcpy(&a, args, sizeof a);
    (void)result;
    *result_bytes = 0;
    return adit_chunk_put(run->arena, &(struct adit_key){.x = (int32_t)(2 * a.chunk)}, voxels[a.which], NULL);
}

static double overhead_block(void *context, uint64_t rounds)
{
    static struct args args[CHUNKS];
    struct overhead *o = context;
    const struct adit_batch_params p = {.size = sizeof p, .kind = o->kind, .stays_out = true};
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t done = 0; done < rounds && !error; done += CHUNKS, o->which ^= 1) {
        const struct adit_map_items items = {.n = rounds - done < CHUNKS ? (uint32_t)(rounds - done) : CHUNKS, .args = args, .args_stride = sizeof *args, .args_bytes = sizeof *args};
        for (uint32_t i = 0; i < CHUNKS; i++)
            args[i] = (struct args){i, o->which};
        error = adit_map(o->queue, &p, &items, NULL);
        if (!error)
            error = adit_settle(o->arena, 20000000000u);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

struct kernels {
    uint8_t classes[ADIT_MATERIALS];
    struct adit_encode_plan *plan;
    uint8_t *block;
    uint64_t *quads;
    adit_mesh_kernel *mesh;
};

static double kernels_block(void *context, uint64_t rounds)
{
    struct kernels *k = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++) {
        size_t bytes;
        struct adit_voxels view;
        error = adit_encode_plan(k->plan, voxels[i / CHUNKS & 1], k->classes, &bytes);
        adit_encode_write(k->plan, k->block);
        adit_encode_seal((struct adit_version *)(void *)k->block, bytes, i + 1);
        if (error || !adit_voxels_view_within((const struct adit_version *)(void *)k->block, (uint32_t)bytes, &view))
            return -EBADMSG;
        const struct adit_mesh_source source = {.encoded = &view, .classes = k->classes, .dim = {64, 64, 64}};
        struct adit_mesh_result r = {.quads = k->quads, .quads_max = QUADS_MAX};
        error = k->mesh(&source, &r);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static int open_all(struct bench *bench, struct overhead *o, struct kernels *k)
{
    const struct adit_dispatcher_params dispatcher = {.size = sizeof dispatcher, .workers = 1};
    const struct adit_create_params room = {.size = sizeof room, .data_bytes = 32u << 20};
    const struct adit_kind_params put = {.size = sizeof put, .name = "put", .run = run_put, .args_bytes_max = sizeof(struct args)};
    char name[LAB_ARENA_NAME_BYTES];
    lab_arena_name(name);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
        voxels[0][i] = 1;
        voxels[1][i] = 2;
    }
    memset(k->classes + 1, ADIT_CLASS_OPAQUE, sizeof k->classes - 1);
    k->plan = malloc(adit_encode_plan_bytes());
    k->block = aligned_alloc(64, ADIT_ENCODED_BYTES_MAX);
    k->quads = malloc(QUADS_MAX * sizeof *k->quads);
    k->mesh = adit_mesh_kernel_best(NULL);
    int error = k->plan && k->block && k->quads ? lab_arena_create(bench, name, &room, &o->arena) : -ENOMEM;
    if (!error)
        error = adit_kind_register(o->arena, &put, &o->kind);
    if (!error)
        error = adit_dispatcher_open(o->arena, &dispatcher, &o->dispatcher);
    return error ? error : adit_queue_open(o->arena, "adit.mesh", NULL, &o->queue); /* its worker's */
}

static int run(struct bench *bench)
{
    static struct overhead o;
    static struct kernels k;
    int error = open_all(bench, &o, &k);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "a chunk of one material", .unit = "us", .scale = 1e-3, .ours = {"task, publish, mesh", overhead_block, &o}, .raw = {"its kernels alone", kernels_block, &k},
                                                          .goal = {GOAL_BEYOND, BEYOND_NS * 1e-3}});
    if (error)
        bench_fail(bench, "all", adit_detail(), error);
    adit_queue_close(&o.queue);
    adit_dispatcher_close(&o.dispatcher);
    adit_detach(&o.arena);
    return error;
}

const struct scene scene_overhead = {
    .name = "overhead",
    .what = "what the runtime costs a chunk from task to mesh, beyond the kernels",
    .unit = "us",
    .goal = "2 us more than the kernels",
    .cpus = 1,
    .run = run,
};
