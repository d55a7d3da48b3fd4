/* scene_task.c - tasks handed to a worker on the other CPU, a thread of this process or another process: how soon the first instruction of a kind runs
 * after the call that submits it, while the worker looks and while it sleeps, how soon a kind sees that it is cancelled, and what a task costs when many flow.
 *
 * The raw limits: a word stored by one CPU until it is seen by the other; a futex wake until the woken runs. Of single tasks both the median and the
 * 99th percentile of a block are figures. A flow is tracked: each task's result is taken by its submitter, batches of 32, eight of them under way. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "perf/lab_arena.h"
#include "perf/raw.h"
#include "perf/scenes.h"

#define SAMPLES_MAX 512u
#define WARM 64u /* that are not counted: the first ones wake a worker, whose process gets off its CPU */
#define PARKED_MAX 24u
#define BATCH 32u
#define DEPTH 8u
#define SPIN_NS 200.0 /* of a task that lasts */
#define LASTING_MIN 10000u /* tasks of a flow or a map: the worker sleeps when it begins, and to wake it takes as long as hundreds of them */
#define CANCEL_NS 2e3 /* a task runs before it is cancelled */
#define PARK_NS 400e3 /* longer than a worker looks before it sleeps */

enum duty { WORK = 1, SEE_LINE, WAKE, DUTIES = WAKE };

struct tasks {
    char name[LAB_ARENA_NAME_BYTES];
    struct partner *partner;
    struct adit_arena *arena;
    struct adit_queue *queue[2]; /* of the process on the other CPU; of this process's thread there */
    uint32_t stamp, empty, spin, heed;
    double ns_per_tick;
};

struct way {
    struct tasks *tasks;
    uint32_t queue;
    double percentile;
    bool is_parked;
    bool lasts; /* of a flow: tasks of SPIN_NS each, not empty ones */
};

/* A kind whose result is when its first instruction ran. */
static int run_stamp(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t now = clock_ticks_after();
    (void)run;
    (void)args;
    memcpy(result, &now, sizeof now);
    *result_bytes = sizeof now;
    return 0;
}

static int run_empty(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run;
    memcpy(result, args, 8);
    *result_bytes = 8;
    return 0;
}

static void spin_for(double ns, double ns_per_tick)
{
    uint64_t ticks = (uint64_t)(ns / ns_per_tick), from = clock_ticks_before();
    while (clock_ticks_before() - from < ticks) {
    }
}

/* A kind that takes a while; user: nanoseconds a tick. */
static int run_spin(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    (void)result_bytes;
    spin_for(SPIN_NS, *(const double *)run->user);
    return 0;
}

/* A kind that runs until it shall stop, and whose result is when it saw that. */
static int run_heed(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    while (!adit_task_should_stop(run)) {
    }
    uint64_t now = clock_ticks_after();
    memcpy(result, &now, sizeof now);
    *result_bytes = sizeof now;
    return 0;
}

static int open_queue(struct adit_arena *arena, uint32_t number, struct tasks *kinds, struct adit_queue **queue)
{
    const struct adit_kind_params stamp = {.size = sizeof stamp, .name = "stamp", .run = run_stamp, .args_bytes_max = 8, .result_bytes_max = 8};
    const struct adit_kind_params empty = {.size = sizeof empty, .name = "empty", .run = run_empty, .args_bytes_max = 8, .result_bytes_max = 8};
    const struct adit_queue_params q = {.size = sizeof q, .order = ADIT_ORDER_FIFO, .capacity = 1024};
    const struct adit_kind_params heed = {.size = sizeof heed, .name = "heed", .run = run_heed, .result_bytes_max = 8};
    const struct adit_kind_params spin = {.size = sizeof spin, .name = "spin", .run = run_spin, .user = &kinds->ns_per_tick};
    int error = adit_kind_register(arena, &stamp, &kinds->stamp);
    if (!error)
        error = adit_kind_register(arena, &spin, &kinds->spin);
    if (!error)
        error = adit_kind_register(arena, &heed, &kinds->heed);
    if (!error)
        error = adit_kind_register(arena, &empty, &kinds->empty);
    return error ? error : adit_queue_open(arena, number ? "threads" : "processes", &q, queue);
}

