/* scene_metrics.c - what counting costs: a hot task, whose kind does nothing, and meshes of a chunk, on an arena that counts and does not in turn (this process's switch for it is set between
 * blocks: two arenas differ by more than counting costs, as their lines lie otherwise), on one thread. Then a count, a record and an event alone, beside the addition of a word. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernels/kernels.h"
#include "perf/lab_arena.h"
#include "perf/lab_voxels.h"
#include "perf/scenes.h"
#include "runtime/dirty.h"
#include "runtime/key.h"
#include "runtime/kind_cost.h"
#include "runtime/mesher.h"
#include "runtime/store.h"
#include "runtime/worker.h"

#define BATCH 32u
#define TASK_NS 20
#define MESH_RATIO 1.01

static const struct adit_key key = {.x = 1, .y = 0, .z = 1};
static struct voxels_source source;

struct counting {
    struct adit_arena *arena;
    uint64_t serial; /* of an arena that counts */
    struct adit_queue *queue;
    struct adit_worker worker;
    struct adit_kind_tally tally;
    uint32_t kind, index;
};

struct side {
    struct counting *c;
    bool counts;
};

static struct counting *turn(const struct side *s)
{
    s->c->arena->metrics_serial = s->counts ? s->c->serial : 0;
    return s->c;
}

static int run_nothing(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run, (void)args, (void)result, (void)result_bytes;
    return 0;
}

static double task_block(void *context, uint64_t rounds)
{
    struct counting *s = turn(context);
    static struct adit_task_spec specs[BATCH];
    struct adit_task_result result = {.size = sizeof result};
    uint64_t tasks[BATCH];
    int error = 0;
    for (uint32_t i = 0; i < BATCH; i++)
        specs[i] = (struct adit_task_spec){.size = sizeof *specs, .kind = s->kind};
    double from = clock_now_ns();
    for (uint64_t done = 0; done < rounds && !error; done += BATCH) {
        uint32_t n = rounds - done < BATCH ? (uint32_t)(rounds - done) : BATCH;
        error = adit_submit_n(s->queue, specs, n, tasks) == (int)n ? 0 : -EAGAIN;
        for (uint32_t i = 0; i < n && !error; i++)
            error = adit_worker_help(&s->worker) ? 0 : -ENOENT;
        for (uint32_t i = 0; i < n && !error; i++)
            error = adit_wait(s->queue, tasks[i], 0, &result);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double mesh_block(void *context, uint64_t rounds)
{
    struct counting *s = turn(context);
    adit_mesh_kernel *kernel = adit_mesh_kernel_best(NULL);
    uint64_t made = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_dirty_mark(s->arena, s->index);
        if (!adit_dirty_claim_at(s->arena, s->index) || !adit_mesher_work(s->arena, kernel, 0, s->index, &made))
            return -EIO;
    }
    return made == rounds ? (clock_now_ns() - from) / (double)rounds : -EIO;
}

static double count_block(void *context, uint64_t rounds)
{
    struct counting *s = turn(context);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_count(s->arena, ADIT_COUNT_LOCKS_TAKEN, 1);
        bench_compiler_barrier();
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double record_block(void *context, uint64_t rounds)
{
    struct counting *s = turn(context);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_record(s->arena, ADIT_HISTOGRAM_LOCK_WAIT_NS, i & 4095, 1);
        bench_compiler_barrier();
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double event_block(void *context, uint64_t rounds)
{
    struct counting *s = turn(context);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        adit_event(s->arena, ADIT_EVENT_OUST, i, i, i);
    return (clock_now_ns() - from) / (double)rounds;
}

static double word_block(void *context, uint64_t rounds)
{
    uint64_t *word = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_store_relaxed(word, adit_load_relaxed(word) + 1);
        bench_compiler_barrier();
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static int open_bench(struct bench *bench, struct counting *c, const struct voxels_input *input)
{
    static const uint32_t never;
    static uint64_t no_wake;
    const struct adit_kind_params nothing = {.size = sizeof nothing, .name = "nothing", .run = run_nothing};
    const struct adit_queue_params q = {.size = sizeof q, .order = ADIT_ORDER_FIFO, .capacity = 1024};
    char name[LAB_ARENA_NAME_BYTES];
    uint64_t packed;
    *c = (struct counting){0};
    lab_arena_name(name);
    int error = voxels_source_fill(&source, input);
    if (!error)
        error = lab_arena_create(bench, name, NULL, &c->arena);
    if (error)
        return error;
    c->serial = c->arena->metrics_serial;
    error = c->serial ? adit_kind_register(c->arena, &nothing, &c->kind) : -ENOTSUP; /* ADIT_DISABLE */
    if (!error)
        error = adit_queue_open(c->arena, "tasks", &q, &c->queue);
    if (!error)
        error = adit_chunk_put(c->arena, &key, source.voxels, NULL);
    if (!error && (!adit_key_try(&key, &packed) || !adit_store_find(c->arena, packed, &c->index)))
        error = -ENOENT;
    if (!error)
        c->worker = (struct adit_worker){.queue = c->queue, .stop = &never, .wake_ns = &no_wake, .name = adit_worker_name(c->queue, 1), .tally = &c->tally, .times_next = true};
    return error;
}

static void close_bench(struct counting *c)
{
    if (c->arena)
        c->arena->metrics_serial = c->serial;
    adit_queue_close(&c->queue);
    adit_detach(&c->arena);
}

static int measure_alone(struct bench *bench, struct side *on)
{
    static uint64_t word;
    static const struct {
        const char *figure;
        bench_block *block;
    } parts[] = {{"a count", count_block}, {"a record", record_block}, {"an event", event_block}};
    int error = 0;
    for (uint32_t i = 0; i < sizeof parts / sizeof *parts && !error; i++)
        error = bench_measure(bench, &(struct bench_spec){.figure = parts[i].figure, .unit = "ns", .ours = {"metrics", parts[i].block, on}, .raw = {"a word added to", word_block, &word}});
    return error;
}

/* Meshes of an input, with and without. */
static int measure_meshes(struct bench *bench, const struct voxels_input *input, struct goal goal)
{
    static struct counting c;
    struct side on = {&c, true}, off = {&c, false};
    char figure[64];
    snprintf(figure, sizeof figure, "a mesh, %s", input->name);
    int error = open_bench(bench, &c, input);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = figure, .unit = "us", .scale = 1e-3, .ours = {"counted", mesh_block, &on}, .raw = {"not counted", mesh_block, &off}, .goal = goal});
    close_bench(&c);
    return error;
}

static int run(struct bench *bench)
{
    static struct counting c;
    struct side on = {&c, true}, off = {&c, false};
    int error = open_bench(bench, &c, &voxels_inputs[0]);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "a task", .unit = "ns", .ours = {"counted", task_block, &on}, .raw = {"not counted", task_block, &off}, .goal = {GOAL_BEYOND, TASK_NS}});
    if (!error)
        error = measure_alone(bench, &on);
    close_bench(&c);
    for (uint32_t i = 0; i < voxels_inputs_n && !error; i++)
        error = measure_meshes(bench, &voxels_inputs[i], (struct goal){strcmp(voxels_inputs[i].name, "hills") ? GOAL_NONE : GOAL_RATIO, MESH_RATIO});
    if (error)
        bench_fail(bench, "all", adit_detail(), error);
    return error;
}

const struct scene scene_metrics = {
    .name = "metrics",
    .what = "what counting costs a task, and a mesh",
    .unit = "ns",
    .goal = "20 ns a task, 1 % of a mesh of hills",
    .cpus = 1,
    .run = run,
};
