/* scene_peer_task.c - our tasks beside OpenMP's and oneTBB's (peer_group.h), on two CPUs: what an empty one costs, and METG(50 %), the shortest task at which half of both CPUs' time is spent in tasks (Slaughter et al., Task Bench:
 * A Parameterized Benchmark for Evaluating Parallel Runtime Performance, SC 2020). Ours as a map, and each submitted and its result taken; theirs as one thread makes them and waits for all. What
 * ours does and theirs does not: its worker may be another process, and a task whose worker dies runs again.
 *
 * METG is found between METG_LEAST_NS and METG_MOST_NS by halving: with two CPUs busy half of the time a task lasts as long as it takes from one to the next. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perf/lab_arena.h"
#include "perf/peer.h"
#include "perf/peer_group.h"
#include "perf/scenes.h"

#define LASTING_MIN 10000u /* tasks of a block: to wake a thread takes as long as hundreds of them */
#define BATCH 32u
#define DEPTH 8u
#define REST_NS 2000000 /* for the other side's threads to be asleep */
#define SHORT_BUDGET_NS 0.3e9
#define METG_RUN_NS 2e6 /* of one try */
#define METG_LEAST_NS 10.0
#define METG_MOST_NS 100e3
#define METG_STEPS 9u
#define METG_SAMPLES 12u
#define METG_SAMPLES_SHORT 6u

struct lab {
    struct adit_queue *queue;
    uint32_t kind;
    uint64_t ticks; /* that a task spins */
    double ns_per_tick;
};

/* A side: peer NULL is ours. */
struct side {
    struct lab *lab;
    const struct peer_group *peer;
    bool is_submitted;
};

static void body(uint64_t i, void *context)
{
    const struct lab *lab = context;
    bench_consume(i);
    if (!lab->ticks)
        return;
    for (uint64_t from = clock_ticks_before(); clock_ticks_before() - from < lab->ticks;) {
    }
}

static int run_body(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t i;
    (void)result;
    (void)result_bytes;
    memcpy(&i, args, sizeof i);
    body(i, run->user);
    return 0;
}

static int submit_all(struct lab *lab, uint64_t n)
{
    static uint64_t task[DEPTH][BATCH], args[BATCH];
    struct adit_task_spec spec[BATCH];
    struct adit_task_result result = {.size = sizeof result};
    int error = 0;
    for (uint32_t i = 0; i < BATCH; i++)
        spec[i] = (struct adit_task_spec){.size = sizeof spec[i], .kind = lab->kind, .args = &args[i], .args_bytes = sizeof args[i]};
    for (uint64_t i = 0, batches = n / BATCH; i < batches + DEPTH - 1 && !error; i++) {
        if (i < batches && adit_submit_n(lab->queue, spec, BATCH, task[i % DEPTH]) != (int)BATCH)
            error = -EAGAIN;
        for (uint32_t j = 0; j < BATCH && i + 1 >= DEPTH && !error; j++)
            error = adit_wait(lab->queue, task[(i + 1) % DEPTH][j], ADIT_FOR_EVER, &result);
    }
    return error;
}

/* Nanoseconds a task, begun from rest. n is a multiple of BATCH. */
static double run_tasks(const struct side *s, uint64_t n)
{
    const struct adit_batch_params p = {.size = sizeof p, .kind = s->lab->kind};
    static const uint64_t zero;
    nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
    int error = 0;
    double from, took;
    if (s->peer)
        s->peer->wake();
    from = clock_now_ns();
    if (s->peer)
        s->peer->run(n, body, s->lab);
    else if (s->is_submitted)
        error = submit_all(s->lab, n);
    else
        error = adit_map(s->lab->queue, &p, &(struct adit_map_items){.n = n, .args = &zero, .args_bytes = sizeof zero}, NULL);
    took = clock_now_ns() - from;
    if (s->peer)
        s->peer->rest();
    return error ? error : took / (double)n;
}

static double empty_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    s->lab->ticks = 0;
    return run_tasks(s, (rounds < LASTING_MIN ? LASTING_MIN : rounds) / BATCH * BATCH);
}

/* One look for METG, in nanoseconds. */
static double metg(const struct side *s)
{
    double low = METG_LEAST_NS, high = METG_MOST_NS;
    for (uint32_t i = 0; i < METG_STEPS; i++) {
        double length = sqrt(low * high), n = METG_RUN_NS / length;
        s->lab->ticks = (uint64_t)(length / s->lab->ns_per_tick);
        double ns = run_tasks(s, ((uint64_t)n / BATCH + 1) * BATCH);
        if (ns < 0)
            return ns;
        *(ns > length ? &low : &high) = length;
    }
    return sqrt(low * high);
}

