/* scene_grace.c - a grace period beside one membarrier: with a reader of another process in and out of sections all the time, with one
 * that rests, and with one that stays out without saying so (shm/rcu.h). The membarriers are those that reach other processes:
 * GLOBAL_EXPEDITED, which a grace period does not rely on (shm/membarrier.h), and GLOBAL, which the last kind takes. */
#include <errno.h>

#include "perf/lab_arena.h"
#include "perf/raw.h"
#include "perf/scenes.h"
#include "shm/shm.h"

#define TIMEOUT_NS 1000000000u

struct grace {
    char name[LAB_ARENA_NAME_BYTES];
    struct adit_arena *arena;
    struct partner *partner;
};

struct side {
    struct grace *grace;
    uint32_t duty;
};

static void read_duty(const struct partner *partner, void *context)
{
    struct grace *grace = context;
    struct lab_visitor *visitor = lab_arena_visit(grace->name, ADIT_CONSUMER);
    while (partner_is_on(partner))
        for (int i = 0; i < 64; i++) {
            adit_enter(visitor->reader);
            adit_exit(visitor->reader);
        }
}

static void rest_duty(const struct partner *partner, void *context)
{
    struct grace *grace = context;
    struct lab_visitor *visitor = lab_arena_visit(grace->name, ADIT_CONSUMER);
    adit_enter(visitor->reader);
    adit_exit(visitor->reader);
    adit_rest(visitor->reader);
    while (partner_is_on(partner))
        adit_spin_pause();
}

static void idle_duty(const struct partner *partner, void *context)
{
    struct grace *grace = context;
    struct lab_visitor *visitor = lab_arena_visit(grace->name, ADIT_CONSUMER);
    for (int i = 0; i < 2; i++) { /* the first enter is fenced */
        adit_enter(visitor->reader);
        adit_exit(visitor->reader);
    }
    while (partner_is_on(partner))
        adit_spin_pause();
}

static double grace_block(void *context, uint64_t rounds)
{
    struct side *side = context;
    int error = partner_assign(side->grace->partner, side->duty);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++)
        error = adit_grace_period(side->grace->arena, TIMEOUT_NS);
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static int run(struct bench *bench)
{
    struct partner partner;
    struct grace grace = {.partner = &partner};
    static const struct {
        const char *figure;
        uint32_t duty;
        double goal;
        const char *raw_name;
        double (*raw)(void *raw, uint64_t rounds);
    } kinds[] = {{"one reader busy", 1, 1.1, "one membarrier", raw_membarrier_block},
                 {"one reader at rest", 2, 1.1, "one membarrier", raw_membarrier_block},
                 {"one reader out, not at rest", 3, 1.1, "one membarrier GLOBAL", raw_membarrier_global_block}};

    if (raw_membarrier_register() != 0) {
        bench_skip(bench, "all", "this kernel has no membarrier GLOBAL_EXPEDITED");
        return 0;
    }
    lab_arena_name(grace.name);
    int error = partner_start(&partner, bench, (struct partner_duty[]){{read_duty, &grace}, {rest_duty, &grace}, {idle_duty, &grace}}, 3);
    if (!error)
        error = lab_arena_create(bench, grace.name, NULL, &grace.arena);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !error; i++) {
        struct raw raw = {raw_lanes_create(), &partner, kinds[i].duty, bench->machine->ns_per_tick, 0};
        struct side side = {&grace, kinds[i].duty};
        error = bench_measure(bench, &(struct bench_spec){.figure = kinds[i].figure, .unit = "us", .scale = 1e-3,
                                                          .goal = {GOAL_RATIO, kinds[i].goal},
                                                          .ours = {"grace", grace_block, &side},
                                                          .raw = {kinds[i].raw_name, kinds[i].raw, &raw}});
    }
    return error;
}

const struct scene scene_grace = {
    .name = "grace-period",
    .what = "a grace period, against one membarrier",
    .unit = "us",
    .goal = "1.1 times one membarrier or less",
    .cpus = 2,
    .run = run,
};
