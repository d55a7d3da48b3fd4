/* quiet.c - see quiet.h. */
#include "perf/quiet.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "perf/clock.h"

#define LOOK_NS 100e6
#define LOAD_EVERY_NS 10e6
#define GAP_NS 5e3 /* longer than a read of the clock ever takes by itself, shorter than most interrupts' whole cost */
#define LOUD_LOST 0.01
#define LOUD_PART 8.0 /* others times this, of the CPUs */
#define LOUD_OTHERS 0.5

/* Threads ready or running, without this one; -1: not known. */
static double others_now(void)
{
    unsigned running = 0;
    FILE *file = fopen("/proc/loadavg", "re");
    bool got = file && fscanf(file, "%*s %*s %*s %u/", &running) == 1;
    if (file)
        fclose(file);
    return !got ? -1 : running > 0 ? (double)(running - 1) : 0;
}

/* Spins on the CPU that this thread is pinned to. */
static void look(struct quiet *quiet, double *lost, double *others, uint32_t *looks)
{
    double begin = clock_now_ns(), last = begin, away = 0, load_at = begin;
    while (last - begin < LOOK_NS) {
        double now = clock_now_ns(), gap = now - last;
        if (gap > GAP_NS) {
            away += gap;
            quiet->longest_ns = gap > quiet->longest_ns ? gap : quiet->longest_ns;
        }
        last = now;
        if (now < load_at)
            continue;
        double others_here = others_now();
        *looks += others_here >= 0;
        *others += others_here > 0 ? others_here : 0;
        load_at = now + LOAD_EVERY_NS;
        last = clock_now_ns(); /* what the look took is nobody else's */
    }
    *lost = away / LOOK_NS;
}

static bool pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

void quiet_probe(const struct machine *machine, struct quiet *quiet)
{
    cpu_set_t before;
    double others = 0;
    uint32_t looks = 0;
    *quiet = (struct quiet){.cpu = {machine->cpu[0], machine->cpu[1]}, .cpus_online = machine->cpus_online};
    if (sched_getaffinity(0, sizeof before, &before) != 0)
        return;
    for (int i = 0; i < 2; i++)
        if (machine->cpu[i] >= 0 && pin(machine->cpu[i])) {
            look(quiet, &quiet->lost[i], &others, &looks);
            quiet->is_known = true;
        }
    quiet->others = looks ? others / looks : 0;
    sched_setaffinity(0, sizeof before, &before);
}

bool quiet_is_loud(const struct quiet *quiet)
{
    return quiet->lost[0] >= LOUD_LOST || quiet->lost[1] >= LOUD_LOST || (quiet->others >= LOUD_OTHERS && quiet->others * LOUD_PART >= quiet->cpus_online);
}

char *quiet_say(const struct quiet *quiet, char *out, size_t bytes)
{
    if (!quiet->is_known || !quiet_is_loud(quiet)) {
        snprintf(out, bytes, "%s", quiet->is_known ? "quiet" : "not looked at");
        return out;
    }
    int worse = quiet->lost[1] > quiet->lost[0];
    snprintf(out, bytes, "loud: %.1f %% of CPU %d lost, %.1f ms at once; %.1f others ready", quiet->lost[worse] * 100, quiet->cpu[worse], quiet->longest_ns / 1e6, quiet->others);
    return out;
}
