#include "runtime/batcher.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/device_meter.h"
#include "runtime/dirty.h"
#include "runtime/interest.h"
#include "runtime/material.h"
#include "runtime/nodes.h"
#include "runtime/share_log.h"
#include "runtime/survey.h"
#include "runtime/vigil.h"

#define FLIGHTS 2u
#define PROBE_CHUNKS 1u   /* the first batch of a device of which nothing is known: it warms up, and tells nothing */
#define PRICE_CHUNKS 4u   /* the next one, which is its price */
#define AGAIN_SHARE 50u   /* who is too dear is tried again when a probe is a fiftieth of the time since: prices change */
#define SLEEP_NS 100000000u
#define NAP_NS 1000000u   /* between looks at a backlog that is not worth the device; longer and longer, up to */
#define NAP_MOST_NS 16000000u
#define STARVED_NAP_NS 5000000u
#define HUNG_NS 5000000000u       /* what a batch may take besides what it should; a driver calls a device lost in less */
#define HUNG_MOST_NS 20000000000u /* and in all: whoever waits for meshes is patient for half a minute */
#define COPIES 16u        /* flights in a row that copy, after one was ousted */

struct flight {
    void *batch;
    struct adit_reader *reader; /* inside a section, or NULL: from the first chunk read until nothing is read any more */
    bool is_up;        /* submitted and not landed */
    bool is_awaited;   /* the device is done with it: status */
    bool is_ousted;    /* its section was: what was read may have been anything */
    int status;
    uint32_t n, aside_n;
    uint64_t up_ns;    /* when it was submitted */
    uint64_t spent_ns; /* of this thread's time: adding, waiting, publishing */
    struct claim {
        uint32_t index;
        struct adit_mesh_origin origin;
    } *claims;
    uint32_t *aside;   /* claimed, too: not for the device, to be meshed here once the section has ended */
};

struct adit_batcher {
    struct adit_batcher_params p;
    pthread_t thread;
    uint32_t cursor;
    struct adit_agenda agenda; /* of a batch, where there are viewers; 2 x batch_max */
    uint32_t skips;            /* the first of it, which are the threads' */
    struct adit_bid *bid;       /* of this device; what may be read of others is in p.bids */
    uint64_t flown_ns;          /* when a flight landed last, or was thought of first */
    uint64_t nap_ns;
    uint32_t most;              /* chunks of a batch: less than batch_max where its memory was short */
    bool is_warm, is_starved;   /* one batch has landed; something could not be published for want of memory */
    struct flight flight[FLIGHTS];
    void *imports;       /* the arena's data, as the device sees it; NULL: all is copied */
    uint32_t copies;     /* so many flights are to copy, as sections that last a flight were ousted */
    uint64_t meshed, by_kernel; /* by the device; by this thread itself */
    struct adit_share_log log;
    struct adit_device_meter meter;
    char why[160]; /* whole before bid->is_lost is set */
};

static void nap(uint64_t ns)
{
    struct timespec t = {.tv_nsec = (long)ns};
    nanosleep(&t, NULL);
}

static bool is_stopped(const struct adit_batcher *b) { return adit_load32_acquire(b->p.stop); }

static void lose(struct adit_batcher *b)
{
    if (b->bid->is_lost)
        return;
    snprintf(b->why, sizeof b->why, "%s", adit_fault_detail());
    adit_store32_release(&b->bid->is_lost, 1); /* pairs with info: why */
    adit_count(b->p.arena, ADIT_COUNT_TIERS_OFF, 1);
    adit_device_meter_lost(&b->meter);
    adit_event(b->p.arena, ADIT_EVENT_TIER_OFF, adit_clock_ns(), (uint64_t)(b->bid - b->p.bids), b->meshed);
}

/* ---- a batch */

static void meter_flights(struct adit_batcher *b, uint64_t now)
{
    uint64_t chunks = 0;
    for (uint32_t i = 0; i < FLIGHTS; i++)
        chunks += b->flight[i].is_up ? b->flight[i].n : 0;
    adit_device_meter_under_way(&b->meter, chunks, now);
}

