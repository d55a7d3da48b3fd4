#include "shm/rcu.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shm/guest.h"
#include "shm/metrics.h"
#include "shm/probe.h"
#include "shm/proxy.h"

#define BORROW_TRIES 10000u    /* turns given to other threads while the whole pool is taken */
#define SPINS 2000u            /* looks at a slot that is inside before sleeping: some microseconds */
#define SPINS_UNSURE 64u       /* looks at one that is out before a membarrier: the time a busy reader takes to enter again */
#define NAP_NS 50000u          /* between looks afterwards */

struct adit_reader_pool {
    struct {
        struct adit_reader *reader;
        uint32_t busy; /* 0 free, 1 taken */
        uint32_t pad[13];
    } slots[ADIT_POOL_MAX];
};

int adit_rcu_reader_open(struct adit_arena *arena, struct adit_reader **out)
{
    *out = NULL;
    if (arena->guest)
        return adit_guest_reader_open(arena, out);
    if (!arena->owner)
        return adit_fault(-EROFS, "arena %s: an observer cannot read chunks; attach as a consumer", arena->name);
    struct adit_reader *r = aligned_alloc(64, sizeof *r);
    if (!r)
        return adit_fault(-ENOMEM, "arena %s: no memory for a reader", arena->name);
    for (uint32_t i = arena->guests_max; i < arena->readers_max; i++) {
        struct adit_reader_slot *s = &arena->readers[i];
        uint32_t nobody = 0;
        if (adit_load32_relaxed(&s->owner) || !adit_cas32_acq_rel(&s->owner, &nobody, arena->owner))
            continue;
        adit_store_relaxed(&s->epoch, 0);
        adit_store_relaxed(&s->ousted, adit_mark_none(arena));
        s->tid = (uint32_t)syscall(SYS_gettid);
        adit_raise_acq_rel(&arena->control->readers_high, i + 1); /* before the first enter: scans cover this slot */
        __atomic_thread_fence(__ATOMIC_SEQ_CST); /* a scan that did not see it began its epoch before: pairs with RCU:advance */
        *r = (struct adit_reader){.slot = &s->epoch, .epoch = &arena->control->epoch, .fenced = 1, .always = arena->fenced,
                                  .index = i, .arena = arena};
        *out = r;
        return 0;
    }
    free(r);
    return adit_fault(-EUSERS, "arena %s: all %u reader slots are taken; create it with a larger readers_max",
                      arena->name, arena->readers_max - arena->guests_max);
}

void adit_rcu_reader_close(struct adit_reader **reader)
{
    struct adit_reader *r = *reader;
    if (!r)
        return;
    if (r->proxied) {
        adit_guest_reader_close(r);
    } else {
        adit_store_release(r->slot, 0);
        adit_store32_release(&r->arena->readers[r->index].owner, 0); /* after the slot is quiet */
    }
    free(r);
    *reader = NULL;
}

/* One scan of the slots below high. */
struct scan {
    struct adit_arena *arena;
    uint64_t epoch, deadline_ns;
    const uint32_t *hurry; /* not 0: guests have ADIT_GUEST_PATIENCE_NS; may be NULL */
    uint64_t called_ns;    /* when the proxy was called, 0: not yet */
    uint32_t high;
    bool is_sure;      /* a membarrier was made since the advance: out is out */
    bool own_unsure, others_unsure;
};

static enum adit_slot_state look(const struct scan *scan, uint32_t i)
{
    const struct adit_reader_slot *slot = &scan->arena->readers[i];
    uint64_t word = adit_load_acquire(&slot->epoch); /* RCU:scan */
    enum adit_slot_state s = adit_slot_state(word, scan->epoch);
    if (s == ADIT_SLOT_INSIDE && adit_load_acquire(&slot->ousted) == word)
        return ADIT_SLOT_PASSED;
    return s == ADIT_SLOT_UNSURE && scan->is_sure ? ADIT_SLOT_PASSED : s;
}

