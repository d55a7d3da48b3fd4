/* scene_chunk.c - publishing a whole chunk (encode, take a block, commit, mark), editing one, and decoding one, by input.
 * The raw limits: reading the 512 KiB of voxels once, which every encoder must; writing them once, which every decoder
 * must; for an edit, copying the version that it replaces. Nobody reads or meshes meanwhile. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perf/lab_arena.h"
#include "perf/raw.h"
#include "perf/scenes.h"
#include "perf/lab_voxels.h"

struct chunk {
    struct adit_arena *arena;
    struct adit_reader *reader;
    struct voxels_source *source;
    uint16_t *voxels; /* what decoding fills */
    void *copy;       /* of the version */
    struct adit_key key;
    uint32_t bytes; /* of the version */
    uint32_t edits;
};

static double put_block(void *context, uint64_t rounds)
{
    struct chunk *chunk = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++)
        error = adit_chunk_put(chunk->arena, &chunk->key, chunk->source->voxels, NULL);
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double read_block(void *context, uint64_t rounds)
{
    struct chunk *chunk = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        raw_read(chunk->source->voxels, sizeof chunk->source->voxels);
    return (clock_now_ns() - from) / (double)rounds;
}

/* One voxel, set to one of two materials in turn, so that each edit changes something. */
static double edit_block(void *context, uint64_t rounds)
{
    struct chunk *chunk = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++) {
        const struct adit_voxel_edit edit = {.x = 31, .y = 32, .z = 33, .material = (uint16_t)(1 + (chunk->edits++ & 1))};
        error = adit_chunk_edit(chunk->arena, &chunk->key, &edit, 1, NULL);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double copy_block(void *context, uint64_t rounds)
{
    struct chunk *chunk = context;
    struct adit_chunk_view view;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_enter(chunk->reader);
        error = adit_chunk_acquire(chunk->reader, &chunk->key, &view);
        if (!error)
            memcpy(chunk->copy, view.block, view.bytes < chunk->bytes ? view.bytes : chunk->bytes);
        bench_compiler_barrier();
        adit_exit(chunk->reader);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double decode_block(void *context, uint64_t rounds)
{
    struct chunk *chunk = context;
    struct adit_chunk_view view;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_enter(chunk->reader);
        error = adit_chunk_acquire(chunk->reader, &chunk->key, &view);
        if (!error)
            adit_chunk_decode(&view, chunk->voxels);
        adit_exit(chunk->reader);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double write_block(void *context, uint64_t rounds)
{
    struct chunk *chunk = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        memset(chunk->voxels, (int)i, ADIT_CHUNK_VOXELS * sizeof *chunk->voxels);
        bench_compiler_barrier();
    }
    return (clock_now_ns() - from) / (double)rounds;
}

/* Publishes the input and learns how large its version is. */
static int prepare(struct chunk *chunk, const struct voxels_input *input)
{
    struct adit_chunk_view view;
    int error = voxels_source_fill(chunk->source, input);
    if (!error)
        error = adit_chunk_put(chunk->arena, &chunk->key, chunk->source->voxels, NULL);
    if (error)
        return error;
    adit_enter(chunk->reader);
    error = adit_chunk_acquire(chunk->reader, &chunk->key, &view);
    chunk->bytes = error ? 0 : view.bytes;
    adit_exit(chunk->reader);
    free(chunk->copy);
    chunk->copy = malloc(chunk->bytes);
    return error ? error : chunk->copy ? 0 : -ENOMEM;
}

static int measure(struct bench *bench, struct chunk *chunk, const struct voxels_input *input)
{
    const struct {
        const char *what;
        struct bench_side ours, raw;
    } figures[] = {
        {"decode", {"decode", decode_block, chunk}, {"writing 512 KiB", write_block, chunk}},
        {"put", {"put", put_block, chunk}, {"reading 512 KiB", read_block, chunk}},
        {"edit one voxel", {"edit", edit_block, chunk}, {"copying the version", copy_block, chunk}},
    };
    char name[64], note[64];
    int error = prepare(chunk, input);

    if (error)
        bench_fail(bench, input->name, "publishing a chunk", error);
    snprintf(note, sizeof note, "a version of %u bytes", chunk->bytes);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0] && !error; i++) {
        snprintf(name, sizeof name, "%s, %s", figures[i].what, input->name);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .note = note,
                                                          .ours = figures[i].ours, .raw = figures[i].raw});
    }
    return error;
}

static int run(struct bench *bench)
{
    struct chunk chunk = {.source = malloc(sizeof *chunk.source),
                          .voxels = malloc(ADIT_CHUNK_VOXELS * sizeof *chunk.voxels)};
    char name[LAB_ARENA_NAME_BYTES];
    int error = chunk.source && chunk.voxels ? 0 : -ENOMEM;

    lab_arena_name(name);
    if (!error)
        error = lab_arena_create(bench, name, NULL, &chunk.arena);
    if (!error)
        error = adit_reader_open(chunk.arena, &chunk.reader);
    for (uint32_t i = 0; i < voxels_inputs_n && !error; i++) {
        chunk.key.x = (int32_t)i * 2; /* no neighbours */
        error = measure(bench, &chunk, &voxels_inputs[i]);
    }
    return error;
}

const struct scene scene_chunk = {
    .name = "chunk",
    .what = "publishing, editing and decoding a whole chunk, by input",
    .unit = "us",
    .goal = "",
    .cpus = 1,
    .run = run,
};
