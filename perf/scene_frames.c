/* scene_frames.c - a loop at 60 Hz beside background work that takes every processor, against the same loop with nothing beside it, in turn: how late frames begin, and how many of their points are missed.
 * The work is meshing, without end: a kind that meshes one chunk of terrain over and over until it is told to stop, in a background pool (adit_pool_params.background) of one thread a CPU, which is open all the time
 * and has nothing to do in the frames that have nothing beside. In turn with both are frames beside bare threads of the idle class that mesh the same: what this kernel, and the machine below it, make of busy processors whoever keeps them
 * busy. The last figure is the same in a pool that does not yield, for what it is worth.
 *
 * frames-soak is ten minutes of frames beside work, 36,000, and in between a fifth of that with nothing beside and beside bare threads. */
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

/* Meshes until told to stop; task: NULL for a bare thread. */
static int mesh_on(const struct adit_task_run *task)
{
    uint64_t *quads = malloc(QUADS_MAX * sizeof *quads);
    adit_mesh_kernel *kernel = adit_mesh_kernel_best(NULL);
    static const uint8_t classes[ADIT_MATERIALS] = {[1 ... ADIT_MATERIALS - 1] = ADIT_CLASS_OPAQUE};
    const struct adit_mesh_source source = {.voxels = chunk, .classes = classes, .dim = {64, 64, 64}};
    while (quads && !__atomic_load_n(&is_quiet, __ATOMIC_RELAXED) && !(task && adit_task_should_stop(task))) {
        struct adit_mesh_result r = {.quads = quads, .quads_max = QUADS_MAX};
        (void)kernel(&source, &r);
    }
    free(quads);
    return quads ? 0 : -ENOMEM;
}

static int run_mesh(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)args;
    (void)result;
    *result_bytes = 0;
    return mesh_on(run);
}

static void *run_bare(void *user)
{
    (void)adit_thread_background();
    *(int *)user = mesh_on(NULL);
    return NULL;
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

/* The same beside as many bare threads. */
static int frames_beside_bare(struct lab *lab, double *late, uint32_t n)
{
    pthread_t threads[WORKERS_MAX];
    int errors[WORKERS_MAX], error = 0;
    uint32_t begun = 0;
    __atomic_store_n(&is_quiet, false, __ATOMIC_RELAXED);
    while (begun < lab->cpus && !error) {
        error = adit_thread_start(&threads[begun], run_bare, &errors[begun]);
        begun += !error;
    }
    if (!error)
        error = frames(lab, late, n);
    __atomic_store_n(&is_quiet, true, __ATOMIC_RELAXED);
    while (begun) {
        pthread_join(threads[--begun], NULL);
        error = error ? error : errors[begun];
    }
    return error;
}

struct lates {
    double *late; /* sorted by tell() */
    uint32_t n;
    uint64_t missed; /* points, and frames skipped */
};

static uint64_t missed_of(const struct lab *lab) { return lab->points_missed + lab->skipped; }
static double late_of_999(const struct lates *l) { return l->late[l->n - 1 - l->n / 1000]; }

/* The goals. */
static int tell(struct bench *bench, struct lates beside, struct lates alone, struct lates bare)
{
    stats_sort(beside.late, beside.n);
    stats_sort(alone.late, alone.n);
    stats_sort(bare.late, bare.n);
    const double worst = late_of_999(&beside), alone_worst = late_of_999(&alone), bare_worst = late_of_999(&bare), missed = (double)beside.missed, bare_missed = (double)bare.missed;
    int error = bench_record(bench, &(struct bench_spec){.figure = "a frame begins late, p99.9", .unit = "us", .scale = 1e-3, .goal = {GOAL_RATIO, 1.1}, .raw = {"nothing beside", NULL, NULL}}, &worst, &alone_worst, 1);
    if (!error)
        error = bench_record(bench, &(struct bench_spec){.figure = "the same, against bare threads", .unit = "us", .scale = 1e-3, .goal = {GOAL_RATIO, 1.1}, .raw = {"bare threads beside", NULL, NULL}}, &worst, &bare_worst, 1);
    if (!error)
        error = bench_record(bench, &(struct bench_spec){.figure = "points missed and frames skipped", .unit = "-", .goal = {GOAL_MEDIAN, 0}}, &missed, NULL, 1);
    return error ? error : bench_record(bench, &(struct bench_spec){.figure = "the same beside bare threads", .unit = "-"}, &bare_missed, NULL, 1);
}

static int soak(struct bench *bench, struct lab *lab)
{
    static double beside[FRAMES_SOAK], alone[FRAMES_SOAK / ALONE_EACH], bare[FRAMES_SOAK / ALONE_EACH];
    struct lab quiet = *lab, meshing = *lab;
    struct adit_pool *pool;
    uint32_t n = 0; /* of alone and bare */
    int error = open_pool(lab, true, &pool);
    for (uint32_t i = 0; i < FRAMES_SOAK && !error; i += SEGMENT) {
        bool has_others = i / SEGMENT % ALONE_EACH == 0;
        if (has_others)
            error = frames(&quiet, alone + n, SEGMENT);
        if (has_others && !error)
            error = frames_beside_bare(&meshing, bare + n, SEGMENT);
        n += has_others ? SEGMENT : 0;
        error = error ? error : frames_beside(lab, beside + i, SEGMENT);
    }
    adit_pool_close(&pool);
    return error ? error : tell(bench, (struct lates){beside, FRAMES_SOAK, missed_of(lab)}, (struct lates){alone, n, missed_of(&quiet)}, (struct lates){bare, n, missed_of(&meshing)});
}

static int measure(struct bench *bench, struct lab *lab)
{
    static double beside[FRAMES], alone[FRAMES], bare[FRAMES], loud[FRAMES_LOUD];
    uint32_t n = bench->is_short ? FRAMES_SHORT : FRAMES;
    struct lab quiet = *lab, meshing = *lab, normal = *lab;
    struct adit_pool *pool;
    int error = open_pool(lab, true, &pool);
    for (uint32_t i = 0; i < n && !error; i += SEGMENT) {
        error = frames(&quiet, alone + i, SEGMENT);
        error = error ? error : frames_beside_bare(&meshing, bare + i, SEGMENT);
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
    error = error ? error : tell(bench, (struct lates){beside, n, missed_of(lab)}, (struct lates){alone, n, missed_of(&quiet)}, (struct lates){bare, n, missed_of(&meshing)});
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