static const struct adit_pool_params one_worker = {.size = sizeof one_worker, .workers = 1};

/* The worker's process: its pool's thread is on this CPU, and its main thread is out of the way. */
static void work_duty(const struct partner *partner, void *context)
{
    static struct adit_pool *pool;
    static struct tasks kinds;
    struct tasks *tasks = context;
    struct adit_queue *queue;
    kinds.ns_per_tick = tasks->ns_per_tick;
    if (!pool && (open_queue(lab_arena_visit(tasks->name, ADIT_PRODUCER)->arena, 0, &kinds, &queue) || adit_pool_open(queue, &one_worker, &pool))) {
        fprintf(stderr, "perf-lab: %s\n", adit_detail());
        _exit(1);
    }
    while (partner_is_on(partner))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* seldom: it is in its worker's way */
}

static void settle(double ns)
{
    for (double until = clock_now_ns() + ns; clock_now_ns() < until;) {
    }
}

static int assign(const struct way *way) { return partner_assign(way->tasks->partner, way->queue ? PARTNER_SLEEPS : WORK); }

/* One task at a time: from before submit to its first instruction. */
static double submit_block(void *context, uint64_t rounds)
{
    const struct way *way = context;
    struct tasks *t = way->tasks;
    double sample[SAMPLES_MAX];
    size_t count = rounds < SAMPLES_MAX ? (size_t)rounds : SAMPLES_MAX;
    struct adit_task_spec spec = {.size = sizeof spec, .kind = t->stamp};
    struct adit_task_result result = {.size = sizeof result};
    uint64_t task, ran;
    int error = assign(way);
    size_t first = way->is_parked ? 0 : WARM;
    for (size_t i = 0; i < first + count && !error; i++) {
        if (way->is_parked)
            settle(PARK_NS);
        uint64_t from = clock_ticks_before();
        error = adit_submit(t->queue[way->queue], &spec, &task);
        if (!error)
            error = adit_wait(t->queue[way->queue], task, ADIT_FOR_EVER, &result);
        memcpy(&ran, result.data, sizeof ran);
        if (i >= first)
            sample[i - first] = (double)(int64_t)(ran - from) * t->ns_per_tick;
    }
    if (error)
        return error;
    stats_sort(sample, count);
    double ns = stats_percentile(sample, count, way->percentile);
    return ns > 0 ? ns : -ERANGE;
}

/* One task at a time: from before adit_cancel until the kind that runs sees it. */
static double cancel_block(void *context, uint64_t rounds)
{
    const struct way *way = context;
    struct tasks *t = way->tasks;
    struct adit_queue *q = t->queue[way->queue];
    double sample[SAMPLES_MAX];
    size_t count = rounds < SAMPLES_MAX ? (size_t)rounds : SAMPLES_MAX;
    struct adit_task_spec spec = {.size = sizeof spec, .kind = t->heed};
    struct adit_task_result result = {.size = sizeof result};
    uint64_t task, saw;
    int error = assign(way);
    for (size_t i = 0; i < count && !error; i++) {
        struct adit_task_info info = {.size = sizeof info};
        error = adit_submit(q, &spec, &task);
        while (!error && info.stage != ADIT_STAGE_RUNNING)
            error = adit_task_look(q, task, &info);
        settle(CANCEL_NS); /* for its kind to have come to its loop */
        uint64_t from = clock_ticks_before();
        if (!error && adit_cancel(q, task) != -EBUSY)
            error = -EPROTO;
        if (!error)
            error = adit_wait(q, task, ADIT_FOR_EVER, &result);
        memcpy(&saw, result.data, sizeof saw);
        sample[i] = (double)(int64_t)(saw - from) * t->ns_per_tick;
    }
    if (error)
        return error;
    stats_sort(sample, count);
    double ns = stats_percentile(sample, count, way->percentile);
    return ns > 0 ? ns : -ERANGE;
}

