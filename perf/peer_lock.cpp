// peer_lock.cpp - Boost.Interprocess's mutex as a peer of our locks (peer_lock.h). Its header: interprocess_mutex "can be placed in shared memory and can be shared between processes"; scoped_lock takes it
// and gives it back.
#include "perf/peer_lock.h"

#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <boost/version.hpp>
#include <cstring>
#include <new>

using mutex = boost::interprocess::interprocess_mutex;
using taken = boost::interprocess::scoped_lock<mutex>;

struct guarded {
    mutex lock;
    alignas(128) uint64_t object[PEER_LOCK_OBJECT_BYTES / 8];
};

static guarded *at(void *memory) { return static_cast<guarded *>(memory); }

static int make(void *memory)
{
    new (memory) guarded;
    return 0;
}

static void change(void *memory, uint64_t n)
{
    for (guarded *g = at(memory); n > 0; n--) {
        taken t(g->lock);
        ++g->object[0];
    }
}

static void read(void *memory, uint64_t n)
{
    uint64_t copy[PEER_LOCK_OBJECT_BYTES / 8];
    for (guarded *g = at(memory); n > 0; n--) {
        taken t(g->lock);
        memcpy(copy, g->object, sizeof copy);
        __asm__ volatile("" ::"r"(copy) : "memory");
    }
}

static void beset(void *memory, const uint32_t *word, uint32_t value)
{
    while (__atomic_load_n(word, __ATOMIC_RELAXED) == value)
        change(memory, 1);
}

extern "C" __attribute__((visibility("default"))) const peer_lock *adit_peer_lock(void)
{
    static const peer_lock peer = {PEER_LOCK_ABI, "Boost.Interprocess " BOOST_LIB_VERSION, sizeof(guarded), make, change, read, beset};
    return &peer;
}
