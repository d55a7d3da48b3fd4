/* rcu.h - read-copy-update across processes: readers, sections, grace periods.
 *
 * Every reading thread has a slot of 128 bytes in the control segment. Enter stores the global epoch there, exit an even number
 * (both inline, runtime/adit.h). The epoch is odd and grows by 2 from 3 on. What a slot says, stored by its reader alone:
 *
 *      e, odd    inside a section that began at epoch e        enter
 *      2         outside, the next enter is not fenced         exit
 *      0         outside, the next enter is fenced             open, rest; exit, where every enter is fenced
 *
 * A grace period, by any process:
 *
 *     unlink (the caller's)                          reader
 *     epoch + 2, now E             advance           load epoch                enter
 *     look at every slot:          scan              store it to the slot, release (fenced: seq_cst exchange)
 *       0, or E or later: passed                     compiler barrier
 *       odd, below E: wait for it                    load links, read blocks
 *       2: unsure                                    store 2 (fenced: 0)       exit, release
 *     some unsure: membarrier, and look at them again; what is out now has passed
 *
 * Why passed is passed. A slot of E or later was stored after a load (acquire) of E or later, so that thread sees the
 * unlink from there on, and all it read before is before the store (release). A 0 is followed by a seq_cst exchange, which is
 * either in the scan or after the advance. A 2 says nothing by itself: the store of the next enter may still be on its way
 * while that section's loads are done. Most readers that are at work enter again within microseconds and
 * so become sure; for the others a membarrier decides: the process's own by PRIVATE_EXPEDITED (some 15 us), those of others by
 * GLOBAL (8 to 16 ms, a grace period of the kernel's own). GLOBAL_EXPEDITED would take 15 us and cannot be relied on: see membarrier.h.
 * Ousting. A section that stays (a stopped process, a slow one) may hold back hold_max_bytes; then it is marked and no longer waited
 * for, and its reader, when it goes on, learns it at its next acquire, pin or exit and throws away what it read: it reads
 * memory that is mapped and may be anything, never a fault.
 *
 *     reclaimer                                      reader in its section
 *     ousted: -> pending, its own    OUST:pending    reads
 *     full fence; intent of the slot?                acquire fence
 *       not 0: pending -> none, leave it alone       ousted = my epoch: -ESTALE        OUST:look
 *       0: pending -> its epoch      OUST:mark       who means to commit: intent, full fence, and a pending one is a mark, too
 *     grace period passes, memory is used anew
 *
 * What a reader read of the new use was stored after the mark, so its look, which is after the read, finds the mark. An intent is stored
 * before a full barrier and a look, a pending mark before a barrier and the look for an intent: one of the two sees the other (Dekker). Nobody
 * passes a section by a pending mark, and a mark is never taken back but by the reader's exit: others may have passed by it.
 *
 * Guests' sections lie where nobody here looks; a slot that stands for each of them is moved by the proxy (proxy.h), which a grace
 * period calls when it meets one. It is fenced as all are that a process writes for others, so never unsure.
 *
 * A reader cannot be put to rest by others: between its look at "may I store plainly?" and that store any time may pass, and a
 * scan in that moment would take it for one at rest. So who waits for long rests itself (adit_rest, the reader of a watch).
 * Reading costs what it would with liburcu's "memb" flavour (Desnoyers et al., User-Level Implementations of Read-Copy Update,
 * IEEE TPDS 2012); taking a later quiescent state as evidence is its "qsbr" flavour.
 */
#ifndef ADIT_RCU_H
#define ADIT_RCU_H

#include "shm/arena.h"

/* A reading thread's handle; private memory. The first four members are struct adit_section of runtime/adit.h. */
struct adit_reader {
    uint64_t *slot;
    const uint64_t *epoch;
    uint32_t fenced, always;
    uint32_t index; /* of the slot */
    uint32_t pool_index; /* when borrowed */
    struct adit_arena *arena;
    const struct adit_reader_slot *proxied; /* a guest's: its slot in the control segment; NULL: no guest */
    uint64_t ousts;                         /* as it was at enter */
    uint32_t is_stale;                      /* ousted before it began */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct adit_reader) == 64, "one line");

/* Claims a slot. -EUSERS: readers_max are taken; -EROFS: an observer. */
int adit_rcu_reader_open(struct adit_arena *arena, struct adit_reader **out);
void adit_rcu_reader_close(struct adit_reader **reader);

bool adit_guest_is_ousted(const struct adit_reader *reader); /* guest.h */

/* Whether the section that r is in has been ousted. What was read before it says no was good. */
static inline bool adit_rcu_is_ousted(const struct adit_reader *r)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* OUST:look, pairs with OUST:mark */
    uint64_t ousted = adit_load_relaxed(&r->slot[1]);
    return __builtin_expect(ousted != 0, 0) && (r->proxied ? adit_guest_is_ousted(r) : ousted == adit_load_relaxed(r->slot));
}

/* Of `ousted`, where no section can begin: every enter is fenced, and exit shall look closer. */
#define ADIT_MARK_FENCED 1u
/* Of `ousted`: with what tells it from all others below, a mark that a reclaimer is about to set, if there is no intent. Nobody passes the
 * section by it; whoever means to commit takes it for a mark. One whose reclaimer has died stays until the next, or the section's end. */
