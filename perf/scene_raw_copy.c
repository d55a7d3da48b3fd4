/* scene_raw_copy.c - reading and copying a value of 256 KiB, from the caches and from memory: what every copy of a chunk
 * costs, and so what reading in place saves.
 *
 * Cold means that every line was flushed from all caches (clflush) right before; the flushing is not timed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perf/raw.h"
#include "perf/scenes.h"

#define VALUE_BYTES (256 * 1024)
#define LINE_BYTES 64

struct copy {
    uint8_t *from, *to;
    double ns_per_tick;
    bool is_cold, is_copy;
};

#if defined(__x86_64__)
static void flush(const uint8_t *from)
{
    for (size_t at = 0; at < VALUE_BYTES; at += LINE_BYTES)
        _mm_clflush(from + at);
    _mm_mfence();
}
#else
static void flush(const uint8_t *from)
{
    (void)from;
}
#endif

static double copy_block(void *context, uint64_t rounds)
{
    struct copy *copy = context;
    double total = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        if (copy->is_cold) {
            flush(copy->from);
            if (copy->is_copy)
                flush(copy->to);
        }
        uint64_t start = clock_ticks_before();
        if (copy->is_copy)
            memcpy(copy->to, copy->from, VALUE_BYTES);
        else
            raw_read(copy->from, VALUE_BYTES);
        bench_compiler_barrier();
        total += (double)(clock_ticks_after() - start) * copy->ns_per_tick;
    }
    return total / (double)rounds;
}

static int run(struct bench *bench)
{
    static const struct {
        const char *name;
        bool is_copy, is_cold;
    } cases[] = {{"read 256 KiB, in cache", false, false},
                 {"read 256 KiB, from memory", false, true},
                 {"copy 256 KiB, in cache", true, false},
                 {"copy 256 KiB, from memory", true, true}};
    struct copy copy = {.from = aligned_alloc(4096, VALUE_BYTES), .to = aligned_alloc(4096, VALUE_BYTES),
                        .ns_per_tick = bench->machine->ns_per_tick};
    int error = 0;

    if (!copy.from || !copy.to)
        return -ENOMEM;
    memset(copy.from, 1, VALUE_BYTES);
    memset(copy.to, 2, VALUE_BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0] && !error; i++) {
        copy.is_copy = cases[i].is_copy;
        copy.is_cold = cases[i].is_cold;
#if !defined(__x86_64__)
        if (copy.is_cold) {
            bench_skip(bench, cases[i].name, "flushing a line from user space is written for x86-64 only");
            continue;
        }
#endif
        error = bench_measure(bench, &(struct bench_spec){.figure = cases[i].name, .unit = "us", .scale = 1e-3,
                                                          .ours = {"copy", copy_block, &copy}});
    }
    return error;
}

const struct scene scene_raw_copy = {
    .name = "raw-copy",
    .what = "reading and copying 256 KiB, in cache and from memory",
    .unit = "us",
    .goal = "",
    .cpus = 1,
    .run = run,
};
