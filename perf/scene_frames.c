/* scene_frames.c - a loop at 60 Hz beside background work that takes every processor, against the same loop with nothing beside it, in turn: how late frames begin, and how many of their points are missed.
 * The work is meshing, without end: a kind that meshes one chunk of terrain over and over until it is told to stop, in a background pool (adit_pool_params.background) of one thread a CPU, which is open all the time
 * and has nothing to do in the frames that have nothing beside. The last figure is the same in a pool that does not yield, for what it is worth.
 *
 * frames-soak is ten minutes of frames beside work, 36,000, and in between a fifth of that with nothing beside, and a fifth beside bare threads of the idle class that do nothing but count: what this kernel, and the machine below it, make of
 * busy processors whoever keeps them busy. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "perf/lab_arena.h"
#include "perf/lab_stats.h"
#include "perf/scenes.h"
#include "shm/shm.h"

#define SEGMENT 60u /* frames: a second */
#define FRAMES 1800u
#define FRAMES_SHORT 240u
#define FRAMES_LOUD 120u
#define FRAMES_SOAK 36000u
#define ALONE_EACH 5u /* segments of a soak */
#define QUADS_MAX 400000u
#define WORKERS_MAX 1024u

struct lab {
    struct adit_arena *arena;
    struct adit_queue *queue;
    uint32_t kind, cpus;
    uint64_t points_missed, skipped;
};

static uint16_t chunk[ADIT_CHUNK_VOXELS];
static bool is_quiet; /* work that runs ends */

static int run_mesh(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t *quads = malloc(QUADS_MAX * sizeof *quads);
    adit_mesh_kernel *kernel = adit_mesh_kernel_best(NULL);
    static const uint8_t classes[ADIT_MATERIALS] = {[1 ... ADIT_MATERIALS - 1] = ADIT_CLASS_OPAQUE};
    const struct adit_mesh_source source = {.voxels = chunk, .classes = classes, .dim = {64, 64, 64}};
    (void)args;
    (void)result;
    *result_bytes = 0;
    while (quads && !__atomic_load_n(&is_quiet, __ATOMIC_RELAXED) && !adit_task_should_stop(run)) {
        struct adit_mesh_result r = {.quads = quads, .quads_max = QUADS_MAX};
        (void)kernel(&source, &r);
    }
    free(quads);
    return quads ? 0 : -ENOMEM;
}

/* So many frames, a point at half of each; late[i]: how late each began. */
static int frames(struct lab *lab, double *late, uint32_t n)
{
    static const struct adit_frame_point middle = {"half", 8333333};
    const struct adit_frame_params p = {.size = sizeof p, .points = &middle, .points_n = 1};
    struct adit_frame *f;
    struct adit_frame_info info = {.size = sizeof info};
    int error = adit_frame_open(&p, &f);
    for (uint32_t i = 0; i < n && !error; i++) {
        int passed = adit_frame_wait(f);
        double left = (double)adit_frame_left_ns(f);
        late[i] = 16666667.0 - left;
        lab->skipped += (uint64_t)passed;
        for (double until = clock_now_ns() + 2e6; clock_now_ns() < until;) /* what the frame itself does */
            ;
        (void)adit_frame_reach(f, 0);
    }
    if (!error)
        error = adit_frame_look(f, &info);
    lab->points_missed += error ? 0 : info.points[0].missed;
    adit_frame_close(&f);
    return error;
}

static int open_pool(struct lab *lab, bool background, struct adit_pool **pool)
{
    const struct adit_pool_params p = {.size = sizeof p, .workers = lab->cpus, .background = background};
    return adit_pool_open(lab->queue, &p, pool);
}

/* The same beside as many endless tasks as there are CPUs, in the pool that is open. */
static int frames_beside(struct lab *lab, double *late, uint32_t n)
{
    const struct adit_task_spec s = {.size = sizeof s, .kind = lab->kind};
    uint64_t tasks[WORKERS_MAX];
    uint32_t given = 0;
    int error = 0;
    __atomic_store_n(&is_quiet, false, __ATOMIC_RELAXED);
    while (given < lab->cpus && !error) {
        error = adit_submit(lab->queue, &s, &tasks[given]);
        given += !error;
    }
    if (!error)
        error = frames(lab, late, n);
    __atomic_store_n(&is_quiet, true, __ATOMIC_RELAXED);
    while (given) {
        int ended = adit_wait(lab->queue, tasks[--given], ADIT_FOR_EVER, &(struct adit_task_result){.size = sizeof(struct adit_task_result)});
        error = error ? error : ended;
    }
    return error;
}

static void *count_on(void *user)
{
    (void)user;
    (void)adit_thread_background();
    for (volatile uint64_t n = 0; !__atomic_load_n(&is_quiet, __ATOMIC_RELAXED); n++)
        ;
    return NULL;
}

/* The same beside as many threads that only count. */
static int frames_beside_bare(struct lab *lab, double *late, uint32_t n)
{
    pthread_t threads[WORKERS_MAX];
    uint32_t begun = 0;
    int error = 0;
    __atomic_store_n(&is_quiet, false, __ATOMIC_RELAXED);
    while (begun < lab->cpus && !error) {
        error = adit_thread_start(&threads[begun], count_on, NULL);
        begun += !error;
    }
    if (!error)
        error = frames(lab, late, n);
    __atomic_store_n(&is_quiet, true, __ATOMIC_RELAXED);
    while (begun)
        pthread_join(threads[--begun], NULL);
    return error;
}

