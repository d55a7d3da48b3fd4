/* Why this is correct.
 *
 * The kernel's part (kernel/futex/core.c, exit_robust_list): when a thread ends it walks the list from the head that the
 * thread has registered, and takes list_op_pending besides; in each entry whose word holds the thread's id it sets OWNER_DIED, keeps
 * WAITERS and wakes one. So at every instruction a word with our id must be in the list or be the pending one, and nothing may
 * be in the list whose links are not good:
 *
 *     lock:    pending = r ; word = TID ; r's links ; head -> r ; pending = 0
 *     unlock:  pending = r ; neighbours skip r ; word = 0 ; pending = 0 (the wake before it)
 *
 * Only this thread and the kernel on its behalf look at the list: compiler barriers are enough. A neighbour may be a
 * pthread mutex; glibc (nptl/descr.h) keeps its links at the same offsets, doubly linked, and tags an entry's address with 1 for
 * priority inheritance. A thread that dies between word = 0 and the wake, or woken before it could take the word, is pending on a
 * word without owner: the kernel then wakes one in its stead.
 *
 * Wakes. Who has slept takes the word with WAITERS, as others may sleep still, so its unlock wakes the next. Who
 * leaves after having slept (timeout, stop) may have eaten a wake: it passes it on, or marks the word of who came between. */
#include "shm/robust.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shm/atomics.h"
#include "shm/fault.h"
#include "shm/os.h"

#define NAP_NS 100000000u
#define OFFSET_GLIBC (-32) /* from an entry to its futex word */

_Static_assert(ADIT_ROBUST_WAITERS == FUTEX_WAITERS && ADIT_ROBUST_DIED == FUTEX_OWNER_DIED && ADIT_ROBUST_TID == FUTEX_TID_MASK,
               "the kernel's bits");
#ifdef __GLIBC__
_Static_assert(offsetof(pthread_mutex_t, __data.__list.__next) == offsetof(struct adit_robust, next) &&
                   offsetof(pthread_mutex_t, __data.__list.__prev) == offsetof(struct adit_robust, prev),
               "entries of glibc's list");
#endif

/* This thread's list and id; a child of fork has another id, and finds that out by the handler below. */
static __thread struct {
    struct robust_list_head *head;
    uint32_t tid;
} me;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void forget(void) { me.head = NULL; }
static void watch_forks(void) { (void)pthread_atfork(NULL, NULL, forget); }

static int find_me(void)
{
    struct robust_list_head *head = NULL;
    size_t bytes = 0;
    if (syscall(SYS_get_robust_list, 0, &head, &bytes) || !head || bytes != sizeof *head || head->futex_offset != OFFSET_GLIBC)
        return adit_fault(-ENOSYS, "locks that outlive their holder need glibc's robust list (futex offset %d); here it is %ld",
                          OFFSET_GLIBC, head && bytes == sizeof *head ? head->futex_offset : 0L);
    pthread_once(&once, watch_forks);
    me.tid = (uint32_t)syscall(SYS_gettid);
    me.head = head;
    return 0;
}

/* The address by which r stands in the list: that of its next. */
static struct robust_list *entry_of(struct adit_robust *r) { return (struct robust_list *)(void *)&r->next; }

static void set_pending(struct adit_robust *r)
{
    adit_barrier_compiler();
    me.head->list_op_pending = r ? entry_of(r) : NULL;
    adit_barrier_compiler();
}

/* The prev of an entry, which stands right before its next; the head has none that is ours. */
static void set_prev(uint64_t entry, uint64_t prev)
{
    entry &= ~1ull;
    if (entry != (uint64_t)(uintptr_t)&me.head->list)
        *(uint64_t *)(uintptr_t)(entry - 8) = prev;
}

static void enlist(struct adit_robust *r)
{
    uint64_t entry = (uint64_t)(uintptr_t)entry_of(r), first = (uint64_t)(uintptr_t)me.head->list.next;
    r->next = first;
    r->prev = (uint64_t)(uintptr_t)&me.head->list;
    set_prev(first, entry);
    adit_barrier_compiler();
    me.head->list.next = entry_of(r);
}

static void delist(struct adit_robust *r)
{
    set_prev(r->next, r->prev);
    *(uint64_t *)(uintptr_t)(r->prev & ~1ull) = r->next;
}

