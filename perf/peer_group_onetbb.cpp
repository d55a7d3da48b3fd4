// peer_group_onetbb.cpp - oneTBB's task_group as a peer of our tasks (peer_group.h): run() makes a task, wait() has the calling thread run tasks until all of the group have ended (oneAPI specification, task_group). Its
// threads sleep when there is nothing for them.
#include "perf/peer_group.h"

#include <sched.h>
#include <tbb/global_control.h>
#include <tbb/task_group.h>
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

static void run(uint64_t n, void (*body)(uint64_t i, void *context), void *context)
{
    tbb::task_group group;
    for (uint64_t i = 0; i < n; i++)
        group.run([=] { body(i, context); });
    group.wait();
}

static void begin(int cpu)
{
    static tbb::global_control most(tbb::global_control::max_allowed_parallelism, 2); // both as long as the program runs
    static sender others(cpu);
    run(1000, [](uint64_t, void *) {}, nullptr); // how many CPUs this thread may use counts now, and not later
}

static void wake() {}
static void rest() {}

extern "C" __attribute__((visibility("default"))) const peer_group *adit_peer_group(void)
{
    static const peer_group peer = {PEER_GROUP_ABI, "oneTBB " TBB_VERSION_STRING " task_group", begin, wake, rest, run};
    return &peer;
}