/* Waits until slot i is no longer inside; an unsure one gets a few microseconds to enter again. */
static enum adit_slot_state wait_for(const struct scan *scan, uint32_t i)
{
    enum adit_slot_state s = look(scan, i);
    bool is_hopeless = scan->own_unsure || scan->others_unsure; /* a membarrier comes anyway */
    for (uint32_t n = 0; n < SPINS && s != ADIT_SLOT_PASSED; n++) {
        if (s == ADIT_SLOT_UNSURE && (is_hopeless || n >= SPINS_UNSURE))
            return s;
        adit_spin_pause();
        s = look(scan, i);
    }
    while (s == ADIT_SLOT_INSIDE && adit_clock_ns() <= scan->deadline_ns) { /* bounded by the deadline */
        struct timespec nap = {.tv_nsec = NAP_NS};
        nanosleep(&nap, NULL);
        s = look(scan, i);
    }
    return s;
}

/* Waits until the proxy has moved guest i's slot on; all guests of a scan share their time. Ousts them when that is over and there is a hurry. */
static enum adit_slot_state wait_for_guest(struct scan *scan, uint32_t i)
{
    enum adit_slot_state s = look(scan, i);
    if (s != ADIT_SLOT_PASSED && !scan->called_ns) {
        adit_proxy_call(scan->arena, scan->epoch);
        scan->called_ns = adit_clock_ns();
    }
    for (uint32_t n = 0; n < SPINS && s == ADIT_SLOT_INSIDE; n++) {
        adit_spin_pause();
        s = look(scan, i);
    }
    while (s == ADIT_SLOT_INSIDE && adit_clock_ns() <= scan->deadline_ns) { /* bounded by the deadline */
        bool is_hurried = scan->hurry && adit_load32_acquire(scan->hurry);
        struct timespec nap = {.tv_nsec = NAP_NS};
        if (is_hurried && adit_clock_ns() - scan->called_ns > ADIT_GUEST_PATIENCE_NS)
            (void)adit_rcu_oust_guests(scan->arena, scan->epoch); /* unless the proxy was quicker, to an epoch that will not do: again */
        else if (is_hurried)
            adit_spin_pause(); /* a sleep may be long where others are busy, guests among them */
        else
            nanosleep(&nap, NULL);
        s = look(scan, i);
    }
    return s;
}

/* Waits for all slots; false, with *late, when one stays inside. */
static bool scan_slots(struct scan *scan, uint32_t *late)
{
    for (uint32_t i = 0; i < scan->high; i++) {
        enum adit_slot_state s = look(scan, i);
        if (s != ADIT_SLOT_PASSED)
            s = i < scan->arena->guests_max ? wait_for_guest(scan, i) : wait_for(scan, i);
        *late = i;
        if (s == ADIT_SLOT_INSIDE)
            return false;
        if (s == ADIT_SLOT_UNSURE && adit_load32_relaxed(&scan->arena->readers[i].owner) == scan->arena->owner)
            scan->own_unsure = true;
        else if (s == ADIT_SLOT_UNSURE)
            scan->others_unsure = true;
    }
    return true;
}

static void count_grace(struct adit_arena *arena, uint64_t begin, uint64_t epoch, bool has_passed)
{
    if (!adit_metrics_are_on(arena))
        return;
    uint64_t now = adit_clock_ns();
    adit_count(arena, has_passed ? ADIT_COUNT_GRACE_PERIODS : ADIT_COUNT_GRACE_TIMEOUTS, 1);
    adit_record(arena, ADIT_HISTOGRAM_GRACE_NS, now - begin, 1);
    ADIT_PROBE(grace, epoch / ADIT_EPOCH_STEP, now - begin);
    adit_event(arena, has_passed ? ADIT_EVENT_GRACE : ADIT_EVENT_GRACE_LATE, now, epoch / ADIT_EPOCH_STEP, now - begin);
}

