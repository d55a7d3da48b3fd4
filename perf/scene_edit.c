/* scene_edit.c - from an edit to the mesh that shows it: a chunk of terrain is edited and published by this thread, a dispatcher of one thread on the other CPU meshes it, and this thread looks until the mesh is there. The raw
 * side does all of it in this thread, on an arena that has no dispatcher: publish, claim, mesh, publish. Edits come at once after the mesh before, or after a pause, when the dispatcher sleeps. The storm edits without waiting:
 * how often is a chunk meshed that is edited as fast as can be? And when all who see it look 60 times a second? */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kernels/kernels.h"
#include "perf/lab_arena.h"
#include "perf/lab_stats.h"
#include "perf/scenes.h"
#include "runtime/dirty.h"
#include "runtime/mesher.h"
#include "runtime/store.h"

#define SAMPLES 2000u
#define SAMPLES_SHORT 300u
#define PAUSE_NS 2000000u
#define STORM_NS 500000000.0
#define FRAME_NS 16666667u

struct side {
    struct adit_arena *arena;
    struct adit_reader *reader;
    struct adit_dispatcher *dispatcher; /* NULL: this thread meshes */
    uint32_t index, edits;
};

static const struct adit_key key = {.x = 1, .y = 0, .z = 1};
static uint16_t chunk[ADIT_CHUNK_VOXELS];

/* Changes one voxel; the version's number. */
static int edit(struct side *s, uint64_t *version)
{
    const struct adit_put_params p = {.size = sizeof p, .version = version};
    const struct adit_voxel_edit e = {.x = 5, .y = 40, .z = 5, .material = (uint16_t)(1 + (s->edits++ & 1))};
    return adit_chunk_edit(s->arena, &key, &e, 1, &p);
}

/* The version that the mesh is of; 0: none. */
static uint64_t meshed(struct side *s)
{
    struct adit_mesh_view view;
    adit_enter(s->reader);
    uint64_t version = adit_mesh_acquire(s->reader, &key, &view) ? 0 : view.source[0];
    adit_exit(s->reader);
    return version;
}

/* One edit, until its mesh is there; nanoseconds after it was published. */
static double one(struct side *s)
{
    uint64_t version = 0, made = 0;
    int error = edit(s, &version);
    double from = clock_now_ns();
    if (!error && !s->dispatcher)
        error = adit_dirty_claim_at(s->arena, s->index) && adit_mesher_work(s->arena, adit_mesh_kernel_best(NULL), 0, s->index, &made) ? 0 : -EIO;
    while (!error && meshed(s) < version)
        if (clock_now_ns() - from > 5e9)
            error = -ETIMEDOUT;
    return error ? error : clock_now_ns() - from;
}

static int measure(struct bench *bench, struct side sides[2], const char *figure, long pause_ns)
{
    static double ns[2][SAMPLES];
    char name[64];
    uint32_t n = bench->is_short ? SAMPLES_SHORT : SAMPLES;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < 2; k++) {
            uint32_t which = (i + k) & 1;
            if (pause_ns)
                nanosleep(&(struct timespec){.tv_nsec = pause_ns + (long)(i * 7919 % 1000) * 1000}, NULL);
            ns[which][i] = one(&sides[which]);
            if (ns[which][i] < 0)
                return (int)ns[which][i];
        }
    snprintf(name, sizeof name, "edit to mesh, %s", figure);
    int error = bench_record(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .raw = {"in this thread", NULL, NULL}}, ns[0], ns[1], n);
    for (uint32_t k = 0; k < 2; k++)
        stats_sort(ns[k], n);
    double p99 = ns[0][n - 1 - n / 100], over = p99 - ns[1][n - 1 - n / 100];
    snprintf(name, sizeof name, "p99 over that of this thread, %s", figure);
    return error ? error : bench_record(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .goal = {GOAL_MEDIAN, 50}}, &over, NULL, 1);
}

