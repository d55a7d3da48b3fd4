/* scene_peer_ring.c - an element of 8 bytes through our rings and through those of others (peer_ring.h, pipe_ring.h), one at a time, from one CPU to another: as fast as both sides can until the last has come out, and
 * there and back. Ours beside each peer in turn: the SPSC ring beside what is for one pusher and one popper, pipes and sockets, the MPMC ring beside what is for many. Between processes where the
 * peer's memory can be shared, otherwise between threads, and ours then likewise. Every ring exists LANES times. */
#include <errno.h>
#include <stdlib.h>

#include "perf/lab_arena.h"
#include "perf/partner.h"
#include "perf/peer.h"
#include "perf/pipe_ring.h"
#include "perf/scenes.h"

#define LANES 8u /* of our kinds, there and back: 32 of an arena's 64 rings */
#define WAYS_MAX 16u
#define SHORT_BUDGET_NS 0.18e9   /* a figure, of some twenty */

enum { ONE, MANY, OURS };
enum { DRAIN = 1, ECHO, DUTIES = ECHO };

/* One ring in all its lanes; in a process of its own, that process's handles of ours. */
struct way {
    struct peer_ring loops;
    void *there[LANES], *back[LANES];
};

/* What the measured side tells its partner, and is told. */
struct job {
    uint32_t way;
    uint64_t number; /* of the block */
    _Alignas(128) _Atomic uint64_t done; /* number of the last block whose last element came out */
};

struct lab {
    char name[LAB_ARENA_NAME_BYTES];
    struct partner process, thread;
    struct job *job;
    struct way way[OURS + WAYS_MAX];
    uint32_t ways, next; /* next: lane */
};

/* A side of a figure. */
struct side {
    struct lab *lab;
    uint32_t way;
    bool by_thread;
};

static inline bool push(void *ring, uint64_t element) { return adit_ring_push(ring, &element, 1); }
static inline bool pop(void *ring, uint64_t *element) { return adit_ring_pop(ring, element, 1); }
PEER_RING_LOOPS(ours, push, pop)

static int open_ours(struct adit_arena *arena, struct lab *lab)
{
    int error = 0;
    for (uint32_t i = 0; i < 2 * OURS * LANES && !error; i++) {
        uint32_t kind = i % OURS, lane = i / OURS % LANES, is_back = i / OURS / LANES;
        const struct adit_ring_params params = {.size = sizeof params, .kind = kind == MANY ? ADIT_RING_MPMC : ADIT_RING_SPSC, .element_bytes = 8, .capacity = PEER_RING_CAPACITY};
        struct adit_ring *ring;
        char name[32];
        snprintf(name, sizeof name, "%s-%s-%u", kind == MANY ? "mpmc" : "spsc", is_back ? "back" : "there", lane);
        error = adit_ring_open(arena, name, &params, &ring);
        (is_back ? lab->way[kind].back : lab->way[kind].there)[lane] = error ? NULL : ring;
    }
    return error;
}

/* The partner's side of a block. A partner that is a process opens our rings when they are first asked for; one that is a thread finds them open. */
static void serve(const struct partner *partner, struct lab *lab, bool is_trip)
{
    const struct job *job = lab->job;
    const struct way *w = &lab->way[job->way];
    const uint32_t *word = (const uint32_t *)&partner->words->assigned;
    uint64_t number = job->number;
    if (!w->there[0] && open_ours(lab_arena_visit(lab->name, ADIT_PRODUCER)->arena, lab) != 0)
        return;
    void *there = w->there[partner->lane], *back = w->back[partner->lane];
    if (is_trip ? w->loops.echo(there, back, word, partner->serving) : w->loops.drain(there, word, partner->serving))
        atomic_store_explicit(&lab->job->done, number, memory_order_release);
}

static void drain_duty(const struct partner *partner, void *context) { serve(partner, context, false); }
static void echo_duty(const struct partner *partner, void *context) { serve(partner, context, true); }

static int begin(const struct side *s, uint32_t duty, struct way **way, uint32_t *lane)
{
    struct lab *lab = s->lab;
    int error = partner_assign(s->by_thread ? &lab->process : &lab->thread, PARTNER_SLEEPS);
    *way = &lab->way[s->way];
    *lane = lab->next++ % LANES;
    if (!error)
        error = partner_assign(s->by_thread ? &lab->thread : &lab->process, PARTNER_SLEEPS); /* it sees no half of the job */
    lab->job->way = s->way;
    lab->job->number++;
    return error ? error : partner_assign_lane(s->by_thread ? &lab->thread : &lab->process, duty, *lane);
}

static double finish(const struct side *s, double from, uint64_t rounds)
{
    const struct job *job = s->lab->job;
    while (atomic_load_explicit(&job->done, memory_order_acquire) != job->number)
        ;
    return (clock_now_ns() - from) / (double)rounds;
}

static double through_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    struct way *w;
    uint32_t lane;
    int error = begin(s, DRAIN, &w, &lane);
    if (error)
        return error;
    double from = clock_now_ns();
    w->loops.fill(w->there[lane], rounds);
    return finish(s, from, rounds);
}

static double trip_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    struct way *w;
    uint32_t lane;
    int error = begin(s, ECHO, &w, &lane);
    if (error)
        return error;
    double from = clock_now_ns();
    w->loops.trip(w->there[lane], w->back[lane], rounds);
    return finish(s, from, rounds);
}

