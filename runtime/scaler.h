/* scaler.h - a thread that looks how a pool keeps up and changes how many threads it has, and how many processes are at work, each as scaling.h advises.
 *
 * It looks each millisecond while tasks run or wait, and at the moment when the oldest will have waited too long, so that a step of load has another worker within two; at
 * rest it is told by the first thread that begins a task, or looks after 20 ms, where only processes are at work. More processes it waits for, up to 2 s where none is ready. What the machine says of its CPUs, and it
 * and the cgroups of this process of memory, it asks ten times a second. It sleeps in between: idle took 3 ms of a processor a second on a laden guest of 2 CPUs.
 */
#ifndef ADIT_SCALER_H
#define ADIT_SCALER_H

#include "runtime/adit.h"

struct adit_scaler;

/* What it is told of threads, or processes, and of the queue. */
struct adit_scaler_view {
    uint32_t workers, at_work; /* how many there are; how many of them run a kind */
    uint64_t oldest_ns;        /* since when the oldest task waits; UINT64_MAX: none does */
    uint64_t arrived, ended;   /* tasks so far: submitted to the queue, and run by the pool's workers, of either sort */
};

/* Threads, or processes. resize makes them n, and may wait until they are: how many there are then, or a negative errno: as many as before. */
struct adit_scaler_sort {
    enum adit_scaled_what what;
    uint32_t workers_min, workers_max;
    int (*resize)(void *pool, uint32_t n);
    void (*look)(void *pool, struct adit_scaler_view *view);
};
#define ADIT_SCALER_SORTS 2u

struct adit_scaler_params {
    struct adit_scaler_sort sorts[ADIT_SCALER_SORTS];
    uint32_t sorts_n;
    uint64_t wait_max_ns; /* 0: 1.5 ms */
    uint64_t cooldown_up_ns, cooldown_down_ns; /* 0: 1 s, 10 s */
    uint32_t *rests; /* a futex: 1 while nothing runs or waits; a worker that begins a task makes it 0 and wakes */
    void *pool;
    void (*scaled)(const struct adit_scaled *change, void *user); /* may be NULL */
    void *user;
};

/* -ENOMEM; -EAGAIN: the kernel gives no more threads. */
int adit_scaler_open(const struct adit_scaler_params *params, struct adit_scaler **out);
/* Ends the thread, which it waits for; before the pool. No-op when there is none. */
void adit_scaler_close(struct adit_scaler **scaler);
/* Fills in changes, load, grade. Any thread. */
void adit_scaler_look(const struct adit_scaler *scaler, struct adit_pool_stats *stats);

#endif