/* Nothing of the arena is read for it any more. */
static void end_section(struct adit_batcher *b, struct flight *f)
{
    if (!f->reader)
        return;
    f->is_ousted |= !adit_rcu_exit(f->reader);
    adit_rcu_give_back(b->p.arena, f->reader);
    f->reader = NULL;
}

static void mesh_here(struct adit_batcher *b, uint32_t index)
{
    b->is_starved |= !adit_mesher_work(b->p.arena, b->p.kernel, b->p.flags, index, &b->by_kernel);
}

static void mesh_aside(struct adit_batcher *b, struct flight *f)
{
    for (; f->aside_n; f->aside_n--)
        mesh_here(b, f->aside[f->aside_n - 1]);
}

/* All that is claimed in it is for others; what was set aside is meshed. */
static void give_up(struct adit_batcher *b, struct flight *f)
{
    end_section(b, f);
    for (uint32_t i = 0; i < f->n; i++)
        adit_dirty_finish(b->p.arena, f->claims[i].index, true);
    f->n = 0;
    f->is_up = false;
    meter_flights(b, adit_clock_ns());
    mesh_aside(b, f);
}

/* By what viewers see first: the n behind those that the threads come to meanwhile, or before them where there are not so many any more. */
static void survey(struct adit_batcher *b, uint32_t n)
{
    uint32_t max = 2 * b->p.executor->batch_max, skips = b->skips < max - n ? b->skips : max - n;
    adit_survey(b->p.arena, &b->agenda, n + skips, NULL, NULL);
    b->agenda.taken = b->agenda.n > n ? b->agenda.n - n : 0;
}

static bool claim(struct adit_batcher *b, bool is_ranked, uint32_t *index)
{
    if (!is_ranked)
        return adit_dirty_claim(b->p.arena, &b->cursor, index);
    while (adit_agenda_take(&b->agenda, index))
        if (adit_dirty_claim_at(b->p.arena, *index))
            return true;
    return false;
}

/* Claims up to n chunks and adds them. */
static void fill(struct adit_batcher *b, struct flight *f, uint32_t n)
{
    struct adit_arena *arena = b->p.arena;
    bool is_ranked = adit_interest_high(arena);
    if (is_ranked)
        survey(b, n);
    for (uint32_t tried = 0; tried < n && !is_stopped(b); tried++) {
        struct claim *c = &f->claims[f->n];
        if (!claim(b, is_ranked, &c->index))
            return;
        int error = adit_mesher_add(arena, b->p.flags, c->index, b->p.executor, f->batch, &c->origin);
        if (!error) {
            f->n++;
        } else if (error == -ENOSPC && f->n) {
            adit_dirty_finish(arena, c->index, true);
            return;
        } else {
            f->aside[f->aside_n++] = c->index;
        }
    }
}

/* Has the table of classes made anew where that is needed. Outside sections. */
static void renew_classes(struct adit_batcher *b)
{
    if (adit_classes_enter(b->p.arena))
        adit_classes_exit(b->p.arena);
}

/* The classes of now, without waiting where a section is open. NULL: they have been made anew meanwhile, or there is no memory. */
static const uint8_t *take_classes(struct adit_batcher *b, struct flight *f)
{
    struct adit_arena *arena = b->p.arena;
    const uint8_t *classes = f->reader ? adit_classes_try(arena) : adit_classes_enter(arena);
    if (classes || !f->reader)
        return classes;
    end_section(b, f);
    renew_classes(b); /* for the next time */
    return NULL;
}

/* changes: of classes, from before the first chunk was read. A rim was made by the classes of its moment, the rest will be by those of now: with
 * others in between the batch is not worth meshing. */
