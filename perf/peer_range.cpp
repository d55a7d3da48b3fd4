// peer_range.cpp - oneTBB's parallel_for as a peer of adit_range (peer_range.h): its default partitioner, which makes parts as they are asked for, down to grain.
#include "perf/peer_range.h"

#include <sched.h>
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_scheduler_observer.h>
#include <tbb/version.h>

// Sends its threads, but not the caller's, to a CPU when they begin.
class sender : public tbb::task_scheduler_observer {
public:
    explicit sender(int to) : cpu(to) { observe(true); }
    void on_scheduler_entry(bool is_worker) override
    {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        if (is_worker)
            (void)sched_setaffinity(0, sizeof set, &set);
    }

private:
    int cpu;
};

static void begin(uint32_t threads, int cpu)
{
    static tbb::global_control most(tbb::global_control::max_allowed_parallelism, threads); // both as long as the program runs
    static sender others(cpu);
    tbb::parallel_for(0u, 1000u * threads, [](unsigned) {}); // how many CPUs this thread may use counts now, and not later
}

static void run(uint64_t first, uint64_t end, uint64_t grain, void (*body)(uint64_t begin, uint64_t end, void *context), void *context)
{
    tbb::parallel_for(tbb::blocked_range<uint64_t>(first, end, grain ? grain : 1), [=](const tbb::blocked_range<uint64_t> &part) { body(part.begin(), part.end(), context); });
}

extern "C" __attribute__((visibility("default"))) const struct peer_range *adit_peer_range(void)
{
    static const struct peer_range peer = {PEER_RANGE_ABI, "oneTBB " TBB_VERSION_STRING ", parallel_for", begin, run};
    return &peer;
}