/* A peer in all its lanes. */
static int add_way(struct lab *lab, const struct peer_ring *ring)
{
    struct way *w = &lab->way[lab->ways];
    size_t stride = (ring->bytes + 127) / 128 * 128 + 128;
    uint8_t *memory = lab->ways < OURS + WAYS_MAX ? partner_memory_create(2 * LANES * stride) : NULL;
    int error = memory ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < LANES && !error; i++) {
        w->there[i] = memory + 2 * i * stride;
        w->back[i] = memory + (2 * i + 1) * stride;
        error = ring->make(w->there[i]);
        if (!error)
            error = ring->make(w->back[i]);
    }
    w->loops = *ring;
    lab->ways += !error;
    return error;
}

static int add_ways(struct bench *bench, struct lab *lab)
{
    static const struct {
        const char *name;
        struct peer_library library;
    } peers[] = {
        {"rte_ring", {"libpeer_ring_rte.so", PEER_RING_FUNCTION, "apt-get install libdpdk-dev pkg-config, then ninja peers-rings makes it", PEER_RING_ABI}},
        {"ck_ring", {"libpeer_ring_ck.so", PEER_RING_FUNCTION, "apt-get install libck-dev, then ninja peers-rings makes it", PEER_RING_ABI}},
        {"ReaderWriterQueue", {"libpeer_ring_readerwriter.so", PEER_RING_FUNCTION, "apt-get install libreaderwriterqueue-dev, then ninja peers-rings makes it", PEER_RING_ABI}},
        {"ConcurrentQueue", {"libpeer_ring_concurrent.so", PEER_RING_FUNCTION, "apt-get install libconcurrentqueue-dev, then ninja peers-rings makes it", PEER_RING_ABI}},
        {"boost::lockfree", {"libpeer_ring_boost.so", PEER_RING_FUNCTION, "apt-get install libboost-dev, then ninja peers-rings makes it", PEER_RING_ABI}},
    };
    int error = 0;
    for (uint32_t i = 0; i < PIPE_RINGS && !error; i++)
        error = add_way(lab, &pipe_rings[i]);
    for (uint32_t i = 0; i < sizeof peers / sizeof *peers && !error; i++) {
        char why[FIGURE_TEXT_MAX];
        const struct peer_rings *found = peer_open(&peers[i].library, why, sizeof why);
        if (!found)
            bench_skip(bench, peers[i].name, why);
        for (uint32_t k = 0; found && k < found->count && !error; k++)
            error = add_way(lab, &found->ring[k]);
    }
    if (error)
        bench_fail(bench, "all", "making the peers' rings", error);
    return error;
}

static int measure(struct bench *bench, struct lab *lab, uint32_t way, bool is_trip)
{
    const struct peer_ring *peer = &lab->way[way].loops;
    struct side ours = {lab, peer->is_many ? MANY : ONE, peer->is_private}, theirs = {lab, way, peer->is_private};
    bench_block *block = is_trip ? trip_block : through_block;
    char name[64];
    /* One pair of an SPSC ring's ends belongs to the process whose thread used them last: so all that is between processes comes before all that is between threads. */
    snprintf(name, sizeof name, "%s, %s: %.36s", is_trip ? "there and back" : "through", peer->is_private ? "threads" : "processes", peer->name);
    bench_watch_partner(bench, peer->is_private ? &lab->thread : &lab->process);
    return bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .ours = {peer->is_many ? "MPMC" : "SPSC", block, &ours}, .raw = {peer->name, block, &theirs}});
}

static int run(struct bench *bench)
{
    struct lab *lab = calloc(1, sizeof *lab); /* until the process ends */
    struct adit_arena *arena;
    if (!lab || !(lab->job = partner_memory_create(sizeof *lab->job)))
        return -ENOMEM;
    if (bench->is_short)
        bench->budget_ns = SHORT_BUDGET_NS;
    const struct partner_duty duty[DUTIES] = {{drain_duty, lab}, {echo_duty, lab}};
    for (uint32_t kind = 0; kind < OURS; kind++)
        lab->way[kind].loops = (struct peer_ring){.name = "ours", .is_many = kind == MANY, PEER_RING_OF(ours)};
    lab->ways = OURS;
    lab_arena_name(lab->name);
    int error = add_ways(bench, lab); /* before the fork: so it has the same libraries, memory and ends of pipes */
    if (!error)
        error = partner_start(&lab->process, bench, duty, DUTIES);
    if (!error)
        error = lab_arena_create(bench, lab->name, NULL, &arena);
    if (!error)
        error = partner_start_thread(&lab->thread, bench, duty, DUTIES);
    if (!error && (error = open_ours(arena, lab)) != 0)
        bench_fail(bench, "all", adit_detail(), error);
    for (uint32_t is_private = 0; is_private < 2; is_private++)
        for (uint32_t is_trip = 0; is_trip < 2; is_trip++)
            for (uint32_t way = OURS; way < lab->ways && !error; way++)
                if (lab->way[way].loops.is_private == is_private)
                    error = measure(bench, lab, way, is_trip);
    return error;
}

const struct scene scene_peer_ring = {
    .name = "peer-ring",
    .what = "8 bytes through our rings, beside the rings of others, pipes and sockets",
    .unit = "ns",
    .goal = "",
    .cpus = 2,
    .run = run,
};
