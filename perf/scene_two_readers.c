/* scene_two_readers.c - whether readers disturb each other: the time of one reader's section while another process reads
 * the same value all the time, against the same while nobody does. */
#include <errno.h>
#include <stdlib.h>

#include "perf/lab_arena.h"
#include "perf/partner.h"
#include "perf/scenes.h"
#include "perf/lab_voxels.h"

enum duty { ENTER = 1, ACQUIRE };

struct readers {
    char name[LAB_ARENA_NAME_BYTES];
    struct adit_reader *reader; /* of the measured process */
    struct partner *partner;
};

/* A side of a figure: what this process does, and whether the partner does the same. */
struct side {
    struct readers *readers;
    enum duty does;
    bool has_company;
};

/* Sections, `rounds` of them. Returns 0 or a negative errno. */
static int enter(struct adit_reader *reader, uint64_t rounds)
{
    for (uint64_t i = 0; i < rounds; i++) {
        adit_enter(reader);
        adit_exit(reader);
    }
    return 0;
}

static int acquire(struct adit_reader *reader, uint64_t rounds)
{
    const struct adit_key key = {0};
    struct adit_chunk_view view;
    int error = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        adit_enter(reader);
        error |= adit_chunk_acquire(reader, &key, &view);
        if (!error)
            bench_consume(*(const uint64_t *)view.block);
        adit_exit(reader);
    }
    return error;
}

static double block(void *context, uint64_t rounds)
{
    struct side *side = context;
    struct adit_reader *reader = side->readers->reader;
    int error = partner_assign(side->readers->partner, side->has_company ? side->does : PARTNER_SLEEPS);
    if (error)
        return error;
    double from = clock_now_ns();
    error = side->does == ENTER ? enter(reader, rounds) : acquire(reader, rounds);
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static void enter_duty(const struct partner *partner, void *context)
{
    struct lab_visitor *visitor = lab_arena_visit(((struct readers *)context)->name, ADIT_CONSUMER);
    while (partner_is_on(partner))
        enter(visitor->reader, 256);
}

static void acquire_duty(const struct partner *partner, void *context)
{
    struct lab_visitor *visitor = lab_arena_visit(((struct readers *)context)->name, ADIT_CONSUMER);
    while (partner_is_on(partner))
        acquire(visitor->reader, 256);
}

static int run(struct bench *bench)
{
    struct readers readers = {0};
    uint16_t *voxels = malloc(ADIT_CHUNK_VOXELS * sizeof *voxels);
    struct partner partner;
    struct adit_arena *arena;

    if (!voxels)
        return -ENOMEM;
    lab_arena_name(readers.name);
    readers.partner = &partner;
    int error = partner_start(&partner, bench, (struct partner_duty[]){{enter_duty, &readers}, {acquire_duty, &readers}}, 2);
    if (!error)
        error = lab_arena_create(bench, readers.name, NULL, &arena);
    if (!error)
        error = adit_reader_open(arena, &readers.reader);
    voxels_fill_sized(voxels, VOXELS_SIZES - 1);
    if (!error)
        error = adit_chunk_put(arena, &(struct adit_key){0}, voxels, NULL);
    free(voxels);
    for (enum duty does = ENTER; does <= ACQUIRE && !error; does++) {
        struct side two = {&readers, does, true}, one = {&readers, does, false};
        error = bench_measure(bench, &(struct bench_spec){
                                         .figure = does == ENTER ? "enter, exit" : "enter, acquire one key, exit",
                                         .unit = "ns", .goal = {GOAL_RATIO, 1.1},
                                         .ours = {"two readers", block, &two}, .raw = {"one reader", block, &one}});
    }
    return error;
}

const struct scene scene_two_readers = {
    .name = "two-readers",
    .what = "a reader's section while another process reads the same value, against alone",
    .unit = "ns",
    .goal = "1.1 times one reader or less",
    .cpus = 2,
    .run = run,
};
