/* bench.h - honest measuring: blocks of rounds, ours and raw in turn, until the median is known well enough.
 *
 * A *round* is one operation, a *block* some hundred microseconds of rounds, timed as a whole by whoever runs it. The
 * lab runs pairs of blocks, ours and raw, in alternating order, so that a change of frequency, a neighbour on the
 * hypervisor or a page cache warming up meets both alike. From each pair comes one ratio; the figure's ratio is their
 * median. Pairs during which the kernel took the CPU from one of the processes are dropped and run again (up to as
 * many as are kept: on a machine too busy for that the rest is kept and the figure's note says so).
 *
 *     static double block(void *context, uint64_t rounds) { ... return nanoseconds_per_round; }
 *     bench_measure(bench, &(struct bench_spec){.figure = "read section", .unit = "ns", .ours = {"adit", block, &mine},
 *         .raw = {"slot store", raw_block, &slot}, .goal = {GOAL_MEDIAN, 1.0}});
 *
 * Repeating ends when the 95 % interval of what is judged is narrower than 1 % and a least time has passed (what drifts
 * slowly is not seen in a moment), or when the budget is spent. A scene runs in a process of its own (runner.h), pinned
 * to machine.cpu[0]; its partner on cpu[1] comes from partner.h.
 */
#ifndef PERF_BENCH_H
#define PERF_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "perf/clock.h"
#include "perf/figure.h"
#include "perf/machine.h"

#define BENCH_PAIRS_MIN 32 /* two of each lane, see partner.h */

struct partner;

struct bench {
    const struct machine *machine;
    const char *scene;
    struct figure_list *list;
    bool is_short;
    double budget_ns, least_ns; /* for one figure: at most, and at least */
    double block_ns;  /* length aimed at for one block */
    struct partner *partner; /* NULL, or the one whose absence disturbs */
    int partner_status_fd;
};

/* Runs about `rounds` rounds and returns nanoseconds a round, or a negative errno. */
typedef double bench_block(void *context, uint64_t rounds);

struct bench_side {
    const char *name;
    bench_block *block; /* NULL for a raw side that does not exist */
    void *context;
};

struct bench_spec {
    const char *figure, *unit;
    struct bench_side ours, raw;
    struct goal goal;
    double scale;        /* a figure of one round times this is reported; 0 means 1 */
    uint64_t rounds_max; /* a block's rounds at most; 0 means no limit */
    const char *note;
};

/* Budgets and block lengths of the short and the full form. */
void bench_init(struct bench *bench, const struct machine *machine, const char *scene, struct figure_list *list,
                bool is_short);

/* Pins the calling thread to one CPU. Returns 0 or a negative errno. */
int bench_pin(int cpu);
/* Lets the calling thread, and those that it starts, run on any CPU that the machine has. Returns as bench_pin. */
int bench_unpin(const struct machine *machine);

/* Measures one figure and adds it to the list. Returns 0, or a negative errno with a failed figure added. */
int bench_measure(struct bench *bench, const struct bench_spec *spec);

/* Adds a figure of count samples, to STATS_SAMPLES_MAX, that the scene took itself: what lasts too long for blocks, or gives several figures at once. raw: as
 * many of the raw limit, taken in turn with ours; NULL: there is none. Of spec the sides' blocks are not called. -EINVAL: no samples, or too many; -ENOMEM. */
int bench_record(struct bench *bench, const struct bench_spec *spec, const double *ours, const double *raw, size_t count);

/* Adds a figure that says why there is none. */
void bench_skip(struct bench *bench, const char *figure, const char *why);
void bench_fail(struct bench *bench, const char *figure, const char *what, int error);

/* Has the absences of the partner counted as disturbances of the figures to come. */
void bench_watch_partner(struct bench *bench, struct partner *partner);

/* Keeps the compiler from seeing through or moving memory accesses; no instruction. */
static inline void bench_compiler_barrier(void)
{
    __asm__ volatile("" ::: "memory");
}
/* Uses a value, so that what computed it stays. */
static inline void bench_consume(uint64_t value)
{
    __asm__ volatile("" ::"r"(value));
}

#endif
