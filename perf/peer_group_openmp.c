/* peer_group_openmp.c - OpenMP's tasks, by libgomp, as a peer of ours (peer_group.h). OpenMP 4.5, 2.9.1 (task construct) and its examples: one thread of a parallel region generates them, in a single construct, and all threads of
 * the team run them until the barrier at its end; a taskwait waits for the generating task's children. omp_pause_resource (OpenMP 5.0, 3.2.43) gives the threads back, which otherwise spin for a while. */
#include "perf/peer_group.h"

#include <omp.h>
#include <sched.h>

#define THREADS 2

static int other_cpu;

static void begin(int cpu) { other_cpu = cpu; }

static void wake(void)
{
#pragma omp parallel num_threads(THREADS)
    if (omp_get_thread_num() > 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)other_cpu, &set);
        (void)sched_setaffinity(0, sizeof set, &set);
    }
}

static void rest(void) { (void)omp_pause_resource(omp_pause_soft, omp_get_initial_device()); }

static void run(uint64_t n, void (*body)(uint64_t i, void *context), void *context)
{
#pragma omp parallel num_threads(THREADS)
#pragma omp single
    {
        for (uint64_t i = 0; i < n; i++) {
#pragma omp task firstprivate(i)
            body(i, context);
        }
#pragma omp taskwait
    }
}

__attribute__((visibility("default"))) const struct peer_group *adit_peer_group(void)
{
    static const struct peer_group peer = {PEER_GROUP_ABI, "OpenMP task, libgomp " __VERSION__, begin, wake, rest, run};
    return &peer;
}
