/* path_alloc.c - instructions of a block taken and given back, by size, and of one published, replaced and reclaimed. */
#include <errno.h>

#include "perf/count.h"
#include "shm/shm.h"

static struct adit_arena *arena;
static uint64_t bytes;

static int open_alloc(uint64_t size)
{
    bytes = size;
    return count_arena_open(&arena);
}

static void close_alloc(void) { adit_detach(&arena); }

static int run_pair(uint64_t n)
{
    int error = 0;
    for (uint64_t i = 0; i < n && !error; i++) {
        uint64_t ref;
        error = adit_block_alloc(arena, bytes, ADIT_BLOCK_HERE, &ref);
        if (!error)
            adit_block_free(arena, ref);
    }
    return error;
}

static int run_publish(uint64_t n)
{
    uint64_t word = 0;
    int error = 0;
    for (uint64_t i = 0; i < n && !error; i++) {
        uint64_t ref, old = adit_load_acquire(&word);
        error = adit_block_alloc(arena, bytes, ADIT_BLOCK_HERE, &ref);
        if (error)
            break;
        adit_block_publish(arena, ref);
        if (!adit_cas_acq_rel(&word, &old, adit_commit_make(i + 1, ref)))
            return -EAGAIN;
        if (adit_commit_ref(old))
            adit_retire(arena, adit_commit_ref(old)); /* reclaimed by the arena's own thread, which is not counted */
    }
    if (adit_commit_ref(word))
        adit_retire(arena, adit_commit_ref(word));
    return error;
}

const struct count_path count_alloc[] = {
    {"block: loan and free, 512 B", 4000, 512, open_alloc, run_pair, close_alloc},
    {"block: loan and free, 64 KiB", 4000, 64 << 10, open_alloc, run_pair, close_alloc},
    {"block: publish, 4 KiB", 500, 4 << 10, open_alloc, run_publish, close_alloc},
    {0},
};
