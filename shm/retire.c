#include "shm/retire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shm/block.h"
#include "shm/metrics.h"
#include "shm/pin.h"
#include "shm/probe.h"
#include "shm/rcu.h"

#define LIMBO_MAX 8192u
#define LIMBO_HIGH (LIMBO_MAX / 2) /* from here on publishers help */
#define GRACE_NS 20000000u
#define NAP_MIN_NS 2000000u
#define NAP_MAX_NS 256000000u /* of a thread that finds nothing to do: a retire makes no system call, so nobody wakes it */
#define PATIENCE_NS 1000000000u
#define LOCK_WAIT_NS 50000000u
#define LIMBO_SHARE 8u /* of the data segments' bytes: from that on publishers help, too */

struct adit_reclaimer {
    uint64_t limbo[LIMBO_MAX]; /* refs, 0 empty; w: any thread by CAS, emptied under lock */
    uint64_t limbo_at;         /* where the next retire looks first */
    uint64_t limbo_n;
    uint64_t limbo_bytes_high;
    uint64_t idle_bytes;   /* limbo_bytes when last nothing was in limbo; under lock */
    uint64_t limbo_bytes;  /* what self->limbo_bytes tells others: decided upon is this one, which no peer can change */
    uint64_t patience_ns; /* until then publishers do not help: a grace period has just been waited for in vain */
    uint32_t hurry;       /* producers that need memory at once: guests are not waited for (proxy.h); w: they, seq_cst */
    pthread_mutex_t lock; /* of batch */
    uint64_t orphanings_seen; /* w: under lock; read anywhere */
    struct adit_refset batch;
    struct adit_sweep sweep; /* the thread's own */
    pthread_t thread;
    bool has_thread; /* w: who attaches; a worker process's only thread */
    pthread_mutex_t nap_lock;
    pthread_cond_t nap;
    bool stop; /* under nap_lock */
};

/* A block enters or leaves this process's limbo; count: which of its numbers, for operators. */
static void account(struct adit_arena *arena, uint64_t ref, bool enters, uint64_t *count)
{
    struct adit_reclaimer *r = arena->reclaimer;
    uint64_t bytes = adit_block_bytes(arena, ref), before = adit_load_relaxed(&r->limbo_bytes), after;
    do /* bounded: each round another has changed it. A word that says another length by now must not turn it negative. */
        after = enters ? before + bytes : before > bytes ? before - bytes : 0;
    while (!adit_cas_acq_rel(&r->limbo_bytes, &before, after));
    adit_add_relaxed(&arena->self->limbo_bytes, after - before); /* not after itself: another's store may come in between */
    adit_count(arena, ADIT_COUNT_LIMBO_BYTES, after - before);
    adit_count(arena, ADIT_COUNT_LIMBO_BLOCKS, enters ? 1 : UINT64_MAX);
    if (!count)
        return;
    adit_add_relaxed(count, 1);
    if (enters)
        ADIT_PROBE(retire, ref, bytes);
    else
        ADIT_PROBE(reclaim, ref, bytes);
    adit_count(arena, enters ? ADIT_COUNT_BLOCKS_RETIRED : ADIT_COUNT_BLOCKS_RECLAIMED, 1);
    adit_count(arena, enters ? ADIT_COUNT_BYTES_RETIRED : ADIT_COUNT_BYTES_RECLAIMED, bytes);
}

/* Leaves a retired block to whoever adopts it. If this process dies before the count grows, its recovery makes it grow. */
static void orphan(struct adit_arena *arena, uint64_t ref)
{
    if (adit_block_hand_over(arena, ref, arena->owner, 0))
        adit_add_seq_cst(&arena->control->orphanings, 1);
}

void adit_retire(struct adit_arena *arena, uint64_t ref)
{
    struct adit_reclaimer *r = arena->reclaimer;
    if (!adit_block_retire(arena, ref))
        return;
    account(arena, ref, true, &arena->self->retired);
    uint64_t at = adit_add_relaxed(&r->limbo_at, 1);
    for (uint32_t i = 0; i < 8; i++) {
        uint64_t empty = 0;
        if (adit_cas_acq_rel(&r->limbo[(at + i) % LIMBO_MAX], &empty, ref)) {
            adit_add_relaxed(&r->limbo_n, 1);
            return;
        }
    }
    account(arena, ref, false, NULL);
    orphan(arena, ref);
}

void adit_retire_help(struct adit_arena *arena)
{
    struct adit_reclaimer *r = arena->reclaimer;
    bool much = adit_load_relaxed(&r->limbo_n) > LIMBO_HIGH ||
                adit_load_relaxed(&r->limbo_bytes) > r->limbo_bytes_high;
    if (much && adit_clock_ns() > adit_load_relaxed(&r->patience_ns)) /* while a reader stays, publishers go on */
        (void)adit_reclaim_now(arena, false);
}

