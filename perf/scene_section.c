/* scene_section.c - a read section, beside the two stores it cannot do without; and opening a value inside it, which must
 * not depend on the value's size.
 *
 * A value is opened in two ways. Through its commit word, as the library itself does: load the word, resolve it, read
 * one word of the block. And through the store, as applications do: adit_chunk_acquire of a key, then one voxel. */
#include <errno.h>
#include <stdlib.h>

#include "perf/lab_arena.h"
#include "perf/raw.h"
#include "perf/scenes.h"
#include "perf/lab_voxels.h"
#include "shm/shm.h"

#define VALUES 4

static const uint32_t value_bytes[VALUES] = {64, 4 << 10, 64 << 10, 256 << 10};
static const char *const value_names[VALUES] = {"64 B", "4 KiB", "64 KiB", "256 KiB"};

struct section {
    struct adit_arena *arena;
    struct adit_reader *reader;
    struct raw raw;
    uint64_t commit;  /* of the value opened */
    const uint64_t *value;
    uint32_t bytes;
    struct adit_key key;
};

static double enter_exit_block(void *context, uint64_t rounds)
{
    struct section *s = context;
    struct adit_reader *reader = s->reader; /* a local: behind each barrier s->reader would be loaded again */
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_enter(reader);
        adit_exit(reader);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double open_block(void *context, uint64_t rounds)
{
    struct section *s = context;
    struct adit_reader *reader = s->reader;
    const struct adit_arena *arena = s->arena;
    const uint64_t *commit = &s->commit;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_enter(reader);
        const uint64_t *value = adit_arena_head(arena, adit_load_acquire(commit));
        bench_consume(*value);
        adit_exit(reader);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

/* The same with nothing of the library: a pointer in place of a commit word. */
static double raw_open_block(void *context, uint64_t rounds)
{
    struct section *s = context;
    struct raw_shared *shared = s->raw.lanes;
    const uint64_t *const *pointer = &s->value;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t epoch = atomic_load_explicit(&shared->epoch, memory_order_relaxed);
        atomic_store_explicit(&shared->slot, epoch | 1, memory_order_relaxed);
        bench_compiler_barrier();
        const uint64_t *value = __atomic_load_n(pointer, __ATOMIC_ACQUIRE);
        bench_consume(*value);
        atomic_store_explicit(&shared->slot, 0, memory_order_release);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double acquire_block(void *context, uint64_t rounds)
{
    struct section *s = context;
    struct adit_reader *reader = s->reader;
    struct adit_chunk_view view;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_enter(reader);
        error |= adit_chunk_acquire(reader, &s->key, &view);
        bench_consume(*(const uint64_t *)view.block);
        adit_exit(reader);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static int measure_opening(struct bench *bench, struct section *section)
{
    struct section of[VALUES];
    int error = 0;

    for (int i = 0; i < VALUES && !error; i++) {
        uint64_t ref;
        error = adit_block_alloc(section->arena, value_bytes[i], ADIT_BLOCK_HERE, &ref);
        if (error) {
            bench_fail(bench, value_names[i], "allocating a block", error);
            return error;
        }
        adit_block_publish(section->arena, ref);
        of[i] = *section;
        of[i].bytes = value_bytes[i];
        of[i].commit = adit_commit_make(1, ref);
        of[i].value = adit_arena_at(section->arena, ref, value_bytes[i]);
    }
    for (int i = 0; i < VALUES && !error; i++) {
        char name[64];
        snprintf(name, sizeof name, "enter, open %s in place, exit", value_names[i]);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .goal = {GOAL_MEDIAN, 1.0},
                                                          .ours = {"section", open_block, &of[i]},
                                                          .raw = {"slot and a pointer", raw_open_block, &of[i]}});
    }
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "flat: 256 KiB against 64 B", .unit = "ns",
                                                          .goal = {GOAL_RATIO, 1.05},
                                                          .ours = {"256 KiB", open_block, &of[VALUES - 1]},
                                                          .raw = {"64 B", open_block, &of[0]}});
    return error;
}

static int measure_acquiring(struct bench *bench, struct section *section)
{
    uint16_t *voxels = malloc(ADIT_CHUNK_VOXELS * sizeof *voxels);
    struct section of[VOXELS_SIZES];
    int error = voxels ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < VOXELS_SIZES && !error; i++) {
        char name[64];
        struct adit_chunk_view view;
        of[i] = *section;
        of[i].key = (struct adit_key){.x = (int32_t)i};
        voxels_fill_sized(voxels, i);
        error = adit_chunk_put(section->arena, &of[i].key, voxels, NULL);
        adit_enter(section->reader);
        if (!error)
            error = adit_chunk_acquire(section->reader, &of[i].key, &view);
        adit_exit(section->reader);
        if (error) {
            bench_fail(bench, "enter, acquire, exit", "publishing a chunk", error);
            break;
        }
        snprintf(name, sizeof name, "enter, acquire %u B version, exit", view.bytes);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns",
                                                          .ours = {"acquire", acquire_block, &of[i]},
                                                          .raw = {"slot store", raw_slot_block, &section->raw}});
    }
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "flat: largest version against smallest", .unit = "ns",
                                                          .goal = {GOAL_RATIO, 1.05},
                                                          .ours = {"largest", acquire_block, &of[VOXELS_SIZES - 1]},
                                                          .raw = {"smallest", acquire_block, &of[0]}});
    free(voxels);
    return error;
}

static int run(struct bench *bench)
{
    struct section section = {0};
    char name[LAB_ARENA_NAME_BYTES];
    int error = raw_begin(&section.raw, bench, NULL, 0, NULL);

    lab_arena_name(name);
    if (!error)
        error = lab_arena_create(bench, name, &(struct adit_create_params){.size = sizeof(struct adit_create_params),
                                                                           .data_bytes = 32 << 20}, &section.arena);
    if (!error)
        error = adit_reader_open(section.arena, &section.reader);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = "enter, exit", .unit = "ns", .goal = {GOAL_MEDIAN, 1.0},
                                                          .ours = {"section", enter_exit_block, &section},
                                                          .raw = {"slot store", raw_slot_block, &section.raw}});
    if (!error)
        error = measure_opening(bench, &section);
    if (!error)
        error = measure_acquiring(bench, &section);
    return error;
}

const struct scene scene_section = {
    .name = "section",
    .what = "a read section, and opening values of 64 B to 256 KiB inside it",
    .unit = "ns",
    .goal = "1.0 ns or less, and flat over the sizes",
    .cpus = 1,
    .run = run,
};
