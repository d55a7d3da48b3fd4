/* worker.h - a worker: one thread, of a pool (pool.c) or all that a worker process has (worker_life.h), that runs a queue's tasks one after another.
 *
 *     struct adit_worker w = {.queue = &queue, .stop = &stop, .wake_ns = &wake_ns, .name = adit_worker_name(&queue, 1)};
 *     while (!adit_worker_is_told(&w))
 *         adit_worker_step(&w);
 */
#ifndef ADIT_WORKER_H
#define ADIT_WORKER_H

#include <time.h>

#include "runtime/kind_cost.h"
#include "runtime/task_queue.h"
#include "runtime/worker_slot.h"

#define ADIT_WORKERS_MAX 256u          /* of a pool */
#define ADIT_WORKER_WAKE_FIRST_NS 50000u /* what a wake takes, before it has been seen */

enum adit_worker_leaves { ADIT_WORKER_STAYS, ADIT_WORKER_LEAVES, ADIT_WORKER_LEFT };

/* Private to its thread, but for the counters. */
struct adit_worker {
    const struct adit_queue *queue;
    const uint32_t *stop;   /* not 0: the kind that runs is asked to stop, and no wait lasts; w: others, release */
    uint64_t *wake_ns;      /* a median, w: workers, relaxed; any of them may lose another's step */
    uint64_t name;          /* as spinner */
    uint64_t tasks, sleeps; /* w: the thread, relaxed */
    struct adit_task_cursor cursor;
    uint64_t bell;                 /* of the queue, as it was when this worker last listened */
    uint32_t expects;              /* tasks that it has been rung for and not seen; UINT32_MAX: many */
    struct adit_worker_slot *slot; /* of a worker process, which says there what it is at; NULL: a thread */
    bool is_busy;                  /* the slot says BUSY */
    uint64_t nap_ns; /* that it sleeps without being told of anything; 0: as at first */
    bool has_begun;  /* it is counted among those of this participant on the queue (task_wants.h); by its first step, or whoever starts its thread */
    bool is_idle;    /* it has found nothing since it slept: nobody relies on it */
    uint32_t leaves;  /* enum adit_worker_leaves (pool.c); not 0: it ends, after the task that it is at; w: others and it, CAS */
    uint32_t at_work; /* 1: a kind runs; w: the thread, relaxed */
    struct adit_kind_tally *tally; /* what it has run and not told (kind_cost.h); NULL: it neither counts nor measures */
    bool times_next; /* it takes the time of the next task */
    uint64_t ends_ns; /* CLOCK_MONOTONIC: kinds are asked to stop then, whatever their limits; 0: never */
    uint32_t *rests;  /* a futex: 1: who counts workers sleeps until one is at work (scaler.h); NULL: nobody does */
    timer_t killer;   /* of a worker process: what ends it at a task's kill_ns (task_limit.h) */
    bool has_killer;
    bool is_timed;    /* the task at hand has set it */
    bool is_background; /* of a pool (adit_pool_params.background) */
};

/* Whether it shall end. */
static inline bool adit_worker_is_told(const struct adit_worker *w)
{
    return adit_load32_acquire(w->stop) || adit_load32_acquire(&w->leaves) || (w->slot && adit_load32_acquire(&w->slot->ask)); /* whoever set it */
}

/* The name by which the queue's spinner is known: of this process's thread number, from 1. */
static inline uint64_t adit_worker_name(const struct adit_queue *q, uint32_t number) { return (uint64_t)q->arena->owner << 32 | number; }

/* Looks at all of the queue, claiming nothing: what the first claim would find cold, pages that this process has not touched yet among it, is warm then. */
void adit_worker_warm(const struct adit_worker *w);

/* Runs one task if there is one, looking on for as long as a wake takes; else sleeps until told, or until it is time to look around: after 0.1 s, later 1.6 s. */
void adit_worker_step(struct adit_worker *w);

/* When it ends: whoever submits relies on it no more, nor does what is near this participant if it was its last one on the queue. */
void adit_worker_leave(struct adit_worker *w);

/* Runs one task if there is one; false: there is none. Waits for nothing but the kind. */
bool adit_worker_help(struct adit_worker *w);

/* Runs a kind that this process runs on this thread, as no task: attempt (from 1) is all that it knows of others. from: bytes of arguments that the kind takes, result: room for ADIT_TASK_BYTES,
 * aligned to 16. Returns what the kind returned. */
int adit_worker_run_item(struct adit_worker *w, uint32_t kind, const void *from, uint32_t bytes, uint32_t attempt, void *result, uint32_t *result_bytes);

/* Runs a task that this thread has claimed, and commits. Returns what its kind returned. */
int adit_worker_run(struct adit_worker *w, const struct adit_task_claim *claim);

#endif