/* As raw_one_way_block, any percentile. */
struct raw_way {
    struct raw *raw;
    double percentile;
};

static double line_block(void *context, uint64_t rounds)
{
    const struct raw_way *way = context;
    struct raw_shared *shared = &way->raw->lanes[way->raw->next++ % PARTNER_LANES];
    double sample[SAMPLES_MAX];
    size_t count = rounds < SAMPLES_MAX ? (size_t)rounds : SAMPLES_MAX;
    int error = partner_assign_lane(way->raw->partner, way->raw->duty, (uint32_t)(shared - way->raw->lanes));
    uint64_t turn = atomic_load_explicit(&shared->published, memory_order_relaxed);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        uint64_t sent = clock_ticks_before();
        atomic_store_explicit(&shared->published, ++turn, memory_order_release);
        while (atomic_load_explicit(&shared->seen, memory_order_acquire) != turn)
            ;
        sample[i] = (double)(int64_t)(shared->seen_ticks - sent) * way->raw->ns_per_tick;
    }
    stats_sort(sample, count);
    double ns = stats_percentile(sample, count, way->percentile);
    return ns > 0 ? ns : -ERANGE;
}

/* Nanoseconds a task in a flow. */
static double flow_block(void *context, uint64_t rounds)
{
    const struct way *way = context;
    struct tasks *t = way->tasks;
    struct adit_queue *q = t->queue[way->queue];
    static uint64_t task[DEPTH][BATCH];
    struct adit_task_spec spec[BATCH];
    struct adit_task_result result = {.size = sizeof result};
    uint64_t args = 7, batches = (rounds < LASTING_MIN ? LASTING_MIN : rounds) / BATCH + DEPTH, taken = 0;
    int error = assign(way);
    for (uint32_t i = 0; i < BATCH; i++)
        spec[i] = (struct adit_task_spec){.size = sizeof spec[i], .kind = way->lasts ? t->spin : t->empty, .args = &args, .args_bytes = way->lasts ? 0 : sizeof args};
    double from = clock_now_ns();
    for (uint64_t i = 0; i < batches + DEPTH - 1 && !error; i++) {
        if (i < batches && adit_submit_n(q, spec, BATCH, task[i % DEPTH]) != (int)BATCH)
            error = -EAGAIN;
        for (uint32_t j = 0; j < BATCH && i + 1 >= DEPTH && !error; j++, taken++)
            error = adit_wait(q, task[(i + 1) % DEPTH][j], ADIT_FOR_EVER, &result);
    }
    return error ? error : (clock_now_ns() - from) / (double)taken;
}

/* Nanoseconds a task of tasks that last, run on both CPUs; and what two CPUs could do at best. */
static double lasting_block(void *context, uint64_t rounds)
{
    const struct way *way = context;
    const struct adit_batch_params p = {.size = sizeof p, .kind = way->tasks->spin};
    const struct adit_map_items m = {.n = rounds < LASTING_MIN ? LASTING_MIN : rounds};
    int error = assign(way);
    double from = clock_now_ns();
    if (!error)
        error = adit_map(way->tasks->queue[way->queue], &p, &m, NULL);
    return error ? error : (clock_now_ns() - from) / (double)m.n;
}

static double one_cpu_block(void *context, uint64_t rounds)
{
    const struct way *way = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        spin_for(SPIN_NS, way->tasks->ns_per_tick);
    return (clock_now_ns() - from) / (double)rounds;
}

static double halves_block(void *context, uint64_t rounds)
{
    const struct way *way = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds / 2 + 1; i++)
        spin_for(SPIN_NS, way->tasks->ns_per_tick);
    return (clock_now_ns() - from) / (double)rounds;
}