int adit_grace_period_hurried(struct adit_arena *arena, uint64_t timeout_ns, const uint32_t *hurry, uint64_t *epoch)
{
    uint64_t begin = adit_clock_ns();
    struct scan scan = {.arena = arena, .hurry = hurry, .deadline_ns = timeout_ns > UINT64_MAX - begin ? UINT64_MAX : begin + timeout_ns};
    uint32_t late = 0;
    scan.epoch = adit_add_seq_cst(&arena->control->epoch, ADIT_EPOCH_STEP) + ADIT_EPOCH_STEP; /* RCU:advance, pairs with RCU:enter */
    *epoch = scan.epoch;
    adit_barrier_after_rmw();                                     /* and with the exchange of a fenced enter */
    uint64_t high = adit_load_seq_cst(&arena->control->readers_high);
    scan.high = (uint32_t)(high < arena->readers_max ? high : arena->readers_max);
    bool all = scan_slots(&scan, &late);
    if (all && (scan.own_unsure || scan.others_unsure)) {
        int error = scan.others_unsure ? adit_membarrier_everywhere() : adit_membarrier_here();
        if (error)
            return adit_fault(error, "arena %s: membarrier failed: %s", arena->name, strerror(-error));
        scan.is_sure = true;
        all = scan_slots(&scan, &late);
    }
    count_grace(arena, begin, scan.epoch, all);
    if (!all)
        return adit_fault(-ETIMEDOUT, "arena %s: the reader in slot %u has not left its section for %llu ms",
                          arena->name, late, (unsigned long long)(timeout_ns / 1000000));
    adit_add_relaxed(&arena->self->grace_periods, 1);
    return 0;
}

int adit_grace_period_of(struct adit_arena *arena, uint64_t timeout_ns, uint64_t *epoch)
{
    return adit_grace_period_hurried(arena, timeout_ns, NULL, epoch);
}

int adit_grace_period(struct adit_arena *arena, uint64_t timeout_ns)
{
    uint64_t epoch;
    return adit_grace_period_of(arena, timeout_ns, &epoch);
}

/* The epoch of slot i's section if it can be ousted for a grace period of epoch, else UINT64_MAX. */
static uint64_t oustable(const struct adit_arena *arena, uint32_t i, uint64_t epoch)
{
    const struct adit_reader_slot *s = &arena->readers[i];
    uint64_t word = adit_load_acquire(&s->epoch);
    bool is_late = adit_slot_state(word, epoch) == ADIT_SLOT_INSIDE && adit_load_acquire(&s->ousted) != word;
    return is_late && !adit_load_acquire(&s->intent) ? word : UINT64_MAX;
}

/* A pending mark that nobody else makes, nor this thread again. */
static uint64_t pending_mark(const struct adit_arena *arena)
{
    static uint32_t serial;
    uint32_t mine = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED) & 0x7fffffffu;
    return ADIT_MARK_PENDING | (uint64_t)arena->owner << 31 | mine;
}

/* Marks the section of slot i, if it is that of epoch oldest still and means to commit nothing. Scans pass a mark at once, so it cannot be taken
 * back: a pending one comes first. It is this call's alone, so one that was taken away meanwhile is not made good. */
static bool mark(struct adit_arena *arena, uint32_t i, uint64_t epoch, uint64_t oldest)
{
    struct adit_reader_slot *s = &arena->readers[i];
    uint64_t before = adit_load_acquire(&s->ousted), pending = pending_mark(arena);
    if (oustable(arena, i, epoch) != oldest || oldest == UINT64_MAX || before == oldest ||
        !adit_cas_acq_rel(&s->ousted, &before, pending))
        return false;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* OUST:pending, pairs with the fence of adit_intent_set */
    bool has_intent = adit_load_acquire(&s->intent);
    return adit_cas_acq_rel(&s->ousted, &pending, has_intent ? adit_mark_none(arena) : oldest) && !has_intent; /* OUST:mark */
}

static void count_oust(struct adit_arena *arena, uint64_t epoch, uint32_t n)
{
    if (!n || !adit_metrics_are_on(arena))
        return;
    adit_count(arena, ADIT_COUNT_READERS_OUSTED, n);
    ADIT_PROBE(oust, epoch / ADIT_EPOCH_STEP, n);
    adit_event(arena, ADIT_EVENT_OUST, adit_clock_ns(), epoch / ADIT_EPOCH_STEP, n);
}

uint32_t adit_rcu_oust(struct adit_arena *arena, uint64_t epoch)
{
    uint64_t high = adit_load_seq_cst(&arena->control->readers_high), oldest = UINT64_MAX;
    uint32_t n = 0;
    high = high < arena->readers_max ? high : arena->readers_max;
    for (uint32_t i = 0; i < high; i++) {
        uint64_t word = oustable(arena, i, epoch);
        oldest = word < oldest ? word : oldest;
    }
    for (uint32_t i = 0; i < high; i++)
        n += mark(arena, i, epoch, oldest);
    count_oust(arena, epoch, n);
    return n;
}