static int measure_metg(struct bench *bench, struct lab *lab, const struct peer_group *peer)
{
    struct side ours = {lab, NULL, false}, theirs = {lab, peer, false};
    double a[METG_SAMPLES], b[METG_SAMPLES];
    uint32_t count = bench->is_short ? METG_SAMPLES_SHORT : METG_SAMPLES;
    char name[64];
    snprintf(name, sizeof name, "METG(50 %%): %.40s", peer->name);
    for (uint32_t i = 0; i < count; i++) {
        double first = metg(i % 2 ? &ours : &theirs), second = first < 0 ? first : metg(i % 2 ? &theirs : &ours);
        if (second < 0) {
            bench_fail(bench, name, "measuring", (int)second);
            return (int)second;
        }
        a[i] = i % 2 ? first : second;
        b[i] = i % 2 ? second : first;
    }
    return bench_record(bench, &(struct bench_spec){.figure = name, .unit = "ns", .ours = {"map", NULL, NULL}, .raw = {peer->name, NULL, NULL}}, a, b, count);
}

static int measure(struct bench *bench, struct lab *lab, const struct peer_group *peer)
{
    struct side theirs = {lab, peer, false};
    int error = 0;
    for (uint32_t is_submitted = 0; is_submitted < 2 && !error; is_submitted++) {
        struct side ours = {lab, NULL, is_submitted};
        char name[64];
        snprintf(name, sizeof name, "empty, %s: %.40s", is_submitted ? "submitted" : "mapped", peer->name);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .ours = {"task", empty_block, &ours}, .raw = {peer->name, empty_block, &theirs}});
    }
    return error ? error : measure_metg(bench, lab, peer);
}

static int open_all(struct bench *bench, struct lab *lab)
{
    char name[LAB_ARENA_NAME_BYTES];
    struct adit_arena *arena; /* this and the pool: until the process ends */
    struct adit_pool *pool;
    const struct adit_kind_params kind = {.size = sizeof kind, .name = "body", .run = run_body, .user = lab, .args_bytes_min = 8, .args_bytes_max = 8};
    const struct adit_queue_params queue = {.size = sizeof queue, .order = ADIT_ORDER_FIFO, .capacity = 1024};
    lab->ns_per_tick = bench->machine->ns_per_tick;
    lab_arena_name(name);
    int error = lab_arena_create(bench, name, NULL, &arena);
    if (!error)
        error = adit_kind_register(arena, &kind, &lab->kind);
    if (!error)
        error = adit_queue_open(arena, "tasks", &queue, &lab->queue);
    return error ? error : lab_arena_open_worker(bench, lab->queue, 1, &pool);
}

static int run(struct bench *bench)
{
    static const struct {
        const char *name;
        struct peer_library library;
    } peers[] = {
        {"OpenMP", {"libpeer_group_openmp.so", PEER_GROUP_FUNCTION, "gcc has it: ninja peers-groups makes it", PEER_GROUP_ABI}},
        {"oneTBB", {"libpeer_group_onetbb.so", PEER_GROUP_FUNCTION, "apt-get install libtbb-dev, then ninja peers-groups makes it", PEER_GROUP_ABI}},
    };
    static struct lab lab;
    int error = 0;
    if (!bench->machine->tsc_invariant) {
        bench_skip(bench, "all", "the processor's counter is not the same on all CPUs");
        return 0;
    }
    if (bench->is_short)
        bench->budget_ns = SHORT_BUDGET_NS;
    for (uint32_t i = 0; i < sizeof peers / sizeof *peers && !error; i++) {
        char why[FIGURE_TEXT_MAX];
        const struct peer_group *peer = peer_open(&peers[i].library, why, sizeof why);
        if (!peer) {
            bench_skip(bench, peers[i].name, why);
            continue;
        }
        error = lab.queue ? 0 : open_all(bench, &lab);
        if (!error)
            error = bench_unpin(bench->machine);
        if (!error)
            peer->begin(bench->machine->cpu[1]);
        if (!error)
            error = bench_pin(bench->machine->cpu[0]);
        if (!error)
            error = measure(bench, &lab, peer);
    }
    return error;
}

const struct scene scene_peer_task = {
    .name = "peer-task",
    .what = "empty and short tasks on two CPUs, beside OpenMP's tasks and oneTBB's task_group",
    .unit = "ns",
    .goal = "",
    .cpus = 2,
    .run = run,
};
