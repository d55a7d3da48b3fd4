/* path_section.c - instructions of a read section, of opening a block in it and of finding a chunk's version in it. */
#include <errno.h>

#include "perf/bench.h"
#include "perf/count.h"
#include "shm/shm.h"

static struct adit_arena *arena;
static struct adit_reader *reader;
static uint64_t commit;
static const struct adit_key key = {.x = 1, .y = 2, .z = 3};
static uint16_t voxels[ADIT_CHUNK_VOXELS];

static int open_section(uint64_t bytes)
{
    uint64_t ref = 0;
    int error = count_arena_open(&arena);
    if (!error)
        error = adit_reader_open(arena, &reader);
    if (!error)
        error = adit_block_alloc(arena, bytes, ADIT_BLOCK_HERE, &ref);
    if (error)
        return error;
    adit_block_publish(arena, ref);
    commit = adit_commit_make(1, ref);
    return adit_chunk_put(arena, &key, voxels, NULL);
}

static void close_section(void)
{
    adit_reader_close(&reader);
    adit_detach(&arena);
}

static int run_enter(uint64_t n)
{
    struct adit_reader *r = reader;
    for (uint64_t i = 0; i < n; i++) {
        adit_enter(r);
        adit_exit(r);
    }
    return 0;
}

static int run_open(uint64_t n)
{
    struct adit_reader *r = reader;
    for (uint64_t i = 0; i < n; i++) {
        adit_enter(r);
        const uint64_t *value = adit_arena_head(arena, adit_load_acquire(&commit));
        bench_consume(*value);
        adit_exit(r);
    }
    return 0;
}

static int run_acquire(uint64_t n)
{
    struct adit_chunk_view view;
    int error = 0;
    for (uint64_t i = 0; i < n; i++) {
        adit_enter(reader);
        error |= adit_chunk_acquire(reader, &key, &view);
        bench_consume(*(const uint64_t *)view.block);
        adit_exit(reader);
    }
    return error;
}

const struct count_path count_section[] = {
    {"section: enter, exit", 10000, 4096, open_section, run_enter, close_section},
    {"section: enter, open 4 KiB in place, exit", 10000, 4096, open_section, run_open, close_section},
    {"section: enter, acquire a chunk, exit", 10000, 4096, open_section, run_acquire, close_section},
    {0},
};