static void send(struct adit_batcher *b, struct flight *f, uint64_t changes)
{
    struct adit_arena *arena = b->p.arena;
    const uint8_t *classes = f->n ? take_classes(b, f) : NULL;
    if (!classes || f->is_ousted || (arena->control->ao && adit_load_acquire(&arena->control->classes_changes) != changes)) {
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
    meter_flights(b, f->up_ns);
}

static void take_off(struct adit_batcher *b, struct flight *f, uint32_t n)
{
    const struct adit_executor *e = b->p.executor;
    renew_classes(b); /* inside the section nobody waits for that */
    uint64_t begin = adit_clock_ns(), changes = adit_load_acquire(&b->p.arena->control->classes_changes);
    if (adit_rcu_borrow(b->p.arena, &f->reader)) { /* others have all of them, for a moment */
        f->reader = NULL;
        nap(NAP_NS);
        return;
    }
    bool reads_later = b->imports && !b->copies;
    uint64_t from_ns = b->bid->done_ns > begin ? b->bid->done_ns : begin, before_ns = b->bid->done_ns;
    adit_bid_announce(b->bid, from_ns + adit_bid_price_ns(b->bid, n)); /* before the first claim: what is claimed is in nobody's backlog any more */
    b->copies -= b->copies != 0;
    f->is_awaited = f->is_ousted = false;
    f->n = f->aside_n = 0;
    e->begin(f->batch);
    if (reads_later)
        e->read_from(f->batch, b->imports);
    adit_rcu_enter(f->reader);
    fill(b, f, n);
    if (!reads_later)
        end_section(b, f);
    send(b, f, changes);
    adit_bid_announce(b->bid, f->is_up ? from_ns + adit_bid_price_ns(b->bid, f->n) : before_ns);
    f->spent_ns = adit_clock_ns() - begin;
    if (!f->reader)
        mesh_aside(b, f); /* while the device is at work; else when its section has ended */
}

/* What the batch took of this thread's time is what it cost; but the first one, which warms up. */
static void learn(struct adit_batcher *b, const struct flight *f)
{
    b->flown_ns = adit_clock_ns();
    b->most = b->most < b->p.executor->batch_max / 2 ? b->most * 2 : b->p.executor->batch_max;
    if (!b->is_warm) {
        b->is_warm = true;
        return;
    }
    adit_bid_learn(b->bid, f->n, f->spent_ns);
    adit_device_meter_price(&b->meter, b->bid->fixed_ns, b->bid->each_ns);
}

/* Until the device is done with it, or lost; then its section ends. */
static void await(struct adit_batcher *b, struct flight *f)
{
    if (f->is_awaited)
        return;
    uint64_t most_ns = HUNG_NS + 16 * adit_bid_price_ns(b->bid, f->n);
    if (most_ns > HUNG_MOST_NS || b->p.executor->is_software) /* a program on the CPU is as slow as others make the CPU */
        most_ns = HUNG_MOST_NS;
    struct adit_vigil vigil = adit_vigil_begin(f->up_ns, most_ns);
    do
        f->status = b->p.executor->wait(f->batch, ADIT_VIGIL_LOOK_NS);
    while (f->status == -ETIMEDOUT && adit_vigil_goes_on(&vigil));
    if (f->status == -ETIMEDOUT)
        f->status = adit_fault(-EIO, "%s: a batch of %u chunks has not ended in %.1f s; it hangs", b->p.executor->name, f->n, (double)most_ns / 1e9);
    if (f->status == -EIO)
        lose(b);
    f->is_awaited = true;
    end_section(b, f);
    if (f->is_ousted)
        b->copies = COPIES;
}

/* Publishes the mesh of chunk i. A section of the other flight may be what holds memory back: then that is waited for. */
static int publish(struct adit_batcher *b, struct flight *f, struct flight *other, struct adit_reader *reader, uint32_t i)
{
    struct claim *c = &f->claims[i];
    struct adit_mesh_result r;
    c->origin.maker = ADIT_MAKER_DEVICE;
    b->p.executor->result(f->batch, i, &r);
    int error = adit_mesher_publish(b->p.arena, reader, c->index, &c->origin, &r);
    if (error != -ENOMEM || !other->is_up || !other->reader)
        return error;
    await(b, other);
    return adit_mesher_publish(b->p.arena, reader, c->index, &c->origin, &r);
}

/* A reader to publish with. The other flight may have the last one there is. */
static bool borrow(struct adit_batcher *b, struct flight *other, struct adit_reader **reader)
{
    if (!adit_rcu_borrow(b->p.arena, reader))
        return true;
    if (!other->is_up || !other->reader)
        return false;
    await(b, other);
    return !adit_rcu_borrow(b->p.arena, reader);
}

static void count_batch(struct adit_arena *arena, const struct flight *f, uint64_t now)
{
    adit_count(arena, ADIT_COUNT_GPU_BATCHES, 1);
    if (f->n)
        adit_record(arena, ADIT_HISTOGRAM_MESH_NS + ADIT_MAKER_DEVICE, (now - f->up_ns) / f->n, f->n);
    adit_event(arena, ADIT_EVENT_BATCH, now, f->n, now - f->up_ns);
}

/* Waits for it and publishes its meshes. */
static void land(struct adit_batcher *b, struct flight *f, struct flight *other)
{
    struct adit_arena *arena = b->p.arena;
    uint64_t begin = adit_clock_ns();
    struct adit_reader *reader = NULL;
    await(b, f);
    if (f->status == -ENOMEM) { /* the meshes of these chunks together are too much for it */
        b->most = f->n > 1 ? f->n / 2 : 1;
        for (; f->n; f->n--)
            mesh_here(b, f->claims[f->n - 1].index);
    }
    if (f->status || f->is_ousted || !borrow(b, other, &reader)) {
        give_up(b, f);
        return;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        int error = publish(b, f, other, reader, i);
        adit_store_relaxed(&b->meshed, b->meshed + !error); /* relaxed: for those who look; before done, which ends a settle */
        if (!error)
            adit_device_meter_made(&b->meter);
        b->is_starved |= !adit_mesher_done(arena, f->claims[i].index, error);
    }
    adit_rcu_give_back(arena, reader);
    f->is_up = false;
    uint64_t now = adit_clock_ns();
    meter_flights(b, now);
    f->spent_ns += now - begin;
    count_batch(arena, f, now);
    learn(b, f);
    mesh_aside(b, f);
}

/* ---- the thread */

/* Of a device that gets nothing, as it is too dear or nothing is known of it: of what is needed last, as nobody knows when it comes back. */
static uint32_t probe_now(struct adit_batcher *b)
{
    b->skips = UINT32_MAX;
    if (!b->bid->each_ns)
        return !b->is_warm ? PROBE_CHUNKS : b->most < PRICE_CHUNKS ? b->most : PRICE_CHUNKS;
    return adit_clock_ns() - b->flown_ns > AGAIN_SHARE * adit_bid_price_ns(b->bid, PROBE_CHUNKS) ? PROBE_CHUNKS : 0;
}

/* Tells what was decided, and gives it back. */
static uint32_t decide(struct adit_batcher *b, const struct adit_share *s, uint32_t taken, const char *why)
{
    const struct adit_share_report r = {.size = sizeof r, .at_ns = adit_clock_ns(), .backlog = s->backlog, .threads = s->threads, .taken = taken, .thread_ns = (uint64_t)s->thread_ns,
                                        .fixed_ns = (uint64_t)s->device.fixed_ns, .each_ns = (uint64_t)s->device.each_ns, .busy_ns = (uint64_t)s->device_busy_ns, .why = why};
    adit_share_log_tell(&b->log, &r);
    return taken;
}

static uint32_t idle_before(const struct adit_batcher *b)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->p.own; i++)
        n += !adit_load32_acquire(&b->p.bids[i].is_lost) && !adit_load_relaxed(&b->p.bids[i].done_ns); /* relaxed: an estimate */
    return n;
}

