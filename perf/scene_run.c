/* scene_run.c - adit_run (runtime/task_run.h): a task by the calling thread, handed to a thread on the other CPU, or by whichever of these the arena's measurements say. The raw side of the
 * third is the better of the first two, as it is here and now: what adit_run loses to who knows beforehand. It includes looking at the clock, and trying the other way now and then. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/lab_arena.h"
#include "perf/lab_stats.h"
#include "perf/scenes.h"
#include "runtime/task_run.h"

#define POINTS_MAX 65536u
#define LOOKS 9u        /* at which of both is better */
#define LOOK_NS 4000000u /* long, each */

struct lab {
    struct adit_arena *arena;
    struct adit_queue *queue;
};

struct way {
    struct lab *lab;
    const struct adit_task_spec *spec;
    enum adit_way way;
};

static double run_block(void *context, uint64_t rounds)
{
    const struct way *w = context;
    struct adit_task_result r = {.size = sizeof r};
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++) {
        error = adit_run_by(w->lab->queue, w->spec, ADIT_FOR_EVER, w->way, &r);
        error = error ? error : r.status;
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

/* The better of two, looked at in turn. */
static struct way *better(struct way *here, struct way *there)
{
    double ns[2][LOOKS], middle[2];
    struct way *ways[2] = {here, there};
    for (uint32_t k = 0; k < 2; k++) {
        double first = run_block(ways[k], 4);
        uint64_t rounds = first > 0 && first < LOOK_NS ? (uint64_t)(LOOK_NS / first) : 1;
        for (uint32_t i = 0; i < LOOKS; i++)
            ns[k][i] = run_block(ways[k], rounds);
        stats_sort(ns[k], LOOKS);
        middle[k] = ns[k][LOOKS / 2];
    }
    return middle[0] <= middle[1] ? here : there;
}

/* Beside a figure, what was chosen since before. */
static void note_choices(struct bench *bench, const struct lab *lab, uint32_t kind, const struct adit_kind_info *before)
{
    struct adit_kind_info now = {.size = sizeof now};
    struct adit_queue_info q = {.size = sizeof q};
    if (!bench->list->count || adit_kind_look(lab->arena, kind, &now) || adit_queue_look(lab->queue, &q))
        return;
    struct figure *f = &bench->list->figure[bench->list->count - 1];
    snprintf(f->note, sizeof f->note, "chose: %llu here, %llu there; a hand-over takes %llu ns looking, %llu asleep, %llu busy", (unsigned long long)(now.inlined - before->inlined),
             (unsigned long long)(now.offloaded - before->offloaded), (unsigned long long)q.hot_ns, (unsigned long long)q.asleep_ns, (unsigned long long)q.busy_ns);
}

static int measure(struct bench *bench, struct lab *lab, uint32_t points, const float *samples)
{
    const struct adit_fft_args args = {.points = points};
    struct adit_use uses[2] = {{.access = ADIT_READ}, {.access = ADIT_WRITE}};
    struct adit_task_spec spec = {.size = sizeof spec, .args = &args, .args_bytes = sizeof args, .uses = uses, .uses_n = 2};
    struct way here = {lab, &spec, ADIT_WAY_HERE}, there = {lab, &spec, ADIT_WAY_THERE}, best = {lab, &spec, ADIT_WAY_BEST};
    struct adit_kind_info before = {.size = sizeof before}; /* of what better runs nothing is a choice */
    char name[64];
    int error = adit_kind_find(lab->arena, "adit.fft", &spec.kind);
    for (uint32_t i = 0; i < 2 && !error; i++)
        error = adit_buffer_create(lab->arena, points * sizeof(float), i ? NULL : samples, &uses[i].buffer);
    snprintf(name, sizeof name, "fft of %u, inlined against handed over", points);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .ours = {"inlined", run_block, &here}, .raw = {"handed over", run_block, &there}});
    struct way *raw = error ? NULL : better(&here, &there);
    if (!error)
        error = run_block(&best, 100 + 2000000 / points) < 0 ? -EIO : adit_kind_look(lab->arena, spec.kind, &before); /* until what there is to be learned is */
    snprintf(name, sizeof name, "fft of %u, adit_run", points);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .ours = {"adit_run", run_block, &best},
                                                          .raw = {raw == &here ? "inlined" : "handed over", run_block, raw}, .goal = {GOAL_RATIO, 1.05}});
    if (!error)
        note_choices(bench, lab, spec.kind, &before);
    return error;
}

static int run(struct bench *bench)
{
    static const struct adit_queue_params fifo = {.size = sizeof fifo, .order = ADIT_ORDER_FIFO};
    static const struct adit_pool_params one_worker = {.size = sizeof one_worker, .workers = 1};
    static struct lab lab;
    static float samples[POINTS_MAX];
    char name[LAB_ARENA_NAME_BYTES];
    struct adit_pool *pool; /* until the process ends */
    for (uint32_t i = 0; i < POINTS_MAX; i++)
        samples[i] = (float)(i * 7919 % 1000) / 1000;
    lab_arena_name(name);
    int error = lab_arena_create(bench, name, NULL, &lab.arena);
    if (!error)
        error = adit_kinds_register_builtin(lab.arena);
    if (!error)
        error = adit_queue_open(lab.arena, "run", &fifo, &lab.queue);
    if (!error)
        error = bench_pin(bench->machine->cpu[1]);
    if (!error)
        error = adit_pool_open(lab.queue, &one_worker, &pool);
    int back = bench_pin(bench->machine->cpu[0]);
    error = error ? error : back;
    if (!error)
        error = measure(bench, &lab, 512, samples);
    return error ? error : measure(bench, &lab, POINTS_MAX, samples);
}

const struct scene scene_run = {
    .name = "run",
    .what = "adit_run: a task here, by a thread on the other CPU, or by whichever is sooner",
    .unit = "us",
    .goal = "<= 1.05",
    .cpus = 2,
    .run = run,
};
