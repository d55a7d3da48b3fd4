/* scene_metrics.c - what counting costs: a hot task, whose kind does nothing, and meshes of a chunk, on an arena that counts and on one that does not (ADIT_DISABLE=metrics while it was made), in turn, on one thread. Then a count,
 * a record and an event alone, beside the addition of a word. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

struct side {
    struct adit_arena *arena;
    struct adit_queue *queue;
    struct adit_worker worker;
    struct adit_kind_tally tally;
    uint32_t kind, index;
};

static int run_nothing(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run, (void)args, (void)result, (void)result_bytes;
    return 0;
}

static double task_block(void *context, uint64_t rounds)
{
    struct side *s = context;
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
    struct side *s = context;
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
    struct side *s = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_count(s->arena, ADIT_COUNT_LOCKS_TAKEN, 1);
        bench_compiler_barrier();
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double record_block(void *context, uint64_t rounds)
{
    struct side *s = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_record(s->arena, ADIT_HISTOGRAM_LOCK_WAIT_NS, i & 4095, 1);
        bench_compiler_barrier();
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double event_block(void *context, uint64_t rounds)
{
    struct side *s = context;
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

/* Without metrics: the environment says so while the arena is made. */
static int create(struct bench *bench, const char *name, bool counts, struct adit_arena **out)
{
    const char *before = getenv("ADIT_DISABLE");
    char *kept = before ? strdup(before) : NULL, off[256];
    snprintf(off, sizeof off, "%s,metrics", before ? before : "");
    if (!counts)
        setenv("ADIT_DISABLE", off, 1);
    int error = lab_arena_create(bench, name, NULL, out);
    if (kept)
        setenv("ADIT_DISABLE", kept, 1);
    else
        unsetenv("ADIT_DISABLE");
    free(kept);
    return error;
}

static int open_side(struct bench *bench, struct side *s, bool counts)
{
    static const uint32_t never;
    static uint64_t no_wake;
    const struct adit_kind_params nothing = {.size = sizeof nothing, .name = "nothing", .run = run_nothing};
    const struct adit_queue_params q = {.size = sizeof q, .order = ADIT_ORDER_FIFO, .capacity = 1024};
    char name[LAB_ARENA_NAME_BYTES];
    uint64_t packed;
    lab_arena_name(name);
    strcat(name, counts ? "a" : "b");
    int error = create(bench, name, counts, &s->arena);
    if (!error)
        error = adit_kind_register(s->arena, &nothing, &s->kind);
    if (!error)
        error = adit_queue_open(s->arena, "tasks", &q, &s->queue);
    if (!error)
        error = adit_chunk_put(s->arena, &key, source.voxels, NULL);
    if (!error && (!adit_key_try(&key, &packed) || !adit_store_find(s->arena, packed, &s->index)))
        error = -ENOENT;
    if (!error)
        s->worker = (struct adit_worker){.queue = s->queue, .stop = &never, .wake_ns = &no_wake, .name = adit_worker_name(s->queue, 1), .tally = &s->tally, .times_next = true};
    return error;
}

static int open_both(struct bench *bench, struct side sides[2], const struct voxels_input *input)
{
    int error = voxels_source_fill(&source, input);
    for (uint32_t i = 0; i < 2 && !error; i++)
        error = open_side(bench, &sides[i], !i);
    return error;
}

static void close_both(struct side sides[2])
{
    for (uint32_t i = 0; i < 2; i++) {
        adit_queue_close(&sides[i].queue);
        adit_detach(&sides[i].arena);
    }
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
    static struct side sides[2];
    char figure[64];
    memset(sides, 0, sizeof sides);
    snprintf(figure, sizeof figure, "a mesh, %s", input->name);
    int error = open_both(bench, sides, input);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = figure, .unit = "us", .scale = 1e-3, .ours = {"counted", mesh_block, &sides[0]}, .raw = {"not counted", mesh_block, &sides[1]}, .goal = goal});
    close_both(sides);
    return error;
}

static int run(struct bench *bench)
{
    static struct side sides[2];
    int error = open_both(bench, sides, &voxels_inputs[0]);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "a task", .unit = "ns", .ours = {"counted", task_block, &sides[0]}, .raw = {"not counted", task_block, &sides[1]}, .goal = {GOAL_BEYOND, TASK_NS}});
    if (!error)
        error = measure_alone(bench, &sides[0]);
    close_both(sides);
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