uint32_t adit_rcu_oust_guests(struct adit_arena *arena, uint64_t epoch)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < arena->guests_max; i++)
        n += mark(arena, i, epoch, oustable(arena, i, epoch));
    count_oust(arena, epoch, n);
    if (n)
        adit_proxy_call(arena, epoch); /* the sooner it takes the marks away, the sooner they can read again */
    return n;
}

uint32_t adit_rcu_oldest_pid(const struct adit_arena *arena)
{
    uint64_t oldest = adit_load_relaxed(&arena->control->epoch);
    uint32_t owner = 0;
    for (uint32_t i = arena->guests_max; i < arena->readers_max; i++) { /* guests' slots are always behind */
        uint64_t epoch = adit_load_relaxed(&arena->readers[i].epoch);
        if ((epoch & 1) && epoch < oldest) {
            oldest = epoch;
            owner = adit_load32_relaxed(&arena->readers[i].owner);
        }
    }
    uint32_t slot = owner ? adit_owner_slot(owner) : arena->participants_max;
    return slot < arena->participants_max ? adit_part_pid(adit_load_relaxed(&arena->participants[slot].word)) : 0;
}

int adit_rcu_pool_init(struct adit_arena *arena)
{
    arena->pool = aligned_alloc(64, sizeof *arena->pool);
    if (!arena->pool)
        return -ENOMEM;
    for (uint32_t i = 0; i < ADIT_POOL_MAX; i++) {
        arena->pool->slots[i].reader = NULL;
        arena->pool->slots[i].busy = 0;
    }
    return 0;
}

/* Takes the first free reader of the pool at or after *last. -EAGAIN: all are taken; -EUSERS: so are all that are open, and
 * the arena has no slot for another. *taken: some are in use and will come back. */
static int take_from_pool(struct adit_arena *arena, uint32_t *last, struct adit_reader **out, bool *taken)
{
    int error = -EAGAIN;
    *taken = false;
    for (uint32_t i = 0; i < ADIT_POOL_MAX; i++) {
        uint32_t at = (*last + i) % ADIT_POOL_MAX, free_now = 0;
        if (adit_load32_relaxed(&arena->pool->slots[at].busy) ||
            !adit_cas32_acq_rel(&arena->pool->slots[at].busy, &free_now, 1)) {
            *taken = true;
            continue;
        }
        if (!arena->pool->slots[at].reader && error == -EAGAIN) /* it fails once: another try would, too */
            error = adit_rcu_reader_open(arena, &arena->pool->slots[at].reader);
        if (arena->pool->slots[at].reader) {
            *last = at;
            *out = arena->pool->slots[at].reader;
            (*out)->pool_index = at;
            return 0;
        }
        adit_store32_release(&arena->pool->slots[at].busy, 0);
    }
    return error;
}

int adit_rcu_borrow(struct adit_arena *arena, struct adit_reader **out)
{
    static _Thread_local uint32_t last; /* a thread mostly finds the one it had free again */
    bool taken;
    int error = take_from_pool(arena, &last, out, &taken);
    for (uint32_t i = 0; error && taken && i < BORROW_TRIES; i++) {
        sched_yield();
        error = take_from_pool(arena, &last, out, &taken);
    }
    return error == -EAGAIN ? adit_fault(error, "arena %s: more than %u calls of this process are under way", arena->name,
                                         ADIT_POOL_MAX)
                            : error;
}

void adit_rcu_give_back(struct adit_arena *arena, struct adit_reader *reader)
{
    adit_store32_release(&arena->pool->slots[reader->pool_index].busy, 0); /* pairs with the CAS of borrow */
}

void adit_rcu_pool_fini(struct adit_arena *arena)
{
    for (uint32_t i = 0; arena->pool && i < ADIT_POOL_MAX; i++)
        adit_rcu_reader_close(&arena->pool->slots[i].reader);
    free(arena->pool);
    arena->pool = NULL;
}

void adit_rcu_pool_forget(struct adit_arena *arena)
{
    for (uint32_t i = 0; i < ADIT_POOL_MAX; i++) {
        if (!arena->pool->slots[i].reader)
            continue;
        free(arena->pool->slots[i].reader);
        arena->pool->slots[i].reader = NULL;
        arena->pool->slots[i].busy = 0;
    }
}