static uint32_t share_now(struct adit_batcher *b, const struct flight *in_flight)
{
    struct adit_rival rivals[ADIT_EXECUTORS_MAX];
    uint64_t thread_ns = adit_load_relaxed(b->p.thread_ns), now_ns = adit_clock_ns();
    struct adit_share s = {.backlog = adit_dirty_count(b->p.arena), .threads = b->p.threads, .thread_ns = (double)thread_ns,
                           .device = {(double)b->bid->fixed_ns, (double)b->bid->each_ns}, .batch_max = b->most,
                           .device_busy_ns = adit_busy_ns(b->bid->done_ns, now_ns), .is_software = b->p.executor->is_software,
                           .rivals = rivals, .rivals_n = adit_bid_rivals(b->p.bids, b->p.bids_n, b->p.own, now_ns, rivals), .idle_before = idle_before(b)};
    b->skips = 0;
    if (!s.backlog)
        return 0;
    if (b->p.policy != ADIT_ROUTE_ADAPTIVE) {
        uint32_t due = adit_share_by_policy(&s, b->p.policy);
        b->skips = adit_share_skips(&s, due);
        return decide(b, &s, due, adit_route_policy_name(b->p.policy));
    }
    if (s.threads && !thread_ns)
        return decide(b, &s, 0, "waits until the price of a thread is known");
    if (s.threads && !b->bid->each_ns)
        return in_flight->is_up ? decide(b, &s, 0, "waits until its price is known") : decide(b, &s, probe_now(b), "tried: its price is not known");
    uint32_t share = adit_share_of_device(&s), again = share || in_flight->is_up ? 0 : probe_now(b);
    if (again)
        return decide(b, &s, again, "tried: prices change");
    b->skips = adit_share_skips(&s, share);
    bool is_slower = s.threads && s.is_software && s.device.each_ns >= s.thread_ns / s.threads;
    return decide(b, &s, share, !s.threads ? "there are no threads" : share ? "done sooner with it" : is_slower ? "slower than the threads whose processors it takes" : "done sooner without it");
}