#define ADIT_MARK_PENDING (1ull << 63)

/* What `ousted` says in this arena when nothing is marked. */
static inline uint64_t adit_mark_none(const struct adit_arena *arena) { return arena->fenced ? ADIT_MARK_FENCED : 0; }

/* Whether nothing may be committed in the section that r is in: it has been ousted, or may be any moment. After the intent is told. */
static inline bool adit_rcu_may_be_ousted(const struct adit_reader *r)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* INTENT, pairs with OUST:pending: the reclaimer sees the intent, or this the pending mark */
    uint64_t ousted = adit_load_relaxed(&r->slot[1]);
    return __builtin_expect(ousted != 0, 0) && (ousted >= ADIT_MARK_PENDING || ousted == adit_load_relaxed(r->slot));
}

/* Takes away the mark of a section that has been left. */
static inline void adit_rcu_clear_mark(struct adit_reader *r)
{
    uint64_t mark = adit_load_relaxed(&r->slot[1]);
    if (__builtin_expect(mark > ADIT_MARK_FENCED, 0))
        (void)adit_cas_acq_rel(&r->slot[1], &mark, r->always ? ADIT_MARK_FENCED : 0); /* not a younger one, which is for another section */
}

/* Enter and exit for this library's own, borrowed readers: always fenced. */
static inline void adit_rcu_enter(struct adit_reader *r)
{
    uint64_t e = adit_load_acquire(r->epoch);                /* RCU:enter, pairs with RCU:advance */
    (void)__atomic_exchange_n(r->slot, e, __ATOMIC_SEQ_CST); /* before later loads; pairs with RCU:advance */
    adit_barrier_after_rmw();
}
/* False: the section was ousted, nothing read in it counts. */
static inline bool adit_rcu_exit(struct adit_reader *r)
{
    bool is_good = !adit_rcu_is_ousted(r);
    adit_store_release(r->slot, 0); /* RCU:exit, pairs with RCU:scan */
    adit_rcu_clear_mark(r);
    return is_good;
}

/* What a slot's word says; epoch: one that a scan compares with. */
enum adit_slot_state { ADIT_SLOT_PASSED, ADIT_SLOT_UNSURE, ADIT_SLOT_INSIDE };
static inline enum adit_slot_state adit_slot_state(uint64_t word, uint64_t epoch)
{
    if (!word || word >= epoch)
        return ADIT_SLOT_PASSED;
    return word & 1 ? ADIT_SLOT_INSIDE : ADIT_SLOT_UNSURE;
}

/* Waits until every section that was open when it was called has ended. The caller must be outside sections. Blocks for some
 * 10 ms when a reader of another process is out of sections but does not rest, and for as long as a section takes, up to
 * timeout_ns (at least one look), then -ETIMEDOUT: nothing may be freed. Counts itself in the participant's grace_periods. */
int adit_grace_period(struct adit_arena *arena, uint64_t timeout_ns);
/* The same, and *epoch is the one that it began: sections that are still inside one before it have kept it waiting. */
int adit_grace_period_of(struct adit_arena *arena, uint64_t timeout_ns, uint64_t *epoch);

/* The same; while *hurry (may be NULL) is not 0, guests that keep it waiting for longer than ADIT_GUEST_PATIENCE_NS are ousted. */
int adit_grace_period_hurried(struct adit_arena *arena, uint64_t timeout_ns, const uint32_t *hurry, uint64_t *epoch);

/* Ousts the oldest of the sections that began before epoch, so that the next grace period passes it: for a reclaimer whose grace period
 * of that epoch has timed out while more than hold_max_bytes are held back. Only the oldest: others may just have been slow. A reader that is about to commit (intent, runtime/publish.h) is left
 * alone. Returns how many. */
uint32_t adit_rcu_oust(struct adit_arena *arena, uint64_t epoch);

/* Ousts all guests that keep a grace period of epoch waiting: it passes them at once, be the proxy dead or stopped. Returns how many. */
uint32_t adit_rcu_oust_guests(struct adit_arena *arena, uint64_t epoch);

#define ADIT_POOL_MAX 64u

/* The process whose reader has been in its section for longest, 0: nobody is inside one that began before the present epoch.
 * For messages: it may have changed when the caller looks. */
uint32_t adit_rcu_oldest_pid(const struct adit_arena *arena);

/* A reader of this library's own, for the time of one call: taken from a small private pool, opened on first use; fenced, so that
 * it never makes a grace period unsure. With
 * ADIT_POOL_MAX calls of this process under way it lets other threads run until one ends; otherwise it neither waits nor
 * makes a system call. -EUSERS: the arena has no reader slot left; -EAGAIN: the pool stays taken for too long. */
int adit_rcu_borrow(struct adit_arena *arena, struct adit_reader **out);
void adit_rcu_give_back(struct adit_arena *arena, struct adit_reader *reader);

/* The pool's making and end, at attach and detach. */
int adit_rcu_pool_init(struct adit_arena *arena);
void adit_rcu_pool_fini(struct adit_arena *arena);
/* In a child of fork(): the pool is empty, and the parent's readers stay the parent's. */
void adit_rcu_pool_forget(struct adit_arena *arena);

#endif
