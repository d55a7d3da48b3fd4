/* path_chunk.c - instructions of publishing a chunk, of editing a voxel of one, and of encoding and decoding one, by input. Nobody reads or meshes. */
#include <errno.h>
#include <stdlib.h>

#include "perf/count.h"
#include "perf/lab_voxels.h"

enum { HILLS, TERRAIN, HILLS_AND_SKY, NOISE50, CHECKER, EMPTY, FULL }; /* of voxels_inputs */

static struct adit_arena *arena;
static struct adit_reader *reader;
static struct voxels_source *source;
static struct adit_encode_plan *plan;
static const struct adit_key key = {.x = 1, .y = 2, .z = 3};
static uint32_t edits;

static int open_chunk(uint64_t input)
{
    edits = 0;
    source = aligned_alloc(64, sizeof *source);
    plan = malloc(adit_encode_plan_bytes());
    int error = source && plan ? count_arena_open(&arena) : -ENOMEM;
    if (!error)
        error = adit_reader_open(arena, &reader);
    if (!error)
        error = voxels_source_fill(source, &voxels_inputs[input]);
    return error ? error : adit_chunk_put(arena, &key, source->voxels, NULL);
}

static void close_chunk(void)
{
    adit_reader_close(&reader);
    adit_detach(&arena);
    free(source);
    free(plan);
    source = NULL;
    plan = NULL;
}

static int run_put(uint64_t n)
{
    int error = 0;
    for (uint64_t i = 0; i < n && !error; i++)
        error = adit_chunk_put(arena, &key, source->voxels, NULL);
    return error;
}

/* One voxel, set to one of two materials in turn: each edit changes something. */
static int run_edit(uint64_t n)
{
    int error = 0;
    for (uint64_t i = 0; i < n && !error; i++) {
        const struct adit_voxel_edit edit = {.x = 31, .y = 32, .z = 33, .material = (uint16_t)(1 + (edits++ & 1))};
        error = adit_chunk_edit(arena, &key, &edit, 1, NULL);
    }
    return error;
}

static int run_encode(uint64_t n)
{
    int error = 0;
    size_t bytes;
    for (uint64_t i = 0; i < n; i++) {
        error |= adit_encode_plan(plan, source->voxels, source->classes, &bytes);
        adit_encode_write(plan, source->block);
    }
    return error;
}

static int run_decode(uint64_t n)
{
    struct adit_chunk_view view;
    int error = 0;
    for (uint64_t i = 0; i < n && !error; i++) {
        adit_enter(reader);
        error = adit_chunk_acquire(reader, &key, &view);
        if (!error)
            adit_chunk_decode(&view, source->voxels);
        adit_exit(reader);
    }
    return error;
}

const struct count_path count_chunk[] = {
    {"chunk: put, one material", 20, FULL, open_chunk, run_put, close_chunk},
    {"chunk: put, hills", 10, HILLS, open_chunk, run_put, close_chunk},
    {"chunk: edit a voxel of terrain", 100, TERRAIN, open_chunk, run_edit, close_chunk},
    {"chunk: encode hills", 10, HILLS, open_chunk, run_encode, close_chunk},
    {"chunk: encode terrain", 10, TERRAIN, open_chunk, run_encode, close_chunk},
    {"chunk: decode terrain", 10, TERRAIN, open_chunk, run_decode, close_chunk},
    {0},
};