/* As any worker, where no other thread is. */
static void work_in_its_stead(struct adit_batcher *b)
{
    uint32_t index;
    if (!b->p.threads && adit_dirty_claim(b->p.arena, &b->cursor, &index)) {
        if (!adit_mesher_work(b->p.arena, b->p.kernel, b->p.flags, index, &b->by_kernel))
            nap(NAP_NS);
        return;
    }
    (void)adit_dirty_wait(b->p.arena, b->p.stop, SLEEP_NS);
    if (b->p.threads && !is_stopped(b))
        nap(SLEEP_NS / 2); /* the threads have it */
}

/* Until there is a backlog; of one that is for others ever fewer looks are taken. */
static void rest(struct adit_batcher *b)
{
    (void)adit_dirty_wait(b->p.arena, b->p.stop, SLEEP_NS);
    if ((!b->p.threads && b->p.bids_n == 1) || is_stopped(b))
        return;
    nap(b->nap_ns);
    b->nap_ns = b->nap_ns < NAP_MOST_NS ? 2 * b->nap_ns : NAP_MOST_NS;
}

/* The data segments of the arena, where the device can have them. */
static void import(struct adit_batcher *b)
{
    const struct adit_arena *arena = b->p.arena;
    struct adit_import_range ranges[ADIT_SEGMENTS_MAX];
    uint32_t n = 0;
    for (uint32_t s = 1; s < arena->segments_n; s++)
        ranges[n++] = (struct adit_import_range){arena->maps[s].base, arena->maps[s].bytes};
    if (!b->p.executor->import || b->p.executor->import(b->p.executor, ranges, n, &b->imports))
        b->imports = NULL;
}

static void *batcher_main(void *user)
{
    struct adit_batcher *b = user;
    uint32_t now = 0;
    if (b->p.is_background)
        (void)adit_thread_background();
    adit_device_meter_begin(&b->meter, b->p.arena, b->p.own);
    adit_device_meter_price(&b->meter, b->bid->fixed_ns, b->bid->each_ns);
    import(b);
    for (uint32_t i = 0; i < FLIGHTS; i++)
        if (!b->bid->is_lost && b->p.executor->open(b->p.executor, &b->flight[i].batch))
            lose(b);
    while (!is_stopped(b)) {
        struct flight *next = &b->flight[now], *before = &b->flight[1 - now];
        if (b->bid->is_lost) {
            work_in_its_stead(b);
            continue;
        }
        uint32_t n = share_now(b, before);
        if (n) {
            b->nap_ns = NAP_NS;
            take_off(b, next, n);
        }
        if (before->is_up) {
            land(b, before, next);
            adit_bid_announce(b->bid, next->is_up ? next->up_ns + adit_bid_price_ns(b->bid, next->n) : 0);
        } else if (!next->is_up) {
            rest(b);
        }
        if (next->is_up)
            now = 1 - now;
        if (b->bid->is_lost && next->is_up) /* it went up before the other came down */
            give_up(b, next);
        if (b->is_starved && !is_stopped(b))
            nap(STARVED_NAP_NS);
        b->is_starved = false;
    }
    for (uint32_t i = 0; i < FLIGHTS; i++) {
        if (b->flight[i].is_up)
            land(b, &b->flight[i], &b->flight[1 - i]);
    }
    for (uint32_t i = 0; i < FLIGHTS; i++)
        if (b->flight[i].batch)
            b->p.executor->close(b->flight[i].batch);
    if (b->imports)
        b->p.executor->unimport(b->imports);
    adit_device_meter_end(&b->meter);
    return NULL;
}