/* As fast as can be: what an edit took, and how many meshes were made. */
static int storm(struct side *s, double *edits, double *took, double *meshes)
{
    struct adit_tier_info before, after;
    uint64_t version;
    int error = adit_dispatcher_tier(s->dispatcher, 0, &before);
    *edits = 0;
    for (double from = clock_now_ns(); !error && clock_now_ns() - from < STORM_NS; ++*edits)
        error = edit(s, &version);
    if (!error)
        error = adit_settle(s->arena, 10000000000u);
    if (!error)
        error = adit_dispatcher_tier(s->dispatcher, 0, &after);
    *took = STORM_NS / *edits;
    *meshes = error ? 0 : (double)(after.meshed - before.meshed);
    return error;
}

static int storms(struct bench *bench, struct side *s)
{
    const struct adit_viewer_place near = {.size = sizeof near, .at = {96, 40, 96}, .radius = 200, .frame_ns = FRAME_NS};
    struct adit_viewer *viewer = NULL;
    double edits[2], took[2], meshes[2];
    int error = storm(s, &edits[0], &took[0], &meshes[0]);
    if (!error)
        error = adit_viewer_open(s->arena, &near, &viewer);
    if (!error)
        error = storm(s, &edits[1], &took[1], &meshes[1]);
    adit_viewer_close(&viewer);
    if (error)
        return error;
    double each = meshes[0] / edits[0], a_frame = meshes[1] / (2 + STORM_NS / FRAME_NS); /* the first at once, and the last after its end */
    error = bench_record(bench, &(struct bench_spec){.figure = "storm: an edit", .unit = "us", .scale = 1e-3}, &took[0], NULL, 1);
    error = error ? error : bench_record(bench, &(struct bench_spec){.figure = "storm: meshes an edit", .unit = "-", .goal = {GOAL_MEDIAN, 1}}, &each, NULL, 1);
    error = error ? error : bench_record(bench, &(struct bench_spec){.figure = "storm seen in frames: an edit", .unit = "us", .scale = 1e-3}, &took[1], NULL, 1);
    return error ? error : bench_record(bench, &(struct bench_spec){.figure = "storm seen in frames: meshes a frame", .unit = "-", .goal = {GOAL_MEDIAN, 1}}, &a_frame, NULL, 1);
}

static int open_side(struct bench *bench, struct side *s, bool dispatches)
{
    const struct adit_dispatcher_params one_thread = {.size = sizeof one_thread, .workers = 1};
    char name[LAB_ARENA_NAME_BYTES];
    uint64_t packed;
    lab_arena_name(name);
    strcat(name, dispatches ? "a" : "b");
    int error = lab_arena_create(bench, name, NULL, &s->arena);
    if (!error)
        error = adit_chunk_put(s->arena, &key, chunk, NULL);
    if (!error)
        error = adit_reader_open(s->arena, &s->reader);
    if (!error && (!adit_key_try(&key, &packed) || !adit_store_find(s->arena, packed, &s->index)))
        error = -ENOENT;
    if (!error && dispatches)
        error = bench_pin(bench->machine->cpu[1]);
    if (!error && dispatches)
        error = adit_dispatcher_open(s->arena, &one_thread, &s->dispatcher);
    int back = bench_pin(bench->machine->cpu[0]);
    return error ? error : back;
}

static int run(struct bench *bench)
{
    struct side sides[2] = {{0}};
    int error = 0;
    adit_generate(adit_generator_named("terrain"), 1, 1, 0, 1, chunk);
    for (uint32_t i = 0; i < 2 && !error; i++)
        error = open_side(bench, &sides[i], !i);
    if (!error)
        error = measure(bench, sides, "one after the other", 0);
    if (!error)
        error = measure(bench, sides, "after 2 ms of nothing", PAUSE_NS);
    if (!error)
        error = storms(bench, &sides[0]);
    if (error)
        bench_fail(bench, "all", adit_detail(), error);
    for (uint32_t i = 0; i < 2; i++) {
        adit_dispatcher_close(&sides[i].dispatcher);
        adit_reader_close(&sides[i].reader);
        adit_detach(&sides[i].arena);
    }
    return error;
}

const struct scene scene_edit = {
    .name = "edit",
    .what = "from an edit to the mesh that shows it, by a dispatcher on the other CPU; a storm of edits",
    .unit = "us",
    .goal = "<= 50",
    .cpus = 2,
    .run = run,
};
