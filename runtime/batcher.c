#include "runtime/batcher.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/dirty.h"
#include "runtime/material.h"

#define FLIGHTS 2u
#define PROBE_CHUNKS 1u   /* the first batch of a device of which nothing is known */
#define LARGE_CHUNKS 16u  /* batches from which the price of a chunk is learned; from smaller ones, the fixed price */
#define SLEEP_NS 100000000u
#define NAP_NS 1000000u   /* between looks at a backlog that is not worth the device */
#define WAIT_NS 100000000u
#define HUNG_WAITS 300u   /* half a minute; a driver calls a device lost long before */

struct flight {
    void *batch;
    bool is_up;      /* submitted and not landed */
    uint32_t n;
    uint64_t up_ns;  /* when it was submitted */
    uint64_t spent_ns; /* of this thread's time: adding, waiting, publishing */
    struct claim {
        uint32_t index;
        struct adit_mesh_origin origin;
    } *claims;
};

struct adit_batcher {
    struct adit_batcher_params p;
    pthread_t thread;
    uint32_t cursor;
    uint64_t fixed_ns, each_ns; /* learned; each_ns 0: nothing is known */
    struct flight flight[FLIGHTS];
    uint64_t meshed; /* by the device */
    uint32_t is_lost;
    char why[160]; /* whole before is_lost is set */
};

static void nap(uint64_t ns)
{
    struct timespec t = {.tv_nsec = (long)ns};
    nanosleep(&t, NULL);
}

static bool is_stopped(const struct adit_batcher *b) { return adit_load32_acquire(b->p.stop); }

static void lose(struct adit_batcher *b)
{
    if (b->is_lost)
        return;
    snprintf(b->why, sizeof b->why, "%s", adit_fault_detail());
    adit_store32_release(&b->is_lost, 1); /* pairs with info: why */
}

/* ---- a batch */

/* All that is claimed in it is for others. */
static void give_up(struct adit_batcher *b, struct flight *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        adit_dirty_finish(b->p.arena, f->claims[i].index, true);
    f->n = 0;
    f->is_up = false;
}

/* Claims up to n chunks and adds them; what is not for the device is meshed here. */
static void fill(struct adit_batcher *b, struct flight *f, struct adit_reader *reader, uint32_t n)
{
    struct adit_arena *arena = b->p.arena;
    const struct adit_executor *e = b->p.executor;
    f->n = 0;
    e->begin(f->batch);
    for (uint32_t tried = 0; tried < n && !is_stopped(b); tried++) {
        struct claim *c = &f->claims[f->n];
        if (!adit_dirty_claim(arena, &b->cursor, &c->index))
            return;
        int error = adit_mesher_add(arena, reader, b->p.flags, c->index, e, f->batch, &c->origin);
        if (!error) {
            f->n++;
        } else if (error == -ENOSPC && f->n) {
            adit_dirty_finish(arena, c->index, true);
            return;
        } else {
            (void)adit_mesher_work(arena, b->p.kernel, b->p.flags, c->index);
        }
    }
}

/* changes: of classes, from before the first chunk was read. A rim was made by the classes of its moment, the rest will be by those of now: with
 * others in between the batch is not worth meshing. */
static void send(struct adit_batcher *b, struct flight *f, uint64_t changes)
{
    struct adit_arena *arena = b->p.arena;
    const uint8_t *classes = f->n ? adit_classes_enter(arena) : NULL;
    if (!classes || (arena->control->ao && adit_load_acquire(&arena->control->classes_changes) != changes)) {
        if (classes)
            adit_classes_exit(arena);
        give_up(b, f);
        return;
    }
    int error = b->p.executor->submit(f->batch, classes);
    adit_classes_exit(arena);
    if (error) {
        lose(b);
        give_up(b, f);
        return;
    }
    f->is_up = true;
    f->up_ns = adit_clock_ns();
}

static void take_off(struct adit_batcher *b, struct flight *f, uint32_t n)
{
    uint64_t begin = adit_clock_ns(), changes = adit_load_acquire(&b->p.arena->control->classes_changes);
    struct adit_reader *reader;
    if (adit_rcu_borrow(b->p.arena, &reader)) { /* others have all of them, for a moment */
        nap(NAP_NS);
        return;
    }
    fill(b, f, reader, n);
    adit_rcu_give_back(b->p.arena, reader);
    send(b, f, changes);
    f->spent_ns = adit_clock_ns() - begin;
}

/* What the batch took of this thread's time is what it cost. */
static void learn(struct adit_batcher *b, const struct flight *f)
{
    uint64_t own_ns = f->n * b->each_ns;
    if (!b->each_ns || f->n >= LARGE_CHUNKS || own_ns > f->spent_ns)
        adit_cost_learn(&b->each_ns, (f->spent_ns > b->fixed_ns ? f->spent_ns - b->fixed_ns : f->spent_ns / 2) / f->n);
    else
        adit_cost_learn(&b->fixed_ns, f->spent_ns > own_ns ? f->spent_ns - own_ns : 0);
}

static int await(struct adit_batcher *b, struct flight *f)
{
    int error = -ETIMEDOUT;
    for (uint32_t i = 0; i < HUNG_WAITS && error == -ETIMEDOUT; i++)
        error = b->p.executor->wait(f->batch, WAIT_NS);
    return error;
}

