/* scene_samples.c - what a block of 256 stereo frames costs that goes through a ring of samples: to another process and known to have been read there,
 * one after another as fast as both can, and written and read by one process, where no line moves. The raw side copies the same
 * bytes through as much memory and hands over a line. */
#include <errno.h>
#include <string.h>

#include "perf/lab_arena.h"
#include "perf/partner.h"
#include "perf/scenes.h"

#define FRAMES 256u
#define CHANNELS 2u
#define BLOCKS 16u /* in a ring */
#define BLOCK_BYTES (FRAMES * CHANNELS * sizeof(float))

/* The raw side: as many blocks, counted up by each side on a line of its own. It trusts both sides, and knows no frames. */
struct raw_stream {
    _Alignas(128) _Atomic uint64_t written;
    uint64_t read_seen;
    _Alignas(128) _Atomic uint64_t read;
    uint64_t written_seen;
    _Alignas(128) float blocks[BLOCKS][FRAMES * CHANNELS];
};

struct streams {
    char name[LAB_ARENA_NAME_BYTES];
    struct partner *partner;
    struct adit_samples *ours[PARTNER_LANES]; /* the handles of one process */
    struct raw_stream *raw;                   /* PARTNER_LANES of them */
    uint32_t next;                            /* lane of the next block */
};

enum { OURS_DUTY = 1, RAW_DUTY };

static int open_streams(struct adit_arena *arena, struct streams *streams)
{
    const struct adit_samples_params params = {.size = sizeof params, .channels = CHANNELS, .capacity_frames = FRAMES * BLOCKS};
    int error = 0;
    for (uint32_t lane = 0; lane < PARTNER_LANES && !error; lane++) {
        char name[16];
        snprintf(name, sizeof name, "stream-%u", lane);
        error = adit_samples_open(arena, name, &params, &streams->ours[lane]);
    }
    return error;
}

static bool raw_write(struct raw_stream *s, const float *frames)
{
    uint64_t at = atomic_load_explicit(&s->written, memory_order_relaxed);
    if (at - s->read_seen == BLOCKS)
        s->read_seen = atomic_load_explicit(&s->read, memory_order_acquire);
    if (at - s->read_seen == BLOCKS)
        return false;
    memcpy(s->blocks[at % BLOCKS], frames, BLOCK_BYTES);
    atomic_store_explicit(&s->written, at + 1, memory_order_release);
    return true;
}

static bool raw_read_block(struct raw_stream *s, float *frames)
{
    uint64_t at = atomic_load_explicit(&s->read, memory_order_relaxed);
    if (s->written_seen == at)
        s->written_seen = atomic_load_explicit(&s->written, memory_order_acquire);
    if (s->written_seen == at)
        return false;
    memcpy(frames, s->blocks[at % BLOCKS], BLOCK_BYTES);
    atomic_store_explicit(&s->read, at + 1, memory_order_release);
    return true;
}

static void ours_duty(const struct partner *partner, void *context)
{
    struct streams *streams = context; /* the partner's own copy since the fork */
    float frames[FRAMES * CHANNELS];
    if (!streams->ours[0] && open_streams(lab_arena_visit(streams->name, ADIT_PRODUCER)->arena, streams) != 0)
        return; /* the measured side then fails by the scene's time limit */
    struct adit_samples *ours = streams->ours[partner->lane];
    for (uint32_t spins = 1; spins % 256 != 0 || partner_is_on(partner); spins++)
        if (adit_samples_fill(ours) >= FRAMES) {
            adit_samples_read(ours, frames, FRAMES);
            spins = 0;
        }
}

static void raw_stream_duty(const struct partner *partner, void *context)
{
    struct streams *streams = context;
    struct raw_stream *raw = &streams->raw[partner->lane];
    float frames[FRAMES * CHANNELS];
    for (uint32_t spins = 1; spins % 256 != 0 || partner_is_on(partner); spins++)
        if (raw_read_block(raw, frames))
            spins = 0;
}

/* Takes the next lane; a negative errno when the partner is not there. */
static int begin(struct streams *streams, uint32_t duty, uint32_t *lane)
{
    *lane = streams->next++ % PARTNER_LANES;
    return partner_assign_lane(streams->partner, duty, *lane);
}

