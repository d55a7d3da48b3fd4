/* scene_range.c - adit_range beside oneTBB's parallel_for (peer_range.h): the same body on the same range, both on two threads, the caller's and one
 * on the other CPU. A block is one loop of some milliseconds, begun from rest: both have their threads asleep, as after a pause in earnest.
 *
 * Bodies of so many nanoseconds an element are a chain of multiplications, counted out once, so that a thread without a CPU does no work meanwhile. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "perf/lab_arena.h"
#include "perf/peer.h"
#include "perf/peer_range.h"
#include "perf/scenes.h"

#define THREADS 2u
#define SERIAL_NS 8e6 /* of one loop on one CPU */
#define DOUBLES (4u << 20)
#define REST_NS 2000000 /* for the other side's threads to be asleep */

typedef void loop_body(uint64_t begin, uint64_t end, void *context);

struct loop {
    struct adit_queue *queue;
    const struct peer_range *peer;
    uint32_t kind;
    loop_body *body;
    uint64_t n, grain;
    uint64_t steps; /* of an element's chain */
    double *a, *b, *c;
};

static uint64_t chain(uint64_t x, uint64_t steps)
{
    while (steps--)
        x = x * 6364136223846793005u + 1442695040888963407u;
    return x;
}

static void compute(uint64_t begin, uint64_t end, void *context)
{
    const struct loop *l = context;
    uint64_t sum = 0;
    for (uint64_t i = begin; i < end; i++)
        sum += chain(i, l->steps);
    bench_consume(sum);
}

static void stream(uint64_t begin, uint64_t end, void *context)
{
    const struct loop *l = context;
    for (uint64_t i = begin; i < end; i++)
        l->a[i] = l->b[i] + 3 * l->c[i];
}

static int run_part(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    const struct adit_range_args *part = args;
    struct loop *l = run->user;
    (void)result;
    (void)result_bytes;
    l->body(part->begin, part->end, l);
    return 0;
}

static void rest(void) { nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL); }

static double ours_block(void *context, uint64_t rounds)
{
    struct loop *l = context;
    const struct adit_batch_params p = {.size = sizeof p, .kind = l->kind};
    (void)rounds;
    rest();
    double from = clock_now_ns();
    int error = adit_range(l->queue, &p, 0, l->n, l->grain, NULL, 0, NULL);
    return error ? error : clock_now_ns() - from;
}

static double peer_block(void *context, uint64_t rounds)
{
    struct loop *l = context;
    (void)rounds;
    rest();
    double from = clock_now_ns();
    l->peer->run(0, l->n, l->grain, l->body, l);
    return clock_now_ns() - from;
}

/* Steps of a chain that last so long, here and now: the best of some tries. */
static uint64_t steps_of(double ns)
{
    double best = 1e9;
    for (uint32_t i = 0; i < 20; i++) {
        double from = clock_now_ns();
        bench_consume(chain(i, 100000));
        double one = (clock_now_ns() - from) / 100000;
        best = one < best ? one : best;
    }
    return (uint64_t)(ns / best) + 1;
}

static int measure(struct bench *bench, struct loop *l, const char *what, uint64_t grain)
{
    char name[64], size[32] = "its own grain";
    if (grain)
        snprintf(size, sizeof size, "grain %llu", (unsigned long long)grain);
    snprintf(name, sizeof name, "%s, %s", what, size);
    l->grain = grain;
    return bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ms", .scale = 1e-6, .rounds_max = 1, .goal = {GOAL_RATIO, 1.05}, .note = l->peer->name,
                                                     .ours = {"adit_range", ours_block, l}, .raw = {"parallel_for", peer_block, l}});
}

static int measure_all(struct bench *bench, struct loop *l)
{
    static const struct {
        const char *what;
        double ns;
        uint64_t grain;
    } bodies[] = {{"0.1 us an element", 100, 256}, {"1 us an element", 1000, 32}, {"10 us an element", 10000, 4}};
    int error = 0;
    l->body = compute;
    for (uint32_t i = 0; i < sizeof bodies / sizeof *bodies && !error; i++) {
        l->steps = steps_of(bodies[i].ns);
        l->n = (uint64_t)(SERIAL_NS / bodies[i].ns);
        error = measure(bench, l, bodies[i].what, 0);
        if (!error)
            error = measure(bench, l, bodies[i].what, bodies[i].grain);
    }
    l->body = stream;
    l->n = DOUBLES;
    if (!error)
        error = measure(bench, l, "triad of 96 MiB", 0);
    return error ? error : measure(bench, l, "triad of 96 MiB", DOUBLES / 64);
}

static int open_all(struct bench *bench, struct loop *l)
{
    char name[LAB_ARENA_NAME_BYTES];
    struct adit_arena *arena; /* this and the pool: until the process ends */
    struct adit_pool *pool;
    const struct adit_kind_params kind = {.size = sizeof kind, .name = "part", .run = run_part, .user = l, .args_bytes_min = 16, .args_bytes_max = 64};
    const struct adit_queue_params queue = {.size = sizeof queue, .order = ADIT_ORDER_FIFO};
    l->a = calloc(3 * (size_t)DOUBLES, sizeof *l->a);
    int error = l->a ? 0 : -ENOMEM;
    l->b = l->a + DOUBLES;
    l->c = l->b + DOUBLES;
    lab_arena_name(name);
    if (!error)
        error = lab_arena_create(bench, name, NULL, &arena);
    if (!error)
        error = adit_kind_register(arena, &kind, &l->kind);
    if (!error)
        error = adit_queue_open(arena, "ranges", &queue, &l->queue);
    return error ? error : lab_arena_open_worker(bench, l->queue, 1, &pool);
}

static int run(struct bench *bench)
{
    static const struct peer_library library = {PEER_RANGE_LIBRARY, PEER_RANGE_FUNCTION, "apt-get install libtbb-dev, then ninja peers makes it", PEER_RANGE_ABI};
    static struct loop loop;
    char why[FIGURE_TEXT_MAX];
    loop.peer = peer_open(&library, why, sizeof why);
    if (!loop.peer) {
        bench_skip(bench, "all", why);
        return 0;
    }
    int error = open_all(bench, &loop);
    if (error)
        return error;
    error = bench_unpin(bench->machine);
    if (!error)
        loop.peer->begin(THREADS, bench->machine->cpu[1]);
    if (!error)
        error = bench_pin(bench->machine->cpu[0]);
    return error ? error : measure_all(bench, &loop);
}

const struct scene scene_range = {
    .name = "range",
    .what = "adit_range beside oneTBB's parallel_for, the same bodies on two threads",
    .unit = "ms",
    .goal = "1.05 of parallel_for",
    .cpus = 2,
    .run = run,
};
