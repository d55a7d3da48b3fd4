/* atomics.h - atomic access to shared words, with the memory order in the name.
 *
 * C11 semantics throughout (the mapping of each to x86 and ARM is the compiler's). Words are plain uint32_t and uint64_t,
 * as they lie in shared memory. A call site that is not relaxed says with a label what it is paired with. All are
 * lock-free on every machine adit supports, wait-free but for cas, which a caller may have to repeat.
 */
#ifndef ADIT_ATOMICS_H
#define ADIT_ATOMICS_H

#include <stdbool.h>
#include <stdint.h>

_Static_assert(__atomic_always_lock_free(8, 0), "64-bit words must be lock-free to be shared between processes");

static inline uint64_t adit_load_relaxed(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
static inline uint64_t adit_load_acquire(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline uint64_t adit_load_seq_cst(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); }
static inline void adit_store_relaxed(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); }
static inline void adit_store_release(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
static inline uint64_t adit_add_relaxed(uint64_t *p, uint64_t v) { return __atomic_fetch_add(p, v, __ATOMIC_RELAXED); }
static inline uint64_t adit_add_seq_cst(uint64_t *p, uint64_t v) { return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST); }
static inline uint64_t adit_sub_seq_cst(uint64_t *p, uint64_t v) { return __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST); }
static inline uint64_t adit_or_acq_rel(uint64_t *p, uint64_t v) { return __atomic_fetch_or(p, v, __ATOMIC_ACQ_REL); }
static inline uint64_t adit_or_seq_cst(uint64_t *p, uint64_t v) { return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST); }
static inline uint64_t adit_and_seq_cst(uint64_t *p, uint64_t v) { return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST); }

/* Compare and swap; false: *expected holds what was found (read with acquire). */
static inline bool adit_cas_acq_rel(uint64_t *p, uint64_t *expected, uint64_t desired)
{
    return __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* The same, and in the one order of all that is seq_cst. */
static inline bool adit_cas_seq_cst(uint64_t *p, uint64_t *expected, uint64_t desired)
{
    return __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
static inline void adit_store_seq_cst(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_SEQ_CST); }

static inline uint32_t adit_load32_relaxed(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
static inline uint32_t adit_load32_acquire(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void adit_store32_relaxed(uint32_t *p, uint32_t v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); }
static inline void adit_store32_release(uint32_t *p, uint32_t v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
static inline uint32_t adit_add32_seq_cst(uint32_t *p, uint32_t v) { return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST); }
static inline uint32_t adit_sub32_seq_cst(uint32_t *p, uint32_t v) { return __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST); }
static inline bool adit_cas32_acq_rel(uint32_t *p, uint32_t *expected, uint32_t desired)
{
    return __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
static inline uint32_t adit_swap32_release(uint32_t *p, uint32_t v) { return __atomic_exchange_n(p, v, __ATOMIC_RELEASE); }

/* Raises *p to at least v. Any order of raisers; each is acq_rel. */
static inline void adit_raise_acq_rel(uint64_t *p, uint64_t v)
{
    uint64_t seen = adit_load_relaxed(p);
    while (seen < v && !adit_cas_acq_rel(p, &seen, v)) {
    }
}

/* Edges that ThreadSanitizer cannot see because liburcu makes them; nothing in other builds. */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *address);
void __tsan_release(void *address);
static inline void adit_tsan_acquire(void *p) { __tsan_acquire(p); }
static inline void adit_tsan_release(void *p) { __tsan_release(p); }
#else
static inline void adit_tsan_acquire(void *p) { (void)p; }
static inline void adit_tsan_release(void *p) { (void)p; }
#endif

/* Keeps the compiler from moving accesses across; the processor's part is done by a membarrier elsewhere. */
static inline void adit_barrier_compiler(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

/* Asks for a line to be writable soon; never faults, may do nothing. */
static inline void adit_prefetch_writable(const void *p)
{
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)p)); /* a no-op on processors that lack it */
#else
    __builtin_prefetch(p, 1);
#endif
}

/* Sends a line that was just written from this processor's own caches to where others find it sooner (CLDEMOTE); never faults, may do nothing. */
static inline void adit_demote(const void *p)
{
#if defined(__x86_64__)
    __asm__ volatile("cldemote %0" : : "m"(*(const char *)p)); /* a no-op on processors that lack it */
#else
    (void)p;
#endif
}

/* A full barrier right after an atomic read-modify-write; on x86 that instruction was one. */
static inline void adit_barrier_after_rmw(void)
{
#if defined(__x86_64__)
    adit_barrier_compiler();
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* What a spinning loop does between two looks. */
static inline void adit_spin_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

#endif