static int measure_queue(struct bench *bench, struct tasks *tasks, struct raw *line, struct raw *wake, uint32_t queue)
{
    const char *who = queue ? "thread" : "process";
    char name[64];
    int error = 0;
    static const double percentiles[] = {0.5, 0.99};
    for (uint32_t i = 0; i < 2 && !error; i++) {
        struct way ours = {tasks, queue, percentiles[i], false, false};
        struct raw_way raw = {line, percentiles[i]};
        snprintf(name, sizeof name, "submit to running, %s, p%.0f", who, percentiles[i] * 100);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .rounds_max = SAMPLES_MAX, .goal = {GOAL_RATIO, i ? 4 : 2},
                                                          .ours = {"submit", submit_block, &ours}, .raw = {"a line", line_block, &raw}});
    }
    struct way parked = {tasks, queue, 0.5, true, false}, flow = {tasks, queue, 0.5, false, false}, lasting = {tasks, queue, 0.5, false, true};
    snprintf(name, sizeof name, "submit to running, %s, asleep", who);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .rounds_max = PARKED_MAX, .goal = {GOAL_RATIO, 1.05},
                                                          .ours = {"submit", submit_block, &parked}, .raw = {"futex wake", raw_wake_block, wake}});
    struct raw_way half = {line, 0.5};
    snprintf(name, sizeof name, "cancel to seen by the kind, %s", who);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .rounds_max = SAMPLES_MAX, .goal = {GOAL_MEDIAN, 1000},
                                                          .ours = {"adit_cancel", cancel_block, &flow}, .raw = {"a line", line_block, &half}});
    snprintf(name, sizeof name, "a task in a flow, %s", who);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .goal = {GOAL_MEDIAN, 100}, .ours = {"flow", flow_block, &flow}});
    snprintf(name, sizeof name, "tasks of 0.2 us, %s", who);
    if (!error) /* at a ratio of two the runtime takes as long as the tasks: METG(50 %), of one worker, all of them tasks whose results are taken */
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .goal = {GOAL_RATIO, 2}, .ours = {"flow", flow_block, &lasting}, .raw = {"the same called", one_cpu_block, &lasting}});
    snprintf(name, sizeof name, "items of 0.2 us mapped on two CPUs, %s", who);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .goal = {GOAL_RATIO, 2}, .ours = {"map", lasting_block, &flow},
                                                          .raw = {"half of them, one CPU", halves_block, &flow}, .note = "the caller runs items, too, most of which are no tasks"});
    return error;
}

static int run(struct bench *bench)
{
    struct partner partner;
    struct adit_pool *pool; /* until the process ends */
    struct tasks *tasks = partner_memory_create(sizeof *tasks);
    struct raw line = {raw_lanes_create(), &partner, SEE_LINE, bench->machine->ns_per_tick, 0}, wake = raw_with_duty(&line, WAKE);
    if (!tasks || !line.lanes)
        return -ENOMEM;
    if (!bench->machine->tsc_invariant) {
        bench_skip(bench, "all", "the processor's counter is not the same on all CPUs");
        return 0;
    }
    lab_arena_name(tasks->name);
    tasks->partner = &partner;
    tasks->ns_per_tick = bench->machine->ns_per_tick;
    const struct partner_duty duties[DUTIES] = {{work_duty, tasks}, {raw_one_way_duty, line.lanes}, {raw_wake_duty, line.lanes}};
    int error = partner_start(&partner, bench, duties, DUTIES);
    if (!error)
        error = lab_arena_create(bench, tasks->name, NULL, &tasks->arena);
    for (uint32_t i = 0; i < 2 && !error; i++)
        error = open_queue(tasks->arena, i, tasks, &tasks->queue[i]);
    if (!error)
        error = measure_queue(bench, tasks, &line, &wake, 0);
    if (!error)
        error = lab_arena_open_worker(bench, tasks->queue[1], 1, &pool);
    return error ? error : measure_queue(bench, tasks, &line, &wake, 1);
}

const struct scene scene_task = {
    .name = "task",
    .what = "a task from submit to its first instruction on the other CPU, from cancel to that being seen, and in a flow",
    .unit = "ns",
    .goal = "twice the raw hand-off, 1.05 of a futex wake, cancelled in 1 us, 100 ns in a flow",
    .cpus = 2,
    .run = run,
};
