/* machine.h - the machine a figure belongs to, and which of its CPUs the lab may use.
 *
 * A figure without its machine says nothing, so every result carries this description. The pair of CPUs is chosen once:
 * the first CPU this process may run on, and the next one that is not its hyperthread sibling; on machines of several
 * sockets that is a neighbour on the same node.
 */
#ifndef PERF_MACHINE_H
#define PERF_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct machine {
    char cpu_model[96];
    char kernel[96];
    char governor[32];    /* "unknown" where the kernel shows none, as in most guests */
    char clock_source[32];
    char compiler[48];
    bool hypervisor;
    bool tsc_invariant;   /* ticks run at one rate on all CPUs: one-way times can be taken */
    uint32_t cpus_online, cpus_allowed, nodes;
    uint32_t page_bytes;
    uint64_t hugepage_bytes, hugepages_total, hugepages_free;
    uint64_t memory_bytes;
    uint64_t cache_bytes[4]; /* [1..3]: level 1 data, 2, 3 of the first CPU; 0 unknown */
    int cpu[2];              /* the pair to measure on; cpu[1] is -1 where there is only one */
    int nice;                /* the priority scenes run at */
    double ns_per_tick;
    double load_before, load_after; /* one-minute load average around the run */
    double steal_percent;           /* of all CPU time during the run, taken by the hypervisor */
};

/* Fills machine but for the fields that a run adds (load_after, steal_percent). Takes about 30 ms: the tick is timed. */
void machine_describe(struct machine *machine);

/* Marks the end of the run: load_after, steal_percent. */
void machine_finish(struct machine *machine);

void machine_print(FILE *out, const struct machine *machine);
/* As a JSON object; NULL when memory is short. */
json_t *machine_json(const struct machine *machine);

#endif