/* Takes the word unless a thread holds it. 0, -EOWNERDEAD, or -EBUSY with *seen as it was found. */
static int take(struct adit_robust *r, uint32_t waiters, uint32_t *seen)
{
    *seen = adit_load32_relaxed(&r->word);
    while (!(*seen & ADIT_ROBUST_TID)) /* every round another thread got on */
        if (adit_cas32_acq_rel(&r->word, seen, me.tid | (*seen & ADIT_ROBUST_WAITERS) | waiters)) /* ROBUST:take */
            return *seen & ADIT_ROBUST_DIED ? -EOWNERDEAD : 0;
    return -EBUSY;
}

/* What a waiter owes the others when it leaves. */
static void pass_wake_on(struct adit_robust *r)
{
    uint32_t seen = adit_load32_relaxed(&r->word);
    while (seen & ADIT_ROBUST_TID && !(seen & ADIT_ROBUST_WAITERS))
        if (adit_cas32_acq_rel(&r->word, &seen, seen | ADIT_ROBUST_WAITERS))
            return;
    if (!(seen & ADIT_ROBUST_TID))
        adit_futex_wake(&r->word, 1);
}

/* The long way: until it is taken, the time is over, or *stop. */
static int wait_and_take(struct adit_robust *r, const uint32_t *stop, uint64_t timeout_ns)
{
    uint64_t begin = adit_clock_ns();
    uint32_t waiters = 0, seen;
    for (;;) { /* bounded by timeout_ns */
        int result = take(r, waiters, &seen);
        if (result != -EBUSY)
            return result;
        uint64_t passed = timeout_ns == ADIT_FOREVER ? 0 : adit_clock_ns() - begin;
        bool is_stopped = stop && adit_load32_acquire(stop); /* whoever set it */
        if (is_stopped || passed >= timeout_ns) {
            if (waiters)
                pass_wake_on(r);
            return is_stopped ? -ECANCELED : -ETIMEDOUT;
        }
        if (!(seen & ADIT_ROBUST_WAITERS) && !adit_cas32_acq_rel(&r->word, &seen, seen | ADIT_ROBUST_WAITERS))
            continue;
        waiters = ADIT_ROBUST_WAITERS;
        (void)adit_futex_wait(&r->word, seen | ADIT_ROBUST_WAITERS,
                              timeout_ns - passed < NAP_NS ? timeout_ns - passed : NAP_NS);
    }
}

static int lock(struct adit_robust *r, uint32_t owner, const uint32_t *stop, uint64_t timeout_ns)
{
    uint32_t seen;
    int result = me.head ? 0 : find_me();
    if (result)
        return result;
    if ((adit_load32_relaxed(&r->word) & ADIT_ROBUST_TID) == me.tid && adit_load32_relaxed(&r->owner) == owner)
        return -EDEADLK;
    set_pending(r);
    result = take(r, 0, &seen);
    if (result == -EBUSY && timeout_ns)
        result = wait_and_take(r, stop, timeout_ns);
    if (!result || result == -EOWNERDEAD) {
        enlist(r);
        adit_store32_relaxed(&r->owner, owner);
        if (result)
            adit_store32_relaxed(&r->deaths, adit_load32_relaxed(&r->deaths) + 1);
        adit_tsan_acquire(r);
    }
    set_pending(NULL);
    return result;
}

int adit_robust_lock(struct adit_robust *robust, uint32_t owner, const uint32_t *stop, uint64_t timeout_ns)
{
    int result = lock(robust, owner, stop, timeout_ns);
    return result == -EBUSY ? -ETIMEDOUT : result;
}

int adit_robust_trylock(struct adit_robust *robust, uint32_t owner) { return lock(robust, owner, NULL, 0); }

void adit_robust_unlock(struct adit_robust *robust)
{
    adit_tsan_release(robust);
    adit_store32_relaxed(&robust->owner, 0);
    set_pending(robust);
    delist(robust);
    adit_barrier_compiler();
    if (adit_swap32_release(&robust->word, 0) & ADIT_ROBUST_WAITERS) /* ROBUST:give */
        adit_futex_wake(&robust->word, 1);
    set_pending(NULL);
}

void adit_robust_wake_all(struct adit_robust *robust) { adit_futex_wake(&robust->word, UINT32_MAX); }

bool adit_robust_is_mine(const struct adit_robust *robust)
{
    return me.head && (adit_load32_relaxed(&robust->word) & ADIT_ROBUST_TID) == me.tid;
}