static void free_all(struct adit_batcher *b)
{
    for (uint32_t i = 0; i < FLIGHTS; i++) {
        free(b->flight[i].claims);
        free(b->flight[i].aside);
    }
    free(b->agenda.item);
    adit_share_log_fini(&b->log);
    free(b);
}

/* Its thread, on the device's node if this process may run there. Its batches are opened by the thread, so their memory is there, too. */
static int start(struct adit_batcher *b)
{
    struct adit_node nodes[ADIT_NODES_MAX];
    uint32_t n = b->p.executor->node < 0 ? 0 : adit_nodes_here(nodes), at = 0;
    cpu_set_t before;
    while (at < n && nodes[at].id != b->p.executor->node)
        at++;
    adit_node_enter(n > 1 && at < n ? &nodes[at] : NULL, &before);
    int error = pthread_create(&b->thread, NULL, batcher_main, b);
    adit_node_exit(&before);
    return error;
}

int adit_batcher_open(const struct adit_batcher_params *params, struct adit_batcher **out)
{
    struct adit_batcher *b = calloc(1, sizeof *b);
    int error = b ? 0 : ENOMEM;
    if (b)
        adit_share_log_init(&b->log);
    for (uint32_t i = 0; !error && i < FLIGHTS; i++) {
        b->flight[i].claims = calloc(params->executor->batch_max, sizeof *b->flight[i].claims);
        b->flight[i].aside = calloc(params->executor->batch_max, sizeof *b->flight[i].aside);
        error = b->flight[i].claims && b->flight[i].aside ? 0 : ENOMEM;
    }
    if (!error) {
        b->agenda.item = calloc(2 * params->executor->batch_max, sizeof *b->agenda.item);
        error = b->agenda.item ? 0 : ENOMEM;
    }
    if (!error) {
        b->p = *params;
        b->bid = &b->p.bids[b->p.own];
        b->nap_ns = NAP_NS;
        b->most = params->executor->batch_max;
        b->flown_ns = adit_clock_ns();
        error = start(b);
    }
    *out = error ? NULL : b;
    if (!error)
        return 0;
    if (b)
        free_all(b);
    return adit_fault(-error, "arena %s: cannot start a thread for %s: %s", params->arena->name, params->executor->name, strerror(error));
}

void adit_batcher_close(struct adit_batcher **batcher)
{
    struct adit_batcher *b = *batcher;
    if (!b)
        return;
    pthread_join(b->thread, NULL);
    if (b->bid->is_lost)
        adit_count(b->p.arena, ADIT_COUNT_TIERS_OFF, UINT64_MAX);
    free_all(b);
    *batcher = NULL;
}

int adit_batcher_explain(struct adit_batcher *b, uint32_t back, struct adit_share_report *out) { return adit_share_log_get(&b->log, back, out); }

void adit_batcher_info(const struct adit_batcher *b, struct adit_tier_info *info)
{
    snprintf(info->name, sizeof info->name, "%s", b->p.executor->name);
    info->meshed = adit_load_relaxed(&b->meshed);
    info->in_place = adit_load_relaxed(&b->by_kernel);
    info->is_lost = adit_load32_acquire(&b->bid->is_lost);
    snprintf(info->why, sizeof info->why, "%s", info->is_lost ? b->why : "");
}