/* is_known: each block is waited for until it has been read; else it only has to find room. */
static double ours_across(struct streams *streams, uint64_t rounds, bool is_known)
{
    float frames[FRAMES * CHANNELS] = {0};
    uint32_t lane;
    int error = begin(streams, OURS_DUTY, &lane);
    struct adit_samples *ours = streams->ours[lane];
    if (error)
        return error;
    double from = clock_now_ns();
    for (uint64_t done = 0; done < rounds;) {
        done += adit_samples_write(ours, frames, FRAMES) == FRAMES;
        while (is_known && adit_samples_fill(ours))
            ;
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double raw_across(struct streams *streams, uint64_t rounds, bool is_known)
{
    float frames[FRAMES * CHANNELS] = {0};
    uint32_t lane;
    int error = begin(streams, RAW_DUTY, &lane);
    struct raw_stream *raw = &streams->raw[lane];
    if (error)
        return error;
    double from = clock_now_ns();
    for (uint64_t done = 0; done < rounds;) {
        done += raw_write(raw, frames);
        while (is_known && atomic_load_explicit(&raw->read, memory_order_acquire) != atomic_load_explicit(&raw->written, memory_order_relaxed))
            ;
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double ours_known_block(void *context, uint64_t rounds) { return ours_across(context, rounds, true); }
static double raw_known_block(void *context, uint64_t rounds) { return raw_across(context, rounds, true); }
static double ours_stream_block(void *context, uint64_t rounds) { return ours_across(context, rounds, false); }
static double raw_stream_block(void *context, uint64_t rounds) { return raw_across(context, rounds, false); }

static double ours_alone_block(void *context, uint64_t rounds)
{
    struct streams *streams = context;
    float frames[FRAMES * CHANNELS] = {0};
    uint32_t lane;
    int error = begin(streams, PARTNER_SLEEPS, &lane);
    if (error)
        return error;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_samples_write(streams->ours[lane], frames, FRAMES);
        adit_samples_read(streams->ours[lane], frames, FRAMES);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double raw_alone_block(void *context, uint64_t rounds)
{
    struct streams *streams = context;
    float frames[FRAMES * CHANNELS] = {0};
    uint32_t lane;
    int error = begin(streams, PARTNER_SLEEPS, &lane);
    if (error)
        return error;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        raw_write(&streams->raw[lane], frames);
        raw_read_block(&streams->raw[lane], frames);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static int measure(struct bench *bench, struct streams *streams)
{
    const struct {
        const char *name;
        bench_block *ours, *raw;
    } rows[] = {{"a block across, seen to be read", ours_known_block, raw_known_block},
                {"a block across, as fast as can be", ours_stream_block, raw_stream_block},
                {"a block, write and read", ours_alone_block, raw_alone_block}};
    int error = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !error; i++)
        error = bench_measure(bench, &(struct bench_spec){.figure = rows[i].name, .unit = "ns", .goal = {GOAL_RATIO, 1.1},
                                                          .ours = {"a ring of samples", rows[i].ours, streams},
                                                          .raw = {"memcpy and a line", rows[i].raw, streams}});
    return error;
}

static int run(struct bench *bench)
{
    struct partner partner;
    struct adit_arena *arena;
    struct streams streams = {.partner = &partner, .raw = partner_memory_create(PARTNER_LANES * sizeof *streams.raw)};
    if (!streams.raw)
        return -ENOMEM;
    lab_arena_name(streams.name);
    int error = partner_start(&partner, bench, (struct partner_duty[]){{ours_duty, &streams}, {raw_stream_duty, &streams}}, 2);
    if (!error)
        error = lab_arena_create(bench, streams.name, NULL, &arena);
    if (error)
        return error;
    error = open_streams(arena, &streams);
    if (error) {
        bench_fail(bench, "all", adit_detail(), error);
        return error;
    }
    return measure(bench, &streams);
}

const struct scene scene_samples = {
    .name = "samples",
    .what = "256 stereo frames through a ring of samples",
    .unit = "ns",
    .goal = "1.1 times raw or less",
    .cpus = 2,
    .run = run,
};
