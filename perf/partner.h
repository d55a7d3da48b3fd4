/* partner.h - a second process on the other CPU, which serves the measured one.
 *
 * Both sides of a pair of blocks (ours and raw) need somebody on the other CPU, and two spinning processes there would
 * fight for it. So a scene has one partner with several *duties*, and each block first assigns the duty it needs. A
 * duty polls its own memory and leaves when it is no longer the one assigned. Duty 0 is to sleep.
 *
 *     static void echo(const struct partner *partner, void *context) { while (partner_is_on(partner)) ... }
 *     struct partner partner;
 *     partner_start(&partner, bench, (struct partner_duty[]){{echo, &lines}}, 1);    the list is duty 1, 2, ...
 *     block:  partner_assign(&partner, 1); ... timed rounds ...
 *     partner_stop(&partner);
 *
 * Where a line lies decides what handing it over costs (its home slice of the cache may be near or far), by a quarter on
 * some machines. So what is measured across CPUs exists PARTNER_LANES times, and each block takes the next *lane*: a
 * figure is then one of the machine and not of one address. The partner is told the lane together with the duty.
 *
 * The partner is forked, pinned to machine.cpu[1], and dies with its parent; or it is a thread there.
 */
#ifndef PERF_PARTNER_H
#define PERF_PARTNER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "perf/bench.h"

#define PARTNER_SLEEPS 0u
#define PARTNER_DUTIES_MAX 8
#define PARTNER_LANES 16u

struct partner;

struct partner_duty {
    /* Called in the partner when the duty is assigned; must return soon after partner_is_on turns false. */
    void (*serve)(const struct partner *partner, void *context);
    void *context;
};

/* The word the two processes share, each half on a line of its own. */
struct partner_words {
    _Alignas(128) _Atomic uint32_t assigned; /* | count 16 | lane 8 | duty 8 |: written by the measured process; a futex
                                                while the partner sleeps */
    _Alignas(128) _Atomic uint32_t accepted; /* the same, written by the partner */
    _Atomic int32_t thread; /* of a thread: its number, or a negative errno, once it has begun */
};

struct partner {
    struct partner_words *words;
    struct partner_duty duty[PARTNER_DUTIES_MAX + 1];
    uint32_t duties;
    uint32_t serving; /* in the partner: the word being served */
    uint32_t lane;    /* of the duty being served, in both processes */
    pid_t pid;
    bool is_thread; /* pid: its thread's number */
};

/* Forks the partner. Returns 0, -ENODEV when there is no second CPU, or another negative errno. */
int partner_start(struct partner *partner, struct bench *bench, const struct partner_duty *duties, uint32_t count);

/* The same by a thread of this process, for what cannot be shared with another one; it lasts until the process ends. A scene may have both if one of them sleeps while the other serves;
 * bench_watch_partner says whose absences count. Returns as partner_start. */
int partner_start_thread(struct partner *partner, struct bench *bench, const struct partner_duty *duties, uint32_t count);

/* Gives the partner a duty (1 is the first of the list) on a lane, and waits until it has begun. Even when it has that duty
 * already it is asked anew: so it is known to be on its CPU now. Returns 0, or -ECHILD when the partner died, -ETIMEDOUT
 * after 5 s. */
int partner_assign_lane(struct partner *partner, uint32_t duty, uint32_t lane);
static inline int partner_assign(struct partner *partner, uint32_t duty)
{
    return partner_assign_lane(partner, duty, 0);
}

/* Asks for what is assigned once more. A partner that answers now, answered when its block began, and was not taken off
 * its CPU in between, was there all the time (bench.c). Returns as partner_assign_lane. */
int partner_confirm(struct partner *partner);

/* Ends and reaps the partner. A thread is put to sleep. */
void partner_stop(struct partner *partner);

/* For duties: whether this one is still assigned. A relaxed load of a line that rarely changes: what a duty writes is
 * published by its own protocol or by the next `accepted`. */
static inline bool partner_is_on(const struct partner *partner)
{
    return atomic_load_explicit(&partner->words->assigned, memory_order_relaxed) == partner->serving;
}
/* Spins, as tight as can be, until *word is not `old`; false when the duty ended first. */
static inline bool partner_await(const struct partner *partner, _Atomic uint64_t *word, uint64_t old, uint64_t *now)
{
    for (uint32_t spins = 1;; spins++) {
        *now = atomic_load_explicit(word, memory_order_acquire);
        if (*now != old)
            return true;
        if (spins % 256 == 0 && !partner_is_on(partner))
            return false;
    }
}

/* Memory that processes forked later share: a memfd of its own, mapped here, touched. NULL when there is none. */
void *partner_memory_create(size_t bytes);
void partner_memory_destroy(void *memory, size_t bytes);

#endif
