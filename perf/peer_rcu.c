/* peer_rcu.c - liburcu as a peer of our read sections (peer_rcu.h), in the flavour that PEER_RCU names; its header comes by the command line. As its README.md says: each reader thread registers first; sections lie between
 * urcu_<flavor>_read_lock() and _read_unlock(), in which rcu_dereference() reads a pointer; _LGPL_SOURCE, for code whose licence is compatible with the LGPL, has them inlined; of qsbr a thread is to call
 * urcu_qsbr_quiescent_state() periodically, and offline marks long periods without sections. Compiled with -ftls-model=initial-exec: a program reaches the library's thread-local variables thus, and a library opened
 * later would otherwise look each of them up by a call. */
#include "perf/peer_rcu.h"

#define LOOK 64 /* sections between two looks at the word */
#define PASTED(flavour, call) urcu_##flavour##_##call
#define EXPANDED(flavour, call) PASTED(flavour, call)
#define URCU(call) EXPANDED(PEER_RCU, call)
#define TEXT(word) #word
#define NAME(word) TEXT(word)

#ifdef PEER_RCU_IS_QUIESCENT
enum { is_quiescent = 1 };
#define QUIESCENT_STATE() urcu_qsbr_quiescent_state()
#define OFFLINE() urcu_qsbr_thread_offline()
#define ONLINE() urcu_qsbr_thread_online()
#else
enum { is_quiescent = 0 };
#define QUIESCENT_STATE() (void)0
#define OFFLINE() (void)0
#define ONLINE() (void)0
#endif

static void join(void) { URCU(register_thread)(); }
static void leave(void) { URCU(unregister_thread)(); }

static void sections(uint64_t n, uint64_t period)
{
    for (uint64_t i = 0; i < n;) {
        for (uint64_t end = i + period < n ? i + period : n; i < end; i++) {
            URCU(read_lock)();
            URCU(read_unlock)();
            __asm__ volatile(""); /* a section is not made one with the next, or left out */
        }
        QUIESCENT_STATE();
    }
}

static void look(uint64_t n, uint64_t period, const uint64_t *const *pointer)
{
    for (uint64_t i = 0; i < n;) {
        for (uint64_t end = i + period < n ? i + period : n; i < end; i++) {
            URCU(read_lock)();
            const uint64_t *at = rcu_dereference(*pointer);
            uint64_t value = *at;
            __asm__ volatile("" ::"r"(value));
            URCU(read_unlock)();
        }
        QUIESCENT_STATE();
    }
}

static void read_until(const uint32_t *word, uint32_t value)
{
    while (__atomic_load_n(word, __ATOMIC_RELAXED) == value)
        sections(LOOK, 1);
}

static void stay_out(const uint32_t *word, uint32_t value)
{
    OFFLINE();
    while (__atomic_load_n(word, __ATOMIC_RELAXED) == value) {
    }
    ONLINE();
}

static void grace(void) { URCU(synchronize_rcu)(); }

__attribute__((visibility("default"))) const struct peer_rcu *adit_peer_rcu(void)
{
    static const struct peer_rcu peer = {PEER_RCU_ABI, "liburcu " NAME(PEER_RCU), is_quiescent, join, leave, sections, look, read_until, stay_out, grace};
    return &peer;
}
