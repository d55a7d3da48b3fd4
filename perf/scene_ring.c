/* scene_ring.c - what an element costs that goes through a ring: 8 bytes each, one at a time and 32 at once, from one
 * process to another as fast as both can, and pushed and popped by one process, where no line moves. */
#include <errno.h>

#include "perf/lab_arena.h"
#include "perf/partner.h"
#include "perf/raw_ring.h"
#include "perf/scenes.h"

#define BURST_MAX 32
#define CAPACITY RAW_RING_CAPACITY

enum kind { SPSC, MPMC, RAW, KINDS };

struct rings {
    char name[LAB_ARENA_NAME_BYTES];
    struct partner *partner;
    struct adit_ring *across[2], *alone[2]; /* the measured process's handles, by kind; each pair has one popper */
    struct raw_ring *raw;
};

/* One way of using one ring; also the context of the duty that drains it. */
struct lane {
    struct rings *rings;
    enum kind kind;
    uint32_t burst, duty; /* duty 0: this process pops what it pushed */
};

static int open_ring(struct adit_arena *arena, enum kind kind, bool is_across, struct adit_ring **ring)
{
    char name[16];
    const struct adit_ring_params params = {.size = sizeof params, .kind = kind == MPMC ? ADIT_RING_MPMC : ADIT_RING_SPSC,
                                            .element_bytes = 8, .capacity = CAPACITY};
    snprintf(name, sizeof name, "%s-%s", kind == MPMC ? "mpmc" : "spsc", is_across ? "across" : "alone");
    return adit_ring_open(arena, name, &params, ring);
}

static void drain_duty(const struct partner *partner, void *context)
{
    static struct adit_ring *ring[2];
    const struct lane *lane = context;
    uint64_t element[BURST_MAX];

    if (lane->kind != RAW && !ring[lane->kind] &&
        open_ring(lab_arena_visit(lane->rings->name, ADIT_PRODUCER)->arena, lane->kind, true, &ring[lane->kind]) != 0)
        return;
    while (partner_is_on(partner))
        for (int i = 0; i < 64; i++) {
            if (lane->kind == RAW)
                raw_ring_pop(lane->rings->raw, element, lane->burst);
            else
                adit_ring_pop(ring[lane->kind], element, lane->burst);
        }
}

/* Elements pushed until `rounds` are through, bursts cut by a full ring counted as what they were. */
static double across_block(void *context, uint64_t rounds)
{
    const struct lane *lane = context;
    uint64_t element[BURST_MAX] = {0}, done = 0;
    int error = partner_assign(lane->rings->partner, lane->duty);
    if (error)
        return error;
    double from = clock_now_ns();
    if (lane->kind == RAW)
        while (done < rounds)
            done += raw_ring_push(lane->rings->raw, element, lane->burst);
    else
        while (done < rounds)
            done += adit_ring_push(lane->rings->across[lane->kind], element, lane->burst);
    return (clock_now_ns() - from) / (double)done;
}

static double alone_block(void *context, uint64_t rounds)
{
    const struct lane *lane = context;
    uint64_t element[BURST_MAX] = {0}, done = 0;
    int error = partner_assign(lane->rings->partner, PARTNER_SLEEPS);
    if (error)
        return error;
    double from = clock_now_ns();
    while (done < rounds) {
        if (lane->kind == RAW) {
            raw_ring_push(lane->rings->raw, element, lane->burst);
            done += raw_ring_pop(lane->rings->raw, element, lane->burst);
        } else {
            adit_ring_push(lane->rings->alone[lane->kind], element, lane->burst);
            done += adit_ring_pop(lane->rings->alone[lane->kind], element, lane->burst);
        }
    }
    return (clock_now_ns() - from) / (double)done;
}

static int measure(struct bench *bench, struct lane lanes[KINDS][2])
{
    static const char *const kinds[] = {"SPSC", "MPMC"};
    int error = 0;

    for (int across = 1; across >= 0; across--)
        for (uint32_t kind = SPSC; kind <= MPMC; kind++)
            for (int many = 0; many < 2 && !error; many++) {
                char name[64];
                bench_block *block = across ? across_block : alone_block;
                snprintf(name, sizeof name, "%s, %s, %s", kinds[kind], many ? "32 at once" : "one at a time",
                         across ? "across" : "push and pop");
                error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns",
                                                                  .ours = {kinds[kind], block, &lanes[kind][many]},
                                                                  .raw = {"least SPSC ring", block, &lanes[RAW][many]}});
            }
    return error;
}

static int run(struct bench *bench)
{
    struct partner partner;
    struct adit_arena *arena;
    struct rings rings = {.partner = &partner, .raw = partner_memory_create(sizeof *rings.raw)};
    struct partner_duty duties[KINDS * 2];
    struct lane lanes[KINDS][2];

    if (!rings.raw)
        return -ENOMEM;
    lab_arena_name(rings.name);
    for (uint32_t i = 0; i < KINDS * 2; i++) {
        lanes[i / 2][i % 2] = (struct lane){&rings, (enum kind)(i / 2), i % 2 ? BURST_MAX : 1, i + 1};
        duties[i] = (struct partner_duty){drain_duty, &lanes[i / 2][i % 2]};
    }
    int error = partner_start(&partner, bench, duties, KINDS * 2);
    if (!error)
        error = lab_arena_create(bench, rings.name, NULL, &arena);
    for (enum kind kind = SPSC; kind <= MPMC && !error; kind++) {
        error = open_ring(arena, kind, true, &rings.across[kind]);
        if (!error)
            error = open_ring(arena, kind, false, &rings.alone[kind]);
        if (error)
            bench_fail(bench, "all", adit_detail(), error);
    }
    return error ? error : measure(bench, lanes);
}

const struct scene scene_ring = {
    .name = "ring",
    .what = "an element of 8 bytes through an SPSC and an MPMC ring",
    .unit = "ns",
    .goal = "",
    .cpus = 2,
    .run = run,
};
