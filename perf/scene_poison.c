/* scene_poison.c - what tasks that kill whoever runs them cost the others: tasks of 0.1 ms in a flow through two worker processes, while a thread submits poison, ten times a
 * second or as soon as the last one is poisoned; beside the same flow without. Each poison must have killed as many workers as it had attempts, and no healthy task fail. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "perf/lab_arena.h"
#include "perf/lab_workers.h"
#include "perf/scenes.h"
#include "shm/shm.h"

#define PROCESSES 2u
#define TASK_NS 100000.0
#define FLOW_NS 600e6 /* of one sample */
#define FLOW_SHORT_NS 250e6
#define SAMPLES 12u
#define SAMPLES_SHORT 4u
#define WAIT_NS 5000000000u
#define ATTEMPTS 3u

struct flow {
    struct adit_arena *arena;
    struct adit_queue *queue;
    struct adit_pool *pool;
    uint32_t toil, die;
    uint64_t steps, n; /* of a task; tasks of one sample */
    uint64_t pause_ns; /* between one poison and the next */
    uint32_t stop;
    uint32_t poisoned; /* since the sample began; w: the poisoner */
    int error;         /* w: likewise */
};

/* The steps of "toil" that last so long: the best of some tries. */
static uint64_t steps_of(double ns)
{
    double best = 1e9;
    for (uint32_t i = 0; i < 20; i++) {
        uint64_t x = i;
        double from = clock_now_ns();
        for (uint32_t k = 0; k < 100000; k++)
            x = x * 6364136223846793005u + 1442695040888963407u;
        bench_consume(x);
        double one = (clock_now_ns() - from) / 100000;
        best = one < best ? one : best;
    }
    return (uint64_t)(ns / best) + 1;
}

static int poison_once(struct flow *f)
{
    static const uint64_t nothing;
    const struct adit_task_spec spec = {.size = sizeof spec, .kind = f->die, .args = &nothing, .args_bytes = 8, .attempts_max = ATTEMPTS};
    struct adit_task_result result = {.size = sizeof result};
    uint64_t task;
    int error = adit_submit(f->queue, &spec, &task);
    if (!error)
        error = adit_wait(f->queue, task, WAIT_NS, &result);
    return error ? error : result.end == ADIT_ENDED_POISONED && result.attempts == ATTEMPTS ? 0 : -EPROTO;
}

static void *poison_on(void *user)
{
    struct flow *f = user;
    const struct timespec pause = {.tv_nsec = (long)f->pause_ns};
    while (!adit_load32_acquire(&f->stop) && !f->error) { /* until the flow has ended */
        f->error = poison_once(f);
        f->poisoned += !f->error;
        if (f->pause_ns)
            nanosleep(&pause, NULL);
    }
    return NULL;
}

/* Nanoseconds a healthy task. */
static double flow_once(struct flow *f, bool is_poisoned)
{
    const struct adit_batch_params p = {.size = sizeof p, .kind = f->toil, .under_way_max = 16, .stays_out = true};
    pthread_t thread;
    f->stop = 0;
    int error = is_poisoned ? pthread_create(&thread, NULL, poison_on, f) : 0;
    double from = clock_now_ns();
    if (!error)
        error = adit_map(f->queue, &p, &(struct adit_map_items){.n = f->n, .args = &f->steps, .args_bytes = sizeof f->steps}, NULL);
    double ns = (clock_now_ns() - from) / (double)f->n;
    adit_store32_release(&f->stop, 1);
    if (is_poisoned)
        pthread_join(thread, NULL);
    lab_nap_ms(50); /* a standby is ready again */
    return error ? error : f->error ? f->error : ns;
}

static int measure(struct bench *bench, struct flow *f, const char *name, uint64_t pause_ns)
{
    double ours[SAMPLES], raw[SAMPLES];
    uint32_t n = bench->is_short ? SAMPLES_SHORT : SAMPLES;
    char note[96];
    f->pause_ns = pause_ns;
    f->poisoned = 0;
    for (uint32_t i = 0; i < 2 * n; i++) {
        bool is_ours = (i + 1) / 2 % 2; /* raw, ours, ours, raw, ... */
        double *at = is_ours ? &ours[i / 2] : &raw[i / 2];
        *at = flow_once(f, is_ours);
        if (*at < 0) {
            bench_fail(bench, name, "the flow, or a poison with other attempts", (int)*at);
            return (int)*at;
        }
    }
    snprintf(note, sizeof note, "%u were poisoned, each after %u attempts", f->poisoned, ATTEMPTS);
    return bench_record(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .goal = {GOAL_RATIO, 1 / 0.9}, .raw = {.name = "without poison"}, .note = note}, ours,
                        raw, n);
}

static int open_all(struct bench *bench, struct flow *f)
{
    char name[LAB_ARENA_NAME_BYTES];
    struct adit_kind_params kind = {.size = sizeof kind, .name = "toil", .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 8};
    const struct adit_pool_params pool = {.size = sizeof pool, .processes = PROCESSES, .objects = lab_workers_objects()};
    int error = bench_unpin(bench->machine);
    f->steps = steps_of(TASK_NS);
    f->n = (uint64_t)((bench->is_short ? FLOW_SHORT_NS : FLOW_NS) / TASK_NS) * 2;
    lab_arena_name(name);
    if (!error)
        error = lab_arena_create(bench, name, NULL, &f->arena);
    if (!error)
        error = adit_kind_register(f->arena, &kind, &f->toil);
    kind.name = "die";
    if (!error)
        error = adit_kind_register(f->arena, &kind, &f->die);
    if (!error)
        error = adit_queue_open(f->arena, "flow", NULL, &f->queue);
    return error ? error : adit_pool_open(f->queue, &pool, &f->pool);
}

static int run(struct bench *bench)
{
    static struct flow f;
    int error = open_all(bench, &f);
    if (!error)
        error = measure(bench, &f, "a task, 10 poisons a second", 100000000);
    if (!error)
        error = measure(bench, &f, "a task, poison after poison", 0);
    if (error)
        fprintf(stderr, "perf-lab: poison: %s\n", adit_detail());
    adit_pool_close(&f.pool);
    adit_queue_close(&f.queue);
    adit_detach(&f.arena);
    return error;
}

const struct scene scene_poison = {
    .name = "poison",
    .what = "healthy tasks in a flow through two worker processes, with tasks that kill their worker beside them and without",
    .unit = "us",
    .goal = "0.90 of the throughput without",
    .cpus = 2,
    .run = run,
};
