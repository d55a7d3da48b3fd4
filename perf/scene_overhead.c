/* scene_overhead.c - what the runtime itself costs a chunk from end to end: a task is run, it publishes a version, the version is found dirty and claimed, its mesh is published. The chunks are of one material, whose kernels (encode, mesh) cost some
 * microseconds instead of a generator's millisecond, so that what is beyond them can be seen; that they are called for is the same. None touches another, so nobody else is told. The raw side is these kernels alone, in a loop.
 *
 * First all by one thread, task after task, as workers that always have something to do; then the same chunks put by the tasks and meshed by the dispatcher of one worker on this one CPU, which is woken and put to sleep again and again between them. */
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
    struct adit_dispatcher *dispatcher; /* NULL: meshes are tasks, too */
    uint32_t put, mesh, which;
};

static struct adit_key key_of(uint32_t chunk) { return (struct adit_key){.x = (int32_t)(2 * chunk)}; }

static int run_put(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct args a;
    memcpy(&a, args, sizeof a);
    (void)result;
    *result_bytes = 0;
    struct adit_key key = key_of(a.chunk);
    return adit_chunk_put(run->arena, &key, voxels[a.which], NULL);
}

static int map(struct overhead *o, uint32_t kind, const void *args, size_t bytes, uint32_t n)
{
    const struct adit_batch_params p = {.size = sizeof p, .kind = kind};
    const struct adit_map_items items = {.n = n, .args = args, .args_stride = bytes, .args_bytes = (uint32_t)bytes};
    return adit_map(o->queue, &p, &items, NULL);
}

static double overhead_block(void *context, uint64_t rounds)
{
    static struct args puts[CHUNKS];
    static struct adit_mesh_args meshes[CHUNKS];
    struct overhead *o = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t done = 0; done < rounds && !error; done += CHUNKS, o->which ^= 1) {
        uint32_t n = rounds - done < CHUNKS ? (uint32_t)(rounds - done) : CHUNKS;
        for (uint32_t i = 0; i < n; i++) {
            puts[i] = (struct args){i, o->which};
            meshes[i] = (struct adit_mesh_args){.key = key_of(i)};
        }
        error = map(o, o->put, puts, sizeof *puts, n);
        if (!error && !o->dispatcher)
            error = map(o, o->mesh, meshes, sizeof *meshes, n);
        if (!error)
            error = adit_settle(o->arena, 20000000000u); /* not where all of it was done */
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

static int open_kernels(struct kernels *k)
{
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
        voxels[0][i] = 1;
        voxels[1][i] = 2;
    }
    memset(k->classes + 1, ADIT_CLASS_OPAQUE, sizeof k->classes - 1);
    k->plan = malloc(adit_encode_plan_bytes());
    k->block = aligned_alloc(64, ADIT_ENCODED_BYTES_MAX);
    k->quads = malloc(QUADS_MAX * sizeof *k->quads);
    k->mesh = adit_mesh_kernel_best(NULL);
    return k->plan && k->block && k->quads ? 0 : -ENOMEM;
}

static int open_overhead(struct bench *bench, struct overhead *o, const char *suffix, bool has_dispatcher)
{
    const struct adit_dispatcher_params dispatcher = {.size = sizeof dispatcher, .workers = 1};
    const struct adit_create_params room = {.size = sizeof room, .data_bytes = 32u << 20};
    const struct adit_kind_params put = {.size = sizeof put, .name = "put", .run = run_put, .args_bytes_max = sizeof(struct args)};
    char name[LAB_ARENA_NAME_BYTES];
    lab_arena_name(name);
    strcat(name, suffix);
    int error = lab_arena_create(bench, name, &room, &o->arena);
    if (!error)
        error = adit_kind_register(o->arena, &put, &o->put);
    if (!error)
        error = adit_kinds_register_builtin(o->arena);
    if (!error)
        error = adit_kind_find(o->arena, "adit.mesh", &o->mesh);
    if (!error && has_dispatcher)
        error = adit_dispatcher_open(o->arena, &dispatcher, &o->dispatcher);
    return error ? error : adit_queue_open(o->arena, "adit.mesh", NULL, &o->queue); /* the dispatcher's, if there is one */
}

static void close_overhead(struct overhead *o)
{
    adit_queue_close(&o->queue);
    adit_dispatcher_close(&o->dispatcher);
    adit_detach(&o->arena);
}

static int run(struct bench *bench)
{
    static struct overhead alone, woken;
    static struct kernels k;
    int error = open_kernels(&k);
    if (!error)
        error = open_overhead(bench, &alone, "a", false);
    if (!error)
        error = open_overhead(bench, &woken, "b", true);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "a chunk of one material", .unit = "us", .scale = 1e-3, .ours = {"tasks: put, mesh", overhead_block, &alone}, .raw = {"its kernels alone", kernels_block, &k},
                                                          .goal = {GOAL_BEYOND, BEYOND_NS * 1e-3}});
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "the same, meshed by a dispatcher beside", .unit = "us", .scale = 1e-3, .ours = {"put, woken, meshed", overhead_block, &woken}, .raw = {"its kernels alone", kernels_block, &k}});
    if (error)
        bench_fail(bench, "all", adit_detail(), error);
    close_overhead(&alone);
    close_overhead(&woken);
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
