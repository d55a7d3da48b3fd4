#include "runtime/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/topology.h"
#include "shm/shm.h"

_Static_assert(ADIT_NODES_MAX == ADIT_TOPOLOGY_NODES, "nodes.h");

/* The processors of node that are allowed. */
static struct adit_node view_of(const struct adit_topology_node *node, const cpu_set_t *allowed)
{
    struct adit_node view = {.id = (int32_t)node->id};
    for (uint32_t cpu = 0; cpu < ADIT_TOPOLOGY_CPUS && cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, allowed) && adit_cpus_has(&node->cpus, cpu))
            CPU_SET(cpu, &view.cpus);
    view.cpus_n = (uint32_t)CPU_COUNT(&view.cpus);
    return view;
}

uint32_t adit_nodes_here(struct adit_node nodes[ADIT_NODES_MAX])
{
    struct adit_node all = {.id = 0};
    struct adit_topology *t = NULL;
    uint32_t n = 0;
    if (sched_getaffinity(0, sizeof all.cpus, &all.cpus)) { /* more CPUs than the set takes */
        CPU_ZERO(&all.cpus);
        CPU_SET(0, &all.cpus);
    }
    all.cpus_n = (uint32_t)CPU_COUNT(&all.cpus);
    if (adit_numa_nodes_end() > 1 && !adit_topology_read(NULL, &t))
        for (uint32_t i = 0; i < t->nodes_n; i++) {
            nodes[n] = view_of(&t->nodes[i], &all.cpus);
            n += nodes[n].cpus_n > 0;
        }
    free(t);
    if (!n)
        nodes[n++] = all;
    return n;
}

void adit_node_enter(const struct adit_node *node, cpu_set_t *before)
{
    CPU_ZERO(before);
    if (!node)
        return;
    (void)sched_getaffinity(0, sizeof *before, before);
    (void)sched_setaffinity(0, sizeof node->cpus, &node->cpus); /* refused: it goes on where it is */
}

void adit_node_exit(const cpu_set_t *before)
{
    if (CPU_COUNT(before))
        (void)sched_setaffinity(0, sizeof *before, before);
}