/* The goals: late[], which it sorts, and what was missed. */
static int tell(struct bench *bench, const struct lab *lab, double *beside, uint32_t n, double *alone, uint32_t alone_n)
{
    stats_sort(beside, n);
    stats_sort(alone, alone_n);
    double worst[2] = {beside[n - 1 - n / 1000], alone[alone_n - 1 - alone_n / 1000]}, missed = (double)(lab->points_missed + lab->skipped);
    int error = bench_record(bench, &(struct bench_spec){.figure = "a frame begins late, p99.9", .unit = "us", .scale = 1e-3, .goal = {GOAL_RATIO, 1.1}, .raw = {"nothing beside", NULL, NULL}}, &worst[0], &worst[1], 1);
    return error ? error : bench_record(bench, &(struct bench_spec){.figure = "points missed and frames skipped", .unit = "-", .goal = {GOAL_MEDIAN, 0}}, &missed, NULL, 1);
}

static int soak(struct bench *bench, struct lab *lab)
{
    static double beside[FRAMES_SOAK], alone[FRAMES_SOAK / ALONE_EACH], bare[FRAMES_SOAK / ALONE_EACH];
    struct lab quiet = *lab, counting = *lab;
    struct adit_pool *pool;
    uint32_t alone_n = 0;
    int error = open_pool(lab, true, &pool);
    for (uint32_t i = 0; i < FRAMES_SOAK && !error; i += SEGMENT) {
        bool has_alone = i / SEGMENT % ALONE_EACH == 0;
        if (has_alone)
            error = frames(&quiet, alone + alone_n, SEGMENT);
        if (has_alone && !error)
            error = frames_beside_bare(&counting, bare + alone_n, SEGMENT);
        alone_n += has_alone ? SEGMENT : 0;
        error = error ? error : frames_beside(lab, beside + i, SEGMENT);
    }
    adit_pool_close(&pool);
    error = error ? error : tell(bench, lab, beside, FRAMES_SOAK, alone, alone_n);
    if (error)
        return error;
    stats_sort(bare, alone_n);
    double worst[2] = {beside[FRAMES_SOAK - 1 - FRAMES_SOAK / 1000], bare[alone_n - 1 - alone_n / 1000]}, missed = (double)(counting.points_missed + counting.skipped);
    error = bench_record(bench, &(struct bench_spec){.figure = "the same, p99.9, against bare threads beside", .unit = "us", .scale = 1e-3, .goal = {GOAL_RATIO, 1.1}, .raw = {"bare threads beside", NULL, NULL}}, &worst[0], &worst[1], 1);
    return error ? error : bench_record(bench, &(struct bench_spec){.figure = "missed and skipped of 7,200 beside bare threads", .unit = "-"}, &missed, NULL, 1);
}

static int measure(struct bench *bench, struct lab *lab)
{
    static double beside[FRAMES], alone[FRAMES], loud[FRAMES_LOUD];
    uint32_t n = bench->is_short ? FRAMES_SHORT : FRAMES;
    struct lab quiet = *lab, normal = *lab;
    struct adit_pool *pool;
    int error = open_pool(lab, true, &pool);
    for (uint32_t i = 0; i < n && !error; i += SEGMENT) {
        error = frames(&quiet, alone + i, SEGMENT);
        error = error ? error : frames_beside(lab, beside + i, SEGMENT);
    }
    adit_pool_close(&pool);
    error = error ? error : open_pool(lab, false, &pool);
    error = error ? error : frames_beside(&normal, loud, FRAMES_LOUD);
    adit_pool_close(&pool);
    if (!error)
        error = bench_record(bench, &(struct bench_spec){.figure = "a frame begins late, median", .unit = "us", .scale = 1e-3, .raw = {"nothing beside", NULL, NULL}}, beside, alone, n);
    stats_sort(loud, FRAMES_LOUD);
    double last = loud[FRAMES_LOUD - 1];
    error = error ? error : tell(bench, lab, beside, n, alone, n);
    return error ? error : bench_record(bench, &(struct bench_spec){.figure = "the latest of 120, beside work that does not yield", .unit = "us", .scale = 1e-3}, &last, NULL, 1);
}

static int run_by(struct bench *bench, int (*by)(struct bench *bench, struct lab *lab))
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "endless", .run = run_mesh};
    const struct adit_queue_params fifo = {.size = sizeof fifo, .order = ADIT_ORDER_FIFO};
    char name[LAB_ARENA_NAME_BYTES];
    struct lab lab = {0};
    int error = bench_unpin(bench->machine);
    lab.cpus = adit_cpus() < WORKERS_MAX ? adit_cpus() : WORKERS_MAX;
    adit_generate(adit_generator_named("terrain"), 1, 0, 0, 0, chunk);
    lab_arena_name(name);
    if (!error)
        error = lab_arena_create(bench, name, NULL, &lab.arena);
    if (!error)
        error = adit_kind_register(lab.arena, &k, &lab.kind);
    if (!error)
        error = adit_queue_open(lab.arena, "endless", &fifo, &lab.queue);
    if (!error)
        error = by(bench, &lab);
    if (error)
        bench_fail(bench, "all", adit_detail(), error);
    adit_queue_close(&lab.queue);
    adit_detach(&lab.arena);
    return error;
}

static int run(struct bench *bench) { return run_by(bench, measure); }
static int run_soak(struct bench *bench) { return run_by(bench, soak); }

const struct scene scene_frames_soak = {
    .name = "frames-soak",
    .what = "36,000 frames at 60 Hz beside background work on every processor, which takes fourteen minutes; only when named in full",
    .unit = "us",
    .goal = "<= 1.1, none missed",
    .is_soak = true,
    .cpus = 2,
    .run = run_soak,
};

const struct scene scene_frames = {
    .name = "frames",
    .what = "frames at 60 Hz beside background work on every processor, and with nothing beside",
    .unit = "us",
    .goal = "<= 1.1",
    .cpus = 2,
    .run = run,
};
