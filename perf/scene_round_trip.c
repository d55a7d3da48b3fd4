/* scene_round_trip.c - 64 bytes to another process and back over two SPSC rings, both sides spinning, beside the same
 * over two lines each way that nothing manages. */
#include <errno.h>
#include <string.h>

#include "perf/lab_arena.h"
#include "perf/raw.h"
#include "perf/scenes.h"

struct trip {
    char name[LAB_ARENA_NAME_BYTES];
    struct partner *partner;
    struct adit_ring *there[PARTNER_LANES], *back[PARTNER_LANES]; /* the handles of one process */
    uint32_t next;                                                /* lane of the next block */
};

/* The rings of all lanes. Returns 0 or a negative errno. */
static int open_rings(struct adit_arena *arena, struct trip *trip)
{
    const struct adit_ring_params params = {.size = sizeof params, .kind = ADIT_RING_SPSC,
                                            .element_bytes = RAW_PAYLOAD_BYTES, .capacity = 64};
    int error = 0;
    for (uint32_t lane = 0; lane < PARTNER_LANES && !error; lane++) {
        char name[16];
        snprintf(name, sizeof name, "there-%u", lane);
        error = adit_ring_open(arena, name, &params, &trip->there[lane]);
        snprintf(name, sizeof name, "back-%u", lane);
        if (!error)
            error = adit_ring_open(arena, name, &params, &trip->back[lane]);
    }
    return error;
}

static void echo_duty(const struct partner *partner, void *context)
{
    struct trip *trip = context; /* the partner's own copy since the fork */
    uint64_t message[RAW_PAYLOAD_BYTES / 8];

    if (!trip->there[0] && open_rings(lab_arena_visit(trip->name, ADIT_PRODUCER)->arena, trip) != 0)
        return; /* the measured side then fails by the scene's time limit */
    struct adit_ring *there = trip->there[partner->lane], *back = trip->back[partner->lane];
    for (uint32_t spins = 1; spins % 256 != 0 || partner_is_on(partner); spins++) {
        if (!adit_ring_pop(there, message, 1))
            continue;
        while (!adit_ring_push(back, message, 1))
            ;
        spins = 0;
    }
}

static double trip_block(void *context, uint64_t rounds)
{
    struct trip *trip = context;
    uint32_t lane = trip->next++ % PARTNER_LANES;
    struct adit_ring *there = trip->there[lane], *back = trip->back[lane];
    uint64_t message[RAW_PAYLOAD_BYTES / 8] = {0};
    int error = partner_assign_lane(trip->partner, 1, lane);
    if (error)
        return error;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        message[0] += i;
        adit_ring_push(there, message, 1);
        while (!adit_ring_pop(back, message, 1))
            ;
    }
    double ns = (clock_now_ns() - from) / (double)rounds;
    bench_consume(message[7]);
    return ns;
}

static int run(struct bench *bench)
{
    struct partner partner;
    struct trip trip = {.partner = &partner};
    struct raw raw = {raw_lanes_create(), &partner, 2, bench->machine->ns_per_tick, 0};
    struct adit_arena *arena;

    if (!raw.lanes)
        return -ENOMEM;
    lab_arena_name(trip.name);
    int error = partner_start(&partner, bench, (struct partner_duty[]){{echo_duty, &trip}, {raw_message_duty, raw.lanes}}, 2);
    if (!error)
        error = lab_arena_create(bench, trip.name, NULL, &arena);
    if (error)
        return error;
    error = open_rings(arena, &trip);
    if (error) {
        bench_fail(bench, "64 B, there and back", adit_detail(), error);
        return error;
    }
    return bench_measure(bench, &(struct bench_spec){.figure = "64 B, there and back over two rings", .unit = "ns",
                                                     .goal = {GOAL_RATIO, 1.15},
                                                     .ours = {"rings", trip_block, &trip},
                                                     .raw = {"64 B and a flag", raw_message_block, &raw}});
}

const struct scene scene_round_trip = {
    .name = "round-trip",
    .what = "64 B to another process and back over two SPSC rings, spinning",
    .unit = "ns",
    .goal = "1.15 times raw or less",
    .cpus = 2,
    .run = run,
};