static void drain_limbo(struct adit_reclaimer *r)
{
    for (uint32_t i = 0; i < LIMBO_MAX && adit_load_relaxed(&r->limbo_n); i++) {
        uint64_t ref = adit_load_acquire(&r->limbo[i]); /* pairs with the CAS of adit_retire */
        if (!ref || adit_refset_add(&r->batch, ref))
            continue;
        adit_store_release(&r->limbo[i], 0);
        adit_add_relaxed(&r->limbo_n, UINT64_MAX);
    }
}

struct adoption {
    struct adit_arena *arena;
    struct adit_reclaimer *reclaimer;
};

static void adopt_one(uint64_t ref, uint64_t word, void *user)
{
    struct adoption *a = user;
    if (adit_word_state(word) != ADIT_BLOCK_RETIRED || adit_word_owner(word) ||
        !adit_block_hand_over(a->arena, ref, 0, a->arena->owner))
        return;
    account(a->arena, ref, true, NULL);
    if (adit_refset_add(&a->reclaimer->batch, ref))
        orphan(a->arena, ref);
}

static bool has_orphans(const struct adit_arena *arena)
{
    /* relaxed: written under lock, looked at without it by the thread that sleeps, for which any recent value will do */
    return adit_load_seq_cst(&arena->control->orphanings) != adit_load_relaxed(&arena->reclaimer->orphanings_seen);
}

/* Takes over blocks whose retirer has left. A walk over all words, only when the count says there may be some. */
static void adopt_orphans(struct adit_arena *arena)
{
    struct adoption a = {arena, arena->reclaimer};
    if (!has_orphans(arena))
        return;
    uint64_t seen = adit_load_seq_cst(&arena->control->orphanings); /* before the walk: later ones count anew */
    adit_store_relaxed(&arena->reclaimer->orphanings_seen, seen);
    for (uint32_t s = 0; s < arena->segments_n; s++) /* the heap, too: rings of the dead */
        adit_block_each(arena, s, adopt_one, &a);
}

/* Frees what the grace period that has just passed covers and no pin holds; under lock. */
static void free_batch(struct adit_arena *arena)
{
    struct adit_refset *batch = &arena->reclaimer->batch, pinned;
    if (adit_pins_collect(arena, &pinned))
        return; /* no memory to look at the pins: everything stays */
    size_t kept = 0;
    for (size_t i = 0; i < batch->n; i++) {
        if (adit_refset_has(&pinned, batch->refs[i])) {
            batch->refs[kept++] = batch->refs[i];
            continue;
        }
        account(arena, batch->refs[i], false, &arena->self->reclaimed);
        adit_block_free(arena, batch->refs[i]);
    }
    batch->n = kept;
    adit_refset_fini(&pinned);
}

/* Retired memory that waits, of all participants. */
static uint64_t held_back(const struct adit_arena *arena)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < arena->participants_max; i++)
        if (adit_part_state(adit_load_relaxed(&arena->participants[i].word)) != ADIT_PART_FREE)
            bytes += adit_load_relaxed(&arena->participants[i].limbo_bytes);
    return bytes;
}

/* Nothing waits, and bytes are counted all the same, two rounds in a row: block words have said one length when a block
 * entered and another when it left. */
static void forget_drift(struct adit_arena *arena, struct adit_reclaimer *r)
{
    uint64_t bytes = adit_load_relaxed(&r->limbo_n) ? 0 : adit_load_relaxed(&r->limbo_bytes), was = bytes;
    if (bytes && bytes == r->idle_bytes && adit_cas_acq_rel(&r->limbo_bytes, &was, 0)) {
        adit_add_relaxed(&arena->self->limbo_bytes, 0 - bytes);
        adit_count(arena, ADIT_COUNT_LIMBO_BYTES, 0 - bytes);
    }
    r->idle_bytes = bytes;
}

static int reclaim_locked(struct adit_arena *arena)
{
    drain_limbo(arena->reclaimer);
    adopt_orphans(arena);
    if (!arena->reclaimer->batch.n) {
        forget_drift(arena, arena->reclaimer);
        return 0;
    }
    uint64_t epoch;
    uint32_t much = held_back(arena) > arena->control->hold_max_bytes; /* then no guest is waited for: the proxy moves on who was ousted,
                                                                          and the next round would find him in the way again */
    adit_add32_seq_cst(&arena->reclaimer->hurry, much);
    int error = adit_grace_period_hurried(arena, GRACE_NS, &arena->reclaimer->hurry, &epoch);
    adit_sub32_seq_cst(&arena->reclaimer->hurry, much);
    if (!error)
        free_batch(arena);
    else if (error == -ETIMEDOUT && held_back(arena) > arena->control->hold_max_bytes)
        (void)adit_rcu_oust(arena, epoch); /* the next round passes them */
    else
        adit_store_relaxed(&arena->reclaimer->patience_ns, adit_clock_ns() + PATIENCE_NS);
    return error;
}