/* Waits for it and publishes its meshes. */
static void land(struct adit_batcher *b, struct flight *f)
{
    struct adit_arena *arena = b->p.arena;
    uint64_t begin = adit_clock_ns();
    struct adit_reader *reader = NULL;
    int error = await(b, f);
    if (error == -EIO || error == -ETIMEDOUT)
        lose(b);
    if (error || adit_rcu_borrow(arena, &reader)) {
        if (error == -ENOMEM) /* the meshes of these chunks together are too much for it */
            for (; f->n; f->n--)
                (void)adit_mesher_work(arena, b->p.kernel, b->p.flags, f->claims[f->n - 1].index);
        give_up(b, f);
        return;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        const struct claim *c = &f->claims[i];
        struct adit_mesh_result r;
        b->p.executor->result(f->batch, i, &r);
        int published = c->origin.is_void ? -EAGAIN : adit_mesher_publish(arena, reader, c->index, &c->origin, &r);
        (void)adit_mesher_done(arena, c->index, published);
        adit_store_relaxed(&b->meshed, b->meshed + !published); /* relaxed: for those who look */
    }
    adit_rcu_give_back(arena, reader);
    f->is_up = false;
    f->spent_ns += adit_clock_ns() - begin;
    learn(b, f);
}

/* ---- the thread */

static uint32_t share_now(const struct adit_batcher *b, const struct flight *in_flight)
{
    struct adit_bitset dirty = adit_dirty_set(b->p.arena);
    uint64_t thread_ns = adit_load_relaxed(b->p.thread_ns);
    struct adit_share s = {.backlog = adit_bitset_count(&dirty), .threads = b->p.threads, .thread_ns = (double)thread_ns,
                           .device = {(double)b->fixed_ns, (double)b->each_ns}, .batch_max = b->p.executor->batch_max,
                           .is_software = b->p.executor->is_software};
    if (!s.backlog || (s.threads && !thread_ns))
        return 0;
    if (s.threads && !b->each_ns)
        return in_flight->is_up ? 0 : PROBE_CHUNKS;
    if (in_flight->is_up) {
        double left = s.device.fixed_ns + in_flight->n * s.device.each_ns - (double)(adit_clock_ns() - in_flight->up_ns);
        s.device_busy_ns = left > 0 ? left : 0;
    }
    return adit_share_of_device(&s);
}

/* As any worker, where no other thread is. */
static void work_in_its_stead(struct adit_batcher *b)
{
    uint32_t index;
    if (!b->p.threads && adit_dirty_claim(b->p.arena, &b->cursor, &index)) {
        if (!adit_mesher_work(b->p.arena, b->p.kernel, b->p.flags, index))
            nap(NAP_NS);
        return;
    }
    (void)adit_dirty_wait(b->p.arena, b->p.stop, SLEEP_NS);
    if (b->p.threads && !is_stopped(b))
        nap(SLEEP_NS / 2); /* the threads have it */
}

static void rest(const struct adit_batcher *b)
{
    (void)adit_dirty_wait(b->p.arena, b->p.stop, SLEEP_NS);
    if (b->p.threads && !is_stopped(b))
        nap(NAP_NS);
}

static void *batcher_main(void *user)
{
    struct adit_batcher *b = user;
    uint32_t now = 0;
    for (uint32_t i = 0; i < FLIGHTS; i++)
        if (!b->is_lost && b->p.executor->open(b->p.executor, &b->flight[i].batch))
            lose(b);
    while (!is_stopped(b)) {
        struct flight *next = &b->flight[now], *before = &b->flight[1 - now];
        if (b->is_lost) {
            work_in_its_stead(b);
            continue;
        }
        uint32_t n = share_now(b, before);
        if (n)
            take_off(b, next, n);
        if (before->is_up)
            land(b, before);
        else if (!next->is_up)
            rest(b);
        if (next->is_up)
            now = 1 - now;
        if (b->is_lost && next->is_up) /* it went up before the other came down */
            give_up(b, next);
    }
    for (uint32_t i = 0; i < FLIGHTS; i++) {
        if (b->flight[i].is_up)
            land(b, &b->flight[i]);
        if (b->flight[i].batch)
            b->p.executor->close(b->flight[i].batch);
    }
    return NULL;
}

int adit_batcher_open(const struct adit_batcher_params *params, struct adit_batcher **out)
{
    const struct adit_cost *cost = &params->executor->cost[ADIT_SIZE_DENSE];
    struct adit_batcher *b = calloc(1, sizeof *b);
    int error = b ? 0 : ENOMEM;
    for (uint32_t i = 0; !error && i < FLIGHTS; i++) {
        b->flight[i].claims = calloc(params->executor->batch_max, sizeof *b->flight[i].claims);
        error = b->flight[i].claims ? 0 : ENOMEM;
    }
    if (!error) {
        b->p = *params;
        b->fixed_ns = (uint64_t)cost->fixed_ns;
        b->each_ns = (uint64_t)cost->each_ns;
        error = pthread_create(&b->thread, NULL, batcher_main, b);
    }
    *out = error ? NULL : b;
    if (!error)
        return 0;
    for (uint32_t i = 0; b && i < FLIGHTS; i++)
        free(b->flight[i].claims);
    free(b);
    return adit_fault(-error, "arena %s: cannot start a thread for %s: %s", params->arena->name, params->executor->name, strerror(error));
}

void adit_batcher_close(struct adit_batcher **batcher)
{
    struct adit_batcher *b = *batcher;
    if (!b)
        return;
    pthread_join(b->thread, NULL);
    for (uint32_t i = 0; i < FLIGHTS; i++)
        free(b->flight[i].claims);
    free(b);
    *batcher = NULL;
}

void adit_batcher_info(const struct adit_batcher *b, struct adit_tier_info *info)
{
    snprintf(info->name, sizeof info->name, "%s", b->p.executor->name);
    info->meshed = adit_load_relaxed(&b->meshed);
    info->is_lost = adit_load32_acquire(&b->is_lost);
    snprintf(info->why, sizeof info->why, "%s", info->is_lost ? b->why : "");
}