int adit_reclaim(struct adit_arena *arena, bool wait)
{
    struct adit_reclaimer *r = arena->reclaimer;
    uint64_t limit_ns = adit_clock_real_ns() + LOCK_WAIT_NS; /* timedlock's clock; ThreadSanitizer knows no clocklock */
    struct timespec limit = {.tv_sec = (time_t)(limit_ns / 1000000000u), .tv_nsec = (long)(limit_ns % 1000000000u)};
    if (!r || (wait ? pthread_mutex_timedlock(&r->lock, &limit) : pthread_mutex_trylock(&r->lock)))
        return -EAGAIN;
    int error = reclaim_locked(arena);
    pthread_mutex_unlock(&r->lock);
    return error;
}

int adit_reclaim_now(struct adit_arena *arena, bool wait)
{
    if (!arena->reclaimer)
        return -EAGAIN;
    adit_add32_seq_cst(&arena->reclaimer->hurry, 1);
    int error = adit_reclaim(arena, wait);
    adit_sub32_seq_cst(&arena->reclaimer->hurry, 1);
    return error;
}

static void *reclaimer_main(void *user)
{
    struct adit_arena *arena = user;
    struct adit_reclaimer *r = arena->reclaimer;
    uint64_t nap_ns = NAP_MAX_NS;
    pthread_mutex_lock(&r->nap_lock);
    while (!r->stop) {
        uint64_t wake_ns = adit_clock_ns() + nap_ns;
        struct timespec until = {.tv_sec = (time_t)(wake_ns / 1000000000u), .tv_nsec = (long)(wake_ns % 1000000000u)};
        (void)pthread_cond_timedwait(&r->nap, &r->nap_lock, &until);
        pthread_mutex_unlock(&r->nap_lock);
        bool busy = adit_load_relaxed(&r->limbo_n) || has_orphans(arena);
        (void)adit_reclaim(arena, true);
        if (arena->mind)
            arena->mind(arena, &r->sweep);
        nap_ns = busy ? NAP_MIN_NS : nap_ns * 2 < NAP_MAX_NS ? nap_ns * 2 : NAP_MAX_NS;
        pthread_mutex_lock(&r->nap_lock);
    }
    pthread_mutex_unlock(&r->nap_lock);
    return NULL;
}

int adit_reclaimer_init(struct adit_arena *arena)
{
    struct adit_reclaimer *r = calloc(1, sizeof *r);
    if (!r)
        return adit_fault(-ENOMEM, "arena %s: no memory for its reclaimer", arena->name);
    arena->reclaimer = r;
    for (uint32_t s = 1; s < arena->segments_n; s++)
        r->limbo_bytes_high += arena->segments[s].bytes / LIMBO_SHARE;
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->nap_lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->nap, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

int adit_reclaimer_start(struct adit_arena *arena)
{
    struct adit_reclaimer *r = arena->reclaimer;
    int error = adit_thread_start(&r->thread, reclaimer_main, arena);
    r->has_thread = !error;
    return error ? adit_fault(error, "arena %s: cannot start its reclaimer thread: %s", arena->name, strerror(-error)) : 0;
}

bool adit_reclaimer_mind(struct adit_arena *arena)
{
    struct adit_reclaimer *r = arena->reclaimer;
    return r && !r->has_thread && adit_load_relaxed(&r->limbo_n) && !adit_reclaimer_start(arena); /* relaxed: this thread's own */
}

int adit_reclaimer_forget(struct adit_arena *arena)
{
    struct adit_reclaimer *r = arena->reclaimer;
    if (!r->limbo_at && !r->batch.n) /* as new: its 64 KiB need not be touched */
        return 0;
    adit_refset_fini(&r->batch);
    free(r);
    return adit_reclaimer_init(arena);
}

void adit_reclaimer_fini(struct adit_arena *arena)
{
    struct adit_reclaimer *r = arena->reclaimer;
    if (!r)
        return;
    pthread_mutex_lock(&r->nap_lock);
    r->stop = true;
    pthread_cond_signal(&r->nap);
    pthread_mutex_unlock(&r->nap_lock);
    if (r->has_thread)
        pthread_join(r->thread, NULL);
    pthread_mutex_lock(&r->lock);
    (void)reclaim_locked(arena);
    for (size_t i = 0; i < r->batch.n; i++) {
        account(arena, r->batch.refs[i], false, NULL);
        orphan(arena, r->batch.refs[i]);
    }
    for (uint32_t i = 0; i < LIMBO_MAX; i++) /* what found no memory to be batched */
        if (r->limbo[i])
            orphan(arena, r->limbo[i]);
    pthread_mutex_unlock(&r->lock);
    adit_refset_fini(&r->batch);
    free(r);
    arena->reclaimer = NULL;
}
